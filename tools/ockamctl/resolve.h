/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a MultiAddr to the hops of a route (cli 1.9): opens connections, bridges
 * through nodes of this home, makes secure channels on the way.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_RESOLVE_H
#define OCKAM_CTL_RESOLVE_H

#include <json-c/json.h>
#include <stdint.h>

#include "session.h"

/*
 * A resolved route. Links are ephemeral: they die with the session that made
 * them unless a channel or a message adopts them (the "links" argument).
 */
struct ctl_route {
	struct json_object	*hops;	/* array of address names, first hop first */
	struct json_object	*links;	/* array of addresses of links to adopt */
	char			*text;	/* the address as people gave it, nodes resolved */
};

/* What a route's secure channels are made with. */
struct ctl_route_options {
	const char	*identity;	/* of /secure/ hops; NULL: the node's */
	int64_t		deadline;	/* of all steps together, see ctl_left_ms() */
};

/**
 * ctl_resolve_begin() - what a command with --to begins with
 * @args: has the flag "to", whose dash is replaced
 * @node: name of the flag that names the acting node
 * @session: receives an open session of that node
 * @to: receives the text of the route, to free
 *
 * Standard input is read first: a broken pipe must not open connections.
 *
 * Return: CTL_EXIT_OK or CTL_EXIT_FAILURE (reported; nothing to close or free).
 */
int ctl_resolve_begin(struct ctl *ctl, const struct ctl_args *args, const char *node,
		      struct ctl_session *session, char **to);

/**
 * ctl_resolve() - make the hops of @addr, seen from the node of @session
 * @ctl: for the store and for reports
 * @session: the acting node; stays open as long as the route is used
 * @addr: text of a MultiAddr, a dash replaced already
 * @options: see there
 * @what: how to name the argument in an error: "--to"
 * @route: receives the route; ctl_route_free() it
 *
 * Return: CTL_EXIT_OK or CTL_EXIT_FAILURE (reported; nothing is left behind
 * once @session is closed).
 */
int ctl_resolve(struct ctl *ctl, struct ctl_session *session, const char *addr,
		const struct ctl_route_options *options, const char *what,
		struct ctl_route *route);
void ctl_route_free(struct ctl_route *route);

/** ctl_resolve_check_text() - is @addr well-formed? Return: as above */
int ctl_resolve_check_text(struct ctl *ctl, const char *addr, const char *what);

/**
 * ctl_resolve_check() - is @addr an address whose nodes exist and run?
 *
 * Nothing is connected. Return: as above.
 */
int ctl_resolve_check(struct ctl *ctl, const char *addr, const char *what);

/** ctl_route_put() - a route as members of a request: hops, links, and the text for lists */
void ctl_route_put(const struct ctl_route *route, struct json_object *request);

#endif /* OCKAM_CTL_RESOLVE_H */
