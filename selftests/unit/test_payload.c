// SPDX-License-Identifier: Apache-2.0
/*
 * What the handshake carries: the payloads of handshake.json, every check of
 * wire-protocol 5.5 broken once, every bit and length of a payload, refreshes
 * of credentials, trust rules.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "payload.h"
#include "signed.h"
#include "tap.h"
#include "vectors.h"

#define ED25519	OCKAM_KEY_ED25519

#define NOW	1767225700ULL

static struct ockam_err err;

/* A party with everything it needs, made from small numbers. */
struct party {
	uint8_t			seed[32];
	uint8_t			x[32], x_pub[32];
	struct ockam_identity	*identity;
	struct ockam_buf	attestation;
};

static void party_init(struct party *p, int number)
{
	memset(p, 0, sizeof(*p));
	memset(p->seed, number, 32);
	memset(p->x, number + 1, 32);
	ockam_crypto_x25519_public(p->x, p->x_pub);
	ockam_identity_create(ED25519, p->seed, NOW - 1000, &p->identity, NULL);
	ockam_attestation_create(p->identity, p->seed, OCKAM_PURPOSE_CHANNEL, p->x_pub, NOW,
				 &p->attestation, NULL);
}

static void party_free(struct party *p)
{
	ockam_identity_free(p->identity);
	ockam_buf_free(&p->attestation);
}

static struct ockam_buf party_payload(const struct party *p, const struct ockam_piece *credentials,
				      size_t n_credentials)
{
	struct ockam_buf out = { 0 };

	ockam_payload_build(p->identity, p->attestation.data, p->attestation.len, credentials,
			    n_credentials, &out, NULL);
	return out;
}

static void verify_case(const char *what, const struct ockam_buf *payload, const uint8_t *key,
			const struct ockam_payload_rules *rules, int want)
{
	struct ockam_peer peer;
	int ret = ockam_payload_verify(payload->data, payload->len, key, rules, &peer, &err);

	ok_ret(ret, want, err, "%s%s%s", what, ret ? ": " : "", ret ? err.text : "");
	ok(!ret == !!peer.identity, "%s: peer is set on success only", what);
	ockam_peer_free(&peer);
}

static void test_vectors(struct json_object *root)
{
	struct json_object *messages = vectors_get(root, "messages");
	static const char *const sides[] = { "responder", "initiator" };

	for (size_t i = 0; i < 2; i++) {
		struct json_object *entry = json_object_array_get_idx(messages, i + 1);
		struct json_object *side = vectors_get(root, sides[i]);
		struct ockam_buf payload = vectors_bytes(entry, "payload");
		struct ockam_buf attestation = vectors_bytes(side, "attestation");
		struct ockam_payload_rules rules = { .now = NOW };
		char text[OCKAM_IDENTIFIER_TEXT];
		struct ockam_buf out = { 0 };
		struct ockam_peer peer;
		uint8_t x[32], pub[32];

		vectors_key(side, "x25519_static_secret", x);
		ockam_crypto_x25519_public(x, pub);
		ok_ret(ockam_payload_verify(payload.data, payload.len, pub, &rules, &peer, &err), 0,
		       err, "payload of the %s", sides[i]);
		ockam_identifier_format(peer.identity->identifier, text);
		ok_text(text, vectors_text(side, "identifier"), "names the %s", sides[i]);
		ok(peer.is_new && !peer.is_newer && !peer.has_credential, "as a new peer");
		ockam_payload_build(peer.identity, attestation.data, attestation.len, NULL, 0, &out,
				    NULL);
		ok(out.len == payload.len && !memcmp(out.data, payload.data, out.len),
		   "built the same");
		ockam_buf_free(&out);
		ockam_peer_free(&peer);
		ockam_buf_free(&payload);
		ockam_buf_free(&attestation);
	}
}

static void test_damage(void)
{
	struct ockam_payload_rules rules = { .now = NOW };
	struct party p;
	struct ockam_buf payload;
	struct ockam_peer peer;
	size_t bad = 0;

	party_init(&p, 3);
	payload = party_payload(&p, NULL, 0);
	verify_case("good payload", &payload, p.x_pub, &rules, 0);
	ok(payload.len == 323, "323 bytes");
	for (size_t bit = 0; bit < payload.len * 8; bit++) {
		payload.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!ockam_payload_verify(payload.data, payload.len, p.x_pub, &rules,
					  &peer, &err)) {
			/* Only the kind of header of the empty last list may vary. */
			printf("# accepted with bit %zu of byte %zu changed\n", bit % 8, bit / 8);
			ockam_peer_free(&peer);
			bad++;
		}
		payload.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ok(!bad, "each of %zu bits matters", payload.len * 8);
	for (size_t len = 0; len < payload.len; len++) {
		uint8_t *copy = malloc(len + 1);	/* its own end, for the sanitizer */

		memcpy(copy, payload.data, len);
		if (ockam_payload_verify(copy, len, p.x_pub, &rules, &peer, &err) != -EBADMSG)
			bad++;
		free(copy);
	}
	ok(!bad, "refused when cut to any of %zu lengths", payload.len);
	ockam_buf_free(&payload);
	party_free(&p);
}

/* A lookup that knows one history. */
static int known_one(void *arg, const uint8_t id[32], const uint8_t **history, size_t *len)
{
	struct ockam_identity *identity = arg;

	if (memcmp(identity->identifier, id, 32))
		return 0;
	*history = identity->history;
	*len = identity->history_len;
	return 1;
}

static int known_broken(void *arg, const uint8_t id[32], const uint8_t **history, size_t *len)
{
	(void)arg, (void)id, (void)history, (void)len;
	return -EIO;
}

static void test_histories(void)
{
	struct ockam_payload_rules rules = { .now = NOW, .known = known_one };
	struct ockam_identity *longer, *other;
	struct ockam_buf payload, again;
	struct ockam_peer peer;
	struct party p, r;
	uint8_t seed[32];

	party_init(&p, 5);
	memset(seed, 77, 32);
	ockam_identity_rotate(p.identity, p.seed, ED25519, seed, NOW - 10, &longer, NULL);
	ockam_identity_rotate(p.identity, p.seed, ED25519, p.seed, NOW - 10, &other, NULL);
	r = p;
	r.identity = longer;
	memset(&r.attestation, 0, sizeof(r.attestation));
	ockam_attestation_create(longer, seed, OCKAM_PURPOSE_CHANNEL, p.x_pub, NOW, &r.attestation,
				 NULL);
	payload = party_payload(&p, NULL, 0);
	again = party_payload(&r, NULL, 0);

	rules.arg = p.identity;
	verify_case("known and equal", &payload, p.x_pub, &rules, 0);
	ok(!ockam_payload_verify(again.data, again.len, p.x_pub, &rules, &peer, &err) &&
	   peer.is_newer && !peer.is_new && peer.identity->n_changes == 2, "known and longer");
	ockam_peer_free(&peer);
	/* The last byte of the history is one of a signature, and in no hash. */
	payload.data[p.identity->history_len] ^= 1;
	verify_case("known but for a signature", &payload, p.x_pub, &rules, -EKEYREJECTED);
	payload.data[p.identity->history_len] ^= 1;
	again.data[longer->history_len] ^= 1;
	verify_case("longer but for a signature", &again, p.x_pub, &rules, -EKEYREJECTED);
	again.data[longer->history_len] ^= 1;
	rules.arg = longer;
	verify_case("shorter than known", &payload, p.x_pub, &rules, -ESTALE);
	rules.arg = other;
	verify_case("conflicts with known", &again, p.x_pub, &rules, -ESTALE);
	rules.known = known_broken;
	verify_case("the store fails", &payload, p.x_pub, &rules, -EIO);
	rules.known = NULL;

	/* The attestation must be of the latest change. */
	ockam_buf_free(&r.attestation);
	ockam_buf_put(&r.attestation, p.attestation.data, p.attestation.len);
	ockam_buf_free(&again);
	again = party_payload(&r, NULL, 0);
	verify_case("attestation from before the rotation", &again, p.x_pub, &rules,
		    -EKEYREJECTED);
	ockam_buf_free(&payload);
	ockam_buf_free(&again);
	ockam_buf_free(&r.attestation);
	ockam_identity_free(longer);
	ockam_identity_free(other);
	party_free(&p);
}

static void test_attestations(void)
{
	struct ockam_payload_rules rules = { .now = NOW };
	struct ockam_public_key signing;
	struct ockam_buf payload;
	struct party p, q, mixed;

	party_init(&p, 7);
	party_init(&q, 9);
	payload = party_payload(&p, NULL, 0);
	verify_case("another key than Noise revealed", &payload, q.x_pub, &rules, -EKEYREJECTED);
	rules.now = NOW - 60;
	verify_case("a minute before it was made", &payload, p.x_pub, &rules, 0);
	rules.now = NOW - 61;
	verify_case("more than a minute before", &payload, p.x_pub, &rules, -EKEYEXPIRED);
	rules.now = NOW + OCKAM_ATTESTATION_LIFE;
	verify_case("in its last second", &payload, p.x_pub, &rules, 0);
	rules.now++;
	verify_case("after its end", &payload, p.x_pub, &rules, -EKEYEXPIRED);
	rules.now = NOW;
	ockam_buf_free(&payload);

	mixed = p;
	mixed.attestation = q.attestation;
	payload = party_payload(&mixed, NULL, 0);
	verify_case("attestation of another identity", &payload, q.x_pub, &rules, -EKEYREJECTED);
	ockam_buf_free(&payload);

	memset(&mixed.attestation, 0, sizeof(mixed.attestation));
	ockam_crypto_ed25519_public(p.x, &signing);
	ockam_attestation_create(p.identity, p.seed, OCKAM_PURPOSE_CREDENTIAL, signing.bytes, NOW,
				 &mixed.attestation, NULL);
	payload = party_payload(&mixed, NULL, 0);
	verify_case("attestation of a credential key", &payload, signing.bytes, &rules,
		    -EKEYREJECTED);
	ockam_buf_free(&payload);
	ockam_buf_free(&mixed.attestation);
	party_free(&p);
	party_free(&q);
}

static void test_trust(void)
{
	struct ockam_trust trust = { 0 }, back;
	struct ockam_payload_rules rules = { .now = NOW, .trust = &trust };
	struct ockam_buf payload, cbor = { 0 };
	struct ockam_reader r;
	struct party p, q;
	bool good = true;

	party_init(&p, 11);
	party_init(&q, 13);
	payload = party_payload(&p, NULL, 0);
	verify_case("everyone is trusted", &payload, p.x_pub, &rules, 0);
	ockam_trust_add(&trust, q.identity->identifier, NULL);
	ok(trust.kind == OCKAM_TRUST_ONE, "one is trusted");
	verify_case("another one is trusted", &payload, p.x_pub, &rules, -EACCES);
	ockam_trust_add(&trust, p.identity->identifier, NULL);
	ockam_trust_add(&trust, p.identity->identifier, NULL);
	ok(trust.kind == OCKAM_TRUST_LIST && trust.n_ids == 2, "a list of two is trusted");
	verify_case("in the list", &payload, p.x_pub, &rules, 0);

	ockam_trust_encode(&trust, &cbor);
	ockam_reader_init(&r, cbor.data, cbor.len);
	ok_ret(ockam_trust_decode(&r, &back, &err), 0, err, "list decodes");
	ok(back.kind == OCKAM_TRUST_LIST && back.n_ids == 2 && !memcmp(back.ids, trust.ids, 64) &&
	   r.pos == r.end, "to the same");
	ockam_trust_free(&back);
	for (size_t len = 0; len < cbor.len; len++) {
		ockam_reader_init(&r, cbor.data, len);
		good &= ockam_trust_decode(&r, &back, &err) == -EBADMSG &&
			!ockam_trust_allows(&back, p.identity->identifier);
		ockam_trust_free(&back);
	}
	ok(good, "a cut rule is refused and trusts nobody");
	ockam_trust_free(&trust);
	ockam_buf_free(&cbor);
	ockam_trust_encode(&trust, &cbor);
	ok(cbor.len == 6 && !memcmp(cbor.data, "\x83\x82\x00\x80\xf6\xf6", 6),
	   "everyone is [[0, []], null, null]");
	ockam_reader_init(&r, cbor.data, cbor.len);
	ok(!ockam_trust_decode(&r, &back, &err) && ockam_trust_allows(&back, p.seed),
	   "and decodes to it");
	ockam_trust_free(&back);
	trust.kind = OCKAM_TRUST_LIST;
	verify_case("an empty list trusts nobody", &payload, p.x_pub, &rules, -EACCES);
	ockam_buf_free(&cbor);
	ockam_buf_free(&payload);
	party_free(&p);
	party_free(&q);
}

/* A credential for @subject by @issuer, living @ttl seconds from @now. */
static struct ockam_buf make_credential(const struct party *issuer, const uint8_t *subject,
					uint64_t now, uint64_t ttl, const char *value)
{
	struct ockam_attribute attribute = {
		{ (const uint8_t *)"role", 4 }, { (const uint8_t *)value, strlen(value) },
	};
	struct ockam_buf attestation = { 0 }, out = { 0 };
	struct ockam_public_key public;
	uint8_t key[32];

	memset(key, 99, 32);
	ockam_crypto_ed25519_public(key, &public);
	ockam_attestation_create(issuer->identity, issuer->seed, OCKAM_PURPOSE_CREDENTIAL,
				 public.bytes, NOW - 500, &attestation, NULL);
	ockam_credential_issue(attestation.data, attestation.len, key, subject, NULL, &attribute, 1,
			       now, ttl, &out, NULL);
	ockam_buf_free(&attestation);
	return out;
}

/* One with more attributes than are looked at; its signature does not matter. */
static struct ockam_buf large_credential(const struct party *issuer, const uint8_t *subject)
{
	struct ockam_buf data = { 0 }, wrap = { 0 }, out = { 0 };
	struct ockam_signature signature = { .kind = ED25519 };

	ockam_buf_put_array(&data, 5);
	ockam_buf_put_bytes(&data, subject, OCKAM_IDENTIFIER_LEN);
	ockam_buf_put_null(&data);
	ockam_buf_put_array(&data, 2);
	ockam_buf_put_uint(&data, OCKAM_CREDENTIAL_SCHEMA);
	ockam_buf_put_map(&data, OCKAM_CREDENTIAL_ATTRIBUTES_MAX + 1);
	for (uint8_t i = 0; i <= OCKAM_CREDENTIAL_ATTRIBUTES_MAX; i++) {
		ockam_buf_put_bytes(&data, &i, 1);
		ockam_buf_put_bytes(&data, "", 0);
	}
	ockam_buf_put_uint(&data, NOW);
	ockam_buf_put_uint(&data, NOW + 100);
	ockam_signed_wrap(OCKAM_SIGNED_CREDENTIAL, &data, &wrap);
	ockam_buf_put_array(&out, 2);
	ockam_signed_put_pair(&out, &wrap, &signature);
	ockam_buf_put(&out, issuer->attestation.data, issuer->attestation.len);
	ockam_buf_free(&data);
	ockam_buf_free(&wrap);
	return out;
}

static void test_credentials(void)
{
	struct party p, authority, stranger;
	struct ockam_payload_rules rules = { .now = NOW };
	struct ockam_buf c[3], payload, refresh = { 0 }, broken = { 0 };
	struct ockam_trust trust = { 0 };
	struct ockam_piece pieces[3];
	struct ockam_peer peer;

	party_init(&p, 15);
	party_init(&authority, 17);
	party_init(&stranger, 19);
	c[0] = make_credential(&authority, p.identity->identifier, NOW - 10, 100, "member");
	c[1] = make_credential(&stranger, p.identity->identifier, NOW - 10, 100, "king");
	c[2] = make_credential(&authority, p.identity->identifier, NOW - 100, 50, "old");
	for (int i = 0; i < 3; i++)
		pieces[i] = (struct ockam_piece){ c[i].data, c[i].len };

	payload = party_payload(&p, pieces, 3);
	ok(!ockam_payload_verify(payload.data, payload.len, p.x_pub, &rules, &peer, &err) &&
	   !peer.has_credential, "without an authority credentials are not looked at");
	ockam_peer_free(&peer);
	rules.authorities = &authority.identity;
	rules.n_authorities = 1;
	ok_ret(ockam_payload_verify(payload.data, payload.len, p.x_pub, &rules, &peer, &err),
	       0, err,
	       "good, strange and expired credential");
	ok(peer.has_credential && peer.expires_at == NOW + 90 &&
	   !memcmp(peer.issuer, authority.identity->identifier, 32), "the good one counts");
	ok(peer.attributes.len == 13 &&
	   !memcmp(peer.attributes.data, "\xa1\x44role\x46member", 13), "its attributes");
	ok(peer.credential_err.code == -EKEYEXPIRED, "the last bad one says: %s",
	   peer.credential_err.text);
	ockam_peer_free(&peer);
	ockam_buf_free(&payload);

	payload = party_payload(&p, &pieces[1], 2);
	ok(!ockam_payload_verify(payload.data, payload.len, p.x_pub, &rules, &peer, &err) &&
	   !peer.has_credential && !peer.attributes.len, "bad credentials do not refuse the peer");
	ockam_peer_free(&peer);

	ok_ret(ockam_refresh_build(p.identity, pieces, 1, &refresh, &err), 0, err, "refresh built");
	ok_ret(ockam_refresh_verify(refresh.data, refresh.len, p.identity->identifier, &rules,
				    &peer, &err), 0, err, "refresh verifies");
	ok(peer.has_credential, "and brings attributes");
	ockam_peer_free(&peer);
	ok_ret(ockam_refresh_verify(refresh.data, refresh.len, stranger.identity->identifier,
				    &rules, &peer, &err), -EKEYREJECTED, err, "refresh by another identity");
	ockam_buf_free(&refresh);
	ockam_refresh_build(p.identity, NULL, 0, &refresh, NULL);
	ok(!ockam_refresh_verify(refresh.data, refresh.len, p.identity->identifier, &rules, &peer,
				 &err) && !peer.has_credential, "refresh without credentials");
	ockam_peer_free(&peer);

	/* A rule on credentials is asked when they have been verified. */
	ok_ret(ockam_policy_parse("role=member", &trust.policy, &err), 0, err, "a policy");
	trust.has_authority = true;
	memcpy(trust.authority, authority.identity->identifier, 32);
	rules.trust = &trust;
	ockam_buf_free(&payload);
	payload = party_payload(&p, pieces, 3);
	verify_case("a rule that the good one satisfies", &payload, p.x_pub, &rules, 0);
	ockam_buf_free(&payload);
	payload = party_payload(&p, &pieces[1], 2);
	verify_case("a rule and bad ones", &payload, p.x_pub, &rules, -EACCES);
	ok(strstr(err.text, "no valid credential of I") && strstr(err.text, "has expired"),
	   "says that there is no good one, and what is wrong with the last");
	ockam_buf_free(&payload);
	rules.n_authorities = 0;
	payload = party_payload(&p, pieces, 3);
	verify_case("a rule, and nobody's credentials count", &payload, p.x_pub, &rules, -EACCES);
	ockam_buf_free(&payload);
	rules.n_authorities = 1;
	rules.trust = NULL;
	ockam_trust_free(&trust);

	/* One above our limits is as bad as any, and no more. */
	ockam_buf_free(&c[2]);
	c[2] = large_credential(&authority, p.identity->identifier);
	pieces[2] = (struct ockam_piece){ c[2].data, c[2].len };
	payload = party_payload(&p, &pieces[2], 1);
	ok(!ockam_payload_verify(payload.data, payload.len, p.x_pub, &rules, &peer, &err) &&
	   !peer.has_credential && peer.credential_err.code == -E2BIG,
	   "a credential with too many attributes does not count: %s", peer.credential_err.text);
	ockam_peer_free(&peer);
	ockam_buf_free(&payload);

	/* What is no credential at all spoils the message, as a bad identity would. */
	ockam_buf_put_array(&broken, 2);
	ockam_buf_put(&broken, p.identity->history, p.identity->history_len);
	ockam_buf_put(&broken, "\x81\x01", 2);
	ok(ockam_refresh_verify(broken.data, broken.len, p.identity->identifier, &rules, &peer,
				&err) == -EBADMSG, "a number as credential");
	ockam_buf_free(&broken);
	ockam_buf_free(&refresh);
	ockam_buf_free(&payload);
	for (int i = 0; i < 3; i++)
		ockam_buf_free(&c[i]);
	party_free(&p);
	party_free(&authority);
	party_free(&stranger);
}

int main(void)
{
	struct json_object *root = vectors_load("handshake.json");

	test_vectors(root);
	test_damage();
	test_histories();
	test_attestations();
	test_trust();
	test_credentials();
	json_object_put(root);
	return tap_done();
}
