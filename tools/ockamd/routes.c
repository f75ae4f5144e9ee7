// SPDX-License-Identifier: Apache-2.0
/*
 * Life of routes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "node.h"
#include "sibling.h"

#define OCKAMD_ROUTE_AGAIN_MS	50	/* until a locked database is tried again */

static void ockamd_route_walk(struct ockamd_route *route);

int ockamd_route_left(int64_t deadline, int64_t max)
{
	int64_t left = deadline - ockamd_loop_now();

	if (left > max)
		left = max;
	return left > 0 ? (int)left : 1;
}

void ockamd_route_first(const struct ockam_route *hops, char text[OCKAMD_NAME_TEXT])
{
	struct ockam_nl_name name;
	struct ockam_hop hop;

	text[0] = '\0';
	if (!ockam_route_hop(hops, 0, &hop))
		return;
	name.len = hop.len;
	memcpy(name.bytes, hop.name, hop.len);
	ockamd_link_name_text(&name, text);
}

/* "/service/<hop>/service/<hop>". Return: 0 or -ENOMEM. */
static int ockamd_route_show(struct ockamd_route *route, struct ockam_err *err)
{
	struct ockam_hop hop;
	unsigned int i;
	size_t size;
	FILE *f;

	free(route->shown);
	route->shown = NULL;
	f = open_memstream(&route->shown, &size);
	for (i = 0; f && ockam_route_hop(&route->hops, i, &hop); i++)
		fprintf(f, "/service/%.*s", hop.len, (const char *)hop.name);
	if (f && !fclose(f))
		return 0;
	return ockam_err_set(err, -ENOMEM, "Out of memory");
}

/* ---- its end ------------------------------------------------------------------ */

static struct ockamd_channel *ockamd_route_newest_carrier(struct ockamd_route *route)
{
	struct ockamd_channel *channel;

	LIST_FOREACH(channel, &route->node->channels, link) {
		if (channel->carries == route)
			return channel;
	}
	return NULL;
}

/* Back to text alone. Channels first: they still say Close over what is older. */
static void ockamd_route_clear(struct ockamd_route *route)
{
	struct ockamd_link *link = route->link;
	struct ockamd_channel *carrier;

	ockamd_loop_disarm(&route->again);
	if (route->dial)
		ockamd_dial_cancel(route->dial);
	if (route->ask)
		ockamd_sibling_cancel(route->ask);
	if (route->making)
		ockamd_channel_cancel(route->making);
	route->dial = NULL;
	route->ask = NULL;
	route->making = NULL;
	while ((carrier = ockamd_route_newest_carrier(route))) {
		carrier->carries = NULL;
		ockamd_channel_lost(route->node, carrier);
	}
	route->link = NULL;
	if (link) {
		link->route = NULL;
		ockamd_link_delete(route->node, link);
	}
	free(route->steps);
	free(route->shown);
	route->steps = NULL;
	route->shown = NULL;
	route->n_steps = 0;
	route->next = 0;
	route->made = false;
	memset(&route->hops, 0, sizeof(route->hops));
}

void ockamd_route_end(struct ockamd_route *route)
{
	if (!route)
		return;
	ockamd_route_clear(route);
	json_object_put(route->args);
	free(route->text);
	free(route);
}

static void ockamd_route_end_now(struct ockamd_timer *timer)
{
	ockamd_route_end((struct ockamd_route *)
			 ((char *)timer - offsetof(struct ockamd_route, again)));
}

void ockamd_route_end_later(struct ockamd_route *route, int64_t ms)
{
	ockamd_route_own(route, NULL, NULL);
	route->again.fn = ockamd_route_end_now;
	ockamd_loop_arm(&route->node->loop, &route->again, ms);
}

void ockamd_route_lost(struct ockamd_route *route)
{
	bool made = route->made;
	struct ockam_err err;

	/* Nobody wants to know: what is left ends with the route. */
	if (made && !route->lost)
		return;
	ockamd_route_clear(route);
	if (made) {
		route->lost(route->arg);
		return;
	}
	ockam_err_set(&err, -ECONNRESET, "The connection ended while the route was made over it");
	route->done(route->arg, &err);
}

/* ---- steps: 1 when it is done, 0 when it waits, a negative errno --------------------- */

/* A step that has waited has ended; @err NULL: well. */
static void ockamd_route_go_on(struct ockamd_route *route, const struct ockam_err *err)
{
	if (!err) {
		route->next++;
		ockamd_route_walk(route);
		return;
	}
	ockamd_route_clear(route);
	route->done(route->arg, err);
}

static int ockamd_route_step_hop(struct ockamd_route *route, const struct ockamd_step *step,
				 struct ockam_err *err)
{
	return ockam_route_append_text(&route->hops, step->text, err) ?: 1;
}

static void ockamd_route_dialled(void *arg, int fd, const struct ockam_err *why)
{
	struct ockamd_route *route = arg;
	struct ockamd_link *link;
	struct ockam_err err;
	int ret;

	route->dial = NULL;
	if (fd < 0) {
		err = *why;
		ockamd_route_go_on(route, &err);
		return;
	}
	ret = ockamd_link_add(route->node, fd, false, NULL, &link, &err);
	if (!ret) {
		link->route = route;
		route->link = link;
		strcpy(route->local, link->local);
		strcpy(route->remote, link->peer);
		ret = ockam_route_append_text(&route->hops, link->address, &err);
	}
	ockamd_route_go_on(route, ret ? &err : NULL);
}

static int ockamd_route_step_dial(struct ockamd_route *route, const struct ockamd_step *step,
				  struct ockam_err *err)
{
	/* Who does not answer soon is not there. */
	return ockamd_dial_connect(route->node->dial, step->text,
				   ockamd_route_left(route->deadline, OCKAMD_DIAL_MS),
				   ockamd_route_dialled, route, &route->dial, err);
}

static void ockamd_route_asked(void *arg, struct json_object *result, const struct ockam_err *why)
{
	const char *address = ockam_value_text(result, "address");
	struct ockamd_route *route = arg;
	struct ockam_err err;
	int ret;

	route->ask = NULL;
	if (!result) {
		err = *why;
		ret = err.code;
	} else {
		snprintf(route->local, sizeof(route->local), "%s",
			 ockam_value_text(result, "local") ?: "");
		snprintf(route->remote, sizeof(route->remote), "%s",
			 ockam_value_text(result, "peer") ?: "");
		ret = ockam_route_append_text(&route->hops, address ?: "", &err);
	}
	ockamd_route_go_on(route, ret ? &err : NULL);
}

static int ockamd_route_step_ask(struct ockamd_route *route, const struct ockamd_step *step,
				 struct ockam_err *err)
{
	struct json_object *args = json_object_new_object();

	ockam_value_put_text(args, "to", step->text);
	ockam_value_put_text(args, "inbound", route->local);
	ockam_value_put_text(args, "listener", route->remote);
	return ockamd_sibling_ask(route->node, step->node, route->user, "tcp-connection.bridge",
				  args, ockamd_route_left(route->deadline, OCKAMD_DIAL_MS),
				  ockamd_route_asked, route, &route->ask, err);
}

static void ockamd_route_secured(void *arg, struct ockamd_channel *channel, bool confirmed,
				 const struct ockam_err *why)
{
	struct ockamd_route *route = arg;
	struct ockam_err err;
	int ret;

	(void)confirmed;
	route->making = NULL;
	if (!channel) {
		err = *why;
		ockamd_route_go_on(route, &err);
		return;
	}
	channel->carries = route;
	memset(&route->hops, 0, sizeof(route->hops));
	ret = ockam_route_append_text(&route->hops, channel->address, &err);
	ockamd_route_go_on(route, ret ? &err : NULL);
}

static void ockamd_route_again(struct ockamd_timer *timer)
{
	ockamd_route_walk((struct ockamd_route *)
			  ((char *)timer - offsetof(struct ockamd_route, again)));
}

static int ockamd_route_step_secure(struct ockamd_route *route, const struct ockamd_step *step,
				    struct ockam_err *err)
{
	struct ockamd_node *node = route->node;
	struct ockam_route before = route->hops;
	int ret;

	ret = ockam_route_append_text(&route->hops, step->text, err);
	if (!ret)
		ret = ockamd_route_show(route, err);
	if (ret)
		return ret;
	ockam_store_was_busy(node->store);
	ret = ockamd_channel_make(node, route->args, &route->hops, route->shown,
				  ockamd_route_left(route->deadline, OCKAMD_CHANNEL_MS),
				  ockamd_route_secured, route, &route->making, err);
	/* Somebody writes to the database, and the loop does not wait. */
	if (ret == -EBUSY && ockam_store_was_busy(node->store) &&
	    ockamd_loop_now() < route->deadline) {
		route->hops = before;
		route->again.fn = ockamd_route_again;
		ockamd_loop_arm(&node->loop, &route->again, OCKAMD_ROUTE_AGAIN_MS);
		return 0;
	}
	return ret;
}

static int ockamd_route_steps(struct ockamd_route *route, struct ockam_err *err)
{
	static int (*const take[])(struct ockamd_route *route, const struct ockamd_step *step,
				   struct ockam_err *err) = {
		[OCKAMD_STEP_HOP]	= ockamd_route_step_hop,
		[OCKAMD_STEP_DIAL]	= ockamd_route_step_dial,
		[OCKAMD_STEP_ASK]	= ockamd_route_step_ask,
		[OCKAMD_STEP_SECURE]	= ockamd_route_step_secure,
	};
	int ret;

	for (; route->next < route->n_steps; route->next++) {
		ret = take[route->steps[route->next].kind](route, &route->steps[route->next], err);
		if (ret <= 0)
			return ret;
	}
	ret = ockamd_route_show(route, err);
	route->made = !ret;
	return ret ?: 1;
}

static void ockamd_route_walk(struct ockamd_route *route)
{
	struct ockam_err err;
	int ret;

	ret = ockamd_route_steps(route, &err);
	if (ret > 0)
		route->done(route->arg, NULL);
	else if (ret < 0)
		ockamd_route_go_on(route, &err);
}

/* ---- for owners ------------------------------------------------------------------ */

struct ockamd_route *ockamd_route_new(struct ockamd_node *node, const char *text,
				      const char *identity, uid_t user)
{
	struct ockamd_route *route = calloc(1, sizeof(*route));

	if (!route)
		return NULL;
	route->node = node;
	route->user = user;
	route->text = strdup(text);
	route->args = json_object_new_object();
	if (!route->text || !route->args ||
	    (identity && ockam_value_put_text(route->args, "identity", identity))) {
		ockamd_route_end(route);
		return NULL;
	}
	return route;
}

int ockamd_route_make(struct ockamd_route *route, int64_t deadline,
		      void (*done)(void *arg, const struct ockam_err *err), void *arg,
		      struct ockam_err *err)
{
	int ret;

	ockamd_route_clear(route);
	route->invalid = false;
	route->help = NULL;
	route->deadline = deadline;
	route->done = done;
	route->arg = arg;
	ret = ockamd_route_read(route, err);
	return ret ? ret : ockamd_route_steps(route, err);
}

void ockamd_route_own(struct ockamd_route *route, void (*lost)(void *arg), void *arg)
{
	route->lost = lost;
	route->arg = arg;
}

void ockamd_route_inherit(struct ockamd_route *route, struct ockamd_route *old)
{
	char first[OCKAMD_NAME_TEXT];
	struct ockamd_channel *channel;
	bool found = false;

	ockamd_route_first(&route->hops, first);
	/* The newest is first: behind the one that is meant comes what carries it. */
	LIST_FOREACH(channel, &route->node->channels, link) {
		if (channel->carries != old)
			continue;
		found = found || !strcmp(channel->address, first);
		if (found)
			channel->carries = route;
	}
	if (!old->link || route->link || (!found && strcmp(old->link->address, first)))
		return;
	route->link = old->link;
	route->link->route = route;
	old->link = NULL;
}
