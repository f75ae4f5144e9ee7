// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>

#include "bare.h"

void ockam_bare_put_uint(struct ockam_buf *out, uint64_t value)
{
	while (value > 0x7f) {
		ockam_buf_put_u8(out, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	ockam_buf_put_u8(out, (uint8_t)value);
}

void ockam_bare_put_data(struct ockam_buf *out, const void *data, size_t len)
{
	ockam_bare_put_uint(out, len);
	ockam_buf_put(out, data, len);
}

int ockam_bare_get_uint(const uint8_t **data, const uint8_t *end, uint64_t *value)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < OCKAM_BARE_UINT_MAX; i++) {
		uint8_t byte;

		if (*data == end)
			return -EBADMSG;
		byte = *(*data)++;
		/* The tenth byte holds bit 63 alone. */
		if (i == OCKAM_BARE_UINT_MAX - 1 && byte > 1)
			return -EBADMSG;
		sum |= (uint64_t)(byte & 0x7f) << 7 * i;
		if (!(byte & 0x80)) {
			*value = sum;
			return 0;
		}
	}
	return -EBADMSG;
}

int ockam_bare_get_data(const uint8_t **data, const uint8_t *end, struct ockam_piece *piece)
{
	uint64_t len;

	if (ockam_bare_get_uint(data, end, &len) || len > (uint64_t)(end - *data))
		return -EBADMSG;
	piece->data = *data;
	piece->len = (size_t)len;
	*data += len;
	return 0;
}

/* Length of the valid UTF-8 character at @text, 0 when there is none. */
static size_t ockam_bare_character(const uint8_t *text, size_t left)
{
	static const uint32_t lowest[] = { 0, 1, 0x80, 0x800, 0x10000 };
	uint32_t code = text[0];
	size_t len;

	len = code < 0x80 ? 1 : code >> 5 == 6 ? 2 : code >> 4 == 14 ? 3 : code >> 3 == 30 ? 4 : 0;
	if (!len || len > left)
		return 0;
	if (len > 1)
		code &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < lowest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

bool ockam_bare_is_text(const struct ockam_piece *piece)
{
	size_t at = 0;

	while (at < piece->len) {
		size_t len = ockam_bare_character(piece->data + at, piece->len - at);

		if (!len)
			return false;
		at += len;
	}
	return true;
}
