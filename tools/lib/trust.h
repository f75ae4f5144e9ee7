/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust policy on a peer's identifier (wire-protocol 5.5, check 3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_TRUST_H
#define OCKAM_LIB_TRUST_H

#include "identity.h"
#include "reader.h"

#define OCKAM_TRUST_MAX	256	/* identifiers of one list */

/* Numbers are used in the encoded form. */
enum ockam_trust_kind {
	OCKAM_TRUST_EVERYONE	= 0,
	OCKAM_TRUST_ONE		= 1,
	OCKAM_TRUST_LIST	= 2,	/* an empty list trusts nobody */
};

/* All zero is "everyone". Free with ockam_trust_free(). */
struct ockam_trust {
	enum ockam_trust_kind	kind;
	uint8_t			(*ids)[OCKAM_IDENTIFIER_LEN];
	size_t			n_ids;
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

/** ockam_trust_allows() - may the channel with @id be made */
bool ockam_trust_allows(const struct ockam_trust *trust,
			const uint8_t id[OCKAM_IDENTIFIER_LEN]);

/** ockam_trust_encode() - append [0,[]], [1,[id]] or [2,[[*id]]] */
void ockam_trust_encode(const struct ockam_trust *trust, struct ockam_buf *out);

/**
 * ockam_trust_decode() - the reverse; 0, -EBADMSG, -E2BIG, -ENOMEM
 *
 * A failure leaves a rule that trusts nobody.
 */
int ockam_trust_decode(struct ockam_reader *r, struct ockam_trust *trust,
		       struct ockam_err *err);

/** ockam_trust_free() - free and reset to "everyone" */
void ockam_trust_free(struct ockam_trust *trust);

#endif /* OCKAM_LIB_TRUST_H */
