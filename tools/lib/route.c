// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bare.h"
#include "crypto.h"
#include "hex.h"
#include "route.h"

#define OCKAM_ROUTE_BLANKS	" \t\r\n"

int ockam_route_append(struct ockam_route *route, uint8_t type, const void *name, size_t len,
		       struct ockam_err *err)
{
	uint8_t *pos;

	if (!len)
		return ockam_err_set(err, -EINVAL, "an address needs a name of at least one byte");
	if (len > OCKAM_ADDR_MAX_LEN)
		return ockam_err_set(err, -EINVAL, "an address of %zu bytes is too long, at most %u",
				     len, OCKAM_ADDR_MAX_LEN);
	if (route->hops == OCKAM_ROUTE_MAX_HOPS)
		return ockam_err_set(err, -E2BIG, "a route has at most %u hops",
				     OCKAM_ROUTE_MAX_HOPS);
	if (len + 2 > (size_t)(OCKAM_ROUTE_MAX_BYTES - route->len))
		return ockam_err_set(err, -E2BIG, "a route has at most %u bytes",
				     OCKAM_ROUTE_MAX_BYTES);
	pos = route->packed + route->len;
	pos[0] = type;
	pos[1] = (uint8_t)len;
	memcpy(pos + 2, name, len);
	route->len = (uint16_t)(route->len + len + 2);
	route->hops++;
	return 0;
}

int ockam_route_append_text(struct ockam_route *route, const char *name, struct ockam_err *err)
{
	return ockam_route_append(route, OCKAM_ADDR_LOCAL, name, strlen(name), err);
}

bool ockam_route_hop(const struct ockam_route *route, unsigned int index, struct ockam_hop *hop)
{
	const uint8_t *pos = route->packed;

	if (index >= route->hops)
		return false;
	while (index--)
		pos += 2 + pos[1];
	hop->type = pos[0];
	hop->len = pos[1];
	hop->name = pos + 2;
	return true;
}

int ockam_route_join(struct ockam_route *route, const struct ockam_route *tail,
		     struct ockam_err *err)
{
	if (tail->hops > OCKAM_ROUTE_MAX_HOPS - route->hops ||
	    tail->len > OCKAM_ROUTE_MAX_BYTES - route->len)
		return ockam_err_set(err, -E2BIG, "the route would have more than %u hops or %u bytes",
				     OCKAM_ROUTE_MAX_HOPS, OCKAM_ROUTE_MAX_BYTES);
	/* @tail may be @route itself. */
	memmove(route->packed + route->len, tail->packed, tail->len);
	route->len = (uint16_t)(route->len + tail->len);
	route->hops = (uint8_t)(route->hops + tail->hops);
	return 0;
}

bool ockam_route_equal(const struct ockam_route *a, const struct ockam_route *b)
{
	return a->hops == b->hops && a->len == b->len && !memcmp(a->packed, b->packed, a->len);
}

int ockam_route_unpack(struct ockam_route *route, const void *packed, size_t len,
		       struct ockam_err *err)
{
	const uint8_t *pos = packed;

	route->hops = 0;
	route->len = 0;
	while (len) {
		int ret;

		if (len < 2 || !pos[1] || pos[1] > len - 2)
			return ockam_err_set(err, -EBADMSG, "hop %u of the packed route is malformed",
					     route->hops);
		ret = ockam_route_append(route, pos[0], pos + 2, pos[1], err);
		if (ret)
			return ret;
		len -= 2u + pos[1];
		pos += 2 + pos[1];
	}
	return 0;
}

/* One hop, "name" or "type#name", blanks around it already dropped. */
static int ockam_route_parse_hop(struct ockam_route *route, const char *text, size_t len,
				 struct ockam_err *err)
{
	const char *hash = memchr(text, '#', len);
	unsigned int type = OCKAM_ADDR_LOCAL;
	const char *name = text;

	if (hash) {
		name = hash + 1;
		if (memchr(name, '#', len - (size_t)(name - text)))
			return ockam_err_set(err, -EINVAL,
					     "address '%.*s' holds more than one '#'",
					     (int)len, text);
		if (hash == text || hash - text > 3)
			goto bad_type;
		type = 0;
		for (const char *digit = text; digit < hash; digit++) {
			if (*digit < '0' || *digit > '9')
				goto bad_type;
			type = type * 10 + (unsigned int)(*digit - '0');
		}
		if (type > UINT8_MAX)
			goto bad_type;
	}
	return ockam_route_append(route, (uint8_t)type, name, len - (size_t)(name - text), err);
bad_type:
	return ockam_err_set(err, -EINVAL,
			     "address '%.*s': what stands before '#' must be a number from 0 to 255",
			     (int)len, text);
}

int ockam_route_parse(struct ockam_route *route, const char *text, struct ockam_err *err)
{
	const char *pos = text;

	route->hops = 0;
	route->len = 0;
	for (;;) {
		const char *arrow = strstr(pos, "=>");
		size_t len = arrow ? (size_t)(arrow - pos) : strlen(pos);
		size_t lead = strspn(pos, OCKAM_ROUTE_BLANKS);
		int ret;

		if (lead > len)
			lead = len;
		pos += lead;
		len -= lead;
		while (len && strchr(OCKAM_ROUTE_BLANKS, pos[len - 1]))
			len--;
		if (!len)
			return ockam_err_set(err, -EINVAL, "hop %u of route '%.120s' is empty",
					     route->hops + 1u, text);
		ret = ockam_route_parse_hop(route, pos, len, err);
		if (ret) {
			ockam_err_prefix(err, "hop %u of the route", route->hops + 1u);
			return ret;
		}
		if (!arrow)
			return 0;
		pos = arrow + 2;
	}
}

void ockam_route_format(const struct ockam_route *route, char *text)
{
	struct ockam_hop hop;
	char *pos = text;

	*pos = '\0';
	for (unsigned int i = 0; ockam_route_hop(route, i, &hop); i++) {
		struct ockam_piece name = { hop.name, hop.len };
		size_t left = OCKAM_ROUTE_TEXT - (size_t)(pos - text);
		int len;

		if (ockam_bare_is_text(&name))
			len = snprintf(pos, left, "%s%u#%.*s", i ? " => " : "", hop.type, hop.len,
				       (const char *)hop.name);
		else
			len = snprintf(pos, left, "%s%u#Invalid UTF-8", i ? " => " : "", hop.type);
		if (len < 0 || (size_t)len >= left)
			break;
		pos += len;
	}
	/* Names of strangers must not steer a terminal. */
	for (pos = text; *pos; pos++)
		if ((unsigned char)*pos < 0x20 || *pos == 0x7f)
			*pos = '?';
}

int ockam_route_to_sockaddr(const struct ockam_route *route, struct sockaddr_ockam *addr,
			    socklen_t *addr_len, struct ockam_err *err)
{
	if (route->len > sizeof(addr->sockam_route))
		return ockam_err_set(err, -EMSGSIZE,
				     "the route of %u bytes does not fit a socket address of %zu",
				     route->len, sizeof(addr->sockam_route));
	memset(addr, 0, sizeof(*addr));
	addr->sockam_family = AF_OCKAM;
	addr->sockam_hops = route->hops;
	memcpy(addr->sockam_route, route->packed, route->len);
	*addr_len = (socklen_t)(offsetof(struct sockaddr_ockam, sockam_route) + route->len);
	return 0;
}

int ockam_route_from_sockaddr(struct ockam_route *route, const struct sockaddr_ockam *addr,
			      socklen_t addr_len, struct ockam_err *err)
{
	size_t head = offsetof(struct sockaddr_ockam, sockam_route);
	size_t used = 0;

	route->hops = 0;
	route->len = 0;
	if (addr_len < head || addr_len > sizeof(*addr) || addr->sockam_family != AF_OCKAM)
		return ockam_err_set(err, -EBADMSG, "this is no address of family AF_OCKAM");
	for (unsigned int i = 0; i < addr->sockam_hops; i++) {
		if (addr_len - head - used < 2 || !addr->sockam_route[used + 1] ||
		    addr->sockam_route[used + 1] > addr_len - head - used - 2)
			return ockam_err_set(err, -EBADMSG, "hop %u of the socket address is malformed",
					     i);
		used += 2u + addr->sockam_route[used + 1];
	}
	return ockam_route_unpack(route, addr->sockam_route, used, err);
}

int ockam_route_random(char name[33], struct ockam_err *err)
{
	uint8_t bytes[16];
	int ret = ockam_crypto_random(bytes, sizeof(bytes), err);

	if (!ret)
		ockam_hex_encode(bytes, sizeof(bytes), name);
	return ret;
}
