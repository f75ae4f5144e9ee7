/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes of the worker against each other, with a kernel made of two
 * variables. Include it once in a program.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_UNIT_EXCHANGE_H
#define OCKAM_UNIT_EXCHANGE_H

#include <stdlib.h>
#include <unistd.h>

#include "../../tools/ockamd/log.h"
#include "../../tools/ockamd/worker.h"
#include "../../tools/ockamd/workerpipe.h"
#include "tap.h"

#define ED25519	OCKAM_KEY_ED25519
#define OCKAM_TEST_SKIPS	32	/* the kernel's limit */

/* ---- the kernel ------------------------------------------------------------ */

struct ockam_nl {
	struct ockam_nl_fetched	next;		/* what FETCH gives */
	uint8_t			message[OCKAM_HANDSHAKE_MAX];
	size_t			message_len;	/* what SEND took */
	unsigned int		sends;
	unsigned int		skips;
	int			done;		/* 0 no, 1 well, 2 refused, 3 failed */
	int			error;
	char			reason[256];
	uint8_t			tx[32], rx[32], peer[32];
	uint64_t		expiry;
	size_t			attributes_len;
	size_t			control_len;
	uint8_t			control[1024];
	bool			full;		/* SEND fails */
	uint64_t		first, last;	/* others that are under way there */
};

int ockam_nl_fetch(struct ockam_nl *nl, uint64_t id, struct ockam_nl_fetched *out,
		   struct ockam_err *err)
{
	if (id >= nl->first && id < nl->last) {
		/* What it has sent already. */
		memset(out, 0, sizeof(*out));
		out->exchange_id = id;
		out->role = OCKAM_ROLE_RESPONDER;
		out->message_number = 1;
		return 0;
	}
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

int ockam_nl_handshake_skip(struct ockam_nl *nl, uint64_t id, struct ockam_err *err)
{
	(void)id;
	if (nl->skips == OCKAM_TEST_SKIPS)
		return ockam_err_set(err, -ENOBUFS, "too many");
	nl->skips++;
	return 0;
}

int ockam_nl_done(struct ockam_nl *nl, const struct ockam_nl_done *done, struct ockam_err *err)
{
	(void)err;
	nl->done = 1;
	memcpy(nl->tx, done->key_tx, 32);
	memcpy(nl->rx, done->key_rx, 32);
	memcpy(nl->peer, done->peer, 32);
	nl->expiry = done->expiry;
	nl->attributes_len = done->attributes.len;
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

static unsigned int test_learnt, test_earned;
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

void ockamd_worker_learnt(const struct ockam_peer *peer, bool earned)
{
	test_earned += earned;
	test_learnt += peer->is_new || peer->is_newer;
}

static unsigned int test_proved, test_refreshed;
static uint8_t test_issuer[OCKAM_IDENTIFIER_LEN];	/* of the credential reported last */

void ockamd_worker_proved(const struct ockam_peer *peer)
{
	test_proved++;
	memcpy(test_issuer, peer->issuer, sizeof(test_issuer));
}

void ockamd_worker_refreshed(const struct ockam_nl_control *control, const struct ockam_peer *peer)
{
	test_refreshed += control->encryptor.len == 1;
	memcpy(test_issuer, peer->issuer, sizeof(test_issuer));
}

int ockam_nl_control_send(struct ockam_nl *nl, const void *encryptor, size_t encryptor_len,
			  const void *body, size_t len, struct ockam_err *err)
{
	(void)encryptor;
	if (encryptor_len != 1)
		return ockam_err_set(err, -ENOENT, "no such channel");
	nl->control_len = len;
	memcpy(nl->control, body, len);
	return 0;
}

void ockamd_log(enum ockamd_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

int64_t ockamd_worker_now(void)
{
	return 1;
}

#include "../../tools/ockamd/worker_socket.c"
#include "../../tools/ockamd/worker_exchange.c"
#include "../../tools/ockamd/worker_key.c"
#include "../../tools/ockamd/worker_trust.c"
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
	ockamd_worker_trust_allocate(&s->worker);
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

	for (i = 0; i < s->worker.exchanges.n_lists; i++)
		while (LIST_FIRST(&s->worker.exchanges.lists[i]))
			ockamd_exchange_drop(&s->worker,
					     LIST_FIRST(&s->worker.exchanges.lists[i]));
	ok(!s->worker.exchanges.count, "no exchange is left");
	ok(s->worker.keys[3]->refs == 1, "nobody holds the key any more");
	ockamd_worker_key_put(s->worker.keys[3]);
	ockam_buf_free(&s->opaque);
	ockam_buf_free(&s->worker.presents[3].credential);
	ockam_identity_free(s->worker.authorities[0]);
	ockam_identity_free(s->worker.authorities[5]);
	free(s->worker.presents);
	free(s->worker.authorities);
	free(s->worker.keys);
	free(s->worker.payload);
	free(s->worker.message);
	free(s->worker.exchanges.lists);
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

#endif /* OCKAM_UNIT_EXCHANGE_H */
