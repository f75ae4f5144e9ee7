/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer and a CBOR writer into it (wire-protocol 0.1:
 * definite lengths, shortest headers).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_BUF_H
#define OCKAM_LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Starts as all zero. data belongs to the buffer. Running out of memory sets
 * failed; later puts then do nothing, so a builder checks once, at its end.
 */
struct ockam_buf {
	uint8_t	*data;
	size_t	len;	/* bytes used */
	size_t	size;	/* bytes allocated */
	bool	failed;
};

/** ockam_buf_free() - wipe, free and reset to empty; NULL is allowed */
void ockam_buf_free(struct ockam_buf *buf);

/** ockam_buf_put() - append @len raw bytes (@bytes may be NULL for @len 0) */
void ockam_buf_put(struct ockam_buf *buf, const void *bytes, size_t len);

/** ockam_buf_put_u8() - append one raw byte */
void ockam_buf_put_u8(struct ockam_buf *buf, uint8_t byte);

/* CBOR items. Array and map take the number of elements or pairs. */
void ockam_buf_put_uint(struct ockam_buf *buf, uint64_t value);
void ockam_buf_put_bytes(struct ockam_buf *buf, const void *bytes, size_t len);
void ockam_buf_put_text(struct ockam_buf *buf, const char *text);
void ockam_buf_put_array(struct ockam_buf *buf, uint64_t count);
void ockam_buf_put_map(struct ockam_buf *buf, uint64_t count);
void ockam_buf_put_bool(struct ockam_buf *buf, bool value);
void ockam_buf_put_null(struct ockam_buf *buf);

#endif /* OCKAM_LIB_BUF_H */
