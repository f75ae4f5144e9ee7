/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Own credentials: what this node presents on its channels, for each of its
 * identities. The worker has what was loaded last, so a new credential needs no
 * restart; and it is sent on the channels that there are.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_PRESENT_H
#define OCKAMD_PRESENT_H

#include "buf.h"
#include "err.h"
#include "loop.h"

struct ockamd_node;
struct ockamd_request;

/* credential is empty when there is none. loaded: the store has been asked. */
struct ockamd_present {
	bool			loaded;
	struct ockam_buf	credential;
	uint64_t		expires_at;	/* seconds since 1970 */
};

/*
 * list: by the number of the key. queue: channels on which a new credential is
 * still to be presented, each a number of two bytes, a length of one and a name;
 * done is how much of it has gone. timer: the worker had no room.
 */
struct ockamd_presents {
	struct ockamd_node	*node;
	struct ockamd_present	*list;	/* OCKAMD_PIPE_KEYS of them, NULL: not yet */
	struct ockam_buf	queue;
	size_t			done;
	struct ockamd_timer	timer;
};

/** ockamd_present_wanted() - does this node present credentials at all */
bool ockamd_present_wanted(const struct ockamd_node *node);

/** ockamd_present_load() - key @index is in use from now on: what is presented with it */
void ockamd_present_load(struct ockamd_node *node, size_t index);

/** ockamd_present_check() - 0, or -ENOKEY, -EKEYEXPIRED when key @index has nothing to present */
int ockamd_present_check(struct ockamd_node *node, size_t index, struct ockam_err *err);

/** ockamd_present_push() - give everything to a worker that has just started; 0 or errno */
int ockamd_present_push(struct ockamd_node *node, int fd);

/** ockamd_present_wipe() - forget all */
void ockamd_present_wipe(struct ockamd_node *node);

/* Operation of the control protocol: credentials in the store have changed. */
void ockamd_present_op_changed(struct ockamd_request *request);

#endif /* OCKAMD_PRESENT_H */
