/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Secure channels: keys, nonces, window and two addresses (wire-protocol
 * section 6). The floor above (handshake) makes them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CHANNEL_H
#define OCKAM_CHANNEL_H

#include <linux/mutex.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>

#include "addr.h"
#include "aead.h"
#include "endpoint.h"
#include "gate.h"
#include "netns.h"
#include "replay.h"
#include "watch.h"

struct ockam_channel;
struct ockam_dispatch;
struct sk_buff;

/* What a channel tells whoever made it. Process context, no locks held. */
struct ockam_channel_ops {
	/* The first packet of the peer has been opened. At most once. */
	void (*confirmed)(struct ockam_channel *ch, u64 cookie);
	/* The channel has been killed; @by_peer: the peer sent Close. Once. */
	void (*dead)(struct ockam_channel *ch, u64 cookie, bool by_peer);
};

/* When a silent peer is asked whether it is there (channel_live.c). */
struct ockam_liveness {
	u32 ms;				/* of silence; 0: never */
	bool strict;			/* a peer that has never answered is dead too */
};

/* All borrowed, copied by ockam_channel_alloc(). */
struct ockam_channel_params {
	u8 role;			/* enum ockam_role */
	const u8 *key_tx;		/* 32 bytes */
	const u8 *key_rx;		/* 32 bytes */
	const u8 *peer;			/* 32 bytes */
	const u8 *local_id;		/* 32 bytes or NULL */
	const u8 *decryptor;		/* name */
	u8 decryptor_len;
	const u8 *listener;		/* name or NULL */
	u8 listener_len;
	const u8 *flow_id;		/* 16 bytes, or NULL for random ones */
	const u8 *spawner_id;		/* 16 bytes: flow id of the listener, or NULL */
	const struct ockam_route *route;	/* to the peer's decryptor */
	u64 first;			/* ->id of what it begins with; ANY: what is there */
	u64 expiry;			/* last second since 1970, 0 = none */
	const u8 *attributes;		/* at most OCKAM_ATTRIBUTES_MAX bytes */
	size_t attributes_len;
	u32 encryptor_reach;		/* mask OCKAM_REACH_*, usually LOCAL */
	const u8 *encryptor_ids;	/* n * 16 bytes */
	u32 n_encryptor_ids;
	struct ockam_liveness liveness;
	const struct ockam_channel_ops *ops;	/* or NULL */
	u64 cookie;			/* for ops */
};

/*
 * Attribute blob of a channel. Never changes: other attributes are another one.
 * Refs: the channel's as long as they are the current ones, each info.
 */
struct ockam_channel_attributes {
	refcount_t refs;
	size_t len;
	u8 data[];
};

/* Packets that were refused, by reason: from OCKAM_DROP_PACKET_SHORT on. */
#define OCKAM_CHANNEL_REFUSED	(OCKAM_DROP_PACKET_ROUTE - OCKAM_DROP_PACKET_SHORT + 1)

/*
 * State of a channel for dumps, copied under its lock. Pointers are borrowed
 * and valid as long as the channel is held, but for ->route and ->attributes:
 * ockam_channel_reset_info() frees what of them is the info's own.
 */
struct ockam_channel_info {
	const struct ockam_endpoint *encryptor;
	const struct ockam_endpoint *decryptor;
	const struct ockam_origin *origin;	/* flow id, spawner id */
	const u8 *peer;			/* 32 bytes */
	const u8 *local_id;		/* 32 bytes or NULL */
	const u8 *listener;		/* name or NULL */
	struct ockam_channel_attributes *attributes;	/* or NULL */
	struct ockam_route route;
	u64 expiry;
	u64 rx_bytes, tx_bytes;		/* of packets, nonce and tag included */
	u64 rx_messages, tx_messages;
	u64 queued_bytes;		/* waiting to be opened or sealed */
	u64 rekeys;			/* of both directions */
	u64 refused[OCKAM_CHANNEL_REFUSED];
	u32 heard_ms;			/* since the last packet, or the beginning */
	struct ockam_liveness liveness;
	u32 flags;			/* enum ockam_object_flags */
	u8 listener_len;
	u8 role;
	bool dead;
};

/* Strong references. Any context that may sleep; NULL when there is none. */
struct ockam_channel *ockam_channel_lookup(struct ockam_net *on, const u8 *name,
					   u8 name_len); /* either address */
/* The first one with a number >= *@number; that number is written back. */
struct ockam_channel *ockam_channel_get_next(struct ockam_net *on, u32 *number);
void ockam_channel_put(struct ockam_channel *ch);

/* 0, then ockam_channel_reset_info() must follow, or -ENOMEM (route). */
int ockam_channel_get_info(struct ockam_channel *ch,
			   struct ockam_channel_info *info);
void ockam_channel_reset_info(struct ockam_channel_info *info);
/*
 * Replace the path: @route is the whole route to the peer's decryptor. The peer
 * of an initiator is asked at once (ockam_channel_send_probe()), so it follows.
 * 0, -ESHUTDOWN (dead), -EINVAL (empty), -EHOSTUNREACH (its first address is not
 * there, or has no way on), -ENOMEM: then the path is as before.
 */
int ockam_channel_set_route(struct ockam_channel *ch,
			    const struct ockam_route *route,
			    struct netlink_ext_ack *extack);
/* What is known of the peer's credentials; borrowed. */
struct ockam_channel_credentials {
	bool has_attributes;
	const u8 *attributes;		/* at most OCKAM_ATTRIBUTES_MAX bytes */
	size_t attributes_len;		/* 0: none any more */
	bool has_expiry;
	u64 expiry;			/* last second since 1970, 0 = none */
};

/*
 * Replace what is given of it, both in one step. A time that has passed kills
 * the channel soon. 0, -ESHUTDOWN, -EINVAL (too long), -ENOMEM: nothing changed.
 */
int ockam_channel_set_credentials(struct ockam_channel *ch,
				  const struct ockam_channel_credentials *c,
				  struct netlink_ext_ack *extack);
/* From now on. 0, -ESHUTDOWN. */
int ockam_channel_set_liveness(struct ockam_channel *ch,
			       const struct ockam_liveness *l,
			       struct netlink_ext_ack *extack);
/* Who may send through it. 0, -E2BIG, -ENOMEM, -ESHUTDOWN. */
int ockam_channel_set_reach(struct ockam_channel *ch, u32 reach, const u8 *ids,
			    u32 n, struct netlink_ext_ack *extack);
/*
 * Send a RefreshCredentials body: one CBOR item, at most OCKAM_HANDSHAKE_MAX
 * bytes. 0, -ESHUTDOWN, -EMSGSIZE, -ENOMEM, or what the first hop said.
 */
int ockam_channel_send_refresh(struct ockam_channel *ch, const u8 *body,
			       size_t len, struct netlink_ext_ack *extack);
/* The user's delete: Close is sent once, best effort, then it is killed. */
void ockam_channel_close(struct ockam_channel *ch, int error,
			 const char *reason);
/*
 * The same without an error, but what was given to be sent goes first: when some
 * of that waits to be sealed it is killed later.
 */
void ockam_channel_finish(struct ockam_channel *ch, const char *reason);

/*
 * Making one, by the floor above. ockam_channel_alloc() gives an unpublished
 * channel, one reference: 0 or -EINVAL, -ENOMEM, -ESHUTDOWN. It may send at
 * once (ockam_channel_send_refresh(), ockam_channel_send_close()).
 * ockam_channel_publish() makes it reachable; with @old, which has the name of
 * the decryptor, the decryptor takes its place in one step. -ENOENT (@old is
 * gone), -EADDRINUSE, -ENOSPC, -ESHUTDOWN, -ENOMEM: then nothing is published.
 * Packets that arrive from then on wait until ockam_channel_start(), which puts
 * the messages of @held (may be NULL; emptied) before them.
 * ockam_channel_discard(): instead of publishing; drops the reference.
 * ockam_channel_set_sink(), before the start: whatever the peer sends goes to @sink
 * and nowhere else. Takes a reference. When it has ended by then @sink is told.
 */
int ockam_channel_alloc(struct ockam_net *on,
			const struct ockam_channel_params *p,
			struct ockam_channel **out);
int ockam_channel_publish(struct ockam_channel *ch, struct ockam_endpoint *old,
			  struct netlink_ext_ack *extack);
void ockam_channel_set_sink(struct ockam_channel *ch,
			    struct ockam_endpoint *sink);
void ockam_channel_start(struct ockam_channel *ch, struct sk_buff_head *held);
void ockam_channel_discard(struct ockam_channel *ch);
/*
 * One Close, best effort; nothing can be sent afterwards. True: it waits behind
 * what is to be sealed before it, and then the channel is killed for @reason; NULL:
 * it does not wait for that.
 */
bool ockam_channel_send_close(struct ockam_channel *ch, const char *reason);
/*
 * Ask the peer's echo service to answer to our decryptor: the answer opens
 * (and so confirms) and goes nowhere. 0 or an errno.
 */
int ockam_channel_send_probe(struct ockam_channel *ch);
/* A message for the decryptor that did not come by its address. Takes it. */
int ockam_channel_receive(struct ockam_channel *ch, struct sk_buff *skb,
			  struct ockam_dispatch *d);
/* The encryptor, for a result. */
const struct ockam_endpoint *ockam_channel_encryptor(const struct ockam_channel *ch);
const struct ockam_endpoint *ockam_channel_decryptor(const struct ockam_channel *ch);

int ockam_channel_init(void);
void ockam_channel_exit(void);

/* ---- for channel.c, channel_tx.c and channel_rx.c only ---- */

#define OCKAM_CHANNEL_QUEUE_BYTES	0x100000	/* waiting to be opened */

/*
 * Where packets are sent: replaced as a whole. Refs: the channel's, each sender
 * that copies it. Freed after a grace period.
 */
struct ockam_channel_path {
	struct rcu_head rcu;
	refcount_t refs;
	u64 first;			/* ->id of what ->route begins with */
	struct ockam_route route;
};

/* Sending. Nonces are taken and packets leave in the same order. */
struct ockam_channel_tx {
	spinlock_t lock;		/* all below */
	struct ockam_aead_key key;	/* of ->interval */
	u64 interval;
	u64 next;			/* nonce */
	/* Packets that have not left, by nonce; each holds a reference on ->enc. */
	struct sk_buff_head order;
	struct sk_buff_head later;	/* plaintexts that ->work seals */
	unsigned int unsealed;		/* those, and the one that it is at; READ_ONCE */
	bool busy;			/* somebody carries one to the next hop */
	bool closed;			/* no nonce is given out any more */
	bool broken;			/* a packet is missing: none leaves any more */
	int failed;			/* why, for ->work to end the channel; or 0 */
	const char *finished;		/* why it ends behind the last of ->later */
	u64 bytes;
	u64 messages;
	struct work_struct work;	/* carries what senders have left */
};

/*
 * Receiving. Whoever sets ->busy opens: a link's work that finds the channel idle,
 * or ->work. Window, keys and counts are his, without a lock.
 */
struct ockam_channel_rx {
	struct work_struct work;
	struct ockam_window window;
	struct ockam_aead_key keys[__OCKAM_KEY_SLOTS];
	u64 route_nonce;		/* of the last route update */
	struct ockam_gate_waiter waiter;	/* a full queue further on */
	struct delayed_work stall_work;
	struct ockam_gate gate;		/* bytes of ->queue */
	struct u64_stats_sync stats;	/* the next four */
	u64_stats_t bytes;
	u64_stats_t messages;
	u64_stats_t rekeys;
	u64_stats_t refused[OCKAM_CHANNEL_REFUSED];
	bool by_work;			/* ->work has set ->busy */
	spinlock_t lock;		/* all below */
	struct sk_buff_head queue;
	bool busy;
	bool corked;			/* until ockam_channel_start() */
	bool paused;			/* until ->waiter is woken */
};

/* See channel_live.c. */
struct ockam_channel_live {
	struct delayed_work work;
	unsigned long heard;		/* jiffies of the last packet, READ_ONCE */
	u32 ms;				/* READ_ONCE */
	bool strict;			/* READ_ONCE */
	bool answered;			/* a question, ever; READ_ONCE */
	u8 asked;			/* since something was heard; of ->work */
	unsigned long asked_at;		/* jiffies of the last one; of ->work */
};

/*
 * Secure channel: two endpoints and the keys between them.
 *
 * Born:   ockam_channel_alloc(), refs: the caller's and one for each of the two
 *         endpoints (dropped by their release). Holds the module.
 * Refs:   those, the node's table of channels, each lookup, each queued work
 *         and running timer. They hold the memory, but not the endpoints of a
 *         dead channel: who hands ->enc or ->dec to others needs one of its own.
 * Locks:  ->lock guards ->dead, ->closing, ->expiry, ->attributes and writes of
 *         ->path (read under RCU); ->tx.lock and ->rx.lock their parts. None
 *         nests in another, all are leaves but for the gate's; deliver()
 *         and callbacks are called with none held. ->news_mutex: events and
 *         results about it are sent under this one, so none comes after the
 *         one that says that it has ended; nothing is killed under it. ->path_mutex
 *         serialises who replaces ->path and watches its first address; ->lock
 *         and the address table's lock nest in it.
 * Dies:   user's delete, the peer's Close, end of nonces, expiry, encryption
 *         failure, a stalled receiver, end of the node. All go through
 *         ockam_channel_kill(): dead, both endpoints hidden, sending keys
 *         wiped, out of the table; the last run of ->rx.work frees the queue
 *         and wipes the receiving keys. The endpoints' release comes after a
 *         grace period; the last put frees.
 */
struct ockam_channel {
	struct ockam_endpoint enc;
	struct ockam_endpoint dec;
	struct ockam_origin origin;	/* of what comes out of the decryptor */
	struct ockam_net *on;
	refcount_t refs;
	u32 number;			/* in OCKAM_TABLE_CHANNELS */

	spinlock_t lock;		/* ->dead to ->path */
	bool dead;			/* READ_ONCE elsewhere */
	bool closing;			/* a Close is on its way out; READ_ONCE elsewhere */
	bool end_by_peer;		/* since ->dead */
	int end_error;			/* since ->dead */
	/* All that the peer sends is for it; with a reference, to the last put. */
	struct ockam_endpoint *sink;	/* or NULL; does not change once it is dead */
	bool published;			/* both addresses are there; READ_ONCE elsewhere */
	u64 expiry;			/* READ_ONCE elsewhere */
	struct ockam_channel_attributes *attributes;	/* or NULL */
	struct ockam_channel_path __rcu *path;
	struct delayed_work expiry_work;

	struct mutex news_mutex;	/* what is told of it: new, result, ended */
	bool announced;			/* CHANNEL_NEW; news_mutex */

	struct mutex path_mutex;	/* who replaces ->path and watches it */
	struct ockam_watch watch;	/* of the path's first address */
	bool hop_lost;			/* ->watch was told since it began; address_lock */
	struct work_struct stranded_work;	/* ->enc.stranded: tell who watches us */
	struct delayed_work orphan_work;	/* stranded for too long */

	struct ockam_channel_tx tx;
	struct ockam_channel_rx rx;
	struct ockam_channel_live live;

	/* Immutable. */
	const struct ockam_channel_ops *ops;
	u64 cookie;
	u8 role;
	bool has_local_id;
	u8 peer[OCKAM_IDENTIFIER_LEN];
	u8 local_id[OCKAM_IDENTIFIER_LEN];
	u8 *listener;
	u8 listener_len;

	bool confirmed;			/* written by ->rx.work */
};

extern struct workqueue_struct *ockam_channel_wq;

/*
 * End it, in order. Idempotent: returns false when it was dead already. Process
 * context, no locks. @reason: static text.
 */
bool ockam_channel_kill(struct ockam_channel *ch, int error, const char *reason,
			bool by_peer);
bool ockam_channel_expired(const struct ockam_channel *ch);
/* Queue a work that holds a reference while it is queued or runs. */
void ockam_channel_queue_rx(struct ockam_channel *ch);
void ockam_channel_queue_expiry(struct ockam_channel *ch, unsigned long delay);
void ockam_channel_init_expiry(struct ockam_channel *ch);
/* Look at ->expiry when it is time, and again: real time may jump. */
void ockam_channel_arm_expiry(struct ockam_channel *ch);
void ockam_channel_queue_stall(struct ockam_channel *ch);
static inline void ockam_channel_get(struct ockam_channel *ch)
{
	refcount_inc(&ch->refs);
}

void ockam_channel_queue_live(struct ockam_channel *ch, unsigned long delay);
void ockam_channel_queue_orphan(struct ockam_channel *ch, unsigned long delay);
void ockam_channel_init_live(struct ockam_channel *ch,
			     const struct ockam_liveness *l);
void ockam_channel_start_live(struct ockam_channel *ch);

void ockam_channel_init_path(struct ockam_channel *ch);
void ockam_channel_put_path(struct ockam_channel_path *path);	/* NULL is allowed */
/* Look anew whether what the path begins with is there. May sleep. */
void ockam_channel_watch_path(struct ockam_channel *ch);
/*
 * Is it there, and has a way on? Looks anew when it had none. What has ended does
 * not come back, whoever has its name: then another path is needed. May sleep.
 */
bool ockam_channel_has_way(struct ockam_channel *ch);
/* Would that find none? @route, @first: copy of the path. Changes nothing. */
bool ockam_channel_lost_way(struct ockam_channel *ch,
			    const struct ockam_route *route, u64 first);
/* With a reference, which ockam_channel_put_path() takes back. */
struct ockam_channel_path *ockam_channel_get_path(struct ockam_channel *ch);
/* Copy the path to @route, and what it begins with to *@first. 0 or -ENOMEM. */
int ockam_channel_copy_path(struct ockam_channel *ch, struct ockam_route *route,
			    u64 *first);
/*
 * Make @route, which is taken over, the path; @first: what it begins with.
 * 0 or -ENOMEM. May sleep.
 */
int ockam_channel_move_path(struct ockam_channel *ch, struct ockam_route *route,
			    u64 first);

void ockam_channel_init_tx(struct ockam_channel *ch, const u8 *key);
void ockam_channel_close_tx(struct ockam_channel *ch);
/* Nothing leaves any more, also of what has a nonce. */
void ockam_channel_stop_tx(struct ockam_channel *ch);
bool ockam_channel_full(struct ockam_endpoint *ep, struct ockam_dispatch *d);
/* Turn the routed message into the plaintext of a Payload. 0 or -ENOMEM. */
int ockam_channel_build_payload(struct sk_buff *skb);
/*
 * Exchange the routes of @skb for those of a packet: the path, and no return
 * route, for the peer takes what transports put there for the way back, unless
 * @keep_ret. Returns the next hop, with a reference, or ERR_PTR().
 */
struct ockam_endpoint *ockam_channel_address(struct ockam_channel *ch,
					     struct sk_buff *skb, bool keep_ret);
/*
 * Everything that may fail before a nonce is taken: the addressed plaintext gets
 * room for the headers of packet and frame, and its tag. 0, -EMSGSIZE, -ENOMEM.
 */
int ockam_channel_prepare(struct ockam_channel *ch, struct sk_buff *skb);
/*
 * Seal the addressed plaintext, its path beginning with @next, and send it; @last:
 * nothing can be sent afterwards. With @finish that one waits for what is to be
 * sealed before it: then 1 is returned, and the channel is killed behind it for
 * that reason. On error @skb is still the caller's.
 */
int ockam_channel_send(struct ockam_channel *ch, struct sk_buff *skb,
		       struct ockam_endpoint *next, bool last,
		       const char *finish, struct ockam_dispatch *d);
/* Why a message is dropped that was not sent for @err. */
enum ockam_mib ockam_channel_tx_reason(int err);
void ockam_channel_forwarded_rx(struct ockam_endpoint *ep,
				struct ockam_dispatch *d);
int ockam_channel_deliver_tx(struct ockam_endpoint *ep, struct sk_buff *skb,
			     struct ockam_dispatch *d);

void ockam_channel_init_rx(struct ockam_channel *ch, const u8 *key);
int ockam_channel_deliver_rx(struct ockam_endpoint *ep, struct sk_buff *skb,
			     struct ockam_dispatch *d);

#endif /* OCKAM_CHANNEL_H */
