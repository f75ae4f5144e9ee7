// SPDX-License-Identifier: GPL-2.0
/*
 * The socket family: life of a socket, its names, waiting.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include <linux/user_namespace.h>
#include <asm/ioctls.h>

#include "af_ockam.h"
#include "af_quota.h"
#include "compat.h"
#include "message.h"
#include "netns.h"
#include "sockopt.h"

/* Who may send to a socket unless OCKAM_REACH says otherwise. */
#define OCKAM_AF_DEFAULT_REACH	(OCKAM_REACH_LOCAL | OCKAM_REACH_CHANNELS)

#define OCKAM_AF_NAME_HDR	offsetof(struct sockaddr_ockam, sockam_route)

/* Names that peers take for services of the node itself. */
static const char * const ockam_af_reserved_names[] = {
	"api", "echo", "uppercase", "forwarding_service",
	"static_forwarding_service",
};

static const char ockam_af_reserved_prefix[] = "_internal.";

static bool ockam_af_name_reserved(const u8 *name, u8 len)
{
	const size_t prefix = sizeof(ockam_af_reserved_prefix) - 1;
	size_t i;

	if (len >= prefix && !memcmp(name, ockam_af_reserved_prefix, prefix))
		return true;
	for (i = 0; i < ARRAY_SIZE(ockam_af_reserved_names); i++) {
		if (len == strlen(ockam_af_reserved_names[i]) &&
		    !memcmp(name, ockam_af_reserved_names[i], len))
			return true;
	}
	return false;
}

static bool ockam_af_is_admin(const struct sock *sk)
{
	return ns_capable_noaudit(sock_net(sk)->user_ns, CAP_NET_ADMIN);
}

int ockam_af_parse_name(struct ockam_route *route, const void *name,
			int name_len)
{
	const struct sockaddr_ockam *sa = name;
	struct ockam_route parsed;
	size_t room, used = 0;
	unsigned int i;
	int err;

	if (name_len < (int)sizeof(sa->sockam_family))
		return -EINVAL;
	if (sa->sockam_family != AF_OCKAM)
		return -EAFNOSUPPORT;
	if (name_len < (int)OCKAM_AF_NAME_HDR || name_len > (int)sizeof(*sa) ||
	    sa->sockam_pad)
		return -EINVAL;
	room = name_len - OCKAM_AF_NAME_HDR;
	for (i = 0; i < sa->sockam_hops; i++) {
		if (room - used < OCKAM_HOP_HDR_LEN)
			return -EINVAL;
		used += OCKAM_HOP_HDR_LEN + sa->sockam_route[used + 1];
		if (used > room)
			return -EINVAL;
	}
	if (memchr_inv(sa->sockam_route + used, 0, room - used))
		return -EINVAL;

	ockam_route_init(&parsed);
	err = ockam_route_set(&parsed, sa->sockam_route, used);
	if (err)
		return err == -E2BIG ? -EINVAL : err;
	ockam_route_move(route, &parsed);
	return 0;
}

int ockam_af_write_name(void *name, const struct ockam_route *route)
{
	struct sockaddr_ockam *sa = name;

	BUILD_BUG_ON(sizeof(*sa) > sizeof(struct sockaddr_storage));

	if (route->len > sizeof(sa->sockam_route))
		return 0;
	sa->sockam_family = AF_OCKAM;
	sa->sockam_hops = route->hops;
	sa->sockam_pad = 0;
	memcpy(sa->sockam_route, ockam_route_bytes(route), route->len);
	return OCKAM_AF_NAME_HDR + route->len;
}

/* ->ep had one reference of the socket, which it keeps until here. */
static void ockam_af_release_ep(struct ockam_endpoint *ep)
{
	struct ockam_sock *os = container_of(ep, struct ockam_sock, ep);

	ockam_quota_give(os->user);
	sock_put(&os->sk);
}

static const struct ockam_endpoint_ops ockam_af_dgram_ep_ops = {
	.kind = OCKAM_KIND_SOCKET,
	.deliver = ockam_dgram_deliver,
	.release = ockam_af_release_ep,
};

int ockam_af_bind_name(struct ockam_sock *os, const u8 *name, u8 len)
{
	struct ockam_net *on = ockam_netns_from(sock_net(&os->sk));
	int err;

	sock_owned_by_me(&os->sk);

	err = ockam_quota_take(&os->sk, &os->user);
	if (err)
		return err;
	err = ockam_endpoint_init(&os->ep, on, &ockam_af_dgram_ep_ops,
				  &on->local, name, len, os->reach);
	if (err)
		goto err_quota;
	if (name)
		err = ockam_endpoint_take_name(&os->ep,
					       ockam_af_is_admin(&os->sk),
					       NULL);
	if (err)
		goto err_name;
	sock_hold(&os->sk);
	err = ockam_endpoint_add(&os->ep, NULL);
	if (err)
		goto err_endpoint;
	os->bound = true;
	return 0;

err_endpoint:
	__sock_put(&os->sk);
err_name:
	ockam_endpoint_fini(&os->ep);
err_quota:
	ockam_quota_give(os->user);
	os->user = NULL;
	return err;
}

static int ockam_af_bind(struct socket *sock, struct ockam_compat_sockaddr *addr,
			 int len)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_hop hop = { .name = NULL };
	struct ockam_route route;
	int err;

	ockam_route_init(&route);
	err = ockam_af_parse_name(&route, addr, len);
	if (err)
		return err;
	err = -EINVAL;
	if (route.hops > 1)
		goto out;
	if (ockam_route_first(&route, &hop)) {
		err = -EADDRNOTAVAIL;
		if (hop.type != OCKAM_ADDR_LOCAL)
			goto out;
		err = -EACCES;
		if (ockam_af_name_reserved(hop.name, hop.len) &&
		    !ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
			goto out;
	}

	lock_sock(sk);
	err = -EINVAL;
	if (!os->bound)
		err = ockam_af_bind_name(os, hop.name, hop.len);
	release_sock(sk);
out:
	ockam_route_reset(&route);
	return err;
}

/*
 * The first address of the connected route has gone, or has no way on. Under
 * on->address_lock; the socket lives, or the watch had been stopped.
 */
static void ockam_af_peer_gone(struct ockam_watch *watch, bool gone)
{
	struct ockam_sock *os = container_of(watch, struct ockam_sock, watch);
	struct sock *sk = &os->sk;

	if (gone)
		WRITE_ONCE(os->hungup, true);
	WRITE_ONCE(sk->sk_err, gone ? ECONNRESET : EHOSTUNREACH);
	sk_error_report(sk);
}

void ockam_af_watch_peer(struct ockam_sock *os)
{
	u64 id = OCKAM_ENDPOINT_ANY;
	struct ockam_hop first;

	sock_owned_by_me(&os->sk);
	if (os->peer_id != OCKAM_ENDPOINT_ANY ||
	    !ockam_route_first(&os->peer, &first))
		return;
	/* If it goes in between ->hungup is set already. */
	ockam_watch_start(&os->watch, &first, &id);
	spin_lock_bh(&os->rx_lock);
	os->peer_id = id;
	spin_unlock_bh(&os->rx_lock);
}

static int ockam_af_connect(struct socket *sock,
			    struct ockam_compat_sockaddr *addr, int len,
			    int flags)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_route route;
	bool connect;
	int err = 0;

	if (len < (int)sizeof(addr->sa_family))
		return -EINVAL;
	ockam_route_init(&route);
	connect = addr->sa_family != AF_UNSPEC;
	if (connect) {
		err = ockam_af_parse_name(&route, addr, len);
		if (err)
			return err;
		if (!route.hops)
			return -EDESTADDRREQ;
	}

	lock_sock(sk);
	if (connect && !os->bound)
		err = ockam_af_bind_name(os, NULL, 0);
	if (!err) {
		/* What the old route had to say does not matter any more. */
		ockam_watch_stop(&os->watch);
		spin_lock_bh(&os->rx_lock);
		ockam_route_move(&os->peer, &route);
		os->peer_id = OCKAM_ENDPOINT_ANY;
		os->connected = connect;
		spin_unlock_bh(&os->rx_lock);
		WRITE_ONCE(sk->sk_err, 0);
		WRITE_ONCE(os->hungup, false);
		if (connect)
			ockam_af_watch_peer(os);
		sock->state = connect ? SS_CONNECTED : SS_UNCONNECTED;
	}
	release_sock(sk);
	ockam_route_reset(&route);
	return err;
}

static int ockam_af_getname(struct socket *sock, struct sockaddr *addr,
			    int peer)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_route route;
	struct ockam_hop hop;
	int err = 0;

	ockam_route_init(&route);
	lock_sock(sk);
	if (peer) {
		err = os->connected ? ockam_route_copy(&route, &os->peer) :
				      -ENOTCONN;
	} else if (os->bound) {
		hop = ockam_endpoint_hop(&os->ep);
		err = ockam_route_push_front(&route, &hop);
	}
	release_sock(sk);
	if (!err) {
		/* A name longer than the structure has no other way out. */
		err = ockam_af_write_name(addr, &route) ?: -EOVERFLOW;
	}
	ockam_route_reset(&route);
	return err;
}

static int ockam_af_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);

	/* SHUT_RD, SHUT_WR, SHUT_RDWR to the bits of sk_shutdown. */
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	how++;

	lock_sock(sk);
	spin_lock_bh(&os->rx_lock);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	spin_unlock_bh(&os->rx_lock);
	sk->sk_state_change(sk);
	/* Writers do not wait for that. */
	sk->sk_write_space(sk);
	release_sock(sk);
	return 0;
}

static __poll_t ockam_af_poll(struct file *file, struct socket *sock,
			      poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	u8 shutdown;
	__poll_t mask = 0;

	sock_poll_wait(file, sock, wait);
	shutdown = READ_ONCE(sk->sk_shutdown);
	/*
	 * Until somebody was told: ->hungup alone is nothing that happens, and
	 * would wake a poller again and again.
	 */
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR | EPOLLIN | EPOLLRDNORM;
	if (shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	/* A reader looks again under the lock; here a glance is enough. */
	if (!list_empty_careful(&os->rx))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (shutdown & SEND_SHUTDOWN)
		return mask | EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	if (!sock_writeable(sk)) {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sock->flags);
		/* Room that came before the bits were set woke nobody. */
		smp_mb__after_atomic();
	}
	if (sock_writeable(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

static int ockam_af_ioctl(struct socket *sock, unsigned int cmd,
			  unsigned long arg)
{
	struct sock *sk = sock->sk;
	size_t n;

	switch (cmd) {
	case SIOCINQ:
		n = ockam_dgram_first_len(ockam_af_sock(sk));
		break;
	case SIOCOUTQ:
		n = sk_wmem_alloc_get(sk);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	return put_user((int)n, (int __user *)arg);
}

static int ockam_af_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os;

	if (!sk)
		return 0;
	os = ockam_af_sock(sk);
	lock_sock(sk);
	ockam_watch_stop(&os->watch);
	/* First no look-up finds it, then those that did find it closed. */
	if (os->bound)
		ockam_endpoint_remove(&os->ep);
	ockam_dgram_close(os);
	sock_orphan(sk);
	sock->sk = NULL;
	release_sock(sk);

	if (os->bound)
		ockam_endpoint_put(&os->ep);
	sock_put(sk);
	return 0;
}

/* Any context that may free a message. */
static void ockam_af_destruct(struct sock *sk)
{
	struct ockam_sock *os = ockam_af_sock(sk);

	WARN_ON_ONCE(!list_empty(&os->rx));
	WARN_ON_ONCE(!list_empty(&os->watch.list));
	WARN_ON_ONCE(atomic_read(&sk->sk_rmem_alloc));
	ockam_route_reset(&os->peer);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
}

static const struct proto_ops ockam_af_dgram_ops = {
	.family = PF_OCKAM,
	.owner = THIS_MODULE,
	.release = ockam_af_release,
	.bind = ockam_af_bind,
	.connect = ockam_af_connect,
	.socketpair = sock_no_socketpair,
	.accept = sock_no_accept,
	.getname = ockam_af_getname,
	.poll = ockam_af_poll,
	.ioctl = ockam_af_ioctl,
	.listen = sock_no_listen,
	.shutdown = ockam_af_shutdown,
	.setsockopt = ockam_sockopt_set,
	.getsockopt = ockam_sockopt_get,
	.sendmsg = ockam_dgram_sendmsg,
	.recvmsg = ockam_dgram_recvmsg,
	.mmap = sock_no_mmap,
	OCKAM_COMPAT_NO_SENDPAGE
};

static struct proto ockam_af_proto = {
	.name = "OCKAM",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct ockam_sock),
};

static int ockam_af_create(struct net *net, struct socket *sock, int protocol,
			   int kern)
{
	const struct proto_ops *ops;
	struct ockam_sock *os;
	struct sock *sk;

	switch (sock->type) {
	case SOCK_DGRAM:
		ops = &ockam_af_dgram_ops;
		break;
	default:
		return -ESOCKTNOSUPPORT;
	}
	if (protocol)
		return -EPROTONOSUPPORT;

	sk = sk_alloc(net, PF_OCKAM, GFP_KERNEL, &ockam_af_proto, kern);
	if (!sk)
		return -ENOMEM;
	sock_init_data(sock, sk);
	sock->ops = ops;
	sk->sk_destruct = ockam_af_destruct;

	os = ockam_af_sock(sk);
	os->reach = OCKAM_AF_DEFAULT_REACH;
	ockam_route_init(&os->peer);
	ockam_watch_init(&os->watch, ockam_netns_from(net), ockam_af_peer_gone);
	mutex_init(&os->rx_mutex);
	spin_lock_init(&os->rx_lock);
	INIT_LIST_HEAD(&os->rx);
	sock_prot_inuse_add(net, sk->sk_prot, 1);
	return 0;
}

static const struct net_proto_family ockam_af_family = {
	.family = PF_OCKAM,
	.create = ockam_af_create,
	.owner = THIS_MODULE,
};

int ockam_af_init(void)
{
	int err;

	err = proto_register(&ockam_af_proto, 1);
	if (err)
		return err;
	err = sock_register(&ockam_af_family);
	if (err)
		proto_unregister(&ockam_af_proto);
	return err;
}

void ockam_af_exit(void)
{
	sock_unregister(PF_OCKAM);
	proto_unregister(&ockam_af_proto);
}

MODULE_ALIAS_NETPROTO(PF_OCKAM);
