// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_SEQPACKET sockets: birth, names, system calls about the connection.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/wait.h>

#include "af_quota.h"
#include "af_seq.h"
#include "channel.h"
#include "message.h"
#include "netns.h"
#include "route.h"

/* Before listen() its name is its own, and nobody's to send to. */
static int ockam_seq_deliver_name(struct ockam_endpoint *ep, struct sk_buff *skb,
				  struct ockam_dispatch *d)
{
	ockam_drop(ep->on, OCKAM_DROP_SOCKET_PEER, skb);
	return 0;
}

static const struct ockam_endpoint_ops ockam_seq_name_ops = {
	.kind = OCKAM_KIND_SOCKET,
	.deliver = ockam_seq_deliver_name,
	.release = ockam_af_release_ep,
};

static void ockam_seq_release_sink(struct ockam_endpoint *ep)
{
	sock_put(&container_of(ep, struct ockam_seq, sink)->os.sk);
}

static const struct ockam_endpoint_ops ockam_seq_sink_ops = {
	.kind = OCKAM_KIND_SOCKET,
	.deliver = ockam_seq_deliver,
	.ended = ockam_seq_ended,
	.release = ockam_seq_release_sink,
};

int ockam_seq_make_sink(struct ockam_seq *seq, const u8 *name, u8 len)
{
	struct ockam_net *on = ockam_netns_from(sock_net(&seq->os.sk));
	int err;

	if (seq->has_sink)
		return 0;
	err = ockam_endpoint_init(&seq->sink, on, &ockam_seq_sink_ops,
				  &on->local, name, len, 0);
	if (err)
		return err;
	ockam_gate_init(&seq->gate, &seq->sink,
			READ_ONCE(seq->os.sk.sk_rcvbuf), NULL);
	sock_hold(&seq->os.sk);
	seq->has_sink = true;
	return 0;
}

static int ockam_seq_connect(struct socket *sock,
			     struct ockam_compat_sockaddr *addr, int len,
			     int flags)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	struct sock *sk = sock->sk;
	struct ockam_hops route;
	int err;

	err = ockam_af_parse_name(&route, addr, len);
	if (err)
		return err;
	if (!route.hops)
		return -EDESTADDRREQ;

	lock_sock(sk);
	err = -EISCONN;
	if (sock->state == SS_CONNECTED || ockam_seq_state(seq) == TCP_LISTEN)
		goto out;
	if (sock->state == SS_UNCONNECTED) {
		err = ockam_route_set(&seq->route, route.bytes, route.len);
		if (!err)
			err = ockam_seq_begin(seq);
		if (err)
			goto out;
		sock->state = SS_CONNECTING;
		err = -EINPROGRESS;
	} else {
		/* One that did not wait, or that a signal has interrupted. */
		err = -EALREADY;
	}
	if (ockam_seq_state(seq) == TCP_SYN_SENT) {
		if (flags & O_NONBLOCK)
			goto out;
		/* The handshake has a deadline of its own, which is SO_SNDTIMEO. */
		release_sock(sk);
		err = wait_event_interruptible(*sk_sleep(sk),
					       ockam_seq_state(seq) != TCP_SYN_SENT);
		lock_sock(sk);
		if (err && ockam_seq_state(seq) == TCP_SYN_SENT) {
			err = sock_intr_errno(sock_sndtimeo(sk, false));
			goto out;
		}
	}
	/* Somebody else may have waited as well, and been first. */
	err = 0;
	if (ockam_seq_state(seq) != TCP_CLOSE) {
		sock->state = SS_CONNECTED;
	} else {
		err = sock_error(sk) ?: -ECONNABORTED;
		sock->state = SS_UNCONNECTED;
	}
out:
	release_sock(sk);
	return err;
}

static int ockam_seq_listen(struct socket *sock, int backlog)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	struct sock *sk = sock->sk;
	int err = 0;

	lock_sock(sk);
	WRITE_ONCE(sk->sk_max_ack_backlog, max(backlog, 1));
	if (sock->state != SS_UNCONNECTED)
		err = -EINVAL;
	else if (ockam_seq_state(seq) != TCP_LISTEN)
		err = ockam_seq_begin_listen(seq);
	release_sock(sk);
	return err;
}

/* The first connection that waits, or NULL with *@err. */
static struct ockam_seq *ockam_seq_first_accept(struct ockam_seq *seq, int *err)
{
	struct sock *sk = &seq->os.sk;
	struct ockam_seq *child;
	bool ended;

	if (ockam_seq_state(seq) != TCP_LISTEN) {
		*err = -EINVAL;
		return NULL;
	}
	spin_lock_bh(&seq->lock);
	child = list_first_entry_or_null(&seq->accepts, struct ockam_seq,
					 accept);
	if (child) {
		list_del_init(&child->accept);
		sk_acceptq_removed(sk);
	}
	ended = sk->sk_shutdown & RCV_SHUTDOWN;
	spin_unlock_bh(&seq->lock);
	*err = -EAGAIN;
	/* What has ended its listening is told first. */
	if (!child && ended)
		*err = sock_error(sk) ?: -EINVAL;
	return child;
}

static bool ockam_seq_may_accept(struct ockam_seq *seq)
{
	return !list_empty_careful(&seq->accepts) ||
	       ockam_seq_state(seq) != TCP_LISTEN ||
	       READ_ONCE(seq->os.sk.sk_shutdown) & RCV_SHUTDOWN;
}

static int ockam_seq_accept(struct socket *sock, struct socket *newsock,
			    OCKAM_COMPAT_ACCEPT_ARGS)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	struct sock *sk = sock->sk;
	struct ockam_seq *child;
	long timeo, left;
	int err;

	timeo = sock_rcvtimeo(sk, ockam_compat_accept_flags & O_NONBLOCK);
	for (;;) {
		child = ockam_seq_first_accept(seq, &err);
		if (child)
			break;
		if (err != -EAGAIN || !timeo)
			return err;
		left = wait_event_interruptible_timeout(*sk_sleep(sk),
							ockam_seq_may_accept(seq),
							timeo);
		if (left < 0)
			return sock_intr_errno(timeo);
		timeo = left;
	}
	lock_sock(&child->os.sk);
	sock_graft(&child->os.sk, newsock);
	newsock->state = SS_CONNECTED;
	release_sock(&child->os.sk);
	return 0;
}

static int ockam_seq_peername(struct ockam_seq *seq, struct sockaddr *addr)
{
	struct ockam_channel *ch = ockam_seq_channel(seq);
	struct ockam_hops route;
	struct ockam_route path;
	u64 first;
	int len;

	if (!ch)
		return -ENOTCONN;
	if (seq->route.hops) {
		route = ockam_route_hops(&seq->route);
		return ockam_af_write_name(addr, &route) ?: -EOVERFLOW;
	}
	/* Accepted: the way to the peer now. */
	ockam_route_init(&path);
	len = ockam_channel_copy_path(ch, &path, &first);
	if (!len) {
		route = ockam_route_hops(&path);
		len = ockam_af_write_name(addr, &route) ?: -EOVERFLOW;
	}
	ockam_route_reset(&path);
	return len;
}

static int ockam_seq_getname(struct socket *sock, struct sockaddr *addr,
			     int want_peer)
{
	u8 packed[OCKAM_HOP_HDR_LEN + OCKAM_ADDR_MAX_LEN];
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	const struct ockam_endpoint *own = NULL;
	struct ockam_hops route = { NULL };
	int len;

	lock_sock(sock->sk);
	if (want_peer) {
		len = ockam_seq_peername(seq, addr);
		goto out;
	}
	if (seq->has_sink)
		own = &seq->sink;
	else if (seq->os.bound)
		own = &seq->os.ep;
	if (own) {
		packed[0] = OCKAM_ADDR_LOCAL;
		packed[1] = own->name_len;
		memcpy(packed + OCKAM_HOP_HDR_LEN, own->name, own->name_len);
		route = (struct ockam_hops){
			packed, OCKAM_HOP_HDR_LEN + own->name_len, 1
		};
	}
	len = ockam_af_write_name(addr, &route) ?: -EOVERFLOW;
out:
	release_sock(sock->sk);
	return len;
}

static int ockam_seq_shutdown(struct socket *sock, int how)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	struct sock *sk = sock->sk;
	int err = 0;

	/* SHUT_RD, SHUT_WR, SHUT_RDWR to the bits of sk_shutdown. */
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	how++;

	lock_sock(sk);
	spin_lock_bh(&seq->lock);
	if (sk->sk_state == TCP_LISTEN || seq->ch)
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	else
		err = -ENOTCONN;
	/* Both halves, maybe one after the other: nothing is left to be kept. */
	seq->closing |= !err && sk->sk_shutdown == SHUTDOWN_MASK;
	spin_unlock_bh(&seq->lock);
	if (!err && how & SEND_SHUTDOWN) {
		ockam_gate_cancel(&seq->os.blocked.gate);
		ockam_seq_drop_record(seq);
	}
	if (!err && seq->ch && sk->sk_shutdown == SHUTDOWN_MASK)
		ockam_channel_finish(seq->ch, "shut down by its socket");
	if (!err)
		sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}

static __poll_t ockam_seq_poll(struct file *file, struct socket *sock,
			       poll_table *wait)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	struct sock *sk = sock->sk;
	__poll_t mask = 0;
	u8 shutdown;
	int state;

	sock_poll_wait(file, sock, wait);
	/* The state last: what it has brought about is there then. */
	shutdown = READ_ONCE(sk->sk_shutdown);
	state = ockam_seq_state(seq);
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR | EPOLLIN | EPOLLRDNORM;
	if (state == TCP_LISTEN) {
		if (ockam_seq_may_accept(seq))
			mask |= EPOLLIN | EPOLLRDNORM;
		return mask;
	}
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!skb_queue_empty_lockless(&sk->sk_receive_queue) && ockam_seq_channel(seq))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (state == TCP_SYN_SENT)
		return mask;
	if (state == TCP_CLOSE || shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (state != TCP_ESTABLISHED || shutdown & SEND_SHUTDOWN) {
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	} else {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		/* Room that has come before is seen, other room wakes. */
		smp_mb__after_atomic();
		if (sock_writeable(sk) && !READ_ONCE(seq->os.blocked.gate.gate))
			mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	}
	return mask;
}

/* What was sent has left, or been acknowledged where that keeps the bytes. */
static bool ockam_seq_has_left(const struct sock *sk)
{
	/* sock_wfree() wakes when one byte of the last message is left. */
	return sk_wmem_alloc_get(sk) <= 1;
}

static int ockam_seq_release(struct socket *sock)
{
	bool linger, abort;
	struct ockam_seq *seq;
	struct sock *sk = sock->sk;

	if (!sk)
		return 0;
	seq = ockam_seq_sk(sk);
	lock_sock(sk);
	linger = sock_flag(sk, SOCK_LINGER) && !(current->flags & PF_EXITING);
	abort = sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime;
	ockam_seq_end(seq, abort);
	release_sock(sk);
	if (linger && !abort)
		wait_event_interruptible_timeout(*sk_sleep(sk),
						 ockam_seq_has_left(sk),
						 sk->sk_lingertime);
	lock_sock(sk);
	sock_orphan(sk);
	sock->sk = NULL;
	release_sock(sk);
	ockam_seq_discard(seq);
	return 0;
}

static void ockam_seq_destruct(struct sock *sk)
{
	struct ockam_seq *seq = ockam_seq_sk(sk);

	WARN_ON_ONCE(!list_empty(&seq->accepts) || !list_empty(&seq->accept));
	WARN_ON_ONCE(seq->listener);
	ockam_route_reset(&seq->route);
	kfree(seq->rules.authorized);
	ockam_af_destruct(sk);
}

static const struct proto_ops ockam_seq_ops = {
	.family = PF_OCKAM,
	.owner = THIS_MODULE,
	.release = ockam_seq_release,
	.bind = ockam_af_bind,
	.connect = ockam_seq_connect,
	.socketpair = sock_no_socketpair,
	.accept = ockam_seq_accept,
	.getname = ockam_seq_getname,
	.poll = ockam_seq_poll,
	.ioctl = ockam_af_ioctl,
	.gettstamp = sock_gettstamp,
	.listen = ockam_seq_listen,
	.shutdown = ockam_seq_shutdown,
	.setsockopt = ockam_seq_setsockopt,
	.getsockopt = ockam_seq_getsockopt,
	.sendmsg = ockam_seq_sendmsg,
	.recvmsg = ockam_seq_recvmsg,
	.mmap = sock_no_mmap,
	.set_rcvlowat = ockam_af_set_rcvlowat,
	OCKAM_COMPAT_NO_SENDPAGE
};

static struct proto ockam_seq_proto = {
	.name = "OCKAM-SEQ",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct ockam_seq),
};

static struct ockam_seq *ockam_seq_alloc(struct net *net, struct socket *sock,
					 kuid_t uid, int kern)
{
	struct ockam_sock *os;
	struct ockam_seq *seq;

	os = ockam_af_alloc_sock(net, sock, &ockam_seq_proto, uid, kern);
	if (!os)
		return NULL;
	os->ep_ops = &ockam_seq_name_ops;
	/* Who is at the other end is known in any case, and may be chosen. */
	os->reach = OCKAM_REACH_ALL;
	os->sk.sk_destruct = ockam_seq_destruct;
	seq = container_of(os, struct ockam_seq, os);
	spin_lock_init(&seq->lock);
	INIT_LIST_HEAD(&seq->accepts);
	INIT_LIST_HEAD(&seq->accept);
	ockam_route_init(&seq->route);
	seq->uid = uid;
	return seq;
}

struct ockam_seq *ockam_seq_alloc_child(struct ockam_seq *parent)
{
	struct sock *psk = &parent->os.sk, *sk;
	struct ockam_seq *seq;

	seq = ockam_seq_alloc(sock_net(psk), NULL, parent->uid, 0);
	if (!seq)
		return NULL;
	sk = &seq->os.sk;
	/* What a program has set for all that it accepts. */
	sk->sk_type = psk->sk_type;
	sk->sk_protocol = psk->sk_protocol;
	sk->sk_rcvbuf = READ_ONCE(psk->sk_rcvbuf);
	sk->sk_sndbuf = READ_ONCE(psk->sk_sndbuf);
	sk->sk_userlocks = psk->sk_userlocks;
	sk->sk_rcvtimeo = READ_ONCE(psk->sk_rcvtimeo);
	sk->sk_sndtimeo = READ_ONCE(psk->sk_sndtimeo);
	sk->sk_priority = READ_ONCE(psk->sk_priority);
	sk->sk_mark = READ_ONCE(psk->sk_mark);
	if (sock_flag(psk, SOCK_LINGER))
		sock_set_flag(sk, SOCK_LINGER);
	sk->sk_lingertime = READ_ONCE(psk->sk_lingertime);
	security_sk_clone(psk, sk);
	return seq;
}

int ockam_seq_create(struct net *net, struct socket *sock, int kern)
{
	if (!ockam_seq_alloc(net, sock, SOCK_INODE(sock)->i_uid, kern))
		return -ENOMEM;
	sock->ops = &ockam_seq_ops;
	return 0;
}

int ockam_seq_init(void)
{
	return proto_register(&ockam_seq_proto, 1);
}

void ockam_seq_exit(void)
{
	proto_unregister(&ockam_seq_proto);
}
