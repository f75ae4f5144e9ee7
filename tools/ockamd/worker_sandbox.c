// SPDX-License-Identifier: Apache-2.0
/*
 * What the worker gives up. It holds one netlink port and one pipe; whoever
 * takes it over can answer handshakes and ask for peers, and nothing else: no
 * file, no new socket, no new process, no capability.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "worker.h"

/* Bytes of address space; the address sanitizer takes terabytes of it. */
#ifdef __SANITIZE_ADDRESS__
#define OCKAMD_SANDBOX_MEMORY	RLIM_INFINITY
#else
#define OCKAMD_SANDBOX_MEMORY	(512ULL << 20)
#endif
#define OCKAMD_SANDBOX_FILES	16	/* descriptors; it has fewer and cannot open more */

static int ockamd_sandbox_limit(int resource, rlim_t value)
{
	struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

	return setrlimit((__rlimit_resource_t)resource, &limit);
}

/*
 * A root directory that holds nothing. The tree of the machine is detached, so
 * the worker keeps no file system busy and no namespace pinned. Where the root
 * cannot be moved (an initial RAM disk) it is at least left by chroot().
 */
static int ockamd_sandbox_empty_root(void)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) ||
	    mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4k,mode=0500") ||
	    chdir("/proc"))
		return -errno;
	if (!syscall(SYS_pivot_root, ".", ".")) {
		if (umount2(".", MNT_DETACH))
			return -errno;
	} else if (chroot(".")) {
		return -errno;
	}
	if (chdir("/"))
		return -errno;
	mount("none", "/", NULL,
	      MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return 0;
}

int ockamd_sandbox_prepare(struct ockam_err *err)
{
	int ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    ockamd_sandbox_limit(RLIMIT_CORE, 0))
		return ockam_err_set(err, -errno, "The worker cannot give up privileges: %s",
				     strerror(errno));
	/* Keys shall not be written to swap; all that comes later counts as well. */
	ockamd_sandbox_limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		ockamd_debug("memory cannot be locked: %s", strerror(errno));
	ret = ockamd_sandbox_empty_root();
	if (ret)
		return ockam_err_set(err, ret, "The worker cannot leave the file system: %s",
				     strerror(-ret));
	return 0;
}

static int ockamd_sandbox_drop_capabilities(void)
{
	cap_t none;
	int cap;
	int ret;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++) {
		/* Newer capabilities than the running kernel's are EINVAL. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return -errno;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	none = cap_init();
	if (!none)
		return -ENOMEM;
	ret = cap_set_proc(none) ? -errno : 0;
	cap_free(none);
	return ret;
}

/* Allowed whatever the arguments are: they work on what is open already. */
static const int ockamd_sandbox_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int ockamd_sandbox_filter(void)
{
	/* Memory may be had, code may not. */
	const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	scmp_filter_ctx ctx;
	size_t i;
	int ret = 0;

	ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!ctx)
		return -ENOMEM;
	for (i = 0; i < sizeof(ockamd_sandbox_calls) / sizeof(ockamd_sandbox_calls[0]) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, ockamd_sandbox_calls[i], 0);
	if (!ret)
		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_exec);
	if (!ret)
		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_exec);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	return ret;
}

int ockamd_sandbox_enter(struct ockam_err *err)
{
	int ret;

	close_range(0, OCKAMD_WORKER_PIPE - 1, 0);
	ret = ockamd_sandbox_drop_capabilities();
	if (ret)
		return ockam_err_set(err, ret, "The worker cannot give up capabilities: %s",
				     strerror(-ret));
	if (ockamd_sandbox_limit(RLIMIT_FSIZE, 0) || ockamd_sandbox_limit(RLIMIT_NPROC, 0) ||
	    ockamd_sandbox_limit(RLIMIT_AS, OCKAMD_SANDBOX_MEMORY) ||
	    ockamd_sandbox_limit(RLIMIT_NOFILE, OCKAMD_SANDBOX_FILES))
		return ockam_err_set(err, -errno, "The worker cannot limit itself: %s",
				     strerror(errno));
	ret = ockamd_sandbox_filter();
	if (ret)
		return ockam_err_set(err, ret, "The worker cannot limit its system calls: %s",
				     strerror(-ret));
	return 0;
}
