// SPDX-License-Identifier: Apache-2.0
/*
 * Routes of requests.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "node.h"

#define OCKAMD_ROUTE_MS		120000		/* unless the request says otherwise */
#define OCKAMD_ROUTE_MAX_MS	86400000	/* and at most: a day */

static void ockamd_route_refuse(struct ockamd_request *request, const struct ockam_err *err)
{
	const char *blame = request->route->invalid ? "invalid" : "failed";
	const char *help = request->route->help;

	ockamd_route_end(request->route);
	request->route = NULL;
	ockamd_ctl_blame(request, err, blame, help);
}

static void ockamd_route_served(void *arg, const struct ockam_err *err)
{
	struct ockamd_request *request = arg;

	if (err)
		ockamd_route_refuse(request, err);
	else
		ockamd_ctl_go_on(request, request->then);
}

void ockamd_route_serve(struct ockamd_request *request,
			void (*then)(struct ockamd_request *request))
{
	struct json_object *args = request->parts.args;
	const char *text = ockam_value_text(args, "route");
	struct ockam_err err;
	int64_t timeout;
	int ret;

	if (!text) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_INVALID, "'route' is missing", NULL, NULL);
		return;
	}
	timeout = ockam_value_int(args, "timeout_ms", OCKAMD_ROUTE_MS);
	if (timeout < 0 || timeout > OCKAMD_ROUTE_MAX_MS)
		timeout = OCKAMD_ROUTE_MAX_MS;
	/* A handler that is called again has no more time than before. */
	if (!request->deadline)
		request->deadline = ockamd_loop_now() + timeout;
	request->then = then;
	request->route = ockamd_route_new(request->node, text, ockam_value_text(args, "identity"),
					  ockamd_ctl_user(request));
	if (!request->route) {
		ockamd_ctl_fail(request, OCKAM_CONTROL_INTERNAL, "Out of memory", NULL, NULL);
		return;
	}
	ret = ockamd_route_make(request->route, request->deadline, ockamd_route_served, request,
				&err);
	if (ret > 0)
		ockamd_ctl_go_on(request, then);
	else if (ret < 0)
		ockamd_route_refuse(request, &err);
}
