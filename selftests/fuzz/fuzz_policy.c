// SPDX-License-Identifier: Apache-2.0
/*
 * Policy expressions in both notations: what is read is written so that it is
 * read again as the same, and comes out the same; an expression and its
 * opposite are never both true. One word is a question about an attribute of
 * that name, whatever it begins with. Attributes are any bytes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "policy.h"

/* "(and E E)" and the like come out as E does. */
static const struct {
	const char	*before;
	const char	*between;
	const char	*behind;
	bool		twice;
	bool		opposite;
} wraps[] = {
	{ "(and ", " ", ")", true, false },
	{ "(or ", " ", ")", true, false },
	{ "(and ", "", ")", false, false },
	{ "(if ", "", " true false)", false, false },
	{ "(= true ", "", ")", false, false },
	{ "(not (not ", "", "))", false, false },
	{ "(not ", "", ")", false, true },
	{ "(= false ", "", ")", false, true },
};

static void check_wraps(const char *text, const struct ockam_subject *subject, bool allowed)
{
	size_t len = strlen(text);
	char *wrapped = malloc(2 * len + 64);

	fuzz_must(wrapped);
	for (size_t i = 0; i < sizeof(wraps) / sizeof(*wraps); i++) {
		struct ockam_policy *policy;
		int ret;

		sprintf(wrapped, "%s%s%s%s%s", wraps[i].before, text, wraps[i].between,
			wraps[i].twice ? text : "", wraps[i].behind);
		ret = ockam_policy_decode((const uint8_t *)wrapped, strlen(wrapped), &policy, NULL);
		fuzz_must(!ret || ret == -E2BIG);
		if (ret)
			continue;
		if (wraps[i].opposite)
			fuzz_must(!allowed || !ockam_policy_allows(policy, subject));
		else
			fuzz_must(ockam_policy_allows(policy, subject) == allowed);
		ockam_policy_free(policy);
	}
	free(wrapped);
}

static void check_policy(const struct ockam_policy *policy, const struct ockam_subject *subject)
{
	const char *text = ockam_policy_text(policy);
	struct ockam_policy *again, *copy;
	size_t len = strlen(text);
	bool allowed;
	uint8_t *raw;

	fuzz_must(len && len <= OCKAM_POLICY_MAX);
	allowed = ockam_policy_allows(policy, subject);
	raw = fuzz_exact(text, len);
	fuzz_must(!ockam_policy_decode(raw, len, &again, NULL));
	free(raw);
	fuzz_must(!strcmp(ockam_policy_text(again), text));
	fuzz_must(ockam_policy_allows(again, subject) == allowed);
	copy = ockam_policy_copy(again);
	fuzz_must(copy);
	ockam_policy_free(again);
	fuzz_must(!strcmp(ockam_policy_text(copy), text));
	fuzz_must(ockam_policy_allows(copy, subject) == allowed);
	ockam_policy_free(copy);
	check_wraps(text, subject, allowed);
}

/* No part of a name is an operation. */
static void check_word(const char *text, const struct ockam_policy *policy)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-";
	char full[512];
	size_t len = strlen(text);

	/* As long as it is, it may be an identifier. */
	if (!len || len > 60 || strspn(text, letters) != len)
		return;
	snprintf(full, sizeof(full), "(= subject.%s \"true\")", text);
	fuzz_must(!strcmp(ockam_policy_text(policy), full));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[32] = { 1, 2, 3 };
	struct ockam_subject subject = { .identifier = id, .issuer = id };
	struct ockam_policy *policy;
	struct ockam_err err;
	uint8_t *attributes;
	const uint8_t *end;
	char *text;
	size_t len;
	int ret;

	if (!size)
		return 0;
	/* The expression up to a zero byte, attributes behind it. */
	end = memchr(data + 1, 0, size - 1);
	len = end ? (size_t)(end - data - 1) : size - 1;
	text = fuzz_text(data + 1, len);
	subject.has_credential = data[0] & 2;
	subject.attributes.len = end ? size - 2 - len : 0;
	attributes = fuzz_exact(end ? end + 1 : NULL, subject.attributes.len);
	subject.attributes.data = attributes;

	if (data[0] & 1)
		ret = ockam_policy_decode((const uint8_t *)text, len, &policy, &err);
	else
		ret = ockam_policy_parse(text, &policy, &err);
	fuzz_must(!ret || ret == -EINVAL || ret == -E2BIG || ret == -EBADMSG);
	if (ret) {
		fuzz_must(err.text[0]);
	} else {
		check_policy(policy, &subject);
		if (!(data[0] & 1))
			check_word(text, policy);
		ockam_policy_free(policy);
	}
	free(attributes);
	free(text);
	return 0;
}
