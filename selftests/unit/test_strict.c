// SPDX-License-Identifier: Apache-2.0
/*
 * What the Rust implementation takes, what is taken here, and what only
 * strict identities refuse: identity_cases.json, and times in payloads.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "payload.h"
#include "signed.h"
#include "tap.h"
#include "vectors.h"

#define NOW	1800000000ULL

static struct ockam_err err;

/* Expected: default as in the Rust crates, or stricter; strict not looser than that. */
static void test_case(struct json_object *entry, uint64_t now)
{
	bool lax = json_object_get_boolean(vectors_get(entry, "default"));
	bool strict = json_object_get_boolean(vectors_get(entry, "strict"));
	struct ockam_buf history = vectors_bytes(entry, "history");
	const char *why = vectors_text(entry, "why");
	struct ockam_identity *identity = NULL;
	int ret;

	ret = ockam_identity_decode(history.data, history.len, &identity, &err);
	ok(!ret == lax, "%s: %s", why, ret ? err.text : "taken");
	ok(lax || ret == -EKEYREJECTED || ret == -EBADMSG, "%s: with an errno of its own", why);
	if (!ret) {
		ret = ockam_identity_check_strict(identity, now, &err);
		ok(!ret == strict, "strict: %s: %s", why, ret ? err.text : "taken");
	}
	ockam_identity_free(identity);
	ockam_buf_free(&history);
}

/* ---- payloads ---------------------------------------------------------------- */

struct party {
	uint8_t			seed[32];
	uint8_t			x[32];	/* static key of Noise, public */
	struct ockam_identity	*identity;
};

static void party_init(struct party *p, int number)
{
	uint8_t secret[32];

	memset(p->seed, number, 32);
	memset(secret, number + 1, 32);
	ockam_crypto_x25519_public(secret, p->x);
	ockam_identity_create(OCKAM_KEY_ED25519, p->seed, NOW - 1000, &p->identity, &err);
}

/* [ data, signature ] around @inner. */
static void put_signed(const uint8_t *seed, enum ockam_signed_type type,
		       const struct ockam_buf *inner, struct ockam_buf *out)
{
	struct ockam_signature signature;
	struct ockam_buf wrap = { 0 };

	ockam_signed_wrap(type, inner, &wrap);
	ockam_crypto_sign(OCKAM_KEY_ED25519, seed, wrap.data, wrap.len, &signature);
	ockam_signed_put_pair(out, &wrap, &signature);
	ockam_buf_free(&wrap);
}

static void put_attestation(const struct party *p, enum ockam_purpose purpose, uint64_t created,
			    uint64_t expires, struct ockam_buf *out)
{
	struct ockam_public_key signing;
	struct ockam_buf inner = { 0 };

	ockam_buf_put_array(&inner, 5);
	ockam_buf_put_bytes(&inner, p->identity->identifier, 32);
	ockam_buf_put_bytes(&inner, p->identity->changes[0].hash, 32);
	ockam_buf_put_array(&inner, 2);
	ockam_buf_put_uint(&inner, purpose);
	ockam_buf_put_array(&inner, 1);
	if (purpose == OCKAM_PURPOSE_CHANNEL) {
		ockam_buf_put_bytes(&inner, p->x, 32);
	} else {
		/* The same key for both: enough for a test. */
		ockam_crypto_ed25519_public(p->seed, &signing);
		ockam_signed_put_key(&inner, &signing);
	}
	ockam_buf_put_uint(&inner, created);
	ockam_buf_put_uint(&inner, expires);
	put_signed(p->seed, OCKAM_SIGNED_ATTESTATION, &inner, out);
	ockam_buf_free(&inner);
}

static void put_credential(const struct party *issuer, const struct party *subject,
			   uint64_t created, uint64_t expires, uint64_t issuer_created,
			   uint64_t issuer_expires, struct ockam_buf *out)
{
	struct ockam_buf inner = { 0 };

	ockam_buf_put_array(&inner, 5);
	ockam_buf_put_bytes(&inner, subject->identity->identifier, 32);
	ockam_buf_put_null(&inner);
	ockam_buf_put_array(&inner, 2);
	ockam_buf_put_uint(&inner, 1);
	ockam_buf_put_map(&inner, 0);
	ockam_buf_put_uint(&inner, created);
	ockam_buf_put_uint(&inner, expires);
	ockam_buf_put_array(out, 2);
	put_signed(issuer->seed, OCKAM_SIGNED_CREDENTIAL, &inner, out);
	put_attestation(issuer, OCKAM_PURPOSE_CREDENTIAL, issuer_created, issuer_expires, out);
	ockam_buf_free(&inner);
}

/* Verify what @p shows, at NOW. */
static int show(const struct party *p, const struct ockam_buf *attestation,
		const struct ockam_buf *credential, const struct ockam_payload_rules *rules,
		struct ockam_peer *peer)
{
	struct ockam_piece piece = { credential->data, credential->len };
	struct ockam_buf out = { 0 };
	int ret;

	ockam_payload_build(p->identity, attestation->data, attestation->len, &piece,
			    credential->len ? 1 : 0, &out, NULL);
	ret = ockam_payload_verify(out.data, out.len, p->x, rules, peer, &err);
	ockam_buf_free(&out);
	return ret;
}

static void test_attestation(void)
{
	struct ockam_payload_rules rules = { .now = NOW };
	struct ockam_buf good = { 0 }, odd = { 0 }, none = { 0 };
	struct ockam_peer peer;
	struct party p;

	party_init(&p, 3);
	put_attestation(&p, OCKAM_PURPOSE_CHANNEL, NOW, NOW, &good);
	put_attestation(&p, OCKAM_PURPOSE_CHANNEL, NOW + 30, NOW + 10, &odd);
	for (int strict = 0; strict < 2; strict++) {
		rules.strict = strict;
		ok_ret(show(&p, &good, &none, &rules, &peer), 0, err,
		       "strict %d: attested for one second", strict);
		ockam_peer_free(&peer);
		ok_ret(show(&p, &odd, &none, &rules, &peer), strict ? -EKEYREJECTED : 0, err,
		       "strict %d: attested to end before it begins", strict);
		ockam_peer_free(&peer);
	}
	ockam_buf_free(&good);
	ockam_buf_free(&odd);
	ockam_identity_free(p.identity);
}

static void test_credentials(void)
{
	static const struct {
		uint64_t created, expires, issuer_created, issuer_expires;
		bool strict;
	} cases[] = {
		{ NOW, NOW + 10, NOW - 5, NOW + 50, true },
		{ NOW + 30, NOW + 10, NOW - 5, NOW + 50, false },
		{ NOW + 40, NOW + 10, NOW + 30, NOW + 20, false },
	};
	struct ockam_payload_rules rules = { .now = NOW, .n_authorities = 1 };
	struct ockam_buf attestation = { 0 };
	struct party p, authority;
	struct ockam_peer peer;

	party_init(&p, 3);
	party_init(&authority, 9);
	rules.authorities = &authority.identity;
	put_attestation(&p, OCKAM_PURPOSE_CHANNEL, NOW, NOW + 100, &attestation);
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct ockam_buf credential = { 0 };
		size_t c = i / 2;

		rules.strict = i & 1;
		put_credential(&authority, &p, cases[c].created, cases[c].expires,
			       cases[c].issuer_created, cases[c].issuer_expires, &credential);
		ok_ret(show(&p, &attestation, &credential, &rules, &peer), 0, err,
		       "a credential, case %zu, is no reason to refuse", c);
		ok(peer.has_credential == (!rules.strict || cases[c].strict),
		   "strict %d: it counts or not %s", rules.strict, peer.credential_err.text);
		ockam_peer_free(&peer);
		ockam_buf_free(&credential);
	}
	ockam_buf_free(&attestation);
	ockam_identity_free(p.identity);
	ockam_identity_free(authority.identity);
}

/* The strict rules hold in refreshes, which carry no attestation, as well. */
static void test_refresh(void)
{
	struct ockam_payload_rules rules = { .now = NOW };
	struct ockam_buf body = { 0 };
	struct ockam_peer peer;
	struct party p;

	party_init(&p, 3);
	ockam_refresh_build(p.identity, NULL, 0, &body, &err);
	for (int strict = 0; strict < 2; strict++) {
		rules.strict = strict;
		rules.now = NOW;
		ok_ret(ockam_refresh_verify(body.data, body.len, p.identity->identifier, &rules,
					    &peer, &err), 0, err, "strict %d: a refresh", strict);
		ockam_peer_free(&peer);
		rules.now = NOW + OCKAM_IDENTITY_LIFE;
		ok_ret(ockam_refresh_verify(body.data, body.len, p.identity->identifier, &rules,
					    &peer, &err), strict ? -EKEYEXPIRED : 0, err,
		       "strict %d: a refresh ten years later", strict);
		ockam_peer_free(&peer);
		rules.now = NOW - 1061;
		ok_ret(ockam_refresh_verify(body.data, body.len, p.identity->identifier, &rules,
					    &peer, &err), strict ? -EKEYEXPIRED : 0, err,
		       "strict %d: a refresh from the future", strict);
		ockam_peer_free(&peer);
	}
	ockam_buf_free(&body);
	ockam_identity_free(p.identity);
}

/* Made by a clock that stood in 1970, or used beyond its end: a new key heals it. */
static void test_rotated(uint64_t made, uint64_t now, const char *what)
{
	uint8_t a[32] = { 1 }, b[32] = { 2 };
	struct ockam_identity *old, *new = NULL, *shown = NULL;
	struct ockam_err err;

	ockam_identity_create(OCKAM_KEY_ED25519, a, made, &old, &err);
	ok_ret(ockam_identity_check_strict(old, now, &err), -EKEYEXPIRED, err, "%s: %s", what,
	       err.text);
	ok_ret(ockam_identity_rotate(old, a, OCKAM_KEY_ED25519, b, now, &new, &err), 0, err,
	       "rotated");
	ok_ret(ockam_identity_check_strict(new, now, &err), 0, err, "strict peers take it again");
	ok_ret(ockam_identity_decode(new->history, new->history_len, &shown, &err), 0, err,
	       "so do the others");
	ok(ockam_identity_latest(new)->valid_until > now, "for years");
	ockam_identity_free(old);
	ockam_identity_free(new);
	ockam_identity_free(shown);
}

int main(void)
{
	struct json_object *root = vectors_load("identity_cases.json");
	uint64_t now = (uint64_t)json_object_get_int64(vectors_get(root, "now"));
	struct json_object *list = vectors_get(root, "cases");

	for (size_t i = 0; i < json_object_array_length(list); i++)
		test_case(json_object_array_get_idx(list, i), now);
	json_object_put(root);
	test_attestation();
	test_credentials();
	test_refresh();
	test_rotated(0, 1800000000, "an identity of 1970");
	test_rotated(1400000000, 1800000000, "one that has expired");
	return tap_done();
}
