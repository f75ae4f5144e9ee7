/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who wants to know that an address of the node has gone: sockets that are
 * connected through it, channels and exchanges whose route begins with it.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_WATCH_H
#define OCKAM_WATCH_H

#include <linux/list.h>
#include <linux/types.h>

struct ockam_endpoint;
struct ockam_hop;
struct ockam_net;

/*
 * A watch, embedded in its watcher.
 *
 * Refs:   none, in neither direction, so there is no cycle: an endpoint that is
 *         hidden lets go of all its watches before it can be freed, and the
 *         watcher stops its watch before it is.
 * Locks:  on->address_lock guards ->list and the lists of endpoints, so a watch
 *         ends, and ->tell runs, either before or after ockam_watch_stop().
 */
struct ockam_watch {
	struct list_head list;		/* empty: it watches nothing */
	struct ockam_net *on;
	/*
	 * @gone: the address is there no more, and the watch has ended. Else the
	 * endpoint is there, but has no way on itself; the watch goes on. Any
	 * context, under on->address_lock: set a flag, wake somebody, queue a
	 * work, and nothing else.
	 */
	void (*tell)(struct ockam_watch *w, bool gone);
};

void ockam_watch_init(struct ockam_watch *w, struct ockam_net *on,
		      void (*tell)(struct ockam_watch *w, bool gone));
/*
 * Watch the address @hop instead of what was watched before, if it still belongs
 * to the endpoint *@id; with OCKAM_ENDPOINT_ANY whatever has it now is meant from
 * now on, and *@id says what that is. 0; -ENETUNREACH: it is there and is watched,
 * but has no way on itself; -EHOSTUNREACH: it is not there, or is another's,
 * and nothing is watched.
 */
int ockam_watch_start(struct ockam_watch *w, const struct ockam_hop *hop,
		      u64 *id);
/* Afterwards ->tell does not run and will not. Idempotent. */
void ockam_watch_stop(struct ockam_watch *w);

/*
 * Tell all who watch @ep, which the caller holds: it has been hidden, or else
 * has just become stranded. Process context, no locks.
 */
void ockam_watch_tell(struct ockam_endpoint *ep);

#endif /* OCKAM_WATCH_H */
