// SPDX-License-Identifier: Apache-2.0
/*
 * Handshakes: one Noise exchange each (wire-protocol section 5). The kernel
 * keeps deadlines and routes; here are keys, checks and decisions.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "noise.h"
#include "worker.h"
#include "workerpipe.h"

/*
 * The kernel says when it has ended an exchange, unless our receive buffer was
 * full. Seconds after which one is forgotten here all the same; above the
 * kernel's own limits.
 */
#define OCKAMD_EXCHANGE_INITIATOR	150
#define OCKAMD_EXCHANGE_RESPONDER	60

/*
 * Born: with the first message of its id. Dies: when the kernel was told how
 * it ended, some time later if it never is, or to make room: then the oldest
 * responder goes, which the kernel's limits have most probably ended.
 * Holds secrets: ockamd_exchange_drop() wipes it.
 */
struct ockamd_exchange {
	uint64_t		id;		/* 0: free */
	uint8_t			role;		/* enum ockam_role */
	time_t			deadline;	/* monotonic, seconds */
	struct ockamd_worker_key *key;		/* held */
	struct ockam_noise	noise;
	struct ockam_trust	trust;
	bool			has_authority;	/* whose credentials count */
	bool			bare;		/* has to present a credential, has none */
	bool			strayed;	/* something was no message of it */
	uint8_t			authority[OCKAM_IDENTIFIER_LEN];
	struct ockam_buf	credentials[OCKAMD_PIPE_CREDENTIALS];
	size_t			n_credentials;
};

int ockamd_exchange_allocate(struct ockamd_worker *worker)
{
	worker->exchanges = calloc(OCKAMD_WORKER_EXCHANGES, sizeof(*worker->exchanges));
	return worker->exchanges ? 0 : -ENOMEM;
}

static time_t ockamd_exchange_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void ockamd_exchange_drop(struct ockamd_worker *worker, struct ockamd_exchange *x)
{
	size_t i;

	if (!x->id)
		return;
	for (i = 0; i < x->n_credentials; i++)
		ockam_buf_free(&x->credentials[i]);
	ockam_trust_free(&x->trust);
	ockamd_worker_key_put(x->key);
	ockam_crypto_wipe(x, sizeof(*x));
	worker->n_exchanges--;
}

static struct ockamd_exchange *ockamd_exchange_lookup(struct ockamd_worker *worker, uint64_t id)
{
	struct ockamd_exchange *x;
	size_t i;

	/* In its usual place, or behind it. */
	for (i = 0; i < OCKAMD_WORKER_EXCHANGES; i++) {
		x = &worker->exchanges[(id + i) % OCKAMD_WORKER_EXCHANGES];
		if (x->id == id)
			return x;
		if (i > worker->furthest)
			break;
	}
	return NULL;
}

/* Make room: all that is over, else the oldest responder. */
static void ockamd_exchange_sweep(struct ockamd_worker *worker)
{
	struct ockamd_exchange *oldest = NULL;
	time_t now = ockamd_exchange_clock();
	size_t before = worker->n_exchanges;
	struct ockamd_exchange *x;
	size_t i;

	for (i = 0; i < OCKAMD_WORKER_EXCHANGES; i++) {
		x = &worker->exchanges[i];
		if (x->id && x->deadline < now)
			ockamd_exchange_drop(worker, x);
		else if (x->id && x->role == OCKAM_ROLE_RESPONDER &&
			 (!oldest || x->id < oldest->id))
			oldest = x;
	}
	if (worker->n_exchanges == before && oldest)
		ockamd_exchange_drop(worker, oldest);
}

/* A free slot, or NULL. */
static struct ockamd_exchange *ockamd_exchange_slot(struct ockamd_worker *worker, uint64_t id)
{
	struct ockamd_exchange *x = NULL;
	size_t i;

	if (worker->n_exchanges == OCKAMD_WORKER_EXCHANGES)
		ockamd_exchange_sweep(worker);
	for (i = 0; i < OCKAMD_WORKER_EXCHANGES; i++) {
		x = &worker->exchanges[(id + i) % OCKAMD_WORKER_EXCHANGES];
		if (!x->id)
			break;
	}
	if (!x || x->id)
		return NULL;
	if (worker->furthest < i)
		worker->furthest = i;
	x->id = id;
	worker->n_exchanges++;
	return x;
}

static int ockamd_exchange_keep_credential(struct ockamd_exchange *x, const void *data, size_t len)
{
	struct ockam_buf *copy = &x->credentials[x->n_credentials++];

	ockam_buf_put(copy, data, len);
	return copy->failed ? -ENOMEM : 0;
}

static int ockamd_exchange_keep_credentials(struct ockamd_worker *worker, struct ockamd_exchange *x,
					    const struct ockamd_opaque *opaque)
{
	const struct ockam_buf *present;
	size_t i;
	int ret;

	for (i = 0; i < opaque->n_credentials; i++) {
		ret = ockamd_exchange_keep_credential(x, opaque->credentials[i].data,
						      opaque->credentials[i].len);
		if (ret)
			return ret;
	}
	if (!opaque->present || x->n_credentials == OCKAMD_PIPE_CREDENTIALS)
		return 0;
	present = ockamd_worker_present(worker, opaque->key);
	x->bare = !present;
	return present ? ockamd_exchange_keep_credential(x, present->data, present->len) : 0;
}

static int ockamd_exchange_bare(struct ockam_err *err)
{
	return ockam_err_set(err, -ENOKEY,
			     "this node must present a credential and has no valid one: see ockam credential store");
}

/* The first message of an exchange: decide with which key, set up Noise. */
static int ockamd_exchange_begin(struct ockamd_worker *worker, const struct ockam_nl_fetched *f,
				 struct ockamd_exchange **xp, struct ockam_err *err)
{
	struct ockamd_opaque opaque;
	struct ockamd_exchange *x;
	int ret;

	x = ockamd_exchange_slot(worker, f->exchange_id);
	if (!x)
		return ockam_err_set(err, -EBUSY, "Too many handshakes at once");
	*xp = x;
	ret = ockamd_opaque_decode(f->opaque.data, f->opaque.len, &opaque, err);
	if (ret)
		return ret;
	x->role = f->role;
	x->deadline = ockamd_exchange_clock() + (f->role == OCKAM_ROLE_INITIATOR ?
		OCKAMD_EXCHANGE_INITIATOR : OCKAMD_EXCHANGE_RESPONDER);
	x->key = ockamd_worker_key_get(worker, opaque.key);
	x->trust = opaque.trust;
	x->has_authority = opaque.has_authority;
	memcpy(x->authority, opaque.authority, sizeof(x->authority));
	ret = ockamd_exchange_keep_credentials(worker, x, &opaque);
	if (ret)
		return ockam_err_set(err, ret, "Out of memory");
	/* A responder can say it as soon as there are keys. */
	if (x->bare && x->role == OCKAM_ROLE_INITIATOR)
		return ockamd_exchange_bare(err);
	if (!x->key)
		return ockam_err_set(err, -ENOKEY, "The identity of this handshake is not loaded");
	return ockam_noise_init(&x->noise, f->role == OCKAM_ROLE_INITIATOR ?
				OCKAM_NOISE_INITIATOR : OCKAM_NOISE_RESPONDER,
				x->key->secret, NULL, err);
}

/* ---- messages --------------------------------------------------------------- */

/* Write this side's next message, with who we are unless it is the first. */
static int ockamd_exchange_write(struct ockamd_worker *worker, struct ockamd_exchange *x,
				 bool introduce, struct ockam_err *err)
{
	const struct ockamd_worker_key *key = x->key;
	struct ockam_piece credentials[OCKAMD_PIPE_CREDENTIALS];
	struct ockam_buf payload = { 0 };
	size_t i, len;
	int ret = 0;

	for (i = 0; i < x->n_credentials; i++) {
		credentials[i].data = x->credentials[i].data;
		credentials[i].len = x->credentials[i].len;
	}
	if (introduce)
		ret = ockam_payload_build(key->identity, key->attestation.data,
					  key->attestation.len, credentials, x->n_credentials,
					  &payload, err);
	if (!ret)
		ret = ockam_noise_write(&x->noise, payload.data, payload.len, worker->message,
					OCKAM_HANDSHAKE_MAX, &len, err);
	ockam_buf_free(&payload);
	return ret ? ret : ockam_nl_handshake_send(worker->nl, x->id, worker->message, len, err);
}

static int ockamd_exchange_read(struct ockamd_worker *worker, struct ockamd_exchange *x,
				const struct ockam_nl_fetched *f, size_t *len,
				struct ockam_err *err)
{
	return ockam_noise_read(&x->noise, f->message.data, f->message.len, worker->payload,
				OCKAM_NOISE_MESSAGE_MAX, len, err);
}

static void ockamd_exchange_rules(struct ockamd_worker *worker,
				  struct ockam_payload_rules *rules)
{
	memset(rules, 0, sizeof(*rules));
	rules->strict = worker->strict;
	rules->now = (uint64_t)time(NULL);
	rules->known = ockamd_worker_known;
	rules->arg = worker;
}

/* The checks of the peer's introduction, all of them. */
static int ockamd_exchange_verify(struct ockamd_worker *worker, struct ockamd_exchange *x,
				  size_t len, struct ockam_peer *peer, struct ockam_err *err)
{
	struct ockam_payload_rules rules;

	if (x->bare)
		return ockamd_exchange_bare(err);
	ockamd_exchange_rules(worker, &rules);
	rules.trust = &x->trust;
	if (x->has_authority) {
		rules.authorities = ockamd_worker_authority(worker, x->authority);
		rules.n_authorities = 1;
		if (!rules.authorities)
			return ockam_err_set(err, -ENOKEY,
					     "The authority of this handshake is not loaded");
	}
	return ockam_payload_verify(worker->payload, len, ockam_noise_peer(&x->noise), &rules,
				    peer, err);
}

/* ---- the end ------------------------------------------------------------------ */

/* What an accepting responder says first: who it is, no credentials. */
static int ockamd_exchange_accept_body(struct ockamd_exchange *x, struct ockam_buf *body,
				       struct ockam_err *err)
{
	if (x->role != OCKAM_ROLE_RESPONDER)
		return 0;
	return ockam_refresh_build(x->key->identity, NULL, 0, body, err);
}

/* Success: give the kernel the keys. */
static int ockamd_exchange_install(struct ockamd_worker *worker, struct ockamd_exchange *x,
				   const struct ockam_peer *peer, struct ockam_err *err)
{
	struct ockam_nl_done done = { .exchange_id = x->id };
	struct ockam_buf body = { 0 };
	struct ockam_noise_keys keys;
	int ret;

	ret = ockamd_exchange_accept_body(x, &body, err);
	if (ret)
		return ret;
	ret = ockam_noise_finish(&x->noise, &keys, err);
	if (!ret) {
		done.key_tx = keys.send;
		done.key_rx = keys.receive;
		done.peer = peer->identity->identifier;
		done.local_id = x->key->identity->identifier;
		if (peer->has_credential) {
			done.attributes.data = peer->attributes.data;
			done.attributes.len = peer->attributes.len;
			/* A channel lives on when it could have been made without. */
			if (ockam_trust_needs_credential(&x->trust, done.peer))
				done.expiry = peer->expires_at;
			ockamd_worker_proved(peer);
		}
		done.control.data = body.data;
		done.control.len = body.len;
		/* Before the channel is reported, so that whoever hears of it finds the peer. */
		ockamd_worker_learnt(peer);
		ret = ockam_nl_done(worker->nl, &done, err);
	}
	ockam_crypto_wipe(&keys, sizeof(keys));
	ockam_buf_free(&body);
	return ret;
}

/*
 * A responder whose peer did not pass: it has keys with that peer by now, so
 * it can say no in a way that only this peer can read.
 */
static int ockamd_exchange_refuse(struct ockamd_worker *worker, struct ockamd_exchange *x,
				  int error, const char *reason)
{
	struct ockam_nl_done done = { .exchange_id = x->id };
	static const uint8_t nobody[OCKAM_IDENTIFIER_LEN];
	struct ockam_noise_keys keys;
	int ret;

	ret = ockam_noise_finish(&x->noise, &keys, NULL);
	if (!ret) {
		done.key_tx = keys.send;
		done.key_rx = keys.receive;
		done.peer = nobody;
		ret = ockam_nl_done_refused(worker->nl, &done, error, reason, NULL);
	}
	ockam_crypto_wipe(&keys, sizeof(keys));
	return ret;
}

/* Check the peer's introduction of @len bytes; end the exchange or go on. */
static int ockamd_exchange_judge(struct ockamd_worker *worker, struct ockamd_exchange *x,
				 size_t len, bool *over, struct ockam_err *err)
{
	struct ockam_peer peer = { 0 };
	int ret;

	ret = ockamd_exchange_verify(worker, x, len, &peer, err);
	if (ret && x->role == OCKAM_ROLE_RESPONDER &&
	    !ockamd_exchange_refuse(worker, x, ret, err->text)) {
		ockamd_info("exchange %llu: refused: %s", (unsigned long long)x->id, err->text);
		*over = true;
		return 0;
	}
	if (ret)
		return ret;
	if (peer.credential_err.code)
		ockamd_info("exchange %llu: a credential does not count: %s",
			    (unsigned long long)x->id, peer.credential_err.text);
	if (x->role == OCKAM_ROLE_INITIATOR)
		ret = ockamd_exchange_write(worker, x, true, err);
	if (!ret)
		ret = ockamd_exchange_install(worker, x, &peer, err);
	ockam_peer_free(&peer);
	*over = !ret;
	return ret;
}

/*
 * What a responder fetched as third message is none: a packet that overtook it,
 * or anybody's. Somebody else than the peer shall not end the exchange by that,
 * up to the kernel's limit. 0: it goes on as if nothing had come.
 */
static int ockamd_exchange_skip(struct ockamd_worker *worker, struct ockamd_exchange *x,
				const struct ockam_nl_fetched *f)
{
	struct ockam_err err;
	int ret;

	if (!ockam_noise_is_stray(&x->noise, f->message.data, f->message.len))
		return -EBADMSG;
	ret = ockam_nl_handshake_skip(worker->nl, x->id, &err);
	if (!ret && !x->strayed)
		ockamd_info("exchange %llu: dropped %zu bytes that are not its third message; more of them are dropped silently",
			    (unsigned long long)x->id, f->message.len);
	x->strayed = true;
	return ret;
}

/* One fetched message. *over: the kernel was told how the exchange ended. */
static int ockamd_exchange_step(struct ockamd_worker *worker, struct ockamd_exchange *x,
				const struct ockam_nl_fetched *f, bool *over,
				struct ockam_err *err)
{
	size_t len;
	int ret;

	if (!f->message.data)
		return ockamd_exchange_write(worker, x, false, err);
	/* A second READY for it, and what it was about has been skipped. */
	if (x->noise.done == 2 && f->message_number == 1 && x->role == OCKAM_ROLE_RESPONDER)
		return 0;
	ret = ockamd_exchange_read(worker, x, f, &len, err);
	if (ret == -EBADMSG && !ockamd_exchange_skip(worker, x, f))
		return 0;
	if (ret)
		return ret;
	if (x->role == OCKAM_ROLE_RESPONDER && !ockam_noise_is_complete(&x->noise))
		return ockamd_exchange_write(worker, x, true, err);
	return ockamd_exchange_judge(worker, x, len, over, err);
}

static void ockamd_exchange_take(struct ockamd_worker *worker, const struct ockam_nl_fetched *f)
{
	struct ockam_err err = { 0 };
	struct ockamd_exchange *x;
	bool over = false;
	int ret = 0;

	x = ockamd_exchange_lookup(worker, f->exchange_id);
	if (!x)
		ret = ockamd_exchange_begin(worker, f, &x, &err);
	if (!ret)
		ret = ockamd_exchange_step(worker, x, f, &over, &err);
	if (ret) {
		/* -ENOENT: the kernel ended it while we were at work. */
		if (ret != -ENOENT)
			ockamd_info("exchange %llu: failed: %s",
				    (unsigned long long)f->exchange_id, err.text);
		ockam_nl_done_failed(worker->nl, f->exchange_id, ret, err.text, NULL);
	}
	if (x && (ret || over))
		ockamd_exchange_drop(worker, x);
}

void ockamd_exchange_advance(struct ockamd_worker *worker, uint64_t id)
{
	struct ockam_nl_fetched fetched;
	struct ockamd_exchange *x;
	struct ockam_err err;
	int ret;

	ret = ockam_nl_fetch(worker->nl, id, &fetched, &err);
	/* It has ended, which the kernel says in this way: its place is free. */
	if (ret == -ENOENT) {
		x = ockamd_exchange_lookup(worker, id);
		if (x)
			ockamd_exchange_drop(worker, x);
		return;
	}
	if (ret) {
		ockamd_warn("exchange %llu: cannot fetch: %s", (unsigned long long)id, err.text);
		return;
	}
	ockamd_exchange_take(worker, &fetched);
	ockam_nl_fetched_free(&fetched);
}

/* A refreshed credential verified; whether it counts there is for the node process to say. */
static void ockamd_exchange_refreshed(void *arg, const struct ockam_peer *peer)
{
	struct ockamd_worker *worker = arg;

	ockamd_worker_refreshed(worker->control, peer);
}

void ockamd_exchange_control(struct ockamd_worker *worker,
			     const struct ockam_nl_control *control)
{
	struct ockam_payload_rules rules;
	struct ockam_peer peer = { 0 };
	struct ockam_err err;
	int ret;

	if (!control->peer.present)
		return;
	ockamd_exchange_rules(worker, &rules);
	rules.authorities = worker->authorities;
	rules.n_authorities = OCKAMD_PIPE_AUTHORITIES;
	rules.verified = ockamd_exchange_refreshed;
	worker->control = control;
	ret = ockam_refresh_verify(control->body.data, control->body.len, control->peer.id, &rules,
				   &peer, &err);
	worker->control = NULL;
	if (ret) {
		/* As the protocol wants it: ignored, the channel stays as it is. */
		ockamd_info("a channel's peer sent credentials that do not verify: %s", err.text);
		return;
	}
	if (peer.credential_err.code)
		ockamd_info("a channel's peer sent a credential that does not count: %s",
			    peer.credential_err.text);
	ockamd_worker_learnt(&peer);
	ockam_peer_free(&peer);
}
