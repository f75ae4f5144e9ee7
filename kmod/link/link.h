/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Links: a connected transport socket that carries messages to another node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LINK_H
#define OCKAM_LINK_H

#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/workqueue.h>
#include <net/sock.h>

#include "endpoint.h"
#include "gate.h"
#include "mib.h"

struct cred;
struct mem_cgroup;
struct netlink_ext_ack;
struct ockam_link;

#define OCKAM_LINK_LABEL_MAX	127	/* bytes of a label */

/* What may be chosen at birth and changed later. Borrowed for the call. */
struct ockam_link_options {
	bool has_reach;
	u32 reach;		/* mask OCKAM_REACH_*; default OCKAM_REACH_LOCAL */
	bool has_reach_ids;
	const u8 *reach_ids;	/* n_reach_ids * OCKAM_FLOW_ID_LEN bytes */
	u32 n_reach_ids;
	const char *label;	/* NUL terminated, NULL: leave */
	u32 stall_ms;		/* 0: leave (at birth: the node's limit) */
	u32 half_frame_ms;	/* 0: leave (at birth: the node's limit) */
};

struct ockam_link_params {
	int fd;			/* of the calling process */
	u8 framing;		/* enum ockam_framing */
	bool accepted;		/* a transport listener made it */
	const u8 *spawner_id;	/* OCKAM_FLOW_ID_LEN bytes or NULL */
	const u8 *name;		/* NULL: a random one */
	u8 name_len;
	struct ockam_link_options options;
};

/* One framing: how bytes of a socket become messages and back. */
struct ockam_link_ops {
	u8 framing;			/* enum ockam_framing */
	size_t size;			/* of the object that begins with struct ockam_link */
	struct ockam_endpoint_ops ep_ops;
	/* Can this socket carry the framing? 0 or an errno and a sentence. */
	int (*check)(struct socket *sock, struct netlink_ext_ack *extack);
	/* Memory of the framing is zeroed; cannot fail. */
	void (*init)(struct ockam_link *link);
	/* Published: send and receive from now on. */
	void (*start)(struct ockam_link *link);
	/*
	 * The link is dead and its socket calls nobody: stop all works but
	 * ->watch_work, free all queues. Nothing may be queued afterwards.
	 * Sleeps. Also called for a link that never started.
	 */
	void (*stop)(struct ockam_link *link);
	/* From the socket's callbacks, any context: queue work, nothing else. */
	void (*readable)(struct ockam_link *link);
	void (*writable)(struct ockam_link *link);
	/* Bytes waiting to be sent. */
	u64 (*queued)(struct ockam_link *link);
	/* Look at the deadlines; returns true while there is one to look at. */
	bool (*watch)(struct ockam_link *link);
};

enum ockam_link_bit {
	OCKAM_LINK_LIVE,	/* published; the socket's callbacks queue work */
	OCKAM_LINK_DEAD,	/* set once, by ockam_link_fail() */
	OCKAM_LINK_PAUSED,	/* reading waits for a gate */
	OCKAM_LINK_BLOCKED,	/* sending waits for room in the socket */
	OCKAM_LINK_SHOWN,	/* LINK_NEW was announced */
	OCKAM_LINK_REFUSED,	/* a security module said no: try again later */
	OCKAM_LINK_RX_BUSY,	/* the work that receives is queued or runs */
	OCKAM_LINK_RX_AGAIN,	/* and something may have come since it looked */
};

/*
 * Link: a connected socket with framing, and the address that sends on it.
 *
 * Born:   ockam_link_create(): endpoint reference (->ep, the node's table of
 *         links owns it), a reference on the socket's file, on the module.
 * Refs:   those of ->ep: the table's of addresses, the table of links, each
 *         lookup, each queued message and gate waiter. Works hold none: they
 *         are cancelled before the table of links drops its own.
 * Locks:  ->birth (mutex) is held by the creator until the link is complete,
 *         then by the end work. sk_callback_lock guards sk_user_data and the
 *         saved callbacks. ockam_link_pair_lock (mutex, one for the module)
 *         guards ->pair and ->label. Order: ockam_link_pair_lock >
 *         on->address_lock; ->birth > socket lock > sk_callback_lock.
 *         The socket's callbacks run under foreign locks and only queue work.
 * Dies:   protocol error, end of stream, stall, LINK_DEL, end of the node. All
 *         go through ockam_link_fail(): the first caller sets DEAD, keeps the
 *         reason, hides the address and queues ->end_work, which takes the
 *         socket back, stops the framing's works, frees the queues, wakes who
 *         waits, announces the end, drops the file and the table's reference.
 */
struct ockam_link {
	struct ockam_endpoint ep;
	struct ockam_origin origin;
	const struct ockam_link_ops *ops;
	struct ockam_net *on;
	unsigned long bits;		/* enum ockam_link_bit */
	u32 number;			/* in OCKAM_TABLE_LINKS */
	bool accepted;
	bool tcp;			/* ->sock is of TCP */
	struct mutex birth;		/* ->sock, ->attached, bringing up */

	struct socket *sock;		/* with a reference on its file, until ->end_work */
	bool attached;			/* ->birth: the socket's callbacks are ours */
	struct mem_cgroup *memcg;	/* of the creator: pays for what is received */
	const struct cred *cred;	/* of the creator: uses ->sock, whoever sends */
	gfp_t allocation;		/* of ->sock, while a task sends; socket lock */
	void (*sk_data_ready)(struct sock *sk);
	void (*sk_write_space)(struct sock *sk);
	void (*sk_state_change)(struct sock *sk);
	void (*sk_error_report)(struct sock *sk);

	struct ockam_gate gate;		/* transmit queue */
	struct delayed_work watch_work;	/* deadlines, runs only while there is one */
	struct work_struct end_work;
	enum ockam_mib why;		/* how it died; written before ->end_work runs */
	int error;
	const char *reason;		/* static text */

	u32 stall_ms;			/* 0: the node's limit */
	u32 half_frame_ms;
	struct ockam_link *pair;	/* no reference: unpaired before it dies */
	char *label;

	atomic64_t rx_bytes;
	atomic64_t tx_bytes;
	atomic64_t rx_messages;
	atomic64_t tx_messages;
};

/*
 * Make a link of the caller's socket @p->fd. On success *@out holds a reference
 * for the caller (ockam_link_put()), the link is live and announced. Every
 * refusal sets a sentence in @extack. Process context, may sleep; takes none
 * of on->config_lock. Errors: -EBADF, -ENOTSOCK, -EAFNOSUPPORT, -ENOTCONN,
 * -EPROTOTYPE, -EPROTONOSUPPORT, -EBUSY, -EADDRINUSE, -EINVAL, -ENOSPC,
 * -ESHUTDOWN, -ENOMEM. On error nothing is held and the socket is as before.
 */
int ockam_link_create(struct ockam_net *on, const struct ockam_link_params *p,
		      struct ockam_link **out, struct netlink_ext_ack *extack);

/* Strong reference or NULL. */
struct ockam_link *ockam_link_lookup(struct ockam_net *on, const u8 *name,
				     u8 name_len);
/*
 * For dumps: the first live link with a number of at least *@number, with a
 * reference, and *@number set to its number; NULL at the end.
 */
struct ockam_link *ockam_link_next(struct ockam_net *on, u32 *number);

static inline void ockam_link_put(struct ockam_link *link)
{
	ockam_endpoint_put(&link->ep);
}

/*
 * End the link in order: hidden at return, the rest follows from work.
 * Idempotent. Process context. @error: 0 or a negative errno for the event.
 * @reason: static text, a sentence without the full stop.
 */
void ockam_link_kill(struct ockam_link *link, int error, const char *reason);

/* Change what @o names. 0 or an errno and a sentence; nothing half done. */
int ockam_link_set(struct ockam_link *link, const struct ockam_link_options *o,
		   struct netlink_ext_ack *extack);
/*
 * Let two links of one node send to each other, or no more. A pair ends with
 * either link. -EINVAL, -EBUSY (has another pair), -ENOENT (is no pair, or one
 * of them has just died), -ENOMEM, each with a sentence.
 */
int ockam_link_pair(struct ockam_link *a, struct ockam_link *b,
		    struct netlink_ext_ack *extack);
int ockam_link_unpair(struct ockam_link *a, struct ockam_link *b,
		      struct netlink_ext_ack *extack);

/* Guards ->pair and ->label of every link. */
extern struct mutex ockam_link_pair_lock;

/* Module init (before the pernet registration) and exit (after it is gone). */
int ockam_link_init(void);
void ockam_link_exit(void);

/* ---- for the framings ---- */

/* As ockam_link_kill(), counted as @why instead of OCKAM_MIB_LINKS_CLOSED. */
void ockam_link_fail(struct ockam_link *link, enum ockam_mib why, int error,
		     const char *reason);
/* Have ->watch called from now on until it returns false. Any context. */
void ockam_link_arm_watch(struct ockam_link *link);
/* Times in force, in jiffies, at least 1. */
unsigned long ockam_link_stall(const struct ockam_link *link);
unsigned long ockam_link_half_frame(const struct ockam_link *link);

static inline bool ockam_link_dead(const struct ockam_link *link)
{
	return test_bit(OCKAM_LINK_DEAD, &link->bits);
}

/* ->ep_ops.release of every framing. */
void ockam_link_release(struct ockam_endpoint *ep);
bool ockam_link_paused(struct ockam_endpoint *ep);

extern struct workqueue_struct *ockam_link_wq;	/* works of the framings */

#endif /* OCKAM_LINK_H */
