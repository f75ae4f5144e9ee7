// SPDX-License-Identifier: Apache-2.0
/*
 * Netlink client: the handle, calls, and what the kernel says on its own.
 *
 * The kernel runs a command inside of our sendmsg(), so when that returns the
 * answer is in the receive queue, or it was lost because the queue was full.
 * That is why nothing here ever waits. Messages that belong to no call are kept
 * in a list; wake_fd is readable while there are any, so that a poll loop on
 * ockam_nl_fd() learns of those that came during a call.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <openssl/crypto.h>

#include "nl_priv.h"

#define OCKAM_NL_RX_SIZE	(128 * 1024)	/* more than any message of the family */
#define OCKAM_NL_RCVBUF		(4 * 1024 * 1024)
#define OCKAM_NL_SMALL		1024	/* headers and small attributes of a request */
#define OCKAM_NL_BATCH		64	/* datagrams that one dispatch takes */

/* A message that came outside of its call. */
struct ockam_nl_kept {
	struct ockam_nl_kept	*next;
	size_t			len;
	struct nlmsghdr		hdr[];
};

struct ockam_nl {
	struct nl_sock		*sock;
	int			family;
	int			epoll_fd;
	int			wake_fd;
	uint32_t		seq;
	struct ockam_nl_handlers handlers;
	struct ockam_nl_kept	*kept;
	struct ockam_nl_kept	**kept_end;
	bool			missed;
	bool			dispatching;
	uint8_t			*rx;
};

/* State of one call while its answers arrive. */
struct ockam_nl_waiting {
	uint32_t		seq;
	uint8_t			cmd;
	ockam_nl_reply_fn	fn;	/* NULL: messages are kept, not answers */
	void			*arg;
	struct ockam_err	*err;
	bool			done;
	bool			interrupted;
	int			status;	/* of the acknowledgement */
	int			refused;	/* by fn: rest of the answer is skipped */
};

static int ockam_nl_errno_open(int nlerr)
{
	switch (-nlerr) {
	case NLE_OBJ_NOTFOUND:
		return -ENOPROTOOPT;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	default:
		return -EIO;
	}
}

static int ockam_nl_setup(struct ockam_nl *nl, struct ockam_err *err)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int size = OCKAM_NL_RCVBUF, one = 1;
	int fd, ret;

	nl->sock = nl_socket_alloc();
	nl->rx = malloc(OCKAM_NL_RX_SIZE);
	if (!nl->sock || !nl->rx)
		return ockam_err_set(err, -ENOMEM, "no memory for a netlink socket");
	ret = nl_connect(nl->sock, NETLINK_GENERIC);
	if (ret == -NLE_AF_NOSUPPORT)
		return ockam_err_set(err, -EPERM,
				     "sockets of the family AF_NETLINK are refused to this process by a seccomp filter: with systemd add AF_NETLINK to RestrictAddressFamilies=");
	if (ret < 0)
		return ockam_err_set(err, ockam_nl_errno_open(ret),
				     "cannot open a netlink socket: %s",
				     nl_geterror(ret));
	ret = genl_ctrl_resolve(nl->sock, OCKAM_GENL_NAME);
	if (ret == -NLE_OBJ_NOTFOUND)
		return ockam_err_set(err, -ENOPROTOOPT,
				     "the ockam kernel module is not loaded: run modprobe ockam");
	if (ret < 0)
		return ockam_err_set(err, ockam_nl_errno_open(ret),
				     "cannot ask the kernel for the family ockam: %s",
				     nl_geterror(ret));
	nl->family = ret;

	fd = nl_socket_get_fd(nl->sock);
	/* Capped: a refused request is not sent back, keys and all. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)))
		return ockam_err_set(err, -errno,
				     "cannot set up a netlink socket: %s",
				     strerror(errno));
	/* A larger buffer loses less; without the right to it, what is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));

	nl->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	nl->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (nl->wake_fd < 0 || nl->epoll_fd < 0 ||
	    epoll_ctl(nl->epoll_fd, EPOLL_CTL_ADD, fd, &ev) ||
	    epoll_ctl(nl->epoll_fd, EPOLL_CTL_ADD, nl->wake_fd, &ev))
		return ockam_err_set(err, -errno,
				     "cannot set up a netlink socket: %s",
				     strerror(errno));
	return 0;
}

int ockam_nl_open(struct ockam_nl **nlp,
		  const struct ockam_nl_handlers *handlers,
		  struct ockam_err *err)
{
	struct ockam_nl *nl;
	int ret;

	*nlp = NULL;
	nl = calloc(1, sizeof(*nl));
	if (!nl)
		return ockam_err_set(err, -ENOMEM, "no memory for a netlink socket");
	nl->wake_fd = -1;
	nl->epoll_fd = -1;
	nl->kept_end = &nl->kept;
	if (handlers)
		nl->handlers = *handlers;
	ret = ockam_nl_setup(nl, err);
	if (ret) {
		ockam_nl_close(nl);
		return ret;
	}
	*nlp = nl;
	return 0;
}

static void ockam_nl_free_kept(struct ockam_nl_kept *kept)
{
	OPENSSL_cleanse(kept->hdr, kept->len);
	free(kept);
}

void ockam_nl_close(struct ockam_nl *nl)
{
	struct ockam_nl_kept *kept;

	if (!nl)
		return;
	while ((kept = nl->kept)) {
		nl->kept = kept->next;
		ockam_nl_free_kept(kept);
	}
	if (nl->rx)
		OPENSSL_cleanse(nl->rx, OCKAM_NL_RX_SIZE);
	free(nl->rx);
	if (nl->wake_fd >= 0)
		close(nl->wake_fd);
	if (nl->epoll_fd >= 0)
		close(nl->epoll_fd);
	nl_socket_free(nl->sock);
	free(nl);
}

int ockam_nl_fd(const struct ockam_nl *nl)
{
	return nl->epoll_fd;
}

uint32_t ockam_nl_port(const struct ockam_nl *nl)
{
	return nl_socket_get_local_port(nl->sock);
}

uint32_t ockam_nl_last_seq(const struct ockam_nl *nl)
{
	return nl->seq;
}

int ockam_nl_join_events(struct ockam_nl *nl, struct ockam_err *err)
{
	int fd = nl_socket_get_fd(nl->sock);
	int group;

	group = genl_ctrl_resolve_grp(nl->sock, OCKAM_GENL_NAME,
				      OCKAM_GENL_MCGRP_EVENTS);
	if (group < 0)
		return ockam_err_set(err, ockam_nl_errno_open(group),
				     "cannot find the kernel's group of events: %s",
				     nl_geterror(group));
	if (!setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			sizeof(group)))
		return 0;
	if (errno == EPERM)
		return ockam_err_set(err, -EPERM,
				     "CAP_NET_ADMIN is needed to watch events: run as root");
	return ockam_err_set(err, -errno, "cannot watch events: %s",
			     strerror(errno));
}

/* ---- what arrives -------------------------------------------------------- */

static void ockam_nl_wake(struct ockam_nl *nl)
{
	uint64_t one = 1;

	/* Cannot fail: the counter is far from full. */
	if (write(nl->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void ockam_nl_unwake(struct ockam_nl *nl)
{
	uint64_t count;

	if (read(nl->wake_fd, &count, sizeof(count)) < 0)
		return;	/* was not awake */
}

static void ockam_nl_note_missed(struct ockam_nl *nl)
{
	nl->missed = true;
	ockam_nl_wake(nl);
}

/* A message of the family that answers no call. */
static void ockam_nl_keep(struct ockam_nl *nl, const struct nlmsghdr *nlh)
{
	struct ockam_nl_kept *kept = malloc(sizeof(*kept) + nlh->nlmsg_len);

	if (!kept) {
		ockam_nl_note_missed(nl);
		return;
	}
	kept->next = NULL;
	kept->len = nlh->nlmsg_len;
	memcpy(kept->hdr, nlh, nlh->nlmsg_len);
	*nl->kept_end = kept;
	nl->kept_end = &kept->next;
	if (!nl->dispatching)
		ockam_nl_wake(nl);
}

static int ockam_nl_parse(const struct nlmsghdr *nlh, struct nlattr **tb)
{
	if (nlh->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN))
		return -EBADMSG;
	memset(tb, 0, (OCKAM_A_MAX + 1) * sizeof(*tb));
	if (nla_parse(tb, OCKAM_A_MAX,
		      (struct nlattr *)((char *)NLMSG_DATA(nlh) + GENL_HDRLEN),
		      nlh->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), NULL) < 0)
		return -EBADMSG;
	return 0;
}

/*
 * Errno and sentence of an acknowledgement or of the end of a dump. @skip: bytes
 * between the errno and the attributes.
 */
static int ockam_nl_read_status(const struct nlmsghdr *nlh, size_t skip,
				struct ockam_err *err)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { NULL };
	size_t len = nlh->nlmsg_len - NLMSG_HDRLEN;
	const char *data = NLMSG_DATA(nlh);
	const char *text = NULL;
	int status;

	if (len < sizeof(status))
		return ockam_err_set(err, -EBADMSG,
				     "the kernel's acknowledgement is malformed");
	memcpy(&status, data, sizeof(status));
	if (status >= 0)
		return 0;
	/* No errno of any kernel. */
	if (status < -4095)
		status = -EIO;
	skip += sizeof(status);
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && skip <= len &&
	    nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)(data + skip),
		      len - skip, NULL) >= 0)
		text = ockam_nl_get_string(tb, NLMSGERR_ATTR_MSG);
	if (!text || !*text)
		text = strerror(-status);
	return ockam_err_set(err, status, "%s", text);
}

static void ockam_nl_take_ack(const struct nlmsghdr *nlh,
			      struct ockam_nl_waiting *w)
{
	const struct nlmsgerr *ack = NLMSG_DATA(nlh);
	size_t skip = sizeof(ack->msg);

	w->done = true;
	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*ack)))
		skip = 0;
	else if (ack->error && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip = NLMSG_ALIGN(ack->msg.nlmsg_len);
	w->status = ockam_nl_read_status(nlh, skip, w->err);
}

/* One message; @w NULL: no call is going on. */
static void ockam_nl_take(struct ockam_nl *nl, const struct nlmsghdr *nlh,
			  struct ockam_nl_waiting *w)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	struct nlattr *tb[OCKAM_A_MAX + 1];
	bool ours = w && nlh->nlmsg_seq == w->seq;

	if (ours && (nlh->nlmsg_flags & NLM_F_DUMP_INTR))
		w->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		if (ours)
			ockam_nl_take_ack(nlh, w);
		return;
	case NLMSG_DONE:
		if (ours) {
			w->done = true;
			w->status = ockam_nl_read_status(nlh, 0, w->err);
		}
		return;
	case NLMSG_OVERRUN:
		ockam_nl_note_missed(nl);
		return;
	}
	if (nlh->nlmsg_type != nl->family ||
	    nlh->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN))
		return;
	if (!ours || !w->fn || genl->cmd != w->cmd) {
		ockam_nl_keep(nl, nlh);
		return;
	}
	if (w->refused)
		return;
	if (ockam_nl_parse(nlh, tb))
		w->refused = ockam_err_set(w->err, -EBADMSG,
					   "the kernel's answer is malformed");
	else
		w->refused = w->fn(w->arg, tb, w->err);
}

/* The messages of one datagram; the last may be one that is not padded. */
static void ockam_nl_take_all(struct ockam_nl *nl, const uint8_t *data, size_t len,
			      struct ockam_nl_waiting *w)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)data;
	unsigned int left = len;

	while (NLMSG_OK(nlh, left)) {
		ockam_nl_take(nl, nlh, w);
		if (NLMSG_ALIGN(nlh->nlmsg_len) >= left)
			break;
		nlh = NLMSG_NEXT(nlh, left);
	}
}

/*
 * Take one datagram. 1 when there was one, 0 when there is none, negative errno
 * when the socket is broken.
 */
static int ockam_nl_receive(struct ockam_nl *nl, struct ockam_nl_waiting *w,
			    struct ockam_err *err)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { nl->rx, OCKAM_NL_RX_SIZE };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(nl_socket_get_fd(nl->sock), &msg, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ENOBUFS) {
		ockam_nl_note_missed(nl);
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return ockam_err_set(err, -errno, "cannot read from netlink: %s",
				     strerror(errno));
	/* Others with the right to may send to our port; we listen to the kernel. */
	if (from.nl_pid == 0) {
		ockam_nl_take_all(nl, nl->rx, n, w);
		if (msg.msg_flags & MSG_TRUNC)
			ockam_nl_note_missed(nl);
	}
	OPENSSL_cleanse(nl->rx, n < OCKAM_NL_RX_SIZE ? n : OCKAM_NL_RX_SIZE);
	return 1;
}

/* ---- calls --------------------------------------------------------------- */

void ockam_nl_request_init(struct ockam_nl *nl, struct ockam_nl_request *req,
			   uint8_t cmd, size_t room)
{
	memset(req, 0, sizeof(*req));
	req->cmd = cmd;
	/* Zero is the number of what the kernel says on its own. */
	if (!++nl->seq)
		nl->seq = 1;
	req->msg = nlmsg_alloc_size(OCKAM_NL_SMALL + room);
	req->failed = !req->msg ||
		      !genlmsg_put(req->msg, ockam_nl_port(nl), nl->seq,
				   nl->family, 0, NLM_F_REQUEST | NLM_F_ACK,
				   cmd, OCKAM_GENL_VERSION);
}

static void ockam_nl_request_free(struct ockam_nl_request *req)
{
	if (!req->msg)
		return;
	OPENSSL_cleanse(nlmsg_data(nlmsg_hdr(req->msg)),
			nlmsg_datalen(nlmsg_hdr(req->msg)));
	nlmsg_free(req->msg);
	req->msg = NULL;
}

int ockam_nl_call(struct ockam_nl *nl, struct ockam_nl_request *req,
		  ockam_nl_reply_fn fn, void *arg, struct ockam_err *err)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct ockam_nl_waiting w = {
		.seq = nl->seq,
		.cmd = req->cmd,
		.fn = fn,
		.arg = arg,
		.err = err,
	};
	struct nlmsghdr *nlh;
	int ret = 0;

	if (req->failed) {
		ret = ockam_err_set(err, -EMSGSIZE,
				    "the request is too large for the kernel");
		goto out;
	}
	nlh = nlmsg_hdr(req->msg);
	if (req->dump)
		nlh->nlmsg_flags |= NLM_F_DUMP;
	if (sendto(nl_socket_get_fd(nl->sock), nlh, nlh->nlmsg_len, 0,
		   (struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
		ret = ockam_err_set(err, -errno, "cannot write to netlink: %s",
				    strerror(errno));
		goto out;
	}
	while (!w.done) {
		ret = ockam_nl_receive(nl, &w, err);
		if (ret < 0)
			goto out;
		if (!ret) {
			ret = ockam_err_set(err, -ENOBUFS,
					    "the kernel's answer was lost: the receive buffer was full");
			goto out;
		}
	}
	ret = w.status ?: w.refused;
	if (!ret && w.interrupted)
		ret = 1;
out:
	ockam_nl_request_free(req);
	return ret;
}

int ockam_nl_call_name(struct ockam_nl *nl, uint8_t cmd, int attr, const void *name, size_t len,
		       ockam_nl_reply_fn fn, void *arg, struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, cmd, len);
	ockam_nl_put(&req, attr, name, len);
	return ockam_nl_call(nl, &req, fn, arg, err);
}

int ockam_nl_call_dump(struct ockam_nl *nl, uint8_t cmd, ockam_nl_reply_fn fn, void *arg,
		       struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, cmd, 0);
	req.dump = true;
	return ockam_nl_call(nl, &req, fn, arg, err);
}

/* ---- what the kernel says on its own ------------------------------------- */

static void ockam_nl_hand_out_result(struct ockam_nl *nl,
				     const struct nlmsghdr *nlh,
				     struct nlattr **tb)
{
	struct ockam_nl_result r = {
		.seq = nlh->nlmsg_seq,
		.error = (int32_t)ockam_nl_get_u32(tb, OCKAM_A_ERRNO),
		.reason = ockam_nl_get_string(tb, OCKAM_A_REASON),
		.confirmed = ockam_nl_get_u32(tb, OCKAM_A_FLAGS) &
			     OCKAM_FLAG_CONFIRMED,
	};

	ockam_nl_get_name(tb, OCKAM_A_ENCRYPTOR, &r.encryptor);
	ockam_nl_get_name(tb, OCKAM_A_DECRYPTOR, &r.decryptor);
	ockam_nl_get_flow(tb, OCKAM_A_FLOW_ID, &r.flow);
	ockam_nl_get_identifier(tb, OCKAM_A_PEER, &r.peer);
	nl->handlers.result(nl->handlers.arg, &r);
}

static void ockam_nl_hand_out_control(struct ockam_nl *nl, struct nlattr **tb)
{
	struct ockam_nl_control c = {
		.body = ockam_nl_get_blob(tb, OCKAM_A_CONTROL),
	};

	ockam_nl_get_name(tb, OCKAM_A_ENCRYPTOR, &c.encryptor);
	ockam_nl_get_identifier(tb, OCKAM_A_PEER, &c.peer);
	nl->handlers.control(nl->handlers.arg, &c);
}

static void ockam_nl_hand_out_event(struct ockam_nl *nl, struct nlattr **tb)
{
	struct ockam_nl_event e = {
		.event = ockam_nl_get_u8(tb, OCKAM_A_EVENT),
		.kind = ockam_nl_get_u8(tb, OCKAM_A_KIND),
		.error = (int32_t)ockam_nl_get_u32(tb, OCKAM_A_ERRNO),
		.reason = ockam_nl_get_string(tb, OCKAM_A_REASON),
		.messages = ockam_nl_get_u64(tb, OCKAM_A_RX_MESSAGES),
		.has_role = tb[OCKAM_A_ROLE],
		.role = ockam_nl_get_u8(tb, OCKAM_A_ROLE),
	};

	ockam_nl_get_name(tb, OCKAM_A_ADDRESS, &e.address);
	ockam_nl_get_identifier(tb, OCKAM_A_PEER, &e.peer);
	nl->handlers.event(nl->handlers.arg, &e);
}

/* True when a handler was called. */
static bool ockam_nl_hand_out(struct ockam_nl *nl, const struct nlmsghdr *nlh)
{
	const struct ockam_nl_handlers *h = &nl->handlers;
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	struct nlattr *tb[OCKAM_A_MAX + 1];

	if (ockam_nl_parse(nlh, tb))
		return false;
	switch (genl->cmd) {
	case OCKAM_CMD_HANDSHAKE_READY:
		if (!h->ready)
			return false;
		h->ready(h->arg, ockam_nl_get_u64(tb, OCKAM_A_EXCHANGE_ID));
		return true;
	case OCKAM_CMD_CHANNEL_CONTROL:
		if (!h->control)
			return false;
		ockam_nl_hand_out_control(nl, tb);
		return true;
	case OCKAM_CMD_CHANNEL_NEW:
		if (!h->result)
			return false;
		ockam_nl_hand_out_result(nl, nlh, tb);
		return true;
	case OCKAM_CMD_EVENT:
		if (!h->event)
			return false;
		ockam_nl_hand_out_event(nl, tb);
		return true;
	default:
		return false;
	}
}

int ockam_nl_dispatch(struct ockam_nl *nl, struct ockam_err *err)
{
	struct ockam_nl_kept *kept;
	int i, ret, calls = 0;

	/* From a handler: the dispatch that runs already does it. */
	if (nl->dispatching)
		return 0;
	nl->dispatching = true;
	ockam_nl_unwake(nl);
	for (i = 0; i < OCKAM_NL_BATCH; i++) {
		ret = ockam_nl_receive(nl, NULL, err);
		if (ret <= 0)
			break;
	}
	while ((kept = nl->kept)) {
		nl->kept = kept->next;
		if (!nl->kept)
			nl->kept_end = &nl->kept;
		calls += ockam_nl_hand_out(nl, kept->hdr);
		ockam_nl_free_kept(kept);
	}
	if (nl->missed) {
		nl->missed = false;
		if (nl->handlers.missed) {
			nl->handlers.missed(nl->handlers.arg);
			calls++;
		}
	}
	nl->dispatching = false;
	/* The last handler may have made a call that brought more. */
	if (nl->kept)
		ockam_nl_wake(nl);
	return ret < 0 ? ret : calls;
}
