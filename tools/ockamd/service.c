// SPDX-License-Identifier: Apache-2.0
/*
 * Services echo and uppercase.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unicase.h>
#include <unistd.h>
#include <unistr.h>

#include "bare.h"
#include "log.h"
#include "node.h"

#define OCKAMD_SERVICE_MAX	(1024 * 1024)	/* bytes of one message, as the kernel's frames */
#define OCKAMD_SERVICE_ROOM	(16 * 1024 * 1024)	/* waiting requests, leaving replies */
#define OCKAMD_SERVICE_BATCH	64	/* messages answered in one go, and their bytes: */
#define OCKAMD_SERVICE_BYTES	(256 * 1024)	/* others wait, the worker too */

/*
 * answer: makes the reply of a request; 0, or a negative errno for no reply.
 * members: only for peers with a credential of the node's authority, if it has
 * one (cli 1.11).
 */
struct ockamd_service {
	struct ockamd_watch		watch;
	struct ockamd_node		*node;
	const char			*name;
	int				(*answer)(const uint8_t *request, size_t len,
						  struct ockam_buf *reply);
	bool				members;
	uint64_t			dropped;
	uint64_t			refused;

	LIST_ENTRY(ockamd_service)	link;
};

/* One for all: the loop has one thread. */
static uint8_t ockamd_service_buffer[OCKAMD_SERVICE_MAX];

/*
 * What does not fit is lost, and its sender waits for an answer in vain. In a
 * user namespace the system's own maximum counts.
 */
static void ockamd_service_make_room(int fd)
{
	int room = OCKAMD_SERVICE_ROOM;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

int ockamd_service_bind(const char *name, struct ockam_err *err)
{
	struct ockam_route route = { 0 };
	struct sockaddr_ockam addr = { .sockam_family = AF_OCKAM };
	socklen_t len = offsetof(struct sockaddr_ockam, sockam_route);
	int reach = OCKAM_REACH_ALL;
	int one = 1;
	int fd, ret;

	if (name && (ockam_route_append_text(&route, name, err) ||
		     ockam_route_to_sockaddr(&route, &addr, &len, err)))
		return -EINVAL;
	fd = socket(AF_OCKAM, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ockam_err_set(err, -errno, "Cannot make an Ockam socket: %s",
				     strerror(errno));
	if (setsockopt(fd, SOL_OCKAM, OCKAM_REACH, &reach, sizeof(reach)) ||
	    setsockopt(fd, SOL_OCKAM, OCKAM_RECVROUTE, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_OCKAM, OCKAM_RECVPEER, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&addr, len)) {
		ret = ockam_err_set(err, -errno, "Cannot bind the address '%s': %s",
				    name ? name : "(random)", strerror(errno));
		close(fd);
		return ret;
	}
	return fd;
}

int ockamd_service_send(int fd, const struct ockam_route *route, const void *payload, size_t len)
{
	union {
		struct cmsghdr	align;
		uint8_t		bytes[CMSG_SPACE(OCKAM_ROUTE_MAX_BYTES)];
	} control;
	struct iovec iov = { .iov_base = (void *)payload, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(route->len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	memset(&control, 0, CMSG_SPACE(route->len));
	cmsg->cmsg_level = SOL_OCKAM;
	cmsg->cmsg_type = OCKAM_CMSG_ROUTE;
	cmsg->cmsg_len = CMSG_LEN(route->len);
	memcpy(CMSG_DATA(cmsg), route->packed, route->len);
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

ssize_t ockamd_service_receive(int fd, struct ockam_route *back, struct ockam_nl_identifier *peer,
			       void *payload, size_t size)
{
	union {
		struct cmsghdr	align;
		uint8_t		bytes[CMSG_SPACE(OCKAM_ROUTE_MAX_BYTES) +
				      CMSG_SPACE(OCKAM_IDENTIFIER_LEN)];
	} control;
	struct iovec iov = { .iov_base = payload, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg;
	ssize_t len;

	memset(back, 0, sizeof(*back));
	if (peer)
		peer->present = false;
	len = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (len < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_OCKAM && cmsg->cmsg_type == OCKAM_CMSG_ROUTE)
			ockam_route_unpack(back, CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0),
					   NULL);
		if (peer && cmsg->cmsg_level == SOL_OCKAM && cmsg->cmsg_type == OCKAM_CMSG_PEER &&
		    cmsg->cmsg_len == CMSG_LEN(OCKAM_IDENTIFIER_LEN)) {
			peer->present = true;
			memcpy(peer->id, CMSG_DATA(cmsg), OCKAM_IDENTIFIER_LEN);
		}
	}
	return len;
}

static int ockamd_service_echo(const uint8_t *request, size_t len, struct ockam_buf *reply)
{
	ockam_buf_put(reply, request, len);
	return 0;
}

/* BARE string to BARE string; full Unicode mapping, so the length may change. */
static int ockamd_service_uppercase(const uint8_t *request, size_t len, struct ockam_buf *reply)
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
	return 0;
}

/* May @peer use a service of members? */
static bool ockamd_service_admits(struct ockamd_node *node, const struct ockam_nl_identifier *peer)
{
	const uint8_t *authority = node->rules.authority;

	if (!peer->present)
		return false;
	if (ockamd_attributes_get(node, peer->id, authority))
		return true;
	/* The worker may have reported them a moment ago. */
	ockamd_spawn_drain(node);
	return ockamd_attributes_get(node, peer->id, authority);
}

static void ockamd_service_ready(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_service *service = (struct ockamd_service *)watch;
	struct ockamd_node *node = service->node;
	struct ockam_nl_identifier peer;
	struct ockam_buf reply = { 0 };
	struct ockam_route back;
	size_t bytes = 0;
	ssize_t len;
	int ret;
	int i;

	(void)events;
	for (i = 0; i < OCKAMD_SERVICE_BATCH && bytes < OCKAMD_SERVICE_BYTES; i++) {
		len = ockamd_service_receive(watch->fd, &back, &peer, ockamd_service_buffer,
					     sizeof(ockamd_service_buffer));
		if (len == -EAGAIN || len == -EINTR)
			break;
		ret = len < 0 ? (int)len : 0;
		bytes += len < 0 ? 0 : (size_t)len;
		reply.len = 0;
		if (!ret && !back.hops)
			ret = -EDESTADDRREQ;
		if (!ret && service->members && node->rules.has_authority &&
		    !ockamd_service_admits(node, &peer)) {
			service->refused++;
			ret = -EACCES;
		}
		if (!ret)
			ret = service->answer(ockamd_service_buffer, (size_t)len, &reply);
		if (!ret && reply.failed)
			ret = -ENOMEM;
		if (!ret)
			ret = ockamd_service_send(watch->fd, &back, reply.data, reply.len);
		if (ret) {
			/* As the protocol wants it: no answer at all. */
			service->dropped++;
			ockamd_debug("service %s: no answer to a message: %s", service->name,
				     strerror(-ret));
		}
	}
	ockam_buf_free(&reply);
}

static int ockamd_service_start(struct ockamd_node *node, const char *name, bool members,
				int (*answer)(const uint8_t *request, size_t len,
					      struct ockam_buf *reply),
				struct ockam_err *err)
{
	struct ockamd_service *service;
	int ret;

	service = calloc(1, sizeof(*service));
	if (!service)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	service->node = node;
	service->name = name;
	service->members = members;
	service->answer = answer;
	service->watch.fn = ockamd_service_ready;
	ret = ockamd_service_bind(name, err);
	if (ret < 0) {
		free(service);
		return ret;
	}
	service->watch.fd = ret;
	ockamd_service_make_room(ret);
	ret = ockamd_loop_add(&node->loop, &service->watch, EPOLLIN);
	if (ret) {
		close(service->watch.fd);
		free(service);
		return ockam_err_set(err, ret, "Cannot wait for messages: %s", strerror(-ret));
	}
	LIST_INSERT_HEAD(&node->services, service, link);
	return 0;
}

int ockamd_service_start_all(struct ockamd_node *node, struct ockam_err *err)
{
	int ret;

	ret = ockamd_service_start(node, "echo", true, ockamd_service_echo, err);
	if (!ret)
		ret = ockamd_service_start(node, "uppercase", false, ockamd_service_uppercase, err);
	return ret;
}

uint64_t ockamd_service_refused(struct ockamd_node *node)
{
	struct ockamd_service *service;
	uint64_t refused = 0;

	LIST_FOREACH(service, &node->services, link)
		refused += service->refused;
	return refused;
}

struct json_object *ockamd_service_describe(struct ockamd_node *node)
{
	struct json_object *list = json_object_new_array();
	struct ockamd_service *service;
	struct json_object *map;

	LIST_FOREACH(service, &node->services, link) {
		map = json_object_new_object();
		ockam_value_put_text(map, "addr", service->name);
		ockam_value_put_text(map, "type", service->name);
		json_object_array_add(list, map);
	}
	return list;
}
