/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying a command again (cli 1.8).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_RETRY_H
#define OCKAM_CTL_RETRY_H

#include "ctl.h"

/** ctl_retry_check_count() - check of --retry-count */
int ctl_retry_check_count(const char *value, struct ockam_err *why);

/**
 * ctl_retry() - run a command, again if it could not reach what it wanted
 * @args: with the flags --retry-count, --retry-delay and --no-retry
 * @once: one attempt; has reported its failure
 * @arg: for @once
 *
 * Return: exit code of the last attempt, whose error alone is reported as
 * such.
 */
int ctl_retry(struct ctl *ctl, const struct ctl_args *args,
	      int (*once)(struct ctl *ctl, const struct ctl_args *args, void *arg), void *arg);

#endif /* OCKAM_CTL_RETRY_H */
