// SPDX-License-Identifier: GPL-2.0
/*
 * Receive window and key interval of a channel.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HOST
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#endif

#include "replay.h"

void ockam_replay_init(struct ockam_window *w)
{
	/* Every accepted nonce of the window has a bit, and shifts are short. */
	BUILD_BUG_ON(max(OCKAM_WINDOW_BACK, OCKAM_WINDOW_AHEAD) > 63);
	/* A packet inside the window is one key interval away at most. */
	BUILD_BUG_ON(max(OCKAM_WINDOW_BACK, OCKAM_WINDOW_AHEAD) >
		     OCKAM_REKEY_INTERVAL);

	w->highest = 0;
	w->seen = 0;
	w->interval = 0;
}

enum ockam_replay_verdict ockam_replay_check(const struct ockam_window *w,
					     u64 nonce,
					     enum ockam_key_slot *slot)
{
	u64 interval = nonce / OCKAM_REKEY_INTERVAL;
	u64 distance;

	if (nonce > w->highest) {
		if (nonce - w->highest > OCKAM_WINDOW_AHEAD)
			return OCKAM_REPLAY_TOO_FAR;
	} else {
		distance = w->highest - nonce;
		if (distance > OCKAM_WINDOW_BACK)
			return OCKAM_REPLAY_TOO_OLD;
		if (w->seen >> distance & 1)
			return OCKAM_REPLAY_REPLAYED;
	}
	/* Its IV belongs to the derivation of keys; nobody sends it. */
	if (nonce == U64_MAX)
		return OCKAM_REPLAY_NO_KEY;
	if (interval == w->interval)
		*slot = OCKAM_KEY_CURRENT;
	else if (interval == w->interval + 1)
		*slot = OCKAM_KEY_NEXT;
	else if (interval + 1 == w->interval)
		*slot = OCKAM_KEY_PREVIOUS;
	else
		return OCKAM_REPLAY_NO_KEY;
	return OCKAM_REPLAY_OK;
}

bool ockam_replay_commit(struct ockam_window *w, u64 nonce)
{
	u64 interval = nonce / OCKAM_REKEY_INTERVAL;

	if (nonce > w->highest) {
		w->seen = w->seen << (nonce - w->highest) | 1;
		w->highest = nonce;
	} else {
		w->seen |= 1ull << (w->highest - nonce);
	}
	if (interval <= w->interval)
		return false;
	w->interval = interval;
	return true;
}
