// SPDX-License-Identifier: Apache-2.0
/*
 * Channels without a way to their peer.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "node.h"

struct ockamd_orphan_hop {
	int64_t			gone;	/* ockamd_loop_now() */
	struct ockam_nl_name	name;
};

/* One walk over all channels: which of them begin with one of these hops. */
struct ockamd_orphan_walk {
	const struct ockamd_orphan_hop	*hops;	/* sorted by name */
	size_t				n_hops;
	struct ockam_nl_name		*found;	/* encryptors */
	size_t				n_found;
	size_t				room;
};

static int ockamd_orphan_compare(const void *a, const void *b)
{
	const struct ockamd_orphan_hop *x = a;
	const struct ockamd_orphan_hop *y = b;

	if (x->name.len != y->name.len)
		return x->name.len < y->name.len ? -1 : 1;
	return memcmp(x->name.bytes, y->name.bytes, x->name.len);
}

static int ockamd_orphan_visit(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_orphan_walk *walk = arg;
	struct ockamd_orphan_hop first;
	struct ockam_nl_name *found;

	/* A packed hop: type, length, name. */
	if (channel->route.len < 2 || channel->route.data[0] != OCKAM_ADDR_LOCAL ||
	    channel->route.len - 2 < channel->route.data[1])
		return 0;
	first.name.len = channel->route.data[1];
	memcpy(first.name.bytes, channel->route.data + 2, first.name.len);
	if (!bsearch(&first, walk->hops, walk->n_hops, sizeof(first), ockamd_orphan_compare))
		return 0;
	if (walk->n_found == walk->room) {
		walk->room = walk->room ? 2 * walk->room : 64;
		found = realloc(walk->found, walk->room * sizeof(*found));
		if (!found)
			return -ENOMEM;
		walk->found = found;
	}
	walk->found[walk->n_found++] = channel->encryptor;
	return 0;
}

/* End the channels behind the first @n hops, and forget those hops. */
static void ockamd_orphan_sweep(struct ockamd_orphans *orphans, size_t n)
{
	struct ockamd_orphan_walk walk = { .hops = orphans->hops, .n_hops = n };
	struct ockam_nl *nl = orphans->node->nl;
	struct ockam_err err;
	size_t i;

	qsort(orphans->hops, n, sizeof(*orphans->hops), ockamd_orphan_compare);
	if (ockam_nl_channel_dump(nl, ockamd_orphan_visit, &walk, &err) < 0)
		ockamd_warn("cannot look for channels that lost their link: %s", err.text);
	for (i = 0; i < walk.n_found; i++)
		ockam_nl_channel_del(nl, walk.found[i].bytes, walk.found[i].len, NULL);
	if (walk.n_found)
		ockamd_info("ended %zu channels that had lost their link", walk.n_found);
	free(walk.found);
	orphans->n_hops -= n;
	memmove(orphans->hops, orphans->hops + n, orphans->n_hops * sizeof(*orphans->hops));
}

static void ockamd_orphan_due(struct ockamd_timer *timer)
{
	struct ockamd_orphans *orphans = (struct ockamd_orphans *)
		((char *)timer - offsetof(struct ockamd_orphans, timer));
	int64_t limit = ockamd_loop_now() - OCKAMD_ORPHAN_GRACE_MS;
	size_t n = 0;

	while (n < orphans->n_hops && orphans->hops[n].gone <= limit)
		n++;
	if (n)
		ockamd_orphan_sweep(orphans, n);
	if (orphans->n_hops)
		ockamd_loop_arm(&orphans->node->loop, timer, orphans->hops[0].gone - limit);
}

void ockamd_orphan_note(struct ockamd_node *node, const struct ockam_nl_name *name)
{
	struct ockamd_orphans *orphans = &node->orphans;
	struct ockamd_orphan_hop *hops;
	size_t room;

	orphans->node = node;
	orphans->timer.fn = ockamd_orphan_due;
	if (orphans->n_hops == OCKAMD_ORPHAN_MAX)
		ockamd_orphan_sweep(orphans, OCKAMD_ORPHAN_MAX / 2);
	if (orphans->n_hops == orphans->room) {
		room = orphans->room ? 2 * orphans->room : 64;
		hops = realloc(orphans->hops, room * sizeof(*hops));
		if (!hops)
			return;
		orphans->hops = hops;
		orphans->room = room;
	}
	hops = &orphans->hops[orphans->n_hops++];
	hops->gone = ockamd_loop_now();
	hops->name = *name;
	if (!orphans->timer.armed)
		ockamd_loop_arm(&node->loop, &orphans->timer, OCKAMD_ORPHAN_GRACE_MS);
}
