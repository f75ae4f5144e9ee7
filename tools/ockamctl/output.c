// SPDX-License-Identifier: Apache-2.0
/*
 * Printing of results, notes and errors.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "output.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "json_text.h"
#include "version.h"

void ctl_output_init(struct ctl_output *out, const struct ctl_args *args)
{
	const char *form = ctl_arg(args, "output");

	memset(out, 0, sizeof(*out));
	out->stdout_tty = isatty(STDOUT_FILENO);
	out->stderr_tty = isatty(STDERR_FILENO);
	out->utf8 = !out->stderr_tty || !strcmp(nl_langinfo(CODESET), "UTF-8");
	out->color = out->stderr_tty && !ctl_arg_switch(args, "no-color");
	out->quiet = ctl_arg_switch(args, "quiet");
	out->compact = ctl_arg_switch(args, "compact-output");
	out->plain = form && !strcmp(form, "plain");
	out->jq = out->plain ? NULL : ctl_arg(args, "jq");
	out->json = !out->plain &&
		    ((form && !strcmp(form, "json")) || out->jq || out->compact);
	if (ctl_arg_given(args, "pretty"))
		ctl_output_note(out, CTL_MARK_WARN, "--pretty is deprecated: JSON is pretty");
}

/*
 * One piece of standard output, and a newline: a loop over commands then
 * prints a line each, and command substitution takes it off.
 */
static int ctl_output_text(struct ctl_output *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (!out->stdout_tty)
		fputs(text, stdout);
	/* Text of a stranger must not steer the terminal. */
	for (; out->stdout_tty && *p; p++) {
		if (*p == 0x7f || (*p < 0x20 && *p != '\n' && *p != '\t'))
			putchar('?');
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			continue;	/* the first byte of a C1 control character */
		else if (p != (const unsigned char *)text && p[-1] == 0xc2 && *p < 0xa0)
			putchar('?');
		else
			putchar(*p);
	}
	putchar('\n');
	if (fflush(stdout) || ferror(stdout))
		return ctl_output_fail(out, -EIO, NULL, NULL, "Cannot write to standard output");
	return CTL_EXIT_OK;
}

static int ctl_output_json(struct ctl_output *out, struct json_object *json)
{
	struct ockam_err err;
	char *text;
	int ret;

	if (out->jq)
		ret = ctl_json_filter(json, out->jq, out->compact, &text, &err);
	else
		ret = ctl_json_text(json, out->compact, &text, &err);
	if (ret < 0)
		return ctl_output_fail_err(out, &err);
	ret = *text || !out->jq ? ctl_output_text(out, text) : CTL_EXIT_OK;
	free(text);
	return ret;
}

int ctl_output_result(struct ctl_output *out, const struct ctl_result *result)
{
	struct json_object *json = result->json ?: result->asked;

	if (out->json)
		return json ? ctl_output_json(out, json) : CTL_EXIT_OK;
	if (out->stdout_tty && result->plain)
		return ctl_output_text(out, result->plain);
	if (result->machine)
		return ctl_output_text(out, result->machine);
	if (result->json)
		return ctl_output_json(out, result->json);
	return result->plain ? ctl_output_text(out, result->plain) : CTL_EXIT_OK;
}

void ctl_output_note(struct ctl_output *out, enum ctl_mark mark, const char *fmt, ...)
{
	static const char *const marks[][2] = {
		[CTL_MARK_NONE] = { "    ", "    " },
		[CTL_MARK_DONE] = { "  \xe2\x9c\x94 ", "  + " },
		[CTL_MARK_WARN] = { "  ! ", "  ! " },
		[CTL_MARK_FAIL] = { "  \xe2\x9c\x97 ", "  x " },
		[CTL_MARK_STEP] = { "  > ", "  > " },
	};
	va_list ap;

	if (out->quiet)
		return;
	fputs(marks[mark][!out->utf8], stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static const char *ctl_output_code(int code)
{
	switch (code) {
	case -ENOENT:
		return "OCK404";
	case -EEXIST:
	case -EALREADY:
	case -EADDRINUSE:
		return "OCK409";
	case -EACCES:
	case -EPERM:
		return "OCK401";
	default:
		return "OCK500";
	}
}

/* Where an error goes: standard error, or a new text to keep back. */
static FILE *ctl_output_error_file(struct ctl_output *out, char **text, size_t *size)
{
	FILE *f = out->holding ? open_memstream(text, size) : NULL;

	if (f)
		return f;
	/* Results printed so far belong before the error on a terminal. */
	fflush(stdout);
	return stderr;
}

int ctl_output_fail(struct ctl_output *out, int code, const char *cause, const char *help,
		    const char *fmt, ...)
{
	const char *red = out->color ? "\033[31m" : "";
	const char *off = out->color ? "\033[0m" : "";
	char *text = NULL;
	size_t size = 0;
	va_list ap;
	FILE *f;

	f = ctl_output_error_file(out, &text, &size);
	fprintf(f, "    %s%s%s ", red, out->utf8 ? "\xc3\x97" : "x", off);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\n', f);
	if (cause && *cause)
		fprintf(f, "    `-> %s\n", cause);
	if (help && *help)
		fprintf(f, "    help: %s\n", help);
	fprintf(f, "\n    Error code: %s\n    version: %s\n    compiled from: %s\n",
		ctl_output_code(code), OCKAM_CTL_VERSION, OCKAM_CTL_BUILD);
	if (f != stderr) {
		fclose(f);
		free(out->held);
		out->held = text;
		out->held_code = code;
	}
	return CTL_EXIT_FAILURE;
}

void ctl_output_hold(struct ctl_output *out)
{
	out->holding = true;
}

void ctl_output_drop(struct ctl_output *out)
{
	free(out->held);
	out->held = NULL;
}

void ctl_output_release(struct ctl_output *out)
{
	out->holding = false;
	if (out->held) {
		fflush(stdout);
		fputs(out->held, stderr);
	}
	ctl_output_drop(out);
}

int ctl_output_fail_err(struct ctl_output *out, const struct ockam_err *err)
{
	return ctl_output_fail(out, err->code, NULL, NULL, "%s", err->text);
}

char *ctl_output_list(char *const *items, size_t n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	const char *p;
	size_t i;

	if (!f)
		return NULL;
	for (i = 0; i < n; i++) {
		if (i)
			fputs("\n\n", f);
		fputs("  \xe2\x94\x82 ", f);
		for (p = items[i]; *p; p++) {
			fputc(*p, f);
			if (*p == '\n')
				fputs("  \xe2\x94\x82 ", f);
		}
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
