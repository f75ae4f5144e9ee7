/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stream framing of a link (wire-protocol section 2): one version byte, then
 * frames of a length (u32 big endian) and a body.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LINK_STREAM_H
#define OCKAM_LINK_STREAM_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "gate.h"
#include "limits.h"
#include "link.h"

struct ockam_dispatch;
struct ockam_message;

/* One read: many small frames, or the next part of a large one. */
#define OCKAM_LINK_RX_BYTES		(32u << 10)
/* A frame that is not all there begins with this much memory. */
#define OCKAM_LINK_FRAME_MIN_BYTES	4096u
/* A frame gets a new deadline whenever this much of it has arrived. */
#define OCKAM_LINK_PROGRESS_BYTES	4096u
/* Queued bytes of control messages that do not count as back-pressure. */
#define OCKAM_LINK_CONTROL_BYTES	(64u << 10)

enum ockam_link_stream_expect {
	OCKAM_LINK_EXPECT_VERSION,
	OCKAM_LINK_EXPECT_LENGTH,
	OCKAM_LINK_EXPECT_BODY,
};

/*
 * Link with stream framing. Lifetime: see struct ockam_link.
 *
 * Receiving belongs to ->rx_work alone; what others look at is marked.
 * Sending: ->tx_lock guards the queue, ->tx_mutex makes one task the sender;
 * it owns ->tx_sending. Order: ->tx_mutex > socket lock > ... > ->tx_lock >
 * gate. Works that are queued from outside the socket's callbacks are queued
 * under ->tx_lock after a look at DEAD, so that none is armed behind stop().
 */
struct ockam_link_stream {
	struct ockam_link link;		/* first */

	struct work_struct rx_work;
	struct ockam_gate_waiter rx_waiter;
	enum ockam_link_stream_expect rx_expect;
	u8 rx_hdr_len;
	u8 rx_hdr[OCKAM_FRAME_HDR_LEN];
	u32 rx_want;			/* bytes of the body */
	struct ockam_message *rx_frame;	/* a body that is not all there */
	u8 *rx_buf;			/* OCKAM_LINK_RX_BYTES, or NULL */
	u32 rx_off;			/* of it: parsed */
	u32 rx_len;			/* of it: filled */
	u32 rx_fresh;			/* bytes since the deadline was set */
	bool rx_paused;			/* the last run ended so */
	bool rx_waits;			/* READ_ONCE: for the rest of something */
	unsigned long rx_since;		/* READ_ONCE: jiffies, when rx_waits */
	unsigned long rx_begin;		/* READ_ONCE: of the frame, when rx_waits */
	u32 rx_have;			/* READ_ONCE: bytes of the frame */
	atomic64_t rx_partial;		/* charged to on->partial_bytes */

	struct work_struct tx_work;
	struct mutex tx_mutex;		/* who sends; the next two */
	struct list_head tx_sending;	/* ->tx_mutex */
	bool tx_version_sent;		/* ->tx_mutex */
	spinlock_t tx_lock;		/* BH: all below */
	struct list_head tx_queue;
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

int ockam_link_stream_init(void);
void ockam_link_stream_exit(void);

/* A security module refused to use the socket: both works run again later. */
void ockam_link_stream_retry(struct ockam_link_stream *s);
/* Queue @work of @s unless the link is dead. Any context. */
void ockam_link_stream_queue_work(struct ockam_link_stream *s,
				  struct work_struct *work);

/* ---- link_stream_rx.c ---- */
int ockam_link_stream_rx_init_cache(void);
void ockam_link_stream_rx_exit_cache(void);
void ockam_link_stream_rx_init(struct ockam_link_stream *s);
void ockam_link_stream_rx_stop(struct ockam_link_stream *s);
bool ockam_link_stream_rx_watch(struct ockam_link_stream *s);

/* ---- link_partial.c ---- */
/* Count @bytes more (or less) that @s holds of an incomplete frame. */
void ockam_link_partial_charge(struct ockam_link_stream *s, s64 bytes);
/* It holds none any more, or does not matter any more. Any context. */
void ockam_link_partial_uncharge(struct ockam_link_stream *s);
/* End the slowest link of the node when there is too much of it. */
void ockam_link_partial_limit(struct ockam_net *on);

/* ---- link_stream_tx.c ---- */
void ockam_link_stream_tx_init(struct ockam_link_stream *s);
/* First half of stopping: nobody sends and nothing is queued any more. */
void ockam_link_stream_tx_close(struct ockam_link_stream *s);
void ockam_link_stream_tx_stop(struct ockam_link_stream *s);
bool ockam_link_stream_tx_watch(struct ockam_link_stream *s);
int ockam_link_stream_tx_deliver(struct ockam_endpoint *ep,
				 struct ockam_message *msg,
				 struct ockam_dispatch *d);

#endif /* OCKAM_LINK_STREAM_H */
