// SPDX-License-Identifier: Apache-2.0
/*
 * Signatures that are remembered as right: the very same ones, and no others.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>

#include "attestation.h"
#include "tap.h"
#include "verified.h"

#define NOW	1800000000ULL

static struct ockam_verified verified;

static unsigned int remembered(void)
{
	static const uint8_t none[OCKAM_HASH_LEN];
	unsigned int n = 0;
	size_t i, j;

	for (i = 0; i < OCKAM_VERIFIED_SETS; i++)
		for (j = 0; j < OCKAM_VERIFIED_WAYS; j++)
			n += !!memcmp(verified.hashes[i][j], none, sizeof(none));
	return n;
}

struct sample {
	struct ockam_public_key	key;
	struct ockam_signature	signature;
	uint8_t			data[64];
};

static struct sample signed_with(enum ockam_key_kind kind, uint8_t seed, uint32_t number)
{
	uint8_t secret[32] = { 1, seed };
	struct sample s = { 0 };

	memcpy(s.data, &number, sizeof(number));
	ockam_crypto_signing_public(kind, secret, &s.key);
	ockam_crypto_sign(kind, secret, s.data, sizeof(s.data), &s.signature);
	return s;
}

static int check(const struct sample *s, size_t len)
{
	return ockam_verified_check(&verified, &s->key, s->data, len, &s->signature);
}

static void test_kind(enum ockam_key_kind kind, const char *name)
{
	struct sample s = signed_with(kind, 1, 0), other = signed_with(kind, 2, 0), bad;
	size_t bit;
	int wrong;

	memset(&verified, 0, sizeof(verified));
	bad = s;
	bad.signature.bytes[5] ^= 1;
	ok(check(&bad, 64) == -EKEYREJECTED && !remembered(), "%s: a wrong one is not remembered",
	   name);
	ok(!check(&s, 64) && remembered() == 1, "the right one is");
	ok(!check(&s, 64) && remembered() == 1, "and is right again");
	ok(check(&bad, 64) == -EKEYREJECTED, "the wrong one stays wrong");
	for (wrong = 0, bit = 0; bit < 512; bit++) {
		bad = s;
		bad.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		wrong += check(&bad, 64) == -EKEYREJECTED;
		bad = s;
		bad.signature.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		wrong += check(&bad, 64) == -EKEYREJECTED;
	}
	ok(wrong == 1024, "with any bit of data or signature changed it is not: %d", wrong);
	bad = s;
	bad.key = other.key;
	ok(check(&bad, 64) == -EKEYREJECTED, "nor with another key");
	ok(check(&s, 63) == -EKEYREJECTED, "nor when the end is missing");
	bad = s;
	bad.signature.kind = kind == OCKAM_KEY_P256 ? OCKAM_KEY_ED25519 : OCKAM_KEY_P256;
	ok(check(&bad, 64) == -EKEYREJECTED, "nor as one of another kind");
	ok(remembered() == 1, "and nothing of all that is remembered");
}

static void test_many(void)
{
	unsigned int right = 0, again = 0;
	struct sample s;
	uint32_t i;

	memset(&verified, 0, sizeof(verified));
	for (i = 0; i < 3000; i++) {
		s = signed_with(OCKAM_KEY_ED25519, 3, i);
		right += !check(&s, 64);
	}
	ok(right == 3000, "more than can be remembered are all right");
	for (i = 0; i < 3000; i += 100) {
		s = signed_with(OCKAM_KEY_ED25519, 3, i);
		again += !check(&s, 64);
		s.signature.bytes[0] ^= 1;
		again += check(&s, 64) == -EKEYREJECTED;
	}
	ok(again == 60, "also later, and wrong ones are wrong");
	ok(remembered() <= OCKAM_VERIFIED_SETS * OCKAM_VERIFIED_WAYS, "in the room that there is");
}

/* A signature that is remembered does not make anything last longer. */
static void test_times(void)
{
	uint8_t secret[32] = { 7 }, key[32] = { 9 };
	struct ockam_identity *identity, *rotated;
	struct ockam_buf bytes = { 0 };
	struct ockam_attestation a;
	struct ockam_reader r;
	struct ockam_err err;

	memset(&verified, 0, sizeof(verified));
	ockam_identity_create(OCKAM_KEY_ED25519, secret, NOW, &identity, &err);
	ockam_identity_rotate(identity, secret, OCKAM_KEY_ED25519, secret, NOW, &rotated, &err);
	ockam_attestation_create(identity, secret, OCKAM_PURPOSE_CHANNEL, key, NOW, &bytes, &err);
	ockam_reader_init(&r, bytes.data, bytes.len);
	ok_ret(ockam_attestation_decode(&r, &a, &err), 0, err, "an attestation");
	ok_ret(ockam_attestation_verify_once(&a, identity, NOW, &verified, &err), 0, err, "holds");
	ok(remembered() == 1, "and is remembered");
	ok_ret(ockam_attestation_verify_once(&a, identity, a.expires_at + 1, &verified, &err),
	       -EKEYEXPIRED, err, "until it ends: %s", err.text);
	ok_ret(ockam_attestation_verify_once(&a, rotated, NOW, &verified, &err), -EKEYREJECTED, err,
	       "or the identity is rotated: %s", err.text);
	ok_ret(ockam_attestation_verify_once(&a, identity, NOW, &verified, &err), 0, err,
	       "nothing else has changed");
	ockam_identity_free(identity);
	ockam_identity_free(rotated);
	ockam_buf_free(&bytes);
}

int main(void)
{
	test_kind(OCKAM_KEY_ED25519, "Ed25519");
	test_kind(OCKAM_KEY_P256, "P-256");
	test_many();
	test_times();
	return tap_done();
}
