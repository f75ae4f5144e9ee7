// SPDX-License-Identifier: GPL-2.0
/*
 * What is sent on a channel, before it is sealed: a message becomes a plaintext,
 * and gets the routes of a packet and the room that links need (wire-protocol
 * sections 6.1 and 6.2).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/skbuff.h>

#include "channel.h"
#include "message.h"
#include "route.h"
#include "wire.h"

int ockam_channel_build_payload(struct sk_buff *skb)
{
	struct ockam_hops onward = ockam_message_onward(skb);
	struct ockam_hops ret = ockam_message_ret(skb);
	u8 trailer[OCKAM_INNER_TRAILER_LEN];
	size_t hdr, len = skb->len;
	int err;

	BUILD_BUG_ON(sizeof(trailer) + OCKAM_TAG_LEN > OCKAM_MESSAGE_TAILROOM);

	hdr = ockam_wire_inner_len(&onward, &ret, len);
	err = ockam_message_reserve(skb, hdr, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = ockam_message_put(skb, sizeof(trailer),
					GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	/* They may have moved. */
	onward = ockam_message_onward(skb);
	ret = ockam_message_ret(skb);
	ockam_wire_encode_inner_trailer(trailer);
	skb_store_bits(skb, len, trailer, sizeof(trailer));
	ockam_wire_put_inner(__skb_push(skb, hdr), &onward, &ret, len);
	return 0;
}

struct ockam_endpoint *ockam_channel_address(struct ockam_channel *ch,
					     struct sk_buff *skb, bool keep_ret)
{
	struct ockam_channel_path *path = ockam_channel_get_path(ch);
	struct ockam_hops hops = ockam_route_hops(&path->route);
	struct ockam_endpoint *next;
	struct ockam_hop hop;
	int err = -EHOSTUNREACH;

	if (!ockam_hops_first(&hops, &hop))
		goto err;
	next = ockam_route_find(ch->on, &hop, path->first, &ch->on->local);
	err = PTR_ERR_OR_ZERO(next);
	if (err)
		goto err;
	err = ockam_message_set_onward(skb, &hops, keep_ret, GFP_KERNEL_ACCOUNT);
	if (err)
		ockam_endpoint_put(next);
	ockam_cb(skb)->to = path->first;
err:
	ockam_channel_put_path(path);
	return err ? ERR_PTR(err) : next;
}

/*
 * Bytes of the frame body's header that the first link will write: all hops but
 * its own.
 */
static size_t ockam_channel_link_room(const struct sk_buff *skb,
				      size_t packet_len)
{
	struct ockam_hops onward = ockam_message_onward(skb);
	struct ockam_hops ret = ockam_message_ret(skb);
	struct ockam_hop hop;

	if (ockam_hops_first(&onward, &hop)) {
		onward.bytes += OCKAM_HOP_HDR_LEN + hop.len;
		onward.len -= OCKAM_HOP_HDR_LEN + hop.len;
		onward.hops--;
	}
	return ockam_wire_body_len(&onward, &ret, packet_len);
}

int ockam_channel_prepare(struct ockam_channel *ch, struct sk_buff *skb)
{
	size_t packet = OCKAM_NONCE_LEN + skb->len + OCKAM_TAG_LEN;
	size_t room = ockam_channel_link_room(skb, packet);

	if (room + packet > ockam_netns_limit(ch->on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	/* For the link too: a sealed packet should not fail for want of memory. */
	if (ockam_message_reserve(skb, OCKAM_FRAME_HDR_LEN + room +
				  OCKAM_NONCE_LEN, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	return ockam_message_put(skb, OCKAM_TAG_LEN, GFP_KERNEL_ACCOUNT);
}
