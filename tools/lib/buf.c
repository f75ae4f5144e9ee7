// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "buf.h"

/* CBOR major types. */
enum {
	OCKAM_BUF_UINT	= 0,
	OCKAM_BUF_BYTES	= 2,
	OCKAM_BUF_TEXT	= 3,
	OCKAM_BUF_ARRAY	= 4,
	OCKAM_BUF_MAP	= 5,
};

void ockam_buf_free(struct ockam_buf *buf)
{
	if (!buf)
		return;
	if (buf->data)
		OPENSSL_cleanse(buf->data, buf->size);
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

/* No realloc(): it would leave the old bytes, perhaps secret, in freed memory. */
static bool ockam_buf_reserve(struct ockam_buf *buf, size_t len)
{
	size_t size = buf->size ? buf->size : 128;
	uint8_t *data;

	if (buf->failed)
		return false;
	if (len <= buf->size - buf->len)
		return true;
	if (len > SIZE_MAX / 4 - buf->len) {
		buf->failed = true;
		return false;
	}
	while (size - buf->len < len)
		size *= 2;
	data = malloc(size);
	if (!data) {
		buf->failed = true;
		return false;
	}
	if (buf->data) {
		memcpy(data, buf->data, buf->len);
		OPENSSL_cleanse(buf->data, buf->size);
		free(buf->data);
	}
	buf->data = data;
	buf->size = size;
	return true;
}

void ockam_buf_put(struct ockam_buf *buf, const void *bytes, size_t len)
{
	if (!ockam_buf_reserve(buf, len) || !len)
		return;
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

void ockam_buf_put_u8(struct ockam_buf *buf, uint8_t byte)
{
	ockam_buf_put(buf, &byte, 1);
}

static void ockam_buf_put_head(struct ockam_buf *buf, uint8_t major, uint64_t value)
{
	uint8_t head[9];
	unsigned int bytes = value < 24 ? 0 : value <= 0xff ? 1 : value <= 0xffff ? 2 :
			     value <= 0xffffffff ? 4 : 8;
	static const uint8_t info[] = { 0, 24, 25, 0, 26, 0, 0, 0, 27 };

	head[0] = (uint8_t)(major << 5 | (bytes ? info[bytes] : value));
	for (unsigned int i = 0; i < bytes; i++)
		head[1 + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	ockam_buf_put(buf, head, 1 + bytes);
}

void ockam_buf_put_uint(struct ockam_buf *buf, uint64_t value)
{
	ockam_buf_put_head(buf, OCKAM_BUF_UINT, value);
}

void ockam_buf_put_bytes(struct ockam_buf *buf, const void *bytes, size_t len)
{
	ockam_buf_put_head(buf, OCKAM_BUF_BYTES, len);
	ockam_buf_put(buf, bytes, len);
}

void ockam_buf_put_text(struct ockam_buf *buf, const char *text)
{
	ockam_buf_put_head(buf, OCKAM_BUF_TEXT, strlen(text));
	ockam_buf_put(buf, text, strlen(text));
}

void ockam_buf_put_array(struct ockam_buf *buf, uint64_t count)
{
	ockam_buf_put_head(buf, OCKAM_BUF_ARRAY, count);
}

void ockam_buf_put_map(struct ockam_buf *buf, uint64_t count)
{
	ockam_buf_put_head(buf, OCKAM_BUF_MAP, count);
}

void ockam_buf_put_bool(struct ockam_buf *buf, bool value)
{
	ockam_buf_put_u8(buf, value ? 0xf5 : 0xf4);
}

void ockam_buf_put_null(struct ockam_buf *buf)
{
	ockam_buf_put_u8(buf, 0xf6);
}
