/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter of system calls of the sandbox.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_CONFINE_FILTER_H
#define OCKAM_CTL_CONFINE_FILTER_H

/**
 * ctl_confine_filter() - filter the system calls of this thread, for ever
 *
 * It has no_new_privs set. Return: 0 or a negative errno.
 */
int ctl_confine_filter(void);

#endif /* OCKAM_CTL_CONFINE_FILTER_H */
