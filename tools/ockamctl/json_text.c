// SPDX-License-Identifier: Apache-2.0
/*
 * JSON text and jq filters, both by libjq: one printer for either.
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

static int ctl_json_flags(bool compact)
{
	return compact ? JV_PRINT_SORTED
		       : JV_PRINT_SORTED | JV_PRINT_PRETTY | JV_PRINT_INDENT_FLAGS(2);
}

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

/* Takes @value. */
static int ctl_json_print(FILE *f, jv value, bool compact)
{
	jv text = jv_dump_string(value, ctl_json_flags(compact));
	int ret = jv_is_valid(text) ? 0 : -ENOMEM;

	if (!ret)
		ctl_json_write(f, jv_string_value(text));
	jv_free(text);
	return ret;
}

static jv ctl_json_value(struct json_object *json)
{
	return jv_parse(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
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
	ret = ctl_json_print(f, ctl_json_value(json), compact);
	if (fclose(f))
		ret = -ENOMEM;
	if (ret) {
		free(*text);
		*text = NULL;
		return ockam_err_set(err, ret, "out of memory");
	}
	return 0;
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
		ret = ctl_json_print(f, value, compact);
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
