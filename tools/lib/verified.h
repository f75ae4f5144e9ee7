/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures that have verified, so that the same one need not be computed
 * again: a peer shows the same attestation for years. Only that a signature is
 * right is remembered, which does not change; times and all else are checked
 * every time. Wrong signatures are not remembered.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_VERIFIED_H
#define OCKAM_LIB_VERIFIED_H

#include "crypto.h"

#define OCKAM_VERIFIED_SETS	512
#define OCKAM_VERIFIED_WAYS	2	/* of two in a set the older one goes */

/* All zero: empty. hashes: of key, data and signature together. */
struct ockam_verified {
	uint8_t	hashes[OCKAM_VERIFIED_SETS][OCKAM_VERIFIED_WAYS][OCKAM_HASH_LEN];
};

/**
 * ockam_verified_check() - as ockam_crypto_verify(), which it need not call twice
 * @verified: what is remembered; NULL: nothing
 *
 * Return: as ockam_crypto_verify().
 */
int ockam_verified_check(struct ockam_verified *verified, const struct ockam_public_key *key,
			 const void *data, size_t len, const struct ockam_signature *signature);

#endif /* OCKAM_LIB_VERIFIED_H */
