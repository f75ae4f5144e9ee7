// SPDX-License-Identifier: GPL-2.0
/*
 * Partial frames: what a node holds for peers that have not finished speaking,
 * and who loses when that is too much.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/math64.h>

#include "link_stream.h"
#include "netns.h"

void ockam_link_partial_charge(struct ockam_link_stream *s, s64 bytes)
{
	bytes -= atomic64_xchg(&s->rx_partial, bytes);
	atomic64_add(bytes, &s->link.on->partial_bytes);
}

void ockam_link_partial_uncharge(struct ockam_link_stream *s)
{
	s64 bytes;

	if (!atomic64_read(&s->rx_partial))
		return;
	bytes = atomic64_xchg(&s->rx_partial, 0);
	atomic64_sub(bytes, &s->link.on->partial_bytes);
}

/*
 * Bytes a second of the frame that @s waits for; U64_MAX when it waits for
 * none, or cannot help it because we do not read.
 */
static u64 ockam_link_partial_rate(const struct ockam_link_stream *s)
{
	unsigned long age;

	if (!READ_ONCE(s->rx_waits) || !atomic64_read(&s->rx_partial) ||
	    test_bit(OCKAM_LINK_PAUSED, &s->link.bits) ||
	    ockam_link_dead(&s->link))
		return U64_MAX;
	age = jiffies - READ_ONCE(s->rx_begin) + 1;
	return div64_ul((u64)READ_ONCE(s->rx_have) * HZ, age);
}

/*
 * Partial frames of the node are over their limit: end the slowest. What it
 * holds is off the count at once. False when there is none that can be ended.
 */
static bool ockam_link_partial_evict(struct ockam_net *on)
{
	struct xarray *xa = &on->tables[OCKAM_TABLE_LINKS].xa;
	struct ockam_link_stream *slowest = NULL;
	struct ockam_link *link;
	u64 best = U64_MAX, rate;
	unsigned long index;

	xa_lock(xa);
	xa_for_each(xa, index, link) {
		if (link->ops != &ockam_link_stream_ops)
			continue;
		rate = ockam_link_partial_rate(ockam_link_stream_from(link));
		if (rate < best) {
			best = rate;
			slowest = ockam_link_stream_from(link);
		}
	}
	if (slowest)
		ockam_endpoint_get(&slowest->link.ep);
	xa_unlock(xa);
	if (!slowest)
		return false;
	ockam_link_fail(&slowest->link, OCKAM_MIB_LINKS_FAILED_EVICTED,
			-ENOBUFS,
			"too many bytes of partial frames in the node, and this link was the slowest");
	ockam_link_partial_uncharge(slowest);
	ockam_link_put(&slowest->link);
	return true;
}

/* The slowest may hold less than what has just come. */
void ockam_link_partial_limit(struct ockam_net *on)
{
	while (atomic64_read(&on->partial_bytes) >
	       (s64)ockam_netns_limit(on, OCKAM_LIMIT_PARTIAL_BYTES))
		if (!ockam_link_partial_evict(on))
			break;
}
