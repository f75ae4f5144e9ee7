// SPDX-License-Identifier: GPL-2.0
/*
 * What a channel itself says to its peer: RefreshCredentials, Close, and the
 * question whether it is there (wire-protocol sections 6.1 and 6.6).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/skbuff.h>

#include "channel.h"
#include "message.h"
#include "route.h"
#include "wire.h"

/* Seal a plaintext of our own, with empty onward route, and send it. */
static int ockam_channel_send_own(struct ockam_channel *ch,
				  struct sk_buff *skb, bool last,
				  const char *finish)
{
	struct ockam_endpoint *next;
	struct ockam_dispatch d;
	int err;

	ockam_cb(skb)->flags |= OCKAM_MSG_CONTROL;
	err = ockam_channel_has_way(ch) ? 0 : -EHOSTUNREACH;
	if (!err) {
		next = ockam_channel_address(ch, skb, true);
		err = PTR_ERR_OR_ZERO(next);
	}
	if (!err) {
		ockam_dispatch_init(&d);
		err = ockam_channel_send(ch, skb, next, last, finish, &d);
		ockam_dispatch_fini(&d);
		ockam_endpoint_put(next);
	}
	if (err < 0)
		ockam_drop(ch->on, ockam_channel_tx_reason(err), skb);
	return err;
}

/* Packets that are not Payload carry return route [encryptor]. */
static struct sk_buff *ockam_channel_alloc_own(struct ockam_channel *ch,
					       size_t len)
{
	struct sk_buff *skb;

	skb = ockam_message_alloc(ch->on, 0, len, true, GFP_KERNEL_ACCOUNT);
	if (skb && ockam_message_return_to(skb, &ch->enc, GFP_KERNEL_ACCOUNT)) {
		ockam_message_free(skb);
		skb = NULL;
	}
	return skb;
}

int ockam_channel_send_refresh(struct ockam_channel *ch, const u8 *body,
			       size_t len, struct netlink_ext_ack *extack)
{
	struct sk_buff *skb;
	u8 *p;
	int err;

	if (READ_ONCE(ch->dead))
		return ockam_refuse(extack, -ESHUTDOWN, "the channel has ended");
	if (!len || len > OCKAM_HANDSHAKE_MAX)
		return ockam_refuse(extack, -EMSGSIZE,
				    "the body of the message has 1 to 32768 bytes");
	skb = ockam_channel_alloc_own(ch, OCKAM_INNER_REFRESH_HEADER_LEN + len +
				      OCKAM_INNER_TRAILER_LEN);
	if (!skb)
		return ockam_refuse(extack, -ENOMEM, "out of memory");
	p = ockam_wire_encode_refresh_header(skb->data);
	memcpy(p, body, len);
	ockam_wire_encode_inner_trailer(p + len);
	err = ockam_channel_send_own(ch, skb, false, NULL);
	if (err == -EHOSTUNREACH)
		NL_SET_ERR_MSG(extack, "the channel has no way to its peer now");
	else if (err == -EMSGSIZE)
		NL_SET_ERR_MSG(extack, "the message is larger than the node's frame limit");
	else if (err)
		NL_SET_ERR_MSG(extack, "the channel or its first hop did not take the message");
	return err;
}

bool ockam_channel_send_close(struct ockam_channel *ch, const char *reason)
{
	struct sk_buff *skb;

	skb = ockam_channel_alloc_own(ch, OCKAM_INNER_CLOSE_LEN);
	if (!skb)
		return false;
	ockam_wire_encode_close(skb->data);
	return ockam_channel_send_own(ch, skb, true, reason) > 0;
}

int ockam_channel_send_probe(struct ockam_channel *ch)
{
	/* A packed route. */
	static const u8 echo[] = { OCKAM_ADDR_LOCAL, 4, 'e', 'c', 'h', 'o' };
	/* What echo services decode: an empty BARE string. */
	static const u8 probe[] = { 0 };
	struct ockam_hop own = ockam_endpoint_hop(&ch->dec);
	u8 *onward, *ret;
	struct sk_buff *skb;
	int err;

	skb = ockam_message_alloc(ch->on, 0, sizeof(probe), true,
				  GFP_KERNEL_ACCOUNT);
	if (!skb)
		return -ENOMEM;
	memcpy(skb->data, probe, sizeof(probe));
	err = ockam_message_place(skb, sizeof(echo), 1, 0, 0,
				  &onward, &ret, GFP_KERNEL_ACCOUNT);
	if (!err) {
		memcpy(onward, echo, sizeof(echo));
		err = ockam_message_push_ret(skb, &own, GFP_KERNEL_ACCOUNT);
	}
	if (!err)
		err = ockam_channel_build_payload(skb);
	if (err) {
		ockam_message_free(skb);
		return err;
	}
	ockam_message_clear_ret(skb);
	return ockam_channel_send_own(ch, skb, false, NULL);
}
