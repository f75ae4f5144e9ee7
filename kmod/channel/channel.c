// SPDX-License-Identifier: GPL-2.0
/*
 * Secure channels: birth, lookup, change and death.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "channel.h"
#include "event.h"
#include "message.h"

/* Opening of all channels, and their timers. */
struct workqueue_struct *ockam_channel_wq;

static struct ockam_channel_attributes *
ockam_channel_alloc_attributes(const u8 *data, size_t len)
{
	struct ockam_channel_attributes *a;

	a = kmalloc(struct_size(a, data, len), GFP_KERNEL_ACCOUNT);
	if (!a)
		return NULL;
	refcount_set(&a->refs, 1);
	a->len = len;
	memcpy(a->data, data, len);
	return a;
}

static void ockam_channel_put_attributes(struct ockam_channel_attributes *a)
{
	if (a && refcount_dec_and_test(&a->refs))
		kfree(a);
}

static void ockam_channel_free(struct ockam_channel *ch)
{
	unsigned int i;

	/* Nobody else is left: plain access. */
	ockam_channel_put_path(rcu_dereference_protected(ch->path, true));
	for (i = 0; i < __OCKAM_KEY_SLOTS; i++)
		ockam_aead_key_wipe(&ch->rx.keys[i]);
	ockam_aead_key_wipe(&ch->tx.key);
	/* Set by somebody who did not see yet that the channel had died. */
	kfree(rcu_dereference_protected(ch->enc.reach_ids, true));
	kfree(ch->listener);
	ockam_channel_put_attributes(ch->attributes);
	if (ch->sink)
		ockam_endpoint_put(ch->sink);
	kfree_sensitive(ch);
	/* Module exit waits for the works that may run this. */
	module_put(THIS_MODULE);
}

void ockam_channel_put(struct ockam_channel *ch)
{
	if (refcount_dec_and_test(&ch->refs))
		ockam_channel_free(ch);
}

static void ockam_channel_release_enc(struct ockam_endpoint *ep)
{
	ockam_channel_put(container_of(ep, struct ockam_channel, enc));
}

static void ockam_channel_release_dec(struct ockam_endpoint *ep)
{
	ockam_channel_put(container_of(ep, struct ockam_channel, dec));
}

static const struct ockam_endpoint_ops ockam_channel_enc_ops = {
	.kind = OCKAM_KIND_ENCRYPTOR,
	.deliver = ockam_channel_deliver_tx,
	.full = ockam_channel_full,
	.release = ockam_channel_release_enc,
};

static const struct ockam_endpoint_ops ockam_channel_dec_ops = {
	.kind = OCKAM_KIND_DECRYPTOR,
	.deliver = ockam_channel_deliver_rx,
	.forwarded = ockam_channel_forwarded_rx,
	.release = ockam_channel_release_dec,
};

/* The parts that need memory of their own. Undone by ockam_channel_free(). */
static int ockam_channel_copy_params(struct ockam_channel *ch,
				     const struct ockam_channel_params *p)
{
	struct ockam_route route;
	struct ockam_hop hop;
	u64 first = p->first;
	int err;

	if (p->listener) {
		ch->listener = kmemdup(p->listener, p->listener_len,
				       GFP_KERNEL_ACCOUNT);
		if (!ch->listener)
			return -ENOMEM;
		ch->listener_len = p->listener_len;
	}
	if (p->attributes_len) {
		ch->attributes = ockam_channel_alloc_attributes(p->attributes,
								p->attributes_len);
		if (!ch->attributes)
			return -ENOMEM;
	}
	if (first == OCKAM_ENDPOINT_ANY && ockam_route_first(p->route, &hop))
		first = ockam_endpoint_find(ch->on, &hop);
	ockam_route_init(&route);
	err = ockam_route_copy(&route, p->route);
	if (!err)
		err = ockam_channel_move_path(ch, &route, first);
	ockam_route_reset(&route);
	return err;
}

static void ockam_channel_init_origin(struct ockam_channel *ch,
				      const struct ockam_channel_params *p)
{
	struct ockam_origin *origin = &ch->origin;

	origin->kind = OCKAM_REACH_CHANNELS;
	if (p->flow_id)
		memcpy(origin->flow_id, p->flow_id, sizeof(origin->flow_id));
	else
		ockam_endpoint_random_flow_id(origin->flow_id);
	if (p->spawner_id) {
		memcpy(origin->spawner_id, p->spawner_id,
		       sizeof(origin->spawner_id));
		origin->has_spawner = true;
	}
}

/*
 * The encryptor speaks for local senders: links and other encryptors take its
 * packets. The decryptor takes packets by any path and speaks for the peer.
 */
static int ockam_channel_init_endpoints(struct ockam_channel *ch,
					const struct ockam_channel_params *p)
{
	int err;

	err = ockam_endpoint_init(&ch->enc, ch->on, &ockam_channel_enc_ops,
				  &ch->on->local, NULL, 0, p->encryptor_reach);
	if (err)
		return err;
	err = ockam_endpoint_set_reach_ids(&ch->enc, p->encryptor_ids,
					   p->n_encryptor_ids);
	if (err)
		goto err_enc;
	err = ockam_endpoint_init(&ch->dec, ch->on, &ockam_channel_dec_ops,
				  &ch->origin, p->decryptor, p->decryptor_len,
				  OCKAM_REACH_ALL);
	if (err)
		goto err_enc;
	/* Each endpoint holds the channel until its release. */
	refcount_add(2, &ch->refs);
	return 0;

err_enc:
	ockam_endpoint_fini(&ch->enc);
	return err;
}

int ockam_channel_alloc(struct ockam_net *on,
			const struct ockam_channel_params *p,
			struct ockam_channel **out)
{
	struct ockam_channel *ch;
	int err;

	if (!p->route->hops || p->attributes_len > OCKAM_ATTRIBUTES_MAX)
		return -EINVAL;
	if (!try_module_get(THIS_MODULE))
		return -ESHUTDOWN;
	ch = kzalloc(sizeof(*ch), GFP_KERNEL_ACCOUNT);
	if (!ch) {
		module_put(THIS_MODULE);
		return -ENOMEM;
	}
	ch->on = on;
	refcount_set(&ch->refs, 1);
	spin_lock_init(&ch->lock);
	mutex_init(&ch->news_mutex);
	ockam_channel_init_expiry(ch);
	ch->expiry = p->expiry;
	ch->ops = p->ops;
	ch->cookie = p->cookie;
	ch->role = p->role;
	memcpy(ch->peer, p->peer, sizeof(ch->peer));
	if (p->local_id) {
		memcpy(ch->local_id, p->local_id, sizeof(ch->local_id));
		ch->has_local_id = true;
	}
	ockam_channel_init_origin(ch, p);
	ockam_channel_init_tx(ch, p->key_tx);
	ockam_channel_init_rx(ch, p->key_rx);
	ockam_channel_init_path(ch);
	ockam_channel_init_live(ch, &p->liveness);

	err = ockam_channel_copy_params(ch, p);
	if (!err)
		err = ockam_channel_init_endpoints(ch, p);
	if (err) {
		ockam_channel_put(ch);
		return err;
	}
	*out = ch;
	return 0;
}

static void ockam_channel_notify(struct ockam_channel *ch, u8 event, int error,
				 const char *reason)
{
	struct ockam_event_info ev = {
		.event = event,
		.ep = &ch->enc,
		.peer = ch->peer,
		.error = error,
		.reason = reason,
		.role = ch->role,
	};

	ockam_event_notify(ch->on, &ev);
}

/* False: it died before anybody heard of it. */
static bool ockam_channel_announce(struct ockam_channel *ch)
{
	mutex_lock(&ch->news_mutex);
	ch->announced = !READ_ONCE(ch->dead);
	if (ch->announced) {
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNELS_OPENED);
		ockam_channel_notify(ch, OCKAM_EVENT_CHANNEL_NEW, 0, NULL);
	}
	mutex_unlock(&ch->news_mutex);
	return ch->announced;
}

int ockam_channel_publish(struct ockam_channel *ch, struct ockam_endpoint *old,
			  struct netlink_ext_ack *extack)
{
	int err;

	/* Packet 0 may have failed. */
	if (READ_ONCE(ch->dead))
		return ockam_refuse(extack, -ESHUTDOWN, "the channel has ended");
	/* Whoever finds it from now on may end it before both addresses are there. */
	ockam_endpoint_get(&ch->enc);
	ockam_endpoint_get(&ch->dec);
	ockam_channel_get(ch);	/* the table's */
	err = ockam_table_add(ch->on, OCKAM_TABLE_CHANNELS, ch, &ch->number,
			      extack);
	if (err) {
		ockam_channel_put(ch);
		goto out;
	}
	err = ockam_endpoint_add(&ch->enc, extack);
	if (err)
		goto err_table;
	if (!old)
		err = ockam_endpoint_add(&ch->dec, extack);
	else
		err = ockam_endpoint_replace(old, &ch->dec, extack);
	if (err)
		goto err_enc;

	spin_lock_bh(&ch->lock);
	WRITE_ONCE(ch->published, !ch->dead);
	spin_unlock_bh(&ch->lock);
	ockam_channel_watch_path(ch);
	/*
	 * The node may have ended while we were not yet in reach of its end:
	 * then the kill saw the table's entry, or hides what came after it.
	 */
	if (!ockam_channel_announce(ch)) {
		err = ockam_refuse(extack, -ESHUTDOWN, "the node is ending");
		ockam_endpoint_remove(&ch->dec);
		goto err_enc;
	}
	ockam_channel_arm_expiry(ch);
	ockam_channel_start_live(ch);
	goto out;

err_enc:
	ockam_endpoint_remove(&ch->enc);
err_table:
	if (ockam_table_remove(ch->on, OCKAM_TABLE_CHANNELS, ch->number))
		ockam_channel_put(ch);
out:
	ockam_endpoint_put(&ch->enc);
	ockam_endpoint_put(&ch->dec);
	return err;
}

void ockam_channel_discard(struct ockam_channel *ch)
{
	bool dead;

	spin_lock_bh(&ch->lock);
	dead = ch->dead;
	WRITE_ONCE(ch->dead, true);
	spin_unlock_bh(&ch->lock);
	ockam_channel_close_tx(ch);
	ockam_channel_queue_rx(ch);	/* frees the queue, wipes the keys */
	if (!dead) {
		/* What the births of endpoints hold. */
		ockam_endpoint_put(&ch->enc);
		ockam_endpoint_put(&ch->dec);
	}
	ockam_channel_put(ch);
}

bool ockam_channel_kill(struct ockam_channel *ch, int error, const char *reason,
			bool by_peer)
{
	spin_lock_bh(&ch->lock);
	if (ch->dead) {
		spin_unlock_bh(&ch->lock);
		return false;
	}
	WRITE_ONCE(ch->dead, true);
	ch->end_error = error;
	ch->end_by_peer = by_peer;
	spin_unlock_bh(&ch->lock);

	ockam_watch_stop(&ch->watch);
	ockam_endpoint_remove(&ch->enc);
	ockam_endpoint_remove(&ch->dec);
	ockam_channel_close_tx(ch);
	ockam_gate_open(&ch->rx.gate);
	if (cancel_delayed_work(&ch->expiry_work))
		ockam_channel_put(ch);
	if (cancel_delayed_work(&ch->rx.stall_work))
		ockam_channel_put(ch);
	if (cancel_delayed_work(&ch->live.work))
		ockam_channel_put(ch);
	if (cancel_delayed_work(&ch->orphan_work))
		ockam_channel_put(ch);
	/* The one thing that a run of it does for a dead channel is to clean up. */
	ockam_channel_queue_rx(ch);

	mutex_lock(&ch->news_mutex);
	if (ch->announced) {
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNELS_CLOSED);
		ockam_channel_notify(ch, OCKAM_EVENT_CHANNEL_DEL, error, reason);
	}
	mutex_unlock(&ch->news_mutex);
	if (ch->ops && ch->ops->dead)
		ch->ops->dead(ch, ch->cookie, by_peer);
	if (ch->sink)
		ch->sink->ops->ended(ch->sink, error, by_peer);
	/* The births' references; releases follow after a grace period. */
	ockam_endpoint_put(&ch->enc);
	ockam_endpoint_put(&ch->dec);
	if (ockam_table_remove(ch->on, OCKAM_TABLE_CHANNELS, ch->number))
		ockam_channel_put(ch);
	return true;
}

void ockam_channel_close(struct ockam_channel *ch, int error, const char *reason)
{
	bool send;

	spin_lock_bh(&ch->lock);
	send = !ch->dead && !ch->closing;
	WRITE_ONCE(ch->closing, true);
	spin_unlock_bh(&ch->lock);
	if (send)
		ockam_channel_send_close(ch, NULL);
	ockam_channel_kill(ch, error, reason, false);
}

void ockam_channel_finish(struct ockam_channel *ch, const char *reason)
{
	bool send;

	spin_lock_bh(&ch->lock);
	send = !ch->dead && !ch->closing;
	WRITE_ONCE(ch->closing, true);
	spin_unlock_bh(&ch->lock);
	if (send && !ockam_channel_send_close(ch, reason))
		ockam_channel_kill(ch, 0, reason, false);
}

void ockam_channel_set_sink(struct ockam_channel *ch,
			    struct ockam_endpoint *sink)
{
	bool dead;

	spin_lock_bh(&ch->lock);
	dead = ch->dead;
	if (!dead)
		ch->sink = ockam_endpoint_get(sink);
	spin_unlock_bh(&ch->lock);
	/* How it ended was written in the same step as that it did. */
	if (dead)
		sink->ops->ended(sink, ch->end_error, ch->end_by_peer);
}

struct ockam_channel *ockam_channel_lookup(struct ockam_net *on, const u8 *name,
					   u8 name_len)
{
	struct ockam_channel *ch = NULL;
	struct ockam_endpoint *ep;

	ep = ockam_endpoint_lookup(on, name, name_len);
	if (!ep)
		return NULL;
	if (ep->ops == &ockam_channel_enc_ops)
		ch = container_of(ep, struct ockam_channel, enc);
	else if (ep->ops == &ockam_channel_dec_ops)
		ch = container_of(ep, struct ockam_channel, dec);
	if (ch)
		ockam_channel_get(ch);
	ockam_endpoint_put(ep);
	return ch;
}

struct ockam_channel *ockam_channel_get_next(struct ockam_net *on, u32 *number)
{
	struct xarray *xa = &on->tables[OCKAM_TABLE_CHANNELS].xa;
	unsigned long index = *number;
	struct ockam_channel *ch;

	/* Entries leave under this lock, and hold a reference until then. */
	xa_lock(xa);
	ch = xa_find(xa, &index, ULONG_MAX, XA_PRESENT);
	if (ch)
		ockam_channel_get(ch);
	xa_unlock(xa);
	*number = index;
	return ch;
}

int ockam_channel_get_info(struct ockam_channel *ch,
			   struct ockam_channel_info *info)
{
	unsigned int start, i;
	u64 first, rekeys;
	int err;

	ockam_route_init(&info->route);
	err = ockam_channel_copy_path(ch, &info->route, &first);
	if (err)
		return err;
	info->encryptor = &ch->enc;
	info->decryptor = &ch->dec;
	info->origin = &ch->origin;
	info->peer = ch->peer;
	info->local_id = ch->has_local_id ? ch->local_id : NULL;
	info->listener = ch->listener;
	info->listener_len = ch->listener_len;
	info->role = ch->role;
	info->flags = (READ_ONCE(ch->confirmed) ? OCKAM_FLAG_CONFIRMED : 0) |
		      (ch->role == OCKAM_ROLE_INITIATOR ?
		       OCKAM_FLAG_INITIATOR : 0) |
		      (READ_ONCE(ch->rx.paused) ? OCKAM_FLAG_PAUSED : 0) |
		      (ockam_channel_lost_way(ch, &info->route, first) ?
		       OCKAM_FLAG_NO_ROUTE : 0);
	info->liveness.ms = READ_ONCE(ch->live.ms);
	info->liveness.strict = READ_ONCE(ch->live.strict);

	spin_lock_bh(&ch->lock);
	info->dead = ch->dead;
	info->expiry = ch->expiry;
	info->attributes = ch->attributes;
	if (info->attributes)
		refcount_inc(&info->attributes->refs);
	spin_unlock_bh(&ch->lock);
	spin_lock_bh(&ch->tx.lock);
	info->tx_bytes = ch->tx.bytes;
	info->tx_messages = ch->tx.messages;
	info->rekeys = ch->tx.interval;
	spin_unlock_bh(&ch->tx.lock);
	do {
		start = u64_stats_fetch_begin(&ch->rx.stats);
		info->rx_bytes = u64_stats_read(&ch->rx.bytes);
		info->rx_messages = u64_stats_read(&ch->rx.messages);
		rekeys = u64_stats_read(&ch->rx.rekeys);
		for (i = 0; i < OCKAM_CHANNEL_REFUSED; i++)
			info->refused[i] = u64_stats_read(&ch->rx.refused[i]);
	} while (u64_stats_fetch_retry(&ch->rx.stats, start));
	info->rekeys += rekeys;
	info->heard_ms = jiffies_to_msecs(jiffies - READ_ONCE(ch->live.heard));
	spin_lock_bh(&ch->rx.gate.lock);
	info->queued_bytes = ch->rx.gate.used;
	spin_unlock_bh(&ch->rx.gate.lock);
	return 0;
}

void ockam_channel_reset_info(struct ockam_channel_info *info)
{
	ockam_route_reset(&info->route);
	ockam_channel_put_attributes(info->attributes);
}

int ockam_channel_set_credentials(struct ockam_channel *ch,
				  const struct ockam_channel_credentials *c,
				  struct netlink_ext_ack *extack)
{
	struct ockam_channel_attributes *a = NULL;
	bool dead;

	if (c->has_attributes && c->attributes_len > OCKAM_ATTRIBUTES_MAX)
		return ockam_refuse(extack, -EINVAL,
				    "the attributes are longer than 4096 bytes");
	if (c->has_attributes && c->attributes_len) {
		a = ockam_channel_alloc_attributes(c->attributes,
						   c->attributes_len);
		if (!a)
			return ockam_refuse(extack, -ENOMEM, "out of memory");
	}
	spin_lock_bh(&ch->lock);
	dead = ch->dead;
	if (!dead && c->has_attributes)
		swap(ch->attributes, a);
	if (!dead && c->has_expiry)
		WRITE_ONCE(ch->expiry, c->expiry);
	spin_unlock_bh(&ch->lock);
	ockam_channel_put_attributes(a);
	if (dead)
		return ockam_refuse(extack, -ESHUTDOWN, "the channel has ended");
	if (c->has_expiry)
		ockam_channel_arm_expiry(ch);
	return 0;
}

int ockam_channel_set_reach(struct ockam_channel *ch, u32 reach, const u8 *ids,
			    u32 n, struct netlink_ext_ack *extack)
{
	if (READ_ONCE(ch->dead))
		return ockam_refuse(extack, -ESHUTDOWN, "the channel has ended");
	if (ockam_endpoint_set_reach(&ch->enc, &reach, ids, n))
		return ockam_refuse(extack, -ENOMEM, "out of memory");
	return 0;
}

const struct ockam_endpoint *ockam_channel_encryptor(const struct ockam_channel *ch)
{
	return &ch->enc;
}

const struct ockam_endpoint *ockam_channel_decryptor(const struct ockam_channel *ch)
{
	return &ch->dec;
}

/* No Close here: the links that would carry it end in the same moment. */
void ockam_channel_hide_net(struct ockam_net *on)
{
	struct ockam_channel *ch;
	u32 number = 0;

	while ((ch = ockam_channel_get_next(on, &number))) {
		ockam_channel_kill(ch, -ESHUTDOWN, "the node has ended", false);
		/*
		 * Or what waits would be carried one by one, each queueing the
		 * work for the next, past the flush that follows.
		 */
		ockam_channel_stop_tx(ch);
		ockam_channel_put(ch);
		number++;
	}
}

/* A copied key seals nothing more, not even a Close; else peers are told. */
void ockam_channel_end_keys(struct ockam_net *on, bool copied, const char *why)
{
	struct ockam_channel *ch;
	bool any = false;
	u32 number = 0;

	while ((ch = ockam_channel_get_next(on, &number))) {
		if (!copied)
			ockam_channel_send_close(ch, NULL);
		if (ockam_channel_kill(ch, -EKEYREVOKED, why, false))
			ockam_mib_inc(on, OCKAM_MIB_CHANNELS_MACHINE);
		ockam_channel_put(ch);
		any = true;
		number++;
	}
	/* Their last works wipe the receiving keys. */
	if (any)
		flush_workqueue(ockam_channel_wq);
}

void ockam_channel_free_net(struct ockam_net *on)
{
	/* Dead channels start no timers; their last works free the queues. */
	flush_workqueue(ockam_channel_wq);
}

int ockam_channel_init(void)
{
	ockam_channel_wq = alloc_workqueue("ockam_channel",
					   WQ_UNBOUND | WQ_CPU_INTENSIVE, 0);
	if (!ockam_channel_wq)
		return -ENOMEM;
	return 0;
}

void ockam_channel_exit(void)
{
	destroy_workqueue(ockam_channel_wq);
	/* Paths are freed by a function of ours. */
	rcu_barrier();
}
