/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy expressions over a peer: who it is and what its credential says
 * (cli 2.16). Two notations are read, one is written:
 *
 *	component.db or component.web	boolean form: attributes that are "true"
 *	(= subject.app "demo")		full form, the outer parentheses optional
 *
 * Everything that does not come out as true denies: a missing attribute, a
 * comparison of different types, a result that is no boolean.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_POLICY_H
#define OCKAM_LIB_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "reader.h"

#define OCKAM_POLICY_MAX	4096	/* bytes of an expression, as given and in full form */
#define OCKAM_POLICY_NODES	1024	/* parts of one expression */
#define OCKAM_POLICY_DEPTH	100	/* parts inside each other */
#define OCKAM_POLICY_STEPS	65536	/* parts evaluated for one answer; then it denies */

/*
 * What an expression is about; all borrowed. attributes: CBOR map bytes =>
 * bytes; only looked at with has_credential. Names in expressions:
 * subject.identifier, subject.has_credential, subject.<attribute> for values
 * that are UTF-8. The first two are ours: attributes of these names are not
 * seen.
 */
struct ockam_subject {
	const uint8_t		*identifier;	/* 32 bytes */
	bool			has_credential;	/* valid now, of the authority that counts */
	const uint8_t		*issuer;	/* 32 bytes, with has_credential */
	struct ockam_piece	attributes;
};

/* Immutable. Free with ockam_policy_free(). */
struct ockam_policy;

/**
 * ockam_policy_parse() - read what a person wrote, in either form
 * @text: the expression
 * @policy: receives it
 * @err: two lines that name the part that can be read and the rest
 *
 * Return: 0; -EINVAL; -E2BIG above one of the limits; -ENOMEM.
 */
int ockam_policy_parse(const char *text, struct ockam_policy **policy, struct ockam_err *err);

/** ockam_policy_decode() - the reverse of ockam_policy_text(); returns as above */
int ockam_policy_decode(const uint8_t *text, size_t len, struct ockam_policy **policy,
			struct ockam_err *err);

/** ockam_policy_text() - the full form, borrowed */
const char *ockam_policy_text(const struct ockam_policy *policy);

/** ockam_policy_allows() - does the expression come out as true */
bool ockam_policy_allows(const struct ockam_policy *policy, const struct ockam_subject *subject);

/** ockam_policy_copy() - an equal one; NULL without memory */
struct ockam_policy *ockam_policy_copy(const struct ockam_policy *policy);

/** ockam_policy_free() - free; NULL is allowed */
void ockam_policy_free(struct ockam_policy *policy);

#endif /* OCKAM_LIB_POLICY_H */
