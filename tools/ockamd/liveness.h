/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the silent peer of a channel is asked whether it is there.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LIVENESS_H
#define OCKAMD_LIVENESS_H

#include <json-c/json.h>

#include "nl.h"

#define OCKAMD_LIVENESS_MS	30000	/* unless the request says otherwise */

/**
 * ockamd_liveness_read() - members "liveness_ms" and "liveness_strict" of a request
 * @args: map; NULL: nothing is given
 * @liveness: receives them, or the default; ->set is true
 * @err: the reason
 *
 * Return: 0 or -EINVAL.
 */
int ockamd_liveness_read(struct json_object *args, struct ockam_nl_liveness *liveness,
			 struct ockam_err *err);

/** ockamd_liveness_given() - does the request say anything about it */
bool ockamd_liveness_given(struct json_object *args);

/** ockamd_liveness_describe() - the same members for an answer */
void ockamd_liveness_describe(const struct ockam_nl_liveness *liveness, struct json_object *map);

#endif /* OCKAMD_LIVENESS_H */
