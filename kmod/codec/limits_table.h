/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The limits of a node: name in enum ockam_limit_attr, file below
 * /proc/sys/net/ockam/, default, least and most that it may be set to.
 * Whoever includes this defines L() before and undefines it afterwards.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
L(ADDRESSES, max_addresses, 262144, 0, 1 << 24)
L(LINKS, max_links, 16384, 0, 1 << 24)
L(CHANNELS, max_channels, 131072, 0, 1 << 24)
L(LISTENERS, max_listeners, 1024, 0, 1 << 24)
L(PENDING, max_pending, 1024, 0, 1 << 20)
L(PENDING_LINK, max_pending_per_link, 64, 0, 1 << 20)
L(PENDING_RATE, max_pending_rate, 5000, 0, 1000000)
L(FRAME_BYTES, max_frame_bytes, 1 << 20, 64, OCKAM_FRAME_MAX_BYTES)
L(LINK_QUEUE_BYTES, link_queue_bytes, 4 << 20, 1, 1 << 30)
L(NODE_QUEUE_BYTES, node_queue_bytes, 256 << 20, 1, 1ull << 40)
L(PARTIAL_BYTES, partial_bytes, 64 << 20, 1, 1ull << 40)
L(CHANNEL_DEPTH, max_channel_depth, 8, 1, 255)
L(STALL_MS, stall_ms, 30000, 1, 86400000)
L(HALF_FRAME_MS, half_frame_ms, 30000, 1, 86400000)
L(INITIATOR_MS, initiator_ms, 120000, 1, 86400000)
L(RESPONDER_MS, responder_ms, 30000, 1, 86400000)
L(USER_ADDRESSES, max_addresses_per_user, 16384, 0, 1 << 24)
L(STRANDED_MS, stranded_ms, 30000, 1, 86400000)
