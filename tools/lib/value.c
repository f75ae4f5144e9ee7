// SPDX-License-Identifier: Apache-2.0
/*
 * Values of the control protocol.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "crypto.h"
#include "hex.h"
#include "reader.h"
#include "value.h"

/* ---- encode -------------------------------------------------------------- */

static void ockam_value_put_negative(struct ockam_buf *out, int64_t value)
{
	struct ockam_buf head = { 0 };

	/* -1 - n has the header of n under major type 1. */
	ockam_buf_put_uint(&head, (uint64_t)(-1 - value));
	if (head.failed) {
		out->failed = true;
	} else {
		head.data[0] |= 0x20;
		ockam_buf_put(out, head.data, head.len);
	}
	ockam_buf_free(&head);
}

static int ockam_value_encode_at(struct json_object *value, unsigned int depth,
				 struct ockam_buf *out, struct ockam_err *err)
{
	size_t i, n;
	int64_t number;
	int ret;

	if (depth > OCKAM_VALUE_DEPTH)
		return ockam_err_set(err, -EINVAL, "The value is nested more than %d levels deep",
				     OCKAM_VALUE_DEPTH);
	switch (json_object_get_type(value)) {
	case json_type_null:
		ockam_buf_put_null(out);
		return 0;
	case json_type_boolean:
		ockam_buf_put_bool(out, json_object_get_boolean(value));
		return 0;
	case json_type_int:
		number = json_object_get_int64(value);
		if (number < 0)
			ockam_value_put_negative(out, number);
		else
			ockam_buf_put_uint(out, (uint64_t)number);
		return 0;
	case json_type_string:
		ockam_buf_put_text(out, json_object_get_string(value));
		return 0;
	case json_type_array:
		n = json_object_array_length(value);
		ockam_buf_put_array(out, n);
		for (i = 0; i < n; i++) {
			ret = ockam_value_encode_at(json_object_array_get_idx(value, i),
						    depth + 1, out, err);
			if (ret)
				return ret;
		}
		return 0;
	case json_type_object:
		ockam_buf_put_map(out, (uint64_t)json_object_object_length(value));
		json_object_object_foreach(value, key, member) {
			ockam_buf_put_text(out, key);
			ret = ockam_value_encode_at(member, depth + 1, out, err);
			if (ret)
				return ret;
		}
		return 0;
	case json_type_double:
		break;
	}
	return ockam_err_set(err, -EINVAL, "The value holds a floating point number");
}

int ockam_value_encode(struct json_object *value, struct ockam_buf *out, struct ockam_err *err)
{
	int ret;

	ret = ockam_value_encode_at(value, 0, out, err);
	if (!ret && out->failed)
		ret = ockam_err_set(err, -ENOMEM, "Out of memory");
	return ret;
}

/* ---- decode -------------------------------------------------------------- */

/* items: how many more may follow, all levels together. */
struct ockam_value_decoder {
	struct ockam_reader	r;
	unsigned int		items;
};

static int ockam_value_bad(struct ockam_err *err)
{
	return ockam_err_set(err, -EBADMSG,
			     "The message is not valid CBOR of the control protocol");
}

/* A zero-terminated copy of a text, or NULL with *ret set. */
static char *ockam_value_decode_text(struct ockam_value_decoder *d, int *ret,
				     struct ockam_err *err)
{
	struct ockam_piece piece;
	char *text;

	if (ockam_reader_text(&d->r, &piece) || !ockam_bare_is_text(&piece)) {
		*ret = ockam_value_bad(err);
		return NULL;
	}
	text = malloc(piece.len + 1);
	if (!text) {
		*ret = ockam_err_set(err, -ENOMEM, "Out of memory");
		return NULL;
	}
	if (piece.len)
		memcpy(text, piece.data, piece.len);
	text[piece.len] = '\0';
	return text;
}

static int ockam_value_decode_number(struct ockam_value_decoder *d, struct json_object **value,
				     struct ockam_err *err)
{
	bool negative = d->r.pos[0] >> 5 == 1;
	struct ockam_reader r = d->r;
	uint8_t head[9] = { 0 };
	size_t len = (size_t)(r.end - r.pos);
	uint64_t number;

	if (len > sizeof(head))
		len = sizeof(head);
	memcpy(head, r.pos, len);
	head[0] &= 0x1f;
	ockam_reader_init(&r, head, len);
	if (ockam_reader_uint(&r, INT64_MAX, &number))
		return ockam_value_bad(err);
	d->r.pos += r.pos - head;
	*value = json_object_new_int64(negative ? -1 - (int64_t)number : (int64_t)number);
	return *value ? 0 : ockam_err_set(err, -ENOMEM, "Out of memory");
}

static int ockam_value_decode_at(struct ockam_value_decoder *d, unsigned int depth,
				 struct json_object **value, struct ockam_err *err);

static int ockam_value_decode_array(struct ockam_value_decoder *d, unsigned int depth,
				    struct json_object *array, struct ockam_err *err)
{
	struct ockam_reader_list list;
	struct json_object *item;
	int ret;

	if (ockam_reader_array(&d->r, &list))
		return ockam_value_bad(err);
	for (;;) {
		ret = ockam_reader_more(&d->r, &list);
		if (ret <= 0)
			return ret ? ockam_value_bad(err) : 0;
		ret = ockam_value_decode_at(d, depth + 1, &item, err);
		if (ret)
			return ret;
		if (json_object_array_add(array, item)) {
			json_object_put(item);
			return ockam_err_set(err, -ENOMEM, "Out of memory");
		}
	}
}

static int ockam_value_decode_map(struct ockam_value_decoder *d, unsigned int depth,
				  struct json_object *map, struct ockam_err *err)
{
	struct ockam_reader_list list;
	struct json_object *item;
	char *key;
	int ret;

	if (ockam_reader_map(&d->r, &list))
		return ockam_value_bad(err);
	for (;;) {
		ret = ockam_reader_more(&d->r, &list);
		if (ret <= 0)
			return ret ? ockam_value_bad(err) : 0;
		key = ockam_value_decode_text(d, &ret, err);
		if (!key)
			return ret;
		if (json_object_object_get_ex(map, key, NULL))
			ret = ockam_err_set(err, -EBADMSG, "The key '%s' appears twice", key);
		else
			ret = ockam_value_decode_at(d, depth + 1, &item, err);
		if (!ret && json_object_object_add(map, key, item)) {
			json_object_put(item);
			ret = ockam_err_set(err, -ENOMEM, "Out of memory");
		}
		free(key);
		if (ret)
			return ret;
	}
}

/* Bounded recursion: OCKAM_VALUE_DEPTH. *value is set on success only. */
static int ockam_value_decode_at(struct ockam_value_decoder *d, unsigned int depth,
				 struct json_object **value, struct ockam_err *err)
{
	struct json_object *made = NULL;
	bool flag;
	char *text;
	int ret = 0;

	*value = NULL;
	if (depth > OCKAM_VALUE_DEPTH || !d->items)
		return ockam_err_set(err, -E2BIG,
				     "The message is nested too deep or has too many items");
	d->items--;
	if (d->r.pos >= d->r.end)
		return ockam_value_bad(err);
	if (ockam_reader_null(&d->r))
		return 0;

	switch (d->r.pos[0] >> 5) {
	case 0:
	case 1:
		return ockam_value_decode_number(d, value, err);
	case 3:
		text = ockam_value_decode_text(d, &ret, err);
		if (!text)
			return ret;
		made = json_object_new_string(text);
		free(text);
		break;
	case 4:
		made = json_object_new_array();
		ret = made ? ockam_value_decode_array(d, depth, made, err) : 0;
		break;
	case 5:
		made = json_object_new_object();
		ret = made ? ockam_value_decode_map(d, depth, made, err) : 0;
		break;
	case 7:
		if (ockam_reader_bool(&d->r, &flag))
			return ockam_value_bad(err);
		made = json_object_new_boolean(flag);
		break;
	default:
		return ockam_value_bad(err);
	}
	if (!made)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	if (ret) {
		json_object_put(made);
		return ret;
	}
	*value = made;
	return 0;
}

int ockam_value_decode(const uint8_t *bytes, size_t len, struct json_object **value,
		       struct ockam_err *err)
{
	struct ockam_value_decoder d = { .items = OCKAM_VALUE_ITEMS };
	int ret;

	ockam_reader_init(&d.r, bytes, len);
	ret = ockam_value_decode_at(&d, 0, value, err);
	if (ret)
		return ret;
	if (d.r.pos != d.r.end) {
		json_object_put(*value);
		*value = NULL;
		return ockam_value_bad(err);
	}
	return 0;
}

/* ---- members ------------------------------------------------------------- */

struct json_object *ockam_value_get(struct json_object *map, const char *key)
{
	struct json_object *member;

	if (!json_object_is_type(map, json_type_object) ||
	    !json_object_object_get_ex(map, key, &member))
		return NULL;
	return member;
}

static struct json_object *ockam_value_get_type(struct json_object *map, const char *key,
						enum json_type type)
{
	struct json_object *member = ockam_value_get(map, key);

	return json_object_is_type(member, type) ? member : NULL;
}

const char *ockam_value_text(struct json_object *map, const char *key)
{
	struct json_object *member = ockam_value_get_type(map, key, json_type_string);

	return member ? json_object_get_string(member) : NULL;
}

int64_t ockam_value_int(struct json_object *map, const char *key, int64_t otherwise)
{
	struct json_object *member = ockam_value_get_type(map, key, json_type_int);

	return member ? json_object_get_int64(member) : otherwise;
}

bool ockam_value_bool(struct json_object *map, const char *key, bool otherwise)
{
	struct json_object *member = ockam_value_get_type(map, key, json_type_boolean);

	return member ? json_object_get_boolean(member) : otherwise;
}

struct json_object *ockam_value_array(struct json_object *map, const char *key)
{
	return map ? ockam_value_get_type(map, key, json_type_array) : NULL;
}

int ockam_value_put(struct json_object *map, const char *key, struct json_object *owned)
{
	if (json_object_object_add(map, key, owned)) {
		json_object_put(owned);
		return -ENOMEM;
	}
	return 0;
}

static int ockam_value_put_made(struct json_object *map, const char *key,
				struct json_object *made)
{
	return made ? ockam_value_put(map, key, made) : -ENOMEM;
}

int ockam_value_put_text(struct json_object *map, const char *key, const char *text)
{
	if (!text)
		return ockam_value_put(map, key, NULL);
	return ockam_value_put_made(map, key, json_object_new_string(text));
}

int ockam_value_put_int(struct json_object *map, const char *key, int64_t value)
{
	return ockam_value_put_made(map, key, json_object_new_int64(value));
}

int ockam_value_put_bool(struct json_object *map, const char *key, bool value)
{
	return ockam_value_put_made(map, key, json_object_new_boolean(value));
}

int ockam_value_put_hex(struct json_object *map, const char *key, const void *bytes, size_t len)
{
	char *text = malloc(2 * len + 1);
	int ret;

	if (!text)
		return -ENOMEM;
	ockam_hex_encode(bytes, len, text);
	ret = ockam_value_put_text(map, key, text);
	free(text);
	return ret;
}

int ockam_value_bytes(struct json_object *map, const char *key, struct ockam_buf *out,
		      struct ockam_err *err)
{
	struct json_object *member = ockam_value_get(map, key);
	size_t len, size;
	uint8_t *bytes;
	int ret;

	if (!member)
		return ockam_err_set(err, -ENOENT, "'%s' is missing", key);
	if (!json_object_is_type(member, json_type_string))
		return ockam_err_set(err, -EINVAL, "'%s' is not hexadecimal text", key);
	len = (size_t)json_object_get_string_len(member);
	size = len / 2 + 1;
	bytes = malloc(size);
	if (!bytes)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	ret = ockam_hex_decode(json_object_get_string(member), len, bytes, len / 2, &len, err);
	if (ret) {
		ockam_err_prefix(err, "'%s'", key);
	} else {
		ockam_buf_put(out, bytes, len);
		if (out->failed)
			ret = ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	ockam_crypto_wipe(bytes, size);
	free(bytes);
	return ret;
}
