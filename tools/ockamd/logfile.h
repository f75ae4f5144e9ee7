/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log file of a node in the background: one a day, and never more than so
 * much. Strangers decide how many lines there are.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LOGFILE_H
#define OCKAMD_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>

#define OCKAMD_LOGFILE_MB	100	/* of one file, unless $OCKAM_LOG_MAX_SIZE_MB */
#define OCKAMD_LOGFILE_FILES	60	/* of one node, unless $OCKAM_LOG_MAX_FILES */

/**
 * ockamd_logfile_start() - keep a log within bounds from now on
 * @fd: what lines are written to
 *
 * Only if that is a file "stdout.<date>.log", as ockamctl makes it: whatever else
 * it is belongs to who started the node.
 */
void ockamd_logfile_start(int fd);

/**
 * ockamd_logfile_admit() - may a line be written
 * @len: its bytes
 *
 * On a new day, and when the file is full, another one is behind the descriptor
 * afterwards. The name of a full one ends in ".1"; it takes the place of the one
 * before. Safe from every thread.
 *
 * Return: false when the file is full and cannot be put aside.
 */
bool ockamd_logfile_admit(size_t len);

#endif /* OCKAMD_LOGFILE_H */
