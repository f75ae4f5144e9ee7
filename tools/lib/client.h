/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a node process: the client of the control protocol, for programs that
 * do not want to run ockamctl. Operations are those of ockamctl's commands;
 * requests and answers are JSON text.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_CLIENT_H
#define OCKAM_LIB_CLIENT_H

#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One connection. Not for several threads at once. */
struct ockam_control;

/**
 * ockam_control_open() - connect to a node by its name
 * @home: state directory; NULL: $OCKAM_HOME, else ~/.ockam
 * @node: name of the node
 * @control: receives the connection; ockam_control_close() it
 * @err: the reason
 *
 * Return: as ockam_control_connect(); -EINVAL for a name that no node can have.
 */
int ockam_control_open(const char *home, const char *node, struct ockam_control **control,
		       struct ockam_err *err);

/**
 * ockam_control_connect() - connect to a node process
 * @path: its control socket, /run/ockam/<hash of the home>/<node>
 * @control: receives the connection; ockam_control_close() it
 * @err: the reason
 *
 * Closing the connection cancels unfinished requests; what was made for them
 * until then is given back.
 *
 * Return: 0; -ENOENT when there is no such socket, -ECONNREFUSED when nobody
 * listens on it (both: the node is not running); -EBUSY when it has too many
 * clients; -EACCES; -ENAMETOOLONG; another negative errno.
 */
int ockam_control_connect(const char *path, struct ockam_control **control,
			  struct ockam_err *err);

/**
 * ockam_control_ask() - one request, and wait for its answer
 * @control: connection
 * @op: operation, such as "node.info"
 * @args: its arguments, a JSON object as text; NULL: none
 * @timeout_ms: milliseconds to wait; negative: as long as it takes
 * @result: receives the result, JSON text that the caller frees; NULL after an
 *	error. NULL pointer: not wanted
 * @err: on failure the sentence
 *
 * Return: 0; -EINVAL when @args are no JSON object; -ENOENT, -EEXIST,
 * -ECONNREFUSED, -EHOSTUNREACH, -EACCES, -EBUSY, -EIO as the node says;
 * -ETIMEDOUT when no answer came in time; -ECONNRESET when the node process
 * went away; -EMSGSIZE for a request above a MiB; -EBADMSG; -ENOMEM.
 */
int ockam_control_ask(struct ockam_control *control, const char *op, const char *args,
		      int timeout_ms, char **result, struct ockam_err *err);

/** ockam_control_close() - close; NULL is allowed */
void ockam_control_close(struct ockam_control *control);

#ifdef __cplusplus
}
#endif

#endif /* OCKAM_LIB_CLIENT_H */
