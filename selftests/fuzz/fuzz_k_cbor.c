// SPDX-License-Identifier: GPL-2.0
/*
 * CBOR of the module against the reader of naive.h, and against that of
 * libockam: same items, same lengths.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "cbor.h"
#include "fuzz.h"
#include "naive.h"
#include "reader.h"

/* Bytes that an item of the module takes, 0 when it refuses. */
static size_t kernel_item(const uint8_t *p, size_t len)
{
	struct ockam_cbor c;

	ockam_cbor_init(&c, p, len);
	if (ockam_cbor_skip(&c))
		return 0;
	fuzz_must(c.p > p && c.p <= p + len && c.end == p + len);
	return (size_t)(c.p - p);
}

static size_t library_item(const uint8_t *p, size_t len)
{
	struct ockam_piece piece;
	struct ockam_reader r;

	ockam_reader_init(&r, p, len);
	if (ockam_reader_item(&r, &piece))
		return 0;
	fuzz_must(piece.data == p && piece.len && piece.len <= len);
	return piece.len;
}

/* An item depends on its own bytes only. */
static void check_exact(const uint8_t *p, size_t len)
{
	uint8_t *copy = fuzz_exact(p, len);

	fuzz_must(kernel_item(copy, len) == len);
	free(copy);
	copy = fuzz_exact(p, len - 1);
	fuzz_must(!kernel_item(copy, len - 1));
	free(copy);
}

/* Typed readers agree with what the head says, and heads are written back the same. */
static void check_typed(const uint8_t *p, size_t len)
{
	struct ockam_cbor_array a;
	struct ockam_cbor c;
	const u8 *string;
	uint8_t head[9];
	size_t n;
	u64 v;

	ockam_cbor_init(&c, p, len);
	fuzz_must(ockam_cbor_peek(&c) == *p >> 5);
	if (!ockam_cbor_read_uint(&c, U64_MAX, &v)) {
		fuzz_must(*p >> 5 == OCKAM_CBOR_UINT);
		n = (size_t)(ockam_cbor_write_head(head, OCKAM_CBOR_UINT, v) - head);
		fuzz_must(n == ockam_cbor_head_len(v) && n <= (size_t)(c.p - p));
		ockam_cbor_init(&c, head, n);
		fuzz_must(v == U64_MAX || ockam_cbor_read_uint(&c, v + 1, &v) == 0);
		ockam_cbor_init(&c, head, n);
		fuzz_must(!v || ockam_cbor_read_uint(&c, v - 1, &v));
	}
	ockam_cbor_init(&c, p, len);
	if (!ockam_cbor_read_bytes(&c, &string, &n))
		fuzz_must(*p >> 5 == OCKAM_CBOR_BYTES && string + n == c.p && c.p <= p + len);
	ockam_cbor_init(&c, p, len);
	if (!ockam_cbor_read_text(&c, &string, &n))
		fuzz_must(*p >> 5 == OCKAM_CBOR_TEXT && string + n == c.p && c.p <= p + len);
	ockam_cbor_init(&c, p, len);
	if (!ockam_cbor_read_array(&c, &a) && !ockam_cbor_skip_rest(&c, &a))
		fuzz_must(*p >> 5 == OCKAM_CBOR_ARRAY && c.p <= p + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	while (data < end) {
		size_t left = (size_t)(end - data);
		unsigned int deepest = 0;
		size_t want = naive_item(data, end, 0, &deepest);
		size_t kernel = kernel_item(data, left);
		size_t library = library_item(data, left);

		check_typed(data, left);
		/* Whoever accepts takes the same bytes. Depth is all that they may differ in. */
		fuzz_must(!kernel || kernel == want);
		fuzz_must(!library || library == want);
		fuzz_must(deepest >= OCKAM_CBOR_MAX_DEPTH || kernel == want);
		fuzz_must(deepest >= OCKAM_READER_DEPTH || library == want);
		if (!kernel)
			break;
		check_exact(data, kernel);
		data += kernel;
	}
	return 0;
}
