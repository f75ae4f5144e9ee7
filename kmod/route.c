// SPDX-License-Identifier: GPL-2.0
/*
 * One hop of routing, iterated (wire-protocol section 1.5).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "netns.h"
#include "route.h"
#include "trace.h"

void ockam_dispatch_init(struct ockam_dispatch *d)
{
	INIT_LIST_HEAD(&d->queue);
	d->gate = NULL;
	d->budget = OCKAM_DISPATCH_BUDGET;
}

void ockam_dispatch_fini(struct ockam_dispatch *d)
{
	WARN_ON_ONCE(!list_empty(&d->queue));
	if (d->gate && d->gate->owner)
		ockam_endpoint_put(d->gate->owner);
	d->gate = NULL;
}

void ockam_dispatch_note_gate(struct ockam_dispatch *d, struct ockam_gate *gate)
{
	/* The first full queue is enough: whoever waits for it looks again. */
	if (d->gate)
		return;
	if (gate->owner)
		ockam_endpoint_get(gate->owner);
	d->gate = gate;
}

void ockam_drop(struct ockam_net *on, enum ockam_mib reason,
		struct ockam_message *msg)
{
	ockam_mib_inc(on, reason);
	trace_ockam_drop(on, reason, msg);
	ockam_message_free(msg);
}

/* Deliver one message by its first onward hop. Takes ownership. */
static int ockam_route_step(struct ockam_net *on, struct ockam_message *msg,
			    const struct ockam_origin *from,
			    struct ockam_dispatch *d)
{
	struct ockam_endpoint *ep;
	struct ockam_hop hop;
	int err;

	if (!ockam_route_first(&msg->onward, &hop)) {
		ockam_drop(on, OCKAM_DROP_NO_ROUTE, msg);
		return -EHOSTUNREACH;
	}
	if (hop.type != OCKAM_ADDR_LOCAL) {
		ockam_drop(on, OCKAM_DROP_NOT_LOCAL, msg);
		return -EHOSTUNREACH;
	}
	ep = ockam_endpoint_lookup(on, hop.name, hop.len);
	if (ep && !ockam_endpoint_is(ep, msg->to)) {
		/* The name is another's now. */
		ockam_endpoint_put(ep);
		ep = NULL;
	}
	if (!ep) {
		ockam_drop(on, OCKAM_DROP_NO_ADDRESS, msg);
		return -EHOSTUNREACH;
	}
	if (!ockam_endpoint_reachable(ep, from)) {
		ockam_endpoint_put(ep);
		ockam_drop(on, OCKAM_DROP_DENIED, msg);
		return -EACCES;
	}
	if (!d->budget) {
		ockam_endpoint_put(ep);
		ockam_drop(on, OCKAM_DROP_BUDGET, msg);
		return -ELOOP;
	}
	d->budget--;
	/* What comes out of it goes where that says. */
	msg->to = OCKAM_ENDPOINT_ANY;

	trace_ockam_deliver(ep, msg);
	err = ep->ops->deliver(ep, msg, d);
	ockam_endpoint_put(ep);
	return err;
}

int ockam_route_dispatch(struct ockam_net *on, struct ockam_message *msg,
			 const struct ockam_origin *from,
			 struct ockam_dispatch *d)
{
	int err;

	might_sleep();
	d->budget = OCKAM_DISPATCH_BUDGET;
	err = ockam_route_step(on, msg, from, d);
	ockam_route_run(on, d);
	return err;
}

int ockam_route_run(struct ockam_net *on, struct ockam_dispatch *d)
{
	struct ockam_message *msg;
	struct ockam_endpoint *ep;
	int err, ret = 0;

	while (!list_empty(&d->queue)) {
		msg = list_first_entry(&d->queue, struct ockam_message, list);
		list_del_init(&msg->list);
		/* The producer stays until its message has been delivered. */
		ep = msg->from;
		msg->from = NULL;
		err = ockam_route_step(on, msg, ep->origin, d);
		ret = ret ?: err;
		if (ep->ops->forwarded)
			ep->ops->forwarded(ep);
		ockam_endpoint_put(ep);
	}
	return ret;
}

void ockam_route_forward(struct ockam_dispatch *d, struct ockam_endpoint *ep,
			 struct ockam_message *msg)
{
	msg->from = ockam_endpoint_get(ep);
	list_add_tail(&msg->list, &d->queue);
}
