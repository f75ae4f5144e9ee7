// SPDX-License-Identifier: Apache-2.0
/*
 * Trust options of nodes, and the credentials they present.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "store_credential.h"
#include "store_sql.h"

#define OCKAM_CREDENTIAL_COLUMNS	"subject, issuer, scope, expires_at, credential"

int ockam_scope_check(const char *scope, struct ockam_err *err)
{
	struct ockam_piece text = { (const uint8_t *)scope, strlen(scope) };

	if (!text.len || text.len >= OCKAM_SCOPE_SIZE)
		return ockam_err_set(err, -EINVAL, "a credential scope must have 1 to %d bytes",
				     OCKAM_SCOPE_SIZE - 1);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 || text.data[i] == 0x7f)
			return ockam_err_set(err, -EINVAL,
					     "a credential scope may not hold control characters");
	if (!ockam_bare_is_text(&text))
		return ockam_err_set(err, -EINVAL, "a credential scope must be UTF-8");
	return 0;
}

/* ---- trust options of a node ---- */

void ockam_node_trust_free(struct ockam_node_trust *trust)
{
	ockam_identity_free(trust->authority);
	memset(trust, 0, sizeof(*trust));
}

static int ockam_store_no_node(const char *name, struct ockam_err *err)
{
	return ockam_err_set(err, -ENOENT, "There is no node with name %s", name);
}

int ockam_store_node_rule(struct ockam_store *store, const char *name, char **rule,
			  struct ockam_err *err)
{
	const char *text = NULL;
	sqlite3_stmt *stmt;
	int ret;

	*rule = NULL;
	ret = ockam_sql_query(store->db, &stmt, err, "SELECT api_rule FROM nodes WHERE name = ?",
			      "s", name);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0)
		text = (const char *)sqlite3_column_text(stmt, 0);
	if (text && text[0]) {
		*rule = strdup(text);
		if (!*rule)
			ret = ockam_err_set(err, -ENOMEM, "no memory for a rule");
	}
	sqlite3_finalize(stmt);
	if (ret)
		return ret < 0 ? ret : 0;
	return ockam_store_no_node(name, err);
}

int ockam_store_node_set_rule(struct ockam_store *store, const char *name, const char *rule,
			      struct ockam_err *err)
{
	int ret = ockam_sql_begin(store, err);

	if (ret)
		return ret;
	ret = ockam_sql_run(store->db, err, "UPDATE nodes SET api_rule = ? WHERE name = ?", "ss",
			    rule ? rule : "", name);
	if (!ret)
		ret = ockam_store_no_node(name, err);
	ret = ockam_sql_end(store, ret, err);
	return ret < 0 ? ret : 0;
}

int ockam_store_node_set_trust(struct ockam_store *store, const char *name,
			       const struct ockam_node_trust *trust, struct ockam_err *err)
{
	const struct ockam_identity *authority = trust->authority;
	int ret;

	ret = trust->scope[0] ? ockam_scope_check(trust->scope, err) : 0;
	if (ret)
		return ret;
	ret = ockam_sql_run(store->db, err,
			    "UPDATE nodes SET authority = ?, credential_scope = ?,"
			    " strict_identities = ? WHERE name = ?", "bsis",
			    authority ? authority->history : NULL,
			    authority ? authority->history_len : 0, trust->scope,
			    (int64_t)trust->strict_identities, name);
	if (ret)
		return ret < 0 ? ret : 0;
	return ockam_store_no_node(name, err);
}

int ockam_store_node_trust(struct ockam_store *store, const char *name,
			   struct ockam_node_trust *trust, struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	memset(trust, 0, sizeof(*trust));
	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT authority, credential_scope, strict_identities FROM nodes"
			      " WHERE name = ?", "s", name);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0) {
		ockam_sql_text(stmt, 1, trust->scope, sizeof(trust->scope));
		trust->strict_identities = sqlite3_column_int(stmt, 2);
		ret = 0;
		if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
			ret = ockam_identity_decode(sqlite3_column_blob(stmt, 0),
						    (size_t)sqlite3_column_bytes(stmt, 0),
						    &trust->authority, err);
		if (ret)
			ockam_err_prefix(err, "the authority of node %s in the database", name);
	} else if (!ret) {
		ret = ockam_store_no_node(name, err);
	}
	sqlite3_finalize(stmt);
	if (ret)
		ockam_node_trust_free(trust);
	return ret;
}

int ockam_store_node_claim_trust(struct ockam_store *store, struct ockam_node_record *node,
				 const struct ockam_node_trust *trust,
				 struct ockam_node_record *before,
				 struct ockam_node_trust *trust_before, struct ockam_err *err)
{
	int ret;

	memset(trust_before, 0, sizeof(*trust_before));
	ret = ockam_name_check_node(node->name, err);
	if (!ret)
		ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = __ockam_store_node_claim(store, node, before, err);
	if (!ret)
		ret = ockam_store_node_trust(store, node->name, trust_before, err);
	if (!ret)
		ret = ockam_store_node_set_trust(store, node->name, trust, err);
	ret = ockam_sql_end(store, ret, err);
	if (ret)
		ockam_node_trust_free(trust_before);
	return ret;
}

/* ---- own credentials ---- */

void ockam_credential_record_free(struct ockam_credential_record *record)
{
	ockam_buf_free(&record->bytes);
	memset(record, 0, sizeof(*record));
}

void ockam_credential_records_free(struct ockam_credential_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ockam_credential_record_free(&records[i]);
	free(records);
}

static int ockam_credential_row(sqlite3_stmt *stmt, struct ockam_credential_record *record,
				struct ockam_err *err)
{
	memset(record, 0, sizeof(*record));
	ockam_sql_fixed(stmt, 0, record->subject, OCKAM_IDENTIFIER_LEN);
	ockam_sql_fixed(stmt, 1, record->issuer, OCKAM_IDENTIFIER_LEN);
	ockam_sql_text(stmt, 2, record->scope, sizeof(record->scope));
	record->expires_at = (uint64_t)sqlite3_column_int64(stmt, 3);
	ockam_sql_blob(stmt, 4, &record->bytes);
	if (!record->bytes.failed)
		return 0;
	ockam_credential_record_free(record);
	return ockam_err_set(err, -ENOMEM, "no memory for a credential");
}

int ockam_sql_has_node(struct ockam_store *store, const char *name, struct ockam_err *err)
{
	int64_t count = ockam_sql_count(store->db, err,
					"SELECT count(*) FROM nodes WHERE name = ?", "s", name);

	if (count < 0)
		return (int)count;
	return count ? 0 : ockam_store_no_node(name, err);
}

int64_t ockam_sql_time(uint64_t seconds)
{
	return seconds > INT64_MAX ? INT64_MAX : (int64_t)seconds;
}

/* Too many: those that have expired go, and only they. */
static int __ockam_credential_make_room(struct ockam_store *store, const char *node, uint64_t now,
					struct ockam_err *err)
{
	static const char count_sql[] = "SELECT count(*) FROM credentials WHERE node = ?";
	int64_t count = ockam_sql_count(store->db, err, count_sql, "s", node);
	int ret;

	if (count <= OCKAM_STORE_CREDENTIALS_MAX)
		return count < 0 ? (int)count : 0;
	ret = ockam_sql_run(store->db, err,
			    "DELETE FROM credentials WHERE node = ? AND expires_at < ?", "si", node,
			    ockam_sql_time(now));
	if (ret < 0)
		return ret;
	count = ockam_sql_count(store->db, err, count_sql, "s", node);
	if (count <= OCKAM_STORE_CREDENTIALS_MAX)
		return count < 0 ? (int)count : 0;
	return ockam_err_set(err, -ENOSPC,
			     "the node %s keeps %d credentials that have not expired, no more fit",
			     node, OCKAM_STORE_CREDENTIALS_MAX);
}

static int __ockam_credential_put(struct ockam_store *store, const char *node,
				  const struct ockam_credential_record *record, uint64_t now,
				  struct ockam_err *err)
{
	int ret = ockam_sql_has_node(store, node, err);

	if (ret)
		return ret;
	ret = ockam_sql_run(store->db, err,
			    "INSERT OR REPLACE INTO credentials (node, " OCKAM_CREDENTIAL_COLUMNS ")"
			    " VALUES (?, ?, ?, ?, ?, ?)", "sbbsib", node, record->subject,
			    (size_t)OCKAM_IDENTIFIER_LEN, record->issuer,
			    (size_t)OCKAM_IDENTIFIER_LEN, record->scope,
			    ockam_sql_time(record->expires_at), record->bytes.data,
			    record->bytes.len);
	return ret < 0 ? ret : __ockam_credential_make_room(store, node, now, err);
}

int ockam_store_credential_put(struct ockam_store *store, const char *node,
			       const struct ockam_credential_record *record, uint64_t now,
			       struct ockam_err *err)
{
	int ret = ockam_scope_check(record->scope, err);

	if (!ret && record->bytes.len > OCKAM_CREDENTIAL_MAX)
		ret = ockam_err_set(err, -E2BIG, "a credential has at most %u bytes",
				    OCKAM_CREDENTIAL_MAX);
	if (!ret)
		ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	return ockam_sql_end(store, __ockam_credential_put(store, node, record, now, err), err);
}

int ockam_store_credential_get(struct ockam_store *store, const char *node,
			       const uint8_t *subject, const uint8_t issuer[OCKAM_IDENTIFIER_LEN],
			       const char *scope, struct ockam_credential_record *record,
			       struct ockam_err *err)
{
	char text[OCKAM_IDENTIFIER_TEXT];
	sqlite3_stmt *stmt;
	int ret;

	memset(record, 0, sizeof(*record));
	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT " OCKAM_CREDENTIAL_COLUMNS " FROM credentials"
			      " WHERE node = ?1 AND issuer = ?2 AND scope = ?3"
			      " AND subject = coalesce(?4, subject) ORDER BY rowid DESC LIMIT 1",
			      "sbsb", node, issuer, (size_t)OCKAM_IDENTIFIER_LEN, scope, subject,
			      (size_t)OCKAM_IDENTIFIER_LEN);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0) {
		ret = ockam_credential_row(stmt, record, err);
	} else if (!ret) {
		ockam_identifier_format(issuer, text);
		ret = ockam_err_set(err, -ENOENT,
				    "the node %s has no credential of %s with the scope '%.80s'",
				    node, text, scope);
	}
	sqlite3_finalize(stmt);
	return ret;
}

int ockam_store_credential_list(struct ockam_store *store, const char *node,
				struct ockam_credential_record **records, size_t *count,
				struct ockam_err *err)
{
	struct ockam_credential_record *list = NULL;
	sqlite3_stmt *stmt;
	size_t used = 0;
	int ret;

	*records = NULL;
	*count = 0;
	ret = ockam_sql_query(store->db, &stmt, err, "SELECT " OCKAM_CREDENTIAL_COLUMNS
			      " FROM credentials WHERE node = ? ORDER BY rowid", "s", node);
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0) {
		struct ockam_credential_record *more = reallocarray(list, used + 1, sizeof(*list));

		if (!more) {
			ret = ockam_err_set(err, -ENOMEM, "no memory for the list of credentials");
			break;
		}
		list = more;
		ret = ockam_credential_row(stmt, &list[used], err);
		if (ret)
			break;
		used++;
	}
	sqlite3_finalize(stmt);
	if (ret) {
		ockam_credential_records_free(list, used);
		return ret;
	}
	*records = list;
	*count = used;
	return 0;
}

int ockam_store_credential_delete(struct ockam_store *store, const char *node,
				  const uint8_t issuer[OCKAM_IDENTIFIER_LEN], const char *scope,
				  struct ockam_err *err)
{
	int ret;

	ret = ockam_sql_run(store->db, err, "DELETE FROM credentials WHERE node = ? AND issuer = ?"
			    " AND scope = ?", "sbs", node, issuer, (size_t)OCKAM_IDENTIFIER_LEN,
			    scope);
	if (ret)
		return ret < 0 ? ret : 0;
	return ockam_err_set(err, -ENOENT, "the node %s has no such credential", node);
}
