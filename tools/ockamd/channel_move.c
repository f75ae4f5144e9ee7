// SPDX-License-Identifier: Apache-2.0
/*
 * Moving a channel that this node began to another path, without a new
 * handshake (wire-protocol section 6.5).
 *
 * The kernel changes the path in one step and asks the peer's echo at once, so
 * that the peer follows. What was on its way along the old path still arrives:
 * that path is given back a moment later.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "node.h"

#define OCKAMD_CHANNEL_MOVE_MS	2000	/* until the old path is given back */

/*
 * What a channel that has moved was made with: names of links and of the
 * encryptor of a channel below it. Born: with the move. Dies: with its timer.
 */
struct ockamd_channel_moved {
	struct ockamd_timer	timer;
	struct ockamd_node	*node;
	struct ockam_nl_name	carrier;	/* or none */
	size_t			n_links;
	struct ockam_nl_name	links[];
};

static bool ockamd_channel_same_name(const struct ockam_nl_name *a, const struct ockam_nl_name *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static void ockamd_channel_give_back_link(struct ockamd_node *node,
					  const struct ockam_nl_name *name)
{
	struct ockamd_link *link;

	LIST_FOREACH(link, &node->links, link) {
		if (ockamd_channel_same_name(&link->name, name)) {
			ockamd_link_delete(node, link);
			return;
		}
	}
}

static void ockamd_channel_give_back(struct ockamd_timer *timer)
{
	struct ockamd_channel_moved *moved = (struct ockamd_channel_moved *)
		((char *)timer - offsetof(struct ockamd_channel_moved, timer));
	struct ockamd_node *node = moved->node;
	struct ockamd_channel *carrier;
	size_t i;

	for (i = 0; i < moved->n_links; i++)
		ockamd_channel_give_back_link(node, &moved->links[i]);
	LIST_FOREACH(carrier, &node->channels, link) {
		if (moved->carrier.len &&
		    ockamd_channel_same_name(&carrier->encryptor, &moved->carrier)) {
			ockamd_channel_lost(node, carrier);
			break;
		}
	}
	free(moved);
}

/*
 * What the channel was made with, but for what its new path begins with too.
 * NULL without memory.
 */
static struct ockamd_channel_moved *ockamd_channel_old_path(struct ockamd_node *node,
							    struct ockamd_channel *channel,
							    const char *first)
{
	struct ockamd_channel_moved *moved;
	struct ockamd_channel *carrier;
	struct ockamd_link *link;
	size_t n = 0;

	LIST_FOREACH(link, &node->links, link)
		n += link->channel == channel;
	moved = calloc(1, sizeof(*moved) + n * sizeof(moved->links[0]));
	if (!moved)
		return NULL;
	moved->node = node;
	moved->timer.fn = ockamd_channel_give_back;
	LIST_FOREACH(link, &node->links, link) {
		if (link->channel == channel && strcmp(link->address, first))
			moved->links[moved->n_links++] = link->name;
	}
	LIST_FOREACH(carrier, &node->channels, link) {
		if (carrier->user == channel && strcmp(carrier->address, first))
			moved->carrier = carrier->encryptor;
	}
	return moved;
}

/* The old path is the channel's no more. */
static void ockamd_channel_let_go(struct ockamd_channel_moved *moved)
{
	struct ockamd_node *node = moved->node;
	struct ockamd_channel *carrier;
	struct ockamd_link *link;
	size_t i;

	for (i = 0; i < moved->n_links; i++) {
		LIST_FOREACH(link, &node->links, link) {
			if (ockamd_channel_same_name(&link->name, &moved->links[i]))
				link->channel = NULL;
		}
	}
	LIST_FOREACH(carrier, &node->channels, link) {
		if (ockamd_channel_same_name(&carrier->encryptor, &moved->carrier))
			carrier->user = NULL;
	}
	ockamd_loop_arm(&node->loop, &moved->timer, OCKAMD_CHANNEL_MOVE_MS);
}

/* Last hop of a channel's route: the peer's decryptor, packed. */
struct ockamd_channel_last {
	uint8_t	hop[OCKAM_ADDR_MAX_LEN + 2];
	size_t	len;	/* 0: none */
};

static int ockamd_channel_find_last(void *arg, const struct ockam_nl_channel *channel)
{
	const struct ockam_nl_blob *route = &channel->route;
	struct ockamd_channel_last *last = arg;
	size_t pos = 0;

	while (route->len - pos >= 2 && route->len - pos - 2 >= route->data[pos + 1]) {
		last->len = (size_t)route->data[pos + 1] + 2;
		memcpy(last->hop, route->data + pos, last->len);
		pos += last->len;
	}
	return 0;
}

/* The hops of the request, with the peer's decryptor in the place of its listener. */
static int ockamd_channel_new_route(struct ockamd_request *request,
				    const struct ockamd_channel *channel,
				    struct ockam_route *route, struct ockam_err *err)
{
	struct json_object *hops = ockam_value_array(request->parts.args, "route");
	struct ockamd_channel_last last = { .len = 0 };
	size_t i, n = hops ? json_object_array_length(hops) : 0;
	const char *hop;
	int ret;

	memset(route, 0, sizeof(*route));
	if (!n)
		return ockam_err_set(err, -EINVAL, "'route' is missing or empty");
	for (i = 0; i + 1 < n; i++) {
		hop = json_object_get_string(json_object_array_get_idx(hops, i));
		ret = ockam_route_append_text(route, hop ? hop : "", err);
		if (ret)
			return ret;
	}
	/* The last hop is replaced, but must be one. */
	hop = json_object_get_string(json_object_array_get_idx(hops, n - 1));
	if (!hop)
		return ockam_err_set(err, -EINVAL, "'route' holds something else than text");
	ret = ockam_nl_channel_get(request->node->nl, channel->encryptor.bytes,
				   channel->encryptor.len, ockamd_channel_find_last, &last, err);
	if (ret)
		return ret;
	if (!last.len)
		return ockam_err_set(err, -EBADMSG, "The kernel gave a route without hops");
	return ockam_route_append(route, last.hop[0], last.hop + 2, last.len - 2, err);
}

/* The new path is the channel's; the old one goes in a moment. */
static int ockamd_channel_move(struct ockamd_request *request, struct ockamd_channel *channel,
			       struct ockam_err *err)
{
	struct json_object *args = request->parts.args;
	struct ockam_nl_channel_set set = { .encryptor = channel->encryptor };
	const char *shown = ockam_value_text(args, "shown_route");
	struct ockamd_node *node = request->node;
	struct ockamd_channel_moved *moved;
	struct ockam_route route;
	const char *first;
	char *text;
	int ret;

	ret = ockamd_channel_new_route(request, channel, &route, err);
	if (ret)
		return ret;
	first = json_object_get_string(json_object_array_get_idx(ockam_value_array(args, "route"),
								 0));
	text = strdup(shown ? shown : "");
	moved = text ? ockamd_channel_old_path(node, channel, first) : NULL;
	if (!moved) {
		free(text);
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	set.route.data = route.packed;
	set.route.len = route.len;
	ret = ockam_nl_channel_set(node->nl, &set, err);
	if (ret) {
		free(moved);
		free(text);
		return ret;
	}
	free(channel->route);
	channel->route = text;
	ockamd_channel_let_go(moved);
	ockamd_channel_take_path(request, channel);
	ockamd_info("channel %s: moved to %s", channel->address, channel->route);
	return 0;
}

void ockamd_channel_op_update(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address") ?: "";
	struct ockamd_node *node = request->node;
	struct ockamd_channel *channel;
	struct ockam_err err;

	channel = ockamd_channel_find(node, address);
	if (!channel)
		ockamd_channel_unknown(request, address);
	else if (ockamd_channel_move(request, channel, &err))
		ockamd_ctl_error(request, &err);
	else
		ockamd_ctl_reply(request, ockamd_channel_to_json(node, channel));
}
