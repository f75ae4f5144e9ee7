// SPDX-License-Identifier: Apache-2.0
/*
 * Links: bytes on the wire, what a peer may do to one, what the user's
 * descriptor may do to one, which sockets are taken.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "linkhelp.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

#define SOON 5000

static struct nlh node, events;
static uint8_t frame[LH_FRAME_ROOM];
static uint8_t data[LH_FRAME_ROOM];

/* Two links that may send to each other: "a" and "b". */
static void open_pair(struct lh_link *a, struct lh_link *b,
		      enum lh_family family)
{
	struct nlh_link_options oa = { .name = "a" };
	struct nlh_link_options ob = { .name = "b", .pair = "a" };

	lh_open(a, &node, family, &oa);
	lh_open(b, &node, family, &ob);
}

static void close_pair(struct lh_link *a, struct lh_link *b)
{
	lh_close(a);
	lh_close(b);
}

/* The link dies with this errno, is counted, and the event has a reason. */
static void check_death(struct lh_link *l, int error, const char *counter,
			long long before, const char *what)
{
	static struct nlh_msg ev;
	const char *reason;
	int32_t got = 1;
	const void *p;
	int err;

	err = nlh_wait_event(&events, OCKAM_EVENT_LINK_DEL, l->name, &ev, SOON);
	p = nlh_attr(&ev, OCKAM_A_ERRNO, NULL);
	reason = nlh_attr(&ev, OCKAM_A_REASON, NULL);
	if (p)
		memcpy(&got, p, sizeof(got));
	else
		got = 0;
	ok(!err && got == error && reason && *reason &&
	   nlh_counter(&node, counter) == before + 1,
	   "%s: the link fails, with errno, reason and counter", what);
	if (err || got != error)
		printf("# wait %d errno %d reason %s\n", err, got,
		       reason ? reason : "none");
	ok(lh_wait_end(l->raw, SOON), "%s: the peer sees the end", what);
	lh_close(l);
}

/* Names come again: forget what happened to their former owners. */
static void forget_events(void)
{
	static struct nlh_msg ev;

	while (!nlh_receive(&events, &ev, 0))
		;
}

static void test_basics(enum lh_family family)
{
	const char *name = lh_family_names[family];
	struct nlh_link ia, ib;
	struct lh_link a, b;
	struct lh_message m;
	int probe[2];
	size_t len;
	bool exact;
	int err;

	err = lh_connect(family, probe);
	if (err) {
		ok(1, "%s # SKIP no connection of this family here: %s", name,
		   strerror(-err));
		return;
	}
	close(probe[0]);
	close(probe[1]);

	open_pair(&a, &b, family);
	len = lh_frame(frame, "b", "x", "hello", 5);
	lh_write(a.raw, frame, len);
	ok(lh_read_frame(b.raw, &m) && m.n_onward == 1 &&
	   !strcmp(m.onward[0], "x") && m.n_ret == 2 &&
	   !strcmp(m.ret[0], "a") && !strcmp(m.ret[1], "r") && m.len == 5 &&
	   !memcmp(m.payload, "hello", 5),
	   "%s: a message goes through, its routes are right", name);
	/*
	 * The bytes may be here before the processor that sent them has counted
	 * them, and what they belong to after that.
	 */
	exact = false;
	for (int i = 0; i < 1000 && !exact; i++) {
		nlh_link_get(&node, "a", &ia);
		nlh_link_get(&node, "b", &ib);
		exact = ia.rx_bytes == 1 + len && ia.rx_messages == 1 &&
			ia.tx_bytes == 1 && ib.tx_bytes == 1 + len &&
			ib.tx_messages == 1 && ib.rx_bytes == 1 &&
			!ib.queued_bytes;
		if (!exact)
			usleep(5000);
	}
	ok(exact, "%s: statistics are exact", name);
	/* Our hop (4 bytes) is gone from the onward route, theirs is in. */
	ok(ib.tx_bytes == 1 + len, "%s: and so are those of the sender", name);
	len = lh_frame(frame, "a", NULL, "", 0);
	lh_write(b.raw, frame, len);
	ok(lh_read_frame(a.raw, &m) && !m.n_onward && !m.len &&
	   m.n_ret == 2, "%s: an empty message, an empty onward route", name);
	close_pair(&a, &b);
}

static void test_bad_bytes(void)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t len;
		int error;
		const char *counter;
	} cases[] = {
		{ "length 0", "\0\0\0\0", 4, -EPROTO, "links_failed_frame" },
		{ "length of 4 GiB", "\377\377\377\377", 4, -EMSGSIZE,
		  "links_failed_too_large" },
		{ "length one above the limit", "\0\20\0\1", 4, -EMSGSIZE,
		  "links_failed_too_large" },
		{ "a body that is no CBOR", "\0\0\0\3\377\377\377", 7, -EPROTO,
		  "links_failed_frame" },
		{ "a truncated body", "\0\0\0\3\203\200\200", 7, -EPROTO,
		  "links_failed_frame" },
		{ "a route that claims 2^64 hops",
		  "\0\0\0\14\203\233\377\377\377\377\377\377\377\377\200\100",
		  16, -EPROTO, "links_failed_frame" },
	};
	struct lh_link a;
	long long before;
	char what[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (enum lh_family f = LH_UNIX; f <= LH_TCP4; f++) {
			snprintf(what, sizeof(what), "%s, %s", cases[i].what,
				 lh_family_names[f]);
			lh_open(&a, &node, f, NULL);
			before = nlh_counter(&node, cases[i].counter);
			lh_write(a.raw, cases[i].bytes, cases[i].len);
			check_death(&a, cases[i].error, cases[i].counter,
				    before, what);
		}
	}
}

static void test_version(void)
{
	struct nlh_link link;
	struct lh_link a;
	long long before;

	for (int i = 0; i < 256; i += 51) {
		uint8_t byte = i;
		int fd[2];

		if (byte == 1)
			continue;
		lh_connect(LH_TCP4, fd);
		nlh_link_new(&node, fd[0], NULL, &link);
		a = (struct lh_link){ .node = &node, .fd = fd[0], .raw = fd[1] };
		snprintf(a.name, sizeof(a.name), "%s", link.name);
		before = nlh_counter(&node, "links_failed_version");
		lh_write(fd[1], &byte, 1);
		check_death(&a, -EPROTONOSUPPORT, "links_failed_version",
			    before, "wrong version byte");
	}
}

static void test_heartbeat_and_routes(void)
{
	long long beats = nlh_counter(&node, "link_heartbeats");
	long long limit = nlh_counter(&node, "drop_route_limit");
	long long unknown = nlh_counter(&node, "drop_no_address");
	struct lh_message big = { .n_onward = 32, .n_ret = 32 };
	struct lh_link a, b;
	struct lh_message m;
	size_t len;

	open_pair(&a, &b, LH_TCP4);
	lh_write(a.raw, "\0\0\0\4\203\200\200\100", 8);
	/* With a tracing context, as the Rust implementation sends it. */
	lh_write(a.raw, "\0\0\0\7\204\200\200\100\142{}", 11);
	len = lh_frame(frame, "nobody", NULL, "x", 1);
	lh_write(a.raw, frame, len);
	for (int i = 0; i < 32; i++) {
		big.onward[i] = i ? "h" : "b";
		big.ret[i] = "h";
	}
	len = lh_encode(&big, frame);
	lh_write(a.raw, frame, len);
	len = lh_frame(frame, "b", NULL, "alive", 5);
	lh_write(a.raw, frame, len);
	ok(lh_read_frame(b.raw, &m) && m.len == 5,
	   "heartbeats, unknown addresses and full routes leave a link alive");
	ok(nlh_counter(&node, "link_heartbeats") == beats + 2,
	   "heartbeats are counted");
	ok(nlh_counter(&node, "drop_no_address") == unknown + 1,
	   "unknown addresses are counted");
	ok(nlh_counter(&node, "drop_route_limit") == limit + 1,
	   "a return route without room for our hop is dropped and counted");
	close_pair(&a, &b);
}

static void show_links(unsigned int at)
{
	struct nlh_link l;

	printf("# stopped at %u\n", at);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "b" : "a";

		if (!nlh_link_get(&node, name, &l))
			printf("# %s: rx %llu bytes %llu messages, tx %llu bytes %llu messages, %llu queued, flags %x\n",
			       name, (unsigned long long)l.rx_bytes,
			       (unsigned long long)l.rx_messages,
			       (unsigned long long)l.tx_bytes,
			       (unsigned long long)l.tx_messages,
			       (unsigned long long)l.queued_bytes, l.flags);
	}
}

/* However the bytes are cut, the same messages come out. */
static void test_cuts(void)
{
	static uint8_t stream[4096];
	size_t len = 0, one;
	struct lh_message m;
	struct lh_link a, b;
	bool good = true;
	char text[32];

	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "message %d", i);
		len += lh_frame(stream + len, "b", "x", text, strlen(text));
	}
	one = len / 3;

	open_pair(&a, &b, LH_TCP4);
	for (size_t i = 0; i < len; i++) {
		lh_write(a.raw, stream + i, 1);
		if (i % 7 == 0)
			usleep(1000);
	}
	for (int i = 0; i < 3; i++)
		good = good && lh_read_frame(b.raw, &m) && m.len == 9 &&
		       m.payload[8] == '0' + i;
	ok(good, "byte by byte");

	for (size_t cut = 1; good && cut < one; cut++) {
		lh_write(a.raw, stream, cut);
		usleep(1500);
		lh_write(a.raw, stream + cut, len - cut);
		for (int i = 0; i < 3; i++)
			good = good && lh_read_frame(b.raw, &m) && m.len == 9 &&
			       m.payload[8] == '0' + i;
	}
	ok(good, "cut at every byte");
	close_pair(&a, &b);

	open_pair(&a, &b, LH_UNIX);
	len = 0;
	for (unsigned int i = 0; i < 20000; i++)
		len += lh_frame(data + len, "b", "x", &i, sizeof(i));
	if (!fork())
		_exit(!lh_write(a.raw, data, len));
	for (unsigned int i = 0; good && i < 20000; i++) {
		good = lh_read_frame(b.raw, &m) && m.len == 4 &&
		       !memcmp(m.payload, &i, 4);
		if (!good)
			show_links(i);
	}
	ok(good, "20000 messages at once arrive, in order");
	close_pair(&a, &b);
}

static void test_sizes(enum lh_family family)
{
	static const size_t sizes[] = {
		1, 23, 24, 255, 256, 4000, 4096, 32700, 32760, 32768, 32769,
		48 << 10, 65535, 65536, 100000, 300000, (1 << 20) - 40
	};
	struct lh_message m;
	struct lh_link a, b;
	bool good = true;
	/* With less TCP itself stands still over a loopback of 64 KiB packets. */
	int receive = family == LH_UNIX ? 1 : 128 << 10;
	int one = 1;
	size_t len;

	open_pair(&a, &b, family);
	/* The kernel's sends are cut into pieces. */
	setsockopt(b.fd, SOL_SOCKET, SO_SNDBUF, &one, sizeof(one));
	setsockopt(a.fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
	for (size_t i = 0; i < LH_FRAME_ROOM; i++)
		data[i] = i * 7 + (i >> 8);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!fork()) {
			len = lh_frame(frame, "b", "x", data, sizes[i]);
			_exit(!lh_write(a.raw, frame, len));
		}
		good = lh_read_frame(b.raw, &m) && m.len == sizes[i] &&
		       !memcmp(m.payload, data, m.len);
		if (!good) {
			printf("# size %zu\n", sizes[i]);
			break;
		}
	}
	ok(good, "%s: messages of many sizes through the smallest buffers",
	   lh_family_names[family]);
	close_pair(&a, &b);
}

static void test_frame_limit(void)
{
	long long dropped = nlh_counter(&node, "drop_too_large");
	struct nlh_link_options open = {
		.name = "c", .has_reach = true, .reach = OCKAM_REACH_ALL
	};
	struct lh_link a, b, c;
	struct lh_message m;
	long long before;
	size_t len, over;

	open_pair(&a, &b, LH_UNIX);
	lh_open(&c, &node, LH_UNIX, &open);
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_FRAME_BYTES, 1000),
	   "the limit of a frame can be lowered");
	over = lh_frame(frame, "b", NULL, data, 900) - 4 - 900;
	len = lh_frame(frame, "b", NULL, data, 1000 - over);
	lh_write(a.raw, frame, len);
	ok(lh_read_frame(b.raw, &m) && m.len == 1000 - over,
	   "a frame of exactly the limit goes through");
	/* Out of a its own name (3 bytes and type) makes it longer. */
	len = lh_frame(frame, "c", NULL, data, 1000 - over);
	lh_write(b.raw, frame, len);
	ok(lh_read_frame(c.raw, &m), "and another way");
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_FRAME_BYTES, 990),
	   "lowered again");
	before = nlh_counter(&node, "links_failed_too_large");
	forget_events();
	len = lh_frame(frame, "b", NULL, data, 1000 - over);
	lh_write(a.raw, frame, len);
	check_death(&a, -EMSGSIZE, "links_failed_too_large", before,
		    "one byte above the limit");
	ok(nlh_counter(&node, "drop_too_large") == dropped,
	   "nothing was dropped for its size on the way out");
	nlh_set_limit(&node, OCKAM_LIMIT_FRAME_BYTES, 16 << 20);
	lh_open(&a, &node, LH_UNIX, &(struct nlh_link_options){ .name = "a" });
	nlh_link_pair(&node, "a", "b");
	if (!fork()) {
		len = lh_frame(frame, "b", NULL, data, (16 << 20) - over - 2);
		_exit(!lh_write(a.raw, frame, len));
	}
	ok(lh_read_frame(b.raw, &m) && m.len == (16 << 20) - over - 2 &&
	   !memcmp(m.payload, data, m.len),
	   "16 MiB, the protocol's own limit, when the node allows it");
	nlh_set_limit(&node, OCKAM_LIMIT_FRAME_BYTES, 1 << 20);
	lh_close(&c);
	close_pair(&a, &b);
}

static void test_half_frames(void)
{
	struct nlh_link_options quick = { .half_frame_ms = 300 };
	struct nlh_link link;
	struct lh_link a;
	long long before, start;
	int fd[2];

	lh_open(&a, &node, LH_TCP4, &quick);
	nlh_link_get(&node, a.name, &link);
	ok(link.half_frame_ms == 300, "the deadline of a frame is an option");
	ok(!lh_wait_end(a.raw, 700), "a silent link between frames lives on");
	before = nlh_counter(&node, "links_failed_half_frame");
	start = nlh_now();
	lh_write(a.raw, "\0\0\1\0abc", 7);
	check_death(&a, -ETIMEDOUT, "links_failed_half_frame", before,
		    "half a frame and nothing");
	ok(nlh_now() - start >= 280, "not before its time");

	lh_open(&a, &node, LH_TCP4, &quick);
	lh_write(a.raw, "\0\0", 2);
	check_death(&a, -ETIMEDOUT, "links_failed_half_frame", before + 1,
		    "half a length and nothing");

	/* One byte at a time does not help. */
	lh_open(&a, &node, LH_TCP4, &quick);
	lh_write(a.raw, "\0\0\1\0", 4);
	start = nlh_now();
	while (nlh_now() - start < SOON && !lh_wait_end(a.raw, 50))
		lh_write(a.raw, "x", 1);
	ok(nlh_now() - start < 2000 &&
	   nlh_counter(&node, "links_failed_half_frame") == before + 3,
	   "dribbling does not keep a half frame alive");
	lh_close(&a);

	lh_connect(LH_TCP4, fd);
	nlh_link_new(&node, fd[0], &quick, &link);
	a = (struct lh_link){ .node = &node, .fd = fd[0], .raw = fd[1] };
	snprintf(a.name, sizeof(a.name), "%s", link.name);
	check_death(&a, -ETIMEDOUT, "links_failed_half_frame", before + 3,
		    "no version byte");
}

static void test_ends(enum lh_family family)
{
	const char *name = lh_family_names[family];
	struct linger hard = { .l_onoff = 1 };
	struct lh_link a;
	long long before;
	uint8_t byte;

	lh_open(&a, &node, family, NULL);
	before = nlh_counter(&node, "links_closed");
	close(a.raw);
	a.raw = -1;
	ok(!nlh_link_wait_gone(&node, a.name, SOON) &&
	   lh_wait_counter(&node, "links_closed", before + 1, SOON),
	   "%s: the peer closes", name);
	lh_close(&a);

	lh_open(&a, &node, family, NULL);
	before = nlh_counter(&node, "links_failed_frame");
	lh_write(a.raw, "\0\0\1\0abc", 7);
	shutdown(a.raw, SHUT_WR);
	check_death(&a, -EPROTO, "links_failed_frame", before,
		    "the peer closes within a frame");

	if (family == LH_TCP4) {
		lh_open(&a, &node, family, NULL);
		before = nlh_counter(&node, "links_failed_io");
		setsockopt(a.raw, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(a.raw);
		a.raw = -1;
		ok(!nlh_link_wait_gone(&node, a.name, SOON) &&
		   lh_wait_counter(&node, "links_failed_io", before + 1, SOON),
		   "%s: the peer resets", name);
		lh_close(&a);
	}

	lh_open(&a, &node, family, NULL);
	before = nlh_counter(&node, "links_closed");
	ok(!nlh_link_del(&node, a.name) &&
	   nlh_link_get(&node, a.name, NULL) == -ENOENT,
	   "%s: deleted, and gone from the table at once", name);
	check_death(&a, 0, "links_closed", before, "deleted on request");

	lh_open(&a, &node, family, NULL);
	close(a.fd);
	a.fd = -1;
	lh_write(a.raw, "\0\0\0\4\203\200\200\100", 8);
	ok(lh_silent(&a) && !nlh_link_get(&node, a.name, NULL),
	   "%s: closing the descriptor changes nothing", name);
	nlh_link_del(&node, a.name);
	ok(lh_read(a.raw, &byte, 1) == false && lh_wait_end(a.raw, SOON),
	   "%s: the kernel's reference was the last", name);
	lh_close(&a);

	for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
		lh_open(&a, &node, family, NULL);
		shutdown(a.fd, how);
		if (how == SHUT_WR)
			lh_write(a.raw, "\0\0\0\0", 4);
		/* A shut reader of TCP notices with the next bytes. */
		lh_write(a.raw, "\0\0\0\4\203\200\200\100", 8);
		ok(!nlh_link_wait_gone(&node, a.name, SOON),
		   "%s: the user's shutdown(%d) ends this link", name, how);
		lh_close(&a);
	}
}

/* What a user does with its descriptor hurts that link and nothing else. */
static void test_user_abuse(enum lh_family family)
{
	const char *name = lh_family_names[family];
	struct lh_link a, b, c;
	struct lh_message m;
	char buf[64];
	size_t len;

	open_pair(&a, &b, family);
	lh_open(&c, &node, family, NULL);
	for (int i = 0; i < 200; i++) {
		len = lh_frame(frame, "b", "x", data, 100);
		send(c.raw, frame, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (recv(c.fd, buf, sizeof(buf), MSG_DONTWAIT) < 0 && i < 3)
			usleep(100);
		send(c.fd, "garbage", 7, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	len = lh_frame(frame, "b", "x", "fine", 4);
	lh_write(a.raw, frame, len);
	ok(lh_read_frame(b.raw, &m) && m.len == 4,
	   "%s: others go on while a user reads and writes its descriptor",
	   name);
	nlh_link_del(&node, c.name);
	lh_close(&c);
	close_pair(&a, &b);
}

static void test_tcp_slot(void)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };
	char text[16] = "";
	socklen_t len = sizeof(text);
	struct lh_link a;
	int err;

	lh_open(&a, &node, LH_TCP4, NULL);
	err = getsockopt(a.fd, IPPROTO_TCP, TCP_ULP, text, &len);
	ok(!err && !strcmp(text, "ockam"), "the upper layer of TCP is ours");
	err = setsockopt(a.fd, IPPROTO_TCP, TCP_ULP, "tls", 3);
	ok(err && errno == EEXIST, "TLS on top is refused");
	connect(a.fd, &sa, sizeof(sa));
	ok(listen(a.fd, 1) && errno == EINVAL,
	   "disconnected, it still cannot listen");
	ok(!nlh_link_wait_gone(&node, a.name, SOON),
	   "and its link has ended");
	err = nlh_link_new(&node, a.fd, NULL, NULL);
	ok(err == -ENOTCONN && *node.why, "used up: %s", node.why);
	lh_close(&a);
	a.fd = socket(AF_INET, SOCK_STREAM, 0);
	err = setsockopt(a.fd, IPPROTO_TCP, TCP_ULP, "ockam", 5);
	ok(err && errno == ENOENT, "nobody can ask for it");
	close(a.fd);
}

static void refuse(int fd, int error, const char *what)
{
	int err = nlh_link_new(&node, fd, NULL, NULL);

	ok(err == error && *node.why, "%s is refused: %s", what, node.why);
	if (err != error)
		printf("# got %d, want %d\n", err, error);
}

static void test_refusals(void)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct nlh_link_options taken = { .name = "taken" };
	socklen_t len = sizeof(in);
	struct lh_link a;
	int fd[2], one;
	char said[10];
	int err;

	one = dup(0);
	close(one);
	refuse(one, -EBADF, "a closed descriptor");
	one = eventfd(0, 0);
	refuse(one, -ENOTSOCK, "an eventfd");
	close(one);
	one = socket(AF_NETLINK, SOCK_RAW, 0);
	refuse(one, -EAFNOSUPPORT, "a netlink socket");
	close(one);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, fd);
	refuse(fd[0], -EPROTOTYPE, "a UNIX datagram socket");
	close(fd[0]);
	close(fd[1]);
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd);
	refuse(fd[0], -EPROTOTYPE, "a UNIX seqpacket socket");
	close(fd[0]);
	close(fd[1]);
	one = socket(AF_INET, SOCK_DGRAM, 0);
	refuse(one, -EPROTOTYPE, "a UDP socket");
	close(one);
	one = socket(AF_INET, SOCK_STREAM, 0);
	refuse(one, -ENOTCONN, "an unconnected TCP socket");
	bind(one, (struct sockaddr *)&in, sizeof(in));
	listen(one, 1);
	refuse(one, -ENOTCONN, "a listening TCP socket");
	getsockname(one, (struct sockaddr *)&in, &len);
	close(one);
	one = socket(AF_UNIX, SOCK_STREAM, 0);
	refuse(one, -ENOTCONN, "an unconnected UNIX socket");
	close(one);
	one = socket(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);
	if (one >= 0) {
		refuse(one, -EPROTONOSUPPORT, "an MPTCP socket");
		close(one);
	} else {
		/* Debian's kernel has it. */
		ok(strcmp(getenv("OCKAM_MACHINE") ?: "", "vm"), "no MPTCP here");
	}

	lh_open(&a, &node, LH_TCP4, &taken);
	refuse(a.fd, -EBUSY, "a TCP socket that is a link already");
	lh_connect(LH_UNIX, fd);
	err = nlh_link_new(&node, fd[0], &taken, NULL);
	ok(err == -EADDRINUSE && *node.why, "a taken name is refused: %s",
	   node.why);
	ok(lh_write(fd[0], "still ours", 10) && lh_read(fd[1], said, 10) &&
	   !memcmp(said, "still ours", 10), "the socket is as before");
	err = nlh_link_new(&node, fd[0], NULL, NULL);
	ok(!err, "and can be a link under another name");
	refuse(fd[0], -EBUSY, "a UNIX socket that is a link already");
	close(fd[0]);
	close(fd[1]);
	lh_close(&a);

	lh_connect(LH_TCP4, fd);
	err = setsockopt(fd[0], IPPROTO_TCP, TCP_ULP, "tls", 3);
	if (err)
		ok(1, "a socket with TLS is refused # SKIP no TLS here");
	else
		refuse(fd[0], -EBUSY, "a socket with TLS");
	close(fd[0]);
	close(fd[1]);

	for (int i = 0; i < 100 && nlh_link_count(&node); i++)
		usleep(20000);
	nlh_set_limit(&node, OCKAM_LIMIT_LINKS, 1);
	lh_open(&a, &node, LH_UNIX, NULL);
	lh_connect(LH_UNIX, fd);
	refuse(fd[0], -ENOSPC, "a link above the limit");
	nlh_set_limit(&node, OCKAM_LIMIT_LINKS, 1000);
	close(fd[0]);
	close(fd[1]);
	lh_close(&a);
}

static void test_pairs(void)
{
	long long denied = nlh_counter(&node, "drop_denied");
	struct lh_link a, b, c;
	struct nlh_link link;
	struct lh_message m;
	size_t len;

	len = lh_frame(frame, "b", NULL, "x", 1);
	lh_open(&a, &node, LH_UNIX, &(struct nlh_link_options){
		.name = "a", .label = "for people" });
	lh_open(&b, &node, LH_UNIX, &(struct nlh_link_options){ .name = "b" });
	lh_open(&c, &node, LH_UNIX, &(struct nlh_link_options){ .name = "c" });
	lh_write(a.raw, frame, len);
	ok(lh_wait_counter(&node, "drop_denied", denied + 1, SOON) &&
	   lh_silent(&b), "a node is not an open relay");
	ok(!nlh_link_pair(&node, "a", "b") &&
	   !nlh_link_get(&node, "b", &link) && !strcmp(link.pair, "a"),
	   "a pair is shown");
	ok(!nlh_link_get(&node, "a", &link) && !strcmp(link.label, "for people"),
	   "so is the label");
	lh_write(a.raw, frame, len);
	ok(lh_read_frame(b.raw, &m), "and lets messages through");
	ok(nlh_link_pair(&node, "a", "c") == -EBUSY && *node.why,
	   "one pair a link: %s", node.why);
	ok(nlh_link_pair(&node, "a", "a") == -EINVAL && *node.why,
	   "no link with itself: %s", node.why);
	ok(nlh_link_unpair(&node, "a", "c") == -ENOENT && *node.why,
	   "no end of what is none: %s", node.why);
	ok(!nlh_link_unpair(&node, "b", "a"), "a pair ends on request");
	lh_write(a.raw, frame, len);
	ok(lh_wait_counter(&node, "drop_denied", denied + 2, SOON),
	   "and nothing goes through any more");
	nlh_link_pair(&node, "a", "b");
	lh_close(&a);
	for (int i = 0; i < 100; i++) {
		nlh_link_get(&node, "b", &link);
		if (!*link.pair)
			break;
		usleep(10000);
	}
	ok(!*link.pair, "a pair ends with either link");
	lh_close(&b);
	lh_close(&c);
}

/* The slowest loses when partial frames need too much. */
static void test_partial_limit(void)
{
	long long before = nlh_counter(&node, "links_failed_evicted");
	struct lh_link l[12], fast;
	struct lh_message m;
	size_t len;

	nlh_set_limit(&node, OCKAM_LIMIT_PARTIAL_BYTES, 128 << 10);
	for (int i = 0; i < 12; i++) {
		lh_open(&l[i], &node, LH_UNIX, NULL);
		len = lh_frame(frame, "nobody", NULL, data, 100000);
		lh_write(l[i].raw, frame, 20000);
	}
	ok(lh_wait_counter(&node, "links_failed_evicted", before + 3, SOON),
	   "partial frames over the limit end links");
	usleep(100000);
	ok(nlh_counter(&node, "links_failed_evicted") < before + 12 &&
	   nlh_link_count(&node) > 1, "but not all of them");
	for (int i = 0; i < 12; i++)
		lh_close(&l[i]);
	nlh_set_limit(&node, OCKAM_LIMIT_PARTIAL_BYTES, 64 << 20);
	open_pair(&fast, &l[0], LH_UNIX);
	len = lh_frame(frame, "b", NULL, data, 60000);
	if (!fork())
		_exit(!lh_write(fast.raw, frame, len));
	ok(lh_read_frame(l[0].raw, &m) && m.len == 60000,
	   "afterwards all is as before");
	close_pair(&fast, &l[0]);
}

/* A descriptor sent along with the bytes goes nowhere. */
static void test_passed_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = frame };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	struct lh_link a, b;
	struct lh_message m;
	int fd[2];
	char byte;

	open_pair(&a, &b, LH_UNIX);
	iov.iov_len = lh_frame(frame, "b", NULL, "x", 1);
	if (pipe(fd))
		abort();
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd[1], sizeof(int));
	ok(sendmsg(a.raw, &mh, 0) > 0 && lh_read_frame(b.raw, &m),
	   "a frame with a descriptor beside it arrives");
	close(fd[1]);
	ok(read(fd[0], &byte, 1) == 0, "the descriptor is closed, not kept");
	close(fd[0]);
	close_pair(&a, &b);
}

static void test_dump(void)
{
	enum { N = 300 };
	static int fd[N][2];
	int made = 0;

	for (int i = 0; i < N; i++) {
		if (lh_connect(LH_UNIX, fd[i]))
			break;
		/* A peer that says no version is given up after a while. */
		made += !nlh_link_new(&node, fd[i][0], NULL, NULL) &&
			lh_write(fd[i][1], "\1", 1);
	}
	ok(made == N && nlh_link_count(&node) == N, "%d links in a dump (%d made, %u there)",
	   N, made, nlh_link_count(&node));
	for (int i = 0; i < N; i++) {
		close(fd[i][0]);
		close(fd[i][1]);
	}
	for (int i = 0; i < 500 && nlh_link_count(&node); i++)
		usleep(20000);
	ok(!nlh_link_count(&node), "and none when their peers are gone");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (nlh_open_new(&node) || nlh_own(&node) ||
	    nlh_open_in(&events, &node) || nlh_listen(&events)) {
		printf("Bail out! no node: is the module loaded? %s\n",
		       node.why);
		return 1;
	}
	for (enum lh_family f = 0; f < LH_FAMILIES; f++)
		test_basics(f);
	test_version();
	test_bad_bytes();
	test_heartbeat_and_routes();
	test_cuts();
	test_sizes(LH_UNIX);
	test_sizes(LH_TCP4);
	test_sizes(LH_TCP6);
	test_frame_limit();
	test_half_frames();
	test_ends(LH_UNIX);
	test_ends(LH_TCP4);
	test_ends(LH_TCP6);
	test_user_abuse(LH_UNIX);
	test_user_abuse(LH_TCP4);
	test_tcp_slot();
	test_refusals();
	test_pairs();
	test_partial_limit();
	test_passed_descriptor();
	test_dump();
	nlh_close(&events);
	nlh_close(&node);
	return tap_done();
}
