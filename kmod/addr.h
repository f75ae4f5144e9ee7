/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses and routes in packed form: type (u8), length (u8, 1-255), name.
 *
 * Floor 0: no locks, no struct net; the same code runs on the host.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_ADDR_H
#define OCKAM_ADDR_H

#include "limits.h"

#define OCKAM_HOP_HDR_LEN	2	/* type and length before the name */
#define OCKAM_ROUTE_INLINE	128	/* bytes of a route kept without allocation */

/* One address, borrowed: ->name points into somebody else's memory. */
struct ockam_hop {
	u8 type;
	u8 len;			/* bytes of the name, 1-255 */
	const u8 *name;
};

/*
 * A route, first hop first, with room in front: taking the first hop off and
 * putting one before it cost no copy. The packed bytes are the ->len bytes at
 * ockam_route_bytes(). ->heap is NULL while the inline room is enough; it is
 * owned by the route and freed by ockam_route_reset().
 *
 * No locks: a route belongs to one message, exchange or channel, whose owner
 * serialises access. May be moved only by ockam_route_move().
 */
struct ockam_route {
	u8 *heap;
	u16 cap;		/* bytes of the buffer, inline or heap */
	u16 off;		/* first used byte */
	u16 len;		/* used bytes, at most OCKAM_ROUTE_MAX_BYTES */
	u8 hops;		/* at most OCKAM_ROUTE_MAX_HOPS */
	u8 room[OCKAM_ROUTE_INLINE];
};

/* An empty route. Does not free: for fresh memory. */
void ockam_route_init(struct ockam_route *r);
/* Empty it again and free what it owns. */
void ockam_route_reset(struct ockam_route *r);
/* Bytes that it has allocated. */
static inline size_t ockam_route_allocated(const struct ockam_route *r)
{
	return r->heap ? r->cap : 0;
}

/* First packed byte; ->len bytes follow. */
const u8 *ockam_route_bytes(const struct ockam_route *r);

/*
 * Check @len packed bytes: whole hops, no empty name, within the limits.
 * Returns the number of hops (0 for an empty route), -EINVAL or -E2BIG.
 */
int ockam_route_check(const u8 *packed, size_t len);
/* Replace by checked packed bytes. 0, -EINVAL, -E2BIG, -ENOMEM; unchanged on error. */
int ockam_route_set(struct ockam_route *r, const u8 *packed, size_t len);
int ockam_route_copy(struct ockam_route *dst, const struct ockam_route *src);
/* @dst takes over @src, which is empty afterwards; @dst's old content is freed. */
void ockam_route_move(struct ockam_route *dst, struct ockam_route *src);
/* 0, -EINVAL (empty name), -E2BIG (limits), -ENOMEM. May sleep. Unchanged on error. */
int ockam_route_push_front(struct ockam_route *r, const struct ockam_hop *hop);
int ockam_route_push_back(struct ockam_route *r, const struct ockam_hop *hop);
/* First and last hop; false when the route is empty. */
bool ockam_route_first(const struct ockam_route *r, struct ockam_hop *hop);
bool ockam_route_last(const struct ockam_route *r, struct ockam_hop *hop);
/* Hop behind @hop (which must have come from this route); false at the end. */
bool ockam_route_next(const struct ockam_route *r, struct ockam_hop *hop);
/* Takes the first hop off; no-op on an empty route. */
void ockam_route_pop_front(struct ockam_route *r);

static inline bool ockam_hop_equal(const struct ockam_hop *a,
				   const struct ockam_hop *b)
{
	return a->type == b->type && a->len == b->len &&
	       !memcmp(a->name, b->name, a->len);
}

#endif /* OCKAM_ADDR_H */
