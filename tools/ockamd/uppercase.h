/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service uppercase, answered by a process of its own.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_UPPERCASE_H
#define OCKAMD_UPPERCASE_H

#include <sys/types.h>

#include "err.h"
#include "loop.h"

struct ockamd_node;

/* Either socket is in the loop, or the process lives (pid above 0), or again runs. */
struct ockamd_uppercase {
	struct ockamd_watch	socket;
	struct ockamd_watch	process;	/* pidfd */
	struct ockamd_timer	again;
	struct ockamd_node	*node;
	pid_t			pid;
};

/** ockamd_uppercase_start() - serve the bound socket @fd, taken over; 0 or a negative errno */
int ockamd_uppercase_start(struct ockamd_node *node, int fd, struct ockam_err *err);

/** ockamd_uppercase_stop() - at the end of the node */
void ockamd_uppercase_stop(struct ockamd_node *node);

/** ockamd_uppercase_run() - the process; returns its exit status */
int ockamd_uppercase_run(void);

#endif /* OCKAMD_UPPERCASE_H */
