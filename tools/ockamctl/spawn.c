// SPDX-License-Identifier: Apache-2.0
/*
 * Fork, exec, and the pipe on which a node process says that it is up.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CTL_SPAWN_READY_FD	3	/* in the new process */
#define CTL_SPAWN_MAX_ARGS	32
#define CTL_SPAWN_NO_PROGRAM	127
#define CTL_SPAWN_WATCHER_MS	5000

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
	char dir[PATH_MAX], path[PATH_MAX], log[OCKAM_LOG_NAME];
	int fd;

	if (ockam_home_node_dir(&ctl->home, name, dir, err) < 0)
		return err->code;
	ockam_home_log_name(log);
	if (snprintf(path, sizeof(path), "%s/%s", dir, log) >= (int)sizeof(path))
		return ockam_err_set(err, -ENAMETOOLONG, "the path of the log is too long");
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ockam_err_set(err, -errno, "cannot write the log %s: %s", path,
				     strerror(errno));
	return fd;
}

static void ctl_spawn_args(const struct ctl *ctl, const struct ctl_spawn *spawn, bool foreground,
			   char **argv)
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
	if (spawn->netns) {
		argv[n++] = (char *)"--netns";
		argv[n++] = (char *)spawn->netns;
	}
	if (spawn->identity) {
		argv[n++] = (char *)"--identity";
		argv[n++] = (char *)spawn->identity;
	}
	if (spawn->authority) {
		argv[n++] = (char *)"--authority-identity";
		argv[n++] = (char *)spawn->authority;
	}
	if (spawn->credential_scope) {
		argv[n++] = (char *)"--credential-scope";
		argv[n++] = (char *)spawn->credential_scope;
	}
	if (spawn->strict_identities)
		argv[n++] = (char *)"--strict-identities";
	if (foreground)
		argv[n++] = (char *)"--foreground";
	if (spawn->exit_on_eof)
		argv[n++] = (char *)"--exit-on-eof";
	if (spawn->in_memory)
		argv[n++] = (char *)"--in-memory";
	if (spawn->no_listener)
		argv[n++] = (char *)"--no-listener";
	argv[n] = NULL;
}

/*
 * Only async-signal-safe calls. Nothing of the caller's stays open but 0, 1
 * and 2: it may wait for the end of a pipe. Returns when exec has failed.
 */
static void ctl_spawn_exec(const char *program, char **argv, int ready)
{
	signal(SIGPIPE, SIG_DFL);
	if (ready == CTL_SPAWN_READY_FD)
		fcntl(ready, F_SETFD, 0);
	else if (dup2(ready, CTL_SPAWN_READY_FD) < 0)
		return;
	close_range(CTL_SPAWN_READY_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execvp(program, argv);
}

/*
 * What the process says, a line each: "note: sentence" for the user, then "ok" or
 * "error: sentence", or nothing (it died). The last line stays in @text.
 */
static bool ctl_spawn_read_ready(struct ctl *ctl, int fd, char *text, size_t size)
{
	static const char note[] = "note: ";
	FILE *f = fdopen(fd, "r");

	text[0] = '\0';
	if (!f) {
		close(fd);
		return false;
	}
	while (fgets(text, (int)size, f)) {
		text[strcspn(text, "\n")] = '\0';
		if (strncmp(text, note, strlen(note)))
			break;
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", text + strlen(note));
		text[0] = '\0';
	}
	fclose(f);
	return !strcmp(text, "ok");
}

static int ctl_spawn_failed(struct ctl *ctl, const struct ctl_spawn *spawn, const char *said)
{
	if (!strncmp(said, "error: ", 7))
		return ctl_output_fail(&ctl->out, -EIO, NULL, NULL, "%s", said + 7);
	return ctl_output_fail(&ctl->out, -EIO, NULL,
			       "its log says more, in nodes/ of the home directory",
			       "The node %s ended before it was up", spawn->name);
}

static int ctl_spawn_no_program(struct ctl *ctl)
{
	return ctl_output_fail(&ctl->out, -ENOENT, NULL,
			       "install it, or name it with the variable OCKAMD",
			       "Cannot start the node: the program ockamd was not found");
}

static int ctl_spawn_pipe(struct ctl *ctl, int fd[2])
{
	if (!pipe2(fd, O_CLOEXEC))
		return CTL_EXIT_OK;
	return ctl_output_fail(&ctl->out, -errno, strerror(errno), NULL, "Cannot make a pipe");
}

static int ctl_spawn_no_process(struct ctl *ctl)
{
	return ctl_output_fail(&ctl->out, -errno, strerror(errno), NULL,
			       "Cannot start a process for the node");
}

/* An open database must not be shared over a fork, nor text be printed twice. */
static void ctl_spawn_prepare(struct ctl *ctl)
{
	ockam_store_close(ctl->store);
	ctl->store = NULL;
	fflush(NULL);
}

/* Start a process with these as 0, 1 and 2, and wait until it is up. */
static int ctl_spawn_with(struct ctl *ctl, const struct ctl_spawn *spawn, const int stdio[3],
			  pid_t *pid)
{
	char path[PATH_MAX], *argv[CTL_SPAWN_MAX_ARGS], said[1024];
	const char *program = ctl_spawn_program(path, sizeof(path));
	int ready[2], status = 0;
	bool up;

	if (ctl_spawn_pipe(ctl, ready))
		return CTL_EXIT_FAILURE;
	ctl_spawn_args(ctl, spawn, false, argv);
	ctl_spawn_prepare(ctl);
	*pid = fork();
	if (!*pid) {
		setsid();
		if (dup2(stdio[0], 0) >= 0 && dup2(stdio[1], 1) >= 0 && dup2(stdio[2], 2) >= 0)
			ctl_spawn_exec(program, argv, ready[1]);
		_exit(CTL_SPAWN_NO_PROGRAM);
	}
	close(ready[1]);
	if (*pid < 0) {
		close(ready[0]);
		return ctl_spawn_no_process(ctl);
	}
	up = ctl_spawn_read_ready(ctl, ready[0], said, sizeof(said));
	if (up)
		return CTL_EXIT_OK;
	/* It cleans up before it ends; what comes next finds everything as it was. */
	waitpid(*pid, &status, 0);
	if (!said[0] && WIFEXITED(status) && WEXITSTATUS(status) == CTL_SPAWN_NO_PROGRAM)
		return ctl_spawn_no_program(ctl);
	return ctl_spawn_failed(ctl, spawn, said);
}

static int ctl_spawn_null(struct ctl *ctl)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ctl_output_fail(&ctl->out, -errno, strerror(errno), NULL, "Cannot open /dev/null");
	return fd;
}

int ctl_spawn(struct ctl *ctl, const struct ctl_spawn *spawn)
{
	struct ockam_err err;
	int null, log, ret;
	pid_t pid;

	null = ctl_spawn_null(ctl);
	if (null < 0)
		return CTL_EXIT_FAILURE;
	log = ctl_spawn_open_log(ctl, spawn->name, &err);
	if (log < 0) {
		close(null);
		return ctl_output_fail_err(&ctl->out, &err);
	}
	ret = ctl_spawn_with(ctl, spawn, (int[]){ null, log, log }, &pid);
	close(log);
	close(null);
	return ret;
}

int ctl_spawn_temporary(struct ctl *ctl, const struct ctl_spawn *spawn, pid_t *pid, int *alive)
{
	int input[2], null, log, ret;

	null = ctl_spawn_null(ctl);
	if (null < 0)
		return CTL_EXIT_FAILURE;
	ret = ctl_spawn_pipe(ctl, input);
	if (ret) {
		close(null);
		return ret;
	}
	log = spawn->verbose ? STDERR_FILENO : null;
	ret = ctl_spawn_with(ctl, spawn, (int[]){ input[0], log, log }, pid);
	close(input[0]);
	close(null);
	if (ret)
		close(input[1]);
	else
		*alive = input[1];
	return ret;
}

/* In a process of its own, which nobody waits for: say how it went. */
static void ctl_spawn_watch(struct ctl *ctl, const struct ctl_spawn *spawn, int ready,
			    void (*done)(struct ctl *ctl, void *arg, bool up), void *arg)
{
	char said[1024];
	/* Of a copy: the node process that has failed waits for the end of this one. */
	bool up = ctl_spawn_read_ready(ctl, dup(ready), said, sizeof(said));

	if (!up)
		ctl_spawn_failed(ctl, spawn, said);
	done(ctl, arg, up);
	fflush(NULL);
	_exit(0);
}

int ctl_spawn_become(struct ctl *ctl, const struct ctl_spawn *spawn,
		     void (*done)(struct ctl *ctl, void *arg, bool up), void *arg)
{
	char path[PATH_MAX], *argv[CTL_SPAWN_MAX_ARGS];
	const char *program = ctl_spawn_program(path, sizeof(path));
	struct pollfd watcher = { };
	int ready[2];
	pid_t pid;

	if (ctl_spawn_pipe(ctl, ready))
		return CTL_EXIT_FAILURE;
	ctl_spawn_args(ctl, spawn, true, argv);
	ctl_spawn_prepare(ctl);
	pid = fork();
	if (!pid) {
		/* Once more, so that the node process has no child it does not know. */
		pid = fork();
		if (pid)
			_exit(pid < 0);
		close(ready[1]);
		ctl_spawn_watch(ctl, spawn, ready[0], done, arg);
	}
	close(ready[0]);
	if (pid < 0 || waitpid(pid, NULL, 0) < 0) {
		close(ready[1]);
		return ctl_spawn_no_process(ctl);
	}
	ctl_spawn_exec(program, argv, ready[1]);
	/* Let the watcher say it, and clean up, before this process ends. */
	watcher.fd = ready[1];
	dprintf(ready[1], "error: Cannot start the node: the program ockamd was not found\n");
	poll(&watcher, 1, CTL_SPAWN_WATCHER_MS);
	close(ready[1]);
	return CTL_EXIT_FAILURE;
}
