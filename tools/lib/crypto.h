/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The primitives of the protocol, over libcrypto. Keys are raw bytes so that
 * they can be stored and passed between processes; every copy is the
 * caller's to wipe (ockam_crypto_wipe()).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_CRYPTO_H
#define OCKAM_LIB_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define OCKAM_HASH_LEN		32	/* SHA-256 */
#define OCKAM_SECRET_LEN	32	/* X25519, Ed25519 seed, P-256 scalar, AES-256 */
#define OCKAM_X25519_LEN	32	/* public key */
#define OCKAM_ED25519_LEN	32	/* public key */
#define OCKAM_P256_LEN		65	/* public key, 04 || X || Y */
#define OCKAM_SIGNATURE_LEN	64	/* Ed25519, or r || s big endian */
#define OCKAM_TAG_LEN		16	/* AES-GCM */

/* Numbers are the variants of PublicKey and Signature (wire-protocol 7.1). */
enum ockam_key_kind {
	OCKAM_KEY_ED25519	= 0,
	OCKAM_KEY_P256		= 1,
};

/* Verifying key. len: 32 or 65, following from kind. */
struct ockam_public_key {
	enum ockam_key_kind	kind;
	uint8_t			len;
	uint8_t			bytes[OCKAM_P256_LEN];
};

struct ockam_signature {
	enum ockam_key_kind	kind;
	uint8_t			bytes[OCKAM_SIGNATURE_LEN];
};

/**
 * ockam_crypto_warm_up() - run every primitive once
 * @err: the reason
 *
 * For a process that is about to give up its files: afterwards libcrypto
 * needs no file and no system call but getrandom(), memory and clock.
 *
 * Return: 0, or -ENOTSUP when a primitive is missing or gives a wrong answer.
 */
int ockam_crypto_warm_up(struct ockam_err *err);

/** ockam_crypto_wipe() - zero secret memory so that no compiler drops it */
void ockam_crypto_wipe(void *mem, size_t len);

/** ockam_key_kind_name() - name as Ockam prints it, "EdDSACurve25519" */
const char *ockam_key_kind_name(enum ockam_key_kind kind);

/**
 * ockam_key_kind_parse() - kind of the name a person writes, "ed25519" or "p256"
 *
 * Return: 0 or -EINVAL with the possible values.
 */
int ockam_key_kind_parse(const char *text, enum ockam_key_kind *kind, struct ockam_err *err);

/** ockam_crypto_equal() - compare in constant time */
bool ockam_crypto_equal(const void *a, const void *b, size_t len);

/** ockam_crypto_random() - fill @out from the kernel's generator; 0 or -EIO */
int ockam_crypto_random(void *out, size_t len, struct ockam_err *err);

/** ockam_crypto_sha256() - digest of @a followed by @b (NULL, 0: none); 0 or -EIO */
int ockam_crypto_sha256(const void *a, size_t a_len, const void *b, size_t b_len,
			uint8_t out[OCKAM_HASH_LEN]);

/** ockam_crypto_hkdf() - HKDF-SHA-256 with empty info; two outputs of 32 bytes; 0 or -EIO */
int ockam_crypto_hkdf(const uint8_t salt[32], const void *ikm, size_t ikm_len,
		      uint8_t out1[32], uint8_t out2[32]);

/**
 * ockam_crypto_seal() - AES-256-GCM
 * @key: 32 bytes
 * @nonce: goes into the IV as 00000000 || big endian
 * @aad: associated data, @aad_len bytes, may be NULL
 * @plain: @len bytes; may be NULL for 0
 * @out: receives @len bytes and then the tag; may be the same memory as @plain
 *
 * Return: 0 or -EIO.
 */
int ockam_crypto_seal(const uint8_t key[32], uint64_t nonce, const void *aad, size_t aad_len,
		      const void *plain, size_t len, uint8_t *out);

/**
 * ockam_crypto_open() - the reverse
 * @sealed: @len bytes, tag included
 * @out: receives @len - 16 bytes; nothing is left there when the tag is wrong
 *
 * Return: 0; -EBADMSG for a wrong tag or less than 16 bytes; -EIO.
 */
int ockam_crypto_open(const uint8_t key[32], uint64_t nonce, const void *aad, size_t aad_len,
		      const uint8_t *sealed, size_t len, uint8_t *out);

/** ockam_crypto_x25519_public() - public key of a secret; 0 or -EIO */
int ockam_crypto_x25519_public(const uint8_t secret[32], uint8_t public[OCKAM_X25519_LEN]);

/**
 * ockam_crypto_x25519() - shared secret
 * @secret: own secret
 * @own: public key of @secret, which is not computed again
 * @public: the peer's
 * @shared: receives 32 bytes
 *
 * Return: 0; -EKEYREJECTED when the result is all zero (the peer sent a
 * point of low order); -EIO.
 */
int ockam_crypto_x25519(const uint8_t secret[32], const uint8_t own[OCKAM_X25519_LEN],
			const uint8_t public[OCKAM_X25519_LEN], uint8_t shared[32]);

/**
 * ockam_crypto_new_secret() - secret of a new signing key
 * @kind: of the key
 * @secret: receives it: Ed25519 seed, or P-256 scalar in big endian
 * @err: the reason
 *
 * Return: 0 or -EIO.
 */
int ockam_crypto_new_secret(enum ockam_key_kind kind, uint8_t secret[OCKAM_SECRET_LEN],
			    struct ockam_err *err);

/**
 * ockam_crypto_signing_public() - public key of a signing key
 *
 * Return: 0; -EKEYREJECTED when @secret is no P-256 scalar; -EIO.
 */
int ockam_crypto_signing_public(enum ockam_key_kind kind, const uint8_t secret[OCKAM_SECRET_LEN],
				struct ockam_public_key *public);

/** ockam_crypto_ed25519_public() - the same for an Ed25519 seed */
int ockam_crypto_ed25519_public(const uint8_t seed[32], struct ockam_public_key *public);

/**
 * ockam_crypto_sign() - signature over SHA-256(@data) (wire-protocol 7.1)
 * @kind: of the key
 * @secret: as ockam_crypto_new_secret() makes it
 * @data: @len bytes
 * @signature: receives it
 *
 * P-256: the digest is SHA-256(SHA-256(@data)), the nonce random, s not brought
 * to its lower form.
 *
 * Return: 0; -EKEYREJECTED when @secret is no P-256 scalar; -EIO.
 */
int ockam_crypto_sign(enum ockam_key_kind kind, const uint8_t secret[OCKAM_SECRET_LEN],
		      const void *data, size_t len, struct ockam_signature *signature);

/**
 * ockam_crypto_verify() - check a signature over SHA-256(@data)
 *
 * Return: 0; -EKEYREJECTED when it does not verify, kinds differ or the key
 * is no point of its curve; -EIO.
 */
int ockam_crypto_verify(const struct ockam_public_key *key, const void *data, size_t len,
			const struct ockam_signature *signature);

#endif /* OCKAM_LIB_CRYPTO_H */
