// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto.h"
#include "store_sql.h"

#define OCKAM_IDENTITY_COLUMNS	"name, vault, key_id, is_default, history"

void ockam_identity_record_free(struct ockam_identity_record *record)
{
	ockam_identity_free(record->identity);
	memset(record, 0, sizeof(*record));
}

void ockam_identity_records_free(struct ockam_identity_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ockam_identity_record_free(&records[i]);
	free(records);
}

static int ockam_store_identity_read(sqlite3_stmt *stmt, struct ockam_identity_record *record,
				     struct ockam_err *err)
{
	int ret;

	memset(record, 0, sizeof(*record));
	ockam_sql_text(stmt, 0, record->name, sizeof(record->name));
	ockam_sql_text(stmt, 1, record->vault, sizeof(record->vault));
	ockam_sql_text(stmt, 2, record->key_id, sizeof(record->key_id));
	record->is_default = sqlite3_column_int(stmt, 3);
	ret = ockam_identity_load(sqlite3_column_blob(stmt, 4),
				  (size_t)sqlite3_column_bytes(stmt, 4), &record->identity, err);
	if (ret)
		ockam_err_prefix(err, "the identity %s in the database", record->name);
	return ret;
}

/* First row of a query, or 0 rows. Return: 1, 0, negative errno. */
static int ockam_store_identity_first(sqlite3_stmt *stmt, struct ockam_identity_record *record,
				      struct ockam_err *err)
{
	int ret = ockam_sql_row(stmt, err);

	memset(record, 0, sizeof(*record));
	if (ret > 0) {
		ret = ockam_store_identity_read(stmt, record, err);
		ret = ret ? ret : 1;
	}
	sqlite3_finalize(stmt);
	return ret;
}

int ockam_store_identity_get(struct ockam_store *store, const char *name,
			     struct ockam_identity_record *record, struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	memset(record, 0, sizeof(*record));
	if (name)
		ret = ockam_sql_query(store->db, &stmt, err,
				      "SELECT " OCKAM_IDENTITY_COLUMNS
				      " FROM identities WHERE name = ?", "s", name);
	else
		ret = ockam_sql_query(store->db, &stmt, err,
				      "SELECT " OCKAM_IDENTITY_COLUMNS
				      " FROM identities WHERE is_default", "");
	if (ret)
		return ret;
	ret = ockam_store_identity_first(stmt, record, err);
	if (ret)
		return ret < 0 ? ret : 0;
	if (!name)
		return ockam_err_set(err, -ENOENT, "no default identifier found");
	return ockam_err_set(err, -ENOENT, "no identifier found with name %s", name);
}

int ockam_store_identity_find(struct ockam_store *store,
			      const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			      struct ockam_identity_record *record, struct ockam_err *err)
{
	char text[OCKAM_IDENTIFIER_TEXT];
	sqlite3_stmt *stmt;
	int ret;

	memset(record, 0, sizeof(*record));
	ret = ockam_sql_query(store->db, &stmt, err, "SELECT " OCKAM_IDENTITY_COLUMNS
			      " FROM identities WHERE identifier = ?", "b", identifier,
			      (size_t)OCKAM_IDENTIFIER_LEN);
	if (ret)
		return ret;
	ret = ockam_store_identity_first(stmt, record, err);
	if (ret)
		return ret < 0 ? ret : 0;
	ockam_identifier_format(identifier, text);
	return ockam_err_set(err, -ENOENT, "no identity found with identifier %s", text);
}

int ockam_store_identity_list(struct ockam_store *store, struct ockam_identity_record **records,
			      size_t *count, struct ockam_err *err)
{
	struct ockam_identity_record *list = NULL;
	sqlite3_stmt *stmt;
	size_t used = 0;
	int ret;

	*records = NULL;
	*count = 0;
	ret = ockam_sql_query(store->db, &stmt, err, "SELECT " OCKAM_IDENTITY_COLUMNS
			      " FROM identities ORDER BY rowid", "");
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0) {
		struct ockam_identity_record *more = reallocarray(list, used + 1, sizeof(*list));

		if (!more) {
			ret = ockam_err_set(err, -ENOMEM, "no memory for the list of identities");
			break;
		}
		list = more;
		ret = ockam_store_identity_read(stmt, &list[used], err);
		if (ret)
			break;
		used++;
	}
	sqlite3_finalize(stmt);
	if (ret) {
		ockam_identity_records_free(list, used);
		return ret;
	}
	*records = list;
	*count = used;
	return 0;
}

/*
 * The vault of a new identity. @any: with several vaults take the default
 * one instead of asking which.
 */
int __ockam_store_identity_vault(struct ockam_store *store, const char *name, bool any,
				 struct ockam_vault_record *vault,
				 struct ockam_store_notes *notes, struct ockam_err *err)
{
	int64_t count;
	int ret;

	count = ockam_sql_count(store->db, err, "SELECT count(*) FROM vaults", "");
	if (count < 0)
		return (int)count;
	if (!name && count > 1 && !any)
		return ockam_err_set(err, -EINVAL,
				     "There are %lld vaults, please specify which vault should be used",
				     (long long)count);
	if (count) {
		ret = ockam_store_vault_get(store, name, vault, err);
		if (ret != -ENOENT || !name)
			return ret;
	} else {
		ockam_store_note(notes, "This Identity needs a Vault to store its secrets.");
		if (!name)
			ockam_store_note(notes,
					 "There is no default Vault on this machine, creating one...");
	}
	ret = __ockam_store_vault_create(store, name, NULL, vault, err);
	if (ret)
		return ret;
	ockam_store_note(notes, "Created a new Vault named %s.", vault->name);
	if (vault->is_default)
		ockam_store_note(notes,
				 "Marked this new Vault as your default Vault, on this machine.");
	return 0;
}

int __ockam_store_identity_name(struct ockam_store *store, const char *name,
				char out[OCKAM_NAME_SIZE], struct ockam_err *err)
{
	int64_t taken;
	int ret;

	if (name) {
		ret = ockam_name_check("identity", name, err);
		if (!ret)
			snprintf(out, OCKAM_NAME_SIZE, "%s", name);
		return ret;
	}
	do {
		ret = ockam_name_random(out, err);
		if (ret)
			return ret;
		taken = ockam_sql_count(store->db, err,
					"SELECT count(*) FROM identities WHERE name = ?", "s", out);
	} while (taken > 0);
	return (int)taken;
}

/* Write a complete record; the first identity becomes the default. */
int __ockam_store_identity_insert(struct ockam_store *store,
				  struct ockam_identity_record *record, struct ockam_err *err)
{
	struct ockam_identity *identity = record->identity;
	int64_t count;
	int ret;

	count = ockam_sql_count(store->db, err, "SELECT count(*) FROM identities", "");
	if (count < 0)
		return (int)count;
	record->is_default = !count;
	ret = ockam_sql_run(store->db, err,
			    "INSERT INTO identities (name, identifier, history, vault, key_id, is_default)"
			    " VALUES (?, ?, ?, ?, ?, ?)", "sbbssi", record->name,
			    identity->identifier, (size_t)OCKAM_IDENTIFIER_LEN, identity->history,
			    identity->history_len, record->vault, record->key_id,
			    (int64_t)record->is_default);
	return ret < 0 ? ret : 0;
}

/* A fresh key, put into the vault. */
int __ockam_store_identity_new_key(struct ockam_store *store,
				   const struct ockam_vault_record *vault,
				   enum ockam_key_kind kind, char id[OCKAM_KEY_ID_TEXT],
				   uint8_t secret[OCKAM_SECRET_LEN], struct ockam_err *err)
{
	struct ockam_public_key public;
	int ret;

	ret = ockam_crypto_new_secret(kind, secret, err);
	if (ret)
		return ret;
	if (ockam_crypto_signing_public(kind, secret, &public) ||
	    ockam_store_key_id(public.bytes, public.len, id))
		return ockam_err_set(err, -EIO, "libcrypto failed to make a key");
	return ockam_store_key_put(store, vault, id, (enum ockam_store_key)kind, secret, err);
}

/* The key of a new identity: one of the vault, whose kind counts then, or a fresh one. */
static int __ockam_identity_key(struct ockam_store *store, const struct ockam_vault_record *vault,
				const char *key_id, enum ockam_key_kind *kind,
				char id[OCKAM_KEY_ID_TEXT], uint8_t secret[OCKAM_SECRET_LEN],
				struct ockam_err *err)
{
	int ret;

	if (!key_id)
		return __ockam_store_identity_new_key(store, vault, *kind, id, secret, err);
	snprintf(id, OCKAM_KEY_ID_TEXT, "%s", key_id);
	*kind = OCKAM_KEY_ED25519;
	ret = ockam_store_key_get(store, vault, key_id, OCKAM_STORE_KEY_ED25519, secret, err);
	if (ret != -ENOKEY)
		return ret;
	*kind = OCKAM_KEY_P256;
	return ockam_store_key_get(store, vault, key_id, OCKAM_STORE_KEY_P256, secret, err);
}

/* Everything but the look whether the name is taken. */
static int __ockam_identity_create(struct ockam_store *store, const char *name, const char *vault,
				   const char *key_id, enum ockam_key_kind kind, bool any_vault,
				   struct ockam_store_notes *notes,
				   struct ockam_identity_record *record, struct ockam_err *err)
{
	struct ockam_vault_record where;
	uint8_t secret[OCKAM_SECRET_LEN];
	int ret;

	ret = __ockam_store_identity_name(store, name, record->name, err);
	if (!ret)
		ret = __ockam_store_identity_vault(store, vault, any_vault, &where, notes, err);
	if (ret)
		return ret;
	memcpy(record->vault, where.name, sizeof(record->vault));
	ret = __ockam_identity_key(store, &where, key_id, &kind, record->key_id, secret, err);
	if (!ret)
		ret = ockam_identity_create(kind, secret, (uint64_t)time(NULL), &record->identity,
					    err);
	if (!ret)
		ret = __ockam_store_identity_insert(store, record, err);
	if (ret && !key_id && record->key_id[0] && where.path[0])
		ockam_store_key_delete(store, &where, record->key_id, NULL);
	ockam_crypto_wipe(secret, sizeof(secret));
	return ret;
}

int ockam_store_identity_create(struct ockam_store *store, const char *name, const char *vault,
				const char *key_id, enum ockam_key_kind kind,
				const struct ockam_remarks *remarks,
				struct ockam_identity_record *record, struct ockam_err *err)
{
	struct ockam_store_notes notes = { .count = 0 };
	int ret;

	memset(record, 0, sizeof(*record));
	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = name ? ockam_store_identity_get(store, name, record, err) : -ENOENT;
	if (!ret) {
		ockam_sql_end(store, -EEXIST, NULL);
		return ockam_err_set(err, -EEXIST, "An identity named %s already exists", name);
	}
	if (ret == -ENOENT)
		ret = __ockam_identity_create(store, name, vault, key_id, kind, false, &notes,
					      record, err);
	if (!ret && (uint64_t)time(NULL) < OCKAM_CLOCK_FLOOR)
		ockam_store_note(&notes,
				 "The clock of this machine is wrong: the key has a wrong time in it. Set the clock, then run 'ockam identity rotate %s'.",
				 record->name);
	ret = ockam_sql_end(store, ret, err);
	if (ret)
		ockam_identity_record_free(record);
	else
		ockam_store_notes_say(&notes, remarks);
	return ret;
}

int ockam_store_identity_default(struct ockam_store *store, const struct ockam_remarks *remarks,
				 struct ockam_identity_record *record, struct ockam_err *err)
{
	struct ockam_store_notes notes = { .count = 0 };
	char text[OCKAM_IDENTIFIER_TEXT];
	int ret;

	ret = ockam_store_identity_get(store, NULL, record, err);
	if (ret != -ENOENT)
		return ret;
	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_identity_get(store, NULL, record, err);
	if (ret == -ENOENT) {
		ockam_store_note(&notes,
				 "There is no default Identity on this machine, generating one...");
		ret = __ockam_identity_create(store, NULL, NULL, NULL, OCKAM_KEY_ED25519, true,
					      &notes, record, err);
		if (!ret) {
			ockam_identifier_format(record->identity->identifier, text);
			ockam_store_note(&notes, "Generated a new Identity named %s.",
					 record->name);
			ockam_store_note(&notes, "%s has Identifier %s", record->name, text);
			ockam_store_note(&notes,
					 "Marked %s as your default Identity, on this machine.",
					 record->name);
		}
	}
	ret = ockam_sql_end(store, ret, err);
	if (ret)
		ockam_identity_record_free(record);
	else
		ockam_store_notes_say(&notes, remarks);
	return ret;
}

int ockam_store_identity_set_default(struct ockam_store *store, const char *name,
				     struct ockam_err *err)
{
	struct ockam_identity_record record;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_identity_get(store, name, &record, err);
	if (!ret && record.is_default)
		ret = ockam_err_set(err, -EALREADY, "The identity named '%s' is already the default",
				    name);
	if (!ret)
		ret = ockam_sql_run(store->db, err, "UPDATE identities SET is_default = (name = ?)",
				    "s", name);
	ret = ockam_sql_end(store, ret, err);
	ockam_identity_record_free(&record);
	return ret < 0 ? ret : 0;
}

static int __ockam_identity_check_users(struct ockam_store *store,
					const struct ockam_identity_record *record,
					struct ockam_err *err)
{
	char users[140] = "";
	sqlite3_stmt *stmt;
	int ret;

	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT coalesce(group_concat(name, ', '), '') FROM"
			      " (SELECT name FROM nodes WHERE identifier = ? ORDER BY name)", "b",
			      record->identity->identifier, (size_t)OCKAM_IDENTIFIER_LEN);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0)
		ockam_sql_text(stmt, 0, users, sizeof(users));
	sqlite3_finalize(stmt);
	if (ret < 0)
		return ret;
	if (!users[0])
		return 0;
	return ockam_err_set(err, -EBUSY,
			     "The identity named %s cannot be deleted because it is used by the node(s): %s",
			     record->name, users);
}

#define OCKAM_IDENTITY_KEYS	3	/* its own and two purpose keys */

/* Ids of the keys that only this identity uses; unused places are "". */
static int __ockam_identity_keys(struct ockam_store *store,
				 const struct ockam_identity_record *record,
				 char ids[OCKAM_IDENTITY_KEYS][OCKAM_KEY_ID_TEXT],
				 struct ockam_err *err)
{
	unsigned int count = 0;
	sqlite3_stmt *stmt;
	int64_t others;
	int ret;

	memset(ids, 0, OCKAM_IDENTITY_KEYS * OCKAM_KEY_ID_TEXT);
	others = ockam_sql_count(store->db, err, "SELECT count(*) FROM identities WHERE vault = ?"
				 " AND key_id = ? AND name <> ?", "sss", record->vault,
				 record->key_id, record->name);
	if (others < 0)
		return (int)others;
	if (!others)
		memcpy(ids[count++], record->key_id, OCKAM_KEY_ID_TEXT);
	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT key_id FROM purpose_keys WHERE identifier = ?", "b",
			      record->identity->identifier, (size_t)OCKAM_IDENTIFIER_LEN);
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0 && count < OCKAM_IDENTITY_KEYS)
		ockam_sql_text(stmt, 0, ids[count++], OCKAM_KEY_ID_TEXT);
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : 0;
}

static int ockam_identity_delete_keys(struct ockam_store *store,
				      const struct ockam_vault_record *vault,
				      char ids[OCKAM_IDENTITY_KEYS][OCKAM_KEY_ID_TEXT],
				      struct ockam_err *err)
{
	int ret = 0;

	for (int i = 0; i < OCKAM_IDENTITY_KEYS && !ret; i++)
		if (ids[i][0])
			ret = ockam_store_key_delete(store, vault, ids[i], err);
	return ret;
}

int ockam_store_identity_delete(struct ockam_store *store, const char *name,
				struct ockam_err *err)
{
	char ids[OCKAM_IDENTITY_KEYS][OCKAM_KEY_ID_TEXT];
	struct ockam_identity_record record;
	struct ockam_vault_record vault;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_identity_get(store, name, &record, err);
	if (!ret)
		ret = __ockam_identity_check_users(store, &record, err);
	if (!ret)
		ret = ockam_store_vault_get(store, record.vault, &vault, err);
	if (!ret)
		ret = __ockam_identity_keys(store, &record, ids, err);
	if (!ret && !vault.path[0])
		ret = ockam_identity_delete_keys(store, &vault, ids, err);
	/* The purpose keys' rows go with it. */
	if (!ret)
		ret = ockam_sql_run(store->db, err, "DELETE FROM identities WHERE name = ?", "s",
				    name);
	if (ret >= 0 && record.is_default)
		ret = ockam_sql_run(store->db, err,
				    "UPDATE identities SET is_default = 1"
				    " WHERE rowid = (SELECT min(rowid) FROM identities)", "");
	ret = ockam_sql_end(store, ret, err);
	/* Keys in another file go last: an identity must never be left without its own. */
	if (ret >= 0 && vault.path[0])
		ret = ockam_identity_delete_keys(store, &vault, ids, err);
	ockam_identity_record_free(&record);
	return ret < 0 ? ret : 0;
}
