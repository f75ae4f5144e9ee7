// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "trust.h"

static bool ockam_trust_has(const struct ockam_trust *trust, const uint8_t *id)
{
	for (size_t i = 0; i < trust->n_ids; i++)
		if (!memcmp(trust->ids[i], id, OCKAM_IDENTIFIER_LEN))
			return true;
	return false;
}

int ockam_trust_add(struct ockam_trust *trust, const uint8_t id[OCKAM_IDENTIFIER_LEN],
		    struct ockam_err *err)
{
	uint8_t (*ids)[OCKAM_IDENTIFIER_LEN];

	if (ockam_trust_has(trust, id))
		return 0;
	if (trust->n_ids == OCKAM_TRUST_MAX)
		return ockam_err_set(err, -E2BIG, "at most %u identifiers can be trusted by one list",
				     OCKAM_TRUST_MAX);
	ids = reallocarray(trust->ids, trust->n_ids + 1, sizeof(*ids));
	if (!ids)
		return ockam_err_set(err, -ENOMEM, "no memory for a list of identifiers");
	trust->ids = ids;
	memcpy(trust->ids[trust->n_ids++], id, OCKAM_IDENTIFIER_LEN);
	trust->kind = trust->kind == OCKAM_TRUST_EVERYONE ? OCKAM_TRUST_ONE : OCKAM_TRUST_LIST;
	return 0;
}

bool ockam_trust_allows(const struct ockam_trust *trust,
			const uint8_t id[OCKAM_IDENTIFIER_LEN])
{
	return trust->kind == OCKAM_TRUST_EVERYONE || ockam_trust_has(trust, id);
}

int ockam_trust_admits(const struct ockam_trust *trust, const struct ockam_subject *subject,
		       struct ockam_err *err)
{
	char authority[OCKAM_IDENTIFIER_TEXT], text[OCKAM_IDENTIFIER_TEXT];

	ockam_identifier_format(subject->identifier, text);
	if (!ockam_trust_allows(trust, subject->identifier))
		return ockam_err_set(err, -EACCES, "%s is not trusted here", text);
	if (trust->has_authority &&
	    (!subject->has_credential ||
	     memcmp(subject->issuer, trust->authority, OCKAM_IDENTIFIER_LEN))) {
		ockam_identifier_format(trust->authority, authority);
		return ockam_err_set(err, -EACCES, "%s has shown no valid credential of %s", text,
				     authority);
	}
	if (trust->policy && !ockam_policy_allows(trust->policy, subject))
		return ockam_err_set(err, -EACCES, "%s does not satisfy %s%s", text,
				     ockam_policy_text(trust->policy),
				     subject->has_credential ? "" : " without a valid credential");
	return 0;
}

bool ockam_trust_needs_credential(const struct ockam_trust *trust,
				  const uint8_t id[OCKAM_IDENTIFIER_LEN])
{
	const struct ockam_subject bare = { .identifier = id };

	return ockam_trust_admits(trust, &bare, NULL) != 0;
}

static void ockam_trust_encode_who(const struct ockam_trust *trust, struct ockam_buf *out)
{
	ockam_buf_put_array(out, 2);
	ockam_buf_put_uint(out, trust->kind);
	ockam_buf_put_array(out, trust->kind == OCKAM_TRUST_EVERYONE ? 0 : 1);
	if (trust->kind == OCKAM_TRUST_LIST)
		ockam_buf_put_array(out, trust->n_ids);
	if (trust->kind == OCKAM_TRUST_EVERYONE)
		return;
	for (size_t i = 0; i < trust->n_ids; i++)
		ockam_buf_put_bytes(out, trust->ids[i], OCKAM_IDENTIFIER_LEN);
}

void ockam_trust_encode(const struct ockam_trust *trust, struct ockam_buf *out)
{
	ockam_buf_put_array(out, 3);
	ockam_trust_encode_who(trust, out);
	if (trust->has_authority)
		ockam_buf_put_bytes(out, trust->authority, OCKAM_IDENTIFIER_LEN);
	else
		ockam_buf_put_null(out);
	if (trust->policy)
		ockam_buf_put_text(out, ockam_policy_text(trust->policy));
	else
		ockam_buf_put_null(out);
}

static int ockam_trust_read_id(struct ockam_reader *r, struct ockam_trust *trust,
			       struct ockam_err *err)
{
	uint8_t id[OCKAM_IDENTIFIER_LEN];

	if (ockam_reader_fixed(r, id, sizeof(id)))
		return ockam_err_set(err, -EBADMSG, "the trust rule holds no identifier");
	return ockam_trust_add(trust, id, err);
}

static int ockam_trust_read(struct ockam_reader *r, uint64_t kind,
			    struct ockam_reader_list *fields, struct ockam_trust *trust,
			    struct ockam_err *err)
{
	struct ockam_reader_list ids;
	int more, ret;

	if (kind == OCKAM_TRUST_EVERYONE)
		return 0;
	if (ockam_reader_more(r, fields) <= 0)
		return ockam_err_set(err, -EBADMSG, "the trust rule names nobody");
	if (kind == OCKAM_TRUST_ONE)
		return ockam_trust_read_id(r, trust, err);
	if (ockam_reader_array(r, &ids))
		return ockam_err_set(err, -EBADMSG, "the trust rule does not decode");
	while ((more = ockam_reader_more(r, &ids)) > 0) {
		ret = ockam_trust_read_id(r, trust, err);
		if (ret)
			return ret;
	}
	return more < 0 ? ockam_err_set(err, -EBADMSG, "the trust rule ends too early") : 0;
}

static int ockam_trust_decode_who(struct ockam_reader *r, struct ockam_trust *trust,
				  struct ockam_err *err)
{
	struct ockam_reader_list fields;
	uint64_t kind;
	int ret;

	if (ockam_reader_variant(r, &kind, &fields) || kind > OCKAM_TRUST_LIST)
		return ockam_err_set(err, -EBADMSG, "the trust rule does not decode");
	ret = ockam_trust_read(r, kind, &fields, trust, err);
	if (!ret && ockam_reader_close(r, &fields, 1))
		ret = ockam_err_set(err, -EBADMSG, "the trust rule ends too early");
	trust->kind = (enum ockam_trust_kind)kind;
	return ret;
}

/* Authority and policy. */
static int ockam_trust_decode_credential(struct ockam_reader *r, struct ockam_reader_list *parts,
					 struct ockam_trust *trust, struct ockam_err *err)
{
	struct ockam_piece text;
	int ret;

	if (ockam_reader_more(r, parts) <= 0)
		goto bad;
	trust->has_authority = !ockam_reader_null(r);
	if (trust->has_authority &&
	    ockam_reader_fixed(r, trust->authority, sizeof(trust->authority)))
		goto bad;
	if (ockam_reader_more(r, parts) <= 0)
		goto bad;
	if (ockam_reader_null(r))
		return 0;
	if (!ockam_reader_text(r, &text)) {
		ret = ockam_policy_decode(text.data, text.len, &trust->policy, err);
		return ret == -EINVAL ? -EBADMSG : ret;
	}
bad:
	return ockam_err_set(err, -EBADMSG, "the trust rule ends too early");
}

int ockam_trust_decode(struct ockam_reader *r, struct ockam_trust *trust, struct ockam_err *err)
{
	struct ockam_reader_list parts;
	int ret;

	memset(trust, 0, sizeof(*trust));
	if (ockam_reader_array(r, &parts) || ockam_reader_more(r, &parts) <= 0)
		ret = ockam_err_set(err, -EBADMSG, "the trust rule does not decode");
	else
		ret = ockam_trust_decode_who(r, trust, err);
	if (!ret)
		ret = ockam_trust_decode_credential(r, &parts, trust, err);
	if (!ret && ockam_reader_close(r, &parts, 1))
		ret = ockam_err_set(err, -EBADMSG, "the trust rule ends too early");
	if (ret) {
		/* Nothing half read may stand for "everyone". */
		ockam_trust_free(trust);
		trust->kind = OCKAM_TRUST_LIST;
	}
	return ret;
}

int ockam_trust_copy(struct ockam_trust *to, const struct ockam_trust *from)
{
	*to = *from;
	to->ids = NULL;
	to->policy = from->policy ? ockam_policy_copy(from->policy) : NULL;
	if (from->n_ids)
		to->ids = reallocarray(NULL, from->n_ids, sizeof(*to->ids));
	if ((from->policy && !to->policy) || (from->n_ids && !to->ids)) {
		ockam_trust_free(to);
		to->kind = OCKAM_TRUST_LIST;
		return -ENOMEM;
	}
	if (from->n_ids)
		memcpy(to->ids, from->ids, from->n_ids * sizeof(*to->ids));
	return 0;
}

void ockam_trust_free(struct ockam_trust *trust)
{
	free(trust->ids);
	ockam_policy_free(trust->policy);
	memset(trust, 0, sizeof(*trust));
}
