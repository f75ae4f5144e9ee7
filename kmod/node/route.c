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
	d->next = NULL;
	d->from = NULL;
	d->to = NULL;
	d->gate = NULL;
	d->budget = OCKAM_DISPATCH_BUDGET;
	d->atomic = false;
	d->batch = false;
	d->late = NULL;
}

void ockam_dispatch_flush(struct ockam_dispatch *d)
{
	struct ockam_endpoint *ep = d->late;

	if (!ep)
		return;
	d->late = NULL;
	ep->ops->flush(ep);
	ockam_endpoint_put(ep);
}

void ockam_dispatch_note_late(struct ockam_dispatch *d,
			      struct ockam_endpoint *ep)
{
	if (d->late == ep)
		return;
	ockam_dispatch_flush(d);
	d->late = ockam_endpoint_get(ep);
}

void ockam_dispatch_forget_gate(struct ockam_dispatch *d)
{
	if (d->gate && d->gate->owner)
		ockam_endpoint_put(d->gate->owner);
	d->gate = NULL;
}

void ockam_dispatch_fini(struct ockam_dispatch *d)
{
	WARN_ON_ONCE(d->next);
	ockam_dispatch_flush(d);
	ockam_dispatch_forget_gate(d);
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
		struct sk_buff *skb)
{
	ockam_mib_inc(on, reason);
	trace_ockam_drop(on, reason, skb);
	ockam_message_free(skb);
}

/* NULL with *@why, a reason to drop. */
static struct ockam_endpoint *
ockam_route_lookup(struct ockam_net *on, const struct ockam_hop *hop, u64 to,
		   const struct ockam_origin *from, enum ockam_mib *why)
{
	struct ockam_endpoint *ep;

	*why = OCKAM_DROP_NOT_LOCAL;
	if (hop->type != OCKAM_ADDR_LOCAL)
		return NULL;
	*why = OCKAM_DROP_NO_ADDRESS;
	ep = ockam_endpoint_lookup(on, hop->name, hop->len);
	if (!ep)
		return NULL;
	/* The name may be another's now. */
	if (likely(ockam_endpoint_is(ep, to))) {
		*why = OCKAM_DROP_DENIED;
		if (likely(ockam_endpoint_reachable(ep, from)))
			return ep;
	}
	ockam_endpoint_put(ep);
	return NULL;
}

static int ockam_route_errno(enum ockam_mib why)
{
	return why == OCKAM_DROP_DENIED ? -EACCES : -EHOSTUNREACH;
}

struct ockam_endpoint *ockam_route_find(struct ockam_net *on,
					const struct ockam_hop *hop, u64 to,
					const struct ockam_origin *from)
{
	struct ockam_endpoint *ep;
	enum ockam_mib why;

	ep = ockam_route_lookup(on, hop, to, from, &why);
	return ep ?: ERR_PTR(ockam_route_errno(why));
}

bool ockam_route_full(struct ockam_endpoint *ep, struct ockam_dispatch *d)
{
	if (!ep->ops->full || !d->budget)
		return false;
	d->budget--;
	return ep->ops->full(ep, d);
}

int ockam_route_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
			struct ockam_dispatch *d)
{
	/* The packet of a taken nonce must leave, whatever is left. */
	if (d->budget)
		d->budget--;
	/* What comes out of it goes where that says. */
	ockam_cb(skb)->to = OCKAM_ENDPOINT_ANY;
	trace_ockam_deliver(ep, skb);
	return ep->ops->deliver(ep, skb, d);
}

/* Deliver one message to @ep, if there is budget for it. Takes ownership. */
static int ockam_route_step_to(struct ockam_endpoint *ep, struct sk_buff *skb,
			       struct ockam_dispatch *d)
{
	if (!d->budget) {
		ockam_drop(ep->on, OCKAM_DROP_BUDGET, skb);
		return -ELOOP;
	}
	return ockam_route_deliver(ep, skb, d);
}

/* Deliver one message by its first onward hop. Takes ownership. */
static int ockam_route_step(struct ockam_net *on, struct sk_buff *skb,
			    const struct ockam_origin *from,
			    struct ockam_dispatch *d)
{
	struct ockam_endpoint *ep;
	struct ockam_hop hop;
	enum ockam_mib why;
	int err;

	if (!ockam_message_first(skb, &hop)) {
		ockam_drop(on, OCKAM_DROP_NO_ROUTE, skb);
		return -EHOSTUNREACH;
	}
	ep = ockam_route_lookup(on, &hop, ockam_cb(skb)->to, from, &why);
	if (!ep) {
		ockam_drop(on, why, skb);
		return ockam_route_errno(why);
	}
	err = ockam_route_step_to(ep, skb, d);
	ockam_endpoint_put(ep);
	return err;
}

int ockam_route_dispatch(struct ockam_net *on, struct sk_buff *skb,
			 const struct ockam_origin *from,
			 struct ockam_dispatch *d)
{
	int err;

	might_sleep();
	d->budget = OCKAM_DISPATCH_BUDGET;
	err = ockam_route_step(on, skb, from, d);
	ockam_route_run(on, d);
	return err;
}

int ockam_route_dispatch_to(struct ockam_endpoint *ep, struct sk_buff *skb,
			    struct ockam_dispatch *d)
{
	int err;

	might_sleep();
	d->budget = OCKAM_DISPATCH_BUDGET;
	err = ockam_route_deliver(ep, skb, d);
	ockam_route_run(ep->on, d);
	return err;
}

int ockam_route_run(struct ockam_net *on, struct ockam_dispatch *d)
{
	struct ockam_endpoint *ep, *to;
	struct sk_buff *skb;
	int err, ret = 0;

	while ((skb = d->next)) {
		/* The producer stays until its message has been delivered. */
		ep = d->from;
		to = d->to;
		d->next = NULL;
		d->from = NULL;
		d->to = NULL;
		if (to) {
			err = ockam_route_step_to(to, skb, d);
			ockam_endpoint_put(to);
		} else {
			err = ockam_route_step(on, skb, ep->origin, d);
		}
		ret = ret ?: err;
		if (ep->ops->forwarded)
			ep->ops->forwarded(ep, d);
		ockam_endpoint_put(ep);
	}
	return ret;
}

void ockam_route_forward(struct ockam_dispatch *d, struct ockam_endpoint *ep,
			 struct sk_buff *skb)
{
	if (WARN_ON_ONCE(d->next)) {
		ockam_drop(ep->on, OCKAM_DROP_BUDGET, skb);
		return;
	}
	d->from = ockam_endpoint_get(ep);
	d->next = skb;
}

void ockam_route_forward_to(struct ockam_dispatch *d, struct ockam_endpoint *ep,
			    struct sk_buff *skb, struct ockam_endpoint *to)
{
	bool busy = d->next;

	ockam_route_forward(d, ep, skb);
	if (!busy)
		d->to = ockam_endpoint_get(to);
}
