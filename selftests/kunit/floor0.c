// SPDX-License-Identifier: GPL-2.0
/*
 * The code under test, compiled into the test module: it exports nothing that
 * could be borrowed from ockam.ko, and must not have to.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>

#include "../../kmod/addr.c"
#include "../../kmod/aead.c"
#include "../../kmod/aead_pool.c"
#include "../../kmod/cbor.c"
#include "../../kmod/replay.c"
#include "../../kmod/wire.c"

MODULE_DESCRIPTION("Tests of ockam's codec, routes, window and cipher");
MODULE_LICENSE("GPL");
