// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing and opening inside of skbs of all shapes, against the vectors.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/skbuff.h>

#include "test.h"
#include "test_aead.h"
#include "packets.h"

#define TEST_BEFORE	3	/* bytes around what is sealed, which stay */
#define TEST_BEHIND	2
#define TEST_PIECES	12

/* How the bytes of an skb are laid out. */
struct test_shape {
	unsigned int head;	/* bytes of them in the linear part, at most */
	unsigned int piece;	/* bytes in each fragment, at least */
	unsigned int list;	/* of a hundred, how many in a list of skbs behind */
};

static const struct test_shape test_shapes[] = {
	{ .head = UINT_MAX },
	{ .head = 0, .piece = 4096 },
	{ .head = TEST_BEFORE, .piece = 16 },
	{ .head = 13, .piece = 7 },
	{ .head = TEST_BEFORE + 1, .piece = 1 },
	{ .head = 11, .piece = 64, .list = 50 },
	{ .head = UINT_MAX, .list = 30 },
};

static void test_append(struct sk_buff *skb, const u8 *bytes, unsigned int len)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, get_order(len + 5));

	memcpy(page_address(page) + 5, bytes, len);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 5, len,
			PAGE_SIZE << get_order(len + 5));
}

/* Null without memory, which ends the test module at once. */
static struct sk_buff *test_skb(const u8 *bytes, unsigned int len,
				const struct test_shape *shape)
{
	unsigned int listed = len * shape->list / 100, head, piece;
	struct test_shape rest = *shape;
	struct sk_buff *skb, *part;

	len -= listed;
	head = min(len, shape->head);
	piece = max(shape->piece, DIV_ROUND_UP(len - head, TEST_PIECES));
	skb = alloc_skb(head, GFP_KERNEL);
	skb_put_data(skb, bytes, head);
	for (bytes += head, len -= head; len; len -= piece, bytes += piece) {
		piece = min(piece, len);
		test_append(skb, bytes, piece);
	}
	if (!listed)
		return skb;
	rest.list = 0;
	part = test_skb(bytes, listed, &rest);
	skb_shinfo(skb)->frag_list = part;
	skb->len += part->len;
	skb->data_len += part->len;
	skb->truesize += part->truesize;
	return skb;
}

static bool test_skb_is(const struct sk_buff *skb, const u8 *bytes,
			unsigned int len)
{
	u8 *copy = kmalloc(len, GFP_KERNEL);
	bool same;

	same = skb->len == len && !skb_copy_bits(skb, 0, copy, len) &&
	       !memcmp(copy, bytes, len);
	kfree(copy);
	return same;
}

/* The bytes of an skb with @len bytes of @from in it, and others around. */
static u8 *test_frame(const u8 *from, unsigned int len)
{
	u8 *bytes = kmalloc(TEST_BEFORE + len + TEST_BEHIND, GFP_KERNEL);

	memset(bytes, 0xa5, TEST_BEFORE + len + TEST_BEHIND);
	memcpy(bytes + TEST_BEFORE, from, len);
	return bytes;
}

/* One packet of the vectors, as tests want it. */
struct test_packet {
	struct ockam_aead_key key;
	u64 nonce;
	unsigned int len;	/* of the plaintext */
	u8 *plain, *sealed;	/* framed; both with room for the tag */
	unsigned int size;	/* of each of these two */
};

static void test_packet_init(struct test_packet *p,
			     const struct ockam_packet_case *c)
{
	size_t key_len, len, packet_len;
	u8 *key = test_unhex(c->key, &key_len);
	u8 *plain = test_unhex(c->plaintext, &len);
	u8 *packet = test_unhex(c->packet, &packet_len);

	ockam_aead_key_install(&p->key, key);
	p->nonce = c->nonce;
	p->len = len;
	p->size = TEST_BEFORE + len + OCKAM_TAG_LEN + TEST_BEHIND;
	p->sealed = test_frame(packet + OCKAM_NONCE_LEN, len + OCKAM_TAG_LEN);
	p->plain = test_frame(packet + OCKAM_NONCE_LEN, len + OCKAM_TAG_LEN);
	memcpy(p->plain + TEST_BEFORE, plain, len);
	kfree(packet);
	kfree(plain);
	kfree(key);
}

static void test_packet_exit(struct test_packet *p)
{
	ockam_aead_key_wipe(&p->key);
	kfree(p->plain);
	kfree(p->sealed);
}

static struct ockam_aead_op *test_reserve(struct test_packet *p,
					  const struct sk_buff *src,
					  const struct sk_buff *dst)
{
	unsigned int n = ockam_aead_count_skb(src);

	if (dst != src)
		n += ockam_aead_count_skb(dst);
	return ockam_aead_reserve(&test_pool, &p->key, n);
}

static void test_skb_seal(struct kunit *t)
{
	struct ockam_aead_op *op;
	struct test_packet p;
	struct sk_buff *skb;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(ockam_packets); i++) {
		test_packet_init(&p, &ockam_packets[i]);
		for (j = 0; j < ARRAY_SIZE(test_shapes); j++) {
			skb = test_skb(p.plain, p.size, &test_shapes[j]);
			memset(p.plain + TEST_BEFORE + p.len, 0, OCKAM_TAG_LEN);
			op = test_reserve(&p, skb, skb);
			KUNIT_ASSERT_NOT_NULL(t, op);
			TEST_EQ(t, test_seal_wait(op, skb, TEST_BEFORE, p.len,
						  p.nonce), 0);
			TEST_TRUE(t, test_skb_is(skb, p.sealed, p.size));
			kfree_skb(skb);
		}
		test_packet_exit(&p);
	}
}

static void test_skb_open_in_place(struct kunit *t)
{
	struct ockam_aead_op *op;
	struct test_packet p;
	struct sk_buff *skb;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(ockam_packets); i++) {
		test_packet_init(&p, &ockam_packets[i]);
		for (j = 0; j < ARRAY_SIZE(test_shapes); j++) {
			skb = test_skb(p.sealed, p.size, &test_shapes[j]);
			op = test_reserve(&p, skb, skb);
			KUNIT_ASSERT_NOT_NULL(t, op);
			TEST_EQ(t, ockam_aead_open_skb(op, skb, TEST_BEFORE,
						       p.len + OCKAM_TAG_LEN, skb,
						       TEST_BEFORE, p.nonce), 0);
			TEST_TRUE(t, test_skb_is(skb, p.plain, p.size));
			kfree_skb(skb);
		}
		test_packet_exit(&p);
	}
}

/* Into an skb of another shape, at another offset. */
static int test_open_into(struct kunit *t, struct test_packet *p, const u8 *sealed,
			  const struct test_shape *from,
			  const struct test_shape *to, bool *same)
{
	unsigned int dst_size = 2 * TEST_BEFORE + p->len + TEST_BEHIND;
	struct sk_buff *src = test_skb(sealed, p->size, from);
	u8 *bytes = kmalloc(dst_size, GFP_KERNEL);
	struct ockam_aead_op *op;
	struct sk_buff *dst;
	int err;

	memset(bytes, 0x5a, dst_size);
	dst = test_skb(bytes, dst_size, to);
	op = test_reserve(p, src, dst);
	KUNIT_ASSERT_NOT_NULL(t, op);
	err = ockam_aead_open_skb(op, src, TEST_BEFORE, p->len + OCKAM_TAG_LEN,
				  dst, 2 * TEST_BEFORE, p->nonce);
	TEST_TRUE(t, test_skb_is(src, sealed, p->size));
	memcpy(bytes + 2 * TEST_BEFORE, p->plain + TEST_BEFORE, p->len);
	*same = test_skb_is(dst, bytes, dst_size);
	/* What the tag does not cover stays in any case. */
	skb_copy_bits(dst, 2 * TEST_BEFORE, bytes + 2 * TEST_BEFORE, p->len);
	TEST_TRUE(t, test_skb_is(dst, bytes, dst_size));
	kfree_skb(dst);
	kfree_skb(src);
	kfree(bytes);
	return err;
}

static void test_skb_open_into(struct kunit *t)
{
	struct test_packet p;
	unsigned int i, j, k;
	bool same;

	for (i = 0; i < ARRAY_SIZE(ockam_packets); i++) {
		test_packet_init(&p, &ockam_packets[i]);
		for (j = 0; j < ARRAY_SIZE(test_shapes); j++) {
			for (k = i % 3; k < ARRAY_SIZE(test_shapes); k += 3) {
				TEST_EQ(t, test_open_into(t, &p, p.sealed,
							  &test_shapes[j],
							  &test_shapes[k],
							  &same), 0);
				TEST_TRUE(t, same);
			}
		}
		test_packet_exit(&p);
	}
}

/* One byte is wrong: of the ciphertext, or of the tag. */
static void test_skb_open_bad(struct kunit *t)
{
	struct test_packet p;
	unsigned int i, j;
	bool same;

	test_packet_init(&p, &ockam_packets[0]);
	for (i = 0; i < p.len + OCKAM_TAG_LEN; i++) {
		p.sealed[TEST_BEFORE + i] ^= 0x80;
		for (j = 0; j < ARRAY_SIZE(test_shapes); j++)
			TEST_EQ(t, test_open_into(t, &p, p.sealed,
						  &test_shapes[j],
						  &test_shapes[(i + j) %
						  ARRAY_SIZE(test_shapes)], &same),
				-EBADMSG);
		p.sealed[TEST_BEFORE + i] ^= 0x80;
	}
	test_packet_exit(&p);
}

/* Shorter than a tag: refused before anything is touched. */
static void test_skb_open_short(struct kunit *t)
{
	struct ockam_aead_op *op;
	struct test_packet p;
	struct sk_buff *skb;

	test_packet_init(&p, &ockam_packets[0]);
	skb = test_skb(p.sealed, p.size, &test_shapes[0]);
	op = test_reserve(&p, skb, skb);
	KUNIT_ASSERT_NOT_NULL(t, op);
	TEST_EQ(t, ockam_aead_open_skb(op, skb, TEST_BEFORE, OCKAM_TAG_LEN - 1,
				       skb, TEST_BEFORE, p.nonce), -EBADMSG);
	TEST_TRUE(t, test_skb_is(skb, p.sealed, p.size));
	kfree_skb(skb);
	test_packet_exit(&p);
}

static struct kunit_case test_aead_skb_cases[] = {
	KUNIT_CASE(test_skb_seal),
	KUNIT_CASE(test_skb_open_in_place),
	KUNIT_CASE(test_skb_open_into),
	KUNIT_CASE(test_skb_open_bad),
	KUNIT_CASE(test_skb_open_short),
	{}
};

static int test_aead_skb_init(struct kunit_suite *suite)
{
	return test_pool_begin();
}

static void test_aead_skb_exit(struct kunit_suite *suite)
{
	test_pool_end();
}

static struct kunit_suite test_aead_skb_suite = {
	.name = "ockam_aead_skb",
	.test_cases = test_aead_skb_cases,
	.suite_init = test_aead_skb_init,
	.suite_exit = test_aead_skb_exit,
};

kunit_test_suites(&test_aead_skb_suite);
