/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one user's sockets may take of a node: addresses, and bytes of messages
 * that are under way.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AF_QUOTA_H
#define OCKAM_AF_QUOTA_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct net;
struct ockam_account;
struct ockam_gate;

/*
 * The account of @uid in @net, with a reference; NULL without memory. Process
 * context.
 */
struct ockam_account *ockam_quota_open(struct net *net, kuid_t uid);
/* Any context. */
void ockam_quota_close(struct ockam_account *account);

/* One more address. 0 or -EDQUOT (OCKAM_LIMIT_USER_ADDRESSES). */
int ockam_quota_take_address(struct ockam_account *account);
/* Any context. */
void ockam_quota_give_address(struct ockam_account *account);

/*
 * @bytes of a message that may have to wait in a queue of the node: of the user's
 * share, and of what all sockets together may have. NULL, or what is full; nothing
 * is charged then. One message goes over a limit, or large ones would never go.
 */
struct ockam_gate *ockam_quota_charge(struct ockam_account *account, u32 bytes);
/* Any context. */
void ockam_quota_uncharge(struct ockam_account *account, u32 bytes);

/* Module init and exit. */
int ockam_quota_init(void);
void ockam_quota_exit(void);

#endif /* OCKAM_AF_QUOTA_H */
