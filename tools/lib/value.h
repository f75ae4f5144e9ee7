/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of the control protocol: json-c objects in memory, JSON text (RFC 8259)
 * between processes. Binary travels as lower-case hexadecimal text.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_VALUE_H
#define OCKAM_LIB_VALUE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define OCKAM_VALUE_DEPTH	16	/* containers inside each other */
#define OCKAM_VALUE_ITEMS	65536	/* items of one value, all levels together */

/**
 * ockam_value_encode() - append a value as JSON text
 * @value: maps, arrays, text, 64-bit integers, booleans and NULL (null)
 * @out: the text is appended, without a zero byte
 * @err: the reason
 *
 * Return: 0; -ENOMEM.
 */
int ockam_value_encode(struct json_object *value, struct ockam_buf *out, struct ockam_err *err);

/**
 * ockam_value_decode() - the reverse, for bytes of another process
 * @bytes: exactly one JSON object
 * @len: its length in bytes
 * @value: receives a reference that the caller puts
 * @err: the reason
 *
 * Text must be UTF-8 without a zero byte, numbers integers that int64_t holds.
 * Of members with the same key the last one counts.
 *
 * Return: 0; -EBADMSG; -E2BIG above a limit; -ENOMEM.
 */
int ockam_value_decode(const uint8_t *bytes, size_t len, struct json_object **value,
		       struct ockam_err *err);

/**
 * ockam_value_get() - member of a map
 *
 * Return: borrowed; NULL when @map is no map, has no such member, or it is null.
 */
struct json_object *ockam_value_get(struct json_object *map, const char *key);

/** ockam_value_text() - member as text, borrowed; NULL when absent or of another type */
const char *ockam_value_text(struct json_object *map, const char *key);

/** ockam_value_int() - member as integer; @otherwise when absent or of another type */
int64_t ockam_value_int(struct json_object *map, const char *key, int64_t otherwise);

/** ockam_value_bool() - member as boolean; @otherwise when absent or of another type */
bool ockam_value_bool(struct json_object *map, const char *key, bool otherwise);

/** ockam_value_array() - member as array, borrowed; NULL when absent or of another type */
struct json_object *ockam_value_array(struct json_object *map, const char *key);

/*
 * Members for a map under construction. A NULL @text puts null. Running out
 * of memory is reported by -ENOMEM; a builder may add the results up.
 */
int ockam_value_put(struct json_object *map, const char *key, struct json_object *owned);
int ockam_value_put_text(struct json_object *map, const char *key, const char *text);
int ockam_value_put_int(struct json_object *map, const char *key, int64_t value);
int ockam_value_put_bool(struct json_object *map, const char *key, bool value);
int ockam_value_put_hex(struct json_object *map, const char *key, const void *bytes, size_t len);

/**
 * ockam_value_bytes() - member that is hexadecimal text, as bytes
 * @map: the map
 * @key: the member
 * @out: bytes are appended
 * @err: the reason, naming @key
 *
 * Return: 0; -ENOENT when absent; -EINVAL when it is no hexadecimal text;
 * -ENOMEM.
 */
int ockam_value_bytes(struct json_object *map, const char *key, struct ockam_buf *out,
		      struct ockam_err *err);

#endif /* OCKAM_LIB_VALUE_H */
