// SPDX-License-Identifier: GPL-2.0
/*
 * Stream framing: where the frames of a stream begin and end.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HOST
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "compat.h"
#endif

#include "link_cut.h"

int ockam_link_cut_head(struct ockam_link_cut *c, const u8 *p, size_t n,
			u64 limit)
{
	const u8 *start = p;
	size_t part;

	if (c->expect == OCKAM_LINK_EXPECT_VERSION && n) {
		if (*p != OCKAM_STREAM_VERSION)
			return -EPROTONOSUPPORT;
		c->expect = OCKAM_LINK_EXPECT_LENGTH;
		p++;
		n--;
	}
	if (c->expect != OCKAM_LINK_EXPECT_LENGTH)
		return p - start;
	part = min_t(size_t, n, OCKAM_FRAME_HDR_LEN - c->hdr_len);
	memcpy(c->hdr + c->hdr_len, p, part);
	c->hdr_len += part;
	p += part;
	if (c->hdr_len < OCKAM_FRAME_HDR_LEN)
		return p - start;
	c->want = get_unaligned_be32(c->hdr);
	c->have = 0;
	if (!c->want)
		return -EPROTO;
	if (c->want > limit)
		return -EMSGSIZE;
	c->expect = OCKAM_LINK_EXPECT_BODY;
	return p - start;
}
