/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node that lives as long as one command (message send without --from).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_TEMPORARY_H
#define OCKAM_CTL_TEMPORARY_H

#include <sys/types.h>

#include "session.h"

struct ctl_temporary {
	struct ctl_session	session;
	pid_t			pid;
	int			alive;	/* the node ends with this descriptor */
};

/**
 * ctl_temporary_start() - start a node in memory and connect to it
 * @args: --identity names its identity; without it the default one is used,
 *	and made if there is none
 *
 * Return: CTL_EXIT_OK, or CTL_EXIT_FAILURE (reported; nothing to stop).
 */
int ctl_temporary_start(struct ctl *ctl, const struct ctl_args *args, struct ctl_temporary *node);
/** ctl_temporary_stop() - end it */
void ctl_temporary_stop(struct ctl_temporary *node);

#endif /* OCKAM_CTL_TEMPORARY_H */
