// SPDX-License-Identifier: Apache-2.0
/*
 * Left-overs of dead node processes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sweep.h"

/* ---- pins ---------------------------------------------------------------------------- */

/*
 * The file itself, whatever is mounted on it: its directory is copied without the
 * mounts below. An inode of a namespace that is gone is given to the next
 * namespace, one of this file system is not. Return: 1 ours, 0 not, a negative errno.
 */
static int ockam_sweep_own_file(const struct ockam_pin *pin)
{
	struct stat st;
	bool own;
	int tree;

	tree = open_tree(AT_FDCWD, OCKAM_NETNS_DIR, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return errno == ENOENT ? 0 : -errno;
	own = !fstatat(tree, pin->name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
	      st.st_ino == pin->file;
	close(tree);
	return own;
}

/* What one finds at its path has this inode, and the file below is ours: 1, 0 or an errno. */
static int ockam_sweep_find(const struct ockam_pin *pin, uint64_t inode, char path[PATH_MAX])
{
	struct stat st;

	snprintf(path, PATH_MAX, "%s/%s", OCKAM_NETNS_DIR, pin->name);
	return lstat(path, &st) || st.st_ino != inode ? 0 : ockam_sweep_own_file(pin);
}

bool ockam_sweep_is_pinned(const struct ockam_pin *pin)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", OCKAM_NETNS_DIR, pin->name);
	return !lstat(path, &st) && st.st_ino == pin->netns;
}

int ockam_sweep_unpin(const struct ockam_pin *pin)
{
	char path[PATH_MAX];
	int found;

	if (!pin->name[0])
		return 0;
	/* A pin may have been stacked; detach them all before the file goes. */
	while ((found = ockam_sweep_find(pin, pin->netns, path)) > 0) {
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW))
			return -errno;
	}
	if (!found)
		found = ockam_sweep_find(pin, pin->file, path);
	if (found <= 0)
		return found;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* ---- control sockets -------------------------------------------------------------------- */

/* Sockets are renamed into place after listen(), so a refusal means a dead owner. */
static bool ockam_sweep_is_dead_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	bool dead;
	int fd;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	dead = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

/* Of nodes whose lock is gone, as that of a home that was removed. */
static int ockam_sweep_sockets(const struct ockam_home *home)
{
	char path[OCKAM_CONTROL_PATH];
	char dir[PATH_MAX];
	struct dirent *entry;
	struct ockam_life life;
	int swept = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/%s", OCKAM_RUN_DIR, home->hash);
	d = opendir(dir);
	if (!d)
		return 0;
	while ((entry = readdir(d))) {
		if (ockam_name_check_node(entry->d_name, NULL) ||
		    ockam_home_control_path(home, entry->d_name, path, NULL))
			continue;
		ockam_life_look(home, entry->d_name, &life);
		if (life.state == OCKAM_PROCESS_GONE && ockam_sweep_is_dead_socket(path))
			swept += !unlink(path);
	}
	closedir(d);
	return swept;
}

/* ---- both ---------------------------------------------------------------------------------- */

bool ockam_sweep_node(const struct ockam_home *home, const char *name)
{
	struct ockam_life life;
	int fd;

	fd = ockam_life_bury(home, name, &life);
	if (fd < 0)
		return false;
	if (life.control[0] && ockam_sweep_is_dead_socket(life.control))
		unlink(life.control);
	/* Who may not take the pin away leaves it to somebody else. */
	if (ockam_sweep_unpin(&life.pin)) {
		close(fd);
		return false;
	}
	ockam_life_end(home, name, fd);
	return true;
}

int ockam_sweep(const struct ockam_home *home, struct ockam_err *err)
{
	struct ockam_life_name *names;
	int count, swept = 0;

	count = ockam_life_names(home, &names);
	if (count < 0)
		return ockam_err_set(err, count, "no memory for the list of nodes");
	for (int i = 0; i < count; i++)
		swept += ockam_sweep_node(home, names[i].text);
	free(names);
	return swept + ockam_sweep_sockets(home);
}
