// SPDX-License-Identifier: Apache-2.0
/*
 * What every command needs: home, database, values of flags, confirmation.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "ctl.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int ctl_store(struct ctl *ctl, bool create)
{
	struct ockam_err err;
	int ret;

	if (ctl->store)
		return CTL_EXIT_OK;
	ret = ockam_store_open(&ctl->home, create ? OCKAM_STORE_CREATE : 0, &ctl->store, &err);
	if (ret == -ENOENT && !create)
		return CTL_EXIT_OK;
	return ret < 0 ? ctl_output_fail_err(&ctl->out, &err) : CTL_EXIT_OK;
}

static const char *ctl_strip(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text && !strncmp(text, prefix, len) ? text + len : text;
}

const char *ctl_strip_node(const char *text)
{
	return ctl_strip(text, "/node/");
}

const char *ctl_strip_service(const char *text)
{
	return ctl_strip(text, "/service/");
}

int64_t ctl_duration_ms(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 },
		{ "m", 60 * 1000 }, { "h", 3600 * 1000 }, { "d", 86400 * 1000 },
	};
	int64_t n = 0;
	size_t i;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		n = n * 10 + (*text - '0');
		/* A bound on what is multiplied below: a thousand years of days. */
		if (n > 400LL * 1000 * 1000)
			return -EINVAL;
	}
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(text, units[i].unit))
			return n * units[i].ms;
	}
	return -EINVAL;
}

int ctl_check_duration(const char *value, struct ockam_err *why)
{
	int64_t ms = ctl_duration_ms(value);

	if (ms >= 0 && ms <= CTL_DURATION_MAX_MS)
		return 0;
	if (ms >= 0)
		return ockam_err_set(why, -EINVAL, "expected at most 1d");
	return ockam_err_set(why, -EINVAL, "expected a number of seconds, or a number and ms, s, m, h or d");
}

void ctl_time_text(uint64_t seconds, char text[CTL_TIME_TEXT])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (seconds < 8000ULL * 365 * 86400 && gmtime_r(&when, &tm) &&
	    strftime(text, CTL_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	snprintf(text, CTL_TIME_TEXT, "%llu", (unsigned long long)seconds);
}

int ctl_arg_ms(const struct ctl_args *args, const char *name)
{
	const char *text = ctl_arg(args, name);
	int64_t ms = text ? ctl_duration_ms(text) : 0;

	return ms < 1 ? 1 : (int)ms;
}

static int64_t ctl_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ctl_arg_deadline(const struct ctl_args *args, const char *name)
{
	return ctl_now_ms() + ctl_arg_ms(args, name);
}

int ctl_left_ms(int64_t deadline)
{
	int64_t left = deadline - ctl_now_ms();

	return left < 1 ? 1 : (int)left;
}

int ctl_check_identifier(const char *value, struct ockam_err *why)
{
	uint8_t id[OCKAM_IDENTIFIER_LEN];

	return ockam_identifier_parse(value, id, why);
}

int ctl_check_socket_address(const char *value, struct ockam_err *why)
{
	char text[OCKAM_SOCKET_TEXT];

	return ctl_socket_address(value, text, why);
}

int ctl_check_port(const char *value, struct ockam_err *why)
{
	char text[OCKAM_SOCKET_TEXT];

	if (value[strspn(value, "0123456789")])
		return ockam_err_set(why, -EINVAL, "expected a port");
	return ctl_socket_address(value, text, why);
}

int ctl_check_hex(const char *value, struct ockam_err *why)
{
	size_t len = strlen(value);

	if (len % 2 || value[strspn(value, "0123456789abcdefABCDEF")])
		return ockam_err_set(why, -EINVAL, "expected an even number of hex digits");
	return 0;
}

int ctl_socket_address(const char *text, char *out, struct ockam_err *err)
{
	static const char *const schemes[] = { "tcp://", "udp://", "tls://" };
	const char *port, *colon;
	unsigned long number;
	int host_len;
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		text = ctl_strip(text, schemes[i]);
	colon = strrchr(text, ':');
	port = colon ? colon + 1 : text;
	host_len = colon ? (int)(colon - text) : 0;
	if (memchr(text, '/', host_len) || memchr(text, ' ', host_len) ||
	    (*text != '[' && memchr(text, ':', host_len)))
		return ockam_err_set(err, -EINVAL, "expected host:port, [IPv6 address]:port, :port or port");
	if (!*port || port[strspn(port, "0123456789")] || strlen(port) > 5)
		return ockam_err_set(err, -EINVAL, "expected host:port, :port or port");
	number = strtoul(port, NULL, 10);
	if (number > 65535)
		return ockam_err_set(err, -EINVAL, "a port is at most 65535");
	if ((size_t)snprintf(out, OCKAM_SOCKET_TEXT, "%.*s:%lu", host_len ? host_len : 9,
			     host_len ? text : "127.0.0.1", number) >= OCKAM_SOCKET_TEXT)
		return ockam_err_set(err, -EINVAL, "the host name is too long");
	return 0;
}

bool ctl_can_prompt(const struct ctl *ctl, const struct ctl_args *args)
{
	return ctl->out.stderr_tty && isatty(STDIN_FILENO) && !ctl->out.quiet &&
	       !ctl_arg_switch(args, "no-input");
}

int ctl_select(struct ctl *ctl, const struct ctl_args *args, const char *what,
	       const char *(*name)(const void *list, size_t i), const void *list, size_t n)
{
	char answer[OCKAM_NAME_SIZE];
	unsigned long number;
	size_t i;

	if (!n || !ctl_can_prompt(ctl, args))
		return -1;
	fprintf(stderr, "%s\n", what);
	for (i = 0; i < n; i++)
		fprintf(stderr, "  %zu) %s\n", i + 1, name(list, i));
	fprintf(stderr, "Number or name (nothing: none): ");
	if (!fgets(answer, sizeof(answer), stdin))
		return (int)n;
	answer[strcspn(answer, "\n")] = '\0';
	for (i = 0; i < n; i++) {
		if (!strcmp(answer, name(list, i)))
			return (int)i;
	}
	number = strtoul(answer, NULL, 10);
	return number >= 1 && number <= n ? (int)(number - 1) : (int)n;
}

int ctl_delete_unnamed(struct ctl *ctl, const struct ctl_args *args, const char *kind)
{
	if (ctl_arg_switch(args, "yes"))
		return ctl_output_fail(&ctl->out, -EINVAL, NULL, "give its name, or --all",
				       "Nothing was deleted: which %s?", kind);
	ctl_output_note(&ctl->out, CTL_MARK_NONE,
			"Nothing was deleted: give the name of a %s, or --all", kind);
	return CTL_EXIT_OK;
}

bool ctl_confirm_delete(struct ctl *ctl, const struct ctl_args *args, const char *kind,
			const char *kinds, size_t n)
{
	char question[128];

	if (!ctl_arg_switch(args, "all"))
		snprintf(question, sizeof(question), "Are you sure you want to proceed?");
	else if (n == 1)
		snprintf(question, sizeof(question),
			 "Are you sure you want to delete your only %s?", kind);
	else
		snprintf(question, sizeof(question),
			 "Are you sure you want to delete your %zu %s?", n, kinds);
	return ctl_confirm(ctl, args, question);
}

bool ctl_confirm(struct ctl *ctl, const struct ctl_args *args, const char *question)
{
	char answer[16];

	if (ctl_arg_switch(args, "yes"))
		return true;
	if (!ctl_can_prompt(ctl, args)) {
		ctl_output_fail(&ctl->out, -EPERM, NULL, NULL,
				"This needs to be confirmed. Use --yes to confirm");
		return false;
	}
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof(answer), stdin) &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	ctl_output_note(&ctl->out, CTL_MARK_NONE, "Nothing was changed");
	return false;
}

int ctl_print_list(struct ctl *ctl, struct json_object *json, char *const *items, size_t n)
{
	char *plain = items ? ctl_output_list(items, n) : NULL;
	struct ctl_result result = { .json = json, .plain = plain };
	int ret;

	ret = ctl_output_result(&ctl->out, &result);
	free(plain);
	return ret;
}

void ctl_texts_free(char **texts, size_t n)
{
	while (texts && n)
		free(texts[--n]);
	free(texts);
}

int ctl_print_empty(struct ctl *ctl, const char *fmt, ...)
{
	struct ctl_result result = { .json = json_object_new_array() };
	char text[256];
	va_list ap;
	int ret;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	result.plain = text;
	ret = ctl_output_result(&ctl->out, &result);
	json_object_put(result.json);
	return ret;
}
