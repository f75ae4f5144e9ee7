// SPDX-License-Identifier: Apache-2.0
/*
 * Identities, attestations and credentials: identity.json, and every rule of
 * wire-protocol sections 7.3 to 7.5 broken once.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "credential.h"
#include "signed.h"
#include "tap.h"
#include "vectors.h"

#define ED25519	OCKAM_KEY_ED25519

#define NOW	1700000000ULL

static struct ockam_err err;

static void seed_from(uint8_t seed[32], int first)
{
	for (int i = 0; i < 32; i++)
		seed[i] = (uint8_t)(first + i);
}

static struct ockam_identity *decode_hex(const char *hex, int want, const char *what)
{
	struct ockam_buf bytes = vectors_unhex(hex);
	struct ockam_identity *identity = NULL;

	ok_ret(ockam_identity_decode(bytes.data, bytes.len, &identity, &err), want, err,
	       "%s", what);
	ockam_buf_free(&bytes);
	return identity;
}

static void check_known_identity(struct json_object *entry)
{
	struct ockam_buf history = vectors_bytes(entry, "change_history");
	struct ockam_buf attestation = vectors_bytes(entry, "attestation");
	uint64_t now = (uint64_t)json_object_get_int64(vectors_get(entry, "created_at"));
	const char *label = vectors_text(entry, "label");
	struct ockam_identity *identity, *made;
	struct ockam_attestation a;
	char text[OCKAM_IDENTIFIER_TEXT];
	struct ockam_buf out = { 0 };
	uint8_t seed[32], x[32], pub[32];
	struct ockam_reader r;

	identity = decode_hex(vectors_text(entry, "change_history"), 0, label);
	ockam_identifier_format(identity->identifier, text);
	ok_text(text, vectors_text(entry, "identifier"), "%s: identifier", label);
	vectors_key(entry, "ed25519_secret", seed);
	ok_ret(ockam_identity_create(ED25519, seed, now, &made, &err), 0, err, "%s: made anew",
	       label);
	ok(made->history_len == history.len, "%s: same length", label);
	ok_bytes(made->history, history.data, history.len, "%s: same history", label);
	ockam_reader_init(&r, attestation.data, attestation.len);
	ok_ret(ockam_attestation_decode(&r, &a, &err), 0, err, "%s: attestation decodes", label);
	ok_ret(ockam_attestation_verify(&a, identity, now + 1, &err), 0, err,
	       "%s: attestation verifies", label);
	vectors_key(entry, "x25519_static_secret", x);
	ockam_crypto_x25519_public(x, pub);
	ok(a.purpose == OCKAM_PURPOSE_CHANNEL, "%s: purpose", label);
	ok_bytes(a.channel_key, pub, 32, "%s: attested key", label);
	/* The file's attestation lives as long as the identity, ours five years. */
	ok_ret(ockam_attestation_create(identity, seed, OCKAM_PURPOSE_CHANNEL, pub, now,
					&out, &err),
	       0, err, "%s: attestation made", label);
	ockam_reader_init(&r, out.data, out.len);
	ok(!ockam_attestation_decode(&r, &a, &err) &&
	   !ockam_attestation_verify(&a, identity, now, &err) &&
	   a.expires_at == now + OCKAM_ATTESTATION_LIFE, "%s: and verifies", label);
	ockam_buf_free(&out);
	ockam_buf_free(&history);
	ockam_buf_free(&attestation);
	ockam_identity_free(made);
	ockam_identity_free(identity);
}

static void test_rotation(struct json_object *root)
{
	struct json_object *rotation = vectors_get(root, "rotation");
	struct json_object *of = json_object_array_get_idx(vectors_get(root, "identities"), 0);
	struct ockam_buf history = vectors_bytes(rotation, "change_history");
	struct ockam_identity *one, *two, *made, *other;
	char text[OCKAM_IDENTIFIER_TEXT];
	uint8_t old_seed[32], new_seed[32];

	one = decode_hex(vectors_text(of, "change_history"), 0, "before the rotation");
	two = decode_hex(vectors_text(rotation, "change_history"), 0, "after the rotation");
	ockam_identifier_format(two->identifier, text);
	ok_text(text, vectors_text(rotation, "identifier"), "the identifier stays");
	vectors_key(of, "ed25519_secret", old_seed);
	vectors_key(rotation, "new_ed25519_secret", new_seed);
	ok_ret(ockam_identity_rotate(one, old_seed, ED25519, new_seed,
				     ockam_identity_latest(two)->valid_from, &made, &err),
	       0, err, "rotated");
	ok(made->history_len == history.len &&
	   !memcmp(made->history, history.data, history.len), "as in the vectors");
	ockam_identity_free(made);
	ok(ockam_identity_compare(one, one) == OCKAM_HISTORY_EQUAL, "equal");
	ok(ockam_identity_compare(one, two) == OCKAM_HISTORY_NEWER, "newer");
	ok(ockam_identity_compare(two, one) == OCKAM_HISTORY_OLDER, "older");
	ockam_identity_rotate(one, old_seed, ED25519, old_seed, NOW + 100000000, &other, NULL);
	ok(ockam_identity_compare(two, other) == OCKAM_HISTORY_CONFLICT, "conflict");
	ockam_identity_free(other);
	ok_ret(ockam_identity_rotate(one, new_seed, ED25519, new_seed, NOW + 100000000, &made,
				     &err),
	       -EKEYREJECTED, err, "wrong old secret");
	ok_ret(ockam_identity_rotate(two, new_seed, ED25519, old_seed, 1, &made, &err), -EINVAL,
	       err, "clock behind the latest change");
	ockam_identity_free(one);
	ockam_identity_free(two);
	ockam_buf_free(&history);
}

static void test_rejected(struct json_object *root)
{
	struct json_object *list = vectors_get(root, "rejected_change_histories");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		struct ockam_identity *identity;

		identity = decode_hex(vectors_text(entry, "change_history"), -EKEYREJECTED,
				      vectors_text(entry, "why"));
		ok(!identity && err.text[0], "with a reason: %s", err.text);
		ockam_identity_free(identity);
	}
}

static void test_identifier_text(void)
{
	static const char *const bad[] = {
		"", "I", "x", "I96acb3edb95c4f832483ef1c67d74480f43ff426d944236192d6f9e83083b8b",
		"96acb3edb95c4f832483ef1c67d74480f43ff426d944236192d6f9e83083b8b4a",
		"I96acb3edb95c4f832483ef1c67d74480f43ff426d944236192d6f9e83083b8b4a",
		"I96acb3edb95c4f832483ef1c67d74480f43ff426d944236192d6f9e83083b8bg",
		"I96acb3edb95c4f832483ef1c67d74480 f43ff426d944236192d6f9e83083b8b4",
		"i96acb3edb95c4f832483ef1c67d74480f43ff426d944236192d6f9e83083b8b4",
	};
	char text[OCKAM_IDENTIFIER_TEXT];
	uint8_t id[32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(ockam_identifier_parse(bad[i], id, &err) == -EINVAL, "refused: %s", err.text);
	ok(!ockam_identifier_parse(" \tI96ACB3EDb95c4f832483ef1c67d74480f43ff426d944236192d6f9e83083b8b4\n",
				   id, &err), "blanks around and upper case");
	ockam_identifier_format(id, text);
	ok_text(text, "I96acb3edb95c4f832483ef1c67d74480f43ff426d944236192d6f9e83083b8b4",
		"printed in lower case");
}

/* Build a change history out of hand-made parts. */
struct change {
	int		previous;	/* 0 null, 1 right, 2 wrong */
	uint64_t	from;
	int		version, type;
	const uint8_t	*seed, *sign, *sign_previous;
};

static void put_change(struct ockam_buf *out, const struct change *c, uint8_t hash[32])
{
	struct ockam_buf data = { 0 }, wrap = { 0 };
	struct ockam_signature signature;
	struct ockam_public_key public;

	ockam_crypto_ed25519_public(c->seed, &public);
	ockam_buf_put_array(&data, 5);
	if (!c->previous) {
		ockam_buf_put_null(&data);
	} else {
		hash[0] ^= c->previous == 2;
		ockam_buf_put_bytes(&data, hash, 32);
	}
	ockam_signed_put_key(&data, &public);
	ockam_buf_put_bool(&data, false);
	ockam_buf_put_uint(&data, c->from);
	ockam_buf_put_uint(&data, c->from + 1000);
	ockam_buf_put_array(&wrap, 3);
	ockam_buf_put_uint(&wrap, (uint64_t)c->version);
	ockam_buf_put_uint(&wrap, (uint64_t)c->type);
	ockam_buf_put_bytes(&wrap, data.data, data.len);
	ockam_buf_put_array(out, c->sign_previous ? 3 : 2);
	ockam_buf_put_bytes(out, wrap.data, wrap.len);
	ockam_crypto_sign(ED25519, c->sign, wrap.data, wrap.len, &signature);
	ockam_signed_put_signature(out, &signature);
	if (c->sign_previous) {
		ockam_crypto_sign(ED25519, c->sign_previous, wrap.data, wrap.len, &signature);
		ockam_signed_put_signature(out, &signature);
	}
	ockam_crypto_sha256(wrap.data, wrap.len, NULL, 0, hash);
	ockam_buf_free(&data);
	ockam_buf_free(&wrap);
}

static void history_case(const char *what, const struct change *first,
			 const struct change *second, int want)
{
	struct ockam_identity *identity;
	struct ockam_buf out = { 0 };
	uint8_t hash[32] = { 0 };

	ockam_buf_put_array(&out, second ? 2 : 1);
	put_change(&out, first, hash);
	if (second)
		put_change(&out, second, hash);
	ok_ret(ockam_identity_decode(out.data, out.len, &identity, &err), want, err, "%s", what);
	ockam_identity_free(identity);
	ockam_buf_free(&out);
}

static void test_history_rules(void)
{
	uint8_t a[32], b[32], c[32];
	struct change one = { 0, NOW, 1, 1, a, a, NULL };
	struct change two = { 1, NOW, 1, 1, b, b, a };
	struct change bad;

	seed_from(a, 0);
	seed_from(b, 64);
	seed_from(c, 128);
	history_case("one change", &one, NULL, 0);
	history_case("two changes, valid from the same time", &one, &two, 0);
	bad = one, bad.version = 2;
	history_case("version 2", &bad, NULL, -EBADMSG);
	bad = one, bad.type = 2;
	history_case("type 2", &bad, NULL, -EBADMSG);
	bad = one, bad.previous = 1;
	history_case("first change with a previous one", &bad, NULL, -EKEYREJECTED);
	bad = one, bad.sign = b;
	history_case("first change signed by another key", &bad, NULL, -EKEYREJECTED);
	bad = one, bad.sign_previous = c;
	history_case("first change with a needless signature: ignored", &bad, NULL, 0);
	bad = two, bad.previous = 0;
	history_case("second change without a previous one", &one, &bad, -EKEYREJECTED);
	bad = two, bad.previous = 2;
	history_case("second change with a wrong previous one", &one, &bad, -EKEYREJECTED);
	bad = two, bad.from = NOW - 1;
	history_case("second change valid from earlier", &one, &bad, -EKEYREJECTED);
	bad = two, bad.sign = a;
	history_case("second change not signed by its own key", &one, &bad, -EKEYREJECTED);
	bad = two, bad.sign_previous = c;
	history_case("second change not signed by the key before", &one, &bad, -EKEYREJECTED);
}

/* Liberal decoding: wide integers, indefinite arrays, more elements. */
static void test_liberal(struct json_object *root)
{
	struct json_object *of = json_object_array_get_idx(vectors_get(root, "identities"), 0);
	struct ockam_buf h = vectors_bytes(of, "change_history");
	struct ockam_buf odd = { 0 };
	struct ockam_identity *identity;
	size_t bad = 0;

	/* 81 82 ... becomes 9f 9f ... 01 ff ff 00: same signed bytes. */
	ockam_buf_put(&odd, "\x9f\x9f", 2);
	ockam_buf_put(&odd, h.data + 2, h.len - 2);
	ockam_buf_put(&odd, "\xf6\x01\xff\xff\x00", 5);
	ok_ret(ockam_identity_decode(odd.data, odd.len, &identity, &err), 0, err,
	       "indefinite arrays, a null signature, an element more, a byte behind");
	ok(identity && identity->history_len == odd.len - 1, "the byte behind is not kept");
	ockam_identity_free(identity);
	for (size_t len = 0; len < h.len; len++)
		if (ockam_identity_decode(h.data, len, &identity, &err) != -EBADMSG)
			bad++;
	ok(!bad, "refused when cut to any of %zu lengths", h.len);
	for (size_t bit = 0; bit < h.len * 8; bit++) {
		h.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!ockam_identity_decode(h.data, h.len, &identity, &err)) {
			bad++;
			tap_hex("accepted", h.data, h.len);
			ockam_identity_free(identity);
		}
		h.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ok(!bad, "each of %zu bits matters", h.len * 8);
	ockam_buf_free(&odd);
	ockam_buf_free(&h);
}

static void test_limits(void)
{
	struct ockam_identity *identity = NULL, *next;
	struct ockam_buf deep = { 0 }, many = { 0 };
	uint8_t seed[32], hash[32] = { 0 };
	struct change c = { 0, NOW, 1, 1, seed, seed, NULL };

	for (int i = 0; i < 100000; i++)
		ockam_buf_put_u8(&deep, 0x81);
	ok(ockam_identity_decode(deep.data, deep.len, &next, &err) == -EBADMSG,
	   "100000 arrays inside each other");
	seed_from(seed, 1);
	ockam_buf_put_array(&many, 257);
	for (int i = 0; i < 257; i++) {
		put_change(&many, &c, hash);
		c.previous = 1;
		c.sign_previous = seed;
	}
	ok_ret(ockam_identity_decode(many.data, many.len, &identity, &err), -E2BIG, err,
	       "257 changes: %s", err.text);
	ockam_buf_free(&deep);
	ockam_buf_free(&many);
}

/* Rotated until no more fits: what is made here can always be shown in a handshake. */
static void test_growth(void)
{
	struct ockam_identity *identity, *next = NULL;
	uint8_t seed[32];
	int ret;

	seed_from(seed, 1);
	ockam_identity_create(OCKAM_KEY_P256, seed, NOW, &identity, &err);
	while (!(ret = ockam_identity_rotate(identity, seed, OCKAM_KEY_P256, seed, NOW, &next,
					     &err))) {
		ockam_identity_free(identity);
		identity = next;
	}
	ok(ret == -E2BIG && !next, "%s", err.text);
	ok(identity->history_len <= OCKAM_HISTORY_GROW_MAX && identity->n_changes > 90,
	   "%zu changes in %zu bytes are possible", identity->n_changes, identity->history_len);
	ockam_identity_free(identity);
}

/* Signing with P-256 in another way than libockam does. */
static void p256_sign(EVP_PKEY *key, const uint8_t *data, size_t len,
		      struct ockam_signature *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t hash[32], der[128];
	const uint8_t *pos = der;
	size_t der_len = sizeof(der);
	ECDSA_SIG *sig;

	ockam_crypto_sha256(data, len, NULL, 0, hash);
	EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
	EVP_DigestSign(ctx, der, &der_len, hash, 32);
	sig = d2i_ECDSA_SIG(NULL, &pos, (long)der_len);
	signature->kind = OCKAM_KEY_P256;
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature->bytes, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature->bytes + 32, 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

static void test_p256(void)
{
	struct ockam_public_key public = { .kind = OCKAM_KEY_P256, .len = OCKAM_P256_LEN };
	struct ockam_buf data = { 0 }, wrap = { 0 }, out = { 0 };
	EVP_PKEY *key = EVP_EC_gen("prime256v1");
	struct ockam_signature signature;
	struct ockam_identity *identity;
	size_t len;

	EVP_PKEY_get_octet_string_param(key, "pub", public.bytes, sizeof(public.bytes), &len);
	ockam_buf_put_array(&data, 5);
	ockam_buf_put_null(&data);
	ockam_signed_put_key(&data, &public);
	ockam_buf_put_bool(&data, false);
	ockam_buf_put_uint(&data, NOW);
	ockam_buf_put_uint(&data, NOW + 1000);
	ockam_signed_wrap(OCKAM_SIGNED_CHANGE, &data, &wrap);
	p256_sign(key, wrap.data, wrap.len, &signature);
	ockam_buf_put_array(&out, 1);
	ockam_signed_put_pair(&out, &wrap, &signature);
	ok_ret(ockam_identity_decode(out.data, out.len, &identity, &err), 0, err,
	       "identity with a P-256 key");
	ok(identity && identity->changes[0].key.kind == OCKAM_KEY_P256, "of that kind");
	ockam_identity_free(identity);
	signature.bytes[5] ^= 1;
	ok(ockam_crypto_verify(&public, wrap.data, wrap.len, &signature) == -EKEYREJECTED,
	   "changed signature");
	memset(signature.bytes, 0, 64);
	ok(ockam_crypto_verify(&public, wrap.data, wrap.len, &signature) == -EKEYREJECTED,
	   "signature of zeros");
	public.bytes[10] ^= 1;
	ok(ockam_crypto_verify(&public, wrap.data, wrap.len, &signature) == -EKEYREJECTED,
	   "no point of the curve");
	signature.kind = OCKAM_KEY_ED25519;
	ok(ockam_crypto_verify(&public, wrap.data, wrap.len, &signature) == -EKEYREJECTED,
	   "kinds differ");
	ockam_buf_free(&data);
	ockam_buf_free(&wrap);
	ockam_buf_free(&out);
	EVP_PKEY_free(key);
}

/* What the library signs, verified by itself and against what must not verify. */
static void test_p256_sign(void)
{
	struct ockam_public_key public, other;
	struct ockam_signature one, two;
	uint8_t secret[32], edge[32];
	size_t bad = 0;

	ok_ret(ockam_crypto_new_secret(OCKAM_KEY_P256, secret, &err), 0, err, "a scalar");
	ok(!ockam_crypto_signing_public(OCKAM_KEY_P256, secret, &public) &&
	   public.kind == OCKAM_KEY_P256 && public.len == 65 && public.bytes[0] == 4, "its point");
	ok(!ockam_crypto_sign(OCKAM_KEY_P256, secret, "abc", 3, &one) &&
	   !ockam_crypto_verify(&public, "abc", 3, &one), "a signature that verifies");
	ok(!ockam_crypto_sign(OCKAM_KEY_P256, secret, "abc", 3, &two) &&
	   !ockam_crypto_verify(&public, "abc", 3, &two) && memcmp(&one, &two, sizeof(one)),
	   "another one of the same");
	ok(ockam_crypto_verify(&public, "abd", 3, &one) == -EKEYREJECTED, "not of anything else");
	for (size_t bit = 0; bit < 64 * 8; bit++) {
		one.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		bad += ockam_crypto_verify(&public, "abc", 3, &one) != -EKEYREJECTED;
		one.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ok(!bad, "each of 512 bits matters");
	secret[31] ^= 1;
	ockam_crypto_signing_public(OCKAM_KEY_P256, secret, &other);
	ok(ockam_crypto_verify(&other, "abc", 3, &one) == -EKEYREJECTED, "nor by anybody else");

	/* Scalars go from 1 to the order less one. */
	memset(edge, 0, 32);
	ok(ockam_crypto_signing_public(OCKAM_KEY_P256, edge, &other) == -EKEYREJECTED &&
	   ockam_crypto_sign(OCKAM_KEY_P256, edge, "abc", 3, &two) == -EKEYREJECTED, "0 is none");
	edge[31] = 1;
	ok(!ockam_crypto_signing_public(OCKAM_KEY_P256, edge, &other) &&
	   !ockam_crypto_sign(OCKAM_KEY_P256, edge, "abc", 3, &two) &&
	   !ockam_crypto_verify(&other, "abc", 3, &two), "1 is one");
	memset(edge, 255, 32);
	ok(ockam_crypto_signing_public(OCKAM_KEY_P256, edge, &other) == -EKEYREJECTED,
	   "and there are larger numbers");
}

/* [ data, signature ] by a P-256 key. */
static void put_signed_p256(const uint8_t *secret, enum ockam_signed_type type,
			    struct ockam_buf *inner, struct ockam_buf *out)
{
	struct ockam_signature signature;
	struct ockam_buf wrap = { 0 };

	ockam_signed_wrap(type, inner, &wrap);
	ockam_crypto_sign(OCKAM_KEY_P256, secret, wrap.data, wrap.len, &signature);
	ockam_signed_put_pair(out, &wrap, &signature);
	ockam_buf_free(&wrap);
	ockam_buf_free(inner);
}

/* A credential signed by a P-256 key, which a P-256 identity attests. */
static void test_p256_credential(void)
{
	struct ockam_credential *c = calloc(1, sizeof(*c));
	struct ockam_buf inner = { 0 }, out = { 0 };
	struct ockam_identity *authority = NULL;
	struct ockam_public_key signing;
	uint8_t secret[32], key[32];
	struct ockam_reader r;

	seed_from(secret, 1);
	seed_from(key, 40);
	ockam_crypto_signing_public(OCKAM_KEY_P256, key, &signing);
	ok_ret(ockam_identity_create(OCKAM_KEY_P256, secret, NOW, &authority, &err), 0, err,
	       "an authority with a P-256 key");
	ockam_buf_put_array(&out, 2);
	ockam_buf_put_array(&inner, 5);
	ockam_buf_put_bytes(&inner, authority->identifier, 32);
	ockam_buf_put_null(&inner);
	ockam_buf_put_array(&inner, 2);
	ockam_buf_put_uint(&inner, 1);
	ockam_buf_put_map(&inner, 0);
	ockam_buf_put_uint(&inner, NOW);
	ockam_buf_put_uint(&inner, NOW + 100);
	put_signed_p256(key, OCKAM_SIGNED_CREDENTIAL, &inner, &out);
	ockam_buf_put_array(&inner, 5);
	ockam_buf_put_bytes(&inner, authority->identifier, 32);
	ockam_buf_put_bytes(&inner, authority->changes[0].hash, 32);
	ockam_buf_put_array(&inner, 2);
	ockam_buf_put_uint(&inner, OCKAM_PURPOSE_CREDENTIAL);
	ockam_buf_put_array(&inner, 1);
	ockam_signed_put_key(&inner, &signing);
	ockam_buf_put_uint(&inner, NOW);
	ockam_buf_put_uint(&inner, NOW + 100);
	put_signed_p256(secret, OCKAM_SIGNED_ATTESTATION, &inner, &out);
	ockam_reader_init(&r, out.data, out.len);
	ok_ret(ockam_credential_decode(&r, c, &err), 0, err, "its credential decodes");
	ok_ret(ockam_credential_verify(c, authority->identifier, &authority, 1, NOW, &err), 0, err,
	       "and verifies");
	c->signature.bytes[7] ^= 1;
	ok_ret(ockam_credential_verify(c, authority->identifier, &authority, 1, NOW, &err),
	       -EKEYREJECTED, err, "not with another signature: %s", err.text);
	ockam_buf_free(&out);
	ockam_identity_free(authority);
	free(c);
}

/* Issue one credential by @issuer (purpose key seed 0x40) and verify it. */
static void credential_case(const char *what, struct ockam_identity *issuer,
			    const uint8_t *issuer_seed, const uint8_t *subject,
			    const uint8_t *expected, struct ockam_identity *authority,
			    uint64_t now, int want)
{
	struct ockam_credential *c = calloc(1, sizeof(*c));
	struct ockam_buf attestation = { 0 }, out = { 0 };
	struct ockam_public_key public;
	struct ockam_reader r;
	uint8_t key[32];

	seed_from(key, 0x40);
	ockam_crypto_ed25519_public(key, &public);
	ockam_attestation_create(issuer, issuer_seed, OCKAM_PURPOSE_CREDENTIAL, public.bytes, NOW,
				 &attestation, NULL);
	ockam_credential_issue(attestation.data, attestation.len, key, subject, NULL, NULL, 0,
			       NOW + 100, 1000, &out, NULL);
	ockam_reader_init(&r, out.data, out.len);
	ok_ret(ockam_credential_decode(&r, c, &err), 0, err, "%s: decodes", what);
	ok_ret(ockam_credential_verify(c, expected, &authority, 1, now, &err), want, err, "%s",
	       what);
	ockam_buf_free(&attestation);
	ockam_buf_free(&out);
	free(c);
}

static void test_credential_rules(void)
{
	struct ockam_identity *a, *b, *rotated;
	uint8_t sa[32], sb[32], sc[32];
	struct ockam_buf x = { 0 }, out = { 0 };

	seed_from(sa, 0);
	seed_from(sb, 64);
	seed_from(sc, 128);
	ockam_identity_create(ED25519, sa, NOW, &a, NULL);
	ockam_identity_create(ED25519, sb, NOW, &b, NULL);
	ockam_identity_rotate(a, sa, ED25519, sc, NOW + 50, &rotated, NULL);
	credential_case("good", a, sa, b->identifier, b->identifier, a, NOW + 100, 0);
	credential_case("any subject", a, sa, b->identifier, NULL, a, NOW + 100, 0);
	credential_case("last second", a, sa, b->identifier, NULL, a, NOW + 1100, 0);
	credential_case("expired", a, sa, b->identifier, NULL, a, NOW + 1101, -EKEYEXPIRED);
	credential_case("a minute early", a, sa, b->identifier, NULL, a, NOW + 40, 0);
	credential_case("from the future", a, sa, b->identifier, NULL, a, NOW + 39, -EKEYEXPIRED);
	credential_case("another subject", a, sa, b->identifier, a->identifier, a, NOW + 100,
			-EKEYREJECTED);
	credential_case("unknown authority", a, sa, b->identifier, NULL, b, NOW + 100,
			-EKEYREJECTED);
	credential_case("authority rotated since", a, sa, b->identifier, NULL, rotated, NOW + 100,
			-EKEYREJECTED);
	/* A channel key must not sign credentials. */
	ockam_attestation_create(a, sa, OCKAM_PURPOSE_CHANNEL, sb, NOW, &x, NULL);
	ok_ret(ockam_credential_issue(x.data, x.len, sb, b->identifier, NULL, NULL, 0, NOW, 10,
				      &out, &err), -EKEYREJECTED, err, "channel key as issuer");
	ok(!out.len, "and nothing is put out");
	ockam_buf_free(&x);
	ockam_identity_free(a);
	ockam_identity_free(b);
	ockam_identity_free(rotated);
}

int main(void)
{
	struct json_object *root = vectors_load("identity.json");
	struct json_object *list = vectors_get(root, "identities");

	for (size_t i = 0; i < json_object_array_length(list); i++)
		check_known_identity(json_object_array_get_idx(list, i));
	test_rotation(root);
	test_rejected(root);
	test_identifier_text();
	test_history_rules();
	test_liberal(root);
	test_limits();
	test_growth();
	test_p256();
	test_p256_sign();
	test_p256_credential();
	test_credential_rules();
	json_object_put(root);
	return tap_done();
}
