// SPDX-License-Identifier: Apache-2.0
/*
 * ockam credential list and show: what a node has to present (cli 2.11).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_credential.h"
#include "credential_text.h"
#include "rule.h"
#include "session.h"
#include "store_credential.h"

/* The credentials of --at; a node that is stopped has them too. */
static int ctl_credential_of_node(struct ctl *ctl, const struct ctl_args *args,
				  struct ockam_node_record *node,
				  struct ockam_credential_record **records, size_t *n)
{
	struct ockam_err err;
	int ret;

	ret = ctl_session_node(ctl, ctl_arg(args, "at"), node);
	if (ret)
		return ret;
	if (ockam_store_credential_list(ctl->store, node->name, records, n, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	return CTL_EXIT_OK;
}

/* Is it about --subject and by --issuer, as far as they are given? */
static bool ctl_credential_wanted(const struct ctl_args *args,
				  const struct ockam_credential_record *record)
{
	const char *subject = ctl_arg(args, "subject");
	const char *issuer = ctl_arg(args, "issuer");
	const char *scope = ctl_arg(args, "scope");
	uint8_t id[OCKAM_IDENTIFIER_LEN];

	if (subject && (ockam_identifier_parse(subject, id, NULL) ||
			memcmp(id, record->subject, sizeof(id))))
		return false;
	if (issuer && (ockam_identifier_parse(issuer, id, NULL) ||
		       memcmp(id, record->issuer, sizeof(id))))
		return false;
	return !scope || !strcmp(scope, record->scope);
}

/* One stored credential as object and as text. Return: 0 or a negative errno. */
static int ctl_credential_item(struct ctl *ctl, const struct ockam_credential_record *record,
			       struct json_object **object, char **text, struct ockam_err *err)
{
	struct ctl_credential credential;
	char *plain;
	int bad;

	*object = NULL;
	*text = NULL;
	bad = ctl_credential_decode(&credential, record->bytes.data, record->bytes.len, err);
	if (bad)
		return ockam_err_prefix(err, "a credential in the database");
	bad = ctl_credential_check(ctl, &credential, record->issuer, err);
	plain = ctl_credential_plain(&credential);
	if (!plain || asprintf(text, "Scope: %s\nVerified: %s%s\n%s", record->scope,
			       bad ? "no, " : "yes", bad ? err->text : "", plain) < 0)
		*text = NULL;
	free(plain);
	*object = json_object_new_object();
	ockam_value_put(*object, "credential", ctl_credential_object(&credential));
	ockam_value_put_bool(*object, "is_verified", !bad);
	ockam_value_put_text(*object, "scope", record->scope);
	ctl_credential_free(&credential);
	if (bad && !ctl_credential_is_bad(bad))
		return bad;
	return *text ? 0 : ockam_err_set(err, -ENOMEM, "out of memory");
}

/* Those wanted, as array and as texts; *used counts them. */
static int ctl_credential_items(struct ctl *ctl, const struct ctl_args *args,
				const struct ockam_credential_record *records, size_t n,
				struct json_object *array, char **items, size_t *used)
{
	struct json_object *object;
	struct ockam_err err;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		if (!ctl_credential_wanted(args, &records[i]))
			continue;
		ret = ctl_credential_item(ctl, &records[i], &object, &items[*used], &err);
		json_object_array_add(array, object);
		(*used)++;
		if (ret)
			return ctl_output_fail_err(&ctl->out, &err);
	}
	return CTL_EXIT_OK;
}

static int ctl_credential_print(struct ctl *ctl, const struct ctl_args *args,
				int (*print)(struct ctl *ctl, const struct ctl_args *args,
					     const char *node, struct json_object *array,
					     char **items, size_t n))
{
	struct ockam_credential_record *records = NULL;
	struct json_object *array = json_object_new_array();
	struct ockam_node_record node;
	size_t n = 0, used = 0;
	char **items = NULL;
	int ret;

	ret = ctl_credential_of_node(ctl, args, &node, &records, &n);
	if (!ret) {
		items = calloc(n + 1, sizeof(*items));
		ret = items ? ctl_credential_items(ctl, args, records, n, array, items, &used) :
			      ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	}
	if (!ret)
		ret = print(ctl, args, node.name, array, items, used);
	ctl_texts_free(items, used);
	json_object_put(array);
	ockam_credential_records_free(records, n);
	return ret;
}

static int ctl_credential_print_list(struct ctl *ctl, const struct ctl_args *args,
				     const char *node, struct json_object *array, char **items,
				     size_t n)
{
	(void)args;
	return n ? ctl_print_list(ctl, array, items, n) :
		   ctl_print_empty(ctl, "No Credentials found for node: %s", node);
}

/* Several when it is about more than one identity: the one that was stored last. */
static int ctl_credential_print_one(struct ctl *ctl, const struct ctl_args *args,
				    const char *node, struct json_object *array, char **items,
				    size_t n)
{
	struct ctl_result out = { };

	if (!n)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL,
				       "ockam credential list shows those there are",
				       "The node %s has no credential of %s with the scope %s",
				       node, ctl_arg(args, "issuer"), ctl_arg(args, "scope"));
	out.json = json_object_array_get_idx(array, n - 1);
	out.plain = items[n - 1];
	return ctl_output_result(&ctl->out, &out);
}

static int ctl_credential_list(struct ctl *ctl, const struct ctl_args *args)
{
	return ctl_credential_print(ctl, args, ctl_credential_print_list);
}

static int ctl_credential_show(struct ctl *ctl, const struct ctl_args *args)
{
	return ctl_credential_print(ctl, args, ctl_credential_print_one);
}

static const struct ctl_flag ctl_credential_list_flags[] = {
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>",
	  .help = "Node that presents them; default the default node" },
	{ .name = "subject", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTIFIER>",
	  .check = ctl_check_identifier, .help = "Only those about this identity" },
	{ .name = "issuer", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTIFIER>",
	  .check = ctl_check_identifier, .help = "Only those of this issuer" },
	{ }
};

const struct ctl_command ctl_credential_list_command = {
	.name = "list", .about = "List the credentials that a node has to present",
	.flags = ctl_credential_list_flags, .run = ctl_credential_list,
};

static const struct ctl_flag ctl_credential_show_flags[] = {
	{ .name = "issuer", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTIFIER>",
	  .required = true, .check = ctl_check_identifier, .help = "Who issued it" },
	{ .name = "scope", .kind = CTL_FLAG_VALUE, .placeholder = "<CREDENTIAL_SCOPE>",
	  .required = true, .check = ctl_check_scope,
	  .help = "Label that it was stored under" },
	{ .name = "subject", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTIFIER>",
	  .check = ctl_check_identifier, .help = "Whom it is about" },
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>",
	  .help = "Node that presents it; default the default node" },
	{ }
};

const struct ctl_command ctl_credential_show_command = {
	.name = "show", .about = "Show a credential that a node has to present",
	.flags = ctl_credential_show_flags, .run = ctl_credential_show,
};
