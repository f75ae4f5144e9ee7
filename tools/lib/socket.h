/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagram sockets of AF_OCKAM with routes of any length (ockam(7)). What these
 * return are ordinary descriptors: poll(), read options, close() them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_SOCKET_H
#define OCKAM_LIB_SOCKET_H

#include <sys/types.h>

#include "err.h"
#include "route.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who sent a message: the peer of the last channel that it came through, if any. */
struct ockam_peer {
	bool	present;
	uint8_t	identifier[OCKAM_IDENTIFIER_LEN];
};

/**
 * ockam_socket_open() - a datagram socket of the network namespace's node
 * @name: its address; NULL: a random one
 * @reach: mask OCKAM_REACH_*, who may send to it; 0: as the kernel chooses
 * @err: the reason
 *
 * Return: descriptor, non-blocking and close-on-exec; -EAFNOSUPPORT without the
 * module; -EADDRINUSE; -EINVAL for a name that is none; another negative errno.
 */
int ockam_socket_open(const char *name, unsigned int reach, struct ockam_err *err);

/**
 * ockam_socket_send() - one message
 * @fd: socket
 * @route: onward route, its first hop an address of this node
 * @payload: @len bytes
 *
 * Return: 0; -EAGAIN; -EHOSTUNREACH when this node has no such address; -EACCES
 * when it does not take messages of sockets; -EMSGSIZE; another negative errno.
 */
int ockam_socket_send(int fd, const struct ockam_route *route, const void *payload, size_t len);

/**
 * ockam_socket_receive() - one message, with its return route
 * @fd: socket that ockam_socket_open() made
 * @back: receives the way back to the sender
 * @peer: receives who sent it; may be NULL
 * @payload: receives up to @size bytes
 *
 * Return: length of the payload; -EMSGSIZE when it did not fit and was
 * dropped; -EAGAIN; another negative errno.
 */
ssize_t ockam_socket_receive(int fd, struct ockam_route *back, struct ockam_peer *peer,
			     void *payload, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* OCKAM_LIB_SOCKET_H */
