/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What node process and handshake worker say to each other: one CBOR array a
 * packet, [type, fields...], on a SOCK_SEQPACKET pair. Each side treats the
 * other's packets as a stranger's.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_WORKERPIPE_H
#define OCKAMD_WORKERPIPE_H

#include <sys/types.h>

#include "buf.h"
#include "identity.h"
#include "names.h"
#include "reader.h"
#include "trust.h"

#define OCKAMD_PIPE_MAX		(96 * 1024)	/* bytes of one packet: a history and more */
#define OCKAMD_PIPE_KEYS	256	/* identities of one node */
#define OCKAMD_PIPE_AUTHORITIES	64	/* authorities of one node and its rules */
#define OCKAMD_PIPE_CREDENTIALS	4	/* credentials presented on one channel */

enum ockamd_pipe_type {
	/* node process to worker */
	OCKAMD_PIPE_KEY		= 1,	/* index, history, X25519 secret, attestation */
	OCKAMD_PIPE_AUTHORITY	= 2,	/* index, history of whose credentials may count */
	OCKAMD_PIPE_PEER	= 3,	/* to PEER_ASK: identifier, history or null, earned */
	OCKAMD_PIPE_OPTIONS	= 4,	/* strict rules for identities */
	OCKAMD_PIPE_PRESENT	= 5,	/* index of a key, expiry, credential or null */
	OCKAMD_PIPE_REFRESH	= 6,	/* index of a key, encryptor: present it there now */
	/* To SOCKET_ASK: the same, errno (positive), sentence; or 0, worker data. */
	OCKAMD_PIPE_SOCKET	= 7,
	/* worker to node process */
	OCKAMD_PIPE_READY	= 16,	/* bound and locked up */
	OCKAMD_PIPE_FAILED	= 17,	/* errno (positive), sentence: it ends now */
	OCKAMD_PIPE_PEER_ASK	= 18,	/* identifier */
	OCKAMD_PIPE_PEER_PUT	= 19,	/* verified history: new, rotated or earned now */
	OCKAMD_PIPE_LOG		= 20,	/* level, text */
	OCKAMD_PIPE_REFRESHED	= 21,	/* encryptor; as PROVED, of its peer */
	OCKAMD_PIPE_PROVED	= 22,	/* peer, issuer, expiry, attributes: in a handshake */
	OCKAMD_PIPE_SOCKET_ASK	= 23,	/* identity's name or "", user, is it an administrator */
	/* process of a look-up to node process; FAILED as well */
	OCKAMD_PIPE_FOUND	= 32,	/* list of socket addresses */
};

/** ockamd_pipe_begin() - start a packet with @n_fields fields behind its type */
void ockamd_pipe_begin(struct ockam_buf *packet, enum ockamd_pipe_type type,
		       unsigned int n_fields);

/**
 * ockamd_pipe_send() - send a packet
 * @timeout_ms: how long to wait for room; 0: not at all
 *
 * Return: 0; -EAGAIN, -ETIMEDOUT without room; -EPIPE; -ENOMEM when @packet
 * could not be built.
 */
int ockamd_pipe_send(int fd, const struct ockam_buf *packet, int timeout_ms);

/**
 * ockamd_pipe_receive() - take a packet and open it
 * @buffer: OCKAMD_PIPE_MAX bytes
 * @type: receives the type
 * @r: receives the position of the first field
 *
 * Return: 0; -EAGAIN; -EPIPE at the end; -EBADMSG for garbage.
 */
int ockamd_pipe_receive(int fd, uint8_t *buffer, uint64_t *type, struct ockam_reader *r);

/*
 * Worker data of a channel or channel listener (OCKAM_A_OPAQUE): which
 * identity, who is trusted, what is presented, whose credentials count. CBOR
 * [index, trust, [*bytes], authority / null, present].
 *
 * present: what PIPE_PRESENT has given for the key is presented, and without it
 * there is no channel.
 */
struct ockamd_opaque {
	uint32_t		key;		/* index of OCKAMD_PIPE_KEY */
	struct ockam_trust	trust;
	struct ockam_piece	credentials[OCKAMD_PIPE_CREDENTIALS];	/* borrowed */
	size_t			n_credentials;
	bool			has_authority;
	uint8_t			authority[OCKAM_IDENTIFIER_LEN];
	bool			present;
};

/** ockamd_opaque_encode() - append to @out, whose failed is the caller's to check */
void ockamd_opaque_encode(const struct ockamd_opaque *opaque, struct ockam_buf *out);

/**
 * ockamd_opaque_decode() - the reverse; credentials point into @bytes
 *
 * Return: 0 (then ockam_trust_free() it); -EBADMSG; -E2BIG; -ENOMEM.
 */
int ockamd_opaque_decode(const uint8_t *bytes, size_t len, struct ockamd_opaque *opaque,
			 struct ockam_err *err);

/* For whom a socket makes a channel, and by which identity of the home. */
struct ockamd_socket_who {
	char		name[OCKAM_NAME_SIZE];	/* "": the node's own */
	uint32_t	uid;
	bool		admin;
};

/** ockamd_socket_put_who() - three fields of a packet */
void ockamd_socket_put_who(const struct ockamd_socket_who *who, struct ockam_buf *packet);
/** ockamd_socket_read_who() - the reverse; 0 or -EBADMSG */
int ockamd_socket_read_who(struct ockam_reader *r, struct ockamd_socket_who *who);

#endif /* OCKAMD_WORKERPIPE_H */
