// SPDX-License-Identifier: GPL-2.0
/*
 * Whose the names of a node are that were chosen, and not made by the kernel.
 *
 * A name is all that a message to it says: an answer may come when the socket
 * that asked has long been closed, from a peer or a program that takes its time.
 * So a name that somebody has had stays his, and another user cannot bind it
 * and read what comes. How long messages may be under way nobody knows, so this
 * has no end in time; only in number.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/list.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "endpoint.h"
#include "names.h"
#include "netns.h"

#define OCKAM_NAMES_BITS	6

/* Who has or has had names; as long as there are any. Under ->lock of the node's. */
struct ockam_names_user {
	struct hlist_node node;
	kuid_t uid;
	u32 n;				/* names, kept ones too */
	u32 n_kept;
	struct list_head kept;		/* struct ockam_name, the oldest first */
};

/*
 * A name and its user.
 *
 * Born:   ockam_names_take().
 * Refs:   ->used counts endpoints. Without any it is kept, on ->user->kept.
 * Locks:  ->lock of the node's names guards all of it.
 * Dies:   when it was never added to the address table; as the oldest of too
 *         many that are kept; with the network namespace.
 */
struct ockam_name {
	struct rhash_head node;
	struct ockam_names_user *user;
	struct list_head list;
	u32 used;
	bool was_added;
	u8 len;
	u8 name[];
};

/* A node's. Lives with its network namespace. */
struct ockam_names {
	spinlock_t lock;		/* all below; a leaf */
	struct rhashtable table;
	u32 n;
	struct hlist_head users[1 << OCKAM_NAMES_BITS];
};

struct ockam_names_key {
	const u8 *name;
	u8 len;
};

static u32 ockam_names_hash_key(const void *data, u32 len, u32 seed)
{
	const struct ockam_names_key *key = data;

	return jhash(key->name, key->len, seed);
}

static u32 ockam_names_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct ockam_name *n = data;

	return jhash(n->name, n->len, seed);
}

static int ockam_names_compare(struct rhashtable_compare_arg *arg,
			       const void *obj)
{
	const struct ockam_names_key *key = arg->key;
	const struct ockam_name *n = obj;

	return key->len != n->len || memcmp(key->name, n->name, n->len);
}

static const struct rhashtable_params ockam_names_params = {
	.head_offset = offsetof(struct ockam_name, node),
	.hashfn = ockam_names_hash_key,
	.obj_hashfn = ockam_names_hash_obj,
	.obj_cmpfn = ockam_names_compare,
	.automatic_shrinking = true,
};

static struct ockam_names_user *
__ockam_names_get_user(struct ockam_names *names, kuid_t uid)
	__must_hold(&names->lock)
{
	u32 bucket = hash_32(__kuid_val(uid), OCKAM_NAMES_BITS);
	struct ockam_names_user *user;

	hlist_for_each_entry(user, &names->users[bucket], node) {
		if (uid_eq(user->uid, uid))
			return user;
	}
	user = kzalloc(sizeof(*user), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	INIT_LIST_HEAD(&user->kept);
	hlist_add_head(&user->node, &names->users[bucket]);
	return user;
}

static void __ockam_names_put_user(struct ockam_names_user *user)
{
	if (user->n)
		return;
	hlist_del(&user->node);
	kfree(user);
}

/* It has a user from here on. */
static void __ockam_names_assign(struct ockam_name *n,
				 struct ockam_names_user *user)
{
	n->user = user;
	user->n++;
}

static void __ockam_names_unkeep(struct ockam_name *n)
{
	if (list_empty(&n->list))
		return;
	list_del_init(&n->list);
	n->user->n_kept--;
}

static void __ockam_names_free(struct ockam_names *names, struct ockam_name *n)
	__must_hold(&names->lock)
{
	struct ockam_names_user *user = n->user;

	__ockam_names_unkeep(n);
	rhashtable_remove_fast(&names->table, &n->node, ockam_names_params);
	names->n--;
	user->n--;
	__ockam_names_put_user(user);
	/* Nobody looks without the lock. */
	kfree(n);
}

/* One more that is there already, for @user. */
static int __ockam_names_retake(struct ockam_name *n,
				struct ockam_names_user *user, bool admin)
{
	struct ockam_names_user *old = n->user;

	if (old != user) {
		if (n->used || !admin)
			return -EADDRINUSE;
		__ockam_names_unkeep(n);
		__ockam_names_assign(n, user);
		old->n--;
		__ockam_names_put_user(old);
	}
	__ockam_names_unkeep(n);
	n->used++;
	return 0;
}

static int __ockam_names_add(struct ockam_net *on, struct ockam_name *n,
			     struct ockam_names_user *user, bool admin)
	__must_hold(&on->names->lock)
{
	u64 limit = ockam_netns_limit(on, OCKAM_LIMIT_ADDRESSES);
	struct ockam_names *names = on->names;
	int err;

	/* Administrators have few, and what strangers keep does not stop them. */
	if (!admin && names->n >= max_t(u64, limit, OCKAM_NAMES_LEAST)) {
		/* His own may go for it, and nobody else's. */
		if (list_empty(&user->kept))
			return -ENOSPC;
		/* So that he stays. */
		user->n++;
		__ockam_names_free(names, list_first_entry(&user->kept,
							   struct ockam_name,
							   list));
		user->n--;
	}
	err = rhashtable_insert_fast(&names->table, &n->node,
				     ockam_names_params);
	if (err)
		return -ENOMEM;
	names->n++;
	n->used = 1;
	__ockam_names_assign(n, user);
	return 0;
}

int ockam_names_take(struct ockam_net *on, const u8 *name, u8 len, bool admin,
		     struct ockam_name **out)
{
	struct ockam_names_key key = { name, len };
	struct ockam_names *names = on->names;
	struct ockam_names_user *user;
	struct ockam_name *new, *n;
	int err;

	if (ockam_endpoint_name_is_random(name, len))
		return -EADDRNOTAVAIL;
	new = kzalloc(struct_size(new, name, len), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	INIT_LIST_HEAD(&new->list);
	new->len = len;
	memcpy(new->name, name, len);

	spin_lock_bh(&names->lock);
	user = __ockam_names_get_user(names, current_euid());
	if (!user) {
		err = -ENOMEM;
		goto out;
	}
	n = rhashtable_lookup_fast(&names->table, &key, ockam_names_params);
	if (n) {
		err = __ockam_names_retake(n, user, admin);
	} else {
		n = new;
		err = __ockam_names_add(on, n, user, admin);
		if (!err)
			new = NULL;
	}
	if (!err)
		*out = n;
	__ockam_names_put_user(user);
out:
	spin_unlock_bh(&names->lock);
	kfree(new);
	return err;
}

void ockam_names_give(struct ockam_net *on, struct ockam_name *n, bool used)
{
	struct ockam_names *names = on->names;
	struct ockam_names_user *user;

	if (!n)
		return;
	spin_lock_bh(&names->lock);
	n->was_added |= used;
	if (--n->used)
		goto out;
	user = n->user;
	if (!n->was_added) {
		__ockam_names_free(names, n);
		goto out;
	}
	list_add_tail(&n->list, &user->kept);
	if (++user->n_kept > OCKAM_NAMES_KEPT)
		__ockam_names_free(names, list_first_entry(&user->kept,
							   struct ockam_name,
							   list));
out:
	spin_unlock_bh(&names->lock);
}

int ockam_names_init_net(struct ockam_net *on)
{
	struct ockam_names *names;
	unsigned int i;
	int err;

	names = kzalloc(sizeof(*names), GFP_KERNEL_ACCOUNT);
	if (!names)
		return -ENOMEM;
	spin_lock_init(&names->lock);
	for (i = 0; i < ARRAY_SIZE(names->users); i++)
		INIT_HLIST_HEAD(&names->users[i]);
	err = rhashtable_init(&names->table, &ockam_names_params);
	if (err)
		kfree(names);
	else
		on->names = names;
	return err;
}

static void ockam_names_free(void *ptr, void *arg)
{
	struct ockam_name *n = ptr;

	n->user->n--;
	((struct ockam_names *)arg)->n--;
	kfree(n);
}

/* No endpoint is left, so all names are on some list of those that are kept. */
void ockam_names_exit_net(struct ockam_net *on)
{
	struct ockam_names *names = on->names;
	struct ockam_names_user *user;
	struct hlist_node *next;
	unsigned int i;

	/* Waits for the table's own work first, which looks at the names. */
	rhashtable_free_and_destroy(&names->table, ockam_names_free, names);
	for (i = 0; i < ARRAY_SIZE(names->users); i++) {
		hlist_for_each_entry_safe(user, next, &names->users[i], node) {
			WARN_ON_ONCE(user->n);
			kfree(user);
		}
	}
	WARN_ON_ONCE(names->n);
	kfree(names);
}
