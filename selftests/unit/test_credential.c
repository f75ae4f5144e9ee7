// SPDX-License-Identifier: Apache-2.0
/*
 * How many attributes a credential may have, and how long they may be: as
 * issued, and as received from a stranger.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>

#include "credential.h"
#include "crypto.h"
#include "signed.h"
#include "tap.h"

#define NOW	1800000000ULL

static struct ockam_err err;
static struct ockam_identity *issuer;
static struct ockam_buf attestation;
static const uint8_t identity_seed[32] = { 1 }, key_seed[32] = { 2 };
static uint8_t room[8192];

static void prepare(void)
{
	struct ockam_public_key public;

	ockam_identity_create(OCKAM_KEY_ED25519, identity_seed, NOW, &issuer, NULL);
	ockam_crypto_ed25519_public(key_seed, &public);
	ockam_attestation_create(issuer, identity_seed, OCKAM_PURPOSE_CREDENTIAL, public.bytes,
				 NOW, &attestation, NULL);
	memset(room, 'x', sizeof(room));
}

/* Sign @n attributes with names of one byte and values of @len bytes. */
static int issue(size_t n, size_t len, struct ockam_buf *out)
{
	struct ockam_attribute list[OCKAM_CREDENTIAL_ATTRIBUTES_MAX + 1];
	uint8_t names[OCKAM_CREDENTIAL_ATTRIBUTES_MAX + 1];

	for (size_t i = 0; i < n; i++) {
		names[i] = (uint8_t)i;
		list[i].name = (struct ockam_piece){ &names[i], 1 };
		list[i].value = (struct ockam_piece){ room, len };
	}
	return ockam_credential_issue(attestation.data, attestation.len, key_seed,
				      issuer->identifier, NULL, list, n, NOW, 60, out, &err);
}

/* The same by hand: what an issuer without our limits makes. */
static int receive(size_t n, size_t len)
{
	struct ockam_buf data = { 0 }, wrap = { 0 }, out = { 0 };
	struct ockam_credential *c = calloc(1, sizeof(*c));
	struct ockam_signature signature;
	struct ockam_reader r;
	int ret;

	ockam_buf_put_array(&data, 5);
	ockam_buf_put_bytes(&data, issuer->identifier, 32);
	ockam_buf_put_null(&data);
	ockam_buf_put_array(&data, 2);
	ockam_buf_put_uint(&data, 1);
	ockam_buf_put_map(&data, n);
	for (size_t i = 0; i < n; i++) {
		uint8_t name = (uint8_t)i;

		ockam_buf_put_bytes(&data, &name, 1);
		ockam_buf_put_bytes(&data, room, len);
	}
	ockam_buf_put_uint(&data, NOW);
	ockam_buf_put_uint(&data, NOW + 60);
	ockam_signed_wrap(OCKAM_SIGNED_CREDENTIAL, &data, &wrap);
	ockam_crypto_sign(OCKAM_KEY_ED25519, key_seed, wrap.data, wrap.len, &signature);
	ockam_buf_put_array(&out, 2);
	ockam_signed_put_pair(&out, &wrap, &signature);
	ockam_buf_put(&out, attestation.data, attestation.len);
	ockam_reader_init(&r, out.data, out.len);
	ret = ockam_credential_decode(&r, c, &err);
	if (!ret)
		ret = ockam_credential_verify(c, NULL, &issuer, 1, NOW, &err);
	ockam_buf_free(&data);
	ockam_buf_free(&wrap);
	ockam_buf_free(&out);
	free(c);
	return ret;
}

static const struct {
	size_t		n, len;
	int		want;
	const char	*what;
} cases[] = {
	{ 0, 0, 0, "no attribute" },
	{ OCKAM_CREDENTIAL_ATTRIBUTES_MAX, 0, 0, "64 attributes" },
	{ OCKAM_CREDENTIAL_ATTRIBUTES_MAX + 1, 0, -E2BIG, "65 attributes" },
	/* Map 1, name 2, value 3 and its bytes. */
	{ 1, OCKAM_CREDENTIAL_ATTRIBUTES_BYTES - 6, 0, "4096 bytes" },
	{ 1, OCKAM_CREDENTIAL_ATTRIBUTES_BYTES - 5, -E2BIG, "4097 bytes" },
	/* Map 2, of each name 2, value 2 and its bytes. */
	{ 62, 62, 0, "4094 bytes in 62" },
	{ 63, 62, -E2BIG, "4160 bytes in 63" },
};

int main(void)
{
	prepare();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ockam_buf out = { 0 };

		ok_ret(issue(cases[i].n, cases[i].len, &out), cases[i].want, err, "issue %s",
		       cases[i].what);
		ok(!out.len == !!cases[i].want, "puts out something or nothing");
		ok_ret(receive(cases[i].n, cases[i].len), cases[i].want, err, "receive %s",
		       cases[i].what);
		ockam_buf_free(&out);
	}
	ockam_buf_free(&attestation);
	ockam_identity_free(issuer);
	return tap_done();
}
