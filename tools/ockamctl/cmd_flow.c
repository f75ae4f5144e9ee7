// SPDX-License-Identifier: Apache-2.0
/*
 * ockam flow-control (cli 2.15).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>

#include "multiaddr.h"
#include "session.h"

/* The address of a route with one segment, into @out. */
static int ctl_flow_address(struct ctl *ctl, const char *text, char *out, size_t size)
{
	struct ockam_multiaddr *addr = calloc(1, sizeof(*addr));
	struct ockam_err err = { };
	int ret = CTL_EXIT_OK;

	if (!addr || ockam_multiaddr_parse(addr, text, &err) < 0 || addr->count != 1 ||
	    (addr->segments[0].proto != OCKAM_PROTO_SERVICE &&
	     addr->segments[0].proto != OCKAM_PROTO_WORKER))
		ret = ctl_output_fail(&ctl->out, -EINVAL, err.text[0] ? err.text : NULL,
				      "it looks like /worker/<address>",
				      "%s does not name one address of the node", text);
	else
		snprintf(out, size, "%s", addr->segments[0].text);
	free(addr);
	return ret;
}

static int ctl_flow_add_consumer(struct ctl *ctl, const struct ctl_args *args)
{
	char address[OCKAM_MULTIADDR_VALUE];
	struct json_object *request;
	struct ctl_session session;
	struct ockam_err err;
	int ret;

	ret = ctl_flow_address(ctl, ctl_arg_positional(args, 1), address, sizeof(address));
	if (!ret)
		ret = ctl_session_open(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "flow_control_id", ctl_arg_positional(args, 0));
	ockam_value_put_text(request, "address", address);
	ret = ctl_session_call(&session, "flow-control.add-consumer", request,
			       ctl_session_timeout_ms(), NULL, &err);
	ctl_session_close(&session);
	return ret < 0 ? ctl_output_fail_err(&ctl->out, &err) : CTL_EXIT_OK;
}

static const struct ctl_flag ctl_flow_flags[] = {
	CTL_AT_FLAG,
	{ }
};

static const struct ctl_positional ctl_flow_positionals[] = {
	{ .name = "FLOW_CONTROL_ID", .required = true, .check = ctl_check_hex,
	  .help = "Flow of a connection, of a TCP listener, or of a secure channel" },
	{ .name = "ADDRESS", .required = true,
	  .help = "/worker/<address> of a TCP connection of the node" },
	{ }
};

static const struct ctl_command ctl_flow_add_consumer_command = {
	.name = "add-consumer",
	.about = "Let what comes in under a flow control id go out over a connection",
	.flags = ctl_flow_flags, .positionals = ctl_flow_positionals,
	.run = ctl_flow_add_consumer,
};

const struct ctl_command ctl_cmd_flow_control = {
	.name = "flow-control",
	.about = "Who may send over a connection",
	.children = (const struct ctl_command *const[]){ &ctl_flow_add_consumer_command, NULL },
};
