// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bare.h"
#include "multiaddr.h"

static const struct {
	const char		*name;
	enum ockam_proto	proto;
} ockam_protos[] = {
	{ "node", OCKAM_PROTO_NODE },
	{ "secure", OCKAM_PROTO_SECURE },
	{ "service", OCKAM_PROTO_SERVICE },
	{ "worker", OCKAM_PROTO_WORKER },
	{ "ip4", OCKAM_PROTO_IP4 },
	{ "ip6", OCKAM_PROTO_IP6 },
	{ "dnsaddr", OCKAM_PROTO_DNSADDR },
	{ "tcp", OCKAM_PROTO_TCP },
	{ "udp", OCKAM_PROTO_UDP },
	{ "project", OCKAM_PROTO_PROJECT },
	{ "space", OCKAM_PROTO_SPACE },
};

#define OCKAM_PROTOS	(sizeof(ockam_protos) / sizeof(ockam_protos[0]))

const char *ockam_proto_name(enum ockam_proto proto)
{
	for (size_t i = 0; i < OCKAM_PROTOS; i++)
		if (ockam_protos[i].proto == proto)
			return ockam_protos[i].name;
	return NULL;
}

static bool ockam_multiaddr_is_host(enum ockam_proto proto)
{
	return proto == OCKAM_PROTO_IP4 || proto == OCKAM_PROTO_IP6 ||
	       proto == OCKAM_PROTO_DNSADDR;
}

static bool ockam_multiaddr_is_port(enum ockam_proto proto)
{
	return proto == OCKAM_PROTO_TCP || proto == OCKAM_PROTO_UDP;
}

static int ockam_multiaddr_parse_port(struct ockam_segment *segment, const char *value,
				      struct ockam_err *err)
{
	unsigned int port = 0;
	size_t digits = 0;

	for (; value[digits] >= '0' && value[digits] <= '9' && port <= UINT16_MAX; digits++)
		port = port * 10 + (unsigned int)(value[digits] - '0');
	if (!digits || value[digits] || port > UINT16_MAX)
		return ockam_err_set(err, -EINVAL, "'%.80s' is no port number from 0 to 65535",
				     value);
	segment->port = (uint16_t)port;
	snprintf(segment->text, sizeof(segment->text), "%u", port);
	return 0;
}

static int ockam_multiaddr_parse_ip(struct ockam_segment *segment, const char *value,
				    struct ockam_err *err)
{
	int family = segment->proto == OCKAM_PROTO_IP4 ? AF_INET : AF_INET6;

	if (inet_pton(family, value, segment->ip) != 1 ||
	    !inet_ntop(family, segment->ip, segment->text, sizeof(segment->text)))
		return ockam_err_set(err, -EINVAL, "'%.80s' is no IPv%c address", value,
				     family == AF_INET ? '4' : '6');
	return 0;
}

int ockam_multiaddr_append(struct ockam_multiaddr *addr, enum ockam_proto proto,
			   const char *value, struct ockam_err *err)
{
	struct ockam_piece text = { (const uint8_t *)value, strlen(value) };
	struct ockam_segment *segment;
	int ret = 0;

	if (addr->count == OCKAM_MULTIADDR_SEGMENTS)
		return ockam_err_set(err, -E2BIG, "an address has at most %u segments",
				     OCKAM_MULTIADDR_SEGMENTS);
	if (!text.len)
		return ockam_err_set(err, -EINVAL, "the value is missing");
	if (text.len >= OCKAM_MULTIADDR_VALUE)
		return ockam_err_set(err, -EINVAL, "the value has %zu bytes, at most %u are allowed",
				     text.len, OCKAM_MULTIADDR_VALUE - 1);
	if (memchr(value, '/', text.len) || !ockam_bare_is_text(&text))
		return ockam_err_set(err, -EINVAL, "the value holds a '/' or is no UTF-8 text");
	segment = &addr->segments[addr->count];
	memset(segment, 0, sizeof(*segment));
	segment->proto = proto;
	if (ockam_multiaddr_is_port(proto))
		ret = ockam_multiaddr_parse_port(segment, value, err);
	else if (proto == OCKAM_PROTO_IP4 || proto == OCKAM_PROTO_IP6)
		ret = ockam_multiaddr_parse_ip(segment, value, err);
	else
		memcpy(segment->text, value, text.len + 1);
	if (!ret)
		addr->count++;
	return ret;
}

int ockam_multiaddr_append_host(struct ockam_multiaddr *addr, const char *host, uint16_t port,
				struct ockam_err *err)
{
	enum ockam_proto proto = OCKAM_PROTO_DNSADDR;
	size_t count = addr->count;
	uint8_t ip[16];
	char text[6];
	int ret;

	if (inet_pton(AF_INET, host, ip) == 1)
		proto = OCKAM_PROTO_IP4;
	else if (inet_pton(AF_INET6, host, ip) == 1)
		proto = OCKAM_PROTO_IP6;
	ret = ockam_multiaddr_append(addr, proto, host, err);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%u", port);
	ret = ockam_multiaddr_append(addr, OCKAM_PROTO_TCP, text, err);
	if (ret)
		addr->count = count;
	return ret;
}

/* A host is of use only with a port behind it, and a port only behind a host. */
static int ockam_multiaddr_check(const struct ockam_multiaddr *addr, struct ockam_err *err)
{
	for (size_t i = 0; i < addr->count; i++) {
		const struct ockam_segment *segment = &addr->segments[i];
		const char *name = ockam_proto_name(segment->proto);

		if (ockam_multiaddr_is_host(segment->proto) &&
		    (i + 1 == addr->count ||
		     !ockam_multiaddr_is_port(addr->segments[i + 1].proto)))
			return ockam_err_set(err, -EINVAL,
					     "segment %zu, '/%s/%.80s': a host must be followed by /tcp/<port> or /udp/<port>",
					     i + 1, name, segment->text);
		if (ockam_multiaddr_is_port(segment->proto) &&
		    (!i || !ockam_multiaddr_is_host(addr->segments[i - 1].proto)))
			return ockam_err_set(err, -EINVAL,
					     "segment %zu, '/%s/%s': a port must follow /ip4/, /ip6/ or /dnsaddr/",
					     i + 1, name, segment->text);
	}
	return 0;
}

/* The part up to the next '/', cut to @size; moves *text behind that '/'. */
static bool ockam_multiaddr_next(const char **text, char *part, size_t size, bool *last)
{
	size_t len = strcspn(*text, "/");
	bool fits = len < size;

	memcpy(part, *text, fits ? len : size - 1);
	part[fits ? len : size - 1] = '\0';
	*text += len;
	*last = !**text;
	if (!*last)
		(*text)++;
	return fits;
}

static int ockam_multiaddr_parse_segment(struct ockam_multiaddr *addr, const char **text,
					 bool *last, struct ockam_err *err)
{
	char value[OCKAM_MULTIADDR_VALUE + 1];
	size_t number = addr->count + 1;
	char name[32];
	size_t i;
	int ret;

	ockam_multiaddr_next(text, name, sizeof(name), last);
	if (!name[0])
		return ockam_err_set(err, -EINVAL, *last ? "it ends with a '/'" :
				     "segment %zu is empty", number);
	for (i = 0; i < OCKAM_PROTOS; i++)
		if (!strcmp(ockam_protos[i].name, name))
			break;
	if (i == OCKAM_PROTOS)
		return ockam_err_set(err, -EINVAL,
				     "segment %zu: unknown protocol '%s' (known: node, secure, service, worker, ip4, ip6, dnsaddr, tcp, udp, project, space)",
				     number, name);
	if (*last)
		return ockam_err_set(err, -EINVAL, "segment %zu, '/%s': the value is missing",
				     number, name);
	/* One byte more than allowed is kept, so that append() sees a long value. */
	ockam_multiaddr_next(text, value, sizeof(value), last);
	ret = ockam_multiaddr_append(addr, ockam_protos[i].proto, value, err);
	if (ret)
		ockam_err_prefix(err, "segment %zu, '/%s/%.40s'", number, name, value);
	return ret;
}

int ockam_multiaddr_parse(struct ockam_multiaddr *addr, const char *text, struct ockam_err *err)
{
	const char *pos = strcmp(text, "self") ? text : "/secure/api";
	bool last = false;
	int ret = 0;

	addr->count = 0;
	if (*pos == '/')
		pos++;
	if (!*pos)
		ret = ockam_err_set(err, -EINVAL, "it has no segment");
	while (!ret && !last)
		ret = ockam_multiaddr_parse_segment(addr, &pos, &last, err);
	if (!ret)
		ret = ockam_multiaddr_check(addr, err);
	if (ret) {
		ockam_err_prefix(err, "'%.100s' is no valid route", text);
		addr->count = 0;
	}
	return ret;
}

int ockam_multiaddr_format(const struct ockam_multiaddr *addr, char *text, size_t size)
{
	size_t used = 0;

	if (!size)
		return -EMSGSIZE;
	text[0] = '\0';
	for (size_t i = 0; i < addr->count; i++) {
		int len = snprintf(text + used, size - used, "/%s/%s",
				   ockam_proto_name(addr->segments[i].proto),
				   addr->segments[i].text);

		if (len < 0 || (size_t)len >= size - used)
			return -EMSGSIZE;
		used += (size_t)len;
	}
	return (int)used;
}

void ockam_multiaddr_encode(const struct ockam_multiaddr *addr, struct ockam_buf *out)
{
	for (size_t i = 0; i < addr->count; i++) {
		const struct ockam_segment *segment = &addr->segments[i];

		ockam_bare_put_uint(out, segment->proto);
		switch (segment->proto) {
		case OCKAM_PROTO_IP4:
			ockam_buf_put(out, segment->ip, 4);
			break;
		case OCKAM_PROTO_IP6:
			ockam_buf_put(out, segment->ip, 16);
			break;
		case OCKAM_PROTO_TCP:
		case OCKAM_PROTO_UDP:
			ockam_buf_put_u8(out, (uint8_t)(segment->port >> 8));
			ockam_buf_put_u8(out, (uint8_t)segment->port);
			break;
		default:
			ockam_bare_put_data(out, segment->text, strlen(segment->text));
		}
	}
}

static int ockam_multiaddr_decode_value(enum ockam_proto proto, const uint8_t **pos,
					const uint8_t *end, char value[OCKAM_MULTIADDR_VALUE])
{
	size_t fixed = proto == OCKAM_PROTO_IP4 ? 4 : proto == OCKAM_PROTO_IP6 ? 16 :
		       ockam_multiaddr_is_port(proto) ? 2 : 0;
	struct ockam_piece piece;

	if (fixed) {
		if ((size_t)(end - *pos) < fixed)
			return -EBADMSG;
		if (fixed == 2)
			snprintf(value, OCKAM_MULTIADDR_VALUE, "%u", (*pos)[0] << 8 | (*pos)[1]);
		else
			inet_ntop(fixed == 4 ? AF_INET : AF_INET6, *pos, value,
				  OCKAM_MULTIADDR_VALUE);
		*pos += fixed;
		return 0;
	}
	if (ockam_bare_get_data(pos, end, &piece) || piece.len >= OCKAM_MULTIADDR_VALUE ||
	    !ockam_bare_is_text(&piece))
		return -EBADMSG;
	memcpy(value, piece.data, piece.len);
	value[piece.len] = '\0';
	return 0;
}

int ockam_multiaddr_decode(struct ockam_multiaddr *addr, const uint8_t *bytes, size_t len,
			   struct ockam_err *err)
{
	const uint8_t *end = len ? bytes + len : bytes;
	const uint8_t *pos = bytes;

	addr->count = 0;
	while (pos < end) {
		char value[OCKAM_MULTIADDR_VALUE];
		uint64_t code;
		int ret;

		if (ockam_bare_get_uint(&pos, end, &code) || code > INT32_MAX ||
		    !ockam_proto_name((enum ockam_proto)code))
			return ockam_err_set(err, -EBADMSG, "segment %zu: unknown protocol",
					     addr->count + 1);
		if (ockam_multiaddr_decode_value((enum ockam_proto)code, &pos, end, value))
			return ockam_err_set(err, -EBADMSG, "segment %zu does not decode",
					     addr->count + 1);
		ret = ockam_multiaddr_append(addr, (enum ockam_proto)code, value, err);
		if (ret) {
			ockam_err_prefix(err, "segment %zu", addr->count + 1);
			return ret == -EINVAL ? -EBADMSG : ret;
		}
	}
	return ockam_multiaddr_check(addr, err) ? -EBADMSG : 0;
}
