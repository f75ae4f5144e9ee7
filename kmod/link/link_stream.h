/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stream framing of a link (wire-protocol section 2): one version byte, then
 * frames of a length (u32 big endian) and a body.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LINK_STREAM_H
#define OCKAM_LINK_STREAM_H

#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "gate.h"
#include "limits.h"
#include "link.h"
#include "link_cut.h"
#include "route.h"

/* A frame gets a new deadline whenever this much of it has arrived. */
#define OCKAM_LINK_PROGRESS_BYTES	4096u
/* Queued bytes of control messages that do not count as back-pressure. */
#define OCKAM_LINK_CONTROL_BYTES	(64u << 10)

/*
 * Link with stream framing. Lifetime: see struct ockam_link.
 *
 * Receiving belongs to ->rx_work alone; what others look at is marked. On TCP its
 * bytes are cut into messages under the socket's lock, and delivered without it.
 *
 * Sending: ->tx_lock guards the queues; whoever has set ->tx_busy under it is the
 * sender and owns ->tx_sending: the work, while it is queued or runs, or a task
 * within one section with bottom halves off (->tx_inline), so that nobody waits
 * for a task that does not run. Order: socket lock > ->tx_lock > gate. Works that
 * are queued from outside the socket's callbacks are queued under ->tx_lock after
 * a look at DEAD, so that none is armed behind stop().
 */
struct ockam_link_stream {
	struct ockam_link link;		/* first */

	struct work_struct rx_work;
	struct ockam_gate_waiter rx_waiter;
	struct ockam_link_cut rx_cut;
	bool rx_paused;			/* the last run ended so */
	bool rx_waits;			/* READ_ONCE: for the rest of something */
	u32 rx_fresh;			/* bytes since the deadline was set */
	u32 rx_have;			/* READ_ONCE: bytes of the frame */
	u32 rx_room;			/* free bytes behind the last fragment of ->rx_frame */
	struct sk_buff *rx_frame;	/* a body that is not all there */
	struct sk_buff *rx_last;	/* of the sk_buffs that it consists of */
	struct sk_buff_head rx_queue;	/* frames, not yet delivered */
	struct sk_buff *rx_bytes;	/* read from another family than TCP, not yet cut */
	u32 rx_off;			/* of these: taken */
	unsigned long rx_since;		/* READ_ONCE: jiffies, when rx_waits */
	unsigned long rx_begin;		/* READ_ONCE: of the frame, when rx_waits */
	unsigned long rx_allowed;	/* jiffies: a security module lets us receive */
	atomic64_t rx_partial;		/* charged to on->partial_bytes */

	struct work_struct tx_work;
	struct delayed_work tx_late;	/* what a sender announced did not come */
	struct sk_buff_head tx_sending;	/* the sender's */
	u32 tx_off;			/* the sender's: bytes of the first one that have left */
	bool tx_version_sent;		/* the sender's */
	unsigned long tx_allowed;	/* the sender's: as ->rx_allowed */
	int tx_error;			/* ->tx_busy hands it over to the work */
	spinlock_t tx_lock;		/* BH: all below */
	bool tx_busy;			/* somebody sends */
	bool tx_inline;			/* and that is a task; READ_ONCE at the end */
	bool tx_again;			/* the sender must look again before it leaves */
	struct sk_buff_head tx_urgent;	/* may overtake: no packets of channels */
	struct sk_buff_head tx_queue;
	u64 tx_queued;			/* bytes, ->tx_sending included */
	u64 tx_control;			/* of these: not charged to the gate */
	unsigned long tx_progress;	/* jiffies: socket took bytes, queue began */
};

static inline struct ockam_link_stream *
ockam_link_stream_from(struct ockam_link *link)
{
	return container_of(link, struct ockam_link_stream, link);
}

extern const struct ockam_link_ops ockam_link_stream_ops;

/* A security module refused to use the socket: both works run again later. */
void ockam_link_stream_retry(struct ockam_link_stream *s);

/* ---- link_stream_rx.c ---- */
void ockam_link_stream_rx_init(struct ockam_link_stream *s);
/* There may be something to receive, or the end of it. Any context. */
void ockam_link_stream_rx_start(struct ockam_link_stream *s);
void ockam_link_stream_rx_stop(struct ockam_link_stream *s);
bool ockam_link_stream_rx_watch(struct ockam_link_stream *s);

/* ---- link_stream_read.c ---- */
/* What one run of receiving has found. */
struct ockam_link_rx_run {
	struct ockam_link_stream *s;
	struct ockam_dispatch d;
	unsigned int frames;		/* cut so far */
	unsigned int batch;		/* of these: since the last delivery */
	u32 bytes;			/* read so far */
	u32 batch_bytes;
	bool full;			/* node memory */
	int error;			/* of the framing, or -ENOMEM */
	bool grow;			/* the last read has filled its page */
};

/*
 * Take bytes from the socket and cut them into messages at the end of ->rx_queue,
 * a batch at most. 1: there may be more. -EAGAIN: there is no more now. 0: the
 * stream has ended. Another negative errno of the socket, or -ECANCELED with
 * ->error.
 */
int ockam_link_stream_read(struct ockam_link_rx_run *run);
/* Free what has been read and not delivered. */
void ockam_link_stream_read_stop(struct ockam_link_stream *s);

/* ---- link_partial.c ---- */
/* @s holds @bytes of an incomplete frame now. */
void ockam_link_partial_charge(struct ockam_link_stream *s, s64 bytes);
/* It holds none any more, or does not matter any more. Any context. */
void ockam_link_partial_uncharge(struct ockam_link_stream *s);
/* End the slowest link of the node when there is too much of it. */
void ockam_link_partial_limit(struct ockam_net *on);

/* ---- link_stream_tx.c ---- */
void ockam_link_stream_tx_init(struct ockam_link_stream *s);
/* Send what is queued, from work. Any context, the socket's lock may be held. */
void ockam_link_stream_tx_start(struct ockam_link_stream *s);
/* First half of stopping: nobody sends and nothing is queued any more. */
void ockam_link_stream_tx_close(struct ockam_link_stream *s);
void ockam_link_stream_tx_stop(struct ockam_link_stream *s);
bool ockam_link_stream_tx_watch(struct ockam_link_stream *s);
int ockam_link_stream_tx_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
				 struct ockam_dispatch *d);
bool ockam_link_stream_tx_full(struct ockam_endpoint *ep,
			       struct ockam_dispatch *d);
/* What a run of deliveries has left, see ockam_dispatch_flush(). */
void ockam_link_stream_tx_flush(struct ockam_endpoint *ep);

#endif /* OCKAM_LINK_STREAM_H */
