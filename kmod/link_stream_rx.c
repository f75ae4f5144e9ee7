// SPDX-License-Identifier: GPL-2.0
/*
 * Stream framing of a link: receiving (wire-protocol sections 2.1 to 2.3).
 *
 * Nothing here is authenticated: memory is taken as bytes arrive, never by an
 * announced length, is counted per node, and the slowest sender loses.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/net.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "compat.h"
#include "link_socket.h"
#include "link_stream.h"
#include "message.h"
#include "netns.h"
#include "route.h"
#include "wire.h"

/* Frames and reads of one run of the work before it lets others run. */
#define OCKAM_LINK_RX_FRAMES	512
#define OCKAM_LINK_RX_READS	16
/* Frames between two looks at the node's memory. */
#define OCKAM_LINK_RX_LOOK	32

/* Buffers of running works; an idle link has none. */
static struct kmem_cache *ockam_link_rx_cache;

/* One run of the work. */
struct ockam_link_rx_run {
	struct ockam_dispatch d;
	unsigned int frames;		/* brought in so far */
	u32 bytes;			/* read so far */
};

static void ockam_link_rx_no_memory(struct ockam_link_stream *s)
{
	/* A stream with a hole would be worse than none. */
	ockam_link_fail(&s->link, OCKAM_MIB_LINKS_FAILED_IO, -ENOMEM,
			"no memory for a received message");
}

/* Decode a body; false when it is not to be delivered. */
static bool ockam_link_rx_decode(struct ockam_link_stream *s, const u8 *buf,
				 size_t len, struct ockam_body *body)
{
	struct ockam_net *on = s->link.on;
	int err;

	atomic64_inc(&s->link.rx_messages);
	ockam_mib_inc(on, OCKAM_MIB_LINK_FRAMES_RX);
	err = ockam_wire_decode_body(buf, len, body);
	switch (err) {
	case 0:
		if (body->onward.len)
			return true;
		ockam_mib_inc(on, OCKAM_MIB_LINK_HEARTBEATS);
		return false;
	case -E2BIG:
		/* Correct for peers without our limits: not their failure. */
		ockam_drop(on, OCKAM_DROP_ROUTE_LIMIT, NULL);
		return false;
	case -ENOMEM:
		ockam_link_rx_no_memory(s);
		return false;
	default:
		ockam_link_fail(&s->link, OCKAM_MIB_LINKS_FAILED_FRAME, -EPROTO,
				"the peer sent a frame that cannot be decoded");
		return false;
	}
}

/* Bring in @msg, whose payload is set, with the routes of @body. */
static void ockam_link_rx_message(struct ockam_link_stream *s,
				  struct ockam_link_rx_run *run,
				  struct ockam_message *msg,
				  struct ockam_body *body)
{
	int err;

	ockam_route_move(&msg->onward, &body->onward);
	ockam_route_move(&msg->ret, &body->ret);
	/* Replies go out where this came in. */
	err = ockam_message_return_to(msg, &s->link.ep);
	if (err == -ENOMEM) {
		ockam_message_free(msg);
		ockam_link_rx_no_memory(s);
	} else if (err) {
		ockam_drop(s->link.on, OCKAM_DROP_ROUTE_LIMIT, msg);
	} else {
		ockam_message_count_routes(msg);
		ockam_route_dispatch(s->link.on, msg, &s->link.origin, &run->d);
	}
}

/* A frame that lies completely in the buffer. */
static void ockam_link_rx_small(struct ockam_link_stream *s,
				struct ockam_link_rx_run *run,
				const u8 *buf, size_t len)
{
	struct ockam_message *msg;
	struct ockam_body body;

	ockam_body_init(&body);
	if (!ockam_link_rx_decode(s, buf, len, &body))
		goto out;
	msg = ockam_message_alloc(s->link.on, OCKAM_MESSAGE_HEADROOM,
				  body.payload_len, OCKAM_MESSAGE_TAILROOM,
				  GFP_KERNEL_ACCOUNT);
	if (!msg) {
		ockam_link_rx_no_memory(s);
		goto out;
	}
	memcpy(msg->data, body.payload, body.payload_len);
	ockam_link_rx_message(s, run, msg, &body);
out:
	ockam_body_reset(&body);
}

/* The frame that was collected in a message of its own is complete. */
static void ockam_link_rx_large(struct ockam_link_stream *s,
				struct ockam_link_rx_run *run)
{
	struct ockam_message *msg = s->rx_frame;
	struct ockam_body body;

	s->rx_frame = NULL;
	ockam_link_partial_uncharge(s);
	ockam_body_init(&body);
	if (ockam_link_rx_decode(s, msg->data, msg->len, &body)) {
		/* The header in front becomes headroom, what follows tailroom. */
		ockam_message_pull(msg, body.payload - msg->data);
		ockam_message_trim(msg, body.payload_len);
		ockam_link_rx_message(s, run, msg, &body);
	} else {
		ockam_message_free(msg);
	}
	ockam_body_reset(&body);
}

/*
 * Room for more of the body: twice of what is there, or as much as this run has
 * brought, but not more than the body. False when the link failed.
 */
static bool ockam_link_rx_grow(struct ockam_link_stream *s,
			       const struct ockam_link_rx_run *run)
{
	struct ockam_net *on = s->link.on;
	size_t have = s->rx_frame ? s->rx_frame->len : 0;
	size_t truesize;
	u32 room;

	room = max3((u32)have * 2, run->bytes, OCKAM_LINK_FRAME_MIN_BYTES);
	room = min(room, s->rx_want);
	if (!s->rx_frame) {
		s->rx_frame = ockam_message_alloc(on, OCKAM_MESSAGE_HEADROOM, 0,
						  room + OCKAM_MESSAGE_TAILROOM,
						  GFP_KERNEL_ACCOUNT);
		if (!s->rx_frame)
			goto no_memory;
		ockam_link_partial_charge(s, s->rx_frame->truesize);
	} else {
		truesize = s->rx_frame->truesize;
		if (ockam_message_reserve(s->rx_frame, OCKAM_MESSAGE_HEADROOM,
					  room - have + OCKAM_MESSAGE_TAILROOM))
			goto no_memory;
		ockam_link_partial_charge(s, s->rx_frame->truesize - truesize);
	}
	ockam_link_partial_limit(on);
	return !ockam_link_dead(&s->link);

no_memory:
	ockam_link_rx_no_memory(s);
	return false;
}

/* Bytes of the body that the collected frame has memory for and lacks. */
static u32 ockam_link_rx_room(const struct ockam_link_stream *s)
{
	size_t room;

	if (!s->rx_frame)
		return 0;
	room = ockam_message_tailroom(s->rx_frame) - OCKAM_MESSAGE_TAILROOM;
	return min_t(size_t, room, s->rx_want - s->rx_frame->len);
}

/* @n bytes of the body lie where the collected frame ended. */
static void ockam_link_rx_body(struct ockam_link_stream *s,
			       struct ockam_link_rx_run *run, u32 n)
{
	ockam_message_put(s->rx_frame, n);
	if (s->rx_frame->len < s->rx_want)
		return;
	s->rx_expect = OCKAM_LINK_EXPECT_LENGTH;
	s->rx_hdr_len = 0;
	run->frames++;
	ockam_link_rx_large(s, run);
}

static bool ockam_link_rx_parse_version(struct ockam_link_stream *s)
{
	if (s->rx_buf[s->rx_off] != OCKAM_STREAM_VERSION) {
		ockam_link_fail(&s->link, OCKAM_MIB_LINKS_FAILED_VERSION,
				-EPROTONOSUPPORT,
				"the peer does not speak version 1 of the protocol");
		return false;
	}
	s->rx_off++;
	s->rx_expect = OCKAM_LINK_EXPECT_LENGTH;
	WRITE_ONCE(s->rx_waits, false);
	return true;
}

static bool ockam_link_rx_parse_length(struct ockam_link_stream *s,
				       struct ockam_link_rx_run *run)
{
	u64 limit = ockam_netns_limit(s->link.on, OCKAM_LIMIT_FRAME_BYTES);

	while (s->rx_hdr_len < OCKAM_FRAME_HDR_LEN) {
		if (s->rx_off == s->rx_len)
			return true;
		s->rx_hdr[s->rx_hdr_len++] = s->rx_buf[s->rx_off++];
	}
	s->rx_want = get_unaligned_be32(s->rx_hdr);
	if (!s->rx_want) {
		ockam_link_fail(&s->link, OCKAM_MIB_LINKS_FAILED_FRAME, -EPROTO,
				"the peer sent a frame of length 0");
		return false;
	}
	if (s->rx_want > limit) {
		ockam_link_fail(&s->link, OCKAM_MIB_LINKS_FAILED_TOO_LARGE,
				-EMSGSIZE,
				"the peer announced a frame above the limit of this node");
		return false;
	}
	if (s->rx_len - s->rx_off >= s->rx_want) {
		s->rx_off += s->rx_want;
		s->rx_hdr_len = 0;
		run->frames++;
		ockam_link_rx_small(s, run,
				    s->rx_buf + s->rx_off - s->rx_want,
				    s->rx_want);
	} else {
		s->rx_expect = OCKAM_LINK_EXPECT_BODY;
	}
	return true;
}

static bool ockam_link_rx_parse_body(struct ockam_link_stream *s,
				     struct ockam_link_rx_run *run)
{
	u32 n;

	if (!ockam_link_rx_room(s) && !ockam_link_rx_grow(s, run))
		return false;
	n = min(ockam_link_rx_room(s), s->rx_len - s->rx_off);
	memcpy(s->rx_frame->data + s->rx_frame->len, s->rx_buf + s->rx_off, n);
	s->rx_off += n;
	ockam_link_rx_body(s, run, n);
	return true;
}

/* Has the run met a full queue, or done its share? */
static bool ockam_link_rx_should_stop(const struct ockam_link_stream *s,
				      const struct ockam_link_rx_run *run)
{
	return run->d.gate || run->frames >= OCKAM_LINK_RX_FRAMES ||
	       ockam_link_dead(&s->link);
}

/* Does the node's memory take any more? */
static void ockam_link_rx_look_at_memory(const struct ockam_link_stream *s,
					 struct ockam_link_rx_run *run)
{
	struct ockam_net *on = s->link.on;

	if (!(run->frames % OCKAM_LINK_RX_LOOK) && ockam_gate_full(&on->memory))
		ockam_dispatch_note_gate(&run->d, &on->memory);
}

/* Take the buffer apart, as far as it goes. */
static void ockam_link_rx_parse(struct ockam_link_stream *s,
				struct ockam_link_rx_run *run)
{
	bool ok = true;

	while (ok && s->rx_off < s->rx_len &&
	       !ockam_link_rx_should_stop(s, run)) {
		switch (s->rx_expect) {
		case OCKAM_LINK_EXPECT_VERSION:
			ok = ockam_link_rx_parse_version(s);
			break;
		case OCKAM_LINK_EXPECT_LENGTH:
			ok = ockam_link_rx_parse_length(s, run);
			break;
		case OCKAM_LINK_EXPECT_BODY:
			ok = ockam_link_rx_parse_body(s, run);
			break;
		}
		ockam_link_rx_look_at_memory(s, run);
	}
}

/*
 * One recvmsg(): what is missing from the collected frame goes straight to its
 * place, what follows into the buffer, which is empty. The bytes, 0 at the end
 * of the stream, or a negative errno.
 */
static int ockam_link_rx_read(struct ockam_link_stream *s,
			      struct ockam_link_rx_run *run)
{
	struct msghdr mh = {};
	struct kvec vec[2];
	unsigned int n = 0;
	size_t len = 0;
	u32 room = 0;
	int got;

	if (s->rx_expect == OCKAM_LINK_EXPECT_BODY) {
		if (!ockam_link_rx_room(s) && !ockam_link_rx_grow(s, run))
			return -ECANCELED;
		room = ockam_link_rx_room(s);
		vec[n].iov_base = s->rx_frame->data + s->rx_frame->len;
		vec[n].iov_len = room;
		len += vec[n++].iov_len;
	}
	s->rx_off = 0;
	s->rx_len = 0;
	/* More may follow only when the frame ends within its memory. */
	if (!room || room == s->rx_want - s->rx_frame->len) {
		vec[n].iov_base = s->rx_buf;
		vec[n].iov_len = OCKAM_LINK_RX_BYTES;
		len += vec[n++].iov_len;
	}
	got = ockam_link_socket_recv(&s->link, &mh, vec, n, len, MSG_DONTWAIT);
	if (got <= 0)
		return got;
	atomic64_add(got, &s->link.rx_bytes);
	run->bytes += got;
	s->rx_fresh += got;
	s->rx_len = got - min_t(u32, got, room);
	if (room)
		ockam_link_rx_body(s, run, min_t(u32, got, room));
	return got;
}

/* The stream has ended, orderly or not. */
static void ockam_link_rx_end(struct ockam_link_stream *s, int err)
{
	struct ockam_link *link = &s->link;

	if (err)
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_IO, err,
				"receiving from the socket failed");
	else if (s->rx_expect == OCKAM_LINK_EXPECT_VERSION)
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_IO, -ECONNRESET,
				"the peer closed the connection before it had said anything");
	else if (s->rx_expect == OCKAM_LINK_EXPECT_BODY || s->rx_hdr_len)
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_FRAME, -EPROTO,
				"the peer closed the connection within a frame");
	else
		ockam_link_kill(link, 0, "the peer closed the connection");
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
	ockam_link_stream_queue_work(s, &s->rx_work);
}

/*
 * While paused nothing is taken from the socket, but its end is noticed: a
 * reset at once, the end of the stream when nothing stands before it.
 */
static void ockam_link_rx_look_at_end(struct ockam_link_stream *s)
{
	struct sock *sk = s->link.sock->sk;
	struct msghdr mh = {};
	struct kvec vec;
	int err;
	u8 byte;

	err = READ_ONCE(sk->sk_err);
	if (err) {
		ockam_link_rx_end(s, -err);
		return;
	}
	if (!(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) ||
	    s->rx_off < s->rx_len)
		return;
	vec.iov_base = &byte;
	vec.iov_len = sizeof(byte);
	err = ockam_link_socket_recv(&s->link, &mh, &vec, 1, sizeof(byte),
				     MSG_DONTWAIT | MSG_PEEK);
	if (err <= 0 && err != -EAGAIN && !ockam_link_socket_refused(err))
		ockam_link_rx_end(s, err);
}

/* Something is missing: until when? */
static void ockam_link_rx_set_deadline(struct ockam_link_stream *s)
{
	bool waits = s->rx_expect != OCKAM_LINK_EXPECT_LENGTH || s->rx_hdr_len;

	WRITE_ONCE(s->rx_have, s->rx_frame ? s->rx_frame->len : 0);
	if (!waits) {
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

/* Read and bring in until there is no more, no room or no time. */
static void ockam_link_rx_loop(struct ockam_link_stream *s,
			       struct ockam_link_rx_run *run)
{
	unsigned int reads = 0;
	int got;

	/* A run may have few frames, and many runs follow each other. */
	ockam_link_rx_look_at_memory(s, run);
	for (;;) {
		ockam_link_rx_parse(s, run);
		if (ockam_link_dead(&s->link))
			return;
		if (run->d.gate && ockam_link_rx_pause(s, run->d.gate))
			return;
		if (ockam_link_rx_should_stop(s, run) ||
		    reads++ == OCKAM_LINK_RX_READS) {
			ockam_link_stream_queue_work(s, &s->rx_work);
			return;
		}
		got = ockam_link_rx_read(s, run);
		if (got > 0)
			continue;
		if (ockam_link_socket_refused(got))
			ockam_link_stream_retry(s);
		else if (got != -EAGAIN && !ockam_link_dead(&s->link))
			ockam_link_rx_end(s, got);
		return;
	}
}

static void ockam_link_rx_work(struct work_struct *work)
{
	struct ockam_link_stream *s = container_of(work,
						   struct ockam_link_stream,
						   rx_work);
	struct ockam_link_rx_run run = {};
	struct mem_cgroup *memcg;

	if (ockam_link_dead(&s->link) ||
	    !test_bit(OCKAM_LINK_LIVE, &s->link.bits))
		return;
	if (test_bit(OCKAM_LINK_PAUSED, &s->link.bits)) {
		ockam_link_rx_look_at_end(s);
		return;
	}
	/* A new deadline: that we did not read was not the peer's fault. */
	if (s->rx_paused) {
		s->rx_paused = false;
		WRITE_ONCE(s->rx_waits, false);
	}

	memcg = set_active_memcg(s->link.memcg);
	if (!s->rx_buf)
		s->rx_buf = kmem_cache_alloc(ockam_link_rx_cache,
					     GFP_KERNEL_ACCOUNT);
	if (s->rx_buf) {
		ockam_dispatch_init(&run.d);
		ockam_link_rx_loop(s, &run);
		ockam_dispatch_fini(&run.d);
	} else {
		ockam_link_rx_no_memory(s);
	}
	set_active_memcg(memcg);

	if (s->rx_off == s->rx_len && s->rx_buf) {
		kmem_cache_free(ockam_link_rx_cache, s->rx_buf);
		s->rx_buf = NULL;
	}
	/* Another frame than at the last look: it has its own time. */
	if (run.frames)
		WRITE_ONCE(s->rx_waits, false);
	ockam_link_rx_set_deadline(s);
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
	s->rx_expect = OCKAM_LINK_EXPECT_VERSION;
	atomic64_set(&s->rx_partial, 0);
}

void ockam_link_stream_rx_stop(struct ockam_link_stream *s)
{
	/* DEAD is set: a wake-up queues nothing any more. */
	cancel_work_sync(&s->rx_work);
	ockam_gate_cancel(&s->rx_waiter);
	ockam_link_partial_uncharge(s);
	ockam_message_free(s->rx_frame);
	s->rx_frame = NULL;
	if (s->rx_buf)
		kmem_cache_free(ockam_link_rx_cache, s->rx_buf);
	s->rx_buf = NULL;
}

int ockam_link_stream_rx_init_cache(void)
{
	ockam_link_rx_cache = kmem_cache_create("ockam_link_rx",
						OCKAM_LINK_RX_BYTES, 0, 0,
						NULL);
	return ockam_link_rx_cache ? 0 : -ENOMEM;
}

void ockam_link_stream_rx_exit_cache(void)
{
	kmem_cache_destroy(ockam_link_rx_cache);
}
