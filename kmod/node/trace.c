// SPDX-License-Identifier: GPL-2.0
/*
 * Bodies of the tracepoints.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>

#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include "trace.h"
#endif
