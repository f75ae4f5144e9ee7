// SPDX-License-Identifier: GPL-2.0
/*
 * Liveness: a peer that says nothing is asked, and a channel whose peer does not
 * answer ends.
 *
 * The question is a message to the peer's echo service whose answer comes to our
 * decryptor: any implementation of the protocol understands it. But a peer need
 * not have that service, or not for us. So a channel only ends for want of an
 * answer when the peer has answered such a question before, or when its owner
 * has said that silence means death ("strict"). A peer that never answered is
 * asked three times and then left alone until it has said something.
 *
 * Any packet that opens is life. While we ourselves do not take what the peer
 * sends, because a queue is full here, it counts as living.
 *
 * One timer a channel, which a busy channel only sets again: receiving costs one
 * store a packet.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/jiffies.h>

#include "channel.h"

#define OCKAM_CHANNEL_QUESTIONS	3	/* without an answer, in a row */

/*
 * *@behind: what @ch, or the link that it goes through, was sent waits here.
 * Returns the channel that it goes through, with a reference, or NULL.
 */
static struct ockam_channel *ockam_channel_below(struct ockam_channel *ch,
						 bool *behind)
{
	struct ockam_channel *below = NULL;
	struct ockam_endpoint *ep = NULL;
	struct ockam_route path;
	struct ockam_hop first;
	u64 id;

	*behind = READ_ONCE(ch->rx.paused) || READ_ONCE(ch->rx.gate.used);
	if (*behind)
		return NULL;
	ockam_route_init(&path);
	if (!ockam_channel_copy_path(ch, &path, &id) &&
	    ockam_route_first(&path, &first) &&
	    ockam_endpoint_find(ch->on, &first) == id) {
		below = ockam_channel_lookup(ch->on, first.name, first.len);
		if (!below)
			ep = ockam_endpoint_lookup(ch->on, first.name,
						   first.len);
	}
	if (ep) {
		*behind = ep->ops->paused && ep->ops->paused(ep);
		ockam_endpoint_put(ep);
	}
	ockam_route_reset(&path);
	return below;
}

/* Is it on us that nothing is heard? Channels may lead through each other. */
static bool ockam_channel_holds_up(struct ockam_channel *ch)
{
	u64 depth = ockam_netns_limit(ch->on, OCKAM_LIMIT_CHANNEL_DEPTH);
	struct ockam_channel *below;
	bool behind;

	ockam_channel_get(ch);
	do {
		below = ockam_channel_below(ch, &behind);
		ockam_channel_put(ch);
		ch = below;
	} while (ch && depth--);
	if (ch)
		ockam_channel_put(ch);
	return behind;
}

/* Nothing was heard for a whole period. False: the channel has ended. */
static bool ockam_channel_ask(struct ockam_channel *ch)
{
	struct ockam_channel_live *live = &ch->live;

	/* A channel without a way is given another one, or ended, by others. */
	if (ockam_channel_holds_up(ch) || !ockam_channel_has_way(ch)) {
		live->asked = 0;
		return true;
	}
	if (live->asked < OCKAM_CHANNEL_QUESTIONS) {
		if (!ockam_channel_send_probe(ch)) {
			live->asked++;
			live->asked_at = jiffies;
			ockam_mib_inc(ch->on, OCKAM_MIB_CHANNEL_PROBES);
		}
		return true;
	}
	if (!READ_ONCE(live->answered) && !READ_ONCE(live->strict))
		return true;
	ockam_mib_inc(ch->on, OCKAM_MIB_CHANNELS_SILENT);
	ockam_channel_close(ch, -ETIMEDOUT, "the peer does not answer");
	return false;
}

static void ockam_channel_live_work(struct work_struct *work)
{
	struct ockam_channel *ch = container_of(to_delayed_work(work),
						struct ockam_channel,
						live.work);
	struct ockam_channel_live *live = &ch->live;
	unsigned long period = msecs_to_jiffies(READ_ONCE(live->ms));
	unsigned long heard = READ_ONCE(live->heard);
	unsigned long silent = jiffies - heard;
	unsigned long next = period;
	bool goes_on = period && !READ_ONCE(ch->dead);

	/* When it was asked, nothing had been heard for long. */
	if (live->asked && time_after_eq(heard, live->asked_at))
		live->asked = 0;
	if (goes_on && silent < period)
		next = period - silent;
	else if (goes_on)
		goes_on = ockam_channel_ask(ch);
	if (goes_on)
		ockam_channel_queue_live(ch, next);
	ockam_channel_put(ch);
}

void ockam_channel_init_live(struct ockam_channel *ch,
			     const struct ockam_liveness *l)
{
	INIT_DELAYED_WORK(&ch->live.work, ockam_channel_live_work);
	ch->live.heard = jiffies;
	ch->live.ms = l->ms;
	ch->live.strict = l->strict;
}

void ockam_channel_start_live(struct ockam_channel *ch)
{
	u32 ms = READ_ONCE(ch->live.ms);

	if (ms)
		ockam_channel_queue_live(ch, msecs_to_jiffies(ms));
}

int ockam_channel_set_liveness(struct ockam_channel *ch,
			       const struct ockam_liveness *l,
			       struct netlink_ext_ack *extack)
{
	if (READ_ONCE(ch->dead))
		return ockam_refuse(extack, -ESHUTDOWN, "the channel has ended");
	WRITE_ONCE(ch->live.ms, l->ms);
	WRITE_ONCE(ch->live.strict, l->strict);
	/* Switched off: the next run of the work is the last one. */
	ockam_channel_start_live(ch);
	return 0;
}
