// SPDX-License-Identifier: Apache-2.0
/*
 * Programs that send more than is taken from them: they wait, and are told when
 * they may go on; what one user has under way takes no room from others, nor from
 * the links, and never from what goes to another socket of the node.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <linux/sockios.h>

#include "linkhelp.h"
#include "sock.h"

#define PIECE	20000
#define QUEUE	100000		/* of the link, in the first tests */
#define MEMORY	(4 << 20)	/* of the node, in the last ones */
#define SHARE	(MEMORY / 8)	/* of it, a user's */
#define SENDERS	40
#define USERS	6
#define SOON_MS	10000

static struct nlh node;
static struct lh_link slow;
static char piece[PIECE];

/* A socket whose own buffer is no bound. */
static int sender_new(void)
{
	int fd = sock_new();

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 8 << 20 }, sizeof(int));
	sock_connect(fd, NAME("slow", "sink"));
	return fd;
}

static int send_piece(int fd)
{
	return failed(send(fd, piece, PIECE, MSG_DONTWAIT));
}

static bool writable(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	return poll(&p, 1, 0) == 1;
}

static bool wait_writable(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	return poll(&p, 1, SOON_MS) == 1;
}

static long long under_way(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) ? -1 : n;
}

/* The peer takes @n pieces. */
static bool drain(int n)
{
	struct lh_message m;

	for (int i = 0; i < n; i++) {
		if (!lh_read_frame(slow.raw, &m) || m.len != PIECE)
			return false;
	}
	return true;
}

/* A link with so much of a queue, of the outside, and this thread in the node. */
static int open_slow(unsigned long long queue)
{
	struct nlh_link_options o = { .name = "slow" };

	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, queue);
	lh_open(&slow, &node, LH_UNIX, &o);
	return nlh_enter(&node);
}

static void close_slow(int back)
{
	nlh_leave(back);
	lh_close(&slow);
}

/* ---- the queue of a link ---- */

static int turns(int ep)
{
	struct epoll_event ev;
	int n = 0;

	while (n < 10 && epoll_wait(ep, &ev, 1, 0) == 1)
		n++;
	return n;
}

static int epoll_new(int fd, unsigned int mode)
{
	struct epoll_event ev = { .events = EPOLLOUT | mode };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	return ep;
}

static void test_poll(void)
{
	int back = open_slow(QUEUE), fd = sender_new(), other = sender_new();
	int n = lh_fill(&slow, fd, piece, PIECE), level, edge;
	struct epoll_event ev;
	char buf[4];

	ok(n > 2 && under_way(fd) >= QUEUE && under_way(fd) < 2 * QUEUE,
	   "a sender fills the queue of a link, and no more: %lld bytes", under_way(fd));
	ok(!writable(fd), "poll: not writable");
	level = epoll_new(fd, 0);
	edge = epoll_new(fd, EPOLLET);
	ok(!turns(level) && !turns(edge), "epoll: neither");
	ok(writable(other) && send_piece(other) == EAGAIN && !writable(other),
	   "another one learns it when it sends");
	ok(drain(n), "the peer reads");
	ok(wait_writable(fd) && wait_writable(other), "poll: both are writable");
	ok(epoll_wait(edge, &ev, 1, SOON_MS) == 1 && ev.events == EPOLLOUT && !turns(edge),
	   "epoll, edge triggered: once");
	ok(turns(level) == 10, "epoll, level triggered: as long as it is");
	ok(!send_piece(fd) && !send_piece(other) && drain(2), "and both can send");
	ok(sock_recv(fd, buf, 4, 0, NULL) == -EAGAIN, "nothing else has happened");
	close(level);
	close(edge);
	close(fd);
	close(other);
	close_slow(back);
}

static void *send_one(void *arg)
{
	long n = send(*(int *)arg, piece, PIECE, 0);

	return (void *)(long)(n == PIECE ? 0 : n < 0 ? errno : EIO);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_waiting(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct timeval tv = { 0, 100000 };
	int back = open_slow(QUEUE), fd = sender_new(), other = sender_new();
	int n = lh_fill(&slow, fd, piece, PIECE);
	pthread_t threads[3];
	long long start;
	void *ret, *all;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	start = nlh_now();
	ok(failed(send(fd, piece, PIECE, 0)) == EAGAIN && nlh_now() - start >= 90 && !writable(fd),
	   "SO_SNDTIMEO");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ 0 }, sizeof(tv));
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = tv }, NULL);
	ok(failed(send(fd, piece, PIECE, 0)) == EINTR, "a signal: EINTR");
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, send_one, i ? &other : &fd);
	ok(threads_wait_asleep(3), "senders wait, two of them with one socket");
	ok(drain(n + 3), "the peer reads: all arrive, theirs too");
	all = NULL;
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &ret);
		all = ret ?: all;
	}
	ok(!all, "they were woken");

	n = lh_fill(&slow, fd, piece, PIECE);
	pthread_create(&threads[0], NULL, send_one, &other);
	pthread_create(&threads[1], NULL, send_one, &fd);
	ok(threads_wait_asleep(2), "two wait");
	shutdown(other, SHUT_WR);
	pthread_join(threads[0], &ret);
	ok(ret == (void *)EPIPE && writable(other), "shutdown wakes one: EPIPE");
	nlh_link_del(&node, "slow");
	pthread_join(threads[1], &ret);
	ok(ret == (void *)ECONNRESET, "the end of the link the other one: ECONNRESET");
	ok(wait_writable(fd) && send_piece(fd) == EHOSTUNREACH, "which need not wait any more");
	ok(n > 2, "the queue was full (%d)", n);
	close(fd);
	close(other);
	close_slow(back);
}

/* Closed, or connected elsewhere, while it is to be told. */
static void test_forgotten(void)
{
	int back = open_slow(QUEUE), fd = sender_new(), other = sender_new();
	int n = lh_fill(&slow, fd, piece, PIECE), here = sock_named("here");
	char buf[4];

	ok(send_piece(other) == EAGAIN && !writable(other), "two that cannot send");
	ok(!sock_connect(other, NAME("here")) && writable(other) &&
	   !failed(send(other, "x", 1, MSG_DONTWAIT)) && sock_recv(here, buf, 4, 0, NULL) == 1,
	   "one is connected elsewhere, and sends");
	ok(send_piece(other) == 0 && !sock_connect(other, NAME("slow", "sink")) &&
	   send_piece(other) == EAGAIN, "and back");
	close(other);
	ok(drain(n) && wait_writable(fd), "it is closed: the other one is told");
	close(fd);
	close(here);
	close_slow(back);
}

/* ---- the shares ---- */

/* A socket of user @uid. */
static int sender_of(unsigned int uid)
{
	int fd;

	setfsuid(uid);
	fd = sender_new();
	setfsuid(0);
	return fd;
}

/* Bytes that @n sockets of @uid have under way when none of them can send. */
static long long fill_share(unsigned int uid, int *fd, int n)
{
	long long sum = 0;
	int err = 0;

	for (int i = 0; i < n; i++) {
		fd[i] = sender_of(uid);
		do {
			err = send_piece(fd[i]);
		} while (!err);
		if (err != EAGAIN)
			return -err;
	}
	for (int i = 0; i < n; i++)
		sum += under_way(fd[i]);
	return sum;
}

/* Somebody's message to his own socket, which is in nobody's way. */
static void check_local(unsigned int uid, const char *what)
{
	int a, b, good = 0;
	char buf[4];

	setfsuid(uid);
	a = sock_new();
	b = sock_named("local");
	setfsuid(0);
	for (int i = 0; i < 20; i++)
		good += !sock_send(a, NAME("local"), "x", 1) && sock_recv(b, buf, 4, 0, NULL) == 1;
	ok(good == 20, "%s: %d of 20 messages within the node", what, good);
	close(a);
	close(b);
}

static void check_links(struct lh_link *l)
{
	static uint8_t frame[LH_FRAME_ROOM];
	struct lh_message m = {
		.onward = { "near" }, .n_onward = 1, .n_ret = 1, .ret = { "r" },
		.payload = (const uint8_t *)"x", .len = 1,
	};
	struct pollfd p = { sock_named("near"), POLLIN, 0 };
	struct received r;
	int got = 0;

	sock_set(p.fd, OCKAM_REACH, OCKAM_REACH_ALL);
	for (int i = 0; i < 100; i++)
		lh_write(l->raw, frame, lh_encode(&m, frame));
	while (got < 100 && poll(&p, 1, SOON_MS) > 0 && sock_recvmsg(p.fd, &r, 0, 0) == 1)
		got++;
	ok(got == 100, "the links go on: %d of 100 messages came in", got);
	close(p.fd);
}

static void test_shares(struct lh_link *fast)
{
	int back = open_slow(1 << 30), fd[USERS][SENDERS], filler = sender_of(1000), n = 0;
	long long sum, all = 0, most = 0;
	bool good = true;

	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, MEMORY);
	n = lh_fill(&slow, filler, piece, PIECE);
	/* One with one socket, and one with many. */
	sum = under_way(filler);
	ok(n > 2 && sum > SHARE - 2 * PIECE && sum < SHARE + 2 * PIECE,
	   "a user's share: %lld bytes", sum);
	for (int u = 0; u < USERS; u++) {
		sum = fill_share(1001 + u, fd[u], SENDERS);
		good &= sum >= 0 && !writable(fd[u][0]);
		all += sum;
		if (!u)
			ok(sum > SHARE - 2 * PIECE && sum < SHARE + 2 * PIECE,
			   "no more with %d sockets: %lld bytes", SENDERS, sum);
		most = sum > most ? sum : most;
		if (!u)
			check_local(1001, "who has no room");
	}
	ok(good && most < SHARE + 2 * PIECE, "nor has anybody else more: %lld", most);
	all += under_way(filler);
	ok(all > MEMORY / 2 - 2 * PIECE && all < MEMORY / 2 + 2 * PIECE,
	   "all sockets together have a half: %lld bytes", all);
	check_local(1001, "who has no room");
	check_local(2000, "who has sent nothing");
	check_links(fast);

	/* What is lost counts no more. */
	nlh_link_del(&node, "slow");
	for (int u = 0; u < USERS; u++) {
		for (int i = 0; i < SENDERS; i++)
			good &= wait_writable(fd[u][i]) && close(fd[u][i]) == 0;
	}
	ok(good, "the link ends: everybody is told");
	close(filler);
	close_slow(back);
	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, 256 << 20);
}

/* Senders of one user wait for each other's room. */
static void test_share_waits(void)
{
	int back = open_slow(1 << 30), filler = sender_of(1000), fd = sender_of(1000), n;
	pthread_t thread;
	void *ret;

	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, MEMORY);
	n = lh_fill(&slow, filler, piece, PIECE);
	ok(n > 2 && send_piece(fd) == EAGAIN, "a share is used up");
	pthread_create(&thread, NULL, send_one, &fd);
	ok(threads_wait_asleep(1) && !writable(fd), "another socket of the user waits");
	ok(drain(n + 1), "what was sent is read, and its message too");
	pthread_join(thread, &ret);
	ok(!ret && wait_writable(fd) && wait_writable(filler), "both can send again");
	close(fd);
	close(filler);
	close_slow(back);
	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, 256 << 20);
}

int main(void)
{
	struct nlh_link_options o = { .name = "fast" };
	struct lh_link fast;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (nlh_open_new(&node) || nlh_own(&node)) {
		printf("Bail out! no node: %s\n", node.why);
		return 1;
	}
	lh_open(&fast, &node, LH_UNIX, &o);
	test_poll();
	test_waiting();
	test_forgotten();
	test_shares(&fast);
	test_share_waits();
	lh_close(&fast);
	nlh_end(&node);
	nlh_close(&node);
	ok(sockets_wait(0), "no socket is left");
	return tap_done();
}
