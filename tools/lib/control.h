/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control protocol between a tool and a node process: one JSON object a
 * packet on a UNIX SOCK_SEQPACKET socket.
 *
 *	request  {"v":1, "id":N, "op":"...", "args":{...}}
 *	response {"id":N, "ok":true,  "result":{...}}
 *	         {"id":N, "ok":false, "error":{"code":"...", "text":"...",
 *	                                       "route":"...", "help":"..."}}
 *
 * Routes. message.send, secure-channel.create and secure-channel.update take the
 * member "route", a MultiAddr as people type it, and "timeout_ms", a limit for all
 * that they do; the first two take "identity", for /secure/ hops on the way. The node
 * reads the route, dials, has other nodes of its home dial on and makes channels. What
 * was made belongs to the request, or to the channel that the request made, and ends
 * with it. When the route is to blame for a failure the error says so: "route" is
 * "invalid" when it names what is not there and nothing was begun, "failed" when a
 * step of it failed.
 *
 * secure-channel.create with "keep": true makes a channel that outlives what was made
 * for its route: that is made again, from its text, until the channel can go on.
 *
 * A node asks another one by tcp-connection.bridge: dial "to" and join the new
 * connection with the one from "inbound" to "listener". "user" is the user id that
 * the asking node acts for; the other node admits him as if he had connected himself.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_CONTROL_H
#define OCKAM_LIB_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#include "client.h"
#include "home.h"
#include "value.h"

#define OCKAM_CONTROL_VERSION	1
#define OCKAM_CONTROL_MAX	(1024 * 1024)	/* bytes of one packet */

/*
 * Why a request failed. Text on the wire, and the errno that a client gets:
 *	not-found	-ENOENT		exists		-EEXIST
 *	refused		-ECONNREFUSED	timeout		-ETIMEDOUT
 *	invalid		-EINVAL		internal	-EIO
 *	unreachable	-EHOSTUNREACH	denied		-EACCES
 *	busy		-EBUSY
 */
enum ockam_control_code {
	OCKAM_CONTROL_NOT_FOUND,
	OCKAM_CONTROL_EXISTS,
	OCKAM_CONTROL_REFUSED,
	OCKAM_CONTROL_TIMEOUT,
	OCKAM_CONTROL_INVALID,
	OCKAM_CONTROL_INTERNAL,
	OCKAM_CONTROL_UNREACHABLE,
	OCKAM_CONTROL_DENIED,
	OCKAM_CONTROL_BUSY,
	__OCKAM_CONTROL_MAX
};

/** ockam_control_code_name() - text on the wire */
const char *ockam_control_code_name(enum ockam_control_code code);

/** ockam_control_code_from_errno() - the code that fits a negative errno best */
enum ockam_control_code ockam_control_code_from_errno(int error);

/* ---- client ------------------------------------------------------------ */

/**
 * ockam_control_call() - one request and its answer
 * @control: the connection
 * @op: operation, as "node.info"
 * @args: map, borrowed; NULL sends an empty one
 * @timeout_ms: how long to wait for the answer; negative waits for ever
 * @result: receives a reference that the caller puts. On success the result;
 *	on failure the "error" map when the node answered, else NULL. NULL
 *	pointer: not wanted.
 * @err: on failure the sentence (the error's text, cut to fit)
 *
 * Return: 0; the errno of the error's code (see enum ockam_control_code);
 * -ETIMEDOUT when no answer came in time; -ECONNRESET when the node process
 * went away; -EMSGSIZE for a request above OCKAM_CONTROL_MAX; -EBADMSG for an
 * answer that does not decode; -ENOMEM.
 */
int ockam_control_call(struct ockam_control *control, const char *op, struct json_object *args,
		       int timeout_ms, struct json_object **result, struct ockam_err *err);

/** ockam_control_request() - append the packet of a request; 0, -EMSGSIZE, -ENOMEM */
int ockam_control_request(int64_t id, const char *op, struct json_object *args,
			  struct ockam_buf *out, struct ockam_err *err);

/**
 * ockam_control_result() - take an answer apart
 * @answer: the packet, decoded; its reference is taken over
 * @result: as for ockam_control_call()
 * @err: likewise
 *
 * Return: 0 or the errno of the error's code.
 */
int ockam_control_result(struct json_object *answer, struct json_object **result,
			 struct ockam_err *err);

/** ockam_control_find() - control socket of a node of @home; 0 or a negative errno */
int ockam_control_find(const struct ockam_home *home, const char *node,
		       char path[OCKAM_CONTROL_PATH], struct ockam_err *err);

/** ockam_control_peer_pid() - the process that listens there, 0 when the caller cannot see it */
pid_t ockam_control_peer_pid(const struct ockam_control *control);

/** ockam_control_peer_lives() - has the node process not gone since the connection was made */
bool ockam_control_peer_lives(const struct ockam_control *control);

/* ---- server ------------------------------------------------------------ */

/* A request that was taken apart. Free with ockam_control_request_free(). */
struct ockam_control_request {
	int64_t			id;
	char			op[64];
	struct json_object	*args;	/* a map, never NULL on success */
};

/**
 * ockam_control_listen() - listening socket of a node process
 * @path: where; the directory is made (0700) when missing, a left-over socket
 *	nobody listens on is replaced
 * @err: the reason
 *
 * Return: descriptor (non-blocking, close-on-exec); -EADDRINUSE when another
 * process listens there; another negative errno.
 */
int ockam_control_listen(const char *path, struct ockam_err *err);

/**
 * ockam_control_user_allowed() - may this user ask this process: the same user, or root
 *
 * The one rule, for who connects and for who is said to be behind a request.
 */
bool ockam_control_user_allowed(uid_t user);

/**
 * ockam_control_peer() - who is at the other end: of an accepted connection the user
 * who has connected, of the other side the one who listens
 *
 * Return: 0, or -EACCES when that user is not admitted.
 */
int ockam_control_peer(int fd, uid_t *user);

/**
 * ockam_control_parse() - take a request apart
 * @bytes: one packet of a stranger
 * @len: its length in bytes
 * @request: receives the parts
 * @err: the reason
 *
 * Return: 0; -EPROTONOSUPPORT for another version (id is set: answer it);
 * -EBADMSG for garbage (close the connection); -ENOMEM.
 */
int ockam_control_parse(const uint8_t *bytes, size_t len, struct ockam_control_request *request,
			struct ockam_err *err);

/** ockam_control_request_free() - free what @request holds */
void ockam_control_request_free(struct ockam_control_request *request);

/**
 * ockam_control_reply() - encode a positive answer
 * @id: of the request
 * @result: map, borrowed; NULL sends an empty one
 * @out: the packet is appended
 *
 * Return: 0; -EMSGSIZE above OCKAM_CONTROL_MAX; -ENOMEM; -EINVAL.
 */
int ockam_control_reply(int64_t id, struct json_object *result, struct ockam_buf *out);

/**
 * ockam_control_refuse() - encode a negative answer
 * @id: of the request
 * @code: kind of failure
 * @text: sentence
 * @route: "invalid" or "failed" when the request's route is to blame, or NULL
 * @help: what to do, or NULL
 * @out: the packet is appended
 *
 * Return: 0 or -ENOMEM.
 */
int ockam_control_refuse(int64_t id, enum ockam_control_code code, const char *text,
			 const char *route, const char *help, struct ockam_buf *out);

#endif /* OCKAM_LIB_CONTROL_H */
