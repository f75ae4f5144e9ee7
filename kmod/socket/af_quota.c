// SPDX-License-Identifier: GPL-2.0
/*
 * What one user's sockets may take of a node. Who is in its namespace may make
 * sockets, and shall not be able to take all addresses from the node, nor the
 * room in which the messages of others wait.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <net/netns/generic.h>

#include "af_quota.h"
#include "gate.h"
#include "netns.h"

#define OCKAM_QUOTA_BITS	6

/*
 * Parts of OCKAM_LIMIT_NODE_QUEUE_BYTES. Links stop reading when a node's memory
 * is full and go on when half of it is free, so programs that send more than is
 * taken from them, whoever they belong to, do not stop the links.
 */
#define OCKAM_QUOTA_SOCKETS	2	/* a half: all sockets */
#define OCKAM_QUOTA_USER	8	/* a quarter of that: one user's */

/*
 * Account of a user.
 *
 * Born:   ockam_quota_open(), for the user's first socket.
 * Refs:   one a socket, until its memory goes: the messages that it has sent, and
 *         what they are charged to ->share, are back by then.
 * Locks:  ->qn->lock: ->refs, ->addresses, the list. ->share has its own.
 * Dies:   ockam_quota_close() of the last one. Who waits for ->share is a socket
 *         of the same user.
 */
struct ockam_account {
	struct hlist_node node;
	struct ockam_quota_net *qn;
	kuid_t uid;
	u32 refs;
	u32 addresses;
	struct ockam_gate share;
};

/* Accounts of a node; with its namespace, as long as it has sockets. */
struct ockam_quota_net {
	spinlock_t lock;		/* the accounts */
	struct hlist_head accounts[1 << OCKAM_QUOTA_BITS];
	struct net *net;
	struct ockam_gate sockets;	/* bytes that all of them have under way */
};

static unsigned int ockam_quota_id __read_mostly;

static struct ockam_account *
__ockam_quota_find(struct ockam_quota_net *qn, kuid_t uid)
	__must_hold(&qn->lock)
{
	u32 bucket = hash_32(__kuid_val(uid), OCKAM_QUOTA_BITS);
	struct ockam_account *account;

	hlist_for_each_entry(account, &qn->accounts[bucket], node) {
		if (uid_eq(account->uid, uid))
			return account;
	}
	account = kzalloc(sizeof(*account), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!account)
		return NULL;
	account->qn = qn;
	account->uid = uid;
	ockam_gate_init(&account->share, NULL, 0, NULL);
	hlist_add_head(&account->node, &qn->accounts[bucket]);
	return account;
}

struct ockam_account *ockam_quota_open(struct net *net, kuid_t uid)
{
	struct ockam_quota_net *qn = net_generic(net, ockam_quota_id);
	struct ockam_account *account;

	spin_lock_bh(&qn->lock);
	account = __ockam_quota_find(qn, uid);
	if (account)
		account->refs++;
	spin_unlock_bh(&qn->lock);
	return account;
}

void ockam_quota_close(struct ockam_account *account)
{
	struct ockam_quota_net *qn = account->qn;
	bool last;

	spin_lock_bh(&qn->lock);
	last = !--account->refs;
	if (last)
		hlist_del(&account->node);
	spin_unlock_bh(&qn->lock);
	if (!last)
		return;
	WARN_ON_ONCE(account->addresses || account->share.used);
	kfree(account);
}

int ockam_quota_take_address(struct ockam_account *account)
{
	struct ockam_quota_net *qn = account->qn;
	u64 limit = ockam_netns_limit(ockam_netns_from(qn->net),
				      OCKAM_LIMIT_USER_ADDRESSES);
	int err = 0;

	spin_lock_bh(&qn->lock);
	if (account->addresses >= limit)
		err = -EDQUOT;
	else
		account->addresses++;
	spin_unlock_bh(&qn->lock);
	return err;
}

void ockam_quota_give_address(struct ockam_account *account)
{
	spin_lock_bh(&account->qn->lock);
	account->addresses--;
	spin_unlock_bh(&account->qn->lock);
}

/* The limit is looked up when it matters, and never 0: an empty queue has room. */
static bool ockam_quota_try(struct ockam_gate *gate, u64 limit, u32 bytes)
{
	limit = max_t(u64, limit, 1);
	if (READ_ONCE(gate->limit) != limit)
		ockam_gate_set_limit(gate, limit);
	return ockam_gate_try_charge(gate, bytes);
}

struct ockam_gate *ockam_quota_charge(struct ockam_account *account, u32 bytes)
{
	struct ockam_quota_net *qn = account->qn;
	u64 all = ockam_netns_limit(ockam_netns_from(qn->net),
				    OCKAM_LIMIT_NODE_QUEUE_BYTES);

	if (!ockam_quota_try(&account->share, all / OCKAM_QUOTA_USER, bytes))
		return &account->share;
	if (!ockam_quota_try(&qn->sockets, all / OCKAM_QUOTA_SOCKETS, bytes)) {
		ockam_gate_uncharge(&account->share, bytes);
		return &qn->sockets;
	}
	return NULL;
}

void ockam_quota_uncharge(struct ockam_account *account, u32 bytes)
{
	ockam_gate_uncharge(&account->qn->sockets, bytes);
	ockam_gate_uncharge(&account->share, bytes);
}

static int __net_init ockam_quota_init_net(struct net *net)
{
	struct ockam_quota_net *qn = net_generic(net, ockam_quota_id);
	unsigned int i;

	spin_lock_init(&qn->lock);
	for (i = 0; i < ARRAY_SIZE(qn->accounts); i++)
		INIT_HLIST_HEAD(&qn->accounts[i]);
	qn->net = net;
	ockam_gate_init(&qn->sockets, NULL, 0, NULL);
	return 0;
}

static void __net_exit ockam_quota_exit_net(struct net *net)
{
	struct ockam_quota_net *qn = net_generic(net, ockam_quota_id);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(qn->accounts); i++)
		WARN_ON_ONCE(!hlist_empty(&qn->accounts[i]));
	WARN_ON_ONCE(qn->sockets.used);
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
