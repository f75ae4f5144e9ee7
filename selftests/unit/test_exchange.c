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
	uint64_t		expiry;
	size_t			attributes_len;
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
	ockamd_exchange_allocate(&s->worker);
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

	for (i = 0; i < OCKAMD_WORKER_EXCHANGES; i++)
		ockamd_exchange_drop(&s->worker, &s->worker.exchanges[i]);
	ok(!s->worker.n_exchanges, "no exchange is left");
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

/* ---- credentials ----------------------------------------------------------------- */

/* A credential for @subject by the identity made of @number, as it is given to both sides. */
struct authority {
	struct ockam_identity	*identity;
	uint8_t			seed[32], key[32];
	struct ockam_buf	attestation;
};

static void authority_init(struct authority *a, int number)
{
	uint64_t now = (uint64_t)time(NULL);
	struct ockam_public_key public;

	memset(a, 0, sizeof(*a));
	memset(a->seed, number, 32);
	memset(a->key, number + 1, 32);
	ockam_crypto_ed25519_public(a->key, &public);
	ockam_identity_create(ED25519, a->seed, now - 100, &a->identity, NULL);
	ockam_attestation_create(a->identity, a->seed, OCKAM_PURPOSE_CREDENTIAL, public.bytes,
				 now - 90, &a->attestation, NULL);
}

static void authority_free(struct authority *a)
{
	ockam_identity_free(a->identity);
	ockam_buf_free(&a->attestation);
}

static struct ockam_buf authority_issue(const struct authority *a, const uint8_t *subject,
					int64_t begin, uint64_t ttl)
{
	struct ockam_attribute attribute = {
		{ (const uint8_t *)"app", 3 }, { (const uint8_t *)"demo", 4 },
	};
	struct ockam_buf out = { 0 };

	ockam_credential_issue(a->attestation.data, a->attestation.len, a->key, subject, NULL,
			       &attribute, 1, (uint64_t)(time(NULL) + begin), ttl, &out, NULL);
	return out;
}

/* What the node process tells: packets behind their type. */
static void side_authority(struct side *s, uint64_t index, const struct authority *a)
{
	struct ockam_buf packet = { 0 };
	struct ockam_reader r;

	ockam_buf_put_uint(&packet, index);
	ockam_buf_put_bytes(&packet, a->identity->history, a->identity->history_len);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_authority(&s->worker, &r), "an authority is taken");
	ockam_buf_free(&packet);
}

static void side_present(struct side *s, uint64_t expires_at, const struct ockam_buf *credential)
{
	struct ockam_buf packet = { 0 };
	struct ockam_reader r;

	ockam_buf_put_uint(&packet, 3);
	ockam_buf_put_uint(&packet, expires_at);
	if (credential)
		ockam_buf_put_bytes(&packet, credential->data, credential->len);
	else
		ockam_buf_put_null(&packet);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_present(&s->worker, &r), "a credential is taken");
	ockam_buf_free(&packet);
}

/* @opaque as worker data of @s. */
static void side_opaque(struct side *s, struct ockamd_opaque opaque)
{
	struct ockamd_opaque back;
	bool good = true;
	size_t len;

	opaque.key = 3;
	ockam_buf_free(&s->opaque);
	ockamd_opaque_encode(&opaque, &s->opaque);
	for (len = 0; len < s->opaque.len; len++)
		good &= ockamd_opaque_decode(s->opaque.data, len, &back, NULL) != 0;
	ok(good, "worker data cut anywhere is refused");
}

/* The initiator has @credential; the responder's rule wants one of @a. */
static void credential_case(const struct authority *a, const struct ockam_buf *credential,
			    uint64_t expires_at, int want, const char *what)
{
	struct ockamd_opaque wants = { .has_authority = true };
	struct ockamd_opaque presents = { .present = true };
	uint64_t now = (uint64_t)time(NULL);
	struct side i, r;

	wants.trust.has_authority = true;
	memcpy(wants.trust.authority, a->identity->identifier, 32);
	memcpy(wants.authority, a->identity->identifier, 32);
	ockam_policy_parse("app=demo", &wants.trust.policy, NULL);
	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	side_opaque(&i, presents);
	side_opaque(&r, wants);
	side_authority(&r, 0, a);
	side_present(&i, expires_at, credential);
	test_proved = 0;
	run(&i, &r);
	if (!want) {
		ok(r.nl.done == 1 && i.nl.done == 1, "%s: accepted", what);
		ok(r.nl.expiry > now && r.nl.attributes_len == 10, "until it expires");
		ok(test_proved == 1, "and reported, before the channel");
		ok(!i.nl.expiry, "the initiator's end has no expiry");
	} else if (i.nl.sends) {
		ok(r.nl.done == 2 && r.nl.error == want, "%s: refused: %s", what, r.nl.reason);
		ok(!test_proved, "nothing is reported");
	} else {
		ok(i.nl.done == 3 && i.nl.error == want, "%s: not begun: %s", what, i.nl.reason);
	}
	ockam_trust_free(&wants.trust);
	side_free(&i);
	side_free(&r);
}

static void test_credentials(void)
{
	uint64_t now = (uint64_t)time(NULL);
	struct authority a, stranger;
	struct ockam_buf c;
	struct side i;

	authority_init(&a, 40);
	authority_init(&stranger, 50);
	side_init(&i, 1, NULL);

	c = authority_issue(&a, side_id(&i), -5, 600);
	credential_case(&a, &c, now + 595, 0, "a good credential");
	credential_case(&a, &c, now - 1, -ENOKEY, "one that the node process says has expired");
	c.data[c.len / 2] ^= 1;
	credential_case(&a, &c, now + 595, -EACCES, "a flipped bit");
	ockam_buf_free(&c);
	credential_case(&a, NULL, 0, -ENOKEY, "none");
	c = authority_issue(&a, side_id(&i), -50, 20);
	credential_case(&a, &c, now + 595, -EACCES, "one that has expired");
	ockam_buf_free(&c);
	c = authority_issue(&stranger, side_id(&i), -5, 600);
	credential_case(&a, &c, now + 595, -EACCES, "another authority's");
	ockam_buf_free(&c);
	c = authority_issue(&a, stranger.identity->identifier, -5, 600);
	credential_case(&a, &c, now + 595, -EACCES, "another identity's");
	ockam_buf_free(&c);

	side_free(&i);
	authority_free(&a);
	authority_free(&stranger);
}

/* Whoever must present a credential and has none is no responder either. */
static void test_bare(void)
{
	struct ockamd_opaque counts = { .has_authority = true };
	struct authority a;
	struct ockam_buf c;
	struct side i, r;

	authority_init(&a, 40);
	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	side_opaque(&r, (struct ockamd_opaque){ .present = true });
	run(&i, &r);
	ok(r.nl.done == 2 && r.nl.error == -ENOKEY, "a responder without: %s", r.nl.reason);
	ok_bytes(i.nl.rx, r.nl.tx, 32, "and tells its peer so");
	side_free(&i);

	/* It comes with no restart. */
	side_init(&i, 1, NULL);
	c = authority_issue(&a, side_id(&r), -5, 600);
	side_present(&r, (uint64_t)time(NULL) + 595, &c);
	side_authority(&i, 5, &a);
	r.nl.done = 0;
	r.nl.sends = 0;
	memcpy(counts.authority, a.identity->identifier, 32);
	side_opaque(&i, counts);
	test_proved = 0;
	run(&i, &r);
	ok(r.nl.done == 1 && i.nl.done == 1, "with one it is");
	ok(test_proved == 1 && i.nl.attributes_len, "the initiator has its attributes");
	ok(!i.nl.expiry, "and goes on without them when they expire");
	ockam_buf_free(&c);
	side_free(&i);
	side_free(&r);
	authority_free(&a);
}

static void refresh_case(struct side *s, const struct ockam_nl_control *control,
			 const struct ockam_buf *credentials, size_t n, unsigned int want,
			 const char *what)
{
	struct ockam_nl_control c = *control;
	struct ockam_piece pieces[3];
	struct ockam_buf body = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		pieces[i] = (struct ockam_piece){ credentials[i].data, credentials[i].len };
	ockam_refresh_build(s->worker.keys[3]->identity, pieces, n, &body, NULL);
	c.body.data = body.data;
	c.body.len = body.len;
	test_refreshed = 0;
	ockamd_exchange_control(&s->worker, &c);
	ok(test_refreshed == want, "%s: %u reported", what, want);
	ockam_buf_free(&body);
}

static void test_refresh(void)
{
	struct ockam_nl_control control = { .encryptor = { 1, "e" }, .peer.present = true };
	static const uint8_t nonsense[] = { 0x82, 1, 2 };
	struct authority a, b, stranger;
	struct ockam_buf c[3] = { 0 }, packet = { 0 };
	struct ockam_reader r;
	struct side s;

	authority_init(&a, 40);
	authority_init(&b, 60);
	authority_init(&stranger, 50);
	side_init(&s, 1, NULL);
	side_authority(&s, 0, &a);
	side_authority(&s, 5, &b);
	memcpy(control.peer.id, side_id(&s), 32);
	c[0] = authority_issue(&a, side_id(&s), -5, 600);
	c[1] = authority_issue(&b, side_id(&s), -5, 600);
	c[2] = authority_issue(&stranger, side_id(&s), -5, 600);
	refresh_case(&s, &control, c, 1, 1, "one of an authority");
	ok_bytes(test_issuer, a.identity->identifier, 32, "of the first one");
	refresh_case(&s, &control, c, 3, 2, "two and a stranger's");
	ok_bytes(test_issuer, b.identity->identifier, 32, "of the second one last");
	refresh_case(&s, &control, &c[2], 1, 0, "a stranger's");
	refresh_case(&s, &control, NULL, 0, 0, "none");
	control.peer.id[0] ^= 1;
	refresh_case(&s, &control, c, 1, 0, "another identity than the channel's peer");
	control.peer.id[0] ^= 1;
	control.body.data = nonsense;
	control.body.len = sizeof(nonsense);
	ockamd_exchange_control(&s.worker, &control);
	ok(!test_refreshed, "nonsense is nothing");

	/* Sent: what is presented now, on a channel that there is. */
	side_present(&s, (uint64_t)time(NULL) + 595, &c[0]);
	ockam_buf_put_uint(&packet, 3);
	ockam_buf_put_bytes(&packet, "e", 1);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_refresh(&s.worker, &r) && s.nl.control_len, "a refresh is sent");
	control.body.data = s.nl.control;
	control.body.len = s.nl.control_len;
	test_refreshed = 0;
	ockamd_exchange_control(&s.worker, &control);
	ok(test_refreshed == 1, "that verifies");
	s.nl.control_len = 0;
	side_present(&s, 0, NULL);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_refresh(&s.worker, &r) && !s.nl.control_len,
	   "without a credential nothing is sent");

	for (int i = 0; i < 3; i++)
		ockam_buf_free(&c[i]);
	ockam_buf_free(&packet);
	side_free(&s);
	authority_free(&a);
	authority_free(&b);
	authority_free(&stranger);
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
	test_credentials();
	test_bare();
	test_refresh();
	test_flood();
	return tap_done();
}
