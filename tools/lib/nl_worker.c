// SPDX-License-Identifier: Apache-2.0
/*
 * Netlink client: commands of the handshake worker. Requests with keys are
 * wiped by ockam_nl_call(), answers by ockam_nl_fetched_free().
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "nl_priv.h"

#define OCKAM_NL_REASON_MAX	255	/* bytes of a sentence */

/* Appends a blob to the buffer, which is large enough. */
static struct ockam_nl_blob ockam_nl_copy_blob(struct ockam_nl_fetched *out,
					       struct ockam_nl_blob from)
{
	struct ockam_nl_blob to = { NULL, from.len };

	if (!from.data)
		return to;
	to.data = (uint8_t *)out->buffer + out->buffer_len;
	memcpy((uint8_t *)out->buffer + out->buffer_len, from.data, from.len);
	out->buffer_len += from.len;
	return to;
}

static int ockam_nl_read_fetched(void *arg, struct nlattr **tb,
				 struct ockam_err *err)
{
	struct ockam_nl_blob message = ockam_nl_get_blob(tb, OCKAM_A_MESSAGE);
	struct ockam_nl_blob opaque = ockam_nl_get_blob(tb, OCKAM_A_OPAQUE);
	struct ockam_nl_fetched *out = arg;

	ockam_nl_fetched_free(out);
	out->exchange_id = ockam_nl_get_u64(tb, OCKAM_A_EXCHANGE_ID);
	out->role = ockam_nl_get_u8(tb, OCKAM_A_ROLE);
	out->message_number = ockam_nl_get_u32(tb, OCKAM_A_MESSAGE_NUMBER);
	ockam_nl_get_name(tb, OCKAM_A_LISTENER, &out->listener);
	out->buffer = malloc(message.len + opaque.len + 1);
	if (!out->buffer)
		return ockam_err_set(err, -ENOMEM,
				     "no memory for a handshake message");
	out->message = ockam_nl_copy_blob(out, message);
	out->opaque = ockam_nl_copy_blob(out, opaque);
	return 0;
}

int ockam_nl_fetch(struct ockam_nl *nl, uint64_t exchange_id,
		   struct ockam_nl_fetched *out, struct ockam_err *err)
{
	struct ockam_nl_request req;
	int ret;

	memset(out, 0, sizeof(*out));
	ockam_nl_request_init(nl, &req, OCKAM_CMD_HANDSHAKE_FETCH, 0);
	ockam_nl_put_u64(&req, OCKAM_A_EXCHANGE_ID, exchange_id);
	ret = ockam_nl_call(nl, &req, ockam_nl_read_fetched, out, err);
	if (!ret && out->exchange_id != exchange_id)
		ret = ockam_err_set(err, -EBADMSG,
				    "the kernel answered for another exchange");
	if (ret)
		ockam_nl_fetched_free(out);
	return ret;
}

void ockam_nl_fetched_free(struct ockam_nl_fetched *out)
{
	if (out->buffer)
		OPENSSL_cleanse(out->buffer, out->buffer_len);
	free(out->buffer);
	memset(out, 0, sizeof(*out));
}

int ockam_nl_handshake_send(struct ockam_nl *nl, uint64_t exchange_id,
			    const void *message, size_t len,
			    struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_HANDSHAKE_SEND, len);
	ockam_nl_put_u64(&req, OCKAM_A_EXCHANGE_ID, exchange_id);
	ockam_nl_put(&req, OCKAM_A_MESSAGE, message, len);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_handshake_skip(struct ockam_nl *nl, uint64_t exchange_id, struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_HANDSHAKE_SKIP, 0);
	ockam_nl_put_u64(&req, OCKAM_A_EXCHANGE_ID, exchange_id);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

static void ockam_nl_put_reason(struct ockam_nl_request *req, int error,
				const char *reason)
{
	char text[OCKAM_NL_REASON_MAX + 1];
	size_t len;

	ockam_nl_put_u32(req, OCKAM_A_ERRNO, (uint32_t)error);
	if (!reason)
		return;
	len = strnlen(reason, OCKAM_NL_REASON_MAX);
	memcpy(text, reason, len);
	text[len] = '\0';
	ockam_nl_put_text(req, OCKAM_A_REASON, text);
}

static void ockam_nl_put_keys(struct ockam_nl_request *req,
			      const struct ockam_nl_done *done)
{
	ockam_nl_put(req, OCKAM_A_PEER, done->peer, OCKAM_IDENTIFIER_LEN);
	ockam_nl_put(req, OCKAM_A_KEY_TX, done->key_tx, OCKAM_KEY_LEN);
	ockam_nl_put(req, OCKAM_A_KEY_RX, done->key_rx, OCKAM_KEY_LEN);
}

int ockam_nl_done(struct ockam_nl *nl, const struct ockam_nl_done *done,
		  struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_HANDSHAKE_DONE,
			      done->attributes.len + done->control.len +
			      done->reach.n_ids * OCKAM_FLOW_ID_LEN);
	ockam_nl_put_u64(&req, OCKAM_A_EXCHANGE_ID, done->exchange_id);
	ockam_nl_put_reason(&req, 0, NULL);
	ockam_nl_put_keys(&req, done);
	if (done->local_id)
		ockam_nl_put(&req, OCKAM_A_LOCAL_ID, done->local_id,
			     OCKAM_IDENTIFIER_LEN);
	ockam_nl_put_reach(&req, &done->reach);
	if (done->expiry)
		ockam_nl_put_u64(&req, OCKAM_A_EXPIRY, done->expiry);
	ockam_nl_put_blob(&req, OCKAM_A_ATTRIBUTES, &done->attributes);
	ockam_nl_put_blob(&req, OCKAM_A_CONTROL, &done->control);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_done_failed(struct ockam_nl *nl, uint64_t exchange_id, int error,
			 const char *reason, struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_HANDSHAKE_DONE, 0);
	ockam_nl_put_u64(&req, OCKAM_A_EXCHANGE_ID, exchange_id);
	ockam_nl_put_reason(&req, error, reason);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_done_refused(struct ockam_nl *nl, const struct ockam_nl_done *done,
			  int error, const char *reason, struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_HANDSHAKE_DONE, 0);
	ockam_nl_put_u64(&req, OCKAM_A_EXCHANGE_ID, done->exchange_id);
	ockam_nl_put_reason(&req, error, reason);
	ockam_nl_put_keys(&req, done);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}

int ockam_nl_control_send(struct ockam_nl *nl, const void *encryptor,
			  size_t encryptor_len, const void *body, size_t len,
			  struct ockam_err *err)
{
	struct ockam_nl_request req;

	ockam_nl_request_init(nl, &req, OCKAM_CMD_CHANNEL_CONTROL,
			      encryptor_len + len);
	ockam_nl_put(&req, OCKAM_A_ENCRYPTOR, encryptor, encryptor_len);
	ockam_nl_put(&req, OCKAM_A_CONTROL, body, len);
	return ockam_nl_call(nl, &req, NULL, NULL, err);
}
