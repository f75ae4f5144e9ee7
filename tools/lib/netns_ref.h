/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an existing network namespace is named: by a path, as /run/netns/NAME of
 * "ip netns", or by a process that is in it.
 *
 * A path is looked at anew by each start of a node. The number of a process is
 * looked at once: what is kept says when that process began and in which boot of
 * the machine, so a later start finds the same process or none.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_NETNS_REF_H
#define OCKAM_LIB_NETNS_REF_H

#include "err.h"
#include "home.h"

#define OCKAM_NETNS_REF	1024	/* bytes of such a name, the end included */

/**
 * ockam_netns_ref_open() - the namespace that is meant
 * @ref: PATH, PID, or what was kept: PID:START:BOOT. /proc/PID/ns/net is PID; process
 *	1 is there in every boot, so it is kept as a path
 * @kept: receives the name for later, an absolute path or PID:START:BOOT
 * @err: the reason
 *
 * Return: descriptor; -ENOENT, -ESRCH when there is nothing of that name any more;
 * -EINVAL when it is no network namespace; another negative errno.
 */
int ockam_netns_ref_open(const char *ref, char kept[OCKAM_NETNS_REF], struct ockam_err *err);

/** ockam_netns_ref_text() - what is kept as people know it: the path, or "process PID" */
void ockam_netns_ref_text(const char *kept, char text[OCKAM_NETNS_REF]);

/**
 * ockam_netns_ref_who() - which node has the namespace
 * @home: nodes of this home are looked at first
 * @self: but not the one of this name
 * @netns: descriptor of the namespace
 * @name: receives "the node n1", or "a node of another home, ockam-0123-n1 in
 *	/run/netns"; "" when none is found
 */
void ockam_netns_ref_who(const struct ockam_home *home, const char *self, int netns,
			 char name[OCKAM_NETNS_REF]);

#endif /* OCKAM_LIB_NETNS_REF_H */
