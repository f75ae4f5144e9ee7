// SPDX-License-Identifier: Apache-2.0
/*
 * Whose a link's socket is: what its peer sees of who sends.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "exchange.h"

enum { LINK_OWNER = 4243, SENDER = 4242 };

/* A program of another user sends over @l; its pid. */
static pid_t send_as(unsigned int uid, const struct lh_link *l)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		nlh_enter(&node);
		if (setresuid(uid, uid, uid))
			_exit(1);
		_exit(sock_send(sock_new(), NAME(l->name, "far"), "x", 1));
	}
	waitpid(pid, &status, 0);
	ok(!status, "a program of user %u sends", uid);
	return pid;
}

/* What came with the next bytes at @fd. */
static bool credentials(int fd, struct ucred *cred)
{
	char buf[4096], control[CMSG_SPACE(sizeof(*cred))] ALIGNED;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	if (recvmsg(fd, &m, 0) <= 0)
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(cred, CMSG_DATA(c), sizeof(*cred));
	return true;
}

int main(void)
{
	struct lh_link l;
	struct ucred cred = {};
	pid_t sender;
	int on = 1;
	bool got;

	open_node();
	/* Real user id of the one who makes it; the effective one has the capabilities. */
	ok(!setresuid(LINK_OWNER, 0, 0), "the owner of a link");
	lh_open(&l, &node, LH_UNIX, NULL);
	ok(!setresuid(0, 0, 0), "has made it");
	setsockopt(l.raw, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	for (int i = 0; i < 3; i++) {
		sender = send_as(SENDER, &l);
		got = credentials(l.raw, &cred);
		ok(got && cred.uid == LINK_OWNER, "the peer sees the link's owner (user %u)",
		   cred.uid);
		ok(cred.pid != sender, "and not the process that sent");
	}
	lh_close(&l);
	close_node();
	return tap_done();
}
