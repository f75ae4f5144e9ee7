// SPDX-License-Identifier: Apache-2.0
/*
 * Names of existing network namespaces.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "life.h"
#include "netns_ref.h"
#include "sweep.h"

#define OCKAM_NETNS_REF_BOOT	37	/* a UUID as text */
#define OCKAM_NETNS_REF_INIT	1	/* the first process of the machine or container */
#define OCKAM_NETNS_REF_PIN	"ockam-"

/* A process that is named. start 0: whichever has the number. */
struct ockam_netns_process {
	pid_t		pid;
	uint64_t	start;
	char		boot[OCKAM_NETNS_REF_BOOT];
};

static void ockam_netns_boot(char boot[OCKAM_NETNS_REF_BOOT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, boot, OCKAM_NETNS_REF_BOOT - 1);

	boot[len > 0 ? len : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Digits up to @end; 0: none, or too many. */
static pid_t ockam_netns_number(const char *text, const char **end)
{
	long long number = 0;

	for (; isdigit((unsigned char)*text) && number <= INT_MAX; text++)
		number = 10 * number + *text - '0';
	*end = text;
	return number <= INT_MAX ? (pid_t)number : 0;
}

/* Is it a process: PID, PID:START:BOOT, /proc/PID/ns/net? */
static bool ockam_netns_read(const char *ref, struct ockam_netns_process *process)
{
	static const char proc[] = "/proc/";
	const char *end;
	char *colon;

	memset(process, 0, sizeof(*process));
	if (!strncmp(ref, proc, strlen(proc))) {
		process->pid = ockam_netns_number(ref + strlen(proc), &end);
		return process->pid > 0 && !strcmp(end, "/ns/net");
	}
	process->pid = ockam_netns_number(ref, &end);
	if (process->pid <= 0 || (*end && *end != ':'))
		return false;
	if (!*end)
		return true;
	process->start = strtoull(end + 1, &colon, 10);
	snprintf(process->boot, sizeof(process->boot), "%s", *colon ? colon + 1 : "");
	return process->start && *colon == ':';
}

static int ockam_netns_fail(const char *what, int code, struct ockam_err *err)
{
	if (code == -EACCES || code == -EPERM)
		return ockam_err_set(err, code,
				     "The network namespace of %s is refused to this process: root with CAP_SYS_ADMIN and CAP_SYS_PTRACE is needed",
				     what);
	return ockam_err_set(err, code, "Cannot open the network namespace of %s: %s", what,
			     strerror(-code));
}

/* The namespace first, then proof that the number was that process's all the time. */
static int ockam_netns_open_process(struct ockam_netns_process *process, struct ockam_err *err)
{
	char path[32], what[32], boot[OCKAM_NETNS_REF_BOOT];
	int code = -ESRCH;
	uint64_t start;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", process->pid);
	snprintf(what, sizeof(what), "process %d", process->pid);
	ockam_netns_boot(boot);
	start = ockam_process_start(process->pid);
	if (process->start && (start != process->start || strcmp(boot, process->boot)))
		return ockam_err_set(err, -ESRCH,
				     "Process %d, whose network namespace the node had, has ended: create the node again, with --netns and what it shall have now",
				     process->pid);
	fd = start ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (start && fd < 0)
		code = -errno;
	if (fd >= 0 && ockam_process_start(process->pid) != start) {
		close(fd);
		fd = -1;
		code = -ESRCH;
	}
	if (fd < 0 && (code == -ESRCH || code == -ENOENT))
		return ockam_err_set(err, -ESRCH, "There is no process %d, or it has ended",
				     process->pid);
	if (fd < 0)
		return ockam_netns_fail(what, code, err);
	process->start = start;
	strcpy(process->boot, boot);
	return fd;
}

static int ockam_netns_open_path(const char *path, struct ockam_err *err)
{
	int fd, code;

	/* A FIFO or a device must not keep us, nor notice. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET)
		return fd;
	code = -errno;
	if (fd >= 0) {
		close(fd);
		return ockam_err_set(err, -EINVAL,
				     "%s is no network namespace. Give the path of one, as /run/netns/NAME for those of 'ip netns', or the number of a process",
				     path);
	}
	if (code == -ENOENT)
		return ockam_err_set(err, code,
				     "There is no network namespace %s. Give the path of one, as /run/netns/NAME for those of 'ip netns', or the number of a process",
				     path);
	return ockam_netns_fail(path, code, err);
}

static int ockam_netns_absolute(const char *path, char kept[OCKAM_NETNS_REF],
				struct ockam_err *err)
{
	char dir[PATH_MAX] = "";
	int len;

	if (path[0] != '/' && !getcwd(dir, sizeof(dir)))
		return ockam_err_set(err, -errno, "Cannot tell where %s is: %s", path,
				     strerror(errno));
	len = snprintf(kept, OCKAM_NETNS_REF, "%s%s%s", dir, dir[0] ? "/" : "", path);
	if (len >= OCKAM_NETNS_REF)
		return ockam_err_set(err, -ENAMETOOLONG,
				     "The path of a network namespace has at most %d bytes",
				     OCKAM_NETNS_REF - 1);
	return 0;
}

int ockam_netns_ref_open(const char *ref, char kept[OCKAM_NETNS_REF], struct ockam_err *err)
{
	struct ockam_netns_process process;
	int ret;

	if (!*ref)
		return ockam_err_set(err, -EINVAL,
				     "--netns needs the path of a network namespace or the number of a process");
	if (ockam_netns_read(ref, &process) && process.pid != OCKAM_NETNS_REF_INIT) {
		ret = ockam_netns_open_process(&process, err);
		if (ret >= 0)
			snprintf(kept, OCKAM_NETNS_REF, "%d:%" PRIu64 ":%s", process.pid,
				 process.start, process.boot);
		return ret;
	}
	if (process.pid == OCKAM_NETNS_REF_INIT)
		ref = "/proc/1/ns/net";
	ret = ockam_netns_absolute(ref, kept, err);
	return ret ? ret : ockam_netns_open_path(kept, err);
}

void ockam_netns_ref_text(const char *kept, char text[OCKAM_NETNS_REF])
{
	struct ockam_netns_process process;

	if (kept[0] != '/' && ockam_netns_read(kept, &process))
		snprintf(text, OCKAM_NETNS_REF, "process %d", process.pid);
	else
		snprintf(text, OCKAM_NETNS_REF, "%s", kept);
}

/* ---- whose it is ------------------------------------------------------------------- */

static bool ockam_netns_is_of(const struct ockam_life *life, const struct stat *netns)
{
	char path[32];
	struct stat st;

	if (life->state != OCKAM_PROCESS_RUNNING)
		return false;
	if (life->pin.name[0])
		return life->pin.netns == netns->st_ino;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", ockam_life_pid(life));
	return !stat(path, &st) && st.st_ino == netns->st_ino && st.st_dev == netns->st_dev;
}

/* A pin of any home; inodes of living namespaces are unique. */
static void ockam_netns_find_pin(const struct stat *netns, char name[OCKAM_NETNS_REF])
{
	DIR *dir = opendir(OCKAM_NETNS_DIR);
	struct dirent *entry;
	struct stat st;

	while (dir && !name[0] && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, OCKAM_NETNS_REF_PIN, strlen(OCKAM_NETNS_REF_PIN)) &&
		    !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    st.st_ino == netns->st_ino && st.st_dev == netns->st_dev)
			snprintf(name, OCKAM_NETNS_REF, "a node of another home, %s/%s",
				 OCKAM_NETNS_DIR, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

void ockam_netns_ref_who(const struct ockam_home *home, const char *self, int netns,
			 char name[OCKAM_NETNS_REF])
{
	struct ockam_life_name *names;
	struct ockam_life life;
	struct stat st;
	int count, i;

	name[0] = '\0';
	if (fstat(netns, &st))
		return;
	count = ockam_life_names(home, &names);
	for (i = 0; i < count && !name[0]; i++) {
		if (!strcmp(names[i].text, self))
			continue;
		ockam_life_look(home, names[i].text, &life);
		if (ockam_netns_is_of(&life, &st))
			snprintf(name, OCKAM_NETNS_REF, "the node %s", names[i].text);
	}
	if (count >= 0)
		free(names);
	if (!name[0])
		ockam_netns_find_pin(&st, name);
}
