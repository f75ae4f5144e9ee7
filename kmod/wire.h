/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes of the protocol: the body of a stream frame, and the plaintext inside
 * a secure-channel packet (wire-protocol sections 2.2 and 6.1). Decoding is as
 * liberal as the Rust crates (any integer width, indefinite arrays, extra
 * elements, trailing bytes), encoding always canonical.
 *
 * Floor 0: no locks, no struct net; the same code runs on the host.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_WIRE_H
#define OCKAM_WIRE_H

#include "addr.h"

/* A decoded frame body. ->payload points into the decoded buffer. */
struct ockam_body {
	struct ockam_route onward;	/* owned: ockam_body_reset() */
	struct ockam_route ret;
	const u8 *payload;
	size_t payload_len;
};

void ockam_body_init(struct ockam_body *b);
void ockam_body_reset(struct ockam_body *b);

/*
 * Decode @len bytes [onward, return, payload, ? trace]. 0, -EINVAL (malformed),
 * -E2BIG (a route above our limits), -ENOMEM. @b is initialised by the caller
 * and is reset on error. An empty onward route is a heartbeat, not an error.
 */
int ockam_wire_decode_body(const u8 *buf, size_t len, struct ockam_body *b);

/* Bytes that ockam_wire_encode_body_header() will write. */
size_t ockam_wire_body_header_len(const struct ockam_route *onward,
				  const struct ockam_route *ret,
				  size_t payload_len);
/*
 * Write array(3), both routes and the header of the payload, right before the
 * payload bytes: nothing follows them. Returns the end of what was written.
 */
u8 *ockam_wire_encode_body_header(u8 *p, const struct ockam_route *onward,
				  const struct ockam_route *ret,
				  size_t payload_len);

/* What a channel packet carries. Numbers are the CBOR variant indices. */
enum ockam_inner_kind {
	OCKAM_INNER_PAYLOAD = 0,
	OCKAM_INNER_REFRESH = 1,	/* RefreshCredentials */
	OCKAM_INNER_CLOSE = 2,
};

/*
 * A decoded SecureChannelPaddedMessage. PAYLOAD: routes and ->payload.
 * REFRESH: ->payload is the body, the CBOR item [change_history, credentials].
 */
struct ockam_inner {
	enum ockam_inner_kind kind;
	struct ockam_body body;
};

/* As ockam_wire_decode_body(), for the plaintext of a packet. */
int ockam_wire_decode_inner(const u8 *buf, size_t len, struct ockam_inner *in);

/* Payload: header before and trailer (the empty padding) behind the bytes. */
#define OCKAM_INNER_TRAILER_LEN	1
size_t ockam_wire_inner_header_len(const struct ockam_route *onward,
				   const struct ockam_route *ret,
				   size_t payload_len);
u8 *ockam_wire_encode_inner_header(u8 *p, const struct ockam_route *onward,
				   const struct ockam_route *ret,
				   size_t payload_len);
u8 *ockam_wire_encode_inner_trailer(u8 *p);

/* Close: 82 82 02 80 40. Refresh: 82 82 01 81, then the body, then the trailer. */
#define OCKAM_INNER_CLOSE_LEN		5
#define OCKAM_INNER_REFRESH_HEADER_LEN	4
u8 *ockam_wire_encode_close(u8 *p);
u8 *ockam_wire_encode_refresh_header(u8 *p);

#endif /* OCKAM_WIRE_H */
