/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pending handshakes and channel listeners: the upcall to the worker process
 * (wire-protocol section 5, architecture section 6).
 *
 * All in process context; none blocks on the network.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HANDSHAKE_H
#define OCKAM_HANDSHAKE_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "addr.h"
#include "channel.h"
#include "endpoint.h"
#include "gate.h"
#include "netns.h"
#include "watch.h"

struct ockam_channel;
struct ockam_dispatch;
struct ockam_listener;
struct sk_buff;

/*
 * Who wants channels for itself: a socket. @ep is an endpoint of it, which it
 * alone receives by, and which is held as long as it may be called. Process
 * context; may sleep.
 */
struct ockam_handshake_owner {
	/*
	 * An initiator's exchange has ended, once: with @ch, or else with a negative
	 * @error. Under ->news_mutex of @ch: its end is told later. False: the
	 * channel is not wanted any more, and the caller closes it.
	 */
	bool (*done)(struct ockam_endpoint *ep, struct ockam_channel *ch,
		     int error);
	/* May a handshake begin at its listener, where @pending others have? */
	bool (*room)(struct ockam_endpoint *ep, unsigned int pending);
	/*
	 * One has become @ch, of which nothing has been read yet. Returns who
	 * receives from it, with a reference; NULL: nobody, it is to be closed.
	 */
	struct ockam_endpoint *(*accept)(struct ockam_endpoint *ep,
					 struct ockam_channel *ch);
	/* Its listener has ended, and not by ockam_handshake_end_listener(). */
	void (*gone)(struct ockam_endpoint *ep);
};

/* All borrowed. */
struct ockam_listener_params {
	const u8 *name;			/* NULL: a random one */
	u8 name_len;
	const u8 *opaque;		/* at most OCKAM_OPAQUE_MAX bytes */
	size_t opaque_len;
	u32 timeout_ms;			/* 0: the node's OCKAM_LIMIT_RESPONDER_MS */
	u32 reach;			/* mask OCKAM_REACH_* */
	const u8 *reach_ids;		/* n * 16 bytes */
	u32 n_reach_ids;
	const u8 *flow_id;		/* 16 bytes, NULL: random */
	struct ockam_liveness liveness;	/* of its channels */
	const struct ockam_handshake_owner *owner;	/* of the channels; or NULL */
	struct ockam_endpoint *owner_ep;
	struct ockam_endpoint *replace;	/* whose address, which is ->name, it takes over */
};

/* Pointers are valid as long as the listener is held. */
struct ockam_listener_info {
	const struct ockam_endpoint *ep;	/* name, reach */
	const u8 *flow_id;		/* 16 bytes: spawner id of its channels */
	u32 timeout_ms;
	u32 pending;			/* its exchanges that are not done */
	struct ockam_liveness liveness;
};

/*
 * On success *@l (when @l is not NULL) is a strong reference.
 * -EADDRINUSE, -ENOSPC, -EINVAL, -E2BIG, -ENOMEM, -ESHUTDOWN.
 */
int ockam_handshake_add_listener(struct ockam_net *on,
				 const struct ockam_listener_params *p,
				 struct ockam_listener **l,
				 struct netlink_ext_ack *extack);
/* Its pending exchanges fail; its channels stay. 0 or -ENOENT. */
int ockam_handshake_del_listener(struct ockam_net *on, const u8 *name,
				 u8 name_len);
struct ockam_listener *ockam_handshake_lookup_listener(struct ockam_net *on,
						       const u8 *name,
						       u8 name_len);
/* The first one with a number >= *@number; that number is written back. */
struct ockam_listener *ockam_handshake_next_listener(struct ockam_net *on,
						     u32 *number);
void ockam_handshake_put_listener(struct ockam_listener *l);
/* As ockam_handshake_del_listener(), by its owner, whose reference this takes. */
void ockam_handshake_end_listener(struct ockam_listener *l);

/* LISTENER_SET. Borrowed. */
struct ockam_listener_change {
	bool has_opaque;
	const u8 *opaque;		/* at most OCKAM_OPAQUE_MAX bytes */
	size_t opaque_len;
	bool has_liveness;
	struct ockam_liveness liveness;
	bool abort;			/* end the pending handshakes */
};

/*
 * Change what new exchanges begin with. One that has begun keeps what it began
 * with; with ->abort none of those becomes a channel any more once this has
 * returned. All or nothing: 0, -E2BIG, -ENOMEM, -ESHUTDOWN.
 */
int ockam_handshake_set_listener(struct ockam_listener *l,
				 const struct ockam_listener_change *c,
				 struct netlink_ext_ack *extack);
/* Who may reach it, from now on: mask OCKAM_REACH_*. 0 or -ENOMEM. */
int ockam_handshake_set_reach(struct ockam_listener *l, u32 reach);
void ockam_handshake_listener_info(struct ockam_listener *l,
				   struct ockam_listener_info *info);

/* CHANNEL_NEW. All borrowed. */
struct ockam_handshake_params {
	const struct ockam_route *route;	/* to the peer's listener */
	const u8 *opaque;		/* at most OCKAM_OPAQUE_MAX bytes */
	size_t opaque_len;
	u32 timeout_ms;			/* 0: the node's OCKAM_LIMIT_INITIATOR_MS */
	u32 confirm_ms;			/* 0: OCKAM_CONFIRM_DEFAULT_MS */
	u32 portid;			/* who asked, and */
	u32 seq;			/* in which request: the result goes there */
	u32 encryptor_reach;		/* mask OCKAM_REACH_*; 0: only these: */
	const u8 *encryptor_ids;	/* n * 16 bytes */
	u32 n_encryptor_ids;
	struct ockam_liveness liveness;
	const struct ockam_handshake_owner *owner;	/* instead of the port; or NULL */
	struct ockam_endpoint *owner_ep;	/* receives from the channel */
};

#define OCKAM_CONFIRM_DEFAULT_MS	1000

/*
 * Start an initiator exchange; its outcome comes by ockam_event_result(), or its
 * owner's ->done, exactly once, also when the node ends, but not after it was
 * cancelled. *@id, if @id is given, is its number. -ESRCH (no worker), -EINVAL, -E2BIG, -ENOSPC,
 * -ENOMEM, -ESHUTDOWN, -EKEYREVOKED: then there is no result.
 */
int ockam_handshake_start(struct ockam_net *on,
			  const struct ockam_handshake_params *p, u64 *id,
			  struct netlink_ext_ack *extack);
/* The port has closed: its pending exchanges end without a result. */
void ockam_handshake_cancel_port(struct ockam_net *on, u32 portid);
/* The owner of this one has lost interest. No ->done begins after that. */
void ockam_handshake_cancel(struct ockam_net *on, u64 id);

/*
 * HANDSHAKE_FETCH. What the worker is told; valid until
 * ockam_handshake_fetch_put(), which must follow every success.
 */
struct ockam_handshake_fetched {
	u8 role;			/* enum ockam_role */
	const u8 *opaque;		/* of the request or the listener */
	size_t opaque_len;
	u32 number;			/* received messages so far; 0 = none */
	const u8 *message;		/* the last one fetched, NULL when number is 0 */
	size_t message_len;
	const u8 *listener;		/* responder: name of the listener, else NULL */
	u8 listener_len;
	void *held;			/* private */
};

/*
 * Commands of the worker; @portid: who asks. -ENOENT (no such exchange, or it
 * belongs to another worker: not told apart), -EPROTO (not now), -EINVAL.
 */
int ockam_handshake_fetch(struct ockam_net *on, u32 portid, u64 id,
			  struct ockam_handshake_fetched *f,
			  struct netlink_ext_ack *extack);
void ockam_handshake_fetch_put(struct ockam_handshake_fetched *f);
/*
 * HANDSHAKE_SKIP: what a responder has fetched as the third message is none.
 * It is dropped, and the next that waits, or comes, is the third one. Deadlines
 * stay. Also -ENOBUFS (OCKAM_HANDSHAKE_SKIPS_MAX were skipped), and -EBUSY
 * between ockam_handshake_fetch() and its put.
 */
int ockam_handshake_skip(struct ockam_net *on, u32 portid, u64 id,
			 struct netlink_ext_ack *extack);
/* Also -EMSGSIZE, -ENOMEM, and what the first hop of the route said. */
int ockam_handshake_send(struct ockam_net *on, u32 portid, u64 id,
			 const u8 *message, size_t len,
			 struct netlink_ext_ack *extack);

/* HANDSHAKE_DONE. All borrowed; the caller wipes the keys. */
struct ockam_handshake_done {
	int error;			/* negative: failed, for @reason */
	const char *reason;		/* or NULL */
	const u8 *peer;			/* 32 bytes each; the keys and the peer */
	const u8 *key_tx;		/* must all be there when error is 0 */
	const u8 *key_rx;
	const u8 *local_id;		/* 32 bytes or NULL */
	u64 expiry;
	const u8 *attributes;
	size_t attributes_len;
	const u8 *control;		/* responder: body of packet 0, or NULL */
	size_t control_len;
	u32 encryptor_reach;		/* responder: mask, 0: only these: */
	const u8 *encryptor_ids;
	u32 n_encryptor_ids;
};

/*
 * With an error and both keys and a peer, a responder's refusal is told to the
 * peer by one sealed Close. Any failure fails the exchange, except -ENOENT.
 */
int ockam_handshake_done(struct ockam_net *on, u32 portid, u64 id,
			 const struct ockam_handshake_done *done,
			 struct netlink_ext_ack *extack);

int ockam_handshake_init(void);
void ockam_handshake_exit(void);

/* ---- for handshake.c and handshake_*.c only ---- */

/* How many exchanges one place has, and how fast it makes them. */
struct ockam_handshake_source;

#define OCKAM_HANDSHAKE_SOURCE_BITS	8

/* What this room keeps of a node. Born and freed with the namespace. */
struct ockam_handshake_net {
	struct xarray exchanges;	/* XA_FLAGS_ALLOC1; an entry holds a reference */
	/* By netlink port: one of those that it asked for; the others are on its ->port_list. */
	struct xarray ports;
	u32 next;			/* xa_lock */
	atomic64_t serial;		/* upper half of exchange ids */
	atomic_t initiators;		/* pending ones */
	atomic_t responders;
	spinlock_t source_lock;		/* below */
	struct hlist_head sources[1 << OCKAM_HANDSHAKE_SOURCE_BITS];
};

/*
 * The worker's data of a listener or of a request. Never changes: a listener
 * that gets new data gets another one of these.
 *
 * Refs: the listener's as long as it is the current one, each exchange that
 *       began with it. The last put wipes it. Any context.
 */
struct ockam_opaque {
	refcount_t refs;
	size_t len;
	u8 data[];
};

/*
 * Channel listener.
 *
 * Born:   ockam_handshake_add_listener(). Holds the module.
 * Refs:   those of ->ep: the caller's, the table of listeners, the address
 *         table, each exchange, each lookup.
 * Locks:  ->lock (spinlock, a leaf) guards ->dead, ->opaque, ->liveness and
 *         ->aborts; the rest is immutable but for ->pending.
 * Dies:   ockam_handshake_del_listener(), end of the node: hidden, out of the
 *         table, its exchanges fail; the last put frees after a grace period.
 */
struct ockam_listener {
	struct ockam_endpoint ep;
	struct ockam_origin origin;	/* flow id: spawner id of its channels */
	u32 number;
	u32 timeout_ms;
	const struct ockam_handshake_owner *owner;	/* or NULL */
	struct ockam_endpoint *owner_ep;	/* with a reference */
	atomic_t pending;
	spinlock_t lock;		/* below */
	bool dead;			/* READ_ONCE elsewhere */
	struct ockam_opaque *opaque;	/* never NULL */
	struct ockam_liveness liveness;
	u32 aborts;			/* how often the pending exchanges were ended */
};

enum ockam_exchange_state {
	OCKAM_EXCHANGE_OPEN,		/* the handshake goes on */
	OCKAM_EXCHANGE_INSTALLING,	/* keys are here, the channel is being made */
	OCKAM_EXCHANGE_CONFIRMING,	/* initiator: the peer has said nothing yet */
	OCKAM_EXCHANGE_ENDED,
};

#define OCKAM_EXCHANGE_MESSAGES	2	/* handshake messages that one side receives */

/*
 * Exchange: a pending handshake. Its address becomes the channel's decryptor.
 *
 * Born:   ockam_handshake_start() or a message at a listener. Holds the module.
 * Refs:   those of ->ep: the node's table of exchanges (until it ends), the
 *         address table, each lookup, each pending timer, each fetch.
 * Locks:  ->lock (mutex) guards all that changes. Nothing of the floors below
 *         that may call back (dispatch, kill, close) is called under it.
 * Dies:   done, failure, timeout, end of worker, requester, listener, node, or
 *         of the first address of its route.
 *         All go through ockam_exchange_end(): ENDED, hidden, out of the table,
 *         timers stopped. The first caller tells the requester. The last put
 *         frees after a grace period.
 */
struct ockam_exchange {
	struct ockam_endpoint ep;
	struct ockam_net *on;
	u64 id;				/* lower half: number in the table */

	/* Immutable once published. */
	struct ockam_listener *listener;	/* of a responder, with a reference */
	struct ockam_handshake_source *source;	/* of a responder: counted in it */
	u32 worker_portid;
	u32 portid;			/* of the requester; 0: a responder, or owned */
	const struct ockam_handshake_owner *owner;	/* of an initiator; or NULL */
	struct ockam_endpoint *owner_ep;	/* with a reference */
	struct list_head port_list;	/* xa_lock of ->ports */
	u32 seq;
	u32 confirm_ms;
	u32 encryptor_reach;
	u32 n_encryptor_ids;
	u8 *encryptor_ids;
	struct ockam_opaque *opaque;	/* with a reference */
	struct ockam_liveness liveness;	/* of the channel that it becomes */
	u32 aborts;			/* of a responder: the listener's at its birth */
	u8 role;

	struct mutex lock;		/* all below */
	u8 state;			/* enum ockam_exchange_state */
	u8 sent;			/* handshake messages of ours */
	u8 received;			/* handshake messages of the peer */
	u8 fetched;			/* of those, by the worker */
	u8 skipped;			/* received, and not of this handshake */
	unsigned int fetching;		/* borrowed ->messages: none is freed */
	bool begun;			/* the worker has fetched: it keeps something */
	bool done;			/* the worker has said how it ended */
	bool told;			/* the requester has its result, or wants none */
	bool probed;			/* CONFIRMING: the echo was asked */
	struct sk_buff *messages[OCKAM_EXCHANGE_MESSAGES];
	struct ockam_route route;	/* where our messages go */
	u64 first;			/* ->id of what that begins with */
	struct ockam_watch watch;	/* of that; until the end */
	struct sk_buff_head hold;	/* packets before the keys */
	struct ockam_gate gate;		/* of ->hold */
	bool overflow;			/* ->hold is full, its link is paused */
	struct ockam_channel *channel;	/* once published, with a reference */

	struct delayed_work timeout_work;	/* deadline; then confirmation */
	struct delayed_work hold_work;		/* a full hold queue */
	struct delayed_work ready_work;		/* tell the worker */
	struct work_struct gone_work;		/* ->watch was told */
};

extern struct workqueue_struct *ockam_handshake_wq;

struct ockam_handshake_net *ockam_handshake_net(const struct ockam_net *on);

/* handshake.c: life and death of exchanges. */

/* A copy of @len bytes with one reference. NULL without memory. */
struct ockam_opaque *ockam_opaque_alloc(const u8 *data, size_t len);
void ockam_opaque_put(struct ockam_opaque *o);	/* NULL is allowed */

/* One reference for the caller. NULL without memory. */
struct ockam_exchange *ockam_exchange_alloc(struct ockam_net *on, u8 role,
					    u32 worker_portid);
/*
 * In the tables: found by id and by address; the deadline runs.
 * 0, -ENOSPC, -ESHUTDOWN, -ESRCH (the worker has changed), -EKEYREVOKED (the
 * machine goes to sleep), -ENOMEM: then the exchange has ended, and nobody is
 * told.
 */
int ockam_exchange_publish(struct ockam_exchange *ex, u32 timeout_ms,
			   struct netlink_ext_ack *extack);
/* @portid: of the worker that asks, 0: any. Strong reference or NULL. */
struct ockam_exchange *ockam_exchange_lookup(struct ockam_net *on, u64 id,
					     u32 portid);
static inline void ockam_exchange_put(struct ockam_exchange *ex)
{
	ockam_endpoint_put(&ex->ep);
}

/*
 * From any state up to @upto to ENDED: true for the one caller who did it.
 * No locks held.
 */
bool ockam_exchange_end(struct ockam_exchange *ex,
			enum ockam_exchange_state upto);
/* Drop all of a list that is the caller's alone. No locks held. */
void ockam_exchange_drop(struct ockam_exchange *ex, struct sk_buff_head *list,
			 enum ockam_mib reason);
/* ockam_exchange_end(), counted, announced, and told to the requester. */
bool ockam_exchange_fail(struct ockam_exchange *ex,
			 enum ockam_exchange_state upto, int error,
			 const char *reason);
/* The same, counted as @why and not as what @error stands for. */
bool ockam_exchange_fail_as(struct ockam_exchange *ex,
			    enum ockam_exchange_state upto, enum ockam_mib why,
			    int error, const char *reason);
/*
 * Tell the requester of an initiator, once. @ch NULL: it failed. No locks held but
 * ->news_mutex of @ch. False: who asked for it does not want @ch any more.
 */
bool ockam_exchange_tell(struct ockam_exchange *ex, int error,
			 const char *reason, struct ockam_channel *ch,
			 bool confirmed);
/* Start or move a timer, which holds a reference. Not after the end. */
void __ockam_exchange_arm(struct ockam_exchange *ex, struct delayed_work *work,
			  unsigned long delay) __must_hold(&ex->lock);
/*
 * Watch the first address of ->route. 0, or -EHOSTUNREACH, -ENETUNREACH when
 * it leads nowhere. Not after the end.
 */
int __ockam_exchange_watch(struct ockam_exchange *ex) __must_hold(&ex->lock);
/*
 * Fail it, also when it waits only to be confirmed; then its channel is closed.
 */
bool ockam_exchange_abandon(struct ockam_exchange *ex, int error,
			    const char *reason, const char *channel_reason);
/* Tell the worker that there is something to fetch. No locks held. */
void ockam_exchange_ready(struct ockam_exchange *ex);
/* Fail those exchanges that @match chooses and that are at most @upto. */
void ockam_exchange_fail_all(struct ockam_net *on,
			     bool (*match)(const struct ockam_exchange *ex,
					   const void *arg),
			     const void *arg, enum ockam_exchange_state upto,
			     int error, const char *reason);

/* handshake_exchange.c: messages, the worker's commands. */
int ockam_exchange_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
			   struct ockam_dispatch *d);
/* All said and read: the worker may bring the keys. */
bool __ockam_exchange_complete(const struct ockam_exchange *ex)
	__must_hold(&ex->lock);

/* handshake_done.c: keys, confirmation. */
/* ->timeout_work in the state CONFIRMING. */
void ockam_exchange_unconfirmed(struct ockam_exchange *ex);

/* handshake_listener.c */
void ockam_listener_release_quota(struct ockam_exchange *ex);
void ockam_listener_hide_net(struct ockam_net *on);
void ockam_listener_exit_net(struct ockam_handshake_net *hn);

#endif /* OCKAM_HANDSHAKE_H */
