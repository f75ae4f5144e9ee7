// SPDX-License-Identifier: Apache-2.0
/*
 * Signatures, Ed25519 and P-256 (wire-protocol 7.1), and the self-test of all
 * primitives.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include "crypto.h"

#define OCKAM_P256_DER_MAX	80	/* bytes of a signature in DER, at most 72 */

const char *ockam_key_kind_name(enum ockam_key_kind kind)
{
	return kind == OCKAM_KEY_P256 ? "ECDSASHA256CurveP256" : "EdDSACurve25519";
}

int ockam_key_kind_parse(const char *text, enum ockam_key_kind *kind, struct ockam_err *err)
{
	if (!strcmp(text, "ed25519"))
		*kind = OCKAM_KEY_ED25519;
	else if (!strcmp(text, "p256"))
		*kind = OCKAM_KEY_P256;
	else
		return ockam_err_set(err, -EINVAL, "possible values are ed25519 and p256");
	return 0;
}

/* ---- P-256 ---------------------------------------------------------------- */

/*
 * The point of a scalar, 04 || X || Y. libcrypto makes no public key of a
 * private one by itself. Return: 0; -EKEYREJECTED outside of 1 to n - 1; -EIO.
 */
static int ockam_crypto_p256_point(const uint8_t secret[32], uint8_t public[OCKAM_P256_LEN])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *scalar = BN_secure_new();
	EC_POINT *point = NULL;
	int ret = -EIO;

	if (!group || !scalar || !BN_bin2bn(secret, 32, scalar))
		goto out;
	BN_set_flags(scalar, BN_FLG_CONSTTIME);
	if (BN_is_zero(scalar) || BN_cmp(scalar, EC_GROUP_get0_order(group)) >= 0) {
		ret = -EKEYREJECTED;
		goto out;
	}
	point = EC_POINT_new(group);
	if (point && EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, public, OCKAM_P256_LEN,
			       NULL) == OCKAM_P256_LEN)
		ret = 0;
out:
	EC_POINT_free(point);
	BN_clear_free(scalar);
	EC_GROUP_free(group);
	return ret;
}

/*
 * A key of libcrypto; @secret NULL: for verifying. NULL when the bytes are no
 * point of the curve in uncompressed form.
 */
static EVP_PKEY *ockam_crypto_p256_key(const uint8_t public[OCKAM_P256_LEN], const uint8_t *secret)
{
	char group[] = "prime256v1";
	uint8_t native[32] = { 0 };
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)public,
						  OCKAM_P256_LEN),
		secret ? OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native,
						 sizeof(native)) : OSSL_PARAM_construct_end(),
		OSSL_PARAM_construct_end(),
	};
	int selection = secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
	BIGNUM *scalar = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;

	if (public[0] != POINT_CONVERSION_UNCOMPRESSED)
		return NULL;
	if (secret) {
		scalar = BN_secure_new();
		if (!scalar || !BN_bin2bn(secret, 32, scalar) ||
		    BN_bn2nativepad(scalar, native, 32) != 32)
			goto out;
	}
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		key = NULL;
out:
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(scalar);
	OPENSSL_cleanse(native, sizeof(native));
	return key;
}

/* r || s to the DER form that libcrypto wants; @der is freed by the caller. */
static int ockam_crypto_p256_to_der(const uint8_t rs[64], unsigned char **der)
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

static int ockam_crypto_p256_from_der(const uint8_t *der, size_t len, uint8_t rs[64])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int ret = -EIO;

	if (sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, 32) == 32 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + 32, 32) == 32)
		ret = 0;
	ECDSA_SIG_free(sig);
	return ret;
}

static int ockam_crypto_sign_p256(const uint8_t secret[32], const uint8_t hash[OCKAM_HASH_LEN],
				  uint8_t rs[64])
{
	uint8_t public[OCKAM_P256_LEN];
	uint8_t der[OCKAM_P256_DER_MAX];
	size_t len = sizeof(der);
	EVP_MD_CTX *ctx = NULL;
	EVP_PKEY *key;
	int ret;

	ret = ockam_crypto_p256_point(secret, public);
	if (ret)
		return ret;
	ret = -EIO;
	key = ockam_crypto_p256_key(public, secret);
	ctx = EVP_MD_CTX_new();
	if (key && ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, der, &len, hash, OCKAM_HASH_LEN) == 1)
		ret = ockam_crypto_p256_from_der(der, len, rs);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ret;
}

static int ockam_crypto_verify_p256(const struct ockam_public_key *key,
				    const uint8_t hash[OCKAM_HASH_LEN], const uint8_t rs[64])
{
	EVP_PKEY *pkey = ockam_crypto_p256_key(key->bytes, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL;
	int ret = -EKEYREJECTED;
	int der_len;

	if (!pkey || !ctx)
		goto out;
	der_len = ockam_crypto_p256_to_der(rs, &der);
	if (der_len > 0 && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, der, (size_t)der_len, hash, OCKAM_HASH_LEN) == 1)
		ret = 0;
out:
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ret;
}

/* ---- both kinds ----------------------------------------------------------- */

int ockam_crypto_new_secret(enum ockam_key_kind kind, uint8_t secret[OCKAM_SECRET_LEN],
			    struct ockam_err *err)
{
	struct ockam_public_key public;
	int ret;

	/* Of 2^32 strings of 32 bytes one is no scalar of P-256. */
	do {
		ret = ockam_crypto_random(secret, OCKAM_SECRET_LEN, err);
		if (ret)
			return ret;
		ret = ockam_crypto_signing_public(kind, secret, &public);
	} while (ret == -EKEYREJECTED);
	return ret ? ockam_err_set(err, ret, "libcrypto failed to make a key") : 0;
}

int ockam_crypto_ed25519_public(const uint8_t seed[32], struct ockam_public_key *public)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	size_t len = OCKAM_ED25519_LEN;
	int ret = -EIO;

	memset(public, 0, sizeof(*public));
	public->kind = OCKAM_KEY_ED25519;
	public->len = OCKAM_ED25519_LEN;
	if (key && EVP_PKEY_get_raw_public_key(key, public->bytes, &len) == 1 &&
	    len == OCKAM_ED25519_LEN)
		ret = 0;
	EVP_PKEY_free(key);
	return ret;
}

int ockam_crypto_signing_public(enum ockam_key_kind kind, const uint8_t secret[OCKAM_SECRET_LEN],
				struct ockam_public_key *public)
{
	if (kind == OCKAM_KEY_ED25519)
		return ockam_crypto_ed25519_public(secret, public);
	memset(public, 0, sizeof(*public));
	public->kind = OCKAM_KEY_P256;
	public->len = OCKAM_P256_LEN;
	return ockam_crypto_p256_point(secret, public->bytes);
}

static int ockam_crypto_sign_ed25519(const uint8_t seed[32], const uint8_t hash[OCKAM_HASH_LEN],
				     uint8_t bytes[OCKAM_SIGNATURE_LEN])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = OCKAM_SIGNATURE_LEN;
	int ret = -EIO;

	if (key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, bytes, &len, hash, OCKAM_HASH_LEN) == 1 &&
	    len == OCKAM_SIGNATURE_LEN)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ret;
}

int ockam_crypto_sign(enum ockam_key_kind kind, const uint8_t secret[OCKAM_SECRET_LEN],
		      const void *data, size_t len, struct ockam_signature *signature)
{
	uint8_t hash[OCKAM_HASH_LEN];

	signature->kind = kind;
	if (ockam_crypto_sha256(data, len, NULL, 0, hash))
		return -EIO;
	if (kind == OCKAM_KEY_P256)
		return ockam_crypto_sign_p256(secret, hash, signature->bytes);
	return ockam_crypto_sign_ed25519(secret, hash, signature->bytes);
}

static int ockam_crypto_verify_ed25519(const struct ockam_public_key *key,
				       const uint8_t hash[OCKAM_HASH_LEN], const uint8_t bytes[64])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, key->len);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ret = -EKEYREJECTED;

	if (pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, bytes, OCKAM_SIGNATURE_LEN, hash, OCKAM_HASH_LEN) == 1)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ret;
}

int ockam_crypto_verify(const struct ockam_public_key *key, const void *data, size_t len,
			const struct ockam_signature *signature)
{
	uint8_t hash[OCKAM_HASH_LEN];

	if (key->kind != signature->kind)
		return -EKEYREJECTED;
	if (ockam_crypto_sha256(data, len, NULL, 0, hash))
		return -EIO;
	if (key->kind == OCKAM_KEY_P256 && key->len == OCKAM_P256_LEN)
		return ockam_crypto_verify_p256(key, hash, signature->bytes);
	if (key->kind == OCKAM_KEY_ED25519 && key->len == OCKAM_ED25519_LEN)
		return ockam_crypto_verify_ed25519(key, hash, signature->bytes);
	return -EKEYREJECTED;
}

/* Sign and verify once with a key of that kind. */
static bool ockam_crypto_can_sign(enum ockam_key_kind kind)
{
	struct ockam_signature signature;
	struct ockam_public_key public;
	uint8_t secret[32];
	bool can;

	can = !ockam_crypto_new_secret(kind, secret, NULL) &&
	      !ockam_crypto_signing_public(kind, secret, &public) &&
	      !ockam_crypto_sign(kind, secret, "ockam", 5, &signature) &&
	      !ockam_crypto_verify(&public, "ockam", 5, &signature) &&
	      ockam_crypto_verify(&public, "OCKAM", 5, &signature) == -EKEYREJECTED;
	OPENSSL_cleanse(secret, sizeof(secret));
	return can;
}

int ockam_crypto_warm_up(struct ockam_err *err)
{
	uint8_t sealed[5 + OCKAM_TAG_LEN];
	uint8_t a[32], b[32], c[32], d[32];
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
	    ockam_crypto_x25519_public(a, b) || ockam_crypto_x25519_public(c, d) ||
	    ockam_crypto_x25519(c, d, b, a) ||
	    !ockam_crypto_can_sign(OCKAM_KEY_ED25519) || !ockam_crypto_can_sign(OCKAM_KEY_P256))
		ret = ockam_err_set(err, -ENOTSUP,
				    "libcrypto lacks a primitive that Ockam needs: X25519, Ed25519, P-256, SHA-256 or AES-256-GCM");
out:
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(c, sizeof(c));
	return ret;
}
