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
	const char	*netns;		/* existing network namespace */
	const char	*identity;
	const char	*authority;	/* change history in hexadecimal */
	const char	*credential_scope;
	bool		strict_identities;
	bool		exit_on_eof;
	bool		in_memory;
	bool		no_listener;
	bool		verbose;	/* a temporary one logs to standard error */
};

/**
 * ctl_spawn() - start a background node process and wait until it is up
 * @ctl: for the home and for reports; its store is closed
 * @spawn: what to start
 *
 * Return: CTL_EXIT_OK; CTL_EXIT_FAILURE (reported with the sentence of the node
 * process), then no process is left.
 */
int ctl_spawn(struct ctl *ctl, const struct ctl_spawn *spawn);

/**
 * ctl_spawn_temporary() - start a node process that lives as long as this one
 * @pid: receives its process id; to be waited for
 * @alive: receives a descriptor: the node ends when it is closed, by whatever
 *	closes it
 *
 * Return: as above.
 */
int ctl_spawn_temporary(struct ctl *ctl, const struct ctl_spawn *spawn, pid_t *pid, int *alive);

/**
 * ctl_spawn_become() - turn this process into a foreground node
 * @done: called in another process as soon as the node is up (@up) or has
 *	failed (reported); it reports what there is to report and cleans up
 * @arg: for @done
 *
 * Return: only with CTL_EXIT_FAILURE, reported.
 */
int ctl_spawn_become(struct ctl *ctl, const struct ctl_spawn *spawn,
		     void (*done)(struct ctl *ctl, void *arg, bool up), void *arg);

#endif /* OCKAM_CTL_SPAWN_H */
