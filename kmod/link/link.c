// SPDX-License-Identifier: GPL-2.0
/*
 * Links: birth, death, options, pairs. The bytes are a framing's business.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "event.h"
#include "link.h"
#include "link_socket.h"
#include "link_stream.h"
#include "netns.h"

#define OCKAM_LINK_MAX_MS	(24u * 3600 * 1000)	/* longest time of a link */

struct workqueue_struct *ockam_link_wq;
/* Ends of links wait for the works of the other queue. */
static struct workqueue_struct *ockam_link_end_wq;

/* ->pair and ->label of every link. */
DEFINE_MUTEX(ockam_link_pair_lock);

static const struct ockam_link_ops *const ockam_link_framings[__OCKAM_FRAMING_MAX] = {
	[OCKAM_FRAMING_STREAM] = &ockam_link_stream_ops,
};

static struct ockam_link *ockam_link_from(struct ockam_endpoint *ep)
{
	return container_of(ep, struct ockam_link, ep);
}

static unsigned long ockam_link_time(const struct ockam_link *link, u32 own,
				     enum ockam_limit_attr which)
{
	u64 ms = own ? own : ockam_netns_limit(link->on, which);

	return max(msecs_to_jiffies(min_t(u64, ms, OCKAM_LINK_MAX_MS)), 1UL);
}

unsigned long ockam_link_stall(const struct ockam_link *link)
{
	return ockam_link_time(link, READ_ONCE(link->stall_ms),
			       OCKAM_LIMIT_STALL_MS);
}

unsigned long ockam_link_half_frame(const struct ockam_link *link)
{
	return ockam_link_time(link, READ_ONCE(link->half_frame_ms),
			       OCKAM_LIMIT_HALF_FRAME_MS);
}

/* Deadlines are met with an eighth of their length, at most a second. */
static unsigned long ockam_link_watch_period(const struct ockam_link *link)
{
	unsigned long t = min(ockam_link_stall(link),
			      ockam_link_half_frame(link));

	return clamp_t(unsigned long, t / 8, 1, HZ);
}

void ockam_link_arm_watch(struct ockam_link *link)
{
	if (!delayed_work_pending(&link->watch_work))
		queue_delayed_work(ockam_link_wq, &link->watch_work,
				   ockam_link_watch_period(link));
}

static void ockam_link_watch_work(struct work_struct *work)
{
	struct ockam_link *link = container_of(to_delayed_work(work),
					       struct ockam_link, watch_work);

	if (!ockam_link_dead(link) && link->ops->watch(link))
		ockam_link_arm_watch(link);
}

static void ockam_link_stalled(struct ockam_gate *gate)
{
	struct ockam_link *link = container_of(gate, struct ockam_link, gate);

	ockam_link_fail(link, OCKAM_MIB_LINKS_FAILED_STALL, -ETIMEDOUT,
			"the peer takes no data and others wait for that");
}

void ockam_link_fail(struct ockam_link *link, enum ockam_mib why, int error,
		     const char *reason)
{
	if (test_and_set_bit(OCKAM_LINK_DEAD, &link->bits))
		return;
	link->why = why;
	link->error = error;
	link->reason = reason;
	ockam_endpoint_remove(&link->ep);
	queue_work(ockam_link_end_wq, &link->end_work);
}

void ockam_link_kill(struct ockam_link *link, int error, const char *reason)
{
	ockam_link_fail(link, OCKAM_MIB_LINKS_CLOSED, error, reason);
}

static void __ockam_link_unpair(struct ockam_link *a)
	__must_hold(&ockam_link_pair_lock)
{
	struct ockam_link *b = a->pair;

	lockdep_assert_held(&ockam_link_pair_lock);

	if (!b)
		return;
	ockam_endpoint_del_reach_id(&a->ep, b->origin.flow_id);
	ockam_endpoint_del_reach_id(&b->ep, a->origin.flow_id);
	a->pair = NULL;
	b->pair = NULL;
}

static void ockam_link_end_work(struct work_struct *work)
{
	struct ockam_link *link = container_of(work, struct ockam_link,
					       end_work);
	struct ockam_event_info ev = {
		.event = OCKAM_EVENT_LINK_DEL,
		.ep = &link->ep,
		.error = link->error,
		.reason = link->reason,
	};

	/* The creator is done, however it ended; it may have added late. */
	mutex_lock(&link->birth);
	ockam_endpoint_remove(&link->ep);
	ockam_link_socket_detach(link);
	mutex_unlock(&link->birth);

	/* Nothing of the socket calls us now; what runs sees DEAD and ends. */
	link->ops->stop(link);
	cancel_delayed_work_sync(&link->watch_work);

	mutex_lock(&ockam_link_pair_lock);
	__ockam_link_unpair(link);
	mutex_unlock(&ockam_link_pair_lock);

	ockam_gate_open(&link->gate);
	ockam_link_socket_close(link);
	if (test_bit(OCKAM_LINK_SHOWN, &link->bits)) {
		ev.messages = atomic64_read(&link->rx_messages);
		ockam_mib_inc(link->on, link->why);
		ockam_event_notify(link->on, &ev);
	}
	ockam_table_remove(link->on, OCKAM_TABLE_LINKS, link->number);
	ockam_link_put(link);
}

bool ockam_link_paused(struct ockam_endpoint *ep)
{
	return test_bit(OCKAM_LINK_PAUSED, &ockam_link_from(ep)->bits);
}

void ockam_link_release(struct ockam_endpoint *ep)
{
	struct ockam_link *link = ockam_link_from(ep);

	put_cred(link->cred);
	mem_cgroup_put(link->memcg);
	kfree(link->label);
	kfree(link);
	/*
	 * Module exit flushes the queue that this runs in, so the text stays
	 * until we have returned.
	 */
	module_put(THIS_MODULE);
}

static int ockam_link_check_options(const struct ockam_link_options *o,
				    struct netlink_ext_ack *extack)
{
	if (o->has_reach && o->reach & ~(u32)OCKAM_REACH_ALL) {
		NL_SET_ERR_MSG(extack, "unknown bits in the reach mask");
		return -EINVAL;
	}
	/* One place is kept for the flow id of a pair. */
	if (o->has_reach_ids && o->n_reach_ids >= OCKAM_REACH_IDS_MAX) {
		NL_SET_ERR_MSG(extack, "too many flow ids; a link takes at most 63");
		return -EINVAL;
	}
	if (o->label && strlen(o->label) > OCKAM_LINK_LABEL_MAX) {
		NL_SET_ERR_MSG(extack, "the label is longer than 127 bytes");
		return -EINVAL;
	}
	if (o->stall_ms > OCKAM_LINK_MAX_MS ||
	    o->half_frame_ms > OCKAM_LINK_MAX_MS) {
		NL_SET_ERR_MSG(extack, "a time of a link is at most a day");
		return -EINVAL;
	}
	return 0;
}

int ockam_link_set(struct ockam_link *link, const struct ockam_link_options *o,
		   struct netlink_ext_ack *extack)
{
	u8 (*ids)[OCKAM_FLOW_ID_LEN] = NULL;
	char *label = NULL;
	u32 n = 0;
	int err;

	err = ockam_link_check_options(o, extack);
	if (err)
		return err;
	err = -ENOMEM;
	if (o->label) {
		label = kstrdup(o->label, GFP_KERNEL_ACCOUNT);
		if (!label)
			goto out;
	}
	if (o->has_reach_ids) {
		ids = kcalloc(o->n_reach_ids + 1, sizeof(*ids), GFP_KERNEL);
		if (!ids)
			goto out;
		n = o->n_reach_ids;
		if (n)
			memcpy(ids, o->reach_ids, n * sizeof(*ids));
	}

	mutex_lock(&ockam_link_pair_lock);
	err = 0;
	if (o->has_reach_ids) {
		if (link->pair)
			memcpy(ids[n++], link->pair->origin.flow_id,
			       sizeof(*ids));
		err = ockam_endpoint_set_reach(&link->ep,
					       o->has_reach ? &o->reach : NULL,
					       ids[0], n);
	} else if (o->has_reach) {
		WRITE_ONCE(link->ep.reach, o->reach);
	}
	if (!err) {
		if (o->label)
			swap(link->label, label);
		if (o->stall_ms)
			WRITE_ONCE(link->stall_ms, o->stall_ms);
		if (o->half_frame_ms)
			WRITE_ONCE(link->half_frame_ms, o->half_frame_ms);
	}
	mutex_unlock(&ockam_link_pair_lock);
out:
	if (err)
		NL_SET_ERR_MSG(extack, "out of memory");
	kfree(ids);
	kfree(label);
	return err;
}

/* Everything that needs no socket: object, number, address. */
static struct ockam_link *ockam_link_alloc(struct ockam_net *on,
					   const struct ockam_link_params *p,
					   struct socket *sock,
					   struct netlink_ext_ack *extack)
{
	const struct ockam_link_ops *ops = ockam_link_framings[p->framing];
	const struct ockam_link_options *o = &p->options;
	struct ockam_link *link;
	int err;

	link = kzalloc(ops->size, GFP_KERNEL_ACCOUNT);
	if (!link)
		return ERR_PTR(ockam_refuse(extack, -ENOMEM, "out of memory"));
	link->ops = ops;
	link->on = on;
	link->sock = sock;
	link->accepted = p->accepted;
	link->tcp = ockam_link_socket_is_tcp(sock->sk);
	link->origin.kind = OCKAM_REACH_LINKS;
	ockam_endpoint_random_flow_id(link->origin.flow_id);
	if (p->spawner_id) {
		link->origin.has_spawner = true;
		memcpy(link->origin.spawner_id, p->spawner_id,
		       OCKAM_FLOW_ID_LEN);
	}
	mutex_init(&link->birth);
	INIT_WORK(&link->end_work, ockam_link_end_work);
	INIT_DELAYED_WORK(&link->watch_work, ockam_link_watch_work);
	err = ockam_endpoint_init(&link->ep, on, &ops->ep_ops, &link->origin,
				  p->name, p->name_len,
				  o->has_reach ? o->reach : OCKAM_REACH_LOCAL);
	if (err) {
		if (err == -EINVAL)
			NL_SET_ERR_MSG(extack, "an address needs at least one byte");
		else
			NL_SET_ERR_MSG(extack, "out of memory");
		kfree(link);
		return ERR_PTR(err);
	}
	err = p->name ? ockam_endpoint_take_name(&link->ep, true, extack) : 0;
	if (err) {
		ockam_endpoint_fini(&link->ep);
		kfree(link);
		return ERR_PTR(err);
	}
	/* From here on the last reference frees all of it. */
	__module_get(THIS_MODULE);
	ockam_gate_init(&link->gate, &link->ep,
			ockam_netns_limit(on, OCKAM_LIMIT_LINK_QUEUE_BYTES),
			ockam_link_stalled);
	link->memcg = get_mem_cgroup_from_mm(current->mm);
	link->cred = get_current_cred();
	ops->init(link);

	err = ockam_link_set(link, o, extack);
	if (err) {
		ockam_link_put(link);
		return ERR_PTR(err);
	}
	return link;
}

/*
 * Publish and take over the socket, in this order: taking over is the step
 * that cannot be taken back (see the upper layer of TCP). Messages that arrive
 * in between wait in the queue.
 */
static int ockam_link_bring_up(struct ockam_link *link,
			       struct netlink_ext_ack *extack)
{
	struct ockam_event_info ev = {
		.event = OCKAM_EVENT_LINK_NEW,
		.ep = &link->ep,
	};
	int err;

	lockdep_assert_held(&link->birth);

	err = ockam_endpoint_add(&link->ep, extack);
	if (err)
		return err;
	if (ockam_link_dead(link)) {
		NL_SET_ERR_MSG(extack, "the node is ending");
		return -ESHUTDOWN;
	}
	err = ockam_link_socket_attach(link, extack);
	if (err)
		return err;

	set_bit(OCKAM_LINK_SHOWN, &link->bits);
	ockam_mib_inc(link->on, OCKAM_MIB_LINKS_OPENED);
	ockam_event_notify(link->on, &ev);
	set_bit(OCKAM_LINK_LIVE, &link->bits);
	link->ops->start(link);
	return 0;
}

int ockam_link_create(struct ockam_net *on, const struct ockam_link_params *p,
		      struct ockam_link **out, struct netlink_ext_ack *extack)
{
	struct ockam_link *link;
	struct socket *sock;
	int err;

	if (p->framing >= __OCKAM_FRAMING_MAX ||
	    !ockam_link_framings[p->framing]) {
		NL_SET_ERR_MSG(extack, "unknown framing");
		return -EINVAL;
	}
	sock = ockam_link_socket_get(p->fd, extack);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	err = ockam_link_framings[p->framing]->check(sock, extack);
	if (err)
		goto err_sock;
	link = ockam_link_alloc(on, p, sock, extack);
	if (IS_ERR(link)) {
		err = PTR_ERR(link);
		goto err_sock;
	}

	mutex_lock(&link->birth);
	err = ockam_table_add(on, OCKAM_TABLE_LINKS, link, &link->number,
			      extack);
	if (err) {
		mutex_unlock(&link->birth);
		ockam_link_put(link);
		goto err_sock;
	}
	/* From here on the node finds it when the limit changes. */
	ockam_gate_set_limit(&link->gate,
			     ockam_netns_limit(on,
					       OCKAM_LIMIT_LINK_QUEUE_BYTES));
	/* The caller's reference; the first one is the table's now. */
	ockam_endpoint_get(&link->ep);
	err = ockam_link_bring_up(link, extack);
	mutex_unlock(&link->birth);
	if (err) {
		ockam_link_kill(link, err, NULL);
		/* The socket is the caller's again when we return. */
		flush_work(&link->end_work);
		ockam_link_put(link);
		return err;
	}
	*out = link;
	return 0;

err_sock:
	sockfd_put(sock);
	return err;
}

struct ockam_link *ockam_link_lookup(struct ockam_net *on, const u8 *name,
				     u8 name_len)
{
	struct ockam_endpoint *ep;

	ep = ockam_endpoint_lookup_kind(on, name, name_len, OCKAM_KIND_LINK);
	return ep ? ockam_link_from(ep) : NULL;
}

struct ockam_link *ockam_link_next(struct ockam_net *on, u32 *number)
{
	struct xarray *xa = &on->tables[OCKAM_TABLE_LINKS].xa;
	struct ockam_link *link;
	unsigned long index;

	xa_lock(xa);
	xa_for_each_start(xa, index, link, *number) {
		if (!test_bit(OCKAM_LINK_SHOWN, &link->bits) ||
		    ockam_link_dead(link))
			continue;
		/* The table's own reference goes only after its entry. */
		ockam_endpoint_get(&link->ep);
		*number = index;
		break;
	}
	xa_unlock(xa);
	return link;
}

int ockam_link_pair(struct ockam_link *a, struct ockam_link *b,
		    struct netlink_ext_ack *extack)
{
	int err;

	if (a == b) {
		NL_SET_ERR_MSG(extack, "a link cannot be paired with itself");
		return -EINVAL;
	}
	mutex_lock(&ockam_link_pair_lock);
	/* The work of an end that is known already may not have come so far. */
	if (a->pair && ockam_link_dead(a->pair))
		__ockam_link_unpair(a);
	if (b->pair && ockam_link_dead(b->pair))
		__ockam_link_unpair(b);
	if (ockam_link_dead(a) || ockam_link_dead(b)) {
		NL_SET_ERR_MSG(extack, "one of the links has just ended");
		err = -ENOENT;
	} else if (a->pair == b) {
		err = 0;
	} else if (a->pair || b->pair) {
		NL_SET_ERR_MSG(extack, "one of the links is paired with another one; end that pair first");
		err = -EBUSY;
	} else {
		err = ockam_endpoint_add_reach_id(&a->ep, b->origin.flow_id);
		if (!err) {
			err = ockam_endpoint_add_reach_id(&b->ep,
							  a->origin.flow_id);
			if (err)
				ockam_endpoint_del_reach_id(&a->ep,
							    b->origin.flow_id);
		}
		if (err) {
			NL_SET_ERR_MSG(extack, "out of memory");
		} else {
			a->pair = b;
			b->pair = a;
		}
	}
	mutex_unlock(&ockam_link_pair_lock);
	return err;
}

int ockam_link_unpair(struct ockam_link *a, struct ockam_link *b,
		      struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&ockam_link_pair_lock);
	if (a->pair == b) {
		__ockam_link_unpair(a);
	} else {
		NL_SET_ERR_MSG(extack, "the links are not a pair");
		err = -ENOENT;
	}
	mutex_unlock(&ockam_link_pair_lock);
	return err;
}

void ockam_link_set_queue_limit(struct ockam_net *on, u64 limit)
{
	struct xarray *xa = &on->tables[OCKAM_TABLE_LINKS].xa;
	struct ockam_link *link;
	unsigned long index = 0;

	/* Not under the lock: it may wake all who wait for these links. */
	do {
		xa_lock(xa);
		link = xa_find(xa, &index, ULONG_MAX, XA_PRESENT);
		if (link)
			ockam_endpoint_get(&link->ep);
		xa_unlock(xa);
		if (link) {
			ockam_gate_set_limit(&link->gate, limit);
			ockam_link_put(link);
		}
		index++;
	} while (link);
}

void ockam_link_hide_net(struct ockam_net *on)
{
	struct xarray *xa = &on->tables[OCKAM_TABLE_LINKS].xa;
	struct ockam_link *link;
	unsigned long index = 0;

	/* Not under the lock: a link may have to tell all the node's sockets. */
	do {
		xa_lock(xa);
		link = xa_find(xa, &index, ULONG_MAX, XA_PRESENT);
		if (link)
			ockam_endpoint_get(&link->ep);
		xa_unlock(xa);
		if (link) {
			ockam_link_kill(link, -ESHUTDOWN, "the node has ended");
			ockam_link_put(link);
		}
		index++;
	} while (link);
}

void ockam_link_free_net(struct ockam_net *on)
{
	struct xarray *xa = &on->tables[OCKAM_TABLE_LINKS].xa;

	/* A creator that came too late queues its own end: look again. */
	do {
		ockam_link_hide_net(on);
		flush_workqueue(ockam_link_end_wq);
	} while (!xa_empty(xa));
}

int ockam_link_init(void)
{
	ockam_link_wq = alloc_workqueue("ockam_link", WQ_UNBOUND, 0);
	if (!ockam_link_wq)
		return -ENOMEM;
	ockam_link_end_wq = alloc_workqueue("ockam_link_end", WQ_UNBOUND, 0);
	if (!ockam_link_end_wq) {
		destroy_workqueue(ockam_link_wq);
		return -ENOMEM;
	}
	return 0;
}

void ockam_link_exit(void)
{
	ockam_link_socket_exit();
	destroy_workqueue(ockam_link_end_wq);
	destroy_workqueue(ockam_link_wq);
}
