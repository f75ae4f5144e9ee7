// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about secure channels. Keys are never shown.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "channel.h"
#include "handshake.h"
#include "netlink.h"

/* ROUTE of the request, to be reset by the caller on success. */
static int ockam_nl_get_route(struct genl_info *info, struct ockam_route *route)
{
	const struct nlattr *nla = info->attrs[OCKAM_A_ROUTE];
	int err;

	ockam_route_init(route);
	err = ockam_route_set(route, nla_data(nla), nla_len(nla));
	if (err == -EINVAL)
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "the route is malformed: type, length and name of each hop");
	else if (err == -E2BIG)
		NL_SET_ERR_MSG_ATTR(info->extack, nla,
				    "a route has at most 32 hops and 2048 bytes");
	else if (err)
		NL_SET_ERR_MSG(info->extack, "out of memory");
	return err;
}

/* The channel named by ENCRYPTOR with a reference; NULL and *@err without. */
static struct ockam_channel *ockam_nl_lookup_channel(struct genl_info *info,
						     int *err)
{
	const struct nlattr *nla = info->attrs[OCKAM_A_ENCRYPTOR];
	struct ockam_channel *ch;
	const u8 *name;
	u8 len;

	if (!nla) {
		*err = ockam_refuse(info->extack, -EINVAL,
				    "the channel's encryptor is missing");
		return NULL;
	}
	name = ockam_nl_name(nla, &len);
	ch = ockam_channel_lookup(ockam_nl_node(info), name, len);
	if (!ch) {
		NL_SET_BAD_ATTR(info->extack, nla);
		*err = ockam_refuse(info->extack, -ENOENT,
				    "the node has no channel with this address");
	}
	return ch;
}

/* Acknowledged when it has begun; how it ends comes by ockam_event_result(). */
int ockam_nl_new_channel(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_handshake_params p = {};
	struct nlattr **attrs = info->attrs;
	struct ockam_nl_reach reach;
	struct ockam_route route;
	int err;

	if (!attrs[OCKAM_A_ROUTE])
		return ockam_refuse(info->extack, -EINVAL,
				    "the route to the peer's listener is missing");
	err = ockam_nl_get_reach(attrs, &reach, info->extack);
	if (err)
		return err;
	err = ockam_nl_get_liveness(attrs, &p.liveness, info->extack);
	if (err)
		return err;
	err = ockam_nl_get_route(info, &route);
	if (err)
		return err;
	p.route = &route;
	if (attrs[OCKAM_A_OPAQUE]) {
		p.opaque = nla_data(attrs[OCKAM_A_OPAQUE]);
		p.opaque_len = nla_len(attrs[OCKAM_A_OPAQUE]);
	}
	p.timeout_ms = ockam_nl_get_u32(attrs, OCKAM_A_TIMEOUT_MS);
	p.confirm_ms = ockam_nl_get_u32(attrs, OCKAM_A_CONFIRM_MS);
	p.portid = info->snd_portid;
	p.seq = info->snd_seq;
	p.encryptor_reach = reach.has_mask ? reach.mask : OCKAM_REACH_LOCAL;
	p.encryptor_ids = reach.ids;
	p.n_encryptor_ids = reach.n_ids;

	err = ockam_nl_lock_owned(info);
	if (err)
		goto out;
	err = ockam_handshake_start(ockam_nl_node(info), &p, NULL,
				    info->extack);
	ockam_nl_unlock(info);
out:
	ockam_route_reset(&route);
	return err;
}

static int ockam_nl_set_channel_route(struct genl_info *info,
				      struct ockam_channel *ch)
{
	struct ockam_route route;
	int err;

	err = ockam_nl_get_route(info, &route);
	if (err)
		return err;
	err = ockam_channel_set_route(ch, &route, info->extack);
	ockam_route_reset(&route);
	return err;
}

static int ockam_nl_set_channel_credentials(struct genl_info *info,
					    struct ockam_channel *ch)
{
	const struct nlattr *attributes = info->attrs[OCKAM_A_ATTRIBUTES];
	const struct nlattr *expiry = info->attrs[OCKAM_A_EXPIRY];
	struct ockam_channel_credentials c = {};

	if (attributes) {
		c.has_attributes = true;
		c.attributes = nla_data(attributes);
		c.attributes_len = nla_len(attributes);
	}
	if (expiry) {
		c.has_expiry = true;
		c.expiry = nla_get_u64(expiry);
	}
	return ockam_channel_set_credentials(ch, &c, info->extack);
}

int ockam_nl_set_channel(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct ockam_nl_reach reach;
	struct ockam_liveness liveness;
	struct ockam_channel *ch;
	bool credentials;
	int err;

	err = ockam_nl_get_reach(attrs, &reach, info->extack);
	if (!err)
		err = ockam_nl_get_liveness(attrs, &liveness, info->extack);
	if (err)
		return err;
	if (reach.has_ids && !reach.has_mask)
		return ockam_refuse(info->extack, -EINVAL,
				    "flow ids are replaced together with the mask: give both");
	credentials = attrs[OCKAM_A_ATTRIBUTES] || attrs[OCKAM_A_EXPIRY];
	/* Several changes could end half done. */
	if (!!attrs[OCKAM_A_ROUTE] + credentials + reach.has_mask +
	    !!attrs[OCKAM_A_LIVENESS_MS] != 1)
		return ockam_refuse(info->extack, -EINVAL,
				    "a request changes one thing: route, attributes and expiry, reachability, or liveness");
	ch = ockam_nl_lookup_channel(info, &err);
	if (!ch)
		return err;
	if (attrs[OCKAM_A_ROUTE])
		err = ockam_nl_set_channel_route(info, ch);
	else if (credentials)
		err = ockam_nl_set_channel_credentials(info, ch);
	else if (attrs[OCKAM_A_LIVENESS_MS])
		err = ockam_channel_set_liveness(ch, &liveness, info->extack);
	else
		err = ockam_channel_set_reach(ch, reach.mask, reach.ids,
					      reach.n_ids, info->extack);
	ockam_channel_put(ch);
	return err;
}

int ockam_nl_del_channel(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_channel *ch;
	int err;

	ch = ockam_nl_lookup_channel(info, &err);
	if (!ch)
		return err;
	ockam_channel_close(ch, 0, "deleted on request");
	ockam_channel_put(ch);
	return 0;
}

static int ockam_nl_put_channel(struct sk_buff *skb,
				const struct ockam_channel_info *i)
{
	if (ockam_nl_put_name(skb, OCKAM_A_ENCRYPTOR, i->encryptor) ||
	    ockam_nl_put_name(skb, OCKAM_A_DECRYPTOR, i->decryptor) ||
	    nla_put(skb, OCKAM_A_PEER, OCKAM_IDENTIFIER_LEN, i->peer) ||
	    (i->local_id && nla_put(skb, OCKAM_A_LOCAL_ID,
				    OCKAM_IDENTIFIER_LEN, i->local_id)) ||
	    (i->origin && ockam_nl_put_origin(skb, i->origin)) ||
	    (i->listener && nla_put(skb, OCKAM_A_LISTENER, i->listener_len,
				    i->listener)) ||
	    ockam_nl_put_route(skb, &i->route) ||
	    ockam_nl_put_reach(skb, i->encryptor) ||
	    ockam_nl_put_u64(skb, OCKAM_A_EXPIRY, i->expiry) ||
	    nla_put_u32(skb, OCKAM_A_FLAGS, i->flags) ||
	    nla_put_u8(skb, OCKAM_A_ROLE, i->role) ||
	    ockam_nl_put_liveness(skb, &i->liveness) ||
	    ockam_nl_put_reach_ids(skb, i->encryptor) ||
	    (i->attributes && nla_put(skb, OCKAM_A_ATTRIBUTES,
				      i->attributes->len,
				      i->attributes->data)))
		return -EMSGSIZE;
	return ockam_nl_put_traffic(skb, i->rx_bytes, i->tx_bytes,
				    i->rx_messages, i->tx_messages,
				    i->queued_bytes);
}

int ockam_nl_get_channel(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_channel_info i;
	struct ockam_channel *ch;
	struct sk_buff *reply;
	void *hdr;
	int err;

	ch = ockam_nl_lookup_channel(info, &err);
	if (!ch)
		return err;
	err = ockam_channel_get_info(ch, &i);
	if (err) {
		ockam_channel_put(ch);
		return ockam_refuse(info->extack, err, "no memory for the route");
	}
	err = -ENOMEM;
	reply = ockam_nl_new_reply(info, OCKAM_NL_OBJECT_SIZE, &hdr);
	if (!reply)
		goto out;
	err = ockam_nl_send_reply(info, reply, hdr,
				  ockam_nl_put_channel(reply, &i));
out:
	ockam_channel_reset_info(&i);
	ockam_channel_put(ch);
	return err;
}

int ockam_nl_start_channels(struct netlink_callback *cb)
{
	cb->min_dump_alloc = OCKAM_NL_DUMP_SIZE;
	return 0;
}

static int ockam_nl_dump_channel(struct sk_buff *skb,
				 struct netlink_callback *cb,
				 struct ockam_channel *ch)
{
	struct ockam_channel_info i;
	void *hdr;
	int err;

	err = ockam_channel_get_info(ch, &i);
	if (err)
		return err;
	err = -EMSGSIZE;
	hdr = ockam_nl_new_part(skb, cb, OCKAM_CMD_CHANNEL_GET);
	if (hdr)
		err = ockam_nl_put_channel(skb, &i);
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	ockam_channel_reset_info(&i);
	return err;
}

int ockam_nl_dump_channels(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct ockam_net *on = ockam_nl_dump_node(cb);
	struct ockam_channel *ch;
	u32 number = cb->args[OCKAM_NL_DUMP_PLACE];
	int err;

	err = ockam_nl_check_dump(cb);
	if (err)
		return err;
	while ((ch = ockam_channel_get_next(on, &number))) {
		err = ockam_nl_dump_channel(skb, cb, ch);
		ockam_channel_put(ch);
		if (err)
			break;
		number++;
	}
	cb->args[OCKAM_NL_DUMP_PLACE] = number;
	return ockam_nl_end_part(skb, err);
}
