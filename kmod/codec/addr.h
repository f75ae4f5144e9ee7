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
 * A packed route, borrowed, first hop first. The bytes have been checked: whole
 * hops, no empty name, within the limits.
 */
struct ockam_hops {
	const u8 *bytes;
	u16 len;
	u8 hops;
};

/* The hop at @p, which lies in checked bytes. */
static inline void ockam_hop_read(struct ockam_hop *hop, const u8 *p)
{
	hop->type = p[0];
	hop->len = p[1];
	hop->name = p + OCKAM_HOP_HDR_LEN;
}

/* First hop; false when there is none. */
static inline bool ockam_hops_first(const struct ockam_hops *h,
				    struct ockam_hop *hop)
{
	if (!h->len)
		return false;
	ockam_hop_read(hop, h->bytes);
	return true;
}

/* Hop behind @hop (which must have come from these); false at the end. */
static inline bool ockam_hops_next(const struct ockam_hops *h,
				   struct ockam_hop *hop)
{
	const u8 *p = hop->name + hop->len;

	if (p >= h->bytes + h->len)
		return false;
	ockam_hop_read(hop, p);
	return true;
}

/* Last hop; false when there is none. */
static inline bool ockam_hops_last(const struct ockam_hops *h,
				   struct ockam_hop *hop)
{
	if (!ockam_hops_first(h, hop))
		return false;
	while (ockam_hops_next(h, hop))
		;
	return true;
}

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
/* First packed byte; ->len bytes follow. */
static inline const u8 *ockam_route_bytes(const struct ockam_route *r)
{
	return (r->heap ?: r->room) + r->off;
}

/* What @r holds, until it changes. */
static inline struct ockam_hops ockam_route_hops(const struct ockam_route *r)
{
	return (struct ockam_hops){
		.bytes = ockam_route_bytes(r),
		.len = r->len,
		.hops = r->hops,
	};
}

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

/* As ockam_hops_first(), ockam_hops_last() and ockam_hops_next(). */
static inline bool ockam_route_first(const struct ockam_route *r,
				     struct ockam_hop *hop)
{
	struct ockam_hops h = ockam_route_hops(r);

	return ockam_hops_first(&h, hop);
}

static inline bool ockam_route_last(const struct ockam_route *r,
				    struct ockam_hop *hop)
{
	struct ockam_hops h = ockam_route_hops(r);

	return ockam_hops_last(&h, hop);
}

static inline bool ockam_route_next(const struct ockam_route *r,
				    struct ockam_hop *hop)
{
	struct ockam_hops h = ockam_route_hops(r);

	return ockam_hops_next(&h, hop);
}

/* Takes the first hop off; no-op on an empty route. */
static inline void ockam_route_pop_front(struct ockam_route *r)
{
	struct ockam_hop hop;

	if (!ockam_route_first(r, &hop))
		return;
	r->off += OCKAM_HOP_HDR_LEN + hop.len;
	r->len -= OCKAM_HOP_HDR_LEN + hop.len;
	r->hops--;
}

static inline bool ockam_hop_equal(const struct ockam_hop *a,
				   const struct ockam_hop *b)
{
	return a->type == b->type && a->len == b->len &&
	       !memcmp(a->name, b->name, a->len);
}

#endif /* OCKAM_ADDR_H */
