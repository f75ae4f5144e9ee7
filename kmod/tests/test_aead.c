// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing, opening and the rekey step against the vectors. Kernel only: this is
 * about the kernel's own cipher.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */

#include <linux/delay.h>
#include <linux/jiffies.h>

#include "test.h"
#include "test_aead.h"
#include "aead_pool.h"

#include "packets.h"

static bool test_aead_key_is(const struct ockam_aead_key *key, const char *hex)
{
	size_t len;
	u8 *want = test_unhex(hex, &len);
	bool same = want && test_same(key->bytes, sizeof(key->bytes), want, len);

	kfree(want);
	return same;
}

static void test_aead_install(struct ockam_aead_key *key, const char *hex)
{
	size_t len;
	u8 *bytes = test_unhex(hex, &len);

	ockam_aead_key_install(key, bytes);
	kfree(bytes);
}

/* The keys of all intervals follow from the first. */
static void test_aead_rekey(struct kunit *t)
{
	struct ockam_aead_key key, next;
	unsigned int i;

	test_aead_install(&key, ockam_packets[0].key);
	ockam_aead_key_next(&next, &key);
	TEST_TRUE(t, test_aead_key_is(&next, ockam_packets_next_key));
	TEST_TRUE(t, next.id && next.id != key.id);
	ockam_aead_key_wipe(&next);
	for (i = 1; i < ARRAY_SIZE(ockam_packets); i++) {
		if (ockam_packets[i].nonce % OCKAM_REKEY_INTERVAL == 0) {
			ockam_aead_key_next(&next, &key);
			ockam_aead_key_wipe(&key);
			key = next;
		}
		TEST_TRUE(t, test_aead_key_is(&key, ockam_packets[i].key));
	}
	ockam_aead_key_wipe(&key);
	TEST_EQ(t, key.id, 0);
	TEST_TRUE(t, !memchr_inv(key.bytes, 0, sizeof(key.bytes)));
}

/* Each packet, byte for byte, from an exact buffer. */
static void test_aead_seal(struct kunit *t)
{
	const struct ockam_packet_case *c;
	size_t len, packet_len;
	struct ockam_aead_key key;
	u8 *plain, *packet, *buf;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ockam_packets); i++) {
		c = &ockam_packets[i];
		test_aead_install(&key, c->key);
		plain = test_unhex(c->plaintext, &len);
		packet = test_unhex(c->packet, &packet_len);
		buf = kmalloc(len + OCKAM_TAG_LEN, GFP_KERNEL);
		memcpy(buf, plain, len);
		TEST_EQ(t, test_seal(&test_pool, &key, buf, len, c->nonce), 0);
		TEST_TRUE(t, test_same(buf, len + OCKAM_TAG_LEN,
				       packet + OCKAM_NONCE_LEN,
				       packet_len - OCKAM_NONCE_LEN));
		kfree(buf);
		kfree(packet);
		kfree(plain);
		ockam_aead_key_wipe(&key);
	}
}

/* Open @packet, whose byte @bad (if there is one) is changed. */
static int test_aead_open_one(const struct ockam_packet_case *c, int bad,
			      bool *same)
{
	size_t len, packet_len, n;
	struct ockam_aead_key key;
	u8 *packet, *plain;
	int err;

	test_aead_install(&key, c->key);
	plain = test_unhex(c->plaintext, &len);
	packet = test_unhex(c->packet, &packet_len);
	n = packet_len - OCKAM_NONCE_LEN;
	if (bad >= 0)
		packet[OCKAM_NONCE_LEN + bad] ^= 0x80;
	err = test_open(&test_pool, &key, packet + OCKAM_NONCE_LEN, n, c->nonce);
	*same = test_same(packet + OCKAM_NONCE_LEN, len, plain, len);
	kfree(packet);
	kfree(plain);
	ockam_aead_key_wipe(&key);
	return err;
}

static void test_aead_open(struct kunit *t)
{
	unsigned int i;
	bool same;

	for (i = 0; i < ARRAY_SIZE(ockam_packets); i++) {
		TEST_EQ(t, test_aead_open_one(&ockam_packets[i], -1, &same), 0);
		TEST_TRUE(t, same);
	}
	/* A changed byte anywhere in the first packet, its tag included. */
	for (i = 0; i < strlen(ockam_packets[0].packet) / 2 - OCKAM_NONCE_LEN; i++)
		TEST_EQ(t, test_aead_open_one(&ockam_packets[0], i, &same),
			-EBADMSG);
}

/* More keys at work than the pool has transforms: each still its own. */
static void test_aead_pool(struct kunit *t)
{
	const unsigned int n = 600;
	struct ockam_aead_key *keys;
	unsigned int i, round;
	u8 bytes[OCKAM_KEY_LEN] = { };
	u8 buf[2][64];

	keys = kcalloc(n, sizeof(*keys), GFP_KERNEL);
	for (i = 0; i < n; i++) {
		put_unaligned(i, (u32 *)bytes);
		ockam_aead_key_install(&keys[i], bytes);
	}
	for (round = 0; round < 2; round++) {
		for (i = 0; i < n; i++) {
			memset(buf, 0, sizeof(buf));
			TEST_EQ(t, test_seal(&test_pool, &keys[i], buf[0], 16, i), 0);
			TEST_EQ(t, test_open(&test_pool, &keys[i], buf[0], 32, i), 0);
			TEST_TRUE(t, !memcmp(buf[0], buf[1], 16));
		}
	}
	for (i = 0; i < n; i++)
		ockam_aead_key_wipe(&keys[i]);
	kfree(keys);
}

/*
 * A key that its owner wipes is soon gone from the pool too, well before a
 * transform is given back that nobody uses.
 */
static void test_aead_wiped(struct kunit *t)
{
	const struct ockam_aead_slot *slot;
	struct ockam_aead_key key;
	struct ockam_aead_op *op;
	unsigned long end;

	test_aead_install(&key, ockam_packets[0].key);
	op = ockam_aead_reserve(&test_pool, &key, 1);
	TEST_TRUE(t, op);
	if (!op)
		return;
	ockam_aead_release(op);
	slot = key.hint;
	TEST_TRUE(t, slot->tfm && slot->key_id == key.id);
	ockam_aead_key_wipe(&key);
	end = jiffies + 4 * HZ;
	while (READ_ONCE(slot->tfm) && time_before(jiffies, end))
		msleep(20);
	TEST_TRUE(t, !READ_ONCE(slot->tfm));
}

static struct kunit_case test_aead_cases[] = {
	/* First: then nothing else has begun to sweep. */
	KUNIT_CASE(test_aead_wiped),
	KUNIT_CASE(test_aead_rekey),
	KUNIT_CASE(test_aead_seal),
	KUNIT_CASE(test_aead_open),
	KUNIT_CASE(test_aead_pool),
	{}
};

static int test_aead_init_suite(struct kunit_suite *suite)
{
	return test_pool_begin();
}

static void test_aead_exit_suite(struct kunit_suite *suite)
{
	test_pool_end();
}

static struct kunit_suite test_aead_suite = {
	.name = "ockam_aead",
	.test_cases = test_aead_cases,
	.suite_init = test_aead_init_suite,
	.suite_exit = test_aead_exit_suite,
};

kunit_test_suites(&test_aead_suite);
