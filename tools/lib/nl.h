/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client of the kernel's generic netlink family "ockam": typed calls for its
 * commands, and callbacks for what the kernel says on its own.
 *
 * A handle belongs to the network namespace (so to the node) that was current
 * when it was opened, and to one thread at a time. The port of the handle is
 * its authority: the handle that called ockam_nl_node_own() owns the node until
 * it is closed, the one that called ockam_nl_worker_bind() does the handshakes.
 * No call waits for a peer: a call ends with the kernel's acknowledgement, and
 * what takes time comes later through a callback.
 *
 * All integers are in host byte order. Names are raw bytes, not text. Routes
 * are packed hops (linux/ockam.h). Every call returns 0 or a negative errno and
 * then a sentence in @err (NULL when no text is wanted), the kernel's own one
 * where it gave one. Buffers that carried secrets are wiped.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_NL_H
#define OCKAM_LIB_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/ockam.h>
#include <linux/ockam_netlink.h>

#include "err.h"

struct ockam_nl;

/*
 * A borrowed piece of memory. In arguments: the caller's; in callbacks and
 * results: valid until the callback returns. data == NULL means "not given",
 * which is not the same as given and empty.
 */
struct ockam_nl_blob {
	const uint8_t	*data;
	size_t		len;
};

/* An address name by value. len == 0 means none. */
struct ockam_nl_name {
	uint8_t	len;
	uint8_t	bytes[OCKAM_ADDR_MAX_LEN];
};

/* A flow-control id that may be absent. */
struct ockam_nl_flow {
	bool	present;
	uint8_t	id[OCKAM_FLOW_ID_LEN];
};

/* An identifier that may be absent. */
struct ockam_nl_identifier {
	bool	present;
	uint8_t	id[OCKAM_IDENTIFIER_LEN];
};

/*
 * Who may reach an endpoint. In arguments: set says whether the fields are
 * sent at all (else the kernel's default stays); ids are n_ids * 16 bytes,
 * borrowed. A mask of 0 with no ids means nobody.
 */
struct ockam_nl_reach {
	bool			set;
	uint32_t		mask;	/* OCKAM_REACH_* */
	const uint8_t		*ids;
	size_t			n_ids;
};

/* ---- the handle ---------------------------------------------------------- */

struct ockam_nl_control {
	struct ockam_nl_name		encryptor;
	struct ockam_nl_identifier	peer;
	struct ockam_nl_blob		body;	/* CBOR [change_history, credentials] */
};

/* How a CHANNEL_NEW ended. */
struct ockam_nl_result {
	uint32_t			seq;	/* what ockam_nl_channel_new() gave */
	int				error;	/* 0 or a negative errno */
	const char			*reason;	/* a sentence, "" without one */
	struct ockam_nl_name		encryptor;
	struct ockam_nl_name		decryptor;
	struct ockam_nl_flow		flow;
	struct ockam_nl_identifier	peer;
	bool				confirmed;
};

struct ockam_nl_event {
	uint8_t				event;	/* enum ockam_event */
	struct ockam_nl_name		address;
	uint8_t				kind;	/* enum ockam_kind, NONE when unknown */
	struct ockam_nl_identifier	peer;
	int				error;
	const char			*reason;	/* "" without one */
	uint64_t			messages;	/* that a link has brought */
	bool				has_role;
	uint8_t				role;	/* enum ockam_role */
};

/*
 * Called from ockam_nl_dispatch() only. NULL members are skipped. A handler
 * may make calls on the same handle (what arrives meanwhile is kept and
 * handed out by the running ockam_nl_dispatch()); it must not close it.
 * missed: the receive buffer was full and some of these were lost; look at
 * the state again.
 */
struct ockam_nl_handlers {
	void	*arg;
	void	(*ready)(void *arg, uint64_t exchange_id);
	void	(*control)(void *arg, const struct ockam_nl_control *control);
	void	(*result)(void *arg, const struct ockam_nl_result *result);
	void	(*event)(void *arg, const struct ockam_nl_event *event);
	void	(*missed)(void *arg);
};

/**
 * ockam_nl_open() - connect to the family in the current network namespace
 * @nlp: receives the handle; close it with ockam_nl_close()
 * @handlers: copied; NULL for a handle that only makes calls
 * @err: sentence on failure
 *
 * Return: 0; -ENOPROTOOPT when the module is not loaded; other negative errno.
 */
int ockam_nl_open(struct ockam_nl **nlp,
		  const struct ockam_nl_handlers *handlers,
		  struct ockam_err *err);

/** ockam_nl_close() - close and free; NULL is allowed */
void ockam_nl_close(struct ockam_nl *nl);

/**
 * ockam_nl_fd() - descriptor for a poll loop
 *
 * Readable whenever ockam_nl_dispatch() has something to do, also for what
 * arrived during a call. An epoll descriptor: poll it, never read it.
 */
int ockam_nl_fd(const struct ockam_nl *nl);

/** ockam_nl_port() - the netlink port of the handle */
uint32_t ockam_nl_port(const struct ockam_nl *nl);

/**
 * ockam_nl_dispatch() - call the handlers for everything that has arrived
 *
 * Does not wait. Return: number of handler calls, or a negative errno when
 * the socket cannot be used any more.
 */
int ockam_nl_dispatch(struct ockam_nl *nl, struct ockam_err *err);

/** ockam_nl_join_events() - receive notifications (needs CAP_NET_ADMIN) */
int ockam_nl_join_events(struct ockam_nl *nl, struct ockam_err *err);

/* ---- node ---------------------------------------------------------------- */

/* v[] is indexed by enum ockam_limit_attr. */
struct ockam_nl_limits {
	bool		set[OCKAM_LIMIT_MAX + 1];
	uint64_t	v[OCKAM_LIMIT_MAX + 1];
};

struct ockam_nl_counter {
	char		name[64];
	uint64_t	value;
};

struct ockam_nl_node {
	uint32_t		protocol_version;
	char			module_version[64];
	uint32_t		owner_port;
	uint32_t		worker_port;
	struct ockam_nl_limits	limits;
	struct ockam_nl_counter	*counters;	/* owned: ockam_nl_node_free() */
	size_t			n_counters;
};

int ockam_nl_node_own(struct ockam_nl *nl, struct ockam_err *err);
int ockam_nl_node_del(struct ockam_nl *nl, struct ockam_err *err);
int ockam_nl_node_get(struct ockam_nl *nl, struct ockam_nl_node *node,
		      struct ockam_err *err);
void ockam_nl_node_free(struct ockam_nl_node *node);
int ockam_nl_node_set(struct ockam_nl *nl, const struct ockam_nl_limits *limits,
		      struct ockam_err *err);

struct ockam_nl_address {
	struct ockam_nl_name	name;
	uint8_t			kind;	/* enum ockam_kind */
	uint32_t		reach;	/* OCKAM_REACH_* */
	struct ockam_nl_blob	reach_ids;	/* n * 16 bytes */
	struct ockam_nl_flow	flow;
	struct ockam_nl_flow	spawner;
};

/*
 * Dumps. The callback borrows what it is given and must not use the handle; a
 * negative errno from it ends the dump and is returned. A dump that a change
 * disturbed still lists what was there all the time; ockam_nl_dump() calls
 * say so by returning 1 instead of 0.
 */
typedef int (*ockam_nl_address_fn)(void *arg, const struct ockam_nl_address *a);

int ockam_nl_address_get(struct ockam_nl *nl, const void *name, size_t len,
			 ockam_nl_address_fn fn, void *arg,
			 struct ockam_err *err);
int ockam_nl_address_dump(struct ockam_nl *nl, ockam_nl_address_fn fn,
			  void *arg, struct ockam_err *err);

/* ---- links --------------------------------------------------------------- */

struct ockam_nl_link_new {
	int			fd;	/* connected socket; the kernel keeps its own reference */
	uint8_t			framing;	/* enum ockam_framing */
	bool			accepted;
	struct ockam_nl_name	address;	/* none: a random one */
	struct ockam_nl_flow	spawner;	/* flow id of the transport listener */
	struct ockam_nl_reach	reach;
	struct ockam_nl_name	pair;	/* none: not paired */
	const char		*label;	/* NULL: none */
	uint32_t		stall_ms;	/* 0: the node's limit */
	uint32_t		half_frame_ms;	/* 0: the node's limit */
};

/* Either a pair or options a request. */
struct ockam_nl_link_set {
	struct ockam_nl_name	address;
	struct ockam_nl_name	pair;	/* none: leave pairs alone */
	bool			unpair;	/* end the pair with .pair */
	const char		*label;	/* NULL: unchanged */
	uint32_t		stall_ms;	/* 0: unchanged */
	uint32_t		half_frame_ms;	/* 0: unchanged */
	struct ockam_nl_reach	reach;
};

struct ockam_nl_link {
	struct ockam_nl_name	address;
	struct ockam_nl_flow	flow;
	struct ockam_nl_flow	spawner;
	uint32_t		reach;
	struct ockam_nl_blob	reach_ids;
	uint8_t			framing;
	uint32_t		flags;	/* enum ockam_object_flags */
	struct ockam_nl_name	pair;
	char			label[128];
	uint32_t		stall_ms;
	uint32_t		half_frame_ms;
	uint64_t		rx_bytes, tx_bytes;
	uint64_t		rx_messages, tx_messages;
	uint64_t		queued_bytes;
};

/* Address and own flow id that the kernel gave to a new object. */
struct ockam_nl_made {
	struct ockam_nl_name	address;
	struct ockam_nl_flow	flow;
};

typedef int (*ockam_nl_link_fn)(void *arg, const struct ockam_nl_link *link);

int ockam_nl_link_new(struct ockam_nl *nl, const struct ockam_nl_link_new *req,
		      struct ockam_nl_made *made, struct ockam_err *err);
int ockam_nl_link_set(struct ockam_nl *nl, const struct ockam_nl_link_set *req,
		      struct ockam_err *err);
int ockam_nl_link_del(struct ockam_nl *nl, const void *name, size_t len,
		      struct ockam_err *err);
int ockam_nl_link_get(struct ockam_nl *nl, const void *name, size_t len,
		      ockam_nl_link_fn fn, void *arg, struct ockam_err *err);
int ockam_nl_link_dump(struct ockam_nl *nl, ockam_nl_link_fn fn, void *arg,
		       struct ockam_err *err);

/*
 * When the silent peer of a channel is asked whether it is there. Not set: the
 * kernel's default (new objects: never), or unchanged.
 */
struct ockam_nl_liveness {
	bool		set;
	uint32_t	ms;	/* of silence, at least 100; 0: never */
	bool		strict;	/* a peer that has never answered is dead too */
};

/* ---- secure-channel listeners -------------------------------------------- */

struct ockam_nl_listener_new {
	struct ockam_nl_name	address;	/* none: a random one */
	struct ockam_nl_flow	flow;	/* absent: a random one */
	struct ockam_nl_reach	reach;
	struct ockam_nl_blob	opaque;	/* for the worker, with every exchange */
	uint32_t		timeout_ms;	/* 0: the node's limit */
	struct ockam_nl_liveness	liveness;	/* of its channels */
};

/* What new handshakes begin with; those that have begun keep what they have. */
struct ockam_nl_listener_set {
	struct ockam_nl_name	address;
	struct ockam_nl_blob	opaque;	/* NULL: unchanged */
	struct ockam_nl_liveness	liveness;	/* of its later channels */
	bool			abort;	/* end those that have begun, too */
};

struct ockam_nl_listener {
	struct ockam_nl_name	address;
	struct ockam_nl_flow	flow;
	uint32_t		reach;
	struct ockam_nl_blob	reach_ids;
	uint32_t		timeout_ms;
	struct ockam_nl_liveness	liveness;
};

typedef int (*ockam_nl_listener_fn)(void *arg,
				    const struct ockam_nl_listener *listener);

int ockam_nl_listener_new(struct ockam_nl *nl,
			  const struct ockam_nl_listener_new *req,
			  struct ockam_nl_made *made, struct ockam_err *err);
/**
 * ockam_nl_listener_set() - change a listener for new handshakes
 *
 * With ->abort no handshake that began before the call becomes a channel after
 * it; channels stay. Return: 0; -ENOENT; -ESHUTDOWN; other negative errno.
 */
int ockam_nl_listener_set(struct ockam_nl *nl,
			  const struct ockam_nl_listener_set *req,
			  struct ockam_err *err);
int ockam_nl_listener_del(struct ockam_nl *nl, const void *name, size_t len,
			  struct ockam_err *err);
int ockam_nl_listener_get(struct ockam_nl *nl, const void *name, size_t len,
			  ockam_nl_listener_fn fn, void *arg,
			  struct ockam_err *err);
int ockam_nl_listener_dump(struct ockam_nl *nl, ockam_nl_listener_fn fn,
			   void *arg, struct ockam_err *err);

/* ---- channels ------------------------------------------------------------ */

struct ockam_nl_channel_new {
	struct ockam_nl_blob	route;	/* packed, ends at the peer's listener */
	struct ockam_nl_blob	opaque;	/* for the worker: identity, trust, ... */
	uint32_t		timeout_ms;	/* 0: the node's limit */
	uint32_t		confirm_ms;	/* 0: 1000 */
	struct ockam_nl_reach	reach;	/* of the encryptor */
	struct ockam_nl_liveness	liveness;
};

/*
 * One change a request: a route; what is known of the peer's credentials
 * (attributes, expiry or both, then in one step); a reachability; or liveness.
 */
struct ockam_nl_channel_set {
	struct ockam_nl_name	encryptor;
	struct ockam_nl_blob	route;	/* NULL: unchanged */
	bool			set_expiry;
	uint64_t		expiry;	/* seconds since 1970, 0 = never */
	struct ockam_nl_blob	attributes;	/* NULL: unchanged; empty: forget them */
	struct ockam_nl_reach	reach;	/* mask and ids together */
	struct ockam_nl_liveness	liveness;
};

/* reach_ids and attributes are not in dumps, only in ockam_nl_channel_get(). */
struct ockam_nl_channel {
	struct ockam_nl_name		encryptor;
	struct ockam_nl_name		decryptor;
	struct ockam_nl_identifier	peer;
	struct ockam_nl_identifier	local;
	struct ockam_nl_flow		flow;
	struct ockam_nl_flow		spawner;
	uint32_t			reach;
	struct ockam_nl_blob		reach_ids;
	struct ockam_nl_name		listener;
	struct ockam_nl_blob		route;
	struct ockam_nl_blob		attributes;
	uint64_t			expiry;
	uint32_t			flags;	/* enum ockam_object_flags */
	uint8_t				role;
	uint64_t			rx_bytes, tx_bytes;
	uint64_t			rx_messages, tx_messages;
	uint64_t			queued_bytes;
	struct ockam_nl_liveness	liveness;
};

typedef int (*ockam_nl_channel_fn)(void *arg,
				   const struct ockam_nl_channel *channel);

/**
 * ockam_nl_channel_new() - begin a handshake as initiator
 * @seq: receives the number that the later result carries
 *
 * Return: 0 when begun (exactly one result comes, unless the handle is closed
 * or ->missed is called); -ESRCH without a handshake worker; other errno.
 */
int ockam_nl_channel_new(struct ockam_nl *nl,
			 const struct ockam_nl_channel_new *req, uint32_t *seq,
			 struct ockam_err *err);
int ockam_nl_channel_set(struct ockam_nl *nl,
			 const struct ockam_nl_channel_set *req,
			 struct ockam_err *err);
int ockam_nl_channel_del(struct ockam_nl *nl, const void *encryptor, size_t len,
			 struct ockam_err *err);
int ockam_nl_channel_get(struct ockam_nl *nl, const void *encryptor, size_t len,
			 ockam_nl_channel_fn fn, void *arg,
			 struct ockam_err *err);
int ockam_nl_channel_dump(struct ockam_nl *nl, ockam_nl_channel_fn fn,
			  void *arg, struct ockam_err *err);

/* ---- the handshake worker ------------------------------------------------ */

/* What FETCH gave; blobs point into ->buffer, freed by ockam_nl_fetched_free(). */
struct ockam_nl_fetched {
	uint64_t			exchange_id;
	uint8_t				role;	/* enum ockam_role */
	uint32_t			message_number;	/* 0: initiator, begin */
	struct ockam_nl_blob		message;	/* NULL when message_number is 0 */
	struct ockam_nl_blob		opaque;	/* of CHANNEL_NEW or the listener */
	struct ockam_nl_name		listener;	/* of a responder */
	void				*buffer;
	size_t				buffer_len;
};

/* How an exchange ended well. Everything is borrowed and nothing is kept. */
struct ockam_nl_done {
	uint64_t			exchange_id;
	const uint8_t			*key_tx;	/* 32 bytes */
	const uint8_t			*key_rx;	/* 32 bytes */
	const uint8_t			*peer;		/* 32 bytes */
	const uint8_t			*local_id;	/* 32 bytes, or NULL */
	struct ockam_nl_reach		reach;	/* of a responder's encryptor */
	uint64_t			expiry;	/* 0 = never */
	struct ockam_nl_blob		attributes;
	struct ockam_nl_blob		control;	/* responder: body of packet 0 */
};

int ockam_nl_worker_bind(struct ockam_nl *nl, struct ockam_err *err);

/**
 * ockam_nl_fetch() - take the next message of an exchange
 * @exchange_id: from ->ready, which also comes once for an exchange that was
 *	fetched and ended without ockam_nl_done()
 * @out: receives it; free with ockam_nl_fetched_free()
 *
 * Return: 0; -ENOENT for an exchange that has ended; other negative errno.
 */
int ockam_nl_fetch(struct ockam_nl *nl, uint64_t exchange_id,
		   struct ockam_nl_fetched *out, struct ockam_err *err);
/* Wipes and frees. */
void ockam_nl_fetched_free(struct ockam_nl_fetched *out);

int ockam_nl_handshake_send(struct ockam_nl *nl, uint64_t exchange_id,
			    const void *message, size_t len,
			    struct ockam_err *err);
/**
 * ockam_nl_handshake_skip() - the third message that was fetched is none
 *
 * It is dropped; ->ready comes for the next one, of which there may be none.
 *
 * Return: 0; -ENOBUFS when too many were skipped, -ENOENT for an exchange that
 * has ended, other negative errno.
 */
int ockam_nl_handshake_skip(struct ockam_nl *nl, uint64_t exchange_id, struct ockam_err *err);
int ockam_nl_done(struct ockam_nl *nl, const struct ockam_nl_done *done,
		  struct ockam_err *err);
/**
 * ockam_nl_done_failed() - end an exchange without a channel
 * @error: negative errno that whoever waits is given
 * @reason: one sentence for it, cut at 255 bytes
 */
int ockam_nl_done_failed(struct ockam_nl *nl, uint64_t exchange_id, int error,
			 const char *reason, struct ockam_err *err);
/**
 * ockam_nl_done_refused() - a responder that says no
 *
 * The keys are used once, for an encrypted Close as packet 0, then wiped.
 */
int ockam_nl_done_refused(struct ockam_nl *nl, const struct ockam_nl_done *done,
			  int error, const char *reason, struct ockam_err *err);

/** ockam_nl_control_send() - send a RefreshCredentials body on a channel */
int ockam_nl_control_send(struct ockam_nl *nl, const void *encryptor,
			  size_t encryptor_len, const void *body, size_t len,
			  struct ockam_err *err);

#endif /* OCKAM_LIB_NL_H */
