// SPDX-License-Identifier: GPL-2.0
/*
 * How many addresses of a node one user may have: who is in its namespace may
 * make sockets, and shall not be able to take all addresses from the node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>

#include "af_quota.h"
#include "netns.h"

#define OCKAM_QUOTA_BITS	6

/*
 * The account of a user. Born with the first address, freed with the last one,
 * both under ->qn->lock, which guards it.
 */
struct ockam_quota_user {
	struct hlist_node node;
	struct ockam_quota_net *qn;
	kuid_t uid;
	u32 n;
};

/* Accounts of a node; with its namespace, as long as it has sockets. */
struct ockam_quota_net {
	spinlock_t lock;		/* all of it */
	struct hlist_head users[1 << OCKAM_QUOTA_BITS];
};

static unsigned int ockam_quota_id __read_mostly;

static struct ockam_quota_user *
__ockam_quota_find(struct ockam_quota_net *qn, kuid_t uid)
	__must_hold(&qn->lock)
{
	u32 bucket = hash_32(__kuid_val(uid), OCKAM_QUOTA_BITS);
	struct ockam_quota_user *user;

	hlist_for_each_entry(user, &qn->users[bucket], node) {
		if (uid_eq(user->uid, uid))
			return user;
	}
	user = kzalloc(sizeof(*user), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!user)
		return NULL;
	user->qn = qn;
	user->uid = uid;
	hlist_add_head(&user->node, &qn->users[bucket]);
	return user;
}

/* Nothing is on the account any more, or it was just opened in vain. */
static void __ockam_quota_close(struct ockam_quota_user *user)
	__must_hold(&user->qn->lock)
{
	if (user->n)
		return;
	hlist_del(&user->node);
	kfree(user);
}

int ockam_quota_take(const struct sock *sk, struct ockam_quota_user **user)
{
	struct ockam_net *on = ockam_netns_from(sock_net(sk));
	u64 limit = ockam_netns_limit(on, OCKAM_LIMIT_USER_ADDRESSES);
	struct ockam_quota_net *qn = net_generic(sock_net(sk), ockam_quota_id);
	struct ockam_quota_user *u;
	int err = 0;

	*user = NULL;
	if (ns_capable_noaudit(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return 0;
	spin_lock_bh(&qn->lock);
	u = __ockam_quota_find(qn, sk->sk_uid);
	if (!u) {
		err = -ENOMEM;
	} else if (u->n >= limit) {
		__ockam_quota_close(u);
		err = -EDQUOT;
	} else {
		u->n++;
		*user = u;
	}
	spin_unlock_bh(&qn->lock);
	return err;
}

void ockam_quota_give(struct ockam_quota_user *user)
{
	struct ockam_quota_net *qn;

	if (!user)
		return;
	qn = user->qn;
	spin_lock_bh(&qn->lock);
	user->n--;
	__ockam_quota_close(user);
	spin_unlock_bh(&qn->lock);
}

static int __net_init ockam_quota_init_net(struct net *net)
{
	struct ockam_quota_net *qn = net_generic(net, ockam_quota_id);
	unsigned int i;

	spin_lock_init(&qn->lock);
	for (i = 0; i < ARRAY_SIZE(qn->users); i++)
		INIT_HLIST_HEAD(&qn->users[i]);
	return 0;
}

static void __net_exit ockam_quota_exit_net(struct net *net)
{
	struct ockam_quota_net *qn = net_generic(net, ockam_quota_id);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(qn->users); i++)
		WARN_ON_ONCE(!hlist_empty(&qn->users[i]));
}

/* A subsystem: it goes after the nodes, which wait for addresses of sockets. */
static struct pernet_operations ockam_quota_ops = {
	.init = ockam_quota_init_net,
	.exit = ockam_quota_exit_net,
	.id = &ockam_quota_id,
	.size = sizeof(struct ockam_quota_net),
};

int ockam_quota_init(void)
{
	return register_pernet_subsys(&ockam_quota_ops);
}

void ockam_quota_exit(void)
{
	unregister_pernet_subsys(&ockam_quota_ops);
}
