/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a home remembers: nodes, vaults, identities, keys, known peers. SQLite
 * in $OCKAM_HOME/database.sqlite3. Any number of processes may work with one
 * home at once; every function below is one transaction.
 *
 * Common errors: -ENOENT unknown name, -EEXIST taken name, -EBUSY used by
 * something else or database locked for 10 s, -EUCLEAN damaged database,
 * -EROFS a home that cannot be written, -EPERM wrong owner or permissions, -EIO,
 * -ENOMEM. Sentences are those of
 * the command reference where it gives one.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_STORE_H
#define OCKAM_LIB_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "attestation.h"
#include "err.h"
#include "home.h"
#include "identity.h"
#include "life.h"
#include "names.h"
#include "netns_ref.h"

#define OCKAM_STORE_SCHEMA	5	/* version that this library writes */
#define OCKAM_KEY_ID_TEXT	65	/* hex of SHA-256 of the public key, zero byte */
#define OCKAM_SOCKET_TEXT	280	/* "host:port" */

struct ockam_store;	/* an open database; one thread at a time */

/*
 * Where remarks go that are no errors ("There is no default Vault on this
 * machine, creating one..."; cli 1.10). say may be NULL.
 */
struct ockam_remarks {
	void	(*say)(void *arg, const char *sentence);
	void	*arg;
};

enum ockam_store_flags {
	OCKAM_STORE_CREATE	= 1 << 0,	/* make home and database if missing */
	OCKAM_STORE_RELAXED	= 1 << 1,	/* the last writes may be lost with the power */
};

/**
 * ockam_store_open() - open the database of a home
 * @home: from ockam_home_find()
 * @flags: OCKAM_STORE_CREATE or 0; without it a missing database is -ENOENT
 * @store: receives the open store; ockam_store_close() it
 * @err: the reason
 *
 * A home that cannot be written can be read all the same. One whose database is
 * empty, or missing beside key files, is -EUCLEAN: no new one is made.
 *
 * The home must belong to the caller and the database file must be readable
 * and writable for nobody else: otherwise -EPERM. An older schema is brought
 * up to date, a newer one or that of another program refused with -ENOTSUP.
 */
int ockam_store_open(const struct ockam_home *home, unsigned int flags, struct ockam_store **store,
		     struct ockam_err *err);

/**
 * ockam_store_mark_used() - make the database that outlives a reset, if missing
 * @home: a prepared home
 *
 * application_database.sqlite3 tells that nodes have been made in this home
 * (cli 1.1). Nothing is kept open.
 */
int ockam_store_mark_used(const struct ockam_home *home, struct ockam_err *err);

/**
 * ockam_store_set_wait() - how long a write waits for another process
 * @ms: 0: not at all, -EBUSY at once; at first it is 10 s
 */
void ockam_store_set_wait(struct ockam_store *store, int ms);

/** ockam_store_was_busy() - has a write met another one since this was asked last */
bool ockam_store_was_busy(struct ockam_store *store);

/** ockam_store_close() - close; NULL is allowed */
void ockam_store_close(struct ockam_store *store);

/* ---- nodes ---- */

/*
 * A node as the database knows it. life is filled in when it is read: what its lock
 * said then.
 */
struct ockam_node_record {
	char		name[OCKAM_NAME_SIZE];
	bool		is_default;
	char		tcp_listener[OCKAM_SOCKET_TEXT];	/* "127.0.0.1:4000" or "" */
	char		identity[OCKAM_NAME_SIZE];	/* name, "" = none yet */
	uint8_t		identifier[OCKAM_IDENTIFIER_LEN];
	char		control[OCKAM_CONTROL_PATH];	/* control socket */
	bool		in_background;
	char		netns[OCKAM_NETNS_REF];	/* existing one, "" = made for the node */
	struct ockam_life life;
};

/** ockam_node_runs() - did its process run when the record was read */
static inline bool ockam_node_runs(const struct ockam_node_record *node)
{
	return node->life.state == OCKAM_PROCESS_RUNNING;
}

/**
 * ockam_store_node_claim() - record the process that becomes the node
 * @store: the store
 * @node: name, identity, control, in_background, netns to record; a tcp_listener
 *	that is not empty is recorded, an empty one keeps what was recorded;
 *	is_default and what was kept are filled in
 * @before: receives the record as it was, with an empty name when there was
 *	none; may be NULL
 * @err: the reason
 *
 * The caller holds the node's lock (ockam_life_take()), so nobody else writes the
 * record. The first node becomes the default.
 *
 * Return: 0; -EINVAL for a bad name.
 */
int ockam_store_node_claim(struct ockam_store *store, struct ockam_node_record *node,
			   struct ockam_node_record *before, struct ockam_err *err);

/**
 * ockam_store_node_unclaim() - undo a claim of a node that did not come up
 * @before: from ockam_store_node_claim(); the caller still holds the lock
 */
int ockam_store_node_unclaim(struct ockam_store *store, const char *name,
			     const struct ockam_node_record *before, struct ockam_err *err);

/**
 * ockam_store_node_promote() - give a newly created node the default mark when
 * the node that has it does not run, or there is none (cli 1.10)
 */
int ockam_store_node_promote(struct ockam_store *store, const char *name,
			     struct ockam_err *err);

/**
 * ockam_store_node_update() - replace everything but name and default mark
 *
 * By the holder of the node's lock. Return: 0; -ENOENT.
 */
int ockam_store_node_update(struct ockam_store *store, const struct ockam_node_record *node,
			    struct ockam_err *err);

/** ockam_store_node_get() - one node; name NULL = the default one ("There is no default node") */
int ockam_store_node_get(struct ockam_store *store, const char *name,
			 struct ockam_node_record *node, struct ockam_err *err);

/** ockam_store_node_list() - all nodes in order of creation; free(*nodes) */
int ockam_store_node_list(struct ockam_store *store, struct ockam_node_record **nodes,
			  size_t *count, struct ockam_err *err);

/**
 * ockam_store_node_reach() - where a node is dialled
 * @name: the node
 * @socket: receives "host:port"
 * @err: the reason
 *
 * Return: 0; -ENOENT when there is no such node or it has no TCP listener;
 * -ECONNREFUSED when it is not running.
 */
int ockam_store_node_reach(struct ockam_store *store, const char *name,
			   char socket[OCKAM_SOCKET_TEXT], struct ockam_err *err);

/**
 * ockam_store_node_at() - which running node would be reached by dialling @socket
 * @name: receives its name, or "" when it is none of this home
 *
 * Return: 0 or a negative errno.
 */
int ockam_store_node_at(struct ockam_store *store, const char *socket,
			char name[OCKAM_NAME_SIZE], struct ockam_err *err);

/** ockam_store_node_set_default() - move the default mark */
int ockam_store_node_set_default(struct ockam_store *store, const char *name,
				 struct ockam_err *err);

/**
 * ockam_store_node_delete() - forget a node; another becomes the default
 *
 * Its trust options, credentials and peers' attributes (store_credential.h)
 * are forgotten with it. A node whose process runs is refused with -EBUSY.
 */
int ockam_store_node_delete(struct ockam_store *store, const char *name,
			    struct ockam_err *err);

/* ---- vaults ---- */

struct ockam_vault_record {
	char	name[OCKAM_NAME_SIZE];
	char	path[PATH_MAX];		/* of the key file; "" = keys in the database */
	bool	is_default;
};

/**
 * ockam_store_vault_create() - make a vault
 * @store: the store
 * @name: NULL: "default" for the first one, else a random name
 * @path: key file of a second or later vault; NULL: vault-<name> in the home
 * @vault: receives the record, may be NULL
 * @err: the reason
 *
 * The first vault keeps its keys in the database and becomes the default.
 */
int ockam_store_vault_create(struct ockam_store *store, const char *name, const char *path,
			     struct ockam_vault_record *vault, struct ockam_err *err);

/** ockam_store_vault_get() - one vault; name NULL = the default one */
int ockam_store_vault_get(struct ockam_store *store, const char *name,
			  struct ockam_vault_record *vault, struct ockam_err *err);

/** ockam_store_vault_list() - all vaults in order of creation; free(*vaults) */
int ockam_store_vault_list(struct ockam_store *store, struct ockam_vault_record **vaults,
			   size_t *count, struct ockam_err *err);

/** ockam_store_vault_move() - move the key file of a vault to another path */
int ockam_store_vault_move(struct ockam_store *store, const char *name, const char *path,
			   struct ockam_err *err);

/** ockam_store_vault_delete() - delete a vault that no identity uses, and its key file */
int ockam_store_vault_delete(struct ockam_store *store, const char *name,
			     struct ockam_err *err);

/* ---- identities ---- */

/* An identity of this home. key_id: of the latest key, "" when imported without it. */
struct ockam_identity_record {
	char			name[OCKAM_NAME_SIZE];
	char			vault[OCKAM_NAME_SIZE];
	char			key_id[OCKAM_KEY_ID_TEXT];
	bool			is_default;
	struct ockam_identity	*identity;	/* owned by the record */
};

/** ockam_identity_record_free() - free what the record holds and zero it */
void ockam_identity_record_free(struct ockam_identity_record *record);

/** ockam_identity_records_free() - free an array made by ockam_store_identity_list() */
void ockam_identity_records_free(struct ockam_identity_record *records, size_t count);

/**
 * ockam_store_identity_create() - new identity with a new or existing key
 * @store: the store
 * @name: NULL: a random name
 * @vault: made if missing; NULL: the only vault, made if there is none
 * @key_id: a signing key of that vault to use; NULL: a new key
 * @kind: kind of a new key
 * @remarks: told when a vault is made; may be NULL
 * @record: receives it
 * @err: the reason
 *
 * Return: 0; -EEXIST with @record filled when the name is taken (nothing
 * changed); -EINVAL with several vaults and none named, or a bad name.
 */
int ockam_store_identity_create(struct ockam_store *store, const char *name, const char *vault,
				const char *key_id, enum ockam_key_kind kind,
				const struct ockam_remarks *remarks,
				struct ockam_identity_record *record, struct ockam_err *err);

/**
 * ockam_store_identity_import() - take over a full identity
 * @history: CBOR change history, verified here and kept exactly
 *
 * Its key is looked for in the vault; without it the identity can be shown
 * and trusted but not used. A longer history of an identity that is here
 * replaces it, under the name it has. Other parameters as above.
 *
 * Return: 0; -EEXIST with @record filled when the name is taken or the very
 * same is here; -ESTALE when the history is older than, or in conflict with,
 * one that is known of this identity; -EBADMSG, -EKEYREJECTED, -E2BIG when it
 * does not verify.
 */
int ockam_store_identity_import(struct ockam_store *store, const char *name, const char *vault,
				const uint8_t *history, size_t len,
				const struct ockam_remarks *remarks,
				struct ockam_identity_record *record, struct ockam_err *err);

/** ockam_store_identity_get() - by name; NULL = the default ("no default identifier found") */
int ockam_store_identity_get(struct ockam_store *store, const char *name,
			     struct ockam_identity_record *record, struct ockam_err *err);

/** ockam_store_identity_find() - by identifier */
int ockam_store_identity_find(struct ockam_store *store,
			      const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			      struct ockam_identity_record *record, struct ockam_err *err);

/**
 * ockam_store_identity_default() - the default identity, made with all
 * remarks of cli 1.10 when there is none
 */
int ockam_store_identity_default(struct ockam_store *store, const struct ockam_remarks *remarks,
				 struct ockam_identity_record *record, struct ockam_err *err);

/** ockam_store_identity_list() - all in order of creation; ockam_identity_records_free() */
int ockam_store_identity_list(struct ockam_store *store, struct ockam_identity_record **records,
			      size_t *count, struct ockam_err *err);

/** ockam_store_identity_set_default() - move the mark; -EALREADY when it is there already */
int ockam_store_identity_set_default(struct ockam_store *store, const char *name,
				     struct ockam_err *err);

/**
 * ockam_store_identity_delete() - delete an identity and its keys
 *
 * Return: 0; -EBUSY while a node uses it; another one becomes the default.
 */
int ockam_store_identity_delete(struct ockam_store *store, const char *name,
				struct ockam_err *err);

/**
 * ockam_store_identity_rotate() - add a change with a new key
 * @store: the store
 * @name: NULL: the default identity
 * @kind: of the new key; NULL: the same as now
 * @record: receives the result
 * @err: the reason
 *
 * The key before is deleted when no other identity uses it. Purpose keys are
 * made anew when they are asked for next.
 *
 * Return: 0; -ENOKEY when its key is not in its vault; -EINVAL when the clock
 * is behind the latest change; -E2BIG.
 */
int ockam_store_identity_rotate(struct ockam_store *store, const char *name,
				const enum ockam_key_kind *kind,
				struct ockam_identity_record *record, struct ockam_err *err);

/* ---- purpose keys ---- */

/* A purpose key with its secret. Wipe with ockam_purpose_key_wipe(). */
struct ockam_purpose_key {
	uint8_t			secret[OCKAM_SECRET_LEN];
	uint8_t			public_key[32];
	struct ockam_buf	attestation;	/* CBOR */
	uint64_t		created_at;	/* seconds since 1970 */
	uint64_t		renew_at;	/* from then on ask for it anew */
};

/** ockam_purpose_key_wipe() - wipe and free */
void ockam_purpose_key_wipe(struct ockam_purpose_key *key);

/**
 * ockam_store_purpose_key() - the purpose key of an identity
 * @store: the store
 * @name: name of the identity
 * @purpose: which key
 * @now: seconds since 1970
 * @key: receives it
 * @err: the reason
 *
 * Kept and used again as long as its attestation verifies at @now, and for one
 * day more or as long as the identity itself; else made anew. It never lives
 * longer than the identity's latest key.
 *
 * Return: 0; -ENOKEY when the identity's own key is not in its vault;
 * -EKEYEXPIRED when that one has expired (rotate it) or begins after @now.
 */
int ockam_store_purpose_key(struct ockam_store *store, const char *name,
			    enum ockam_purpose purpose, uint64_t now,
			    struct ockam_purpose_key *key, struct ockam_err *err);

/**
 * ockam_store_identity_use() - an identity with a purpose key that fits it
 * @record: receives the identity, ockam_identity_record_free() it
 * @key: receives the key
 *
 * As ockam_store_identity_get() and ockam_store_purpose_key() at one moment: no
 * rotation comes between them. Other parameters and errors as there.
 */
int ockam_store_identity_use(struct ockam_store *store, const char *name,
			     enum ockam_purpose purpose, uint64_t now,
			     struct ockam_identity_record *record,
			     struct ockam_purpose_key *key, struct ockam_err *err);

/* ---- known peers ---- */

/* Who a peer is to this home; a history moves up, never down. Numbers are stored. */
enum ockam_peer_share {
	OCKAM_PEER_STRANGER,	/* admitted because everyone is */
	OCKAM_PEER_EARNED,	/* a rule or credential admitted it, or we made the channel */
	OCKAM_PEER_NAMED,	/* by the user: an authority; never forgotten by itself */
};

/**
 * ockam_store_peer_get() - the history known for an identifier
 *
 * Identities of this home are known too, as OCKAM_PEER_NAMED; the longer history
 * counts. @identity receives a verified identity, to be freed, @share may be
 * NULL. Return: 0 or -ENOENT.
 */
int ockam_store_peer_get(struct ockam_store *store,
			 const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			 struct ockam_identity **identity, enum ockam_peer_share *share,
			 struct ockam_err *err);

/**
 * ockam_store_peer_put() - remember a peer's history
 *
 * Strangers have a share of their own (limits.rst), in which the new ones
 * displace the old ones; they take nothing from the others.
 *
 * Return: 0 (new, equal or longer); -ESTALE when it is older than or
 * conflicts with the known one, which is kept; -ENOSPC when so many have earned
 * a place that there is none left.
 */
int ockam_store_peer_put(struct ockam_store *store, const struct ockam_identity *identity,
			 enum ockam_peer_share share, struct ockam_err *err);

/**
 * ockam_store_peer_purge() - forget histories
 * @identifier: of one peer; NULL: of all
 * @most: only of those who are no more than that
 *
 * Return: how many, or a negative errno.
 */
int ockam_store_peer_purge(struct ockam_store *store, const uint8_t *identifier,
			   enum ockam_peer_share most, struct ockam_err *err);

/**
 * ockam_store_peer_each() - walk all known histories, in the order of learning
 * @fn: called for each; a return other than 0 ends the walk and is returned
 */
int ockam_store_peer_each(struct ockam_store *store,
			  int (*fn)(void *arg, const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
				    const uint8_t *history, size_t len,
				    enum ockam_peer_share share),
			  void *arg, struct ockam_err *err);

#endif /* OCKAM_LIB_STORE_H */
