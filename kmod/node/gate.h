/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Back-pressure: a bounded queue's byte count, and who waits for it to drain.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_GATE_H
#define OCKAM_GATE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ockam_endpoint;
struct ockam_gate_waiter;

/*
 * A gate counts the bytes of one queue. It does not refuse: a producer charges
 * what it puts in, learns that the queue is now full, and stops taking in more
 * (a link stops reading) until the gate wakes it at half of the limit. Who can
 * wait before it brings anything in asks first: ockam_gate_try_charge().
 *
 * Born:   with the object that embeds it (->owner, NULL for a node's own).
 * Refs:   every waiter and every struct ockam_dispatch that met it full holds
 *         a reference on ->owner.
 * Locks:  ->lock (BH-safe), a leaf. Waiters are woken without it.
 * Dies:   ockam_gate_open() when the owner dies: it never fills again and all
 *         waiters are woken.
 */
struct ockam_gate {
	spinlock_t lock;	/* all below */
	u64 used;
	u64 limit;
	bool open;		/* owner is dying: never full */
	unsigned long progress;	/* jiffies of the last uncharge */
	struct list_head waiters;
	struct ockam_endpoint *owner;
	/* Called (process context) by a waiter after a stall without progress. */
	void (*stalled)(struct ockam_gate *gate);
};

struct ockam_gate_waiter {
	struct list_head list;
	struct ockam_gate *gate;	/* non-NULL while waiting, READ_ONCE elsewhere */
	/*
	 * Any context, under a spinlock of all waiters: queue work or wake
	 * somebody, nothing else, and call no gate.
	 */
	void (*wake)(struct ockam_gate_waiter *waiter);
};

void ockam_gate_init(struct ockam_gate *gate, struct ockam_endpoint *owner,
		     u64 limit, void (*stalled)(struct ockam_gate *gate));
void ockam_gate_set_limit(struct ockam_gate *gate, u64 limit);
/* Returns true when the gate is full now. Any context. */
bool ockam_gate_charge(struct ockam_gate *gate, u64 bytes);
/* The same, but nothing is charged, and false returned, when it is full already. */
bool ockam_gate_try_charge(struct ockam_gate *gate, u64 bytes);
void ockam_gate_uncharge(struct ockam_gate *gate, u64 bytes);
bool ockam_gate_full(struct ockam_gate *gate);
/* Never full from now on; wakes all waiters. Any context. */
void ockam_gate_open(struct ockam_gate *gate);

void ockam_gate_waiter_init(struct ockam_gate_waiter *waiter,
			    void (*wake)(struct ockam_gate_waiter *waiter));
/*
 * Wait for room: true when @waiter now waits (->wake comes exactly once unless
 * cancelled), false when there is room already. Takes a reference on the owner
 * for as long as it waits. One gate at a time.
 */
bool ockam_gate_wait(struct ockam_gate *gate, struct ockam_gate_waiter *waiter);
/* Returns true when it was waiting; after return ->wake will not start. May sleep. */
bool ockam_gate_cancel(struct ockam_gate_waiter *waiter);
/*
 * For a waiter's stall timer: jiffies without progress of the gate it waits
 * for, 0 when it does not wait. Calls ->stalled of the gate when that is at
 * least @limit jiffies. Process context.
 */
unsigned long ockam_gate_check_stall(struct ockam_gate_waiter *waiter,
				     unsigned long limit);

#endif /* OCKAM_GATE_H */
