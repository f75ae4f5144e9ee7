// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets that send through channels, and through channels in channels: what is
 * charged for a message comes back whatever becomes of it, and a sender waits for
 * the queue at the end of the way.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <linux/sockios.h>

#include "exchange.h"

#define PIECE	20000

static char piece[1 << 20];

static int set_route(const char *channel, const char *first, const char *second)
{
	static struct nlh_msg m;
	uint8_t route[600];

	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, channel, strlen(channel));
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, first, second, NULL));
	return nlh_call(&node, &m, NULL);
}

static int sender_new(const char *first)
{
	int fd = node_socket("sender");

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ 8 << 20 }, sizeof(int));
	if (sock_connect(fd, NAME(first, "x"))) {
		printf("Bail out! no connection\n");
		exit(1);
	}
	return fd;
}

static bool all_back(int fd)
{
	long long end = nlh_now() + CH_SOON;
	int n = -1;

	while (!ioctl(fd, SIOCOUTQ, &n) && n && nlh_now() < end)
		usleep(1000);
	return !n;
}

static bool frames(int n)
{
	struct lh_message m;

	while (n && lh_read_frame(link_a.raw, &m))
		n--;
	return !n;
}

static void open_channels(struct ch_channel *c, int n)
{
	for (int i = 0; i < n; i++) {
		drain_worker();
		ok(ch_open_responder(&worker, &node, &link_a, &c[i], key_tx, key_rx), "a channel");
		if (i)
			ok(!set_route(c[i].encryptor, c[i - 1].encryptor, CH_PEER_DR),
			   "through the last one");
	}
}

/* Sizes around what leaves no room for another trailer in a page. */
static void test_nested(void)
{
	static const size_t around[] = { 2048, 2048 + 4096, 2048 + 32768, 2048 + 65536, 500000 };
	struct ch_channel c[3];
	int fd;

	open_channels(c, 3);
	fd = sender_new(c[2].encryptor);
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
		int good = 0;

		for (int d = -40; d <= 2; d++)
			good += send(fd, piece, around[i] + d, 0) == (ssize_t)around[i] + d &&
				frames(1) && all_back(fd);
		ok(good == 43, "around %zu bytes through three: %d of 43 leave, and are paid back",
		   around[i], good);
	}
	close(fd);
	for (int i = 2; i >= 0; i--)
		ch_del(&node, c[i].encryptor);
	ok(sockets_wait(0), "the socket is gone");
}

/* The link at the end of the way has a full queue. */
static void test_full(void)
{
	struct pollfd p = { .events = POLLOUT };
	struct ch_channel c[2];
	int n;

	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 100000);
	lh_close(&link_a);
	lh_open(&link_a, &node, LH_UNIX, NULL);
	open_channels(c, 2);
	p.fd = sender_new(c[1].encryptor);
	n = lh_fill(&link_a, p.fd, piece, PIECE);
	ok(n > 2 && poll(&p, 1, 0) == 0, "%d messages, then no more", n);
	ok(frames(n) && poll(&p, 1, CH_SOON) == 1 &&
	   send(p.fd, piece, PIECE, MSG_DONTWAIT) == PIECE && frames(1) && all_back(p.fd),
	   "they are read: it can send again");
	n = lh_fill(&link_a, p.fd, piece, PIECE);
	ok(n > 2 && poll(&p, 1, 0) == 0, "full again");
	ch_del(&node, c[0].encryptor);
	ok(poll(&p, 1, CH_SOON) == 1, "a channel on the way ends: it need not wait");
	close(p.fd);
	ch_del(&node, c[1].encryptor);
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 4 << 20);
}

/* @n bytes of the pipe @from to @fd, as one message. */
static bool splice_out(int from, int fd, size_t n)
{
	return splice(from, NULL, fd, NULL, n, 0) == (ssize_t)n && frames(1) && all_back(fd);
}

/*
 * What is sealed is a copy: pages of files and of programs are never written, on
 * whatever way they come.
 */
static void test_pages(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int fd, pipes[2], file = memfd_create("pages", 0);
	char *map, *own;
	struct ch_channel c;
	struct iovec v;

	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = i * 31 + i / 251;
	own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(own, piece, page);
	if (!ok(file >= 0 && write(file, piece, 2 * page) == (ssize_t)(2 * page) && !pipe(pipes),
		"a file and a pipe"))
		return;
	map = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, file, 0);
	lh_close(&link_a);
	lh_open(&link_a, &node, LH_UNIX, NULL);
	open_channels(&c, 1);
	fd = sender_new(c.encryptor);
	ok(sendfile(fd, file, &(off_t){ 0 }, page) == (ssize_t)page && frames(1) && all_back(fd),
	   "sendfile() of a page leaves");
	ok(splice(file, &(loff_t){ page }, pipes[1], NULL, page, 0) == (ssize_t)page &&
	   splice_out(pipes[0], fd, page), "so does one by splice()");
	v = (struct iovec){ own, page };
	ok(vmsplice(pipes[1], &v, 1, 0) == (ssize_t)page && splice_out(pipes[0], fd, page),
	   "and one by vmsplice()");
	ok(!memcmp(map, piece, 2 * page), "the page cache is as it was");
	ok(!memcmp(own, piece, page), "and so is the program's memory");
	munmap(map, 2 * page);
	munmap(own, page);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
	ch_del(&node, c.encryptor);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_node();
	worker_again();
	test_nested();
	test_pages();
	test_full();
	close_node();
	ok(sockets_wait(0), "no socket is left");
	return tap_done();
}
