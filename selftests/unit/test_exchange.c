// SPDX-License-Identifier: Apache-2.0
/*
 * Handshakes of the worker against each other, with a kernel made of two
 * variables: who is accepted, who is refused and how it is told, what garbage
 * does, and that a flood leaves the initiators alone.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <unistd.h>

#include "../../tools/ockamd/log.h"
#include "../../tools/ockamd/worker.h"
#include "../../tools/ockamd/workerpipe.h"
#include "tap.h"

#define ED25519	OCKAM_KEY_ED25519

/* ---- the kernel ------------------------------------------------------------ */

struct ockam_nl {
	struct ockam_nl_fetched	next;		/* what FETCH gives */
	uint8_t			message[OCKAM_HANDSHAKE_MAX];
	size_t			message_len;	/* what SEND took */
	unsigned int		sends;
	int			done;		/* 0 no, 1 well, 2 refused, 3 failed */
	int			error;
	char			reason[256];
	uint8_t			tx[32], rx[32], peer[32];
	size_t			control_len;
	uint8_t			control[1024];
	bool			full;		/* SEND fails */
};

int ockam_nl_fetch(struct ockam_nl *nl, uint64_t id, struct ockam_nl_fetched *out,
		   struct ockam_err *err)
{
	if (!nl->next.exchange_id || nl->next.exchange_id != id)
		return ockam_err_set(err, -ENOENT, "no such exchange");
	*out = nl->next;
	return 0;
}

void ockam_nl_fetched_free(struct ockam_nl_fetched *out)
{
	memset(out, 0, sizeof(*out));
}

int ockam_nl_handshake_send(struct ockam_nl *nl, uint64_t id, const void *message, size_t len,
			    struct ockam_err *err)
{
	(void)id;
	if (nl->full)
		return ockam_err_set(err, -ENOBUFS, "the link is full");
	memcpy(nl->message, message, len);
	nl->message_len = len;
	nl->sends++;
	return 0;
}

int ockam_nl_done(struct ockam_nl *nl, const struct ockam_nl_done *done, struct ockam_err *err)
{
	(void)err;
	nl->done = 1;
	memcpy(nl->tx, done->key_tx, 32);
	memcpy(nl->rx, done->key_rx, 32);
	memcpy(nl->peer, done->peer, 32);
	nl->control_len = done->control.len;
	if (done->control.len)
		memcpy(nl->control, done->control.data, done->control.len);
	return 0;
}

int ockam_nl_done_failed(struct ockam_nl *nl, uint64_t id, int error, const char *reason,
			 struct ockam_err *err)
{
	(void)id;
	(void)err;
	nl->done = 3;
	nl->error = error;
	snprintf(nl->reason, sizeof(nl->reason), "%.255s", reason);
	return 0;
}

int ockam_nl_done_refused(struct ockam_nl *nl, const struct ockam_nl_done *done, int error,
			  const char *reason, struct ockam_err *err)
{
	ockam_nl_done_failed(nl, done->exchange_id, error, reason, err);
	nl->done = 2;
	memcpy(nl->tx, done->key_tx, 32);
	memcpy(nl->rx, done->key_rx, 32);
	return 0;
}

/* ---- the node process -------------------------------------------------------- */

static unsigned int test_learnt;
static const struct ockam_identity *test_known;	/* history on record, for its identifier */
static int test_known_error;

int ockamd_worker_known(void *arg, const uint8_t id[OCKAM_IDENTIFIER_LEN],
			const uint8_t **history, size_t *len)
{
	(void)arg;
	if (test_known_error)
		return test_known_error;
	if (!test_known || memcmp(test_known->identifier, id, OCKAM_IDENTIFIER_LEN))
		return 0;
	*history = test_known->history;
	*len = test_known->history_len;
	return 1;
}

void ockamd_worker_learnt(const struct ockam_peer *peer)
{
	test_learnt += peer->is_new || peer->is_newer;
}

void ockamd_worker_refreshed(const struct ockam_nl_control *control, const struct ockam_peer *peer)
{
	(void)control;
	(void)peer;
}

void ockamd_log(enum ockamd_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

#include "../../tools/ockamd/worker_exchange.c"
#include "../../tools/ockamd/worker_key.c"
#include "../../tools/ockamd/workerpipe.c"

/* ---- a side -------------------------------------------------------------------- */

struct side {
	struct ockamd_worker	worker;
	struct ockam_nl		nl;
	struct ockam_buf	opaque;
	uint8_t			seed[32];
};

static void side_init(struct side *s, int number, const struct ockam_trust *trust)
{
	struct ockamd_opaque opaque = { .key = 3 };
	struct ockamd_worker_key key = { 0 };
	uint64_t now = (uint64_t)time(NULL);
	struct ockam_err err;
	uint8_t public[32];

	memset(s, 0, sizeof(*s));
	s->worker.nl = &s->nl;
	s->worker.keys = calloc(OCKAMD_PIPE_KEYS, sizeof(*s->worker.keys));
	s->worker.payload = malloc(OCKAM_NOISE_MESSAGE_MAX);
	s->worker.message = malloc(OCKAM_NOISE_MESSAGE_MAX);
	ockamd_exchange_allocate(&s->worker);
	memset(s->seed, number, 32);
	memset(key.secret, number + 1, 32);
	ockam_crypto_x25519_public(key.secret, public);
	ockam_identity_create(ED25519, s->seed, now - 10, &key.identity, &err);
	ockam_attestation_create(key.identity, s->seed, OCKAM_PURPOSE_CHANNEL, public, now,
				 &key.attestation, &err);
	ockamd_worker_key_set(&s->worker, 3, &key);
	if (trust)
		opaque.trust = *trust;
	ockamd_opaque_encode(&opaque, &s->opaque);
}

static void side_free(struct side *s)
{
	size_t i;

	for (i = 0; i < OCKAMD_WORKER_EXCHANGES; i++)
		ockamd_exchange_drop(&s->worker, &s->worker.exchanges[i]);
	ok(!s->worker.n_exchanges, "no exchange is left");
	ok(s->worker.keys[3]->refs == 1, "nobody holds the key any more");
	ockamd_worker_key_put(s->worker.keys[3]);
	ockam_buf_free(&s->opaque);
	free(s->worker.keys);
	free(s->worker.payload);
	free(s->worker.message);
	free(s->worker.exchanges);
}

static const uint8_t *side_id(const struct side *s)
{
	return s->worker.keys[3]->identity->identifier;
}

/* Let @s fetch @message as number @number of exchange @id. */
static void side_take(struct side *s, uint64_t id, uint8_t role, uint32_t number,
		      const uint8_t *message, size_t len)
{
	memset(&s->nl.next, 0, sizeof(s->nl.next));
	s->nl.next.exchange_id = id;
	s->nl.next.role = role;
	s->nl.next.message_number = number;
	s->nl.next.message.data = message;
	s->nl.next.message.len = len;
	s->nl.next.opaque.data = s->opaque.data;
	s->nl.next.opaque.len = s->opaque.len;
	ockamd_exchange_advance(&s->worker, id);
	s->nl.next.exchange_id = 0;
}

/* Run as far as both sides go. */
static void run(struct side *i, struct side *r)
{
	test_learnt = 0;
	side_take(i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	side_take(r, 9, OCKAM_ROLE_RESPONDER, 1, i->nl.message, i->nl.message_len);
	if (!r->nl.done)
		side_take(i, 7, OCKAM_ROLE_INITIATOR, 1, r->nl.message, r->nl.message_len);
	if (i->nl.sends == 2)
		side_take(r, 9, OCKAM_ROLE_RESPONDER, 2, i->nl.message, i->nl.message_len);
}

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
	ok(!i.worker.n_exchanges && !r.worker.n_exchanges, "both have forgotten the exchange");
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
			ok(r.nl.done == 3 && r.nl.error < 0, "a third one of that length: %s",
			   r.nl.reason);
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
	ok(r.nl.done == 3 && r.nl.error == -ENOKEY, "an identity that is not loaded");
	side_free(&r);

	side_init(&r, 5, NULL);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, zero, 32);
	ok(r.nl.done == 3 && r.nl.error == -EKEYREJECTED && !r.nl.sends,
	   "a point of low order is answered with nothing: %s", r.nl.reason);
	side_free(&r);
}

static void test_flood(void)
{
	uint8_t msg1[32] = { 9 };
	struct side i, r;
	uint64_t id;

	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	for (id = 1000; id < 1000 + OCKAMD_WORKER_EXCHANGES + 100; id++) {
		uint8_t message[32];
		size_t len = i.nl.message_len;

		memcpy(message, i.nl.message, sizeof(message));
		side_take(&i, id, OCKAM_ROLE_RESPONDER, 1, msg1, sizeof(msg1));
		memcpy(i.nl.message, message, sizeof(message));
		i.nl.message_len = len;
	}
	ok(i.worker.n_exchanges == OCKAMD_WORKER_EXCHANGES, "the table is full");
	i.nl.done = 0;
	i.nl.sends = 1;
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 1, i.nl.message, i.nl.message_len);
	side_take(&i, 7, OCKAM_ROLE_INITIATOR, 1, r.nl.message, r.nl.message_len);
	side_take(&r, 9, OCKAM_ROLE_RESPONDER, 2, i.nl.message, i.nl.message_len);
	ok(i.nl.done == 1 && r.nl.done == 1, "an initiator from before the flood comes through");
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
	test_flood();
	return tap_done();
}
