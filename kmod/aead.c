// SPDX-License-Identifier: GPL-2.0
/*
 * AES-256-GCM on linear messages, and the pool of transforms.
 *
 * A transform costs kilobytes, and setkey on one corrupts requests that are in
 * flight under it, may sleep and may allocate. So channels keep keys only.
 * Slots of the pool lend transforms: as long as a key is in use its slot stays
 * keyed (two atomic operations a message); a key that comes back later finds
 * another slot.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <crypto/aead.h>
#include <crypto/aes.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "aead.h"
#include "compat.h"

#define OCKAM_AEAD_SLOTS	256	/* transforms at most */
#define OCKAM_AEAD_IV_LEN	12
#define OCKAM_AEAD_SWEEP	HZ	/* how long a wiped key may linger */
#define OCKAM_AEAD_IDLE		(10 * HZ)	/* unused transforms go back */

/*
 * One lent transform.
 *
 * Born:   keyed by ockam_aead_take_slot(); the slots themselves are static.
 * Refs:   ->busy counts requests in flight; -1 is one owner who may set the
 *         key or free the transform. ->key_id and ->tfm change under -1 only,
 *         so whoever has counted himself in may read them.
 * Dies:   idle slots give their transform back in ockam_aead_sweep().
 */
struct ockam_aead_slot {
	atomic_t busy;
	bool recent;		/* second chance, a hint */
	bool stale;		/* its key was wiped by the owner */
	u64 key_id;
	unsigned long used;	/* jiffies of the last use, a hint */
	struct crypto_aead *tfm;
	struct ockam_aead_op *spare;	/* xchg(): one request kept for reuse */
};

/* One reservation: a request, its scatterlist, and the slot it runs under. */
struct ockam_aead_op {
	struct ockam_aead_slot *slot;
	unsigned int n_sg;		/* entries there is room for */
	struct scatterlist *sg;		/* behind the request's context */
	u8 iv[OCKAM_AEAD_IV_LEN];
	struct crypto_wait wait;
	struct aead_request req;	/* must be last: the context follows */
};

static struct ockam_aead_slot ockam_aead_slots[OCKAM_AEAD_SLOTS];
static atomic_t ockam_aead_hand = ATOMIC_INIT(0);
static atomic64_t ockam_aead_last_id = ATOMIC64_INIT(0);
/* The sweep runs within OCKAM_AEAD_SWEEP, for a key that was wiped. */
static atomic_t ockam_aead_hurry = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(ockam_aead_free_wait);

static void ockam_aead_sweep(struct work_struct *work);
static DECLARE_DELAYED_WORK(ockam_aead_sweep_work, ockam_aead_sweep);

void ockam_aead_key_install(struct ockam_aead_key *key, const u8 *bytes)
{
	key->id = atomic64_inc_return(&ockam_aead_last_id);
	key->hint = NULL;
	memcpy(key->bytes, bytes, sizeof(key->bytes));
}

/*
 * The rekey step encrypts 32 zero bytes with GCM. Its ciphertext is the bare
 * key stream: CTR blocks 2 and 3 of the IV (block 1 masks the tag).
 */
void ockam_aead_key_next(struct ockam_aead_key *next,
			 const struct ockam_aead_key *key)
{
	u8 block[AES_BLOCK_SIZE] = { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
				     0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2 };
	struct ockam_compat_aes_key aes;

	BUILD_BUG_ON(OCKAM_KEY_LEN != 2 * AES_BLOCK_SIZE);
	BUILD_BUG_ON(OCKAM_KEY_LEN != AES_KEYSIZE_256);

	/* Cannot fail: the length is right. */
	ockam_compat_aes_prepare(&aes, key->bytes, sizeof(key->bytes));
	aes_encrypt(&aes, next->bytes, block);
	block[AES_BLOCK_SIZE - 1] = 3;
	aes_encrypt(&aes, next->bytes + AES_BLOCK_SIZE, block);
	memzero_explicit(&aes, sizeof(aes));

	next->id = atomic64_inc_return(&ockam_aead_last_id);
	next->hint = NULL;
}

static void ockam_aead_put_slot(struct ockam_aead_slot *slot)
{
	slot->used = jiffies;
	if (atomic_dec_and_test(&slot->busy) &&
	    wq_has_sleeper(&ockam_aead_free_wait))
		wake_up(&ockam_aead_free_wait);
}

void ockam_aead_key_wipe(struct ockam_aead_key *key)
{
	struct ockam_aead_slot *slot = key->hint;

	if (slot && atomic_inc_unless_negative(&slot->busy)) {
		if (slot->key_id == key->id) {
			WRITE_ONCE(slot->stale, true);
			/* Once: who puts it off again and again never sweeps. */
			if (!atomic_xchg(&ockam_aead_hurry, 1))
				mod_delayed_work(system_wq,
						 &ockam_aead_sweep_work,
						 OCKAM_AEAD_SWEEP);
		}
		ockam_aead_put_slot(slot);
	}
	memzero_explicit(key, sizeof(*key));
}

/* The slot that is keyed with @key already, counted in; or NULL. */
static struct ockam_aead_slot *
ockam_aead_get_slot(const struct ockam_aead_key *key)
{
	struct ockam_aead_slot *slot = key->hint;

	if (!slot || !atomic_inc_unless_negative(&slot->busy))
		return NULL;
	if (slot->key_id == key->id)
		return slot;
	ockam_aead_put_slot(slot);
	return NULL;
}

/*
 * Own an idle slot (->busy is -1 then), or NULL: all are in use. Two rounds:
 * the first leaves out what was used since the hand last came by.
 */
static struct ockam_aead_slot *ockam_aead_own_slot(void)
{
	struct ockam_aead_slot *slot;
	unsigned int i;

	for (i = 0; i < 2 * OCKAM_AEAD_SLOTS; i++) {
		slot = &ockam_aead_slots[(u32)atomic_inc_return(&ockam_aead_hand) %
					 OCKAM_AEAD_SLOTS];
		if (READ_ONCE(slot->recent) && !READ_ONCE(slot->stale)) {
			WRITE_ONCE(slot->recent, false);
			continue;
		}
		if (!atomic_read(&slot->busy) &&
		    !atomic_cmpxchg(&slot->busy, 0, -1))
			return slot;
	}
	return NULL;
}

/* The transform of an owned slot. */
static void ockam_aead_empty_slot(struct ockam_aead_slot *slot)
{
	slot->key_id = 0;
	WRITE_ONCE(slot->stale, false);
	WRITE_ONCE(slot->recent, false);
	/* The request's context may show a key stream. */
	kfree_sensitive(xchg(&slot->spare, NULL));
	/* Wipes the key schedule. */
	crypto_free_aead(slot->tfm);
	slot->tfm = NULL;
}

static void ockam_aead_disown_slot(struct ockam_aead_slot *slot, int busy)
{
	atomic_set_release(&slot->busy, busy);
	wake_up(&ockam_aead_free_wait);
}

/* Key an owned slot. */
static int ockam_aead_key_slot(struct ockam_aead_slot *slot,
			       const struct ockam_aead_key *key)
{
	struct crypto_aead *tfm;
	int err;

	slot->key_id = 0;
	WRITE_ONCE(slot->stale, false);
	if (!slot->tfm) {
		/* Mask 0: the fastest driver may be an asynchronous one. */
		tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
		if (IS_ERR(tfm))
			return PTR_ERR(tfm);
		slot->tfm = tfm;
		err = crypto_aead_setauthsize(tfm, OCKAM_TAG_LEN);
		if (err)
			goto err_empty;
	}
	err = crypto_aead_setkey(slot->tfm, key->bytes, sizeof(key->bytes));
	if (err)
		goto err_empty;
	slot->key_id = key->id;
	slot->used = jiffies;
	return 0;

err_empty:
	ockam_aead_empty_slot(slot);
	return err;
}

static struct ockam_aead_slot *ockam_aead_take_slot(struct ockam_aead_key *key)
{
	struct ockam_aead_slot *slot;

	slot = ockam_aead_get_slot(key);
	if (!slot) {
		wait_event(ockam_aead_free_wait,
			   (slot = ockam_aead_own_slot()));
		if (ockam_aead_key_slot(slot, key)) {
			ockam_aead_disown_slot(slot, 0);
			return NULL;
		}
		key->hint = slot;
		ockam_aead_disown_slot(slot, 1);
		schedule_delayed_work(&ockam_aead_sweep_work, OCKAM_AEAD_IDLE);
	}
	if (!READ_ONCE(slot->recent))
		WRITE_ONCE(slot->recent, true);
	return slot;
}

/* Scatterlist entries for @room bytes anywhere in the buffer of @buf. */
static unsigned int ockam_aead_count_sg(const u8 *buf, size_t room)
{
	if (!is_vmalloc_addr(buf))
		return 1;
	return room / PAGE_SIZE + 2;
}

static struct ockam_aead_op *ockam_aead_alloc_op(struct crypto_aead *tfm,
						 unsigned int n_sg)
{
	size_t sg_offset = ALIGN(sizeof(struct ockam_aead_op) +
				 crypto_aead_reqsize(tfm),
				 __alignof__(struct scatterlist));
	struct ockam_aead_op *op;

	op = kmalloc(sg_offset + n_sg * sizeof(struct scatterlist),
		     GFP_KERNEL_ACCOUNT);
	if (!op)
		return NULL;
	op->n_sg = n_sg;
	op->sg = (void *)op + sg_offset;
	return op;
}

struct ockam_aead_op *ockam_aead_prepare(struct ockam_aead_key *key,
					 const u8 *buf, size_t room)
{
	unsigned int n_sg = ockam_aead_count_sg(buf, room);
	struct ockam_aead_slot *slot;
	struct ockam_aead_op *op;

	might_sleep();
	slot = ockam_aead_take_slot(key);
	if (!slot)
		return NULL;

	op = xchg(&slot->spare, NULL);
	if (op && op->n_sg < n_sg) {
		kfree_sensitive(op);
		op = NULL;
	}
	if (!op)
		op = ockam_aead_alloc_op(slot->tfm, n_sg);
	if (!op) {
		ockam_aead_put_slot(slot);
		return NULL;
	}
	op->slot = slot;
	return op;
}

void ockam_aead_release(struct ockam_aead_op *op)
{
	struct ockam_aead_slot *slot = op->slot;

	/* The slot's transform cannot change before the count goes down. */
	kfree_sensitive(xchg(&slot->spare, op));
	ockam_aead_put_slot(slot);
}

/* Describe @len bytes at @buf, within what was prepared. */
static int ockam_aead_map(struct ockam_aead_op *op, u8 *buf, size_t len)
{
	unsigned int n = 0, part;
	struct scatterlist *sg;

	if (!is_vmalloc_addr(buf)) {
		sg_init_one(op->sg, buf, len);
		return 0;
	}
	sg_init_table(op->sg, op->n_sg);
	for (sg = op->sg; len; sg++) {
		if (WARN_ON_ONCE(n++ == op->n_sg))
			return -EINVAL;
		part = min_t(size_t, len, PAGE_SIZE - offset_in_page(buf));
		sg_set_page(sg, vmalloc_to_page(buf), part, offset_in_page(buf));
		buf += part;
		len -= part;
	}
	sg_mark_end(sg - 1);
	return 0;
}

static void ockam_aead_set_up(struct ockam_aead_op *op, size_t len, u64 nonce)
{
	memset(op->iv, 0, 4);
	put_unaligned_be64(nonce, op->iv + 4);
	crypto_init_wait(&op->wait);
	aead_request_set_tfm(&op->req, op->slot->tfm);
	aead_request_set_callback(&op->req, CRYPTO_TFM_REQ_MAY_BACKLOG |
				  CRYPTO_TFM_REQ_MAY_SLEEP,
				  crypto_req_done, &op->wait);
	aead_request_set_crypt(&op->req, op->sg, op->sg, len, op->iv);
	aead_request_set_ad(&op->req, 0);
}

int ockam_aead_seal(struct ockam_aead_op *op, u8 *buf, size_t len, u64 nonce)
{
	int err;

	err = ockam_aead_map(op, buf, len + OCKAM_TAG_LEN);
	if (!err) {
		ockam_aead_set_up(op, len, nonce);
		err = crypto_wait_req(crypto_aead_encrypt(&op->req), &op->wait);
	}
	ockam_aead_release(op);
	return err;
}

int ockam_aead_open(struct ockam_aead_op *op, u8 *buf, size_t len, u64 nonce)
{
	int err;

	err = len < OCKAM_TAG_LEN ? -EBADMSG : ockam_aead_map(op, buf, len);
	if (!err) {
		ockam_aead_set_up(op, len, nonce);
		err = crypto_wait_req(crypto_aead_decrypt(&op->req), &op->wait);
	}
	ockam_aead_release(op);
	return err;
}

/* Give back what nobody has used for a while, at once what is wiped. */
static void ockam_aead_sweep(struct work_struct *work)
{
	unsigned long next = OCKAM_AEAD_IDLE;
	struct ockam_aead_slot *slot;
	bool again = false;
	unsigned int i;

	/* A barrier: what was marked before it is seen below. */
	atomic_xchg(&ockam_aead_hurry, 0);
	for (i = 0; i < OCKAM_AEAD_SLOTS; i++) {
		slot = &ockam_aead_slots[i];
		if (!READ_ONCE(slot->tfm))
			continue;
		if ((READ_ONCE(slot->stale) ||
		     time_after(jiffies, slot->used + OCKAM_AEAD_IDLE)) &&
		    !atomic_cmpxchg(&slot->busy, 0, -1)) {
			ockam_aead_empty_slot(slot);
			ockam_aead_disown_slot(slot, 0);
			continue;
		}
		again = true;
		if (READ_ONCE(slot->stale))
			next = OCKAM_AEAD_SWEEP;
	}
	if (again)
		schedule_delayed_work(&ockam_aead_sweep_work, next);
}

void ockam_aead_flush(void)
{
	mod_delayed_work(system_wq, &ockam_aead_sweep_work, 0);
	flush_delayed_work(&ockam_aead_sweep_work);
}

int ockam_aead_init(void)
{
	struct crypto_aead *tfm;

	/* Say early that a kernel has no AES-GCM; load its driver if need be. */
	tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	crypto_free_aead(tfm);
	return 0;
}

void ockam_aead_exit(void)
{
	unsigned int i;

	cancel_delayed_work_sync(&ockam_aead_sweep_work);
	atomic_set(&ockam_aead_hurry, 0);
	for (i = 0; i < OCKAM_AEAD_SLOTS; i++) {
		WARN_ON_ONCE(atomic_read(&ockam_aead_slots[i].busy));
		if (ockam_aead_slots[i].tfm)
			ockam_aead_empty_slot(&ockam_aead_slots[i]);
	}
}
