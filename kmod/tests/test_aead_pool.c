// SPDX-License-Identifier: GPL-2.0
/*
 * Which key has a transform, and for how long; operations that end later; nonces
 * that were used before.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/kthread.h>
#include <linux/skbuff.h>

#include "test.h"
#include "test_aead.h"
#include "aead_pool.h"
#include "driver.h"

#define TEST_LEN	100
#define TEST_MANY	300

static struct ockam_aead_pool test_other;

static void test_key(struct ockam_aead_key *key, u32 number)
{
	u8 bytes[OCKAM_KEY_LEN] = { };

	put_unaligned(number, (u32 *)bytes);
	ockam_aead_key_install(key, bytes);
}

/* A transform with @key, for a moment. */
static bool test_use(struct ockam_aead_pool *pool, struct ockam_aead_key *key)
{
	struct ockam_aead_op *op = ockam_aead_reserve(pool, key, 1);

	if (op)
		ockam_aead_release(op);
	return op;
}

static bool test_has(const struct ockam_aead_key *key)
{
	return key->hint && key->hint->key_id == key->id;
}

/* What ten and more seconds without use do. */
static void test_age(struct ockam_aead_pool *pool)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		ockam_aead_pool_sweep(pool, true);
}

static int test_transforms(struct ockam_aead_pool *pool)
{
	return atomic_read(&pool->transforms);
}

/* There are as many as keys in use, and none when nobody uses them. */
static void test_pool_grows(struct kunit *t)
{
	struct ockam_aead_key *keys = kcalloc(TEST_MANY, sizeof(*keys),
					      GFP_KERNEL);
	struct ockam_aead_slot *slot;
	unsigned int i, round;

	for (i = 0; i < TEST_MANY; i++)
		test_key(&keys[i], i);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < TEST_MANY; i++) {
			slot = keys[i].hint;
			TEST_TRUE(t, test_use(&test_pool, &keys[i]));
			TEST_TRUE(t, !round || slot == keys[i].hint);
		}
		TEST_EQ(t, test_transforms(&test_pool), TEST_MANY);
	}
	/* One of them goes on. */
	for (i = 0; i < 3; i++) {
		TEST_TRUE(t, test_use(&test_pool, &keys[7]));
		ockam_aead_pool_sweep(&test_pool, true);
	}
	TEST_EQ(t, test_transforms(&test_pool), 1);
	TEST_TRUE(t, test_has(&keys[7]));
	test_age(&test_pool);
	TEST_EQ(t, test_transforms(&test_pool), 0);
	for (i = 0; i < TEST_MANY; i++) {
		TEST_TRUE(t, !test_has(&keys[i]));
		TEST_TRUE(t, test_use(&test_pool, &keys[i]));
	}
	/* In the places that were there. */
	TEST_EQ(t, test_pool.n_slots, TEST_MANY);
	for (i = 0; i < TEST_MANY; i++)
		ockam_aead_key_wipe(&keys[i]);
	ockam_aead_pool_sweep(&test_pool, false);
	TEST_EQ(t, test_transforms(&test_pool), 0);
	kfree(keys);
}

/* A channel that rekeys does so with the transform that it has. */
static void test_pool_rekey(struct kunit *t)
{
	struct ockam_aead_key key, next;
	struct ockam_aead_slot *slot;
	unsigned int i;

	test_key(&key, 1);
	TEST_TRUE(t, test_use(&test_pool, &key));
	slot = key.hint;
	for (i = 0; i < 100; i++) {
		ockam_aead_key_next(&next, &key);
		ockam_aead_key_wipe(&key);
		key = next;
		TEST_TRUE(t, test_use(&test_pool, &key));
		TEST_TRUE(t, key.hint == slot);
	}
	TEST_EQ(t, test_transforms(&test_pool), 1);
	ockam_aead_key_wipe(&key);
}

/* Copies of a key that no one has used yet: one transform for all. */
static void test_pool_copies(struct kunit *t)
{
	struct ockam_aead_key key, copies[3];
	struct ockam_aead_op *ops[3];
	unsigned int i;

	test_key(&key, 1);
	for (i = 0; i < ARRAY_SIZE(copies); i++) {
		copies[i] = key;
		ops[i] = ockam_aead_reserve(&test_pool, &copies[i], 1);
		KUNIT_ASSERT_NOT_NULL(t, ops[i]);
		TEST_TRUE(t, copies[i].hint == copies[0].hint);
	}
	TEST_EQ(t, test_transforms(&test_pool), 1);
	for (i = 0; i < ARRAY_SIZE(copies); i++)
		ockam_aead_release(ops[i]);
	ockam_aead_key_wipe(&copies[0]);
	/* A copy that comes too late, and is wiped like the key. */
	TEST_TRUE(t, test_use(&test_pool, &copies[1]));
	TEST_EQ(t, test_transforms(&test_pool), 1);
	ockam_aead_key_wipe(&copies[1]);
	ockam_aead_pool_sweep(&test_pool, false);
	TEST_EQ(t, test_transforms(&test_pool), 0);
}

/* What is in flight goes on with a key that was wiped. */
static void test_pool_wiped_in_flight(struct kunit *t)
{
	struct ockam_aead_op *ops[4];
	struct ockam_aead_key key;
	unsigned int i;

	test_key(&key, 1);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ops[i] = ockam_aead_reserve(&test_pool, &key, 1);
		KUNIT_ASSERT_NOT_NULL(t, ops[i]);
	}
	ockam_aead_key_wipe(&key);
	TEST_EQ(t, key.id, 0);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		test_age(&test_pool);
		ockam_aead_flush();
		TEST_EQ(t, test_transforms(&test_pool), 1);
		ockam_aead_release(ops[i]);
	}
	ockam_aead_pool_sweep(&test_pool, false);
	TEST_EQ(t, test_transforms(&test_pool), 0);
}

static void test_pool_two(struct kunit *t)
{
	struct ockam_aead_pool *other = &test_other;
	struct ockam_aead_key keys[8];
	unsigned int i;

	KUNIT_ASSERT_EQ(t, ockam_aead_pool_init(other), 0);
	other->limit = 2;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		test_key(&keys[i], i);
	for (i = 0; i < 4; i++)
		TEST_TRUE(t, test_use(&test_pool, &keys[i]));
	/* The limit of one is none of the other. */
	for (; i < 8; i++)
		TEST_TRUE(t, test_use(other, &keys[i]));
	TEST_EQ(t, test_transforms(&test_pool), 4);
	TEST_EQ(t, test_transforms(other), 2);
	for (i = 0; i < 4; i++)
		TEST_TRUE(t, test_has(&keys[i]));
	test_age(other);
	TEST_EQ(t, test_transforms(&test_pool), 4);
	TEST_EQ(t, test_transforms(other), 0);
	/* When the machine sleeps, both. */
	TEST_TRUE(t, test_use(other, &keys[7]));
	ockam_aead_flush();
	TEST_EQ(t, test_transforms(&test_pool), 0);
	TEST_EQ(t, test_transforms(other), 0);
	TEST_TRUE(t, test_use(other, &keys[7]));
	TEST_TRUE(t, test_use(&test_pool, &keys[0]));
	for (i = 4; i < 8; i++)
		ockam_aead_key_wipe(&keys[i]);
	ockam_aead_pool_exit(other);
	TEST_TRUE(t, test_has(&keys[0]));
	for (i = 0; i < 4; i++)
		ockam_aead_key_wipe(&keys[i]);
}

/* At the limit the key that was used least recently gives its transform up. */
static void test_pool_limit(struct kunit *t)
{
	struct ockam_aead_pool *pool = &test_other;
	struct ockam_aead_key keys[7];
	struct ockam_aead_op *op, *ops[4];
	unsigned int i;

	KUNIT_ASSERT_EQ(t, ockam_aead_pool_init(pool), 0);
	pool->limit = 4;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		test_key(&keys[i], i);
	for (i = 0; i < 5; i++)
		TEST_TRUE(t, test_use(pool, &keys[i]));
	TEST_TRUE(t, !test_has(&keys[0]));
	TEST_TRUE(t, test_use(pool, &keys[1]));
	TEST_TRUE(t, test_use(pool, &keys[3]));
	TEST_TRUE(t, test_use(pool, &keys[5]));
	TEST_TRUE(t, !test_has(&keys[2]));
	for (i = 0; i < 6; i++)
		TEST_EQ(t, test_has(&keys[i]), i != 0 && i != 2);
	TEST_EQ(t, test_transforms(pool), 4);

	/* All are in use: one is waited for, though not for ever. */
	for (i = 0; i < 4; i++) {
		ops[i] = ockam_aead_reserve(pool, &keys[i], 1);
		KUNIT_ASSERT_NOT_NULL(t, ops[i]);
	}
	TEST_TRUE(t, !ockam_aead_reserve(pool, &keys[6], 1));
	ockam_aead_release(ops[2]);
	op = ockam_aead_reserve(pool, &keys[6], 1);
	TEST_TRUE(t, op && keys[6].hint == keys[2].hint);
	ops[2] = op;
	for (i = 0; i < 4; i++)
		ockam_aead_release(ops[i]);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		ockam_aead_key_wipe(&keys[i]);
	ockam_aead_pool_exit(pool);
}

/* A message of zero bytes with a nonce of its own, and what became of it. */
struct test_message {
	struct sk_buff *skb;
	u64 nonce;
	int err;
	struct completion done;
	unsigned int times;	/* it was said to have finished */
};

static void test_message_done(void *data, int err)
{
	struct test_message *m = data;

	m->err = err;
	m->times++;
	complete(&m->done);
}

static void test_message_init(struct test_message *m, u64 nonce)
{
	memset(m, 0, sizeof(*m));
	m->nonce = nonce;
	m->skb = alloc_skb(TEST_LEN + OCKAM_TAG_LEN, GFP_KERNEL);
	memset(skb_put(m->skb, TEST_LEN + OCKAM_TAG_LEN), 0,
	       TEST_LEN + OCKAM_TAG_LEN);
	init_completion(&m->done);
}

static int test_message_seal(struct test_message *m, struct ockam_aead_key *key)
{
	struct ockam_aead_op *op = ockam_aead_reserve(&test_pool, key, 1);

	if (!op)
		return -ENOMEM;
	return ockam_aead_seal_skb(op, m->skb, 0, TEST_LEN, m->nonce,
				   test_message_done, m);
}

static int test_message_open(struct test_message *m, struct ockam_aead_key *key)
{
	struct ockam_aead_op *op = ockam_aead_reserve(&test_pool, key, 1);

	if (!op)
		return -ENOMEM;
	return ockam_aead_open_skb(op, m->skb, 0, m->skb->len, m->skb, 0,
				   m->nonce);
}

static bool test_message_is_plain(const struct test_message *m)
{
	return !memchr_inv(m->skb->data, 0, TEST_LEN);
}

/* Many of them under way with one key. */
static void test_later(struct kunit *t, bool backlog)
{
	static struct test_message m[40];
	struct ockam_aead_key key, copy;
	unsigned int i;

	test_key(&key, backlog);
	test_driver = (struct test_driver){ .later = true, .backlog = backlog,
					    .held = true };
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		test_message_init(&m[i], i);
		TEST_EQ(t, test_message_seal(&m[i], &key), -EINPROGRESS);
	}
	TEST_EQ(t, test_transforms(&test_pool), 1);
	copy = key;
	ockam_aead_key_wipe(&key);
	TEST_EQ(t, m[0].times, 0);
	test_driver_let_go();
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		wait_for_completion(&m[i].done);
		TEST_EQ(t, m[i].err, 0);
	}
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		TEST_EQ(t, m[i].times, 1);
		TEST_TRUE(t, !test_message_is_plain(&m[i]));
		if (i)
			m[i].skb->data[i]++;
		TEST_EQ(t, test_message_open(&m[i], &copy), i ? -EBADMSG : 0);
		if (i)
			m[i].skb->data[i]--;
	}
	TEST_TRUE(t, test_message_is_plain(&m[0]));
	test_driver.err = -EIO;
	TEST_EQ(t, test_message_open(&m[1], &copy), -EIO);
	TEST_EQ(t, test_message_seal(&m[0], &copy), -EINPROGRESS);
	wait_for_completion(&m[0].done);
	TEST_EQ(t, m[0].err, -EIO);
	memset(&test_driver, 0, sizeof(test_driver));
	for (i = 0; i < ARRAY_SIZE(m); i++)
		kfree_skb(m[i].skb);
	ockam_aead_key_wipe(&copy);
	ockam_aead_pool_sweep(&test_pool, false);
	TEST_EQ(t, test_transforms(&test_pool), 0);
}

static void test_pool_later(struct kunit *t)
{
	test_later(t, false);
}

static void test_pool_backlog(struct kunit *t)
{
	test_later(t, true);
}

/* A tag and nothing else. */
static void test_pool_empty_message(struct kunit *t)
{
	struct sk_buff *skb = alloc_skb(OCKAM_TAG_LEN, GFP_KERNEL);
	struct sk_buff *into = alloc_skb(0, GFP_KERNEL);
	struct test_message said = { };
	struct ockam_aead_key key;
	struct ockam_aead_op *op;
	unsigned int i;

	test_key(&key, 1);
	skb_put(skb, OCKAM_TAG_LEN);
	op = ockam_aead_reserve(&test_pool, &key, 1);
	KUNIT_ASSERT_NOT_NULL(t, op);
	TEST_EQ(t, ockam_aead_seal_skb(op, skb, 0, 0, 5, test_message_done,
				       &said), 0);
	for (i = 0; i < 3; i++) {
		op = ockam_aead_reserve(&test_pool, &key, 2);
		KUNIT_ASSERT_NOT_NULL(t, op);
		skb->data[3] ^= i == 1;
		TEST_EQ(t, ockam_aead_open_skb(op, skb, 0, OCKAM_TAG_LEN,
					       i ? into : skb, 0, 5),
			i == 1 ? -EBADMSG : 0);
		skb->data[3] ^= i == 1;
	}
	kfree_skb(into);
	kfree_skb(skb);
	ockam_aead_key_wipe(&key);
}

/* Senders with more keys than transforms, who rekey, while all is swept. */
struct test_crowd {
	struct task_struct *task;
	struct completion done;
	struct mutex *lock;		/* whoever takes or changes the key */
	struct ockam_aead_key *key;
	u32 first;
	unsigned int bad;
};

static void test_crowd_once(struct test_crowd *c, u64 nonce)
{
	struct ockam_aead_key key, next;
	struct test_message m;

	mutex_lock(c->lock);
	if (nonce % 8 == 0) {
		ockam_aead_key_next(&next, c->key);
		ockam_aead_key_wipe(c->key);
		*c->key = next;
	}
	key = *c->key;
	mutex_unlock(c->lock);

	test_message_init(&m, nonce);
	m.err = test_message_seal(&m, &key);
	if (m.err == -EINPROGRESS)
		wait_for_completion(&m.done);
	/* In the meantime the key may be another one's. */
	if (nonce % 3)
		ockam_aead_key_wipe(&key);
	else
		memzero_explicit(&key, sizeof(key));
	c->bad += m.err || test_message_is_plain(&m);
	kfree_skb(m.skb);
}

static int test_crowd_run(void *data)
{
	struct test_crowd *c = data;
	u64 i;

	for (i = 0; i < 2000 / TEST_EVERY; i++) {
		test_crowd_once(c, c->first + i);
		cond_resched();
	}
	complete(&c->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void test_pool_crowd(struct kunit *t)
{
	static struct test_crowd crowd[6];
	static struct mutex lock[3];	/* of the key with that number */
	struct ockam_aead_key keys[3];
	unsigned int i;

	test_pool.limit = test_pool.n_slots + 2;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		mutex_init(&lock[i]);
		test_key(&keys[i], i);
	}
	for (i = 0; i < ARRAY_SIZE(crowd); i++) {
		crowd[i] = (struct test_crowd){
			.lock = &lock[i / 2],
			.key = &keys[i / 2],
			.first = 1 + (i << 20),
		};
		init_completion(&crowd[i].done);
		crowd[i].task = kthread_run(test_crowd_run, &crowd[i], "crowd");
		KUNIT_ASSERT_FALSE(t, IS_ERR(crowd[i].task));
	}
	for (i = 0; i < ARRAY_SIZE(crowd); i++) {
		while (!try_wait_for_completion(&crowd[i].done)) {
			ockam_aead_pool_sweep(&test_pool, true);
			schedule_timeout_uninterruptible(1);
			ockam_aead_flush();
		}
	}
	for (i = 0; i < ARRAY_SIZE(crowd); i++) {
		kthread_stop(crowd[i].task);
		TEST_EQ(t, crowd[i].bad, 0);
	}
	test_pool.limit = OCKAM_AEAD_POOL_MAX;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		ockam_aead_key_wipe(&keys[i]);
	test_age(&test_pool);
	TEST_EQ(t, test_transforms(&test_pool), 0);
}

/* Whatever a key came from, and however it got its transform. */
static void test_monitor(struct kunit *t)
{
	struct ockam_aead_key key, again;
	struct test_message m;
	int before;
	u64 i;

#ifndef OCKAM_NONCE_MONITOR
	kunit_skip(t, "without the monitor of nonces");
#endif
	test_message_init(&m, 0);
	test_key(&key, 0xdecade);
	before = atomic_read(&test_nonces_repeated);
	for (i = 0; i < 100; i++) {
		m.nonce = i;
		TEST_EQ(t, test_message_seal(&m, &key), 0);
		m.nonce = U64_MAX - i;
		TEST_EQ(t, test_message_seal(&m, &key), 0);
	}
	test_key(&again, 0xdecadf);
	m.nonce = 3;
	TEST_EQ(t, test_message_seal(&m, &again), 0);
	TEST_EQ(t, test_message_open(&m, &again), 0);
	TEST_EQ(t, atomic_read(&test_nonces_repeated), before);
	m.nonce = 40;
	TEST_EQ(t, test_message_seal(&m, &key), 0);
	TEST_EQ(t, atomic_read(&test_nonces_repeated), before + 1);
	ockam_aead_key_wipe(&again);
	test_key(&again, 0xdecade);
	m.nonce = U64_MAX;
	TEST_EQ(t, test_message_seal(&m, &again), 0);
	TEST_EQ(t, atomic_read(&test_nonces_repeated), before + 2);
	ockam_aead_key_wipe(&again);
	ockam_aead_key_wipe(&key);
	kfree_skb(m.skb);
}

static struct kunit_case test_aead_pool_cases[] = {
	KUNIT_CASE(test_pool_grows),
	KUNIT_CASE(test_pool_rekey),
	KUNIT_CASE(test_pool_copies),
	KUNIT_CASE(test_pool_wiped_in_flight),
	KUNIT_CASE(test_pool_two),
	KUNIT_CASE(test_pool_limit),
	KUNIT_CASE(test_pool_later),
	KUNIT_CASE(test_pool_backlog),
	KUNIT_CASE(test_pool_empty_message),
	KUNIT_CASE(test_pool_crowd),
	KUNIT_CASE(test_monitor),
	{}
};

/* Each begins with nothing, and nothing is swept but by the test. */
static int test_aead_pool_init(struct kunit *t)
{
	return test_pool_begin();
}

static void test_aead_pool_exit(struct kunit *t)
{
	test_pool_end();
}

static struct kunit_suite test_aead_pool_suite = {
	.name = "ockam_aead_pool",
	.test_cases = test_aead_pool_cases,
	.init = test_aead_pool_init,
	.exit = test_aead_pool_exit,
};

kunit_test_suites(&test_aead_pool_suite);
