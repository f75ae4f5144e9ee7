// SPDX-License-Identifier: Apache-2.0
/*
 * Ending the process of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "node_end.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CTL_NODE_END_TERM_MS	5000
#define CTL_NODE_END_KILL_MS	10000

int ctl_node_end(const struct ockam_node_record *node, struct ockam_err *err)
{
	struct pollfd pfd = { .events = POLLIN };
	int ret = 0;

	if (!node->pid)
		return 0;
	/* The descriptor first: then the check speaks of the same process. */
	pfd.fd = pidfd_open(node->pid, 0);
	if (pfd.fd < 0)
		return 0;
	if (ockam_node_state(node) != OCKAM_PROCESS_RUNNING)
		goto out;
	if (pidfd_send_signal(pfd.fd, SIGTERM, NULL, 0) < 0 && errno != ESRCH) {
		ret = ockam_err_set(err, -errno, "Cannot stop the process %d of node %s: %s",
				    (int)node->pid, node->name, strerror(errno));
		goto out;
	}
	if (poll(&pfd, 1, CTL_NODE_END_TERM_MS) > 0)
		goto out;
	pidfd_send_signal(pfd.fd, SIGKILL, NULL, 0);
	if (poll(&pfd, 1, CTL_NODE_END_KILL_MS) <= 0)
		ret = ockam_err_set(err, -ETIMEDOUT, "The process %d of node %s does not end",
				    (int)node->pid, node->name);
out:
	close(pfd.fd);
	return ret;
}
