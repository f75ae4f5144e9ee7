// SPDX-License-Identifier: Apache-2.0
/*
 * Purpose keys of own identities, and the histories of known peers.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "crypto.h"
#include "store_sql.h"

#define OCKAM_PURPOSE_SPARE	86400	/* seconds a purpose key must still be valid */

void ockam_purpose_key_wipe(struct ockam_purpose_key *key)
{
	ockam_buf_free(&key->attestation);
	ockam_crypto_wipe(key, sizeof(*key));
}

static enum ockam_store_key ockam_purpose_kind(enum ockam_purpose purpose)
{
	return purpose == OCKAM_PURPOSE_CHANNEL ? OCKAM_STORE_KEY_X25519 :
						  OCKAM_STORE_KEY_ED25519;
}

static int ockam_purpose_public(enum ockam_purpose purpose, const uint8_t secret[32],
				uint8_t public_key[32], struct ockam_err *err)
{
	struct ockam_public_key signing;
	int ret;

	if (purpose == OCKAM_PURPOSE_CHANNEL) {
		ret = ockam_crypto_x25519_public(secret, public_key);
	} else {
		ret = ockam_crypto_ed25519_public(secret, &signing);
		if (!ret)
			memcpy(public_key, signing.bytes, 32);
	}
	return ret ? ockam_err_set(err, ret, "libcrypto failed to read a key") : 0;
}

/*
 * Does the stored attestation hold now, for this very key, and for a day more?
 * One that reaches as far as the identity itself cannot be made better.
 */
static bool ockam_purpose_is_good(struct ockam_purpose_key *key, enum ockam_purpose purpose,
				  const struct ockam_identity *identity, uint64_t now)
{
	const struct ockam_change *latest = ockam_identity_latest(identity);
	struct ockam_attestation a;
	struct ockam_reader r;

	ockam_reader_init(&r, key->attestation.data, key->attestation.len);
	if (ockam_attestation_decode(&r, &a, NULL) ||
	    ockam_attestation_verify(&a, identity, now, NULL) || a.purpose != purpose)
		return false;
	key->created_at = a.created_at;
	key->renew_at = a.expires_at;
	if (a.expires_at != latest->valid_until) {
		if (a.expires_at - now < OCKAM_PURPOSE_SPARE)
			return false;
		key->renew_at -= OCKAM_PURPOSE_SPARE;
	}
	return !memcmp(purpose == OCKAM_PURPOSE_CHANNEL ? a.channel_key : a.signing_key.bytes,
		       key->public_key, 32);
}

/* The key as stored. Return: 1 good, 0 none or not good any more, negative errno. */
static int __ockam_purpose_load(struct ockam_store *store, const struct ockam_vault_record *vault,
				const struct ockam_identity *identity, enum ockam_purpose purpose,
				uint64_t now, struct ockam_purpose_key *key,
				char old_id[OCKAM_KEY_ID_TEXT], struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT key_id, attestation FROM purpose_keys"
			      " WHERE identifier = ? AND purpose = ?", "bi", identity->identifier,
			      (size_t)OCKAM_IDENTIFIER_LEN, (int64_t)purpose);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0) {
		ockam_sql_text(stmt, 0, old_id, OCKAM_KEY_ID_TEXT);
		ockam_buf_put(&key->attestation, sqlite3_column_blob(stmt, 1),
			      (size_t)sqlite3_column_bytes(stmt, 1));
	}
	sqlite3_finalize(stmt);
	if (ret <= 0)
		return ret;
	ret = ockam_store_key_get(store, vault, old_id, ockam_purpose_kind(purpose), key->secret,
				  err);
	if (!ret)
		ret = ockam_purpose_public(purpose, key->secret, key->public_key, err);
	if (ret)
		return ret == -ENOKEY ? 0 : ret;
	return ockam_purpose_is_good(key, purpose, identity, now);
}

static int __ockam_purpose_make(struct ockam_store *store, const struct ockam_vault_record *vault,
				const struct ockam_identity_record *record,
				enum ockam_purpose purpose, uint64_t now,
				struct ockam_purpose_key *key, struct ockam_err *err)
{
	const struct ockam_change *latest = ockam_identity_latest(record->identity);
	uint8_t seed[OCKAM_SECRET_LEN];
	char id[OCKAM_KEY_ID_TEXT];
	int ret;

	if (now > latest->valid_until)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the key of the identity %s has expired: give it a new one with 'ockam identity rotate %s'",
				     record->name, record->name);
	if (now < latest->valid_from)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the clock is behind the time when the key of the identity %s was made: set it right",
				     record->name);
	ret = ockam_store_key_get(store, vault, record->key_id,
				  (enum ockam_store_key)latest->key.kind, seed, err);
	if (!ret)
		ret = ockam_crypto_random(key->secret, OCKAM_SECRET_LEN, err);
	if (!ret)
		ret = ockam_purpose_public(purpose, key->secret, key->public_key, err);
	if (!ret)
		ret = ockam_store_key_id(key->public_key, sizeof(key->public_key), id);
	ockam_buf_free(&key->attestation);
	if (!ret)
		ret = ockam_attestation_create(record->identity, seed, purpose, key->public_key,
					       now, &key->attestation, err);
	if (!ret)
		ret = ockam_store_key_put(store, vault, id, ockam_purpose_kind(purpose),
					  key->secret, err);
	if (!ret)
		ret = ockam_sql_run(store->db, err,
				    "INSERT OR REPLACE INTO purpose_keys"
				    " (identifier, purpose, key_id, attestation) VALUES (?, ?, ?, ?)",
				    "bisb", record->identity->identifier,
				    (size_t)OCKAM_IDENTIFIER_LEN, (int64_t)purpose, id,
				    key->attestation.data, key->attestation.len);
	ockam_crypto_wipe(seed, sizeof(seed));
	if (ret < 0)
		return ret;
	return ockam_purpose_is_good(key, purpose, record->identity, now) ? 0 :
		ockam_err_set(err, -EIO, "a new purpose key of the identity %s does not verify",
			      record->name);
}

/* Return: 1 when the stored one serves, 0 when it has to be made, negative errno. */
static int __ockam_purpose_find(struct ockam_store *store,
				const struct ockam_identity_record *record,
				enum ockam_purpose purpose, uint64_t now,
				struct ockam_purpose_key *key,
				struct ockam_vault_record *vault,
				char old_id[OCKAM_KEY_ID_TEXT], struct ockam_err *err)
{
	int ret;

	if (!record->key_id[0])
		return ockam_err_set(err, -ENOKEY,
				     "the identity %s was imported without its key, it can be trusted but not used",
				     record->name);
	ret = ockam_store_vault_get(store, record->vault, vault, err);
	return ret ? ret : __ockam_purpose_load(store, vault, record->identity, purpose, now, key,
						old_id, err);
}

static int __ockam_purpose_key(struct ockam_store *store,
			       const struct ockam_identity_record *record,
			       enum ockam_purpose purpose, uint64_t now,
			       struct ockam_purpose_key *key, struct ockam_err *err)
{
	char old_id[OCKAM_KEY_ID_TEXT] = "";
	struct ockam_vault_record vault;
	int ret;

	ret = __ockam_purpose_find(store, record, purpose, now, key, &vault, old_id, err);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = __ockam_purpose_make(store, &vault, record, purpose, now, key, err);
	if (!ret && old_id[0])
		ret = ockam_store_key_delete(store, &vault, old_id, err);
	return ret;
}

/* Nearly always there is nothing to write, so nobody is waited for. Return: as above. */
static int ockam_purpose_read(struct ockam_store *store, const char *name,
			      enum ockam_purpose purpose, uint64_t now,
			      struct ockam_identity_record *record,
			      struct ockam_purpose_key *key, struct ockam_err *err)
{
	char old_id[OCKAM_KEY_ID_TEXT];
	struct ockam_vault_record vault;
	int ret, ended;

	ret = ockam_sql_run(store->db, err, "BEGIN", "");
	if (ret < 0)
		return ret;
	ret = ockam_store_identity_get(store, name, record, err);
	if (!ret)
		ret = __ockam_purpose_find(store, record, purpose, now, key, &vault, old_id, err);
	ended = ockam_sql_run(store->db, NULL, "COMMIT", "");
	if (ret > 0 && ended >= 0)
		return ret;
	ockam_identity_record_free(record);
	ockam_purpose_key_wipe(key);
	return ret;
}

int ockam_store_identity_use(struct ockam_store *store, const char *name,
			     enum ockam_purpose purpose, uint64_t now,
			     struct ockam_identity_record *record,
			     struct ockam_purpose_key *key, struct ockam_err *err)
{
	int ret;

	memset(record, 0, sizeof(*record));
	memset(key, 0, sizeof(*key));
	ret = ockam_purpose_read(store, name, purpose, now, record, key, err);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_identity_get(store, name, record, err);
	if (!ret)
		ret = __ockam_purpose_key(store, record, purpose, now, key, err);
	ret = ockam_sql_end(store, ret, err);
	if (ret) {
		ockam_identity_record_free(record);
		ockam_purpose_key_wipe(key);
	}
	return ret;
}

int ockam_store_purpose_key(struct ockam_store *store, const char *name,
			    enum ockam_purpose purpose, uint64_t now,
			    struct ockam_purpose_key *key, struct ockam_err *err)
{
	struct ockam_identity_record record;
	int ret;

	ret = ockam_store_identity_use(store, name, purpose, now, &record, key, err);
	if (!ret)
		ockam_identity_record_free(&record);
	return ret;
}

/* Return: 0 with *identity and its share, -ENOENT, another errno. */
static int ockam_peer_load(struct ockam_store *store, const char *sql, const uint8_t *identifier,
			   struct ockam_identity **identity, enum ockam_peer_share *share,
			   struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	ret = ockam_sql_query(store->db, &stmt, err, sql, "b", identifier,
			      (size_t)OCKAM_IDENTIFIER_LEN);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0) {
		ret = ockam_identity_load(sqlite3_column_blob(stmt, 0),
					  (size_t)sqlite3_column_bytes(stmt, 0), identity, err);
		if (ret)
			ockam_err_prefix(err, "a history in the database");
		*share = (enum ockam_peer_share)sqlite3_column_int(stmt, 1);
	} else if (!ret) {
		ret = ockam_err_set(err, -ENOENT, "nothing is known of this identity");
	}
	sqlite3_finalize(stmt);
	return ret;
}

int ockam_store_peer_get(struct ockam_store *store,
			 const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			 struct ockam_identity **identity, enum ockam_peer_share *share,
			 struct ockam_err *err)
{
	enum ockam_peer_share met_share = OCKAM_PEER_STRANGER, own_share;
	struct ockam_identity *met = NULL, *own = NULL;
	int ret;

	*identity = NULL;
	ret = ockam_peer_load(store, "SELECT history, earned FROM peers WHERE identifier = ?",
			      identifier, &met, &met_share, err);
	if (ret && ret != -ENOENT)
		return ret;
	ret = ockam_peer_load(store, "SELECT history, 2 FROM identities WHERE identifier = ?",
			      identifier, &own, &own_share, err);
	if (ret && (ret != -ENOENT || !met)) {
		ockam_identity_free(met);
		return ret;
	}
	if (share)
		*share = own ? OCKAM_PEER_NAMED : met_share;
	/* An identity of this home may have been rotated since it was met as a peer. */
	if (own && (!met || ockam_identity_compare(met, own) == OCKAM_HISTORY_NEWER)) {
		ockam_identity_free(met);
		*identity = own;
		return 0;
	}
	ockam_identity_free(own);
	*identity = met;
	return 0;
}

int ockam_store_peer_each(struct ockam_store *store,
			  int (*fn)(void *arg, const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
				    const uint8_t *history, size_t len,
				    enum ockam_peer_share share),
			  void *arg, struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	ret = ockam_sql_query(store->db, &stmt, err, "SELECT identifier, history, earned FROM peers"
			      " ORDER BY rowid", "");
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0) {
		if (sqlite3_column_bytes(stmt, 0) != OCKAM_IDENTIFIER_LEN)
			continue;
		ret = fn(arg, sqlite3_column_blob(stmt, 0), sqlite3_column_blob(stmt, 1),
			 (size_t)sqlite3_column_bytes(stmt, 1),
			 (enum ockam_peer_share)sqlite3_column_int(stmt, 2));
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	return ret;
}
