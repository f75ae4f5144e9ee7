// SPDX-License-Identifier: GPL-2.0
/*
 * The frames of a stream: the same ones, and the same end, however its bytes are
 * cut into pieces, and those that a look at the whole of it finds.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "link_cut.h"

/* How one run takes its stream, and what came of it. */
struct run {
	struct fuzz_in	plan;		/* sizes of pieces; empty: all there is */
	bool		single;		/* one byte at a time */
	u64		sum;		/* over all bodies, and where they begin */
	unsigned int	frames;
	bool		between;	/* nothing does */
	int		error;
};

static void add(struct run *run, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run->sum = (run->sum ^ p[i]) * 0x100000001b3ull;
}

static size_t next_piece(struct run *run, size_t left)
{
	size_t n = left;

	if (run->single)
		n = 1;
	else if (fuzz_left(&run->plan))
		n = 1 + fuzz_u8(&run->plan);
	return n < left ? n : left;
}

/* One piece, in memory of its own. */
static size_t take_piece(struct run *run, struct ockam_link_cut *cut, const uint8_t *piece,
			 size_t len, u64 limit)
{
	uint8_t *exact = fuzz_exact(piece, len);
	size_t off = 0;
	u32 lacks, n;
	int head;

	while (off < len && !run->error) {
		lacks = ockam_link_cut_lacks(cut);
		if (lacks) {
			n = min_t(size_t, lacks, len - off);
			add(run, exact + off, n);
			off += n;
			if (ockam_link_cut_body(cut, n)) {
				fuzz_must(cut->want && cut->want <= limit);
				run->frames++;
			}
			continue;
		}
		head = ockam_link_cut_head(cut, exact + off, len - off, limit);
		if (head < 0) {
			run->error = head;
			/* It says so as often as it is asked. */
			fuzz_must(ockam_link_cut_head(cut, exact + off, len - off, limit) == head);
			break;
		}
		/* All of it, unless a body begins. */
		fuzz_must(head > 0 && (size_t)head <= len - off);
		off += head;
		fuzz_must(off == len || ockam_link_cut_lacks(cut));
	}
	free(exact);
	return off;
}

static void play(struct run *run, const uint8_t *stream, size_t len, u64 limit)
{
	struct ockam_link_cut cut;
	size_t at = 0, n;

	ockam_link_cut_init(&cut);
	while (at < len && !run->error) {
		n = next_piece(run, len - at);
		fuzz_must(take_piece(run, &cut, stream + at, n, limit) == n || run->error);
		at += n;
	}
	run->between = ockam_link_cut_between(&cut);
}

/* The same with all bytes at hand. */
static void look(struct run *run, const uint8_t *stream, size_t len, u64 limit)
{
	size_t at = 1;
	u32 want;

	if (len && *stream != OCKAM_STREAM_VERSION)
		run->error = -EPROTONOSUPPORT;
	while (len > at && len - at >= OCKAM_FRAME_HDR_LEN && !run->error) {
		want = get_unaligned_be32(stream + at);
		if (!want)
			run->error = -EPROTO;
		else if (want > limit)
			run->error = -EMSGSIZE;
		if (run->error)
			break;
		at += OCKAM_FRAME_HDR_LEN;
		add(run, stream + at, min_t(size_t, want, len - at));
		if (want > len - at)
			return;
		at += want;
		run->frames++;
	}
	run->between = len && at == len;
}

static void compare(const struct run *a, const struct run *b)
{
	fuzz_must(a->error == b->error && a->frames == b->frames && a->sum == b->sum);
	fuzz_must(a->error || a->between == b->between);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u32 limits[] = { 64, 300, 1u << 20, OCKAM_FRAME_MAX_BYTES };
	struct run looked = {}, whole = {}, single = { .single = true }, pieces = {};
	struct fuzz_in in = fuzz_begin(data, size);
	const uint8_t *plan, *stream;
	size_t plan_len, len;
	u64 limit;

	limit = limits[fuzz_u8(&in) % ARRAY_SIZE(limits)];
	plan = fuzz_bytes(&in, fuzz_u8(&in) % 32, &plan_len);
	stream = fuzz_bytes(&in, SIZE_MAX, &len);
	pieces.plan = fuzz_begin(plan, plan_len);

	look(&looked, stream, len, limit);
	play(&whole, stream, len, limit);
	play(&single, stream, len, limit);
	play(&pieces, stream, len, limit);
	compare(&looked, &whole);
	compare(&looked, &single);
	compare(&looked, &pieces);
	return 0;
}
