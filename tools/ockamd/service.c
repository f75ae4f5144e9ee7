// SPDX-License-Identifier: Apache-2.0
/*
 * The service echo, and what services have in common.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "log.h"
#include "node.h"
#include "socket.h"

#define OCKAMD_SERVICE_ROOM	(16 * 1024 * 1024)	/* waiting requests, leaving replies */
#define OCKAMD_SERVICE_BATCH	64	/* messages answered in one go, and their bytes: */
#define OCKAMD_SERVICE_BYTES	(256 * 1024)	/* others wait, the worker too */

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

/* May @peer use echo? Only who has a credential of the node's authority, if it has one. */
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
	struct ockamd_service *echo = (struct ockamd_service *)watch;
	struct ockamd_node *node = echo->node;
	struct ockam_peer peer;
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
		if (!ret && !back.hops)
			ret = -EDESTADDRREQ;
		if (!ret && node->rules.has_authority && !ockamd_service_admits(node, &peer)) {
			echo->refused++;
			ret = -EACCES;
		}
		if (!ret)
			ret = ockam_socket_send(watch->fd, &back, ockamd_service_buffer,
						(size_t)len);
		/* As the protocol wants it: no answer at all. */
		if (ret)
			ockamd_debug("service echo: no answer to a message: %s", strerror(-ret));
	}
}

int ockamd_service_start_all(struct ockamd_node *node, struct ockam_err *err)
{
	struct ockamd_service *echo = &node->echo;
	int ret;

	ret = ockam_socket_open("echo", OCKAM_REACH_ALL, err);
	if (ret < 0)
		return ret;
	ockamd_service_make_room(ret);
	echo->node = node;
	echo->watch.fn = ockamd_service_ready;
	echo->watch.fd = ret;
	ret = ockamd_loop_add(&node->loop, &echo->watch, EPOLLIN);
	if (ret)
		return ockam_err_set(err, ret, "Cannot wait for messages: %s", strerror(-ret));
	ret = ockam_socket_open("uppercase", OCKAM_REACH_ALL, err);
	if (ret < 0)
		return ret;
	ockamd_service_make_room(ret);
	return ockamd_uppercase_start(node, ret, err);
}

uint64_t ockamd_service_refused(struct ockamd_node *node)
{
	return node->echo.refused;
}

struct json_object *ockamd_service_describe(void)
{
	static const char * const names[] = { "uppercase", "echo" };
	struct json_object *list = json_object_new_array();
	struct json_object *map;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		map = json_object_new_object();
		ockam_value_put_text(map, "addr", names[i]);
		ockam_value_put_text(map, "type", names[i]);
		json_object_array_add(list, map);
	}
	return list;
}
