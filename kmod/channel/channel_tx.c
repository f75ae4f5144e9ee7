// SPDX-License-Identifier: GPL-2.0
/*
 * Sending on a channel: the plaintext is built and sealed in place, in the
 * sender's own context (wire-protocol sections 6.1, 6.2 and 6.4).
 *
 * Everything that can fail comes before a nonce is taken: memory for headers
 * and trailers, the remote route, the next hop, the transform. A nonce that was
 * taken and not sent would be a hole, and 32 holes in a row kill a channel; so
 * from there on there is success or the channel dies.
 *
 * From the nonce until the packet is in the queue of its link a sender cannot be
 * preempted: nobody who sends through the same channel waits for the time slice
 * of a program. That is why larger messages are sealed by a work, which also
 * carries whatever a sender cannot carry itself: packets whose turn has not come
 * when they are sealed (they leave in the order of nonces), those that an
 * asynchronous driver seals, and those whose next hop may sleep. No sender waits
 * for another one: channels may lead through each other in a ring.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/skbuff.h>

#include "channel.h"
#include "compat.h"
#include "message.h"
#include "route.h"
#include "wire.h"

/* Plaintexts up to this size are sealed without a chance to be preempted. */
#define OCKAM_CHANNEL_INLINE_BYTES	(64u << 10)
/* Packets that one run of the work carries before others get their turn. */
#define OCKAM_CHANNEL_TX_BATCH		64

static void ockam_channel_tx_work(struct work_struct *work);

void ockam_channel_init_tx(struct ockam_channel *ch, const u8 *key)
{
	spin_lock_init(&ch->tx.lock);
	__skb_queue_head_init(&ch->tx.order);
	__skb_queue_head_init(&ch->tx.later);
	INIT_WORK(&ch->tx.work, ockam_channel_tx_work);
	ockam_aead_key_install(&ch->tx.key, key);
}

/* No nonce is given out any more. What has one still leaves. */
void ockam_channel_close_tx(struct ockam_channel *ch)
{
	struct ockam_channel_tx *tx = &ch->tx;

	spin_lock_bh(&tx->lock);
	tx->closed = true;
	ockam_aead_key_wipe(&tx->key);
	spin_unlock_bh(&tx->lock);
}

/* The caller has set ->busy: the work goes on from there. Any context. */
static void ockam_channel_queue_tx(struct ockam_channel *ch)
{
	ockam_channel_get(ch);
	if (WARN_ON_ONCE(!queue_work(ockam_channel_wq, &ch->tx.work)))
		ockam_channel_put(ch);
}

/* The key of the next nonce, copied to @key. */
static int ockam_channel_get_key(struct ockam_channel *ch,
				 struct ockam_aead_key *key, u64 *interval)
{
	struct ockam_channel_tx *tx = &ch->tx;
	struct ockam_aead_key next;
	int err = 0;

	spin_lock_bh(&tx->lock);
	if (tx->closed) {
		err = -EPIPE;
		goto out;
	}
	if (tx->next / OCKAM_REKEY_INTERVAL != tx->interval) {
		ockam_aead_key_next(&next, &tx->key);
		ockam_aead_key_wipe(&tx->key);
		tx->key = next;
		memzero_explicit(&next, sizeof(next));
		tx->interval++;
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_REKEYS);
	}
	*key = tx->key;
	*interval = tx->interval;
out:
	spin_unlock_bh(&tx->lock);
	return err;
}

/* Under the lock: the nonce, and a place in the order of packets. */
static int __ockam_channel_take_nonce(struct ockam_channel *ch,
				      struct sk_buff *skb, u64 interval,
				      bool last, u64 *nonce)
	__must_hold(&ch->tx.lock)
{
	struct ockam_channel_tx *tx = &ch->tx;

	lockdep_assert_held(&tx->lock);
	if (tx->closed)
		return -EPIPE;
	if (tx->next == U64_MAX)
		return -EOVERFLOW;	/* never used for a message */
	/* Others took the rest of the interval: again, with the next key. */
	if (tx->next / OCKAM_REKEY_INTERVAL != interval)
		return -EAGAIN;
	*nonce = tx->next++;
	tx->messages++;
	tx->bytes += OCKAM_NONCE_LEN + skb->len;
	ockam_cb(skb)->flags &= ~OCKAM_MSG_SEALED;
	__skb_queue_tail(&tx->order, skb);
	/*
	 * Until it has left. The birth's is there still: the death sets ->closed
	 * before it puts that.
	 */
	ockam_endpoint_get(&ch->enc);
	if (last) {
		tx->closed = true;
		ockam_aead_key_wipe(&tx->key);
	}
	return 0;
}

/*
 * A transform with the right key, the nonce that goes with it, and a place in
 * the order of packets. @last: no other nonce after this one. On success @op
 * has been prepared for @skb, whose tag is part of skb->len, and bottom halves
 * are off.
 */
static int ockam_channel_take_nonce(struct ockam_channel *ch,
				    struct sk_buff *skb, bool last,
				    struct ockam_aead_op **op, u64 *nonce)
{
	struct ockam_channel_tx *tx = &ch->tx;
	struct ockam_aead_key key;
	u64 interval;
	int err;

	do {
		err = ockam_channel_get_key(ch, &key, &interval);
		if (err)
			break;
		*op = ockam_aead_reserve(&ch->on->aead, &key,
					 ockam_aead_count_skb(skb));
		if (!*op) {
			err = -ENOMEM;
			break;
		}
		spin_lock_bh(&tx->lock);
		err = __ockam_channel_take_nonce(ch, skb, interval, last,
						 nonce);
		if (tx->key.id == key.id)
			tx->key.hint = key.hint;
		if (!err) {
			/* Not those of the lock only. */
			spin_unlock(&tx->lock);
			break;
		}
		spin_unlock_bh(&tx->lock);
		ockam_aead_release(*op);
	} while (err == -EAGAIN);
	memzero_explicit(&key, sizeof(key));
	return err;
}

/* The next packet, when it is ready to leave. */
static struct sk_buff *__ockam_channel_next(struct ockam_channel_tx *tx)
	__must_hold(&tx->lock)
{
	struct sk_buff *skb = skb_peek(&tx->order);

	lockdep_assert_held(&tx->lock);
	return skb && ockam_cb(skb)->flags & OCKAM_MSG_SEALED ? skb : NULL;
}

/* Is there anything for the work? */
static bool __ockam_channel_more(struct ockam_channel_tx *tx)
	__must_hold(&tx->lock)
{
	return __ockam_channel_next(tx) || !skb_queue_empty(&tx->later) ||
	       tx->failed;
}

enum ockam_channel_turn {
	OCKAM_CHANNEL_CARRY,	/* the caller carries it, and calls carried() */
	OCKAM_CHANNEL_LEFT,	/* others do, it is no more the caller's */
	OCKAM_CHANNEL_BROKEN,	/* it must not leave, and is the caller's */
};

/*
 * @skb is sealed. @carry: the caller could carry it. With CARRY it has the
 * reference on ->enc that the place in the order had.
 */
static enum ockam_channel_turn
ockam_channel_commit_tx(struct ockam_channel *ch, struct sk_buff *skb,
			bool carry)
{
	enum ockam_channel_turn turn = OCKAM_CHANNEL_LEFT;
	struct ockam_channel_tx *tx = &ch->tx;
	bool work = false;

	spin_lock_bh(&tx->lock);
	ockam_cb(skb)->flags |= OCKAM_MSG_SEALED;
	if (tx->broken) {
		__skb_unlink(skb, &tx->order);
		turn = OCKAM_CHANNEL_BROKEN;
	} else if (!tx->busy && __ockam_channel_next(tx)) {
		/* Nobody carries, so all that were sealed before have left. */
		tx->busy = true;
		if (carry) {
			__skb_unlink(skb, &tx->order);
			turn = OCKAM_CHANNEL_CARRY;
		}
		work = !carry;
	}
	spin_unlock_bh(&tx->lock);
	if (work)
		ockam_channel_queue_tx(ch);
	if (turn == OCKAM_CHANNEL_BROKEN)
		ockam_endpoint_put(&ch->enc);
	return turn;
}

/*
 * The packet that was carried is in the queue of its link (or dropped). Not
 * before that the next one may leave, or the two could change places.
 */
static void ockam_channel_carried(struct ockam_channel *ch)
{
	struct ockam_channel_tx *tx = &ch->tx;
	bool more;

	spin_lock_bh(&tx->lock);
	more = __ockam_channel_more(tx);
	tx->busy = more;
	spin_unlock_bh(&tx->lock);
	if (more)
		ockam_channel_queue_tx(ch);
	ockam_endpoint_put(&ch->enc);
}

/* Nothing leaves any more. @skb: taken off the order in the same step, or NULL. */
static void ockam_channel_stop_order(struct ockam_channel *ch,
				     struct sk_buff *skb)
{
	struct ockam_channel_tx *tx = &ch->tx;
	struct sk_buff_head lost;
	bool held = skb;
	struct sk_buff *next;

	__skb_queue_head_init(&lost);
	spin_lock_bh(&tx->lock);
	tx->broken = true;
	if (skb)
		__skb_unlink(skb, &tx->order);
	skb_queue_walk_safe(&tx->order, skb, next) {
		if (ockam_cb(skb)->flags & OCKAM_MSG_SEALED) {
			__skb_unlink(skb, &tx->order);
			__skb_queue_tail(&lost, skb);
		}
	}
	spin_unlock_bh(&tx->lock);
	if (held)
		ockam_endpoint_put(&ch->enc);
	while ((skb = __skb_dequeue(&lost))) {
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
		ockam_endpoint_put(&ch->enc);
	}
}

void ockam_channel_stop_tx(struct ockam_channel *ch)
{
	struct ockam_channel_tx *tx = &ch->tx;
	struct sk_buff_head lost;
	struct sk_buff *skb;

	__skb_queue_head_init(&lost);
	spin_lock_bh(&tx->lock);
	WRITE_ONCE(tx->unsealed, tx->unsealed - skb_queue_len(&tx->later));
	skb_queue_splice_init(&tx->later, &lost);
	spin_unlock_bh(&tx->lock);
	while ((skb = __skb_dequeue(&lost)))
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
	ockam_channel_stop_order(ch, NULL);
}

/*
 * The packet of a taken nonce does not exist: nothing after it may leave. Its
 * message is off the order afterwards, others that are being sealed will see.
 */
static void ockam_channel_break(struct ockam_channel *ch, struct sk_buff *skb,
				int err)
{
	ockam_channel_stop_order(ch, skb);
	ockam_channel_kill(ch, err, "encryption failed", false);
}

/* An asynchronous driver has finished. Any context. */
static void ockam_channel_sealed(void *data, int err)
{
	struct sk_buff *skb = data;
	struct ockam_channel *ch = (void *)skb->dev_scratch;
	struct ockam_channel_tx *tx = &ch->tx;
	bool work;

	/* ->enc may go with the packet. */
	ockam_channel_get(ch);
	skb->dev = NULL;
	if (!err) {
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_PACKETS_TX);
		if (ockam_channel_commit_tx(ch, skb, false) ==
		    OCKAM_CHANNEL_BROKEN)
			ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
	} else {
		spin_lock_bh(&tx->lock);
		__skb_unlink(skb, &tx->order);
		tx->broken = true;
		tx->failed = err;
		work = !tx->busy;
		tx->busy = true;
		spin_unlock_bh(&tx->lock);
		/* The end of a channel needs a process. */
		if (work)
			ockam_channel_queue_tx(ch);
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
		ockam_endpoint_put(&ch->enc);
	}
	ockam_channel_put(ch);
}

/*
 * Seal the prepared @skb. 0: it is on its way, through @next when that is given and
 * its deliver() does not sleep; or @skb is the @last, which has been taken there
 * before the caller ends the channel. On error it is garbage, and still the
 * caller's.
 */
static int ockam_channel_seal(struct ockam_channel *ch, struct sk_buff *skb,
			      struct ockam_endpoint *next, bool last,
			      struct ockam_dispatch *d)
{
	size_t len = skb->len - OCKAM_TAG_LEN;
	bool inline_ = len <= OCKAM_CHANNEL_INLINE_BYTES;
	bool nosleep = next && next->ops->nosleep;
	enum ockam_channel_turn turn;
	struct ockam_aead_op *op;
	u64 nonce;
	int err;

	err = ockam_channel_take_nonce(ch, skb, last, &op, &nonce);
	if (err) {
		if (err == -EOVERFLOW)
			ockam_channel_kill(ch, err, "all nonces are used",
					   false);
		return err;
	}
	/* Only works seal more than that. */
	if (!inline_)
		local_bh_enable();
	put_unaligned_be64(nonce, __skb_push(skb, OCKAM_NONCE_LEN));
	ockam_cb(skb)->depth++;
	ockam_cb(skb)->flags &= ~OCKAM_MSG_PEER;
	skb->dev_scratch = (unsigned long)ch;
	err = ockam_aead_seal_skb(op, skb, OCKAM_NONCE_LEN, len, nonce,
				  ockam_channel_sealed, skb);
	/* Filters of sockets would take what is left there for a device. */
	if (err != -EINPROGRESS)
		skb->dev = NULL;
	turn = OCKAM_CHANNEL_LEFT;
	if (!err) {
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_PACKETS_TX);
		turn = ockam_channel_commit_tx(ch, skb, nosleep ||
					       (next && last));
	}
	if (turn == OCKAM_CHANNEL_CARRY && nosleep) {
		d->atomic = inline_;
		ockam_route_deliver(next, skb, d);
		d->atomic = false;
		ockam_channel_carried(ch);
	}
	if (inline_)
		local_bh_enable();
	if (turn == OCKAM_CHANNEL_CARRY && !nosleep) {
		ockam_route_deliver(next, skb, d);
		ockam_route_run(ch->on, d);
		ockam_channel_carried(ch);
	}
	if (turn == OCKAM_CHANNEL_CARRY)
		return 0;
	if (turn == OCKAM_CHANNEL_BROKEN)
		return -EPIPE;
	if (err && err != -EINPROGRESS) {
		ockam_channel_break(ch, skb, err);
		return err;
	}
	return 0;
}

/* A plaintext of ->later, which was the @last that the channel seals. */
static void ockam_channel_seal_later(struct ockam_channel *ch,
				     struct sk_buff *skb, bool last)
{
	struct ockam_channel_tx *tx = &ch->tx;

	if (ockam_channel_seal(ch, skb, NULL, last, NULL))
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, skb);
	/* From here on the next one may be sealed by who sends it. */
	spin_lock_bh(&tx->lock);
	WRITE_ONCE(tx->unsealed, tx->unsealed - 1);
	spin_unlock_bh(&tx->lock);
	if (last)
		ockam_channel_kill(ch, 0, tx->finished, false);
}

/* Carry what senders have left, and seal what they could not. */
static void ockam_channel_tx_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(work, struct ockam_channel,
						tx.work);
	struct ockam_channel_tx *tx = &ch->tx;
	unsigned int left = OCKAM_CHANNEL_TX_BATCH;
	struct sk_buff *skb, *plain;
	struct ockam_dispatch d;
	bool more, last;
	int failed;

	for (;;) {
		/*
		 * A channel that died before is in no table where the end of the
		 * node would find it, and each run of this would queue another.
		 */
		if (READ_ONCE(ch->on->closing))
			ockam_channel_stop_tx(ch);
		plain = NULL;
		spin_lock_bh(&tx->lock);
		failed = tx->failed;
		tx->failed = 0;
		skb = __ockam_channel_next(tx);
		if (skb)
			__skb_unlink(skb, &tx->order);
		else if (!failed)
			plain = __skb_dequeue(&tx->later);
		last = tx->finished && skb_queue_empty(&tx->later);
		more = skb || plain || failed;
		if (more && !left--) {
			/* Let others run; nothing was done yet but unlinking. */
			if (skb)
				__skb_queue_head(&tx->order, skb);
			else if (plain)
				__skb_queue_head(&tx->later, plain);
			tx->failed = failed;
			spin_unlock_bh(&tx->lock);
			ockam_channel_queue_tx(ch);
			break;
		}
		tx->busy = more;
		spin_unlock_bh(&tx->lock);
		if (!more)
			break;
		if (failed)
			ockam_channel_break(ch, NULL, failed);
		if (skb) {
			ockam_dispatch_init(&d);
			ockam_route_dispatch(ch->on, skb, &ch->on->local, &d);
			ockam_dispatch_fini(&d);
			/* The reference of its place in the order. */
			ockam_endpoint_put(&ch->enc);
		}
		if (plain)
			ockam_channel_seal_later(ch, plain, last);
		cond_resched();
	}
	ockam_channel_put(ch);
}

enum ockam_mib ockam_channel_tx_reason(int err)
{
	switch (err) {
	case -EMSGSIZE:
		return OCKAM_DROP_TOO_LARGE;
	case -ENOMEM:
		return OCKAM_DROP_NO_MEMORY;
	case -ELOOP:
		return OCKAM_DROP_DEPTH;
	case -EKEYEXPIRED:
		return OCKAM_DROP_CHANNEL_EXPIRED;
	case -EHOSTUNREACH:
	case -EACCES:
		return OCKAM_DROP_CHANNEL_NO_ROUTE;
	default:
		return OCKAM_DROP_CHANNEL_DEAD;
	}
}

/* Checks before anything is touched. */
static int ockam_channel_check_tx(struct ockam_channel *ch,
				  const struct sk_buff *skb)
{
	if (READ_ONCE(ch->dead))
		return -EPIPE;
	if (ockam_channel_expired(ch)) {
		ockam_channel_queue_expiry(ch, 0);
		return -EKEYEXPIRED;
	}
	if (!ockam_channel_has_way(ch))
		return -EHOSTUNREACH;
	if (ockam_cb(skb)->depth >=
	    ockam_netns_limit(ch->on, OCKAM_LIMIT_CHANNEL_DEPTH))
		return -ELOOP;
	if (skb->len > ockam_netns_limit(ch->on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	return 0;
}

/*
 * Seal @skb now, or leave it to the work when it is large or others are before.
 * @last: it is the last one, and waits for no other, or with @finish for all; in
 * that case, when there are others, 1 is returned.
 */
int ockam_channel_send(struct ockam_channel *ch, struct sk_buff *skb,
		       struct ockam_endpoint *next, bool last,
		       const char *finish, struct ockam_dispatch *d)
{
	struct ockam_channel_tx *tx = &ch->tx;
	bool work, later;
	int err;

	err = ockam_channel_prepare(ch, skb);
	if (err)
		return err;
	later = skb->len - OCKAM_TAG_LEN > OCKAM_CHANNEL_INLINE_BYTES ||
		READ_ONCE(tx->unsealed);
	if (likely(!later || (last && !finish)))
		return ockam_channel_seal(ch, skb, next, last, d);
	spin_lock_bh(&tx->lock);
	if (tx->closed || tx->finished) {
		spin_unlock_bh(&tx->lock);
		return -EPIPE;
	}
	__skb_queue_tail(&tx->later, skb);
	WRITE_ONCE(tx->unsealed, tx->unsealed + 1);
	tx->finished = finish;
	work = !tx->busy;
	tx->busy = true;
	spin_unlock_bh(&tx->lock);
	if (work)
		ockam_channel_queue_tx(ch);
	return !!finish;
}

/* A local sender's message: the onward route starts with our address. */
int ockam_channel_deliver_tx(struct ockam_endpoint *ep, struct sk_buff *skb,
			     struct ockam_dispatch *d)
{
	struct ockam_channel *ch = container_of(ep, struct ockam_channel, enc);
	struct ockam_endpoint *next;
	struct sk_buff *own;
	int err;

	err = ockam_channel_check_tx(ch, skb);
	if (err)
		goto drop;
	err = -ENOMEM;
	own = ockam_message_own(skb, GFP_KERNEL_ACCOUNT);
	if (!own)
		goto drop;
	skb = own;
	ockam_message_pop(skb);
	err = ockam_channel_build_payload(skb);
	if (err)
		goto drop;
	next = ockam_channel_address(ch, skb, false);
	err = PTR_ERR_OR_ZERO(next);
	if (err)
		goto drop;
	err = ockam_channel_send(ch, skb, next, false, NULL, d);
	ockam_endpoint_put(next);
	if (!err)
		return 0;
drop:
	ockam_drop(ch->on, ockam_channel_tx_reason(err), skb);
	return err;
}

/* What the path begins with is asked. */
bool ockam_channel_full(struct ockam_endpoint *ep, struct ockam_dispatch *d)
{
	struct ockam_channel *ch = container_of(ep, struct ockam_channel, enc);
	struct ockam_channel_path *path = ockam_channel_get_path(ch);
	struct ockam_endpoint *next;
	struct ockam_hop hop;
	bool full = false;

	if (ockam_route_first(&path->route, &hop)) {
		next = ockam_route_find(ch->on, &hop, path->first,
					&ch->on->local);
		if (!IS_ERR(next)) {
			full = ockam_route_full(next, d);
			ockam_endpoint_put(next);
		}
	}
	ockam_channel_put_path(path);
	return full;
}
