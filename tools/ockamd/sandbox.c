// SPDX-License-Identifier: Apache-2.0
/*
 * The sandbox of processes that hold strangers' bytes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper.h"
#include "privilege.h"
#include "sandbox.h"

/* Bytes of address space; the address sanitizer takes terabytes of it. */
#ifdef __SANITIZE_ADDRESS__
#define OCKAMD_SANDBOX_MEMORY	RLIM_INFINITY
#else
#define OCKAMD_SANDBOX_MEMORY	(512ULL << 20)
#endif
#define OCKAMD_SANDBOX_FILES	16	/* descriptors; it has fewer and cannot open more */

/*
 * A root directory that holds nothing. The tree of the machine is detached, so
 * the process keeps no file system busy and no namespace pinned. Where the root
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

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return ockam_err_set(err, -errno, "Cannot give up privileges: %s", strerror(errno));
	ret = ockamd_privilege_hide_memory(err);
	if (ret)
		return ret;
	ret = ockamd_sandbox_empty_root();
	return ret ? ockam_err_set(err, ret, "Cannot leave the file system: %s",
				   strerror(-ret)) : 0;
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

int ockamd_sandbox_enter(struct ockam_err *err)
{
	int ret;

	close_range(0, OCKAMD_KEEPER_FD - 1, 0);
	ret = ockamd_privilege_leave_root(err);
	if (ret)
		return ret;
	if (ockamd_privilege_limit(RLIMIT_FSIZE, 0) || ockamd_privilege_limit(RLIMIT_NPROC, 0) ||
	    ockamd_privilege_limit(RLIMIT_AS, OCKAMD_SANDBOX_MEMORY) ||
	    ockamd_privilege_limit(RLIMIT_NOFILE, OCKAMD_SANDBOX_FILES))
		return ockam_err_set(err, -errno, "Cannot set limits: %s", strerror(errno));
	ret = ockamd_privilege_filter(ockamd_sandbox_calls,
				      sizeof(ockamd_sandbox_calls) / sizeof(int),
				      SCMP_ACT_KILL_PROCESS, NULL);
	return ret ? ockam_err_set(err, ret, "Cannot limit system calls: %s", strerror(-ret)) : 0;
}
