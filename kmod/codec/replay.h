/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receive window and key interval of a channel (wire-protocol section 6.3).
 *
 * Floor 0: pure arithmetic; the caller serialises.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_REPLAY_H
#define OCKAM_REPLAY_H

#include "limits.h"

/* Which key opens a packet, relative to the window's current interval. */
enum ockam_key_slot {
	OCKAM_KEY_PREVIOUS,
	OCKAM_KEY_CURRENT,
	OCKAM_KEY_NEXT,
	__OCKAM_KEY_SLOTS
};

enum ockam_replay_verdict {
	OCKAM_REPLAY_OK,
	OCKAM_REPLAY_TOO_OLD,	/* more than 32 below the highest */
	OCKAM_REPLAY_TOO_FAR,	/* more than 32 above it */
	OCKAM_REPLAY_REPLAYED,	/* accepted before */
	OCKAM_REPLAY_NO_KEY,	/* no key of ours is for this interval */
};

/*
 * ->seen bit d: nonce highest - d was accepted. Empty at first, so nonce 0 is
 * acceptable. Changed only by ockam_replay_commit(), after the tag verified.
 */
struct ockam_window {
	u64 highest;
	u64 seen;
	u64 interval;		/* number of the current key: nonce / 32 */
};

void ockam_replay_init(struct ockam_window *w);
/* No change of state. *@slot is valid for OCKAM_REPLAY_OK only. */
enum ockam_replay_verdict ockam_replay_check(const struct ockam_window *w,
					     u64 nonce,
					     enum ockam_key_slot *slot);
/*
 * Record a nonce that the check passed and whose tag verified. Returns true
 * when the interval moved: previous = current, current = next.
 */
bool ockam_replay_commit(struct ockam_window *w, u64 nonce);

#endif /* OCKAM_REPLAY_H */
