// SPDX-License-Identifier: GPL-2.0
/*
 * Stream framing of a link: from the bytes of a socket to messages.
 *
 * Nothing here is authenticated: memory is taken as bytes arrive, never by an
 * announced length.
 *
 * The bytes always come in sk_buffs: on TCP in its own, for other families in one
 * with a page that they were read into. A small frame is copied into a linear
 * message. Of a large one the first bytes are, so that its header can be decoded;
 * the rest are page fragments: those of the sk_buff that they came in, or, when
 * that would pin too much memory for few bytes, ours.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/highmem.h>
#include <linux/math64.h>
#include <net/tcp.h>

#include "compat_net.h"
#include "link_socket.h"
#include "link_stream.h"
#include "message.h"
#include "netns.h"
#include "route.h"

/* Frames, and bytes, that are cut before they are delivered. */
#define OCKAM_LINK_READ_FRAMES	64
#define OCKAM_LINK_READ_BYTES	(256u << 10)
/* Frames above this are not copied. */
#define OCKAM_LINK_COPY_BYTES	OCKAM_MESSAGE_LINEAR
/* First bytes of those: the header, as a rule. With it the head is 1 KiB. */
#define OCKAM_LINK_WINDOW_BYTES	320
/* Smaller pieces are copied too: a reference costs as much, and pins more. */
#define OCKAM_LINK_REFER_BYTES	1024
/* A page that is so many times as large as the piece in it is not kept for it. */
#define OCKAM_LINK_PIN_MOST	4
/* Order of pages at most: 32 KiB. */
#define OCKAM_LINK_PAGE_ORDER	3

/* Where in an sk_buff the taking of bytes has come to. */
struct ockam_link_read_pos {
	struct sk_buff *skb;
	unsigned int off;
	unsigned int frag;	/* fragment that ->off is in, or behind it */
	unsigned int frag_off;	/* where that one begins */
};

/*
 * How many bytes lie in one piece at @pos, and where: NULL when they cannot be
 * reached directly. *@frag: the fragment, or NULL.
 */
static const u8 *ockam_link_read_piece(struct ockam_link_read_pos *pos,
				       unsigned int *n, skb_frag_t **frag)
{
	struct skb_shared_info *si = skb_shinfo(pos->skb);
	unsigned int size;
	const u8 *p;

	*frag = NULL;
	if (pos->off < skb_headlen(pos->skb)) {
		*n = skb_headlen(pos->skb) - pos->off;
		return pos->skb->data + pos->off;
	}
	for (; pos->frag < si->nr_frags; pos->frag++) {
		size = skb_frag_size(&si->frags[pos->frag]);
		if (pos->off < pos->frag_off + size) {
			*frag = &si->frags[pos->frag];
			*n = pos->frag_off + size - pos->off;
			p = skb_frag_address_safe(*frag);
			return p ? p + pos->off - pos->frag_off : NULL;
		}
		pos->frag_off += size;
	}
	*n = pos->skb->len - pos->off;
	return NULL;
}

/* @n bytes at @pos to @to; they lie at @p unless that is NULL. 0 or -EFAULT. */
static int ockam_link_read_copy(const struct ockam_link_read_pos *pos,
				const u8 *p, void *to, unsigned int n)
{
	if (unlikely(!p))
		return skb_copy_bits(pos->skb, pos->off, to, n);
	memcpy(to, p, n);
	return 0;
}

/* Memory has come to the message: the node pays for all of it. */
static void ockam_link_read_charge(struct sk_buff *msg)
{
	struct ockam_cb *cb = ockam_cb(msg);

	if (msg->truesize <= cb->charged)
		return;
	ockam_gate_charge(&cb->on->memory, msg->truesize - cb->charged);
	cb->charged = msg->truesize;
}

/* The first bytes of a body are here: a message for it. False: not now, or never. */
static bool ockam_link_read_begin(struct ockam_link_rx_run *run)
{
	struct ockam_link_stream *s = run->s;
	u32 linear = s->rx_cut.want;

	if (ockam_gate_full(&s->link.on->memory)) {
		run->full = true;
		return false;
	}
	if (linear > OCKAM_LINK_COPY_BYTES)
		linear = OCKAM_LINK_WINDOW_BYTES;
	s->rx_frame = ockam_message_alloc(s->link.on, 0, linear, true,
					  GFP_KERNEL_ACCOUNT);
	if (!s->rx_frame) {
		run->error = -ENOMEM;
		return false;
	}
	s->rx_last = s->rx_frame;
	s->rx_room = 0;
	return true;
}

/* The sk_buff of the message that can take another fragment, or NULL. */
static struct sk_buff *ockam_link_read_last(struct ockam_link_stream *s)
{
	struct sk_buff *last = s->rx_last, *next;

	if (skb_shinfo(last)->nr_frags < MAX_SKB_FRAGS)
		return last;
	next = alloc_skb(0, GFP_KERNEL_ACCOUNT);
	if (!next)
		return NULL;
	if (last == s->rx_frame)
		skb_shinfo(last)->frag_list = next;
	else
		last->next = next;
	s->rx_frame->truesize += next->truesize;
	s->rx_last = next;
	return next;
}

/* The last fragment of the message has @n more bytes. */
static void ockam_link_read_added(struct ockam_link_stream *s, unsigned int n)
{
	struct sk_buff *msg = s->rx_frame, *last = s->rx_last;

	last->len += n;
	last->data_len += n;
	if (last != msg) {
		msg->len += n;
		msg->data_len += n;
	}
}

/* @n bytes of the fragment @frag, which @pos is in, become the message's too. */
static int ockam_link_read_refer(struct ockam_link_stream *s,
				 const struct ockam_link_read_pos *pos,
				 const skb_frag_t *frag, unsigned int n,
				 unsigned int pinned)
{
	unsigned int off = skb_frag_off(frag) + pos->off - pos->frag_off;
	struct page *page = skb_frag_page(frag);
	struct sk_buff *last = s->rx_last;
	int i = skb_shinfo(last)->nr_frags;

	if (skb_can_coalesce(last, i, page, off)) {
		skb_frag_size_add(&skb_shinfo(last)->frags[i - 1], n);
	} else {
		last = ockam_link_read_last(s);
		if (!last)
			return -ENOMEM;
		get_page(page);
		skb_fill_page_desc(last, skb_shinfo(last)->nr_frags, page, off,
				   n);
	}
	s->rx_room = 0;
	s->rx_frame->truesize += pinned;
	ockam_cb(s->rx_frame)->flags |= OCKAM_MSG_SHARED;
	ockam_link_read_added(s, n);
	return n;
}

/* A page for as many bytes as have come already, at least one page. */
static int ockam_link_read_page(struct ockam_link_stream *s)
{
	struct sk_buff *last = ockam_link_read_last(s);
	u32 lacks = ockam_link_cut_lacks(&s->rx_cut);
	struct page *page = NULL;
	unsigned int order;

	if (!last)
		return -ENOMEM;
	order = get_order(clamp_t(u32, min(s->rx_cut.have, lacks), 1,
				  PAGE_SIZE << OCKAM_LINK_PAGE_ORDER));
	if (order)
		page = alloc_pages((GFP_KERNEL_ACCOUNT & ~__GFP_DIRECT_RECLAIM) |
				   __GFP_COMP | __GFP_NOWARN, order);
	if (!page) {
		page = alloc_page(GFP_KERNEL_ACCOUNT);
		order = 0;
	}
	if (!page)
		return -ENOMEM;
	skb_fill_page_desc(last, skb_shinfo(last)->nr_frags, page, 0, 0);
	s->rx_frame->truesize += PAGE_SIZE << order;
	s->rx_room = PAGE_SIZE << order;
	return 0;
}

/* Up to @n bytes, which lie at @p unless that is NULL, are copied behind the message. */
static int ockam_link_read_append(struct ockam_link_stream *s,
				  const struct ockam_link_read_pos *pos,
				  const u8 *p, unsigned int n)
{
	struct skb_shared_info *si;
	skb_frag_t *own;
	int err;

	if (!s->rx_room) {
		err = ockam_link_read_page(s);
		if (err)
			return err;
	}
	si = skb_shinfo(s->rx_last);
	own = &si->frags[si->nr_frags - 1];
	n = min(n, s->rx_room);
	err = ockam_link_read_copy(pos, p, skb_frag_address(own) +
				   skb_frag_size(own), n);
	if (err)
		return err;
	skb_frag_size_add(own, n);
	s->rx_room -= n;
	ockam_link_read_added(s, n);
	return n;
}

/*
 * Take up to @n bytes of the body at @pos. How many, 0 when it has to wait, or a
 * negative errno.
 */
static int ockam_link_read_body(struct ockam_link_rx_run *run,
				struct ockam_link_read_pos *pos, unsigned int n)
{
	struct ockam_link_stream *s = run->s;
	unsigned int head, there, pinned;
	struct sk_buff *skb = pos->skb;
	skb_frag_t *frag;
	const u8 *p;
	int err;

	if (!s->rx_frame && !ockam_link_read_begin(run))
		return run->error;
	p = ockam_link_read_piece(pos, &there, &frag);
	head = skb_headlen(s->rx_frame);
	if (s->rx_cut.have < head) {
		n = min(n, head - s->rx_cut.have);
		/* In several pieces: no matter how they lie. */
		err = ockam_link_read_copy(pos, n <= there ? p : NULL,
					   s->rx_frame->data + s->rx_cut.have,
					   n);
		return err ?: n;
	}
	n = min(n, there);
	if (frag && n >= OCKAM_LINK_REFER_BYTES && !skb_zcopy(skb) &&
	    ockam_compat_frags_readable(skb)) {
		pinned = DIV_ROUND_UP_ULL((u64)skb->truesize * n, skb->len);
		/* TCP counts the bytes; a reference holds all of the page. */
		if (pinned <= 2 * n &&
		    page_size(skb_frag_page(frag)) <= OCKAM_LINK_PIN_MOST * n)
			return ockam_link_read_refer(s, pos, frag, n, pinned);
	}
	return ockam_link_read_append(s, pos, p, n);
}

/* What stands before a body: as ockam_link_read_body(). */
static int ockam_link_read_head(struct ockam_link_rx_run *run,
				struct ockam_link_read_pos *pos, unsigned int n)
{
	u64 limit = ockam_netns_limit(run->s->link.on, OCKAM_LIMIT_FRAME_BYTES);
	unsigned int there;
	skb_frag_t *frag;
	const u8 *p;
	u8 byte;

	p = ockam_link_read_piece(pos, &there, &frag);
	n = min(n, there);
	if (unlikely(!p)) {
		n = 1;
		p = &byte;
		if (skb_copy_bits(pos->skb, pos->off, &byte, n))
			return -EFAULT;
	}
	return ockam_link_cut_head(&run->s->rx_cut, p, n, limit);
}

/* The frame is complete. */
static void ockam_link_read_end(struct ockam_link_rx_run *run)
{
	struct ockam_link_stream *s = run->s;
	struct sk_buff *msg = s->rx_frame;

	s->rx_frame = NULL;
	s->rx_last = NULL;
	ockam_link_read_charge(msg);
	__skb_queue_tail(&s->rx_queue, msg);
	run->frames++;
	run->batch++;
}

static bool ockam_link_read_stopped(const struct ockam_link_rx_run *run)
{
	return run->error || run->full ||
	       run->batch >= OCKAM_LINK_READ_FRAMES ||
	       run->batch_bytes >= OCKAM_LINK_READ_BYTES;
}

/* Cut @len bytes at @off of @skb. Returns how many were taken. */
static unsigned int ockam_link_read_cut(struct ockam_link_rx_run *run,
					struct sk_buff *skb, unsigned int off,
					unsigned int len)
{
	struct ockam_link_read_pos pos = {
		.skb = skb, .off = off, .frag_off = skb_headlen(skb),
	};
	struct ockam_link_cut *cut = &run->s->rx_cut;
	u32 lacks;
	int n;

	while (len && !ockam_link_read_stopped(run)) {
		lacks = ockam_link_cut_lacks(cut);
		n = lacks ? ockam_link_read_body(run, &pos, min(lacks, len)) :
			    ockam_link_read_head(run, &pos, len);
		if (n <= 0) {
			run->error = n;
			break;
		}
		pos.off += n;
		len -= n;
		run->batch_bytes += n;
		if (lacks && ockam_link_cut_body(cut, n))
			ockam_link_read_end(run);
	}
	return pos.off - off;
}

static int ockam_link_read_actor(read_descriptor_t *desc, struct sk_buff *skb,
				 unsigned int off, size_t len)
{
	return ockam_link_read_cut(desc->arg.data, skb, off, len);
}

/* Everything that has arrived was taken. As tcp_recvmsg() would say it. */
static int ockam_link_read_tcp_state(struct sock *sk,
				     struct ockam_link_rx_run *run)
{
	if (unlikely(tcp_sk(sk)->urg_data &&
		     !skb_queue_empty(&sk->sk_receive_queue))) {
		/* It stands in the way of this kind of reading. */
		run->error = -EBADMSG;
		return -ECANCELED;
	}
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN || sock_flag(sk, SOCK_DONE))
		return 0;
	return sk->sk_state == TCP_CLOSE ? -ENOTCONN : -EAGAIN;
}

static int ockam_link_read_tcp(struct ockam_link_rx_run *run)
{
	read_descriptor_t desc = { .arg.data = run, .count = 1 };
	struct ockam_link_stream *s = run->s;
	struct sock *sk = s->link.sock->sk;
	int ret;

	/* Once a tick: whoever judges that does so for more than one message. */
	if (time_after(jiffies, s->rx_allowed)) {
		ret = ockam_link_socket_may_receive(&s->link);
		if (ret < 0)
			return ret;
		s->rx_allowed = jiffies;
	}
	lock_sock(sk);
	ret = tcp_read_sock(sk, &desc, ockam_link_read_actor);
	if (ret >= 0)
		ret = ockam_link_read_stopped(run) ? 1 :
		      ockam_link_read_tcp_state(sk, run);
	release_sock(sk);
	return ret;
}

/* An sk_buff with an empty page, for the next read. */
static struct sk_buff *ockam_link_read_alloc(unsigned int order)
{
	struct sk_buff *skb;
	struct page *page;

	page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_NOWARN |
			   (order ? __GFP_NORETRY : 0), order);
	if (!page)
		return NULL;
	skb = alloc_skb(0, GFP_KERNEL_ACCOUNT);
	if (!skb) {
		__free_pages(page, order);
		return NULL;
	}
	skb_fill_page_desc(skb, 0, page, 0, 0);
	skb->truesize += PAGE_SIZE << order;
	return skb;
}

/* More bytes into ->rx_bytes, all of which have been cut. */
static int ockam_link_read_fill(struct ockam_link_rx_run *run)
{
	struct ockam_link_stream *s = run->s;
	struct sk_buff *skb = s->rx_bytes;
	unsigned int size = 0;
	struct page *page;
	skb_frag_t *frag;
	int got;

	if (skb) {
		page = skb_frag_page(&skb_shinfo(skb)->frags[0]);
		size = page_size(page);
		/* A message has it now, or it was too small. */
		if (page_count(page) != 1 || (run->grow && size == PAGE_SIZE)) {
			kfree_skb(skb);
			skb = NULL;
		}
	}
	if (!skb && run->grow)
		skb = ockam_link_read_alloc(OCKAM_LINK_PAGE_ORDER);
	if (!skb)
		skb = ockam_link_read_alloc(0);
	s->rx_bytes = skb;
	if (!skb) {
		run->error = -ENOMEM;
		return -ECANCELED;
	}
	frag = &skb_shinfo(skb)->frags[0];
	page = skb_frag_page(frag);
	size = page_size(page);
	skb_frag_size_set(frag, 0);
	skb->len = 0;
	skb->data_len = 0;
	s->rx_off = 0;
	got = ockam_link_socket_recv(&s->link, page, size);
	if (got <= 0)
		return got;
	run->grow = got == size;
	skb_frag_size_set(frag, got);
	skb->len = got;
	skb->data_len = got;
	return got;
}

static int ockam_link_read_other(struct ockam_link_rx_run *run)
{
	struct ockam_link_stream *s = run->s;
	int ret;

	if (!s->rx_bytes || s->rx_off == s->rx_bytes->len) {
		ret = ockam_link_read_fill(run);
		if (ret <= 0) {
			kfree_skb(s->rx_bytes);
			s->rx_bytes = NULL;
			return ret;
		}
	}
	s->rx_off += ockam_link_read_cut(run, s->rx_bytes, s->rx_off,
					 s->rx_bytes->len - s->rx_off);
	return 1;
}

int ockam_link_stream_read(struct ockam_link_rx_run *run)
{
	struct ockam_link_stream *s = run->s;
	struct ockam_link *link = &s->link;
	int ret;

	run->batch = 0;
	run->batch_bytes = 0;
	ret = link->tcp ? ockam_link_read_tcp(run) : ockam_link_read_other(run);
	run->bytes += run->batch_bytes;
	s->rx_fresh += run->batch_bytes;
	if (run->batch_bytes)
		atomic64_add(run->batch_bytes, &link->rx_bytes);
	if (run->batch) {
		atomic64_add(run->batch, &link->rx_messages);
		ockam_mib_add(link->on, OCKAM_MIB_LINK_FRAMES_RX, run->batch);
		/* What was held of a frame at the end of the last batch. */
		ockam_link_partial_uncharge(s);
	}
	if (s->rx_frame) {
		ockam_link_read_charge(s->rx_frame);
		ockam_link_partial_charge(s, s->rx_frame->truesize);
		ockam_link_partial_limit(link->on);
	}
	return run->error ? -ECANCELED : ret;
}

void ockam_link_stream_read_stop(struct ockam_link_stream *s)
{
	ockam_link_partial_uncharge(s);
	ockam_message_free(s->rx_frame);
	s->rx_frame = NULL;
	ockam_message_free_queue(&s->rx_queue);
	kfree_skb(s->rx_bytes);
	s->rx_bytes = NULL;
}
