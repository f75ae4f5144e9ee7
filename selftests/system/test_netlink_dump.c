// SPDX-License-Identifier: Apache-2.0
/*
 * Dumps of the family "ockam": thousands of objects, readers with buffers of
 * one page, and change between two parts of a dump.
 *
 * where: uml
 * long: vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "nlhelp.h"

#define PAGE		4096
#define SOCKETS		3000	/* at most */
#define CHURN		64
#define LINKS		600

/* Fewer where everything is slow. */
static unsigned int n_sockets = SOCKETS;
static unsigned int n_links = LINKS;

static struct nlh node, reader;	/* the reader has never shown a larger buffer */
static struct nlh_msg msg;
static int sockets[SOCKETS];
static int churn[CHURN];
static int many[SOCKETS * 2];
static int peers[LINKS];

/* What a dump has shown. */
struct shown {
	unsigned int seen[SOCKETS];	/* how often, by the number in the name */
	unsigned int others;
	unsigned int parts;
	bool interrupted;
	bool truncated;
	int err;			/* of its end */
};

static struct shown shown;

/*
 * nlh_open() reads with a large buffer, and the kernel fits the parts to the
 * largest one that a socket has shown.
 */
static int open_reader(struct nlh *h)
{
	int err = nlh_open(h);

	if (err)
		return err;
	close(h->fd);
	h->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	return h->fd < 0 ? -errno : 0;
}

/* A socket bound to the address @prefix and five digits. */
static int bind_socket(char prefix, unsigned int number)
{
	struct sockaddr_ockam sa = { .sockam_family = AF_OCKAM, .sockam_hops = 1 };
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%c%05u", prefix, number);
	sa.sockam_route[1] = strlen(name);
	memcpy(sa.sockam_route + 2, name, strlen(name));
	fd = socket(AF_OCKAM, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return -errno;
	return fd;
}

static void count_name(const uint8_t *name, size_t len, char prefix)
{
	char text[16] = "";
	unsigned long number;

	if (len == 6 && name[0] == prefix) {
		memcpy(text, name + 1, 5);
		number = strtoul(text, NULL, 10);
		if (number < SOCKETS) {
			shown.seen[number]++;
			return;
		}
	}
	shown.others++;
}

/* One part of the dump; true when it was the last. */
static bool read_part(struct nlh *h, char prefix)
{
	static uint8_t buf[PAGE];
	static struct nlh_msg one;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct nlmsghdr *hdr;
	const void *name;
	size_t len;
	ssize_t n;

	n = recvmsg(h->fd, &m, 0);
	if (n < 0) {
		shown.err = -errno;
		return true;
	}
	shown.parts++;
	shown.truncated |= !!(m.msg_flags & MSG_TRUNC);
	for (hdr = (struct nlmsghdr *)buf; NLMSG_OK(hdr, (size_t)n);
	     hdr = NLMSG_NEXT(hdr, n)) {
		shown.interrupted |= !!(hdr->nlmsg_flags & NLM_F_DUMP_INTR);
		if (hdr->nlmsg_type == NLMSG_DONE ||
		    hdr->nlmsg_type == NLMSG_ERROR) {
			memcpy(&shown.err, NLMSG_DATA(hdr), sizeof(int));
			return true;
		}
		memcpy(one.bytes, hdr, hdr->nlmsg_len);
		one.len = hdr->nlmsg_len;
		name = nlh_attr(&one, OCKAM_A_ADDRESS, &len);
		if (name)
			count_name(name, len, prefix);
	}
	return false;
}

static void begin_dump(struct nlh *h, uint8_t cmd)
{
	memset(&shown, 0, sizeof(shown));
	nlh_begin(&msg, cmd);
	msg.hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	shown.err = nlh_send(h, &msg);
}

/* @between (may be NULL) runs between the parts. */
static void dump(struct nlh *h, uint8_t cmd, char prefix,
		 void (*between)(unsigned int part))
{
	begin_dump(h, cmd);
	while (!shown.err && !read_part(h, prefix)) {
		if (between)
			between(shown.parts);
	}
}

/* How many of the first @n were shown @min to @max times. */
static unsigned int shown_times(unsigned int n, unsigned int step,
				unsigned int min, unsigned int max)
{
	unsigned int i, count = 0;

	for (i = 0; i < n; i += step)
		count += shown.seen[i] >= min && shown.seen[i] <= max;
	return count;
}

static void open_churn(void)
{
	unsigned int i;

	for (i = 0; i < CHURN; i++)
		churn[i] = bind_socket('c', i);
}

static void close_churn(void)
{
	unsigned int i;

	for (i = 0; i < CHURN; i++)
		close(churn[i]);
}

static void churn_sockets(unsigned int part)
{
	if (part & 1)
		close_churn();
	else
		open_churn();
}

/* Three times as many: the hash table is rebuilt. */
static void grow(unsigned int part)
{
	unsigned int i;

	if (part != 5)
		return;
	for (i = 0; i < n_sockets * 2; i++)
		many[i] = bind_socket('m', i);
	/* Rebuilding is done by a work. */
	usleep(100000);
}

static void test_addresses(void)
{
	unsigned int i, bad = 0;

	for (i = 0; i < n_sockets; i++) {
		sockets[i] = bind_socket('s', i);
		bad += sockets[i] < 0;
	}
	if (!ok(!bad, "%u bound sockets", n_sockets))
		return;

	dump(&reader, OCKAM_CMD_ADDRESS_GET, 's', NULL);
	ok(!shown.err && shown.parts > n_sockets / 100 && !shown.truncated,
	   "the table in %u parts of at most a page", shown.parts);
	ok(shown_times(n_sockets, 1, 1, 1) == n_sockets && !shown.others &&
	   !shown.interrupted, "has each of them once");

	open_churn();
	dump(&reader, OCKAM_CMD_ADDRESS_GET, 's', churn_sockets);
	close_churn();
	ok(!shown.err && !shown.truncated &&
	   (shown_times(n_sockets, 1, 1, UINT32_MAX) == n_sockets ||
	    shown.interrupted),
	   "while others come and go: all that stay, or it says so (%u of %u%s)",
	   shown_times(n_sockets, 1, 1, UINT32_MAX), n_sockets,
	   shown.interrupted ? ", interrupted" : "");

	dump(&reader, OCKAM_CMD_ADDRESS_GET, 's', grow);
	ok(!shown.err && !shown.truncated && shown.interrupted &&
	   shown_times(n_sockets, 1, 1, UINT32_MAX) == n_sockets,
	   "while the table is rebuilt: all of them, marked as interrupted");
	for (i = 0; i < n_sockets * 2; i++)
		close(many[i]);
}

static void test_misuse(void)
{
	struct nlh h;
	int err;

	if (!ok(!open_reader(&h), "another socket"))
		return;
	begin_dump(&h, OCKAM_CMD_ADDRESS_GET);
	read_part(&h, 's');
	nlh_begin(&msg, OCKAM_CMD_ADDRESS_GET);
	msg.hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh_send(&h, &msg);
	do {
		err = read_part(&h, 's');
	} while (!err);
	ok(shown.err == -EBUSY, "one dump at a time and socket");
	/* The first one is still going on: its state has to go with the socket. */
	nlh_close(&h);

	nlh_begin(&msg, OCKAM_CMD_ADDRESS_GET);
	nlh_put(&msg, OCKAM_A_ADDRESS, "s00000", 6);
	ok(nlh_dump(&node, &msg, NULL, NULL) == -EINVAL && node.why[0],
	   "a dump takes no name: %s", node.why);
	nlh_begin(&msg, OCKAM_CMD_NODE_GET);
	ok(nlh_dump(&node, &msg, NULL, NULL) == -EOPNOTSUPP,
	   "what is no list cannot be dumped");
}

static int make_link(unsigned int number, int *peer)
{
	struct nlh_link_options o = { 0 };
	char name[16];
	int fd[2], err;

	snprintf(name, sizeof(name), "l%05u", number);
	o.name = name;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return -errno;
	err = nlh_link_new(&node, fd[0], &o, NULL);
	close(fd[0]);
	*peer = fd[1];
	return err;
}

/* The odd ones go one after the other, and new ones come. */
static void churn_links(unsigned int part)
{
	static struct nlh changer;
	static unsigned int next, fresh;
	char name[16];
	unsigned int i;
	int peer;

	if (part == 1 && nlh_open_in(&changer, &node))
		return;
	for (i = 0; i < 5 && next < n_links / 2; i++, next++) {
		snprintf(name, sizeof(name), "l%05u", next * 2 + 1);
		nlh_link_del(&changer, name);
	}
	/* make_link() uses the node's socket, which is busy with the dump. */
	for (i = 0; i < 5; i++, fresh++) {
		struct nlh_link_options o = { .name = name };
		int fd[2];

		snprintf(name, sizeof(name), "n%05u", fresh);
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
			continue;
		nlh_link_new(&changer, fd[0], &o, NULL);
		close(fd[0]);
		peer = fd[1];
		(void)peer;	/* stays open */
	}
}

static void test_links(void)
{
	unsigned int i, bad = 0;

	for (i = 0; i < n_links; i++) {
		if (make_link(i, &peers[i]) && !bad++)
			printf("# link %u: %s\n", i, node.why);
	}
	if (!ok(!bad, "%u links", n_links))
		return;
	dump(&reader, OCKAM_CMD_LINK_GET, 'l', NULL);
	ok(!shown.err && !shown.truncated && !shown.others &&
	   shown_times(n_links, 1, 1, 1) == n_links,
	   "a dump in %u parts has each once", shown.parts);
	dump(&reader, OCKAM_CMD_LINK_GET, 'l', churn_links);
	ok(!shown.err && !shown.truncated &&
	   shown_times(n_links, 2, 1, 1) == n_links / 2 &&
	   shown_times(n_links, 1, 2, UINT32_MAX) == 0,
	   "while others come and go: all that stay, none twice");
}

int main(void)
{
	struct rlimit files = { 32768, 32768 };
	const char *machine = getenv("OCKAM_MACHINE");
	int back;

	if (machine && !strcmp(machine, "debug")) {
		n_sockets = 500;
		n_links = 100;
	}

	setrlimit(RLIMIT_NOFILE, &files);
	if (!ok(!nlh_open_new(&node) && !nlh_own(&node), "a node"))
		return 1;
	back = nlh_enter(&node);
	if (!ok(!open_reader(&reader), "a reader with buffers of a page"))
		return 1;
	test_addresses();
	test_misuse();
	nlh_leave(back);
	/* Their sockets belong to another namespace than the node's. */
	test_links();
	nlh_close(&node);
	return tap_done();
}
