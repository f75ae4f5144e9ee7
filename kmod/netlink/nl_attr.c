// SPDX-License-Identifier: GPL-2.0
/*
 * Pieces of netlink messages that several commands share.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "addr.h"
#include "channel.h"
#include "netlink.h"

int ockam_nl_get_reach(struct nlattr **attrs, struct ockam_nl_reach *reach,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *mask = attrs[OCKAM_A_REACH];
	const struct nlattr *ids = attrs[OCKAM_A_REACH_IDS];

	memset(reach, 0, sizeof(*reach));
	if (mask) {
		reach->has_mask = true;
		reach->mask = nla_get_u32(mask);
	}
	if (ids) {
		if (nla_len(ids) % OCKAM_FLOW_ID_LEN) {
			NL_SET_ERR_MSG_ATTR(extack, ids,
					    "the list of flow ids is not a multiple of 16 bytes");
			return -EINVAL;
		}
		reach->has_ids = true;
		reach->ids = nla_data(ids);
		reach->n_ids = nla_len(ids) / OCKAM_FLOW_ID_LEN;
	}
	return 0;
}

int ockam_nl_get_liveness(struct nlattr **attrs, struct ockam_liveness *l,
			  struct netlink_ext_ack *extack)
{
	const struct nlattr *ms = attrs[OCKAM_A_LIVENESS_MS];

	l->ms = ms ? nla_get_u32(ms) : 0;
	l->strict = attrs[OCKAM_A_LIVENESS_STRICT];
	if (l->strict && !l->ms) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[OCKAM_A_LIVENESS_STRICT],
				    "strict liveness needs a time");
		return -EINVAL;
	}
	if (l->ms && l->ms < OCKAM_LIVENESS_MIN_MS) {
		NL_SET_ERR_MSG_ATTR(extack, ms,
				    "the time of liveness is 0 (off) or at least 100 ms");
		return -EINVAL;
	}
	return 0;
}

int ockam_nl_put_liveness(struct sk_buff *skb, const struct ockam_liveness *l)
{
	if (nla_put_u32(skb, OCKAM_A_LIVENESS_MS, l->ms) ||
	    (l->strict && nla_put_flag(skb, OCKAM_A_LIVENESS_STRICT)))
		return -EMSGSIZE;
	return 0;
}

int ockam_nl_put_name(struct sk_buff *skb, int attr,
		      const struct ockam_endpoint *ep)
{
	return nla_put(skb, attr, ep->name_len, ep->name);
}

int ockam_nl_put_reach_ids(struct sk_buff *skb, const struct ockam_endpoint *ep)
{
	const struct ockam_reach_ids *list;
	int err = 0;

	rcu_read_lock();
	list = rcu_dereference(ep->reach_ids);
	if (list && list->n)
		err = nla_put(skb, OCKAM_A_REACH_IDS,
			      list->n * OCKAM_FLOW_ID_LEN, list->ids);
	rcu_read_unlock();
	return err;
}

int ockam_nl_put_reach(struct sk_buff *skb, const struct ockam_endpoint *ep)
{
	return nla_put_u32(skb, OCKAM_A_REACH, READ_ONCE(ep->reach));
}

int ockam_nl_put_origin(struct sk_buff *skb, const struct ockam_origin *origin)
{
	if (nla_put(skb, OCKAM_A_FLOW_ID, OCKAM_FLOW_ID_LEN, origin->flow_id) ||
	    (origin->has_spawner &&
	     nla_put(skb, OCKAM_A_SPAWNER_ID, OCKAM_FLOW_ID_LEN,
		     origin->spawner_id)))
		return -EMSGSIZE;
	return 0;
}

int ockam_nl_put_route(struct sk_buff *skb, const struct ockam_route *route)
{
	return nla_put(skb, OCKAM_A_ROUTE, route->len, ockam_route_bytes(route));
}

int ockam_nl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, OCKAM_A_PAD);
}

int ockam_nl_put_traffic(struct sk_buff *skb, u64 rx_bytes, u64 tx_bytes,
			 u64 rx_messages, u64 tx_messages, u64 queued_bytes)
{
	if (ockam_nl_put_u64(skb, OCKAM_A_RX_BYTES, rx_bytes) ||
	    ockam_nl_put_u64(skb, OCKAM_A_TX_BYTES, tx_bytes) ||
	    ockam_nl_put_u64(skb, OCKAM_A_RX_MESSAGES, rx_messages) ||
	    ockam_nl_put_u64(skb, OCKAM_A_TX_MESSAGES, tx_messages) ||
	    ockam_nl_put_u64(skb, OCKAM_A_QUEUED_BYTES, queued_bytes))
		return -EMSGSIZE;
	return 0;
}

void *ockam_nl_new_part(struct sk_buff *skb, struct netlink_callback *cb,
			u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &ockam_netlink_family, NLM_F_MULTI, cmd);
}

struct sk_buff *ockam_nl_new_reply(struct genl_info *info, size_t size,
				   void **hdr)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (skb) {
		*hdr = genlmsg_put_reply(skb, info, &ockam_netlink_family, 0,
					 info->genlhdr->cmd);
		if (*hdr)
			return skb;
		nlmsg_free(skb);
	}
	NL_SET_ERR_MSG(info->extack, "no memory for the reply");
	return NULL;
}

int ockam_nl_send_reply(struct genl_info *info, struct sk_buff *skb, void *hdr,
			int err)
{
	/* Replies are allocated for the largest object there can be. */
	if (WARN_ON_ONCE(err == -EMSGSIZE) || err) {
		nlmsg_free(skb);
		return ockam_refuse(info->extack, err,
				    "the reply could not be made");
	}
	genlmsg_end(skb, hdr);
	err = genlmsg_reply(skb, info);
	if (err)
		NL_SET_ERR_MSG(info->extack,
			       "the reply did not fit into the socket's receive buffer");
	return err;
}
