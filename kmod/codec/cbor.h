/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of CBOR that the protocol uses: a reader that trusts nothing, and
 * helpers that write the shortest form (wire-protocol section 0.1).
 *
 * Floor 0: no locks, no struct net; the same code runs on the host. Nothing
 * here allocates. Cost is linear in the bytes present, whatever lengths they
 * announce.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CBOR_H
#define OCKAM_CBOR_H

#ifndef OCKAM_HOST
#include <linux/limits.h>
#endif

#include "limits.h"

/* Items inside items that ockam_cbor_skip() follows. */
#define OCKAM_CBOR_MAX_DEPTH	32

enum ockam_cbor_major {
	OCKAM_CBOR_UINT,
	OCKAM_CBOR_NINT,
	OCKAM_CBOR_BYTES,
	OCKAM_CBOR_TEXT,
	OCKAM_CBOR_ARRAY,
	OCKAM_CBOR_MAP,
	OCKAM_CBOR_TAG,
	OCKAM_CBOR_SIMPLE,
};

/* Unread bytes are [->p, ->end). After an error the position means nothing. */
struct ockam_cbor {
	const u8 *p;
	const u8 *end;
};

/* An array being read: ->left elements to come, unless it is indefinite. */
struct ockam_cbor_array {
	u64 left;
	bool indefinite;
};

static inline void ockam_cbor_init(struct ockam_cbor *c, const u8 *buf,
				   size_t len)
{
	c->p = buf;
	c->end = buf + len;
}

/* Major type of the next item, or -EINVAL at the end. Consumes nothing. */
int ockam_cbor_peek(const struct ockam_cbor *c);
/* Consume null if it comes next. */
bool ockam_cbor_read_null(struct ockam_cbor *c);
/* An unsigned integer of any width, at most @max. 0 or -EINVAL. */
int ockam_cbor_read_uint(struct ockam_cbor *c, u64 max, u64 *v);
/* A definite string; *@p points into the buffer. 0 or -EINVAL. */
int ockam_cbor_read_bytes(struct ockam_cbor *c, const u8 **p, size_t *len);
int ockam_cbor_read_text(struct ockam_cbor *c, const u8 **p, size_t *len);
/* Start of an array, definite or not. 0 or -EINVAL. */
int ockam_cbor_read_array(struct ockam_cbor *c, struct ockam_cbor_array *a);
/*
 * To be called before each element: 1 when there is one, 0 when the array has
 * ended (an indefinite one's break is consumed), -EINVAL.
 */
int ockam_cbor_next(struct ockam_cbor *c, struct ockam_cbor_array *a);
/* Any whole item, to OCKAM_CBOR_MAX_DEPTH levels. 0 or -EINVAL. */
int ockam_cbor_skip(struct ockam_cbor *c);
/* What is left of an array, its end included. 0 or -EINVAL. */
int ockam_cbor_skip_rest(struct ockam_cbor *c, struct ockam_cbor_array *a);

/* Bytes of the shortest head for @v. */
static inline size_t ockam_cbor_head_len(u64 v)
{
	return v < 24 ? 1 : v <= U8_MAX ? 2 : v <= U16_MAX ? 3 :
	       v <= U32_MAX ? 5 : 9;
}

/* For ockam_cbor_write_head(): a head of three bytes and more. */
u8 *ockam_cbor_write_wide_head(u8 *p, enum ockam_cbor_major major, u64 v);

/* Write the shortest head; returns the byte behind it. */
static inline u8 *ockam_cbor_write_head(u8 *p, enum ockam_cbor_major major,
					u64 v)
{
	if (v < 24) {
		p[0] = major << 5 | v;
		return p + 1;
	}
	if (v <= U8_MAX) {
		p[0] = major << 5 | 24;
		p[1] = v;
		return p + 2;
	}
	return ockam_cbor_write_wide_head(p, major, v);
}

#endif /* OCKAM_CBOR_H */
