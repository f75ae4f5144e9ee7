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
 */
struct ockam_dispatch {
	struct list_head queue;		/* messages still to be delivered */
	struct ockam_gate *gate;
	unsigned int budget;		/* deliveries left for one message in */
};

void ockam_dispatch_init(struct ockam_dispatch *d);
/* Frees what is still queued, drops the gate. */
void ockam_dispatch_fini(struct ockam_dispatch *d);
/* Called by deliver() when the queue it put the message into is full now. */
void ockam_dispatch_note_gate(struct ockam_dispatch *d, struct ockam_gate *gate);

/*
 * Bring @msg into the node: deliver it by its first onward hop, and all that
 * follows from it. Always takes ownership. Process context, no locks held.
 * @from: who produced it; must stay valid during the call.
 * Returns the outcome of the FIRST delivery, for local senders: 0,
 * -EHOSTUNREACH (no such address), -EACCES (denied), or what deliver() said.
 * Drops are counted and traced here.
 */
int ockam_route_dispatch(struct ockam_net *on, struct ockam_message *msg,
			 const struct ockam_origin *from,
			 struct ockam_dispatch *d);

/*
 * From inside deliver(): @msg comes out of @ep and goes on to its first onward
 * hop, after deliver() has returned. Takes ownership.
 */
void ockam_route_forward(struct ockam_dispatch *d, struct ockam_endpoint *ep,
			 struct ockam_message *msg);

/*
 * Deliver what ockam_route_forward() has queued on @d from outside deliver(),
 * and all that follows. Context as ockam_route_dispatch(). Returns the first
 * error, or 0.
 */
int ockam_route_run(struct ockam_net *on, struct ockam_dispatch *d);

/* Count, trace and free. Any context that may free a message. */
void ockam_drop(struct ockam_net *on, enum ockam_mib reason,
		struct ockam_message *msg);

#endif /* OCKAM_ROUTE_H */
