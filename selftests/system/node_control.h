/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node and its control socket, for tests that do without manners.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SYSTEM_NODE_CONTROL_H
#define OCKAM_SYSTEM_NODE_CONTROL_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "control.h"
#include "home.h"
#include "nl.h"
#include "node.h"

#define NODE	"abuse"

static char home_dir[32] = "/tmp/ockam-test.XXXXXX";
static char path[OCKAM_CONTROL_PATH];
static char pin[NAME_MAX + 1];
static char listener[64];
static pid_t node;

static bool start_node(void)
{
	struct ockam_home home;
	struct ockam_err err;

	if (!mkdtemp(home_dir) || ockam_home_set(&home, home_dir, &err) ||
	    ockam_home_control_path(&home, NODE, path, &err) ||
	    ockam_home_netns_name(&home, NODE, pin, &err))
		return false;
	node = node_start(home_dir, NODE, "error");
	return node > 0;
}

/* A connection without the manners of ockam_control_connect(). */
static int raw_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int room = 4 * OCKAM_CONTROL_MAX;
	int fd;

	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void raw_request(const char *json, struct ockam_buf *out)
{
	struct json_object *value = json_tokener_parse(json);

	ockam_value_encode(value, out, NULL);
	json_object_put(value);
}

/* Does the node still answer somebody new? */
static bool serves(void)
{
	struct json_object *info = NULL;
	struct ockam_control *control;
	struct json_object *list;
	struct ockam_err err;
	const char *address;
	bool good;

	if (ockam_control_connect(path, &control, &err))
		return false;
	good = !ockam_control_call(control, "node.info", NULL, 10000, &info, &err);
	list = ockam_value_array(info, "tcp_listeners");
	address = list ? ockam_value_text(json_object_array_get_idx(list, 0), "address") : NULL;
	if (good && address)
		snprintf(listener, sizeof(listener), "%s", address);
	json_object_put(info);
	ockam_control_close(control);
	return good;
}

static int count_address(void *arg, const struct ockam_nl_address *address)
{
	(void)address;
	++*(int *)arg;
	return 0;
}

/* Addresses in the node's table. */
static int addresses(void)
{
	struct ockam_nl *nl;
	struct ockam_err err;
	char file[PATH_MAX];
	int own, fd;
	int n = 0;

	snprintf(file, sizeof(file), "/run/netns/%s", pin);
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return -1;
	if (ockam_nl_open(&nl, NULL, &err) ||
	    ockam_nl_address_dump(nl, count_address, &n, &err) < 0)
		n = -1;
	else
		ockam_nl_close(nl);
	setns(own, CLONE_NEWNET);
	close(fd);
	close(own);
	return n;
}

static bool addresses_become(int want)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (addresses() == want)
			return true;
		usleep(50000);
	}
	printf("# %d addresses, not %d\n", addresses(), want);
	return false;
}

/* A connection to @listener; @from receives this end of it as text. */
static int dial_listener(char from[64])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = htons((uint16_t)atoi(strrchr(listener, ':') + 1));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		return -1;
	snprintf(from, 64, "127.0.0.1:%u", ntohs(addr.sin_port));
	return fd;
}

#endif /* OCKAM_SYSTEM_NODE_CONTROL_H */
