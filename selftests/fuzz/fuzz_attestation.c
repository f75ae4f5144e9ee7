// SPDX-License-Identifier: Apache-2.0
/*
 * Attestations of purpose keys: what verifies under a party's identity was
 * signed by it; what would verify with other signatures keeps the rules of
 * wire-protocol 7.4.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "parties.h"

static bool is_known(const struct ockam_piece *item, const struct fuzz_party *p)
{
	return fuzz_same(item->data, item->len, p->attestation.data, p->attestation.len) ||
	       fuzz_same(item->data, item->len, p->signing.data, p->signing.len);
}

/* The signed bytes and the signature are those of an attestation of @p. */
static bool is_signed_by(const struct ockam_attestation *a, const struct fuzz_party *p)
{
	const struct ockam_buf *made[] = { &p->attestation, &p->signing };

	for (size_t i = 0; i < 2; i++) {
		struct ockam_attestation known;
		struct ockam_reader r;

		ockam_reader_init(&r, made[i]->data, made[i]->len);
		if (!made[i]->len || ockam_attestation_decode(&r, &known, NULL))
			continue;
		if (fuzz_same(a->data.data, a->data.len, known.data.data, known.data.len))
			return true;
	}
	return false;
}

static void check_rules(const struct ockam_attestation *a, const struct ockam_identity *subject,
			uint64_t at)
{
	const struct ockam_change *latest = ockam_identity_latest(subject);

	fuzz_must(!memcmp(a->subject, subject->identifier, 32));
	fuzz_must(!memcmp(a->latest_change, latest->hash, 32));
	fuzz_must(a->created_at >= latest->valid_from && a->expires_at <= latest->valid_until);
	fuzz_must(a->created_at <= at || a->created_at - at <= OCKAM_CLOCK_SKEW);
	fuzz_must(a->expires_at >= at);
}

/* The same item alone, and cut. */
static void check_exact(const struct ockam_piece *item)
{
	uint8_t *copy = fuzz_exact(item->data, item->len);
	struct ockam_attestation again;
	struct ockam_reader r;

	ockam_reader_init(&r, copy, item->len);
	fuzz_must(!ockam_attestation_decode(&r, &again, NULL) && r.pos == r.end);
	free(copy);
	copy = fuzz_exact(item->data, item->len - 1);
	ockam_reader_init(&r, copy, item->len - 1);
	fuzz_must(ockam_attestation_decode(&r, &again, NULL) == -EBADMSG);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t times[] = { FUZZ_NOW, 0, 1767225600, 3000000000, UINT64_MAX };
	struct ockam_attestation a;
	struct ockam_piece item;
	struct ockam_reader r;
	struct ockam_err err;
	uint64_t at;
	uint8_t *copy;

	fuzz_parties_load();
	if (!size)
		return 0;
	fuzz_trusting = data[0] & 1;
	at = times[(data[0] >> 1) % 5];
	copy = fuzz_exact(data + 1, size - 1);
	ockam_reader_init(&r, copy, size - 1);
	if (ockam_attestation_decode(&r, &a, &err)) {
		fuzz_must(err.code == -EBADMSG && err.text[0]);
		goto out;
	}
	fuzz_must(r.pos > copy && r.pos <= copy + size - 1);
	item = (struct ockam_piece){ copy, (size_t)(r.pos - copy) };
	check_exact(&item);
	for (size_t i = 0; i < FUZZ_PARTIES; i++) {
		const struct fuzz_party *p = &fuzz_parties[i];
		int ret = ockam_attestation_verify(&a, p->identity, at, &err);

		fuzz_must(!ret || ret == -EKEYREJECTED || ret == -EKEYEXPIRED);
		if (ret) {
			/* The vectors are good at their time. */
			fuzz_must(at != FUZZ_NOW || !is_known(&item, p));
			continue;
		}
		check_rules(&a, p->identity, at);
		fuzz_must(fuzz_trusting || is_signed_by(&a, p));
	}
out:
	free(copy);
	return 0;
}
