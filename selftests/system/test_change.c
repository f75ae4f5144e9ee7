// SPDX-License-Identifier: Apache-2.0
/*
 * What is changed while it is used: the data of a listener, the credentials of
 * a channel.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <pthread.h>
#include <stdatomic.h>

#include "exchange.h"

static bool opaque_is(const struct nlh_msg *m, const char *want)
{
	size_t len;
	const void *p = nlh_attr(m, OCKAM_A_OPAQUE, &len);

	return p && len == strlen(want) && !memcmp(p, want, len);
}

/* The data that the exchange @id is fetched with. */
static bool fetch_is(uint64_t id, const char *want)
{
	static struct nlh_msg m;

	return id && !ch_fetch(&worker, id, &m) && opaque_is(&m, want);
}

static void fail_exchange(uint64_t id)
{
	const struct ch_done done = { .error = -ECANCELED, .reason = "the test is over" };

	ch_done(&worker, id, &done);
}

/* ---- LISTENER_SET ---- */

static void test_listener(void)
{
	uint64_t before, after;

	before = first_message();
	ok(fetch_is(before, "opaque"), "a handshake begins with the first data");
	ok(!ch_listener_set(&node, "api", "other", false), "the data is replaced: %s", node.why);
	after = first_message();
	ok(fetch_is(after, "other"), "a new handshake begins with the new data");
	ok(fetch_is(before, "opaque"), "one that had begun keeps its own");
	ok(!ch_listener_set(&node, "api", "", false), "empty data");
	fail_exchange(after);
	after = first_message();
	ok(fetch_is(after, ""), "is data as well");
	ok(fetch_is(before, "opaque"), "and the first one still keeps its own");
	fail_exchange(after);
	fail_exchange(before);
}

static void test_listener_abort(void)
{
	struct ch_channel c = { .link = &link_a }, open = { .link = &link_a };
	uint64_t id;

	ok(ch_open_responder(&worker, &node, &link_a, &open, key_tx, key_rx),
	   "a channel of the listener");
	id = ch_respond(&worker, &link_a, &c);
	ok(id, "a handshake waits for its keys");
	forget_events();
	ok(!ch_listener_set(&node, "api", "strict", true), "the data is replaced, with abort");
	check_fail(c.decryptor, -ECONNABORTED, "abort");
	ok(ch_done(&worker, id, &keys) == -ENOENT, "its keys come too late");
	drain_worker();
	ok(ch_wait_gone(&node, c.decryptor, CH_SOON), "no channel comes of it");
	id = first_message();
	ok(fetch_is(id, "strict"), "a new handshake begins with the new data");
	ok(!ch_listener_set(&node, "api", NULL, true), "abort alone");
	ok(!fetch_is(id, "strict"), "ends that one as well");
	drain_worker();
	id = first_message();
	ok(fetch_is(id, "strict"), "the data stays");
	fail_exchange(id);
	end_channel(&open);
}

static void test_listener_refused(void)
{
	ok(ch_listener_set(&node, "nobody", "x", false) == -ENOENT && node.why[0],
	   "an unknown listener: %s", node.why);
	ok(ch_listener_set(&node, link_a.name, "x", false) == -ENOENT && node.why[0],
	   "a link is none: %s", node.why);
	ok(ch_listener_set(&node, "api", NULL, false) == -EINVAL && node.why[0],
	   "nothing to change: %s", node.why);
	ok(ch_listener_set(&req, "api", "x", false) == 0, "another socket of an admin may");
}

/* ---- CHANNEL_SET with attributes and expiry ---- */

/* @attributes NULL, @expiry -1: unchanged. */
static int set_credentials(struct nlh *h, const struct ch_channel *c,
			   const void *attributes, size_t len, long long expiry)
{
	struct nlh_msg *m = malloc(sizeof(*m));
	int err;

	nlh_begin(m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(m, OCKAM_A_ENCRYPTOR, c->encryptor, strlen(c->encryptor));
	if (attributes)
		nlh_put(m, OCKAM_A_ATTRIBUTES, attributes, len);
	if (expiry >= 0)
		nlh_put_u64(m, OCKAM_A_EXPIRY, expiry);
	err = nlh_call(h, m, NULL);
	free(m);
	return err;
}

static bool credentials_are(const struct ch_channel *c, const char *attributes,
			    uint64_t expiry)
{
	static struct nlh_msg m;
	const void *p;
	size_t len;

	if (ch_get(&node, c->encryptor, &m) ||
	    nlh_attr_u64(&m, OCKAM_A_EXPIRY) != expiry)
		return false;
	p = nlh_attr(&m, OCKAM_A_ATTRIBUTES, &len);
	if (!attributes)
		return !p;
	return p && len == strlen(attributes) && !memcmp(p, attributes, len);
}

static void test_credentials(struct ch_channel *c)
{
	uint64_t later = time(NULL) + 100000;

	ok(credentials_are(c, NULL, 0), "a channel without credentials");
	ok(!set_credentials(&node, c, "red", 3, later) && credentials_are(c, "red", later),
	   "attributes and expiry come together: %s", node.why);
	ok(!set_credentials(&node, c, "blue", 4, -1) && credentials_are(c, "blue", later),
	   "attributes alone leave the expiry");
	ok(!set_credentials(&node, c, NULL, 0, later + 1) && credentials_are(c, "blue", later + 1),
	   "an expiry alone leaves the attributes");
	ok(!set_credentials(&node, c, "", 0, 0) && credentials_are(c, NULL, 0),
	   "empty ones are none");
}

static void test_credentials_refused(struct ch_channel *c)
{
	static uint8_t large[OCKAM_ATTRIBUTES_MAX + 1];
	static struct nlh_msg m;
	uint8_t route[64];

	set_credentials(&node, c, "kept", 4, 0);
	ok(set_credentials(&node, c, large, sizeof(large), 5) == -ERANGE && node.why[0] &&
	   credentials_are(c, "kept", 0), "too long ones change nothing: %s", node.why);
	ok(!set_credentials(&node, c, large, sizeof(large) - 1, -1), "the largest ones");
	set_credentials(&node, c, "kept", 4, 0);
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, c->encryptor, strlen(c->encryptor));
	nlh_put(&m, OCKAM_A_ATTRIBUTES, "other", 5);
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, "x", NULL));
	ok(nlh_call(&node, &m, NULL) == -EINVAL && node.why[0] && credentials_are(c, "kept", 0),
	   "together with a route: %s", node.why);
}

static atomic_bool stop;

/* Attributes "first" go with expiry 4000000001, "second" with 4000000002. */
static void *change_channel(void *arg)
{
	struct ch_channel *c = arg;
	struct nlh h;
	int i;

	if (nlh_open_in(&h, &node))
		return NULL;
	for (i = 0; !stop; i++)
		set_credentials(&h, c, i & 1 ? "first" : "second", i & 1 ? 5 : 6,
				4000000001LL + !(i & 1));
	nlh_close(&h);
	return NULL;
}

static void test_credentials_race(struct ch_channel *c)
{
	int whole = 0, i;
	pthread_t thread;

	stop = false;
	set_credentials(&node, c, "first", 5, 4000000001LL);
	pthread_create(&thread, NULL, change_channel, c);
	for (i = 0; i < 500; i++) {
		static struct nlh_msg m;
		const char *p;
		size_t len;

		if (ch_get(&node, c->encryptor, &m))
			break;
		p = nlh_attr(&m, OCKAM_A_ATTRIBUTES, &len);
		whole += p && len == (nlh_attr_u64(&m, OCKAM_A_EXPIRY) == 4000000001ULL ? 5 : 6);
	}
	stop = true;
	pthread_join(thread, NULL);
	ok(whole == 500, "%d of 500 looks saw attributes with their expiry", whole);
}

static void test_channel(void)
{
	struct ch_channel c = { .link = &link_a };

	drain_worker();
	ok(ch_open_responder(&worker, &node, &link_a, &c, key_tx, key_rx), "a channel");
	test_credentials(&c);
	test_credentials_refused(&c);
	test_credentials_race(&c);
	ok(!set_credentials(&node, &c, "late", 4, 1) && ch_wait_gone(&node, c.decryptor, CH_SOON),
	   "a time that has passed ends the channel");
	ok(set_credentials(&node, &c, "late", 4, 0) == -ENOENT, "that is gone then");
}


/* Two kinds of data in turn, now and then with abort. */
static void *change_listener(void *arg)
{
	struct nlh h;
	int i;

	(void)arg;
	if (nlh_open_in(&h, &node))
		return NULL;
	for (i = 0; !stop; i++)
		ch_listener_set(&h, "api", i & 1 ? "first" : "second", i % 7 == 0);
	nlh_close(&h);
	return NULL;
}

/* Exchanges see the one or the other, whole. */
static void test_listener_race(void)
{
	static struct nlh_msg m;
	int whole = 0, seen = 0, i;
	pthread_t thread;
	uint64_t id;

	stop = false;
	ch_listener_set(&node, "api", "first", false);
	pthread_create(&thread, NULL, change_listener, NULL);
	for (i = 0; i < 300; i++) {
		ch_write(&link_a, "api", "msg1", 4);
		id = ch_worker_ready(&worker, CH_SOON);
		if (!id || ch_fetch(&worker, id, &m))
			continue;
		seen++;
		whole += opaque_is(&m, "first") || opaque_is(&m, "second");
		fail_exchange(id);
	}
	stop = true;
	pthread_join(thread, NULL);
	ok(seen && whole == seen, "%d of %d exchanges saw one whole data", whole, seen);
}

int main(void)
{
	open_node();
	worker_again();
	test_listener();
	test_listener_abort();
	test_listener_refused();
	test_listener_race();
	test_channel();
	close_node();
	return tap_done();
}
