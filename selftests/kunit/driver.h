/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver of the cipher below aead.c in the test module: the kernel's own, or
 * that in the manner of an asynchronous one.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_KUNIT_DRIVER_H
#define OCKAM_KUNIT_DRIVER_H

#include <linux/types.h>

struct test_driver {
	bool later;		/* operations end in another context */
	bool backlog;		/* and have to wait before they begin */
	bool held;		/* and none ends before this is false again */
	int err;		/* of all that end later, if not 0 */
};

extern struct test_driver test_driver;

/* Let those that are held end. */
void test_driver_let_go(void);

/* How often a nonce was used again with its key. */
extern atomic_t test_nonces_repeated;

#endif /* OCKAM_KUNIT_DRIVER_H */
