// SPDX-License-Identifier: Apache-2.0
/*
 * ockam tcp-connection and tcp-listener (cli 2.5, 2.6).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node_object.h"
#include "session.h"

static int ctl_connection_create(struct ctl *ctl, const struct ctl_args *args)
{
	struct json_object *request, *result = NULL;
	struct ctl_result out = { };
	char to[OCKAM_SOCKET_TEXT];
	char *machine = NULL, *plain = NULL;
	struct ctl_session session;
	struct ockam_err err;
	const char *address;
	int ret;

	ctl_socket_address(ctl_arg(args, "to"), to, &err);
	ret = ctl_session_open_default(ctl, ctl_arg(args, "from"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "to", to);
	ret = ctl_session_call(&session, "tcp-connection.create", request,
			       ctl_session_timeout_ms(), &result, &err);
	ctl_session_close(&session);
	if (ret < 0)
		return ctl_output_fail(&ctl->out, ret, err.text, NULL, "Unable to connect to %s",
				       to);
	address = ockam_value_text(result, "address") ?: "";
	if (asprintf(&machine, "/worker/%s", address) < 0 ||
	    asprintf(&plain,
		     "A TCP connection with worker address /worker/%s\nwas created at the Node /node/%s\nbound to %s",
		     address, session.node, to) < 0)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "address", machine);
	ockam_value_put_text(out.json, "from", session.node);
	ockam_value_put_text(out.json, "to", to);
	out.machine = machine;
	out.plain = plain;
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	json_object_put(result);
	free(machine);
	free(plain);
	return ret;
}

/* Ask the node of --at for a list. */
static int ctl_connection_fetch(struct ctl *ctl, const struct ctl_args *args, const char *op,
				struct ctl_session *session, struct json_object **result,
				struct json_object **list)
{
	int ret;

	ret = ctl_session_open(ctl, ctl_arg(args, "at"), session);
	if (ret)
		return ret;
	ret = ctl_session_list(ctl, session, op, result);
	ctl_session_close(session);
	*list = ret ? NULL : *result;
	return ret;
}

/* Paragraphs of a list, also when piped; JSON for those who ask. */
static int ctl_connection_print(struct ctl *ctl, struct json_object *list, bool listeners,
				const char *empty, char *(*format)(struct json_object *item))
{
	struct ctl_result out = { .asked = json_object_new_array() };
	size_t n = list ? json_object_array_length(list) : 0;
	char **items = calloc(n ?: 1, sizeof(*items));
	char *plain = NULL;
	size_t i;
	int ret;

	for (i = 0; items && i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		items[i] = format(item) ?: strdup("");
		json_object_array_add(out.asked, ctl_node_transport(item, listeners));
	}
	if (items && n)
		plain = ctl_output_list(items, n);
	out.plain = n ? plain : empty;
	ret = ctl_output_result(&ctl->out, &out);
	free(plain);
	ctl_texts_free(items, n);
	json_object_put(out.asked);
	return ret;
}

static char *ctl_connection_line(struct json_object *item)
{
	char *text;

	return asprintf(&text, "TCP, %s at %s", ockam_value_text(item, "mode") ?: "",
			ockam_value_text(item, "peer") ?: "") < 0 ? NULL : text;
}

static char *ctl_connection_details(struct json_object *item)
{
	char *text;

	return asprintf(&text,
			"TCP Connection:\n  Type: TCP\n  Mode: %s\n  Socket address: %s\n  Worker address: 0#%s\n  Processor address: 0#%s\n  Flow Control Id: %s",
			ockam_value_text(item, "mode") ?: "", ockam_value_text(item, "peer") ?: "",
			ockam_value_text(item, "address") ?: "",
			ockam_value_text(item, "processor_address") ?: "",
			ockam_value_text(item, "flow_control_id") ?: "") < 0 ? NULL : text;
}

static int ctl_connection_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct json_object *result = NULL, *list = NULL;
	struct ctl_session session;
	char empty[128];
	int ret;

	ret = ctl_connection_fetch(ctl, args, "tcp-connection.list", &session, &result, &list);
	if (ret)
		return ret;
	snprintf(empty, sizeof(empty), "No TCP Connections found on %s", session.node);
	ret = ctl_connection_print(ctl, list, false, empty, ctl_connection_line);
	json_object_put(result);
	return ret;
}

/* The worker address of "/worker/x", "0#x", "x"; a socket address stays. */
static const char *ctl_connection_address(const char *text)
{
	if (!strncmp(text, "/worker/", 8))
		return text + 8;
	return strncmp(text, "0#", 2) ? text : text + 2;
}

static int ctl_connection_show(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_connection_address(ctl_arg_positional(args, 0));
	struct json_object *result = NULL, *list = NULL, *item, *found = NULL;
	struct ctl_result out = { };
	struct ctl_session session;
	char *plain;
	size_t i;
	int ret;

	ret = ctl_connection_fetch(ctl, args, "tcp-connection.list", &session, &result, &list);
	if (ret)
		return ret;
	for (i = 0; list && !found && i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		if (!strcmp(address, ockam_value_text(item, "address") ?: "") ||
		    !strcmp(address, ockam_value_text(item, "peer") ?: ""))
			found = item;
	}
	if (found) {
		plain = ctl_connection_details(found);
		out.plain = plain;
		out.asked = ctl_node_transport(found, false);
		ret = ctl_output_result(&ctl->out, &out);
		json_object_put(out.asked);
		free(plain);
	} else {
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				      "Connection %s was not found in the registry.", address);
	}
	json_object_put(result);
	return ret;
}

/* "tcp-connection.delete" and "tcp-listener.delete" differ in their texts. */
static int ctl_connection_remove(struct ctl *ctl, const struct ctl_args *args, const char *op,
				 const char *unknown, struct ctl_session *session)
{
	const char *address = ctl_connection_address(ctl_arg_positional(args, 0));
	struct json_object *request;
	struct ockam_err err;
	int ret;

	if (!ctl_confirm(ctl, args, "Are you sure you want to proceed?"))
		return CTL_EXIT_FAILURE;
	ret = ctl_session_open(ctl, ctl_arg(args, "at"), session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ret = ctl_session_call(session, op, request, ctl_session_timeout_ms(), NULL, &err);
	ctl_session_close(session);
	if (ret == -ENOENT)
		return ctl_output_fail(&ctl->out, ret, NULL, NULL,
				       "%s %s was not found in the registry.", unknown, address);
	return ret < 0 ? ctl_output_fail_err(&ctl->out, &err) : CTL_EXIT_OK;
}

static int ctl_connection_delete(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_arg_positional(args, 0);
	struct ctl_result out = { };
	struct ctl_session session;
	char *plain;
	int ret;

	ret = ctl_connection_remove(ctl, args, "tcp-connection.delete", "Connection", &session);
	if (ret)
		return ret;
	if (asprintf(&plain, "TCP connection %s has been successfully deleted", address) < 0)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	out.plain = plain;
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "address", address);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(plain);
	return ret;
}

static int ctl_tcp_listener_create(struct ctl *ctl, const struct ctl_args *args)
{
	struct json_object *request, *result = NULL;
	struct ctl_result out = { };
	char address[OCKAM_SOCKET_TEXT];
	struct ctl_session session;
	struct ockam_err err;
	const char *port;
	char *plain;
	int ret;

	ctl_socket_address(ctl_arg_positional(args, 0), address, &err);
	ret = ctl_session_open_default(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ret = ctl_session_call(&session, "tcp-listener.create", request, ctl_session_timeout_ms(),
			       &result, &err);
	ctl_session_close(&session);
	if (ret < 0)
		return ctl_output_fail(&ctl->out, ret, err.text, NULL, "Unable to listen on %s",
				       address);
	port = strrchr(ockam_value_text(result, "address") ?: ":", ':');
	if (asprintf(&plain,
		     "Tcp listener created! You can send messages to it via this route:\n/dnsaddr/localhost/tcp/%s",
		     port ? port + 1 : "") < 0)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	out.plain = plain;
	ret = ctl_output_result(&ctl->out, &out);
	free(plain);
	json_object_put(result);
	return ret;
}

static char *ctl_tcp_listener_line(struct json_object *item)
{
	char *text;

	return asprintf(&text, "TCP, Listening at %s", ockam_value_text(item, "address") ?: "") < 0
		? NULL : text;
}

static int ctl_tcp_listener_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct json_object *result = NULL, *list = NULL;
	struct ctl_session session;
	char empty[128];
	int ret;

	ret = ctl_connection_fetch(ctl, args, "tcp-listener.list", &session, &result, &list);
	if (ret)
		return ret;
	snprintf(empty, sizeof(empty), "No TCP Listeners found on %s", session.node);
	ret = ctl_connection_print(ctl, list, true, empty, ctl_tcp_listener_line);
	json_object_put(result);
	return ret;
}

static int ctl_tcp_listener_show(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_connection_address(ctl_arg_positional(args, 0));
	struct json_object *result = NULL, *list = NULL, *item, *found = NULL;
	struct ctl_result out = { };
	struct ctl_session session;
	size_t i;
	int ret;

	ret = ctl_connection_fetch(ctl, args, "tcp-listener.list", &session, &result, &list);
	if (ret)
		return ret;
	for (i = 0; list && !found && i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		if (!strcmp(address, ockam_value_text(item, "address") ?: "") ||
		    !strcmp(address, ockam_value_text(item, "processor_address") ?: ""))
			found = item;
	}
	if (!found) {
		json_object_put(result);
		return ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				       "Listener %s was not found in the registry.", address);
	}
	out.json = ctl_node_transport(found, true);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	json_object_put(result);
	return ret;
}

static int ctl_tcp_listener_delete(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_result out = { };
	struct ctl_session session;
	char *plain;
	int ret;

	ret = ctl_connection_remove(ctl, args, "tcp-listener.delete", "Listener", &session);
	if (ret)
		return ret;
	if (asprintf(&plain, "TCP listener with address %s on Node %s has been deleted",
		     ctl_arg_positional(args, 0), session.node) < 0)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	out.plain = plain;
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "node", session.node);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(plain);
	return ret;
}

static const struct ctl_flag ctl_connection_create_flags[] = {
	{ .name = "from", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE>",
	  .help = "Node that connects; default the default node" },
	{ .name = "to", .letter = 't', .kind = CTL_FLAG_VALUE, .placeholder = "<ADDRESS>",
	  .required = true, .check = ctl_check_socket_address,
	  .help = "host:port of a node's TCP listener" },
	{ }
};

static const struct ctl_flag ctl_connection_at_flags[] = {
	CTL_AT_FLAG,
	{ }
};

static const struct ctl_flag ctl_connection_delete_flags[] = {
	CTL_AT_FLAG,
	CTL_YES_FLAG,
	{ }
};

static const struct ctl_positional ctl_connection_address_positional[] = {
	{ .name = "ADDRESS", .required = true, .help = "Socket address or worker address" },
	{ }
};

static const struct ctl_positional ctl_tcp_listener_address_positional[] = {
	{ .name = "ADDRESS", .required = true, .check = ctl_check_socket_address,
	  .help = "host:port to listen on" },
	{ }
};

static const struct ctl_command ctl_connection_create_command = {
	.name = "create", .about = "Connect a node to the TCP listener of another",
	.flags = ctl_connection_create_flags, .run = ctl_connection_create,
};

static const struct ctl_command ctl_connection_list_command = {
	.name = "list", .about = "List the TCP connections of a node",
	.flags = ctl_connection_at_flags, .run = ctl_connection_list,
};

static const struct ctl_command ctl_connection_show_command = {
	.name = "show", .about = "Show a TCP connection", .flags = ctl_connection_at_flags,
	.positionals = ctl_connection_address_positional, .run = ctl_connection_show,
};

static const struct ctl_command ctl_connection_delete_command = {
	.name = "delete", .about = "Close a TCP connection",
	.flags = ctl_connection_delete_flags,
	.positionals = ctl_connection_address_positional, .run = ctl_connection_delete,
};

const struct ctl_command ctl_cmd_tcp_connection = {
	.name = "tcp-connection",
	.about = "TCP connections to other nodes",
	.children = (const struct ctl_command *const[]){
		&ctl_connection_create_command, &ctl_connection_list_command,
		&ctl_connection_show_command, &ctl_connection_delete_command, NULL
	},
};

static const struct ctl_command ctl_tcp_listener_create_command = {
	.name = "create", .about = "Listen on one more address", .flags = ctl_connection_at_flags,
	.positionals = ctl_tcp_listener_address_positional, .run = ctl_tcp_listener_create,
};

static const struct ctl_command ctl_tcp_listener_list_command = {
	.name = "list", .about = "List the TCP listeners of a node",
	.flags = ctl_connection_at_flags, .run = ctl_tcp_listener_list,
};

static const struct ctl_command ctl_tcp_listener_show_command = {
	.name = "show", .about = "Show a TCP listener", .flags = ctl_connection_at_flags,
	.positionals = ctl_connection_address_positional, .run = ctl_tcp_listener_show,
};

static const struct ctl_command ctl_tcp_listener_delete_command = {
	.name = "delete", .about = "Stop listening on an address",
	.flags = ctl_connection_delete_flags, .positionals = ctl_connection_address_positional,
	.run = ctl_tcp_listener_delete,
};

const struct ctl_command ctl_cmd_tcp_listener = {
	.name = "tcp-listener",
	.about = "TCP listeners of nodes",
	.children = (const struct ctl_command *const[]){
		&ctl_tcp_listener_create_command, &ctl_tcp_listener_list_command,
		&ctl_tcp_listener_show_command, &ctl_tcp_listener_delete_command, NULL
	},
};
