// SPDX-License-Identifier: Apache-2.0
/*
 * The vectors of wire-protocol section 13, from protocol.json: a handshake with
 * its states, sealed packets and the next key, an identity of the Rust crates'
 * tests, and one with its rotation, attestations and a credential, byte for byte.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "credential.h"
#include "noise.h"
#include "tap.h"
#include "vectors.h"

#define KIND	OCKAM_KEY_ED25519

static struct ockam_err err;

/* Are @len bytes those of member @key? */
static void is(const uint8_t *bytes, size_t len, struct json_object *from, const char *key)
{
	struct ockam_buf want = vectors_bytes(from, key);

	ok(want.len == len && !memcmp(want.data, bytes, len), "%s", key);
	ockam_buf_free(&want);
}

/* 13.1 */
static void test_handshake(struct json_object *v)
{
	struct ockam_buf two = vectors_bytes(v, "payload2"), three = vectors_bytes(v, "payload3");
	uint8_t s[32], e[32], message[512], payload[512];
	struct ockam_noise_keys keys, other;
	struct ockam_noise i, r;
	size_t len, n;

	vectors_key(v, "initiator_static", s);
	vectors_key(v, "initiator_ephemeral", e);
	ockam_noise_init(&i, OCKAM_NOISE_INITIATOR, s, e, &err);
	is(i.s_pub, 32, v, "initiator_public");
	is(i.h, 32, v, "h_after_init");
	vectors_key(v, "responder_static", s);
	vectors_key(v, "responder_ephemeral", e);
	ockam_noise_init(&r, OCKAM_NOISE_RESPONDER, s, e, &err);
	is(r.s_pub, 32, v, "responder_public");

	ok_ret(ockam_noise_write(&i, NULL, 0, message, sizeof(message), &len, &err), 0, err, "msg1");
	is(message, len, v, "msg1");
	ok_ret(ockam_noise_read(&r, message, len, payload, sizeof(payload), &n, &err), 0, err, "read");
	is(r.h, 32, v, "h_after_msg1");
	ok_ret(ockam_noise_write(&r, two.data, two.len, message, sizeof(message), &len, &err), 0,
	       err, "msg2");
	is(message, len, v, "msg2");
	is(r.ck, 32, v, "ck_after_es");
	is(r.k, 32, v, "k_after_es");
	ok_ret(ockam_noise_read(&i, message, len, payload, sizeof(payload), &n, &err), 0, err, "read");
	is(payload, n, v, "payload2");
	is(i.h, 32, v, "h_after_msg2");
	ok_ret(ockam_noise_write(&i, three.data, three.len, message, sizeof(message), &len, &err),
	       0, err, "msg3");
	is(message, len, v, "msg3");
	ok_ret(ockam_noise_read(&r, message, len, payload, sizeof(payload), &n, &err), 0, err, "read");
	is(payload, n, v, "payload3");
	is(r.h, 32, v, "final_h");
	is(r.ck, 32, v, "final_ck");
	ok(!ockam_noise_finish(&i, &keys, &err) && !ockam_noise_finish(&r, &other, &err), "keys");
	is(keys.receive, 32, v, "k1");
	is(keys.send, 32, v, "k2");
	ok(!memcmp(keys.send, other.receive, 32) && !memcmp(keys.receive, other.send, 32),
	   "the other side has them too");
	ockam_buf_free(&two);
	ockam_buf_free(&three);
}

/* A packet of the data phase: number in big endian, sealed plaintext. */
static void check_packet(struct json_object *entry, const uint8_t key[32])
{
	struct ockam_buf plain = vectors_bytes(entry, "plaintext");
	uint64_t nonce = (uint64_t)json_object_get_int64(vectors_get(entry, "nonce"));
	uint8_t packet[256] = { 0 };

	packet[7] = (uint8_t)nonce;
	ockam_crypto_seal(key, nonce, NULL, 0, plain.data, plain.len, packet + 8);
	is(packet, 8 + plain.len + OCKAM_TAG_LEN, entry, "packet");
	ockam_buf_free(&plain);
}

/* The next key: 32 zero bytes, sealed with the highest number, without the tag. */
static void rekey(const uint8_t key[32], uint8_t next[32])
{
	uint8_t sealed[32 + OCKAM_TAG_LEN] = { 0 };

	ockam_crypto_seal(key, UINT64_MAX, NULL, 0, sealed, 32, sealed);
	memcpy(next, sealed, 32);
}

/* 13.2 */
static void test_transport(struct json_object *v)
{
	struct json_object *packets = vectors_get(v, "packets");
	uint8_t key[32], next[32], zero[32] = { 0 };

	vectors_key(v, "key", key);
	for (size_t i = 0; i < json_object_array_length(packets); i++)
		check_packet(json_object_array_get_idx(packets, i), key);
	rekey(key, next);
	is(next, 32, v, "next_key");
	check_packet(vectors_get(v, "after_rekey"), next);
	rekey(zero, next);
	is(next, 32, v, "rekey_of_zeros");
}

static struct ockam_identity *decode(struct json_object *v)
{
	struct ockam_buf history = vectors_bytes(v, "change_history");
	char text[OCKAM_IDENTIFIER_TEXT];
	struct ockam_identity *identity;

	ok_ret(ockam_identity_decode(history.data, history.len, &identity, &err), 0, err,
	       "history decodes");
	ockam_identifier_format(identity->identifier, text);
	ok_text(text, vectors_text(v, "identifier"), "identifier");
	ockam_buf_free(&history);
	return identity;
}

static void check_credential(struct json_object *v, const struct ockam_identity *a,
			     const uint8_t secret[32])
{
	static const struct ockam_attribute attributes[] = {
		{ { (const uint8_t *)"ockam-role", 10 }, { (const uint8_t *)"x", 1 } },
		{ { (const uint8_t *)"app", 3 }, { (const uint8_t *)"demo", 4 } },
		{ { (const uint8_t *)"ockam-role", 10 }, { (const uint8_t *)"member", 6 } },
	};
	uint64_t created = (uint64_t)json_object_get_int64(vectors_get(v, "credential_created"));
	uint64_t ttl = (uint64_t)json_object_get_int64(vectors_get(v, "credential_ttl"));
	struct ockam_identity *authority = (struct ockam_identity *)a;
	struct ockam_buf attestation = { 0 }, out = { 0 };
	struct ockam_credential *c = calloc(1, sizeof(*c));
	struct ockam_public_key public;
	struct ockam_reader r;
	uint8_t key[32];

	vectors_key(v, "credential_secret", key);
	ockam_crypto_ed25519_public(key, &public);
	ockam_attestation_create(a, secret, OCKAM_PURPOSE_CREDENTIAL, public.bytes,
				 a->changes[0].valid_from, &attestation, &err);
	is(attestation.data, attestation.len, v, "credential_attestation");
	ok_ret(ockam_credential_issue(attestation.data, attestation.len, key, a->identifier,
				      a->changes[0].hash, attributes, 3, created, ttl, &out, &err),
	       0, err, "issued; the later of two values counts");
	is(out.data + 1, out.len - 1 - attestation.len, v, "credential");
	ockam_reader_init(&r, out.data, out.len);
	ok_ret(ockam_credential_decode(&r, c, &err), 0, err, "decodes");
	ok(c->n_attributes == 2 && c->bytes.len == out.len && c->schema == 1, "two attributes");
	ok_ret(ockam_credential_verify(c, a->identifier, &authority, 1, created, &err), 0, err,
	       "verifies");
	ockam_buf_free(&attestation);
	ockam_buf_free(&out);
	free(c);
}

/* 13.4 */
static void test_deterministic(struct json_object *v, struct json_object *handshake)
{
	uint64_t from = (uint64_t)json_object_get_int64(vectors_get(v, "valid_from"));
	uint64_t then = (uint64_t)json_object_get_int64(vectors_get(v, "rotated_from"));
	struct ockam_identity *a = decode(v), *made, *rotated;
	struct ockam_buf attestation = { 0 };
	uint8_t secret[32], next[32], public[32];

	vectors_key(v, "secret", secret);
	ok_ret(ockam_identity_create(KIND, secret, from, &made, &err), 0, err, "made");
	is(made->history, made->history_len, v, "change_history");
	vectors_key(v, "rotated_secret", next);
	ok_ret(ockam_identity_rotate(a, secret, KIND, next, then, &rotated, &err), 0, err,
	       "rotated");
	ok(rotated->history[0] == 0x82 && !memcmp(rotated->history + 1, a->history + 1,
						  a->history_len - 1), "the first change stays");
	is(rotated->history + a->history_len, rotated->history_len - a->history_len, v,
	   "second_change");
	is(rotated->changes[1].hash, 32, v, "second_hash");
	vectors_key(handshake, "initiator_public", public);
	ockam_attestation_create(a, secret, OCKAM_PURPOSE_CHANNEL, public, from, &attestation,
				 &err);
	is(attestation.data, attestation.len, v, "channel_attestation");
	check_credential(v, a, secret);
	ockam_buf_free(&attestation);
	ockam_identity_free(rotated);
	ockam_identity_free(made);
	ockam_identity_free(a);
}

int main(void)
{
	struct json_object *root = vectors_load("protocol.json");
	struct json_object *handshake = vectors_get(root, "handshake");

	test_handshake(handshake);
	test_transport(vectors_get(root, "transport"));
	/* 13.3 */
	ockam_identity_free(decode(vectors_get(root, "crate_identity")));
	test_deterministic(vectors_get(root, "deterministic"), handshake);
	json_object_put(root);
	return tap_done();
}
