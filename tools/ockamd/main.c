// SPDX-License-Identifier: Apache-2.0
/*
 * ockamd: "ockamd node" is a node process, which ockamctl starts; "ockamd worker",
 * "uppercase" and "lookup" are processes that this one starts.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper.h"
#include "log.h"
#include "logfile.h"
#include "lookup.h"
#include "names.h"
#include "node.h"
#include "uppercase.h"
#include "worker.h"

#define OCKAMD_USAGE	64

static const char ockamd_main_usage[] =
	"Usage: ockamd node --name NAME [options]\n"
	"\n"
	"Runs a node until SIGTERM, SIGINT or SIGHUP. Started by ockamctl.\n"
	"\n"
	"  --home DIR                   state directory ($OCKAM_HOME, ~/.ockam)\n"
	"  --name NAME                  name of the node\n"
	"  --tcp-listener-address A:P   default 127.0.0.1:0\n"
	"  --no-listener                no TCP listener and no channel listener\n"
	"  --netns PATH|PID             an existing network namespace (a new one)\n"
	"  --identity NAME              identity, made if missing (the default one)\n"
	"  --authority-identity HEX     identity whose credentials count\n"
	"  --credential-scope SCOPE     present the stored credential of that scope\n"
	"  --strict-identities          refuse peers whose identity does not hold now\n"
	"  --control-path PATH          control socket\n"
	"  --foreground                 log for people, say why it ends\n"
	"  --in-memory                  leave no record of the node\n"
	"  --exit-on-eof                end with standard input too\n"
	"  --ready-fd N                 above 2; gets \"ok\" or \"error: ...\" when it is up or not\n"
	"  --version, --help\n";

enum ockamd_main_option {
	OCKAMD_OPT_HOME = 256,
	OCKAMD_OPT_NAME,
	OCKAMD_OPT_LISTEN,
	OCKAMD_OPT_NO_LISTENER,
	OCKAMD_OPT_NETNS,
	OCKAMD_OPT_IDENTITY,
	OCKAMD_OPT_AUTHORITY,
	OCKAMD_OPT_SCOPE,
	OCKAMD_OPT_STRICT,
	OCKAMD_OPT_CONTROL,
	OCKAMD_OPT_FOREGROUND,
	OCKAMD_OPT_IN_MEMORY,
	OCKAMD_OPT_EXIT_ON_EOF,
	OCKAMD_OPT_READY,
	OCKAMD_OPT_VERSION,
	OCKAMD_OPT_HELP,
};

static const struct option ockamd_main_options[] = {
	{ "home", required_argument, NULL, OCKAMD_OPT_HOME },
	{ "name", required_argument, NULL, OCKAMD_OPT_NAME },
	{ "tcp-listener-address", required_argument, NULL, OCKAMD_OPT_LISTEN },
	{ "no-listener", no_argument, NULL, OCKAMD_OPT_NO_LISTENER },
	{ "netns", required_argument, NULL, OCKAMD_OPT_NETNS },
	{ "identity", required_argument, NULL, OCKAMD_OPT_IDENTITY },
	{ "authority-identity", required_argument, NULL, OCKAMD_OPT_AUTHORITY },
	{ "credential-scope", required_argument, NULL, OCKAMD_OPT_SCOPE },
	{ "strict-identities", no_argument, NULL, OCKAMD_OPT_STRICT },
	{ "control-path", required_argument, NULL, OCKAMD_OPT_CONTROL },
	{ "foreground", no_argument, NULL, OCKAMD_OPT_FOREGROUND },
	{ "in-memory", no_argument, NULL, OCKAMD_OPT_IN_MEMORY },
	{ "exit-on-eof", no_argument, NULL, OCKAMD_OPT_EXIT_ON_EOF },
	{ "ready-fd", required_argument, NULL, OCKAMD_OPT_READY },
	{ "version", no_argument, NULL, OCKAMD_OPT_VERSION },
	{ "help", no_argument, NULL, OCKAMD_OPT_HELP },
	{ 0 },
};

/* Descriptors 0 to 2 exist; nothing else that a caller had open stays, @keep excepted. */
static void ockamd_main_close_inherited(int keep)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (keep <= STDERR_FILENO) {
		close_range(3, ~0U, 0);
		return;
	}
	if (keep > 3)
		close_range(3, (unsigned int)keep - 1, 0);
	close_range((unsigned int)keep + 1, ~0U, 0);
	fcntl(keep, F_SETFD, FD_CLOEXEC);
}

static int ockamd_main_number(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	return errno || *end || end == text || n < 0 || n > INT_MAX ? -1 : (int)n;
}

/* Returns -1 to go on, else the exit status. */
static int ockamd_main_parse(int argc, char **argv, struct ockamd_options *o)
{
	struct ockam_err err;
	int option;

	o->ready_fd = -1;
	while ((option = getopt_long(argc, argv, "", ockamd_main_options, NULL)) != -1) {
		switch (option) {
		case OCKAMD_OPT_HOME:
			o->home = optarg;
			break;
		case OCKAMD_OPT_NAME:
			o->name = optarg;
			break;
		case OCKAMD_OPT_LISTEN:
			o->listen = optarg;
			break;
		case OCKAMD_OPT_NO_LISTENER:
			o->no_listener = true;
			break;
		case OCKAMD_OPT_NETNS:
			o->netns = optarg;
			break;
		case OCKAMD_OPT_IDENTITY:
			o->identity = optarg;
			break;
		case OCKAMD_OPT_AUTHORITY:
			o->authority = optarg;
			break;
		case OCKAMD_OPT_SCOPE:
			o->credential_scope = optarg;
			break;
		case OCKAMD_OPT_STRICT:
			o->strict_identities = true;
			break;
		case OCKAMD_OPT_CONTROL:
			o->control = optarg;
			break;
		case OCKAMD_OPT_FOREGROUND:
			o->foreground = true;
			break;
		case OCKAMD_OPT_IN_MEMORY:
			o->in_memory = true;
			break;
		case OCKAMD_OPT_EXIT_ON_EOF:
			o->exit_on_eof = true;
			break;
		case OCKAMD_OPT_READY:
			o->ready_fd = ockamd_main_number(optarg);
			if (o->ready_fd <= STDERR_FILENO)
				goto usage;
			break;
		case OCKAMD_OPT_VERSION:
			printf("ockamd %s\n", OCKAM_VERSION);
			return 0;
		case OCKAMD_OPT_HELP:
			fputs(ockamd_main_usage, stdout);
			return 0;
		default:
			goto usage;
		}
	}
	if (optind != argc || !o->name)
		goto usage;
	if (ockam_name_check_node(o->name, &err)) {
		fprintf(stderr, "ockamd: %s\n", err.text);
		return OCKAMD_USAGE;
	}
	return -1;
usage:
	fputs(ockamd_main_usage, stderr);
	return OCKAMD_USAGE;
}

/* One of the processes that a node process starts. Returns -1 when it is none. */
static int ockamd_main_child(int argc, char **argv)
{
	bool lookup = argc == 3 && !strcmp(argv[1], "lookup");
	bool worker = argc == 2 && !strcmp(argv[1], "worker");
	struct stat st;

	if (!lookup && !worker && (argc != 2 || strcmp(argv[1], "uppercase")))
		return -1;
	if (fstat(OCKAMD_KEEPER_FD, &st) || !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "ockamd: '%s' is started by a node process, not by hand\n",
			argv[1]);
		return OCKAMD_USAGE;
	}
	if (lookup)
		return ockamd_lookup_run(argv[2]);
	return worker ? ockamd_worker_run() : ockamd_uppercase_run();
}

int main(int argc, char **argv)
{
	struct ockamd_options options = { 0 };
	int ret;

	ret = ockamd_main_child(argc, argv);
	if (ret >= 0)
		return ret;
	if (argc >= 2 && !strcmp(argv[1], "--version")) {
		printf("ockamd %s\n", OCKAM_VERSION);
		return 0;
	}
	if (argc < 2 || strcmp(argv[1], "node")) {
		fputs(ockamd_main_usage, argc >= 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc >= 2 && !strcmp(argv[1], "--help") ? 0 : OCKAMD_USAGE;
	}
	ret = ockamd_main_parse(argc - 1, argv + 1, &options);
	if (ret >= 0)
		return ret;
	umask(077);
	ockamd_main_close_inherited(options.ready_fd);
	ockamd_log_init(options.foreground ? OCKAMD_WARN : OCKAMD_DEBUG);
	if (!options.foreground)
		ockamd_logfile_start(STDOUT_FILENO);
	return ockamd_node_run(&options);
}
