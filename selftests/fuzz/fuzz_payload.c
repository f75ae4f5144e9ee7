// SPDX-License-Identifier: Apache-2.0
/*
 * What handshake messages and RefreshCredentials carry: a peer is one of the
 * known parties with its own channel key, whatever else the bytes are; an
 * error leaves nothing; credentials of others grant nothing.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "parties.h"
#include "payload.h"

/* What is said to be known of the peer. */
struct memory {
	const struct ockam_buf	*history;
	int			ret;
	bool			asked;
};

static int known(void *arg, const uint8_t id[OCKAM_IDENTIFIER_LEN], const uint8_t **history,
		 size_t *len)
{
	struct memory *m = arg;

	(void)id;
	m->asked = true;
	if (m->ret != 1)
		return m->ret;
	*history = m->history->data;
	*len = m->history->len;
	return 1;
}

static void check_nothing(const struct ockam_peer *peer, int ret, const struct ockam_err *err)
{
	fuzz_must(!peer->identity && !peer->attributes.data && !peer->has_credential);
	fuzz_must(err->code == ret && err->text[0]);
	fuzz_must(ret == -EBADMSG || ret == -ESTALE || ret == -EKEYREJECTED ||
		  ret == -EKEYEXPIRED || ret == -EACCES || ret == -E2BIG || ret == -EAGAIN);
}

/* The attributes are a map that a reader of CBOR finds whole. */
static void check_attributes(const struct ockam_peer *peer)
{
	struct ockam_piece name, value;
	struct ockam_reader_list map;
	struct ockam_reader r;

	fuzz_must(peer->has_credential == !!peer->attributes.len);
	if (!peer->has_credential)
		return;
	ockam_reader_init(&r, peer->attributes.data, peer->attributes.len);
	fuzz_must(!ockam_reader_map(&r, &map));
	while (ockam_reader_more(&r, &map) > 0)
		fuzz_must(!ockam_reader_bytes(&r, &name) && !ockam_reader_bytes(&r, &value));
	fuzz_must(r.pos == r.end);
}

static void check_peer(const struct ockam_peer *peer, const struct ockam_payload_rules *rules,
		       const struct memory *m)
{
	fuzz_must(peer->identity && m->asked && !(peer->is_new && peer->is_newer));
	fuzz_must(peer->is_new == (m->ret == 0));
	fuzz_must(fuzz_trusting || fuzz_is_party(peer->identity));
	if (peer->is_newer)
		fuzz_must(peer->identity->n_changes > 1);
	check_attributes(peer);
	if (!peer->has_credential)
		return;
	fuzz_must(rules->n_authorities);
	/* Nobody has issued one, so without faith there is none. */
	fuzz_must(fuzz_trusting);
	fuzz_must(!memcmp(peer->issuer, rules->authorities[0]->identifier, 32));
	fuzz_must(peer->expires_at >= rules->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ockam_identity *authorities[1];
	struct ockam_payload_rules rules = { .now = FUZZ_NOW, .known = known };
	struct memory m = { 0 };
	struct ockam_trust trust = { 0 };
	const struct fuzz_party *party;
	struct ockam_peer peer;
	struct ockam_err err;
	uint8_t how, *copy;
	int ret;

	fuzz_parties_load();
	if (size < 2)
		return 0;
	fuzz_trusting = data[0] & 1;
	how = data[0] >> 1;
	party = &fuzz_parties[data[1] % 2];
	m.history = &fuzz_parties[data[1] / 2 % FUZZ_PARTIES].history;
	m.ret = data[1] & 64 ? 1 : data[1] & 128 ? -EAGAIN : 0;
	authorities[0] = fuzz_parties[1].identity;
	rules.authorities = authorities;
	rules.n_authorities = how & 1;
	rules.arg = &m;
	rules.trust = &trust;
	if (how & 2)
		fuzz_must(!ockam_trust_add(&trust, fuzz_parties[0].identity->identifier, NULL));
	copy = fuzz_exact(data + 2, size - 2);
	if (how & 4)
		ret = ockam_refresh_verify(copy, size - 2, party->identity->identifier, &rules,
					   &peer, &err);
	else
		ret = ockam_payload_verify(copy, size - 2, party->x25519, &rules, &peer, &err);
	free(copy);
	if (ret) {
		check_nothing(&peer, ret, &err);
	} else {
		check_peer(&peer, &rules, &m);
		fuzz_must(how & 4 || ockam_trust_allows(&trust, peer.identity->identifier));
		if (how & 4 || !fuzz_trusting)
			fuzz_must(!memcmp(peer.identity->identifier,
					  party->identity->identifier, 32));
		ockam_peer_free(&peer);
	}
	ockam_trust_free(&trust);
	return 0;
}
