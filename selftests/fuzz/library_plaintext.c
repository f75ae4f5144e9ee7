// SPDX-License-Identifier: Apache-2.0
/*
 * What libockam says of a plaintext, for fuzz_k_wire.c. Its routes have the
 * names of the module's, so that the two cannot be in one file.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "packet.h"

int library_plaintext(const uint8_t *data, size_t size, int *kind, const uint8_t **body,
		      size_t *body_len, uint8_t *packed, size_t packed_len[2]);

int library_plaintext(const uint8_t *data, size_t size, int *kind, const uint8_t **body,
		      size_t *body_len, uint8_t *packed, size_t packed_len[2])
{
	struct ockam_plaintext plain;
	struct ockam_err err;
	int ret;

	ret = ockam_plaintext_decode(data, size, &plain, &err);
	if (ret)
		return ret;
	*kind = (int)plain.kind;
	*body = plain.body.data;
	*body_len = plain.body.len;
	packed_len[0] = plain.onward.len;
	packed_len[1] = plain.back.len;
	memcpy(packed, plain.onward.packed, plain.onward.len);
	memcpy(packed + OCKAM_ROUTE_MAX_BYTES, plain.back.packed, plain.back.len);
	return 0;
}
