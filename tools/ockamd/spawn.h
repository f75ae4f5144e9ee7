/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake worker as the node process sees it: started, listened to,
 * started again when it dies.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_SPAWN_H
#define OCKAMD_SPAWN_H

#include <sys/types.h>

#include "err.h"
#include "loop.h"

struct ockamd_node;

/* pipe.fd -1: no worker now. */
struct ockamd_spawn {
	struct ockamd_node	*node;
	struct ockamd_watch	pipe;
	struct ockamd_watch	process;	/* pidfd: readable when it has ended */
	struct ockamd_timer	again;
	pid_t			pid;
	int64_t			started;	/* ockamd_loop_now() */
	int64_t			delay;		/* milliseconds before the next start */
	bool			ready;
	struct ockam_err	failure;	/* what the worker said before it ended */
};

/**
 * ockamd_spawn_start() - start the worker and wait until it is bound
 *
 * The calling thread must be in the node's namespace. Later deaths are
 * handled in the loop: the worker is started again, with a growing delay when
 * it dies young.
 *
 * Return: 0; -ETIMEDOUT; the worker's own errno.
 */
int ockamd_spawn_start(struct ockamd_node *node, struct ockam_err *err);

/** ockamd_spawn_renew() - end a worker that takes no packets: the next one is given all of them */
void ockamd_spawn_renew(struct ockamd_node *node);

/** ockamd_spawn_drain() - handle what the worker has said already */
void ockamd_spawn_drain(struct ockamd_node *node);

/** ockamd_spawn_stop() - end it for good */
void ockamd_spawn_stop(struct ockamd_node *node);

#endif /* OCKAMD_SPAWN_H */
