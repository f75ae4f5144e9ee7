/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots and requests, as aead.c and aead_pool.c share them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AEAD_POOL_H
#define OCKAM_AEAD_POOL_H

#include <crypto/aead.h>
#include <linux/completion.h>
#include <linux/scatterlist.h>

#include "aead.h"
#include "aead_monitor.h"
#include "compat.h"

#define OCKAM_AEAD_IV_LEN	12
#define OCKAM_AEAD_KEPT		2	/* requests that a slot keeps */

/* Parts of a slot's ->state. */
#define OCKAM_AEAD_COUNT	GENMASK(23, 0)	/* requests in flight */
#define OCKAM_AEAD_USES(i)	BIT(24 + (i))	/* one of them is ->ops[i] */
#define OCKAM_AEAD_RECENT	BIT(28)		/* used since somebody looked */
#define OCKAM_AEAD_STALE	BIT(29)		/* its key was wiped by the owner */
#define OCKAM_AEAD_OWNED	BIT(30)		/* all the rest is zero then */

/*
 * One lent transform.
 *
 * Born:   with its chunk, when a pool grows.
 * Refs:   ->state counts requests in flight. Without any, one owner may make it
 *         OCKAM_AEAD_OWNED, and then set the key or free the transform: ->key_id,
 *         ->tfm and ->node change under it only, so whoever has counted himself
 *         in may read them. Slots in a pool's lists are owned by the list.
 *         ->ops[i] belongs to whoever has set OCKAM_AEAD_USES(i), or the owner.
 * Dies:   with its pool; the transform earlier, when nobody has used it for ten
 *         seconds or its key was wiped.
 */
struct ockam_aead_slot {
	atomic_t state;
	u8 idle;			/* sweeps that found it unused */
	u64 key_id;
	struct crypto_aead *tfm;
	struct ockam_aead_op *ops[OCKAM_AEAD_KEPT];
	struct ockam_aead_pool *pool;
	struct llist_node node;
#ifdef OCKAM_NONCE_MONITOR
	u64 digest;			/* of the key's bytes */
#endif
} ____cacheline_aligned;

/*
 * One reservation: a request, its scatterlist, and the slot it runs under. Those
 * that a slot keeps are set up once and for all but for what differs.
 */
struct ockam_aead_op {
	struct ockam_aead_slot *slot;
	int taken;			/* from the slot's ->state */
	bool kept;			/* one of ->slot->ops[] */
	unsigned int n_sg;		/* entries there is room for */
	struct scatterlist *sg;		/* behind the request's context */
	ockam_aead_done_fn done;	/* NULL: somebody sleeps on ->wait */
	void *data;
	struct completion wait;
	int err;
	u8 iv[OCKAM_AEAD_IV_LEN];
	struct aead_request req;	/* must be last: the context follows */
};

/* For the monitor, which most kernels do not have. */
static inline void ockam_aead_note_key(struct ockam_aead_slot *slot,
				       const struct ockam_aead_key *key)
{
#ifdef OCKAM_NONCE_MONITOR
	slot->digest = ockam_aead_monitor_digest(key->bytes);
#endif
}

static inline void ockam_aead_note_nonce(const struct ockam_aead_slot *slot,
					 u64 nonce)
{
#ifdef OCKAM_NONCE_MONITOR
	ockam_aead_monitor_seal(slot->digest, nonce);
#endif
}

/* A slot in the state "owned" has become one that others may use. */
static inline void ockam_aead_disown(struct ockam_aead_slot *slot, int state)
{
	atomic_set_release(&slot->state, state);
}

void ockam_aead_retire(struct ockam_aead_slot *slot);
void ockam_aead_pool_sweep(struct ockam_aead_pool *pool, bool age);
void ockam_aead_complete(ockam_compat_crypto_arg *arg, int err);

/* Count out: @taken is from ockam_aead_enter(). Any context. */
static inline void ockam_aead_leave(struct ockam_aead_slot *slot, int taken)
{
	int state = atomic_sub_return(taken, &slot->state);

	if (unlikely(state & OCKAM_AEAD_STALE) && !(state & OCKAM_AEAD_COUNT))
		ockam_aead_retire(slot);
}

/*
 * Count in while the slot has the key @id, with one of its requests if there is
 * one to spare. Returns what was taken, or 0: it has another key.
 */
static inline int ockam_aead_enter(struct ockam_aead_slot *slot, u64 id)
{
	int state = atomic_read(&slot->state);
	int taken;

	/* A glance, so as not to disturb others. */
	if (unlikely(READ_ONCE(slot->key_id) != id))
		return 0;
	do {
		if (unlikely(state & OCKAM_AEAD_OWNED))
			return 0;
		taken = 1;
		if (!(state & OCKAM_AEAD_USES(0)))
			taken |= OCKAM_AEAD_USES(0);
		else if (!(state & OCKAM_AEAD_USES(1)))
			taken |= OCKAM_AEAD_USES(1);
	} while (!atomic_try_cmpxchg(&slot->state, &state,
				     (state + taken) | OCKAM_AEAD_RECENT));
	if (likely(slot->key_id == id))
		return taken;
	ockam_aead_leave(slot, taken);
	return 0;
}

#endif /* OCKAM_AEAD_POOL_H */
