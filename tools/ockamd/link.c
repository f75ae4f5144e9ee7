// SPDX-License-Identifier: Apache-2.0
/*
 * Links of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"
#include "hex.h"
#include "log.h"
#include "node.h"

void ockamd_link_name_text(const struct ockam_nl_name *name, char text[OCKAMD_NAME_TEXT])
{
	struct ockam_piece piece = { .data = name->bytes, .len = name->len };

	if (ockam_bare_is_text(&piece)) {
		memcpy(text, name->bytes, name->len);
		text[name->len] = '\0';
	} else {
		ockam_hex_encode(name->bytes, name->len, text);
	}
}

void ockamd_link_flow_text(const struct ockam_nl_flow *flow, char text[OCKAMD_FLOW_TEXT])
{
	text[0] = '\0';
	if (flow->present)
		ockam_hex_encode(flow->id, sizeof(flow->id), text);
}

/* Values of Ockam's own transport (wire-protocol 2.1). */
static void ockamd_link_tune(int fd, bool accepted)
{
	int one = 1, idle = 300, interval = 75, probes = 2;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (accepted)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* Both ends of the connection as text, before the kernel takes it over. 0, -ENOTCONN. */
static int ockamd_link_ends(int fd, struct ockamd_link *link)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		return -errno;
	ockamd_dial_format(&addr, link->local);
	memset(&addr, 0, sizeof(addr));
	len = sizeof(addr);
	if (getpeername(fd, (struct sockaddr *)&addr, &len))
		return -errno;
	ockamd_dial_format(&addr, link->peer);
	return 0;
}

/* Of an accepted one there is a line at its end: probes and scans, which say nothing, are many. */
static void ockamd_link_log_end(const struct ockamd_link *link,
				const struct ockam_nl_event *event)
{
	const char *colon = event->reason[0] ? ": " : "";

	if (!link->accepted)
		ockamd_info("link %s: ended%s%s", link->address, colon, event->reason);
	else
		ockamd_log(event->messages ? OCKAMD_INFO : OCKAMD_DEBUG,
			   "link %s: from %s, ended after %llu messages%s%s", link->address,
			   link->peer, (unsigned long long)event->messages, colon,
			   event->reason);
}

int ockamd_link_add(struct ockamd_node *node, int fd, bool accepted,
		    struct ockamd_link *pair, struct ockamd_link **linkp,
		    struct ockam_err *err)
{
	struct ockam_nl_link_new new = {
		.fd = fd,
		.framing = OCKAM_FRAMING_STREAM,
		.accepted = accepted,
	};
	struct ockam_nl_made made;
	struct ockamd_link *link;
	int ret;

	link = calloc(1, sizeof(*link));
	if (!link) {
		close(fd);
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	ockamd_link_tune(fd, accepted);
	ret = ockamd_link_ends(fd, link);
	if (ret) {
		close(fd);
		free(link);
		return ockam_err_set(err, ret, "The connection has ended already");
	}
	link->accepted = accepted;
	if (accepted) {
		new.spawner.present = true;
		memcpy(new.spawner.id, node->transport_flow, sizeof(new.spawner.id));
	}
	if (pair)
		new.pair = pair->name;
	new.label = link->peer;
	if (strlen(link->peer) > 127)
		new.label = NULL;
	ret = ockam_nl_link_new(node->nl, &new, &made, err);
	close(fd);
	if (ret) {
		ockam_err_prefix(err, "The kernel refused the connection with %s", link->peer);
		free(link);
		return ret;
	}
	link->name = made.address;
	ockamd_link_name_text(&made.address, link->address);
	ockamd_link_flow_text(&made.flow, link->flow);
	if (pair && !pair->pair) {
		pair->pair = link;
		link->pair = pair;
	}
	LIST_INSERT_HEAD(&node->links, link, link);
	if (!accepted)
		ockamd_info("link %s: connected to %s%s%s", link->address, link->peer,
			    pair ? ", paired with " : "", pair ? pair->address : "");
	if (linkp)
		*linkp = link;
	return 0;
}

struct ockamd_link *ockamd_link_find(struct ockamd_node *node, const char *text)
{
	struct ockamd_link *link;

	LIST_FOREACH(link, &node->links, link) {
		if (!strcmp(link->address, text) || !strcmp(link->peer, text))
			return link;
	}
	return NULL;
}

/*
 * Out of the list, and what depends on it with it: the other link of a bridge,
 * the route that it was made for. Other links may be freed as well, so a
 * walk over the list must begin anew.
 */
static void ockamd_link_forget(struct ockamd_node *node, struct ockamd_link *link)
{
	struct ockamd_route *route = link->route;
	struct ockamd_link *pair = link->pair;

	LIST_REMOVE(link, link);
	free(link);
	if (pair) {
		pair->pair = NULL;
		ockamd_link_delete(node, pair);
	}
	if (route) {
		route->link = NULL;
		ockamd_route_lost(route);
	}
}

void ockamd_link_delete(struct ockamd_node *node, struct ockamd_link *link)
{
	struct ockam_err err = { 0 };

	if (ockam_nl_link_del(node->nl, link->name.bytes, link->name.len, &err) &&
	    err.code != -ENOENT)
		ockamd_warn("link %s: cannot delete: %s", link->address, err.text);
	else
		ockamd_info("link %s: deleted", link->address);
	ockamd_link_forget(node, link);
}

void ockamd_link_gone(struct ockamd_node *node, const struct ockam_nl_event *event)
{
	const struct ockam_nl_name *name = &event->address;
	struct ockamd_link *link;

	LIST_FOREACH(link, &node->links, link) {
		if (link->name.len == name->len &&
		    !memcmp(link->name.bytes, name->bytes, name->len)) {
			ockamd_link_log_end(link, event);
			ockamd_link_forget(node, link);
			return;
		}
	}
}

static int ockamd_link_seen(void *arg, const struct ockam_nl_link *link)
{
	(void)arg;
	(void)link;
	return 0;
}

void ockamd_link_resync(struct ockamd_node *node)
{
	struct ockamd_link *link = LIST_FIRST(&node->links);

	while (link) {
		if (ockam_nl_link_get(node->nl, link->name.bytes, link->name.len,
				      ockamd_link_seen, NULL, NULL) != -ENOENT) {
			link = LIST_NEXT(link, link);
			continue;
		}
		ockamd_channel_path_gone(node, link->address);
		ockamd_link_forget(node, link);
		link = LIST_FIRST(&node->links);
	}
}
