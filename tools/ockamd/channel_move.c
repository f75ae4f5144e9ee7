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
#define OCKAMD_CHANNEL_RETURN_MS	20000	/* for one attempt to make a route again */
#define OCKAMD_CHANNEL_PAUSE_MS	100	/* behind the first that failed, then twice as long */
#define OCKAMD_CHANNEL_PAUSE_MAX_MS	10000

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

/* All hops but the last, which the peer's decryptor takes the place of. */
static int ockamd_channel_new_hops(const struct ockamd_channel *channel,
				   const struct ockamd_route *way, struct ockam_route *hops,
				   struct ockam_err *err)
{
	struct ockamd_channel_last last = { .len = 0 };
	struct ockam_hop hop;
	unsigned int i;
	int ret = 0;

	memset(hops, 0, sizeof(*hops));
	for (i = 0; !ret && i + 1U < way->hops.hops && ockam_route_hop(&way->hops, i, &hop); i++)
		ret = ockam_route_append(hops, hop.type, hop.name, hop.len, err);
	if (!ret)
		ret = ockam_nl_channel_get(way->node->nl, channel->encryptor.bytes,
					   channel->encryptor.len, ockamd_channel_find_last, &last,
					   err);
	if (ret)
		return ret;
	if (!last.len)
		return ockam_err_set(err, -EBADMSG, "The kernel gave a route without hops");
	return ockam_route_append(hops, last.hop[0], last.hop + 2, last.len - 2, err);
}

/* Along @way, which the caller then makes the channel's own. */
static int ockamd_channel_move(struct ockamd_channel *channel, const struct ockamd_route *way,
			       struct ockam_err *err)
{
	struct ockam_nl_channel_set set = { .encryptor = channel->encryptor };
	struct ockam_route hops;
	char *shown;
	int ret;

	ret = ockamd_channel_new_hops(channel, way, &hops, err);
	if (ret)
		return ret;
	shown = strdup(way->shown);
	if (!shown)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	set.route.data = hops.packed;
	set.route.len = hops.len;
	ret = ockam_nl_channel_set(way->node->nl, &set, err);
	if (ret) {
		free(shown);
		return ret;
	}
	free(channel->shown);
	channel->shown = shown;
	ockamd_info("channel %s: moved to %s", channel->address, channel->shown);
	return 0;
}

/* ---- a route that is made again ---------------------------------------------------- */

static void ockamd_channel_again(struct ockamd_timer *timer)
{
	ockamd_channel_return((struct ockamd_channel *)
			      ((char *)timer - offsetof(struct ockamd_channel, again)));
}

static void ockamd_channel_returned(void *arg, const struct ockam_err *why)
{
	struct ockamd_channel *channel = arg;
	struct ockamd_route *route = channel->route;
	struct ockam_err err;

	if (!why && ockamd_channel_move(channel, route, &err))
		why = &err;
	if (!why) {
		channel->pause_ms = 0;
		return;
	}
	ockamd_debug("channel %s: no way along %s yet: %s", channel->address, route->text,
		     why->text);
	channel->pause_ms = channel->pause_ms ? 2 * channel->pause_ms : OCKAMD_CHANNEL_PAUSE_MS;
	if (channel->pause_ms > OCKAMD_CHANNEL_PAUSE_MAX_MS)
		channel->pause_ms = OCKAMD_CHANNEL_PAUSE_MAX_MS;
	channel->again.fn = ockamd_channel_again;
	ockamd_loop_arm(&route->node->loop, &channel->again, channel->pause_ms);
}

void ockamd_channel_return(struct ockamd_channel *channel)
{
	int64_t deadline = ockamd_loop_now() + OCKAMD_CHANNEL_RETURN_MS;
	struct ockam_err err;
	int ret;

	ret = ockamd_route_make(channel->route, deadline, ockamd_channel_returned, channel, &err);
	if (ret)
		ockamd_channel_returned(channel, ret < 0 ? &err : NULL);
}

/* ---- another route ----------------------------------------------------------------- */

/* The new path is the channel's; the old one goes in a moment. */
static void ockamd_channel_along(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address") ?: "";
	struct ockamd_node *node = request->node;
	struct ockamd_channel *channel;
	struct ockamd_route *old;
	struct ockam_err err;

	channel = ockamd_channel_find(node, address);
	if (!channel) {
		ockamd_channel_unknown(request, address);
		return;
	}
	if (ockamd_channel_move(channel, request->route, &err)) {
		ockamd_ctl_error(request, &err);
		return;
	}
	ockamd_loop_disarm(&channel->again);
	channel->pause_ms = 0;
	old = channel->route;
	channel->route = request->route;
	request->route = NULL;
	ockamd_route_own(channel->route, ockamd_channel_route_lost, channel);
	if (old) {
		ockamd_route_inherit(channel->route, old);
		ockamd_route_end_later(old, OCKAMD_CHANNEL_MOVE_MS);
	}
	ockamd_ctl_reply(request, ockamd_channel_to_json(node, channel));
}

void ockamd_channel_op_update(struct ockamd_request *request)
{
	ockamd_route_serve(request, ockamd_channel_along);
}
