// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving on a channel, in the order of arrival (wire-protocol sections 6.3,
 * 6.5 and 6.6). The work of the link that has read a packet opens it at once when
 * the channel is idle; what arrives while somebody else opens, or while a queue
 * further on is full, waits for the channel's own work.
 *
 * A packet goes through select (window and key, no change of state), open
 * (AEAD alone) and commit.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/skbuff.h>

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
	__skb_queue_head_init(&rx->queue);
	u64_stats_init(&rx->stats);
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

/* @skb is for the caller's opening, who then has ->busy. Else it was taken. */
static bool ockam_channel_enqueue(struct ockam_channel *ch, struct sk_buff *skb,
				  struct ockam_dispatch *d, int *err)
{
	/* What programs send here is no reason to open in their time slice. */
	bool local = ockam_cb(skb)->flags & OCKAM_MSG_LOCAL;
	struct ockam_channel_rx *rx = &ch->rx;
	bool full, run;

	*err = 0;
	spin_lock_bh(&rx->lock);
	if (READ_ONCE(ch->dead)) {
		spin_unlock_bh(&rx->lock);
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
		*err = -EPIPE;
		return false;
	}
	if (likely(!rx->busy && !local && !rx->corked && !rx->paused &&
		   skb_queue_empty(&rx->queue))) {
		rx->busy = true;
		rx->by_work = false;
		spin_unlock_bh(&rx->lock);
		return true;
	}
	full = ockam_gate_charge(&rx->gate, skb->truesize);
	__skb_queue_tail(&rx->queue, skb);
	run = !rx->busy && !rx->corked && !rx->paused;
	spin_unlock_bh(&rx->lock);

	if (run)
		ockam_channel_queue_rx(ch);
	/* Not every caller found us by the decryptor. */
	if (full && ockam_endpoint_tryget(&ch->dec)) {
		ockam_dispatch_note_gate(d, &rx->gate);
		ockam_endpoint_put(&ch->dec);
	}
	return false;
}

/* Nobody opens any more. What has come meanwhile is the work's. */
static void ockam_channel_release_rx(struct ockam_channel *ch)
{
	struct ockam_channel_rx *rx = &ch->rx;
	bool run;

	spin_lock_bh(&rx->lock);
	rx->busy = false;
	run = READ_ONCE(ch->dead) ||
	      (!skb_queue_empty(&rx->queue) && !rx->corked && !rx->paused);
	spin_unlock_bh(&rx->lock);
	if (run)
		ockam_channel_queue_rx(ch);
}

void ockam_channel_start(struct ockam_channel *ch, struct sk_buff_head *held)
{
	struct ockam_channel_rx *rx = &ch->rx;
	struct sk_buff *skb;

	spin_lock_bh(&rx->lock);
	if (held) {
		skb_queue_walk(held, skb)
			ockam_gate_charge(&rx->gate, skb->truesize);
		skb_queue_splice_init(held, &rx->queue);
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
	bool rekeyed;

	rekeyed = ockam_replay_commit(&rx->window, nonce);
	if (rekeyed) {
		ockam_aead_key_wipe(&rx->keys[OCKAM_KEY_PREVIOUS]);
		rx->keys[OCKAM_KEY_PREVIOUS] = rx->keys[OCKAM_KEY_CURRENT];
		rx->keys[OCKAM_KEY_CURRENT] = rx->keys[OCKAM_KEY_NEXT];
		memzero_explicit(&rx->keys[OCKAM_KEY_NEXT],
				 sizeof(rx->keys[OCKAM_KEY_NEXT]));
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_REKEYS);
	}
	u64_stats_update_begin(&rx->stats);
	if (rekeyed)
		u64_stats_inc(&rx->rekeys);
	u64_stats_inc(&rx->messages);
	u64_stats_add(&rx->bytes, len);
	u64_stats_update_end(&rx->stats);
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

/*
 * Open the packet @skb. 0 and *@plain, which is @skb itself unless others use its
 * fragments too: those are opened out of place. Else a reason.
 */
static enum ockam_mib ockam_channel_open(struct ockam_channel *ch,
					 struct sk_buff *skb,
					 struct sk_buff **plain, u64 *nonce)
{
	bool shared = ockam_cb(skb)->flags & OCKAM_MSG_SHARED;
	unsigned int off = OCKAM_NONCE_LEN, len = skb->len, n_sg;
	struct ockam_aead_key *key;
	struct ockam_aead_op *op;
	struct sk_buff *to = skb;
	enum ockam_mib reason;
	__be64 buf, *p;
	int err;

	if (len < OCKAM_NONCE_LEN + OCKAM_TAG_LEN)
		return OCKAM_DROP_PACKET_SHORT;
	p = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	*nonce = get_unaligned_be64(p);
	reason = ockam_channel_select(&ch->rx, *nonce, &key);
	if (reason)
		return reason;
	n_sg = ockam_aead_count_skb(skb);
	if (shared) {
		to = ockam_message_alloc(ch->on, 0, len - OCKAM_NONCE_LEN -
					 OCKAM_TAG_LEN, false,
					 GFP_KERNEL_ACCOUNT);
		if (!to)
			return OCKAM_DROP_NO_MEMORY;
		ockam_cb(to)->depth = ockam_cb(skb)->depth;
		n_sg += ockam_aead_count_skb(to);
		off = 0;
	}
	op = ockam_aead_reserve(&ch->on->aead, key, n_sg);
	err = op ? ockam_aead_open_skb(op, skb, OCKAM_NONCE_LEN,
				       len - OCKAM_NONCE_LEN, to, off, *nonce) :
		   -ENOMEM;
	if (!err && !shared) {
		err = pskb_pull(skb, OCKAM_NONCE_LEN) ?
		      pskb_trim(skb, skb->len - OCKAM_TAG_LEN) : -ENOMEM;
	}
	if (err) {
		if (shared)
			ockam_message_free(to);
		return err == -EBADMSG ? OCKAM_DROP_PACKET_BAD_TAG :
					 OCKAM_DROP_NO_MEMORY;
	}
	ockam_channel_commit(ch, *nonce, len);
	*plain = to;
	return 0;
}

/* Does the path lead where @skb came from? Then *@last is the end of it. */
static bool ockam_channel_same_way(const struct ockam_channel_path *path,
				   const struct sk_buff *skb)
{
	struct ockam_hops hops = ockam_route_hops(&path->route);
	const struct ockam_cb *cb = ockam_cb(skb);
	struct ockam_hop last;

	/* All of it but the peer's decryptor. */
	return path->first == cb->ret_id && hops.hops == cb->ret_hops + 1 &&
	       ockam_hops_last(&hops, &last) &&
	       hops.len == cb->ret_len + OCKAM_HOP_HDR_LEN + last.len &&
	       !memcmp(hops.bytes, skb->head + cb->ret, cb->ret_len);
}

/*
 * A responder follows its initiator to another path: what transports put into
 * the return route of the newest Payload, and the peer's decryptor behind it.
 */
static int ockam_channel_follow(struct ockam_channel *ch,
				const struct sk_buff *skb, u64 nonce)
{
	struct ockam_hops ret = ockam_message_ret(skb);
	struct ockam_route route, old;
	struct ockam_hop last;
	bool same;
	u64 first;
	int err;

	if (ch->role != OCKAM_ROLE_RESPONDER || nonce <= ch->rx.route_nonce)
		return 0;
	ch->rx.route_nonce = nonce;
	/* Without a way back there is nothing to follow. */
	if (!ret.hops)
		return 0;
	rcu_read_lock();
	same = ockam_channel_same_way(rcu_dereference(ch->path), skb);
	rcu_read_unlock();
	if (likely(same))
		return 0;

	ockam_route_init(&route);
	ockam_route_init(&old);
	err = ockam_channel_copy_path(ch, &old, &first);
	if (err || !ockam_route_last(&old, &last))
		goto out;
	err = ockam_route_set(&route, ret.bytes, ret.len);
	if (!err)
		err = ockam_route_push_back(&route, &last);
	if (!err)
		err = ockam_channel_move_path(ch, &route, ockam_cb(skb)->ret_id);
	if (!err)
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_ROUTE_UPDATES);
out:
	ockam_route_reset(&route);
	ockam_route_reset(&old);
	return err == -E2BIG ? err : 0;
}

/*
 * A decoded Payload goes into the node: handed on in @d, or 0 or a reason not to.
 * Takes @skb when it returns none.
 */
static enum ockam_mib ockam_channel_route_inner(struct ockam_channel *ch,
						struct sk_buff *skb,
						struct ockam_wire_message *m,
						struct ockam_dispatch *d)
{
	struct ockam_hop dec = ockam_endpoint_hop(&ch->dec);
	struct ockam_cb *cb = ockam_cb(skb);
	struct ockam_hop first;
	int err;

	if (ockam_message_unpack(skb, m, GFP_KERNEL_ACCOUNT))
		return OCKAM_DROP_NO_MEMORY;
	/* The answer to a probe has done its work by being opened. */
	if (ockam_message_first(skb, &first) && ockam_hop_equal(&first, &dec)) {
		WRITE_ONCE(ch->live.answered, true);
		ockam_message_free(skb);
		return 0;
	}
	err = ockam_message_return_to(skb, &ch->enc, GFP_KERNEL_ACCOUNT);
	if (err)
		return err == -E2BIG ? OCKAM_DROP_ROUTE_LIMIT :
				       OCKAM_DROP_NO_MEMORY;
	memcpy(ockam_message_peer(skb), ch->peer, sizeof(ch->peer));
	cb->flags = (cb->flags | OCKAM_MSG_PEER) & ~OCKAM_MSG_CONTROL;
	if (ch->sink)
		ockam_route_forward_to(d, &ch->dec, skb, ch->sink);
	else
		ockam_route_forward(d, &ch->dec, skb);
	return 0;
}

/* What @skb, which is @len bytes of plaintext, holds. 0 or an errno. */
static int ockam_channel_scan(struct sk_buff *skb, enum ockam_inner_kind *kind,
			      struct ockam_wire_message *m)
{
	u8 last = 0;
	int err;

	if (skb_is_nonlinear(skb))
		skb_copy_bits(skb, skb->len - 1, &last, sizeof(last));
	err = ockam_wire_scan_inner(skb->data, skb_headlen(skb), skb->len, last,
				    kind, m);
	if (err == -EAGAIN || (!err && *kind == OCKAM_INNER_REFRESH &&
			       skb_is_nonlinear(skb))) {
		/* An unusual encoding, or one item that is needed as a whole. */
		if (skb_linearize(skb))
			return -ENOMEM;
		err = ockam_wire_scan_inner(skb->data, skb->len, skb->len, last,
					    kind, m);
	}
	return err;
}

/* RefreshCredentials is the worker's. A reason to drop, or 0. */
static enum ockam_mib ockam_channel_refresh(struct ockam_channel *ch,
					    struct sk_buff *skb,
					    const struct ockam_wire_message *m)
{
	u32 portid;

	/* One attribute carries it, whose length has 16 bits. */
	if (m->payload_len > OCKAM_HANDSHAKE_MAX)
		return OCKAM_DROP_TOO_LARGE;
	/* Lost when no worker is bound, like one that nobody reads. */
	portid = READ_ONCE(ch->on->worker_portid);
	if (portid)
		ockam_event_control(ch->on, portid, &ch->enc, ch->peer,
				    skb->data + m->payload, m->payload_len);
	ockam_message_free(skb);
	return 0;
}

/* A packet goes no further. By who has ->busy. */
static void ockam_channel_refuse(struct ockam_channel *ch, struct sk_buff *skb,
				 enum ockam_mib reason)
{
	struct ockam_channel_rx *rx = &ch->rx;

	if (reason >= OCKAM_DROP_PACKET_SHORT && reason <= OCKAM_DROP_PACKET_ROUTE) {
		u64_stats_update_begin(&rx->stats);
		u64_stats_inc(&rx->refused[reason - OCKAM_DROP_PACKET_SHORT]);
		u64_stats_update_end(&rx->stats);
	}
	ockam_drop(ch->on, reason, skb);
}

/* @skb is the plaintext of @packet, which may be the same. Takes @skb. */
static void ockam_channel_read_inner(struct ockam_channel *ch,
				     struct sk_buff *skb,
				     const struct sk_buff *packet, u64 nonce,
				     struct ockam_dispatch *d)
{
	enum ockam_mib reason = 0;
	struct ockam_wire_message m;
	enum ockam_inner_kind kind;
	int err;

	err = ockam_channel_scan(skb, &kind, &m);
	/* A Close as first packet is a refusal. */
	if (err || kind != OCKAM_INNER_CLOSE)
		ockam_channel_confirm(ch);
	if (err) {
		ockam_channel_refuse(ch, skb, err == -ENOMEM ?
				     OCKAM_DROP_NO_MEMORY :
				     OCKAM_DROP_PACKET_MALFORMED);
		return;
	}
	switch (kind) {
	case OCKAM_INNER_PAYLOAD:
		if (ockam_channel_follow(ch, packet, nonce))
			reason = OCKAM_DROP_PACKET_ROUTE;
		else
			reason = ockam_channel_route_inner(ch, skb, &m, d);
		break;
	case OCKAM_INNER_REFRESH:
		reason = ockam_channel_refresh(ch, skb, &m);
		break;
	case OCKAM_INNER_CLOSE:
		ockam_message_free(skb);
		ockam_channel_kill(ch, 0, "closed by the peer", true);
		break;
	}
	if (reason)
		ockam_channel_refuse(ch, skb, reason);
}

/*
 * One packet into the node, by who has ->busy: what it holds is handed on in @d,
 * if anything.
 */
static void ockam_channel_rx_one(struct ockam_channel *ch, struct sk_buff *skb,
				 struct ockam_dispatch *d)
{
	struct sk_buff *plain = NULL;
	enum ockam_mib reason;
	u64 nonce;

	if (ockam_channel_expired(ch)) {
		ockam_channel_queue_expiry(ch, 0);
		reason = OCKAM_DROP_CHANNEL_EXPIRED;
	} else {
		reason = ockam_channel_open(ch, skb, &plain, &nonce);
	}
	if (reason) {
		ockam_channel_refuse(ch, skb, reason);
		return;
	}
	ockam_channel_read_inner(ch, plain, skb, nonce, d);
	if (plain != skb)
		ockam_message_free(skb);
}

int ockam_channel_receive(struct ockam_channel *ch, struct sk_buff *skb,
			  struct ockam_dispatch *d)
{
	int err;

	if (!ockam_channel_enqueue(ch, skb, d, &err))
		return err;
	/* What is handed on holds the decryptor, which may have ended by now. */
	if (!ockam_endpoint_tryget(&ch->dec)) {
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
		ockam_channel_release_rx(ch);
		return 0;
	}
	ockam_channel_rx_one(ch, skb, d);
	ockam_endpoint_put(&ch->dec);
	/* Until it has been taken further on, or the next one could be faster. */
	if (!d->next)
		ockam_channel_release_rx(ch);
	return 0;
}

int ockam_channel_deliver_rx(struct ockam_endpoint *ep, struct sk_buff *skb,
			     struct ockam_dispatch *d)
{
	return ockam_channel_receive(container_of(ep, struct ockam_channel, dec),
				     skb, d);
}

/* The channel is dead: free what waits, forget the keys. Idempotent. */
static void ockam_channel_end_rx(struct ockam_channel *ch)
{
	struct ockam_channel_rx *rx = &ch->rx;
	struct sk_buff_head list;
	struct sk_buff *skb;
	unsigned int i;

	ockam_gate_cancel(&rx->waiter);
	__skb_queue_head_init(&list);
	spin_lock_bh(&rx->lock);
	skb_queue_splice_init(&rx->queue, &list);
	spin_unlock_bh(&rx->lock);
	while ((skb = __skb_dequeue(&list))) {
		ockam_gate_uncharge(&rx->gate, skb->truesize);
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
	}
	for (i = 0; i < __OCKAM_KEY_SLOTS; i++)
		ockam_aead_key_wipe(&rx->keys[i]);
}

/* A queue further on is full: stop until it has drained. By who has ->busy. */
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

/*
 * What a link's work has opened is further on. If a queue there is full it is the
 * channel that waits for it: the link reads on for others, until our own is full.
 */
void ockam_channel_forwarded_rx(struct ockam_endpoint *ep,
				struct ockam_dispatch *d)
{
	struct ockam_channel *ch = container_of(ep, struct ockam_channel, dec);

	if (ch->rx.by_work)
		return;
	if (d->gate) {
		ockam_channel_pause(ch, d->gate);
		ockam_dispatch_forget_gate(d);
	}
	ockam_channel_release_rx(ch);
}

/* May the work open? Then it has ->busy, and what waited is in @run. */
static bool ockam_channel_begin_run(struct ockam_channel *ch,
				    struct sk_buff_head *run)
{
	struct ockam_channel_rx *rx = &ch->rx;
	bool ours;

	__skb_queue_head_init(run);
	spin_lock_bh(&rx->lock);
	/* Who has it looks at the queue when he is done. */
	ours = !rx->busy;
	if (ours) {
		rx->busy = true;
		rx->by_work = true;
		if (!rx->corked && !rx->paused)
			skb_queue_splice_init(&rx->queue, run);
	}
	spin_unlock_bh(&rx->lock);
	return ours;
}

static void ockam_channel_rx_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(work, struct ockam_channel,
						rx.work);
	struct ockam_channel_rx *rx = &ch->rx;
	unsigned int left = OCKAM_CHANNEL_BATCH;
	struct ockam_dispatch d;
	struct sk_buff_head run;
	struct sk_buff *skb;
	bool paused = false, held;
	size_t charged;

	if (!ockam_channel_begin_run(ch, &run))
		goto out;
	/* What is handed on holds the decryptor; without one it is dead. */
	held = ockam_endpoint_tryget(&ch->dec);
	while (held && !READ_ONCE(ch->dead) && !paused && left-- &&
	       (skb = __skb_dequeue(&run))) {
		charged = skb->truesize;
		ockam_dispatch_init(&d);
		ockam_channel_rx_one(ch, skb, &d);
		ockam_route_run(ch->on, &d);
		ockam_gate_uncharge(&rx->gate, charged);
		if (d.gate)
			paused = ockam_channel_pause(ch, d.gate);
		ockam_dispatch_fini(&d);
		cond_resched();
	}
	if (held)
		ockam_endpoint_put(&ch->dec);
	spin_lock_bh(&rx->lock);
	skb_queue_splice(&run, &rx->queue);
	spin_unlock_bh(&rx->lock);
	if (READ_ONCE(ch->dead)) {
		ockam_channel_end_rx(ch);
		spin_lock_bh(&rx->lock);
		rx->busy = false;
		spin_unlock_bh(&rx->lock);
	} else {
		ockam_channel_release_rx(ch);
	}
out:
	ockam_channel_put(ch);
}
