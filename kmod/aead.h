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
 * A channel key: bytes, and a hint which slot of the pool was last keyed with
 * it. ->id is unique among all keys of this boot, so a slot that another key
 * has taken in the meantime is recognised. May be copied and moved.
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
 * use. Requests that met the key without a hint at the same moment may have left
 * it in other slots too, where it goes within 20 seconds. Any context. No-op
 * without a key.
 */
void ockam_aead_key_wipe(struct ockam_aead_key *key);

/*
 * Reserve all that one operation needs on at most @room bytes inside the
 * linear buffer (kmalloc or vmalloc memory) that @buf points into: a transform
 * keyed with @key, and the request. Process context, may sleep, also for a
 * transform to come free. Updates @key->hint. NULL without memory.
 */
struct ockam_aead_op *ockam_aead_prepare(struct ockam_aead_key *key,
					 const u8 *buf, size_t room);
/*
 * Seal @len bytes at @buf in place: 16 bytes of tag are written behind them.
 * Open @len bytes in place: ciphertext and tag, so at least 16; the plaintext
 * is 16 bytes shorter. @nonce: the packet's. Consume @op.
 *
 * Process context, no spinlock held: sleeps until an asynchronous driver has
 * finished, backlog included. Returns 0, -EBADMSG (open: the tag does not
 * verify; the bytes are then garbage) or another error of the driver.
 */
int ockam_aead_seal(struct ockam_aead_op *op, u8 *buf, size_t len, u64 nonce);
int ockam_aead_open(struct ockam_aead_op *op, u8 *buf, size_t len, u64 nonce);
/* Instead of an operation. Any context. */
void ockam_aead_release(struct ockam_aead_op *op);

/* Free now what had a key that was wiped. Process context, sleeps. */
void ockam_aead_flush(void);

int ockam_aead_init(void);
void ockam_aead_exit(void);

#endif /* OCKAM_AEAD_H */
