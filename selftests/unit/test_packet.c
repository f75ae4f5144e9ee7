// SPDX-License-Identifier: Apache-2.0
/*
 * The data phase in user space: channel.json, window.json and the vectors of
 * wire-protocol 6.1 and 13.2.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "packet.h"
#include "tap.h"
#include "vectors.h"

static struct ockam_err err;

static void test_channel(struct json_object *root)
{
	struct json_object *list = vectors_get(root, "packets");
	size_t count = json_object_array_length(list);
	struct ockam_sealer sealer;
	struct ockam_opener opener;
	uint8_t key[32], next[32];
	struct ockam_buf want;

	vectors_key(root, "first_key", key);
	ockam_sealer_init(&sealer, key);
	ockam_opener_init(&opener, key);
	ok(count == 100, "100 packets");
	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		struct ockam_buf plain = vectors_bytes(entry, "plaintext");
		struct ockam_plaintext content;
		uint8_t packet[8192], opened[8192];

		want = vectors_bytes(entry, "packet");
		if (!ok(want.len <= sizeof(packet), "packet %zu fits", i))
			break;
		ok(!ockam_packet_seal(&sealer, plain.data, plain.len, packet, &err) &&
		   plain.len + OCKAM_PACKET_OVERHEAD == want.len &&
		   !memcmp(packet, want.data, want.len),
		   "packet %zu is sealed as in the vectors", i);
		vectors_key(entry, "key", key);
		ok_bytes(sealer.key, key, 32, "key of packet %zu", i);
		ok(!ockam_packet_open(&opener, want.data, want.len, opened, &err) &&
		   !memcmp(opened, plain.data, plain.len), "packet %zu opens", i);
		ok_bytes(opener.current, key, 32, "receiver's key of packet %zu", i);
		ok(!ockam_plaintext_decode(opened, plain.len, &content, &err) &&
		   content.kind == OCKAM_MESSAGE_PAYLOAD && content.onward.hops == 1,
		   "packet %zu holds a message", i);
		ok(ockam_packet_open(&opener, want.data, want.len, opened, &err) == -EALREADY,
		   "packet %zu opens once only", i);
		ockam_buf_free(&plain);
		ockam_buf_free(&want);
	}
	vectors_key(root, "first_key", key);
	ockam_packet_next_key(key, next);
	vectors_key(root, "next_key_of_first_key", key);
	ok_bytes(next, key, 32, "next key");
	want = vectors_bytes(root, "close_as_first_packet");
	vectors_key(root, "first_key", key);
	ockam_opener_init(&opener, key);
	ok(!ockam_packet_open(&opener, want.data, want.len, next, &err) &&
	   !memcmp(next, "\x82\x82\x02\x80\x40", 5), "Close as first packet");
	ockam_buf_free(&want);
}

static void test_printed_vectors(void)
{
	static const char k2[] = "831124fa3e1606b97f5cda4d81c3aa04c7c0151666f05f49a09cd0faf63a05d8";
	static const char first[] =
		"0000000000000000730a7fb64a78d6704df6f121ce790238bdf3809af2eda0d9"
		"09d75eac98914730f98e87ed601dafb4bc3c7ed00909067cb31ae632";
	static const char plain[] =
		"82820081838182004975707065726361736581820046633066666565460568656c6c6f40";
	struct ockam_route onward = { 0 }, back = { 0 };
	struct ockam_buf key = vectors_unhex(k2);
	struct ockam_buf message = { 0 }, close_msg = { 0 };
	struct ockam_sealer sealer;
	uint8_t packet[100];
	char text[256];

	ockam_route_append_text(&onward, "uppercase", NULL);
	ockam_route_append_text(&back, "c0ffee", NULL);
	ockam_plaintext_payload(&onward, &back, "\x05hello", 6, &message);
	ockam_hex_encode(message.data, message.len, text);
	ok_text(text, plain, "printed plaintext");
	ockam_sealer_init(&sealer, key.data);
	ockam_packet_seal(&sealer, message.data, message.len, packet, NULL);
	ockam_hex_encode(packet, message.len + 24, text);
	ok_text(text, first, "printed packet");
	ockam_plaintext_close(&close_msg);
	ockam_packet_seal(&sealer, close_msg.data, close_msg.len, packet, NULL);
	ockam_hex_encode(packet, close_msg.len + 24, text);
	ok_text(text, "000000000000000162c77908c4b022eac02358e72ed42e5e115c41fe3a", "printed Close");
	sealer.nonce = 32;
	ockam_packet_seal(&sealer, close_msg.data, close_msg.len, packet, NULL);
	ockam_hex_encode(packet, close_msg.len + 24, text);
	ok_text(text, "00000000000000202dcf70b199aa5df8145dadbf7287dc84ace9b38d33",
		"printed Close after a rekey");
	sealer.nonce = UINT64_MAX;
	ok_ret(ockam_packet_seal(&sealer, close_msg.data, close_msg.len, packet, &err), -EOVERFLOW,
	       err, "no nonce is left");
	ockam_buf_free(&key);
	ockam_buf_free(&message);
	ockam_buf_free(&close_msg);
}

/* Keys are derived afresh for each nonce here, to be independent of the sealer. */
static void make_packet(const uint8_t first[32], uint64_t nonce, bool tag_ok, uint8_t out[29])
{
	uint8_t key[32];

	memcpy(key, first, 32);
	for (uint64_t i = 0; i < nonce / 32; i++)
		ockam_packet_next_key(key, key);
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(nonce >> 8 * (7 - i));
	ockam_crypto_seal(key, nonce, NULL, 0, "hello", 5, out + 8);
	out[28] ^= !tag_ok;
}

static int verdict(const char *refused)
{
	if (!refused)
		return 0;
	return !strcmp(refused, "replayed") ? -EALREADY : !strcmp(refused, "too old") ? -ESTALE :
	       !strcmp(refused, "too far ahead") ? -ERANGE : -EBADMSG;
}

static void test_window(struct json_object *root)
{
	static const uint8_t key[32] = { 42 };
	struct json_object *cases = vectors_get(root, "cases");

	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *entry = json_object_array_get_idx(cases, i);
		struct json_object *steps = vectors_get(entry, "steps");
		struct ockam_opener opener;
		size_t bad = 0;

		ockam_opener_init(&opener, key);
		for (size_t j = 0; j < json_object_array_length(steps); j++) {
			struct json_object *step = json_object_array_get_idx(steps, j);
			struct ockam_opener before = opener;
			uint8_t packet[29], out[5];
			int ret;

			make_packet(key, json_object_get_uint64(vectors_get(step, "nonce")),
				    json_object_get_boolean(vectors_get(step, "tag_ok")), packet);
			ret = ockam_packet_open(&opener, packet, sizeof(packet), out, &err);
			if (ret != verdict(json_object_get_string(vectors_get(step, "refused"))) ||
			    (ret && memcmp(&before, &opener, sizeof(before))))
				bad++;
		}
		ok(!bad, "window: %s, %zu packets", vectors_text(entry, "name"),
		   json_object_array_length(steps));
	}
}

static void test_damage(void)
{
	static const uint8_t key[32] = { 1 };
	uint8_t packet[29], out[29];
	struct ockam_opener opener;
	size_t bad = 0;

	make_packet(key, 0, true, packet);
	ockam_opener_init(&opener, key);
	for (size_t bit = 0; bit < sizeof(packet) * 8; bit++) {
		packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!ockam_packet_open(&opener, packet, sizeof(packet), out, &err))
			bad++;
		packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < sizeof(packet); len++)
		if (!ockam_packet_open(&opener, packet, len, out, &err))
			bad++;
	ok(!bad, "each bit and each length matters");
	ok(!ockam_packet_open(&opener, packet, sizeof(packet), out, &err), "the right one opens");
}

static void test_plaintext(void)
{
	static const char *const bad[] = {
		"", "82", "8282008140", "8282038040", "8282028000", "82830280f640",
		"82820081838080", "8282008183808041", "8282008182808040", "9f820280ff", "81820280",
		"828201810140", "82829f02ff40", "829f0280ff40",
	};
	static const char *const good[] = {
		"8282028040", "828202804300010200", "9f8202804040ff", "8382028040f6", "8282020040",
	};
	struct ockam_plaintext content;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ockam_buf bytes = vectors_unhex(bad[i]);

		ok(ockam_plaintext_decode(bytes.data, bytes.len, &content, &err) == -EBADMSG,
		   "refused plaintext '%s'", bad[i]);
		ockam_buf_free(&bytes);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ockam_buf bytes = vectors_unhex(good[i]);

		ok(!ockam_plaintext_decode(bytes.data, bytes.len, &content, &err) &&
		   content.kind == OCKAM_MESSAGE_CLOSE, "accepted plaintext '%s'", good[i]);
		ockam_buf_free(&bytes);
	}
}

int main(void)
{
	struct json_object *channel = vectors_load("channel.json");
	struct json_object *window = vectors_load("window.json");

	test_channel(channel);
	test_printed_vectors();
	test_window(window);
	test_damage();
	test_plaintext();
	json_object_put(channel);
	json_object_put(window);
	return tap_done();
}
