// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses and routes in packed form.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HOST
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#endif

#include "addr.h"

void ockam_route_init(struct ockam_route *r)
{
	/* ->off, ->len and ->cap are u16. */
	BUILD_BUG_ON(OCKAM_ROUTE_MAX_BYTES > U16_MAX);
	BUILD_BUG_ON(OCKAM_ROUTE_INLINE > OCKAM_ROUTE_MAX_BYTES);

	r->heap = NULL;
	r->cap = OCKAM_ROUTE_INLINE;
	r->off = 0;
	r->len = 0;
	r->hops = 0;
}

void ockam_route_reset(struct ockam_route *r)
{
	kfree(r->heap);
	ockam_route_init(r);
}

static u8 *ockam_route_buffer(struct ockam_route *r)
{
	return r->heap ?: r->room;
}

int ockam_route_check(const u8 *packed, size_t len)
{
	unsigned int hops = 0;
	size_t n;

	if (len > OCKAM_ROUTE_MAX_BYTES)
		return -E2BIG;
	while (len) {
		if (len < OCKAM_HOP_HDR_LEN || !packed[1])
			return -EINVAL;
		n = OCKAM_HOP_HDR_LEN + packed[1];
		if (n > len)
			return -EINVAL;
		if (++hops > OCKAM_ROUTE_MAX_HOPS)
			return -E2BIG;
		packed += n;
		len -= n;
	}
	return hops;
}

/*
 * Make @front bytes free before and @back bytes behind the used ones, whose sum
 * with ->len the caller has checked against OCKAM_ROUTE_MAX_BYTES. Moves inside
 * the buffer when that is enough. 0 or -ENOMEM.
 */
static int ockam_route_reserve(struct ockam_route *r, size_t front, size_t back)
{
	size_t need = front + r->len + back;
	size_t cap, off;
	u8 *buf;

	if (r->off >= front && (size_t)r->cap - r->off - r->len >= back)
		return 0;
	if (need <= r->cap) {
		buf = ockam_route_buffer(r);
		off = front ? r->cap - r->len : 0;
		memmove(buf + off, buf + r->off, r->len);
		r->off = off;
		return 0;
	}
	/* Twice of what is needed: hops come one by one. */
	cap = min_t(size_t, 2 * need, OCKAM_ROUTE_MAX_BYTES);
	buf = kmalloc(cap, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	off = front ? cap - r->len : 0;
	memcpy(buf + off, ockam_route_bytes(r), r->len);
	kfree(r->heap);
	r->heap = buf;
	r->cap = cap;
	r->off = off;
	return 0;
}

/* @len checked bytes of @hops hops take the place of what @r holds. */
static int ockam_route_replace(struct ockam_route *r, const u8 *packed,
			       size_t len, unsigned int hops)
{
	u8 *buf = NULL;

	if (len > r->cap) {
		buf = kmalloc(len, GFP_KERNEL_ACCOUNT);
		if (!buf)
			return -ENOMEM;
		memcpy(buf, packed, len);
		kfree(r->heap);
		r->heap = buf;
		r->cap = len;
	} else {
		/* The source may be a part of what the route holds. */
		memmove(ockam_route_buffer(r) + r->cap - len, packed, len);
	}
	r->off = r->cap - len;
	r->len = len;
	r->hops = hops;
	return 0;
}

int ockam_route_set(struct ockam_route *r, const u8 *packed, size_t len)
{
	int hops = ockam_route_check(packed, len);

	if (hops < 0)
		return hops;
	return ockam_route_replace(r, packed, len, hops);
}

int ockam_route_copy(struct ockam_route *dst, const struct ockam_route *src)
{
	if (dst == src)
		return 0;
	return ockam_route_replace(dst, ockam_route_bytes(src), src->len,
				   src->hops);
}

void ockam_route_move(struct ockam_route *dst, struct ockam_route *src)
{
	if (dst == src)
		return;
	kfree(dst->heap);
	dst->heap = src->heap;
	dst->cap = src->cap;
	dst->off = src->off;
	dst->len = src->len;
	dst->hops = src->hops;
	if (!src->heap)
		memcpy(dst->room + dst->off, src->room + src->off, src->len);
	ockam_route_init(src);
}

/* May @hop join @r? 0, -EINVAL, -E2BIG. */
static int ockam_route_check_hop(const struct ockam_route *r,
				 const struct ockam_hop *hop)
{
	if (!hop->len)
		return -EINVAL;
	if (r->hops >= OCKAM_ROUTE_MAX_HOPS ||
	    r->len + OCKAM_HOP_HDR_LEN + hop->len > OCKAM_ROUTE_MAX_BYTES)
		return -E2BIG;
	return 0;
}

static void ockam_route_write_hop(u8 *p, const struct ockam_hop *hop)
{
	p[0] = hop->type;
	p[1] = hop->len;
	memcpy(p + OCKAM_HOP_HDR_LEN, hop->name, hop->len);
}

int ockam_route_push_front(struct ockam_route *r, const struct ockam_hop *hop)
{
	size_t n = OCKAM_HOP_HDR_LEN + hop->len;
	int err;

	err = ockam_route_check_hop(r, hop);
	if (err)
		return err;
	err = ockam_route_reserve(r, n, 0);
	if (err)
		return err;
	r->off -= n;
	r->len += n;
	r->hops++;
	ockam_route_write_hop(ockam_route_buffer(r) + r->off, hop);
	return 0;
}

int ockam_route_push_back(struct ockam_route *r, const struct ockam_hop *hop)
{
	size_t n = OCKAM_HOP_HDR_LEN + hop->len;
	int err;

	err = ockam_route_check_hop(r, hop);
	if (err)
		return err;
	err = ockam_route_reserve(r, 0, n);
	if (err)
		return err;
	ockam_route_write_hop(ockam_route_buffer(r) + r->off + r->len, hop);
	r->len += n;
	r->hops++;
	return 0;
}
