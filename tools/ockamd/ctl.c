// SPDX-License-Identifier: Apache-2.0
/*
 * The control server.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper.h"
#include "log.h"
#include "node.h"
#include "sweep.h"

#define OCKAMD_CTL_PAGE		(OCKAM_CONTROL_MAX / 2)	/* bytes of a list in one answer */
#define OCKAMD_CTL_PAUSE_MS	200
#define OCKAMD_CTL_LOCKED_MS	10000	/* how long a locked database is waited for */
#define OCKAMD_CTL_AGAIN_MS	50

/* An answer that did not fit the client's socket yet. */
struct ockamd_answer {
	TAILQ_ENTRY(ockamd_answer)	link;
	struct ockam_buf		packet;
};

TAILQ_HEAD(ockamd_answers, ockamd_answer);
LIST_HEAD(ockamd_requests, ockamd_request);

/*
 * Born: accepted. Dies: when it closes, sends garbage, or reads too slowly;
 * its requests are cancelled, with what was made for them. Requests point
 * to it, nothing else does.
 */
struct ockamd_client {
	struct ockamd_watch		watch;
	struct ockamd_node		*node;
	uid_t				user;
	unsigned int			n_requests;
	size_t				unsent;
	bool				broken;	/* to be closed by the loop, not below a handler */
	struct ockamd_answers		answers;
	struct ockamd_requests		requests;

	LIST_ENTRY(ockamd_client)	link;
};

/* One for all: the loop has one thread. */
static uint8_t ockamd_ctl_packet[OCKAM_CONTROL_MAX];

/* ---- answers ---------------------------------------------------------------- */

static void ockamd_ctl_free_answer(struct ockamd_client *client, struct ockamd_answer *answer)
{
	TAILQ_REMOVE(&client->answers, answer, link);
	client->unsent -= answer->packet.len;
	ockam_buf_free(&answer->packet);
	free(answer);
}

/* Make the loop come back to this client, which then closes it. */
static void ockamd_ctl_break(struct ockamd_client *client)
{
	client->broken = true;
	ockamd_loop_change(&client->node->loop, &client->watch, EPOLLIN | EPOLLOUT);
	shutdown(client->watch.fd, SHUT_RDWR);
}

static void ockamd_ctl_flush(struct ockamd_client *client)
{
	struct ockamd_answer *answer;

	while ((answer = TAILQ_FIRST(&client->answers))) {
		if (send(client->watch.fd, answer->packet.data, answer->packet.len,
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			if (errno == EAGAIN || errno == EINTR)
				break;
			ockamd_ctl_break(client);
			return;
		}
		ockamd_ctl_free_answer(client, answer);
	}
	ockamd_loop_change(&client->node->loop, &client->watch,
			   TAILQ_EMPTY(&client->answers) ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

/* Takes the packet over. */
static void ockamd_ctl_send(struct ockamd_client *client, struct ockam_buf *packet)
{
	struct ockamd_answer *answer;

	answer = packet->failed || client->broken ? NULL : calloc(1, sizeof(*answer));
	if (!answer || client->unsent + packet->len > OCKAMD_CTL_UNSENT) {
		if (!client->broken)
			ockamd_warn("control: a client does not read its answers, closing it");
		free(answer);
		ockam_buf_free(packet);
		ockamd_ctl_break(client);
		return;
	}
	answer->packet = *packet;
	TAILQ_INSERT_TAIL(&client->answers, answer, link);
	client->unsent += packet->len;
	ockamd_ctl_flush(client);
}

static void ockamd_ctl_free(struct ockamd_request *request)
{
	ockamd_route_end(request->route);
	ockamd_loop_disarm(&request->again);
	LIST_REMOVE(request, link);
	request->client->n_requests--;
	ockam_control_request_free(&request->parts);
	free(request);
}

static void ockamd_ctl_finish(struct ockamd_request *request, struct ockam_buf *packet)
{
	struct ockamd_client *client = request->client;

	ockamd_ctl_free(request);
	ockamd_ctl_send(client, packet);
}

void ockamd_ctl_reply(struct ockamd_request *request, struct json_object *result)
{
	struct ockam_buf packet = { 0 };
	int ret;

	ret = ockam_control_reply(request->parts.id, result, &packet);
	json_object_put(result);
	if (ret) {
		ockam_buf_free(&packet);
		ockamd_ctl_fail(request, OCKAM_CONTROL_INTERNAL,
				ret == -EMSGSIZE ? "The answer is too long" : "Out of memory",
				NULL, NULL);
		return;
	}
	ockamd_debug("control: %s done", request->parts.op);
	ockamd_ctl_finish(request, &packet);
}

void ockamd_ctl_fail(struct ockamd_request *request, enum ockam_control_code code,
		     const char *text, const char *route, const char *help)
{
	struct ockam_buf packet = { 0 };

	ockamd_debug("control: %s failed: %s", request->parts.op, text);
	ockam_control_refuse(request->parts.id, code, text, route, help, &packet);
	ockamd_ctl_finish(request, &packet);
}

void ockamd_ctl_go_on(struct ockamd_request *request,
		      void (*handler)(struct ockamd_request *request))
{
	struct ockamd_node *node = request->node;

	/* What was busy before is no reason of this one's. */
	ockam_store_was_busy(node->store);
	request->handler = handler;
	node->ctl.dispatched = request;
	handler(request);
	node->ctl.dispatched = NULL;
}

static void ockamd_ctl_again(struct ockamd_timer *timer)
{
	struct ockamd_request *request = (struct ockamd_request *)
		((char *)timer - offsetof(struct ockamd_request, again));

	ockamd_ctl_go_on(request, request->handler);
}

uid_t ockamd_ctl_user(const struct ockamd_request *request)
{
	return request->client->user;
}

/* Somebody writes to the database, and the loop does not wait: ask it again, a little later. */
static bool ockamd_ctl_defer(struct ockamd_request *request, const struct ockam_err *err)
{
	struct ockamd_node *node = request->node;

	if (err->code != -EBUSY || node->ctl.dispatched != request ||
	    !ockam_store_was_busy(node->store))
		return false;
	if (!request->give_up)
		request->give_up = ockamd_loop_now() + OCKAMD_CTL_LOCKED_MS;
	if (ockamd_loop_now() >= request->give_up)
		return false;
	request->again.fn = ockamd_ctl_again;
	ockamd_loop_arm(&node->loop, &request->again, OCKAMD_CTL_AGAIN_MS);
	return true;
}

void ockamd_ctl_blame(struct ockamd_request *request, const struct ockam_err *err,
		      const char *route, const char *help)
{
	if (ockamd_ctl_defer(request, err))
		return;
	ockamd_ctl_fail(request, ockam_control_code_from_errno(err->code), err->text, route, help);
}

void ockamd_ctl_error(struct ockamd_request *request, const struct ockam_err *err)
{
	ockamd_ctl_blame(request, err, NULL, NULL);
}

/* ---- operations --------------------------------------------------------------- */

size_t ockamd_ctl_skip(const struct ockamd_request *request)
{
	int64_t skip = ockam_value_int(request->parts.args, "skip", 0);

	return skip > 0 ? (size_t)skip : 0;
}

void ockamd_ctl_reply_list(struct ockamd_request *request, struct json_object *list)
{
	size_t i, n = list ? json_object_array_length(list) : 0;
	struct json_object *page = json_object_new_array();
	struct json_object *item;
	size_t bytes = 0;

	for (i = ockamd_ctl_skip(request); i < n && bytes < OCKAMD_CTL_PAGE; i++) {
		item = json_object_array_get_idx(list, i);
		bytes += strlen(json_object_to_json_string_ext(item, JSON_C_TO_STRING_PLAIN));
		json_object_array_add(page, json_object_get(item));
	}
	json_object_put(list);
	ockamd_ctl_reply(request, page);
}

static void ockamd_ctl_put_counters(struct ockamd_node *node, struct json_object *map)
{
	struct json_object *counters = json_object_new_object();
	struct ockam_nl_node facts;
	size_t i;

	if (!ockam_nl_node_get(node->nl, &facts, NULL)) {
		for (i = 0; i < facts.n_counters; i++)
			ockam_value_put_int(counters, facts.counters[i].name,
					    (int64_t)facts.counters[i].value);
		ockam_nl_node_free(&facts);
	}
	ockam_value_put_int(counters, "echo_refused", (int64_t)ockamd_service_refused(node));
	ockam_value_put(map, "counters", counters);
}

/* The pin as it is now: what others have done to it is said, not undone. */
static void ockamd_ctl_put_netns(struct ockamd_node *node, struct json_object *map)
{
	bool pinned = node->pin.name[0] && ockam_sweep_is_pinned(&node->pin);

	if (node->pin.name[0] && !pinned && !node->unpinned[0]) {
		snprintf(node->unpinned, sizeof(node->unpinned),
			 "The pin %s/%s of the node's network namespace was removed or replaced; 'node stop' and 'node start' make it anew",
			 OCKAM_NETNS_DIR, node->pin.name);
		ockamd_warn("node %s: %s", node->options->name, node->unpinned);
	}
	if (pinned)
		ockam_value_put_text(map, "netns", node->pin.name);
	else if (node->unpinned[0])
		ockam_value_put_text(map, "netns_missing", node->unpinned);
}

static void ockamd_ctl_op_info(struct ockamd_request *request)
{
	struct json_object *map = json_object_new_object();
	struct ockamd_node *node = request->node;
	char identifier[OCKAM_IDENTIFIER_TEXT];
	size_t left;

	ockam_identifier_format(node->identifier, identifier);
	ockam_value_put_text(map, "name", node->options->name);
	ockam_value_put_int(map, "pid", getpid());
	ockam_value_put_int(map, "worker_pid", node->spawn.pid);
	ockam_value_put_text(map, "identity", node->identity);
	ockam_value_put_text(map, "identifier", identifier);
	ockam_value_put(map, "tcp_listeners", ockamd_listener_describe(node));
	ockam_value_put(map, "services", ockamd_service_describe());
	ockam_value_put(map, "secure_channel_listeners", ockamd_gate_describe(node, false));
	ockam_value_put(map, "connections", ockamd_link_describe(node, 0, &left));
	ockam_value_put_int(map, "connections_left_out", (int64_t)left);
	ockamd_ctl_put_netns(node, map);
	ockamd_ctl_put_counters(node, map);
	ockamd_ctl_reply(request, map);
}

static void ockamd_ctl_op_stop(struct ockamd_request *request)
{
	struct ockamd_node *node = request->node;

	ockamd_ctl_reply(request, NULL);
	ockamd_node_stop(node, "asked to stop");
}

static const struct {
	const char	*op;
	void		(*fn)(struct ockamd_request *request);
} ockamd_ctl_ops[] = {
	{ "node.info", ockamd_ctl_op_info },
	{ "node.stop", ockamd_ctl_op_stop },
	{ "identity.changed", ockamd_keyring_op_changed },
	{ "tcp-connection.create", ockamd_link_op_create },
	{ "tcp-connection.bridge", ockamd_link_op_bridge },
	{ "tcp-connection.list", ockamd_link_op_list },
	{ "tcp-connection.delete", ockamd_link_op_delete },
	{ "tcp-listener.create", ockamd_listener_op_create },
	{ "tcp-listener.list", ockamd_listener_op_list },
	{ "tcp-listener.delete", ockamd_listener_op_delete },
	{ "flow-control.add-consumer", ockamd_link_op_add_consumer },
	{ "secure-channel.create", ockamd_channel_op_create },
	{ "secure-channel.update", ockamd_channel_op_update },
	{ "secure-channel.list", ockamd_channel_op_list },
	{ "secure-channel.accepted", ockamd_channel_op_accepted },
	{ "secure-channel.show", ockamd_channel_op_show },
	{ "secure-channel.delete", ockamd_channel_op_delete },
	{ "secure-channel-listener.create", ockamd_gate_op_create },
	{ "secure-channel-listener.update", ockamd_gate_op_update },
	{ "secure-channel-listener.list", ockamd_gate_op_list },
	{ "secure-channel-listener.delete", ockamd_gate_op_delete },
	{ "credential.changed", ockamd_present_op_changed },
	{ "message.send", ockamd_message_op_send },
};

static void ockamd_ctl_dispatch(struct ockamd_request *request)
{
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(ockamd_ctl_ops) / sizeof(ockamd_ctl_ops[0]); i++) {
		if (!strcmp(ockamd_ctl_ops[i].op, request->parts.op)) {
			ockamd_ctl_go_on(request, ockamd_ctl_ops[i].fn);
			return;
		}
	}
	snprintf(text, sizeof(text), "This node process does not know the operation '%s'",
		 request->parts.op);
	ockamd_ctl_fail(request, OCKAM_CONTROL_INVALID, text, NULL,
			"Use tools and node process of the same version");
}

/* ---- clients -------------------------------------------------------------------- */

static void ockamd_ctl_close(struct ockamd_client *client)
{
	struct ockamd_node *node = client->node;
	struct ockamd_request *request;

	while ((request = LIST_FIRST(&client->requests))) {
		if (request->cancel)
			request->cancel(request);
		ockamd_ctl_free(request);
	}
	while (!TAILQ_EMPTY(&client->answers))
		ockamd_ctl_free_answer(client, TAILQ_FIRST(&client->answers));
	ockamd_loop_remove(&node->loop, &client->watch);
	close(client->watch.fd);
	LIST_REMOVE(client, link);
	if (node->ctl.n_clients-- == OCKAMD_CTL_CLIENTS)
		ockamd_loop_change(&node->loop, &node->ctl.watch, EPOLLIN);
	free(client);
}

/* Returns false when the client must be closed. */
static bool ockamd_ctl_take(struct ockamd_client *client, const uint8_t *bytes, size_t len)
{
	struct ockamd_request *request;
	struct ockam_err err;
	int ret;

	request = calloc(1, sizeof(*request));
	if (!request)
		return false;
	ret = ockam_control_parse(bytes, len, &request->parts, &err);
	if (ret && ret != -EPROTONOSUPPORT) {
		ockamd_warn("control: closing a client: %s", err.text);
		free(request);
		return false;
	}
	request->node = client->node;
	request->client = client;
	LIST_INSERT_HEAD(&client->requests, request, link);
	client->n_requests++;
	if (ret)
		ockamd_ctl_fail(request, OCKAM_CONTROL_INVALID, err.text, NULL,
				"Use tools and node process of the same version");
	else if (client->n_requests > OCKAMD_CTL_REQUESTS)
		ockamd_ctl_fail(request, OCKAM_CONTROL_BUSY,
				"Too many unfinished requests on this connection", NULL, NULL);
	else
		ockamd_ctl_dispatch(request);
	return !client->broken;
}

static void ockamd_ctl_client_ready(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_client *client = (struct ockamd_client *)watch;
	ssize_t len;

	if (events & EPOLLOUT && !client->broken)
		ockamd_ctl_flush(client);
	if (client->broken) {
		ockamd_ctl_close(client);
		return;
	}
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	len = recv(watch->fd, ockamd_ctl_packet, sizeof(ockamd_ctl_packet),
		   MSG_DONTWAIT | MSG_TRUNC);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len > (ssize_t)sizeof(ockamd_ctl_packet))
		ockamd_warn("control: closing a client: its request is too long");
	/* An empty packet and the end look alike, and are treated alike. */
	if (len <= 0 || len > (ssize_t)sizeof(ockamd_ctl_packet) ||
	    !ockamd_ctl_take(client, ockamd_ctl_packet, (size_t)len))
		ockamd_ctl_close(client);
}

static void ockamd_ctl_resume(struct ockamd_timer *timer)
{
	struct ockamd_ctl *ctl = (struct ockamd_ctl *)
		((char *)timer - offsetof(struct ockamd_ctl, pause));

	if (ctl->watch.fd >= 0 && ctl->n_clients < OCKAMD_CTL_CLIENTS)
		ockamd_loop_change(&ctl->node->loop, &ctl->watch, EPOLLIN);
}

static void ockamd_ctl_accept(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_ctl *ctl = (struct ockamd_ctl *)watch;
	struct ockamd_client *client;
	uid_t user;
	int fd;

	(void)events;
	fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		/* The client stays in the backlog: asking again at once would spin. */
		ockamd_warn("control: cannot accept: %s", strerror(errno));
		ockamd_loop_change(&ctl->node->loop, watch, 0);
		ockamd_loop_arm(&ctl->node->loop, &ctl->pause, OCKAMD_CTL_PAUSE_MS);
		return;
	}
	client = ockam_control_peer(fd, &user) ? NULL : calloc(1, sizeof(*client));
	if (!client) {
		ockamd_warn("control: refused a client of another user");
		close(fd);
		return;
	}
	ockamd_keeper_make_room(ctl->node->keeper, fd);
	client->node = ctl->node;
	client->user = user;
	client->watch.fd = fd;
	client->watch.fn = ockamd_ctl_client_ready;
	TAILQ_INIT(&client->answers);
	LIST_INIT(&client->requests);
	if (ockamd_loop_add(&ctl->node->loop, &client->watch, EPOLLIN)) {
		close(fd);
		free(client);
		return;
	}
	LIST_INSERT_HEAD(&ctl->clients, client, link);
	/* Full: the others wait in the backlog until one leaves. */
	if (++ctl->n_clients == OCKAMD_CTL_CLIENTS)
		ockamd_loop_change(&ctl->node->loop, watch, 0);
}

int ockamd_ctl_start(struct ockamd_node *node, const char *path, struct ockam_err *err)
{
	struct ockamd_ctl *ctl = &node->ctl;
	int ret;

	ctl->node = node;
	ctl->watch.fn = ockamd_ctl_accept;
	ctl->pause.fn = ockamd_ctl_resume;
	ret = ockam_control_listen(path, err);
	if (ret < 0)
		return ret;
	ctl->watch.fd = ret;
	ret = ockamd_loop_add(&node->loop, &ctl->watch, EPOLLIN);
	if (ret)
		ockam_err_set(err, ret, "Cannot wait for control clients: %s", strerror(-ret));
	return ret;
}

void ockamd_ctl_stop(struct ockamd_node *node)
{
	struct ockamd_ctl *ctl = &node->ctl;
	struct ockamd_client *client;

	if (!ctl->node || ctl->watch.fd < 0)
		return;
	ockamd_loop_remove(&node->loop, &ctl->watch);
	close(ctl->watch.fd);
	ctl->watch.fd = -1;
	/* What is in the socket already is still delivered behind close(). */
	while ((client = LIST_FIRST(&ctl->clients)))
		ockamd_ctl_close(client);
}
