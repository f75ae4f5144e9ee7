// SPDX-License-Identifier: Apache-2.0
/*
 * ockam identity (cli 2.9).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "control.h"
#include "ctl.h"
#include "hex.h"
#include "value.h"

#define CTL_IDENTITY_TELL_MS	5000

/* Print an identifier, with what --output json shows. */
static int ctl_identity_print(struct ctl *ctl, const struct ockam_identity_record *record,
			      const char *plain)
{
	char text[OCKAM_IDENTIFIER_TEXT];
	struct ctl_result out = { .machine = text, .plain = plain };
	int ret;

	ockam_identifier_format(record->identity->identifier, text);
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "identifier", text);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	return ret;
}

/* An identity has a longer history: running nodes that use it take it over at once. */
static void ctl_identity_tell_nodes(struct ctl *ctl)
{
	struct ockam_node_record *nodes = NULL;
	struct ockam_control *control;
	struct ockam_err err;
	size_t n = 0, i;
	int ret;

	if (ockam_store_node_list(ctl->store, &nodes, &n, &err)) {
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
		return;
	}
	for (i = 0; i < n; i++) {
		if (!ockam_node_runs(&nodes[i]))
			continue;
		ret = ockam_control_connect(nodes[i].control, &control, &err);
		if (!ret) {
			ret = ockam_control_call(control, "identity.changed", NULL,
						 CTL_IDENTITY_TELL_MS, NULL, &err);
			ockam_control_close(control);
		}
		if (ret)
			ctl_output_note(&ctl->out, CTL_MARK_WARN,
					"The node %s could not take it over at once: %s",
					nodes[i].name, err.text);
	}
	free(nodes);
}

static int ctl_identity_import(struct ctl *ctl, const struct ctl_args *args, const char *name,
			       struct ockam_identity_record *record, bool *existed)
{
	const char *hex = ctl_arg(args, "identity");
	size_t len = strlen(hex);
	uint8_t *bytes = malloc(len / 2 + 1);
	struct ockam_err err;
	size_t n = 0;
	int ret;

	if (!bytes)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	ret = ockam_hex_decode(hex, len, bytes, len / 2, &n, &err);
	if (ret < 0)
		ockam_err_prefix(&err, "the identity");
	else
		ret = ockam_store_identity_import(ctl->store, name, ctl_arg(args, "vault"), bytes,
						  n, &ctl->remarks, record, &err);
	/* The very same again: nothing changes. A name for something else is taken. */
	*existed = ret == -EEXIST && record->identity && record->identity->history_len == n &&
		   !memcmp(record->identity->history, bytes, n);
	free(bytes);
	if (!ret)
		ctl_identity_tell_nodes(ctl);
	return ret < 0 && !*existed ? ctl_output_fail_err(&ctl->out, &err) : CTL_EXIT_OK;
}

/* Value of --key-type, checked before. */
static enum ockam_key_kind ctl_identity_key_kind(const struct ctl_args *args)
{
	enum ockam_key_kind kind = OCKAM_KEY_ED25519;

	if (ctl_arg(args, "key-type"))
		ockam_key_kind_parse(ctl_arg(args, "key-type"), &kind, NULL);
	return kind;
}

static int ctl_identity_unknown(struct ctl *ctl, const char *name)
{
	if (!name)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL,
				       "make one with: ockam identity create",
				       "no default identifier found");
	return ctl_output_fail(&ctl->out, -ENOENT, NULL,
			       "ockam identity list shows the identities there are",
			       "no identifier found with name %s", name);
}

static int ctl_identity_create(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_arg_positional(args, 0);
	struct ockam_identity_record record = { };
	enum ockam_key_kind kind = ctl_identity_key_kind(args);
	bool import = ctl_arg(args, "identity");
	char text[OCKAM_IDENTIFIER_TEXT];
	bool existed = false;
	struct ockam_err err;
	char *plain = NULL;
	int ret;

	ret = ctl_store(ctl, true);
	if (ret)
		return ret;
	if (import) {
		ret = ctl_identity_import(ctl, args, name, &record, &existed);
		if (ret) {
			ockam_identity_record_free(&record);
			return ret;
		}
	} else {
		ret = ockam_store_identity_create(ctl->store, name, ctl_arg(args, "vault"),
						  ctl_arg(args, "key-id"), kind, &ctl->remarks,
						  &record, &err);
		/* A name that is taken: show what it names, nothing changes. */
		existed = ret == -EEXIST && record.identity;
		if (ret < 0 && !existed)
			return ctl_output_fail_err(&ctl->out, &err);
	}
	ockam_identifier_format(record.identity->identifier, text);
	if (asprintf(&plain, existed ? "Identity %2$s\nalready exists as %1$s" : import ? "Identity imported successfully with name %1$s\nIdentity %2$s"
				    : "Identity %2$s\ncreated successfully as %1$s",
		     record.name, text) < 0)
		plain = NULL;
	ret = ctl_identity_print(ctl, &record, plain);
	free(plain);
	ockam_identity_record_free(&record);
	return ret;
}

static int ctl_identity_rotate(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_arg_positional(args, 0);
	enum ockam_key_kind kind = ctl_identity_key_kind(args);
	bool given = ctl_arg(args, "key-type");
	struct ockam_identity_record record = { };
	char text[OCKAM_IDENTIFIER_TEXT];
	struct ockam_err err;
	char *plain = NULL;
	int ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	ret = -ENOENT;
	if (ctl->store)
		ret = ockam_store_identity_rotate(ctl->store, name, given ? &kind : NULL, &record,
						  &err);
	if (ret == -ENOENT)
		return ctl_identity_unknown(ctl, name);
	if (ret < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	ctl_identity_tell_nodes(ctl);
	ockam_identifier_format(record.identity->identifier, text);
	if (asprintf(&plain, "Identity %s\nnamed %s has a new key, the history has %zu changes now",
		     text, record.name, record.identity->n_changes) < 0)
		plain = NULL;
	ret = ctl_identity_print(ctl, &record, plain);
	free(plain);
	ockam_identity_record_free(&record);
	return ret;
}

/* The text of --full, and the same as an object. */
static char *ctl_identity_full(const struct ockam_identity *identity, struct json_object *json)
{
	struct json_object *changes = json_object_new_array();
	char id[OCKAM_IDENTIFIER_TEXT];
	char *text = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&text, &size);

	ockam_identifier_format(identity->identifier, id);
	ockam_value_put_text(json, "identifier", id);
	ockam_value_put(json, "changes", changes);
	if (!f)
		return NULL;
	fprintf(f, "Identifier: %s", id);
	for (i = 0; i < identity->n_changes; i++) {
		const struct ockam_change *change = &identity->changes[i];
		const char *type = ockam_key_kind_name(change->key.kind);
		struct json_object *item = json_object_new_object();
		char hash[OCKAM_HASH_LEN * 2 + 1];
		char key[2 * sizeof(change->key.bytes) + 1];

		ockam_hex_encode(change->hash, OCKAM_HASH_LEN, hash);
		ockam_hex_encode(change->key.bytes, change->key.len, key);
		fprintf(f, "\nChange[%zu]:\n  identifier:              %s", i, hash);
		fprintf(f, "\n  primary_public_key:      %s: %s", type, key);
		fprintf(f, "\n  revoke_all_purpose_keys: %s",
			change->revoke_all_purpose_keys ? "true" : "false");
		ockam_value_put_text(item, "change_hash", hash);
		ockam_value_put_text(item, "primary_public_key", key);
		ockam_value_put_text(item, "primary_public_key_type", type);
		ockam_value_put_bool(item, "revoke_all_purpose_keys",
				     change->revoke_all_purpose_keys);
		json_object_array_add(changes, item);
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static int ctl_identity_show_full(struct ctl *ctl, const struct ctl_args *args,
				  const struct ockam_identity_record *record)
{
	const char *encoding = ctl_arg(args, "encoding");
	const struct ockam_identity *identity = record->identity;
	struct ctl_result out = { .json = json_object_new_object() };
	char *text;
	int ret;

	if (encoding && !strcmp(encoding, "hex")) {
		text = malloc(identity->history_len * 2 + 1);
		if (text) {
			ockam_hex_encode(identity->history, identity->history_len, text);
			ockam_value_put_text(out.json, "encoded", text);
		}
	} else {
		text = ctl_identity_full(identity, out.json);
	}
	out.plain = text;
	out.machine = text;
	ret = text ? ctl_output_result(&ctl->out, &out)
		   : ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	free(text);
	json_object_put(out.json);
	return ret;
}

static int ctl_identity_show(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_arg_positional(args, 0);
	struct ockam_identity_record record = { };
	struct ockam_err err;
	int ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	ret = ctl->store ? ockam_store_identity_get(ctl->store, name, &record, &err) : -ENOENT;
	if (ret == -ENOENT)
		return ctl_identity_unknown(ctl, name);
	if (ret < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (ctl_arg_switch(args, "full"))
		ret = ctl_identity_show_full(ctl, args, &record);
	else
		ret = ctl_identity_print(ctl, &record, NULL);
	ockam_identity_record_free(&record);
	return ret;
}

static int ctl_identity_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct ockam_identity_record *records = NULL;
	char id[OCKAM_IDENTIFIER_TEXT];
	struct json_object *array, *item;
	struct ockam_err err;
	size_t n = 0, i;
	char **items;
	int ret;

	(void)args;
	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ctl->store && ockam_store_identity_list(ctl->store, &records, &n, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (!n)
		return ctl_print_empty(ctl, "No identities found on this system.");
	items = calloc(n, sizeof(*items));
	array = json_object_new_array();
	for (i = 0; items && i < n; i++) {
		ockam_identifier_format(records[i].identity->identifier, id);
		item = json_object_new_object();
		ockam_value_put_text(item, "identifier", id);
		ockam_value_put_bool(item, "is_default", records[i].is_default);
		ockam_value_put_text(item, "name", records[i].name);
		ockam_value_put_text(item, "vault_name", records[i].vault);
		json_object_array_add(array, item);
		if (asprintf(&items[i], "%s%s\n%s", records[i].name,
			     records[i].is_default ? " (default)" : "", id) < 0)
			items[i] = strdup("");
	}
	ret = ctl_print_list(ctl, array, items, n);
	ctl_texts_free(items, n);
	json_object_put(array);
	ockam_identity_records_free(records, n);
	return ret;
}

static int ctl_identity_default(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_arg_positional(args, 0);
	struct ockam_identity_record record = { };
	struct ctl_result out = { };
	struct ockam_err err;
	char *plain = NULL;
	int ret;

	ret = ctl_store(ctl, true);
	if (ret)
		return ret;
	if (name) {
		ret = ockam_store_identity_set_default(ctl->store, name, &err);
		if (ret == -EALREADY)
			return ctl_output_fail(&ctl->out, ret, NULL, NULL,
					       "The identity named '%s' is already the default",
					       name);
		if (ret < 0)
			return ctl_output_fail_err(&ctl->out, &err);
		if (asprintf(&plain, "The identity named '%s' is now the default", name) < 0)
			plain = NULL;
		out.machine = name;
	} else {
		ret = ockam_store_identity_default(ctl->store, &ctl->remarks, &record, &err);
		if (ret < 0)
			return ctl_output_fail_err(&ctl->out, &err);
		if (asprintf(&plain, "The name of the default identity is '%s'", record.name) < 0)
			plain = NULL;
		ockam_identity_record_free(&record);
	}
	out.plain = plain;
	ret = ctl_output_result(&ctl->out, &out);
	free(plain);
	return ret;
}

static int ctl_identity_delete_one(struct ctl *ctl, const char *name)
{
	struct ctl_result out = { .machine = name };
	struct ockam_err err;
	char *plain = NULL;
	int ret;

	ret = ockam_store_identity_delete(ctl->store, name, &err);
	if (ret == -ENOENT)
		return ctl_output_fail(&ctl->out, ret, NULL, NULL, "The identity %s was not found",
				       name);
	if (ret < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (asprintf(&plain, "The identity named %s has been deleted", name) < 0)
		plain = NULL;
	out.plain = plain;
	out.json = json_object_new_object();
	ockam_value_put_text(out.json, "name", name);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(plain);
	return ret;
}

static const char *ctl_identity_name_at(const void *records, size_t i)
{
	return ((const struct ockam_identity_record *)records)[i].name;
}

static int ctl_identity_delete(struct ctl *ctl, const struct ctl_args *args)
{
	const char *name = ctl_arg_positional(args, 0);
	struct ockam_identity_record *records = NULL;
	bool all = ctl_arg_switch(args, "all");
	struct ockam_err err;
	int chosen = -1;
	size_t n = 0, i;
	int ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ctl->store && ockam_store_identity_list(ctl->store, &records, &n, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (!n)
		return ctl_print_empty(ctl, "There are no identities to delete");
	if (!name && !all)
		chosen = ctl_select(ctl, args, "Which identity shall be deleted?",
				    ctl_identity_name_at, records, n);
	if (chosen >= 0 && chosen < (int)n)
		name = records[chosen].name;
	if (!name && !all)
		ret = chosen < 0 ? ctl_delete_unnamed(ctl, args, "identity") : CTL_EXIT_OK;
	else if (!ctl_confirm_delete(ctl, args, "identity", "identities", n))
		ret = CTL_EXIT_FAILURE;
	if (ret || (!name && !all)) {
		ockam_identity_records_free(records, n);
		return ret;
	}
	if (!all)
		ret = ctl_identity_delete_one(ctl, name);
	for (i = 0; all && i < n; i++) {
		if (ctl_identity_delete_one(ctl, records[i].name))
			ctl_output_note(&ctl->out, CTL_MARK_WARN, "Failed to delete identity %s",
					records[i].name);
	}
	ockam_identity_records_free(records, n);
	return ret;
}

static int ctl_identity_check_encoding(const char *value, struct ockam_err *why)
{
	if (!strcmp(value, "plain") || !strcmp(value, "hex"))
		return 0;
	return ockam_err_set(why, -EINVAL, "possible values are plain and hex");
}

static int ctl_identity_check_key_type(const char *value, struct ockam_err *why)
{
	enum ockam_key_kind kind;

	return ockam_key_kind_parse(value, &kind, why);
}

static const struct ctl_flag ctl_identity_create_flags[] = {
	{ .name = "vault", .kind = CTL_FLAG_VALUE, .placeholder = "<VAULT_NAME>",
	  .help = "Vault that keeps the key; made if missing" },
	{ .name = "key-id", .letter = 'k', .kind = CTL_FLAG_VALUE, .placeholder = "<KEY_ID>",
	  .excludes = "identity", .help = "Key of the vault to use instead of a new one" },
	{ .name = "key-type", .kind = CTL_FLAG_VALUE, .placeholder = "<KEY_TYPE>",
	  .excludes = "key-id", .check = ctl_identity_check_key_type,
	  .help = "Kind of the new key: ed25519 (default) or p256" },
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY>",
	  .excludes = "key-type", .check = ctl_check_hex,
	  .help = "Change history in hex to import" },
	{ }
};

static const struct ctl_flag ctl_identity_show_flags[] = {
	{ .name = "full", .letter = 'f', .help = "Show all changes" },
	{ .name = "encoding", .kind = CTL_FLAG_VALUE, .placeholder = "<ENCODING>",
	  .requires = "full", .check = ctl_identity_check_encoding,
	  .help = "Form of the change history: plain or hex" },
	{ }
};

static const struct ctl_flag ctl_identity_rotate_flags[] = {
	{ .name = "key-type", .kind = CTL_FLAG_VALUE, .placeholder = "<KEY_TYPE>",
	  .check = ctl_identity_check_key_type,
	  .help = "Kind of the new key: ed25519 or p256; the same as before if not given" },
	{ }
};

static const struct ctl_flag ctl_identity_delete_flags[] = {
	{ .name = "all", .help = "Delete all identities" },
	CTL_YES_FLAG,
	{ }
};

static const struct ctl_positional ctl_identity_name[] = {
	{ .name = "NAME", .excludes = "all", .help = "Name of the identity" },
	{ }
};

static const struct ctl_command ctl_identity_create_command = {
	.name = "create", .about = "Create or import an identity",
	.flags = ctl_identity_create_flags, .positionals = ctl_identity_name,
	.run = ctl_identity_create,
};

static const struct ctl_command ctl_identity_show_command = {
	.name = "show", .about = "Show an identity", .flags = ctl_identity_show_flags,
	.positionals = ctl_identity_name, .run = ctl_identity_show,
};

static const struct ctl_command ctl_identity_list_command = {
	.name = "list", .about = "List identities", .run = ctl_identity_list,
};

static const struct ctl_command ctl_identity_rotate_command = {
	.name = "rotate", .about = "Give an identity a new key",
	.details = "The identifier stays; the old key signs the new one. Running nodes of this home\n"
		   "use the new key for channels made from now on; channels that are there go on.",
	.flags = ctl_identity_rotate_flags, .positionals = ctl_identity_name,
	.run = ctl_identity_rotate,
};

static const struct ctl_command ctl_identity_default_command = {
	.name = "default", .about = "Show or set the default identity",
	.positionals = ctl_identity_name, .run = ctl_identity_default,
};

static const struct ctl_command ctl_identity_delete_command = {
	.name = "delete", .about = "Delete identities and their keys",
	.flags = ctl_identity_delete_flags, .positionals = ctl_identity_name,
	.run = ctl_identity_delete,
};

const struct ctl_command ctl_cmd_identity = {
	.name = "identity",
	.about = "Identities: who a node is to its peers",
	.children = (const struct ctl_command *const[]){
		&ctl_identity_create_command, &ctl_identity_show_command,
		&ctl_identity_list_command, &ctl_identity_default_command,
		&ctl_identity_rotate_command, &ctl_identity_delete_command,
		&ctl_identity_peers_command, NULL
	},
};
