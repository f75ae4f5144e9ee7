// SPDX-License-Identifier: GPL-2.0
/*
 * Scanning of frame bodies and packet plaintexts of which only a part may be
 * there: the same as the reference says, whatever is there, and what comes out
 * is written back in the canonical form, of which the header alone is enough.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <sanitizer/asan_interface.h>

#include "fuzz.h"
#include "wire_reference.h"

/* Long inputs are not cut everywhere. */
#define SPLITS	300

/* Whatever lies behind what is there may not be touched. */
static void try_splits(const struct wire_reference *w, uint8_t *copy, size_t size, uint8_t *there)
{
	size_t step = 1 + size / SPLITS;
	bool enough = true;
	int err;

	fuzz_must(wire_reference_agrees(w, copy, copy, size, size, &err));
	for (size_t have = size; have >= step;) {
		have -= step;
		__asan_poison_memory_region(there + have, size - have);
		fuzz_must(wire_reference_agrees(w, copy, there, have, size, &err));
		/* When some bytes are not enough, less are not. */
		fuzz_must(enough || err == -EAGAIN);
		enough = err != -EAGAIN;
	}
	__asan_unpoison_memory_region(there, size);
}

static void check_view(const struct ockam_hops *h)
{
	struct ockam_hop hop, last = { 0 };
	unsigned int n = 0;
	bool more;

	for (more = ockam_hops_first(h, &hop); more; more = ockam_hops_next(h, &hop)) {
		last = hop;
		n++;
	}
	fuzz_must(n == h->hops);
	fuzz_must(ockam_hops_last(h, &hop) == !!n);
	fuzz_must(!n || hop.name == last.name);
}

/* A route in the canonical form is as it was. */
static bool canonical(const struct ockam_hops *h)
{
	struct ockam_hop hop;
	bool more;

	for (more = ockam_hops_first(h, &hop); more; more = ockam_hops_next(h, &hop))
		if (hop.type > 23)
			return false;
	return h->hops < 24;
}

static void try_again(const struct wire_reference *w, size_t size)
{
	struct ockam_hops onward = ockam_route_hops(&w->onward);
	struct ockam_hops ret = ockam_route_hops(&w->ret);
	size_t head = w->inner ? ockam_wire_inner_len(&onward, &ret, w->payload_len) :
				 ockam_wire_body_len(&onward, &ret, w->payload_len);
	size_t len = head + w->payload_len + (w->inner ? OCKAM_INNER_TRAILER_LEN : 0);
	struct wire_reference again;
	uint8_t *out = malloc(len);
	uint8_t *end;
	int err;

	fuzz_must(out && len <= size);
	check_view(&onward);
	check_view(&ret);
	end = w->inner ? ockam_wire_put_inner(out, &onward, &ret, w->payload_len) :
			 ockam_wire_put_body(out, &onward, &ret, w->payload_len);
	fuzz_must(end == out + head);
	memcpy(end, w->payload, w->payload_len);
	if (w->inner)
		ockam_wire_encode_inner_trailer(end + w->payload_len);

	wire_reference_read(&again, w->inner, out, len);
	fuzz_must(!again.err && again.payload == out + head);
	fuzz_must(again.payload_len == w->payload_len && again.kind == w->kind);
	fuzz_must(fuzz_same(ockam_route_bytes(&again.onward), again.onward.len, onward.bytes,
			    onward.len));
	fuzz_must(fuzz_same(ockam_route_bytes(&again.ret), again.ret.len, ret.bytes, ret.len));
	fuzz_must(wire_reference_agrees(&again, out, out, len, len, &err));
	if (canonical(&onward) && canonical(&ret)) {
		fuzz_must(wire_reference_agrees(&again, out, out, head, len, &err));
		fuzz_must(!err);
	}
	wire_reference_free(&again);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reference w;
	uint8_t *copy, *there;

	if (!size)
		return 0;
	copy = fuzz_exact(data + 1, size - 1);
	there = fuzz_exact(data + 1, size - 1);
	wire_reference_read(&w, data[0] & 1, copy, size - 1);
	try_splits(&w, copy, size - 1, there);
	if (!w.err && w.kind == OCKAM_INNER_PAYLOAD)
		try_again(&w, size - 1);
	wire_reference_free(&w);
	free(there);
	free(copy);
	return 0;
}
