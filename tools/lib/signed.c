// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <string.h>

#include "signed.h"

#define OCKAM_SIGNED_VERSION	1

int ockam_signed_open(const struct ockam_piece *data, enum ockam_signed_type type,
		      struct ockam_piece *inner)
{
	struct ockam_reader_list list;
	uint64_t version, got;
	struct ockam_reader r;

	ockam_reader_init(&r, data->data, data->len);
	if (ockam_reader_array(&r, &list) || ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT8_MAX, &version) || ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT8_MAX, &got) || ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_bytes(&r, inner) || ockam_reader_close(&r, &list, 1))
		return -EBADMSG;
	return version == OCKAM_SIGNED_VERSION && got == type ? 0 : -EBADMSG;
}

void ockam_signed_wrap(enum ockam_signed_type type, const struct ockam_buf *inner,
		       struct ockam_buf *out)
{
	ockam_buf_put_array(out, 3);
	ockam_buf_put_uint(out, OCKAM_SIGNED_VERSION);
	ockam_buf_put_uint(out, type);
	ockam_buf_put_bytes(out, inner->data, inner->len);
	if (inner->failed)
		out->failed = true;
}

int ockam_signed_read_pair(struct ockam_reader *r, struct ockam_piece *data,
			   struct ockam_signature *signature)
{
	struct ockam_reader_list list;

	if (ockam_reader_array(r, &list) || ockam_reader_more(r, &list) <= 0 ||
	    ockam_reader_bytes(r, data) || ockam_reader_more(r, &list) <= 0 ||
	    ockam_signed_read_signature(r, signature) || ockam_reader_close(r, &list, 1))
		return -EBADMSG;
	return 0;
}

void ockam_signed_put_pair(struct ockam_buf *out, const struct ockam_buf *data,
			   const struct ockam_signature *signature)
{
	ockam_buf_put_array(out, 2);
	ockam_buf_put_bytes(out, data->data, data->len);
	ockam_signed_put_signature(out, signature);
	if (data->failed)
		out->failed = true;
}

/* [ kind, [ bytes ] ]; the length follows from the kind. */
static int ockam_signed_read_variant(struct ockam_reader *r, enum ockam_key_kind *kind,
				     uint8_t *bytes, const uint8_t lens[2])
{
	struct ockam_reader_list fields;
	uint64_t index;

	if (ockam_reader_variant(r, &index, &fields) || index > OCKAM_KEY_P256 ||
	    ockam_reader_more(r, &fields) <= 0 || ockam_reader_fixed(r, bytes, lens[index]) ||
	    ockam_reader_close(r, &fields, 1))
		return -EBADMSG;
	*kind = (enum ockam_key_kind)index;
	return 0;
}

int ockam_signed_read_key(struct ockam_reader *r, struct ockam_public_key *key)
{
	static const uint8_t lens[] = { OCKAM_ED25519_LEN, OCKAM_P256_LEN };

	memset(key, 0, sizeof(*key));
	if (ockam_signed_read_variant(r, &key->kind, key->bytes, lens))
		return -EBADMSG;
	key->len = lens[key->kind];
	return 0;
}

int ockam_signed_read_signature(struct ockam_reader *r, struct ockam_signature *signature)
{
	static const uint8_t lens[] = { OCKAM_SIGNATURE_LEN, OCKAM_SIGNATURE_LEN };

	return ockam_signed_read_variant(r, &signature->kind, signature->bytes, lens);
}

static void ockam_signed_put_variant(struct ockam_buf *out, enum ockam_key_kind kind,
				     const uint8_t *bytes, size_t len)
{
	ockam_buf_put_array(out, 2);
	ockam_buf_put_uint(out, kind);
	ockam_buf_put_array(out, 1);
	ockam_buf_put_bytes(out, bytes, len);
}

void ockam_signed_put_key(struct ockam_buf *out, const struct ockam_public_key *key)
{
	ockam_signed_put_variant(out, key->kind, key->bytes, key->len);
}

void ockam_signed_put_signature(struct ockam_buf *out, const struct ockam_signature *signature)
{
	ockam_signed_put_variant(out, signature->kind, signature->bytes, OCKAM_SIGNATURE_LEN);
}

bool ockam_signed_equal_key(const struct ockam_public_key *a, const struct ockam_public_key *b)
{
	return a->kind == b->kind && a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}
