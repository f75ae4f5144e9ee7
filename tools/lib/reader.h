/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of CBOR from strangers. Accepts what minicbor accepts (wire-protocol
 * 0.1): integers of any width, definite or indefinite arrays and maps,
 * definite strings only. Strings are handed out as pieces of the input, so
 * signed bytes stay verbatim; nothing is allocated. No recursion; nesting of
 * skipped items is bounded by OCKAM_READER_DEPTH.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_READER_H
#define OCKAM_LIB_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCKAM_READER_DEPTH	32	/* containers inside each other */
#define OCKAM_READER_ENDLESS	UINT64_MAX	/* left of an indefinite container */

/* Input and position; copy it to look ahead. */
struct ockam_reader {
	const uint8_t	*pos;
	const uint8_t	*end;
};

/* A piece of the input; lives as long as the input does. */
struct ockam_piece {
	const uint8_t	*data;
	size_t		len;
};

/* An open array or map: how many elements (pairs) are left. */
struct ockam_reader_list {
	uint64_t	left;	/* OCKAM_READER_ENDLESS until its break byte */
};

void ockam_reader_init(struct ockam_reader *r, const void *data, size_t len);

/*
 * Each takes one item. Return: 0, or -EBADMSG for another type, a value that
 * does not fit, or input that ends too early; the position is then undefined.
 */
int ockam_reader_uint(struct ockam_reader *r, uint64_t max, uint64_t *value);
int ockam_reader_bool(struct ockam_reader *r, bool *value);
int ockam_reader_bytes(struct ockam_reader *r, struct ockam_piece *piece);
int ockam_reader_fixed(struct ockam_reader *r, uint8_t *out, size_t len);
int ockam_reader_text(struct ockam_reader *r, struct ockam_piece *piece);
int ockam_reader_skip(struct ockam_reader *r);

/** ockam_reader_item() - skip one item of any type and hand out its bytes */
int ockam_reader_item(struct ockam_reader *r, struct ockam_piece *piece);

/** ockam_reader_null() - take a null if one is next; true when it was */
bool ockam_reader_null(struct ockam_reader *r);

/* Open an array or map. */
int ockam_reader_array(struct ockam_reader *r, struct ockam_reader_list *list);
int ockam_reader_map(struct ockam_reader *r, struct ockam_reader_list *list);

/**
 * ockam_reader_more() - is there another element (pair)
 *
 * Counts it as taken. Takes the break byte of an indefinite container.
 * Return: 1 yes, 0 no, -EBADMSG when the input ends.
 */
int ockam_reader_more(struct ockam_reader *r, struct ockam_reader_list *list);

/** ockam_reader_close() - skip the elements (@items each) that are left */
int ockam_reader_close(struct ockam_reader *r, struct ockam_reader_list *list,
		       unsigned int items);

/**
 * ockam_reader_variant() - open an enum: definite array of two, index, fields
 * @r: position
 * @index: receives the variant
 * @fields: receives the open array of fields; close it when done
 */
int ockam_reader_variant(struct ockam_reader *r, uint64_t *index,
			 struct ockam_reader_list *fields);

#endif /* OCKAM_LIB_READER_H */
