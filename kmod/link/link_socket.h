/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket under a link: which ones may be used, taking it over, giving it
 * back.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LINK_SOCKET_H
#define OCKAM_LINK_SOCKET_H

#include <linux/errno.h>
#include <linux/types.h>

struct bio_vec;
struct kvec;
struct netlink_ext_ack;
struct ockam_link;
struct page;
struct sock;
struct socket;

/*
 * The socket behind descriptor @fd of the calling process, with a reference on
 * its file (sockfd_put()). It may live in any namespace, that of a node too.
 * ERR_PTR: -EBADF, -ENOTSOCK; with a sentence.
 */
struct socket *ockam_link_socket_get(int fd, struct netlink_ext_ack *extack);

/*
 * Is it a connected byte stream of a family that we know? 0, -EAFNOSUPPORT,
 * -EPROTOTYPE, -EPROTONOSUPPORT, -ENOTCONN; with a sentence.
 */
int ockam_link_socket_check_stream(struct socket *sock,
				   struct netlink_ext_ack *extack);

/*
 * Have ->sock call link->ops->readable() and ->writable(); from here on nobody
 * else can put a layer on it. 0, -EBUSY (somebody has), -ENOTCONN; with a
 * sentence. The caller holds ->birth. May sleep.
 */
int ockam_link_socket_attach(struct ockam_link *link,
			     struct netlink_ext_ack *extack);
/*
 * The reverse. After return the socket does not call the link any more.
 * Idempotent; the caller holds ->birth. May sleep.
 */
void ockam_link_socket_detach(struct ockam_link *link);

bool ockam_link_socket_is_tcp(const struct sock *sk);

/*
 * The socket is used with the credentials of whoever made the link: it is his, and
 * whoever happens to run us may not even know of it.
 *
 * TCP's is locked once for what is sent in a row: ockam_link_socket_lock(), or
 * ockam_link_socket_trylock(), with bottom halves off, which fails while anybody
 * else has it, and between which two the sender does not sleep. Others lock
 * themselves: there, the first does nothing and the second fails.
 */
void ockam_link_socket_lock(struct ockam_link *link);
void ockam_link_socket_unlock(struct ockam_link *link);
bool ockam_link_socket_trylock(struct ockam_link *link);
void ockam_link_socket_unlock_bh(struct ockam_link *link);

/*
 * Send without waiting, TCP with the lock held. @more: more follows right behind.
 * Bytes, or a negative errno.
 */
int ockam_link_socket_send(struct ockam_link *link, struct kvec *vec, size_t n,
			   size_t len, bool more);
/* The same for pieces of pages, by reference where the socket can. */
int ockam_link_socket_send_pages(struct ockam_link *link, struct bio_vec *vec,
				 unsigned int n, size_t len, bool more);
/* Receive without waiting, not on TCP: bytes, 0 at the end, or a negative errno. */
int ockam_link_socket_recv(struct ockam_link *link, struct page *page,
			   size_t len);
/* Is there an end of the stream, or an error, before anything to receive? 0: an end. */
int ockam_link_socket_peek(struct ockam_link *link);
/*
 * What is locked is asked no security module: does one refuse that the owner sends,
 * or receives? Not with the lock held. 0, or a negative errno.
 */
int ockam_link_socket_may_send(struct ockam_link *link);
int ockam_link_socket_may_receive(struct ockam_link *link);

/* A security module said no: nothing is wrong with the connection. */
static inline bool ockam_link_socket_refused(int err)
{
	return err == -EACCES || err == -EPERM;
}

/*
 * Our reference goes. When the link was in use both directions end first, so
 * that the peer sees it even while the user keeps the descriptor.
 */
void ockam_link_socket_close(struct ockam_link *link);

/* At module exit: nobody is about to enter our callbacks any more. */
void ockam_link_socket_exit(void);

#endif /* OCKAM_LINK_SOCKET_H */
