// SPDX-License-Identifier: Apache-2.0
/*
 * Send every message back to where it came from: the classic loop.
 *
 *	echo_server [-a] NAME
 *
 * -a lets plain text from links reach the address too. Ends with status 0
 * when it receives an empty message.
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

int main(int argc, char **argv)
{
	struct sockaddr_ockam addr = { .sockam_family = AF_OCKAM };
	static char message[65536];
	int reach = OCKAM_REACH_ALL;
	socklen_t len;
	ssize_t n;
	int fd;

	if (argc < 2 || !argv[argc - 1][0] ||
	    strlen(argv[argc - 1]) > sizeof(addr.sockam_route) - 2) {
		fprintf(stderr, "usage: echo_server [-a] NAME\n");
		return 2;
	}

	fd = socket(AF_OCKAM, SOCK_DGRAM, 0);
	if (fd < 0) {
		perror("socket");
		return 1;
	}
	if (!strcmp(argv[1], "-a") &&
	    setsockopt(fd, SOL_OCKAM, OCKAM_REACH, &reach, sizeof(reach))) {
		perror("OCKAM_REACH");
		return 1;
	}

	/* One hop: type, length, name. */
	len = strlen(argv[argc - 1]);
	addr.sockam_hops = 1;
	addr.sockam_route[0] = OCKAM_ADDR_LOCAL;
	addr.sockam_route[1] = len;
	memcpy(addr.sockam_route + 2, argv[argc - 1], len);
	if (bind(fd, (struct sockaddr *)&addr, NAME_HDR + 2 + len)) {
		perror("bind");
		return 1;
	}

	for (;;) {
		len = sizeof(addr);
		n = recvfrom(fd, message, sizeof(message), 0,
			     (struct sockaddr *)&addr, &len);
		if (n < 0) {
			perror("recvfrom");
			return 1;
		}
		if (!n)
			break;
		/* No address: the way back did not fit, see long_route.c. */
		if (!len) {
			fprintf(stderr, "a return route is too long\n");
			continue;
		}
		if (sendto(fd, message, n, 0, (struct sockaddr *)&addr, len) < 0)
			perror("sendto");
	}
	close(fd);
	return 0;
}
