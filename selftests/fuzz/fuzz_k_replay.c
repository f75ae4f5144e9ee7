// SPDX-License-Identifier: GPL-2.0
/*
 * The receive window against the words of wire-protocol section 6.3, which
 * remember every accepted nonce: same verdicts, same keys, and nothing changes
 * but by commit.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "replay.h"

#define STEPS	1024

struct model {
	u64		highest;
	u64		interval;
	unsigned int	count;
	u64		accepted[STEPS];
};

static bool model_seen(const struct model *m, u64 nonce)
{
	for (unsigned int i = 0; i < m->count; i++)
		if (m->accepted[i] == nonce)
			return true;
	return false;
}

static enum ockam_replay_verdict model_check(const struct model *m, u64 nonce,
					     enum ockam_key_slot *slot)
{
	u64 interval = nonce / 32;

	if (nonce > m->highest && nonce - m->highest > 32)
		return OCKAM_REPLAY_TOO_FAR;
	if (nonce <= m->highest && m->highest - nonce > 32)
		return OCKAM_REPLAY_TOO_OLD;
	if (nonce <= m->highest && model_seen(m, nonce))
		return OCKAM_REPLAY_REPLAYED;
	if (nonce == U64_MAX)
		return OCKAM_REPLAY_NO_KEY;
	/* Step 2 of that section guarantees one of these. */
	if (interval == m->interval)
		*slot = OCKAM_KEY_CURRENT;
	else if (interval == m->interval + 1)
		*slot = OCKAM_KEY_NEXT;
	else if (interval == m->interval - 1)
		*slot = OCKAM_KEY_PREVIOUS;
	else
		fuzz_must(!"an interval without a key");
	return OCKAM_REPLAY_OK;
}

static bool model_commit(struct model *m, u64 nonce)
{
	m->accepted[m->count++] = nonce;
	if (nonce > m->highest)
		m->highest = nonce;
	if (nonce / 32 <= m->interval)
		return false;
	m->interval++;
	return true;
}

/* Somewhere in the life of a channel: the beginning, anywhere, the end. */
static u64 first_nonce(struct fuzz_in *in)
{
	switch (fuzz_u8(in) % 4) {
	case 0:
		return fuzz_u64(in) % (U64_MAX - 1);
	case 1:
		return U64_MAX - 1 - fuzz_u8(in);
	default:
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = fuzz_begin(data, size);
	u64 start = first_nonce(&in);
	struct ockam_window w, before;
	static struct model m;

	m = (struct model){ .highest = start, .interval = start / 32 };
	ockam_replay_init(&w);
	fuzz_must(!w.highest && !w.seen && !w.interval);
	w.highest = start;
	w.interval = start / 32;
	while (fuzz_left(&in) && m.count < STEPS) {
		enum ockam_key_slot want = OCKAM_KEY_CURRENT, slot = OCKAM_KEY_CURRENT;
		uint8_t far = fuzz_u8(&in);
		enum ockam_replay_verdict verdict;
		u64 nonce;

		/* Mostly around the edges of the window; the low bit: does the tag verify. */
		nonce = far == 0xff ? fuzz_u64(&in) : m.highest + (s8)(far >> 1) - 48;
		if (far & 0x80)
			nonce = m.highest + (far & 0x7f) / 2 - 30;
		before = w;
		verdict = ockam_replay_check(&w, nonce, &slot);
		fuzz_must(verdict == model_check(&m, nonce, &want));
		fuzz_must(verdict != OCKAM_REPLAY_OK || slot == want);
		fuzz_must(!memcmp(&w, &before, sizeof(w)));
		if (verdict != OCKAM_REPLAY_OK || !(far & 1))
			continue;
		fuzz_must(ockam_replay_commit(&w, nonce) == model_commit(&m, nonce));
		fuzz_must(w.highest == m.highest && w.interval == m.interval);
		fuzz_must(ockam_replay_check(&w, nonce, &slot) == OCKAM_REPLAY_REPLAYED);
	}
	return 0;
}
