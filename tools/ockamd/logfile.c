// SPDX-License-Identifier: Apache-2.0
/*
 * The log file of a node in the background.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "home.h"
#include "logfile.h"

#define OCKAMD_LOGFILE_OLD	".1"
#define OCKAMD_LOGFILE_NAME	(OCKAM_LOG_NAME + sizeof(OCKAMD_LOGFILE_OLD))

/* lock guards name and size; the rest is set before the first thread starts. */
static struct {
	pthread_mutex_t	lock;
	bool		ours;
	bool		stderr_too;
	int		fd;
	int		dir;
	size_t		max_bytes;
	size_t		max_files;
	size_t		size;
	char		name[OCKAMD_LOGFILE_NAME];
} ockamd_logfile = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t ockamd_logfile_number(const char *variable, size_t otherwise, size_t max)
{
	const char *text = getenv(variable);
	unsigned long value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return otherwise;
	value = strtoul(text, &end, 10);
	if (*end || !value)
		return otherwise;
	return value > max ? max : value;
}

/* Of some day, in use or put aside. */
static bool ockamd_logfile_is_log(const char *name)
{
	size_t len = strlen(name), old = strlen(OCKAMD_LOGFILE_OLD);

	if (len > old && !strcmp(name + len - old, OCKAMD_LOGFILE_OLD))
		len -= old;
	return ockam_home_is_log(name, len);
}

static bool ockamd_logfile_same(const struct stat *st, int fd)
{
	struct stat other;

	return !fstat(fd, &other) && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

void ockamd_logfile_start(int fd)
{
	char link[32], path[PATH_MAX];
	struct stat st;
	ssize_t len;
	char *slash;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash || !ockamd_logfile_is_log(slash + 1))
		return;
	strcpy(ockamd_logfile.name, slash + 1);
	slash[slash == path] = '\0';
	ockamd_logfile.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ockamd_logfile.dir < 0)
		return;
	ockamd_logfile.fd = fd;
	ockamd_logfile.size = (size_t)st.st_size;
	ockamd_logfile.stderr_too = fd != STDERR_FILENO && ockamd_logfile_same(&st, STDERR_FILENO);
	ockamd_logfile.max_bytes = ockamd_logfile_number("OCKAM_LOG_MAX_SIZE_MB",
							 OCKAMD_LOGFILE_MB, 1 << 20) << 20;
	ockamd_logfile.max_files = ockamd_logfile_number("OCKAM_LOG_MAX_FILES",
							 OCKAMD_LOGFILE_FILES, 1 << 20);
	ockamd_logfile.ours = true;
}

/* The oldest by name but for the one in use, when there are too many. */
static bool ockamd_logfile_oldest(DIR *d, char oldest[OCKAMD_LOGFILE_NAME])
{
	struct dirent *entry;
	size_t n = 0;

	*oldest = '\0';
	rewinddir(d);
	while ((entry = readdir(d))) {
		if (!ockamd_logfile_is_log(entry->d_name))
			continue;
		n++;
		if (strcmp(entry->d_name, ockamd_logfile.name) &&
		    (!*oldest || strcmp(entry->d_name, oldest) < 0))
			strcpy(oldest, entry->d_name);
	}
	return n > ockamd_logfile.max_files && *oldest;
}

static void ockamd_logfile_prune(void)
{
	int fd = openat(ockamd_logfile.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char oldest[OCKAMD_LOGFILE_NAME];
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (ockamd_logfile_oldest(d, oldest))
		if (unlinkat(ockamd_logfile.dir, oldest, 0))
			break;
	closedir(d);
}

/* Go on in the file of @today; a @full one is put aside before. */
static bool ockamd_logfile_next(const char *today, bool full)
{
	char old[OCKAMD_LOGFILE_NAME + sizeof(OCKAMD_LOGFILE_OLD)];
	struct stat st;
	int fd;

	snprintf(old, sizeof(old), "%s" OCKAMD_LOGFILE_OLD, ockamd_logfile.name);
	/* ENOENT: it has been put aside, and then there was no new one. */
	if (full && renameat(ockamd_logfile.dir, ockamd_logfile.name, ockamd_logfile.dir, old) &&
	    errno != ENOENT)
		return false;
	fd = openat(ockamd_logfile.dir, today, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) || dup2(fd, ockamd_logfile.fd) < 0) {
		close(fd);
		return false;
	}
	if (ockamd_logfile.stderr_too)
		dup2(fd, STDERR_FILENO);
	close(fd);
	strcpy(ockamd_logfile.name, today);
	ockamd_logfile.size = (size_t)st.st_size;
	ockamd_logfile_prune();
	return true;
}

bool ockamd_logfile_admit(size_t len)
{
	char today[OCKAMD_LOGFILE_NAME];
	bool full, admitted;

	if (!ockamd_logfile.ours)
		return true;
	ockam_home_log_name(today);
	pthread_mutex_lock(&ockamd_logfile.lock);
	full = ockamd_logfile.size + len > ockamd_logfile.max_bytes;
	/* On a new day the old file will do when there is no other. */
	admitted = !full;
	if (full || strcmp(today, ockamd_logfile.name))
		admitted |= ockamd_logfile_next(today, full);
	if (admitted)
		ockamd_logfile.size += len;
	pthread_mutex_unlock(&ockamd_logfile.lock);
	return admitted;
}
