// SPDX-License-Identifier: Apache-2.0
/*
 * Channel listeners: another rule while channels come and go.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "liveness.h"
#include "log.h"
#include "node.h"

/*
 * One walk over the channels of a listener. What is to be done waits for the end
 * of the dump: each entry a length of one byte, a name, and an expiry of 8 bytes,
 * 0: the channel ends.
 */
struct ockamd_gate_walk {
	struct ockamd_node	*node;
	struct ockamd_gate	*gate;
	struct ockam_buf	todo;
};

static int ockamd_gate_visit(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_gate_walk *walk = arg;
	const struct ockamd_gate *gate = walk->gate;
	uint64_t expires_at = 0;
	struct ockam_err err;
	bool admitted;

	if (channel->role != OCKAM_ROLE_RESPONDER ||
	    channel->listener.len != strlen(gate->address) ||
	    memcmp(channel->listener.bytes, gate->address, channel->listener.len))
		return 0;
	admitted = !ockamd_rule_judge(walk->node, &gate->trust, channel->peer.id, &expires_at,
				      &err);
	/* It stays, and its end, if it has one, is no later than the rule wants. */
	if (admitted && (!expires_at || (channel->expiry && channel->expiry <= expires_at)))
		return 0;
	if (!admitted)
		ockamd_debug("listener %s: ending a channel: %s", gate->address, err.text);
	ockam_buf_put_u8(&walk->todo, channel->encryptor.len);
	ockam_buf_put(&walk->todo, channel->encryptor.bytes, channel->encryptor.len);
	ockam_buf_put(&walk->todo, &expires_at, sizeof(expires_at));
	return walk->todo.failed ? -ENOMEM : 0;
}

/* What has ended meanwhile is no failure; of others the first is returned, and all are tried. */
static int ockamd_gate_settle(struct ockamd_node *node, const struct ockam_buf *todo,
			      uint64_t *ended, struct ockam_err *err)
{
	struct ockam_nl_channel_set set = { .set_expiry = true };
	const uint8_t *pos = todo->data;
	struct ockam_err why;
	int ret, first = 0;

	while (pos < todo->data + todo->len) {
		set.encryptor.len = *pos++;
		memcpy(set.encryptor.bytes, pos, set.encryptor.len);
		pos += set.encryptor.len;
		memcpy(&set.expiry, pos, sizeof(set.expiry));
		pos += sizeof(set.expiry);
		if (set.expiry)
			ret = ockam_nl_channel_set(node->nl, &set, &why);
		else
			ret = ockam_nl_channel_del(node->nl, set.encryptor.bytes,
						   set.encryptor.len, &why);
		*ended += !ret && !set.expiry;
		if (ret && ret != -ENOENT && !first) {
			first = ret;
			*err = why;
			ockam_err_prefix(err,
					 "A channel that does not qualify may still be there");
		}
	}
	return first;
}

/* End the channels of @gate whose peers it would not admit now. */
static int ockamd_gate_close_unfit(struct ockamd_node *node, struct ockamd_gate *gate,
				   uint64_t *ended, struct ockam_err *err)
{
	struct ockamd_gate_walk walk = { .node = node, .gate = gate };
	int ret;

	*ended = 0;
	/* What peers have proved a moment ago counts. */
	ockamd_spawn_drain(node);
	ret = ockam_nl_channel_dump(node->nl, ockamd_gate_visit, &walk, err);
	if (ret >= 0)
		ret = ockamd_gate_settle(node, &walk.todo, ended, err);
	ockam_buf_free(&walk.todo);
	if (*ended)
		ockamd_info("listener %s: ended %llu channels that no longer qualify",
			    gate->address, (unsigned long long)*ended);
	return ret < 0 ? ret : 0;
}

static void ockamd_gate_name(const struct ockamd_gate *gate, struct ockam_nl_name *name)
{
	name->len = (uint8_t)strlen(gate->address);
	memcpy(name->bytes, gate->address, name->len);
}

/* No handshake that has begun, maybe under another rule, ends well. */
static int ockamd_gate_abort(struct ockamd_node *node, const struct ockamd_gate *gate,
			     struct ockam_err *err)
{
	struct ockam_nl_listener_set set = { .abort = true };

	ockamd_gate_name(gate, &set.address);
	return ockam_nl_listener_set(node->nl, &set, err);
}

/* The rule of new channels; @abort as above. */
static int ockamd_gate_set(struct ockamd_node *node, struct ockamd_gate *gate,
			   struct json_object *args, bool abort, struct ockam_err *err)
{
	struct ockam_nl_listener_set set = { .abort = abort };
	struct ockam_trust trust = { 0 }, old;
	struct ockam_buf opaque = { 0 };
	uint32_t key;
	int ret;

	ret = ockamd_rule_read(node, args, &trust, err);
	if (!ret)
		ret = ockamd_keyring_use(node, gate->identity, &key, err);
	if (!ret)
		ret = ockamd_rule_opaque(node, key, &trust, NULL, &opaque, err);
	if (!ret) {
		ockamd_gate_name(gate, &set.address);
		set.opaque.data = opaque.data;
		set.opaque.len = opaque.len;
		if (ockamd_liveness_given(args))
			ret = ockamd_liveness_read(args, &set.liveness, err);
	}
	if (!ret)
		ret = ockam_nl_listener_set(node->nl, &set, err);
	if (!ret) {
		old = gate->trust;
		gate->trust = trust;
		trust = old;
		if (set.liveness.set)
			gate->liveness = set.liveness;
		ockamd_info("secure channel listener at %s: another rule", gate->address);
	}
	ockam_trust_free(&trust);
	ockam_buf_free(&opaque);
	return ret;
}

static bool ockamd_gate_names_rule(struct json_object *args)
{
	return ockam_value_get(args, "authorized") || ockam_value_get(args, "authority") ||
		ockam_value_get(args, "allow") || ockam_value_bool(args, "everyone", false);
}

/* Of channels made from now on; @abort as above. */
static int ockamd_gate_set_liveness(struct ockamd_node *node, struct ockamd_gate *gate,
				    struct json_object *args, bool abort, struct ockam_err *err)
{
	struct ockam_nl_listener_set set = { .abort = abort };
	int ret;

	ret = ockamd_liveness_read(args, &set.liveness, err);
	if (ret)
		return ret;
	ockamd_gate_name(gate, &set.address);
	ret = ockam_nl_listener_set(node->nl, &set, err);
	if (!ret)
		gate->liveness = set.liveness;
	return ret;
}

/* What a request asks for as a rule, as text; NULL without memory. */
static char *ockamd_gate_rule_text(struct json_object *args)
{
	static const char *const members[] = { "authorized", "authority", "allow" };
	struct json_object *rule = json_object_new_object();
	struct json_object *member;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		member = ockam_value_get(args, members[i]);
		if (member)
			json_object_object_add(rule, members[i], json_object_get(member));
	}
	text = strdup(json_object_to_json_string_ext(rule, JSON_C_TO_STRING_PLAIN));
	json_object_put(rule);
	return text;
}

static bool ockamd_gate_is_kept(const struct ockamd_node *node, const char *address)
{
	return node->claimed && !strcmp(address, OCKAMD_GATE_API);
}

/*
 * The rule of "api" is what protects a node: it is kept before it holds, so that
 * the node never starts again with one that lets more in. *before: to be given to
 * ockamd_gate_kept().
 */
static int ockamd_gate_keep(struct ockamd_node *node, const char *address,
			    struct json_object *args, char **before, struct ockam_err *err)
{
	const char *name = node->options->name;
	char *rule;
	int ret;

	*before = NULL;
	if (!ockamd_gate_is_kept(node, address))
		return 0;
	rule = ockamd_gate_rule_text(args);
	if (!rule)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	ret = ockam_store_node_rule(node->store, name, before, err);
	if (!ret)
		ret = ockam_store_node_set_rule(node->store, name, rule, err);
	free(rule);
	if (!ret)
		return 0;
	free(*before);
	return ret;
}

/* It holds, or why not: then the one before is kept again. Returns @ret. */
static int ockamd_gate_kept(struct ockamd_node *node, const char *address, char *before, int ret)
{
	if (ret && ockamd_gate_is_kept(node, address))
		ockam_store_node_set_rule(node->store, node->options->name, before, NULL);
	free(before);
	return ret;
}

static int ockamd_gate_set_kept(struct ockamd_node *node, struct ockamd_gate *gate,
				struct json_object *args, bool abort, struct ockam_err *err)
{
	char *before;
	int ret;

	ret = ockamd_gate_keep(node, gate->address, args, &before, err);
	if (ret)
		return ret;
	return ockamd_gate_kept(node, gate->address, before,
				ockamd_gate_set(node, gate, args, abort, err));
}

int ockamd_gate_open_kept(struct ockamd_node *node, const char *address,
			  struct json_object *args, struct ockam_err *err)
{
	const char *identity = ockam_value_text(args, "identity");
	char *before;
	int ret;

	if (ockamd_gate_find(node, address))
		return ockamd_gate_open(node, address, identity, args, err);
	ret = ockamd_gate_keep(node, address, args, &before, err);
	if (ret)
		return ret;
	return ockamd_gate_kept(node, address, before,
				ockamd_gate_open(node, address, identity, args, err));
}

int ockamd_gate_open_api(struct ockamd_node *node, struct ockam_err *err)
{
	struct json_object *rule = NULL;
	char *text = NULL;
	int ret = 0;

	if (node->claimed)
		ret = ockam_store_node_rule(node->store, node->options->name, &text, err);
	if (!ret && text) {
		rule = json_tokener_parse(text);
		/* What is not understood must not end as "everyone". */
		if (!json_object_is_type(rule, json_type_object))
			ret = ockam_err_set(err, -EUCLEAN,
					    "The stored rule of the listener %s cannot be read",
					    OCKAMD_GATE_API);
	}
	if (!ret)
		ret = ockamd_gate_open(node, OCKAMD_GATE_API, NULL, rule, err);
	json_object_put(rule);
	free(text);
	return ret;
}

static int ockamd_gate_update(struct ockamd_node *node, struct ockamd_gate *gate,
			      struct json_object *args, uint64_t *ended, struct ockam_err *err)
{
	bool close = ockam_value_bool(args, "close", false);
	int ret;

	if (ockamd_gate_names_rule(args))
		ret = ockamd_gate_set_kept(node, gate, args, close, err);
	else if (ockamd_liveness_given(args))
		ret = ockamd_gate_set_liveness(node, gate, args, close, err);
	else if (close)
		ret = ockamd_gate_abort(node, gate, err);
	else
		ret = ockam_err_set(err, -EINVAL, "Nothing is to be changed");
	return ret || !close ? ret : ockamd_gate_close_unfit(node, gate, ended, err);
}

void ockamd_gate_op_update(struct ockamd_request *request)
{
	struct json_object *args = request->parts.args;
	const char *address = ockam_value_text(args, "address");
	struct ockamd_node *node = request->node;
	struct json_object *map;
	struct ockamd_gate *gate;
	struct ockam_err err;
	uint64_t ended = 0;

	gate = address ? ockamd_gate_find(node, address) : NULL;
	if (!gate)
		ockam_err_set(&err, -ENOENT,
			      "There is no secure channel listener at address %s on node %s",
			      address ? address : "", node->options->name);
	if (!gate || ockamd_gate_update(node, gate, args, &ended, &err)) {
		ockamd_ctl_error(request, &err);
		return;
	}
	map = ockamd_gate_to_json(gate);
	if (ockam_value_bool(args, "close", false))
		ockam_value_put_int(map, "closed", (int64_t)ended);
	ockamd_ctl_reply(request, map);
}
