/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One notation for tests that run as KUnit suites in the kernel and as TAP
 * programs on the host.
 *
 * A test is `static void name(struct kunit *t)`. TEST_SUITE() makes the KUnit
 * suite, or main(). Buffers handed to the code under test come from
 * test_exact(), so that KASAN and ASan see a byte read too many.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_TEST_H
#define OCKAM_TEST_H

#ifdef OCKAM_HOST

#include <stdio.h>
#include "host.h"

struct kunit {
	const char *name;
	bool failed;
};

struct kunit_case {
	void (*run)(struct kunit *t);
	const char *name;
};

#define KUNIT_CASE(fn) { fn, #fn }

/* How much of a long test is worth its time: all here, a part in the kernel. */
#define TEST_EVERY	1

#define TEST_FAIL(t, fmt, ...)						\
	do {								\
		printf("# %s:%d: " fmt "\n", __FILE__, __LINE__,	\
		       ##__VA_ARGS__);					\
		(t)->failed = true;					\
	} while (0)

#define TEST_TRUE(t, cond)						\
	do {								\
		if (!(cond))						\
			TEST_FAIL(t, "not true: %s", #cond);		\
	} while (0)

#define TEST_EQ(t, a, b)						\
	do {								\
		long long a_ = (long long)(a), b_ = (long long)(b);	\
									\
		if (a_ != b_)						\
			TEST_FAIL(t, "%s is %lld, not %lld", #a, a_, b_); \
	} while (0)

/* Run a table that ends with an empty case; 0 when all passed. */
static inline int test_run(const char *suite, const struct kunit_case *c)
{
	unsigned int i, n = 0, bad = 0;

	while (c[n].run)
		n++;
	printf("TAP version 13\n1..%u\n", n);
	for (i = 0; i < n; i++) {
		struct kunit t = { c[i].name, false };

		c[i].run(&t);
		bad += t.failed;
		printf("%sok %u %s %s\n", t.failed ? "not " : "", i + 1, suite,
		       t.name);
	}
	return bad != 0;
}

#define TEST_SUITE(suite, table)					\
int main(void)								\
{									\
	exit(test_run(#suite, table));					\
}

#else

#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"

#define TEST_EVERY	10

#define TEST_FAIL(t, fmt, ...)	KUNIT_FAIL(t, fmt, ##__VA_ARGS__)
#define TEST_TRUE(t, cond)	KUNIT_EXPECT_TRUE(t, cond)
#define TEST_EQ(t, a, b)						\
	KUNIT_EXPECT_EQ(t, (long long)(a), (long long)(b))

#define TEST_SUITE(suite, table)					\
static struct kunit_suite ockam_suite_##suite = {			\
	.name = "ockam_" #suite,					\
	.test_cases = table,						\
};									\
kunit_test_suites(&ockam_suite_##suite)

#endif

/* The same bytes? A pointer of no bytes may be anything. */
static inline bool test_same(const void *a, size_t alen, const void *b,
			     size_t blen)
{
	return alen == blen && (!alen || !memcmp(a, b, alen));
}

/* A copy without a byte to spare behind it; kfree(). */
static inline u8 *test_exact(const void *p, size_t len)
{
	u8 *copy = kmalloc(len ? len : 1, GFP_KERNEL);

	if (copy && len)
		memcpy(copy, p, len);
	return copy;
}

static inline int test_hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Decode lower-case hex into fresh memory; kfree(). */
static inline u8 *test_unhex(const char *hex, size_t *len)
{
	size_t n = strlen(hex) / 2;
	u8 *p = kmalloc(n ? n : 1, GFP_KERNEL);
	size_t i;

	for (i = 0; p && i < n; i++)
		p[i] = test_hex_digit(hex[2 * i]) << 4 |
		       test_hex_digit(hex[2 * i + 1]);
	*len = n;
	return p;
}

#endif /* OCKAM_TEST_H */
