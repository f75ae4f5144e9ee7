/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.send: one message along a route, one reply back.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_MESSAGE_H
#define OCKAMD_MESSAGE_H

struct ockamd_request;

void ockamd_message_op_send(struct ockamd_request *request);

#endif /* OCKAMD_MESSAGE_H */
