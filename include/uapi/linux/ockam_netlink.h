/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR Apache-2.0 */
/*
 * Generic netlink family "ockam": how a node's processes and tools talk to
 * the kernel. Described in Documentation/netlink/specs/ockam.yaml, which a
 * test keeps equal to this file.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef _UAPI_LINUX_OCKAM_NETLINK_H
#define _UAPI_LINUX_OCKAM_NETLINK_H

#define OCKAM_GENL_NAME		"ockam"
#define OCKAM_GENL_VERSION	1
#define OCKAM_GENL_MCGRP_EVENTS	"events"

/*
 * Commands. Replies and events carry the number of the command that they
 * belong to, unless an event number is given.
 */
enum ockam_cmd {
	OCKAM_CMD_UNSPEC,

	OCKAM_CMD_NODE_OWN,	/* do: this socket owns the node from now on */
	OCKAM_CMD_NODE_DEL,	/* do: end the node, keep the socket */
	OCKAM_CMD_NODE_GET,	/* do: protocol version, limits, counters */
	OCKAM_CMD_NODE_SET,	/* do: limits */
	OCKAM_CMD_ADDRESS_GET,	/* do, dump: the address table */

	OCKAM_CMD_WORKER_BIND,	/* do: this socket does the handshakes */
	OCKAM_CMD_HANDSHAKE_READY,	/* event to the worker: fetch EXCHANGE_ID */
	OCKAM_CMD_HANDSHAKE_FETCH,	/* do: next message of an exchange */
	OCKAM_CMD_HANDSHAKE_SEND,	/* do: send a handshake message */
	OCKAM_CMD_HANDSHAKE_DONE,	/* do: end an exchange, with keys or errno */
	OCKAM_CMD_CHANNEL_CONTROL,	/* do: send, event: received refresh-credentials */

	OCKAM_CMD_LINK_NEW,	/* do */
	OCKAM_CMD_LINK_SET,	/* do: pair or unpair two links, change options */
	OCKAM_CMD_LINK_DEL,	/* do */
	OCKAM_CMD_LINK_GET,	/* do, dump */

	OCKAM_CMD_LISTENER_NEW,	/* do */
	OCKAM_CMD_LISTENER_DEL,	/* do */
	OCKAM_CMD_LISTENER_GET,	/* do, dump */

	OCKAM_CMD_CHANNEL_NEW,	/* do; the result comes later, same port and seq */
	OCKAM_CMD_CHANNEL_SET,	/* do: route, credentials, flow ids */
	OCKAM_CMD_CHANNEL_DEL,	/* do: send Close, end it */
	OCKAM_CMD_CHANNEL_GET,	/* do, dump */

	OCKAM_CMD_EVENT,	/* notification on the group "events" */

	OCKAM_CMD_LISTENER_SET,	/* do: worker's data for new handshakes */
	OCKAM_CMD_HANDSHAKE_SKIP,	/* do: what was fetched is no message of it */

	__OCKAM_CMD_MAX,
	OCKAM_CMD_MAX = __OCKAM_CMD_MAX - 1
};

/*
 * Top-level attributes, one space for all commands. Integers are in host
 * byte order. A name is 1-255 bytes, a route is packed hops (ockam.h).
 */
enum ockam_attr {
	OCKAM_A_UNSPEC,
	OCKAM_A_PAD,

	/* node */
	OCKAM_A_PROTOCOL_VERSION,	/* u32: Ockam TCP protocol version (1) */
	OCKAM_A_MODULE_VERSION,		/* string */
	OCKAM_A_LIMITS,			/* nest: enum ockam_limit_attr, u64 each */
	OCKAM_A_COUNTERS,		/* nest: array of OCKAM_A_COUNTER */
	OCKAM_A_COUNTER,		/* nest: OCKAM_A_NAME (string), OCKAM_A_VALUE */
	OCKAM_A_NAME,			/* string, at most 63 bytes */
	OCKAM_A_VALUE,			/* u64 */
	OCKAM_A_OWNER_PORT,		/* u32: netlink port that owns the node, 0 none */
	OCKAM_A_WORKER_PORT,		/* u32: netlink port of the worker, 0 none */

	/* addresses and reachability */
	OCKAM_A_ADDRESS,		/* binary: a name */
	OCKAM_A_KIND,			/* u8: enum ockam_kind */
	OCKAM_A_REACH,			/* u32: mask of OCKAM_REACH_* */
	OCKAM_A_REACH_IDS,		/* binary: n * 16 bytes, flow ids that may reach it */
	OCKAM_A_FLOW_ID,		/* binary 16: the object's own flow-control id */
	OCKAM_A_SPAWNER_ID,		/* binary 16: flow id of the listener behind it */

	/* links */
	OCKAM_A_FD,			/* s32: connected socket of the caller */
	OCKAM_A_FRAMING,		/* u8: enum ockam_framing */
	OCKAM_A_ACCEPTED,		/* flag: made by a transport listener */
	OCKAM_A_PAIR,			/* binary name: the other link of a pair */
	OCKAM_A_UNPAIR,			/* flag: with PAIR: end the pair */
	OCKAM_A_LABEL,			/* string, at most 127 bytes: for people */
	OCKAM_A_STALL_MS,		/* u32 */
	OCKAM_A_HALF_FRAME_MS,		/* u32 */
	OCKAM_A_RX_BYTES,		/* u64 */
	OCKAM_A_TX_BYTES,		/* u64 */
	OCKAM_A_RX_MESSAGES,		/* u64 */
	OCKAM_A_TX_MESSAGES,		/* u64 */
	OCKAM_A_QUEUED_BYTES,		/* u64 */
	OCKAM_A_FLAGS,			/* u32: enum ockam_object_flags */

	/* exchanges */
	OCKAM_A_EXCHANGE_ID,		/* u64, never 0, never reused */
	OCKAM_A_ROLE,			/* u8: enum ockam_role */
	OCKAM_A_MESSAGE,		/* binary: Noise message or control body */
	OCKAM_A_MESSAGE_NUMBER,		/* u32: 0 = none yet, else count of received ones */
	OCKAM_A_OPAQUE,			/* binary, at most 16 KiB: the worker's own data */
	OCKAM_A_ROUTE,			/* binary: packed route */
	OCKAM_A_TIMEOUT_MS,		/* u32 */
	OCKAM_A_CONFIRM_MS,		/* u32: how long an initiator waits for a first packet */
	OCKAM_A_ERRNO,			/* s32: 0 or a negative errno */
	OCKAM_A_REASON,			/* string, at most 255 bytes: a sentence */

	/* channels */
	OCKAM_A_KEY_TX,			/* binary 32, towards the kernel only */
	OCKAM_A_KEY_RX,			/* binary 32, towards the kernel only */
	OCKAM_A_PEER,			/* binary 32: identifier */
	OCKAM_A_ENCRYPTOR,		/* binary name: local senders route through it */
	OCKAM_A_DECRYPTOR,		/* binary name: the peer's packets arrive at it */
	OCKAM_A_EXPIRY,			/* u64: its last second since 1970, 0 = none */
	OCKAM_A_ATTRIBUTES,		/* binary, at most 4 KiB: opaque attribute blob */
	OCKAM_A_CONTROL,		/* binary: body of RefreshCredentials (CBOR array
					 * [change_history, credentials]); in DONE of a
					 * responder: sent as packet 0
					 */
	OCKAM_A_LISTENER,		/* binary name: listener that made the channel */
	OCKAM_A_LOCAL_ID,		/* binary 32: our identifier on this channel */

	/* events */
	OCKAM_A_EVENT,			/* u8: enum ockam_event */

	/* listeners */
	OCKAM_A_ABORT,			/* flag: end the pending handshakes too */

	/* liveness of channels, and of those that a listener makes */
	OCKAM_A_LIVENESS_MS,		/* u32: silence before the peer is asked, 0 = never */
	OCKAM_A_LIVENESS_STRICT,	/* flag: one that never answered ends too */

	__OCKAM_A_MAX,
	OCKAM_A_MAX = __OCKAM_A_MAX - 1
};

/* What an address belongs to. */
enum ockam_kind {
	OCKAM_KIND_NONE,
	OCKAM_KIND_SOCKET,
	OCKAM_KIND_LINK,
	OCKAM_KIND_ENCRYPTOR,
	OCKAM_KIND_DECRYPTOR,
	OCKAM_KIND_LISTENER,	/* secure-channel listener */
	OCKAM_KIND_EXCHANGE,	/* pending handshake */
	OCKAM_KIND_RELAY,
	__OCKAM_KIND_MAX
};

enum ockam_framing {
	OCKAM_FRAMING_STREAM,	/* version byte, then length-prefixed frames */
	__OCKAM_FRAMING_MAX
};

enum ockam_role {
	OCKAM_ROLE_INITIATOR,
	OCKAM_ROLE_RESPONDER,
	__OCKAM_ROLE_MAX
};

enum ockam_object_flags {
	OCKAM_FLAG_ACCEPTED	= 1 << 0,	/* link: made by a transport listener */
	OCKAM_FLAG_CONFIRMED	= 1 << 1,	/* channel: a packet of the peer was opened */
	OCKAM_FLAG_INITIATOR	= 1 << 2,	/* channel: this side began */
	OCKAM_FLAG_PAUSED	= 1 << 3,	/* link: reading waits for room elsewhere */
	OCKAM_FLAG_NO_ROUTE	= 1 << 4,	/* channel: the first hop of its route has gone */
};

enum ockam_event {
	OCKAM_EVENT_LINK_NEW,
	OCKAM_EVENT_LINK_DEL,		/* with ERRNO, REASON */
	OCKAM_EVENT_CHANNEL_NEW,
	OCKAM_EVENT_CHANNEL_DEL,	/* with ERRNO, REASON */
	OCKAM_EVENT_HANDSHAKE_FAIL,	/* with ERRNO, REASON, ROLE */
	OCKAM_EVENT_NODE_DEL,
	__OCKAM_EVENT_MAX
};

/*
 * Limits of a node (nested in OCKAM_A_LIMITS), all u64. NODE_SET takes any
 * subset; only root of the initial user namespace may go above the default.
 */
enum ockam_limit_attr {
	OCKAM_LIMIT_UNSPEC,
	OCKAM_LIMIT_PAD,
	OCKAM_LIMIT_ADDRESSES,		/* entries of the address table */
	OCKAM_LIMIT_LINKS,
	OCKAM_LIMIT_CHANNELS,
	OCKAM_LIMIT_LISTENERS,
	OCKAM_LIMIT_PENDING,		/* pending exchanges of the node, as responder */
	OCKAM_LIMIT_PENDING_LINK,	/* the same, by link */
	OCKAM_LIMIT_PENDING_RATE,	/* new responder exchanges a second and link */
	OCKAM_LIMIT_FRAME_BYTES,	/* largest frame accepted or sent, bytes */
	OCKAM_LIMIT_LINK_QUEUE_BYTES,	/* transmit queue of one link */
	OCKAM_LIMIT_NODE_QUEUE_BYTES,	/* all queues of the node */
	OCKAM_LIMIT_PARTIAL_BYTES,	/* partial frames of all links */
	OCKAM_LIMIT_CHANNEL_DEPTH,	/* channels in channels */
	OCKAM_LIMIT_STALL_MS,
	OCKAM_LIMIT_HALF_FRAME_MS,
	OCKAM_LIMIT_INITIATOR_MS,
	OCKAM_LIMIT_RESPONDER_MS,
	OCKAM_LIMIT_USER_ADDRESSES,	/* of sockets of one user without CAP_NET_ADMIN */
	OCKAM_LIMIT_STRANDED_MS,	/* a channel without a way to its peer */
	__OCKAM_LIMIT_MAX,
	OCKAM_LIMIT_MAX = __OCKAM_LIMIT_MAX - 1
};

#define OCKAM_KEY_LEN		32	/* bytes of a channel key */
#define OCKAM_OPAQUE_MAX	16384	/* bytes of OCKAM_A_OPAQUE */
#define OCKAM_ATTRIBUTES_MAX	4096	/* bytes of OCKAM_A_ATTRIBUTES */
#define OCKAM_HANDSHAKE_MAX	32768	/* bytes of one handshake message */
#define OCKAM_LIVENESS_MIN_MS	100	/* least OCKAM_A_LIVENESS_MS but 0 */

#endif /* _UAPI_LINUX_OCKAM_NETLINK_H */
