// SPDX-License-Identifier: Apache-2.0
/*
 * BARE numbers and strings, as they come to a service: what is read is written
 * back the same and no longer; text is UTF-8 as libunistring sees it, but for
 * zero bytes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <unistr.h>

#include "bare.h"
#include "fuzz.h"

static void try_uint(const uint8_t *data, size_t size)
{
	const uint8_t *pos = data, *end = data + size;
	struct ockam_buf out = { 0 };
	uint64_t value, again;

	if (ockam_bare_get_uint(&pos, end, &value)) {
		fuzz_must(pos <= end && pos - data <= OCKAM_BARE_UINT_MAX);
		return;
	}
	fuzz_must(pos > data && pos <= end && pos - data <= OCKAM_BARE_UINT_MAX);
	fuzz_must(!(pos[-1] & 0x80));
	ockam_bare_put_uint(&out, value);
	fuzz_must(out.len <= (size_t)(pos - data));
	pos = out.data;
	fuzz_must(!ockam_bare_get_uint(&pos, out.data + out.len, &again));
	fuzz_must(again == value && pos == out.data + out.len);
	pos = out.data;
	fuzz_must(ockam_bare_get_uint(&pos, out.data + out.len - 1, &again) == -EBADMSG);
	ockam_buf_free(&out);
}

static void try_data(const uint8_t *data, size_t size)
{
	const uint8_t *pos = data, *end = data + size;
	struct ockam_piece piece, again;
	struct ockam_buf out = { 0 };

	if (ockam_bare_get_data(&pos, end, &piece))
		return;
	fuzz_must(piece.data + piece.len == pos && piece.data > data && pos <= end);
	ockam_bare_put_data(&out, piece.data, piece.len);
	fuzz_must(out.len <= (size_t)(pos - data));
	pos = out.data;
	fuzz_must(!ockam_bare_get_data(&pos, out.data + out.len, &again));
	fuzz_must(pos == out.data + out.len);
	fuzz_must(fuzz_same(piece.data, piece.len, again.data, again.len));
	pos = out.data;
	fuzz_must(ockam_bare_get_data(&pos, out.data + out.len - 1, &again) == -EBADMSG);
	ockam_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ockam_piece piece;
	uint8_t *copy = fuzz_exact(data, size);

	try_uint(copy, size);
	try_data(copy, size);
	piece = (struct ockam_piece){ copy, size };
	fuzz_must(ockam_bare_is_text(&piece) == (!u8_check(copy, size) && !memchr(copy, 0, size)));
	free(copy);
	return 0;
}
