/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a node. A drop reason is a counter, and the tracepoint that
 * reports drops shows its name.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_MIB_H
#define OCKAM_MIB_H

#include <linux/types.h>

/* The names that people see are in mib.c. */
enum ockam_mib {
	OCKAM_MIB_MESSAGES_DELIVERED,
	OCKAM_MIB_MESSAGES_SENT_LOCAL,
	OCKAM_MIB_LINK_FRAMES_RX,
	OCKAM_MIB_LINK_FRAMES_TX,
	OCKAM_MIB_LINK_HEARTBEATS,
	OCKAM_MIB_LINK_PAUSES,
	OCKAM_MIB_LINKS_OPENED,
	OCKAM_MIB_LINKS_CLOSED,
	OCKAM_MIB_LINKS_FAILED_VERSION,
	OCKAM_MIB_LINKS_FAILED_FRAME,
	OCKAM_MIB_LINKS_FAILED_TOO_LARGE,
	OCKAM_MIB_LINKS_FAILED_HALF_FRAME,
	OCKAM_MIB_LINKS_FAILED_STALL,
	OCKAM_MIB_LINKS_FAILED_IO,
	OCKAM_MIB_LINKS_FAILED_EVICTED,
	OCKAM_MIB_CHANNELS_OPENED,
	OCKAM_MIB_CHANNELS_CLOSED,
	OCKAM_MIB_CHANNEL_PACKETS_RX,
	OCKAM_MIB_CHANNEL_PACKETS_TX,
	OCKAM_MIB_CHANNEL_REKEYS,
	OCKAM_MIB_CHANNEL_ROUTE_UPDATES,
	OCKAM_MIB_CHANNEL_PROBES,	/* silent peers asked */
	OCKAM_MIB_CHANNELS_SILENT,	/* ended since the peer did not answer */
	OCKAM_MIB_CHANNELS_STRANDED,	/* ended without a way to the peer */
	OCKAM_MIB_CHANNELS_MACHINE,	/* ended since the machine was copied or sleeps */
	OCKAM_MIB_HANDSHAKES_STARTED,
	OCKAM_MIB_HANDSHAKES_DONE,
	OCKAM_MIB_HANDSHAKES_FAILED,
	/* Why, one each. */
	OCKAM_MIB_HANDSHAKES_FAILED_MALFORMED,	/* a message */
	OCKAM_MIB_HANDSHAKES_FAILED_IDENTITY,	/* history, attestation, signature, key */
	OCKAM_MIB_HANDSHAKES_FAILED_EXPIRED,
	OCKAM_MIB_HANDSHAKES_FAILED_HISTORY,	/* another one is known */
	OCKAM_MIB_HANDSHAKES_FAILED_TRUST,	/* ours does not let the peer in */
	OCKAM_MIB_HANDSHAKES_FAILED_REFUSED,	/* the peer's does not let us in */
	OCKAM_MIB_HANDSHAKES_FAILED_TIMEOUT,
	OCKAM_MIB_HANDSHAKES_FAILED_ROUTE,	/* no way to the peer, or no more */
	OCKAM_MIB_HANDSHAKES_FAILED_WORKER,	/* it has gone */
	OCKAM_MIB_HANDSHAKES_FAILED_STATE,	/* a step of the worker out of turn */
	OCKAM_MIB_HANDSHAKES_FAILED_HOLD,	/* too many packets before the keys */
	OCKAM_MIB_HANDSHAKES_FAILED_CANCELLED,	/* requester, listener, node */
	OCKAM_MIB_HANDSHAKES_FAILED_RESOURCES,	/* a limit, or no memory */
	OCKAM_MIB_HANDSHAKES_FAILED_MACHINE,	/* it was copied, or sleeps */
	OCKAM_MIB_HANDSHAKES_FAILED_OTHER,
	OCKAM_MIB_EVENTS_LOST,	/* netlink: no memory, or the receiver is full */

	/* Reasons for drops, one each. */
	OCKAM_DROP_NO_ADDRESS,	/* first hop unknown */
	OCKAM_DROP_NOT_LOCAL,	/* first hop has a type */
	OCKAM_DROP_NO_ROUTE,	/* onward route empty */
	OCKAM_DROP_DENIED,	/* reachability */
	OCKAM_DROP_DEAD,	/* endpoint going away */
	OCKAM_DROP_BUDGET,	/* work budget spent */
	OCKAM_DROP_ROUTE_LIMIT,	/* hops or bytes */
	OCKAM_DROP_TOO_LARGE,	/* above the frame limit */
	OCKAM_DROP_DEPTH,	/* channels in channels */
	OCKAM_DROP_NO_MEMORY,
	OCKAM_DROP_SOCKET_FULL,	/* datagram receive queue */
	OCKAM_DROP_SOCKET_PEER,	/* not from the connected route */
	OCKAM_DROP_SOCKET_FILTER,	/* SO_ATTACH_FILTER, a security module */
	OCKAM_DROP_LINK_DOWN,
	OCKAM_DROP_PACKET_SHORT,	/* below nonce and tag */
	OCKAM_DROP_PACKET_TOO_OLD,
	OCKAM_DROP_PACKET_TOO_FAR,
	OCKAM_DROP_PACKET_REPLAYED,
	OCKAM_DROP_PACKET_NO_KEY,
	OCKAM_DROP_PACKET_BAD_TAG,
	OCKAM_DROP_PACKET_MALFORMED,	/* opened, not decoded */
	OCKAM_DROP_PACKET_ROUTE,	/* unusable new route */
	OCKAM_DROP_CHANNEL_DEAD,
	OCKAM_DROP_CHANNEL_EXPIRED,
	OCKAM_DROP_CHANNEL_NO_ROUTE,	/* no way to the peer now */
	OCKAM_DROP_HANDSHAKE_NO_WORKER,
	OCKAM_DROP_HANDSHAKE_LIMIT,	/* pending, node */
	OCKAM_DROP_HANDSHAKE_LINK_LIMIT,
	OCKAM_DROP_HANDSHAKE_BACKLOG,	/* of a listening socket */
	OCKAM_DROP_HANDSHAKE_RATE,
	OCKAM_DROP_HANDSHAKE_TOO_LARGE,
	OCKAM_DROP_HANDSHAKE_STATE,	/* not expected now */
	OCKAM_DROP_HANDSHAKE_HOLD,	/* hold queue over */
	OCKAM_DROP_HANDSHAKE_STRAY,	/* no message of this handshake */
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
