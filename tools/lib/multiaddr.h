/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MultiAddr: how people write routes, "/node/n2/service/api"
 * (wire-protocol section 10, cli 1.9). Parsing does not resolve anything.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_MULTIADDR_H
#define OCKAM_LIB_MULTIADDR_H

#include "buf.h"
#include "err.h"

#define OCKAM_MULTIADDR_SEGMENTS	64	/* segments of one address */
#define OCKAM_MULTIADDR_VALUE		256	/* bytes of a text value, zero byte included */
#define OCKAM_MULTIADDR_TEXT		(OCKAM_MULTIADDR_SEGMENTS * (OCKAM_MULTIADDR_VALUE + 10))

/* Numbers are the binary codes. */
enum ockam_proto {
	OCKAM_PROTO_IP4		= 4,
	OCKAM_PROTO_TCP		= 6,
	OCKAM_PROTO_IP6		= 41,
	OCKAM_PROTO_DNSADDR	= 56,
	OCKAM_PROTO_UDP		= 273,
	OCKAM_PROTO_SERVICE	= 62526,
	OCKAM_PROTO_NODE	= 72526,
	OCKAM_PROTO_PROJECT	= 82526,
	OCKAM_PROTO_SPACE	= 92526,
	OCKAM_PROTO_SECURE	= 99526,
	OCKAM_PROTO_WORKER	= 102526,
};

/* One "/protocol/value". text holds the value of every protocol as printed. */
struct ockam_segment {
	enum ockam_proto	proto;
	uint16_t		port;		/* tcp, udp; host byte order */
	uint8_t			ip[16];		/* ip4 (4 bytes), ip6 (16), network order */
	char			text[OCKAM_MULTIADDR_VALUE];
};

/* About 18 KiB; all zero is the empty address. */
struct ockam_multiaddr {
	size_t			count;
	struct ockam_segment	segments[OCKAM_MULTIADDR_SEGMENTS];
};

/**
 * ockam_multiaddr_parse() - read the text form
 * @addr: receives the address
 * @text: the text; "self" stands for "/secure/api"; the first '/' may be missing
 * @err: the reason, naming the segment
 *
 * Empty segments, values and a '/' at the end are refused, and so is a host
 * that no port follows or a port without a host in front.
 *
 * Return: 0, -EINVAL, -E2BIG.
 */
int ockam_multiaddr_parse(struct ockam_multiaddr *addr, const char *text,
			  struct ockam_err *err);

/**
 * ockam_multiaddr_format() - print the text form
 * @addr: the address
 * @text: receives it, zero-terminated
 * @size: room in @text; OCKAM_MULTIADDR_TEXT always suffices
 *
 * Return: length of the text, or -EMSGSIZE.
 */
int ockam_multiaddr_format(const struct ockam_multiaddr *addr, char *text, size_t size);

/** ockam_multiaddr_append() - add a segment whose value is given as text; 0, -EINVAL, -E2BIG */
int ockam_multiaddr_append(struct ockam_multiaddr *addr, enum ockam_proto proto,
			   const char *value, struct ockam_err *err);

/** ockam_multiaddr_append_host() - add ip4, ip6 or dnsaddr, whichever @host is, and tcp */
int ockam_multiaddr_append_host(struct ockam_multiaddr *addr, const char *host, uint16_t port,
				struct ockam_err *err);

/** ockam_multiaddr_encode() - append the binary form (no CBOR around it) */
void ockam_multiaddr_encode(const struct ockam_multiaddr *addr, struct ockam_buf *out);

/** ockam_multiaddr_decode() - read the binary form; 0, -EBADMSG, -E2BIG */
int ockam_multiaddr_decode(struct ockam_multiaddr *addr, const uint8_t *bytes, size_t len,
			   struct ockam_err *err);

/** ockam_proto_name() - "ip4", "node", ...; NULL for an unknown number */
const char *ockam_proto_name(enum ockam_proto proto);

#endif /* OCKAM_LIB_MULTIADDR_H */
