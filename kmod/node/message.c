// SPDX-License-Identifier: GPL-2.0
/*
 * A message inside a node: memory, its accounting, and its two routes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/overflow.h>
#include <net/sock.h>

#include "compat_net.h"
#include "message.h"
#include "netns.h"

/* Between the routes: for one more random name before the return route. */
#define OCKAM_MESSAGE_GAP	(OCKAM_HOP_HDR_LEN + OCKAM_RANDOM_NAME_LEN)

static void ockam_message_destruct(struct sk_buff *skb)
{
	ockam_message_uncharge(skb);
}

void ockam_message_init(struct sk_buff *skb, struct ockam_net *on)
{
	struct ockam_cb *cb = ockam_cb(skb);

	BUILD_BUG_ON(sizeof(*cb) > sizeof(skb->cb) - sizeof(struct sock_skb_cb));

	memset(cb, 0, sizeof(*cb));
	cb->on = on;
	cb->to = OCKAM_ENDPOINT_ANY;
	cb->ret_id = OCKAM_ENDPOINT_NONE;
	cb->onward = OCKAM_MESSAGE_PEER;
	cb->ret = OCKAM_MESSAGE_PEER + OCKAM_MESSAGE_ROUTES;
}

void ockam_message_charge(struct sk_buff *skb)
{
	struct ockam_cb *cb = ockam_cb(skb);

	cb->charged = skb->truesize;
	ockam_gate_charge(&cb->on->memory, cb->charged);
	if (!skb->destructor)
		skb->destructor = ockam_message_destruct;
}

void ockam_message_uncharge(struct sk_buff *skb)
{
	struct ockam_cb *cb = ockam_cb(skb);

	if (!cb->charged)
		return;
	ockam_gate_uncharge(&cb->on->memory, cb->charged);
	cb->charged = 0;
}

/*
 * The fragments of @skb, of @data bytes and room for trailer and tag behind them,
 * are its payload behind what is linear.
 */
static void ockam_message_cut_tail(struct sk_buff *skb, size_t data)
{
	struct skb_shared_info *si = skb_shinfo(skb);
	unsigned int cut = OCKAM_MESSAGE_TAILROOM, part;
	skb_frag_t *last;

	/*
	 * That room may lie across the border of two of them. ->truesize stays: a
	 * socket has been charged for it.
	 */
	while (cut) {
		last = &si->frags[si->nr_frags - 1];
		part = min(cut, skb_frag_size(last));
		skb_frag_size_sub(last, part);
		cut -= part;
		if (!skb_frag_size(last)) {
			__skb_frag_unref(last, false);
			si->nr_frags--;
		}
	}
	skb->data_len = data;
	skb->len += data;
}

int ockam_message_extend(struct sk_buff *skb, size_t len, gfp_t gfp)
{
	struct sk_buff **next = &skb_shinfo(skb)->frag_list;
	struct sk_buff *piece;
	size_t n;

	while (len) {
		n = min_t(size_t, len, OCKAM_MESSAGE_PIECE -
				       OCKAM_MESSAGE_TAILROOM);
		piece = alloc_skb(0, gfp);
		if (!piece)
			return -ENOMEM;
		*next = piece;
		next = &piece->next;
		if (ockam_message_add_pages(piece, n + OCKAM_MESSAGE_TAILROOM,
					    gfp))
			return -ENOMEM;
		ockam_message_cut_tail(piece, n);
		skb->truesize += piece->truesize;
		skb->data_len += n;
		skb->len += n;
		len -= n;
	}
	return 0;
}

void ockam_message_plan(struct ockam_message_plan *plan, size_t routes,
			size_t len, bool linear)
{
	plan->before = OCKAM_MESSAGE_HEADROOM;
	if (routes > OCKAM_MESSAGE_ROUTES - OCKAM_MESSAGE_GAP)
		plan->before += routes + OCKAM_MESSAGE_GAP - OCKAM_MESSAGE_ROUTES;
	plan->first = linear || len <= OCKAM_MESSAGE_LINEAR ?
		      len : OCKAM_MESSAGE_WINDOW;
	plan->head = size_add(plan->before, plan->first);
	plan->frags = 0;
	plan->rest = 0;
	len -= plan->first;
	if (len && len <= OCKAM_MESSAGE_PIECE - OCKAM_MESSAGE_TAILROOM) {
		plan->frags = len + OCKAM_MESSAGE_TAILROOM;
		return;
	}
	plan->rest = len;
	plan->head = size_add(plan->head, OCKAM_MESSAGE_TAILROOM);
}

int ockam_message_build(struct sk_buff *skb, struct ockam_net *on,
			const struct ockam_message_plan *plan, gfp_t gfp)
{
	unsigned int paid = skb->truesize;
	int err = 0;

	skb_reserve(skb, plan->before);
	__skb_put(skb, plan->first);
	if (plan->frags) {
		err = ockam_message_add_pages(skb, plan->frags, gfp);
		if (!err)
			ockam_message_cut_tail(skb, plan->frags -
					       OCKAM_MESSAGE_TAILROOM);
	} else if (plan->rest) {
		err = ockam_message_extend(skb, plan->rest, gfp);
	}
	if (skb->sk && skb->truesize != paid)
		refcount_add(skb->truesize - paid, &skb->sk->sk_wmem_alloc);
	ockam_message_init(skb, on);
	ockam_cb(skb)->ret = plan->before - OCKAM_MESSAGE_HEADERS;
	return err;
}

struct sk_buff *ockam_message_alloc(struct ockam_net *on, size_t routes,
				    size_t len, bool linear, gfp_t gfp)
{
	struct ockam_message_plan plan;
	struct sk_buff *skb;

	ockam_message_plan(&plan, routes, len, linear);
	skb = alloc_skb(plan.head, gfp);
	if (!skb)
		return NULL;
	if (ockam_message_build(skb, on, &plan, gfp)) {
		kfree_skb(skb);
		return NULL;
	}
	ockam_message_charge(skb);
	return skb;
}

void ockam_message_free(struct sk_buff *skb)
{
	kfree_skb(skb);
}

void ockam_message_free_queue(struct sk_buff_head *queue)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue)))
		ockam_message_free(skb);
}

void ockam_message_pop(struct sk_buff *skb)
{
	struct ockam_cb *cb = ockam_cb(skb);
	u16 n = OCKAM_HOP_HDR_LEN + skb->head[cb->onward + 1];

	cb->onward += n;
	cb->onward_len -= n;
	cb->onward_hops--;
}

/* First byte behind the routes: headers may be written from there on. */
static unsigned int ockam_message_routes_end(const struct sk_buff *skb)
{
	const struct ockam_cb *cb = ockam_cb(skb);

	return cb->ret_len ? cb->ret + cb->ret_len :
	       cb->onward_len ? cb->onward + cb->onward_len : OCKAM_MESSAGE_PEER;
}

/*
 * @n more bytes of room before the payload, and behind the routes. The memory may
 * be another one afterwards.
 */
static int ockam_message_grow(struct sk_buff *skb, unsigned int n, gfp_t gfp)
{
	unsigned int end = ockam_message_routes_end(skb);
	struct ockam_cb *cb = ockam_cb(skb);
	int spare;

	n = ALIGN(n, 64);
	/*
	 * Out of what allocators have rounded up to, as far as that goes: each
	 * time would double the memory otherwise.
	 */
	spare = skb_end_pointer(skb) - skb_tail_pointer(skb);
	spare -= min_t(int, spare, OCKAM_MESSAGE_TAILROOM);
	if (pskb_expand_head(skb, n, -min_t(int, spare, n), gfp))
		return -ENOMEM;
	/* It has put the new room before everything. */
	memmove(skb->head, skb->head + n, end);
	/* With a socket that pays ->truesize stays as it was. */
	if (cb->charged && skb->truesize > cb->charged) {
		ockam_gate_charge(&cb->on->memory, skb->truesize - cb->charged);
		cb->charged = skb->truesize;
	}
	return 0;
}

int ockam_message_reserve(struct sk_buff *skb, unsigned int n, gfp_t gfp)
{
	unsigned int end = ockam_message_routes_end(skb);
	unsigned int have = skb_headroom(skb) - end;

	return likely(have >= n) ? 0 : ockam_message_grow(skb, n - have, gfp);
}

int ockam_message_place(struct sk_buff *skb, u16 onward, u8 onward_hops, u16 ret,
			u8 ret_hops, u8 **onward_at, u8 **ret_at, gfp_t gfp)
{
	struct ockam_cb *cb = ockam_cb(skb);
	unsigned int need, gap;

	/* A return route grows to the front, up to where the onward route ends. */
	gap = ret_hops ? OCKAM_MESSAGE_GAP : 0;
	need = OCKAM_MESSAGE_PEER + onward + gap + ret;
	if (skb_headroom(skb) < need) {
		if (ockam_message_grow(skb, need - skb_headroom(skb), gfp))
			return -ENOMEM;
	}
	cb->onward = OCKAM_MESSAGE_PEER;
	cb->onward_len = onward;
	cb->onward_hops = onward_hops;
	cb->ret = OCKAM_MESSAGE_PEER + onward + gap;
	cb->ret_len = ret;
	cb->ret_hops = ret_hops;
	*onward_at = skb->head + cb->onward;
	*ret_at = skb->head + cb->ret;
	return 0;
}

int ockam_message_set_onward(struct sk_buff *skb, const struct ockam_hops *h,
			     bool keep_ret, gfp_t gfp)
{
	struct ockam_cb *cb = ockam_cb(skb);
	unsigned int end = OCKAM_MESSAGE_PEER + h->len;

	if (!keep_ret)
		ockam_message_clear_ret(skb);
	cb->onward_len = 0;
	if (cb->ret_len && cb->ret < end) {
		if (skb_headroom(skb) < end + cb->ret_len &&
		    ockam_message_grow(skb, end + cb->ret_len -
				       skb_headroom(skb), gfp))
			return -ENOMEM;
		memmove(skb->head + end, skb->head + cb->ret, cb->ret_len);
		cb->ret = end;
	} else if (skb_headroom(skb) < end &&
		   ockam_message_grow(skb, end - skb_headroom(skb), gfp)) {
		return -ENOMEM;
	}
	cb->onward = OCKAM_MESSAGE_PEER;
	cb->onward_len = h->len;
	cb->onward_hops = h->hops;
	memcpy(skb->head + cb->onward, h->bytes, h->len);
	return 0;
}

/* Room for @n bytes before the return route. */
static int ockam_message_make_gap(struct sk_buff *skb, unsigned int n, gfp_t gfp)
{
	struct ockam_cb *cb = ockam_cb(skb);
	unsigned int end = cb->onward_len ? cb->onward + cb->onward_len :
					    OCKAM_MESSAGE_PEER;
	unsigned int at = end + n + OCKAM_MESSAGE_GAP;

	if (!cb->ret_len) {
		/* Nothing to move, but its end must leave room for a header. */
		if (cb->ret >= end + n && cb->ret <= skb_headroom(skb))
			return 0;
		at = end + n;
		if (skb_headroom(skb) < at &&
		    ockam_message_grow(skb, at - skb_headroom(skb), gfp))
			return -ENOMEM;
		cb->ret = at;
		return 0;
	}
	if (cb->ret >= end + n)
		return 0;
	if (skb_headroom(skb) < at + cb->ret_len &&
	    ockam_message_grow(skb, at + cb->ret_len - skb_headroom(skb), gfp))
		return -ENOMEM;
	memmove(skb->head + at, skb->head + cb->ret, cb->ret_len);
	cb->ret = at;
	return 0;
}

int ockam_message_push_ret(struct sk_buff *skb, const struct ockam_hop *hop,
			   gfp_t gfp)
{
	unsigned int n = OCKAM_HOP_HDR_LEN + hop->len;
	struct ockam_cb *cb = ockam_cb(skb);
	u8 *p;

	if (cb->ret_hops >= OCKAM_ROUTE_MAX_HOPS ||
	    cb->ret_len + n > OCKAM_ROUTE_MAX_BYTES)
		return -E2BIG;
	if (ockam_message_make_gap(skb, n, gfp))
		return -ENOMEM;
	cb->ret -= n;
	cb->ret_len += n;
	cb->ret_hops++;
	p = skb->head + cb->ret;
	p[0] = hop->type;
	p[1] = hop->len;
	memcpy(p + OCKAM_HOP_HDR_LEN, hop->name, hop->len);
	return 0;
}

int ockam_message_return_to(struct sk_buff *skb, const struct ockam_endpoint *ep,
			    gfp_t gfp)
{
	struct ockam_hop hop = ockam_endpoint_hop(ep);
	int err = ockam_message_push_ret(skb, &hop, gfp);

	if (!err)
		ockam_cb(skb)->ret_id = READ_ONCE(ep->id);
	return err;
}

int ockam_message_unpack(struct sk_buff *skb, struct ockam_wire_message *m,
			 gfp_t gfp)
{
	unsigned int onward = m->onward.cbor - skb->data;
	unsigned int ret = m->ret.cbor - skb->data;
	u8 *onward_at, *ret_at;
	int err;

	err = ockam_message_place(skb, m->onward.packed_len, m->onward.hops,
				  m->ret.packed_len, m->ret.hops,
				  &onward_at, &ret_at, gfp);
	if (err)
		return err;
	m->onward.cbor = skb->data + onward;
	m->ret.cbor = skb->data + ret;
	ockam_wire_pack(&m->onward, onward_at);
	ockam_wire_pack(&m->ret, ret_at);
	/* A header that is longer than what is linear was made linear before. */
	__skb_pull(skb, m->payload);
	return skb->len == m->payload_len ? 0 : pskb_trim(skb, m->payload_len);
}

/* The last of the sk_buffs that the payload is in. */
static struct sk_buff *ockam_message_last(struct sk_buff *skb)
{
	struct sk_buff *last = skb_shinfo(skb)->frag_list;

	while (last && last->next)
		last = last->next;
	return last ?: skb;
}

int ockam_message_put(struct sk_buff *skb, unsigned int n, gfp_t gfp)
{
	struct sk_buff *last = ockam_message_last(skb);
	struct skb_shared_info *si = skb_shinfo(last);
	struct page *page;
	skb_frag_t *frag;

	if (last == skb && !si->nr_frags) {
		if (skb_tailroom(skb) < n && pskb_expand_head(skb, 0, n, gfp))
			return -ENOMEM;
		__skb_put(skb, n);
		return 0;
	}
	frag = si->nr_frags ? &si->frags[si->nr_frags - 1] : NULL;
	if (frag && skb_frag_off(frag) + skb_frag_size(frag) + n <=
	    page_size(skb_frag_page(frag))) {
		skb_frag_size_add(frag, n);
	} else {
		if (si->nr_frags == MAX_SKB_FRAGS)
			return -ENOMEM;
		page = alloc_page(gfp);
		if (!page)
			return -ENOMEM;
		skb_fill_page_desc(last, si->nr_frags, page, 0, n);
		/* A socket gets back what it has paid, no more. */
		if (!last->sk)
			last->truesize += PAGE_SIZE;
	}
	last->len += n;
	last->data_len += n;
	if (last != skb) {
		skb->len += n;
		skb->data_len += n;
	}
	return 0;
}

/* The bytes of @from, which is as long, to where @to has its own. */
static int ockam_message_copy_data(struct sk_buff *to, const struct sk_buff *from)
{
	unsigned int off, n;
	struct sk_buff *piece;
	skb_frag_t *frag;
	unsigned int i;
	void *p;
	int err;

	err = skb_copy_bits(from, 0, to->data, skb_headlen(to));
	off = skb_headlen(to);
	for (piece = to; piece && !err;
	     piece = piece == to ? skb_shinfo(to)->frag_list : piece->next) {
		for (i = 0; i < skb_shinfo(piece)->nr_frags && !err; i++) {
			frag = &skb_shinfo(piece)->frags[i];
			/* Our fragments are never in high memory: see gfp. */
			p = page_address(skb_frag_page(frag)) + skb_frag_off(frag);
			n = skb_frag_size(frag);
			err = skb_copy_bits(from, off, p, n);
			off += n;
		}
	}
	return err;
}

static struct sk_buff *ockam_message_copy(struct sk_buff *skb, bool linear,
					  gfp_t gfp)
{
	const struct ockam_cb *cb = ockam_cb(skb);
	struct sk_buff *copy;
	u8 *onward, *ret;
	struct ockam_cb *c;

	copy = ockam_message_alloc(cb->on, cb->onward_len + cb->ret_len,
				   skb->len, linear, gfp);
	if (!copy)
		return NULL;
	if (ockam_message_copy_data(copy, skb) ||
	    ockam_message_place(copy, cb->onward_len, cb->onward_hops,
				cb->ret_len, cb->ret_hops, &onward, &ret, gfp)) {
		ockam_message_free(copy);
		return NULL;
	}
	memcpy(onward, skb->head + cb->onward, cb->onward_len);
	memcpy(ret, skb->head + cb->ret, cb->ret_len);
	memcpy(ockam_message_peer(copy), ockam_message_peer(skb),
	       OCKAM_MESSAGE_PEER);
	c = ockam_cb(copy);
	c->to = cb->to;
	c->ret_id = cb->ret_id;
	c->depth = cb->depth;
	c->flags = cb->flags & ~OCKAM_MSG_SHARED;
	ockam_message_free(skb);
	return copy;
}

struct sk_buff *ockam_message_own(struct sk_buff *skb, gfp_t gfp)
{
	if (likely(!(ockam_cb(skb)->flags & OCKAM_MSG_SHARED)))
		return skb;
	return ockam_message_copy(skb, false, gfp);
}

struct sk_buff *ockam_message_linear(struct sk_buff *skb, gfp_t gfp)
{
	if (!skb_is_nonlinear(skb))
		return skb;
	return ockam_message_copy(skb, true, gfp);
}
