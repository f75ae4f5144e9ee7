// SPDX-License-Identifier: Apache-2.0
/*
 * Links under load: full queues, pauses, stalls, two nodes and a ring of three
 * that block each other, death in the middle of traffic.
 *
 * where: uml
 * long: vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "linkhelp.h"

#define SOON 5000
#define PAYLOAD 1000

static struct nlh node;
static uint8_t data[1 << 16];

/* One frame with number @n to [@first, @second, @third]. */
static size_t numbered(uint8_t *out, const char *first, const char *second,
		       const char *third, uint32_t n, size_t len)
{
	struct lh_message m = { .ret = { "r" }, .n_ret = 1, .len = len };

	memcpy(data, &n, sizeof(n));
	m.payload = data;
	m.onward[m.n_onward++] = first;
	if (second)
		m.onward[m.n_onward++] = second;
	if (third)
		m.onward[m.n_onward++] = third;
	return lh_encode(&m, out);
}

/* A child that writes @n numbered frames and ends; 0 when all were taken. */
static pid_t write_in_child(int fd, const char *first, const char *second,
			    uint32_t n, size_t len)
{
	static uint8_t out[1 << 17];
	pid_t pid = fork();

	if (pid)
		return pid;
	for (uint32_t i = 0; i < n; i++) {
		size_t size = numbered(out, first, second, "x", i, len);

		if (!lh_write(fd, out, size))
			_exit(1);
	}
	_exit(0);
}

static int wait_child(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static bool read_numbered(int fd, uint32_t n)
{
	struct lh_message m;

	for (uint32_t i = 0; i < n; i++) {
		if (!lh_read_frame(fd, &m) || m.len < 4 ||
		    memcmp(m.payload, &i, 4)) {
			printf("# stopped at %u of %u\n", i, n);
			return false;
		}
	}
	return true;
}

/* Write frames until the kernel takes none for @ms. Returns how many. */
static uint32_t fill(int fd, const char *first, const char *second, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	static uint8_t out[1 << 17];
	uint32_t n = 0;

	while (n < 20000 && poll(&p, 1, ms) > 0 && !(p.revents & POLLERR)) {
		if (!lh_write(fd, out, numbered(out, first, second, "x", n,
						PAYLOAD)))
			break;
		n++;
	}
	return n;
}

static bool wait_paused(const char *name, bool paused)
{
	struct nlh_link link;

	for (int i = 0; i < SOON / 5; i++) {
		if (nlh_link_get(&node, name, &link))
			return false;
		if (!!(link.flags & OCKAM_FLAG_PAUSED) == paused)
			return true;
		usleep(5000);
	}
	return false;
}

static void open_pair(struct lh_link *a, struct lh_link *b,
		      enum lh_family family, uint32_t stall_ms)
{
	struct nlh_link_options oa = { .name = "a", .stall_ms = stall_ms };
	struct nlh_link_options ob = {
		.name = "b", .pair = "a", .stall_ms = stall_ms
	};

	lh_open(a, &node, family, &oa);
	lh_open(b, &node, family, &ob);
}

static void test_pause(enum lh_family family)
{
	const char *name = lh_family_names[family];
	long long pauses = nlh_counter(&node, "link_pauses");
	struct nlh_link link;
	struct lh_link a, b;
	uint32_t n = 12000;
	pid_t pid;

	open_pair(&a, &b, family, 0);
	pid = write_in_child(a.raw, "b", NULL, n, PAYLOAD);
	ok(wait_paused("a", true), "%s: reading pauses when nobody takes it",
	   name);
	/* The socket's own buffers may still be growing. */
	for (int i = 0; i < SOON / 5; i++) {
		nlh_link_get(&node, "b", &link);
		if (link.queued_bytes)
			break;
		usleep(5000);
	}
	ok(link.queued_bytes > 0 && link.queued_bytes < 512 << 10,
	   "%s: the queue keeps its limit: %llu bytes", name,
	   (unsigned long long)link.queued_bytes);
	ok(read_numbered(b.raw, n) && !wait_child(pid),
	   "%s: nothing is lost, the order is kept", name);
	ok(wait_paused("a", false) &&
	   nlh_counter(&node, "link_pauses") > pauses,
	   "%s: reading goes on, pauses are counted", name);
	lh_close(&a);
	lh_close(&b);
}

static void test_stall(enum lh_family family)
{
	const char *name = lh_family_names[family];
	long long stalls = nlh_counter(&node, "links_failed_stall");
	struct lh_link a, b, c;
	struct lh_message m;
	long long start;
	uint8_t out[64];

	open_pair(&a, &b, family, 700);
	start = nlh_now();
	fill(a.raw, "b", NULL, 200);
	ok(lh_wait_counter(&node, "links_failed_stall", stalls + 1, SOON) &&
	   !nlh_link_wait_gone(&node, "b", SOON),
	   "%s: a link that takes nothing fails", name);
	ok(nlh_now() - start >= 700, "%s: not before its time", name);
	ok(!nlh_link_get(&node, "a", NULL) && wait_paused("a", false),
	   "%s: who waited for it goes on", name);
	lh_open(&c, &node, family, &(struct nlh_link_options){
		.name = "c", .pair = "a" });
	/* What was on its way to b must pass before. */
	lh_write(a.raw, out, lh_frame(out, "c", NULL, "new", 3));
	ok(lh_read_frame(c.raw, &m) && m.len == 3,
	   "%s: and sends elsewhere", name);
	lh_close(&a);
	lh_close(&b);
	lh_close(&c);
}

static void test_end_while_paused(void)
{
	struct linger hard = { .l_onoff = 1 };
	struct lh_link a, b;
	uint32_t n;

	open_pair(&a, &b, LH_TCP4, 20000);
	fill(a.raw, "b", NULL, 200);
	ok(wait_paused("a", true), "paused");
	setsockopt(a.raw, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(a.raw);
	a.raw = -1;
	ok(!nlh_link_wait_gone(&node, "a", 1000),
	   "a reset is noticed while paused");
	lh_close(&a);
	lh_close(&b);

	open_pair(&a, &b, LH_TCP4, 20000);
	n = fill(a.raw, "b", NULL, 200);
	ok(wait_paused("a", true), "paused");
	shutdown(a.raw, SHUT_WR);
	usleep(100000);
	ok(!nlh_link_get(&node, "a", NULL),
	   "the end of the stream waits behind what was sent");
	ok(read_numbered(b.raw, n) && !nlh_link_wait_gone(&node, "a", SOON),
	   "which all arrives, then the link ends");
	lh_close(&a);
	lh_close(&b);
}

static void test_memory(void)
{
	struct lh_link a, b;
	uint32_t n = 3000;
	pid_t pid;

	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, 128 << 10);
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 4 << 20);
	open_pair(&a, &b, LH_UNIX, 0);
	pid = write_in_child(a.raw, "b", NULL, n, PAYLOAD);
	ok(wait_paused("a", true), "the memory of the node pauses reading");
	ok(read_numbered(b.raw, n) && !wait_child(pid),
	   "and loses nothing");
	lh_close(&a);
	lh_close(&b);
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 128 << 10);
	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, 256 << 20);
}

/* A change of the limit is for links that are there, too. */
static void test_queue_limit(void)
{
	struct nlh_link link;
	struct lh_link a, b;
	uint32_t n, more;
	pid_t pid;

	open_pair(&a, &b, LH_UNIX, 0);
	n = fill(a.raw, "b", NULL, 200);
	ok(wait_paused("a", true), "paused by a full queue");
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 1 << 20);
	ok(wait_paused("a", false), "a higher limit makes room at once");
	more = fill(a.raw, "b", NULL, 200);
	nlh_link_get(&node, "b", &link);
	ok(more > 100 && wait_paused("a", true) && link.queued_bytes > 128 << 10,
	   "and is used: %llu bytes", (unsigned long long)link.queued_bytes);
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 16 << 10);
	pid = fork();
	if (!pid)
		_exit(!read_numbered(b.raw, n) || !read_numbered(b.raw, more));
	ok(!wait_child(pid) && wait_paused("a", false),
	   "a lower one: all arrives");
	pid = write_in_child(a.raw, "b", NULL, 2000, PAYLOAD);
	ok(wait_paused("a", true), "and less is taken in");
	nlh_link_get(&node, "b", &link);
	ok(link.queued_bytes < 64 << 10, "%llu bytes",
	   (unsigned long long)link.queued_bytes);
	ok(read_numbered(b.raw, 2000) && !wait_child(pid), "without loss");
	lh_close(&a);
	lh_close(&b);
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 128 << 10);
}

/* Sockets of the node send on a link and hear from it. */
static void test_socket(void)
{
	struct nlh_link_options open = { .name = "s" };
	struct sockaddr_ockam to = {
		.sockam_family = AF_OCKAM,
		.sockam_hops = 2,
		.sockam_route = { 0, 1, 's', 0, 1, 'x' },
	};
	socklen_t len = offsetof(struct sockaddr_ockam, sockam_route) + 6;
	struct pollfd p = { .events = POLLOUT };
	uint32_t sent = 0, got = 0;
	struct lh_message m;
	struct lh_link s;
	bool good = true;
	int back, fd;

	back = nlh_enter(&node);
	fd = socket(AF_OCKAM, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	nlh_leave(back);
	if (fd < 0) {
		ok(false, "a socket of the family: %s", strerror(errno));
		return;
	}
	p.fd = fd;
	lh_open(&s, &node, LH_TCP4, &open);
	while (sent < 50000) {
		memcpy(data, &sent, sizeof(sent));
		if (sendto(fd, data, PAYLOAD, 0, (struct sockaddr *)&to,
			   len) != PAYLOAD)
			break;
		sent++;
	}
	ok(sent > 10 && sent < 50000 && errno == EAGAIN,
	   "a socket that sends too much on a link waits: %u", sent);
	while (good && got < sent) {
		good = lh_read_frame(s.raw, &m) && m.len == PAYLOAD &&
		       !memcmp(m.payload, &got, 4) && m.n_onward == 1;
		got++;
	}
	ok(good, "what it sent arrives, in order");
	ok(poll(&p, 1, SOON) == 1, "and it can send again");
	good = true;
	for (got = 0; good && got < 1000; got++)
		good = sendto(fd, &got, sizeof(got), 0, (struct sockaddr *)&to,
			      len) == 4 && lh_read_frame(s.raw, &m);
	ok(good, "one by one");
	fill(s.raw, "nobody", NULL, 100);
	lh_close(&s);
	ok(sendto(fd, &got, sizeof(got), 0, (struct sockaddr *)&to, len) < 0 &&
	   errno == EHOSTUNREACH, "a link that is gone is unreachable");
	close(fd);
}

/* ---- two nodes ---- */

struct two {
	struct nlh node[2];
	struct lh_link edge[2];	/* raw peers p and q */
	char inner[2][16];
};

static int connect_nodes(struct nlh *x, const struct nlh_link_options *ox,
			 struct nlh *y, const struct nlh_link_options *oy)
{
	/* Two packets of loopback: with room for one TCP waits for its timers. */
	int size = 160 << 10;
	int fd[2];
	int err;

	err = lh_connect(LH_TCP4, fd);
	for (int i = 0; i < 2 && !err; i++) {
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	if (!err)
		err = nlh_link_new(x, fd[0], ox, NULL);
	if (!err)
		err = nlh_link_new(y, fd[1], oy, NULL);
	close(fd[0]);
	close(fd[1]);
	return err;
}

static void open_node(struct nlh *n)
{
	if (nlh_open_new(n) || nlh_own(n)) {
		printf("Bail out! no node: %s\n", n->why);
		exit(1);
	}
	nlh_set_limit(n, OCKAM_LIMIT_LINK_QUEUE_BYTES, 128 << 10);
}

static void open_two(struct two *t, uint32_t stall_ms)
{
	struct nlh_link_options inner = { .name = "i", .stall_ms = stall_ms };
	struct nlh_link_options edge = {
		.name = "e", .pair = "i", .stall_ms = stall_ms
	};

	open_node(&t->node[0]);
	open_node(&t->node[1]);
	if (connect_nodes(&t->node[0], &inner, &t->node[1], &inner)) {
		printf("Bail out! nodes cannot be connected\n");
		exit(1);
	}
	lh_open(&t->edge[0], &t->node[0], LH_TCP4, &edge);
	lh_open(&t->edge[1], &t->node[1], LH_TCP4, &edge);
}

static void close_two(struct two *t)
{
	for (int i = 0; i < 2; i++) {
		lh_close(&t->edge[i]);
		nlh_close(&t->node[i]);
	}
}

static void test_two_nodes(void)
{
	struct lh_message m;
	uint32_t n[2];
	struct two t;
	uint8_t out[128];
	pid_t reader;
	bool good;

	open_two(&t, 0);
	n[0] = fill(t.edge[0].raw, "i", "e", 300);
	n[1] = fill(t.edge[1].raw, "i", "e", 300);
	printf("# %u and %u messages on the way\n", n[0], n[1]);
	ok(n[0] > 200 && n[1] > 200, "two nodes with all queues full both ways");
	reader = fork();
	if (!reader)
		_exit(!read_numbered(t.edge[0].raw, n[1]));
	good = read_numbered(t.edge[1].raw, n[0]);
	ok(!wait_child(reader) && good,
	   "recover when both ends read, without loss");
	close_two(&t);

	open_two(&t, 1500);
	fill(t.edge[0].raw, "i", "e", 100);
	fill(t.edge[1].raw, "i", "e", 100);
	ok(lh_wait_counter(&t.node[0], "links_failed_stall", 1, SOON) ||
	   lh_wait_counter(&t.node[1], "links_failed_stall", 1, SOON),
	   "when neither reads, links fail instead of waiting for ever");
	lh_close(&t.edge[0]);
	lh_close(&t.edge[1]);
	for (int i = 0; i < 2; i++) {
		nlh_link_wait_gone(&t.node[i], "e", SOON);
		nlh_link_del(&t.node[i], "i");
		nlh_link_wait_gone(&t.node[i], "i", SOON);
	}
	connect_nodes(&t.node[0], &(struct nlh_link_options){ .name = "i" },
		      &t.node[1], &(struct nlh_link_options){ .name = "i" });
	for (int i = 0; i < 2; i++)
		lh_open(&t.edge[i], &t.node[i], LH_TCP4,
			&(struct nlh_link_options){ .name = "e", .pair = "i" });
	lh_write(t.edge[0].raw, out, numbered(out, "i", "e", NULL, 7, 4));
	ok(lh_read_frame(t.edge[1].raw, &m), "new links between them work");
	close_two(&t);
}

/* ---- a ring of three ---- */

static int connect_ring(struct nlh *n, uint32_t stall_ms)
{
	struct nlh_link_options out = {
		.name = "out", .has_reach = true, .reach = OCKAM_REACH_ALL,
		.stall_ms = stall_ms
	};
	struct nlh_link_options in = out;
	int err = 0;

	in.name = "in";
	for (int i = 0; i < 3 && !err; i++)
		err = connect_nodes(&n[i], &out, &n[(i + 1) % 3], &in);
	return err;
}

static size_t around(uint8_t *out, unsigned int hops, const char *last)
{
	struct lh_message m = { .payload = data, .len = PAYLOAD };

	for (unsigned int i = 0; i < hops; i++)
		m.onward[m.n_onward++] = "out";
	m.onward[m.n_onward++] = last;
	return lh_encode(&m, out);
}

static void test_ring(void)
{
	struct lh_link inject[3];
	static uint8_t out[4096];
	struct lh_message m;
	bool good = true;
	struct nlh n[3];
	int full = 0;
	size_t len;

	for (int i = 0; i < 3; i++)
		open_node(&n[i]);
	ok(!connect_ring(n, 700), "a ring of three nodes");
	for (int i = 0; i < 3; i++)
		lh_open(&inject[i], &n[i], LH_UNIX, &(struct nlh_link_options){
			.name = "j", .has_reach = true,
			.reach = OCKAM_REACH_ALL });
	len = around(out, 3, "j");
	lh_write(inject[0].raw, out, len);
	ok(lh_read_frame(inject[0].raw, &m) && m.n_ret == 4,
	   "a message goes around it once");

	/* Twenty-four times around each, from everywhere, until nothing moves. */
	len = around(out, 24, "nobody");
	for (int round = 0; round < 100 && full < 3; round++) {
		struct pollfd p = {
			.fd = inject[round % 3].raw, .events = POLLOUT
		};

		full++;
		while (poll(&p, 1, 50) == 1 && lh_write(p.fd, out, len))
			full = 0;
	}
	ok(full == 3, "can be filled until nothing moves");
	good = false;
	for (int t = 0; t < SOON / 10 && !good; t++) {
		for (int i = 0; i < 3; i++)
			good = good ||
			       nlh_counter(&n[i], "links_failed_stall") > 0;
		usleep(10000);
	}
	ok(good, "then a link fails instead of all waiting for ever");
	for (int i = 0; i < 3; i++)
		lh_close(&inject[i]);
	for (int i = 0; i < 3; i++) {
		nlh_link_del(&n[i], "in");
		nlh_link_del(&n[i], "out");
	}
	for (int i = 0; i < 3; i++) {
		nlh_link_wait_gone(&n[i], "in", SOON);
		nlh_link_wait_gone(&n[i], "out", SOON);
	}
	good = !connect_ring(n, 0);
	lh_open(&inject[0], &n[0], LH_UNIX, &(struct nlh_link_options){
		.name = "j", .has_reach = true, .reach = OCKAM_REACH_ALL });
	len = around(out, 24, "j");
	lh_write(inject[0].raw, out, len);
	ok(good && lh_read_frame(inject[0].raw, &m),
	   "a ring made anew works, eight times around");
	lh_close(&inject[0]);
	for (int i = 0; i < 3; i++)
		nlh_close(&n[i]);
}

/* ---- death in the middle of traffic ---- */

static void test_kill(void)
{
	struct lh_link a, b;
	bool good = true;
	pid_t pid[2];

	for (int i = 0; i < 60 && good; i++) {
		open_pair(&a, &b, i % 2 ? LH_TCP4 : LH_UNIX, 0);
		pid[0] = write_in_child(a.raw, "b", NULL, 100000, PAYLOAD);
		pid[1] = write_in_child(b.raw, "a", NULL, 100000, PAYLOAD);
		usleep(1000 * (i % 10));
		switch (i % 6) {
		case 0:
			nlh_link_del(&node, "a");
			nlh_link_del(&node, "b");
			break;
		case 1:
			nlh_link_del(&node, "b");
			shutdown(a.raw, SHUT_RDWR);
			break;
		case 2:
			shutdown(a.raw, SHUT_RDWR);
			shutdown(b.raw, SHUT_RDWR);
			break;
		case 3:
			shutdown(a.fd, SHUT_RDWR);
			shutdown(b.fd, SHUT_RDWR);
			break;
		case 4:
			nlh_link_unpair(&node, "a", "b");
			nlh_link_del(&node, "a");
			shutdown(b.fd, SHUT_RD);
			shutdown(b.raw, SHUT_WR);
			break;
		case 5:
			send(a.raw, "garbage garbage", 15, MSG_DONTWAIT);
			send(b.fd, "garbage garbage", 15, MSG_DONTWAIT);
			nlh_link_del(&node, "a");
			nlh_link_del(&node, "b");
			break;
		}
		kill(pid[0], SIGKILL);
		kill(pid[1], SIGKILL);
		wait_child(pid[0]);
		wait_child(pid[1]);
		lh_close(&a);
		lh_close(&b);
		good = nlh_link_get(&node, "a", NULL) == -ENOENT &&
		       nlh_link_get(&node, "b", NULL) == -ENOENT;
	}
	ok(good, "links die in six ways under traffic from both sides");
}

static void test_node_ends(void)
{
	bool good = true;
	struct two t;
	pid_t pid[2];

	for (int i = 0; i < 24 && good; i++) {
		open_two(&t, 0);
		pid[0] = write_in_child(t.edge[0].raw, "i", "e", 100000,
					PAYLOAD);
		pid[1] = write_in_child(t.edge[1].raw, "i", "e", 100000,
					PAYLOAD);
		usleep(1000 * (i % 7));
		kill(pid[0], SIGKILL);
		wait_child(pid[0]);
		/* The owner's end, a command, both at once. */
		if (i % 3 == 0)
			nlh_close(&t.node[0]);
		else if (nlh_end(&t.node[0]))
			good = false;
		if (!good)
			printf("# NODE_DEL: %s\n", t.node[0].why);
		if (i % 3 == 1)
			nlh_close(&t.node[1]);
		kill(pid[1], SIGKILL);
		wait_child(pid[1]);
		if (i % 3)
			nlh_close(&t.node[0]);
		if (i % 3 != 1)
			nlh_close(&t.node[1]);
		for (int k = 0; k < 2; k++) {
			if (!lh_wait_end(t.edge[k].raw, SOON)) {
				printf("# round %d, node %d goes on\n", i, k);
				good = false;
			}
			close(t.edge[k].raw);
			close(t.edge[k].fd);
		}
	}
	ok(good, "nodes and their namespaces end under traffic");
}

/* Several tasks make, change and end the same few links. */
static void race(unsigned int seed)
{
	static const char *const names[] = { "p", "q", "s", "t" };
	long long end = nlh_now() + 2000;
	struct nlh own;

	if (nlh_open_in(&own, &node))
		_exit(1);
	while (nlh_now() < end) {
		const char *x = names[rand_r(&seed) % 4];
		const char *y = names[rand_r(&seed) % 4];
		struct nlh_link_options o = { .name = x };
		int fd[2];

		switch (rand_r(&seed) % 6) {
		case 0:
		case 1:
			if (lh_connect(rand_r(&seed) % 2, fd))
				_exit(1);
			o.pair = rand_r(&seed) % 2 ? y : NULL;
			nlh_link_new(&own, fd[0], &o, NULL);
			lh_write(fd[1], "\1\0\0\0\4\203\200\200\100", 9);
			close(fd[0]);
			close(fd[1]);
			break;
		case 2:
			nlh_link_del(&own, x);
			break;
		case 3:
			nlh_link_pair(&own, x, y);
			break;
		case 4:
			nlh_link_unpair(&own, x, y);
			break;
		case 5:
			if (nlh_link_count(&own) < 0)
				_exit(1);
			break;
		}
	}
	_exit(0);
}

static void test_race(void)
{
	bool good = true;
	pid_t pid[4];

	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i])
			race(i + 1);
	}
	for (int i = 0; i < 4; i++)
		good = !wait_child(pid[i]) && good;
	for (int i = 0; i < 200 && nlh_link_count(&node); i++)
		usleep(20000);
	ok(good && !nlh_link_count(&node),
	   "four tasks make, pair, list and end links at once");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	open_node(&node);
	for (enum lh_family f = LH_UNIX; f <= LH_TCP6; f++) {
		test_pause(f);
		test_stall(f);
	}
	test_end_while_paused();
	test_memory();
	test_queue_limit();
	test_socket();
	test_two_nodes();
	test_ring();
	test_kill();
	test_node_ends();
	test_race();
	nlh_close(&node);
	return tap_done();
}
