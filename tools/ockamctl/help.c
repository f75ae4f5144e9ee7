// SPDX-License-Identifier: Apache-2.0
/*
 * Help and usage texts.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "help.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CTL_HELP_COLUMN	36	/* where the text of a flag begins */

static bool ctl_help_shows_hidden(void)
{
	return ctl_env_true("OCKAM_HELP_SHOW_HIDDEN");
}

void ctl_help_usage_line(FILE *f, const struct ctl_args *args)
{
	const struct ctl_command *command = ctl_args_command(args);
	const struct ctl_positional *pos;
	const struct ctl_flag *flag;
	size_t i;

	fputs("Usage:", f);
	for (i = 0; i < args->depth; i++)
		fprintf(f, " %s", args->path[i]->name);
	fputs(" [OPTIONS]", f);
	for (flag = command->flags; flag && flag->name; flag++) {
		if (flag->required && !flag->unless)
			fprintf(f, " --%s %s", flag->name, flag->placeholder);
	}
	for (pos = command->positionals; pos && pos->name; pos++)
		fprintf(f, pos->required ? " <%s>" : " [%s]", pos->name);
	if (command->rest)
		fprintf(f, " -- <%s>...", command->rest);
	if (command->children)
		fputs(" <COMMAND>", f);
	fputc('\n', f);
}

static void ctl_help_flags(FILE *f, const char *title, const struct ctl_flag *flag)
{
	int column;

	if (!flag || !flag->name)
		return;
	fprintf(f, "\n%s:\n", title);
	for (; flag->name; flag++) {
		if (flag->hidden && !ctl_help_shows_hidden())
			continue;
		column = flag->letter ? fprintf(f, "  -%c, ", flag->letter) : fprintf(f, "      ");
		column += fprintf(f, "--%s", flag->name);
		if (flag->placeholder)
			column += fprintf(f, " %s", flag->placeholder);
		if (column >= CTL_HELP_COLUMN) {
			fputc('\n', f);
			column = 0;
		}
		fprintf(f, "%*s%s", CTL_HELP_COLUMN - column, "", flag->help);
		if (flag->fallback)
			fprintf(f, " [default: %s]", flag->fallback);
		if (flag->env)
			fprintf(f, " [env: %s]", flag->env);
		fputc('\n', f);
	}
}

static void ctl_help_write(FILE *f, const struct ctl_args *args, bool is_long)
{
	const struct ctl_command *command = ctl_args_command(args);
	const struct ctl_command *const *child;
	const struct ctl_positional *pos;

	fprintf(f, "%s\n", command->about);
	if (is_long && command->details)
		fprintf(f, "\n%s\n", command->details);
	fputc('\n', f);
	ctl_help_usage_line(f, args);
	if (command->children) {
		fputs("\nCommands:\n", f);
		for (child = command->children; *child; child++) {
			if ((*child)->hidden && !ctl_help_shows_hidden())
				continue;
			fprintf(f, "  %-26s%s\n", (*child)->name, (*child)->about);
		}
	}
	if (command->positionals && command->positionals->name)
		fputs("\nArguments:\n", f);
	for (pos = command->positionals; pos && pos->name; pos++)
		fprintf(f, pos->required ? "  <%s>  %s\n" : "  [%s]  %s\n", pos->name, pos->help);
	ctl_help_flags(f, "Options", command->flags);
	ctl_help_flags(f, "Global Options", ctl_global_flags);
}

void ctl_help_print(const struct ctl_args *args, bool is_long)
{
	const char *pager = getenv("PAGER");
	FILE *f = NULL;

	if (is_long && isatty(STDOUT_FILENO))
		f = popen(pager && *pager ? pager : "less", "w");
	if (f) {
		ctl_help_write(f, args, is_long);
		/* A pager that could not be started has shown nothing. */
		if (!pclose(f))
			return;
	}
	ctl_help_write(stdout, args, is_long);
}
