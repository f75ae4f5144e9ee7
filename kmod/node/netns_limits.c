// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of a node: their defaults, and what they may be set to.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/build_bug.h>

#include "netns.h"

static const struct {
	u64 initial;
	u64 min;
	u64 max;
} ockam_netns_limits[] = {
#define L(limit, file, initial, min, max)				\
	[OCKAM_LIMIT_##limit] = { initial, min, max },
#include "limits_table.h"
#undef L
};

int ockam_netns_check_limit(enum ockam_limit_attr which, u64 value,
			    bool may_raise, struct netlink_ext_ack *extack)
{
	if (value < ockam_netns_limits[which].min ||
	    value > ockam_netns_limits[which].max)
		return ockam_refuse(extack, -ERANGE,
				    "the value is outside of what this limit can be");
	if (value > ockam_netns_limits[which].initial && !may_raise)
		return ockam_refuse(extack, -EPERM,
				    "only root of the initial user namespace may raise it above the default");
	return 0;
}

void ockam_netns_set_limit(struct ockam_net *on, enum ockam_limit_attr which,
			   u64 value)
{
	lockdep_assert_held(&on->config_lock);
	WRITE_ONCE(on->limits.v[which], value);
	if (which == OCKAM_LIMIT_NODE_QUEUE_BYTES)
		ockam_gate_set_limit(&on->memory, value);
	else if (which == OCKAM_LIMIT_LINK_QUEUE_BYTES)
		ockam_link_set_queue_limit(on, value);
}

void ockam_netns_reset_limits(struct ockam_net *on)
{
	int which;

	BUILD_BUG_ON(ARRAY_SIZE(ockam_netns_limits) != __OCKAM_LIMIT_MAX);

	for (which = OCKAM_LIMIT_PAD + 1; which <= OCKAM_LIMIT_MAX; which++)
		on->limits.v[which] = ockam_netns_limits[which].initial;
	ockam_gate_set_limit(&on->memory,
			     on->limits.v[OCKAM_LIMIT_NODE_QUEUE_BYTES]);
}
