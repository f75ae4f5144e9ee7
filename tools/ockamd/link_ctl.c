// SPDX-License-Identifier: Apache-2.0
/*
 * Operations on links: dial, bridge, list, delete, open to a flow.
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

#define OCKAMD_LINK_BRIDGE_MS	1000	/* wait for the inbound link to be accepted */
#define OCKAMD_LINK_PAGE	1000	/* links of one answer, which must fit a packet */

/*
 * A link being made. Belongs to its request: freed when that is answered or
 * cancelled. job: the dialling under way, NULL while waiting for the inbound
 * link (then it is in node->link_waits and timer runs).
 */
struct ockamd_link_making {
	LIST_ENTRY(ockamd_link_making)	link;
	struct ockamd_timer		timer;
	struct ockamd_request		*request;
	struct ockamd_dial_job		*job;
	const char			*to;
	const char			*inbound;	/* peer of the pair; NULL: no pair */
	const char			*listener;	/* the pair's own end */
	int				timeout_ms;
};

static void ockamd_link_making_free(struct ockamd_link_making *making)
{
	if (making->timer.armed) {
		ockamd_loop_disarm(&making->timer);
		LIST_REMOVE(making, link);
	}
	if (making->job)
		ockamd_dial_cancel(making->job);
	free(making);
}

static void ockamd_link_making_cancel(struct ockamd_request *request)
{
	ockamd_link_making_free(request->state);
}

static struct json_object *ockamd_link_to_json(const struct ockamd_link *link)
{
	struct json_object *map = json_object_new_object();

	if (!map)
		return NULL;
	ockam_value_put_text(map, "address", link->address);
	ockam_value_put_text(map, "mode", link->accepted ? "Incoming" : "Outgoing");
	ockam_value_put_text(map, "peer", link->peer);
	ockam_value_put_text(map, "local", link->local);
	ockam_value_put_text(map, "processor_address", link->address);
	ockam_value_put_text(map, "flow_control_id", link->flow);
	return map;
}

/*
 * By both ends of the connection: with two TCP listeners another one may come from
 * the same port, and whoever made it must not get the way on.
 */
static bool ockamd_link_is_inbound(const struct ockamd_link *link,
				   const struct ockamd_link_making *making)
{
	return link->accepted && !strcmp(link->peer, making->inbound) &&
	       !strcmp(link->local, making->listener);
}

static struct ockamd_link *ockamd_link_find_inbound(const struct ockamd_link_making *making)
{
	struct ockamd_link *link;

	LIST_FOREACH(link, &making->request->node->links, link) {
		if (ockamd_link_is_inbound(link, making))
			return link;
	}
	return NULL;
}

static void ockamd_link_dialled(void *arg, int fd, const struct ockam_err *why)
{
	struct ockamd_link_making *making = arg;
	struct ockamd_request *request = making->request;
	struct ockamd_link *pair = NULL;
	struct ockamd_link *link;
	struct ockam_err err;
	int ret;

	making->job = NULL;
	if (fd < 0) {
		err = *why;
		ret = fd;
		goto out;
	}
	if (making->inbound) {
		pair = ockamd_link_find_inbound(making);
		if (!pair) {
			close(fd);
			ret = ockam_err_set(&err, -ENOENT,
					    "The connection from %s ended while %s was dialled",
					    making->inbound, making->to);
			goto out;
		}
	}
	ret = ockamd_link_add(request->node, fd, false, pair, &link, &err);
out:
	ockamd_link_making_free(making);
	if (ret)
		ockamd_ctl_error(request, &err);
	else
		ockamd_ctl_reply(request, ockamd_link_to_json(link));
}

static void ockamd_link_dial(struct ockamd_link_making *making)
{
	struct ockamd_request *request = making->request;
	struct ockam_err err;

	if (!ockamd_dial_connect(request->node->dial, making->to, making->timeout_ms,
				 ockamd_link_dialled, making, &making->job, &err))
		return;
	ockamd_link_making_free(making);
	ockamd_ctl_error(request, &err);
}

static struct ockamd_link_making *ockamd_link_making_new(struct ockamd_request *request)
{
	struct json_object *args = request->parts.args;
	struct ockamd_link_making *making;
	int64_t timeout;

	if (!ockam_value_text(args, "to")) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_INVALID, "'to' is missing", NULL, NULL);
		return NULL;
	}
	making = calloc(1, sizeof(*making));
	if (!making) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_INTERNAL, "Out of memory", NULL, NULL);
		return NULL;
	}
	timeout = ockam_value_int(args, "timeout_ms", OCKAMD_DIAL_MS);
	if (timeout < 1 || timeout > 600000)
		timeout = OCKAMD_DIAL_MS;
	making->timeout_ms = (int)timeout;
	making->request = request;
	making->to = ockam_value_text(args, "to");
	request->state = making;
	request->cancel = ockamd_link_making_cancel;
	return making;
}

void ockamd_link_op_create(struct ockamd_request *request)
{
	struct ockamd_link_making *making = ockamd_link_making_new(request);

	if (!making)
		return;
	ockamd_link_dial(making);
}

static void ockamd_link_wait_over(struct ockamd_timer *timer)
{
	struct ockamd_link_making *making = (struct ockamd_link_making *)
		((char *)timer - offsetof(struct ockamd_link_making, timer));
	struct ockamd_request *request = making->request;
	struct ockam_err err;

	ockam_err_set(&err, -ENOENT, "This node has no connection from %s to %s", making->inbound,
		      making->listener);
	LIST_REMOVE(making, link);
	ockamd_link_making_free(making);
	ockamd_ctl_error(request, &err);
}

void ockamd_link_op_bridge(struct ockamd_request *request)
{
	struct json_object *args = request->parts.args;
	struct ockamd_node *node = request->node;
	struct ockamd_link_making *making;
	int64_t user;

	/* Who asks for somebody else has no other rights here than that one. */
	user = ockam_value_int(args, "user", ockamd_ctl_user(request));
	if (user != (uid_t)user || !ockam_control_user_allowed((uid_t)user)) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_DENIED,
				"The user who is behind the request may not use this node", NULL,
				NULL);
		return;
	}
	making = ockamd_link_making_new(request);
	if (!making)
		return;
	making->inbound = ockam_value_text(args, "inbound");
	making->listener = ockam_value_text(args, "listener");
	if (!making->inbound || !making->listener) {
		ockamd_link_making_free(making);
		ockamd_ctl_fail(request, OCKAM_CONTROL_INVALID,
				"'inbound' or 'listener' is missing", NULL, NULL);
		return;
	}
	if (ockamd_link_find_inbound(making)) {
		ockamd_link_dial(making);
		return;
	}
	/* Our accept may come a moment after the other node's connect. */
	making->timer.fn = ockamd_link_wait_over;
	ockamd_loop_arm(&node->loop, &making->timer, OCKAMD_LINK_BRIDGE_MS);
	LIST_INSERT_HEAD(&node->link_waits, making, link);
}

void ockamd_link_accepted(struct ockamd_node *node, const struct ockamd_link *link)
{
	struct ockamd_link_making *making = LIST_FIRST(&node->link_waits);
	struct ockamd_link_making *next;

	for (; making; making = next) {
		next = LIST_NEXT(making, link);
		if (!ockamd_link_is_inbound(link, making))
			continue;
		LIST_REMOVE(making, link);
		ockamd_loop_disarm(&making->timer);
		ockamd_link_dial(making);
	}
}

struct json_object *ockamd_link_describe(struct ockamd_node *node, size_t skip, size_t *left)
{
	struct json_object *list = json_object_new_array();
	struct ockamd_link *link;
	size_t i, n = 0;

	/* The list is newest first; people are shown the oldest first. */
	LIST_FOREACH(link, &node->links, link)
		n++;
	i = n;
	LIST_FOREACH(link, &node->links, link) {
		if (--i >= skip && i - skip < OCKAMD_LINK_PAGE)
			json_object_array_put_idx(list, i - skip, ockamd_link_to_json(link));
	}
	if (left)
		*left = n > OCKAMD_LINK_PAGE ? n - OCKAMD_LINK_PAGE : 0;
	return list;
}

void ockamd_link_op_list(struct ockamd_request *request)
{
	size_t skip = ockamd_ctl_skip(request);

	ockamd_ctl_reply(request, ockamd_link_describe(request->node, skip, NULL));
}

void ockamd_link_op_delete(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address");
	struct ockamd_link *link;
	struct ockam_err err;

	link = address ? ockamd_link_find(request->node, address) : NULL;
	if (!link) {
		ockam_err_set(&err, -ENOENT, "Connection %s was not found in the registry.",
			      address ? address : "");
		ockamd_ctl_error(request, &err);
		return;
	}
	ockamd_link_delete(request->node, link);
	ockamd_ctl_reply(request, NULL);
}

/* ---- who may send over a link ------------------------------------------------ */

/* Flow ids that may reach the link, as the kernel knows them, and one more. */
struct ockamd_link_reach {
	struct ockam_buf	ids;
	uint32_t		mask;
};

static int ockamd_link_look_reach(void *arg, const struct ockam_nl_link *link)
{
	struct ockamd_link_reach *reach = arg;

	reach->mask = link->reach;
	ockam_buf_put(&reach->ids, link->reach_ids.data, link->reach_ids.len);
	return 0;
}

static int ockamd_link_admit(struct ockamd_node *node, const struct ockamd_link *link,
			     const uint8_t flow[OCKAM_FLOW_ID_LEN], struct ockam_err *err)
{
	struct ockam_nl_link_set set = { .address = link->name };
	struct ockamd_link_reach reach = { 0 };
	size_t i;
	int ret;

	ret = ockam_nl_link_get(node->nl, link->name.bytes, link->name.len,
				ockamd_link_look_reach, &reach, err);
	for (i = 0; !ret && i + OCKAM_FLOW_ID_LEN <= reach.ids.len; i += OCKAM_FLOW_ID_LEN) {
		if (!memcmp(reach.ids.data + i, flow, OCKAM_FLOW_ID_LEN))
			goto out;
	}
	ockam_buf_put(&reach.ids, flow, OCKAM_FLOW_ID_LEN);
	if (!ret && reach.ids.failed)
		ret = ockam_err_set(err, -ENOMEM, "Out of memory");
	if (ret)
		goto out;
	set.reach.set = true;
	set.reach.mask = reach.mask;
	set.reach.ids = reach.ids.data;
	set.reach.n_ids = reach.ids.len / OCKAM_FLOW_ID_LEN;
	ret = ockam_nl_link_set(node->nl, &set, err);
out:
	ockam_buf_free(&reach.ids);
	return ret;
}

void ockamd_link_op_add_consumer(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address");
	const char *text = ockam_value_text(request->parts.args, "flow_control_id");
	uint8_t flow[OCKAM_FLOW_ID_LEN];
	struct ockamd_link *link;
	struct ockam_err err;
	size_t len;

	link = address ? ockamd_link_find(request->node, address) : NULL;
	if (!link) {
		ockam_err_set(&err, -ENOENT,
			      "0#%s is no TCP connection of this node, and only those can be opened to a flow",
			      address ? address : "");
	} else if (!text || ockam_hex_decode(text, strlen(text), flow, sizeof(flow), &len, NULL) ||
		   len != sizeof(flow)) {
		ockam_err_set(&err, -EINVAL, "A flow control id has %d hexadecimal digits",
			      2 * OCKAM_FLOW_ID_LEN);
	} else if (!ockamd_link_admit(request->node, link, flow, &err)) {
		ockamd_info("link %s: takes messages of flow %s", link->address, text);
		ockamd_ctl_reply(request, NULL);
		return;
	}
	ockamd_ctl_error(request, &err);
}
