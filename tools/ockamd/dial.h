/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting and listening in the network namespace of whoever started the node,
 * from the event loop: look-ups are processes of their own, sockets are made by
 * the keeper. A socket belongs to the namespace that it was made in, for ever, and
 * what a listener accepts belongs to the listener's.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_DIAL_H
#define OCKAMD_DIAL_H

#include <stdint.h>
#include <sys/socket.h>

#include "err.h"
#include "loop.h"

#define OCKAMD_SOCKET_TEXT	280	/* "host:port" */
#define OCKAMD_DIAL_MAX		256	/* connections being made at once */
#define OCKAMD_DIAL_BACKLOG	1024	/* connections that wait to be accepted */
#define OCKAMD_DIAL_MS		10000	/* to look up a name and connect, unless told otherwise */

struct ockamd_dial;
struct ockamd_dial_job;

/**
 * ockamd_dial_fn() - how an attempt ended
 * @arg: as given
 * @fd: connected or listening socket, now the callee's; or a negative errno
 * @err: the reason when @fd is negative
 */
typedef void (*ockamd_dial_fn)(void *arg, int fd, const struct ockam_err *err);

/** ockamd_dial_start() - once for the node; @keeper is what makes sockets */
int ockamd_dial_start(struct ockamd_loop *loop, int keeper, struct ockamd_dial **dial,
		      struct ockam_err *err);

/**
 * ockamd_dial_connect() - connect to "host:port" over TCP
 * @timeout_ms: for resolving and connecting together
 * @job: receives the attempt, valid until @fn is called or it is cancelled
 *
 * Return: 0, then @fn is called once, from the loop; -EINVAL for a text that
 * is no address; -EBUSY with too many attempts or look-ups under way; -ENOMEM.
 */
int ockamd_dial_connect(struct ockamd_dial *dial, const char *address, int timeout_ms,
			ockamd_dial_fn fn, void *arg, struct ockamd_dial_job **job,
			struct ockam_err *err);

/**
 * ockamd_dial_listen() - listen at "host:port" over TCP; port 0: any free one
 *
 * As ockamd_dial_connect(); -EADDRINUSE comes with a sentence that names the port.
 */
int ockamd_dial_listen(struct ockamd_dial *dial, const char *address, int timeout_ms,
		       ockamd_dial_fn fn, void *arg, struct ockamd_dial_job **job,
		       struct ockam_err *err);

/** ockamd_dial_cancel() - end it; @fn will not be called */
void ockamd_dial_cancel(struct ockamd_dial_job *job);

/** ockamd_dial_listen_now() - the same before the loop runs; the socket or a negative errno */
int ockamd_dial_listen_now(struct ockamd_dial *dial, const char *address, int timeout_ms,
			   struct ockam_err *err);

/** ockamd_dial_format() - numeric "ip:port", "[ip6]:port"; mapped IPv4 as IPv4 */
void ockamd_dial_format(const struct sockaddr_storage *addr, char text[OCKAMD_SOCKET_TEXT]);

#endif /* OCKAMD_DIAL_H */
