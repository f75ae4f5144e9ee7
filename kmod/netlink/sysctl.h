/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net/ockam/: the limits of a namespace's node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SYSCTL_H
#define OCKAM_SYSCTL_H

/* Module init (after ockam_netns_init()) and exit (before its exit). */
int ockam_sysctl_init(void);
void ockam_sysctl_exit(void);

#endif /* OCKAM_SYSCTL_H */
