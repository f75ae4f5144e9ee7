// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about secure-channel listeners.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "handshake.h"
#include "netlink.h"

static int ockam_nl_put_listener_made(struct sk_buff *skb,
				      const struct ockam_listener_info *i)
{
	if (ockam_nl_put_name(skb, OCKAM_A_ADDRESS, i->ep) ||
	    nla_put(skb, OCKAM_A_FLOW_ID, OCKAM_FLOW_ID_LEN, i->flow_id))
		return -EMSGSIZE;
	return 0;
}

/* The opaque data stays between the node process and the worker. */
static int ockam_nl_fill_listener(struct sk_buff *skb, struct ockam_listener *l)
{
	struct ockam_listener_info i;

	ockam_handshake_listener_info(l, &i);
	if (ockam_nl_put_listener_made(skb, &i) ||
	    ockam_nl_put_reach(skb, i.ep) ||
	    ockam_nl_put_reach_ids(skb, i.ep) ||
	    nla_put_u32(skb, OCKAM_A_TIMEOUT_MS, i.timeout_ms) ||
	    ockam_nl_put_liveness(skb, &i.liveness))
		return -EMSGSIZE;
	return 0;
}

/* Caller has locked the owned node. */
static int __ockam_nl_new_listener(struct genl_info *info,
				   const struct ockam_listener_params *p)
{
	struct ockam_net *on = ockam_nl_node(info);
	struct ockam_listener_info i;
	struct ockam_listener *l;
	struct sk_buff *reply;
	void *hdr;
	int err;

	err = ockam_handshake_add_listener(on, p, &l, info->extack);
	if (err)
		return err;
	ockam_handshake_listener_info(l, &i);
	err = -ENOMEM;
	reply = ockam_nl_new_reply(info, 512, &hdr);
	if (reply) {
		err = ockam_nl_put_listener_made(reply, &i);
		err = ockam_nl_send_reply(info, reply, hdr, err);
	}
	if (err)
		ockam_handshake_del_listener(on, i.ep->name, i.ep->name_len);
	ockam_handshake_put_listener(l);
	return err;
}

int ockam_nl_new_listener(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct ockam_listener_params p = {};
	struct ockam_nl_reach reach;
	int err;

	err = ockam_nl_get_reach(attrs, &reach, info->extack);
	if (!err)
		err = ockam_nl_get_liveness(attrs, &p.liveness, info->extack);
	if (err)
		return err;
	p.reach = reach.mask;
	p.reach_ids = reach.ids;
	p.n_reach_ids = reach.n_ids;
	if (attrs[OCKAM_A_ADDRESS])
		p.name = ockam_nl_name(attrs[OCKAM_A_ADDRESS], &p.name_len);
	if (attrs[OCKAM_A_OPAQUE]) {
		p.opaque = nla_data(attrs[OCKAM_A_OPAQUE]);
		p.opaque_len = nla_len(attrs[OCKAM_A_OPAQUE]);
	}
	if (attrs[OCKAM_A_FLOW_ID])
		p.flow_id = nla_data(attrs[OCKAM_A_FLOW_ID]);
	p.timeout_ms = ockam_nl_get_u32(attrs, OCKAM_A_TIMEOUT_MS);

	err = ockam_nl_lock_owned(info);
	if (err)
		return err;
	err = __ockam_nl_new_listener(info, &p);
	ockam_nl_unlock(info);
	return err;
}

/* ADDRESS of the request. 0, or -EINVAL: it is missing. */
static int ockam_nl_get_listener_name(struct genl_info *info, const u8 **name,
				      u8 *len)
{
	const struct nlattr *nla = info->attrs[OCKAM_A_ADDRESS];

	if (!nla)
		return ockam_refuse(info->extack, -EINVAL,
				    "the listener's address is missing");
	*name = ockam_nl_name(nla, len);
	return 0;
}

static int ockam_nl_no_listener(struct genl_info *info)
{
	return ockam_refuse(info->extack, -ENOENT,
			    "the node has no secure-channel listener with this address");
}

/* The listener named by ADDRESS with a reference; NULL and *@err without. */
static struct ockam_listener *ockam_nl_lookup_listener(struct genl_info *info,
						       int *err)
{
	struct ockam_listener *l;
	const u8 *name;
	u8 len;

	*err = ockam_nl_get_listener_name(info, &name, &len);
	if (*err)
		return NULL;
	l = ockam_handshake_lookup_listener(ockam_nl_node(info), name, len);
	if (!l)
		*err = ockam_nl_no_listener(info);
	return l;
}

int ockam_nl_set_listener(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct ockam_listener_change c = {};
	struct ockam_listener *l;
	int err;

	c.abort = attrs[OCKAM_A_ABORT];
	if (attrs[OCKAM_A_OPAQUE]) {
		c.has_opaque = true;
		c.opaque = nla_data(attrs[OCKAM_A_OPAQUE]);
		c.opaque_len = nla_len(attrs[OCKAM_A_OPAQUE]);
	}
	c.has_liveness = attrs[OCKAM_A_LIVENESS_MS];
	err = ockam_nl_get_liveness(attrs, &c.liveness, info->extack);
	if (err)
		return err;
	if (!c.has_opaque && !c.abort && !c.has_liveness)
		return ockam_refuse(info->extack, -EINVAL,
				    "nothing is given that would change");
	l = ockam_nl_lookup_listener(info, &err);
	if (!l)
		return err;
	err = ockam_handshake_set_listener(l, &c, info->extack);
	ockam_handshake_put_listener(l);
	return err;
}

int ockam_nl_del_listener(struct sk_buff *skb, struct genl_info *info)
{
	const u8 *name;
	u8 len;
	int err;

	err = ockam_nl_get_listener_name(info, &name, &len);
	if (err)
		return err;
	if (ockam_handshake_del_listener(ockam_nl_node(info), name, len))
		return ockam_nl_no_listener(info);
	return 0;
}

int ockam_nl_get_listener(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_listener *l;
	struct sk_buff *reply;
	void *hdr;
	int err;

	l = ockam_nl_lookup_listener(info, &err);
	if (!l)
		return err;
	err = -ENOMEM;
	reply = ockam_nl_new_reply(info, OCKAM_NL_OBJECT_SIZE, &hdr);
	if (reply)
		err = ockam_nl_send_reply(info, reply, hdr,
					  ockam_nl_fill_listener(reply, l));
	ockam_handshake_put_listener(l);
	return err;
}

int ockam_nl_dump_listeners(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ockam_net *on = ockam_nl_dump_node(cb);
	struct ockam_listener *l;
	u32 number = cb->args[OCKAM_NL_DUMP_PLACE];
	void *hdr;
	int err;

	err = ockam_nl_check_dump(cb);
	if (err)
		return err;
	while ((l = ockam_handshake_next_listener(on, &number))) {
		err = -EMSGSIZE;
		hdr = ockam_nl_new_part(skb, cb, OCKAM_CMD_LISTENER_GET);
		if (hdr)
			err = ockam_nl_fill_listener(skb, l);
		ockam_handshake_put_listener(l);
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
