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
#define OCKAM_RECVROUTE		1	/* deliver OCKAM_CMSG_ROUTE */
#define OCKAM_RECVPEER		2	/* deliver OCKAM_CMSG_PEER */
#define OCKAM_REACH		3	/* mask of OCKAM_REACH_*, who may send here */

/* Kinds of producers that may reach an address (architecture: reachability). */
#define OCKAM_REACH_LOCAL	0x1	/* sockets of this node */
#define OCKAM_REACH_LINKS	0x2	/* any link, in plain text */
#define OCKAM_REACH_CHANNELS	0x4	/* any secure channel of this node */
#define OCKAM_REACH_ALL		0x7

#endif /* _UAPI_LINUX_OCKAM_H */
