// SPDX-License-Identifier: Apache-2.0
/*
 * Log lines.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "log.h"
#include "logfile.h"

#define OCKAMD_LOG_RATE	1000	/* lines a second */

static const char * const ockamd_log_names[] = {
	"off", "error", "warn", "info", "debug", "trace",
};

/* Written before the first thread starts. */
static struct {
	enum ockamd_level	level;
	bool			json;
	void			(*sink)(enum ockamd_level level, const char *text);
} ockamd_log_state;

void ockamd_log_init(enum ockamd_level otherwise)
{
	const char *format = getenv("OCKAM_LOG_FORMAT");
	const char *name = getenv("OCKAM_LOG_LEVEL");
	unsigned int i;

	ockamd_log_state.level = otherwise;
	ockamd_log_state.json = format && !strcasecmp(format, "json");
	for (i = 0; name && i <= OCKAMD_TRACE; i++) {
		if (!strcasecmp(name, ockamd_log_names[i]))
			ockamd_log_state.level = (enum ockamd_level)i;
	}
}

enum ockamd_level ockamd_log_level(void)
{
	return ockamd_log_state.level;
}

void ockamd_log_set_level(enum ockamd_level level)
{
	ockamd_log_state.level = level;
}

void ockamd_log_set_sink(void (*sink)(enum ockamd_level level, const char *text))
{
	ockamd_log_state.sink = sink;
}

/* Quotes and backslashes are the only ones left to escape: no control characters. */
static void ockamd_log_escape(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text && used + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[used++] = '\\';
		out[used++] = *text;
	}
	out[used] = '\0';
}

/*
 * Strangers cause lines (connections, handshakes), so their number is bounded.
 * Threads may lose count of each other; the bound is rough.
 */
static bool ockamd_log_admit(time_t now, unsigned int *dropped)
{
	static struct {
		atomic_uint	lines, missed;
		atomic_llong	second;
	} seen;

	*dropped = 0;
	if (atomic_exchange(&seen.second, (long long)now) != now) {
		atomic_store(&seen.lines, 0);
		*dropped = atomic_exchange(&seen.missed, 0);
	}
	if (atomic_fetch_add(&seen.lines, 1) < OCKAMD_LOG_RATE)
		return true;
	atomic_fetch_add(&seen.missed, 1);
	return false;
}

static void ockamd_log_write(enum ockamd_level level, const char *text)
{
	char line[2 * OCKAMD_LOG_TEXT + 128];
	char escaped[2 * OCKAMD_LOG_TEXT];
	struct timespec now;
	struct tm utc;
	char when[32];
	int len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
	if (ockamd_log_state.json) {
		ockamd_log_escape(text, escaped, sizeof(escaped));
		len = snprintf(line, sizeof(line),
			       "{\"timestamp\":\"%s.%03ldZ\",\"level\":\"%s\",\"message\":\"%s\"}\n",
			       when, now.tv_nsec / 1000000, ockamd_log_names[level], escaped);
	} else {
		len = snprintf(line, sizeof(line), "%s.%03ldZ %-5s %s\n", when,
			       now.tv_nsec / 1000000, ockamd_log_names[level], text);
	}
	if (!ockamd_logfile_admit((size_t)len))
		return;
	/* One write a line keeps lines of different threads apart. */
	if (write(STDOUT_FILENO, line, (size_t)len) < 0)
		return;
}

void ockamd_log(enum ockamd_level level, const char *fmt, ...)
{
	char text[OCKAMD_LOG_TEXT];
	unsigned int dropped;
	int saved = errno;
	char note[80];
	va_list args;

	if (level > ockamd_log_state.level)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ockam_err_clean(text);
	if (ockamd_log_state.sink) {
		ockamd_log_state.sink(level, text);
	} else if (ockamd_log_admit(time(NULL), &dropped)) {
		if (dropped) {
			snprintf(note, sizeof(note), "%u lines of the last second are missing here",
				 dropped);
			ockamd_log_write(OCKAMD_WARN, note);
		}
		ockamd_log_write(level, text);
	}
	errno = saved;
}
