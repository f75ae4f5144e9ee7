// SPDX-License-Identifier: Apache-2.0
/*
 * What is shown of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "node_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

static const char *ctl_node_status(const struct ockam_node_record *node)
{
	switch (node->life.state) {
	case OCKAM_PROCESS_RUNNING:
		return "running";
	case OCKAM_PROCESS_ZOMBIE:
		return "zombie";
	default:
		return "stopped";
	}
}

/* What the node process says of itself, or NULL. */
static struct json_object *ctl_node_info(const struct ockam_node_record *node)
{
	struct ockam_control *control = NULL;
	struct json_object *info = NULL;
	struct ockam_err err;

	if (!ockam_node_runs(node) ||
	    ockam_control_connect(node->control, &control, &err) < 0)
		return NULL;
	if (ockam_control_call(control, "node.info", NULL, CTL_NODE_INFO_MS, &info, &err) < 0) {
		json_object_put(info);
		info = NULL;
	}
	ockam_control_close(control);
	return info;
}

static void ctl_node_put_prefixed(struct json_object *map, const char *key, const char *address)
{
	char text[OCKAM_SOCKET_TEXT];

	snprintf(text, sizeof(text), "0#%s", address ?: "");
	ockam_value_put_text(map, key, text);
}

struct json_object *ctl_node_transport(struct json_object *from, bool listener)
{
	struct json_object *item = json_object_new_object();
	const char *mode = listener ? "Listen" : ockam_value_text(from, "mode");

	ockam_value_put_text(item, "flow_control_id", ockam_value_text(from, "flow_control_id"));
	ockam_value_put_text(item, "mode", mode);
	ctl_node_put_prefixed(item, "processor_address",
			      ockam_value_text(from, "processor_address"));
	ockam_value_put_text(item, "socket_addr",
			     ockam_value_text(from, listener ? "address" : "peer"));
	ockam_value_put_text(item, "type", "Tcp");
	if (listener)
		ockam_value_put_text(item, "worker_addr", "<none>");
	else
		ctl_node_put_prefixed(item, "worker_addr", ockam_value_text(from, "address"));
	return item;
}

static struct json_object *ctl_node_transports(struct json_object *info)
{
	static const char *const members[] = { "tcp_listeners", "connections" };
	struct json_object *out = json_object_new_array();
	size_t k, i;

	for (k = 0; k < 2; k++) {
		struct json_object *list = ockam_value_array(info, members[k]);

		for (i = 0; list && i < json_object_array_length(list); i++)
			json_object_array_add(out,
					      ctl_node_transport(json_object_array_get_idx(list, i),
								 k == 0));
	}
	return out;
}

/* {"inner": [byte values], "tt": 0} */
static struct json_object *ctl_node_address(const char *name)
{
	struct json_object *address = json_object_new_object();
	struct json_object *inner = json_object_new_array();
	const unsigned char *p = (const unsigned char *)(name ?: "");

	for (; *p; p++)
		json_object_array_add(inner, json_object_new_int(*p));
	ockam_value_put(address, "inner", inner);
	ockam_value_put_int(address, "tt", 0);
	return address;
}

static struct json_object *ctl_node_channel_listeners(struct json_object *info)
{
	struct json_object *list = ockam_value_array(info, "secure_channel_listeners");
	struct json_object *out = json_object_new_array();
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *from = json_object_array_get_idx(list, i);
		struct json_object *item = json_object_new_object();

		ockam_value_put(item, "address",
				ctl_node_address(ockam_value_text(from, "address")));
		ockam_value_put_text(item, "flow_control_id",
				     ockam_value_text(from, "flow_control_id"));
		ockam_value_put_bool(item, "is_key_exchange_only", false);
		json_object_array_add(out, item);
	}
	return out;
}

/* Counters of the kernel that are not zero: events, and a reason for each drop. */
static struct json_object *ctl_node_counters(struct json_object *info)
{
	struct json_object *counters = ockam_value_get(info, "counters");
	struct json_object *out = json_object_new_object();

	if (!counters)
		return out;
	json_object_object_foreach(counters, name, value) {
		if (json_object_get_int64(value))
			json_object_object_add(out, name, json_object_get(value));
	}
	return out;
}

struct json_object *ctl_node_object(const struct ockam_node_record *node)
{
	struct json_object *object = json_object_new_object();
	struct json_object *route = json_object_new_object();
	struct json_object *info = ctl_node_info(node);
	struct json_object *services = ockam_value_get(info, "services");
	const char *port = strrchr(node->tcp_listener, ':');
	pid_t pid = ockam_life_pid(&node->life);
	char text[OCKAM_SOCKET_TEXT], given[OCKAM_NETNS_REF];

	ockam_value_put_text(object, "name", node->name);
	ockam_value_put_bool(object, "is_default", node->is_default);
	ockam_value_put_text(object, "status", ctl_node_status(node));
	if (pid)
		ockam_value_put_int(object, "pid", pid);
	ockam_value_put_text(object, "identity_name", node->identity);
	snprintf(text, sizeof(text), "/node/%s", node->name);
	ockam_value_put_text(route, "short", text);
	snprintf(text, sizeof(text), "/dnsaddr/localhost/tcp/%s", port ? port + 1 : "0");
	ockam_value_put_text(route, "verbose", text);
	ockam_value_put(object, "route", route);
	ockam_value_put(object, "http_server_address", NULL);
	if (ockam_value_text(info, "netns"))
		ockam_value_put_text(object, "netns", ockam_value_text(info, "netns"));
	if (ockam_value_text(info, "netns_missing"))
		ockam_value_put_text(object, "netns_missing",
				     ockam_value_text(info, "netns_missing"));
	if (node->netns[0]) {
		ockam_netns_ref_text(node->netns, given);
		ockam_value_put_text(object, "netns_of", given);
	}
	ockam_value_put(object, "transports", ctl_node_transports(info));
	ockam_value_put(object, "secure_channel_listeners", ctl_node_channel_listeners(info));
	ockam_value_put(object, "services",
			services ? json_object_get(services) : json_object_new_array());
	ockam_value_put(object, "inlets", json_object_new_array());
	ockam_value_put(object, "outlets", json_object_new_array());
	ockam_value_put(object, "counters", ctl_node_counters(info));
	if (ockam_value_int(info, "connections_left_out", 0))
		ockam_value_put_int(object, "connections_left_out",
				    ockam_value_int(info, "connections_left_out", 0));
	json_object_put(info);
	return object;
}

static void ctl_node_plain_lists(FILE *f, struct json_object *object)
{
	struct json_object *list = ockam_value_array(object, "transports");
	struct json_object *inner, *item;
	size_t i, k;

	fputs(list && json_object_array_length(list) ? "\nTransports:" : "\nNo Transports", f);
	for (i = 0; list && i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		fprintf(f, "\n  TCP, %s at %s", ockam_value_text(item, "mode") ?: "",
			ockam_value_text(item, "socket_addr") ?: "");
	}
	if (ockam_value_int(object, "connections_left_out", 0))
		fprintf(f, "\n  and %lld more: see ockam tcp-connection list --at %s",
			(long long)ockam_value_int(object, "connections_left_out", 0),
			ockam_value_text(object, "name") ?: "");
	fputs("\nSecure Channels:", f);
	list = ockam_value_array(object, "secure_channel_listeners");
	for (i = 0; list && i < json_object_array_length(list); i++) {
		item = ockam_value_get(json_object_array_get_idx(list, i), "address");
		inner = ockam_value_array(item, "inner");
		fputs("\n  Listener at /service/", f);
		for (k = 0; inner && k < json_object_array_length(inner); k++)
			fputc(json_object_get_int(json_object_array_get_idx(inner, k)), f);
	}
	fputs("\nNo Portals\nServices:", f);
	list = ockam_value_array(object, "services");
	for (i = 0; list && i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		fprintf(f, "\n  %s service at %s", ockam_value_text(item, "type") ?: "",
			ockam_value_text(item, "addr") ?: "");
	}
}

static void ctl_node_plain_drops(FILE *f, struct json_object *object)
{
	struct json_object *counters = ockam_value_get(object, "counters");
	bool any = false;

	if (!counters)
		return;
	json_object_object_foreach(counters, name, value) {
		if (strncmp(name, "drop_", 5))
			continue;
		fprintf(f, "%s\n  %s: %s", any ? "" : "\nDropped messages:", name + 5,
			json_object_get_string(value));
		any = true;
	}
}

char *ctl_node_plain(struct json_object *object)
{
	struct json_object *route = ockam_value_get(object, "route");
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "%s%s:\n", ockam_value_text(object, "name") ?: "",
		ockam_value_bool(object, "is_default", false) ? " (default)" : "");
	if (ockam_value_get(object, "pid"))
		fprintf(f, "The node is UP, with PID %d",
			(int)ockam_value_int(object, "pid", 0));
	else if (!strcmp(ockam_value_text(object, "status") ?: "", "running"))
		fputs("The node is UP, in another PID namespace", f);
	else
		fputs("The node is DOWN", f);
	fprintf(f, "\nWith route %s or %s", ockam_value_text(route, "short") ?: "",
		ockam_value_text(route, "verbose") ?: "");
	fprintf(f, "\nIdentity: %s", ockam_value_text(object, "identity_name") ?: "");
	if (ockam_value_text(object, "netns_of"))
		fprintf(f, "\nNetwork namespace: that of %s",
			ockam_value_text(object, "netns_of"));
	if (ockam_value_text(object, "netns_missing"))
		fprintf(f, "\n%s", ockam_value_text(object, "netns_missing"));
	ctl_node_plain_lists(f, object);
	ctl_node_plain_drops(f, object);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

int ctl_node_print(struct ctl *ctl, const struct ockam_node_record *node)
{
	struct json_object *object = ctl_node_object(node);
	char *plain = ctl_node_plain(object);
	struct ctl_result out = { .plain = plain, .json = object };
	int ret = ctl_output_result(&ctl->out, &out);

	free(plain);
	json_object_put(object);
	return ret;
}
