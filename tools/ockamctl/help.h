/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help and usage texts, made from the command tables.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_HELP_H
#define OCKAM_CTL_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "args.h"

/** ctl_help_print() - help of the command that @args names, through a pager on a terminal */
void ctl_help_print(const struct ctl_args *args, bool is_long);
/** ctl_help_usage_line() - "Usage: ockam node create [OPTIONS] ..." */
void ctl_help_usage_line(FILE *f, const struct ctl_args *args);

#endif /* OCKAM_CTL_HELP_H */
