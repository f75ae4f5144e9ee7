/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standing in for a program that runs as a child: signals go on to it, it has the
 * terminal, and its end is ours.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_FOLLOW_H
#define OCKAM_CTL_FOLLOW_H

#include <signal.h>
#include <sys/types.h>

#include "err.h"

#define CTL_FOLLOW_SIGNAL	128	/* and its number: ended by a signal */

/** ctl_follow_prepare() - before the child is made: signals wait; it restores @before */
void ctl_follow_prepare(sigset_t *before);

/**
 * ctl_follow() - wait for the child, which is in the process group of this process
 *
 * Signals that others send are passed on. Those that a terminal sends the child gets
 * itself. When it stops this process stops, and continues it when it is continued.
 *
 * Return: its exit status, or CTL_FOLLOW_SIGNAL and the number of a signal.
 */
int ctl_follow(pid_t child);

#endif /* OCKAM_CTL_FOLLOW_H */
