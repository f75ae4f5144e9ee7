// SPDX-License-Identifier: Apache-2.0
/*
 * ockam credential issue, verify and store (cli 2.11).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd_credential.h"
#include "credential_text.h"
#include "hex.h"
#include "node_new.h"
#include "rule.h"
#include "session.h"
#include "store_credential.h"

/* ---- issue ---- */

/* --attribute NAME=VALUE, each name once. Return: how many, or a negative errno. */
static int ctl_credential_attributes(const struct ctl_args *args,
				     struct ockam_attribute list[OCKAM_CREDENTIAL_ATTRIBUTES_MAX],
				     struct ockam_err *err)
{
	size_t iter = 0;
	const char *text;
	int n = 0;

	while ((text = ctl_arg_list(args, "attribute", &iter))) {
		size_t len = strcspn(text, "=");
		const char *value = text + len + 1;

		for (int i = 0; i < n; i++)
			if (list[i].name.len == len && !memcmp(list[i].name.data, text, len))
				return ockam_err_set(err, -EINVAL,
						     "The attribute '%.*s' is given twice",
						     (int)len, text);
		if (n == OCKAM_CREDENTIAL_ATTRIBUTES_MAX)
			return ockam_err_set(err, -E2BIG, "A credential has at most %u attributes",
					     OCKAM_CREDENTIAL_ATTRIBUTES_MAX);
		list[n].name = (struct ockam_piece){ (const uint8_t *)text, len };
		list[n++].value = (struct ockam_piece){ (const uint8_t *)value, strlen(value) };
	}
	return n;
}

/* The identity that issues; its vault must be the one that is named, if one is. */
static int ctl_credential_issuer(struct ctl *ctl, const struct ctl_args *args,
				 struct ockam_identity_record *record)
{
	const char *vault = ctl_arg_positional(args, 0);
	const char *name = ctl_arg(args, "as");
	struct ockam_vault_record where;
	struct ockam_err err;
	int ret;

	memset(record, 0, sizeof(*record));
	ret = ctl_store(ctl, !name);
	if (ret)
		return ret;
	if (name && !ctl->store)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL, "make it with: ockam identity create",
				       "no identifier found with name %s", name);
	if (name)
		ret = ockam_store_identity_get(ctl->store, name, record, &err);
	else
		ret = ockam_store_identity_default(ctl->store, &ctl->remarks, record, &err);
	if (!ret && vault)
		ret = ockam_store_vault_get(ctl->store, vault, &where, &err);
	if (!ret && vault && strcmp(vault, record->vault))
		ret = ockam_err_set(&err, -EINVAL,
				    "The key of the identity %s is in the vault %s, not in %s",
				    record->name, record->vault, vault);
	if (!ret)
		return CTL_EXIT_OK;
	ockam_identity_record_free(record);
	return ctl_output_fail_err(&ctl->out, &err);
}

static int ctl_credential_sign(struct ctl *ctl, const struct ctl_args *args,
			       const struct ockam_identity_record *issuer, struct ockam_buf *out,
			       struct ockam_err *err)
{
	struct ockam_attribute attributes[OCKAM_CREDENTIAL_ATTRIBUTES_MAX];
	uint64_t ttl = (uint64_t)ctl_duration_ms(ctl_arg(args, "ttl")) / 1000;
	uint8_t subject[OCKAM_IDENTIFIER_LEN];
	struct ockam_identity *known = NULL;
	uint64_t now = (uint64_t)time(NULL);
	struct ockam_purpose_key key = { };
	int ret, n;

	n = ctl_credential_attributes(args, attributes, err);
	if (n < 0)
		return n;
	ret = ockam_identifier_parse(ctl_arg(args, "for"), subject, err);
	if (!ret)
		ret = ockam_store_peer_get(ctl->store, subject, &known, NULL, err);
	/* The subject need not be known; then its latest change is left out. */
	if (!ret || ret == -ENOENT)
		ret = ockam_store_purpose_key(ctl->store, issuer->name, OCKAM_PURPOSE_CREDENTIAL,
					      now, &key, err);
	if (!ret)
		ret = ockam_credential_issue(key.attestation.data, key.attestation.len, key.secret,
					     subject,
					     known ? ockam_identity_latest(known)->hash : NULL,
					     attributes, (size_t)n, now, ttl, out, err);
	ockam_purpose_key_wipe(&key);
	ockam_identity_free(known);
	return ret;
}

static char *ctl_credential_hex(const struct ockam_buf *bytes)
{
	char *hex = malloc(2 * bytes->len + 1);

	if (hex)
		ockam_hex_encode(bytes->data, bytes->len, hex);
	return hex;
}

static int ctl_credential_issue(struct ctl *ctl, const struct ctl_args *args)
{
	bool as_hex = !strcmp(ctl_arg(args, "encoding"), "hex");
	struct ockam_identity_record issuer;
	struct ctl_credential credential = { };
	struct ockam_buf bytes = { };
	struct ctl_result out = { };
	struct ockam_err err;
	char *plain, *hex;
	int ret;

	ret = ctl_credential_issuer(ctl, args, &issuer);
	if (ret)
		return ret;
	ret = ctl_credential_sign(ctl, args, &issuer, &bytes, &err);
	if (!ret)
		ret = ctl_credential_decode(&credential, bytes.data, bytes.len, &err);
	ockam_identity_record_free(&issuer);
	if (ret) {
		ockam_buf_free(&bytes);
		return ctl_output_fail_err(&ctl->out, &err);
	}
	hex = ctl_credential_hex(&bytes);
	plain = ctl_credential_plain(&credential);
	out.plain = as_hex ? hex : plain;
	out.machine = as_hex ? hex : NULL;
	out.json = ctl_credential_object(&credential);
	ockam_value_put_text(out.json, "credential", hex);
	if (hex && plain)
		ret = ctl_output_result(&ctl->out, &out);
	else
		ret = ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	json_object_put(out.json);
	free(plain);
	free(hex);
	ctl_credential_free(&credential);
	ockam_buf_free(&bytes);
	return ret;
}

/* ---- verify ---- */

/* Read and check what is given. Return: as ctl_credential_given() and _check(). */
static int ctl_credential_take(struct ctl *ctl, const struct ctl_args *args,
			       struct ctl_credential *credential, struct ockam_err *err)
{
	uint8_t issuer[OCKAM_IDENTIFIER_LEN];
	int ret;

	ret = ctl_credential_given(credential, args, err);
	if (!ret)
		ret = ockam_identifier_parse(ctl_arg(args, "issuer"), issuer, err);
	if (!ret)
		ret = ctl_credential_check(ctl, credential, issuer, err);
	return ret;
}

static int ctl_credential_verify(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_credential credential;
	struct ctl_result out = { };
	struct ockam_err err;
	int bad, ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	ctl_output_note(&ctl->out, CTL_MARK_NONE, "Verifying credential...");
	bad = ctl_credential_take(ctl, args, &credential, &err);
	ctl_credential_free(&credential);
	if (bad && !ctl_credential_is_bad(bad))
		return ctl_output_fail_err(&ctl->out, &err);
	if (bad)
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
	out.machine = bad ? "false" : "true";
	out.plain = bad ? "Credential is not valid" : "Credential is valid";
	out.json = json_object_new_object();
	ockam_value_put_bool(out.json, "is_valid", !bad);
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	return ret;
}

/* ---- store ---- */

/*
 * The node that is to present it. With --at it may be stopped; the default node
 * is made when there is none, and must run (cli 1.10).
 */
static int ctl_credential_node(struct ctl *ctl, const struct ctl_args *args,
			       struct ockam_node_record *node)
{
	const char *at = ctl_arg(args, "at");
	int ret;

	if (!at) {
		ret = ctl_node_new_default(ctl);
		if (ret)
			return ret;
	}
	ret = ctl_session_node(ctl, at, node);
	if (ret || at || ockam_node_runs(node))
		return ret;
	return ctl_output_fail(&ctl->out, -ECONNREFUSED, NULL, "start it with: ockam node start",
			       "Default node exists but is not running");
}

/* A node that runs uses it at once. */
static int ctl_credential_tell(struct ctl *ctl, const struct ctl_args *args,
			       const struct ockam_node_record *node)
{
	struct ctl_session session;
	struct json_object *request;
	struct ockam_err err;
	int ret;

	if (!ockam_node_runs(node))
		return CTL_EXIT_OK;
	ret = ctl_session_open_path(ctl, node->name, node->control, &session);
	if (ret)
		return ret;
	request = json_object_new_object();
	ockam_value_put_text(request, "issuer", ctl_arg(args, "issuer"));
	ockam_value_put_text(request, "scope", ctl_arg(args, "scope"));
	ret = ctl_session_call(&session, "credential.changed", request, ctl_session_timeout_ms(),
			       NULL, &err);
	ctl_session_close(&session);
	if (!ret)
		return CTL_EXIT_OK;
	return ctl_output_fail(&ctl->out, ret, err.text, "restart the node",
			       "The credential is stored, but the node %s does not use it yet",
			       node->name);
}

static int ctl_credential_put(struct ctl *ctl, const struct ctl_args *args,
			      const struct ockam_node_record *node,
			      const struct ctl_credential *credential)
{
	struct ockam_credential_record record = { .expires_at = credential->fields.expires_at };
	struct ockam_err err;
	int ret;

	memcpy(record.subject, credential->fields.subject, sizeof(record.subject));
	memcpy(record.issuer, credential->fields.issuer.subject, sizeof(record.issuer));
	snprintf(record.scope, sizeof(record.scope), "%s", ctl_arg(args, "scope"));
	record.bytes = credential->bytes;
	ret = ockam_store_credential_put(ctl->store, node->name, &record, (uint64_t)time(NULL),
					 &err);
	if (ret)
		return ctl_output_fail_err(&ctl->out, &err);
	if (memcmp(record.subject, node->identifier, sizeof(record.subject)))
		ctl_output_note(&ctl->out, CTL_MARK_WARN,
				"It is about another identity than the one that the node %s has",
				node->name);
	return CTL_EXIT_OK;
}

static int ctl_credential_store_it(struct ctl *ctl, const struct ctl_args *args,
				   const struct ctl_credential *credential)
{
	char *hex = ctl_credential_hex(&credential->bytes);
	struct ctl_result out = { .machine = hex, .plain = "Credential stored" };
	char issuer[OCKAM_IDENTIFIER_TEXT];
	struct ockam_node_record node;
	int ret;

	if (!hex)
		return ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	ret = ctl_credential_node(ctl, args, &node);
	if (!ret)
		ret = ctl_credential_put(ctl, args, &node, credential);
	if (!ret)
		ret = ctl_credential_tell(ctl, args, &node);
	if (!ret) {
		ockam_identifier_format(credential->fields.issuer.subject, issuer);
		out.json = json_object_new_object();
		ockam_value_put_text(out.json, "credential", hex);
		ockam_value_put_text(out.json, "issuer", issuer);
		ret = ctl_output_result(&ctl->out, &out);
		json_object_put(out.json);
	}
	free(hex);
	return ret;
}

static int ctl_credential_store(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_credential credential;
	struct ockam_err err;
	int bad, ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	ctl_output_note(&ctl->out, CTL_MARK_NONE, "Storing credential...");
	bad = ctl_credential_take(ctl, args, &credential, &err);
	if (!bad)
		ret = ctl_credential_store_it(ctl, args, &credential);
	else if (ctl_credential_is_bad(bad))
		ret = ctl_output_fail(&ctl->out, bad, err.text, NULL, "Credential is not verified");
	else
		ret = ctl_output_fail_err(&ctl->out, &err);
	ctl_credential_free(&credential);
	return ret;
}

/* ---- tables ---- */

static int ctl_credential_check_attribute(const char *value, struct ockam_err *why)
{
	if (*value && *value != '=' && strchr(value, '='))
		return 0;
	return ockam_err_set(why, -EINVAL, "expected name=value");
}

static int ctl_credential_check_encoding(const char *value, struct ockam_err *why)
{
	if (!strcmp(value, "plain") || !strcmp(value, "hex"))
		return 0;
	return ockam_err_set(why, -EINVAL, "possible values are plain and hex");
}

static int ctl_credential_check_ttl(const char *value, struct ockam_err *why)
{
	int64_t ms = ctl_duration_ms(value);

	if (ms < 0)
		return ctl_check_duration(value, why);
	return ms < 1000 ? ockam_err_set(why, -EINVAL, "expected one second at least") : 0;
}

static const struct ctl_flag ctl_credential_issue_flags[] = {
	{ .name = "as", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .help = "Identity that issues; default the default identity" },
	{ .name = "for", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTIFIER>", .required = true,
	  .check = ctl_check_identifier, .help = "Whom it is about" },
	{ .name = "attribute", .letter = 'a', .kind = CTL_FLAG_LIST,
	  .placeholder = "<ATTRIBUTE>", .check = ctl_credential_check_attribute,
	  .help = "What it says, as name=value" },
	{ .name = "encoding", .kind = CTL_FLAG_VALUE, .placeholder = "<ENCODING>",
	  .fallback = "plain", .check = ctl_credential_check_encoding,
	  .help = "Form of the credential: plain or hex" },
	{ .name = "ttl", .kind = CTL_FLAG_VALUE, .placeholder = "<TTL>", .fallback = "30m",
	  .check = ctl_credential_check_ttl, .help = "How long it is valid" },
	{ }
};

static const struct ctl_flag ctl_credential_verify_flags[] = {
	CTL_ISSUER_FLAG,
	CTL_CREDENTIAL_FLAG,
	CTL_CREDENTIAL_PATH_FLAG,
	{ }
};

static const struct ctl_flag ctl_credential_store_flags[] = {
	CTL_ISSUER_FLAG,
	CTL_CREDENTIAL_FLAG,
	CTL_CREDENTIAL_PATH_FLAG,
	{ .name = "scope", .kind = CTL_FLAG_VALUE, .placeholder = "<CREDENTIAL_SCOPE>",
	  .required = true, .check = ctl_check_scope,
	  .help = "Label that the node finds it by" },
	{ .name = "at", .kind = CTL_FLAG_VALUE, .placeholder = "<NODE_NAME>",
	  .help = "Node that presents it; default the default node" },
	{ }
};

static const struct ctl_positional ctl_credential_issue_positionals[] = {
	{ .name = "VAULT_NAME", .help = "Vault that must hold the issuer's key" },
	{ }
};

static const struct ctl_command ctl_credential_issue_command = {
	.name = "issue", .about = "Issue a credential: sign attributes of an identity",
	.flags = ctl_credential_issue_flags, .positionals = ctl_credential_issue_positionals,
	.run = ctl_credential_issue,
};

static const struct ctl_command ctl_credential_verify_command = {
	.name = "verify", .about = "Say whether a credential is valid",
	.details = "Prints true or false and ends with 0 in both cases.",
	.flags = ctl_credential_verify_flags, .run = ctl_credential_verify,
};

static const struct ctl_command ctl_credential_store_command = {
	.name = "store", .about = "Give a node a credential to present",
	.details = "A node that was created with this issuer as --authority-identity and this scope as\n"
		   "--credential-scope presents it on channels that are made from then on.",
	.flags = ctl_credential_store_flags, .run = ctl_credential_store,
};

const struct ctl_command ctl_cmd_credential = {
	.name = "credential",
	.about = "Credentials: what an authority says about an identity",
	.children = (const struct ctl_command *const[]){
		&ctl_credential_issue_command, &ctl_credential_verify_command,
		&ctl_credential_store_command, &ctl_credential_list_command,
		&ctl_credential_show_command, NULL
	},
};
