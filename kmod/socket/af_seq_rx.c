// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_SEQPACKET sockets: receiving. The channel brings records, one after the
 * other; a receive queue that is full makes it wait, and by its own queue its link
 * (gate.h). Nothing is dropped to make room.
 *
 * That one reads does not matter here: whoever opens a packet of the channel, a
 * work or some day the reader himself, puts the record into the queue.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "af_seq.h"
#include "channel.h"
#include "message.h"
#include "netns.h"
#include "route.h"

/* --- into the receive queue --- */

/* Is that where records go already? Also when it is nowhere. */
static bool ockam_seq_knows_way(const struct ockam_seq *seq,
				const struct ockam_hops *ret)
{
	const struct ockam_peer *peer;
	bool knows;

	rcu_read_lock();
	peer = rcu_dereference(seq->os.peer);
	knows = peer && peer->len == ret->len &&
		!memcmp(peer->route, ret->bytes, ret->len);
	rcu_read_unlock();
	/* The first hop is our encryptor. */
	return knows || ret->hops < 2;
}

/* Records go where the last one came from. NULL: nothing changes. */
static struct ockam_peer *ockam_seq_learn(const struct ockam_seq *seq,
					  const struct sk_buff *skb)
{
	struct ockam_hops ret = ockam_message_ret(skb);
	struct ockam_peer *peer;

	if (likely(ockam_seq_knows_way(seq, &ret)))
		return NULL;
	peer = kzalloc(struct_size(peer, route, ret.len), GFP_KERNEL_ACCOUNT);
	if (!peer)
		return NULL;
	peer->len = ret.len;
	peer->hops = ret.hops;
	memcpy(peer->route, ret.bytes, ret.len);
	return peer;
}

/* Of the channel that the socket has, or waits for. */
static bool __ockam_seq_is_expected(const struct ockam_seq *seq,
				    const struct sk_buff *skb)
	__must_hold(&seq->lock)
{
	const struct sock *sk = &seq->os.sk;

	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return false;
	if (sk->sk_state == TCP_SYN_SENT)
		return true;
	return sk->sk_state == TCP_ESTABLISHED &&
	       ockam_cb(skb)->ret_id == seq->ch->enc.id;
}

/* 0, or why not: then @skb is still the caller's. */
static enum ockam_mib ockam_seq_queue(struct ockam_seq *seq, struct sk_buff *skb,
				      struct ockam_dispatch *d)
{
	struct sock *sk = &seq->os.sk;
	struct ockam_peer *peer;
	bool expected, full = false;

	peer = ockam_seq_learn(seq, skb);
	spin_lock_bh(&seq->lock);
	expected = __ockam_seq_is_expected(seq, skb);
	if (expected) {
		if (peer)
			peer = rcu_replace_pointer(seq->os.peer, peer,
						   lockdep_is_held(&seq->lock));
		skb_set_owner_r(skb, sk);
		full = ockam_gate_charge(&seq->gate, skb->truesize);
		skb_queue_tail(&sk->sk_receive_queue, skb);
	}
	spin_unlock_bh(&seq->lock);
	if (peer)
		kfree_rcu(peer, rcu);
	if (!expected)
		return OCKAM_DROP_DEAD;
	if (full)
		ockam_dispatch_note_gate(d, &seq->gate);
	sk->sk_data_ready(sk);
	return 0;
}

int ockam_seq_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
		      struct ockam_dispatch *d)
{
	struct ockam_seq *seq = container_of(ep, struct ockam_seq, sink);
	struct sock *sk = &seq->os.sk;
	enum ockam_mib reason = 0;

	/* From here on the receiver pays. */
	skb_orphan(skb);
	/* A filter sees the payload, wherever it looks for headers. */
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	if (sk_filter(sk, skb))
		reason = OCKAM_DROP_SOCKET_FILTER;
	if (sock_flag(sk, SOCK_TIMESTAMP) ||
	    sock_flag(sk, SOCK_TIMESTAMPING_RX_SOFTWARE))
		__net_timestamp(skb);
	/* SO_RCVBUF may have been set meanwhile. */
	if (unlikely(READ_ONCE(seq->gate.limit) != READ_ONCE(sk->sk_rcvbuf)))
		ockam_gate_set_limit(&seq->gate, READ_ONCE(sk->sk_rcvbuf));
	if (!reason)
		reason = ockam_seq_queue(seq, skb, d);
	if (reason)
		ockam_drop(ep->on, reason, skb);
	else
		ockam_mib_inc(ep->on, OCKAM_MIB_MESSAGES_DELIVERED);
	return 0;
}

void ockam_seq_drop_strangers(struct ockam_seq *seq)
{
	struct sk_buff_head *queue = &seq->os.sk.sk_receive_queue;
	struct sk_buff *skb, *next;

	lockdep_assert_held(&seq->lock);
	spin_lock(&queue->lock);
	skb_queue_walk_safe(queue, skb, next) {
		if (ockam_cb(skb)->ret_id == seq->ch->enc.id)
			continue;
		__skb_unlink(skb, queue);
		ockam_gate_uncharge(&seq->gate, skb->truesize);
		kfree_skb(skb);
	}
	spin_unlock(&queue->lock);
}

/* --- out of it --- */

static bool ockam_seq_readable(const struct ockam_seq *seq)
{
	const struct sock *sk = &seq->os.sk;

	return !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	       READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN ||
	       ockam_seq_state(seq) != TCP_ESTABLISHED;
}

/* The first record: taken, or with MSG_PEEK held. NULL: there is none. */
static struct sk_buff *ockam_seq_first(struct sock *sk, int flags)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;

	spin_lock_bh(&queue->lock);
	skb = skb_peek(queue);
	if (skb && flags & MSG_PEEK)
		refcount_inc(&skb->users);
	else if (skb)
		__skb_unlink(skb, queue);
	spin_unlock_bh(&queue->lock);
	return skb;
}

/*
 * The same, but waits for one. NULL with *@err, which is 0 at the end of the
 * connection: what was received before that is read first, and then the error.
 */
static struct sk_buff *ockam_seq_wait_first(struct ockam_seq *seq, int flags,
					    int *err)
{
	struct sock *sk = &seq->os.sk;
	struct sk_buff *skb;
	int shutdown;
	long timeo;

	if (!ockam_seq_channel(seq)) {
		*err = sock_error(sk) ?: -ENOTCONN;
		return NULL;
	}
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	for (;;) {
		/* Before the queue: nothing comes after it. */
		shutdown = READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
		smp_rmb();	/* pairs with ->lock of who sets it */
		skb = ockam_seq_first(sk, flags);
		if (skb)
			return skb;
		*err = sock_error(sk);
		if (*err || shutdown)
			return NULL;
		if (!timeo) {
			*err = -EAGAIN;
			return NULL;
		}
		timeo = wait_event_interruptible_timeout(*sk_sleep(sk),
							 ockam_seq_readable(seq),
							 timeo);
		if (timeo < 0) {
			*err = sock_intr_errno(sock_rcvtimeo(sk, false));
			return NULL;
		}
	}
}

int ockam_seq_recvmsg(struct socket *sock, struct msghdr *m, size_t len,
		      int flags)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	struct sock *sk = sock->sk;
	unsigned int truesize;
	struct sk_buff *skb;
	size_t copied;
	int err;

	m->msg_namelen = 0;
	if (flags & (MSG_OOB | MSG_ERRQUEUE))
		return -EOPNOTSUPP;
	skb = ockam_seq_wait_first(seq, flags, &err);
	if (!skb)
		return err;

	copied = min_t(size_t, len, skb->len);
	err = skb_copy_datagram_msg(skb, 0, m, copied);
	if (err) {
		/* Whoever asks next gets it. */
		if (flags & MSG_PEEK) {
			kfree_skb(skb);
		} else {
			skb_queue_head(&sk->sk_receive_queue, skb);
			sk->sk_data_ready(sk);
		}
		return err;
	}
	sock_recv_cmsgs(m, sk, skb);
	m->msg_flags |= MSG_EOR;
	if (copied < skb->len)
		m->msg_flags |= MSG_TRUNC;
	err = flags & MSG_TRUNC ? skb->len : copied;
	truesize = skb->truesize;
	consume_skb(skb);
	if (!(flags & MSG_PEEK))
		ockam_gate_uncharge(&seq->gate, truesize);
	return err;
}
