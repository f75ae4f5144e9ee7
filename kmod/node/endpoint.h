/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an address belongs to, and the one seam of the module: deliver().
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_ENDPOINT_H
#define OCKAM_ENDPOINT_H

#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/seqlock.h>
#include <linux/workqueue.h>

#include "addr.h"

struct netlink_ext_ack;
struct ockam_dispatch;
struct ockam_endpoint;
struct ockam_name;
struct ockam_net;
struct sk_buff;

/*
 * Who produced a message, for reachability (architecture section 5). Embedded
 * in the producer, immutable once that is published.
 */
struct ockam_origin {
	u32 kind;		/* exactly one OCKAM_REACH_* bit */
	bool has_spawner;
	u8 flow_id[OCKAM_FLOW_ID_LEN];
	u8 spawner_id[OCKAM_FLOW_ID_LEN];	/* of the listener behind it */
};

struct ockam_endpoint_ops {
	u8 kind;		/* enum ockam_kind */
	/* deliver() obeys ->atomic of the dispatch, if there is room for headers. */
	bool nosleep;
	/*
	 * Always takes ownership of @skb, whose first onward hop is this
	 * endpoint's address. Process context, no locks held, may sleep. Must
	 * not call ockam_route_dispatch() itself: what follows from @skb is
	 * handed to ockam_route_forward() (or dispatched later from work).
	 * Returns 0 or the errno for a local sender (-EMSGSIZE, -EPIPE, ...).
	 */
	int (*deliver)(struct ockam_endpoint *ep, struct sk_buff *skb,
		       struct ockam_dispatch *d);
	/*
	 * A message that deliver() handed to ockam_route_forward() has been
	 * taken by its next hop, or dropped. It may take ->gate of @d away. May
	 * be NULL. Same context.
	 */
	void (*forwarded)(struct ockam_endpoint *ep, struct ockam_dispatch *d);
	/*
	 * Would the message of a local sender wait in a queue that is full? Then
	 * the queue is noted in @d. May be NULL: there is none. Same context.
	 */
	bool (*full)(struct ockam_endpoint *ep, struct ockam_dispatch *d);
	/*
	 * deliver() has kept messages for more to come (ockam_dispatch_note_late()):
	 * they go now. May be NULL when it never does. Does not sleep.
	 */
	void (*flush)(struct ockam_endpoint *ep);
	/* Does it take in nothing because a queue is full here? May be NULL. */
	bool (*paused)(struct ockam_endpoint *ep);
	/*
	 * The channel that it alone receives from (ockam_channel_set_sink()) has
	 * ended: @error, a negative errno or 0; @by_peer: the peer closed it.
	 * Once a channel. Process context, no locks held.
	 */
	void (*ended)(struct ockam_endpoint *ep, int error, bool by_peer);
	/*
	 * The last reference is gone and a grace period has passed. Process
	 * context. Frees the object that embeds @ep.
	 */
	void (*release)(struct ockam_endpoint *ep);
};

/* Flow ids that may reach an endpoint beside its mask; replaced as a whole. */
struct ockam_reach_ids {
	struct rcu_head rcu;
	u32 n;
	u8 ids[][OCKAM_FLOW_ID_LEN];
};

#define OCKAM_REACH_IDS_MAX	64	/* flow ids of one endpoint */

/*
 * Names may come again, these numbers do not: whoever means one endpoint, and
 * not whatever has its name by now, keeps its ->id beside the name.
 */
#define OCKAM_ENDPOINT_ANY	0	/* whatever has the name */
#define OCKAM_ENDPOINT_NONE	U64_MAX	/* what had it was not there: never matches */

/*
 * Endpoint: one entry of a node's address table, embedded in its object.
 *
 * Born:   ockam_endpoint_init(), refs = 1 (owned by the embedding object).
 *         Visible after ockam_endpoint_add(), which adds the table's own ref.
 * Refs:   the embedding object's, the table's, each lookup, each message
 *         queued in a dispatch (->from), each gate waiter.
 * Locks:  the table's own bucket locks. on->address_lock serialises add,
 *         remove and replace and the count; ->reach_ids is RCU, written under
 *         on->address_lock, and taken away by ->free_work.
 * Dies:   ockam_endpoint_remove() hides it (idempotent) and tells who watches
 *         it (watch.h); the object's owner puts its ref; the last put queues
 *         ->free_work after a grace period, which calls ops->release.
 */
struct ockam_endpoint {
	struct rhash_head node;
	struct ockam_net *on;
	const struct ockam_endpoint_ops *ops;
	const struct ockam_origin *origin;	/* of what it produces; embedded nearby */
	refcount_t refs;
	u64 id;					/* see above; that of @old after a replace */
	seqcount_spinlock_t reach_seq;		/* mask and list are replaced together */
	u32 reach;				/* mask OCKAM_REACH_*, READ_ONCE */
	struct ockam_reach_ids __rcu *reach_ids;
	struct rcu_work free_work;
	bool added;				/* under on->address_lock */
	bool stranded;				/* it has no way on, READ_ONCE */
	struct list_head watchers;		/* struct ockam_watch, on->address_lock */
	struct ockam_name *taken;		/* names.h; NULL: the kernel made the name */
	u8 name_len;
	u8 *name;				/* ->short_name or allocated */
	u8 short_name[OCKAM_RANDOM_NAME_LEN];
};

/*
 * @name NULL: a random one of 32 hex digits. 0, -EINVAL, -ENOMEM. On success
 * the endpoint owns its memory until the last put; on error nothing is held.
 */
int ockam_endpoint_init(struct ockam_endpoint *ep, struct ockam_net *on,
			const struct ockam_endpoint_ops *ops,
			const struct ockam_origin *origin,
			const u8 *name, u8 name_len, u32 reach);
/*
 * The name was chosen by the calling process: take it for its user until it is
 * hidden. Before ockam_endpoint_add(). @admin and errors: ockam_names_take().
 */
int ockam_endpoint_take_name(struct ockam_endpoint *ep, bool admin,
			     struct netlink_ext_ack *extack);
/* Undo ockam_endpoint_init() of one that nobody else has seen. No release(). */
void ockam_endpoint_fini(struct ockam_endpoint *ep);
/* Publish. 0, -EADDRINUSE, -ENOSPC (limit of addresses), -ESHUTDOWN, -ENOMEM. */
int ockam_endpoint_add(struct ockam_endpoint *ep,
		       struct netlink_ext_ack *extack);
/*
 * Hide; no new lookup finds it, and who watches it is told. Idempotent. Does not
 * wait. Process context.
 */
void ockam_endpoint_remove(struct ockam_endpoint *ep);
/*
 * @new takes the place of @old, which has the same name, in one step: a lookup
 * finds the one or the other. Whose the name is goes along. 0, -ENOENT when @old
 * is hidden already.
 */
int ockam_endpoint_replace(struct ockam_endpoint *old,
			   struct ockam_endpoint *new,
			   struct netlink_ext_ack *extack);

/* Strong reference or NULL. RCU-safe, any context. */
struct ockam_endpoint *ockam_endpoint_lookup(struct ockam_net *on,
					     const u8 *name, u8 name_len);
/* The same, but only of one kind. */
struct ockam_endpoint *ockam_endpoint_lookup_kind(struct ockam_net *on,
						  const u8 *name, u8 name_len,
						  u8 kind);
/* ->id of what has the address @hop now, or OCKAM_ENDPOINT_NONE. */
u64 ockam_endpoint_find(struct ockam_net *on, const struct ockam_hop *hop);

static inline bool ockam_endpoint_is(const struct ockam_endpoint *ep, u64 id)
{
	return id == OCKAM_ENDPOINT_ANY || READ_ONCE(ep->id) == id;
}

static inline struct ockam_endpoint *
ockam_endpoint_get(struct ockam_endpoint *ep)
{
	refcount_inc(&ep->refs);
	return ep;
}

/* For one whose memory is held, but which may have ended: false then. */
static inline bool ockam_endpoint_tryget(struct ockam_endpoint *ep)
{
	return refcount_inc_not_zero(&ep->refs);
}

void ockam_endpoint_put(struct ockam_endpoint *ep);

/* Has it the form of the names that the kernel makes: 32 hex digits? */
bool ockam_endpoint_name_is_random(const u8 *name, u8 len);

/* The endpoint's address as a LOCAL hop, borrowed. */
static inline struct ockam_hop ockam_endpoint_hop(const struct ockam_endpoint *ep)
{
	return (struct ockam_hop){ OCKAM_ADDR_LOCAL, ep->name_len, ep->name };
}

/* May @from send to @ep? */
bool ockam_endpoint_reachable(const struct ockam_endpoint *ep,
			      const struct ockam_origin *from);
/*
 * Replace the mask, when @mask is given, and the list of flow ids, in one step:
 * who was and is allowed to send is so all along. 0, -E2BIG, -ENOMEM. May sleep.
 */
int ockam_endpoint_set_reach(struct ockam_endpoint *ep, const u32 *mask,
			     const u8 *ids, u32 n);
int ockam_endpoint_set_reach_ids(struct ockam_endpoint *ep, const u8 *ids,
				 u32 n);
/* Add or take away one id; adding a present one and removing an absent one are no-ops. */
int ockam_endpoint_add_reach_id(struct ockam_endpoint *ep, const u8 *id);
void ockam_endpoint_del_reach_id(struct ockam_endpoint *ep, const u8 *id);

/* Table of a node; called by netns only. */
int ockam_endpoint_init_net(struct ockam_net *on);
void ockam_endpoint_exit_net(struct ockam_net *on);

/*
 * Wait until every endpoint whose last reference went before the call has been
 * released. Process context, not from a release().
 */
void ockam_endpoint_flush(void);
int ockam_endpoint_init_module(void);
void ockam_endpoint_exit_module(void);

/* 16 random bytes; a flow id or half a name. */
void ockam_endpoint_random_flow_id(u8 *id);

#endif /* OCKAM_ENDPOINT_H */
