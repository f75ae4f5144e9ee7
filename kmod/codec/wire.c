// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of the protocol: frame bodies and the plaintext of channel packets.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HOST
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "compat.h"
#endif

#include "cbor.h"
#include "wire.h"

/* Bytes of [message, padding] and [variant, [value]] before the value. */
#define OCKAM_INNER_VARIANT_LEN	4

/*
 * The canonical form, which is what everybody writes, has a decoder of its own.
 * It knows heads of few bytes only, and gives up at everything else; what it
 * accepts the general one below decodes to the same.
 */

/* [type, name]. Returns the byte behind it, or NULL. */
static __always_inline const u8 *
ockam_wire_quick_hop(const u8 *p, const u8 *end, struct ockam_hop *hop)
{
	/* The shortest is 82 00 41 xx. */
	if (end - p < 4 || p[0] != 0x82 || p[1] > 23)
		return NULL;
	hop->type = p[1];
	if (p[2] == 0x58) {
		hop->len = p[3];
		hop->name = p + 4;
	} else if (p[2] >= 0x40 && p[2] <= 0x57) {
		hop->len = p[2] - 0x40;
		hop->name = p + 3;
	} else {
		return NULL;
	}
	if (!hop->len || hop->len > end - hop->name)
		return NULL;
	return hop->name + hop->len;
}

static __always_inline const u8 *
ockam_wire_quick_route(const u8 *p, const u8 *end, struct ockam_wire_route *r)
{
	const u8 *start = p;
	struct ockam_hop hop;
	size_t packed = 0;
	unsigned int i;

	if (p == end || *p < 0x80 || *p > 0x97)
		return NULL;
	for (i = *p++ - 0x80; i; i--) {
		p = ockam_wire_quick_hop(p, end, &hop);
		if (!p)
			return NULL;
		packed += OCKAM_HOP_HDR_LEN + hop.len;
	}
	if (packed > OCKAM_ROUTE_MAX_BYTES)
		return NULL;
	r->cbor = start;
	r->cbor_len = p - start;
	r->packed_len = packed;
	r->hops = *start - 0x80;
	return p;
}

/* Head of the payload, whose bytes need not be there. */
static __always_inline const u8 *
ockam_wire_quick_payload(const u8 *p, const u8 *end, size_t *len)
{
	if (p == end)
		return NULL;
	if (*p >= 0x40 && *p <= 0x57) {
		*len = *p - 0x40;
		return p + 1;
	}
	if (*p == 0x58 && end - p >= 2) {
		*len = p[1];
		return p + 2;
	}
	if (*p == 0x59 && end - p >= 3) {
		*len = get_unaligned_be16(p + 1);
		return p + 3;
	}
	if (*p == 0x5a && end - p >= 5) {
		*len = get_unaligned_be32(p + 1);
		return p + 5;
	}
	return NULL;
}

/*
 * [onward, return, payload] and nothing behind it. True when that is certain,
 * with the payload in the bytes between @have and @len or not.
 */
static __always_inline bool
ockam_wire_quick_message(const u8 *buf, size_t have, size_t len,
			 struct ockam_wire_message *m)
{
	const u8 *end = buf + have;
	const u8 *p;

	if (!have || buf[0] != 0x83)
		return false;
	p = ockam_wire_quick_route(buf + 1, end, &m->onward);
	if (!p)
		return false;
	p = ockam_wire_quick_route(p, end, &m->ret);
	if (!p)
		return false;
	p = ockam_wire_quick_payload(p, end, &m->payload_len);
	if (!p)
		return false;
	m->payload = p - buf;
	return m->payload_len == len - m->payload;
}

/* The general decoder. ->fits is false after a route above our limits. */
struct ockam_wire_scan {
	struct ockam_cbor c;
	const u8 *buf;
	struct ockam_wire_message *m;
	bool fits;
};

/*
 * [type, name, ...]. The name may have any length here: whether a node can hold
 * the address is another question than whether the bytes are well formed.
 */
static int ockam_wire_read_address(struct ockam_cbor *c, u8 *type,
				   const u8 **name, size_t *len)
{
	struct ockam_cbor_array a;
	u64 v;

	if (ockam_cbor_read_array(c, &a) ||
	    ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_uint(c, U8_MAX, &v) ||
	    ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_bytes(c, name, len))
		return -EINVAL;
	*type = v;
	return ockam_cbor_skip_rest(c, &a);
}

/*
 * An address that this node cannot hold (no name, a name or a route above the
 * limits) is no malformation, and must not cost the link its life: the rest is
 * read to the end, and only then reported.
 */
static int ockam_wire_scan_route(struct ockam_wire_scan *s,
				 struct ockam_wire_route *r)
{
	struct ockam_cbor_array a;
	unsigned int hops = 0;
	size_t packed = 0;
	const u8 *name;
	size_t len;
	int more;
	u8 type;

	r->cbor = s->c.p;
	if (ockam_cbor_read_array(&s->c, &a))
		return -EINVAL;
	while ((more = ockam_cbor_next(&s->c, &a)) > 0) {
		if (ockam_wire_read_address(&s->c, &type, &name, &len))
			return -EINVAL;
		if (!len || len > OCKAM_ADDR_MAX_LEN)
			s->fits = false;
		if (!s->fits)
			continue;
		hops++;
		packed += OCKAM_HOP_HDR_LEN + len;
		if (hops > OCKAM_ROUTE_MAX_HOPS ||
		    packed > OCKAM_ROUTE_MAX_BYTES)
			s->fits = false;
	}
	r->cbor_len = s->c.p - r->cbor;
	r->packed_len = packed;
	r->hops = hops;
	return more;
}

/* [onward, return, payload, ...]; @trace: the fourth element is text or null. */
static int ockam_wire_scan_message(struct ockam_wire_scan *s, bool trace)
{
	struct ockam_wire_message *m = s->m;
	struct ockam_cbor *c = &s->c;
	struct ockam_cbor_array a;
	const u8 *p;
	size_t len;
	int more;

	if (ockam_cbor_read_array(c, &a) ||
	    ockam_cbor_next(c, &a) != 1 ||
	    ockam_wire_scan_route(s, &m->onward) ||
	    ockam_cbor_next(c, &a) != 1 ||
	    ockam_wire_scan_route(s, &m->ret) ||
	    ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_bytes(c, &p, &m->payload_len))
		return -EINVAL;
	m->payload = p - s->buf;
	if (trace) {
		more = ockam_cbor_next(c, &a);
		if (more <= 0)
			return more;
		if (!ockam_cbor_read_null(c) &&
		    ockam_cbor_read_text(c, &p, &len))
			return -EINVAL;
	}
	return ockam_cbor_skip_rest(c, &a);
}

static void ockam_wire_scan_init(struct ockam_wire_scan *s, const u8 *buf,
				 size_t len, struct ockam_wire_message *m)
{
	ockam_cbor_init(&s->c, buf, len);
	s->buf = buf;
	s->m = m;
	s->fits = true;
	memset(m, 0, sizeof(*m));
}

static noinline int ockam_wire_scan_any_body(const u8 *buf, size_t len,
					     struct ockam_wire_message *m)
{
	struct ockam_wire_scan s;

	ockam_wire_scan_init(&s, buf, len, m);
	if (ockam_wire_scan_message(&s, true))
		return -EINVAL;
	return s.fits ? 0 : -E2BIG;
}

int ockam_wire_scan_body(const u8 *buf, size_t have, size_t len,
			 struct ockam_wire_message *m)
{
	if (likely(ockam_wire_quick_message(buf, have, len, m)))
		return 0;
	if (have < len)
		return -EAGAIN;
	return ockam_wire_scan_any_body(buf, len, m);
}

/* The fields of a variant: an array whose first element is the value. */
static int ockam_wire_scan_fields(struct ockam_wire_scan *s,
				  enum ockam_inner_kind kind)
{
	struct ockam_cbor *c = &s->c;
	struct ockam_cbor_array a;
	const u8 *item;

	if (kind == OCKAM_INNER_CLOSE)
		return ockam_cbor_skip(c);
	if (ockam_cbor_read_array(c, &a) || ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	if (kind == OCKAM_INNER_PAYLOAD) {
		if (ockam_wire_scan_message(s, false))
			return -EINVAL;
	} else {
		if (ockam_cbor_peek(c) != OCKAM_CBOR_ARRAY)
			return -EINVAL;
		item = c->p;
		if (ockam_cbor_skip(c))
			return -EINVAL;
		s->m->payload = item - s->buf;
		s->m->payload_len = c->p - item;
	}
	return ockam_cbor_skip_rest(c, &a);
}

/* [variant, fields]: unlike structs, enums are definite arrays of two. */
static int ockam_wire_scan_variant(struct ockam_wire_scan *s,
				   enum ockam_inner_kind *kind)
{
	struct ockam_cbor_array a;
	u64 v;

	if (ockam_cbor_read_array(&s->c, &a) || a.indefinite || a.left != 2 ||
	    ockam_cbor_read_uint(&s->c, OCKAM_INNER_CLOSE, &v))
		return -EINVAL;
	*kind = v;
	return ockam_wire_scan_fields(s, *kind);
}

static int ockam_wire_scan_padded(struct ockam_wire_scan *s,
				  enum ockam_inner_kind *kind)
{
	struct ockam_cbor_array a;
	const u8 *padding;
	size_t len;

	if (ockam_cbor_read_array(&s->c, &a) ||
	    ockam_cbor_next(&s->c, &a) != 1 ||
	    ockam_wire_scan_variant(s, kind) ||
	    ockam_cbor_next(&s->c, &a) != 1 ||
	    ockam_cbor_read_bytes(&s->c, &padding, &len))
		return -EINVAL;
	return ockam_cbor_skip_rest(&s->c, &a);
}

/* What ockam_wire_put_inner() and ockam_wire_encode_inner_trailer() write. */
static bool ockam_wire_quick_inner(const u8 *buf, size_t have, size_t len,
				   u8 last, struct ockam_wire_message *m)
{
	static const u8 before[OCKAM_INNER_VARIANT_LEN] = { 0x82, 0x82, 0, 0x81 };

	if (have < sizeof(before) || memcmp(buf, before, sizeof(before)) ||
	    len < sizeof(before) + OCKAM_INNER_TRAILER_LEN || last != 0x40)
		return false;
	len -= sizeof(before) + OCKAM_INNER_TRAILER_LEN;
	have = min_t(size_t, have - sizeof(before), len);
	if (!ockam_wire_quick_message(buf + sizeof(before), have, len, m))
		return false;
	m->payload += sizeof(before);
	return true;
}

static noinline int ockam_wire_scan_any_inner(const u8 *buf, size_t len,
					      enum ockam_inner_kind *kind,
					      struct ockam_wire_message *m)
{
	struct ockam_wire_scan s;

	ockam_wire_scan_init(&s, buf, len, m);
	if (ockam_wire_scan_padded(&s, kind))
		return -EINVAL;
	return s.fits ? 0 : -E2BIG;
}

int ockam_wire_scan_inner(const u8 *buf, size_t have, size_t len, u8 last,
			  enum ockam_inner_kind *kind,
			  struct ockam_wire_message *m)
{
	if (len && have == len)
		last = buf[len - 1];
	if (likely(ockam_wire_quick_inner(buf, have, len, last, m))) {
		*kind = OCKAM_INNER_PAYLOAD;
		return 0;
	}
	if (have < len)
		return -EAGAIN;
	return ockam_wire_scan_any_inner(buf, len, kind, m);
}

/* Most names are random ones: a copy of a size that the compiler knows. */
static __always_inline void ockam_wire_copy_name(u8 *to,
						 const struct ockam_hop *hop)
{
	if (hop->len == OCKAM_RANDOM_NAME_LEN)
		memcpy(to, hop->name, OCKAM_RANDOM_NAME_LEN);
	else
		memcpy(to, hop->name, hop->len);
}

static __always_inline u8 *ockam_wire_pack_hop(u8 *to,
					       const struct ockam_hop *hop)
{
	to[0] = hop->type;
	to[1] = hop->len;
	ockam_wire_copy_name(to + OCKAM_HOP_HDR_LEN, hop);
	return to + OCKAM_HOP_HDR_LEN + hop->len;
}

/* Nothing here can fail: it did not when the route was scanned. */
static noinline void ockam_wire_pack_any(const struct ockam_wire_route *r,
					 u8 *to)
{
	struct ockam_cbor_array a;
	struct ockam_hop hop;
	struct ockam_cbor c;
	unsigned int i;
	size_t len;

	ockam_cbor_init(&c, r->cbor, r->cbor_len);
	ockam_cbor_read_array(&c, &a);
	for (i = 0; i < r->hops; i++) {
		if (ockam_wire_read_address(&c, &hop.type, &hop.name, &len))
			return;
		hop.len = len;
		to = ockam_wire_pack_hop(to, &hop);
	}
}

void ockam_wire_pack(const struct ockam_wire_route *r, u8 *to)
{
	struct ockam_hop hop;
	const u8 *p, *end;
	u8 *start = to;
	unsigned int i;

	if (!r->hops)	/* there may be no bytes then */
		return;
	p = r->cbor;
	end = p + r->cbor_len;
	if (*p++ > 0x97)
		goto any;
	for (i = r->hops; i; i--) {
		p = ockam_wire_quick_hop(p, end, &hop);
		if (!p)
			goto any;
		to = ockam_wire_pack_hop(to, &hop);
	}
	return;
any:
	ockam_wire_pack_any(r, start);
}

/*
 * Type and length are heads as well: to the packed bytes of a hop come the head
 * of its array, and one byte for each of the two that is not a small number.
 */
size_t ockam_wire_hops_len(const struct ockam_hops *h)
{
	unsigned int n = ockam_cbor_head_len(h->hops) + h->hops + h->len;
	struct ockam_hop hop;
	bool more;

	for (more = ockam_hops_first(h, &hop); more;
	     more = ockam_hops_next(h, &hop))
		n += (hop.type > 23) + (hop.len > 23);
	return n;
}

static u8 *ockam_wire_put_hops(u8 *p, const struct ockam_hops *hops)
{
	/* A copy, which the bytes that are written cannot change. */
	const struct ockam_hops h = *hops;
	struct ockam_hop hop;
	bool more;

	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, h.hops);
	for (more = ockam_hops_first(&h, &hop); more;
	     more = ockam_hops_next(&h, &hop)) {
		p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 2);
		p = ockam_cbor_write_head(p, OCKAM_CBOR_UINT, hop.type);
		p = ockam_cbor_write_head(p, OCKAM_CBOR_BYTES, hop.len);
		ockam_wire_copy_name(p, &hop);
		p += hop.len;
	}
	return p;
}

size_t ockam_wire_body_len(const struct ockam_hops *onward,
			   const struct ockam_hops *ret, size_t payload_len)
{
	return 1 + ockam_wire_hops_len(onward) + ockam_wire_hops_len(ret) +
	       ockam_cbor_head_len(payload_len);
}

u8 *ockam_wire_put_body(u8 *p, const struct ockam_hops *onward,
			const struct ockam_hops *ret, size_t payload_len)
{
	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 3);
	p = ockam_wire_put_hops(p, onward);
	p = ockam_wire_put_hops(p, ret);
	return ockam_cbor_write_head(p, OCKAM_CBOR_BYTES, payload_len);
}

static u8 *ockam_wire_encode_variant(u8 *p, enum ockam_inner_kind kind)
{
	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 2);
	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 2);
	p = ockam_cbor_write_head(p, OCKAM_CBOR_UINT, kind);
	return ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY,
				     kind == OCKAM_INNER_CLOSE ? 0 : 1);
}

size_t ockam_wire_inner_len(const struct ockam_hops *onward,
			    const struct ockam_hops *ret, size_t payload_len)
{
	return OCKAM_INNER_VARIANT_LEN +
	       ockam_wire_body_len(onward, ret, payload_len);
}

u8 *ockam_wire_put_inner(u8 *p, const struct ockam_hops *onward,
			 const struct ockam_hops *ret, size_t payload_len)
{
	p = ockam_wire_encode_variant(p, OCKAM_INNER_PAYLOAD);
	return ockam_wire_put_body(p, onward, ret, payload_len);
}

u8 *ockam_wire_encode_inner_trailer(u8 *p)
{
	return ockam_cbor_write_head(p, OCKAM_CBOR_BYTES, 0);
}

u8 *ockam_wire_encode_close(u8 *p)
{
	p = ockam_wire_encode_variant(p, OCKAM_INNER_CLOSE);
	return ockam_wire_encode_inner_trailer(p);
}

u8 *ockam_wire_encode_refresh_header(u8 *p)
{
	return ockam_wire_encode_variant(p, OCKAM_INNER_REFRESH);
}
