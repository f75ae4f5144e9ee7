/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake worker: a process of its own for everything that parses what
 * strangers send in handshakes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_WORKER_H
#define OCKAMD_WORKER_H

#include <sys/queue.h>

#include "identity.h"
#include "keeper.h"
#include "nl.h"
#include "noise.h"
#include "payload.h"
#include "workerpipe.h"

#define OCKAMD_WORKER_PIPE	OCKAMD_KEEPER_FD	/* to the node process */
#define OCKAMD_WORKER_AWAITING	256	/* exchanges that wait for their key to come */

#define OCKAMD_WORKER_CACHE	256	/* histories remembered, by first byte of the identifier */
#define OCKAMD_WORKER_CACHE_MS	1000	/* another node of the home may learn a longer one */

/* A history that the node process told a moment ago. */
struct ockamd_worker_known {
	uint8_t		id[OCKAM_IDENTIFIER_LEN];
	int64_t		until;		/* milliseconds, monotonic clock */
	uint8_t		*history;	/* NULL: none */
	size_t		len;
	bool		earned;
};

/*
 * Static key of one identity of the node, with what proves it. Never changed: a
 * rotated identity or a renewed key comes as a new one, so that an exchange
 * ends with what it began with.
 * Refs: its number in the table, each exchange. The last one wipes it.
 */
struct ockamd_worker_key {
	unsigned int		refs;
	struct ockam_identity	*identity;
	uint8_t			secret[OCKAM_SECRET_LEN];
	uint8_t			public[OCKAM_X25519_LEN];	/* ockamd_worker_key_set() */
	struct ockam_buf	attestation;
};

/* What is presented with a key; the credential is empty when there is none. */
struct ockamd_worker_present {
	struct ockam_buf	credential;
	uint64_t		expires_at;
};

struct ockamd_exchange;
LIST_HEAD(ockamd_exchange_list, ockamd_exchange);

/*
 * Exchanges by their ids; grows with them. How many there can be is the kernel's
 * to limit: look_at is how many there must be before it is asked which have
 * ended without our hearing of it.
 */
struct ockamd_exchanges {
	struct ockamd_exchange_list *lists;
	size_t	n_lists;	/* a power of two, or 0 */
	size_t	count;
	size_t	look_at;
};

/* One for the process. */
struct ockamd_worker {
	struct ockam_nl			*nl;
	struct ockamd_worker_key	**keys;		/* OCKAMD_PIPE_KEYS of them, NULL: none */
	struct ockamd_worker_present	*presents;	/* by the same numbers */
	struct ockam_identity		**authorities;	/* OCKAMD_PIPE_AUTHORITIES, NULL: none */
	struct ockam_verified		signatures;
	bool				strict;		/* of struct ockam_payload_rules */
	const struct ockam_nl_control	*control;	/* the refresh being verified */
	struct ockamd_exchanges		exchanges;
	uint64_t			awaiting[OCKAMD_WORKER_AWAITING];	/* a key */
	size_t				n_awaiting;
	bool				key_came;
	int				broken;		/* errno of the pipe, 0: it works */
	struct ockamd_worker_known	known[OCKAMD_WORKER_CACHE];
	bool				known_earned;	/* the peer that was looked up last */
	uint8_t				*packet;	/* OCKAMD_PIPE_MAX bytes, from the pipe */
	uint8_t				*answer;	/* the same: the history last asked for */
	uint8_t				*payload;	/* a handshake message each */
	uint8_t				*message;
};

/** ockamd_worker_run() - the process; returns its exit status */
int ockamd_worker_run(void);

/**
 * ockamd_worker_known() - history that the node knows of an identifier
 *
 * As struct ockam_payload_rules wants it: 1 and *history, 0, or -EAGAIN when
 * the node process does not answer.
 */
int ockamd_worker_known(void *arg, const uint8_t id[OCKAM_IDENTIFIER_LEN],
			const uint8_t **history, size_t *len);

/**
 * ockamd_worker_learnt() - report a new or longer history, before the channel is reported
 * @earned: a rule or a credential has admitted it, or this node has looked for it: its
 *	history is kept when those of strangers must make room
 */
void ockamd_worker_learnt(const struct ockam_peer *peer, bool earned);

/** ockamd_worker_proved() - report a credential that verified in a handshake, before its channel */
void ockamd_worker_proved(const struct ockam_peer *peer);

/** ockamd_worker_refreshed() - report one that a channel's peer has sent later */
void ockamd_worker_refreshed(const struct ockam_nl_control *control,
			     const struct ockam_peer *peer);

/** ockamd_worker_trust_allocate() - tables of this room; 0 or -ENOMEM */
int ockamd_worker_trust_allocate(struct ockamd_worker *worker);

/* Packets of the node process behind their type; 0 or -EBADMSG. */
int ockamd_worker_take_authority(struct ockamd_worker *worker, struct ockam_reader *r);
int ockamd_worker_take_options(struct ockamd_worker *worker, struct ockam_reader *r);
int ockamd_worker_take_present(struct ockamd_worker *worker, struct ockam_reader *r);
int ockamd_worker_take_refresh(struct ockamd_worker *worker, struct ockam_reader *r);

/** ockamd_worker_present() - what is presented with key @index now, NULL: nothing valid */
const struct ockam_buf *ockamd_worker_present(const struct ockamd_worker *worker, uint32_t index);

/** ockamd_worker_authority() - an authority as a list of one, NULL when it is not loaded */
struct ockam_identity *const *ockamd_worker_authority(const struct ockamd_worker *worker,
						      const uint8_t id[OCKAM_IDENTIFIER_LEN]);

/** ockamd_worker_now() - milliseconds of the monotonic clock */
int64_t ockamd_worker_now(void);

/** ockamd_socket_is() - is it the kernel that has written this worker data, for a socket */
bool ockamd_socket_is(const uint8_t *bytes, size_t len);

/**
 * ockamd_socket_rules() - as ockamd_opaque_decode(), of such data
 *
 * Also -EAGAIN: the node process has been asked; once it has answered key_came is set.
 */
int ockamd_socket_rules(const uint8_t *bytes, size_t len, struct ockamd_opaque *opaque,
			struct ockam_err *err);
int ockamd_worker_take_socket(struct ockamd_worker *worker, struct ockam_reader *r);

/** ockamd_worker_key_get() - the key that has number @index now, NULL: none */
struct ockamd_worker_key *ockamd_worker_key_get(struct ockamd_worker *worker, uint32_t index);
/** ockamd_worker_key_put() - give it back; NULL is allowed */
void ockamd_worker_key_put(struct ockamd_worker_key *key);
/**
 * ockamd_worker_key_set() - the key of a number from now on
 * @worker: the worker
 * @index: number, below OCKAMD_PIPE_KEYS
 * @key: copied; what it points to is taken over by success
 *
 * Return: 0 or -ENOMEM.
 */
int ockamd_worker_key_set(struct ockamd_worker *worker, uint32_t index,
			  const struct ockamd_worker_key *key);

/** ockamd_exchange_advance() - take and answer the next message of exchange @id */
void ockamd_exchange_advance(struct ockamd_worker *worker, uint64_t id);

/** ockamd_exchange_key_came() - go on with what waits for one */
void ockamd_exchange_key_came(struct ockamd_worker *worker);

/**
 * ockamd_exchange_look() - when there are many: ask the kernel about each
 *
 * Those that have ended unheard are forgotten, those that wait are answered.
 */
void ockamd_exchange_look(struct ockamd_worker *worker);

/** ockamd_exchange_control() - a RefreshCredentials body of a channel's peer */
void ockamd_exchange_control(struct ockamd_worker *worker,
			     const struct ockam_nl_control *control);

#endif /* OCKAMD_WORKER_H */
