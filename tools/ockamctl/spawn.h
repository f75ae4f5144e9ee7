/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting node processes (cli 4.3): in a session of their own, with nothing
 * inherited, ready when this returns.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_SPAWN_H
#define OCKAM_CTL_SPAWN_H

#include <sys/types.h>

#include "ctl.h"

/* How to start ockamd. Strings are borrowed; NULL leaves a thing out. */
struct ctl_spawn {
	const char	*name;
	const char	*listener;	/* "host:port" */
	const char	*identity;
	const char	*control;	/* path of the control socket */
	bool		foreground;	/* stay in the session, keep 0, 1 and 2 */
	bool		exit_on_eof;
	bool		in_memory;
	bool		no_listener;
};

/**
 * ctl_spawn() - start a node process and wait until it is up
 * @ctl: for the home and for reports
 * @spawn: what to start
 * @pid: receives its process id; a foreground process is to be waited for
 *
 * Return: CTL_EXIT_OK; CTL_EXIT_FAILURE (reported with the sentence of the node
 * process), then no process is left.
 */
int ctl_spawn(struct ctl *ctl, const struct ctl_spawn *spawn, pid_t *pid);

#endif /* OCKAM_CTL_SPAWN_H */
