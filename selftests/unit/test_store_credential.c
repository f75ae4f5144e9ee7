// SPDX-License-Identifier: Apache-2.0
/*
 * What the store keeps of trust: options of nodes, own credentials, attributes
 * of peers; bringing a database of the first schema up to date.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store_credential.h"
#include "homes.h"

#define NOW	1800000000ULL

static void claim(struct ockam_store *store, const char *name)
{
	struct ockam_node_record node = { };

	snprintf(node.name, sizeof(node.name), "%s", name);
	ok_ret(ockam_store_node_claim(store, &node, NULL, &err), 0, err, "node %s", name);
}

static void forget(struct ockam_store *store, const char *name)
{
	ok_ret(ockam_store_node_delete(store, name, &err), 0, err, "node %s deleted", name);
}

static int64_t rows(const char *sql)
{
	char path[PATH_MAX];
	int64_t count = -1;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	ockam_home_file(&home, "database.sqlite3", path, NULL);
	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		if (sqlite3_step(stmt) == SQLITE_ROW)
			count = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	return count;
}

/* The first schema as it was released; never to be changed. */
static const char first_schema[] =
	"CREATE TABLE vaults (name TEXT NOT NULL UNIQUE, path TEXT NOT NULL,"
	" is_default INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE keys ("
	" vault TEXT NOT NULL REFERENCES vaults (name) ON UPDATE CASCADE ON DELETE CASCADE,"
	" id TEXT NOT NULL, kind INTEGER NOT NULL, secret BLOB NOT NULL, PRIMARY KEY (vault, id));"
	"CREATE TABLE identities (name TEXT NOT NULL UNIQUE, identifier BLOB NOT NULL UNIQUE,"
	" history BLOB NOT NULL, vault TEXT NOT NULL REFERENCES vaults (name) ON UPDATE CASCADE,"
	" key_id TEXT NOT NULL, is_default INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE purpose_keys ("
	" identifier BLOB NOT NULL REFERENCES identities (identifier) ON DELETE CASCADE,"
	" purpose INTEGER NOT NULL, key_id TEXT NOT NULL, attestation BLOB NOT NULL,"
	" PRIMARY KEY (identifier, purpose));"
	"CREATE TABLE peers (identifier BLOB NOT NULL PRIMARY KEY, history BLOB NOT NULL);"
	"CREATE TABLE nodes (name TEXT NOT NULL UNIQUE, is_default INTEGER NOT NULL DEFAULT 0,"
	" tcp_listener TEXT NOT NULL, identity TEXT NOT NULL, identifier BLOB NOT NULL,"
	" control TEXT NOT NULL, in_background INTEGER NOT NULL);"
	"INSERT INTO vaults VALUES ('default', '', 1);"
	"INSERT INTO nodes VALUES ('old', 1, '127.0.0.1:4000', 'me', zeroblob(32), '/c', 1);"
	"PRAGMA user_version = 1; PRAGMA application_id = 1868786541; PRAGMA journal_mode = WAL;";

static void test_upgrade(void)
{
	struct ockam_node_record node;
	struct ockam_node_trust trust;
	struct ockam_vault_record vault;
	struct ockam_store *store;
	char path[PATH_MAX];
	sqlite3 *db;
	int fd;

	snprintf(path, sizeof(path), "%s/first", top);
	mkdir(path, 0700);
	strcat(path, "/database.sqlite3");
	fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	close(fd);
	ok(sqlite3_open(path, &db) == SQLITE_OK &&
	   sqlite3_exec(db, first_schema, NULL, NULL, NULL) == SQLITE_OK, "the first schema");
	sqlite3_close(db);

	store = opened("first");
	ok(rows("PRAGMA user_version") == OCKAM_STORE_SCHEMA, "is brought up to date");
	ok(!ockam_store_node_get(store, NULL, &node, &err) && !strcmp(node.name, "old") &&
	   !strcmp(node.tcp_listener, "127.0.0.1:4000"), "its node is there");
	ok(!ockam_store_vault_get(store, NULL, &vault, &err), "and its vault");
	ok_ret(ockam_store_node_trust(store, "old", &trust, &err), 0, err, "trust of the old node");
	ok(!trust.authority && !trust.scope[0] && !trust.strict_identities, "is none");
	ockam_store_close(store);
	ockam_store_close(opened("first"));
	ok(rows("PRAGMA user_version") == OCKAM_STORE_SCHEMA, "opened again");

	/* A failing step leaves the database as it was. */
	sqlite3_open(path, &db);
	sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL);
	sqlite3_close(db);
	ok(ockam_store_open(&home, 0, &store, &err) == -EUCLEAN, "a step that fails: %s", err.text);
	ok(rows("PRAGMA user_version") == 1, "changes nothing");
}

static void test_trust(void)
{
	struct ockam_store *store = opened("trust");
	struct ockam_node_trust trust = { .scope = "here", .strict_identities = true }, got;
	uint8_t seed[32] = { 1 };

	ok_ret(ockam_store_node_trust(store, "n1", &got, &err), -ENOENT, err, "%s", err.text);
	ok_ret(ockam_store_node_set_trust(store, "n1", &trust, &err), -ENOENT, err, "%s", err.text);
	claim(store, "n1");
	ockam_identity_create(OCKAM_KEY_ED25519, seed, NOW, &trust.authority, NULL);
	ok_ret(ockam_store_node_set_trust(store, "n1", &trust, &err), 0, err, "set");
	ok_ret(ockam_store_node_trust(store, "n1", &got, &err), 0, err, "read");
	ok(got.authority && !strcmp(got.scope, "here") && got.strict_identities &&
	   !memcmp(got.authority->identifier, trust.authority->identifier, 32), "as set");
	ockam_node_trust_free(&got);
	claim(store, "n1");
	ok(!ockam_store_node_trust(store, "n1", &got, &err) && got.authority,
	   "claiming the name keeps it");
	ockam_node_trust_free(&got);
	strcpy(trust.scope, "a\nb");
	ok_ret(ockam_store_node_set_trust(store, "n1", &trust, &err), -EINVAL, err, "%s", err.text);
	strcpy(trust.scope, "a\xff");
	ok_ret(ockam_store_node_set_trust(store, "n1", &trust, &err), -EINVAL, err, "%s", err.text);
	ockam_node_trust_free(&trust);
	ok_ret(ockam_store_node_set_trust(store, "n1", &trust, &err), 0, err, "taken back");
	ok(!ockam_store_node_trust(store, "n1", &got, &err) && !got.authority && !got.scope[0] &&
	   !got.strict_identities, "is none");
	ockam_store_close(store);
}

/* A start takes name and options together, or nothing. */
static void test_claim_trust(void)
{
	struct ockam_node_record node = { .name = "n1" }, before;
	struct ockam_node_trust trust = { .scope = "here" }, old, got;
	struct ockam_store *store = opened("claim");
	uint8_t seed[32] = { 2 };

	ockam_identity_create(OCKAM_KEY_ED25519, seed, NOW, &trust.authority, NULL);
	ok_ret(ockam_store_node_claim_trust(store, &node, &trust, &before, &old, &err), 0, err,
	       "claimed with an authority");
	ok(!before.name[0] && !old.authority, "nothing was there");
	ok(!ockam_store_node_trust(store, "n1", &got, &err) && got.authority &&
	   !strcmp(got.scope, "here"), "it is recorded");
	ockam_node_trust_free(&got);

	/* It must not come back without the authority that it had. */
	ok(rows("UPDATE nodes SET authority = x'8100'") >= -1, "the database is damaged");
	node.in_background = true;
	ok(ockam_store_node_claim_trust(store, &node, &trust, &before, &old, &err) == -EBADMSG,
	   "%s", err.text);
	ok(!old.authority && !old.scope[0], "nothing to give back");
	ok(rows("SELECT count(*) FROM nodes WHERE authority = x'8100' AND credential_scope = 'here'"
		" AND NOT in_background") == 1, "and the record is as it was");
	strcpy(node.name, "n!");
	ok_ret(ockam_store_node_claim_trust(store, &node, &trust, &before, &old, &err), -EINVAL,
	       err, "%s", err.text);
	ockam_node_trust_free(&trust);
	ockam_store_close(store);
}

static struct ockam_credential_record credential(uint8_t subject, uint8_t issuer,
						 const char *scope, uint64_t end, uint8_t byte)
{
	struct ockam_credential_record c = { .expires_at = end };

	memset(c.subject, subject, sizeof(c.subject));
	memset(c.issuer, issuer, sizeof(c.issuer));
	snprintf(c.scope, sizeof(c.scope), "%s", scope);
	ockam_buf_put_u8(&c.bytes, byte);
	return c;
}

static int put(struct ockam_store *store, const char *node, uint8_t subject, uint8_t issuer,
	       const char *scope, uint64_t end, uint8_t byte)
{
	struct ockam_credential_record c = credential(subject, issuer, scope, end, byte);
	int ret = ockam_store_credential_put(store, node, &c, NOW, &err);

	ockam_credential_record_free(&c);
	return ret;
}

/* The byte of a stored credential, or a negative errno. */
static int get(struct ockam_store *store, const char *node, int subject, uint8_t issuer,
	       const char *scope)
{
	struct ockam_credential_record c = credential((uint8_t)subject, issuer, scope, 0, 0), got;
	int ret;

	ret = ockam_store_credential_get(store, node, subject < 0 ? NULL : c.subject, c.issuer,
					 scope, &got, &err);
	if (!ret)
		ret = got.bytes.data[0];
	ockam_credential_record_free(&c);
	ockam_credential_record_free(&got);
	return ret;
}

static void test_credentials(void)
{
	struct ockam_store *store = opened("credentials");
	struct ockam_credential_record *list;
	uint8_t issuer[32];
	char scope[300];
	size_t count;
	int i, ret;

	ok_ret(put(store, "n1", 1, 2, "s", NOW, 7), -ENOENT, err, "%s", err.text);
	claim(store, "n1");
	claim(store, "n2");
	ok_ret(put(store, "n1", 1, 2, "", NOW, 7), -EINVAL, err, "%s", err.text);
	ok_ret(put(store, "n1", 1, 2, "s", NOW + 5, 7), 0, err, "stored");
	ok_ret(put(store, "n1", 1, 2, "t", UINT64_MAX, 8), 0, err, "with another scope");
	ok_ret(put(store, "n1", 1, 3, "s", NOW + 6, 9), 0, err, "of another issuer");
	ok_ret(put(store, "n2", 1, 2, "s", NOW + 7, 10), 0, err, "for another node");
	ok(get(store, "n1", 1, 2, "s") == 7 && get(store, "n1", -1, 2, "s") == 7 &&
	   get(store, "n1", 1, 2, "t") == 8 && get(store, "n1", 1, 3, "s") == 9 &&
	   get(store, "n2", 1, 2, "s") == 10, "each is found");
	ok(get(store, "n1", 4, 2, "s") == -ENOENT, "about nobody else: %s", err.text);
	ok(get(store, "n3", 1, 2, "s") == -ENOENT, "for no other node: %s", err.text);
	ok_ret(put(store, "n1", 5, 2, "s", NOW + 5, 11), 0, err, "about another identity");
	ok(get(store, "n1", 1, 2, "s") == 7 && get(store, "n1", 5, 2, "s") == 11 &&
	   get(store, "n1", -1, 2, "s") == 11, "both are kept, the newest is given");
	ok_ret(put(store, "n1", 1, 2, "s", NOW + 9, 12), 0, err, "a later one");
	ok(get(store, "n1", -1, 2, "s") == 12 && get(store, "n1", 1, 2, "s") == 12, "replaces it");
	ok(!ockam_store_credential_list(store, "n1", &list, &count, &err) && count == 4 &&
	   list[0].bytes.data[0] == 8 && list[3].bytes.data[0] == 12 &&
	   list[0].expires_at == INT64_MAX && list[3].expires_at == NOW + 9 &&
	   list[3].subject[0] == 1 && list[3].issuer[31] == 2 && !strcmp(list[3].scope, "s"),
	   "listed in order of storing");
	ockam_credential_records_free(list, count);
	memset(issuer, 2, sizeof(issuer));
	ok_ret(ockam_store_credential_delete(store, "n1", issuer, "s", &err), 0, err, "deleted");
	ok(get(store, "n1", 1, 2, "s") == -ENOENT && get(store, "n1", 5, 2, "s") == -ENOENT &&
	   get(store, "n1", 1, 2, "t") == 8, "and no other");
	ok_ret(ockam_store_credential_delete(store, "n1", issuer, "s", &err), -ENOENT, err, "%s",
	       err.text);

	ockam_store_close(store);
	store = opened("credentials");
	claim(store, "n1");
	ok(get(store, "n1", 1, 2, "t") == 8, "kept when the node is made again");
	forget(store, "n1");
	ok(rows("SELECT count(*) FROM credentials") == 1, "its credentials go with it");

	for (i = 1, ret = 0; i < OCKAM_STORE_CREDENTIALS_MAX && !ret; i++) {
		snprintf(scope, sizeof(scope), "scope %d", i);
		ret = put(store, "n2", 1, 2, scope, i < 4 ? NOW - 1 : NOW, 1);
	}
	ok_ret(ret, 0, err, "as many as fit");
	ok_ret(put(store, "n2", 1, 2, "one more", NOW, 2), 0, err, "those that have expired make room");
	ok(rows("SELECT count(*) FROM credentials") == OCKAM_STORE_CREDENTIALS_MAX - 2,
	   "all three of them");
	put(store, "n2", 1, 2, "b", NOW, 3);
	put(store, "n2", 1, 2, "c", NOW, 4);
	ok_ret(put(store, "n2", 1, 2, "d", NOW, 5), -ENOSPC, err, "%s", err.text);
	ok(get(store, "n2", 1, 2, "d") == -ENOENT, "is not there");
	ok_ret(put(store, "n2", 1, 2, "c", NOW, 6), 0, err, "replacing one needs no room");
	memset(scope, 'x', 256);
	scope[256] = '\0';
	ok_ret(ockam_scope_check(scope, &err), -EINVAL, err, "%s", err.text);
	scope[255] = '\0';
	ok_ret(ockam_scope_check(scope, &err), 0, err, "the longest scope");
	ockam_store_close(store);
}

static int put_attributes(struct ockam_store *store, const char *node, uint32_t subject,
			  uint8_t issuer, uint64_t end, uint8_t byte)
{
	struct ockam_attributes_record a = { .added_at = NOW, .expires_at = end };
	int ret;

	memcpy(a.subject, &subject, sizeof(subject));
	memset(a.issuer, issuer, sizeof(a.issuer));
	ockam_buf_put_u8(&a.attributes, byte);
	ret = ockam_store_attributes_put(store, node, &a, &err);
	ockam_attributes_record_free(&a);
	return ret;
}

static int get_attributes(struct ockam_store *store, const char *node, uint32_t subject,
			  int issuer, uint64_t now)
{
	struct ockam_attributes_record got;
	uint8_t who[32] = { 0 }, by[32];
	int ret;

	memcpy(who, &subject, sizeof(subject));
	memset(by, issuer, sizeof(by));
	ret = ockam_store_attributes_get(store, node, who, issuer < 0 ? NULL : by, now, &got, &err);
	if (!ret)
		ret = got.attributes.data[0];
	ockam_attributes_record_free(&got);
	return ret;
}

static void test_attributes(void)
{
	struct ockam_store *store = opened("attributes");
	struct ockam_attributes_record *list;
	uint8_t who[32] = { 1 };
	size_t count;
	int64_t last;

	ok_ret(put_attributes(store, "n1", 1, 2, NOW, 7), -ENOENT, err, "%s", err.text);
	claim(store, "n1");
	claim(store, "n2");
	ok_ret(put_attributes(store, "n1", 1, 2, NOW + 5, 7), 0, err, "remembered");
	ok_ret(put_attributes(store, "n1", 2, 2, NOW + 9, 8), 0, err, "of another peer");
	ok_ret(put_attributes(store, "n2", 1, 2, NOW + 5, 9), 0, err, "by another node");
	ok(get_attributes(store, "n1", 1, 2, NOW) == 7 &&
	   get_attributes(store, "n1", 2, -1, NOW) == 8 &&
	   get_attributes(store, "n2", 1, 2, NOW) == 9, "each is found");
	ok(get_attributes(store, "n1", 1, 3, NOW) == -ENOENT, "of no other authority: %s",
	   err.text);
	ok_ret(put_attributes(store, "n1", 1, 3, NOW + 4, 10), 0, err, "a later credential");
	ok(get_attributes(store, "n1", 1, 3, NOW) == 10 &&
	   get_attributes(store, "n1", 1, 2, NOW) == -ENOENT, "replaces it, whoever issued it");
	ok(!ockam_store_attributes_list(store, "n1", NOW, &list, &count, &err) && count == 2 &&
	   list[0].attributes.data[0] == 8 && list[1].attributes.data[0] == 10 &&
	   list[1].added_at == NOW && list[1].expires_at == NOW + 4, "listed");
	ockam_attributes_records_free(list, count);
	ok(get_attributes(store, "n1", 1, 3, NOW + 4) == 10, "in its last second");
	ok(get_attributes(store, "n1", 1, 3, NOW + 5) == -ENOENT, "and after it");
	last = rows("SELECT max(rowid) FROM attributes");
	ok_ret(put_attributes(store, "n1", 1, 3, NOW + 4, 10), 0, err, "the same again");
	ok(rows("SELECT max(rowid) FROM attributes") == last, "writes nothing");
	ok(get_attributes(store, "n2", 1, 2, NOW) == 9, "other nodes' stay");
	ok(!ockam_store_attributes_list(store, "n1", NOW + 99, &list, &count, &err) && !count,
	   "nor are they listed");
	ok_ret(ockam_store_attributes_delete(store, "n2", who, &err), 0, err, "forgotten");
	ok(get_attributes(store, "n2", 1, 2, NOW) == -ENOENT, "is gone");
	ok_ret(ockam_store_attributes_delete(store, "n2", who, &err), 0, err, "twice is no error");
	put_attributes(store, "n1", 1, 2, NOW, 7);
	forget(store, "n1");
	ok(!rows("SELECT count(*) FROM attributes"), "they go with the node");
	ockam_store_close(store);
}

/* Fill the table behind the store's back: one transaction is enough. */
static void test_attributes_full(void)
{
	struct ockam_store *store = opened("full");
	char path[PATH_MAX], sql[512];
	sqlite3 *db;

	claim(store, "n1");
	ockam_home_file(&home, "database.sqlite3", path, NULL);
	snprintf(sql, sizeof(sql), "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1"
		 " FROM c WHERE i < %d) INSERT INTO attributes SELECT 'n1',"
		 " CAST(printf('%%032d', i) AS BLOB), zeroblob(32), %llu, %llu + 100000 - i, x'a0'"
		 " FROM c", OCKAM_STORE_ATTRIBUTES_MAX, NOW, NOW);
	sqlite3_open(path, &db);
	ok(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "a full table");
	sqlite3_close(db);
	ok_ret(put_attributes(store, "n1", 1, 2, NOW + 1, 7), 0, err, "one more");
	ok(rows("SELECT count(*) FROM attributes") == OCKAM_STORE_ATTRIBUTES_MAX, "is not more");
	ok(get_attributes(store, "n1", 1, 2, NOW) == 7, "it is the newest");
	snprintf(sql, sizeof(sql), "SELECT min(expires_at) - %llu FROM attributes WHERE"
		 " length(issuer) = 32 AND issuer = zeroblob(32)", NOW);
	ok(rows(sql) == 100000 - OCKAM_STORE_ATTRIBUTES_MAX + 1,
	   "the one that would have expired first has gone");
	ockam_store_close(store);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_upgrade();
	test_trust();
	test_claim_trust();
	test_credentials();
	test_attributes();
	test_attributes_full();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
