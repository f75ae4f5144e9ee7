/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket family. Floor 4: nothing but main.c and the family's own files
 * includes this.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AF_OCKAM_H
#define OCKAM_AF_OCKAM_H

#include <net/sock.h>

#include "compat.h"
#include "endpoint.h"
#include "gate.h"
#include "watch.h"

struct ockam_account;
struct ockam_dispatch;
struct sk_buff;

/*
 * Where connect() pointed. RCU; replaced as a whole, but for ->id, which is set
 * once, under lock_sock.
 */
struct ockam_peer {
	struct rcu_head rcu;
	u64 id;			/* of what the route begins with, once it was there; READ_ONCE */
	u16 len;
	u8 hops;
	u8 route[];
};

/* A sender that waits for a gate: one that sleeps, or the poller of the socket. */
struct ockam_sock_waiter {
	struct ockam_gate_waiter gate;
	struct sock *sk;
};

/*
 * Socket of type SOCK_DGRAM.
 *
 * Born:   socket(2). ->ep is initialised and published by bind() or by the
 *         first connect() or sendmsg(), under lock_sock.
 * Refs:   of ->sk: the struct socket's; ->ep holds one from its publication to
 *         its release(); every message charged to the send buffer holds a part
 *         of sk_wmem_alloc, which keeps the memory, and ->account, as well.
 * Locks:  lock_sock: ->bound, ->peer, ->watch, ->blocked, options; ->bound is set
 *         once, behind ->ep, and never cleared while the socket is open. ->peer
 *         is read under RCU. sk_receive_queue has its own lock. Order: lock_sock >
 *         the address table's lock, under which ->watch is told; lock_sock > the
 *         locks of gates.
 * Dies:   close(2): ->watch and ->blocked are stopped, ->ep is hidden. The memory,
 *         and what a late dispatch has put into the queue, goes when look-ups,
 *         dispatches and sent messages have let go.
 */
struct ockam_sock {
	struct sock sk;			/* first */
	struct ockam_endpoint ep;	/* valid when ->bound */
	const struct ockam_endpoint_ops *ep_ops;	/* of that */
	struct ockam_account *account;	/* of who made it */
	bool bound;
	bool counted;			/* ->ep, on that */
	bool recv_route;		/* OCKAM_RECVROUTE */
	bool recv_peer;			/* OCKAM_RECVPEER */
	u32 reach;			/* OCKAM_REACH, copied to ->ep */
	struct ockam_peer __rcu *peer;	/* NULL: not connected */
	struct ockam_watch watch;	/* of what that begins with */
	bool hungup;			/* that has gone; READ_ONCE */
	struct ockam_sock_waiter blocked;	/* what a send() that did not wait met */
};

static inline struct ockam_sock *ockam_af_sock(const struct sock *sk)
{
	return (struct ockam_sock *)sk;
}

/* ->ep is there to be used; without lock_sock. */
static inline bool ockam_af_bound(const struct ockam_sock *os)
{
	/* Pairs with ockam_af_bind_name(). */
	return smp_load_acquire(&os->bound);
}

/*
 * A socket of @proto for the user @uid, as sock_init_data(@sock) makes it; @sock
 * NULL: it is no program's yet. NULL without memory.
 */
struct ockam_sock *ockam_af_alloc_sock(struct net *net, struct socket *sock,
				       struct proto *proto, kuid_t uid, int kern);
/* ->sk_destruct of all types. Any context that may free a message. */
void ockam_af_destruct(struct sock *sk);
/* ->ep had one reference of the socket, which it keeps until here. */
void ockam_af_release_ep(struct ockam_endpoint *ep);

/* Calls of all types. */
int ockam_af_bind(struct socket *sock, struct ockam_compat_sockaddr *addr, int len);
int ockam_af_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg);
int ockam_af_set_rcvlowat(struct sock *sk, int v);

/* May the caller take names that mean something, and as many as he likes? */
bool ockam_af_is_admin(const struct sock *sk);
/* Publish an address of the socket; @name NULL: a random one. lock_sock held. */
int ockam_af_bind_name(struct ockam_sock *os, const u8 *name, u8 len);
/*
 * Watch the first address of ->peer, if there is one. No matter if it is not there:
 * it may come. What has been there once is meant for good: its end is the end
 * of the connection, whoever has its name then. lock_sock held.
 */
void ockam_af_watch_peer(struct ockam_sock *os);
/*
 * Check an address structure of user space, copied in: *@route is a part of it.
 * 0, -EINVAL, -EAFNOSUPPORT.
 */
int ockam_af_parse_name(struct ockam_hops *route, const void *name, int name_len);
/* Write an address structure; returns its length, 0 when the route is too long. */
int ockam_af_write_name(void *name, const struct ockam_hops *route);

/* af_dgram.c */
int ockam_dgram_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
			struct ockam_dispatch *d);
int ockam_dgram_sendmsg(struct socket *sock, struct msghdr *m, size_t len);
int ockam_dgram_recvmsg(struct socket *sock, struct msghdr *m, size_t len,
			int flags);

/* af_seq.c */
/* A SOCK_SEQPACKET socket. 0 or a negative errno. */
int ockam_seq_create(struct net *net, struct socket *sock, int kern);
int ockam_seq_init(void);
void ockam_seq_exit(void);

/* af_send.c */
/*
 * A message of @len bytes, charged to the send buffer, with room for @routes bytes
 * of both routes. NULL with *@err.
 */
struct sk_buff *ockam_af_alloc(struct ockam_sock *os, size_t routes, size_t len,
			       bool noblock, int *err);
/*
 * Charge it to the node, and to its sender's share of that. False: something is
 * full, which is noted in @d.
 */
bool ockam_af_charge(struct ockam_sock *os, struct sk_buff *skb,
		     struct ockam_dispatch *d);
/*
 * Sleep until @gate, which the caller holds, has room, at most *@timeo. 0: look
 * again; -EAGAIN, -EPIPE, what a signal means, or what has happened to the socket.
 */
int ockam_af_wait(struct ockam_sock *os, struct ockam_gate *gate, long *timeo);
/* For ->blocked. */
void ockam_af_wake(struct ockam_gate_waiter *waiter);

/* Module init and exit. */
int ockam_af_init(void);
void ockam_af_exit(void);

#endif /* OCKAM_AF_OCKAM_H */
