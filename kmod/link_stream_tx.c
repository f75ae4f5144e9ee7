// SPDX-License-Identifier: GPL-2.0
/*
 * Stream framing of a link: sending (wire-protocol sections 2.1 to 2.3).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/net.h>
#include <linux/uio.h>

#include "compat.h"
#include "link_socket.h"
#include "link_stream.h"
#include "message.h"
#include "netns.h"
#include "route.h"
#include "wire.h"

/* Messages of one sendmsg() call. */
#define OCKAM_LINK_TX_BATCH	32
/* Calls that a sender makes for its own message and for those of others. */
#define OCKAM_LINK_TX_INLINE	2
/* Calls of the work before it lets others run. */
#define OCKAM_LINK_TX_BUDGET	16

/* How a queued message is accounted, in ->cookie. */
enum ockam_link_tx_charge {
	OCKAM_LINK_TX_FREE,	/* its sender's socket pays */
	OCKAM_LINK_TX_GATE,	/* counts as back-pressure */
	OCKAM_LINK_TX_CONTROL,	/* on the reserved budget */
};

static const u8 ockam_link_tx_version = OCKAM_STREAM_VERSION;

/*
 * The onward route without our hop, the return route as it is, the payload:
 * encoded in place, in front of the payload. 0, -EMSGSIZE, -ENOMEM.
 */
static int ockam_link_tx_encode(struct ockam_link_stream *s,
				struct ockam_message *msg)
{
	size_t payload_len = msg->len;
	size_t hdr_len, body_len;
	u8 *p;

	ockam_route_pop_front(&msg->onward);
	hdr_len = ockam_wire_body_header_len(&msg->onward, &msg->ret,
					     payload_len);
	body_len = hdr_len + payload_len;
	if (body_len > ockam_netns_limit(s->link.on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	if (ockam_message_reserve(msg, OCKAM_FRAME_HDR_LEN + hdr_len, 0))
		return -ENOMEM;
	p = ockam_message_push(msg, OCKAM_FRAME_HDR_LEN + hdr_len);
	put_unaligned_be32(body_len, p);
	p = ockam_wire_encode_body_header(p + OCKAM_FRAME_HDR_LEN,
					  &msg->onward, &msg->ret,
					  payload_len);
	WARN_ON_ONCE(p + payload_len != msg->data + msg->len);
	return 0;
}

/* Put the encoded @msg behind the others. False when the link is dead. */
static bool ockam_link_tx_enqueue(struct ockam_link_stream *s,
				  struct ockam_message *msg, bool *full)
{
	bool dead;

	*full = false;
	spin_lock_bh(&s->tx_lock);
	dead = ockam_link_dead(&s->link);
	if (!dead) {
		if (!s->tx_queued)
			WRITE_ONCE(s->tx_progress, jiffies);
		if (msg->sk) {
			msg->cookie = OCKAM_LINK_TX_FREE;
		} else if (msg->control &&
			   s->tx_control < OCKAM_LINK_CONTROL_BYTES) {
			msg->cookie = OCKAM_LINK_TX_CONTROL;
			s->tx_control += msg->truesize;
		} else {
			msg->cookie = OCKAM_LINK_TX_GATE;
			*full = ockam_gate_charge(&s->link.gate, msg->truesize);
		}
		s->tx_queued += msg->len;
		list_add_tail(&msg->list, &s->tx_queue);
	}
	spin_unlock_bh(&s->tx_lock);
	return !dead;
}

/*
 * The sender has sent @bytes, and the messages of @done completely. Frees
 * them; takes back what they were charged. Caller holds ->tx_mutex.
 */
static void ockam_link_tx_complete(struct ockam_link_stream *s, size_t bytes,
				   struct list_head *done)
{
	struct ockam_message *msg;
	u64 gate = 0, control = 0;
	unsigned int n = 0;

	list_for_each_entry(msg, done, list) {
		if (msg->cookie == OCKAM_LINK_TX_GATE)
			gate += msg->truesize;
		else if (msg->cookie == OCKAM_LINK_TX_CONTROL)
			control += msg->truesize;
		n++;
	}
	spin_lock_bh(&s->tx_lock);
	s->tx_queued -= bytes;
	s->tx_control -= control;
	WRITE_ONCE(s->tx_progress, jiffies);
	spin_unlock_bh(&s->tx_lock);
	if (gate)
		ockam_gate_uncharge(&s->link.gate, gate);
	ockam_message_free_list(done);
	if (n) {
		atomic64_add(n, &s->link.tx_messages);
		ockam_mib_add(s->link.on, OCKAM_MIB_LINK_FRAMES_TX, n);
	}
}

/* The socket took @sent bytes of what stands first in ->tx_sending. */
static void ockam_link_tx_consume(struct ockam_link_stream *s, size_t sent)
	__must_hold(&s->tx_mutex)
{
	struct ockam_message *msg, *next;
	LIST_HEAD(done);
	size_t bytes;

	lockdep_assert_held(&s->tx_mutex);

	atomic64_add(sent, &s->link.tx_bytes);
	if (!s->tx_version_sent && sent) {
		s->tx_version_sent = true;
		sent--;
	}
	bytes = sent;
	list_for_each_entry_safe(msg, next, &s->tx_sending, list) {
		if (sent < msg->len) {
			ockam_message_pull(msg, sent);
			break;
		}
		sent -= msg->len;
		list_move_tail(&msg->list, &done);
	}
	ockam_link_tx_complete(s, bytes, &done);
}

/*
 * One sendmsg() of what is queued. Returns the bytes that the socket took, 0
 * when nothing is queued, or a negative errno.
 */
static int ockam_link_tx_send(struct ockam_link_stream *s)
	__must_hold(&s->tx_mutex)
{
	struct msghdr mh = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec[OCKAM_LINK_TX_BATCH + 1];
	struct ockam_message *msg;
	unsigned int n = 0;
	size_t len = 0;
	int sent;

	spin_lock_bh(&s->tx_lock);
	list_splice_tail_init(&s->tx_queue, &s->tx_sending);
	spin_unlock_bh(&s->tx_lock);

	if (!s->tx_version_sent) {
		vec[n].iov_base = (void *)&ockam_link_tx_version;
		vec[n].iov_len = sizeof(ockam_link_tx_version);
		len += vec[n++].iov_len;
	}
	list_for_each_entry(msg, &s->tx_sending, list) {
		if (n >= OCKAM_LINK_TX_BATCH) {
			/* Another call follows: let TCP fill its segment. */
			mh.msg_flags |= MSG_MORE;
			break;
		}
		vec[n].iov_base = msg->data;
		vec[n].iov_len = msg->len;
		len += vec[n++].iov_len;
	}
	if (!n)
		return 0;
	sent = ockam_link_socket_send(&s->link, &mh, vec, n, len);
	if (sent > 0)
		ockam_link_tx_consume(s, sent);
	return sent;
}

/*
 * Send what is queued with at most @calls calls. Returns true when there may be
 * more to send; false when all is sent, the socket has no room (it will call
 * us), or the link is dead. @work: it is ours that sends, and no program.
 */
static bool ockam_link_tx_drain(struct ockam_link_stream *s, unsigned int calls,
				bool work)
	__must_hold(&s->tx_mutex)
{
	struct ockam_link *link = &s->link;
	int sent;

	lockdep_assert_held(&s->tx_mutex);

	if (!test_bit(OCKAM_LINK_LIVE, &link->bits))
		return false;
	while (!ockam_link_dead(link)) {
		if (!calls--)
			return true;
		sent = ockam_link_tx_send(s);
		if (!sent)
			return false;
		if (sent > 0) {
			clear_bit(OCKAM_LINK_BLOCKED, &link->bits);
			continue;
		}
		if (sent == -EAGAIN) {
			/*
			 * The socket may have got room between its answer and
			 * the bit: ask again once the bit is set.
			 */
			if (!test_and_set_bit(OCKAM_LINK_BLOCKED, &link->bits))
				continue;
			ockam_link_arm_watch(link);
			return false;
		}
		/* A signal of the local sender; the work gets none. */
		if (sent == -EINTR || sent == -ERESTARTSYS)
			return true;
		/* What is said to a program is not said to the link's owner. */
		if (ockam_link_socket_refused(sent)) {
			if (work)
				ockam_link_stream_retry(s);
			return !work;
		}
		ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_IO, sent,
				"sending on the socket failed");
	}
	return false;
}

static void ockam_link_tx_work(struct work_struct *work)
{
	struct ockam_link_stream *s = container_of(work,
						   struct ockam_link_stream,
						   tx_work);
	bool again;

	mutex_lock(&s->tx_mutex);
	again = ockam_link_tx_drain(s, OCKAM_LINK_TX_BUDGET, true);
	mutex_unlock(&s->tx_mutex);
	if (again)
		ockam_link_stream_queue_work(s, work);
}

/*
 * Get the queue moving. The last message of a local sender goes out at once, in
 * its own context: that saves the wake-up of a worker. What is forwarded, or
 * has another one right behind, comes in batches, so a work collects it unless
 * the last one is faster. Whoever finds somebody else sending leaves a
 * work behind, because that one may just have seen the queue empty.
 */
static void ockam_link_tx_kick(struct ockam_link_stream *s, bool at_once)
{
	bool again = true;

	if (test_bit(OCKAM_LINK_BLOCKED, &s->link.bits))
		return;
	if (at_once && mutex_trylock(&s->tx_mutex)) {
		again = ockam_link_tx_drain(s, OCKAM_LINK_TX_INLINE, false);
		mutex_unlock(&s->tx_mutex);
	}
	if (again)
		ockam_link_stream_queue_work(s, &s->tx_work);
}

int ockam_link_stream_tx_deliver(struct ockam_endpoint *ep,
				 struct ockam_message *msg,
				 struct ockam_dispatch *d)
{
	struct ockam_link *link = container_of(ep, struct ockam_link, ep);
	struct ockam_link_stream *s = ockam_link_stream_from(link);
	bool at_once = msg->sk && !msg->more && !link->names_sender;
	bool full;
	int err;

	err = ockam_link_tx_encode(s, msg);
	if (err) {
		ockam_drop(link->on, err == -EMSGSIZE ? OCKAM_DROP_TOO_LARGE :
			   OCKAM_DROP_NO_MEMORY, msg);
		return err;
	}
	if (!ockam_link_tx_enqueue(s, msg, &full)) {
		ockam_drop(link->on, OCKAM_DROP_LINK_DOWN, msg);
		return -EPIPE;
	}
	if (full)
		ockam_dispatch_note_gate(d, &link->gate);
	ockam_link_tx_kick(s, at_once);
	return 0;
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
	mutex_init(&s->tx_mutex);
	INIT_LIST_HEAD(&s->tx_sending);
	spin_lock_init(&s->tx_lock);
	INIT_LIST_HEAD(&s->tx_queue);
}

void ockam_link_stream_tx_close(struct ockam_link_stream *s)
{
	/* Who did not see DEAD has left either lock after this. */
	mutex_lock(&s->tx_mutex);
	mutex_unlock(&s->tx_mutex);
	spin_lock_bh(&s->tx_lock);
	spin_unlock_bh(&s->tx_lock);
	cancel_work_sync(&s->tx_work);
}

/*
 * An orderly end takes along what was queued before it, as far as the socket
 * has room: the Close of the channels over this link, above all, without which
 * the peer would keep them. Waits for nothing; nothing is queued any more.
 */
static void ockam_link_tx_flush(struct ockam_link_stream *s)
	__must_hold(&s->tx_mutex)
{
	lockdep_assert_held(&s->tx_mutex);

	if (s->link.why != OCKAM_MIB_LINKS_CLOSED ||
	    !test_bit(OCKAM_LINK_LIVE, &s->link.bits))
		return;
	while (ockam_link_tx_send(s) > 0)
		;
}

void ockam_link_stream_tx_stop(struct ockam_link_stream *s)
{
	struct ockam_message *msg, *next;
	u64 gate = 0;

	mutex_lock(&s->tx_mutex);
	ockam_link_tx_flush(s);
	spin_lock_bh(&s->tx_lock);
	list_splice_tail_init(&s->tx_queue, &s->tx_sending);
	s->tx_queued = 0;
	s->tx_control = 0;
	spin_unlock_bh(&s->tx_lock);
	list_for_each_entry_safe(msg, next, &s->tx_sending, list) {
		if (msg->cookie == OCKAM_LINK_TX_GATE)
			gate += msg->truesize;
		list_del_init(&msg->list);
		ockam_drop(s->link.on, OCKAM_DROP_LINK_DOWN, msg);
	}
	mutex_unlock(&s->tx_mutex);
	if (gate)
		ockam_gate_uncharge(&s->link.gate, gate);
}
