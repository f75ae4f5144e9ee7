/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: attributes of an identity, signed by an authority
 * (wire-protocol 7.5).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_CREDENTIAL_H
#define OCKAM_LIB_CREDENTIAL_H

#include "attestation.h"

#define OCKAM_CREDENTIAL_ATTRIBUTES_MAX	64	/* attributes of one credential */
#define OCKAM_CREDENTIAL_ATTRIBUTES_BYTES 4096	/* of them all, a CBOR map; as in a channel */
#define OCKAM_CREDENTIAL_MAX		16384	/* bytes of one that is stored */
#define OCKAM_CREDENTIAL_SCHEMA		1	/* project member */

/* One attribute; points into the decoded bytes. */
struct ockam_attribute {
	struct ockam_piece	name;
	struct ockam_piece	value;
};

/*
 * A decoded credential with its issuer's attestation. Pieces point into the
 * bytes that were decoded. has_subject is false for a null subject, which
 * never verifies. Attributes are in order of their names, each name once.
 */
struct ockam_credential {
	struct ockam_piece		data;	/* what is signed */
	struct ockam_signature		signature;
	bool				has_subject;
	uint8_t				subject[OCKAM_IDENTIFIER_LEN];
	uint64_t			schema;
	struct ockam_attribute		attributes[OCKAM_CREDENTIAL_ATTRIBUTES_MAX];
	size_t				n_attributes;
	uint64_t			created_at;
	uint64_t			expires_at;
	struct ockam_attestation	issuer;	/* issuer.subject is the issuer */
	struct ockam_piece		bytes;	/* the whole CredentialAndPurposeKey */
};

/**
 * ockam_credential_decode() - decode one CredentialAndPurposeKey
 * @r: position; moves behind the item
 * @credential: receives the fields
 * @err: the reason
 *
 * Return: 0; -EBADMSG; -E2BIG above OCKAM_CREDENTIAL_ATTRIBUTES_MAX or
 * OCKAM_CREDENTIAL_ATTRIBUTES_BYTES.
 */
int ockam_credential_decode(struct ockam_reader *r, struct ockam_credential *credential,
			    struct ockam_err *err);

/**
 * ockam_credential_verify() - all checks of section 7.5
 * @credential: decoded credential
 * @subject: who must be its subject, 32 bytes; NULL accepts any
 * @authorities: identities whose credentials count; NULL ones are skipped
 * @n_authorities: how many
 * @now: seconds since 1970
 * @err: the reason
 *
 * Return: 0; -EKEYREJECTED for an unknown issuer, wrong subject, key kind or
 * signature; -EKEYEXPIRED when a time does not hold; -EIO.
 */
int ockam_credential_verify(const struct ockam_credential *credential, const uint8_t *subject,
			    struct ockam_identity *const *authorities, size_t n_authorities,
			    uint64_t now, struct ockam_err *err);

/** ockam_credential_verify_once() - the same, with signatures that have verified before */
int ockam_credential_verify_once(const struct ockam_credential *credential,
				 const uint8_t *subject,
				 struct ockam_identity *const *authorities, size_t n_authorities,
				 uint64_t now, struct ockam_verified *verified,
				 struct ockam_err *err);

/**
 * ockam_credential_issue() - sign a credential
 * @attestation: the issuer's attestation of its credential-signing key, CBOR
 * @attestation_len: its length
 * @seed: secret of that key, 32 bytes
 * @subject: who it is about, 32 bytes
 * @latest_change: hash of the subject's latest change if known, else NULL
 * @attributes: pairs, any order; a name given twice counts with its last value
 * @n_attributes: how many
 * @now: seconds since 1970
 * @ttl: seconds it lives
 * @out: CBOR of the CredentialAndPurposeKey is appended
 * @err: the reason
 *
 * Return: 0; -EKEYREJECTED when @seed does not fit @attestation; -EKEYEXPIRED
 * when the credential would outlive the attestation; -EINVAL; -E2BIG;
 * -ENOMEM; -EIO.
 */
int ockam_credential_issue(const uint8_t *attestation, size_t attestation_len,
			   const uint8_t seed[32], const uint8_t subject[OCKAM_IDENTIFIER_LEN],
			   const uint8_t *latest_change, const struct ockam_attribute *attributes,
			   size_t n_attributes, uint64_t now, uint64_t ttl,
			   struct ockam_buf *out, struct ockam_err *err);

#endif /* OCKAM_LIB_CREDENTIAL_H */
