/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every command takes, attribute by attribute. Included by netlink.c
 * (which builds the table of operations from it) and read by the test that
 * keeps the YAML specification equal to it: one attribute a line.
 *
 * Lengths and ranges are checked by these tables before any handler runs;
 * handlers check what must be there and what excludes what.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_NL_POLICY_H
#define OCKAM_NL_POLICY_H

#include <net/netlink.h>

#include "limits.h"
#include "netlink.h"

#define OCKAM_NL_MS_MAX	86400000	/* a day: longest time of an object */

/* Not const: the pointer in struct nla_policy is not, before 6.7. */
static struct netlink_range_validation ockam_nl_range_ms = {
	.min = 1,
	.max = OCKAM_NL_MS_MAX,
};

static struct netlink_range_validation ockam_nl_range_liveness = {
	.min = 0,
	.max = OCKAM_NL_MS_MAX,
};

static struct netlink_range_validation ockam_nl_range_id = {
	.min = 1,
	.max = U64_MAX,
};

static struct netlink_range_validation_signed ockam_nl_range_errno = {
	.min = -MAX_ERRNO,
	.max = 0,
};

static struct netlink_range_validation_signed ockam_nl_range_fd = {
	.min = 0,
	.max = INT_MAX,
};

/* Kinds of values. */
#define OCKAM_NL_NAME	NLA_POLICY_RANGE(NLA_BINARY, 1, OCKAM_ADDR_MAX_LEN)
#define OCKAM_NL_FLOW	NLA_POLICY_EXACT_LEN(OCKAM_FLOW_ID_LEN)
#define OCKAM_NL_IDENT	NLA_POLICY_EXACT_LEN(OCKAM_IDENTIFIER_LEN)
#define OCKAM_NL_KEY	NLA_POLICY_EXACT_LEN(OCKAM_KEY_LEN)
#define OCKAM_NL_MASK	NLA_POLICY_MASK(NLA_U32, OCKAM_REACH_ALL)
#define OCKAM_NL_IDS	NLA_POLICY_RANGE(NLA_BINARY, 0, \
				OCKAM_REACH_IDS_MAX * OCKAM_FLOW_ID_LEN)
#define OCKAM_NL_ROUTE	NLA_POLICY_RANGE(NLA_BINARY, 1, OCKAM_ROUTE_MAX_BYTES)
#define OCKAM_NL_OPAQUE	NLA_POLICY_RANGE(NLA_BINARY, 0, OCKAM_OPAQUE_MAX)
#define OCKAM_NL_ATTRS	NLA_POLICY_RANGE(NLA_BINARY, 0, OCKAM_ATTRIBUTES_MAX)
#define OCKAM_NL_BODY	{ .type = NLA_BINARY, .len = OCKAM_HANDSHAKE_MAX }
#define OCKAM_NL_MS	NLA_POLICY_FULL_RANGE(NLA_U32, &ockam_nl_range_ms)
#define OCKAM_NL_LIVE	NLA_POLICY_FULL_RANGE(NLA_U32, \
					      &ockam_nl_range_liveness)
#define OCKAM_NL_ID	NLA_POLICY_FULL_RANGE(NLA_U64, &ockam_nl_range_id)
#define OCKAM_NL_ERRNO	NLA_POLICY_FULL_RANGE_SIGNED(NLA_S32, \
						     &ockam_nl_range_errno)
#define OCKAM_NL_FD	NLA_POLICY_FULL_RANGE_SIGNED(NLA_S32, \
						     &ockam_nl_range_fd)

/* Commands without attributes: a table is needed for refusing all. */
static const struct nla_policy ockam_nl_policy_none[OCKAM_A_PAD + 1] = {
	[OCKAM_A_PAD] = { .type = NLA_REJECT },
};

static const struct nla_policy ockam_nl_policy_node_set[] = {
	[OCKAM_A_LIMITS] = NLA_POLICY_NESTED(ockam_nl_limits_policy),
};

static const struct nla_policy ockam_nl_policy_address_get[] = {
	[OCKAM_A_ADDRESS] = OCKAM_NL_NAME,
};

static const struct nla_policy ockam_nl_policy_handshake_fetch[] = {
	[OCKAM_A_EXCHANGE_ID] = OCKAM_NL_ID,
};

static const struct nla_policy ockam_nl_policy_handshake_send[] = {
	[OCKAM_A_EXCHANGE_ID] = OCKAM_NL_ID,
	[OCKAM_A_MESSAGE] = OCKAM_NL_BODY,
};

#define ockam_nl_policy_handshake_skip	ockam_nl_policy_handshake_fetch

static const struct nla_policy ockam_nl_policy_handshake_done[] = {
	[OCKAM_A_REACH] = OCKAM_NL_MASK,
	[OCKAM_A_REACH_IDS] = OCKAM_NL_IDS,
	[OCKAM_A_EXCHANGE_ID] = OCKAM_NL_ID,
	[OCKAM_A_ERRNO] = OCKAM_NL_ERRNO,
	[OCKAM_A_REASON] = { .type = NLA_NUL_STRING, .len = 255 },
	[OCKAM_A_KEY_TX] = OCKAM_NL_KEY,
	[OCKAM_A_KEY_RX] = OCKAM_NL_KEY,
	[OCKAM_A_PEER] = OCKAM_NL_IDENT,
	[OCKAM_A_EXPIRY] = { .type = NLA_U64 },
	[OCKAM_A_ATTRIBUTES] = OCKAM_NL_ATTRS,
	[OCKAM_A_CONTROL] = OCKAM_NL_BODY,
	[OCKAM_A_LOCAL_ID] = OCKAM_NL_IDENT,
};

static const struct nla_policy ockam_nl_policy_channel_control[] = {
	[OCKAM_A_ENCRYPTOR] = OCKAM_NL_NAME,
	[OCKAM_A_CONTROL] = OCKAM_NL_BODY,
};

static const struct nla_policy ockam_nl_policy_link_new[] = {
	[OCKAM_A_ADDRESS] = OCKAM_NL_NAME,
	[OCKAM_A_REACH] = OCKAM_NL_MASK,
	[OCKAM_A_REACH_IDS] = OCKAM_NL_IDS,
	[OCKAM_A_SPAWNER_ID] = OCKAM_NL_FLOW,
	[OCKAM_A_FD] = OCKAM_NL_FD,
	[OCKAM_A_FRAMING] = NLA_POLICY_MAX(NLA_U8, __OCKAM_FRAMING_MAX - 1),
	[OCKAM_A_ACCEPTED] = { .type = NLA_FLAG },
	[OCKAM_A_PAIR] = OCKAM_NL_NAME,
	[OCKAM_A_LABEL] = { .type = NLA_NUL_STRING, .len = 127 },
	[OCKAM_A_STALL_MS] = OCKAM_NL_MS,
	[OCKAM_A_HALF_FRAME_MS] = OCKAM_NL_MS,
};

static const struct nla_policy ockam_nl_policy_link_set[] = {
	[OCKAM_A_ADDRESS] = OCKAM_NL_NAME,
	[OCKAM_A_REACH] = OCKAM_NL_MASK,
	[OCKAM_A_REACH_IDS] = OCKAM_NL_IDS,
	[OCKAM_A_PAIR] = OCKAM_NL_NAME,
	[OCKAM_A_UNPAIR] = { .type = NLA_FLAG },
	[OCKAM_A_LABEL] = { .type = NLA_NUL_STRING, .len = 127 },
	[OCKAM_A_STALL_MS] = OCKAM_NL_MS,
	[OCKAM_A_HALF_FRAME_MS] = OCKAM_NL_MS,
};

/* LINK_DEL, LINK_GET, LISTENER_DEL, LISTENER_GET: the one address. */
#define ockam_nl_policy_link_del	ockam_nl_policy_address_get
#define ockam_nl_policy_link_get	ockam_nl_policy_address_get
#define ockam_nl_policy_listener_del	ockam_nl_policy_address_get
#define ockam_nl_policy_listener_get	ockam_nl_policy_address_get

static const struct nla_policy ockam_nl_policy_listener_new[] = {
	[OCKAM_A_ADDRESS] = OCKAM_NL_NAME,
	[OCKAM_A_REACH] = OCKAM_NL_MASK,
	[OCKAM_A_REACH_IDS] = OCKAM_NL_IDS,
	[OCKAM_A_FLOW_ID] = OCKAM_NL_FLOW,
	[OCKAM_A_OPAQUE] = OCKAM_NL_OPAQUE,
	[OCKAM_A_TIMEOUT_MS] = OCKAM_NL_MS,
	[OCKAM_A_LIVENESS_MS] = OCKAM_NL_LIVE,
	[OCKAM_A_LIVENESS_STRICT] = { .type = NLA_FLAG },
};

static const struct nla_policy ockam_nl_policy_listener_set[] = {
	[OCKAM_A_ADDRESS] = OCKAM_NL_NAME,
	[OCKAM_A_OPAQUE] = OCKAM_NL_OPAQUE,
	[OCKAM_A_ABORT] = { .type = NLA_FLAG },
	[OCKAM_A_LIVENESS_MS] = OCKAM_NL_LIVE,
	[OCKAM_A_LIVENESS_STRICT] = { .type = NLA_FLAG },
};

static const struct nla_policy ockam_nl_policy_channel_new[] = {
	[OCKAM_A_REACH] = OCKAM_NL_MASK,
	[OCKAM_A_REACH_IDS] = OCKAM_NL_IDS,
	[OCKAM_A_OPAQUE] = OCKAM_NL_OPAQUE,
	[OCKAM_A_ROUTE] = OCKAM_NL_ROUTE,
	[OCKAM_A_TIMEOUT_MS] = OCKAM_NL_MS,
	[OCKAM_A_CONFIRM_MS] = OCKAM_NL_MS,
	[OCKAM_A_LIVENESS_MS] = OCKAM_NL_LIVE,
	[OCKAM_A_LIVENESS_STRICT] = { .type = NLA_FLAG },
};

static const struct nla_policy ockam_nl_policy_channel_set[] = {
	[OCKAM_A_REACH] = OCKAM_NL_MASK,
	[OCKAM_A_REACH_IDS] = OCKAM_NL_IDS,
	[OCKAM_A_ROUTE] = OCKAM_NL_ROUTE,
	[OCKAM_A_ENCRYPTOR] = OCKAM_NL_NAME,
	[OCKAM_A_EXPIRY] = { .type = NLA_U64 },
	[OCKAM_A_ATTRIBUTES] = OCKAM_NL_ATTRS,
	[OCKAM_A_LIVENESS_MS] = OCKAM_NL_LIVE,
	[OCKAM_A_LIVENESS_STRICT] = { .type = NLA_FLAG },
};

static const struct nla_policy ockam_nl_policy_channel_del[] = {
	[OCKAM_A_ENCRYPTOR] = OCKAM_NL_NAME,
};

#define ockam_nl_policy_channel_get	ockam_nl_policy_channel_del

#endif /* OCKAM_NL_POLICY_H */
