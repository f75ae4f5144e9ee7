// SPDX-License-Identifier: Apache-2.0
/*
 * The filter of system calls of the sandbox. Everything is allowed but what would
 * reach beyond the node's channels. Programs look at which error a socket gives,
 * so a family that there is not is refused as a kernel without it would.
 *
 * Calls of another architecture, as i386 and x32 are on x86-64, end the process:
 * their numbers are others, and one of them makes sockets with arguments in memory.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include "confine_filter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ockam.h>

#define CTL_FILTER_TYPE		0xf	/* of a socket, without its flags */
#define CTL_FILTER_INT		0xffffffff	/* what the kernel looks at of an int */

/* Where clone() has its flags. */
#ifdef __s390__
#define CTL_FILTER_CLONE(...)	SCMP_A1(__VA_ARGS__)
#else
#define CTL_FILTER_CLONE(...)	SCMP_A0(__VA_ARGS__)
#endif

static const struct {
	int	call;
	int	error;
} ctl_filter_calls[] = {
	/* It makes sockets and connects without a call that is filtered. */
	{ SCMP_SYS(io_uring_setup), ENOSYS },
	{ SCMP_SYS(io_uring_enter), ENOSYS },
	{ SCMP_SYS(io_uring_register), ENOSYS },
	/* All socket calls in one, with arguments in memory. */
	{ SCMP_SYS(socketcall), ENOSYS },
	/* The flags are in memory. Libraries use clone() then. */
	{ SCMP_SYS(clone3), ENOSYS },
	{ SCMP_SYS(setns), EPERM },
};

static int ctl_filter_sockets(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp foreign = SCMP_A0(SCMP_CMP_NE, AF_OCKAM);
	const struct scmp_arg_cmp no_pair = SCMP_A0(SCMP_CMP_NE, AF_UNIX);
	int ret, type;

	ret = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				     &foreign);
	if (!ret)
		ret = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT),
					     SCMP_SYS(socketpair), 1, &no_pair);
	/* One of datagram sockets can be connected to, and send to, any UNIX socket. */
	for (type = 0; !ret && type <= CTL_FILTER_TYPE; type++) {
		const struct scmp_arg_cmp of_type =
			SCMP_A1(SCMP_CMP_MASKED_EQ, CTL_FILTER_TYPE, (scmp_datum_t)type);

		if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
			ret = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT),
						     SCMP_SYS(socketpair), 1, &of_type);
	}
	return ret;
}

/* In a user namespace of its own a process has all capabilities again. */
static int ctl_filter_namespaces(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp unshare =
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);
	const struct scmp_arg_cmp clone =
		CTL_FILTER_CLONE(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);
	int ret;

	ret = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
				     &unshare);
	return ret ? ret : seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone),
						  1, &clone);
}

/* What is pushed into the terminal's input is read by whoever has it next: the caller's shell. */
static int ctl_filter_terminal(scmp_filter_ctx filter)
{
	static const unsigned int pushing[] = { TIOCSTI, TIOCLINUX };
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < sizeof(pushing) / sizeof(pushing[0]); i++) {
		const struct scmp_arg_cmp of_kind =
			SCMP_A1(SCMP_CMP_MASKED_EQ, CTL_FILTER_INT, pushing[i]);

		ret = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
					     &of_kind);
	}
	return ret;
}

int ctl_confine_filter(void)
{
	scmp_filter_ctx filter;
	int ret;
	size_t i;

	filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter)
		return -ENOMEM;
	ret = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!ret)
		ret = ctl_filter_sockets(filter);
	if (!ret)
		ret = ctl_filter_namespaces(filter);
	if (!ret)
		ret = ctl_filter_terminal(filter);
	for (i = 0; !ret && i < sizeof(ctl_filter_calls) / sizeof(ctl_filter_calls[0]); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)ctl_filter_calls[i].error),
				       ctl_filter_calls[i].call, 0);
	if (!ret)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}
