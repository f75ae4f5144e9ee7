// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that show the address table.
 *
 * The table is a hash table without numbers, so a dump walks it: an address
 * that is there from the beginning to the end of the dump is shown. When the
 * table is rebuilt meanwhile the walk begins again, so some are shown twice;
 * then, and when the place of a pause was lost, the dump is marked as
 * interrupted.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/rhashtable.h>

#include "endpoint.h"
#include "netlink.h"

static int ockam_nl_fill_address(struct sk_buff *skb,
				 const struct ockam_endpoint *ep)
{
	if (ockam_nl_put_name(skb, OCKAM_A_ADDRESS, ep) ||
	    nla_put_u8(skb, OCKAM_A_KIND, ep->ops->kind) ||
	    ockam_nl_put_reach(skb, ep) ||
	    ockam_nl_put_reach_ids(skb, ep) ||
	    (ep->origin && ockam_nl_put_origin(skb, ep->origin)))
		return -EMSGSIZE;
	return 0;
}

int ockam_nl_get_address(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *nla = info->attrs[OCKAM_A_ADDRESS];
	struct ockam_endpoint *ep;
	struct sk_buff *reply;
	const u8 *name;
	void *hdr;
	u8 len;
	int err;

	if (!nla)
		return ockam_refuse(info->extack, -EINVAL,
				    "the address is missing");
	name = ockam_nl_name(nla, &len);
	ep = ockam_endpoint_lookup(ockam_nl_node(info), name, len);
	if (!ep)
		return ockam_refuse(info->extack, -ENOENT,
				    "the node has no such address");
	reply = ockam_nl_new_reply(info, OCKAM_NL_OBJECT_SIZE, &hdr);
	if (reply)
		err = ockam_nl_send_reply(info, reply, hdr,
					  ockam_nl_fill_address(reply, ep));
	else
		err = -ENOMEM;
	ockam_endpoint_put(ep);
	return err;
}

int ockam_nl_start_addresses(struct netlink_callback *cb)
{
	struct rhashtable_iter *iter;

	iter = kmalloc(sizeof(*iter), GFP_KERNEL_ACCOUNT);
	if (!iter)
		return -ENOMEM;
	rhashtable_walk_enter(&ockam_nl_dump_node(cb)->addresses, iter);
	cb->args[OCKAM_NL_DUMP_PLACE] = (long)iter;
	return 0;
}

int ockam_nl_done_addresses(struct netlink_callback *cb)
{
	struct rhashtable_iter *iter = (void *)cb->args[OCKAM_NL_DUMP_PLACE];

	rhashtable_walk_exit(iter);
	kfree(iter);
	return 0;
}

int ockam_nl_dump_addresses(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rhashtable_iter *iter = (void *)cb->args[OCKAM_NL_DUMP_PLACE];
	const struct rhash_head *paused_at = iter->p;
	struct ockam_endpoint *ep;
	void *hdr;
	int err;

	err = ockam_nl_check_dump(cb);
	if (err)
		return err;
	/* Rebuilt, or the place of the pause is gone: some may be missed. */
	err = rhashtable_walk_start_check(iter);
	if (err == -EAGAIN || (paused_at && !iter->p))
		cb->seq++;
	err = 0;
	/* The one that did not fit into the last part comes first again. */
	for (ep = rhashtable_walk_peek(iter); ep;
	     ep = rhashtable_walk_next(iter)) {
		if (IS_ERR(ep)) {
			/* -EAGAIN: rebuilt, the walk is at its beginning. */
			cb->seq++;
			continue;
		}
		err = -EMSGSIZE;
		hdr = ockam_nl_new_part(skb, cb, OCKAM_CMD_ADDRESS_GET);
		if (!hdr)
			break;
		genl_dump_check_consistent(cb, hdr);
		err = ockam_nl_fill_address(skb, ep);
		if (err) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	rhashtable_walk_stop(iter);
	return ockam_nl_end_part(skb, err);
}
