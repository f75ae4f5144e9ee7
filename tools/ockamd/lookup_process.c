// SPDX-License-Identifier: Apache-2.0
/*
 * The process of one look-up. Name services are libraries of the system's choice,
 * so it may open files and talk to networks as anybody may, and nothing else: what
 * they try besides fails.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper.h"
#include "lookup.h"
#include "privilege.h"
#include "workerpipe.h"

#define OCKAMD_LOOKUP_PIPE	OCKAMD_KEEPER_FD

/* Also when the node process is gone: no look-up is for ever. */
#define OCKAMD_LOOKUP_SECONDS	900

static const int ockamd_lookup_calls[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(ioctl), SCMP_SYS(dup),
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(shutdown),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(rseq), SCMP_SYS(set_robust_list),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getgroups),
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int ockamd_lookup_confine(struct ockam_err *err)
{
	int ret;

	prctl(PR_SET_NAME, "ockamd-lookup");
	close_range(OCKAMD_LOOKUP_PIPE + 1, ~0U, 0);
	alarm(OCKAMD_LOOKUP_SECONDS);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return ockam_err_set(err, -errno, "no_new_privs: %s", strerror(errno));
	ret = ockamd_privilege_leave_root(err);
	if (ret)
		return ret;
	if (ockamd_privilege_limit(RLIMIT_CORE, 0) || ockamd_privilege_limit(RLIMIT_FSIZE, 0) ||
	    ockamd_privilege_limit(RLIMIT_NPROC, 0))
		return ockam_err_set(err, -errno, "limits: %s", strerror(errno));
	ret = ockamd_privilege_filter(ockamd_lookup_calls,
				      sizeof(ockamd_lookup_calls) / sizeof(int),
				      SCMP_ACT_ERRNO(ENOSYS), NULL);
	return ret ? ockam_err_set(err, ret, "system calls: %s", strerror(-ret)) : 0;
}

static void ockamd_lookup_put(const struct addrinfo *found, struct ockam_buf *packet)
{
	const struct addrinfo *ai;
	size_t n = 0;

	for (ai = found; ai && n < OCKAMD_LOOKUP_ADDRESSES; ai = ai->ai_next)
		n += ai->ai_family == AF_INET || ai->ai_family == AF_INET6;
	ockamd_pipe_begin(packet, OCKAMD_PIPE_FOUND, 1);
	ockam_buf_put_array(packet, n);
	for (ai = found; n; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		ockam_buf_put_bytes(packet, ai->ai_addr, ai->ai_addrlen);
		n--;
	}
}

int ockamd_lookup_run(const char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct ockam_buf packet = { 0 };
	struct ockam_err err;
	int ret;

	ret = ockamd_lookup_confine(&err);
	if (!ret) {
		ret = getaddrinfo(host, NULL, &hints, &found);
		if (ret)
			ockam_err_set(&err, ret == EAI_SYSTEM ? -errno : -EHOSTUNREACH, "%s",
				      ret == EAI_SYSTEM ? strerror(errno) : gai_strerror(ret));
	}
	if (ret) {
		ockamd_pipe_begin(&packet, OCKAMD_PIPE_FAILED, 2);
		ockam_buf_put_uint(&packet, (uint64_t)-err.code);
		ockam_buf_put_text(&packet, err.text);
	} else {
		ockamd_lookup_put(found, &packet);
	}
	ret = ockamd_pipe_send(OCKAMD_LOOKUP_PIPE, &packet, 0);
	_exit(ret ? 1 : 0);
}
