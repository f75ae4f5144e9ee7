// SPDX-License-Identifier: Apache-2.0
/*
 * Handshakes of the worker: who is accepted, who is refused and how it is told,
 * what garbage does, and that a flood leaves the initiators alone.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "exchange.h"

static void test_accepted(void)
{
	struct ockam_payload_rules rules = { .now = (uint64_t)time(NULL) };
	struct ockam_peer peer;
	struct ockam_err err;
	struct side i, r;

	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	run(&i, &r);
	ok(i.nl.done == 1 && r.nl.done == 1, "both sides have a channel");
	ok_bytes(i.nl.tx, r.nl.rx, 32, "what one seals the other opens");
	ok_bytes(i.nl.rx, r.nl.tx, 32, "and the reverse");
	ok(memcmp(i.nl.tx, i.nl.rx, 32), "with two keys");
	ok_bytes(i.nl.peer, side_id(&r), 32, "the initiator knows the responder");
	ok_bytes(r.nl.peer, side_id(&i), 32, "the responder knows the initiator");
	ok(test_learnt == 2, "both learnt a new peer");
	ok(!i.nl.control_len, "the initiator sends nothing first");
	ok_ret(ockam_refresh_verify(r.nl.control, r.nl.control_len, side_id(&r), &rules, &peer,
				    &err), 0, err, "the responder first says who it is");
	ockam_peer_free(&peer);
	ok(!i.worker.exchanges.count && !r.worker.exchanges.count, "both have forgotten the exchange");
	side_free(&i);
	side_free(&r);
}

static void test_trust(void)
{
	struct ockam_trust other = { 0 }, none = { .kind = OCKAM_TRUST_LIST };
	uint8_t id[32] = { 42 };
	struct ockam_err err;
	struct side i, r;

	ockam_trust_add(&other, id, &err);
	side_init(&i, 1, NULL);
	side_init(&r, 5, &other);
	run(&i, &r);
	ok(i.nl.done == 1, "the initiator cannot see it yet");
	ok(r.nl.done == 2 && r.nl.error == -EACCES, "the responder refuses: %s", r.nl.reason);
	ok_bytes(i.nl.rx, r.nl.tx, 32, "in words that the initiator can open");
	side_free(&i);
	side_free(&r);

	side_init(&i, 1, &none);
	side_init(&r, 5, NULL);
	run(&i, &r);
	ok(i.nl.done == 3 && i.nl.error == -EACCES, "the initiator refuses: %s", i.nl.reason);
	ok(i.nl.sends == 1, "and says nothing more, least of all who it is");
	side_free(&i);
	side_free(&r);
	ockam_trust_free(&other);
}

static void test_history(void)
{
	struct ockam_identity *rotated = NULL;
	uint8_t next[32] = { 77 };
	struct ockam_err err;
	struct side i, r;

	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	ockam_identity_rotate(i.worker.keys[3]->identity, i.seed, ED25519, next,
			      (uint64_t)time(NULL), &rotated, &err);
	test_known = rotated;
	run(&i, &r);
	ok(r.nl.done == 2 && r.nl.error == -ESTALE, "an old history is refused: %s", r.nl.reason);
	test_known = NULL;
	side_free(&i);
	side_free(&r);

	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	test_known_error = -EAGAIN;
	run(&i, &r);
	ok(i.nl.done == 3 && i.nl.error == -EAGAIN,
	   "nobody is accepted while nobody can say what is known of him");
	test_known_error = 0;
	side_free(&i);
	side_free(&r);
	ockam_identity_free(rotated);
}

/* The identity of @s gets a second change, as number 3 and with another static key. */
static void side_rotate(struct side *s, int number)
{
	struct ockam_identity *old = s->worker.keys[3]->identity;
	struct ockamd_worker_key key = { 0 };
	uint64_t now = (uint64_t)time(NULL);
	struct ockam_err err;
	uint8_t public[32];
	uint8_t next[32];

	memset(next, number, 32);
	memset(key.secret, number + 1, 32);
	ockam_crypto_x25519_public(key.secret, public);
	ok_ret(ockam_identity_rotate(old, s->seed, OCKAM_KEY_P256, next, now, &key.identity, &err),
	       0, err, "the identity is rotated");
	ok_ret(ockam_attestation_create(key.identity, next, OCKAM_PURPOSE_CHANNEL, public, now,
					&key.attestation, &err), 0, err, "with a new static key");
	ok(!ockamd_worker_key_set(&s->worker, 3, &key), "and given to the worker");
	memcpy(s->seed, next, 32);
}

/* Exchanges under way end with the key they began with, later ones have the new one. */
static void test_rotation(void)
{
	struct side i, r;

	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	side_rotate(&i, 31);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, i.nl.message, i.nl.message_len);
	side_rotate(&r, 41);
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 1, r.nl.message, r.nl.message_len);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, i.nl.message, i.nl.message_len);
	ok(i.nl.done == 1 && r.nl.done == 1, "both rotated in the middle: a channel%s%s",
	   i.nl.reason, r.nl.reason);
	ok_bytes(i.nl.tx, r.nl.rx, 32, "what one seals the other opens");
	i.nl.done = 0;
	r.nl.done = 0;
	i.nl.sends = 0;
	run(&i, &r);
	ok(i.nl.done == 1 && r.nl.done == 1, "the next exchange with the new keys: a channel");
	ok_bytes(i.nl.peer, side_id(&r), 32, "with the identity that it was before");
	side_free(&i);
	side_free(&r);
}

static void test_garbage(void)
{
	static const size_t lengths[] = { 0, 1, 31, 32, 95, 96, 419, 32768 };
	uint8_t *garbage = malloc(32768);
	struct side i, r;
	size_t n;

	memset(garbage, 0xa5, 32768);
	for (n = 0; n < sizeof(lengths) / sizeof(lengths[0]); n++) {
		side_init(&r, 5, NULL);
		side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, garbage, lengths[n]);
		ok(lengths[n] < 32 ? r.nl.done == 3 : r.nl.sends == 1,
		   "a first message of %zu bytes", lengths[n]);
		r.nl.done = 0;
		if (lengths[n] >= 32) {
			side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, garbage, lengths[n]);
			ok(!r.nl.done && r.nl.skips == 1, "a third one of that length");
		}
		side_free(&r);

		side_init(&i, 1, NULL);
		side_take(&i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
		side_take(&i, 7, OCKAM_ROLE_INITIATOR, 1, garbage, lengths[n]);
		ok(i.nl.done == 3 && i.nl.error < 0, "a second one of %zu bytes: %s", lengths[n],
		   i.nl.reason);
		side_free(&i);
	}
	free(garbage);
}

static void test_kernel(void)
{
	static const uint8_t nonsense[] = { 0x83, 0x18, 0xff };
	static const uint8_t point[32] = { 9 }, zero[32];
	struct side i, r;

	side_init(&i, 1, NULL);
	i.nl.full = true;
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	ok(i.nl.done == 3 && i.nl.error == -ENOBUFS, "a message that cannot be sent");
	side_free(&i);

	side_init(&i, 1, NULL);
	ockam_buf_free(&i.opaque);
	ockam_buf_put(&i.opaque, nonsense, sizeof(nonsense));
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	ok(i.nl.done == 3 && i.nl.error == -EBADMSG, "worker data of somebody else");
	side_free(&i);

	side_init(&r, 5, NULL);
	ockam_buf_free(&r.opaque);
	ockamd_opaque_encode(&(struct ockamd_opaque){ .key = 200 }, &r.opaque);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, point, 32);
	ok(!r.nl.done && r.worker.n_awaiting == 1, "an identity that is not loaded is awaited");
	side_free(&r);

	side_init(&r, 5, NULL);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, zero, 32);
	ok(r.nl.done == 3 && r.nl.error == -EKEYREJECTED && !r.nl.sends,
	   "a point of low order is answered with nothing: %s", r.nl.reason);
	side_free(&r);
}

/* A responder @r that awaits the third message, which @i has written. */
static void second_done(struct side *i, struct side *r)
{
	side_init(i, 1, NULL);
	side_init(r, 5, NULL);
	side_take(i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	side_take(r, 9, OCKAM_ROLE_RESPONDER, 1, i->nl.message, i->nl.message_len);
	side_take(i, 7, OCKAM_ROLE_INITIATOR, 1, r->nl.message, r->nl.message_len);
}

/* @message instead of the third one is skipped, and nothing is different. */
static void stray(struct side *r, const void *message, size_t len, const char *what)
{
	struct ockamd_exchange *x = ockamd_exchange_lookup(&r->worker, 9);
	struct ockam_noise before = x->noise;
	unsigned int skips = r->nl.skips;

	side_take(r, 9, OCKAM_ROLE_RESPONDER, 2, message, len);
	ok(!r->nl.done && r->nl.sends == 1 && r->nl.skips == skips + 1,
	   "%s, %zu bytes: skipped", what, len);
	ok_bytes(&x->noise, &before, sizeof(before), "the exchange is as before");
}

/* The third message's first part is right, the rest is not: that was the initiator. */
static void spoilt(size_t flip, size_t len, const char *what)
{
	struct side i, r;

	second_done(&i, &r);
	i.nl.message[flip] ^= 4;
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, i.nl.message, len ? len : i.nl.message_len);
	ok(r.nl.done == 3 && r.nl.error == -EBADMSG && !r.nl.skips, "%s: %s", what, r.nl.reason);
	side_free(&i);
	side_free(&r);
}

static void test_strays(void)
{
	static const size_t lengths[] = { 0, 1, 24, 47, 48, 63, 64, 387, 32768 };
	static const size_t bits[] = { 0, 16, 31, 32, 47 };
	static uint8_t garbage[32768];
	struct side i, r;
	size_t n;

	memset(garbage, 0xa5, sizeof(garbage));
	second_done(&i, &r);
	for (n = 0; n < sizeof(lengths) / sizeof(lengths[0]); n++)
		stray(&r, garbage, lengths[n], "garbage");
	stray(&r, r.nl.message, r.nl.message_len, "the second message reflected");
	stray(&r, i.nl.message, 47, "the third one cut");
	for (n = 0; n < sizeof(bits) / sizeof(bits[0]); n++) {
		i.nl.message[bits[n]] ^= 1;
		stray(&r, i.nl.message, i.nl.message_len, "a flipped bit of the key");
		i.nl.message[bits[n]] ^= 1;
	}
	/* What FETCH gives when READY came twice for the one that was skipped. */
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, garbage, 32);
	ok(!r.nl.done && r.nl.sends == 1 && r.nl.skips == 16, "the first message again is nothing");
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, i.nl.message, i.nl.message_len);
	ok(r.nl.done == 1, "the right third message makes a channel: %s", r.nl.reason);
	ok_bytes(i.nl.tx, r.nl.rx, 32, "with the initiator's keys");
	side_free(&i);
	side_free(&r);

	spoilt(48, 0, "the first bit behind the key");
	spoilt(300, 0, "a bit of the payload");
	spoilt(300, 48, "the key alone");
	spoilt(300, 63, "a byte too few");
	spoilt(300, 64, "an empty payload");

	second_done(&i, &r);
	for (n = 0; n < OCKAM_TEST_SKIPS; n++)
		side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, garbage, 100);
	ok(!r.nl.done && r.nl.skips == OCKAM_TEST_SKIPS, "up to the kernel's limit");
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, garbage, 100);
	ok(r.nl.done == 3 && r.nl.error == -EBADMSG, "then it ends: %s", r.nl.reason);
	side_free(&i);
	side_free(&r);
}

#define TEST_MANY	20000	/* a node may allow that many at once */

/* Message 1 of anybody for @s, whose last message stays what it is. */
static void stranger(struct side *s, uint64_t id)
{
	uint8_t msg1[32] = { 9 }, message[32];
	size_t len = s->nl.message_len;

	memcpy(message, s->nl.message, sizeof(message));
	side_take(s, id, OCKAM_ROLE_RESPONDER, 1, msg1, sizeof(msg1));
	memcpy(s->nl.message, message, sizeof(message));
	s->nl.message_len = len;
}

static void test_flood(void)
{
	struct side i, r;
	uint64_t id;

	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	ok(!r.worker.exchanges.lists, "no memory before there is an exchange");
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, i.nl.message, i.nl.message_len);
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 1, r.nl.message, r.nl.message_len);
	for (id = 1000; id < 1000 + TEST_MANY; id++)
		stranger(&r, id);
	ok(r.worker.exchanges.count == TEST_MANY + 1, "all are kept, for the kernel limits them");
	r.nl.done = 0;
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, i.nl.message, i.nl.message_len);
	ok(i.nl.done == 1 && r.nl.done == 1, "a responder from before them comes through");

	/* Of all but a hundred the kernel's word that they have ended was lost. */
	r.nl.first = 2000;
	r.nl.last = 2100;
	r.nl.done = 0;
	ockamd_exchange_look(&r.worker);
	ok(r.worker.exchanges.count == 100, "those that ended unheard are forgotten");
	ok(!r.nl.done && ockamd_exchange_lookup(&r.worker, 2000) &&
	   ockamd_exchange_lookup(&r.worker, 2099), "those that are under way are as before");
	ockamd_exchange_look(&r.worker);
	ok(r.worker.exchanges.count == 100, "few are not looked at");
	side_free(&i);
	side_free(&r);
}

/* The third message of an exchange that this worker has not begun. */
static void test_unknown(void)
{
	struct side i, r;

	second_done(&i, &r);
	side_take(&r, 10, OCKAM_ROLE_RESPONDER, 2, i.nl.message, i.nl.message_len);
	ok(r.nl.done == 3 && r.nl.error == -EPROTO && r.nl.sends == 1,
	   "a third message without the first is no first one: %s", r.nl.reason);
	side_take(&i, 8, OCKAM_ROLE_INITIATOR, 1, r.nl.message, r.nl.message_len);
	ok(i.nl.done == 3 && i.nl.error == -EPROTO, "nor a second one: %s", i.nl.reason);
	r.nl.done = 0;
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, i.nl.message, i.nl.message_len);
	ok(r.nl.done == 1, "the one that it belongs to goes on");
	side_free(&i);
	side_free(&r);
}

/* A key that is still on its way to the worker. */
static void test_await_key(void)
{
	struct ockamd_worker_key *key;
	struct ockam_nl_fetched later;
	struct side i, r;
	uint64_t id;

	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	key = r.worker.keys[3];
	r.worker.keys[3] = NULL;
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, i.nl.message, i.nl.message_len);
	later = r.nl.next;
	ok(!r.nl.done && !r.nl.sends && !r.worker.exchanges.count, "waits for its key");
	ockamd_exchange_key_came(&r.worker);
	ok(!r.nl.done && !r.worker.n_awaiting, "what has ended meanwhile does no harm");
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, i.nl.message, i.nl.message_len);
	r.worker.keys[3] = key;
	r.nl.next = later;
	r.nl.next.exchange_id = 9;
	ockamd_exchange_key_came(&r.worker);
	ok(!r.nl.done && r.nl.sends == 1 && !r.worker.n_awaiting, "and goes on when it has come");
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 1, r.nl.message, r.nl.message_len);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, i.nl.message, i.nl.message_len);
	ok(r.nl.done == 1, "to the end");

	r.nl.done = 0;
	r.worker.keys[3] = NULL;
	for (id = 100; id < 100 + OCKAMD_WORKER_AWAITING; id++)
		side_take(&r, id, OCKAM_ROLE_RESPONDER, 1, i.nl.message, 32);
	ok(!r.nl.done, "%d may wait", OCKAMD_WORKER_AWAITING);
	side_take(&r, 99, OCKAM_ROLE_RESPONDER, 1, i.nl.message, 32);
	ok(r.nl.done == 3 && r.nl.error == -ENOKEY, "one more is refused: %s", r.nl.reason);
	r.worker.keys[3] = key;
	side_free(&i);
	side_free(&r);
}

int main(void)
{
	test_accepted();
	test_trust();
	test_history();
	test_rotation();
	test_garbage();
	test_kernel();
	test_strays();
	test_flood();
	test_unknown();
	test_await_key();
	return tap_done();
}
