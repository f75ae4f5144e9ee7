/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a policy expression is kept, for the files of policy.h.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_POLICY_PRIV_H
#define OCKAM_LIB_POLICY_PRIV_H

#include "buf.h"
#include "policy.h"

/* Operations first, in the order of ockam_policy_ops. */
enum ockam_policy_kind {
	OCKAM_POLICY_AND,
	OCKAM_POLICY_OR,
	OCKAM_POLICY_NOT,
	OCKAM_POLICY_IF,
	OCKAM_POLICY_LESS,
	OCKAM_POLICY_GREATER,
	OCKAM_POLICY_EQUAL,
	OCKAM_POLICY_UNEQUAL,
	OCKAM_POLICY_MEMBER,
	OCKAM_POLICY_EXISTS,
	OCKAM_POLICY_N_OPS,

	OCKAM_POLICY_STRING = OCKAM_POLICY_N_OPS,
	OCKAM_POLICY_INT,
	OCKAM_POLICY_BOOL,
	OCKAM_POLICY_NAME,
	OCKAM_POLICY_LIST,
};

/* least, most: operands; most 0: any number. */
struct ockam_policy_op {
	const char	*name;
	uint16_t	least;
	uint16_t	most;
};

extern const struct ockam_policy_op ockam_policy_ops[OCKAM_POLICY_N_OPS];

/* One part; its operands or elements follow it at once, each with its own. */
struct ockam_policy_node {
	uint8_t		kind;
	uint8_t		depth;		/* 1 without operands */
	uint16_t	count;		/* operands, elements */
	uint16_t	size;		/* parts in it, with itself */
	uint32_t	at;		/* STRING, NAME: bytes of the pool */
	uint32_t	len;
	int64_t		number;		/* INT, BOOL */
};

struct ockam_policy {
	struct ockam_policy_node	*nodes;	/* OCKAM_POLICY_NODES while it is read */
	size_t				n_nodes;
	struct ockam_buf		pool;
	struct ockam_buf		text;	/* full form, zero byte included */
};

/* Write the full form; 0, -E2BIG or -ENOMEM. */
int ockam_policy_print(struct ockam_policy *policy);

#endif /* OCKAM_LIB_POLICY_PRIV_H */
