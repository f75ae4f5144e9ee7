// SPDX-License-Identifier: Apache-2.0
/*
 * The service uppercase. Texts come from anybody, and what maps them to upper case
 * is a large library: so a process of its own, locked up like the handshake worker,
 * reads them from the service's socket and answers. The node process waits for the
 * first message, starts it, and waits again when it has ended.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unicase.h>
#include <unistd.h>
#include <unistr.h>

#include "bare.h"
#include "keeper.h"
#include "log.h"
#include "node.h"
#include "sandbox.h"
#include "socket.h"
#include "uppercase.h"

#define OCKAMD_UPPERCASE_IDLE_MS	60000	/* it ends after so long without a message */
#define OCKAMD_UPPERCASE_AGAIN_MS	1000	/* before the next one, when it has crashed */

/* ---- in the process --------------------------------------------------------------- */

/* BARE string to BARE string; full Unicode mapping, so the length may change. */
static int ockamd_uppercase_answer(const uint8_t *request, size_t len, struct ockam_buf *reply)
{
	const uint8_t *pos = request;
	struct ockam_piece text;
	size_t upper_len = 0;
	uint8_t *upper;

	if (ockam_bare_get_data(&pos, request + len, &text) || u8_check(text.data, text.len))
		return -EBADMSG;
	if (!text.len) {
		ockam_bare_put_data(reply, "", 0);
		return 0;
	}
	upper = u8_toupper(text.data, text.len, NULL, NULL, NULL, &upper_len);
	if (!upper)
		return -ENOMEM;
	ockam_bare_put_data(reply, upper, upper_len);
	free(upper);
	return reply->failed ? -ENOMEM : 0;
}

/* One message. -EAGAIN when there was none; without an answer, as the protocol wants it: 0. */
static int ockamd_uppercase_serve(uint8_t *buffer)
{
	struct ockam_buf reply = { 0 };
	struct ockam_route back;
	ssize_t len;

	len = ockam_socket_receive(OCKAMD_KEEPER_FD, &back, NULL, buffer, OCKAMD_SERVICE_MAX);
	if (len < 0)
		return len == -EMSGSIZE ? 0 : (int)len;
	if (back.hops && !ockamd_uppercase_answer(buffer, (size_t)len, &reply))
		ockam_socket_send(OCKAMD_KEEPER_FD, &back, reply.data, reply.len);
	ockam_buf_free(&reply);
	return 0;
}

int ockamd_uppercase_run(void)
{
	struct pollfd p = { .fd = OCKAMD_KEEPER_FD, .events = POLLIN };
	struct ockam_err err;
	uint8_t *buffer;
	int ret;

	prctl(PR_SET_NAME, "ockamd-upper");
	close_range(OCKAMD_KEEPER_FD + 1, ~0U, 0);
	buffer = malloc(OCKAMD_SERVICE_MAX);
	if (!buffer || ockamd_sandbox_prepare(&err) || ockamd_sandbox_enter(&err))
		_exit(1);
	for (;;) {
		ret = ockamd_uppercase_serve(buffer);
		if (ret && ret != -EAGAIN && ret != -EINTR)
			_exit(1);
		if (ret != -EAGAIN)
			continue;
		ret = poll(&p, 1, OCKAMD_UPPERCASE_IDLE_MS);
		if (!ret)
			_exit(0);
	}
}

/* ---- in the node process ------------------------------------------------------------ */

static void ockamd_uppercase_wait(struct ockamd_uppercase *upper)
{
	if (ockamd_loop_add(&upper->node->loop, &upper->socket, EPOLLIN))
		ockamd_loop_arm(&upper->node->loop, &upper->again, OCKAMD_UPPERCASE_AGAIN_MS);
}

static void ockamd_uppercase_again(struct ockamd_timer *timer)
{
	ockamd_uppercase_wait((struct ockamd_uppercase *)
			      ((char *)timer - offsetof(struct ockamd_uppercase, again)));
}

static void ockamd_uppercase_ended(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_uppercase *upper = (struct ockamd_uppercase *)
		((char *)watch - offsetof(struct ockamd_uppercase, process));
	int status = 0;

	(void)events;
	ockamd_loop_remove(&upper->node->loop, watch);
	close(watch->fd);
	waitpid(upper->pid, &status, 0);
	upper->pid = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		ockamd_uppercase_wait(upper);
		return;
	}
	ockamd_warn("the process of the service uppercase ended unexpectedly (status %d, signal %d)",
		    WEXITSTATUS(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	ockamd_loop_arm(&upper->node->loop, &upper->again, OCKAMD_UPPERCASE_AGAIN_MS);
}

static void ockamd_uppercase_ready(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_uppercase *upper = (struct ockamd_uppercase *)watch;
	struct ockamd_node *node = upper->node;
	int fd;

	(void)events;
	/* From here on the process reads. */
	ockamd_loop_remove(&node->loop, watch);
	fd = fcntl(watch->fd, F_DUPFD_CLOEXEC, 0);
	upper->pid = fd < 0 ? -errno :
		ockamd_keeper_spawn(node->keeper, OCKAMD_KEEPER_UPPERCASE, fd, NULL);
	upper->process.fd = upper->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, upper->pid, 0);
	if (upper->process.fd >= 0 && !ockamd_loop_add(&node->loop, &upper->process, EPOLLIN))
		return;
	ockamd_error("cannot start the process of the service uppercase: %s",
		     strerror(upper->pid < 0 ? -upper->pid : errno));
	if (upper->pid > 0) {
		kill(upper->pid, SIGKILL);
		waitpid(upper->pid, NULL, 0);
		upper->pid = 0;
	}
	ockamd_loop_arm(&node->loop, &upper->again, OCKAMD_UPPERCASE_AGAIN_MS);
}

int ockamd_uppercase_start(struct ockamd_node *node, int fd, struct ockam_err *err)
{
	struct ockamd_uppercase *upper = &node->uppercase;
	int ret;

	upper->node = node;
	upper->socket.fd = fd;
	upper->socket.fn = ockamd_uppercase_ready;
	upper->process.fn = ockamd_uppercase_ended;
	upper->again.fn = ockamd_uppercase_again;
	ret = ockamd_loop_add(&node->loop, &upper->socket, EPOLLIN);
	return ret ? ockam_err_set(err, ret, "Cannot wait for messages: %s", strerror(-ret)) : 0;
}

void ockamd_uppercase_stop(struct ockamd_node *node)
{
	struct ockamd_uppercase *upper = &node->uppercase;

	if (upper->pid <= 0)
		return;
	kill(upper->pid, SIGKILL);
	waitpid(upper->pid, NULL, 0);
	upper->pid = 0;
}
