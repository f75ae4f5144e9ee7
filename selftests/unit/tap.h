/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line "ok N - text" for each check and the plan at the end: the Test
 * Anything Protocol for the programs of this directory. Include it once in a
 * program; main() ends with "return tap_done();".
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_UNIT_TAP_H
#define OCKAM_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned int tap_count;
static unsigned int tap_failures;

/* One check; its text is a printf format. Return: @good. */
#define ok(good, ...) tap_check((good), __FILE__, __LINE__, __VA_ARGS__)

/* Compare bytes; shows both when they differ. */
#define ok_bytes(got, want, len, ...) \
	tap_check_bytes((got), (want), (len), __FILE__, __LINE__, __VA_ARGS__)

/* Compare strings; shows both when they differ. */
#define ok_text(got, want, ...) \
	tap_check_text((got), (want), __FILE__, __LINE__, __VA_ARGS__)

/* Return value of a call against the one expected; shows the sentence. */
#define ok_ret(ret, want, err, ...) \
	tap_check_ret((ret), (want), (err).text, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 4, 5), unused))
static bool tap_check(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	tap_count++;
	printf("%sok %u - ", good ? "" : "not ", tap_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	if (!good) {
		tap_failures++;
		printf("# failed at %s:%d\n", file, line);
	}
	return good;
}

__attribute__((unused))
static void tap_hex(const char *label, const void *bytes, size_t len)
{
	const uint8_t *pos = bytes;

	printf("# %s ", label);
	for (size_t i = 0; i < len; i++)
		printf("%02x", pos[i]);
	putchar('\n');
}

__attribute__((format(printf, 6, 7), unused))
static bool tap_check_bytes(const void *got, const void *want, size_t len, const char *file,
			    int line, const char *fmt, ...)
{
	bool good = !len || !memcmp(got, want, len);
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tap_check(good, file, line, "%s", text);
	if (!good) {
		tap_hex("got ", got, len);
		tap_hex("want", want, len);
	}
	return good;
}

__attribute__((format(printf, 5, 6), unused))
static bool tap_check_text(const char *got, const char *want, const char *file, int line,
			   const char *fmt, ...)
{
	bool good = !strcmp(got, want);
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tap_check(good, file, line, "%s", text);
	if (!good)
		printf("# got  '%s'\n# want '%s'\n", got, want);
	return good;
}

__attribute__((format(printf, 6, 7), unused))
static bool tap_check_ret(int got, int want, const char *sentence, const char *file, int line,
			  const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tap_check(got == want, file, line, "%s", text);
	if (got != want)
		printf("# got %d, want %d: %s\n", got, want, got ? sentence : "success");
	return got == want;
}

/* The plan. Return: exit status of the program. */
__attribute__((unused))
static int tap_done(void)
{
	printf("1..%u\n", tap_count);
	if (tap_failures)
		printf("# %u of %u failed\n", tap_failures, tap_count);
	return tap_failures ? 1 : 0;
}

#endif /* OCKAM_UNIT_TAP_H */
