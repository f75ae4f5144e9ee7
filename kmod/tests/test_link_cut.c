// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of a stream, cut out of pieces of any size.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "test.h"
#include "link_cut.h"

#define TEST_LINK_CUT_LIMIT	300

/* Version, bodies of 1, 5 and TEST_LINK_CUT_LIMIT bytes. */
static size_t test_link_cut_stream(u8 *out)
{
	static const u16 sizes[] = { 1, 5, TEST_LINK_CUT_LIMIT };
	unsigned int i;
	u8 *p = out;

	*p++ = OCKAM_STREAM_VERSION;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		put_unaligned_be32(sizes[i], p);
		memset(p + OCKAM_FRAME_HDR_LEN, i + 1, sizes[i]);
		p += OCKAM_FRAME_HDR_LEN + sizes[i];
	}
	return p - out;
}

/* Bytes @from to @to, of which each body's are all the same. Frames that ended there. */
static unsigned int test_link_cut_take(struct kunit *t, struct ockam_link_cut *c,
				       const u8 *p, size_t n, unsigned int frames)
{
	u32 lacks;
	size_t i;
	int head;

	while (n) {
		lacks = ockam_link_cut_lacks(c);
		if (!lacks) {
			head = ockam_link_cut_head(c, p, n, TEST_LINK_CUT_LIMIT);
			TEST_TRUE(t, head > 0);
			if (head <= 0)
				break;
			p += head;
			n -= head;
			continue;
		}
		lacks = min_t(size_t, lacks, n);
		for (i = 0; i < lacks; i++)
			TEST_EQ(t, p[i], frames + 1);
		frames += ockam_link_cut_body(c, lacks);
		p += lacks;
		n -= lacks;
	}
	return frames;
}

static void test_link_cut_everywhere(struct kunit *t)
{
	u8 stream[TEST_LINK_CUT_LIMIT + 32];
	size_t len = test_link_cut_stream(stream), cut;
	struct ockam_link_cut c;
	unsigned int frames;

	for (cut = 0; cut <= len; cut++) {
		ockam_link_cut_init(&c);
		TEST_TRUE(t, !ockam_link_cut_between(&c));
		frames = test_link_cut_take(t, &c, stream, cut, 0);
		TEST_EQ(t, ockam_link_cut_between(&c),
			cut == 1 || cut == 6 || cut == 15 || cut == len);
		frames = test_link_cut_take(t, &c, stream + cut, len - cut,
					    frames);
		TEST_EQ(t, frames, 3);
		TEST_TRUE(t, ockam_link_cut_between(&c));
	}
}

static void test_link_cut_single(struct kunit *t)
{
	u8 stream[TEST_LINK_CUT_LIMIT + 32];
	size_t len = test_link_cut_stream(stream), i;
	unsigned int frames = 0;
	struct ockam_link_cut c;

	ockam_link_cut_init(&c);
	for (i = 0; i < len; i++)
		frames = test_link_cut_take(t, &c, stream + i, 1, frames);
	TEST_EQ(t, frames, 3);
}

static void test_link_cut_refusals(struct kunit *t)
{
	static const struct {
		u8 bytes[5];
		int want;
	} cases[] = {
		{ { 0, 0, 0, 0, 1 }, -EPROTONOSUPPORT },
		{ { 2, 0, 0, 0, 1 }, -EPROTONOSUPPORT },
		{ { 1, 0, 0, 0, 0 }, -EPROTO },
		{ { 1, 0, 0, 1, 45 }, -EMSGSIZE },	/* 301 */
		{ { 1, 255, 255, 255, 255 }, -EMSGSIZE },
		{ { 1, 0, 0, 1, 44 }, 5 },
	};
	struct ockam_link_cut c;
	unsigned int i, j;
	int got;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		ockam_link_cut_init(&c);
		got = ockam_link_cut_head(&c, cases[i].bytes, 5,
					  TEST_LINK_CUT_LIMIT);
		TEST_EQ(t, got, cases[i].want);
		/* One by one: the last one says it, and says it again. */
		ockam_link_cut_init(&c);
		for (j = 0; j < 5; j++) {
			got = ockam_link_cut_head(&c, cases[i].bytes + j, 1,
						  TEST_LINK_CUT_LIMIT);
			if (got < 0)
				break;
			TEST_EQ(t, got, 1);
		}
		if (cases[i].want < 0) {
			TEST_EQ(t, got, cases[i].want);
			got = ockam_link_cut_head(&c, cases[i].bytes + j, 1,
						  TEST_LINK_CUT_LIMIT);
			TEST_EQ(t, got, cases[i].want);
		} else {
			TEST_EQ(t, ockam_link_cut_lacks(&c), 300);
		}
	}
}

static struct kunit_case ockam_link_cut_tests[] = {
	KUNIT_CASE(test_link_cut_everywhere),
	KUNIT_CASE(test_link_cut_single),
	KUNIT_CASE(test_link_cut_refusals),
	{ }
};

TEST_SUITE(link_cut, ockam_link_cut_tests);
