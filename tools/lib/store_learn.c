// SPDX-License-Identifier: Apache-2.0
/*
 * What nodes learn from peers: their change histories, and how many of them
 * are kept. Attributes come in the same transaction.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "store_credential.h"
#include "store_sql.h"

#define OCKAM_PEERS_STRANGERS	4096	/* histories of those who have earned nothing */
#define OCKAM_PEERS_EARNED	12288	/* of those that a rule or this node itself has chosen */
#define OCKAM_PEERS_LONG	1024	/* bytes: a history above counts against ... */
#define OCKAM_PEERS_STRANGERS_BYTES	(8LL * 1024 * 1024)	/* ... what each share may have */
#define OCKAM_PEERS_EARNED_BYTES	(32LL * 1024 * 1024)
#define OCKAM_PEERS_ONE_CHANGE	256	/* bytes: less than the shortest history of two changes */
#define OCKAM_PEERS_SLACK	256	/* histories that go at once */

/* ---- room ------------------------------------------------------------------- */

/*
 * The share of strangers is a ring: whoever reaches a listener that trusts
 * everyone can show new identities without end. A history of one change goes
 * first: without it there is no older one to fall back to. Among others the
 * one that was learnt first goes.
 */
static int __ockam_peers_trim_strangers(struct ockam_store *store, struct ockam_err *err)
{
	int64_t count = ockam_sql_count(store->db, err, "SELECT count(*) FROM peers"
					" WHERE earned = 0", "");
	int ret;

	if (count <= OCKAM_PEERS_STRANGERS)
		return count < 0 ? (int)count : 0;
	ret = ockam_sql_run(store->db, err, "DELETE FROM peers WHERE rowid IN (SELECT rowid"
			    " FROM peers WHERE earned = 0 ORDER BY length(history) >= ?, rowid"
			    " LIMIT ?)", "ii", (int64_t)OCKAM_PEERS_ONE_CHANGE,
			    count - OCKAM_PEERS_STRANGERS + OCKAM_PEERS_SLACK);
	return ret < 0 ? ret : 0;
}

/* The newest long ones stay, as many as fit. */
static int __ockam_peers_trim_long(struct ockam_store *store, struct ockam_err *err)
{
	int ret = ockam_sql_run(store->db, err,
				"DELETE FROM peers WHERE rowid IN (SELECT row FROM (SELECT rowid"
				" AS row, sum(length(history)) OVER (ORDER BY rowid DESC) AS sum"
				" FROM peers WHERE earned = 0 AND length(history) > ?)"
				" WHERE sum > ?)", "ii", (int64_t)OCKAM_PEERS_LONG,
				(int64_t)OCKAM_PEERS_STRANGERS_BYTES);

	return ret < 0 ? ret : 0;
}

/* Those that have earned it make room for each other where nothing is lost by it. */
static int __ockam_peers_room_earned(struct ockam_store *store, struct ockam_err *err)
{
	int64_t count = ockam_sql_count(store->db, err, "SELECT count(*) FROM peers"
					" WHERE earned = ?", "i", (int64_t)OCKAM_PEER_EARNED);
	int ret;

	if (count < OCKAM_PEERS_EARNED)
		return count < 0 ? (int)count : 0;
	ret = ockam_sql_run(store->db, err, "DELETE FROM peers WHERE rowid IN (SELECT rowid"
			    " FROM peers WHERE earned = ? AND length(history) < ?"
			    " ORDER BY rowid LIMIT ?)", "iii", (int64_t)OCKAM_PEER_EARNED,
			    (int64_t)OCKAM_PEERS_ONE_CHANGE, (int64_t)OCKAM_PEERS_SLACK);
	if (ret)
		return ret < 0 ? ret : 0;
	return ockam_err_set(err, -ENOSPC,
			     "the change histories of %d authorized peers are known, no more fit: see ockam identity peers",
			     OCKAM_PEERS_EARNED);
}

/* A history may grow to the size of a handshake message, in as many steps as it likes. */
static int __ockam_peers_check_long(struct ockam_store *store,
				    const struct ockam_identity *identity, struct ockam_err *err)
{
	int64_t sum;

	if (identity->history_len <= OCKAM_PEERS_LONG)
		return 0;
	sum = ockam_sql_count(store->db, err,
			      "SELECT coalesce(sum(length(history)), 0) FROM peers"
			      " WHERE earned = ? AND length(history) > ? AND identifier <> ?",
			      "iib", (int64_t)OCKAM_PEER_EARNED, (int64_t)OCKAM_PEERS_LONG,
			      identity->identifier, (size_t)OCKAM_IDENTIFIER_LEN);
	if (sum < 0)
		return (int)sum;
	if (sum + (int64_t)identity->history_len <= OCKAM_PEERS_EARNED_BYTES)
		return 0;
	return ockam_err_set(err, -ENOSPC,
			     "the long change histories of peers have %lld bytes, no more fit: see ockam identity peers",
			     (long long)sum);
}

/* ---- one history ------------------------------------------------------------- */

static int __ockam_peer_write(struct ockam_store *store, const struct ockam_identity *identity,
			      enum ockam_peer_share share, struct ockam_err *err)
{
	int ret = ockam_sql_run(store->db, err,
				"INSERT OR REPLACE INTO peers (identifier, history, earned)"
				" VALUES (?, ?, ?)", "bbi", identity->identifier,
				(size_t)OCKAM_IDENTIFIER_LEN, identity->history,
				identity->history_len, (int64_t)share);

	return ret < 0 ? ret : 0;
}

static int ockam_peer_refuse(const struct ockam_identity *identity,
			     enum ockam_history_order order, struct ockam_err *err)
{
	char text[OCKAM_IDENTIFIER_TEXT];

	ockam_identifier_format(identity->identifier, text);
	return ockam_err_set(err, -ESTALE, "%s shows a change history that %s", text,
			     order == OCKAM_HISTORY_OLDER ? "is older than the known one" :
			     "conflicts with the known one");
}

/* What is earned stays earned. Nothing is written for what is known already. */
static int __ockam_peer_learn(struct ockam_store *store, const struct ockam_identity *identity,
			      enum ockam_peer_share share, struct ockam_err *err)
{
	enum ockam_history_order order = OCKAM_HISTORY_NEWER;
	enum ockam_peer_share before;
	struct ockam_identity *known;
	int ret;

	ret = ockam_store_peer_get(store, identity->identifier, &known, &before, err);
	if (ret && ret != -ENOENT)
		return ret;
	if (!ret) {
		order = ockam_identity_compare(known, identity);
		ockam_identity_free(known);
		if (order != OCKAM_HISTORY_NEWER && order != OCKAM_HISTORY_EQUAL)
			return ockam_peer_refuse(identity, order, err);
		if (order == OCKAM_HISTORY_EQUAL && before >= share)
			return 0;
		if (before > share)
			share = before;
	}
	if (share == OCKAM_PEER_EARNED && (ret || before != share)) {
		ret = __ockam_peers_room_earned(store, err);
		if (ret)
			return ret;
	}
	if (share == OCKAM_PEER_EARNED) {
		ret = __ockam_peers_check_long(store, identity, err);
		if (ret)
			return ret;
	}
	return __ockam_peer_write(store, identity, share, err);
}

/* ---- many at once -------------------------------------------------------------- */

/* Failures of one are its own, those of the database are everybody's. */
static bool ockam_learn_is_own(int ret)
{
	return ret == -ESTALE || ret == -ENOSPC || ret == -ENOENT || ret == -EBADMSG;
}

static int __ockam_learn(struct ockam_store *store, struct ockam_news *news, size_t count,
			 struct ockam_err *err)
{
	bool met = false, met_long = false;
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++, news++) {
		if (news->peer) {
			ret = __ockam_peer_learn(store, news->peer, news->share, &news->err);
			met = true;
			met_long |= news->peer->history_len > OCKAM_PEERS_LONG;
		} else {
			ret = __ockam_store_attributes_put(store, news->node, news->attributes,
							   &news->err);
		}
		news->result = ret;
		if (ockam_learn_is_own(ret) && !sqlite3_get_autocommit(store->db))
			ret = 0;
		if (ret && err)
			*err = news->err;
	}
	if (!ret && met)
		ret = __ockam_peers_trim_strangers(store, err);
	if (!ret && met_long)
		ret = __ockam_peers_trim_long(store, err);
	return ret;
}

int ockam_store_learn(struct ockam_store *store, struct ockam_news *news, size_t count,
		      struct ockam_err *err)
{
	int ret = ockam_sql_begin(store, err);

	return ret ? ret : ockam_sql_end(store, __ockam_learn(store, news, count, err), err);
}

int ockam_store_peer_put(struct ockam_store *store, const struct ockam_identity *identity,
			 enum ockam_peer_share share, struct ockam_err *err)
{
	struct ockam_news news = { .peer = identity, .share = share };
	int ret = ockam_store_learn(store, &news, 1, err);

	if (!ret && news.result && err)
		*err = news.err;
	return ret ? ret : news.result;
}

int ockam_store_peer_purge(struct ockam_store *store, const uint8_t *identifier,
			   enum ockam_peer_share most, struct ockam_err *err)
{
	if (identifier)
		return ockam_sql_run(store->db, err, "DELETE FROM peers WHERE identifier = ?"
				     " AND earned <= ?", "bi", identifier,
				     (size_t)OCKAM_IDENTIFIER_LEN, (int64_t)most);
	return ockam_sql_run(store->db, err, "DELETE FROM peers WHERE earned <= ?", "i",
			     (int64_t)most);
}
