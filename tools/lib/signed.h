/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building blocks that changes, attestations and credentials share
 * (wire-protocol 7.1). Used inside libockam only.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_SIGNED_H
#define OCKAM_LIB_SIGNED_H

#include "buf.h"
#include "crypto.h"
#include "reader.h"

/* data_type of VersionedData */
enum ockam_signed_type {
	OCKAM_SIGNED_CHANGE		= 1,
	OCKAM_SIGNED_ATTESTATION	= 2,
	OCKAM_SIGNED_CREDENTIAL		= 3,
};

/** ockam_signed_open() - VersionedData of version 1 and @type; @inner is its data */
int ockam_signed_open(const struct ockam_piece *data, enum ockam_signed_type type,
		      struct ockam_piece *inner);

/** ockam_signed_wrap() - append VersionedData around @inner */
void ockam_signed_wrap(enum ockam_signed_type type, const struct ockam_buf *inner,
		       struct ockam_buf *out);

/** ockam_signed_read_pair() - [ data: bytes, signature ] and whatever follows */
int ockam_signed_read_pair(struct ockam_reader *r, struct ockam_piece *data,
			   struct ockam_signature *signature);

/** ockam_signed_put_pair() - the reverse */
void ockam_signed_put_pair(struct ockam_buf *out, const struct ockam_buf *data,
			   const struct ockam_signature *signature);

/* PublicKey and Signature; each 0 or -EBADMSG. */
int ockam_signed_read_key(struct ockam_reader *r, struct ockam_public_key *key);
int ockam_signed_read_signature(struct ockam_reader *r, struct ockam_signature *signature);
void ockam_signed_put_key(struct ockam_buf *out, const struct ockam_public_key *key);
void ockam_signed_put_signature(struct ockam_buf *out, const struct ockam_signature *signature);

/** ockam_signed_equal_key() - same kind and bytes */
bool ockam_signed_equal_key(const struct ockam_public_key *a, const struct ockam_public_key *b);

#endif /* OCKAM_LIB_SIGNED_H */
