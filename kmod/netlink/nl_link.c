// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about links.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "link.h"
#include "netlink.h"

/* The link named by @attr with a reference; NULL and *@err when there is none. */
static struct ockam_link *ockam_nl_lookup_link(struct genl_info *info, int attr,
					       int *err)
{
	const struct nlattr *nla = info->attrs[attr];
	struct ockam_link *link;
	const u8 *name;
	u8 len;

	if (!nla) {
		*err = ockam_refuse(info->extack, -EINVAL,
				    "the link's address is missing");
		return NULL;
	}
	name = ockam_nl_name(nla, &len);
	link = ockam_link_lookup(ockam_nl_node(info), name, len);
	if (!link) {
		NL_SET_BAD_ATTR(info->extack, nla);
		*err = ockam_refuse(info->extack, -ENOENT,
				    "the node has no link with this address");
	}
	return link;
}

/* What LINK_NEW and LINK_SET have in common; borrows from the request. */
static int ockam_nl_get_link_options(struct genl_info *info,
				     struct ockam_link_options *o)
{
	struct nlattr **attrs = info->attrs;
	struct ockam_nl_reach reach;
	int err;

	err = ockam_nl_get_reach(attrs, &reach, info->extack);
	if (err)
		return err;
	memset(o, 0, sizeof(*o));
	o->has_reach = reach.has_mask;
	o->reach = reach.mask;
	o->has_reach_ids = reach.has_ids;
	o->reach_ids = reach.ids;
	o->n_reach_ids = reach.n_ids;
	if (attrs[OCKAM_A_LABEL])
		o->label = nla_data(attrs[OCKAM_A_LABEL]);
	o->stall_ms = ockam_nl_get_u32(attrs, OCKAM_A_STALL_MS);
	o->half_frame_ms = ockam_nl_get_u32(attrs, OCKAM_A_HALF_FRAME_MS);
	return 0;
}

/* Takes @reply. */
static int ockam_nl_reply_new_link(struct genl_info *info,
				   struct ockam_link *link,
				   struct sk_buff *reply, void *hdr)
{
	int err;

	err = ockam_nl_put_name(reply, OCKAM_A_ADDRESS, &link->ep) ?:
	      ockam_nl_put_origin(reply, &link->origin);
	return ockam_nl_send_reply(info, reply, hdr, err);
}

/* Caller has locked the owned node. */
static int __ockam_nl_new_link(struct genl_info *info,
			       const struct ockam_link_params *p)
{
	struct ockam_link *link, *other = NULL;
	struct sk_buff *reply;
	void *hdr;
	int err;

	if (info->attrs[OCKAM_A_PAIR]) {
		other = ockam_nl_lookup_link(info, OCKAM_A_PAIR, &err);
		if (!other)
			return err;
	}
	/* First: a link that ends again takes its socket with it. */
	err = -ENOMEM;
	reply = ockam_nl_new_reply(info, 512, &hdr);
	if (!reply)
		goto out;
	err = ockam_link_create(ockam_nl_node(info), p, &link, info->extack);
	if (err) {
		nlmsg_free(reply);
		goto out;
	}
	if (other)
		err = ockam_link_pair(link, other, info->extack);
	if (err)
		nlmsg_free(reply);
	else
		err = ockam_nl_reply_new_link(info, link, reply, hdr);
	/* Whoever does not learn its address could not use or end it. */
	if (err)
		ockam_link_kill(link, err, "the request that made it failed");
	ockam_link_put(link);
out:
	if (other)
		ockam_link_put(other);
	return err;
}

int ockam_nl_new_link(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct ockam_link_params p = {};
	int err;

	if (!attrs[OCKAM_A_FD])
		return ockam_refuse(info->extack, -EINVAL,
				    "the descriptor of a connected socket is missing");
	if (!attrs[OCKAM_A_FRAMING])
		return ockam_refuse(info->extack, -EINVAL,
				    "the framing is missing");
	err = ockam_nl_get_link_options(info, &p.options);
	if (err)
		return err;
	p.fd = nla_get_s32(attrs[OCKAM_A_FD]);
	p.framing = nla_get_u8(attrs[OCKAM_A_FRAMING]);
	p.accepted = nla_get_flag(attrs[OCKAM_A_ACCEPTED]);
	if (attrs[OCKAM_A_SPAWNER_ID])
		p.spawner_id = nla_data(attrs[OCKAM_A_SPAWNER_ID]);
	if (attrs[OCKAM_A_ADDRESS])
		p.name = ockam_nl_name(attrs[OCKAM_A_ADDRESS], &p.name_len);

	err = ockam_nl_lock_owned(info);
	if (err)
		return err;
	err = __ockam_nl_new_link(info, &p);
	ockam_nl_unlock(info);
	return err;
}

/* Pair or unpair @link, as the request says. */
static int ockam_nl_pair_link(struct genl_info *info, struct ockam_link *link)
{
	struct ockam_link *other;
	int err;

	other = ockam_nl_lookup_link(info, OCKAM_A_PAIR, &err);
	if (!other)
		return err;
	if (nla_get_flag(info->attrs[OCKAM_A_UNPAIR]))
		err = ockam_link_unpair(link, other, info->extack);
	else
		err = ockam_link_pair(link, other, info->extack);
	ockam_link_put(other);
	return err;
}

int ockam_nl_set_link(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct ockam_link_options o;
	struct ockam_link *link;
	bool pair, options;
	int err;

	err = ockam_nl_get_link_options(info, &o);
	if (err)
		return err;
	pair = attrs[OCKAM_A_PAIR];
	options = o.has_reach || o.has_reach_ids || o.label || o.stall_ms ||
		  o.half_frame_ms;
	/* Two changes could end half done. */
	if (pair && options)
		return ockam_refuse(info->extack, -EINVAL,
				    "change pairs and options in two requests");
	if (!pair && attrs[OCKAM_A_UNPAIR])
		return ockam_refuse(info->extack, -EINVAL,
				    "the other link of the pair is missing");
	if (!pair && !options)
		return ockam_refuse(info->extack, -EINVAL,
				    "the request changes nothing");
	link = ockam_nl_lookup_link(info, OCKAM_A_ADDRESS, &err);
	if (!link)
		return err;
	if (pair)
		err = ockam_nl_pair_link(info, link);
	else
		err = ockam_link_set(link, &o, info->extack);
	ockam_link_put(link);
	return err;
}

int ockam_nl_del_link(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_link *link;
	int err;

	link = ockam_nl_lookup_link(info, OCKAM_A_ADDRESS, &err);
	if (!link)
		return err;
	ockam_link_kill(link, 0, "deleted on request");
	ockam_link_put(link);
	return 0;
}

static int ockam_nl_put_pair(struct sk_buff *skb, const struct ockam_link *link)
{
	const struct ockam_link *pair;
	int err = 0;

	mutex_lock(&ockam_link_pair_lock);
	pair = link->pair;
	if (pair && !ockam_link_dead(pair))
		err = ockam_nl_put_name(skb, OCKAM_A_PAIR, &pair->ep);
	if (!err)
		err = nla_put_string(skb, OCKAM_A_LABEL, link->label ?: "");
	mutex_unlock(&ockam_link_pair_lock);
	return err;
}

static int ockam_nl_fill_link(struct sk_buff *skb, struct ockam_link *link)
{
	u32 flags = (link->accepted ? OCKAM_FLAG_ACCEPTED : 0) |
		    (test_bit(OCKAM_LINK_PAUSED, &link->bits) ?
		     OCKAM_FLAG_PAUSED : 0);

	if (ockam_nl_put_name(skb, OCKAM_A_ADDRESS, &link->ep) ||
	    ockam_nl_put_origin(skb, &link->origin) ||
	    ockam_nl_put_reach(skb, &link->ep) ||
	    ockam_nl_put_reach_ids(skb, &link->ep) ||
	    nla_put_u8(skb, OCKAM_A_FRAMING, link->ops->framing) ||
	    nla_put_u32(skb, OCKAM_A_FLAGS, flags) ||
	    ockam_nl_put_pair(skb, link) ||
	    nla_put_u32(skb, OCKAM_A_STALL_MS,
			jiffies_to_msecs(ockam_link_stall(link))) ||
	    nla_put_u32(skb, OCKAM_A_HALF_FRAME_MS,
			jiffies_to_msecs(ockam_link_half_frame(link))))
		return -EMSGSIZE;
	return ockam_nl_put_traffic(skb, atomic64_read(&link->rx_bytes),
				    atomic64_read(&link->tx_bytes),
				    atomic64_read(&link->rx_messages),
				    atomic64_read(&link->tx_messages),
				    link->ops->queued(link));
}

int ockam_nl_get_link(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_link *link;
	struct sk_buff *reply;
	void *hdr;
	int err;

	link = ockam_nl_lookup_link(info, OCKAM_A_ADDRESS, &err);
	if (!link)
		return err;
	err = -ENOMEM;
	reply = ockam_nl_new_reply(info, OCKAM_NL_OBJECT_SIZE, &hdr);
	if (reply)
		err = ockam_nl_send_reply(info, reply, hdr,
					  ockam_nl_fill_link(reply, link));
	ockam_link_put(link);
	return err;
}

int ockam_nl_dump_links(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ockam_net *on = ockam_nl_dump_node(cb);
	struct ockam_link *link;
	u32 number = cb->args[OCKAM_NL_DUMP_PLACE];
	void *hdr;
	int err;

	err = ockam_nl_check_dump(cb);
	if (err)
		return err;
	while ((link = ockam_link_next(on, &number))) {
		err = -EMSGSIZE;
		hdr = ockam_nl_new_part(skb, cb, OCKAM_CMD_LINK_GET);
		if (hdr)
			err = ockam_nl_fill_link(skb, link);
		ockam_link_put(link);
		if (err) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		number++;
	}
	cb->args[OCKAM_NL_DUMP_PLACE] = number;
	return ockam_nl_end_part(skb, err);
}
