/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a home remembers of trust, for each node: its trust options, the own
 * credentials it presents, the attributes that peers have shown. All of it
 * belongs to a node's record and goes with it; a node in memory has none.
 *
 * Functions, transactions and errors are as in store.h. -ENOENT "There is no
 * node with name n" comes from every function that writes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_STORE_CREDENTIAL_H
#define OCKAM_LIB_STORE_CREDENTIAL_H

#include "buf.h"
#include "credential.h"
#include "store.h"

#define OCKAM_SCOPE_SIZE		256	/* bytes of a scope, zero byte included */
#define OCKAM_STORE_CREDENTIALS_MAX	256	/* own credentials of one node */
#define OCKAM_STORE_ATTRIBUTES_MAX	16384	/* peers with attributes of one node */

/* ---- trust options of a node ---- */

/* All zero: no authority, presents nothing. Free with ockam_node_trust_free(). */
struct ockam_node_trust {
	struct ockam_identity	*authority;	/* whose credentials count; owned, or NULL */
	char			scope[OCKAM_SCOPE_SIZE];	/* "": presents none */
	bool			strict_identities;
};

/** ockam_node_trust_free() - free what @trust holds and reset it */
void ockam_node_trust_free(struct ockam_node_trust *trust);

/**
 * ockam_store_node_set_trust() - replace a node's trust options
 *
 * Claiming a name keeps them: a node that is created anew sets its own, one
 * that is started again gets what it had.
 *
 * Return: 0; -EINVAL for a bad scope; -ENOENT.
 */
int ockam_store_node_set_trust(struct ockam_store *store, const char *name,
			       const struct ockam_node_trust *trust, struct ockam_err *err);

/** ockam_store_node_trust() - a node's trust options; 0 or -ENOENT, then @trust is all zero */
int ockam_store_node_trust(struct ockam_store *store, const char *name,
			   struct ockam_node_trust *trust, struct ockam_err *err);

/**
 * ockam_store_node_claim_trust() - ockam_store_node_claim() with other trust options
 * @trust: those of the process that becomes the node
 * @trust_before: receives those recorded before, none for a new node
 *
 * In one transaction: a record that is left behind never has others than the
 * last process of that name, which would let more peers in.
 *
 * Return: as both functions; then nothing has changed, and @trust_before is all zero.
 */
int ockam_store_node_claim_trust(struct ockam_store *store, struct ockam_node_record *node,
				 const struct ockam_node_trust *trust,
				 struct ockam_node_record *before,
				 struct ockam_node_trust *trust_before, struct ockam_err *err);

/**
 * ockam_store_node_rule() - the rule that was set for a node's listener "api"
 * @rule: receives it, as it was given to ockam_store_node_set_rule(), to be
 *	freed; NULL: none was
 *
 * Return: 0 or -ENOENT.
 */
int ockam_store_node_rule(struct ockam_store *store, const char *name, char **rule,
			  struct ockam_err *err);

/** ockam_store_node_set_rule() - keep a rule; NULL: none; 0 or -ENOENT */
int ockam_store_node_set_rule(struct ockam_store *store, const char *name, const char *rule,
			      struct ockam_err *err);

/** ockam_scope_check() - 1 to 255 bytes of UTF-8 without control characters; 0 or -EINVAL */
int ockam_scope_check(const char *scope, struct ockam_err *err);

/* ---- own credentials ---- */

/* A stored credential. Free with ockam_credential_record_free(). */
struct ockam_credential_record {
	uint8_t			subject[OCKAM_IDENTIFIER_LEN];	/* whom it is about */
	uint8_t			issuer[OCKAM_IDENTIFIER_LEN];
	char			scope[OCKAM_SCOPE_SIZE];
	uint64_t		expires_at;	/* seconds since 1970 */
	struct ockam_buf	bytes;		/* CBOR of the CredentialAndPurposeKey */
};

/** ockam_credential_record_free() - free what @record holds and zero it */
void ockam_credential_record_free(struct ockam_credential_record *record);
/** ockam_credential_records_free() - free an array made by ockam_store_credential_list() */
void ockam_credential_records_free(struct ockam_credential_record *records, size_t count);

/**
 * ockam_store_credential_put() - store a credential that has been verified
 * @store: the store
 * @node: name of the node
 * @record: what to store; one of the same subject, issuer and scope is replaced
 * @now: seconds since 1970
 * @err: the reason
 *
 * Return: 0; -EINVAL for a bad scope; -E2BIG above OCKAM_CREDENTIAL_MAX bytes;
 * -ENOENT; -ENOSPC when OCKAM_STORE_CREDENTIALS_MAX others have not expired.
 */
int ockam_store_credential_put(struct ockam_store *store, const char *node,
			       const struct ockam_credential_record *record, uint64_t now,
			       struct ockam_err *err);

/**
 * ockam_store_credential_get() - the credential that a node presents
 * @subject: whom it must be about; NULL: anybody, the one stored last
 *
 * It may have expired meanwhile. Return: 0 with @record filled, or -ENOENT.
 */
int ockam_store_credential_get(struct ockam_store *store, const char *node,
			       const uint8_t *subject, const uint8_t issuer[OCKAM_IDENTIFIER_LEN],
			       const char *scope, struct ockam_credential_record *record,
			       struct ockam_err *err);

/** ockam_store_credential_list() - all of a node, in order of storing; records_free() them */
int ockam_store_credential_list(struct ockam_store *store, const char *node,
				struct ockam_credential_record **records, size_t *count,
				struct ockam_err *err);

/** ockam_store_credential_delete() - forget one, whomever it is about; 0 or -ENOENT */
int ockam_store_credential_delete(struct ockam_store *store, const char *node,
				  const uint8_t issuer[OCKAM_IDENTIFIER_LEN], const char *scope,
				  struct ockam_err *err);

/* ---- attributes of peers ---- */

/* What a peer's valid credential says. Free with ockam_attributes_record_free(). */
struct ockam_attributes_record {
	uint8_t			subject[OCKAM_IDENTIFIER_LEN];	/* the peer */
	uint8_t			issuer[OCKAM_IDENTIFIER_LEN];	/* who attests them */
	uint64_t		added_at;	/* seconds since 1970 */
	uint64_t		expires_at;
	struct ockam_buf	attributes;	/* CBOR map bytes => bytes */
};

/** ockam_attributes_record_free() - free what @record holds and zero it */
void ockam_attributes_record_free(struct ockam_attributes_record *record);
/** ockam_attributes_records_free() - free an array made by ockam_store_attributes_list() */
void ockam_attributes_records_free(struct ockam_attributes_record *records, size_t count);

/**
 * ockam_store_attributes_put() - remember the attributes of a peer
 * @record: what to remember; whatever was known of the same peer is replaced,
 *	whoever had attested it
 *
 * Those that have expired at its added_at go, and above
 * OCKAM_STORE_ATTRIBUTES_MAX the one that expires first. What is known with the
 * same issuer, expiry and attributes stays as it is.
 *
 * Return: 0 or -ENOENT.
 */
int ockam_store_attributes_put(struct ockam_store *store, const char *node,
			       const struct ockam_attributes_record *record,
			       struct ockam_err *err);

/**
 * ockam_store_attributes_get() - the attributes of a peer that hold at @now
 * @issuer: who must have attested them; NULL: anybody
 *
 * Reads alone. Return: 0 or -ENOENT.
 */
int ockam_store_attributes_get(struct ockam_store *store, const char *node,
			       const uint8_t subject[OCKAM_IDENTIFIER_LEN],
			       const uint8_t *issuer, uint64_t now,
			       struct ockam_attributes_record *record, struct ockam_err *err);

/* ---- what a node learns ---- */

/*
 * One thing learnt: peer, in which share, or attributes of node. result, err: what
 * became of it: 0, -ESTALE and -ENOSPC as from ockam_store_peer_put(), -ENOENT.
 */
struct ockam_news {
	const struct ockam_identity		*peer;
	enum ockam_peer_share			share;
	const char				*node;
	const struct ockam_attributes_record	*attributes;
	int					result;
	struct ockam_err			err;
};

/**
 * ockam_store_learn() - remember many things in one transaction
 *
 * Return: 0, then each has its result; or why the database could not be written.
 */
int ockam_store_learn(struct ockam_store *store, struct ockam_news *news, size_t count,
		      struct ockam_err *err);

/** ockam_store_attributes_list() - all that hold at @now, oldest first; records_free() them */
int ockam_store_attributes_list(struct ockam_store *store, const char *node, uint64_t now,
				struct ockam_attributes_record **records, size_t *count,
				struct ockam_err *err);

/** ockam_store_attributes_delete() - forget those of one peer; 0 even when there are none */
int ockam_store_attributes_delete(struct ockam_store *store, const char *node,
				  const uint8_t subject[OCKAM_IDENTIFIER_LEN],
				  struct ockam_err *err);

#endif /* OCKAM_LIB_STORE_CREDENTIAL_H */
