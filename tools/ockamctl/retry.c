// SPDX-License-Identifier: Apache-2.0
/*
 * Attempts and the time between them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "retry.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CTL_RETRY_DELAY_MS	5000	/* with a count and no delay */
#define CTL_RETRY_COUNT		2	/* with a delay and no count: three attempts */

int ctl_retry_check_count(const char *value, struct ockam_err *why)
{
	if (*value && !value[strspn(value, "0123456789")] && strlen(value) <= 6)
		return 0;
	return ockam_err_set(why, -EINVAL, "expected a number up to 999999");
}

/* Would it make sense to try again? */
static bool ctl_retry_may_pass(int code)
{
	switch (code) {
	case -ETIMEDOUT:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
		return true;
	default:
		return false;
	}
}

static void ctl_retry_sleep(int ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) < 0)
		;
}

int ctl_retry(struct ctl *ctl, const struct ctl_args *args,
	      int (*once)(struct ctl *ctl, const struct ctl_args *args, void *arg), void *arg)
{
	const char *count = ctl_arg(args, "retry-count");
	int delay_ms = CTL_RETRY_DELAY_MS;
	long left = 0;
	int ret;

	if (!ctl_arg_switch(args, "no-retry")) {
		if (ctl_arg(args, "retry-delay")) {
			delay_ms = ctl_arg_ms(args, "retry-delay");
			left = CTL_RETRY_COUNT;
		}
		if (count)
			left = strtol(count, NULL, 10);
	}
	ctl_output_hold(&ctl->out);
	while ((ret = once(ctl, args, arg)) == CTL_EXIT_FAILURE && left-- > 0 &&
	       ctl_retry_may_pass(ctl->out.held_code)) {
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "Command failed with error:\n%s",
				ctl->out.held ? ctl->out.held : "");
		ctl_output_note(&ctl->out, CTL_MARK_NONE, "Will retry in %g seconds",
				delay_ms / 1000.0);
		ctl_output_drop(&ctl->out);
		ctl_retry_sleep(delay_ms);
	}
	ctl_output_release(&ctl->out);
	return ret;
}
