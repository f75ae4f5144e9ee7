// SPDX-License-Identifier: GPL-2.0
/*
 * Bodies of frames and plaintexts of packets: what decodes is written back in
 * the one form that is sent, which is never longer, and decodes to the same.
 * libockam reads plaintexts too, and must say the same of them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "naive.h"
#include "wire_bodies.h"

/* From library_plaintext.c: the other headers have other routes. */
int library_plaintext(const uint8_t *data, size_t size, int *kind, const uint8_t **body,
		      size_t *body_len, uint8_t *packed, size_t packed_len[2]);

static void check_same_route(const struct ockam_route *a, const struct ockam_route *b)
{
	fuzz_must(a->hops == b->hops);
	fuzz_must(fuzz_same(ockam_route_bytes(a), a->len, ockam_route_bytes(b), b->len));
}

static void check_empty(struct ockam_body *b)
{
	fuzz_must(!b->onward.hops && !b->ret.hops && !b->onward.heap && !b->ret.heap);
	fuzz_must(!b->payload && !b->payload_len);
}

static void check_inside(const struct ockam_body *b, const uint8_t *data, size_t size)
{
	fuzz_must(b->payload >= data && b->payload <= data + size);
	fuzz_must(b->payload_len <= (size_t)(data + size - b->payload));
}

/* @head bytes of header, payload, @tail: as one exact block; free(). */
static uint8_t *assemble(size_t head, const struct ockam_body *b, size_t tail)
{
	uint8_t *out = malloc(head + b->payload_len + tail);

	fuzz_must(out);
	memcpy(out + head, b->payload, b->payload_len);
	return out;
}

static void try_body(const uint8_t *data, size_t size)
{
	struct ockam_body body, again;
	uint8_t *out;
	size_t head;
	int err;

	ockam_body_init(&body);
	err = ockam_wire_decode_body(data, size, &body);
	fuzz_must(!err || err == -EINVAL || err == -E2BIG);
	if (err) {
		check_empty(&body);
		return;
	}
	check_inside(&body, data, size);
	head = ockam_wire_body_header_len(&body.onward, &body.ret, body.payload_len);
	out = assemble(head, &body, 0);
	fuzz_must(ockam_wire_encode_body_header(out, &body.onward, &body.ret,
						body.payload_len) == out + head);
	fuzz_must(head + body.payload_len <= size);

	ockam_body_init(&again);
	fuzz_must(!ockam_wire_decode_body(out, head + body.payload_len, &again));
	check_same_route(&body.onward, &again.onward);
	check_same_route(&body.ret, &again.ret);
	fuzz_must(fuzz_same(body.payload, body.payload_len, again.payload, again.payload_len));
	ockam_body_reset(&again);
	/* One byte less is no body. */
	fuzz_must(ockam_wire_decode_body(out, head + body.payload_len - 1, &again) == -EINVAL);
	ockam_body_reset(&body);
	free(out);
}

static uint8_t *encode_inner(const struct ockam_inner *in, size_t *len)
{
	size_t head = 0;
	uint8_t *out;
	uint8_t *end;

	switch (in->kind) {
	case OCKAM_INNER_PAYLOAD:
		head = ockam_wire_inner_header_len(&in->body.onward, &in->body.ret,
						   in->body.payload_len);
		out = assemble(head, &in->body, OCKAM_INNER_TRAILER_LEN);
		end = ockam_wire_encode_inner_header(out, &in->body.onward, &in->body.ret,
						     in->body.payload_len);
		break;
	case OCKAM_INNER_REFRESH:
		head = OCKAM_INNER_REFRESH_HEADER_LEN;
		out = assemble(head, &in->body, OCKAM_INNER_TRAILER_LEN);
		end = ockam_wire_encode_refresh_header(out);
		break;
	default:
		out = malloc(OCKAM_INNER_CLOSE_LEN);
		fuzz_must(out);
		*len = OCKAM_INNER_CLOSE_LEN;
		fuzz_must(ockam_wire_encode_close(out) == out + *len);
		return out;
	}
	fuzz_must(end == out + head);
	end = ockam_wire_encode_inner_trailer(end + in->body.payload_len);
	*len = head + in->body.payload_len + OCKAM_INNER_TRAILER_LEN;
	fuzz_must(end == out + *len);
	return out;
}

/* @in, or the error that the module has with these bytes, as libockam sees it. */
static void compare_library(const uint8_t *data, size_t size, int err,
			    const struct ockam_inner *in)
{
	uint8_t packed[2 * OCKAM_ROUTE_MAX_BYTES];
	unsigned int deepest = 0;
	const uint8_t *body;
	size_t packed_len[2];
	size_t body_len;
	int kind;
	int ret;

	/* They count levels in different ways, and need not agree at the limit. */
	naive_item(data, data + size, 0, &deepest);
	if (deepest >= 30)
		return;
	ret = library_plaintext(data, size, &kind, &body, &body_len, packed, packed_len);
	/* It says at once that a route is too long, and does not read on. */
	fuzz_must(!err == !ret);
	if (err)
		return;
	fuzz_must(kind == (int)in->kind);
	if (in->kind == OCKAM_INNER_CLOSE)
		return;
	fuzz_must(fuzz_same(in->body.payload, in->body.payload_len, body, body_len));
	fuzz_must(fuzz_same(ockam_route_bytes(&in->body.onward), in->body.onward.len, packed,
			    packed_len[0]));
	fuzz_must(fuzz_same(ockam_route_bytes(&in->body.ret), in->body.ret.len,
			    packed + OCKAM_ROUTE_MAX_BYTES, packed_len[1]));
}

static void try_inner(const uint8_t *data, size_t size)
{
	struct ockam_inner in, again;
	uint8_t *out;
	size_t len;
	int err;

	ockam_body_init(&in.body);
	err = ockam_wire_decode_inner(data, size, &in);
	fuzz_must(!err || err == -EINVAL || err == -E2BIG);
	compare_library(data, size, err, &in);
	if (err) {
		check_empty(&in.body);
		return;
	}
	fuzz_must(in.kind <= OCKAM_INNER_CLOSE);
	if (in.kind != OCKAM_INNER_CLOSE)
		check_inside(&in.body, data, size);
	out = encode_inner(&in, &len);
	fuzz_must(len <= size);

	ockam_body_init(&again.body);
	fuzz_must(!ockam_wire_decode_inner(out, len, &again));
	fuzz_must(again.kind == in.kind);
	check_same_route(&in.body.onward, &again.body.onward);
	check_same_route(&in.body.ret, &again.body.ret);
	if (in.kind != OCKAM_INNER_CLOSE)
		fuzz_must(fuzz_same(in.body.payload, in.body.payload_len, again.body.payload,
				    again.body.payload_len));
	ockam_body_reset(&again.body);
	fuzz_must(ockam_wire_decode_inner(out, len - 1, &again) == -EINVAL);
	ockam_body_reset(&in.body);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!size)
		return 0;
	copy = fuzz_exact(data + 1, size - 1);
	if (data[0] & 1)
		try_inner(copy, size - 1);
	else
		try_body(copy, size - 1);
	free(copy);
	return 0;
}
