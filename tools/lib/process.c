// SPDX-License-Identifier: Apache-2.0
/*
 * Telling a process from a later one with the same number.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "life.h"

/* State letter and start time from /proc/<pid>/stat. */
static bool ockam_process_read(pid_t pid, char *state, uint64_t *start)
{
	char path[32], text[1024];
	const char *pos;
	ssize_t len;
	int fd;

	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	/* The command in parentheses may hold anything, even ") ". */
	pos = strrchr(text, ')');
	if (!pos || pos[1] != ' ' || !pos[2])
		return false;
	*state = pos[2];
	pos += 2;
	/* State is field 3, the start time field 22. */
	for (int field = 3; field < 22; field++) {
		pos = strchr(pos, ' ');
		if (!pos)
			return false;
		pos++;
	}
	*start = strtoull(pos, NULL, 10);
	return true;
}

uint64_t ockam_process_start(pid_t pid)
{
	uint64_t start;
	char state;

	return ockam_process_read(pid, &state, &start) ? start : 0;
}

enum ockam_process_state ockam_process_state(pid_t pid, uint64_t start)
{
	uint64_t now;
	char state;

	if (!ockam_process_read(pid, &state, &now) || now != start)
		return OCKAM_PROCESS_GONE;
	return state == 'Z' || state == 'X' || state == 'x' ? OCKAM_PROCESS_ZOMBIE :
							      OCKAM_PROCESS_RUNNING;
}
