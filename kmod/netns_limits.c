// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of a node: their defaults, and what they may be set to.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "netns.h"

static const u64 ockam_netns_defaults[__OCKAM_LIMIT_MAX] = {
	[OCKAM_LIMIT_ADDRESSES] = OCKAM_DEFAULT_ADDRESSES,
	[OCKAM_LIMIT_LINKS] = OCKAM_DEFAULT_LINKS,
	[OCKAM_LIMIT_CHANNELS] = OCKAM_DEFAULT_CHANNELS,
	[OCKAM_LIMIT_LISTENERS] = OCKAM_DEFAULT_LISTENERS,
	[OCKAM_LIMIT_PENDING] = OCKAM_DEFAULT_PENDING,
	[OCKAM_LIMIT_PENDING_LINK] = OCKAM_DEFAULT_PENDING_LINK,
	[OCKAM_LIMIT_PENDING_RATE] = OCKAM_DEFAULT_PENDING_RATE,
	[OCKAM_LIMIT_FRAME_BYTES] = OCKAM_DEFAULT_FRAME_BYTES,
	[OCKAM_LIMIT_LINK_QUEUE_BYTES] = OCKAM_DEFAULT_LINK_QUEUE_BYTES,
	[OCKAM_LIMIT_NODE_QUEUE_BYTES] = OCKAM_DEFAULT_NODE_QUEUE_BYTES,
	[OCKAM_LIMIT_PARTIAL_BYTES] = OCKAM_DEFAULT_PARTIAL_BYTES,
	[OCKAM_LIMIT_CHANNEL_DEPTH] = OCKAM_DEFAULT_CHANNEL_DEPTH,
	[OCKAM_LIMIT_STALL_MS] = OCKAM_DEFAULT_STALL_MS,
	[OCKAM_LIMIT_HALF_FRAME_MS] = OCKAM_DEFAULT_HALF_FRAME_MS,
	[OCKAM_LIMIT_INITIATOR_MS] = OCKAM_DEFAULT_INITIATOR_MS,
	[OCKAM_LIMIT_RESPONDER_MS] = OCKAM_DEFAULT_RESPONDER_MS,
	[OCKAM_LIMIT_USER_ADDRESSES] = OCKAM_DEFAULT_USER_ADDRESSES,
};

/* What makes sense at all, whoever asks. */
static const struct ockam_netns_bounds {
	u64 min;
	u64 max;
} ockam_netns_bounds[OCKAM_LIMIT_MAX + 1] = {
	[OCKAM_LIMIT_ADDRESSES] = { 0, 1 << 24 },
	[OCKAM_LIMIT_LINKS] = { 0, 1 << 24 },
	[OCKAM_LIMIT_CHANNELS] = { 0, 1 << 24 },
	[OCKAM_LIMIT_LISTENERS] = { 0, 1 << 24 },
	[OCKAM_LIMIT_PENDING] = { 0, 1 << 20 },
	[OCKAM_LIMIT_PENDING_LINK] = { 0, 1 << 20 },
	[OCKAM_LIMIT_PENDING_RATE] = { 0, 1000000 },
	[OCKAM_LIMIT_FRAME_BYTES] = { 64, OCKAM_FRAME_MAX_BYTES },
	[OCKAM_LIMIT_LINK_QUEUE_BYTES] = { 1, 1ull << 30 },
	[OCKAM_LIMIT_NODE_QUEUE_BYTES] = { 1, 1ull << 40 },
	[OCKAM_LIMIT_PARTIAL_BYTES] = { 1, 1ull << 40 },
	[OCKAM_LIMIT_CHANNEL_DEPTH] = { 1, 255 },
	[OCKAM_LIMIT_STALL_MS] = { 1, 86400000 },
	[OCKAM_LIMIT_HALF_FRAME_MS] = { 1, 86400000 },
	[OCKAM_LIMIT_INITIATOR_MS] = { 1, 86400000 },
	[OCKAM_LIMIT_RESPONDER_MS] = { 1, 86400000 },
	[OCKAM_LIMIT_USER_ADDRESSES] = { 0, 1 << 24 },
};

int ockam_netns_check_limit(enum ockam_limit_attr which, u64 value,
			    bool may_raise, const char **why)
{
	if (value < ockam_netns_bounds[which].min ||
	    value > ockam_netns_bounds[which].max) {
		*why = "the value is outside of what this limit can be";
		return -ERANGE;
	}
	if (value > ockam_netns_default_limit(which) && !may_raise) {
		*why = "only root of the initial user namespace may raise it above the default";
		return -EPERM;
	}
	return 0;
}

u64 ockam_netns_default_limit(enum ockam_limit_attr which)
{
	return ockam_netns_defaults[which];
}

void ockam_netns_set_limit(struct ockam_net *on, enum ockam_limit_attr which,
			   u64 value)
{
	lockdep_assert_held(&on->config_lock);
	WRITE_ONCE(on->limits.v[which], value);
	if (which == OCKAM_LIMIT_NODE_QUEUE_BYTES)
		ockam_gate_set_limit(&on->memory, value);
}

void ockam_netns_reset_limits(struct ockam_net *on)
{
	memcpy(on->limits.v, ockam_netns_defaults, sizeof(on->limits.v));
	ockam_gate_set_limit(&on->memory,
			     on->limits.v[OCKAM_LIMIT_NODE_QUEUE_BYTES]);
}
