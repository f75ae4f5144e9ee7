/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What peers have proved: attributes of credentials that verified, in memory
 * and in the store, until they expire; and what follows when a peer refreshes
 * them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_ATTRIBUTES_H
#define OCKAMD_ATTRIBUTES_H

#include "loop.h"
#include "reader.h"
#include "store_credential.h"

#define OCKAMD_ATTRIBUTES_SETS	128
#define OCKAMD_ATTRIBUTES_WAYS	8	/* peers remembered by each set, by first byte */
#define OCKAMD_ATTRIBUTES_MISS_MS	1000	/* how long "nothing is known" is believed */

struct json_object;
struct ockamd_node;

/* until: monotonic milliseconds, of a peer of which nothing is known. */
struct ockamd_attributes_entry {
	bool				used;
	bool				known;
	int64_t				until;
	struct ockam_attributes_record	record;
};

/*
 * The store has all of them (a node in memory has these alone). timer: the
 * next one expires.
 */
struct ockamd_attributes {
	struct ockamd_node		*node;
	struct ockamd_timer		timer;
	struct ockamd_attributes_entry	entries[OCKAMD_ATTRIBUTES_SETS][OCKAMD_ATTRIBUTES_WAYS];
};

/**
 * ockamd_attributes_get() - what a peer has proved and still holds
 * @id: the peer
 * @issuer: who must have attested it
 *
 * Return: borrowed until the next call of this room; NULL when there is nothing.
 */
const struct ockam_attributes_record *
ockamd_attributes_get(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN],
		      const uint8_t issuer[OCKAM_IDENTIFIER_LEN]);

/* Packets of the worker behind their type. */
void ockamd_attributes_proved(struct ockamd_node *node, struct ockam_reader *r);
void ockamd_attributes_refreshed(struct ockamd_node *node, struct ockam_reader *r);

/** ockamd_attributes_describe() - put their_attributes, their_credential of a peer, if any */
void ockamd_attributes_describe(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN],
				const uint8_t *issuer, struct json_object *map);

/** ockamd_attributes_clock() - the clock was set: what has expired by it goes now */
void ockamd_attributes_clock(struct ockamd_node *node);

/** ockamd_attributes_wipe() - forget what is in memory */
void ockamd_attributes_wipe(struct ockamd_node *node);

#endif /* OCKAMD_ATTRIBUTES_H */
