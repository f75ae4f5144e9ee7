// SPDX-License-Identifier: GPL-2.0
/*
 * Nonces of a channel: the last ones, changes of the key, and what becomes of a
 * nonce when the cipher fails or others come between. The channel is a real
 * one; its counter is set near the end, as nobody could send so much.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/delay.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "../../kmod/tests/test.h"
#include "../../kmod/tests/test_aead.h"
#include "channel.h"
#include "channels.h"
#include "message.h"
#include "mib.h"
#include "netns.h"
#include "route.h"
#include "sink.h"
#include "wire.h"

static struct ockam_net *on;
static struct test_sink *wire, *there;
static struct ockam_channel *here, *peer;
static unsigned int deaths;

static const u8 test_key[OCKAM_KEY_LEN] = "the key of one direction: secret";
static const u8 test_other_key[OCKAM_KEY_LEN] = "and that of the other direction.";

static void test_channel_died(struct ockam_channel *ch, u64 cookie, bool by_peer)
{
	deaths++;
}

static const struct ockam_channel_ops test_channel_ops = {
	.dead = test_channel_died,
};

static struct ockam_channel *test_channel_make(struct kunit *t, u8 role,
					       const u8 *tx, const u8 *rx)
{
	static const u8 identifier[OCKAM_IDENTIFIER_LEN] = { 1 };
	struct ockam_hop hop = { OCKAM_ADDR_LOCAL, 4, "wire" };
	struct ockam_channel_params p = {
		.role = role,
		.key_tx = tx,
		.key_rx = rx,
		.peer = identifier,
		.encryptor_reach = OCKAM_REACH_LOCAL,
		.ops = &test_channel_ops,
	};
	struct ockam_channel *ch = NULL;
	struct ockam_route route;

	ockam_route_init(&route);
	TEST_EQ(t, ockam_route_push_back(&route, &hop), 0);
	p.route = &route;
	TEST_EQ(t, ockam_channel_alloc(on, &p, &ch), 0);
	ockam_route_reset(&route);
	KUNIT_ASSERT_NOT_NULL(t, ch);
	TEST_EQ(t, ockam_channel_publish(ch, NULL, NULL), 0);
	ockam_channel_start(ch, NULL);
	return ch;
}

/* Wait for all that the channels have left to their works. */
static void test_settle(void)
{
	int i;

	for (i = 0; i < TEST_PACKETS; i++)
		flush_workqueue(ockam_channel_wq);
}

/* A message from here to the address "there" behind @first. */
static int test_send_to(const struct ockam_endpoint *first, const void *data,
			size_t len)
{
	struct ockam_hop last = { OCKAM_ADDR_LOCAL, 5, "there" };
	struct ockam_hop hop = ockam_endpoint_hop(first);
	struct ockam_dispatch d;
	struct ockam_route route;
	struct ockam_hops hops;
	struct sk_buff *skb;
	int err;

	skb = ockam_message_alloc(on, 0, len, false, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	memcpy(skb->data, data, len);
	ockam_route_init(&route);
	err = ockam_route_push_front(&route, &last);
	if (!err)
		err = ockam_route_push_front(&route, &hop);
	hops = ockam_route_hops(&route);
	if (!err)
		err = ockam_message_set_onward(skb, &hops, false, GFP_KERNEL);
	ockam_route_reset(&route);
	if (err) {
		ockam_message_free(skb);
		return err;
	}
	ockam_dispatch_init(&d);
	err = ockam_route_dispatch(on, skb, &on->local, &d);
	ockam_dispatch_fini(&d);
	return err;
}

static int test_send(void)
{
	return test_send_to(&here->enc, "hello", 5);
}

/* @i-th packet on the wire, to the peer. */
static void test_receive(struct kunit *t, unsigned int i)
{
	TEST_EQ(t, test_send_to(&peer->dec, wire->data[i], wire->len[i]), 0);
	test_settle();
}

static u64 test_nonce(unsigned int i)
{
	return get_unaligned_be64(wire->data[i]);
}

static void test_set_nonce(u64 next)
{
	here->tx.next = next;
	here->tx.interval = next / OCKAM_REKEY_INTERVAL;
}

/* Does the @i-th packet open under the key that comes @steps after the first? */
static bool test_opens(unsigned int i, unsigned int steps)
{
	size_t len = wire->len[i] - OCKAM_NONCE_LEN;
	struct ockam_aead_key key, next;
	int err = -ENOMEM;
	u8 *buf;

	ockam_aead_key_install(&key, test_key);
	while (steps--) {
		ockam_aead_key_next(&next, &key);
		ockam_aead_key_wipe(&key);
		key = next;
	}
	buf = test_exact(wire->data[i] + OCKAM_NONCE_LEN, len);
	if (buf)
		err = test_open(&on->aead, &key, buf, len, test_nonce(i));
	kfree(buf);
	ockam_aead_key_wipe(&key);
	return !err;
}

/* Nothing can be sent on it, and it says so. */
static void test_is_dead(struct kunit *t)
{
	unsigned int n;

	test_settle();
	n = wire->n;
	TEST_TRUE(t, here->dead);
	TEST_TRUE(t, here->tx.closed);
	TEST_EQ(t, here->tx.key.id, 0);
	TEST_TRUE(t, !memchr_inv(here->tx.key.bytes, 0, OCKAM_KEY_LEN));
	TEST_TRUE(t, skb_queue_empty(&here->tx.order));
	TEST_EQ(t, deaths, 1);
	TEST_EQ(t, test_send(), -EHOSTUNREACH);
	TEST_EQ(t, ockam_channel_send_refresh(here, "\x80", 1,
					      NULL), -ESHUTDOWN);
	TEST_EQ(t, ockam_channel_send_probe(here), -EPIPE);
	ockam_channel_close(here, 0, "once more");
	test_settle();
	TEST_EQ(t, wire->n, n);
	TEST_EQ(t, deaths, 1);
}

/* ---- the end of the counter --------------------------------------------------- */

/* Every nonce but the last one, which belongs to the derivation of keys. */
static void test_last_nonces(struct kunit *t)
{
	test_set_nonce(U64_MAX - 2);
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, test_send(), 0);
	TEST_TRUE(t, !here->dead);
	TEST_EQ(t, test_send(), -EOVERFLOW);
	TEST_EQ(t, wire->n, 2);
	TEST_EQ(t, test_nonce(0), U64_MAX - 2);
	TEST_EQ(t, test_nonce(1), U64_MAX - 1);
	TEST_TRUE(t, test_opens(0, 0) && test_opens(1, 0));
	test_is_dead(t);
}

/* The last one is good for a Close. */
static void test_last_close(struct kunit *t)
{
	test_set_nonce(U64_MAX - 1);
	ockam_channel_close(here, 0, "enough");
	TEST_EQ(t, wire->n, 1);
	TEST_EQ(t, test_nonce(0), U64_MAX - 1);
	TEST_EQ(t, wire->len[0], OCKAM_NONCE_LEN + OCKAM_INNER_CLOSE_LEN +
		OCKAM_TAG_LEN);
	test_is_dead(t);
}

/* None is left for it. */
static void test_no_close(struct kunit *t)
{
	test_set_nonce(U64_MAX);
	ockam_channel_close(here, 0, "enough");
	TEST_EQ(t, wire->n, 0);
	test_is_dead(t);
}

static int test_second_at_the_end(u64 nonce)
{
	test_cipher.seal = NULL;
	return test_send() == -EOVERFLOW ? 0 : -EINVAL;
}

/* Another sender comes too late while the last packet is being sealed. */
static void test_last_two_senders(struct kunit *t)
{
	test_set_nonce(U64_MAX - 1);
	test_cipher.seal = test_second_at_the_end;
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, wire->n, 1);
	TEST_EQ(t, test_nonce(0), U64_MAX - 1);
	test_is_dead(t);
}

/* The receiver takes all but the last one, too. */
static void test_last_received(struct kunit *t)
{
	u64 before = ockam_mib_read(on, OCKAM_DROP_PACKET_NO_KEY);

	test_set_nonce(U64_MAX - 1);
	peer->rx.window.highest = U64_MAX - 2;
	peer->rx.window.seen = 1;
	peer->rx.window.interval = U64_MAX / OCKAM_REKEY_INTERVAL;
	TEST_EQ(t, test_send(), 0);
	test_receive(t, 0);
	TEST_EQ(t, there->n, 1);
	memset(wire->data[0], 0xff, OCKAM_NONCE_LEN);
	test_receive(t, 0);
	TEST_EQ(t, there->n, 1);
	TEST_EQ(t, ockam_mib_read(on, OCKAM_DROP_PACKET_NO_KEY), before + 1);
	TEST_TRUE(t, !peer->dead);
}

/* ---- the key ------------------------------------------------------------------- */

static void test_rekey_at(struct kunit *t, u64 first)
{
	test_set_nonce(first - 1);
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, wire->n, 2);
	TEST_EQ(t, test_nonce(0), first - 1);
	TEST_EQ(t, test_nonce(1), first);
	TEST_TRUE(t, test_opens(0, 0) && !test_opens(0, 1));
	TEST_TRUE(t, test_opens(1, 1) && !test_opens(1, 0));
}

static void test_rekey_first(struct kunit *t)
{
	test_rekey_at(t, OCKAM_REKEY_INTERVAL);
}

static void test_rekey_last(struct kunit *t)
{
	test_rekey_at(t, U64_MAX - OCKAM_REKEY_INTERVAL + 1);
}

static int test_second_takes_the_rest(u64 nonce)
{
	test_cipher.seal = NULL;
	return test_send();
}

/* The second one begins the next interval while the first is being sealed. */
static void test_rekey_two_senders(struct kunit *t)
{
	test_set_nonce(OCKAM_REKEY_INTERVAL - 1);
	test_cipher.seal = test_second_takes_the_rest;
	TEST_EQ(t, test_send(), 0);
	test_settle();
	TEST_EQ(t, wire->n, 2);
	TEST_EQ(t, test_nonce(0), OCKAM_REKEY_INTERVAL - 1);
	TEST_TRUE(t, test_opens(0, 0));
	TEST_EQ(t, test_nonce(1), OCKAM_REKEY_INTERVAL);
	TEST_TRUE(t, test_opens(1, 1));
}

/* ---- a nonce was taken, and then ------------------------------------------------ */

static int test_fail_third(u64 nonce)
{
	return nonce == 2 ? -EIO : 0;
}

/* The cipher fails: its nonce is never used again, for the channel ends. */
static void test_seal_fails(struct kunit *t)
{
	test_cipher.seal = test_fail_third;
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, test_send(), -EIO);
	TEST_EQ(t, wire->n, 2);
	TEST_EQ(t, test_nonce(1), 1);
	test_is_dead(t);
}

static int test_second_then_fail(u64 nonce)
{
	test_cipher.seal = NULL;
	return test_send() ?: -ENOMEM;
}

/* What was sealed behind it must not leave either. */
static void test_seal_fails_before_another(struct kunit *t)
{
	test_cipher.seal = test_second_then_fail;
	TEST_EQ(t, test_send(), -ENOMEM);
	TEST_EQ(t, here->tx.next, 2);
	TEST_EQ(t, wire->n, 0);
	test_is_dead(t);
}

static int test_fail_second(u64 nonce)
{
	if (nonce)
		return -EIO;
	return test_send() == -EIO ? 0 : -EINVAL;
}

/* What has a nonce before it stays too: the channel is broken by then. */
static void test_seal_fails_behind_another(struct kunit *t)
{
	test_cipher.seal = test_fail_second;
	TEST_EQ(t, test_send(), -EPIPE);
	TEST_EQ(t, here->tx.next, 2);
	TEST_EQ(t, wire->n, 0);
	test_is_dead(t);
}

/* A Close that fails ends the channel all the same. */
static void test_seal_fails_close(struct kunit *t)
{
	test_set_nonce(2);
	test_cipher.seal = test_fail_third;
	ockam_channel_close(here, 0, "enough");
	TEST_EQ(t, wire->n, 0);
	test_is_dead(t);
}

/* Without an operation no nonce is taken. */
static void test_nothing_prepared(struct kunit *t)
{
	test_cipher.exhausted = true;
	TEST_EQ(t, test_send(), -ENOMEM);
	TEST_EQ(t, here->tx.next, 0);
	test_cipher.exhausted = false;
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, wire->n, 1);
	TEST_EQ(t, test_nonce(0), 0);
	TEST_TRUE(t, !here->dead);
}

/* Packets leave in the order of their nonces, whoever is sealed first. */
static void test_order(struct kunit *t)
{
	test_cipher.seal = test_second_takes_the_rest;
	TEST_EQ(t, test_send(), 0);
	test_settle();
	TEST_EQ(t, test_send(), 0);
	TEST_EQ(t, wire->n, 3);
	TEST_EQ(t, test_nonce(0), 0);
	TEST_EQ(t, test_nonce(1), 1);
	TEST_EQ(t, test_nonce(2), 2);
}

static int test_close_meanwhile(u64 nonce)
{
	test_cipher.seal = NULL;
	ockam_channel_close(here, 0, "enough");
	return 0;
}

/* A Close waits for the packet that has a nonce before it. */
static void test_order_close(struct kunit *t)
{
	test_cipher.seal = test_close_meanwhile;
	TEST_EQ(t, test_send(), 0);
	test_settle();
	TEST_EQ(t, wire->n, 2);
	TEST_EQ(t, test_nonce(0), 0);
	TEST_EQ(t, test_nonce(1), 1);
	TEST_EQ(t, wire->len[1], OCKAM_NONCE_LEN + OCKAM_INNER_CLOSE_LEN +
		OCKAM_TAG_LEN);
	test_is_dead(t);
}

static int test_end_meanwhile(u64 nonce)
{
	test_cipher.seal = NULL;
	ockam_channel_kill(here, -ESHUTDOWN, "the end", false);
	ockam_channel_stop_tx(here);
	return 0;
}

/* The node ends while a packet is being sealed: it stays. */
static void test_stopped(struct kunit *t)
{
	test_cipher.seal = test_end_meanwhile;
	TEST_EQ(t, test_send(), -EPIPE);
	TEST_EQ(t, wire->n, 0);
	test_is_dead(t);
}

static int test_fail_once(u64 nonce)
{
	test_cipher.open = NULL;
	return -ENOMEM;
}

/* A packet that could not be opened has not been received: it may come again. */
static void test_open_fails(struct kunit *t)
{
	u64 no_memory = ockam_mib_read(on, OCKAM_DROP_NO_MEMORY);
	u64 replayed = ockam_mib_read(on, OCKAM_DROP_PACKET_REPLAYED);

	TEST_EQ(t, test_send(), 0);
	test_cipher.open = test_fail_once;
	test_receive(t, 0);
	TEST_EQ(t, ockam_mib_read(on, OCKAM_DROP_NO_MEMORY), no_memory + 1);
	TEST_EQ(t, there->n, 0);
	TEST_EQ(t, peer->rx.window.seen, 0);
	test_receive(t, 0);
	TEST_EQ(t, there->n, 1);
	TEST_EQ(t, there->len[0], 5);
	test_receive(t, 0);
	TEST_EQ(t, there->n, 1);
	TEST_EQ(t, ockam_mib_read(on, OCKAM_DROP_PACKET_REPLAYED), replayed + 1);
}

/* ---- many senders --------------------------------------------------------------- */

#define TEST_CROWD	6
#define TEST_CROWD_NONCE	70	/* here it ends */

static struct work_struct test_crowd[TEST_CROWD];

static void test_crowd_work(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < 100 && !test_send(); i++)
		;
}

static int test_crowd_wait(u64 nonce)
{
	if (nonce % 3)
		usleep_range(10 * (nonce % 7), 100);
	return 0;
}

static int test_crowd_close(u64 nonce)
{
	if (nonce == TEST_CROWD_NONCE)
		ockam_channel_close(here, 0, "enough");
	return test_crowd_wait(nonce);
}

static int test_crowd_fail(u64 nonce)
{
	return nonce == TEST_CROWD_NONCE ? -EIO : test_crowd_wait(nonce);
}

static void test_crowd_run(int (*seal)(u64 nonce))
{
	unsigned int i;

	test_cipher.seal = seal;
	for (i = 0; i < TEST_CROWD; i++) {
		INIT_WORK(&test_crowd[i], test_crowd_work);
		queue_work(system_unbound_wq, &test_crowd[i]);
	}
	for (i = 0; i < TEST_CROWD; i++)
		flush_work(&test_crowd[i]);
	/* Each packet may have left the next one to a work. */
	for (i = 0; i < 1000 && here->tx.busy; i++)
		flush_workqueue(ockam_channel_wq);
}

/* All that have a nonce leave, one by one, and a Close among them. */
static void test_crowd_closed(struct kunit *t)
{
	test_crowd_run(test_crowd_close);
	TEST_TRUE(t, !wire->disorder);
	TEST_TRUE(t, here->tx.next > TEST_CROWD_NONCE);
	TEST_EQ(t, wire->n, here->tx.next);
	test_is_dead(t);
}

/* Nothing leaves behind the one that is missing. */
static void test_crowd_failed(struct kunit *t)
{
	test_crowd_run(test_crowd_fail);
	TEST_TRUE(t, !wire->disorder);
	TEST_TRUE(t, here->tx.next > TEST_CROWD_NONCE);
	TEST_TRUE(t, wire->n <= TEST_CROWD_NONCE);
	test_is_dead(t);
}

/* ---- who holds a dead channel holds no endpoints ------------------------------ */

/* Who looks at a channel does not change it. */
static void test_looking(struct kunit *t)
{
	struct ockam_channel_info i;

	WRITE_ONCE(here->enc.stranded, true);
	TEST_EQ(t, ockam_channel_get_info(here, &i), 0);
	TEST_TRUE(t, !(i.flags & OCKAM_FLAG_NO_ROUTE));
	TEST_TRUE(t, READ_ONCE(here->enc.stranded));
	ockam_channel_reset_info(&i);
	/* Who sends through it does. */
	TEST_TRUE(t, ockam_channel_has_way(here));
	TEST_TRUE(t, !READ_ONCE(here->enc.stranded));
}

static void test_flow_ids(struct kunit *t)
{
	struct ockam_origin from = { .kind = OCKAM_REACH_LINKS, .flow_id = "somebody" };

	TEST_EQ(t, ockam_channel_set_reach(here, OCKAM_REACH_LOCAL,
					   from.flow_id, 1, NULL), 0);
	TEST_TRUE(t, ockam_endpoint_reachable(&here->enc, &from));
	ockam_channel_kill(here, 0, "the end", false);
	ockam_endpoint_flush();
	/* Whoever looked it up before that shows it, or changes it, only now. */
	TEST_TRUE(t, !ockam_endpoint_reachable(&here->enc, &from));
	TEST_EQ(t, ockam_channel_set_reach(here, OCKAM_REACH_LOCAL,
					   from.flow_id, 1, NULL), -ESHUTDOWN);
	TEST_EQ(t, ockam_endpoint_set_reach_ids(&here->enc, from.flow_id, 1), 0);
	TEST_TRUE(t, ockam_endpoint_reachable(&here->enc, &from));
}

/* A packet that did not come by the decryptor's address, and fills the queue. */
static void test_late_packet(struct kunit *t)
{
	struct ockam_dispatch d;
	struct sk_buff *skb;

	ockam_gate_charge(&here->rx.gate, OCKAM_CHANNEL_QUEUE_BYTES);
	skb = ockam_message_alloc(on, 0, 100, false, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t, skb);
	memset(skb->data, 0, skb->len);
	/* The death has come as far as it can while the packet is put down. */
	ockam_endpoint_remove(&here->dec);
	TEST_EQ(t, refcount_read(&here->dec.refs), 1);
	refcount_set(&here->dec.refs, 0);
	ockam_dispatch_init(&d);
	TEST_EQ(t, ockam_channel_receive(here, skb, &d), 0);
	TEST_TRUE(t, !d.gate);
	ockam_dispatch_fini(&d);
	refcount_set(&here->dec.refs, 1);
	test_settle();
	ockam_gate_uncharge(&here->rx.gate, OCKAM_CHANNEL_QUEUE_BYTES);
}

static struct kunit_case test_channel_cases[] = {
	KUNIT_CASE(test_last_nonces),
	KUNIT_CASE(test_last_close),
	KUNIT_CASE(test_no_close),
	KUNIT_CASE(test_last_two_senders),
	KUNIT_CASE(test_last_received),
	KUNIT_CASE(test_rekey_first),
	KUNIT_CASE(test_rekey_last),
	KUNIT_CASE(test_rekey_two_senders),
	KUNIT_CASE(test_seal_fails),
	KUNIT_CASE(test_seal_fails_before_another),
	KUNIT_CASE(test_seal_fails_behind_another),
	KUNIT_CASE(test_seal_fails_close),
	KUNIT_CASE(test_nothing_prepared),
	KUNIT_CASE(test_order),
	KUNIT_CASE(test_order_close),
	KUNIT_CASE(test_stopped),
	KUNIT_CASE(test_open_fails),
	KUNIT_CASE(test_crowd_closed),
	KUNIT_CASE(test_crowd_failed),
	KUNIT_CASE(test_looking),
	KUNIT_CASE(test_flow_ids),
	KUNIT_CASE(test_late_packet),
	{}
};

static int test_channel_init(struct kunit *t)
{
	deaths = 0;
	memset(&test_cipher, 0, sizeof(test_cipher));
	wire = test_sink_make(t, on, "wire");
	there = test_sink_make(t, on, "there");
	here = test_channel_make(t, OCKAM_ROLE_INITIATOR, test_key,
				 test_other_key);
	peer = test_channel_make(t, OCKAM_ROLE_RESPONDER, test_other_key,
				 test_key);
	return 0;
}

/* Every message that there was has been freed. */
static void test_channel_exit(struct kunit *t)
{
	memset(&test_cipher, 0, sizeof(test_cipher));
	ockam_channel_kill(here, 0, "end of the test", false);
	ockam_channel_kill(peer, 0, "end of the test", false);
	test_settle();
	ockam_channel_put(here);
	ockam_channel_put(peer);
	/* What is left in a message there is what filters take for a device. */
	TEST_TRUE(t, !wire->device && !there->device);
	test_sink_end(wire);
	test_sink_end(there);
	ockam_endpoint_flush();
	TEST_EQ(t, on->memory.used, 0);
	TEST_EQ(t, on->n_addresses, 0);
}

static int test_channel_init_suite(struct kunit_suite *suite)
{
	int err;

	ockam_message_init_module();
	err = ockam_endpoint_init_module();
	if (err)
		return err;
	err = ockam_aead_init();
	if (err)
		goto err_endpoint;
	err = ockam_channel_init();
	if (err)
		goto err_aead;
	err = ockam_netns_init();
	if (err)
		goto err_channel;
	on = ockam_netns_from(&init_net);
	return 0;

err_channel:
	ockam_channel_exit();
err_aead:
	ockam_aead_exit();
err_endpoint:
	ockam_endpoint_exit_module();
	return err;
}

static void test_channel_exit_suite(struct kunit_suite *suite)
{
	ockam_netns_exit();
	ockam_channel_exit();
	ockam_aead_exit();
	ockam_endpoint_exit_module();
	ockam_message_exit_module();
}

static struct kunit_suite test_channel_suite = {
	.name = "ockam_channel",
	.test_cases = test_channel_cases,
	.init = test_channel_init,
	.exit = test_channel_exit,
	.suite_init = test_channel_init_suite,
	.suite_exit = test_channel_exit_suite,
};

kunit_test_suites(&test_channel_suite);
