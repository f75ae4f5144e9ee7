// SPDX-License-Identifier: GPL-2.0
/*
 * Scanning of headers of which only a part may be there, against the reference:
 * the fast way and the general one say the same, and less bytes never change an
 * answer. What is scanned is packed and written again.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "test.h"
#include "wire_cases.h"
#include "wire_reference.h"

/*
 * Scan every @step'th prefix of @p, and the whole. Returns the shortest prefix
 * that was enough for an answer; all longer ones must be.
 */
static size_t test_scan_splits(struct kunit *t, bool inner, const u8 *p,
			       size_t len, size_t step)
{
	struct wire_reference w;
	size_t enough = len;
	size_t have;
	u8 *exact;
	int err;

	wire_reference_read(&w, inner, p, len);
	for (have = len;; have -= step) {
		exact = test_exact(p, have);
		if (!exact)
			break;
		if (!wire_reference_agrees(&w, p, exact, have, len, &err))
			TEST_FAIL(t, "%zu of %zu bytes: %d, not %d", have, len,
				  err, w.err);
		kfree(exact);
		if (err != -EAGAIN) {
			if (enough - have > step)
				TEST_FAIL(t, "%zu of %zu bytes are enough, more are not",
					  have, len);
			enough = have;
		}
		if (have < step)
			break;
	}
	wire_reference_free(&w);
	return enough;
}

/* Canonical bytes are known as soon as the header is there. */
static void test_scan_vectors(struct kunit *t)
{
	size_t len, want, enough;
	unsigned int i;
	u8 *p, *payload;

	for (i = 0; i < ARRAY_SIZE(ockam_frames_accepted); i++) {
		p = test_unhex(ockam_frames_accepted[i].frame, &len);
		payload = test_unhex(ockam_frames_accepted[i].payload, &want);
		if (p && payload) {
			enough = test_scan_splits(t, false, p + 4, len - 4, 1);
			if (!ockam_frames_accepted[i].canonical)
				want = 0;
			TEST_EQ(t, enough, len - 4 - want);
		}
		kfree(p);
		kfree(payload);
	}
	for (i = 0; i < ARRAY_SIZE(ockam_frames_refused); i++) {
		p = test_unhex(ockam_frames_refused[i].frame, &len);
		/* Some are refused for their length only. */
		if (p)
			test_scan_splits(t, false, p + 4, len - 4, 1);
		kfree(p);
	}
}

static void test_scan_plaintexts(struct kunit *t)
{
	enum ockam_inner_kind kind;
	struct ockam_wire_message m;
	unsigned int i;
	size_t len;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(ockam_plaintexts); i += TEST_EVERY) {
		p = test_unhex(ockam_plaintexts[i].plaintext, &len);
		if (!p)
			return;
		TEST_EQ(t, ockam_wire_scan_inner(p, len, len, 0, &kind, &m), 0);
		TEST_EQ(t, kind, OCKAM_INNER_PAYLOAD);
		TEST_EQ(t, m.payload + m.payload_len, len - 1);
		TEST_EQ(t, test_scan_splits(t, true, p, len, 1), m.payload);
		kfree(p);
	}
}

#define TEST_SIX_HOPS	"820041788200417882004178820041788200417882004178"

/* Anything that the fast way may take for something else. */
static void test_scan_forms(struct kunit *t)
{
	static const struct {
		const char *hex;
		bool inner;
		int err;
		size_t enough;
	} cases[] = {
		{ "83808040", false, 0, 4 },
		{ "8380804178", false, 0, 4 },
		{ "838080580178", false, 0, 5 },	/* any width */
		{ "83808059000178", false, 0, 6 },
		{ "8380805a0000000178", false, 0, 8 },
		{ "8380805b000000000000000178", false, 0, 13 },
		{ "8380805c", false, -EINVAL, 4 },
		{ "8380805f4178ff", false, -EINVAL, 7 },
		{ "8380806178", false, -EINVAL, 5 },
		{ "838080417800", false, 0, 6 },	/* a byte behind */
		{ "83808042780000", false, 0, 7 },
		{ "8380804278", false, -EINVAL, 5 },
		{ "8380805bffffffffffffffff78", false, -EINVAL, 13 },
		{ "8380805bfffffffffffffff578", false, -EINVAL, 13 },
		{ "93808041780000000000000000000000000000000000", false,
		  -EINVAL, 22 },
		{ "9803808041780000", false, 0, 8 },
		{ "8480804178f6", false, 0, 6 },
		{ "83818200417880417a", false, 0, 8 },
		{ "8381820041788041", false, -EINVAL, 8 },
		{ "838182005801788040", false, 0, 9 },
		{ "8381820058008040", false, -E2BIG, 8 },
		{ "83818200408040", false, -E2BIG, 7 },
		{ "838182174178804178", false, 0, 8 },
		{ "83818218804178804178", false, 0, 10 },
		{ "8381821841788040", false, -EINVAL, 8 },
		{ "838183004178f6804178", false, 0, 10 },
		{ "8381982000417880", false, -EINVAL, 8 },
		{ "839f820041788080ff4178", false, -EINVAL, 11 },
		{ "83c0804178", false, -EINVAL, 5 },
		{ "83a0804178", false, -EINVAL, 5 },
		{ "83980080417800", false, 0, 7 },
		/* A count of 130, which begins like an address. */
		{ "8398" TEST_SIX_HOPS TEST_SIX_HOPS TEST_SIX_HOPS TEST_SIX_HOPS
		  "8040", false, -EINVAL, 100 },
		{ "8381820059001778787878787878787878787878787878787878787878788040",
		  false, 0, 32 },
		{ "", false, -EINVAL, 0 },
		{ "82820081838080417840", true, 0, 8 },
		{ "8282008183808040", true, -EINVAL, 8 },
		{ "828200818380804178", true, -EINVAL, 9 },
		{ "82820081838080414040", true, 0, 8 },
		{ "828200818380804178417a", true, 0, 11 },	/* padding */
		{ "8282008183808041784040", true, 0, 11 },
		{ "828200818380804278004040", true, 0, 12 },
		{ "82820081848080417840", true, -EINVAL, 10 },
		{ "8282008184808041780040", true, 0, 11 },
		{ "8282008283808041780040", true, 0, 11 },
		{ "8282028040", true, 0, 5 },
		{ "82820181828140804040", true, 0, 10 },
		{ "8282008140", true, -EINVAL, 5 },
		{ "82820081", true, -EINVAL, 4 },
		{ "40", true, -EINVAL, 1 },
		{ "", true, -EINVAL, 0 },
	};
	struct wire_reference w;
	unsigned int i;
	size_t len;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p = test_unhex(cases[i].hex, &len);
		if (!p)
			return;
		wire_reference_read(&w, cases[i].inner, p, len);
		if (w.err != cases[i].err)
			TEST_FAIL(t, "%s: %d", cases[i].hex, w.err);
		wire_reference_free(&w);
		if (test_scan_splits(t, cases[i].inner, p, len, 1) !=
		    cases[i].enough)
			TEST_FAIL(t, "%s: not enough", cases[i].hex);
		kfree(p);
	}
}

/* One header from hops, as a body or a plaintext. Returns the end. */
static u8 *test_scan_write(u8 *p, bool inner, const struct ockam_hops *onward,
			   const struct ockam_hops *ret, size_t payload)
{
	u8 *start = p;

	if (inner) {
		p = ockam_wire_put_inner(p, onward, ret, payload);
		if (p != start + ockam_wire_inner_len(onward, ret, payload))
			return NULL;
	} else {
		p = ockam_wire_put_body(p, onward, ret, payload);
		if (p != start + ockam_wire_body_len(onward, ret, payload))
			return NULL;
	}
	memset(p, 0xff, payload);
	p += payload;
	return inner ? ockam_wire_encode_inner_trailer(p) : p;
}

static void test_scan_fill(struct ockam_route *r, unsigned int hops,
			   unsigned int len, u8 type)
{
	u8 name[OCKAM_ADDR_MAX_LEN];
	struct ockam_hop hop = { .type = type, .len = len, .name = name };
	unsigned int i;

	for (i = 0; i < hops; i++) {
		memset(name, 'a' + i, sizeof(name));
		if (ockam_route_push_back(r, &hop))
			break;
	}
}

/*
 * All shapes of routes within the limits, at both sides of every place where an
 * encoding becomes longer.
 */
static void test_scan_shapes(struct kunit *t)
{
	static const size_t lens[] = { 1, 2, 23, 24, 31, 32, 33, 64, 255 };
	static const size_t payloads[] = { 0, 1, 23, 24, 255, 256, 65535, 65536 };
	static const unsigned int hops[] = { 0, 1, 2, 7, 23, 24, 32 };
	static const u8 types[] = { 0, 1, 23, 24, 255 };
	unsigned int i, n = ARRAY_SIZE(lens) * ARRAY_SIZE(hops) *
			    ARRAY_SIZE(types) * ARRAY_SIZE(payloads);
	u8 *buf = kmalloc(80000, GFP_KERNEL);
	struct ockam_route onward, ret;
	struct ockam_hops o, r;
	size_t payload, want;
	bool inner;
	u8 *end;

	if (!buf)
		return;
	ockam_route_init(&onward);
	ockam_route_init(&ret);
	for (i = 0; i < n; i += TEST_EVERY) {
		unsigned int k = i;

		test_scan_fill(&ret, hops[k % 7], lens[k / 7 % 9],
			       types[k / 63 % 5]);
		k /= 315;
		payload = payloads[k];
		test_scan_fill(&onward, hops[(i + 3) % 7], lens[(i + k) % 9],
			       types[(i + 1) % 5]);
		o = ockam_route_hops(&onward);
		r = ockam_route_hops(&ret);
		inner = i & 1;
		end = test_scan_write(buf, inner, &o, &r, payload);
		if (!end) {
			TEST_FAIL(t, "case %u has another length", i);
			break;
		}
		want = end - buf;
		/* The fast way knows few hops of small types. */
		if (o.hops < 24 && r.hops < 24 &&
		    (!o.hops || types[(i + 1) % 5] < 24) &&
		    (!r.hops || types[i / 63 % 5] < 24))
			want = end - buf - payload - inner;
		TEST_EQ(t, test_scan_splits(t, inner, buf, end - buf,
					    payload > 256 ? payload + inner : 1),
			want);
		ockam_route_reset(&onward);
		ockam_route_reset(&ret);
	}
	kfree(buf);
}

/* Random changes of good headers, from a fixed seed, at random splits. */
static void test_scan_noise(struct kunit *t)
{
	unsigned int round, n;
	struct wire_reference w;
	size_t len, have;
	u32 seed = 11;
	bool inner;
	u8 *p, *copy;
	int err;

	for (round = 0; round < 100000 / TEST_EVERY; round++) {
		n = round % ARRAY_SIZE(ockam_plaintexts);
		p = test_unhex(ockam_plaintexts[n].plaintext, &len);
		if (!p)
			return;
		for (n = 0; n < 1 + round % 3; n++) {
			seed = seed * 1103515245 + 12345;
			p[(seed >> 16) % (round & 2 ? len : min_t(size_t, len, 48))] =
				seed >> 8;
		}
		inner = round & 1;
		if (!inner) {
			memmove(p, p + 4, len - 4);
			len -= 4 + (round & 4) / 4;
		}
		seed = seed * 1103515245 + 12345;
		have = (seed >> 16) % (len + 1);
		copy = test_exact(p, have);
		wire_reference_read(&w, inner, p, len);
		if (copy && !wire_reference_agrees(&w, p, copy, have, len, &err))
			TEST_FAIL(t, "round %u, %zu of %zu bytes: %d, not %d",
				  round, have, len, err, w.err);
		if (!wire_reference_agrees(&w, p, p, len, len, &err))
			TEST_FAIL(t, "round %u: %d, not %d", round, err, w.err);
		wire_reference_free(&w);
		kfree(copy);
		kfree(p);
	}
	TEST_EQ(t, round, 100000 / TEST_EVERY);
}

static struct kunit_case ockam_wire_scan_tests[] = {
	KUNIT_CASE(test_scan_vectors),
	KUNIT_CASE(test_scan_plaintexts),
	KUNIT_CASE(test_scan_forms),
	KUNIT_CASE(test_scan_shapes),
	KUNIT_CASE(test_scan_noise),
	{ }
};

TEST_SUITE(wire_scan, ockam_wire_scan_tests);
