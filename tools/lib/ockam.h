/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libockam: sockets of AF_OCKAM with routes of any length, and requests to node
 * processes. What the headers named here declare is all that it exports.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_OCKAM_H
#define OCKAM_LIB_OCKAM_H

#include "client.h"
#include "err.h"
#include "route.h"
#include "socket.h"

#endif /* OCKAM_LIB_OCKAM_H */
