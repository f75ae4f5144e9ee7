// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes that peers' credentials have shown to a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "store_credential.h"
#include "store_sql.h"

#define OCKAM_ATTRIBUTES_COLUMNS	"subject, issuer, added_at, expires_at, attributes"

void ockam_attributes_record_free(struct ockam_attributes_record *record)
{
	ockam_buf_free(&record->attributes);
	memset(record, 0, sizeof(*record));
}

void ockam_attributes_records_free(struct ockam_attributes_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ockam_attributes_record_free(&records[i]);
	free(records);
}

static int ockam_attributes_row(sqlite3_stmt *stmt, struct ockam_attributes_record *record,
				struct ockam_err *err)
{
	memset(record, 0, sizeof(*record));
	ockam_sql_fixed(stmt, 0, record->subject, OCKAM_IDENTIFIER_LEN);
	ockam_sql_fixed(stmt, 1, record->issuer, OCKAM_IDENTIFIER_LEN);
	record->added_at = (uint64_t)sqlite3_column_int64(stmt, 2);
	record->expires_at = (uint64_t)sqlite3_column_int64(stmt, 3);
	ockam_sql_blob(stmt, 4, &record->attributes);
	if (!record->attributes.failed)
		return 0;
	ockam_attributes_record_free(record);
	return ockam_err_set(err, -ENOMEM, "no memory for attributes");
}

/* An authority's members may be many: the one that is of use for the shortest time goes. */
static int __ockam_attributes_make_room(struct ockam_store *store, const char *node,
					const uint8_t *keep, struct ockam_err *err)
{
	int64_t count = ockam_sql_count(store->db, err,
					"SELECT count(*) FROM attributes WHERE node = ?", "s",
					node);
	int ret;

	if (count <= OCKAM_STORE_ATTRIBUTES_MAX)
		return count < 0 ? (int)count : 0;
	ret = ockam_sql_run(store->db, err,
			    "DELETE FROM attributes WHERE rowid IN (SELECT rowid FROM attributes"
			    " WHERE node = ? AND subject <> ? ORDER BY expires_at LIMIT ?)", "sbi",
			    node, keep, (size_t)OCKAM_IDENTIFIER_LEN,
			    count - OCKAM_STORE_ATTRIBUTES_MAX);
	return ret < 0 ? ret : 0;
}

static int __ockam_attributes_expire(struct ockam_store *store, const char *node, uint64_t now,
				     struct ockam_err *err)
{
	int ret = ockam_sql_run(store->db, err, "DELETE FROM attributes WHERE node = ?"
				" AND expires_at < ?", "si", node, ockam_sql_time(now));

	return ret < 0 ? ret : 0;
}

/* Is that very thing known? Then nothing is written, added_at included. */
static int64_t __ockam_attributes_known(struct ockam_store *store, const char *node,
					const struct ockam_attributes_record *record,
					struct ockam_err *err)
{
	return ockam_sql_count(store->db, err, "SELECT count(*) FROM attributes WHERE node = ?"
			       " AND subject = ? AND issuer = ? AND expires_at = ?"
			       " AND attributes = ?", "sbbib", node, record->subject,
			       (size_t)OCKAM_IDENTIFIER_LEN, record->issuer,
			       (size_t)OCKAM_IDENTIFIER_LEN, ockam_sql_time(record->expires_at),
			       record->attributes.data, record->attributes.len);
}

int __ockam_store_attributes_put(struct ockam_store *store, const char *node,
				 const struct ockam_attributes_record *record,
				 struct ockam_err *err)
{
	int64_t known;
	int ret;

	ret = ockam_sql_has_node(store, node, err);
	if (ret)
		return ret;
	known = __ockam_attributes_known(store, node, record, err);
	if (known)
		return known < 0 ? (int)known : 0;
	ret = __ockam_attributes_expire(store, node, record->added_at, err);
	if (ret)
		return ret;
	ret = ockam_sql_run(store->db, err,
			    "INSERT OR REPLACE INTO attributes (node, " OCKAM_ATTRIBUTES_COLUMNS ")"
			    " VALUES (?, ?, ?, ?, ?, ?)", "sbbiib", node, record->subject,
			    (size_t)OCKAM_IDENTIFIER_LEN, record->issuer,
			    (size_t)OCKAM_IDENTIFIER_LEN, ockam_sql_time(record->added_at),
			    ockam_sql_time(record->expires_at), record->attributes.data,
			    record->attributes.len);
	return ret < 0 ? ret : __ockam_attributes_make_room(store, node, record->subject, err);
}

int ockam_store_attributes_put(struct ockam_store *store, const char *node,
			       const struct ockam_attributes_record *record,
			       struct ockam_err *err)
{
	int ret = ockam_sql_begin(store, err);

	return ret ? ret : ockam_sql_end(store, __ockam_store_attributes_put(store, node, record,
									     err), err);
}

int ockam_store_attributes_get(struct ockam_store *store, const char *node,
			       const uint8_t subject[OCKAM_IDENTIFIER_LEN],
			       const uint8_t *issuer, uint64_t now,
			       struct ockam_attributes_record *record, struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	memset(record, 0, sizeof(*record));
	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT " OCKAM_ATTRIBUTES_COLUMNS " FROM attributes"
			      " WHERE node = ?1 AND subject = ?2 AND issuer = coalesce(?3, issuer)"
			      " AND expires_at >= ?4", "sbbi", node, subject,
			      (size_t)OCKAM_IDENTIFIER_LEN, issuer, (size_t)OCKAM_IDENTIFIER_LEN,
			      ockam_sql_time(now));
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0)
		ret = ockam_attributes_row(stmt, record, err);
	else if (!ret)
		ret = ockam_err_set(err, -ENOENT,
				    "the node %s knows no attributes of this identity", node);
	sqlite3_finalize(stmt);
	return ret;
}

int ockam_store_attributes_list(struct ockam_store *store, const char *node, uint64_t now,
				struct ockam_attributes_record **records, size_t *count,
				struct ockam_err *err)
{
	struct ockam_attributes_record *list = NULL;
	size_t used = 0, room = 0;
	sqlite3_stmt *stmt;
	int ret;

	*records = NULL;
	*count = 0;
	ret = ockam_sql_query(store->db, &stmt, err, "SELECT " OCKAM_ATTRIBUTES_COLUMNS
			      " FROM attributes WHERE node = ? AND expires_at >= ? ORDER BY rowid",
			      "si", node, ockam_sql_time(now));
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0) {
		if (used == room) {
			struct ockam_attributes_record *more;

			room = room ? 2 * room : 16;
			more = reallocarray(list, room, sizeof(*list));
			if (!more) {
				ret = ockam_err_set(err, -ENOMEM,
						    "no memory for the list of attributes");
				break;
			}
			list = more;
		}
		ret = ockam_attributes_row(stmt, &list[used], err);
		if (ret)
			break;
		used++;
	}
	sqlite3_finalize(stmt);
	if (ret) {
		ockam_attributes_records_free(list, used);
		return ret;
	}
	*records = list;
	*count = used;
	return 0;
}

int ockam_store_attributes_delete(struct ockam_store *store, const char *node,
				  const uint8_t subject[OCKAM_IDENTIFIER_LEN],
				  struct ockam_err *err)
{
	int ret = ockam_sql_run(store->db, err,
				"DELETE FROM attributes WHERE node = ? AND subject = ?", "sb", node,
				subject, (size_t)OCKAM_IDENTIFIER_LEN);

	return ret < 0 ? ret : 0;
}
