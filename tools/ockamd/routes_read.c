// SPDX-License-Identifier: Apache-2.0
/*
 * From the text of a route to its steps. Which node is meant is looked up here, so
 * that nothing is made for a route that leads nowhere.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "multiaddr.h"
#include "node.h"

#define OCKAMD_ROUTE_STRANGER	"let the operator of that node make a connection with: ockam tcp-connection create; then name it in the route as /worker/<address>"

struct ockamd_route_reading {
	struct ockamd_route	*route;
	struct ockam_err	*err;
	/* The last connection: how many there were, where it leads, which node that is. */
	unsigned int		transports;
	char			socket[OCKAM_SOCKET_TEXT];
	char			node[OCKAM_NAME_SIZE];
	bool			secure;		/* behind a /secure/ hop */
};

/* The text is wrong: it names something that is not there. */
static int ockamd_route_invalid(struct ockamd_route *route, int ret, const char *help)
{
	route->invalid = true;
	route->help = help;
	return ret;
}

static struct ockamd_step *ockamd_route_add(struct ockamd_route *route,
					    enum ockamd_step_kind kind, const char *text)
{
	struct ockamd_step *step = &route->steps[route->n_steps++];

	step->kind = kind;
	snprintf(step->text, sizeof(step->text), "%s", text);
	return step;
}

/* Another connection, to reading->socket; @node: who is known to be there, or "". */
static int ockamd_route_read_transport(struct ockamd_route_reading *reading, const char *socket,
				       const char *node)
{
	struct ockamd_route *route = reading->route;
	struct ockamd_step *step;
	int ret = 0;

	if (!reading->transports && !reading->secure) {
		ockamd_route_add(route, OCKAMD_STEP_DIAL, socket);
	} else {
		if (!reading->node[0] && !reading->secure)
			ret = ockam_store_node_at(route->node->store, reading->socket,
						  reading->node, reading->err);
		if (ret)
			return ret;
		if (!reading->node[0] || reading->secure) {
			route->help = OCKAMD_ROUTE_STRANGER;
			return ockam_err_set(reading->err, -EACCES,
					     "The route goes on through a node that is not one of this home, so it cannot be asked to connect to %s",
					     socket);
		}
		step = ockamd_route_add(route, OCKAMD_STEP_ASK, socket);
		strcpy(step->node, reading->node);
	}
	reading->transports++;
	snprintf(reading->socket, sizeof(reading->socket), "%s", socket);
	snprintf(reading->node, sizeof(reading->node), "%s", node);
	return 0;
}

static int ockamd_route_read_node(struct ockamd_route_reading *reading, const char *name)
{
	char socket[OCKAM_SOCKET_TEXT];
	int ret;

	ret = ockam_store_node_reach(reading->route->node->store, name, socket, reading->err);
	if (ret == -ECONNREFUSED)
		return ockamd_route_invalid(reading->route, ret,
					    "start it with: ockam node start");
	if (ret == -ENOENT)
		return ockamd_route_invalid(reading->route, ret,
					    "ockam node list shows the nodes there are");
	return ret ? ret : ockamd_route_read_transport(reading, socket, name);
}

/* @seg and, behind a host, its port: *used. */
static int ockamd_route_read_segment(struct ockamd_route_reading *reading,
				     const struct ockam_segment *seg, size_t *used)
{
	struct ockamd_route *route = reading->route;
	char socket[OCKAM_SOCKET_TEXT];

	*used = 1;
	switch (seg->proto) {
	case OCKAM_PROTO_NODE:
		return ockamd_route_read_node(reading, seg->text);
	case OCKAM_PROTO_SECURE:
		reading->secure = true;
		ockamd_route_add(route, OCKAMD_STEP_SECURE, seg->text);
		return 0;
	case OCKAM_PROTO_SERVICE:
	case OCKAM_PROTO_WORKER:
		ockamd_route_add(route, OCKAMD_STEP_HOP, seg->text);
		return 0;
	case OCKAM_PROTO_IP4:
	case OCKAM_PROTO_IP6:
	case OCKAM_PROTO_DNSADDR:
		/* The parser has seen to it that a port follows. */
		*used = 2;
		if (seg[1].proto != OCKAM_PROTO_TCP)
			break;
		snprintf(socket, sizeof(socket),
			 seg->proto == OCKAM_PROTO_IP6 ? "[%s]:%u" : "%s:%u", seg->text,
			 seg[1].port);
		return ockamd_route_read_transport(reading, socket, "");
	case OCKAM_PROTO_UDP:
	case OCKAM_PROTO_TCP:
		break;
	case OCKAM_PROTO_PROJECT:
	case OCKAM_PROTO_SPACE:
		return ockam_err_set(reading->err, -ENOENT, "No %s with the name %s is known here",
				     ockam_proto_name(seg->proto), seg->text);
	}
	ockam_err_set(reading->err, -EPROTONOSUPPORT, "/%s/ is no transport that links can use",
		      ockam_proto_name(seg[*used - 1].proto));
	return ockamd_route_invalid(route, -EPROTONOSUPPORT, "use /tcp/<port>");
}

static int ockamd_route_read_all(struct ockamd_route_reading *reading,
				 const struct ockam_multiaddr *addr)
{
	struct ockamd_route *route = reading->route;
	size_t i, used;
	int ret = 0;

	if (!addr->count) {
		ockam_err_set(reading->err, -EINVAL, "the route is empty");
		return ockamd_route_invalid(route, -EINVAL, NULL);
	}
	route->steps = calloc(addr->count, sizeof(*route->steps));
	if (!route->steps)
		return ockam_err_set(reading->err, -ENOMEM, "Out of memory");
	for (i = 0; !ret && i < addr->count; i += used)
		ret = ockamd_route_read_segment(reading, &addr->segments[i], &used);
	return ret;
}

int ockamd_route_read(struct ockamd_route *route, struct ockam_err *err)
{
	struct ockamd_route_reading reading = { .route = route, .err = err };
	struct ockam_multiaddr *addr = calloc(1, sizeof(*addr));
	int ret;

	if (!addr)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	ret = ockam_multiaddr_parse(addr, route->text, err);
	if (ret) {
		ockam_err_prefix(err, "Could not convert %s into route", route->text);
		ockamd_route_invalid(route, ret, "a route looks like /node/n2/service/api");
	} else {
		ret = ockamd_route_read_all(&reading, addr);
	}
	free(addr);
	return ret;
}
