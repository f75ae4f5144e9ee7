/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lone dash in a route stands for the first line of standard input (cli 1.9).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_STDIN_ROUTE_H
#define OCKAM_CTL_STDIN_ROUTE_H

struct ctl;

/**
 * ctl_stdin_route() - put standard input in the place of a dash
 * @ctl: remembers the line: several routes of one command share it
 * @text: a route as given
 * @route: receives text to free
 *
 * Reads standard input only when @text has a segment that is a lone dash.
 *
 * Return: CTL_EXIT_OK; CTL_EXIT_FAILURE (reported) when standard input ends
 * without a line or the line is no route: the command before it in the pipe
 * has failed, and going on would send to somewhere else.
 */
int ctl_stdin_route(struct ctl *ctl, const char *text, char **route);

#endif /* OCKAM_CTL_STDIN_ROUTE_H */
