/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What processes give up: capabilities, the user id, system calls, memory that
 * can be written to swap or to a core file.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_PRIVILEGE_H
#define OCKAMD_PRIVILEGE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * User and group of the processes that hold what strangers send: nobody and
 * nogroup, the numbers that the kernel itself uses for nobody.
 */
#define OCKAMD_PRIVILEGE_NOBODY	65534

/**
 * ockamd_privilege_hide_memory() - no core file, no debugger of the same user, no swap
 *
 * Pages are locked when they are touched, so that what is never used costs
 * nothing. Where the limit of locked memory cannot be lifted none is locked: a
 * process that runs into it would be without memory.
 */
int ockamd_privilege_hide_memory(struct ockam_err *err);

/** ockamd_privilege_keep() - keep only these capabilities, now and behind every exec; 0 or errno */
int ockamd_privilege_keep(const int *caps, size_t n);

/**
 * ockamd_privilege_leave_root() - become nobody, without a capability
 *
 * Only when it is root. In a user namespace that has no such user it stays
 * root there, without a capability as well. Dies with its parent.
 */
int ockamd_privilege_leave_root(struct ockam_err *err);

/**
 * ockamd_privilege_filter() - allow these system calls, and memory that is no code
 * @calls: numbers as SCMP_SYS() gives them
 * @n: how many
 * @otherwise: SCMP_ACT_* for all others
 * @adjust: adds rules to the filter; may be NULL
 *
 * Return: 0 or a negative errno.
 */
int ockamd_privilege_filter(const int *calls, size_t n, uint32_t otherwise,
			    int (*adjust)(void *filter));

/** ockamd_privilege_limit() - setrlimit() to the same soft and hard value; 0 or -1 with errno */
int ockamd_privilege_limit(int resource, unsigned long long value);

/** ockamd_privilege_node() - what a node process keeps when it is up; all threads are filtered */
int ockamd_privilege_node(struct ockam_err *err);

/** ockamd_privilege_thread() - for each other thread of it, first of all; 0 or a negative errno */
int ockamd_privilege_thread(void);

#endif /* OCKAMD_PRIVILEGE_H */
