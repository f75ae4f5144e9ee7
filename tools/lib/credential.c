// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "credential.h"
#include "signed.h"

/* Order of byte strings: plain lexicographic, a prefix comes first. */
static int ockam_credential_order(const struct ockam_piece *a, const struct ockam_piece *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->data, b->data, len) : 0;

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Insert in order; a name given twice counts with its last value. */
static int ockam_credential_insert(struct ockam_attribute *attributes, size_t *count,
				   const struct ockam_attribute *attribute)
{
	size_t at = 0;
	int order = -1;

	while (at < *count) {
		order = ockam_credential_order(&attribute->name, &attributes[at].name);
		if (order <= 0)
			break;
		at++;
	}
	if (at < *count && !order) {
		attributes[at].value = attribute->value;
		return 0;
	}
	if (*count == OCKAM_CREDENTIAL_ATTRIBUTES_MAX)
		return -E2BIG;
	memmove(&attributes[at + 1], &attributes[at], (*count - at) * sizeof(*attributes));
	attributes[at] = *attribute;
	(*count)++;
	return 0;
}

/* Bytes of a CBOR byte string, its header included. */
static size_t ockam_credential_string_len(const struct ockam_piece *piece)
{
	size_t header = piece->len < 24 ? 1 : piece->len <= UINT8_MAX ? 2 :
			piece->len <= UINT16_MAX ? 3 : 5;

	return header + piece->len;
}

/* Would the attributes as a CBOR map be more than a channel keeps? */
static bool ockam_credential_too_long(const struct ockam_attribute *attributes, size_t count)
{
	size_t len = count < 24 ? 1 : 2;

	for (size_t i = 0; i < count; i++)
		len += ockam_credential_string_len(&attributes[i].name) +
		       ockam_credential_string_len(&attributes[i].value);
	return len > OCKAM_CREDENTIAL_ATTRIBUTES_BYTES;
}

static int ockam_credential_too_many(struct ockam_err *err)
{
	return ockam_err_set(err, -E2BIG,
			     "a credential has at most %u attributes, of %u bytes together",
			     OCKAM_CREDENTIAL_ATTRIBUTES_MAX, OCKAM_CREDENTIAL_ATTRIBUTES_BYTES);
}

/* Attributes = [ schema, { * bytes => bytes } ] */
static int ockam_credential_read_attributes(struct ockam_reader *r, struct ockam_credential *c)
{
	struct ockam_reader_list list, map;
	struct ockam_attribute attribute;
	int more, ret;

	if (ockam_reader_array(r, &list) || ockam_reader_more(r, &list) <= 0 ||
	    ockam_reader_uint(r, UINT64_MAX, &c->schema) || ockam_reader_more(r, &list) <= 0 ||
	    ockam_reader_map(r, &map))
		return -EBADMSG;
	while ((more = ockam_reader_more(r, &map)) > 0) {
		if (ockam_reader_bytes(r, &attribute.name) ||
		    ockam_reader_bytes(r, &attribute.value))
			return -EBADMSG;
		ret = ockam_credential_insert(c->attributes, &c->n_attributes, &attribute);
		if (ret)
			return ret;
	}
	if (!more && ockam_credential_too_long(c->attributes, c->n_attributes))
		return -E2BIG;
	return more < 0 ? more : ockam_reader_close(r, &list, 1);
}

/* CredentialData */
static int ockam_credential_read_data(struct ockam_credential *c)
{
	uint8_t change[OCKAM_HASH_LEN];
	struct ockam_reader_list list;
	struct ockam_piece inner;
	struct ockam_reader r;
	int ret;

	if (ockam_signed_open(&c->data, OCKAM_SIGNED_CREDENTIAL, &inner))
		return -EBADMSG;
	ockam_reader_init(&r, inner.data, inner.len);
	if (ockam_reader_array(&r, &list) || ockam_reader_more(&r, &list) <= 0)
		return -EBADMSG;
	c->has_subject = !ockam_reader_null(&r);
	if (c->has_subject && ockam_reader_fixed(&r, c->subject, OCKAM_IDENTIFIER_LEN))
		return -EBADMSG;
	if (ockam_reader_more(&r, &list) <= 0)
		return -EBADMSG;
	/* The subject's latest change is carried but not checked (7.5). */
	if (!ockam_reader_null(&r) && ockam_reader_fixed(&r, change, sizeof(change)))
		return -EBADMSG;
	if (ockam_reader_more(&r, &list) <= 0)
		return -EBADMSG;
	ret = ockam_credential_read_attributes(&r, c);
	if (ret)
		return ret;
	if (ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT64_MAX, &c->created_at) ||
	    ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT64_MAX, &c->expires_at) ||
	    ockam_reader_close(&r, &list, 1))
		return -EBADMSG;
	return 0;
}

int ockam_credential_decode(struct ockam_reader *r, struct ockam_credential *c,
			    struct ockam_err *err)
{
	const uint8_t *start = r->pos;
	struct ockam_reader_list list;
	int ret;

	memset(c, 0, sizeof(*c));
	if (ockam_reader_array(r, &list) || ockam_reader_more(r, &list) <= 0 ||
	    ockam_signed_read_pair(r, &c->data, &c->signature))
		return ockam_err_set(err, -EBADMSG, "this is no credential: it does not decode");
	ret = ockam_credential_read_data(c);
	if (ret == -E2BIG)
		return ockam_credential_too_many(err);
	if (ret || ockam_reader_more(r, &list) <= 0)
		return ockam_err_set(err, -EBADMSG, "this is no credential: it does not decode");
	ret = ockam_attestation_decode(r, &c->issuer, err);
	if (ret)
		return ret;
	if (ockam_reader_close(r, &list, 1))
		return ockam_err_set(err, -EBADMSG, "the credential ends too early");
	c->bytes.data = start;
	c->bytes.len = (size_t)(r->pos - start);
	return 0;
}

static const struct ockam_identity *
ockam_credential_find_issuer(const struct ockam_credential *c,
			     struct ockam_identity *const *authorities, size_t n_authorities)
{
	for (size_t i = 0; i < n_authorities; i++)
		if (authorities[i] &&
		    !memcmp(authorities[i]->identifier, c->issuer.subject, OCKAM_IDENTIFIER_LEN))
			return authorities[i];
	return NULL;
}

static int ockam_credential_check_times(const struct ockam_credential *c, uint64_t now,
					struct ockam_err *err)
{
	if (c->created_at < c->issuer.created_at || c->expires_at > c->issuer.expires_at)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the credential reaches beyond the validity of the key that signed it");
	if (c->created_at > now && c->created_at - now > OCKAM_CLOCK_SKEW)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the credential was made in the future: compare the clocks of both machines");
	if (c->expires_at < now)
		return ockam_err_set(err, -EKEYEXPIRED, "the credential has expired");
	return 0;
}

int ockam_credential_verify(const struct ockam_credential *c, const uint8_t *subject,
			    struct ockam_identity *const *authorities, size_t n_authorities,
			    uint64_t now, struct ockam_err *err)
{
	return ockam_credential_verify_once(c, subject, authorities, n_authorities, now, NULL,
					    err);
}

int ockam_credential_verify_once(const struct ockam_credential *c, const uint8_t *subject,
				 struct ockam_identity *const *authorities, size_t n_authorities,
				 uint64_t now, struct ockam_verified *verified,
				 struct ockam_err *err)
{
	const struct ockam_identity *issuer;
	char text[OCKAM_IDENTIFIER_TEXT];
	int ret;

	issuer = ockam_credential_find_issuer(c, authorities, n_authorities);
	if (!issuer) {
		ockam_identifier_format(c->issuer.subject, text);
		return ockam_err_set(err, -EKEYREJECTED,
				     "the credential was issued by %s, which is no accepted authority",
				     text);
	}
	ret = ockam_attestation_verify_once(&c->issuer, issuer, now, verified, err);
	if (ret) {
		ockam_err_prefix(err, "the credential's issuer");
		return ret;
	}
	if (c->issuer.purpose != OCKAM_PURPOSE_CREDENTIAL)
		return ockam_err_set(err, -EKEYREJECTED,
				     "the credential is signed by a key that is not for credentials");
	ret = ockam_verified_check(verified, &c->issuer.signing_key, c->data.data, c->data.len,
				   &c->signature);
	if (ret)
		return ockam_err_set(err, ret, "the credential's signature does not verify");
	if (!c->has_subject)
		return ockam_err_set(err, -EKEYREJECTED, "the credential names no subject");
	if (subject && memcmp(subject, c->subject, OCKAM_IDENTIFIER_LEN))
		return ockam_err_set(err, -EKEYREJECTED, "the credential is about another identity");
	return ockam_credential_check_times(c, now, err);
}

static void ockam_credential_put_data(struct ockam_buf *out, const uint8_t *subject,
				      const uint8_t *latest_change,
				      const struct ockam_attribute *attributes, size_t count,
				      uint64_t now, uint64_t until)
{
	ockam_buf_put_array(out, 5);
	ockam_buf_put_bytes(out, subject, OCKAM_IDENTIFIER_LEN);
	if (latest_change)
		ockam_buf_put_bytes(out, latest_change, OCKAM_HASH_LEN);
	else
		ockam_buf_put_null(out);
	ockam_buf_put_array(out, 2);
	ockam_buf_put_uint(out, OCKAM_CREDENTIAL_SCHEMA);
	ockam_buf_put_map(out, count);
	for (size_t i = 0; i < count; i++) {
		ockam_buf_put_bytes(out, attributes[i].name.data, attributes[i].name.len);
		ockam_buf_put_bytes(out, attributes[i].value.data, attributes[i].value.len);
	}
	ockam_buf_put_uint(out, now);
	ockam_buf_put_uint(out, until);
}

/* What the issuer's attestation allows; @attested receives its verbatim bytes. */
static int ockam_credential_check_issuer(const uint8_t *attestation, size_t len,
					 const uint8_t seed[32], uint64_t now, uint64_t ttl,
					 struct ockam_piece *attested, struct ockam_err *err)
{
	struct ockam_public_key public;
	struct ockam_attestation a;
	struct ockam_reader r;
	int ret;

	ockam_reader_init(&r, attestation, len);
	ret = ockam_attestation_decode(&r, &a, err);
	if (ret)
		return ret;
	attested->data = attestation;
	attested->len = (size_t)(r.pos - attestation);
	if (ockam_crypto_ed25519_public(seed, &public))
		return ockam_err_set(err, -EIO, "libcrypto failed to read a key");
	if (a.purpose != OCKAM_PURPOSE_CREDENTIAL ||
	    !ockam_signed_equal_key(&public, &a.signing_key))
		return ockam_err_set(err, -EKEYREJECTED,
				     "the secret is not the attested credential-signing key");
	if (now < a.created_at || now > a.expires_at || ttl > a.expires_at - now)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the credential would outlive the key that signs it: choose a shorter --ttl");
	return 0;
}

int ockam_credential_issue(const uint8_t *attestation, size_t attestation_len,
			   const uint8_t seed[32], const uint8_t subject[OCKAM_IDENTIFIER_LEN],
			   const uint8_t *latest_change, const struct ockam_attribute *attributes,
			   size_t n_attributes, uint64_t now, uint64_t ttl,
			   struct ockam_buf *out, struct ockam_err *err)
{
	struct ockam_attribute sorted[OCKAM_CREDENTIAL_ATTRIBUTES_MAX];
	struct ockam_signature signature;
	struct ockam_buf data = { 0 };
	struct ockam_buf wrap = { 0 };
	struct ockam_piece attested;
	size_t count = 0;
	int ret;

	ret = ockam_credential_check_issuer(attestation, attestation_len, seed, now, ttl,
					    &attested, err);
	if (ret)
		return ret;
	for (size_t i = 0; i < n_attributes; i++) {
		if (!attributes[i].name.len)
			return ockam_err_set(err, -EINVAL, "an attribute has an empty name");
		if (ockam_credential_insert(sorted, &count, &attributes[i]))
			return ockam_credential_too_many(err);
	}
	if (ockam_credential_too_long(sorted, count))
		return ockam_credential_too_many(err);
	ockam_credential_put_data(&data, subject, latest_change, sorted, count, now, now + ttl);
	ockam_signed_wrap(OCKAM_SIGNED_CREDENTIAL, &data, &wrap);
	if (wrap.failed) {
		ret = ockam_err_set(err, -ENOMEM, "no memory for a credential");
		goto out;
	}
	ret = ockam_crypto_sign(OCKAM_KEY_ED25519, seed, wrap.data, wrap.len, &signature);
	if (ret) {
		ockam_err_set(err, ret, "libcrypto failed to sign a credential");
		goto out;
	}
	ockam_buf_put_array(out, 2);
	ockam_signed_put_pair(out, &wrap, &signature);
	ockam_buf_put(out, attested.data, attested.len);
	if (out->failed)
		ret = ockam_err_set(err, -ENOMEM, "no memory for a credential");
out:
	ockam_buf_free(&wrap);
	ockam_buf_free(&data);
	return ret;
}
