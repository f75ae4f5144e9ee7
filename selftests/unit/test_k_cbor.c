// SPDX-License-Identifier: GPL-2.0
/*
 * Host program of the tests in kmod/tests/test_cbor.c. Build with
 * -DOCKAM_HOST -Iinclude/uapi -Ikmod/codec -Ikmod/tests and kmod/codec/{addr,cbor,replay,wire}.c.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "test_cbor.c"
