/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dead node processes leave behind: pins of network namespaces, control
 * sockets, rows that still name a process.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_SWEEP_H
#define OCKAM_LIB_SWEEP_H

#include "store.h"

#define OCKAM_NETNS_DIR	"/run/netns"	/* pins, as of "ip netns" */

/**
 * ockam_sweep() - remove the left-overs of one home
 * @home: the home
 * @store: its open store; NULL when it has none (then only sockets that nobody
 *	listens on and their pins are removed)
 * @err: the reason
 *
 * Living processes are told by process id and start time; a node that is
 * starting is left alone. Call it before looking at nodes.
 *
 * Return: number of nodes cleaned up, or a negative errno.
 */
int ockam_sweep(const struct ockam_home *home, struct ockam_store *store, struct ockam_err *err);

/** ockam_sweep_unpin() - remove the pin @name under OCKAM_NETNS_DIR; absent is no error */
void ockam_sweep_unpin(const char *name);

#endif /* OCKAM_LIB_SWEEP_H */
