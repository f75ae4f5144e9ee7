/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels that have lost the first hop of their way to the peer. An
 * initiator may come back over another link and move its channel there
 * (wire-protocol 6.5), so they are given some time before they are ended;
 * without an end, every client that disconnects would leave one behind.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_ORPHAN_H
#define OCKAMD_ORPHAN_H

#include "loop.h"
#include "nl.h"

#define OCKAMD_ORPHAN_GRACE_MS	30000
#define OCKAMD_ORPHAN_MAX	65536	/* addresses remembered; more shorten the grace */

struct ockamd_node;
struct ockamd_orphan_hop;

/* hops: addresses that have gone, oldest first. timer runs while there are any. */
struct ockamd_orphans {
	struct ockamd_node		*node;
	struct ockamd_timer		timer;
	struct ockamd_orphan_hop	*hops;
	size_t				n_hops;
	size_t				room;
};

/** ockamd_orphan_note() - the link or encryptor @name has gone */
void ockamd_orphan_note(struct ockamd_node *node, const struct ockam_nl_name *name);

#endif /* OCKAMD_ORPHAN_H */
