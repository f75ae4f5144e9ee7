// SPDX-License-Identifier: GPL-2.0
/*
 * Transforms of a node: who has which key, and when they go.
 *
 * A transform costs kilobytes, and setkey on one corrupts requests that are in
 * flight under it, may sleep and may allocate. So channels keep keys only. Slots
 * of their node's pool lend transforms: as long as a key is in use its slot stays
 * keyed, which costs two atomic operations a message. A key that is wiped leaves
 * its slot to the next one that needs a transform, which is mostly its successor.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat.h"
#include "aead_pool.h"

#define OCKAM_AEAD_SWEEP	HZ		/* how long a wiped key may linger */
#define OCKAM_AEAD_AGE		(5 * HZ)	/* from one look at all slots to another */
#define OCKAM_AEAD_IDLE		2		/* looks that find nobody used it */
#define OCKAM_AEAD_WAIT		HZ		/* for a transform, when all are in use */
#define OCKAM_AEAD_SG		4u		/* entries that any request has room for */
#define OCKAM_AEAD_SG_KEEP	64		/* requests with more are not kept */

static LIST_HEAD(ockam_aead_pools);
static DEFINE_MUTEX(ockam_aead_pools_lock);

static struct ockam_aead_slot *
ockam_aead_nth_slot(const struct ockam_aead_pool *pool, unsigned int n)
{
	return &pool->chunks[n / OCKAM_AEAD_CHUNK_SLOTS]
			    [n % OCKAM_AEAD_CHUNK_SLOTS];
}

/* Own @slot, whose state was @state, if nothing is in flight. */
static bool ockam_aead_own(struct ockam_aead_slot *slot, int state)
{
	return !(state & (OCKAM_AEAD_COUNT | OCKAM_AEAD_OWNED)) &&
	       atomic_try_cmpxchg(&slot->state, &state, OCKAM_AEAD_OWNED);
}

/* An owned slot, whose key is gone, is for others. Any context. */
static void ockam_aead_give_back(struct ockam_aead_slot *slot)
{
	struct ockam_aead_pool *pool = slot->pool;

	WRITE_ONCE(slot->key_id, 0);
	llist_add(&slot->node, &pool->ready);
	/* Once: who puts it off again and again never sweeps. */
	if (!atomic_read(&pool->hurry) && !atomic_xchg(&pool->hurry, 1))
		mod_delayed_work(system_unbound_wq, &pool->sweep_work,
				 OCKAM_AEAD_SWEEP);
}

/* The last request under a wiped key has counted out. */
void ockam_aead_retire(struct ockam_aead_slot *slot)
{
	int state = atomic_read(&slot->state);

	do {
		if (!(state & OCKAM_AEAD_STALE) ||
		    state & (OCKAM_AEAD_COUNT | OCKAM_AEAD_OWNED))
			return;
	} while (!atomic_try_cmpxchg(&slot->state, &state, OCKAM_AEAD_OWNED));
	ockam_aead_give_back(slot);
}

void ockam_aead_key_wipe(struct ockam_aead_key *key)
{
	struct ockam_aead_slot *slot = key->hint;
	int state;

	while (slot && READ_ONCE(slot->key_id) == key->id) {
		state = atomic_read(&slot->state);
		if (state & OCKAM_AEAD_OWNED)
			break;
		if (state & OCKAM_AEAD_COUNT) {
			/*
			 * The last of them gives it back. Should it have another
			 * key by now, that one has to find another slot.
			 */
			if (atomic_try_cmpxchg(&slot->state, &state,
					       state | OCKAM_AEAD_STALE))
				break;
		} else if (ockam_aead_own(slot, state)) {
			if (slot->key_id == key->id)
				ockam_aead_give_back(slot);
			else
				ockam_aead_disown(slot, state);
			break;
		}
	}
	memzero_explicit(key, sizeof(*key));
}

/* Free the transform of an owned slot. */
static void ockam_aead_empty_slot(struct ockam_aead_slot *slot)
{
	struct ockam_aead_pool *pool = slot->pool;
	unsigned int i;

	WRITE_ONCE(slot->key_id, 0);
	/* The requests' contexts may show a key stream. */
	for (i = 0; i < OCKAM_AEAD_KEPT; i++) {
		kfree_sensitive(slot->ops[i]);
		slot->ops[i] = NULL;
	}
	if (slot->tfm) {
		/* Wipes the key schedule. */
		crypto_free_aead(slot->tfm);
		slot->tfm = NULL;
		atomic_dec(&pool->transforms);
	}
	llist_add(&slot->node, &pool->empty);
}

static int ockam_aead_alloc_tfm(struct ockam_aead_slot *slot)
{
	struct crypto_aead *tfm;

	/* Mask 0: the fastest driver may be an asynchronous one. */
	tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	slot->tfm = tfm;
	atomic_inc(&slot->pool->transforms);
	return crypto_aead_setauthsize(tfm, OCKAM_TAG_LEN);
}

/* A slot that has never been used, owned. */
static struct ockam_aead_slot *__ockam_aead_grow(struct ockam_aead_pool *pool)
{
	unsigned int n = pool->n_slots / OCKAM_AEAD_CHUNK_SLOTS;
	struct ockam_aead_slot *slot;

	lockdep_assert_held(&pool->lock);
	if (!pool->chunks[n])
		pool->chunks[n] = kcalloc(OCKAM_AEAD_CHUNK_SLOTS, sizeof(*slot),
					  GFP_KERNEL_ACCOUNT);
	if (!pool->chunks[n])
		return NULL;
	slot = ockam_aead_nth_slot(pool, pool->n_slots++);
	slot->pool = pool;
	atomic_set(&slot->state, OCKAM_AEAD_OWNED);
	return slot;
}

/*
 * The least recently used of the slots, about: two rounds, the first of which
 * leaves out what was used since the hand last came by.
 */
static struct ockam_aead_slot *__ockam_aead_evict(struct ockam_aead_pool *pool)
{
	struct ockam_aead_slot *slot;
	unsigned int i;
	int state;

	lockdep_assert_held(&pool->lock);
	for (i = 0; i < 2 * pool->n_slots; i++) {
		slot = ockam_aead_nth_slot(pool, pool->hand);
		pool->hand = (pool->hand + 1) % pool->n_slots;
		state = atomic_read(&slot->state);
		if (state & OCKAM_AEAD_RECENT)
			atomic_andnot(OCKAM_AEAD_RECENT, &slot->state);
		else if (ockam_aead_own(slot, state))
			return slot;
	}
	return NULL;
}

/* An owned slot for another key: NULL when there is none at the moment. */
static struct ockam_aead_slot *ockam_aead_find(struct ockam_aead_pool *pool)
{
	struct ockam_aead_slot *slot = NULL;
	struct llist_node *node;

	mutex_lock(&pool->lock);
	node = llist_del_first(&pool->ready) ?: llist_del_first(&pool->empty);
	if (node)
		slot = llist_entry(node, struct ockam_aead_slot, node);
	else if (pool->n_slots < pool->limit)
		slot = __ockam_aead_grow(pool);
	if (!slot)
		slot = __ockam_aead_evict(pool);
	mutex_unlock(&pool->lock);
	return slot;
}

/* Key an owned slot: it is counted in then. */
static int ockam_aead_key_slot(struct ockam_aead_slot *slot,
			       const struct ockam_aead_key *key, int *taken)
{
	int err = 0;

	if (!slot->tfm)
		err = ockam_aead_alloc_tfm(slot);
	if (!err)
		err = crypto_aead_setkey(slot->tfm, key->bytes,
					 sizeof(key->bytes));
	if (err) {
		ockam_aead_empty_slot(slot);
		return err;
	}
	ockam_aead_note_key(slot, key);
	WRITE_ONCE(slot->key_id, key->id);
	*taken = 1 | OCKAM_AEAD_USES(0);
	ockam_aead_disown(slot, *taken | OCKAM_AEAD_RECENT);
	return 0;
}

/*
 * A slot that is keyed with @key, counted in; that of somebody who had a copy of
 * the key and came first, if there is. -EBUSY: all are in use.
 */
static struct ockam_aead_slot *
ockam_aead_try_take(struct ockam_aead_pool *pool,
		    const struct ockam_aead_key *key, int *taken)
{
	struct ockam_aead_desk *desk = &pool->desks[(u32)key->id %
						    OCKAM_AEAD_DESKS];
	struct ockam_aead_slot *slot;
	int err;

	mutex_lock(&desk->lock);
	slot = desk->last;
	*taken = slot ? ockam_aead_enter(slot, key->id) : 0;
	if (*taken)
		goto out;
	slot = ockam_aead_find(pool);
	err = slot ? ockam_aead_key_slot(slot, key, taken) : -EBUSY;
	if (err)
		slot = ERR_PTR(err);
	else
		desk->last = slot;
out:
	mutex_unlock(&desk->lock);
	return slot;
}

static struct ockam_aead_slot *ockam_aead_take(struct ockam_aead_pool *pool,
					       struct ockam_aead_key *key,
					       int *taken)
{
	unsigned long end = jiffies + OCKAM_AEAD_WAIT;
	struct ockam_aead_slot *slot;

	while (IS_ERR(slot = ockam_aead_try_take(pool, key, taken))) {
		if (PTR_ERR(slot) != -EBUSY || time_after(jiffies, end))
			return NULL;
		schedule_timeout_uninterruptible(1);
	}
	key->hint = slot;
	if (!delayed_work_pending(&pool->sweep_work))
		queue_delayed_work(system_unbound_wq, &pool->sweep_work,
				   OCKAM_AEAD_AGE);
	return slot;
}

static struct ockam_aead_op *ockam_aead_alloc_op(struct ockam_aead_slot *slot,
						 int taken, unsigned int n_sg)
{
	size_t sg_offset = ALIGN(sizeof(struct ockam_aead_op) +
				 crypto_aead_reqsize(slot->tfm),
				 __alignof__(struct scatterlist));
	struct ockam_aead_op *op;

	op = kmalloc(sg_offset + n_sg * sizeof(struct scatterlist),
		     GFP_KERNEL_ACCOUNT);
	if (!op)
		return NULL;
	op->slot = slot;
	op->taken = taken;
	op->n_sg = n_sg;
	op->sg = (void *)op + sg_offset;
	sg_init_table(op->sg, n_sg);
	init_completion(&op->wait);
	aead_request_set_tfm(&op->req, slot->tfm);
	aead_request_set_callback(&op->req, 0, ockam_aead_complete, op);
	aead_request_set_ad(&op->req, 0);
	return op;
}

/* There is none yet in the place that was taken, it is too small, or no place. */
static struct ockam_aead_op *ockam_aead_renew_op(struct ockam_aead_slot *slot,
						 int taken, unsigned int n_sg)
{
	struct ockam_aead_op *op;
	unsigned int i;

	for (i = 0; i < OCKAM_AEAD_KEPT; i++)
		if (taken & OCKAM_AEAD_USES(i))
			break;
	op = ockam_aead_alloc_op(slot, taken, max(n_sg, OCKAM_AEAD_SG));
	if (!op) {
		ockam_aead_leave(slot, taken);
		return NULL;
	}
	op->kept = i < OCKAM_AEAD_KEPT && n_sg <= OCKAM_AEAD_SG_KEEP;
	if (op->kept) {
		kfree_sensitive(slot->ops[i]);
		slot->ops[i] = op;
	}
	return op;
}

struct ockam_aead_op *ockam_aead_reserve(struct ockam_aead_pool *pool,
					 struct ockam_aead_key *key,
					 unsigned int n_sg)
{
	struct ockam_aead_slot *slot = key->hint;
	struct ockam_aead_op *op;
	int taken = 0;

	might_sleep();
	if (slot)
		taken = ockam_aead_enter(slot, key->id);
	if (unlikely(!taken)) {
		slot = ockam_aead_take(pool, key, &taken);
		if (!slot)
			return NULL;
	}
	op = NULL;
	if (taken & OCKAM_AEAD_USES(0))
		op = slot->ops[0];
	else if (taken & OCKAM_AEAD_USES(1))
		op = slot->ops[1];
	if (unlikely(!op || op->n_sg < n_sg))
		op = ockam_aead_renew_op(slot, taken, n_sg);
	return op;
}

void ockam_aead_release(struct ockam_aead_op *op)
{
	struct ockam_aead_slot *slot = op->slot;
	int taken = op->taken;

	if (unlikely(!op->kept))
		kfree_sensitive(op);
	ockam_aead_leave(slot, taken);
}

/* Free what has no key any more. */
static void ockam_aead_empty_ready(struct ockam_aead_pool *pool)
{
	struct ockam_aead_slot *slot, *next;
	struct llist_node *list;

	/* A barrier: what is put there after it is swept by another one. */
	atomic_xchg(&pool->hurry, 0);
	mutex_lock(&pool->lock);
	list = llist_del_all(&pool->ready);
	mutex_unlock(&pool->lock);
	llist_for_each_entry_safe(slot, next, list, node)
		ockam_aead_empty_slot(slot);
}

/* Free what has not been used since the look before the last, or, @now, all. */
static void ockam_aead_empty_idle(struct ockam_aead_pool *pool, bool now)
{
	struct ockam_aead_slot *slot;
	unsigned int i, n;
	int state;

	mutex_lock(&pool->lock);
	n = pool->n_slots;
	mutex_unlock(&pool->lock);
	for (i = 0; i < n; i++) {
		slot = ockam_aead_nth_slot(pool, i);
		state = atomic_read(&slot->state);
		if (state & OCKAM_AEAD_RECENT && !now) {
			atomic_andnot(OCKAM_AEAD_RECENT, &slot->state);
			slot->idle = 0;
		} else if ((now || ++slot->idle >= OCKAM_AEAD_IDLE) &&
			   ockam_aead_own(slot, state)) {
			slot->idle = 0;
			ockam_aead_empty_slot(slot);
		}
		cond_resched();
	}
}

void ockam_aead_pool_sweep(struct ockam_aead_pool *pool, bool age)
{
	ockam_aead_empty_ready(pool);
	if (age)
		ockam_aead_empty_idle(pool, false);
}

static void ockam_aead_sweep(struct work_struct *work)
{
	struct ockam_aead_pool *pool = container_of(to_delayed_work(work),
						    struct ockam_aead_pool,
						    sweep_work);
	bool age = time_after_eq(jiffies, pool->aged + OCKAM_AEAD_AGE);

	if (age)
		pool->aged = jiffies;
	ockam_aead_pool_sweep(pool, age);
	if (atomic_read(&pool->transforms))
		queue_delayed_work(system_unbound_wq, &pool->sweep_work,
				   OCKAM_AEAD_AGE);
}

void ockam_aead_flush(void)
{
	struct ockam_aead_pool *pool;

	mutex_lock(&ockam_aead_pools_lock);
	list_for_each_entry(pool, &ockam_aead_pools, list) {
		ockam_aead_empty_ready(pool);
		ockam_aead_empty_idle(pool, true);
	}
	mutex_unlock(&ockam_aead_pools_lock);
}

int ockam_aead_pool_init(struct ockam_aead_pool *pool)
{
	unsigned int i;

	memset(pool, 0, sizeof(*pool));
	mutex_init(&pool->lock);
	for (i = 0; i < ARRAY_SIZE(pool->desks); i++)
		mutex_init(&pool->desks[i].lock);
	init_llist_head(&pool->ready);
	init_llist_head(&pool->empty);
	pool->limit = OCKAM_AEAD_POOL_MAX;
	pool->aged = jiffies;
	INIT_DELAYED_WORK(&pool->sweep_work, ockam_aead_sweep);
	mutex_lock(&ockam_aead_pools_lock);
	list_add_tail(&pool->list, &ockam_aead_pools);
	mutex_unlock(&ockam_aead_pools_lock);
	return 0;
}

void ockam_aead_pool_exit(struct ockam_aead_pool *pool)
{
	unsigned int i;

	mutex_lock(&ockam_aead_pools_lock);
	list_del(&pool->list);
	mutex_unlock(&ockam_aead_pools_lock);
	cancel_delayed_work_sync(&pool->sweep_work);
	ockam_aead_empty_ready(pool);
	ockam_aead_empty_idle(pool, true);
	WARN_ON_ONCE(atomic_read(&pool->transforms));
	for (i = 0; i < ARRAY_SIZE(pool->chunks); i++)
		kfree(pool->chunks[i]);
	for (i = 0; i < ARRAY_SIZE(pool->desks); i++)
		mutex_destroy(&pool->desks[i].lock);
	mutex_destroy(&pool->lock);
}
