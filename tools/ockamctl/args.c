// SPDX-License-Identifier: Apache-2.0
/*
 * The command-line parser.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CTL_VALUE_SHOWN	300	/* bytes of a value that an error repeats */

static int ctl_check_output(const char *value, struct ockam_err *why)
{
	if (!strcmp(value, "plain") || !strcmp(value, "json"))
		return 0;
	return ockam_err_set(why, -EINVAL, "possible values are plain and json");
}

static int ctl_check_env(const char *value, struct ockam_err *why)
{
	const char *equals = strchr(value, '=');

	if (equals && equals != value)
		return 0;
	return ockam_err_set(why, -EINVAL, "expected KEY=VALUE");
}

const struct ctl_flag ctl_global_flags[] = {
	{ .name = "help", .letter = 'h', .help = "Print help (-h is shorter)" },
	{ .name = "version", .letter = 'V', .help = "Print the version" },
	{ .name = "quiet", .letter = 'q', .env = "QUIET",
	  .help = "Write nothing to standard error but the final error" },
	{ .name = "verbose", .letter = 'v', .kind = CTL_FLAG_LIST,
	  .help = "Log to the console; repeat for more" },
	{ .name = "no-color", .env = "NO_COLOR", .help = "No colours" },
	{ .name = "no-input", .env = "NO_INPUT", .help = "Never ask" },
	{ .name = "output", .kind = CTL_FLAG_VALUE, .placeholder = "<OUTPUT>",
	  .check = ctl_check_output, .help = "Form of the result: plain or json" },
	{ .name = "jq", .kind = CTL_FLAG_VALUE, .placeholder = "<FILTER>",
	  .help = "Apply a jq filter to the JSON result" },
	{ .name = "compact-output", .help = "JSON on one line" },
	{ .name = "pretty", .hidden = true, .help = "Deprecated: JSON is pretty" },
	{ .name = "env", .kind = CTL_FLAG_LIST, .placeholder = "<KEY=VALUE>",
	  .check = ctl_check_env, .help = "Set a variable for this run" },
	{ }
};

/* "verbose" counts, it takes no value although it may be repeated. */
static bool ctl_flag_takes_value(const struct ctl_flag *flag)
{
	return flag->kind != CTL_FLAG_SWITCH && flag->placeholder;
}

bool ctl_env_true(const char *name)
{
	static const char *const on[] = { "true", "1", "yes" };
	const char *value = getenv(name);
	size_t i;

	for (i = 0; value && i < sizeof(on) / sizeof(on[0]); i++) {
		if (!strcasecmp(value, on[i]))
			return true;
	}
	return false;
}

static bool ctl_flag_named(const struct ctl_flag *flag, const char *name, size_t len)
{
	return (strlen(flag->name) == len && !memcmp(flag->name, name, len)) ||
	       (flag->alias && strlen(flag->alias) == len && !memcmp(flag->alias, name, len));
}

static const struct ctl_flag *ctl_flag_in(const struct ctl_flag *table, const char *name,
					  size_t len, char letter)
{
	for (; table && table->name; table++) {
		if (letter ? table->letter == letter : ctl_flag_named(table, name, len))
			return table;
	}
	return NULL;
}

const struct ctl_command *ctl_args_command(const struct ctl_args *args)
{
	return args->path[args->depth - 1];
}

static const struct ctl_flag *ctl_flag_find(const struct ctl_args *args, const char *name,
					    size_t len, char letter)
{
	const struct ctl_flag *flag;

	flag = ctl_flag_in(ctl_args_command(args)->flags, name, len, letter);
	return flag ? flag : ctl_flag_in(ctl_global_flags, name, len, letter);
}

static const struct ctl_command *ctl_child(const struct ctl_command *command, const char *name)
{
	const struct ctl_command *const *child;

	for (child = command->children; child && *child; child++) {
		if (!strcmp((*child)->name, name))
			return *child;
	}
	return NULL;
}

/* "--to <ROUTE>", as usage errors name a flag. */
static void ctl_flag_text(const struct ctl_flag *flag, char *text, size_t size)
{
	snprintf(text, size, "--%s%s%s", flag->name, ctl_flag_takes_value(flag) ? " " : "",
		 ctl_flag_takes_value(flag) ? flag->placeholder : "");
}

/*
 * "invalid value '...' for '...': why". A value without end would leave no room
 * for the reason, which may have a second line.
 */
static int ctl_value_invalid(struct ockam_err *err, const char *value, const char *flag,
			     const struct ockam_err *why)
{
	const char *second = strchr(why->text, '\n');
	bool cut = strlen(value) > CTL_VALUE_SHOWN;

	ockam_err_set(err, -EINVAL, "invalid value '%.*s%s' for '%s': %.*s", CTL_VALUE_SHOWN, value,
		      cut ? "..." : "", flag,
		      second ? (int)(second - why->text) : OCKAM_ERR_TEXT, why->text);
	return second ? ockam_err_line(err, "%s", second + 1) : -EINVAL;
}

static int ctl_args_add(struct ctl_args *args, const struct ctl_flag *flag, const char *value,
			struct ockam_err *err)
{
	struct ctl_value *grown;
	struct ockam_err why;
	char text[128];

	if (value && flag->check && flag->check(value, &why) < 0) {
		ctl_flag_text(flag, text, sizeof(text));
		return ctl_value_invalid(err, value, text, &why);
	}
	grown = reallocarray(args->values, args->n_values + 1, sizeof(*grown));
	if (!grown)
		return ockam_err_set(err, -ENOMEM, "out of memory");
	args->values = grown;
	grown[args->n_values++] = (struct ctl_value){ .flag = flag, .value = value };

	if (!strcmp(flag->name, "help") && flag == &ctl_global_flags[0])
		args->want_help = true;
	if (flag == &ctl_global_flags[1])
		args->want_version = true;
	if (value && !strcmp(flag->name, "env")) {
		char *key = strndup(value, strcspn(value, "="));

		if (!key || setenv(key, strchr(value, '=') + 1, 1)) {
			free(key);
			return ockam_err_set(err, -ENOMEM, "out of memory");
		}
		free(key);
	}
	return 0;
}

/*
 * The separate value of a flag: the next argument, unless that is a flag. A
 * lone dash, "-/service/x" and negative numbers are values.
 */
static const char *ctl_next_value(const struct ctl_args *args, int argc, char **argv, int *i)
{
	const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;

	if (!next)
		return NULL;
	if (next[0] == '-' && next[1] == '-' &&
	    (!next[2] || ctl_flag_find(args, next + 2, strcspn(next + 2, "="), 0)))
		return NULL;
	if (next[0] == '-' && next[1] && !next[2] && ctl_flag_find(args, NULL, 0, next[1]))
		return NULL;
	++*i;
	return next;
}

static int ctl_value_missing(const struct ctl_flag *flag, struct ockam_err *err)
{
	char text[128];

	ctl_flag_text(flag, text, sizeof(text));
	return ockam_err_set(err, -EINVAL, "a value is required for '%s' but none was supplied",
			     text);
}

/* --name, --name=value, --name value. *@i moves over a separate value. */
static int ctl_parse_long(struct ctl_args *args, int argc, char **argv, int *i,
			  struct ockam_err *err)
{
	const char *name = argv[*i] + 2;
	size_t len = strcspn(name, "=");
	const struct ctl_flag *flag = ctl_flag_find(args, name, len, 0);
	const char *value = NULL;

	if (!flag)
		return ockam_err_set(err, -EINVAL, "unexpected argument '--%.*s' found", (int)len,
				     name);
	if (ctl_flag_takes_value(flag)) {
		value = name[len] ? name + len + 1 : ctl_next_value(args, argc, argv, i);
		if (!value)
			return ctl_value_missing(flag, err);
	} else if (name[len]) {
		return ockam_err_set(err, -EINVAL, "unexpected value '%s' for '--%s' found; no more were expected",
				     name + len + 1, flag->name);
	}
	return ctl_args_add(args, flag, value, err);
}

/* -abc, -tVALUE, -t VALUE, -t=VALUE. */
static int ctl_parse_short(struct ctl_args *args, int argc, char **argv, int *i,
			   struct ockam_err *err)
{
	const struct ctl_flag *flag;
	const char *value;
	const char *p;
	int ret;

	for (p = argv[*i] + 1; *p; p++) {
		flag = ctl_flag_find(args, NULL, 0, *p);
		if (!flag)
			return ockam_err_set(err, -EINVAL, "unexpected argument '-%c' found", *p);
		if (!ctl_flag_takes_value(flag)) {
			if (flag == &ctl_global_flags[0])
				args->want_short_help = true;
			ret = ctl_args_add(args, flag, NULL, err);
			if (ret < 0)
				return ret;
			continue;
		}
		if (p[1])
			return ctl_args_add(args, flag, p + 1 + (p[1] == '='), err);
		value = ctl_next_value(args, argc, argv, i);
		return value ? ctl_args_add(args, flag, value, err) : ctl_value_missing(flag, err);
	}
	return 0;
}

/* A word: the name of a subcommand, or a positional argument. */
static int ctl_parse_word(struct ctl_args *args, const char *word, struct ockam_err *err)
{
	const struct ctl_command *command = ctl_args_command(args);
	const struct ctl_command *child = ctl_child(command, word);
	const struct ctl_positional *table = command->positionals;
	struct ockam_err why;
	size_t n = 0;

	if (child && args->depth < CTL_MAX_DEPTH) {
		args->path[args->depth++] = child;
		return 0;
	}
	if (command->children && !strcmp(word, "help")) {
		args->want_help = true;
		return 0;
	}
	if (command->children)
		return ockam_err_set(err, -EINVAL, "unrecognized subcommand '%s'", word);
	while (table && table[n].name)
		n++;
	if (args->n_positionals >= n)
		return ockam_err_set(err, -EINVAL, "unexpected argument '%s' found", word);
	table += args->n_positionals;
	if (table->check && table->check(word, &why) < 0)
		return ockam_err_set(err, -EINVAL, "invalid value '%s' for '%s%s%s': %s", word,
				     table->required ? "<" : "[", table->name,
				     table->required ? ">" : "]", why.text);
	args->positionals[args->n_positionals++] = word;
	return 0;
}

/* Does what follows from @word on belong to somebody else? "--" itself does not. */
static bool ctl_rest_begins(const struct ctl_args *args, const char *word)
{
	const struct ctl_command *command = ctl_args_command(args);
	size_t n = 0;

	while (command->positionals && command->positionals[n].name)
		n++;
	return command->rest &&
	       (!strcmp(word, "--") || (word[0] != '-' && args->n_positionals == n));
}

static int ctl_positionals_complete(const struct ctl_args *args, struct ockam_err *err)
{
	const struct ctl_positional *table = ctl_args_command(args)->positionals;
	size_t n;

	for (n = 0; table && table[n].name; n++) {
		if (table[n].required && n >= args->n_positionals)
			return ockam_err_set(err, -EINVAL,
					     "the following required arguments were not provided: <%s>",
					     table[n].name);
		if (table[n].excludes && n < args->n_positionals &&
		    ctl_arg_given(args, table[n].excludes))
			return ockam_err_set(err, -EINVAL,
					     "the argument '[%s]' cannot be used with '--%s'",
					     table[n].name, table[n].excludes);
	}
	return 0;
}

/* A default that comes from a variable is held to what the flag takes. */
static int ctl_env_check(const struct ctl_flag *flag, struct ockam_err *err)
{
	const char *value = flag->env ? getenv(flag->env) : NULL;
	struct ockam_err why;
	char text[128];

	if (!value || !*value || !flag->check || flag->check(value, &why) >= 0)
		return 0;
	ctl_flag_text(flag, text, sizeof(text));
	return ockam_err_set(err, -EINVAL, "invalid value '%s' for '%s' (variable %s): %s", value,
			     text, flag->env, why.text);
}

/* What the whole line must have: required things, pairs, no conflicts. */
static int ctl_args_complete(const struct ctl_args *args, struct ockam_err *err)
{
	const struct ctl_command *command = ctl_args_command(args);
	const struct ctl_flag *flag;
	int ret;

	ret = ctl_positionals_complete(args, err);
	if (ret)
		return ret;
	if (command->rest_required && (!args->rest || !args->rest[0]))
		return ockam_err_set(err, -EINVAL,
				     "the following required arguments were not provided: <%s>",
				     command->rest);
	for (flag = command->flags; flag && flag->name; flag++) {
		if (flag->required && !ctl_arg(args, flag->name) &&
		    !(flag->unless && ctl_arg_given(args, flag->unless)))
			return ockam_err_set(err, -EINVAL,
					     "the following required arguments were not provided: --%s %s",
					     flag->name, flag->placeholder);
		if (!ctl_arg_given(args, flag->name)) {
			ret = ctl_env_check(flag, err);
			if (ret)
				return ret;
			continue;
		}
		if (flag->excludes && ctl_arg_given(args, flag->excludes))
			return ockam_err_set(err, -EINVAL,
					     "the argument '--%s' cannot be used with '--%s'",
					     flag->name, flag->excludes);
		if (flag->requires && !ctl_arg_given(args, flag->requires))
			return ockam_err_set(err, -EINVAL,
					     "the following required arguments were not provided: --%s",
					     flag->requires);
	}
	return 0;
}

int ctl_args_parse(const struct ctl_command *root, int argc, char **argv,
		   struct ctl_args *args, struct ockam_err *err)
{
	bool only_words = false;
	int ret = 0;
	int i;

	memset(args, 0, sizeof(*args));
	args->path[0] = root;
	args->depth = 1;

	for (i = 1; i < argc && !ret && !args->rest; i++) {
		if (ctl_args_command(args)->anything && strcmp(argv[i], "--help") &&
		    strcmp(argv[i], "-h"))
			continue;
		if (ctl_rest_begins(args, argv[i]))
			args->rest = argv + i + !strcmp(argv[i], "--");
		else if (!only_words && !strcmp(argv[i], "--"))
			only_words = true;
		else if (!only_words && argv[i][0] == '-' && argv[i][1] == '-')
			ret = ctl_parse_long(args, argc, argv, &i, err);
		/* "-" alone and "-/service/x" are values, no flags. */
		else if (!only_words && argv[i][0] == '-' && argv[i][1] && argv[i][1] != '/')
			ret = ctl_parse_short(args, argc, argv, &i, err);
		else
			ret = ctl_parse_word(args, argv[i], err);
	}
	/* The version wins over everything else on the line, errors too. */
	for (i = 1; i < argc && ret == -EINVAL && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V"))
			args->want_version = true;
	}
	if (args->want_version)
		return 0;
	if (ret || args->want_help || args->depth == 1 || ctl_args_command(args)->children)
		return ret;
	return ctl_args_complete(args, err);
}

void ctl_args_free(struct ctl_args *args)
{
	free(args->values);
	args->values = NULL;
	args->n_values = 0;
}

bool ctl_arg_given(const struct ctl_args *args, const char *name)
{
	size_t iter;

	for (iter = 0; iter < args->n_values; iter++) {
		if (!strcmp(args->values[iter].flag->name, name))
			return true;
	}
	return false;
}

const char *ctl_arg(const struct ctl_args *args, const char *name)
{
	const struct ctl_flag *flag;
	const char *value = NULL;
	size_t i;

	for (i = 0; i < args->n_values; i++) {
		if (!strcmp(args->values[i].flag->name, name))
			value = args->values[i].value;
	}
	if (value)
		return value;
	flag = ctl_flag_find(args, name, strlen(name), 0);
	if (!flag)
		return NULL;
	if (flag->env)
		value = getenv(flag->env);
	return value && *value ? value : flag->fallback;
}

bool ctl_arg_switch(const struct ctl_args *args, const char *name)
{
	const struct ctl_flag *flag = ctl_flag_find(args, name, strlen(name), 0);

	return ctl_arg_given(args, name) || (flag && flag->env && ctl_env_true(flag->env));
}

const char *ctl_arg_list(const struct ctl_args *args, const char *name, size_t *iter)
{
	while (*iter < args->n_values) {
		const struct ctl_value *value = &args->values[(*iter)++];

		if (!strcmp(value->flag->name, name))
			return value->value ? value->value : "";
	}
	return NULL;
}

const char *ctl_arg_positional(const struct ctl_args *args, size_t n)
{
	return n < args->n_positionals ? args->positionals[n] : NULL;
}
