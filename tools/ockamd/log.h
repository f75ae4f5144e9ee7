/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line each with time and level, on standard output (ockamctl points it at
 * the node's log file). The worker has no output of its own: its lines go to
 * the node process by a sink.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LOG_H
#define OCKAMD_LOG_H

enum ockamd_level {
	OCKAMD_OFF,
	OCKAMD_ERROR,
	OCKAMD_WARN,
	OCKAMD_INFO,
	OCKAMD_DEBUG,
	OCKAMD_TRACE,
};

#define OCKAMD_LOG_TEXT	512	/* bytes of one line's text */

/**
 * ockamd_log_init() - choose what is written
 * @otherwise: level when $OCKAM_LOG_LEVEL does not name one
 *
 * $OCKAM_LOG_FORMAT "json" writes one JSON object a line.
 */
void ockamd_log_init(enum ockamd_level otherwise);

/** ockamd_log_level() - level in force */
enum ockamd_level ockamd_log_level(void);
void ockamd_log_set_level(enum ockamd_level level);

/** ockamd_log_set_sink() - hand lines to @sink instead of writing them */
void ockamd_log_set_sink(void (*sink)(enum ockamd_level level, const char *text));

/**
 * ockamd_log() - write one line
 *
 * Control characters become '?'. Secrets must not be given. Safe from every
 * thread; errno is left alone.
 */
void ockamd_log(enum ockamd_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define ockamd_error(...)	ockamd_log(OCKAMD_ERROR, __VA_ARGS__)
#define ockamd_warn(...)	ockamd_log(OCKAMD_WARN, __VA_ARGS__)
#define ockamd_info(...)	ockamd_log(OCKAMD_INFO, __VA_ARGS__)
#define ockamd_debug(...)	ockamd_log(OCKAMD_DEBUG, __VA_ARGS__)

#endif /* OCKAMD_LOG_H */
