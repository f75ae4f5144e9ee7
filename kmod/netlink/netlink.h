/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink family "ockam": what the files of the surface share, and
 * what module init needs of it.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_NETLINK_H
#define OCKAM_NETLINK_H

#include <net/genetlink.h>
#include <net/sock.h>

#include "compat.h"
#include "endpoint.h"
#include "netns.h"

/* Who may give a command, and how it is treated: genl_ops.internal_flags. */
#define OCKAM_NL_ADMIN	0x01	/* CAP_NET_ADMIN over the node's namespace */
#define OCKAM_NL_OWNER	0x02	/* the owner's socket, or OCKAM_NL_ADMIN */
#define OCKAM_NL_WORKER	0x04	/* the worker's socket and nobody else */
#define OCKAM_NL_SECRET	0x08	/* the request is wiped once its form is right */

extern struct genl_family ockam_netlink_family;

/* Module init and exit. */
int ockam_netlink_init(void);
void ockam_netlink_exit(void);

/* Node of a request; valid in doit (after ockam_netlink_pre_doit()). */
static inline struct ockam_net *ockam_nl_node(const struct genl_info *info)
{
	return info->user_ptr[0];
}

static inline struct ockam_net *ockam_nl_dump_node(struct netlink_callback *cb)
{
	return ockam_netns_from(sock_net(cb->skb->sk));
}

/*
 * For commands that make objects: on->config_lock is held at return of 0, so
 * that the node cannot end while the object is made. -ESRCH without an owner.
 */
int ockam_nl_lock_owned(struct genl_info *info);
void ockam_nl_unlock(struct genl_info *info);

/*
 * Begin of every ->dumpit: authority, and that nothing is asked but the list;
 * looks only once a dump. 0 or a refusal.
 */
int ockam_nl_check_dump(struct netlink_callback *cb);

/*
 * What a ->dumpit returns. @err: 0 when it has come to the end of the list, so
 * that it is over even if @skb is not full: asking again would show what was
 * made meanwhile, for ever if somebody keeps making more.
 */
static inline int ockam_nl_end_part(const struct sk_buff *skb, int err)
{
	if (err == -EMSGSIZE && skb->len)
		return skb->len;
	return err;
}

/* Use of netlink_callback.args: where the dump is, has it been checked. */
#define OCKAM_NL_DUMP_PLACE	0
#define OCKAM_NL_DUMP_CHECKED	1

/* nl_attr.c: pieces of messages. All put functions: 0 or -EMSGSIZE. */

/* A name as the policy lets it through: 1-255 bytes, borrowed. */
static inline const u8 *ockam_nl_name(const struct nlattr *nla, u8 *len)
{
	*len = nla_len(nla);
	return nla_data(nla);
}

/* REACH and REACH_IDS of a request, borrowed. */
struct ockam_nl_reach {
	bool has_mask;
	bool has_ids;
	u32 mask;
	const u8 *ids;
	u32 n_ids;
};

/* 0 or -EINVAL with a sentence. */
int ockam_nl_get_reach(struct nlattr **attrs, struct ockam_nl_reach *reach,
		       struct netlink_ext_ack *extack);
static inline u32 ockam_nl_get_u32(struct nlattr **attrs, int attr)
{
	return attrs[attr] ? nla_get_u32(attrs[attr]) : 0;
}

struct ockam_liveness;
/*
 * LIVENESS_MS and LIVENESS_STRICT of a request, zero when not given. 0 or
 * -EINVAL with a sentence.
 */
int ockam_nl_get_liveness(struct nlattr **attrs, struct ockam_liveness *l,
			  struct netlink_ext_ack *extack);
int ockam_nl_put_liveness(struct sk_buff *skb, const struct ockam_liveness *l);

int ockam_nl_put_name(struct sk_buff *skb, int attr,
		      const struct ockam_endpoint *ep);
int ockam_nl_put_reach(struct sk_buff *skb, const struct ockam_endpoint *ep);
int ockam_nl_put_reach_ids(struct sk_buff *skb, const struct ockam_endpoint *ep);
int ockam_nl_put_origin(struct sk_buff *skb, const struct ockam_origin *origin);
int ockam_nl_put_route(struct sk_buff *skb, const struct ockam_route *route);
int ockam_nl_put_u64(struct sk_buff *skb, int attr, u64 value);

/* What has gone through a link or a channel, and what waits there. */
int ockam_nl_put_traffic(struct sk_buff *skb, u64 rx_bytes, u64 tx_bytes,
			 u64 rx_messages, u64 tx_messages, u64 queued_bytes);

/* Header of one object of a dump; NULL: no room for it. */
void *ockam_nl_new_part(struct sk_buff *skb, struct netlink_callback *cb,
			u8 cmd);
/* A reply to @info of at most @size bytes of attributes; NULL without memory. */
struct sk_buff *ockam_nl_new_reply(struct genl_info *info, size_t size,
				   void **hdr);
/*
 * Send it, or throw it away when building it failed with @err. Consumes @skb.
 * Returns @err or the outcome of sending.
 */
int ockam_nl_send_reply(struct genl_info *info, struct sk_buff *skb, void *hdr,
			int err);

/* Largest object in a message: what a reply is allocated with. */
#define OCKAM_NL_OBJECT_SIZE	(OCKAM_ATTRIBUTES_MAX + OCKAM_ROUTE_MAX_BYTES + \
				 OCKAM_REACH_IDS_MAX * OCKAM_FLOW_ID_LEN + 2048)

/*
 * What the largest channel fits into, with all else that there is of one
 * message; readers are asked for buffers of that size by every family.
 */
#define OCKAM_NL_DUMP_SIZE	8192

/* Commands. */
int ockam_nl_own_node(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_del_node(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_get_node(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_set_node(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_get_address(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_start_addresses(struct netlink_callback *cb);
int ockam_nl_dump_addresses(struct sk_buff *skb, struct netlink_callback *cb);
int ockam_nl_done_addresses(struct netlink_callback *cb);
int ockam_nl_bind_worker(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_fetch_handshake(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_send_handshake(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_skip_handshake(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_done_handshake(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_new_link(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_set_link(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_del_link(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_get_link(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_dump_links(struct sk_buff *skb, struct netlink_callback *cb);
int ockam_nl_new_listener(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_set_listener(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_del_listener(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_get_listener(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_dump_listeners(struct sk_buff *skb, struct netlink_callback *cb);
int ockam_nl_new_channel(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_set_channel(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_del_channel(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_get_channel(struct sk_buff *skb, struct genl_info *info);
int ockam_nl_start_channels(struct netlink_callback *cb);
int ockam_nl_dump_channels(struct sk_buff *skb, struct netlink_callback *cb);
int ockam_nl_control_channel(struct sk_buff *skb, struct genl_info *info);

/* Nested policy of OCKAM_A_LIMITS, and the bounds that sysctl.c shares. */
extern const struct nla_policy ockam_nl_limits_policy[OCKAM_LIMIT_MAX + 1];

#endif /* OCKAM_NETLINK_H */
