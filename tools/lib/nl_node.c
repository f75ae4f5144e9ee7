// SPDX-License-Identifier: Apache-2.0
/*
 * Netlink client: the node and its address table.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "nl_priv.h"

/* A command without attributes and answer. */
static int ockam_nl_call_plain(struct ockam_nl *nl, uint8_t cmd,
			       struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, cmd, 0);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_node_own(struct ockam_nl *nl, struct ockam_err *err)
{
	return ockam_nl_call_plain(nl, OCKAM_CMD_NODE_OWN, err);
}

int ockam_nl_node_del(struct ockam_nl *nl, struct ockam_err *err)
{
	return ockam_nl_call_plain(nl, OCKAM_CMD_NODE_DEL, err);
}

int ockam_nl_worker_bind(struct ockam_nl *nl, struct ockam_err *err)
{
	return ockam_nl_call_plain(nl, OCKAM_CMD_WORKER_BIND, err);
}

static void ockam_nl_read_limits(struct ockam_nl_limits *limits,
				 struct nlattr *nest)
{
	struct nlattr *tb[OCKAM_LIMIT_MAX + 1] = { NULL };
	int i;

	if (nla_parse_nested(tb, OCKAM_LIMIT_MAX, nest, NULL) < 0)
		return;
	for (i = OCKAM_LIMIT_PAD + 1; i <= OCKAM_LIMIT_MAX; i++) {
		if (!tb[i])
			continue;
		limits->set[i] = true;
		limits->v[i] = ockam_nl_get_u64(tb, i);
	}
}

static int ockam_nl_read_counters(struct ockam_nl_node *node,
				  struct nlattr *nest)
{
	struct nlattr *tb[OCKAM_A_MAX + 1];
	struct ockam_nl_counter *c;
	struct nlattr *nla;
	size_t n = 0;
	int rem;

	nla_for_each_nested(nla, nest, rem)
		n++;
	node->counters = calloc(n ?: 1, sizeof(*node->counters));
	if (!node->counters)
		return -ENOMEM;
	nla_for_each_nested(nla, nest, rem) {
		memset(tb, 0, sizeof(tb));
		if (nla_type(nla) != OCKAM_A_COUNTER ||
		    nla_parse_nested(tb, OCKAM_A_MAX, nla, NULL) < 0)
			continue;
		c = &node->counters[node->n_counters++];
		ockam_nl_get_text(tb, OCKAM_A_NAME, c->name, sizeof(c->name));
		c->value = ockam_nl_get_u64(tb, OCKAM_A_VALUE);
	}
	return 0;
}

static int ockam_nl_read_node(void *arg, struct nlattr **tb,
			      struct ockam_err *err)
{
	struct ockam_nl_node *node = arg;

	node->protocol_version = ockam_nl_get_u32(tb, OCKAM_A_PROTOCOL_VERSION);
	ockam_nl_get_text(tb, OCKAM_A_MODULE_VERSION, node->module_version,
			  sizeof(node->module_version));
	node->owner_port = ockam_nl_get_u32(tb, OCKAM_A_OWNER_PORT);
	node->worker_port = ockam_nl_get_u32(tb, OCKAM_A_WORKER_PORT);
	if (tb[OCKAM_A_LIMITS])
		ockam_nl_read_limits(&node->limits, tb[OCKAM_A_LIMITS]);
	if (tb[OCKAM_A_COUNTERS] && !node->counters &&
	    ockam_nl_read_counters(node, tb[OCKAM_A_COUNTERS]))
		return ockam_err_set(err, -ENOMEM, "no memory for counters");
	return 0;
}

int ockam_nl_node_get(struct ockam_nl *nl, struct ockam_nl_node *node,
		      struct ockam_err *err)
{
	struct ockam_nl_request req;
	int ret;

	memset(node, 0, sizeof(*node));
	ockam_nl_request_init(nl, &req, OCKAM_CMD_NODE_GET, 0);
	ret = ockam_nl_call(nl, &req, ockam_nl_read_node, node, err);
	if (ret)
		ockam_nl_node_free(node);
	return ret;
}

void ockam_nl_node_free(struct ockam_nl_node *node)
{
	free(node->counters);
	memset(node, 0, sizeof(*node));
}

int ockam_nl_node_set(struct ockam_nl *nl, const struct ockam_nl_limits *limits,
		      struct ockam_err *err)
{
	struct ockam_nl_request req;
	struct nlattr *nest = NULL;
	int i;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_NODE_SET, 0);
	if (!req.failed)
		nest = nla_nest_start(req.msg, OCKAM_A_LIMITS | NLA_F_NESTED);
	if (!nest)
		req.failed = true;
	for (i = OCKAM_LIMIT_PAD + 1; i <= OCKAM_LIMIT_MAX; i++) {
		if (limits->set[i])
			ockam_nl_put_u64(&req, i, limits->v[i]);
	}
	/* keep_empty: without it libnl takes away a nest without limits. */
	if (!req.failed)
		nla_nest_end_keep_empty(req.msg, nest);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

/* ---- addresses ----------------------------------------------------------- */

struct ockam_nl_address_reader {
	ockam_nl_address_fn	fn;
	void			*arg;
};

static int ockam_nl_read_address(void *arg, struct nlattr **tb,
				 struct ockam_err *err)
{
	struct ockam_nl_address_reader *reader = arg;
	struct ockam_nl_address a = {
		.kind = ockam_nl_get_u8(tb, OCKAM_A_KIND),
		.reach = ockam_nl_get_u32(tb, OCKAM_A_REACH),
		.reach_ids = ockam_nl_get_blob(tb, OCKAM_A_REACH_IDS),
	};
	int ret;

	ockam_nl_get_name(tb, OCKAM_A_ADDRESS, &a.name);
	ockam_nl_get_flow(tb, OCKAM_A_FLOW_ID, &a.flow);
	ockam_nl_get_flow(tb, OCKAM_A_SPAWNER_ID, &a.spawner);
	ret = reader->fn(reader->arg, &a);
	if (ret)
		return ockam_err_set(err, ret, "the list was left early");
	return 0;
}

int ockam_nl_address_get(struct ockam_nl *nl, const void *name, size_t len,
			 ockam_nl_address_fn fn, void *arg,
			 struct ockam_err *err)
{
	struct ockam_nl_address_reader reader = { fn, arg };

	return ockam_nl_call_name(nl, OCKAM_CMD_ADDRESS_GET, OCKAM_A_ADDRESS, name, len,
				  ockam_nl_read_address, &reader, err);
}

int ockam_nl_address_dump(struct ockam_nl *nl, ockam_nl_address_fn fn,
			  void *arg, struct ockam_err *err)
{
	struct ockam_nl_address_reader reader = { fn, arg };

	return ockam_nl_call_dump(nl, OCKAM_CMD_ADDRESS_GET, ockam_nl_read_address, &reader, err);
}
