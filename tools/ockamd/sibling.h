/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to another node process of this home, from the event loop. The keeper
 * connects: this process has no way to any socket but those of the home's nodes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_SIBLING_H
#define OCKAMD_SIBLING_H

#include <sys/types.h>

#include "err.h"

struct json_object;
struct ockamd_node;
struct ockamd_sibling;

/** ockamd_sibling_fn() - @result, borrowed, or NULL and the reason; called once, from the loop */
typedef void (*ockamd_sibling_fn)(void *arg, struct json_object *result,
				  const struct ockam_err *err);

/**
 * ockamd_sibling_ask() - ask a node what somebody wants of it
 * @name: the node
 * @user: who wants it: that node admits him, or refuses
 * @op: operation of the control protocol
 * @args: its arguments, "user" and "timeout_ms" are added; the reference is taken over
 * @timeout_ms: limit of time
 * @sibling: receives the question, valid until @fn is called or it is cancelled
 *
 * Return: 0 or a negative errno.
 */
int ockamd_sibling_ask(struct ockamd_node *node, const char *name, uid_t user, const char *op,
		       struct json_object *args, int timeout_ms, ockamd_sibling_fn fn, void *arg,
		       struct ockamd_sibling **sibling, struct ockam_err *err);

/** ockamd_sibling_cancel() - hang up, so that it is undone there; @fn is not called */
void ockamd_sibling_cancel(struct ockamd_sibling *sibling);

#endif /* OCKAMD_SIBLING_H */
