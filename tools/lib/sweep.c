// SPDX-License-Identifier: Apache-2.0
/*
 * Left-overs of dead node processes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "store_sql.h"
#include "sweep.h"

void ockam_sweep_unpin(const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", OCKAM_NETNS_DIR, name) >= (int)sizeof(path))
		return;
	/* A pin may have been stacked; detach them all before the file goes. */
	while (!umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW))
		;
	unlink(path);
}

/*
 * Is the node still what it was when its end was seen? With the database held
 * nobody can claim the name, so what is swept is not a new process's. Return: 1 and
 * the database is held, 0, or a negative errno.
 */
static int ockam_sweep_hold(struct ockam_store *store, const struct ockam_node_record *seen,
			    struct ockam_err *err)
{
	struct ockam_node_record now;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_node_get(store, seen->name, &now, err);
	if (!ret && now.pid == seen->pid && now.pid_start == seen->pid_start)
		return 1;
	ockam_sql_end(store, ret == -ENOENT ? 0 : ret, NULL);
	return ret == -ENOENT ? 0 : ret;
}

static void ockam_sweep_node(const struct ockam_home *home, const char *node)
{
	char path[OCKAM_CONTROL_PATH];
	char name[NAME_MAX + 1];

	if (!ockam_home_netns_name(home, node, name, NULL))
		ockam_sweep_unpin(name);
	if (!ockam_home_control_path(home, node, path, NULL))
		unlink(path);
}

/* Sockets are renamed into place after listen(), so a refusal means a dead owner. */
static bool ockam_sweep_is_dead_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	bool dead;
	int fd;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	dead = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

/* Nodes that have no row: kept in memory only, or of a home that was reset. */
static int ockam_sweep_sockets(const struct ockam_home *home, struct ockam_store *store)
{
	struct ockam_node_record record;
	char path[OCKAM_CONTROL_PATH];
	char dir[PATH_MAX];
	struct dirent *entry;
	int swept = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/%s", OCKAM_RUN_DIR, home->hash);
	d = opendir(dir);
	if (!d)
		return 0;
	while ((entry = readdir(d))) {
		if (ockam_name_check_node(entry->d_name, NULL) ||
		    ockam_home_control_path(home, entry->d_name, path, NULL) ||
		    !ockam_sweep_is_dead_socket(path))
			continue;
		/* A living process of that name is about to replace the socket itself. */
		if (store && !ockam_store_node_get(store, entry->d_name, &record, NULL) &&
		    record.pid && ockam_node_state(&record) != OCKAM_PROCESS_GONE)
			continue;
		ockam_sweep_node(home, entry->d_name);
		swept++;
	}
	closedir(d);
	return swept;
}

int ockam_sweep(const struct ockam_home *home, struct ockam_store *store, struct ockam_err *err)
{
	struct ockam_node_record *nodes = NULL;
	size_t count = 0;
	int swept = 0;
	size_t i;
	int ret;

	if (store) {
		ret = ockam_store_node_list(store, &nodes, &count, err);
		if (ret)
			return ret;
	}
	for (i = 0; i < count; i++) {
		if (!nodes[i].pid || ockam_node_state(&nodes[i]) != OCKAM_PROCESS_GONE)
			continue;
		ret = ockam_sweep_hold(store, &nodes[i], err);
		if (ret > 0) {
			ockam_sweep_node(home, nodes[i].name);
			ret = ockam_store_node_stopped(store, nodes[i].name, nodes[i].pid, err);
			ret = ockam_sql_end(store, ret, err);
			swept++;
		}
		if (ret) {
			free(nodes);
			return ret;
		}
	}
	free(nodes);
	return swept + ockam_sweep_sockets(home, store);
}
