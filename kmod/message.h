/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A message inside a node: onward route, return route, payload.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_MESSAGE_H
#define OCKAM_MESSAGE_H

#include <linux/list.h>

#include "addr.h"

struct ockam_endpoint;
struct ockam_net;
struct sock;

/* Room that a fresh message keeps for headers of one seal and one frame. */
#define OCKAM_MESSAGE_HEADROOM	224
#define OCKAM_MESSAGE_TAILROOM	(OCKAM_INNER_TRAILER_ROOM + OCKAM_TAG_LEN)
#define OCKAM_INNER_TRAILER_ROOM 1

/*
 * The payload is ->len linear bytes at ->data inside our own buffer of
 * [->head, ->end), so that headers are written before it and trailers behind
 * it in place, and so that in-place encryption touches no foreign page. The
 * buffer may be vmalloc memory (large messages): use ockam_message_sg().
 *
 * Born:   ockam_message_alloc(), owned by the caller.
 * Refs:   none; exactly one owner at any time. deliver() always takes it.
 * Locks:  none; ->list belongs to the queue that the message is in.
 * Dies:   ockam_message_free() or ockam_drop().
 */
struct ockam_message {
	struct list_head list;
	struct ockam_net *on;		/* node that is charged, while ->in_node */
	struct ockam_endpoint *from;	/* while queued in a dispatch: producer, ref held */
	struct sock *sk;		/* local sender or receiver charged, or NULL */
	void (*uncharge)(struct ockam_message *msg);	/* set with ->sk */
	size_t charged;			/* bytes, set with ->sk; ->truesize may grow */

	u64 to;				/* ->id of what ->onward begins with, or ANY */
	u64 ret_id;			/* ->id of what ->ret begins with */
	struct ockam_route onward;
	/* These two are what recvmsg() copies out: see the cache's user region. */
	struct ockam_route ret;
	u8 peer[OCKAM_IDENTIFIER_LEN];	/* of the last channel, when has_peer */

	u8 *head;
	u8 *end;
	u8 *data;
	size_t len;
	size_t truesize;		/* bytes of memory, for accounting */
	size_t routes;			/* of these: what the routes have allocated */

	u64 cookie;			/* private to the current owner */
	u8 depth;			/* channels this message was sealed through */
	bool has_peer;			/* came out of a channel */
	bool in_node;			/* ->truesize counts in the node's memory */
	bool local;			/* and there in the part of its sockets */
	bool control;			/* Close, handshake, liveness: reserved budget */
	bool more;			/* hint: its sender has another one right behind */
};

/*
 * @len bytes of uninitialised payload with @headroom and @tailroom bytes
 * around it; empty routes. May sleep. NULL without memory.
 */
struct ockam_message *ockam_message_alloc(struct ockam_net *on, size_t headroom,
					  size_t len, size_t tailroom, gfp_t gfp);
/* Wipes nothing: payloads that are secrets are the caller's to wipe. */
void ockam_message_free(struct ockam_message *msg);
/*
 * The message waits for a program now, whose socket pays for it: the node's
 * memory is for what is on its way, or one program that does not read could
 * stop all others. No-op when it has left already.
 */
void ockam_message_leave_node(struct ockam_message *msg);
/*
 * A socket of the node sends it: counted with what the others of them have on
 * its way. Once, before it goes.
 */
void ockam_message_mark_local(struct ockam_message *msg);
/*
 * The routes have been set, or have grown: count what they have allocated. Not
 * while the message is charged to a gate by its ->truesize.
 */
void ockam_message_count_routes(struct ockam_message *msg);
/*
 * Make room for @headroom bytes before and @tailroom behind the payload, moving
 * it to a larger buffer when needed. 0 or -ENOMEM (message unchanged).
 */
int ockam_message_reserve(struct ockam_message *msg, size_t headroom,
			  size_t tailroom);

static inline size_t ockam_message_headroom(const struct ockam_message *msg)
{
	return msg->data - msg->head;
}

static inline size_t ockam_message_tailroom(const struct ockam_message *msg)
{
	return msg->end - msg->data - msg->len;
}

/* Grow the payload in front; the room must be there. */
static inline u8 *ockam_message_push(struct ockam_message *msg, size_t n)
{
	msg->data -= n;
	msg->len += n;
	return msg->data;
}

/* Grow the payload behind; returns the first new byte. */
static inline u8 *ockam_message_put(struct ockam_message *msg, size_t n)
{
	u8 *p = msg->data + msg->len;

	msg->len += n;
	return p;
}

static inline void ockam_message_pull(struct ockam_message *msg, size_t n)
{
	msg->data += n;
	msg->len -= n;
}

static inline void ockam_message_trim(struct ockam_message *msg, size_t len)
{
	msg->len = len;
}

/* Our name in front of the return route. 0, -E2BIG, -ENOMEM. */
int ockam_message_return_to(struct ockam_message *msg,
			    const struct ockam_endpoint *ep);

/* Free every message of a list (that is the caller's alone). */
void ockam_message_free_list(struct list_head *list);

int ockam_message_init_cache(void);
void ockam_message_exit_cache(void);

#endif /* OCKAM_MESSAGE_H */
