// SPDX-License-Identifier: Apache-2.0
/*
 * ockamctl, also called as ockam: parse, run, exit code.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ctl.h"
#include "help.h"
#include "json_text.h"
#include "version.h"

static const struct ctl_command *const ctl_commands[] = {
	&ctl_cmd_node,
	&ctl_cmd_identity,
	&ctl_cmd_credential,
	&ctl_cmd_secure_channel,
	&ctl_cmd_secure_channel_listener,
	&ctl_cmd_tcp_connection,
	&ctl_cmd_tcp_listener,
	&ctl_cmd_flow_control,
	&ctl_cmd_message,
	&ctl_cmd_worker,
	&ctl_cmd_reset,
	&ctl_cmd_enroll,
	&ctl_cmd_space,
	&ctl_cmd_space_admin,
	&ctl_cmd_project_admin,
	&ctl_cmd_subscription,
	&ctl_cmd_admin,
	&ctl_cmd_lease,
	&ctl_cmd_share,
	&ctl_cmd_sidecar,
	&ctl_cmd_kafka_inlet,
	&ctl_cmd_kafka_outlet,
	&ctl_cmd_influxdb_inlet,
	&ctl_cmd_influxdb_outlet,
	NULL
};

static const struct ctl_command ctl_root = {
	.name = "ockam",
	.about = "Orchestrate end-to-end encrypted, mutually authenticated channels in the Linux kernel",
	.children = ctl_commands,
};

/*
 * A caller may have closed 0, 1 or 2. Then the next file to be opened, which
 * may be the database, would get that number, and results be written to it.
 */
static void ctl_open_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/*
 * Keys pass through: no core file may hold them, nor another program of the same
 * user read them. The leak check of the address sanitizer reads its own process.
 */
static void ctl_hide_memory(struct ctl *ctl)
{
	const struct rlimit none = { 0 };

#ifndef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	getrlimit(RLIMIT_CORE, &ctl->core_limit);
	setrlimit(RLIMIT_CORE, &none);
}

static void ctl_say_remark(void *arg, const char *sentence)
{
	struct ctl *ctl = arg;

	ctl_output_note(&ctl->out, CTL_MARK_NONE, "%s", sentence);
}

static int ctl_usage_error(const struct ctl_args *args, const struct ockam_err *err)
{
	fprintf(stderr, "error: %s\n\n", err->text);
	ctl_help_usage_line(stderr, args);
	fputs("\nFor more information, try '--help'.\n", stderr);
	return CTL_EXIT_USAGE;
}

static int ctl_run(struct ctl *ctl, const struct ctl_args *args)
{
	const struct ctl_command *command = ctl_args_command(args);
	struct ockam_err err;

	ctl_output_init(&ctl->out, args);
	/* Before anything is done: a command must not fail after it has worked. */
	if (ctl->out.jq && ctl_json_filter_check(ctl->out.jq, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (ockam_home_find(&ctl->home, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	ctl->remarks = (struct ockam_remarks){ ctl_say_remark, ctl };
	return command->run(ctl, args);
}

int main(int argc, char **argv)
{
	struct ctl_args args;
	struct ctl ctl = { };
	struct ockam_err err;
	int ret;

	ctl_hide_memory(&ctl);
	ctl_open_streams();
	setlocale(LC_ALL, "");
	/* A reader that goes away is an error to report, not a silent death. */
	signal(SIGPIPE, SIG_IGN);

	ret = ctl_args_parse(&ctl_root, argc, argv, &args, &err);
	if (args.want_version) {
		printf("ockam %s\n  compiled from %s\n", OCKAM_CTL_VERSION, OCKAM_CTL_BUILD);
		ret = CTL_EXIT_OK;
	} else if (ret < 0) {
		ret = ctl_usage_error(&args, &err);
	} else if (args.want_help) {
		ctl_help_print(&args, !args.want_short_help);
		ret = CTL_EXIT_OK;
	} else if (!ctl_args_command(&args)->run) {
		ctl_help_print(&args, false);
		ret = CTL_EXIT_USAGE;
	} else {
		ret = ctl_run(&ctl, &args);
	}
	ockam_store_close(ctl.store);
	free(ctl.stdin_line);
	ctl_args_free(&args);
	return ret;
}
