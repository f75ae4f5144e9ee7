/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dead node processes leave behind: pins of network namespaces, control
 * sockets, lock files.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_SWEEP_H
#define OCKAM_LIB_SWEEP_H

#include "life.h"

#define OCKAM_NETNS_DIR	"/run/netns"	/* pins, as of "ip netns" */

/**
 * ockam_sweep() - remove the left-overs of one home
 *
 * Nodes that live are told by their locks; only what a dead one has written down
 * as its own is removed. Call it before looking at nodes.
 *
 * Return: number of nodes cleaned up, or a negative errno.
 */
int ockam_sweep(const struct ockam_home *home, struct ockam_err *err);

/** ockam_sweep_node() - the same for one node; was there something to clean up? */
bool ockam_sweep_node(const struct ockam_home *home, const char *name);

/**
 * ockam_sweep_unpin() - remove a pin, unless it is another one's by now
 *
 * Return: 0, also when it is gone or not ours; a negative errno when it is and stays.
 */
int ockam_sweep_unpin(const struct ockam_pin *pin);

/** ockam_sweep_is_pinned() - is the pin of a namespace that lives there, as it was made? */
bool ockam_sweep_is_pinned(const struct ockam_pin *pin);

#endif /* OCKAM_LIB_SWEEP_H */
