/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The home: the directory that holds all state of one "machine" (cli 1.1),
 * and the names that are derived from it.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_HOME_H
#define OCKAM_LIB_HOME_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define OCKAM_HOME_HASH		17	/* 16 hex digits and a zero byte */
#define OCKAM_RUN_DIR		"/run/ockam"
#define OCKAM_LOG_NAME		64	/* bytes of a log's name */
#define OCKAM_CONTROL_PATH	108	/* bytes of a control socket's path, as sun_path */

/*
 * path: absolute, symbolic links resolved as far as it exists, so that every
 * spelling of one directory gives the same hash. is_default: .ockam of
 * the user who runs this, by the list of users and not by HOME.
 */
struct ockam_home {
	char	path[PATH_MAX];
	char	hash[OCKAM_HOME_HASH];
	bool	is_default;
};

/**
 * ockam_home_find() - the home of the calling process
 * @home: receives it
 * @err: the reason
 *
 * $OCKAM_HOME, else $HOME/.ockam, else .ockam in the directory of the user
 * database. Nothing is created.
 *
 * Return: 0; -ENOENT when there is no home directory at all; -ENAMETOOLONG;
 * another errno of the file system.
 */
int ockam_home_find(struct ockam_home *home, struct ockam_err *err);

/** ockam_home_set() - the same for a directory given by path */
int ockam_home_set(struct ockam_home *home, const char *path, struct ockam_err *err);

/**
 * ockam_home_prepare() - make the directory and check whose it is
 *
 * Makes it with its parents, mode 0700. Refuses a home that belongs to
 * another user or that group or others may write to.
 *
 * Return: 0; -EPERM; -ENOTDIR; another errno.
 */
int ockam_home_prepare(const struct ockam_home *home, struct ockam_err *err);

/** ockam_home_file() - "@home/@name" into @path (PATH_MAX bytes); 0 or -ENAMETOOLONG */
int ockam_home_file(const struct ockam_home *home, const char *name, char *path,
		    struct ockam_err *err);

/**
 * ockam_home_control_path() - control socket of a node,
 * /run/ockam/<home hash>/<node>; 0 or -ENAMETOOLONG
 */
int ockam_home_control_path(const struct ockam_home *home, const char *node,
			    char path[OCKAM_CONTROL_PATH], struct ockam_err *err);

/**
 * ockam_home_netns_name() - name under /run/netns of a node's namespace:
 * "ockam-<node>", or "ockam-<home hash>-<node>" for another home than the default
 */
int ockam_home_netns_name(const struct ockam_home *home, const char *node,
			  char name[NAME_MAX + 1], struct ockam_err *err);

/**
 * ockam_home_node_dir() - make nodes/<node>/ (mode 0700) and give its path
 * (PATH_MAX bytes)
 */
int ockam_home_node_dir(const struct ockam_home *home, const char *node, char *path,
			struct ockam_err *err);

/** ockam_home_log_name() - name of a node's log of today, local time: "stdout.<date>.log" */
void ockam_home_log_name(char name[OCKAM_LOG_NAME]);

/** ockam_home_is_log() - are these @len bytes the name of the log of some day */
bool ockam_home_is_log(const char *name, size_t len);

/**
 * ockam_home_remove_node_dir() - remove the logs in nodes/<node>/, and it
 *
 * Files that are no logs stay, and so does the directory then. Absent is no error.
 */
int ockam_home_remove_node_dir(const struct ockam_home *home, const char *node,
			       struct ockam_err *err);

/**
 * ockam_home_remove() - remove a file or a tree
 * @dir_fd: directory that @name is relative to, or AT_FDCWD
 * @name: what to remove; symbolic links are removed, never followed
 *
 * Return: 0, also when it is absent; else the first failure.
 */
int ockam_home_remove(int dir_fd, const char *name);

/**
 * ockam_home_reset() - delete all that a home keeps but
 * application_database.sqlite3 and files that are not its own
 *
 * Nodes must be stopped already. A damaged database or a missing file is no
 * error: vault files that it named outside the home are then left where they are.
 *
 * Return: 0 or a negative errno when something could not be removed.
 */
int ockam_home_reset(const struct ockam_home *home, struct ockam_err *err);

#endif /* OCKAM_LIB_HOME_H */
