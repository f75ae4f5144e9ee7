// SPDX-License-Identifier: GPL-2.0
/*
 * The way to a channel's peer: replaced as a whole, its first address watched.
 *
 * When what it begins with has ended the channel is stranded: it takes nothing to
 * be sealed, for a packet that is lost is a hole in the nonces, and 32 of them
 * in a row kill a channel. It may be given another path. That its old one begins
 * with a name that somebody has again does not help it.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/slab.h>

#include "channel.h"

/* A channel that has lost its way, and whose reader is slow. */
#define OCKAM_CHANNEL_CUT_OFF_POLL	(HZ / 20 + 1)

static void ockam_channel_free_path(struct rcu_head *rcu)
{
	struct ockam_channel_path *path = container_of(rcu,
						       struct ockam_channel_path,
						       rcu);

	ockam_route_reset(&path->route);
	kfree(path);
}

void ockam_channel_put_path(struct ockam_channel_path *path)
{
	if (path && refcount_dec_and_test(&path->refs))
		call_rcu(&path->rcu, ockam_channel_free_path);
}

struct ockam_channel_path *ockam_channel_get_path(struct ockam_channel *ch)
{
	struct ockam_channel_path *path;

	rcu_read_lock();
	do {
		/* Zero: it has just been replaced. */
		path = rcu_dereference(ch->path);
	} while (!refcount_inc_not_zero(&path->refs));
	rcu_read_unlock();
	return path;
}

int ockam_channel_copy_path(struct ockam_channel *ch, struct ockam_route *route,
			    u64 *first)
{
	struct ockam_channel_path *path = ockam_channel_get_path(ch);
	int err;

	err = ockam_route_copy(route, &path->route);
	*first = path->first;
	ockam_channel_put_path(path);
	return err;
}

/*
 * Nobody moves the channel that a socket has made. What has come and waits to be
 * taken is taken first: that may be a Close.
 */
static bool ockam_channel_is_cut_off(struct ockam_channel *ch)
{
	bool idle;

	if (!ch->sink || ch->role != OCKAM_ROLE_INITIATOR ||
	    ockam_channel_has_way(ch))
		return false;
	/* Who closes it says why it ends, however fast the peer was with it. */
	if (READ_ONCE(ch->closing))
		return true;
	spin_lock_bh(&ch->rx.lock);
	idle = !ch->rx.busy && !ch->rx.paused &&
	       skb_queue_empty(&ch->rx.queue);
	spin_unlock_bh(&ch->rx.lock);
	if (idle)
		ockam_channel_kill(ch, -ECONNRESET,
				   "the connection that it went through has ended",
				   false);
	else
		ockam_channel_queue_orphan(ch, OCKAM_CHANNEL_CUT_OFF_POLL);
	return true;
}

/* Who sends through us, or is about to, learns that there is no way on. */
static void ockam_channel_stranded_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(work, struct ockam_channel,
						stranded_work);
	u64 limit;

	if (READ_ONCE(ch->enc.stranded))
		ockam_watch_tell(&ch->enc);
	if (ockam_channel_is_cut_off(ch)) {
		ockam_channel_put(ch);
		return;
	}
	limit = ockam_netns_limit(ch->on, OCKAM_LIMIT_STRANDED_MS);
	ockam_channel_queue_orphan(ch, msecs_to_jiffies(limit));
	ockam_channel_put(ch);
}

/*
 * An initiator may come back over another link and move its channel there. One
 * that does not, or a user who forgets his, would leave the channel behind.
 */
static void ockam_channel_orphan_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(to_delayed_work(work),
						struct ockam_channel,
						orphan_work);

	if (!ockam_channel_is_cut_off(ch) && !ockam_channel_has_way(ch) &&
	    ockam_channel_kill(ch, -EHOSTUNREACH,
			       "what it went through has ended, and it was given no other way",
			       false))
		ockam_mib_inc(ch->on, OCKAM_MIB_CHANNELS_STRANDED);
	ockam_channel_put(ch);
}

/* Any context, as long as something else holds the channel. */
static void ockam_channel_strand(struct ockam_channel *ch)
{
	WRITE_ONCE(ch->enc.stranded, true);
	ockam_channel_get(ch);
	if (!queue_work(ockam_channel_wq, &ch->stranded_work))
		ockam_channel_put(ch);
}

/* Under on->address_lock. The channel lives: or the watch had been stopped. */
static void ockam_channel_hop_gone(struct ockam_watch *watch, bool gone)
{
	struct ockam_channel *ch = container_of(watch, struct ockam_channel,
						watch);

	ch->hop_lost = true;
	/*
	 * Who watches us was told then: through a ring of channels, telling once
	 * more would go round and round.
	 */
	if (!READ_ONCE(ch->enc.stranded))
		ockam_channel_strand(ch);
}

void ockam_channel_init_path(struct ockam_channel *ch)
{
	mutex_init(&ch->path_mutex);
	INIT_WORK(&ch->stranded_work, ockam_channel_stranded_work);
	INIT_DELAYED_WORK(&ch->orphan_work, ockam_channel_orphan_work);
	ockam_watch_init(&ch->watch, ch->on, ockam_channel_hop_gone);
}

/* Watch the first address of the path. Afterwards ->enc.stranded is right. */
static void __ockam_channel_watch_path(struct ockam_channel *ch)
	__must_hold(&ch->path_mutex)
{
	const struct ockam_channel_path *path;
	struct ockam_net *on = ch->on;
	struct ockam_hop first;
	u64 id;

	lockdep_assert_held(&ch->path_mutex);
	/* Nobody else replaces it. */
	path = rcu_dereference_protected(ch->path, true);
	id = path->first;
	ockam_watch_stop(&ch->watch);
	ch->hop_lost = false;
	if (!ockam_route_first(&path->route, &first) ||
	    ockam_watch_start(&ch->watch, &first, &id)) {
		if (!READ_ONCE(ch->enc.stranded))
			ockam_channel_strand(ch);
	} else {
		/* Unless it has gone already. */
		spin_lock_bh(&on->address_lock);
		if (!ch->hop_lost)
			WRITE_ONCE(ch->enc.stranded, false);
		spin_unlock_bh(&on->address_lock);
	}
	/* Its end stops the watch after it has set this. */
	if (READ_ONCE(ch->dead))
		ockam_watch_stop(&ch->watch);
}

void ockam_channel_watch_path(struct ockam_channel *ch)
{
	mutex_lock(&ch->path_mutex);
	__ockam_channel_watch_path(ch);
	mutex_unlock(&ch->path_mutex);
}

bool ockam_channel_has_way(struct ockam_channel *ch)
{
	if (!READ_ONCE(ch->enc.stranded))
		return true;
	/* What it goes through may have a way on again. */
	ockam_channel_watch_path(ch);
	return !READ_ONCE(ch->enc.stranded);
}

int ockam_channel_move_path(struct ockam_channel *ch, struct ockam_route *route,
			    u64 first)
{
	struct ockam_channel_path *path, *old;

	path = kmalloc(sizeof(*path), GFP_KERNEL_ACCOUNT);
	if (!path)
		return -ENOMEM;
	refcount_set(&path->refs, 1);
	path->first = first;
	ockam_route_init(&path->route);
	ockam_route_move(&path->route, route);

	mutex_lock(&ch->path_mutex);
	spin_lock_bh(&ch->lock);
	old = rcu_replace_pointer(ch->path, path, lockdep_is_held(&ch->lock));
	spin_unlock_bh(&ch->lock);
	/* Before that nobody sends but who makes it. */
	if (READ_ONCE(ch->published))
		__ockam_channel_watch_path(ch);
	mutex_unlock(&ch->path_mutex);
	ockam_channel_put_path(old);
	return 0;
}

/* 0 and *@id, or why packets cannot go to @hop first. */
static int ockam_channel_check_hop(struct ockam_channel *ch,
				   const struct ockam_hop *hop, u64 *id)
{
	struct ockam_endpoint *ep;
	bool stranded;

	if (hop->type != OCKAM_ADDR_LOCAL)
		return -EHOSTUNREACH;
	ep = ockam_endpoint_lookup(ch->on, hop->name, hop->len);
	if (!ep)
		return -EHOSTUNREACH;
	stranded = READ_ONCE(ep->stranded);
	*id = READ_ONCE(ep->id);
	ockam_endpoint_put(ep);
	return stranded ? -EHOSTUNREACH : 0;
}

bool ockam_channel_lost_way(struct ockam_channel *ch,
			    const struct ockam_route *route, u64 first)
{
	struct ockam_hop hop;
	u64 id;

	return READ_ONCE(ch->enc.stranded) &&
	       (!ockam_route_first(route, &hop) ||
		ockam_channel_check_hop(ch, &hop, &id) || id != first);
}

int ockam_channel_set_route(struct ockam_channel *ch,
			    const struct ockam_route *route,
			    struct netlink_ext_ack *extack)
{
	struct ockam_route copy;
	struct ockam_hop first;
	u64 id;
	int err;

	if (!ockam_route_first(route, &first))
		return ockam_refuse(extack, -EINVAL, "the route is empty");
	if (READ_ONCE(ch->dead))
		return ockam_refuse(extack, -ESHUTDOWN, "the channel has ended");
	err = ockam_channel_check_hop(ch, &first, &id);
	if (err)
		return ockam_refuse(extack, err,
				    "the first hop of the route is no address of this node, or leads nowhere now");
	ockam_route_init(&copy);
	err = ockam_route_copy(&copy, route);
	if (!err)
		err = ockam_channel_move_path(ch, &copy, id);
	ockam_route_reset(&copy);
	if (err)
		return ockam_refuse(extack, err, "out of memory");
	/* The peer follows the newest packet that it gets: let it have one. */
	if (ch->role == OCKAM_ROLE_INITIATOR)
		ockam_channel_send_probe(ch);
	return 0;
}
