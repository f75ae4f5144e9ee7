// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "packet.h"

void ockam_route_encode(const struct ockam_route *route, struct ockam_buf *out)
{
	struct ockam_hop hop;

	ockam_buf_put_array(out, route->hops);
	for (unsigned int i = 0; ockam_route_hop(route, i, &hop); i++) {
		ockam_buf_put_array(out, 2);
		ockam_buf_put_uint(out, hop.type);
		ockam_buf_put_bytes(out, hop.name, hop.len);
	}
}

int ockam_route_decode(struct ockam_reader *r, struct ockam_route *route, struct ockam_err *err)
{
	struct ockam_reader_list hops, hop;
	struct ockam_piece name;
	uint64_t type;
	int more, ret;

	route->hops = 0;
	route->len = 0;
	if (ockam_reader_array(r, &hops))
		return ockam_err_set(err, -EBADMSG, "a route must be a CBOR array");
	while ((more = ockam_reader_more(r, &hops)) > 0) {
		if (ockam_reader_array(r, &hop) || ockam_reader_more(r, &hop) <= 0 ||
		    ockam_reader_uint(r, UINT8_MAX, &type) || ockam_reader_more(r, &hop) <= 0 ||
		    ockam_reader_bytes(r, &name) || ockam_reader_close(r, &hop, 1))
			return ockam_err_set(err, -EBADMSG, "hop %u of the route does not decode",
					     route->hops);
		ret = ockam_route_append(route, (uint8_t)type, name.data, name.len, err);
		if (ret)
			return ret == -EINVAL ? -EBADMSG : ret;
	}
	return more < 0 ? ockam_err_set(err, -EBADMSG, "the route ends too early") : 0;
}

int ockam_packet_next_key(const uint8_t key[32], uint8_t next[32])
{
	static const uint8_t zero[32];
	uint8_t sealed[32 + OCKAM_TAG_LEN];
	int ret = ockam_crypto_seal(key, UINT64_MAX, NULL, 0, zero, sizeof(zero), sealed);

	if (!ret)
		memcpy(next, sealed, 32);
	ockam_crypto_wipe(sealed, sizeof(sealed));
	return ret;
}

void ockam_sealer_init(struct ockam_sealer *sealer, const uint8_t key[32])
{
	memcpy(sealer->key, key, 32);
	sealer->nonce = 0;
}

void ockam_opener_init(struct ockam_opener *opener, const uint8_t key[32])
{
	memset(opener, 0, sizeof(*opener));
	memcpy(opener->current, key, 32);
}

int ockam_packet_seal(struct ockam_sealer *sealer, const void *plain, size_t len,
		      uint8_t *out, struct ockam_err *err)
{
	uint64_t nonce = sealer->nonce;
	uint8_t key[32];
	int ret = 0;

	/* 2^64-1 is the nonce of the rekey step. */
	if (nonce == UINT64_MAX)
		return ockam_err_set(err, -EOVERFLOW,
				     "the channel has used up its nonces: make a new one");
	memcpy(key, sealer->key, 32);
	if (nonce && nonce % OCKAM_PACKET_INTERVAL == 0)
		ret = ockam_packet_next_key(key, key);
	if (!ret)
		ret = ockam_crypto_seal(key, nonce, NULL, 0, plain, len, out + 8);
	if (ret) {
		ockam_err_set(err, ret, "libcrypto failed to seal a packet");
		goto out;
	}
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(nonce >> 8 * (7 - i));
	memcpy(sealer->key, key, 32);
	sealer->nonce++;
out:
	ockam_crypto_wipe(key, sizeof(key));
	return ret;
}

/* Section 6.3, step 2. */
static int ockam_opener_check(const struct ockam_opener *opener, uint64_t nonce,
			      struct ockam_err *err)
{
	uint64_t behind;

	if (nonce > opener->highest) {
		if (nonce - opener->highest > OCKAM_PACKET_WINDOW)
			return ockam_err_set(err, -ERANGE, "the packet's nonce is too far ahead");
		return 0;
	}
	behind = opener->highest - nonce;
	if (behind > OCKAM_PACKET_WINDOW)
		return ockam_err_set(err, -ESTALE, "the packet's nonce is too old");
	if (opener->seen >> behind & 1)
		return ockam_err_set(err, -EALREADY, "the packet was received before");
	return 0;
}

static void ockam_opener_mark(struct ockam_opener *opener, uint64_t nonce)
{
	if (nonce > opener->highest) {
		opener->seen = opener->seen << (nonce - opener->highest) | 1;
		opener->highest = nonce;
	} else {
		opener->seen |= (uint64_t)1 << (opener->highest - nonce);
	}
}

int ockam_packet_open(struct ockam_opener *opener, const uint8_t *packet, size_t len,
		      uint8_t *out, struct ockam_err *err)
{
	uint64_t nonce = 0;
	uint64_t interval;
	uint8_t key[32];
	int ret;

	if (len < OCKAM_PACKET_OVERHEAD)
		return ockam_err_set(err, -EBADMSG, "a packet of %zu bytes is too short", len);
	for (int i = 0; i < 8; i++)
		nonce = nonce << 8 | packet[i];
	ret = ockam_opener_check(opener, nonce, err);
	if (ret)
		return ret;
	interval = nonce / OCKAM_PACKET_INTERVAL;
	memcpy(key, interval < opener->interval ? opener->previous : opener->current, 32);
	if (interval > opener->interval)
		ret = ockam_packet_next_key(key, key);
	if (!ret)
		ret = ockam_crypto_open(key, nonce, NULL, 0, packet + 8, len - 8, out);
	if (ret) {
		ockam_err_set(err, ret, ret == -EBADMSG ? "the packet does not open" :
			      "libcrypto failed to open a packet");
		goto out;
	}
	ockam_opener_mark(opener, nonce);
	if (interval > opener->interval) {
		memcpy(opener->previous, opener->current, 32);
		memcpy(opener->current, key, 32);
		opener->interval++;
	}
out:
	ockam_crypto_wipe(key, sizeof(key));
	return ret;
}

static void ockam_plaintext_begin(struct ockam_buf *out, enum ockam_message_kind kind,
				  unsigned int fields)
{
	ockam_buf_put_array(out, 2);
	ockam_buf_put_array(out, 2);
	ockam_buf_put_uint(out, kind);
	ockam_buf_put_array(out, fields);
}

void ockam_plaintext_payload(const struct ockam_route *onward, const struct ockam_route *back,
			     const void *payload, size_t len, struct ockam_buf *out)
{
	ockam_plaintext_begin(out, OCKAM_MESSAGE_PAYLOAD, 1);
	ockam_buf_put_array(out, 3);
	ockam_route_encode(onward, out);
	ockam_route_encode(back, out);
	ockam_buf_put_bytes(out, payload, len);
	ockam_buf_put_bytes(out, NULL, 0);
}

void ockam_plaintext_refresh(const void *body, size_t len, struct ockam_buf *out)
{
	ockam_plaintext_begin(out, OCKAM_MESSAGE_REFRESH, 1);
	ockam_buf_put(out, body, len);
	ockam_buf_put_bytes(out, NULL, 0);
}

void ockam_plaintext_close(struct ockam_buf *out)
{
	ockam_plaintext_begin(out, OCKAM_MESSAGE_CLOSE, 0);
	ockam_buf_put_bytes(out, NULL, 0);
}

static int ockam_plaintext_read_payload(struct ockam_reader *r, struct ockam_plaintext *plain,
					struct ockam_err *err)
{
	struct ockam_reader_list list;
	int ret;

	if (ockam_reader_array(r, &list) || ockam_reader_more(r, &list) <= 0)
		return -EBADMSG;
	ret = ockam_route_decode(r, &plain->onward, err);
	if (ret || ockam_reader_more(r, &list) <= 0)
		return ret ? ret : -EBADMSG;
	ret = ockam_route_decode(r, &plain->back, err);
	if (ret || ockam_reader_more(r, &list) <= 0)
		return ret ? ret : -EBADMSG;
	return ockam_reader_bytes(r, &plain->body) ? -EBADMSG : ockam_reader_close(r, &list, 1);
}

/* What the kind of message holds: Close nothing, whatever stands there. */
static int ockam_plaintext_read_fields(struct ockam_reader *r, struct ockam_plaintext *plain,
				       struct ockam_err *err)
{
	struct ockam_reader_list fields, body;
	struct ockam_reader inside;
	int ret;

	if (plain->kind == OCKAM_MESSAGE_CLOSE)
		return ockam_reader_skip(r);
	if (ockam_reader_array(r, &fields) || ockam_reader_more(r, &fields) <= 0)
		return -EBADMSG;
	inside = *r;
	if (plain->kind == OCKAM_MESSAGE_PAYLOAD)
		ret = ockam_plaintext_read_payload(r, plain, err);
	else
		ret = ockam_reader_array(&inside, &body) ? -EBADMSG :
		      ockam_reader_item(r, &plain->body);
	return ret ? ret : ockam_reader_close(r, &fields, 1);
}

int ockam_plaintext_decode(const uint8_t *bytes, size_t len, struct ockam_plaintext *plain,
			   struct ockam_err *err)
{
	struct ockam_reader_list list, variant;
	struct ockam_piece padding;
	struct ockam_reader r;
	uint64_t kind;
	int ret;

	memset(plain, 0, sizeof(*plain));
	ockam_err_set(err, -EBADMSG, "the packet's content does not decode");
	ockam_reader_init(&r, bytes, len);
	if (ockam_reader_array(&r, &list) || ockam_reader_more(&r, &list) <= 0 ||
	    ockam_reader_array(&r, &variant) || variant.left != 2 ||
	    ockam_reader_uint(&r, OCKAM_MESSAGE_CLOSE, &kind))
		return -EBADMSG;
	plain->kind = (enum ockam_message_kind)kind;
	ret = ockam_plaintext_read_fields(&r, plain, err);
	if (ret)
		return ret;
	if (ockam_reader_more(&r, &list) <= 0 || ockam_reader_bytes(&r, &padding) ||
	    ockam_reader_close(&r, &list, 1))
		return -EBADMSG;
	return 0;
}
