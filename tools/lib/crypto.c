// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>
#include <sys/random.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include "crypto.h"

#define OCKAM_CRYPTO_CHUNK	(1 << 30)	/* bytes of one EVP update */

void ockam_crypto_wipe(void *mem, size_t len)
{
	OPENSSL_cleanse(mem, len);
}

bool ockam_crypto_equal(const void *a, const void *b, size_t len)
{
	return !CRYPTO_memcmp(a, b, len);
}

int ockam_crypto_random(void *out, size_t len, struct ockam_err *err)
{
	uint8_t *pos = out;

	while (len) {
		ssize_t got = getrandom(pos, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ockam_err_set(err, -EIO,
					     "the kernel gives no random numbers: %s",
					     strerror(errno));
		pos += got;
		len -= (size_t)got;
	}
	return 0;
}

int ockam_crypto_sha256(const void *a, size_t a_len, const void *b, size_t b_len,
			uint8_t out[OCKAM_HASH_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ret = -EIO;

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	    (!a_len || EVP_DigestUpdate(ctx, a, a_len) == 1) &&
	    (!b_len || EVP_DigestUpdate(ctx, b, b_len) == 1) &&
	    EVP_DigestFinal_ex(ctx, out, NULL) == 1)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	return ret;
}

static int ockam_crypto_hmac(const uint8_t key[32], const void *data, size_t len, uint8_t out[32])
{
	unsigned int out_len = 32;

	/* An empty message may not be a null pointer here. */
	if (!HMAC(EVP_sha256(), key, 32, len ? data : (const void *)"", len, out, &out_len) ||
	    out_len != 32)
		return -EIO;
	return 0;
}

int ockam_crypto_hkdf(const uint8_t salt[32], const void *ikm, size_t ikm_len,
		      uint8_t out1[32], uint8_t out2[32])
{
	uint8_t block[33];
	uint8_t one = 1;
	uint8_t t[32];
	int ret;

	ret = ockam_crypto_hmac(salt, ikm, ikm_len, t);
	if (ret)
		goto out;
	ret = ockam_crypto_hmac(t, &one, 1, block);
	if (ret)
		goto out;
	block[32] = 2;
	ret = ockam_crypto_hmac(t, block, sizeof(block), out2);
	if (!ret)
		memcpy(out1, block, 32);
out:
	OPENSSL_cleanse(t, sizeof(t));
	OPENSSL_cleanse(block, sizeof(block));
	return ret;
}

static void ockam_crypto_iv(uint64_t nonce, uint8_t iv[12])
{
	memset(iv, 0, 4);
	for (int i = 0; i < 8; i++)
		iv[4 + i] = (uint8_t)(nonce >> 8 * (7 - i));
}

/* Feed @len bytes in pieces that fit EVP's int. */
static bool ockam_crypto_update(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len,
				bool seal)
{
	while (len) {
		int part = len > OCKAM_CRYPTO_CHUNK ? OCKAM_CRYPTO_CHUNK : (int)len;
		int done;

		if ((seal ? EVP_EncryptUpdate(ctx, out, &done, in, part) :
			    EVP_DecryptUpdate(ctx, out, &done, in, part)) != 1)
			return false;
		if (out)
			out += part;
		in += part;
		len -= (size_t)part;
	}
	return true;
}

int ockam_crypto_seal(const uint8_t key[32], uint64_t nonce, const void *aad, size_t aad_len,
		      const void *plain, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t none[OCKAM_TAG_LEN];
	int ret = -EIO;
	uint8_t iv[12];
	int done;

	ockam_crypto_iv(nonce, iv);
	if (ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
	    ockam_crypto_update(ctx, NULL, aad, aad_len, true) &&
	    ockam_crypto_update(ctx, out, plain, len, true) &&
	    EVP_EncryptFinal_ex(ctx, none, &done) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, OCKAM_TAG_LEN, out + len) == 1)
		ret = 0;
	EVP_CIPHER_CTX_free(ctx);
	return ret;
}

int ockam_crypto_open(const uint8_t key[32], uint64_t nonce, const void *aad, size_t aad_len,
		      const uint8_t *sealed, size_t len, uint8_t *out)
{
	uint8_t none[OCKAM_TAG_LEN];
	uint8_t tag[OCKAM_TAG_LEN];
	EVP_CIPHER_CTX *ctx;
	int ret = -EIO;
	uint8_t iv[12];
	int done;

	if (len < OCKAM_TAG_LEN)
		return -EBADMSG;
	len -= OCKAM_TAG_LEN;
	memcpy(tag, sealed + len, OCKAM_TAG_LEN);
	ctx = EVP_CIPHER_CTX_new();
	ockam_crypto_iv(nonce, iv);
	if (ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1 &&
	    ockam_crypto_update(ctx, NULL, aad, aad_len, false) &&
	    ockam_crypto_update(ctx, out, sealed, len, false) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, OCKAM_TAG_LEN, tag) == 1)
		ret = EVP_DecryptFinal_ex(ctx, none, &done) == 1 ? 0 : -EBADMSG;
	EVP_CIPHER_CTX_free(ctx);
	if (ret && len)
		OPENSSL_cleanse(out, len);
	return ret;
}

static int ockam_crypto_raw_public(int type, const uint8_t secret[32], uint8_t public[32])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(type, NULL, secret, 32);
	size_t len = 32;
	int ret = -EIO;

	if (key && EVP_PKEY_get_raw_public_key(key, public, &len) == 1 && len == 32)
		ret = 0;
	EVP_PKEY_free(key);
	return ret;
}

int ockam_crypto_x25519_public(const uint8_t secret[32], uint8_t public[OCKAM_X25519_LEN])
{
	return ockam_crypto_raw_public(EVP_PKEY_X25519, secret, public);
}

int ockam_crypto_x25519(const uint8_t secret[32], const uint8_t public[OCKAM_X25519_LEN],
			uint8_t shared[32])
{
	static const uint8_t zero[32];
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, 32);
	EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	size_t len = 32;
	int ret = -EIO;

	if (!peer || !ctx || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1)
		goto out;
	/* libcrypto refuses an all-zero result itself; do not rely on it. */
	ret = -EKEYREJECTED;
	memset(shared, 0, 32);
	if (EVP_PKEY_derive(ctx, shared, &len) != 1 || len != 32)
		goto out;
	if (!CRYPTO_memcmp(shared, zero, 32))
		goto out;
	ret = 0;
out:
	if (ret)
		OPENSSL_cleanse(shared, 32);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return ret;
}

int ockam_crypto_ed25519_public(const uint8_t seed[32], struct ockam_public_key *public)
{
	memset(public, 0, sizeof(*public));
	public->kind = OCKAM_KEY_ED25519;
	public->len = OCKAM_ED25519_LEN;
	return ockam_crypto_raw_public(EVP_PKEY_ED25519, seed, public->bytes);
}

int ockam_crypto_sign(const uint8_t seed[32], const void *data, size_t len,
		      struct ockam_signature *signature)
{
	size_t sig_len = OCKAM_SIGNATURE_LEN;
	uint8_t hash[OCKAM_HASH_LEN];
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *ctx;
	int ret = -EIO;

	signature->kind = OCKAM_KEY_ED25519;
	ctx = EVP_MD_CTX_new();
	if (!ctx || ockam_crypto_sha256(data, len, NULL, 0, hash))
		goto out;
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	if (key && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature->bytes, &sig_len, hash, sizeof(hash)) == 1 &&
	    sig_len == OCKAM_SIGNATURE_LEN)
		ret = 0;
out:
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(ctx);
	return ret;
}

/* Return: NULL when the bytes are no point of the curve. */
static EVP_PKEY *ockam_crypto_p256_key(const struct ockam_public_key *public)
{
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  (void *)public->bytes, OCKAM_P256_LEN),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;

	if (public->len != OCKAM_P256_LEN || public->bytes[0] != 4)
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* r || s to the DER form that libcrypto wants; @der is freed by the caller. */
static int ockam_crypto_p256_der(const uint8_t rs[64], unsigned char **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs, 32, NULL);
	BIGNUM *s = BN_bin2bn(rs + 32, 32, NULL);
	int len = -1;

	*der = NULL;
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = NULL;
		s = NULL;
		len = i2d_ECDSA_SIG(sig, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len;
}

static int ockam_crypto_verify_p256(const struct ockam_public_key *key,
				    const uint8_t hash[OCKAM_HASH_LEN], const uint8_t rs[64])
{
	EVP_PKEY *pkey = ockam_crypto_p256_key(key);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL;
	int ret = -EKEYREJECTED;
	int der_len;

	if (!pkey || !ctx)
		goto out;
	der_len = ockam_crypto_p256_der(rs, &der);
	if (der_len > 0 && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, der, (size_t)der_len, hash, OCKAM_HASH_LEN) == 1)
		ret = 0;
out:
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ret;
}

int ockam_crypto_verify(const struct ockam_public_key *key, const void *data, size_t len,
			const struct ockam_signature *signature)
{
	uint8_t hash[OCKAM_HASH_LEN];
	int ret = -EKEYREJECTED;
	EVP_PKEY *pkey;
	EVP_MD_CTX *ctx;

	if (key->kind != signature->kind)
		return -EKEYREJECTED;
	if (ockam_crypto_sha256(data, len, NULL, 0, hash))
		return -EIO;
	if (key->kind == OCKAM_KEY_P256)
		return ockam_crypto_verify_p256(key, hash, signature->bytes);
	if (key->kind != OCKAM_KEY_ED25519 || key->len != OCKAM_ED25519_LEN)
		return -EKEYREJECTED;

	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, key->len);
	ctx = EVP_MD_CTX_new();
	if (pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, signature->bytes, OCKAM_SIGNATURE_LEN, hash, sizeof(hash)) == 1)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ret;
}

/* A P-256 signature over the digest of "ockam", so that warming up covers it. */
static int ockam_crypto_warm_up_p256(void)
{
	/* The generator of the curve, as public key of the secret 1. */
	static const struct ockam_public_key key = {
		.kind = OCKAM_KEY_P256, .len = OCKAM_P256_LEN, .bytes = {
		0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
		0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
		0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
		0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
		0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5 }
	};
	struct ockam_signature signature = { .kind = OCKAM_KEY_P256 };

	/* Any wrong signature runs the whole path and must be refused. */
	memset(signature.bytes, 1, sizeof(signature.bytes));
	return ockam_crypto_verify(&key, "ockam", 5, &signature) == -EKEYREJECTED ? 0 : -EIO;
}

int ockam_crypto_warm_up(struct ockam_err *err)
{
	struct ockam_signature signature;
	struct ockam_public_key public;
	uint8_t sealed[5 + OCKAM_TAG_LEN];
	uint8_t a[32], b[32], c[32];
	uint8_t plain[5];
	int ret;

	memset(b, 9, sizeof(b));
	ret = ockam_crypto_random(a, sizeof(a), err);
	if (ret)
		goto out;
	if (ockam_crypto_hkdf(a, "ockam", 5, b, c) ||
	    ockam_crypto_seal(a, 1, b, 32, "ockam", 5, sealed) ||
	    ockam_crypto_open(a, 1, b, 32, sealed, sizeof(sealed), plain) ||
	    memcmp(plain, "ockam", 5) ||
	    ockam_crypto_x25519_public(a, b) || ockam_crypto_x25519(c, b, a) ||
	    ockam_crypto_ed25519_public(a, &public) ||
	    ockam_crypto_sign(a, "ockam", 5, &signature) ||
	    ockam_crypto_verify(&public, "ockam", 5, &signature) || ockam_crypto_warm_up_p256())
		ret = ockam_err_set(err, -ENOTSUP,
				    "libcrypto lacks a primitive that Ockam needs: X25519, Ed25519, P-256, SHA-256 or AES-256-GCM");
out:
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(c, sizeof(c));
	return ret;
}
