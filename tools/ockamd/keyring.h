/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities that the node's channels use: loaded from the store, given to
 * the worker under a number. Loaded and given again when an identity was rotated
 * or its purpose key nears its end; channels that are there do not notice.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_KEYRING_H
#define OCKAMD_KEYRING_H

#include "loop.h"
#include "store.h"

struct ockamd_node;
struct ockamd_request;

/* Secrets: wiped by ockamd_keyring_wipe(). */
struct ockamd_key {
	char				name[OCKAM_NAME_SIZE];
	uint8_t				identifier[OCKAM_IDENTIFIER_LEN];
	struct ockam_buf		history;
	struct ockam_purpose_key	purpose;
	bool				unsent;	/* the worker has an older one or none */
	bool				warned;	/* that it cannot be renewed */
};

struct ockamd_keyring {
	struct ockamd_node	*node;
	struct ockamd_key	*keys;	/* index = the number in worker data */
	size_t			n_keys;
	struct ockamd_watch	clock;	/* every minute, and when the clock is set */
	struct ockamd_timer	again;	/* there was no room in the worker's pipe */
	unsigned int		busy;	/* checks in a row that met a lock */
};

/** ockamd_keyring_start() - begin to look after the keys; 0 or a negative errno */
int ockamd_keyring_start(struct ockamd_node *node, struct ockam_err *err);

/**
 * ockamd_keyring_use() - the number of an identity of this home
 * @node: the node
 * @name: name of the identity; NULL: the node's own
 * @index: receives the number
 * @err: the reason
 *
 * Loaded from the store and given to the worker when it is used first, and
 * looked at again whenever it is used.
 *
 * Return: 0; -ENOENT; -ENOKEY when its key is not here; -EKEYEXPIRED when that
 * has expired; -ENOSPC; another errno.
 */
int ockamd_keyring_use(struct ockamd_node *node, const char *name, uint32_t *index,
		       struct ockam_err *err);

/** ockamd_keyring_op_changed() - operation "identity.changed": look at all of them now */
void ockamd_keyring_op_changed(struct ockamd_request *request);

/** ockamd_keyring_push() - give everything to a worker that has just started, as it takes it */
void ockamd_keyring_push(struct ockamd_node *node);

/** ockamd_keyring_wipe() - forget all */
void ockamd_keyring_wipe(struct ockamd_node *node);

#endif /* OCKAMD_KEYRING_H */
