// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "hex.h"

void ockam_hex_encode(const uint8_t *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

static int ockam_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int ockam_hex_decode(const char *text, size_t text_len, uint8_t *bytes,
		     size_t size, size_t *len, struct ockam_err *err)
{
	if (text_len % 2)
		return ockam_err_set(err, -EINVAL,
				     "hexadecimal text needs an even number of digits, this has %zu",
				     text_len);
	if (text_len / 2 > size)
		return ockam_err_set(err, -EMSGSIZE,
				     "hexadecimal text of %zu digits is too long, at most %zu",
				     text_len, size * 2);
	for (size_t i = 0; i < text_len; i += 2) {
		int high = ockam_hex_digit(text[i]);
		int low = ockam_hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return ockam_err_set(err, -EINVAL,
					     "character %zu of the hexadecimal text is no digit",
					     i + (high < 0 ? 1 : 2));
		bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	*len = text_len / 2;
	return 0;
}
