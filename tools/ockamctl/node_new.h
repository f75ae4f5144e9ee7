/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making nodes: what must be there before, who the node is, starting it, and
 * taking everything back when it does not come up.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_NODE_NEW_H
#define OCKAM_CTL_NODE_NEW_H

#include "spawn.h"

/* A node to be made. The caller fills the first part. */
struct ctl_node_new {
	struct ctl_spawn	spawn;		/* name and identity are set by us */
	bool			foreground;
	bool			print;		/* print the node as a result */
	bool			skip_check;	/* do not look whether it runs */

	char			name[OCKAM_NAME_SIZE];
	char			identity[OCKAM_NAME_SIZE];
	bool			made_identity;
	bool			made_vault;
};

/**
 * ctl_node_check_possible() - may this user make nodes on this machine now?
 *
 * Return: CTL_EXIT_OK; CTL_EXIT_FAILURE (reported): not root, or the kernel
 * module is missing.
 */
int ctl_node_check_possible(struct ctl *ctl);

/**
 * ctl_node_new() - make and start a node
 * @name: its name; NULL: that of the default node when it does not run, else a
 *	random one
 * @identity: name of its identity, made if missing; NULL: the default one
 *
 * With @new->foreground this process becomes the node: no return unless it
 * fails at once.
 *
 * Return: CTL_EXIT_OK, or CTL_EXIT_FAILURE (reported; the home is as before).
 */
int ctl_node_new(struct ctl *ctl, struct ctl_node_new *new, const char *name,
		 const char *identity);

/**
 * ctl_node_new_default() - make a node if there is none at all (cli 1.10)
 *
 * Return: as above; nothing is printed on standard output.
 */
int ctl_node_new_default(struct ctl *ctl);

#endif /* OCKAM_CTL_NODE_NEW_H */
