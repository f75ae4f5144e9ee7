// SPDX-License-Identifier: Apache-2.0
/*
 * Giving up privileges.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/mman.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "privilege.h"

int ockamd_privilege_limit(int resource, unsigned long long value)
{
	struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

	return setrlimit((__rlimit_resource_t)resource, &limit);
}

int ockamd_privilege_hide_memory(struct ockam_err *err)
{
	/* The leak check of the address sanitizer has to read its own process. */
#ifndef __SANITIZE_ADDRESS__
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return ockam_err_set(err, -errno, "Cannot keep keys out of core files: %s",
				     strerror(errno));
	if (ockamd_privilege_limit(RLIMIT_MEMLOCK, RLIM_INFINITY) ||
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		ockamd_debug("memory cannot be kept out of swap: %s", strerror(errno));
#endif
	if (ockamd_privilege_limit(RLIMIT_CORE, 0))
		return ockam_err_set(err, -errno, "Cannot keep keys out of core files: %s",
				     strerror(errno));
	return 0;
}

static bool ockamd_privilege_is_in(int cap, const int *caps, size_t n)
{
	size_t i;

	for (i = 0; i < n && caps[i] != cap; i++)
		;
	return i < n;
}

static int ockamd_privilege_bound(const int *caps, size_t n)
{
	int cap;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++) {
		/* Newer capabilities than the running kernel's are EINVAL. */
		if (!ockamd_privilege_is_in(cap, caps, n) &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return -errno;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return 0;
}

/* Of those that this process has. */
static int ockamd_privilege_hold(const int *caps, size_t n)
{
	cap_t set = cap_get_proc();
	int cap;
	int ret;

	if (!set)
		return -errno;
	ret = cap_clear_flag(set, CAP_INHERITABLE);
	for (cap = 0; !ret && cap <= CAP_LAST_CAP; cap++) {
		const cap_value_t value = cap;

		if (!ockamd_privilege_is_in(cap, caps, n) && CAP_IS_SUPPORTED(cap))
			ret = cap_set_flag(set, CAP_EFFECTIVE, 1, &value, CAP_CLEAR) ||
			      cap_set_flag(set, CAP_PERMITTED, 1, &value, CAP_CLEAR);
	}
	ret = ret || cap_set_proc(set) ? -errno : 0;
	cap_free(set);
	return ret;
}

int ockamd_privilege_keep(const int *caps, size_t n)
{
	int ret = ockamd_privilege_bound(caps, n);

	return ret ? ret : ockamd_privilege_hold(caps, n);
}

/* EINVAL: the user namespace has no such number. EPERM: it forbids setgroups(). */
static int ockamd_privilege_become_nobody(void)
{
	const gid_t group = OCKAMD_PRIVILEGE_NOBODY;
	const uid_t user = OCKAMD_PRIVILEGE_NOBODY;

	if (geteuid())
		return 0;
	if ((setgroups(0, NULL) && errno != EPERM) ||
	    (setresgid(group, group, group) && errno != EINVAL) ||
	    (setresuid(user, user, user) && errno != EINVAL))
		return -errno;
	return 0;
}

int ockamd_privilege_leave_root(struct ockam_err *err)
{
	int ret;

	ret = ockamd_privilege_bound(NULL, 0);
	if (!ret)
		ret = ockamd_privilege_become_nobody();
	if (!ret)
		ret = ockamd_privilege_hold(NULL, 0);
	/* Another user id makes a process dumpable again and takes the signal from it. */
	if (!ret && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL)))
		ret = -errno;
	return ret ? ockam_err_set(err, ret, "Cannot give up the privileges of root: %s",
				   strerror(-ret)) : 0;
}

int ockamd_privilege_filter(const int *calls, size_t n, uint32_t otherwise,
			    int (*adjust)(void *filter))
{
	/* Memory may be had, code may not. */
	const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	scmp_filter_ctx ctx;
	size_t i;
	int ret = 0;

	ctx = seccomp_init(otherwise);
	if (!ctx)
		return -ENOMEM;
	for (i = 0; i < n && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	if (!ret)
		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_exec);
	if (!ret)
		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_exec);
	if (!ret && adjust)
		ret = adjust(ctx);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	return ret;
}
