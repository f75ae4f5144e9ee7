/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose the names of a node are that were chosen, and not made by the kernel.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_NAMES_H
#define OCKAM_NAMES_H

#include <linux/types.h>

struct ockam_name;
struct ockam_net;

/* Names that a user has had and that are still kept for him; then the oldest goes. */
#define OCKAM_NAMES_KEPT	256
/* So many the node keeps, whatever its limit of addresses: no user fills that alone. */
#define OCKAM_NAMES_LEAST	4096

/*
 * The calling process's user takes @name, for one endpoint that he is about to
 * add: nobody else has it or has had it. @admin: it may also be one that
 * another user has had, and is never too much. 0 and *@out; -EADDRINUSE (another
 * user's), -EADDRNOTAVAIL (of the form that the kernel makes), -ENOSPC (the node
 * keeps as many names as it may), -ENOMEM. Process context.
 */
int ockam_names_take(struct ockam_net *on, const u8 *name, u8 len, bool admin,
		     struct ockam_name **out);
/*
 * That endpoint has ended. @used: it was in the address table, so there may be
 * messages for it: the name is kept for the user. NULL is allowed. Any context.
 */
void ockam_names_give(struct ockam_net *on, struct ockam_name *n, bool used);

/* Part of a node; called by endpoint.c only. */
int ockam_names_init_net(struct ockam_net *on);
void ockam_names_exit_net(struct ockam_net *on);

#endif /* OCKAM_NAMES_H */
