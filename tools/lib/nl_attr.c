// SPDX-License-Identifier: Apache-2.0
/*
 * Netlink client: attributes of requests and answers.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "nl_priv.h"

void ockam_nl_put(struct ockam_nl_request *req, int attr, const void *data,
		  size_t len)
{
	if (req->failed || len > INT32_MAX || nla_put(req->msg, attr, len, data))
		req->failed = true;
}

void ockam_nl_put_u8(struct ockam_nl_request *req, int attr, uint8_t value)
{
	ockam_nl_put(req, attr, &value, sizeof(value));
}

void ockam_nl_put_u32(struct ockam_nl_request *req, int attr, uint32_t value)
{
	ockam_nl_put(req, attr, &value, sizeof(value));
}

void ockam_nl_put_u64(struct ockam_nl_request *req, int attr, uint64_t value)
{
	ockam_nl_put(req, attr, &value, sizeof(value));
}

void ockam_nl_put_flag(struct ockam_nl_request *req, int attr)
{
	ockam_nl_put(req, attr, NULL, 0);
}

void ockam_nl_put_text(struct ockam_nl_request *req, int attr, const char *text)
{
	if (text)
		ockam_nl_put(req, attr, text, strlen(text) + 1);
}

void ockam_nl_put_blob(struct ockam_nl_request *req, int attr,
		       const struct ockam_nl_blob *blob)
{
	if (blob->data)
		ockam_nl_put(req, attr, blob->data, blob->len);
}

void ockam_nl_put_name(struct ockam_nl_request *req, int attr,
		       const struct ockam_nl_name *name)
{
	if (name->len)
		ockam_nl_put(req, attr, name->bytes, name->len);
}

void ockam_nl_put_reach(struct ockam_nl_request *req,
			const struct ockam_nl_reach *reach)
{
	if (!reach->set)
		return;
	ockam_nl_put_u32(req, OCKAM_A_REACH, reach->mask);
	ockam_nl_put(req, OCKAM_A_REACH_IDS, reach->ids,
		     reach->n_ids * OCKAM_FLOW_ID_LEN);
}

void ockam_nl_put_liveness(struct ockam_nl_request *req,
			   const struct ockam_nl_liveness *liveness)
{
	if (!liveness->set)
		return;
	ockam_nl_put_u32(req, OCKAM_A_LIVENESS_MS, liveness->ms);
	if (liveness->strict)
		ockam_nl_put_flag(req, OCKAM_A_LIVENESS_STRICT);
}

void ockam_nl_get_name(struct nlattr **tb, int attr, struct ockam_nl_name *name)
{
	memset(name, 0, sizeof(*name));
	if (!tb[attr] || nla_len(tb[attr]) > OCKAM_ADDR_MAX_LEN)
		return;
	name->len = nla_len(tb[attr]);
	memcpy(name->bytes, nla_data(tb[attr]), name->len);
}

void ockam_nl_get_liveness(struct nlattr **tb,
			   struct ockam_nl_liveness *liveness)
{
	liveness->set = tb[OCKAM_A_LIVENESS_MS];
	liveness->ms = ockam_nl_get_u32(tb, OCKAM_A_LIVENESS_MS);
	liveness->strict = tb[OCKAM_A_LIVENESS_STRICT];
}

void ockam_nl_get_flow(struct nlattr **tb, int attr, struct ockam_nl_flow *flow)
{
	memset(flow, 0, sizeof(*flow));
	if (!tb[attr] || nla_len(tb[attr]) != OCKAM_FLOW_ID_LEN)
		return;
	flow->present = true;
	memcpy(flow->id, nla_data(tb[attr]), OCKAM_FLOW_ID_LEN);
}

void ockam_nl_get_identifier(struct nlattr **tb, int attr,
			     struct ockam_nl_identifier *id)
{
	memset(id, 0, sizeof(*id));
	if (!tb[attr] || nla_len(tb[attr]) != OCKAM_IDENTIFIER_LEN)
		return;
	id->present = true;
	memcpy(id->id, nla_data(tb[attr]), OCKAM_IDENTIFIER_LEN);
}

struct ockam_nl_blob ockam_nl_get_blob(struct nlattr **tb, int attr)
{
	struct ockam_nl_blob blob = { NULL, 0 };

	if (tb[attr]) {
		blob.data = nla_data(tb[attr]);
		blob.len = nla_len(tb[attr]);
	}
	return blob;
}

/* The terminated string of an attribute, or "". */
const char *ockam_nl_get_string(struct nlattr **tb, int attr)
{
	if (!tb[attr] || !nla_len(tb[attr]) ||
	    !memchr(nla_data(tb[attr]), '\0', nla_len(tb[attr])))
		return "";
	return nla_data(tb[attr]);
}

void ockam_nl_get_text(struct nlattr **tb, int attr, char *text, size_t size)
{
	const char *from = ockam_nl_get_string(tb, attr);
	size_t len = strnlen(from, size - 1);

	memcpy(text, from, len);
	text[len] = '\0';
}

uint8_t ockam_nl_get_u8(struct nlattr **tb, int attr)
{
	uint8_t value = 0;

	if (tb[attr] && nla_len(tb[attr]) == sizeof(value))
		memcpy(&value, nla_data(tb[attr]), sizeof(value));
	return value;
}

uint32_t ockam_nl_get_u32(struct nlattr **tb, int attr)
{
	uint32_t value = 0;

	if (tb[attr] && nla_len(tb[attr]) == sizeof(value))
		memcpy(&value, nla_data(tb[attr]), sizeof(value));
	return value;
}

uint64_t ockam_nl_get_u64(struct nlattr **tb, int attr)
{
	uint64_t value = 0;

	if (tb[attr] && nla_len(tb[attr]) == sizeof(value))
		memcpy(&value, nla_data(tb[attr]), sizeof(value));
	return value;
}
