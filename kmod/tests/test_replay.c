// SPDX-License-Identifier: GPL-2.0
/*
 * The receive window: recorded sequences, both edges, the end of the nonces.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "test.h"
#include "replay.h"

struct ockam_window_step {
	u64 nonce;
	bool tag_ok;
	enum ockam_replay_verdict want;
};

struct ockam_window_case {
	const char *name;
	const struct ockam_window_step *steps;
	unsigned int n;
};

#include "cases_window.h"

/* The key that a slot means, as a number, for a window. */
static u64 test_replay_key(const struct ockam_window *w,
			   enum ockam_key_slot slot)
{
	return w->interval + slot - OCKAM_KEY_CURRENT;
}

/* Check and, when the tag is right, commit, as a receiver does. */
static enum ockam_replay_verdict test_replay_offer(struct kunit *t,
						   struct ockam_window *w,
						   u64 nonce, bool tag_ok)
{
	struct ockam_window before = *w;
	enum ockam_key_slot slot = OCKAM_KEY_CURRENT;
	enum ockam_replay_verdict verdict;

	verdict = ockam_replay_check(w, nonce, &slot);
	TEST_TRUE(t, !memcmp(&before, w, sizeof(before)));
	if (verdict != OCKAM_REPLAY_OK)
		return verdict;
	TEST_EQ(t, test_replay_key(w, slot), nonce / OCKAM_REKEY_INTERVAL);
	if (tag_ok)
		TEST_EQ(t, ockam_replay_commit(w, nonce),
			slot == OCKAM_KEY_NEXT);
	return verdict;
}

static void test_replay_vectors(struct kunit *t)
{
	const struct ockam_window_step *step;
	enum ockam_replay_verdict got;
	struct ockam_window w;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(ockam_windows); i++) {
		ockam_replay_init(&w);
		for (j = 0; j < ockam_windows[i].n; j++) {
			step = &ockam_windows[i].steps[j];
			got = test_replay_offer(t, &w, step->nonce,
						step->tag_ok);
			if (got != step->want)
				TEST_FAIL(t, "%s, step %u, nonce %llu: %d, not %d",
					  ockam_windows[i].name, j,
					  (unsigned long long)step->nonce,
					  got, step->want);
		}
	}
}

/* Every distance around the highest nonce, at every place in a key interval. */
static void test_replay_edges(struct kunit *t)
{
	enum ockam_replay_verdict want, got;
	struct ockam_window w, copy;
	u64 n, other;
	int d;

	ockam_replay_init(&w);
	for (n = 0; n < 200; n++) {
		/* Even nonces only: odd ones stay acceptable while in reach. */
		if (!(n & 1))
			TEST_EQ(t, test_replay_offer(t, &w, n, true),
				OCKAM_REPLAY_OK);
		if (n < 40 || n & 1)
			continue;
		for (d = -40; d <= 40; d++) {
			other = n + d;
			if (d > OCKAM_WINDOW_AHEAD)
				want = OCKAM_REPLAY_TOO_FAR;
			else if (d < -OCKAM_WINDOW_BACK)
				want = OCKAM_REPLAY_TOO_OLD;
			else if (d <= 0 && !(other & 1))
				want = OCKAM_REPLAY_REPLAYED;
			else
				want = OCKAM_REPLAY_OK;
			copy = w;
			got = test_replay_offer(t, &copy, other, true);
			if (got != want)
				TEST_FAIL(t, "highest %llu, %+d: %d, not %d",
					  (unsigned long long)n, d, got, want);
			if (want != OCKAM_REPLAY_OK)
				continue;
			/* Once accepted it is a replay. */
			TEST_EQ(t, test_replay_offer(t, &copy, other, true),
				OCKAM_REPLAY_REPLAYED);
		}
	}
}

static void test_replay_start(struct kunit *t)
{
	struct ockam_window w;
	u64 n;

	for (n = 0; n < 70; n++) {
		ockam_replay_init(&w);
		TEST_EQ(t, test_replay_offer(t, &w, n, true),
			n <= OCKAM_WINDOW_AHEAD ? OCKAM_REPLAY_OK :
						  OCKAM_REPLAY_TOO_FAR);
	}
}

/* A tag that does not verify changes nothing, however often it is tried. */
static void test_replay_forged(struct kunit *t)
{
	struct ockam_window w;
	u64 n;

	ockam_replay_init(&w);
	for (n = 0; n <= 32; n++)
		TEST_EQ(t, test_replay_offer(t, &w, n, false), OCKAM_REPLAY_OK);
	TEST_EQ(t, w.highest, 0);
	TEST_EQ(t, w.seen, 0);
	TEST_EQ(t, w.interval, 0);
	TEST_EQ(t, test_replay_offer(t, &w, 0, true), OCKAM_REPLAY_OK);
}

/* 2^64-1 is never a message: its IV makes the next key. */
static void test_replay_last(struct kunit *t)
{
	struct ockam_window w = {
		.highest = U64_MAX - 20,
		.seen = 1,
		.interval = U64_MAX / OCKAM_REKEY_INTERVAL,
	};

	TEST_EQ(t, test_replay_offer(t, &w, U64_MAX, true),
		OCKAM_REPLAY_NO_KEY);
	TEST_EQ(t, test_replay_offer(t, &w, U64_MAX - 1, true),
		OCKAM_REPLAY_OK);
	TEST_EQ(t, test_replay_offer(t, &w, U64_MAX, true),
		OCKAM_REPLAY_NO_KEY);
	TEST_EQ(t, test_replay_offer(t, &w, 0, true), OCKAM_REPLAY_TOO_OLD);
	TEST_EQ(t, test_replay_offer(t, &w, U64_MAX - 33, true),
		OCKAM_REPLAY_OK);
	TEST_EQ(t, test_replay_offer(t, &w, U64_MAX - 34, true),
		OCKAM_REPLAY_TOO_OLD);
}

/* A window whose interval does not fit its highest nonce opens nothing. */
static void test_replay_no_key(struct kunit *t)
{
	struct ockam_window w = { .highest = 320, .interval = 20 };
	enum ockam_key_slot slot;

	TEST_EQ(t, ockam_replay_check(&w, 321, &slot), OCKAM_REPLAY_NO_KEY);
	w.interval = 2;
	TEST_EQ(t, ockam_replay_check(&w, 321, &slot), OCKAM_REPLAY_NO_KEY);
}

static struct kunit_case ockam_replay_tests[] = {
	KUNIT_CASE(test_replay_vectors),
	KUNIT_CASE(test_replay_edges),
	KUNIT_CASE(test_replay_start),
	KUNIT_CASE(test_replay_forged),
	KUNIT_CASE(test_replay_last),
	KUNIT_CASE(test_replay_no_key),
	{ }
};

TEST_SUITE(replay, ockam_replay_tests);
