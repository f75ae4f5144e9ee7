// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>
#include <sys/random.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

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

int ockam_crypto_x25519_public(const uint8_t secret[32], uint8_t public[OCKAM_X25519_LEN])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
	size_t len = OCKAM_X25519_LEN;
	int ret = -EIO;

	if (key && EVP_PKEY_get_raw_public_key(key, public, &len) == 1 && len == OCKAM_X25519_LEN)
		ret = 0;
	EVP_PKEY_free(key);
	return ret;
}

/*
 * A key pair whose public half is known. EVP_PKEY_new_raw_private_key() would
 * compute that, for as much as the shared secret costs.
 */
static EVP_PKEY *ockam_crypto_x25519_pair(const uint8_t secret[32], const uint8_t own[32])
{
	/* libcrypto only reads them, its types do not say so. */
	const OSSL_PARAM params[] = {
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (uint8_t *)own, 32),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (uint8_t *)secret, 32),
		OSSL_PARAM_END
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, NULL);
	EVP_PKEY *key = NULL;

	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, (OSSL_PARAM *)params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

int ockam_crypto_x25519(const uint8_t secret[32], const uint8_t own_public[OCKAM_X25519_LEN],
			const uint8_t public[OCKAM_X25519_LEN], uint8_t shared[32])
{
	static const uint8_t zero[32];
	EVP_PKEY *own = ockam_crypto_x25519_pair(secret, own_public);
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
