/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending the process of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_NODE_END_H
#define OCKAM_CTL_NODE_END_H

#include "home.h"

/**
 * ctl_node_end() - SIGTERM, up to 5 s, then SIGKILL
 * @home: home of the node
 * @name: the node
 * @err: the reason
 *
 * Only the process that holds the node's lock is ever signalled. One in a PID
 * namespace out of sight is asked to stop.
 *
 * Return: 0 when the process is gone (also when it was before); -EPERM; -ETIMEDOUT.
 */
int ctl_node_end(const struct ockam_home *home, const char *name, struct ockam_err *err);

#endif /* OCKAM_CTL_NODE_END_H */
