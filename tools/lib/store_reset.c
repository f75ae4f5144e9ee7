// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_sql.h"

#define OCKAM_RESET_ID_OFFSET	68	/* of the application id in SQLite's header */

/* With what a command that was killed in the middle of writing a key has left. */
static void ockam_reset_key_file(const char *path)
{
	char journal[PATH_MAX + 16];

	snprintf(journal, sizeof(journal), "%s-journal", path);
	unlink(journal);
	unlink(path);
}

/* Key files that lie outside the home are known to the database alone. */
static void ockam_reset_key_files(const struct ockam_home *home)
{
	struct ockam_vault_record *vaults;
	struct ockam_store *store;
	size_t count;

	if (ockam_store_open(home, 0, &store, NULL))
		return;
	if (!ockam_store_vault_list(store, &vaults, &count, NULL)) {
		for (size_t i = 0; i < count; i++)
			if (vaults[i].path[0])
				ockam_reset_key_file(vaults[i].path);
		free(vaults);
	}
	ockam_store_close(store);
}

/* Is it a key file that this library made? Files with such a name may be the user's. */
static bool ockam_reset_is_key_file(int dir_fd, const char *name)
{
	uint8_t head[OCKAM_RESET_ID_OFFSET + 4];
	uint32_t id;
	bool ours;
	int fd;

	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	ours = read(fd, head, sizeof(head)) == sizeof(head) &&
	       !memcmp(head, "SQLite format 3", 16);
	close(fd);
	if (!ours)
		return false;
	id = (uint32_t)head[68] << 24 | (uint32_t)head[69] << 16 | (uint32_t)head[70] << 8 |
	     head[71];
	return id == OCKAM_STORE_VAULT_ID;
}

/* Key files in the home that a damaged database could not name. */
static int ockam_reset_left_over(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while ((entry = readdir(dir))) {
		char journal[NAME_MAX + 16];

		if (strncmp(entry->d_name, "vault-", 6) ||
		    !ockam_reset_is_key_file(dir_fd, entry->d_name))
			continue;
		snprintf(journal, sizeof(journal), "%s-journal", entry->d_name);
		unlinkat(dir_fd, journal, 0);
		if (unlinkat(dir_fd, entry->d_name, 0) && errno != ENOENT && !ret)
			ret = -errno;
	}
	closedir(dir);
	return ret;
}

int ockam_home_reset(const struct ockam_home *home, struct ockam_err *err)
{
	static const char *const names[] = {
		OCKAM_STORE_FILE "-wal", OCKAM_STORE_FILE "-shm", OCKAM_STORE_FILE "-journal",
		OCKAM_STORE_FILE, OCKAM_STORE_APPLICATION "-wal",
		OCKAM_STORE_APPLICATION "-shm", "nodes", "commands",
	};
	int ret, fd;

	fd = open(home->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return ockam_err_set(err, -errno, "the home %.150s: %s", home->path,
				     strerror(errno));
	ret = ockam_home_prepare(home, err);
	if (ret)
		goto out;
	ockam_reset_key_files(home);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int one = ockam_home_remove(fd, names[i]);

		if (one && !ret)
			ret = ockam_err_set(err, one, "cannot remove %s in %.120s: %s", names[i],
					    home->path, strerror(-one));
	}
	if (!ret) {
		ret = ockam_reset_left_over(fd);
		if (ret)
			ockam_err_set(err, ret, "cannot remove a vault in %.120s: %s", home->path,
				      strerror(-ret));
	}
out:
	close(fd);
	return ret;
}
