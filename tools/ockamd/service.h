/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of a default node: echo and uppercase (wire-protocol 4.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_SERVICE_H
#define OCKAMD_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "loop.h"
#include "nl.h"
#include "route.h"

struct json_object;
struct ockamd_node;

struct ockamd_service;
LIST_HEAD(ockamd_services, ockamd_service);

/** ockamd_service_start_all() - bind echo and uppercase; 0 or a negative errno */
int ockamd_service_start_all(struct ockamd_node *node, struct ockam_err *err);

/** ockamd_service_refused() - messages to echo that its authority's members alone may send */
uint64_t ockamd_service_refused(struct ockamd_node *node);

/** ockamd_service_describe() - [{addr, type}] */
struct json_object *ockamd_service_describe(struct ockamd_node *node);

/*
 * Ockam datagram sockets, also for message.send.
 */

/**
 * ockamd_service_bind() - socket that anybody may send to
 * @name: its address; NULL: a random one
 *
 * Return: non-blocking descriptor or a negative errno.
 */
int ockamd_service_bind(const char *name, struct ockam_err *err);

/**
 * ockamd_service_send() - one message
 * @fd: socket
 * @route: onward route
 * @payload: @len bytes
 *
 * Return: 0 or a negative errno.
 */
int ockamd_service_send(int fd, const struct ockam_route *route, const void *payload, size_t len);

/**
 * ockamd_service_receive() - one message, with its return route
 * @peer: receives who sent it, when it came through a channel; may be NULL
 * @payload: receives up to @size bytes
 *
 * Return: length of the payload; -EMSGSIZE when it did not fit and was
 * dropped; -EAGAIN; another negative errno.
 */
ssize_t ockamd_service_receive(int fd, struct ockam_route *back, struct ockam_nl_identifier *peer,
			       void *payload, size_t size);

#endif /* OCKAMD_SERVICE_H */
