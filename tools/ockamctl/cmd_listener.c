// SPDX-License-Identifier: Apache-2.0
/*
 * ockam secure-channel-listener (cli 2.4) and worker (cli 2.7).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

static int ctl_listener_create(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_strip_service(ctl_arg_positional(args, 0));
	struct json_object *request, *ids = NULL, *item;
	struct ctl_result out = { };
	struct ctl_session session;
	char *machine = NULL, *plain = NULL;
	struct ockam_err err;
	size_t iter = 0;
	const char *id;
	int ret;

	ret = ctl_session_open_default(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	while ((id = ctl_arg_list(args, "authorized", &iter))) {
		if (!ids)
			ids = json_object_new_array();
		json_object_array_add(ids, json_object_new_string(id));
	}
	if (ids)
		ockam_value_put(request, "authorized", ids);
	if (ctl_arg(args, "identity"))
		ockam_value_put_text(request, "identity", ctl_arg(args, "identity"));
	ret = ctl_session_call(&session, "secure-channel-listener.create", request,
			       ctl_session_timeout_ms(), NULL, &err);
	ctl_session_close(&session);
	if (ret < 0)
		return ctl_output_fail(&ctl->out, ret, err.text, NULL,
				       "Cannot create a secure channel listener at address %s on node %s",
				       address, session.node);
	if (asprintf(&machine, "/service/%s", address) < 0 ||
	    asprintf(&plain,
		     "Secure Channel Listener at /service/%s created successfully\nAt node /node/%s",
		     address, session.node) < 0)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	item = json_object_new_object();
	ockam_value_put_text(item, "address", machine);
	out.json = json_object_new_array();
	json_object_array_add(out.json, item);
	out.machine = machine;
	out.plain = plain;
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(machine);
	free(plain);
	return ret;
}

/* "<format><address>" for each of @list; those named @only, or all. */
static bool ctl_listener_lines(FILE *f, struct json_object *list, const char *key,
			       const char *format, const char *only)
{
	bool found = false;
	const char *value;
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		value = ockam_value_text(json_object_array_get_idx(list, i), key) ?: "";
		if (only && strcmp(only, value))
			continue;
		fprintf(f, "%s%s%s", ftell(f) ? "\n" : "", format, value);
		found = true;
	}
	return found;
}

/* What the node of --at says to @op. */
static int ctl_listener_ask(struct ctl *ctl, const struct ctl_args *args, const char *op,
			    struct ctl_session *session, struct json_object **result)
{
	int ret;

	ret = ctl_session_open(ctl, ctl_arg(args, "at"), session);
	if (ret)
		return ret;
	ret = ctl_session_do(ctl, session, op, NULL, ctl_session_timeout_ms(), result);
	ctl_session_close(session);
	return ret;
}

static int ctl_listener_print(struct ctl *ctl, const struct ctl_args *args, const char *format,
			      const char *only)
{
	struct json_object *result = NULL, *list;
	struct ctl_result out = { };
	struct ctl_session session;
	char empty[128], *text = NULL;
	bool found = false;
	size_t size = 0;
	FILE *f;
	int ret;

	ret = ctl_listener_ask(ctl, args, "secure-channel-listener.list", &session, &result);
	if (ret)
		return ret;
	list = json_object_is_type(result, json_type_array) ? result
							    : ockam_value_array(result, "list");
	f = open_memstream(&text, &size);
	if (f) {
		found = ctl_listener_lines(f, list, "address", format, only);
		fclose(f);
	}
	json_object_put(result);
	snprintf(empty, sizeof(empty), "No secure channel listeners found on %s", session.node);
	out.plain = found ? text : empty;
	if (only && !found)
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				      "There is no secure channel listener at address %s on node %s",
				      only, session.node);
	else
		ret = ctl_output_result(&ctl->out, &out);
	free(text);
	return ret;
}

static int ctl_listener_list(struct ctl *ctl, const struct ctl_args *args)
{
	return ctl_listener_print(ctl, args, "Listener at /service/", NULL);
}

static int ctl_listener_show(struct ctl *ctl, const struct ctl_args *args)
{
	return ctl_listener_print(ctl, args, "/service/",
				  ctl_strip_service(ctl_arg_positional(args, 0)));
}

/* Everything that a node says it has at an address. */
static int ctl_worker_list(struct ctl *ctl, const struct ctl_args *args)
{
	static const struct {
		const char	*list;
		const char	*key;
	} members[] = {
		{ "services", "addr" },
		{ "secure_channel_listeners", "address" },
		{ "tcp_listeners", "processor_address" },
		{ "connections", "address" },
	};
	struct json_object *info = NULL;
	struct ctl_result out = { };
	struct ctl_session session;
	char *text = NULL;
	size_t size = 0, i;
	FILE *f;
	int ret;

	ret = ctl_listener_ask(ctl, args, "node.info", &session, &info);
	if (ret)
		return ret;
	f = open_memstream(&text, &size);
	for (i = 0; f && i < sizeof(members) / sizeof(members[0]); i++)
		ctl_listener_lines(f, ockam_value_array(info, members[i].list), members[i].key,
				   "Worker ", NULL);
	if (f)
		fclose(f);
	json_object_put(info);
	out.plain = text ?: "";
	ret = ctl_output_result(&ctl->out, &out);
	free(text);
	return ret;
}

static int ctl_listener_delete(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_strip_service(ctl_arg_positional(args, 0));
	struct json_object *request;
	struct ctl_result out = { };
	char *machine = NULL, *plain = NULL;
	struct ctl_session session;
	int ret;

	ret = ctl_session_open(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ret = ctl_session_do(ctl, &session, "secure-channel-listener.delete", request,
			     ctl_session_timeout_ms(), NULL);
	ctl_session_close(&session);
	if (ret)
		return ret;
	if (asprintf(&machine, "0#%s", address) < 0 ||
	    asprintf(&plain, "Deleted secure-channel listener with address '0#%s' on node '%s'",
		     address, session.node) < 0)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	out.machine = machine;
	out.plain = plain;
	ret = ctl_output_result(&ctl->out, &out);
	free(machine);
	free(plain);
	return ret;
}

static const struct ctl_flag ctl_listener_at_flags[] = {
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>",
	  .help = "Node; default the default node" },
	{ }
};

static const struct ctl_flag ctl_listener_delete_flags[] = {
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>",
	  .help = "Node; default the default node" },
	{ .name = "yes", .letter = 'y', .help = "Accepted: nothing is asked" },
	{ }
};

static const struct ctl_flag ctl_listener_create_flags[] = {
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>",
	  .help = "Node; default the default node" },
	{ .name = "authorized", .letter = 'a', .kind = CTL_FLAG_LIST,
	  .placeholder = "<IDENTIFIERS>", .check = ctl_check_identifier,
	  .help = "Identifier that an initiator may have; repeat for more" },
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .help = "Identity that the listener proves; default the node's" },
	{ }
};

static const struct ctl_positional ctl_listener_positionals[] = {
	{ .name = "ADDRESS", .required = true, .help = "Address of the listener" },
	{ }
};

static const struct ctl_command ctl_listener_create_command = {
	.name = "create", .about = "Create a secure channel listener",
	.flags = ctl_listener_create_flags, .positionals = ctl_listener_positionals,
	.run = ctl_listener_create,
};

static const struct ctl_command ctl_listener_list_command = {
	.name = "list", .about = "List the secure channel listeners of a node",
	.flags = ctl_listener_at_flags, .run = ctl_listener_list,
};

static const struct ctl_command ctl_listener_show_command = {
	.name = "show", .about = "Show a secure channel listener",
	.flags = ctl_listener_at_flags, .positionals = ctl_listener_positionals,
	.run = ctl_listener_show,
};

static const struct ctl_command ctl_listener_delete_command = {
	.name = "delete", .about = "Delete a secure channel listener; its channels stay",
	.flags = ctl_listener_delete_flags, .positionals = ctl_listener_positionals,
	.run = ctl_listener_delete,
};

const struct ctl_command ctl_cmd_secure_channel_listener = {
	.name = "secure-channel-listener",
	.about = "Secure channel listeners",
	.children = (const struct ctl_command *const[]){
		&ctl_listener_create_command, &ctl_listener_list_command,
		&ctl_listener_show_command, &ctl_listener_delete_command, NULL
	},
};

static const struct ctl_command ctl_worker_list_command = {
	.name = "list", .about = "List the addresses of a node",
	.flags = ctl_listener_at_flags, .run = ctl_worker_list,
};

const struct ctl_command ctl_cmd_worker = {
	.name = "worker",
	.about = "Workers: what has an address at a node",
	.children = (const struct ctl_command *const[]){ &ctl_worker_list_command, NULL },
};
