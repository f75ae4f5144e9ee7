// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "identity.h"
#include "reader.h"
#include "signed.h"

void ockam_identity_free(struct ockam_identity *identity)
{
	if (!identity)
		return;
	free(identity->history);
	free(identity->changes);
	free(identity);
}

const struct ockam_change *ockam_identity_latest(const struct ockam_identity *identity)
{
	return &identity->changes[identity->n_changes - 1];
}

/* A change as it stands in the history, before any check. */
struct ockam_identity_raw {
	struct ockam_piece	data;
	struct ockam_signature	signature;
	bool			has_previous_signature;
	struct ockam_signature	previous_signature;
	bool			has_previous;
	uint8_t			previous[OCKAM_HASH_LEN];
};

/* Change = [ data, signature, ? previous_signature ] */
static int ockam_identity_read_change(struct ockam_reader *r, struct ockam_identity_raw *raw)
{
	struct ockam_reader_list list;
	int more;

	if (ockam_reader_array(r, &list) || ockam_reader_more(r, &list) <= 0 ||
	    ockam_reader_bytes(r, &raw->data) || ockam_reader_more(r, &list) <= 0 ||
	    ockam_signed_read_signature(r, &raw->signature))
		return -EBADMSG;
	raw->has_previous_signature = false;
	more = ockam_reader_more(r, &list);
	if (more > 0 && !ockam_reader_null(r)) {
		struct ockam_reader ahead = *r;
		struct ockam_reader_list fields;
		uint64_t kind;

		/* An unknown kind in an optional place counts as absent. */
		if (ockam_reader_variant(&ahead, &kind, &fields))
			return -EBADMSG;
		if (kind > OCKAM_KEY_P256) {
			if (ockam_reader_skip(r))
				return -EBADMSG;
		} else {
			if (ockam_signed_read_signature(r, &raw->previous_signature))
				return -EBADMSG;
			raw->has_previous_signature = true;
		}
	}
	if (more < 0 || ockam_reader_close(r, &list, 1))
		return -EBADMSG;
	return 0;
}

/* ChangeData = [ previous / null, key, revoke, from, until ] */
static int ockam_identity_read_data(struct ockam_identity_raw *raw, struct ockam_change *change)
{
	struct ockam_reader_list list;
	struct ockam_piece inner;
	struct ockam_reader r;

	if (ockam_signed_open(&raw->data, OCKAM_SIGNED_CHANGE, &inner))
		return -EBADMSG;
	ockam_reader_init(&r, inner.data, inner.len);
	if (ockam_reader_array(&r, &list) || ockam_reader_more(&r, &list) <= 0)
		return -EBADMSG;
	raw->has_previous = !ockam_reader_null(&r);
	if (raw->has_previous && ockam_reader_fixed(&r, raw->previous, OCKAM_HASH_LEN))
		return -EBADMSG;
	if (ockam_reader_more(&r, &list) <= 0 || ockam_signed_read_key(&r, &change->key) ||
	    ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_bool(&r, &change->revoke_all_purpose_keys) ||
	    ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT64_MAX, &change->valid_from) ||
	    ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_uint(&r, UINT64_MAX, &change->valid_until) ||
	    ockam_reader_close(&r, &list, 1))
		return -EBADMSG;
	return 0;
}

/* Both signatures of change number @index. */
static int ockam_identity_check_signatures(const struct ockam_identity_raw *raw,
					   const struct ockam_change *changes, size_t index,
					   struct ockam_err *err)
{
	const struct ockam_change *change = &changes[index];
	int ret;

	ret = ockam_crypto_verify(&change->key, raw->data.data, raw->data.len, &raw->signature);
	if (ret)
		return ockam_err_set(err, ret,
				     "the signature of change %zu does not verify under its own key",
				     index);
	if (!index)
		return 0;
	ret = ockam_crypto_verify(&change[-1].key, raw->data.data, raw->data.len,
				  &raw->previous_signature);
	if (ret)
		return ockam_err_set(err, ret,
				     "the previous signature of change %zu does not verify under the key of change %zu",
				     index, index - 1);
	return 0;
}

/* The rules of section 7.3 for change number @index, but for the signatures. */
static int ockam_identity_check_change(const struct ockam_identity_raw *raw,
				       const struct ockam_change *changes, size_t index,
				       struct ockam_err *err)
{
	const struct ockam_change *change = &changes[index];
	const struct ockam_change *before = change - 1;

	if (!index && raw->has_previous)
		return ockam_err_set(err, -EKEYREJECTED,
				     "the first change names a previous one: the history is not complete");
	if (index && !raw->has_previous)
		return ockam_err_set(err, -EKEYREJECTED,
				     "change %zu does not name the one before it", index);
	if (index && memcmp(raw->previous, before->hash, OCKAM_HASH_LEN))
		return ockam_err_set(err, -EKEYREJECTED,
				     "change %zu names another previous change than change %zu",
				     index, index - 1);
	if (index && change->valid_from < before->valid_from)
		return ockam_err_set(err, -EKEYREJECTED,
				     "change %zu is valid from an earlier time than change %zu",
				     index, index - 1);
	if (index && !raw->has_previous_signature)
		return ockam_err_set(err, -EKEYREJECTED,
				     "change %zu is not signed by the key before it", index);
	return 0;
}

static int ockam_identity_add_change(struct ockam_identity *identity, struct ockam_reader *r,
				     bool verify, struct ockam_err *err)
{
	size_t index = identity->n_changes;
	struct ockam_identity_raw raw;
	struct ockam_change *changes;
	int ret;

	if (index == OCKAM_CHANGES_MAX)
		return ockam_err_set(err, -E2BIG, "a change history has at most %u changes",
				     OCKAM_CHANGES_MAX);
	changes = reallocarray(identity->changes, index + 1, sizeof(*changes));
	if (!changes)
		return ockam_err_set(err, -ENOMEM, "no memory for a change history");
	identity->changes = changes;
	memset(&changes[index], 0, sizeof(*changes));
	if (ockam_identity_read_change(r, &raw) || ockam_identity_read_data(&raw, &changes[index]))
		return ockam_err_set(err, -EBADMSG,
				     "change %zu of the change history does not decode", index);
	if (ockam_crypto_sha256(raw.data.data, raw.data.len, NULL, 0, changes[index].hash))
		return ockam_err_set(err, -EIO, "libcrypto failed to hash a change");
	identity->n_changes++;
	ret = ockam_identity_check_change(&raw, changes, index, err);
	if (!ret && verify)
		ret = ockam_identity_check_signatures(&raw, changes, index, err);
	return ret;
}

static int ockam_identity_read(const uint8_t *bytes, size_t len, bool verify,
			       struct ockam_identity **out, struct ockam_err *err)
{
	struct ockam_identity *identity;
	struct ockam_reader_list list;
	struct ockam_piece item;
	struct ockam_reader r;
	int ret, more;

	*out = NULL;
	ockam_reader_init(&r, bytes, len);
	if (ockam_reader_item(&r, &item))
		return ockam_err_set(err, -EBADMSG, "this is no change history: no complete CBOR item");
	if (item.len > OCKAM_HISTORY_MAX)
		return ockam_err_set(err, -E2BIG, "a change history has at most %u bytes",
				     OCKAM_HISTORY_MAX);
	identity = calloc(1, sizeof(*identity));
	if (identity)
		identity->history = malloc(item.len);
	if (!identity || !identity->history) {
		ret = ockam_err_set(err, -ENOMEM, "no memory for a change history");
		goto fail;
	}
	memcpy(identity->history, item.data, item.len);
	identity->history_len = item.len;

	ockam_reader_init(&r, identity->history, item.len);
	ret = ockam_reader_array(&r, &list);
	if (ret) {
		ockam_err_set(err, ret, "this is no change history: it must be a CBOR array");
		goto fail;
	}
	while ((more = ockam_reader_more(&r, &list)) > 0) {
		ret = ockam_identity_add_change(identity, &r, verify, err);
		if (ret)
			goto fail;
	}
	if (more < 0) {
		ret = ockam_err_set(err, more, "the change history ends too early");
		goto fail;
	}
	if (!identity->n_changes) {
		ret = ockam_err_set(err, -EKEYREJECTED, "the change history is empty");
		goto fail;
	}
	memcpy(identity->identifier, identity->changes[0].hash, OCKAM_IDENTIFIER_LEN);
	*out = identity;
	return 0;
fail:
	ockam_identity_free(identity);
	return ret;
}

int ockam_identity_decode(const uint8_t *bytes, size_t len, struct ockam_identity **identity,
			  struct ockam_err *err)
{
	return ockam_identity_read(bytes, len, true, identity, err);
}

int ockam_identity_load(const uint8_t *bytes, size_t len, struct ockam_identity **identity,
			struct ockam_err *err)
{
	return ockam_identity_read(bytes, len, false, identity, err);
}

int ockam_identity_parse(const char *hex, struct ockam_identity **identity, struct ockam_err *err)
{
	static const char blanks[] = " \t\r\n";
	size_t len, n;
	uint8_t *bytes;
	int ret;

	hex += strspn(hex, blanks);
	len = strlen(hex);
	while (len && strchr(blanks, hex[len - 1]))
		len--;
	if (len / 2 > OCKAM_HISTORY_MAX)
		return ockam_err_set(err, -E2BIG, "a change history has at most %d bytes",
				     OCKAM_HISTORY_MAX);
	bytes = malloc(len / 2 + 1);
	if (!bytes)
		return ockam_err_set(err, -ENOMEM, "no memory for an identity");
	ret = ockam_hex_decode(hex, len, bytes, len / 2, &n, err);
	if (!ret)
		ret = ockam_identity_decode(bytes, n, identity, err);
	free(bytes);
	return ret;
}

/* Append one signed change after @before (NULL: the first one). */
static int ockam_identity_put_change(const struct ockam_change *before, const uint8_t *old_secret,
				     enum ockam_key_kind kind, const uint8_t *new_secret,
				     uint64_t now, struct ockam_buf *out)
{
	/* No gap: an identity whose key has expired, or was made by a wrong clock, goes on. */
	uint64_t from = before && before->valid_until < now ? before->valid_until : now;
	struct ockam_signature signature;
	struct ockam_public_key public;
	struct ockam_buf data = { 0 };
	struct ockam_buf wrap = { 0 };
	int ret;

	ret = ockam_crypto_signing_public(kind, new_secret, &public);
	if (ret)
		goto out;
	ockam_buf_put_array(&data, 5);
	if (before)
		ockam_buf_put_bytes(&data, before->hash, OCKAM_HASH_LEN);
	else
		ockam_buf_put_null(&data);
	ockam_signed_put_key(&data, &public);
	ockam_buf_put_bool(&data, false);
	ockam_buf_put_uint(&data, from);
	ockam_buf_put_uint(&data, now + OCKAM_IDENTITY_LIFE);
	ockam_signed_wrap(OCKAM_SIGNED_CHANGE, &data, &wrap);
	if (wrap.failed) {
		ret = -ENOMEM;
		goto out;
	}
	ockam_buf_put_array(out, before ? 3 : 2);
	ockam_buf_put_bytes(out, wrap.data, wrap.len);
	ret = ockam_crypto_sign(kind, new_secret, wrap.data, wrap.len, &signature);
	if (ret)
		goto out;
	ockam_signed_put_signature(out, &signature);
	if (before) {
		ret = ockam_crypto_sign(before->key.kind, old_secret, wrap.data, wrap.len,
					&signature);
		if (ret)
			goto out;
		ockam_signed_put_signature(out, &signature);
	}
	ret = out->failed ? -ENOMEM : 0;
out:
	ockam_buf_free(&wrap);
	ockam_buf_free(&data);
	return ret;
}

int ockam_identity_create(enum ockam_key_kind kind, const uint8_t secret[OCKAM_SECRET_LEN],
			  uint64_t now, struct ockam_identity **identity, struct ockam_err *err)
{
	struct ockam_buf history = { 0 };
	int ret;

	*identity = NULL;
	ockam_buf_put_array(&history, 1);
	ret = ockam_identity_put_change(NULL, NULL, kind, secret, now, &history);
	if (ret)
		ockam_err_set(err, ret, "could not make a new identity: %s", strerror(-ret));
	else
		ret = ockam_identity_decode(history.data, history.len, identity, err);
	ockam_buf_free(&history);
	return ret;
}

/* Append the changes of @old as they are, without the array around them. */
static int ockam_identity_put_old(const struct ockam_identity *old, struct ockam_buf *out)
{
	struct ockam_reader_list list;
	struct ockam_piece item;
	struct ockam_reader r;

	ockam_reader_init(&r, old->history, old->history_len);
	if (ockam_reader_array(&r, &list))
		return -EBADMSG;
	while (ockam_reader_more(&r, &list) > 0) {
		if (ockam_reader_item(&r, &item))
			return -EBADMSG;
		ockam_buf_put(out, item.data, item.len);
	}
	return 0;
}

int ockam_identity_rotate(const struct ockam_identity *old,
			  const uint8_t old_secret[OCKAM_SECRET_LEN], enum ockam_key_kind kind,
			  const uint8_t new_secret[OCKAM_SECRET_LEN], uint64_t now,
			  struct ockam_identity **identity, struct ockam_err *err)
{
	const struct ockam_change *latest = ockam_identity_latest(old);
	struct ockam_buf history = { 0 };
	struct ockam_public_key public;
	int ret;

	*identity = NULL;
	ret = ockam_crypto_signing_public(latest->key.kind, old_secret, &public);
	if (ret == -EIO)
		return ockam_err_set(err, ret, "libcrypto failed to read a key");
	if (ret || !ockam_signed_equal_key(&public, &latest->key))
		return ockam_err_set(err, -EKEYREJECTED,
				     "the given secret is not the identity's latest key");
	if (now < latest->valid_from)
		return ockam_err_set(err, -EINVAL,
				     "the clock is behind the identity's latest change: set it right and try again");
	ockam_buf_put_array(&history, old->n_changes + 1);
	ret = ockam_identity_put_old(old, &history);
	if (!ret)
		ret = ockam_identity_put_change(latest, old_secret, kind, new_secret, now,
						&history);
	if (!ret && history.len > OCKAM_HISTORY_GROW_MAX)
		ret = ockam_err_set(err, -E2BIG,
				    "the identity has %zu changes, one more would not fit a handshake: make a new identity",
				    old->n_changes);
	else if (ret)
		ockam_err_set(err, ret, "could not rotate the identity's key: %s", strerror(-ret));
	else
		ret = ockam_identity_decode(history.data, history.len, identity, err);
	ockam_buf_free(&history);
	return ret;
}

enum ockam_history_order ockam_identity_compare(const struct ockam_identity *known,
						const struct ockam_identity *received)
{
	size_t common = known->n_changes < received->n_changes ? known->n_changes :
								 received->n_changes;

	for (size_t i = 0; i < common; i++)
		if (memcmp(known->changes[i].hash, received->changes[i].hash, OCKAM_HASH_LEN))
			return OCKAM_HISTORY_CONFLICT;
	if (known->n_changes == received->n_changes)
		return OCKAM_HISTORY_EQUAL;
	return received->n_changes > common ? OCKAM_HISTORY_NEWER : OCKAM_HISTORY_OLDER;
}

int ockam_identity_check_strict(const struct ockam_identity *identity, uint64_t now,
				struct ockam_err *err)
{
	const struct ockam_change *latest = ockam_identity_latest(identity);

	for (size_t i = 0; i < identity->n_changes; i++) {
		const struct ockam_change *change = &identity->changes[i];

		if (change->valid_until < change->valid_from)
			return ockam_err_set(err, -EKEYREJECTED,
					     "change %zu of the identity ends before it begins", i);
		if (i && change->valid_from > change[-1].valid_until)
			return ockam_err_set(err, -EKEYREJECTED,
					     "change %zu of the identity was made when the key of change %zu had expired",
					     i, i - 1);
	}
	if (latest->valid_until < now)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the identity's latest key has expired: its owner must rotate it");
	if (latest->valid_from > now && latest->valid_from - now > OCKAM_CLOCK_SKEW)
		return ockam_err_set(err, -EKEYEXPIRED,
				     "the identity's latest change is from the future: compare the clocks of both machines");
	return 0;
}

void ockam_identifier_format(const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			     char text[OCKAM_IDENTIFIER_TEXT])
{
	text[0] = 'I';
	ockam_hex_encode(identifier, OCKAM_IDENTIFIER_LEN, text + 1);
}

int ockam_identifier_parse(const char *text, uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			   struct ockam_err *err)
{
	const char *start = text + strspn(text, " \t\r\n");
	size_t len = strcspn(start, " \t\r\n");
	uint8_t bytes[OCKAM_IDENTIFIER_LEN];
	size_t got;

	if (start[len + strspn(start + len, " \t\r\n")])
		return ockam_err_set(err, -EINVAL,
				     "'%.80s' is no identifier: it holds a blank", text);
	if (*start != 'I')
		return ockam_err_set(err, -EINVAL,
				     "'%.80s' is no identifier: it must begin with 'I'", text);
	if (len != 1 + 2 * OCKAM_IDENTIFIER_LEN)
		return ockam_err_set(err, -EINVAL,
				     "'%.80s' is no identifier: 'I' must be followed by 64 hexadecimal digits, not %zu characters",
				     text, len - 1);
	if (ockam_hex_decode(start + 1, len - 1, bytes, sizeof(bytes), &got, NULL))
		return ockam_err_set(err, -EINVAL,
				     "'%.80s' is no identifier: it holds a character that is no hexadecimal digit",
				     text);
	memcpy(identifier, bytes, sizeof(bytes));
	return 0;
}
