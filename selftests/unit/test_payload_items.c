// SPDX-License-Identifier: Apache-2.0
/*
 * A handshake payload of an identity that has rotated, with a credential,
 * changed item by item: what is accepted means the same as before.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>

#include "payload.h"
#include "tap.h"

#define NOW	1767225700ULL
#define ITEMS	512

enum { UINT = 0, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5 };

enum edit {
	REMOVE, TWICE, SWAP,		/* the parent's count follows */
	LOST, EXTRA,			/* it does not */
	TO_NULL, TO_UINT, TO_NEGATIVE, TO_BYTES, TO_TEXT, TO_ARRAY, TO_MAP, TO_BREAK,
	WIDE,				/* its count in eight bytes */
	ENDLESS,			/* an array of indefinite length */
	EDITS,
};

static const char *const edit_names[] = {
	"removed", "twice", "swapped with the next", "lost", "one too many", "null", "a number",
	"a negative number", "no bytes", "text", "an empty array", "an empty map", "a break",
	"in its widest form", "of indefinite length",
};

/* What may stand for an item instead. */
static const struct {
	const char	*bytes;
	size_t		len;
} instead[EDITS] = {
	[TO_NULL] = { "\xf6", 1 }, [TO_UINT] = { "\x07", 1 }, [TO_NEGATIVE] = { "\x26", 1 },
	[TO_BYTES] = { "\x40", 1 }, [TO_TEXT] = { "\x61x", 2 }, [TO_ARRAY] = { "\x80", 1 },
	[TO_MAP] = { "\xa0", 1 }, [TO_BREAK] = { "\xff", 1 },
};

/* One CBOR item; those of arrays, maps and byte strings that hold CBOR have children. */
struct item {
	size_t		start, end;	/* with its head */
	size_t		content;	/* behind the head */
	uint64_t	value;
	int		parent;		/* -1: none */
	int		n_children;
	uint8_t		major;
	bool		is_signed;	/* inside a byte string */
};

static struct item items[ITEMS];
static int n_items;
static const uint8_t *original;
static struct ockam_err err;

/* ---- taking apart ---- */

static size_t head_of(size_t at, uint8_t *major, uint64_t *value)
{
	uint8_t info = original[at] & 31;
	size_t bytes = info < 24 ? 0 : (size_t)1 << (info - 24);

	*major = original[at++] >> 5;
	*value = info;
	if (bytes)
		*value = 0;
	while (bytes--)
		*value = *value << 8 | original[at++];
	return at;
}

/* Signed data, or what it wraps; keys, hashes and signatures are no CBOR. */
static bool holds_cbor(size_t at, uint64_t len, int parent)
{
	if (len > 3 && original[at] == 0x83 && original[at + 1] == 1 && original[at + 2] <= 3)
		return true;
	return items[parent].parent >= 0 && items[parent].n_children == 3 &&
	       items[items[parent].parent].major == BYTES;
}

static size_t take(size_t at, int parent, bool is_signed)
{
	int self = n_items++;
	struct item *item = &items[self];
	uint64_t children;

	item->start = at;
	item->parent = parent;
	item->is_signed = is_signed;
	item->content = head_of(at, &item->major, &item->value);
	at = item->content;
	switch (item->major) {
	case ARRAY:
	case MAP:
		children = item->value * (item->major == MAP ? 2 : 1);
		item->n_children = (int)children;
		while (children--)
			at = take(at, self, is_signed);
		break;
	case BYTES:
		if (holds_cbor(at, item->value, parent)) {
			item->n_children = 1;
			take(at, self, true);
		}
		at += item->value;
		break;
	case TEXT:
		at += item->value;
		break;
	}
	item->end = at;
	return at;
}

/* ---- putting together again ---- */

static void put_head(struct ockam_buf *out, uint8_t major, uint64_t value)
{
	struct ockam_buf head = { 0 };

	ockam_buf_put_uint(&head, value);
	head.data[0] |= (uint8_t)(major << 5);
	ockam_buf_put(out, head.data, head.len);
	ockam_buf_free(&head);
}

static void put_wide(struct ockam_buf *out, uint8_t major, uint64_t value)
{
	ockam_buf_put_u8(out, (uint8_t)(major << 5 | 27));
	for (int shift = 56; shift >= 0; shift -= 8)
		ockam_buf_put_u8(out, (uint8_t)(value >> shift));
}

static int next_sibling(int i)
{
	for (int k = i + 1; k < n_items; k++)
		if (items[k].parent == items[i].parent)
			return k;
	return -1;
}

static void put_item(struct ockam_buf *out, int i, int target, enum edit edit);

static void put_children(struct ockam_buf *out, int i, int target, enum edit edit)
{
	for (int k = i + 1; k < n_items; k++) {
		if (items[k].parent != i)
			continue;
		if (k != target) {
			put_item(out, k, target, edit);
			continue;
		}
		switch (edit) {
		case REMOVE:
		case LOST:
			break;
		case TWICE:
		case EXTRA:
			put_item(out, k, -1, edit);
			put_item(out, k, -1, edit);
			break;
		case SWAP:
			put_item(out, next_sibling(k), -1, edit);
			put_item(out, k, -1, edit);
			k = next_sibling(k);
			break;
		default:
			put_item(out, k, k, edit);
		}
	}
}

static void put_item(struct ockam_buf *out, int i, int target, enum edit edit)
{
	const struct item *item = &items[i];
	bool self = i == target, child = target >= 0 && items[target].parent == i;
	struct ockam_buf inside = { 0 };
	uint64_t count = item->value;

	if (self && instead[edit].len) {
		ockam_buf_put(out, instead[edit].bytes, instead[edit].len);
		return;
	}
	if (item->n_children)
		put_children(&inside, i, target, edit);
	else
		ockam_buf_put(&inside, original + item->content, item->end - item->content);
	if (item->major == BYTES)
		count = inside.len;
	else if (child && item->major == ARRAY && (edit == REMOVE || edit == TWICE))
		count += edit == TWICE ? 1 : (uint64_t)-1;
	if (self && edit == ENDLESS)
		ockam_buf_put_u8(out, (uint8_t)(item->major << 5 | 31));
	else if (self && edit == WIDE)
		put_wide(out, item->major, count);
	else if (item->major == 7)
		ockam_buf_put_u8(out, original[item->start]);
	else
		put_head(out, item->major, count);
	ockam_buf_put(out, inside.data, inside.len);
	if (self && edit == ENDLESS)
		ockam_buf_put_u8(out, 0xff);
	ockam_buf_free(&inside);
}

/* Does the edit make sense for this item? */
static bool fits(int i, enum edit edit)
{
	const struct item *item = &items[i];

	switch (edit) {
	case REMOVE:
	case TWICE:
	case LOST:
	case EXTRA:
		return item->parent >= 0;
	case SWAP:
		return item->parent >= 0 && next_sibling(i) >= 0;
	case WIDE:
		return item->major != 7;
	case ENDLESS:
		return item->major == ARRAY;
	default:
		return item->end - item->start != instead[edit].len ||
		       memcmp(original + item->start, instead[edit].bytes, instead[edit].len);
	}
}

/* ---- checks ---- */

static struct ockam_payload_rules rules = { .now = NOW };
static uint8_t key[32];
static struct ockam_peer honest;

/* 1: accepted and means the same, 0: refused as it should be, -1: neither. */
static int judge(const uint8_t *bytes, size_t len)
{
	/* Memory of its own, so that the sanitizer sees its end. */
	uint8_t *copy = malloc(len ? len : 1);
	struct ockam_peer peer;
	int ret, verdict = -1;

	memcpy(copy, bytes, len);
	memset(&err, 0, sizeof(err));
	ret = ockam_payload_verify(copy, len, key, &rules, &peer, &err);
	if (!ret) {
		const struct ockam_change *a = ockam_identity_latest(honest.identity);
		const struct ockam_change *b = ockam_identity_latest(peer.identity);

		/* Without its credential it is the same peer with fewer rights. */
		if (!memcmp(peer.identity->identifier, honest.identity->identifier, 32) &&
		    !memcmp(a->hash, b->hash, sizeof(a->hash)) &&
		    (!peer.has_credential ||
		     (peer.expires_at == honest.expires_at &&
		      peer.attributes.len == honest.attributes.len &&
		      !memcmp(peer.attributes.data, honest.attributes.data, peer.attributes.len))))
			verdict = 1;
		ockam_peer_free(&peer);
	} else if ((ret == -EBADMSG || ret == -EKEYREJECTED || ret == -EKEYEXPIRED ||
		    ret == -E2BIG) && err.code == ret && strlen(err.text) > 10 &&
		   !peer.identity && !peer.attributes.data) {
		verdict = 0;
	}
	free(copy);
	return verdict;
}

static void test_edits(void)
{
	unsigned int accepted[EDITS] = { 0 }, refused[EDITS] = { 0 }, wrong = 0;

	for (int i = 0; i < n_items; i++) {
		for (int edit = 0; edit < EDITS; edit++) {
			struct ockam_buf out = { 0 };
			int verdict;

			if (!fits(i, edit))
				continue;
			put_item(&out, 0, i, edit);
			verdict = judge(out.data, out.len);
			if (verdict < 0) {
				printf("# item %d at byte %zu %s: %s\n", i, items[i].start,
				       edit_names[edit], err.text);
				wrong++;
			}
			/* Other forms of the same number are no change where nothing is signed. */
			if (edit == WIDE && !items[i].is_signed && verdict != 1) {
				printf("# item %d at byte %zu is refused wide: %s\n", i,
				       items[i].start, err.text);
				wrong++;
			}
			accepted[edit] += verdict == 1;
			refused[edit] += verdict == 0;
			ockam_buf_free(&out);
		}
	}
	ok(!wrong, "%d items in %d ways each: what is accepted means the same", n_items, EDITS);
	for (int edit = 0; edit < EDITS; edit++)
		ok(refused[edit], "%s: %u refused, %u accepted", edit_names[edit], refused[edit],
		   accepted[edit]);
}

static void test_bytes(size_t len)
{
	uint8_t *copy = malloc(len);
	unsigned int wrong = 0;

	memcpy(copy, original, len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (judge(copy, len) < 0) {
			printf("# bit %zu of byte %zu: %s\n", bit % 8, bit / 8, err.text);
			wrong++;
		}
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ok(!wrong, "%zu bits: what is accepted means the same", len * 8);
	for (size_t n = wrong = 0; n < len; n++)
		wrong += judge(copy, n) != 0 || err.code != -EBADMSG;
	ok(!wrong, "refused as malformed when cut to any of %zu lengths", len);
	for (size_t n = wrong = 0; n < len; n++) {
		/* One byte missing, and one too many. */
		struct ockam_buf out = { 0 };

		ockam_buf_put(&out, original, n);
		ockam_buf_put(&out, original + n + 1, len - n - 1);
		wrong += judge(out.data, out.len) < 0;
		ockam_buf_free(&out);
		ockam_buf_put(&out, original, n);
		ockam_buf_put(&out, original + (n ? n - 1 : 0), len - (n ? n - 1 : 0));
		wrong += judge(out.data, out.len) < 0;
		ockam_buf_free(&out);
	}
	ok(!wrong, "a byte missing or doubled at any of %zu places", len);
	free(copy);
}

/* ---- the honest one ---- */

static void make(enum ockam_key_kind kind, struct ockam_identity **authority,
		 struct ockam_buf *payload)
{
	struct ockam_attribute attribute = {
		{ (const uint8_t *)"role", 4 }, { (const uint8_t *)"member", 6 },
	};
	struct ockam_buf issuer = { 0 }, credential = { 0 }, attestation = { 0 };
	uint8_t first[32], second[32], third[32], signing[32], x[32];
	struct ockam_identity *young, *identity;
	struct ockam_public_key public;
	struct ockam_piece piece;

	memset(first, 3, 32);
	memset(second, 4, 32);
	memset(third, 5, 32);
	memset(signing, 6, 32);
	memset(x, 7, 32);
	ockam_crypto_x25519_public(x, key);
	ockam_identity_create(kind, first, NOW - 1000, &young, NULL);
	ockam_identity_rotate(young, first, kind, second, NOW - 500, &identity, NULL);
	ockam_identity_create(OCKAM_KEY_ED25519, third, NOW - 1000, authority, NULL);
	ockam_crypto_ed25519_public(signing, &public);
	ockam_attestation_create(*authority, third, OCKAM_PURPOSE_CREDENTIAL, public.bytes,
				 NOW - 400, &issuer, NULL);
	ockam_credential_issue(issuer.data, issuer.len, signing, identity->identifier, NULL,
			       &attribute, 1, NOW - 10, 100, &credential, NULL);
	ockam_attestation_create(identity, second, OCKAM_PURPOSE_CHANNEL, key, NOW - 300,
				 &attestation, NULL);
	piece = (struct ockam_piece){ credential.data, credential.len };
	ockam_payload_build(identity, attestation.data, attestation.len, &piece, 1, payload,
			    NULL);
	ockam_identity_free(young);
	ockam_identity_free(identity);
	ockam_buf_free(&issuer);
	ockam_buf_free(&credential);
	ockam_buf_free(&attestation);
}

static void test_payload(enum ockam_key_kind kind, const char *name)
{
	struct ockam_identity *authority;
	struct ockam_buf payload = { 0 };
	struct ockam_buf again = { 0 };
	size_t end;

	make(kind, &authority, &payload);
	rules.authorities = &authority;
	rules.n_authorities = 1;
	ok_ret(ockam_payload_verify(payload.data, payload.len, key, &rules, &honest, &err), 0,
	       err, "a payload of %zu bytes, keys of %s", payload.len, name);
	ok(honest.has_credential && honest.identity && honest.identity->n_changes == 2,
	   "with two changes and a credential");
	original = payload.data;
	n_items = 0;
	end = take(0, -1, false);
	ok(end == payload.len, "taken apart into %d items", n_items);
	put_item(&again, 0, -1, EDITS);
	ok(again.len == payload.len && !memcmp(again.data, payload.data, again.len),
	   "and put together again");
	test_edits();
	/* Signatures of P-256 take their time, and the bytes around them are the same. */
	if (kind == OCKAM_KEY_ED25519)
		test_bytes(payload.len);
	ockam_buf_free(&again);
	ockam_buf_free(&payload);
	ockam_peer_free(&honest);
	ockam_identity_free(authority);
}

int main(void)
{
	test_payload(OCKAM_KEY_ED25519, "Ed25519");
	test_payload(OCKAM_KEY_P256, "P-256");
	return tap_done();
}
