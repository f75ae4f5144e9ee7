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
#define OCKAMD_CHANNEL_CUT	"The connection ended while the secure channel was made over it"

/*
 * A channel being made. fn NULL: nobody wants it any more, end it when it comes.
 * trust, shown: the channel's, handed on to it. first: name of its first hop.
 */
struct ockamd_channel_making {
	LIST_ENTRY(ockamd_channel_making)	link;
	struct ockamd_timer			timer;	/* its report was lost */
	uint32_t				seq;
	struct ockam_trust			trust;
	bool					own_credential;
	char					*shown;
	char					first[OCKAMD_NAME_TEXT];
	ockamd_channel_fn			fn;
	void					*arg;
};

static void ockamd_channel_making_free(struct ockamd_channel_making *making)
{
	ockam_trust_free(&making->trust);
	free(making->shown);
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
 * Out of the list, with its route and the one that it carries. Other channels may be
 * freed as well, so a walk over the list must begin anew.
 */
static void ockamd_channel_forget(struct ockamd_channel *channel)
{
	struct ockamd_route *carries = channel->carries;

	LIST_REMOVE(channel, link);
	ockamd_loop_disarm(&channel->again);
	ockamd_route_end(channel->route);
	ockam_trust_free(&channel->trust);
	free(channel->shown);
	free(channel);
	if (carries)
		ockamd_route_lost(carries);
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
	ockamd_channel_forget(channel);
}

void ockamd_channel_lost(struct ockamd_node *node, struct ockamd_channel *channel)
{
	ockam_nl_channel_del(node->nl, channel->encryptor.bytes, channel->encryptor.len, NULL);
	ockamd_info("channel %s: ended with what it was made for", channel->address);
	ockamd_channel_forget(channel);
}

void ockamd_channel_route_lost(void *arg)
{
	struct ockamd_channel *channel = arg;

	if (channel->keep)
		ockamd_channel_return(channel);
	else
		ockamd_channel_lost(channel->route->node, channel);
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
		ockamd_channel_forget(channel);
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

void ockamd_channel_cancel(struct ockamd_channel_making *making)
{
	making->fn = NULL;
}

/* The end of an attempt that the kernel still may report; @err: why. */
static void ockamd_channel_give_up(struct ockamd_channel_making *making,
				   const struct ockam_err *err)
{
	ockamd_channel_fn fn = making->fn;

	making->fn = NULL;
	ockamd_warn("no channel along %s: %s", making->shown, err->text);
	fn(making->arg, NULL, false, err);
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

/* Worker data of the channel: identity, trust, credential. */
static int ockamd_channel_opaque(struct ockamd_node *node, struct json_object *args,
				 struct ockam_trust *trust, struct ockam_buf *out,
				 struct ockam_err *err)
{
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
	struct ockam_err err;

	LIST_REMOVE(making, link);
	ockam_err_set(&err, -ETIMEDOUT,
		      "timeout: the kernel did not say whether the secure channel was made");
	if (making->fn)
		ockamd_channel_give_up(making, &err);
	ockamd_channel_making_free(making);
}

void ockamd_channel_path_gone(struct ockamd_node *node, const char *address)
{
	struct ockamd_channel_making *making;
	struct ockam_err err;

	ockam_err_set(&err, -ECONNRESET, OCKAMD_CHANNEL_CUT);
	/* They stay in the list: the kernel still reports. */
	LIST_FOREACH(making, &node->channel_makings, link) {
		if (making->fn && !strcmp(making->first, address))
			ockamd_channel_give_up(making, &err);
	}
}

static int ockamd_channel_begin(struct ockamd_node *node, struct ockamd_channel_making *making,
				struct json_object *args, const struct ockam_route *hops,
				int timeout_ms, struct ockam_err *err)
{
	struct ockam_nl_channel_new new = { .timeout_ms = (uint32_t)timeout_ms };
	struct ockam_buf opaque = { 0 };
	int ret;

	ret = ockamd_channel_opaque(node, args, &making->trust, &opaque, err);
	if (!ret)
		ret = ockamd_liveness_read(args, &new.liveness, err);
	if (!ret) {
		new.route.data = hops->packed;
		new.route.len = hops->len;
		new.opaque.data = opaque.data;
		new.opaque.len = opaque.len;
		ret = ockam_nl_channel_new(node->nl, &new, &making->seq, err);
	}
	ockam_buf_free(&opaque);
	return ret;
}

int ockamd_channel_make(struct ockamd_node *node, struct json_object *args,
			const struct ockam_route *hops, const char *shown, int timeout_ms,
			ockamd_channel_fn fn, void *arg, struct ockamd_channel_making **makingp,
			struct ockam_err *err)
{
	struct ockamd_channel_making *making;
	int ret = -ENOMEM;

	making = calloc(1, sizeof(*making));
	if (making)
		making->shown = strdup(shown);
	if (!making || !making->shown)
		ockam_err_set(err, ret, "Out of memory");
	else
		ret = ockamd_channel_begin(node, making, args, hops, timeout_ms, err);
	if (ret) {
		if (making)
			ockamd_channel_making_free(making);
		return ret;
	}
	making->own_credential = !!ockam_value_get(args, "credential");
	making->fn = fn;
	making->arg = arg;
	ockamd_route_first(hops, making->first);
	making->timer.fn = ockamd_channel_lost_report;
	ockamd_loop_arm(&node->loop, &making->timer, timeout_ms + OCKAMD_CHANNEL_LATE_MS);
	LIST_INSERT_HEAD(&node->channel_makings, making, link);
	*makingp = making;
	return 0;
}

/* The kernel reports success: remember the channel. NULL without memory. */
static struct ockamd_channel *ockamd_channel_add(struct ockamd_node *node,
						 const struct ockam_nl_result *result,
						 struct ockamd_channel_making *making)
{
	struct ockamd_channel *channel = calloc(1, sizeof(*channel));

	if (!channel)
		return NULL;
	channel->encryptor = result->encryptor;
	ockamd_link_name_text(&result->encryptor, channel->address);
	ockamd_link_flow_text(&result->flow, channel->flow);
	memcpy(channel->peer, result->peer.id, sizeof(channel->peer));
	channel->own_credential = making->own_credential;
	channel->trust = making->trust;
	memset(&making->trust, 0, sizeof(making->trust));
	channel->shown = making->shown;
	making->shown = NULL;
	LIST_INSERT_HEAD(&node->channels, channel, link);
	ockamd_info("channel %s: made along %s%s", channel->address, channel->shown,
		    result->confirmed ? "" : " (unconfirmed)");
	return channel;
}

static void ockamd_channel_why(const struct ockam_nl_result *result, struct ockam_err *err)
{
	const char *reason = result->reason[0] ? result->reason : strerror(-result->error);

	if (result->error == -ETIMEDOUT)
		ockam_err_set(err, -ETIMEDOUT,
			      "timeout: the secure channel was not made in time: %s", reason);
	else
		ockam_err_set(err, result->error, "The secure channel was not made: %s", reason);
}

void ockamd_channel_result(struct ockamd_node *node, const struct ockam_nl_result *result)
{
	struct ockamd_channel *channel = NULL;
	struct ockamd_channel_making *making;
	struct ockam_err err;

	LIST_FOREACH(making, &node->channel_makings, link) {
		if (making->seq == result->seq)
			break;
	}
	if (making) {
		ockamd_loop_disarm(&making->timer);
		LIST_REMOVE(making, link);
	}
	if (result->error) {
		ockamd_channel_why(result, &err);
	} else if (making && making->fn) {
		channel = ockamd_channel_add(node, result, making);
		ockam_err_set(&err, -ENOMEM, "Out of memory");
	}
	if (!result->error && !channel)
		ockam_nl_channel_del(node->nl, result->encryptor.bytes, result->encryptor.len,
				     NULL);
	if (channel)
		making->fn(making->arg, channel, result->confirmed, NULL);
	else if (making && making->fn)
		ockamd_channel_give_up(making, &err);
	if (making)
		ockamd_channel_making_free(making);
}

/* ---- for requests -------------------------------------------------------------- */

static void ockamd_channel_cancel_request(struct ockamd_request *request)
{
	ockamd_channel_cancel(request->state);
}

static void ockamd_channel_cut(void *arg)
{
	struct ockamd_request *request = arg;
	struct ockam_err err;

	ockamd_channel_cancel(request->state);
	ockam_err_set(&err, -ECONNRESET, OCKAMD_CHANNEL_CUT);
	ockamd_ctl_error(request, &err);
}

static void ockamd_channel_made(void *arg, struct ockamd_channel *channel, bool confirmed,
				const struct ockam_err *err)
{
	struct ockamd_request *request = arg;
	struct json_object *map;

	if (!channel) {
		ockamd_ctl_error(request, err);
		return;
	}
	channel->keep = ockam_value_bool(request->parts.args, "keep", false);
	channel->route = request->route;
	request->route = NULL;
	ockamd_route_own(channel->route, ockamd_channel_route_lost, channel);
	map = ockamd_channel_to_json(request->node, channel);
	ockam_value_put_bool(map, "confirmed", confirmed);
	ockamd_ctl_reply(request, map);
}

static void ockamd_channel_along(struct ockamd_request *request)
{
	struct ockamd_route *route = request->route;
	struct ockamd_channel_making *making;
	struct ockam_err err;

	if (ockamd_channel_make(request->node, request->parts.args, &route->hops, route->shown,
				ockamd_route_left(request->deadline, OCKAMD_CHANNEL_MS),
				ockamd_channel_made, request, &making, &err)) {
		ockamd_ctl_error(request, &err);
		return;
	}
	request->state = making;
	request->cancel = ockamd_channel_cancel_request;
	ockamd_route_own(route, ockamd_channel_cut, request);
}

void ockamd_channel_op_create(struct ockamd_request *request)
{
	ockamd_route_serve(request, ockamd_channel_along);
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
		ockamd_channel_forget(channel);
	ockamd_ctl_reply(request, NULL);
}
