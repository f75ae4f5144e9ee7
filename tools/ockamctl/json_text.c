// SPDX-License-Identifier: Apache-2.0
/*
 * JSON text, and jq filters by libjq. libjq takes every number for a floating
 * point one, so what is not filtered does not pass through it.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "json_text.h"

#include <jq.h>
#include <jv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

/* Nothing that would steer a terminal or not be seen; libjq escapes those below a blank. */
static bool ctl_json_is_hidden(ucs4_t c)
{
	return c >= 0x7f && uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc |
							       UC_CATEGORY_MASK_Cf |
							       UC_CATEGORY_MASK_Zl |
							       UC_CATEGORY_MASK_Zp);
}

/* JSON text; such characters can only stand in its strings. */
static void ctl_json_write(FILE *f, const char *json)
{
	const uint8_t *p = (const uint8_t *)json;
	size_t left = strlen(json);

	while (left) {
		ucs4_t c;
		int n = u8_mbtouc(&c, p, left);

		if (ctl_json_is_hidden(c) && c > 0xffff)
			fprintf(f, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
		else if (ctl_json_is_hidden(c))
			fprintf(f, "\\u%04x", c);
		else
			fwrite(p, 1, (size_t)n, f);
		p += n;
		left -= (size_t)n;
	}
}

static void ctl_json_scalar(FILE *f, struct json_object *json)
{
	ctl_json_write(f, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* A key is quoted as a text is. */
static int ctl_json_key(FILE *f, const char *key)
{
	struct json_object *text = json_object_new_string(key);

	if (!text)
		return -ENOMEM;
	ctl_json_scalar(f, text);
	json_object_put(text);
	return 0;
}

static int ctl_json_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of @map in order, to free; they are the map's. */
static const char **ctl_json_keys(struct json_object *map, size_t n)
{
	const char **keys = malloc((n + 1) * sizeof(*keys));
	size_t i = 0;

	if (!keys)
		return NULL;
	json_object_object_foreach(map, key, member) {
		(void)member;
		keys[i++] = key;
	}
	qsort(keys, n, sizeof(*keys), ctl_json_compare);
	return keys;
}

/* As jq prints it, keys in order. @level: of indentation, negative for one line. */
static int ctl_json_print(FILE *f, struct json_object *json, int level)
{
	bool is_map = json_object_is_type(json, json_type_object);
	const char **keys = NULL;
	struct json_object *item;
	size_t i, n;
	int ret = 0;

	if (!is_map && !json_object_is_type(json, json_type_array)) {
		ctl_json_scalar(f, json);
		return 0;
	}
	n = is_map ? (size_t)json_object_object_length(json) : json_object_array_length(json);
	keys = is_map ? ctl_json_keys(json, n) : NULL;
	if (is_map && !keys)
		return -ENOMEM;
	fputc(is_map ? '{' : '[', f);
	for (i = 0; i < n && !ret; i++) {
		if (i)
			fputc(',', f);
		if (level >= 0)
			fprintf(f, "\n%*s", 2 * level + 2, "");
		if (is_map) {
			ret = ctl_json_key(f, keys[i]);
			fputs(level < 0 ? ":" : ": ", f);
			item = json_object_object_get(json, keys[i]);
		} else {
			item = json_object_array_get_idx(json, i);
		}
		if (!ret)
			ret = ctl_json_print(f, item, level < 0 ? level : level + 1);
	}
	if (n && level >= 0)
		fprintf(f, "\n%*s", 2 * level, "");
	fputc(is_map ? '}' : ']', f);
	free(keys);
	return ret;
}

int ctl_json_text(struct json_object *json, bool compact, char **text, struct ockam_err *err)
{
	size_t size = 0;
	FILE *f;
	int ret;

	*text = NULL;
	f = open_memstream(text, &size);
	if (!f)
		return ockam_err_set(err, -ENOMEM, "out of memory");
	ret = ctl_json_print(f, json, compact ? -1 : 0);
	if (fclose(f))
		ret = -ENOMEM;
	if (ret) {
		free(*text);
		*text = NULL;
		return ockam_err_set(err, ret, "out of memory");
	}
	return 0;
}

static jv ctl_json_value(struct json_object *json)
{
	return jv_parse(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
}

/* What a filter gives. Takes @value. */
static int ctl_json_print_jv(FILE *f, jv value, bool compact)
{
	jv text = jv_dump_string(value, compact ? JV_PRINT_SORTED
						: JV_PRINT_SORTED | JV_PRINT_PRETTY |
						  JV_PRINT_INDENT_FLAGS(2));
	int ret = jv_is_valid(text) ? 0 : -ENOMEM;

	if (!ret)
		ctl_json_write(f, jv_string_value(text));
	jv_free(text);
	return ret;
}

/* jq reports a filter that does not compile here; keep the first report. */
static void ctl_json_jq_error(void *arg, jv message)
{
	struct ockam_err *err = arg;
	const char *text = jv_get_kind(message) == JV_KIND_STRING ? jv_string_value(message)
								  : "unknown error";

	if (err && !err->code)
		ockam_err_set(err, -EINVAL, "invalid jq filter: %.*s", (int)strcspn(text, "\n"),
			      text);
	jv_free(message);
}

/* All outputs of a compiled filter. Takes @input. */
static int ctl_json_run(jq_state *jq, jv input, bool compact, FILE *f, struct ockam_err *err)
{
	bool first = true;
	int ret = 0;
	jv value;

	jq_start(jq, input, 0);
	while (jv_is_valid(value = jq_next(jq)) && !ret) {
		if (!first)
			fputc('\n', f);
		first = false;
		ret = ctl_json_print_jv(f, value, compact);
		if (ret)
			ockam_err_set(err, ret, "out of memory");
		value = jv_invalid();
	}
	if (!ret && jv_invalid_has_msg(jv_copy(value))) {
		jv message = jv_invalid_get_msg(jv_copy(value));

		ret = ockam_err_set(err, -EINVAL, "the jq filter failed: %s",
				    jv_get_kind(message) == JV_KIND_STRING
					    ? jv_string_value(message)
					    : "it raised an error");
		jv_free(message);
	}
	jv_free(value);
	return ret;
}

int ctl_json_filter_check(const char *filter, struct ockam_err *err)
{
	jq_state *jq = jq_init();
	struct ockam_err why = { };
	int ret = 0;

	if (!jq)
		return ockam_err_set(err, -ENOMEM, "out of memory");
	jq_set_error_cb(jq, ctl_json_jq_error, &why);
	if (!jq_compile(jq, filter))
		ret = ockam_err_set(err, -EINVAL, "%s",
				    why.code ? why.text : "invalid jq filter");
	jq_teardown(&jq);
	return ret;
}

int ctl_json_filter(struct json_object *json, const char *filter, bool compact, char **text,
		    struct ockam_err *err)
{
	jq_state *jq = jq_init();
	struct ockam_err why = { };
	size_t size = 0;
	int ret;
	FILE *f;

	*text = NULL;
	f = jq ? open_memstream(text, &size) : NULL;
	if (!f) {
		jq_teardown(&jq);
		return ockam_err_set(err, -ENOMEM, "out of memory");
	}
	jq_set_error_cb(jq, ctl_json_jq_error, &why);
	if (jq_compile(jq, filter))
		ret = ctl_json_run(jq, ctl_json_value(json), compact, f, err);
	else
		ret = ockam_err_set(err, -EINVAL, "%s",
				    why.code ? why.text : "invalid jq filter");
	jq_teardown(&jq);
	if (fclose(f) && !ret)
		ret = ockam_err_set(err, -ENOMEM, "out of memory");
	if (ret) {
		free(*text);
		*text = NULL;
	}
	return ret;
}
