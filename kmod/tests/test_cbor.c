// SPDX-License-Identifier: GPL-2.0
/*
 * The CBOR reader and writer: every width, every lie.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "test.h"
#include "cbor.h"

static void test_cbor_heads(struct kunit *t)
{
	static const u64 values[] = {
		0, 1, 23, 24, 255, 256, 65535, 65536, 0xffffffffull,
		0x100000000ull, U64_MAX - 1, U64_MAX,
	};
	struct ockam_cbor c;
	u8 buf[9], *p, *end;
	size_t i, len, cut;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		end = ockam_cbor_write_head(buf, OCKAM_CBOR_UINT, values[i]);
		len = end - buf;
		TEST_EQ(t, len, ockam_cbor_head_len(values[i]));
		for (cut = 0; cut <= len; cut++) {
			p = test_exact(buf, cut);
			if (!p)
				return;
			ockam_cbor_init(&c, p, cut);
			TEST_EQ(t, ockam_cbor_read_uint(&c, U64_MAX, &v),
				cut == len ? 0 : -EINVAL);
			if (cut == len) {
				TEST_TRUE(t, v == values[i]);
				TEST_TRUE(t, c.p == c.end);
			}
			kfree(p);
		}
		if (!values[i])
			continue;
		ockam_cbor_init(&c, buf, len);
		TEST_EQ(t, ockam_cbor_read_uint(&c, values[i] - 1, &v), -EINVAL);
	}
}

/* Any width is read, however small the number; only the shortest is written. */
static void test_cbor_widths(struct kunit *t)
{
	static const u8 forms[][9] = {
		{ 0x18, 7 }, { 0x19, 0, 7 }, { 0x1a, 0, 0, 0, 7 },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 0, 7 },
	};
	static const u8 lens[] = { 2, 3, 5, 9 };
	struct ockam_cbor c;
	unsigned int i;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ockam_cbor_init(&c, forms[i], lens[i]);
		TEST_EQ(t, ockam_cbor_read_uint(&c, 255, &v), 0);
		TEST_EQ(t, v, 7);
		TEST_TRUE(t, c.p == c.end);
	}
}

/* First bytes that start no item at all. */
static void test_cbor_reserved(struct kunit *t)
{
	struct ockam_cbor c;
	unsigned int b;
	bool bad;
	u8 buf[10];

	for (b = 0; b < 256; b++) {
		memset(buf, 0, sizeof(buf));
		buf[0] = b;
		buf[1] = 0xff;	/* ends what may be indefinite */
		bad = ((b & 0x1f) >= 28 && (b & 0x1f) <= 30) ||
		      b == 0x1f || b == 0x3f || b == 0xdf || b == 0xff;
		/* A length of 255 or more, or a tag before a break, is bad too. */
		if (b >> 5 >= OCKAM_CBOR_BYTES && b >> 5 <= OCKAM_CBOR_TAG &&
		    (b & 0x1f) < 31)
			bad = true;
		if (b == 0x40 || b == 0x60 || b == 0x80 || b == 0xa0)
			bad = false;
		/* One to nine bytes of string are there. */
		if ((b > 0x40 && b <= 0x49) || (b > 0x60 && b <= 0x69))
			bad = false;
		/* Tags with an argument: behind it are zeros, an item. */
		if (b >= 0xd8 && b <= 0xdb)
			bad = b == 0xdb;
		ockam_cbor_init(&c, buf, b == 0xdb ? 9 : 10);
		if (ockam_cbor_skip(&c) != (bad ? -EINVAL : 0))
			TEST_FAIL(t, "first byte %02x", b);
	}
}

static void test_cbor_strings(struct kunit *t)
{
	static const struct {
		u8 len;
		int want;
		u8 bytes[12];
	} cases[] = {
		{ 1, 0, { 0x40 } },
		{ 4, 0, { 0x43, 1, 2, 3 } },
		{ 3, 0, { 0x58, 1, 9 } },
		{ 10, 0, { 0x5b, 0, 0, 0, 0, 0, 0, 0, 1, 9 } },
		{ 0, -EINVAL, { } },
		{ 3, -EINVAL, { 0x43, 1, 2 } },
		{ 2, -EINVAL, { 0x58, 1 } },
		{ 9, -EINVAL, { 0x5b, 255, 255, 255, 255, 255, 255, 255, 255 } },
		{ 9, -EINVAL, { 0x5b, 128, 0, 0, 0, 0, 0, 0, 0 } },
		{ 9, -EINVAL, { 0x5b, 255, 255, 255, 255, 255, 255, 255, 247 } },
		{ 4, -EINVAL, { 0x5f, 0x41, 1, 0xff } },	/* indefinite */
		{ 2, -EINVAL, { 0x61, 'a' } },			/* text */
		{ 2, -EINVAL, { 0x81, 1 } },			/* array */
		{ 1, -EINVAL, { 0x5c } },
	};
	struct ockam_cbor c;
	const u8 *s;
	unsigned int i;
	size_t len;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p = test_exact(cases[i].bytes, cases[i].len);
		if (!p)
			return;
		ockam_cbor_init(&c, p, cases[i].len);
		if (ockam_cbor_read_bytes(&c, &s, &len) != cases[i].want)
			TEST_FAIL(t, "case %u", i);
		else if (!cases[i].want)
			TEST_TRUE(t, s + len == c.end);
		kfree(p);
	}
}

static void test_cbor_arrays(struct kunit *t)
{
	static const u8 definite[] = { 0x82, 1, 2, 9 };
	static const u8 indefinite[] = { 0x9f, 1, 2, 0xff, 9 };
	static const u8 open[] = { 0x9f, 1 };
	static const u8 lie[] = { 0x9b, 255, 255, 255, 255, 255, 255, 255, 255,
				  1, 2 };
	struct ockam_cbor_array a;
	struct ockam_cbor c;
	u64 v;

	ockam_cbor_init(&c, definite, sizeof(definite));
	TEST_EQ(t, ockam_cbor_read_array(&c, &a), 0);
	TEST_EQ(t, ockam_cbor_next(&c, &a), 1);
	TEST_EQ(t, ockam_cbor_read_uint(&c, 9, &v), 0);
	TEST_EQ(t, ockam_cbor_skip_rest(&c, &a), 0);
	TEST_EQ(t, ockam_cbor_next(&c, &a), 0);
	TEST_EQ(t, c.end - c.p, 1);

	ockam_cbor_init(&c, indefinite, sizeof(indefinite));
	TEST_EQ(t, ockam_cbor_read_array(&c, &a), 0);
	TEST_EQ(t, ockam_cbor_next(&c, &a), 1);
	TEST_EQ(t, ockam_cbor_read_uint(&c, 9, &v), 0);
	TEST_EQ(t, ockam_cbor_skip_rest(&c, &a), 0);
	TEST_EQ(t, c.end - c.p, 1);

	ockam_cbor_init(&c, open, sizeof(open));
	TEST_EQ(t, ockam_cbor_read_array(&c, &a), 0);
	TEST_EQ(t, ockam_cbor_skip_rest(&c, &a), -EINVAL);

	ockam_cbor_init(&c, lie, sizeof(lie));
	TEST_EQ(t, ockam_cbor_read_array(&c, &a), -EINVAL);
}

/* Items that are skipped whole, and such that are not items. */
static void test_cbor_skip(struct kunit *t)
{
	static const struct {
		u8 len;
		int want;
		u8 bytes[12];
	} cases[] = {
		{ 1, 0, { 0xf6 } },
		{ 2, 0, { 0xf8, 0xff } },
		{ 3, 0, { 0xf9, 0, 0 } },
		{ 9, 0, { 0xfb } },
		{ 5, 0, { 0xa2, 1, 2, 3, 4 } },
		{ 4, 0, { 0xbf, 1, 2, 0xff } },
		{ 5, 0, { 0x5f, 0x41, 1, 0x40, 0xff } },
		{ 4, 0, { 0x7f, 0x61, 'a', 0xff } },
		{ 2, 0, { 0x9f, 0xff } },
		{ 4, 0, { 0xc1, 0xc2, 0x81, 0 } },
		{ 6, 0, { 0x82, 0x9f, 0xbf, 0xff, 0xff, 0x80 } },
		{ 8, -EINVAL, { 0xfb } },
		{ 4, -EINVAL, { 0xa2, 1, 2, 3 } },
		{ 3, -EINVAL, { 0xbf, 1, 0xff } },	/* key, no value */
		{ 3, -EINVAL, { 0xbf, 1, 2 } },
		{ 4, -EINVAL, { 0x5f, 0x61, 'a', 0xff } },	/* other type */
		{ 4, -EINVAL, { 0x5f, 0x5f, 0xff, 0xff } },	/* nested */
		{ 3, -EINVAL, { 0x5f, 1, 0xff } },
		{ 1, -EINVAL, { 0xc1 } },
		{ 2, -EINVAL, { 0x81, 0xff } },		/* break out of place */
		{ 2, -EINVAL, { 0xc1, 0xff } },
		{ 1, -EINVAL, { 0xff } },
		{ 11, -EINVAL, { 0xbb, 128, 0, 0, 0, 0, 0, 0, 1, 0, 0 } },
		{ 11, -EINVAL, { 0x9b, 255, 255, 255, 255, 255, 255, 255, 255 } },
	};
	struct ockam_cbor c;
	unsigned int i, cut;
	int want;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (cut = 0; cut <= cases[i].len; cut++) {
			p = test_exact(cases[i].bytes, cut);
			if (!p)
				return;
			want = -EINVAL;
			if (cut == cases[i].len)
				want = cases[i].want;
			ockam_cbor_init(&c, p, cut);
			if (ockam_cbor_skip(&c) != want)
				TEST_FAIL(t, "case %u cut %u", i, cut);
			kfree(p);
		}
	}
}

static void test_cbor_depth(struct kunit *t)
{
	static const u8 openers[] = { 0x81, 0x9f, 0xa1, 0xc1 };
	const unsigned int max = 100000;
	struct ockam_cbor c;
	unsigned int i, n;
	u8 *buf = kmalloc(max, GFP_KERNEL);

	if (!buf)
		return;
	for (i = 0; i < ARRAY_SIZE(openers); i++) {
		memset(buf, openers[i], max);
		ockam_cbor_init(&c, buf, max);
		TEST_EQ(t, ockam_cbor_skip(&c), -EINVAL);
		TEST_TRUE(t, c.p - buf <= 2 * OCKAM_CBOR_MAX_DEPTH);
	}
	/* Arrays of one: as deep as the limit is fine, one more is not. */
	for (n = OCKAM_CBOR_MAX_DEPTH - 2; n < OCKAM_CBOR_MAX_DEPTH + 2; n++) {
		memset(buf, 0x81, n);
		buf[n] = 0;
		ockam_cbor_init(&c, buf, n + 1);
		TEST_EQ(t, ockam_cbor_skip(&c),
			n < OCKAM_CBOR_MAX_DEPTH ? 0 : -EINVAL);
	}
	/* Wide is no problem: it costs no more than its bytes. */
	memset(buf, 0, max);
	buf[0] = 0x9a;
	put_unaligned_be32(max - 5, buf + 1);
	ockam_cbor_init(&c, buf, max);
	TEST_EQ(t, ockam_cbor_skip(&c), 0);
	TEST_TRUE(t, c.p == c.end);
	kfree(buf);
}

static void test_cbor_null(struct kunit *t)
{
	static const u8 buf[] = { 0xf6, 0xf7 };
	struct ockam_cbor c;

	ockam_cbor_init(&c, buf, sizeof(buf));
	TEST_EQ(t, ockam_cbor_peek(&c), OCKAM_CBOR_SIMPLE);
	TEST_TRUE(t, ockam_cbor_read_null(&c));
	TEST_TRUE(t, !ockam_cbor_read_null(&c));
	TEST_EQ(t, ockam_cbor_skip(&c), 0);
	TEST_TRUE(t, !ockam_cbor_read_null(&c));
	TEST_EQ(t, ockam_cbor_peek(&c), -EINVAL);
}

static struct kunit_case ockam_cbor_tests[] = {
	KUNIT_CASE(test_cbor_heads),
	KUNIT_CASE(test_cbor_widths),
	KUNIT_CASE(test_cbor_reserved),
	KUNIT_CASE(test_cbor_strings),
	KUNIT_CASE(test_cbor_arrays),
	KUNIT_CASE(test_cbor_skip),
	KUNIT_CASE(test_cbor_depth),
	KUNIT_CASE(test_cbor_null),
	{ }
};

TEST_SUITE(cbor, ockam_cbor_tests);
