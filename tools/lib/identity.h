/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities: signed change histories (wire-protocol 7.2, 7.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_IDENTITY_H
#define OCKAM_LIB_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "crypto.h"
#include "err.h"

#ifndef OCKAM_IDENTIFIER_LEN
#define OCKAM_IDENTIFIER_LEN	32	/* bytes; the same as in linux/ockam.h */
#endif
#define OCKAM_IDENTIFIER_TEXT	66	/* "I", 64 digits, zero byte */
#define OCKAM_CHANGES_MAX	256	/* changes of one history (Ockam has no limit) */
#define OCKAM_HISTORY_MAX	65535	/* bytes of one history: a handshake message */
#define OCKAM_HISTORY_GROW_MAX	24576	/* bytes of a history made here: fits our handshakes */
#define OCKAM_IDENTITY_LIFE	(10ULL * 365 * 86400)	/* seconds */
#define OCKAM_CLOCK_SKEW	60	/* seconds that "created" may lie ahead of now */

/* One decoded and verified change. */
struct ockam_change {
	uint8_t			hash[OCKAM_HASH_LEN];
	struct ockam_public_key	key;
	bool			revoke_all_purpose_keys;
	uint64_t		valid_from;	/* seconds since 1970 */
	uint64_t		valid_until;
};

/*
 * A verified identity: ockam_identity_load() aside, there is no way to make one
 * of these from a history that does not verify. Immutable. Free with
 * ockam_identity_free().
 */
struct ockam_identity {
	uint8_t			identifier[OCKAM_IDENTIFIER_LEN];
	uint8_t			*history;	/* the CBOR, verbatim */
	size_t			history_len;	/* bytes */
	struct ockam_change	*changes;
	size_t			n_changes;	/* at least 1 */
};

/* How a received history relates to the one that was known. */
enum ockam_history_order {
	OCKAM_HISTORY_EQUAL,
	OCKAM_HISTORY_NEWER,	/* received continues known: replace it */
	OCKAM_HISTORY_OLDER,	/* received is a beginning of known: refuse */
	OCKAM_HISTORY_CONFLICT,	/* they part somewhere: refuse */
};

/**
 * ockam_identity_decode() - import: decode and verify a change history
 * @bytes: CBOR; bytes behind the first item are ignored
 * @len: length of @bytes
 * @identity: receives a new identity
 * @err: the reason, naming the change
 *
 * Return: 0; -EBADMSG when it does not decode; -EKEYREJECTED when it decodes
 * but breaks a rule of section 7.3; -E2BIG above the limits; -ENOMEM; -EIO.
 */
int ockam_identity_decode(const uint8_t *bytes, size_t len, struct ockam_identity **identity,
			  struct ockam_err *err);

/**
 * ockam_identity_parse() - import from text
 * @hex: a change history in hexadecimal, blanks around it allowed
 *
 * Return: as ockam_identity_decode(); -EINVAL for what is no hexadecimal text.
 */
int ockam_identity_parse(const char *hex, struct ockam_identity **identity,
			 struct ockam_err *err);

/**
 * ockam_identity_load() - decode a change history that has verified before
 *
 * Everything but the signatures is checked again. For what was stored as
 * verified, and for a look at what is not yet; parameters and errors as above.
 */
int ockam_identity_load(const uint8_t *bytes, size_t len, struct ockam_identity **identity,
			struct ockam_err *err);

/*
 * A clock that says an earlier time is wrong: this software was not there then. The
 * build may give its own date.
 */
#ifndef OCKAM_CLOCK_FLOOR
#define OCKAM_CLOCK_FLOOR	1764547200ULL	/* seconds since 1970 */
#endif

/**
 * ockam_identity_create() - new identity with one change
 * @kind: of its key
 * @secret: the key, from ockam_crypto_new_secret()
 * @now: seconds since 1970; valid for ten years from then
 * @identity: receives it
 * @err: the reason
 *
 * Return: 0; -EKEYREJECTED when @secret is no key of that kind; -ENOMEM; -EIO.
 */
int ockam_identity_create(enum ockam_key_kind kind, const uint8_t secret[OCKAM_SECRET_LEN],
			  uint64_t now, struct ockam_identity **identity, struct ockam_err *err);

/**
 * ockam_identity_rotate() - the same identity with one more change
 * @old: identity to continue; stays as it is
 * @old_secret: secret of its latest key
 * @kind: of the key that follows
 * @new_secret: secret of it
 * @now: seconds since 1970; not before the latest change
 * @identity: receives the longer one
 * @err: the reason
 *
 * Return: 0; -EKEYREJECTED when @old_secret is not the latest key; -EINVAL when
 * @now lies before the latest change; -E2BIG when the history would be longer
 * than OCKAM_HISTORY_GROW_MAX; -ENOMEM; -EIO.
 */
int ockam_identity_rotate(const struct ockam_identity *old,
			  const uint8_t old_secret[OCKAM_SECRET_LEN], enum ockam_key_kind kind,
			  const uint8_t new_secret[OCKAM_SECRET_LEN], uint64_t now,
			  struct ockam_identity **identity, struct ockam_err *err);

/** ockam_identity_free() - free; NULL is allowed */
void ockam_identity_free(struct ockam_identity *identity);

/** ockam_identity_latest() - the change whose key is the identity's key */
const struct ockam_change *ockam_identity_latest(const struct ockam_identity *identity);

/** ockam_identity_compare() - order of @received as seen from @known */
enum ockam_history_order ockam_identity_compare(const struct ockam_identity *known,
						const struct ockam_identity *received);

/**
 * ockam_identity_check_strict() - rules about times that Ockam itself does not have
 * @identity: verified identity
 * @now: seconds since 1970
 * @err: the reason, naming the change
 *
 * Return: 0; -EKEYREJECTED when a change ends before it begins or was made when
 * the key before it had expired; -EKEYEXPIRED when the latest change has
 * expired or begins more than OCKAM_CLOCK_SKEW after @now.
 */
int ockam_identity_check_strict(const struct ockam_identity *identity, uint64_t now,
				struct ockam_err *err);

/** ockam_identifier_format() - "I" and 64 lower-case digits */
void ockam_identifier_format(const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			     char text[OCKAM_IDENTIFIER_TEXT]);

/**
 * ockam_identifier_parse() - the reverse
 *
 * Blanks around it and digits of either case are accepted.
 *
 * Return: 0 or -EINVAL with a sentence that says what is wrong.
 */
int ockam_identifier_parse(const char *text, uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			   struct ockam_err *err);

#endif /* OCKAM_LIB_IDENTITY_H */
