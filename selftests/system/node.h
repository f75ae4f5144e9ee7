/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node process for tests in C.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SYSTEM_NODE_H
#define OCKAM_SYSTEM_NODE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ockamd, as node @name of the home @dir; its pid once it is ready, else -1. */
static pid_t node_start(const char *dir, const char *name, const char *log_level)
{
	char answer[256] = "";
	int ready[2];
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(ready[1], 9);
		setenv("OCKAM_LOG_LEVEL", log_level, 1);
		execlp("ockamd", "ockamd", "node", "--home", dir, "--name", name,
		       "--ready-fd", "9", NULL);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], answer, sizeof(answer) - 1) < 0)
		answer[0] = '\0';
	close(ready[0]);
	if (!strcmp(answer, "ok\n"))
		return pid;
	printf("# %s\n", answer);
	return -1;
}

#endif /* OCKAM_SYSTEM_NODE_H */
