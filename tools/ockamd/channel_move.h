/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving a channel to another path.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_CHANNEL_MOVE_H
#define OCKAMD_CHANNEL_MOVE_H

struct ockamd_request;

/* Operation of the control protocol. */
void ockamd_channel_op_update(struct ockamd_request *request);

#endif /* OCKAMD_CHANNEL_MOVE_H */
