/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a scan has found, with routes that own their bytes: for unit tests and fuzz
 * targets, which take it apart and write it again. An error is also -ENOMEM; what
 * is decoded into is initialised by the caller, and empty after an error.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_WIRE_BODIES_H
#define OCKAM_WIRE_BODIES_H

#include "wire.h"

/* ->payload points into the decoded buffer. */
struct ockam_body {
	struct ockam_route onward;	/* owned: ockam_body_reset() */
	struct ockam_route ret;
	const u8 *payload;
	size_t payload_len;
};

struct ockam_inner {
	enum ockam_inner_kind kind;
	struct ockam_body body;
};

static inline void ockam_body_init(struct ockam_body *b)
{
	ockam_route_init(&b->onward);
	ockam_route_init(&b->ret);
	b->payload = NULL;
	b->payload_len = 0;
}

static inline void ockam_body_reset(struct ockam_body *b)
{
	ockam_route_reset(&b->onward);
	ockam_route_reset(&b->ret);
	b->payload = NULL;
	b->payload_len = 0;
}

static inline int ockam_wire_unpack(const struct ockam_wire_route *from,
				    struct ockam_route *r)
{
	u8 *packed;
	int err;

	if (!from->hops)
		return 0;
	packed = kmalloc(from->packed_len, GFP_KERNEL_ACCOUNT);
	if (!packed)
		return -ENOMEM;
	ockam_wire_pack(from, packed);
	err = ockam_route_set(r, packed, from->packed_len);
	kfree(packed);
	return err;
}

static inline int ockam_body_set(struct ockam_body *b, const u8 *buf,
				 const struct ockam_wire_message *m)
{
	int err;

	err = ockam_wire_unpack(&m->onward, &b->onward);
	if (!err)
		err = ockam_wire_unpack(&m->ret, &b->ret);
	if (err) {
		ockam_body_reset(b);
		return err;
	}
	b->payload = buf + m->payload;
	b->payload_len = m->payload_len;
	return 0;
}

static inline int ockam_wire_decode_body(const u8 *buf, size_t len,
					 struct ockam_body *b)
{
	struct ockam_wire_message m;
	int err;

	err = ockam_wire_scan_body(buf, len, len, &m);
	if (err)
		return err;
	return ockam_body_set(b, buf, &m);
}

static inline int ockam_wire_decode_inner(const u8 *buf, size_t len,
					  struct ockam_inner *in)
{
	struct ockam_wire_message m;
	int err;

	err = ockam_wire_scan_inner(buf, len, len, 0, &in->kind, &m);
	if (err || in->kind == OCKAM_INNER_CLOSE)
		return err;
	return ockam_body_set(&in->body, buf, &m);
}

static inline size_t ockam_wire_body_header_len(const struct ockam_route *onward,
						const struct ockam_route *ret,
						size_t payload_len)
{
	struct ockam_hops o = ockam_route_hops(onward);
	struct ockam_hops r = ockam_route_hops(ret);

	return ockam_wire_body_len(&o, &r, payload_len);
}

static inline u8 *ockam_wire_encode_body_header(u8 *p,
						const struct ockam_route *onward,
						const struct ockam_route *ret,
						size_t payload_len)
{
	struct ockam_hops o = ockam_route_hops(onward);
	struct ockam_hops r = ockam_route_hops(ret);

	return ockam_wire_put_body(p, &o, &r, payload_len);
}

static inline size_t ockam_wire_inner_header_len(const struct ockam_route *onward,
						 const struct ockam_route *ret,
						 size_t payload_len)
{
	struct ockam_hops o = ockam_route_hops(onward);
	struct ockam_hops r = ockam_route_hops(ret);

	return ockam_wire_inner_len(&o, &r, payload_len);
}

static inline u8 *ockam_wire_encode_inner_header(u8 *p,
						 const struct ockam_route *onward,
						 const struct ockam_route *ret,
						 size_t payload_len)
{
	struct ockam_hops o = ockam_route_hops(onward);
	struct ockam_hops r = ockam_route_hops(ret);

	return ockam_wire_put_inner(p, &o, &r, payload_len);
}

#endif /* OCKAM_WIRE_BODIES_H */
