// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "payload.h"

static void ockam_payload_put_credentials(const struct ockam_piece *credentials, size_t count,
					  struct ockam_buf *out)
{
	ockam_buf_put_array(out, count);
	for (size_t i = 0; i < count; i++)
		ockam_buf_put(out, credentials[i].data, credentials[i].len);
}

int ockam_payload_build(const struct ockam_identity *identity, const uint8_t *attestation,
			size_t attestation_len, const struct ockam_piece *credentials,
			size_t n_credentials, struct ockam_buf *out, struct ockam_err *err)
{
	ockam_buf_put_array(out, 3);
	ockam_buf_put(out, identity->history, identity->history_len);
	ockam_buf_put(out, attestation, attestation_len);
	ockam_payload_put_credentials(credentials, n_credentials, out);
	if (out->failed)
		return ockam_err_set(err, -ENOMEM, "no memory for a handshake message");
	return 0;
}

int ockam_refresh_build(const struct ockam_identity *identity,
			const struct ockam_piece *credentials, size_t n_credentials,
			struct ockam_buf *out, struct ockam_err *err)
{
	ockam_buf_put_array(out, 2);
	ockam_buf_put(out, identity->history, identity->history_len);
	ockam_payload_put_credentials(credentials, n_credentials, out);
	if (out->failed)
		return ockam_err_set(err, -ENOMEM, "no memory for a refresh of credentials");
	return 0;
}

/* The history, which verifies, continues the known one, @len @bytes. */
static int ockam_payload_check_known(const uint8_t *bytes, size_t len, struct ockam_peer *peer,
				     struct ockam_err *err)
{
	char text[OCKAM_IDENTIFIER_TEXT];
	struct ockam_identity *known;
	int ret;

	ret = ockam_identity_load(bytes, len, &known, err);
	if (ret) {
		ockam_err_prefix(err, "the history stored for the peer");
		return ret;
	}
	ockam_identifier_format(peer->identity->identifier, text);
	switch (ockam_identity_compare(known, peer->identity)) {
	case OCKAM_HISTORY_EQUAL:
		break;
	case OCKAM_HISTORY_NEWER:
		peer->is_newer = true;
		break;
	case OCKAM_HISTORY_OLDER:
		ret = ockam_err_set(err, -ESTALE,
				    "%s shows an older change history than it did before", text);
		break;
	case OCKAM_HISTORY_CONFLICT:
		ret = ockam_err_set(err, -ESTALE,
				    "%s shows a change history that conflicts with the known one",
				    text);
		break;
	}
	ockam_identity_free(known);
	return ret;
}

/* Check 1: the history verifies and continues what is known. */
static int ockam_payload_check_history(const struct ockam_piece *history,
				       const struct ockam_payload_rules *rules,
				       struct ockam_peer *peer, struct ockam_err *err)
{
	struct ockam_identity *shown;
	const uint8_t *bytes = NULL;
	size_t len = 0;
	int ret;

	/* Just to learn whom it claims to be about. */
	ret = ockam_identity_load(history->data, history->len, &shown, err);
	if (ret)
		return ret;
	ret = rules->known ? rules->known(rules->arg, shown->identifier, &bytes, &len) : 0;
	/* The usual case costs no signature: what was known verified then. */
	if (ret > 0 && len == shown->history_len && !memcmp(bytes, shown->history, len)) {
		peer->identity = shown;
		ret = 0;
	} else {
		ockam_identity_free(shown);
		if (ret < 0)
			return ockam_err_set(err, ret,
					     "the history known for the peer cannot be looked up");
		peer->is_new = !ret;
		ret = ockam_identity_decode(history->data, history->len, &peer->identity, err);
		if (!ret && !peer->is_new)
			ret = ockam_payload_check_known(bytes, len, peer, err);
	}
	if (!ret && rules->strict)
		ret = ockam_identity_check_strict(peer->identity, rules->now, err);
	return ret;
}

/* Check 2: the attestation is the peer's and covers the key that Noise revealed. */
static int ockam_payload_check_attestation(const struct ockam_attestation *attestation,
					   const uint8_t noise_static[32],
					   const struct ockam_payload_rules *rules,
					   const struct ockam_peer *peer, struct ockam_err *err)
{
	int ret = ockam_attestation_verify_once(attestation, peer->identity, rules->now,
						rules->signatures, err);

	if (ret)
		return ret;
	if (rules->strict && attestation->created_at > attestation->expires_at)
		return ockam_err_set(err, -EKEYREJECTED,
				     "the peer's attestation expires before it was made");
	if (attestation->purpose != OCKAM_PURPOSE_CHANNEL)
		return ockam_err_set(err, -EKEYREJECTED,
				     "the peer attests a key that is not for secure channels");
	if (!ockam_crypto_equal(attestation->channel_key, noise_static, 32))
		return ockam_err_set(err, -EKEYREJECTED,
				     "the peer attests another key than the one it used in the handshake");
	return 0;
}

/* A credential that verified: its attributes replace those of one before it. */
static void ockam_payload_take_credential(const struct ockam_credential *credential,
					  struct ockam_peer *peer)
{
	const struct ockam_attribute *attribute = credential->attributes;

	ockam_buf_free(&peer->attributes);
	ockam_buf_put_map(&peer->attributes, credential->n_attributes);
	for (size_t i = 0; i < credential->n_attributes; i++, attribute++) {
		ockam_buf_put_bytes(&peer->attributes, attribute->name.data, attribute->name.len);
		ockam_buf_put_bytes(&peer->attributes, attribute->value.data,
				    attribute->value.len);
	}
	memcpy(peer->issuer, credential->issuer.subject, OCKAM_IDENTIFIER_LEN);
	peer->expires_at = credential->expires_at;
	peer->has_credential = true;
}

static int ockam_payload_check_credential(const struct ockam_piece *item,
					  const struct ockam_payload_rules *rules,
					  struct ockam_peer *peer, struct ockam_err *err)
{
	const struct ockam_attestation *issuer;
	struct ockam_credential credential;
	struct ockam_reader one;
	int ret;

	ockam_reader_init(&one, item->data, item->len);
	issuer = &credential.issuer;
	ret = ockam_credential_decode(&one, &credential, err);
	if (!ret)
		ret = ockam_credential_verify_once(&credential, peer->identity->identifier,
						   rules->authorities, rules->n_authorities,
						   rules->now, rules->signatures, err);
	if (!ret && rules->strict && (credential.created_at > credential.expires_at ||
				      issuer->created_at > issuer->expires_at))
		ret = ockam_err_set(err, -EKEYREJECTED,
				    "the credential expires before it was made");
	if (!ret)
		ockam_payload_take_credential(&credential, peer);
	return ret;
}

/* Check 4: credentials only add; a bad one is remembered, not refused. */
static int ockam_payload_check_credentials(const struct ockam_piece *credentials,
					   const struct ockam_payload_rules *rules,
					   struct ockam_peer *peer, struct ockam_err *err)
{
	struct ockam_reader_list list;
	struct ockam_reader r;
	unsigned int count = 0;

	ockam_reader_init(&r, credentials->data, credentials->len);
	if (!rules->n_authorities || ockam_reader_array(&r, &list))
		return 0;
	while (ockam_reader_more(&r, &list) > 0 && count++ < OCKAM_PAYLOAD_CREDENTIALS_MAX) {
		struct ockam_piece item;

		if (ockam_reader_item(&r, &item))
			return 0;
		if (ockam_payload_check_credential(&item, rules, peer, &peer->credential_err))
			continue;
		if (peer->attributes.failed)
			return ockam_err_set(err, -ENOMEM, "no memory for the peer's attributes");
		if (rules->verified)
			rules->verified(rules->arg, peer);
	}
	return 0;
}

/* Check 3, the part that the protocol does not have: what the credentials say. */
static int ockam_payload_check_trust(const struct ockam_payload_rules *rules,
				     const struct ockam_peer *peer, struct ockam_err *err)
{
	struct ockam_subject subject;
	int ret;

	if (!rules->trust)
		return 0;
	ockam_peer_subject(peer, &subject);
	ret = ockam_trust_admits(rules->trust, &subject, err);
	if (ret && err && !peer->has_credential && peer->credential_err.code) {
		struct ockam_err why = peer->credential_err;

		ockam_err_prefix(&why, "%.400s", err->text);
		*err = why;
		err->code = ret;
	}
	return ret;
}

/*
 * The shape of a list of credentials is part of the message: a list that does
 * not decode as such spoils the message, credentials in it that do not
 * verify only themselves.
 */
static int ockam_payload_read_credentials(struct ockam_reader *r, struct ockam_piece *credentials,
					  struct ockam_err *err)
{
	struct ockam_credential credential;
	struct ockam_reader_list list;
	struct ockam_reader inside = *r;
	int more;

	if (ockam_reader_item(r, credentials) || ockam_reader_array(&inside, &list))
		return ockam_err_set(err, -EBADMSG, "the peer's credentials do not decode");
	while ((more = ockam_reader_more(&inside, &list)) > 0) {
		struct ockam_reader one = inside;
		struct ockam_piece item;
		int ret;

		if (ockam_reader_item(&inside, &item))
			return ockam_err_set(err, -EBADMSG, "the peer's credentials do not decode");
		/* One above our limits is a bad credential, which others may take. */
		ret = ockam_credential_decode(&one, &credential, err);
		if (ret && ret != -E2BIG)
			return ret;
	}
	return more < 0 ? ockam_err_set(err, -EBADMSG, "the peer's credentials end too early") : 0;
}

/* An array, whose first element is a change history and has more behind it. */
static bool ockam_payload_begin(struct ockam_reader *r, struct ockam_reader_list *list,
				struct ockam_piece *history)
{
	return !ockam_reader_array(r, list) && ockam_reader_more(r, list) > 0 &&
	       !ockam_reader_item(r, history) && ockam_reader_more(r, list) > 0;
}

int ockam_payload_verify(const uint8_t *bytes, size_t len, const uint8_t noise_static[32],
			 const struct ockam_payload_rules *rules, struct ockam_peer *peer,
			 struct ockam_err *err)
{
	struct ockam_piece history, credentials;
	struct ockam_attestation attestation;
	char text[OCKAM_IDENTIFIER_TEXT];
	struct ockam_reader_list list;
	struct ockam_reader r;
	int ret;

	memset(peer, 0, sizeof(*peer));
	ockam_reader_init(&r, bytes, len);
	if (!ockam_payload_begin(&r, &list, &history))
		return ockam_err_set(err, -EBADMSG, "the peer's identity message does not decode");
	ret = ockam_attestation_decode(&r, &attestation, err);
	if (ret)
		return ret;
	if (ockam_reader_more(&r, &list) <= 0)
		return ockam_err_set(err, -EBADMSG, "the peer's identity message has no credentials");
	ret = ockam_payload_read_credentials(&r, &credentials, err);
	if (ret)
		return ret;
	if (ockam_reader_close(&r, &list, 1))
		return ockam_err_set(err, -EBADMSG, "the peer's identity message ends too early");

	ret = ockam_payload_check_history(&history, rules, peer, err);
	if (ret)
		goto fail;
	ret = ockam_payload_check_attestation(&attestation, noise_static, rules, peer, err);
	if (ret)
		goto fail;
	if (rules->trust && !ockam_trust_allows(rules->trust, peer->identity->identifier)) {
		ockam_identifier_format(peer->identity->identifier, text);
		ret = ockam_err_set(err, -EACCES, "%s is not trusted here", text);
		goto fail;
	}
	ret = ockam_payload_check_credentials(&credentials, rules, peer, err);
	if (!ret)
		ret = ockam_payload_check_trust(rules, peer, err);
	if (ret)
		goto fail;
	return 0;
fail:
	ockam_peer_free(peer);
	return ret;
}

int ockam_refresh_verify(const uint8_t *bytes, size_t len,
			 const uint8_t expected[OCKAM_IDENTIFIER_LEN],
			 const struct ockam_payload_rules *rules, struct ockam_peer *peer,
			 struct ockam_err *err)
{
	struct ockam_piece history, credentials;
	struct ockam_reader_list list;
	struct ockam_reader r;
	int ret;

	memset(peer, 0, sizeof(*peer));
	ockam_reader_init(&r, bytes, len);
	if (!ockam_payload_begin(&r, &list, &history))
		return ockam_err_set(err, -EBADMSG, "the refresh of credentials does not decode");
	ret = ockam_payload_read_credentials(&r, &credentials, err);
	if (ret)
		return ret;
	if (ockam_reader_close(&r, &list, 1))
		return ockam_err_set(err, -EBADMSG, "the refresh of credentials ends too early");
	ret = ockam_payload_check_history(&history, rules, peer, err);
	if (ret)
		goto fail;
	if (memcmp(peer->identity->identifier, expected, OCKAM_IDENTIFIER_LEN)) {
		ret = ockam_err_set(err, -EKEYREJECTED,
				    "the refresh of credentials names another identity than the channel's peer");
		goto fail;
	}
	ret = ockam_payload_check_credentials(&credentials, rules, peer, err);
	if (ret)
		goto fail;
	return 0;
fail:
	ockam_peer_free(peer);
	return ret;
}

void ockam_peer_subject(const struct ockam_peer *peer, struct ockam_subject *subject)
{
	memset(subject, 0, sizeof(*subject));
	subject->identifier = peer->identity->identifier;
	subject->has_credential = peer->has_credential;
	subject->issuer = peer->issuer;
	subject->attributes.data = peer->attributes.data;
	subject->attributes.len = peer->attributes.len;
}

void ockam_peer_free(struct ockam_peer *peer)
{
	ockam_identity_free(peer->identity);
	ockam_buf_free(&peer->attributes);
	memset(peer, 0, sizeof(*peer));
}
