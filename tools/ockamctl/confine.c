// SPDX-License-Identifier: Apache-2.0
/*
 * The sandbox of "node exec": namespaces, mounts, capabilities.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine_filter.h"

/* Where services of the host have their sockets. A symbolic link leads to one of the others. */
static const char *const ctl_confine_hidden[] = {
	"/run", "/var/run", "/tmp/.X11-unix", "/tmp/.ICE-unix", "/var/lib/sss/pipes", "/dev/log",
};

static int ctl_confine_failed(const char *what, struct ockam_err *err)
{
	return ockam_err_set(err, -errno, "Cannot confine the program: %s: %s", what,
			     strerror(errno));
}

/* ---- what it takes ----------------------------------------------------------------- */

static bool ctl_confine_has(cap_t set, int cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	return set && !cap_get_flag(set, cap, CAP_EFFECTIVE, &value) && value == CAP_SET;
}

int ctl_confine_check(const struct ctl_confine_user *user, struct ockam_err *err)
{
	static const struct {
		int		cap;
		const char	*name;
		bool		for_user;
	} needed[] = {
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", false },
		{ CAP_SETPCAP, "CAP_SETPCAP", false },
		{ CAP_SETUID, "CAP_SETUID", true },
		{ CAP_SETGID, "CAP_SETGID", true },
	};
	char missing[64] = "";
	cap_t set;
	size_t i;

	set = cap_get_proc();
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if ((needed[i].for_user && !user->given) || ctl_confine_has(set, needed[i].cap))
			continue;
		if (missing[0])
			strcat(missing, ", ");
		strcat(missing, needed[i].name);
	}
	cap_free(set);
	return missing[0] ? ockam_err_set(err, -EPERM,
					  "To confine a program takes capabilities that this process has not: %s. Run it as root",
					  missing) : 0;
}

/* ---- mounts ---------------------------------------------------------------------------- */

static int ctl_confine_hide(const char *path, struct ockam_err *err)
{
	struct stat st;
	int ret = 0;

	if (lstat(path, &st))
		return 0;
	if (S_ISDIR(st.st_mode))
		ret = mount("ockam", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			    "mode=755,size=16m");
	else if (!S_ISLNK(st.st_mode))
		ret = mount("/dev/null", path, NULL, MS_BIND, NULL);
	return ret ? ctl_confine_failed(path, err) : 0;
}

/* What the host mounts and unmounts later goes on to be seen; what is mounted here is not. */
static int ctl_confine_mounts(struct ockam_err *err)
{
	char dir[PATH_MAX];
	int ret = 0;
	size_t i;

	if (!getcwd(dir, sizeof(dir)))
		return ctl_confine_failed("the working directory", err);
	if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL))
		return ctl_confine_failed("mounts", err);
	for (i = 0; !ret && i < sizeof(ctl_confine_hidden) / sizeof(char *); i++)
		ret = ctl_confine_hide(ctl_confine_hidden[i], err);
	/* By its name: the directory that is open may be one of those that are hidden. */
	if (!ret && chdir(dir))
		ret = ockam_err_set(err, -errno,
				    "The working directory %s is hidden from the program: run it from another one",
				    dir);
	return ret;
}

/* ---- the first process of the PID namespace ---------------------------------------------- */

/* Adopts what the program leaves behind; nobody waits for that, so the kernel may. */
static void ctl_confine_first(int ready, int alive)
{
	const struct ctl_confine_user same = { .given = false };
	const struct rlimit none = { 0 };
	int code, null;
	char byte;

	setsid();
	prctl(PR_SET_NAME, "ockam-exec");
	signal(SIGCHLD, SIG_IGN);
	code = mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ? errno : 0;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!code && (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0))
		code = errno;
	if (!code)
		code = -ctl_confine_lock(&same, &none, NULL);
	/* It outlives its parent. */
	prctl(PR_SET_PDEATHSIG, 0);
	if (chdir("/") || write(ready, &code, sizeof(code)) != sizeof(code) || code)
		_exit(1);
	close(ready);
	while (read(alive, &byte, 1) < 0 && errno == EINTR)
		;
	while (wait(NULL) > 0 || errno == EINTR)
		;
	_exit(0);
}

static int ctl_confine_start_first(int *alive, struct ockam_err *err)
{
	int ready[2], life[2], code = EIO;
	sigset_t all, before;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return ctl_confine_failed("a pipe", err);
	if (pipe2(life, O_CLOEXEC)) {
		close(ready[0]);
		close(ready[1]);
		return ctl_confine_failed("a pipe", err);
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (!pid) {
		close(life[1]);
		ctl_confine_first(ready[1], life[0]);
	}
	if (pid < 0)
		code = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ready[1]);
	close(life[0]);
	if (pid > 0 && read(ready[0], &code, sizeof(code)) != sizeof(code))
		code = EIO;
	close(ready[0]);
	if (!code) {
		*alive = life[1];
		return 0;
	}
	close(life[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	errno = code;
	return ctl_confine_failed("its first process", err);
}

int ctl_confine_enter(int netns, int *alive, struct ockam_err *err)
{
	int ret;

	if (setns(netns, CLONE_NEWNET))
		ret = ockam_err_set(err, -errno, "Cannot enter the node's network namespace: %s",
				    strerror(errno));
	else if (unshare(CLONE_NEWNS | CLONE_NEWPID))
		ret = ctl_confine_failed("namespaces", err);
	else
		ret = ctl_confine_mounts(err);
	close(netns);
	return ret ? ret : ctl_confine_start_first(alive, err);
}

/* ---- privileges ---------------------------------------------------------------------------- */

static int ctl_confine_become(const struct ctl_confine_user *user)
{
	if (!user->given)
		return 0;
	if (user->name[0] ? initgroups(user->name, user->gid) : setgroups(0, NULL))
		return -errno;
	if (setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return -errno;
	return 0;
}

/* Of the capabilities, at most @keep; -1: none. */
static int ctl_confine_hold(int keep)
{
	const cap_value_t value = keep;
	cap_t set = cap_init();
	int ret;

	if (!set)
		return -errno;
	ret = keep >= 0 && (cap_set_flag(set, CAP_PERMITTED, 1, &value, CAP_SET) ||
			    cap_set_flag(set, CAP_EFFECTIVE, 1, &value, CAP_SET));
	ret = ret || cap_set_proc(set) ? -errno : 0;
	cap_free(set);
	return ret;
}

int ctl_confine_lock(const struct ctl_confine_user *user, const struct rlimit *core,
		     struct ockam_err *err)
{
	int ret, cap;

	/* Raising it again may take a capability that this process does not have. */
	setrlimit(RLIMIT_CORE, core);
	for (cap = 0; cap <= CAP_LAST_CAP; cap++) {
		/* Newer capabilities than the running kernel's are EINVAL. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return ctl_confine_failed("capabilities", err);
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	ret = ctl_confine_become(user);
	if (ret)
		return ockam_err_set(err, ret, "Cannot become user %s: %s",
				     user->name[0] ? user->name : "of that number", strerror(-ret));
	ret = ctl_confine_hold(-1);
	/* Behind the change of user, which takes the signal away again. */
	if (!ret && (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
		ret = -errno;
	if (!ret)
		ret = ctl_confine_filter();
	return ret ? ockam_err_set(err, ret, "Cannot confine the program: %s", strerror(-ret)) : 0;
}

void ctl_confine_relax(void)
{
	ctl_confine_hold(CAP_KILL);
}
