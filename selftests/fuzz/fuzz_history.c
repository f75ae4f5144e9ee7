// SPDX-License-Identifier: Apache-2.0
/*
 * Change histories: what verifies is a party's; what would verify with other
 * signatures keeps the rules of wire-protocol 7.3, checked here once more, and
 * decodes again to the same.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "parties.h"
#include "reader.h"

static void check_rules(const struct ockam_identity *identity)
{
	struct ockam_reader_list list, change;
	struct ockam_piece data;
	uint8_t hash[32];
	struct ockam_reader r;

	fuzz_must(identity->n_changes && identity->n_changes <= OCKAM_CHANGES_MAX);
	fuzz_must(identity->history_len <= OCKAM_HISTORY_MAX);
	fuzz_must(!memcmp(identity->identifier, identity->changes[0].hash, 32));
	ockam_reader_init(&r, identity->history, identity->history_len);
	fuzz_must(!ockam_reader_array(&r, &list));
	for (size_t i = 0; i < identity->n_changes; i++) {
		const struct ockam_change *c = &identity->changes[i];

		fuzz_must(ockam_reader_more(&r, &list) == 1);
		fuzz_must(!ockam_reader_array(&r, &change) &&
			  ockam_reader_more(&r, &change) == 1 &&
			  !ockam_reader_bytes(&r, &data) &&
			  !ockam_reader_close(&r, &change, 1));
		fuzz_must(!ockam_crypto_sha256(data.data, data.len, NULL, 0, hash));
		fuzz_must(!memcmp(hash, c->hash, 32));
		fuzz_must(!i || c->valid_from >= c[-1].valid_from);
		/* The hash of the one before is in the signed bytes, of the first it is not. */
		if (i)
			fuzz_must(memmem(data.data, data.len, c[-1].hash, 32));
	}
	fuzz_must(!ockam_reader_more(&r, &list) && r.pos == r.end);
}

static void check_again(const struct ockam_identity *identity)
{
	uint8_t *copy = fuzz_exact(identity->history, identity->history_len);
	struct ockam_identity *again;

	fuzz_must(!ockam_identity_decode(copy, identity->history_len, &again, NULL));
	free(copy);
	fuzz_must(again->n_changes == identity->n_changes);
	fuzz_must(!memcmp(again->changes, identity->changes,
			  again->n_changes * sizeof(*again->changes)));
	fuzz_must(ockam_identity_compare(identity, again) == OCKAM_HISTORY_EQUAL);
	ockam_identity_free(again);
}

/* Order against the parties is the same from both sides. */
static void check_order(const struct ockam_identity *identity)
{
	static const enum ockam_history_order reverse[] = {
		[OCKAM_HISTORY_EQUAL] = OCKAM_HISTORY_EQUAL,
		[OCKAM_HISTORY_NEWER] = OCKAM_HISTORY_OLDER,
		[OCKAM_HISTORY_OLDER] = OCKAM_HISTORY_NEWER,
		[OCKAM_HISTORY_CONFLICT] = OCKAM_HISTORY_CONFLICT,
	};

	for (size_t i = 0; i < FUZZ_PARTIES; i++) {
		const struct ockam_identity *party = fuzz_parties[i].identity;

		fuzz_must(ockam_identity_compare(party, identity) ==
			  reverse[ockam_identity_compare(identity, party)]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ockam_identity *identity;
	struct ockam_err err;
	uint8_t *copy;
	int ret;

	fuzz_parties_load();
	if (!size)
		return 0;
	fuzz_trusting = data[0] & 1;
	copy = fuzz_exact(data + 1, size - 1);
	ret = ockam_identity_decode(copy, size - 1, &identity, &err);
	free(copy);
	if (ret) {
		fuzz_must(!identity && err.code == ret && err.text[0]);
		fuzz_must(ret == -EBADMSG || ret == -EKEYREJECTED || ret == -E2BIG);
		return 0;
	}
	check_rules(identity);
	check_again(identity);
	check_order(identity);
	fuzz_must(fuzz_trusting || fuzz_is_party(identity));
	ockam_identity_free(identity);
	return 0;
}
