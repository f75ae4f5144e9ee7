/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rooms of the store share: the open database, statements with
 * bound values, transactions, keys in vaults. Used inside libockam only.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_STORE_SQL_H
#define OCKAM_LIB_STORE_SQL_H

#include <limits.h>
#include <sqlite3.h>

#include "store.h"

#define OCKAM_STORE_FILE	"database.sqlite3"
#define OCKAM_STORE_NEW		".new-"	/* behind its name while it is made */
#define OCKAM_STORE_APPLICATION	"application_database.sqlite3"	/* outlives a reset */
#define OCKAM_STORE_VAULT_ID	0x6f636b76	/* "ockv": application id of a key file */

struct ockam_store {
	sqlite3			*db;
	struct ockam_home	home;
	bool			forget;		/* this transaction deletes a secret */
	bool			read_only;
	int			wait_ms;	/* for another writer */
	bool			busy;		/* ockam_store_was_busy() */
	int			lock_fd;	/* of the file with the write lock, -1 */
};

/* A key of a vault; the numbers are stored. */
enum ockam_store_key {
	OCKAM_STORE_KEY_ED25519	= OCKAM_KEY_ED25519,
	OCKAM_STORE_KEY_P256	= OCKAM_KEY_P256,
	OCKAM_STORE_KEY_X25519	= 2,
};

#define OCKAM_STORE_REMARKS	12	/* remarks of one operation */

/* Remarks are kept until the transaction has succeeded. */
struct ockam_store_notes {
	unsigned int	count;
	char		text[OCKAM_STORE_REMARKS][2 * OCKAM_NAME_SIZE + 64];
};

/** ockam_home_find_key_file() - is there a key file in the home, and its name */
bool ockam_home_find_key_file(const struct ockam_home *home, char name[NAME_MAX + 1]);

/** ockam_sql_fail() - record what SQLite says; return: negative errno */
int ockam_sql_fail(sqlite3 *db, const char *file, struct ockam_err *err);

/**
 * ockam_sql_check_dir() - may the directory of @path hold keys?
 *
 * Nobody else may put a file beside them: SQLite takes a journal that it finds
 * there for the rest of the database. The sticky bit does not keep one from being
 * made.
 *
 * Return: 0; -EPERM; what stat() says.
 */
int ockam_sql_check_dir(const char *path, struct ockam_err *err);

#define OCKAM_SQL_BUSY_MS	10000	/* how long a command waits for another one */

/* How an SQLite file is opened. */
enum ockam_sql_open {
	OCKAM_SQL_OPEN,
	OCKAM_SQL_CREATE,	/* it may be missing */
	OCKAM_SQL_READ,		/* it cannot be written */
};

/** ockam_sql_open_file() - open or make an SQLite file, 0600, owned by the caller */
int ockam_sql_open_file(const char *path, enum ockam_sql_open how, sqlite3 **db,
			struct ockam_err *err);

/**
 * ockam_sql_query() - prepare a statement and bind its values
 * @db: database
 * @stmt: receives it; sqlite3_finalize() it
 * @err: the reason
 * @sql: one statement
 * @types: for each '?': 's' const char *, 'i' int64_t, 'b' const void *, size_t
 *
 * Return: 0 or a negative errno.
 */
int ockam_sql_query(sqlite3 *db, sqlite3_stmt **stmt, struct ockam_err *err, const char *sql,
		    const char *types, ...);

/** ockam_sql_row() - step: 1 a row, 0 no more, negative errno */
int ockam_sql_row(sqlite3_stmt *stmt, struct ockam_err *err);

/** ockam_sql_run() - a statement without rows; return: rows changed or negative errno */
int ockam_sql_run(sqlite3 *db, struct ockam_err *err, const char *sql, const char *types, ...);

/** ockam_sql_count() - first column of the first row as number, or negative errno */
int64_t ockam_sql_count(sqlite3 *db, struct ockam_err *err, const char *sql, const char *types,
			...);

/** ockam_sql_text() - copy a text column into @out; NULL becomes "" */
void ockam_sql_text(sqlite3_stmt *stmt, int column, char *out, size_t size);

/** ockam_sql_blob() - append a column's bytes to @out; the buffer tells when memory runs out */
void ockam_sql_blob(sqlite3_stmt *stmt, int column, struct ockam_buf *out);

/** ockam_sql_fixed() - copy a blob of @len bytes; another length becomes zero bytes */
void ockam_sql_fixed(sqlite3_stmt *stmt, int column, uint8_t *out, size_t len);

/** ockam_sql_has_node() - 0 when the node has a record, -ENOENT with the sentence when not */
int ockam_sql_has_node(struct ockam_store *store, const char *name, struct ockam_err *err);

/** ockam_sql_time() - seconds as SQLite keeps them: what does not fit is the end of time */
int64_t ockam_sql_time(uint64_t seconds);

/* A transaction that holds the write lock from its beginning. */
int ockam_sql_begin(struct ockam_store *store, struct ockam_err *err);

/** ockam_sql_say_holder() - put who has the write lock into the sentence of @err */
void ockam_sql_say_holder(struct ockam_store *store, struct ockam_err *err);

/** ockam_sql_end() - commit when @ret >= 0, else roll back; return: @ret or the failure */
int ockam_sql_end(struct ockam_store *store, int ret, struct ockam_err *err);

/**
 * ockam_sql_forget() - a secret is being deleted: let the log forget it too
 *
 * The write-ahead log holds pages as they were until it is begun anew. That is
 * done at the end of the transaction, or at once outside of one, unless other
 * commands read meanwhile.
 */
void ockam_sql_forget(struct ockam_store *store);

/* As the public functions; the caller holds the transaction and has checked the name. */
int __ockam_store_node_claim(struct ockam_store *store, struct ockam_node_record *node,
			     struct ockam_node_record *before, struct ockam_err *err);
int __ockam_store_vault_create(struct ockam_store *store, const char *name, const char *path,
			       struct ockam_vault_record *vault, struct ockam_err *err);

struct ockam_attributes_record;
int __ockam_store_attributes_put(struct ockam_store *store, const char *node,
				 const struct ockam_attributes_record *record,
				 struct ockam_err *err);

/*
 * Parts of making and importing an identity; the caller holds the transaction.
 * vault: the one of a new identity; @any: with several take the default one
 *	instead of asking which. name: @name when it is valid, else a random one.
 * new_key: a fresh key, put into the vault. insert: the complete record; the first
 *	identity becomes the default.
 */
int __ockam_store_identity_vault(struct ockam_store *store, const char *name, bool any,
				 struct ockam_vault_record *vault,
				 struct ockam_store_notes *notes, struct ockam_err *err);
int __ockam_store_identity_name(struct ockam_store *store, const char *name,
				char out[OCKAM_NAME_SIZE], struct ockam_err *err);
int __ockam_store_identity_new_key(struct ockam_store *store,
				   const struct ockam_vault_record *vault,
				   enum ockam_key_kind kind, char id[OCKAM_KEY_ID_TEXT],
				   uint8_t secret[OCKAM_SECRET_LEN], struct ockam_err *err);
int __ockam_store_identity_insert(struct ockam_store *store,
				  struct ockam_identity_record *record, struct ockam_err *err);

/** ockam_store_key_id() - id of a key: hex of SHA-256 of its public key of @len bytes */
int ockam_store_key_id(const uint8_t *public_key, size_t len, char id[OCKAM_KEY_ID_TEXT]);

/* Keys: put replaces, get is -ENOKEY when absent, delete ignores absent ones. */
int ockam_store_key_put(struct ockam_store *store, const struct ockam_vault_record *vault,
			const char *id, enum ockam_store_key kind, const uint8_t secret[32],
			struct ockam_err *err);
int ockam_store_key_get(struct ockam_store *store, const struct ockam_vault_record *vault,
			const char *id, enum ockam_store_key kind, uint8_t secret[32],
			struct ockam_err *err);
int ockam_store_key_delete(struct ockam_store *store, const struct ockam_vault_record *vault,
			   const char *id, struct ockam_err *err);

/**
 * ockam_store_remove_key_file() - remove the key file of a vault
 *
 * What is no key file is the user's and stays. Return: 0, also then and when it
 * is gone; a negative errno.
 */
int ockam_store_remove_key_file(int dir_fd, const char *name);

/** ockam_store_note() - keep a remark */
void ockam_store_note(struct ockam_store_notes *notes, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** ockam_store_notes_say() - hand the remarks on */
void ockam_store_notes_say(const struct ockam_store_notes *notes,
			   const struct ockam_remarks *remarks);

#endif /* OCKAM_LIB_STORE_SQL_H */
