/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * One item of CBOR, read in the way that is most easily seen to be right: what
 * the readers of module and library are compared with.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_FUZZ_NAIVE_H
#define OCKAM_FUZZ_NAIVE_H

#include "fuzz.h"

/* What a recursive reader says: bytes of the item, or 0 when it is none. */
static size_t naive_item(const uint8_t *p, const uint8_t *end, unsigned int depth,
			 unsigned int *deepest);

static size_t naive_head(const uint8_t *p, const uint8_t *end, uint64_t *arg, bool *endless)
{
	unsigned int info, width;

	*endless = false;
	if (p == end)
		return 0;
	info = *p & 31;
	*arg = info;
	if (info < 24)
		return 1;
	if (info == 31) {
		*endless = true;
		*arg = 0;
		return 1;
	}
	if (info > 27)
		return 0;
	width = 1u << (info - 24);
	if ((size_t)(end - p) < 1 + width)
		return 0;
	*arg = 0;
	for (unsigned int i = 1; i <= width; i++)
		*arg = *arg << 8 | p[i];
	return 1 + width;
}

/* @count items, or until a break when @endless; in steps of @step. */
static size_t naive_items(const uint8_t *start, const uint8_t *end, uint64_t count, bool endless,
			  unsigned int step, int chunk, unsigned int depth,
			  unsigned int *deepest)
{
	const uint8_t *p = start;

	for (uint64_t n = 0; endless || n < count; n++) {
		if (endless && p < end && *p == 0xff)
			return (size_t)(p + 1 - start);
		for (unsigned int i = 0; i < step; i++) {
			size_t len;

			if (p == end || (chunk >= 0 && (*p >> 5 != chunk || (*p & 31) == 31)))
				return SIZE_MAX;
			len = naive_item(p, end, depth, deepest);
			if (!len)
				return SIZE_MAX;
			p += len;
		}
	}
	return (size_t)(p - start);
}

static size_t naive_item(const uint8_t *p, const uint8_t *end, unsigned int depth,
			 unsigned int *deepest)
{
	size_t head, inside;
	bool endless;
	uint64_t arg;
	int major;

	/* Deeper than anybody promises to follow. */
	if (depth > 200)
		return 0;
	if (depth > *deepest)
		*deepest = depth;
	head = naive_head(p, end, &arg, &endless);
	if (!head)
		return 0;
	major = *p >> 5;
	if (endless && (major < 2 || major > 5))
		return 0;
	p += head;
	switch (major) {
	case 2:
	case 3:
		if (endless) {
			inside = naive_items(p, end, 0, true, 1, major, depth + 1, deepest);
			break;
		}
		if (arg > (uint64_t)(end - p))
			return 0;
		inside = (size_t)arg;
		break;
	case 4:
		inside = naive_items(p, end, arg, endless, 1, -1, depth + 1, deepest);
		break;
	case 5:
		inside = naive_items(p, end, arg, endless, 2, -1, depth + 1, deepest);
		break;
	case 6:
		inside = naive_items(p, end, 1, false, 1, -1, depth + 1, deepest);
		break;
	default:
		inside = 0;
	}
	return inside == SIZE_MAX ? 0 : head + inside;
}

#endif /* OCKAM_FUZZ_NAIVE_H */
