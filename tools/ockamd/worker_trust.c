// SPDX-License-Identifier: Apache-2.0
/*
 * What the worker has been told of trust: whose credentials may count, what
 * this node presents.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "worker.h"
#include "workerpipe.h"

int ockamd_worker_trust_allocate(struct ockamd_worker *worker)
{
	worker->presents = calloc(OCKAMD_PIPE_KEYS, sizeof(*worker->presents));
	worker->authorities = calloc(OCKAMD_PIPE_AUTHORITIES, sizeof(*worker->authorities));
	return worker->presents && worker->authorities ? 0 : -ENOMEM;
}

int ockamd_worker_take_authority(struct ockamd_worker *worker, struct ockam_reader *r)
{
	struct ockam_identity *identity;
	struct ockam_piece history;
	struct ockam_err err;
	uint64_t index;

	if (ockam_reader_uint(r, OCKAMD_PIPE_AUTHORITIES - 1, &index) ||
	    ockam_reader_bytes(r, &history) ||
	    ockam_identity_decode(history.data, history.len, &identity, &err))
		return -EBADMSG;
	ockam_identity_free(worker->authorities[index]);
	worker->authorities[index] = identity;
	return 0;
}

int ockamd_worker_take_options(struct ockamd_worker *worker, struct ockam_reader *r)
{
	return ockam_reader_bool(r, &worker->strict);
}

int ockamd_worker_take_present(struct ockamd_worker *worker, struct ockam_reader *r)
{
	struct ockamd_worker_present *present;
	struct ockam_piece credential;
	uint64_t index, expires_at;

	if (ockam_reader_uint(r, OCKAMD_PIPE_KEYS - 1, &index) ||
	    ockam_reader_uint(r, UINT64_MAX, &expires_at))
		return -EBADMSG;
	present = &worker->presents[index];
	ockam_buf_free(&present->credential);
	present->expires_at = expires_at;
	if (ockam_reader_null(r))
		return 0;
	if (ockam_reader_bytes(r, &credential))
		return -EBADMSG;
	/* Without memory it is as if there were none. */
	ockam_buf_put(&present->credential, credential.data, credential.len);
	return 0;
}

const struct ockam_buf *ockamd_worker_present(const struct ockamd_worker *worker, uint32_t index)
{
	const struct ockamd_worker_present *present = &worker->presents[index];

	if (!present->credential.len || present->credential.failed ||
	    present->expires_at < (uint64_t)time(NULL))
		return NULL;
	return &present->credential;
}

int ockamd_worker_take_refresh(struct ockamd_worker *worker, struct ockam_reader *r)
{
	const struct ockam_buf *credential;
	struct ockam_buf body = { 0 };
	struct ockam_piece name, piece;
	struct ockamd_worker_key *key;
	struct ockam_err err;
	uint64_t index;

	if (ockam_reader_uint(r, OCKAMD_PIPE_KEYS - 1, &index) || ockam_reader_bytes(r, &name) ||
	    !name.len || name.len > OCKAM_ADDR_MAX_LEN)
		return -EBADMSG;
	key = worker->keys[index];
	credential = ockamd_worker_present(worker, (uint32_t)index);
	if (!key || !credential)
		return 0;
	piece.data = credential->data;
	piece.len = credential->len;
	if (ockam_refresh_build(key->identity, &piece, 1, &body, &err) ||
	    ockam_nl_control_send(worker->nl, name.data, name.len, body.data, body.len,
				  &err)) {
		/* -ENOENT: the channel has ended meanwhile. */
		if (err.code != -ENOENT)
			ockamd_warn("cannot present a new credential on a channel: %s", err.text);
	}
	ockam_buf_free(&body);
	return 0;
}

struct ockam_identity *const *ockamd_worker_authority(const struct ockamd_worker *worker,
						      const uint8_t id[OCKAM_IDENTIFIER_LEN])
{
	size_t i;

	for (i = 0; i < OCKAMD_PIPE_AUTHORITIES; i++)
		if (worker->authorities[i] &&
		    !memcmp(worker->authorities[i]->identifier, id, OCKAM_IDENTIFIER_LEN))
			return &worker->authorities[i];
	return NULL;
}
