// SPDX-License-Identifier: Apache-2.0
/*
 * Life of the handshake worker.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "log.h"
#include "node.h"
#include "sockrule.h"
#include "workerpipe.h"

#define OCKAMD_SPAWN_READY_MS	15000	/* for a machine that is very busy */
#define OCKAMD_SPAWN_DELAY_MIN	100
#define OCKAMD_SPAWN_DELAY_MAX	10000
#define OCKAMD_SPAWN_OLD_MS	30000	/* one that lived so long is started again at once */
#define OCKAMD_SPAWN_DRAIN	1024	/* packets taken in one go */

/* One for all: the loop has one thread. */
static uint8_t ockamd_spawn_buffer[OCKAMD_PIPE_MAX];

static void ockamd_spawn_ended(struct ockamd_spawn *spawn);

/* ---- what the worker says ------------------------------------------------- */

static void ockamd_spawn_log(struct ockam_reader *r)
{
	char text[OCKAMD_LOG_TEXT];
	struct ockam_piece piece;
	uint64_t level;

	if (ockam_reader_uint(r, OCKAMD_TRACE, &level) || !level || ockam_reader_text(r, &piece))
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(piece.len > 400 ? 400 : piece.len),
		 (const char *)piece.data);
	ockamd_log((enum ockamd_level)level, "worker: %s", text);
}

static void ockamd_spawn_peer_ask(struct ockamd_spawn *spawn, struct ockam_reader *r)
{
	enum ockam_peer_share share = OCKAM_PEER_STRANGER;
	struct ockam_identity *identity = NULL;
	uint8_t id[OCKAM_IDENTIFIER_LEN];
	struct ockam_buf packet = { 0 };
	struct ockam_err err;
	int ret;

	if (ockam_reader_fixed(r, id, sizeof(id)))
		return;
	ret = ockamd_learn_known(spawn->node, id, &identity, &share, &err);
	if (ret && ret != -ENOENT) {
		/* No answer: the worker refuses the exchange when it has waited. */
		ockamd_warn("cannot look up a peer: %s", err.text);
		return;
	}
	ockamd_pipe_begin(&packet, OCKAMD_PIPE_PEER, 3);
	ockam_buf_put_bytes(&packet, id, sizeof(id));
	if (identity)
		ockam_buf_put_bytes(&packet, identity->history, identity->history_len);
	else
		ockam_buf_put_null(&packet);
	ockam_buf_put_bool(&packet, share != OCKAM_PEER_STRANGER);
	ockamd_pipe_send(spawn->pipe.fd, &packet, 0);
	ockam_buf_free(&packet);
	ockam_identity_free(identity);
}

/* Is it something to be learnt of a peer, of whom something is known? */
static int ockamd_spawn_check_peer(struct ockamd_node *node, const struct ockam_identity *identity,
				   enum ockam_peer_share share, struct ockam_err *err)
{
	enum ockam_peer_share before = OCKAM_PEER_STRANGER;
	struct ockam_identity *known;
	int ret;

	ret = ockamd_learn_known(node, identity->identifier, &known, &before, err);
	if (ret)
		return ret == -ENOENT ? 1 : ret;
	switch (ockam_identity_compare(known, identity)) {
	case OCKAM_HISTORY_NEWER:
		ret = 1;
		break;
	case OCKAM_HISTORY_EQUAL:
		ret = share > before;
		break;
	default:
		ret = ockam_err_set(err, -ESTALE, "it does not continue the known one");
	}
	ockam_identity_free(known);
	return ret;
}

static void ockamd_spawn_peer_put(struct ockamd_spawn *spawn, struct ockam_reader *r)
{
	struct ockam_identity *identity;
	enum ockam_peer_share share;
	struct ockam_piece piece;
	struct ockam_err err;
	bool earned;
	int ret;

	/* Verified there; verified again here, the worker being who it is. */
	if (ockam_reader_bytes(r, &piece) || ockam_reader_bool(r, &earned) ||
	    ockam_identity_decode(piece.data, piece.len, &identity, &err)) {
		ockamd_warn("the handshake worker reported a peer that does not verify");
		return;
	}
	share = earned ? OCKAM_PEER_EARNED : OCKAM_PEER_STRANGER;
	ret = ockamd_spawn_check_peer(spawn->node, identity, share, &err);
	if (ret > 0) {
		ockamd_rule_learnt(spawn->node, identity);
		ockamd_learn_peer(spawn->node, identity, share);
		return;
	}
	if (ret < 0)
		ockamd_warn("cannot store a peer's change history: %s", err.text);
	ockam_identity_free(identity);
}

/* One packet. 0, -EAGAIN, or why the pipe is of no more use. */
static int ockamd_spawn_hear(struct ockamd_spawn *spawn)
{
	struct ockam_piece text;
	struct ockam_reader r;
	uint64_t type, code;
	int ret;

	ret = ockamd_pipe_receive(spawn->pipe.fd, ockamd_spawn_buffer, &type, &r);
	if (ret)
		return ret;
	switch (type) {
	case OCKAMD_PIPE_READY:
		spawn->ready = true;
		return 0;
	case OCKAMD_PIPE_FAILED:
		if (ockam_reader_uint(&r, 4095, &code) || ockam_reader_text(&r, &text))
			return -EBADMSG;
		ockam_err_set(&spawn->failure, -(int)code, "%.*s",
			      (int)(text.len > 200 ? 200 : text.len), (const char *)text.data);
		ockamd_error("worker: %s", spawn->failure.text);
		return 0;
	case OCKAMD_PIPE_PEER_ASK:
		ockamd_spawn_peer_ask(spawn, &r);
		return 0;
	case OCKAMD_PIPE_SOCKET_ASK:
		ockamd_sockrule_ask(spawn->node, &r);
		return 0;
	case OCKAMD_PIPE_PEER_PUT:
		ockamd_spawn_peer_put(spawn, &r);
		return 0;
	case OCKAMD_PIPE_REFRESHED:
		ockamd_attributes_refreshed(spawn->node, &r);
		return 0;
	case OCKAMD_PIPE_PROVED:
		ockamd_attributes_proved(spawn->node, &r);
		return 0;
	case OCKAMD_PIPE_LOG:
		ockamd_spawn_log(&r);
		return 0;
	}
	return -EBADMSG;
}

static void ockamd_spawn_heard(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_spawn *spawn = (struct ockamd_spawn *)
		((char *)watch - offsetof(struct ockamd_spawn, pipe));
	int ret;

	(void)events;
	ret = ockamd_spawn_hear(spawn);
	if (!ret || ret == -EAGAIN)
		return;
	if (ret != -EPIPE)
		ockamd_warn("the handshake worker does not keep to the protocol: %s",
			    strerror(-ret));
	kill(spawn->pid, SIGKILL);
	ockamd_spawn_ended(spawn);
}

void ockamd_spawn_renew(struct ockamd_node *node)
{
	/* That it has ended is noticed later, from the loop: callers may be at its packets. */
	if (node->spawn.pid > 0)
		kill(node->spawn.pid, SIGKILL);
}

void ockamd_spawn_drain(struct ockamd_node *node)
{
	int i;

	/* More than the pipe holds; a worker that went mad must not keep the node busy. */
	for (i = 0; i < OCKAMD_SPAWN_DRAIN; i++) {
		if (node->spawn.pipe.fd < 0 || ockamd_spawn_hear(&node->spawn))
			return;
	}
}

/* ---- start and end --------------------------------------------------------- */

static int ockamd_spawn_process(struct ockamd_spawn *spawn, struct ockam_err *err)
{
	int ends[2];
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return ockam_err_set(err, -errno, "Cannot make a socket pair: %s", strerror(errno));
	ockamd_keeper_make_room(spawn->node->keeper, ends[0]);
	spawn->pid = ockamd_keeper_spawn(spawn->node->keeper, OCKAMD_KEEPER_WORKER, ends[1], NULL);
	if (spawn->pid < 0) {
		ret = ockam_err_set(err, spawn->pid, "Cannot start the handshake worker: %s",
				    strerror(-spawn->pid));
		close(ends[0]);
		spawn->pid = 0;
		return ret;
	}
	spawn->pipe.fd = ends[0];
	spawn->pipe.fn = ockamd_spawn_heard;
	spawn->process.fd = (int)syscall(SYS_pidfd_open, spawn->pid, 0);
	spawn->started = ockamd_loop_now();
	spawn->ready = false;
	memset(&spawn->failure, 0, sizeof(spawn->failure));
	ret = ockamd_rule_push(spawn->node, spawn->pipe.fd);
	ockamd_keyring_push(spawn->node);
	return ret ? ret : ockamd_present_push(spawn->node, spawn->pipe.fd);
}

/* Reap it and close what belongs to it. */
static void ockamd_spawn_bury(struct ockamd_spawn *spawn)
{
	int status = 0;

	if (spawn->process.fd >= 0) {
		ockamd_loop_remove(&spawn->node->loop, &spawn->process);
		close(spawn->process.fd);
		spawn->process.fd = -1;
	}
	if (spawn->pipe.fd >= 0) {
		ockamd_loop_remove(&spawn->node->loop, &spawn->pipe);
		close(spawn->pipe.fd);
		spawn->pipe.fd = -1;
	}
	if (spawn->pid > 0) {
		waitpid(spawn->pid, &status, 0);
		if (WIFSIGNALED(status))
			ockamd_warn("the handshake worker (process %d) was ended by signal %d",
				    spawn->pid, WTERMSIG(status));
		else
			ockamd_warn("the handshake worker (process %d) ended with status %d",
				    spawn->pid, WEXITSTATUS(status));
	}
	spawn->pid = 0;
	spawn->ready = false;
}

static void ockamd_spawn_ended(struct ockamd_spawn *spawn)
{
	int64_t lived = ockamd_loop_now() - spawn->started;

	ockamd_spawn_drain(spawn->node);
	ockamd_spawn_bury(spawn);
	spawn->delay = lived >= OCKAMD_SPAWN_OLD_MS || !spawn->delay ?
		OCKAMD_SPAWN_DELAY_MIN : 2 * spawn->delay;
	if (spawn->delay > OCKAMD_SPAWN_DELAY_MAX)
		spawn->delay = OCKAMD_SPAWN_DELAY_MAX;
	ockamd_loop_arm(&spawn->node->loop, &spawn->again, spawn->delay);
}

static void ockamd_spawn_process_ended(struct ockamd_watch *watch, uint32_t events)
{
	(void)events;
	ockamd_spawn_ended((struct ockamd_spawn *)
			   ((char *)watch - offsetof(struct ockamd_spawn, process)));
}

static int ockamd_spawn_watch(struct ockamd_spawn *spawn)
{
	int ret;

	ret = ockamd_loop_add(&spawn->node->loop, &spawn->pipe, EPOLLIN);
	spawn->process.fn = ockamd_spawn_process_ended;
	/* Without pidfd_open() the end of the pipe tells. */
	if (!ret && spawn->process.fd >= 0)
		ret = ockamd_loop_add(&spawn->node->loop, &spawn->process, EPOLLIN);
	return ret;
}

static void ockamd_spawn_again(struct ockamd_timer *timer)
{
	struct ockamd_spawn *spawn = (struct ockamd_spawn *)
		((char *)timer - offsetof(struct ockamd_spawn, again));
	struct ockam_err err = { .text = "out of memory" };

	if (!ockamd_spawn_process(spawn, &err) && !ockamd_spawn_watch(spawn)) {
		ockamd_info("handshake worker started again (process %d)", spawn->pid);
		return;
	}
	ockamd_error("cannot start the handshake worker: %s", err.text);
	if (spawn->pid > 0)
		kill(spawn->pid, SIGKILL);
	ockamd_spawn_ended(spawn);
}

int ockamd_spawn_start(struct ockamd_node *node, struct ockam_err *err)
{
	struct ockamd_spawn *spawn = &node->spawn;
	struct pollfd p = { .events = POLLIN };
	int64_t deadline;
	int64_t left;
	int ret;

	spawn->node = node;
	spawn->again.fn = ockamd_spawn_again;
	ret = ockamd_spawn_process(spawn, err);
	if (ret)
		return ret;
	deadline = ockamd_loop_now() + OCKAMD_SPAWN_READY_MS;
	p.fd = spawn->pipe.fd;
	while (!spawn->ready) {
		left = deadline - ockamd_loop_now();
		if (left <= 0)
			return ockam_err_set(err, -ETIMEDOUT,
					     "The handshake worker did not become ready in time");
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		ret = ockamd_spawn_hear(spawn);
		if (!ret || ret == -EAGAIN)
			continue;
		if (spawn->failure.code) {
			*err = spawn->failure;
			return ret;
		}
		return ockam_err_set(err, ret,
				     "The handshake worker ended before it was ready (see the log)");
	}
	ret = ockamd_spawn_watch(spawn);
	if (ret)
		ockam_err_set(err, ret, "Cannot wait for the handshake worker: %s", strerror(-ret));
	else
		ockamd_info("handshake worker is process %d", spawn->pid);
	return ret;
}

void ockamd_spawn_stop(struct ockamd_node *node)
{
	struct ockamd_spawn *spawn = &node->spawn;

	ockamd_loop_disarm(&spawn->again);
	if (spawn->pid > 0) {
		kill(spawn->pid, SIGKILL);
		waitpid(spawn->pid, NULL, 0);
		spawn->pid = 0;
	}
	if (node->spawn.node)
		ockamd_spawn_bury(spawn);
}
