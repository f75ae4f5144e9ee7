// SPDX-License-Identifier: Apache-2.0
/*
 * Who pays for messages: long routes count as well.
 *
 * where: uml debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include "linkhelp.h"
#include "sock.h"

/* 60 bytes of a packed route. */
#define LONG_HOP "a-name-of-fifty-eight-characters-that-means-nothing-at-all"
#define LONG_HOPS 30
#define LONG_BYTES (LONG_HOPS * 60)
#define BUFFER 50000

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

int main(void)
{
	struct nlh_link_options o = { .name = "l" };
	struct lh_link l;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (nlh_open_new(&node) || nlh_own(&node)) {
		printf("Bail out! no node: %s\n", node.why);
		return 1;
	}
	/* The link's socket is of the outside, ours are of the node. */
	lh_open(&l, &node, LH_UNIX, &o);
	if (nlh_enter(&node) < 0) {
		printf("Bail out! cannot enter the node's namespace\n");
		return 1;
	}
	test_onward();
	test_return(&l);
	lh_close(&l);
	nlh_end(&node);
	nlh_close(&node);
	ok(sockets_wait(0), "no socket is left");
	return tap_done();
}
