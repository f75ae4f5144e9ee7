// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_sql.h"

#define OCKAM_SQL_FORGET_MS	200	/* how long for those that read old pages */
#define OCKAM_SQL_WAL_LOCK	120	/* byte of the write lock in the "-shm" file */
#define OCKAM_SQL_LOCKS		0x40000000	/* first byte of the locks in the database itself */
#define OCKAM_SQL_LOCKS_LEN	512

int ockam_sql_fail(sqlite3 *db, const char *file, struct ockam_err *err)
{
	const char *why = db ? sqlite3_errmsg(db) : "out of memory";
	int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
	int system = db ? sqlite3_system_errno(db) : 0;

	if (!file)
		file = db ? sqlite3_db_filename(db, "main") : "";
	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ockam_err_set(err, -EBUSY,
				     "the database %.120s is in use by another command for too long: try again",
				     file);
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return ockam_err_set(err, -EUCLEAN,
				     "the database %.100s is damaged (%s): restore it, or start over with 'ockamctl reset --yes'",
				     file, why);
	case SQLITE_FULL:
		return ockam_err_set(err, -ENOSPC, "no space is left for the database %.150s",
				     file);
	case SQLITE_READONLY:
		return ockam_err_set(err, -EROFS, "the database %.150s cannot be written", file);
	case SQLITE_CANTOPEN:
		return ockam_err_set(err, -EACCES, "the database %.120s cannot be opened: %s", file,
				     system ? strerror(system) : why);
	case SQLITE_NOMEM:
		return ockam_err_set(err, -ENOMEM, "no memory for the database %.150s", file);
	case SQLITE_CONSTRAINT:
		return ockam_err_set(err, -EEXIST, "the database %.100s refuses a second entry: %s",
				     file, why);
	case SQLITE_ERROR:
		/* The statements are fixed, so tables are missing or different. */
		return ockam_err_set(err, -EUCLEAN,
				     "the database %.100s has unexpected contents (%s): restore it, or start over with 'ockamctl reset --yes'",
				     file, why);
	default:
		return ockam_err_set(err, -EIO, "the database %.120s: %s", file, why);
	}
}

int ockam_sql_check_dir(const char *path, struct ockam_err *err)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	struct stat st;

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (stat(dir, &st))
		return ockam_err_set(err, -errno, "the directory %.150s: %s", dir, strerror(errno));
	if (st.st_uid && st.st_uid != geteuid())
		return ockam_err_set(err, -EPERM,
				     "the directory %.120s of keys belongs to user %u, neither to root nor to user %u who runs this: keep them in another one",
				     dir, st.st_uid, geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return ockam_err_set(err, -EPERM,
				     "other users may write to the directory %.120s of keys (mode %04o): run 'chmod go-w' on it",
				     dir, st.st_mode & 07777);
	return 0;
}

/*
 * The file of keys must be the caller's and nobody else's. O_PATH: closing another
 * descriptor would drop the locks that SQLite has on the file in this process.
 */
static int ockam_sql_check_file(const char *path, struct ockam_err *err)
{
	struct stat st;
	int ret = 0;
	int fd;

	fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		ret = -errno;
		return ockam_err_set(err, ret, "the database %.150s: %s", path, strerror(-ret));
	}
	if (fstat(fd, &st))
		ret = ockam_err_set(err, -errno, "the database %.150s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		ret = ockam_err_set(err, -EPERM, "the database %.150s is no regular file", path);
	else if (st.st_uid != geteuid())
		ret = ockam_err_set(err, -EPERM,
				    "the database %.120s belongs to user %u, not to user %u who runs this",
				    path, st.st_uid, geteuid());
	else if (st.st_mode & 077)
		ret = ockam_err_set(err, -EPERM,
				    "other users may read the keys in %.120s (mode %04o): run 'chmod 600' on it, and consider new keys",
				    path, st.st_mode & 07777);
	close(fd);
	return ret;
}

/* An empty file of the caller's, if there is none yet. */
static int ockam_sql_make_file(const char *path, struct ockam_err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

	if (fd < 0 && errno != EEXIST)
		return ockam_err_set(err, -errno, "the database %.150s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

/*
 * Without a log the file is all there is, and it does not change where it cannot
 * be written: SQLite need not lock it, nor make the files that it shares.
 */
static int ockam_sql_open_read(const char *path, sqlite3 **db)
{
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
	char wal[PATH_MAX + 8], *uri;
	struct stat st;
	int rc;

	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (!stat(wal, &st) && st.st_size)
		return sqlite3_open_v2(path, db, flags, NULL);
	/* "%", "?" and "#" in a path would be taken for parts of the address. */
	uri = sqlite3_mprintf("file:%s?immutable=1", path);
	if (!uri)
		return SQLITE_NOMEM;
	rc = strpbrk(path, "%?#") ? sqlite3_open_v2(path, db, flags, NULL) :
				   sqlite3_open_v2(uri, db, flags | SQLITE_OPEN_URI, NULL);
	sqlite3_free(uri);
	return rc;
}

int ockam_sql_open_file(const char *path, enum ockam_sql_open how, sqlite3 **db,
			struct ockam_err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
	int ret, rc;

	*db = NULL;
	ret = ockam_sql_check_dir(path, err);
	if (!ret && how == OCKAM_SQL_CREATE)
		ret = ockam_sql_make_file(path, err);
	if (!ret)
		ret = ockam_sql_check_file(path, err);
	if (ret)
		return ret;
	if (how == OCKAM_SQL_READ)
		rc = ockam_sql_open_read(path, db);
	else
		rc = sqlite3_open_v2(path, db, flags, NULL);
	if (rc != SQLITE_OK) {
		ret = ockam_sql_fail(*db, path, err);
		goto fail;
	}
	sqlite3_extended_result_codes(*db, 0);
	sqlite3_busy_timeout(*db, OCKAM_SQL_BUSY_MS);
	/* A key that is deleted must be gone from the file as well. */
	if (sqlite3_exec(*db, "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;"
			 "PRAGMA trusted_schema = OFF", NULL, NULL, NULL) != SQLITE_OK) {
		ret = ockam_sql_fail(*db, path, err);
		goto fail;
	}
	return 0;
fail:
	sqlite3_close(*db);
	*db = NULL;
	return ret;
}

static int ockam_sql_bind(sqlite3_stmt *stmt, const char *types, va_list args)
{
	int rc = SQLITE_OK;

	for (int i = 1; *types && rc == SQLITE_OK; types++, i++) {
		const void *blob;

		switch (*types) {
		case 's':
			rc = sqlite3_bind_text(stmt, i, va_arg(args, const char *), -1,
					       SQLITE_TRANSIENT);
			break;
		case 'i':
			rc = sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
			break;
		default:
			blob = va_arg(args, const void *);
			rc = sqlite3_bind_blob64(stmt, i, blob, va_arg(args, size_t),
						 SQLITE_TRANSIENT);
		}
	}
	return rc;
}

static int ockam_sql_vquery(sqlite3 *db, sqlite3_stmt **stmt, struct ockam_err *err,
			    const char *sql, const char *types, va_list args)
{
	*stmt = NULL;
	if (sqlite3_prepare_v2(db, sql, -1, stmt, NULL) != SQLITE_OK ||
	    ockam_sql_bind(*stmt, types, args) != SQLITE_OK) {
		int ret = ockam_sql_fail(db, NULL, err);

		sqlite3_finalize(*stmt);
		*stmt = NULL;
		return ret;
	}
	return 0;
}

int ockam_sql_query(sqlite3 *db, sqlite3_stmt **stmt, struct ockam_err *err, const char *sql,
		    const char *types, ...)
{
	va_list args;
	int ret;

	va_start(args, types);
	ret = ockam_sql_vquery(db, stmt, err, sql, types, args);
	va_end(args);
	return ret;
}

int ockam_sql_row(sqlite3_stmt *stmt, struct ockam_err *err)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return ockam_sql_fail(sqlite3_db_handle(stmt), NULL, err);
	}
}

int ockam_sql_run(sqlite3 *db, struct ockam_err *err, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;
	int ret;

	va_start(args, types);
	ret = ockam_sql_vquery(db, &stmt, err, sql, types, args);
	va_end(args);
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0)
		;
	sqlite3_finalize(stmt);
	return ret ? ret : sqlite3_changes(db);
}

int64_t ockam_sql_count(sqlite3 *db, struct ockam_err *err, const char *sql, const char *types,
			...)
{
	sqlite3_stmt *stmt;
	int64_t value = 0;
	va_list args;
	int ret;

	va_start(args, types);
	ret = ockam_sql_vquery(db, &stmt, err, sql, types, args);
	va_end(args);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : value;
}

void ockam_sql_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	snprintf(out, size, "%s", text ? (const char *)text : "");
}

void ockam_sql_blob(sqlite3_stmt *stmt, int column, struct ockam_buf *out)
{
	const void *bytes = sqlite3_column_blob(stmt, column);

	ockam_buf_put(out, bytes, (size_t)sqlite3_column_bytes(stmt, column));
}

void ockam_sql_fixed(sqlite3_stmt *stmt, int column, uint8_t *out, size_t len)
{
	const void *bytes = sqlite3_column_blob(stmt, column);

	if (bytes && (size_t)sqlite3_column_bytes(stmt, column) == len)
		memcpy(out, bytes, len);
	else
		memset(out, 0, len);
}

void ockam_sql_forget(struct ockam_store *store)
{
	store->forget = !sqlite3_get_autocommit(store->db);
	if (store->forget)
		return;
	if (store->wait_ms > OCKAM_SQL_FORGET_MS)
		sqlite3_busy_timeout(store->db, OCKAM_SQL_FORGET_MS);
	sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(store->db, store->wait_ms);
}

/* Who has locked @len bytes from @start; 0: nobody, or nobody who can be seen from here. */
static pid_t ockam_sql_locked_by(int fd, off_t start, off_t len)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len,
	};

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK || lock.l_pid <= 0)
		return 0;
	return lock.l_pid;
}

/*
 * The descriptor stays as long as the store is open: closing it would drop what
 * SQLite has locked in this process.
 */
static pid_t ockam_sql_holder(struct ockam_store *store)
{
	const char *file = sqlite3_db_filename(store->db, "main");
	char shm[PATH_MAX + 8];
	pid_t pid;

	snprintf(shm, sizeof(shm), "%s-shm", file ? file : "");
	if (store->lock_fd < 0)
		store->lock_fd = open(shm, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pid = ockam_sql_locked_by(store->lock_fd, OCKAM_SQL_WAL_LOCK, 1);
	if (pid || store->lock_fd >= 0 || !file)
		return pid;
	/* A file system that cannot share memory: the locks are in the database. */
	store->lock_fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return ockam_sql_locked_by(store->lock_fd, OCKAM_SQL_LOCKS, OCKAM_SQL_LOCKS_LEN);
}

void ockam_sql_say_holder(struct ockam_store *store, struct ockam_err *err)
{
	pid_t pid = err ? ockam_sql_holder(store) : 0;
	char path[64], name[32] = "unknown", state = 0;
	FILE *f;

	if (!pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%31[^)]) %c", name, &state) < 1)
		strcpy(name, "unknown");
	if (f)
		fclose(f);
	ockam_err_set(err, -EBUSY,
		      "the database %.120s is locked by process %d (%s), which is %s, then try again",
		      sqlite3_db_filename(store->db, "main"), pid, name,
		      state == 'T' || state == 't' ?
		      "stopped: continue it with 'kill -CONT' or end it" :
						     "not done in time: wait for it or end it");
}

int ockam_sql_begin(struct ockam_store *store, struct ockam_err *err)
{
	int ret = ockam_sql_run(store->db, err, "BEGIN IMMEDIATE", "");

	if (ret == -EBUSY) {
		store->busy = true;
		ockam_sql_say_holder(store, err);
	}
	return ret < 0 ? ret : 0;
}

int ockam_sql_end(struct ockam_store *store, int ret, struct ockam_err *err)
{
	int committed;

	if (ret >= 0) {
		committed = ockam_sql_run(store->db, err, "COMMIT", "");
		if (committed >= 0 && store->forget)
			ockam_sql_forget(store);
		if (committed >= 0)
			return ret;
		ret = committed;
	}
	store->forget = false;
	if (!sqlite3_get_autocommit(store->db))
		ockam_sql_run(store->db, NULL, "ROLLBACK", "");
	return ret;
}
