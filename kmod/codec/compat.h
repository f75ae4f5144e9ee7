/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions, nowhere else.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_COMPAT_H
#define OCKAM_COMPAT_H

#include <linux/version.h>

/* 6.12: one header for access to unaligned integers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

/* 6.4: bin2hex() has a header of its own; later kernel.h does not include it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <linux/hex.h>
#endif

/* 6.3: what the crypto interface calls back gets its data, not the request. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define ockam_compat_crypto_arg		struct crypto_async_request
#define ockam_compat_crypto_data(arg)	((arg)->data)
#else
#define ockam_compat_crypto_arg		void
#define ockam_compat_crypto_data(arg)	(arg)
#endif

/* 6.5: struct proto_ops has no sendpage any more. For its initialisers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define OCKAM_COMPAT_NO_SENDPAGE	.sendpage = sock_no_sendpage,
#else
#define OCKAM_COMPAT_NO_SENDPAGE
#endif

/* 6.10: the source of a trace string is named once, in __string(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define ockam_trace_assign_str(dst, src)	__assign_str(dst, src)
#else
#define ockam_trace_assign_str(dst, src)	__assign_str(dst)
#endif

/* 6.2: generic netlink's hooks see split operations. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define ockam_compat_genl_ops	genl_ops
#else
#define ockam_compat_genl_ops	genl_split_ops
#endif

/* 6.7: attributes of a dump moved into a struct genl_info. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define ockam_compat_dump_attrs(cb)	(genl_dumpit_info(cb)->attrs)
#else
#define ockam_compat_dump_attrs(cb)	(genl_dumpit_info(cb)->info.attrs)
#endif
#define ockam_compat_dump_maxattr(cb)	(genl_dumpit_info(cb)->op.maxattr)

/* 6.6: the number of entries is passed, the empty last one is not needed. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define ockam_compat_register_net_sysctl(net, path, table, n) \
	register_net_sysctl(net, path, table)
#else
#define ockam_compat_register_net_sysctl(net, path, table, n) \
	register_net_sysctl_sz(net, path, table, n)
#endif

/* 6.10: what accept() was called with is in a structure. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define OCKAM_COMPAT_ACCEPT_ARGS	int flags, bool kern
#define ockam_compat_accept_flags	flags
#else
#define OCKAM_COMPAT_ACCEPT_ARGS	struct proto_accept_arg *arg
#define ockam_compat_accept_flags	(arg->flags)
#endif

/* 6.11: handlers see a constant table. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define ockam_compat_ctl_table	struct ctl_table
#else
#define ockam_compat_ctl_table	const struct ctl_table
#endif

/* 6.16: SO_PASSCRED is refused where messages carry no credentials. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define ockam_compat_passcred(sock)	test_bit(SOCK_PASSCRED, &(sock)->flags)
#else
#define ockam_compat_passcred(sock)	false
#endif

/* 6.19: bind() and connect() take addresses of a type without a size. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define ockam_compat_sockaddr	sockaddr
#else
#define ockam_compat_sockaddr	sockaddr_unsized
#endif

/* 7.0: AES keys that only encrypt are half as large. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define ockam_compat_aes_key		crypto_aes_ctx
#define ockam_compat_aes_prepare	aes_expandkey
#else
#define ockam_compat_aes_key		aes_enckey
#define ockam_compat_aes_prepare	aes_prepareenckey
#endif

#endif /* OCKAM_COMPAT_H */
