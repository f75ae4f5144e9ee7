// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of the handshake worker: pending exchanges. Its messages are the
 * only ones that carry keys, always towards the kernel.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "channel.h"
#include "handshake.h"
#include "netlink.h"

int ockam_nl_bind_worker(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_net *on = ockam_nl_node(info);
	int err;

	err = ockam_netns_bind_worker(on, info->snd_portid);
	switch (err) {
	case 0:
		WRITE_ONCE(on->worker_sock, NETLINK_CB(skb).sk);
		return 0;
	case -EBUSY:
		return ockam_refuse(info->extack, err,
				    "a handshake worker is bound already");
	default:
		return ockam_refuse(info->extack, err,
				    "no process owns the node of this namespace: start one");
	}
}

/* 0 and *@id, or a refusal. */
static int ockam_nl_get_exchange(struct genl_info *info, u64 *id)
{
	if (!info->attrs[OCKAM_A_EXCHANGE_ID])
		return ockam_refuse(info->extack, -EINVAL,
				    "the number of the exchange is missing");
	*id = nla_get_u64(info->attrs[OCKAM_A_EXCHANGE_ID]);
	return 0;
}

static int ockam_nl_put_fetched(struct sk_buff *skb, u64 id,
				const struct ockam_handshake_fetched *f)
{
	if (ockam_nl_put_u64(skb, OCKAM_A_EXCHANGE_ID, id) ||
	    nla_put_u8(skb, OCKAM_A_ROLE, f->role) ||
	    nla_put_u32(skb, OCKAM_A_MESSAGE_NUMBER, f->number) ||
	    (f->message && nla_put(skb, OCKAM_A_MESSAGE, f->message_len,
				   f->message)) ||
	    (f->opaque && nla_put(skb, OCKAM_A_OPAQUE, f->opaque_len,
				  f->opaque)) ||
	    (f->listener && nla_put(skb, OCKAM_A_LISTENER, f->listener_len,
				    f->listener)))
		return -EMSGSIZE;
	return 0;
}

int ockam_nl_fetch_handshake(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_net *on = ockam_nl_node(info);
	struct ockam_handshake_fetched f;
	struct sk_buff *reply;
	void *hdr;
	u64 id;
	int err;

	err = ockam_nl_get_exchange(info, &id);
	if (err)
		return err;
	err = ockam_handshake_fetch(on, info->snd_portid, id, &f, info->extack);
	if (err)
		return err;
	err = -ENOMEM;
	reply = ockam_nl_new_reply(info, f.message_len + f.opaque_len + 512,
				   &hdr);
	if (reply)
		err = ockam_nl_send_reply(info, reply, hdr,
					  ockam_nl_put_fetched(reply, id, &f));
	ockam_handshake_fetch_put(&f);
	return err;
}

int ockam_nl_send_handshake(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *message = info->attrs[OCKAM_A_MESSAGE];
	u64 id;
	int err;

	err = ockam_nl_get_exchange(info, &id);
	if (err)
		return err;
	if (!message || !nla_len(message))
		return ockam_refuse(info->extack, -EINVAL,
				    "the handshake message is missing");
	return ockam_handshake_send(ockam_nl_node(info), info->snd_portid, id,
				    nla_data(message), nla_len(message),
				    info->extack);
}

int ockam_nl_skip_handshake(struct sk_buff *skb, struct genl_info *info)
{
	u64 id;
	int err;

	err = ockam_nl_get_exchange(info, &id);
	if (err)
		return err;
	return ockam_handshake_skip(ockam_nl_node(info), info->snd_portid, id,
				    info->extack);
}

static const u8 *ockam_nl_get_bytes(const struct nlattr *nla, size_t *len)
{
	*len = nla ? nla_len(nla) : 0;
	return nla ? nla_data(nla) : NULL;
}

/* Fill @done from @tb. 0, or -EINVAL when it does not fit together. */
static int ockam_nl_get_done(struct nlattr **tb,
			     struct ockam_handshake_done *done,
			     struct netlink_ext_ack *extack)
{
	struct ockam_nl_reach reach;
	size_t len;
	int n, err;

	err = ockam_nl_get_reach(tb, &reach, extack);
	if (err)
		return err;
	if (!tb[OCKAM_A_ERRNO])
		return ockam_refuse(extack, -EINVAL,
				    "the errno is missing (0 for success)");
	done->error = nla_get_s32(tb[OCKAM_A_ERRNO]);
	if (tb[OCKAM_A_REASON])
		done->reason = nla_data(tb[OCKAM_A_REASON]);
	done->peer = ockam_nl_get_bytes(tb[OCKAM_A_PEER], &len);
	done->key_tx = ockam_nl_get_bytes(tb[OCKAM_A_KEY_TX], &len);
	done->key_rx = ockam_nl_get_bytes(tb[OCKAM_A_KEY_RX], &len);
	done->local_id = ockam_nl_get_bytes(tb[OCKAM_A_LOCAL_ID], &len);
	done->attributes = ockam_nl_get_bytes(tb[OCKAM_A_ATTRIBUTES],
					      &done->attributes_len);
	done->control = ockam_nl_get_bytes(tb[OCKAM_A_CONTROL],
					   &done->control_len);
	if (tb[OCKAM_A_EXPIRY])
		done->expiry = nla_get_u64(tb[OCKAM_A_EXPIRY]);
	done->encryptor_reach = reach.has_mask ? reach.mask : OCKAM_REACH_LOCAL;
	done->encryptor_ids = reach.ids;
	done->n_encryptor_ids = reach.n_ids;

	n = !!done->peer + !!done->key_tx + !!done->key_rx;
	if (!done->error && n != 3)
		return ockam_refuse(extack, -EINVAL,
				    "a finished handshake needs the peer's identifier and both keys");
	if (done->error && n != 0 && n != 3)
		return ockam_refuse(extack, -EINVAL,
				    "a refusal takes the peer's identifier and both keys, or none of them");
	return 0;
}

int ockam_nl_done_handshake(struct sk_buff *skb, struct genl_info *info)
{
	struct ockam_handshake_done done = {};
	u64 id;
	int err;

	err = ockam_nl_get_exchange(info, &id);
	if (!err)
		err = ockam_nl_get_done(info->attrs, &done, info->extack);
	if (err)
		return err;
	return ockam_handshake_done(ockam_nl_node(info), info->snd_portid, id,
				    &done, info->extack);
}

int ockam_nl_control_channel(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *nla = info->attrs[OCKAM_A_ENCRYPTOR];
	const struct nlattr *body = info->attrs[OCKAM_A_CONTROL];
	struct ockam_channel *ch;
	const u8 *name;
	u8 len;
	int err;

	if (!nla)
		return ockam_refuse(info->extack, -EINVAL,
				    "the channel's encryptor is missing");
	if (!body || !nla_len(body))
		return ockam_refuse(info->extack, -EINVAL,
				    "the body of the message is missing");
	name = ockam_nl_name(nla, &len);
	ch = ockam_channel_lookup(ockam_nl_node(info), name, len);
	if (!ch)
		return ockam_refuse(info->extack, -ENOENT,
				    "the node has no channel with this address");
	err = ockam_channel_send_refresh(ch, nla_data(body), nla_len(body),
					 info->extack);
	ockam_channel_put(ch);
	return err;
}
