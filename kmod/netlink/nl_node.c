// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about the node: who owns it, its limits and its counters.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "limits.h"
#include "mib.h"
#include "netlink.h"
#include "netns.h"

#define OCKAM_NL_PROTOCOL_VERSION	1	/* Ockam's TCP protocol */
#define OCKAM_NL_COUNTER_SIZE		64	/* nest, name and value */

const struct nla_policy ockam_nl_limits_policy[OCKAM_LIMIT_MAX + 1] = {
	[OCKAM_LIMIT_PAD] = { .type = NLA_REJECT },
#define L(limit, ...)							\
	[OCKAM_LIMIT_##limit] = { .type = NLA_U64 },
#include "limits_table.h"
#undef L
};

int ockam_nl_own_node(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_net *on = ockam_nl_node(info);
	int err;

	if (info->snd_portid == OCKAM_NETNS_NO_PORT)
		return ockam_refuse(info->extack, -EINVAL,
				    "this port number cannot own a node: let the kernel choose one");
	err = ockam_netns_own(on, info->snd_portid);
	switch (err) {
	case 0:
		WRITE_ONCE(on->owner_sock, NETLINK_CB(skb).sk);
		return 0;
	case -EBUSY:
		if (READ_ONCE(on->owner_portid) == OCKAM_NETNS_NO_PORT)
			return ockam_refuse(info->extack, err,
					    "the node of this namespace is still ending: try again");
		return ockam_refuse(info->extack, err,
				    "another process owns the node of this namespace");
	default:
		return ockam_refuse(info->extack, err,
				    "the module is being unloaded");
	}
}

int ockam_nl_del_node(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_net *on = ockam_nl_node(info);

	if (ockam_netns_end_node(on))
		return ockam_refuse(info->extack, -ESRCH,
				    "no process owns the node of this namespace");
	return 0;
}

static int ockam_nl_put_limits(struct sk_buff *skb, const struct ockam_net *on)
{
	struct nlattr *nest = nla_nest_start(skb, OCKAM_A_LIMITS);
	int which, err;

	if (!nest)
		return -EMSGSIZE;
	for (which = OCKAM_LIMIT_PAD + 1; which <= OCKAM_LIMIT_MAX; which++) {
		err = nla_put_u64_64bit(skb, which,
					ockam_netns_limit(on, which),
					OCKAM_LIMIT_PAD);
		if (err)
			return err;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int ockam_nl_put_counter(struct sk_buff *skb, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, OCKAM_A_COUNTER);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_string(skb, OCKAM_A_NAME, name);
	if (!err)
		err = ockam_nl_put_u64(skb, OCKAM_A_VALUE, value);
	if (!err)
		nla_nest_end(skb, nest);
	return err;
}

static int ockam_nl_put_counters(struct sk_buff *skb,
				 const struct ockam_net *on)
{
	struct nlattr *nest = nla_nest_start(skb, OCKAM_A_COUNTERS);
	int which, err;

	if (!nest)
		return -EMSGSIZE;
	for (which = 0; which < __OCKAM_MIB_MAX; which++) {
		err = ockam_nl_put_counter(skb, ockam_mib_name(which),
					   ockam_mib_read(on, which));
		if (err)
			return err;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int ockam_nl_get_node(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_net *on = ockam_nl_node(info);
	struct sk_buff *reply;
	void *hdr;
	int err;

	reply = ockam_nl_new_reply(info, 1024 + __OCKAM_MIB_MAX *
				   OCKAM_NL_COUNTER_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	err = nla_put_u32(reply, OCKAM_A_PROTOCOL_VERSION,
			  OCKAM_NL_PROTOCOL_VERSION) ?:
	      nla_put_string(reply, OCKAM_A_MODULE_VERSION,
			     OCKAM_MODULE_VERSION) ?:
	      nla_put_u32(reply, OCKAM_A_OWNER_PORT, ockam_netns_owned(on) ?
			  READ_ONCE(on->owner_portid) : 0) ?:
	      nla_put_u32(reply, OCKAM_A_WORKER_PORT,
			  READ_ONCE(on->worker_portid)) ?:
	      ockam_nl_put_limits(reply, on) ?:
	      ockam_nl_put_counters(reply, on);
	return ockam_nl_send_reply(info, reply, hdr, err);
}

/* All of the given limits or none. */
int ockam_nl_set_node(struct sk_buff *skb, struct genl_info *info)
{
	bool may_raise = netlink_capable(skb, CAP_NET_ADMIN);
	struct ockam_net *on = ockam_nl_node(info);
	struct nlattr *tb[OCKAM_LIMIT_MAX + 1];
	int which, err;

	if (!info->attrs[OCKAM_A_LIMITS])
		return ockam_refuse(info->extack, -EINVAL,
				    "no limits are given");
	err = nla_parse_nested(tb, OCKAM_LIMIT_MAX, info->attrs[OCKAM_A_LIMITS],
			       ockam_nl_limits_policy, info->extack);
	if (err)
		return err;
	for (which = OCKAM_LIMIT_PAD + 1; which <= OCKAM_LIMIT_MAX; which++) {
		if (!tb[which])
			continue;
		err = ockam_netns_check_limit(which, nla_get_u64(tb[which]),
					      may_raise, info->extack);
		if (err) {
			NL_SET_BAD_ATTR(info->extack, tb[which]);
			return err;
		}
	}
	mutex_lock(&on->config_lock);
	for (which = OCKAM_LIMIT_PAD + 1; which <= OCKAM_LIMIT_MAX; which++) {
		if (tb[which])
			ockam_netns_set_limit(on, which,
					      nla_get_u64(tb[which]));
	}
	mutex_unlock(&on->config_lock);
	return 0;
}
