/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of channels and handshakes: a worker that installs the keys it is
 * told, and a peer behind a raw UNIX socket that knows them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CHANHELP_H
#define OCKAM_CHANHELP_H

#include "linkhelp.h"
#include "packet.h"

#define CH_SOON 5000		/* milliseconds that are long enough */
#define CH_QUEUE 4096		/* events that a worker keeps */

/* The handshake worker: one netlink port. */
struct ch_worker {
	struct nlh h;
	uint64_t ready[CH_QUEUE];	/* exchanges to be fetched */
	unsigned int n_ready;
	unsigned int n_control;
	uint8_t control[4096];		/* the last RefreshCredentials body */
	size_t control_len;
};

int ch_worker_open(struct ch_worker *w, const struct nlh *node);
void ch_worker_close(struct ch_worker *w);
/* As nlh_call(), but events that come in between are kept. */
int ch_worker_call(struct ch_worker *w, struct nlh_msg *m, struct nlh_msg *reply);
/* The next exchange to be fetched, 0 after @ms. */
uint64_t ch_worker_ready(struct ch_worker *w, int ms);
/* Wait until @n RefreshCredentials have come. */
bool ch_worker_control(struct ch_worker *w, unsigned int n, int ms);
int ch_fetch(struct ch_worker *w, uint64_t id, struct nlh_msg *reply);
int ch_send(struct ch_worker *w, uint64_t id, const char *text);
int ch_skip(struct ch_worker *w, uint64_t id);

/* HANDSHAKE_DONE. */
struct ch_done {
	int error;
	const char *reason;
	const uint8_t *key_tx;
	const uint8_t *key_rx;
	const uint8_t *peer;
	size_t key_len;			/* 0: 32 */
	uint64_t expiry;
	const void *control;
	size_t control_len;
	const uint32_t *reach;		/* NULL: absent */
	const void *reach_id;		/* one flow id, NULL: absent */
};

int ch_done(struct ch_worker *w, uint64_t id, const struct ch_done *done);

/* One channel of the node, and what its peer needs. */
struct ch_channel {
	struct lh_link *link;
	char decryptor[256];	/* of the node: packets go there */
	char encryptor[256];
	uint32_t seq;		/* initiator: of the request */
	struct ockam_sealer seal;	/* the peer's */
	struct ockam_opener open;
};

extern const uint8_t ch_peer[32];	/* identifier of all peers here */
#define CH_PEER_DR "peer-dr"		/* the peer's decryptor */

/* LISTENER_NEW, reachable by everything. */
int ch_listener(struct nlh *node, const char *name, uint32_t timeout_ms);
/* LISTENER_SET; @opaque NULL: unchanged. */
int ch_listener_set(struct nlh *node, const char *name, const char *opaque,
		    bool abort);
/* CHANNEL_NEW over @link to the listener @name; @seq gets the request's. */
int ch_request(struct nlh *h, const char *link, const char *name,
	       uint32_t confirm_ms, uint32_t timeout_ms, uint32_t *seq);
/* The result of a request, at most @ms; @m gets it. 0 or -EAGAIN. */
int ch_result(struct nlh *h, uint32_t seq, struct nlh_msg *m, int ms);
int32_t ch_errno(const struct nlh_msg *m);

/* A frame to [@to] from ["peer-dr"] with these bytes. */
bool ch_write(struct lh_link *l, const char *to, const void *p, size_t len);

/* The same without return route, as packets of the data phase travel. */
bool ch_packet(struct lh_link *l, const char *to, const void *p, size_t len);

/* As responder by the listener "api" up to msg3 fetched; returns the exchange. */
uint64_t ch_respond(struct ch_worker *w, struct lh_link *l, struct ch_channel *c);
/* As initiator, up to msg3 sent. */
uint64_t ch_initiate(struct ch_worker *w, struct nlh *req, struct lh_link *l,
		     struct ch_channel *c, uint32_t confirm_ms);
/* The same once the channel has been requested. */
uint64_t ch_initiate_requested(struct ch_worker *w, struct lh_link *l, struct ch_channel *c);
/* The whole way, to an open channel with these keys of the node's side. */
bool ch_open_responder(struct ch_worker *w, struct nlh *node, struct lh_link *l,
		       struct ch_channel *c, const uint8_t *key_tx,
		       const uint8_t *key_rx);
bool ch_open_initiator(struct ch_worker *w, struct nlh *node, struct nlh *req,
		       struct lh_link *l, struct ch_channel *c,
		       const uint8_t *key_tx, const uint8_t *key_rx);
/* Encryptor of the channel with this decryptor, from CHANNEL_GET. */
int ch_get(struct nlh *node, const char *name, struct nlh_msg *reply);
int ch_del(struct nlh *node, const char *name);
/* Wait until the node has no channel, no exchange and no such address. */
bool ch_wait_gone(struct nlh *node, const char *name, int ms);

/* The peer: seal @plain with its next nonce, send it to the decryptor. */
bool ch_peer_send(struct ch_channel *c, const struct ockam_buf *plain);
/* The peer sends a Payload to [@to], with return route [@back]. */
bool ch_peer_say(struct ch_channel *c, const char *to, const char *back,
		 const void *payload, size_t len);
bool ch_peer_close(struct ch_channel *c);
/* The next frame at the peer, opened. @frame and @plain are valid until the next. */
bool ch_peer_read(struct ch_channel *c, struct lh_message *frame,
		  struct ockam_plaintext *plain);
/* Only hop of @route is @name. */
bool ch_route_is(const struct ockam_route *route, const char *name);

/* Packed route of local names, the last one NULL; returns its bytes. */
size_t ch_pack(uint8_t *out, const char *first, ...);

#endif /* OCKAM_CHANHELP_H */
