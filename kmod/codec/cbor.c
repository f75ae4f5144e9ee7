// SPDX-License-Identifier: GPL-2.0
/*
 * The part of CBOR that the protocol uses.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HOST
#include <linux/errno.h>
#include <linux/limits.h>

#include "compat.h"
#endif

#include "cbor.h"

#define OCKAM_CBOR_NULL		0xf6
#define OCKAM_CBOR_BREAK	0xff
#define OCKAM_CBOR_INDEFINITE	31	/* additional information */

/* A decoded head: what the first byte and the argument behind it say. */
struct ockam_cbor_head {
	u8 major;
	bool indefinite;	/* strings, arrays, maps; of SIMPLE: break */
	u64 arg;
};

static int ockam_cbor_read_head(struct ockam_cbor *c, struct ockam_cbor_head *h)
{
	size_t left = c->end - c->p;
	size_t width;
	u8 info;

	if (!left)
		return -EINVAL;
	h->major = *c->p >> 5;
	h->indefinite = false;
	info = *c->p & 0x1f;
	c->p++;
	left--;
	if (info < 24) {
		h->arg = info;
		return 0;
	}
	if (info == OCKAM_CBOR_INDEFINITE) {
		h->indefinite = true;
		h->arg = 0;
		return h->major == OCKAM_CBOR_UINT ||
		       h->major == OCKAM_CBOR_NINT ||
		       h->major == OCKAM_CBOR_TAG ? -EINVAL : 0;
	}
	if (info > 27)	/* reserved by the standard */
		return -EINVAL;
	width = 1u << (info - 24);
	if (width > left)
		return -EINVAL;
	switch (width) {
	case 1:
		h->arg = *c->p;
		break;
	case 2:
		h->arg = get_unaligned_be16(c->p);
		break;
	case 4:
		h->arg = get_unaligned_be32(c->p);
		break;
	default:
		h->arg = get_unaligned_be64(c->p);
	}
	c->p += width;
	return 0;
}

int ockam_cbor_peek(const struct ockam_cbor *c)
{
	return c->p < c->end ? *c->p >> 5 : -EINVAL;
}

bool ockam_cbor_read_null(struct ockam_cbor *c)
{
	if (c->p == c->end || *c->p != OCKAM_CBOR_NULL)
		return false;
	c->p++;
	return true;
}

int ockam_cbor_read_uint(struct ockam_cbor *c, u64 max, u64 *v)
{
	struct ockam_cbor_head h;

	if (ockam_cbor_read_head(c, &h) || h.major != OCKAM_CBOR_UINT ||
	    h.arg > max)
		return -EINVAL;
	*v = h.arg;
	return 0;
}

static int ockam_cbor_read_string(struct ockam_cbor *c, u8 major, const u8 **p,
				  size_t *len)
{
	struct ockam_cbor_head h;

	if (ockam_cbor_read_head(c, &h) || h.major != major || h.indefinite ||
	    h.arg > (size_t)(c->end - c->p))
		return -EINVAL;
	*p = c->p;
	*len = h.arg;
	c->p += h.arg;
	return 0;
}

int ockam_cbor_read_bytes(struct ockam_cbor *c, const u8 **p, size_t *len)
{
	return ockam_cbor_read_string(c, OCKAM_CBOR_BYTES, p, len);
}

int ockam_cbor_read_text(struct ockam_cbor *c, const u8 **p, size_t *len)
{
	return ockam_cbor_read_string(c, OCKAM_CBOR_TEXT, p, len);
}

int ockam_cbor_read_array(struct ockam_cbor *c, struct ockam_cbor_array *a)
{
	struct ockam_cbor_head h;

	if (ockam_cbor_read_head(c, &h) || h.major != OCKAM_CBOR_ARRAY)
		return -EINVAL;
	/* An element is one byte at least: more than that is a lie. */
	if (h.arg > (size_t)(c->end - c->p))
		return -EINVAL;
	a->left = h.arg;
	a->indefinite = h.indefinite;
	return 0;
}

int ockam_cbor_next(struct ockam_cbor *c, struct ockam_cbor_array *a)
{
	if (!a->indefinite) {
		if (!a->left)
			return 0;
		a->left--;
		return 1;
	}
	if (c->p == c->end)
		return -EINVAL;
	if (*c->p != OCKAM_CBOR_BREAK)
		return 1;
	c->p++;
	return 0;
}

int ockam_cbor_skip_rest(struct ockam_cbor *c, struct ockam_cbor_array *a)
{
	int more;

	while ((more = ockam_cbor_next(c, a)) > 0) {
		if (ockam_cbor_skip(c))
			return -EINVAL;
	}
	return more;
}

/*
 * One open item while skipping. ->left counts the items still to come; of an
 * indefinite map, 1 means that a value is missing.
 */
struct ockam_cbor_level {
	u64 left;
	u8 major;
	bool indefinite;
};

/* A head inside an indefinite string, which may hold definite chunks only. */
static int ockam_cbor_skip_chunk(struct ockam_cbor *c, u8 major)
{
	const u8 *p;
	size_t len;

	return ockam_cbor_read_string(c, major, &p, &len);
}

/*
 * Consume a head. Fills @in and returns 1 when items inside it follow, 0 when
 * the item is complete, -EINVAL.
 */
static int ockam_cbor_skip_head(struct ockam_cbor *c,
				struct ockam_cbor_level *in)
{
	size_t left;
	struct ockam_cbor_head h;

	if (ockam_cbor_read_head(c, &h))
		return -EINVAL;
	left = c->end - c->p;
	in->major = h.major;
	in->indefinite = h.indefinite;
	in->left = h.arg;
	switch (h.major) {
	case OCKAM_CBOR_UINT:
	case OCKAM_CBOR_NINT:
		return 0;
	case OCKAM_CBOR_BYTES:
	case OCKAM_CBOR_TEXT:
		if (h.indefinite)
			return 1;
		if (h.arg > left)
			return -EINVAL;
		c->p += h.arg;
		return 0;
	case OCKAM_CBOR_MAP:
		if (h.arg > left / 2)
			return -EINVAL;
		in->left = 2 * h.arg;
		return h.indefinite || h.arg;
	case OCKAM_CBOR_ARRAY:
		if (h.arg > left)
			return -EINVAL;
		return h.indefinite || h.arg;
	case OCKAM_CBOR_TAG:
		in->left = 1;
		return 1;
	default:
		return h.indefinite ? -EINVAL : 0;	/* break out of place */
	}
}

int ockam_cbor_skip(struct ockam_cbor *c)
{
	struct ockam_cbor_level stack[OCKAM_CBOR_MAX_DEPTH];
	struct ockam_cbor_level *top;
	unsigned int depth = 0;
	int err;

	do {
		top = depth ? &stack[depth - 1] : NULL;
		if (top && top->indefinite) {
			if (c->p == c->end)
				return -EINVAL;
			if (*c->p == OCKAM_CBOR_BREAK) {
				if (top->left)	/* a key without its value */
					return -EINVAL;
				c->p++;
				depth--;
				continue;
			}
			if (top->major == OCKAM_CBOR_MAP)
				top->left ^= 1;
			if (top->major == OCKAM_CBOR_BYTES ||
			    top->major == OCKAM_CBOR_TEXT) {
				if (ockam_cbor_skip_chunk(c, top->major))
					return -EINVAL;
				continue;
			}
		} else if (top) {
			if (!top->left) {
				depth--;
				continue;
			}
			top->left--;
		}
		if (depth == OCKAM_CBOR_MAX_DEPTH)
			return -EINVAL;
		err = ockam_cbor_skip_head(c, &stack[depth]);
		if (err < 0)
			return err;
		depth += err;
	} while (depth);
	return 0;
}

u8 *ockam_cbor_write_wide_head(u8 *p, enum ockam_cbor_major major, u64 v)
{
	u8 first = major << 5;

	if (v <= U16_MAX) {
		p[0] = first | 25;
		put_unaligned_be16(v, p + 1);
		return p + 3;
	}
	if (v <= U32_MAX) {
		p[0] = first | 26;
		put_unaligned_be32(v, p + 1);
		return p + 5;
	}
	p[0] = first | 27;
	put_unaligned_be64(v, p + 1);
	return p + 9;
}
