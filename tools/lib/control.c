// SPDX-License-Identifier: Apache-2.0
/*
 * The control protocol: what both sides share, and the client.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control.h"

#define OCKAM_CONTROL_PATIENCE	10	/* seconds for a node that is busy */

struct ockam_control {
	int		fd;
	int64_t		next_id;
	uint8_t		*packet;	/* OCKAM_CONTROL_MAX bytes */
};

static const struct {
	const char	*name;
	int		error;
} ockam_control_codes[__OCKAM_CONTROL_MAX] = {
	[OCKAM_CONTROL_NOT_FOUND]	= { "not-found", -ENOENT },
	[OCKAM_CONTROL_EXISTS]		= { "exists", -EEXIST },
	[OCKAM_CONTROL_REFUSED]		= { "refused", -ECONNREFUSED },
	[OCKAM_CONTROL_TIMEOUT]		= { "timeout", -ETIMEDOUT },
	[OCKAM_CONTROL_INVALID]		= { "invalid", -EINVAL },
	[OCKAM_CONTROL_INTERNAL]	= { "internal", -EIO },
	[OCKAM_CONTROL_UNREACHABLE]	= { "unreachable", -EHOSTUNREACH },
	[OCKAM_CONTROL_DENIED]		= { "denied", -EACCES },
	[OCKAM_CONTROL_BUSY]		= { "busy", -EBUSY },
};

const char *ockam_control_code_name(enum ockam_control_code code)
{
	return ockam_control_codes[code].name;
}

enum ockam_control_code ockam_control_code_from_errno(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return OCKAM_CONTROL_NOT_FOUND;
	case -EEXIST:
	case -EADDRINUSE:
		return OCKAM_CONTROL_EXISTS;
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ECONNABORTED:
	case -EPIPE:
		return OCKAM_CONTROL_REFUSED;
	case -ETIMEDOUT:
	case -ETIME:
		return OCKAM_CONTROL_TIMEOUT;
	case -EINVAL:
	case -EMSGSIZE:
	case -E2BIG:
	case -ENAMETOOLONG:
	case -EADDRNOTAVAIL:
		return OCKAM_CONTROL_INVALID;
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EHOSTDOWN:
	case -ENETDOWN:
	case -ESRCH:
		return OCKAM_CONTROL_UNREACHABLE;
	case -EACCES:
	case -EPERM:
	case -EKEYREJECTED:
	case -EKEYEXPIRED:
		return OCKAM_CONTROL_DENIED;
	case -EBUSY:
	case -EAGAIN:
	case -ENOSPC:
	case -ENOBUFS:
		return OCKAM_CONTROL_BUSY;
	}
	return OCKAM_CONTROL_INTERNAL;
}

static int ockam_control_error_of(const char *name)
{
	unsigned int i;

	for (i = 0; name && i < __OCKAM_CONTROL_MAX; i++) {
		if (!strcmp(name, ockam_control_codes[i].name))
			return ockam_control_codes[i].error;
	}
	return -EIO;
}

static int64_t ockam_control_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int ockam_control_connect(const char *path, struct ockam_control **control,
			  struct ockam_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = OCKAM_CONTROL_PATIENCE };
	int room = 2 * OCKAM_CONTROL_MAX;
	struct ockam_control *c;
	int ret;

	*control = NULL;
	if (strlen(path) >= sizeof(addr.sun_path))
		return ockam_err_set(err, -ENAMETOOLONG, "The path %s is too long for a socket",
				     path);
	strcpy(addr.sun_path, path);
	c = calloc(1, sizeof(*c));
	if (!c)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	c->packet = malloc(OCKAM_CONTROL_MAX);
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (!c->packet || c->fd < 0) {
		ret = c->packet ? -errno : -ENOMEM;
		ockam_err_set(err, ret, "Cannot make a socket: %s", strerror(-ret));
		ockam_control_close(c);
		return ret;
	}
	/* A packet must fit the send buffer; only root may go above the default maximum. */
	if (setsockopt(c->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	/* A node with too many clients lets the next ones wait. */
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(c->fd, (struct sockaddr *)&addr, sizeof(addr))) {
		ret = errno == EAGAIN ? -EBUSY : -errno;
		ockam_err_set(err, ret, "Cannot reach the node process at %s: %s", path,
			      strerror(-ret));
		ockam_control_close(c);
		return ret;
	}
	*control = c;
	return 0;
}

pid_t ockam_control_peer_pid(const struct ockam_control *control)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	return getsockopt(control->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? 0 : peer.pid;
}

bool ockam_control_peer_lives(const struct ockam_control *control)
{
	struct pollfd p = { .fd = control->fd };

	return poll(&p, 1, 0) >= 0 && !(p.revents & (POLLHUP | POLLERR));
}

void ockam_control_close(struct ockam_control *control)
{
	if (!control)
		return;
	if (control->fd >= 0)
		close(control->fd);
	free(control->packet);
	free(control);
}

int ockam_control_request(int64_t id, const char *op, struct json_object *args,
			  struct ockam_buf *out, struct ockam_err *err)
{
	struct json_object *request = json_object_new_object();
	int ret = -ENOMEM;

	if (request && !ockam_value_put_int(request, "v", OCKAM_CONTROL_VERSION) &&
	    !ockam_value_put_int(request, "id", id) &&
	    !ockam_value_put_text(request, "op", op) &&
	    (!args || !ockam_value_put(request, "args", json_object_get(args))))
		ret = ockam_value_encode(request, out, err);
	else
		ockam_err_set(err, ret, "Out of memory");
	json_object_put(request);
	if (!ret && out->len > OCKAM_CONTROL_MAX)
		ret = ockam_err_set(err, -EMSGSIZE,
				    "The request has %zu bytes, at most %d are possible", out->len,
				    OCKAM_CONTROL_MAX);
	return ret;
}

static int ockam_control_send(struct ockam_control *c, int64_t id, const char *op,
			      struct json_object *args, struct ockam_err *err)
{
	struct ockam_buf out = { 0 };
	int ret;

	ret = ockam_control_request(id, op, args, &out, err);
	if (!ret && send(c->fd, out.data, out.len, MSG_NOSIGNAL) < 0) {
		ret = errno == EPIPE ? -ECONNRESET : -errno;
		ockam_err_set(err, ret, "Cannot send to the node process: %s", strerror(-ret));
	}
	ockam_buf_free(&out);
	return ret;
}

/* One packet before @deadline (negative: no deadline), decoded into *answer. */
static int ockam_control_receive(struct ockam_control *c, int64_t deadline,
				 struct json_object **answer, struct ockam_err *err)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int64_t left = -1;
	ssize_t n;
	int ret;

	do {
		if (deadline >= 0) {
			left = deadline - ockam_control_now_ms();
			if (left < 0)
				left = 0;
		}
		ret = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return ockam_err_set(err, -errno, "Cannot wait for the node process: %s",
				     strerror(errno));
	if (!ret)
		return ockam_err_set(err, -ETIMEDOUT,
				     "timeout: the node process did not answer in time");
	n = recv(c->fd, c->packet, OCKAM_CONTROL_MAX, MSG_TRUNC);
	if (n <= 0)
		return ockam_err_set(err, -ECONNRESET, "The node process went away");
	if (n > OCKAM_CONTROL_MAX)
		return ockam_err_set(err, -EBADMSG,
				     "The node process sent an answer that is too long");
	return ockam_value_decode(c->packet, (size_t)n, answer, err);
}

int ockam_control_result(struct json_object *answer, struct json_object **result,
			 struct ockam_err *err)
{
	bool ok = ockam_value_bool(answer, "ok", false);
	struct json_object *body = ockam_value_get(answer, ok ? "result" : "error");
	const char *text;
	int ret = 0;

	if (!ok) {
		text = ockam_value_text(body, "text");
		ret = ockam_err_set(err, ockam_control_error_of(ockam_value_text(body, "code")),
				    "%s", text ? text : "The node process gave no reason");
	}
	if (result)
		*result = json_object_get(body);
	json_object_put(answer);
	return ret;
}

int ockam_control_call(struct ockam_control *control, const char *op, struct json_object *args,
		       int timeout_ms, struct json_object **result, struct ockam_err *err)
{
	struct json_object *answer = NULL;
	int64_t deadline;
	int64_t id;
	int ret;

	if (result)
		*result = NULL;
	id = ++control->next_id;
	deadline = timeout_ms < 0 ? -1 : ockam_control_now_ms() + timeout_ms;
	ret = ockam_control_send(control, id, op, args, err);
	if (ret)
		return ret;
	for (;;) {
		ret = ockam_control_receive(control, deadline, &answer, err);
		if (ret)
			return ret;
		if (ockam_value_int(answer, "id", -1) == id)
			break;
		/* The late answer of a request that timed out. */
		json_object_put(answer);
	}
	return ockam_control_result(answer, result, err);
}
