/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How libockam reports a failure: a negative errno for the program and one
 * sentence for the person, in memory of the caller.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_ERR_H
#define OCKAM_LIB_ERR_H

#include <errno.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OCKAM_ERR_TEXT	1024	/* bytes of a sentence, its zero byte included */

/*
 * code: 0 or a negative errno. text: a zero-terminated sentence without a
 * full stop that says what was wrong and, where it helps, what to do. Never
 * holds a secret. Only meaningful after a function returned an error.
 */
struct ockam_err {
	int	code;
	char	text[OCKAM_ERR_TEXT];
};

/** ockam_err_clean() - replace control characters by '?', so that no terminal is steered */
void ockam_err_clean(char *text);

/**
 * ockam_err_set() - record a failure
 * @err: where to; NULL when the caller wants no text
 * @code: negative errno
 * @fmt: printf format of the sentence; a longer text is cut
 *
 * Control characters in the result are replaced by '?', so text of a peer can
 * be quoted. errno is left alone.
 *
 * Return: @code, so that "return ockam_err_set(err, -EINVAL, ...)" works.
 */
int ockam_err_set(struct ockam_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * ockam_err_prefix() - put a context in front of a recorded failure
 * @err: holds a sentence already, or NULL
 * @fmt: printf format of the context; ": " follows it
 *
 * Return: the code recorded in @err, or -EINVAL without one.
 */
int ockam_err_prefix(struct ockam_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * ockam_err_line() - put a further line behind a recorded failure
 * @err: holds a sentence already, or NULL
 * @fmt: printf format of the line; cleaned and cut as above
 *
 * Return: the code recorded in @err, or -EINVAL without one.
 */
int ockam_err_line(struct ockam_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif /* OCKAM_LIB_ERR_H */
