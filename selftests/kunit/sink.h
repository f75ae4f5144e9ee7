/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An address in the test module's node that keeps what it gets. Include it once
 * in a suite.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_KUNIT_SINK_H
#define OCKAM_KUNIT_SINK_H

#include <linux/slab.h>

#include "../../kmod/tests/test.h"
#include "endpoint.h"
#include "message.h"

#define TEST_PACKETS	8
#define TEST_PACKET_LEN	128

struct test_sink {
	struct ockam_endpoint ep;
	unsigned int n;
	bool disorder;		/* something else than nonces 0, 1, 2, ... */
	bool device;		/* a message said that it came from one */
	size_t len[TEST_PACKETS];
	u8 data[TEST_PACKETS][TEST_PACKET_LEN];
};

static int test_sink_deliver(struct ockam_endpoint *ep,
			     struct sk_buff *skb, struct ockam_dispatch *d)
{
	struct test_sink *s = container_of(ep, struct test_sink, ep);

	if (s->n < TEST_PACKETS && skb->len <= TEST_PACKET_LEN) {
		s->len[s->n] = skb->len;
		memcpy(s->data[s->n], skb->data, skb->len);
	}
	s->disorder |= skb->len < OCKAM_NONCE_LEN ||
		       get_unaligned_be64(skb->data) != s->n;
	s->device |= !!skb->dev;
	s->n++;
	ockam_message_free(skb);
	return 0;
}

static void test_sink_release(struct ockam_endpoint *ep)
{
	kfree(container_of(ep, struct test_sink, ep));
}

static const struct ockam_endpoint_ops test_sink_ops = {
	.kind = OCKAM_KIND_LINK,
	.nosleep = true,
	.deliver = test_sink_deliver,
	.release = test_sink_release,
};

static struct test_sink *test_sink_make(struct kunit *t, struct ockam_net *on,
					const char *name)
{
	struct test_sink *s = kzalloc(sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(t, s);
	TEST_EQ(t, ockam_endpoint_init(&s->ep, on, &test_sink_ops, &on->local,
				       name, strlen(name), OCKAM_REACH_ALL), 0);
	TEST_EQ(t, ockam_endpoint_add(&s->ep, NULL), 0);
	return s;
}

static void test_sink_end(struct test_sink *s)
{
	ockam_endpoint_remove(&s->ep);
	ockam_endpoint_put(&s->ep);
}

#endif /* OCKAM_KUNIT_SINK_H */
