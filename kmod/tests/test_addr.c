// SPDX-License-Identifier: GPL-2.0
/*
 * Routes in packed form: limits, growth at both ends, ownership.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "test.h"
#include "addr.h"

static u8 test_addr_name[OCKAM_ADDR_MAX_LEN + 1];

/* A hop whose name is @len times the byte @fill. */
static struct ockam_hop test_addr_hop(u8 fill, u8 len)
{
	memset(test_addr_name, fill, len);
	return (struct ockam_hop){ OCKAM_ADDR_LOCAL, len, test_addr_name };
}

static void test_addr_check(struct kunit *t)
{
	static const struct {
		u8 len;
		int want;
		u8 bytes[8];
	} cases[] = {
		{ 0, 0, { } },
		{ 3, 1, { 0, 1, 'a' } },
		{ 3, 1, { 255, 1, 0 } },
		{ 7, 2, { 0, 1, 'a', 1, 2, 'b', 'c' } },
		{ 1, -EINVAL, { 0 } },
		{ 2, -EINVAL, { 0, 1 } },		/* no name */
		{ 2, -EINVAL, { 0, 0 } },		/* empty name */
		{ 3, -EINVAL, { 0, 2, 'a' } },		/* name too short */
		{ 4, -EINVAL, { 0, 1, 'a', 0 } },	/* half a hop */
		{ 5, -EINVAL, { 0, 1, 'a', 0, 0 } },
		{ 5, -EINVAL, { 0, 255, 'a', 'b', 'c' } },
	};
	unsigned int i;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p = test_exact(cases[i].bytes, cases[i].len);
		if (!p)
			return;
		TEST_EQ(t, ockam_route_check(p, cases[i].len), cases[i].want);
		kfree(p);
	}
}

static void test_addr_limits(struct kunit *t)
{
	u8 *p = kzalloc(2 * OCKAM_ROUTE_MAX_BYTES, GFP_KERNEL);
	struct ockam_route r;
	unsigned int i;

	if (!p)
		return;
	/* 32 hops are a route, 33 are not. */
	for (i = 0; i < 33; i++)
		memcpy(p + 3 * i, "\0\1a", 3);
	TEST_EQ(t, ockam_route_check(p, 32 * 3), 32);
	TEST_EQ(t, ockam_route_check(p, 33 * 3), -E2BIG);
	/* 16 hops of 128 bytes are 2048 bytes. */
	for (i = 0; i < 17; i++) {
		p[128 * i] = 0;
		p[128 * i + 1] = 126;
	}
	TEST_EQ(t, ockam_route_check(p, 2048), 16);
	TEST_EQ(t, ockam_route_check(p, 2049), -E2BIG);
	TEST_EQ(t, ockam_route_check(p, 2 * OCKAM_ROUTE_MAX_BYTES), -E2BIG);

	ockam_route_init(&r);
	TEST_EQ(t, ockam_route_set(&r, p, 2048), 0);
	TEST_EQ(t, ockam_route_set(&r, p, 2049), -E2BIG);
	TEST_EQ(t, ockam_route_set(&r, p, 2047), -EINVAL);
	TEST_EQ(t, r.len, 2048);	/* unchanged */
	TEST_EQ(t, r.hops, 16);
	TEST_TRUE(t, test_same(ockam_route_bytes(&r), r.len, p, 2048));
	ockam_route_reset(&r);
	kfree(p);
}

static void test_addr_push_limits(struct kunit *t)
{
	struct ockam_route r;
	struct ockam_hop hop;
	unsigned int i;

	ockam_route_init(&r);
	hop = test_addr_hop('x', 0);
	TEST_EQ(t, ockam_route_push_front(&r, &hop), -EINVAL);
	TEST_EQ(t, ockam_route_push_back(&r, &hop), -EINVAL);
	hop = test_addr_hop('x', 1);
	for (i = 0; i < OCKAM_ROUTE_MAX_HOPS; i++)
		TEST_EQ(t, ockam_route_push_front(&r, &hop), 0);
	TEST_EQ(t, ockam_route_push_front(&r, &hop), -E2BIG);
	TEST_EQ(t, ockam_route_push_back(&r, &hop), -E2BIG);
	TEST_EQ(t, r.hops, OCKAM_ROUTE_MAX_HOPS);
	TEST_EQ(t, r.len, 3 * OCKAM_ROUTE_MAX_HOPS);
	ockam_route_reset(&r);

	/* Seven hops of 257 bytes and one of 249 make 2048 bytes. */
	hop = test_addr_hop('y', 255);
	for (i = 0; i < 7; i++)
		TEST_EQ(t, ockam_route_push_back(&r, &hop), 0);
	TEST_EQ(t, ockam_route_push_back(&r, &hop), -E2BIG);
	hop = test_addr_hop('y', 248);
	TEST_EQ(t, ockam_route_push_front(&r, &hop), -E2BIG);
	hop = test_addr_hop('z', 247);
	TEST_EQ(t, ockam_route_push_front(&r, &hop), 0);
	TEST_EQ(t, r.len, OCKAM_ROUTE_MAX_BYTES);
	TEST_EQ(t, ockam_route_check(ockam_route_bytes(&r), r.len), 8);
	hop = test_addr_hop('y', 1);
	TEST_EQ(t, ockam_route_push_front(&r, &hop), -E2BIG);
	TEST_EQ(t, ockam_route_push_back(&r, &hop), -E2BIG);
	TEST_EQ(t, r.len, OCKAM_ROUTE_MAX_BYTES);
	ockam_route_reset(&r);
}

/* Push and pop at both ends against a plain array of hops. */
static void test_addr_model(struct kunit *t)
{
	struct { u8 fill, len; } model[OCKAM_ROUTE_MAX_HOPS];
	unsigned int n = 0, step, i, bytes = 0;
	struct ockam_route r;
	struct ockam_hop hop;
	u32 seed = 1;
	u8 fill, len;
	int err;

	ockam_route_init(&r);
	for (step = 0; step < 5000; step++) {
		seed = seed * 1103515245 + 12345;
		fill = seed >> 8;
		len = 1 + (seed >> 16) % 90;
		hop = test_addr_hop(fill, len);
		switch ((seed >> 24) % 5) {
		case 0:
		case 1:
			err = ockam_route_push_front(&r, &hop);
			if (err)
				break;
			memmove(model + 1, model, n * sizeof(*model));
			model[0].fill = fill;
			model[0].len = len;
			n++;
			bytes += 2 + len;
			break;
		case 2:
			err = ockam_route_push_back(&r, &hop);
			if (err)
				break;
			model[n].fill = fill;
			model[n].len = len;
			n++;
			bytes += 2 + len;
			break;
		default:
			err = 0;
			ockam_route_pop_front(&r);
			if (!n)
				break;
			bytes -= 2 + model[0].len;
			n--;
			memmove(model, model + 1, n * sizeof(*model));
		}
		if (err && n < OCKAM_ROUTE_MAX_HOPS &&
		    bytes + 2 + len <= OCKAM_ROUTE_MAX_BYTES)
			TEST_FAIL(t, "step %u: refused too early", step);
		TEST_EQ(t, r.hops, n);
		TEST_EQ(t, r.len, bytes);
		TEST_EQ(t, ockam_route_check(ockam_route_bytes(&r), r.len), n);
		i = 0;
		if (ockam_route_first(&r, &hop)) {
			do {
				if (hop.len != model[i].len ||
				    hop.name[0] != model[i].fill ||
				    hop.name[hop.len - 1] != model[i].fill)
					TEST_FAIL(t, "step %u hop %u", step, i);
				i++;
			} while (ockam_route_next(&r, &hop));
			TEST_TRUE(t, ockam_route_last(&r, &hop));
			TEST_EQ(t, hop.name[0], model[n - 1].fill);
		}
		TEST_EQ(t, i, n);
	}
	ockam_route_reset(&r);
}

static void test_addr_copy_move(struct kunit *t)
{
	struct ockam_route a, b;
	struct ockam_hop hop;
	unsigned int round;

	ockam_route_init(&a);
	ockam_route_init(&b);
	/* First round inline, second on the heap. */
	for (round = 0; round < 2; round++) {
		hop = test_addr_hop('a', round ? 200 : 20);
		TEST_EQ(t, ockam_route_push_front(&a, &hop), 0);
		TEST_EQ(t, !!a.heap, round);
		TEST_EQ(t, ockam_route_copy(&b, &a), 0);
		TEST_TRUE(t, test_same(ockam_route_bytes(&a), a.len,
				       ockam_route_bytes(&b), b.len));
		TEST_EQ(t, a.hops, b.hops);
		TEST_EQ(t, ockam_route_copy(&a, &a), 0);
		ockam_route_move(&b, &a);
		TEST_EQ(t, a.len, 0);
		TEST_EQ(t, a.hops, 0);
		TEST_TRUE(t, !a.heap);
		TEST_EQ(t, b.hops, 1);
		TEST_TRUE(t, ockam_route_first(&b, &hop) && hop.name[0] == 'a');
		ockam_route_move(&a, &b);
		ockam_route_move(&a, &a);
		TEST_EQ(t, a.hops, 1);
		TEST_TRUE(t, ockam_route_first(&a, &hop) && hop.name[0] == 'a');
		ockam_route_reset(&a);
		ockam_route_reset(&b);
	}
	TEST_TRUE(t, !ockam_route_first(&a, &hop));
	TEST_TRUE(t, !ockam_route_last(&a, &hop));
	ockam_route_pop_front(&a);
	TEST_EQ(t, a.len, 0);
	ockam_route_reset(&a);
	ockam_route_reset(&a);
}

/* A heap route that becomes short, and is set again, keeps its buffer right. */
static void test_addr_set_again(struct kunit *t)
{
	u8 *p = kzalloc(OCKAM_ROUTE_MAX_BYTES, GFP_KERNEL);
	struct ockam_route r;
	struct ockam_hop hop;
	unsigned int len;

	if (!p)
		return;
	ockam_route_init(&r);
	for (len = 1; len < 512; len++) {
		unsigned int n = len % 255 + 1;

		p[0] = len;
		p[1] = n;
		memset(p + 2, len, n);
		TEST_EQ(t, ockam_route_set(&r, p, n + 2), 0);
		TEST_TRUE(t, test_same(ockam_route_bytes(&r), r.len, p, n + 2));
		hop = test_addr_hop('b', len % 100 + 1);
		TEST_EQ(t, ockam_route_push_back(&r, &hop), 0);
		TEST_EQ(t, ockam_route_push_front(&r, &hop), 0);
		ockam_route_pop_front(&r);
		TEST_TRUE(t, ockam_route_first(&r, &hop));
		TEST_EQ(t, hop.type, (u8)len);
		TEST_EQ(t, hop.len, n);
		/* What is left of a route is a fine source for itself. */
		TEST_EQ(t, ockam_route_set(&r, hop.name + hop.len,
					   r.len - n - 2), 0);
		TEST_EQ(t, r.hops, 1);
		TEST_TRUE(t, ockam_route_first(&r, &hop) && hop.name[0] == 'b');
	}
	TEST_EQ(t, ockam_route_set(&r, p, 0), 0);
	TEST_EQ(t, r.hops, 0);
	ockam_route_reset(&r);
	kfree(p);
}

static void test_addr_equal(struct kunit *t)
{
	struct ockam_hop a = { 0, 2, (const u8 *)"ab" };
	struct ockam_hop b = { 0, 2, (const u8 *)"ab" };

	TEST_TRUE(t, ockam_hop_equal(&a, &b));
	b.type = 1;
	TEST_TRUE(t, !ockam_hop_equal(&a, &b));
	b.type = 0;
	b.len = 1;
	TEST_TRUE(t, !ockam_hop_equal(&a, &b));
	b.len = 2;
	b.name = (const u8 *)"aB";
	TEST_TRUE(t, !ockam_hop_equal(&a, &b));
}

static struct kunit_case ockam_addr_tests[] = {
	KUNIT_CASE(test_addr_check),
	KUNIT_CASE(test_addr_limits),
	KUNIT_CASE(test_addr_push_limits),
	KUNIT_CASE(test_addr_model),
	KUNIT_CASE(test_addr_copy_move),
	KUNIT_CASE(test_addr_set_again),
	KUNIT_CASE(test_addr_equal),
	{ }
};

TEST_SUITE(addr, ockam_addr_tests);
