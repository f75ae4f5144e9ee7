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
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "life.h"

#define CTL_NODE_END_TERM_MS	5000
#define CTL_NODE_END_KILL_MS	10000
#define CTL_NODE_END_PAUSE_MS	20

static int ctl_node_end_signal(int pidfd, const char *name, struct ockam_err *err)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	if (pidfd_send_signal(pidfd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		return ockam_err_set(err, -errno, "Cannot stop the process of node %s: %s", name,
				     strerror(errno));
	if (poll(&pfd, 1, CTL_NODE_END_TERM_MS) > 0)
		return 0;
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	if (poll(&pfd, 1, CTL_NODE_END_KILL_MS) <= 0)
		return ockam_err_set(err, -ETIMEDOUT, "The process of node %s does not end", name);
	return 0;
}

/* Its number means nothing here: it runs in a PID namespace that is not seen from this one. */
static int ctl_node_end_ask(const struct ockam_home *home, const char *name,
			    struct ockam_life *life, struct ockam_err *err)
{
	const struct timespec pause = { .tv_nsec = CTL_NODE_END_PAUSE_MS * 1000000 };
	struct ockam_control *control = NULL;
	struct ockam_err why = { };
	int ret, ms;

	ret = life->control[0] ? ockam_control_connect(life->control, &control, &why) : -ESRCH;
	if (!ret)
		ret = ockam_control_call(control, "node.stop", NULL, CTL_NODE_END_TERM_MS, NULL,
					 &why);
	ockam_control_close(control);
	for (ms = 0; !ret && ms < CTL_NODE_END_KILL_MS; ms += CTL_NODE_END_PAUSE_MS) {
		ockam_life_look(home, name, life);
		if (life->state != OCKAM_PROCESS_RUNNING)
			return 0;
		nanosleep(&pause, NULL);
	}
	return ockam_err_set(err, ret ?: -ETIMEDOUT,
			     "The node %s runs in a PID namespace that is not seen from here, and does not stop when asked to%s%s: stop it there",
			     name, why.text[0] ? ": " : "", why.text);
}

int ctl_node_end(const struct ockam_home *home, const char *name, struct ockam_err *err)
{
	struct ockam_life life;
	int pidfd, ret;

	ockam_life_look(home, name, &life);
	if (life.state != OCKAM_PROCESS_RUNNING)
		return 0;
	pidfd = ockam_life_open(home, name);
	if (pidfd < 0) {
		ockam_life_look(home, name, &life);
		return life.state == OCKAM_PROCESS_RUNNING ?
			ctl_node_end_ask(home, name, &life, err) : 0;
	}
	ret = ctl_node_end_signal(pidfd, name, err);
	close(pidfd);
	return ret;
}
