/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --version says. The build may name the commit.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_VERSION_H
#define OCKAM_CTL_VERSION_H

#define OCKAM_CTL_VERSION	"0.150.0"	/* command line that is spoken */
#ifndef OCKAM_CTL_BUILD
#define OCKAM_CTL_BUILD		"source"
#endif

#endif /* OCKAM_CTL_VERSION_H */
