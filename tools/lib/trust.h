/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may be at the other end of a channel: a rule on the peer's identifier
 * (wire-protocol 5.5, check 3), and beyond the protocol on the credential that
 * it holds.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_TRUST_H
#define OCKAM_LIB_TRUST_H

#include "identity.h"
#include "policy.h"
#include "reader.h"

#define OCKAM_TRUST_MAX	256	/* identifiers of one list */

/* Numbers are used in the encoded form. */
enum ockam_trust_kind {
	OCKAM_TRUST_EVERYONE	= 0,
	OCKAM_TRUST_ONE		= 1,
	OCKAM_TRUST_LIST	= 2,	/* an empty list trusts nobody */
};

/*
 * All zero is "everyone". All that is set must hold: the peer is among ids,
 * and has a credential of authority, and policy says so. Free with
 * ockam_trust_free().
 */
struct ockam_trust {
	enum ockam_trust_kind	kind;
	uint8_t			(*ids)[OCKAM_IDENTIFIER_LEN];
	size_t			n_ids;
	bool			has_authority;
	uint8_t			authority[OCKAM_IDENTIFIER_LEN];
	struct ockam_policy	*policy;	/* NULL: none */
};

/**
 * ockam_trust_add() - allow one more identifier
 *
 * "Everyone" becomes "one", "one" becomes a list. Adding twice is no error.
 *
 * Return: 0; -E2BIG above OCKAM_TRUST_MAX; -ENOMEM.
 */
int ockam_trust_add(struct ockam_trust *trust, const uint8_t id[OCKAM_IDENTIFIER_LEN],
		    struct ockam_err *err);

/**
 * ockam_trust_allows() - the part of the rule on who the peer is
 *
 * Cheap: asked before anything else is looked at.
 */
bool ockam_trust_allows(const struct ockam_trust *trust,
			const uint8_t id[OCKAM_IDENTIFIER_LEN]);

/**
 * ockam_trust_admits() - the whole rule
 * @trust: the rule
 * @subject: the peer and the credential that counts, if it has one
 * @err: which part says no
 *
 * Return: 0 or -EACCES.
 */
int ockam_trust_admits(const struct ockam_trust *trust, const struct ockam_subject *subject,
		       struct ockam_err *err);

/** ockam_trust_needs_credential() - would the peer be refused without its credential */
bool ockam_trust_needs_credential(const struct ockam_trust *trust,
				  const uint8_t id[OCKAM_IDENTIFIER_LEN]);

/**
 * ockam_trust_encode() - append [who, authority / null, policy / null]
 *
 * who: [0,[]], [1,[id]] or [2,[[*id]]]; policy: text in full form.
 */
void ockam_trust_encode(const struct ockam_trust *trust, struct ockam_buf *out);

/**
 * ockam_trust_decode() - the reverse; 0, -EBADMSG, -E2BIG, -ENOMEM
 *
 * A failure leaves a rule that trusts nobody.
 */
int ockam_trust_decode(struct ockam_reader *r, struct ockam_trust *trust,
		       struct ockam_err *err);

/** ockam_trust_copy() - 0 or -ENOMEM, then @to trusts nobody */
int ockam_trust_copy(struct ockam_trust *to, const struct ockam_trust *from);

/** ockam_trust_free() - free and reset to "everyone" */
void ockam_trust_free(struct ockam_trust *trust);

#endif /* OCKAM_LIB_TRUST_H */
