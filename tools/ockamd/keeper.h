/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: a process that stays in the namespaces of whoever started the
 * node, with the capabilities that the node process gives up. It is forked before
 * anything else and does six small things on request:
 *
 *  - a TCP socket of the caller's network namespace: a socket belongs, for ever,
 *    to the namespace that it was made in;
 *  - start one of the processes that hold what strangers send;
 *  - room in a control socket for long answers;
 *  - a connection to the control socket of another node of the home, by its name;
 *  - take away the pin of the node's namespace.
 *
 * It reads requests of fixed size from the node process alone, and treats them as
 * a stranger's. It ends with the node process.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_KEEPER_H
#define OCKAMD_KEEPER_H

#include <sys/types.h>

#include "err.h"
#include "home.h"
#include "life.h"

#define OCKAMD_KEEPER_TEXT	280	/* bytes of a request's text, the end included */
#define OCKAMD_KEEPER_FD	3	/* of what is given to a process that it starts */

enum ockamd_keeper_role {
	OCKAMD_KEEPER_WORKER,		/* in the node's network namespace */
	OCKAMD_KEEPER_UPPERCASE,	/* the same */
	OCKAMD_KEEPER_LOOKUP,		/* in the caller's; the text is the host */
	__OCKAMD_KEEPER_ROLES
};

/**
 * ockamd_keeper_start() - fork the keeper
 *
 * @home: of the node
 *
 * Called before this process has a secret, a thread or a namespace of its own.
 *
 * Return: descriptor for the calls below, or a negative errno.
 */
int ockamd_keeper_start(const struct ockam_home *home, struct ockam_err *err);

/** ockamd_keeper_socket() - TCP socket of the caller's namespace; @family: AF_INET, AF_INET6 */
int ockamd_keeper_socket(int keeper, int family);

/**
 * ockamd_keeper_spawn() - start a process, a child of this one
 * @role: what it is to be
 * @fd: what it gets as OCKAMD_KEEPER_FD; closed in every case
 * @text: for the role; NULL: none
 *
 * Return: its process id, or a negative errno.
 */
pid_t ockamd_keeper_spawn(int keeper, enum ockamd_keeper_role role, int fd, const char *text);

/** ockamd_keeper_make_room() - let a control socket take the longest answer */
void ockamd_keeper_make_room(int keeper, int fd);

/**
 * ockamd_keeper_sibling() - connect to the control socket of node @name
 *
 * Return: the socket, which does not block; -EAGAIN while that node has too many
 * clients; -EACCES when another user listens there; another negative errno.
 */
int ockamd_keeper_sibling(int keeper, const char *name);

/** ockamd_keeper_unpin() - ockam_sweep_unpin() of the node's pin; 0 or a negative errno */
int ockamd_keeper_unpin(int keeper, const struct ockam_pin *pin);

#endif /* OCKAMD_KEEPER_H */
