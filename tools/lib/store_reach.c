// SPDX-License-Identifier: Apache-2.0
/*
 * Where nodes of a home are reached over TCP, and which of them is reached where.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* A listener on all addresses is reached on the loopback. */
static void ockam_reach_loopback(const char *listener, char socket[OCKAM_SOCKET_TEXT])
{
	const char *port = strrchr(listener, ':');

	if (port && (!strncmp(listener, "0.0.0.0:", 8) || !strncmp(listener, "[::]:", 5)))
		snprintf(socket, OCKAM_SOCKET_TEXT, "%s%s",
			 *listener == '[' ? "[::1]" : "127.0.0.1", port);
	else
		snprintf(socket, OCKAM_SOCKET_TEXT, "%s", listener);
}

static bool ockam_reach_is_loopback(const char *socket)
{
	return !strncmp(socket, "localhost:", 10) || !strncmp(socket, "127.", 4) ||
	       !strncmp(socket, "[::1]:", 6);
}

/* Would somebody who dials @socket reach the one who listens at @listener? */
static bool ockam_reach_is_at(const char *socket, const char *listener)
{
	const char *port = strrchr(socket, ':');
	char reachable[OCKAM_SOCKET_TEXT];
	const char *theirs;

	ockam_reach_loopback(listener, reachable);
	if (!strcmp(socket, reachable))
		return true;
	theirs = strrchr(reachable, ':');
	return port && theirs && !strcmp(port, theirs) && ockam_reach_is_loopback(socket) &&
	       ockam_reach_is_loopback(reachable);
}

int ockam_store_node_reach(struct ockam_store *store, const char *name,
			   char socket[OCKAM_SOCKET_TEXT], struct ockam_err *err)
{
	struct ockam_node_record node;
	int ret;

	ret = ockam_store_node_get(store, name, &node, err);
	if (ret)
		return ret;
	if (!ockam_node_runs(&node))
		return ockam_err_set(err, -ECONNREFUSED, "The node %s is not running", name);
	if (!node.tcp_listener[0])
		return ockam_err_set(err, -ENOENT, "The node %s has no TCP listener", name);
	ockam_reach_loopback(node.tcp_listener, socket);
	return 0;
}

int ockam_store_node_at(struct ockam_store *store, const char *socket,
			char name[OCKAM_NAME_SIZE], struct ockam_err *err)
{
	struct ockam_node_record *nodes;
	size_t i, count;
	int ret;

	*name = '\0';
	ret = ockam_store_node_list(store, &nodes, &count, err);
	if (ret)
		return ret;
	for (i = 0; i < count; i++) {
		if (nodes[i].tcp_listener[0] && ockam_node_runs(&nodes[i]) &&
		    ockam_reach_is_at(socket, nodes[i].tcp_listener))
			strcpy(name, nodes[i].name);
	}
	free(nodes);
	return 0;
}
