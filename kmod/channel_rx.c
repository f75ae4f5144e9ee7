// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving on a channel: packets queue at the decryptor and are opened in
 * order by one work a channel, all channels in parallel (wire-protocol
 * sections 6.3, 6.5 and 6.6).
 *
 * A packet goes through select (window and key, no change of state), open
 * (AEAD alone: the part that could run on several processors) and commit.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/slab.h>

#include "channel.h"
#include "compat.h"
#include "event.h"
#include "message.h"
#include "route.h"
#include "wire.h"

/* Packets that one run of the work opens before others get their turn. */
#define OCKAM_CHANNEL_BATCH	64

static void ockam_channel_rx_work(struct work_struct *work);
static void ockam_channel_stall_work(struct work_struct *work);

static void ockam_channel_wake_rx(struct ockam_gate_waiter *waiter)
{
	struct ockam_channel *ch = container_of(waiter, struct ockam_channel,
						rx.waiter);

	WRITE_ONCE(ch->rx.paused, false);
	ockam_channel_queue_rx(ch);
}

static unsigned long ockam_channel_stall_limit(const struct ockam_channel *ch)
{
	return msecs_to_jiffies(ockam_netns_limit(ch->on,
						  OCKAM_LIMIT_STALL_MS));
}

/* We have waited for a queue further on, and its own end did not help. */
static void ockam_channel_check_idle(struct ockam_channel *ch,
				     unsigned long idle)
{
	if (idle >= 2 * ockam_channel_stall_limit(ch))
		ockam_channel_kill(ch, -ETIMEDOUT,
				   "the receiver took no messages for too long",
				   false);
}

/*
 * Whoever fills our queue has waited too long. If that is because we wait for a
 * queue further on, that one is to blame, and ->stall_work tells it so; only
 * when that does not help the channel ends. Does not ask further on itself:
 * channels may wait for each other in a ring.
 */
static void ockam_channel_stalled(struct ockam_gate *gate)
{
	struct ockam_channel *ch = container_of(gate, struct ockam_channel,
						rx.gate);

	ockam_channel_check_idle(ch, ockam_gate_check_stall(&ch->rx.waiter,
							    ULONG_MAX));
}

void ockam_channel_init_rx(struct ockam_channel *ch, const u8 *key)
{
	struct ockam_channel_rx *rx = &ch->rx;

	INIT_WORK(&rx->work, ockam_channel_rx_work);
	INIT_DELAYED_WORK(&rx->stall_work, ockam_channel_stall_work);
	ockam_replay_init(&rx->window);
	ockam_aead_key_install(&rx->keys[OCKAM_KEY_CURRENT], key);
	ockam_gate_waiter_init(&rx->waiter, ockam_channel_wake_rx);
	ockam_gate_init(&rx->gate, &ch->dec, OCKAM_CHANNEL_QUEUE_BYTES,
			ockam_channel_stalled);
	spin_lock_init(&rx->lock);
	INIT_LIST_HEAD(&rx->queue);
	rx->corked = true;
}

/* Looks at the queue further on that we wait for. */
static void ockam_channel_stall_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(to_delayed_work(work),
						struct ockam_channel,
						rx.stall_work);
	unsigned long idle;

	idle = ockam_gate_check_stall(&ch->rx.waiter,
				      ockam_channel_stall_limit(ch));
	ockam_channel_check_idle(ch, idle);
	if (idle)
		ockam_channel_queue_stall(ch);
	ockam_channel_put(ch);
}

int ockam_channel_receive(struct ockam_channel *ch, struct ockam_message *msg,
			  struct ockam_dispatch *d)
{
	struct ockam_channel_rx *rx = &ch->rx;
	bool full, run;

	/* What is charged now is uncharged later, whatever the message becomes. */
	msg->cookie = msg->truesize;
	spin_lock_bh(&rx->lock);
	if (READ_ONCE(ch->dead)) {
		spin_unlock_bh(&rx->lock);
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, msg);
		return -EPIPE;
	}
	full = ockam_gate_charge(&rx->gate, msg->cookie);
	list_add_tail(&msg->list, &rx->queue);
	run = !rx->corked && !READ_ONCE(rx->paused);
	spin_unlock_bh(&rx->lock);

	if (run)
		ockam_channel_queue_rx(ch);
	/* Not every caller found us by the decryptor. */
	if (full && ockam_endpoint_tryget(&ch->dec)) {
		ockam_dispatch_note_gate(d, &rx->gate);
		ockam_endpoint_put(&ch->dec);
	}
	return 0;
}

int ockam_channel_deliver_rx(struct ockam_endpoint *ep, struct ockam_message *msg,
			     struct ockam_dispatch *d)
{
	return ockam_channel_receive(container_of(ep, struct ockam_channel, dec),
				     msg, d);
}

void ockam_channel_start(struct ockam_channel *ch, struct list_head *held)
{
	struct ockam_channel_rx *rx = &ch->rx;
	struct ockam_message *msg;

	spin_lock_bh(&rx->lock);
	if (held) {
		list_for_each_entry(msg, held, list) {
			msg->cookie = msg->truesize;
			ockam_gate_charge(&rx->gate, msg->cookie);
		}
		list_splice_init(held, &rx->queue);
	}
	rx->corked = false;
	spin_unlock_bh(&rx->lock);
	ockam_channel_queue_rx(ch);
}

/* Window and key for a nonce; nothing changes but a tentative next key. */
static enum ockam_mib ockam_channel_select(struct ockam_channel_rx *rx,
					   u64 nonce,
					   struct ockam_aead_key **key)
{
	enum ockam_key_slot slot;

	switch (ockam_replay_check(&rx->window, nonce, &slot)) {
	case OCKAM_REPLAY_OK:
		break;
	case OCKAM_REPLAY_TOO_OLD:
		return OCKAM_DROP_PACKET_TOO_OLD;
	case OCKAM_REPLAY_TOO_FAR:
		return OCKAM_DROP_PACKET_TOO_FAR;
	case OCKAM_REPLAY_REPLAYED:
		return OCKAM_DROP_PACKET_REPLAYED;
	default:
		return OCKAM_DROP_PACKET_NO_KEY;
	}
	*key = &rx->keys[slot];
	/* One derivation, however many packets claim to be of that interval. */
	if (slot == OCKAM_KEY_NEXT && !(*key)->id)
		ockam_aead_key_next(*key, &rx->keys[OCKAM_KEY_CURRENT]);
	return (*key)->id ? 0 : OCKAM_DROP_PACKET_NO_KEY;
}

/* The tag of @nonce has verified. */
static void ockam_channel_commit(struct ockam_channel *ch, u64 nonce, size_t len)
{
	struct ockam_channel_rx *rx = &ch->rx;

	if (ockam_replay_commit(&rx->window, nonce)) {
		ockam_aead_key_wipe(&rx->keys[OCKAM_KEY_PREVIOUS]);
		rx->keys[OCKAM_KEY_PREVIOUS] = rx->keys[OCKAM_KEY_CURRENT];
		rx->keys[OCKAM_KEY_CURRENT] = rx->keys[OCKAM_KEY_NEXT];
		memzero_explicit(&rx->keys[OCKAM_KEY_NEXT],
				 sizeof(rx->keys[OCKAM_KEY_NEXT]));
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_REKEYS);
	}
	spin_lock_bh(&rx->lock);
	rx->messages++;
	rx->bytes += len;
	spin_unlock_bh(&rx->lock);
	WRITE_ONCE(ch->live.heard, jiffies);
	ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_PACKETS_RX);
}

/* The peer has shown that it has the keys, and not to say that it goes. */
static void ockam_channel_confirm(struct ockam_channel *ch)
{
	if (ch->confirmed)
		return;
	WRITE_ONCE(ch->confirmed, true);
	if (ch->ops && ch->ops->confirmed)
		ch->ops->confirmed(ch, ch->cookie);
}

/* Open the packet in @msg: it holds the plaintext afterwards. 0 or a reason. */
static enum ockam_mib ockam_channel_open(struct ockam_channel *ch,
					 struct ockam_message *msg, u64 *nonce)
{
	struct ockam_aead_key *key;
	enum ockam_mib reason;
	struct ockam_aead_op *op;
	size_t len = msg->len;
	int err;

	if (len < OCKAM_NONCE_LEN + OCKAM_TAG_LEN)
		return OCKAM_DROP_PACKET_SHORT;
	*nonce = get_unaligned_be64(msg->data);
	reason = ockam_channel_select(&ch->rx, *nonce, &key);
	if (reason)
		return reason;
	op = ockam_aead_prepare(key, msg->data, len);
	if (!op)
		return OCKAM_DROP_NO_MEMORY;
	ockam_message_pull(msg, OCKAM_NONCE_LEN);
	err = ockam_aead_open(op, msg->data, msg->len, *nonce);
	if (err)
		return err == -EBADMSG ? OCKAM_DROP_PACKET_BAD_TAG :
					 OCKAM_DROP_NO_MEMORY;
	ockam_message_trim(msg, msg->len - OCKAM_TAG_LEN);
	ockam_channel_commit(ch, *nonce, len);
	return 0;
}

/*
 * A responder follows its initiator to another path: what transports put into
 * the return route of the newest Payload, and the peer's decryptor behind it.
 */
static int ockam_channel_follow(struct ockam_channel *ch,
				const struct ockam_message *msg, u64 nonce)
{
	struct ockam_route route, old;
	struct ockam_hop last;
	u64 first;
	int err;

	if (ch->role != OCKAM_ROLE_RESPONDER || nonce <= ch->rx.route_nonce)
		return 0;
	ch->rx.route_nonce = nonce;
	/* Without a way back there is nothing to follow. */
	if (!msg->ret.hops)
		return 0;

	ockam_route_init(&route);
	ockam_route_init(&old);
	err = ockam_channel_copy_path(ch, &old, &first);
	if (err || !ockam_route_last(&old, &last))
		goto out;
	if (first == msg->ret_id &&
	    old.len == msg->ret.len + OCKAM_HOP_HDR_LEN + last.len &&
	    !memcmp(ockam_route_bytes(&old), ockam_route_bytes(&msg->ret),
		    msg->ret.len))
		goto out;
	err = ockam_route_copy(&route, &msg->ret);
	if (!err)
		err = ockam_route_push_back(&route, &last);
	if (!err)
		err = ockam_channel_move_path(ch, &route, msg->ret_id);
	if (!err)
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_ROUTE_UPDATES);
out:
	ockam_route_reset(&route);
	ockam_route_reset(&old);
	return err == -E2BIG ? err : 0;
}

/* A decoded Payload goes into the node. Takes @msg. */
static void ockam_channel_route_inner(struct ockam_channel *ch,
				      struct ockam_message *msg,
				      struct ockam_body *body,
				      struct ockam_dispatch *d)
{
	struct ockam_hop enc = ockam_endpoint_hop(&ch->enc);
	struct ockam_hop dec = ockam_endpoint_hop(&ch->dec);
	struct ockam_hop first;
	int err;

	/* The answer to a probe has done its work by being opened. */
	if (ockam_route_first(&body->onward, &first) &&
	    ockam_hop_equal(&first, &dec)) {
		WRITE_ONCE(ch->live.answered, true);
		ockam_message_free(msg);
		return;
	}
	err = ockam_route_push_front(&body->ret, &enc);
	if (err) {
		ockam_drop(ch->on, err == -E2BIG ? OCKAM_DROP_ROUTE_LIMIT :
						   OCKAM_DROP_NO_MEMORY, msg);
		return;
	}
	ockam_message_pull(msg, body->payload_len ? body->payload - msg->data : 0);
	ockam_message_trim(msg, body->payload_len);
	ockam_route_move(&msg->onward, &body->onward);
	ockam_route_move(&msg->ret, &body->ret);
	msg->ret_id = ch->enc.id;
	memcpy(msg->peer, ch->peer, sizeof(msg->peer));
	msg->has_peer = true;
	msg->control = false;
	ockam_message_count_routes(msg);
	ockam_route_dispatch(ch->on, msg, &ch->origin, d);
}

static void ockam_channel_read_inner(struct ockam_channel *ch,
				     struct ockam_message *msg, u64 nonce,
				     struct ockam_dispatch *d)
{
	struct ockam_inner in;
	u32 portid;
	int err;

	ockam_body_init(&in.body);
	err = ockam_wire_decode_inner(msg->data, msg->len, &in);
	/* A Close as first packet is a refusal. */
	if (err || in.kind != OCKAM_INNER_CLOSE)
		ockam_channel_confirm(ch);
	if (err) {
		ockam_drop(ch->on, err == -ENOMEM ? OCKAM_DROP_NO_MEMORY :
						    OCKAM_DROP_PACKET_MALFORMED,
			   msg);
		return;
	}
	switch (in.kind) {
	case OCKAM_INNER_PAYLOAD:
		if (ockam_channel_follow(ch, msg, nonce))
			ockam_drop(ch->on, OCKAM_DROP_PACKET_ROUTE, msg);
		else
			ockam_channel_route_inner(ch, msg, &in.body, d);
		break;
	case OCKAM_INNER_REFRESH:
		/* One attribute carries it, whose length has 16 bits. */
		if (in.body.payload_len > OCKAM_HANDSHAKE_MAX) {
			ockam_drop(ch->on, OCKAM_DROP_TOO_LARGE, msg);
			break;
		}
		/* Lost when no worker is bound, like one that nobody reads. */
		portid = READ_ONCE(ch->on->worker_portid);
		if (portid)
			ockam_event_control(ch->on, portid, &ch->enc, ch->peer,
					    in.body.payload,
					    in.body.payload_len);
		ockam_message_free(msg);
		break;
	case OCKAM_INNER_CLOSE:
		ockam_message_free(msg);
		ockam_channel_kill(ch, 0, "closed by the peer", true);
		break;
	}
	ockam_body_reset(&in.body);
}

/* One packet from the queue into the node. */
static void ockam_channel_rx_one(struct ockam_channel *ch,
				 struct ockam_message *msg,
				 struct ockam_dispatch *d)
{
	size_t charged = msg->cookie;
	enum ockam_mib reason;
	u64 nonce;

	if (ockam_channel_expired(ch)) {
		ockam_channel_queue_expiry(ch, 0);
		reason = OCKAM_DROP_CHANNEL_EXPIRED;
	} else {
		reason = ockam_channel_open(ch, msg, &nonce);
	}
	if (reason)
		ockam_drop(ch->on, reason, msg);
	else
		ockam_channel_read_inner(ch, msg, nonce, d);
	ockam_gate_uncharge(&ch->rx.gate, charged);
}

/* The channel is dead: free what waits, forget the keys. Idempotent. */
static void ockam_channel_end_rx(struct ockam_channel *ch)
{
	struct ockam_channel_rx *rx = &ch->rx;
	struct ockam_message *msg, *next;
	unsigned int i;
	LIST_HEAD(list);

	ockam_gate_cancel(&rx->waiter);
	spin_lock_bh(&rx->lock);
	list_splice_init(&rx->queue, &list);
	spin_unlock_bh(&rx->lock);
	list_for_each_entry_safe(msg, next, &list, list) {
		list_del_init(&msg->list);
		ockam_gate_uncharge(&rx->gate, msg->cookie);
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, msg);
	}
	for (i = 0; i < __OCKAM_KEY_SLOTS; i++)
		ockam_aead_key_wipe(&rx->keys[i]);
}

/* A queue further on is full: stop until it has drained. */
static bool ockam_channel_pause(struct ockam_channel *ch,
				struct ockam_gate *gate)
{
	/* First the flag: the wake-up may come at once and clears it. */
	WRITE_ONCE(ch->rx.paused, true);
	if (ockam_gate_wait(gate, &ch->rx.waiter)) {
		ockam_channel_queue_stall(ch);
		return true;
	}
	WRITE_ONCE(ch->rx.paused, false);
	return false;
}

static void ockam_channel_rx_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(work, struct ockam_channel,
						rx.work);
	struct ockam_channel_rx *rx = &ch->rx;
	unsigned int left = OCKAM_CHANNEL_BATCH;
	struct ockam_message *msg;
	struct ockam_dispatch d;
	bool paused = false;

	while (!READ_ONCE(ch->dead) && !READ_ONCE(rx->paused) && !paused) {
		if (!left--) {
			ockam_channel_queue_rx(ch);
			break;
		}
		spin_lock_bh(&rx->lock);
		msg = rx->corked ? NULL :
		      list_first_entry_or_null(&rx->queue, struct ockam_message,
					       list);
		if (msg)
			list_del_init(&msg->list);
		spin_unlock_bh(&rx->lock);
		if (!msg)
			break;

		ockam_dispatch_init(&d);
		ockam_channel_rx_one(ch, msg, &d);
		if (d.gate)
			paused = ockam_channel_pause(ch, d.gate);
		ockam_dispatch_fini(&d);
		cond_resched();
	}
	if (READ_ONCE(ch->dead))
		ockam_channel_end_rx(ch);
	ockam_channel_put(ch);
}
