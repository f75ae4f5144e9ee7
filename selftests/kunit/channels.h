/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Secure channels in the test module: their cipher fails on demand.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_KUNIT_CHANNELS_H
#define OCKAM_KUNIT_CHANNELS_H

#include <linux/types.h>

/*
 * Called in place of an operation, whose nonce has been taken or looked at: an
 * errno fails it, 0 lets it go on. NULL: all go on.
 */
struct test_cipher {
	int (*seal)(u64 nonce);
	int (*open)(u64 nonce);
	bool exhausted;		/* no operation can be prepared for sealing */
};

extern struct test_cipher test_cipher;

#endif /* OCKAM_KUNIT_CHANNELS_H */
