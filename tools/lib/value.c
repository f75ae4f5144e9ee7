// SPDX-License-Identifier: Apache-2.0
/*
 * Values of the control protocol.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <json-c/json_visit.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "hex.h"
#include "value.h"

/* ---- text ---------------------------------------------------------------- */

int ockam_value_encode(struct json_object *value, struct ockam_buf *out, struct ockam_err *err)
{
	const char *text;
	size_t len;

	text = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN |
						 JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (text)
		ockam_buf_put(out, text, len);
	if (!text || out->failed)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	return 0;
}

/*
 * What JSON allows and a value does not. json-c keeps what is above int64_t, and
 * an integer without bounds is not told from the bound.
 */
static int ockam_value_check(struct json_object *value, int flags, struct json_object *parent,
			     const char *key, size_t *index, void *arg)
{
	unsigned int *items = arg;
	bool bad;

	(void)parent;
	(void)key;
	(void)index;
	if (flags == JSON_C_VISIT_SECOND)
		return JSON_C_VISIT_RETURN_CONTINUE;
	switch (json_object_get_type(value)) {
	case json_type_string:
		bad = strlen(json_object_get_string(value)) !=
		      (size_t)json_object_get_string_len(value);
		break;
	case json_type_int:
		bad = json_object_get_int64(value) == INT64_MAX &&
		      json_object_get_uint64(value) != INT64_MAX;
		break;
	case json_type_double:
		bad = true;
		break;
	default:
		bad = false;
	}
	return bad || ++*items > OCKAM_VALUE_ITEMS ? JSON_C_VISIT_RETURN_ERROR
						   : JSON_C_VISIT_RETURN_CONTINUE;
}

int ockam_value_decode(const uint8_t *bytes, size_t len, struct json_object **value,
		       struct ockam_err *err)
{
	struct json_tokener *tokener;
	enum json_tokener_error why;
	unsigned int items = 0;
	int ret = 0;

	*value = NULL;
	tokener = len <= INT_MAX ? json_tokener_new_ex(OCKAM_VALUE_DEPTH + 1) : NULL;
	if (!tokener)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*value = json_tokener_parse_ex(tokener, (const char *)bytes, (int)len);
	why = json_tokener_get_error(tokener);
	if (why == json_tokener_error_depth)
		ret = ockam_err_set(err, -E2BIG, "The message is nested more than %d levels deep",
				    OCKAM_VALUE_DEPTH);
	else if (why != json_tokener_success || json_tokener_get_parse_end(tokener) != len ||
		 !json_object_is_type(*value, json_type_object))
		ret = ockam_err_set(err, -EBADMSG, "The message is not one JSON object");
	else if (json_c_visit(*value, 0, ockam_value_check, &items))
		ret = items > OCKAM_VALUE_ITEMS
			? ockam_err_set(err, -E2BIG, "The message has more than %d items",
					OCKAM_VALUE_ITEMS)
			: ockam_err_set(err, -EBADMSG,
					"The message holds a number or a text that this protocol has not");
	json_tokener_free(tokener);
	if (ret) {
		json_object_put(*value);
		*value = NULL;
	}
	return ret;
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
