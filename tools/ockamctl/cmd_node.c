// SPDX-License-Identifier: Apache-2.0
/*
 * ockam node stop and node delete (cli 2.1), and the group.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_node.h"
#include "ctl.h"
#include "node_end.h"
#include "sweep.h"
#include "value.h"

static int ctl_node_nodes(struct ctl *ctl, struct ockam_node_record **nodes, size_t *n)
{
	struct ockam_err err;
	int ret;

	*nodes = NULL;
	*n = 0;
	ret = ctl_store(ctl, false);
	if (!ret && ctl->store && ockam_store_node_list(ctl->store, nodes, n, &err) < 0)
		ret = ctl_output_fail_err(&ctl->out, &err);
	return ret;
}

static struct ockam_node_record *ctl_node_find(struct ockam_node_record *nodes, size_t n,
					       const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (name ? !strcmp(nodes[i].name, name) : nodes[i].is_default)
			return &nodes[i];
	}
	return NULL;
}

const char *ctl_node_name_at(const void *nodes, size_t i)
{
	return ((const struct ockam_node_record *)nodes)[i].name;
}

static int ctl_node_stop(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_strip_node(ctl_arg_positional(args, 0));
	struct ockam_node_record *nodes, *node;
	struct ctl_result out = { };
	char text[OCKAM_NAME_SIZE + 64];
	struct ockam_err err;
	size_t n, i, up = 0;
	int chosen = -1;
	int ret;

	ret = ctl_node_nodes(ctl, &nodes, &n);
	if (ret)
		return ret;
	for (i = 0; i < n; i++)
		up += ockam_node_runs(&nodes[i]);
	if (!name && up > 1)
		chosen = ctl_select(ctl, args, "Which node shall stop?", ctl_node_name_at, nodes,
				    n);
	if (chosen == (int)n) {
		free(nodes);
		return CTL_EXIT_OK;
	}
	node = chosen >= 0 ? &nodes[chosen] : ctl_node_find(nodes, n, name);
	if (!up) {
		out.plain = "There are no nodes running";
		ret = ctl_output_result(&ctl->out, &out);
	} else if (!node || !ockam_node_runs(node)) {
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL,
				      "ockam node list shows which nodes run",
				      "The node %s was not found", node ? node->name : name ?: "default");
	} else if (ctl_node_end(&ctl->home, node->name, &err) < 0) {
		ret = ctl_output_fail_err(&ctl->out, &err);
	} else {
		ockam_sweep(&ctl->home, &err);
		snprintf(text, sizeof(text), "The node with name %s was stopped", node->name);
		out.plain = text;
		ret = ctl_output_result(&ctl->out, &out);
	}
	free(nodes);
	return ret;
}

static int ctl_node_delete_one(struct ctl *ctl, const struct ockam_node_record *node)
{
	struct ctl_result out = { .machine = node->name };
	char text[OCKAM_NAME_SIZE + 64];
	struct ockam_err err;
	int ret;

	if (ctl_node_end(&ctl->home, node->name, &err) < 0 ||
	    ockam_sweep(&ctl->home, &err) < 0 ||
	    ockam_store_node_delete(ctl->store, node->name, &err) < 0 ||
	    ockam_home_remove_node_dir(&ctl->home, node->name, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	snprintf(text, sizeof(text), "The node with name %s has been deleted", node->name);
	out.plain = text;
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "name", node->name);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	return ret;
}

static int ctl_node_delete(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_strip_node(ctl_arg_positional(args, 0));
	struct ockam_node_record *nodes, *node;
	bool all = ctl_arg_switch(args, "all");
	int chosen = -1;
	size_t n, i;
	int ret;

	ret = ctl_node_nodes(ctl, &nodes, &n);
	if (ret)
		return ret;
	if (!name && !all)
		chosen = ctl_select(ctl, args, "Which node shall be deleted?", ctl_node_name_at,
				    nodes, n);
	if (chosen >= 0 && chosen < (int)n)
		name = nodes[chosen].name;
	node = name ? ctl_node_find(nodes, n, name) : NULL;
	if (!n) {
		ret = ctl_print_empty(ctl, "There are no nodes to delete");
	} else if (!name && !all) {
		ret = chosen < 0 ? ctl_delete_unnamed(ctl, args, "node") : CTL_EXIT_OK;
	} else if (!all && !node) {
		ret = ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL, "The node %s was not found",
				      name);
	} else if (!ctl_confirm_delete(ctl, args, "node", "nodes", n)) {
		ret = CTL_EXIT_FAILURE;
	} else if (!all) {
		ret = ctl_node_delete_one(ctl, node);
	} else {
		for (i = 0; i < n; i++) {
			if (ctl_node_delete_one(ctl, &nodes[i]))
				ctl_output_note(&ctl->out, CTL_MARK_WARN,
						"Failed to delete node %s", nodes[i].name);
		}
	}
	free(nodes);
	return ret;
}

static const struct ctl_flag ctl_node_stop_flags[] = {
	{ .name = "force", .letter = 'f', .help = "Deprecated: same effect without it" },
	{ }
};

static const struct ctl_flag ctl_node_delete_flags[] = {
	{ .name = "all", .help = "Delete all nodes" },
	{ .name = "force", .letter = 'f', .help = "Deprecated: same effect without it" },
	CTL_YES_FLAG,
	{ }
};

static const struct ctl_positional ctl_node_positionals[] = {
	{ .name = "NODE_NAME", .excludes = "all", .help = "Name of the node" },
	{ }
};

static const struct ctl_command ctl_node_stop_command = {
	.name = "stop", .about = "Stop a node; its record stays", .flags = ctl_node_stop_flags,
	.positionals = ctl_node_positionals, .run = ctl_node_stop,
};

static const struct ctl_command ctl_node_delete_command = {
	.name = "delete", .about = "Stop nodes and delete all they have",
	.flags = ctl_node_delete_flags, .positionals = ctl_node_positionals,
	.run = ctl_node_delete,
};

const struct ctl_command ctl_cmd_node = {
	.name = "node",
	.about = "Nodes: each a network namespace of its own",
	.children = (const struct ctl_command *const[]){
		&ctl_node_create_command, &ctl_node_list_command, &ctl_node_show_command,
		&ctl_node_stop_command, &ctl_node_start_command, &ctl_node_delete_command,
		&ctl_node_default_command, &ctl_node_logs_command, &ctl_node_exec_command,
		&ctl_node_shell_command, NULL
	},
};
