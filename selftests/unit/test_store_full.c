// SPDX-License-Identifier: Apache-2.0
/*
 * What strangers can make a home remember: the table of peers' histories when
 * it is full, in number and in bytes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "homes.h"

#define NOW	1800000000ULL
#define PEERS	16384	/* as limits.rst says */

static sqlite3 *open_file(void)
{
	char path[PATH_MAX];
	sqlite3 *db;

	ockam_home_file(&home, "database.sqlite3", path, NULL);
	sqlite3_open(path, &db);
	return db;
}

/* @count rows behind the store's back, with histories of @len bytes. */
static void fill(int first, int count, int len)
{
	sqlite3 *db = open_file();
	char sql[256];

	snprintf(sql, sizeof(sql), "WITH RECURSIVE c (i) AS (SELECT %d UNION ALL SELECT i + 1"
		 " FROM c WHERE i < %d) INSERT INTO peers SELECT"
		 " CAST(printf('%%032d', i) AS BLOB), zeroblob(%d) FROM c", first,
		 first + count - 1, len);
	ok(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%d histories of %d bytes", count,
	   len);
	sqlite3_close(db);
}

static int known_peers(void)
{
	sqlite3 *db = open_file();
	sqlite3_stmt *stmt;
	int n = -1;

	sqlite3_prepare_v2(db, "SELECT count(*) FROM peers", -1, &stmt, NULL);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

/* An identity of its own for each @seed, with that many changes. */
static struct ockam_identity *peer(uint8_t seed, int changes)
{
	uint8_t secret[32] = { seed, 1 };
	struct ockam_identity *identity, *longer;

	ockam_identity_create(OCKAM_KEY_ED25519, secret, NOW, &identity, NULL);
	while (--changes) {
		ockam_identity_rotate(identity, secret, OCKAM_KEY_ED25519, secret, NOW, &longer,
				      NULL);
		ockam_identity_free(identity);
		identity = longer;
	}
	return identity;
}

static int put(struct ockam_store *store, uint8_t seed, int changes)
{
	struct ockam_identity *identity = peer(seed, changes);
	int ret = ockam_store_peer_put(store, identity, &err);

	ockam_identity_free(identity);
	return ret;
}

static int put_named(struct ockam_store *store, uint8_t seed, int changes)
{
	struct ockam_identity *identity = peer(seed, changes);
	int ret = ockam_store_peer_put_named(store, identity, &err);

	ockam_identity_free(identity);
	return ret;
}

static bool knows(struct ockam_store *store, uint8_t seed)
{
	struct ockam_identity *identity = peer(seed, 1), *known;
	int ret = ockam_store_peer_get(store, identity->identifier, &known, &err);

	ockam_identity_free(identity);
	ockam_identity_free(known);
	return !ret;
}

static void test_number(void)
{
	struct ockam_store *store = opened("number");

	ok_ret(put(store, 1, 1), 0, err, "the first peer");
	ok_ret(put(store, 2, 2), 0, err, "one that has rotated its key");
	fill(0, PEERS - 2, 137);
	ok_ret(put(store, 3, 1), 0, err, "one more than fits");
	ok(known_peers() == PEERS - PEERS / 16 + 1, "the oldest of one change have gone");
	ok(!knows(store, 1) && knows(store, 2) && knows(store, 3),
	   "not what tells of a rotation, nor the new one");
	ockam_store_close(store);

	store = opened("rotated");
	fill(0, PEERS, 342);
	ok_ret(put(store, 1, 1), -ENOSPC, err, "all have rotated: %s", err.text);
	ok_ret(put(store, 1, 2), -ENOSPC, err, "whoever comes");
	ok(known_peers() == PEERS && !knows(store, 1), "nothing changes");
	ok_ret(put_named(store, 1, 1), 0, err, "but one that the user names is remembered");
	ok_ret(put(store, 1, 2), 0, err, "and what is learnt of it");
	ok(known_peers() == PEERS + 1 && knows(store, 1), "it is there");
	ockam_store_close(store);
}

static void test_bytes(void)
{
	struct ockam_store *store = opened("bytes");

	ok_ret(put(store, 1, 2), 0, err, "a peer of two changes");
	fill(0, 1023, 32768);
	ok_ret(put(store, 2, 8), 0, err, "one of eight: 32 MiB are not full");
	fill(1023, 1, 32768);
	ok_ret(put(store, 3, 8), -ENOSPC, err, "then they are: %s", err.text);
	ok_ret(put(store, 1, 8), -ENOSPC, err, "a known one does not grow either");
	ok_ret(put(store, 2, 9), -ENOSPC, err, "nor one that was long");
	ok_ret(put(store, 3, 2), 0, err, "short ones are taken");
	ok_ret(put(store, 1, 3), 0, err, "and grow a little");
	ok_ret(put_named(store, 4, 8), 0, err, "what the user names is taken");
	ockam_store_close(store);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_number();
	test_bytes();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
