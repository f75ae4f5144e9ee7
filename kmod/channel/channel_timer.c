// SPDX-License-Identifier: GPL-2.0
/*
 * Works and timers of a channel, which hold a reference while they are queued, and
 * the one that ends it when its time has passed.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/ktime.h>

#include "channel.h"

/* How late an expiry may be noticed by an idle channel when the clock jumps. */
#define OCKAM_CHANNEL_EXPIRY_POLL	600	/* seconds */

void ockam_channel_queue_rx(struct ockam_channel *ch)
{
	ockam_channel_get(ch);
	if (!queue_work(ockam_channel_wq, &ch->rx.work))
		ockam_channel_put(ch);
}

void ockam_channel_queue_stall(struct ockam_channel *ch)
{
	unsigned long limit;

	limit = msecs_to_jiffies(ockam_netns_limit(ch->on, OCKAM_LIMIT_STALL_MS));
	ockam_channel_get(ch);
	spin_lock_bh(&ch->lock);
	/* Under the lock: after the death no timer starts. */
	if (!ch->dead && queue_delayed_work(ockam_channel_wq,
					    &ch->rx.stall_work, limit / 2 + 1)) {
		spin_unlock_bh(&ch->lock);
		return;
	}
	spin_unlock_bh(&ch->lock);
	ockam_channel_put(ch);
}

/* Start or move a timer, which holds a reference. Not after the death. */
static void ockam_channel_arm(struct ockam_channel *ch,
			      struct delayed_work *work, unsigned long delay)
{
	ockam_channel_get(ch);
	spin_lock_bh(&ch->lock);
	if (!ch->dead && !mod_delayed_work(ockam_channel_wq, work, delay)) {
		spin_unlock_bh(&ch->lock);
		return;
	}
	spin_unlock_bh(&ch->lock);
	ockam_channel_put(ch);
}

void ockam_channel_queue_expiry(struct ockam_channel *ch, unsigned long delay)
{
	ockam_channel_arm(ch, &ch->expiry_work, delay);
}

void ockam_channel_queue_live(struct ockam_channel *ch, unsigned long delay)
{
	ockam_channel_arm(ch, &ch->live.work, delay);
}

void ockam_channel_queue_orphan(struct ockam_channel *ch, unsigned long delay)
{
	ockam_channel_arm(ch, &ch->orphan_work, delay);
}

/*
 * The second of the expiry is the last one that counts, as for the credential
 * that it is taken from: both end at the same time.
 */
bool ockam_channel_expired(const struct ockam_channel *ch)
{
	u64 expiry = READ_ONCE(ch->expiry);

	return expiry && (u64)ktime_get_real_seconds() > expiry;
}

void ockam_channel_arm_expiry(struct ockam_channel *ch)
{
	u64 expiry = READ_ONCE(ch->expiry);
	u64 now = ktime_get_real_seconds();
	unsigned long left = 0;

	if (expiry >= now)
		left = min_t(u64, expiry - now, OCKAM_CHANNEL_EXPIRY_POLL) + 1;
	if (expiry)
		ockam_channel_queue_expiry(ch, HZ * left);
}

static void ockam_channel_expiry_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(to_delayed_work(work),
						struct ockam_channel,
						expiry_work);

	if (ockam_channel_expired(ch))
		ockam_channel_close(ch, -EKEYEXPIRED, "its time has passed");
	else
		ockam_channel_arm_expiry(ch);
	ockam_channel_put(ch);
}

void ockam_channel_init_expiry(struct ockam_channel *ch)
{
	INIT_DELAYED_WORK(&ch->expiry_work, ockam_channel_expiry_work);
}
