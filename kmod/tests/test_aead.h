/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of the cipher share: a pool, and messages that are bytes in a row.
 * Include it once in a suite.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_TEST_AEAD_H
#define OCKAM_TEST_AEAD_H

#include <linux/completion.h>
#include <linux/skbuff.h>

#include "aead.h"

static struct ockam_aead_pool test_pool __maybe_unused;

static inline int test_pool_begin(void)
{
	int err = ockam_aead_init();

	if (err)
		return err;
	err = ockam_aead_pool_init(&test_pool);
	if (err)
		ockam_aead_exit();
	return err;
}

static inline void test_pool_end(void)
{
	ockam_aead_pool_exit(&test_pool);
	ockam_aead_exit();
}

/* Who waits for a message that is being sealed. */
struct test_waiting {
	struct completion done;
	int err;
};

static inline void test_done(void *data, int err)
{
	struct test_waiting *waiting = data;

	waiting->err = err;
	complete(&waiting->done);
}

/* Seal as ockam_aead_seal_skb(), where nobody may sleep, and wait for it. */
static inline int test_seal_wait(struct ockam_aead_op *op, struct sk_buff *skb,
				 unsigned int off, unsigned int len, u64 nonce)
{
	struct test_waiting waiting;
	int err;

	init_completion(&waiting.done);
	local_bh_disable();
	err = ockam_aead_seal_skb(op, skb, off, len, nonce, test_done, &waiting);
	local_bh_enable();
	if (err != -EINPROGRESS)
		return err;
	wait_for_completion(&waiting.done);
	return waiting.err;
}

/* @len bytes at @buf, linear; NULL without memory. */
static inline struct sk_buff *test_linear(const u8 *buf, size_t len)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);

	if (skb)
		skb_put_data(skb, buf, len);
	return skb;
}

/* Seal @len bytes at @buf, behind which there is room for the tag. */
static inline int test_seal(struct ockam_aead_pool *pool,
			    struct ockam_aead_key *key, u8 *buf, size_t len,
			    u64 nonce)
{
	struct sk_buff *skb = test_linear(buf, len + OCKAM_TAG_LEN);
	struct ockam_aead_op *op;
	int err = -ENOMEM;

	op = skb ? ockam_aead_reserve(pool, key, 1) : NULL;
	if (op) {
		err = test_seal_wait(op, skb, 0, len, nonce);
		memcpy(buf, skb->data, skb->len);
	}
	kfree_skb(skb);
	return err;
}

/* Open @len bytes at @buf, the tag included. */
static inline int test_open(struct ockam_aead_pool *pool,
			    struct ockam_aead_key *key, u8 *buf, size_t len,
			    u64 nonce)
{
	struct sk_buff *skb = test_linear(buf, len);
	struct ockam_aead_op *op;
	int err = -ENOMEM;

	op = skb ? ockam_aead_reserve(pool, key, 1) : NULL;
	if (op) {
		err = ockam_aead_open_skb(op, skb, 0, len, skb, 0, nonce);
		memcpy(buf, skb->data, skb->len);
	}
	kfree_skb(skb);
	return err;
}

#endif /* OCKAM_TEST_AEAD_H */
