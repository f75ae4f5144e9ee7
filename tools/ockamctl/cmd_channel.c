// SPDX-License-Identifier: Apache-2.0
/*
 * ockam secure-channel (cli 2.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "json_text.h"
#include "liveness.h"
#include "multiaddr.h"
#include "resolve.h"
#include "rule.h"
#include "stdin_route.h"

/* What a script gets, and what a person gets, of a new channel. */
static int ctl_channel_print_new(struct ctl *ctl, const char *from, const char *to,
				 struct json_object *made)
{
	const char *address = ockam_value_text(made, "address") ?: "";
	struct json_object *list = json_object_new_array();
	struct json_object *item = json_object_new_object();
	struct ctl_result result = { .json = list };
	char *machine = NULL, *plain = NULL;
	int ret;

	if (asprintf(&machine, "/service/%s", address) < 0 ||
	    asprintf(&plain, "Secure Channel at /service/%s created successfully\nFrom /node/%s to %s%s",
		     address, from, to,
		     ockam_value_bool(made, "confirmed", true) ?
		     "" : "\nThe far end has given no sign of life yet") < 0) {
		json_object_put(item);
		ret = ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	} else {
		ockam_value_put_text(item, "address", machine);
		json_object_array_add(list, item);
		result.machine = machine;
		result.plain = plain;
		ret = ctl_output_result(&ctl->out, &result);
	}
	json_object_put(list);
	free(machine);
	free(plain);
	return ret;
}

static int ctl_channel_make(struct ctl *ctl, const struct ctl_args *args,
			    struct ctl_session *session, const char *to)
{
	int64_t deadline = ctl_arg_deadline(args, "timeout");
	const char *identity = ctl_arg(args, "identity");
	struct json_object *request, *result;
	struct ockam_err err;
	int ret;

	request = json_object_new_object();
	ctl_rule_put(args, request);
	if (identity)
		ockam_value_put_text(request, "identity", identity);
	ctl_liveness_put(args, request);
	if (ctl_arg(args, "credential"))
		ockam_value_put_text(request, "credential", ctl_arg(args, "credential"));
	ret = ctl_resolve_ask(ctl, session, "secure-channel.create", request, to, deadline,
			      &result, &err);
	if (ret < 0)
		ret = ctl_output_fail(&ctl->out, ret, err.text, NULL,
				      "Failed to create a secure channel from /node/%s to %s",
				      session->node, to);
	else if (!ret)
		ret = ctl_channel_print_new(ctl, session->node, to, result);
	json_object_put(result);
	return ret;
}

static int ctl_channel_create(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_session session;
	char *to;
	int ret;

	ret = ctl_resolve_begin(ctl, args, "from", &session, &to);
	if (ret)
		return ret;
	ctl_output_note(&ctl->out, CTL_MARK_NONE, "Creating Secure Channel...");
	ret = ctl_channel_make(ctl, args, &session, to);
	ctl_session_close(&session);
	free(to);
	return ret;
}

/* Did another node begin it? */
static bool ctl_channel_is_accepted(struct json_object *channel)
{
	return !strcmp(ockam_value_text(channel, "role") ?: "", "responder");
}

/* One channel as scripts get it; takes nothing. What not every channel has is left out. */
static struct json_object *ctl_channel_object(struct json_object *channel)
{
	static const char *const begun[] = {
		"authorized_identifiers", "flow_control_id", "route", "state",
		"their_change_history", "their_identifier", NULL
	};
	static const char *const accepted[] = {
		"flow_control_id", "listener", "state", "their_identifier", NULL
	};
	static const char *const extra[] = {
		"authority", "policy", "their_attributes", "their_credential",
	};
	struct json_object *out = json_object_new_object();
	const char *const *member = ctl_channel_is_accepted(channel) ? accepted : begun;
	const char *address = ockam_value_text(channel, "address") ?: "";
	char text[OCKAM_MULTIADDR_VALUE + 16];
	struct json_object *value;
	size_t i;

	snprintf(text, sizeof(text), "/service/%s", address);
	ockam_value_put_text(out, "address", text);
	for (; *member; member++)
		ockam_value_put(out, *member, json_object_get(ockam_value_get(channel, *member)));
	for (i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		value = ockam_value_get(channel, extra[i]);
		if (value)
			ockam_value_put(out, extra[i], json_object_get(value));
	}
	if (!ockam_value_bool(channel, "confirmed", true))
		ockam_value_put_bool(out, "confirmed", false);
	return out;
}

/* What the peer has proved; bytes of a stranger, as JSON text. */
static void ctl_channel_write_proof(FILE *f, struct json_object *channel)
{
	struct json_object *credential = ockam_value_get(channel, "their_credential");
	char until[CTL_TIME_TEXT], *attributes;

	if (!credential || ctl_json_text(ockam_value_get(channel, "their_attributes"), true,
					 &attributes, NULL))
		return;
	ctl_time_text((uint64_t)ockam_value_int(credential, "expires_at", 0), until);
	fprintf(f, "\nTheir attributes: %s\nAttested by %s until %s", attributes,
		ockam_value_text(credential, "issuer") ?: "", until);
	free(attributes);
}

static char *ctl_channel_plain(struct json_object *channel)
{
	bool accepted = ctl_channel_is_accepted(channel);
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "Secure channel running at /service/%s\n%s %s\nTheir identifier: %s%s",
		ockam_value_text(channel, "address") ?: "",
		accepted ? "Accepted by listener" : "With route to",
		ockam_value_text(channel, accepted ? "listener" : "route") ?: "",
		ockam_value_text(channel, "their_identifier") ?: "",
		ockam_value_bool(channel, "confirmed", true) ? "" : "\nNot confirmed yet");
	if (!strcmp(ockam_value_text(channel, "state") ?: "", "no-route"))
		fprintf(f, "\nNo route: the connection that it went through has ended");
	ctl_channel_write_proof(f, channel);
	fclose(f);
	return text;
}

static int ctl_channel_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct json_object *list = NULL, *array;
	struct ctl_session session;
	char **items;
	size_t n, i;
	int ret;

	ret = ctl_session_open(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	ret = ctl_session_list(ctl, &session, ctl_arg_switch(args, "accepted") ?
			       "secure-channel.accepted" : "secure-channel.list", &list);
	ctl_session_close(&session);
	if (ret)
		return ret;
	n = json_object_array_length(list);
	if (!n) {
		json_object_put(list);
		return ctl_print_empty(ctl, "No secure channels found on %s", session.node);
	}
	items = calloc(n, sizeof(*items));
	array = json_object_new_array();
	for (i = 0; items && i < n; i++) {
		struct json_object *channel = json_object_array_get_idx(list, i);

		json_object_array_add(array, ctl_channel_object(channel));
		items[i] = ctl_channel_plain(channel);
	}
	ret = ctl_print_list(ctl, array, items, n);
	ctl_texts_free(items, n);
	json_object_put(array);
	json_object_put(list);
	return ret;
}

/* "/node/n/service/x" -> "n" and "x". */
static int ctl_channel_split(struct ctl *ctl, const char *text, char *node, char *address)
{
	struct ockam_multiaddr *addr = calloc(1, sizeof(*addr));
	struct ockam_err err = { };
	int ret = CTL_EXIT_OK;

	if (!addr || ockam_multiaddr_parse(addr, text, &err) < 0 || addr->count != 2 ||
	    addr->segments[0].proto != OCKAM_PROTO_NODE ||
	    addr->segments[1].proto != OCKAM_PROTO_SERVICE) {
		ret = ctl_output_fail(&ctl->out, -EINVAL, err.text[0] ? err.text : NULL,
				      "it looks like /node/n1/service/<address>",
				      "Argument '--at' is invalid: %s names no channel", text);
	} else {
		snprintf(node, OCKAM_MULTIADDR_VALUE, "%s", addr->segments[0].text);
		snprintf(address, OCKAM_MULTIADDR_VALUE, "%s", addr->segments[1].text);
	}
	free(addr);
	return ret;
}

static int ctl_channel_show(struct ctl *ctl, const struct ctl_args *args)
{
	char node[OCKAM_MULTIADDR_VALUE], address[OCKAM_MULTIADDR_VALUE];
	struct json_object *request, *found = NULL;
	struct ctl_result out = { };
	struct ctl_session session;
	char *at, *plain;
	int ret;

	ret = ctl_stdin_route(ctl, ctl_arg(args, "at"), &at);
	if (ret)
		return ret;
	ret = ctl_channel_split(ctl, at, node, address);
	free(at);
	if (ret)
		return ret;
	ret = ctl_session_open(ctl, node, &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ret = ctl_session_do(ctl, &session, "secure-channel.show", request,
			     ctl_session_timeout_ms(), &found);
	ctl_session_close(&session);
	if (ret)
		return ret;
	plain = ctl_channel_plain(found);
	out.plain = plain;
	out.json = ctl_channel_object(found);
	ret = ctl_output_result(&ctl->out, &out);
	free(plain);
	json_object_put(out.json);
	json_object_put(found);
	return ret;
}

static int ctl_channel_delete(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_strip_service(ctl_arg_positional(args, 0));
	struct json_object *request;
	struct ctl_result out = { };
	struct ctl_session session;
	char *machine;
	int ret;

	if (!ctl_confirm(ctl, args, "Are you sure you want to delete this secure channel?"))
		return CTL_EXIT_FAILURE;
	ret = ctl_session_open(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ret = ctl_session_do(ctl, &session, "secure-channel.delete", request,
			     ctl_session_timeout_ms(), NULL);
	ctl_session_close(&session);
	if (ret)
		return ret;
	if (asprintf(&machine, "/service/%s", address) < 0)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	out.machine = machine;
	ret = ctl_output_result(&ctl->out, &out);
	free(machine);
	return ret;
}

static const struct ctl_flag ctl_channel_create_flags[] = {
	{ .name = "from", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE>", .required = true,
	  .help = "Node that initiates" },
	{ .name = "to", .kind = CTL_FLAG_VALUE, .placeholder = "<ROUTE>", .required = true,
	  .help = "Route to a secure channel listener" },
	{ .name = "authorized", .letter = 'a', .kind = CTL_FLAG_LIST,
	  .placeholder = "<IDENTIFIER>", .check = ctl_check_identifier,
	  .help = "Identifier that the listener may have; repeat for more" },
	CTL_AUTHORITY_FLAG,
	CTL_ALLOW_FLAG,
	{ .name = "credential", .letter = 'c', .kind = CTL_FLAG_VALUE,
	  .placeholder = "<CREDENTIAL>", .check = ctl_check_hex,
	  .help = "Credential to present, in hex" },
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .help = "Identity of the initiator; default the node's" },
	CTL_LIVENESS_FLAG,
	CTL_LIVENESS_STRICT_FLAG,
	{ .name = "timeout", .kind = CTL_FLAG_VALUE, .placeholder = "<TIMEOUT>",
	  .env = "OCKAM_DEFAULT_TIMEOUT", .fallback = "120s", .check = ctl_check_duration,
	  .help = "Limit of the handshake" },
	{ }
};

static const struct ctl_command ctl_channel_create_command = {
	.name = "create",
	.about = "Create a secure channel to a listener, over any number of hops",
	.flags = ctl_channel_create_flags,
	.run = ctl_channel_create,
};

static const struct ctl_flag ctl_channel_list_flags[] = {
	CTL_AT_FLAG,
	{ .name = "accepted", .kind = CTL_FLAG_SWITCH,
	  .help = "Those that other nodes began, at listeners of this one" },
	{ }
};

static const struct ctl_flag ctl_channel_delete_flags[] = {
	CTL_AT_FLAG,
	CTL_YES_FLAG,
	{ }
};

static const struct ctl_command ctl_channel_list_command = {
	.name = "list",
	.about = "List the secure channels that a node initiated",
	.flags = ctl_channel_list_flags,
	.run = ctl_channel_list,
};

static const struct ctl_flag ctl_channel_show_flags[] = {
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<ROUTE>", .required = true,
	  .help = "/node/<node>/service/<address>" },
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .hidden = true, .help = "Accepted" },
	{ .name = "timeout", .kind = CTL_FLAG_VALUE, .placeholder = "<TIMEOUT>", .fallback = "10s",
	  .check = ctl_check_duration, .hidden = true, .help = "Accepted" },
	{ }
};

static const struct ctl_command ctl_channel_show_command = {
	.name = "show",
	.about = "Show one secure channel",
	.flags = ctl_channel_show_flags,
	.run = ctl_channel_show,
};

static const struct ctl_positional ctl_channel_delete_positionals[] = {
	{ .name = "ADDRESS", .required = true, .help = "Address of the channel at its node" },
	{ }
};

static const struct ctl_command ctl_channel_delete_command = {
	.name = "delete",
	.about = "Close a secure channel",
	.flags = ctl_channel_delete_flags,
	.positionals = ctl_channel_delete_positionals,
	.run = ctl_channel_delete,
};

const struct ctl_command ctl_cmd_secure_channel = {
	.name = "secure-channel",
	.about = "Secure channels",
	.children = (const struct ctl_command *const[]){
		&ctl_channel_create_command, &ctl_channel_list_command,
		&ctl_channel_show_command, &ctl_channel_update_command,
		&ctl_channel_delete_command, NULL
	},
};
