/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.send: one message along a route, one reply back.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_MESSAGE_H
#define OCKAMD_MESSAGE_H

#include "err.h"
#include "route.h"

struct json_object;
struct ockamd_request;

/**
 * ockamd_message_route() - a request's list of local hops as a route
 *
 * Return: 0; -EINVAL when it is missing, empty or not made of names; -E2BIG.
 */
int ockamd_message_route(struct json_object *hops, struct ockam_route *route,
			 struct ockam_err *err);

void ockamd_message_op_send(struct ockamd_request *request);

#endif /* OCKAMD_MESSAGE_H */
