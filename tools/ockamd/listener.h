/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP listeners of a node, in the caller's namespace. All of them have the
 * same flow-control id: what one of them may reach, the others may too.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LISTENER_H
#define OCKAMD_LISTENER_H

#include "dial.h"

struct json_object;
struct ockamd_node;
struct ockamd_request;

/* watch: readable when somebody connects; taken out of the loop during pause. */
struct ockamd_listener {
	struct ockamd_watch		watch;
	struct ockamd_timer		pause;	/* no descriptors or memory: try again then */
	struct ockamd_node		*node;
	char				address[OCKAMD_SOCKET_TEXT];

	LIST_ENTRY(ockamd_listener)	link;
};

LIST_HEAD(ockamd_listeners, ockamd_listener);

/** ockamd_listener_open() - listen, before the loop runs; 0 or a negative errno */
int ockamd_listener_open(struct ockamd_node *node, const char *address,
			 struct ockamd_listener **listener, struct ockam_err *err);

/** ockamd_listener_close_all() - at the end of the node */
void ockamd_listener_close_all(struct ockamd_node *node);

/** ockamd_listener_describe() - list for answers */
struct json_object *ockamd_listener_describe(struct ockamd_node *node);

/* Operations of the control protocol. */
void ockamd_listener_op_create(struct ockamd_request *request);
void ockamd_listener_op_list(struct ockamd_request *request);
void ockamd_listener_op_delete(struct ockamd_request *request);

#endif /* OCKAMD_LISTENER_H */
