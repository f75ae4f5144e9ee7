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

#include "credential.h"
#include "liveness.h"
#include "log.h"
#include "node.h"

#define OCKAMD_CHANNEL_LATE_MS	10000	/* longer than the kernel takes to report anything */
#define OCKAMD_CHANNEL_MS	120000	/* unless the request says otherwise; and at most */

/*
 * A channel being made. request NULL: its client went away, end it when it
 * comes. trust: the channel's, handed on to it.
 */
struct ockamd_channel_making {
	LIST_ENTRY(ockamd_channel_making)	link;
	struct ockamd_timer			timer;	/* its report was lost */
	struct ockamd_request			*request;
	uint32_t				seq;
	struct ockam_trust			trust;
};

static void ockamd_channel_making_free(struct ockamd_channel_making *making)
{
	ockam_trust_free(&making->trust);
	free(making);
}

bool ockamd_channel_making_names(struct ockamd_node *node,
				 const uint8_t id[OCKAM_IDENTIFIER_LEN])
{
	struct ockamd_channel_making *making;

	LIST_FOREACH(making, &node->channel_makings, link)
		if (making->trust.has_authority &&
		    !memcmp(making->trust.authority, id, OCKAM_IDENTIFIER_LEN))
			return true;
	return false;
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
	ockam_trust_free(&channel->trust);
	free(channel->route);
	free(channel);
}

static struct ockamd_channel *ockamd_channel_by_name(struct ockamd_node *node,
						     const struct ockam_nl_name *encryptor)
{
	struct ockamd_channel *channel;

	LIST_FOREACH(channel, &node->channels, link) {
		if (channel->encryptor.len == encryptor->len &&
		    !memcmp(channel->encryptor.bytes, encryptor->bytes, encryptor->len))
			return channel;
	}
	return NULL;
}

const struct ockam_trust *ockamd_channel_rule(struct ockamd_node *node,
					      const struct ockam_nl_channel *channel)
{
	struct ockamd_channel *own;
	char address[OCKAM_ADDR_MAX_LEN + 1];
	struct ockamd_gate *gate;

	if (channel->role == OCKAM_ROLE_INITIATOR) {
		own = ockamd_channel_by_name(node, &channel->encryptor);
		return own ? &own->trust : NULL;
	}
	memcpy(address, channel->listener.bytes, channel->listener.len);
	address[channel->listener.len] = '\0';
	gate = ockamd_gate_find(node, address);
	return gate ? &gate->trust : NULL;
}

bool ockamd_channel_has_own_credential(struct ockamd_node *node,
				       const struct ockam_nl_channel *channel)
{
	struct ockamd_channel *own;

	if (channel->role != OCKAM_ROLE_INITIATOR)
		return false;
	own = ockamd_channel_by_name(node, &channel->encryptor);
	return own && own->own_credential;
}

void ockamd_channel_gone(struct ockamd_node *node, const struct ockam_nl_name *encryptor,
			 const char *reason)
{
	struct ockamd_channel *channel = ockamd_channel_by_name(node, encryptor);

	if (!channel)
		return;
	ockamd_info("channel %s: ended%s%s", channel->address, reason[0] ? ": " : "", reason);
	ockamd_channel_forget(node, channel);
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

/* That it is there is all that is asked. */
static int ockamd_channel_seen(void *arg, const struct ockam_nl_channel *channel)
{
	(void)arg;
	(void)channel;
	return 0;
}

void ockamd_channel_resync(struct ockamd_node *node)
{
	struct ockamd_channel *channel = LIST_FIRST(&node->channels);

	while (channel) {
		if (ockam_nl_channel_get(node->nl, channel->encryptor.bytes, channel->encryptor.len,
					 ockamd_channel_seen, NULL, NULL) != -ENOENT) {
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

struct ockamd_channel *ockamd_channel_find(struct ockamd_node *node, const char *address)
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

/* The request's own credential. Something else would spoil the handshake's last message. */
static int ockamd_channel_credential(struct json_object *args, struct ockam_buf *bytes,
				     struct ockam_err *err)
{
	struct ockam_credential credential;
	struct ockam_reader r;
	int ret;

	ret = ockam_value_bytes(args, "credential", bytes, err);
	if (ret)
		return ret;
	ockam_reader_init(&r, bytes->data, bytes->len);
	ret = ockam_credential_decode(&r, &credential, err);
	if (ret == -EBADMSG)
		return ockam_err_set(err, -EINVAL, "what is to be presented is no credential");
	if (!ret && r.pos != r.end)
		ret = ockam_err_set(err, -EINVAL, "something follows the credential");
	return ret;
}

/* Worker data of the request: identity, trust, credential. */
static int ockamd_channel_opaque(struct ockamd_request *request, struct ockam_trust *trust,
				 struct ockam_buf *out, struct ockam_err *err)
{
	struct json_object *args = request->parts.args;
	struct ockamd_node *node = request->node;
	struct ockam_buf credential = { 0 };
	uint32_t key;
	int ret;

	ret = ockamd_keyring_use(node, ockam_value_text(args, "identity"), &key, err);
	if (!ret)
		ret = ockamd_rule_read(node, args, trust, err);
	if (ret)
		return ret;
	if (ockam_value_get(args, "credential"))
		ret = ockamd_channel_credential(args, &credential, err);
	else
		ret = ockamd_present_check(node, key, err);
	if (!ret)
		ret = ockamd_rule_opaque(node, key, trust, &credential, out, err);
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
	ockamd_channel_making_free(making);
	if (request)
		ockamd_ctl_fail(request, OCKAM_CONTROL_TIMEOUT,
				"timeout: the kernel did not say whether the secure channel was made",
				NULL, NULL);
}

static const char *ockamd_channel_shown_route(struct ockamd_request *request)
{
	const char *text = ockam_value_text(request->parts.args, "shown_route");

	return text ? text : "";
}

/* Does the request's channel go over a link or a first hop of that name? */
static bool ockamd_channel_uses(struct ockamd_request *request, const char *address)
{
	struct json_object *args = request->parts.args;
	struct json_object *links = ockam_value_array(args, "links");
	struct json_object *route = ockam_value_array(args, "route");
	const char *text;
	size_t i, n;

	text = json_object_get_string(json_object_array_get_idx(route, 0));
	if (text && !strcmp(text, address))
		return true;
	n = links ? json_object_array_length(links) : 0;
	for (i = 0; i < n; i++) {
		text = json_object_get_string(json_object_array_get_idx(links, i));
		if (text && !strcmp(text, address))
			return true;
	}
	return false;
}

void ockamd_channel_path_gone(struct ockamd_node *node, const char *address)
{
	struct ockamd_channel_making *making;
	struct ockamd_request *request;
	struct ockam_err err;

	ockam_err_set(&err, -ECONNRESET,
		      "The connection ended while the secure channel was made over it");
	LIST_FOREACH(making, &node->channel_makings, link) {
		request = making->request;
		if (!request || !ockamd_channel_uses(request, address))
			continue;
		/* The kernel still reports: what it has made by then is ended. */
		making->request = NULL;
		ockamd_warn("no channel along %s: %s", ockamd_channel_shown_route(request),
			    err.text);
		ockamd_ctl_error(request, &err);
	}
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
		ret = ockamd_channel_opaque(request, &making->trust, &opaque, err);
	if (!ret)
		ret = ockamd_liveness_read(args, &new.liveness, err);
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
		ockamd_channel_making_free(making);
		ockamd_ctl_error(request, &err);
		return;
	}
	request->state = making;
	request->cancel = ockamd_channel_cancel;
	LIST_INSERT_HEAD(&request->node->channel_makings, making, link);
}

void ockamd_channel_take_path(struct ockamd_request *request, struct ockamd_channel *channel)
{
	struct json_object *args = request->parts.args;
	struct ockamd_node *node = request->node;
	struct ockamd_channel *carrier;
	struct json_object *hop;

	/* An ephemeral channel that it goes through was made for it. */
	hop = json_object_array_get_idx(ockam_value_array(args, "route"), 0);
	carrier = ockamd_channel_find(node, json_object_get_string(hop));
	if (carrier && carrier->owner == request->client) {
		carrier->owner = NULL;
		carrier->user = channel;
	}
	ockamd_link_adopt(node, ockam_value_array(args, "links"), channel);
}

/* The kernel reports success: remember the channel, with @trust taken over. NULL without memory. */
static struct ockamd_channel *ockamd_channel_add(struct ockamd_request *request,
						 const struct ockam_nl_result *result,
						 struct ockam_trust *trust)
{
	struct json_object *args = request->parts.args;
	struct ockamd_node *node = request->node;
	struct ockamd_channel *channel;

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
	channel->trust = *trust;
	memset(trust, 0, sizeof(*trust));
	channel->own_credential = !!ockam_value_get(args, "credential");
	if (ockam_value_bool(args, "ephemeral", false))
		channel->owner = request->client;
	LIST_INSERT_HEAD(&node->channels, channel, link);
	ockamd_channel_take_path(request, channel);
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
	struct ockam_trust trust = { 0 };
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
		trust = making->trust;
		free(making);
	}
	if (!result->error && request)
		channel = ockamd_channel_add(request, result, &trust);
	ockam_trust_free(&trust);
	if (result->error) {
		if (request)
			ockamd_channel_failed(request, result);
		return;
	}
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

void ockamd_channel_unknown(struct ockamd_request *request, const char *address)
{
	struct ockam_err err;

	ockam_err_set(&err, -ENOENT, "Secure channel with address, 0#%s, not found", address);
	ockamd_ctl_error(request, &err);
}

void ockamd_channel_op_delete(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address") ?: "";
	struct ockamd_node *node = request->node;
	struct ockamd_channel *channel;
	size_t len = strlen(address);
	const void *name = address;
	struct ockam_err err;

	channel = ockamd_channel_find(node, address);
	if (channel) {
		name = channel->encryptor.bytes;
		len = channel->encryptor.len;
	}
	if (!channel && !ockamd_channel_is_accepted(node, address)) {
		ockamd_channel_unknown(request, address);
		return;
	}
	if (ockam_nl_channel_del(node->nl, name, len, &err) && err.code != -ENOENT) {
		ockamd_ctl_error(request, &err);
		return;
	}
	ockamd_info("channel %s: deleted", address);
	if (channel)
		ockamd_channel_forget(node, channel);
	ockamd_ctl_reply(request, NULL);
}
