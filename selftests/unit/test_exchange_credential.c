// SPDX-License-Identifier: Apache-2.0
/*
 * Credentials that the worker shows and is shown, in handshakes and refreshes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "exchange.h"

/* A credential for @subject by the identity made of @number, as it is given to both sides. */
struct authority {
	struct ockam_identity	*identity;
	uint8_t			seed[32], key[32];
	struct ockam_buf	attestation;
};

static void authority_init(struct authority *a, int number)
{
	uint64_t now = (uint64_t)time(NULL);
	struct ockam_public_key public;

	memset(a, 0, sizeof(*a));
	memset(a->seed, number, 32);
	memset(a->key, number + 1, 32);
	ockam_crypto_ed25519_public(a->key, &public);
	ockam_identity_create(ED25519, a->seed, now - 100, &a->identity, NULL);
	ockam_attestation_create(a->identity, a->seed, OCKAM_PURPOSE_CREDENTIAL, public.bytes,
				 now - 90, &a->attestation, NULL);
}

static void authority_free(struct authority *a)
{
	ockam_identity_free(a->identity);
	ockam_buf_free(&a->attestation);
}

static struct ockam_buf authority_issue(const struct authority *a, const uint8_t *subject,
					int64_t begin, uint64_t ttl)
{
	struct ockam_attribute attribute = {
		{ (const uint8_t *)"app", 3 }, { (const uint8_t *)"demo", 4 },
	};
	struct ockam_buf out = { 0 };

	ockam_credential_issue(a->attestation.data, a->attestation.len, a->key, subject, NULL,
			       &attribute, 1, (uint64_t)(time(NULL) + begin), ttl, &out, NULL);
	return out;
}

/* What the node process tells: packets behind their type. */
static void side_authority(struct side *s, uint64_t index, const struct authority *a)
{
	struct ockam_buf packet = { 0 };
	struct ockam_reader r;

	ockam_buf_put_uint(&packet, index);
	ockam_buf_put_bytes(&packet, a->identity->history, a->identity->history_len);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_authority(&s->worker, &r), "an authority is taken");
	ockam_buf_free(&packet);
}

static void side_present(struct side *s, uint64_t expires_at, const struct ockam_buf *credential)
{
	struct ockam_buf packet = { 0 };
	struct ockam_reader r;

	ockam_buf_put_uint(&packet, 3);
	ockam_buf_put_uint(&packet, expires_at);
	if (credential)
		ockam_buf_put_bytes(&packet, credential->data, credential->len);
	else
		ockam_buf_put_null(&packet);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_present(&s->worker, &r), "a credential is taken");
	ockam_buf_free(&packet);
}

/* @opaque as worker data of @s. */
static void side_opaque(struct side *s, struct ockamd_opaque opaque)
{
	struct ockamd_opaque back;
	bool good = true;
	size_t len;

	opaque.key = 3;
	ockam_buf_free(&s->opaque);
	ockamd_opaque_encode(&opaque, &s->opaque);
	for (len = 0; len < s->opaque.len; len++)
		good &= ockamd_opaque_decode(s->opaque.data, len, &back, NULL) != 0;
	ok(good, "worker data cut anywhere is refused");
}

/* The initiator has @credential; the responder's rule wants one of @a. */
static void credential_case(const struct authority *a, const struct ockam_buf *credential,
			    uint64_t expires_at, int want, const char *what)
{
	struct ockamd_opaque wants = { .has_authority = true };
	struct ockamd_opaque presents = { .present = true };
	uint64_t now = (uint64_t)time(NULL);
	struct side i, r;

	wants.trust.has_authority = true;
	memcpy(wants.trust.authority, a->identity->identifier, 32);
	memcpy(wants.authority, a->identity->identifier, 32);
	ockam_policy_parse("app=demo", &wants.trust.policy, NULL);
	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	side_opaque(&i, presents);
	side_opaque(&r, wants);
	side_authority(&r, 0, a);
	side_present(&i, expires_at, credential);
	test_proved = 0;
	run(&i, &r);
	if (!want) {
		ok(r.nl.done == 1 && i.nl.done == 1, "%s: accepted", what);
		ok(r.nl.expiry > now && r.nl.attributes_len == 10, "until it expires");
		ok(test_proved == 1, "and reported, before the channel");
		ok(!i.nl.expiry, "the initiator's end has no expiry");
	} else if (i.nl.sends) {
		ok(r.nl.done == 2 && r.nl.error == want, "%s: refused: %s", what, r.nl.reason);
		ok(!test_proved, "nothing is reported");
	} else {
		ok(i.nl.done == 3 && i.nl.error == want, "%s: not begun: %s", what, i.nl.reason);
	}
	ockam_trust_free(&wants.trust);
	side_free(&i);
	side_free(&r);
}

static void test_credentials(void)
{
	uint64_t now = (uint64_t)time(NULL);
	struct authority a, stranger;
	struct ockam_buf c;
	struct side i;

	authority_init(&a, 40);
	authority_init(&stranger, 50);
	side_init(&i, 1, NULL);

	c = authority_issue(&a, side_id(&i), -5, 600);
	credential_case(&a, &c, now + 595, 0, "a good credential");
	credential_case(&a, &c, now - 1, -ENOKEY, "one that the node process says has expired");
	c.data[c.len / 2] ^= 1;
	credential_case(&a, &c, now + 595, -EACCES, "a flipped bit");
	ockam_buf_free(&c);
	credential_case(&a, NULL, 0, -ENOKEY, "none");
	c = authority_issue(&a, side_id(&i), -50, 20);
	credential_case(&a, &c, now + 595, -EACCES, "one that has expired");
	ockam_buf_free(&c);
	c = authority_issue(&stranger, side_id(&i), -5, 600);
	credential_case(&a, &c, now + 595, -EACCES, "another authority's");
	ockam_buf_free(&c);
	c = authority_issue(&a, stranger.identity->identifier, -5, 600);
	credential_case(&a, &c, now + 595, -EACCES, "another identity's");
	ockam_buf_free(&c);

	side_free(&i);
	authority_free(&a);
	authority_free(&stranger);
}

/* Whoever must present a credential and has none is no responder either. */
static void test_bare(void)
{
	struct ockamd_opaque counts = { .has_authority = true };
	struct authority a;
	struct ockam_buf c;
	struct side i, r;

	authority_init(&a, 40);
	side_init(&i, 1, NULL);
	side_init(&r, 5, NULL);
	side_opaque(&r, (struct ockamd_opaque){ .present = true });
	run(&i, &r);
	ok(r.nl.done == 2 && r.nl.error == -ENOKEY, "a responder without: %s", r.nl.reason);
	ok_bytes(i.nl.rx, r.nl.tx, 32, "and tells its peer so");
	side_free(&i);

	/* It comes with no restart. */
	side_init(&i, 1, NULL);
	c = authority_issue(&a, side_id(&r), -5, 600);
	side_present(&r, (uint64_t)time(NULL) + 595, &c);
	side_authority(&i, 5, &a);
	r.nl.done = 0;
	r.nl.sends = 0;
	memcpy(counts.authority, a.identity->identifier, 32);
	side_opaque(&i, counts);
	test_proved = 0;
	run(&i, &r);
	ok(r.nl.done == 1 && i.nl.done == 1, "with one it is");
	ok(test_proved == 1 && i.nl.attributes_len, "the initiator has its attributes");
	ok(!i.nl.expiry, "and goes on without them when they expire");
	ockam_buf_free(&c);
	side_free(&i);
	side_free(&r);
	authority_free(&a);
}

static void refresh_case(struct side *s, const struct ockam_nl_control *control,
			 const struct ockam_buf *credentials, size_t n, unsigned int want,
			 const char *what)
{
	struct ockam_nl_control c = *control;
	struct ockam_piece pieces[3];
	struct ockam_buf body = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		pieces[i] = (struct ockam_piece){ credentials[i].data, credentials[i].len };
	ockam_refresh_build(s->worker.keys[3]->identity, pieces, n, &body, NULL);
	c.body.data = body.data;
	c.body.len = body.len;
	test_refreshed = 0;
	ockamd_exchange_control(&s->worker, &c);
	ok(test_refreshed == want, "%s: %u reported", what, want);
	ockam_buf_free(&body);
}

static void test_refresh(void)
{
	struct ockam_nl_control control = { .encryptor = { 1, "e" }, .peer.present = true };
	static const uint8_t nonsense[] = { 0x82, 1, 2 };
	struct authority a, b, stranger;
	struct ockam_buf c[3] = { 0 }, packet = { 0 };
	struct ockam_reader r;
	struct side s;

	authority_init(&a, 40);
	authority_init(&b, 60);
	authority_init(&stranger, 50);
	side_init(&s, 1, NULL);
	side_authority(&s, 0, &a);
	side_authority(&s, 5, &b);
	memcpy(control.peer.id, side_id(&s), 32);
	c[0] = authority_issue(&a, side_id(&s), -5, 600);
	c[1] = authority_issue(&b, side_id(&s), -5, 600);
	c[2] = authority_issue(&stranger, side_id(&s), -5, 600);
	refresh_case(&s, &control, c, 1, 1, "one of an authority");
	ok_bytes(test_issuer, a.identity->identifier, 32, "of the first one");
	refresh_case(&s, &control, c, 3, 2, "two and a stranger's");
	ok_bytes(test_issuer, b.identity->identifier, 32, "of the second one last");
	refresh_case(&s, &control, &c[2], 1, 0, "a stranger's");
	refresh_case(&s, &control, NULL, 0, 0, "none");
	control.peer.id[0] ^= 1;
	refresh_case(&s, &control, c, 1, 0, "another identity than the channel's peer");
	control.peer.id[0] ^= 1;
	control.body.data = nonsense;
	control.body.len = sizeof(nonsense);
	ockamd_exchange_control(&s.worker, &control);
	ok(!test_refreshed, "nonsense is nothing");

	/* Sent: what is presented now, on a channel that there is. */
	side_present(&s, (uint64_t)time(NULL) + 595, &c[0]);
	ockam_buf_put_uint(&packet, 3);
	ockam_buf_put_bytes(&packet, "e", 1);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_refresh(&s.worker, &r) && s.nl.control_len, "a refresh is sent");
	control.body.data = s.nl.control;
	control.body.len = s.nl.control_len;
	test_refreshed = 0;
	ockamd_exchange_control(&s.worker, &control);
	ok(test_refreshed == 1, "that verifies");
	s.nl.control_len = 0;
	side_present(&s, 0, NULL);
	ockam_reader_init(&r, packet.data, packet.len);
	ok(!ockamd_worker_take_refresh(&s.worker, &r) && !s.nl.control_len,
	   "without a credential nothing is sent");

	for (int i = 0; i < 3; i++)
		ockam_buf_free(&c[i]);
	ockam_buf_free(&packet);
	side_free(&s);
	authority_free(&a);
	authority_free(&b);
	authority_free(&stranger);
}

int main(void)
{
	test_credentials();
	test_bare();
	test_refresh();
	return tap_done();
}
