// SPDX-License-Identifier: Apache-2.0
/*
 * Policy expressions: read. Both notations append parts to the policy; what
 * turns out not to fit is taken off again.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "identity.h"
#include "policy_priv.h"

#define OCKAM_POLICY_SHOWN	200	/* bytes of an expression quoted in an error */

/* full: what is read does not fit the limits, so trying further is of no use. */
struct ockam_policy_parser {
	const char		*pos;
	struct ockam_policy	*policy;
	unsigned int		depth;
	bool			full;
};

/* Where to go back to. */
struct ockam_policy_mark {
	const char	*pos;
	size_t		n_nodes;
};

static struct ockam_policy_mark ockam_policy_mark(const struct ockam_policy_parser *p)
{
	return (struct ockam_policy_mark){ p->pos, p->policy->n_nodes };
}

static bool ockam_policy_back(struct ockam_policy_parser *p, struct ockam_policy_mark mark)
{
	p->pos = mark.pos;
	p->policy->n_nodes = mark.n_nodes;
	return false;
}

static bool ockam_policy_enter(struct ockam_policy_parser *p)
{
	if (p->depth == OCKAM_POLICY_DEPTH)
		p->full = true;
	p->depth++;
	return !p->full;
}

static void ockam_policy_skip_blanks(struct ockam_policy_parser *p)
{
	p->pos += strspn(p->pos, " \t\r\n");
}

static bool ockam_policy_take(struct ockam_policy_parser *p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(p->pos, word, len))
		return false;
	p->pos += len;
	return true;
}

/* ---- parts --------------------------------------------------------------------- */

static bool ockam_policy_add(struct ockam_policy_parser *p, struct ockam_policy_node node)
{
	struct ockam_policy *policy = p->policy;

	if (policy->n_nodes == OCKAM_POLICY_NODES) {
		p->full = true;
		return false;
	}
	node.depth = 1;
	node.size = 1;
	policy->nodes[policy->n_nodes++] = node;
	return true;
}

static bool ockam_policy_add_bytes(struct ockam_policy_parser *p, enum ockam_policy_kind kind,
				   const void *bytes, size_t len)
{
	struct ockam_policy *policy = p->policy;
	struct ockam_policy_node node = {
		.kind = kind, .at = (uint32_t)policy->pool.len, .len = (uint32_t)len,
	};

	ockam_buf_put(&policy->pool, bytes, len);
	return !policy->pool.failed && ockam_policy_add(p, node);
}

/* Put an operation or list in front of the @count parts that begin at @first. */
static bool ockam_policy_wrap(struct ockam_policy_parser *p, size_t first,
			      enum ockam_policy_kind kind, unsigned int count)
{
	struct ockam_policy_node *nodes = p->policy->nodes;
	struct ockam_policy_node node = { .kind = kind };
	unsigned int depth = 1;
	size_t child;

	if (!ockam_policy_add(p, node))
		return false;
	memmove(&nodes[first + 1], &nodes[first],
		(p->policy->n_nodes - first - 1) * sizeof(*nodes));
	child = first + 1;
	for (unsigned int i = 0; i < count; i++) {
		if (depth <= nodes[child].depth)
			depth = nodes[child].depth + 1U;
		child += nodes[child].size;
	}
	if (depth > OCKAM_POLICY_DEPTH)
		p->full = true;
	node.depth = (uint8_t)depth;
	node.count = (uint16_t)count;
	node.size = (uint16_t)(p->policy->n_nodes - first);
	nodes[first] = node;
	return !p->full;
}

/* ---- boolean form ------------------------------------------------------------------ */

#define OCKAM_POLICY_LETTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define OCKAM_POLICY_DIGITS	"0123456789"
#define OCKAM_POLICY_NAMES	OCKAM_POLICY_LETTERS OCKAM_POLICY_DIGITS "_.-"

/* Take @word when it is a whole one: "notary" and "orders" are names. */
static bool ockam_policy_take_word(struct ockam_policy_parser *p, const char *word)
{
	size_t len = strspn(p->pos, OCKAM_POLICY_NAMES);

	return len == strlen(word) && ockam_policy_take(p, word);
}

/* What joins terms names none: "a and not" is no question about an attribute "not". */
static bool ockam_policy_is_word(const char *name, size_t len)
{
	return (len == 3 && (!memcmp(name, "and", 3) || !memcmp(name, "not", 3))) ||
	       (len == 2 && !memcmp(name, "or", 2));
}

/* (= subject.<name> "<value>") */
static bool ockam_policy_add_test(struct ockam_policy_parser *p, const char *name, size_t name_len,
				  const char *value, size_t value_len)
{
	static const char prefix[] = "subject.";
	char full[OCKAM_POLICY_MAX + sizeof(prefix)];
	size_t first = p->policy->n_nodes;

	memcpy(full, prefix, sizeof(prefix) - 1);
	memcpy(full + sizeof(prefix) - 1, name, name_len);
	return ockam_policy_add_bytes(p, OCKAM_POLICY_NAME, full, name_len + sizeof(prefix) - 1) &&
		ockam_policy_add_bytes(p, OCKAM_POLICY_STRING, value, value_len) &&
		ockam_policy_wrap(p, first, OCKAM_POLICY_EQUAL, 2);
}

/* An identifier stands for the peer, not for an attribute. */
static bool ockam_policy_add_identifier(struct ockam_policy_parser *p, const char *name,
					size_t len, bool *is)
{
	char text[OCKAM_IDENTIFIER_TEXT];
	uint8_t id[OCKAM_IDENTIFIER_LEN];

	*is = false;
	if (len != OCKAM_IDENTIFIER_TEXT - 1)
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	if (ockam_identifier_parse(text, id, NULL))
		return false;
	*is = true;
	ockam_identifier_format(id, text);
	return ockam_policy_add_test(p, "identifier", strlen("identifier"), text, len);
}

/* name, name=value, name="value" or an identifier */
static bool ockam_policy_read_term(struct ockam_policy_parser *p)
{
	const char *name = p->pos, *value;
	size_t len, value_len;
	bool is, good;

	if (!*name || !strchr(OCKAM_POLICY_LETTERS "_-", *name))
		return false;
	len = strspn(name, OCKAM_POLICY_NAMES);
	if (ockam_policy_is_word(name, len))
		return false;
	p->pos += len;
	if (*p->pos == '=') {
		value = p->pos + 1;
		value_len = strspn(value, OCKAM_POLICY_NAMES);
		if (value_len) {
			p->pos = value + value_len;
			return ockam_policy_add_test(p, name, len, value, value_len);
		}
		value_len = *value == '"' ? strcspn(value + 1, "\"") : 0;
		if (value_len && value[1 + value_len] == '"') {
			p->pos = value + value_len + 2;
			return ockam_policy_add_test(p, name, len, value + 1, value_len);
		}
	}
	good = ockam_policy_add_identifier(p, name, len, &is);
	return is ? good : ockam_policy_add_test(p, name, len, "true", 4);
}

static bool ockam_policy_read_or(struct ockam_policy_parser *p);

/* A term, an expression in parentheses, or the opposite of either. */
static bool ockam_policy_read_not(struct ockam_policy_parser *p)
{
	struct ockam_policy_mark mark = ockam_policy_mark(p);
	bool good = false;

	if (!ockam_policy_enter(p))
		goto out;
	ockam_policy_skip_blanks(p);
	if (ockam_policy_take_word(p, "not")) {
		good = ockam_policy_read_not(p) &&
			ockam_policy_wrap(p, mark.n_nodes, OCKAM_POLICY_NOT, 1);
	} else if (ockam_policy_take(p, "(")) {
		good = ockam_policy_read_or(p);
		ockam_policy_skip_blanks(p);
		good = good && ockam_policy_take(p, ")");
	} else {
		good = ockam_policy_read_term(p);
	}
	if (!good)
		ockam_policy_back(p, mark);
out:
	p->depth--;
	return good;
}

/* @next joined by @word, from the left. */
static bool ockam_policy_read_chain(struct ockam_policy_parser *p, const char *word,
				    enum ockam_policy_kind kind,
				    bool (*next)(struct ockam_policy_parser *p))
{
	size_t first = p->policy->n_nodes;
	struct ockam_policy_mark mark;

	if (!next(p))
		return false;
	for (;;) {
		mark = ockam_policy_mark(p);
		ockam_policy_skip_blanks(p);
		if (!ockam_policy_take_word(p, word) || !next(p)) {
			ockam_policy_back(p, mark);
			return !p->full;
		}
		if (!ockam_policy_wrap(p, first, kind, 2))
			return false;
	}
}

static bool ockam_policy_read_and(struct ockam_policy_parser *p)
{
	return ockam_policy_read_chain(p, "and", OCKAM_POLICY_AND, ockam_policy_read_not);
}

static bool ockam_policy_read_or(struct ockam_policy_parser *p)
{
	return ockam_policy_read_chain(p, "or", OCKAM_POLICY_OR, ockam_policy_read_and);
}

/* ---- full form ------------------------------------------------------------------------ */

static bool ockam_policy_read_expression(struct ockam_policy_parser *p);

static bool ockam_policy_at_end_of_word(const struct ockam_policy_parser *p)
{
	return !*p->pos || strchr(" \t\r\n()[]\"", *p->pos);
}

/* A word that names an operation; nothing is taken when it does not. */
static bool ockam_policy_read_op(struct ockam_policy_parser *p, enum ockam_policy_kind *kind)
{
	const char *start = p->pos;

	for (unsigned int i = 0; i < OCKAM_POLICY_N_OPS; i++) {
		if (ockam_policy_take(p, ockam_policy_ops[i].name) &&
		    ockam_policy_at_end_of_word(p)) {
			*kind = (enum ockam_policy_kind)i;
			return true;
		}
		p->pos = start;
	}
	return false;
}

/* Expressions until @close, which is taken; "" is the end. */
static bool ockam_policy_read_list(struct ockam_policy_parser *p, const char *close,
				   unsigned int *count)
{
	for (*count = 0; ; (*count)++) {
		ockam_policy_skip_blanks(p);
		if (*close ? ockam_policy_take(p, close) : !*p->pos)
			return true;
		if (!ockam_policy_read_expression(p))
			return false;
	}
}

/* Of operands that can be judged before there is a subject. */
static bool ockam_policy_operands_fit(const struct ockam_policy *policy, size_t first,
				      enum ockam_policy_kind kind, unsigned int count)
{
	const struct ockam_policy_op *op = &ockam_policy_ops[kind];
	size_t child = first;

	if (count < op->least || (op->most && count > op->most))
		return false;
	for (unsigned int i = 0; kind == OCKAM_POLICY_EXISTS && i < count; i++) {
		if (policy->nodes[child].kind != OCKAM_POLICY_NAME)
			return false;
		child += policy->nodes[child].size;
	}
	return true;
}

static bool ockam_policy_read_operation(struct ockam_policy_parser *p, const char *close)
{
	size_t first = p->policy->n_nodes;
	enum ockam_policy_kind kind;
	unsigned int count;

	ockam_policy_skip_blanks(p);
	return ockam_policy_read_op(p, &kind) && ockam_policy_read_list(p, close, &count) &&
		ockam_policy_operands_fit(p->policy, first, kind, count) &&
		ockam_policy_wrap(p, first, kind, count);
}

/* Elements have one type; what a name stands for is not known yet. */
static bool ockam_policy_read_elements(struct ockam_policy_parser *p)
{
	const struct ockam_policy_node *nodes = p->policy->nodes;
	size_t first = p->policy->n_nodes;
	size_t child = first;
	unsigned int count;
	int kind = -1;

	if (!ockam_policy_read_list(p, "]", &count))
		return false;
	for (unsigned int i = 0; i < count; i++) {
		if (nodes[child].kind != OCKAM_POLICY_NAME &&
		    nodes[child].kind >= OCKAM_POLICY_N_OPS) {
			if (kind >= 0 && kind != nodes[child].kind)
				return false;
			kind = nodes[child].kind;
		}
		child += nodes[child].size;
	}
	return ockam_policy_wrap(p, first, OCKAM_POLICY_LIST, count);
}

/* Behind the opening quote. A backslash stands before a quote or another one. */
static bool ockam_policy_read_string(struct ockam_policy_parser *p)
{
	struct ockam_buf *pool = &p->policy->pool;
	struct ockam_policy_node node = {
		.kind = OCKAM_POLICY_STRING, .at = (uint32_t)pool->len,
	};

	for (; *p->pos != '"'; p->pos++) {
		if (*p->pos == '\\' && *++p->pos != '"' && *p->pos != '\\')
			return false;
		if (!*p->pos)
			return false;
		ockam_buf_put_u8(pool, (uint8_t)*p->pos);
	}
	p->pos++;
	node.len = (uint32_t)(pool->len - node.at);
	return !pool->failed && ockam_policy_add(p, node);
}

static bool ockam_policy_read_number(struct ockam_policy_parser *p)
{
	struct ockam_policy_node node = { .kind = OCKAM_POLICY_INT };
	char *end;

	errno = 0;
	node.number = strtoll(p->pos, &end, 10);
	if (errno)
		return false;
	p->pos = end;
	return ockam_policy_at_end_of_word(p) && ockam_policy_add(p, node);
}

static bool ockam_policy_read_name(struct ockam_policy_parser *p)
{
	const char *name = p->pos;
	size_t len;

	if (!*name || !strchr(OCKAM_POLICY_LETTERS "_", *name))
		return false;
	len = strspn(name, OCKAM_POLICY_NAMES);
	p->pos += len;
	if (!ockam_policy_at_end_of_word(p))
		return false;
	if ((len == 4 && !memcmp(name, "true", 4)) || (len == 5 && !memcmp(name, "false", 5)))
		return ockam_policy_add(p, (struct ockam_policy_node){
			.kind = OCKAM_POLICY_BOOL, .number = len == 4,
		});
	return ockam_policy_add_bytes(p, OCKAM_POLICY_NAME, name, len);
}

static bool ockam_policy_read_expression(struct ockam_policy_parser *p)
{
	bool good = false;

	if (ockam_policy_enter(p)) {
		ockam_policy_skip_blanks(p);
		if (ockam_policy_take(p, "("))
			good = ockam_policy_read_operation(p, ")");
		else if (ockam_policy_take(p, "["))
			good = ockam_policy_read_elements(p);
		else if (ockam_policy_take(p, "\""))
			good = ockam_policy_read_string(p);
		else if (strspn(p->pos + (*p->pos == '-'), OCKAM_POLICY_DIGITS))
			good = ockam_policy_read_number(p);
		else
			good = ockam_policy_read_name(p);
	}
	p->depth--;
	return good;
}

/* The whole text: one operation, its parentheses may be missing. */
static bool ockam_policy_read_full(struct ockam_policy_parser *p)
{
	ockam_policy_skip_blanks(p);
	if (*p->pos != '(')
		return ockam_policy_read_operation(p, "");
	if (!ockam_policy_read_expression(p))
		return false;
	ockam_policy_skip_blanks(p);
	return !*p->pos;
}

/* ---- entry ------------------------------------------------------------------------------ */

static int ockam_policy_refuse(const char *text, size_t parsed, struct ockam_err *err)
{
	size_t rest = strlen(text + parsed);
	bool cut = parsed > OCKAM_POLICY_SHOWN || rest > OCKAM_POLICY_SHOWN;

	ockam_err_set(err, -EINVAL,
		      "Cannot parse the expression as either a simple boolean expression or a full policy expression:");
	return ockam_err_line(err, " - successfully parsed: `%.*s`, but `%.*s` cannot be parsed%s",
			      parsed > OCKAM_POLICY_SHOWN ? OCKAM_POLICY_SHOWN : (int)parsed, text,
			      OCKAM_POLICY_SHOWN, text + parsed,
			      cut ? " (both shown as far as there is room)" : "");
}

static int ockam_policy_start(struct ockam_policy_parser *p, const char *text,
			      struct ockam_err *err)
{
	struct ockam_piece piece = { (const uint8_t *)text, strlen(text) };

	memset(p, 0, sizeof(*p));
	p->pos = text;
	if (piece.len > OCKAM_POLICY_MAX)
		return ockam_err_set(err, -E2BIG, "the expression has %zu bytes, at most %d are possible",
				     piece.len, OCKAM_POLICY_MAX);
	if (!ockam_bare_is_text(&piece))
		return ockam_err_set(err, -EINVAL, "the expression is not UTF-8 text");
	p->policy = calloc(1, sizeof(*p->policy));
	if (p->policy)
		p->policy->nodes = calloc(OCKAM_POLICY_NODES, sizeof(*p->policy->nodes));
	if (p->policy && p->policy->nodes) {
		/* So that an empty string has a place too. */
		ockam_buf_put_u8(&p->policy->pool, 0);
		return 0;
	}
	ockam_policy_free(p->policy);
	return ockam_err_set(err, -ENOMEM, "no memory for an expression");
}

/* Read by @good; hand it out or say what did not fit. */
static int ockam_policy_finish(struct ockam_policy_parser *p, const char *text, bool good,
			       size_t parsed, struct ockam_policy **policy, struct ockam_err *err)
{
	struct ockam_policy_node *fit;
	int ret = 0;

	if (p->policy->pool.failed)
		ret = -ENOMEM;
	else if (p->full)
		ret = -E2BIG;
	else if (good)
		ret = ockam_policy_print(p->policy);
	if (ret == -E2BIG)
		ockam_err_set(err, ret,
			      "the expression is too large: at most %d parts, %d inside each other, %d bytes in full form",
			      OCKAM_POLICY_NODES, OCKAM_POLICY_DEPTH, OCKAM_POLICY_MAX);
	else if (ret)
		ockam_err_set(err, ret, "no memory for an expression");
	else if (!good)
		ret = ockam_policy_refuse(text, parsed, err);
	if (ret) {
		ockam_policy_free(p->policy);
		return ret;
	}
	fit = realloc(p->policy->nodes, p->policy->n_nodes * sizeof(*fit));
	if (fit)
		p->policy->nodes = fit;
	*policy = p->policy;
	return 0;
}

int ockam_policy_parse(const char *text, struct ockam_policy **policy, struct ockam_err *err)
{
	struct ockam_policy_parser p;
	size_t parsed = 0;
	bool good;
	int ret;

	ret = ockam_policy_start(&p, text, err);
	if (ret)
		return ret;
	good = ockam_policy_read_or(&p);
	if (good) {
		parsed = (size_t)(p.pos - text);
		ockam_policy_skip_blanks(&p);
		good = !*p.pos;
	}
	if (!good && !p.full) {
		p.pos = text;
		p.policy->n_nodes = 0;
		good = ockam_policy_read_full(&p);
	}
	return ockam_policy_finish(&p, text, good, parsed, policy, err);
}

int ockam_policy_decode(const uint8_t *bytes, size_t len, struct ockam_policy **policy,
			struct ockam_err *err)
{
	char text[OCKAM_POLICY_MAX + 1];
	struct ockam_policy_parser p;
	int ret;

	if (len > OCKAM_POLICY_MAX)
		return ockam_err_set(err, -E2BIG, "the expression has %zu bytes, at most %d are possible",
				     len, OCKAM_POLICY_MAX);
	if (memchr(bytes, '\0', len))
		return ockam_err_set(err, -EINVAL, "this is no policy expression");
	memcpy(text, bytes, len);
	text[len] = '\0';
	ret = ockam_policy_start(&p, text, err);
	return ret ? ret : ockam_policy_finish(&p, text, ockam_policy_read_full(&p), 0, policy,
					       err);
}
