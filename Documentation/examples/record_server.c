// SPDX-License-Identifier: Apache-2.0
/*
 * Accept secure channels one after the other, say who is at the other end, and
 * send every record back.
 *
 *	record_server [-i IDENTITY] [-a IDENTIFIER] NAME
 *
 * -i: the local identity, by name; -a: let in only this one, 64 hexadecimal digits
 * behind the letter I. Ends with status 0 when it receives an empty record.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/ockam.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_HDR offsetof(struct sockaddr_ockam, sockam_route)

static int fail(const char *what)
{
	perror(what);
	return 1;
}

/* 0, or -1: it is no identifier. */
static int parse_identifier(const char *text, unsigned char *id)
{
	unsigned int i;

	if (text[0] != 'I' || strlen(text) != 1 + 2 * OCKAM_IDENTIFIER_LEN)
		return -1;
	for (i = 0; i < OCKAM_IDENTIFIER_LEN; i++)
		if (sscanf(text + 1 + 2 * i, "%2hhx", &id[i]) != 1)
			return -1;
	return 0;
}

static void print_peer(int fd)
{
	unsigned char id[OCKAM_IDENTIFIER_LEN];
	socklen_t len = sizeof(id);
	unsigned int i;

	if (getsockopt(fd, SOL_OCKAM, OCKAM_PEER, id, &len))
		return;
	putchar('I');
	for (i = 0; i < sizeof(id); i++)
		printf("%02x", id[i]);
	putchar('\n');
	fflush(stdout);
}

/* Until the end of the connection. 1: an empty record was there. */
static int serve(int fd)
{
	static char record[65536];
	struct iovec iov = { .iov_base = record };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	for (;;) {
		iov.iov_len = sizeof(record);
		n = recvmsg(fd, &m, 0);
		if (n < 0)
			return fail("recvmsg");
		if (!n)	/* of an empty record MSG_EOR says that it is one */
			return m.msg_flags & MSG_EOR ? 1 : 0;
		if (send(fd, record, n, MSG_NOSIGNAL) < 0)
			perror("send");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_ockam addr = { .sockam_family = AF_OCKAM };
	unsigned char id[OCKAM_IDENTIFIER_LEN];
	int listener, fd, c, over = 0;
	socklen_t len;

	listener = socket(AF_OCKAM, SOCK_SEQPACKET, 0);
	if (listener < 0)
		return fail("socket");
	while ((c = getopt(argc, argv, "a:i:")) != -1) {
		if (c == 'i' && setsockopt(listener, SOL_OCKAM, OCKAM_IDENTITY,
					   optarg, strlen(optarg)))
			return fail("OCKAM_IDENTITY");
		if (c == 'a' && (parse_identifier(optarg, id) ||
				 setsockopt(listener, SOL_OCKAM, OCKAM_AUTHORIZED,
					    id, sizeof(id))))
			return fail("OCKAM_AUTHORIZED");
	}
	if (optind != argc - 1 || strlen(argv[optind]) > sizeof(addr.sockam_route) - 2) {
		fprintf(stderr, "usage: record_server [-i IDENTITY] [-a IDENTIFIER] NAME\n");
		return 2;
	}

	/* One hop: type, length, name. */
	len = strlen(argv[optind]);
	addr.sockam_hops = 1;
	addr.sockam_route[0] = OCKAM_ADDR_LOCAL;
	addr.sockam_route[1] = len;
	memcpy(addr.sockam_route + 2, argv[optind], len);
	if (bind(listener, (struct sockaddr *)&addr, NAME_HDR + 2 + len))
		return fail("bind");
	if (listen(listener, 8))
		return fail("listen");
	while (!over) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			return fail("accept");
		print_peer(fd);
		over = serve(fd);
		close(fd);
	}
	close(listener);
	return 0;
}
