// SPDX-License-Identifier: Apache-2.0
/*
 * When the silent peer of a channel is asked whether it is there.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>

#include "liveness.h"
#include "value.h"

#define OCKAMD_LIVENESS_MAX	86400000	/* milliseconds; as the kernel has it */

int ockamd_liveness_read(struct json_object *args, struct ockam_nl_liveness *liveness,
			 struct ockam_err *err)
{
	int64_t ms = OCKAMD_LIVENESS_MS;

	if (args)
		ms = ockam_value_int(args, "liveness_ms", ms);
	if (ms && (ms < OCKAM_LIVENESS_MIN_MS || ms > OCKAMD_LIVENESS_MAX))
		return ockam_err_set(err, -EINVAL,
				     "The time of liveness is 0, or %d ms to a day",
				     OCKAM_LIVENESS_MIN_MS);
	liveness->set = true;
	liveness->ms = (uint32_t)ms;
	liveness->strict = args && ockam_value_bool(args, "liveness_strict", false);
	if (liveness->strict && !ms)
		return ockam_err_set(err, -EINVAL, "Strict liveness needs a time");
	return 0;
}

bool ockamd_liveness_given(struct json_object *args)
{
	return ockam_value_get(args, "liveness_ms") || ockam_value_get(args, "liveness_strict");
}

void ockamd_liveness_describe(const struct ockam_nl_liveness *liveness, struct json_object *map)
{
	ockam_value_put_int(map, "liveness_ms", liveness->ms);
	if (liveness->strict)
		ockam_value_put_bool(map, "liveness_strict", true);
}
