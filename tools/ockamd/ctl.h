/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control server: clients, their requests, the table of operations.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_CTL_H
#define OCKAMD_CTL_H

#include "control.h"
#include "loop.h"

#define OCKAMD_CTL_CLIENTS	128	/* connections at once */
#define OCKAMD_CTL_REQUESTS	64	/* unfinished requests of one connection */
#define OCKAMD_CTL_UNSENT	(4 * OCKAM_CONTROL_MAX)	/* bytes a slow client may leave */

struct ockamd_client;
struct ockamd_node;

/*
 * A request under way. A handler answers it, now or later, with exactly one
 * of ockamd_ctl_reply(), ockamd_ctl_fail(), ockamd_ctl_error(), which free it.
 * A handler that answers later sets cancel (and state): when the client goes
 * away first, cancel() frees the state and the request is freed behind it.
 * route: made for the request; it ends with that unless the handler hands it on.
 */
struct ockamd_request {
	LIST_ENTRY(ockamd_request)	link;
	struct ockamd_node		*node;
	struct ockamd_client		*client;
	struct ockam_control_request	parts;
	void				(*cancel)(struct ockamd_request *request);
	void				*state;
	struct ockamd_route		*route;
	void				(*then)(struct ockamd_request *request);
	int64_t				deadline;	/* 0: none */
	void				(*handler)(struct ockamd_request *request);
	struct ockamd_timer		again;	/* the database was locked */
	int64_t				give_up;	/* then, 0: it was not */
};

struct ockamd_ctl {
	struct ockamd_watch			watch;
	struct ockamd_node			*node;
	LIST_HEAD(, ockamd_client)		clients;
	unsigned int				n_clients;
	struct ockamd_request			*dispatched;	/* whose handler runs now */
	struct ockamd_timer			pause;	/* out of descriptors: try again then */
};

/** ockamd_ctl_start() - listen at @path; 0 or a negative errno */
int ockamd_ctl_start(struct ockamd_node *node, const char *path, struct ockam_err *err);

/** ockamd_ctl_stop() - no more clients; answers on their way are still sent where possible */
void ockamd_ctl_stop(struct ockamd_node *node);

/** ockamd_ctl_reply() - done; @result (a map or array, or NULL for {}) is put */
void ockamd_ctl_reply(struct ockamd_request *request, struct json_object *result);

/** ockamd_ctl_fail() - refused, as ockam_control_refuse() says it */
void ockamd_ctl_fail(struct ockamd_request *request, enum ockam_control_code code,
		     const char *text, const char *route, const char *help);

/** ockamd_ctl_go_on() - the rest of a handler that had to wait */
void ockamd_ctl_go_on(struct ockamd_request *request,
		      void (*handler)(struct ockamd_request *request));

/** ockamd_ctl_user() - who has connected */
uid_t ockamd_ctl_user(const struct ockamd_request *request);

/**
 * ockamd_ctl_reply_list() - done, with as much of a list as fits one answer
 * @list: all of it, taken over; the client asks again with how many it has
 */
void ockamd_ctl_reply_list(struct ockamd_request *request, struct json_object *list);

/** ockamd_ctl_skip() - how many entries of a list the client has already */
size_t ockamd_ctl_skip(const struct ockamd_request *request);

/**
 * ockamd_ctl_error() - refused, code chosen from @err->code
 *
 * A handler that could not write, because another process has locked the database,
 * is called again for some seconds, unless it has answered later than at once:
 * it must have undone what it did. So is what ockamd_ctl_go_on() was given.
 */
void ockamd_ctl_error(struct ockamd_request *request, const struct ockam_err *err);

/** ockamd_ctl_blame() - the same with @route and @help of ockamd_ctl_fail() */
void ockamd_ctl_blame(struct ockamd_request *request, const struct ockam_err *err,
		      const char *route, const char *help);

#endif /* OCKAMD_CTL_H */
