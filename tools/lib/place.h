/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the things of a node lie outside of its home directory.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_PLACE_H
#define OCKAM_LIB_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define OCKAM_PLACE_RUN		"/run/ockam"	/* control sockets, by home hash */
#define OCKAM_PLACE_NETNS	"/run/netns"	/* pins, as of "ip netns" */
#define OCKAM_PLACE_HASH	17		/* 16 digits of a home hash, zero byte */

/**
 * ockam_place_home_hash() - short name of a home directory
 * @home: the directory; symbolic links are followed when it exists
 * @hash: receives the text
 * @err: the reason
 *
 * Return: 0; -EINVAL for a path that is not absolute; -EIO.
 */
int ockam_place_home_hash(const char *home, char hash[OCKAM_PLACE_HASH], struct ockam_err *err);

/** ockam_place_home_is_default() - is @home the ~/.ockam of this user */
bool ockam_place_home_is_default(const char *home);

/**
 * ockam_place_control() - path of a node's control socket
 * @home: home directory
 * @node: name of the node
 * @path: receives /run/ockam/<home hash>/<node>
 * @size: room in @path, bytes
 * @err: the reason
 *
 * Return: 0; -ENAMETOOLONG when it does not fit @size or a UNIX socket; -EINVAL; -EIO.
 */
int ockam_place_control(const char *home, const char *node, char *path, size_t size,
			struct ockam_err *err);

/**
 * ockam_place_netns() - name of a node's network namespace
 *
 * "ockam-<node>" for the default home, else "ockam-<home hash>-<node>"; the
 * pin is that name under OCKAM_PLACE_NETNS. Parameters as above, @name
 * receives the name.
 *
 * Return: 0; -ENAMETOOLONG; -EINVAL; -EIO.
 */
int ockam_place_netns(const char *home, const char *node, char *name, size_t size,
		      struct ockam_err *err);

/** ockam_place_node_name_ok() - letters, digits, "_", "-"; 1 to 63 of them */
bool ockam_place_node_name_ok(const char *node);

#endif /* OCKAM_LIB_PLACE_H */
