/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For targets whose inputs carry signatures. A fuzzer cannot sign, so there are
 * two ways to run an input: with real signatures, where what verifies must be
 * one of the known good ones, and with signatures that all verify, where
 * everything behind the signature is tried.
 *
 * Targets that include this are linked with --wrap=ockam_crypto_verify.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_FUZZ_PARTIES_H
#define OCKAM_FUZZ_PARTIES_H

#include "../unit/vectors.h"
#include "credential.h"
#include "fuzz.h"
#include "identity.h"

#define FUZZ_NOW	1767226000ULL	/* a little after the vectors were made */

static bool fuzz_trusting;	/* every signature verifies */

int __wrap_ockam_crypto_verify(const struct ockam_public_key *key, const void *data, size_t len,
			       const struct ockam_signature *signature);
int __real_ockam_crypto_verify(const struct ockam_public_key *key, const void *data, size_t len,
			       const struct ockam_signature *signature);

int __wrap_ockam_crypto_verify(const struct ockam_public_key *key, const void *data, size_t len,
			       const struct ockam_signature *signature)
{
	fuzz_must(key->kind == OCKAM_KEY_ED25519 ? key->len == OCKAM_ED25519_LEN :
		  key->kind == OCKAM_KEY_P256 && key->len == OCKAM_P256_LEN);
	if (!fuzz_trusting)
		return __real_ockam_crypto_verify(key, data, len, signature);
	return key->kind == signature->kind ? 0 : -EKEYREJECTED;
}

/* The known parties, made once: 0 and 1 from the vectors, 2 is 0 after its rotation. */
#define FUZZ_PARTIES	3

struct fuzz_party {
	uint8_t			seed[32];
	uint8_t			x25519[32];
	struct ockam_buf	history;
	struct ockam_buf	attestation;	/* of the channel key; not of party 2 */
	struct ockam_buf	signing;	/* attestation of the seed as credential key */
	struct ockam_identity	*identity;
};

static struct fuzz_party fuzz_parties[FUZZ_PARTIES];

__attribute__((unused))
static void fuzz_party_finish(struct fuzz_party *p)
{
	struct ockam_public_key key;
	struct ockam_err err;

	fuzz_must(!ockam_identity_decode(p->history.data, p->history.len, &p->identity, NULL));
	fuzz_must(!ockam_crypto_ed25519_public(p->seed, &key));
	if (ockam_attestation_create(p->identity, p->seed, OCKAM_PURPOSE_CREDENTIAL, key.bytes,
				     FUZZ_NOW - 50, &p->signing, &err))
		puts(err.text);
	fuzz_must(p->signing.len);
}

__attribute__((unused))
static void fuzz_parties_load(void)
{
	struct json_object *root, *rotation;

	if (fuzz_parties[0].identity)
		return;
	fuzz_trusting = false;
	root = vectors_load("identity.json");
	for (size_t i = 0; i < 2; i++) {
		struct fuzz_party *p = &fuzz_parties[i];
		struct json_object *side;
		uint8_t secret[32];

		side = json_object_array_get_idx(vectors_get(root, "identities"), i);
		vectors_key(side, "ed25519_secret", p->seed);
		vectors_key(side, "x25519_static_secret", secret);
		fuzz_must(!ockam_crypto_x25519_public(secret, p->x25519));
		p->history = vectors_bytes(side, "change_history");
		p->attestation = vectors_bytes(side, "attestation");
		fuzz_party_finish(p);
	}
	rotation = vectors_get(root, "rotation");
	vectors_key(rotation, "new_ed25519_secret", fuzz_parties[2].seed);
	fuzz_parties[2].history = vectors_bytes(rotation, "change_history");
	fuzz_party_finish(&fuzz_parties[2]);
	json_object_put(root);
}

/* Is that the history of a party? */
__attribute__((unused))
static bool fuzz_is_party(const struct ockam_identity *identity)
{
	for (size_t i = 0; i < FUZZ_PARTIES; i++)
		if (ockam_identity_compare(fuzz_parties[i].identity, identity) ==
		    OCKAM_HISTORY_EQUAL)
			return true;
	return false;
}

#endif /* OCKAM_FUZZ_PARTIES_H */
