// SPDX-License-Identifier: Apache-2.0
/*
 * Own credentials.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "node.h"
#include "store_credential.h"
#include "workerpipe.h"

#define OCKAMD_PRESENT_AGAIN_MS	20
#define OCKAMD_PRESENT_PUSH_MS	5000	/* a worker that is busy does not read at once */

bool ockamd_present_wanted(const struct ockamd_node *node)
{
	return node->rules.has_authority && node->rules.scope[0];
}

/* ---- what there is ------------------------------------------------------------- */

static int ockamd_present_push_one(const struct ockamd_presents *p, size_t index, int fd,
				   int timeout_ms)
{
	const struct ockamd_present *present = &p->list[index];
	struct ockam_buf packet = { 0 };
	int ret;

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_PRESENT, 3);
	ockam_buf_put_uint(&packet, index);
	ockam_buf_put_uint(&packet, present->expires_at);
	if (present->credential.len)
		ockam_buf_put_bytes(&packet, present->credential.data, present->credential.len);
	else
		ockam_buf_put_null(&packet);
	ret = ockamd_pipe_send(fd, &packet, timeout_ms);
	ockam_buf_free(&packet);
	return ret;
}

int ockamd_present_push(struct ockamd_node *node, int fd)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && node->presents.list && i < node->keyring.n_keys; i++)
		ret = ockamd_present_push_one(&node->presents, i, fd, OCKAMD_PRESENT_PUSH_MS);
	return ret;
}

/*
 * Look it up: 1 when it is another one than before, 0, or a negative errno; then
 * what there was stays.
 */
static int ockamd_present_look(struct ockamd_node *node, size_t index, struct ockam_err *err)
{
	struct ockamd_present *present = &node->presents.list[index];
	struct ockam_credential_record record;
	int ret;

	ret = ockam_store_credential_get(node->store, node->options->name,
					 node->keyring.keys[index].identifier,
					 node->rules.authority, node->rules.scope, &record, err);
	if (ret && ret != -ENOENT)
		return ret;
	if (ret)
		memset(&record, 0, sizeof(record));
	present->loaded = true;
	if (record.bytes.len == present->credential.len &&
	    (!record.bytes.len ||
	     !memcmp(record.bytes.data, present->credential.data, record.bytes.len))) {
		ockam_credential_record_free(&record);
		return 0;
	}
	ockam_buf_free(&present->credential);
	present->credential = record.bytes;
	present->expires_at = record.expires_at;
	return 1;
}

/* Give the worker one that has changed. */
static void ockamd_present_tell(struct ockamd_node *node, size_t index)
{
	if (node->spawn.pipe.fd < 0 ||
	    !ockamd_present_push_one(&node->presents, index, node->spawn.pipe.fd,
				     OCKAMD_PRESENT_PUSH_MS))
		return;
	ockamd_warn("the handshake worker does not take a credential");
	ockamd_spawn_renew(node);
}

void ockamd_present_load(struct ockamd_node *node, size_t index)
{
	struct ockamd_presents *p = &node->presents;
	struct ockam_err err;
	int ret;

	if (!ockamd_present_wanted(node))
		return;
	p->node = node;
	if (!p->list)
		p->list = calloc(OCKAMD_PIPE_KEYS, sizeof(*p->list));
	/*
	 * Without memory the worker has nothing to present and makes no channel. A
	 * change is for ockamd_present_op_changed(), which presents it everywhere.
	 */
	if (!p->list || p->list[index].loaded)
		return;
	ret = ockamd_present_look(node, index, &err);
	if (ret < 0)
		ockamd_warn("cannot look up a credential to present: %s", err.text);
	if (ret > 0)
		ockamd_present_tell(node, index);
}

int ockamd_present_check(struct ockamd_node *node, size_t index, struct ockam_err *err)
{
	const struct ockamd_present *present;
	char authority[OCKAM_IDENTIFIER_TEXT], id[OCKAM_IDENTIFIER_TEXT];

	if (!ockamd_present_wanted(node))
		return 0;
	present = node->presents.list ? &node->presents.list[index] : NULL;
	if (present && present->credential.len && present->expires_at >= (uint64_t)time(NULL))
		return 0;
	ockam_identifier_format(node->rules.authority, authority);
	ockam_identifier_format(node->keyring.keys[index].identifier, id);
	if (!present || !present->credential.len)
		return ockam_err_set(err, -ENOKEY,
				     "node %s has no credential of %s for %s in the scope '%.80s': store one with ockam credential store",
				     node->options->name, authority, id, node->rules.scope);
	return ockam_err_set(err, -EKEYEXPIRED,
			     "the credential of %s for %s in the scope '%.80s' of node %s has expired: store a new one with ockam credential store",
			     authority, id, node->rules.scope, node->options->name);
}

void ockamd_present_wipe(struct ockamd_node *node)
{
	struct ockamd_presents *p = &node->presents;
	size_t i;

	ockamd_loop_disarm(&p->timer);
	for (i = 0; p->list && i < OCKAMD_PIPE_KEYS; i++)
		ockam_buf_free(&p->list[i].credential);
	free(p->list);
	p->list = NULL;
	ockam_buf_free(&p->queue);
}

/* ---- a new one on channels that there are -------------------------------------------- */

/* Hand the queue to the worker as far as it takes it. */
static void ockamd_present_drain(struct ockamd_presents *p)
{
	int fd = p->node->spawn.pipe.fd;
	int ret = fd < 0 ? -EAGAIN : 0;

	while (!ret && p->done < p->queue.len) {
		const uint8_t *entry = p->queue.data + p->done;
		struct ockam_buf packet = { 0 };

		ockamd_pipe_begin(&packet, OCKAMD_PIPE_REFRESH, 2);
		ockam_buf_put_uint(&packet, (uint64_t)entry[0] << 8 | entry[1]);
		ockam_buf_put_bytes(&packet, entry + 3, entry[2]);
		ret = ockamd_pipe_send(fd, &packet, 0);
		ockam_buf_free(&packet);
		if (!ret)
			p->done += 3U + entry[2];
	}
	if (p->done < p->queue.len) {
		ockamd_loop_arm(&p->node->loop, &p->timer, OCKAMD_PRESENT_AGAIN_MS);
		return;
	}
	ockam_buf_free(&p->queue);
	p->done = 0;
}

static void ockamd_present_again(struct ockamd_timer *timer)
{
	ockamd_present_drain((struct ockamd_presents *)
			     ((char *)timer - offsetof(struct ockamd_presents, timer)));
}

/* One walk over all channels. changed: numbers of keys with a new credential. */
struct ockamd_present_walk {
	struct ockamd_node	*node;
	const bool		*changed;
	struct ockam_buf	*queue;
};

static int ockamd_present_visit(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_present_walk *walk = arg;
	const struct ockamd_keyring *ring = &walk->node->keyring;
	size_t i;

	if (!channel->local.present || ockamd_channel_has_own_credential(walk->node, channel))
		return 0;
	for (i = 0; i < ring->n_keys; i++) {
		if (!walk->changed[i] ||
		    memcmp(ring->keys[i].identifier, channel->local.id, OCKAM_IDENTIFIER_LEN))
			continue;
		ockam_buf_put_u8(walk->queue, (uint8_t)(i >> 8));
		ockam_buf_put_u8(walk->queue, (uint8_t)i);
		ockam_buf_put_u8(walk->queue, channel->encryptor.len);
		ockam_buf_put(walk->queue, channel->encryptor.bytes, channel->encryptor.len);
	}
	return walk->queue->failed ? -ENOMEM : 0;
}

/* What is queued already for other keys stays; for these it would be sent twice. */
static void ockamd_present_keep_others(const struct ockamd_presents *p, const bool *changed,
				       struct ockam_buf *queue)
{
	size_t at = p->done;

	while (at < p->queue.len) {
		const uint8_t *entry = p->queue.data + at;

		if (!changed[entry[0] << 8 | entry[1]])
			ockam_buf_put(queue, entry, 3U + entry[2]);
		at += 3U + entry[2];
	}
}

static int ockamd_present_send(struct ockamd_node *node, const bool *changed,
			       struct ockam_err *err)
{
	struct ockamd_presents *p = &node->presents;
	struct ockam_buf queue = { 0 };
	struct ockamd_present_walk walk = { node, changed, &queue };
	int ret;

	ockamd_present_keep_others(p, changed, &queue);
	ret = ockam_nl_channel_dump(node->nl, ockamd_present_visit, &walk, err);
	if (ret < 0 || queue.failed) {
		ockam_buf_free(&queue);
		return ret < 0 ? ret : ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	ockam_buf_free(&p->queue);
	p->queue = queue;
	p->done = 0;
	p->timer.fn = ockamd_present_again;
	ockamd_present_drain(p);
	return 0;
}

void ockamd_present_op_changed(struct ockamd_request *request)
{
	struct ockamd_node *node = request->node;
	struct ockamd_presents *p = &node->presents;
	bool changed[OCKAMD_PIPE_KEYS] = { false };
	struct ockam_err err, why;
	int failed = 0;
	bool any = false;
	size_t i;
	int ret;

	for (i = 0; p->list && i < node->keyring.n_keys; i++) {
		ret = ockamd_present_look(node, i, &why);
		if (ret < 0) {
			failed = ret;
			err = why;
		}
		if (ret <= 0)
			continue;
		ockamd_present_tell(node, i);
		changed[i] = p->list[i].credential.len;
		any |= changed[i];
	}
	if (any) {
		ret = ockamd_present_send(node, changed, &err);
		if (ret)
			failed = ret;
	}
	if (failed)
		ockamd_ctl_error(request, &err);
	else
		ockamd_ctl_reply(request, NULL);
}
