/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the protocol fixes, and where a node keeps the limits that it may change
 * (limits_table.h).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIMITS_H
#define OCKAM_LIMITS_H

#ifdef OCKAM_HOST
#include "host.h"
#else
#include <linux/types.h>
#endif
#include <linux/ockam.h>
#include <linux/ockam_netlink.h>

#define OCKAM_MODULE_VERSION	"0.1.0"

/* Fixed by the protocol (wire-protocol sections 2, 5, 6). */
#define OCKAM_STREAM_VERSION	0x01		/* preamble of a stream link */
#define OCKAM_FRAME_HDR_LEN	4		/* u32 big endian: length of the body */
#define OCKAM_FRAME_MAX_BYTES	(16u << 20)	/* no implementation sends more */
#define OCKAM_NONCE_LEN		8		/* u64 big endian, before the ciphertext */
#define OCKAM_TAG_LEN		16		/* AES-256-GCM tag, behind it */
#define OCKAM_REKEY_INTERVAL	32		/* messages under one key */
#define OCKAM_WINDOW_BACK	32		/* accepted distance below the highest nonce */
#define OCKAM_WINDOW_AHEAD	32		/* accepted distance above it */

#define OCKAM_RANDOM_NAME_LEN	32		/* hex digits of a random address */

/* Exchanges: messages held until keys arrive (architecture section 6). */
#define OCKAM_HOLD_MAX_MESSAGES	32
#define OCKAM_HOLD_MAX_BYTES	(64u << 10)
/* Skipped before msg3. With more lost packets no window lets the next one in. */
#define OCKAM_HANDSHAKE_SKIPS_MAX	OCKAM_WINDOW_AHEAD

/* Work budget: deliveries caused by one message before it is dropped. */
#define OCKAM_DISPATCH_BUDGET	64

/*
 * Limits of one node, indexed by enum ockam_limit_attr. Read with READ_ONCE()
 * anywhere, written under the node's configuration mutex.
 */
struct ockam_limits {
	u64 v[__OCKAM_LIMIT_MAX];
};

#endif /* OCKAM_LIMITS_H */
