// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel says on its own: notifications to the group "events", and
 * messages to the ports of the worker and of whoever asked for a channel.
 *
 * There are news only of nodes that are owned, and of their ends. Owners hold
 * the module, so the family is registered whenever something is said here.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "event.h"
#include "netlink.h"

#define OCKAM_NL_EVENT_SIZE	1024	/* names, identifier, a sentence */
#define OCKAM_NL_REASON_MAX	255
#define OCKAM_NL_GROUP_EVENTS	0	/* index of the family's only group */

/* A message from the kernel; NULL without memory, counted. */
static struct sk_buff *ockam_nl_new_event(struct ockam_net *on, size_t size,
					  u32 portid, u32 seq, u8 cmd,
					  void **hdr)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (skb) {
		*hdr = genlmsg_put(skb, portid, seq, &ockam_netlink_family, 0,
				   cmd);
		if (*hdr)
			return skb;
		nlmsg_free(skb);
	}
	ockam_mib_inc(on, OCKAM_MIB_EVENTS_LOST);
	return NULL;
}

/*
 * The receiver learns of a loss by ENOBUFS from its socket. Consumes @skb.
 *
 * Netlink delivers by port number, and a number is free when its socket is taken
 * out of netlink's table, which is a moment before NETLINK_URELEASE tells us.
 * Whoever binds that very number in that moment gets what we send in it. That is
 * a number of an exchange, of use to its worker alone; or names of addresses,
 * which sockets of the node may use, whoever they belong to, and which no socket
 * outside of the node's namespace can be bound to hear; or a body that a peer
 * sent. Keys are in no message. Sending to the socket itself, which would close
 * that gap, is not offered to modules.
 */
static int ockam_nl_send_event(struct ockam_net *on, struct sk_buff *skb,
			       void *hdr, u32 portid, int err)
{
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
	} else {
		genlmsg_end(skb, hdr);
		err = genlmsg_unicast(on->net, skb, portid);
	}
	if (err)
		ockam_mib_inc(on, OCKAM_MIB_EVENTS_LOST);
	return err;
}

/* The sentence is cut when somebody made it too long. */
static int ockam_nl_put_reason(struct sk_buff *skb, int error,
			       const char *reason)
{
	struct nlattr *nla;
	size_t len;
	char *text;
	int err;

	err = nla_put_s32(skb, OCKAM_A_ERRNO, error);
	if (err || !reason)
		return err;
	len = strnlen(reason, OCKAM_NL_REASON_MAX);
	nla = nla_reserve(skb, OCKAM_A_REASON, len + 1);
	if (!nla)
		return -EMSGSIZE;
	text = nla_data(nla);
	memcpy(text, reason, len);
	text[len] = '\0';
	return 0;
}

static int ockam_nl_fill_notification(struct sk_buff *skb,
				      const struct ockam_event_info *ev)
{
	if (nla_put_u8(skb, OCKAM_A_EVENT, ev->event) ||
	    (ev->ep && (ockam_nl_put_name(skb, OCKAM_A_ADDRESS, ev->ep) ||
			nla_put_u8(skb, OCKAM_A_KIND, ev->ep->ops->kind))) ||
	    (ev->peer && nla_put(skb, OCKAM_A_PEER, OCKAM_IDENTIFIER_LEN,
				 ev->peer)))
		return -EMSGSIZE;
	switch (ev->event) {
	case OCKAM_EVENT_LINK_DEL:
		if (ockam_nl_put_u64(skb, OCKAM_A_RX_MESSAGES, ev->messages))
			return -EMSGSIZE;
		return ockam_nl_put_reason(skb, ev->error, ev->reason);
	case OCKAM_EVENT_HANDSHAKE_FAIL:
		if (nla_put_u8(skb, OCKAM_A_ROLE, ev->role))
			return -EMSGSIZE;
		fallthrough;
	case OCKAM_EVENT_CHANNEL_DEL:
		return ockam_nl_put_reason(skb, ev->error, ev->reason);
	default:
		return 0;
	}
}

void ockam_event_notify(struct ockam_net *on, const struct ockam_event_info *ev)
{
	struct sk_buff *skb;
	void *hdr;
	int err;

	if (!genl_has_listeners(&ockam_netlink_family, on->net,
				OCKAM_NL_GROUP_EVENTS))
		return;
	skb = ockam_nl_new_event(on, OCKAM_NL_EVENT_SIZE, 0, 0, OCKAM_CMD_EVENT,
				 &hdr);
	if (!skb)
		return;
	err = ockam_nl_fill_notification(skb, ev);
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
	} else {
		genlmsg_end(skb, hdr);
		err = genlmsg_multicast_netns(&ockam_netlink_family, on->net,
					      skb, 0, OCKAM_NL_GROUP_EVENTS,
					      GFP_KERNEL);
	}
	/* -ESRCH: the last listener has left meanwhile. */
	if (err && err != -ESRCH)
		ockam_mib_inc(on, OCKAM_MIB_EVENTS_LOST);
}

int ockam_event_ready(struct ockam_net *on, u32 portid, u64 id)
{
	struct sk_buff *skb;
	void *hdr;
	int err;

	skb = ockam_nl_new_event(on, nla_total_size_64bit(sizeof(u64)), portid,
				 0, OCKAM_CMD_HANDSHAKE_READY, &hdr);
	if (!skb)
		return -ENOMEM;
	err = ockam_nl_put_u64(skb, OCKAM_A_EXCHANGE_ID, id);
	return ockam_nl_send_event(on, skb, hdr, portid, err);
}

static int ockam_nl_fill_result(struct sk_buff *skb,
				const struct ockam_result *res)
{
	if (ockam_nl_put_reason(skb, res->error, res->reason) ||
	    (res->encryptor && ockam_nl_put_name(skb, OCKAM_A_ENCRYPTOR,
						 res->encryptor)) ||
	    (res->decryptor && nla_put(skb, OCKAM_A_DECRYPTOR,
				       res->decryptor_len, res->decryptor)) ||
	    (res->flow_id && nla_put(skb, OCKAM_A_FLOW_ID, OCKAM_FLOW_ID_LEN,
				     res->flow_id)) ||
	    (res->peer && nla_put(skb, OCKAM_A_PEER, OCKAM_IDENTIFIER_LEN,
				  res->peer)))
		return -EMSGSIZE;
	return nla_put_u32(skb, OCKAM_A_FLAGS, OCKAM_FLAG_INITIATOR |
			   (res->confirmed ? OCKAM_FLAG_CONFIRMED : 0));
}

void ockam_event_result(struct ockam_net *on, const struct ockam_result *res)
{
	struct sk_buff *skb;
	void *hdr;

	skb = ockam_nl_new_event(on, OCKAM_NL_EVENT_SIZE, res->portid, res->seq,
				 OCKAM_CMD_CHANNEL_NEW, &hdr);
	if (skb)
		ockam_nl_send_event(on, skb, hdr, res->portid,
				    ockam_nl_fill_result(skb, res));
}

void ockam_event_control(struct ockam_net *on, u32 portid,
			 const struct ockam_endpoint *encryptor, const u8 *peer,
			 const u8 *body, size_t len)
{
	struct sk_buff *skb;
	void *hdr;
	int err = 0;

	skb = ockam_nl_new_event(on, OCKAM_NL_EVENT_SIZE + len, portid, 0,
				 OCKAM_CMD_CHANNEL_CONTROL, &hdr);
	if (!skb)
		return;
	if (ockam_nl_put_name(skb, OCKAM_A_ENCRYPTOR, encryptor) ||
	    (peer && nla_put(skb, OCKAM_A_PEER, OCKAM_IDENTIFIER_LEN, peer)) ||
	    nla_put(skb, OCKAM_A_CONTROL, len, body))
		err = -EMSGSIZE;
	ockam_nl_send_event(on, skb, hdr, portid, err);
}
