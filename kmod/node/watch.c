// SPDX-License-Identifier: GPL-2.0
/*
 * Who wants to know that an address of the node has gone.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "endpoint.h"
#include "netns.h"
#include "watch.h"

void ockam_watch_init(struct ockam_watch *w, struct ockam_net *on,
		      void (*tell)(struct ockam_watch *w, bool gone))
{
	INIT_LIST_HEAD(&w->list);
	w->on = on;
	w->tell = tell;
}

int ockam_watch_start(struct ockam_watch *w, const struct ockam_hop *hop,
		      u64 *id)
{
	struct ockam_endpoint *ep = NULL;
	int err = -EHOSTUNREACH;

	if (hop->type == OCKAM_ADDR_LOCAL)
		ep = ockam_endpoint_lookup(w->on, hop->name, hop->len);
	spin_lock_bh(&w->on->address_lock);
	list_del_init(&w->list);
	if (ep && ep->added && ockam_endpoint_is(ep, *id)) {
		list_add_tail(&w->list, &ep->watchers);
		*id = ep->id;
		err = READ_ONCE(ep->stranded) ? -ENETUNREACH : 0;
	}
	spin_unlock_bh(&w->on->address_lock);
	if (ep)
		ockam_endpoint_put(ep);
	return err;
}

void ockam_watch_stop(struct ockam_watch *w)
{
	spin_lock_bh(&w->on->address_lock);
	list_del_init(&w->list);
	spin_unlock_bh(&w->on->address_lock);
}

/*
 * One at a time, so that nobody waits long for the lock. The rest is on a list
 * that ockam_watch_stop() takes a watch off like off any other.
 */
void ockam_watch_tell(struct ockam_endpoint *ep)
{
	struct ockam_net *on = ep->on;
	struct ockam_watch *w;
	LIST_HEAD(left);
	bool gone;

	spin_lock_bh(&on->address_lock);
	list_splice_init(&ep->watchers, &left);
	while (!list_empty(&left)) {
		w = list_first_entry(&left, struct ockam_watch, list);
		gone = !ep->added;
		if (gone)
			list_del_init(&w->list);
		else
			list_move_tail(&w->list, &ep->watchers);
		w->tell(w, gone);
		spin_unlock_bh(&on->address_lock);
		/* Here others get their turn. */
		spin_lock_bh(&on->address_lock);
	}
	spin_unlock_bh(&on->address_lock);
}
