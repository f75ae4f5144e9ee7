// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

void ockam_err_clean(char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)text[0], next = (unsigned char)text[1];

		if (c < 0x20 || c == 0x7f)
			*text = '?';
		/* U+0080 to U+009f, of which one begins an escape sequence too. */
		if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
			*text++ = '?';
			*text = '?';
		}
	}
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
