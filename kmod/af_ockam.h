/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket family. Floor 4: nothing but main.c and the family's own files
 * includes this.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AF_OCKAM_H
#define OCKAM_AF_OCKAM_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <net/sock.h>

#include "endpoint.h"
#include "watch.h"

struct ockam_message;
struct ockam_quota_user;

/*
 * Socket of type SOCK_DGRAM.
 *
 * Born:   socket(2). ->ep is initialised and published by bind() or by the
 *         first connect() or sendmsg(), under lock_sock.
 * Refs:   of ->sk: the struct socket's; ->ep holds one from its publication to
 *         its release(); every message charged to the send buffer holds a part
 *         of sk_wmem_alloc, which keeps the memory as well.
 * Locks:  lock_sock: ->bound, ->connected, ->peer, ->watch, options; ->bound is
 *         set once and never cleared while the socket is open. ->rx_lock
 *         (spinlock, BH-safe, a leaf): ->rx, ->rx_dead and, together with lock_sock,
 *         writes of ->peer, ->peer_id, ->connected and sk_shutdown; so deliver() needs
 *         nothing but ->rx_lock. ->rx_mutex: one reader at a time; only its
 *         holder takes messages off ->rx, so the first one stays while it is
 *         copied. Order: ->rx_mutex > ->rx_lock; lock_sock > ->rx_lock;
 *         lock_sock > the address table's lock, under which ->watch is told;
 *         lock_sock and ->rx_mutex are never held together.
 * Dies:   close(2): ->watch is stopped, ->ep is hidden, ->rx_dead is set, the
 *         queue is freed. The memory goes when lookups, dispatches and sent
 *         messages have let go.
 */
struct ockam_sock {
	struct sock sk;			/* first */
	struct ockam_endpoint ep;	/* valid when ->bound */
	struct ockam_quota_user *user;	/* pays for ->ep, until its release; or NULL */
	bool bound;
	bool connected;
	bool recv_route;		/* OCKAM_RECVROUTE */
	bool recv_peer;			/* OCKAM_RECVPEER */
	u32 reach;			/* OCKAM_REACH, copied to ->ep */
	struct ockam_route peer;	/* where connect() pointed */
	u64 peer_id;			/* what ->peer begins with, once it was there */
	struct ockam_watch watch;	/* of that */
	bool hungup;			/* that has gone; READ_ONCE */

	struct mutex rx_mutex;		/* one reader at a time */
	spinlock_t rx_lock;		/* the rest, and see above */
	struct list_head rx;		/* struct ockam_message */
	bool rx_dead;
};

static inline struct ockam_sock *ockam_af_sock(const struct sock *sk)
{
	return (struct ockam_sock *)sk;
}

/* Publish an address of the socket; @name NULL: a random one. lock_sock held. */
int ockam_af_bind_name(struct ockam_sock *os, const u8 *name, u8 len);
/*
 * ->connected: watch the first address of ->peer. No matter if it is not there:
 * it may come. What has been there once is meant for good: its end is the end
 * of the connection, whoever has its name then. lock_sock held.
 */
void ockam_af_watch_peer(struct ockam_sock *os);
/*
 * Check and copy a route from user space's address structure.
 * 0, -EINVAL, -EAFNOSUPPORT, -ENOMEM; @route is unchanged on error.
 */
int ockam_af_parse_name(struct ockam_route *route, const void *name,
			int name_len);
/* Write an address structure; returns its length, 0 when the route is too long. */
int ockam_af_write_name(void *name, const struct ockam_route *route);

/* af_dgram.c */
int ockam_dgram_deliver(struct ockam_endpoint *ep, struct ockam_message *msg,
			struct ockam_dispatch *d);
int ockam_dgram_sendmsg(struct socket *sock, struct msghdr *m, size_t len);
int ockam_dgram_recvmsg(struct socket *sock, struct msghdr *m, size_t len,
			int flags);
/* Payload bytes of the first message in the receive queue, 0 when there is none. */
size_t ockam_dgram_first_len(struct ockam_sock *os);
/* No message comes in any more, and those that are there are freed. */
void ockam_dgram_close(struct ockam_sock *os);

/* Module init and exit. */
int ockam_af_init(void);
void ockam_af_exit(void);

#endif /* OCKAM_AF_OCKAM_H */
