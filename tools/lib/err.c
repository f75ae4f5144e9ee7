// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

/* Text of strangers must not steer a terminal. */
static void ockam_err_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

int ockam_err_set(struct ockam_err *err, int code, const char *fmt, ...)
{
	int saved = errno;
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, args) < 0)
		err->text[0] = '\0';
	va_end(args);
	ockam_err_clean(err->text);
	errno = saved;
	return code;
}

int ockam_err_prefix(struct ockam_err *err, const char *fmt, ...)
{
	char text[OCKAM_ERR_TEXT];
	int saved = errno;
	va_list args;
	size_t used;
	int len;

	if (!err)
		return -EINVAL;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text) - 2, fmt, args);
	va_end(args);
	if (len < 0)
		text[0] = '\0';
	used = strlen(text);
	snprintf(text + used, sizeof(text) - used, ": %.*s",
		 (int)(sizeof(text) - used - 3), err->text);
	memcpy(err->text, text, sizeof(text));
	ockam_err_clean(err->text);
	errno = saved;
	return err->code ? err->code : -EINVAL;
}

int ockam_err_line(struct ockam_err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list args;
	size_t used;

	if (!err)
		return -EINVAL;
	used = strlen(err->text);
	if (used + 2 < sizeof(err->text)) {
		err->text[used++] = '\n';
		va_start(args, fmt);
		if (vsnprintf(err->text + used, sizeof(err->text) - used, fmt, args) < 0)
			err->text[used] = '\0';
		va_end(args);
		ockam_err_clean(err->text + used);
	}
	errno = saved;
	return err->code ? err->code : -EINVAL;
}
