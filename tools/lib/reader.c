// SPDX-License-Identifier: Apache-2.0
/*
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <string.h>

#include "reader.h"

enum {
	OCKAM_READER_UINT	= 0,
	OCKAM_READER_NEGATIVE	= 1,
	OCKAM_READER_BYTES	= 2,
	OCKAM_READER_TEXT	= 3,
	OCKAM_READER_ARRAY	= 4,
	OCKAM_READER_MAP	= 5,
	OCKAM_READER_TAG	= 6,
	OCKAM_READER_SIMPLE	= 7,
};

#define OCKAM_READER_BREAK	0xff
#define OCKAM_READER_NULL	0xf6

/* The head of one item. endless: indefinite length; value is then 0. */
struct ockam_reader_head {
	uint8_t		major;
	uint8_t		info;
	bool		endless;
	uint64_t	value;
};

void ockam_reader_init(struct ockam_reader *r, const void *data, size_t len)
{
	r->pos = data;
	r->end = r->pos ? r->pos + len : NULL;
}

static size_t ockam_reader_left(const struct ockam_reader *r)
{
	return (size_t)(r->end - r->pos);
}

static int ockam_reader_head(struct ockam_reader *r, struct ockam_reader_head *head)
{
	size_t bytes;

	if (!ockam_reader_left(r))
		return -EBADMSG;
	head->major = *r->pos >> 5;
	head->info = *r->pos & 31;
	head->endless = false;
	head->value = head->info;
	r->pos++;
	if (head->info < 24)
		return 0;
	if (head->info == 31) {
		head->endless = true;
		head->value = 0;
		return 0;
	}
	if (head->info > 27)
		return -EBADMSG;
	bytes = (size_t)1 << (head->info - 24);
	if (ockam_reader_left(r) < bytes)
		return -EBADMSG;
	head->value = 0;
	while (bytes--)
		head->value = head->value << 8 | *r->pos++;
	return 0;
}

/* Take a head of type @major that has a length of its own. */
static int ockam_reader_expect(struct ockam_reader *r, uint8_t major, uint64_t *value)
{
	struct ockam_reader_head head;
	int ret = ockam_reader_head(r, &head);

	if (ret)
		return ret;
	if (head.major != major || head.endless)
		return -EBADMSG;
	*value = head.value;
	return 0;
}

int ockam_reader_uint(struct ockam_reader *r, uint64_t max, uint64_t *value)
{
	int ret = ockam_reader_expect(r, OCKAM_READER_UINT, value);

	return ret ? ret : *value > max ? -EBADMSG : 0;
}

int ockam_reader_bool(struct ockam_reader *r, bool *value)
{
	if (!ockam_reader_left(r) || (*r->pos != 0xf4 && *r->pos != 0xf5))
		return -EBADMSG;
	*value = *r->pos++ == 0xf5;
	return 0;
}

static int ockam_reader_string(struct ockam_reader *r, uint8_t major, struct ockam_piece *piece)
{
	uint64_t len;
	int ret = ockam_reader_expect(r, major, &len);

	if (ret)
		return ret;
	if (len > ockam_reader_left(r))
		return -EBADMSG;
	piece->data = r->pos;
	piece->len = (size_t)len;
	r->pos += len;
	return 0;
}

int ockam_reader_bytes(struct ockam_reader *r, struct ockam_piece *piece)
{
	return ockam_reader_string(r, OCKAM_READER_BYTES, piece);
}

int ockam_reader_text(struct ockam_reader *r, struct ockam_piece *piece)
{
	return ockam_reader_string(r, OCKAM_READER_TEXT, piece);
}

int ockam_reader_fixed(struct ockam_reader *r, uint8_t *out, size_t len)
{
	struct ockam_piece piece;
	int ret = ockam_reader_bytes(r, &piece);

	if (ret)
		return ret;
	if (piece.len != len)
		return -EBADMSG;
	memcpy(out, piece.data, len);
	return 0;
}

bool ockam_reader_null(struct ockam_reader *r)
{
	if (!ockam_reader_left(r) || *r->pos != OCKAM_READER_NULL)
		return false;
	r->pos++;
	return true;
}

static int ockam_reader_open(struct ockam_reader *r, uint8_t major,
			     struct ockam_reader_list *list)
{
	struct ockam_reader_head head;
	int ret = ockam_reader_head(r, &head);

	if (ret)
		return ret;
	if (head.major != major)
		return -EBADMSG;
	/* Each element takes at least one byte: no count can be a lie for long. */
	if (!head.endless && head.value > ockam_reader_left(r))
		return -EBADMSG;
	list->left = head.endless ? OCKAM_READER_ENDLESS : head.value;
	return 0;
}

int ockam_reader_array(struct ockam_reader *r, struct ockam_reader_list *list)
{
	return ockam_reader_open(r, OCKAM_READER_ARRAY, list);
}

int ockam_reader_map(struct ockam_reader *r, struct ockam_reader_list *list)
{
	return ockam_reader_open(r, OCKAM_READER_MAP, list);
}

int ockam_reader_more(struct ockam_reader *r, struct ockam_reader_list *list)
{
	if (list->left != OCKAM_READER_ENDLESS) {
		if (!list->left)
			return 0;
		list->left--;
		return 1;
	}
	if (!ockam_reader_left(r))
		return -EBADMSG;
	if (*r->pos != OCKAM_READER_BREAK)
		return 1;
	r->pos++;
	list->left = 0;
	return 0;
}

int ockam_reader_close(struct ockam_reader *r, struct ockam_reader_list *list,
		       unsigned int items)
{
	int ret;

	while ((ret = ockam_reader_more(r, list)) > 0)
		for (unsigned int i = 0; i < items; i++)
			if (ockam_reader_skip(r))
				return -EBADMSG;
	return ret;
}

int ockam_reader_variant(struct ockam_reader *r, uint64_t *index,
			 struct ockam_reader_list *fields)
{
	uint64_t count;
	int ret = ockam_reader_expect(r, OCKAM_READER_ARRAY, &count);

	if (ret)
		return ret;
	if (count != 2)
		return -EBADMSG;
	ret = ockam_reader_uint(r, UINT32_MAX, index);
	return ret ? ret : ockam_reader_array(r, fields);
}

/*
 * What is still open around a skipped item: elements left, or an indefinite
 * container that ends with a break (chunk: of which type its parts must be;
 * pairs: it is a map, half: a value is missing).
 */
struct ockam_reader_level {
	uint64_t	left;
	uint8_t		chunk;
	bool		pairs;
	bool		half;
};

#define OCKAM_READER_ANY	8	/* chunk: no string */

/* Skip one head; push what it opens. Return: 1 pushed, 0 complete, negative. */
static int ockam_reader_skip_head(struct ockam_reader *r, uint8_t chunk,
				  struct ockam_reader_level *next)
{
	struct ockam_reader_head head;
	int ret = ockam_reader_head(r, &head);

	if (ret)
		return ret;
	if (chunk != OCKAM_READER_ANY && (head.major != chunk || head.endless))
		return -EBADMSG;
	next->chunk = OCKAM_READER_ANY;
	next->pairs = head.endless && head.major == OCKAM_READER_MAP;
	next->half = false;
	next->left = head.endless ? OCKAM_READER_ENDLESS : head.value;
	switch (head.major) {
	case OCKAM_READER_BYTES:
	case OCKAM_READER_TEXT:
		if (head.endless) {
			next->chunk = head.major;
			return 1;
		}
		if (head.value > ockam_reader_left(r))
			return -EBADMSG;
		r->pos += head.value;
		return 0;
	case OCKAM_READER_MAP:
		if (!head.endless && head.value > ockam_reader_left(r))
			return -EBADMSG;
		if (!head.endless)
			next->left *= 2;
		return 1;
	case OCKAM_READER_ARRAY:
		if (!head.endless && head.value > ockam_reader_left(r))
			return -EBADMSG;
		return 1;
	case OCKAM_READER_TAG:
		next->left = 1;
		return head.endless ? -EBADMSG : 1;
	default:
		return head.endless ? -EBADMSG : 0;
	}
}

int ockam_reader_skip(struct ockam_reader *r)
{
	struct ockam_reader_level levels[OCKAM_READER_DEPTH + 1];
	unsigned int depth = 0;

	levels[0].left = 1;
	levels[0].chunk = OCKAM_READER_ANY;
	levels[0].pairs = false;
	for (;;) {
		struct ockam_reader_level next;
		struct ockam_reader_list list = { .left = levels[depth].left };
		int ret = ockam_reader_more(r, &list);

		if (ret < 0)
			return ret;
		levels[depth].left = list.left;
		if (!ret) {
			if (levels[depth].pairs && levels[depth].half)
				return -EBADMSG;
			if (!depth--)
				return 0;
			continue;
		}
		if (levels[depth].pairs)
			levels[depth].half = !levels[depth].half;
		ret = ockam_reader_skip_head(r, levels[depth].chunk, &next);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		if (depth == OCKAM_READER_DEPTH)
			return -EBADMSG;
		levels[++depth] = next;
	}
}

int ockam_reader_item(struct ockam_reader *r, struct ockam_piece *piece)
{
	const uint8_t *start = r->pos;
	int ret = ockam_reader_skip(r);

	if (ret)
		return ret;
	piece->data = start;
	piece->len = (size_t)(r->pos - start);
	return 0;
}
