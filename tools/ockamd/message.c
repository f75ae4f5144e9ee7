// SPDX-License-Identifier: Apache-2.0
/*
 * One message and its reply, by a socket that lives as long as the request.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "node.h"
#include "socket.h"

/* A reply travels back as hexadecimal text in one packet. */
#define OCKAMD_MESSAGE_MAX	(OCKAM_CONTROL_MAX / 2 - 1024)

/*
 * Belongs to its request: freed when that is answered or cancelled. way: a socket
 * connected to the first address of the route, which is told when that ends.
 */
struct ockamd_message {
	struct ockamd_watch	watch;
	struct ockamd_watch	way;
	struct ockamd_timer	timer;
	struct ockamd_request	*request;
};

static void ockamd_message_close(struct ockamd_loop *loop, struct ockamd_watch *watch)
{
	if (watch->fd < 0)
		return;
	ockamd_loop_remove(loop, watch);
	close(watch->fd);
}

static void ockamd_message_free(struct ockamd_message *message)
{
	struct ockamd_loop *loop = &message->request->node->loop;

	ockamd_loop_disarm(&message->timer);
	ockamd_message_close(loop, &message->watch);
	ockamd_message_close(loop, &message->way);
	free(message);
}

static void ockamd_message_cancel(struct ockamd_request *request)
{
	ockamd_message_free(request->state);
}

static void ockamd_message_late(struct ockamd_timer *timer)
{
	struct ockamd_message *message = (struct ockamd_message *)
		((char *)timer - offsetof(struct ockamd_message, timer));
	struct ockamd_request *request = message->request;

	ockamd_message_free(message);
	ockamd_ctl_fail(request, OCKAM_CONTROL_TIMEOUT,
			"timeout: no reply to the message came in time", NULL, NULL);
}

/* Answer the request with what has come. False: nothing has. */
static bool ockamd_message_take(struct ockamd_message *message)
{
	struct ockamd_request *request = message->request;
	struct json_object *result = NULL;
	struct ockam_route back;
	struct ockam_err err;
	uint8_t *payload;
	ssize_t len;
	int ret;

	payload = malloc(OCKAMD_MESSAGE_MAX);
	if (!payload)
		len = -ENOMEM;
	else
		len = ockam_socket_receive(message->watch.fd, &back, NULL, payload,
					   OCKAMD_MESSAGE_MAX);
	if (len == -EAGAIN || len == -EINTR) {
		free(payload);
		return false;
	}
	ret = len < 0 ? (int)len : 0;
	if (!ret) {
		result = json_object_new_object();
		ret = result ? ockam_value_put_hex(result, "reply", payload, (size_t)len) : -ENOMEM;
	}
	free(payload);
	ockamd_message_free(message);
	if (!ret) {
		ockamd_ctl_reply(request, result);
		return true;
	}
	json_object_put(result);
	ockam_err_set(&err, ret, "The reply cannot be received: %s", strerror(-ret));
	ockamd_ctl_error(request, &err);
	return true;
}

static void ockamd_message_reply(struct ockamd_watch *watch, uint32_t events)
{
	(void)events;
	ockamd_message_take((struct ockamd_message *)watch);
}

/* Nothing comes any more when the first address is gone, or leads nowhere. */
static void ockamd_message_way(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_message *message = (struct ockamd_message *)
		((char *)watch - offsetof(struct ockamd_message, way));
	struct ockamd_request *request = message->request;
	socklen_t len = sizeof(int);
	struct ockam_err err;
	int error = 0;

	(void)events;
	/* The answer may be here already: one that says goodbye, say. */
	if (ockamd_message_take(message))
		return;
	getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	ockamd_message_free(message);
	ockam_err_set(&err, -EHOSTUNREACH, error == ECONNRESET
		      ? "The first address of the route ended before there was an answer"
		      : "The connection that the route leads over ended before there was an answer");
	ockamd_ctl_error(request, &err);
}

/* Be told when the first address of @route ends. */
static int ockamd_message_watch_way(struct ockamd_message *message,
				    const struct ockam_route *route)
{
	struct ockam_route first = { 0 };
	struct sockaddr_ockam addr;
	struct ockam_hop hop;
	socklen_t len;

	ockam_route_hop(route, 0, &hop);
	/* An address that fits none is a socket's or a service's: those do not lead on. */
	if (ockam_route_append(&first, hop.type, hop.name, hop.len, NULL) ||
	    ockam_route_to_sockaddr(&first, &addr, &len, NULL))
		return 0;
	message->way.fd = socket(AF_OCKAM, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (message->way.fd < 0)
		return -errno;
	message->way.fn = ockamd_message_way;
	if (connect(message->way.fd, (struct sockaddr *)&addr, len))
		return -errno;
	return ockamd_loop_add(&message->request->node->loop, &message->way, 0);
}

static int ockamd_message_refused(const struct ockam_route *route, int ret, struct ockam_err *err)
{
	char text[OCKAM_ROUTE_TEXT];
	struct ockam_route first = { 0 };
	struct ockam_hop hop;

	if (ret != -EHOSTUNREACH || !ockam_route_hop(route, 0, &hop))
		return ockam_err_set(err, ret, "The message cannot be sent: %s", strerror(-ret));
	ockam_route_append(&first, hop.type, hop.name, hop.len, NULL);
	ockam_route_format(&first, text);
	return ockam_err_set(err, ret,
			     "This node has no address %s, or it leads to no other node any more",
			     text);
}

static int ockamd_message_start(struct ockamd_message *message, struct ockam_err *err)
{
	struct ockamd_request *request = message->request;
	struct json_object *args = request->parts.args;
	struct ockamd_loop *loop = &request->node->loop;
	const struct ockam_route *route = &request->route->hops;
	struct ockam_buf payload = { 0 };
	int ret;

	ret = ockam_value_bytes(args, "payload", &payload, err);
	if (ret)
		goto out;
	ret = ockam_socket_open(NULL, OCKAM_REACH_ALL, err);
	if (ret < 0)
		goto out;
	message->watch.fd = ret;
	message->watch.fn = ockamd_message_reply;
	ret = ockamd_loop_add(loop, &message->watch, EPOLLIN);
	if (ret) {
		ockam_err_set(err, ret, "Cannot wait for the reply: %s", strerror(-ret));
		goto out;
	}
	ret = ockamd_message_watch_way(message, route);
	if (!ret)
		ret = ockam_socket_send(message->watch.fd, route, payload.data, payload.len);
	if (ret) {
		ockamd_message_refused(route, ret, err);
		goto out;
	}
	message->timer.fn = ockamd_message_late;
	ockamd_loop_arm(loop, &message->timer, request->deadline - ockamd_loop_now());
out:
	ockam_buf_free(&payload);
	return ret;
}

static void ockamd_message_along(struct ockamd_request *request)
{
	struct ockamd_message *message;
	struct ockam_err err;

	message = calloc(1, sizeof(*message));
	if (!message) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_INTERNAL, "Out of memory", NULL, NULL);
		return;
	}
	message->watch.fd = -1;
	message->way.fd = -1;
	message->request = request;
	request->state = message;
	request->cancel = ockamd_message_cancel;
	if (!ockamd_message_start(message, &err))
		return;
	ockamd_message_free(message);
	ockamd_ctl_error(request, &err);
}

void ockamd_message_op_send(struct ockamd_request *request)
{
	ockamd_route_serve(request, ockamd_message_along);
}
