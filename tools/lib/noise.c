// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include "noise.h"

/* Exactly 32 bytes: it is the first h and the first ck. */
static const char ockam_noise_name[] = "OCKAM_XX_25519_AES256_GCM_SHA256";

_Static_assert(sizeof(ockam_noise_name) == 33, "the name must be 32 bytes");

static int ockam_noise_mix_hash(struct ockam_noise *noise, const void *data, size_t len)
{
	uint8_t h[32];

	if (ockam_crypto_sha256(noise->h, 32, data, len, h))
		return -EIO;
	memcpy(noise->h, h, 32);
	return 0;
}

static int ockam_noise_mix_key(struct ockam_noise *noise, const uint8_t secret[32],
			       const uint8_t own[32], const uint8_t public[32])
{
	uint8_t shared[32];
	uint8_t ck[32];
	int ret;

	ret = ockam_crypto_x25519(secret, own, public, shared);
	if (ret)
		return ret;
	ret = ockam_crypto_hkdf(noise->ck, shared, sizeof(shared), ck, noise->k);
	if (!ret) {
		memcpy(noise->ck, ck, 32);
		noise->has_k = 1;
		noise->n = 0;
	}
	ockam_crypto_wipe(shared, sizeof(shared));
	ockam_crypto_wipe(ck, sizeof(ck));
	return ret;
}

/* @out receives @len + OCKAM_TAG_LEN bytes. */
static int ockam_noise_seal(struct ockam_noise *noise, const void *plain, size_t len,
			    uint8_t *out)
{
	int ret = ockam_crypto_seal(noise->k, noise->n, noise->h, 32, plain, len, out);

	if (ret)
		return ret;
	noise->n++;
	return ockam_noise_mix_hash(noise, out, len + OCKAM_TAG_LEN);
}

/* @out receives @len - OCKAM_TAG_LEN bytes. */
static int ockam_noise_open(struct ockam_noise *noise, const uint8_t *sealed, size_t len,
			    uint8_t *out)
{
	int ret = ockam_crypto_open(noise->k, noise->n, noise->h, 32, sealed, len, out);

	if (ret)
		return ret;
	noise->n++;
	return ockam_noise_mix_hash(noise, sealed, len);
}

int ockam_noise_init(struct ockam_noise *noise, enum ockam_noise_role role,
		     const uint8_t static_secret[32], const uint8_t *ephemeral,
		     struct ockam_err *err)
{
	uint8_t public[32];

	if (ockam_crypto_x25519_public(static_secret, public)) {
		ockam_noise_wipe(noise);
		return ockam_err_set(err, -EIO, "libcrypto could not begin a handshake");
	}
	return ockam_noise_init_pair(noise, role, static_secret, public, ephemeral, err);
}

int ockam_noise_init_pair(struct ockam_noise *noise, enum ockam_noise_role role,
			  const uint8_t static_secret[32], const uint8_t static_public[32],
			  const uint8_t *ephemeral, struct ockam_err *err)
{
	int ret = -EIO;

	memset(noise, 0, sizeof(*noise));
	noise->role = (uint8_t)role;
	memcpy(noise->s, static_secret, 32);
	memcpy(noise->s_pub, static_public, 32);
	memcpy(noise->ck, ockam_noise_name, 32);
	/* MixHash of the empty prologue, as every Noise handshake begins. */
	if (ockam_crypto_sha256(ockam_noise_name, 32, NULL, 0, noise->h))
		goto fail;
	if (ephemeral)
		memcpy(noise->e, ephemeral, 32);
	else if (ockam_crypto_random(noise->e, 32, err))
		goto wipe;
	if (ockam_crypto_x25519_public(noise->e, noise->e_pub))
		goto fail;
	return 0;
fail:
	ockam_err_set(err, ret, "libcrypto could not begin a handshake");
wipe:
	ockam_noise_wipe(noise);
	return ret;
}

/* Bytes of message @number (0 to 2) around its payload. */
static size_t ockam_noise_overhead(unsigned int number)
{
	static const size_t sizes[] = {
		OCKAM_NOISE_MSG1_MIN, OCKAM_NOISE_MSG2_MIN, OCKAM_NOISE_MSG3_MIN,
	};

	return sizes[number];
}

/* Even messages are the initiator's to write and the responder's to read. */
static bool ockam_noise_is_turn(const struct ockam_noise *noise, bool writing)
{
	bool initiators = noise->done % 2 == 0;
	bool initiator = noise->role == OCKAM_NOISE_INITIATOR;

	return noise->done < 3 && initiators == (initiator == writing);
}

static int ockam_noise_fail(int ret, unsigned int number, const char *verb,
			    struct ockam_err *err)
{
	if (ret == -EKEYREJECTED)
		return ockam_err_set(err, ret,
				     "the peer's key in handshake message %u is of low order, a shared secret with it would be no secret",
				     number);
	if (ret == -EBADMSG)
		return ockam_err_set(err, ret,
				     "handshake message %u does not open: it was changed on the way or made for another exchange",
				     number);
	return ockam_err_set(err, ret, "libcrypto failed to %s handshake message %u", verb, number);
}

static int ockam_noise_write_msg1(struct ockam_noise *noise, const void *payload,
				  size_t len, uint8_t *out)
{
	memcpy(out, noise->e_pub, 32);
	if (len)
		memcpy(out + 32, payload, len);
	if (ockam_noise_mix_hash(noise, noise->e_pub, 32) ||
	    ockam_noise_mix_hash(noise, payload, len))
		return -EIO;
	return 0;
}

static int ockam_noise_write_msg2(struct ockam_noise *noise, const void *payload,
				  size_t len, uint8_t *out)
{
	int ret;

	memcpy(out, noise->e_pub, 32);
	ret = ockam_noise_mix_hash(noise, noise->e_pub, 32);
	if (!ret)
		ret = ockam_noise_mix_key(noise, noise->e, noise->e_pub, noise->re);
	if (!ret)
		ret = ockam_noise_seal(noise, noise->s_pub, 32, out + 32);
	if (!ret)
		ret = ockam_noise_mix_key(noise, noise->s, noise->s_pub, noise->re);
	if (!ret)
		ret = ockam_noise_seal(noise, payload, len, out + 80);
	return ret;
}

static int ockam_noise_write_msg3(struct ockam_noise *noise, const void *payload,
				  size_t len, uint8_t *out)
{
	int ret;

	ret = ockam_noise_seal(noise, noise->s_pub, 32, out);
	if (!ret)
		ret = ockam_noise_mix_key(noise, noise->s, noise->s_pub, noise->re);
	if (!ret)
		ret = ockam_noise_seal(noise, payload, len, out + 48);
	return ret;
}

int ockam_noise_write(struct ockam_noise *noise, const void *payload, size_t payload_len,
		      uint8_t *out, size_t size, size_t *len, struct ockam_err *err)
{
	struct ockam_noise next = *noise;
	unsigned int number = noise->done + 1;
	size_t total;
	int ret;

	if (!ockam_noise_is_turn(noise, true)) {
		ret = ockam_err_set(err, -EPROTO,
				    "it is not this side's turn to write in the handshake");
		goto out;
	}
	total = ockam_noise_overhead(noise->done);
	if (payload_len > OCKAM_NOISE_MESSAGE_MAX - total || payload_len + total > size) {
		ret = ockam_err_set(err, -EMSGSIZE,
				    "a payload of %zu bytes is too long for handshake message %u",
				    payload_len, number);
		goto out;
	}
	total += payload_len;
	switch (noise->done) {
	case 0:
		ret = ockam_noise_write_msg1(&next, payload, payload_len, out);
		break;
	case 1:
		ret = ockam_noise_write_msg2(&next, payload, payload_len, out);
		break;
	default:
		ret = ockam_noise_write_msg3(&next, payload, payload_len, out);
	}
	if (ret) {
		ockam_noise_fail(ret, number, "write", err);
		goto out;
	}
	next.done++;
	*noise = next;
	*len = total;
out:
	ockam_crypto_wipe(&next, sizeof(next));
	return ret;
}

static int ockam_noise_read_msg1(struct ockam_noise *noise, const uint8_t *message,
				 size_t len, uint8_t *payload)
{
	memcpy(noise->re, message, 32);
	if (ockam_noise_mix_hash(noise, message, 32) ||
	    ockam_noise_mix_hash(noise, message + 32, len - 32))
		return -EIO;
	if (len > 32)
		memcpy(payload, message + 32, len - 32);
	return 0;
}

static int ockam_noise_read_msg2(struct ockam_noise *noise, const uint8_t *message,
				 size_t len, uint8_t *payload)
{
	int ret;

	memcpy(noise->re, message, 32);
	ret = ockam_noise_mix_hash(noise, message, 32);
	if (!ret)
		ret = ockam_noise_mix_key(noise, noise->e, noise->e_pub, noise->re);
	if (!ret)
		ret = ockam_noise_open(noise, message + 32, 48, noise->rs);
	if (!ret)
		ret = ockam_noise_mix_key(noise, noise->e, noise->e_pub, noise->rs);
	if (!ret)
		ret = ockam_noise_open(noise, message + 80, len - 80, payload);
	return ret;
}

static int ockam_noise_read_msg3(struct ockam_noise *noise, const uint8_t *message,
				 size_t len, uint8_t *payload)
{
	int ret;

	ret = ockam_noise_open(noise, message, OCKAM_NOISE_SEALED_KEY, noise->rs);
	if (!ret)
		ret = ockam_noise_mix_key(noise, noise->e, noise->e_pub, noise->rs);
	if (!ret)
		ret = ockam_noise_open(noise, message + OCKAM_NOISE_SEALED_KEY,
				       len - OCKAM_NOISE_SEALED_KEY, payload);
	return ret;
}

bool ockam_noise_is_stray(const struct ockam_noise *noise, const uint8_t *message, size_t len)
{
	uint8_t key[32];

	if (noise->role != OCKAM_NOISE_RESPONDER || noise->done != 2)
		return false;
	return len < OCKAM_NOISE_SEALED_KEY ||
	       ockam_crypto_open(noise->k, noise->n, noise->h, 32, message,
				 OCKAM_NOISE_SEALED_KEY, key) == -EBADMSG;
}

int ockam_noise_read(struct ockam_noise *noise, const uint8_t *message, size_t message_len,
		     uint8_t *payload, size_t size, size_t *len, struct ockam_err *err)
{
	struct ockam_noise next = *noise;
	unsigned int number = noise->done + 1;
	size_t overhead;
	int ret;

	if (!ockam_noise_is_turn(noise, false)) {
		ret = ockam_err_set(err, -EPROTO,
				    "it is not the peer's turn to write in the handshake");
		goto out;
	}
	overhead = ockam_noise_overhead(noise->done);
	if (message_len > OCKAM_NOISE_MESSAGE_MAX) {
		ret = ockam_err_set(err, -EMSGSIZE,
				    "handshake message %u of %zu bytes is too long, at most %u",
				    number, message_len, OCKAM_NOISE_MESSAGE_MAX);
		goto out;
	}
	if (message_len < overhead) {
		ret = ockam_err_set(err, -EBADMSG,
				    "handshake message %u of %zu bytes is too short, at least %zu",
				    number, message_len, overhead);
		goto out;
	}
	if (message_len - overhead > size) {
		ret = ockam_err_set(err, -EMSGSIZE, "no room for the payload of handshake message %u",
				    number);
		goto out;
	}
	switch (noise->done) {
	case 0:
		ret = ockam_noise_read_msg1(&next, message, message_len, payload);
		break;
	case 1:
		ret = ockam_noise_read_msg2(&next, message, message_len, payload);
		break;
	default:
		ret = ockam_noise_read_msg3(&next, message, message_len, payload);
	}
	if (ret) {
		ockam_noise_fail(ret, number, "read", err);
		goto out;
	}
	next.done++;
	*noise = next;
	*len = message_len - overhead;
out:
	ockam_crypto_wipe(&next, sizeof(next));
	return ret;
}

bool ockam_noise_is_complete(const struct ockam_noise *noise)
{
	return noise->done == 3;
}

const uint8_t *ockam_noise_peer(const struct ockam_noise *noise)
{
	unsigned int known = noise->role == OCKAM_NOISE_INITIATOR ? 2 : 3;

	return noise->done >= known ? noise->rs : NULL;
}

int ockam_noise_finish(struct ockam_noise *noise, struct ockam_noise_keys *keys,
		       struct ockam_err *err)
{
	bool initiator = noise->role == OCKAM_NOISE_INITIATOR;
	uint8_t *k1 = initiator ? keys->receive : keys->send;
	uint8_t *k2 = initiator ? keys->send : keys->receive;

	if (!ockam_noise_is_complete(noise))
		return ockam_err_set(err, -EPROTO,
				     "the handshake has %u of 3 messages, there are no keys yet",
				     noise->done);
	if (ockam_crypto_hkdf(noise->ck, NULL, 0, k1, k2)) {
		ockam_crypto_wipe(keys, sizeof(*keys));
		return ockam_err_set(err, -EIO, "libcrypto failed to derive the channel's keys");
	}
	ockam_noise_wipe(noise);
	return 0;
}

void ockam_noise_wipe(struct ockam_noise *noise)
{
	ockam_crypto_wipe(noise, sizeof(*noise));
}
