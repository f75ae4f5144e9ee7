// SPDX-License-Identifier: Apache-2.0
/*
 * Look-ups of host names: the side of the node process.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "lookup.h"
#include "workerpipe.h"

/*
 * Born: the first ockamd_lookup_start() of its host. Dies: when its process has
 * ended. pipe.fd -1: it is over and the process has been killed.
 */
struct ockamd_lookup_process {
	LIST_ENTRY(ockamd_lookup_process)	link;
	LIST_HEAD(, ockamd_lookup)		waiting;
	struct ockamd_lookups			*lookups;
	struct ockamd_watch			pipe;
	struct ockamd_watch			pidfd;
	pid_t					pid;
	char					host[OCKAMD_KEEPER_TEXT];
};

/* Who waits for one. Freed right before fn is called, or by ockamd_lookup_cancel(). */
struct ockamd_lookup {
	LIST_ENTRY(ockamd_lookup)	link;
	struct ockamd_lookup_process	*process;
	struct ockamd_timer		timer;
	ockamd_lookup_fn		fn;
	void				*arg;
};

/* One for all: the loop has one thread. */
static uint8_t ockamd_lookup_buffer[OCKAMD_PIPE_MAX];

bool ockamd_lookup_numeric(const char *host, struct ockamd_found *found)
{
	struct sockaddr_in6 *in6 = (void *)&found->list[0];
	struct sockaddr_in *in = (void *)&found->list[0];

	memset(found, 0, sizeof(*found));
	found->n = 1;
	in->sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1)
		return true;
	in6->sin6_family = AF_INET6;
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
}

/* ---- what the process says -------------------------------------------------------- */

/* [*bytes]: socket addresses. */
static int ockamd_lookup_read(struct ockam_reader *r, struct ockamd_found *found)
{
	struct ockam_reader_list list;
	struct ockam_piece piece;
	size_t size;
	int more;

	memset(found, 0, sizeof(*found));
	if (ockam_reader_array(r, &list))
		return -EBADMSG;
	while ((more = ockam_reader_more(r, &list)) > 0) {
		struct sockaddr_storage *addr = &found->list[found->n];

		if (found->n == OCKAMD_LOOKUP_ADDRESSES || ockam_reader_bytes(r, &piece) ||
		    piece.len > sizeof(*addr))
			return -EBADMSG;
		memcpy(addr, piece.data, piece.len);
		size = addr->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
		       addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
		if (!size || piece.len != size)
			return -EBADMSG;
		found->n++;
	}
	return more || !found->n ? -EBADMSG : 0;
}

/* Its one packet. 0, -EAGAIN when there is none yet, or why there is no address. */
static int ockamd_lookup_hear(int fd, const char *host, struct ockamd_found *found,
			      struct ockam_err *err)
{
	struct ockam_piece text;
	struct ockam_reader r;
	uint64_t type, code;
	int ret;

	ret = ockamd_pipe_receive(fd, ockamd_lookup_buffer, &type, &r);
	if (ret == -EAGAIN)
		return ret;
	if (!ret && type == OCKAMD_PIPE_FOUND && !ockamd_lookup_read(&r, found))
		return 0;
	if (!ret && type == OCKAMD_PIPE_FAILED && !ockam_reader_uint(&r, 4095, &code) && code &&
	    !ockam_reader_text(&r, &text))
		return ockam_err_set(err, -(int)code, "Cannot resolve %s: %.*s", host,
				     (int)(text.len > 200 ? 200 : text.len),
				     (const char *)text.data);
	return ockam_err_set(err, -EHOSTUNREACH,
			     "Cannot resolve %s: the look-up ended without an answer", host);
}

/* ---- its process --------------------------------------------------------------------- */

/* Receives the end of the pipe; returns the process id or a negative errno. */
static pid_t ockamd_lookup_spawn(struct ockamd_lookups *lookups, const char *host, int *pipe,
				 struct ockam_err *err)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return ockam_err_set(err, -errno, "Cannot make a socket pair: %s", strerror(errno));
	pid = ockamd_keeper_spawn(lookups->keeper, OCKAMD_KEEPER_LOOKUP, ends[1], host);
	if (pid < 0) {
		close(ends[0]);
		return ockam_err_set(err, pid, "Cannot start a look-up of %s: %s", host,
				     strerror(-pid));
	}
	*pipe = ends[0];
	return pid;
}

/* Nobody waits for it any more. */
static void ockamd_lookup_over(struct ockamd_lookup_process *process)
{
	if (process->pipe.fd < 0)
		return;
	ockamd_loop_remove(process->lookups->loop, &process->pipe);
	close(process->pipe.fd);
	process->pipe.fd = -1;
	kill(process->pid, SIGKILL);
}

void ockamd_lookup_cancel(struct ockamd_lookup *lookup)
{
	struct ockamd_lookup_process *process = lookup->process;

	ockamd_loop_disarm(&lookup->timer);
	LIST_REMOVE(lookup, link);
	free(lookup);
	if (LIST_EMPTY(&process->waiting))
		ockamd_lookup_over(process);
}

static void ockamd_lookup_tell(struct ockamd_lookup *lookup, const struct ockamd_found *found,
			       const struct ockam_err *err)
{
	ockamd_lookup_fn fn = lookup->fn;
	void *arg = lookup->arg;

	ockamd_lookup_cancel(lookup);
	fn(arg, found, err);
}

static void ockamd_lookup_late(struct ockamd_timer *timer)
{
	struct ockamd_lookup *lookup = (struct ockamd_lookup *)
		((char *)timer - offsetof(struct ockamd_lookup, timer));
	struct ockam_err err;

	ockam_err_set(&err, -ETIMEDOUT, "Cannot resolve %s: timeout", lookup->process->host);
	ockamd_lookup_tell(lookup, NULL, &err);
}

static void ockamd_lookup_heard(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_lookup_process *process = (struct ockamd_lookup_process *)
		((char *)watch - offsetof(struct ockamd_lookup_process, pipe));
	struct ockamd_found found;
	struct ockam_err err;
	int ret;

	(void)events;
	ret = ockamd_lookup_hear(watch->fd, process->host, &found, &err);
	if (ret == -EAGAIN)
		return;
	/* First: who is told may want the same name again. */
	ockamd_lookup_over(process);
	while (!LIST_EMPTY(&process->waiting))
		ockamd_lookup_tell(LIST_FIRST(&process->waiting), ret ? NULL : &found, &err);
}

static void ockamd_lookup_ended(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_lookup_process *process = (struct ockamd_lookup_process *)
		((char *)watch - offsetof(struct ockamd_lookup_process, pidfd));
	struct ockamd_lookups *lookups = process->lookups;

	(void)events;
	/* Its answer, or the end of the pipe. */
	if (process->pipe.fd >= 0)
		ockamd_lookup_heard(&process->pipe, EPOLLIN);
	ockamd_loop_remove(lookups->loop, watch);
	close(watch->fd);
	waitpid(process->pid, NULL, 0);
	LIST_REMOVE(process, link);
	lookups->count--;
	free(process);
}

static int ockamd_lookup_watch(struct ockamd_lookup_process *process)
{
	struct ockamd_loop *loop = process->lookups->loop;
	int ret;

	process->pipe.fn = ockamd_lookup_heard;
	process->pidfd.fn = ockamd_lookup_ended;
	process->pidfd.fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	ret = process->pidfd.fd < 0 ? -errno : ockamd_loop_add(loop, &process->pidfd, EPOLLIN);
	if (!ret)
		ret = ockamd_loop_add(loop, &process->pipe, EPOLLIN);
	if (!ret)
		return 0;
	kill(process->pid, SIGKILL);
	waitpid(process->pid, NULL, 0);
	if (process->pidfd.fd >= 0)
		close(process->pidfd.fd);
	close(process->pipe.fd);
	return ret;
}

/* The process that looks up @host, a new one if need be; NULL and *err. */
static struct ockamd_lookup_process *ockamd_lookup_get(struct ockamd_lookups *lookups,
						       const char *host, struct ockam_err *err)
{
	struct ockamd_lookup_process *process;
	int ret;

	LIST_FOREACH(process, &lookups->processes, link) {
		if (process->pipe.fd >= 0 && !strcmp(process->host, host))
			return process;
	}
	if (lookups->count >= OCKAMD_LOOKUP_MAX) {
		ockam_err_set(err, -EBUSY,
			      "%d names are being looked up already, try again later, or give an address",
			      OCKAMD_LOOKUP_MAX);
		return NULL;
	}
	process = calloc(1, sizeof(*process));
	if (!process) {
		ockam_err_set(err, -ENOMEM, "Out of memory");
		return NULL;
	}
	process->lookups = lookups;
	LIST_INIT(&process->waiting);
	snprintf(process->host, sizeof(process->host), "%s", host);
	process->pid = ockamd_lookup_spawn(lookups, host, &process->pipe.fd, err);
	if (process->pid < 0) {
		free(process);
		return NULL;
	}
	ret = ockamd_lookup_watch(process);
	if (ret) {
		ockam_err_set(err, ret, "Cannot wait for a look-up: %s", strerror(-ret));
		free(process);
		return NULL;
	}
	LIST_INSERT_HEAD(&lookups->processes, process, link);
	lookups->count++;
	return process;
}

int ockamd_lookup_start(struct ockamd_lookups *lookups, const char *host, int timeout_ms,
			ockamd_lookup_fn fn, void *arg, struct ockamd_lookup **lookupp,
			struct ockam_err *err)
{
	struct ockamd_lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	lookup->process = ockamd_lookup_get(lookups, host, err);
	if (!lookup->process) {
		free(lookup);
		return err->code;
	}
	lookup->fn = fn;
	lookup->arg = arg;
	lookup->timer.fn = ockamd_lookup_late;
	ockamd_loop_arm(lookups->loop, &lookup->timer, timeout_ms);
	LIST_INSERT_HEAD(&lookup->process->waiting, lookup, link);
	*lookupp = lookup;
	return 0;
}

int ockamd_lookup_wait(struct ockamd_lookups *lookups, const char *host, int timeout_ms,
		       struct ockamd_found *found, struct ockam_err *err)
{
	int64_t deadline = ockamd_loop_now() + timeout_ms;
	struct pollfd p = { .events = POLLIN };
	int64_t left;
	pid_t pid;
	int ret;

	pid = ockamd_lookup_spawn(lookups, host, &p.fd, err);
	if (pid < 0)
		return pid;
	do {
		ret = ockamd_lookup_hear(p.fd, host, found, err);
		left = deadline - ockamd_loop_now();
		if (ret == -EAGAIN && left <= 0)
			ret = ockam_err_set(err, -ETIMEDOUT, "Cannot resolve %s: timeout", host);
		else if (ret == -EAGAIN)
			poll(&p, 1, (int)left);
	} while (ret == -EAGAIN);
	close(p.fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return ret;
}
