/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SOCK_SEQPACKET sockets: a secure channel as a connection.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AF_SEQ_H
#define OCKAM_AF_SEQ_H

#include <linux/list.h>
#include <linux/sockptr.h>

#include "addr.h"
#include "af_ockam.h"

struct ockam_channel;
struct ockam_listener;

/* Who this side is, and who the other one may be. lock_sock. */
struct ockam_seq_rules {
	u8 name_len;
	u8 name[OCKAM_IDENTITY_NAME_MAX];
	u8 *authorized;			/* n * 32 bytes, or NULL */
	u32 n_authorized;
};

/* A record that MSG_MORE has begun. Nobody else sees it until it is whole. */
struct ockam_seq_record {
	u8 *data;			/* NULL: there is none */
	size_t len;
	size_t room;
};

/*
 * Socket of type SOCK_SEQPACKET. sk_state is one of
 *
 *   TCP_CLOSE		not connected; ->os.ep may have a name
 *   TCP_LISTEN		->listener has taken over that name
 *   TCP_SYN_SENT	->exchange is under way
 *   TCP_ESTABLISHED	->ch carries records
 *   TCP_CLOSE_WAIT	->ch has ended
 *
 * Born:   socket(2); or, from a handshake that a listening socket has accepted,
 *         without a struct socket, in ->accepts of that one until accept(2).
 * Refs:   of ->os.sk: the struct socket's or ->accepts', ->os.ep's and ->sink's,
 *         and sent messages as with all sockets. ->sink is held by the socket,
 *         the channel that it receives from, the exchange or listener that it
 *         owns, and whoever waits for ->gate.
 * Locks:  lock_sock: ->rules, ->route, ->record, ->os, begin and end of all that
 *         system calls do. ->lock (spinlock, BH-safe): sk_state, sk_shutdown,
 *         ->ch once it was set, ->accepts, ->closing, writes of ->os.peer, what
 *         comes into the receive queue. lock_sock > ->lock > the locks of queue
 *         and gates. The channel's and the handshake's calls take only ->lock, so
 *         no socket waits for another one.
 * Dies:   close(2), or the end of the listening socket before accept(2):
 *         ockam_seq_end() hides names, cancels handshakes and closes the
 *         channel. The memory goes when channel, listener and messages let go.
 */
struct ockam_seq {
	struct ockam_sock os;		/* first */
	struct ockam_endpoint sink;	/* in no table; its name is the own name */
	bool has_sink;
	bool closing;			/* by this side: its end is no news */
	spinlock_t lock;
	struct ockam_gate gate;		/* bytes of the receive queue */
	struct ockam_channel *ch;	/* set once, with references on it and its ->enc */
	struct ockam_listener *listener;	/* with a reference */
	u64 exchange;			/* TCP_SYN_SENT */
	kuid_t uid;			/* whose account it is on */
	struct list_head accepts;	/* of a listening socket: ->accept of others */
	struct list_head accept;
	struct ockam_route route;	/* of connect() */
	struct ockam_seq_rules rules;
	struct ockam_seq_record record;
};

static inline struct ockam_seq *ockam_seq_sk(const struct sock *sk)
{
	return (struct ockam_seq *)sk;
}

static inline int ockam_seq_state(const struct ockam_seq *seq)
{
	return READ_ONCE(seq->os.sk.sk_state);
}

/* The channel, when there is or was one. Until the socket is released. */
static inline struct ockam_channel *ockam_seq_channel(const struct ockam_seq *seq)
{
	/* Pairs with __ockam_seq_connected(): it and ->os.peer are whole. */
	return smp_load_acquire(&seq->ch);
}

/* af_seq_rx.c */
int ockam_seq_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
		      struct ockam_dispatch *d);
/* Free what waits and did not come from ->ch. ->lock held. */
void ockam_seq_drop_strangers(struct ockam_seq *seq);
int ockam_seq_recvmsg(struct socket *sock, struct msghdr *m, size_t len,
		      int flags);

/* af_seq_tx.c */
int ockam_seq_sendmsg(struct socket *sock, struct msghdr *m, size_t len);
/* Forget a record that was begun. lock_sock held, or nobody else is left. */
void ockam_seq_drop_record(struct ockam_seq *seq);

/* af_seq_conn.c */
/*
 * Begin a handshake along ->route, or take them in at ->os.ep's name. lock_sock
 * held. 0 or a negative errno.
 */
int ockam_seq_begin(struct ockam_seq *seq);
int ockam_seq_begin_listen(struct ockam_seq *seq);
/* Of ->sink: the channel has ended. */
void ockam_seq_ended(struct ockam_endpoint *ep, int error, bool by_peer);
/* ->sink is there, with the socket's own name. 0 or -ENOMEM. lock_sock held. */
int ockam_seq_make_sink(struct ockam_seq *seq, const u8 *name, u8 len);
/*
 * End all that the socket does: what was sent leaves, or not with @abort; then the
 * peer is told. Idempotent. lock_sock held, or nobody else is left.
 */
void ockam_seq_end(struct ockam_seq *seq, bool abort);
/* Nobody has accepted it. Drops the reference of ->accepts. */
void ockam_seq_discard(struct ockam_seq *seq);

/* af_seq.c */
/* One without a struct socket, on the account of @parent. NULL without memory. */
struct ockam_seq *ockam_seq_alloc_child(struct ockam_seq *parent);

/* af_seq_opt.c */
int ockam_seq_setsockopt(struct socket *sock, int level, int name,
			 sockptr_t value, unsigned int len);
int ockam_seq_getsockopt(struct socket *sock, int level, int name,
			 char __user *value, int __user *len);

#endif /* OCKAM_AF_SEQ_H */
