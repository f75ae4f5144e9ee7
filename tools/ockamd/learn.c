// SPDX-License-Identifier: Apache-2.0
/*
 * Histories and attributes on their way to the store.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "learn.h"
#include "log.h"
#include "node.h"
#include "privilege.h"

#define OCKAMD_LEARN_BYTES	(16UL << 20)	/* that wait; what has been earned: twice that */
#define OCKAMD_LEARN_BATCH	128	/* things written in one transaction */
#define OCKAMD_LEARN_LISTS	256	/* by first byte of the identifier */
#define OCKAMD_LEARN_WAIT_MS	250	/* for a lock, then again */
#define OCKAMD_LEARN_STACK	(512 * 1024)

/*
 * One thing. The loop's, but while it is in the batch its content is not
 * changed: identity and record are read by the thread.
 */
struct ockamd_learn_item {
	TAILQ_ENTRY(ockamd_learn_item)	link;	/* in the order of coming */
	LIST_ENTRY(ockamd_learn_item)	same;	/* those of one first byte, newest first */
	const uint8_t			*id;
	struct ockam_identity		*identity;	/* or NULL: attributes */
	enum ockam_peer_share		share;
	struct ockam_attributes_record	record;
	size_t				size;
};

TAILQ_HEAD(ockamd_learn_queue, ockamd_learn_item);

/*
 * lock guards stop, n_news and done; news is the thread's while n_news is not
 * 0 and done not set. All else is the loop's.
 */
struct ockamd_learn {
	struct ockamd_node		*node;
	struct ockamd_watch		watch;	/* eventfd: a batch is done */
	pthread_t			thread;
	pthread_mutex_t			lock;
	pthread_cond_t			wanted;
	bool				stop;
	bool				done;
	size_t				n_news;
	int				result;		/* of the batch as a whole */
	struct ockam_err		err;
	struct ockam_news		news[OCKAMD_LEARN_BATCH];

	struct ockamd_learn_queue	queue;	/* the batch is its beginning */
	LIST_HEAD(, ockamd_learn_item)	lists[OCKAMD_LEARN_LISTS];
	size_t				bytes;
	bool				dropped;	/* something, and it was said */
};

/* ---- the thread --------------------------------------------------------------- */

/* A lock is waited for as long as it takes, unless the node ends meanwhile. */
static int ockamd_learn_write(struct ockamd_learn *learn, struct ockam_store **store,
			      struct ockam_err *err)
{
	bool stop = false;
	int ret;

	for (;;) {
		ret = *store ? 0 : ockam_store_open(&learn->node->home, OCKAM_STORE_RELAXED, store,
						    err);
		if (!ret) {
			ockam_store_set_wait(*store, OCKAMD_LEARN_WAIT_MS);
			ret = ockam_store_learn(*store, learn->news, learn->n_news, err);
		}
		if (ret != -EBUSY || stop)
			return ret;
		pthread_mutex_lock(&learn->lock);
		stop = learn->stop;
		pthread_mutex_unlock(&learn->lock);
	}
}

/* Batches until it is told to stop and has none. */
static void ockamd_learn_work(struct ockamd_learn *learn)
{
	struct ockam_store *store = NULL;
	struct ockam_err err = { 0 };
	const uint64_t one = 1;
	int ret;

	pthread_mutex_lock(&learn->lock);
	for (;;) {
		while ((!learn->n_news || learn->done) && !learn->stop)
			pthread_cond_wait(&learn->wanted, &learn->lock);
		if (!learn->n_news || learn->done)
			break;
		pthread_mutex_unlock(&learn->lock);
		ret = ockamd_learn_write(learn, &store, &err);
		pthread_mutex_lock(&learn->lock);
		learn->result = ret;
		learn->err = err;
		learn->done = true;
		/* Cannot fail: the counter is far from full. */
		if (write(learn->watch.fd, &one, sizeof(one)) < 0)
			break;
	}
	pthread_mutex_unlock(&learn->lock);
	ockam_store_close(store);
}

static void *ockamd_learn_run(void *arg)
{
	int ret = ockamd_privilege_thread();

	if (ret) {
		ockamd_error("cannot give up capabilities: %s", strerror(-ret));
		_exit(EX_SOFTWARE);
	}
	ockamd_learn_work(arg);
	return NULL;
}

/* ---- the queue ------------------------------------------------------------------- */

static void ockamd_learn_drop(struct ockamd_learn *learn, struct ockamd_learn_item *item)
{
	TAILQ_REMOVE(&learn->queue, item, link);
	LIST_REMOVE(item, same);
	learn->bytes -= item->size;
	ockam_identity_free(item->identity);
	ockam_attributes_record_free(&item->record);
	free(item);
}

/* Give the thread what waits; it is idle. */
static void ockamd_learn_hand_over(struct ockamd_learn *learn)
{
	struct ockamd_learn_item *item;
	size_t n = 0;

	TAILQ_FOREACH(item, &learn->queue, link) {
		struct ockam_news *news = &learn->news[n];

		if (n++ == OCKAMD_LEARN_BATCH)
			break;
		memset(news, 0, sizeof(*news));
		news->peer = item->identity;
		news->share = item->share;
		news->node = learn->node->options->name;
		news->attributes = &item->record;
	}
	if (!n)
		return;
	pthread_mutex_lock(&learn->lock);
	learn->n_news = n > OCKAMD_LEARN_BATCH ? OCKAMD_LEARN_BATCH : n;
	learn->done = false;
	pthread_cond_signal(&learn->wanted);
	pthread_mutex_unlock(&learn->lock);
}

static void ockamd_learn_say(const struct ockamd_learn_item *item, const struct ockam_err *err)
{
	ockamd_warn(item->identity ? "cannot store a peer's change history: %s" :
		    "cannot store a peer's attributes: %s", err->text);
}

/* The batch is done: what has failed is said, and nothing of it is tried again. */
static void ockamd_learn_collect(struct ockamd_learn *learn)
{
	struct ockamd_learn_item *item;
	size_t i, n;

	pthread_mutex_lock(&learn->lock);
	n = learn->done ? learn->n_news : 0;
	learn->n_news = learn->done ? 0 : learn->n_news;
	pthread_mutex_unlock(&learn->lock);
	if (n && learn->result)
		ockamd_learn_say(TAILQ_FIRST(&learn->queue), &learn->err);
	for (i = 0; i < n; i++) {
		item = TAILQ_FIRST(&learn->queue);
		if (!learn->result && learn->news[i].result)
			ockamd_learn_say(item, &learn->news[i].err);
		ockamd_learn_drop(learn, item);
	}
	if (TAILQ_EMPTY(&learn->queue))
		learn->dropped = false;
}

static void ockamd_learn_done(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_learn *learn = (struct ockamd_learn *)
		((char *)watch - offsetof(struct ockamd_learn, watch));
	uint64_t count;

	(void)events;
	if (read(watch->fd, &count, sizeof(count)) < 0)
		return;
	ockamd_learn_collect(learn);
	ockamd_learn_hand_over(learn);
}

/* Put @item, taken over, which holds what it is about. */
static void ockamd_learn_put(struct ockamd_learn *learn, struct ockamd_learn_item *item)
{
	bool idle = TAILQ_EMPTY(&learn->queue);

	item->size = sizeof(*item) + item->record.attributes.len +
		(item->identity ? item->identity->history_len + sizeof(*item->identity) +
		 item->identity->n_changes * sizeof(*item->identity->changes) : 0);
	item->id = item->identity ? item->identity->identifier : item->record.subject;
	TAILQ_INSERT_TAIL(&learn->queue, item, link);
	LIST_INSERT_HEAD(&learn->lists[item->id[0]], item, same);
	learn->bytes += item->size;
	if (idle)
		ockamd_learn_hand_over(learn);
}

/* Is there room for one more thing of that share? */
static bool ockamd_learn_has_room(struct ockamd_learn *learn, enum ockam_peer_share share)
{
	if (learn->bytes < (share == OCKAM_PEER_STRANGER ? 1 : 2) * OCKAMD_LEARN_BYTES)
		return true;
	if (!learn->dropped)
		ockamd_warn("the store has not been writable for long: what is learnt of peers is not kept");
	learn->dropped = true;
	return false;
}

void ockamd_learn_peer(struct ockamd_node *node, struct ockam_identity *identity,
		       enum ockam_peer_share share)
{
	struct ockamd_learn_item *item = NULL;

	if (ockamd_learn_has_room(node->learn, share))
		item = calloc(1, sizeof(*item));
	if (!item) {
		ockam_identity_free(identity);
		return;
	}
	item->identity = identity;
	item->share = share;
	ockamd_learn_put(node->learn, item);
}

void ockamd_learn_attributes(struct ockamd_node *node,
			     const struct ockam_attributes_record *record)
{
	struct ockamd_learn_item *item = NULL;

	if (ockamd_learn_has_room(node->learn, OCKAM_PEER_EARNED))
		item = calloc(1, sizeof(*item));
	if (!item)
		return;
	item->record = *record;
	memset(&item->record.attributes, 0, sizeof(item->record.attributes));
	ockam_buf_put(&item->record.attributes, record->attributes.data, record->attributes.len);
	if (item->record.attributes.failed) {
		free(item);
		return;
	}
	ockamd_learn_put(node->learn, item);
}

static struct ockamd_learn_item *ockamd_learn_find(struct ockamd_learn *learn, const uint8_t *id,
						   bool attributes)
{
	struct ockamd_learn_item *item;

	LIST_FOREACH(item, &learn->lists[id[0]], same)
		if (!item->identity == attributes && !memcmp(item->id, id, OCKAM_IDENTIFIER_LEN))
			return item;
	return NULL;
}

int ockamd_learn_known(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN],
		       struct ockam_identity **identity, enum ockam_peer_share *share,
		       struct ockam_err *err)
{
	struct ockamd_learn_item *item = ockamd_learn_find(node->learn, id, false);
	int ret;

	ret = ockam_store_peer_get(node->store, id, identity, share, err);
	if (!item || (ret && ret != -ENOENT))
		return ret;
	/* Another node of the home may have learnt a longer one meanwhile. */
	if (!ret && ockam_identity_compare(*identity, item->identity) != OCKAM_HISTORY_NEWER) {
		if (*share < item->share)
			*share = item->share;
		return 0;
	}
	*share = ret || *share < item->share ? item->share : *share;
	ockam_identity_free(*identity);
	return ockam_identity_load(item->identity->history, item->identity->history_len, identity,
				   err);
}

const struct ockam_attributes_record *
ockamd_learn_proved(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN])
{
	struct ockamd_learn_item *item = ockamd_learn_find(node->learn, id, true);

	return item ? &item->record : NULL;
}

/* ---- life ------------------------------------------------------------------------- */

int ockamd_learn_start(struct ockamd_node *node, struct ockam_err *err)
{
	struct ockamd_learn *learn = calloc(1, sizeof(*learn));
	pthread_attr_t attr;
	int ret;

	if (!learn)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	learn->node = node;
	TAILQ_INIT(&learn->queue);
	pthread_mutex_init(&learn->lock, NULL);
	pthread_cond_init(&learn->wanted, NULL);
	learn->watch.fn = ockamd_learn_done;
	learn->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = learn->watch.fd < 0 ? -errno :
		ockamd_loop_add(&node->loop, &learn->watch, EPOLLIN);
	if (!ret) {
		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, OCKAMD_LEARN_STACK);
		ret = -pthread_create(&learn->thread, &attr, ockamd_learn_run, learn);
		pthread_attr_destroy(&attr);
	}
	if (!ret) {
		node->learn = learn;
		return 0;
	}
	if (learn->watch.fd >= 0)
		close(learn->watch.fd);
	free(learn);
	return ockam_err_set(err, ret, "Cannot start the thread that writes to the store: %s",
			     strerror(-ret));
}

void ockamd_learn_stop(struct ockamd_node *node)
{
	struct ockamd_learn *learn = node->learn;

	if (!learn)
		return;
	pthread_mutex_lock(&learn->lock);
	learn->stop = true;
	pthread_cond_signal(&learn->wanted);
	pthread_mutex_unlock(&learn->lock);
	pthread_join(learn->thread, NULL);
	ockamd_learn_collect(learn);
	/* What the thread has left, unless the database cannot be written. */
	while (!learn->result && !TAILQ_EMPTY(&learn->queue)) {
		ockamd_learn_hand_over(learn);
		ockamd_learn_work(learn);
		ockamd_learn_collect(learn);
	}
	while (!TAILQ_EMPTY(&learn->queue))
		ockamd_learn_drop(learn, TAILQ_FIRST(&learn->queue));
	ockamd_loop_remove(&node->loop, &learn->watch);
	close(learn->watch.fd);
	pthread_mutex_destroy(&learn->lock);
	pthread_cond_destroy(&learn->wanted);
	free(learn);
	node->learn = NULL;
}
