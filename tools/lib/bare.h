/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BARE: the encoding of text payloads and API envelopes (wire-protocol 0.2).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_BARE_H
#define OCKAM_LIB_BARE_H

#include "buf.h"
#include "reader.h"

#define OCKAM_BARE_UINT_MAX	10	/* bytes of the longest uint */

/** ockam_bare_put_uint() - append a uint (ULEB128) */
void ockam_bare_put_uint(struct ockam_buf *out, uint64_t value);

/** ockam_bare_put_data() - append length and bytes: a string or byte data */
void ockam_bare_put_data(struct ockam_buf *out, const void *data, size_t len);

/**
 * ockam_bare_get_uint() - read a uint
 * @data: moves behind it
 * @end: end of the input
 * @value: receives it
 *
 * Return: 0, -EBADMSG when it ends too early or exceeds 64 bits.
 */
int ockam_bare_get_uint(const uint8_t **data, const uint8_t *end, uint64_t *value);

/**
 * ockam_bare_get_data() - read length and bytes
 * @data: moves behind them
 * @end: end of the input
 * @piece: receives the bytes, inside the input
 *
 * Return: 0 or -EBADMSG.
 */
int ockam_bare_get_data(const uint8_t **data, const uint8_t *end, struct ockam_piece *piece);

/** ockam_bare_is_text() - is @piece valid UTF-8 without a zero byte */
bool ockam_bare_is_text(const struct ockam_piece *piece);

#endif /* OCKAM_LIB_BARE_H */
