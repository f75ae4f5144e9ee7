// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "verified.h"

/* Everything that the result depends on, each part of a fixed length. */
struct ockam_verified_input {
	uint8_t	key_kind;
	uint8_t	key_len;
	uint8_t	signature_kind;
	uint8_t	key[sizeof(((struct ockam_public_key *)0)->bytes)];
	uint8_t	signature[OCKAM_SIGNATURE_LEN];
	uint8_t	data[OCKAM_HASH_LEN];
};

static int ockam_verified_hash(const struct ockam_public_key *key, const void *data, size_t len,
			       const struct ockam_signature *signature,
			       uint8_t hash[OCKAM_HASH_LEN])
{
	struct ockam_verified_input input = {
		.key_kind = (uint8_t)key->kind,
		.key_len = (uint8_t)key->len,
		.signature_kind = (uint8_t)signature->kind,
	};

	if (key->len > sizeof(input.key) ||
	    ockam_crypto_sha256(data, len, NULL, 0, input.data))
		return -EIO;
	memcpy(input.key, key->bytes, key->len);
	memcpy(input.signature, signature->bytes, sizeof(input.signature));
	return ockam_crypto_sha256(&input, sizeof(input), NULL, 0, hash);
}

int ockam_verified_check(struct ockam_verified *verified, const struct ockam_public_key *key,
			 const void *data, size_t len, const struct ockam_signature *signature)
{
	uint8_t (*set)[OCKAM_HASH_LEN];
	uint8_t hash[OCKAM_HASH_LEN];
	int ret;

	if (!verified || ockam_verified_hash(key, data, len, signature, hash))
		return ockam_crypto_verify(key, data, len, signature);
	set = verified->hashes[(hash[0] | (size_t)hash[1] << 8) % OCKAM_VERIFIED_SETS];
	if (ockam_crypto_equal(set[0], hash, OCKAM_HASH_LEN) ||
	    ockam_crypto_equal(set[1], hash, OCKAM_HASH_LEN))
		return 0;
	ret = ockam_crypto_verify(key, data, len, signature);
	if (!ret) {
		memcpy(set[1], set[0], OCKAM_HASH_LEN);
		memcpy(set[0], hash, OCKAM_HASH_LEN);
	}
	return ret;
}
