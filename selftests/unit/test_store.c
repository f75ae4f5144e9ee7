// SPDX-License-Identifier: Apache-2.0
/*
 * The store of a home: every object's life, who may read the files, damaged
 * databases, many processes at once.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "crypto.h"
#include "hex.h"
#include "homes.h"

#define ED25519	OCKAM_KEY_ED25519

#define NOW	1800000000ULL

static char said[4096];

static void say(void *arg, const char *sentence)
{
	(void)arg;
	strncat(said, sentence, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static const struct ockam_remarks remarks = { .say = say };

static mode_t mode_of(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	ockam_home_file(&home, name, path, NULL);
	return stat(path, &st) ? 0 : st.st_mode & 0777;
}

static bool exists(const char *name)
{
	char path[PATH_MAX];

	ockam_home_file(&home, name, path, NULL);
	return !access(path, F_OK);
}

/* Logs go, with their directory if there is nothing else in it. */
static void test_node_dir(const struct ockam_home *of, const char *dir)
{
	static const char *const files[] = {
		"stdout.2026-01-01.log", "stdout.2026-01-01.log.1", "notes.log",
	};
	char path[3][PATH_MAX + 64];

	for (int i = 0; i < 3; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%s", dir, files[i]);
		close(open(path[i], O_CREAT | O_WRONLY, 0600));
	}
	ok_ret(ockam_home_remove_node_dir(of, "n1", &err), 0, err, "logs removed");
	ok(access(path[0], F_OK) && access(path[1], F_OK), "both are gone");
	ok(!access(path[2], F_OK), "a file of the user is not");
	unlink(path[2]);
}

static void test_home(void)
{
	struct ockam_home a, b;
	char path[PATH_MAX], text[NAME_MAX + 1];

	snprintf(path, sizeof(path), "%s/x/../x//y/", top);
	ok(ockam_home_set(&a, path, &err) == -ENOENT, "'..' in what does not exist is refused");
	snprintf(path, sizeof(path), "%s/./x//y/", top);
	ok_ret(ockam_home_set(&a, path, &err), 0, err, "a home that is not there yet");
	ok_ret(ockam_home_prepare(&a, &err), 0, err, "is made with its parents");
	snprintf(path, sizeof(path), "%s/link", top);
	ok(!symlink(a.path, path), "a link to it");
	ok_ret(ockam_home_set(&b, path, &err), 0, err, "found by the link");
	ok_text(b.path, a.path, "is the same home");
	ok_text(b.hash, a.hash, "with the same hash");
	ok(strlen(a.hash) == 16 && strspn(a.hash, "0123456789abcdef") == 16, "of 16 digits");
	ockam_home_control_path(&a, "n1", path, &err);
	snprintf(text, sizeof(text), "/run/ockam/%s/n1", a.hash);
	ok_text(path, text, "control socket");
	ockam_home_netns_name(&a, "n1", text, &err);
	ok(strstr(text, a.hash) && !a.is_default, "namespace of another home: %s", text);
	setenv("HOME", a.path, 1);
	unsetenv("OCKAM_HOME");
	ok_ret(ockam_home_find(&b, &err), 0, err, "default home");
	ok(!b.is_default, "HOME alone does not give the short name of a namespace");
	snprintf(path, sizeof(path), "%s/.ockam", getpwuid(geteuid())->pw_dir);
	ok_ret(ockam_home_set(&b, path, &err), 0, err, "the home of the user");
	ockam_home_netns_name(&b, "n1", text, &err);
	ok(b.is_default && !strcmp(text, "ockam-n1"), "its namespace");
	setenv("OCKAM_HOME", top, 1);
	ok(!ockam_home_find(&b, &err) && !b.is_default && !strcmp(b.path, top), "OCKAM_HOME");
	ok(ockam_home_node_dir(&a, "../n", path, &err) == -EINVAL, "no directory for a bad name");
	ok_ret(ockam_home_node_dir(&a, "n1", path, &err), 0, err, "directory of a node");
	ok(!access(path, W_OK), "is there");
	test_node_dir(&a, path);
	ok_ret(ockam_home_remove_node_dir(&a, "n1", &err), 0, err, "removed");
	ok(access(path, F_OK), "is gone");
	ok_ret(ockam_home_remove_node_dir(&a, "n1", &err), 0, err, "removing twice is no error");
}

static void test_files(void)
{
	struct ockam_store *store = opened("files/deep");
	char path[PATH_MAX], link[PATH_MAX];
	int fd;

	ok(mode_of("") == 0700, "directory 0700");
	ok(mode_of("database.sqlite3") == 0600, "database 0600");
	ok(!exists("database.sqlite3-wal") || mode_of("database.sqlite3-wal") == 0600, "log 0600");
	ockam_store_close(store);

	ockam_home_file(&home, "database.sqlite3", path, NULL);
	chmod(path, 0640);
	ok_ret(ockam_store_open(&home, 0, &store, &err), -EPERM, err, "readable for the group: %s",
	       err.text);
	chmod(path, 0600);
	chmod(home.path, 0770);
	ok_ret(ockam_store_open(&home, 0, &store, &err),
	       -EPERM, err, "home writable for the group");
	chmod(home.path, 0755);
	ok_ret(ockam_store_open(&home, 0, &store, &err),
	       0, err, "home readable for others is fine");
	ockam_store_close(store);
	if (!geteuid()) {
		ok(!chown(path, 1, 1) && ockam_store_open(&home, 0, &store, &err) == -EPERM,
		   "database of another user: %s", err.text);
		ok(!chown(path, 0, 0) && !chown(home.path, 1, 1) &&
		   ockam_store_open(&home, 0, &store, &err) == -EPERM, "home of another user: %s",
		   err.text);
		ok(ockam_home_reset(&home, &err) == -EPERM, "which is not reset either");
		ok(!chown(home.path, 0, 0), "given back");
	}
	snprintf(link, sizeof(link), "%s/other", top);
	rename(path, link);
	ok(!symlink(link, path) && ockam_store_open(&home, 0, &store, &err) < 0,
	   "a symbolic link as database: %s", err.text);
	unlink(path);
	ok(ockam_store_open(&home, 0, &store, &err) == -ENOENT, "no database: %s", err.text);

	fd = open(path, O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 1000; i++)
		dprintf(fd, "garbage %d\n", i);
	close(fd);
	ok_ret(ockam_store_open(&home, 0, &store, &err), -EUCLEAN, err, "garbage: %s", err.text);
	ok_ret(ockam_home_reset(&home, &err), 0, err, "reset of a damaged home");
	ok(!exists("database.sqlite3"), "the garbage is gone");
	ok_ret(ockam_store_open(&home, OCKAM_STORE_CREATE, &store, &err), 0, err, "begun anew");
	ockam_store_close(store);
}

static void test_schema(void)
{
	struct ockam_store *store = opened("schema");
	struct ockam_vault_record vault;
	char path[PATH_MAX], sql[80];
	sqlite3 *db;

	ockam_store_close(store);
	ockam_home_file(&home, "database.sqlite3", path, NULL);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
	ok_ret(ockam_store_open(&home, 0, &store, &err), -ENOTSUP, err, "newer schema: %s",
	       err.text);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; DROP TABLE vaults",
		 OCKAM_STORE_SCHEMA);
	sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	ok_ret(ockam_store_open(&home, 0, &store, &err), 0, err, "a table is missing");
	ok_ret(ockam_store_vault_get(store, NULL, &vault, &err), -EUCLEAN, err, "found out: %s",
	       err.text);
	ockam_store_close(store);
}

static struct ockam_node_record node_of(const char *name)
{
	struct ockam_node_record node = { };

	snprintf(node.name, sizeof(node.name), "%s", name);
	return node;
}

/* Become that node, as far as its lock goes. */
static int live(const char *name)
{
	int fd = ockam_life_take(&home, name, "/run/ockam/x/none", &err);

	ok(fd >= 0, "%s lives%s%s", name, fd < 0 ? ": " : "", fd < 0 ? err.text : "");
	return fd;
}

static void die(const char *name, int fd)
{
	ockam_life_end(&home, name, fd);
}

static void test_process(void)
{
	uint64_t start = ockam_process_start(getpid());
	siginfo_t info;
	pid_t child;

	ok(start && ockam_process_state(getpid(), start) == OCKAM_PROCESS_RUNNING, "this process");
	ok(ockam_process_state(getpid(), start + 1) == OCKAM_PROCESS_GONE, "an earlier one");
	ok(ockam_process_state(0, 0) == OCKAM_PROCESS_GONE, "no process");
	child = fork();
	if (!child)
		_exit(0);
	start = ockam_process_start(child);
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	ok(ockam_process_state(child, ockam_process_start(child)) == OCKAM_PROCESS_ZOMBIE,
	   "dead and not reaped");
	waitpid(child, NULL, 0);
	ok(ockam_process_state(child, start) == OCKAM_PROCESS_GONE, "reaped");
}

/* A node that did not come up leaves the store as it was. */
static void test_node_unclaim(struct ockam_store *store)
{
	struct ockam_node_record node = node_of("new"), before, was, got;

	ok_ret(ockam_store_node_claim(store, &node, &before, &err), 0, err, "a new one claimed");
	ok(!before.name[0], "that was not there before");
	ok_ret(ockam_store_node_unclaim(store, "new", &before, &err), 0, err, "undone");
	ok(ockam_store_node_get(store, "new", &got, &err) == -ENOENT, "it is gone");
	ok_ret(ockam_store_node_unclaim(store, "new", &before, &err), 0, err, "once more");

	ockam_store_node_get(store, "n1", &was, NULL);
	node = node_of("n1");
	snprintf(node.identity, sizeof(node.identity), "other");
	snprintf(node.tcp_listener, sizeof(node.tcp_listener), "127.0.0.1:9");
	ok_ret(ockam_store_node_claim(store, &node, &before, &err),
	       0, err, "a stopped one claimed");
	ok_ret(ockam_store_node_unclaim(store, "n1", &before, &err), 0, err, "undone");
	ok(!ockam_store_node_get(store, "n1", &got, &err) && !memcmp(&got, &was, sizeof(got)),
	   "it is as it was");
}

static void test_nodes(void)
{
	struct ockam_store *store = opened("nodes");
	struct ockam_node_record n1 = node_of("n1"), n2 = node_of("n2"), got, *list;
	int life1, life3;
	size_t count;

	ok_ret(ockam_store_node_get(store, NULL, &got, &err), -ENOENT, err, "no default: %s",
	       err.text);
	ok_ret(ockam_store_node_claim(store, &n1, NULL, &err), 0, err, "n1 claimed");
	ok(n1.is_default, "first node is the default");
	ok_ret(ockam_store_node_claim(store, &n1, NULL, &err), 0, err, "again by the same process");
	snprintf(n1.tcp_listener, sizeof(n1.tcp_listener), "127.0.0.1:4000");
	snprintf(n1.identity, sizeof(n1.identity), "me");
	memset(n1.identifier, 7, sizeof(n1.identifier));
	snprintf(n1.control, sizeof(n1.control), "/run/ockam/x/n1");
	n1.in_background = true;
	snprintf(n1.netns, sizeof(n1.netns), "/run/netns/app");
	ok_ret(ockam_store_node_update(store, &n1, &err), 0, err, "n1 updated");
	ok_ret(ockam_store_node_get(store, "n1", &got, &err), 0, err, "n1 read");
	ok(!memcmp(&got, &n1, sizeof(got)), "as written");

	life1 = live("n1");
	ockam_store_node_get(store, "n1", &got, NULL);
	ok(ockam_node_runs(&got) && ockam_life_pid(&got.life) == getpid(), "it runs");
	ok_ret(ockam_store_node_delete(store, "n1", &err), -EBUSY, err, "running: %s", err.text);
	ok_ret(ockam_store_node_claim(store, &n2, NULL, &err), 0, err, "n2 claimed");
	ok(!n2.is_default, "the default runs and stays");
	die("n1", life1);
	ockam_store_node_get(store, "n1", &got, NULL);
	ok(!ockam_node_runs(&got) && !ockam_life_pid(&got.life), "no process");
	ok_text(got.tcp_listener, "127.0.0.1:4000", "its listener is kept");
	life3 = live("n3");
	got = node_of("n3");
	ok_ret(ockam_store_node_claim(store, &got, NULL, &err), 0, err, "n3 claimed");
	ok(!got.is_default, "is not the default although that one is stopped");
	ok_ret(ockam_store_node_promote(store, "n3", &err), 0, err, "n3 has come up");
	ok(!ockam_store_node_get(store, "n3", &got, &err) && got.is_default,
	   "and takes over the mark of a stopped default");
	ok_ret(ockam_store_node_promote(store, "n2", &err), 0, err, "n2 as well");
	ok(!ockam_store_node_get(store, "n2", &got, &err) && !got.is_default,
	   "but the default runs now");
	got = node_of("n1");
	ok(!ockam_store_node_claim(store, &got, NULL, &err) && !got.is_default, "n1 claimed again");
	ok_text(got.tcp_listener, "127.0.0.1:4000", "the listener was filled in");
	ok_text(got.netns, "", "a claim without a network namespace forgets that of before");
	ok_ret(ockam_store_node_list(store, &list, &count, &err), 0, err, "list");
	ok(count == 3 && !strcmp(list[0].name, "n1") && !strcmp(list[2].name, "n3"), "in order");
	free(list);
	ok_ret(ockam_store_node_set_default(store, "n2", &err), 0, err, "n2 becomes the default");
	ok(!ockam_store_node_get(store, NULL, &got, &err) && !strcmp(got.name, "n2"), "it is");
	ok_ret(ockam_store_node_set_default(store, "n9", &err), -ENOENT, err, "%s", err.text);
	die("n3", life3);
	ok_ret(ockam_store_node_delete(store, "n2", &err), 0, err, "n2 deleted");
	ok(!ockam_store_node_get(store, NULL, &got, &err), "another one is the default");
	ok_ret(ockam_store_node_delete(store, "n2", &err), -ENOENT, err, "%s", err.text);
	test_node_unclaim(store);
	got = node_of("n!");
	ok_ret(ockam_store_node_claim(store, &got, NULL, &err), -EINVAL, err, "%s", err.text);
	ockam_store_close(store);
}

/* Is the secret anywhere in the files of the home? */
static bool secret_in_home(const uint8_t secret[32])
{
	static const char *const names[] = { "database.sqlite3", "database.sqlite3-wal",
					     "vault-second" };
	bool found = false;

	for (size_t i = 0; i < 3; i++) {
		char path[PATH_MAX];
		uint8_t *data;
		ssize_t len;
		int fd;

		ockam_home_file(&home, names[i], path, NULL);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		data = malloc(4 << 20);
		len = read(fd, data, 4 << 20);
		found |= len > 32 && memmem(data, (size_t)len, secret, 32);
		free(data);
		close(fd);
	}
	return found;
}

static void test_default_identity(void)
{
	struct ockam_store *store = opened("default");
	struct ockam_identity_record one, two;
	char want[1024], text[OCKAM_IDENTIFIER_TEXT];

	said[0] = '\0';
	ok_ret(ockam_store_identity_get(store, NULL, &one, &err), -ENOENT, err, "%s", err.text);
	ok_ret(ockam_store_identity_default(store, &remarks, &one, &err), 0, err, "made");
	ockam_identifier_format(one.identity->identifier, text);
	snprintf(want, sizeof(want),
		 "There is no default Identity on this machine, generating one...\n"
		 "This Identity needs a Vault to store its secrets.\n"
		 "There is no default Vault on this machine, creating one...\n"
		 "Created a new Vault named default.\n"
		 "Marked this new Vault as your default Vault, on this machine.\n"
		 "Generated a new Identity named %s.\n%s has Identifier %s\n"
		 "Marked %s as your default Identity, on this machine.\n",
		 one.name, one.name, text, one.name);
	ok_text(said, want, "with the remarks of the reference");
	said[0] = '\0';
	ok_ret(ockam_store_identity_default(store, &remarks, &two, &err), 0, err, "used again");
	ok_text(said, "", "without remarks");
	ok(!strcmp(one.name, two.name) && two.is_default, "the same");
	ockam_identity_record_free(&one);
	ockam_identity_record_free(&two);
	ockam_store_close(store);
}

static void test_vaults(void)
{
	struct ockam_store *store = opened("vaults");
	struct ockam_vault_record v, *list;
	char path[PATH_MAX], moved[PATH_MAX], open[PATH_MAX];
	struct ockam_identity_record id;
	size_t count;

	ok_ret(ockam_store_vault_create(store, NULL, NULL, &v, &err), 0, err, "first vault");
	ok(!strcmp(v.name, "default") && !v.path[0] && v.is_default, "is 'default', in the database");
	ok_ret(ockam_store_vault_create(store, "default", NULL, &v, &err), -EEXIST, err, "taken");
	ok_text(err.text, "A vault named default already exists", "the sentence");
	ok_ret(ockam_store_vault_create(store, "second", NULL, &v, &err), 0, err, "second vault");
	ockam_home_file(&home, "vault-second", path, NULL);
	ok_text(v.path, path, "its file");
	ok(mode_of("vault-second") == 0600 && !v.is_default, "0600");
	ok_ret(ockam_store_vault_create(store, NULL, NULL, &v, &err), 0, err, "random name: %s",
	       v.name);
	ok_ret(ockam_store_vault_create(store, "x", path, &v, &err), -EEXIST, err, "%s", err.text);
	ok_ret(ockam_store_vault_create(store, "../x", NULL, &v, &err), -EINVAL, err, "%s",
	       err.text);
	ok_ret(ockam_store_vault_move(store, "default", "/tmp/x", &err), -EBUSY, err, "%s",
	       err.text);
	ok_text(err.text,
		"The vault default cannot be moved to \"/tmp/x\" because this is the default vault",
		"the sentence");
	ok_ret(ockam_store_identity_create(store, "a", NULL, NULL, ED25519, &remarks, &id, &err),
	       -EINVAL, err, "%s", err.text);
	ok_text(err.text, "There are 3 vaults, please specify which vault should be used",
		"the sentence");
	ok_ret(ockam_store_identity_create(store, "a", "second", NULL, ED25519, &remarks, &id,
					   &err),
	       0, err, "identity in the second vault");
	ockam_identity_record_free(&id);
	ockam_home_file(&home, "moved", moved, NULL);
	ok_ret(ockam_store_vault_move(store, "second", "/nowhere/x", &err), -ENOENT, err, "%s",
	       err.text);
	ockam_home_file(&home, "open", open, NULL);
	ok(!mkdir(open, 0700) && !chmod(open, 01777), "a directory that others may write to");
	ockam_home_file(&home, "open/v", path, NULL);
	ok_ret(ockam_store_vault_move(store, "second", path, &err), -EPERM, err, "%s", err.text);
	ok(strstr(err.text, open) && strstr(err.text, "(mode 1777)") && exists("vault-second"),
	   "the sentence names it, nothing has moved");
	ok_ret(ockam_store_vault_create(store, "third", path, &v, &err), -EPERM, err,
	       "nor is one made there: %s", err.text);
	if (!geteuid())
		ok(!chmod(open, 0700) && !chown(open, 1, 1) &&
		   ockam_store_vault_move(store, "second", path, &err) == -EPERM &&
		   strstr(err.text, "belongs to user 1"), "another user's: %s", err.text);
	ok(!rmdir(open), "nothing was left in it");
	ok_ret(ockam_store_vault_move(store, "second", moved, &err), 0, err, "moved");
	ok(!exists("vault-second") && mode_of("moved") == 0600, "the file is there");
	ok(!ockam_store_vault_get(store, "second", &v, &err) && !strcmp(v.path, moved), "shown");
	ok_ret(ockam_store_identity_rotate(store, "a", NULL, &id, &err),
	       0, err, "its keys still work");
	ok(id.identity->n_changes == 2, "two changes");
	ockam_identity_record_free(&id);
	ok_ret(ockam_store_vault_delete(store, "second", &err), -EBUSY, err, "used");
	ok_text(err.text, "the vault second cannot be deleted. It is used by the following identities: a",
		"the sentence");
	ok_ret(ockam_store_identity_delete(store, "a", &err), 0, err, "identity deleted");
	ok_ret(ockam_store_vault_delete(store, "second", &err), 0, err, "vault deleted");
	ok(!exists("moved"), "with its file");
	ok_ret(ockam_store_vault_delete(store, "second", &err), -ENOENT, err, "%s", err.text);
	ok(!ockam_store_vault_list(store, &list, &count, &err) && count == 2, "two are left");
	free(list);
	ockam_store_close(store);
}

static void test_identities(void)
{
	struct ockam_store *store = opened("identities");
	struct ockam_identity_record a, b, c, *list;
	struct ockam_node_record node = node_of("n1");
	struct ockam_identity *stranger;
	uint8_t seed[32] = { 5 };
	size_t count;
	int ret;

	ok_ret(ockam_store_identity_create(store, "a", NULL, NULL, ED25519, NULL, &a, &err),
	       0, err, "a made");
	ok(a.is_default && !strcmp(a.vault, "default") && strlen(a.key_id) == 64, "is the default");
	ok_ret(ockam_store_identity_create(store, "a", NULL, NULL, ED25519, NULL, &b, &err),
	       -EEXIST, err, "a again");
	ok(!memcmp(a.identity->identifier, b.identity->identifier, 32), "gives the same identity");
	ockam_identity_record_free(&b);
	ok_ret(ockam_store_identity_create(store, NULL, NULL, NULL, ED25519, NULL, &b, &err),
	       0, err, "random name: %s", b.name);
	ok(!b.is_default, "is not the default");
	/* In the same second the same key makes the same identity, which is refused. */
	ret = ockam_store_identity_create(store, "k", NULL, a.key_id, ED25519, NULL, &c, &err);
	ok(ret == -EEXIST || (!ret && !strcmp(c.key_id, a.key_id)), "a key that is there already");
	if (!ret)
		ockam_store_identity_delete(store, "k", NULL);
	ockam_identity_record_free(&c);
	ok_ret(ockam_store_identity_create(store, "k", NULL, "nokey", ED25519, NULL, &c, &err),
	       -ENOKEY, err, "%s", err.text);

	ockam_identity_create(ED25519, seed, NOW, &stranger, NULL);
	ok_ret(ockam_store_identity_import(store, "s", NULL, stranger->history,
					   stranger->history_len, NULL, &c, &err),
	       0, err, "import");
	ok(c.identity->history_len == stranger->history_len && !c.key_id[0] &&
	   !memcmp(c.identity->history, stranger->history, stranger->history_len), "is exact");
	ockam_identity_record_free(&c);
	ok_ret(ockam_store_identity_import(store, "t", NULL, stranger->history,
					   stranger->history_len, NULL, &c, &err), -EEXIST, err,
	       "import again: %s", err.text);
	ok_text(c.name, "s", "names the one that is here");
	ockam_identity_record_free(&c);
	ok_ret(ockam_store_identity_import(store, "u", NULL, stranger->history,
					   stranger->history_len - 1, NULL, &c, &err), -EBADMSG,
	       err, "import of a broken one: %s", err.text);
	ok_ret(ockam_store_identity_rotate(store, "s", NULL, &c, &err),
	       -ENOKEY, err, "%s", err.text);
	ok(!ockam_store_identity_find(store, stranger->identifier, &c, &err) &&
	   !strcmp(c.name, "s"), "found by identifier");
	ockam_identity_record_free(&c);

	ok_ret(ockam_store_identity_set_default(store, "a", &err), -EALREADY, err, "%s", err.text);
	ok_ret(ockam_store_identity_set_default(store, "s", &err), 0, err, "s is the default");
	ok_ret(ockam_store_identity_set_default(store, "zz", &err), -ENOENT, err, "%s", err.text);
	ok(!ockam_store_identity_list(store, &list, &count, &err) && count == 3, "three identities");
	ockam_identity_records_free(list, count);

	memcpy(node.identifier, a.identity->identifier, 32);
	ockam_store_node_claim(store, &node, NULL, NULL);
	ok_ret(ockam_store_identity_delete(store, "a", &err), -EBUSY, err, "used");
	ok_text(err.text, "The identity named a cannot be deleted because it is used by the node(s): n1",
		"the sentence");
	ockam_store_node_delete(store, "n1", NULL);
	ok_ret(ockam_store_identity_delete(store, "a", &err), 0, err, "deleted");
	ok_ret(ockam_store_identity_delete(store, "a", &err), -ENOENT, err, "%s", err.text);
	ok_ret(ockam_store_identity_delete(store, "s", &err), 0, err, "the default deleted");
	ok(!ockam_store_identity_get(store, NULL, &c, &err) && !strcmp(c.name, b.name),
	   "another one is the default");
	ockam_identity_record_free(&a);
	ockam_identity_record_free(&b);
	ockam_identity_record_free(&c);
	ockam_identity_free(stranger);
	ockam_store_close(store);
}

static void test_purpose_keys_in(const char *dir, const char *vault)
{
	struct ockam_store *store = opened(dir);
	struct ockam_purpose_key one, two, three;
	struct ockam_identity_record record;
	uint64_t now;

	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ockam_store_identity_create(store, "a", vault, NULL, ED25519, NULL, &record, NULL);
	/* Not before: an identity is not valid in the second before it was made. */
	now = (uint64_t)time(NULL);
	ok_ret(ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, now, &one, &err), 0, err,
	       "%s: purpose key made", vault);
	ok(secret_in_home(one.secret), "stored");
	ok(!ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, now + 1000, &two, &err) &&
	   !memcmp(one.secret, two.secret, 32) && one.attestation.len == two.attestation.len &&
	   !memcmp(one.attestation.data, two.attestation.data, one.attestation.len), "used again");
	ok(!ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CREDENTIAL, now, &three, &err) &&
	   memcmp(one.secret, three.secret, 32), "another one for credentials");
	ockam_purpose_key_wipe(&two);
	ockam_purpose_key_wipe(&three);
	ok(!ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL,
				    now + OCKAM_ATTESTATION_LIFE - 86399, &two, &err) &&
	   memcmp(one.secret, two.secret, 32), "made anew a day before its end");
	ockam_identity_record_free(&record);
	ok_ret(ockam_store_identity_rotate(store, "a", NULL, &record, &err), 0, err, "rotated");
	ok(!ockam_store_purpose_key(store, "a", OCKAM_PURPOSE_CHANNEL, now + 10, &three, &err) &&
	   memcmp(three.secret, two.secret, 32), "made anew after a rotation");
	ok(secret_in_home(three.secret), "stored");
	ok_ret(ockam_store_identity_delete(store, "a", &err), 0, err, "identity deleted");
	ockam_store_close(store);
	ok(!secret_in_home(one.secret) && !secret_in_home(two.secret) &&
	   !secret_in_home(three.secret), "no secret is left in the files");
	ockam_purpose_key_wipe(&one);
	ockam_purpose_key_wipe(&two);
	ockam_purpose_key_wipe(&three);
	ockam_identity_record_free(&record);
}

static int count_peer(void *arg, const uint8_t identifier[32], const uint8_t *history, size_t len,
		      enum ockam_peer_share share)
{
	(void)identifier;
	(void)history;
	(void)share;
	(*(int *)arg)++;
	return len ? 0 : -EINVAL;
}

static int put(struct ockam_store *store, const struct ockam_identity *identity)
{
	return ockam_store_peer_put(store, identity, OCKAM_PEER_STRANGER, &err);
}

static void test_peers(void)
{
	enum ockam_peer_share share = OCKAM_PEER_STRANGER;
	struct ockam_store *store = opened("peers");
	struct ockam_identity *one, *two, *other, *got;
	uint8_t a[32] = { 1 }, b[32] = { 2 };
	struct ockam_identity_record own;
	int count = 0;

	ockam_identity_create(ED25519, a, NOW, &one, NULL);
	ockam_identity_rotate(one, a, ED25519, b, NOW + 5, &two, NULL);
	ockam_identity_rotate(one, a, ED25519, a, NOW + 5, &other, NULL);
	ok_ret(ockam_store_peer_get(store, one->identifier, &got, NULL, &err), -ENOENT, err, "%s",
	       err.text);
	ok_ret(put(store, one), 0, err, "new");
	ok_ret(put(store, one), 0, err, "equal");
	ok_ret(put(store, two), 0, err, "longer");
	ok_ret(put(store, one), -ESTALE, err, "%s", err.text);
	ok_ret(put(store, other), -ESTALE, err, "%s", err.text);
	ok(!ockam_store_peer_get(store, one->identifier, &got, NULL, &err) && got->n_changes == 2,
	   "the longer one is kept");
	ockam_identity_free(got);
	ok(!ockam_store_peer_each(store, count_peer, &count, &err) && count == 1, "walked");
	ockam_store_identity_create(store, "own", NULL, NULL, ED25519, NULL, &own, NULL);
	ok_ret(ockam_store_peer_get(store, own.identity->identifier, &got, &share,
				    &err), 0, err,
	       "own identities are known");
	ok(share == OCKAM_PEER_NAMED, "for good");
	ockam_identity_free(got);
	ockam_identity_record_free(&own);
	ockam_identity_free(one);
	ockam_identity_free(two);
	ockam_identity_free(other);
	ockam_store_close(store);
}

/* What one of many processes does; its exit status counts what went wrong. */
static int one_of_many(int number)
{
	struct ockam_node_record node = node_of("same");
	struct ockam_identity_record record;
	struct ockam_purpose_key key;
	struct ockam_store *store;
	char name[OCKAM_NAME_SIZE];
	int ret;

	if (ockam_store_open(&home, OCKAM_STORE_CREATE, &store, &err)) {
		printf("# process %d: %s\n", number, err.text);
		return 64;
	}
	if (ockam_store_identity_default(store, NULL, &record, &err))
		printf("# process %d: %s\n", number, err.text), exit(65);
	snprintf(name, sizeof(name), "%s", record.name);
	ockam_identity_record_free(&record);
	if (ockam_store_purpose_key(store, name, OCKAM_PURPOSE_CHANNEL, (uint64_t)time(NULL), &key,
				    &err))
		printf("# process %d: %s\n", number, err.text), exit(66);
	ockam_purpose_key_wipe(&key);
	snprintf(name, sizeof(name), "id-%d", number);
	if (ockam_store_identity_create(store, name, NULL, NULL, ED25519, NULL, &record, &err))
		printf("# process %d: %s\n", number, err.text), exit(67);
	ockam_identity_record_free(&record);
	ret = ockam_life_take(&home, node.name, "", &err);
	if (ret >= 0 && ockam_store_node_claim(store, &node, NULL, &err))
		printf("# process %d: %s\n", number, err.text), exit(68);
	snprintf(node.name, sizeof(node.name), "n%d", number);
	if (ockam_life_take(&home, node.name, "", &err) < 0 ||
	    ockam_store_node_claim(store, &node, NULL, &err))
		printf("# process %d: %s\n", number, err.text), exit(68);
	ockam_store_close(store);
	return ret >= 0 ? 1 : ret == -EEXIST ? 0 : 69;
}

#define MANY	16

static void test_many(void)
{
	struct ockam_identity_record *ids;
	struct ockam_node_record *nodes;
	struct ockam_store *store;
	int go[2], hold[2], winners = 0, wrong = 0, defaults = 0, runs = 0;
	size_t count;
	pid_t pids[MANY];
	char path[64];

	snprintf(path, sizeof(path), "%s/many", top);
	ockam_home_set(&home, path, &err);
	fflush(stdout);
	if (pipe(go) || pipe(hold))
		exit(1);
	for (int i = 0; i < MANY; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			uint8_t result;
			char c;

			close(go[1]);
			close(hold[0]);
			if (read(go[0], &c, 1))
				_exit(1);
			result = (uint8_t)one_of_many(i);
			/* Stay alive until all are through: the name must stay taken. */
			if (write(hold[1], &result, 1) != 1)
				_exit(1);
			close(hold[1]);
			fflush(stdout);
			pause();
		}
	}
	close(go[0]);
	close(hold[1]);
	close(go[1]);
	for (;;) {
		uint8_t result;

		if (read(hold[0], &result, 1) != 1)
			break;
		winners += result == 1;
		wrong += result > 1;
		if (++defaults == MANY)
			break;
	}
	ok(defaults == MANY && !wrong, "%d processes at once, %d through, %d failed", MANY,
	   defaults, wrong);
	ok(winners == 1, "one of them took the name");
	ok_ret(ockam_store_open(&home, 0, &store, &err), 0, err, "opened afterwards");
	ok(!ockam_store_node_list(store, &nodes, &count, &err) && count == MANY + 1, "%d nodes",
	   MANY + 1);
	defaults = 0;
	for (size_t i = 0; i < count; i++) {
		defaults += nodes[i].is_default;
		runs += ockam_node_runs(&nodes[i]);
	}
	ok(defaults == 1, "one default node");
	ok(runs == MANY + 1, "all run");
	for (int i = 0; i < MANY; i++)
		kill(pids[i], SIGKILL);
	free(nodes);
	ok(!ockam_store_identity_list(store, &ids, &count, &err) && count == MANY + 1,
	   "%d identities, one of them made by default", MANY + 1);
	ockam_identity_records_free(ids, count);
	while (wait(NULL) > 0)
		;
	ockam_store_close(store);
}

static void test_reset(void)
{
	struct ockam_store *store = opened("reset");
	char path[PATH_MAX], outside[PATH_MAX], node[PATH_MAX];
	int fd;

	snprintf(outside, sizeof(outside), "%s/outside", top);
	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ockam_store_vault_create(store, "second", NULL, NULL, NULL);
	ockam_store_vault_create(store, "third", outside, NULL, NULL);
	ockam_store_close(store);
	ockam_home_node_dir(&home, "n1", node, NULL);
	strcat(node, "/stdout.2026-01-01.log");
	close(open(node, O_CREAT | O_WRONLY, 0600));
	ockam_home_file(&home, "application_database.sqlite3", path, NULL);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ockam_home_file(&home, "vault-notes", path, NULL);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	dprintf(fd, "mine\n");
	close(fd);
	ok(!access(outside, F_OK) && exists("vault-second") && exists("nodes/n1"), "a full home");
	ok_ret(ockam_home_reset(&home, &err), 0, err, "reset");
	ok(access(outside, F_OK) && !exists("vault-second") && !exists("nodes") &&
	   !exists("database.sqlite3") && !exists("database.sqlite3-wal"), "all is gone");
	ok(exists("application_database.sqlite3") && exists("vault-notes"), "what is not its own stays");
	ok_ret(ockam_home_reset(&home, &err), 0, err, "twice is no error");

	/* A database that cannot name its vaults any more. */
	ok(!ockam_store_open(&home, OCKAM_STORE_CREATE, &store, &err), "made again");
	ockam_store_vault_create(store, NULL, NULL, NULL, NULL);
	ockam_store_vault_create(store, "second", NULL, NULL, NULL);
	ockam_store_close(store);
	ockam_home_file(&home, "database.sqlite3", path, NULL);
	fd = open(path, O_WRONLY | O_TRUNC);
	dprintf(fd, "not a database at all, but long enough to be looked at");
	close(fd);
	ok_ret(ockam_home_reset(&home, &err), 0, err, "reset of a damaged home");
	ok(!exists("vault-second") && exists("vault-notes"), "key files in the home go, others stay");
}

static void test_names(void)
{
	char name[OCKAM_NAME_SIZE], other[OCKAM_NAME_SIZE];
	int same = 0;

	for (int i = 0; i < 20; i++) {
		ockam_name_random(name, &err);
		ockam_name_random(other, &err);
		same += !strcmp(name, other);
		if (ockam_name_check_node(name, &err) || !strchr(name, '-'))
			same += 100;
	}
	ok(same < 3, "random names are two words and differ, like %s", name);
	ok(!ockam_name_check_node("N_1-b", &err), "N_1-b");
	ok(ockam_name_check_node("n.1", &err) == -EINVAL, "%s", err.text);
	ok(ockam_name_check_node("", &err) == -EINVAL, "%s", err.text);
	ok(ockam_name_check_node("n\xc3\xa4", &err) == -EINVAL, "no letter outside of ASCII");
	memset(name, 'a', 63);
	name[63] = '\0';
	ok(!ockam_name_check_node(name, &err), "63 letters");
	ok(ockam_name_check("vault", "a b", &err) == 0, "a blank in a vault's name");
	ok(ockam_name_check("vault", "a/b", &err) == -EINVAL, "%s", err.text);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	test_home();
	test_files();
	test_schema();
	test_process();
	test_nodes();
	test_default_identity();
	test_vaults();
	test_identities();
	test_purpose_keys_in("purpose-database", "default");
	test_purpose_keys_in("purpose-file", "second");
	test_peers();
	test_many();
	test_reset();
	test_names();
	ockam_home_remove(AT_FDCWD, top);
	return tap_done();
}
