/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's network namespace: threads that stay there when the node
 * process moves into its own. They resolve names, connect and listen, and hand
 * descriptors to the event loop. A socket belongs to the namespace of the
 * thread that made it, for ever, and what a listener accepts belongs to the
 * listener's: so accepting itself is the event loop's work.
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
#define OCKAMD_DIAL_MAX		64	/* connections being made at once */

struct ockamd_dial;
struct ockamd_dial_job;

/**
 * ockamd_dial_fn() - how an attempt ended
 * @arg: as given
 * @fd: connected socket, now the callee's; or a negative errno
 * @err: the reason when @fd is negative
 */
typedef void (*ockamd_dial_fn)(void *arg, int fd, const struct ockam_err *err);

/**
 * ockamd_dial_start() - start the thread that stays
 *
 * Called once, before the calling thread changes its namespace.
 */
int ockamd_dial_start(struct ockamd_loop *loop, struct ockamd_dial **dial,
		      struct ockam_err *err);

/**
 * ockamd_dial_connect() - connect to "host:port" over TCP
 * @timeout_ms: for resolving and connecting together
 * @job: receives the attempt, valid until @fn is called or it is cancelled
 *
 * Return: 0, then @fn is called once, from the loop; -EINVAL for a text that
 * is no address; -EBUSY with OCKAMD_DIAL_MAX attempts under way; -ENOMEM.
 */
int ockamd_dial_connect(struct ockamd_dial *dial, const char *address, int timeout_ms,
			ockamd_dial_fn fn, void *arg, struct ockamd_dial_job **job,
			struct ockam_err *err);

/** ockamd_dial_cancel() - @fn will not be called; a socket that still comes is closed */
void ockamd_dial_cancel(struct ockamd_dial_job *job);

/**
 * ockamd_dial_listen() - listen at "host:port" over TCP; port 0: any free one
 * @actual: receives the numeric address, OCKAMD_SOCKET_TEXT bytes
 *
 * Return: listening socket, non-blocking; -EADDRINUSE with a sentence that
 * names the port; another negative errno.
 */
int ockamd_dial_listen(struct ockamd_dial *dial, const char *address, char *actual,
		       struct ockam_err *err);

/** ockamd_dial_format() - numeric "ip:port", "[ip6]:port"; mapped IPv4 as IPv4 */
void ockamd_dial_format(const struct sockaddr_storage *addr, char text[OCKAMD_SOCKET_TEXT]);

#endif /* OCKAMD_DIAL_H */
