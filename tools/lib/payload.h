/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the second and third handshake message carry, and every check of it
 * (wire-protocol 5.3, 5.5); and the body of RefreshCredentials (6.1, 6.6).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_PAYLOAD_H
#define OCKAM_LIB_PAYLOAD_H

#include "credential.h"
#include "trust.h"

#define OCKAM_PAYLOAD_CREDENTIALS_MAX	8	/* credentials looked at in one payload */

struct ockam_peer;

/*
 * What the verifier is told. All pointers are borrowed for the call.
 * known: looks up the history stored for an identifier. Sets *history and
 *	*len (bytes that stay valid for the call) and returns 1, returns 0 when
 *	there is none, or a negative errno, which ends the verification. NULL: nothing is known.
 * strict: ockam_identity_check_strict() too, and no attestation or credential
 *	that expires before it was made; Rust nodes take all that.
 * verified: told of each credential that verifies, the credential's fields of
 *	the peer being those of this one. NULL: not wanted.
 */
struct ockam_payload_rules {
	const struct ockam_trust	*trust;		/* NULL: everyone */
	struct ockam_identity *const	*authorities;	/* none: credentials are not looked at */
	size_t				n_authorities;
	uint64_t			now;		/* seconds since 1970 */
	bool				strict;
	int (*known)(void *arg, const uint8_t id[OCKAM_IDENTIFIER_LEN],
		     const uint8_t **history, size_t *len);
	struct ockam_verified		*signatures;	/* that have verified; NULL: none */
	void (*verified)(void *arg, const struct ockam_peer *peer);
	void				*arg;
};

/* How a peer that passed is told apart. Free with ockam_peer_free(). */
struct ockam_peer {
	struct ockam_identity	*identity;
	bool			is_new;		/* nothing was known: store it */
	bool			is_newer;	/* longer than known: store it */
	bool			has_credential;	/* a credential verified */
	uint8_t			issuer[OCKAM_IDENTIFIER_LEN];
	uint64_t		expires_at;	/* of that credential */
	struct ockam_buf	attributes;	/* CBOR map bytes => bytes of it */
	struct ockam_err	credential_err;	/* why the last bad one was not used */
};

/**
 * ockam_payload_build() - IdentityAndCredentials
 * @identity: own identity
 * @attestation: CBOR of the attestation of the channel key
 * @attestation_len: its length in bytes
 * @credentials: CBOR of each CredentialAndPurposeKey, may be NULL for none
 * @n_credentials: how many
 * @out: CBOR is appended
 * @err: the reason
 *
 * Return: 0 or -ENOMEM.
 */
int ockam_payload_build(const struct ockam_identity *identity, const uint8_t *attestation,
			size_t attestation_len, const struct ockam_piece *credentials,
			size_t n_credentials, struct ockam_buf *out, struct ockam_err *err);

/**
 * ockam_payload_verify() - every check of section 5.5, in its order
 * @bytes: the payload
 * @len: its length in bytes
 * @noise_static: static key that the handshake revealed, 32 bytes
 * @rules: what to check against
 * @peer: receives the peer; set on success only
 * @err: the reason
 *
 * Return: 0; -EBADMSG when it does not decode; -ESTALE for a history that is
 * older than or conflicts with the known one; -EKEYREJECTED, -EKEYEXPIRED for
 * identity or attestation; -EACCES when trust says no; -E2BIG, -ENOMEM, -EIO.
 * A bad credential is no error, unless trust wants a good one.
 */
int ockam_payload_verify(const uint8_t *bytes, size_t len, const uint8_t noise_static[32],
			 const struct ockam_payload_rules *rules, struct ockam_peer *peer,
			 struct ockam_err *err);

/**
 * ockam_refresh_build() - body of RefreshCredentials, [history, [*credential]]
 *
 * Parameters as in ockam_payload_build(). With no credentials this is what an
 * accepting responder sends first. Return: 0 or -ENOMEM.
 */
int ockam_refresh_build(const struct ockam_identity *identity,
			const struct ockam_piece *credentials, size_t n_credentials,
			struct ockam_buf *out, struct ockam_err *err);

/**
 * ockam_refresh_verify() - checks of section 6.6
 * @bytes: the body
 * @len: its length in bytes
 * @expected: the channel's peer, 32 bytes
 * @rules: trust is not looked at
 * @peer: receives the peer
 * @err: the reason
 *
 * Return: as ockam_payload_verify(); -EKEYREJECTED for another identity.
 */
int ockam_refresh_verify(const uint8_t *bytes, size_t len,
			 const uint8_t expected[OCKAM_IDENTIFIER_LEN],
			 const struct ockam_payload_rules *rules, struct ockam_peer *peer,
			 struct ockam_err *err);

/** ockam_peer_subject() - the peer as trust rules see it; borrows from @peer */
void ockam_peer_subject(const struct ockam_peer *peer, struct ockam_subject *subject);

/** ockam_peer_free() - free what @peer holds and reset it */
void ockam_peer_free(struct ockam_peer *peer);

#endif /* OCKAM_LIB_PAYLOAD_H */
