/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A node: everything the module keeps in one network namespace.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_NETNS_H
#define OCKAM_NETNS_H

#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/rhashtable-types.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

#include "aead.h"
#include "endpoint.h"
#include "gate.h"
#include "limits.h"
#include "mib.h"

/*
 * @err, with a sentence for whoever asked by netlink. It is said where the fault
 * is found: functions that a request runs take its extack along. NULL for those
 * that nobody asked for.
 */
#define ockam_refuse(extack, err, sentence) ({				\
	NL_SET_ERR_MSG(extack, sentence);				\
	(err);								\
})

struct ockam_names;

/* Objects that a node keeps beside its addresses, for dumps and teardown. */
enum ockam_table_id {
	OCKAM_TABLE_LINKS,
	OCKAM_TABLE_CHANNELS,
	OCKAM_TABLE_LISTENERS,
	OCKAM_TABLE_EXCHANGES,
	__OCKAM_TABLE_MAX
};

/*
 * A bounded table of objects under small numbers. xa_lock serialises; what an
 * entry is, and its reference, is the business of the room that owns it. Dumps
 * go by number, so they survive concurrent change.
 */
struct ockam_table {
	struct xarray xa;	/* XA_FLAGS_ALLOC1, process context users only */
	u32 next;
	atomic_t count;
	u8 limit;		/* enum ockam_limit_attr that bounds it */
};

/*
 * Node.
 *
 * Born:   with its network namespace (pernet).
 * Refs:   the namespace. Objects do not hold it: their works are flushed and
 *         their memory freed before the namespace's exit returns.
 * Locks:  ->config_lock (mutex): owner, worker port, limits. ->address_lock
 *         (spinlock): see endpoint.h. Order: config_lock > a room's own locks
 *         > address_lock. deliver() is called with none of them held.
 * Dies:   NODE_DEL, end of the owner's socket (both: ->end_work, the namespace
 *         lives on and may be owned again), exit of the namespace. All hide
 *         everything, wait for one grace period, and free it.
 */
struct ockam_net {
	struct net *net;
	struct ockam_mib_table __percpu *mib;

	struct rhashtable addresses;
	struct ockam_names *names;	/* whose they are: names.h */
	spinlock_t address_lock;	/* add, remove, replace, count */
	u32 n_addresses;
	bool closing;			/* address_lock: nothing is added any more */

	struct ockam_table tables[__OCKAM_TABLE_MAX];
	struct ockam_limits limits;
	struct ockam_aead_pool aead;	/* transforms of all channels */
	struct ockam_gate memory;	/* all messages of the node */
	atomic64_t partial_bytes;	/* partial frames of all links */

	struct mutex config_lock;	/* the rest, against each other */
	u32 owner_portid;
	u32 worker_portid;		/* READ_ONCE elsewhere */
	/* Their sockets, set by the netlink surface; compared, never used. */
	const struct sock *owner_sock;
	const struct sock *worker_sock;
	struct work_struct end_work;	/* nobody owns it any more */

	struct ockam_origin local;	/* of messages from sockets and handshakes */
};

struct ockam_net *ockam_netns_from(const struct net *net);

/* Nobody owns the node any more, and it has not ended yet. */
#define OCKAM_NETNS_NO_PORT	U32_MAX

/* While ->config_lock is held an owned node does not end. */
static inline bool ockam_netns_owned(const struct ockam_net *on)
{
	u32 portid = READ_ONCE(on->owner_portid);

	return portid && portid != OCKAM_NETNS_NO_PORT;
}

static inline u64 ockam_netns_limit(const struct ockam_net *on,
				    enum ockam_limit_attr which)
{
	return READ_ONCE(on->limits.v[which]);
}

/*
 * How that ends what the floors above keep in a node; defined there. hide()
 * makes everything of the node unreachable and dead, waits for nothing, and may
 * be called again; what is made meanwhile is cleaned up by who makes it. After
 * a grace period free() drops the tables' references and waits for the works.
 */
void ockam_link_hide_net(struct ockam_net *on);
void ockam_link_free_net(struct ockam_net *on);
/* The limit has changed: for those links that are there. Process context. */
void ockam_link_set_queue_limit(struct ockam_net *on, u64 limit);
void ockam_channel_hide_net(struct ockam_net *on);
void ockam_channel_free_net(struct ockam_net *on);
void ockam_handshake_hide_net(struct ockam_net *on);
void ockam_handshake_free_net(struct ockam_net *on);
/* The worker's socket has closed. */
void ockam_handshake_worker_gone(struct ockam_net *on);
/*
 * Ends what has keys or is about to get some; they are wiped at return, but for
 * the pool's copies. @copied: the same keys are in use elsewhere, so nothing is
 * sealed any more, not even a Close. @why: static text. Handshakes first.
 */
void ockam_handshake_end_keys(struct ockam_net *on, const char *why);
void ockam_channel_end_keys(struct ockam_net *on, bool copied, const char *why);

/*
 * May @which be set to @value? 0; -ERANGE; -EPERM when @value is above the
 * default and the caller may not raise it.
 */
int ockam_netns_check_limit(enum ockam_limit_attr which, u64 value,
			    bool may_raise, struct netlink_ext_ack *extack);
/* All defaults again; caller holds ->config_lock or is alone. */
void ockam_netns_reset_limits(struct ockam_net *on);
/* Caller holds ->config_lock and has checked @value. */
void ockam_netns_set_limit(struct ockam_net *on, enum ockam_limit_attr which,
			   u64 value);

/*
 * Netlink port @portid owns the node from now on; holds the module. 0, or
 * -EBUSY (owned, or still ending), -ENOENT (module going away).
 */
int ockam_netns_own(struct ockam_net *on, u32 portid);
/* @portid does the handshakes. 0, -EBUSY (another does), -ENOTCONN (no owner). */
int ockam_netns_bind_worker(struct ockam_net *on, u32 portid);

/*
 * End the node: everything of it is hidden when this returns, and freed by work
 * some time later. Until then it can have no owner. -ESRCH when it had none.
 */
int ockam_netns_end_node(struct ockam_net *on);
/*
 * A netlink port has gone: ends the node when it was the owner's, pending
 * exchanges when it was the worker's. Process context.
 */
void ockam_netns_port_gone(struct ockam_net *on, u32 portid);

/*
 * From ockam_netns_set_asleep(true) on no handshake begins. Who publishes one
 * looks after that, so ockam_handshake_end_keys() or he himself ends it.
 */
void ockam_netns_set_asleep(bool asleep);
bool ockam_netns_asleep(void);

/* Number for @obj, or -ENOSPC (limit), -ENOMEM. The caller's reference moves in. */
int ockam_table_add(struct ockam_net *on, enum ockam_table_id id, void *obj,
		    u32 *number, struct netlink_ext_ack *extack);
/* Returns the object if it was still there (the reference moves out). */
void *ockam_table_remove(struct ockam_net *on, enum ockam_table_id id,
			 u32 number);

/* Module init and exit. */
int ockam_netns_init(void);
void ockam_netns_exit(void);

#endif /* OCKAM_NETNS_H */
