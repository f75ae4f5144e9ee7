// SPDX-License-Identifier: Apache-2.0
/*
 * Secure channels: made, reported, ended.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "node.h"
#include "workerpipe.h"

#define OCKAMD_CHANNEL_LATE_MS	10000	/* longer than the kernel takes to report anything */
#define OCKAMD_CHANNEL_MS	120000	/* unless the request says otherwise; and at most */

/* A channel being made. request NULL: its client went away, end it when it comes. */
struct ockamd_channel_making {
	LIST_ENTRY(ockamd_channel_making)	link;
	struct ockamd_timer			timer;	/* its report was lost */
	struct ockamd_request			*request;
	uint32_t				seq;
};

int ockamd_channel_trust(struct json_object *authorized, struct ockam_trust *trust,
			 struct ockam_err *err)
{
	uint8_t id[OCKAM_IDENTIFIER_LEN];
	const char *text;
	size_t i, n;
	int ret = 0;

	memset(trust, 0, sizeof(*trust));
	if (!authorized)
		return 0;
	/* What is not understood must not end as "everyone". */
	if (!json_object_is_type(authorized, json_type_array))
		return ockam_err_set(err, -EINVAL, "'authorized' is not a list of identifiers");
	n = json_object_array_length(authorized);
	/* An empty list trusts nobody. */
	if (!n)
		trust->kind = OCKAM_TRUST_LIST;
	for (i = 0; i < n && !ret; i++) {
		text = json_object_get_string(json_object_array_get_idx(authorized, i));
		ret = ockam_identifier_parse(text ? text : "", id, err);
		if (!ret)
			ret = ockam_trust_add(trust, id, err);
	}
	if (ret)
		ockam_trust_free(trust);
	return ret;
}

/*
 * Out of the list, with its links, the channel inside of it and those that
 * carried it alone. A walk over the list must begin anew.
 */
static void ockamd_channel_forget(struct ockamd_node *node, struct ockamd_channel *channel)
{
	struct ockamd_channel *user = channel->user;
	struct ockamd_channel *carrier;

	LIST_REMOVE(channel, link);
	LIST_FOREACH(carrier, &node->channels, link) {
		if (carrier->user == channel) {
			carrier->user = NULL;
			ockamd_channel_lost(node, carrier);
			break;
		}
	}
	if (user)
		ockamd_channel_lost(node, user);
	ockamd_link_channel_gone(node, channel);
	json_object_put(channel->authorized);
	free(channel->route);
	free(channel);
}

void ockamd_channel_gone(struct ockamd_node *node, const struct ockam_nl_name *encryptor)
{
	struct ockamd_channel *channel;

	LIST_FOREACH(channel, &node->channels, link) {
		if (channel->encryptor.len == encryptor->len &&
		    !memcmp(channel->encryptor.bytes, encryptor->bytes, encryptor->len)) {
			ockamd_info("channel %s: ended", channel->address);
			ockamd_channel_forget(node, channel);
			return;
		}
	}
}

void ockamd_channel_lost(struct ockamd_node *node, struct ockamd_channel *channel)
{
	struct ockamd_channel *there;

	/* A link and its pair may belong to one channel: the first has ended it already. */
	LIST_FOREACH(there, &node->channels, link) {
		if (there == channel)
			break;
	}
	if (!there)
		return;
	ockam_nl_channel_del(node->nl, channel->encryptor.bytes, channel->encryptor.len, NULL);
	ockamd_info("channel %s: ended with what it was made for", channel->address);
	ockamd_channel_forget(node, channel);
}

/* Live facts of one channel; kept for the duration of a call. */
struct ockamd_channel_look {
	bool		confirmed;
};

static int ockamd_channel_look(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_channel_look *look = arg;

	look->confirmed = channel->flags & OCKAM_FLAG_CONFIRMED;
	return 0;
}

void ockamd_channel_resync(struct ockamd_node *node)
{
	struct ockamd_channel *channel = LIST_FIRST(&node->channels);
	struct ockamd_channel_look look;

	while (channel) {
		if (ockam_nl_channel_get(node->nl, channel->encryptor.bytes, channel->encryptor.len,
					 ockamd_channel_look, &look, NULL) != -ENOENT) {
			channel = LIST_NEXT(channel, link);
			continue;
		}
		ockamd_channel_forget(node, channel);
		channel = LIST_FIRST(&node->channels);
	}
}

void ockamd_channel_client_gone(struct ockamd_node *node, const struct ockamd_client *client)
{
	struct ockamd_channel *channel = LIST_FIRST(&node->channels);

	while (channel) {
		if (channel->owner != client) {
			channel = LIST_NEXT(channel, link);
			continue;
		}
		ockamd_channel_lost(node, channel);
		channel = LIST_FIRST(&node->channels);
	}
}

static struct ockamd_channel *ockamd_channel_find(struct ockamd_node *node, const char *address)
{
	struct ockamd_channel *channel;

	LIST_FOREACH(channel, &node->channels, link) {
		if (address && !strcmp(channel->address, address))
			return channel;
	}
	return NULL;
}

/* ---- create ----------------------------------------------------------------- */

static void ockamd_channel_cancel(struct ockamd_request *request)
{
	struct ockamd_channel_making *making = request->state;

	making->request = NULL;
}

/* Worker data of the request: identity, trust, credential. */
static int ockamd_channel_opaque(struct ockamd_request *request, struct ockam_buf *out,
				 struct ockam_err *err)
{
	struct json_object *args = request->parts.args;
	struct ockam_buf credential = { 0 };
	struct ockamd_opaque opaque = { 0 };
	int ret;

	ret = ockamd_keyring_use(request->node, ockam_value_text(args, "identity"), &opaque.key,
				 err);
	if (!ret)
		ret = ockamd_channel_trust(ockam_value_get(args, "authorized"), &opaque.trust, err);
	if (ret)
		return ret;
	if (ockam_value_get(args, "credential"))
		ret = ockam_value_bytes(args, "credential", &credential, err);
	if (!ret && credential.len) {
		opaque.credentials[0].data = credential.data;
		opaque.credentials[0].len = credential.len;
		opaque.n_credentials = 1;
	}
	if (!ret) {
		ockamd_opaque_encode(&opaque, out);
		if (out->failed)
			ret = ockam_err_set(err, -ENOMEM, "Out of memory");
		else if (out->len > OCKAM_OPAQUE_MAX)
			ret = ockam_err_set(err, -E2BIG,
					    "Authorized identifiers and credential are %zu bytes, at most %d are possible",
					    out->len, OCKAM_OPAQUE_MAX);
	}
	ockam_trust_free(&opaque.trust);
	ockam_buf_free(&credential);
	return ret;
}

/* Reports are lost only when the kernel could not queue them. */
static void ockamd_channel_lost_report(struct ockamd_timer *timer)
{
	struct ockamd_channel_making *making = (struct ockamd_channel_making *)
		((char *)timer - offsetof(struct ockamd_channel_making, timer));
	struct ockamd_request *request = making->request;

	LIST_REMOVE(making, link);
	free(making);
	if (request)
		ockamd_ctl_fail(request, OCKAM_CONTROL_TIMEOUT,
				"timeout: the kernel did not say whether the secure channel was made",
				NULL, NULL);
}

static int ockamd_channel_begin(struct ockamd_request *request,
				struct ockamd_channel_making *making, struct ockam_err *err)
{
	struct json_object *args = request->parts.args;
	struct ockam_nl_channel_new new = { 0 };
	struct ockam_buf opaque = { 0 };
	struct ockam_route route;
	int64_t timeout = 0;
	int ret;

	ret = ockamd_message_route(ockam_value_array(args, "route"), &route, err);
	if (!ret)
		ret = ockamd_channel_opaque(request, &opaque, err);
	if (!ret) {
		timeout = ockam_value_int(args, "timeout_ms", OCKAMD_CHANNEL_MS);
		if (timeout < 1 || timeout > OCKAMD_CHANNEL_MS)
			timeout = OCKAMD_CHANNEL_MS;
		new.route.data = route.packed;
		new.route.len = route.len;
		new.opaque.data = opaque.data;
		new.opaque.len = opaque.len;
		new.timeout_ms = (uint32_t)timeout;
		ret = ockam_nl_channel_new(request->node->nl, &new, &making->seq, err);
	}
	if (!ret) {
		making->timer.fn = ockamd_channel_lost_report;
		ockamd_loop_arm(&request->node->loop, &making->timer,
				timeout + OCKAMD_CHANNEL_LATE_MS);
	}
	ockam_buf_free(&opaque);
	return ret;
}

void ockamd_channel_op_create(struct ockamd_request *request)
{
	struct ockamd_channel_making *making;
	struct ockam_err err;

	making = calloc(1, sizeof(*making));
	if (!making) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_INTERNAL, "Out of memory", NULL, NULL);
		return;
	}
	making->request = request;
	if (ockamd_channel_begin(request, making, &err)) {
		free(making);
		ockamd_ctl_error(request, &err);
		return;
	}
	request->state = making;
	request->cancel = ockamd_channel_cancel;
	LIST_INSERT_HEAD(&request->node->channel_makings, making, link);
}

static const char *ockamd_channel_shown_route(struct ockamd_request *request)
{
	const char *text = ockam_value_text(request->parts.args, "shown_route");

	return text ? text : "";
}

static struct json_object *ockamd_channel_to_json(struct ockamd_node *node,
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
	ockam_value_put_text(map, "route", channel->route);
	ockam_value_put_text(map, "flow_control_id", channel->flow);
	ockam_value_put_text(map, "their_identifier", text);
	ockam_value_put_text(map, "role", "initiator");
	ockam_value_put_bool(map, "confirmed", look.confirmed);
	ockam_value_put(map, "authorized_identifiers", json_object_get(channel->authorized));
	/* The worker may have reported it a moment ago. */
	ockamd_spawn_drain(node);
	if (ockam_store_peer_get(node->store, channel->peer, &identity, NULL)) {
		ockam_value_put_text(map, "their_change_history", "");
		return map;
	}
	ockam_value_put_hex(map, "their_change_history", identity->history, identity->history_len);
	ockam_identity_free(identity);
	return map;
}

/* The kernel reports success: remember the channel. NULL without memory. */
static struct ockamd_channel *ockamd_channel_add(struct ockamd_request *request,
						 const struct ockam_nl_result *result)
{
	struct json_object *args = request->parts.args;
	struct ockamd_node *node = request->node;
	struct ockamd_channel *carrier;
	struct ockamd_channel *channel;
	struct json_object *hop;

	channel = calloc(1, sizeof(*channel));
	if (channel)
		channel->route = strdup(ockamd_channel_shown_route(request));
	if (!channel || !channel->route) {
		free(channel);
		return NULL;
	}
	channel->encryptor = result->encryptor;
	ockamd_link_name_text(&result->encryptor, channel->address);
	ockamd_link_flow_text(&result->flow, channel->flow);
	memcpy(channel->peer, result->peer.id, sizeof(channel->peer));
	channel->authorized = json_object_get(ockam_value_array(args, "authorized"));
	if (ockam_value_bool(args, "ephemeral", false))
		channel->owner = request->client;
	/* An ephemeral channel that it goes through was made for it. */
	hop = json_object_array_get_idx(ockam_value_array(args, "route"), 0);
	carrier = ockamd_channel_find(node, json_object_get_string(hop));
	if (carrier && carrier->owner == request->client) {
		carrier->owner = NULL;
		carrier->user = channel;
	}
	LIST_INSERT_HEAD(&node->channels, channel, link);
	ockamd_link_adopt(node, ockam_value_array(args, "links"), channel);
	ockamd_info("channel %s: made along %s%s", channel->address, channel->route,
		    result->confirmed ? "" : " (unconfirmed)");
	return channel;
}

static void ockamd_channel_failed(struct ockamd_request *request,
				  const struct ockam_nl_result *result)
{
	const char *reason = result->reason[0] ? result->reason : strerror(-result->error);
	struct ockam_err err;

	ockamd_warn("no channel along %s: %s", ockamd_channel_shown_route(request), reason);
	if (result->error == -ETIMEDOUT)
		ockam_err_set(&err, -ETIMEDOUT,
			      "timeout: the secure channel was not made in time: %s", reason);
	else
		ockam_err_set(&err, result->error, "The secure channel was not made: %s", reason);
	ockamd_ctl_error(request, &err);
}

void ockamd_channel_result(struct ockamd_node *node, const struct ockam_nl_result *result)
{
	struct ockamd_channel *channel = NULL;
	struct ockamd_channel_making *making;
	struct ockamd_request *request;
	struct json_object *map;

	LIST_FOREACH(making, &node->channel_makings, link) {
		if (making->seq == result->seq)
			break;
	}
	request = making ? making->request : NULL;
	if (making) {
		ockamd_loop_disarm(&making->timer);
		LIST_REMOVE(making, link);
		free(making);
	}
	if (result->error) {
		if (request)
			ockamd_channel_failed(request, result);
		return;
	}
	if (request)
		channel = ockamd_channel_add(request, result);
	if (!channel) {
		ockam_nl_channel_del(node->nl, result->encryptor.bytes, result->encryptor.len,
				     NULL);
		if (request)
			ockamd_ctl_fail(request, OCKAM_CONTROL_INTERNAL, "Out of memory", NULL,
					NULL);
		return;
	}
	map = ockamd_channel_to_json(node, channel);
	ockam_value_put_bool(map, "confirmed", result->confirmed);
	ockamd_ctl_reply(request, map);
}

/* ---- list and delete --------------------------------------------------------- */

/* Channels that others began, from the kernel alone. */
static int ockamd_channel_list_responder(void *arg, const struct ockam_nl_channel *channel)
{
	struct json_object *list = arg;
	char address[OCKAMD_NAME_TEXT];
	char id[OCKAM_IDENTIFIER_TEXT];
	char flow[OCKAMD_FLOW_TEXT];
	struct json_object *map;

	if (channel->role != OCKAM_ROLE_RESPONDER)
		return 0;
	map = json_object_new_object();
	ockamd_link_name_text(&channel->encryptor, address);
	ockamd_link_flow_text(&channel->flow, flow);
	ockam_identifier_format(channel->peer.id, id);
	ockam_value_put_text(map, "address", address);
	ockam_value_put_text(map, "flow_control_id", flow);
	ockam_value_put_text(map, "their_identifier", id);
	ockam_value_put_text(map, "role", "responder");
	ockamd_link_name_text(&channel->listener, address);
	ockam_value_put_text(map, "listener", address);
	ockam_value_put_bool(map, "confirmed", channel->flags & OCKAM_FLAG_CONFIRMED);
	return json_object_array_add(list, map) ? -ENOMEM : 0;
}

void ockamd_channel_op_list(struct ockamd_request *request)
{
	struct json_object *list = json_object_new_array();
	struct ockamd_node *node = request->node;
	struct ockamd_channel *channel;
	size_t n = 0;

	LIST_FOREACH(channel, &node->channels, link)
		n++;
	LIST_FOREACH(channel, &node->channels, link)
		json_object_array_put_idx(list, --n, ockamd_channel_to_json(node, channel));
	if (ockam_value_bool(request->parts.args, "all", false))
		ockam_nl_channel_dump(node->nl, ockamd_channel_list_responder, list, NULL);
	ockamd_ctl_reply(request, list);
}

void ockamd_channel_op_delete(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address");
	struct ockamd_node *node = request->node;
	struct ockamd_channel *channel;
	struct ockam_err err;

	channel = ockamd_channel_find(node, address);
	if (!channel) {
		ockam_err_set(&err, -ENOENT, "Secure channel with address, 0#%s, not found",
			      address ? address : "");
		ockamd_ctl_error(request, &err);
		return;
	}
	if (ockam_nl_channel_del(node->nl, channel->encryptor.bytes, channel->encryptor.len,
				 &err) && err.code != -ENOENT) {
		ockamd_ctl_error(request, &err);
		return;
	}
	ockamd_info("channel %s: deleted", channel->address);
	ockamd_channel_forget(node, channel);
	ockamd_ctl_reply(request, NULL);
}
