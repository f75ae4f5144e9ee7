// SPDX-License-Identifier: GPL-2.0
/*
 * Sending on a channel: the plaintext is built and sealed in place, in the
 * sender's own context (wire-protocol sections 6.1, 6.2 and 6.4).
 *
 * Everything that can fail comes before a nonce is taken: memory for headers
 * and trailers, the remote route, the transform. A nonce that was taken and
 * not sent would be a hole, and 32 holes in a row kill a channel; so from there
 * on there is success or the channel dies.
 *
 * Several senders seal at the same time; packets are handed to the next hop one
 * after the other, in the order of nonces. A sender carries its packet there
 * itself when it is the next one and nobody else carries at this moment.
 * Otherwise it leaves the packet to a work and never waits: channels may lead
 * through each other in a ring, and the peer has a say in that.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/slab.h>

#include "channel.h"
#include "compat.h"
#include "message.h"
#include "route.h"
#include "wire.h"

/* ->cookie of a message on tx->order. */
enum {
	OCKAM_CHANNEL_SEALING,
	OCKAM_CHANNEL_SEALED,
};

static void ockam_channel_tx_work(struct work_struct *work);

void ockam_channel_init_tx(struct ockam_channel *ch, const u8 *key)
{
	spin_lock_init(&ch->tx.lock);
	INIT_LIST_HEAD(&ch->tx.order);
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

/* The key of the next nonce, copied to @key. Returns its interval. */
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

/*
 * A transform with the right key, the nonce that goes with it, and a place in
 * the order of packets. @last: no other nonce after this one. On success @op
 * has been prepared for @msg.
 */
static int ockam_channel_take_nonce(struct ockam_channel *ch,
				    struct ockam_message *msg, bool last,
				    struct ockam_aead_op **op, u64 *nonce)
{
	struct ockam_channel_tx *tx = &ch->tx;
	struct ockam_aead_key key;
	bool taken = false;
	u64 interval;
	int err;

	do {
		err = ockam_channel_get_key(ch, &key, &interval);
		if (err)
			break;
		*op = ockam_aead_prepare(&key, msg->data,
					 msg->len + OCKAM_TAG_LEN);
		if (!*op) {
			err = -ENOMEM;
			break;
		}
		spin_lock_bh(&tx->lock);
		if (tx->closed) {
			err = -EPIPE;
		} else if (tx->next == U64_MAX) {
			err = -EOVERFLOW;	/* never used for a message */
		} else if (tx->next / OCKAM_REKEY_INTERVAL == interval) {
			*nonce = tx->next++;
			tx->key.hint = key.hint;
			tx->messages++;
			tx->bytes += OCKAM_NONCE_LEN + msg->len + OCKAM_TAG_LEN;
			msg->cookie = OCKAM_CHANNEL_SEALING;
			list_add_tail(&msg->list, &tx->order);
			/*
			 * Until it has left. The birth's is there still: the
			 * death sets ->closed before it puts that.
			 */
			ockam_endpoint_get(&ch->enc);
			taken = true;
			if (last) {
				tx->closed = true;
				ockam_aead_key_wipe(&tx->key);
			}
		}
		spin_unlock_bh(&tx->lock);
		/* Others took the rest of the interval: again, with the next key. */
		if (!taken)
			ockam_aead_release(*op);
	} while (!taken && !err);
	memzero_explicit(&key, sizeof(key));
	return err;
}

/* The next packet, when it is ready to leave. */
static struct ockam_message *__ockam_channel_next(struct ockam_channel_tx *tx)
	__must_hold(&tx->lock)
{
	struct ockam_message *msg;

	lockdep_assert_held(&tx->lock);
	msg = list_first_entry_or_null(&tx->order, struct ockam_message, list);
	return msg && msg->cookie == OCKAM_CHANNEL_SEALED ? msg : NULL;
}

/*
 * @msg is sealed. Returns it when the caller is to carry it to the next hop, with
 * the reference on ->enc that its place in the order had; NULL when others do:
 * then @msg is no more the caller's. *@broken: it must not leave, and is the
 * caller's.
 */
static struct ockam_message *ockam_channel_commit_tx(struct ockam_channel *ch,
						     struct ockam_message *msg,
						     bool *broken)
{
	struct ockam_channel_tx *tx = &ch->tx;
	bool carry = false;

	spin_lock_bh(&tx->lock);
	msg->cookie = OCKAM_CHANNEL_SEALED;
	*broken = tx->broken;
	if (*broken) {
		list_del_init(&msg->list);
	} else if (!tx->busy && __ockam_channel_next(tx)) {
		/* Nobody carries, so all that were sealed before have left. */
		list_del_init(&msg->list);
		carry = true;
		tx->busy = true;
	}
	spin_unlock_bh(&tx->lock);
	if (*broken)
		ockam_endpoint_put(&ch->enc);
	return carry ? msg : NULL;
}

/*
 * The packet that was carried is in the queue of its link (or dropped). Not
 * before that the next one may leave, or the two could change places.
 */
void ockam_channel_forwarded_tx(struct ockam_endpoint *ep)
{
	struct ockam_channel *ch = container_of(ep, struct ockam_channel, enc);
	struct ockam_channel_tx *tx = &ch->tx;
	bool more;

	/*
	 * A channel that died before is in no table where the end of the node
	 * would find it, and each of its works would queue another one.
	 */
	if (READ_ONCE(ch->on->closing))
		ockam_channel_stop_tx(ch);
	spin_lock_bh(&tx->lock);
	more = __ockam_channel_next(tx);
	tx->busy = more;
	spin_unlock_bh(&tx->lock);
	if (!more)
		return;
	/* In its own context: the budget of this dispatch is for its message. */
	ockam_channel_get(ch);
	if (WARN_ON_ONCE(!queue_work(ockam_channel_wq, &tx->work)))
		ockam_channel_put(ch);
}

/* @msg has left the order for its next hop. */
static void ockam_channel_forward(struct ockam_channel *ch,
				  struct ockam_message *msg,
				  struct ockam_dispatch *d)
{
	ockam_route_forward(d, &ch->enc, msg);
	/* The order's reference: the dispatch has its own now. */
	ockam_endpoint_put(&ch->enc);
}

/* Carry @msg to its next hop; ockam_channel_forwarded_tx() follows. */
static int ockam_channel_carry(struct ockam_channel *ch,
			       struct ockam_message *msg)
{
	struct ockam_dispatch d;
	int err;

	ockam_dispatch_init(&d);
	d.budget = OCKAM_DISPATCH_BUDGET;
	ockam_channel_forward(ch, msg, &d);
	err = ockam_route_run(ch->on, &d);
	ockam_dispatch_fini(&d);
	return err;
}

/* Carry one packet that its sender has left. */
static void ockam_channel_tx_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(work, struct ockam_channel,
						tx.work);
	struct ockam_channel_tx *tx = &ch->tx;
	struct ockam_message *msg;

	spin_lock_bh(&tx->lock);
	msg = __ockam_channel_next(tx);
	if (msg)
		list_del_init(&msg->list);
	else
		tx->busy = false;	/* broken in the meantime */
	spin_unlock_bh(&tx->lock);
	if (msg)
		ockam_channel_carry(ch, msg);
	ockam_channel_put(ch);
}

/* Nothing leaves any more. @msg: taken off the order in the same step, or NULL. */
static void ockam_channel_stop_order(struct ockam_channel *ch,
				     struct ockam_message *msg)
{
	struct ockam_channel_tx *tx = &ch->tx;
	struct ockam_message *next;
	bool held = msg;
	LIST_HEAD(lost);

	spin_lock_bh(&tx->lock);
	tx->broken = true;
	if (msg)
		list_del_init(&msg->list);
	list_for_each_entry_safe(msg, next, &tx->order, list)
		if (msg->cookie == OCKAM_CHANNEL_SEALED)
			list_move_tail(&msg->list, &lost);
	spin_unlock_bh(&tx->lock);
	if (held)
		ockam_endpoint_put(&ch->enc);
	list_for_each_entry_safe(msg, next, &lost, list) {
		list_del_init(&msg->list);
		ockam_drop(ch->on, OCKAM_DROP_CHANNEL_DEAD, msg);
		ockam_endpoint_put(&ch->enc);
	}
}

void ockam_channel_stop_tx(struct ockam_channel *ch)
{
	ockam_channel_stop_order(ch, NULL);
}

/*
 * The packet of a taken nonce does not exist: nothing after it may leave. Its
 * message is off the order afterwards, others that are being sealed will see.
 */
static void ockam_channel_break(struct ockam_channel *ch,
				struct ockam_message *msg, int err)
{
	ockam_channel_stop_order(ch, msg);
	ockam_channel_kill(ch, err, "encryption failed", false);
}

/*
 * Bytes of the frame body's header that the first link will write: all hops but
 * its own, which is array(2), type, byte string header and name.
 */
static size_t ockam_channel_link_room(const struct ockam_message *msg,
				      size_t packet_len)
{
	size_t len = ockam_wire_body_header_len(&msg->onward, &msg->ret,
						packet_len);
	struct ockam_hop hop;

	if (ockam_route_first(&msg->onward, &hop))
		len -= 2 + (hop.len < 24 ? 1 : 2) + hop.len;
	return len;
}

/*
 * Seal the plaintext that *@msg holds, whose ->onward and ->ret are those of the
 * packet. 0: the caller carries *@msg on, or when that is NULL now others do. On
 * error *@msg is as before or garbage, and still the caller's.
 */
static int ockam_channel_seal(struct ockam_channel *ch,
			      struct ockam_message **msgp, bool last)
{
	struct ockam_message *msg = *msgp;
	size_t packet = OCKAM_NONCE_LEN + msg->len + OCKAM_TAG_LEN;
	struct ockam_aead_op *op;
	size_t room, len;
	bool broken;
	u64 nonce;
	int err;

	ockam_message_count_routes(msg);
	room = ockam_channel_link_room(msg, packet);
	if (room + packet > ockam_netns_limit(ch->on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	/* For the link too: a sealed packet should not fail for want of memory. */
	err = ockam_message_reserve(msg, OCKAM_FRAME_HDR_LEN + room +
				    OCKAM_NONCE_LEN, OCKAM_TAG_LEN);
	if (err)
		return err;
	err = ockam_channel_take_nonce(ch, msg, last, &op, &nonce);
	if (err) {
		if (err == -EOVERFLOW)
			ockam_channel_kill(ch, err, "all nonces are used",
					   false);
		return err;
	}

	len = msg->len;
	put_unaligned_be64(nonce, ockam_message_push(msg, OCKAM_NONCE_LEN));
	ockam_message_put(msg, OCKAM_TAG_LEN);
	msg->depth++;
	msg->has_peer = false;
	err = ockam_aead_seal(op, msg->data + OCKAM_NONCE_LEN, len, nonce);
	if (err) {
		ockam_channel_break(ch, msg, err);
		return err;
	}
	ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_PACKETS_TX);
	msg = ockam_channel_commit_tx(ch, msg, &broken);
	if (broken)
		return -EPIPE;
	*msgp = msg;
	return 0;
}

/* Turn the routed message into the plaintext of a Payload, in place. */
static int ockam_channel_build_payload(struct ockam_message *msg)
{
	size_t hdr = ockam_wire_inner_header_len(&msg->onward, &msg->ret,
						 msg->len);
	size_t len = msg->len;
	int err;

	/* With room for the packet and a usual frame header, so once only. */
	err = ockam_message_reserve(msg, hdr + OCKAM_NONCE_LEN + 64,
				    OCKAM_INNER_TRAILER_LEN + OCKAM_TAG_LEN);
	if (err)
		return err;
	ockam_wire_encode_inner_header(ockam_message_push(msg, hdr),
				       &msg->onward, &msg->ret, len);
	ockam_wire_encode_inner_trailer(ockam_message_put(msg, OCKAM_INNER_TRAILER_LEN));
	return 0;
}

static enum ockam_mib ockam_channel_tx_reason(int err)
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
		return OCKAM_DROP_CHANNEL_NO_ROUTE;
	default:
		return OCKAM_DROP_CHANNEL_DEAD;
	}
}

/* Checks before anything is touched. */
static int ockam_channel_check_tx(struct ockam_channel *ch,
				  const struct ockam_message *msg)
{
	if (READ_ONCE(ch->dead))
		return -EPIPE;
	if (ockam_channel_expired(ch)) {
		ockam_channel_queue_expiry(ch, 0);
		return -EKEYEXPIRED;
	}
	if (!ockam_channel_has_way(ch))
		return -EHOSTUNREACH;
	if (msg->depth >= ockam_netns_limit(ch->on, OCKAM_LIMIT_CHANNEL_DEPTH))
		return -ELOOP;
	if (msg->len > ockam_netns_limit(ch->on, OCKAM_LIMIT_FRAME_BYTES))
		return -EMSGSIZE;
	return 0;
}

/* A local sender's message: ->onward starts with our address. */
int ockam_channel_deliver_tx(struct ockam_endpoint *ep, struct ockam_message *msg,
			     struct ockam_dispatch *d)
{
	struct ockam_channel *ch = container_of(ep, struct ockam_channel, enc);
	int err;

	err = ockam_channel_check_tx(ch, msg);
	if (err)
		goto drop;
	ockam_route_pop_front(&msg->onward);
	err = ockam_channel_build_payload(msg);
	if (err)
		goto drop;
	/*
	 * The packet's return route is empty: the peer takes what transports
	 * put there for the way back.
	 */
	ockam_route_reset(&msg->ret);
	msg->ret_id = OCKAM_ENDPOINT_NONE;
	err = ockam_channel_copy_path(ch, &msg->onward, &msg->to);
	if (err)
		goto drop;
	err = ockam_channel_seal(ch, &msg, false);
	if (err)
		goto drop;
	if (msg)
		ockam_channel_forward(ch, msg, d);
	return 0;

drop:
	ockam_drop(ch->on, ockam_channel_tx_reason(err), msg);
	return err;
}

/* Seal a plaintext of our own, with empty ->onward, and send it. */
static int ockam_channel_send_own(struct ockam_channel *ch,
				  struct ockam_message *msg, bool last)
{
	int err;

	msg->control = true;
	err = ockam_channel_has_way(ch) ? 0 : -EHOSTUNREACH;
	if (!err)
		err = ockam_channel_copy_path(ch, &msg->onward, &msg->to);
	if (!err)
		err = ockam_channel_seal(ch, &msg, last);
	if (err) {
		ockam_drop(ch->on, ockam_channel_tx_reason(err), msg);
		return err;
	}
	return msg ? ockam_channel_carry(ch, msg) : 0;
}

/* Packets that are not Payload carry return route [encryptor]. */
static struct ockam_message *ockam_channel_alloc_own(struct ockam_channel *ch,
						     size_t len)
{
	struct ockam_message *msg;

	msg = ockam_message_alloc(ch->on, OCKAM_MESSAGE_HEADROOM, len,
				  OCKAM_TAG_LEN, GFP_KERNEL_ACCOUNT);
	if (msg && ockam_message_return_to(msg, &ch->enc)) {
		ockam_message_free(msg);
		msg = NULL;
	}
	return msg;
}

int ockam_channel_send_refresh(struct ockam_channel *ch, const u8 *body,
			       size_t len, struct netlink_ext_ack *extack)
{
	struct ockam_message *msg;
	u8 *p;
	int err;

	if (READ_ONCE(ch->dead))
		return ockam_refuse(extack, -ESHUTDOWN, "the channel has ended");
	if (!len || len > OCKAM_HANDSHAKE_MAX)
		return ockam_refuse(extack, -EMSGSIZE,
				    "the body of the message has 1 to 32768 bytes");
	msg = ockam_channel_alloc_own(ch, OCKAM_INNER_REFRESH_HEADER_LEN + len +
				      OCKAM_INNER_TRAILER_LEN);
	if (!msg)
		return ockam_refuse(extack, -ENOMEM, "out of memory");
	p = ockam_wire_encode_refresh_header(msg->data);
	memcpy(p, body, len);
	ockam_wire_encode_inner_trailer(p + len);
	err = ockam_channel_send_own(ch, msg, false);
	if (err == -EHOSTUNREACH)
		NL_SET_ERR_MSG(extack, "the channel has no way to its peer now");
	else if (err == -EMSGSIZE)
		NL_SET_ERR_MSG(extack, "the message is larger than the node's frame limit");
	else if (err)
		NL_SET_ERR_MSG(extack, "the channel or its first hop did not take the message");
	return err;
}

void ockam_channel_send_close(struct ockam_channel *ch)
{
	struct ockam_message *msg;

	msg = ockam_channel_alloc_own(ch, OCKAM_INNER_CLOSE_LEN);
	if (!msg)
		return;
	ockam_wire_encode_close(msg->data);
	ockam_channel_send_own(ch, msg, true);
}

static const u8 ockam_channel_echo[] = { 'e', 'c', 'h', 'o' };
/* What echo services of other implementations decode: an empty BARE string. */
static const u8 ockam_channel_probe[] = { 0 };

int ockam_channel_send_probe(struct ockam_channel *ch)
{
	struct ockam_hop echo = { OCKAM_ADDR_LOCAL, sizeof(ockam_channel_echo),
				  ockam_channel_echo };
	struct ockam_hop own = ockam_endpoint_hop(&ch->dec);
	struct ockam_message *msg;
	int err;

	msg = ockam_message_alloc(ch->on, OCKAM_MESSAGE_HEADROOM,
				  sizeof(ockam_channel_probe),
				  OCKAM_MESSAGE_TAILROOM, GFP_KERNEL_ACCOUNT);
	if (!msg)
		return -ENOMEM;
	memcpy(msg->data, ockam_channel_probe, sizeof(ockam_channel_probe));
	err = ockam_route_push_front(&msg->onward, &echo);
	if (!err)
		err = ockam_route_push_front(&msg->ret, &own);
	if (!err)
		err = ockam_channel_build_payload(msg);
	if (err) {
		ockam_message_free(msg);
		return err;
	}
	ockam_route_reset(&msg->onward);
	ockam_route_reset(&msg->ret);
	return ockam_channel_send_own(ch, msg, false);
}
