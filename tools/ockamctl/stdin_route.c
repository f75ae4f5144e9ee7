// SPDX-License-Identifier: Apache-2.0
/*
 * Routes that come through a pipe.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "stdin_route.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "multiaddr.h"

/* Start of the segment that is "-", or NULL. */
static const char *ctl_stdin_find_dash(const char *text)
{
	const char *p;

	for (p = text; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (p[0] == '-' && (!p[1] || p[1] == '/'))
			return p;
	}
	return NULL;
}

/* The first line of standard input, trimmed; "" when there is none. */
static char *ctl_stdin_read_line(void)
{
	char *line = NULL, *start;
	size_t size = 0;
	ssize_t len;

	len = getline(&line, &size, stdin);
	if (len < 0) {
		free(line);
		return strdup("");
	}
	while (len && isspace((unsigned char)line[len - 1]))
		line[--len] = '\0';
	start = line + strspn(line, " \t\r");
	memmove(line, start, strlen(start) + 1);
	return line;
}

static int ctl_stdin_check(struct ctl *ctl, const char *line)
{
	struct ockam_multiaddr *addr;
	struct ockam_err err = { };

	addr = calloc(1, sizeof(*addr));
	if (addr && *line == '/' && !ockam_multiaddr_parse(addr, line, &err)) {
		free(addr);
		return CTL_EXIT_OK;
	}
	free(addr);
	if (!*line)
		return ctl_output_fail(&ctl->out, -EINVAL, NULL,
				       "look at the error of the first command; nothing was sent",
				       "Standard input is empty: the command before this one in the pipe produced no route");
	return ctl_output_fail(&ctl->out, -EINVAL, err.text[0] ? err.text : "it does not start with /",
			       "look at the error of the first command; nothing was sent",
			       "Standard input is not a route ('%s'): the command before this one in the pipe produced no route",
			       line);
}

int ctl_stdin_route(struct ctl *ctl, const char *text, char **route)
{
	const char *dash = ctl_stdin_find_dash(text);
	int prefix;
	int ret;

	*route = NULL;
	if (!dash) {
		*route = strdup(text);
		goto out;
	}
	if (!ctl->stdin_line) {
		ctl->stdin_line = ctl_stdin_read_line();
		if (!ctl->stdin_line)
			goto out;
	}
	ret = ctl_stdin_check(ctl, ctl->stdin_line);
	if (ret)
		return ret;
	/* The line brings its own slash: take away the one before the dash. */
	prefix = dash - text;
	if (prefix && text[prefix - 1] == '/')
		prefix--;
	if (asprintf(route, "%.*s%s%s", prefix, text, ctl->stdin_line, dash + 1) < 0)
		*route = NULL;
out:
	if (!*route)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	return CTL_EXIT_OK;
}
