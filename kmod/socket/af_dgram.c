// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of SOCK_DGRAM sockets: into the node, and out of it. Their receive and
 * send buffers, and the waiting for them, are the socket layer's.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <net/compat.h>

#include "af_ockam.h"
#include "af_quota.h"
#include "compat.h"
#include "message.h"
#include "netns.h"
#include "route.h"

/* --- into the receive queue --- */

/* Does it come from where connect() pointed, and not from who has that name now? */
static bool ockam_dgram_from_peer(const struct ockam_sock *os,
				  const struct sk_buff *skb)
{
	struct ockam_hops ret = ockam_message_ret(skb);
	struct ockam_peer *peer;
	bool is = true;
	u64 id;

	rcu_read_lock();
	peer = rcu_dereference(os->peer);
	if (peer) {
		id = READ_ONCE(peer->id);
		is = ret.len == peer->len &&
		     !memcmp(ret.bytes, peer->route, ret.len) &&
		     (id == OCKAM_ENDPOINT_ANY || id == ockam_cb(skb)->ret_id);
	}
	rcu_read_unlock();
	return is;
}

/* Put @skb into the queue, or say why not. It is the socket's afterwards. */
static enum ockam_mib ockam_dgram_queue(struct ockam_sock *os,
					struct sk_buff *skb)
{
	struct sock *sk = &os->sk;

	if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
		return OCKAM_DROP_DEAD;
	if (!ockam_dgram_from_peer(os, skb))
		return OCKAM_DROP_SOCKET_PEER;
	/* A filter sees the payload, wherever it looks for headers. */
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	if (sk_filter(sk, skb))
		return OCKAM_DROP_SOCKET_FILTER;
	if (sock_flag(sk, SOCK_TIMESTAMP) ||
	    sock_flag(sk, SOCK_TIMESTAMPING_RX_SOFTWARE))
		__net_timestamp(skb);
	/*
	 * As for any datagram socket one message may go over the limit of the
	 * buffer, or those larger than the buffer could never be received.
	 */
	if (__sock_queue_rcv_skb(sk, skb))
		return OCKAM_DROP_SOCKET_FULL;
	return OCKAM_MIB_MESSAGES_DELIVERED;
}

int ockam_dgram_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
			struct ockam_dispatch *d)
{
	struct ockam_sock *os = container_of(ep, struct ockam_sock, ep);
	enum ockam_mib outcome;

	/* From here on the receiver pays, or nobody. */
	skb_orphan(skb);
	outcome = ockam_dgram_queue(os, skb);
	/* A datagram: the sender does not learn what became of it. */
	if (outcome == OCKAM_MIB_MESSAGES_DELIVERED)
		ockam_mib_inc(ep->on, outcome);
	else
		ockam_drop(ep->on, outcome, skb);
	return 0;
}

/* --- out of it --- */

static bool ockam_dgram_readable(const struct ockam_sock *os,
				 const struct sk_buff *last)
{
	const struct sock *sk = &os->sk;

	return READ_ONCE(sk->sk_receive_queue.prev) != last ||
	       READ_ONCE(os->hungup) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
}

/*
 * As __skb_recv_datagram(), but the end of what the socket is connected to ends
 * the waiting of everybody. NULL with *@err, where 0 means that nothing will come
 * any more.
 */
static struct sk_buff *ockam_dgram_first(struct ockam_sock *os, int flags,
					 int *off, int *err)
{
	struct sock *sk = &os->sk;
	struct sk_buff *skb, *last;
	long timeo, left;

	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	for (;;) {
		skb = __skb_try_recv_datagram(sk, &sk->sk_receive_queue, flags,
					      off, err, &last);
		if (skb || *err != -EAGAIN)
			return skb;
		if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) {
			*err = 0;
			return NULL;
		}
		if (READ_ONCE(os->hungup)) {
			*err = -ECONNRESET;
			return NULL;
		}
		if (!timeo)
			return NULL;
		left = wait_event_interruptible_timeout(*sk_sleep(sk),
							ockam_dgram_readable(os, last),
							timeo);
		if (left < 0) {
			*err = sock_intr_errno(timeo);
			return NULL;
		}
		timeo = left;
	}
}

/* The same as CMSG_LEN(), for the kind of process that asked. */
static size_t ockam_dgram_cmsg_len(const struct msghdr *m, size_t len)
{
#ifdef CONFIG_COMPAT
	if (m->msg_flags & MSG_CMSG_COMPAT)
		return sizeof(struct compat_cmsghdr) + len;
#endif
	return CMSG_LEN(len);
}

/* Ancillary data of ours is there in full, or MSG_CTRUNC says that it is not. */
static void ockam_dgram_put_cmsg(struct msghdr *m, int type, size_t len,
				 const void *data)
{
	if (m->msg_controllen < ockam_dgram_cmsg_len(m, len))
		m->msg_flags |= MSG_CTRUNC;
	else
		put_cmsg(m, SOL_OCKAM, type, len, (void *)data);
}

/* Who asks for credentials is not left to think that some were checked. */
static void ockam_dgram_put_nobody(struct msghdr *m)
{
	struct ucred nobody = {
		.uid = from_kuid_munged(current_user_ns(), INVALID_UID),
		.gid = from_kgid_munged(current_user_ns(), INVALID_GID),
	};

	put_cmsg(m, SOL_SOCKET, SCM_CREDENTIALS, sizeof(nobody), &nobody);
}

/* Address and ancillary data of @skb. */
static void ockam_dgram_describe(struct socket *sock, struct msghdr *m,
				 struct sk_buff *skb)
{
	const struct ockam_sock *os = ockam_af_sock(sock->sk);
	struct ockam_hops ret = ockam_message_ret(skb);
	bool recv_route = READ_ONCE(os->recv_route);

	if (m->msg_name) {
		m->msg_namelen = ockam_af_write_name(m->msg_name, &ret);
		if (!m->msg_namelen && !recv_route)
			m->msg_flags |= MSG_CTRUNC;
	}
	sock_recv_cmsgs(m, sock->sk, skb);
	if (ockam_compat_passcred(sock))
		ockam_dgram_put_nobody(m);
	if (recv_route)
		ockam_dgram_put_cmsg(m, OCKAM_CMSG_ROUTE, ret.len, ret.bytes);
	if (READ_ONCE(os->recv_peer) && ockam_cb(skb)->flags & OCKAM_MSG_PEER)
		ockam_dgram_put_cmsg(m, OCKAM_CMSG_PEER, OCKAM_IDENTIFIER_LEN,
				     ockam_message_peer(skb));
}

/* SO_PEEK_OFF: @copied bytes were looked at, or a message of @len was taken. */
static void ockam_dgram_move_peek(struct sock *sk, int flags, int copied,
				  int len)
{
	bool slow;

	if (READ_ONCE(sk->sk_peek_off) < 0)
		return;
	slow = lock_sock_fast(sk);
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, copied);
	else
		sk_peek_offset_bwd(sk, len);
	unlock_sock_fast(sk, slow);
}

/* It could not be copied out: whoever asks next gets it. */
static void ockam_dgram_put_back(struct sock *sk, struct sk_buff *skb, int flags)
{
	if (flags & MSG_PEEK) {
		kfree_skb(skb);
		return;
	}
	skb_queue_head(&sk->sk_receive_queue, skb);
	sk->sk_data_ready(sk);
}

int ockam_dgram_recvmsg(struct socket *sock, struct msghdr *m, size_t len,
			int flags)
{
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	size_t copied, rest;
	int off, err;

	if (flags & (MSG_OOB | MSG_ERRQUEUE))
		return -EOPNOTSUPP;
	off = sk_peek_offset(sk, flags);
	skb = ockam_dgram_first(ockam_af_sock(sk), flags, &off, &err);
	if (!skb) {
		m->msg_namelen = 0;
		return err;
	}

	rest = skb->len - off;
	copied = min(len, rest);
	if (copied < rest)
		m->msg_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, off, m, copied);
	if (err) {
		ockam_dgram_put_back(sk, skb, flags);
		return err;
	}
	ockam_dgram_move_peek(sk, flags, copied, skb->len);
	ockam_dgram_describe(sock, m, skb);
	err = flags & MSG_TRUNC ? rest : copied;
	skb_free_datagram(sk, skb);
	return err;
}

/* --- sending --- */

/*
 * The destination that the caller gives, borrowed from @m, if he does; else
 * @onward is unchanged. Marks and the like go to @sockc.
 */
static int ockam_dgram_parse(struct sock *sk, struct msghdr *m,
			     struct ockam_hops *onward,
			     struct sockcm_cookie *sockc)
{
	bool given = m->msg_name;
	struct cmsghdr *c;
	int err, hops;

	if (given) {
		err = ockam_af_parse_name(onward, m->msg_name, m->msg_namelen);
		if (err)
			return err;
	}
	if (m->msg_controllen) {
		err = sock_cmsg_send(sk, m, sockc);
		if (err)
			return err;
		for_each_cmsghdr(c, m) {
			size_t len = c->cmsg_len - CMSG_LEN(0);

			if (c->cmsg_level != SOL_OCKAM)
				continue;
			if (c->cmsg_type != OCKAM_CMSG_ROUTE || given)
				return -EINVAL;
			hops = ockam_route_check(CMSG_DATA(c), len);
			if (hops < 0)
				return -EINVAL;
			*onward = (struct ockam_hops){ CMSG_DATA(c), len, hops };
			given = true;
		}
	}
	return given && !onward->hops ? -EDESTADDRREQ : 0;
}

/* Bytes of the route that connect() has set, 0 when there is none. */
static u16 ockam_dgram_peer_len(struct ockam_sock *os)
{
	bool watched = true;
	struct ockam_peer *peer;
	u16 len = 0;

	rcu_read_lock();
	peer = rcu_dereference(os->peer);
	if (peer) {
		len = peer->len;
		watched = READ_ONCE(peer->id) != OCKAM_ENDPOINT_ANY;
	}
	rcu_read_unlock();
	if (unlikely(!watched)) {
		/* If it was not there, it may be there now. */
		lock_sock(&os->sk);
		ockam_af_watch_peer(os);
		release_sock(&os->sk);
	}
	return len;
}

/* A sender without a name gets one. */
static int ockam_dgram_autobind(struct ockam_sock *os)
{
	int err = 0;

	if (likely(ockam_af_bound(os)))
		return 0;
	lock_sock(&os->sk);
	if (!os->bound)
		err = ockam_af_bind_name(os, NULL, 0);
	release_sock(&os->sk);
	return err;
}

/* @skb goes to @onward, and comes back to the socket. 0 or -ENOMEM. */
static int ockam_dgram_address(struct ockam_sock *os, struct sk_buff *skb,
			       const struct ockam_hops *onward, gfp_t gfp)
{
	struct ockam_hop own = ockam_endpoint_hop(&os->ep);
	struct ockam_cb *cb = ockam_cb(skb);
	u8 *to, *ret;
	int err;

	err = ockam_message_place(skb, onward->len, onward->hops,
				  OCKAM_HOP_HDR_LEN + own.len, 1, &to, &ret, gfp);
	if (err)
		return err;
	memcpy(to, onward->bytes, onward->len);
	ret[0] = own.type;
	ret[1] = own.len;
	memcpy(ret + OCKAM_HOP_HDR_LEN, own.name, own.len);
	cb->ret_id = READ_ONCE(os->ep.id);
	return 0;
}

/* The same along the connected route. -EDESTADDRREQ: there is none any more. */
static int ockam_dgram_address_peer(struct ockam_sock *os, struct sk_buff *skb)
{
	struct ockam_peer *peer;
	struct ockam_hops onward;
	int err = -EDESTADDRREQ;

	rcu_read_lock();
	peer = rcu_dereference(os->peer);
	if (peer) {
		onward = (struct ockam_hops){ peer->route, peer->len, peer->hops };
		/* There is room, unless it is another one by now. */
		err = ockam_dgram_address(os, skb, &onward, GFP_ATOMIC);
		ockam_cb(skb)->to = READ_ONCE(peer->id);
	}
	rcu_read_unlock();
	return err;
}

/*
 * Bring @skb into the node, when the queue that it would stand in has room. What
 * goes to a socket stands in none. Takes ownership.
 */
static int ockam_dgram_send(struct ockam_sock *os, struct sk_buff *skb, bool noblock)
{
	struct ockam_net *on = ockam_cb(skb)->on;
	long timeo = sock_sndtimeo(&os->sk, noblock);
	struct ockam_endpoint *ep;
	struct ockam_dispatch d;
	struct ockam_hop hop;
	int err;

	ockam_message_first(skb, &hop);
	for (;;) {
		ockam_dispatch_init(&d);
		ep = ockam_route_find(on, &hop, ockam_cb(skb)->to, &on->local);
		/* Let the dispatch find and count that, too. */
		if (IS_ERR(ep))
			break;
		if (ep->ops->kind == OCKAM_KIND_SOCKET ||
		    (!ockam_route_full(ep, &d) && ockam_af_charge(os, skb, &d)))
			break;
		ockam_endpoint_put(ep);
		err = ockam_af_wait(os, d.gate, &timeo);
		ockam_dispatch_fini(&d);
		if (err) {
			kfree_skb(skb);
			return err;
		}
	}
	ockam_mib_inc(on, OCKAM_MIB_MESSAGES_SENT_LOCAL);
	if (IS_ERR(ep)) {
		err = ockam_route_dispatch(on, skb, &on->local, &d);
	} else {
		err = ockam_route_dispatch_to(ep, skb, &d);
		ockam_endpoint_put(ep);
	}
	ockam_dispatch_fini(&d);
	return err;
}

int ockam_dgram_sendmsg(struct socket *sock, struct msghdr *m, size_t len)
{
	bool noblock = m->msg_flags & MSG_DONTWAIT;
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_net *on = ockam_netns_from(sock_net(sk));
	struct ockam_hops onward = { NULL };
	struct sockcm_cookie sockc;
	struct sk_buff *skb;
	size_t route;
	int err;

	if (m->msg_flags & (MSG_OOB | MSG_MORE))
		return -EOPNOTSUPP;
	if (len > ockam_netns_limit(on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	sockcm_init(&sockc, sk);
	sockc.mark = READ_ONCE(sk->sk_mark);
	err = ockam_dgram_parse(sk, m, &onward, &sockc);
	if (err)
		return err;
	route = onward.hops ? onward.len : ockam_dgram_peer_len(os);
	if (!route)
		return -EDESTADDRREQ;
	err = ockam_dgram_autobind(os);
	if (err)
		return err;

	skb = ockam_af_alloc(os, route + OCKAM_HOP_HDR_LEN + os->ep.name_len, len,
			     noblock, &err);
	if (!skb)
		return err;
	err = skb_copy_datagram_from_iter(skb, 0, &m->msg_iter, len);
	if (!err)
		err = onward.hops ?
		      ockam_dgram_address(os, skb, &onward, GFP_KERNEL_ACCOUNT) :
		      ockam_dgram_address_peer(os, skb);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	skb->priority = READ_ONCE(sk->sk_priority);
	skb->mark = sockc.mark;
	ockam_cb(skb)->flags = OCKAM_MSG_LOCAL;
	/* sendmmsg(2) has another one for us. */
	if (m->msg_flags & MSG_BATCH)
		ockam_cb(skb)->flags |= OCKAM_MSG_MORE;
	err = ockam_dgram_send(os, skb, noblock);
	/* What the socket was connected to is not there: now it has been told. */
	if (err == -EHOSTUNREACH && !onward.hops)
		sock_error(sk);
	return err ?: len;
}
