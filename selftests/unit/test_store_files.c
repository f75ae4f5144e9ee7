// SPDX-License-Identifier: Apache-2.0
/*
 * Files of keys: whose they are, what is not taken for one, what is left when
 * a key is deleted.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "homes.h"

static void make(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	dprintf(fd, "%s", text);
	close(fd);
}

/* Is the secret in the home's database or its log? */
static bool is_in_files(const uint8_t secret[32])
{
	static const char *const names[] = { "database.sqlite3", "database.sqlite3-wal" };
	static uint8_t data[8 << 20];
	bool found = false;

	for (int i = 0; i < 2; i++) {
		char path[PATH_MAX];
		ssize_t len;
		int fd;

		ockam_home_file(&home, names[i], path, NULL);
		fd = open(path, O_RDONLY);
		len = fd < 0 ? 0 : read(fd, data, sizeof(data));
		found |= len > 32 && memmem(data, (size_t)len, secret, 32);
		close(fd);
	}
	return found;
}

static void test_foreign(void)
{
	struct ockam_store *store = opened("foreign");
	char path[PATH_MAX], own[PATH_MAX];
	struct ockam_vault_record vault;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	snprintf(path, sizeof(path), "%s/bookmarks", top);
	make(path, "");
	sqlite3_open(path, &db);
	sqlite3_exec(db, "CREATE TABLE mine (x); PRAGMA application_id = 7", NULL, NULL, NULL);
	sqlite3_close(db);
	ok_ret(ockam_store_vault_create(store, "v", path, &vault, &err), -EEXIST, err,
	       "the database of something else: %s", err.text);
	sqlite3_open(path, &db);
	ok(sqlite3_prepare_v2(db, "SELECT x FROM mine", -1, &stmt, NULL) == SQLITE_OK,
	   "is left as it was");
	sqlite3_finalize(stmt);
	ok(sqlite3_prepare_v2(db, "SELECT * FROM keys", -1, &stmt, NULL) != SQLITE_OK,
	   "without a table of ours");
	sqlite3_close(db);

	ockam_home_file(&home, "database.sqlite3", own, NULL);
	ok_ret(ockam_store_vault_create(store, "v", own, &vault, &err), -EEXIST, err,
	       "the home's own database: %s", err.text);
	make(path, "this is no database, but long enough to be taken for the header of one, "
	     "which has a hundred bytes and begins otherwise");
	ok_ret(ockam_store_vault_create(store, "v", path, &vault, &err), -EUCLEAN, err,
	       "a text: %s", err.text);
	ok(ockam_store_vault_get(store, "v", &vault, &err) == -ENOENT, "none of them is a vault");
	make(path, "");
	ok_ret(ockam_store_vault_create(store, "v", path, &vault, &err), 0, err, "an empty file is");
	ok_ret(ockam_store_vault_delete(store, "v", &err), 0, err, "and goes with it");
	ok(access(path, F_OK), "is gone");
	ockam_store_close(store);
}

/* As the Rust implementation leaves it: other tables, no version. */
static void test_other_program(void)
{
	struct ockam_store *store = opened("program");
	char path[PATH_MAX];
	sqlite3_stmt *stmt;
	sqlite3 *db;

	ockam_store_close(store);
	ockam_home_reset(&home, &err);
	ockam_home_file(&home, "database.sqlite3", path, NULL);
	make(path, "");
	sqlite3_open(path, &db);
	sqlite3_exec(db, "CREATE TABLE vault (name TEXT)", NULL, NULL, NULL);
	ok_ret(ockam_store_open(&home, OCKAM_STORE_CREATE, &store, &err), -ENOTSUP, err,
	       "a database of another program: %s", err.text);
	ok(sqlite3_prepare_v2(db, "SELECT * FROM vaults", -1, &stmt, NULL) != SQLITE_OK &&
	   sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &stmt, NULL) == SQLITE_OK &&
	   sqlite3_step(stmt) == SQLITE_ROW &&
	   !strcmp((const char *)sqlite3_column_text(stmt, 0), "delete"), "is left as it was");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void test_replaced(void)
{
	struct ockam_store *store = opened("replaced");
	struct ockam_identity_record record;
	struct ockam_vault_record vault;
	char path[PATH_MAX];

	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ok_ret(ockam_store_vault_create(store, "v", NULL, &vault, &err), 0, err, "a vault");
	snprintf(path, sizeof(path), "%s", vault.path);
	unlink(path);
	make(path, "");
	ok(ockam_store_identity_create(store, "a", "v", NULL, OCKAM_KEY_ED25519, NULL, &record,
				       &err) == -EEXIST, "its file was replaced by an empty one: %s",
	   err.text);
	ockam_identity_record_free(&record);
	unlink(path);
	strcat(path, ".moved");
	ok(ockam_store_vault_move(store, "v", path, &err) == -ENOENT, "or is gone: %s",
	   err.text);
	mkdir(path, 0700);
	ok_ret(ockam_store_vault_delete(store, "v", &err), 0, err, "or is a directory");
	ok(ockam_store_vault_get(store, "v", &vault, &err) == -ENOENT, "the vault is deleted");
	ok(!rmdir(path), "the directory is not");
	ockam_store_close(store);
}

/* While a node has the database open its log is not begun anew by itself. */
static void test_log(void)
{
	struct ockam_store *node = opened("log"), *store = opened("log");
	struct ockam_identity_record record;
	struct ockam_purpose_key one, two;
	uint64_t now;

	ockam_store_identity_create(store, "a", NULL, NULL, OCKAM_KEY_ED25519, NULL, &record, NULL);
	ockam_identity_record_free(&record);
	now = (uint64_t)time(NULL);
	ok_ret(ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, now, &one, &err), 0, err,
	       "a key");
	ok(is_in_files(one.secret), "is in the files");
	ok_ret(ockam_store_identity_rotate(store, "a", NULL, &record, &err), 0, err, "rotated");
	ockam_identity_record_free(&record);
	ok_ret(ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, now + 10, &two, &err), 0,
	       err, "a new key");
	ok(is_in_files(two.secret) && !is_in_files(one.secret), "the old one is in no file");
	ok_ret(ockam_store_identity_delete(store, "a", &err), 0, err, "the identity deleted");
	ok(!is_in_files(two.secret), "then none is");
	ockam_purpose_key_wipe(&one);
	ockam_purpose_key_wipe(&two);
	ockam_store_close(store);
	ockam_store_close(node);
}

static void test_reset(void)
{
	struct ockam_store *store = opened("reset");
	char path[PATH_MAX + 16], outside[PATH_MAX];
	struct ockam_vault_record vault;

	snprintf(outside, sizeof(outside), "%s/outside", top);
	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ockam_store_vault_create(store, "in", NULL, &vault, NULL);
	ockam_store_vault_create(store, "out", outside, NULL, NULL);
	ockam_store_close(store);
	strcat(outside, "-journal");
	make(outside, "a key");
	snprintf(path, sizeof(path), "%s-journal", vault.path);
	make(path, "a key");
	ok_ret(ockam_home_reset(&home, &err), 0, err, "reset");
	ok(access(path, F_OK) && access(outside, F_OK), "takes what killed commands have left");
}

/* A second store, of what @to became by @command of a shell. */
static struct ockam_store *elsewhere(const char *command, const char *to, struct ockam_home *there)
{
	struct ockam_store *store = NULL;
	char line[2 * PATH_MAX];

	snprintf(line, sizeof(line), "%s %s %s", command, home.path, to);
	ok(!system(line), "%s", line);
	ok(!ockam_home_set(there, to, &err) && !ockam_store_open(there, 0, &store, &err),
	   "another home%s%s", store ? "" : ": ", store ? "" : err.text);
	return store;
}

static bool can_rotate(struct ockam_store *store)
{
	struct ockam_identity_record record;

	if (ockam_store_identity_rotate(store, "named", NULL, &record, &err))
		return false;
	ockam_identity_record_free(&record);
	return true;
}

/* Homes that were copied or moved use the vaults in them. */
static void test_elsewhere(void)
{
	struct ockam_store *store = opened("place"), *other;
	struct ockam_identity_record record;
	char copy[128], moved[128], path[PATH_MAX];
	struct ockam_vault_record vault;
	struct ockam_home there;

	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ok_ret(ockam_store_identity_create(store, "named", "second", NULL, OCKAM_KEY_ED25519, NULL,
					   &record, &err), 0, err, "an identity in a named vault");
	ockam_identity_record_free(&record);
	ockam_home_file(&home, "vault-second", path, NULL);
	ok(!ockam_store_vault_get(store, "second", &vault, &err) && !strcmp(vault.path, path),
	   "its file: %s", vault.path);
	ok_ret(ockam_store_vault_create(store, "third", path, NULL, &err), -EEXIST, err,
	       "a second vault with it: %s", err.text);
	ockam_store_close(store);

	snprintf(copy, sizeof(copy), "%s/copy", top);
	snprintf(moved, sizeof(moved), "%s/moved", top);
	other = elsewhere("cp -a", copy, &there);
	ok(can_rotate(other), "a copy rotates its key");
	ockam_store_close(other);
	ok_ret(ockam_home_reset(&there, &err), 0, err, "and is reset");
	store = opened("place");
	ok(can_rotate(store), "the key of the original is where it was");
	ockam_store_close(store);

	other = elsewhere("mv", moved, &there);
	ok(can_rotate(other), "a home that was moved takes its vaults along");
	ok(!ockam_store_vault_get(other, "second", &vault, &err), "known as ever");
	unlink(vault.path);
	ok_ret(ockam_store_identity_rotate(other, "named", NULL, &record, &err), -ENODATA, err,
	       "without the file");
	ok(strstr(err.text, "the vault second") && strstr(err.text, vault.path),
	   "the sentence names vault and file: %s", err.text);
	ok_ret(ockam_store_identity_delete(other, "named", &err), -ENODATA, err, "%s", err.text);
	ockam_store_close(other);
}

/* What lies where a key file was is the user's. */
static void test_not_a_key_file(void)
{
	struct ockam_store *store = opened("mine");
	struct ockam_vault_record a, b;
	char outside[128];

	snprintf(outside, sizeof(outside), "%s/outside", top);
	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ok(!ockam_store_vault_create(store, "a", NULL, &a, &err) &&
	   !ockam_store_vault_create(store, "b", outside, &b, &err), "two vaults with files");
	unlink(a.path);
	unlink(b.path);
	make(a.path, "mine");
	make(b.path, "mine");
	ok_ret(ockam_store_vault_delete(store, "a", &err), 0, err, "a vault is deleted");
	ok(!access(a.path, F_OK), "what lies in its place is not");
	ockam_store_close(store);
	ok_ret(ockam_home_reset(&home, &err), 0, err, "reset");
	ok(!access(a.path, F_OK) && !access(b.path, F_OK), "leaves it as well");
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_foreign();
	test_other_program();
	test_replaced();
	test_log();
	test_reset();
	test_elsewhere();
	test_not_a_key_file();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
