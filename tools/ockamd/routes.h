/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes as people type them, and what is made so that messages go along them:
 * connections of this node, connections of other nodes of the home, secure channels.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_ROUTES_H
#define OCKAMD_ROUTES_H

#include <sys/types.h>

#include "dial.h"
#include "names.h"
#include "nl.h"
#include "route.h"

struct json_object;
struct ockamd_channel;
struct ockamd_channel_making;
struct ockamd_link;
struct ockamd_node;
struct ockamd_request;
struct ockamd_sibling;

enum ockamd_step_kind {
	OCKAMD_STEP_HOP,	/* an address: nothing is made */
	OCKAMD_STEP_DIAL,	/* this node connects to a socket */
	OCKAMD_STEP_ASK,	/* the node reached last does, for this connection alone */
	OCKAMD_STEP_SECURE,	/* a channel along all hops so far takes their place */
};

/* text: address, socket or channel listener. node: who is asked. */
struct ockamd_step {
	enum ockamd_step_kind	kind;
	char			node[OCKAM_NAME_SIZE];
	char			text[OCKAMD_SOCKET_TEXT];
};

/*
 * A route.
 *
 * Born:   ockamd_route_new(): text and whose rights it has, nothing else.
 * Made:   ockamd_route_make() reads the text and takes one step after the other; at
 *         most one of dial, ask, making and again is under way. Nothing waits but in
 *         the event loop. It may be made again at any time, from its text: what was
 *         made before is ended first, addresses are looked up anew.
 * Owns:   link, which a first step has dialled, and the channels whose ->carries is
 *         this route, each over what is older. What other nodes have made is theirs: it
 *         is joined to the far end of link and ends with that.
 * Lost:   when a part ends by itself the others are ended too. While it is made,
 *         done() gets the reason; afterwards lost() is called, if there is one.
 * Owner:  a request (->route) or a channel (->route). arg is the owner's; done() and
 *         lost() may end the route or make it again.
 * Dies:   ockamd_route_end(), or ockamd_route_end_later(); neither calls back.
 */
struct ockamd_route {
	struct ockamd_node		*node;
	char				*text;
	struct json_object		*args;		/* "identity" of its channels, or {} */
	uid_t				user;		/* who is behind it, for other nodes */

	struct ockamd_step		*steps;
	size_t				n_steps;
	size_t				next;
	bool				made;
	struct ockam_route		hops;
	char				*shown;		/* hops for people, NULL: not made */
	struct ockamd_link		*link;
	char				local[OCKAMD_SOCKET_TEXT];	/* ends of the */
	char				remote[OCKAMD_SOCKET_TEXT];	/* last connection */

	struct ockamd_dial_job		*dial;
	struct ockamd_sibling		*ask;
	struct ockamd_channel_making	*making;
	struct ockamd_timer		again;
	int64_t				deadline;

	bool				invalid;	/* why it failed: of its text */
	const char			*help;		/* and what to do, or NULL */
	void				(*done)(void *arg, const struct ockam_err *err);
	void				(*lost)(void *arg);
	void				*arg;
};

/**
 * ockamd_route_new() - a route that is not made yet
 * @text: MultiAddr
 * @identity: of the channels on the way; NULL: the node's
 * @user: whose rights count when other nodes are asked
 *
 * Return: NULL without memory.
 */
struct ockamd_route *ockamd_route_new(struct ockamd_node *node, const char *text,
				      const char *identity, uid_t user);

/**
 * ockamd_route_make() - make it, or make it again
 * @deadline: of all steps together, as ockamd_loop_now()
 * @done: called once, from the loop, when this returns 0; @err NULL: it is made
 * @arg: for @done; the owner
 * @err: the reason; route->invalid and ->help say more, here and in @done
 *
 * Return: 1 when it is made already, 0 when @done is called later, a negative errno.
 */
int ockamd_route_make(struct ockamd_route *route, int64_t deadline,
		      void (*done)(void *arg, const struct ockam_err *err), void *arg,
		      struct ockam_err *err);

/** ockamd_route_own() - @arg owns it from now on; @lost may be NULL */
void ockamd_route_own(struct ockamd_route *route, void (*lost)(void *arg), void *arg);

/** ockamd_route_inherit() - what @route begins with, but @old was made with, becomes its own */
void ockamd_route_inherit(struct ockamd_route *route, struct ockamd_route *old);

/** ockamd_route_end() - end all that it owns, whatever it does; NULL is allowed */
void ockamd_route_end(struct ockamd_route *route);

/** ockamd_route_end_later() - the same in @ms milliseconds; nobody owns it until then */
void ockamd_route_end_later(struct ockamd_route *route, int64_t ms);

/** ockamd_route_lost() - a part of it has ended and is off its books */
void ockamd_route_lost(struct ockamd_route *route);

/** ockamd_route_first() - name of the first hop for people; "" when there is none */
void ockamd_route_first(const struct ockam_route *hops,
			char text[2 * OCKAM_ADDR_MAX_LEN + 1]);

/** ockamd_route_read() - the steps of route->text; 0 or a negative errno, nothing is made */
int ockamd_route_read(struct ockamd_route *route, struct ockam_err *err);

/**
 * ockamd_route_serve() - make the route of a request, then call @then as its handler
 *
 * "route", "timeout_ms" and "identity" of the request say which. request->route and
 * ->deadline are set for @then. A failure is answered.
 */
void ockamd_route_serve(struct ockamd_request *request,
			void (*then)(struct ockamd_request *request));

/** ockamd_route_left() - milliseconds until the request's deadline, 1 to @max */
int ockamd_route_left(int64_t deadline, int64_t max);

#endif /* OCKAMD_ROUTES_H */
