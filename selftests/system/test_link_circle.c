// SPDX-License-Identifier: Apache-2.0
/*
 * Links over sockets of the node's own namespace, and of namespaces that are
 * nodes: they carry messages, and none of these namespaces outlives its owner.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "linkhelp.h"

#define SOON 5000

/*
 * One end of a pair of devices is in the namespace: with the namespace the whole
 * pair ends, so the end that is here tells.
 */
static bool put_witness(const struct nlh *node, const char *name)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "ip link add %s type veth peer name inside netns /proc/%d/fd/%d", name, getpid(),
		 node->ns);
	return !system(command);
}

static bool is_here(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	return !access(path, F_OK);
}

static bool wait_gone(const char *name)
{
	for (int ms = 0; ms < SOON && is_here(name); ms += 20)
		poll(NULL, 0, 20);
	return !is_here(name);
}

/* A node in a namespace of its own, watched by @witness. */
static bool make_node(struct nlh *node, const char *witness)
{
	return ok(!nlh_open_new(node) && !nlh_own(node), "a node") &&
	       ok(put_witness(node, witness), "a witness in its namespace");
}

/* A connection inside of @where, its first end a link of @node called @name. */
static int make_link(struct nlh *node, const struct nlh *where, enum lh_family family,
		     const char *name, const char *pair)
{
	struct nlh_link_options o = { .name = name, .pair = pair };
	int back = nlh_enter(where);
	int fd[2];
	int err;

	err = lh_connect(family, fd);
	nlh_leave(back);
	if (!err) {
		err = nlh_link_new(node, fd[0], &o, NULL);
		close(fd[0]);
	}
	ok(!err, "a link of %s, its socket in a node's namespace", lh_family_names[family]);
	if (err)
		return -1;
	ok(lh_write(fd[1], "\1", 1) && lh_read_version(fd[1]), "both ends are there");
	return fd[1];
}

/* A frame to link "b" comes out of it. */
static void check_way(int in, int out)
{
	static uint8_t frame[LH_FRAME_ROOM];
	struct lh_message m;
	size_t len = lh_frame(frame, "b", "there", "hello", 5);

	ok(lh_write(in, frame, len) && lh_read_frame(out, &m) && m.n_onward == 1 &&
	   !strcmp(m.onward[0], "there"), "a message goes through both");
}

static void test_own(enum lh_family family)
{
	struct nlh node;
	int a, b;

	if (!make_node(&node, "own0"))
		return;
	a = make_link(&node, &node, family, "a", NULL);
	b = make_link(&node, &node, family, "b", "a");
	check_way(a, b);
	/* Those ends are sockets of the namespace as well. */
	close(a);
	close(b);
	a = make_link(&node, &node, family, "c", NULL);
	b = dup(a);
	close(a);
	nlh_close(&node);
	ok(lh_wait_end(b, SOON), "the links end with the owner");
	ok(is_here("own0"), "a socket that is open keeps the namespace");
	close(b);
	ok(wait_gone("own0"), "without it the namespace is gone");
}

/* Each of two nodes has a link over a socket of the other one's namespace. */
static void test_circle(bool both)
{
	struct nlh one, two;
	int a, b, c;

	if (!make_node(&one, "one0") || !make_node(&two, "two0"))
		return;
	a = make_link(&one, &two, LH_TCP4, "a", NULL);
	b = make_link(&one, &two, LH_UNIX, "b", "a");
	c = make_link(&two, &one, LH_TCP4, "c", NULL);
	check_way(a, b);
	close(a);
	close(b);
	close(c);
	/* Their peers are gone; links over connections that stay are made anew. */
	a = make_link(&one, &two, LH_TCP4, "d", NULL);
	b = make_link(&two, &one, LH_TCP4, "e", NULL);
	nlh_close(&one);
	ok(lh_wait_end(a, SOON), "the links of the node whose owner has gone end");
	if (both) {
		nlh_close(&two);
		ok(lh_wait_end(b, SOON), "and those of the other one");
	}
	close(a);
	close(b);
	ok(wait_gone("one0"), "the namespace of the first is gone");
	if (!both) {
		ok(is_here("two0"), "that of the second is not");
		nlh_close(&two);
	}
	ok(wait_gone("two0"), "the namespace of the second is gone");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_own(LH_UNIX);
	test_own(LH_TCP4);
	test_circle(true);
	test_circle(false);
	return tap_done();
}
