/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: text ("0#a => 0#b") and the packed form of the kernel interface (type,
 * length, bytes for each hop).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_ROUTE_H
#define OCKAM_LIB_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <linux/ockam.h>

#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for the text of any address: 1 to 3 digits, '#', 255 bytes, zero byte. */
#define OCKAM_ADDRESS_TEXT	260
/* Room for the text of any route. */
#define OCKAM_ROUTE_TEXT	(OCKAM_ROUTE_MAX_BYTES + 21 * OCKAM_ROUTE_MAX_HOPS + 1)

/* A route in packed form, first hop first. All zero is the empty route. */
struct ockam_route {
	uint8_t		hops;
	uint16_t	len;	/* bytes used of packed */
	uint8_t		packed[OCKAM_ROUTE_MAX_BYTES];
};

/* One hop; name points into the route. */
struct ockam_hop {
	uint8_t		type;	/* OCKAM_ADDR_* */
	uint8_t		len;	/* 1 to 255 */
	const uint8_t	*name;
};

/**
 * ockam_route_append() - add a hop at the end
 *
 * Return: 0; -EINVAL for an empty name or one above 255 bytes; -E2BIG when
 * the route would get too long.
 */
int ockam_route_append(struct ockam_route *route, uint8_t type, const void *name, size_t len,
		       struct ockam_err *err);

/** ockam_route_append_text() - add a LOCAL hop named by a zero-terminated string */
int ockam_route_append_text(struct ockam_route *route, const char *name, struct ockam_err *err);

/** ockam_route_join() - append all hops of @tail to @route; 0 or -E2BIG */
int ockam_route_join(struct ockam_route *route, const struct ockam_route *tail,
		     struct ockam_err *err);

/** ockam_route_hop() - hop number @index, from 0; false when there is none */
bool ockam_route_hop(const struct ockam_route *route, unsigned int index,
		     struct ockam_hop *hop);

/** ockam_route_equal() - same hops */
bool ockam_route_equal(const struct ockam_route *a, const struct ockam_route *b);

/**
 * ockam_route_unpack() - take packed bytes from the kernel or another process
 *
 * Return: 0; -EBADMSG when they are no packed route; -E2BIG.
 */
int ockam_route_unpack(struct ockam_route *route, const void *packed, size_t len,
		       struct ockam_err *err);

/**
 * ockam_route_parse() - text to route
 * @route: receives it
 * @text: hops joined by "=>", blanks around each are dropped; a hop is
 *	"name" (LOCAL) or "type#name"
 * @err: the reason, naming the hop
 *
 * Return: 0, -EINVAL, -E2BIG. The empty string is no route.
 */
int ockam_route_parse(struct ockam_route *route, const char *text, struct ockam_err *err);

/**
 * ockam_route_format() - route to text
 * @route: source
 * @text: receives it, zero-terminated; room for OCKAM_ROUTE_TEXT bytes
 *
 * A name that is not UTF-8 prints as "Invalid UTF-8", a control character
 * as '?'.
 */
void ockam_route_format(const struct ockam_route *route, char *text);

/**
 * ockam_route_to_sockaddr() - route to socket address
 * @route: source
 * @addr: receives it, unused bytes zero
 * @addr_len: receives the used bytes
 * @err: the reason
 *
 * Return: 0; -EMSGSIZE when the route does not fit (send it as OCKAM_CMSG_ROUTE).
 */
int ockam_route_to_sockaddr(const struct ockam_route *route, struct sockaddr_ockam *addr,
			    socklen_t *addr_len, struct ockam_err *err);

/** ockam_route_from_sockaddr() - the reverse; 0 or -EBADMSG */
int ockam_route_from_sockaddr(struct ockam_route *route, const struct sockaddr_ockam *addr,
			      socklen_t addr_len, struct ockam_err *err);

/** ockam_route_random() - fresh random name: 32 hex digits and a zero byte; 0 or -EIO */
int ockam_route_random(char name[33], struct ockam_err *err);

#ifdef __cplusplus
}
#endif

#endif /* OCKAM_LIB_ROUTE_H */
