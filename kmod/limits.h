/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every bound of the module in one place: what the protocol fixes, and the
 * defaults of what a node may change (struct ockam_limits).
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

/* Defaults of struct ockam_limits. */
#define OCKAM_DEFAULT_ADDRESSES		262144
#define OCKAM_DEFAULT_LINKS		16384
#define OCKAM_DEFAULT_CHANNELS		131072
#define OCKAM_DEFAULT_LISTENERS		1024
#define OCKAM_DEFAULT_PENDING		1024
#define OCKAM_DEFAULT_PENDING_LINK	64
#define OCKAM_DEFAULT_PENDING_RATE	5000
#define OCKAM_DEFAULT_FRAME_BYTES	(1024u * 1024u)
#define OCKAM_DEFAULT_LINK_QUEUE_BYTES	(4u << 20)
#define OCKAM_DEFAULT_NODE_QUEUE_BYTES	(256u << 20)
#define OCKAM_DEFAULT_PARTIAL_BYTES	(64u << 20)
#define OCKAM_DEFAULT_CHANNEL_DEPTH	8
#define OCKAM_DEFAULT_STALL_MS		30000
#define OCKAM_DEFAULT_HALF_FRAME_MS	30000
#define OCKAM_DEFAULT_INITIATOR_MS	120000
#define OCKAM_DEFAULT_RESPONDER_MS	30000
#define OCKAM_DEFAULT_USER_ADDRESSES	16384

/*
 * Limits of one node, indexed by enum ockam_limit_attr. Read with READ_ONCE()
 * anywhere, written under the node's configuration mutex.
 */
struct ockam_limits {
	u64 v[__OCKAM_LIMIT_MAX];
};

#endif /* OCKAM_LIMITS_H */
