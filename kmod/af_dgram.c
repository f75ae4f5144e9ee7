// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of SOCK_DGRAM sockets: into the node, out of it, and the receive
 * queue between.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <net/compat.h>

#include "af_ockam.h"
#include "compat.h"
#include "message.h"
#include "netns.h"
#include "route.h"

/*
 * Return a charge to the send buffer. Like the release of an skb: the charge
 * has kept the socket's memory, so the last byte may end it. Any context.
 */
static void ockam_dgram_uncharge_tx(struct ockam_message *msg)
{
	struct sock *sk = msg->sk;

	msg->uncharge = NULL;
	msg->sk = NULL;
	WARN_ON_ONCE(refcount_sub_and_test(msg->charged - 1,
					   &sk->sk_wmem_alloc));
	sk->sk_write_space(sk);
	sk_free(sk);	/* the last byte */
}

static void ockam_dgram_charge_tx(struct ockam_message *msg, struct sock *sk)
{
	msg->sk = sk;
	msg->charged = msg->truesize;
	msg->uncharge = ockam_dgram_uncharge_tx;
	refcount_add(msg->charged, &sk->sk_wmem_alloc);
}

static void ockam_dgram_uncharge_rx(struct ockam_message *msg)
{
	struct sock *sk = msg->sk;

	msg->uncharge = NULL;
	msg->sk = NULL;
	atomic_sub(msg->charged, &sk->sk_rmem_alloc);
}

/* Does it come from where connect() pointed, and not from who has that name now? */
static bool __ockam_dgram_from_peer(const struct ockam_sock *os,
				    const struct ockam_message *msg)
	__must_hold(&os->rx_lock)
{
	return msg->ret.len == os->peer.len &&
	       !memcmp(ockam_route_bytes(&msg->ret),
		       ockam_route_bytes(&os->peer), os->peer.len) &&
	       (os->peer_id == OCKAM_ENDPOINT_ANY ||
		os->peer_id == msg->ret_id);
}

/*
 * Put @msg into the queue, or say why not. One message may go over the limit of
 * the buffer, or messages larger than the buffer could never be received.
 */
static int __ockam_dgram_enqueue(struct ockam_sock *os,
				 struct ockam_message *msg)
	__must_hold(&os->rx_lock)
{
	struct sock *sk = &os->sk;

	lockdep_assert_held(&os->rx_lock);
	if (os->rx_dead || sk->sk_shutdown & RCV_SHUTDOWN)
		return OCKAM_DROP_DEAD;
	if (os->connected && !__ockam_dgram_from_peer(os, msg))
		return OCKAM_DROP_SOCKET_PEER;
	if (atomic_read(&sk->sk_rmem_alloc) >= READ_ONCE(sk->sk_rcvbuf)) {
		atomic_inc(&sk->sk_drops);
		return OCKAM_DROP_SOCKET_FULL;
	}
	msg->sk = sk;
	msg->charged = msg->truesize;
	msg->uncharge = ockam_dgram_uncharge_rx;
	msg->cookie = atomic_read(&sk->sk_drops);
	atomic_add(msg->charged, &sk->sk_rmem_alloc);
	list_add_tail(&msg->list, &os->rx);
	return OCKAM_MIB_MESSAGES_DELIVERED;
}

int ockam_dgram_deliver(struct ockam_endpoint *ep, struct ockam_message *msg,
			struct ockam_dispatch *d)
{
	struct ockam_sock *os = container_of(ep, struct ockam_sock, ep);
	enum ockam_mib outcome;

	/* From here on the receiver pays, or nobody. */
	if (msg->uncharge)
		msg->uncharge(msg);
	ockam_message_leave_node(msg);
	ockam_message_count_routes(msg);
	spin_lock_bh(&os->rx_lock);
	outcome = __ockam_dgram_enqueue(os, msg);
	spin_unlock_bh(&os->rx_lock);
	if (outcome != OCKAM_MIB_MESSAGES_DELIVERED) {
		/* A datagram: the sender does not learn what became of it. */
		ockam_drop(ep->on, outcome, msg);
		return 0;
	}
	ockam_mib_inc(ep->on, outcome);
	os->sk.sk_data_ready(&os->sk);
	return 0;
}

void ockam_dgram_close(struct ockam_sock *os)
{
	LIST_HEAD(list);

	spin_lock_bh(&os->rx_lock);
	os->rx_dead = true;
	list_splice_init(&os->rx, &list);
	spin_unlock_bh(&os->rx_lock);
	ockam_message_free_list(&list);
}

size_t ockam_dgram_first_len(struct ockam_sock *os)
{
	struct ockam_message *msg;
	size_t len = 0;

	spin_lock_bh(&os->rx_lock);
	msg = list_first_entry_or_null(&os->rx, struct ockam_message, list);
	if (msg)
		len = msg->len;
	spin_unlock_bh(&os->rx_lock);
	return len;
}

/* What a caller waits for; both look at the socket without its lock. */
static bool ockam_dgram_readable(struct sock *sk)
{
	return !list_empty_careful(&ockam_af_sock(sk)->rx) ||
	       READ_ONCE(ockam_af_sock(sk)->hungup) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
}

static bool ockam_dgram_has_room(struct sock *sk)
{
	return sk_wmem_alloc_get(sk) < READ_ONCE(sk->sk_sndbuf);
}

static bool ockam_dgram_writable(struct sock *sk)
{
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN ||
	    ockam_dgram_has_room(sk))
		return true;
	/* Ask to be woken, then look again. */
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	/* Room that came before the bits were set woke nobody. */
	smp_mb__after_atomic();
	return ockam_dgram_has_room(sk);
}

/*
 * Sleep until @ready, at most *@timeo. 0, -EAGAIN, or what a signal means. No
 * lock is held, so nobody waits for the sleeper.
 */
static int ockam_dgram_wait(struct sock *sk, long *timeo,
			    bool (*ready)(struct sock *sk))
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (!ready(sk)) {
		if (!*timeo) {
			err = -EAGAIN;
			break;
		}
		if (signal_pending(current)) {
			err = sock_intr_errno(*timeo);
			break;
		}
		*timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, *timeo);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

/* The onward route among the ancillary data, if there. Sets *@given. */
static int ockam_dgram_parse_control(struct msghdr *m, struct ockam_route *route,
				     bool *given)
{
	struct cmsghdr *c;
	int err;

	for_each_cmsghdr(c, m) {
		if (!CMSG_OK(m, c))
			return -EINVAL;
		if (c->cmsg_level != SOL_OCKAM)
			continue;
		if (c->cmsg_type != OCKAM_CMSG_ROUTE || *given)
			return -EINVAL;
		err = ockam_route_set(route, CMSG_DATA(c),
				      c->cmsg_len - CMSG_LEN(0));
		if (err)
			return err == -E2BIG ? -EINVAL : err;
		*given = true;
	}
	return 0;
}

/*
 * Where does this message go, and under which name of ours? *@to: what the
 * route has to begin with.
 */
static int ockam_dgram_resolve(struct ockam_sock *os, struct msghdr *m,
			       struct ockam_route *onward, u64 *to)
{
	bool given = m->msg_name;
	int err;

	if (given) {
		err = ockam_af_parse_name(onward, m->msg_name, m->msg_namelen);
		if (err)
			return err;
	}
	if (m->msg_controllen) {
		err = ockam_dgram_parse_control(m, onward, &given);
		if (err)
			return err;
	}

	lock_sock(&os->sk);
	if (!given && os->connected) {
		err = ockam_route_copy(onward, &os->peer);
		/* If it was not there, it may be there now. */
		ockam_af_watch_peer(os);
		*to = os->peer_id;
	} else {
		err = onward->hops ? 0 : -EDESTADDRREQ;
	}
	if (!err && !os->bound)
		err = ockam_af_bind_name(os, NULL, 0);
	release_sock(&os->sk);
	return err;
}

static int ockam_dgram_send(struct ockam_sock *os, struct ockam_message *msg)
{
	struct ockam_net *on = msg->on;
	struct ockam_dispatch d;
	int err;

	err = ockam_message_return_to(msg, &os->ep);
	if (err) {
		ockam_message_free(msg);
		return err;
	}
	ockam_mib_inc(on, OCKAM_MIB_MESSAGES_SENT_LOCAL);
	ockam_dispatch_init(&d);
	err = ockam_route_dispatch(on, msg, &on->local, &d);
	/* A full queue on the way needs nothing: the send buffer bounds us. */
	ockam_dispatch_fini(&d);
	return err;
}

/*
 * All sockets together get half of the node's memory. Its links stop reading
 * when it is full and go on when half of it is free, so programs that send more
 * than is taken from them, whoever they belong to, do not stop the links.
 */
static bool ockam_dgram_node_has_room(struct ockam_net *on)
{
	u64 limit = ockam_netns_limit(on, OCKAM_LIMIT_NODE_QUEUE_BYTES);

	return !ockam_gate_full(&on->memory) &&
	       (u64)atomic64_read(&on->local_bytes) <= limit / 2;
}

int ockam_dgram_sendmsg(struct socket *sock, struct msghdr *m, size_t len)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_net *on = ockam_netns_from(sock_net(sk));
	struct ockam_message *msg;
	struct ockam_route onward;
	u64 to = OCKAM_ENDPOINT_ANY;
	long timeo;
	int err;

	if (m->msg_flags & (MSG_OOB | MSG_MORE))
		return -EOPNOTSUPP;
	if (len > ockam_netns_limit(on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	ockam_route_init(&onward);
	err = ockam_dgram_resolve(os, m, &onward, &to);
	if (err)
		goto out;

	timeo = sock_sndtimeo(sk, m->msg_flags & MSG_DONTWAIT);
	err = ockam_dgram_wait(sk, &timeo, ockam_dgram_writable);
	if (err)
		goto out;
	err = -EPIPE;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		goto out;

	err = -ENOBUFS;
	if (!ockam_dgram_node_has_room(on))
		goto out;
	msg = ockam_message_alloc(on, OCKAM_MESSAGE_HEADROOM, len,
				  OCKAM_MESSAGE_TAILROOM, GFP_KERNEL_ACCOUNT);
	if (!msg)
		goto out;
	err = memcpy_from_msg(msg->data, m, len);
	if (err) {
		ockam_message_free(msg);
		goto out;
	}
	ockam_route_move(&msg->onward, &onward);
	msg->to = to;
	/* sendmmsg(2) has another one for us. */
	msg->more = m->msg_flags & MSG_BATCH;
	ockam_message_count_routes(msg);
	ockam_message_mark_local(msg);
	ockam_dgram_charge_tx(msg, sk);
	err = ockam_dgram_send(os, msg);
	/* What the socket was connected to is not there: now it has been told. */
	if (err == -EHOSTUNREACH && to != OCKAM_ENDPOINT_ANY)
		sock_error(sk);
out:
	ockam_route_reset(&onward);
	return err ?: len;
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

/* Ancillary data is there in full, or MSG_CTRUNC says that it is not. */
static void ockam_dgram_put_cmsg(struct msghdr *m, int level, int type,
				 size_t len, const void *data)
{
	if (m->msg_controllen < ockam_dgram_cmsg_len(m, len))
		m->msg_flags |= MSG_CTRUNC;
	else
		put_cmsg(m, level, type, len, (void *)data);
}

/* Address and ancillary data of @msg. */
static void ockam_dgram_describe(struct ockam_sock *os, struct msghdr *m,
				 const struct ockam_message *msg)
{
	bool recv_route = READ_ONCE(os->recv_route);
	u32 drops = msg->cookie;

	if (m->msg_name) {
		m->msg_namelen = ockam_af_write_name(m->msg_name, &msg->ret);
		if (!m->msg_namelen && !recv_route)
			m->msg_flags |= MSG_CTRUNC;
	}
	if (recv_route)
		ockam_dgram_put_cmsg(m, SOL_OCKAM, OCKAM_CMSG_ROUTE,
				     msg->ret.len, ockam_route_bytes(&msg->ret));
	if (READ_ONCE(os->recv_peer) && msg->has_peer)
		ockam_dgram_put_cmsg(m, SOL_OCKAM, OCKAM_CMSG_PEER,
				     sizeof(msg->peer), msg->peer);
	if (sock_flag(&os->sk, SOCK_RXQ_OVFL) && drops)
		ockam_dgram_put_cmsg(m, SOL_SOCKET, SO_RXQ_OVFL, sizeof(drops),
				     &drops);
}

/*
 * The first message, with ->rx_mutex held so that it stays the first; or NULL
 * with *@err, where 0 means that nothing will come any more.
 */
static struct ockam_message *ockam_dgram_wait_first(struct ockam_sock *os,
						    long timeo, int *err)
{
	struct ockam_message *msg;
	struct sock *sk = &os->sk;

	for (;;) {
		*err = mutex_lock_interruptible(&os->rx_mutex);
		if (*err) {
			*err = sock_intr_errno(timeo);
			return NULL;
		}
		spin_lock_bh(&os->rx_lock);
		msg = list_first_entry_or_null(&os->rx, struct ockam_message,
					       list);
		spin_unlock_bh(&os->rx_lock);
		if (msg)
			return msg;
		mutex_unlock(&os->rx_mutex);
		if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN)
			return NULL;
		*err = sock_error(sk);
		/* Nothing will come any more, whoever reads. */
		if (!*err && READ_ONCE(os->hungup))
			*err = -ECONNRESET;
		if (*err)
			return NULL;
		*err = ockam_dgram_wait(sk, &timeo, ockam_dgram_readable);
		if (*err)
			return NULL;
	}
}

int ockam_dgram_recvmsg(struct socket *sock, struct msghdr *m, size_t len,
			int flags)
{
	struct ockam_sock *os = ockam_af_sock(sock->sk);
	struct ockam_message *msg;
	size_t copied;
	int err;

	if (flags & (MSG_OOB | MSG_ERRQUEUE))
		return -EOPNOTSUPP;
	msg = ockam_dgram_wait_first(os, sock_rcvtimeo(sock->sk,
						       flags & MSG_DONTWAIT),
				     &err);
	if (!msg) {
		m->msg_namelen = 0;
		return err;
	}

	copied = min(len, msg->len);
	if (copied < msg->len)
		m->msg_flags |= MSG_TRUNC;
	/* A fault leaves the message where it was. */
	err = memcpy_to_msg(m, msg->data, copied);
	if (err)
		goto out;
	ockam_dgram_describe(os, m, msg);
	err = flags & MSG_TRUNC ? msg->len : copied;
	if (!(flags & MSG_PEEK)) {
		spin_lock_bh(&os->rx_lock);
		list_del_init(&msg->list);
		spin_unlock_bh(&os->rx_lock);
		ockam_message_free(msg);
	}
out:
	mutex_unlock(&os->rx_mutex);
	return err;
}
