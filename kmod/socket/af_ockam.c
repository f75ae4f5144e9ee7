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

bool ockam_af_is_admin(const struct sock *sk)
{
	return ns_capable_noaudit(sock_net(sk)->user_ns, CAP_NET_ADMIN);
}

int ockam_af_parse_name(struct ockam_hops *route, const void *name, int name_len)
{
	const struct sockaddr_ockam *sa = name;
	size_t room, used = 0;
	unsigned int i;

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
	if (memchr_inv(sa->sockam_route + used, 0, room - used) ||
	    ockam_route_check(sa->sockam_route, used) < 0)
		return -EINVAL;
	*route = (struct ockam_hops){ sa->sockam_route, used, sa->sockam_hops };
	return 0;
}

int ockam_af_write_name(void *name, const struct ockam_hops *route)
{
	struct sockaddr_ockam *sa = name;

	BUILD_BUG_ON(sizeof(*sa) > sizeof(struct sockaddr_storage));

	if (route->len > sizeof(sa->sockam_route))
		return 0;
	sa->sockam_family = AF_OCKAM;
	sa->sockam_hops = route->hops;
	sa->sockam_pad = 0;
	memcpy(sa->sockam_route, route->bytes, route->len);
	return OCKAM_AF_NAME_HDR + route->len;
}

void ockam_af_release_ep(struct ockam_endpoint *ep)
{
	struct ockam_sock *os = container_of(ep, struct ockam_sock, ep);

	if (os->counted)
		ockam_quota_give_address(os->account);
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
	bool admin = ockam_af_is_admin(&os->sk);
	int err;

	sock_owned_by_me(&os->sk);

	/* An administrator's are not counted. */
	if (!admin) {
		err = ockam_quota_take_address(os->account);
		if (err)
			return err;
	}
	err = ockam_endpoint_init(&os->ep, on, os->ep_ops,
				  &on->local, name, len, os->reach);
	if (err)
		goto err_quota;
	if (name)
		err = ockam_endpoint_take_name(&os->ep, admin, NULL);
	if (err)
		goto err_name;
	os->counted = !admin;
	sock_hold(&os->sk);
	err = ockam_endpoint_add(&os->ep, NULL);
	if (err)
		goto err_endpoint;
	/* Pairs with ockam_af_bound(): ->ep is whole. */
	smp_store_release(&os->bound, true);
	return 0;

err_endpoint:
	__sock_put(&os->sk);
err_name:
	ockam_endpoint_fini(&os->ep);
err_quota:
	if (!admin)
		ockam_quota_give_address(os->account);
	return err;
}

int ockam_af_bind(struct socket *sock, struct ockam_compat_sockaddr *addr, int len)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_hop hop = { .name = NULL };
	struct ockam_hops route;
	int err;

	err = ockam_af_parse_name(&route, addr, len);
	if (err)
		return err;
	if (route.hops > 1)
		return -EINVAL;
	if (ockam_hops_first(&route, &hop)) {
		if (hop.type != OCKAM_ADDR_LOCAL)
			return -EADDRNOTAVAIL;
		if (ockam_af_name_reserved(hop.name, hop.len) &&
		    !ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
			return -EACCES;
	}

	lock_sock(sk);
	err = -EINVAL;
	if (!os->bound)
		err = ockam_af_bind_name(os, hop.name, hop.len);
	release_sock(sk);
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

static struct ockam_peer *ockam_af_peer(const struct ockam_sock *os)
{
	return rcu_dereference_protected(os->peer, lockdep_sock_is_held(&os->sk));
}

void ockam_af_watch_peer(struct ockam_sock *os)
{
	struct ockam_peer *peer = ockam_af_peer(os);
	u64 id = OCKAM_ENDPOINT_ANY;
	struct ockam_hops route;
	struct ockam_hop first;

	sock_owned_by_me(&os->sk);
	if (!peer || peer->id != OCKAM_ENDPOINT_ANY)
		return;
	route = (struct ockam_hops){ peer->route, peer->len, peer->hops };
	if (!ockam_hops_first(&route, &first))
		return;
	/* If it goes in between ->hungup is set already. */
	ockam_watch_start(&os->watch, &first, &id);
	WRITE_ONCE(peer->id, id);
}

/* From now on @peer, or none. */
static void ockam_af_set_peer(struct ockam_sock *os, struct ockam_peer *peer)
{
	struct ockam_peer *old = ockam_af_peer(os);
	struct sock *sk = &os->sk;

	/* What the old route had to say does not matter any more. */
	ockam_watch_stop(&os->watch);
	ockam_gate_cancel(&os->blocked.gate);
	rcu_assign_pointer(os->peer, peer);
	if (old)
		kfree_rcu(old, rcu);
	WRITE_ONCE(sk->sk_err, 0);
	WRITE_ONCE(os->hungup, false);
	ockam_af_watch_peer(os);
}

static int ockam_af_connect(struct socket *sock,
			    struct ockam_compat_sockaddr *addr, int len,
			    int flags)
{
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_peer *peer = NULL;
	struct ockam_hops route;
	int err = 0;

	if (len < (int)sizeof(addr->sa_family))
		return -EINVAL;
	if (addr->sa_family != AF_UNSPEC) {
		err = ockam_af_parse_name(&route, addr, len);
		if (err)
			return err;
		if (!route.hops)
			return -EDESTADDRREQ;
		peer = kmalloc(struct_size(peer, route, route.len),
			       GFP_KERNEL_ACCOUNT);
		if (!peer)
			return -ENOMEM;
		peer->id = OCKAM_ENDPOINT_ANY;
		peer->len = route.len;
		peer->hops = route.hops;
		memcpy(peer->route, route.bytes, route.len);
	}

	lock_sock(sk);
	if (peer && !os->bound)
		err = ockam_af_bind_name(os, NULL, 0);
	if (!err) {
		ockam_af_set_peer(os, peer);
		sock->state = peer ? SS_CONNECTED : SS_UNCONNECTED;
	}
	release_sock(sk);
	if (err)
		kfree(peer);
	return err;
}

/* The socket's own name as a route, in @packed. */
static struct ockam_hops ockam_af_own_route(const struct ockam_sock *os, u8 *packed)
{
	packed[0] = OCKAM_ADDR_LOCAL;
	packed[1] = os->ep.name_len;
	memcpy(packed + OCKAM_HOP_HDR_LEN, os->ep.name, os->ep.name_len);
	return (struct ockam_hops){ packed, OCKAM_HOP_HDR_LEN + os->ep.name_len, 1 };
}

static int ockam_af_getname(struct socket *sock, struct sockaddr *addr,
			    int want_peer)
{
	u8 packed[OCKAM_HOP_HDR_LEN + OCKAM_ADDR_MAX_LEN];
	struct sock *sk = sock->sk;
	struct ockam_sock *os = ockam_af_sock(sk);
	struct ockam_hops route = { NULL };
	struct ockam_peer *peer;
	int err = 0;

	lock_sock(sk);
	peer = ockam_af_peer(os);
	if (!want_peer && os->bound)
		route = ockam_af_own_route(os, packed);
	else if (want_peer && peer)
		route = (struct ockam_hops){ peer->route, peer->len, peer->hops };
	else if (want_peer)
		err = -ENOTCONN;
	/* A name longer than the structure has no other way out. */
	if (!err)
		err = ockam_af_write_name(addr, &route) ?: -EOVERFLOW;
	release_sock(sk);
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
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	if (how & SEND_SHUTDOWN)
		ockam_gate_cancel(&os->blocked.gate);
	sk->sk_state_change(sk);
	release_sock(sk);
	return 0;
}

static __poll_t ockam_af_poll(struct file *file, struct socket *sock,
			      poll_table *wait)
{
	struct ockam_sock *os = ockam_af_sock(sock->sk);
	__poll_t mask = datagram_poll(file, sock, wait);

	/* Who waits for a message only is told as well. */
	if (mask & EPOLLERR)
		mask |= EPOLLIN | EPOLLRDNORM;
	/* Behind poll_wait(): ockam_af_wake() comes after the waiter is off. */
	if (READ_ONCE(os->blocked.gate.gate))
		mask &= ~(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	return mask;
}

/* Payload bytes of the first message in the receive queue, 0 when there is none. */
static size_t ockam_af_first_len(struct sock *sk)
{
	struct sk_buff *skb;
	size_t len = 0;

	spin_lock_bh(&sk->sk_receive_queue.lock);
	skb = skb_peek(&sk->sk_receive_queue);
	if (skb)
		len = skb->len;
	spin_unlock_bh(&sk->sk_receive_queue.lock);
	return len;
}

int ockam_af_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = sock->sk;
	size_t n;

	switch (cmd) {
	case SIOCINQ:
		n = ockam_af_first_len(sk);
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
	ockam_gate_cancel(&os->blocked.gate);
	/* First no look-up finds it, then those that did find it closed. */
	if (os->bound)
		ockam_endpoint_remove(&os->ep);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	sock_orphan(sk);
	sock->sk = NULL;
	release_sock(sk);

	skb_queue_purge(&sk->sk_receive_queue);
	if (os->bound)
		ockam_endpoint_put(&os->ep);
	sock_put(sk);
	return 0;
}

void ockam_af_destruct(struct sock *sk)
{
	struct ockam_sock *os = ockam_af_sock(sk);

	/* From who had looked it up before it closed. */
	skb_queue_purge(&sk->sk_receive_queue);
	WARN_ON_ONCE(!list_empty(&os->watch.list));
	WARN_ON_ONCE(atomic_read(&sk->sk_rmem_alloc));
	kfree(rcu_dereference_protected(os->peer, true));
	ockam_quota_close(os->account);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
}

/* One message is enough, and a part of one nothing. */
int ockam_af_set_rcvlowat(struct sock *sk, int v)
{
	if (v > 1)
		return -EOPNOTSUPP;
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	return 0;
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
	.gettstamp = sock_gettstamp,
	.listen = sock_no_listen,
	.shutdown = ockam_af_shutdown,
	.setsockopt = ockam_sockopt_set,
	.getsockopt = ockam_sockopt_get,
	.sendmsg = ockam_dgram_sendmsg,
	.recvmsg = ockam_dgram_recvmsg,
	.mmap = sock_no_mmap,
	.set_peek_off = sk_set_peek_off,
	.set_rcvlowat = ockam_af_set_rcvlowat,
	OCKAM_COMPAT_NO_SENDPAGE
};

static struct proto ockam_af_proto = {
	.name = "OCKAM",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct ockam_sock),
};

struct ockam_sock *ockam_af_alloc_sock(struct net *net, struct socket *sock,
				       struct proto *proto, kuid_t uid, int kern)
{
	struct ockam_account *account;
	struct ockam_sock *os;
	struct sock *sk;

	account = ockam_quota_open(net, uid);
	if (!account)
		return NULL;
	sk = sk_alloc(net, PF_OCKAM, GFP_KERNEL, proto, kern);
	if (!sk) {
		ockam_quota_close(account);
		return NULL;
	}
	sock_init_data(sock, sk);
	sk->sk_destruct = ockam_af_destruct;
	/* Who sends pays for the memory, in his cgroup. */
	sk->sk_allocation = GFP_KERNEL_ACCOUNT;

	os = ockam_af_sock(sk);
	os->account = account;
	ockam_watch_init(&os->watch, ockam_netns_from(net), ockam_af_peer_gone);
	ockam_gate_waiter_init(&os->blocked.gate, ockam_af_wake);
	os->blocked.sk = sk;
	sock_prot_inuse_add(net, sk->sk_prot, 1);
	return os;
}

static int ockam_af_create(struct net *net, struct socket *sock, int protocol,
			   int kern)
{
	struct ockam_sock *os;

	if (sock->type != SOCK_DGRAM && sock->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if (protocol)
		return -EPROTONOSUPPORT;
	if (sock->type == SOCK_SEQPACKET)
		return ockam_seq_create(net, sock, kern);
	os = ockam_af_alloc_sock(net, sock, &ockam_af_proto,
				 SOCK_INODE(sock)->i_uid, kern);
	if (!os)
		return -ENOMEM;
	os->ep_ops = &ockam_af_dgram_ep_ops;
	os->reach = OCKAM_AF_DEFAULT_REACH;
	sock->ops = &ockam_af_dgram_ops;
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
	err = ockam_seq_init();
	if (err)
		goto err_proto;
	err = sock_register(&ockam_af_family);
	if (err)
		goto err_seq;
	return 0;

err_seq:
	ockam_seq_exit();
err_proto:
	proto_unregister(&ockam_af_proto);
	return err;
}

void ockam_af_exit(void)
{
	sock_unregister(PF_OCKAM);
	ockam_seq_exit();
	proto_unregister(&ockam_af_proto);
}

MODULE_ALIAS_NETPROTO(PF_OCKAM);
