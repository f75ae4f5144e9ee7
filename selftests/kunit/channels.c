// SPDX-License-Identifier: GPL-2.0
/*
 * Channels and all that is below them, compiled into the test module as they
 * are, but for the calls of the cipher: see channels.h.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/slab.h>

#include "aead.h"
#include "channels.h"
#include "endpoint.h"
#include "event.h"
#include "message.h"
#include "mib.h"
#include "netns.h"

struct test_cipher test_cipher;

static struct ockam_aead_op *test_aead_reserve(struct ockam_aead_pool *pool,
					       struct ockam_aead_key *key,
					       unsigned int n_sg)
{
	return test_cipher.exhausted ? NULL :
				       ockam_aead_reserve(pool, key, n_sg);
}

static int test_aead_seal(struct ockam_aead_op *op, struct sk_buff *skb,
			  unsigned int off, unsigned int len, u64 nonce,
			  ockam_aead_done_fn done, void *data)
{
	bool disabled = softirq_count();
	int err = 0;

	/* The hook may do whatever another task could do meanwhile. */
	if (disabled)
		local_bh_enable();
	if (test_cipher.seal)
		err = test_cipher.seal(nonce);
	if (disabled)
		local_bh_disable();

	if (!err)
		return ockam_aead_seal_skb(op, skb, off, len, nonce, done, data);
	ockam_aead_release(op);
	return err;
}

static int test_aead_open(struct ockam_aead_op *op, struct sk_buff *src,
			  unsigned int off, unsigned int len,
			  struct sk_buff *dst, unsigned int dst_off, u64 nonce)
{
	int err = test_cipher.open ? test_cipher.open(nonce) : 0;

	if (!err)
		return ockam_aead_open_skb(op, src, off, len, dst, dst_off,
					   nonce);
	ockam_aead_release(op);
	return err;
}

/* The tracepoints are those of ockam.ko, which is loaded too. */
#define OCKAM_TRACE_H

static inline void trace_ockam_drop(const struct ockam_net *on, u32 reason,
				    const struct sk_buff *skb)
{
}

static inline void trace_ockam_deliver(const struct ockam_endpoint *ep,
				       const struct sk_buff *skb)
{
}

/* What the floors above and beside define: nobody is there. */
void ockam_event_notify(struct ockam_net *on, const struct ockam_event_info *ev)
{
}

void ockam_event_control(struct ockam_net *on, u32 portid,
			 const struct ockam_endpoint *encryptor, const u8 *peer,
			 const u8 *body, size_t len)
{
}

void ockam_link_hide_net(struct ockam_net *on)
{
}

void ockam_link_set_queue_limit(struct ockam_net *on, u64 bytes)
{
}

void ockam_link_free_net(struct ockam_net *on)
{
}

void ockam_handshake_hide_net(struct ockam_net *on)
{
}

void ockam_handshake_free_net(struct ockam_net *on)
{
}

void ockam_handshake_worker_gone(struct ockam_net *on)
{
}

#include "../../kmod/node/endpoint.c"
#include "../../kmod/node/gate.c"
#include "../../kmod/node/message.c"
#include "../../kmod/node/message_pages.c"
#include "../../kmod/node/mib.c"
#include "../../kmod/node/names.c"
#include "../../kmod/node/netns.c"
#include "../../kmod/node/netns_limits.c"
#include "../../kmod/node/route.c"
#include "../../kmod/node/watch.c"

#include "../../kmod/channel/channel.c"
#include "../../kmod/channel/channel_own.c"
#include "../../kmod/channel/channel_packet.c"
#include "../../kmod/channel/channel_live.c"
#include "../../kmod/channel/channel_path.c"
#include "../../kmod/channel/channel_timer.c"

#define ockam_aead_open_skb	test_aead_open
#include "../../kmod/channel/channel_rx.c"

#define ockam_aead_reserve	test_aead_reserve
#define ockam_aead_seal_skb	test_aead_seal
#include "../../kmod/channel/channel_tx.c"
