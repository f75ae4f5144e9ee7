/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ockam_wire_scan_body() and ockam_wire_scan_inner() must say of any bytes:
 * a decoder that is slow, copies all it reads and knows one way to do it. For
 * unit tests and fuzz targets.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_WIRE_REFERENCE_H
#define OCKAM_WIRE_REFERENCE_H

#include "cbor.h"
#include "wire.h"

/* Made by wire_reference_read(), freed by wire_reference_free(). */
struct wire_reference {
	bool inner;			/* plaintext of a packet, or a body */
	int err;			/* 0, -EINVAL, -E2BIG, -ENOMEM */
	u64 kind;
	struct ockam_route onward;
	struct ockam_route ret;
	const u8 *payload;
	size_t payload_len;
};

static inline int wire_reference_address(struct ockam_cbor *c, u64 *type,
					 const u8 **name, size_t *len)
{
	struct ockam_cbor_array a;

	if (ockam_cbor_read_array(c, &a) ||
	    ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_uint(c, U8_MAX, type) ||
	    ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_bytes(c, name, len))
		return -EINVAL;
	return ockam_cbor_skip_rest(c, &a);
}

static inline int wire_reference_route(struct ockam_cbor *c,
				       struct ockam_route *r, bool *fits)
{
	struct ockam_cbor_array a;
	struct ockam_hop hop;
	size_t len;
	u64 type;
	int more;
	int err;

	if (ockam_cbor_read_array(c, &a))
		return -EINVAL;
	while ((more = ockam_cbor_next(c, &a)) > 0) {
		if (wire_reference_address(c, &type, &hop.name, &len))
			return -EINVAL;
		if (!len || len > OCKAM_ADDR_MAX_LEN)
			*fits = false;
		if (!*fits)
			continue;
		hop.type = type;
		hop.len = len;
		err = ockam_route_push_back(r, &hop);
		if (err == -ENOMEM)
			return err;
		if (err)
			*fits = false;
	}
	return more;
}

static inline int wire_reference_message(struct ockam_cbor *c,
					 struct wire_reference *w, bool *fits)
{
	struct ockam_cbor_array a;
	const u8 *text;
	size_t len;
	int more;
	int err;

	if (ockam_cbor_read_array(c, &a) || ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	err = wire_reference_route(c, &w->onward, fits);
	if (err)
		return err;
	if (ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	err = wire_reference_route(c, &w->ret, fits);
	if (err)
		return err;
	if (ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_bytes(c, &w->payload, &w->payload_len))
		return -EINVAL;
	if (!w->inner) {
		more = ockam_cbor_next(c, &a);
		if (more <= 0)
			return more;
		if (!ockam_cbor_read_null(c) &&
		    ockam_cbor_read_text(c, &text, &len))
			return -EINVAL;
	}
	return ockam_cbor_skip_rest(c, &a);
}

/* [kind, fields] */
static inline int wire_reference_variant(struct ockam_cbor *c,
					 struct wire_reference *w, bool *fits)
{
	struct ockam_cbor_array a;
	int err;

	if (ockam_cbor_read_array(c, &a) || a.indefinite || a.left != 2 ||
	    ockam_cbor_read_uint(c, OCKAM_INNER_CLOSE, &w->kind))
		return -EINVAL;
	if (w->kind == OCKAM_INNER_CLOSE)
		return ockam_cbor_skip(c);
	if (ockam_cbor_read_array(c, &a) || ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	if (w->kind == OCKAM_INNER_PAYLOAD) {
		err = wire_reference_message(c, w, fits);
		if (err)
			return err;
	} else {
		if (ockam_cbor_peek(c) != OCKAM_CBOR_ARRAY)
			return -EINVAL;
		w->payload = c->p;
		if (ockam_cbor_skip(c))
			return -EINVAL;
		w->payload_len = c->p - w->payload;
	}
	return ockam_cbor_skip_rest(c, &a);
}

static inline int wire_reference_padded(struct ockam_cbor *c,
					struct wire_reference *w, bool *fits)
{
	struct ockam_cbor_array a;
	const u8 *padding;
	size_t len;
	int err;

	if (ockam_cbor_read_array(c, &a) || ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	err = wire_reference_variant(c, w, fits);
	if (err)
		return err;
	if (ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_bytes(c, &padding, &len))
		return -EINVAL;
	return ockam_cbor_skip_rest(c, &a);
}

static inline void wire_reference_read(struct wire_reference *w, bool inner,
				       const u8 *buf, size_t len)
{
	struct ockam_cbor c;
	bool fits = true;

	memset(w, 0, sizeof(*w));
	ockam_route_init(&w->onward);
	ockam_route_init(&w->ret);
	w->inner = inner;
	ockam_cbor_init(&c, buf, len);
	w->err = inner ? wire_reference_padded(&c, w, &fits) :
			 wire_reference_message(&c, w, &fits);
	if (!w->err && !fits)
		w->err = -E2BIG;
}

static inline void wire_reference_free(struct wire_reference *w)
{
	ockam_route_reset(&w->onward);
	ockam_route_reset(&w->ret);
}

static inline bool wire_reference_same_route(const struct ockam_route *r,
					     const struct ockam_wire_route *s)
{
	u8 *packed;
	bool same;

	if (s->hops != r->hops || s->packed_len != r->len)
		return false;
	/* Without a byte to spare: one too many is seen. */
	packed = kmalloc(r->len ? r->len : 1, GFP_KERNEL);
	if (!packed)
		return false;
	ockam_wire_pack(s, packed);
	same = !memcmp(packed, ockam_route_bytes(r), r->len);
	kfree(packed);
	return same;
}

/*
 * Does a scan of the first @have of the @len bytes that @w was read from say the
 * same, or leave it open? @buf may be a copy of those bytes. *@err is what the
 * scan said.
 */
static inline bool wire_reference_agrees(const struct wire_reference *w,
					 const u8 *whole, const u8 *buf,
					 size_t have, size_t len, int *err)
{
	enum ockam_inner_kind kind = OCKAM_INNER_PAYLOAD;
	struct ockam_wire_message m;
	u8 last = len ? whole[len - 1] : 0;

	*err = w->inner ?
	       ockam_wire_scan_inner(buf, have, len, last, &kind, &m) :
	       ockam_wire_scan_body(buf, have, len, &m);
	if (*err == -EAGAIN)
		return have < len;
	if (w->err == -ENOMEM)
		return true;
	if (*err != w->err)
		return false;
	if (*err)
		return true;
	if (w->inner && kind != w->kind)
		return false;
	if (kind == OCKAM_INNER_CLOSE)
		return true;
	return m.payload == (size_t)(w->payload - whole) &&
	       m.payload_len == w->payload_len &&
	       wire_reference_same_route(&w->onward, &m.onward) &&
	       wire_reference_same_route(&w->ret, &m.ret);
}

#endif /* OCKAM_WIRE_REFERENCE_H */
