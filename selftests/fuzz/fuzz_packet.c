// SPDX-License-Identifier: Apache-2.0
/*
 * Packets in user space: sent in order, they arrive in any order, repeated,
 * damaged or not at all; what opens is what was sent, once, within the window.
 * And plaintexts: built and decoded they are the same.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "packet.h"

#define PACKETS	160		/* five keys */
#define BODY	8

struct flight {
	uint8_t	bytes[BODY + OCKAM_PACKET_OVERHEAD];
	bool	arrived;
};

static void send_all(struct flight flights[PACKETS])
{
	struct ockam_sealer sealer;
	uint8_t key[32], plain[BODY];

	memset(key, 7, sizeof(key));
	ockam_sealer_init(&sealer, key);
	for (unsigned int i = 0; i < PACKETS; i++) {
		memset(plain, (int)i, sizeof(plain));
		flights[i].arrived = false;
		fuzz_must(!ockam_packet_seal(&sealer, plain, sizeof(plain), flights[i].bytes,
					     NULL));
	}
}

/* What section 6.3 says to number @n, given that the bytes are good. */
static int want(const struct flight *flights, uint64_t highest, unsigned int n)
{
	if (n > highest)
		return n - highest > OCKAM_PACKET_WINDOW ? -ERANGE : 0;
	if (highest - n > OCKAM_PACKET_WINDOW)
		return -ESTALE;
	return flights[n].arrived ? -EALREADY : 0;
}

static void fly(struct fuzz_in *in)
{
	static struct flight sent[PACKETS];
	struct flight flights[PACKETS];
	struct ockam_opener opener, before;
	uint8_t key[32], out[BODY];
	uint64_t highest = 0;

	if (!sent[0].bytes[9])
		send_all(sent);
	memcpy(flights, sent, sizeof(flights));
	memset(key, 7, sizeof(key));
	ockam_opener_init(&opener, key);
	while (fuzz_left(in)) {
		uint8_t op = fuzz_u8(in);
		unsigned int n = (unsigned int)(highest + op) - 100;
		uint8_t *packet;
		size_t len = sizeof(flights[0].bytes);
		bool good = true;
		int ret;

		if (op >= 250)
			n = fuzz_u8(in);
		if (n >= PACKETS)
			continue;
		packet = fuzz_exact(flights[n].bytes, len);
		if (op % 5 == 0) {
			size_t at = fuzz_u8(in) % len;
			uint8_t bits = fuzz_u8(in);

			packet[at] ^= bits;
			good = !bits;
		}
		before = opener;
		ret = ockam_packet_open(&opener, packet, len, out, NULL);
		free(packet);
		if (good)
			fuzz_must(ret == want(flights, highest, n));
		if (ret) {
			fuzz_must(!memcmp(&before, &opener, sizeof(opener)));
			continue;
		}
		fuzz_must(good);
		for (unsigned int i = 0; i < BODY; i++)
			fuzz_must(out[i] == n);
		flights[n].arrived = true;
		if (n > highest)
			highest = n;
	}
}

static void short_packets(struct fuzz_in *in)
{
	struct ockam_opener opener;
	uint8_t key[32] = { 1 };
	const uint8_t *bytes;
	uint8_t *packet, *out;
	size_t len;
	int ret;

	ockam_opener_init(&opener, key);
	bytes = fuzz_bytes(in, SIZE_MAX, &len);
	packet = fuzz_exact(bytes, len);
	out = malloc(len + 1);
	fuzz_must(out);
	/* Nobody can make one without the key. */
	ret = ockam_packet_open(&opener, packet, len, out, NULL);
	fuzz_must(ret == -EBADMSG || ret == -ERANGE);
	free(packet);
	free(out);
}

static void check_built(const struct ockam_plaintext *plain, size_t size)
{
	struct ockam_plaintext again;
	struct ockam_buf out = { 0 };

	if (plain->kind == OCKAM_MESSAGE_PAYLOAD)
		ockam_plaintext_payload(&plain->onward, &plain->back, plain->body.data,
					plain->body.len, &out);
	else if (plain->kind == OCKAM_MESSAGE_REFRESH)
		ockam_plaintext_refresh(plain->body.data, plain->body.len, &out);
	else
		ockam_plaintext_close(&out);
	fuzz_must(!out.failed && out.len <= size);
	fuzz_must(!ockam_plaintext_decode(out.data, out.len, &again, NULL));
	fuzz_must(again.kind == plain->kind);
	fuzz_must(ockam_route_equal(&again.onward, &plain->onward) &&
		  ockam_route_equal(&again.back, &plain->back));
	fuzz_must(fuzz_same(again.body.data, again.body.len, plain->body.data, plain->body.len));
	fuzz_must(ockam_plaintext_decode(out.data, out.len - 1, &again, NULL) == -EBADMSG);
	ockam_buf_free(&out);
}

static void plaintext(struct fuzz_in *in)
{
	struct ockam_plaintext plain;
	struct ockam_err err;
	const uint8_t *bytes;
	uint8_t *copy;
	size_t len;
	int ret;

	bytes = fuzz_bytes(in, SIZE_MAX, &len);
	copy = fuzz_exact(bytes, len);
	ret = ockam_plaintext_decode(copy, len, &plain, &err);
	fuzz_must(!ret || ret == -EBADMSG || ret == -E2BIG);
	if (ret)
		fuzz_must(err.code && err.text[0]);
	else
		check_built(&plain, len);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = fuzz_begin(data, size);

	switch (fuzz_u8(&in) % 3) {
	case 0:
		fly(&in);
		break;
	case 1:
		short_packets(&in);
		break;
	default:
		plaintext(&in);
	}
	return 0;
}
