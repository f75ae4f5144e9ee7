// SPDX-License-Identifier: Apache-2.0
/*
 * Credentials: none verifies but the one that was issued; attributes come in
 * order and once each; the rules of wire-protocol 7.5 are kept.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "parties.h"

/* What seeds.py cannot sign: a credential of party 1 about party 0. */
static struct ockam_buf issued;

static void issue(void)
{
	static const struct ockam_attribute attributes[] = {
		{ { (const uint8_t *)"app", 3 }, { (const uint8_t *)"demo", 4 } },
		{ { (const uint8_t *)"ockam-role", 10 }, { (const uint8_t *)"member", 6 } },
	};

	fuzz_parties_load();
	if (!issued.len)
		fuzz_must(!ockam_credential_issue(fuzz_parties[1].signing.data,
						  fuzz_parties[1].signing.len,
						  fuzz_parties[1].seed,
						  fuzz_parties[0].identity->identifier, NULL,
						  attributes, 2, FUZZ_NOW - 5, 3600, &issued,
						  NULL));
}

static int compare(const struct ockam_piece *a, const struct ockam_piece *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->data, b->data, len) : 0;

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static void check_decoded(const struct ockam_credential *c, const uint8_t *data, size_t size)
{
	const struct ockam_attribute *a = c->attributes;

	fuzz_must(c->bytes.data == data && c->bytes.len <= size);
	fuzz_must(c->n_attributes <= OCKAM_CREDENTIAL_ATTRIBUTES_MAX);
	for (size_t i = 1; i < c->n_attributes; i++)
		fuzz_must(compare(&a[i - 1].name, &a[i].name) < 0);
	for (size_t i = 0; i < c->n_attributes; i++) {
		fuzz_must(a[i].name.data >= data && a[i].name.len <= size &&
			  a[i].name.data + a[i].name.len <= data + size);
		fuzz_must(a[i].value.data >= data && a[i].value.len <= size &&
			  a[i].value.data + a[i].value.len <= data + size);
	}
}

/* Again from the bytes that it says it is made of, and from one less. */
static void check_exact(const struct ockam_credential *c)
{
	uint8_t *copy = fuzz_exact(c->bytes.data, c->bytes.len);
	struct ockam_credential *again = malloc(sizeof(*again));
	struct ockam_reader r;

	fuzz_must(again);
	ockam_reader_init(&r, copy, c->bytes.len);
	fuzz_must(!ockam_credential_decode(&r, again, NULL) && r.pos == r.end);
	fuzz_must(again->n_attributes == c->n_attributes);
	free(copy);
	copy = fuzz_exact(c->bytes.data, c->bytes.len - 1);
	ockam_reader_init(&r, copy, c->bytes.len - 1);
	fuzz_must(ockam_credential_decode(&r, again, NULL) == -EBADMSG);
	free(copy);
	free(again);
}

static void check_rules(const struct ockam_credential *c, const uint8_t *subject, uint64_t at)
{
	fuzz_must(c->has_subject && (!subject || !memcmp(c->subject, subject, 32)));
	fuzz_must(c->issuer.purpose == OCKAM_PURPOSE_CREDENTIAL);
	fuzz_must(c->created_at >= c->issuer.created_at && c->expires_at <= c->issuer.expires_at);
	fuzz_must(c->expires_at >= at);
	fuzz_must(c->created_at <= at || c->created_at - at <= OCKAM_CLOCK_SKEW);
}

static void try_verify(const struct ockam_credential *c, uint8_t how)
{
	struct ockam_identity *authorities[2] = {
		fuzz_parties[0].identity, fuzz_parties[1].identity,
	};
	size_t n = (how >> 1) % 3;
	const uint8_t *subject = how & 8 ? fuzz_parties[0].identity->identifier : NULL;
	uint64_t at = how & 16 ? FUZZ_NOW + 100000 : FUZZ_NOW;
	struct ockam_credential known;
	struct ockam_reader r;
	struct ockam_err err;
	int ret;

	ret = ockam_credential_verify(c, subject, authorities, n, at, &err);
	if (ret) {
		fuzz_must(ret == -EKEYREJECTED || ret == -EKEYEXPIRED);
		fuzz_must(err.text[0]);
		return;
	}
	fuzz_must(n);
	check_rules(c, subject, at);
	if (fuzz_trusting)
		return;
	ockam_reader_init(&r, issued.data, issued.len);
	fuzz_must(!ockam_credential_decode(&r, &known, NULL));
	fuzz_must(fuzz_same(c->data.data, c->data.len, known.data.data, known.data.len));
	fuzz_must(fuzz_same(c->issuer.data.data, c->issuer.data.len, known.issuer.data.data,
			    known.issuer.data.len));
}

/* The issued one with some bytes changed: what seeds would give if they could. */
static size_t change_issued(const uint8_t *data, size_t size, uint8_t **out)
{
	struct fuzz_in in = fuzz_begin(data, size);

	*out = fuzz_exact(issued.data, issued.len);
	while (fuzz_left(&in)) {
		size_t at = fuzz_u16(&in) % issued.len;

		(*out)[at] ^= fuzz_u8(&in);
	}
	return issued.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ockam_credential *c;
	struct ockam_reader r;
	struct ockam_err err;
	uint8_t *copy;
	int ret;

	issue();
	if (!size)
		return 0;
	fuzz_trusting = data[0] & 1;
	if (data[0] & 32)
		size = change_issued(data + 1, size - 1, &copy) + 1;
	else
		copy = fuzz_exact(data + 1, size - 1);
	c = malloc(sizeof(*c));
	fuzz_must(c);
	ockam_reader_init(&r, copy, size - 1);
	ret = ockam_credential_decode(&r, c, &err);
	if (ret) {
		fuzz_must((ret == -EBADMSG || ret == -E2BIG) && err.code == ret);
	} else {
		check_decoded(c, copy, size - 1);
		check_exact(c);
		try_verify(c, data[0]);
	}
	free(c);
	free(copy);
	return 0;
}
