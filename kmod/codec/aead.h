/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One AEAD operation and one rekey step: AES-256-GCM by the kernel's crypto
 * interface, with transforms lent from a bounded pool for each node
 * (wire-protocol sections 6.1 and 6.4).
 *
 * Floor 0: no struct net. Kernel only.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AEAD_H
#define OCKAM_AEAD_H

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "limits.h"

struct ockam_aead_op;
struct ockam_aead_slot;
struct sk_buff;

/* Transforms of one node at most. Beyond it keys that rest give theirs up. */
#define OCKAM_AEAD_POOL_MAX	4096
#define OCKAM_AEAD_CHUNK_SLOTS	64
#define OCKAM_AEAD_DESKS	16
#define OCKAM_AEAD_CHUNKS	DIV_ROUND_UP(OCKAM_AEAD_POOL_MAX, \
					     OCKAM_AEAD_CHUNK_SLOTS)

/* Where one gets a key set, chosen by ->id: so each key has one transform. */
struct ockam_aead_desk {
	struct mutex lock;		/* who sets a key here */
	struct ockam_aead_slot *last;
};

/*
 * The transforms of one node. Its members are for aead_pool.c only.
 *
 * Born:   ockam_aead_pool_init(), inside the node.
 * Refs:   none; the node outlives its channels, and these their operations.
 * Locks:  ->desks[].lock (mutex) while a key is set; each guards its ->last.
 *         ->lock (mutex, below that, innermost) serialises those who look for
 *         another transform, and guards ->n_slots, ->hand, and taking from the
 *         lists. Operations with a key whose transform is there take none.
 * Dies:   ockam_aead_pool_exit().
 */
struct ockam_aead_pool {
	struct mutex lock;		/* who looks for another transform */
	struct llist_head ready;	/* owned: transforms of keys that are gone */
	struct llist_head empty;	/* owned: no transform */
	unsigned int n_slots;		/* that have ever been used */
	unsigned int limit;		/* of them, OCKAM_AEAD_POOL_MAX at most */
	unsigned int hand;		/* goes round the slots when all are in use */
	atomic_t transforms;
	atomic_t hurry;			/* the next sweep is within a second */
	unsigned long aged;		/* jiffies */
	struct delayed_work sweep_work;
	struct list_head list;		/* of all pools */
	struct ockam_aead_desk desks[OCKAM_AEAD_DESKS];
	/* Slots stay where they are, for the hints in keys. */
	struct ockam_aead_slot *chunks[OCKAM_AEAD_CHUNKS];
};

/* May fail. Process context. */
int ockam_aead_pool_init(struct ockam_aead_pool *pool);
/*
 * Wipes and frees all. Nothing is in flight any more, and every key that was
 * used with the pool has been wiped: keys point to its slots. Process context,
 * sleeps.
 */
void ockam_aead_pool_exit(struct ockam_aead_pool *pool);

/*
 * A channel key: bytes, and a hint which slot of the pool was last keyed with
 * it. ->id is unique among all keys of this boot, so a slot that another key
 * has taken in the meantime is recognised. May be copied and moved. A key is
 * used with one pool, and not after that has gone.
 *
 * Locks: none; the owner serialises.
 * Dies:  ockam_aead_key_wipe(), which also takes the key out of the pool. A
 *        mere copy dies by memzero_explicit().
 */
struct ockam_aead_key {
	u64 id;				/* 0: no key */
	struct ockam_aead_slot *hint;
	u8 bytes[OCKAM_KEY_LEN];
};

/* Copies 32 bytes. Any context. */
void ockam_aead_key_install(struct ockam_aead_key *key, const u8 *bytes);
/*
 * The key of the next interval: @next = rekey(@key). Needs no transform: two
 * AES block operations. Any context.
 */
void ockam_aead_key_next(struct ockam_aead_key *next,
			 const struct ockam_aead_key *key);
/*
 * Wipes the bytes; the pool's copy at ->hint goes within a second after its last
 * use. Who uses a copy of the key after that leaves it in the pool again, where it
 * goes within 20 seconds, or when that copy is wiped by this function as well. Any
 * context. No-op without a key.
 */
void ockam_aead_key_wipe(struct ockam_aead_key *key);

/*
 * Reserve all that one operation needs: a transform keyed with @key, and a
 * request with room for @n_sg scatterlist entries, source and destination
 * together. Updates @key->hint. Process context, may sleep; when each of the
 * node's transforms has a request in flight, up to a second for one of them.
 * NULL without memory.
 */
struct ockam_aead_op *ockam_aead_reserve(struct ockam_aead_pool *pool,
					 struct ockam_aead_key *key,
					 unsigned int n_sg);
/* Entries that any part of @skb needs at most. */
unsigned int ockam_aead_count_skb(const struct sk_buff *skb);

typedef void (*ockam_aead_done_fn)(void *data, int err);

/*
 * Seal @len bytes at @off of @skb in place; the 16 bytes behind them, part of
 * the skb already, become the tag. @nonce: the packet's. Consumes @op.
 *
 * Any context but with hard interrupts off; never sleeps. -EINPROGRESS: @done
 * is called once, from any context and perhaps before this returns, with @data
 * and 0 or an error; until then all of @skb is in use. Otherwise it has finished
 * (0 or an error), and @done is not called.
 */
int ockam_aead_seal_skb(struct ockam_aead_op *op, struct sk_buff *skb,
			unsigned int off, unsigned int len, u64 nonce,
			ockam_aead_done_fn done, void *data);
/*
 * Open @len bytes, ciphertext and tag, at @off of @src into @dst at @dst_off,
 * where there is room for the plaintext, which is 16 bytes shorter. @src is not
 * written to. Or in place: @dst == @src and @dst_off == @off. Consumes @op.
 *
 * Process context, sleeps until an asynchronous driver has finished. Returns 0,
 * -EBADMSG (the tag does not verify; the plaintext is then garbage) or another
 * error of the driver.
 */
int ockam_aead_open_skb(struct ockam_aead_op *op, struct sk_buff *src,
			unsigned int off, unsigned int len, struct sk_buff *dst,
			unsigned int dst_off, u64 nonce);
/* Instead of an operation. Any context. */
void ockam_aead_release(struct ockam_aead_op *op);

/*
 * Free now all transforms, of all pools, that have no request in flight, and
 * with them the keys that were wiped. Process context, sleeps.
 */
void ockam_aead_flush(void);

int ockam_aead_init(void);
void ockam_aead_exit(void);

#endif /* OCKAM_AEAD_H */
