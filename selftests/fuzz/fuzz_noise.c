// SPDX-License-Identifier: Apache-2.0
/*
 * The handshake in both roles: a message opens exactly when no byte of what
 * the other side wrote was changed, a refused one leaves the state as it was,
 * and both sides end with the same keys.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "noise.h"

#define ROOM	2048

/* One side and what it says next. */
struct side {
	struct ockam_noise	noise;
	uint8_t			message[ROOM];
	size_t			len;
};

static void begin(struct side *side, enum ockam_noise_role role)
{
	uint8_t s[32], e[32];

	memset(s, 1 + role, sizeof(s));
	memset(e, 11 + role, sizeof(e));
	fuzz_must(!ockam_noise_init(&side->noise, role, s, e, NULL));
}

/* Out of turn nothing happens. */
static void check_turn(struct side *side, bool may_write)
{
	struct ockam_noise before = side->noise;
	static uint8_t out[ROOM];
	struct ockam_err err;
	size_t len;

	if (may_write)
		fuzz_must(ockam_noise_read(&side->noise, out, ROOM, out + ROOM / 2, ROOM / 2, &len,
					   &err) == -EPROTO);
	else
		fuzz_must(ockam_noise_write(&side->noise, NULL, 0, out, ROOM, &len, &err) ==
			  -EPROTO);
	fuzz_must(!memcmp(&before, &side->noise, sizeof(before)));
}

/* @from writes its next message with a payload of the input's. */
static void say(struct side *from, struct fuzz_in *in, const uint8_t **payload, size_t *len)
{
	bool first = !from->noise.done;

	check_turn(from, true);
	*payload = fuzz_bytes(in, first ? 0 : fuzz_u8(in), len);
	fuzz_must(!ockam_noise_write(&from->noise, *payload, *len, from->message, ROOM,
				     &from->len, NULL));
}

/*
 * The message as it arrives: bytes changed, cut, made longer. Returns whether
 * it is still the same; in msg1 everything behind the key may be.
 */
static bool damage(struct side *from, struct fuzz_in *in, uint8_t **out, size_t *len)
{
	uint8_t op = fuzz_u8(in);
	size_t at;

	*len = from->len;
	if (op & 1)
		*len = fuzz_u16(in) % ROOM;
	*out = malloc(*len ? *len : 1);
	fuzz_must(*out);
	memset(*out, 0x5a, *len);
	memcpy(*out, from->message, *len < from->len ? *len : from->len);
	for (unsigned int i = op >> 5; i && *len; i--) {
		at = fuzz_u16(in) % *len;
		(*out)[at] ^= fuzz_u8(in);
	}
	/* A key of low order. */
	if (op & 2 && *len >= 32) {
		memset(*out, 0, 32);
		**out = op >> 2 & 1;
	}
	return fuzz_same(*out, *len, from->message, from->len);
}

static void check_same_state(const struct ockam_noise *a, const struct ockam_noise *b)
{
	fuzz_must(!memcmp(a, b, sizeof(*a)));
}

/* @to reads what @from said, after some number of damaged ones. */
static void hear(struct side *from, struct side *to, struct fuzz_in *in, const uint8_t *payload,
		 size_t payload_len)
{
	unsigned int number = to->noise.done;
	struct ockam_noise before = to->noise;
	uint8_t *message, *got;
	struct ockam_err err;
	size_t len, got_len;
	bool same;
	int ret;

	check_turn(to, false);
	do {
		same = damage(from, in, &message, &len);
		got = malloc(len ? len : 1);
		fuzz_must(got);
		ret = ockam_noise_read(&to->noise, message, len, got, len, &got_len, &err);
		if (number == 0) {
			/* Anything with a key in it will do; the other side would not answer. */
			fuzz_must(!ret == (len >= OCKAM_NOISE_MSG1_MIN));
			if (!ret)
				fuzz_must(fuzz_same(got, got_len, message + 32, len - 32));
			to->noise = before;
		} else {
			fuzz_must(!ret == same);
			if (ret)
				fuzz_must(ret == -EBADMSG || ret == -EKEYREJECTED);
		}
		if (ret)
			check_same_state(&before, &to->noise);
		free(message);
		free(got);
	} while ((number == 0 || ret) && fuzz_left(in));
	if (number && !ret)
		return;
	/* The right one still passes. */
	message = fuzz_exact(from->message, from->len);
	got = malloc(from->len);
	fuzz_must(got);
	fuzz_must(!ockam_noise_read(&to->noise, message, from->len, got, from->len, &got_len,
				    NULL));
	fuzz_must(fuzz_same(got, got_len, payload, payload_len));
	free(message);
	free(got);
}

/* A responder that heard a first message of its own making, and answers it. */
static void answer_stranger(struct fuzz_in *in)
{
	struct side responder = { 0 };
	uint8_t e[32] = { 0 }, out[ROOM];
	const uint8_t *bytes;
	struct ockam_err err;
	size_t len;
	int ret;

	bytes = fuzz_bytes(in, sizeof(e), &len);
	if (len)
		memcpy(e, bytes, len);
	begin(&responder, OCKAM_NOISE_RESPONDER);
	fuzz_must(!ockam_noise_read(&responder.noise, e, sizeof(e), out, sizeof(out), &len, &err));
	ret = ockam_noise_write(&responder.noise, "x", 1, out, sizeof(out), &len, &err);
	fuzz_must(!ret || ret == -EKEYREJECTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = fuzz_begin(data, size);
	struct ockam_noise_keys keys[2];
	static struct side sides[2];
	const uint8_t *payload;
	size_t len;

	if (fuzz_u8(&in) & 1) {
		answer_stranger(&in);
		return 0;
	}
	begin(&sides[0], OCKAM_NOISE_INITIATOR);
	begin(&sides[1], OCKAM_NOISE_RESPONDER);
	for (unsigned int i = 0; i < 3; i++) {
		struct fuzz_in part;
		const uint8_t *start;
		size_t room;

		fuzz_must(ockam_noise_finish(&sides[i % 2].noise, &keys[0], NULL) == -EPROTO);
		/* Each message has a part of the input for itself. */
		room = fuzz_u8(&in);
		start = fuzz_bytes(&in, room, &room);
		part = fuzz_begin(start, room);
		say(&sides[i % 2], &part, &payload, &len);
		hear(&sides[i % 2], &sides[!(i % 2)], &part, payload, len);
	}
	for (unsigned int i = 0; i < 2; i++) {
		fuzz_must(ockam_noise_is_complete(&sides[i].noise));
		fuzz_must(!memcmp(ockam_noise_peer(&sides[i].noise), sides[!i].noise.s_pub, 32));
	}
	for (unsigned int i = 0; i < 2; i++)
		fuzz_must(!ockam_noise_finish(&sides[i].noise, &keys[i], NULL));
	fuzz_must(!memcmp(keys[0].send, keys[1].receive, 32));
	fuzz_must(!memcmp(keys[0].receive, keys[1].send, 32));
	return 0;
}
