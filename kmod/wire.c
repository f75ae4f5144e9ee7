// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of the protocol: frame bodies and the plaintext of channel packets.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HOST
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>
#endif

#include "cbor.h"
#include "wire.h"

void ockam_body_init(struct ockam_body *b)
{
	ockam_route_init(&b->onward);
	ockam_route_init(&b->ret);
	b->payload = NULL;
	b->payload_len = 0;
}

void ockam_body_reset(struct ockam_body *b)
{
	ockam_route_reset(&b->onward);
	ockam_route_reset(&b->ret);
	b->payload = NULL;
	b->payload_len = 0;
}

/*
 * [type, name, ...]. The name may have any length here: whether a node can hold
 * the address is another question than whether the bytes are well formed.
 */
static int ockam_wire_decode_address(struct ockam_cbor *c, u8 *type,
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
 * read to the end, and only then reported. *@fits is cleared in that case.
 */
static int ockam_wire_decode_route(struct ockam_cbor *c, struct ockam_route *r,
				   bool *fits)
{
	struct ockam_cbor_array a;
	struct ockam_hop hop;
	size_t len;
	int more;
	int err;

	if (ockam_cbor_read_array(c, &a))
		return -EINVAL;
	while ((more = ockam_cbor_next(c, &a)) > 0) {
		if (ockam_wire_decode_address(c, &hop.type, &hop.name, &len))
			return -EINVAL;
		if (!len || len > OCKAM_ADDR_MAX_LEN)
			*fits = false;
		if (!*fits)
			continue;
		hop.len = len;
		err = ockam_route_push_back(r, &hop);
		if (err == -ENOMEM)
			return err;
		if (err)
			*fits = false;
	}
	return more;
}

/* [onward, return, payload, ...]; @trace: the fourth element is text or null. */
static int ockam_wire_decode_message(struct ockam_cbor *c, struct ockam_body *b,
				     bool trace, bool *fits)
{
	struct ockam_cbor_array a;
	const u8 *text;
	size_t len;
	int more;
	int err;

	if (ockam_cbor_read_array(c, &a) || ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	err = ockam_wire_decode_route(c, &b->onward, fits);
	if (err)
		return err;
	if (ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	err = ockam_wire_decode_route(c, &b->ret, fits);
	if (err)
		return err;
	if (ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_bytes(c, &b->payload, &b->payload_len))
		return -EINVAL;
	if (trace) {
		more = ockam_cbor_next(c, &a);
		if (more <= 0)
			return more;
		if (!ockam_cbor_read_null(c) &&
		    ockam_cbor_read_text(c, &text, &len))
			return -EINVAL;
	}
	return ockam_cbor_skip_rest(c, &a);
}

int ockam_wire_decode_body(const u8 *buf, size_t len, struct ockam_body *b)
{
	struct ockam_cbor c;
	bool fits = true;
	int err;

	ockam_cbor_init(&c, buf, len);
	err = ockam_wire_decode_message(&c, b, true, &fits);
	if (!err && !fits)
		err = -E2BIG;
	if (err)
		ockam_body_reset(b);
	return err;
}

/* The fields of a variant: an array whose first element is the value. */
static int ockam_wire_decode_fields(struct ockam_cbor *c,
				    struct ockam_inner *in, bool *fits)
{
	struct ockam_cbor_array a;
	int err;

	if (in->kind == OCKAM_INNER_CLOSE)
		return ockam_cbor_skip(c);
	if (ockam_cbor_read_array(c, &a) || ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	if (in->kind == OCKAM_INNER_PAYLOAD) {
		err = ockam_wire_decode_message(c, &in->body, false, fits);
		if (err)
			return err;
	} else {
		if (ockam_cbor_peek(c) != OCKAM_CBOR_ARRAY)
			return -EINVAL;
		in->body.payload = c->p;
		if (ockam_cbor_skip(c))
			return -EINVAL;
		in->body.payload_len = c->p - in->body.payload;
	}
	return ockam_cbor_skip_rest(c, &a);
}

/* [variant, fields]: unlike structs, enums are definite arrays of two. */
static int ockam_wire_decode_variant(struct ockam_cbor *c,
				     struct ockam_inner *in, bool *fits)
{
	struct ockam_cbor_array a;
	u64 v;

	if (ockam_cbor_read_array(c, &a) || a.indefinite || a.left != 2 ||
	    ockam_cbor_read_uint(c, OCKAM_INNER_CLOSE, &v))
		return -EINVAL;
	in->kind = v;
	return ockam_wire_decode_fields(c, in, fits);
}

static int ockam_wire_decode_padded(struct ockam_cbor *c,
				    struct ockam_inner *in, bool *fits)
{
	struct ockam_cbor_array a;
	const u8 *padding;
	size_t len;
	int err;

	if (ockam_cbor_read_array(c, &a) || ockam_cbor_next(c, &a) != 1)
		return -EINVAL;
	err = ockam_wire_decode_variant(c, in, fits);
	if (err)
		return err;
	if (ockam_cbor_next(c, &a) != 1 ||
	    ockam_cbor_read_bytes(c, &padding, &len))
		return -EINVAL;
	return ockam_cbor_skip_rest(c, &a);
}

int ockam_wire_decode_inner(const u8 *buf, size_t len, struct ockam_inner *in)
{
	struct ockam_cbor c;
	bool fits = true;
	int err;

	ockam_cbor_init(&c, buf, len);
	err = ockam_wire_decode_padded(&c, in, &fits);
	if (!err && !fits)
		err = -E2BIG;
	if (err)
		ockam_body_reset(&in->body);
	return err;
}

static size_t ockam_wire_route_len(const struct ockam_route *r)
{
	size_t n = ockam_cbor_head_len(r->hops);
	struct ockam_hop hop;
	bool more;

	for (more = ockam_route_first(r, &hop); more;
	     more = ockam_route_next(r, &hop))
		n += 1 + ockam_cbor_head_len(hop.type) +
		     ockam_cbor_head_len(hop.len) + hop.len;
	return n;
}

static u8 *ockam_wire_encode_route(u8 *p, const struct ockam_route *r)
{
	struct ockam_hop hop;
	bool more;

	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, r->hops);
	for (more = ockam_route_first(r, &hop); more;
	     more = ockam_route_next(r, &hop)) {
		p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 2);
		p = ockam_cbor_write_head(p, OCKAM_CBOR_UINT, hop.type);
		p = ockam_cbor_write_head(p, OCKAM_CBOR_BYTES, hop.len);
		memcpy(p, hop.name, hop.len);
		p += hop.len;
	}
	return p;
}

size_t ockam_wire_body_header_len(const struct ockam_route *onward,
				  const struct ockam_route *ret,
				  size_t payload_len)
{
	return 1 + ockam_wire_route_len(onward) + ockam_wire_route_len(ret) +
	       ockam_cbor_head_len(payload_len);
}

u8 *ockam_wire_encode_body_header(u8 *p, const struct ockam_route *onward,
				  const struct ockam_route *ret,
				  size_t payload_len)
{
	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 3);
	p = ockam_wire_encode_route(p, onward);
	p = ockam_wire_encode_route(p, ret);
	return ockam_cbor_write_head(p, OCKAM_CBOR_BYTES, payload_len);
}

/* Bytes of [message, padding] and [variant, [value]] before the value. */
#define OCKAM_INNER_VARIANT_LEN	4

static u8 *ockam_wire_encode_variant(u8 *p, enum ockam_inner_kind kind)
{
	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 2);
	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 2);
	p = ockam_cbor_write_head(p, OCKAM_CBOR_UINT, kind);
	return ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY,
				     kind == OCKAM_INNER_CLOSE ? 0 : 1);
}

size_t ockam_wire_inner_header_len(const struct ockam_route *onward,
				   const struct ockam_route *ret,
				   size_t payload_len)
{
	return OCKAM_INNER_VARIANT_LEN +
	       ockam_wire_body_header_len(onward, ret, payload_len);
}

u8 *ockam_wire_encode_inner_header(u8 *p, const struct ockam_route *onward,
				   const struct ockam_route *ret,
				   size_t payload_len)
{
	p = ockam_wire_encode_variant(p, OCKAM_INNER_PAYLOAD);
	return ockam_wire_encode_body_header(p, onward, ret, payload_len);
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
