// SPDX-License-Identifier: Apache-2.0
/*
 * Identities of a home that grow: kinds of keys, rotation, import of shorter,
 * longer and other histories, and how long purpose keys live.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>

#include "crypto.h"
#include "homes.h"

#define ED25519	OCKAM_KEY_ED25519
#define P256	OCKAM_KEY_P256
#define NOW	1800000000ULL

static enum ockam_key_kind kind_of(const struct ockam_identity_record *record)
{
	return ockam_identity_latest(record->identity)->key.kind;
}

/* Key ids of P-256 keys, rotation from kind to kind, in a database or file. */
static void test_kinds(const char *dir, const char *vault)
{
	static const enum ockam_key_kind next[] = { ED25519, P256, P256, ED25519 };
	struct ockam_store *store = opened(dir);
	struct ockam_identity_record record, other;
	struct ockam_purpose_key key;
	char old_id[OCKAM_KEY_ID_TEXT];
	uint8_t identifier[32];
	int ret;

	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ok_ret(ockam_store_identity_create(store, "p", vault, NULL, P256, NULL, &record, &err), 0,
	       err, "%s: P-256", vault);
	ok(kind_of(&record) == P256 && strlen(record.key_id) == 64, "of that kind, with a key id");
	memcpy(identifier, record.identity->identifier, 32);
	ok_ret(ockam_store_purpose_key(store, "p", OCKAM_PURPOSE_CHANNEL, (uint64_t)time(NULL),
				       &key, &err), 0, err, "a channel key attested with it");
	ockam_purpose_key_wipe(&key);

	/* In the same second the same key makes another identity: the nonce differs not there. */
	ret = ockam_store_identity_create(store, "k", vault, record.key_id, ED25519, NULL, &other,
					  &err);
	ok(ret == -EEXIST || (!ret && kind_of(&other) == P256), "an existing key keeps its kind");
	ockam_identity_record_free(&other);
	ockam_store_identity_delete(store, "k", NULL);

	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
		memcpy(old_id, record.key_id, sizeof(old_id));
		ockam_identity_record_free(&record);
		ok_ret(ockam_store_identity_rotate(store, "p", &next[i], &record, &err), 0, err,
		       "rotated to kind %d", next[i]);
		ok(kind_of(&record) == next[i] && record.identity->n_changes == i + 2,
		   "%zu changes", i + 2);
		ok(!memcmp(record.identity->identifier, identifier, 32), "the identifier stays");
		ok_ret(ockam_store_identity_create(store, "x", vault, old_id, ED25519, NULL,
						   &other, &err), -ENOKEY, err, "the old key is gone");
		ok_ret(ockam_store_purpose_key(store, "p", OCKAM_PURPOSE_CREDENTIAL,
					       (uint64_t)time(NULL), &key, &err), 0, err,
		       "a credential key attested with the new one");
		ockam_purpose_key_wipe(&key);
	}
	ockam_identity_record_free(&record);
	ok(!ockam_store_identity_rotate(store, NULL, NULL, &record, &err) &&
	   kind_of(&record) == ED25519 && record.identity->n_changes == 6,
	   "the default one, which keeps its kind");
	ockam_identity_record_free(&record);
	ockam_store_close(store);
}

/* Whoever ends in the middle of a rotation has the old key or the new one, never both. */
static void test_whole(void)
{
	static const char hold[] = "CREATE TRIGGER hold BEFORE DELETE ON keys"
				   " BEGIN SELECT RAISE(ABORT, 'held'); END";
	struct ockam_store *store = opened("whole");
	struct ockam_identity_record record;
	char path[128], first[OCKAM_KEY_ID_TEXT];
	sqlite3 *db;

	ok(!ockam_store_identity_create(store, "a", NULL, NULL, ED25519, NULL, &record, &err),
	   "an identity");
	memcpy(first, record.key_id, sizeof(first));
	ockam_identity_record_free(&record);
	snprintf(path, sizeof(path), "%s/whole/database.sqlite3", top);
	sqlite3_open(path, &db);
	ok(!sqlite3_exec(db, hold, NULL, NULL, NULL), "whose key cannot be deleted");
	ok(ockam_store_identity_rotate(store, "a", NULL, &record, &err), "is not rotated");
	ok(!ockam_store_identity_get(store, "a", &record, &err) &&
	   record.identity->n_changes == 1 && !strcmp(record.key_id, first), "and as it was");
	ockam_identity_record_free(&record);
	sqlite3_exec(db, "DROP TRIGGER hold", NULL, NULL, NULL);
	sqlite3_close(db);
	ok(!ockam_store_identity_rotate(store, "a", NULL, &record, &err) &&
	   record.identity->n_changes == 2, "later it is");
	ockam_identity_record_free(&record);
	ockam_store_close(store);
}

static int import(struct ockam_store *store, const char *name, const struct ockam_identity *from,
		  struct ockam_identity_record *record)
{
	return ockam_store_identity_import(store, name, NULL, from->history, from->history_len,
					   NULL, record, &err);
}

/* Is the history of @name exactly that of @want? */
static bool holds(struct ockam_store *store, const char *name, const struct ockam_identity *want)
{
	struct ockam_identity_record record;
	bool same;

	if (ockam_store_identity_get(store, name, &record, NULL))
		return false;
	same = record.identity->history_len == want->history_len &&
	       !memcmp(record.identity->history, want->history, want->history_len);
	ockam_identity_record_free(&record);
	return same;
}

static void test_import(void)
{
	struct ockam_store *store = opened("import");
	struct ockam_identity *h[4], *other, *cut = NULL;
	struct ockam_identity_record record;
	struct ockam_purpose_key key;
	uint8_t secret[4][32];
	size_t bad = 0;

	for (uint8_t i = 0; i < 4; i++)
		memset(secret[i], 10 + i, 32);
	ockam_identity_create(P256, secret[0], NOW, &h[0], &err);
	ockam_identity_rotate(h[0], secret[0], ED25519, secret[1], NOW + 1, &h[1], &err);
	ockam_identity_rotate(h[1], secret[1], P256, secret[2], NOW + 2, &h[2], &err);
	ockam_identity_rotate(h[2], secret[2], ED25519, secret[3], NOW + 3, &h[3], &err);
	ockam_identity_rotate(h[0], secret[0], ED25519, secret[3], NOW + 1, &other, &err);

	ok_ret(import(store, "s", h[1], &record), 0, err, "two changes");
	ok(holds(store, "s", h[1]) && !record.key_id[0], "are kept exactly, without a key");
	ockam_identity_record_free(&record);
	ok_ret(ockam_store_purpose_key(store, "s", OCKAM_PURPOSE_CHANNEL, NOW + 10, &key, &err),
	       -ENOKEY, err, "not to be used: %s", err.text);
	ok_ret(ockam_store_identity_rotate(store, "s", NULL, &record, &err), -ENOKEY, err,
	       "nor rotated: %s", err.text);
	ok_ret(import(store, "s", h[1], &record), -EEXIST, err, "again: %s", err.text);
	ockam_identity_record_free(&record);
	ok_ret(import(store, NULL, h[0], &record), -ESTALE, err, "shorter: %s", err.text);
	ok_ret(import(store, NULL, other, &record), -ESTALE, err, "in conflict: %s", err.text);
	ok_ret(import(store, "t", h[2], &record), -EEXIST, err, "longer, under another name: %s",
	       err.text);
	ok_text(record.name, "s", "names the one that is here");
	ockam_identity_record_free(&record);
	ok(holds(store, "s", h[1]), "nothing has changed");
	ok_ret(import(store, NULL, h[2], &record), 0, err, "longer");
	ok_text(record.name, "s", "keeps its name");
	ok(holds(store, "s", h[2]), "and has replaced the history");
	ockam_identity_record_free(&record);
	ok_ret(import(store, "s", h[3], &record), 0, err, "longer still, by name");
	ockam_identity_record_free(&record);
	ok(holds(store, "s", h[3]), "is there");
	for (size_t len = 0; len < h[3]->history_len; len++)
		if (ockam_store_identity_import(store, "u", NULL, h[3]->history, len, NULL,
						&record, &err) != -EBADMSG)
			bad++;
	ok(!bad, "cut to any length: refused");
	ok_ret(ockam_store_identity_import(store, "u", NULL, (const uint8_t *)"\x80", 1, NULL,
					   &record, &err), -EKEYREJECTED, err, "%s", err.text);

	/* What was seen of a peer counts as well. */
	ok_ret(ockam_store_identity_delete(store, "s", &err), 0, err, "deleted");
	ok_ret(ockam_store_peer_put(store, h[2], OCKAM_PEER_STRANGER, &err), 0, err, "met as a peer");
	ok_ret(import(store, "s", h[1], &record), -ESTALE, err, "shorter than met: %s", err.text);
	ok_ret(import(store, "s", h[3], &record), 0, err, "longer than met");
	ockam_identity_record_free(&record);
	ok(!ockam_store_peer_get(store, h[0]->identifier, &cut, NULL, &err) && cut->n_changes == 4,
	   "the longest that is known counts");
	ockam_identity_free(cut);
	ok_ret(ockam_store_peer_put(store, h[2], OCKAM_PEER_STRANGER, &err), -ESTALE, err, "shown shorter: %s",
	       err.text);
	for (size_t i = 0; i < 4; i++)
		ockam_identity_free(h[i]);
	ockam_identity_free(other);
	ockam_store_close(store);
}

/* An identity rotated here is known as rotated, whoever met it before. */
static void test_own_peer(void)
{
	struct ockam_store *store = opened("own"), *second;
	struct ockam_identity_record before, after, record;
	struct ockam_identity *known;
	struct ockam_home home;
	char path[128];

	snprintf(path, sizeof(path), "%s/own", top);
	ockam_home_set(&home, path, &err);
	ok_ret(ockam_store_open(&home, 0, &second, &err), 0, err, "two open the same home");
	ockam_store_identity_create(store, "a", NULL, NULL, ED25519, NULL, &before, &err);
	ok_ret(ockam_store_peer_put(second, before.identity, OCKAM_PEER_STRANGER, &err), 0, err,
	       "met as a peer");
	ok_ret(ockam_store_identity_rotate(store, "a", NULL, &after, &err), 0, err, "rotated");
	ok(!ockam_store_peer_get(second, before.identity->identifier, &known, NULL, &err) &&
	   known->n_changes == 2, "the other one knows it");
	ockam_identity_free(known);
	ok_ret(ockam_store_peer_put(second, before.identity, OCKAM_PEER_STRANGER, &err), -ESTALE,
	       err, "and takes no shorter one: %s", err.text);
	ok_ret(ockam_store_peer_put(second, after.identity, OCKAM_PEER_STRANGER, &err), 0, err,
	       "the right one");
	ok_ret(import(store, "a", before.identity, &record), -ESTALE, err, "nor by import: %s",
	       err.text);
	ok_ret(import(store, "a", after.identity, &record), -EEXIST, err, "itself: %s", err.text);
	ok(record.key_id[0], "with its key");
	ockam_identity_record_free(&record);
	ockam_identity_record_free(&before);
	ockam_identity_record_free(&after);
	ockam_store_close(second);
	ockam_store_close(store);
}

static uint64_t expiry(const struct ockam_purpose_key *key)
{
	struct ockam_attestation a;
	struct ockam_reader r;

	ockam_reader_init(&r, key->attestation.data, key->attestation.len);
	return ockam_attestation_decode(&r, &a, NULL) ? 0 : a.expires_at;
}

static void test_lives(void)
{
	struct ockam_store *store = opened("lives");
	struct ockam_purpose_key one, two;
	struct ockam_identity_record record;
	uint64_t from, until;

	ockam_store_identity_create(store, "a", NULL, NULL, ED25519, NULL, &record, &err);
	from = ockam_identity_latest(record.identity)->valid_from;
	until = ockam_identity_latest(record.identity)->valid_until;
	ockam_identity_record_free(&record);
	ok_ret(ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, from, &one, &err), 0, err,
	       "a new key");
	ok(expiry(&one) == from + OCKAM_ATTESTATION_LIFE && one.created_at == from &&
	   one.renew_at == expiry(&one) - 86400, "to be renewed a day before its end");
	ok(!ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, one.renew_at, &two, &err) &&
	   !memcmp(one.secret, two.secret, 32), "not before");
	ockam_purpose_key_wipe(&two);
	ok(!ockam_store_identity_use(store, "a", OCKAM_PURPOSE_CHANNEL, one.renew_at + 1, &record,
				     &two, &err) && memcmp(one.secret, two.secret, 32),
	   "but then, together with the identity");
	ok(!strcmp(record.name, "a") && expiry(&two) == one.renew_at + 1 + OCKAM_ATTESTATION_LIFE,
	   "for five years more");
	ockam_identity_record_free(&record);
	ockam_purpose_key_wipe(&one);
	ockam_purpose_key_wipe(&two);

	ok(!ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, until - 3600, &one, &err) &&
	   expiry(&one) == until && one.renew_at == until, "never longer than the identity");
	ok(!ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, until, &two, &err) &&
	   !memcmp(one.secret, two.secret, 32), "and kept until its last second");
	ockam_purpose_key_wipe(&one);
	ockam_purpose_key_wipe(&two);
	ok_ret(ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, until + 1, &one, &err),
	       -EKEYEXPIRED, err, "then: %s", err.text);
	ok(strstr(err.text, "'ockam identity rotate a'"), "which says what to do");
	ok_ret(ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, from - 61, &one, &err),
	       -EKEYEXPIRED, err, "a clock that went back: %s", err.text);
	ockam_store_close(store);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_kinds("kinds-database", "default");
	test_kinds("kinds-file", "second");
	test_whole();
	test_import();
	test_own_peer();
	test_lives();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
