// SPDX-License-Identifier: Apache-2.0
/*
 * What a node process keeps when it is up. It stays root by its user id, because
 * its home is root's; it cannot become another program, mount, trace, enter a
 * namespace, configure a network, or make a socket outside of its own one. The
 * keeper does the little that needs more.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/ockam.h>

#include "privilege.h"

static const int ockamd_privilege_caps[] = {
	CAP_NET_BIND_SERVICE,	/* tcp-listener create at a port below 1024 */
	CAP_DAC_READ_SEARCH,	/* a home or a vault below a directory of another user */
	CAP_KILL,		/* its worker and look-ups are nobody's */
};

#ifndef __SANITIZE_ADDRESS__
static const int ockamd_privilege_calls[] = {
	/* what is open */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(dup), SCMP_SYS(dup2),
	SCMP_SYS(dup3), SCMP_SYS(fcntl), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
	SCMP_SYS(timerfd_settime), SCMP_SYS(eventfd2), SCMP_SYS(epoll_create1),
	/* sockets; socket() itself below */
	SCMP_SYS(socketpair), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(connect),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	/* the home: database, vaults, logs */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fchmod), SCMP_SYS(fchown),
	SCMP_SYS(umask), SCMP_SYS(utimensat),
	/* its children */
	SCMP_SYS(pidfd_open), SCMP_SYS(kill), SCMP_SYS(wait4), SCMP_SYS(waitid),
	/* memory, time, itself */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(getrlimit), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Calls that a node never makes and whoever takes it over would: they end it. */
static const int ockamd_privilege_fatal[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(setuid),
	SCMP_SYS(setresuid), SCMP_SYS(capset),
};

static int ockamd_privilege_adjust(void *filter)
{
	const struct scmp_arg_cmp own = SCMP_A0(SCMP_CMP_EQ, AF_OCKAM);
	size_t i;
	int ret;

	ret = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* All others are made by the keeper. */
	if (!ret)
		ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
					     &own);
	for (i = 0; !ret && i < sizeof(ockamd_privilege_fatal) / sizeof(int); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, ockamd_privilege_fatal[i], 0);
	return ret;
}
#endif

int ockamd_privilege_thread(void)
{
	return ockamd_privilege_keep(ockamd_privilege_caps,
				     sizeof(ockamd_privilege_caps) / sizeof(int));
}

int ockamd_privilege_node(struct ockam_err *err)
{
	const char *what = "capabilities";
	int ret;

	ret = ockamd_privilege_thread();
	if (!ret && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		ret = -errno;
#ifndef __SANITIZE_ADDRESS__
	if (!ret) {
		what = "system calls";
		ret = ockamd_privilege_filter(ockamd_privilege_calls,
					      sizeof(ockamd_privilege_calls) / sizeof(int),
					      SCMP_ACT_ERRNO(ENOSYS), ockamd_privilege_adjust);
	}
#endif
	return ret ? ockam_err_set(err, ret, "Cannot give up %s: %s", what, strerror(-ret)) : 0;
}
