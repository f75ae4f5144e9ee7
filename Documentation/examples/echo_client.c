// SPDX-License-Identifier: Apache-2.0
/*
 * Send a text along a route, print what comes back.
 *
 *	echo_client TEXT HOP...
 *
 * The hops are names: a service of this node, or the address of a secure
 * channel followed by a service at its other end. Nothing that comes from a
 * link in plain text reaches the socket (OCKAM_REACH would let it).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <linux/ockam.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NAME_HDR offsetof(struct sockaddr_ockam, sockam_route)

/* Append a hop to @addr, whose used length is @len. The new length, or 0. */
static socklen_t add_hop(struct sockaddr_ockam *addr, socklen_t len,
			 const char *name)
{
	size_t n = strlen(name);
	__u8 *p = (__u8 *)addr + len;

	if (!n || len + 2 + n > sizeof(*addr))
		return 0;
	p[0] = OCKAM_ADDR_LOCAL;
	p[1] = n;
	memcpy(p + 2, name, n);
	addr->sockam_hops++;
	return len + 2 + n;
}

static const char *explain(int error)
{
	switch (error) {
	case EHOSTUNREACH:
		return "this node has no such address";
	case EACCES:
		return "this address does not take messages from sockets";
	case EAGAIN:
		return "no answer";
	default:
		return strerror(error);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_ockam addr = { .sockam_family = AF_OCKAM };
	struct timeval timeout = { .tv_sec = 5 };
	socklen_t len = NAME_HDR;
	char reply[65536];
	ssize_t n;
	int fd, i;

	for (i = 2; i < argc && len; i++)
		len = add_hop(&addr, len, argv[i]);
	if (argc < 3 || !len) {
		fprintf(stderr, "usage: echo_client TEXT HOP... (at most 124 bytes)\n");
		return 2;
	}

	fd = socket(AF_OCKAM, SOCK_DGRAM, 0);
	if (fd < 0) {
		perror("socket");
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));

	/* Gives the socket a random name, so that there is a way back. */
	if (connect(fd, (struct sockaddr *)&addr, len)) {
		perror("connect");
		return 1;
	}
	if (send(fd, argv[1], strlen(argv[1]), 0) < 0) {
		fprintf(stderr, "send: %s\n", explain(errno));
		return 1;
	}
	n = recv(fd, reply, sizeof(reply), 0);
	if (n < 0) {
		fprintf(stderr, "recv: %s\n", explain(errno));
		return 1;
	}
	printf("%.*s\n", (int)n, reply);
	close(fd);
	return 0;
}
