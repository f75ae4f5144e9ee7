/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the tool: what every command needs at hand.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_CTL_H
#define OCKAM_CTL_CTL_H

#include <sys/resource.h>

#include "args.h"
#include "home.h"
#include "output.h"
#include "store.h"

struct ctl {
	struct ctl_output	out;
	struct ockam_home	home;
	struct ockam_store	*store;		/* NULL until ctl_store() */
	struct ockam_remarks	remarks;	/* to standard error */
	struct rlimit		core_limit;	/* as the caller had it */
	char			*stdin_line;	/* read once, by stdin_route */
};

/**
 * ctl_store() - open the home's database
 * @create: make home and database when missing; else a missing one is an
 *	empty home: 0 with ctl->store NULL
 *
 * Return: CTL_EXIT_OK, or CTL_EXIT_FAILURE (reported).
 */
int ctl_store(struct ctl *ctl, bool create);

/** ctl_strip_node() - "n" of "n" and "/node/n", borrowed */
const char *ctl_strip_node(const char *text);
/** ctl_strip_service() - "x" of "x" and "/service/x", borrowed */
const char *ctl_strip_service(const char *text);

#define CTL_DURATION_MAX_MS	86400000	/* that a command waits: a day */

/* Checks for command tables. */
int ctl_check_duration(const char *value, struct ockam_err *why);
int ctl_check_identifier(const char *value, struct ockam_err *why);
int ctl_check_socket_address(const char *value, struct ockam_err *why);
int ctl_check_port(const char *value, struct ockam_err *why);
int ctl_check_hex(const char *value, struct ockam_err *why);

/** ctl_duration_ms() - "10", "10s", "500ms", "2m", "1h", "1d" in ms; negative: not one */
int64_t ctl_duration_ms(const char *text);

#define CTL_TIME_TEXT	32

/** ctl_time_text() - "2026-01-01T00:00:00Z"; beyond the years of four digits the number */
void ctl_time_text(uint64_t seconds, char text[CTL_TIME_TEXT]);

/** ctl_arg_ms() - value of a duration flag that ctl_check_duration() has seen, at least 1 ms */
int ctl_arg_ms(const struct ctl_args *args, const char *name);

/**
 * ctl_arg_deadline() - the end of such a duration that begins now
 *
 * Return: monotonic milliseconds, for ctl_left_ms().
 */
int64_t ctl_arg_deadline(const struct ctl_args *args, const char *name);

/** ctl_left_ms() - milliseconds until @deadline, at least 1 */
int ctl_left_ms(int64_t deadline);

/**
 * ctl_socket_address() - "host:port", ":port" or "port", with or without a scheme
 * @text: as given
 * @out: "host:port", OCKAM_SOCKET_TEXT bytes
 * Return: 0 or -EINVAL.
 */
int ctl_socket_address(const char *text, char *out, struct ockam_err *err);

/** ctl_confirm() - may a deleting command go on? (cli 1.5, 1.6) */
bool ctl_confirm(struct ctl *ctl, const struct ctl_args *args, const char *question);
/** ctl_confirm_delete() - the same with the questions of cli 1.6; @n: how many --all are */
bool ctl_confirm_delete(struct ctl *ctl, const struct ctl_args *args, const char *kind,
			const char *kinds, size_t n);
/**
 * ctl_delete_unnamed() - neither a name nor --all, and nobody to be asked
 * @kind: of what is not deleted
 *
 * Return: CTL_EXIT_OK, with a remark; CTL_EXIT_FAILURE with --yes (reported): who says
 * yes means something to be deleted.
 */
int ctl_delete_unnamed(struct ctl *ctl, const struct ctl_args *args, const char *kind);
/**
 * ctl_select() - let a person choose one of a list (cli 1.6)
 * @what: what is to be chosen
 * @name: name of element @i of @list
 * @n: elements
 *
 * Return: index; @n when none was chosen; -1 when nobody can be asked.
 */
int ctl_select(struct ctl *ctl, const struct ctl_args *args, const char *what,
	       const char *(*name)(const void *list, size_t i), const void *list, size_t n);
/** ctl_can_prompt() - both terminals there, neither --quiet nor --no-input */
bool ctl_can_prompt(const struct ctl *ctl, const struct ctl_args *args);

/**
 * ctl_print_list() - a list that is not empty
 * @json: for scripts, borrowed; NULL: people's form for all
 * @items: for people, a paragraph each; borrowed, NULL without memory
 * @n: number of @items
 */
int ctl_print_list(struct ctl *ctl, struct json_object *json, char *const *items, size_t n);
/** ctl_texts_free() - free @n texts and the array of them; NULL is allowed */
void ctl_texts_free(char **texts, size_t n);
/** ctl_print_empty() - the answer "nothing of that kind": [] or a sentence */
int ctl_print_empty(struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Flags that many commands have. */
#define CTL_AT_FLAG \
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>", \
	  .help = "Node; default the default node" }
#define CTL_YES_FLAG \
	{ .name = "yes", .letter = 'y', .help = "Do not ask" }

/* The commands; each file of them defines its group. */
extern const struct ctl_command ctl_cmd_node;
extern const struct ctl_command ctl_cmd_identity;
extern const struct ctl_command ctl_identity_peers_command;
extern const struct ctl_command ctl_cmd_credential;
extern const struct ctl_command ctl_cmd_secure_channel;
extern const struct ctl_command ctl_channel_update_command;
extern const struct ctl_command ctl_cmd_secure_channel_listener;
extern const struct ctl_command ctl_cmd_tcp_connection;
extern const struct ctl_command ctl_cmd_tcp_listener;
extern const struct ctl_command ctl_cmd_message;
extern const struct ctl_command ctl_cmd_flow_control;
extern const struct ctl_command ctl_cmd_worker;
extern const struct ctl_command ctl_cmd_reset;

/* Commands that need the cloud; they say so and fail. */
extern const struct ctl_command ctl_cmd_enroll, ctl_cmd_space, ctl_cmd_space_admin;
extern const struct ctl_command ctl_cmd_project_admin, ctl_cmd_subscription, ctl_cmd_admin;
extern const struct ctl_command ctl_cmd_lease, ctl_cmd_share, ctl_cmd_sidecar;
extern const struct ctl_command ctl_cmd_kafka_inlet, ctl_cmd_kafka_outlet;
extern const struct ctl_command ctl_cmd_influxdb_inlet, ctl_cmd_influxdb_outlet;

#endif /* OCKAM_CTL_CTL_H */
