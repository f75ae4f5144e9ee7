/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions where that takes code of the socket layer,
 * for who uses it: see compat.h.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_COMPAT_NET_H
#define OCKAM_COMPAT_NET_H

#include <linux/bvec.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <net/sock.h>

/* 6.10: references on fragments have a header of their own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#include <linux/skbuff_ref.h>
#endif

/* 6.12: fragments may be in memory that no CPU reads. */
static inline bool ockam_compat_frags_readable(const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return true;
#else
	return skb_frags_readable(skb);
#endif
}

/*
 * 6.5: sendpage() is sendmsg() with a flag. Send @n pieces of pages, @len bytes, by
 * reference on a TCP socket whose lock the caller holds. @flags: MSG_MORE when more
 * follows. Returns the bytes that were taken, or a negative errno.
 */
static inline int ockam_compat_send_pages(struct sock *sk,
					  const struct bio_vec *vec,
					  unsigned int n, size_t len, int flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	unsigned int i;
	int ret, sent = 0;
	int more;

	for (i = 0; i < n; i++) {
		more = i < n - 1 || flags & MSG_MORE ?
		       MSG_MORE | MSG_SENDPAGE_NOTLAST : 0;
		ret = kernel_sendpage_locked(sk, vec[i].bv_page,
					     vec[i].bv_offset, vec[i].bv_len,
					     (flags & ~MSG_MORE) | more);
		if (ret <= 0)
			return sent ?: ret;
		sent += ret;
		if (ret < vec[i].bv_len)
			break;
	}
	return sent;
#else
	struct msghdr mh = { .msg_flags = flags | MSG_SPLICE_PAGES };

	iov_iter_bvec(&mh.msg_iter, ITER_SOURCE, vec, n, len);
	return READ_ONCE(sk->sk_socket->ops)->sendmsg_locked(sk, &mh, len);
#endif
}

#endif /* OCKAM_COMPAT_NET_H */
