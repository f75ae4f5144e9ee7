// SPDX-License-Identifier: Apache-2.0
/*
 * Who pays for messages: long routes count as well, and sockets leave the links
 * half of the node's memory.
 *
 * where: uml debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "linkhelp.h"
#include "sock.h"

/* 60 bytes of a packed route. */
#define LONG_HOP "a-name-of-fifty-eight-characters-that-means-nothing-at-all"
#define LONG_HOPS 30
#define LONG_BYTES (LONG_HOPS * 60)
#define BUFFER 50000
#define PIECE 20000
#define MEMORY (1 << 20)
#define SENDERS 20

static struct nlh node;
static uint8_t frame[LH_FRAME_ROOM];

/* Messages that wait at @fd. */
static unsigned int count_waiting(int fd)
{
	static struct received r;
	unsigned int n;

	for (n = 0; sock_recvmsg(fd, &r, 0, 0) >= 0; n++)
		;
	return n;
}

/* @got messages with a long route were kept: as many as the buffer takes. */
static void check_kept(unsigned int got, unsigned int sent, const char *what)
{
	/* The kernel doubles what is asked for, and one more goes in. */
	ok(got > 5 && got < sent && got * LONG_BYTES < 2 * BUFFER + 2 * LONG_BYTES,
	   "%s: %u of %u fit into the buffer", what, got, sent);
}

/* One byte to [@name, LONG_HOP, ...]. */
static int send_far(int fd, const char *name)
{
	static char control[CMSG_SPACE(2048)] ALIGNED;
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c = (struct cmsghdr *)control;
	__u8 *p = CMSG_DATA(c);

	*p++ = OCKAM_ADDR_LOCAL;
	*p++ = strlen(name);
	p = mempcpy(p, name, strlen(name));
	for (int i = 0; i < LONG_HOPS; i++) {
		*p++ = OCKAM_ADDR_LOCAL;
		*p++ = strlen(LONG_HOP);
		p = mempcpy(p, LONG_HOP, strlen(LONG_HOP));
	}
	c->cmsg_level = SOL_OCKAM;
	c->cmsg_type = OCKAM_CMSG_ROUTE;
	c->cmsg_len = CMSG_LEN(p - CMSG_DATA(c));
	m.msg_controllen = CMSG_SPACE(p - CMSG_DATA(c));
	return failed(sendmsg(fd, &m, MSG_DONTWAIT));
}

static void test_onward(void)
{
	int a = sock_new(), b = sock_named("far");
	unsigned int sent;

	setsockopt(b, SOL_SOCKET, SO_RCVBUF, &(int){ BUFFER }, sizeof(int));
	for (sent = 0; sent < 200 && !send_far(a, "far"); sent++)
		;
	check_kept(count_waiting(b), sent, "the rest of a long onward route");
	close(a);
	close(b);
}

static void test_return(struct lh_link *l)
{
	long long before = nlh_counter(&node, "messages_delivered") +
			   nlh_counter(&node, "drop_socket_full");
	struct lh_message m = {
		.onward = { "near" }, .n_onward = 1, .n_ret = LONG_HOPS,
		.payload = (const uint8_t *)"x", .len = 1,
	};
	long long now = before;
	int b = sock_named("near");

	setsockopt(b, SOL_SOCKET, SO_RCVBUF, &(int){ BUFFER }, sizeof(int));
	sock_set(b, OCKAM_REACH, OCKAM_REACH_ALL);
	for (int i = 0; i < LONG_HOPS; i++)
		m.ret[i] = LONG_HOP;
	for (int i = 0; i < 200; i++)
		lh_write(l->raw, frame, lh_encode(&m, frame));
	for (int i = 0; i < 1000 && now < before + 200; i++) {
		usleep(10000);
		now = nlh_counter(&node, "messages_delivered") +
		      nlh_counter(&node, "drop_socket_full");
	}
	check_kept(count_waiting(b), 200, "a long return route");
	close(b);
}

/* A link that takes nothing, and sockets that send on it all they can. */
static void test_share(struct lh_link *l, struct lh_link *slow)
{
	static char piece[PIECE];
	struct lh_message m = {
		.onward = { "near" }, .n_onward = 1, .n_ret = 1, .ret = { "r" },
		.payload = (const uint8_t *)"x", .len = 1,
	};
	int fd[SENDERS], b, queued, err = 0, n = 0, got = 0;
	struct pollfd p = { .events = POLLIN };
	struct received r;
	long long sum = 0;

	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, MEMORY);
	for (n = 0; n < SENDERS && err != ENOBUFS; n++) {
		fd[n] = sock_new();
		do {
			err = sock_send(fd[n], NAME("slow", "sink"), piece, PIECE);
		} while (!err);
	}
	ok(err == ENOBUFS, "%d sockets fill their part of the memory", n);
	for (int i = 0; i < n; i++)
		sum += ioctl(fd[i], SIOCOUTQ, &queued) ? 0 : queued;
	ok(sum > MEMORY / 4 && sum < MEMORY / 2 + 2 * PIECE,
	   "which is half of it: %lld bytes", sum);

	b = sock_named("near");
	sock_set(b, OCKAM_REACH, OCKAM_REACH_ALL);
	for (int i = 0; i < 100; i++)
		lh_write(l->raw, frame, lh_encode(&m, frame));
	p.fd = b;
	while (got < 100 && poll(&p, 1, 5000) > 0 && sock_recvmsg(b, &r, 0, 0) == 1)
		got++;
	ok(got == 100, "the links go on: %d of 100 messages came in", got);
	close(b);

	/* The slow one goes, soon what it had too, and everybody can send again. */
	nlh_link_del(&node, "slow");
	nlh_link_wait_gone(&node, "slow", 5000);
	lh_close(slow);
	b = sock_named("near");
	for (int i = 0; i < 1000; i++) {
		err = sock_send(fd[0], NAME("near"), "x", 1);
		if (err != ENOBUFS && err != EAGAIN)
			break;
		usleep(10000);
	}
	ok(!err && count_waiting(b) == 1, "what is lost counts no more");
	close(b);
	for (int i = 0; i < n; i++)
		close(fd[i]);
	nlh_set_limit(&node, OCKAM_LIMIT_NODE_QUEUE_BYTES, 256 << 20);
}

int main(void)
{
	struct nlh_link_options o = { .name = "l" }, so = { .name = "slow" };
	struct lh_link l, slow;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (nlh_open_new(&node) || nlh_own(&node)) {
		printf("Bail out! no node: %s\n", node.why);
		return 1;
	}
	/* The links' sockets are of the outside, ours are of the node. */
	lh_open(&l, &node, LH_UNIX, &o);
	lh_open(&slow, &node, LH_UNIX, &so);
	if (nlh_enter(&node) < 0) {
		printf("Bail out! cannot enter the node's namespace\n");
		return 1;
	}
	test_onward();
	test_return(&l);
	test_share(&l, &slow);
	lh_close(&l);
	nlh_end(&node);
	nlh_close(&node);
	ok(sockets_wait(0), "no socket is left");
	return tap_done();
}
