// SPDX-License-Identifier: Apache-2.0
/*
 * ockam secure-channel update: another path, without a new handshake.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "resolve.h"

static int ctl_channel_print_moved(struct ctl *ctl, const char *address, const char *to,
				   struct json_object *channel)
{
	struct ctl_result out = { };
	char *machine = NULL, *plain = NULL;
	int ret;

	if (asprintf(&machine, "/service/%s", address) < 0)
		machine = NULL;
	if (asprintf(&plain, "Secure Channel at /service/%s moved to %s", address, to) < 0)
		plain = NULL;
	if (!machine || !plain) {
		ret = ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	} else {
		out.json = json_object_new_object();
		ockam_value_put_text(out.json, "address", machine);
		ockam_value_put(out.json, "route",
				json_object_get(ockam_value_get(channel, "route")));
		out.machine = machine;
		out.plain = plain;
		ret = ctl_output_result(&ctl->out, &out);
		json_object_put(out.json);
	}
	free(machine);
	free(plain);
	return ret;
}

static int ctl_channel_move(struct ctl *ctl, const struct ctl_args *args,
			    struct ctl_session *session, const char *to)
{
	const char *address = ctl_strip_service(ctl_arg_positional(args, 0));
	int64_t deadline = ctl_arg_deadline(args, "timeout");
	struct json_object *request, *result;
	struct ockam_err err;
	int ret;

	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ret = ctl_resolve_ask(ctl, session, "secure-channel.update", request, to, deadline,
			      &result, &err);
	if (ret < 0)
		ret = ctl_output_fail(&ctl->out, ret, err.text, NULL,
				      "Failed to move the secure channel at /service/%s to %s",
				      address, to);
	else if (!ret)
		ret = ctl_channel_print_moved(ctl, address, to, result);
	json_object_put(result);
	return ret;
}

static int ctl_channel_update(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_session session;
	char *to;
	int ret;

	ret = ctl_resolve_begin(ctl, args, "at", &session, &to);
	if (ret)
		return ret;
	ret = ctl_channel_move(ctl, args, &session, to);
	ctl_session_close(&session);
	free(to);
	return ret;
}

static const struct ctl_flag ctl_channel_update_flags[] = {
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>",
	  .help = "Node that began the channel; default the default node" },
	{ .name = "to", .kind = CTL_FLAG_VALUE, .placeholder = "<ROUTE>", .required = true,
	  .help = "Another route to a secure channel listener of the same peer" },
	{ .name = "timeout", .kind = CTL_FLAG_VALUE, .placeholder = "<TIMEOUT>",
	  .env = "OCKAM_DEFAULT_TIMEOUT", .fallback = "120s", .check = ctl_check_duration,
	  .help = "Limit of each connection on the way" },
	{ }
};

static const struct ctl_positional ctl_channel_update_positionals[] = {
	{ .name = "ADDRESS", .required = true, .help = "Address of the channel at its node" },
	{ }
};

const struct ctl_command ctl_channel_update_command = {
	.name = "update",
	.about = "Move a secure channel to another route, without a new handshake",
	.flags = ctl_channel_update_flags,
	.positionals = ctl_channel_update_positionals,
	.run = ctl_channel_update,
};
