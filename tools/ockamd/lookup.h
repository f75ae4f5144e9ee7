/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups of host names. Each is a process of its own, in the namespaces of
 * whoever started the node and without any privilege: what a name service
 * answers, and which libraries it takes, is not for the node process. Who wants a
 * name that is being looked up waits for the same process; it is ended when nobody
 * waits any more. A slow name holds up nobody else.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LOOKUP_H
#define OCKAMD_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "err.h"
#include "loop.h"

#define OCKAMD_LOOKUP_MAX	64	/* names being looked up */
#define OCKAMD_LOOKUP_ADDRESSES	16	/* of one host; others are left out */

struct ockamd_lookup;
struct ockamd_lookup_process;
LIST_HEAD(ockamd_lookup_processes, ockamd_lookup_process);

/* One for the node. */
struct ockamd_lookups {
	struct ockamd_loop		*loop;
	int				keeper;
	unsigned int			count;	/* processes that have not ended */
	struct ockamd_lookup_processes	processes;
};

/* IPv4 and IPv6, without ports. */
struct ockamd_found {
	size_t			n;
	struct sockaddr_storage	list[OCKAMD_LOOKUP_ADDRESSES];
};

/** ockamd_lookup_fn() - @found, or NULL and the reason; called once, from the loop */
typedef void (*ockamd_lookup_fn)(void *arg, const struct ockamd_found *found,
				 const struct ockam_err *err);

/** ockamd_lookup_numeric() - is @host an address? Then it is what was found */
bool ockamd_lookup_numeric(const char *host, struct ockamd_found *found);

/**
 * ockamd_lookup_start() - look up a name
 * @timeout_ms: limit of time
 * @lookup: receives the look-up, valid until @fn is called or it is cancelled
 *
 * Return: 0; -EBUSY with too many under way; another negative errno.
 */
int ockamd_lookup_start(struct ockamd_lookups *lookups, const char *host, int timeout_ms,
			ockamd_lookup_fn fn, void *arg, struct ockamd_lookup **lookup,
			struct ockam_err *err);

/** ockamd_lookup_cancel() - do not wait any more; @fn is not called */
void ockamd_lookup_cancel(struct ockamd_lookup *lookup);

/** ockamd_lookup_wait() - look up a name and wait, before the loop runs; 0 or a negative errno */
int ockamd_lookup_wait(struct ockamd_lookups *lookups, const char *host, int timeout_ms,
		       struct ockamd_found *found, struct ockam_err *err);

/** ockamd_lookup_run() - the process; returns its exit status */
int ockamd_lookup_run(const char *host);

#endif /* OCKAMD_LOOKUP_H */
