// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "hex.h"
#include "home.h"
#include "names.h"

static int ockam_home_errno(struct ockam_err *err, const char *what, const char *path)
{
	int code = -errno;

	return ockam_err_set(err, code, "%s %.150s: %s", what, path, strerror(-code));
}

/*
 * Resolve as much of @path as exists and keep the rest: the same directory
 * must give the same result before and after it is made.
 */
static int ockam_home_resolve(const char *path, char out[PATH_MAX], struct ockam_err *err)
{
	char head[PATH_MAX], tail[PATH_MAX] = "", real[PATH_MAX], joined[PATH_MAX];
	int len;

	if (path[0] == '/') {
		len = snprintf(head, sizeof(head), "%s", path);
	} else {
		if (!getcwd(real, sizeof(real)))
			return ockam_home_errno(err, "the home", path);
		len = snprintf(head, sizeof(head), "%s/%s", real, path);
	}
	if (len < 0 || (size_t)len >= sizeof(head))
		goto too_long;
	while (!realpath(head, real)) {
		char *slash;

		if (errno != ENOENT)
			return ockam_home_errno(err, "the home", head);
		while (head[0] && head[1] && head[strlen(head) - 1] == '/')
			head[strlen(head) - 1] = '\0';
		slash = strrchr(head, '/');
		if (!slash || !strcmp(slash, "/..") || !strcmp(slash, "/."))
			return ockam_err_set(err, -ENOENT, "the home %.150s does not exist", path);
		len = snprintf(joined, sizeof(joined), "%s%s", slash, tail);
		if (len < 0 || (size_t)len >= sizeof(joined))
			goto too_long;
		memcpy(tail, joined, (size_t)len + 1);
		slash[slash == head] = '\0';
	}
	len = snprintf(joined, sizeof(joined), "%s%s", strcmp(real, "/") ? real : "",
		       tail[0] || strcmp(real, "/") ? tail : "/");
	if (len < 0 || (size_t)len >= sizeof(joined))
		goto too_long;
	memcpy(out, joined, (size_t)len + 1);
	return 0;
too_long:
	return ockam_err_set(err, -ENAMETOOLONG, "the path of the home is too long");
}

/*
 * .ockam in the home directory of the user, whatever HOME says; not yet resolved.
 * Return: false when there is none.
 */
static bool ockam_home_of_user(char path[PATH_MAX])
{
	struct passwd entry, *found = NULL;
	char room[4096];
	int len;

	if (getpwuid_r(geteuid(), &entry, room, sizeof(room), &found) || !found)
		return false;
	len = snprintf(path, PATH_MAX, "%s/.ockam", entry.pw_dir);
	return len > 0 && len < PATH_MAX;
}

/* ~/.ockam, not yet resolved. Return: false when there is no home directory. */
static bool ockam_home_default(char path[PATH_MAX])
{
	const char *dir = getenv("HOME");
	int len;

	if (!dir || !*dir)
		return ockam_home_of_user(path);
	len = snprintf(path, PATH_MAX, "%s/.ockam", dir);
	return len > 0 && len < PATH_MAX;
}

int ockam_home_set(struct ockam_home *home, const char *path, struct ockam_err *err)
{
	char fallback[PATH_MAX], resolved[PATH_MAX];
	uint8_t hash[OCKAM_HASH_LEN];
	int ret;

	memset(home, 0, sizeof(*home));
	ret = ockam_home_resolve(path, home->path, err);
	if (ret)
		return ret;
	/* Not by HOME: two homes that it names in turn would share names of pins. */
	home->is_default = ockam_home_of_user(fallback) &&
			   !ockam_home_resolve(fallback, resolved, NULL) &&
			   !strcmp(resolved, home->path);
	if (ockam_crypto_sha256(home->path, strlen(home->path), NULL, 0, hash))
		return ockam_err_set(err, -EIO, "libcrypto failed to hash the home's path");
	ockam_hex_encode(hash, (OCKAM_HOME_HASH - 1) / 2, home->hash);
	return 0;
}

int ockam_home_find(struct ockam_home *home, struct ockam_err *err)
{
	const char *path = getenv("OCKAM_HOME");
	char fallback[PATH_MAX];

	if (path && *path)
		return ockam_home_set(home, path, err);
	if (!ockam_home_default(fallback))
		return ockam_err_set(err, -ENOENT,
				     "neither OCKAM_HOME nor HOME is set, and this user has no home directory: set OCKAM_HOME");
	return ockam_home_set(home, fallback, err);
}

/* mkdir -p, 0700 for what is made. */
static int ockam_home_mkdirs(const char *path, struct ockam_err *err)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		size_t len = slash ? (size_t)(slash - path) : strlen(path);

		memcpy(part, path, len);
		part[len] = '\0';
		if (mkdir(part, 0700) && errno != EEXIST)
			return ockam_home_errno(err, "cannot make the directory", part);
		if (!slash)
			return 0;
	}
}

int ockam_home_prepare(const struct ockam_home *home, struct ockam_err *err)
{
	struct stat st;
	int ret;

	if (stat(home->path, &st)) {
		if (errno != ENOENT)
			return ockam_home_errno(err, "the home", home->path);
		ret = ockam_home_mkdirs(home->path, err);
		if (ret)
			return ret;
		if (stat(home->path, &st))
			return ockam_home_errno(err, "the home", home->path);
	}
	if (!S_ISDIR(st.st_mode))
		return ockam_err_set(err, -ENOTDIR, "the home %.150s is no directory", home->path);
	if (st.st_uid != geteuid())
		return ockam_err_set(err, -EPERM,
				     "the home %.120s belongs to user %u, not to user %u who runs this: become that user or set OCKAM_HOME",
				     home->path, st.st_uid, geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return ockam_err_set(err, -EPERM,
				     "other users may write to the home %.120s (mode %04o): run 'chmod go-w' on it",
				     home->path, st.st_mode & 07777);
	return 0;
}

int ockam_home_file(const struct ockam_home *home, const char *name, char *path,
		    struct ockam_err *err)
{
	int len = snprintf(path, PATH_MAX, "%s/%s", home->path, name);

	if (len < 0 || len >= PATH_MAX)
		return ockam_err_set(err, -ENAMETOOLONG, "the path of %.60s is too long", name);
	return 0;
}

int ockam_home_control_path(const struct ockam_home *home, const char *node,
			    char path[OCKAM_CONTROL_PATH], struct ockam_err *err)
{
	int len = snprintf(path, OCKAM_CONTROL_PATH, "%s/%s/%s", OCKAM_RUN_DIR, home->hash, node);

	if (len < 0 || len >= OCKAM_CONTROL_PATH)
		return ockam_err_set(err, -ENAMETOOLONG, "the node's name '%.60s' is too long",
				     node);
	return 0;
}

int ockam_home_netns_name(const struct ockam_home *home, const char *node,
			  char name[NAME_MAX + 1], struct ockam_err *err)
{
	int len;

	if (home->is_default)
		len = snprintf(name, NAME_MAX + 1, "ockam-%s", node);
	else
		len = snprintf(name, NAME_MAX + 1, "ockam-%s-%s", home->hash, node);
	if (len < 0 || len > NAME_MAX)
		return ockam_err_set(err, -ENAMETOOLONG, "the node's name '%.60s' is too long",
				     node);
	return 0;
}

static int ockam_home_node_path(const struct ockam_home *home, const char *node, char *path,
				struct ockam_err *err)
{
	char name[OCKAM_NAME_SIZE + 8];
	int ret;

	ret = ockam_name_check_node(node, err);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "nodes/%s", node);
	return ockam_home_file(home, name, path, err);
}

int ockam_home_node_dir(const struct ockam_home *home, const char *node, char *path,
			struct ockam_err *err)
{
	int ret = ockam_home_node_path(home, node, path, err);

	return ret ? ret : ockam_home_mkdirs(path, err);
}

#define OCKAM_HOME_LOG_HEAD	"stdout."
#define OCKAM_HOME_LOG_TAIL	".log"

void ockam_home_log_name(char name[OCKAM_LOG_NAME])
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(name, OCKAM_LOG_NAME, OCKAM_HOME_LOG_HEAD "%Y-%m-%d" OCKAM_HOME_LOG_TAIL, &tm);
}

bool ockam_home_is_log(const char *name, size_t len)
{
	const size_t head = strlen(OCKAM_HOME_LOG_HEAD), tail = strlen(OCKAM_HOME_LOG_TAIL);

	return len >= head + tail && len < OCKAM_LOG_NAME &&
	       !memcmp(name, OCKAM_HOME_LOG_HEAD, head) &&
	       !memcmp(name + len - tail, OCKAM_HOME_LOG_TAIL, tail);
}

#define OCKAM_HOME_DEPTH	8	/* directories inside nodes/ and commands/ */

/* Goes on after a failure and reports the first one. */
static int ockam_home_remove_below(int dir_fd, const char *name, unsigned int depth)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;
	int fd;

	if (!unlinkat(dir_fd, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (!depth)
		return -ELOOP;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while ((entry = readdir(dir))) {
		int one;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		one = ockam_home_remove_below(dirfd(dir), entry->d_name, depth - 1);
		if (!ret)
			ret = one;
	}
	closedir(dir);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) && errno != ENOENT && !ret)
		ret = -errno;
	return ret;
}

int ockam_home_remove(int dir_fd, const char *name)
{
	return ockam_home_remove_below(dir_fd, name, OCKAM_HOME_DEPTH);
}

/* A log of some day, in use or put aside as "<log>.1". */
static bool ockam_home_is_any_log(const char *name)
{
	size_t len = strlen(name);

	return ockam_home_is_log(name, len) ||
	       (len > 2 && !strcmp(name + len - 2, ".1") && ockam_home_is_log(name, len - 2));
}

int ockam_home_remove_node_dir(const struct ockam_home *home, const char *node,
			       struct ockam_err *err)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir;
	int ret;

	ret = ockam_home_node_path(home, node, path, err);
	if (ret)
		return ret;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : ockam_home_errno(err, "cannot remove", path);
	while ((entry = readdir(dir))) {
		if (ockam_home_is_any_log(entry->d_name) &&
		    unlinkat(dirfd(dir), entry->d_name, 0) && errno != ENOENT && !ret)
			ret = ockam_home_errno(err, "cannot remove a log in", path);
	}
	closedir(dir);
	/* With what somebody else has put there it stays. */
	if (!ret && rmdir(path) && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
		ret = ockam_home_errno(err, "cannot remove", path);
	return ret;
}
