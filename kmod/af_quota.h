/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many addresses of a node one user may have.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_AF_QUOTA_H
#define OCKAM_AF_QUOTA_H

struct ockam_quota_user;
struct sock;

/*
 * One more address for @sk, on the account of the user who made it. 0, and
 * *@user has to be given back (NULL: nobody counts, it is an administrator's);
 * -EDQUOT (OCKAM_LIMIT_USER_ADDRESSES), -ENOMEM. Process context, of whoever
 * wants it.
 */
int ockam_quota_take(const struct sock *sk, struct ockam_quota_user **user);
/* Any context; NULL is allowed. */
void ockam_quota_give(struct ockam_quota_user *user);

/* Module init and exit. */
int ockam_quota_init(void);
void ockam_quota_exit(void);

#endif /* OCKAM_AF_QUOTA_H */
