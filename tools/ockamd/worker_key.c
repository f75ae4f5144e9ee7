// SPDX-License-Identifier: Apache-2.0
/*
 * Static keys of the node's identities in the worker.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdlib.h>

#include "crypto.h"
#include "worker.h"
#include "workerpipe.h"

struct ockamd_worker_key *ockamd_worker_key_get(struct ockamd_worker *worker, uint32_t index)
{
	struct ockamd_worker_key *key = index < OCKAMD_PIPE_KEYS ? worker->keys[index] : NULL;

	if (key)
		key->refs++;
	return key;
}

void ockamd_worker_key_put(struct ockamd_worker_key *key)
{
	if (!key || --key->refs)
		return;
	ockam_identity_free(key->identity);
	ockam_buf_free(&key->attestation);
	ockam_crypto_wipe(key, sizeof(*key));
	free(key);
}

int ockamd_worker_key_set(struct ockamd_worker *worker, uint32_t index,
			  const struct ockamd_worker_key *key)
{
	struct ockamd_worker_key *new = malloc(sizeof(*new));

	if (!new)
		return -ENOMEM;
	*new = *key;
	new->refs = 1;
	if (ockam_crypto_x25519_public(new->secret, new->public)) {
		ockam_crypto_wipe(new, sizeof(*new));
		free(new);
		return -ENOMEM;
	}
	ockamd_worker_key_put(worker->keys[index]);
	worker->keys[index] = new;
	return 0;
}
