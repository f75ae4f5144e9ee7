/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a limit of a node may be set to; shared by netlink and sysctl.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_NL_LIMITS_H
#define OCKAM_NL_LIMITS_H

#include "netns.h"

/*
 * 0; -ERANGE; -EPERM when @value is above the default and the caller may not
 * raise it. Then *@why is a sentence.
 */
int ockam_nl_check_limit(enum ockam_limit_attr which, u64 value, bool may_raise,
			 const char **why);

#endif /* OCKAM_NL_LIMITS_H */
