// SPDX-License-Identifier: Apache-2.0
/*
 * ockam node exec and node shell: programs that have the channels of a node and no
 * other network.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd_node.h"
#include "confine.h"
#include "ctl.h"
#include "follow.h"
#include "session.h"
#include "sweep.h"

#define CTL_EXEC_CANNOT		126	/* found, but it cannot be run */
#define CTL_EXEC_NOT_FOUND	127

/* A number, in decimal, or false. (uid_t)-1 is none. */
static bool ctl_exec_number(const char *text, unsigned int *number)
{
	char *end;

	errno = 0;
	*number = (unsigned int)strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && strlen(text) <= 10 &&
	       strtoul(text, NULL, 10) < UINT32_MAX;
}

static bool ctl_exec_find_group(const char *text, gid_t *gid)
{
	const struct group *group = getgrnam(text);

	if (group)
		*gid = group->gr_gid;
	return group || ctl_exec_number(text, gid);
}

/* USER or USER:GROUP, names or numbers. */
static int ctl_exec_find_user(struct ctl *ctl, const char *text, struct ctl_confine_user *user)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	const struct passwd *entry;
	char name[64];

	memset(user, 0, sizeof(*user));
	if (len >= sizeof(name))
		return ctl_output_fail(&ctl->out, -EINVAL, NULL, NULL,
				       "There is no user %s", text);
	memcpy(name, text, len);
	name[len] = '\0';
	entry = getpwnam(name);
	if (!entry && ctl_exec_number(name, &user->uid)) {
		user->gid = (gid_t)user->uid;
		entry = getpwuid(user->uid);
	} else if (!entry) {
		return ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL, "There is no user %s", name);
	}
	if (entry) {
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
		snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
	}
	if (colon && !ctl_exec_find_group(colon + 1, &user->gid))
		return ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL, "There is no group %s",
				       colon + 1);
	user->given = true;
	return CTL_EXIT_OK;
}

/* Its pin, if it is the node's still; else the node process itself. For setns(). */
static int ctl_exec_open_netns(const struct ctl *ctl, const struct ockam_node_record *node)
{
	const struct ockam_pin *pin = &node->life.pin;
	char path[PATH_MAX];
	struct stat st;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", OCKAM_NETNS_DIR, pin->name);
	if (pin->name[0])
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd >= 0 && !fstat(fd, &st) && st.st_ino == pin->netns)
		return fd;
	if (fd >= 0)
		close(fd);
	return ockam_life_open(&ctl->home, node->name);
}

/* In the child. */
static int ctl_exec_become(struct ctl *ctl, const struct ctl_confine_user *user,
			   const sigset_t *mask, char **argv)
{
	struct ockam_err err;
	int code;

	if (ctl_confine_lock(user, &ctl->core_limit, &err))
		return ctl_output_fail_err(&ctl->out, &err);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execvp(argv[0], argv);
	code = errno;
	ctl_output_fail(&ctl->out, -code, strerror(code), NULL, "Cannot run %s", argv[0]);
	return code == ENOENT ? CTL_EXEC_NOT_FOUND : CTL_EXEC_CANNOT;
}

static int ctl_exec_run(struct ctl *ctl, int netns, const struct ctl_confine_user *user,
			char **argv)
{
	struct ockam_err err;
	sigset_t before;
	pid_t child;
	int alive;

	/* An open database must not be shared over a fork, nor text be printed twice. */
	ockam_store_close(ctl->store);
	ctl->store = NULL;
	fflush(NULL);
	if (ctl_confine_enter(netns, &alive, &err))
		return ctl_output_fail_err(&ctl->out, &err);
	ctl_follow_prepare(&before);
	child = fork();
	if (!child) {
		int status = ctl_exec_become(ctl, user, &before, argv);

		fflush(NULL);
		_exit(status);
	}
	if (child < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return ctl_output_fail(&ctl->out, -errno, strerror(errno), NULL,
				       "Cannot start a process");
	}
	ctl_confine_relax();
	return ctl_follow(child);
}

static int ctl_exec_in(struct ctl *ctl, const struct ctl_args *args,
		       const struct ctl_confine_user *user, char **argv)
{
	struct ockam_node_record node;
	struct ockam_err err;
	int netns, ret;

	ret = ctl_session_node(ctl, ctl_arg_positional(args, 0), &node);
	if (ret)
		return ret;
	if (!ockam_node_runs(&node))
		return ctl_output_fail(&ctl->out, -ECONNREFUSED, NULL,
				       "start it with: ockam node start",
				       "The node %s is not running", node.name);
	if (ctl_confine_check(user, &err))
		return ctl_output_fail_err(&ctl->out, &err);
	netns = ctl_exec_open_netns(ctl, &node);
	if (netns < 0)
		return ctl_output_fail(&ctl->out, netns, strerror(-netns), NULL,
				       "Cannot find the network namespace of the node %s",
				       node.name);
	return ctl_exec_run(ctl, netns, user, argv);
}

static int ctl_exec_user(struct ctl *ctl, const struct ctl_args *args,
			 struct ctl_confine_user *user)
{
	const char *text = ctl_arg(args, "user");

	memset(user, 0, sizeof(*user));
	return text ? ctl_exec_find_user(ctl, text, user) : CTL_EXIT_OK;
}

static int ctl_node_exec(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_confine_user user;
	int ret;

	ret = ctl_exec_user(ctl, args, &user);
	return ret ? ret : ctl_exec_in(ctl, args, &user, args->rest);
}

static int ctl_node_shell(struct ctl *ctl, const struct ctl_args *args)
{
	char *argv[] = { getenv("SHELL"), NULL };
	struct ctl_confine_user user;
	const struct passwd *entry;
	int ret;

	ret = ctl_exec_user(ctl, args, &user);
	if (ret)
		return ret;
	/* That variable is of the caller. */
	if (user.given || !argv[0] || !*argv[0]) {
		entry = getpwuid(user.given ? user.uid : getuid());
		argv[0] = entry && entry->pw_shell[0] ? entry->pw_shell : (char *)"/bin/sh";
	}
	return ctl_exec_in(ctl, args, &user, argv);
}

static const struct ctl_flag ctl_node_exec_flags[] = {
	{ .name = "user", .letter = 'u', .kind = CTL_FLAG_VALUE, .placeholder = "<USER[:GROUP]>",
	  .help = "User of the program, a name or a number; default the caller" },
	{ }
};

static const struct ctl_positional ctl_node_exec_positionals[] = {
	{ .name = "NODE_NAME", .help = "Name of the node; default the default node" },
	{ }
};

const struct ctl_command ctl_node_exec_command = {
	.name = "exec",
	.about = "Run a program that has the channels of a node and no other network",
	.flags = ctl_node_exec_flags,
	.positionals = ctl_node_exec_positionals,
	.rest = "COMMAND",
	.rest_required = true,
	.run = ctl_node_exec,
};

const struct ctl_command ctl_node_shell_command = {
	.name = "shell",
	.about = "Run a shell that has the channels of a node and no other network",
	.flags = ctl_node_exec_flags,
	.positionals = ctl_node_exec_positionals,
	.run = ctl_node_shell,
};
