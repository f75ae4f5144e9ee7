// SPDX-License-Identifier: GPL-2.0
/*
 * Frame bodies and packet plaintexts: vectors, both directions, and everything
 * that a hostile peer can do to them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "test.h"
#include "wire.h"
#include "cbor.h"
#include "wire_bodies.h"
#include "wire_cases.h"
#include "wire_reference.h"

static bool test_wire_route_is(const struct ockam_route *r, const char *hex)
{
	size_t len;
	u8 *want = test_unhex(hex, &len);
	bool same = want && test_same(ockam_route_bytes(r), r->len, want, len);

	kfree(want);
	return same;
}

/* Does the scanner say what the reference says? Some of the splits, too. */
static bool test_wire_scanned(bool inner, const u8 *exact, size_t len)
{
	const size_t have[] = { len, len / 2, len - len / 8 };
	struct wire_reference w;
	bool agrees = true;
	unsigned int i;
	int err;

	wire_reference_read(&w, inner, exact, len);
	for (i = 0; i < ARRAY_SIZE(have); i++)
		agrees &= wire_reference_agrees(&w, exact, exact, have[i], len,
						&err);
	wire_reference_free(&w);
	return agrees;
}

/* Decode a copy without a byte to spare, and forget what came out. */
static int test_wire_decode_body(const u8 *p, size_t len)
{
	u8 *exact = test_exact(p, len);
	struct ockam_body b;
	int err;

	if (!exact)
		return -ENOMEM;
	ockam_body_init(&b);
	err = ockam_wire_decode_body(exact, len, &b);
	if (!err && b.payload_len &&
	    (b.payload < exact || b.payload + b.payload_len > exact + len))
		err = -EFAULT;
	if (!test_wire_scanned(false, exact, len))
		err = -EFAULT;
	ockam_body_reset(&b);
	kfree(exact);
	return err;
}

static int test_wire_decode_inner(const u8 *p, size_t len)
{
	u8 *exact = test_exact(p, len);
	struct ockam_inner in = { };
	int err;

	if (!exact)
		return -ENOMEM;
	ockam_body_init(&in.body);
	err = ockam_wire_decode_inner(exact, len, &in);
	if (!err && in.body.payload_len &&
	    (in.body.payload < exact ||
	     in.body.payload + in.body.payload_len > exact + len))
		err = -EFAULT;
	if (!test_wire_scanned(true, exact, len))
		err = -EFAULT;
	ockam_body_reset(&in.body);
	kfree(exact);
	return err;
}

static void test_wire_accepted(struct kunit *t)
{
	const struct ockam_frame_case *f = ockam_frames_accepted;
	size_t len, want, header;
	struct ockam_body b;
	u8 *p, *payload, *out;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ockam_frames_accepted); i++, f++) {
		p = test_unhex(f->frame, &len);
		payload = test_unhex(f->payload, &want);
		out = kmalloc(len + 64, GFP_KERNEL);
		if (!p || !payload || !out)
			goto next;
		TEST_EQ(t, get_unaligned_be32(p), len - 4);
		ockam_body_init(&b);
		TEST_EQ(t, ockam_wire_decode_body(p + 4, len - 4, &b), 0);
		TEST_TRUE(t, test_wire_route_is(&b.onward, f->onward));
		TEST_TRUE(t, test_wire_route_is(&b.ret, f->ret));
		TEST_TRUE(t, test_same(b.payload, b.payload_len, payload, want));

		header = ockam_wire_body_header_len(&b.onward, &b.ret, want);
		TEST_EQ(t, ockam_wire_encode_body_header(out, &b.onward, &b.ret,
							 want) - out, header);
		memcpy(out + header, payload, want);
		if (f->canonical)
			TEST_TRUE(t, test_same(out, header + want,
					       p + 4, len - 4));
		else	/* ours has no fourth element */
			TEST_TRUE(t, out[0] == 0x83 && p[4] == 0x84 &&
				  !memcmp(out + 1, p + 5, header + want - 1));
		ockam_body_reset(&b);
next:
		kfree(p);
		kfree(payload);
		kfree(out);
	}
}

/* What a link does with a frame: length first, then the body. */
static int test_wire_frame(const u8 *p, size_t len)
{
	u32 n = get_unaligned_be32(p);

	if (n > OCKAM_FRAME_MAX_BYTES || n != len - 4)
		return -EINVAL;
	return test_wire_decode_body(p + 4, n);
}

static void test_wire_refused(struct kunit *t)
{
	unsigned int i;
	size_t len;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(ockam_frames_refused); i++) {
		p = test_unhex(ockam_frames_refused[i].frame, &len);
		if (p && test_wire_frame(p, len) != -EINVAL)
			TEST_FAIL(t, "%s", ockam_frames_refused[i].why);
		kfree(p);
	}
}

/* Every prefix is refused; no flipped bit and no byte behind does harm. */
static void test_wire_damage(struct kunit *t)
{
	unsigned int i, bit;
	size_t len, cut;
	u8 *p;
	int err;

	for (i = 0; i < ARRAY_SIZE(ockam_frames_accepted); i++) {
		p = test_unhex(ockam_frames_accepted[i].frame, &len);
		if (!p)
			return;
		for (cut = 0; cut < len - 4; cut++)
			TEST_EQ(t, test_wire_decode_body(p + 4, cut), -EINVAL);
		for (bit = 0; bit < 8 * (len - 4); bit++) {
			p[4 + bit / 8] ^= 1 << bit % 8;
			err = test_wire_decode_body(p + 4, len - 4);
			TEST_TRUE(t, !err || err == -EINVAL || err == -E2BIG);
			p[4 + bit / 8] ^= 1 << bit % 8;
		}
		kfree(p);
	}
}

struct test_wire_case {
	const char *hex;
	int want;
};

/* Forms that the Rust crates read, or do not, beside the recorded frames. */
static void test_wire_forms(struct kunit *t)
{
	static const struct test_wire_case cases[] = {
		{ "9f8180ff", -EINVAL },	/* a route of an empty address */
		{ "9f808040ff", 0 },
		{ "9f808040f6ff", 0 },
		{ "9f808040", -EINVAL },	/* no break */
		{ "839fff9fff40", 0 },
		{ "839f8200416affff9fff40", -EINVAL },	/* break in excess */
		{ "839f8200416aff9fff40", 0 },
		{ "83819f00416aff8040", 0 },	/* indefinite address */
		{ "83818300416a008040", 0 },	/* extra element */
		{ "83819f00416a8101ff8040", 0 },
		{ "8381821800416a8040", 0 },	/* any width */
		{ "8381821900ff416a8040", 0 },
		{ "838182190100416a8040", -EINVAL },	/* type 256 */
		{ "8381821b00000000000000ff416a8040", 0 },
		{ "83818220416a8040", -EINVAL },	/* negative */
		{ "838182005801618040", 0 },
		{ "838182005f4161ff8040", -EINVAL },	/* indefinite name */
		{ "83818200616a8040", -EINVAL },	/* name is text */
		{ "838180418040", -EINVAL },
		{ "83818100804178", -EINVAL },
		{ "84808040f6", 0 },
		{ "848080406161", 0 },
		{ "8480804060", 0 },
		{ "848080407f6161ff", -EINVAL },	/* indefinite text */
		{ "848080404161", -EINVAL },	/* trace is bytes */
		{ "8480804000", -EINVAL },
		{ "84808040f7", -EINVAL },
		{ "84808040", -EINVAL },
		{ "85808040f6a10203", 0 },	/* fifth element */
		{ "85808040f6", -EINVAL },
		{ "9f808040f69f9fffffff", 0 },
		{ "8380805fff", -EINVAL },
		{ "83808040ff", 0 },		/* bytes behind the item */
		{ "8380804083", 0 },
		{ "838080", -EINVAL },
		{ "8380f640", -EINVAL },
		{ "c183808040", -EINVAL },	/* tags are not used */
		{ "a3808040", -EINVAL },
		{ "83a08040", -EINVAL },
		{ "8382820041618040", -EINVAL },
		{ "839b000000000000000182004161804178", 0 },
		{ "9b00000000000000038080404178", 0 },
		{ "839bffffffffffffffff8040", -EINVAL },
		{ "9bffffffffffffffff808040", -EINVAL },
		{ "83818200408040", -E2BIG },	/* name without a byte */
		{ "838182004080a0", -EINVAL },	/* that, and malformed */
	};
	unsigned int i;
	size_t len;
	u8 *p;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p = test_unhex(cases[i].hex, &len);
		if (!p)
			return;
		err = test_wire_decode_body(p, len);
		if (err != cases[i].want)
			TEST_FAIL(t, "%s: %d, not %d", cases[i].hex, err,
				  cases[i].want);
		kfree(p);
	}
}

/* [route of @hops names of @len bytes, [], h''] into @p. */
static size_t test_wire_build(u8 *p, unsigned int hops, unsigned int len,
			      bool second)
{
	u8 *start = p;
	unsigned int i;

	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 3);
	if (second)
		p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 0);
	p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, hops);
	for (i = 0; i < hops; i++) {
		p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 2);
		p = ockam_cbor_write_head(p, OCKAM_CBOR_UINT, 0);
		p = ockam_cbor_write_head(p, OCKAM_CBOR_BYTES, len);
		memset(p, 'n', len);
		p += len;
	}
	if (!second)
		p = ockam_cbor_write_head(p, OCKAM_CBOR_ARRAY, 0);
	p = ockam_cbor_write_head(p, OCKAM_CBOR_BYTES, 0);
	return p - start;
}

static void test_wire_limits(struct kunit *t)
{
	static const struct {
		unsigned int hops, len;
		int want;
	} cases[] = {
		{ 32, 1, 0 },
		{ 33, 1, -E2BIG },
		{ 32, 62, 0 },		/* 2048 bytes */
		{ 32, 63, -E2BIG },
		{ 1, 255, 0 },
		{ 1, 256, -E2BIG },
		{ 7, 255, 0 },
		{ 8, 255, -E2BIG },	/* 2056 bytes */
		{ 20000, 1, -E2BIG },
	};
	u8 *p = kmalloc(100000, GFP_KERNEL);
	unsigned int i, second;
	size_t len;

	if (!p)
		return;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (second = 0; second < 2; second++) {
			len = test_wire_build(p, cases[i].hops, cases[i].len,
					      second);
			TEST_EQ(t, test_wire_decode_body(p, len), cases[i].want);
			/* Above the limits and cut short is malformed. */
			TEST_EQ(t, test_wire_decode_body(p, len - 1), -EINVAL);
		}
	}
	kfree(p);
}

/* The full route comes out as it went in: 2048 bytes, mixed types. */
static void test_wire_round_trip(struct kunit *t)
{
	struct ockam_route onward, ret;
	u8 name[255], *buf, *end;
	struct ockam_inner in = { };
	struct ockam_body b;
	struct ockam_hop hop = { .name = name };
	unsigned int i, n;

	memset(name, 'r', sizeof(name));
	buf = kmalloc(8192, GFP_KERNEL);
	if (!buf)
		return;
	ockam_route_init(&onward);
	ockam_route_init(&ret);
	ockam_body_init(&b);
	ockam_body_init(&in.body);
	for (i = 0; i < 32; i++) {
		hop.type = i * 8;
		hop.len = i == 31 ? 255 : 1 + i * 3;
		name[0] = i;
		n = ret.len;
		if (ockam_route_push_back(&ret, &hop))
			TEST_EQ(t, ret.len, n);
		if (i < 4)
			TEST_EQ(t, ockam_route_push_front(&onward, &hop), 0);
	}
	end = ockam_wire_encode_body_header(buf, &onward, &ret, 3);
	TEST_EQ(t, end - buf, ockam_wire_body_header_len(&onward, &ret, 3));
	memcpy(end, "abc", 3);
	TEST_EQ(t, ockam_wire_decode_body(buf, end + 3 - buf, &b), 0);
	TEST_TRUE(t, test_same(ockam_route_bytes(&b.ret), b.ret.len,
			       ockam_route_bytes(&ret), ret.len));
	TEST_TRUE(t, test_same(ockam_route_bytes(&b.onward), b.onward.len,
			       ockam_route_bytes(&onward), onward.len));
	TEST_TRUE(t, test_same(b.payload, b.payload_len, "abc", 3));

	end = ockam_wire_encode_inner_header(buf, &onward, &ret, 3);
	TEST_EQ(t, end - buf, ockam_wire_inner_header_len(&onward, &ret, 3));
	memcpy(end, "xyz", 3);
	end = ockam_wire_encode_inner_trailer(end + 3);
	TEST_EQ(t, ockam_wire_decode_inner(buf, end - buf, &in), 0);
	TEST_EQ(t, in.kind, OCKAM_INNER_PAYLOAD);
	TEST_EQ(t, in.body.ret.hops, ret.hops);
	TEST_TRUE(t, test_same(in.body.payload, in.body.payload_len, "xyz", 3));
	ockam_body_reset(&b);
	ockam_body_reset(&in.body);
	ockam_route_reset(&onward);
	ockam_route_reset(&ret);
	kfree(buf);
}

/* The plaintexts of a recorded channel: read, written again, damaged. */
static void test_wire_channel(struct kunit *t)
{
	struct ockam_inner in = { };
	unsigned int i, bit;
	size_t len, cut;
	u8 *p, *out, *end;
	int err;

	for (i = 0; i < ARRAY_SIZE(ockam_plaintexts); i++) {
		p = test_unhex(ockam_plaintexts[i].plaintext, &len);
		out = kmalloc(len + 64, GFP_KERNEL);
		if (!p || !out)
			goto next;
		ockam_body_init(&in.body);
		TEST_EQ(t, ockam_wire_decode_inner(p, len, &in), 0);
		TEST_EQ(t, in.kind, OCKAM_INNER_PAYLOAD);
		end = ockam_wire_encode_inner_header(out, &in.body.onward,
						     &in.body.ret,
						     in.body.payload_len);
		memcpy(end, in.body.payload, in.body.payload_len);
		end += in.body.payload_len;
		end = ockam_wire_encode_inner_trailer(end);
		TEST_TRUE(t, test_same(out, end - out, p, len));
		ockam_body_reset(&in.body);
		for (cut = 0; i % TEST_EVERY == 0 && cut < len; cut++)
			TEST_EQ(t, test_wire_decode_inner(p, cut), -EINVAL);
		for (bit = 0; i % (10 * TEST_EVERY) == 0 && bit < 8 * len;
		     bit++) {
			p[bit / 8] ^= 1 << bit % 8;
			err = test_wire_decode_inner(p, len);
			TEST_TRUE(t, !err || err == -EINVAL || err == -E2BIG);
			p[bit / 8] ^= 1 << bit % 8;
		}
next:
		kfree(p);
		kfree(out);
	}
}

static void test_wire_inner_forms(struct kunit *t)
{
	static const struct test_wire_case cases[] = {
		{ "8282028040", 0 },		/* Close */
		{ "828202f640", 0 },
		{ "9f82028040ff", 0 },
		{ "829f028040", -EINVAL },
		{ "829f0280ff40", -EINVAL },	/* an enum is definite */
		{ "8283028080", -EINVAL },
		{ "828302800040", -EINVAL },	/* and of two elements */
		{ "82810240", -EINVAL },
		{ "8282038040", -EINVAL },	/* unknown variant */
		{ "82821b00000000000000028040", 0 },
		{ "82828080", -EINVAL },
		{ "82820280", -EINVAL },	/* no padding */
		{ "828202806161", -EINVAL },	/* padding is text */
		{ "828202804361626300", 0 },	/* any padding, bytes behind */
		{ "83820280400102", 0 },
		{ "838202804001", 0 },
		{ "8282018182808040", 0 },	/* Refresh [[], []] */
		{ "828201814040", -EINVAL },	/* body is no array */
		{ "8282018040", -EINVAL },
		{ "828201819fff40", 0 },
		{ "828200818380804040", 0 },
		{ "8282008183808040", -EINVAL },
		{ "82820081848080400140", 0 },	/* no trace here: skipped */
		{ "82820082838080400140", 0 },
		{ "8282009f83808040ff40", 0 },
		{ "8282008182808040", -EINVAL },
		{ "828200818381820040804040", -E2BIG },
		{ "80", -EINVAL },
		{ "", -EINVAL },
	};
	unsigned int i;
	size_t len;
	u8 *p;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		p = test_unhex(cases[i].hex, &len);
		if (!p)
			return;
		err = test_wire_decode_inner(p, len);
		if (err != cases[i].want)
			TEST_FAIL(t, "%s: %d, not %d", cases[i].hex, err,
				  cases[i].want);
		kfree(p);
	}
}

static void test_wire_control(struct kunit *t)
{
	static const u8 close[] = { 0x82, 0x82, 2, 0x80, 0x40 };
	static const u8 refresh[] = { 0x82, 0x82, 1, 0x81, 0x82, 0x41, 'h',
				      0x80, 0x40 };
	struct ockam_inner in = { };
	u8 buf[16], *p;

	p = ockam_wire_encode_close(buf);
	TEST_EQ(t, p - buf, OCKAM_INNER_CLOSE_LEN);
	TEST_TRUE(t, test_same(buf, p - buf, close, sizeof(close)));
	ockam_body_init(&in.body);
	TEST_EQ(t, ockam_wire_decode_inner(buf, p - buf, &in), 0);
	TEST_EQ(t, in.kind, OCKAM_INNER_CLOSE);
	ockam_body_reset(&in.body);

	p = ockam_wire_encode_refresh_header(buf);
	TEST_EQ(t, p - buf, OCKAM_INNER_REFRESH_HEADER_LEN);
	memcpy(p, refresh + 4, 4);
	p = ockam_wire_encode_inner_trailer(p + 4);
	TEST_TRUE(t, test_same(buf, p - buf, refresh, sizeof(refresh)));
	TEST_EQ(t, ockam_wire_decode_inner(buf, p - buf, &in), 0);
	TEST_EQ(t, in.kind, OCKAM_INNER_REFRESH);
	TEST_TRUE(t, test_same(in.body.payload, in.body.payload_len,
			       refresh + 4, 4));
	ockam_body_reset(&in.body);
}

/* Random bytes, and random changes of good ones, from a fixed seed. */
static void test_wire_noise(struct kunit *t)
{
	unsigned int round, i, n;
	u32 seed = 7;
	size_t len;
	u8 *p;

	for (round = 0; round < 20000 / TEST_EVERY; round++) {
		i = round % ARRAY_SIZE(ockam_plaintexts);
		p = test_unhex(ockam_plaintexts[i].plaintext, &len);
		if (!p)
			return;
		for (n = 0; n < 1 + round % 4; n++) {
			seed = seed * 1103515245 + 12345;
			p[(seed >> 16) % (round & 1 ? len : 32)] = seed >> 8;
		}
		(void)test_wire_decode_inner(p, len);
		(void)test_wire_decode_body(p + 4, len - 4);
		kfree(p);
	}
	TEST_EQ(t, round, 20000 / TEST_EVERY);
}

static struct kunit_case ockam_wire_tests[] = {
	KUNIT_CASE(test_wire_accepted),
	KUNIT_CASE(test_wire_refused),
	KUNIT_CASE(test_wire_damage),
	KUNIT_CASE(test_wire_forms),
	KUNIT_CASE(test_wire_limits),
	KUNIT_CASE(test_wire_round_trip),
	KUNIT_CASE(test_wire_channel),
	KUNIT_CASE(test_wire_inner_forms),
	KUNIT_CASE(test_wire_control),
	KUNIT_CASE(test_wire_noise),
	{ }
};

TEST_SUITE(wire, ockam_wire_tests);
