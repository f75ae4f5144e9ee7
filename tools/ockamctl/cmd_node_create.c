// SPDX-License-Identifier: Apache-2.0
/*
 * ockam node create and node start (cli 2.1, 4.2, 4.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_node.h"
#include "ctl.h"
#include "node_new.h"
#include "node_object.h"
#include "rule.h"
#include "hex.h"
#include "store_credential.h"
#include "sweep.h"

/* Flags of scripts for things that nodes of this release do not have. */
static void ctl_node_warn_absent(struct ctl *ctl, const struct ctl_args *args)
{
	static const struct {
		const char	*flag;
		const char	*thing;
	} absent[] = {
		{ "udp", "UDP transport" },
		{ "udp-listener-address", "UDP transport" },
		{ "status-endpoint", "status endpoint" },
		{ "status-endpoint-port", "status endpoint" },
		{ "http-server", "HTTP server" },
		{ "http-server-port", "HTTP server" },
	};
	size_t i;

	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		if (ctl_arg_given(args, absent[i].flag))
			ctl_output_note(&ctl->out, CTL_MARK_WARN,
					"--%s has no effect: nodes have no %s yet",
					absent[i].flag, absent[i].thing);
	}
}

/* A foreground node logs to standard output: as much as -v asks for. */
static void ctl_node_set_log_level(const struct ctl_args *args)
{
	static const char *const levels[] = { NULL, "info", "info", "debug", "trace" };
	size_t iter = 0, n = 0;

	while (ctl_arg_list(args, "verbose", &iter) && n < 4)
		n++;
	if (n)
		setenv("OCKAM_LOG_LEVEL", levels[n], 1);
}

static int ctl_node_create(struct ctl *ctl, const struct ctl_args *args)
{
	char listener[OCKAM_SOCKET_TEXT];
	struct ctl_node_new new = {
		.spawn = {
			.listener = listener,
			.netns = ctl_arg(args, "netns"),
			.exit_on_eof = ctl_arg_switch(args, "exit-on-eof"),
			.in_memory = ctl_arg_switch(args, "in-memory"),
			.authority = ctl_arg(args, "authority-identity"),
			.credential_scope = ctl_arg(args, "credential-scope"),
			.strict_identities = ctl_arg_switch(args, "strict-identities"),
		},
		.foreground = ctl_arg_switch(args, "foreground"),
		.skip_check = ctl_arg_switch(args, "skip-is-running-check"),
		.print = true,
	};
	struct ockam_err err;

	if (new.spawn.in_memory && !new.foreground)
		return ctl_output_fail(&ctl->out, -EINVAL, NULL, "add --foreground",
				       "Only foreground nodes can be created in-memory");
	if (ctl_socket_address(ctl_arg(args, "tcp-listener-address"), listener, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	ctl_node_warn_absent(ctl, args);
	if (new.foreground)
		ctl_node_set_log_level(args);
	return ctl_node_new(ctl, &new, ctl_arg_positional(args, 0), ctl_arg(args, "identity"));
}

/* Start the process of a stopped node, with the trust options that it had. */
static int ctl_node_restart(struct ctl *ctl, const struct ockam_node_record *node)
{
	struct ctl_spawn spawn = {
		.name = node->name,
		.identity = node->identity[0] ? node->identity : NULL,
		.listener = node->tcp_listener[0] ? node->tcp_listener : NULL,
		.netns = node->netns[0] ? node->netns : NULL,
	};
	struct ockam_node_trust trust;
	char *authority = NULL;
	struct ockam_err err;
	int ret;

	if (ockam_store_node_trust(ctl->store, node->name, &trust, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (trust.authority) {
		authority = malloc(2 * trust.authority->history_len + 1);
		if (!authority) {
			ockam_node_trust_free(&trust);
			return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
		}
		ockam_hex_encode(trust.authority->history, trust.authority->history_len,
				 authority);
	}
	spawn.authority = authority;
	spawn.credential_scope = trust.scope[0] ? trust.scope : NULL;
	spawn.strict_identities = trust.strict_identities;
	ret = ctl_spawn(ctl, &spawn);
	free(authority);
	ockam_node_trust_free(&trust);
	return ret;
}

/* Bring one stopped node back on the same port, with the same identity. */
static int ctl_node_start_one(struct ctl *ctl, struct ockam_node_record *node)
{
	struct ctl_result out = { };
	struct ockam_err err;
	char *plain = NULL;
	int ret;

	if (ockam_node_runs(node)) {
		if (asprintf(&plain,
			     "The node '%s' is already running. If you want to restart it you can call `ockam node stop %s` and then `ockam node start %s`",
			     node->name, node->name, node->name) < 0)
			plain = NULL;
		out.plain = plain;
		ret = ctl_output_result(&ctl->out, &out);
		free(plain);
		return ret;
	}
	ret = ctl_node_check_possible(ctl);
	/* Several are started in turn, and each start closes the store. */
	if (!ret)
		ret = ctl_store(ctl, false);
	if (!ret)
		ret = ctl_node_restart(ctl, node);
	if (!ret)
		ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ockam_store_node_get(ctl->store, node->name, node, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	return ctl_node_print(ctl, node);
}

static int ctl_node_start_all(struct ctl *ctl)
{
	struct ockam_node_record *nodes = NULL;
	struct ockam_err err;
	int failed = 0;
	size_t n = 0, i;

	if (ctl->store && ockam_store_node_list(ctl->store, &nodes, &n, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	for (i = 0; i < n; i++)
		failed |= ctl_node_start_one(ctl, &nodes[i]);
	free(nodes);
	return failed;
}

static int ctl_node_start(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_strip_node(ctl_arg_positional(args, 0));
	struct ockam_node_record node;
	struct ockam_err err;
	int ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ctl->store && ockam_sweep(&ctl->home, &err) < 0)
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
	if (ctl_arg_switch(args, "all"))
		return ctl_node_start_all(ctl);
	if (!ctl->store)
		ret = -ENOENT;
	else
		ret = ockam_store_node_get(ctl->store, name, &node, &err);
	if (!ret)
		return ctl_node_start_one(ctl, &node);
	if (ret != -ENOENT)
		return ctl_output_fail_err(&ctl->out, &err);
	return name ? ctl_output_fail(&ctl->out, ret, NULL,
				      "ockam node list shows the nodes there are",
				      "There is no node with name %s", name)
		    : ctl_output_fail(&ctl->out, ret, NULL, "make one with: ockam node create",
				      "There is no default node");
}

static int ctl_check_netns(const char *value, struct ockam_err *why)
{
	if (!*value)
		return ockam_err_set(why, -EINVAL, "expected a path or the number of a process");
	if (strlen(value) >= OCKAM_NETNS_REF)
		return ockam_err_set(why, -EINVAL, "a path of at most %d bytes is possible",
				     OCKAM_NETNS_REF - 1);
	return 0;
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
	{ .name = "netns", .kind = CTL_FLAG_VALUE, .placeholder = "<PATH|PID>",
	  .check = ctl_check_netns,
	  .help = "Make a node of an existing network namespace: its path, or a process in it" },
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .help = "Identity of the node; made if missing" },
	{ .name = "authority-identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY>",
	  .check = ctl_check_authority,
	  .help = "Authority whose credentials count (change history, in hex)" },
	{ .name = "credential-scope", .kind = CTL_FLAG_VALUE, .placeholder = "<CREDENTIAL_SCOPE>",
	  .requires = "authority-identity", .check = ctl_check_scope,
	  .help = "Present the credential stored under this scope on every channel" },
	{ .name = "strict-identities",
	  .help = "Refuse peers whose identity has expired or lies in the future" },
	{ .name = "in-memory", .env = "OCKAM_SQLITE_IN_MEMORY",
	  .help = "Keep state in memory; foreground only" },
	{ .name = "no-status-endpoint", .excludes = "status-endpoint-port",
	  .help = "Accepted: there is no status endpoint" },
	{ .name = "status-endpoint", .kind = CTL_FLAG_VALUE, .placeholder = "<BIND_ADDRESS>",
	  .check = ctl_check_socket_address, .hidden = true, .help = "Accepted, without effect" },
	{ .name = "status-endpoint-port", .kind = CTL_FLAG_VALUE, .placeholder = "<PORT>",
	  .check = ctl_check_port, .hidden = true, .help = "Accepted, without effect" },
	{ .name = "http-server", .alias = "enable-http-server", .hidden = true,
	  .help = "Accepted, without effect" },
	{ .name = "http-server-port", .kind = CTL_FLAG_VALUE, .placeholder = "<PORT>",
	  .check = ctl_check_port, .hidden = true, .help = "Accepted, without effect" },
	{ .name = "udp", .alias = "enable-udp", .hidden = true,
	  .help = "Accepted, without effect" },
	{ .name = "udp-listener-address", .letter = 'u', .kind = CTL_FLAG_VALUE,
	  .placeholder = "<SOCKET_ADDRESS_UDP>", .check = ctl_check_socket_address, .hidden = true,
	  .help = "Accepted, without effect" },
	{ .name = "child-process", .hidden = true, .help = "Accepted" },
	{ .name = "opentelemetry-context", .kind = CTL_FLAG_VALUE, .placeholder = "<CONTEXT>",
	  .hidden = true, .help = "Accepted" },
	{ .name = "tcp-callback-port", .kind = CTL_FLAG_VALUE, .placeholder = "<PORT>",
	  .check = ctl_check_port, .hidden = true, .help = "Accepted" },
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
	{ .name = "NODE_NAME", .excludes = "all",
	  .help = "Name of the node; default the default node" },
	{ }
};

const struct ctl_command ctl_node_start_command = {
	.name = "start",
	.about = "Start a stopped node: same name, identity and TCP port",
	.flags = ctl_node_start_flags,
	.positionals = ctl_node_start_positionals,
	.run = ctl_node_start,
};
