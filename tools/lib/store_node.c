// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "store_sql.h"

#define OCKAM_NODE_COLUMNS \
	"name, is_default, tcp_listener, identity, identifier, control, in_background, netns"

static void ockam_node_read(struct ockam_store *store, sqlite3_stmt *stmt,
			    struct ockam_node_record *node)
{
	memset(node, 0, sizeof(*node));
	ockam_sql_text(stmt, 0, node->name, sizeof(node->name));
	node->is_default = sqlite3_column_int(stmt, 1);
	ockam_sql_text(stmt, 2, node->tcp_listener, sizeof(node->tcp_listener));
	ockam_sql_text(stmt, 3, node->identity, sizeof(node->identity));
	if (sqlite3_column_bytes(stmt, 4) == OCKAM_IDENTIFIER_LEN)
		memcpy(node->identifier, sqlite3_column_blob(stmt, 4), OCKAM_IDENTIFIER_LEN);
	ockam_sql_text(stmt, 5, node->control, sizeof(node->control));
	node->in_background = sqlite3_column_int(stmt, 6);
	ockam_sql_text(stmt, 7, node->netns, sizeof(node->netns));
	ockam_life_look(&store->home, node->name, &node->life);
}

int ockam_store_node_get(struct ockam_store *store, const char *name,
			 struct ockam_node_record *node, struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	if (name)
		ret = ockam_sql_query(store->db, &stmt, err,
				      "SELECT " OCKAM_NODE_COLUMNS " FROM nodes WHERE name = ?",
				      "s", name);
	else
		ret = ockam_sql_query(store->db, &stmt, err,
				      "SELECT " OCKAM_NODE_COLUMNS " FROM nodes WHERE is_default",
				      "");
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0)
		ockam_node_read(store, stmt, node);
	sqlite3_finalize(stmt);
	if (ret)
		return ret < 0 ? ret : 0;
	if (!name)
		return ockam_err_set(err, -ENOENT, "There is no default node");
	return ockam_err_set(err, -ENOENT, "There is no node with name %s", name);
}

int ockam_store_node_list(struct ockam_store *store, struct ockam_node_record **nodes,
			  size_t *count, struct ockam_err *err)
{
	struct ockam_node_record *list = NULL;
	sqlite3_stmt *stmt;
	size_t used = 0;
	int ret;

	*nodes = NULL;
	*count = 0;
	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT " OCKAM_NODE_COLUMNS " FROM nodes ORDER BY rowid", "");
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0) {
		struct ockam_node_record *more = reallocarray(list, used + 1, sizeof(*list));

		if (!more) {
			ret = ockam_err_set(err, -ENOMEM, "no memory for the list of nodes");
			break;
		}
		list = more;
		ockam_node_read(store, stmt, &list[used++]);
	}
	sqlite3_finalize(stmt);
	if (ret) {
		free(list);
		return ret;
	}
	*nodes = list;
	*count = used;
	return 0;
}

/* Exactly one node has the mark. */
static int __ockam_node_set_default(struct ockam_store *store, const char *name,
				    struct ockam_err *err)
{
	int ret = ockam_sql_run(store->db, err, "UPDATE nodes SET is_default = (name = ?)", "s",
				name);

	return ret < 0 ? ret : 0;
}

static int __ockam_node_write(struct ockam_store *store, const struct ockam_node_record *node,
			      struct ockam_err *err)
{
	int ret;

	ret = ockam_sql_run(store->db, err,
			    "UPDATE nodes SET tcp_listener = ?, identity = ?,"
			    " identifier = ?, control = ?, in_background = ?, netns = ?"
			    " WHERE name = ?",
			    "ssbsiss", node->tcp_listener, node->identity, node->identifier,
			    (size_t)OCKAM_IDENTIFIER_LEN, node->control,
			    (int64_t)node->in_background, node->netns, node->name);
	return ret < 0 ? ret : 0;
}

int __ockam_store_node_claim(struct ockam_store *store, struct ockam_node_record *node,
			     struct ockam_node_record *old, struct ockam_err *err)
{
	int64_t defaults;
	int ret;

	ret = ockam_store_node_get(store, node->name, old, err);
	if (ret && ret != -ENOENT)
		return ret;
	if (ret) {
		memset(old, 0, sizeof(*old));
		ret = ockam_sql_run(store->db, err,
				    "INSERT INTO nodes (" OCKAM_NODE_COLUMNS ")"
				    " VALUES (?, 0, '', '', x'', '', 0, '')", "s", node->name);
		if (ret < 0)
			return ret;
	}
	if (!node->tcp_listener[0])
		memcpy(node->tcp_listener, old->tcp_listener, sizeof(node->tcp_listener));
	ret = __ockam_node_write(store, node, err);
	if (ret)
		return ret;
	node->is_default = old->is_default;
	defaults = ockam_sql_count(store->db, err, "SELECT count(*) FROM nodes WHERE is_default",
				   "");
	if (defaults)
		return defaults < 0 ? (int)defaults : 0;
	node->is_default = true;
	return __ockam_node_set_default(store, node->name, err);
}

int ockam_store_node_claim(struct ockam_store *store, struct ockam_node_record *node,
			   struct ockam_node_record *before, struct ockam_err *err)
{
	struct ockam_node_record old;
	int ret;

	ret = ockam_name_check_node(node->name, err);
	if (ret)
		return ret;
	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_sql_end(store, __ockam_store_node_claim(store, node, &old, err), err);
	if (!ret && before)
		*before = old;
	return ret;
}

/* Remove a node; the oldest of the others becomes the default if it was. */
static int __ockam_node_remove(struct ockam_store *store, const struct ockam_node_record *node,
			       struct ockam_err *err)
{
	int ret;

	ret = ockam_sql_run(store->db, err, "DELETE FROM nodes WHERE name = ?", "s", node->name);
	if (ret >= 0 && node->is_default)
		ret = ockam_sql_run(store->db, err,
				    "UPDATE nodes SET is_default = 1"
				    " WHERE rowid = (SELECT min(rowid) FROM nodes)", "");
	return ret < 0 ? ret : 0;
}

int ockam_store_node_unclaim(struct ockam_store *store, const char *name,
			     const struct ockam_node_record *before, struct ockam_err *err)
{
	struct ockam_node_record now;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_node_get(store, name, &now, err);
	if (ret == -ENOENT)
		return ockam_sql_end(store, 0, err);
	if (!ret && before->name[0])
		ret = __ockam_node_write(store, before, err);
	else if (!ret)
		ret = __ockam_node_remove(store, &now, err);
	return ockam_sql_end(store, ret, err);
}

int ockam_store_node_promote(struct ockam_store *store, const char *name, struct ockam_err *err)
{
	struct ockam_node_record first;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_node_get(store, NULL, &first, err);
	if (ret == -ENOENT || (!ret && !ockam_node_runs(&first))) {
		ret = ockam_store_node_get(store, name, &first, err);
		if (!ret)
			ret = __ockam_node_set_default(store, name, err);
	}
	return ockam_sql_end(store, ret, err);
}

int ockam_store_node_update(struct ockam_store *store, const struct ockam_node_record *node,
			    struct ockam_err *err)
{
	struct ockam_node_record old;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_node_get(store, node->name, &old, err);
	if (!ret)
		ret = __ockam_node_write(store, node, err);
	return ockam_sql_end(store, ret, err);
}

int ockam_store_node_set_default(struct ockam_store *store, const char *name,
				 struct ockam_err *err)
{
	struct ockam_node_record node;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_node_get(store, name, &node, err);
	if (!ret)
		ret = __ockam_node_set_default(store, name, err);
	return ockam_sql_end(store, ret, err);
}

int ockam_store_node_delete(struct ockam_store *store, const char *name, struct ockam_err *err)
{
	struct ockam_node_record node;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_node_get(store, name, &node, err);
	if (!ret && ockam_node_runs(&node))
		ret = ockam_err_set(err, -EBUSY, "Node %s is running: stop it first", name);
	if (!ret)
		ret = __ockam_node_remove(store, &node, err);
	return ockam_sql_end(store, ret, err);
}
