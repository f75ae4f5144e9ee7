// SPDX-License-Identifier: Apache-2.0
/*
 * Netlink client: links and secure-channel listeners.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "nl_priv.h"

/* Room in a request for names, flow ids and a label. */
#define OCKAM_NL_OBJECT_ROOM	(1024 + OCKAM_ADDR_MAX_LEN * 2)

static size_t ockam_nl_reach_room(const struct ockam_nl_reach *reach)
{
	return reach->set ? reach->n_ids * OCKAM_FLOW_ID_LEN : 0;
}

static int ockam_nl_read_made(void *arg, struct nlattr **tb,
			      struct ockam_err *err)
{
	struct ockam_nl_made *made = arg;

	(void)err;
	if (made) {
		ockam_nl_get_name(tb, OCKAM_A_ADDRESS, &made->address);
		ockam_nl_get_flow(tb, OCKAM_A_FLOW_ID, &made->flow);
	}
	return 0;
}

int ockam_nl_link_new(struct ockam_nl *nl, const struct ockam_nl_link_new *link,
		      struct ockam_nl_made *made, struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_LINK_NEW,
			      OCKAM_NL_OBJECT_ROOM +
			      ockam_nl_reach_room(&link->reach));
	ockam_nl_put_u32(&req, OCKAM_A_FD, (uint32_t)link->fd);
	ockam_nl_put_u8(&req, OCKAM_A_FRAMING, link->framing);
	if (link->accepted)
		ockam_nl_put_flag(&req, OCKAM_A_ACCEPTED);
	ockam_nl_put_name(&req, OCKAM_A_ADDRESS, &link->address);
	if (link->spawner.present)
		ockam_nl_put(&req, OCKAM_A_SPAWNER_ID, link->spawner.id,
			     OCKAM_FLOW_ID_LEN);
	ockam_nl_put_reach(&req, &link->reach);
	ockam_nl_put_name(&req, OCKAM_A_PAIR, &link->pair);
	ockam_nl_put_text(&req, OCKAM_A_LABEL, link->label);
	if (link->stall_ms)
		ockam_nl_put_u32(&req, OCKAM_A_STALL_MS, link->stall_ms);
	if (link->half_frame_ms)
		ockam_nl_put_u32(&req, OCKAM_A_HALF_FRAME_MS,
				 link->half_frame_ms);
	return ockam_nl_call(nl, &req, ockam_nl_read_made, made, err);
}

int ockam_nl_link_set(struct ockam_nl *nl, const struct ockam_nl_link_set *link,
		      struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_LINK_SET,
			      OCKAM_NL_OBJECT_ROOM +
			      ockam_nl_reach_room(&link->reach));
	ockam_nl_put_name(&req, OCKAM_A_ADDRESS, &link->address);
	ockam_nl_put_name(&req, OCKAM_A_PAIR, &link->pair);
	if (link->unpair)
		ockam_nl_put_flag(&req, OCKAM_A_UNPAIR);
	ockam_nl_put_text(&req, OCKAM_A_LABEL, link->label);
	if (link->stall_ms)
		ockam_nl_put_u32(&req, OCKAM_A_STALL_MS, link->stall_ms);
	if (link->half_frame_ms)
		ockam_nl_put_u32(&req, OCKAM_A_HALF_FRAME_MS,
				 link->half_frame_ms);
	ockam_nl_put_reach(&req, &link->reach);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_link_del(struct ockam_nl *nl, const void *name, size_t len,
		      struct ockam_err *err)
{
	return ockam_nl_call_name(nl, OCKAM_CMD_LINK_DEL, OCKAM_A_ADDRESS, name, len,
				  NULL, NULL, err);
}

struct ockam_nl_link_reader {
	ockam_nl_link_fn	fn;
	void			*arg;
};

static int ockam_nl_read_link(void *arg, struct nlattr **tb,
			      struct ockam_err *err)
{
	struct ockam_nl_link_reader *reader = arg;
	struct ockam_nl_link link = {
		.reach = ockam_nl_get_u32(tb, OCKAM_A_REACH),
		.reach_ids = ockam_nl_get_blob(tb, OCKAM_A_REACH_IDS),
		.framing = ockam_nl_get_u8(tb, OCKAM_A_FRAMING),
		.flags = ockam_nl_get_u32(tb, OCKAM_A_FLAGS),
		.stall_ms = ockam_nl_get_u32(tb, OCKAM_A_STALL_MS),
		.half_frame_ms = ockam_nl_get_u32(tb, OCKAM_A_HALF_FRAME_MS),
		.rx_bytes = ockam_nl_get_u64(tb, OCKAM_A_RX_BYTES),
		.tx_bytes = ockam_nl_get_u64(tb, OCKAM_A_TX_BYTES),
		.rx_messages = ockam_nl_get_u64(tb, OCKAM_A_RX_MESSAGES),
		.tx_messages = ockam_nl_get_u64(tb, OCKAM_A_TX_MESSAGES),
		.queued_bytes = ockam_nl_get_u64(tb, OCKAM_A_QUEUED_BYTES),
	};
	int ret;

	ockam_nl_get_name(tb, OCKAM_A_ADDRESS, &link.address);
	ockam_nl_get_name(tb, OCKAM_A_PAIR, &link.pair);
	ockam_nl_get_flow(tb, OCKAM_A_FLOW_ID, &link.flow);
	ockam_nl_get_flow(tb, OCKAM_A_SPAWNER_ID, &link.spawner);
	ockam_nl_get_text(tb, OCKAM_A_LABEL, link.label, sizeof(link.label));
	ret = reader->fn(reader->arg, &link);
	if (ret)
		return ockam_err_set(err, ret, "the list was left early");
	return 0;
}

int ockam_nl_link_get(struct ockam_nl *nl, const void *name, size_t len,
		      ockam_nl_link_fn fn, void *arg, struct ockam_err *err)
{
	struct ockam_nl_link_reader reader = { fn, arg };

	return ockam_nl_call_name(nl, OCKAM_CMD_LINK_GET, OCKAM_A_ADDRESS, name, len,
				  ockam_nl_read_link, &reader, err);
}

int ockam_nl_link_dump(struct ockam_nl *nl, ockam_nl_link_fn fn, void *arg,
		       struct ockam_err *err)
{
	struct ockam_nl_link_reader reader = { fn, arg };

	return ockam_nl_call_dump(nl, OCKAM_CMD_LINK_GET, ockam_nl_read_link, &reader, err);
}

/* ---- listeners ----------------------------------------------------------- */

int ockam_nl_listener_new(struct ockam_nl *nl,
			  const struct ockam_nl_listener_new *listener,
			  struct ockam_nl_made *made, struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_LISTENER_NEW,
			      OCKAM_NL_OBJECT_ROOM + listener->opaque.len +
			      ockam_nl_reach_room(&listener->reach));
	ockam_nl_put_name(&req, OCKAM_A_ADDRESS, &listener->address);
	if (listener->flow.present)
		ockam_nl_put(&req, OCKAM_A_FLOW_ID, listener->flow.id,
			     OCKAM_FLOW_ID_LEN);
	ockam_nl_put_reach(&req, &listener->reach);
	ockam_nl_put_blob(&req, OCKAM_A_OPAQUE, &listener->opaque);
	if (listener->timeout_ms)
		ockam_nl_put_u32(&req, OCKAM_A_TIMEOUT_MS,
				 listener->timeout_ms);
	ockam_nl_put_liveness(&req, &listener->liveness);
	return ockam_nl_call(nl, &req, ockam_nl_read_made, made, err);
}

int ockam_nl_listener_set(struct ockam_nl *nl,
			  const struct ockam_nl_listener_set *set,
			  struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_LISTENER_SET,
			      OCKAM_NL_OBJECT_ROOM + set->opaque.len);
	ockam_nl_put_name(&req, OCKAM_A_ADDRESS, &set->address);
	ockam_nl_put_blob(&req, OCKAM_A_OPAQUE, &set->opaque);
	ockam_nl_put_liveness(&req, &set->liveness);
	if (set->abort)
		ockam_nl_put_flag(&req, OCKAM_A_ABORT);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_listener_del(struct ockam_nl *nl, const void *name, size_t len,
			  struct ockam_err *err)
{
	return ockam_nl_call_name(nl, OCKAM_CMD_LISTENER_DEL, OCKAM_A_ADDRESS, name, len,
				  NULL, NULL, err);
}

struct ockam_nl_listener_reader {
	ockam_nl_listener_fn	fn;
	void			*arg;
};

static int ockam_nl_read_listener(void *arg, struct nlattr **tb,
				  struct ockam_err *err)
{
	struct ockam_nl_listener_reader *reader = arg;
	struct ockam_nl_listener listener = {
		.reach = ockam_nl_get_u32(tb, OCKAM_A_REACH),
		.reach_ids = ockam_nl_get_blob(tb, OCKAM_A_REACH_IDS),
		.timeout_ms = ockam_nl_get_u32(tb, OCKAM_A_TIMEOUT_MS),
	};
	int ret;

	ockam_nl_get_name(tb, OCKAM_A_ADDRESS, &listener.address);
	ockam_nl_get_flow(tb, OCKAM_A_FLOW_ID, &listener.flow);
	ockam_nl_get_liveness(tb, &listener.liveness);
	ret = reader->fn(reader->arg, &listener);
	if (ret)
		return ockam_err_set(err, ret, "the list was left early");
	return 0;
}

int ockam_nl_listener_get(struct ockam_nl *nl, const void *name, size_t len,
			  ockam_nl_listener_fn fn, void *arg,
			  struct ockam_err *err)
{
	struct ockam_nl_listener_reader reader = { fn, arg };

	return ockam_nl_call_name(nl, OCKAM_CMD_LISTENER_GET, OCKAM_A_ADDRESS, name, len,
				  ockam_nl_read_listener, &reader, err);
}

int ockam_nl_listener_dump(struct ockam_nl *nl, ockam_nl_listener_fn fn,
			   void *arg, struct ockam_err *err)
{
	struct ockam_nl_listener_reader reader = { fn, arg };

	return ockam_nl_call_dump(nl, OCKAM_CMD_LISTENER_GET, ockam_nl_read_listener, &reader, err);
}
