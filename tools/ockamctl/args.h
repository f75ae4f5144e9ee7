/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command tables and the parser that reads a command line against them.
 *
 * A command is a table entry: its flags, its positional arguments, what runs.
 * Help, usage errors and environment defaults come from the same tables.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_ARGS_H
#define OCKAM_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct ctl;
struct ctl_args;

enum ctl_flag_kind {
	CTL_FLAG_SWITCH,	/* present or not */
	CTL_FLAG_VALUE,		/* one value; the last one given counts */
	CTL_FLAG_LIST,		/* may be repeated */
};

/*
 * Checks a value while the line is parsed. @why receives a reason (without the
 * value) for the usage error.
 * Return: 0 or a negative errno.
 */
typedef int (*ctl_check_t)(const char *value, struct ockam_err *why);

/* One flag. A table ends with an entry whose ->name is NULL. */
struct ctl_flag {
	const char	*name;		/* long name without dashes */
	char		letter;		/* short form or 0 */
	const char	*alias;		/* second long name, or NULL */
	enum ctl_flag_kind kind;
	const char	*placeholder;	/* "<ROUTE>", values only */
	const char	*env;		/* variable that gives the default, or NULL */
	const char	*fallback;	/* default value shown in help, or NULL */
	const char	*excludes;	/* name of a flag that may not be given too */
	const char	*requires;	/* name of a flag that must be given too */
	bool		required;
	const char	*unless;	/* ->required does not hold when this flag is given */
	bool		hidden;
	ctl_check_t	check;
	const char	*help;
};

/* One positional argument. A table ends with an entry whose ->name is NULL. */
struct ctl_positional {
	const char	*name;		/* placeholder without brackets: "NODE_NAME" */
	bool		required;
	const char	*excludes;	/* name of a flag that may not be given too */
	ctl_check_t	check;
	const char	*help;
};

/*
 * One command or group. A group has ->children and no ->run. Tables end with
 * an entry whose ->name is NULL.
 */
struct ctl_command {
	const char	*name;
	const char	*about;		/* one line */
	const char	*details;	/* paragraphs of the long help, or NULL */
	bool		hidden;		/* not in its group's help */
	bool		anything;	/* arguments are not looked at */
	const struct ctl_flag *flags;
	const struct ctl_positional *positionals;
	/*
	 * Placeholder of a command line that follows "--", or all positionals, and
	 * is not looked at; NULL: there is none.
	 */
	const char	*rest;
	bool		rest_required;
	const struct ctl_command *const *children;	/* NULL-terminated */
	/* Returns an exit code. Has reported its failure already. */
	int		(*run)(struct ctl *ctl, const struct ctl_args *args);
};

#define CTL_MAX_DEPTH	4	/* group, command, ... below the program's name */
#define CTL_MAX_POSITIONALS	4

/* A parsed line. Values are borrowed from argv and the environment. */
struct ctl_args {
	const struct ctl_command *path[CTL_MAX_DEPTH];	/* [0] is the root */
	size_t		depth;		/* commands in ->path */
	const char	*positionals[CTL_MAX_POSITIONALS];
	size_t		n_positionals;
	char		**rest;		/* up to the NULL of argv; NULL: not given */
	struct ctl_value *values;	/* flags as given, in order */
	size_t		n_values;
	bool		want_help;	/* --help, or "help COMMAND" */
	bool		want_short_help;	/* -h */
	bool		want_version;
};

/* One flag as given; ->value is NULL for a switch. */
struct ctl_value {
	const struct ctl_flag *flag;
	const char	*value;
};

/* Flags that every command takes (cli 1.3). */
extern const struct ctl_flag ctl_global_flags[];

/**
 * ctl_args_parse() - read a command line
 * @root: the program
 * @argc: as in main(), @argv likewise; kept as long as @args
 * @args: receives the result; ctl_args_free() it, also after an error
 * @err: usage error: the text after "error: "; defaults from variables are
 *	checked like values on the line
 *
 * "--env KEY=VALUE" takes effect at once. A route's lone dash is not expanded
 * here (stdin_route.h).
 *
 * Return: 0; -EINVAL for a usage error (exit code 64); -ENOMEM.
 */
int ctl_args_parse(const struct ctl_command *root, int argc, char **argv,
		   struct ctl_args *args, struct ockam_err *err);
void ctl_args_free(struct ctl_args *args);

/** ctl_args_command() - the command that the line names (the root when none) */
const struct ctl_command *ctl_args_command(const struct ctl_args *args);

/** ctl_arg() - value of a flag: given, from its variable, or its fallback; else NULL */
const char *ctl_arg(const struct ctl_args *args, const char *flag);
/** ctl_arg_given() - was the flag on the line (not from the environment) */
bool ctl_arg_given(const struct ctl_args *args, const char *flag);
/** ctl_arg_switch() - is a switch on, by the line or its variable */
bool ctl_arg_switch(const struct ctl_args *args, const char *flag);
/**
 * ctl_arg_list() - the next value of a repeatable flag
 * @iter: 0 at first
 * Return: borrowed value, NULL at the end.
 */
const char *ctl_arg_list(const struct ctl_args *args, const char *flag, size_t *iter);
/** ctl_arg_positional() - positional number @n, NULL when not given */
const char *ctl_arg_positional(const struct ctl_args *args, size_t n);

/** ctl_env_true() - is a boolean environment variable on (cli 1.1) */
bool ctl_env_true(const char *name);

#endif /* OCKAM_CTL_ARGS_H */
