// SPDX-License-Identifier: Apache-2.0
/*
 * Policy expressions: both notations, what is written, what is refused with
 * which words, what comes out, limits; and trust rules made with them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>

#include "buf.h"
#include "policy.h"
#include "tap.h"
#include "trust.h"

#define ID	"I0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define OTHER	"I0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f21"

static struct ockam_err err;

/* given: what a person writes; full: what is kept. */
static const struct {
	const char	*given;
	const char	*full;
} forms[] = {
	{ "a", "(= subject.a \"true\")" },
	{ "  a  ", "(= subject.a \"true\")" },
	{ "a=b", "(= subject.a \"b\")" },
	{ "a=\"b c\"", "(= subject.a \"b c\")" },
	{ "a=1.0", "(= subject.a \"1.0\")" },
	{ "a-b_c.d=e", "(= subject.a-b_c.d \"e\")" },
	{ "_a", "(= subject._a \"true\")" },
	{ "a or b", "(or (= subject.a \"true\") (= subject.b \"true\"))" },
	{ "component.db or component.web",
	  "(or (= subject.component.db \"true\") (= subject.component.web \"true\"))" },
	{ "a or b and c",
	  "(or (= subject.a \"true\") (and (= subject.b \"true\") (= subject.c \"true\")))" },
	{ "(a or b) and c",
	  "(and (or (= subject.a \"true\") (= subject.b \"true\")) (= subject.c \"true\"))" },
	{ "a or b or c",
	  "(or (or (= subject.a \"true\") (= subject.b \"true\")) (= subject.c \"true\"))" },
	{ "not a", "(not (= subject.a \"true\"))" },
	{ "not not a", "(not (not (= subject.a \"true\")))" },
	{ "not (a and b)", "(not (and (= subject.a \"true\") (= subject.b \"true\")))" },
	{ "not(a)", "(not (= subject.a \"true\"))" },
	{ "nothing", "(= subject.nothing \"true\")" },
	{ "notary", "(= subject.notary \"true\")" },
	{ "notx=y", "(= subject.notx \"y\")" },
	{ "not-a", "(= subject.not-a \"true\")" },
	{ "not.a", "(= subject.not.a \"true\")" },
	{ "not notary", "(not (= subject.notary \"true\"))" },
	{ "andy and orders",
	  "(and (= subject.andy \"true\") (= subject.orders \"true\"))" },
	{ "oracle or b", "(or (= subject.oracle \"true\") (= subject.b \"true\"))" },
	{ "a and not_b", "(and (= subject.a \"true\") (= subject.not_b \"true\"))" },
	{ "(a)and(b)", "(and (= subject.a \"true\") (= subject.b \"true\"))" },
	{ ID, "(= subject.identifier \"" ID "\")" },
	{ "I0102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F20",
	  "(= subject.identifier \"" ID "\")" },
	{ "a or " ID, "(or (= subject.a \"true\") (= subject.identifier \"" ID "\"))" },
	{ "Iabc", "(= subject.Iabc \"true\")" },
	{ "(= subject.a \"b\")", "(= subject.a \"b\")" },
	{ "= subject.a \"b\"", "(= subject.a \"b\")" },
	{ " ( =   subject.a\n\"b\" ) ", "(= subject.a \"b\")" },
	{ "and (= subject.a \"b\") (= subject.c \"d\")",
	  "(and (= subject.a \"b\") (= subject.c \"d\"))" },
	{ "(= subject.not \"true\")", "(= subject.not \"true\")" },
	{ "(and true false)", "(and true false)" },
	{ "(if (< 1 2) (> -3 4) (!= true false))", "(if (< 1 2) (> -3 4) (!= true false))" },
	{ "(member? subject.a [\"x\" \"y\"])", "(member? subject.a [\"x\" \"y\"])" },
	{ "(member? 1 [])", "(member? 1 [])" },
	{ "(member? subject.a [subject.b \"c\"])", "(member? subject.a [subject.b \"c\"])" },
	{ "(exists? subject.a subject.b)", "(exists? subject.a subject.b)" },
	{ "(= subject.has_credential true)", "(= subject.has_credential true)" },
	{ "(= subject.a \"q\\\"b\\\\s\")", "(= subject.a \"q\\\"b\\\\s\")" },
	{ "(= subject.a \"\\\\a\")", "(= subject.a \"\\\\a\")" },
	{ "(= 9223372036854775807 -9223372036854775808)",
	  "(= 9223372036854775807 -9223372036854775808)" },
	{ "(= subject.a \"stra\303\237e\")", "(= subject.a \"stra\303\237e\")" },
};

static void test_forms(void)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct ockam_policy *policy, *again;
		const char *text;
		int ret;

		ret = ockam_policy_parse(forms[i].given, &policy, &err);
		ok_ret(ret, 0, err, "%s can be read", forms[i].given);
		if (ret)
			continue;
		text = ockam_policy_text(policy);
		ok_text(text, forms[i].full, "%s in full form", forms[i].given);
		ret = ockam_policy_decode((const uint8_t *)text, strlen(text), &again, &err);
		ok_ret(ret, 0, err, "which can be read again");
		if (!ret) {
			ok_text(ockam_policy_text(again), text, "as the same");
			ockam_policy_free(again);
		}
		ockam_policy_free(policy);
	}
}

/* parsed, rest: what the error quotes. */
static const struct {
	const char	*given;
	const char	*parsed;
	const char	*rest;
} refused[] = {
	{ "a or", "a", " or" },
	{ "a or  ", "a", " or  " },
	{ "a b", "a", " b" },
	{ "a orb", "a", " orb" },
	{ "a andy", "a", " andy" },
	{ "not", "", "not" },
	{ "not=a", "", "not=a" },
	{ "or", "", "or" },
	{ "a and and", "a", " and and" },
	{ "a and not", "a", " and not" },
	{ "(and)", "", "(and)" },
	{ "(or (and) false)", "", "(or (and) false)" },
	{ "(not (or))", "", "(not (or))" },
	{ "a and b or (c", "a and b", " or (c" },
	{ "a and", "a", " and" },
	{ "(a", "", "(a" },
	{ "a)", "a", ")" },
	{ "a=", "a", "=" },
	{ "a=\"\"", "a", "=\"\"" },
	{ "a=\"b", "a", "=\"b" },
	{ "a = b", "a", " = b" },
	{ "1", "", "1" },
	{ "", "", "" },
	{ "   ", "", "   " },
	{ "\"a\"", "", "\"a\"" },
	{ "[a]", "", "[a]" },
	{ "()", "", "()" },
	{ "(= a)", "", "(= a)" },
	{ "(= a b", "", "(= a b" },
	{ "(= a \"b)", "", "(= a \"b)" },
	{ "(= a \"b\\n\")", "", "(= a \"b\\n\")" },
	{ "(= a b) c", "", "(= a b) c" },
	{ "(not true false)", "", "(not true false)" },
	{ "(if true false)", "", "(if true false)" },
	{ "(exists? \"a\")", "", "(exists? \"a\")" },
	{ "(exists?)", "", "(exists?)" },
	{ "(member? 1)", "", "(member? 1)" },
	{ "(member? 1 [1 \"a\"])", "", "(member? 1 [1 \"a\"])" },
	{ "(frob a b)", "", "(frob a b)" },
	{ "(< 1 1.5)", "", "(< 1 1.5)" },
	{ "(< 1 9223372036854775808)", "", "(< 1 9223372036854775808)" },
	{ "(= a b]", "", "(= a b]" },
	{ "(= a 12x)", "", "(= a 12x)" },
};

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct ockam_policy *policy = NULL;
		char want[512];

		snprintf(want, sizeof(want),
			 "Cannot parse the expression as either a simple boolean expression or a full policy expression:\n"
			 " - successfully parsed: `%s`, but `%s` cannot be parsed",
			 refused[i].parsed, refused[i].rest);
		ok_ret(ockam_policy_parse(refused[i].given, &policy, &err), -EINVAL, err,
		       "'%s' is refused", refused[i].given);
		ok_text(err.text, want, "in these words");
		ok(!policy, "and nothing is left");
	}
}

/* attributes of the subject: app "demo", age "7", empty "", raw is no UTF-8 */
static const struct {
	const char	*expression;
	bool		with;		/* holds with the credential */
	bool		without;	/* holds without one */
} verdicts[] = {
	{ "app=demo", true, false },
	{ "app=other", false, false },
	{ "app", false, false },
	{ "app=demo and age=7", true, false },
	{ "app=other or age=7", true, false },
	{ "not app=other", true, false },
	{ "missing", false, false },
	{ "not missing", false, false },	/* an error, not a false */
	{ "missing or app=demo", false, false },
	{ "app=demo or missing", true, false },
	{ "app=other and missing", false, false },
	{ "raw", false, false },
	{ "(exists? subject.raw)", false, false },
	{ "(= subject.empty \"\")", true, false },
	{ ID, true, true },
	{ OTHER, false, false },
	{ "not " OTHER, true, true },
	{ ID " or app=demo", true, true },
	{ "(= subject.has_credential true)", true, false },
	{ "(= subject.has_credential false)", false, true },
	{ "(not (= subject.has_credential true))", false, true },
	{ "(and subject.has_credential (= subject.app \"demo\"))", true, false },
	{ "(exists? subject.app)", true, false },
	{ "(exists? subject.app subject.missing)", false, false },
	{ "(exists? subject.identifier subject.has_credential)", true, true },
	{ "(if (exists? subject.app) (= subject.app \"demo\") true)", true, true },
	{ "(if (exists? subject.missing) false true)", true, true },
	{ "(if 1 true true)", false, false },
	{ "(member? subject.app [\"x\" \"demo\"])", true, false },
	{ "(member? subject.app [\"x\" \"y\"])", false, false },
	{ "(member? subject.app [])", false, false },
	{ "(member? subject.app [1 2])", false, false },
	{ "(not (member? subject.app [1 2]))", false, false },
	{ "(member? 1 [2 1])", true, true },
	{ "(member? subject.app \"demo\")", false, false },
	{ "(= subject.app 7)", false, false },
	{ "(!= subject.app 7)", false, false },
	{ "(!= subject.app \"other\")", true, false },
	{ "(!= 1 1)", false, false },
	{ "(= 1 1 1)", true, true },
	{ "(= 1 1 2)", false, false },
	{ "(!= 1 1 2)", true, true },
	{ "(< 1 2 3)", true, true },
	{ "(< 1 3 2)", false, false },
	{ "(< 3 1 \"a\")", false, false },
	{ "(> 3 2 -1)", true, true },
	{ "(< \"a\" \"ab\" \"b\")", true, true },
	{ "(< false true)", true, true },
	{ "(= [1 2] [1 2])", true, true },
	{ "(= [1 2] [1 3])", false, false },
	{ "(= [1 2] [1])", false, false },
	{ "(= [subject.app] [\"demo\"])", true, false },
	{ "(< [1] [2])", false, false },
	{ "(not (< [1] [2]))", false, false },
	{ "(= [1] 1)", false, false },
	{ "(and true)", true, true },
	{ "(and true 1)", false, false },
	{ "(or true 1)", true, true },
	{ "(not 1)", false, false },
	{ "(if true 1 2)", false, false },
	{ "(= subject. \"\")", false, false },
	{ "(= resource.id \"x\")", false, false },
	{ "(exists? app)", false, false },
};

static struct ockam_buf attributes(void)
{
	struct ockam_buf out = { 0 };

	ockam_buf_put_map(&out, 6);
	ockam_buf_put_bytes(&out, "app", 3);
	ockam_buf_put_bytes(&out, "demo", 4);
	ockam_buf_put_bytes(&out, "age", 3);
	ockam_buf_put_bytes(&out, "7", 1);
	ockam_buf_put_bytes(&out, "empty", 5);
	ockam_buf_put_bytes(&out, "", 0);
	ockam_buf_put_bytes(&out, "raw", 3);
	ockam_buf_put_bytes(&out, "\xff", 1);
	/* These must not be believed. */
	ockam_buf_put_bytes(&out, "identifier", 10);
	ockam_buf_put_bytes(&out, OTHER, 65);
	ockam_buf_put_bytes(&out, "has_credential", 14);
	ockam_buf_put_bytes(&out, "false", 5);
	return out;
}

static void test_verdicts(void)
{
	static const uint8_t issuer[32] = { 9 };
	struct ockam_buf map = attributes();
	uint8_t id[OCKAM_IDENTIFIER_LEN];
	struct ockam_subject subject = {
		.identifier = id, .issuer = issuer, .attributes = { map.data, map.len },
	};

	ockam_identifier_parse(ID, id, NULL);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct ockam_policy *policy;

		if (!ok(!ockam_policy_parse(verdicts[i].expression, &policy, &err), "%s",
			verdicts[i].expression))
			continue;
		subject.has_credential = true;
		ok(ockam_policy_allows(policy, &subject) == verdicts[i].with,
		   "%s with the credential", verdicts[i].with ? "holds" : "does not hold");
		subject.has_credential = false;
		ok(ockam_policy_allows(policy, &subject) == verdicts[i].without,
		   "%s without it", verdicts[i].without ? "holds" : "does not hold");
		ockam_policy_free(policy);
	}
	ockam_buf_free(&map);
}

/* @word @n times between @before and @after. */
static char *repeat(const char *before, const char *word, size_t n, const char *after)
{
	char *text = malloc(strlen(before) + n * strlen(word) + strlen(after) + 1);

	strcpy(text, before);
	for (size_t i = 0; i < n; i++)
		strcat(text, word);
	strcat(text, after);
	return text;
}

static void limit_case(char *text, int want, const char *what)
{
	struct ockam_policy *policy = NULL;

	ok_ret(ockam_policy_parse(text, &policy, &err), want, err, "%s%s%s", what,
	       want ? ": " : "", want ? err.text : "");
	ockam_policy_free(policy);
	free(text);
}

/* @n equations inside each other, each evaluated twice by the one around it. */
static bool nested_holds(size_t n)
{
	static const uint8_t id[OCKAM_IDENTIFIER_LEN];
	const struct ockam_subject subject = { .identifier = id };
	char *head = repeat("", "(= [true] [", n, "true");
	char *text = repeat(head, "] [true])", n, "");
	struct ockam_policy *policy;
	bool holds;

	if (!ok(!ockam_policy_parse(text, &policy, &err), "%zu equations of lists", n))
		return false;
	holds = ockam_policy_allows(policy, &subject);
	ockam_policy_free(policy);
	free(head);
	free(text);
	return holds;
}

static void test_limits(void)
{
	ok(nested_holds(8), "are evaluated");
	ok(!nested_holds(45), "would take for ever: denied");
	limit_case(repeat("a", " or a", OCKAM_POLICY_DEPTH - 2, ""), 0, "99 terms");
	limit_case(repeat("a", " or a", OCKAM_POLICY_DEPTH - 1, ""), -E2BIG, "100 terms");
	limit_case(repeat("", "not ", OCKAM_POLICY_DEPTH - 2, "a"), 0, "not, 98 times");
	limit_case(repeat("", "not ", OCKAM_POLICY_DEPTH, "a"), -E2BIG, "100 times");
	limit_case(repeat("", "(", 1000, "a"), -E2BIG, "1000 parentheses");
	limit_case(repeat("", "not(", 1000, ""), -E2BIG, "1000 times not(");
	limit_case(repeat("(= 1 ", "[", 1000, ""), -E2BIG, "1000 brackets");
	limit_case(repeat("", "(and ", 800, ""), -E2BIG, "800 operations inside each other");
	limit_case(repeat("(= 1", " 1", OCKAM_POLICY_NODES - 3, ")"), 0, "1023 parts");
	limit_case(repeat("(= 1", " 1", OCKAM_POLICY_NODES, ")"), -E2BIG, "1025 parts");
	limit_case(repeat("a=", "b", OCKAM_POLICY_MAX - 20, ""), 0, "a long value");
	limit_case(repeat("a=", "b", OCKAM_POLICY_MAX - 2, ""), -E2BIG, "longer in full form");
	limit_case(repeat("a=", "b", OCKAM_POLICY_MAX, ""), -E2BIG, "longer as given");
	limit_case(repeat("a or ", "(", 400, ""), -E2BIG, "parentheses behind what can be read");
	limit_case(repeat("a ", "b ", 1000, ""), -EINVAL, "a long rest is cut");
	limit_case(strdup("a=\"\xff\""), -EINVAL, "bytes that are no text");
	limit_case(strdup("(= subject.a \"\x1b[2J"), -EINVAL, "control characters");
	ok(!strchr(err.text, '\x1b'), "which the error does not repeat");
}

/* Every beginning and every changed byte of every form: no crash, same text when read again. */
static void test_damage(void)
{
	size_t read = 0, wrong = 0;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t len = strlen(forms[i].given);

		for (size_t at = 0; at < 2 * len; at++) {
			struct ockam_policy *policy, *again;
			char *text = strndup(forms[i].given, at < len ? at : len);

			if (at >= len)
				text[at - len] ^= 1 << (at + i) % 7;
			if (!ockam_policy_parse(text, &policy, NULL)) {
				read++;
				again = ockam_policy_copy(policy);
				wrong += !again || strcmp(ockam_policy_text(again),
							  ockam_policy_text(policy));
				ockam_policy_free(again);
				ockam_policy_free(policy);
			}
			free(text);
		}
	}
	ok(read && !wrong, "%zu damaged expressions could be read and written again", read);
}

static void trust_case(const struct ockam_trust *trust, const struct ockam_subject *subject,
		       int want, const char *what)
{
	ok_ret(ockam_trust_admits(trust, subject, &err), want, err, "%s%s%s", what,
	       want ? ": " : "", want ? err.text : "");
}

static void test_trust(void)
{
	static const uint8_t issuer[32] = { 9 }, stranger[32] = { 8 };
	struct ockam_trust trust = { 0 }, back = { 0 };
	struct ockam_buf map = attributes(), cbor = { 0 };
	uint8_t id[OCKAM_IDENTIFIER_LEN], other[OCKAM_IDENTIFIER_LEN];
	struct ockam_subject with = {
		.identifier = id, .has_credential = true, .issuer = issuer,
		.attributes = { map.data, map.len },
	};
	struct ockam_subject without = { .identifier = id };
	struct ockam_reader r;
	bool good = true;

	ockam_identifier_parse(ID, id, NULL);
	ockam_identifier_parse(OTHER, other, NULL);
	trust_case(&trust, &without, 0, "everyone");
	ok(!ockam_trust_needs_credential(&trust, id), "needs no credential");
	trust.has_authority = true;
	memcpy(trust.authority, issuer, 32);
	trust_case(&trust, &with, 0, "an authority, its credential");
	trust_case(&trust, &without, -EACCES, "an authority, no credential");
	ok(ockam_trust_needs_credential(&trust, id), "needs a credential");
	with.issuer = stranger;
	trust_case(&trust, &with, -EACCES, "an authority, another one's credential");
	with.issuer = issuer;
	ockam_policy_parse("app=demo", &trust.policy, &err);
	trust_case(&trust, &with, 0, "a policy that holds");
	ockam_trust_add(&trust, other, &err);
	trust_case(&trust, &with, -EACCES, "all that, but somebody else");
	ockam_trust_add(&trust, id, &err);
	trust_case(&trust, &with, 0, "and one of two");

	ockam_trust_encode(&trust, &cbor);
	ockam_reader_init(&r, cbor.data, cbor.len);
	ok_ret(ockam_trust_decode(&r, &back, &err), 0, err, "the rule decodes");
	ok(r.pos == r.end && back.n_ids == 2 && back.has_authority &&
	   !memcmp(back.authority, issuer, 32), "to the same");
	ok_text(ockam_policy_text(back.policy), "(= subject.app \"demo\")", "with the policy");
	ockam_trust_free(&back);
	for (size_t len = 0; len < cbor.len; len++) {
		ockam_reader_init(&r, cbor.data, len);
		good &= ockam_trust_decode(&r, &back, &err) < 0 &&
			ockam_trust_admits(&back, &with, NULL) == -EACCES;
		ockam_trust_free(&back);
	}
	ok(good, "a cut rule is refused and admits nobody");
	for (size_t bit = 0; bit < 8 * cbor.len; bit++) {
		cbor.data[bit / 8] ^= 1 << bit % 8;
		ockam_reader_init(&r, cbor.data, cbor.len);
		if (ockam_trust_decode(&r, &back, &err))
			good &= ockam_trust_admits(&back, &with, NULL) == -EACCES;
		ockam_trust_free(&back);
		cbor.data[bit / 8] ^= 1 << bit % 8;
	}
	ok(good, "so is a damaged one");
	ok(!ockam_trust_copy(&back, &trust) && !ockam_trust_admits(&back, &with, NULL) &&
	   back.ids != trust.ids && back.policy != trust.policy, "a copy of its own");
	ockam_trust_free(&back);

	ockam_trust_free(&trust);
	ockam_policy_parse("app=demo", &trust.policy, &err);
	trust_case(&trust, &without, -EACCES, "a policy alone, no credential");
	ok(ockam_trust_needs_credential(&trust, id), "needs a credential");
	ockam_trust_free(&trust);
	ockam_policy_parse(ID, &trust.policy, &err);
	trust_case(&trust, &without, 0, "a policy on the identifier alone");
	ok(!ockam_trust_needs_credential(&trust, id), "needs none");
	ockam_trust_free(&trust);
	ockam_buf_free(&cbor);
	ockam_buf_free(&map);
}

int main(void)
{
	test_forms();
	test_refused();
	test_verdicts();
	test_limits();
	test_damage();
	test_trust();
	return tap_done();
}
