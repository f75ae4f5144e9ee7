/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is shown of a node: the object of "node show", and its text.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_NODE_OBJECT_H
#define OCKAM_CTL_NODE_OBJECT_H

#include <json-c/json.h>

#include "ctl.h"

/* How long a node may take to describe itself. */
#define CTL_NODE_INFO_MS	1000

/**
 * ctl_node_object() - the object of one node (cli 2.1)
 * @node: its record
 *
 * A node that does not run or does not answer gives empty lists.
 * Return: a reference.
 */
struct json_object *ctl_node_object(const struct ockam_node_record *node);

/** ctl_node_transport() - object of a TCP listener or connection, from what the node says of it */
struct json_object *ctl_node_transport(struct json_object *from, bool listener);

/** ctl_node_plain() - the same for people; free() it */
char *ctl_node_plain(struct json_object *object);

/** ctl_node_print() - print one node */
int ctl_node_print(struct ctl *ctl, const struct ockam_node_record *node);

#endif /* OCKAM_CTL_NODE_OBJECT_H */
