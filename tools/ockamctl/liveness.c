// SPDX-License-Identifier: Apache-2.0
/*
 * Options about silent peers of channels.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "liveness.h"

#include <errno.h>

#include "value.h"

#define CTL_LIVENESS_MIN	100		/* milliseconds; as the kernel wants it */
#define CTL_LIVENESS_MAX	86400000

int ctl_check_liveness(const char *value, struct ockam_err *why)
{
	int64_t ms = ctl_duration_ms(value);

	if (!ms || (ms >= CTL_LIVENESS_MIN && ms <= CTL_LIVENESS_MAX))
		return 0;
	return ockam_err_set(why, -EINVAL, "expected 0, or a time from 100ms to 1d");
}

bool ctl_liveness_given(const struct ctl_args *args)
{
	return ctl_arg(args, "liveness") || ctl_arg_switch(args, "liveness-strict");
}

void ctl_liveness_put(const struct ctl_args *args, struct json_object *request)
{
	const char *value = ctl_arg(args, "liveness");

	if (value)
		ockam_value_put_int(request, "liveness_ms", ctl_duration_ms(value));
	if (ctl_arg_switch(args, "liveness-strict"))
		ockam_value_put_bool(request, "liveness_strict", true);
}
