/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of SOCK_SEQPACKET sockets: one or two nodes whose handshake workers
 * agree to everything but what a test forbids. Include it once in a program.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SYSTEM_SEQHELP_H
#define OCKAM_SYSTEM_SEQHELP_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#include "chanhelp.h"
#include "sock.h"

#define SEQ_SOON 30000		/* milliseconds that are long enough */

/*
 * A node and its worker, a thread. The identity of the only one, or of the first,
 * is 32 times 'A', that of the second one 32 times 'B'.
 */
struct seq_node {
	struct nlh nl;
	struct ch_worker worker;
	pthread_t thread;
	uint8_t self[32], peer[32];
	atomic_bool stop;
	atomic_bool mute_first;		/* initiators' messages are not answered */
	atomic_bool mute_third;		/* responders do not finish */
	uint64_t muted;			/* the last one of those; of the thread */
	atomic_int fail;		/* initiators fail with this errno at once */
	pthread_mutex_t lock;		/* the last rules of an exchange, by role */
	uint8_t rules[2][sizeof(struct ockam_socket_rules) + 16384];
	size_t rules_len[2];
};

static const uint8_t seq_key[2][32] = { "to the initiator", "to the responder" };
/* A RefreshCredentials body: the node has no use for it. */
static const uint8_t seq_body[] = { 0x82, 0x40, 0x80 };

/* Does @opaque let the peer in? */
static bool seq_admits(const struct seq_node *n, const uint8_t *opaque, size_t len)
{
	struct ockam_socket_rules r;
	const uint8_t *id;

	if (len < sizeof(r))
		return true;
	memcpy(&r, opaque, sizeof(r));
	id = opaque + sizeof(r) + r.name_len;
	for (uint32_t i = 0; i < r.n_authorized; i++)
		if (!memcmp(id + 32 * i, n->peer, 32))
			return true;
	return !r.n_authorized;
}

static void seq_serve(struct seq_node *n, uint64_t id)
{
	static _Thread_local struct nlh_msg m;
	struct ch_done done = { .peer = n->peer };
	const uint8_t *opaque;
	bool responder;
	uint32_t number;
	size_t len = 0;
	int err;

	/* It may have ended. */
	if (ch_fetch(&n->worker, id, &m))
		return;
	responder = *(const uint8_t *)nlh_attr(&m, OCKAM_A_ROLE, NULL) ==
		    OCKAM_ROLE_RESPONDER;
	number = nlh_attr_u32(&m, OCKAM_A_MESSAGE_NUMBER);
	opaque = nlh_attr(&m, OCKAM_A_OPAQUE, &len);
	pthread_mutex_lock(&n->lock);
	memcpy(n->rules[responder], opaque, len);
	n->rules_len[responder] = len;
	pthread_mutex_unlock(&n->lock);
	done.key_tx = seq_key[!responder];
	done.key_rx = seq_key[responder];
	if (!seq_admits(n, opaque, len))
		done.error = -EACCES;
	if (!responder && n->fail) {
		ch_done(&n->worker, id, &(struct ch_done){ .error = -n->fail });
	} else if (!responder && !number) {
		n->muted = n->mute_first ? id : 0;
		err = n->muted ? 0 : ch_send(&n->worker, id, "msg1");
		if (err)
			ch_done(&n->worker, id, &(struct ch_done){ .error = err });
	} else if (responder && number == 1) {
		ch_send(&n->worker, id, "msg2");
	} else if (!responder) {
		if (done.error)
			ch_done(&n->worker, id, &(struct ch_done){ .error = -EACCES });
		else if (!ch_send(&n->worker, id, "msg3"))
			ch_done(&n->worker, id, &done);
	} else if (!n->mute_third) {
		done.control = done.error ? NULL : seq_body;
		done.control_len = done.error ? 0 : sizeof(seq_body);
		ch_done(&n->worker, id, &done);
	}
}

static void *seq_work(void *arg)
{
	struct seq_node *n = arg;
	uint64_t id;

	while (!n->stop) {
		id = ch_worker_ready(&n->worker, 20);
		if (id)
			seq_serve(n, id);
		if (n->muted && !n->mute_first)
			seq_serve(n, n->muted);
	}
	return NULL;
}

/* Ends the program when it fails. */
static void seq_node_open(struct seq_node *n, int self, int peer)
{
	memset(n, 0, sizeof(*n));
	memset(n->self, self, sizeof(n->self));
	memset(n->peer, peer, sizeof(n->peer));
	pthread_mutex_init(&n->lock, NULL);
	if (nlh_open_new(&n->nl) || nlh_own(&n->nl) ||
	    ch_worker_open(&n->worker, &n->nl)) {
		printf("Bail out! no node: %s\n", n->nl.why);
		exit(1);
	}
	pthread_create(&n->thread, NULL, seq_work, n);
}

static void seq_node_close(struct seq_node *n)
{
	n->stop = true;
	pthread_join(n->thread, NULL);
	ch_worker_close(&n->worker);
	nlh_close(&n->nl);
}

/* Client and server: the same node, or two with a link between them. */
struct seq_pair {
	struct seq_node nodes[2];
	struct seq_node *client, *server;
	const char *link;		/* of the client; NULL: one node */
};

/* @family LH_FAMILIES: one node. False: the machine has no such sockets. */
static bool seq_open(struct seq_pair *p, enum lh_family family)
{
	struct nlh_link_options a = { .name = "to-server" }, b = { .name = "to-client" };
	int fd[2];

	memset(p, 0, sizeof(*p));
	p->client = &p->nodes[0];
	p->server = &p->nodes[family != LH_FAMILIES];
	if (family == LH_FAMILIES) {
		seq_node_open(p->client, 'A', 'A');
		return true;
	}
	if (lh_connect(family, fd))
		return false;
	seq_node_open(p->client, 'A', 'B');
	seq_node_open(p->server, 'B', 'A');
	if (nlh_link_new(&p->client->nl, fd[0], &a, NULL) ||
	    nlh_link_new(&p->server->nl, fd[1], &b, NULL)) {
		printf("Bail out! no link: %s %s\n", p->client->nl.why, p->server->nl.why);
		exit(1);
	}
	close(fd[0]);
	close(fd[1]);
	p->link = a.name;
	return true;
}

static void seq_close(struct seq_pair *p)
{
	seq_node_close(p->client);
	if (p->server != p->client)
		seq_node_close(p->server);
}

/* Ends the program: without sockets there is nothing to test. */
static int seq_socket(struct seq_node *n, int flags)
{
	int back = nlh_enter(&n->nl);
	int fd = socket(AF_OCKAM, SOCK_SEQPACKET | flags, 0);

	nlh_leave(back);
	if (fd < 0) {
		printf("Bail out! socket(AF_OCKAM, SOCK_SEQPACKET): %s\n", strerror(errno));
		exit(1);
	}
	return fd;
}

/* One that listens at @name. */
static int seq_listener(struct seq_node *n, const char *name, int backlog)
{
	int fd = seq_socket(n, 0);
	int err = sock_bind(fd, NAME(name));

	if (err || listen(fd, backlog)) {
		printf("Bail out! listen %s: %s\n", name, strerror(err ? err : errno));
		exit(1);
	}
	return fd;
}

/* Where the client finds that. */
static struct name seq_route(const struct seq_pair *p, const char *name)
{
	return p->link ? NAME(p->link, name) : NAME(name);
}

/* poll(2) until one of @events or of those that need not be asked for; these. */
UNUSED
static int seq_poll(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, SEQ_SOON);

	return n == 1 ? p.revents : 0;
}

UNUSED
static int seq_poll_now(int fd)
{
	struct pollfd p = { .fd = fd,
			    .events = POLLIN | POLLOUT | POLLRDHUP };

	poll(&p, 1, 0);
	return p.revents;
}

UNUSED
static int seq_error(int fd)
{
	socklen_t len = sizeof(int);
	int v = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &v, &len) ? errno : v;
}

/* Without blocking. */
UNUSED
static int seq_begin(struct seq_pair *p, struct name to, int *fd)
{
	*fd = seq_socket(p->client, SOCK_NONBLOCK);
	return sock_connect(*fd, to);
}

/* A connection by the name of @listener. */
UNUSED
static void seq_connect(struct seq_pair *p, int listener, const char *name, int fd[2])
{
	int err;

	fd[0] = seq_socket(p->client, 0);
	fd[1] = -1;
	err = sock_connect(fd[0], seq_route(p, name));
	if (!err)
		fd[1] = accept(listener, NULL, NULL);
	if (err || fd[1] < 0) {
		printf("Bail out! connect %s: %s\n", name, strerror(err ? err : errno));
		exit(1);
	}
}

/* recvmsg(2); *@flags: in, then what it says. The length or a negative errno. */
UNUSED
static long seq_recv(int fd, void *buf, size_t len, int *flags)
{
	struct iovec iov = { buf, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	long n = recvmsg(fd, &m, *flags);

	*flags = m.msg_flags;
	return n < 0 ? -errno : n;
}

/* The next record is these bytes, and is marked as one. */
UNUSED
static bool seq_expect(int fd, const void *want, size_t len)
{
	uint8_t *buf = malloc(len + 64);
	int flags = 0;
	long n = seq_recv(fd, buf, len + 64, &flags);
	bool is = n == (long)len && !memcmp(buf, want, len) &&
		  (flags & (MSG_EOR | MSG_TRUNC)) == MSG_EOR;

	if (!is)
		printf("# %ld of %zu bytes, flags %#x\n", n, len, flags);
	free(buf);
	return is;
}

/* The end: 0 bytes, and no record. */
UNUSED
static bool seq_expect_end(int fd)
{
	int flags = 0;
	char c;
	long n = seq_recv(fd, &c, 1, &flags);

	if (n || flags & MSG_EOR)
		printf("# %ld, flags %#x\n", n, flags);
	return !n && !(flags & MSG_EOR);
}

UNUSED
static struct ockam_info seq_info(int fd)
{
	struct ockam_info info = { .ockami_state = 255 };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_OCKAM, OCKAM_INFO, &info, &len);
	return info;
}

/* 0 or errno. */
UNUSED
static int seq_send(int fd, const void *p, size_t len, int flags)
{
	long n = send(fd, p, len, flags | MSG_NOSIGNAL);

	return n < 0 ? errno : n == (long)len ? 0 : EIO;
}

#endif /* OCKAM_SYSTEM_SEQHELP_H */
