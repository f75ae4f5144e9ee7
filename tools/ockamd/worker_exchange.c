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

#define OCKAMD_EXCHANGE_LOOK	1024	/* fewer are not looked at: some may have ended unheard */
#define OCKAMD_EXCHANGE_LISTS	64	/* of the table at first */

/*
 * Born: with the first message of its id. Dies: when the kernel was told how it
 * ended or says so, or, when it could not say so because our receive buffer was
 * full, when it is asked. Never to make room: what is here is under way there.
 * Holds secrets: ockamd_exchange_drop() wipes it.
 */
struct ockamd_exchange {
	LIST_ENTRY(ockamd_exchange) link;
	uint64_t		id;
	uint8_t			role;		/* enum ockam_role */
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

static struct ockamd_exchange_list *ockamd_exchange_list(const struct ockamd_exchanges *t,
							 uint64_t id)
{
	/* The kernel counts: neighbours have lists of their own. */
	return &t->lists[id & (t->n_lists - 1)];
}

static void ockamd_exchange_drop(struct ockamd_worker *worker, struct ockamd_exchange *x)
{
	size_t i;

	for (i = 0; i < x->n_credentials; i++)
		ockam_buf_free(&x->credentials[i]);
	ockam_trust_free(&x->trust);
	ockamd_worker_key_put(x->key);
	LIST_REMOVE(x, link);
	ockam_crypto_wipe(x, sizeof(*x));
	free(x);
	worker->exchanges.count--;
}

static struct ockamd_exchange *ockamd_exchange_lookup(struct ockamd_worker *worker, uint64_t id)
{
	struct ockamd_exchange *x;

	if (!worker->exchanges.n_lists)
		return NULL;
	LIST_FOREACH(x, ockamd_exchange_list(&worker->exchanges, id), link)
		if (x->id == id)
			return x;
	return NULL;
}

static int ockamd_exchange_grow(struct ockamd_exchanges *t)
{
	struct ockamd_exchanges new = *t;
	struct ockamd_exchange *x;
	size_t i;

	new.n_lists = t->n_lists ? 2 * t->n_lists : OCKAMD_EXCHANGE_LISTS;
	new.lists = calloc(new.n_lists, sizeof(*new.lists));
	if (!new.lists)
		return -ENOMEM;
	for (i = 0; i < t->n_lists; i++) {
		while ((x = LIST_FIRST(&t->lists[i]))) {
			LIST_REMOVE(x, link);
			LIST_INSERT_HEAD(ockamd_exchange_list(&new, x->id), x, link);
		}
	}
	free(t->lists);
	*t = new;
	return 0;
}

/* A new one, or NULL without memory. */
static struct ockamd_exchange *ockamd_exchange_add(struct ockamd_worker *worker, uint64_t id)
{
	struct ockamd_exchanges *t = &worker->exchanges;
	struct ockamd_exchange *x;

	/* Longer lists are slower, not wrong; without any there is nowhere to put it. */
	if (t->count >= t->n_lists && ockamd_exchange_grow(t) && !t->n_lists)
		return NULL;
	x = calloc(1, sizeof(*x));
	if (!x)
		return NULL;
	x->id = id;
	LIST_INSERT_HEAD(ockamd_exchange_list(t, id), x, link);
	t->count++;
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

/*
 * The node process has had no room in the pipe for this key yet, or has been asked
 * which one it is: once it comes, the message is fetched again. -EAGAIN, or
 * -ENOKEY when too many wait.
 */
static int ockamd_exchange_await_key(struct ockamd_worker *worker, uint64_t id,
				     struct ockam_err *err)
{
	if (worker->n_awaiting == OCKAMD_WORKER_AWAITING)
		return ockam_err_set(err, -ENOKEY, "The identity of this handshake is not loaded");
	worker->awaiting[worker->n_awaiting++] = id;
	return -EAGAIN;
}

void ockamd_exchange_key_came(struct ockamd_worker *worker)
{
	uint64_t ids[OCKAMD_WORKER_AWAITING];
	size_t i, n = worker->n_awaiting;

	memcpy(ids, worker->awaiting, n * sizeof(*ids));
	worker->n_awaiting = 0;
	for (i = 0; i < n; i++)
		ockamd_exchange_advance(worker, ids[i]);
}

/* The first message of an exchange: decide with which key, set up Noise. */
static int ockamd_exchange_begin(struct ockamd_worker *worker, const struct ockam_nl_fetched *f,
				 struct ockamd_exchange **xp, struct ockam_err *err)
{
	uint32_t first = f->role == OCKAM_ROLE_RESPONDER ? 1 : 0;
	struct ockamd_opaque opaque;
	struct ockamd_exchange *x;
	int ret;

	/* Begun with a worker before this one: what that one knew is lost. */
	if (f->message_number != first)
		return ockam_err_set(err, -EPROTO,
				     "Message %u of a handshake whose beginning is not known here",
				     f->message_number + first);
	x = ockamd_exchange_add(worker, f->exchange_id);
	if (!x)
		return ockam_err_set(err, -ENOMEM, "No memory for one more handshake");
	*xp = x;
	if (ockamd_socket_is(f->opaque.data, f->opaque.len))
		ret = ockamd_socket_rules(f->opaque.data, f->opaque.len, &opaque, err);
	else
		ret = ockamd_opaque_decode(f->opaque.data, f->opaque.len, &opaque, err);
	if (ret == -EAGAIN)
		return ockamd_exchange_await_key(worker, f->exchange_id, err);
	if (ret)
		return ret;
	x->role = f->role;
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
		return ockamd_exchange_await_key(worker, f->exchange_id, err);
	return ockam_noise_init_pair(&x->noise, f->role == OCKAM_ROLE_INITIATOR ?
				     OCKAM_NOISE_INITIATOR : OCKAM_NOISE_RESPONDER,
				     x->key->secret, x->key->public, NULL, err);
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
	rules->signatures = &worker->signatures;
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

/* Is the peer more than one of all that may come? */
static bool ockamd_exchange_is_earned(const struct ockamd_exchange *x,
				      const struct ockam_peer *peer)
{
	return x->role == OCKAM_ROLE_INITIATOR || peer->has_credential || x->trust.policy ||
		x->trust.kind != OCKAM_TRUST_EVERYONE;
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
		ockamd_worker_learnt(peer, ockamd_exchange_is_earned(x, peer));
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

/*
 * Was the peer's message of this number answered? Then there was no READY, or
 * what that one was about has been skipped.
 */
static bool ockamd_exchange_has_seen(const struct ockamd_exchange *x, uint32_t number)
{
	return x->noise.done > (x->role == OCKAM_ROLE_RESPONDER ? 2 * (number - 1) : number);
}

/* One fetched message. *over: the kernel was told how the exchange ended. */
static int ockamd_exchange_step(struct ockamd_worker *worker, struct ockamd_exchange *x,
				const struct ockam_nl_fetched *f, bool *over,
				struct ockam_err *err)
{
	size_t len;
	int ret;

	if (ockamd_exchange_has_seen(x, f->message_number))
		return 0;
	if (!f->message.data)
		return ockamd_exchange_write(worker, x, false, err);
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
	if (!x) {
		ret = ockamd_exchange_begin(worker, f, &x, &err);
		if (ret == -EAGAIN) {
			ockamd_exchange_drop(worker, x);
			return;
		}
	}
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
	/* It has ended, which the kernel says in this way. */
	if (ret == -ENOENT || ret == -EPROTO) {
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

void ockamd_exchange_look(struct ockamd_worker *worker)
{
	struct ockamd_exchanges *t = &worker->exchanges;
	struct ockamd_exchange *x, *next;
	size_t i;

	if (t->count < (t->look_at ? t->look_at : OCKAMD_EXCHANGE_LOOK))
		return;
	for (i = 0; i < t->n_lists; i++) {
		for (x = LIST_FIRST(&t->lists[i]); x; x = next) {
			next = LIST_NEXT(x, link);
			ockamd_exchange_advance(worker, x->id);
		}
	}
	/* Twice as many come before the next look: it costs a new exchange next to nothing. */
	t->look_at = t->count < OCKAMD_EXCHANGE_LOOK / 2 ? OCKAMD_EXCHANGE_LOOK : 2 * t->count;
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
	ockamd_worker_learnt(&peer, false);
	ockam_peer_free(&peer);
}
