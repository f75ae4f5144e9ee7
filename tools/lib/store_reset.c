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
				ockam_store_remove_key_file(AT_FDCWD, vaults[i].path);
		free(vaults);
	}
	ockam_store_close(store);
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
		int one = 0;

		if (!strncmp(entry->d_name, "vault-", 6))
			one = ockam_store_remove_key_file(dir_fd, entry->d_name);
		/* A command that was killed while it made the database. */
		else if (!strncmp(entry->d_name, OCKAM_STORE_FILE OCKAM_STORE_NEW,
				  strlen(OCKAM_STORE_FILE OCKAM_STORE_NEW)))
			unlinkat(dir_fd, entry->d_name, 0);
		if (!ret)
			ret = one;
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
