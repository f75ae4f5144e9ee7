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

/*
 * A route as it stands in CBOR, borrowed: the whole item. It is well formed,
 * and takes ->packed_len bytes in packed form, within the limits.
 */
struct ockam_wire_route {
	const u8 *cbor;
	u32 cbor_len;
	u16 packed_len;
	u8 hops;
};

/* What a frame body or a Payload holds. ->payload is an offset in the buffer. */
struct ockam_wire_message {
	struct ockam_wire_route onward;
	struct ockam_wire_route ret;
	size_t payload;
	size_t payload_len;
};

/*
 * Decode [onward, return, payload, ? trace] of @len bytes, whose first @have
 * are at @buf; the routes point there. Returns 0, -EINVAL (malformed), -E2BIG
 * (a route above our limits, the rest is well formed) or, only with less than
 * @len bytes, -EAGAIN: the answer may depend on more bytes than @have. It does
 * not when the routes are written in the canonical way, the head of the payload
 * is there and nothing follows the payload. @m means nothing after an error.
 * An empty onward route is a heartbeat, not an error.
 */
int ockam_wire_scan_body(const u8 *buf, size_t have, size_t len,
			 struct ockam_wire_message *m);

/* What a channel packet carries. Numbers are the CBOR variant indices. */
enum ockam_inner_kind {
	OCKAM_INNER_PAYLOAD = 0,
	OCKAM_INNER_REFRESH = 1,	/* RefreshCredentials */
	OCKAM_INNER_CLOSE = 2,
};

/*
 * The same for the plaintext of a packet, a SecureChannelPaddedMessage. @last
 * is the last of @len bytes: the empty padding of all who write canonically.
 * With less than @len bytes, only a Payload can be told.
 *
 * PAYLOAD: as a body. REFRESH: the payload is the CBOR item [change_history,
 * credentials], and there are no routes. CLOSE: nothing.
 */
int ockam_wire_scan_inner(const u8 *buf, size_t have, size_t len, u8 last,
			  enum ockam_inner_kind *kind,
			  struct ockam_wire_message *m);

/*
 * Write the packed form, ->packed_len bytes. The bytes that @r points to must be
 * those that were scanned: memory that nobody else can write.
 */
void ockam_wire_pack(const struct ockam_wire_route *r, u8 *to);

/* Bytes of a route in CBOR. */
size_t ockam_wire_hops_len(const struct ockam_hops *h);

/* Bytes that ockam_wire_put_body() will write. */
size_t ockam_wire_body_len(const struct ockam_hops *onward,
			   const struct ockam_hops *ret, size_t payload_len);
/*
 * Write array(3), both routes and the header of the payload, right before the
 * payload bytes: nothing follows them. Returns the end of what was written.
 */
u8 *ockam_wire_put_body(u8 *p, const struct ockam_hops *onward,
			const struct ockam_hops *ret, size_t payload_len);

/* Payload: header before and trailer (the empty padding) behind the bytes. */
#define OCKAM_INNER_TRAILER_LEN	1
size_t ockam_wire_inner_len(const struct ockam_hops *onward,
			    const struct ockam_hops *ret, size_t payload_len);
u8 *ockam_wire_put_inner(u8 *p, const struct ockam_hops *onward,
			 const struct ockam_hops *ret, size_t payload_len);
u8 *ockam_wire_encode_inner_trailer(u8 *p);

/* Close: 82 82 02 80 40. Refresh: 82 82 01 81, then the body, then the trailer. */
#define OCKAM_INNER_CLOSE_LEN		5
#define OCKAM_INNER_REFRESH_HEADER_LEN	4
u8 *ockam_wire_encode_close(u8 *p);
u8 *ockam_wire_encode_refresh_header(u8 *p);

#endif /* OCKAM_WIRE_H */
