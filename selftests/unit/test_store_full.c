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
#include "store_credential.h"

#define NOW	1800000000ULL
#define STRANGERS	4096	/* as limits.rst says */
#define EARNED		12288

static sqlite3 *open_file(void)
{
	char path[PATH_MAX];
	sqlite3 *db;

	ockam_home_file(&home, "database.sqlite3", path, NULL);
	sqlite3_open(path, &db);
	return db;
}

/* @count rows of @share behind the store's back, with histories of @len bytes. */
static void fill(int first, int count, int len, enum ockam_peer_share share)
{
	sqlite3 *db = open_file();
	char sql[256];

	snprintf(sql, sizeof(sql), "WITH RECURSIVE c (i) AS (SELECT %d UNION ALL SELECT i + 1"
		 " FROM c WHERE i < %d) INSERT INTO peers SELECT"
		 " CAST(printf('%%032d', i) AS BLOB), zeroblob(%d), %d FROM c", first,
		 first + count - 1, len, share);
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

static int put(struct ockam_store *store, uint8_t seed, int changes, enum ockam_peer_share share)
{
	struct ockam_identity *identity = peer(seed, changes);
	int ret = ockam_store_peer_put(store, identity, share, &err);

	ockam_identity_free(identity);
	return ret;
}

static bool knows(struct ockam_store *store, uint8_t seed)
{
	struct ockam_identity *identity = peer(seed, 1), *known;
	int ret = ockam_store_peer_get(store, identity->identifier, &known, NULL, &err);

	ockam_identity_free(identity);
	ockam_identity_free(known);
	return !ret;
}

static int put_stranger(struct ockam_store *store, uint8_t seed, int changes)
{
	return put(store, seed, changes, OCKAM_PEER_STRANGER);
}

static int put_earned(struct ockam_store *store, uint8_t seed, int changes)
{
	return put(store, seed, changes, OCKAM_PEER_EARNED);
}

static enum ockam_peer_share share_of(struct ockam_store *store, uint8_t seed)
{
	enum ockam_peer_share share = OCKAM_PEER_STRANGER;
	struct ockam_identity *identity = peer(seed, 1), *known;

	ockam_store_peer_get(store, identity->identifier, &known, &share, &err);
	ockam_identity_free(identity);
	ockam_identity_free(known);
	return share;
}

/* What one stranger can do, and what it does to the others. */
static void test_strangers(void)
{
	struct ockam_store *store = opened("strangers");

	ok_ret(put_earned(store, 1, 2), 0, err, "an authorized peer that has rotated its key");
	ok_ret(put(store, 2, 1, OCKAM_PEER_NAMED), 0, err, "an authority");
	ok_ret(put_stranger(store, 3, 2), 0, err, "a stranger that has");
	ok_ret(put_stranger(store, 4, 1), 0, err, "and one that has not");
	fill(0, STRANGERS - 2, 342, OCKAM_PEER_STRANGER);
	ok_ret(put_stranger(store, 5, 2), 0, err, "one more, with all places taken by histories of two changes");
	ok(!knows(store, 4), "what tells of no rotation goes first");
	ok(!knows(store, 3) && knows(store, 5), "then what was learnt first; the new one is known");
	ok(known_peers() <= STRANGERS + 2, "no more than fit");
	ok_ret(put_earned(store, 1, 1), -ESTALE, err, "the authorized one's old key: %s", err.text);
	fill(5000, STRANGERS, 342, OCKAM_PEER_STRANGER);
	ok_ret(put_stranger(store, 6, 1), 0, err, "a stranger, again and again");
	ok_ret(put_stranger(store, 7, 2), 0, err, "and another one");
	ok_ret(put_earned(store, 1, 1), -ESTALE, err, "is never accepted again");
	ok(knows(store, 2) && share_of(store, 2) == OCKAM_PEER_NAMED, "the authority is there");
	ok_ret(put_earned(store, 7, 2), 0, err, "a stranger comes to be authorized");
	ok(share_of(store, 7) == OCKAM_PEER_EARNED, "and stays from then on");
	ok_ret(put_stranger(store, 7, 3), 0, err, "wherever it is met");
	ok(share_of(store, 7) == OCKAM_PEER_EARNED, "it is one that stays");
	ok(ockam_store_peer_purge(store, NULL, OCKAM_PEER_STRANGER, &err) > STRANGERS / 2,
	   "strangers are forgotten");
	ok(known_peers() == 3 && knows(store, 1) && knows(store, 2) && knows(store, 7),
	   "nobody else");
	ockam_store_close(store);
}

static void test_earned(void)
{
	struct ockam_store *store = opened("earned");
	struct ockam_identity *identity = peer(2, 1);

	ok_ret(put_earned(store, 1, 1), 0, err, "an authorized peer");
	fill(0, EARNED - 1, 342, OCKAM_PEER_EARNED);
	ok_ret(put_earned(store, 2, 1), 0, err, "one more than fits");
	ok(!knows(store, 1) && knows(store, 2), "takes the place of what tells of no rotation");
	ok_ret(put_earned(store, 2, 2), 0, err, "which rotates its key");
	ok_ret(put_earned(store, 3, 2), -ENOSPC, err, "all have rotated: %s", err.text);
	ok_ret(put_earned(store, 2, 3), 0, err, "a known one grows");
	ok_ret(put_stranger(store, 3, 2), 0, err, "strangers have their own places");
	ok_ret(put(store, 4, 1, OCKAM_PEER_NAMED), 0, err, "whom the user names is remembered");
	ok(ockam_store_peer_purge(store, identity->identifier, OCKAM_PEER_NAMED, &err) == 1 &&
	   !knows(store, 2), "one is forgotten");
	ok_ret(put_earned(store, 3, 2), 0, err, "which makes room");
	ockam_identity_free(identity);
	ockam_store_close(store);
}

static void test_bytes(void)
{
	struct ockam_store *store = opened("bytes");

	ok_ret(put_earned(store, 1, 2), 0, err, "a peer of two changes");
	fill(0, 1023, 32768, OCKAM_PEER_EARNED);
	ok_ret(put_earned(store, 2, 8), 0, err, "one of eight: 32 MiB are not full");
	fill(1023, 1, 32768, OCKAM_PEER_EARNED);
	ok_ret(put_earned(store, 3, 8), -ENOSPC, err, "then they are: %s", err.text);
	ok_ret(put_earned(store, 1, 8), -ENOSPC, err, "a known one does not grow either");
	ok_ret(put_earned(store, 3, 2), 0, err, "short ones are taken");
	ok_ret(put(store, 4, 8, OCKAM_PEER_NAMED), 0, err, "what the user names is taken");

	ok_ret(put_stranger(store, 5, 8), 0, err, "a stranger of eight changes");
	fill(2000, 255, 32768, OCKAM_PEER_STRANGER);
	ok_ret(put_stranger(store, 6, 8), 0, err, "another one: 8 MiB are not full");
	ok(knows(store, 5), "both are known");
	fill(3000, 1, 32768, OCKAM_PEER_STRANGER);
	ok_ret(put_stranger(store, 7, 8), 0, err, "then they are");
	ok(!knows(store, 5) && knows(store, 6) && knows(store, 7), "what was learnt first goes");
	ockam_store_close(store);
}

/* Many things in one transaction: each has its own result. */
static void test_learn(void)
{
	struct ockam_store *store = opened("learn");
	struct ockam_attributes_record attributes = { .expires_at = NOW };
	struct ockam_identity *a = peer(1, 1), *b = peer(2, 2), *old = peer(2, 1);
	struct ockam_news news[] = {
		{ .peer = a },
		{ .peer = b, .share = OCKAM_PEER_EARNED },
		{ .peer = old },
		{ .node = "n1", .attributes = &attributes },
	};

	ok_ret(ockam_store_learn(store, news, 4, &err), 0, err, "all at once");
	ok(!news[0].result && !news[1].result, "two are new");
	ok(news[2].result == -ESTALE, "one is stale: %s", news[2].err.text);
	ok(news[3].result == -ENOENT, "one is of no node: %s", news[3].err.text);
	ok(known_peers() == 2 && share_of(store, 2) == OCKAM_PEER_EARNED, "what could be is there");
	ockam_identity_free(a);
	ockam_identity_free(b);
	ockam_identity_free(old);
	ockam_store_close(store);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_strangers();
	test_earned();
	test_bytes();
	test_learn();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
