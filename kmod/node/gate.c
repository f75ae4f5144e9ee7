// SPDX-License-Identifier: GPL-2.0
/*
 * Back-pressure: a bounded queue's byte count, and who waits for it to drain.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/jiffies.h>

#include "endpoint.h"
#include "gate.h"

/*
 * Serialises a waiter's state (->gate, its wake-up) against cancelling. One
 * lock for the module: waiting is the slow path, and it nests outside ->lock.
 */
static DEFINE_SPINLOCK(ockam_gate_waiting_lock);

void ockam_gate_init(struct ockam_gate *gate, struct ockam_endpoint *owner,
		     u64 limit, void (*stalled)(struct ockam_gate *gate))
{
	spin_lock_init(&gate->lock);
	gate->used = 0;
	gate->limit = limit;
	gate->open = false;
	gate->progress = jiffies;
	INIT_LIST_HEAD(&gate->waiters);
	gate->owner = owner;
	gate->stalled = stalled;
}

static bool __ockam_gate_full(const struct ockam_gate *gate)
	__must_hold(&gate->lock)
{
	return !gate->open && gate->used >= gate->limit;
}

/*
 * Wake everybody. A waiter is off the list and its ->gate is clear before its
 * ->wake runs, so it may wait again from there.
 */
static void ockam_gate_wake_all(struct ockam_gate *gate)
{
	struct ockam_endpoint *owner = gate->owner;
	struct ockam_gate_waiter *waiter;
	unsigned int woken = 0;
	LIST_HEAD(list);

	spin_lock_bh(&ockam_gate_waiting_lock);
	spin_lock(&gate->lock);
	list_splice_init(&gate->waiters, &list);
	spin_unlock(&gate->lock);
	while (!list_empty(&list)) {
		waiter = list_first_entry(&list, struct ockam_gate_waiter, list);
		list_del_init(&waiter->list);
		WRITE_ONCE(waiter->gate, NULL);
		waiter->wake(waiter);
		woken++;
	}
	spin_unlock_bh(&ockam_gate_waiting_lock);
	/* The waiters' references; @gate may be gone after the last of them. */
	while (owner && woken--)
		ockam_endpoint_put(owner);
}

void ockam_gate_set_limit(struct ockam_gate *gate, u64 limit)
{
	bool wake;

	spin_lock_bh(&gate->lock);
	WRITE_ONCE(gate->limit, limit);
	wake = gate->used <= limit / 2 && !list_empty(&gate->waiters);
	spin_unlock_bh(&gate->lock);
	if (wake)
		ockam_gate_wake_all(gate);
}

bool ockam_gate_charge(struct ockam_gate *gate, u64 bytes)
{
	bool full;

	spin_lock_bh(&gate->lock);
	/* An empty queue that fills has not stalled until now. */
	if (!gate->used)
		gate->progress = jiffies;
	gate->used += bytes;
	full = __ockam_gate_full(gate);
	spin_unlock_bh(&gate->lock);
	return full;
}

bool ockam_gate_try_charge(struct ockam_gate *gate, u64 bytes)
{
	bool room;

	spin_lock_bh(&gate->lock);
	room = !__ockam_gate_full(gate);
	if (room) {
		if (!gate->used)
			gate->progress = jiffies;
		gate->used += bytes;
	}
	spin_unlock_bh(&gate->lock);
	return room;
}

void ockam_gate_uncharge(struct ockam_gate *gate, u64 bytes)
{
	bool wake;

	spin_lock_bh(&gate->lock);
	if (WARN_ON_ONCE(bytes > gate->used))
		bytes = gate->used;
	gate->used -= bytes;
	gate->progress = jiffies;
	wake = gate->used <= gate->limit / 2 && !list_empty(&gate->waiters);
	spin_unlock_bh(&gate->lock);
	if (wake)
		ockam_gate_wake_all(gate);
}

bool ockam_gate_full(struct ockam_gate *gate)
{
	bool full;

	spin_lock_bh(&gate->lock);
	full = __ockam_gate_full(gate);
	spin_unlock_bh(&gate->lock);
	return full;
}

void ockam_gate_open(struct ockam_gate *gate)
{
	spin_lock_bh(&gate->lock);
	gate->open = true;
	spin_unlock_bh(&gate->lock);
	ockam_gate_wake_all(gate);
}

void ockam_gate_waiter_init(struct ockam_gate_waiter *waiter,
			    void (*wake)(struct ockam_gate_waiter *waiter))
{
	INIT_LIST_HEAD(&waiter->list);
	waiter->gate = NULL;
	waiter->wake = wake;
}

bool ockam_gate_wait(struct ockam_gate *gate, struct ockam_gate_waiter *waiter)
{
	bool waits = false;

	spin_lock_bh(&ockam_gate_waiting_lock);
	spin_lock(&gate->lock);
	if (!WARN_ON_ONCE(waiter->gate) && __ockam_gate_full(gate)) {
		list_add_tail(&waiter->list, &gate->waiters);
		WRITE_ONCE(waiter->gate, gate);
		waits = true;
		if (gate->owner)
			ockam_endpoint_get(gate->owner);
	}
	spin_unlock(&gate->lock);
	spin_unlock_bh(&ockam_gate_waiting_lock);
	return waits;
}

bool ockam_gate_cancel(struct ockam_gate_waiter *waiter)
{
	struct ockam_endpoint *owner = NULL;
	struct ockam_gate *gate;

	spin_lock_bh(&ockam_gate_waiting_lock);
	gate = waiter->gate;
	if (gate) {
		spin_lock(&gate->lock);
		list_del_init(&waiter->list);
		spin_unlock(&gate->lock);
		WRITE_ONCE(waiter->gate, NULL);
		owner = gate->owner;
	}
	spin_unlock_bh(&ockam_gate_waiting_lock);
	if (owner)
		ockam_endpoint_put(owner);
	return gate;
}

unsigned long ockam_gate_check_stall(struct ockam_gate_waiter *waiter,
				     unsigned long limit)
{
	struct ockam_endpoint *owner = NULL;
	unsigned long idle = 0;
	struct ockam_gate *gate;

	spin_lock_bh(&ockam_gate_waiting_lock);
	gate = waiter->gate;
	if (gate) {
		spin_lock(&gate->lock);
		/* Never 0 while it waits: that means "does not wait". */
		idle = max(jiffies - gate->progress, 1UL);
		spin_unlock(&gate->lock);
		if (idle >= limit && gate->stalled && gate->owner)
			owner = ockam_endpoint_get(gate->owner);
	}
	spin_unlock_bh(&ockam_gate_waiting_lock);
	if (owner) {
		gate->stalled(gate);
		ockam_endpoint_put(owner);
	}
	return idle;
}
