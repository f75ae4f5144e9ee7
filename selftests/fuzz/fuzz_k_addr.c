// SPDX-License-Identifier: GPL-2.0
/*
 * Routes of the module against a plain list of hops: every operation in every
 * order, and the packed form of strangers.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "addr.h"
#include "fuzz.h"

/* The same route, kept in the simplest way. */
struct model {
	unsigned int	hops;
	size_t		len;		/* bytes in packed form */
	uint8_t		type[OCKAM_ROUTE_MAX_HOPS];
	uint8_t		size[OCKAM_ROUTE_MAX_HOPS];
	uint8_t		name[OCKAM_ROUTE_MAX_HOPS][OCKAM_ADDR_MAX_LEN];
};

static void check_same(const struct ockam_route *r, const struct model *m)
{
	struct ockam_hop hop, last = {};
	unsigned int n = 0;
	bool more;

	fuzz_must(r->hops == m->hops && r->len == m->len);
	fuzz_must(ockam_route_check(ockam_route_bytes(r), r->len) == (int)m->hops);
	for (more = ockam_route_first(r, &hop); more; more = ockam_route_next(r, &hop)) {
		fuzz_must(n < m->hops);
		fuzz_must(hop.type == m->type[n]);
		fuzz_must(fuzz_same(hop.name, hop.len, m->name[n], m->size[n]));
		last = hop;
		n++;
	}
	fuzz_must(n == m->hops);
	fuzz_must(ockam_route_last(r, &hop) == !!n);
	if (n)
		fuzz_must(ockam_hop_equal(&hop, &last) && hop.name == last.name);
}

/* What a push must say; changes the model when it must succeed. */
static int model_push(struct model *m, const struct ockam_hop *hop, bool front)
{
	unsigned int at = front ? 0 : m->hops;

	if (!hop->len)
		return -EINVAL;
	if (m->hops == OCKAM_ROUTE_MAX_HOPS || m->len + 2 + hop->len > OCKAM_ROUTE_MAX_BYTES)
		return -E2BIG;
	if (front) {
		memmove(m->type + 1, m->type, m->hops);
		memmove(m->size + 1, m->size, m->hops);
		memmove(m->name + 1, m->name, m->hops * sizeof(*m->name));
	}
	m->type[at] = hop->type;
	m->size[at] = hop->len;
	memcpy(m->name[at], hop->name, hop->len);
	m->hops++;
	m->len += 2 + hop->len;
	return 0;
}

static void model_pop(struct model *m)
{
	if (!m->hops)
		return;
	m->len -= 2 + m->size[0];
	m->hops--;
	memmove(m->type, m->type + 1, m->hops);
	memmove(m->size, m->size + 1, m->hops);
	memmove(m->name, m->name + 1, m->hops * sizeof(*m->name));
}

/* What setting packed bytes must say; the result is in @m when it is 0. */
static int model_set(struct model *m, const uint8_t *p, size_t len)
{
	struct model new = {};
	int err;

	if (len > OCKAM_ROUTE_MAX_BYTES)
		return -E2BIG;
	while (len) {
		struct ockam_hop hop = { .type = p[0] };

		if (len < 2 || !p[1] || p[1] > len - 2)
			return -EINVAL;
		hop.len = p[1];
		hop.name = p + 2;
		err = model_push(&new, &hop, false);
		if (err)
			return err;
		len -= 2 + hop.len;
		p += 2 + hop.len;
	}
	*m = new;
	return 0;
}

static void push(struct ockam_route *r, struct model *m, struct fuzz_in *in, bool front)
{
	struct ockam_hop hop = { .type = fuzz_u8(in) };
	uint8_t name[OCKAM_ADDR_MAX_LEN];
	size_t len;
	int err;

	hop.len = fuzz_u8(in);
	memset(name, hop.len, sizeof(name));
	memcpy(name, fuzz_bytes(in, hop.len < 4 ? hop.len : 4, &len), len);
	hop.name = name;
	err = model_push(m, &hop, front);
	fuzz_must((front ? ockam_route_push_front(r, &hop) : ockam_route_push_back(r, &hop)) ==
		  err);
}

static void set(struct ockam_route *r, struct model *m, struct fuzz_in *in)
{
	size_t len = fuzz_u16(in) % (OCKAM_ROUTE_MAX_BYTES + 8);
	const uint8_t *bytes = fuzz_bytes(in, len, &len);
	uint8_t *copy = fuzz_exact(bytes, len);
	int err = model_set(m, copy, len);

	fuzz_must(ockam_route_check(copy, len) == (err ? err : (int)m->hops));
	fuzz_must(ockam_route_set(r, copy, len) == err);
	free(copy);
}

/* A part of what the route itself holds, as a responder that follows does. */
static void set_own(struct ockam_route *r, struct model *m)
{
	uint8_t *copy;
	size_t skip;

	if (!m->hops)
		return;
	skip = 2 + m->size[0];
	copy = fuzz_exact(ockam_route_bytes(r) + skip, r->len - skip);
	fuzz_must(!model_set(m, copy, r->len - skip));
	free(copy);
	fuzz_must(!ockam_route_set(r, ockam_route_bytes(r) + skip, r->len - skip));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = fuzz_begin(data, size);
	struct ockam_route r[2], moved;
	static struct model m[2];
	unsigned int i;

	memset(m, 0, sizeof(m));
	ockam_route_init(&r[0]);
	ockam_route_init(&r[1]);
	while (fuzz_left(&in)) {
		uint8_t op = fuzz_u8(&in);

		i = op >> 7;
		switch (op % 9) {
		case 0:
			push(&r[i], &m[i], &in, true);
			break;
		case 1:
			push(&r[i], &m[i], &in, false);
			break;
		case 2:
			ockam_route_pop_front(&r[i]);
			model_pop(&m[i]);
			break;
		case 3:
			set(&r[i], &m[i], &in);
			break;
		case 4:
			fuzz_must(!ockam_route_copy(&r[i], &r[!i]));
			m[i] = m[!i];
			break;
		case 5:
			ockam_route_move(&r[i], &r[!i]);
			m[i] = m[!i];
			memset(&m[!i], 0, sizeof(m[!i]));
			break;
		case 6:
			ockam_route_init(&moved);
			ockam_route_move(&moved, &r[i]);
			check_same(&moved, &m[i]);
			ockam_route_move(&r[i], &moved);
			break;
		case 7:
			set_own(&r[i], &m[i]);
			break;
		default:
			ockam_route_reset(&r[i]);
			memset(&m[i], 0, sizeof(m[i]));
		}
		check_same(&r[0], &m[0]);
		check_same(&r[1], &m[1]);
	}
	ockam_route_reset(&r[0]);
	ockam_route_reset(&r[1]);
	return 0;
}
