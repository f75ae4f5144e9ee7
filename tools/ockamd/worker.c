// SPDX-License-Identifier: Apache-2.0
/*
 * The handshake worker: its life, and its talk with the node process.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "log.h"
#include "sandbox.h"
#include "worker.h"
#include "workerpipe.h"

#define OCKAMD_WORKER_ASK_MS	3000	/* the node process may be busy with its store */

/* ---- to the node process --------------------------------------------------- */

static void ockamd_worker_log(enum ockamd_level level, const char *text)
{
	struct ockam_buf packet = { 0 };

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_LOG, 2);
	ockam_buf_put_uint(&packet, level);
	ockam_buf_put_text(&packet, text);
	/* A line is not worth waiting for. */
	ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, 0);
	ockam_buf_free(&packet);
}

static void ockamd_worker_say_failed(const struct ockam_err *err)
{
	struct ockam_buf packet = { 0 };

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_FAILED, 2);
	ockam_buf_put_uint(&packet, (uint64_t)-err->code);
	ockam_buf_put_text(&packet, err->text);
	ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, OCKAMD_WORKER_ASK_MS);
	ockam_buf_free(&packet);
}

/* The process's one worker; callbacks that are given no argument use it. */
static struct ockamd_worker ockamd_worker_self;

int64_t ockamd_worker_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Remember a history for a moment; NULL forgets. */
static void ockamd_worker_remember(const uint8_t id[OCKAM_IDENTIFIER_LEN], const uint8_t *history,
				   size_t len, bool earned)
{
	struct ockamd_worker_known *known = &ockamd_worker_self.known[id[0]];

	free(known->history);
	known->history = history ? malloc(len) : NULL;
	if (!known->history)
		return;
	memcpy(known->history, history, len);
	memcpy(known->id, id, OCKAM_IDENTIFIER_LEN);
	known->len = len;
	known->earned = earned;
	known->until = ockamd_worker_now() + OCKAMD_WORKER_CACHE_MS;
}

void ockamd_worker_learnt(const struct ockam_peer *peer, bool earned)
{
	struct ockam_buf packet = { 0 };

	if (!peer->is_new && !peer->is_newer && (!earned || ockamd_worker_self.known_earned))
		return;
	ockamd_worker_remember(peer->identity->identifier, NULL, 0, false);
	ockamd_pipe_begin(&packet, OCKAMD_PIPE_PEER_PUT, 2);
	ockam_buf_put_bytes(&packet, peer->identity->history, peer->identity->history_len);
	ockam_buf_put_bool(&packet, earned);
	if (ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, OCKAMD_WORKER_ASK_MS))
		ockamd_warn("the node process does not take a peer's change history");
	ockam_buf_free(&packet);
}

/* Four fields of a packet. */
static void ockamd_worker_put_proof(const struct ockam_peer *peer, struct ockam_buf *packet)
{
	ockam_buf_put_bytes(packet, peer->identity->identifier, OCKAM_IDENTIFIER_LEN);
	ockam_buf_put_bytes(packet, peer->issuer, OCKAM_IDENTIFIER_LEN);
	ockam_buf_put_uint(packet, peer->expires_at);
	ockam_buf_put_bytes(packet, peer->attributes.data, peer->attributes.len);
}

void ockamd_worker_proved(const struct ockam_peer *peer)
{
	struct ockam_buf packet = { 0 };

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_PROVED, 4);
	ockamd_worker_put_proof(peer, &packet);
	if (ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, OCKAMD_WORKER_ASK_MS))
		ockamd_warn("the node process does not take a peer's attributes");
	ockam_buf_free(&packet);
}

void ockamd_worker_refreshed(const struct ockam_nl_control *control,
			     const struct ockam_peer *peer)
{
	struct ockam_buf packet = { 0 };

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_REFRESHED, 5);
	ockam_buf_put_bytes(&packet, control->encryptor.bytes, control->encryptor.len);
	ockamd_worker_put_proof(peer, &packet);
	if (ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, OCKAMD_WORKER_ASK_MS))
		ockamd_warn("the node process does not take refreshed credentials");
	ockam_buf_free(&packet);
}

/* ---- from the node process --------------------------------------------------- */

static int ockamd_worker_take_key(struct ockamd_worker *worker, struct ockam_reader *r)
{
	struct ockam_piece history, attestation;
	struct ockamd_worker_key key = { 0 };
	struct ockam_err err;
	uint64_t index;

	if (ockam_reader_uint(r, OCKAMD_PIPE_KEYS - 1, &index) ||
	    ockam_reader_bytes(r, &history) ||
	    ockam_reader_fixed(r, key.secret, sizeof(key.secret)) ||
	    ockam_reader_bytes(r, &attestation))
		goto bad;
	if (ockam_identity_decode(history.data, history.len, &key.identity, &err)) {
		ockamd_error("an identity of this node does not verify: %s", err.text);
		goto bad;
	}
	ockam_buf_put(&key.attestation, attestation.data, attestation.len);
	if (!key.attestation.failed &&
	    !ockamd_worker_key_set(worker, (uint32_t)index, &key)) {
		ockam_crypto_wipe(&key, sizeof(key));
		return 0;
	}
	ockam_identity_free(key.identity);
	ockam_buf_free(&key.attestation);
bad:
	ockam_crypto_wipe(&key, sizeof(key));
	return -EBADMSG;
}

/*
 * One packet. An answer to PEER_ASK is put into worker->answer. Returns its
 * type, or a negative errno: the node process is gone or talks nonsense.
 */
static int ockamd_worker_hear(struct ockamd_worker *worker, struct ockam_reader *r)
{
	uint64_t type;
	int ret;

	ret = ockamd_pipe_receive(OCKAMD_WORKER_PIPE, worker->packet, &type, r);
	if (ret)
		return ret;
	switch (type) {
	case OCKAMD_PIPE_KEY:
		ret = ockamd_worker_take_key(worker, r);
		worker->key_came = true;
		/* It held a secret. */
		ockam_crypto_wipe(worker->packet, OCKAMD_PIPE_MAX);
		break;
	case OCKAMD_PIPE_AUTHORITY:
		ret = ockamd_worker_take_authority(worker, r);
		break;
	case OCKAMD_PIPE_OPTIONS:
		ret = ockamd_worker_take_options(worker, r);
		break;
	case OCKAMD_PIPE_PRESENT:
		ret = ockamd_worker_take_present(worker, r);
		break;
	case OCKAMD_PIPE_REFRESH:
		ret = ockamd_worker_take_refresh(worker, r);
		break;
	case OCKAMD_PIPE_SOCKET:
		ret = ockamd_worker_take_socket(worker, r);
		break;
	case OCKAMD_PIPE_PEER:
		break;
	default:
		ret = -EBADMSG;
	}
	return ret ? ret : (int)type;
}

/*
 * All that the node process has said. Return: 0; -EPIPE when it has gone;
 * another errno when it talks nonsense.
 */
static int ockamd_worker_hear_all(struct ockamd_worker *worker)
{
	struct ockam_reader r;
	int ret;

	do {
		ret = ockamd_worker_hear(worker, &r);
	} while (ret > 0);
	return ret == -EAGAIN ? 0 : ret;
}

/* Is @r the answer about @id? Then 1 with its history, or 0 when there is none. */
static int ockamd_worker_is_answer(struct ockamd_worker *worker, struct ockam_reader *r,
				   const uint8_t id[OCKAM_IDENTIFIER_LEN],
				   const uint8_t **history, size_t *len)
{
	uint8_t about[OCKAM_IDENTIFIER_LEN];
	struct ockam_piece piece;

	if (ockam_reader_fixed(r, about, sizeof(about)))
		return -EBADMSG;
	/* A late answer to a question that was given up. */
	if (memcmp(about, id, sizeof(about)))
		return -EAGAIN;
	if (ockam_reader_null(r))
		return 0;
	if (ockam_reader_bytes(r, &piece) || piece.len > OCKAMD_PIPE_MAX ||
	    ockam_reader_bool(r, &worker->known_earned))
		return -EBADMSG;
	memcpy(worker->answer, piece.data, piece.len);
	*history = worker->answer;
	*len = piece.len;
	return 1;
}

int ockamd_worker_known(void *arg, const uint8_t id[OCKAM_IDENTIFIER_LEN],
			const uint8_t **history, size_t *len)
{
	struct pollfd p = { .fd = OCKAMD_WORKER_PIPE, .events = POLLIN };
	struct ockamd_worker *worker = arg;
	struct ockamd_worker_known *known;
	struct ockam_buf packet = { 0 };
	struct ockam_reader r;
	int ret;

	known = &worker->known[id[0]];
	if (known->history && !memcmp(known->id, id, OCKAM_IDENTIFIER_LEN) &&
	    known->until > ockamd_worker_now()) {
		*history = known->history;
		*len = known->len;
		worker->known_earned = known->earned;
		return 1;
	}
	ockamd_pipe_begin(&packet, OCKAMD_PIPE_PEER_ASK, 1);
	ockam_buf_put_bytes(&packet, id, OCKAM_IDENTIFIER_LEN);
	ret = ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, OCKAMD_WORKER_ASK_MS);
	ockam_buf_free(&packet);
	while (!ret) {
		/* Nothing may be assumed about a peer whose past is not known for sure. */
		if (poll(&p, 1, OCKAMD_WORKER_ASK_MS) <= 0)
			return -EAGAIN;
		ret = ockamd_worker_hear(worker, &r);
		if (ret == OCKAMD_PIPE_PEER) {
			ret = ockamd_worker_is_answer(worker, &r, id, history, len);
			if (ret == 1)
				ockamd_worker_remember(id, *history, *len,
						       worker->known_earned);
			if (ret != -EAGAIN)
				return ret;
		}
		if (ret > 0 || ret == -EAGAIN)
			ret = 0;
	}
	return ret;
}

/* ---- from the kernel ------------------------------------------------------------ */

static void ockamd_worker_ready(void *arg, uint64_t exchange_id)
{
	struct ockamd_worker *worker = arg;

	worker->broken = ockamd_worker_hear_all(worker);
	if (!worker->broken)
		ockamd_exchange_advance(worker, exchange_id);
}

static void ockamd_worker_control(void *arg, const struct ockam_nl_control *control)
{
	struct ockamd_worker *worker = arg;

	worker->broken = ockamd_worker_hear_all(worker);
	if (!worker->broken)
		ockamd_exchange_control(worker, control);
}

/* ---- life -------------------------------------------------------------------------- */

static int ockamd_worker_allocate(struct ockamd_worker *worker, struct ockam_err *err)
{
	worker->keys = calloc(OCKAMD_PIPE_KEYS, sizeof(*worker->keys));
	worker->packet = malloc(OCKAMD_PIPE_MAX);
	worker->answer = malloc(OCKAMD_PIPE_MAX);
	worker->payload = malloc(OCKAM_NOISE_MESSAGE_MAX);
	worker->message = malloc(OCKAM_NOISE_MESSAGE_MAX);
	if (!worker->keys || !worker->packet || !worker->answer || !worker->payload ||
	    !worker->message || ockamd_worker_trust_allocate(worker))
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	return 0;
}

static int ockamd_worker_start(struct ockamd_worker *worker, struct ockam_err *err)
{
	const struct ockam_nl_handlers handlers = {
		.arg = worker,
		.ready = ockamd_worker_ready,
		.control = ockamd_worker_control,
	};
	int ret;

	/* Dies with the thread that started it, whatever that one dies of. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_NAME, "ockamd-worker"))
		return ockam_err_set(err, -errno, "prctl: %s", strerror(errno));
	close_range(OCKAMD_WORKER_PIPE + 1, ~0U, 0);
	tzset();
	ret = ockam_crypto_warm_up(err);
	if (!ret)
		ret = ockamd_worker_allocate(worker, err);
	if (!ret)
		ret = ockamd_sandbox_prepare(err);
	if (!ret)
		ret = ockam_nl_open(&worker->nl, &handlers, err);
	if (!ret)
		ret = ockam_nl_worker_bind(worker->nl, err);
	if (!ret)
		ret = ockamd_sandbox_enter(err);
	return ret;
}

/* Until the node process goes away. */
static int ockamd_worker_serve(struct ockamd_worker *worker)
{
	struct pollfd p[2] = {
		{ .fd = OCKAMD_WORKER_PIPE, .events = POLLIN },
		{ .fd = ockam_nl_fd(worker->nl), .events = POLLIN },
	};
	struct ockam_err err;
	int ret;

	for (;;) {
		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return 1;
		}
		/*
		 * The node process sends keys and rules before it tells the kernel of what
		 * needs them, so all that it has sent counts for every exchange below;
		 * ockamd_worker_ready() looks again before each.
		 */
		ret = ockamd_worker_hear_all(worker);
		if (!ret && p[1].revents && ockam_nl_dispatch(worker->nl, &err) < 0) {
			ockamd_worker_say_failed(&err);
			return 1;
		}
		if (ret || worker->broken)
			return ret == -EPIPE || worker->broken == -EPIPE ? 0 : 1;
		if (worker->key_came)
			ockamd_exchange_key_came(worker);
		worker->key_came = false;
		ockamd_exchange_look(worker);
	}
}

int ockamd_worker_run(void)
{
	struct ockamd_worker *worker = &ockamd_worker_self;
	struct ockam_buf packet = { 0 };
	struct ockam_err err;
	int ret;

	ockamd_log_init(OCKAMD_DEBUG);
	ockamd_log_set_sink(ockamd_worker_log);
	ret = ockamd_worker_start(worker, &err);
	if (ret) {
		ockamd_worker_say_failed(&err);
		_exit(1);
	}
	ockamd_pipe_begin(&packet, OCKAMD_PIPE_READY, 0);
	ret = ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, OCKAMD_WORKER_ASK_MS);
	ockam_buf_free(&packet);
	/* No clean-up: the system calls that it would take are gone. */
	_exit(ret ? 1 : ockamd_worker_serve(worker));
}
