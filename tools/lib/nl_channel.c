// SPDX-License-Identifier: Apache-2.0
/*
 * Netlink client: secure channels.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "nl_priv.h"

int ockam_nl_channel_new(struct ockam_nl *nl,
			 const struct ockam_nl_channel_new *ch, uint32_t *seq,
			 struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_CHANNEL_NEW,
			      ch->route.len + ch->opaque.len +
			      ch->reach.n_ids * OCKAM_FLOW_ID_LEN);
	if (seq)
		*seq = ockam_nl_last_seq(nl);
	ockam_nl_put_blob(&req, OCKAM_A_ROUTE, &ch->route);
	ockam_nl_put_blob(&req, OCKAM_A_OPAQUE, &ch->opaque);
	if (ch->timeout_ms)
		ockam_nl_put_u32(&req, OCKAM_A_TIMEOUT_MS, ch->timeout_ms);
	if (ch->confirm_ms)
		ockam_nl_put_u32(&req, OCKAM_A_CONFIRM_MS, ch->confirm_ms);
	ockam_nl_put_reach(&req, &ch->reach);
	ockam_nl_put_liveness(&req, &ch->liveness);
	/* What comes with this number is the result, also when it comes now. */
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_channel_set(struct ockam_nl *nl,
			 const struct ockam_nl_channel_set *ch,
			 struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_CHANNEL_SET,
			      ch->route.len + ch->attributes.len +
			      ch->reach.n_ids * OCKAM_FLOW_ID_LEN);
	ockam_nl_put_name(&req, OCKAM_A_ENCRYPTOR, &ch->encryptor);
	ockam_nl_put_blob(&req, OCKAM_A_ROUTE, &ch->route);
	if (ch->set_expiry)
		ockam_nl_put_u64(&req, OCKAM_A_EXPIRY, ch->expiry);
	ockam_nl_put_blob(&req, OCKAM_A_ATTRIBUTES, &ch->attributes);
	ockam_nl_put_liveness(&req, &ch->liveness);
	ockam_nl_put_reach(&req, &ch->reach);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_channel_del(struct ockam_nl *nl, const void *encryptor, size_t len,
			 struct ockam_err *err)
{
	return ockam_nl_call_name(nl, OCKAM_CMD_CHANNEL_DEL, OCKAM_A_ENCRYPTOR, encryptor, len,
				  NULL, NULL, err);
}

struct ockam_nl_channel_reader {
	ockam_nl_channel_fn	fn;
	void			*arg;
};

static int ockam_nl_read_channel(void *arg, struct nlattr **tb,
				 struct ockam_err *err)
{
	struct ockam_nl_channel_reader *reader = arg;
	struct ockam_nl_channel ch = {
		.reach = ockam_nl_get_u32(tb, OCKAM_A_REACH),
		.reach_ids = ockam_nl_get_blob(tb, OCKAM_A_REACH_IDS),
		.route = ockam_nl_get_blob(tb, OCKAM_A_ROUTE),
		.attributes = ockam_nl_get_blob(tb, OCKAM_A_ATTRIBUTES),
		.expiry = ockam_nl_get_u64(tb, OCKAM_A_EXPIRY),
		.flags = ockam_nl_get_u32(tb, OCKAM_A_FLAGS),
		.role = ockam_nl_get_u8(tb, OCKAM_A_ROLE),
		.rx_bytes = ockam_nl_get_u64(tb, OCKAM_A_RX_BYTES),
		.tx_bytes = ockam_nl_get_u64(tb, OCKAM_A_TX_BYTES),
		.rx_messages = ockam_nl_get_u64(tb, OCKAM_A_RX_MESSAGES),
		.tx_messages = ockam_nl_get_u64(tb, OCKAM_A_TX_MESSAGES),
		.queued_bytes = ockam_nl_get_u64(tb, OCKAM_A_QUEUED_BYTES),
	};
	int ret;

	ockam_nl_get_name(tb, OCKAM_A_ENCRYPTOR, &ch.encryptor);
	ockam_nl_get_name(tb, OCKAM_A_DECRYPTOR, &ch.decryptor);
	ockam_nl_get_identifier(tb, OCKAM_A_PEER, &ch.peer);
	ockam_nl_get_identifier(tb, OCKAM_A_LOCAL_ID, &ch.local);
	ockam_nl_get_flow(tb, OCKAM_A_FLOW_ID, &ch.flow);
	ockam_nl_get_flow(tb, OCKAM_A_SPAWNER_ID, &ch.spawner);
	ockam_nl_get_name(tb, OCKAM_A_LISTENER, &ch.listener);
	ockam_nl_get_liveness(tb, &ch.liveness);
	ret = reader->fn(reader->arg, &ch);
	if (ret)
		return ockam_err_set(err, ret, "the list was left early");
	return 0;
}

int ockam_nl_channel_get(struct ockam_nl *nl, const void *encryptor, size_t len,
			 ockam_nl_channel_fn fn, void *arg,
			 struct ockam_err *err)
{
	struct ockam_nl_channel_reader reader = { fn, arg };

	return ockam_nl_call_name(nl, OCKAM_CMD_CHANNEL_GET, OCKAM_A_ENCRYPTOR, encryptor, len,
				  ockam_nl_read_channel, &reader, err);
}

int ockam_nl_channel_dump(struct ockam_nl *nl, ockam_nl_channel_fn fn,
			  void *arg, struct ockam_err *err)
{
	struct ockam_nl_channel_reader reader = { fn, arg };

	return ockam_nl_call_dump(nl, OCKAM_CMD_CHANNEL_GET, ockam_nl_read_channel, &reader, err);
}
