/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command prints: its result on standard output in one of three forms,
 * everything else on standard error (cli 1.2, 1.4).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_OUTPUT_H
#define OCKAM_CTL_OUTPUT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "err.h"

enum ctl_exit {
	CTL_EXIT_OK = 0,
	CTL_EXIT_USAGE = 64,
	CTL_EXIT_FAILURE = 70,
};

/* How this run prints; filled by ctl_output_init(). */
struct ctl_output {
	bool		stdout_tty;
	bool		stderr_tty;
	bool		utf8;		/* the terminal takes UTF-8 */
	bool		color;
	bool		quiet;		/* only results and the final error */
	bool		compact;
	bool		json;		/* --output json, --jq, --compact-output */
	bool		plain;		/* --output plain */
	const char	*jq;		/* filter or NULL */

	/* Between ctl_output_hold() and _release(): the final error is kept. */
	bool		holding;
	char		*held;		/* its text, NULL: none */
	int		held_code;	/* its negative errno */
};

/*
 * One result. Any form may be absent (NULL); the table of cli 1.2 picks one of
 * those that are there. All borrowed.
 */
struct ctl_result {
	const char		*plain;
	const char		*machine;
	struct json_object	*json;
	struct json_object	*asked;	/* JSON where scripts see the plain form unless they ask */
};

struct ctl_args;

void ctl_output_init(struct ctl_output *out, const struct ctl_args *args);

/**
 * ctl_output_result() - print one result of a command
 *
 * Return: CTL_EXIT_OK; CTL_EXIT_FAILURE when the jq filter is invalid or
 * standard output cannot be written (reported already).
 */
int ctl_output_result(struct ctl_output *out, const struct ctl_result *result);

/*
 * Lines on standard error, nothing under --quiet. Marks: done, warning,
 * failure, step, and four spaces.
 */
enum ctl_mark { CTL_MARK_NONE, CTL_MARK_DONE, CTL_MARK_WARN, CTL_MARK_FAIL, CTL_MARK_STEP };
void ctl_output_note(struct ctl_output *out, enum ctl_mark mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * ctl_output_fail() - the final error of a failing command
 * @out: how to print
 * @code: negative errno; picks the "Error code" line (OCK404, OCK409, ...)
 * @cause: sentence below the message, or NULL
 * @help: what to do, or NULL
 * @fmt: the message
 *
 * Return: CTL_EXIT_FAILURE, so that "return ctl_output_fail(...)" works.
 */
int ctl_output_fail(struct ctl_output *out, int code, const char *cause, const char *help,
		    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** ctl_output_fail_err() - the same for an error of libockam */
int ctl_output_fail_err(struct ctl_output *out, const struct ockam_err *err);

/** ctl_output_hold() - keep the next error back: the command may be tried again */
void ctl_output_hold(struct ctl_output *out);
/** ctl_output_release() - print the error kept back, if any */
void ctl_output_release(struct ctl_output *out);
/** ctl_output_drop() - forget it; errors are kept back further on */
void ctl_output_drop(struct ctl_output *out);

/**
 * ctl_output_list() - plain form of a list: paragraphs behind a bar, no
 * newline at the end
 * @items: one string an item, lines separated by newlines
 * Return: text to free, NULL without memory.
 */
char *ctl_output_list(char *const *items, size_t n);

#endif /* OCKAM_CTL_OUTPUT_H */
