/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pending handshakes and channel listeners: the upcall to the worker process
 * (wire-protocol section 5, architecture section 6).
 *
 * Functions that a user's request runs return a negative errno and set *why to
 * a sentence (static) for the extack; *why is untouched on success.
 * All in process context; none blocks on the network.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_HANDSHAKE_H
#define OCKAM_HANDSHAKE_H

#include "addr.h"
#include "endpoint.h"
#include "netns.h"

struct ockam_listener;

/* All borrowed. */
struct ockam_listener_params {
	const u8 *name;			/* NULL: a random one */
	u8 name_len;
	const u8 *opaque;		/* at most OCKAM_OPAQUE_MAX bytes */
	size_t opaque_len;
	u32 timeout_ms;			/* 0: the node's OCKAM_LIMIT_RESPONDER_MS */
	u32 reach;			/* mask OCKAM_REACH_* */
	const u8 *reach_ids;		/* n * 16 bytes */
	u32 n_reach_ids;
	const u8 *flow_id;		/* 16 bytes, NULL: random */
};

/* Pointers are valid as long as the listener is held. */
struct ockam_listener_info {
	const struct ockam_endpoint *ep;	/* name, reach */
	const u8 *flow_id;		/* 16 bytes: spawner id of its channels */
	const u8 *opaque;
	size_t opaque_len;
	u32 timeout_ms;
	u32 pending;			/* its exchanges that are not done */
};

/*
 * On success *@l (when @l is not NULL) is a strong reference.
 * -EADDRINUSE, -ENOSPC, -EINVAL, -E2BIG, -ENOMEM, -ESHUTDOWN.
 */
int ockam_handshake_add_listener(struct ockam_net *on,
				 const struct ockam_listener_params *p,
				 struct ockam_listener **l, const char **why);
/* Its pending exchanges fail; its channels stay. 0 or -ENOENT. */
int ockam_handshake_del_listener(struct ockam_net *on, const u8 *name,
				 u8 name_len);
struct ockam_listener *ockam_handshake_lookup_listener(struct ockam_net *on,
						       const u8 *name,
						       u8 name_len);
/* The first one with a number >= *@number; that number is written back. */
struct ockam_listener *ockam_handshake_next_listener(struct ockam_net *on,
						     u32 *number);
void ockam_handshake_put_listener(struct ockam_listener *l);
void ockam_handshake_listener_info(struct ockam_listener *l,
				   struct ockam_listener_info *info);

/* CHANNEL_NEW. All borrowed. */
struct ockam_handshake_params {
	const struct ockam_route *route;	/* to the peer's listener */
	const u8 *opaque;		/* at most OCKAM_OPAQUE_MAX bytes */
	size_t opaque_len;
	u32 timeout_ms;			/* 0: the node's OCKAM_LIMIT_INITIATOR_MS */
	u32 confirm_ms;			/* 0: OCKAM_CONFIRM_DEFAULT_MS */
	u32 portid;			/* who asked, and */
	u32 seq;			/* in which request: the result goes there */
	u32 encryptor_reach;		/* mask OCKAM_REACH_*; 0: LOCAL */
	const u8 *encryptor_ids;	/* n * 16 bytes */
	u32 n_encryptor_ids;
};

#define OCKAM_CONFIRM_DEFAULT_MS	1000

/*
 * Start an initiator exchange; its outcome comes by ockam_event_result(),
 * exactly once, also when the node ends, but not after
 * ockam_handshake_cancel_port(). -ESRCH (no worker), -EINVAL, -E2BIG, -ENOSPC,
 * -ENOMEM, -ESHUTDOWN: then there is no result.
 */
int ockam_handshake_start(struct ockam_net *on,
			  const struct ockam_handshake_params *p,
			  const char **why);
/* The port has closed: its pending exchanges end without a result. */
void ockam_handshake_cancel_port(struct ockam_net *on, u32 portid);

/*
 * HANDSHAKE_FETCH. What the worker is told; valid until
 * ockam_handshake_fetch_put(), which must follow every success.
 */
struct ockam_handshake_fetched {
	u8 role;			/* enum ockam_role */
	const u8 *opaque;		/* of the request or the listener */
	size_t opaque_len;
	u32 number;			/* received messages so far; 0 = none */
	const u8 *message;		/* the last one fetched, NULL when number is 0 */
	size_t message_len;
	const u8 *listener;		/* responder: name of the listener, else NULL */
	u8 listener_len;
	void *held;			/* private */
};

/*
 * Commands of the worker; @portid: who asks. -ENOENT (no such exchange, or it
 * belongs to another worker: not told apart), -EPROTO (not now), -EINVAL.
 */
int ockam_handshake_fetch(struct ockam_net *on, u32 portid, u64 id,
			  struct ockam_handshake_fetched *f, const char **why);
void ockam_handshake_fetch_put(struct ockam_handshake_fetched *f);
/* Also -EMSGSIZE, -ENOMEM, and what the first hop of the route said. */
int ockam_handshake_send(struct ockam_net *on, u32 portid, u64 id,
			 const u8 *message, size_t len, const char **why);

/* HANDSHAKE_DONE. All borrowed; the caller wipes the keys. */
struct ockam_handshake_done {
	int error;			/* negative: failed, for @reason */
	const char *reason;		/* or NULL */
	const u8 *peer;			/* 32 bytes each; the keys and the peer */
	const u8 *key_tx;		/* must all be there when error is 0 */
	const u8 *key_rx;
	const u8 *local_id;		/* 32 bytes or NULL */
	u64 expiry;
	const u8 *attributes;
	size_t attributes_len;
	const u8 *control;		/* responder: body of packet 0, or NULL */
	size_t control_len;
	u32 encryptor_reach;		/* responder: 0: LOCAL */
	const u8 *encryptor_ids;
	u32 n_encryptor_ids;
};

/*
 * With an error and both keys and a peer, a responder's refusal is told to the
 * peer by one sealed Close. Any failure fails the exchange, except -ENOENT.
 */
int ockam_handshake_done(struct ockam_net *on, u32 portid, u64 id,
			 const struct ockam_handshake_done *done,
			 const char **why);

int ockam_handshake_init(void);
void ockam_handshake_exit(void);

#endif /* OCKAM_HANDSHAKE_H */
