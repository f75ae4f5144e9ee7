/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recorded frames and plaintexts.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_WIRE_CASES_H
#define OCKAM_WIRE_CASES_H

struct ockam_frame_case {
	const char *frame;
	const char *onward;
	const char *ret;
	const char *payload;
	bool canonical;		/* an array of three: what we would write */
};

struct ockam_refused_case {
	const char *why;
	const char *frame;
};

struct ockam_plaintext_case {
	u64 nonce;
	const char *plaintext;
};

#include "cases_frames.h"
#include "cases_channel.h"

#endif /* OCKAM_WIRE_CASES_H */
