// SPDX-License-Identifier: Apache-2.0
/*
 * Packets of the control protocol: a value that decodes is encoded to one that
 * decodes to the same; a request that parses has what the server needs.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "control.h"
#include "fuzz.h"

static void try_value(const uint8_t *data, size_t size)
{
	struct json_object *value, *again;
	struct ockam_buf out = { 0 };
	struct ockam_err err;
	int ret;

	ret = ockam_value_decode(data, size, &value, &err);
	if (ret) {
		fuzz_must(!value && (ret == -EBADMSG || ret == -E2BIG));
		fuzz_must(err.code == ret && err.text[0]);
		return;
	}
	fuzz_must(!ockam_value_encode(value, &out, &err) && !out.failed);
	/* What a letter may need: \u001f. */
	fuzz_must(out.len <= 6 * size);
	fuzz_must(!ockam_value_decode(out.data, out.len, &again, &err));
	fuzz_must(json_object_equal(value, again));
	json_object_put(again);
	again = NULL;
	/* One object and nothing else. */
	fuzz_must(ockam_value_decode(out.data, out.len - 1, &again, &err));
	ockam_buf_free(&out);
	json_object_put(value);
}

static void try_request(const uint8_t *data, size_t size)
{
	struct ockam_control_request request;
	struct ockam_err err;
	int ret;

	ret = ockam_control_parse(data, size, &request, &err);
	fuzz_must(!ret || ret == -EPROTONOSUPPORT || ret == -EBADMSG);
	if (ret) {
		fuzz_must(!request.args && err.text[0]);
		return;
	}
	fuzz_must(json_object_is_type(request.args, json_type_object));
	fuzz_must(strnlen(request.op, sizeof(request.op)) < sizeof(request.op));
	ockam_control_request_free(&request);
}

/* Members are looked at by name and type, whatever they are. */
static void try_members(const uint8_t *data, size_t size)
{
	static const char * const keys[] = { "v", "id", "op", "args", "route", "authorized" };
	struct ockam_buf bytes = { 0 };
	struct json_object *map;

	if (ockam_value_decode(data, size, &map, NULL))
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *text = ockam_value_text(map, keys[i]);

		fuzz_must(!text || ockam_value_get(map, keys[i]));
		ockam_value_int(map, keys[i], 0);
		ockam_value_bool(map, keys[i], false);
		ockam_value_array(map, keys[i]);
		if (!ockam_value_bytes(map, keys[i], &bytes, NULL))
			fuzz_must(text && strlen(text) == 2 * bytes.len);
		ockam_buf_free(&bytes);
	}
	json_object_put(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_exact(data, size);

	try_value(copy, size);
	try_request(copy, size);
	try_members(copy, size);
	free(copy);
	return 0;
}
