// SPDX-License-Identifier: Apache-2.0
/*
 * Secure channels as connections: records, their order and limits, back-pressure
 * and the end, within a node and over links.
 *
 * where: uml debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "seqhelp.h"

static struct seq_pair pair;
static int listener, fd[2];	/* client, server */
static uint8_t *pattern;	/* OCKAM_FRAME bytes */

#define FRAME (1 << 20)

static void test_records(void)
{
	static const size_t sizes[] = { 0, 1, 2047, 2048, 2049, 65536, 65537, 300000, 1000000 };
	unsigned int i, way;
	int flags;
	char c;

	for (way = 0; way < 2; way++) {
		for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
			ok(!seq_send(fd[way], pattern + i, sizes[i], 0) &&
			   seq_expect(fd[!way], pattern + i, sizes[i]),
			   "a record of %zu bytes, %s", sizes[i], way ? "back" : "there");
		/* As many as find room in the buffers of both sockets. */
		for (i = 0; i < 50; i++)
			if (seq_send(fd[way], pattern + i, i * 37, 0))
				break;
		for (i = 0; i < 50; i++)
			if (!seq_expect(fd[!way], pattern + i, i * 37))
				break;
		ok(i == 50, "records keep their order and boundaries");
	}

	ok(!seq_send(fd[0], "abcdef", 6, MSG_EOR), "MSG_EOR says nothing new");
	flags = MSG_PEEK;
	ok(seq_recv(fd[1], &c, 1, &flags) == 1 && c == 'a' && flags & MSG_TRUNC,
	   "MSG_PEEK shows it, cut to the buffer");
	flags = MSG_PEEK | MSG_TRUNC;
	ok(seq_recv(fd[1], &c, 1, &flags) == 6, "MSG_TRUNC tells its length");
	ok(!seq_send(fd[0], "gh", 2, 0), "another one");
	flags = MSG_WAITALL;
	ok(seq_recv(fd[1], &c, 1, &flags) == 1 && (flags & (MSG_EOR | MSG_TRUNC)) ==
	   (MSG_EOR | MSG_TRUNC), "what does not fit is gone");
	ok(seq_expect(fd[1], "gh", 2), "and the next one whole");
	flags = MSG_DONTWAIT;
	ok(seq_recv(fd[1], &c, 1, &flags) == -EAGAIN, "MSG_DONTWAIT: nothing is there");
}

/* The largest record that goes, by trying. */
static void test_largest(void)
{
	size_t most = 0, least_bad = FRAME + 1, n;
	int err;

	while (most + 1 < least_bad) {
		n = (most + least_bad) / 2;
		err = seq_send(fd[0], pattern, n, 0);
		if (!err && !seq_expect(fd[1], pattern, n))
			break;
		if (err && err != EMSGSIZE)
			break;
		if (err)
			least_bad = n;
		else
			most = n;
	}
	ok(most + 1 == least_bad && most > FRAME - 1024,
	   "the largest record has %zu bytes, one more is EMSGSIZE", most);
	ok(seq_send(fd[0], pattern, FRAME + 1, 0) == EMSGSIZE, "more than a frame is EMSGSIZE");
	ok(!seq_send(fd[0], "x", 1, 0) && seq_expect(fd[1], "x", 1), "the connection goes on");
}

static void test_more(void)
{
	int flags = MSG_DONTWAIT;
	char c;

	ok(!seq_send(fd[0], pattern, 1000, MSG_MORE) &&
	   !seq_send(fd[0], pattern + 1000, 0, MSG_MORE) &&
	   !seq_send(fd[0], pattern + 1000, 70000, MSG_MORE), "MSG_MORE begins a record");
	usleep(20000);
	ok(seq_recv(fd[1], &c, 1, &flags) == -EAGAIN, "nobody sees a part of it");
	ok(send(fd[0], (void *)8, 5, MSG_NOSIGNAL) < 0 && errno == EFAULT,
	   "a part that cannot be read is none");
	ok(!seq_send(fd[0], pattern + 71000, 5, 0) && seq_expect(fd[1], pattern, 71005),
	   "the last part makes it one");
	ok(!seq_send(fd[0], pattern, FRAME - 10, MSG_MORE) &&
	   seq_send(fd[0], pattern, 11, MSG_MORE) == EMSGSIZE &&
	   !seq_send(fd[0], pattern, FRAME - 10, MSG_MORE) &&
	   seq_send(fd[0], pattern, 10, 0) == EMSGSIZE,
	   "all parts together have the same limit");
	ok(!seq_send(fd[0], "x", 1, 0) && seq_expect(fd[1], "x", 1),
	   "a record that is too large is given up");
}

static void test_faults(void)
{
	struct iovec out[2] = { { "abc", 3 }, { (void *)8, 3 } };
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 2 };
	char first[2];
	struct iovec in[2] = { { first, 2 }, { (void *)8, 1 } };

	ok(sendmsg(fd[0], &m, 0) < 0 && errno == EFAULT, "memory that cannot be read: EFAULT");
	ok(!seq_send(fd[0], "xyz", 3, 0), "the next one goes");
	m.msg_iov = in;
	ok(recvmsg(fd[1], &m, 0) < 0 && errno == EFAULT, "memory that cannot be written: EFAULT");
	ok(seq_expect(fd[1], "xyz", 3), "nothing was lost by that");
}

/* Fill until nothing goes; all of it is there afterwards, in order. */
static void test_backpressure(int way)
{
	unsigned int sent = 0, got = 0, i;
	uint32_t record[2000];
	int flags, err, idle = 0;

	/* What is on the way may make room for a moment, and poll() tells it. */
	while (idle < 20 || (idle < 1000 && seq_poll_now(fd[way]) & POLLOUT)) {
		for (i = 0; i < 2000; i++)
			record[i] = sent + i;
		err = seq_send(fd[way], record, sizeof(record), MSG_DONTWAIT);
		if (err && err != EAGAIN)
			break;
		if (!err) {
			sent++;
			idle = 0;
		} else {
			usleep(5000);
			idle++;
		}
	}
	ok(err == EAGAIN && sent > 20, "a reader that does not read stops the sender after %u records",
	   sent);
	ok(!(seq_poll_now(fd[way]) & POLLOUT), "poll() does not offer to send");
	while (got < sent) {
		flags = 0;
		if (seq_recv(fd[!way], record, sizeof(record), &flags) != sizeof(record) ||
		    record[0] != got || record[1999] != got + 1999)
			break;
		got++;
	}
	ok(got == sent, "all %u of %u records come, in order", got, sent);
	ok(seq_poll(fd[way], POLLOUT) == POLLOUT &&
	   !seq_send(fd[way], "on", 2, 0) && seq_expect(fd[!way], "on", 2),
	   "then there is room again");
}

static void test_names(void)
{
	struct sockaddr_ockam sa;
	socklen_t len = sizeof(sa);
	struct name want = NAME("chat"), route = seq_route(&pair, "chat");

	ok(!getsockname(fd[1], (struct sockaddr *)&sa, &len) && len == want.len &&
	   !memcmp(&sa, &want.sa, len), "an accepted socket has the listening one's name");
	len = sizeof(sa);
	ok(!getsockname(fd[0], (struct sockaddr *)&sa, &len) && sa.sockam_hops == 1 &&
	   sa.sockam_route[1] == 32, "the other one a random name");
	len = sizeof(sa);
	ok(!getpeername(fd[0], (struct sockaddr *)&sa, &len) && len == route.len &&
	   !memcmp(&sa, &route.sa, len), "its peer is where it connected to");
	len = sizeof(sa);
	ok(!getpeername(fd[1], (struct sockaddr *)&sa, &len) &&
	   sa.sockam_hops == (pair.link ? 2 : 1), "that of the accepted one the way back");
}

static void test_options(void)
{
	uint8_t buf[64];
	socklen_t len = sizeof(buf);
	struct ockam_info info;

	ok(!getsockopt(fd[0], SOL_OCKAM, OCKAM_PEER, buf, &len) && len == 32 &&
	   !memcmp(buf, pair.client->peer, 32), "OCKAM_PEER at the client");
	len = sizeof(buf);
	ok(!getsockopt(fd[1], SOL_OCKAM, OCKAM_PEER, buf, &len) && len == 32 &&
	   !memcmp(buf, pair.server->peer, 32), "OCKAM_PEER at the server");
	len = 31;
	ok(getsockopt(fd[1], SOL_OCKAM, OCKAM_PEER, buf, &len) && errno == EINVAL,
	   "it is not cut");
	len = sizeof(buf);
	ok(!getsockopt(fd[0], SOL_OCKAM, OCKAM_ATTRIBUTES, buf, &len) && !len,
	   "no credential, no attributes");
	len = 3;
	memset(buf, 0xff, sizeof(buf));
	ok(!getsockopt(fd[0], SOL_OCKAM, OCKAM_INFO, buf, &len) && len == 3 &&
	   buf[0] == OCKAM_SOCKET_CONNECTED && buf[3] == 0xff, "OCKAM_INFO is cut to what is known");
	info = seq_info(fd[0]);
	ok(info.ockami_state == OCKAM_SOCKET_CONNECTED &&
	   info.ockami_flags == (OCKAM_INFO_CONFIRMED | OCKAM_INFO_INITIATOR) &&
	   info.ockami_hops == (pair.link ? 2 : 1), "OCKAM_INFO of the client");
	for (int i = 0; i < 40; i++)
		if (seq_send(fd[0], "count", 5, 0) || !seq_expect(fd[1], "count", 5))
			break;
	info = seq_info(fd[1]);
	ok(info.ockami_rx_packets >= 40 && info.ockami_rx_bytes > 40 * 24 && info.ockami_rekeys &&
	   !info.ockami_refused[OCKAM_REFUSED_BAD_TAG] &&
	   info.ockami_flags == OCKAM_INFO_CONFIRMED, "and of the server");
}

static void test_shutdown(void)
{
	ok(!seq_send(fd[0], "last", 4, 0) && !shutdown(fd[0], SHUT_WR) &&
	   seq_send(fd[0], "x", 1, 0) == EPIPE, "SHUT_WR: no more records");
	ok(seq_expect(fd[1], "last", 4) && !seq_send(fd[1], "on", 2, 0) &&
	   seq_expect(fd[0], "on", 2), "the peer does not notice, and goes on");
	ok(!shutdown(fd[0], SHUT_RD), "SHUT_RD: now it is closed");
	ok(seq_expect_end(fd[1]) && seq_expect_end(fd[0]), "both read the end");
	ok(seq_send(fd[1], "x", 1, 0) == EPIPE && !seq_error(fd[1]) && !seq_error(fd[0]),
	   "the peer cannot send, and there is no error");
	ok((seq_poll_now(fd[1]) & (POLLHUP | POLLRDHUP | POLLIN | POLLERR)) ==
	   (POLLHUP | POLLRDHUP | POLLIN), "poll() says so");
	ok(seq_info(fd[1]).ockami_state == OCKAM_SOCKET_ENDED, "OCKAM_INFO too");
	close(fd[0]);
	close(fd[1]);
}

/* What was sent before close() comes, whoever seals it. */
static void test_close(void)
{
	/* As many as find room in the buffers of both sockets, or of links. */
	unsigned int i, n = pair.link ? 20 : 4;

	seq_connect(&pair, listener, "chat", fd);
	for (i = 0; i < n; i++)
		if (seq_send(fd[0], pattern + i, i & 1 ? 10 : 100000, 0))
			break;
	close(fd[0]);
	ok(i == n, "large and small records, and close()");
	for (i = 0; i < n; i++)
		if (!seq_expect(fd[1], pattern + i, i & 1 ? 10 : 100000))
			break;
	ok(i == n && seq_expect_end(fd[1]), "all come, and then the end");
	close(fd[1]);
}

static void test_linger(void)
{
	struct linger l = { .l_onoff = 1, .l_linger = 20 };

	seq_connect(&pair, listener, "chat", fd);
	setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	ok(!seq_send(fd[0], pattern, 100000, 0) && !close(fd[0]), "close() with SO_LINGER");
	ok(seq_expect(fd[1], pattern, 100000) && seq_expect_end(fd[1]), "all comes");
	close(fd[1]);
	seq_connect(&pair, listener, "chat", fd);
	l.l_linger = 0;
	setsockopt(fd[1], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	ok(!close(fd[1]) && seq_expect_end(fd[0]), "with no time: the peer is told at once");
	close(fd[0]);
}

static void test_all(void)
{
	listener = seq_listener(pair.server, "chat", 8);
	seq_connect(&pair, listener, "chat", fd);
	test_names();
	test_options();
	test_records();
	test_largest();
	test_faults();
	test_backpressure(0);
	test_backpressure(1);
	test_more();
	test_shutdown();
	test_close();
	test_linger();
	close(listener);
}

int main(void)
{
	enum lh_family family;
	unsigned int i;

	setbuf(stdout, NULL);
	alarm(150);
	pattern = malloc(FRAME + 128);
	for (i = 0; i < FRAME + 128; i++)
		pattern[i] = i ^ i >> 8;
	for (family = LH_UNIX; family <= LH_FAMILIES; family++) {
		if (family == LH_VSOCK)
			continue;
		printf("# %s\n", family == LH_FAMILIES ? "one node" : lh_family_names[family]);
		if (!seq_open(&pair, family)) {
			printf("# no such sockets here\n");
			continue;
		}
		test_all();
		seq_close(&pair);
	}
	free(pattern);
	return tap_done();
}
