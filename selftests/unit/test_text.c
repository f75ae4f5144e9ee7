// SPDX-License-Identifier: Apache-2.0
/*
 * Text and bytes of MultiAddr, routes, BARE, hex, error sentences; the CBOR
 * reader's limits.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>

#include "bare.h"
#include "hex.h"
#include "multiaddr.h"
#include "packet.h"
#include "route.h"
#include "tap.h"

static struct ockam_err err;

/* Text in, the same or @want out; binary and back gives the same. */
static void multiaddr_good(const char *text, const char *want, const char *hex)
{
	struct ockam_multiaddr *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct ockam_buf bytes = { 0 };
	char out[1024], got[1024];

	ok_ret(ockam_multiaddr_parse(a, text, &err), 0, err, "parse %s", text);
	ockam_multiaddr_format(a, out, sizeof(out));
	ok_text(out, want ? want : text, "print %s", text);
	ockam_multiaddr_encode(a, &bytes);
	if (hex) {
		ockam_hex_encode(bytes.data, bytes.len, got);
		ok_text(got, hex, "binary of %s", text);
	}
	ok_ret(ockam_multiaddr_decode(b, bytes.data, bytes.len, &err), 0, err, "back from binary");
	ockam_multiaddr_format(b, got, sizeof(got));
	ok_text(got, out, "the same");
	ockam_buf_free(&bytes);
	free(a);
	free(b);
}

static void multiaddr_bad(const char *text, const char *part)
{
	struct ockam_multiaddr *a = calloc(1, sizeof(*a));
	int ret = ockam_multiaddr_parse(a, text, &err);

	ok(ret == -EINVAL && strstr(err.text, part) && !a->count, "refused: %s", err.text);
	if (ret != -EINVAL || !strstr(err.text, part))
		printf("# %d, wanted '%s' in it\n", ret, part);
	free(a);
}

static void test_multiaddr(void)
{
	char longest[300] = "/service/", longer[304];
	struct ockam_multiaddr *a = calloc(1, sizeof(*a));
	char many[2048] = "";
	size_t bad = 0;

	multiaddr_good("/ip4/127.0.0.1/tcp/4000/secure/api/service/uppercase", NULL,
		       "047f000001060fa0c6890603617069bee803" "09757070657263617365");
	multiaddr_good("/node/n2/service/api", NULL, "ceb604026e32bee80303617069");
	multiaddr_good("node/n2/service/api", "/node/n2/service/api", NULL);
	multiaddr_good("/node/n2/node/n3/service/api", NULL, NULL);
	multiaddr_good("self", "/secure/api", NULL);
	multiaddr_good("/dnsaddr/localhost/tcp/4000", NULL, "38096c6f63616c686f7374060fa0");
	multiaddr_good("/dnsaddr/127.0.0.1/udp/0", NULL, "38093132372e302e302e319102" "0000");
	multiaddr_good("/ip6/0:0::1/tcp/65535/worker/00ff", "/ip6/::1/tcp/65535/worker/00ff",
		       "2900000000000000000000000000000001" "06ffff" "fea0060430306666");
	multiaddr_good("/project/p/space/s", NULL, "de840501" "70" "eed20501" "73");
	multiaddr_good("/service/h\xc3\xa4ll\xc3\xb6", NULL, NULL);
	multiaddr_good("/secure/api/secure/api/service/=>#", NULL, NULL);

	multiaddr_bad("", "no segment");
	multiaddr_bad("/", "no segment");
	multiaddr_bad("/node/n1/", "ends with a '/'");
	multiaddr_bad("//node/n1", "segment 1 is empty");
	multiaddr_bad("/node/n1//service/x", "segment 2 is empty");
	multiaddr_bad("/node", "segment 1, '/node': the value is missing");
	multiaddr_bad("/node/n1/service", "segment 2, '/service': the value is missing");
	multiaddr_bad("/node//service/x", "segment 1, '/node/': the value is missing");
	multiaddr_bad("/foo/bar", "segment 1: unknown protocol 'foo'");
	multiaddr_bad("n1", "unknown protocol 'n1'");
	multiaddr_bad("/Node/n1", "unknown protocol 'Node'");
	multiaddr_bad("/ip4/127.0.0.1", "segment 1, '/ip4/127.0.0.1': a host must be followed");
	multiaddr_bad("/ip4/127.0.0.1/service/x", "a host must be followed");
	multiaddr_bad("/service/x/tcp/80", "segment 2, '/tcp/80': a port must follow");
	multiaddr_bad("/ip4/127.0.0.256/tcp/1", "'127.0.0.256' is no IPv4 address");
	multiaddr_bad("/ip6/127.0.0.1/tcp/1", "is no IPv6 address");
	multiaddr_bad("/dnsaddr/x/tcp/65536", "'65536' is no port number");
	multiaddr_bad("/dnsaddr/x/tcp/-1", "'-1' is no port number");
	multiaddr_bad("/dnsaddr/x/tcp/99999999999999999999", "is no port number");
	multiaddr_bad("/dnsaddr/x/tcp/1x", "'1x' is no port number");
	multiaddr_bad("/dnsaddr/x/tcp/1/tcp/2", "segment 3, '/tcp/2': a port must follow");
	multiaddr_bad("/service/\xff", "no UTF-8 text");
	multiaddr_bad("/service/\x1b[2J/x", "unknown protocol 'x'");
	ok(!strchr(err.text, 0x1b), "no control character in the sentence");
	memset(longest + 9, 'x', 255);
	multiaddr_good(longest, NULL, NULL);
	snprintf(longer, sizeof(longer), "%sx", longest);
	multiaddr_bad(longer, "at most 255 are allowed");
	for (int i = 0; i < 65; i++)
		strcat(many, "/service/x");
	ok(ockam_multiaddr_parse(a, many, &err) == -E2BIG, "65 segments: %s", err.text);
	many[64 * 10] = '\0';
	ok(!ockam_multiaddr_parse(a, many, &err), "64 segments");
	ok(ockam_multiaddr_format(a, many, 10) == -EMSGSIZE, "no room for the text");

	a->count = 0;
	ok(!ockam_multiaddr_append_host(a, "::1", 80, &err) &&
	   !ockam_multiaddr_append_host(a, "127.0.0.1", 81, &err) &&
	   !ockam_multiaddr_append_host(a, "h", 82, &err), "hosts of three kinds");
	ockam_multiaddr_format(a, many, sizeof(many));
	ok_text(many, "/ip6/::1/tcp/80/ip4/127.0.0.1/tcp/81/dnsaddr/h/tcp/82", "are told apart");

	for (size_t len = 1; len < 28; len++) {
		static const uint8_t bytes[] = {
			4, 127, 0, 0, 1, 6, 0x0f, 0xa0, 0xc6, 0x89, 6, 3, 'a', 'p', 'i',
			0xbe, 0xe8, 3, 9, 'u', 'p', 'p', 'e', 'r', 'c', 'a', 's', 'e',
		};
		/* Only where a segment ends, a host's port included, may it end. */
		bool whole = len == 8 || len == 15;

		if ((ockam_multiaddr_decode(a, bytes, len, &err) == -EBADMSG) == whole)
			bad++;
	}
	ok(!bad, "binary form cut to any length");
	ok(ockam_multiaddr_decode(a, (const uint8_t *)"\x05zz", 3, &err) == -EBADMSG,
	   "%s", err.text);
	free(a);
}

static void route_good(const char *text, const char *want, const char *hex)
{
	struct ockam_route route, back;
	struct ockam_buf bytes = { 0 };
	char out[OCKAM_ROUTE_TEXT], got[OCKAM_ROUTE_TEXT * 2];
	struct ockam_reader r;

	ok_ret(ockam_route_parse(&route, text, &err), 0, err, "parse '%s'", text);
	ockam_route_format(&route, out);
	ok_text(out, want, "print '%s'", text);
	ockam_hex_encode(route.packed, route.len, got);
	ok_text(got, hex, "packed form");
	ok(!ockam_route_unpack(&back, route.packed, route.len, &err) &&
	   ockam_route_equal(&route, &back), "unpacked");
	ockam_route_encode(&route, &bytes);
	ockam_reader_init(&r, bytes.data, bytes.len);
	ok(!ockam_route_decode(&r, &back, &err) && ockam_route_equal(&route, &back) &&
	   r.pos == r.end, "CBOR and back");
	ockam_buf_free(&bytes);
}

static void route_bad(const char *text)
{
	struct ockam_route route;

	ok(ockam_route_parse(&route, text, &err) == -EINVAL, "refused: %s", err.text);
}

static void test_route(void)
{
	struct ockam_route route = { 0 }, tail = { 0 }, back;
	struct sockaddr_ockam addr;
	char text[OCKAM_ROUTE_TEXT];
	uint8_t name[256];
	socklen_t len;
	char random[33];
	int ret = 0;

	route_good("a", "0#a", "000161");
	route_good("0#a=>0#b", "0#a => 0#b", "000161000162");
	route_good(" 0#a =>\tb ", "0#a => 0#b", "000161000162");
	route_good("1#127.0.0.1:4000", "1#127.0.0.1:4000", "010e3132372e302e302e313a34303030");
	route_good("255#x y", "255#x y", "ff03782079");
	route_bad("");
	route_bad("a=>");
	route_bad("=>a");
	route_bad("a => => b");
	route_bad("a#b");
	route_bad("256#b");
	route_bad("#b");
	route_bad("1#a#b");
	route_bad("1#");
	route_bad("0000#b");
	memset(name, 'x', sizeof(name));
	ok(ockam_route_append(&route, 0, name, 256, &err) == -EINVAL, "%s", err.text);
	for (int i = 0; !ret; i++)
		ret = ockam_route_append(&route, 0, "hop", 3, &err);
	ok(ret == -E2BIG && route.hops == OCKAM_ROUTE_MAX_HOPS, "%s", err.text);
	ok_ret(ockam_route_join(&route, &route, &err), -E2BIG, err, "joined: too many hops");
	memset(&route, 0, sizeof(route));
	memset(name, 0xff, sizeof(name));
	for (ret = 0; !ret;)
		ret = ockam_route_append(&route, 255, name, route.hops < 7 ? 255 : 1, &err);
	ockam_route_format(&route, text);
	ok(route.hops == 32 && strlen(text) == 32 * strlen("255#Invalid UTF-8") + 31 * 4,
	   "names that are no text");
	memset(&route, 0, sizeof(route));
	ockam_route_append(&route, 0, "a\nb", 3, NULL);
	ockam_route_format(&route, text);
	ok_text(text, "0#a?b", "control characters are not printed");

	memset(&route, 0, sizeof(route));
	ockam_route_append_text(&route, "one", NULL);
	ockam_route_append_text(&tail, "two", NULL);
	ok(!ockam_route_join(&route, &tail, &err) && !ockam_route_join(&route, &route, &err) &&
	   route.hops == 4, "joined, also with itself");
	ok_ret(ockam_route_to_sockaddr(&route, &addr, &len, &err), 0, err, "socket address");
	ok(len == 4 + 4 * 5 && addr.sockam_hops == 4 && addr.sockam_family == AF_OCKAM &&
	   addr.sockam_route[1] == 3, "its layout");
	ok(!ockam_route_from_sockaddr(&back, &addr, len, &err) && ockam_route_equal(&route, &back),
	   "and back");
	ok(!ockam_route_from_sockaddr(&back, &addr, sizeof(addr), &err) &&
	   ockam_route_equal(&route, &back), "also with its whole length");
	for (socklen_t l = 0; l < len; l++)
		ret |= ockam_route_from_sockaddr(&back, &addr, l, &err) != -EBADMSG;
	ok(ret == -E2BIG, "refused when cut to any length");
	ret = 0;
	for (int i = 0; i < 3; i++) {
		ret |= ockam_route_random(random, &err);
		memset(&tail, 0, sizeof(tail));
		ockam_route_append_text(&tail, random, NULL);
		if (!i)
			route = tail;
		else
			ockam_route_join(&route, &tail, NULL);
	}
	ok(!ret && strspn(random, "0123456789abcdef") == 32, "a random name: %s", random);
	ok(!ockam_route_to_sockaddr(&route, &addr, &len, &err), "three of them fit");
	ockam_route_join(&route, &tail, NULL);
	ok(ockam_route_to_sockaddr(&route, &addr, &len, &err) == -EMSGSIZE, "four do not: %s",
	   err.text);
	ok(ockam_route_unpack(&back, "\x00\x00", 2, &err) == -EBADMSG &&
	   ockam_route_unpack(&back, "\x00\x02x", 3, &err) == -EBADMSG &&
	   ockam_route_unpack(&back, "\x00", 1, &err) == -EBADMSG &&
	   !ockam_route_unpack(&back, "", 0, &err), "malformed packed routes");
}

static void test_route_cbor(void)
{
	static const char *const bad[] = {
		"", "a0", "81", "8181", "818100", "81820041", "8182190100" "4161", "8182006161",
		"9affffffff", "9f", "818200405c", "818200" "5f4161ff", "81820040",
	};
	static const char *const good[] = {
		"8182004161", "9f9f004161ffff", "819a00000002" "1800" "4161", "818300416100",
	};
	struct ockam_route route;
	struct ockam_reader r;
	uint8_t bytes[64];
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ockam_hex_decode(bad[i], strlen(bad[i]), bytes, sizeof(bytes), &len, NULL);
		ockam_reader_init(&r, bytes, len);
		ok(ockam_route_decode(&r, &route, &err) == -EBADMSG, "refused CBOR '%s'", bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ockam_hex_decode(good[i], strlen(good[i]), bytes, sizeof(bytes), &len, NULL);
		ockam_reader_init(&r, bytes, len);
		ok(!ockam_route_decode(&r, &route, &err) && route.hops == 1 && route.len == 3 &&
		   r.pos == r.end, "accepted CBOR '%s'", good[i]);
	}
}

static void skip_case(const char *hex, bool good)
{
	struct ockam_reader r;
	uint8_t bytes[256];
	size_t len;

	ockam_hex_decode(hex, strlen(hex), bytes, sizeof(bytes), &len, NULL);
	ockam_reader_init(&r, bytes, len);
	ok(!ockam_reader_skip(&r) == good && (!good || r.pos == r.end), "%s '%s'",
	   good ? "skipped" : "refused", hex);
}

static void test_reader(void)
{
	static const char *const good[] = {
		"00", "1bffffffffffffffff", "20", "40", "43010203", "60", "80", "83010203", "a0",
		"a10102", "bf0102ff", "9f9f80ffff", "5f41004100ff", "7f6161ff", "c100", "f4", "f6",
		"f8ff", "fb0000000000000000", "5fff",
	};
	static const char *const bad[] = {
		"", "18", "1c", "41", "5bffffffffffffffff", "9bffffffffffffffff", "a101", "bf01",
		"9f", "ff", "5f6161ff", "5f5f4100ffff", "1f", "df00", "81ff", "c1", "fc",
		"bbffffffffffffffff", "bb8000000000000000", "bf00012cff", "bf00bf01ffff",
	};
	struct ockam_reader r;
	struct ockam_piece p;
	uint8_t deep[100];
	uint64_t value;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		skip_case(good[i], true);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		skip_case(bad[i], false);
	memset(deep, 0x81, sizeof(deep));
	deep[OCKAM_READER_DEPTH] = 0;
	ockam_reader_init(&r, deep, OCKAM_READER_DEPTH + 1);
	ok(!ockam_reader_skip(&r), "%d arrays inside each other", OCKAM_READER_DEPTH);
	deep[OCKAM_READER_DEPTH] = 0x81;
	deep[OCKAM_READER_DEPTH + 1] = 0;
	ockam_reader_init(&r, deep, OCKAM_READER_DEPTH + 2);
	ok(ockam_reader_skip(&r) == -EBADMSG, "one more");
	ockam_reader_init(&r, "\x19\x01\x00", 3);
	ok(ockam_reader_uint(&r, 255, &value) == -EBADMSG, "256 is no byte");
	ockam_reader_init(&r, "\x1b\0\0\0\0\0\0\0\x07", 9);
	ok(!ockam_reader_uint(&r, 255, &value) && value == 7, "7 in nine bytes");
	ockam_reader_init(&r, NULL, 0);
	ok(ockam_reader_bytes(&r, &p) == -EBADMSG && !ockam_reader_null(&r), "no input at all");
}

static void test_bare(void)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 300, 1ull << 32, UINT64_MAX };
	static const char *const bad[] = { "", "80", "ffffffffffffffffff02",
					   "8080808080808080808001", "05616263" };
	struct ockam_buf out = { 0 };
	struct ockam_piece piece;
	const uint8_t *pos;
	uint8_t bytes[32];
	uint64_t value;
	size_t len;
	bool good = true;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		out.len = 0;
		ockam_bare_put_uint(&out, values[i]);
		pos = out.data;
		good &= !ockam_bare_get_uint(&pos, out.data + out.len, &value) &&
			value == values[i] && pos == out.data + out.len;
	}
	ok(good && out.len == 10, "numbers and back");
	out.len = 0;
	ockam_bare_put_data(&out, "hello", 5);
	ok(out.len == 6 && !memcmp(out.data, "\x05hello", 6), "text");
	pos = out.data;
	ok(!ockam_bare_get_data(&pos, out.data + out.len, &piece) && piece.len == 5 &&
	   ockam_bare_is_text(&piece), "and back");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ockam_hex_decode(bad[i], strlen(bad[i]), bytes, sizeof(bytes), &len, NULL);
		pos = bytes;
		ok(ockam_bare_get_data(&pos, bytes + len, &piece) == -EBADMSG,
		   "refused '%s'", bad[i]);
	}
	ockam_buf_free(&out);
}

static void test_utf8(void)
{
	static const struct {
		const char	*text;
		bool		good;
	} cases[] = {
		{ "", true }, { "abc", true }, { "\xc3\xa4", true }, { "\xe2\x82\xac", true },
		{ "\xf0\x9f\x99\x82", true }, { "\xff", false }, { "\xc3", false },
		{ "\xc0\x80", false }, { "\xe0\x80\x80", false }, { "\xed\xa0\x80", false },
		{ "\xf4\x90\x80\x80", false }, { "\x80", false }, { "\xc3(", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ockam_piece p = { (const uint8_t *)cases[i].text, strlen(cases[i].text) };

		ok(ockam_bare_is_text(&p) == cases[i].good, "UTF-8 case %zu", i);
	}
}

static void test_err_and_hex(void)
{
	char text[2 * OCKAM_ERR_TEXT];
	uint8_t bytes[4];
	size_t len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ok(ockam_err_set(&err, -EIO, "%s", text) == -EIO && strlen(err.text) == OCKAM_ERR_TEXT - 1,
	   "a long sentence is cut");
	ok(ockam_err_prefix(&err, "%s", text) == -EIO && strlen(err.text) == OCKAM_ERR_TEXT - 1,
	   "prefixed too");
	ok(ockam_err_set(NULL, -EIO, "x") == -EIO, "no place for a sentence");
	ockam_err_set(&err, -EIO, "a\x1b\x7f\n\xc2\x9b[2J\xc2\xa0\xc3\x9b\xc2");
	ok(!strcmp(err.text, "a?????[2J\xc2\xa0\xc3\x9b\xc2"), "no control character stays: %s",
	   err.text);
	ockam_err_set(&err, -EIO, "inner");
	ockam_err_prefix(&err, "outer %d", 5);
	ok_text(err.text, "outer 5: inner", "a prefix");
	ok(!ockam_hex_decode("00fFA1", 6, bytes, 4, &len, &err) && len == 3 && bytes[1] == 0xff,
	   "hex of either case");
	ok(ockam_hex_decode("000", 3, bytes, 4, &len, &err) == -EINVAL, "%s", err.text);
	ok(ockam_hex_decode("0g", 2, bytes, 4, &len, &err) == -EINVAL, "%s", err.text);
	ok(ockam_hex_decode("0011223344", 10, bytes, 4, &len, &err) == -EMSGSIZE, "%s", err.text);
	ockam_hex_encode((const uint8_t *)"\x00\xab", 2, text);
	ok_text(text, "00ab", "hex text");
}

int main(void)
{
	test_multiaddr();
	test_route();
	test_route_cbor();
	test_reader();
	test_bare();
	test_utf8();
	test_err_and_hex();
	return tap_done();
}
