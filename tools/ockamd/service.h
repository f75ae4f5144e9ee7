/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of a default node: echo and uppercase (wire-protocol 4.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_SERVICE_H
#define OCKAMD_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "loop.h"
#include "nl.h"

struct json_object;
struct ockamd_node;

#define OCKAMD_SERVICE_MAX	(1024 * 1024)	/* bytes of one message, as the kernel's frames */

/* echo. refused: messages of others than the authority's members. */
struct ockamd_service {
	struct ockamd_watch	watch;
	struct ockamd_node	*node;
	uint64_t		refused;
};

/** ockamd_service_start_all() - bind echo and uppercase; 0 or a negative errno */
int ockamd_service_start_all(struct ockamd_node *node, struct ockam_err *err);

/** ockamd_service_refused() - messages to echo that its authority's members alone may send */
uint64_t ockamd_service_refused(struct ockamd_node *node);

/** ockamd_service_describe() - [{addr, type}] */
struct json_object *ockamd_service_describe(void);

#endif /* OCKAMD_SERVICE_H */
