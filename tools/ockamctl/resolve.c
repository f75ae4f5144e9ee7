// SPDX-License-Identifier: Apache-2.0
/*
 * Resolution of routes, segment by segment.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "multiaddr.h"
#include "stdin_route.h"

#define CTL_RESOLVE_DIAL_MS	10000

/* State while a route is made. */
struct ctl_resolve {
	struct ctl			*ctl;
	struct ctl_session		*session;	/* the acting node */
	const struct ctl_route_options	*options;
	const char			*what;
	struct ctl_route		*route;
	/* Where the last transport segment has led: a node of this home, or "". */
	char				reached[OCKAM_NAME_SIZE];
	/* Both ends of that connection. */
	char				local[OCKAM_SOCKET_TEXT];
	char				remote[OCKAM_SOCKET_TEXT];
	unsigned int			transports;
	bool				secure;		/* behind a /secure/ hop */
};

void ctl_route_free(struct ctl_route *route)
{
	json_object_put(route->hops);
	json_object_put(route->links);
	free(route->text);
	memset(route, 0, sizeof(*route));
}

/* "/service/<hop>/service/<hop>"; to be freed, NULL without memory. */
static char *ctl_route_shown(const struct ctl_route *route)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (i = 0; i < json_object_array_length(route->hops); i++)
		fprintf(f, "/service/%s",
			json_object_get_string(json_object_array_get_idx(route->hops, i)));
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

void ctl_route_put(const struct ctl_route *route, struct json_object *request)
{
	char *shown = ctl_route_shown(route);

	ockam_value_put(request, "route", json_object_get(route->hops));
	ockam_value_put(request, "links", json_object_get(route->links));
	ockam_value_put_text(request, "shown_route", shown);
	free(shown);
}

/* A listener on all addresses is reached on the loopback. */
static void ctl_resolve_reachable(const char *listener, char *socket, size_t size)
{
	const char *port = strrchr(listener, ':');

	if (port && (!strncmp(listener, "0.0.0.0:", 8) || !strncmp(listener, "[::]:", 5)))
		snprintf(socket, size, "%s%s", *listener == '[' ? "[::1]" : "127.0.0.1", port);
	else
		snprintf(socket, size, "%s", listener);
}

static bool ctl_resolve_is_loopback(const char *socket)
{
	return !strncmp(socket, "localhost:", 10) || !strncmp(socket, "127.", 4) ||
	       !strncmp(socket, "[::1]:", 6);
}

/* Would somebody who dials @socket reach the one who listens at @listener? */
static bool ctl_resolve_is_at(const char *socket, const char *listener)
{
	char reachable[OCKAM_SOCKET_TEXT];
	const char *port = strrchr(socket, ':');

	ctl_resolve_reachable(listener, reachable, sizeof(reachable));
	if (!strcmp(socket, reachable))
		return true;
	return port && strrchr(reachable, ':') && !strcmp(port, strrchr(reachable, ':')) &&
	       ctl_resolve_is_loopback(socket) && ctl_resolve_is_loopback(reachable);
}

/* Name of the running node of this home that listens at @socket, else "". */
static void ctl_resolve_find_node(struct ctl_resolve *r, const char *socket, char *name,
				  size_t size)
{
	struct ockam_node_record *nodes = NULL;
	struct ockam_err err;
	size_t count = 0;
	size_t i;

	*name = '\0';
	if (ctl_store(r->ctl, false) || !r->ctl->store ||
	    ockam_store_node_list(r->ctl->store, &nodes, &count, &err) < 0)
		return;
	for (i = 0; i < count; i++) {
		if (nodes[i].tcp_listener[0] && ctl_resolve_is_at(socket, nodes[i].tcp_listener) &&
		    ockam_node_runs(&nodes[i]))
			snprintf(name, size, "%s", nodes[i].name);
	}
	free(nodes);
}

/* Both ends of the connection that was made last. */
static void ctl_resolve_ends(struct ctl_resolve *r, struct json_object *link)
{
	snprintf(r->local, sizeof(r->local), "%s", ockam_value_text(link, "local") ?: "");
	snprintf(r->remote, sizeof(r->remote), "%s", ockam_value_text(link, "peer") ?: "");
}

/* How long a node may try to connect: who does not answer soon is not there. */
static int ctl_resolve_dial_ms(const struct ctl_resolve *r)
{
	int left = ctl_left_ms(r->options->deadline);

	return left < CTL_RESOLVE_DIAL_MS ? left : CTL_RESOLVE_DIAL_MS;
}

/* The acting node dials: the first transport of a route. */
static int ctl_resolve_dial(struct ctl_resolve *r, const char *socket)
{
	struct json_object *args = json_object_new_object();
	struct json_object *result;
	const char *address;
	int ret;

	ockam_value_put_text(args, "to", socket);
	ockam_value_put_bool(args, "ephemeral", true);
	ockam_value_put_int(args, "timeout_ms", ctl_resolve_dial_ms(r));
	ret = ctl_session_do(r->ctl, r->session, "tcp-connection.create", args,
			     ctl_left_ms(r->options->deadline), &result);
	if (ret)
		return ret;
	address = ockam_value_text(result, "address");
	ctl_resolve_ends(r, result);
	json_object_array_add(r->route->hops, json_object_new_string(address ?: ""));
	json_object_array_add(r->route->links, json_object_new_string(address ?: ""));
	json_object_put(result);
	return CTL_EXIT_OK;
}

/*
 * The node that the route has reached dials on, over a link that only this
 * path may use. Needs rights over that node: it must be one of this home.
 */
static int ctl_resolve_bridge(struct ctl_resolve *r, const char *socket)
{
	struct json_object *args, *result;
	struct ctl_session hop;
	const char *address;
	int ret;

	if (!r->reached[0] || r->secure)
		return ctl_output_fail(&r->ctl->out, -EACCES, NULL,
				       "let the operator of that node make a connection with: ockam tcp-connection create; then name it in the route as /worker/<address>",
				       "The route goes on through a node that is not one of this home, so it cannot be asked to connect to %s",
				       socket);
	ret = ctl_session_open(r->ctl, r->reached, &hop);
	if (ret)
		return ret;
	args = json_object_new_object();
	ockam_value_put_text(args, "to", socket);
	ockam_value_put_text(args, "inbound", r->local);
	ockam_value_put_text(args, "listener", r->remote);
	ockam_value_put_int(args, "timeout_ms", ctl_resolve_dial_ms(r));
	ret = ctl_session_do(r->ctl, &hop, "tcp-connection.bridge", args,
			     ctl_left_ms(r->options->deadline), &result);
	ctl_session_close(&hop);
	if (ret)
		return ret;
	address = ockam_value_text(result, "address");
	ctl_resolve_ends(r, result);
	json_object_array_add(r->route->hops, json_object_new_string(address ?: ""));
	json_object_put(result);
	return CTL_EXIT_OK;
}

static int ctl_resolve_transport(struct ctl_resolve *r, const char *socket)
{
	int ret = r->transports ? ctl_resolve_bridge(r, socket) : ctl_resolve_dial(r, socket);

	r->transports++;
	ctl_resolve_find_node(r, socket, r->reached, sizeof(r->reached));
	return ret;
}

/* The record of a node that can be dialled. */
static int ctl_resolve_record(struct ctl *ctl, const char *what, const char *name,
			      struct ockam_node_record *node)
{
	struct ockam_err err;
	int ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (!ctl->store || ockam_store_node_get(ctl->store, name, node, &err) < 0)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL,
				       "ockam node list shows the nodes there are",
				       "Argument '%s' is invalid: There is no node with name %s",
				       what, name);
	if (!ockam_node_runs(node))
		return ctl_output_fail(&ctl->out, -ECONNREFUSED, NULL,
				       "start it with: ockam node start",
				       "Argument '%s' is invalid: The node %s is not running",
				       what, name);
	if (!node->tcp_listener[0])
		return ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				       "Argument '%s' is invalid: The node %s has no TCP listener",
				       what, name);
	return CTL_EXIT_OK;
}

static int ctl_resolve_node(struct ctl_resolve *r, const char *name)
{
	struct ockam_node_record node;
	char socket[OCKAM_SOCKET_TEXT];
	int ret;

	ret = ctl_resolve_record(r->ctl, r->what, name, &node);
	if (ret)
		return ret;
	ctl_resolve_reachable(node.tcp_listener, socket, sizeof(socket));
	ret = ctl_resolve_transport(r, socket);
	if (!ret)
		snprintf(r->reached, sizeof(r->reached), "%s", name);
	return ret;
}

/* A secure channel over the hops so far takes their place. */
static int ctl_resolve_secure(struct ctl_resolve *r, const char *listener)
{
	struct json_object *args = json_object_new_object();
	struct json_object *result;
	int ret;

	json_object_array_add(r->route->hops, json_object_new_string(listener));
	ctl_route_put(r->route, args);
	ockam_value_put_int(args, "timeout_ms", ctl_left_ms(r->options->deadline));
	ockam_value_put_bool(args, "ephemeral", true);
	if (r->options->identity)
		ockam_value_put_text(args, "identity", r->options->identity);
	ret = ctl_session_do(r->ctl, r->session, "secure-channel.create", args,
			     ctl_left_ms(r->options->deadline), &result);
	if (ret)
		return ret;
	json_object_put(r->route->hops);
	json_object_put(r->route->links);
	r->route->hops = json_object_new_array();
	r->route->links = json_object_new_array();
	json_object_array_add(r->route->hops,
			      json_object_new_string(ockam_value_text(result, "address") ?: ""));
	r->secure = true;
	json_object_put(result);
	return CTL_EXIT_OK;
}

static int ctl_resolve_segment(struct ctl_resolve *r, const struct ockam_multiaddr *addr,
			       size_t *i)
{
	const struct ockam_segment *seg = &addr->segments[*i];
	const struct ockam_segment *port;
	char socket[OCKAM_SOCKET_TEXT];

	switch (seg->proto) {
	case OCKAM_PROTO_NODE:
		return ctl_resolve_node(r, seg->text);
	case OCKAM_PROTO_SECURE:
		return ctl_resolve_secure(r, seg->text);
	case OCKAM_PROTO_SERVICE:
	case OCKAM_PROTO_WORKER:
		json_object_array_add(r->route->hops, json_object_new_string(seg->text));
		return CTL_EXIT_OK;
	case OCKAM_PROTO_IP4:
	case OCKAM_PROTO_IP6:
	case OCKAM_PROTO_DNSADDR:
		/* The parser has seen to it that a port follows. */
		port = &addr->segments[++*i];
		if (port->proto != OCKAM_PROTO_TCP)
			break;
		snprintf(socket, sizeof(socket),
			 seg->proto == OCKAM_PROTO_IP6 ? "[%s]:%u" : "%s:%u", seg->text,
			 port->port);
		return ctl_resolve_transport(r, socket);
	case OCKAM_PROTO_UDP:
	case OCKAM_PROTO_TCP:
		break;
	case OCKAM_PROTO_PROJECT:
	case OCKAM_PROTO_SPACE:
		return ctl_output_fail(&r->ctl->out, -ENOENT, NULL, NULL,
				       "No %s with the name %s is known here",
				       ockam_proto_name(seg->proto), seg->text);
	}
	return ctl_output_fail(&r->ctl->out, -EPROTONOSUPPORT, NULL, "use /tcp/<port>",
			       "Argument '%s' is invalid: /%s/ is no transport that links can use",
			       r->what, ockam_proto_name(addr->segments[*i].proto));
}

static int ctl_resolve_parse(struct ctl *ctl, const char *text, const char *what,
			     struct ockam_multiaddr *addr)
{
	struct ockam_err err;

	if (!ockam_multiaddr_parse(addr, text, &err))
		return CTL_EXIT_OK;
	return ctl_output_fail(&ctl->out, -EINVAL, err.text,
			       "a route looks like /node/n2/service/api",
			       "Argument '%s' is invalid: Could not convert %s into route", what,
			       text);
}

int ctl_resolve_check_text(struct ctl *ctl, const char *text, const char *what)
{
	struct ockam_multiaddr *addr = calloc(1, sizeof(*addr));
	int ret;

	if (!addr)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	ret = ctl_resolve_parse(ctl, text, what, addr);
	free(addr);
	return ret;
}

int ctl_resolve_check(struct ctl *ctl, const char *text, const char *what)
{
	struct ockam_multiaddr *addr = calloc(1, sizeof(*addr));
	struct ockam_node_record node;
	size_t i;
	int ret;

	if (!addr)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	ret = ctl_resolve_parse(ctl, text, what, addr);
	for (i = 0; !ret && i < addr->count; i++) {
		if (addr->segments[i].proto == OCKAM_PROTO_NODE)
			ret = ctl_resolve_record(ctl, what, addr->segments[i].text, &node);
	}
	free(addr);
	return ret;
}

int ctl_resolve_begin(struct ctl *ctl, const struct ctl_args *args, const char *node,
		      struct ctl_session *session, char **to)
{
	int ret;

	ret = ctl_stdin_route(ctl, ctl_arg(args, "to"), to);
	if (ret)
		return ret;
	ret = ctl_session_open(ctl, ctl_arg(args, node), session);
	if (ret)
		free(*to);
	return ret;
}

int ctl_resolve(struct ctl *ctl, struct ctl_session *session, const char *text,
		const struct ctl_route_options *options, const char *what,
		struct ctl_route *route)
{
	struct ctl_resolve r = {
		.ctl = ctl, .session = session, .options = options, .what = what, .route = route,
	};
	struct ockam_multiaddr *addr;
	int ret;
	size_t i;

	memset(route, 0, sizeof(*route));
	addr = calloc(1, sizeof(*addr));
	route->text = strdup(text);
	if (!addr || !route->text) {
		free(addr);
		ctl_route_free(route);
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	}
	route->hops = json_object_new_array();
	route->links = json_object_new_array();
	/* All of it first: nothing is dialled for a route that leads nowhere. */
	ret = ctl_resolve_check(ctl, text, what);
	if (!ret)
		ret = ctl_resolve_parse(ctl, text, what, addr);
	for (i = 0; i < addr->count && !ret; i++)
		ret = ctl_resolve_segment(&r, addr, &i);
	if (!ret && !addr->count)
		ret = ctl_output_fail(&ctl->out, -EINVAL, NULL, NULL,
				      "Argument '%s' is invalid: the route is empty", what);
	free(addr);
	if (ret)
		ctl_route_free(route);
	return ret;
}
