/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending the process of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_NODE_END_H
#define OCKAM_CTL_NODE_END_H

#include "store.h"

/**
 * ctl_node_end() - SIGTERM, up to 5 s, then SIGKILL
 * @node: record; a process that is not the recorded one is left alone
 * @err: the reason
 *
 * Return: 0 when the process is gone (also when it was before); -EPERM.
 */
int ctl_node_end(const struct ockam_node_record *node, struct ockam_err *err);

#endif /* OCKAM_CTL_NODE_END_H */
