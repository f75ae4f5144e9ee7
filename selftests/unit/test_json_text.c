// SPDX-License-Identifier: Apache-2.0
/*
 * JSON as ockamctl prints it: order, layout, numbers of 64 bits, characters that
 * would steer a terminal.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>

#include "../../tools/ockamctl/json_text.c"
#include "tap.h"

static void test_json_print(const char *in, bool compact, const char *want)
{
	struct json_object *value = json_tokener_parse(in);
	struct ockam_err err;
	char *text;

	ok_ret(ctl_json_text(value, compact, &text, &err), 0, err, "%s is printed", in);
	ok_text(text ? text : "", want, compact ? "on one line" : "in lines");
	free(text);
	json_object_put(value);
}

static void test_json_filter(const char *in, const char *filter, const char *want)
{
	struct json_object *value = json_tokener_parse(in);
	struct ockam_err err;
	char *text;

	ok_ret(ctl_json_filter(value, filter, true, &text, &err), 0, err, "%s is filtered", in);
	ok_text(text ? text : "", want, filter);
	free(text);
	json_object_put(value);
}

int main(void)
{
	test_json_print("[]", false, "[]");
	test_json_print("{}", false, "{}");
	test_json_print("null", false, "null");
	test_json_print("{\"b\":[],\"a\":{\"d\":{},\"c\":[1,true]}}", false,
			"{\n  \"a\": {\n    \"c\": [\n      1,\n      true\n    ],\n    \"d\": {}\n  },\n  \"b\": []\n}");
	test_json_print("{\"b\":[1,null],\"a\":\"x/y\"}", true, "{\"a\":\"x/y\",\"b\":[1,null]}");
	/* Above 2^53 a floating point number has gaps. */
	test_json_print("[9007199254740993,18446744073709551615,-9223372036854775808]", true,
			"[9007199254740993,18446744073709551615,-9223372036854775808]");
	test_json_print("{\"a\\u009b\":\"\\u001b[1m\\u007f\\u202e\\ud83d\\ude00\"}", true,
			"{\"a\\u009b\":\"\\u001b[1m\\u007f\\u202e\360\237\230\200\"}");
	test_json_filter("{\"a\":[1,2]}", ".a[]", "1\n2");
	return tap_done();
}
