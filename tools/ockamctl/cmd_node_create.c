// SPDX-License-Identifier: Apache-2.0
/*
 * ockam node create and node start (cli 2.1, 4.2, 4.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd_node.h"
#include "ctl.h"
#include "names.h"
#include "node_object.h"
#include "spawn.h"
#include "sweep.h"

/* The foreground node, for the handler that passes signals on. */
static volatile pid_t ctl_node_foreground_pid;

static void ctl_node_pass_signal(int number)
{
	if (ctl_node_foreground_pid > 0)
		kill(ctl_node_foreground_pid, number);
}

/* Stay until the foreground node ends. */
static int ctl_node_stay(struct ctl *ctl, pid_t pid)
{
	struct sigaction action = { .sa_handler = ctl_node_pass_signal };
	int status;

	ctl_node_foreground_pid = pid;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return CTL_EXIT_OK;
	return ctl_output_fail(&ctl->out, -EIO, NULL, NULL, "The node has failed");
}

/*
 * The name to create: given, else that of the stopped default node, else a
 * random one.
 */
static int ctl_node_pick_name(struct ctl *ctl, const char *given, char name[OCKAM_NAME_SIZE])
{
	struct ockam_node_record node;
	struct ockam_err err;

	if (given) {
		if (ockam_name_check_node(given, &err) < 0)
			return ctl_output_fail(&ctl->out, -EINVAL, err.text, NULL,
					       "Invalid value for NAME_OR_CONFIGURATION: %s", given);
		snprintf(name, OCKAM_NAME_SIZE, "%s", given);
		return CTL_EXIT_OK;
	}
	if (!ockam_store_node_get(ctl->store, NULL, &node, &err) &&
	    ockam_node_state(&node) != OCKAM_PROCESS_RUNNING) {
		snprintf(name, OCKAM_NAME_SIZE, "%s", node.name);
		return CTL_EXIT_OK;
	}
	if (ockam_name_random(name, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	return CTL_EXIT_OK;
}

/*
 * The identity to run with; made when it does not exist. Here and not in the
 * node process, so that the remarks reach the caller's terminal.
 */
static int ctl_node_pick_identity(struct ctl *ctl, const char *given,
				  char name[OCKAM_NAME_SIZE])
{
	struct ockam_identity_record record = { };
	struct ockam_err err;
	int ret;

	if (given)
		ret = ockam_store_identity_create(ctl->store, given, NULL, NULL, &ctl->remarks,
						  &record, &err);
	else
		ret = ockam_store_identity_default(ctl->store, &ctl->remarks, &record, &err);
	if (ret < 0 && ret != -EEXIST)
		return ctl_output_fail_err(&ctl->out, &err);
	snprintf(name, OCKAM_NAME_SIZE, "%s", record.name);
	ockam_identity_record_free(&record);
	return CTL_EXIT_OK;
}

static int ctl_node_print_created(struct ctl *ctl, const char *name)
{
	struct ctl_result out = { .machine = name };
	struct ockam_node_record node;
	struct ockam_err err;
	char *plain = NULL;
	int ret;

	if (ctl->out.quiet)
		return CTL_EXIT_OK;
	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ockam_store_node_get(ctl->store, name, &node, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (asprintf(&plain,
		     "Created a new Node named %s\n%s%s%sTo see more details on this Node, run: ockam node show %s",
		     name, node.is_default ? "Marked " : "", node.is_default ? name : "",
		     node.is_default ? " as your default Node, on this machine\n" : "", name) < 0)
		plain = NULL;
	out.plain = plain;
	out.json = ctl->out.json ? ctl_node_object(&node) : NULL;
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(plain);
	return ret;
}

/* Is the name free to start? Reports when not. */
static int ctl_node_check_free(struct ctl *ctl, const char *name)
{
	struct ockam_node_record node;
	struct ockam_err err;

	if (!ockam_store_node_get(ctl->store, name, &node, &err) &&
	    ockam_node_state(&node) == OCKAM_PROCESS_RUNNING)
		return ctl_output_fail(&ctl->out, -EEXIST, NULL, NULL, "Node %s is already running",
				       name);
	return CTL_EXIT_OK;
}

static int ctl_node_create(struct ctl *ctl, const struct ctl_args *args)
{
	char name[OCKAM_NAME_SIZE], identity[OCKAM_NAME_SIZE], listener[OCKAM_SOCKET_TEXT];
	struct ctl_spawn spawn = {
		.name = name, .identity = identity, .listener = listener,
		.foreground = ctl_arg_switch(args, "foreground"),
		.exit_on_eof = ctl_arg_switch(args, "exit-on-eof"),
		.in_memory = ctl_arg_switch(args, "in-memory"),
	};
	struct ockam_err err;
	pid_t pid;
	int ret;

	if (spawn.in_memory && !spawn.foreground)
		return ctl_output_fail(&ctl->out, -EINVAL, NULL, "add --foreground",
				       "Only foreground nodes can be created in-memory");
	ret = ctl_store(ctl, true);
	if (ret)
		return ret;
	if (ockam_sweep(&ctl->home, ctl->store, &err) < 0)
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
	ret = ctl_node_pick_name(ctl, ctl_arg_positional(args, 0), name);
	if (!ret && !ctl_arg_switch(args, "skip-is-running-check"))
		ret = ctl_node_check_free(ctl, name);
	if (!ret)
		ret = ctl_node_pick_identity(ctl, ctl_arg(args, "identity"), identity);
	if (ret)
		return ret;
	ctl_socket_address(ctl_arg(args, "tcp-listener-address"), listener, &err);
	ret = ctl_spawn(ctl, &spawn, &pid);
	if (ret)
		return ret;
	ret = ctl_node_print_created(ctl, name);
	if (!spawn.foreground)
		return ret;
	return ctl_node_stay(ctl, pid);
}

/* Bring one stopped node back on the same port, with the same identity. */
static int ctl_node_start_one(struct ctl *ctl, struct ockam_node_record *node)
{
	struct ctl_spawn spawn = {
		.name = node->name,
		.identity = node->identity[0] ? node->identity : NULL,
		.listener = node->tcp_listener[0] ? node->tcp_listener : NULL,
	};
	struct ctl_result out = { };
	struct ockam_err err;
	char *plain = NULL;
	pid_t pid;
	int ret;

	if (ockam_node_state(node) == OCKAM_PROCESS_RUNNING) {
		if (asprintf(&plain,
			     "The node '%s' is already running. If you want to restart it you can call `ockam node stop %s` and then `ockam node start %s`",
			     node->name, node->name, node->name) < 0)
			plain = NULL;
		out.plain = plain;
		ret = ctl_output_result(&ctl->out, &out);
		free(plain);
		return ret;
	}
	ret = ctl_spawn(ctl, &spawn, &pid);
	if (!ret)
		ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ockam_store_node_get(ctl->store, node->name, node, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	return ctl_node_print(ctl, node);
}

static int ctl_node_start(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_strip_node(ctl_arg_positional(args, 0));
	struct ockam_node_record *nodes = NULL, node;
	struct ockam_err err;
	int ret, failed = 0;
	size_t n = 0, i;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ctl->store)
		ockam_sweep(&ctl->home, ctl->store, &err);
	if (ctl_arg_switch(args, "all")) {
		if (ctl->store && ockam_store_node_list(ctl->store, &nodes, &n, &err) < 0)
			return ctl_output_fail_err(&ctl->out, &err);
		for (i = 0; i < n; i++)
			failed |= ctl_node_start_one(ctl, &nodes[i]);
		free(nodes);
		return failed;
	}
	if (!ctl->store || ockam_store_node_get(ctl->store, name, &node, &err) < 0)
		return name ? ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
					      "There is no node with name %s", name)
			    : ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
					      "There is no default node");
	return ctl_node_start_one(ctl, &node);
}

static const struct ctl_flag ctl_node_create_flags[] = {
	{ .name = "foreground", .letter = 'f', .help = "Stay in the foreground until a signal" },
	{ .name = "exit-on-eof", .letter = 'e', .requires = "foreground",
	  .help = "With --foreground: stop at the end of standard input too" },
	{ .name = "skip-is-running-check", .letter = 's',
	  .help = "Do not fail because a node of that name is thought to run" },
	{ .name = "tcp-listener-address", .letter = 't', .kind = CTL_FLAG_VALUE,
	  .placeholder = "<SOCKET_ADDRESS>", .fallback = "127.0.0.1:0",
	  .check = ctl_check_socket_address, .help = "TCP listener; port 0 is any free one" },
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .help = "Identity of the node; made if missing" },
	{ .name = "in-memory", .env = "OCKAM_SQLITE_IN_MEMORY",
	  .help = "Keep state in memory; foreground only" },
	{ }
};

static const struct ctl_positional ctl_node_create_positionals[] = {
	{ .name = "NAME_OR_CONFIGURATION", .help = "Name of the node" },
	{ }
};

const struct ctl_command ctl_node_create_command = {
	.name = "create",
	.about = "Create a node",
	.details = "A node has a TCP listener, the services echo and uppercase, and a secure channel\n"
		   "listener at api. It needs root and the kernel module ockam.",
	.flags = ctl_node_create_flags,
	.positionals = ctl_node_create_positionals,
	.run = ctl_node_create,
};

static const struct ctl_flag ctl_node_start_flags[] = {
	{ .name = "all", .help = "Start all stopped nodes" },
	{ }
};

static const struct ctl_positional ctl_node_start_positionals[] = {
	{ .name = "NODE_NAME", .help = "Name of the node; default the default node" },
	{ }
};

const struct ctl_command ctl_node_start_command = {
	.name = "start",
	.about = "Start a stopped node: same name, identity and TCP port",
	.flags = ctl_node_start_flags,
	.positionals = ctl_node_start_positionals,
	.run = ctl_node_start,
};
