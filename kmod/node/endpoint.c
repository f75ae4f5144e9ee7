// SPDX-License-Identifier: GPL-2.0
/*
 * The address table of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/ctype.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "compat.h"
#include "endpoint.h"
#include "names.h"
#include "netns.h"
#include "watch.h"

/* The last ->id that was given. */
static atomic64_t ockam_endpoint_serial;

/* Frees of endpoints; flushed at module exit, after the pernet exits. */
static struct workqueue_struct *ockam_endpoint_wq;

struct ockam_endpoint_key {
	const u8 *name;
	u8 len;
};

static u32 ockam_endpoint_hash_key(const void *data, u32 len, u32 seed)
{
	const struct ockam_endpoint_key *key = data;

	return jhash(key->name, key->len, seed);
}

static u32 ockam_endpoint_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct ockam_endpoint *ep = data;

	return jhash(ep->name, ep->name_len, seed);
}

static int ockam_endpoint_compare(struct rhashtable_compare_arg *arg,
				  const void *obj)
{
	const struct ockam_endpoint_key *key = arg->key;
	const struct ockam_endpoint *ep = obj;

	return key->len != ep->name_len ||
	       memcmp(key->name, ep->name, key->len);
}

/* jhash with rhashtable's per-table random seed: names come from peers. */
static const struct rhashtable_params ockam_endpoint_params = {
	.head_offset = offsetof(struct ockam_endpoint, node),
	.hashfn = ockam_endpoint_hash_key,
	.obj_hashfn = ockam_endpoint_hash_obj,
	.obj_cmpfn = ockam_endpoint_compare,
	.automatic_shrinking = true,
};

void ockam_endpoint_random_flow_id(u8 *id)
{
	get_random_bytes(id, OCKAM_FLOW_ID_LEN);
}

bool ockam_endpoint_name_is_random(const u8 *name, u8 len)
{
	u8 i;

	if (len != OCKAM_RANDOM_NAME_LEN)
		return false;
	for (i = 0; i < len; i++) {
		if (!isdigit(name[i]) && !(name[i] >= 'a' && name[i] <= 'f'))
			return false;
	}
	return true;
}

int ockam_endpoint_init(struct ockam_endpoint *ep, struct ockam_net *on,
			const struct ockam_endpoint_ops *ops,
			const struct ockam_origin *origin,
			const u8 *name, u8 name_len, u32 reach)
{
	u8 random[OCKAM_RANDOM_NAME_LEN / 2];

	BUILD_BUG_ON(OCKAM_FLOW_ID_LEN * 2 != OCKAM_RANDOM_NAME_LEN);

	if (name && !name_len)
		return -EINVAL;
	memset(ep, 0, sizeof(*ep));
	ep->name = ep->short_name;
	if (!name) {
		get_random_bytes(random, sizeof(random));
		bin2hex((char *)ep->short_name, random, sizeof(random));
		name_len = OCKAM_RANDOM_NAME_LEN;
	} else {
		if (name_len > sizeof(ep->short_name)) {
			ep->name = kmalloc(name_len, GFP_KERNEL_ACCOUNT);
			if (!ep->name)
				return -ENOMEM;
		}
		memcpy(ep->name, name, name_len);
	}
	ep->name_len = name_len;
	ep->id = atomic64_inc_return(&ockam_endpoint_serial);
	ep->on = on;
	ep->ops = ops;
	ep->origin = origin;
	ep->reach = reach;
	seqcount_spinlock_init(&ep->reach_seq, &on->address_lock);
	INIT_LIST_HEAD(&ep->watchers);
	refcount_set(&ep->refs, 1);
	return 0;
}

int ockam_endpoint_take_name(struct ockam_endpoint *ep, bool admin,
			     struct netlink_ext_ack *extack)
{
	int err = ockam_names_take(ep->on, ep->name, ep->name_len, admin,
				   &ep->taken);

	switch (err) {
	case 0:
		return 0;
	case -EADDRINUSE:
		return ockam_refuse(extack, err,
				    "the address is in use by another user of this node");
	case -EADDRNOTAVAIL:
		return ockam_refuse(extack, err,
				    "addresses of 32 hexadecimal digits are the kernel's; choose another one");
	case -ENOSPC:
		return ockam_refuse(extack, err,
				    "the node keeps as many names of users as it may");
	default:
		return ockam_refuse(extack, err, "out of memory");
	}
}

void ockam_endpoint_fini(struct ockam_endpoint *ep)
{
	WARN_ON_ONCE(ep->added || refcount_read(&ep->refs) != 1);
	ockam_names_give(ep->on, ep->taken, false);
	ep->taken = NULL;
	kfree(rcu_dereference_protected(ep->reach_ids, true));
	RCU_INIT_POINTER(ep->reach_ids, NULL);
	if (ep->name != ep->short_name)
		kfree(ep->name);
	ep->name = NULL;
}

/*
 * Publish @new in place of what is there; @new may be NULL. At the end of the
 * endpoint this runs without on->address_lock, and the node may be gone.
 */
static void ockam_endpoint_swap_ids(struct ockam_endpoint *ep,
				    struct ockam_reach_ids *new)
{
	struct ockam_reach_ids *old;

	old = unrcu_pointer(xchg(&ep->reach_ids, RCU_INITIALIZER(new)));
	if (old)
		kfree_rcu(old, rcu);
}

static void ockam_endpoint_free_work(struct work_struct *work)
{
	struct ockam_endpoint *ep = container_of(to_rcu_work(work),
						 struct ockam_endpoint,
						 free_work);

	/* Who holds the object that embeds it may still look at them. */
	ockam_endpoint_swap_ids(ep, NULL);
	ockam_names_give(ep->on, ep->taken, false);
	if (ep->name != ep->short_name)
		kfree(ep->name);
	ep->ops->release(ep);
}

void ockam_endpoint_put(struct ockam_endpoint *ep)
{
	if (!refcount_dec_and_test(&ep->refs))
		return;
	INIT_RCU_WORK(&ep->free_work, ockam_endpoint_free_work);
	queue_rcu_work(ockam_endpoint_wq, &ep->free_work);
}

int ockam_endpoint_add(struct ockam_endpoint *ep,
		       struct netlink_ext_ack *extack)
{
	struct ockam_endpoint_key key = { ep->name, ep->name_len };
	struct ockam_net *on = ep->on;
	struct ockam_endpoint *old;
	int err = 0;

	spin_lock_bh(&on->address_lock);
	if (on->closing)
		err = ockam_refuse(extack, -ESHUTDOWN, "the node is ending");
	else if (on->n_addresses >= ockam_netns_limit(on, OCKAM_LIMIT_ADDRESSES))
		err = ockam_refuse(extack, -ENOSPC,
				   "the node has as many addresses as its limit allows");
	if (!err) {
		old = rhashtable_lookup_get_insert_key(&on->addresses, &key,
						       &ep->node,
						       ockam_endpoint_params);
		/* -E2BIG: as many as a table can have; -EBUSY: no memory to grow. */
		if (PTR_ERR(old) == -E2BIG)
			err = ockam_refuse(extack, -ENOSPC,
					   "the table of addresses is full");
		else if (IS_ERR(old))
			err = ockam_refuse(extack, -ENOMEM, "out of memory");
		else if (old)
			err = ockam_refuse(extack, -EADDRINUSE,
					   "the address is in use in this node");
	}
	if (!err) {
		on->n_addresses++;
		ep->added = true;
		refcount_inc(&ep->refs);	/* the table's */
	}
	spin_unlock_bh(&on->address_lock);
	return err;
}

void ockam_endpoint_remove(struct ockam_endpoint *ep)
{
	struct ockam_net *on = ep->on;
	struct ockam_name *taken = NULL;
	bool added, watched;

	spin_lock_bh(&on->address_lock);
	added = ep->added;
	watched = !list_empty(&ep->watchers);
	if (added) {
		rhashtable_remove_fast(&on->addresses, &ep->node,
				       ockam_endpoint_params);
		ep->added = false;
		on->n_addresses--;
		swap(taken, ep->taken);
	}
	spin_unlock_bh(&on->address_lock);
	if (!added)
		return;
	ockam_names_give(on, taken, true);
	if (watched)
		ockam_watch_tell(ep);
	ockam_endpoint_put(ep);
}

int ockam_endpoint_replace(struct ockam_endpoint *old,
			   struct ockam_endpoint *new,
			   struct netlink_ext_ack *extack)
{
	struct ockam_net *on = old->on;
	int err = -ENOENT;

	spin_lock_bh(&on->address_lock);
	if (old->added && !WARN_ON_ONCE(new->added)) {
		/* Who means the one means the other. */
		WRITE_ONCE(new->id, old->id);
		err = rhashtable_replace_fast(&on->addresses, &old->node,
					      &new->node,
					      ockam_endpoint_params);
		if (!err) {
			old->added = false;
			new->added = true;
			refcount_inc(&new->refs);
			swap(old->taken, new->taken);
			/* For them the address stays. */
			list_splice_init(&old->watchers, &new->watchers);
		}
	}
	spin_unlock_bh(&on->address_lock);
	if (err)
		return ockam_refuse(extack, err, "the address has gone meanwhile");
	ockam_endpoint_put(old);
	return 0;
}

struct ockam_endpoint *ockam_endpoint_lookup(struct ockam_net *on,
					     const u8 *name, u8 name_len)
{
	struct ockam_endpoint_key key = { name, name_len };
	struct ockam_endpoint *ep;

	rcu_read_lock();
	ep = rhashtable_lookup(&on->addresses, &key, ockam_endpoint_params);
	if (ep && !refcount_inc_not_zero(&ep->refs))
		ep = NULL;
	rcu_read_unlock();
	return ep;
}

struct ockam_endpoint *ockam_endpoint_lookup_kind(struct ockam_net *on,
						  const u8 *name, u8 name_len,
						  u8 kind)
{
	struct ockam_endpoint *ep = ockam_endpoint_lookup(on, name, name_len);

	if (ep && ep->ops->kind != kind) {
		ockam_endpoint_put(ep);
		ep = NULL;
	}
	return ep;
}

u64 ockam_endpoint_find(struct ockam_net *on, const struct ockam_hop *hop)
{
	struct ockam_endpoint *ep;
	u64 id;

	if (hop->type != OCKAM_ADDR_LOCAL)
		return OCKAM_ENDPOINT_NONE;
	ep = ockam_endpoint_lookup(on, hop->name, hop->len);
	if (!ep)
		return OCKAM_ENDPOINT_NONE;
	id = ep->id;
	ockam_endpoint_put(ep);
	return id;
}

static bool ockam_endpoint_lists(const struct ockam_endpoint *ep,
				 const struct ockam_origin *from)
{
	const struct ockam_reach_ids *list;
	bool found = false;
	u32 i;

	rcu_read_lock();
	list = rcu_dereference(ep->reach_ids);
	for (i = 0; list && i < list->n && !found; i++)
		found = !memcmp(list->ids[i], from->flow_id,
				OCKAM_FLOW_ID_LEN) ||
			(from->has_spawner &&
			 !memcmp(list->ids[i], from->spawner_id,
				 OCKAM_FLOW_ID_LEN));
	rcu_read_unlock();
	return found;
}

bool ockam_endpoint_reachable(const struct ockam_endpoint *ep,
			      const struct ockam_origin *from)
{
	unsigned int seq;
	bool allowed;

	/* No by the old mask and the new list is not a no. */
	do {
		seq = read_seqcount_begin(&ep->reach_seq);
		allowed = READ_ONCE(ep->reach) & from->kind ||
			  ockam_endpoint_lists(ep, from);
	} while (!allowed && read_seqcount_retry(&ep->reach_seq, seq));
	return allowed;
}

static struct ockam_reach_ids *ockam_endpoint_alloc_ids(u32 n)
{
	struct ockam_reach_ids *list;

	list = kmalloc(struct_size(list, ids, n), GFP_KERNEL_ACCOUNT);
	if (list)
		list->n = n;
	return list;
}

int ockam_endpoint_set_reach(struct ockam_endpoint *ep, const u32 *mask,
			     const u8 *ids, u32 n)
{
	struct ockam_reach_ids *list = NULL;

	if (n > OCKAM_REACH_IDS_MAX)
		return -E2BIG;
	if (n) {
		list = ockam_endpoint_alloc_ids(n);
		if (!list)
			return -ENOMEM;
		memcpy(list->ids, ids, n * OCKAM_FLOW_ID_LEN);
	}
	spin_lock_bh(&ep->on->address_lock);
	write_seqcount_begin(&ep->reach_seq);
	if (mask)
		WRITE_ONCE(ep->reach, *mask);
	ockam_endpoint_swap_ids(ep, list);
	write_seqcount_end(&ep->reach_seq);
	spin_unlock_bh(&ep->on->address_lock);
	return 0;
}

int ockam_endpoint_set_reach_ids(struct ockam_endpoint *ep, const u8 *ids,
				 u32 n)
{
	return ockam_endpoint_set_reach(ep, NULL, ids, n);
}

static int ockam_endpoint_find_id(const struct ockam_reach_ids *list,
				  const u8 *id)
{
	u32 i;

	for (i = 0; list && i < list->n; i++) {
		if (!memcmp(list->ids[i], id, OCKAM_FLOW_ID_LEN))
			return i;
	}
	return -ENOENT;
}

int ockam_endpoint_add_reach_id(struct ockam_endpoint *ep, const u8 *id)
{
	struct ockam_reach_ids *old, *list;
	int err = 0;
	u32 n;

	/* Room for the most there can be: the lock is no place to allocate. */
	list = ockam_endpoint_alloc_ids(OCKAM_REACH_IDS_MAX);
	if (!list)
		return -ENOMEM;

	spin_lock_bh(&ep->on->address_lock);
	old = rcu_dereference_protected(ep->reach_ids,
					lockdep_is_held(&ep->on->address_lock));
	n = old ? old->n : 0;
	if (ockam_endpoint_find_id(old, id) < 0) {
		if (n >= OCKAM_REACH_IDS_MAX) {
			err = -E2BIG;
		} else {
			if (n)
				memcpy(list->ids, old->ids,
				       n * OCKAM_FLOW_ID_LEN);
			memcpy(list->ids[n], id, OCKAM_FLOW_ID_LEN);
			list->n = n + 1;
			ockam_endpoint_swap_ids(ep, list);
			list = NULL;
		}
	}
	spin_unlock_bh(&ep->on->address_lock);
	kfree(list);
	return err;
}

void ockam_endpoint_del_reach_id(struct ockam_endpoint *ep, const u8 *id)
{
	struct ockam_reach_ids *old, *list;
	int i;

	/* Taking away must not fail; it is a kilobyte. */
	list = kmalloc(struct_size(list, ids, OCKAM_REACH_IDS_MAX),
		       GFP_KERNEL | __GFP_NOFAIL);
	spin_lock_bh(&ep->on->address_lock);
	old = rcu_dereference_protected(ep->reach_ids,
					lockdep_is_held(&ep->on->address_lock));
	i = ockam_endpoint_find_id(old, id);
	if (i >= 0 && old->n > 1) {
		list->n = old->n - 1;
		memcpy(list->ids, old->ids, i * OCKAM_FLOW_ID_LEN);
		memcpy(list->ids[i], old->ids[i + 1],
		       (list->n - i) * OCKAM_FLOW_ID_LEN);
		ockam_endpoint_swap_ids(ep, list);
		list = NULL;
	} else if (i >= 0) {
		ockam_endpoint_swap_ids(ep, NULL);
	}
	spin_unlock_bh(&ep->on->address_lock);
	kfree(list);
}

int ockam_endpoint_init_net(struct ockam_net *on)
{
	int err;

	spin_lock_init(&on->address_lock);
	err = ockam_names_init_net(on);
	if (err)
		return err;
	err = rhashtable_init(&on->addresses, &ockam_endpoint_params);
	if (err)
		ockam_names_exit_net(on);
	return err;
}

void ockam_endpoint_exit_net(struct ockam_net *on)
{
	WARN_ON_ONCE(on->n_addresses);
	rhashtable_destroy(&on->addresses);
	ockam_names_exit_net(on);
}

void ockam_endpoint_flush(void)
{
	/* Grace periods first: rcu_work queues from an RCU callback. */
	rcu_barrier();
	flush_workqueue(ockam_endpoint_wq);
}

int ockam_endpoint_init_module(void)
{
	ockam_endpoint_wq = alloc_workqueue("ockam_free", WQ_UNBOUND, 0);
	return ockam_endpoint_wq ? 0 : -ENOMEM;
}

void ockam_endpoint_exit_module(void)
{
	ockam_endpoint_flush();
	destroy_workqueue(ockam_endpoint_wq);
}
