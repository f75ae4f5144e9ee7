// SPDX-License-Identifier: Apache-2.0
/*
 * ockam secure-channel-listener (cli 2.4) and worker (cli 2.7).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liveness.h"
#include "rule.h"
#include "session.h"

static int ctl_listener_create(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_strip_service(ctl_arg_positional(args, 0));
	struct json_object *request, *item;
	struct ctl_result out = { };
	struct ctl_session session;
	char *machine = NULL, *plain = NULL;
	struct ockam_err err;
	int ret;

	ret = ctl_session_open_default(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ctl_rule_put(args, request);
	ctl_liveness_put(args, request);
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

/* "Worker <address>" a line, and the same in @array. */
static void ctl_worker_add(FILE *f, struct json_object *array, struct json_object *list,
			   const char *key)
{
	struct json_object *object;
	const char *value;
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		value = ockam_value_text(json_object_array_get_idx(list, i), key) ?: "";
		fprintf(f, "%sWorker %s", ftell(f) ? "\n" : "", value);
		object = json_object_new_object();
		ockam_value_put_text(object, "address", value);
		json_object_array_add(array, object);
	}
}

/* The listeners of the node of --at. */
static int ctl_listener_all(struct ctl *ctl, const struct ctl_args *args,
			    struct ctl_session *session, struct json_object **result)
{
	int ret;

	ret = ctl_session_open(ctl, ctl_arg(args, "at"), session);
	if (ret)
		return ret;
	ret = ctl_session_list(ctl, session, "secure-channel-listener.list", result);
	ctl_session_close(session);
	return ret;
}

/* Each listener of @list, or @only one, with its rule, as text and into @array. How many. */
static size_t ctl_listener_write(FILE *f, struct json_object *array, struct json_object *list,
				 const char *only)
{
	struct json_object *object;
	char service[OCKAM_NAME_SIZE * 8];
	struct json_object *item;
	size_t i, found = 0;
	const char *address;
	char *rule;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		address = ockam_value_text(item, "address") ?: "";
		if (only && strcmp(only, address))
			continue;
		rule = ctl_rule_text(item);
		fprintf(f, "%s%s/service/%s\n%sAdmits %s", found ? "\n" : "",
			only ? "" : "Listener at ", address, only ? "" : "    ", rule ?: "");
		snprintf(service, sizeof(service), "/service/%s", address);
		object = json_object_new_object();
		ockam_value_put_text(object, "address", service);
		ockam_value_put_text(object, "admits", rule ?: "");
		json_object_array_add(array, object);
		free(rule);
		found++;
	}
	return found;
}

static int ctl_listener_print(struct ctl *ctl, const struct ctl_args *args, const char *only)
{
	struct json_object *result = NULL, *list, *array;
	struct ctl_result out = { };
	struct ctl_session session;
	char empty[128], *text = NULL;
	size_t size = 0, found = 0;
	FILE *f;
	int ret;

	ret = ctl_listener_all(ctl, args, &session, &result);
	if (ret)
		return ret;
	list = json_object_is_type(result, json_type_array) ? result
							    : ockam_value_array(result, "list");
	array = json_object_new_array();
	f = open_memstream(&text, &size);
	if (f) {
		found = ctl_listener_write(f, array, list, only);
		fclose(f);
	}
	json_object_put(result);
	snprintf(empty, sizeof(empty), "No secure channel listeners found on %s", session.node);
	out.plain = found ? text : empty;
	out.asked = only && found ? json_object_array_get_idx(array, 0) : array;
	if (only && !found)
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				      "There is no secure channel listener at address %s on node %s",
				      only, session.node);
	else
		ret = ctl_output_result(&ctl->out, &out);
	json_object_put(array);
	free(text);
	return ret;
}

static int ctl_listener_list(struct ctl *ctl, const struct ctl_args *args)
{
	return ctl_listener_print(ctl, args, NULL);
}

static int ctl_listener_show(struct ctl *ctl, const struct ctl_args *args)
{
	return ctl_listener_print(ctl, args, ctl_strip_service(ctl_arg_positional(args, 0)));
}

static int ctl_listener_print_updated(struct ctl *ctl, const char *address,
				      struct json_object *listener)
{
	int64_t closed = ockam_value_int(listener, "closed", -1);
	struct ctl_result out = { };
	char *rule = ctl_rule_text(listener);
	char *plain = NULL, ended[64] = "";
	char *machine = NULL;
	int ret;

	if (closed >= 0)
		snprintf(ended, sizeof(ended), "\nClosed %lld channel%s", (long long)closed,
			 closed == 1 ? "" : "s");
	if (asprintf(&machine, "/service/%s", address) < 0)
		machine = NULL;
	if (asprintf(&plain, "Secure Channel Listener at /service/%s updated\nAdmits %s%s", address,
		     rule ?: "", ended) < 0)
		plain = NULL;
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "address", machine);
	if (closed >= 0)
		ockam_value_put_int(out.json, "closed", closed);
	out.machine = machine;
	out.plain = plain;
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(machine);
	free(plain);
	free(rule);
	return ret;
}

static int ctl_listener_update(struct ctl *ctl, const struct ctl_args *args)
{
	const char *address = ctl_strip_service(ctl_arg_positional(args, 0));
	struct json_object *request, *result = NULL;
	struct ctl_session session;
	int ret;

	if (!ctl_rule_given(args) && !ctl_arg_switch(args, "everyone") &&
	    !ctl_liveness_given(args) && !ctl_arg_switch(args, "close"))
		return ctl_output_fail(&ctl->out, -EINVAL, NULL,
				       "say who is admitted: --authorized, --authority-identity, --allow or --everyone; or --close, --liveness",
				       "Nothing is to be changed");
	ret = ctl_session_open(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "address", address);
	ctl_rule_put(args, request);
	ctl_liveness_put(args, request);
	if (ctl_arg_switch(args, "everyone"))
		ockam_value_put_bool(request, "everyone", true);
	if (ctl_arg_switch(args, "close"))
		ockam_value_put_bool(request, "close", true);
	ret = ctl_session_do(ctl, &session, "secure-channel-listener.update", request,
			     ctl_session_timeout_ms(), &result);
	ctl_session_close(&session);
	if (!ret)
		ret = ctl_listener_print_updated(ctl, address, result);
	json_object_put(result);
	return ret;
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
	struct json_object *info = NULL, *links = NULL;
	struct ctl_result out = { };
	struct ctl_session session;
	char *text = NULL;
	size_t size = 0, i;
	FILE *f;
	int ret;

	ret = ctl_session_open(ctl, ctl_arg(args, "at"), &session);
	if (ret)
		return ret;
	ret = ctl_session_do(ctl, &session, "node.info", NULL, ctl_session_timeout_ms(), &info);
	if (!ret)
		ret = ctl_session_list(ctl, &session, "tcp-connection.list", &links);
	ctl_session_close(&session);
	if (ret) {
		json_object_put(info);
		return ret;
	}
	/* All of them, and not only those that fit the other answer. */
	ockam_value_put(info, "connections", links);
	f = open_memstream(&text, &size);
	out.asked = json_object_new_array();
	for (i = 0; f && i < sizeof(members) / sizeof(members[0]); i++)
		ctl_worker_add(f, out.asked, ockam_value_array(info, members[i].list),
			       members[i].key);
	if (f)
		fclose(f);
	json_object_put(info);
	out.plain = text ?: "";
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.asked);
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
	CTL_AT_FLAG,
	{ }
};

static const struct ctl_flag ctl_listener_delete_flags[] = {
	CTL_AT_FLAG,
	{ .name = "yes", .letter = 'y', .help = "Accepted: nothing is asked" },
	{ }
};

static const struct ctl_flag ctl_listener_create_flags[] = {
	CTL_AT_FLAG,
	{ .name = "authorized", .letter = 'a', .kind = CTL_FLAG_LIST,
	  .placeholder = "<IDENTIFIERS>", .check = ctl_check_identifier,
	  .help = "Identifier that an initiator may have; repeat for more" },
	CTL_AUTHORITY_FLAG,
	CTL_ALLOW_FLAG,
	CTL_LIVENESS_FLAG,
	CTL_LIVENESS_STRICT_FLAG,
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .help = "Identity that the listener proves; default the node's" },
	{ }
};

static const struct ctl_flag ctl_listener_update_flags[] = {
	CTL_AT_FLAG,
	{ .name = "authorized", .letter = 'a', .kind = CTL_FLAG_LIST,
	  .placeholder = "<IDENTIFIERS>", .check = ctl_check_identifier,
	  .help = "Identifier that an initiator may have; repeat for more" },
	CTL_AUTHORITY_FLAG,
	CTL_ALLOW_FLAG,
	{ .name = "everyone", .excludes = "authorized", .help = "Any identifier may come" },
	CTL_LIVENESS_FLAG,
	CTL_LIVENESS_STRICT_FLAG,
	{ .name = "close", .help = "End channels made here whose peer would not be admitted now" },
	{ }
};

static const struct ctl_positional ctl_listener_positionals[] = {
	{ .name = "ADDRESS", .required = true, .help = "Address of the listener" },
	{ }
};

/* A segment of a route must be able to name it. */
static int ctl_check_listener_address(const char *value, struct ockam_err *why)
{
	const char *p;

	for (p = ctl_strip_service(value); *p; p++)
		if (*p == '/' || *p == 0x7f || (unsigned char)*p < 0x20)
			return ockam_err_set(why, -EINVAL,
					     "an address has no '/' and no control character");
	return 0;
}

static const struct ctl_positional ctl_listener_create_positionals[] = {
	{ .name = "ADDRESS", .required = true, .check = ctl_check_listener_address,
	  .help = "Address of the listener" },
	{ }
};

static const struct ctl_command ctl_listener_create_command = {
	.name = "create", .about = "Create a secure channel listener",
	.flags = ctl_listener_create_flags, .positionals = ctl_listener_create_positionals,
	.run = ctl_listener_create,
};

static const struct ctl_command ctl_listener_update_command = {
	.name = "update", .about = "Change whom a secure channel listener admits",
	.details = "The flags given are the whole new rule. It counts for handshakes from now on; those\n"
		   "under way and the channels that there are stay, unless --close is given.",
	.flags = ctl_listener_update_flags, .positionals = ctl_listener_positionals,
	.run = ctl_listener_update,
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
		&ctl_listener_create_command, &ctl_listener_update_command,
		&ctl_listener_list_command, &ctl_listener_show_command,
		&ctl_listener_delete_command, NULL
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
