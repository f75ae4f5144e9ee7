// SPDX-License-Identifier: Apache-2.0
/*
 * Identities in use.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto.h"
#include "log.h"
#include "node.h"
#include "workerpipe.h"

static int ockamd_keyring_push_one(const struct ockamd_keyring *ring, size_t index, int fd)
{
	const struct ockamd_key *key = &ring->keys[index];
	struct ockam_buf packet = { 0 };
	int ret;

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_KEY, 4);
	ockam_buf_put_uint(&packet, index);
	ockam_buf_put_bytes(&packet, key->history.data, key->history.len);
	ockam_buf_put_bytes(&packet, key->purpose.secret, sizeof(key->purpose.secret));
	ockam_buf_put_bytes(&packet, key->purpose.attestation.data, key->purpose.attestation.len);
	ret = ockamd_pipe_send(fd, &packet, 0);
	ockam_buf_free(&packet);
	return ret;
}

int ockamd_keyring_push(struct ockamd_node *node, int fd)
{
	size_t i;
	int ret;

	for (i = 0; i < node->keyring.n_keys; i++) {
		ret = ockamd_keyring_push_one(&node->keyring, i, fd);
		if (ret)
			return ret;
	}
	return 0;
}

static int ockamd_keyring_load(struct ockamd_node *node, const char *name,
			       struct ockamd_key *key, struct ockam_err *err)
{
	struct ockam_identity_record record;
	int ret;

	memset(key, 0, sizeof(*key));
	ret = ockam_store_identity_get(node->store, name, &record, err);
	if (ret)
		return ret;
	ret = ockam_store_purpose_key(node->store, record.name, OCKAM_PURPOSE_CHANNEL,
				      (uint64_t)time(NULL), &key->purpose, err);
	if (!ret) {
		strcpy(key->name, record.name);
		memcpy(key->identifier, record.identity->identifier, sizeof(key->identifier));
		ockam_buf_put(&key->history, record.identity->history,
			      record.identity->history_len);
		if (key->history.failed) {
			ockam_purpose_key_wipe(&key->purpose);
			ret = ockam_err_set(err, -ENOMEM, "Out of memory");
		}
	}
	ockam_identity_record_free(&record);
	return ret;
}

int ockamd_keyring_use(struct ockamd_node *node, const char *name, uint32_t *index,
		       struct ockam_err *err)
{
	struct ockamd_keyring *ring = &node->keyring;
	struct ockamd_key key;
	uint32_t i;
	int ret;

	if (!name)
		name = node->identity;
	for (i = 0; i < ring->n_keys; i++) {
		if (!strcmp(ring->keys[i].name, name)) {
			*index = i;
			return 0;
		}
	}
	if (!ring->keys) {
		ring->keys = calloc(OCKAMD_PIPE_KEYS, sizeof(*ring->keys));
		if (!ring->keys)
			return ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	if (ring->n_keys == OCKAMD_PIPE_KEYS)
		return ockam_err_set(err, -ENOSPC, "This node uses %d identities already",
				     OCKAMD_PIPE_KEYS);
	ret = ockamd_keyring_load(node, name, &key, err);
	if (ret)
		return ret;
	ring->keys[ring->n_keys] = key;
	ockam_crypto_wipe(&key, sizeof(key));
	*index = (uint32_t)ring->n_keys++;
	/* Without a worker now: the next one is given all of them. */
	if (node->spawn.pipe.fd >= 0 &&
	    ockamd_keyring_push_one(ring, *index, node->spawn.pipe.fd))
		ockamd_warn("the handshake worker does not take the keys of identity %s", name);
	return 0;
}

void ockamd_keyring_wipe(struct ockamd_node *node)
{
	struct ockamd_keyring *ring = &node->keyring;
	size_t i;

	for (i = 0; i < ring->n_keys; i++) {
		ockam_purpose_key_wipe(&ring->keys[i].purpose);
		ockam_buf_free(&ring->keys[i].history);
	}
	free(ring->keys);
	ring->keys = NULL;
	ring->n_keys = 0;
}
