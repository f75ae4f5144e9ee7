/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR Apache-2.0 */
/*
 * AF_OCKAM sockets: the address family, its address structure, socket options
 * and ancillary data.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef _UAPI_LINUX_OCKAM_H
#define _UAPI_LINUX_OCKAM_H

#include <linux/types.h>
#include <linux/socket.h>

/*
 * Out-of-tree families cannot take a number at or above AF_MAX, so this one
 * lives in the slot of AF_ASH, which Linux never implemented.
 */
#ifndef AF_OCKAM
#define AF_OCKAM	18
#define PF_OCKAM	AF_OCKAM
#endif

/* Level of getsockopt(), setsockopt() and of ancillary data. */
#define SOL_OCKAM	318

/* Address types (wire-protocol "transport type"). A node knows LOCAL only. */
#define OCKAM_ADDR_LOCAL	0
#define OCKAM_ADDR_TCP		1
#define OCKAM_ADDR_UDP		2

#define OCKAM_ADDR_MAX_LEN	255	/* bytes of one address name */
#define OCKAM_ROUTE_MAX_HOPS	32	/* hops of one route */
#define OCKAM_ROUTE_MAX_BYTES	2048	/* bytes of one packed route */
#define OCKAM_IDENTIFIER_LEN	32	/* bytes of an identity's identifier */
#define OCKAM_FLOW_ID_LEN	16	/* bytes of a flow-control id */

#define OCKAM_SOCKADDR_ROUTE_BYTES	124

/*
 * A route, first hop first. A packed hop is one byte of type, one byte of
 * length (1 to 255) and that many bytes of name. Every addrlen that covers
 * the packed hops is accepted (bytes behind them must be zero); returned
 * lengths are the used bytes. A route that does not fit travels as
 * OCKAM_CMSG_ROUTE.
 */
struct sockaddr_ockam {
	__kernel_sa_family_t sockam_family;	/* AF_OCKAM */
	__u8	sockam_hops;	/* addresses in the route, 0 = none */
	__u8	sockam_pad;	/* zero */
	__u8	sockam_route[OCKAM_SOCKADDR_ROUTE_BYTES];
};

/*
 * Ancillary data at level SOL_OCKAM.
 * OCKAM_CMSG_ROUTE: sendmsg: the onward route, instead of msg_name; recvmsg
 *	(asked for with OCKAM_RECVROUTE): the return route. Data: packed hops,
 *	0 to OCKAM_ROUTE_MAX_BYTES bytes.
 * OCKAM_CMSG_PEER: recvmsg (asked for with OCKAM_RECVPEER): the identifier,
 *	32 bytes, of the authenticated peer of the last channel that the
 *	message came through. Absent when it came through none.
 */
#define OCKAM_CMSG_ROUTE	1
#define OCKAM_CMSG_PEER		2

/* Socket options at level SOL_OCKAM; the value is an int unless said. */
#define OCKAM_RECVROUTE		1	/* SOCK_DGRAM: deliver OCKAM_CMSG_ROUTE */
#define OCKAM_RECVPEER		2	/* SOCK_DGRAM: deliver OCKAM_CMSG_PEER */
#define OCKAM_REACH		3	/* mask of OCKAM_REACH_*, who may send here */
/*
 * SOCK_SEQPACKET only. The first two can be set until connect() or listen(),
 * the others are of a connection and only read.
 * OCKAM_IDENTITY: name of the local identity, 0 to OCKAM_IDENTITY_NAME_MAX bytes;
 *	empty: the node's.
 * OCKAM_AUTHORIZED: n * 32 bytes, identifiers of who may be at the other end;
 *	empty: everybody.
 * OCKAM_PEER: 32 bytes, the identifier of who is.
 * OCKAM_ATTRIBUTES: what its credential says of it, as the node's process has
 *	given it to the kernel; empty without one.
 * OCKAM_INFO: struct ockam_info, as much of it as there is room for.
 */
#define OCKAM_IDENTITY		4
#define OCKAM_AUTHORIZED	5
#define OCKAM_PEER		6
#define OCKAM_ATTRIBUTES	7
#define OCKAM_INFO		8

#define OCKAM_IDENTITY_NAME_MAX	63	/* bytes */
#define OCKAM_AUTHORIZED_MAX	256	/* identifiers */

/* ->ockami_state */
enum ockam_socket_state {
	OCKAM_SOCKET_IDLE,	/* not connected, not listening */
	OCKAM_SOCKET_CONNECTING,
	OCKAM_SOCKET_CONNECTED,
	OCKAM_SOCKET_LISTENING,
	OCKAM_SOCKET_ENDED,	/* it was connected */
};

/* ->ockami_flags */
#define OCKAM_INFO_CONFIRMED	0x1	/* the peer has shown that it has the keys */
#define OCKAM_INFO_INITIATOR	0x2	/* this side has called connect() */
#define OCKAM_INFO_PAUSED	0x4	/* the receive buffer is full, the peer waits */

/* Why packets for the connection were refused: index of ->ockami_refused. */
enum ockam_info_refused {
	OCKAM_REFUSED_SHORT,
	OCKAM_REFUSED_TOO_OLD,
	OCKAM_REFUSED_TOO_FAR,
	OCKAM_REFUSED_REPLAYED,
	OCKAM_REFUSED_NO_KEY,
	OCKAM_REFUSED_BAD_TAG,
	OCKAM_REFUSED_MALFORMED,
	OCKAM_REFUSED_ROUTE,
	__OCKAM_REFUSED_MAX
};

/*
 * State of a SOCK_SEQPACKET socket. Grows at its end: the kernel fills what it
 * knows and what there is room for, and says how much that was. All but the
 * state is 0 when there is no connection.
 */
struct ockam_info {
	__u8	ockami_state;		/* enum ockam_socket_state */
	__u8	ockami_flags;		/* OCKAM_INFO_* */
	__u16	ockami_hops;		/* of the route to the peer */
	__u32	ockami_heard_ms;	/* since the last packet of the peer */
	__u64	ockami_rx_packets;	/* all that were opened and sealed, */
	__u64	ockami_tx_packets;	/* also those that hold no record */
	__u64	ockami_rx_bytes;	/* of these, with nonce and tag */
	__u64	ockami_tx_bytes;
	__u64	ockami_rekeys;		/* of both directions */
	__u64	ockami_refused[__OCKAM_REFUSED_MAX];
	__u32	ockami_pending;		/* handshakes at a listening socket, */
	__u32	ockami_waiting;		/* connections that wait for accept() */
};

/* Kinds of producers that may reach an address (architecture: reachability). */
#define OCKAM_REACH_LOCAL	0x1	/* sockets of this node */
#define OCKAM_REACH_LINKS	0x2	/* any link, in plain text */
#define OCKAM_REACH_CHANNELS	0x4	/* any secure channel of this node */
#define OCKAM_REACH_ALL		0x7

/*
 * What the handshake worker is given as OCKAM_A_OPAQUE with an exchange of a
 * socket: this header, the bytes of the name, and the identifiers. The first byte
 * tells it from what a node's process gives to its worker, which is CBOR.
 */
#define OCKAM_SOCKET_RULES	1	/* ->version: a CBOR array begins otherwise */

#define OCKAM_SOCKET_ADMIN	0x1	/* CAP_NET_ADMIN over the node's namespace */

struct ockam_socket_rules {
	__u8	version;	/* OCKAM_SOCKET_RULES */
	__u8	flags;		/* OCKAM_SOCKET_ADMIN */
	__u8	name_len;	/* bytes of the identity's name, 0: the node's own */
	__u8	pad;		/* zero */
	__u32	uid;		/* of the socket, in the node's user namespace */
	__u32	n_authorized;	/* identifiers, 32 bytes each; 0: everybody */
};

#endif /* _UAPI_LINUX_OCKAM_H */
