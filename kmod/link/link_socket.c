// SPDX-License-Identifier: GPL-2.0
/*
 * The socket under a link: which ones may be used, taking it over, giving it
 * back.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <net/bluetooth/bluetooth.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "compat_net.h"
#include "link.h"
#include "link_socket.h"
#include "netns.h"

/*
 * Occupies the place of an upper layer on a TCP socket, so that TLS, sockmap
 * and listen() (there is no ->clone) are refused on it. It is never
 * registered: setsockopt(TCP_ULP) cannot ask for it.
 *
 * It stays while the user has a descriptor: getsockopt(TCP_ULP) reads the
 * pointer twice and without a lock, because nothing else ever takes one away.
 * TCP drops the module's reference when it frees the socket, or we do when we
 * are the last to hold its file.
 */
static struct tcp_ulp_ops ockam_link_ulp __read_mostly = {
	.name = "ockam",
	.owner = THIS_MODULE,
};

bool ockam_link_socket_is_tcp(const struct sock *sk)
{
	return (sk->sk_family == AF_INET || sk->sk_family == AF_INET6) &&
	       sk->sk_protocol == IPPROTO_TCP;
}

struct socket *ockam_link_socket_get(int fd, struct netlink_ext_ack *extack)
{
	struct socket *sock;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock) {
		if (err == -ENOTSOCK)
			NL_SET_ERR_MSG(extack, "the descriptor is not a socket");
		else
			NL_SET_ERR_MSG(extack, "the descriptor is not open in the calling process");
		return ERR_PTR(err);
	}
	/*
	 * A link pins its socket and a socket pins its namespace, which may be
	 * that of this node or of another one. No circle outlives its owners: a
	 * node has links only while its owner's netlink socket is open, which
	 * pins the node's own namespace all that time.
	 */
	return sock;
}

static bool ockam_link_socket_connected(const struct sock *sk)
{
	int state = READ_ONCE(sk->sk_state);

	/* The other families use TCP's number for "connected". */
	BUILD_BUG_ON((int)BT_CONNECTED != (int)TCP_ESTABLISHED);

	/* A peer that has sent everything and closed may still be read. */
	return state == TCP_ESTABLISHED ||
	       (state == TCP_CLOSE_WAIT && ockam_link_socket_is_tcp(sk));
}

int ockam_link_socket_check_stream(struct socket *sock,
				   struct netlink_ext_ack *extack)
{
	const struct sock *sk = sock->sk;

	switch (sk->sk_family) {
	case AF_INET:
	case AF_INET6:
	case AF_UNIX:
	case AF_VSOCK:
	case AF_BLUETOOTH:
		break;
	default:
		NL_SET_ERR_MSG(extack, "the family of the socket cannot carry a link; use TCP, UNIX, VSOCK or Bluetooth RFCOMM");
		return -EAFNOSUPPORT;
	}
	if (sock->type != SOCK_STREAM) {
		NL_SET_ERR_MSG(extack, "stream framing needs a socket of type SOCK_STREAM");
		return -EPROTOTYPE;
	}
	if ((sk->sk_family == AF_INET || sk->sk_family == AF_INET6) &&
	    sk->sk_protocol != IPPROTO_TCP) {
		NL_SET_ERR_MSG(extack, "the protocol of the socket cannot carry a link; use TCP");
		return -EPROTONOSUPPORT;
	}
	if (sk->sk_family == AF_BLUETOOTH && sk->sk_protocol != BTPROTO_RFCOMM) {
		NL_SET_ERR_MSG(extack, "the protocol of the socket cannot carry a link; use RFCOMM");
		return -EPROTONOSUPPORT;
	}
	if (!ockam_link_socket_connected(sk)) {
		NL_SET_ERR_MSG(extack, "the socket is not connected");
		return -ENOTCONN;
	}
	return 0;
}

/* The link of a socket, while sk_callback_lock is held; NULL when given back. */
static struct ockam_link *ockam_link_socket_link(struct sock *sk)
	__must_hold(&sk->sk_callback_lock)
{
	return rcu_dereference_sk_user_data(sk);
}

/*
 * The callbacks run in any context, TCP's under the socket's lock. A caller
 * may have read the pointer to one of them before the socket was given back:
 * then the socket's own function is there again and does the rest.
 *
 * Readers among the user's threads are not woken: what arrives is ours. What
 * they read all the same is missing from this link and from nothing else.
 */
static void ockam_link_socket_data_ready(struct sock *sk)
{
	void (*next)(struct sock *sk) = NULL;
	struct ockam_link *link;

	rcu_read_lock();
	read_lock_bh(&sk->sk_callback_lock);
	link = ockam_link_socket_link(sk);
	if (link)
		link->ops->readable(link);
	else
		next = sk->sk_data_ready;
	read_unlock_bh(&sk->sk_callback_lock);
	rcu_read_unlock();
	if (next)
		next(sk);
}

static void ockam_link_socket_write_space(struct sock *sk)
{
	void (*next)(struct sock *sk);
	struct ockam_link *link;

	rcu_read_lock();
	read_lock_bh(&sk->sk_callback_lock);
	link = ockam_link_socket_link(sk);
	if (link) {
		/* TCP says so for every byte, and again until it is enough. */
		if (!link->tcp || sk_stream_is_writeable(sk))
			link->ops->writable(link);
		next = link->sk_write_space;
	} else {
		next = sk->sk_write_space;
	}
	read_unlock_bh(&sk->sk_callback_lock);
	rcu_read_unlock();
	next(sk);
}

/* End of stream, reset: noticed by whoever reads, woken even while paused. */
static void ockam_link_socket_ended(struct sock *sk, bool error)
{
	void (*next)(struct sock *sk);
	struct ockam_link *link;

	rcu_read_lock();
	read_lock_bh(&sk->sk_callback_lock);
	link = ockam_link_socket_link(sk);
	if (link) {
		link->ops->readable(link);
		link->ops->writable(link);
		next = error ? link->sk_error_report : link->sk_state_change;
	} else {
		next = error ? sk->sk_error_report : sk->sk_state_change;
	}
	read_unlock_bh(&sk->sk_callback_lock);
	rcu_read_unlock();
	next(sk);
}

static void ockam_link_socket_state_change(struct sock *sk)
{
	ockam_link_socket_ended(sk, false);
}

static void ockam_link_socket_error_report(struct sock *sk)
{
	ockam_link_socket_ended(sk, true);
}

/* Nobody else has a layer on the socket? Checked where nobody can add one. */
static int __ockam_link_socket_usable(struct sock *sk,
				      struct netlink_ext_ack *extack)
	__must_hold(&sk->sk_callback_lock)
{
	if (!ockam_link_socket_connected(sk)) {
		NL_SET_ERR_MSG(extack, "the socket is not connected any more");
		return -ENOTCONN;
	}
	if (ockam_link_socket_is_tcp(sk) && inet_csk(sk)->icsk_ulp_ops) {
		NL_SET_ERR_MSG(extack, "the socket has an upper layer protocol already, or was used for a link before; use a fresh one");
		return -EBUSY;
	}
	if (sk->sk_user_data) {
		NL_SET_ERR_MSG(extack, "the socket is in use by a link or by another part of the kernel");
		return -EBUSY;
	}
	return 0;
}

int ockam_link_socket_attach(struct ockam_link *link,
			     struct netlink_ext_ack *extack)
{
	struct sock *sk = link->sock->sk;
	int err;

	lockdep_assert_held(&link->birth);

	/* TCP changes state and its upper layer under this lock only. */
	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	err = __ockam_link_socket_usable(sk, extack);
	if (!err) {
		if (ockam_link_socket_is_tcp(sk)) {
			/* The caller is our code: the module cannot be leaving. */
			__module_get(THIS_MODULE);
			inet_csk(sk)->icsk_ulp_ops = &ockam_link_ulp;
		}
		link->sk_data_ready = sk->sk_data_ready;
		link->sk_write_space = sk->sk_write_space;
		link->sk_state_change = sk->sk_state_change;
		link->sk_error_report = sk->sk_error_report;
		__rcu_assign_sk_user_data_with_flags(sk, link,
						     SK_USER_DATA_NOCOPY);
		WRITE_ONCE(sk->sk_data_ready, ockam_link_socket_data_ready);
		WRITE_ONCE(sk->sk_write_space, ockam_link_socket_write_space);
		WRITE_ONCE(sk->sk_state_change, ockam_link_socket_state_change);
		WRITE_ONCE(sk->sk_error_report, ockam_link_socket_error_report);
		link->attached = true;
	}
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
	return err;
}

void ockam_link_socket_detach(struct ockam_link *link)
{
	struct sock *sk;

	lockdep_assert_held(&link->birth);

	if (!link->attached)
		return;
	link->attached = false;
	sk = link->sock->sk;
	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	WRITE_ONCE(sk->sk_data_ready, link->sk_data_ready);
	WRITE_ONCE(sk->sk_write_space, link->sk_write_space);
	WRITE_ONCE(sk->sk_state_change, link->sk_state_change);
	WRITE_ONCE(sk->sk_error_report, link->sk_error_report);
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	/*
	 * Our reference may be the last, and then the socket is closed in a
	 * worker that all of the kernel shares: it must not linger there.
	 */
	sock_reset_flag(sk, SOCK_LINGER);
	release_sock(sk);
}

/*
 * Nobody but us can reach @sock any more: leave the place of the upper layer, so
 * that a connection that takes long to end does not hold the module. inet_diag
 * may still be looking: see ockam_link_socket_exit().
 */
static void ockam_link_socket_drop_ulp(struct socket *sock)
{
	struct sock *sk = sock->sk;
	bool ours;

	if (!ockam_link_socket_is_tcp(sk) || file_count(sock->file) != 1)
		return;
	lock_sock(sk);
	ours = inet_csk(sk)->icsk_ulp_ops == &ockam_link_ulp;
	if (ours)
		WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, NULL);
	release_sock(sk);
	/* Not the last one: the link has its own. */
	if (ours)
		module_put(THIS_MODULE);
}

void ockam_link_socket_lock(struct ockam_link *link)
{
	if (link->tcp)
		lock_sock(link->sock->sk);
}

void ockam_link_socket_unlock(struct ockam_link *link)
{
	if (link->tcp)
		release_sock(link->sock->sk);
}

/*
 * Softirqs take the lock of a TCP socket like this, and send with it. In such a
 * section TCP's sending does not sleep when it is told not to wait and allocates
 * what softirqs may. What is for a task that owns the lock cannot happen: the
 * backlog is empty while nobody does. Real-time kernels sleep in any of this.
 */
bool ockam_link_socket_trylock(struct ockam_link *link)
{
	struct sock *sk = link->sock->sk;

	if (!link->tcp || IS_ENABLED(CONFIG_PREEMPT_RT))
		return false;
	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		bh_unlock_sock(sk);
		return false;
	}
	link->allocation = sk->sk_allocation;
	sk->sk_allocation = GFP_ATOMIC | __GFP_NOWARN;
	/*
	 * With that, TCP may copy into pages of the socket. Lend it the task's: an
	 * idle link should not keep 32 KiB. Newer kernels use the task's anyway.
	 */
	if (sk_page_frag(sk) == &sk->sk_frag)
		swap(sk->sk_frag, current->task_frag);
	/* Sparse counts it where it is given back. */
	__release(&sk->sk_lock.slock);
	return true;
}

void ockam_link_socket_unlock_bh(struct ockam_link *link)
{
	struct sock *sk = link->sock->sk;

	__acquire(&sk->sk_lock.slock);
	/* As it was decided above: ->sk_allocation is still ours. */
	if (sk_page_frag(sk) == &sk->sk_frag)
		swap(sk->sk_frag, current->task_frag);
	sk->sk_allocation = link->allocation;
	bh_unlock_sock(sk);
}

static int ockam_link_socket_sendmsg(struct ockam_link *link, struct msghdr *mh)
{
	const struct cred *own = override_creds(link->cred);
	int ret = sock_sendmsg(link->sock, mh);

	revert_creds(own);
	return ret;
}

int ockam_link_socket_send(struct ockam_link *link, struct kvec *vec, size_t n,
			   size_t len, bool more)
{
	struct msghdr mh = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0),
	};

	iov_iter_kvec(&mh.msg_iter, ITER_SOURCE, vec, n, len);
	if (link->tcp)
		return tcp_sendmsg_locked(link->sock->sk, &mh, len);
	return ockam_link_socket_sendmsg(link, &mh);
}

int ockam_link_socket_send_pages(struct ockam_link *link, struct bio_vec *vec,
				 unsigned int n, size_t len, bool more)
{
	struct msghdr mh = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0),
	};
	bool by_reference = link->tcp;
	unsigned int i;

	for (i = 0; i < n && by_reference; i++)
		by_reference = sendpage_ok(vec[i].bv_page);
	if (by_reference)
		return ockam_compat_send_pages(link->sock->sk, vec, n, len,
					       mh.msg_flags);
	iov_iter_bvec(&mh.msg_iter, ITER_SOURCE, vec, n, len);
	if (link->tcp)
		return tcp_sendmsg_locked(link->sock->sk, &mh, len);
	return ockam_link_socket_sendmsg(link, &mh);
}

static int ockam_link_socket_recvmsg(struct ockam_link *link, struct msghdr *mh,
				     int flags)
{
	const struct cred *own = override_creds(link->cred);
	int ret = sock_recvmsg(link->sock, mh, flags);

	revert_creds(own);
	return ret;
}

int ockam_link_socket_recv(struct ockam_link *link, struct page *page,
			   size_t len)
{
	struct bio_vec vec = { .bv_page = page, .bv_len = len };
	struct msghdr mh = {};

	iov_iter_bvec(&mh.msg_iter, ITER_DEST, &vec, 1, len);
	return ockam_link_socket_recvmsg(link, &mh, MSG_DONTWAIT);
}

int ockam_link_socket_peek(struct ockam_link *link)
{
	struct msghdr mh = {};
	struct kvec vec;
	u8 byte;

	vec.iov_base = &byte;
	vec.iov_len = sizeof(byte);
	iov_iter_kvec(&mh.msg_iter, ITER_DEST, &vec, 1, sizeof(byte));
	return ockam_link_socket_recvmsg(link, &mh, MSG_DONTWAIT | MSG_PEEK);
}

/* Nothing is sent and received, but it is judged as if. */
int ockam_link_socket_may_send(struct ockam_link *link)
{
	struct msghdr mh = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	int ret;

	iov_iter_kvec(&mh.msg_iter, ITER_SOURCE, NULL, 0, 0);
	ret = ockam_link_socket_sendmsg(link, &mh);
	return ret == -EAGAIN ? 0 : ret;
}

int ockam_link_socket_may_receive(struct ockam_link *link)
{
	struct msghdr mh = {};
	int ret;

	iov_iter_kvec(&mh.msg_iter, ITER_DEST, NULL, 0, 0);
	ret = ockam_link_socket_recvmsg(link, &mh, MSG_DONTWAIT | MSG_PEEK);
	return ret == -EAGAIN ? 0 : ret;
}

void ockam_link_socket_close(struct ockam_link *link)
{
	const struct cred *own;

	if (test_bit(OCKAM_LINK_SHOWN, &link->bits)) {
		own = override_creds(link->cred);
		kernel_sock_shutdown(link->sock, SHUT_RDWR);
		revert_creds(own);
		ockam_link_socket_drop_ulp(link->sock);
	}
	sockfd_put(link->sock);
	link->sock = NULL;
}

void ockam_link_socket_exit(void)
{
	/* inet_diag reads our name under RCU or a spinlock. */
	synchronize_rcu();
	/*
	 * AF_UNIX reads a callback's pointer and calls it without any lock. A
	 * task preempted between the two would return into freed text.
	 */
	synchronize_rcu_tasks();
}
