// SPDX-License-Identifier: Apache-2.0
/*
 * Opening a home's database, and its schema.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store_sql.h"

#define OCKAM_STORE_APP_ID	0x6f636b6d	/* "ockm", in the file's header */
#define OCKAM_STORE_WAL_TRIES	500
#define OCKAM_STORE_WAL_NS	20000000

/*
 * Step i brings version i to i + 1. Steps are never changed once released,
 * only added: any older database then reaches the present.
 */
static const char *const ockam_store_steps[] = {
	"CREATE TABLE vaults ("
	" name TEXT NOT NULL UNIQUE,"
	" path TEXT NOT NULL,"			/* '' = keys in this database */
	" is_default INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE keys ("
	" vault TEXT NOT NULL REFERENCES vaults (name) ON UPDATE CASCADE ON DELETE CASCADE,"
	" id TEXT NOT NULL, kind INTEGER NOT NULL, secret BLOB NOT NULL,"
	" PRIMARY KEY (vault, id));"
	"CREATE TABLE identities ("
	" name TEXT NOT NULL UNIQUE,"
	" identifier BLOB NOT NULL UNIQUE,"
	" history BLOB NOT NULL,"
	" vault TEXT NOT NULL REFERENCES vaults (name) ON UPDATE CASCADE,"
	" key_id TEXT NOT NULL,"		/* '' = imported without its key */
	" is_default INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE purpose_keys ("
	" identifier BLOB NOT NULL REFERENCES identities (identifier) ON DELETE CASCADE,"
	" purpose INTEGER NOT NULL, key_id TEXT NOT NULL, attestation BLOB NOT NULL,"
	" PRIMARY KEY (identifier, purpose));"
	"CREATE TABLE peers ("
	" identifier BLOB NOT NULL PRIMARY KEY, history BLOB NOT NULL);"
	"CREATE TABLE nodes ("
	" name TEXT NOT NULL UNIQUE,"
	" is_default INTEGER NOT NULL DEFAULT 0,"
	" tcp_listener TEXT NOT NULL, identity TEXT NOT NULL, identifier BLOB NOT NULL,"
	" control TEXT NOT NULL, in_background INTEGER NOT NULL);",

	"ALTER TABLE nodes ADD COLUMN authority BLOB;"	/* change history */
	"ALTER TABLE nodes ADD COLUMN credential_scope TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE nodes ADD COLUMN strict_identities INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE credentials ("		/* own ones */
	" node TEXT NOT NULL REFERENCES nodes (name) ON UPDATE CASCADE ON DELETE CASCADE,"
	" subject BLOB NOT NULL, issuer BLOB NOT NULL, scope TEXT NOT NULL,"
	" expires_at INTEGER NOT NULL, credential BLOB NOT NULL,"
	" PRIMARY KEY (node, subject, issuer, scope));"
	"CREATE TABLE attributes ("		/* of peers */
	" node TEXT NOT NULL REFERENCES nodes (name) ON UPDATE CASCADE ON DELETE CASCADE,"
	" subject BLOB NOT NULL, issuer BLOB NOT NULL,"
	" added_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, attributes BLOB NOT NULL,"
	" PRIMARY KEY (node, subject));"
	"CREATE INDEX attributes_by_end ON attributes (node, expires_at);",

	/*
	 * Whose history may be forgotten. Of those that are here already only what
	 * tells of no rotation can be, at no risk.
	 */
	"ALTER TABLE peers ADD COLUMN earned INTEGER NOT NULL DEFAULT 0;"
	"UPDATE peers SET earned = 1 WHERE length(history) >= 256;"
	"CREATE INDEX peers_by_share ON peers (earned);",

	"ALTER TABLE nodes ADD COLUMN api_rule TEXT NOT NULL DEFAULT '';",	/* JSON */

	"ALTER TABLE nodes ADD COLUMN netns TEXT NOT NULL DEFAULT '';",
};

_Static_assert(sizeof(ockam_store_steps) / sizeof(char *) == OCKAM_STORE_SCHEMA,
	       "one step for each version");

/*
 * The Rust implementation has the same name for its database, in the same home.
 * One statement, so that it sees a database that is being made as empty or done.
 */
static int ockam_store_check_own(struct ockam_store *store, struct ockam_err *err)
{
	int64_t foreign;

	foreign = ockam_sql_count(store->db, err, "SELECT count(*) > 0 AND"
				  " (SELECT user_version FROM pragma_user_version) = 0"
				  " FROM sqlite_master", "");
	if (foreign <= 0)
		return (int)foreign;
	return ockam_err_set(err, -ENOTSUP,
			     "the database of %.120s was made by another program: set OCKAM_HOME to a directory of its own",
			     store->home.path);
}

static int ockam_store_upgrade(struct ockam_store *store, struct ockam_err *err)
{
	char sql[64];
	int64_t version;
	int ret;

	version = ockam_sql_count(store->db, err, "PRAGMA user_version", "");
	if (version == OCKAM_STORE_SCHEMA)
		return 0;
	ret = version < 0 ? (int)version : ockam_sql_begin(store, err);
	if (ret)
		return ret;
	/* Another command may have been faster. */
	version = ockam_sql_count(store->db, err, "PRAGMA user_version", "");
	if (version < 0)
		ret = (int)version;
	else if (version > OCKAM_STORE_SCHEMA)
		ret = ockam_err_set(err, -ENOTSUP,
				    "the database of %.100s was written by a newer release (schema %lld, this one knows %d)",
				    store->home.path, (long long)version, OCKAM_STORE_SCHEMA);
	for (; !ret && version < OCKAM_STORE_SCHEMA; version++)
		if (sqlite3_exec(store->db, ockam_store_steps[version], NULL, NULL, NULL) !=
		    SQLITE_OK)
			ret = ockam_sql_fail(store->db, NULL, err);
	if (!ret) {
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", OCKAM_STORE_SCHEMA);
		ret = ockam_sql_run(store->db, err, sql, "");
	}
	if (ret >= 0) {
		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", OCKAM_STORE_APP_ID);
		ret = ockam_sql_run(store->db, err, sql, "");
	}
	ret = ockam_sql_end(store, ret, err);
	return ret < 0 ? ret : 0;
}

/*
 * Turning the write-ahead log on needs the file alone and does not wait for
 * it by itself. A file system that cannot share memory keeps the old mode,
 * which is as safe and only slower.
 */
static int ockam_store_set_wal(struct ockam_store *store, struct ockam_err *err)
{
	const struct timespec pause = { .tv_nsec = OCKAM_STORE_WAL_NS };

	for (int i = 0;; i++) {
		int ret = ockam_sql_run(store->db, err, "PRAGMA journal_mode = WAL", "");

		if (ret >= 0)
			return 0;
		if (ret != -EBUSY || i == OCKAM_STORE_WAL_TRIES)
			return ret;
		nanosleep(&pause, NULL);
	}
}

/* Key files in the home without the database that knows what they are for. */
static int ockam_store_check_left(const struct ockam_home *home, const char *path,
				  struct ockam_err *err)
{
	char log[PATH_MAX + 8], name[NAME_MAX + 1];

	snprintf(log, sizeof(log), "%s-wal", path);
	if (ockam_home_find_key_file(home, name))
		return ockam_err_set(err, -EUCLEAN,
				     "the home %.100s has no database, but the keys in %.80s are there: put %s back, or start over with 'ockamctl reset --yes'",
				     home->path, name, OCKAM_STORE_FILE);
	if (!access(log, F_OK))
		return ockam_err_set(err, -EUCLEAN,
				     "the home %.100s has no database, but the log of one: put %s back, or start over with 'ockamctl reset --yes'",
				     home->path, OCKAM_STORE_FILE);
	return 0;
}

static int ockam_store_begin_file(struct ockam_store *store, struct ockam_err *err)
{
	int ret = ockam_store_check_own(store, err);

	if (!ret)
		ret = ockam_store_set_wal(store, err);
	return ret ? ret : ockam_store_upgrade(store, err);
}

/*
 * A new database appears under its name when it is complete: so one that is
 * empty was emptied by somebody.
 */
static int ockam_store_make(const struct ockam_home *home, const char *path,
			    struct ockam_err *err)
{
	struct ockam_store store = { .home = *home, .lock_fd = -1 };
	char new[PATH_MAX + 32];
	int ret;

	ret = ockam_store_check_left(home, path, err);
	if (ret)
		return ret;
	snprintf(new, sizeof(new), "%s" OCKAM_STORE_NEW "%d", path, getpid());
	unlink(new);
	ret = ockam_sql_open_file(new, OCKAM_SQL_CREATE, &store.db, err);
	if (!ret)
		ret = ockam_store_begin_file(&store, err);
	/* The last one to close it merges the log. */
	sqlite3_close(store.db);
	/* Another command may have been faster. A file system without links can rename. */
	if (!ret && link(new, path) && errno != EEXIST &&
	    renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_NOREPLACE) && errno != EEXIST)
		ret = ockam_err_set(err, -errno, "cannot make the database %.150s: %s", path,
				    strerror(errno));
	unlink(new);
	return ret;
}

/* Return: as enum ockam_sql_open, or a negative errno. */
static int ockam_store_look(const struct ockam_home *home, const char *path, bool create,
			    struct ockam_err *err)
{
	struct stat st;
	int ret;

	if (lstat(path, &st)) {
		if (errno != ENOENT)
			return ockam_err_set(err, -errno, "the database %.150s: %s", path,
					     strerror(errno));
		ret = create ? ockam_store_make(home, path, err) :
			       ockam_store_check_left(home, path, err);
		if (ret || !create)
			return ret ? ret : ockam_err_set(err, -ENOENT,
							 "the home %.150s holds nothing yet",
							 home->path);
		return OCKAM_SQL_OPEN;
	}
	if (S_ISREG(st.st_mode) && !st.st_size)
		return ockam_err_set(err, -EUCLEAN,
				     "the database %.120s is empty, identities and keys are gone from it: restore it, or start over with 'ockamctl reset --yes'",
				     path);
	/* For the log and what goes with it the directory must be writable too. */
	if ((faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) ||
	     faccessat(AT_FDCWD, home->path, W_OK, AT_EACCESS)) &&
	    (errno == EROFS || errno == EACCES || errno == EPERM))
		return OCKAM_SQL_READ;
	return OCKAM_SQL_OPEN;
}

/* What cannot be written cannot be brought up to date either. */
static int ockam_store_check_version(struct ockam_store *store, struct ockam_err *err)
{
	int64_t version = ockam_sql_count(store->db, err, "PRAGMA user_version", "");

	if (version == OCKAM_STORE_SCHEMA)
		return 0;
	if (version >= 0)
		return ockam_err_set(err, -EROFS,
				     "the database of %.100s has schema %lld, this release needs %d, and it cannot be written",
				     store->home.path, (long long)version, OCKAM_STORE_SCHEMA);
	if (version == -EACCES)
		ockam_err_set(err, -EACCES,
			      "the database of %.100s cannot be written and has a log that is not merged: use it once where it can be written",
			      store->home.path);
	return (int)version;
}

int ockam_store_open(const struct ockam_home *home, unsigned int flags, struct ockam_store **out,
		     struct ockam_err *err)
{
	struct ockam_store *store;
	char path[PATH_MAX];
	int ret, how;

	*out = NULL;
	ret = ockam_home_file(home, OCKAM_STORE_FILE, path, err);
	if (!ret && !(flags & OCKAM_STORE_CREATE) && access(home->path, F_OK) && errno == ENOENT)
		ret = ockam_err_set(err, -ENOENT, "the home %.150s holds nothing yet", home->path);
	if (!ret)
		ret = ockam_home_prepare(home, err);
	if (ret)
		return ret;
	how = ockam_store_look(home, path, flags & OCKAM_STORE_CREATE, err);
	if (how < 0)
		return how;
	store = calloc(1, sizeof(*store));
	if (!store)
		return ockam_err_set(err, -ENOMEM, "no memory for the database");
	store->home = *home;
	store->wait_ms = OCKAM_SQL_BUSY_MS;
	store->lock_fd = -1;
	store->read_only = how == OCKAM_SQL_READ;
	ret = ockam_sql_open_file(path, (enum ockam_sql_open)how, &store->db, err);
	if (!ret && store->read_only) {
		ret = ockam_store_check_own(store, err);
		if (!ret || ret == -EACCES)
			ret = ockam_store_check_version(store, err);
	} else if (!ret) {
		ret = ockam_store_begin_file(store, err);
	}
	if (!ret && flags & OCKAM_STORE_RELAXED && !store->read_only) {
		ret = ockam_sql_run(store->db, err, "PRAGMA synchronous = NORMAL", "");
		ret = ret < 0 ? ret : 0;
	}
	if (ret) {
		ockam_store_close(store);
		return ret;
	}
	*out = store;
	return 0;
}

void ockam_store_set_wait(struct ockam_store *store, int ms)
{
	store->wait_ms = ms;
	sqlite3_busy_timeout(store->db, ms);
}

bool ockam_store_was_busy(struct ockam_store *store)
{
	bool busy = store->busy;

	store->busy = false;
	return busy;
}

int ockam_store_mark_used(const struct ockam_home *home, struct ockam_err *err)
{
	char path[PATH_MAX];
	char sql[64];
	sqlite3 *db;
	int ret;

	ret = ockam_home_file(home, OCKAM_STORE_APPLICATION, path, err);
	if (ret || !access(path, F_OK))
		return ret;
	ret = ockam_sql_open_file(path, OCKAM_SQL_CREATE, &db, err);
	if (ret)
		return ret;
	/* Writing the header is what makes it a database and not an empty file. */
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", OCKAM_STORE_APP_ID);
	ret = ockam_sql_run(db, err, sql, "");
	sqlite3_close(db);
	return ret < 0 ? ret : 0;
}

void ockam_store_close(struct ockam_store *store)
{
	if (!store)
		return;
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store);
}

void ockam_store_note(struct ockam_store_notes *notes, const char *fmt, ...)
{
	va_list args;

	if (notes->count == OCKAM_STORE_REMARKS)
		return;
	va_start(args, fmt);
	vsnprintf(notes->text[notes->count++], sizeof(notes->text[0]), fmt, args);
	va_end(args);
}

void ockam_store_notes_say(const struct ockam_store_notes *notes,
			   const struct ockam_remarks *remarks)
{
	if (!remarks || !remarks->say)
		return;
	for (unsigned int i = 0; i < notes->count; i++)
		remarks->say(remarks->arg, notes->text[i]);
}
