// SPDX-License-Identifier: Apache-2.0
/*
 * Routes of commands.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "resolve.h"

#include <stdlib.h>
#include <string.h>

#include "multiaddr.h"
#include "stdin_route.h"

int ctl_resolve_begin(struct ctl *ctl, const struct ctl_args *args, const char *node,
		      struct ctl_session *session, char **to)
{
	int ret;

	ret = ctl_stdin_route(ctl, ctl_arg(args, "to"), to);
	if (ret)
		return ret;
	ret = ctl_session_open(ctl, ctl_arg(args, node), session);
	if (!ret) {
		ret = ctl_resolve_check(ctl, *to, false);
		if (ret)
			ctl_session_close(session);
	}
	if (ret)
		free(*to);
	return ret;
}

int ctl_resolve_ask(struct ctl *ctl, struct ctl_session *session, const char *op,
		    struct json_object *request, const char *to, int64_t deadline,
		    struct json_object **result, struct ockam_err *err)
{
	int left = ctl_left_ms(deadline);
	const char *blame, *help;
	int ret;

	ockam_value_put_text(request, "route", to);
	ockam_value_put_int(request, "timeout_ms", left);
	ret = ctl_session_ask(session, op, request, left, result, err);
	blame = ret < 0 ? ockam_value_text(*result, "route") : NULL;
	if (blame) {
		help = ockam_value_text(*result, "help");
		ret = ctl_output_fail(&ctl->out, ret, NULL, help,
				      !strcmp(blame, "invalid") ?
				      "Argument '--to' is invalid: %s" : "%s", err->text);
	}
	if (ret) {
		json_object_put(*result);
		*result = NULL;
	}
	return ret;
}

static int ctl_resolve_check_nodes(struct ctl *ctl, const struct ockam_multiaddr *addr)
{
	char socket[OCKAM_SOCKET_TEXT];
	struct ockam_err err;
	const char *name;
	size_t i;
	int ret;

	ret = ctl_store(ctl, false);
	for (i = 0; !ret && i < addr->count; i++) {
		if (addr->segments[i].proto != OCKAM_PROTO_NODE)
			continue;
		name = addr->segments[i].text;
		if (!ctl->store)
			ockam_err_set(&err, -ENOENT, "There is no node with name %s", name);
		else if (!ockam_store_node_reach(ctl->store, name, socket, &err))
			continue;
		ret = ctl_output_fail(&ctl->out, err.code, NULL, err.code == -ECONNREFUSED ?
				      "start it with: ockam node start" :
				      "ockam node list shows the nodes there are",
				      "Argument '--to' is invalid: %s", err.text);
	}
	return ret;
}

int ctl_resolve_check(struct ctl *ctl, const char *to, bool nodes)
{
	struct ockam_multiaddr *addr = calloc(1, sizeof(*addr));
	struct ockam_err err;
	int ret = CTL_EXIT_OK;

	if (!addr)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	if (ockam_multiaddr_parse(addr, to, &err))
		ret = ctl_output_fail(&ctl->out, -EINVAL, err.text,
				      "a route looks like /node/n2/service/api",
				      "Argument '--to' is invalid: Could not convert %s into route",
				      to);
	else if (nodes)
		ret = ctl_resolve_check_nodes(ctl, addr);
	free(addr);
	return ret;
}
