// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes of peers.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare.h"
#include "hex.h"
#include "log.h"
#include "node.h"

#define OCKAMD_ATTRIBUTES_LATE_MS	1000	/* the clock of the loop is another one */
#define OCKAMD_ATTRIBUTES_LOOK_S	3600	/* at least so often, whatever the clock does */

static uint64_t ockamd_attributes_now(void)
{
	return (uint64_t)time(NULL);
}

/* ---- memory -------------------------------------------------------------------- */

static void ockamd_attributes_drop(struct ockamd_attributes_entry *entry)
{
	ockam_attributes_record_free(&entry->record);
	memset(entry, 0, sizeof(*entry));
}

static struct ockamd_attributes_entry *ockamd_attributes_find(struct ockamd_node *node,
							      const uint8_t *id)
{
	struct ockamd_attributes_entry *set;
	size_t i;

	set = node->attributes.entries[id[0] % OCKAMD_ATTRIBUTES_SETS];
	for (i = 0; i < OCKAMD_ATTRIBUTES_WAYS; i++)
		if (set[i].used && !memcmp(set[i].record.subject, id, OCKAM_IDENTIFIER_LEN))
			return &set[i];
	return NULL;
}

/* Of two that could go: what is not known goes first, then what ends first. */
static bool ockamd_attributes_goes_before(const struct ockamd_attributes_entry *a,
					  const struct ockamd_attributes_entry *b)
{
	if (a->used != b->used)
		return !a->used;
	if (a->known != b->known)
		return !a->known;
	return a->known ? a->record.expires_at < b->record.expires_at : a->until < b->until;
}

/* An empty entry for @id; that of another peer may have to go. */
static struct ockamd_attributes_entry *ockamd_attributes_slot(struct ockamd_node *node,
							      const uint8_t *id)
{
	struct ockamd_attributes_entry *entry = ockamd_attributes_find(node, id);
	struct ockamd_attributes_entry *set;
	size_t i;

	set = node->attributes.entries[id[0] % OCKAMD_ATTRIBUTES_SETS];
	if (!entry) {
		entry = &set[0];
		for (i = 1; i < OCKAMD_ATTRIBUTES_WAYS; i++)
			if (ockamd_attributes_goes_before(&set[i], entry))
				entry = &set[i];
	}
	ockamd_attributes_drop(entry);
	entry->used = true;
	memcpy(entry->record.subject, id, OCKAM_IDENTIFIER_LEN);
	return entry;
}

/* ---- the end of their time -------------------------------------------------------- */

/* Channels that go on without the attributes that their peers had. */
struct ockamd_attributes_walk {
	struct ockamd_node	*node;
	struct ockam_nl_name	*found;
	size_t			n_found;
	size_t			room;
};

static bool ockamd_attributes_ended(const struct ockamd_attributes_entry *entry, uint64_t now)
{
	return entry->known && entry->record.expires_at < now;
}

static int ockamd_attributes_visit(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_attributes_walk *walk = arg;
	struct ockamd_attributes_entry *entry;
	struct ockam_nl_name *found;

	entry = ockamd_attributes_find(walk->node, channel->peer.id);
	if (!entry || !ockamd_attributes_ended(entry, ockamd_attributes_now()))
		return 0;
	if (walk->n_found == walk->room) {
		walk->room = walk->room ? 2 * walk->room : 16;
		found = reallocarray(walk->found, walk->room, sizeof(*found));
		if (!found)
			return -ENOMEM;
		walk->found = found;
	}
	walk->found[walk->n_found++] = channel->encryptor;
	return 0;
}

static void ockamd_attributes_sweep(struct ockamd_node *node)
{
	struct ockamd_attributes_walk walk = { .node = node };
	struct ockam_nl_channel_set set = { .attributes.data = (const uint8_t *)"" };
	struct ockam_err err;
	size_t i;

	if (ockam_nl_channel_dump(node->nl, ockamd_attributes_visit, &walk, &err) < 0)
		ockamd_warn("cannot look for channels whose peers' credentials have expired: %s",
			    err.text);
	for (i = 0; i < walk.n_found; i++) {
		set.encryptor = walk.found[i];
		ockam_nl_channel_set(node->nl, &set, NULL);
	}
	free(walk.found);
}

/* Wait for the next one that expires. */
static void ockamd_attributes_wait(struct ockamd_node *node)
{
	struct ockamd_attributes *a = &node->attributes;
	struct ockamd_attributes_entry *entry = a->entries[0];
	uint64_t now = ockamd_attributes_now();
	uint64_t next = UINT64_MAX;
	uint64_t left;
	size_t i;

	for (i = 0; i < OCKAMD_ATTRIBUTES_SETS * OCKAMD_ATTRIBUTES_WAYS; i++, entry++)
		if (entry->known && entry->record.expires_at < next)
			next = entry->record.expires_at;
	if (next == UINT64_MAX)
		return;
	left = next > now ? next - now : 0;
	if (left > OCKAMD_ATTRIBUTES_LOOK_S)
		left = OCKAMD_ATTRIBUTES_LOOK_S;
	ockamd_loop_arm(&node->loop, &a->timer, (int64_t)left * 1000 + OCKAMD_ATTRIBUTES_LATE_MS);
}

static void ockamd_attributes_due(struct ockamd_timer *timer)
{
	struct ockamd_attributes *a = (struct ockamd_attributes *)
		((char *)timer - offsetof(struct ockamd_attributes, timer));
	struct ockamd_attributes_entry *entry = a->entries[0];
	uint64_t now = ockamd_attributes_now();
	bool some = false;
	size_t i;

	for (i = 0; i < OCKAMD_ATTRIBUTES_SETS * OCKAMD_ATTRIBUTES_WAYS; i++)
		some |= ockamd_attributes_ended(&entry[i], now);
	if (some) {
		ockamd_debug("credentials of peers have expired, their attributes are forgotten");
		ockamd_attributes_sweep(a->node);
	}
	for (i = 0; i < OCKAMD_ATTRIBUTES_SETS * OCKAMD_ATTRIBUTES_WAYS; i++)
		if (ockamd_attributes_ended(&entry[i], now))
			ockamd_attributes_drop(&entry[i]);
	ockamd_attributes_wait(a->node);
}

void ockamd_attributes_clock(struct ockamd_node *node)
{
	/* Without a node nothing was ever known. */
	if (node->attributes.node)
		ockamd_attributes_due(&node->attributes.timer);
}

/* ---- put and get ------------------------------------------------------------------- */

/* Takes over what @record holds. */
static void ockamd_attributes_remember(struct ockamd_node *node,
				       struct ockam_attributes_record *record)
{
	struct ockamd_attributes_entry *entry = ockamd_attributes_slot(node, record->subject);

	entry->record = *record;
	entry->known = true;
	memset(record, 0, sizeof(*record));
	node->attributes.node = node;
	node->attributes.timer.fn = ockamd_attributes_due;
	ockamd_attributes_wait(node);
}

/* What was proved, if it has left memory: on its way to the store, or there. */
static int ockamd_attributes_fetch(struct ockamd_node *node, const uint8_t *id, uint64_t now,
				   struct ockam_attributes_record *record)
{
	const struct ockam_attributes_record *waiting = ockamd_learn_proved(node, id);

	if (!waiting || waiting->expires_at < now)
		return ockam_store_attributes_get(node->store, node->options->name, id, NULL, now,
						  record, NULL);
	*record = *waiting;
	memset(&record->attributes, 0, sizeof(record->attributes));
	ockam_buf_put(&record->attributes, waiting->attributes.data, waiting->attributes.len);
	return record->attributes.failed ? -ENOMEM : 0;
}

const struct ockam_attributes_record *
ockamd_attributes_get(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN],
		      const uint8_t issuer[OCKAM_IDENTIFIER_LEN])
{
	struct ockamd_attributes_entry *entry = ockamd_attributes_find(node, id);
	struct ockam_attributes_record record;
	uint64_t now = ockamd_attributes_now();

	if (!entry && node->claimed) {
		if (!ockamd_attributes_fetch(node, id, now, &record)) {
			ockamd_attributes_remember(node, &record);
			entry = ockamd_attributes_find(node, id);
		} else {
			entry = ockamd_attributes_slot(node, id);
			entry->until = ockamd_loop_now() + OCKAMD_ATTRIBUTES_MISS_MS;
		}
	}
	if (entry && !entry->known && entry->until <= ockamd_loop_now()) {
		ockamd_attributes_drop(entry);
		return ockamd_attributes_get(node, id, issuer);
	}
	if (!entry || !entry->known || entry->record.expires_at < now ||
	    memcmp(entry->record.issuer, issuer, OCKAM_IDENTIFIER_LEN))
		return NULL;
	return &entry->record;
}

static void ockamd_attributes_put(struct ockamd_node *node, struct ockam_attributes_record *record)
{
	const struct ockam_attributes_record *known;

	/* The same credential again, as with every channel of that peer. */
	known = ockamd_attributes_get(node, record->subject, record->issuer);
	if (known && known->expires_at == record->expires_at &&
	    known->attributes.len == record->attributes.len &&
	    !memcmp(known->attributes.data, record->attributes.data, record->attributes.len)) {
		ockam_attributes_record_free(record);
		return;
	}
	if (node->claimed)
		ockamd_learn_attributes(node, record);
	ockamd_attributes_remember(node, record);
}

void ockamd_attributes_wipe(struct ockamd_node *node)
{
	struct ockamd_attributes_entry *entry = node->attributes.entries[0];
	size_t i;

	ockamd_loop_disarm(&node->attributes.timer);
	for (i = 0; i < OCKAMD_ATTRIBUTES_SETS * OCKAMD_ATTRIBUTES_WAYS; i++)
		ockamd_attributes_drop(&entry[i]);
}

/* ---- what the worker reports ----------------------------------------------------------- */

static int ockamd_attributes_read(struct ockam_reader *r, struct ockam_attributes_record *record)
{
	struct ockam_piece map;

	memset(record, 0, sizeof(*record));
	if (ockam_reader_fixed(r, record->subject, sizeof(record->subject)) ||
	    ockam_reader_fixed(r, record->issuer, sizeof(record->issuer)) ||
	    ockam_reader_uint(r, UINT64_MAX, &record->expires_at) || ockam_reader_bytes(r, &map) ||
	    map.len > OCKAM_ATTRIBUTES_MAX)
		return -EBADMSG;
	record->added_at = ockamd_attributes_now();
	ockam_buf_put(&record->attributes, map.data, map.len);
	return record->attributes.failed ? -ENOMEM : 0;
}

void ockamd_attributes_proved(struct ockamd_node *node, struct ockam_reader *r)
{
	struct ockam_attributes_record record;

	if (!ockamd_attributes_read(r, &record))
		ockamd_attributes_put(node, &record);
}

/* Facts of the channel on which a refresh came. */
struct ockamd_attributes_look {
	struct ockamd_node	*node;
	const struct ockam_trust *trust;
	uint64_t		expiry;
	uint8_t			peer[OCKAM_IDENTIFIER_LEN];
};

static int ockamd_attributes_look(void *arg, const struct ockam_nl_channel *channel)
{
	struct ockamd_attributes_look *look = arg;

	look->trust = ockamd_channel_rule(look->node, channel);
	look->expiry = channel->expiry;
	memcpy(look->peer, channel->peer.id, sizeof(look->peer));
	return 0;
}

/* Does a verified credential count on its channel? Judged by the rule of now. */
static int ockamd_attributes_count(struct ockamd_node *node,
				   const struct ockamd_attributes_look *look,
				   const struct ockam_attributes_record *record,
				   struct ockam_err *err)
{
	struct ockam_subject subject = {
		.identifier = record->subject,
		.has_credential = true,
		.issuer = record->issuer,
		.attributes = { record->attributes.data, record->attributes.len },
	};
	const uint8_t *counts = ockamd_rule_counts(node, look->trust);

	if (memcmp(look->peer, record->subject, sizeof(look->peer)))
		return ockam_err_set(err, -EKEYREJECTED, "it is about another identity");
	if (!counts || memcmp(counts, record->issuer, OCKAM_IDENTIFIER_LEN))
		return ockam_err_set(err, -EKEYREJECTED, "its issuer does not count there");
	return look->trust ? ockam_trust_admits(look->trust, &subject, err) : 0;
}

void ockamd_attributes_refreshed(struct ockamd_node *node, struct ockam_reader *r)
{
	struct ockamd_attributes_look look = { .node = node };
	struct ockam_nl_channel_set set = { 0 };
	struct ockam_attributes_record record;
	char address[OCKAMD_NAME_TEXT];
	struct ockam_piece encryptor;
	struct ockam_err err;

	if (ockam_reader_bytes(r, &encryptor) || !encryptor.len ||
	    encryptor.len > OCKAM_ADDR_MAX_LEN || ockamd_attributes_read(r, &record))
		return;
	set.encryptor.len = (uint8_t)encryptor.len;
	memcpy(set.encryptor.bytes, encryptor.data, encryptor.len);
	ockamd_link_name_text(&set.encryptor, address);
	if (ockam_nl_channel_get(node->nl, encryptor.data, encryptor.len, ockamd_attributes_look,
				 &look, &err)) {
		/* It has ended meanwhile. */
		ockam_attributes_record_free(&record);
		return;
	}
	if (ockamd_attributes_count(node, &look, &record, &err)) {
		ockamd_info("channel %s: a refreshed credential does not count: %s", address,
			    err.text);
		ockam_attributes_record_free(&record);
		return;
	}
	/*
	 * A channel that does not depend on its peer's credential has no expiry. One
	 * that does lives longer only by the rule that it was admitted by.
	 */
	set.set_expiry = look.expiry && look.trust;
	set.expiry = record.expires_at;
	set.attributes.data = record.attributes.data;
	set.attributes.len = record.attributes.len;
	if (ockam_nl_channel_set(node->nl, &set, &err))
		ockamd_warn("channel %s: cannot refresh the peer's credential: %s", address,
			    err.text);
	else
		ockamd_info("channel %s: the peer has refreshed its credential", address);
	ockamd_attributes_put(node, &record);
}

/* ---- for people -------------------------------------------------------------------------- */

/* Text as it is; in hexadecimal what is none, or would be cut at a zero byte. */
static char *ockamd_attributes_text(const struct ockam_piece *piece)
{
	char *text = malloc(2 * piece->len + 1);

	if (text && ockam_bare_is_text(piece) && !memchr(piece->data, '\0', piece->len)) {
		memcpy(text, piece->data, piece->len);
		text[piece->len] = '\0';
	} else if (text) {
		ockam_hex_encode(piece->data, piece->len, text);
	}
	return text;
}

static struct json_object *ockamd_attributes_map(const struct ockam_buf *attributes)
{
	struct json_object *map = json_object_new_object();
	struct ockam_piece name, value;
	struct ockam_reader_list list;
	struct ockam_reader r;
	char *key, *text;

	ockam_reader_init(&r, attributes->data, attributes->len);
	if (ockam_reader_map(&r, &list))
		return map;
	while (ockam_reader_more(&r, &list) > 0 && !ockam_reader_bytes(&r, &name) &&
	       !ockam_reader_bytes(&r, &value)) {
		key = ockamd_attributes_text(&name);
		text = ockamd_attributes_text(&value);
		if (key && text)
			ockam_value_put_text(map, key, text);
		free(key);
		free(text);
	}
	return map;
}

void ockamd_attributes_describe(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN],
				const uint8_t *issuer, struct json_object *map)
{
	const struct ockam_attributes_record *record;
	char text[OCKAM_IDENTIFIER_TEXT];
	struct json_object *credential;

	record = issuer ? ockamd_attributes_get(node, id, issuer) : NULL;
	if (!record)
		return;
	credential = json_object_new_object();
	ockam_identifier_format(record->issuer, text);
	ockam_value_put_text(credential, "issuer", text);
	ockam_value_put_int(credential, "expires_at", (int64_t)record->expires_at);
	ockam_value_put(map, "their_credential", credential);
	ockam_value_put(map, "their_attributes", ockamd_attributes_map(&record->attributes));
}
