/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox of "node exec": a program that has the channels of a node and no
 * other network.
 *
 *  - the node's network namespace;
 *  - a mount namespace in which /run, and the other places where sockets of
 *    the host are, are empty;
 *  - a PID namespace with a /proc of its own: through that of other processes of
 *    the same user one would reach their root directory and their memory;
 *  - no capabilities, and no way to new privileges;
 *  - a filter of system calls: sockets of the family AF_OCKAM, and pairs of UNIX
 *    stream or seqpacket sockets, which reach nobody else.
 *
 * Files stay what they are: the program may read and write what its user may.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_CONFINE_H
#define OCKAM_CTL_CONFINE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "err.h"

/* Who the program runs as. */
struct ctl_confine_user {
	bool	given;		/* else as the caller does */
	char	name[64];	/* "": a number without a name, in no other group */
	uid_t	uid;
	gid_t	gid;
};

/**
 * ctl_confine_check() - has this process the capabilities for all that?
 *
 * Return: 0; -EPERM, and the sentence names those that are missing.
 */
int ctl_confine_check(const struct ctl_confine_user *user, struct ockam_err *err);

/**
 * ctl_confine_enter() - bring this process and its children to come into the sandbox
 * @netns: descriptor of the network namespace, or pidfd of a process in it; closed
 * @alive: receives a descriptor: while it is open the first process of the PID
 *	namespace is there; then it ends behind the last process that is left
 *
 * The working directory is found anew, so it is none that is hidden. Of the PID
 * namespace only children are.
 *
 * Return: 0 or a negative errno.
 */
int ctl_confine_enter(int netns, int *alive, struct ockam_err *err);

/**
 * ctl_confine_lock() - in such a child: give up all privileges, for ever
 * @core: limit of core files to have then
 *
 * Return: 0 or a negative errno.
 */
int ctl_confine_lock(const struct ctl_confine_user *user, const struct rlimit *core,
		     struct ockam_err *err);

/** ctl_confine_relax() - this process has made its child: it keeps the right to signal it alone */
void ctl_confine_relax(void);

#endif /* OCKAM_CTL_CONFINE_H */
