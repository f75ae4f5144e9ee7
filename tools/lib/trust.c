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

void ockam_trust_encode(const struct ockam_trust *trust, struct ockam_buf *out)
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

int ockam_trust_decode(struct ockam_reader *r, struct ockam_trust *trust, struct ockam_err *err)
{
	struct ockam_reader_list fields;
	uint64_t kind;
	int ret;

	memset(trust, 0, sizeof(*trust));
	if (ockam_reader_variant(r, &kind, &fields) || kind > OCKAM_TRUST_LIST)
		ret = ockam_err_set(err, -EBADMSG, "the trust rule does not decode");
	else
		ret = ockam_trust_read(r, kind, &fields, trust, err);
	if (!ret && ockam_reader_close(r, &fields, 1))
		ret = ockam_err_set(err, -EBADMSG, "the trust rule ends too early");
	if (ret) {
		/* Nothing half read may stand for "everyone". */
		ockam_trust_free(trust);
		trust->kind = OCKAM_TRUST_LIST;
		return ret;
	}
	trust->kind = (enum ockam_trust_kind)kind;
	return 0;
}

void ockam_trust_free(struct ockam_trust *trust)
{
	free(trust->ids);
	memset(trust, 0, sizeof(*trust));
}
