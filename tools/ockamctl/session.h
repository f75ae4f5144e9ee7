/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to node processes of this home: which node, one connection each, one
 * request at a time.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_SESSION_H
#define OCKAM_CTL_SESSION_H

#include <json-c/json.h>

#include "control.h"
#include "ctl.h"

/* A connection to a node's process. All zero is "none". */
struct ctl_session {
	struct ockam_control	*control;
	char			node[OCKAM_NAME_SIZE];
};

/**
 * ctl_session_node() - the record of a node
 * @name: "n", "/node/n", or NULL for the default node
 * @node: receives it
 *
 * Left-overs of dead nodes have been swept before.
 * Return: CTL_EXIT_OK or CTL_EXIT_FAILURE (reported).
 */
int ctl_session_node(struct ctl *ctl, const char *name, struct ockam_node_record *node);

/** ctl_session_open() - connect to a running node; name as above */
int ctl_session_open(struct ctl *ctl, const char *name, struct ctl_session *session);

/**
 * ctl_session_open_default() - the same for commands that make a default node
 * when @name is NULL and there is no node at all (cli 1.10)
 */
int ctl_session_open_default(struct ctl *ctl, const char *name, struct ctl_session *session);

/** ctl_session_open_path() - connect to a node process by its socket */
int ctl_session_open_path(struct ctl *ctl, const char *name, const char *path,
			  struct ctl_session *session);

/**
 * ctl_session_call() - one request
 * @args: map; the reference is taken over; NULL: none
 * @result: receives a reference, or NULL
 * @err: the failure, not reported yet
 *
 * Return: 0 or the negative errno of the failure.
 */
int ctl_session_call(struct ctl_session *session, const char *op, struct json_object *args,
		     int timeout_ms, struct json_object **result, struct ockam_err *err);

/** ctl_session_ask() - the same, but of a failure *result is what the node says of it */
int ctl_session_ask(struct ctl_session *session, const char *op, struct json_object *args,
		    int timeout_ms, struct json_object **result, struct ockam_err *err);

/** ctl_session_do() - ctl_session_call(), but a failure is reported; returns an exit code */
int ctl_session_do(struct ctl *ctl, struct ctl_session *session, const char *op,
		   struct json_object *args, int timeout_ms, struct json_object **result);

/**
 * ctl_session_list() - all of a list that comes in several answers
 * @op: "tcp-connection.list", "tcp-listener.list", "secure-channel.list"
 * @list: receives a reference
 *
 * Return: an exit code; a failure is reported.
 */
int ctl_session_list(struct ctl *ctl, struct ctl_session *session, const char *op,
		     struct json_object **list);

void ctl_session_close(struct ctl_session *session);

/** ctl_session_timeout_ms() - OCKAM_DEFAULT_TIMEOUT, 120 s by default */
int ctl_session_timeout_ms(void);

#endif /* OCKAM_CTL_SESSION_H */
