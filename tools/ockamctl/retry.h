/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying a command again (cli 1.8).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_RETRY_H
#define OCKAM_CTL_RETRY_H

#include "ctl.h"

/* Entries for the flag table of a command that can be tried again. */
#define CTL_RETRY_FLAGS \
	{ .name = "retry-count", .alias = "retry", .kind = CTL_FLAG_VALUE, \
	  .placeholder = "<RETRY_COUNT>", .env = "OCKAM_COMMAND_RETRY_COUNT", \
	  .check = ctl_retry_check_count, \
	  .help = "How often to try again when a node is not reached or does not answer" }, \
	{ .name = "retry-delay", .kind = CTL_FLAG_VALUE, .placeholder = "<RETRY_DELAY>", \
	  .env = "OCKAM_COMMAND_RETRY_DELAY", .check = ctl_check_duration, \
	  .help = "Time between two attempts" }, \
	{ .name = "no-retry", .help = "Do not try again, whatever the variables say" }

/** ctl_retry_check_count() - check of --retry-count */
int ctl_retry_check_count(const char *value, struct ockam_err *why);

/**
 * ctl_retry() - run a command, again if it could not reach what it wanted
 * @once: one attempt; has reported its failure
 * @arg: for @once
 *
 * Return: exit code of the last attempt, whose error alone is reported as
 * such.
 */
int ctl_retry(struct ctl *ctl, const struct ctl_args *args,
	      int (*once)(struct ctl *ctl, const struct ctl_args *args, void *arg), void *arg);

#endif /* OCKAM_CTL_RETRY_H */
