// SPDX-License-Identifier: GPL-2.0
/*
 * News from the floors below to the surfaces.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/errno.h>
#include <linux/rcupdate.h>
#include <linux/srcu.h>

#include "event.h"

/*
 * Sleepable read side: senders allocate with GFP_KERNEL inside. The sink is
 * taken away only at module exit, when no object is left; synchronize_srcu()
 * then waits for the last caller.
 */
DEFINE_STATIC_SRCU(ockam_event_srcu);
static const struct ockam_event_sink __rcu *ockam_event_sink;

void ockam_event_set_sink(const struct ockam_event_sink *sink)
{
	rcu_assign_pointer(ockam_event_sink, sink);
	if (!sink)
		synchronize_srcu(&ockam_event_srcu);
}

#define OCKAM_EVENT_CALL(stmt) do {					\
	const struct ockam_event_sink *sink;				\
	int idx = srcu_read_lock(&ockam_event_srcu);			\
									\
	sink = srcu_dereference(ockam_event_sink, &ockam_event_srcu);	\
	if (sink)							\
		stmt;							\
	srcu_read_unlock(&ockam_event_srcu, idx);			\
} while (0)

void ockam_event_notify(struct ockam_net *on, const struct ockam_event_info *ev)
{
	OCKAM_EVENT_CALL(sink->notify(on, ev));
}

int ockam_event_ready(struct ockam_net *on, u32 portid, u64 id)
{
	int err = -ECONNREFUSED;

	OCKAM_EVENT_CALL(err = sink->ready(on, portid, id));
	return err;
}

void ockam_event_result(struct ockam_net *on, const struct ockam_result *res)
{
	OCKAM_EVENT_CALL(sink->result(on, res));
}

void ockam_event_control(struct ockam_net *on, u32 portid,
			 const struct ockam_endpoint *encryptor, const u8 *peer,
			 const u8 *body, size_t len)
{
	OCKAM_EVENT_CALL(sink->control(on, portid, encryptor, peer, body, len));
}
