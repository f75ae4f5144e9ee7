// SPDX-License-Identifier: GPL-2.0
/*
 * The receiving side of a stream link, as it is in the module, over a socket
 * of ours: a stream gives the same messages and the same end however it is cut
 * into pieces and whenever a queue further on is full; memory follows the
 * bytes that came, not those announced; nothing is left behind.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "kernel_shim.h"

#include "../../kmod/message.c"
#include "../../kmod/link_stream_rx.c"

#include "fuzz.h"

/* How one run reads its stream, and what came of it. */
struct run {
	struct fuzz_in	stream;
	struct fuzz_in	plan;		/* sizes of pieces; empty: all there is */
	bool		single;		/* one byte at a time */
	bool		all_read;
	size_t		given;		/* bytes read so far */
	size_t		piece;		/* of these: to come before the next -EAGAIN */
	bool		pauses;		/* some queues further on are full */
	unsigned int	count[__OCKAM_MIB_MAX];
	int		why;		/* counter of the end, -1: orderly, 0: alive */
	int		error;
	u64		sum;		/* over all messages */
	unsigned int	messages;
};

unsigned long jiffies;
static struct run *now;
static struct sock sk;
static struct ockam_net node;
static struct ockam_gate full_gate;
static struct ockam_gate_waiter *waiting;
static bool queued;

/* ---- what the link's files call ---------------------------------------------- */

void ockam_link_stream_retry(struct ockam_link_stream *s)
{
	(void)s;
	fuzz_must(false);	/* nobody refuses */
}

int ockam_link_socket_recv(struct ockam_link *link, struct msghdr *mh, struct kvec *vec, size_t n,
			   size_t len, int flags)
{
	size_t room = 0, take, done = 0;

	(void)link;
	(void)mh;
	fuzz_must(flags == MSG_DONTWAIT || flags == (MSG_DONTWAIT | MSG_PEEK));
	for (size_t i = 0; i < n; i++)
		room += vec[i].iov_len;
	fuzz_must(room == len && room);
	if (!fuzz_left(&now->stream))
		return now->all_read ? 0 : -EAGAIN;
	if (flags & MSG_PEEK)
		return 1;
	if (!now->piece)
		return -EAGAIN;
	take = min(min(room, now->piece), fuzz_left(&now->stream));
	now->piece -= take;
	now->given += take;
	for (size_t i = 0; i < n && done < take; i++) {
		size_t part = min(vec[i].iov_len, take - done);

		memcpy(vec[i].iov_base, now->stream.pos, part);
		now->stream.pos += part;
		done += part;
	}
	return (int)take;
}

void ockam_mib_add(struct ockam_net *on, enum ockam_mib which, u64 n)
{
	(void)on;
	now->count[which] += n;
}

void ockam_drop(struct ockam_net *on, enum ockam_mib reason, struct ockam_message *msg)
{
	ockam_mib_add(on, reason, 1);
	ockam_message_free(msg);
}

static void end(struct ockam_link *link, int why, int error)
{
	if (test_bit(OCKAM_LINK_DEAD, &link->bits))
		return;
	set_bit(OCKAM_LINK_DEAD, &link->bits);
	now->why = why;
	now->error = error;
}

void ockam_link_fail(struct ockam_link *link, enum ockam_mib why, int error, const char *reason)
{
	fuzz_must(reason && error < 0);
	end(link, why, error);
}

void ockam_link_kill(struct ockam_link *link, int error, const char *reason)
{
	fuzz_must(reason);
	end(link, -1, error);
}

bool ockam_gate_charge(struct ockam_gate *gate, u64 bytes)
{
	gate->used += bytes;
	return false;
}

void ockam_gate_uncharge(struct ockam_gate *gate, u64 bytes)
{
	fuzz_must(gate->used >= bytes);
	gate->used -= bytes;
}

bool ockam_gate_full(struct ockam_gate *gate)
{
	(void)gate;
	return false;
}

void ockam_gate_waiter_init(struct ockam_gate_waiter *waiter,
			    void (*wake)(struct ockam_gate_waiter *waiter))
{
	waiter->wake = wake;
	waiter->gate = NULL;
}

bool ockam_gate_wait(struct ockam_gate *gate, struct ockam_gate_waiter *waiter)
{
	fuzz_must(gate == &full_gate && !waiting);
	waiting = waiter;
	return true;
}

bool ockam_gate_cancel(struct ockam_gate_waiter *waiter)
{
	(void)waiter;
	waiting = NULL;
	return false;
}

unsigned long ockam_gate_check_stall(struct ockam_gate_waiter *waiter, unsigned long limit)
{
	(void)waiter;
	(void)limit;
	return 0;
}

void ockam_dispatch_init(struct ockam_dispatch *d)
{
	d->gate = NULL;
}

void ockam_dispatch_fini(struct ockam_dispatch *d)
{
	(void)d;
}

void ockam_dispatch_note_gate(struct ockam_dispatch *d, struct ockam_gate *gate)
{
	d->gate = gate;
}

void ockam_link_arm_watch(struct ockam_link *link)
{
	(void)link;
}

unsigned long ockam_link_stall(const struct ockam_link *link)
{
	(void)link;
	return 1000;
}

unsigned long ockam_link_half_frame(const struct ockam_link *link)
{
	(void)link;
	return 1000;
}

void ockam_link_stream_queue_work(struct ockam_link_stream *s, struct work_struct *work)
{
	fuzz_must(work == &s->rx_work);
	queued = true;
}

/* Twice of what came, and what a message costs at least. */
void ockam_link_partial_charge(struct ockam_link_stream *s, s64 bytes)
{
	s->rx_partial.counter += bytes;
	node.partial_bytes.counter += bytes;
	fuzz_must((u64)s->rx_partial.counter <= 2 * now->given + 8192);
}

void ockam_link_partial_uncharge(struct ockam_link_stream *s)
{
	node.partial_bytes.counter -= s->rx_partial.counter;
	s->rx_partial.counter = 0;
}

void ockam_link_partial_limit(struct ockam_net *on)
{
	(void)on;
}

static void add(const void *data, size_t len)
{
	const uint8_t *p = data;

	now->sum = (now->sum ^ len) * 0x100000001b3ull;
	for (size_t i = 0; i < len; i++)
		now->sum = (now->sum ^ p[i]) * 0x100000001b3ull;
}

int ockam_route_dispatch(struct ockam_net *on, struct ockam_message *msg,
			 const struct ockam_origin *from, struct ockam_dispatch *d)
{
	struct ockam_hop first;

	(void)on;
	(void)from;
	fuzz_must(msg->onward.hops && msg->ret.hops);
	fuzz_must(ockam_route_first(&msg->ret, &first) && first.len == 4 &&
		  !memcmp(first.name, "link", 4));
	/* The module seals and frames in this room. */
	fuzz_must(ockam_message_headroom(msg) >= OCKAM_MESSAGE_HEADROOM);
	fuzz_must(ockam_message_tailroom(msg) >= OCKAM_MESSAGE_TAILROOM);
	add(ockam_route_bytes(&msg->onward), msg->onward.len);
	add(ockam_route_bytes(&msg->ret), msg->ret.len);
	add(msg->data, msg->len);
	now->messages++;
	if (now->pauses && now->messages % 3 == 0)
		ockam_dispatch_note_gate(d, &full_gate);
	/* As whoever adds a trailer and seals in place would. */
	memset(ockam_message_put(msg, OCKAM_MESSAGE_TAILROOM), 0, OCKAM_MESSAGE_TAILROOM);
	ockam_message_free(msg);
	return 0;
}

/* ---- runs -------------------------------------------------------------------- */

static void next_piece(void)
{
	if (now->single)
		now->piece = 1;
	else if (fuzz_left(&now->plan))
		now->piece = 1 + fuzz_u8(&now->plan);
	else
		now->piece = SIZE_MAX;
	now->all_read = !fuzz_left(&now->stream);
	sk.sk_shutdown = now->all_read ? RCV_SHUTDOWN : 0;
}

static void run_work(struct ockam_link_stream *s)
{
	do {
		queued = false;
		s->rx_work.func(&s->rx_work);
		/* The queue further on has room again. */
		if (waiting) {
			struct ockam_gate_waiter *waiter = waiting;

			/* While it waits the socket says that there is more. */
			s->rx_work.func(&s->rx_work);
			waiting = NULL;
			waiter->wake(waiter);
		}
	} while (queued && !ockam_link_dead(&s->link));
}

static void play(struct run *run, const uint8_t *stream, size_t len)
{
	struct ockam_link_stream s = {};
	struct socket sock = { &sk };
	static u8 name[] = "link";

	run->stream = fuzz_begin(stream, len);
	now = run;
	s.link.on = &node;
	s.link.sock = &sock;
	s.link.ep.name = name;
	s.link.ep.name_len = 4;
	set_bit(OCKAM_LINK_LIVE, &s.link.bits);
	ockam_link_stream_rx_init(&s);
	do {
		next_piece();
		run_work(&s);
	} while (!ockam_link_dead(&s.link));
	ockam_link_stream_rx_stop(&s);
	fuzz_must(!node.memory.used && !node.partial_bytes.counter);
}

static void compare(const struct run *a, const struct run *b)
{
	fuzz_must(a->why == b->why && a->error == b->error);
	fuzz_must(a->messages == b->messages && a->sum == b->sum);
	for (unsigned int i = 0; i < __OCKAM_MIB_MAX; i++)
		fuzz_must(i == OCKAM_MIB_LINK_PAUSES || a->count[i] == b->count[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u32 limits[] = { 64, 300, 1u << 20, OCKAM_FRAME_MAX_BYTES };
	struct fuzz_in in = fuzz_begin(data, size);
	struct run whole = {}, single = { .single = true }, pieces = { .pauses = true };
	const uint8_t *plan, *stream;
	size_t plan_len, len;

	if (!ockam_link_rx_cache)
		fuzz_must(!ockam_link_stream_rx_init_cache() && !ockam_message_init_cache());
	node.limits.v[OCKAM_LIMIT_FRAME_BYTES] = limits[fuzz_u8(&in) % 4];
	plan = fuzz_bytes(&in, fuzz_u8(&in) % 32, &plan_len);
	stream = fuzz_bytes(&in, SIZE_MAX, &len);
	pieces.plan = fuzz_begin(plan, plan_len);

	play(&whole, stream, len);
	play(&single, stream, len);
	play(&pieces, stream, len);
	compare(&whole, &single);
	compare(&whole, &pieces);
	return 0;
}
