// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: where routes and headers find room, whatever was there before, and
 * payloads of every shape.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <net/net_namespace.h>

#include "../../kmod/tests/test.h"
#include "message.h"
#include "netns.h"

/* The node of another suite's module state is not there: one of our own. */
static struct ockam_net test_node;

static int test_message_init(struct kunit *t)
{
	memset(&test_node, 0, sizeof(test_node));
	ockam_gate_init(&test_node.memory, NULL, U64_MAX, NULL);
	return 0;
}

/* Whatever was made is gone, and the node has got back what it paid. */
static void test_message_exit(struct kunit *t)
{
	TEST_EQ(t, test_node.memory.used, 0);
}

static struct sk_buff *test_make(struct kunit *t, size_t routes, size_t len,
				 bool linear)
{
	struct sk_buff *skb;

	skb = ockam_message_alloc(&test_node, routes, len, linear, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t, skb);
	TEST_EQ(t, skb->len, len);
	TEST_EQ(t, ockam_cb(skb)->onward_len, 0);
	TEST_EQ(t, ockam_cb(skb)->ret_len, 0);
	return skb;
}

/* The @i-th byte of a payload. */
static u8 test_byte(size_t i)
{
	return i * 7 + i / 251;
}

static void test_fill(struct sk_buff *skb)
{
	size_t i;
	u8 byte;

	for (i = 0; i < skb->len; i++) {
		byte = test_byte(i);
		skb_store_bits(skb, i, &byte, 1);
	}
}

static bool test_filled(const struct sk_buff *skb, size_t off, size_t len)
{
	size_t i;
	u8 byte;

	for (i = 0; i < len; i++) {
		if (skb_copy_bits(skb, off + i, &byte, 1) ||
		    byte != test_byte(i))
			return false;
	}
	return true;
}

/* A hop of @len bytes, each of them @c. */
static void test_hop(struct ockam_hop *hop, u8 *name, u8 len, u8 c)
{
	memset(name, c, len);
	hop->type = OCKAM_ADDR_LOCAL;
	hop->len = len;
	hop->name = name;
}

/* Is the @n-th hop of @h one of test_hop()? */
static bool test_has_hop(const struct ockam_hops *h, unsigned int n, u8 len,
			 u8 c)
{
	struct ockam_hop hop;
	bool more = ockam_hops_first(h, &hop);

	while (more && n--)
		more = ockam_hops_next(h, &hop);
	return more && hop.len == len && hop.name[0] == c &&
	       !memchr_inv(hop.name, c, len);
}

/* Payloads around every border between linear bytes, fragments and lists. */
static void test_shapes(struct kunit *t)
{
	const size_t piece = OCKAM_MESSAGE_WINDOW + OCKAM_MESSAGE_PIECE;
	const size_t sizes[] = {
		0, 1, OCKAM_MESSAGE_LINEAR - 1, OCKAM_MESSAGE_LINEAR,
		OCKAM_MESSAGE_LINEAR + 1, OCKAM_MESSAGE_WINDOW + 4096,
		piece - OCKAM_MESSAGE_TAILROOM - 1,
		piece - OCKAM_MESSAGE_TAILROOM,
		piece - OCKAM_MESSAGE_TAILROOM + 1, piece, 1 << 18,
	};
	struct sk_buff *skb;
	unsigned int i;
	size_t len;
	u8 last;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		len = sizes[i];
		skb = test_make(t, 0, len, false);
		TEST_TRUE(t, skb->truesize >= len);
		TEST_EQ(t, test_node.memory.used, skb->truesize);
		test_fill(skb);
		TEST_TRUE(t, test_filled(skb, 0, len));
		/* What a channel puts behind it, in two steps. */
		TEST_EQ(t, ockam_message_put(skb, 1, GFP_KERNEL), 0);
		TEST_EQ(t, ockam_message_put(skb, 16, GFP_KERNEL), 0);
		TEST_EQ(t, skb->len, len + 17);
		last = 0x5a;
		TEST_EQ(t, skb_store_bits(skb, len + 16, &last, 1), 0);
		TEST_TRUE(t, test_filled(skb, 0, len));
		TEST_EQ(t, pskb_trim(skb, len), 0);
		TEST_TRUE(t, test_filled(skb, 0, len));
		ockam_message_free(skb);
		TEST_EQ(t, test_node.memory.used, 0);
	}
}

/* A payload that ends with its page has no room behind it, and gets some. */
static void test_full_page(struct kunit *t)
{
	struct sk_buff *skb = test_make(t, 0, OCKAM_MESSAGE_WINDOW +
					PAGE_SIZE - OCKAM_MESSAGE_TAILROOM,
					false);
	size_t len = skb->len;

	TEST_EQ(t, ockam_message_put(skb, OCKAM_MESSAGE_TAILROOM, GFP_KERNEL),
		0);
	test_fill(skb);
	TEST_EQ(t, ockam_message_put(skb, 64, GFP_KERNEL), 0);
	TEST_EQ(t, skb->len, len + OCKAM_MESSAGE_TAILROOM + 64);
	TEST_TRUE(t, test_filled(skb, 0, len + OCKAM_MESSAGE_TAILROOM));
	ockam_message_free(skb);
}

/* Copies have everything but the sharing. */
static void test_copies(struct kunit *t)
{
	struct sk_buff *skb = test_make(t, 0, 20000, false), *copy;
	struct ockam_hops h;
	struct ockam_hop hop;
	u8 name[40];

	test_fill(skb);
	test_hop(&hop, name, 34, 'a');
	TEST_EQ(t, ockam_message_push_ret(skb, &hop, GFP_KERNEL), 0);
	memset(ockam_message_peer(skb), 'p', OCKAM_MESSAGE_PEER);
	ockam_cb(skb)->flags = OCKAM_MSG_SHARED | OCKAM_MSG_PEER;
	ockam_cb(skb)->depth = 3;
	ockam_cb(skb)->ret_id = 77;
	copy = ockam_message_own(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t, copy);
	TEST_TRUE(t, copy != skb);
	TEST_TRUE(t, test_filled(copy, 0, 20000));
	h = ockam_message_ret(copy);
	TEST_EQ(t, h.hops, 1);
	TEST_TRUE(t, test_has_hop(&h, 0, 34, 'a'));
	TEST_TRUE(t, !memchr_inv(ockam_message_peer(copy), 'p',
				 OCKAM_MESSAGE_PEER));
	TEST_EQ(t, ockam_cb(copy)->flags, OCKAM_MSG_PEER);
	TEST_EQ(t, ockam_cb(copy)->depth, 3);
	TEST_EQ(t, ockam_cb(copy)->ret_id, 77);
	/* It is our own now, and once is enough. */
	TEST_TRUE(t, ockam_message_own(copy, GFP_KERNEL) == copy);
	skb = ockam_message_linear(copy, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t, skb);
	TEST_TRUE(t, !skb_is_nonlinear(skb));
	TEST_TRUE(t, test_filled(skb, 0, 20000));
	TEST_TRUE(t, ockam_message_linear(skb, GFP_KERNEL) == skb);
	ockam_message_free(skb);
}

/* As many return hops as there may be, into room for two. */
static void test_long_return(struct kunit *t)
{
	struct sk_buff *skb = test_make(t, 0, 100, false);
	struct ockam_hops h;
	struct ockam_hop hop;
	unsigned int i;
	u8 name[64];

	test_fill(skb);
	for (i = 0; i < OCKAM_ROUTE_MAX_HOPS; i++) {
		test_hop(&hop, name, 60, 'A' + i);
		TEST_EQ(t, ockam_message_push_ret(skb, &hop, GFP_KERNEL), 0);
	}
	TEST_EQ(t, ockam_message_push_ret(skb, &hop, GFP_KERNEL), -E2BIG);
	h = ockam_message_ret(skb);
	TEST_EQ(t, h.hops, OCKAM_ROUTE_MAX_HOPS);
	for (i = 0; i < OCKAM_ROUTE_MAX_HOPS; i++)
		TEST_TRUE(t, test_has_hop(&h, i, 60, 'A' +
					  OCKAM_ROUTE_MAX_HOPS - 1 - i));
	TEST_TRUE(t, test_filled(skb, 0, 100));
	/* Headers still find room, and overwrite none of it. */
	TEST_EQ(t, ockam_message_reserve(skb, 2100, GFP_KERNEL), 0);
	memset(skb_push(skb, 2100), 0xff, 2100);
	h = ockam_message_ret(skb);
	TEST_TRUE(t, test_has_hop(&h, 0, 60, 'A' + OCKAM_ROUTE_MAX_HOPS - 1));
	TEST_TRUE(t, test_has_hop(&h, OCKAM_ROUTE_MAX_HOPS - 1, 60, 'A'));
	TEST_TRUE(t, test_filled(skb, 2100, 100));
	TEST_TRUE(t, test_node.memory.used >= skb->truesize);
	ockam_message_free(skb);
}

/* Routes of @onward and @ret bytes in a message that has had others. */
static void test_exchange_one(struct kunit *t, struct sk_buff *skb, u8 onward,
			      u8 ret, bool keep)
{
	u8 name[255], packed[2 * 257];
	struct ockam_hops h, got;
	struct ockam_hop hop;

	ockam_message_clear_ret(skb);
	test_hop(&hop, name, ret, 'r');
	TEST_EQ(t, ockam_message_push_ret(skb, &hop, GFP_KERNEL), 0);
	packed[0] = OCKAM_ADDR_LOCAL;
	packed[1] = onward;
	memset(packed + 2, 'o', onward);
	memcpy(packed + 2 + onward, packed, 2 + onward);
	h = (struct ockam_hops){ packed, 2 * (2 + onward), 2 };
	TEST_EQ(t, ockam_message_set_onward(skb, &h, keep, GFP_KERNEL), 0);
	got = ockam_message_ret(skb);
	TEST_EQ(t, got.hops, keep);
	if (keep)
		TEST_TRUE(t, test_has_hop(&got, 0, ret, 'r'));
	got = ockam_message_onward(skb);
	TEST_EQ(t, got.hops, 2);
	ockam_message_pop(skb);
	got = ockam_message_onward(skb);
	TEST_EQ(t, got.hops, 1);
	TEST_TRUE(t, test_has_hop(&got, 0, onward, 'o'));
	/* Our name before a route that may have no room before it. */
	test_hop(&hop, name, 32, 'n');
	TEST_EQ(t, ockam_message_push_ret(skb, &hop, GFP_KERNEL), 0);
	got = ockam_message_ret(skb);
	TEST_TRUE(t, test_has_hop(&got, 0, 32, 'n'));
	if (keep)
		TEST_TRUE(t, test_has_hop(&got, 1, ret, 'r'));
	got = ockam_message_onward(skb);
	TEST_TRUE(t, test_has_hop(&got, 0, onward, 'o'));
	TEST_TRUE(t, test_filled(skb, 0, 300));
}

/* Every pair of lengths, exchanged again and again in one message. */
static void test_exchange(struct kunit *t)
{
	static const u8 lens[] = { 1, 4, 32, 34, 100, 250, 255 };
	struct sk_buff *skb = test_make(t, 0, 300, false);
	const unsigned int n = ARRAY_SIZE(lens);
	unsigned int i;

	test_fill(skb);
	for (i = 0; i < 2 * n * n; i++)
		test_exchange_one(t, skb, lens[i / n % n], lens[i % n],
				  i / (n * n));
	ockam_message_free(skb);
}

/* A frame as a link reads it becomes routes and payload. */
static void test_unpack(struct kunit *t)
{
	static const size_t sizes[] = { 0, 5, 1500, 40000, 200000 };
	struct ockam_wire_message m;
	struct ockam_hops onward, ret, h;
	u8 packed[257], other[257];
	struct sk_buff *skb;
	unsigned int i, hdr;
	u8 *p;

	packed[0] = OCKAM_ADDR_LOCAL;
	packed[1] = 255;
	memset(packed + 2, 'o', 255);
	other[0] = OCKAM_ADDR_LOCAL;
	other[1] = 200;
	memset(other + 2, 'r', 200);
	onward = (struct ockam_hops){ packed, 257, 1 };
	ret = (struct ockam_hops){ other, 202, 1 };
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		hdr = ockam_wire_body_len(&onward, &ret, sizes[i]);
		skb = test_make(t, 0, sizes[i], false);
		test_fill(skb);
		TEST_EQ(t, ockam_message_reserve(skb, hdr, GFP_KERNEL), 0);
		p = ockam_wire_put_body(skb_push(skb, hdr), &onward, &ret,
					sizes[i]);
		TEST_TRUE(t, p == skb->data + hdr);
		TEST_EQ(t, ockam_wire_scan_body(skb->data, skb_headlen(skb),
						skb->len, &m), 0);
		TEST_EQ(t, ockam_message_unpack(skb, &m, GFP_KERNEL), 0);
		TEST_EQ(t, skb->len, sizes[i]);
		TEST_TRUE(t, test_filled(skb, 0, sizes[i]));
		h = ockam_message_onward(skb);
		TEST_EQ(t, h.hops, 1);
		TEST_TRUE(t, test_has_hop(&h, 0, 255, 'o'));
		h = ockam_message_ret(skb);
		TEST_EQ(t, h.hops, 1);
		TEST_TRUE(t, test_has_hop(&h, 0, 200, 'r'));
		ockam_message_free(skb);
	}
}

static struct kunit_case test_message_cases[] = {
	KUNIT_CASE(test_shapes),
	KUNIT_CASE(test_full_page),
	KUNIT_CASE(test_copies),
	KUNIT_CASE(test_long_return),
	KUNIT_CASE(test_exchange),
	KUNIT_CASE(test_unpack),
	{}
};

static int test_message_init_suite(struct kunit_suite *suite)
{
	ockam_message_init_module();
	return 0;
}

/* Or the work that ages pages would run after the module has gone. */
static void test_message_exit_suite(struct kunit_suite *suite)
{
	ockam_message_exit_module();
}

static struct kunit_suite test_message_suite = {
	.name = "ockam_message",
	.suite_init = test_message_init_suite,
	.suite_exit = test_message_exit_suite,
	.init = test_message_init,
	.exit = test_message_exit,
	.test_cases = test_message_cases,
};

kunit_test_suite(test_message_suite);
