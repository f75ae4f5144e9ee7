// SPDX-License-Identifier: Apache-2.0
/*
 * Identities in use.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "log.h"
#include "node.h"
#include "workerpipe.h"

#define OCKAMD_KEYRING_CHECK_S	60
#define OCKAMD_KEYRING_BUSY	10	/* checks in a row that met a lock */
#define OCKAMD_KEYRING_AGAIN_MS	50

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

/*
 * Give the worker what it has not got. Without one now the next is given all.
 * An exchange that needs a key for which there is no room yet waits for it.
 */
static void ockamd_keyring_send(struct ockamd_node *node)
{
	struct ockamd_keyring *ring = &node->keyring;
	int ret = 0;
	size_t i;

	for (i = 0; i < ring->n_keys && !ret && node->spawn.pipe.fd >= 0; i++) {
		if (!ring->keys[i].unsent)
			continue;
		ret = ockamd_keyring_push_one(ring, i, node->spawn.pipe.fd);
		ring->keys[i].unsent = ret;
	}
	if (!ret)
		return;
	if (ret != -EAGAIN)
		ockamd_warn("the handshake worker does not take the keys of an identity: %s",
			    strerror(-ret));
	ockamd_loop_arm(&node->loop, &ring->again, OCKAMD_KEYRING_AGAIN_MS);
}

void ockamd_keyring_push(struct ockamd_node *node)
{
	size_t i;

	for (i = 0; i < node->keyring.n_keys; i++)
		node->keyring.keys[i].unsent = true;
	ockamd_keyring_send(node);
}

static void ockamd_keyring_again(struct ockamd_timer *timer)
{
	struct ockamd_keyring *ring = (struct ockamd_keyring *)
		((char *)timer - offsetof(struct ockamd_keyring, again));

	ockamd_keyring_send(ring->node);
}

static void ockamd_keyring_free(struct ockamd_key *key)
{
	ockam_purpose_key_wipe(&key->purpose);
	ockam_buf_free(&key->history);
}

/* Fill @key, which is empty, from the store. */
static int ockamd_keyring_load(struct ockamd_node *node, const char *name,
			       struct ockamd_key *key, struct ockam_err *err)
{
	struct ockam_identity_record record;
	int ret;

	ret = ockam_store_identity_use(node->store, name, OCKAM_PURPOSE_CHANNEL,
				       (uint64_t)time(NULL), &record, &key->purpose, err);
	if (ret)
		return ret;
	strcpy(key->name, record.name);
	memcpy(key->identifier, record.identity->identifier, sizeof(key->identifier));
	ockam_buf_put(&key->history, record.identity->history, record.identity->history_len);
	ockam_identity_record_free(&record);
	if (key->history.failed) {
		ockamd_keyring_free(key);
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	key->unsent = true;
	return 0;
}

/* Nothing to renew: the same history, and the purpose key holds for a while. */
static bool ockamd_keyring_is_fresh(const struct ockamd_key *key,
				    const struct ockam_identity *identity)
{
	uint64_t now = (uint64_t)time(NULL);

	return key->history.len == identity->history_len &&
	       !memcmp(key->history.data, identity->history, identity->history_len) &&
	       key->purpose.created_at <= now + OCKAM_CLOCK_SKEW && now < key->purpose.renew_at;
}

/* Load @key again when that is due; @record is its identity as it is now. */
static int ockamd_keyring_renew(struct ockamd_node *node, struct ockamd_key *key,
				const struct ockam_identity_record *record, struct ockam_err *err)
{
	struct ockamd_key new = { };
	int ret;

	if (ockamd_keyring_is_fresh(key, record->identity))
		return 0;
	ret = ockamd_keyring_load(node, record->name, &new, err);
	if (ret)
		return ret;
	/* At the end of an identity there is nothing newer to be had. */
	if (new.history.len == key->history.len &&
	    ockam_crypto_equal(new.purpose.secret, key->purpose.secret, OCKAM_SECRET_LEN)) {
		ockamd_keyring_free(&new);
		return 0;
	}
	ockamd_info("identity %s: %s", key->name, new.history.len == key->history.len ?
		    "purpose key renewed" : "has a new key");
	ockamd_keyring_free(key);
	*key = new;
	ockam_crypto_wipe(&new, sizeof(new));
	return 0;
}

static struct ockamd_key *ockamd_keyring_find(struct ockamd_keyring *ring,
					      const uint8_t identifier[OCKAM_IDENTIFIER_LEN])
{
	size_t i;

	for (i = 0; i < ring->n_keys; i++) {
		if (!memcmp(ring->keys[i].identifier, identifier, OCKAM_IDENTIFIER_LEN))
			return &ring->keys[i];
	}
	return NULL;
}

/* Room for one more key. */
static int ockamd_keyring_add(struct ockamd_node *node, const char *name,
			      struct ockamd_key **key, struct ockam_err *err)
{
	struct ockamd_keyring *ring = &node->keyring;
	int ret;

	if (!ring->keys) {
		ring->keys = calloc(OCKAMD_PIPE_KEYS, sizeof(*ring->keys));
		if (!ring->keys)
			return ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	if (ring->n_keys == OCKAMD_PIPE_KEYS)
		return ockam_err_set(err, -ENOSPC, "This node uses %d identities already",
				     OCKAMD_PIPE_KEYS);
	*key = &ring->keys[ring->n_keys];
	ret = ockamd_keyring_load(node, name, *key, err);
	if (!ret)
		ring->n_keys++;
	return ret;
}

int ockamd_keyring_use(struct ockamd_node *node, const char *name, uint32_t *index,
		       struct ockam_err *err)
{
	struct ockamd_keyring *ring = &node->keyring;
	struct ockam_identity_record record;
	struct ockamd_key *key;
	int ret;

	ret = ockam_store_identity_get(node->store, name ? name : node->identity, &record, err);
	if (ret)
		return ret;
	key = ockamd_keyring_find(ring, record.identity->identifier);
	if (key)
		ret = ockamd_keyring_renew(node, key, &record, err);
	else
		ret = ockamd_keyring_add(node, record.name, &key, err);
	ockam_identity_record_free(&record);
	if (ret)
		return ret;
	*index = (uint32_t)(key - ring->keys);
	ockamd_keyring_send(node);
	ockamd_present_load(node, *index);
	return 0;
}

/* ---- as time goes by ------------------------------------------------------------- */

/* Return: 0, or the first failure. An identity that was deleted is none: it is not renewed. */
static int ockamd_keyring_check(struct ockamd_node *node, struct ockam_err *err)
{
	struct ockamd_keyring *ring = &node->keyring;
	struct ockam_err why;
	int first = 0;
	int ret = 0;
	size_t i;

	for (i = 0; i < ring->n_keys; i++) {
		struct ockam_identity_record record;
		struct ockamd_key *key = &ring->keys[i];

		ret = ockam_store_identity_find(node->store, key->identifier, &record, &why);
		if (!ret)
			ret = ockamd_keyring_renew(node, key, &record, &why);
		ockam_identity_record_free(&record);
		/* Somebody writes all the time: that is no news unless it goes on. */
		if (ret == -EBUSY ? ++ring->busy == OCKAMD_KEYRING_BUSY : ret && !key->warned)
			ockamd_warn("identity %s: %s", key->name, why.text);
		if (ret == -EBUSY) {
			*err = why;
			break;
		}
		ring->busy = 0;
		key->warned = ret;
		if (ret && ret != -ENOENT && !first) {
			first = ret;
			*err = why;
		}
	}
	ockamd_keyring_send(node);
	return ret == -EBUSY ? ret : first;
}

void ockamd_keyring_op_changed(struct ockamd_request *request)
{
	struct ockam_err err;

	if (ockamd_keyring_check(request->node, &err))
		ockamd_ctl_error(request, &err);
	else
		ockamd_ctl_reply(request, NULL);
}

static int ockamd_keyring_arm(struct ockamd_keyring *ring, int seconds)
{
	struct itimerspec next = { .it_value.tv_sec = time(NULL) + seconds };

	return timerfd_settime(ring->clock.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &next,
			       NULL) ? -errno : 0;
}

static void ockamd_keyring_tick(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_keyring *ring = (struct ockamd_keyring *)
		((char *)watch - offsetof(struct ockamd_keyring, clock));
	struct ockam_err err;
	uint64_t ticks;
	int ret;

	(void)events;
	/* ECANCELED: the clock was set. */
	if (read(watch->fd, &ticks, sizeof(ticks)) < 0) {
		if (errno != ECANCELED)
			return;
		ockamd_attributes_clock(ring->node);
	}
	ret = ockamd_keyring_check(ring->node, &err);
	/* Nodes of one home see the clock that is set at the same time. */
	ockamd_keyring_arm(ring, ret == -EBUSY ? 1 : OCKAMD_KEYRING_CHECK_S);
}

int ockamd_keyring_start(struct ockamd_node *node, struct ockam_err *err)
{
	struct ockamd_keyring *ring = &node->keyring;
	int ret;

	ring->node = node;
	ring->again.fn = ockamd_keyring_again;
	ring->clock.fn = ockamd_keyring_tick;
	ring->clock.fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	ret = ring->clock.fd < 0 ? -errno : ockamd_keyring_arm(ring, OCKAMD_KEYRING_CHECK_S);
	if (!ret)
		ret = ockamd_loop_add(&node->loop, &ring->clock, EPOLLIN);
	return ret ? ockam_err_set(err, ret, "Cannot wait for the clock: %s", strerror(-ret)) : 0;
}

void ockamd_keyring_wipe(struct ockamd_node *node)
{
	struct ockamd_keyring *ring = &node->keyring;
	size_t i;

	for (i = 0; i < ring->n_keys; i++)
		ockamd_keyring_free(&ring->keys[i]);
	free(ring->keys);
	ring->keys = NULL;
	ring->n_keys = 0;
}
