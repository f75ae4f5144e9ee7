// SPDX-License-Identifier: Apache-2.0
/*
 * Databases that are missing, empty, locked by a stopped process, or that cannot
 * be written: nothing is made in their place, who reads does not wait, who writes
 * is told why not.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "homes.h"

#define SOMEBODY	65534

static char path[PATH_MAX];

static int open_again(unsigned int flags)
{
	struct ockam_store *store = NULL;
	int ret = ockam_store_open(&home, flags, &store, &err);

	ockam_store_close(store);
	return ret;
}

/* A home with an identity "a"; path is its database. */
static void made(const char *name, const char *vault)
{
	struct ockam_store *store = opened(name);
	struct ockam_identity_record record;

	ockam_home_file(&home, "database.sqlite3", path, NULL);
	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	if (vault)
		ockam_store_vault_create(store, vault, NULL, NULL, NULL);
	ok_ret(ockam_store_identity_create(store, "a", vault, NULL, OCKAM_KEY_ED25519, NULL,
					   &record, &err), 0, err, "home %s", name);
	ockam_identity_record_free(&record);
	ockam_store_close(store);
}

static void test_empty(void)
{
	struct ockam_store *store;
	struct ockam_node_record *nodes;
	size_t count;

	made("empty", NULL);
	ok(!truncate(path, 0), "emptied");
	ok_ret(open_again(OCKAM_STORE_CREATE), -EUCLEAN, err, "no new one is made: %s", err.text);
	ok_ret(open_again(0), -EUCLEAN, err, "nor is it nothing: %s", err.text);
	ok_ret(ockam_home_reset(&home, &err), 0, err, "a reset takes it away");
	ok_ret(open_again(OCKAM_STORE_CREATE), 0, err, "and a new one is made");

	store = opened("empty");
	ok(!truncate(path, 0), "emptied while it is open");
	ok_ret(open_again(OCKAM_STORE_CREATE), -EUCLEAN, err, "others say so at once");
	ok(ockam_store_node_list(store, &nodes, &count, &err) <= 0, "so does who has it open");
	ockam_store_close(store);
}

static void test_missing(void)
{
	made("missing", "v");
	ok(!unlink(path), "the database is removed, a key file stays");
	ok_ret(open_again(OCKAM_STORE_CREATE), -EUCLEAN, err, "%s", err.text);
	ok_ret(open_again(0), -EUCLEAN, err, "whoever opens it");
	ok_ret(ockam_home_reset(&home, &err), 0, err, "a reset takes the keys away");
	ok_ret(open_again(0), -ENOENT, err, "then it holds nothing");
	ok_ret(open_again(OCKAM_STORE_CREATE), 0, err, "and a new one is made");
}

/* A command that was killed while it made the database has not spoilt the home. */
static void test_half_made(void)
{
	char half[PATH_MAX + 16];
	int fd;

	ockam_store_close(opened("half"));
	ockam_home_file(&home, "database.sqlite3", path, NULL);
	snprintf(half, sizeof(half), "%s.new-1", path);
	fd = open(half, O_CREAT | O_RDWR, 0600);
	close(fd);
	unlink(path);
	snprintf(half, sizeof(half), "%s-wal", path);
	unlink(half);
	ok_ret(open_again(OCKAM_STORE_CREATE), 0, err, "the next one makes it");
	ok_ret(ockam_home_reset(&home, &err), 0, err, "a reset");
	snprintf(half, sizeof(half), "%s.new-1", path);
	ok(access(half, F_OK), "takes away what was begun");
}

/* A process that stops within a transaction. */
static pid_t stopped_writer(void)
{
	pid_t pid = fork();
	sqlite3 *db;
	int status;

	if (!pid) {
		if (sqlite3_open(path, &db) == SQLITE_OK &&
		    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
			raise(SIGSTOP);
		_exit(1);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return -1;
	return pid;
}

static void test_locked(void)
{
	struct ockam_identity_record record;
	struct ockam_purpose_key key;
	struct ockam_store *store;
	char said[64];
	pid_t pid;

	made("locked", NULL);
	store = opened("locked");
	ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, (uint64_t)time(NULL), &key,
				NULL);
	ockam_purpose_key_wipe(&key);
	pid = stopped_writer();
	ok(pid > 0, "a process stands still within a transaction");
	ok_ret(open_again(0), 0, err, "the database can be opened");
	ok_ret(ockam_store_identity_get(store, "a", &record, &err), 0, err, "and read");
	ockam_identity_record_free(&record);
	ockam_store_set_wait(store, 0);
	ok_ret(ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, (uint64_t)time(NULL),
				       &key, &err), 0, err, "a key that is there can be used");
	ockam_purpose_key_wipe(&key);
	ok(!ockam_store_was_busy(store), "nobody was in the way");
	ok_ret(ockam_store_identity_rotate(store, "a", NULL, &record, &err), -EBUSY, err,
	       "it cannot be written: %s", err.text);
	snprintf(said, sizeof(said), "process %d (test_store_open), which is stopped", pid);
	ok(strstr(err.text, said), "the sentence names who has it");
	ok(ockam_store_was_busy(store) && !ockam_store_was_busy(store), "which is remembered once");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok_ret(ockam_store_identity_rotate(store, "a", NULL, &record, &err), 0, err, "then it can");
	ockam_identity_record_free(&record);
	ockam_store_close(store);
}

/* In a process of its own, which is not root. Its exit status counts what went wrong. */
static int reader(void)
{
	struct ockam_identity_record record, *list;
	struct ockam_store *store;
	int failed = 0;
	size_t count;

	if (!geteuid() && seteuid(SOMEBODY))
		return 100;
	if (ockam_store_open(&home, 0, &store, &err))
		return 101;
	failed += ockam_store_identity_list(store, &list, &count, &err) || count != 1;
	ockam_identity_records_free(list, count);
	failed += ockam_store_identity_rotate(store, "a", NULL, &record, &err) != -EROFS;
	ockam_store_close(store);
	return failed;
}

static void read_only(const char *what)
{
	int status = -1;
	pid_t pid;

	chmod(path, 0400);
	chmod(home.path, 0500);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(reader());
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "a home that cannot be written, %s, is read: %d",
	   what, WEXITSTATUS(status));
	chmod(home.path, 0700);
	chmod(path, 0600);
}

/* The home and what is in it, with @uid as its owner. */
static void give(uid_t uid)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[PATH_MAX + 8];
	size_t i;

	if (geteuid())
		return;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if (chown(name, uid, uid) && errno != ENOENT)
			printf("# %s: %s\n", name, strerror(errno));
	}
	if (chown(home.path, uid, uid))
		printf("# %s: %s\n", home.path, strerror(errno));
}

static void test_read_only(void)
{
	struct ockam_store *store;
	char log[PATH_MAX + 8];

	chmod(top, 0755);
	made("readonly", NULL);
	give(SOMEBODY);
	read_only("nobody using it");
	give(0);
	store = opened("readonly");
	snprintf(log, sizeof(log), "%s-wal", path);
	ok(!access(log, F_OK), "a log");
	give(SOMEBODY);
	read_only("a log beside it");
	give(0);
	ockam_store_close(store);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_empty();
	test_missing();
	test_half_made();
	test_locked();
	test_read_only();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
