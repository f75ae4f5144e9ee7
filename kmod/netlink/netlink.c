// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "ockam": table of commands, who may give them, and
 * the end of sockets.
 *
 * Authority. A command's class is in its internal_flags and checked here, not
 * by the core's GENL_UNS_ADMIN_PERM, which refuses without a sentence. Owner
 * and worker are known by port and by socket: a port number is free for others
 * a moment before NETLINK_URELEASE tells us that its socket has gone. The
 * socket is only compared, never used.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/user_namespace.h>

#include "handshake.h"
#include "netlink.h"
#include "nl_policy.h"

static bool ockam_netlink_user_namespaces;
module_param_named(user_namespaces, ockam_netlink_user_namespaces, bool, 0644);
MODULE_PARM_DESC(user_namespaces,
		 "let CAP_NET_ADMIN of other user namespaces run nodes (default: no)");

/* May @skb's sender administer @net? 0 or -EPERM. */
static int ockam_netlink_check_admin(struct sk_buff *skb, const struct net *net,
				     struct netlink_ext_ack *extack)
{
	if (!netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN))
		return ockam_refuse(extack, -EPERM,
				    "CAP_NET_ADMIN over the node's network namespace is needed: run as root");
	if (net->user_ns != &init_user_ns &&
	    !READ_ONCE(ockam_netlink_user_namespaces))
		return ockam_refuse(extack, -EPERM,
				    "nodes in user namespaces are off: load the module with user_namespaces=1");
	return 0;
}

static bool ockam_netlink_is_owner(struct ockam_net *on, struct sk_buff *skb)
{
	/* The number of a node that ends is nobody's, even if somebody has it. */
	return ockam_netns_owned(on) &&
	       NETLINK_CB(skb).portid == READ_ONCE(on->owner_portid) &&
	       NETLINK_CB(skb).sk == READ_ONCE(on->owner_sock);
}

static bool ockam_netlink_is_worker(struct ockam_net *on, struct sk_buff *skb)
{
	return NETLINK_CB(skb).portid == READ_ONCE(on->worker_portid) &&
	       NETLINK_CB(skb).sk == READ_ONCE(on->worker_sock);
}

/* May @skb's sender give a command of class @who? 0 or -EPERM. */
static int ockam_netlink_check_authority(struct ockam_net *on,
					 struct sk_buff *skb, u8 who,
					 struct netlink_ext_ack *extack)
{
	if (who & OCKAM_NL_WORKER) {
		if (ockam_netlink_is_worker(on, skb))
			return 0;
		return ockam_refuse(extack, -EPERM,
				    "only the socket that was bound as handshake worker may do this");
	}
	if ((who & OCKAM_NL_OWNER) && ockam_netlink_is_owner(on, skb))
		return 0;
	if (who & (OCKAM_NL_OWNER | OCKAM_NL_ADMIN))
		return ockam_netlink_check_admin(skb, on->net, extack);
	return 0;
}

/*
 * What the core does not check. Every attribute of this family has one value,
 * so one given twice is a mistake of the sender.
 */
static int ockam_netlink_check_header(const struct nlmsghdr *nlh,
				      struct netlink_ext_ack *extack)
{
	const struct genlmsghdr *hdr = nlmsg_data(nlh);
	DECLARE_BITMAP(seen, OCKAM_A_MAX + 1);
	const struct nlattr *nla;
	int rem;

	if (hdr->version != OCKAM_GENL_VERSION)
		return ockam_refuse(extack, -EPROTONOSUPPORT,
				    "the tools and the module speak different versions of the family");

	bitmap_zero(seen, OCKAM_A_MAX + 1);
	nla_for_each_attr(nla, nlmsg_attrdata(nlh, GENL_HDRLEN),
			  nlmsg_attrlen(nlh, GENL_HDRLEN), rem) {
		if (nla_type(nla) > OCKAM_A_MAX)
			continue;
		if (test_and_set_bit(nla_type(nla), seen)) {
			NL_SET_BAD_ATTR(extack, nla);
			return ockam_refuse(extack, -EINVAL,
					    "an attribute is given twice");
		}
	}
	return 0;
}

/* Attributes of the request are not needed any more and held a secret. */
static void ockam_netlink_wipe(struct nlmsghdr *nlh)
{
	memzero_explicit(nlmsg_attrdata(nlh, GENL_HDRLEN),
			 nlmsg_attrlen(nlh, GENL_HDRLEN));
}

static int ockam_netlink_pre_doit(const struct ockam_compat_genl_ops *op,
				  struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_net *on = ockam_netns_from(genl_info_net(info));
	int err;

	err = ockam_netlink_check_header(info->nlhdr, info->extack);
	if (!err)
		err = ockam_netlink_check_authority(on, skb, op->internal_flags,
						    info->extack);
	if (!err)
		info->user_ptr[0] = on;
	/* The core does not call post_doit() then. */
	else if (op->internal_flags & OCKAM_NL_SECRET)
		ockam_netlink_wipe((struct nlmsghdr *)info->nlhdr);
	return err;
}

static void ockam_netlink_post_doit(const struct ockam_compat_genl_ops *op,
				    struct sk_buff *skb, struct genl_info *info)
{
	if (op->internal_flags & OCKAM_NL_SECRET)
		ockam_netlink_wipe((struct nlmsghdr *)info->nlhdr);
}

/*
 * Not done by ->start, which has no extack on all kernels: the first part is
 * made inside of the sender's request too.
 */
int ockam_nl_check_dump(struct netlink_callback *cb)
{
	struct nlattr **attrs = ockam_compat_dump_attrs(cb);
	int err, i;

	if (cb->args[OCKAM_NL_DUMP_CHECKED])
		return 0;
	err = ockam_netlink_check_header(cb->nlh, cb->extack);
	if (!err)
		err = ockam_netlink_check_authority(ockam_nl_dump_node(cb),
						    cb->skb, OCKAM_NL_OWNER,
						    cb->extack);
	if (err)
		return err;
	for (i = 0; attrs && i <= ockam_compat_dump_maxattr(cb); i++) {
		if (attrs[i])
			return ockam_refuse(cb->extack, -EINVAL,
					    "a dump lists everything: leave the name away");
	}
	/* Not 0, which would mean that this dump does not count changes. */
	cb->seq = 1;
	cb->args[OCKAM_NL_DUMP_CHECKED] = 1;
	return 0;
}

int ockam_nl_lock_owned(struct genl_info *info)
{
	struct ockam_net *on = ockam_nl_node(info);

	mutex_lock(&on->config_lock);
	if (ockam_netns_owned(on))
		return 0;
	mutex_unlock(&on->config_lock);
	return ockam_refuse(info->extack, -ESRCH,
			    "no process owns the node of this namespace: start one");
}

void ockam_nl_unlock(struct genl_info *info)
{
	struct ockam_net *on = ockam_nl_node(info);

	mutex_unlock(&on->config_lock);
}

#define OCKAM_NL_POLICY(name)						\
	.policy = ockam_nl_policy_##name,				\
	.maxattr = ARRAY_SIZE(ockam_nl_policy_##name) - 1

static const struct genl_ops ockam_netlink_ops[] = {
	{
		.cmd = OCKAM_CMD_NODE_OWN,
		OCKAM_NL_POLICY(none),
		.internal_flags = OCKAM_NL_ADMIN,
		.doit = ockam_nl_own_node,
	}, {
		.cmd = OCKAM_CMD_NODE_DEL,
		OCKAM_NL_POLICY(none),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_del_node,
	}, {
		/* Version and counters are for everybody. */
		.cmd = OCKAM_CMD_NODE_GET,
		OCKAM_NL_POLICY(none),
		.doit = ockam_nl_get_node,
	}, {
		.cmd = OCKAM_CMD_NODE_SET,
		OCKAM_NL_POLICY(node_set),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_set_node,
	}, {
		.cmd = OCKAM_CMD_ADDRESS_GET,
		OCKAM_NL_POLICY(address_get),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_get_address,
		.start = ockam_nl_start_addresses,
		.dumpit = ockam_nl_dump_addresses,
		.done = ockam_nl_done_addresses,
	}, {
		.cmd = OCKAM_CMD_WORKER_BIND,
		OCKAM_NL_POLICY(none),
		.internal_flags = OCKAM_NL_ADMIN,
		.doit = ockam_nl_bind_worker,
	}, {
		.cmd = OCKAM_CMD_HANDSHAKE_FETCH,
		OCKAM_NL_POLICY(handshake_fetch),
		.internal_flags = OCKAM_NL_WORKER,
		.doit = ockam_nl_fetch_handshake,
	}, {
		.cmd = OCKAM_CMD_HANDSHAKE_SEND,
		OCKAM_NL_POLICY(handshake_send),
		.internal_flags = OCKAM_NL_WORKER,
		.doit = ockam_nl_send_handshake,
	}, {
		.cmd = OCKAM_CMD_HANDSHAKE_SKIP,
		OCKAM_NL_POLICY(handshake_skip),
		.internal_flags = OCKAM_NL_WORKER,
		.doit = ockam_nl_skip_handshake,
	}, {
		.cmd = OCKAM_CMD_HANDSHAKE_DONE,
		OCKAM_NL_POLICY(handshake_done),
		.internal_flags = OCKAM_NL_WORKER | OCKAM_NL_SECRET,
		.doit = ockam_nl_done_handshake,
	}, {
		.cmd = OCKAM_CMD_CHANNEL_CONTROL,
		OCKAM_NL_POLICY(channel_control),
		.internal_flags = OCKAM_NL_WORKER,
		.doit = ockam_nl_control_channel,
	}, {
		.cmd = OCKAM_CMD_LINK_NEW,
		OCKAM_NL_POLICY(link_new),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_new_link,
	}, {
		.cmd = OCKAM_CMD_LINK_SET,
		OCKAM_NL_POLICY(link_set),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_set_link,
	}, {
		.cmd = OCKAM_CMD_LINK_DEL,
		OCKAM_NL_POLICY(link_del),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_del_link,
	}, {
		.cmd = OCKAM_CMD_LINK_GET,
		OCKAM_NL_POLICY(link_get),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_get_link,
		.dumpit = ockam_nl_dump_links,
	}, {
		.cmd = OCKAM_CMD_LISTENER_NEW,
		OCKAM_NL_POLICY(listener_new),
		.internal_flags = OCKAM_NL_OWNER | OCKAM_NL_SECRET,
		.doit = ockam_nl_new_listener,
	}, {
		.cmd = OCKAM_CMD_LISTENER_SET,
		OCKAM_NL_POLICY(listener_set),
		.internal_flags = OCKAM_NL_OWNER | OCKAM_NL_SECRET,
		.doit = ockam_nl_set_listener,
	}, {
		.cmd = OCKAM_CMD_LISTENER_DEL,
		OCKAM_NL_POLICY(listener_del),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_del_listener,
	}, {
		.cmd = OCKAM_CMD_LISTENER_GET,
		OCKAM_NL_POLICY(listener_get),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_get_listener,
		.dumpit = ockam_nl_dump_listeners,
	}, {
		.cmd = OCKAM_CMD_CHANNEL_NEW,
		OCKAM_NL_POLICY(channel_new),
		.internal_flags = OCKAM_NL_OWNER | OCKAM_NL_SECRET,
		.doit = ockam_nl_new_channel,
	}, {
		.cmd = OCKAM_CMD_CHANNEL_SET,
		OCKAM_NL_POLICY(channel_set),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_set_channel,
	}, {
		.cmd = OCKAM_CMD_CHANNEL_DEL,
		OCKAM_NL_POLICY(channel_del),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_del_channel,
	}, {
		.cmd = OCKAM_CMD_CHANNEL_GET,
		OCKAM_NL_POLICY(channel_get),
		.internal_flags = OCKAM_NL_OWNER,
		.doit = ockam_nl_get_channel,
		.start = ockam_nl_start_channels,
		.dumpit = ockam_nl_dump_channels,
	},
};

/* Addresses are capabilities: who hears of them could use them. */
static const struct genl_multicast_group ockam_netlink_groups[] = {
	{
		.name = OCKAM_GENL_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family ockam_netlink_family __ro_after_init = {
	.name = OCKAM_GENL_NAME,
	.version = OCKAM_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.ops = ockam_netlink_ops,
	.n_ops = ARRAY_SIZE(ockam_netlink_ops),
	.mcgrps = ockam_netlink_groups,
	.n_mcgrps = ARRAY_SIZE(ockam_netlink_groups),
	.pre_doit = ockam_netlink_pre_doit,
	.post_doit = ockam_netlink_post_doit,
	.module = THIS_MODULE,
};

static int ockam_netlink_notify_release(struct notifier_block *nb,
					unsigned long action, void *data)
{
	struct netlink_notify *gone = data;
	struct ockam_net *on;

	if (action != NETLINK_URELEASE || gone->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	on = ockam_netns_from(gone->net);
	ockam_netns_port_gone(on, gone->portid);
	ockam_handshake_cancel_port(on, gone->portid);
	return NOTIFY_DONE;
}

static struct notifier_block ockam_netlink_notifier = {
	.notifier_call = ockam_netlink_notify_release,
};

int ockam_netlink_init(void)
{
	int err;

	err = netlink_register_notifier(&ockam_netlink_notifier);
	if (err)
		return err;
	err = genl_register_family(&ockam_netlink_family);
	if (err)
		netlink_unregister_notifier(&ockam_netlink_notifier);
	return err;
}

void ockam_netlink_exit(void)
{
	/* After this no command is running and none can come. */
	genl_unregister_family(&ockam_netlink_family);
	netlink_unregister_notifier(&ockam_netlink_notifier);
}

MODULE_ALIAS_GENL_FAMILY(OCKAM_GENL_NAME);
