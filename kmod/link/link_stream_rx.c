// SPDX-License-Identifier: GPL-2.0
/*
 * Stream framing of a link: receiving (wire-protocol sections 2.1 to 2.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "link_socket.h"
#include "link_stream.h"
#include "message.h"
#include "netns.h"
#include "route.h"
#include "wire.h"

/* Frames and reads of one run of the work before it lets others run. */
#define OCKAM_LINK_RX_FRAMES	512
#define OCKAM_LINK_RX_READS	16
/* Bytes of a header that are brought together before anything else is tried. */
#define OCKAM_LINK_RX_HEADER	4096u

/* The framing, or the lack of memory, ends the link. */
static void ockam_link_rx_fail(struct ockam_link_stream *s, int err)
{
	enum ockam_mib why = OCKAM_MIB_LINKS_FAILED_FRAME;
	const char *reason;

	switch (err) {
	case -EPROTONOSUPPORT:
		why = OCKAM_MIB_LINKS_FAILED_VERSION;
		reason = "the peer does not speak version 1 of the protocol";
		break;
	case -EPROTO:
		reason = "the peer sent a frame of length 0";
		break;
	case -EMSGSIZE:
		why = OCKAM_MIB_LINKS_FAILED_TOO_LARGE;
		reason = "the peer announced a frame above the limit of this node";
		break;
	case -EBADMSG:
		err = -EPROTO;
		reason = "the peer sent urgent data, which the protocol does not know";
		break;
	case -EINVAL:
		err = -EPROTO;
		reason = "the peer sent a frame that cannot be decoded";
		break;
	case -ENOMEM:
		/* A stream with a hole would be worse than none. */
		why = OCKAM_MIB_LINKS_FAILED_IO;
		reason = "no memory for a received message";
		break;
	default:
		why = OCKAM_MIB_LINKS_FAILED_IO;
		reason = "what was received cannot be read";
		break;
	}
	ockam_link_fail(&s->link, why, err, reason);
}

/* The stream has ended, orderly or not. */
static void ockam_link_rx_end(struct ockam_link_stream *s, int err)
{
	struct ockam_link *link = &s->link;

	if (err)
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_IO, err,
				"receiving from the socket failed");
	else if (s->rx_cut.expect == OCKAM_LINK_EXPECT_VERSION)
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_IO, -ECONNRESET,
				"the peer closed the connection before it had said anything");
	else if (!ockam_link_cut_between(&s->rx_cut))
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_FRAME, -EPROTO,
				"the peer closed the connection within a frame");
	else
		ockam_link_kill(link, 0, "the peer closed the connection");
}

/*
 * The header cannot be told from a part of the body: from all of it. The header
 * is linear then, and what was decoded: others may be writing to the fragments.
 */
static int ockam_link_rx_scan_all(struct sk_buff *skb,
				  struct ockam_wire_message *m)
{
	u8 *all = kvmalloc(skb->len, GFP_KERNEL_ACCOUNT);
	int err;

	if (!all)
		return -ENOMEM;
	err = skb_copy_bits(skb, 0, all, skb->len);
	if (!err)
		err = ockam_wire_scan_body(all, skb->len, skb->len, m);
	if (!err && !pskb_may_pull(skb, m->payload))
		err = -ENOMEM;
	if (!err) {
		memcpy(skb->data, all, m->payload);
		m->onward.cbor = skb->data + (m->onward.cbor - all);
		m->ret.cbor = skb->data + (m->ret.cbor - all);
	}
	kvfree(all);
	return err;
}

static int ockam_link_rx_scan(struct sk_buff *skb, struct ockam_wire_message *m)
{
	unsigned int some = min(skb->len, OCKAM_LINK_RX_HEADER);
	int err;

	err = ockam_wire_scan_body(skb->data, skb_headlen(skb), skb->len, m);
	if (likely(err != -EAGAIN))
		return err;
	if (!pskb_may_pull(skb, some))
		return -ENOMEM;
	err = ockam_wire_scan_body(skb->data, skb_headlen(skb), skb->len, m);
	return err == -EAGAIN ? ockam_link_rx_scan_all(skb, m) : err;
}

/* Bring in one frame. */
static void ockam_link_rx_message(struct ockam_link_rx_run *run,
				  struct sk_buff *skb)
{
	struct ockam_link_stream *s = run->s;
	struct ockam_net *on = s->link.on;
	struct ockam_wire_message m;
	int err;

	err = ockam_link_rx_scan(skb, &m);
	if (!err && !m.onward.hops) {
		ockam_mib_inc(on, OCKAM_MIB_LINK_HEARTBEATS);
		ockam_message_free(skb);
		return;
	}
	if (!err)
		err = ockam_message_unpack(skb, &m, GFP_KERNEL_ACCOUNT);
	/* Replies go out where this came in. */
	if (!err)
		err = ockam_message_return_to(skb, &s->link.ep,
					      GFP_KERNEL_ACCOUNT);
	if (likely(!err)) {
		ockam_route_dispatch(on, skb, &s->link.origin, &run->d);
	} else if (err == -E2BIG) {
		/* Correct for peers without our limits: not their failure. */
		ockam_drop(on, OCKAM_DROP_ROUTE_LIMIT, skb);
	} else {
		ockam_message_free(skb);
		ockam_link_rx_fail(s, err);
	}
}

/*
 * Wait for room behind @gate. False when there is room again. The wake-up may
 * come before this returns; the work is then queued once more.
 */
static bool ockam_link_rx_pause(struct ockam_link_stream *s,
				struct ockam_gate *gate)
{
	struct ockam_link *link = &s->link;

	set_bit(OCKAM_LINK_PAUSED, &link->bits);
	/* The bit first: the waker clears it. */
	smp_mb__after_atomic();
	if (!ockam_gate_wait(gate, &s->rx_waiter)) {
		clear_bit(OCKAM_LINK_PAUSED, &link->bits);
		return false;
	}
	s->rx_paused = true;
	ockam_mib_inc(link->on, OCKAM_MIB_LINK_PAUSES);
	ockam_link_arm_watch(link);
	return true;
}

/* From the gate, under its locks: queue work, nothing else. */
static void ockam_link_rx_wake(struct ockam_gate_waiter *waiter)
{
	struct ockam_link_stream *s = container_of(waiter,
						   struct ockam_link_stream,
						   rx_waiter);

	clear_bit(OCKAM_LINK_PAUSED, &s->link.bits);
	/* The work must not see the bit any more. */
	smp_mb__after_atomic();
	ockam_link_stream_rx_start(s);
}

/* False when reading waits for the queue that was full, or the link is dead. */
static bool ockam_link_rx_go_on(struct ockam_link_rx_run *run)
{
	if (ockam_link_dead(&run->s->link))
		return false;
	if (likely(!run->d.gate))
		return true;
	if (ockam_link_rx_pause(run->s, run->d.gate))
		return false;
	ockam_dispatch_forget_gate(&run->d);
	return true;
}

/* Bring in what has been cut. False as ockam_link_rx_go_on(). */
static bool ockam_link_rx_deliver(struct ockam_link_rx_run *run)
{
	struct ockam_link_stream *s = run->s;
	bool go_on = !ockam_link_dead(&s->link);
	struct sk_buff *skb;

	while (go_on && (skb = __skb_dequeue(&s->rx_queue))) {
		run->d.batch = !skb_queue_empty(&s->rx_queue);
		ockam_link_rx_message(run, skb);
		go_on = ockam_link_rx_go_on(run);
	}
	ockam_dispatch_flush(&run->d);
	if (go_on && run->full) {
		run->full = false;
		ockam_dispatch_note_gate(&run->d, &s->link.on->memory);
		go_on = ockam_link_rx_go_on(run);
	}
	return go_on;
}

/*
 * While paused nothing is taken from the socket, but its end is noticed: a
 * reset at once, the end of the stream when nothing stands before it.
 */
static void ockam_link_rx_look_at_end(struct ockam_link_stream *s)
{
	struct sock *sk = s->link.sock->sk;
	int err;

	err = READ_ONCE(sk->sk_err);
	if (err) {
		ockam_link_rx_end(s, -err);
		return;
	}
	if (!(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) ||
	    !skb_queue_empty(&s->rx_queue) || s->rx_bytes)
		return;
	err = ockam_link_socket_peek(&s->link);
	if (err <= 0 && err != -EAGAIN && !ockam_link_socket_refused(err))
		ockam_link_rx_end(s, err);
}

/* Something is missing: until when? */
static void ockam_link_rx_set_deadline(struct ockam_link_stream *s)
{
	WRITE_ONCE(s->rx_have, s->rx_frame ? s->rx_cut.have : 0);
	if (ockam_link_cut_between(&s->rx_cut)) {
		WRITE_ONCE(s->rx_waits, false);
		return;
	}
	if (!s->rx_waits)
		WRITE_ONCE(s->rx_begin, jiffies);
	if (!s->rx_waits || s->rx_fresh >= OCKAM_LINK_PROGRESS_BYTES) {
		WRITE_ONCE(s->rx_since, jiffies);
		s->rx_fresh = 0;
	}
	WRITE_ONCE(s->rx_waits, true);
	ockam_link_arm_watch(&s->link);
}

/*
 * Read and bring in until there is no more, no room or no time. True: not all is
 * done.
 */
static bool ockam_link_rx_loop(struct ockam_link_rx_run *run)
{
	struct ockam_link_stream *s = run->s;
	unsigned int reads = 0;
	int ret = 1;

	/* First what the last run has left. */
	while (ockam_link_rx_deliver(run)) {
		if (run->error) {
			ockam_link_rx_fail(s, run->error);
			break;
		}
		if (ockam_link_socket_refused(ret)) {
			ockam_link_stream_retry(s);
			break;
		}
		if (ret <= 0 && ret != -EAGAIN) {
			ockam_link_rx_end(s, ret);
			break;
		}
		if (ret == -EAGAIN &&
		    !test_and_clear_bit(OCKAM_LINK_RX_AGAIN, &s->link.bits))
			break;
		if (run->frames >= OCKAM_LINK_RX_FRAMES ||
		    reads++ == OCKAM_LINK_RX_READS)
			return true;
		ret = ockam_link_stream_read(run);
	}
	return false;
}

/* As ockam_link_rx_loop(). */
static bool ockam_link_rx_run(struct ockam_link_stream *s)
{
	struct ockam_link_rx_run run = { .s = s };
	struct mem_cgroup *memcg;
	bool again;

	if (ockam_link_dead(&s->link) ||
	    !test_bit(OCKAM_LINK_LIVE, &s->link.bits))
		return false;
	if (test_bit(OCKAM_LINK_PAUSED, &s->link.bits)) {
		ockam_link_rx_look_at_end(s);
		return false;
	}
	/* A new deadline: that we did not read was not the peer's fault. */
	if (s->rx_paused) {
		s->rx_paused = false;
		WRITE_ONCE(s->rx_waits, false);
	}

	memcg = set_active_memcg(s->link.memcg);
	ockam_dispatch_init(&run.d);
	again = ockam_link_rx_loop(&run);
	ockam_dispatch_fini(&run.d);
	set_active_memcg(memcg);

	/* Another frame than at the last look: it has its own time. */
	if (run.frames)
		WRITE_ONCE(s->rx_waits, false);
	ockam_link_rx_set_deadline(s);
	return again;
}

/* The work, for which BUSY is set, has to run. */
static void ockam_link_rx_queue(struct ockam_link_stream *s)
{
	spin_lock_bh(&s->tx_lock);
	if (!ockam_link_dead(&s->link))
		queue_work(ockam_link_wq, &s->rx_work);
	spin_unlock_bh(&s->tx_lock);
}

void ockam_link_stream_rx_start(struct ockam_link_stream *s)
{
	unsigned long *bits = &s->link.bits;

	/* Whoever clears BUSY looks at AGAIN after that. */
	set_bit(OCKAM_LINK_RX_AGAIN, bits);
	if (!test_and_set_bit(OCKAM_LINK_RX_BUSY, bits))
		ockam_link_rx_queue(s);
}

static void ockam_link_rx_work(struct work_struct *work)
{
	struct ockam_link_stream *s = container_of(work,
						   struct ockam_link_stream,
						   rx_work);
	unsigned long *bits = &s->link.bits;

	clear_bit(OCKAM_LINK_RX_AGAIN, bits);
	/* What comes from here on is seen, or sets the bit again. */
	smp_mb__after_atomic();
	if (!ockam_link_rx_run(s)) {
		clear_bit(OCKAM_LINK_RX_BUSY, bits);
		/* Who sets AGAIN looks at BUSY after that, we the other way around. */
		smp_mb__after_atomic();
		if (!test_bit(OCKAM_LINK_RX_AGAIN, bits) ||
		    test_and_set_bit(OCKAM_LINK_RX_BUSY, bits))
			return;
	}
	ockam_link_rx_queue(s);
}

bool ockam_link_stream_rx_watch(struct ockam_link_stream *s)
{
	unsigned long stall = ockam_link_stall(&s->link);
	struct ockam_link *link = &s->link;
	unsigned long idle;

	/* Fails the link that we wait for, or closes that channel. */
	idle = ockam_gate_check_stall(&s->rx_waiter, stall);
	if (idle) {
		/* The node's memory belongs to nobody: give back our part. */
		if (idle >= stall &&
		    READ_ONCE(s->rx_waiter.gate) == &link->on->memory)
			ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_STALL,
					-ENOBUFS,
					"the memory limit of the node is reached and nothing moves");
		return true;
	}
	if (!READ_ONCE(s->rx_waits))
		return test_bit(OCKAM_LINK_PAUSED, &link->bits);
	if (time_after_eq(jiffies, READ_ONCE(s->rx_since) +
			  ockam_link_half_frame(link)))
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_HALF_FRAME,
				-ETIMEDOUT, atomic64_read(&link->rx_bytes) ?
				"the peer began a frame and did not go on" :
				"the peer did not say anything");
	return true;
}

void ockam_link_stream_rx_init(struct ockam_link_stream *s)
{
	INIT_WORK(&s->rx_work, ockam_link_rx_work);
	ockam_gate_waiter_init(&s->rx_waiter, ockam_link_rx_wake);
	ockam_link_cut_init(&s->rx_cut);
	__skb_queue_head_init(&s->rx_queue);
	s->rx_allowed = jiffies - 1;
	atomic64_set(&s->rx_partial, 0);
}

void ockam_link_stream_rx_stop(struct ockam_link_stream *s)
{
	/* DEAD is set: a wake-up queues nothing any more. */
	cancel_work_sync(&s->rx_work);
	ockam_gate_cancel(&s->rx_waiter);
	ockam_link_stream_read_stop(s);
}
