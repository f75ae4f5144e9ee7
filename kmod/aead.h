/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One AEAD operation and one rekey step: AES-256-GCM by the kernel's crypto
 * interface, with transforms lent from a bounded pool (wire-protocol sections
 * 6.1 and 6.4).
 *
 * Floor 0: no struct net. Kernel only.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AEAD_H
#define OCKAM_AEAD_H

#include "limits.h"

struct ockam_aead_op;
struct ockam_aead_slot;

/*
 * A channel key. It names no memory but a hint: which slot of the pool was
 * last keyed with it. ->id is unique among all keys of this boot, so a slot
 * that was taken by another key in the meantime is recognised.
 *
 * Locks: none; the owner keeps install/next/wipe apart from prepare.
 * Dies:  ockam_aead_key_wipe(), which also takes the key out of the pool.
 */
struct ockam_aead_key {
	u64 id;				/* 0: no key */
	struct ockam_aead_slot *hint;	/* READ_ONCE */
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
/* Wipes the bytes, and the pool's copy of them as soon as nobody uses it. */
void ockam_aead_key_wipe(struct ockam_aead_key *key);

/* How an operation ends: 0, -EBADMSG (the tag), or another error. */
typedef void (*ockam_aead_done_t)(void *arg, int error);

/*
 * Reserve all that one operation on at most @room linear bytes (vmalloc memory
 * too) needs: a transform keyed with @key and the request. Process context,
 * may sleep, also for a transform to come free. NULL without memory.
 */
struct ockam_aead_op *ockam_aead_prepare(struct ockam_aead_key *key,
					 size_t room);
/*
 * Seal @len bytes at @buf in place; 16 bytes of tag are written behind them.
 * Open @len bytes (ciphertext and tag, so at least 16) in place. @nonce is
 * used as in the packet. Process context, no locks held.
 * Returns 0 or an error when done, then @done is not called; -EINPROGRESS when
 * @done will be called, in any context. A refused backlog does not exist:
 * requests may always be queued.
 */
int ockam_aead_seal(struct ockam_aead_op *op, u8 *buf, size_t len, u64 nonce,
		    ockam_aead_done_t done, void *arg);
int ockam_aead_open(struct ockam_aead_op *op, u8 *buf, size_t len, u64 nonce,
		    ockam_aead_done_t done, void *arg);
/* After the end of the operation, or instead of it. Any context. NULL is fine. */
void ockam_aead_release(struct ockam_aead_op *op);

int ockam_aead_init(void);
void ockam_aead_exit(void);

#endif /* OCKAM_AEAD_H */
