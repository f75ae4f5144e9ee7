// SPDX-License-Identifier: Apache-2.0
/*
 * Histories that grow: identities imported and rotated.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>
#include <time.h>

#include "crypto.h"
#include "store_sql.h"

/* Never back to a history that is older than what was seen of this identity. */
static int __ockam_identity_check_known(struct ockam_store *store,
					const struct ockam_identity *identity,
					enum ockam_history_order *order, struct ockam_err *err)
{
	struct ockam_identity *known;
	int ret;

	*order = OCKAM_HISTORY_NEWER;
	ret = ockam_store_peer_get(store, identity->identifier, &known, NULL, err);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	*order = ockam_identity_compare(known, identity);
	ockam_identity_free(known);
	if (*order == OCKAM_HISTORY_OLDER)
		return ockam_err_set(err, -ESTALE,
				     "this change history is older than the one that is known of the identity");
	if (*order == OCKAM_HISTORY_CONFLICT)
		return ockam_err_set(err, -ESTALE,
				     "this change history conflicts with the one that is known of the identity");
	return 0;
}

/* Which key of @vault the identity has; "" when it is not there. */
static int __ockam_identity_find_key(struct ockam_store *store,
				     const struct ockam_vault_record *vault,
				     struct ockam_identity_record *record, struct ockam_err *err)
{
	const struct ockam_public_key *key = &ockam_identity_latest(record->identity)->key;
	uint8_t secret[OCKAM_SECRET_LEN];
	int ret;

	if (ockam_store_key_id(key->bytes, key->len, record->key_id))
		return ockam_err_set(err, -EIO, "libcrypto failed to hash a key");
	ret = ockam_store_key_get(store, vault, record->key_id, (enum ockam_store_key)key->kind,
				  secret, err);
	ockam_crypto_wipe(secret, sizeof(secret));
	if (ret != -ENOKEY)
		return ret;
	record->key_id[0] = '\0';
	return 0;
}

/* The identity @old, which is here, with the longer history in @record. */
static int __ockam_identity_continue(struct ockam_store *store,
				     const struct ockam_identity_record *old,
				     struct ockam_identity_record *record, struct ockam_err *err)
{
	struct ockam_vault_record vault;
	int ret;

	memcpy(record->name, old->name, sizeof(record->name));
	memcpy(record->vault, old->vault, sizeof(record->vault));
	record->is_default = old->is_default;
	ret = ockam_store_vault_get(store, record->vault, &vault, err);
	if (!ret)
		ret = __ockam_identity_find_key(store, &vault, record, err);
	if (!ret)
		ret = ockam_sql_run(store->db, err,
				    "UPDATE identities SET history = ?, key_id = ? WHERE name = ?",
				    "bss", record->identity->history,
				    record->identity->history_len, record->key_id, record->name);
	return ret < 0 ? ret : 0;
}

/* The name must be free, and the identity not be here under another name. */
static int __ockam_identity_import(struct ockam_store *store, const char *name, const char *vault,
				   struct ockam_store_notes *notes,
				   struct ockam_identity_record *record, struct ockam_err *err)
{
	enum ockam_history_order order;
	struct ockam_identity_record old;
	struct ockam_vault_record where;
	int ret;

	ret = __ockam_identity_check_known(store, record->identity, &order, err);
	if (ret)
		return ret;
	ret = name ? ockam_store_identity_get(store, name, &old, err) : -ENOENT;
	if (ret == -ENOENT)
		ret = ockam_store_identity_find(store, record->identity->identifier, &old, err);
	if (!ret && order == OCKAM_HISTORY_NEWER && (!name || !strcmp(name, old.name)) &&
	    !memcmp(old.identity->identifier, record->identity->identifier,
		    OCKAM_IDENTIFIER_LEN)) {
		ret = __ockam_identity_continue(store, &old, record, err);
		ockam_identity_record_free(&old);
		return ret;
	}
	if (!ret) {
		ockam_identity_record_free(record);
		*record = old;
		return ockam_err_set(err, -EEXIST, "An identity named %s already exists", old.name);
	}
	if (ret != -ENOENT)
		return ret;
	ret = __ockam_store_identity_name(store, name, record->name, err);
	if (!ret)
		ret = __ockam_store_identity_vault(store, vault, false, &where, notes, err);
	if (ret)
		return ret;
	memcpy(record->vault, where.name, sizeof(record->vault));
	ret = __ockam_identity_find_key(store, &where, record, err);
	return ret ? ret : __ockam_store_identity_insert(store, record, err);
}

int ockam_store_identity_import(struct ockam_store *store, const char *name, const char *vault,
				const uint8_t *history, size_t len,
				const struct ockam_remarks *remarks,
				struct ockam_identity_record *record, struct ockam_err *err)
{
	struct ockam_store_notes notes = { .count = 0 };
	int ret;

	memset(record, 0, sizeof(*record));
	ret = ockam_identity_decode(history, len, &record->identity, err);
	if (ret)
		return ret;
	ret = ockam_sql_begin(store, err);
	if (!ret) {
		ret = __ockam_identity_import(store, name, vault, &notes, record, err);
		ret = ockam_sql_end(store, ret, err);
	}
	if (ret && ret != -EEXIST)
		ockam_identity_record_free(record);
	if (!ret)
		ockam_store_notes_say(&notes, remarks);
	return ret;
}

static int __ockam_identity_rotate(struct ockam_store *store, const enum ockam_key_kind *kind,
				   struct ockam_identity_record *record, struct ockam_err *err)
{
	uint8_t old_secret[OCKAM_SECRET_LEN], new_secret[OCKAM_SECRET_LEN];
	enum ockam_key_kind old_kind, new_kind;
	struct ockam_identity *longer = NULL;
	struct ockam_vault_record vault;
	char id[OCKAM_KEY_ID_TEXT];
	bool made;
	int ret;

	if (!record->key_id[0])
		return ockam_err_set(err, -ENOKEY, "the key of the identity %s is not in this home",
				     record->name);
	old_kind = ockam_identity_latest(record->identity)->key.kind;
	new_kind = kind ? *kind : old_kind;
	ret = ockam_store_vault_get(store, record->vault, &vault, err);
	if (!ret)
		ret = ockam_store_key_get(store, &vault, record->key_id,
					  (enum ockam_store_key)old_kind, old_secret, err);
	if (!ret)
		ret = __ockam_store_identity_new_key(store, &vault, new_kind, id, new_secret, err);
	made = !ret;
	if (!ret)
		ret = ockam_identity_rotate(record->identity, old_secret, new_kind, new_secret,
					    (uint64_t)time(NULL), &longer, err);
	if (!ret)
		ret = ockam_sql_run(store->db, err,
				    "UPDATE identities SET history = ?, key_id = ? WHERE name = ?",
				    "bss", longer->history, longer->history_len, id, record->name);
	if (ret >= 0) {
		ockam_identity_free(record->identity);
		record->identity = longer;
		memcpy(record->key_id, id, sizeof(id));
	} else {
		ockam_identity_free(longer);
		/* What is in another file does not go with the transaction. */
		if (made && vault.path[0])
			ockam_store_key_delete(store, &vault, id, NULL);
	}
	ockam_crypto_wipe(old_secret, sizeof(old_secret));
	ockam_crypto_wipe(new_secret, sizeof(new_secret));
	return ret < 0 ? ret : 0;
}

/*
 * The key before is of no use to its owner now, and of much to others. In the
 * database it goes with the change; in another file (@outside) behind it, when
 * nothing can bring the old history back.
 */
static int __ockam_identity_forget_key(struct ockam_store *store,
				       const struct ockam_identity_record *record,
				       const char *old_id, bool outside, struct ockam_err *err)
{
	struct ockam_vault_record vault;
	int64_t users;
	int ret;

	ret = ockam_store_vault_get(store, record->vault, &vault, err);
	if (ret || outside != !!vault.path[0])
		return ret;
	users = ockam_sql_count(store->db, err, "SELECT count(*) FROM identities WHERE vault = ?"
				" AND key_id = ?", "ss", record->vault, old_id);
	if (users)
		return users < 0 ? (int)users : 0;
	return ockam_store_key_delete(store, &vault, old_id, err);
}

int ockam_store_identity_rotate(struct ockam_store *store, const char *name,
				const enum ockam_key_kind *kind,
				struct ockam_identity_record *record, struct ockam_err *err)
{
	char old_id[OCKAM_KEY_ID_TEXT];
	int ret;

	memset(record, 0, sizeof(*record));
	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_identity_get(store, name, record, err);
	memcpy(old_id, record->key_id, sizeof(old_id));
	if (!ret)
		ret = __ockam_identity_rotate(store, kind, record, err);
	if (!ret)
		ret = __ockam_identity_forget_key(store, record, old_id, false, err);
	ret = ockam_sql_end(store, ret, err);
	/* That it stays must not hide the success. */
	if (!ret)
		__ockam_identity_forget_key(store, record, old_id, true, NULL);
	if (ret)
		ockam_identity_record_free(record);
	return ret;
}
