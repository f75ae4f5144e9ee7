// SPDX-License-Identifier: Apache-2.0
/*
 * Dialling and listening in the caller's network namespace.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dial.h"

#define OCKAMD_DIAL_STACK	(256 * 1024)	/* bytes; name resolution is hungry */

enum ockamd_dial_kind {
	OCKAMD_DIAL_CONNECT,
	OCKAMD_DIAL_LISTEN,
};

/*
 * One attempt. Belongs to the requests queue, then to its thread, then to the
 * results queue; ->fn and ->arg are the event loop's alone, NULL = cancelled.
 */
struct ockamd_dial_job {
	TAILQ_ENTRY(ockamd_dial_job)	link;
	struct ockamd_dial		*dial;
	enum ockamd_dial_kind		kind;
	char				address[OCKAMD_SOCKET_TEXT];
	char				host[OCKAMD_SOCKET_TEXT];
	char				port[8];
	int64_t				deadline;
	ockamd_dial_fn			fn;
	void				*arg;
	int				fd;	/* result, or negative errno */
	char				actual[OCKAMD_SOCKET_TEXT];
	struct ockam_err		err;
};

/* lock guards the queues; the rest is set before the thread starts or the loop's alone. */
struct ockamd_dial {
	struct ockamd_watch		watch;	/* eventfd: results are there */
	pthread_mutex_t			lock;
	pthread_cond_t			wanted;
	pthread_cond_t			listened;
	unsigned int			n_connecting;	/* the loop's */

	TAILQ_HEAD(, ockamd_dial_job)	requests;
	TAILQ_HEAD(, ockamd_dial_job)	results;
};

void ockamd_dial_format(const struct sockaddr_storage *addr, char text[OCKAMD_SOCKET_TEXT])
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	struct sockaddr_in in = { .sin_family = AF_INET };
	const struct sockaddr *plain = (const void *)addr;
	socklen_t len = sizeof(*in6);
	char host[64], port[8];

	if (addr->ss_family == AF_INET)
		len = sizeof(in);
	if (addr->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(&in.sin_addr, &in6->sin6_addr.s6_addr[12], 4);
		in.sin_port = in6->sin6_port;
		plain = (const void *)&in;
		len = sizeof(in);
	}
	if (getnameinfo(plain, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, OCKAMD_SOCKET_TEXT, "unknown");
	else
		snprintf(text, OCKAMD_SOCKET_TEXT, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
			 port);
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
	snprintf(job->port, sizeof(job->port), "%hu", (unsigned short)port);
	return 0;
}

static int ockamd_dial_resolve(struct ockamd_dial_job *job, int flags, struct addrinfo **found)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags,
	};
	int ret;

	ret = getaddrinfo(job->host, job->port, &hints, found);
	if (ret == EAI_SYSTEM)
		return ockam_err_set(&job->err, -errno, "Cannot resolve %s: %s", job->host,
				     strerror(errno));
	if (ret)
		return ockam_err_set(&job->err, -EHOSTUNREACH, "Cannot resolve %s: %s", job->host,
				     gai_strerror(ret));
	return 0;
}

/* ---- in a thread of its own: connect ------------------------------------- */

/* One address. Returns the socket or a negative errno. */
static int ockamd_dial_try(const struct addrinfo *ai, int64_t deadline)
{
	struct pollfd p = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int64_t left;
	int error = 0;
	int ret;

	p.fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p.fd < 0)
		return -errno;
	if (!connect(p.fd, ai->ai_addr, ai->ai_addrlen))
		return p.fd;
	ret = -errno;
	if (ret == -EINPROGRESS) {
		do {
			left = deadline - ockamd_loop_now();
			ret = poll(&p, 1, left > 0 ? (int)left : 0);
		} while (ret < 0 && errno == EINTR);
		if (!ret)
			ret = -ETIMEDOUT;
		else if (ret < 0)
			ret = -errno;
		else if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len))
			ret = -errno;
		else
			ret = -error;
	}
	if (!ret)
		return p.fd;
	close(p.fd);
	return ret;
}

static void *ockamd_dial_connect_thread(void *arg)
{
	struct ockamd_dial_job *job = arg;
	struct ockamd_dial *dial = job->dial;
	struct addrinfo *found = NULL;
	struct addrinfo *ai;
	uint64_t one = 1;

	job->fd = ockamd_dial_resolve(job, 0, &found);
	for (ai = found; ai; ai = ai->ai_next) {
		job->fd = ockamd_dial_try(ai, job->deadline);
		if (job->fd >= 0)
			break;
	}
	if (found) {
		if (job->fd < 0)
			ockam_err_set(&job->err, job->fd, "Unable to connect to %s: %s",
				      job->address,
				      job->fd == -ETIMEDOUT ? "timeout" : strerror(-job->fd));
		freeaddrinfo(found);
	}
	pthread_mutex_lock(&dial->lock);
	TAILQ_INSERT_TAIL(&dial->results, job, link);
	pthread_mutex_unlock(&dial->lock);
	if (write(dial->watch.fd, &one, sizeof(one)) < 0)
		return NULL;	/* only when the counter is full: the loop is awake then */
	return NULL;
}

/* ---- in the thread that stays --------------------------------------------- */

static void ockamd_dial_spawn(struct ockamd_dial_job *job)
{
	struct ockamd_dial *dial = job->dial;
	pthread_attr_t attr;
	uint64_t one = 1;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, OCKAMD_DIAL_STACK);
	ret = pthread_create(&thread, &attr, ockamd_dial_connect_thread, job);
	pthread_attr_destroy(&attr);
	if (!ret)
		return;
	job->fd = ockam_err_set(&job->err, -ret, "Cannot start a thread: %s", strerror(ret));
	pthread_mutex_lock(&dial->lock);
	TAILQ_INSERT_TAIL(&dial->results, job, link);
	pthread_mutex_unlock(&dial->lock);
	if (write(dial->watch.fd, &one, sizeof(one)) < 0)
		return;
}

static int ockamd_dial_bind(struct ockamd_dial_job *job, const struct addrinfo *ai)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int one = 1;
	int fd, ret;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 1024) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ockamd_dial_format(&addr, job->actual);
	return fd;
}

static void ockamd_dial_do_listen(struct ockamd_dial_job *job)
{
	struct addrinfo *found = NULL;
	struct addrinfo *ai;

	job->fd = ockamd_dial_resolve(job, AI_PASSIVE, &found);
	for (ai = found; ai; ai = ai->ai_next) {
		job->fd = ockamd_dial_bind(job, ai);
		if (job->fd >= 0)
			break;
	}
	if (!found)
		return;
	freeaddrinfo(found);
	if (job->fd == -EADDRINUSE)
		ockam_err_set(&job->err, job->fd,
			      "Unable to listen on %s: port %s is in use by another process",
			      job->address, job->port);
	else if (job->fd < 0)
		ockam_err_set(&job->err, job->fd, "Unable to listen on %s: %s", job->address,
			      strerror(-job->fd));
}

static void *ockamd_dial_thread(void *arg)
{
	struct ockamd_dial *dial = arg;
	struct ockamd_dial_job *job;

	for (;;) {
		pthread_mutex_lock(&dial->lock);
		while (!(job = TAILQ_FIRST(&dial->requests)))
			pthread_cond_wait(&dial->wanted, &dial->lock);
		TAILQ_REMOVE(&dial->requests, job, link);
		pthread_mutex_unlock(&dial->lock);
		if (job->kind == OCKAMD_DIAL_CONNECT) {
			ockamd_dial_spawn(job);
			continue;
		}
		ockamd_dial_do_listen(job);
		pthread_mutex_lock(&dial->lock);
		job->dial = NULL;	/* done */
		pthread_cond_signal(&dial->listened);
		pthread_mutex_unlock(&dial->lock);
	}
	return NULL;
}

/* ---- in the event loop ----------------------------------------------------- */

static void ockamd_dial_ready(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_dial *dial = (struct ockamd_dial *)watch;
	struct ockamd_dial_job *job;
	uint64_t count;

	(void)events;
	if (read(watch->fd, &count, sizeof(count)) < 0)
		return;
	for (;;) {
		pthread_mutex_lock(&dial->lock);
		job = TAILQ_FIRST(&dial->results);
		if (job)
			TAILQ_REMOVE(&dial->results, job, link);
		pthread_mutex_unlock(&dial->lock);
		if (!job)
			return;
		dial->n_connecting--;
		if (job->fn)
			job->fn(job->arg, job->fd, &job->err);
		else if (job->fd >= 0)
			close(job->fd);
		free(job);
	}
}

int ockamd_dial_start(struct ockamd_loop *loop, struct ockamd_dial **dialp,
		      struct ockam_err *err)
{
	struct ockamd_dial *dial;
	pthread_t thread;
	int ret;

	dial = calloc(1, sizeof(*dial));
	if (!dial)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	pthread_mutex_init(&dial->lock, NULL);
	pthread_cond_init(&dial->wanted, NULL);
	pthread_cond_init(&dial->listened, NULL);
	TAILQ_INIT(&dial->requests);
	TAILQ_INIT(&dial->results);
	dial->watch.fn = ockamd_dial_ready;
	dial->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dial->watch.fd < 0) {
		ret = -errno;
		goto fail;
	}
	ret = ockamd_loop_add(loop, &dial->watch, EPOLLIN);
	if (!ret)
		ret = -pthread_create(&thread, NULL, ockamd_dial_thread, dial);
	if (!ret) {
		pthread_detach(thread);
		*dialp = dial;
		return 0;
	}
	close(dial->watch.fd);
fail:
	free(dial);
	return ockam_err_set(err, ret, "Cannot start the dialling thread: %s", strerror(-ret));
}

int ockamd_dial_connect(struct ockamd_dial *dial, const char *address, int timeout_ms,
			ockamd_dial_fn fn, void *arg, struct ockamd_dial_job **jobp,
			struct ockam_err *err)
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
	ret = ockamd_dial_split(job, address, err);
	if (ret) {
		free(job);
		return ret;
	}
	job->kind = OCKAMD_DIAL_CONNECT;
	job->dial = dial;
	job->deadline = ockamd_loop_now() + timeout_ms;
	job->fn = fn;
	job->arg = arg;
	dial->n_connecting++;
	pthread_mutex_lock(&dial->lock);
	TAILQ_INSERT_TAIL(&dial->requests, job, link);
	pthread_cond_signal(&dial->wanted);
	pthread_mutex_unlock(&dial->lock);
	*jobp = job;
	return 0;
}

void ockamd_dial_cancel(struct ockamd_dial_job *job)
{
	/* The threads never look at fn. */
	job->fn = NULL;
}

int ockamd_dial_listen(struct ockamd_dial *dial, const char *address, char *actual,
		       struct ockam_err *err)
{
	struct ockamd_dial_job job = { .kind = OCKAMD_DIAL_LISTEN, .dial = dial };
	int ret;

	ret = ockamd_dial_split(&job, address, err);
	if (ret)
		return ret;
	pthread_mutex_lock(&dial->lock);
	TAILQ_INSERT_TAIL(&dial->requests, &job, link);
	pthread_cond_signal(&dial->wanted);
	while (job.dial)
		pthread_cond_wait(&dial->listened, &dial->lock);
	pthread_mutex_unlock(&dial->lock);
	if (job.fd < 0) {
		*err = job.err;
		return job.fd;
	}
	strcpy(actual, job.actual);
	return job.fd;
}
