// SPDX-License-Identifier: GPL-2.0
/*
 * Pending handshakes: life and death of exchanges, and this room of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/netns/generic.h>

#include "channel.h"
#include "event.h"
#include "handshake.h"
#include "message.h"
#include "route.h"
#include "trace.h"

struct workqueue_struct *ockam_handshake_wq;

static unsigned int ockam_handshake_id __read_mostly;

/* How soon a READY is tried again that found the worker's buffer full. */
#define OCKAM_EXCHANGE_READY_RETRY	(HZ / 50 + 1)

struct ockam_handshake_net *ockam_handshake_net(const struct ockam_net *on)
{
	return net_generic(on->net, ockam_handshake_id);
}

struct ockam_opaque *ockam_opaque_alloc(const u8 *data, size_t len)
{
	struct ockam_opaque *o;

	o = kmalloc(struct_size(o, data, len), GFP_KERNEL_ACCOUNT);
	if (!o)
		return NULL;
	refcount_set(&o->refs, 1);
	o->len = len;
	if (len)
		memcpy(o->data, data, len);
	return o;
}

void ockam_opaque_put(struct ockam_opaque *o)
{
	/* The request that brought it was wiped too. */
	if (o && refcount_dec_and_test(&o->refs))
		kfree_sensitive(o);
}

static void ockam_exchange_release(struct ockam_endpoint *ep)
{
	struct ockam_exchange *ex = container_of(ep, struct ockam_exchange, ep);
	unsigned int i;

	for (i = 0; i < OCKAM_EXCHANGE_MESSAGES; i++)
		ockam_message_free(ex->messages[i]);
	ockam_route_reset(&ex->route);
	if (ex->listener)
		ockam_endpoint_put(&ex->listener->ep);
	if (ex->owner_ep)
		ockam_endpoint_put(ex->owner_ep);
	if (ex->channel)
		ockam_channel_put(ex->channel);
	kfree(ex->encryptor_ids);
	ockam_opaque_put(ex->opaque);
	mutex_destroy(&ex->lock);
	kfree(ex);
	/* Module exit waits for the work that runs this. */
	module_put(THIS_MODULE);
}

static const struct ockam_endpoint_ops ockam_exchange_ops = {
	.kind = OCKAM_KIND_EXCHANGE,
	.deliver = ockam_exchange_deliver,
	.release = ockam_exchange_release,
};

/* The deadline, and after the keys the time to be confirmed. */
static void ockam_exchange_timeout_work(struct work_struct *work)
{
	struct ockam_exchange *ex = container_of(to_delayed_work(work),
						 struct ockam_exchange,
						 timeout_work);

	mutex_lock(&ex->lock);
	if (ex->state == OCKAM_EXCHANGE_CONFIRMING) {
		mutex_unlock(&ex->lock);
		ockam_exchange_unconfirmed(ex);
	} else {
		mutex_unlock(&ex->lock);
		ockam_exchange_fail(ex, OCKAM_EXCHANGE_OPEN, -ETIMEDOUT,
				    "the handshake was not finished in time");
	}
	ockam_exchange_put(ex);
}

static void ockam_exchange_hold_work(struct work_struct *work)
{
	struct ockam_exchange *ex = container_of(to_delayed_work(work),
						 struct ockam_exchange,
						 hold_work);

	ockam_exchange_fail(ex, OCKAM_EXCHANGE_OPEN, -ENOBUFS,
			    "too many packets came before the keys");
	ockam_exchange_put(ex);
}

void ockam_exchange_ready(struct ockam_exchange *ex)
{
	int err = ockam_event_ready(ex->on, ex->worker_portid, ex->id);

	if (err == -ECONNREFUSED) {
		ockam_exchange_fail(ex, OCKAM_EXCHANGE_OPEN, -ESRCH,
				    "the handshake worker has gone");
	} else if (err) {
		/* Its buffer is full; nothing may be lost by that. */
		mutex_lock(&ex->lock);
		__ockam_exchange_arm(ex, &ex->ready_work,
				     OCKAM_EXCHANGE_READY_RETRY);
		mutex_unlock(&ex->lock);
	}
}

static void ockam_exchange_ready_work(struct work_struct *work)
{
	struct ockam_exchange *ex = container_of(to_delayed_work(work),
						 struct ockam_exchange,
						 ready_work);
	bool fetched;

	mutex_lock(&ex->lock);
	/* It may have looked by itself in the meantime. */
	fetched = ex->received && ex->fetched == ex->received;
	mutex_unlock(&ex->lock);
	if (!fetched)
		ockam_exchange_ready(ex);
	ockam_exchange_put(ex);
}

static const char ockam_exchange_no_way[] =
	"the connection that the handshake went through has ended";

static void ockam_exchange_gone_work(struct work_struct *work)
{
	struct ockam_exchange *ex = container_of(work, struct ockam_exchange,
						 gone_work);

	/* A responder that has its keys has a channel, which its peer may move. */
	if (ex->role == OCKAM_ROLE_RESPONDER)
		ockam_exchange_fail(ex, OCKAM_EXCHANGE_OPEN, -ECONNRESET,
				    ockam_exchange_no_way);
	else
		ockam_exchange_abandon(ex, -ECONNRESET, ockam_exchange_no_way,
				       "its connection ended before the peer used it");
	ockam_exchange_put(ex);
}

/* Under on->address_lock. */
static void ockam_exchange_route_gone(struct ockam_watch *watch, bool gone)
{
	struct ockam_exchange *ex = container_of(watch, struct ockam_exchange,
						 watch);

	/* Not ended, or the watch had been stopped. */
	ockam_endpoint_get(&ex->ep);
	if (!queue_work(ockam_handshake_wq, &ex->gone_work))
		ockam_exchange_put(ex);
}

int __ockam_exchange_watch(struct ockam_exchange *ex)
{
	struct ockam_hop first;
	int err;

	lockdep_assert_held(&ex->lock);
	if (ex->state == OCKAM_EXCHANGE_ENDED ||
	    !ockam_route_first(&ex->route, &first))
		return 0;
	err = ockam_watch_start(&ex->watch, &first, &ex->first);
	/* What comes to have the name later is not meant. */
	if (ex->first == OCKAM_ENDPOINT_ANY)
		ex->first = OCKAM_ENDPOINT_NONE;
	return err;
}

struct ockam_exchange *ockam_exchange_alloc(struct ockam_net *on, u8 role,
					    u32 worker_portid)
{
	struct ockam_exchange *ex;

	if (!try_module_get(THIS_MODULE))
		return NULL;
	ex = kzalloc(sizeof(*ex), GFP_KERNEL_ACCOUNT);
	if (!ex || ockam_endpoint_init(&ex->ep, on, &ockam_exchange_ops,
				       &on->local, NULL, 0, OCKAM_REACH_ALL)) {
		kfree(ex);
		module_put(THIS_MODULE);
		return NULL;
	}
	ex->on = on;
	ex->role = role;
	ex->worker_portid = worker_portid;
	mutex_init(&ex->lock);
	ockam_route_init(&ex->route);
	__skb_queue_head_init(&ex->hold);
	INIT_LIST_HEAD(&ex->port_list);
	ockam_gate_init(&ex->gate, &ex->ep, OCKAM_HOLD_MAX_BYTES, NULL);
	INIT_DELAYED_WORK(&ex->timeout_work, ockam_exchange_timeout_work);
	INIT_DELAYED_WORK(&ex->hold_work, ockam_exchange_hold_work);
	INIT_DELAYED_WORK(&ex->ready_work, ockam_exchange_ready_work);
	INIT_WORK(&ex->gone_work, ockam_exchange_gone_work);
	ockam_watch_init(&ex->watch, on, ockam_exchange_route_gone);
	return ex;
}

void __ockam_exchange_arm(struct ockam_exchange *ex, struct delayed_work *work,
			  unsigned long delay)
{
	lockdep_assert_held(&ex->lock);
	if (ex->state == OCKAM_EXCHANGE_ENDED)
		return;
	ockam_endpoint_get(&ex->ep);
	if (mod_delayed_work(ockam_handshake_wq, work, delay))
		ockam_exchange_put(ex);
}

static int ockam_exchange_add(struct ockam_exchange *ex)
{
	struct ockam_handshake_net *hn = ockam_handshake_net(ex->on);
	u32 number;
	int err;

	/* A place only: whoever finds the exchange ends it by its id. */
	err = xa_alloc_cyclic(&hn->exchanges, &number, NULL, xa_limit_31b,
			      &hn->next, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	/* Numbers come again, ids do not. */
	ex->id = (u64)atomic64_inc_return(&hn->serial) << 32 | number;
	ockam_endpoint_get(&ex->ep);	/* the table's */
	/* Cannot fail: the place is there. */
	xa_store(&hn->exchanges, number, ex, GFP_KERNEL_ACCOUNT);
	return 0;
}

/* So that the end of a port costs what the port has asked for, and no more. */
static int ockam_exchange_join_port(struct ockam_exchange *ex)
{
	struct xarray *ports = &ockam_handshake_net(ex->on)->ports;
	struct ockam_exchange *first;
	int err;

	if (ex->role != OCKAM_ROLE_INITIATOR || ex->owner)
		return 0;
	xa_lock(ports);
	do {
		first = xa_load(ports, ex->portid);
		err = 0;
		if (first)
			list_add_tail(&ex->port_list, &first->port_list);
		else	/* may let go of the lock */
			err = __xa_insert(ports, ex->portid, ex,
					  GFP_KERNEL_ACCOUNT);
	} while (err == -EBUSY);
	xa_unlock(ports);
	return err;
}

/* Idempotent. */
static void ockam_exchange_leave_port(struct ockam_exchange *ex)
{
	struct xarray *ports = &ockam_handshake_net(ex->on)->ports;

	if (ex->role != OCKAM_ROLE_INITIATOR || ex->owner)
		return;
	xa_lock(ports);
	if (xa_load(ports, ex->portid) == ex) {
		/* In a place that is there: needs no memory. */
		if (list_empty(&ex->port_list))
			__xa_erase(ports, ex->portid);
		else
			__xa_store(ports, ex->portid,
				   list_next_entry(ex, port_list), 0);
	}
	list_del_init(&ex->port_list);
	xa_unlock(ports);
}

int ockam_exchange_publish(struct ockam_exchange *ex, u32 timeout_ms,
			   struct netlink_ext_ack *extack)
{
	bool ended;
	int err, way;

	err = ockam_exchange_add(ex);
	if (!err)
		err = ockam_exchange_join_port(ex);
	if (err)
		NL_SET_ERR_MSG(extack, "out of memory");
	else
		err = ockam_endpoint_add(&ex->ep, extack);
	if (!err && ockam_netns_asleep())
		err = ockam_refuse(extack, -EKEYREVOKED,
				   "the machine is going to sleep: try again when it is awake");
	/* Whoever unbinds the worker looks at the table after that. */
	if (!err && READ_ONCE(ex->on->worker_portid) != ex->worker_portid)
		err = ockam_refuse(extack, -ESRCH,
				   "the handshake worker has just gone");
	if (err && ockam_exchange_end(ex, OCKAM_EXCHANGE_OPEN))
		return err;
	ockam_mib_inc(ex->on, OCKAM_MIB_HANDSHAKES_STARTED);
	mutex_lock(&ex->lock);
	ended = ex->state == OCKAM_EXCHANGE_ENDED;
	__ockam_exchange_arm(ex, &ex->timeout_work,
			     msecs_to_jiffies(timeout_ms));
	way = __ockam_exchange_watch(ex);
	mutex_unlock(&ex->lock);
	/* Who sends the first message learns it then, with a sentence. */
	if (way && ex->role == OCKAM_ROLE_RESPONDER)
		ockam_exchange_fail(ex, OCKAM_EXCHANGE_OPEN, -ECONNRESET,
				    ockam_exchange_no_way);
	/* By somebody who has told why, maybe before our address was there. */
	if (ended) {
		ockam_exchange_leave_port(ex);
		ockam_endpoint_remove(&ex->ep);
	}
	return 0;
}

struct ockam_exchange *ockam_exchange_lookup(struct ockam_net *on, u64 id,
					     u32 portid)
{
	struct ockam_handshake_net *hn = ockam_handshake_net(on);
	struct ockam_exchange *ex;

	xa_lock(&hn->exchanges);
	ex = xa_load(&hn->exchanges, (u32)id);
	if (ex && ex->id == id && (!portid || ex->worker_portid == portid))
		ockam_endpoint_get(&ex->ep);
	else
		ex = NULL;
	xa_unlock(&hn->exchanges);
	return ex;
}

/* The first one with a number >= *@number; that number is written back. */
static struct ockam_exchange *ockam_exchange_next(struct ockam_net *on,
						  unsigned long *number)
{
	struct ockam_handshake_net *hn = ockam_handshake_net(on);
	struct ockam_exchange *ex;

	xa_lock(&hn->exchanges);
	ex = xa_find(&hn->exchanges, number, ULONG_MAX, XA_PRESENT);
	if (ex)
		ockam_endpoint_get(&ex->ep);
	xa_unlock(&hn->exchanges);
	return ex;
}

static void ockam_exchange_cancel(struct ockam_exchange *ex,
				  struct delayed_work *work)
{
	if (cancel_delayed_work(work))
		ockam_exchange_put(ex);
}

void ockam_exchange_drop(struct ockam_exchange *ex, struct sk_buff_head *list,
			 enum ockam_mib reason)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list)))
		ockam_drop(ex->on, reason, skb);
}

bool ockam_exchange_end(struct ockam_exchange *ex,
			enum ockam_exchange_state upto)
{
	struct ockam_handshake_net *hn = ockam_handshake_net(ex->on);
	bool overflow, table = false;
	struct sk_buff_head hold;

	__skb_queue_head_init(&hold);
	mutex_lock(&ex->lock);
	if (ex->state == OCKAM_EXCHANGE_ENDED || ex->state > upto) {
		mutex_unlock(&ex->lock);
		return false;
	}
	ex->state = OCKAM_EXCHANGE_ENDED;
	skb_queue_splice_init(&ex->hold, &hold);
	overflow = ex->overflow;
	mutex_unlock(&ex->lock);

	ockam_exchange_leave_port(ex);
	ockam_watch_stop(&ex->watch);
	ockam_endpoint_remove(&ex->ep);
	ockam_gate_open(&ex->gate);
	ockam_exchange_cancel(ex, &ex->timeout_work);
	ockam_exchange_cancel(ex, &ex->hold_work);
	ockam_exchange_cancel(ex, &ex->ready_work);
	/* What waited for keys that will not come. */
	ockam_exchange_drop(ex, &hold, overflow ? OCKAM_DROP_HANDSHAKE_HOLD :
						  OCKAM_DROP_DEAD);
	if (ex->role == OCKAM_ROLE_INITIATOR)
		atomic_dec(&hn->initiators);
	else
		ockam_listener_release_quota(ex);
	if (ex->id)
		table = xa_erase(&hn->exchanges, (u32)ex->id);
	if (table)
		ockam_exchange_put(ex);
	return true;
}

void ockam_exchange_fail_all(struct ockam_net *on,
			     bool (*match)(const struct ockam_exchange *ex,
					   const void *arg),
			     const void *arg, enum ockam_exchange_state upto,
			     int error, const char *reason)
{
	struct ockam_exchange *ex;
	unsigned long number = 0;

	while ((ex = ockam_exchange_next(on, &number))) {
		if (!match || match(ex, arg))
			ockam_exchange_fail(ex, upto, error, reason);
		ockam_exchange_put(ex);
		number++;
	}
}

/* Nobody is there to be told. */
static void ockam_exchange_cancel_request(struct ockam_exchange *ex)
{
	mutex_lock(&ex->lock);
	ex->told = true;
	mutex_unlock(&ex->lock);
	ockam_exchange_abandon(ex, -ECANCELED,
			       "whoever asked for the channel has gone",
			       "whoever asked for it has gone");
}

void ockam_handshake_cancel(struct ockam_net *on, u64 id)
{
	struct ockam_exchange *ex = ockam_exchange_lookup(on, id, 0);
	bool late;

	if (!ex)
		return;
	/*
	 * After our last message the peer has a channel. Only the keys, which are
	 * on their way from the worker, can tell it that nobody wants it.
	 */
	mutex_lock(&ex->lock);
	late = ex->state == OCKAM_EXCHANGE_OPEN &&
	       __ockam_exchange_complete(ex);
	ex->told = true;
	mutex_unlock(&ex->lock);
	if (!late)
		ockam_exchange_cancel_request(ex);
	ockam_exchange_put(ex);
}

/* Every generic netlink socket that closes comes here, whatever it was for. */
void ockam_handshake_cancel_port(struct ockam_net *on, u32 portid)
{
	struct xarray *ports = &ockam_handshake_net(on)->ports;
	struct ockam_exchange *ex;

	for (;;) {
		xa_lock(ports);
		ex = xa_load(ports, portid);
		if (ex)
			ockam_endpoint_get(&ex->ep);
		xa_unlock(ports);
		if (!ex)
			return;

		/* The number of the port may be another's soon. */
		ockam_exchange_cancel_request(ex);
		/* Who is ending it meanwhile may not have come so far. */
		ockam_exchange_leave_port(ex);
		ockam_exchange_put(ex);
	}
}

static bool ockam_exchange_of_old_worker(const struct ockam_exchange *ex,
					 const void *arg)
{
	return ex->worker_portid != READ_ONCE(ex->on->worker_portid);
}

/* Channels, even unconfirmed ones, need no worker. */
void ockam_handshake_worker_gone(struct ockam_net *on)
{
	ockam_exchange_fail_all(on, ockam_exchange_of_old_worker, NULL,
				OCKAM_EXCHANGE_OPEN, -ESRCH,
				"the handshake worker has gone");
}

/* The worker forgets what it has for them, see ockam_exchange_forget(). */
void ockam_handshake_end_keys(struct ockam_net *on, const char *why)
{
	ockam_exchange_fail_all(on, NULL, NULL, OCKAM_EXCHANGE_CONFIRMING,
				-EKEYREVOKED, why);
}

void ockam_handshake_hide_net(struct ockam_net *on)
{
	ockam_listener_hide_net(on);
	ockam_exchange_fail_all(on, NULL, NULL, OCKAM_EXCHANGE_CONFIRMING,
				-ESHUTDOWN, "the node has ended");
}

void ockam_handshake_free_net(struct ockam_net *on)
{
	flush_workqueue(ockam_handshake_wq);
}

static int __net_init ockam_handshake_init_net(struct net *net)
{
	struct ockam_handshake_net *hn = net_generic(net, ockam_handshake_id);
	unsigned int i;

	xa_init_flags(&hn->exchanges, XA_FLAGS_ALLOC1);
	xa_init(&hn->ports);
	atomic64_set(&hn->serial, 0);
	spin_lock_init(&hn->source_lock);
	for (i = 0; i < ARRAY_SIZE(hn->sources); i++)
		INIT_HLIST_HEAD(&hn->sources[i]);
	return 0;
}

static void __net_exit ockam_handshake_exit_net(struct net *net)
{
	struct ockam_handshake_net *hn = net_generic(net, ockam_handshake_id);

	WARN_ON_ONCE(!xa_empty(&hn->exchanges));
	xa_destroy(&hn->exchanges);
	WARN_ON_ONCE(!xa_empty(&hn->ports));
	xa_destroy(&hn->ports);
	ockam_listener_exit_net(hn);
}

/* A subsystem: it goes after the device that ends the nodes. */
static struct pernet_operations ockam_handshake_ops = {
	.init = ockam_handshake_init_net,
	.exit = ockam_handshake_exit_net,
	.id = &ockam_handshake_id,
	.size = sizeof(struct ockam_handshake_net),
};

int ockam_handshake_init(void)
{
	int err;

	ockam_handshake_wq = alloc_workqueue("ockam_handshake", WQ_UNBOUND, 0);
	if (!ockam_handshake_wq)
		return -ENOMEM;
	err = register_pernet_subsys(&ockam_handshake_ops);
	if (err) {
		destroy_workqueue(ockam_handshake_wq);
		return err;
	}
	return 0;
}

void ockam_handshake_exit(void)
{
	destroy_workqueue(ockam_handshake_wq);
	unregister_pernet_subsys(&ockam_handshake_ops);
}
