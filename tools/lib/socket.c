// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "socket.h"

int ockam_socket_open(const char *name, unsigned int reach, struct ockam_err *err)
{
	struct ockam_route route = { 0 };
	struct sockaddr_ockam addr = { .sockam_family = AF_OCKAM };
	socklen_t len = offsetof(struct sockaddr_ockam, sockam_route);
	int mask = (int)reach;
	int one = 1;
	int fd, ret;

	if (name && (ockam_route_append_text(&route, name, err) ||
		     ockam_route_to_sockaddr(&route, &addr, &len, err)))
		return -EINVAL;
	fd = socket(AF_OCKAM, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ockam_err_set(err, -errno, "Cannot make an Ockam socket: %s",
				     strerror(errno));
	if ((reach && setsockopt(fd, SOL_OCKAM, OCKAM_REACH, &mask, sizeof(mask))) ||
	    setsockopt(fd, SOL_OCKAM, OCKAM_RECVROUTE, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_OCKAM, OCKAM_RECVPEER, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&addr, len)) {
		ret = ockam_err_set(err, -errno, "Cannot bind the address '%s': %s",
				    name ? name : "(random)", strerror(errno));
		close(fd);
		return ret;
	}
	return fd;
}

int ockam_socket_send(int fd, const struct ockam_route *route, const void *payload, size_t len)
{
	union {
		struct cmsghdr	align;
		uint8_t		bytes[CMSG_SPACE(OCKAM_ROUTE_MAX_BYTES)];
	} control;
	struct iovec iov = { .iov_base = (void *)payload, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(route->len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	memset(&control, 0, CMSG_SPACE(route->len));
	cmsg->cmsg_level = SOL_OCKAM;
	cmsg->cmsg_type = OCKAM_CMSG_ROUTE;
	cmsg->cmsg_len = CMSG_LEN(route->len);
	memcpy(CMSG_DATA(cmsg), route->packed, route->len);
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

ssize_t ockam_socket_receive(int fd, struct ockam_route *back, struct ockam_peer *peer,
			     void *payload, size_t size)
{
	union {
		struct cmsghdr	align;
		uint8_t		bytes[CMSG_SPACE(OCKAM_ROUTE_MAX_BYTES) +
				      CMSG_SPACE(OCKAM_IDENTIFIER_LEN)];
	} control;
	struct iovec iov = { .iov_base = payload, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *cmsg;
	ssize_t len;

	memset(back, 0, sizeof(*back));
	if (peer)
		peer->present = false;
	len = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (len < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_OCKAM && cmsg->cmsg_type == OCKAM_CMSG_ROUTE)
			ockam_route_unpack(back, CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0),
					   NULL);
		if (peer && cmsg->cmsg_level == SOL_OCKAM && cmsg->cmsg_type == OCKAM_CMSG_PEER &&
		    cmsg->cmsg_len == CMSG_LEN(OCKAM_IDENTIFIER_LEN)) {
			peer->present = true;
			memcpy(peer->identifier, CMSG_DATA(cmsg), OCKAM_IDENTIFIER_LEN);
		}
	}
	return len;
}
