// SPDX-License-Identifier: Apache-2.0
/*
 * Policy expressions: written and evaluated. Both walk the parts by recursion,
 * at most OCKAM_POLICY_DEPTH deep.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "identity.h"
#include "policy_priv.h"

const struct ockam_policy_op ockam_policy_ops[OCKAM_POLICY_N_OPS] = {
	[OCKAM_POLICY_AND] = { "and", 1, 0 },
	[OCKAM_POLICY_OR] = { "or", 1, 0 },
	[OCKAM_POLICY_NOT] = { "not", 1, 1 },
	[OCKAM_POLICY_IF] = { "if", 3, 3 },
	[OCKAM_POLICY_LESS] = { "<", 2, 0 },
	[OCKAM_POLICY_GREATER] = { ">", 2, 0 },
	[OCKAM_POLICY_EQUAL] = { "=", 2, 0 },
	[OCKAM_POLICY_UNEQUAL] = { "!=", 2, 0 },
	[OCKAM_POLICY_MEMBER] = { "member?", 2, 2 },
	[OCKAM_POLICY_EXISTS] = { "exists?", 1, 0 },
};

/* ---- the full form ---------------------------------------------------------- */

static void ockam_policy_put_string(struct ockam_buf *out, const uint8_t *bytes, size_t len)
{
	ockam_buf_put_u8(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			ockam_buf_put_u8(out, '\\');
		ockam_buf_put_u8(out, bytes[i]);
	}
	ockam_buf_put_u8(out, '"');
}

static void ockam_policy_put_word(struct ockam_buf *out, const char *word)
{
	ockam_buf_put(out, word, strlen(word));
}

static void ockam_policy_put_node(const struct ockam_policy *policy, size_t index,
				  struct ockam_buf *out)
{
	const struct ockam_policy_node *node = &policy->nodes[index];
	bool list = node->kind == OCKAM_POLICY_LIST;
	char number[24];
	size_t child;

	switch (node->kind) {
	case OCKAM_POLICY_STRING:
		ockam_policy_put_string(out, policy->pool.data + node->at, node->len);
		return;
	case OCKAM_POLICY_NAME:
		ockam_buf_put(out, policy->pool.data + node->at, node->len);
		return;
	case OCKAM_POLICY_INT:
		snprintf(number, sizeof(number), "%" PRId64, node->number);
		ockam_policy_put_word(out, number);
		return;
	case OCKAM_POLICY_BOOL:
		ockam_policy_put_word(out, node->number ? "true" : "false");
		return;
	}
	ockam_policy_put_word(out, list ? "[" : "(");
	if (!list)
		ockam_policy_put_word(out, ockam_policy_ops[node->kind].name);
	child = index + 1;
	for (unsigned int i = 0; i < node->count; i++) {
		if (i || !list)
			ockam_policy_put_word(out, " ");
		ockam_policy_put_node(policy, child, out);
		child += policy->nodes[child].size;
	}
	ockam_policy_put_word(out, list ? "]" : ")");
}

int ockam_policy_print(struct ockam_policy *policy)
{
	ockam_policy_put_node(policy, 0, &policy->text);
	if (!policy->text.failed && policy->text.len > OCKAM_POLICY_MAX)
		return -E2BIG;
	ockam_buf_put_u8(&policy->text, '\0');
	return policy->text.failed ? -ENOMEM : 0;
}

const char *ockam_policy_text(const struct ockam_policy *policy)
{
	return (const char *)policy->text.data;
}

struct ockam_policy *ockam_policy_copy(const struct ockam_policy *policy)
{
	struct ockam_policy *copy;

	/* What was written is always read again. */
	return ockam_policy_decode(policy->text.data, policy->text.len - 1, &copy, NULL) ?
		NULL : copy;
}

void ockam_policy_free(struct ockam_policy *policy)
{
	if (!policy)
		return;
	free(policy->nodes);
	ockam_buf_free(&policy->pool);
	ockam_buf_free(&policy->text);
	free(policy);
}

/* ---- evaluation ----------------------------------------------------------------- */

/* kind: STRING, INT, BOOL or LIST. node: of a list, whose elements are not evaluated yet. */
struct ockam_policy_value {
	enum ockam_policy_kind	kind;
	struct ockam_piece	text;
	int64_t			number;
	size_t			node;
};

/*
 * steps: parts that may still be looked at. Elements of lists are evaluated once
 * for each comparison, so lists inside each other would double it every time.
 */
struct ockam_policy_eval {
	const struct ockam_policy	*policy;
	const struct ockam_subject	*subject;
	char				identifier[OCKAM_IDENTIFIER_TEXT];
	unsigned int			steps;
};

static int ockam_policy_eval(struct ockam_policy_eval *e, size_t index,
			     struct ockam_policy_value *value);

static int ockam_policy_set_bool(struct ockam_policy_value *value, bool is)
{
	value->kind = OCKAM_POLICY_BOOL;
	value->number = is;
	return 0;
}

static int ockam_policy_set_text(struct ockam_policy_value *value, const void *bytes, size_t len)
{
	value->kind = OCKAM_POLICY_STRING;
	value->text.data = bytes;
	value->text.len = len;
	return 0;
}

static bool ockam_policy_is(const uint8_t *name, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(name, word, len);
}

/* Attribute @name of the credential: text, or -ENOENT. */
static int ockam_policy_attribute(const struct ockam_subject *subject, const uint8_t *name,
				  size_t len, struct ockam_policy_value *value)
{
	struct ockam_piece key, text;
	struct ockam_reader_list map;
	struct ockam_reader r;

	ockam_reader_init(&r, subject->attributes.data, subject->attributes.len);
	if (!subject->has_credential || ockam_reader_map(&r, &map))
		return -ENOENT;
	while (ockam_reader_more(&r, &map) > 0) {
		if (ockam_reader_bytes(&r, &key) || ockam_reader_bytes(&r, &text))
			return -ENOENT;
		if (key.len == len && !memcmp(key.data, name, len))
			return ockam_bare_is_text(&text) ?
				ockam_policy_set_text(value, text.data, text.len) : -ENOENT;
	}
	return -ENOENT;
}

static int ockam_policy_lookup(struct ockam_policy_eval *e,
			       const struct ockam_policy_node *node,
			       struct ockam_policy_value *value)
{
	static const char prefix[] = "subject.";
	const uint8_t *name = e->policy->pool.data + node->at;
	size_t len = node->len;

	if (len <= sizeof(prefix) - 1 || memcmp(name, prefix, sizeof(prefix) - 1))
		return -ENOENT;
	name += sizeof(prefix) - 1;
	len -= sizeof(prefix) - 1;
	/* Before attributes: a credential must not say who somebody is. */
	if (ockam_policy_is(name, len, "identifier"))
		return ockam_policy_set_text(value, e->identifier, strlen(e->identifier));
	if (ockam_policy_is(name, len, "has_credential"))
		return ockam_policy_set_bool(value, e->subject->has_credential);
	return ockam_policy_attribute(e->subject, name, len, value);
}

static int ockam_policy_bool(struct ockam_policy_eval *e, size_t index, bool *is)
{
	struct ockam_policy_value value;
	int ret;

	ret = ockam_policy_eval(e, index, &value);
	if (!ret && value.kind != OCKAM_POLICY_BOOL)
		ret = -EINVAL;
	if (!ret)
		*is = value.number;
	return ret;
}

static int ockam_policy_order(struct ockam_policy_eval *e,
			      const struct ockam_policy_value *a,
			      const struct ockam_policy_value *b, int *order);

/* Lists know only equal (0) and not. */
static int ockam_policy_order_lists(struct ockam_policy_eval *e, size_t a, size_t b,
				    int *order)
{
	const struct ockam_policy_node *nodes = e->policy->nodes;
	unsigned int count = nodes[a].count;
	struct ockam_policy_value left, right;
	int ret;

	*order = count != nodes[b].count;
	if (*order)
		return 0;
	a++;
	b++;
	for (unsigned int i = 0; i < count && !*order; i++) {
		ret = ockam_policy_eval(e, a, &left);
		if (!ret)
			ret = ockam_policy_eval(e, b, &right);
		if (!ret)
			ret = ockam_policy_order(e, &left, &right, order);
		if (ret)
			return ret;
		a += nodes[a].size;
		b += nodes[b].size;
	}
	return 0;
}

/* *order: below, at or above zero as @a is to @b; different types are an error. */
static int ockam_policy_order(struct ockam_policy_eval *e,
			      const struct ockam_policy_value *a,
			      const struct ockam_policy_value *b, int *order)
{
	size_t len;

	if (a->kind != b->kind)
		return -EINVAL;
	if (a->kind == OCKAM_POLICY_LIST)
		return ockam_policy_order_lists(e, a->node, b->node, order);
	if (a->kind != OCKAM_POLICY_STRING) {
		*order = (a->number > b->number) - (a->number < b->number);
		return 0;
	}
	len = a->text.len < b->text.len ? a->text.len : b->text.len;
	*order = len ? memcmp(a->text.data, b->text.data, len) : 0;
	if (!*order)
		*order = (a->text.len > b->text.len) - (a->text.len < b->text.len);
	return 0;
}

static bool ockam_policy_holds(enum ockam_policy_kind kind, int order)
{
	return kind == OCKAM_POLICY_LESS ? order < 0 :
		kind == OCKAM_POLICY_GREATER ? order > 0 : !order;
}

/* <, >, = and !=: each neighbours compared; != is the opposite of =. */
static int ockam_policy_compare(struct ockam_policy_eval *e, size_t index,
				struct ockam_policy_value *value)
{
	const struct ockam_policy_node *node = &e->policy->nodes[index];
	struct ockam_policy_value left, right;
	size_t child = index + 1;
	bool holds = true;
	int order = 0;
	int ret;

	ret = ockam_policy_eval(e, child, &left);
	for (unsigned int i = 1; !ret && i < node->count; i++) {
		child += e->policy->nodes[child].size;
		ret = ockam_policy_eval(e, child, &right);
		if (!ret)
			ret = ockam_policy_order(e, &left, &right, &order);
		if (!ret && left.kind == OCKAM_POLICY_LIST &&
		    (node->kind == OCKAM_POLICY_LESS || node->kind == OCKAM_POLICY_GREATER))
			ret = -EINVAL;
		holds &= ockam_policy_holds(node->kind, order);
		left = right;
	}
	return ret ? ret : ockam_policy_set_bool(value, holds != (node->kind ==
								   OCKAM_POLICY_UNEQUAL));
}

/* and, or: from the left, no further than needed. */
static int ockam_policy_join(struct ockam_policy_eval *e, size_t index,
			     struct ockam_policy_value *value)
{
	const struct ockam_policy_node *node = &e->policy->nodes[index];
	bool end = node->kind == OCKAM_POLICY_OR;
	size_t child = index + 1;
	bool is;
	int ret;

	for (unsigned int i = 0; i < node->count; i++) {
		ret = ockam_policy_bool(e, child, &is);
		if (ret)
			return ret;
		if (is == end)
			return ockam_policy_set_bool(value, end);
		child += e->policy->nodes[child].size;
	}
	return ockam_policy_set_bool(value, !end);
}

static int ockam_policy_member(struct ockam_policy_eval *e, size_t index,
			       struct ockam_policy_value *value)
{
	const struct ockam_policy_node *nodes = e->policy->nodes;
	struct ockam_policy_value wanted, element;
	size_t list = index + 1 + nodes[index + 1].size;
	size_t child = list + 1;
	bool found = false;
	int order, ret;

	if (nodes[list].kind != OCKAM_POLICY_LIST)
		return -EINVAL;
	ret = ockam_policy_eval(e, index + 1, &wanted);
	for (unsigned int i = 0; !ret && i < nodes[list].count; i++) {
		ret = ockam_policy_eval(e, child, &element);
		if (!ret)
			ret = ockam_policy_order(e, &wanted, &element, &order);
		found |= !ret && !order;
		child += nodes[child].size;
	}
	return ret ? ret : ockam_policy_set_bool(value, found);
}

/* The operands are names; missing ones are no error here. */
static int ockam_policy_exists(struct ockam_policy_eval *e, size_t index,
			       struct ockam_policy_value *value)
{
	const struct ockam_policy_node *nodes = e->policy->nodes;
	struct ockam_policy_value ignored;
	bool all = true;

	for (unsigned int i = 0; i < nodes[index].count; i++)
		all &= !ockam_policy_lookup(e, &nodes[index + 1 + i], &ignored);
	return ockam_policy_set_bool(value, all);
}

static int ockam_policy_if(struct ockam_policy_eval *e, size_t index,
			   struct ockam_policy_value *value)
{
	const struct ockam_policy_node *nodes = e->policy->nodes;
	size_t child = index + 1;
	bool is;
	int ret;

	ret = ockam_policy_bool(e, child, &is);
	if (ret)
		return ret;
	child += nodes[child].size;
	if (!is)
		child += nodes[child].size;
	return ockam_policy_eval(e, child, value);
}

static int ockam_policy_not(struct ockam_policy_eval *e, size_t index,
			    struct ockam_policy_value *value)
{
	bool is;
	int ret;

	ret = ockam_policy_bool(e, index + 1, &is);
	return ret ? ret : ockam_policy_set_bool(value, !is);
}

static int ockam_policy_eval(struct ockam_policy_eval *e, size_t index,
			     struct ockam_policy_value *value)
{
	const struct ockam_policy_node *node = &e->policy->nodes[index];

	if (!e->steps)
		return -E2BIG;
	e->steps--;
	switch (node->kind) {
	case OCKAM_POLICY_AND:
	case OCKAM_POLICY_OR:
		return ockam_policy_join(e, index, value);
	case OCKAM_POLICY_NOT:
		return ockam_policy_not(e, index, value);
	case OCKAM_POLICY_IF:
		return ockam_policy_if(e, index, value);
	case OCKAM_POLICY_MEMBER:
		return ockam_policy_member(e, index, value);
	case OCKAM_POLICY_EXISTS:
		return ockam_policy_exists(e, index, value);
	case OCKAM_POLICY_STRING:
		return ockam_policy_set_text(value, e->policy->pool.data + node->at, node->len);
	case OCKAM_POLICY_NAME:
		return ockam_policy_lookup(e, node, value);
	case OCKAM_POLICY_INT:
	case OCKAM_POLICY_BOOL:
		value->kind = node->kind;
		value->number = node->number;
		return 0;
	case OCKAM_POLICY_LIST:
		value->kind = node->kind;
		value->node = index;
		return 0;
	}
	return ockam_policy_compare(e, index, value);
}

bool ockam_policy_allows(const struct ockam_policy *policy, const struct ockam_subject *subject)
{
	struct ockam_policy_eval e = {
		.policy = policy, .subject = subject, .steps = OCKAM_POLICY_STEPS,
	};
	bool is = false;

	ockam_identifier_format(subject->identifier, e.identifier);
	return !ockam_policy_bool(&e, 0, &is) && is;
}
