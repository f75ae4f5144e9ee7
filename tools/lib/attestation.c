// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "attestation.h"
#include "signed.h"

static int ockam_attestation_check_secret(const struct ockam_identity *subject,
					  const uint8_t secret[OCKAM_SECRET_LEN],
					  struct ockam_err *err)
{
	const struct ockam_public_key *latest = &ockam_identity_latest(subject)->key;
	struct ockam_public_key public;
	int ret;

	ret = ockam_crypto_signing_public(latest->kind, secret, &public);
	if (ret == -EIO)
		return ockam_err_set(err, ret, "libcrypto failed to read a key");
	if (ret || !ockam_signed_equal_key(&public, latest))
		return ockam_err_set(err, -EKEYREJECTED,
				     "the given secret is not the identity's latest key");
	return 0;
}

/* PurposePublicKey */
static void ockam_attestation_put_key(struct ockam_buf *out, enum ockam_purpose purpose,
				      const uint8_t key[32])
{
	struct ockam_public_key public = {
		.kind = OCKAM_KEY_ED25519, .len = OCKAM_ED25519_LEN,
	};

	ockam_buf_put_array(out, 2);
	ockam_buf_put_uint(out, purpose);
	ockam_buf_put_array(out, 1);
	if (purpose == OCKAM_PURPOSE_CHANNEL) {
		ockam_buf_put_bytes(out, key, 32);
		return;
	}
	memcpy(public.bytes, key, OCKAM_ED25519_LEN);
	ockam_signed_put_key(out, &public);
}

int ockam_attestation_create(const struct ockam_identity *subject,
			     const uint8_t secret[OCKAM_SECRET_LEN], enum ockam_purpose purpose,
			     const uint8_t key[32], uint64_t now,
			     struct ockam_buf *out, struct ockam_err *err)
{
	const struct ockam_change *latest = ockam_identity_latest(subject);
	uint64_t until = now + OCKAM_ATTESTATION_LIFE;
	struct ockam_signature signature;
	struct ockam_buf data = { 0 };
	struct ockam_buf wrap = { 0 };
	int ret;

	ret = ockam_attestation_check_secret(subject, secret, err);
	if (ret)
		return ret;
	if (now < latest->valid_from || now > latest->valid_until)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the identity is not valid at this time: set the clock or rotate its key");
	if (until > latest->valid_until)
		until = latest->valid_until;
	ockam_buf_put_array(&data, 5);
	ockam_buf_put_bytes(&data, subject->identifier, OCKAM_IDENTIFIER_LEN);
	ockam_buf_put_bytes(&data, latest->hash, OCKAM_HASH_LEN);
	ockam_attestation_put_key(&data, purpose, key);
	ockam_buf_put_uint(&data, now);
	ockam_buf_put_uint(&data, until);
	ockam_signed_wrap(OCKAM_SIGNED_ATTESTATION, &data, &wrap);
	if (wrap.failed) {
		ret = ockam_err_set(err, -ENOMEM, "no memory for an attestation");
		goto out;
	}
	ret = ockam_crypto_sign(latest->key.kind, secret, wrap.data, wrap.len, &signature);
	if (ret) {
		ockam_err_set(err, ret, "libcrypto failed to sign an attestation");
		goto out;
	}
	ockam_signed_put_pair(out, &wrap, &signature);
	if (out->failed)
		ret = ockam_err_set(err, -ENOMEM, "no memory for an attestation");
out:
	ockam_buf_free(&wrap);
	ockam_buf_free(&data);
	return ret;
}

static int ockam_attestation_read_key(struct ockam_reader *r, struct ockam_attestation *a)
{
	struct ockam_reader_list fields;
	uint64_t purpose;
	int ret;

	if (ockam_reader_variant(r, &purpose, &fields) || purpose > OCKAM_PURPOSE_CREDENTIAL ||
	    ockam_reader_more(r, &fields) <= 0)
		return -EBADMSG;
	a->purpose = (enum ockam_purpose)purpose;
	if (a->purpose == OCKAM_PURPOSE_CHANNEL)
		ret = ockam_reader_fixed(r, a->channel_key, OCKAM_X25519_LEN);
	else
		ret = ockam_signed_read_key(r, &a->signing_key);
	return ret ? ret : ockam_reader_close(r, &fields, 1);
}

static int ockam_attestation_read_data(struct ockam_attestation *a)
{
	struct ockam_reader_list list;
	struct ockam_piece inner;
	struct ockam_reader r;

	if (ockam_signed_open(&a->data, OCKAM_SIGNED_ATTESTATION, &inner))
		return -EBADMSG;
	ockam_reader_init(&r, inner.data, inner.len);
	if (ockam_reader_array(&r, &list) || ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_fixed(&r, a->subject, OCKAM_IDENTIFIER_LEN) ||
	    ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_fixed(&r, a->latest_change, OCKAM_HASH_LEN) ||
	    ockam_reader_more(&r, &list) <= 0 || ockam_attestation_read_key(&r, a) ||
	    ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT64_MAX, &a->created_at) ||
	    ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT64_MAX, &a->expires_at) ||
	    ockam_reader_close(&r, &list, 1))
		return -EBADMSG;
	return 0;
}

int ockam_attestation_decode(struct ockam_reader *r, struct ockam_attestation *attestation,
			     struct ockam_err *err)
{
	memset(attestation, 0, sizeof(*attestation));
	if (ockam_signed_read_pair(r, &attestation->data, &attestation->signature) ||
	    ockam_attestation_read_data(attestation))
		return ockam_err_set(err, -EBADMSG, "the purpose-key attestation does not decode");
	return 0;
}

int ockam_attestation_verify(const struct ockam_attestation *a,
			     const struct ockam_identity *subject, uint64_t now,
			     struct ockam_err *err)
{
	return ockam_attestation_verify_once(a, subject, now, NULL, err);
}

int ockam_attestation_verify_once(const struct ockam_attestation *a,
				  const struct ockam_identity *subject, uint64_t now,
				  struct ockam_verified *verified, struct ockam_err *err)
{
	const struct ockam_change *latest = ockam_identity_latest(subject);
	int ret;

	if (memcmp(a->subject, subject->identifier, OCKAM_IDENTIFIER_LEN))
		return ockam_err_set(err, -EKEYREJECTED,
				     "the attestation is about another identity");
	if (memcmp(a->latest_change, latest->hash, OCKAM_HASH_LEN))
		return ockam_err_set(err, -EKEYREJECTED,
				     "the attestation was not made after the identity's latest change");
	if (a->created_at < latest->valid_from || a->expires_at > latest->valid_until)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the attestation reaches beyond the identity's own validity");
	if (a->created_at > now && a->created_at - now > OCKAM_CLOCK_SKEW)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the attestation was made in the future: compare the clocks of both machines");
	if (a->expires_at < now)
		return ockam_err_set(err, -EKEYEXPIRED, "the attestation has expired");
	ret = ockam_verified_check(verified, &latest->key, a->data.data, a->data.len,
				   &a->signature);
	if (ret)
		return ockam_err_set(err, ret, "the attestation's signature does not verify");
	return 0;
}
