// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a handshake: the keys come and the channel begins, or the worker
 * says no; an initiator waits for the peer's first packet (wire-protocol
 * section 5.5).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "channel.h"
#include "handshake.h"
#include "trace.h"

/*
 * The end of one that has its channel: counted as done, or as failed, once. When
 * that has died already its killer fails the exchange: nobody is given a channel
 * whose end he has been told before.
 */
static void ockam_exchange_succeed(struct ockam_exchange *ex,
				   struct ockam_channel *ch, bool confirmed)
{
	bool wanted = true;

	mutex_lock(&ch->news_mutex);
	if (!(READ_ONCE(ch->dead) && ex->role == OCKAM_ROLE_INITIATOR) &&
	    ockam_exchange_end(ex, OCKAM_EXCHANGE_CONFIRMING)) {
		ockam_mib_inc(ex->on, OCKAM_MIB_HANDSHAKES_DONE);
		trace_ockam_handshake_end(ex->on, ex->id, ex->role, 0, "done");
		wanted = ockam_exchange_tell(ex, 0, NULL, ch, confirmed);
	}
	mutex_unlock(&ch->news_mutex);
	if (!wanted)
		ockam_channel_close(ch, -ECANCELED,
				    "whoever asked for it has gone");
}

/* What the channel says while its initiator waits. */

static void ockam_exchange_confirmed(struct ockam_channel *ch, u64 cookie)
{
	struct ockam_exchange *ex = ockam_exchange_lookup(ch->on, cookie, 0);

	if (!ex)
		return;
	ockam_exchange_succeed(ex, ch, true);
	ockam_exchange_put(ex);
}

static void ockam_exchange_fail_channel(struct ockam_exchange *ex, bool by_peer)
{
	/* A program tells our own refusal from that of the peer by the number. */
	if (by_peer)
		ockam_exchange_fail_as(ex, OCKAM_EXCHANGE_CONFIRMING,
				       OCKAM_MIB_HANDSHAKES_FAILED_REFUSED,
				       ex->owner ? -ECONNREFUSED : -EACCES,
				       "the peer refused the channel");
	else
		ockam_exchange_fail(ex, OCKAM_EXCHANGE_CONFIRMING, -ECONNRESET,
				    "the channel ended before the peer used it");
}

static void ockam_exchange_dead(struct ockam_channel *ch, u64 cookie,
				bool by_peer)
{
	struct ockam_exchange *ex = ockam_exchange_lookup(ch->on, cookie, 0);

	if (!ex)
		return;
	/* While it is being installed the installer looks by itself. */
	if (READ_ONCE(ex->state) == OCKAM_EXCHANGE_CONFIRMING)
		ockam_exchange_fail_channel(ex, by_peer);
	ockam_exchange_put(ex);
}

static const struct ockam_channel_ops ockam_exchange_channel_ops = {
	.confirmed = ockam_exchange_confirmed,
	.dead = ockam_exchange_dead,
};

/* The peer has sent nothing: first ask its echo, then do without. */
void ockam_exchange_unconfirmed(struct ockam_exchange *ex)
{
	bool probe;

	mutex_lock(&ex->lock);
	probe = !ex->probed && ex->state == OCKAM_EXCHANGE_CONFIRMING;
	ex->probed = true;
	if (probe)
		__ockam_exchange_arm(ex, &ex->timeout_work,
				     msecs_to_jiffies(ex->confirm_ms -
						      ex->confirm_ms / 4));
	mutex_unlock(&ex->lock);
	if (probe)
		ockam_channel_send_probe(ex->channel);
	else
		ockam_exchange_succeed(ex, ex->channel, false);
}

static int ockam_exchange_alloc_channel(struct ockam_exchange *ex,
					const struct ockam_handshake_done *done,
					struct ockam_channel **ch)
{
	bool initiator = ex->role == OCKAM_ROLE_INITIATOR;
	struct ockam_channel_params p = {
		.role = ex->role,
		.key_tx = done->key_tx,
		.key_rx = done->key_rx,
		.peer = done->peer,
		.local_id = done->local_id,
		.decryptor = ex->ep.name,
		.decryptor_len = ex->ep.name_len,
		.route = &ex->route,
		.first = ex->first,
		.expiry = done->expiry,
		.attributes = done->attributes,
		.attributes_len = done->attributes_len,
		.encryptor_reach = done->encryptor_reach,
		.encryptor_ids = done->encryptor_ids,
		.n_encryptor_ids = done->n_encryptor_ids,
		.liveness = ex->liveness,
		.ops = initiator ? &ockam_exchange_channel_ops : NULL,
		.cookie = ex->id,
	};

	if (initiator) {
		p.encryptor_reach = ex->encryptor_reach;
		p.encryptor_ids = ex->encryptor_ids;
		p.n_encryptor_ids = ex->n_encryptor_ids;
	}
	/* What a socket's channel carries, that socket sends. */
	if (ex->owner || (ex->listener && ex->listener->owner)) {
		p.encryptor_reach = 0;
		p.n_encryptor_ids = 0;
	}
	if (ex->listener) {
		p.listener = ex->listener->ep.name;
		p.listener_len = ex->listener->ep.name_len;
		p.spawner_id = ex->listener->origin.flow_id;
	}
	return ockam_channel_alloc(ex->on, &p, ch);
}

/* Who receives from it? False: its owner does not want it. */
static bool ockam_exchange_give_sink(struct ockam_exchange *ex,
				     struct ockam_channel *ch)
{
	struct ockam_listener *l = ex->listener;
	struct ockam_endpoint *sink;

	if (ex->owner) {
		ockam_channel_set_sink(ch, ex->owner_ep);
	} else if (l && l->owner) {
		sink = l->owner->accept(l->owner_ep, ch);
		if (!sink)
			return false;
		ockam_channel_set_sink(ch, sink);
		ockam_endpoint_put(sink);
	}
	return true;
}

/*
 * The channel has our address. Hand over what was held; an initiator waits for
 * the peer's first packet, a responder's exchange is over.
 */
static void ockam_exchange_hand_over(struct ockam_exchange *ex,
				     struct ockam_channel *ch)
{
	bool initiator = ex->role == OCKAM_ROLE_INITIATOR;
	struct sk_buff_head held;
	bool ended, wanted, cancelled;

	__skb_queue_head_init(&held);
	mutex_lock(&ex->lock);
	ended = ex->state == OCKAM_EXCHANGE_ENDED;
	cancelled = ex->owner && ex->told;
	if (!ended) {
		ockam_channel_get(ch);
		ex->channel = ch;
		skb_queue_splice_init(&ex->hold, &held);
		ex->state = OCKAM_EXCHANGE_CONFIRMING;
		if (initiator)
			__ockam_exchange_arm(ex, &ex->timeout_work,
					     msecs_to_jiffies(ex->confirm_ms / 4));
	}
	mutex_unlock(&ex->lock);

	/* Failed by somebody else between our address and this. */
	if (ended) {
		ockam_channel_close(ch, -ECANCELED, "its handshake was cancelled");
		return;
	}
	ockam_gate_open(&ex->gate);
	wanted = ockam_exchange_give_sink(ex, ch);
	ockam_channel_start(ch, &held);
	if (!wanted)
		ockam_channel_close(ch, -ECONNABORTED, "nobody accepts it");
	if (cancelled)
		ockam_exchange_abandon(ex, -ECANCELED,
				       "whoever asked for the channel has gone",
				       "whoever asked for it has gone");
	if (!initiator)
		ockam_exchange_succeed(ex, ch, false);
	else if (READ_ONCE(ch->dead))
		ockam_exchange_fail_channel(ex, false);
}

static int ockam_exchange_install(struct ockam_exchange *ex,
				  const struct ockam_handshake_done *done,
				  struct netlink_ext_ack *extack)
{
	struct ockam_channel *ch;
	int err;

	err = ockam_exchange_alloc_channel(ex, done, &ch);
	if (err)
		return ockam_refuse(extack, err, "no memory for the channel");
	/* Packet 0, before anybody else can send: so the peer knows us willing. */
	if (done->control) {
		err = ockam_channel_send_refresh(ch, done->control,
						 done->control_len, extack);
		if (err) {
			ockam_channel_discard(ch);
			return err;
		}
	}
	err = ockam_channel_publish(ch, &ex->ep, extack);
	if (err) {
		ockam_channel_send_close(ch, NULL);
		ockam_channel_discard(ch);
		return err;
	}
	ockam_exchange_hand_over(ex, ch);
	ockam_channel_put(ch);
	return 0;
}

/* A responder that knows its peer says no by a sealed Close, best effort. */
static void ockam_exchange_refuse(struct ockam_exchange *ex,
				  const struct ockam_handshake_done *done)
{
	struct ockam_channel *ch;

	if (ockam_exchange_alloc_channel(ex, done, &ch))
		return;
	ockam_channel_send_close(ch, NULL);
	ockam_channel_discard(ch);
}

/* May the keys come now? Then the exchange is being installed. */
static int ockam_exchange_begin(struct ockam_exchange *ex,
				const struct ockam_handshake_done *done,
				struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&ex->lock);
	if (ex->state != OCKAM_EXCHANGE_OPEN) {
		err = ockam_refuse(extack, -EPROTO,
				   "the exchange is over");
	} else if (!__ockam_exchange_complete(ex)) {
		err = ockam_refuse(extack, -EPROTO,
				   "the keys came before the last handshake message");
	} else if (!done->peer || !done->key_tx || !done->key_rx) {
		err = ockam_refuse(extack, -EINVAL,
				   "the peer's identifier and both keys are needed");
	} else {
		ex->state = OCKAM_EXCHANGE_INSTALLING;
	}
	mutex_unlock(&ex->lock);
	return err;
}

int ockam_handshake_done(struct ockam_net *on, u32 portid, u64 id,
			 const struct ockam_handshake_done *done,
			 struct netlink_ext_ack *extack)
{
	struct ockam_exchange *ex;
	bool refuse;
	int err;

	ex = ockam_exchange_lookup(on, id, portid);
	if (!ex)
		return ockam_refuse(extack, -ENOENT, "no such exchange");
	mutex_lock(&ex->lock);
	ex->done = true;
	mutex_unlock(&ex->lock);
	if (done->error) {
		mutex_lock(&ex->lock);
		refuse = ex->role == OCKAM_ROLE_RESPONDER && done->peer &&
			 done->key_tx && done->key_rx &&
			 ex->state == OCKAM_EXCHANGE_OPEN &&
			 __ockam_exchange_complete(ex);
		if (refuse)
			ex->state = OCKAM_EXCHANGE_INSTALLING;
		mutex_unlock(&ex->lock);
		if (refuse)
			ockam_exchange_refuse(ex, done);
		err = 0;
		if (!ockam_exchange_fail(ex, OCKAM_EXCHANGE_INSTALLING, done->error,
					 done->reason ?: "the handshake worker gave no reason")) {
			err = ockam_refuse(extack, -EPROTO,
					   "the exchange is over");
		}
	} else {
		err = ockam_exchange_begin(ex, done, extack);
		if (!err)
			err = ockam_exchange_install(ex, done, extack);
		/* Once it has its keys, another DONE does it no harm. */
		if (err)
			ockam_exchange_fail(ex, OCKAM_EXCHANGE_INSTALLING, err,
					    extack->_msg);
	}
	ockam_exchange_put(ex);
	return err;
}
