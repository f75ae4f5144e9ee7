/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions, nowhere else.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_COMPAT_H
#define OCKAM_COMPAT_H

#include <linux/version.h>

/* 6.10: the source of a trace string is named once, in __string(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define ockam_trace_assign_str(dst, src)	__assign_str(dst, src)
#else
#define ockam_trace_assign_str(dst, src)	__assign_str(dst)
#endif

#endif /* OCKAM_COMPAT_H */
