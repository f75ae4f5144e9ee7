/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of the data phase in user space (wire-protocol section 6), for
 * tests; in a node the kernel does this.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_TEST_PACKET_H
#define OCKAM_TEST_PACKET_H

#include "buf.h"
#include "crypto.h"
#include "err.h"
#include "reader.h"
#include "route.h"

#define OCKAM_PACKET_OVERHEAD	24	/* nonce and tag, bytes */
#define OCKAM_PACKET_INTERVAL	32	/* messages of one key */
#define OCKAM_PACKET_WINDOW	32	/* nonces accepted ahead of and behind the highest */

/* Sending half. Wipe with ockam_crypto_wipe(). */
struct ockam_sealer {
	uint8_t		key[32];
	uint64_t	nonce;	/* of the next packet */
};

/* Receiving half. Wipe with ockam_crypto_wipe(). */
struct ockam_opener {
	uint8_t		current[32];
	uint8_t		previous[32];
	uint64_t	interval;	/* number of the current key */
	uint64_t	highest;	/* highest accepted nonce, 0 at first */
	uint64_t	seen;		/* bit i: nonce highest - i was accepted, i to 32 */
};

enum ockam_message_kind {
	OCKAM_MESSAGE_PAYLOAD	= 0,
	OCKAM_MESSAGE_REFRESH	= 1,
	OCKAM_MESSAGE_CLOSE	= 2,
};

/* A decoded plaintext. body points into the decoded bytes. */
struct ockam_plaintext {
	enum ockam_message_kind	kind;
	struct ockam_route	onward;		/* PAYLOAD */
	struct ockam_route	back;		/* PAYLOAD: return route */
	struct ockam_piece	body;		/* PAYLOAD: payload; REFRESH: CBOR body */
};

/** ockam_packet_next_key() - one rekey step (6.4); @next may be @key; 0 or -EIO */
int ockam_packet_next_key(const uint8_t key[32], uint8_t next[32]);

/** ockam_sealer_init() - begin with @key and nonce 0 */
void ockam_sealer_init(struct ockam_sealer *sealer, const uint8_t key[32]);

/** ockam_opener_init() - begin with @key and an empty window */
void ockam_opener_init(struct ockam_opener *opener, const uint8_t key[32]);

/**
 * ockam_packet_seal() - make the next packet
 * @sealer: key and nonce; unchanged by failure
 * @plain: plaintext
 * @len: its length in bytes
 * @out: receives @len + OCKAM_PACKET_OVERHEAD bytes
 * @err: the reason
 *
 * Return: 0; -EOVERFLOW when nonces have run out; -EIO.
 */
int ockam_packet_seal(struct ockam_sealer *sealer, const void *plain, size_t len,
		      uint8_t *out, struct ockam_err *err);

/**
 * ockam_packet_open() - check and open one packet
 * @opener: keys and window; unchanged by failure
 * @packet: nonce, ciphertext, tag
 * @len: length in bytes
 * @out: receives @len - OCKAM_PACKET_OVERHEAD bytes
 * @err: the reason
 *
 * Return: 0; -EBADMSG for a short packet or wrong tag; -ERANGE for a nonce
 * too far ahead; -ESTALE for one too old; -EALREADY for one seen before; -EIO.
 */
int ockam_packet_open(struct ockam_opener *opener, const uint8_t *packet, size_t len,
		      uint8_t *out, struct ockam_err *err);

/* Build plaintexts (6.1): padded, definite, shortest form; appended to @out. */
void ockam_plaintext_payload(const struct ockam_route *onward, const struct ockam_route *back,
			     const void *payload, size_t len, struct ockam_buf *out);
void ockam_plaintext_refresh(const void *body, size_t len, struct ockam_buf *out);
void ockam_plaintext_close(struct ockam_buf *out);

/** ockam_plaintext_decode() - decode what a packet carried; 0, -EBADMSG, -E2BIG */
int ockam_plaintext_decode(const uint8_t *bytes, size_t len, struct ockam_plaintext *plain,
			   struct ockam_err *err);

/** ockam_route_encode() - append the CBOR form of a route (wire-protocol 1.2) */
void ockam_route_encode(const struct ockam_route *route, struct ockam_buf *out);

/** ockam_route_decode() - read the CBOR form; 0, -EBADMSG, -E2BIG */
int ockam_route_decode(struct ockam_reader *r, struct ockam_route *route,
		       struct ockam_err *err);

#endif /* OCKAM_TEST_PACKET_H */
