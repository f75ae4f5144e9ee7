/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake, OCKAM_XX_25519_AES256_GCM_SHA256 (wire-protocol section 5),
 * as a pure state machine: no clock, no input or output, no pointers inside.
 *
 *	initiator: write, read, write, finish
 *	responder: read, write, read, finish
 *
 * A call that fails leaves the state exactly as it was, so a damaged message
 * does not spoil the exchange for the right one that may follow.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_NOISE_H
#define OCKAM_LIB_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto.h"
#include "err.h"

#define OCKAM_NOISE_MESSAGE_MAX	65535	/* bytes of one message, either way */
#define OCKAM_NOISE_MSG1_MIN	32	/* e */
#define OCKAM_NOISE_MSG2_MIN	96	/* e, sealed s, sealed payload */
#define OCKAM_NOISE_MSG3_MIN	64	/* sealed s, sealed payload */
#define OCKAM_NOISE_SEALED_KEY	48	/* sealed s */

enum ockam_noise_role {
	OCKAM_NOISE_INITIATOR,
	OCKAM_NOISE_RESPONDER,
};

/*
 * One exchange. Holds secrets: end it with ockam_noise_wipe(). May be copied
 * as plain bytes. The fields are for this room and its tests only.
 */
struct ockam_noise {
	uint8_t		h[32];
	uint8_t		ck[32];
	uint8_t		k[32];
	uint64_t	n;
	uint8_t		has_k;		/* k is set */
	uint8_t		role;		/* enum ockam_noise_role */
	uint8_t		done;		/* messages written or read so far, 0 to 3 */
	uint8_t		s[32];		/* own static secret and public key */
	uint8_t		s_pub[32];
	uint8_t		e[32];		/* own ephemeral secret and public key */
	uint8_t		e_pub[32];
	uint8_t		re[32];		/* the peer's ephemeral public key */
	uint8_t		rs[32];		/* the peer's static public key */
};

/* Keys of the data phase. send: seals what this side sends. */
struct ockam_noise_keys {
	uint8_t	send[32];
	uint8_t	receive[32];
};

/**
 * ockam_noise_init() - begin an exchange
 * @noise: state to fill
 * @role: which side this is
 * @static_secret: X25519 secret of the purpose key, 32 bytes; copied
 * @ephemeral: NULL; a test may fix the ephemeral secret here, 32 bytes
 * @err: the reason
 *
 * Return: 0 or -EIO (then @noise is wiped).
 */
int ockam_noise_init(struct ockam_noise *noise, enum ockam_noise_role role,
		     const uint8_t static_secret[32], const uint8_t *ephemeral,
		     struct ockam_err *err);

/** ockam_noise_init_pair() - the same, with the public key of the secret at hand */
int ockam_noise_init_pair(struct ockam_noise *noise, enum ockam_noise_role role,
			  const uint8_t static_secret[32], const uint8_t static_public[32],
			  const uint8_t *ephemeral, struct ockam_err *err);

/**
 * ockam_noise_write() - make this side's next message
 * @noise: the exchange
 * @payload: what the message carries; in msg1 it would travel in clear: leave it empty
 * @payload_len: its length in bytes
 * @out: receives the message
 * @size: room in @out, bytes
 * @len: receives the message's length
 * @err: the reason
 *
 * Return: 0; -EPROTO when it is not this side's turn; -EMSGSIZE when the
 * message would not fit @size or OCKAM_NOISE_MESSAGE_MAX; -EKEYREJECTED when
 * the peer's key is of low order; -EIO.
 */
int ockam_noise_write(struct ockam_noise *noise, const void *payload, size_t payload_len,
		      uint8_t *out, size_t size, size_t *len, struct ockam_err *err);

/**
 * ockam_noise_read() - take the peer's next message
 * @noise: the exchange
 * @message: the message
 * @message_len: its length in bytes
 * @payload: receives what it carries; not the memory of @message
 * @size: room in @payload; @message_len always suffices
 * @len: receives the payload's length
 * @err: the reason
 *
 * Whatever payload msg1 carries is accepted; the caller ignores it.
 *
 * Return: 0; -EPROTO out of turn; -EMSGSIZE for a message above
 * OCKAM_NOISE_MESSAGE_MAX or a payload above @size; -EBADMSG for a message
 * that is too short or does not open; -EKEYREJECTED for a key of low order;
 * -EIO.
 */
int ockam_noise_read(struct ockam_noise *noise, const uint8_t *message, size_t message_len,
		     uint8_t *payload, size_t size, size_t *len, struct ockam_err *err);

/**
 * ockam_noise_is_stray() - can this be no third message of this exchange?
 * @noise: the exchange; unchanged
 * @message: what came to a responder that awaits msg3
 * @len: its length in bytes
 *
 * Its first part, the sealed static key, opens with what msg2 left, and only
 * the initiator can have made one that does. So no Diffie-Hellman is done for
 * a stranger's bytes, and whatever else is wrong with msg3 is the initiator's.
 *
 * Return: true when that part is missing or does not open; false also for
 * whoever awaits no msg3.
 */
bool ockam_noise_is_stray(const struct ockam_noise *noise, const uint8_t *message, size_t len);

/**
 * ockam_noise_is_complete() - all three messages are through
 */
bool ockam_noise_is_complete(const struct ockam_noise *noise);

/**
 * ockam_noise_peer() - the peer's static key
 *
 * Return: 32 bytes, valid as long as @noise, or NULL while it is not known
 * (initiator: after msg2, responder: after msg3).
 */
const uint8_t *ockam_noise_peer(const struct ockam_noise *noise);

/**
 * ockam_noise_finish() - keys of the data phase
 * @noise: a complete exchange; wiped by success
 * @keys: receives both keys; the caller wipes them
 * @err: the reason
 *
 * The initiator seals with k2 and opens with k1, the responder the reverse
 * (section 5.3; the opposite of the Noise specification).
 *
 * Return: 0, -EPROTO when messages are missing, -EIO.
 */
int ockam_noise_finish(struct ockam_noise *noise, struct ockam_noise_keys *keys,
		       struct ockam_err *err);

/** ockam_noise_wipe() - forget every secret */
void ockam_noise_wipe(struct ockam_noise *noise);

#endif /* OCKAM_LIB_NOISE_H */
