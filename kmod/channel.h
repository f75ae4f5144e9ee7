/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Secure channels: keys, nonces, window and two addresses (wire-protocol
 * section 6). The room above (handshake) makes them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CHANNEL_H
#define OCKAM_CHANNEL_H

#include "addr.h"
#include "endpoint.h"
#include "netns.h"

struct ockam_channel;

/* What a channel tells whoever made it. Process context, no locks held. */
struct ockam_channel_ops {
	/* The first packet of the peer has been opened. At most once. */
	void (*confirmed)(struct ockam_channel *ch, u64 cookie);
	/* The channel has been killed; @by_peer: the peer sent Close. Once. */
	void (*dead)(struct ockam_channel *ch, u64 cookie, bool by_peer);
};

/* All borrowed, copied by ockam_channel_create(). */
struct ockam_channel_params {
	u8 role;			/* enum ockam_role */
	const u8 *key_tx;		/* 32 bytes */
	const u8 *key_rx;		/* 32 bytes */
	const u8 *peer;			/* 32 bytes */
	const u8 *local_id;		/* 32 bytes or NULL */
	const u8 *decryptor;		/* name */
	u8 decryptor_len;
	const u8 *listener;		/* name or NULL */
	u8 listener_len;
	const u8 *flow_id;		/* 16 bytes, or NULL for random ones */
	const u8 *spawner_id;		/* 16 bytes: flow id of the listener, or NULL */
	const struct ockam_route *route;	/* to the peer's decryptor */
	u64 expiry;			/* seconds since 1970, 0 = never */
	const u8 *attributes;		/* at most OCKAM_ATTRIBUTES_MAX bytes */
	size_t attributes_len;
	u32 encryptor_reach;		/* mask OCKAM_REACH_*, usually LOCAL */
	const u8 *encryptor_ids;	/* n * 16 bytes */
	u32 n_encryptor_ids;
	u32 worker_portid;		/* RefreshCredentials bodies go there */
	const struct ockam_channel_ops *ops;	/* or NULL */
	u64 cookie;			/* for ops */
};

/*
 * State of a channel for dumps, copied under its lock. Pointers are borrowed
 * and valid as long as the channel is held; ->route is owned by the caller
 * (ockam_route_init() before, ockam_route_reset() after).
 */
struct ockam_channel_info {
	const struct ockam_endpoint *encryptor;
	const struct ockam_endpoint *decryptor;
	const struct ockam_origin *origin;	/* flow id, spawner id */
	const u8 *peer;			/* 32 bytes */
	const u8 *local_id;		/* 32 bytes or NULL */
	const u8 *listener;		/* name or NULL */
	const u8 *attributes;		/* or NULL */
	size_t attributes_len;
	struct ockam_route route;
	u64 expiry;
	u64 rx_bytes, tx_bytes;		/* of packets, nonce and tag included */
	u64 rx_messages, tx_messages;
	u64 queued_bytes;		/* waiting to be opened or sealed */
	u32 flags;			/* enum ockam_object_flags */
	u8 listener_len;
	u8 role;
	bool dead;
};

/* Strong references. Any context that may sleep; NULL when there is none. */
struct ockam_channel *ockam_channel_lookup(struct ockam_net *on, const u8 *name,
					   u8 name_len); /* either address */
/* The first one with a number >= *@number; that number is written back. */
struct ockam_channel *ockam_channel_get_next(struct ockam_net *on, u32 *number);
void ockam_channel_put(struct ockam_channel *ch);

/* 0 or -ENOMEM (route). */
int ockam_channel_get_info(struct ockam_channel *ch,
			   struct ockam_channel_info *info);
/*
 * Replace the path: @route is the whole route to the peer's decryptor.
 * 0, -ESHUTDOWN (dead), -EINVAL (empty), -ENOMEM.
 */
int ockam_channel_set_route(struct ockam_channel *ch,
			    const struct ockam_route *route);
/* Seconds since 1970, 0 = never. A time that has passed kills it soon. 0, -ESHUTDOWN. */
int ockam_channel_set_expiry(struct ockam_channel *ch, u64 expiry);
/* Who may send through it. 0, -E2BIG, -ENOMEM, -ESHUTDOWN. */
int ockam_channel_set_reach(struct ockam_channel *ch, u32 reach,
			    const u8 *ids, u32 n);
/*
 * Send a RefreshCredentials body: one CBOR item, at most OCKAM_HANDSHAKE_MAX
 * bytes. 0, -ESHUTDOWN, -EMSGSIZE, -ENOMEM, or what the first hop said.
 */
int ockam_channel_send_refresh(struct ockam_channel *ch, const u8 *body,
			       size_t len);
/* The user's delete: Close is sent once, best effort, then it is killed. */
void ockam_channel_close(struct ockam_channel *ch, int error,
			 const char *reason);

int ockam_channel_init(void);
void ockam_channel_exit(void);

#endif /* OCKAM_CHANNEL_H */
