// SPDX-License-Identifier: Apache-2.0
/*
 * ockam node show, list, default, logs (cli 2.1).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_node.h"
#include "ctl.h"
#include "node_object.h"
#include "sweep.h"
#include "value.h"

/* All nodes, after left-overs of dead ones were swept. free(*nodes). */
static int ctl_node_all(struct ctl *ctl, struct ockam_node_record **nodes, size_t *n)
{
	struct ockam_err err;
	int ret;

	*nodes = NULL;
	*n = 0;
	ret = ctl_store(ctl, false);
	if (ret || !ctl->store)
		return ret;
	if (ockam_sweep(&ctl->home, &err) < 0)
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
	if (ockam_store_node_list(ctl->store, nodes, n, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	return CTL_EXIT_OK;
}

static int ctl_node_show(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_strip_node(ctl_arg_positional(args, 0));
	struct ockam_node_record *nodes;
	int chosen = -1;
	size_t n, i;
	int ret;

	ret = ctl_node_all(ctl, &nodes, &n);
	if (ret)
		return ret;
	if (!n)
		return ctl_print_empty(ctl, "There are no nodes to show");
	if (!name && n > 1)
		chosen = ctl_select(ctl, args, "Which node shall be shown?", ctl_node_name_at,
				    nodes, n);
	if (chosen == (int)n) {
		free(nodes);
		return CTL_EXIT_OK;
	}
	if (chosen >= 0)
		name = nodes[chosen].name;
	for (i = 0; i < n; i++) {
		if (name ? !strcmp(nodes[i].name, name) : nodes[i].is_default)
			break;
	}
	if (i < n)
		ret = ctl_node_print(ctl, &nodes[i]);
	else if (name)
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				      "There is no node with name %s", name);
	else
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL, "There is no default node");
	free(nodes);
	return ret;
}

/* pid: 0 when it does not run or is not seen from here. */
static struct json_object *ctl_node_list_object(const struct ockam_node_record *node, pid_t pid)
{
	struct json_object *item = json_object_new_object();
	struct json_object *status = json_object_new_object();

	ockam_value_put_bool(item, "is_default", node->is_default);
	ockam_value_put_text(item, "node_name", node->name);
	ockam_value_put(item, "pid", pid ? json_object_new_int(pid) : NULL);
	if (pid)
		ockam_value_put_int(status, "pid", pid);
	ockam_value_put_text(status, "status", ockam_node_runs(node) ? "running" : "stopped");
	ockam_value_put(item, "status", status);
	return item;
}

static char *ctl_node_list_plain(const struct ockam_node_record *node, pid_t pid)
{
	bool up = ockam_node_runs(node);
	char process[48] = "No process running";
	char *text;

	if (pid)
		snprintf(process, sizeof(process), "With PID %d", (int)pid);
	else if (up)
		snprintf(process, sizeof(process), "In another PID namespace");
	return asprintf(&text, "Node %s%s is %s\n%s", node->name,
			node->is_default ? " (default)" : "", up ? "UP" : "DOWN", process) < 0
		? NULL : text;
}

static int ctl_node_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct ockam_node_record *nodes;
	struct json_object *array;
	char **items;
	size_t n, i;
	int ret;

	(void)args;
	ret = ctl_node_all(ctl, &nodes, &n);
	if (ret)
		return ret;
	if (!n)
		return ctl_print_empty(ctl, "No nodes found on this system");
	items = calloc(n, sizeof(*items));
	array = json_object_new_array();
	for (i = 0; items && i < n; i++) {
		pid_t pid = ockam_life_pid(&nodes[i].life);

		json_object_array_add(array, ctl_node_list_object(&nodes[i], pid));
		items[i] = ctl_node_list_plain(&nodes[i], pid) ?: strdup("");
	}
	ret = ctl_print_list(ctl, array, items, n);
	ctl_texts_free(items, n);
	json_object_put(array);
	free(nodes);
	return ret;
}

static int ctl_node_default(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_strip_node(ctl_arg_positional(args, 0));
	struct ockam_node_record *nodes;
	struct ctl_result out = { };
	const char *current = NULL;
	struct ockam_err err;
	bool known = false;
	char *plain = NULL;
	size_t n, i;
	int ret;

	ret = ctl_node_all(ctl, &nodes, &n);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		if (nodes[i].is_default)
			current = nodes[i].name;
		known |= name && !strcmp(nodes[i].name, name);
	}
	if (!name && !current) {
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL, "There is no default node");
	} else if (name && !known) {
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				      "There is no node with name %s", name);
	} else if (name && current && !strcmp(name, current)) {
		ret = ctl_output_fail(&ctl->out, -EEXIST, NULL, NULL,
				      "The node '%s' is already the default", name);
	} else if (name && ockam_store_node_set_default(ctl->store, name, &err) < 0) {
		ret = ctl_output_fail_err(&ctl->out, &err);
	} else {
		if (asprintf(&plain, name ? "The node '%s' is now the default"
					  : "The default node is '%s'", name ? name : current) < 0)
			plain = NULL;
		out.plain = plain;
		out.machine = name;
		ret = ctl_output_result(&ctl->out, &out);
		free(plain);
	}
	free(nodes);
	return ret;
}

/* Path of the newest log; names sort by date. Full ones that were put aside are none. */
static int ctl_node_newest_log(const char *dir, char *path, size_t size)
{
	char newest[NAME_MAX + 1] = "";
	struct dirent *entry;
	DIR *d = opendir(dir);

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		if (ockam_home_is_log(entry->d_name, strlen(entry->d_name)) &&
		    strcmp(entry->d_name, newest) > 0)
			snprintf(newest, sizeof(newest), "%s", entry->d_name);
	}
	closedir(d);
	if (!newest[0])
		return -ENOENT;
	return snprintf(path, size, "%s/%s", dir, newest) >= (int)size ? -ENAMETOOLONG : 0;
}

static int ctl_node_logs(struct ctl *ctl, const struct ctl_args *args)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct ockam_node_record node;
	struct ctl_result out = { };
	struct ockam_err err;
	char *plain = NULL;
	const char *name;
	int ret;

	name = ctl_strip_node(ctl_arg_positional(args, 0));
	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (!ctl->store || ockam_store_node_get(ctl->store, name, &node, &err) < 0)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL, "%s%s",
				       name ? "There is no node with name " : "There is no default node",
				       name ?: "");
	if (ockam_home_node_dir(&ctl->home, node.name, dir, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (ctl_node_newest_log(dir, path, sizeof(path)) < 0)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL,
				       "a foreground node logs to standard output",
				       "The node %s has no log file", node.name);
	if (asprintf(&plain, "The path for the log file is: %s", path) < 0)
		plain = NULL;
	out.plain = plain;
	out.machine = path;
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "path", path);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(plain);
	return ret;
}

static const struct ctl_positional ctl_node_name_positional[] = {
	{ .name = "NODE_NAME", .help = "Name of the node; default the default node" },
	{ }
};

const struct ctl_command ctl_node_show_command = {
	.name = "show", .about = "Show a node", .positionals = ctl_node_name_positional,
	.run = ctl_node_show,
};

const struct ctl_command ctl_node_list_command = {
	.name = "list", .about = "List the nodes of this home", .run = ctl_node_list,
};

const struct ctl_command ctl_node_default_command = {
	.name = "default", .about = "Show or set the default node",
	.positionals = ctl_node_name_positional, .run = ctl_node_default,
};

const struct ctl_command ctl_node_logs_command = {
	.name = "logs", .about = "Show where a node logs",
	.positionals = ctl_node_name_positional, .run = ctl_node_logs,
};
