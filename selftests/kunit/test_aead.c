// SPDX-License-Identifier: GPL-2.0
/* KUnit suite of the tests in kmod/tests/test_aead.c. */
#include "../../kmod/tests/test_aead.c"
