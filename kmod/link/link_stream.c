// SPDX-License-Identifier: GPL-2.0
/*
 * Stream framing of a link: what receiving and sending have in common.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "link_socket.h"
#include "link_stream.h"

/* A security module may change its mind: look again with the deadlines. */
void ockam_link_stream_retry(struct ockam_link_stream *s)
{
	set_bit(OCKAM_LINK_REFUSED, &s->link.bits);
	ockam_link_arm_watch(&s->link);
}

/*
 * The socket's callbacks. They cannot start after the socket was given back,
 * which comes before stop().
 */
static void ockam_link_stream_readable(struct ockam_link *link)
{
	ockam_link_stream_rx_start(ockam_link_stream_from(link));
}

static void ockam_link_stream_writable(struct ockam_link *link)
{
	if (test_and_clear_bit(OCKAM_LINK_BLOCKED, &link->bits))
		ockam_link_stream_tx_start(ockam_link_stream_from(link));
}

static void ockam_link_stream_init_link(struct ockam_link *link)
{
	struct ockam_link_stream *s = ockam_link_stream_from(link);

	BUILD_BUG_ON(offsetof(struct ockam_link_stream, link));

	ockam_link_stream_rx_init(s);
	ockam_link_stream_tx_init(s);
}

static void ockam_link_stream_start(struct ockam_link *link)
{
	struct ockam_link_stream *s = ockam_link_stream_from(link);

	ockam_link_stream_tx_start(s);
	ockam_link_stream_rx_start(s);
}

static void ockam_link_stream_stop(struct ockam_link *link)
{
	struct ockam_link_stream *s = ockam_link_stream_from(link);

	ockam_link_stream_tx_close(s);
	ockam_link_stream_rx_stop(s);
	ockam_link_stream_tx_stop(s);
}

static u64 ockam_link_stream_queued(struct ockam_link *link)
{
	struct ockam_link_stream *s = ockam_link_stream_from(link);
	u64 queued;

	spin_lock_bh(&s->tx_lock);
	queued = s->tx_queued;
	spin_unlock_bh(&s->tx_lock);
	return queued;
}

static bool ockam_link_stream_watch(struct ockam_link *link)
{
	struct ockam_link_stream *s = ockam_link_stream_from(link);
	bool again;

	again = ockam_link_stream_rx_watch(s);
	again = ockam_link_stream_tx_watch(s) || again;
	if (test_and_clear_bit(OCKAM_LINK_REFUSED, &link->bits)) {
		ockam_link_stream_rx_start(s);
		clear_bit(OCKAM_LINK_BLOCKED, &link->bits);
		ockam_link_stream_tx_start(s);
		again = true;
	}
	return again;
}

const struct ockam_link_ops ockam_link_stream_ops = {
	.framing = OCKAM_FRAMING_STREAM,
	.size = sizeof(struct ockam_link_stream),
	.ep_ops = {
		.kind = OCKAM_KIND_LINK,
		.nosleep = true,
		.deliver = ockam_link_stream_tx_deliver,
		.full = ockam_link_stream_tx_full,
		.flush = ockam_link_stream_tx_flush,
		.paused = ockam_link_paused,
		.release = ockam_link_release,
	},
	.check = ockam_link_socket_check_stream,
	.init = ockam_link_stream_init_link,
	.start = ockam_link_stream_start,
	.stop = ockam_link_stream_stop,
	.readable = ockam_link_stream_readable,
	.writable = ockam_link_stream_writable,
	.queued = ockam_link_stream_queued,
	.watch = ockam_link_stream_watch,
};
