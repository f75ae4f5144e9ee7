/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes that hold strangers' bytes give up: the handshake worker, and
 * the one of the service uppercase. Whoever takes one of them over has what is
 * open in it and nothing else: no file, no new socket, no new process, no
 * capability, no user.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_SANDBOX_H
#define OCKAMD_SANDBOX_H

#include "err.h"

/** ockamd_sandbox_prepare() - no new privileges, no core dumps, no swap, no files */
int ockamd_sandbox_prepare(struct ockam_err *err);

/**
 * ockamd_sandbox_enter() - when all is open: no root, no capabilities, few system calls
 *
 * Standard input, output and error are closed as well.
 */
int ockamd_sandbox_enter(struct ockam_err *err);

#endif /* OCKAMD_SANDBOX_H */
