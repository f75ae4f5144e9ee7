// SPDX-License-Identifier: Apache-2.0
/*
 * Connect to a listener by a secure channel, send one record, print the answer.
 *
 *	record_client [-l] [-i IDENTITY] TEXT HOP...
 *
 * The hops are the route to the listener: a link, if it is of another node, and
 * its name. -i: the local identity, by name; -l: the listener speaks first. An
 * empty text is an empty record, for which no answer is awaited.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/ockam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NAME_HDR offsetof(struct sockaddr_ockam, sockam_route)

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* 0, or 1: there is none. */
static int print_record(int fd)
{
	static char record[65536];
	ssize_t n;

	n = recv(fd, record, sizeof(record), 0);
	if (n < 0)
		return fail("recv");
	if (!n) {
		fprintf(stderr, "recv: the connection has ended\n");
		return 1;
	}
	printf("%.*s\n", (int)n, record);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_ockam addr = { .sockam_family = AF_OCKAM };
	struct timeval limit = { .tv_sec = 20 };
	unsigned char *p = addr.sockam_route;
	bool listen_first = false;
	const char *text;
	int fd, c;

	fd = socket(AF_OCKAM, SOCK_SEQPACKET, 0);
	if (fd < 0)
		return fail("socket");
	while ((c = getopt(argc, argv, "i:l")) != -1) {
		if (c == 'l')
			listen_first = true;
		else if (c != 'i' || setsockopt(fd, SOL_OCKAM, OCKAM_IDENTITY,
						optarg, strlen(optarg)))
			return fail("OCKAM_IDENTITY");
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: record_client [-l] [-i IDENTITY] TEXT HOP...\n");
		return 2;
	}
	text = argv[optind++];
	for (; optind < argc; optind++) {
		size_t len = strlen(argv[optind]);

		if (!len || len > 255 || p + 2 + len > addr.sockam_route +
						       sizeof(addr.sockam_route)) {
			fprintf(stderr, "the route is too long\n");
			return 2;
		}
		*p++ = OCKAM_ADDR_LOCAL;
		*p++ = len;
		memcpy(p, argv[optind], len);
		p += len;
		addr.sockam_hops++;
	}

	/* So long the handshake may take. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&addr, NAME_HDR + (p - addr.sockam_route)))
		return fail("connect");
	if (listen_first && print_record(fd))
		return 1;
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return fail("send");
	if (text[0] && print_record(fd))
		return 1;
	close(fd);
	return 0;
}
