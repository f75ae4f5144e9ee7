// SPDX-License-Identifier: Apache-2.0
/*
 * A node that lives as long as one command.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "temporary.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"
#include "spawn.h"

int ctl_temporary_start(struct ctl *ctl, const char *identity, struct ctl_temporary *node)
{
	char name[OCKAM_NAME_SIZE];
	struct ctl_spawn spawn = {
		.name = name, .identity = identity, .control = node->control,
		.in_memory = true, .no_listener = true,
	};
	struct ockam_err err;
	int ret;

	memset(node, 0, sizeof(*node));
	strcpy(node->dir, "/tmp/ockam-XXXXXX");
	if (ockam_name_random(name, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (!mkdtemp(node->dir))
		return ctl_output_fail(&ctl->out, -errno, strerror(errno), NULL,
				       "Cannot make a temporary directory");
	snprintf(node->control, sizeof(node->control), "%s/control", node->dir);
	ret = ctl_spawn(ctl, &spawn, &node->pid);
	if (ret) {
		rmdir(node->dir);
		return ret;
	}
	ret = ctl_session_open_path(ctl, name, node->control, &node->session);
	if (ret)
		ctl_temporary_stop(node);
	return ret;
}

void ctl_temporary_stop(struct ctl_temporary *node)
{
	ctl_session_close(&node->session);
	kill(node->pid, SIGTERM);
	waitpid(node->pid, NULL, 0);
	unlink(node->control);
	rmdir(node->dir);
}
