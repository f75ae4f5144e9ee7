// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets and the world outside the node: long routes, who may send here, the
 * send buffer while a link does not take more.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <linux/sockios.h>

#include "linkhelp.h"
#include "sock.h"

#define LONG_HOP "a-name-of-thirty-three-characters"
#define PIECE 20000

static struct nlh node;
static struct lh_link out;
static uint8_t frame[LH_FRAME_ROOM];

/* The peer sends one byte to @name, with @hops long hops as return route. */
static void peer_send(const char *name, unsigned int hops)
{
	struct lh_message m = {
		.onward = { name }, .n_onward = 1, .n_ret = hops,
		.payload = (const uint8_t *)"x", .len = 1,
	};

	for (unsigned int i = 0; i < hops; i++)
		m.ret[i] = LONG_HOP;
	lh_write(out.raw, frame, lh_encode(&m, frame));
}

/* Wait for a message, then receive it. */
static long receive(int fd, struct received *r, size_t control)
{
	struct pollfd p = { fd, POLLIN, 0 };

	poll(&p, 1, 5000);
	return sock_recvmsg(fd, r, control, 0);
}

/* Packed: the link and @hops long hops. */
static size_t long_route(__u8 *p, unsigned int hops)
{
	__u8 *start = p;

	memcpy(p, "\0\1l", 3);
	for (p += 3; hops; hops--, p += 35) {
		p[0] = 0;
		p[1] = 33;
		memcpy(p + 2, LONG_HOP, 33);
	}
	return p - start;
}

static void test_reach(void)
{
	int fd = sock_named("reach");
	long long denied = nlh_counter(&node, "drop_denied");
	struct received r;

	peer_send("reach", 1);
	ok(lh_wait_counter(&node, "drop_denied", denied + 1, 5000) &&
	   sock_recvmsg(fd, &r, 0, 0) == -EAGAIN,
	   "a link does not reach a socket that has not asked for it");
	sock_set(fd, OCKAM_REACH, OCKAM_REACH_ALL);
	peer_send("reach", 1);
	ok(receive(fd, &r, 0) == 1, "it does when the socket says so");
	close(fd);
}

/* The classic loop: receive, send back to the same address. */
static void test_answer(void)
{
	struct name want = NAME("l", LONG_HOP), from;
	struct lh_message m;
	struct received r;
	int fd = sock_new();
	long n;

	sock_set(fd, OCKAM_REACH, OCKAM_REACH_ALL);
	sock_bind(fd, NAME("answer"));
	peer_send("answer", 1);
	n = receive(fd, &r, 0);
	from.sa = r.name;
	from.len = r.m.msg_namelen;
	ok(n == 1 && name_equal(&from, &want), "return route as address");
	ok(!sock_send(fd, from, "answer", 6) && lh_read_frame(out.raw, &m) &&
	   m.n_onward == 1 && !strcmp(m.onward[0], LONG_HOP) && m.n_ret == 1 &&
	   !strcmp(m.ret[0], "answer") && m.len == 6 &&
	   !memcmp(m.payload, "answer", 6), "and back to the peer");
	close(fd);
}

static void send_route(int fd, const __u8 *route, size_t len)
{
	char control[CMSG_SPACE(2048)] ALIGNED = { 0 };
	struct iovec iov = { "long", 4 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_OCKAM;
	c->cmsg_type = OCKAM_CMSG_ROUTE;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), route, len);
	ok(sendmsg(fd, &m, MSG_DONTWAIT) == 4, "send along a long route");
}

static void test_long_routes(void)
{
	struct sockaddr_ockam untouched;
	long long limit;
	struct lh_message m;
	struct received r;
	struct cmsghdr *c;
	__u8 route[2048];
	int fd = sock_new();
	size_t len;
	long n;

	sock_set(fd, OCKAM_REACH, OCKAM_REACH_ALL);
	sock_bind(fd, NAME("long"));
	memset(&untouched, 0xaa, sizeof(untouched));

	/* 3 + 3 * 35 bytes fit into an address, 3 + 4 * 35 do not. */
	peer_send("long", 3);
	n = receive(fd, &r, sizeof(r.control));
	len = long_route(route, 3);
	ok(n == 1 && r.m.msg_namelen == NAME_HDR + len &&
	   !memcmp(r.name.sockam_route, route, len) &&
	   !(r.m.msg_flags & MSG_CTRUNC), "%zu bytes fit", len);
	peer_send("long", 4);
	n = receive(fd, &r, sizeof(r.control));
	len = long_route(route, 4);
	ok(n == 1 && !r.m.msg_namelen && r.m.msg_flags & MSG_CTRUNC &&
	   !memcmp(&r.name, &untouched, sizeof(untouched)),
	   "%zu bytes do not: no address, MSG_CTRUNC", len);
	peer_send("long", 4);
	ok(recv(fd, route, 1, 0) == 1, "who asks for no address misses none");

	sock_set(fd, OCKAM_RECVROUTE, 1);
	peer_send("long", 4);
	n = receive(fd, &r, sizeof(r.control));
	len = long_route(route, 4);
	c = sock_find_cmsg(&r, SOL_OCKAM, OCKAM_CMSG_ROUTE);
	ok(n == 1 && !r.m.msg_namelen && !(r.m.msg_flags & MSG_CTRUNC) && c &&
	   c->cmsg_len == CMSG_LEN(len) && !memcmp(CMSG_DATA(c), route, len),
	   "OCKAM_RECVROUTE: the whole route");
	send_route(fd, route, len);
	ok(lh_read_frame(out.raw, &m) && m.n_onward == 4 && m.n_ret == 1 &&
	   !strcmp(m.onward[3], LONG_HOP), "it arrives with all hops");
	peer_send("long", 4);
	n = receive(fd, &r, CMSG_LEN(len - 1));
	ok(n == 1 && r.m.msg_flags & MSG_CTRUNC && !r.m.msg_controllen,
	   "one byte too little for it: MSG_CTRUNC and nothing cut");

	peer_send("long", 31);
	n = receive(fd, &r, sizeof(r.control));
	c = sock_find_cmsg(&r, SOL_OCKAM, OCKAM_CMSG_ROUTE);
	ok(n == 1 && c && c->cmsg_len == CMSG_LEN(3 + 31 * 35),
	   "31 hops and the link");
	limit = nlh_counter(&node, "drop_route_limit");
	peer_send("long", 32);
	ok(lh_wait_counter(&node, "drop_route_limit", limit + 1, 5000) &&
	   sock_recvmsg(fd, &r, 0, 0) == -EAGAIN,
	   "32 hops and the link: dropped and counted");
	close(fd);
}

static void test_connected(void)
{
	long long drops = nlh_counter(&node, "drop_socket_peer");
	int fd = sock_new();
	struct received r;

	sock_set(fd, OCKAM_REACH, OCKAM_REACH_ALL);
	sock_bind(fd, NAME("con"));
	sock_connect(fd, NAME("l", LONG_HOP));
	peer_send("con", 2);
	ok(lh_wait_counter(&node, "drop_socket_peer", drops + 1, 5000),
	   "connected: a longer route is another peer");
	peer_send("con", 1);
	ok(receive(fd, &r, 0) == 1, "the same route is the peer");
	close(fd);
}

/* --- the send buffer --- */

static char piece[PIECE];

static int sender_new(void)
{
	int fd = sock_new();

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 50000 }, sizeof(int));
	sock_connect(fd, NAME("l", "sink"));
	return fd;
}

/* The peer takes @n messages. */
static bool drain(int n)
{
	struct lh_message m;
	int i;

	for (i = 0; i < n; i++) {
		if (!lh_read_frame(out.raw, &m) || m.len != PIECE)
			return false;
	}
	return true;
}

static void *send_one(void *arg)
{
	long n = send(*(int *)arg, piece, sizeof(piece), 0);

	return (void *)(long)(n == PIECE ? 0 : n < 0 ? errno : EIO);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_send_buffer(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct timeval tv = { 0, 100000 };
	int fd = sender_new(), queued, n;
	struct pollfd p = { fd, POLLOUT, 0 };
	long long start;
	pthread_t thread;
	void *ret;

	n = lh_fill(&out, fd, piece, PIECE);
	ok(n > 2, "%d messages, then EAGAIN", n);
	ok(!ioctl(fd, SIOCOUTQ, &queued) && queued >= 50000,
	   "SIOCOUTQ: %d bytes have not left", queued);
	ok(poll(&p, 1, 0) == 0, "poll: not writable");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	start = nlh_now();
	ok(failed(send(fd, "x", 1, 0)) == EAGAIN && nlh_now() - start >= 90,
	   "SO_SNDTIMEO");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ 0 },
		   sizeof(tv));
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = tv }, NULL);
	ok(failed(send(fd, "x", 1, 0)) == EINTR, "a signal: EINTR");
	pthread_create(&thread, NULL, send_one, &fd);
	ok(threads_wait_asleep(1), "another sender waits");
	ok(drain(n + 1), "the peer reads: all arrive, a waiting one too");
	pthread_join(thread, &ret);
	ok(!ret, "its sender was woken");
	ok(poll(&p, 1, 5000) == 1, "poll: writable");
	ok(lh_silent(&out) && !ioctl(fd, SIOCOUTQ, &queued) && !queued,
	   "SIOCOUTQ: everything has left, nothing was doubled");

	n = lh_fill(&out, fd, piece, PIECE);
	pthread_create(&thread, NULL, send_one, &fd);
	ok(threads_wait_asleep(1), "a sender waits");
	shutdown(fd, SHUT_WR);
	pthread_join(thread, &ret);
	ok(ret == (void *)EPIPE, "shutdown wakes a waiting sender: EPIPE");
	ok(drain(n), "what was sent before arrives");
	close(fd);
}

/* A socket may go before its messages have. */
static void test_close_early(void)
{
	int fd, n;

	ok(sockets_wait(0), "no socket");
	fd = sender_new();
	n = lh_fill(&out, fd, piece, PIECE);
	close(fd);
	ok(sockets_alive() == 1, "closed, but still sending");
	ok(n > 2 && drain(n), "all %d messages arrive", n);
	ok(sockets_wait(0), "then it is gone");
}

/* The link dies under a waiting sender. */
static void test_link_dies(void)
{
	int fd = sender_new(), n = lh_fill(&out, fd, piece, PIECE), queued;
	pthread_t thread;
	void *ret;

	pthread_create(&thread, NULL, send_one, &fd);
	ok(threads_wait_asleep(1), "a sender waits");
	nlh_link_del(&node, "l");
	nlh_link_wait_gone(&node, "l", 5000);
	pthread_join(thread, &ret);
	ok(n > 2 && ret == (void *)ECONNRESET,
	   "a waiting sender learns that the link is gone (%ld)", (long)ret);
	for (n = 0; n < 500 && !ioctl(fd, SIOCOUTQ, &queued) && queued; n++)
		usleep(10000);
	ok(!queued, "nothing is charged for what was lost");
	ok(failed(send(fd, "x", 1, 0)) == EHOSTUNREACH, "EHOSTUNREACH later");
	close(fd);
	lh_close(&out);
}

/* The largest payload fits into no frame: its header needs room as well. */
static void test_frame_limit(void)
{
	static char large[1 << 20];
	struct lh_message m;
	int fd = sender_new();

	ok(failed(send(fd, large, sizeof(large), 0)) == EMSGSIZE,
	   "a payload of a frame's size is too large for a frame");
	/* 83, 81 82 00 44 sink, 81 82 00 58 20 (32 digits), 5a (4 bytes). */
	ok(send(fd, large, sizeof(large) - 51, MSG_DONTWAIT) ==
	   sizeof(large) - 51 && lh_read_frame(out.raw, &m) &&
	   m.len == sizeof(large) - 51, "51 bytes less fill one to the brim");
	ok(failed(send(fd, large, sizeof(large) - 50, 0)) == EMSGSIZE,
	   "one byte more does not fit");
	close(fd);
}

int main(void)
{
	struct nlh_link_options o = { .name = "l" };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (nlh_open_new(&node) || nlh_own(&node)) {
		printf("Bail out! no node: %s\n", node.why);
		return 1;
	}
	/* The link's socket is of the outside, ours are of the node. */
	lh_open(&out, &node, LH_UNIX, &o);
	if (nlh_enter(&node) < 0) {
		printf("Bail out! cannot enter the node's namespace\n");
		return 1;
	}
	test_reach();
	test_answer();
	test_long_routes();
	test_connected();
	test_frame_limit();
	test_send_buffer();
	test_close_early();
	test_link_dies();
	nlh_end(&node);
	nlh_close(&node);
	ok(sockets_wait(0), "no socket is left");
	return tap_done();
}
