// SPDX-License-Identifier: Apache-2.0
/*
 * How many addresses of a node one user may have.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdint.h>
#include <sys/wait.h>

#include "nlhelp.h"
#include "sock.h"

#define PATIENCE_MS	10000

static struct nlh node;

/* As user @uid: how many of @n sockets get an address; the last errno. */
struct outcome {
	int made;
	int err;
};

/*
 * @keep: they stay open. A closed socket's address counts until it has been
 * taken out of the table, so whoever must succeed tries for a while.
 */
static struct outcome bind_as(unsigned int uid, int n, bool keep, int patience_ms)
{
	long long end = nlh_now() + patience_ms;
	struct outcome out = { 0, 0 };
	int pipes[2], hold[2];
	pid_t pid;

	if (pipe(pipes) || pipe(hold))
		exit(1);
	pid = fork();
	if (!pid) {
		nlh_enter(&node);
		if (uid && setresuid(uid, uid, uid))
			_exit(1);
		for (int i = 0; i < n; i++) {
			int fd = sock_new();
			int err;

			while ((err = sock_bind(fd, NO_NAME)) == EDQUOT && nlh_now() < end)
				usleep(10000);
			if (err)
				out.err = err;
			else
				out.made++;
		}
		if (write(pipes[1], &out, sizeof(out)) != sizeof(out))
			_exit(1);
		close(hold[1]);
		/* Until the other end closes. */
		if (keep && read(hold[0], &out, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(pipes[1]);
	close(hold[0]);
	if (read(pipes[0], &out, sizeof(out)) != sizeof(out))
		out.err = EIO;
	close(pipes[0]);
	if (!keep) {
		close(hold[1]);
		waitpid(pid, NULL, 0);
	}
	/* Else the descriptor stays open, and the process with it. */
	return out;
}

int main(void)
{
	struct outcome out;

	setbuf(stdout, NULL);
	if (nlh_open_new(&node) || nlh_own(&node)) {
		printf("Bail out! no node\n");
		return 1;
	}
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_USER_ADDRESSES, 5), "five addresses a user");
	out = bind_as(1000, 8, false, 0);
	ok(out.made == 5 && out.err == EDQUOT, "a user gets five (%d, then %s)", out.made,
	   strerror(out.err));
	out = bind_as(1000, 5, false, PATIENCE_MS);
	ok(out.made == 5, "five again when they are closed");
	ok(sockets_wait(0), "they are");
	out = bind_as(1000, 5, true, PATIENCE_MS);
	ok(out.made == 5, "five that stay");
	out = bind_as(1001, 5, false, 0);
	ok(out.made == 5, "another user has his own five");
	out = bind_as(1000, 1, false, 0);
	ok(!out.made && out.err == EDQUOT, "the first one gets no more");
	out = bind_as(0, 20, false, 0);
	ok(out.made == 20, "an administrator is not counted");
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_USER_ADDRESSES, 6), "six a user");
	out = bind_as(1000, 3, false, 0);
	ok(out.made == 1, "one more, then");
	nlh_close(&node);
	return tap_done();
}
