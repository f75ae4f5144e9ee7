// SPDX-License-Identifier: Apache-2.0
/*
 * Dialling and listening in the caller's network namespace.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dial.h"
#include "keeper.h"
#include "lookup.h"

/*
 * One attempt. Freed right before fn is called, or by ockamd_dial_cancel(). First
 * lookup is set or timer armed with 0, then watch waits for one address after the
 * other; timer is the deadline then.
 */
struct ockamd_dial_job {
	struct ockamd_watch	watch;		/* socket that connects, -1: none */
	struct ockamd_timer	timer;
	struct ockamd_dial	*dial;
	struct ockamd_lookup	*lookup;
	bool			listens;
	bool			waits;		/* watch is in the loop */
	char			address[OCKAMD_SOCKET_TEXT];
	char			host[OCKAMD_SOCKET_TEXT];
	uint16_t		port;
	int64_t			deadline;
	struct ockamd_found	found;
	size_t			next;		/* of the addresses */
	int			why;		/* errno of the last one */
	ockamd_dial_fn		fn;
	void			*arg;
};

/* One for the node. */
struct ockamd_dial {
	struct ockamd_loop	*loop;
	int			keeper;
	struct ockamd_lookups	lookups;
	unsigned int		n_connecting;
};

#define ockamd_dial_of(member, field) \
	((struct ockamd_dial_job *)((char *)(member) - offsetof(struct ockamd_dial_job, field)))

void ockamd_dial_format(const struct sockaddr_storage *addr, char text[OCKAMD_SOCKET_TEXT])
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in = (const void *)addr;
	char host[INET6_ADDRSTRLEN], scope[16] = "";
	const void *bytes = &in6->sin6_addr;
	int family = addr->ss_family;
	uint16_t port = in6->sin6_port;

	if (family == AF_INET) {
		bytes = &in->sin_addr;
		port = in->sin_port;
	} else if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		bytes = &in6->sin6_addr.s6_addr[12];
		family = AF_INET;
	}
	if (family == AF_INET6 && in6->sin6_scope_id)
		snprintf(scope, sizeof(scope), "%%%u", in6->sin6_scope_id);
	if (!inet_ntop(family, bytes, host, sizeof(host)))
		snprintf(text, OCKAMD_SOCKET_TEXT, "unknown");
	else
		snprintf(text, OCKAMD_SOCKET_TEXT, family == AF_INET6 ? "[%s%s]:%u" : "%s%s:%u",
			 host, scope, ntohs(port));
}

/* "host:port", "[ip6]:port", ":port" or "port" (host then 127.0.0.1), scheme dropped. */
static int ockamd_dial_split(struct ockamd_dial_job *job, const char *address,
			     struct ockam_err *err)
{
	const char *host = address;
	const char *colon;
	const char *digit;
	size_t host_len;
	long port = 0;

	if (!strncmp(host, "tcp://", 6))
		host += 6;
	colon = strrchr(host, ':');
	digit = colon ? colon + 1 : host;
	host_len = colon ? (size_t)(colon - host) : 0;
	if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
		host++;
		host_len -= 2;
	}
	for (; *digit >= '0' && *digit <= '9' && port <= 65535; digit++)
		port = 10 * port + *digit - '0';
	if (*digit || digit == (colon ? colon + 1 : host) || port > 65535 ||
	    host_len >= sizeof(job->host) || strlen(address) >= sizeof(job->address))
		return ockam_err_set(err, -EINVAL, "'%s' is not an address of the form host:port",
				     address);
	strcpy(job->address, address);
	snprintf(job->host, sizeof(job->host), "%.*s", (int)host_len, host);
	if (!host_len)
		strcpy(job->host, "127.0.0.1");
	job->port = (uint16_t)port;
	return 0;
}

/* ---- its end ------------------------------------------------------------------- */

static void ockamd_dial_stop_watching(struct ockamd_dial_job *job)
{
	if (job->waits)
		ockamd_loop_remove(job->dial->loop, &job->watch);
	job->waits = false;
}

static void ockamd_dial_free(struct ockamd_dial_job *job)
{
	ockamd_dial_stop_watching(job);
	ockamd_loop_disarm(&job->timer);
	if (job->lookup)
		ockamd_lookup_cancel(job->lookup);
	if (job->watch.fd >= 0)
		close(job->watch.fd);
	job->dial->n_connecting--;
	free(job);
}

/* @fd: the socket, or negative and @err says why. */
static void ockamd_dial_done(struct ockamd_dial_job *job, int fd, const struct ockam_err *err)
{
	ockamd_dial_fn fn = job->fn;
	void *arg = job->arg;

	if (fd >= 0)
		job->watch.fd = -1;
	ockamd_dial_free(job);
	fn(arg, fd, err);
}

/* The sentence of an attempt that failed with every address. */
static void ockamd_dial_explain(const struct ockamd_dial_job *job, struct ockam_err *err)
{
	const char *why = job->why == -ETIMEDOUT ? "timeout" : strerror(-job->why);

	if (!job->listens)
		ockam_err_set(err, job->why, "Unable to connect to %s: %s", job->address, why);
	else if (job->why == -EADDRINUSE)
		ockam_err_set(err, job->why,
			      "Unable to listen on %s: port %u is in use by another process",
			      job->address, job->port);
	else
		ockam_err_set(err, job->why, "Unable to listen on %s: %s", job->address, why);
}

/* ---- one address after the other ------------------------------------------------- */

/* Socket for the next address, into job->watch.fd; its address in *addr. 0 or an errno. */
static int ockamd_dial_next_socket(struct ockamd_dial_job *job, struct sockaddr_storage *addr,
				   socklen_t *len)
{
	struct sockaddr_in6 *in6 = (void *)addr;
	struct sockaddr_in *in = (void *)addr;

	*addr = job->found.list[job->next++];
	*len = addr->ss_family == AF_INET ? sizeof(*in) : sizeof(*in6);
	if (addr->ss_family == AF_INET)
		in->sin_port = htons(job->port);
	else
		in6->sin6_port = htons(job->port);
	job->watch.fd = ockamd_keeper_socket(job->dial->keeper, addr->ss_family);
	return job->watch.fd < 0 ? job->watch.fd : 0;
}

/* Return: 0 when it connects or has connected (then *done), or a negative errno. */
static int ockamd_dial_try(struct ockamd_dial_job *job, bool *done)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int ret;

	ret = ockamd_dial_next_socket(job, &addr, &len);
	if (ret)
		return ret;
	*done = !connect(job->watch.fd, (struct sockaddr *)&addr, len);
	if (*done)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	ret = ockamd_loop_add(job->dial->loop, &job->watch, EPOLLOUT);
	job->waits = !ret;
	return ret;
}

static int ockamd_dial_bind(struct ockamd_dial_job *job)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int one = 1;
	int ret;

	ret = ockamd_dial_next_socket(job, &addr, &len);
	if (ret)
		return ret;
	setsockopt(job->watch.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(job->watch.fd, (struct sockaddr *)&addr, len) ||
	       listen(job->watch.fd, OCKAMD_DIAL_BACKLOG) ? -errno : 0;
}

static void ockamd_dial_go_on(struct ockamd_dial_job *job)
{
	struct ockam_err err;
	bool done = false;

	while (job->next < job->found.n) {
		job->why = job->listens ? ockamd_dial_bind(job) : ockamd_dial_try(job, &done);
		if (!job->why && (job->listens || done)) {
			ockamd_dial_done(job, job->watch.fd, NULL);
			return;
		}
		if (!job->why)
			return;
		if (job->watch.fd >= 0)
			close(job->watch.fd);
		job->watch.fd = -1;
	}
	ockamd_dial_explain(job, &err);
	ockamd_dial_done(job, err.code, &err);
}

static void ockamd_dial_connected(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_dial_job *job = ockamd_dial_of(watch, watch);
	socklen_t len = sizeof(int);
	int error = 0;

	(void)events;
	ockamd_dial_stop_watching(job);
	if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (!error) {
		ockamd_dial_done(job, watch->fd, NULL);
		return;
	}
	job->why = -error;
	close(watch->fd);
	watch->fd = -1;
	ockamd_dial_go_on(job);
}

static void ockamd_dial_late(struct ockamd_timer *timer)
{
	struct ockamd_dial_job *job = ockamd_dial_of(timer, timer);
	struct ockam_err err;

	job->why = -ETIMEDOUT;
	ockamd_dial_explain(job, &err);
	ockamd_dial_done(job, err.code, &err);
}

/* The addresses are known. */
static void ockamd_dial_begin(struct ockamd_timer *timer)
{
	struct ockamd_dial_job *job = ockamd_dial_of(timer, timer);
	int64_t left = job->deadline - ockamd_loop_now();

	job->timer.fn = ockamd_dial_late;
	ockamd_loop_arm(job->dial->loop, &job->timer, left > 0 ? left : 0);
	ockamd_dial_go_on(job);
}

static void ockamd_dial_looked_up(void *arg, const struct ockamd_found *found,
				  const struct ockam_err *err)
{
	struct ockamd_dial_job *job = arg;

	job->lookup = NULL;
	if (!found) {
		ockamd_dial_done(job, err->code, err);
		return;
	}
	job->found = *found;
	ockamd_dial_begin(&job->timer);
}

/* ---- for others -------------------------------------------------------------------- */

int ockamd_dial_start(struct ockamd_loop *loop, int keeper, struct ockamd_dial **dialp,
		      struct ockam_err *err)
{
	struct ockamd_dial *dial = calloc(1, sizeof(*dial));

	if (!dial)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	dial->loop = loop;
	dial->keeper = keeper;
	dial->lookups.loop = loop;
	dial->lookups.keeper = keeper;
	LIST_INIT(&dial->lookups.processes);
	*dialp = dial;
	return 0;
}

static int ockamd_dial_new(struct ockamd_dial *dial, const char *address, int timeout_ms,
			   bool listens, ockamd_dial_fn fn, void *arg,
			   struct ockamd_dial_job **jobp, struct ockam_err *err)
{
	struct ockamd_dial_job *job;
	int ret;

	if (dial->n_connecting >= OCKAMD_DIAL_MAX)
		return ockam_err_set(err, -EBUSY,
				     "%d connections are being made already, try again later",
				     OCKAMD_DIAL_MAX);
	job = calloc(1, sizeof(*job));
	if (!job)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	job->watch.fd = -1;
	job->watch.fn = ockamd_dial_connected;
	job->timer.fn = ockamd_dial_begin;
	job->listens = listens;
	job->dial = dial;
	job->deadline = ockamd_loop_now() + timeout_ms;
	job->fn = fn;
	job->arg = arg;
	ret = ockamd_dial_split(job, address, err);
	if (!ret && ockamd_lookup_numeric(job->host, &job->found))
		ockamd_loop_arm(dial->loop, &job->timer, 0);
	else if (!ret)
		ret = ockamd_lookup_start(&dial->lookups, job->host, timeout_ms,
					  ockamd_dial_looked_up, job, &job->lookup, err);
	if (ret) {
		free(job);
		return ret;
	}
	dial->n_connecting++;
	*jobp = job;
	return 0;
}

int ockamd_dial_connect(struct ockamd_dial *dial, const char *address, int timeout_ms,
			ockamd_dial_fn fn, void *arg, struct ockamd_dial_job **job,
			struct ockam_err *err)
{
	return ockamd_dial_new(dial, address, timeout_ms, false, fn, arg, job, err);
}

int ockamd_dial_listen(struct ockamd_dial *dial, const char *address, int timeout_ms,
		       ockamd_dial_fn fn, void *arg, struct ockamd_dial_job **job,
		       struct ockam_err *err)
{
	return ockamd_dial_new(dial, address, timeout_ms, true, fn, arg, job, err);
}

void ockamd_dial_cancel(struct ockamd_dial_job *job)
{
	ockamd_dial_free(job);
}

int ockamd_dial_listen_now(struct ockamd_dial *dial, const char *address, int timeout_ms,
			   struct ockam_err *err)
{
	struct ockamd_dial_job job = { .dial = dial, .listens = true };
	int ret;

	ret = ockamd_dial_split(&job, address, err);
	if (!ret && !ockamd_lookup_numeric(job.host, &job.found))
		ret = ockamd_lookup_wait(&dial->lookups, job.host, timeout_ms, &job.found, err);
	if (ret)
		return ret;
	while (job.next < job.found.n) {
		job.why = ockamd_dial_bind(&job);
		if (!job.why)
			return job.watch.fd;
		if (job.watch.fd >= 0)
			close(job.watch.fd);
	}
	ockamd_dial_explain(&job, err);
	return err->code;
}
