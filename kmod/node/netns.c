// SPDX-License-Identifier: GPL-2.0
/*
 * A node: everything the module keeps in one network namespace, and its end.
 *
 * Order against others. pernet exits run in reverse order of registration,
 * devices before subsystems. We are registered as a device, so at the end of a
 * namespace our exit runs while TCP, UNIX sockets and generic netlink of that
 * namespace still work: links shut their sockets down, events still go out.
 * The generic netlink family is registered after us and taken away before us,
 * so at module exit no command can arrive any more when nodes end.
 *
 * The normal death of a node is the end of its owner's netlink socket. A
 * netlink socket pins its namespace, so the exit of a namespace finds a node
 * without owner; what may be left is nothing, but it is cleaned up all the
 * same, because an end_work may still be running.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <net/netns/generic.h>

#include "event.h"
#include "netns.h"

static unsigned int ockam_netns_id __read_mostly;

/* Ends of nodes; each may wait for grace periods, so not a system queue. */
static struct workqueue_struct *ockam_netns_wq;

/* The machine is on its way to sleep: no new keys. */
static bool ockam_netns_sleeps;

static const u8 ockam_netns_table_limits[__OCKAM_TABLE_MAX] = {
	[OCKAM_TABLE_LINKS] = OCKAM_LIMIT_LINKS,
	[OCKAM_TABLE_CHANNELS] = OCKAM_LIMIT_CHANNELS,
	[OCKAM_TABLE_LISTENERS] = OCKAM_LIMIT_LISTENERS,
	[OCKAM_TABLE_EXCHANGES] = OCKAM_LIMIT_PENDING,
};

struct ockam_net *ockam_netns_from(const struct net *net)
{
	return net_generic(net, ockam_netns_id);
}

static int ockam_table_full(enum ockam_table_id id,
			    struct netlink_ext_ack *extack)
{
	switch (id) {
	case OCKAM_TABLE_LINKS:
		return ockam_refuse(extack, -ENOSPC,
				    "the node has as many links as its limit allows");
	case OCKAM_TABLE_CHANNELS:
		return ockam_refuse(extack, -ENOSPC,
				    "the node has as many channels as its limit allows");
	default:
		return ockam_refuse(extack, -ENOSPC,
				    "the node has as many listeners as its limit allows");
	}
}

int ockam_table_add(struct ockam_net *on, enum ockam_table_id id, void *obj,
		    u32 *number, struct netlink_ext_ack *extack)
{
	struct ockam_table *table = &on->tables[id];
	int err;

	if (atomic_inc_return(&table->count) >
	    ockam_netns_limit(on, table->limit)) {
		err = ockam_table_full(id, extack);
	} else {
		err = xa_alloc_cyclic(&table->xa, number, obj, xa_limit_31b,
				      &table->next, GFP_KERNEL_ACCOUNT);
		/* 1 says that the numbers have wrapped, which is fine. */
		if (err > 0)
			err = 0;
		if (err == -EBUSY)
			err = ockam_refuse(extack, -ENOSPC,
					   "the numbers of the table are used up");
		else if (err)
			NL_SET_ERR_MSG(extack, "out of memory");
	}
	if (err)
		atomic_dec(&table->count);
	return err;
}

void *ockam_table_remove(struct ockam_net *on, enum ockam_table_id id,
			 u32 number)
{
	struct ockam_table *table = &on->tables[id];
	void *obj = xa_erase(&table->xa, number);

	if (obj)
		atomic_dec(&table->count);
	return obj;
}

static void ockam_netns_set_closing(struct ockam_net *on, bool closing)
{
	spin_lock_bh(&on->address_lock);
	WRITE_ONCE(on->closing, closing);
	spin_unlock_bh(&on->address_lock);
}

/* From the top floor down, so that whoever makes objects below is gone first. */
static void ockam_netns_hide(struct ockam_net *on)
{
	ockam_netns_set_closing(on, true);
	ockam_handshake_hide_net(on);
	ockam_channel_hide_net(on);
	ockam_link_hide_net(on);
}

static void ockam_netns_free(struct ockam_net *on)
{
	int i;

	/*
	 * Twice: the last work of a lower floor may have given one to a floor
	 * above, whose works had been waited for by then.
	 */
	for (i = 0; i < 2; i++) {
		ockam_handshake_free_net(on);
		ockam_channel_free_net(on);
		ockam_link_free_net(on);
	}
}

/*
 * The owner has gone. Nobody waits for this: ->config_lock, which commands
 * take, is not held while it waits itself.
 */
static void ockam_netns_end_work(struct work_struct *work)
{
	struct ockam_net *on = container_of(work, struct ockam_net, end_work);
	const struct ockam_event_info ev = { .event = OCKAM_EVENT_NODE_DEL };

	/* A command that began under the owner has made what it makes. */
	mutex_lock(&on->config_lock);
	WRITE_ONCE(on->worker_portid, 0);
	ockam_netns_hide(on);
	mutex_unlock(&on->config_lock);

	synchronize_net();
	ockam_netns_free(on);

	mutex_lock(&on->config_lock);
	ockam_netns_set_closing(on, false);
	ockam_netns_reset_limits(on);
	WRITE_ONCE(on->owner_portid, 0);
	mutex_unlock(&on->config_lock);
	ockam_event_notify(on, &ev);
	/*
	 * May be the last reference of the module. Its exit waits for the work
	 * that this runs in, so the code stays until we have returned.
	 */
	module_put(THIS_MODULE);
}

/*
 * The port's number is free from here on: forget it before somebody else gets
 * it. Until the node has ended a number that no socket can have stays in its
 * place, so that nobody owns a half-dead node.
 */
static bool ockam_netns_disown(struct ockam_net *on, u32 portid)
{
	if (cmpxchg(&on->owner_portid, portid, OCKAM_NETNS_NO_PORT) != portid)
		return false;
	queue_work(ockam_netns_wq, &on->end_work);
	return true;
}

int ockam_netns_end_node(struct ockam_net *on)
{
	int err = -ESRCH;

	mutex_lock(&on->config_lock);
	if (ockam_netns_owned(on) &&
	    ockam_netns_disown(on, READ_ONCE(on->owner_portid))) {
		WRITE_ONCE(on->worker_portid, 0);
		ockam_netns_hide(on);
		err = 0;
	}
	mutex_unlock(&on->config_lock);
	return err;
}

int ockam_netns_own(struct ockam_net *on, u32 portid)
{
	int err = 0;

	mutex_lock(&on->config_lock);
	if (on->owner_portid)
		err = -EBUSY;
	else if (!try_module_get(THIS_MODULE))
		err = -ENOENT;
	else
		WRITE_ONCE(on->owner_portid, portid);
	mutex_unlock(&on->config_lock);
	return err;
}

int ockam_netns_bind_worker(struct ockam_net *on, u32 portid)
{
	int err = 0;

	mutex_lock(&on->config_lock);
	if (!ockam_netns_owned(on))
		err = -ENOTCONN;
	else if (on->worker_portid)
		err = -EBUSY;
	else
		WRITE_ONCE(on->worker_portid, portid);
	mutex_unlock(&on->config_lock);
	return err;
}

void ockam_netns_port_gone(struct ockam_net *on, u32 portid)
{
	bool worker = false;

	ockam_netns_disown(on, portid);

	/* Most ports are neither, and must not wait for a node that ends. */
	if (READ_ONCE(on->worker_portid) != portid)
		return;
	mutex_lock(&on->config_lock);
	if (on->worker_portid == portid) {
		WRITE_ONCE(on->worker_portid, 0);
		worker = true;
	}
	mutex_unlock(&on->config_lock);
	if (worker)
		ockam_handshake_worker_gone(on);
}

void ockam_netns_set_asleep(bool asleep)
{
	WRITE_ONCE(ockam_netns_sleeps, asleep);
}

bool ockam_netns_asleep(void)
{
	return READ_ONCE(ockam_netns_sleeps);
}

static int __net_init ockam_netns_init_net(struct net *net)
{
	struct ockam_net *on = ockam_netns_from(net);
	unsigned int i;
	int err;

	on->net = net;
	on->mib = alloc_percpu_gfp(struct ockam_mib_table, GFP_KERNEL_ACCOUNT);
	if (!on->mib)
		return -ENOMEM;
	err = ockam_endpoint_init_net(on);
	if (err)
		goto err_mib;
	err = ockam_aead_pool_init(&on->aead);
	if (err)
		goto err_endpoint;
	for (i = 0; i < __OCKAM_TABLE_MAX; i++) {
		xa_init_flags(&on->tables[i].xa, XA_FLAGS_ALLOC1);
		atomic_set(&on->tables[i].count, 0);
		on->tables[i].limit = ockam_netns_table_limits[i];
	}
	ockam_gate_init(&on->memory, NULL, 0, NULL);
	ockam_netns_reset_limits(on);
	atomic64_set(&on->partial_bytes, 0);
	mutex_init(&on->config_lock);
	INIT_WORK(&on->end_work, ockam_netns_end_work);
	on->local.kind = OCKAM_REACH_LOCAL;
	ockam_endpoint_random_flow_id(on->local.flow_id);
	return 0;

err_endpoint:
	ockam_endpoint_exit_net(on);
err_mib:
	free_percpu(on->mib);
	return err;
}

/* Nothing is made in these namespaces any more: no task is left in them. */
static void __net_exit ockam_netns_exit_batch(struct list_head *nets)
{
	struct ockam_net *on;
	struct net *net;

	list_for_each_entry(net, nets, exit_list) {
		on = ockam_netns_from(net);
		flush_work(&on->end_work);
		ockam_netns_hide(on);
	}
	synchronize_net();
	list_for_each_entry(net, nets, exit_list)
		ockam_netns_free(ockam_netns_from(net));
	/* Objects point into their node until their release has run. */
	ockam_endpoint_flush();
	list_for_each_entry(net, nets, exit_list) {
		on = ockam_netns_from(net);
		ockam_endpoint_exit_net(on);
		ockam_aead_pool_exit(&on->aead);
		WARN_ON_ONCE(on->memory.used);
		free_percpu(on->mib);
	}
}

static struct pernet_operations ockam_netns_ops = {
	.init = ockam_netns_init_net,
	.exit_batch = ockam_netns_exit_batch,
	.id = &ockam_netns_id,
	.size = sizeof(struct ockam_net),
};

int ockam_netns_init(void)
{
	int err;

	ockam_netns_wq = alloc_workqueue("ockam_netns", WQ_UNBOUND, 0);
	if (!ockam_netns_wq)
		return -ENOMEM;
	err = register_pernet_device(&ockam_netns_ops);
	if (err)
		destroy_workqueue(ockam_netns_wq);
	return err;
}

void ockam_netns_exit(void)
{
	unregister_pernet_device(&ockam_netns_ops);
	destroy_workqueue(ockam_netns_wq);
}
