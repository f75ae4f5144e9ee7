/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a node's channels trust: the node's own authority, rules of requests,
 * authorities that rules name. The worker judges; it is told from here.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_RULE_H
#define OCKAMD_RULE_H

#include "store_credential.h"
#include "trust.h"
#include "workerpipe.h"

struct json_object;
struct ockamd_node;

/*
 * authorities: by their number in the worker; NULL: free. has_authority,
 * authority: the node's own one. scope: "" when the node presents nothing.
 */
struct ockamd_rules {
	struct ockam_identity	*authorities[OCKAMD_PIPE_AUTHORITIES];
	bool			has_authority;
	bool			strict;
	uint8_t			authority[OCKAM_IDENTIFIER_LEN];
	char			scope[OCKAM_SCOPE_SIZE];
};

/** ockamd_rule_start() - take the trust options of the command line; 0 or a negative errno */
int ockamd_rule_start(struct ockamd_node *node, struct ockam_err *err);

/** ockamd_rule_push() - give everything to a worker that has just started; 0 or errno */
int ockamd_rule_push(struct ockamd_node *node, int fd);

/** ockamd_rule_learnt() - @identity has shown a new history: it may be an authority's */
void ockamd_rule_learnt(struct ockamd_node *node, const struct ockam_identity *identity);

/** ockamd_rule_wipe() - forget all, at the end of the node */
void ockamd_rule_wipe(struct ockamd_node *node);

/**
 * ockamd_rule_read() - the rule that a request asks for
 * @node: the node
 * @args: map; authorized: array of identifiers, absent: everyone; authority:
 *	history in hexadecimal; allow: policy expression
 * @trust: receives it; ockam_trust_free() it
 * @err: the reason
 *
 * An authority is kept, and given to the worker, as long as a listener or
 * channel needs it.
 *
 * Return: 0; -EINVAL; -ESTALE for a history that contradicts the known one;
 * -ENOSPC above OCKAMD_PIPE_AUTHORITIES; -E2BIG; -ENOMEM.
 */
int ockamd_rule_read(struct ockamd_node *node, struct json_object *args,
		     struct ockam_trust *trust, struct ockam_err *err);

/** ockamd_rule_ids() - the identifiers of a rule as array of texts; NULL: everyone */
struct json_object *ockamd_rule_ids(const struct ockam_trust *trust);

/** ockamd_rule_describe() - put authorized, authority, policy and the rule as a sentence */
void ockamd_rule_describe(const struct ockam_trust *trust, struct json_object *map);

/**
 * ockamd_rule_counts() - whose credentials count under @trust here; NULL: nobody's
 * @trust: NULL when the rule is not known: then the node's own authority
 */
const uint8_t *ockamd_rule_counts(const struct ockamd_node *node,
				  const struct ockam_trust *trust);

/**
 * ockamd_rule_opaque() - worker data of a channel or listener
 * @node: the node
 * @key: number of the identity
 * @trust: the rule
 * @credential: what to present instead of what the node has for its scope; NULL
 * @out: is appended to
 * @err: the reason
 *
 * Return: 0; -E2BIG above OCKAM_OPAQUE_MAX; -ENOMEM.
 */
int ockamd_rule_opaque(const struct ockamd_node *node, uint32_t key,
		       const struct ockam_trust *trust, const struct ockam_buf *credential,
		       struct ockam_buf *out, struct ockam_err *err);

/**
 * ockamd_rule_judge() - would this peer be admitted now
 * @trust: the rule
 * @id: the peer
 * @expires_at: receives when its credential expires if the rule needs one,
 *	else 0; may be NULL
 * @err: why not
 *
 * Return: 0 or -EACCES.
 */
int ockamd_rule_judge(struct ockamd_node *node, const struct ockam_trust *trust,
		      const uint8_t id[OCKAM_IDENTIFIER_LEN], uint64_t *expires_at,
		      struct ockam_err *err);

#endif /* OCKAMD_RULE_H */
