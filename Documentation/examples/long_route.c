// SPDX-License-Identifier: Apache-2.0
/*
 * Routes of any length, and who answered: ancillary data in both directions.
 *
 *	long_route [-b NAME] TEXT HOP...
 *
 * Sends TEXT from the address NAME (or a random one), prints the answer, the
 * hops of its return route, and the identifier of the authenticated peer when
 * the answer came through a secure channel.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/ockam.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAME_HDR offsetof(struct sockaddr_ockam, sockam_route)

/* Room for one route and one identifier, aligned as control data must be. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(OCKAM_ROUTE_MAX_BYTES) +
		   CMSG_SPACE(OCKAM_IDENTIFIER_LEN)];
};

static int send_along(int fd, const char *text, const __u8 *route, size_t len)
{
	struct iovec iov = { .iov_base = (void *)text, .iov_len = strlen(text) };
	union control control = { .align = { 0 } };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_OCKAM;
	cmsg->cmsg_type = OCKAM_CMSG_ROUTE;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), route, len);
	return sendmsg(fd, &msg, 0) < 0 ? -1 : 0;
}

static void print_route(const __u8 *p, size_t len)
{
	const __u8 *end = p + len;

	/* The kernel gives whole hops: type, length, name. */
	for (; p < end; p += 2 + p[1])
		printf("hop: %.*s\n", p[1], p + 2);
}

static void print_peer(const __u8 *id)
{
	int i;

	printf("peer: I");
	for (i = 0; i < OCKAM_IDENTIFIER_LEN; i++)
		printf("%02x", id[i]);
	printf("\n");
}

static int receive(int fd)
{
	char text[65536];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t n;

	n = recvmsg(fd, &msg, 0);
	if (n < 0)
		return -1;
	printf("%.*s\n", (int)n, text);
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_OCKAM)
			continue;
		if (cmsg->cmsg_type == OCKAM_CMSG_ROUTE)
			print_route(CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0));
		else if (cmsg->cmsg_type == OCKAM_CMSG_PEER)
			print_peer(CMSG_DATA(cmsg));
	}
	return 0;
}

/* Append a hop to @route. The new length, or 0 when it does not fit. */
static size_t add_hop(__u8 *route, size_t len, size_t size, const char *name)
{
	size_t n = strlen(name);

	if (!n || n > OCKAM_ADDR_MAX_LEN || len + 2 + n > size)
		return 0;
	route[len] = OCKAM_ADDR_LOCAL;
	route[len + 1] = n;
	memcpy(route + len + 2, name, n);
	return len + 2 + n;
}

int main(int argc, char **argv)
{
	struct sockaddr_ockam own = { .sockam_family = AF_OCKAM };
	struct timeval timeout = { .tv_sec = 5 };
	__u8 route[OCKAM_ROUTE_MAX_BYTES];
	size_t own_len = 0, len = 0;
	int first = 1, one = 1;
	int fd, i;

	if (argc > 2 && !strcmp(argv[1], "-b")) {
		own_len = add_hop(own.sockam_route, 0, sizeof(own.sockam_route),
				  argv[2]);
		own.sockam_hops = !!own_len;
		first = 3;
	}
	for (i = first + 1; i < argc && (len || i == first + 1); i++)
		len = add_hop(route, len, sizeof(route), argv[i]);
	if (!len || (first == 3 && !own_len)) {
		fprintf(stderr, "usage: long_route [-b NAME] TEXT HOP...\n");
		return 2;
	}

	fd = socket(AF_OCKAM, SOCK_DGRAM, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_OCKAM, OCKAM_RECVROUTE, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_OCKAM, OCKAM_RECVPEER, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout))) {
		perror("socket");
		return 1;
	}
	/* The answer comes through a link or channel: let both reach us. */
	one = OCKAM_REACH_ALL;
	setsockopt(fd, SOL_OCKAM, OCKAM_REACH, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&own, NAME_HDR + own_len)) {
		perror("bind");
		return 1;
	}
	if (send_along(fd, argv[first], route, len)) {
		perror("sendmsg");
		return 1;
	}
	if (receive(fd)) {
		perror("recvmsg");
		return 1;
	}
	close(fd);
	return 0;
}
