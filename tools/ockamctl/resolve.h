/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes of commands (cli 1.9): what is typed goes to the node, which makes of it
 * what it needs and says what is wrong.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_RESOLVE_H
#define OCKAM_CTL_RESOLVE_H

#include <json-c/json.h>
#include <stdint.h>

#include "session.h"

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
 * ctl_resolve_ask() - a request with a route
 * @request: its other members; the reference is taken over
 * @to: text of the route, from --to, a dash replaced already
 * @deadline: of everything, see ctl_left_ms()
 * @result: receives a reference, or NULL
 * @err: a failure that is not the route's
 *
 * Return: CTL_EXIT_OK; CTL_EXIT_FAILURE when the route is to blame (reported);
 * the negative errno of another failure, not reported yet.
 */
int ctl_resolve_ask(struct ctl *ctl, struct ctl_session *session, const char *op,
		    struct json_object *request, const char *to, int64_t deadline,
		    struct json_object **result, struct ockam_err *err);

/**
 * ctl_resolve_check() - is @to well-formed, and do the nodes that it names run?
 * @nodes: false: only the former
 *
 * Return: CTL_EXIT_OK or CTL_EXIT_FAILURE (reported).
 */
int ctl_resolve_check(struct ctl *ctl, const char *to, bool nodes);

#endif /* OCKAM_CTL_RESOLVE_H */
