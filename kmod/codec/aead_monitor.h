/* SPDX-License-Identifier: GPL-2.0 */
/*
 * No nonce is used twice with a key: who seals with the same pair again gives
 * the key stream and the tag's key away. Test kernels look at each.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AEAD_MONITOR_H
#define OCKAM_AEAD_MONITOR_H

#include <linux/types.h>

#ifdef OCKAM_NONCE_MONITOR

int ockam_aead_monitor_init(void);
void ockam_aead_monitor_exit(void);
/* Stands for a key: the same for the same bytes, whatever they came from. */
u64 ockam_aead_monitor_digest(const u8 *key);
/* Complains when the pair has been there before. Any context. */
void ockam_aead_monitor_seal(u64 digest, u64 nonce);

#else

static inline int ockam_aead_monitor_init(void)
{
	return 0;
}

static inline void ockam_aead_monitor_exit(void)
{
}

#endif

#endif /* OCKAM_AEAD_MONITOR_H */
