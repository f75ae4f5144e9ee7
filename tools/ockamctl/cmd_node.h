/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the group "node" that live in files of their own.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_CMD_NODE_H
#define OCKAM_CTL_CMD_NODE_H

#include "store.h"
#include "ctl.h"

/** ctl_node_name_at() - name of node @i of an array of records, for ctl_select() */
const char *ctl_node_name_at(const void *nodes, size_t i);

extern const struct ctl_command ctl_node_create_command;
extern const struct ctl_command ctl_node_start_command;
extern const struct ctl_command ctl_node_show_command;
extern const struct ctl_command ctl_node_list_command;
extern const struct ctl_command ctl_node_default_command;
extern const struct ctl_command ctl_node_logs_command;
extern const struct ctl_command ctl_node_exec_command;
extern const struct ctl_command ctl_node_shell_command;

#endif /* OCKAM_CTL_CMD_NODE_H */
