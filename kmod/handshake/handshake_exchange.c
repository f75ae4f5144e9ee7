// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of a handshake: the peer's, and the worker's commands that are about
 * them (wire-protocol section 5.4).
 *
 *                 peer's messages   ours    the worker then installs keys
 *   initiator     msg2              1, 3    after it has sent msg3
 *   responder     msg1, msg3        2       after it has fetched msg3
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "channel.h"
#include "handshake.h"
#include "message.h"
#include "route.h"
#include "trace.h"

/* What a held packet counts at least: 32 small ones fill the queue. */
#define OCKAM_HOLD_MIN_CHARGE	(OCKAM_HOLD_MAX_BYTES / OCKAM_HOLD_MAX_MESSAGES)
#define OCKAM_HOLD_PAUSE_MS	2000

/* Handshake messages that we await: what comes afterwards waits for keys. */
static unsigned int ockam_exchange_expects(const struct ockam_exchange *ex)
{
	return ex->role == OCKAM_ROLE_INITIATOR ? 1 : 2;
}

/* Handshake messages that we send. */
static unsigned int ockam_exchange_sends(const struct ockam_exchange *ex)
{
	return ex->role == OCKAM_ROLE_INITIATOR ? 2 : 1;
}

bool __ockam_exchange_complete(const struct ockam_exchange *ex)
{
	return ex->sent == ockam_exchange_sends(ex) &&
	       ex->received == ockam_exchange_expects(ex) &&
	       ex->fetched == ex->received;
}

/* What a held packet counts in ->gate. */
static u64 ockam_exchange_charge(const struct sk_buff *skb)
{
	return max_t(u64, skb->len, OCKAM_HOLD_MIN_CHARGE);
}

/*
 * A packet before the keys. The sender's link reads on only when the queue has
 * room again; what it had read already still finds place.
 */
static enum ockam_mib __ockam_exchange_hold(struct ockam_exchange *ex,
					    struct sk_buff *skb,
					    struct ockam_dispatch *d)
	__must_hold(&ex->lock)
{
	u64 used;

	spin_lock_bh(&ex->gate.lock);
	used = ex->gate.used;
	spin_unlock_bh(&ex->gate.lock);
	if (used >= 2 * OCKAM_HOLD_MAX_BYTES)
		return OCKAM_DROP_HANDSHAKE_HOLD;

	__skb_queue_tail(&ex->hold, skb);
	if (!ockam_gate_charge(&ex->gate, ockam_exchange_charge(skb)))
		return 0;
	ockam_dispatch_note_gate(d, &ex->gate);
	if (!ex->overflow) {
		ex->overflow = true;
		__ockam_exchange_arm(ex, &ex->hold_work,
				     msecs_to_jiffies(OCKAM_HOLD_PAUSE_MS));
	}
	return 0;
}

/* @ready: the worker has something to fetch. 0 or a reason to drop. */
static enum ockam_mib __ockam_exchange_take(struct ockam_exchange *ex,
					    struct sk_buff *skb,
					    struct ockam_dispatch *d,
					    bool *ready)
	__must_hold(&ex->lock)
{
	if (ex->state != OCKAM_EXCHANGE_OPEN &&
	    ex->state != OCKAM_EXCHANGE_INSTALLING)
		return OCKAM_DROP_DEAD;
	/* Behind the last handshake message of both sides come packets. */
	if (ex->received == ockam_exchange_expects(ex))
		return ex->sent == ockam_exchange_sends(ex) ?
		       __ockam_exchange_hold(ex, skb, d) :
		       OCKAM_DROP_HANDSHAKE_STATE;
	/* Nobody can answer what we have not said. */
	if (ex->sent != 1)
		return OCKAM_DROP_HANDSHAKE_STATE;
	if (skb->len > OCKAM_HANDSHAKE_MAX)
		return OCKAM_DROP_HANDSHAKE_TOO_LARGE;
	/* A way back is what msg3 needs. */
	if (ex->role == OCKAM_ROLE_INITIATOR && !ockam_cb(skb)->ret_hops)
		return OCKAM_DROP_NO_ROUTE;
	ex->messages[ex->received++] = skb;
	*ready = true;
	return 0;
}

int ockam_exchange_deliver(struct ockam_endpoint *ep, struct sk_buff *skb,
			   struct ockam_dispatch *d)
{
	struct ockam_exchange *ex = container_of(ep, struct ockam_exchange, ep);
	enum ockam_mib reason = 0;
	struct ockam_channel *ch;
	struct sk_buff *linear;
	bool ready = false;

	/* The worker fetches handshake messages in one piece. */
	if (skb->len <= OCKAM_HANDSHAKE_MAX) {
		linear = ockam_message_linear(skb, GFP_KERNEL_ACCOUNT);
		if (!linear) {
			ockam_drop(ex->on, OCKAM_DROP_NO_MEMORY, skb);
			return 0;
		}
		skb = linear;
	}
	mutex_lock(&ex->lock);
	ch = ex->channel;
	if (!ch)
		reason = __ockam_exchange_take(ex, skb, d, &ready);
	mutex_unlock(&ex->lock);

	/* Found just before the channel took our place. We hold it by ->ep. */
	if (ch)
		return ockam_channel_receive(ch, skb, d);
	if (reason)
		ockam_drop(ex->on, reason, skb);
	if (ready)
		ockam_exchange_ready(ex);
	return 0;
}

int ockam_handshake_start(struct ockam_net *on,
			  const struct ockam_handshake_params *p, u64 *id,
			  struct netlink_ext_ack *extack)
{
	struct ockam_handshake_net *hn = ockam_handshake_net(on);
	u32 worker_portid = READ_ONCE(on->worker_portid);
	struct ockam_exchange *ex;
	int err;

	if (!worker_portid)
		return ockam_refuse(extack, -ESRCH,
				    "no handshake worker is bound to this node");
	if (!p->route->hops)
		return ockam_refuse(extack, -EINVAL,
				    "the route to the listener is empty");
	if (p->opaque_len > OCKAM_OPAQUE_MAX)
		return ockam_refuse(extack, -E2BIG,
				    "the worker's data is longer than 16384 bytes");
	if (p->n_encryptor_ids > OCKAM_REACH_IDS_MAX)
		return ockam_refuse(extack, -E2BIG, "too many flow ids");
	if (atomic_inc_return(&hn->initiators) >
	    ockam_netns_limit(on, OCKAM_LIMIT_CHANNELS)) {
		atomic_dec(&hn->initiators);
		return ockam_refuse(extack, -ENOSPC,
				    "too many channels are being made");
	}
	ex = ockam_exchange_alloc(on, OCKAM_ROLE_INITIATOR, worker_portid);
	if (!ex) {
		atomic_dec(&hn->initiators);
		return ockam_refuse(extack, -ENOMEM,
				    "no memory for the handshake");
	}
	/* From here on the exchange's end gives the count back. */
	ex->portid = p->portid;
	ex->seq = p->seq;
	if (p->owner) {
		ex->owner = p->owner;
		ex->owner_ep = ockam_endpoint_get(p->owner_ep);
	}
	ex->confirm_ms = p->confirm_ms ?: OCKAM_CONFIRM_DEFAULT_MS;
	ex->encryptor_reach = p->encryptor_reach;
	ex->liveness = p->liveness;
	err = ockam_route_copy(&ex->route, p->route);
	if (!err) {
		ex->opaque = ockam_opaque_alloc(p->opaque, p->opaque_len);
		err = ex->opaque ? 0 : -ENOMEM;
	}
	if (!err && p->n_encryptor_ids) {
		ex->encryptor_ids = kmemdup(p->encryptor_ids,
					    p->n_encryptor_ids * OCKAM_FLOW_ID_LEN,
					    GFP_KERNEL_ACCOUNT);
		ex->n_encryptor_ids = p->n_encryptor_ids;
		err = ex->encryptor_ids ? 0 : -ENOMEM;
	}
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the handshake");
		ockam_exchange_end(ex, OCKAM_EXCHANGE_OPEN);
	} else {
		err = ockam_exchange_publish(ex, p->timeout_ms ?:
					     ockam_netns_limit(on, OCKAM_LIMIT_INITIATOR_MS),
					     extack);
	}
	if (!err) {
		if (id)
			*id = ex->id;
		ockam_exchange_ready(ex);
	}
	ockam_exchange_put(ex);
	return err;
}

int ockam_handshake_fetch(struct ockam_net *on, u32 portid, u64 id,
			  struct ockam_handshake_fetched *f,
			  struct netlink_ext_ack *extack)
{
	struct sk_buff *skb = NULL;
	struct ockam_exchange *ex;

	memset(f, 0, sizeof(*f));
	ex = ockam_exchange_lookup(on, id, portid);
	if (!ex)
		return ockam_refuse(extack, -ENOENT, "no such exchange");
	mutex_lock(&ex->lock);
	if (ex->state != OCKAM_EXCHANGE_OPEN) {
		mutex_unlock(&ex->lock);
		ockam_exchange_put(ex);
		return ockam_refuse(extack, -EPROTO, "the exchange is over");
	}
	ex->begun = true;
	ex->fetched = ex->received;
	f->number = ex->received;
	if (ex->received)
		skb = ex->messages[ex->received - 1];
	ex->fetching++;
	mutex_unlock(&ex->lock);

	/* Messages stay while ->fetching, opaque data with the exchange. */
	f->held = ex;
	f->role = ex->role;
	if (skb) {
		f->message = skb->data;
		f->message_len = skb->len;
	}
	f->opaque = ex->opaque->data;
	f->opaque_len = ex->opaque->len;
	if (ex->listener) {
		f->listener = ex->listener->ep.name;
		f->listener_len = ex->listener->ep.name_len;
	}
	return 0;
}

void ockam_handshake_fetch_put(struct ockam_handshake_fetched *f)
{
	struct ockam_exchange *ex = f->held;

	mutex_lock(&ex->lock);
	ex->fetching--;
	mutex_unlock(&ex->lock);
	ockam_exchange_put(ex);
}

/* The first of those that wait takes the place of the third message. */
static bool __ockam_exchange_unhold(struct ockam_exchange *ex,
				    struct sk_buff_head *dropped)
	__must_hold(&ex->lock)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&ex->hold))) {
		ockam_gate_uncharge(&ex->gate, ockam_exchange_charge(skb));
		if (skb->len <= OCKAM_HANDSHAKE_MAX) {
			ex->messages[ex->received++] = skb;
			return true;
		}
		__skb_queue_tail(dropped, skb);
	}
	return false;
}

/* @ready: there is another one to fetch. */
static int __ockam_exchange_skip(struct ockam_exchange *ex,
				 struct sk_buff_head *dropped, bool *ready,
				 struct netlink_ext_ack *extack)
	__must_hold(&ex->lock)
{
	if (ex->state != OCKAM_EXCHANGE_OPEN ||
	    ex->role != OCKAM_ROLE_RESPONDER ||
	    !__ockam_exchange_complete(ex))
		return ockam_refuse(extack, -EPROTO,
				    "only the third message can be skipped, by a responder that has fetched it");
	if (ex->fetching)
		return ockam_refuse(extack, -EBUSY,
				    "the message is being fetched");
	if (ex->skipped == OCKAM_HANDSHAKE_SKIPS_MAX)
		return ockam_refuse(extack, -ENOBUFS,
				    "too many messages were none of this handshake");
	ex->skipped++;
	ex->fetched = --ex->received;
	__skb_queue_tail(dropped, ex->messages[ex->received]);
	ex->messages[ex->received] = NULL;
	*ready = __ockam_exchange_unhold(ex, dropped);
	return 0;
}

int ockam_handshake_skip(struct ockam_net *on, u32 portid, u64 id,
			 struct netlink_ext_ack *extack)
{
	struct ockam_exchange *ex;
	bool ready = false;
	struct sk_buff_head dropped;
	int err;

	__skb_queue_head_init(&dropped);
	ex = ockam_exchange_lookup(on, id, portid);
	if (!ex)
		return ockam_refuse(extack, -ENOENT, "no such exchange");
	mutex_lock(&ex->lock);
	err = __ockam_exchange_skip(ex, &dropped, &ready, extack);
	mutex_unlock(&ex->lock);
	ockam_exchange_drop(ex, &dropped, OCKAM_DROP_HANDSHAKE_STRAY);
	if (ready)
		ockam_exchange_ready(ex);
	ockam_exchange_put(ex);
	return err;
}

/* May our next handshake message go now? Then it counts as sent. */
static int __ockam_exchange_may_send(struct ockam_exchange *ex,
				     struct netlink_ext_ack *extack)
	__must_hold(&ex->lock)
{
	struct ockam_hops ret;
	int err;

	if (ex->state != OCKAM_EXCHANGE_OPEN)
		return ockam_refuse(extack, -EPROTO, "the exchange is over");
	if (ex->sent == ockam_exchange_sends(ex))
		return ockam_refuse(extack, -EPROTO,
				    "all handshake messages of this role have been sent");
	/* All but an initiator's first message answer a fetched one. */
	if (ex->sent || ex->role == OCKAM_ROLE_RESPONDER) {
		if (!ex->fetched)
			return ockam_refuse(extack, -EPROTO,
					    "the message to be answered has not been fetched");
		/* So an initiator leaves the listener for the responder. */
		ret = ockam_message_ret(ex->messages[0]);
		err = ockam_route_set(&ex->route, ret.bytes, ret.len);
		if (err)
			return ockam_refuse(extack, err,
					    "no memory for the route");
		ex->first = ockam_cb(ex->messages[0])->ret_id;
		/* If that leads nowhere the sender is told in a moment. */
		__ockam_exchange_watch(ex);
	}
	ex->sent++;
	return 0;
}

/* Fill in the routes of @skb and count it. */
static int ockam_exchange_address(struct ockam_exchange *ex,
				  struct sk_buff *skb,
				  struct netlink_ext_ack *extack)
{
	struct ockam_hops route;
	int err;

	err = ockam_message_return_to(skb, &ex->ep, GFP_KERNEL_ACCOUNT);
	if (err)
		return ockam_refuse(extack, err, "no memory for the message");
	mutex_lock(&ex->lock);
	err = __ockam_exchange_may_send(ex, extack);
	if (!err) {
		route = ockam_route_hops(&ex->route);
		err = ockam_message_set_onward(skb, &route, true,
					       GFP_KERNEL_ACCOUNT);
		ockam_cb(skb)->to = ex->first;
		if (err) {
			ex->sent--;
			NL_SET_ERR_MSG(extack, "no memory for the message");
		}
	}
	mutex_unlock(&ex->lock);
	return err;
}

int ockam_handshake_send(struct ockam_net *on, u32 portid, u64 id,
			 const u8 *message, size_t len,
			 struct netlink_ext_ack *extack)
{
	struct ockam_exchange *ex;
	struct ockam_dispatch d;
	struct sk_buff *skb;
	int err;

	if (!len || len > OCKAM_HANDSHAKE_MAX)
		return ockam_refuse(extack, -EMSGSIZE,
				    "a handshake message has 1 to 32768 bytes");
	ex = ockam_exchange_lookup(on, id, portid);
	if (!ex)
		return ockam_refuse(extack, -ENOENT, "no such exchange");
	skb = ockam_message_alloc(on, 0, len, true, GFP_KERNEL_ACCOUNT);
	if (!skb) {
		err = ockam_refuse(extack, -ENOMEM,
				   "no memory for the message");
		goto out;
	}
	memcpy(skb->data, message, len);
	ockam_cb(skb)->flags |= OCKAM_MSG_CONTROL;
	/* Counted before it goes: the answer may be quicker than we. */
	err = ockam_exchange_address(ex, skb, extack);
	if (err) {
		ockam_message_free(skb);
		goto out;
	}
	ockam_dispatch_init(&d);
	err = ockam_route_dispatch(on, skb, &on->local, &d);
	ockam_dispatch_fini(&d);
	if (err) {
		if (err == -EHOSTUNREACH)
			NL_SET_ERR_MSG(extack, "the route begins with an unknown address");
		else if (err == -EACCES)
			NL_SET_ERR_MSG(extack, "the first address of the route may not be used");
		else
			NL_SET_ERR_MSG(extack, "the first address of the route did not take the message");
		mutex_lock(&ex->lock);
		ex->sent--;
		mutex_unlock(&ex->lock);
	}
out:
	ockam_exchange_put(ex);
	return err;
}
