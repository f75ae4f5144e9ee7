// SPDX-License-Identifier: GPL-2.0
/*
 * Channel listeners, and how many exchanges strangers may start: every message
 * at a listener becomes a pending exchange (wire-protocol section 5.4).
 *
 * Started exchanges have their own address and need no quota any more, so a
 * flood of first messages cannot starve third ones.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "handshake.h"
#include "message.h"
#include "route.h"

static const char ockam_listener_deleted[] = "the listener was deleted";
static const char ockam_listener_changed[] = "the rules of the listener have changed";

/*
 * One place that first messages come from: the address that answers would go
 * to first, which is a link or the encryptor of another channel; or, without a
 * name, all sockets of the node together.
 *
 * Born:   with its first message, under hn->source_lock, which guards it all.
 * Dies:   when it has nothing pending and a full second has passed, so that its
 *         tokens are back; noticed by whoever looks into its bucket.
 */
struct ockam_handshake_source {
	struct hlist_node node;
	unsigned long stamp;	/* jiffies of the last refill */
	u64 tokens;		/* in 1/HZ of an exchange */
	u32 pending;
	u8 name_len;
	u8 name[];
};

static bool ockam_source_idle(const struct ockam_handshake_source *src)
{
	return !src->pending && time_after(jiffies, src->stamp + HZ);
}

/* Found, or made; NULL without memory. Sweeps the bucket on the way. */
static struct ockam_handshake_source *
__ockam_source_get(struct ockam_handshake_net *hn, const struct ockam_hop *hop)
	__must_hold(&hn->source_lock)
{
	u32 hash = jhash(hop->name, hop->len, 0);
	struct ockam_handshake_source *src, *found = NULL;
	struct hlist_head *head;
	struct hlist_node *next;

	lockdep_assert_held(&hn->source_lock);
	head = &hn->sources[hash >> (32 - OCKAM_HANDSHAKE_SOURCE_BITS)];
	hlist_for_each_entry_safe(src, next, head, node) {
		if (src->name_len == hop->len &&
		    !memcmp(src->name, hop->name, hop->len)) {
			found = src;
		} else if (ockam_source_idle(src)) {
			hlist_del(&src->node);
			kfree(src);
		}
	}
	if (found)
		return found;
	src = kzalloc(struct_size(src, name, hop->len),
		      GFP_ATOMIC | __GFP_ACCOUNT);
	if (!src)
		return NULL;
	src->name_len = hop->len;
	memcpy(src->name, hop->name, hop->len);
	/* Older than a second: starts with all tokens. */
	src->stamp = jiffies - 2 * HZ;
	hlist_add_head(&src->node, head);
	return src;
}

/* A token bucket as large as what comes in a second. */
static bool __ockam_source_take_token(struct ockam_handshake_source *src,
				      u64 rate)
{
	unsigned long elapsed = min(jiffies - src->stamp, (unsigned long)HZ);

	src->stamp = jiffies;
	src->tokens = min(src->tokens + elapsed * rate, rate * HZ);
	if (src->tokens < HZ)
		return false;
	src->tokens -= HZ;
	return true;
}

/* Room for one more exchange? 0 or a reason; on 0 *@out counts it. */
static enum ockam_mib ockam_listener_take_quota(struct ockam_net *on,
						const struct ockam_hop *from,
						struct ockam_handshake_source **out)
{
	struct ockam_handshake_net *hn = ockam_handshake_net(on);
	struct ockam_handshake_source *src;
	enum ockam_mib reason = 0;

	spin_lock_bh(&hn->source_lock);
	src = __ockam_source_get(hn, from);
	if (!src)
		reason = OCKAM_DROP_NO_MEMORY;
	else if (!__ockam_source_take_token(src, ockam_netns_limit(on, OCKAM_LIMIT_PENDING_RATE)))
		reason = OCKAM_DROP_HANDSHAKE_RATE;
	else if (src->pending >= ockam_netns_limit(on, OCKAM_LIMIT_PENDING_LINK))
		reason = OCKAM_DROP_HANDSHAKE_LINK_LIMIT;
	else if (atomic_read(&hn->responders) >= ockam_netns_limit(on, OCKAM_LIMIT_PENDING))
		reason = OCKAM_DROP_HANDSHAKE_LIMIT;
	if (!reason) {
		atomic_inc(&hn->responders);
		src->pending++;
		*out = src;
	}
	spin_unlock_bh(&hn->source_lock);
	return reason;
}

static void ockam_listener_give_quota(struct ockam_net *on,
				      struct ockam_handshake_source *src)
{
	struct ockam_handshake_net *hn = ockam_handshake_net(on);

	spin_lock_bh(&hn->source_lock);
	src->pending--;
	atomic_dec(&hn->responders);
	spin_unlock_bh(&hn->source_lock);
}

/* A responder's exchange has ended. */
void ockam_listener_release_quota(struct ockam_exchange *ex)
{
	atomic_dec(&ex->listener->pending);
	ockam_listener_give_quota(ex->on, ex->source);
}

void ockam_listener_exit_net(struct ockam_handshake_net *hn)
{
	struct ockam_handshake_source *src;
	struct hlist_node *next;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hn->sources); i++) {
		hlist_for_each_entry_safe(src, next, &hn->sources[i], node) {
			WARN_ON_ONCE(src->pending);
			kfree(src);
		}
	}
}

static enum ockam_mib ockam_listener_check(const struct ockam_listener *l,
					   const struct sk_buff *skb,
					   struct ockam_hop *from,
					   u32 *worker_portid)
{
	struct ockam_hops ret = ockam_message_ret(skb);
	struct ockam_endpoint *ep;

	if (READ_ONCE(l->dead))
		return OCKAM_DROP_DEAD;
	if (skb->len > OCKAM_HANDSHAKE_MAX)
		return OCKAM_DROP_HANDSHAKE_TOO_LARGE;
	/* There is no way to answer. */
	if (!ockam_hops_first(&ret, from))
		return OCKAM_DROP_NO_ROUTE;
	/* All sockets are one source: a user may have as many as he likes. */
	ep = ockam_endpoint_lookup_kind(l->ep.on, from->name, from->len,
					OCKAM_KIND_SOCKET);
	if (ep) {
		ockam_endpoint_put(ep);
		from->len = 0;
	}
	*worker_portid = READ_ONCE(l->ep.on->worker_portid);
	if (!*worker_portid)
		return OCKAM_DROP_HANDSHAKE_NO_WORKER;
	if (l->owner && !l->owner->room(l->owner_ep, atomic_read(&l->pending)))
		return OCKAM_DROP_HANDSHAKE_BACKLOG;
	return 0;
}

/* Why a first message was taken and came to nothing. */
static enum ockam_mib ockam_listener_unpublished(int err)
{
	switch (err) {
	case -ENOSPC:
		return OCKAM_DROP_HANDSHAKE_LIMIT;
	case -ESRCH:
		return OCKAM_DROP_HANDSHAKE_NO_WORKER;
	case -ESHUTDOWN:
	case -EKEYREVOKED:
		return OCKAM_DROP_DEAD;
	default:
		return OCKAM_DROP_NO_MEMORY;
	}
}

/* What an exchange that begins now keeps. */
static void ockam_listener_get_rules(struct ockam_listener *l,
				     struct ockam_exchange *ex)
{
	spin_lock_bh(&l->lock);
	ex->opaque = l->opaque;
	refcount_inc(&ex->opaque->refs);
	ex->liveness = l->liveness;
	ex->aborts = l->aborts;
	spin_unlock_bh(&l->lock);
}

/* It began before the rules changed that none may begin with any more. */
static bool ockam_listener_outdated(const struct ockam_exchange *ex,
				    const void *arg)
{
	return ex->listener == arg &&
	       ex->aborts != READ_ONCE(ex->listener->aborts);
}

/* Did it end while @ex came into the tables? Then whoever did it missed @ex. */
static const char *ockam_listener_ended(struct ockam_listener *l,
					const struct ockam_exchange *ex)
{
	if (READ_ONCE(l->dead))
		return ockam_listener_deleted;
	return ockam_listener_outdated(ex, l) ? ockam_listener_changed : NULL;
}

/* Every message starts an exchange, whatever it says. */
static int ockam_listener_deliver(struct ockam_endpoint *ep,
				  struct sk_buff *skb,
				  struct ockam_dispatch *d)
{
	struct ockam_listener *l = container_of(ep, struct ockam_listener, ep);
	struct ockam_handshake_source *source;
	struct ockam_exchange *ex;
	struct sk_buff *linear;
	struct ockam_hops ret;
	enum ockam_mib reason;
	struct ockam_hop from;
	u32 worker_portid;
	const char *why;
	u32 timeout_ms;
	int err;

	reason = ockam_listener_check(l, skb, &from, &worker_portid);
	if (!reason)
		reason = ockam_listener_take_quota(ep->on, &from, &source);
	if (reason)
		goto drop;
	ex = ockam_exchange_alloc(ep->on, OCKAM_ROLE_RESPONDER, worker_portid);
	if (!ex) {
		ockam_listener_give_quota(ep->on, source);
		reason = OCKAM_DROP_NO_MEMORY;
		goto drop;
	}
	/* From here on the exchange's end gives both counts back. */
	ex->source = source;
	ex->listener = l;
	ockam_endpoint_get(ep);
	ockam_listener_get_rules(l, ex);
	atomic_inc(&l->pending);
	timeout_ms = l->timeout_ms ?: ockam_netns_limit(ep->on, OCKAM_LIMIT_RESPONDER_MS);
	/* The worker fetches handshake messages in one piece. */
	linear = ockam_message_linear(skb, GFP_KERNEL_ACCOUNT);
	skb = linear ?: skb;
	ret = ockam_message_ret(skb);
	if (!linear || ockam_route_set(&ex->route, ret.bytes, ret.len)) {
		ockam_exchange_end(ex, OCKAM_EXCHANGE_OPEN);
		ockam_exchange_put(ex);
		reason = OCKAM_DROP_NO_MEMORY;
		goto drop;
	}
	ex->first = ockam_cb(skb)->ret_id;
	ex->messages[0] = skb;
	ex->received = 1;
	err = ockam_exchange_publish(ex, timeout_ms, NULL);
	if (err) {
		ockam_mib_inc(ep->on, ockam_listener_unpublished(err));
	} else {
		why = ockam_listener_ended(l, ex);
		if (why)
			ockam_exchange_fail(ex, OCKAM_EXCHANGE_OPEN,
					    -ECONNABORTED, why);
		else
			ockam_exchange_ready(ex);
	}
	ockam_exchange_put(ex);
	return 0;

drop:
	ockam_drop(ep->on, reason, skb);
	return 0;
}

static void ockam_listener_release(struct ockam_endpoint *ep)
{
	struct ockam_listener *l = container_of(ep, struct ockam_listener, ep);

	if (l->owner)
		ockam_endpoint_put(l->owner_ep);
	ockam_opaque_put(l->opaque);
	kfree(l);
	/* Module exit waits for the work that runs this. */
	module_put(THIS_MODULE);
}

static const struct ockam_endpoint_ops ockam_listener_ops = {
	.kind = OCKAM_KIND_LISTENER,
	.deliver = ockam_listener_deliver,
	.release = ockam_listener_release,
};

static int ockam_listener_alloc(struct ockam_net *on,
				const struct ockam_listener_params *p,
				struct ockam_listener **out)
{
	struct ockam_listener *l;
	int err;

	if (!try_module_get(THIS_MODULE))
		return -ESHUTDOWN;
	err = -ENOMEM;
	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		goto err_module;
	spin_lock_init(&l->lock);
	l->opaque = ockam_opaque_alloc(p->opaque, p->opaque_len);
	if (!l->opaque)
		goto err_free;
	err = ockam_endpoint_init(&l->ep, on, &ockam_listener_ops, &l->origin,
				  p->name, p->name_len, p->reach);
	if (err)
		goto err_free;
	err = ockam_endpoint_set_reach_ids(&l->ep, p->reach_ids, p->n_reach_ids);
	if (err)
		goto err_endpoint;
	/* It produces nothing itself; its id stands behind its channels. */
	l->origin.kind = OCKAM_REACH_CHANNELS;
	if (p->flow_id)
		memcpy(l->origin.flow_id, p->flow_id, sizeof(l->origin.flow_id));
	else
		ockam_endpoint_random_flow_id(l->origin.flow_id);
	l->timeout_ms = p->timeout_ms;
	l->liveness = p->liveness;
	if (p->owner) {
		l->owner = p->owner;
		l->owner_ep = ockam_endpoint_get(p->owner_ep);
	}
	*out = l;
	return 0;

err_endpoint:
	ockam_endpoint_fini(&l->ep);
err_free:
	ockam_opaque_put(l->opaque);
	kfree(l);
err_module:
	module_put(THIS_MODULE);
	return err;
}

static bool ockam_listener_made(const struct ockam_exchange *ex,
				const void *arg)
{
	return ex->listener == arg;
}

/* Hide it; exchanges fail. True for the one caller who did it. */
static bool ockam_listener_kill(struct ockam_listener *l)
{
	struct ockam_net *on = l->ep.on;
	bool dead;

	spin_lock_bh(&l->lock);
	dead = l->dead;
	WRITE_ONCE(l->dead, true);
	spin_unlock_bh(&l->lock);
	if (dead)
		return false;
	ockam_endpoint_remove(&l->ep);
	ockam_exchange_fail_all(on, ockam_listener_made, l, OCKAM_EXCHANGE_OPEN,
				-ECONNABORTED, ockam_listener_deleted);
	if (ockam_table_remove(on, OCKAM_TABLE_LISTENERS, l->number))
		ockam_endpoint_put(&l->ep);
	return true;
}

int ockam_handshake_add_listener(struct ockam_net *on,
				 const struct ockam_listener_params *p,
				 struct ockam_listener **l,
				 struct netlink_ext_ack *extack)
{
	struct ockam_listener *new;
	int err;

	if (p->opaque_len > OCKAM_OPAQUE_MAX)
		return ockam_refuse(extack, -E2BIG,
				    "the worker's data is longer than 16384 bytes");
	err = ockam_listener_alloc(on, p, &new);
	if (err)
		return ockam_refuse(extack, err, "no memory for the listener");
	err = p->name && !p->replace ?
	      ockam_endpoint_take_name(&new->ep, true, extack) : 0;
	if (err)
		goto out_put;
	/* Two references: the table's, and ours for the moment. */
	ockam_endpoint_get(&new->ep);
	err = ockam_table_add(on, OCKAM_TABLE_LISTENERS, new, &new->number,
			      extack);
	if (err) {
		ockam_endpoint_put(&new->ep);
		goto out_put;
	}
	err = p->replace ? ockam_endpoint_replace(p->replace, &new->ep, extack) :
			   ockam_endpoint_add(&new->ep, extack);
	if (err) {
		ockam_listener_kill(new);
		goto out_put;
	}
	/* The end of the node may have met it before its address was there. */
	if (READ_ONCE(new->dead)) {
		ockam_endpoint_remove(&new->ep);
		err = ockam_refuse(extack, -ESHUTDOWN, "the node is ending");
		goto out_put;
	}
	if (l) {
		*l = new;
		return 0;
	}
out_put:
	ockam_endpoint_put(&new->ep);
	return err;
}

/* The same, and whoever has it is told. */
static bool ockam_listener_delete(struct ockam_listener *l)
{
	if (!ockam_listener_kill(l))
		return false;
	if (l->owner)
		l->owner->gone(l->owner_ep);
	return true;
}

void ockam_handshake_end_listener(struct ockam_listener *l)
{
	ockam_listener_kill(l);
	ockam_handshake_put_listener(l);
}

int ockam_handshake_del_listener(struct ockam_net *on, const u8 *name,
				 u8 name_len)
{
	struct ockam_listener *l;
	bool killed;

	l = ockam_handshake_lookup_listener(on, name, name_len);
	if (!l)
		return -ENOENT;
	killed = ockam_listener_delete(l);
	ockam_handshake_put_listener(l);
	return killed ? 0 : -ENOENT;
}

int ockam_handshake_set_listener(struct ockam_listener *l,
				 const struct ockam_listener_change *c,
				 struct netlink_ext_ack *extack)
{
	struct ockam_opaque *o = NULL;

	if (c->opaque_len > OCKAM_OPAQUE_MAX)
		return ockam_refuse(extack, -E2BIG,
				    "the worker's data is longer than 16384 bytes");
	if (READ_ONCE(l->dead))
		return ockam_refuse(extack, -ESHUTDOWN,
				    "the listener was deleted");
	if (c->has_opaque) {
		o = ockam_opaque_alloc(c->opaque, c->opaque_len);
		if (!o)
			return ockam_refuse(extack, -ENOMEM,
					    "no memory for the worker's data");
	}
	spin_lock_bh(&l->lock);
	if (o)
		swap(o, l->opaque);
	if (c->has_liveness)
		l->liveness = c->liveness;
	if (c->abort)
		WRITE_ONCE(l->aborts, l->aborts + 1);
	spin_unlock_bh(&l->lock);
	ockam_opaque_put(o);
	/* Those too whose keys are just being installed: they see that it failed. */
	if (c->abort)
		ockam_exchange_fail_all(l->ep.on, ockam_listener_outdated, l,
					OCKAM_EXCHANGE_INSTALLING,
					-ECONNABORTED, ockam_listener_changed);
	return 0;
}

struct ockam_listener *ockam_handshake_lookup_listener(struct ockam_net *on,
						       const u8 *name,
						       u8 name_len)
{
	struct ockam_endpoint *ep;

	ep = ockam_endpoint_lookup(on, name, name_len);
	if (!ep)
		return NULL;
	/* By the operations: other rooms may have listeners of their own. */
	if (ep->ops != &ockam_listener_ops) {
		ockam_endpoint_put(ep);
		return NULL;
	}
	return container_of(ep, struct ockam_listener, ep);
}

struct ockam_listener *ockam_handshake_next_listener(struct ockam_net *on,
						     u32 *number)
{
	struct xarray *xa = &on->tables[OCKAM_TABLE_LISTENERS].xa;
	unsigned long index = *number;
	struct ockam_listener *l;

	xa_lock(xa);
	l = xa_find(xa, &index, ULONG_MAX, XA_PRESENT);
	if (l)
		ockam_endpoint_get(&l->ep);
	xa_unlock(xa);
	*number = index;
	return l;
}

void ockam_handshake_put_listener(struct ockam_listener *l)
{
	ockam_endpoint_put(&l->ep);
}

int ockam_handshake_set_reach(struct ockam_listener *l, u32 reach)
{
	return ockam_endpoint_set_reach(&l->ep, &reach, NULL, 0);
}

void ockam_handshake_listener_info(struct ockam_listener *l,
				   struct ockam_listener_info *info)
{
	info->ep = &l->ep;
	info->flow_id = l->origin.flow_id;
	info->timeout_ms = l->timeout_ms;
	info->pending = atomic_read(&l->pending);
	spin_lock_bh(&l->lock);
	info->liveness = l->liveness;
	spin_unlock_bh(&l->lock);
}

void ockam_listener_hide_net(struct ockam_net *on)
{
	struct ockam_listener *l;
	u32 number = 0;

	while ((l = ockam_handshake_next_listener(on, &number))) {
		ockam_listener_delete(l);
		ockam_handshake_put_listener(l);
		number++;
	}
}
