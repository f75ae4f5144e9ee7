/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One hop of routing: look up the first onward address, check reachability,
 * deliver; again for whatever comes out of that, without recursion.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_ROUTE_H
#define OCKAM_ROUTE_H

#include "endpoint.h"
#include "gate.h"
#include "message.h"
#include "mib.h"

/*
 * A running dispatch, on the stack of whoever brings a message in.
 *
 * A full queue met on the way is remembered in ->gate with a reference on its
 * owner (node gates have none): the producer should take in no more until
 * ockam_gate_wait() says so. Valid until ockam_dispatch_fini().
 *
 * Whoever has several messages at hand says so with ->batch, and calls
 * ockam_dispatch_flush() behind the last one, before it sleeps: a link then sends
 * them together.
 */
struct ockam_dispatch {
	struct sk_buff *next;		/* what deliver() handed on, or NULL */
	struct ockam_endpoint *from;	/* who did, ref held while ->next is there */
	struct ockam_endpoint *to;	/* to whom, ref held; NULL: its onward route says */
	struct ockam_gate *gate;
	unsigned int budget;		/* deliveries left for one message in */
	bool atomic;			/* deliver() must not sleep: see ->nosleep */
	bool batch;			/* its caller has more messages at hand */
	struct ockam_endpoint *late;	/* for ockam_dispatch_flush(); ref held */
};

void ockam_dispatch_init(struct ockam_dispatch *d);
/* Flushes, and drops the gate. */
void ockam_dispatch_fini(struct ockam_dispatch *d);
/* Whoever is to wait for it does so now: nobody else has to. */
void ockam_dispatch_forget_gate(struct ockam_dispatch *d);
/* What deliver() has kept for more to come goes now. Context as deliver(). */
void ockam_dispatch_flush(struct ockam_dispatch *d);
/* Called by deliver() with ->batch: ->flush of @ep is to be called. */
void ockam_dispatch_note_late(struct ockam_dispatch *d,
			      struct ockam_endpoint *ep);
/* Called by deliver() when the queue it put the message into is full now. */
void ockam_dispatch_note_gate(struct ockam_dispatch *d, struct ockam_gate *gate);

/*
 * What a local sender's message would meet: the endpoint @to that @hop names, with
 * a reference (ockam_endpoint_put()), or ERR_PTR(): -EHOSTUNREACH (no such
 * address, or not LOCAL, or another's now), -EACCES (denied). Nothing is counted.
 */
struct ockam_endpoint *ockam_route_find(struct ockam_net *on,
					const struct ockam_hop *hop, u64 to,
					const struct ockam_origin *from);
/*
 * Would a local sender's message that goes to @ep stand in a full queue? Then it
 * is noted in @d. Context as deliver(). At most ->budget endpoints are asked.
 */
bool ockam_route_full(struct ockam_endpoint *ep, struct ockam_dispatch *d);

/* Hand @skb to @ep alone: what follows is in @d. Context as deliver(). */
int ockam_route_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
			struct ockam_dispatch *d);

/*
 * Bring @skb into the node: deliver it by its first onward hop, and all that
 * follows from it. Always takes ownership. Process context, no locks held.
 * @from: who produced it; must stay valid during the call.
 * Returns the outcome of the FIRST delivery, for local senders: 0,
 * -EHOSTUNREACH (no such address), -EACCES (denied), or what deliver() said.
 * Drops are counted and traced here.
 */
int ockam_route_dispatch(struct ockam_net *on, struct sk_buff *skb,
			 const struct ockam_origin *from,
			 struct ockam_dispatch *d);
/* The same when @ep, which the caller holds, was found and asked before. */
int ockam_route_dispatch_to(struct ockam_endpoint *ep, struct sk_buff *skb,
			    struct ockam_dispatch *d);

/*
 * From inside deliver(): @skb comes out of @ep and goes on to its first onward
 * hop, after deliver() has returned. Takes ownership. Once a deliver().
 */
void ockam_route_forward(struct ockam_dispatch *d, struct ockam_endpoint *ep,
			 struct sk_buff *skb);

/*
 * The same, but it goes to @to, which the caller holds, whatever its onward route
 * says and whoever may send there.
 */
void ockam_route_forward_to(struct ockam_dispatch *d, struct ockam_endpoint *ep,
			    struct sk_buff *skb, struct ockam_endpoint *to);

/*
 * Deliver what ockam_route_forward() has queued on @d from outside deliver(),
 * and all that follows. Context as ockam_route_dispatch(). Returns the first
 * error, or 0.
 */
int ockam_route_run(struct ockam_net *on, struct ockam_dispatch *d);

/* Count, trace and free. Any context that may free a message. */
void ockam_drop(struct ockam_net *on, enum ockam_mib reason,
		struct sk_buff *skb);

#endif /* OCKAM_ROUTE_H */
