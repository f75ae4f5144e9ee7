// SPDX-License-Identifier: Apache-2.0
/*
 * Channel listeners.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "liveness.h"
#include "log.h"
#include "node.h"

struct ockamd_gate *ockamd_gate_find(struct ockamd_node *node, const char *address)
{
	struct ockamd_gate *gate;

	LIST_FOREACH(gate, &node->gates, link) {
		if (!strcmp(gate->address, address))
			return gate;
	}
	return NULL;
}

/* Flow ids of the TCP listeners and of "api". Returns how many. */
static size_t ockamd_gate_reach(struct ockamd_node *node, struct ockam_nl_listener_new *new,
				const char *address, uint8_t ids[2][OCKAM_FLOW_ID_LEN])
{
	struct ockamd_gate *api;
	size_t len;

	memcpy(ids[0], node->transport_flow, OCKAM_FLOW_ID_LEN);
	if (!strcmp(address, OCKAMD_GATE_API)) {
		/* Its own id must be known before it exists. */
		if (ockam_crypto_random(new->flow.id, sizeof(new->flow.id), NULL))
			return 1;
		new->flow.present = true;
		memcpy(ids[1], new->flow.id, OCKAM_FLOW_ID_LEN);
		return 2;
	}
	api = ockamd_gate_find(node, OCKAMD_GATE_API);
	if (!api || ockam_hex_decode(api->flow, strlen(api->flow), ids[1], OCKAM_FLOW_ID_LEN, &len,
				     NULL))
		return 1;
	return 2;
}

static int ockamd_gate_make(struct ockamd_node *node, struct ockamd_gate *gate,
			    const struct ockam_buf *opaque, struct ockam_err *err)
{
	struct ockam_nl_listener_new new = { 0 };
	uint8_t ids[2][OCKAM_FLOW_ID_LEN];
	struct ockam_nl_made made;
	int ret;

	new.address.len = (uint8_t)strlen(gate->address);
	memcpy(new.address.bytes, gate->address, new.address.len);
	new.reach.set = true;
	new.reach.mask = OCKAM_REACH_LOCAL;
	new.reach.n_ids = ockamd_gate_reach(node, &new, gate->address, ids);
	new.reach.ids = ids[0];
	new.opaque.data = opaque->data;
	new.opaque.len = opaque->len;
	new.liveness = gate->liveness;
	ret = ockam_nl_listener_new(node->nl, &new, &made, err);
	if (!ret)
		ockamd_link_flow_text(&made.flow, gate->flow);
	return ret;
}

static void ockamd_gate_free(struct ockamd_gate *gate)
{
	ockam_trust_free(&gate->trust);
	free(gate);
}

/* Worker data of a listener. */
static int ockamd_gate_opaque(struct ockamd_node *node, const char *identity,
			      const struct ockam_trust *trust, struct ockam_buf *out,
			      struct ockam_err *err)
{
	uint32_t key;
	int ret;

	ret = ockamd_keyring_use(node, identity, &key, err);
	return ret ? ret : ockamd_rule_opaque(node, key, trust, NULL, out, err);
}

int ockamd_gate_open(struct ockamd_node *node, const char *address, const char *identity,
		     struct json_object *rule, struct ockam_err *err)
{
	struct ockam_buf opaque = { 0 };
	struct ockamd_gate *gate;
	int ret;

	if (!address[0] || strlen(address) > OCKAM_ADDR_MAX_LEN)
		return ockam_err_set(err, -EINVAL, "An address has 1 to %d bytes",
				     OCKAM_ADDR_MAX_LEN);
	if (!identity)
		identity = node->identity;
	gate = calloc(1, sizeof(*gate));
	if (!gate)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	strcpy(gate->address, address);
	snprintf(gate->identity, sizeof(gate->identity), "%s", identity);
	ret = ockamd_rule_read(node, rule, &gate->trust, err);
	if (!ret)
		ret = ockamd_liveness_read(rule, &gate->liveness, err);
	if (!ret)
		ret = ockamd_gate_opaque(node, identity, &gate->trust, &opaque, err);
	if (!ret)
		ret = ockamd_gate_make(node, gate, &opaque, err);
	ockam_buf_free(&opaque);
	if (ret) {
		ockamd_gate_free(gate);
		return ret;
	}
	LIST_INSERT_HEAD(&node->gates, gate, link);
	ockamd_info("secure channel listener at %s, identity %s", address, identity);
	return 0;
}

/* Without its rule, which may name hundreds of identifiers. */
static struct json_object *ockamd_gate_brief(const struct ockamd_gate *gate)
{
	struct json_object *map = json_object_new_object();

	ockam_value_put_text(map, "address", gate->address);
	ockam_value_put_text(map, "flow_control_id", gate->flow);
	ockam_value_put_text(map, "identity", gate->identity);
	return map;
}

struct json_object *ockamd_gate_to_json(const struct ockamd_gate *gate)
{
	struct json_object *map = ockamd_gate_brief(gate);

	ockamd_rule_describe(&gate->trust, map);
	ockamd_liveness_describe(&gate->liveness, map);
	return map;
}

struct json_object *ockamd_gate_describe(struct ockamd_node *node, bool rules)
{
	struct json_object *list = json_object_new_array();
	struct ockamd_gate *gate;
	size_t n = 0;

	LIST_FOREACH(gate, &node->gates, link)
		n++;
	LIST_FOREACH(gate, &node->gates, link)
		json_object_array_put_idx(list, --n, rules ? ockamd_gate_to_json(gate)
							   : ockamd_gate_brief(gate));
	return list;
}

void ockamd_gate_op_list(struct ockamd_request *request)
{
	ockamd_ctl_reply_list(request, ockamd_gate_describe(request->node, true));
}

void ockamd_gate_op_create(struct ockamd_request *request)
{
	struct json_object *args = request->parts.args;
	const char *address = ockam_value_text(args, "address");
	struct ockam_err err;

	if (!address)
		ockamd_ctl_fail(request, OCKAM_CONTROL_INVALID, "'address' is missing", NULL, NULL);
	else if (ockamd_gate_open_kept(request->node, address, args, &err))
		ockamd_ctl_error(request, &err);
	else
		ockamd_ctl_reply(request, ockamd_gate_to_json(LIST_FIRST(&request->node->gates)));
}

void ockamd_gate_op_delete(struct ockamd_request *request)
{
	const char *address = ockam_value_text(request->parts.args, "address");
	struct ockamd_node *node = request->node;
	struct ockamd_gate *gate;
	struct ockam_err err;

	gate = address ? ockamd_gate_find(node, address) : NULL;
	if (!gate) {
		ockam_err_set(&err, -ENOENT,
			      "Secure channel listener with address, 0#%s, not found",
			      address ? address : "");
		ockamd_ctl_error(request, &err);
		return;
	}
	if (ockam_nl_listener_del(node->nl, address, strlen(address), &err) &&
	    err.code != -ENOENT) {
		ockamd_ctl_error(request, &err);
		return;
	}
	ockamd_info("secure channel listener at %s: deleted", gate->address);
	LIST_REMOVE(gate, link);
	ockamd_gate_free(gate);
	ockamd_ctl_reply(request, NULL);
}
