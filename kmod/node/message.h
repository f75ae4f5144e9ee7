/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A message inside a node: one sk_buff with an onward route, a return route and
 * the payload.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_MESSAGE_H
#define OCKAM_MESSAGE_H

#include <linux/skbuff.h>

#include "addr.h"
#include "endpoint.h"
#include "wire.h"

/* ockam_cb()->flags */
enum ockam_message_flag {
	OCKAM_MSG_PEER = 1 << 0,	/* came out of a channel: ockam_message_peer() */
	OCKAM_MSG_CONTROL = 1 << 1,	/* Close, handshake, liveness: reserved budget */
	OCKAM_MSG_MORE = 1 << 2,	/* hint: its sender has another one right behind */
	OCKAM_MSG_LOCAL = 1 << 3,	/* a socket of this node sent it, and pays for it */
	OCKAM_MSG_SEALED = 1 << 4,	/* of the channel that seals it: ready to leave */
	OCKAM_MSG_QUOTED = 1 << 5,	/* of the link that sends it: on the reserved budget */
	OCKAM_MSG_SHARED = 1 << 6,	/* its fragments are others' too: never written */
};

/*
 * The control block of a message. What follows it in the sk_buff's is the socket
 * layer's (count of drops).
 *
 * skb->head holds, in this order: the identifier of the peer (32 bytes), the
 * onward route, room for it to be exchanged, the return route, and free bytes for
 * headers, which are written right before the payload. The payload is what
 * skb->data and skb->len say, linear or in page fragments; tag and trailer of a
 * channel are a part of skb->len from when they have room.
 *
 * Routes are packed and offsets are from skb->head: taking the first hop off the
 * onward route and putting one before the return route cost no copy.
 *
 * Born:   ockam_message_alloc(), or a socket's sock_alloc_send_pskb() and
 *         ockam_message_init(); owned by the caller.
 * Refs:   none: skb->users stays 1, nobody clones it. deliver() always takes it.
 * Locks:  none; skb->next and skb->prev belong to the queue that it is in.
 * Dies:   ockam_message_free(), ockam_drop(), or in recvmsg(). Its destructor
 *         takes back what the node, or the socket that sent it, paid.
 */
struct ockam_cb {
	u64 to;			/* ->id of what the onward route begins with, or ANY */
	u64 ret_id;		/* ->id of what the return route begins with */
	struct ockam_net *on;	/* node that is charged */
	u32 charged;		/* bytes that it was charged; 0: none */
	u16 onward;		/* offset of the first hop */
	u16 onward_len;		/* bytes */
	u16 ret;
	u16 ret_len;
	u8 onward_hops;
	u8 ret_hops;
	u8 depth;		/* channels this message was sealed through */
	u8 flags;		/* enum ockam_message_flag */
};

static inline struct ockam_cb *ockam_cb(const struct sk_buff *skb)
{
	return (struct ockam_cb *)skb->cb;
}

/* Bytes before the payload in a message whose routes and headers are usual. */
#define OCKAM_MESSAGE_PEER	OCKAM_IDENTIFIER_LEN
#define OCKAM_MESSAGE_ROUTES	160	/* two routes of two random names and a short one */
#define OCKAM_MESSAGE_HEADERS	160	/* of one seal and one frame */
#define OCKAM_MESSAGE_HEADROOM	(OCKAM_MESSAGE_PEER + OCKAM_MESSAGE_ROUTES + \
				 OCKAM_MESSAGE_HEADERS)
/* Behind the plaintext of a packet: trailer and tag. */
#define OCKAM_MESSAGE_TAILROOM	17
/* Payloads up to this size are linear. */
#define OCKAM_MESSAGE_LINEAR	2048
/* Of others this much, for headers to be read from; the head is 1 KiB then. */
#define OCKAM_MESSAGE_WINDOW	320
/* Fragments of one sk_buff hold this much; a longer payload has a list of them. */
#define OCKAM_MESSAGE_PIECE	(64u << 10)

/* What a message's memory consists of: a socket allocates it as others do. */
struct ockam_message_plan {
	size_t before;		/* bytes of routes and headers */
	size_t first;		/* of the payload: linear, behind them */
	size_t frags;		/* in page fragments, with trailer and tag */
	size_t rest;		/* in those of a list; never both */
	size_t head;		/* all linear memory */
};

/* @routes, @len and @linear as below. */
void ockam_message_plan(struct ockam_message_plan *plan, size_t routes,
			size_t len, bool linear);
/*
 * Make @skb, which comes from sock_alloc_send_skb(plan->head) or the like, a
 * message with empty routes. Its socket is charged for what comes to it, a node
 * is not. 0 or -ENOMEM: then @skb can only be freed.
 */
int ockam_message_build(struct sk_buff *skb, struct ockam_net *on,
			const struct ockam_message_plan *plan, gfp_t gfp);
/*
 * @len bytes of uninitialised payload; empty routes, with room for two of @routes
 * bytes in all (0: usual ones). Up to OCKAM_MESSAGE_LINEAR bytes, or all of them
 * with @linear, are linear with room for trailer and tag behind them; the others
 * are in fragments of up to 32 KiB. Charged to the node. NULL without memory.
 */
struct sk_buff *ockam_message_alloc(struct ockam_net *on, size_t routes,
				    size_t len, bool linear, gfp_t gfp);
/*
 * @len bytes more of uninitialised payload behind what is there, in page fragments
 * of our own, with room for trailer and tag behind them. ->truesize grows; nobody
 * is charged. 0 or -ENOMEM: then @skb can only be freed.
 */
int ockam_message_extend(struct sk_buff *skb, size_t len, gfp_t gfp);
/*
 * Make @skb, whose payload begins OCKAM_MESSAGE_HEADROOM or more behind its head,
 * a message with empty routes that nobody is charged for.
 */
void ockam_message_init(struct sk_buff *skb, struct ockam_net *on);
/* Charge the node for it, with a destructor; replaces none. */
void ockam_message_charge(struct sk_buff *skb);
/* Take back what the node was charged. From destructors; any context. */
void ockam_message_uncharge(struct sk_buff *skb);
/*
 * Fragments of @len bytes, 64 KiB at most, in pages whose content is undefined:
 * ->truesize grows, ->len does not. 0 or -ENOMEM. Process context with @gfp.
 */
int ockam_message_add_pages(struct sk_buff *skb, size_t len, gfp_t gfp);
/* Module init, and exit: no message is left. */
void ockam_message_init_module(void);
void ockam_message_exit_module(void);
/* Any context. NULL is allowed. Wipes nothing. */
void ockam_message_free(struct sk_buff *skb);
/* Free every message of a queue (that is the caller's alone). */
void ockam_message_free_queue(struct sk_buff_head *queue);

static inline u8 *ockam_message_peer(const struct sk_buff *skb)
{
	return skb->head;
}

/* The routes, borrowed: valid until one of them is changed. */
static inline struct ockam_hops ockam_message_onward(const struct sk_buff *skb)
{
	const struct ockam_cb *cb = ockam_cb(skb);

	return (struct ockam_hops) { skb->head + cb->onward, cb->onward_len,
				     cb->onward_hops };
}

static inline struct ockam_hops ockam_message_ret(const struct sk_buff *skb)
{
	const struct ockam_cb *cb = ockam_cb(skb);

	return (struct ockam_hops) { skb->head + cb->ret, cb->ret_len,
				     cb->ret_hops };
}

/* First hop of the onward route; false when that is empty. */
static inline bool ockam_message_first(const struct sk_buff *skb,
				       struct ockam_hop *hop)
{
	struct ockam_hops onward = ockam_message_onward(skb);

	return ockam_hops_first(&onward, hop);
}

static inline void ockam_message_clear_ret(struct sk_buff *skb)
{
	ockam_cb(skb)->ret_len = 0;
	ockam_cb(skb)->ret_hops = 0;
	ockam_cb(skb)->ret_id = OCKAM_ENDPOINT_NONE;
}

/* Takes the first hop off the onward route, which is not empty. */
void ockam_message_pop(struct sk_buff *skb);
/*
 * Room for an onward route of @onward and a return route of @ret bytes, whatever
 * is there now; @more: bytes that may come before the latter. Writes neither, both
 * are empty afterwards. *@onward_at and *@ret_at: where they go. 0 or -ENOMEM
 * (unchanged). May sleep with @gfp.
 */
int ockam_message_place(struct sk_buff *skb, u16 onward, u8 onward_hops, u16 ret,
			u8 ret_hops, u8 **onward_at, u8 **ret_at, gfp_t gfp);
/*
 * Replace the onward route, and empty the return route unless @keep_ret. @h is
 * not of @skb. 0 or -ENOMEM.
 */
int ockam_message_set_onward(struct sk_buff *skb, const struct ockam_hops *h,
			     bool keep_ret, gfp_t gfp);
/* Put @hop before the return route. 0, -E2BIG, -ENOMEM. */
int ockam_message_push_ret(struct sk_buff *skb, const struct ockam_hop *hop,
			   gfp_t gfp);
/* The same with the name of @ep, of which the message then comes back. */
int ockam_message_return_to(struct sk_buff *skb, const struct ockam_endpoint *ep,
			    gfp_t gfp);
/*
 * Take the routes of the decoded @m, which is of the bytes at skb->data, and leave
 * its payload alone in @skb. 0 or -ENOMEM.
 */
int ockam_message_unpack(struct sk_buff *skb, struct ockam_wire_message *m,
			 gfp_t gfp);
/*
 * @n bytes behind the payload, at most OCKAM_MESSAGE_TAILROOM in all: skb->len
 * grows, their content is undefined. 0 or -ENOMEM. Not for shared fragments.
 */
int ockam_message_put(struct sk_buff *skb, unsigned int n, gfp_t gfp);
/*
 * A message that can be written: @skb itself, or a copy of it in its place when
 * it has shared fragments. NULL without memory: @skb is as before.
 */
struct sk_buff *ockam_message_own(struct sk_buff *skb, gfp_t gfp);
/*
 * The same for a message whose bytes are all at skb->data, up to 32 KiB.
 */
struct sk_buff *ockam_message_linear(struct sk_buff *skb, gfp_t gfp);
/*
 * At least @n free bytes between routes and payload, so that skb_push() of them
 * overwrites no route. 0 or -ENOMEM.
 */
int ockam_message_reserve(struct sk_buff *skb, unsigned int n, gfp_t gfp);

#endif /* OCKAM_MESSAGE_H */
