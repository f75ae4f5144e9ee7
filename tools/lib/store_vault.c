// SPDX-License-Identifier: Apache-2.0
/*
 * Vaults and the keys in them. The first vault keeps its keys in the home's
 * database, others in an SQLite file of their own.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "hex.h"
#include "store_sql.h"

#define OCKAM_VAULT_ID_OFFSET	68	/* of the application id in SQLite's header */

#define OCKAM_VAULT_TABLE \
	"CREATE TABLE IF NOT EXISTS keys (" \
	" id TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, secret BLOB NOT NULL);"

/*
 * Files in the home are kept by their path in it: the home may be moved, and the
 * vaults of a copy are those in the copy.
 */
static const char *ockam_vault_stored(const struct ockam_store *store, const char *path)
{
	size_t len = strlen(store->home.path);

	return !strncmp(path, store->home.path, len) && path[len] == '/' ? path + len + 1 : path;
}

static int ockam_vault_read(struct ockam_store *store, sqlite3_stmt *stmt,
			    struct ockam_vault_record *vault, struct ockam_err *err)
{
	char path[PATH_MAX];

	memset(vault, 0, sizeof(*vault));
	ockam_sql_text(stmt, 0, vault->name, sizeof(vault->name));
	ockam_sql_text(stmt, 1, vault->path, sizeof(vault->path));
	vault->is_default = sqlite3_column_int(stmt, 2);
	if (!vault->path[0] || vault->path[0] == '/')
		return 0;
	memcpy(path, vault->path, sizeof(path));
	return ockam_home_file(&store->home, path, vault->path, err);
}

int ockam_store_vault_get(struct ockam_store *store, const char *name,
			  struct ockam_vault_record *vault, struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	if (name)
		ret = ockam_sql_query(store->db, &stmt, err,
				      "SELECT name, path, is_default FROM vaults WHERE name = ?",
				      "s", name);
	else
		ret = ockam_sql_query(store->db, &stmt, err,
				      "SELECT name, path, is_default FROM vaults WHERE is_default",
				      "");
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0)
		ret = ockam_vault_read(store, stmt, vault, err) ?: 1;
	sqlite3_finalize(stmt);
	if (ret)
		return ret < 0 ? ret : 0;
	if (!name)
		return ockam_err_set(err, -ENOENT, "There is no default vault");
	return ockam_err_set(err, -ENOENT, "There is no vault with name %s", name);
}

int ockam_store_vault_list(struct ockam_store *store, struct ockam_vault_record **vaults,
			   size_t *count, struct ockam_err *err)
{
	struct ockam_vault_record *list = NULL;
	sqlite3_stmt *stmt;
	size_t used = 0;
	int ret;

	*vaults = NULL;
	*count = 0;
	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT name, path, is_default FROM vaults ORDER BY rowid", "");
	if (ret)
		return ret;
	while ((ret = ockam_sql_row(stmt, err)) > 0) {
		struct ockam_vault_record *more = reallocarray(list, used + 1, sizeof(*list));

		if (!more) {
			ret = ockam_err_set(err, -ENOMEM, "no memory for the list of vaults");
			break;
		}
		list = more;
		ret = ockam_vault_read(store, stmt, &list[used++], err);
		if (ret)
			break;
	}
	sqlite3_finalize(stmt);
	if (ret) {
		free(list);
		return ret;
	}
	*vaults = list;
	*count = used;
	return 0;
}

/*
 * Is it a key file? An empty one becomes one with @create. A database of
 * something else must not: a vault's file is deleted with the vault.
 */
static int ockam_vault_check_file(sqlite3 *db, const char *path, bool create,
				  struct ockam_err *err)
{
	int64_t id, tables;
	char sql[256];

	id = ockam_sql_count(db, err, "PRAGMA application_id", "");
	if (id == OCKAM_STORE_VAULT_ID)
		return 0;
	tables = id < 0 ? id : ockam_sql_count(db, err, "SELECT count(*) FROM sqlite_master", "");
	if (tables < 0)
		return (int)tables;
	if (id || tables || !create)
		return ockam_err_set(err, -EEXIST, "\"%.150s\" is no file of a vault", path);
	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; " OCKAM_VAULT_TABLE
		 " PRAGMA application_id = %d; COMMIT", OCKAM_STORE_VAULT_ID);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return ockam_sql_fail(db, path, err);
	return 0;
}

/* Open a key file; @create makes it and its table. */
static int ockam_vault_open_file(const char *path, bool create, sqlite3 **db,
				 struct ockam_err *err)
{
	int ret;

	ret = ockam_sql_open_file(path, create ? OCKAM_SQL_CREATE : OCKAM_SQL_OPEN, db, err);
	if (ret)
		return ret;
	ret = ockam_vault_check_file(*db, path, create, err);
	if (ret) {
		sqlite3_close(*db);
		*db = NULL;
	}
	return ret;
}

/* The key file of a vault that should have one. */
static int ockam_vault_open(const struct ockam_vault_record *vault, sqlite3 **db,
			    struct ockam_err *err)
{
	int ret = ockam_vault_open_file(vault->path, false, db, err);

	if (ret == -ENOENT)
		ret = ockam_err_set(err, -ENODATA,
				    "the file %.150s with the keys of the vault %s is missing: put it back, or make a new identity",
				    vault->path, vault->name);
	return ret;
}

static bool ockam_vault_is_key_file(int dir_fd, const char *name)
{
	uint8_t head[OCKAM_VAULT_ID_OFFSET + 4];
	uint32_t id;
	bool ours;
	int fd;

	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	ours = read(fd, head, sizeof(head)) == sizeof(head) &&
	       !memcmp(head, "SQLite format 3", 16);
	close(fd);
	if (!ours)
		return false;
	memcpy(&id, &head[OCKAM_VAULT_ID_OFFSET], sizeof(id));
	return be32toh(id) == OCKAM_STORE_VAULT_ID;
}

bool ockam_home_find_key_file(const struct ockam_home *home, char name[NAME_MAX + 1])
{
	DIR *dir = opendir(home->path);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		found = !strncmp(entry->d_name, "vault-", 6) &&
			ockam_vault_is_key_file(dirfd(dir), entry->d_name);
		if (found)
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

int ockam_store_remove_key_file(int dir_fd, const char *name)
{
	char journal[PATH_MAX + 16];

	if (!ockam_vault_is_key_file(dir_fd, name))
		return 0;
	/* With what a command that was killed in the middle of writing a key has left. */
	snprintf(journal, sizeof(journal), "%s-journal", name);
	unlinkat(dir_fd, journal, 0);
	return unlinkat(dir_fd, name, 0) && errno != ENOENT ? -errno : 0;
}

/* Absolute form of @path; only its last component may be missing. */
static int ockam_vault_absolute(const char *path, char out[PATH_MAX], struct ockam_err *err)
{
	char copy[PATH_MAX], dir[PATH_MAX];
	const char *name = path;
	char *slash;
	int len;

	len = snprintf(copy, sizeof(copy), "%s", path);
	if (len < 0 || (size_t)len >= sizeof(copy))
		return ockam_err_set(err, -ENAMETOOLONG, "the path of the vault is too long");
	slash = strrchr(copy, '/');
	if (slash) {
		name = path + (slash - copy) + 1;
		slash[slash == copy] = '\0';
	}
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return ockam_err_set(err, -EINVAL, "\"%.150s\" names no file for a vault", path);
	if (!realpath(slash ? copy : ".", dir))
		return ockam_err_set(err, -errno, "the directory of \"%.150s\": %s", path,
				     strerror(errno));
	len = snprintf(out, PATH_MAX, "%s/%s", strcmp(dir, "/") ? dir : "", name);
	if (len < 0 || len >= PATH_MAX)
		return ockam_err_set(err, -ENAMETOOLONG, "the path of the vault is too long");
	return 0;
}

static int ockam_vault_choose_name(struct ockam_store *store, const char *name,
				   char out[OCKAM_NAME_SIZE], struct ockam_err *err)
{
	struct ockam_vault_record old;
	int64_t count;
	int ret;

	if (name) {
		ret = ockam_name_check("vault", name, err);
		if (!ret)
			snprintf(out, OCKAM_NAME_SIZE, "%s", name);
		return ret;
	}
	count = ockam_sql_count(store->db, err, "SELECT count(*) FROM vaults", "");
	if (count <= 0) {
		snprintf(out, OCKAM_NAME_SIZE, "default");
		return (int)count;
	}
	do {
		ret = ockam_name_random(out, err);
		if (ret)
			return ret;
		ret = ockam_store_vault_get(store, out, &old, err);
	} while (!ret);
	return ret == -ENOENT ? 0 : ret;
}

int __ockam_store_vault_create(struct ockam_store *store, const char *name, const char *path,
			       struct ockam_vault_record *vault, struct ockam_err *err)
{
	char file[OCKAM_NAME_SIZE + 8], own[PATH_MAX];
	struct ockam_vault_record old;
	sqlite3 *db = NULL;
	int64_t inside;
	int ret;

	memset(vault, 0, sizeof(*vault));
	ret = ockam_vault_choose_name(store, name, vault->name, err);
	if (ret)
		return ret;
	if (!ockam_store_vault_get(store, vault->name, &old, NULL))
		return ockam_err_set(err, -EEXIST, "A vault named %s already exists", vault->name);
	inside = ockam_sql_count(store->db, err, "SELECT count(*) FROM vaults WHERE path = ''", "");
	if (inside < 0)
		return (int)inside;
	if (path) {
		ret = ockam_vault_absolute(path, vault->path, err);
	} else if (inside) {
		snprintf(file, sizeof(file), "vault-%s", vault->name);
		ret = ockam_home_file(&store->home, file, vault->path, err);
	}
	if (!ret)
		ret = ockam_home_file(&store->home, OCKAM_STORE_FILE, own, err);
	if (ret)
		return ret;
	if (!strcmp(vault->path, own))
		return ockam_err_set(err, -EEXIST, "\"%.150s\" is no file of a vault", own);
	if (vault->path[0]) {
		if (ockam_sql_count(store->db, err, "SELECT count(*) FROM vaults WHERE path = ?",
				    "s", ockam_vault_stored(store, vault->path)))
			return ockam_err_set(err, -EEXIST, "\"%.150s\" is the file of another vault",
					     vault->path);
		ret = ockam_vault_open_file(vault->path, true, &db, err);
		if (ret)
			return ret;
		sqlite3_close(db);
	}
	vault->is_default = ockam_sql_count(store->db, err, "SELECT count(*) FROM vaults", "") == 0;
	ret = ockam_sql_run(store->db, err, "INSERT INTO vaults (name, path, is_default)"
			    " VALUES (?, ?, ?)", "ssi", vault->name,
			    ockam_vault_stored(store, vault->path), (int64_t)vault->is_default);
	return ret < 0 ? ret : 0;
}

int ockam_store_vault_create(struct ockam_store *store, const char *name, const char *path,
			     struct ockam_vault_record *vault, struct ockam_err *err)
{
	struct ockam_vault_record made;
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_sql_end(store, __ockam_store_vault_create(store, name, path, &made, err), err);
	if (!ret && vault)
		*vault = made;
	return ret;
}

/* The name of a new file is in its directory, whatever happens to the machine. */
static int ockam_vault_sync_dir(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int fd, ret;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = fsync(fd);
	close(fd);
	return ret;
}

/* Copy a locked key file; the new one appears complete or not at all. */
static int ockam_vault_copy(int in, const char *to, struct ockam_err *err)
{
	char block[4096];
	int out, ret = 0;
	ssize_t len;

	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return ockam_err_set(err, -errno, "cannot make \"%.150s\": %s", to,
				     strerror(errno));
	errno = 0;
	while ((len = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)len) != len) {
			len = -1;
			break;
		}
	if (len < 0 || fsync(out) || ockam_vault_sync_dir(to))
		ret = ockam_err_set(err, errno ? -errno : -EIO, "cannot write \"%.150s\": %s", to,
				    strerror(errno));
	ockam_crypto_wipe(block, sizeof(block));
	close(out);
	if (ret)
		unlink(to);
	return ret;
}

int ockam_store_vault_move(struct ockam_store *store, const char *name, const char *path,
			   struct ockam_err *err)
{
	struct ockam_vault_record vault;
	char target[PATH_MAX];
	bool copied = false;
	sqlite3 *db = NULL;
	int in = -1;
	int ret;

	ret = ockam_vault_absolute(path, target, err);
	if (!ret)
		ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_vault_get(store, name, &vault, err);
	if (!ret && vault.path[0] && strcmp(vault.path, target))
		ret = ockam_sql_check_dir(target, err);
	if (!ret && !vault.path[0])
		ret = ockam_err_set(err, -EBUSY,
				    "The vault %s cannot be moved to \"%.100s\" because this is the default vault",
				    name, path);
	if (ret || !strcmp(vault.path, target))
		goto out;
	/*
	 * Holding the file's own lock keeps other commands from writing keys meanwhile.
	 * Closing any descriptor of the file would give it up, so this one stays open.
	 */
	in = open(vault.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0) {
		ret = ockam_err_set(err, -errno, "the vault's file %.150s: %s", vault.path,
				    strerror(errno));
		goto out;
	}
	ret = ockam_vault_open_file(vault.path, false, &db, err);
	if (ret)
		goto out;
	if (sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK) {
		ret = ockam_sql_fail(db, NULL, err);
		goto out;
	}
	ret = ockam_vault_copy(in, target, err);
	copied = !ret;
	if (!ret)
		ret = ockam_sql_run(store->db, err, "UPDATE vaults SET path = ? WHERE name = ?",
				    "ss", ockam_vault_stored(store, target), name);
out:
	ret = ockam_sql_end(store, ret, err);
	if (copied)
		unlink(ret < 0 ? target : vault.path);
	sqlite3_close(db);
	if (in >= 0)
		close(in);
	return ret < 0 ? ret : 0;
}

/* "a, b" of a one-column query, for a sentence. */
static int ockam_vault_users(struct ockam_store *store, const char *name, char *out, size_t size,
			     struct ockam_err *err)
{
	sqlite3_stmt *stmt;
	int ret;

	ret = ockam_sql_query(store->db, &stmt, err,
			      "SELECT coalesce(group_concat(name, ', '), '') FROM"
			      " (SELECT name FROM identities WHERE vault = ? ORDER BY name)",
			      "s", name);
	if (ret)
		return ret;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0)
		ockam_sql_text(stmt, 0, out, size);
	sqlite3_finalize(stmt);
	return ret < 0 ? ret : 0;
}

int ockam_store_vault_delete(struct ockam_store *store, const char *name, struct ockam_err *err)
{
	struct ockam_vault_record vault;
	char users[160];
	int ret;

	ret = ockam_sql_begin(store, err);
	if (ret)
		return ret;
	ret = ockam_store_vault_get(store, name, &vault, err);
	if (!ret)
		ret = ockam_vault_users(store, name, users, sizeof(users), err);
	if (!ret && users[0])
		ret = ockam_err_set(err, -EBUSY,
				    "the vault %s cannot be deleted. It is used by the following identities: %s",
				    name, users);
	if (!ret)
		ret = ockam_sql_run(store->db, err, "DELETE FROM vaults WHERE name = ?", "s", name);
	if (ret >= 0 && vault.is_default)
		ret = ockam_sql_run(store->db, err,
				    "UPDATE vaults SET is_default = 1"
				    " WHERE rowid = (SELECT min(rowid) FROM vaults)", "");
	if (ret >= 0 && !vault.path[0])
		ockam_sql_forget(store);
	ret = ockam_sql_end(store, ret, err);
	if (ret < 0 || !vault.path[0])
		return ret < 0 ? ret : 0;
	ret = ockam_store_remove_key_file(AT_FDCWD, vault.path);
	if (ret)
		ockam_err_set(err, ret, "the vault %s is deleted, but its file %.120s is not: %s",
			      name, vault.path, strerror(-ret));
	return ret;
}

int ockam_store_key_id(const uint8_t *public_key, size_t len, char id[OCKAM_KEY_ID_TEXT])
{
	uint8_t hash[OCKAM_HASH_LEN];
	int ret = ockam_crypto_sha256(public_key, len, NULL, 0, hash);

	if (!ret)
		ockam_hex_encode(hash, sizeof(hash), id);
	return ret;
}

int ockam_store_key_put(struct ockam_store *store, const struct ockam_vault_record *vault,
			const char *id, enum ockam_store_key kind, const uint8_t secret[32],
			struct ockam_err *err)
{
	sqlite3 *db;
	int ret;

	if (!vault->path[0]) {
		ret = ockam_sql_run(store->db, err,
				    "INSERT OR REPLACE INTO keys (vault, id, kind, secret)"
				    " VALUES (?, ?, ?, ?)", "ssib", vault->name, id, (int64_t)kind,
				    secret, (size_t)OCKAM_SECRET_LEN);
		return ret < 0 ? ret : 0;
	}
	ret = ockam_vault_open(vault, &db, err);
	if (ret)
		return ret;
	sqlite3_busy_timeout(db, store->wait_ms);
	ret = ockam_sql_run(db, err, "INSERT OR REPLACE INTO keys (id, kind, secret)"
			    " VALUES (?, ?, ?)", "sib", id, (int64_t)kind, secret,
			    (size_t)OCKAM_SECRET_LEN);
	sqlite3_close(db);
	return ret < 0 ? ret : 0;
}

int ockam_store_key_get(struct ockam_store *store, const struct ockam_vault_record *vault,
			const char *id, enum ockam_store_key kind, uint8_t secret[32],
			struct ockam_err *err)
{
	sqlite3 *file = NULL;
	sqlite3_stmt *stmt;
	int ret;

	if (!vault->path[0]) {
		ret = ockam_sql_query(store->db, &stmt, err,
				      "SELECT secret FROM keys WHERE vault = ? AND id = ?"
				      " AND kind = ?", "ssi", vault->name, id, (int64_t)kind);
	} else {
		ret = ockam_vault_open(vault, &file, err);
		if (ret)
			return ret;
		sqlite3_busy_timeout(file, store->wait_ms);
		ret = ockam_sql_query(file, &stmt, err,
				      "SELECT secret FROM keys WHERE id = ? AND kind = ?", "si", id,
				      (int64_t)kind);
	}
	if (ret)
		goto out;
	ret = ockam_sql_row(stmt, err);
	if (ret > 0 && sqlite3_column_bytes(stmt, 0) == OCKAM_SECRET_LEN) {
		memcpy(secret, sqlite3_column_blob(stmt, 0), OCKAM_SECRET_LEN);
		ret = 0;
	} else if (ret >= 0) {
		ret = ockam_err_set(err, -ENOKEY, "the vault %s has no key %.64s", vault->name, id);
	}
	sqlite3_finalize(stmt);
out:
	sqlite3_close(file);
	return ret;
}

int ockam_store_key_delete(struct ockam_store *store, const struct ockam_vault_record *vault,
			   const char *id, struct ockam_err *err)
{
	sqlite3 *db;
	int ret;

	if (!vault->path[0]) {
		ret = ockam_sql_run(store->db, err, "DELETE FROM keys WHERE vault = ? AND id = ?",
				    "ss", vault->name, id);
		if (ret > 0)
			ockam_sql_forget(store);
		return ret < 0 ? ret : 0;
	}
	ret = ockam_vault_open(vault, &db, err);
	if (ret)
		return ret;
	sqlite3_busy_timeout(db, store->wait_ms);
	ret = ockam_sql_run(db, err, "DELETE FROM keys WHERE id = ?", "s", id);
	sqlite3_close(db);
	return ret < 0 ? ret : 0;
}
