/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading selftests/vectors/ with json-c. A missing file or member ends the
 * program with "Bail out!": a test without its data must not pass.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_UNIT_VECTORS_H
#define OCKAM_UNIT_VECTORS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "buf.h"
#include "hex.h"

/* $OCKAM_VECTORS, else beside this header's directory. */
__attribute__((unused))
static struct json_object *vectors_load(const char *name)
{
	const char *from = getenv("OCKAM_VECTORS");
	struct json_object *root;
	char path[4096];

	if (from) {
		snprintf(path, sizeof(path), "%s/%s", from, name);
	} else {
		const char *slash = strrchr(__FILE__, '/');

		snprintf(path, sizeof(path), "%.*s/../vectors/%s",
			 slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".", name);
	}
	root = json_object_from_file(path);
	if (!root) {
		printf("Bail out! cannot read %s\n", path);
		exit(1);
	}
	return root;
}

__attribute__((unused))
static struct json_object *vectors_get(struct json_object *from, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(from, key, &value)) {
		printf("Bail out! the vectors have no member %s\n", key);
		exit(1);
	}
	return value;
}

__attribute__((unused))
static const char *vectors_text(struct json_object *from, const char *key)
{
	return json_object_get_string(vectors_get(from, key));
}

/* Hex text into a buffer that the caller frees. */
__attribute__((unused))
static struct ockam_buf vectors_unhex(const char *text)
{
	struct ockam_buf buf = { 0 };
	size_t size = strlen(text) / 2;
	uint8_t *bytes = malloc(size + 1);
	size_t len = 0;

	if (!bytes || ockam_hex_decode(text, strlen(text), bytes, size, &len, NULL)) {
		printf("Bail out! no hexadecimal text: %.60s\n", text);
		exit(1);
	}
	ockam_buf_put(&buf, bytes, len);
	free(bytes);
	return buf;
}

__attribute__((unused))
static struct ockam_buf vectors_bytes(struct json_object *from, const char *key)
{
	return vectors_unhex(vectors_text(from, key));
}

/* Exactly 32 bytes. */
__attribute__((unused))
static void vectors_key(struct json_object *from, const char *key, uint8_t out[32])
{
	struct ockam_buf buf = vectors_bytes(from, key);

	if (buf.len != 32) {
		printf("Bail out! %s has %zu bytes\n", key, buf.len);
		exit(1);
	}
	memcpy(out, buf.data, 32);
	ockam_buf_free(&buf);
}

#endif /* OCKAM_UNIT_VECTORS_H */
