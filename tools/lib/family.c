// SPDX-License-Identifier: Apache-2.0
/*
 * Why there is no socket of our family, from what the system shows.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <linux/ockam.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "family.h"

#define OCKAM_FAMILY_MODPROBE	"/proc/sys/kernel/modprobe"
#define OCKAM_FAMILY_SAID	256

/* First line of a small file; "" when it cannot be read. */
static void ockam_family_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, line, size - 1);

	line[len > 0 ? len : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* A number of /proc/self/status in @base; 0 when there is none of that name. */
static unsigned long long ockam_family_status(const char *name, int base)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long value = 0;
	size_t len = strlen(name);
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, len) && line[len] == ':')
			value = strtoull(line + len + 1, NULL, base);
	}
	if (f)
		fclose(f);
	return value;
}

static bool ockam_family_is_loaded(void)
{
	FILE *f;
	char line[256];
	bool found = !access("/sys/module/ockam", F_OK);

	f = found ? NULL : fopen("/proc/modules", "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "ockam ", 6);
	if (f)
		fclose(f);
	return found;
}

/* ---- is it installed -------------------------------------------------------------------- */

/* Does the list of a kernel's modules, modules.dep, have ours? */
static bool ockam_family_is_listed(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t size = 0;
	char *line = NULL;
	bool found = false;

	while (f && !found && getline(&line, &size, f) > 0) {
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, "/ockam.ko") || !strncmp(line, "ockam.ko", 8);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Release of a kernel that it is installed for, the running one first; "" = none. */
static void ockam_family_installed(const char *running, char *release, size_t size)
{
	glob_t lists = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", running);
	*release = '\0';
	if (ockam_family_is_listed(path))
		snprintf(release, size, "%s", running);
	else if (!glob("/lib/modules/*/modules.dep", 0, NULL, &lists))
		for (size_t i = 0; i < lists.gl_pathc && !*release; i++)
			if (ockam_family_is_listed(lists.gl_pathv[i]))
				snprintf(release, size, "%.*s",
					 (int)strcspn(lists.gl_pathv[i] + 13, "/"),
					 lists.gl_pathv[i] + 13);
	globfree(&lists);
}

/* ---- what modprobe says ---------------------------------------------------------------- */

/* First line that it wrote, "" when it wrote none. Return: its exit status, -1 unknown. */
static int ockam_family_modprobe(char said[OCKAM_FAMILY_SAID])
{
	/* -b: what an administrator has taken off the list stays off. */
	char *argv[] = { (char *)"modprobe", (char *)"-b", (char *)"ockam", NULL };
	char *envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	posix_spawn_file_actions_t actions;
	int fd[2], status = -1, ret;
	char path[128], line[OCKAM_FAMILY_SAID];
	pid_t pid;
	FILE *f;

	*said = '\0';
	ockam_family_line(OCKAM_FAMILY_MODPROBE, path, sizeof(path));
	if (path[0] != '/' || pipe2(fd, O_CLOEXEC))
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd[1], STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
	ret = posix_spawn(&pid, path, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	close(fd[1]);
	f = fdopen(fd[0], "r");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!*said)
			strcpy(said, line);
	}
	if (f)
		fclose(f);
	else
		close(fd[0]);
	if (ret || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool ockam_family_is_on(const char *path)
{
	char line[8];

	ockam_family_line(path, line, sizeof(line));
	return line[0] == 'Y' || line[0] == '1';
}

/* It is installed for this kernel, and modprobe did not load it. */
static int ockam_family_refused(int status, const char *said, struct ockam_err *err)
{
	const char *enforced = ockam_family_is_on("/sys/module/module/parameters/sig_enforce") ?
			       " (module.sig_enforce)" : "";

	if (ockam_family_is_on("/proc/sys/kernel/modules_disabled"))
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded, and this kernel loads none any more (kernel.modules_disabled): load it at boot, before that is set");
	if (strstr(said, "Key was rejected") || strstr(said, "key not available"))
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded: this kernel takes only modules that are signed with a key it knows%s. Sign the module and enroll the key, as the documentation of DKMS describes. modprobe said: %s",
				     enforced, said);
	if (strstr(said, "Operation not permitted"))
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded: this process may not load modules (CAP_SYS_MODULE is missing, or the kernel is locked down). Load it outside with `modprobe ockam`. modprobe said: %s",
				     said);
	if (strstr(said, "Exec format error") || strstr(said, "Invalid module format") ||
	    strstr(said, "Unknown symbol"))
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded: what is installed was built for another kernel than the running one: build it again. modprobe said: %s",
				     said);
	if (said[0])
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded. modprobe said: %s",
				     said);
	if (status >= 0)
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded: a file of /etc/modprobe.d keeps it from that (blacklist, or install): take it out there, or run `modprobe ockam` as root");
	return ockam_err_set(err, -ENOPROTOOPT,
			     "The kernel module ockam is not loaded: run `modprobe ockam` as root");
}

static int ockam_family_missing(int status, const char *said, struct ockam_err *err)
{
	char release[128];
	struct utsname name;

	uname(&name);
	ockam_family_installed(name.release, release, sizeof(release));
	if (!release[0])
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded: it is not installed in /lib/modules. Install it and run `modprobe ockam` as root");
	if (strcmp(release, name.release))
		return ockam_err_set(err, -ENOPROTOOPT,
				     "The kernel module ockam is not loaded: it is installed for the kernel %s, and %s runs. Build it for this one (`dkms autoinstall`), or start that one",
				     release, name.release);
	return ockam_family_refused(status, said, err);
}

/* ---- may this process ----------------------------------------------------------------------- */

/* The module is there, and the answer was @error. */
static int ockam_family_denied(int error, struct ockam_err *err)
{
	if (ockam_family_status("Seccomp", 10) == 2)
		return ockam_err_set(err, -EPERM,
				     "Sockets of the family AF_OCKAM are refused to this process by a seccomp filter (%s). systemd calls the family AF_ASH: add it to RestrictAddressFamilies=, and AF_NETLINK; for a container change its seccomp profile",
				     strerror(error));
	if (error == EPERM || error == EACCES)
		return ockam_err_set(err, -EPERM,
				     "Sockets of the family AF_OCKAM are refused to this process by a security module, as SELinux or AppArmor (%s): change its policy",
				     strerror(error));
	return ockam_err_set(err, -error, "Cannot make an Ockam socket: %s", strerror(error));
}

static int ockam_family_try(void)
{
	int fd = socket(AF_OCKAM, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int ockam_family_check(struct ockam_err *err)
{
	char said[OCKAM_FAMILY_SAID] = "";
	int error, status = -1;

	if (geteuid())
		return ockam_err_set(err, -EPERM,
				     "A node needs root: it makes a network namespace and owns what the kernel keeps there. Run the command as root");
	error = ockam_family_try();
	if (error && !ockam_family_is_loaded()) {
		status = ockam_family_modprobe(said);
		error = ockam_family_try();
	}
	if (!error && !(ockam_family_status("CapEff", 16) & 1ULL << CAP_SYS_ADMIN))
		return ockam_err_set(err, -EPERM,
				     "A node needs the capability CAP_SYS_ADMIN, to make a network namespace, and this process of root has not got it: give it to the container or service that this runs in");
	if (!error)
		return 0;
	return ockam_family_is_loaded() ? ockam_family_denied(error, err)
					: ockam_family_missing(status, said, err);
}
