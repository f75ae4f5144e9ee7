// SPDX-License-Identifier: GPL-2.0
/*
 * Stream framing of a link: sending (wire-protocol sections 2.1 to 2.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/bvec.h>
#include <linux/net.h>
#include <linux/uio.h>

#include "compat.h"
#include "link_socket.h"
#include "link_stream.h"
#include "message.h"
#include "netns.h"
#include "route.h"
#include "wire.h"

/* Messages, and bytes, that are sent in a row, by one call when they are linear. */
#define OCKAM_LINK_TX_BATCH	32
#define OCKAM_LINK_TX_BYTES	(64u << 10)
/* Page fragments of one call. */
#define OCKAM_LINK_TX_PAGES	16
/* Rows that the work sends before it lets others run. */
#define OCKAM_LINK_TX_ROWS	16

static const u8 ockam_link_tx_version = OCKAM_STREAM_VERSION;

/* A row: what its sender has got rid of, and how it went. */
struct ockam_link_tx_row {
	struct sk_buff_head done;
	u64 bytes;		/* of messages that the socket took */
	int error;		/* 0: all has been sent, -EAGAIN: the socket has no room */
};

/*
 * The onward route without our hop, the return route as it is, the payload:
 * encoded in front of the payload. 0, -EMSGSIZE, -ENOMEM.
 */
static int ockam_link_tx_encode(struct ockam_link_stream *s,
				struct sk_buff *skb, gfp_t gfp)
{
	size_t payload_len = skb->len, hdr_len, body_len;
	struct ockam_hops onward, ret;
	u8 *p;

	ockam_message_pop(skb);
	onward = ockam_message_onward(skb);
	ret = ockam_message_ret(skb);
	hdr_len = ockam_wire_body_len(&onward, &ret, payload_len);
	body_len = hdr_len + payload_len;
	if (body_len > ockam_netns_limit(s->link.on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	if (ockam_message_reserve(skb, OCKAM_FRAME_HDR_LEN + hdr_len, gfp))
		return -ENOMEM;
	/* They may be elsewhere now. */
	onward = ockam_message_onward(skb);
	ret = ockam_message_ret(skb);
	p = __skb_push(skb, OCKAM_FRAME_HDR_LEN + hdr_len);
	put_unaligned_be32(body_len, p);
	ockam_wire_put_body(p + OCKAM_FRAME_HDR_LEN, &onward, &ret, payload_len);
	return 0;
}

/* Behind the others. Returns true when the queue is full now. */
static bool __ockam_link_tx_enqueue(struct ockam_link_stream *s,
				    struct sk_buff *skb)
	__must_hold(&s->tx_lock)
{
	u8 flags = ockam_cb(skb)->flags & ~OCKAM_MSG_QUOTED;
	bool full = false;

	lockdep_assert_held(&s->tx_lock);

	if (!s->tx_queued)
		WRITE_ONCE(s->tx_progress, jiffies);
	s->tx_queued += skb->len;
	/*
	 * Packets of a channel keep their order, or its window would not take
	 * them. Other control messages are not held up by data.
	 */
	if (unlikely((flags & (OCKAM_MSG_CONTROL | OCKAM_MSG_SEALED)) ==
		     OCKAM_MSG_CONTROL))
		__skb_queue_tail(&s->tx_urgent, skb);
	else
		__skb_queue_tail(&s->tx_queue, skb);
	if (unlikely(flags & OCKAM_MSG_CONTROL &&
		     s->tx_control < OCKAM_LINK_CONTROL_BYTES)) {
		flags |= OCKAM_MSG_QUOTED;
		s->tx_control += skb->truesize;
	} else {
		full = ockam_gate_charge(&s->link.gate, skb->truesize);
	}
	ockam_cb(skb)->flags = flags;
	return full;
}

/* What the sender sends next is its own from now on. False: there is nothing. */
static bool __ockam_link_tx_take(struct ockam_link_stream *s)
	__must_hold(&s->tx_lock)
{
	struct sk_buff_head *sending = &s->tx_sending;
	struct sk_buff *skb;
	u32 bytes = 0;

	lockdep_assert_held(&s->tx_lock);

	/* What the socket did not take is followed by as much as ever. */
	while (sending->qlen < OCKAM_LINK_TX_BATCH &&
	       bytes < OCKAM_LINK_TX_BYTES) {
		skb = __skb_dequeue(&s->tx_urgent) ?:
		      __skb_dequeue(&s->tx_queue);
		if (!skb)
			break;
		bytes += skb->len;
		__skb_queue_tail(sending, skb);
	}
	return sending->qlen || !s->tx_version_sent;
}

/* The socket took @sent bytes of what stands first in ->tx_sending. */
static void ockam_link_tx_consume(struct ockam_link_stream *s,
				  struct ockam_link_tx_row *row, size_t sent)
{
	struct sk_buff *skb;
	size_t left;

	atomic64_add(sent, &s->link.tx_bytes);
	if (unlikely(!s->tx_version_sent)) {
		s->tx_version_sent = true;
		sent--;
	}
	row->bytes += sent;
	while (sent) {
		skb = skb_peek(&s->tx_sending);
		left = skb->len - s->tx_off;
		if (sent < left) {
			s->tx_off += sent;
			return;
		}
		sent -= left;
		s->tx_off = 0;
		__skb_unlink(skb, &s->tx_sending);
		__skb_queue_tail(&row->done, skb);
	}
}

/* The fragments of the first message, from the byte at @off behind its linear part. */
static int ockam_link_tx_call_pages(struct ockam_link_stream *s,
				    struct sk_buff *first, size_t off,
				    size_t *len)
{
	struct bio_vec vec[OCKAM_LINK_TX_PAGES];
	struct sk_buff *skb = first;
	const skb_frag_t *frag;
	unsigned int n = 0, i;
	size_t size;

	*len = 0;
	while (skb) {
		for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
			frag = &skb_shinfo(skb)->frags[i];
			size = skb_frag_size(frag);
			if (off >= size) {
				off -= size;
				continue;
			}
			if (n == OCKAM_LINK_TX_PAGES)
				goto full;
			vec[n].bv_page = skb_frag_page(frag);
			vec[n].bv_offset = skb_frag_off(frag) + off;
			vec[n].bv_len = size - off;
			*len += vec[n++].bv_len;
			off = 0;
		}
		skb = skb == first ? skb_shinfo(skb)->frag_list : skb->next;
	}
full:
	return ockam_link_socket_send_pages(&s->link, vec, n, *len, skb ||
					    !skb_queue_is_last(&s->tx_sending,
							       first));
}

/*
 * One call to the socket: the linear parts of what stands first, or fragments.
 * Returns the bytes that it took of *@len, or a negative errno.
 */
static int ockam_link_tx_call(struct ockam_link_stream *s, size_t *len)
{
	struct kvec vec[OCKAM_LINK_TX_BATCH + 1];
	struct sk_buff *skb = skb_peek(&s->tx_sending);
	size_t off = s->tx_off;
	bool more = false;
	unsigned int n = 0;

	if (skb && off >= skb_headlen(skb) && s->tx_version_sent)
		return ockam_link_tx_call_pages(s, skb, off - skb_headlen(skb),
						len);
	*len = 0;
	if (unlikely(!s->tx_version_sent)) {
		vec[n].iov_base = (void *)&ockam_link_tx_version;
		vec[n].iov_len = sizeof(ockam_link_tx_version);
		*len += vec[n++].iov_len;
	}
	skb_queue_walk(&s->tx_sending, skb) {
		more = n == ARRAY_SIZE(vec);
		if (more)
			break;
		vec[n].iov_base = skb->data + off;
		vec[n].iov_len = skb_headlen(skb) - off;
		*len += vec[n++].iov_len;
		more = skb_is_nonlinear(skb);
		if (more)
			break;
		off = 0;
	}
	return ockam_link_socket_send(&s->link, vec, n, *len, more);
}

/*
 * The socket takes no more until it says so. Under TCP's lock it has not said so
 * yet. @retry: it may never.
 */
static void ockam_link_tx_block(struct ockam_link_stream *s, bool retry)
{
	set_bit(OCKAM_LINK_BLOCKED, &s->link.bits);
	if (retry)
		ockam_link_stream_retry(s);
	else
		ockam_link_arm_watch(&s->link);
}

/* Send what was taken, the socket of TCP being locked. */
static void ockam_link_tx_send(struct ockam_link_stream *s,
			       struct ockam_link_tx_row *row)
{
	struct ockam_link *link = &s->link;
	size_t len;
	int sent;

	do {
		sent = ockam_link_tx_call(s, &len);
		if (sent > 0) {
			ockam_link_tx_consume(s, row, sent);
			if (sent < len && link->tcp)
				sent = -EAGAIN;
		} else if (!sent) {
			sent = -EIO;
		}
		if (sent == -EAGAIN) {
			/*
			 * Others than TCP may have got room between their answer
			 * and the bit: asked again once the bit is set.
			 */
			if (!link->tcp &&
			    !test_and_set_bit(OCKAM_LINK_BLOCKED, &link->bits))
				continue;
			/* With room it was memory that it lacked. */
			ockam_link_tx_block(s, link->tcp &&
					    sk_stream_is_writeable(link->sock->sk));
		} else if (ockam_link_socket_refused(sent)) {
			ockam_link_tx_block(s, true);
		} else if (!link->tcp) {
			clear_bit(OCKAM_LINK_BLOCKED, &link->bits);
		}
		if (sent < 0) {
			row->error = sent;
			return;
		}
	} while (!skb_queue_empty(&s->tx_sending));
}

static void __ockam_link_tx_queue_work(struct ockam_link_stream *s)
	__must_hold(&s->tx_lock)
{
	lockdep_assert_held(&s->tx_lock);

	if (!ockam_link_dead(&s->link))
		queue_work(ockam_link_wq, &s->tx_work);
}

/* What the row has sent is off the counts. Returns what the gate was charged for it. */
static u64 __ockam_link_tx_account(struct ockam_link_stream *s,
				   const struct ockam_link_tx_row *row)
	__must_hold(&s->tx_lock)
{
	struct sk_buff *skb;
	u64 gate = 0;

	lockdep_assert_held(&s->tx_lock);

	skb_queue_walk(&row->done, skb) {
		if (unlikely(ockam_cb(skb)->flags & OCKAM_MSG_QUOTED))
			s->tx_control -= skb->truesize;
		else
			gate += skb->truesize;
	}
	s->tx_queued -= row->bytes;
	if (row->bytes)
		WRITE_ONCE(s->tx_progress, jiffies);
	return gate;
}

/* The messages of a row are gone; @gate is what they were charged. */
static void ockam_link_tx_done(struct ockam_link_stream *s,
			       struct ockam_link_tx_row *row, u64 gate)
{
	struct sk_buff *skb;

	if (skb_queue_empty(&row->done))
		return;
	if (gate)
		ockam_gate_uncharge(&s->link.gate, gate);
	atomic64_add(row->done.qlen, &s->link.tx_messages);
	ockam_mib_add(s->link.on, OCKAM_MIB_LINK_FRAMES_TX, row->done.qlen);
	while ((skb = __skb_dequeue(&row->done)))
		consume_skb(skb);
}

static void ockam_link_tx_row_init(struct ockam_link_tx_row *row)
{
	__skb_queue_head_init(&row->done);
	row->bytes = 0;
	row->error = 0;
}

/*
 * The work sends a row, and takes the next one. False: it is not the sender any
 * more, or nobody is.
 */
static bool ockam_link_tx_work_row(struct ockam_link_stream *s)
{
	struct ockam_link *link = &s->link;
	struct ockam_link_tx_row row;
	bool more = false;
	u64 gate;

	ockam_link_tx_row_init(&row);
	/* Once a tick: whoever judges that does so for more than one message. */
	if (link->tcp && time_after(jiffies, s->tx_allowed)) {
		row.error = ockam_link_socket_may_send(link);
		if (ockam_link_socket_refused(row.error))
			ockam_link_tx_block(s, true);
		else if (!row.error)
			s->tx_allowed = jiffies;
	}
	if (!row.error) {
		ockam_link_socket_lock(link);
		ockam_link_tx_send(s, &row);
		ockam_link_socket_unlock(link);
	}

	spin_lock_bh(&s->tx_lock);
	gate = __ockam_link_tx_account(s, &row);
	if (!row.error)
		more = __ockam_link_tx_take(s);
	else if (row.error == -EAGAIN || ockam_link_socket_refused(row.error))
		more = s->tx_again;
	s->tx_again = false;
	if (!row.error || row.error == -EAGAIN ||
	    ockam_link_socket_refused(row.error))
		s->tx_busy = more;
	else
		s->tx_error = row.error;
	spin_unlock_bh(&s->tx_lock);
	ockam_link_tx_done(s, &row, gate);
	return more;
}

static void ockam_link_tx_work(struct work_struct *work)
{
	struct ockam_link_stream *s = container_of(work,
						   struct ockam_link_stream,
						   tx_work);
	unsigned int rows = OCKAM_LINK_TX_ROWS;
	bool more;

	spin_lock_bh(&s->tx_lock);
	more = __ockam_link_tx_take(s);
	s->tx_again = false;
	if (!s->tx_error)
		s->tx_busy = more;
	spin_unlock_bh(&s->tx_lock);
	while (more && rows && !s->tx_error && !ockam_link_dead(&s->link)) {
		more = ockam_link_tx_work_row(s);
		rows--;
	}
	if (s->tx_error) {
		/* Nobody sends any more: ->tx_busy stays. */
		ockam_link_fail(&s->link, OCKAM_MIB_LINKS_FAILED_IO,
				s->tx_error, "sending on the socket failed");
	} else if (more) {
		spin_lock_bh(&s->tx_lock);
		__ockam_link_tx_queue_work(s);
		spin_unlock_bh(&s->tx_lock);
	}
}

/*
 * A task sends a row, within one section with bottom halves off: all of it is
 * bounded, and nothing of it waits for anybody. What is left is for the work.
 */
static void ockam_link_tx_inline(struct ockam_link_stream *s)
{
	struct ockam_link *link = &s->link;
	struct ockam_link_tx_row row;
	bool more;
	u64 gate;

	ockam_link_tx_row_init(&row);
	if (ockam_link_socket_trylock(link)) {
		ockam_link_tx_send(s, &row);
		ockam_link_socket_unlock_bh(link);
		more = row.error && row.error != -EAGAIN;
		if (more)
			s->tx_error = row.error;
	} else {
		more = true;
	}

	spin_lock(&s->tx_lock);
	gate = __ockam_link_tx_account(s, &row);
	more = more || s->tx_again || (!row.error && __ockam_link_tx_take(s));
	s->tx_again = false;
	s->tx_busy = more;
	if (more)
		__ockam_link_tx_queue_work(s);
	WRITE_ONCE(s->tx_inline, false);
	spin_unlock(&s->tx_lock);
	ockam_link_tx_done(s, &row, gate);
}

/*
 * There is something to send. @hold: its sender has more right behind it. Returns
 * true when the caller has become the sender and calls ockam_link_tx_inline()
 * without the lock.
 *
 * What comes alone goes out in the context of whoever brings it, which saves the
 * wake-up of a worker; a work does it where that may not be.
 */
static bool __ockam_link_tx_kick(struct ockam_link_stream *s, bool hold)
	__must_hold(&s->tx_lock)
{
	struct ockam_link *link = &s->link;

	lockdep_assert_held(&s->tx_lock);

	if (s->tx_busy || test_bit(OCKAM_LINK_BLOCKED, &link->bits) ||
	    !test_bit(OCKAM_LINK_LIVE, &link->bits))
		return false;
	if (hold && s->tx_queue.qlen < OCKAM_LINK_TX_BATCH &&
	    s->tx_queued < OCKAM_LINK_TX_BYTES)
		return false;
	s->tx_busy = true;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || !link->tcp ||
	    time_after(jiffies, s->tx_allowed) || !s->tx_version_sent) {
		__ockam_link_tx_queue_work(s);
		return false;
	}
	__ockam_link_tx_take(s);
	WRITE_ONCE(s->tx_inline, true);
	return true;
}

int ockam_link_stream_tx_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
				 struct ockam_dispatch *d)
{
	struct ockam_link *link = container_of(ep, struct ockam_link, ep);
	struct ockam_link_stream *s = ockam_link_stream_from(link);
	bool more = ockam_cb(skb)->flags & OCKAM_MSG_MORE;
	bool dead, full = false, mine = false;
	int err;

	err = ockam_link_tx_encode(s, skb, d->atomic ?
				   GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT :
				   GFP_KERNEL_ACCOUNT);
	if (err) {
		ockam_drop(link->on, err == -EMSGSIZE ? OCKAM_DROP_TOO_LARGE :
			   OCKAM_DROP_NO_MEMORY, skb);
		return err;
	}
	local_bh_disable();
	spin_lock(&s->tx_lock);
	dead = ockam_link_dead(link);
	if (!dead) {
		full = __ockam_link_tx_enqueue(s, skb);
		mine = __ockam_link_tx_kick(s, more || d->batch);
		/* Should the next one fail, or not come. */
		if (more && !s->tx_busy && !d->batch &&
		    !delayed_work_pending(&s->tx_late))
			queue_delayed_work(ockam_link_wq, &s->tx_late, 1);
	}
	spin_unlock(&s->tx_lock);
	if (mine)
		ockam_link_tx_inline(s);
	local_bh_enable();
	if (dead) {
		ockam_drop(link->on, OCKAM_DROP_LINK_DOWN, skb);
		return -EPIPE;
	}
	if (d->batch)
		ockam_dispatch_note_late(d, ep);
	if (full)
		ockam_dispatch_note_gate(d, &link->gate);
	return 0;
}

void ockam_link_stream_tx_flush(struct ockam_endpoint *ep)
{
	struct ockam_link_stream *s =
		ockam_link_stream_from(container_of(ep, struct ockam_link, ep));
	bool mine = false;

	local_bh_disable();
	spin_lock(&s->tx_lock);
	if (s->tx_queued && !ockam_link_dead(&s->link))
		mine = __ockam_link_tx_kick(s, false);
	spin_unlock(&s->tx_lock);
	if (mine)
		ockam_link_tx_inline(s);
	local_bh_enable();
}

bool ockam_link_stream_tx_full(struct ockam_endpoint *ep,
			       struct ockam_dispatch *d)
{
	struct ockam_link *link = container_of(ep, struct ockam_link, ep);

	if (!ockam_gate_full(&link->gate))
		return false;
	ockam_dispatch_note_gate(d, &link->gate);
	return true;
}

void ockam_link_stream_tx_start(struct ockam_link_stream *s)
{
	struct ockam_link *link = &s->link;

	spin_lock_bh(&s->tx_lock);
	if (s->tx_busy) {
		s->tx_again = true;
	} else if (test_bit(OCKAM_LINK_LIVE, &link->bits) &&
		   !test_bit(OCKAM_LINK_BLOCKED, &link->bits) &&
		   (s->tx_queued || !s->tx_version_sent)) {
		s->tx_busy = true;
		__ockam_link_tx_queue_work(s);
	}
	spin_unlock_bh(&s->tx_lock);
}

/* A sender said that there is more, and there was not. */
static void ockam_link_tx_late_work(struct work_struct *work)
{
	ockam_link_stream_tx_start(container_of(to_delayed_work(work),
						struct ockam_link_stream,
						tx_late));
}

/*
 * A link on which others wait fails when the socket takes nothing for too long;
 * so does one whose own senders fill the queue: their data cannot arrive.
 */
bool ockam_link_stream_tx_watch(struct ockam_link_stream *s)
{
	unsigned long since;
	bool queued;

	spin_lock_bh(&s->tx_lock);
	queued = s->tx_queued;
	since = s->tx_progress;
	spin_unlock_bh(&s->tx_lock);
	if (!queued)
		return false;
	if (time_after_eq(jiffies, since + ockam_link_stall(&s->link)))
		ockam_link_fail(&s->link, OCKAM_MIB_LINKS_FAILED_STALL,
				-ETIMEDOUT,
				test_bit(OCKAM_LINK_REFUSED, &s->link.bits) ?
				"a security module does not let its owner send" :
				"the peer takes no data");
	return true;
}

void ockam_link_stream_tx_init(struct ockam_link_stream *s)
{
	INIT_WORK(&s->tx_work, ockam_link_tx_work);
	INIT_DELAYED_WORK(&s->tx_late, ockam_link_tx_late_work);
	__skb_queue_head_init(&s->tx_sending);
	spin_lock_init(&s->tx_lock);
	__skb_queue_head_init(&s->tx_urgent);
	__skb_queue_head_init(&s->tx_queue);
	s->tx_allowed = jiffies - 1;
}

void ockam_link_stream_tx_close(struct ockam_link_stream *s)
{
	/* Who did not see DEAD has left the lock after this. */
	spin_lock_bh(&s->tx_lock);
	spin_unlock_bh(&s->tx_lock);
	cancel_delayed_work_sync(&s->tx_late);
	cancel_work_sync(&s->tx_work);
	/* It runs, on another CPU, and ends soon. */
	while (READ_ONCE(s->tx_inline))
		cpu_relax();
}

/*
 * An orderly end takes along what was queued before it, as far as the socket
 * has room: the Close of the channels over this link, above all, without which
 * the peer would keep them. Waits for nothing; nothing is queued any more.
 */
static void ockam_link_tx_last(struct ockam_link_stream *s)
{
	struct ockam_link_tx_row row;
	bool more = true;
	u64 gate = 0;

	if (s->link.why != OCKAM_MIB_LINKS_CLOSED ||
	    !test_bit(OCKAM_LINK_LIVE, &s->link.bits) ||
	    (s->link.tcp && ockam_link_socket_may_send(&s->link)))
		return;
	while (more) {
		ockam_link_tx_row_init(&row);
		spin_lock_bh(&s->tx_lock);
		more = __ockam_link_tx_take(s);
		spin_unlock_bh(&s->tx_lock);
		if (more) {
			ockam_link_socket_lock(&s->link);
			ockam_link_tx_send(s, &row);
			ockam_link_socket_unlock(&s->link);
			more = !row.error;
		}
		spin_lock_bh(&s->tx_lock);
		gate = __ockam_link_tx_account(s, &row);
		spin_unlock_bh(&s->tx_lock);
		ockam_link_tx_done(s, &row, gate);
	}
}

void ockam_link_stream_tx_stop(struct ockam_link_stream *s)
{
	struct sk_buff_head *lost = &s->tx_sending;
	struct sk_buff *skb;
	u64 gate = 0;

	ockam_link_tx_last(s);
	spin_lock_bh(&s->tx_lock);
	skb_queue_splice_tail_init(&s->tx_urgent, lost);
	skb_queue_splice_tail_init(&s->tx_queue, lost);
	s->tx_queued = 0;
	s->tx_control = 0;
	spin_unlock_bh(&s->tx_lock);
	while ((skb = __skb_dequeue(lost))) {
		if (!(ockam_cb(skb)->flags & OCKAM_MSG_QUOTED))
			gate += skb->truesize;
		ockam_drop(s->link.on, OCKAM_DROP_LINK_DOWN, skb);
	}
	if (gate)
		ockam_gate_uncharge(&s->link.gate, gate);
}
