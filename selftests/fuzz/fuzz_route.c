// SPDX-License-Identifier: Apache-2.0
/*
 * Routes of libockam in each of their forms: text, packed, CBOR, socket
 * address. What is read in one is the same through all others.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "packet.h"
#include "route.h"

static struct ockam_route route, again;
static char text[OCKAM_ROUTE_TEXT];

/* Printing loses nothing when all names are plain. */
static bool is_plain(void)
{
	struct ockam_hop hop;

	for (unsigned int i = 0; ockam_route_hop(&route, i, &hop); i++)
		for (unsigned int j = 0; j < hop.len; j++)
			if (hop.name[j] <= ' ' || hop.name[j] >= 0x7f || hop.name[j] == '#' ||
			    hop.name[j] == '=' || hop.name[j] == '>')
				return false;
	return true;
}

static void check_text(void)
{
	memset(text, 'x', sizeof(text));
	ockam_route_format(&route, text);
	fuzz_must(memchr(text, 0, sizeof(text)));
	for (const char *p = text; *p; p++)
		fuzz_must((unsigned char)*p >= 0x20 && *p != 0x7f);
	if (!route.hops || !is_plain())
		return;
	fuzz_must(!ockam_route_parse(&again, text, NULL));
	fuzz_must(ockam_route_equal(&route, &again));
}

static void check_cbor(void)
{
	struct ockam_buf out = { 0 };
	struct ockam_reader r;

	ockam_route_encode(&route, &out);
	fuzz_must(!out.failed);
	ockam_reader_init(&r, out.data, out.len);
	fuzz_must(!ockam_route_decode(&r, &again, NULL) && r.pos == r.end);
	fuzz_must(ockam_route_equal(&route, &again));
	ockam_reader_init(&r, out.data, out.len - 1);
	fuzz_must(ockam_route_decode(&r, &again, NULL) == -EBADMSG);
	ockam_buf_free(&out);
}

static void check_sockaddr(void)
{
	struct sockaddr_ockam addr;
	socklen_t len;
	int ret;

	ret = ockam_route_to_sockaddr(&route, &addr, &len, NULL);
	fuzz_must(ret == (route.len > sizeof(addr.sockam_route) ? -EMSGSIZE : 0));
	if (ret)
		return;
	fuzz_must(!ockam_route_from_sockaddr(&again, &addr, len, NULL));
	fuzz_must(ockam_route_equal(&route, &again));
	fuzz_must(!ockam_route_from_sockaddr(&again, &addr, sizeof(addr), NULL));
	fuzz_must(ockam_route_equal(&route, &again));
}

static void check_all(void)
{
	uint8_t *copy = fuzz_exact(route.packed, route.len);
	struct ockam_hop hop;
	size_t sum = 0;

	for (unsigned int i = 0; i < route.hops; i++) {
		fuzz_must(ockam_route_hop(&route, i, &hop) && hop.len);
		sum += 2u + hop.len;
	}
	fuzz_must(sum == route.len && !ockam_route_hop(&route, route.hops, &hop));
	fuzz_must(!ockam_route_unpack(&again, copy, route.len, NULL));
	fuzz_must(ockam_route_equal(&route, &again));
	free(copy);
	check_text();
	check_cbor();
	check_sockaddr();
	/* Twice the route, or none of it. */
	again = route;
	if (ockam_route_join(&again, &route, NULL))
		fuzz_must(ockam_route_equal(&route, &again));
	else
		fuzz_must(again.hops == 2 * route.hops && again.len == 2 * route.len);
}

static int read_sockaddr(const uint8_t *data, size_t size, struct ockam_err *err)
{
	struct sockaddr_ockam addr = { 0 };

	memcpy(&addr, data, size < sizeof(addr) ? size : sizeof(addr));
	return ockam_route_from_sockaddr(&route, &addr, (socklen_t)size, err);
}

static int read_form(unsigned int form, const uint8_t *data, size_t size, struct ockam_err *err)
{
	struct ockam_reader r;
	char *typed;
	int ret;

	switch (form) {
	case 0:
		typed = fuzz_text(data, size);
		ret = ockam_route_parse(&route, typed, err);
		free(typed);
		return ret;
	case 1:
		return ockam_route_unpack(&route, data, size, err);
	case 2:
		ockam_reader_init(&r, data, size);
		ret = ockam_route_decode(&r, &route, err);
		fuzz_must(ret || (r.pos > data && r.pos <= data + size));
		return ret;
	default:
		return read_sockaddr(data, size, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ockam_err err;
	uint8_t *copy;
	int ret;

	if (!size)
		return 0;
	copy = fuzz_exact(data + 1, size - 1);
	ret = read_form(data[0] % 4, copy, size - 1, &err);
	free(copy);
	fuzz_must(!ret || ret == -EINVAL || ret == -EBADMSG || ret == -E2BIG);
	if (ret)
		fuzz_must(err.code && err.text[0]);
	else
		check_all();
	return 0;
}
