/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node process: everything it keeps, and its life.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_NODE_H
#define OCKAMD_NODE_H

#include "attributes.h"
#include "channel.h"
#include "channel_move.h"
#include "ctl.h"
#include "dial.h"
#include "keyring.h"
#include "learn.h"
#include "link.h"
#include "listener.h"
#include "loop.h"
#include "message.h"
#include "nl.h"
#include "present.h"
#include "routes.h"
#include "rule.h"
#include "service.h"
#include "spawn.h"
#include "store.h"
#include "uppercase.h"

/* What the command line asks for. Strings are borrowed from it. */
struct ockamd_options {
	const char	*home;		/* NULL: of the environment */
	const char	*name;
	const char	*listen;	/* TCP listener */
	bool		no_listener;
	const char	*netns;		/* existing network namespace; NULL: a new one */
	const char	*identity;	/* NULL: the default one */
	const char	*authority;	/* history of whose credentials count, in hexadecimal */
	const char	*credential_scope;	/* NULL: presents no credential */
	bool		strict_identities;
	const char	*control;	/* NULL: /run/ockam/<home hash>/<name> */
	bool		foreground;
	bool		in_memory;	/* no row in the store, no pin */
	bool		exit_on_eof;
	int		ready_fd;	/* -1: none */
};

/*
 * One for the process, used by the event loop's thread alone. Rooms keep
 * their lists here; each is explained in the room's header.
 */
struct ockamd_node {
	const struct ockamd_options	*options;
	struct ockamd_loop		loop;
	int				keeper;	/* descriptor, -1: none yet */
	struct ockam_home		home;
	struct ockam_store		*store;
	struct ockam_node_record	record;
	struct ockam_node_record	before;	/* the row when it was taken */
	struct ockam_node_trust		trust_before;	/* its trust options */
	bool				claimed;	/* the row is ours */
	bool				came_up;
	int				life;	/* the lock, -1: none */
	int				netns;	/* to be entered, -1: a new one */
	struct ockam_pin		pin;	/* no name: not pinned */
	char				unpinned[OCKAM_ERR_TEXT];	/* why not */
	char				control[OCKAM_CONTROL_PATH];
	uint64_t			control_file;	/* its inode, once we listen there */
	char				identity[OCKAM_NAME_SIZE];
	uint8_t				identifier[OCKAM_IDENTIFIER_LEN];

	struct ockam_nl			*nl;	/* owns the node in the kernel */
	bool				owns;	/* it does */
	struct ockamd_watch		nl_watch;
	struct ockamd_watch		keeper_watch;
	struct ockamd_watch		signal_watch;
	struct ockamd_watch		input_watch;
	struct ockamd_dial		*dial;

	uint8_t				transport_flow[OCKAM_FLOW_ID_LEN];
	struct ockamd_links		links;
	struct ockamd_link_waits	link_waits;
	struct ockamd_listeners		listeners;
	struct ockamd_channels		channels;
	struct ockamd_channel_makings	channel_makings;
	struct ockamd_gates		gates;
	struct ockamd_service		echo;
	struct ockamd_uppercase		uppercase;
	struct ockamd_keyring		keyring;
	struct ockamd_rules		rules;
	struct ockamd_presents		presents;
	struct ockamd_attributes	attributes;
	struct ockamd_learn		*learn;
	struct ockamd_spawn		spawn;
	struct ockamd_ctl		ctl;
};

/**
 * ockamd_node_run() - be a node until told to stop
 *
 * Reports readiness or the failure on options->ready_fd.
 *
 * Return: exit status of the process.
 */
int ockamd_node_run(const struct ockamd_options *options);

/** ockamd_node_stop() - leave the event loop; @why goes to the log */
void ockamd_node_stop(struct ockamd_node *node, const char *why);

#endif /* OCKAMD_NODE_H */
