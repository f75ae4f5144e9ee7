/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust rules on a command line: who may be at the other end of a channel.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_RULE_H
#define OCKAM_CTL_RULE_H

#include <json-c/json.h>

#include "ctl.h"

/*
 * Beside --authorized, which each command words for itself. Not together with
 * --everyone, at the commands that have it.
 */
#define CTL_AUTHORITY_FLAG \
	{ .name = "authority-identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY>", \
	  .excludes = "everyone", .check = ctl_check_authority, \
	  .help = "The peer must have a valid credential of this authority (history in hex)" }
#define CTL_ALLOW_FLAG \
	{ .name = "allow", .kind = CTL_FLAG_VALUE, .placeholder = "<POLICY_EXPRESSION>", \
	  .excludes = "everyone", .check = ctl_check_policy, \
	  .help = "What the peer's identifier and credential must satisfy" }

/* Checks for command tables. */
int ctl_check_authority(const char *value, struct ockam_err *why);
int ctl_check_policy(const char *value, struct ockam_err *why);
int ctl_check_scope(const char *value, struct ockam_err *why);

/** ctl_rule_put() - the flags of a rule as members of a request */
void ctl_rule_put(const struct ctl_args *args, struct json_object *request);

/** ctl_rule_given() - is one of the flags of a rule on the line */
bool ctl_rule_given(const struct ctl_args *args);

/**
 * ctl_rule_text() - a rule for people: "everyone", "I... with a credential of I..."
 * @object: with the members authorized, authority, policy as node processes give them
 *
 * Return: text to free, NULL without memory.
 */
char *ctl_rule_text(struct json_object *object);

#endif /* OCKAM_CTL_RULE_H */
