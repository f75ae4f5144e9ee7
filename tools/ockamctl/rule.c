// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rules on a command line.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy.h"
#include "store_credential.h"
#include "value.h"

int ctl_check_authority(const char *value, struct ockam_err *why)
{
	struct ockam_identity *identity;
	int ret = ockam_identity_parse(value, &identity, why);

	if (!ret)
		ockam_identity_free(identity);
	return ret;
}

int ctl_check_policy(const char *value, struct ockam_err *why)
{
	struct ockam_policy *policy;
	int ret = ockam_policy_parse(value, &policy, why);

	if (!ret)
		ockam_policy_free(policy);
	return ret;
}

int ctl_check_scope(const char *value, struct ockam_err *why)
{
	return ockam_scope_check(value, why);
}

void ctl_rule_put(const struct ctl_args *args, struct json_object *request)
{
	const char *authority = ctl_arg(args, "authority-identity");
	const char *allow = ctl_arg(args, "allow");
	struct json_object *ids = NULL;
	size_t iter = 0;
	const char *id;

	while ((id = ctl_arg_list(args, "authorized", &iter))) {
		if (!ids)
			ids = json_object_new_array();
		json_object_array_add(ids, json_object_new_string(id));
	}
	if (ids)
		ockam_value_put(request, "authorized", ids);
	if (authority)
		ockam_value_put_text(request, "authority", authority);
	if (allow)
		ockam_value_put_text(request, "allow", allow);
}

bool ctl_rule_given(const struct ctl_args *args)
{
	return ctl_arg_given(args, "authorized") || ctl_arg_given(args, "authority-identity") ||
	       ctl_arg_given(args, "allow");
}

static void ctl_rule_write(FILE *f, struct json_object *object)
{
	struct json_object *ids = ockam_value_array(object, "authorized");
	const char *authority = ockam_value_text(object, "authority");
	const char *policy = ockam_value_text(object, "policy");
	size_t i, n = ids ? json_object_array_length(ids) : 0;

	if (!ids)
		fputs("everyone", f);
	else if (!n)
		fputs("nobody", f);
	for (i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? ", " : "",
			json_object_get_string(json_object_array_get_idx(ids, i)));
	if (authority)
		fprintf(f, " with a credential of %s", authority);
	if (policy)
		fprintf(f, " satisfying %s", policy);
}

char *ctl_rule_text(struct json_object *object)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	ctl_rule_write(f, object);
	fclose(f);
	return text;
}
