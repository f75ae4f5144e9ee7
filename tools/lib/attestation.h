/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Purpose-key attestations: the identity key says which key seals channels
 * and which key signs credentials (wire-protocol 7.4).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_ATTESTATION_H
#define OCKAM_LIB_ATTESTATION_H

#include "identity.h"
#include "reader.h"
#include "verified.h"

#define OCKAM_ATTESTATION_LIFE	(5ULL * 365 * 86400)	/* seconds */

/* Numbers are the variants of PurposePublicKey. */
enum ockam_purpose {
	OCKAM_PURPOSE_CHANNEL		= 0,	/* SecureChannelStatic, X25519 */
	OCKAM_PURPOSE_CREDENTIAL	= 1,	/* CredentialSigning */
};

/*
 * A decoded attestation; not necessarily a verified one. data points into the
 * bytes that were decoded and lives as long as they do.
 */
struct ockam_attestation {
	struct ockam_piece	data;		/* what is signed */
	struct ockam_signature	signature;
	uint8_t			subject[OCKAM_IDENTIFIER_LEN];
	uint8_t			latest_change[OCKAM_HASH_LEN];
	enum ockam_purpose	purpose;
	uint8_t			channel_key[OCKAM_X25519_LEN];	/* PURPOSE_CHANNEL */
	struct ockam_public_key	signing_key;			/* PURPOSE_CREDENTIAL */
	uint64_t		created_at;
	uint64_t		expires_at;
};

/**
 * ockam_attestation_create() - attest a purpose key
 * @subject: identity that attests
 * @secret: secret of its latest key
 * @purpose: what the key is for
 * @key: public key: X25519 for channels, Ed25519 for credentials, 32 bytes
 * @now: seconds since 1970
 * @out: CBOR is appended
 * @err: the reason
 *
 * Lives five years, less when the identity's own validity ends before.
 *
 * Return: 0; -EKEYREJECTED when @secret is not the latest key; -EKEYEXPIRED when
 * @now is outside the latest change's validity; -ENOMEM; -EIO.
 */
int ockam_attestation_create(const struct ockam_identity *subject,
			     const uint8_t secret[OCKAM_SECRET_LEN], enum ockam_purpose purpose,
			     const uint8_t key[32], uint64_t now, struct ockam_buf *out,
			     struct ockam_err *err);

/**
 * ockam_attestation_decode() - decode one attestation
 * @r: position; moves behind the item
 * @attestation: receives the fields
 * @err: the reason
 *
 * Return: 0; -EBADMSG when it does not decode or is of another version or type.
 */
int ockam_attestation_decode(struct ockam_reader *r, struct ockam_attestation *attestation,
			     struct ockam_err *err);

/**
 * ockam_attestation_verify() - all checks of section 7.4
 * @attestation: decoded attestation
 * @subject: verified identity whose key must have signed it
 * @now: seconds since 1970
 * @err: the reason
 *
 * Return: 0; -EKEYREJECTED for a wrong subject, change or signature;
 * -EKEYEXPIRED when a time does not hold; -EIO.
 */
int ockam_attestation_verify(const struct ockam_attestation *attestation,
			     const struct ockam_identity *subject, uint64_t now,
			     struct ockam_err *err);

/** ockam_attestation_verify_once() - the same, with signatures that have verified before */
int ockam_attestation_verify_once(const struct ockam_attestation *attestation,
				  const struct ockam_identity *subject, uint64_t now,
				  struct ockam_verified *verified, struct ockam_err *err);

#endif /* OCKAM_LIB_ATTESTATION_H */
