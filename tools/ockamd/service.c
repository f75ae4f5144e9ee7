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
#include "socket.h"

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
static bool ockamd_service_admits(struct ockamd_node *node, const struct ockam_peer *peer)
{
	const uint8_t *authority = node->rules.authority;

	if (!peer->present)
		return false;
	if (ockamd_attributes_get(node, peer->identifier, authority))
		return true;
	/* The worker may have reported them a moment ago. */
	ockamd_spawn_drain(node);
	return ockamd_attributes_get(node, peer->identifier, authority);
}

static void ockamd_service_ready(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_service *service = (struct ockamd_service *)watch;
	struct ockamd_node *node = service->node;
	struct ockam_peer peer;
	struct ockam_buf reply = { 0 };
	struct ockam_route back;
	size_t bytes = 0;
	ssize_t len;
	int ret;
	int i;

	(void)events;
	for (i = 0; i < OCKAMD_SERVICE_BATCH && bytes < OCKAMD_SERVICE_BYTES; i++) {
		len = ockam_socket_receive(watch->fd, &back, &peer, ockamd_service_buffer,
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
			ret = ockam_socket_send(watch->fd, &back, reply.data, reply.len);
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
	ret = ockam_socket_open(name, OCKAM_REACH_ALL, err);
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
