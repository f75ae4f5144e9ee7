// SPDX-License-Identifier: Apache-2.0
/*
 * The handshake against handshake.json, and what happens to damaged, cut,
 * repeated and reordered messages.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "noise.h"
#include "tap.h"
#include "vectors.h"

#define SIZE	66000

/* Both sides of one exchange, with room for a message and a payload. */
struct pair {
	struct ockam_noise	i;
	struct ockam_noise	r;
	uint8_t			message[SIZE];
	uint8_t			payload[SIZE];
	size_t			message_len;
	size_t			payload_len;
	struct ockam_err	err;
};

static void check_state(const struct ockam_noise *noise, struct json_object *after,
			const char *side, int number)
{
	struct json_object *k = vectors_get(after, "k");
	uint8_t bytes[32];

	vectors_key(after, "h", bytes);
	ok_bytes(noise->h, bytes, 32, "%s: h after message %d", side, number);
	vectors_key(after, "ck", bytes);
	ok_bytes(noise->ck, bytes, 32, "%s: ck after message %d", side, number);
	ok(noise->n == (uint64_t)json_object_get_int64(vectors_get(after, "n")),
	   "%s: n after message %d", side, number);
	ok(!!k == noise->has_k, "%s: has a key or none after message %d", side, number);
	if (k) {
		vectors_key(after, "k", bytes);
		ok_bytes(noise->k, bytes, 32, "%s: k after message %d", side, number);
	}
}

static void start(struct pair *p, struct json_object *root)
{
	uint8_t s[32], e[32];

	vectors_key(vectors_get(root, "initiator"), "x25519_static_secret", s);
	vectors_key(root, "initiator_ephemeral_secret", e);
	ok_ret(ockam_noise_init(&p->i, OCKAM_NOISE_INITIATOR, s, e, &p->err), 0, p->err,
	       "initiator begins");
	vectors_key(vectors_get(root, "responder"), "x25519_static_secret", s);
	vectors_key(root, "responder_ephemeral_secret", e);
	ok_ret(ockam_noise_init(&p->r, OCKAM_NOISE_RESPONDER, s, e, &p->err), 0, p->err,
	       "responder begins");
}

/* Message @number (0 to 2) must come out as in the file and be taken. */
static void step(struct pair *p, struct json_object *root, int number)
{
	struct json_object *entry = json_object_array_get_idx(vectors_get(root, "messages"),
							      (size_t)number);
	struct ockam_noise *writer = number == 1 ? &p->r : &p->i;
	struct ockam_noise *reader = number == 1 ? &p->i : &p->r;
	struct ockam_buf message = vectors_bytes(entry, "message");
	struct ockam_buf payload = { 0 };
	int ret;

	if (number)
		payload = vectors_bytes(entry, "payload");
	ret = ockam_noise_write(writer, payload.data, payload.len, p->message, SIZE,
				&p->message_len, &p->err);
	ok_ret(ret, 0, p->err, "message %d is written", number + 1);
	ok(p->message_len == message.len, "message %d has %zu bytes", number + 1, message.len);
	ok_bytes(p->message, message.data, message.len, "message %d is as in the vectors",
		 number + 1);
	check_state(writer, vectors_get(entry, "after"), "writer", number + 1);
	ret = ockam_noise_read(reader, p->message, p->message_len, p->payload, SIZE,
			       &p->payload_len, &p->err);
	ok_ret(ret, 0, p->err, "message %d is read", number + 1);
	ok(p->payload_len == payload.len &&
	   (!payload.len || !memcmp(p->payload, payload.data, payload.len)),
	   "payload %d came through", number + 1);
	check_state(reader, vectors_get(entry, "after"), "reader", number + 1);
	ockam_buf_free(&message);
	ockam_buf_free(&payload);
}

static void test_vectors(struct json_object *root, struct pair *p)
{
	struct ockam_noise_keys ik, rk;
	uint8_t key[32];

	start(p, root);
	check_state(&p->i, vectors_get(root, "initial"), "initiator", 0);
	check_state(&p->r, vectors_get(root, "initial"), "responder", 0);
	ok(!ockam_noise_peer(&p->i) && !ockam_noise_peer(&p->r), "no peer is known yet");
	ok_ret(ockam_noise_finish(&p->i, &ik, &p->err), -EPROTO, p->err, "no keys yet");
	for (int number = 0; number < 3; number++)
		step(p, root, number);
	ok(ockam_noise_is_complete(&p->i) && ockam_noise_is_complete(&p->r), "both are complete");
	ok_bytes(ockam_noise_peer(&p->i), p->r.s_pub, 32, "initiator knows the responder's key");
	ok_bytes(ockam_noise_peer(&p->r), p->i.s_pub, 32, "responder knows the initiator's key");
	ok_ret(ockam_noise_finish(&p->i, &ik, &p->err), 0, p->err, "initiator's keys");
	ok_ret(ockam_noise_finish(&p->r, &rk, &p->err), 0, p->err, "responder's keys");
	vectors_key(root, "initiator_to_responder_key", key);
	ok_bytes(ik.send, key, 32, "initiator sends with k2");
	ok_bytes(rk.receive, key, 32, "responder receives with k2");
	vectors_key(root, "responder_to_initiator_key", key);
	ok_bytes(rk.send, key, 32, "responder sends with k1");
	ok_bytes(ik.receive, key, 32, "initiator receives with k1");
	ok(!p->i.done && !p->i.has_k, "the state is wiped");
}

/* One damaged message must be refused and leave every byte of the state. */
static bool refused(struct pair *p, struct ockam_noise *reader, const uint8_t *message,
		    size_t len, int want)
{
	struct ockam_noise before = *reader;
	int ret = ockam_noise_read(reader, message, len, p->payload, SIZE, &p->payload_len,
				   &p->err);

	return ret == want && !memcmp(&before, reader, sizeof(before)) && p->err.text[0];
}

/* Every bit and every length of messages 2 and 3; then the right one still works. */
static void test_damage(struct json_object *root, struct pair *p, int number)
{
	struct json_object *entry = json_object_array_get_idx(vectors_get(root, "messages"),
							      (size_t)number);
	struct ockam_noise *reader = number == 1 ? &p->i : &p->r;
	struct ockam_buf m = vectors_bytes(entry, "message");
	size_t bad_bits = 0, bad_cuts = 0;

	/* A flip in the ephemeral key's top bit does not change the point, but h. */
	for (size_t bit = 0; bit < m.len * 8; bit++) {
		m.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!refused(p, reader, m.data, m.len, -EBADMSG))
			bad_bits++;
		m.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ok(!bad_bits, "message %d: each of %zu bits matters, no flip changes the state",
	   number + 1, m.len * 8);
	for (size_t len = 0; len < m.len; len++)
		if (!refused(p, reader, m.data, len, -EBADMSG))
			bad_cuts++;
	ok(!bad_cuts, "message %d: refused when cut to any of %zu lengths", number + 1, m.len);
	ockam_buf_put_u8(&m, 0);
	ok(refused(p, reader, m.data, m.len, -EBADMSG), "message %d: refused with a byte more",
	   number + 1);
	ockam_buf_free(&m);
}

/* Which parts of message 3 tell that it is one of this exchange. */
static void test_stray(struct pair *p, struct ockam_buf *m)
{
	struct ockam_noise before = p->r;
	bool good = true;

	for (size_t len = 0; len <= m->len; len++)
		good &= ockam_noise_is_stray(&p->r, m->data, len) == (len < 48);
	for (size_t i = 0; i < m->len; i++) {
		m->data[i] ^= 1;
		good &= ockam_noise_is_stray(&p->r, m->data, m->len) == (i < 48);
		m->data[i] ^= 1;
	}
	ok(good, "the sealed key tells message 3 from strays, and nothing else does");
	ok(!ockam_noise_is_stray(&p->i, m->data, 1), "an initiator awaits no message 3");
	ok_bytes(&p->r, &before, sizeof(before), "the responder's state is unchanged");
}

static void test_bad_messages(struct json_object *root, struct pair *p)
{
	struct json_object *messages = vectors_get(root, "messages");
	struct ockam_buf m[3];
	uint8_t keep[200];

	for (size_t i = 0; i < 3; i++)
		m[i] = vectors_bytes(json_object_array_get_idx(messages, i), "message");
	start(p, root);
	for (size_t len = 0; len < 32; len++)
		if (!refused(p, &p->r, m[0].data, len, -EBADMSG))
			ok(false, "message 1 cut to %zu bytes", len);
	ok(refused(p, &p->i, m[0].data, m[0].len, -EPROTO),
	   "an initiator takes nothing before it has written");
	ok(ockam_noise_write(&p->r, NULL, 0, p->message, SIZE, &p->message_len, &p->err) == -EPROTO,
	   "a responder writes nothing before it has read");
	step(p, root, 0);
	ok(refused(p, &p->r, m[0].data, m[0].len, -EPROTO), "message 1 repeated");
	ok(refused(p, &p->i, m[2].data, m[2].len, -EBADMSG), "message 3 instead of 2");
	test_damage(root, p, 1);
	step(p, root, 1);
	ok(refused(p, &p->i, m[1].data, m[1].len, -EPROTO), "message 2 repeated");
	ok(refused(p, &p->r, m[1].data, m[1].len, -EBADMSG), "message 2 reflected to its writer");
	test_damage(root, p, 2);
	test_stray(p, &m[2]);
	step(p, root, 2);
	ok(!ockam_noise_is_stray(&p->r, m[0].data, m[0].len), "nothing is after message 3");
	ok(refused(p, &p->r, m[2].data, m[2].len, -EPROTO), "message 3 repeated");
	ok(ockam_noise_write(&p->i, NULL, 0, keep, sizeof(keep), &p->message_len,
			     &p->err) == -EPROTO,
	   "nothing is written after message 3");
	for (size_t i = 0; i < 3; i++)
		ockam_buf_free(&m[i]);
}

/* The points whose product with any secret is zero. */
static void test_low_order(struct pair *p)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	static const uint8_t secret[32] = { 1, 2, 3 };

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct ockam_buf point = vectors_unhex(points[i]);
		struct ockam_noise before;
		int ret;

		ockam_noise_init(&p->r, OCKAM_NOISE_RESPONDER, secret, NULL, NULL);
		ockam_noise_read(&p->r, point.data, 32, p->payload, SIZE, &p->payload_len, NULL);
		before = p->r;
		ret = ockam_noise_write(&p->r, NULL, 0, p->message, SIZE, &p->message_len, &p->err);
		ok(ret == -EKEYREJECTED && !memcmp(&before, &p->r, sizeof(before)),
		   "responder refuses low-order point %zu", i);

		ockam_noise_init(&p->i, OCKAM_NOISE_INITIATOR, secret, NULL, NULL);
		ockam_noise_write(&p->i, NULL, 0, p->message, SIZE, &p->message_len, NULL);
		memset(p->message, 0x55, 96);
		memcpy(p->message, point.data, 32);
		ok(refused(p, &p->i, p->message, 96, -EKEYREJECTED),
		   "initiator refuses low-order point %zu", i);
		ockam_buf_free(&point);
	}
}

static void test_sizes(struct pair *p)
{
	static const uint8_t secret[32] = { 7 };
	uint8_t *big = calloc(1, SIZE);
	size_t len;

	ockam_noise_init(&p->i, OCKAM_NOISE_INITIATOR, secret, NULL, NULL);
	ockam_noise_init(&p->r, OCKAM_NOISE_RESPONDER, secret, NULL, NULL);
	ok(ockam_noise_write(&p->i, NULL, 0, p->message, 31, &len, &p->err) == -EMSGSIZE,
	   "no room for message 1");
	ok(ockam_noise_write(&p->i, big, 65504, p->message, SIZE, &len, &p->err) == -EMSGSIZE,
	   "message 1 of 65536 bytes is not written");
	ok(ockam_noise_read(&p->r, big, 65536, p->payload, SIZE, &len, &p->err) == -EMSGSIZE,
	   "message 1 of 65536 bytes is not read");
	ok(ockam_noise_write(&p->i, big, 65503, p->message, SIZE, &len, &p->err) == 0 &&
	   len == 65535, "message 1 of 65535 bytes is written");
	ok(ockam_noise_read(&p->r, p->message, len, p->payload, 100, &len, &p->err) == -EMSGSIZE,
	   "no room for the payload");
	ok(ockam_noise_read(&p->r, p->message, 65535, p->payload, SIZE, &len, &p->err) == 0 &&
	   len == 65503, "and read; its payload is accepted");
	ok(ockam_noise_write(&p->r, big, 65440, p->message, SIZE, &len, &p->err) == -EMSGSIZE,
	   "message 2 of 65536 bytes is not written");
	ok(ockam_noise_write(&p->r, big, 65439, p->message, SIZE, &len, &p->err) == 0 &&
	   len == 65535, "message 2 of 65535 bytes is written");
	ok(ockam_noise_read(&p->i, p->message, len, p->payload, SIZE, &len, &p->err) == 0 &&
	   len == 65439, "and read");
	free(big);
}

/* Random keys: every exchange must agree on fresh keys. */
static void test_random(struct pair *p)
{
	struct ockam_noise_keys ik, rk, last = { { 0 }, { 0 } };
	uint8_t is[32], rs[32];
	bool good = true;

	for (int i = 0; i < 50; i++) {
		ockam_crypto_random(is, 32, NULL);
		ockam_crypto_random(rs, 32, NULL);
		good &= !ockam_noise_init(&p->i, OCKAM_NOISE_INITIATOR, is, NULL, NULL) &&
			!ockam_noise_init(&p->r, OCKAM_NOISE_RESPONDER, rs, NULL, NULL);
		for (int m = 0; m < 3; m++) {
			good &= !ockam_noise_write(m == 1 ? &p->r : &p->i, "x", 1, p->message, SIZE,
						   &p->message_len, NULL);
			good &= !ockam_noise_read(m == 1 ? &p->i : &p->r, p->message,
						  p->message_len, p->payload, SIZE,
						  &p->payload_len, NULL);
		}
		good &= !ockam_noise_finish(&p->i, &ik, NULL) &&
			!ockam_noise_finish(&p->r, &rk, NULL) &&
			!memcmp(ik.send, rk.receive, 32) && !memcmp(ik.receive, rk.send, 32) &&
			memcmp(ik.send, ik.receive, 32) && memcmp(ik.send, last.send, 32);
		last = ik;
	}
	ok(good, "50 exchanges with random keys agree");
}

int main(void)
{
	struct json_object *root = vectors_load("handshake.json");
	struct pair *p = calloc(1, sizeof(*p));
	struct ockam_err err;

	if (!p)
		return 1;
	ok_ret(ockam_crypto_warm_up(&err), 0, err, "every primitive is there");
	test_vectors(root, p);
	test_bad_messages(root, p);
	test_low_order(p);
	test_sizes(p);
	test_random(p);
	json_object_put(root);
	free(p);
	return tap_done();
}
