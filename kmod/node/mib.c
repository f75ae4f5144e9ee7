// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of a node, per processor.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/percpu.h>

#include "mib.h"
#include "netns.h"

static const char * const ockam_mib_names[] = {
	[OCKAM_MIB_MESSAGES_DELIVERED] = "messages_delivered",
	[OCKAM_MIB_MESSAGES_SENT_LOCAL] = "messages_sent_local",
	[OCKAM_MIB_LINK_FRAMES_RX] = "link_frames_rx",
	[OCKAM_MIB_LINK_FRAMES_TX] = "link_frames_tx",
	[OCKAM_MIB_LINK_HEARTBEATS] = "link_heartbeats",
	[OCKAM_MIB_LINK_PAUSES] = "link_pauses",
	[OCKAM_MIB_LINKS_OPENED] = "links_opened",
	[OCKAM_MIB_LINKS_CLOSED] = "links_closed",
	[OCKAM_MIB_LINKS_FAILED_VERSION] = "links_failed_version",
	[OCKAM_MIB_LINKS_FAILED_FRAME] = "links_failed_frame",
	[OCKAM_MIB_LINKS_FAILED_TOO_LARGE] = "links_failed_too_large",
	[OCKAM_MIB_LINKS_FAILED_HALF_FRAME] = "links_failed_half_frame",
	[OCKAM_MIB_LINKS_FAILED_STALL] = "links_failed_stall",
	[OCKAM_MIB_LINKS_FAILED_IO] = "links_failed_io",
	[OCKAM_MIB_LINKS_FAILED_EVICTED] = "links_failed_evicted",
	[OCKAM_MIB_CHANNELS_OPENED] = "channels_opened",
	[OCKAM_MIB_CHANNELS_CLOSED] = "channels_closed",
	[OCKAM_MIB_CHANNEL_PACKETS_RX] = "channel_packets_rx",
	[OCKAM_MIB_CHANNEL_PACKETS_TX] = "channel_packets_tx",
	[OCKAM_MIB_CHANNEL_REKEYS] = "channel_rekeys",
	[OCKAM_MIB_CHANNEL_ROUTE_UPDATES] = "channel_route_updates",
	[OCKAM_MIB_CHANNEL_PROBES] = "channel_probes",
	[OCKAM_MIB_CHANNELS_SILENT] = "channels_silent",
	[OCKAM_MIB_CHANNELS_STRANDED] = "channels_stranded",
	[OCKAM_MIB_CHANNELS_MACHINE] = "channels_machine",
	[OCKAM_MIB_HANDSHAKES_STARTED] = "handshakes_started",
	[OCKAM_MIB_HANDSHAKES_DONE] = "handshakes_done",
	[OCKAM_MIB_HANDSHAKES_FAILED] = "handshakes_failed",
	[OCKAM_MIB_HANDSHAKES_FAILED_MALFORMED] = "handshakes_failed_malformed",
	[OCKAM_MIB_HANDSHAKES_FAILED_IDENTITY] = "handshakes_failed_identity",
	[OCKAM_MIB_HANDSHAKES_FAILED_EXPIRED] = "handshakes_failed_expired",
	[OCKAM_MIB_HANDSHAKES_FAILED_HISTORY] = "handshakes_failed_history",
	[OCKAM_MIB_HANDSHAKES_FAILED_TRUST] = "handshakes_failed_trust",
	[OCKAM_MIB_HANDSHAKES_FAILED_REFUSED] = "handshakes_failed_refused",
	[OCKAM_MIB_HANDSHAKES_FAILED_TIMEOUT] = "handshakes_failed_timeout",
	[OCKAM_MIB_HANDSHAKES_FAILED_ROUTE] = "handshakes_failed_route",
	[OCKAM_MIB_HANDSHAKES_FAILED_WORKER] = "handshakes_failed_worker",
	[OCKAM_MIB_HANDSHAKES_FAILED_STATE] = "handshakes_failed_state",
	[OCKAM_MIB_HANDSHAKES_FAILED_HOLD] = "handshakes_failed_hold",
	[OCKAM_MIB_HANDSHAKES_FAILED_CANCELLED] = "handshakes_failed_cancelled",
	[OCKAM_MIB_HANDSHAKES_FAILED_RESOURCES] = "handshakes_failed_resources",
	[OCKAM_MIB_HANDSHAKES_FAILED_MACHINE] = "handshakes_failed_machine",
	[OCKAM_MIB_HANDSHAKES_FAILED_OTHER] = "handshakes_failed_other",
	[OCKAM_MIB_EVENTS_LOST] = "events_lost",
	[OCKAM_DROP_NO_ADDRESS] = "drop_no_address",
	[OCKAM_DROP_NOT_LOCAL] = "drop_not_local",
	[OCKAM_DROP_NO_ROUTE] = "drop_no_route",
	[OCKAM_DROP_DENIED] = "drop_denied",
	[OCKAM_DROP_DEAD] = "drop_dead",
	[OCKAM_DROP_BUDGET] = "drop_budget",
	[OCKAM_DROP_ROUTE_LIMIT] = "drop_route_limit",
	[OCKAM_DROP_TOO_LARGE] = "drop_too_large",
	[OCKAM_DROP_DEPTH] = "drop_depth",
	[OCKAM_DROP_NO_MEMORY] = "drop_no_memory",
	[OCKAM_DROP_SOCKET_FULL] = "drop_socket_full",
	[OCKAM_DROP_SOCKET_PEER] = "drop_socket_peer",
	[OCKAM_DROP_SOCKET_FILTER] = "drop_socket_filter",
	[OCKAM_DROP_LINK_DOWN] = "drop_link_down",
	[OCKAM_DROP_PACKET_SHORT] = "drop_packet_short",
	[OCKAM_DROP_PACKET_TOO_OLD] = "drop_packet_too_old",
	[OCKAM_DROP_PACKET_TOO_FAR] = "drop_packet_too_far",
	[OCKAM_DROP_PACKET_REPLAYED] = "drop_packet_replayed",
	[OCKAM_DROP_PACKET_NO_KEY] = "drop_packet_no_key",
	[OCKAM_DROP_PACKET_BAD_TAG] = "drop_packet_bad_tag",
	[OCKAM_DROP_PACKET_MALFORMED] = "drop_packet_malformed",
	[OCKAM_DROP_PACKET_ROUTE] = "drop_packet_route",
	[OCKAM_DROP_CHANNEL_DEAD] = "drop_channel_dead",
	[OCKAM_DROP_CHANNEL_EXPIRED] = "drop_channel_expired",
	[OCKAM_DROP_CHANNEL_NO_ROUTE] = "drop_channel_no_route",
	[OCKAM_DROP_HANDSHAKE_NO_WORKER] = "drop_handshake_no_worker",
	[OCKAM_DROP_HANDSHAKE_LIMIT] = "drop_handshake_limit",
	[OCKAM_DROP_HANDSHAKE_LINK_LIMIT] = "drop_handshake_link_limit",
	[OCKAM_DROP_HANDSHAKE_BACKLOG] = "drop_handshake_backlog",
	[OCKAM_DROP_HANDSHAKE_RATE] = "drop_handshake_rate",
	[OCKAM_DROP_HANDSHAKE_TOO_LARGE] = "drop_handshake_too_large",
	[OCKAM_DROP_HANDSHAKE_STATE] = "drop_handshake_state",
	[OCKAM_DROP_HANDSHAKE_HOLD] = "drop_handshake_hold",
	[OCKAM_DROP_HANDSHAKE_STRAY] = "drop_handshake_stray",
};

void ockam_mib_add(struct ockam_net *on, enum ockam_mib which, u64 n)
{
	this_cpu_add(on->mib->v[which], n);
}

u64 ockam_mib_read(const struct ockam_net *on, enum ockam_mib which)
{
	u64 sum = 0;
	int cpu;

	/*
	 * On 32-bit machines a reader may see a torn value once in 2^32
	 * events; counters are for people, and the next reading is right.
	 */
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(on->mib, cpu)->v[which]);
	return sum;
}

const char *ockam_mib_name(enum ockam_mib which)
{
	BUILD_BUG_ON(ARRAY_SIZE(ockam_mib_names) != __OCKAM_MIB_MAX);

	return ockam_mib_names[which];
}
