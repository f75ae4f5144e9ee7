/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a node. One list serves the counters, their names and the
 * tracepoint that reports drops: a drop reason is a counter.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_MIB_H
#define OCKAM_MIB_H

#include <linux/types.h>

/* X(symbol, "name shown to people") */
#define OCKAM_MIB_COUNTS(X)						\
	X(MESSAGES_DELIVERED, "messages_delivered")			\
	X(MESSAGES_SENT_LOCAL, "messages_sent_local")			\
	X(LINK_FRAMES_RX, "link_frames_rx")				\
	X(LINK_FRAMES_TX, "link_frames_tx")				\
	X(LINK_HEARTBEATS, "link_heartbeats")				\
	X(LINK_PAUSES, "link_pauses")					\
	X(LINKS_OPENED, "links_opened")					\
	X(LINKS_CLOSED, "links_closed")					\
	X(LINKS_FAILED_VERSION, "links_failed_version")			\
	X(LINKS_FAILED_FRAME, "links_failed_frame")			\
	X(LINKS_FAILED_TOO_LARGE, "links_failed_too_large")		\
	X(LINKS_FAILED_HALF_FRAME, "links_failed_half_frame")		\
	X(LINKS_FAILED_STALL, "links_failed_stall")			\
	X(LINKS_FAILED_IO, "links_failed_io")				\
	X(LINKS_FAILED_EVICTED, "links_failed_evicted")			\
	X(CHANNELS_OPENED, "channels_opened")				\
	X(CHANNELS_CLOSED, "channels_closed")				\
	X(CHANNEL_PACKETS_RX, "channel_packets_rx")			\
	X(CHANNEL_PACKETS_TX, "channel_packets_tx")			\
	X(CHANNEL_REKEYS, "channel_rekeys")				\
	X(CHANNEL_ROUTE_UPDATES, "channel_route_updates")		\
	X(HANDSHAKES_STARTED, "handshakes_started")			\
	X(HANDSHAKES_DONE, "handshakes_done")				\
	X(HANDSHAKES_FAILED, "handshakes_failed")			\
	X(HANDSHAKES_TIMED_OUT, "handshakes_timed_out")

#define OCKAM_MIB_DROPS(X)						\
	X(NO_ADDRESS, "drop_no_address")	/* first hop unknown */	\
	X(NOT_LOCAL, "drop_not_local")		/* first hop has a type */ \
	X(NO_ROUTE, "drop_no_route")		/* onward route empty */ \
	X(DENIED, "drop_denied")		/* reachability */	\
	X(DEAD, "drop_dead")			/* endpoint going away */ \
	X(BUDGET, "drop_budget")		/* work budget spent */	\
	X(ROUTE_LIMIT, "drop_route_limit")	/* hops or bytes */	\
	X(TOO_LARGE, "drop_too_large")		/* above the frame limit */ \
	X(DEPTH, "drop_depth")			/* channels in channels */ \
	X(NO_MEMORY, "drop_no_memory")					\
	X(SOCKET_FULL, "drop_socket_full")	/* datagram receive queue */ \
	X(SOCKET_PEER, "drop_socket_peer")	/* not from the connected route */ \
	X(LINK_DOWN, "drop_link_down")					\
	X(PACKET_SHORT, "drop_packet_short")	/* below nonce and tag */ \
	X(PACKET_TOO_OLD, "drop_packet_too_old")			\
	X(PACKET_TOO_FAR, "drop_packet_too_far")			\
	X(PACKET_REPLAYED, "drop_packet_replayed")			\
	X(PACKET_NO_KEY, "drop_packet_no_key")				\
	X(PACKET_BAD_TAG, "drop_packet_bad_tag")			\
	X(PACKET_MALFORMED, "drop_packet_malformed")	/* opened, not decoded */ \
	X(PACKET_ROUTE, "drop_packet_route")	/* unusable new route */ \
	X(CHANNEL_DEAD, "drop_channel_dead")				\
	X(CHANNEL_EXPIRED, "drop_channel_expired")			\
	X(HANDSHAKE_NO_WORKER, "drop_handshake_no_worker")		\
	X(HANDSHAKE_LIMIT, "drop_handshake_limit")	/* pending, node */ \
	X(HANDSHAKE_LINK_LIMIT, "drop_handshake_link_limit")		\
	X(HANDSHAKE_RATE, "drop_handshake_rate")			\
	X(HANDSHAKE_TOO_LARGE, "drop_handshake_too_large")		\
	X(HANDSHAKE_STATE, "drop_handshake_state")	/* not expected now */ \
	X(HANDSHAKE_HOLD, "drop_handshake_hold")	/* hold queue over */

enum ockam_mib {
#define X(sym, name) OCKAM_MIB_##sym,
	OCKAM_MIB_COUNTS(X)
#undef X
	__OCKAM_MIB_COUNTS,
	__OCKAM_MIB_BEFORE_DROPS = __OCKAM_MIB_COUNTS - 1,
#define X(sym, name) OCKAM_DROP_##sym,
	OCKAM_MIB_DROPS(X)
#undef X
	__OCKAM_MIB_MAX
};

struct ockam_mib_table {
	u64 v[__OCKAM_MIB_MAX];
};

struct ockam_net;

/* Any context. */
void ockam_mib_add(struct ockam_net *on, enum ockam_mib which, u64 n);
static inline void ockam_mib_inc(struct ockam_net *on, enum ockam_mib which)
{
	ockam_mib_add(on, which, 1);
}

/* Sum over the processors; not a snapshot. */
u64 ockam_mib_read(const struct ockam_net *on, enum ockam_mib which);
/* Name as people see it, never NULL for which < __OCKAM_MIB_MAX. */
const char *ockam_mib_name(enum ockam_mib which);

#endif /* OCKAM_MIB_H */
