/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Socket options at level SOL_OCKAM.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SOCKOPT_H
#define OCKAM_SOCKOPT_H

#include <linux/net.h>
#include <linux/sockptr.h>

/* 0, -ENOPROTOOPT (unknown), -EINVAL (length or value), -EFAULT. */
int ockam_sockopt_set(struct socket *sock, int level, int name,
		      sockptr_t value, unsigned int len);
int ockam_sockopt_get(struct socket *sock, int level, int name,
		      char __user *value, int __user *len);

#endif /* OCKAM_SOCKOPT_H */
