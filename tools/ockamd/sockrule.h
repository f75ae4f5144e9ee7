/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which identity a program's socket may use in this node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_SOCKRULE_H
#define OCKAMD_SOCKRULE_H

#include "reader.h"

struct ockamd_node;

/** ockamd_sockrule_ask() - OCKAMD_PIPE_SOCKET_ASK behind its type: answer it */
void ockamd_sockrule_ask(struct ockamd_node *node, struct ockam_reader *r);

#endif /* OCKAMD_SOCKRULE_H */
