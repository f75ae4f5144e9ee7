// SPDX-License-Identifier: Apache-2.0
/*
 * Secure channels, for people: those that this node began, and those that
 * others did.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "liveness.h"
#include "node.h"

#define OCKAMD_CHANNEL_PAGE	(OCKAM_CONTROL_MAX / 2)	/* bytes of a list in one answer */

static size_t ockamd_channel_size(struct json_object *item)
{
	return strlen(json_object_to_json_string_ext(item, JSON_C_TO_STRING_PLAIN));
}

static void ockamd_channel_put_proof(struct ockamd_node *node, const uint8_t *peer,
				     const struct ockam_trust *trust, struct json_object *map)
{
	ockamd_attributes_describe(node, peer, ockamd_rule_counts(node, trust), map);
}

/* What has ended is not listed at all. */
static void ockamd_channel_put_state(struct json_object *map, bool no_route)
{
	ockam_value_put_text(map, "state", no_route ? "no-route" : "up");
}

/* ---- begun here ---- */

/* Live facts of one channel; kept for the duration of a call. */
struct ockamd_channel_look {
	bool				confirmed;
	bool				no_route;
	struct ockam_nl_liveness	liveness;
};

static int ockamd_channel_look(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_channel_look *look = arg;

	look->confirmed = channel->flags & OCKAM_FLAG_CONFIRMED;
	look->no_route = channel->flags & OCKAM_FLAG_NO_ROUTE;
	look->liveness = channel->liveness;
	return 0;
}

struct json_object *ockamd_channel_to_json(struct ockamd_node *node,
					   const struct ockamd_channel *channel)
{
	struct json_object *map = json_object_new_object();
	struct ockamd_channel_look look = { 0 };
	struct ockam_identity *identity;
	char text[OCKAM_IDENTIFIER_TEXT];

	ockam_nl_channel_get(node->nl, channel->encryptor.bytes, channel->encryptor.len,
			     ockamd_channel_look, &look, NULL);
	ockam_identifier_format(channel->peer, text);
	ockam_value_put_text(map, "address", channel->address);
	ockam_value_put_text(map, "route", channel->shown);
	ockam_value_put_text(map, "flow_control_id", channel->flow);
	ockam_value_put_text(map, "their_identifier", text);
	ockam_value_put_text(map, "role", "initiator");
	ockam_value_put_bool(map, "confirmed", look.confirmed);
	ockamd_channel_put_state(map, look.no_route);
	ockamd_liveness_describe(&look.liveness, map);
	ockam_value_put(map, "authorized_identifiers", ockamd_rule_ids(&channel->trust));
	/* The worker may have reported it a moment ago. */
	ockamd_spawn_drain(node);
	ockamd_channel_put_proof(node, channel->peer, &channel->trust, map);
	if (ockam_store_peer_get(node->store, channel->peer, &identity, NULL, NULL)) {
		ockam_value_put_text(map, "their_change_history", "");
		return map;
	}
	ockam_value_put_hex(map, "their_change_history", identity->history, identity->history_len);
	ockam_identity_free(identity);
	return map;
}

/* To be freed; NULL without memory or channels. */
static struct ockamd_channel **ockamd_channel_oldest_first(struct ockamd_node *node, size_t *count)
{
	struct ockamd_channel **channels;
	struct ockamd_channel *channel;
	size_t n = 0;

	LIST_FOREACH(channel, &node->channels, link)
		n++;
	*count = n;
	channels = n ? calloc(n, sizeof(*channels)) : NULL;
	if (channels)
		LIST_FOREACH(channel, &node->channels, link)
			channels[--n] = channel;
	return channels;
}

void ockamd_channel_op_list(struct ockamd_request *request)
{
	struct json_object *list = json_object_new_array();
	size_t i, n, skip = ockamd_ctl_skip(request), bytes = 0;
	struct ockamd_node *node = request->node;
	struct ockamd_channel **channels;
	struct json_object *item;

	ockamd_spawn_drain(node);
	channels = ockamd_channel_oldest_first(node, &n);
	/* A peer's history may be long. */
	for (i = skip; channels && i < n && bytes < OCKAMD_CHANNEL_PAGE; i++) {
		item = ockamd_channel_to_json(node, channels[i]);
		bytes += ockamd_channel_size(item);
		json_object_array_add(list, item);
	}
	free(channels);
	ockamd_ctl_reply(request, list);
}

/* ---- begun by others: what the kernel says ---- */

struct ockamd_channel_walk {
	struct ockamd_node	*node;
	struct json_object	*list;
	size_t			skip;
	size_t			bytes;
};

static struct json_object *ockamd_channel_accepted_to_json(struct ockamd_node *node,
							   const struct ockam_nl_channel *channel)
{
	struct json_object *map = json_object_new_object();
	char address[OCKAMD_NAME_TEXT];
	char id[OCKAM_IDENTIFIER_TEXT];
	char flow[OCKAMD_FLOW_TEXT];

	ockamd_link_name_text(&channel->encryptor, address);
	ockamd_link_flow_text(&channel->flow, flow);
	ockam_identifier_format(channel->peer.id, id);
	ockam_value_put_text(map, "address", address);
	ockam_value_put_text(map, "flow_control_id", flow);
	ockam_value_put_text(map, "their_identifier", id);
	ockam_value_put_text(map, "role", "responder");
	ockamd_link_name_text(&channel->listener, address);
	ockam_value_put_text(map, "listener", address);
	ockamd_channel_put_state(map, channel->flags & OCKAM_FLAG_NO_ROUTE);
	ockamd_liveness_describe(&channel->liveness, map);
	ockamd_channel_put_proof(node, channel->peer.id, ockamd_channel_rule(node, channel), map);
	return map;
}

static int ockamd_channel_visit_accepted(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_channel_walk *walk = arg;
	struct json_object *item;

	if (channel->role != OCKAM_ROLE_RESPONDER || walk->bytes >= OCKAMD_CHANNEL_PAGE)
		return 0;
	if (walk->skip) {
		walk->skip--;
		return 0;
	}
	item = ockamd_channel_accepted_to_json(walk->node, channel);
	walk->bytes += ockamd_channel_size(item);
	return json_object_array_add(walk->list, item) ? -ENOMEM : 0;
}

void ockamd_channel_op_accepted(struct ockamd_request *request)
{
	struct ockamd_channel_walk walk = {
		.node = request->node,
		.list = json_object_new_array(),
		.skip = ockamd_ctl_skip(request),
	};
	struct ockam_err err;

	/* The worker may have reported what a peer proved a moment ago. */
	ockamd_spawn_drain(walk.node);
	if (ockam_nl_channel_dump(walk.node->nl, ockamd_channel_visit_accepted, &walk, &err) < 0) {
		json_object_put(walk.list);
		ockamd_ctl_error(request, &err);
		return;
	}
	ockamd_ctl_reply(request, walk.list);
}

/* The same for @address alone; the list stays empty when it is none of them. */
static void ockamd_channel_find_accepted(struct ockamd_channel_walk *walk, const char *address)
{
	size_t len = strlen(address);

	if (len && len <= OCKAM_ADDR_MAX_LEN)
		ockam_nl_channel_get(walk->node->nl, address, len, ockamd_channel_visit_accepted,
				     walk, NULL);
}

bool ockamd_channel_is_accepted(struct ockamd_node *node, const char *address)
{
	struct ockamd_channel_walk walk = { .node = node, .list = json_object_new_array() };
	bool accepted;

	ockamd_channel_find_accepted(&walk, address);
	accepted = json_object_array_length(walk.list);
	json_object_put(walk.list);
	return accepted;
}

/* ---- one, whoever began it ---- */

void ockamd_channel_op_show(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address") ?: "";
	struct ockamd_channel_walk walk = { .node = request->node };
	struct ockamd_channel *channel;
	struct json_object *map;

	channel = ockamd_channel_find(walk.node, address);
	if (channel) {
		ockamd_ctl_reply(request, ockamd_channel_to_json(walk.node, channel));
		return;
	}
	walk.list = json_object_new_array();
	ockamd_spawn_drain(walk.node);
	ockamd_channel_find_accepted(&walk, address);
	map = json_object_get(json_object_array_get_idx(walk.list, 0));
	json_object_put(walk.list);
	if (map)
		ockamd_ctl_reply(request, map);
	else
		ockamd_channel_unknown(request, address);
}
