// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_SEQPACKET sockets: sending. A record is one message, sealed where it is
 * sent; it waits for room in the send buffer, and for the queue of the link that
 * the channel leads to.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "af_seq.h"
#include "channel.h"
#include "message.h"
#include "netns.h"
#include "route.h"

/* --- records in parts --- */

void ockam_seq_drop_record(struct ockam_seq *seq)
{
	kvfree(seq->record.data);
	seq->record = (struct ockam_seq_record){ NULL };
}

/* @len bytes more have room. 0 or -ENOMEM. */
static int ockam_seq_grow_record(struct ockam_seq_record *rec, size_t len)
{
	size_t room = roundup_pow_of_two(max_t(size_t, rec->len + len, 256));
	u8 *data;

	if (rec->data && room <= rec->room)
		return 0;
	data = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	if (rec->data)
		memcpy(data, rec->data, rec->len);
	kvfree(rec->data);
	rec->data = data;
	rec->room = room;
	return 0;
}

/* MSG_MORE: a part of a record. lock_sock held. */
static int ockam_seq_append(struct ockam_seq *seq, struct msghdr *m, size_t len)
{
	struct ockam_seq_record *rec = &seq->record;
	struct ockam_net *on = ockam_netns_from(sock_net(&seq->os.sk));
	u64 limit = ockam_netns_limit(on, OCKAM_LIMIT_FRAME_BYTES);

	if (len > limit || rec->len + len > limit) {
		/* It can never be sent. */
		ockam_seq_drop_record(seq);
		return -EMSGSIZE;
	}
	if (ockam_seq_grow_record(rec, len))
		return -ENOMEM;
	if (!copy_from_iter_full(rec->data + rec->len, len, &m->msg_iter))
		return -EFAULT;
	rec->len += len;
	return len;
}

/* --- whole records --- */

/* @skb goes through the channel to where the last record came from. */
static int ockam_seq_address(struct ockam_seq *seq, struct sk_buff *skb)
{
	struct ockam_hop own = ockam_endpoint_hop(&seq->sink);
	const struct ockam_peer *peer;
	u8 *to, *ret;
	int err;

	rcu_read_lock();
	peer = rcu_dereference(seq->os.peer);
	err = ockam_message_place(skb, peer->len, peer->hops,
				  OCKAM_HOP_HDR_LEN + own.len, 1, &to, &ret,
				  GFP_ATOMIC | __GFP_ACCOUNT);
	if (!err)
		memcpy(to, peer->route, peer->len);
	rcu_read_unlock();
	if (err)
		return err;
	ret[0] = own.type;
	ret[1] = own.len;
	memcpy(ret + OCKAM_HOP_HDR_LEN, own.name, own.len);
	return 0;
}

static size_t ockam_seq_routes(const struct ockam_seq *seq)
{
	size_t len;

	rcu_read_lock();
	len = rcu_dereference(seq->os.peer)->len;
	rcu_read_unlock();
	return len + OCKAM_HOP_HDR_LEN + seq->sink.name_len;
}

/* A message of what @rec holds and @len bytes of @m. NULL with *@err. */
static struct sk_buff *ockam_seq_build(struct ockam_seq *seq,
				       const struct ockam_seq_record *rec,
				       struct msghdr *m, size_t len, int *err)
{
	struct sock *sk = &seq->os.sk;
	struct sk_buff *skb;

	skb = ockam_af_alloc(&seq->os, ockam_seq_routes(seq), rec->len + len,
			     m->msg_flags & MSG_DONTWAIT, err);
	if (!skb)
		return NULL;
	*err = rec->len ? skb_store_bits(skb, 0, rec->data, rec->len) : 0;
	if (!*err)
		*err = skb_copy_datagram_from_iter(skb, rec->len, &m->msg_iter,
						   len);
	if (!*err)
		*err = ockam_seq_address(seq, skb);
	if (*err) {
		kfree_skb(skb);
		return NULL;
	}
	skb->priority = READ_ONCE(sk->sk_priority);
	skb->mark = READ_ONCE(sk->sk_mark);
	ockam_cb(skb)->flags = OCKAM_MSG_LOCAL;
	/* sendmmsg(2) has another one for us. */
	if (m->msg_flags & MSG_BATCH)
		ockam_cb(skb)->flags |= OCKAM_MSG_MORE;
	return skb;
}

/* Bring it into the channel, when its link's queue has room. Takes ownership. */
static int ockam_seq_dispatch(struct ockam_seq *seq, struct sk_buff *skb,
			      bool noblock)
{
	struct ockam_endpoint *enc = &ockam_seq_channel(seq)->enc;
	long timeo = sock_sndtimeo(&seq->os.sk, noblock);
	struct ockam_dispatch d;
	int err;

	for (;;) {
		ockam_dispatch_init(&d);
		if (!ockam_route_full(enc, &d) &&
		    ockam_af_charge(&seq->os, skb, &d))
			break;
		err = ockam_af_wait(&seq->os, d.gate, &timeo);
		ockam_dispatch_fini(&d);
		if (err) {
			kfree_skb(skb);
			return err;
		}
	}
	ockam_mib_inc(enc->on, OCKAM_MIB_MESSAGES_SENT_LOCAL);
	err = ockam_route_dispatch_to(enc, skb, &d);
	ockam_dispatch_fini(&d);
	return err;
}

static int ockam_seq_send(struct ockam_seq *seq,
			  const struct ockam_seq_record *rec, struct msghdr *m,
			  size_t len)
{
	struct ockam_net *on = ockam_netns_from(sock_net(&seq->os.sk));
	struct sk_buff *skb;
	int err;

	if (len > ockam_netns_limit(on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	skb = ockam_seq_build(seq, rec, m, len, &err);
	if (!skb)
		return err;
	return ockam_seq_dispatch(seq, skb, m->msg_flags & MSG_DONTWAIT) ?: len;
}

/* Can it send? lock_sock held. */
static int ockam_seq_check(struct ockam_seq *seq)
{
	struct sock *sk = &seq->os.sk;
	int err;

	err = sock_error(sk);
	if (err)
		return err;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	return ockam_seq_state(seq) == TCP_ESTABLISHED ? 0 : -ENOTCONN;
}

/* It could not be sent: the next part continues it. */
static void ockam_seq_keep_record(struct ockam_seq *seq,
				  struct ockam_seq_record *rec)
{
	struct sock *sk = &seq->os.sk;

	lock_sock(sk);
	if (!seq->record.data && !(sk->sk_shutdown & SEND_SHUTDOWN))
		swap(seq->record, *rec);
	release_sock(sk);
}

int ockam_seq_sendmsg(struct socket *sock, struct msghdr *m, size_t len)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	struct ockam_seq_record rec = { NULL };
	struct sock *sk = sock->sk;
	int err;

	if (m->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->msg_namelen)
		return ockam_seq_channel(seq) ? -EISCONN : -EOPNOTSUPP;

	lock_sock(sk);
	err = ockam_seq_check(seq);
	if (!err && m->msg_flags & MSG_MORE)
		err = ockam_seq_append(seq, m, len);
	else if (!err)
		swap(seq->record, rec);
	release_sock(sk);
	if (!err && !(m->msg_flags & MSG_MORE)) {
		err = ockam_seq_send(seq, &rec, m, len);
		if (err < 0 && err != -EMSGSIZE && rec.data)
			ockam_seq_keep_record(seq, &rec);
		kvfree(rec.data);
	}
	if (err == -EPIPE) {
		/* If there is more to say than that it is over. */
		err = sock_error(sk) ?: -EPIPE;
		if (err == -EPIPE && !(m->msg_flags & MSG_NOSIGNAL))
			send_sig(SIGPIPE, current, 0);
	}
	return err;
}
