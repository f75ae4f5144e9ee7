// SPDX-License-Identifier: Apache-2.0
/*
 * TCP listeners.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hex.h"
#include "log.h"
#include "node.h"

#define OCKAMD_LISTENER_BATCH	64	/* connections accepted in one go */
#define OCKAMD_LISTENER_PAUSE_MS	200

static void ockamd_listener_resume(struct ockamd_timer *timer)
{
	struct ockamd_listener *listener = (struct ockamd_listener *)
		((char *)timer - offsetof(struct ockamd_listener, pause));

	ockamd_loop_change(&listener->node->loop, &listener->watch, EPOLLIN);
}

static void ockamd_listener_accept(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_listener *listener = (struct ockamd_listener *)watch;
	struct ockamd_node *node = listener->node;
	struct ockamd_link *link;
	struct ockam_err err;
	int i, fd;

	(void)events;
	for (i = 0; i < OCKAMD_LISTENER_BATCH; i++) {
		fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd < 0) {
			/* The connection stays in the backlog: asking again at once would spin. */
			ockamd_warn("listener %s: cannot accept: %s", listener->address,
				    strerror(errno));
			ockamd_loop_change(&node->loop, watch, 0);
			ockamd_loop_arm(&node->loop, &listener->pause, OCKAMD_LISTENER_PAUSE_MS);
			return;
		}
		if (ockamd_link_add(node, fd, true, NULL, &link, &err))
			/* Who connects and goes is no news, however often. */
			ockamd_log(err.code == -ENOTCONN ? OCKAMD_DEBUG : OCKAMD_WARN,
				   "listener %s: %s", listener->address, err.text);
		else
			ockamd_link_accepted(node, link);
	}
}

/* @fd: listening socket, taken over. */
static int ockamd_listener_add(struct ockamd_node *node, int fd,
			       struct ockamd_listener **listenerp, struct ockam_err *err)
{
	struct sockaddr_storage addr = { 0 };
	struct ockamd_listener *listener;
	socklen_t len = sizeof(addr);
	int ret;

	listener = calloc(1, sizeof(*listener));
	if (!listener) {
		close(fd);
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	listener->node = node;
	listener->watch.fn = ockamd_listener_accept;
	listener->watch.fd = fd;
	listener->pause.fn = ockamd_listener_resume;
	getsockname(fd, (struct sockaddr *)&addr, &len);
	ockamd_dial_format(&addr, listener->address);
	ret = ockamd_loop_add(&node->loop, &listener->watch, EPOLLIN);
	if (ret) {
		ockam_err_set(err, ret, "Cannot wait for connections: %s", strerror(-ret));
		close(fd);
		free(listener);
		return ret;
	}
	LIST_INSERT_HEAD(&node->listeners, listener, link);
	ockamd_info("listening for TCP connections at %s", listener->address);
	*listenerp = listener;
	return 0;
}

int ockamd_listener_open(struct ockamd_node *node, const char *address,
			 struct ockamd_listener **listener, struct ockam_err *err)
{
	int fd = ockamd_dial_listen_now(node->dial, address, OCKAMD_DIAL_MS, err);

	return fd < 0 ? fd : ockamd_listener_add(node, fd, listener, err);
}

static void ockamd_listener_close(struct ockamd_listener *listener)
{
	LIST_REMOVE(listener, link);
	ockamd_loop_disarm(&listener->pause);
	ockamd_loop_remove(&listener->node->loop, &listener->watch);
	close(listener->watch.fd);
	free(listener);
}

void ockamd_listener_close_all(struct ockamd_node *node)
{
	while (!LIST_EMPTY(&node->listeners))
		ockamd_listener_close(LIST_FIRST(&node->listeners));
}

static struct json_object *ockamd_listener_to_json(const struct ockamd_listener *listener)
{
	struct json_object *map = json_object_new_object();

	ockam_value_put_text(map, "address", listener->address);
	ockam_value_put_hex(map, "flow_control_id", listener->node->transport_flow,
			    OCKAM_FLOW_ID_LEN);
	/* A listener receives no messages; its socket address stands for it. */
	ockam_value_put_text(map, "processor_address", listener->address);
	return map;
}

struct json_object *ockamd_listener_describe(struct ockamd_node *node)
{
	struct json_object *list = json_object_new_array();
	struct ockamd_listener *listener;
	size_t n = 0;

	LIST_FOREACH(listener, &node->listeners, link)
		n++;
	LIST_FOREACH(listener, &node->listeners, link)
		json_object_array_put_idx(list, --n, ockamd_listener_to_json(listener));
	return list;
}

void ockamd_listener_op_list(struct ockamd_request *request)
{
	ockamd_ctl_reply_list(request, ockamd_listener_describe(request->node));
}

/* A listener being made: the name of its host may have to be looked up. */
static void ockamd_listener_made(void *arg, int fd, const struct ockam_err *why)
{
	struct ockamd_request *request = arg;
	struct ockamd_listener *listener;
	struct ockam_err err;

	request->cancel = NULL;
	if (fd < 0)
		ockamd_ctl_error(request, why);
	else if (ockamd_listener_add(request->node, fd, &listener, &err))
		ockamd_ctl_error(request, &err);
	else
		ockamd_ctl_reply(request, ockamd_listener_to_json(listener));
}

static void ockamd_listener_cancel(struct ockamd_request *request)
{
	ockamd_dial_cancel(request->state);
}

void ockamd_listener_op_create(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address");
	struct ockamd_dial_job *job;
	struct ockam_err err;

	if (!address) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_INVALID, "'address' is missing", NULL, NULL);
	} else if (ockamd_dial_listen(request->node->dial, address, OCKAMD_DIAL_MS,
				      ockamd_listener_made, request, &job, &err)) {
		ockamd_ctl_error(request, &err);
	} else {
		request->state = job;
		request->cancel = ockamd_listener_cancel;
	}
}

void ockamd_listener_op_delete(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address");
	struct ockamd_listener *listener;
	struct ockam_err err;

	LIST_FOREACH(listener, &request->node->listeners, link) {
		if (address && !strcmp(listener->address, address)) {
			ockamd_info("no longer listening at %s", listener->address);
			ockamd_listener_close(listener);
			ockamd_ctl_reply(request, NULL);
			return;
		}
	}
	ockam_err_set(&err, -ENOENT, "Listener %s was not found in the registry.",
		      address ? address : "");
	ockamd_ctl_error(request, &err);
}
