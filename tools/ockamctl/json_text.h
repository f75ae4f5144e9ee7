/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as scripts get it: keys sorted, two-space indent, one space after the
 * colon; or one line without spaces (cli 1.2). And jq filters (cli 1.3). Control
 * and format characters are escaped, so it may be shown on a terminal.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_JSON_TEXT_H
#define OCKAM_CTL_JSON_TEXT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "err.h"

/**
 * ctl_json_text() - a value as text
 * @json: borrowed; NULL is null
 * @compact: one line
 * @text: receives text to free, without a newline at the end
 * @err: the reason
 *
 * Return: 0 or -ENOMEM.
 */
int ctl_json_text(struct json_object *json, bool compact, char **text, struct ockam_err *err);

/**
 * ctl_json_filter() - what a jq filter makes of a value
 * @filter: jq program
 *
 * Every output is JSON text, strings keep their quotes; newlines between.
 *
 * Return: 0 (@text may be empty); -EINVAL for a filter that does not compile
 * or fails on this value; -ENOMEM.
 */
int ctl_json_filter(struct json_object *json, const char *filter, bool compact, char **text,
		    struct ockam_err *err);

/** ctl_json_filter_check() - does a jq filter compile? 0 or -EINVAL */
int ctl_json_filter_check(const char *filter, struct ockam_err *err);

#endif /* OCKAM_CTL_JSON_TEXT_H */
