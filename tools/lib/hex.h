/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lower-case hexadecimal text.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_HEX_H
#define OCKAM_LIB_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/**
 * ockam_hex_encode() - bytes to lower-case text
 * @bytes: source
 * @len: its length in bytes
 * @text: receives 2 * @len digits and a zero byte
 */
void ockam_hex_encode(const uint8_t *bytes, size_t len, char *text);

/**
 * ockam_hex_decode() - text of either case to bytes
 * @text: source, not necessarily zero-terminated
 * @text_len: its length in bytes
 * @bytes: receives @text_len / 2 bytes
 * @size: room in @bytes
 * @len: receives the number of bytes written
 * @err: the reason
 *
 * No blanks, no prefix. Return: 0; -EINVAL for an odd length or another
 * character than a digit; -EMSGSIZE when @size is too small.
 */
int ockam_hex_decode(const char *text, size_t text_len, uint8_t *bytes,
		     size_t size, size_t *len, struct ockam_err *err);

#endif /* OCKAM_LIB_HEX_H */
