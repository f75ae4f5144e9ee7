// SPDX-License-Identifier: Apache-2.0
/*
 * Fork, exec, and the pipe on which a node process says that it is up.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CTL_SPAWN_READY_FD	3	/* in the new process */
#define CTL_SPAWN_MAX_ARGS	32

/* Next to this program, else where packages put it, else on the PATH. */
static const char *ctl_spawn_program(char *path, size_t size)
{
	const char *env = getenv("OCKAMD");
	char *slash;
	ssize_t len;

	if (env && *env)
		return env;
	len = readlink("/proc/self/exe", path, size - sizeof("ockamd"));
	if (len > 0) {
		path[len] = '\0';
		slash = strrchr(path, '/');
		strcpy(slash + 1, "ockamd");
		if (!access(path, X_OK))
			return path;
		/* /usr/local/bin/ockamctl and /usr/local/sbin/ockamd */
		*slash = '\0';
		slash = strrchr(path, '/');
		if (slash && (size_t)(slash - path) + sizeof("/sbin/ockamd") <= size) {
			strcpy(slash, "/sbin/ockamd");
			if (!access(path, X_OK))
				return path;
		}
	}
	return "ockamd";
}

/* The log of a background node: one file a day. */
static int ctl_spawn_open_log(const struct ctl *ctl, const char *name, struct ockam_err *err)
{
	char dir[PATH_MAX], path[PATH_MAX], date[16];
	time_t now = time(NULL);
	struct tm tm;
	int fd;

	if (ockam_home_node_dir(&ctl->home, name, dir, err) < 0)
		return err->code;
	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	if (snprintf(path, sizeof(path), "%s/stdout.%s.log", dir, date) >= (int)sizeof(path))
		return ockam_err_set(err, -ENAMETOOLONG, "the path of the log is too long");
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return ockam_err_set(err, -errno, "cannot write the log %s: %s", path,
				     strerror(errno));
	return fd;
}

static void ctl_spawn_args(const struct ctl *ctl, const struct ctl_spawn *spawn, char **argv)
{
	static char ready[4];
	int n = 0;

	snprintf(ready, sizeof(ready), "%d", CTL_SPAWN_READY_FD);
	argv[n++] = (char *)"ockamd";
	argv[n++] = (char *)"node";
	argv[n++] = (char *)"--home";
	argv[n++] = (char *)ctl->home.path;
	argv[n++] = (char *)"--name";
	argv[n++] = (char *)spawn->name;
	argv[n++] = (char *)"--ready-fd";
	argv[n++] = ready;
	if (spawn->listener) {
		argv[n++] = (char *)"--tcp-listener-address";
		argv[n++] = (char *)spawn->listener;
	}
	if (spawn->identity) {
		argv[n++] = (char *)"--identity";
		argv[n++] = (char *)spawn->identity;
	}
	if (spawn->control) {
		argv[n++] = (char *)"--control-path";
		argv[n++] = (char *)spawn->control;
	}
	if (spawn->foreground)
		argv[n++] = (char *)"--foreground";
	if (spawn->exit_on_eof)
		argv[n++] = (char *)"--exit-on-eof";
	if (spawn->in_memory)
		argv[n++] = (char *)"--in-memory";
	if (spawn->no_listener)
		argv[n++] = (char *)"--no-listener";
	argv[n] = NULL;
}

/* In the child: only async-signal-safe calls. Does not return. */
static void ctl_spawn_child(const char *program, char **argv, int ready, int log,
			    bool background)
{
	int null;

	signal(SIGPIPE, SIG_DFL);
	if (background) {
		setsid();
		null = open("/dev/null", O_RDWR);
		if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
			_exit(127);
	}
	/* Nothing of the caller's stays open: it may wait for the end of a pipe. */
	if (ready == CTL_SPAWN_READY_FD) {
		fcntl(ready, F_SETFD, 0);
	} else if (dup2(ready, CTL_SPAWN_READY_FD) < 0) {
		_exit(127);
	}
	close_range(CTL_SPAWN_READY_FD + 1, ~0U, 0);
	execvp(program, argv);
	_exit(127);
}

/* What the process says: "ok", "error: sentence", or nothing (it died). */
static int ctl_spawn_wait_ready(struct ctl *ctl, const struct ctl_spawn *spawn, int fd, pid_t pid)
{
	char text[1024];
	size_t len = 0;
	ssize_t n;
	int status = 0;

	do {
		n = read(fd, text + len, sizeof(text) - 1 - len);
		if (n > 0)
			len += n;
	} while ((n > 0 && len < sizeof(text) - 1 && !memchr(text, '\n', len)) ||
		 (n < 0 && errno == EINTR));
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (!strcmp(text, "ok"))
		return CTL_EXIT_OK;

	waitpid(pid, &status, 0);
	if (!strncmp(text, "error: ", 7))
		return ctl_output_fail(&ctl->out, -EIO, NULL, NULL, "%s", text + 7);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL,
				       "install it, or name it with the variable OCKAMD",
				       "Cannot start the node: the program ockamd was not found");
	return ctl_output_fail(&ctl->out, -EIO, NULL, "its log says more: ockam node logs",
			       "The node %s ended before it was up", spawn->name);
}

int ctl_spawn(struct ctl *ctl, const struct ctl_spawn *spawn, pid_t *pid)
{
	char path[PATH_MAX], *argv[CTL_SPAWN_MAX_ARGS];
	const char *program = ctl_spawn_program(path, sizeof(path));
	struct ockam_err err;
	int pipefd[2];
	int log = -1;
	int ret;

	if (!spawn->foreground) {
		log = ctl_spawn_open_log(ctl, spawn->name, &err);
		if (log < 0)
			return ctl_output_fail_err(&ctl->out, &err);
	}
	if (pipe2(pipefd, O_CLOEXEC) < 0) {
		ret = -errno;
		if (log >= 0)
			close(log);
		return ctl_output_fail(&ctl->out, ret, strerror(-ret), NULL, "Cannot make a pipe");
	}
	ctl_spawn_args(ctl, spawn, argv);
	/* An open database must not be shared over a fork. */
	ockam_store_close(ctl->store);
	ctl->store = NULL;
	fflush(NULL);
	*pid = fork();
	if (!*pid)
		ctl_spawn_child(program, argv, pipefd[1], log, !spawn->foreground);
	close(pipefd[1]);
	if (log >= 0)
		close(log);
	if (*pid < 0)
		ret = ctl_output_fail(&ctl->out, -errno, strerror(errno), NULL,
				      "Cannot start a process for the node");
	else
		ret = ctl_spawn_wait_ready(ctl, spawn, pipefd[0], *pid);
	close(pipefd[0]);
	return ret;
}
