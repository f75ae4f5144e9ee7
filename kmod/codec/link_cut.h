/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stream framing (wire-protocol section 2): one version byte, then frames of a
 * length (u32 big endian) and a body. Where the frames of a stream begin and end,
 * however its bytes are cut into pieces.
 *
 * Floor 0: no locks, no struct net; the same code runs on the host.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LINK_CUT_H
#define OCKAM_LINK_CUT_H

#ifndef OCKAM_HOST
#include <linux/string.h>
#endif

#include "limits.h"

enum ockam_link_cut_expect {
	OCKAM_LINK_EXPECT_VERSION,
	OCKAM_LINK_EXPECT_LENGTH,
	OCKAM_LINK_EXPECT_BODY,
};

/* What stands between the bytes seen so far and those to come. */
struct ockam_link_cut {
	u8 expect;		/* enum ockam_link_cut_expect */
	u8 hdr_len;		/* LENGTH: bytes of it that are there */
	u8 hdr[OCKAM_FRAME_HDR_LEN];
	u32 want;		/* BODY: its bytes */
	u32 have;		/* BODY: those that were taken */
};

static inline void ockam_link_cut_init(struct ockam_link_cut *c)
{
	memset(c, 0, sizeof(*c));
}

/*
 * Take what stands before a body from the @n bytes at @p. Returns how many were
 * taken: less than @n only when a body begins. Or -EPROTONOSUPPORT (another
 * version), -EPROTO (length 0), -EMSGSIZE (above @limit).
 */
int ockam_link_cut_head(struct ockam_link_cut *c, const u8 *p, size_t n,
			u64 limit);

/* Bytes of the body that are still to come; 0: none has begun. */
static inline u32 ockam_link_cut_lacks(const struct ockam_link_cut *c)
{
	return c->expect == OCKAM_LINK_EXPECT_BODY ? c->want - c->have : 0;
}

/* @n more bytes of the body were taken, not more than it lacks. True: it is complete. */
static inline bool ockam_link_cut_body(struct ockam_link_cut *c, u32 n)
{
	c->have += n;
	if (c->have < c->want)
		return false;
	c->expect = OCKAM_LINK_EXPECT_LENGTH;
	c->hdr_len = 0;
	return true;
}

/* Has no frame begun? The only place where a stream may end. */
static inline bool ockam_link_cut_between(const struct ockam_link_cut *c)
{
	return c->expect == OCKAM_LINK_EXPECT_LENGTH && !c->hdr_len;
}

#endif /* OCKAM_LINK_CUT_H */
