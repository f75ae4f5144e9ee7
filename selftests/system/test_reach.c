// SPDX-License-Identifier: Apache-2.0
/*
 * Who may send to an address: a mask that is not given is the default, a mask
 * of 0 is nobody but the flow ids that are given with it. And while it is
 * changed nobody is refused who was and is allowed.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <pthread.h>
#include <stdatomic.h>

#include "exchange.h"

static const uint8_t some_id[OCKAM_FLOW_ID_LEN] = "sixteen bytes...";

/* What is given, and what an object has then that takes LOCAL by default. */
static const struct rule {
	const char *what;
	bool has_mask;
	uint32_t mask;
	bool has_id;
	uint32_t want;
} rules[] = {
	{ "nothing", false, 0, false, OCKAM_REACH_LOCAL },
	{ "only an id", false, 0, true, OCKAM_REACH_LOCAL },
	{ "0", true, 0, false, 0 },
	{ "0 and an id", true, 0, true, 0 },
	{ "local", true, OCKAM_REACH_LOCAL, false, OCKAM_REACH_LOCAL },
	{ "links and an id", true, OCKAM_REACH_LINKS, true, OCKAM_REACH_LINKS },
};

static void put_rule(struct nlh_msg *m, const struct rule *r)
{
	if (r->has_mask)
		nlh_put_u32(m, OCKAM_A_REACH, r->mask);
	if (r->has_id)
		nlh_put(m, OCKAM_A_REACH_IDS, some_id, sizeof(some_id));
}

/* @m describes @object. May a socket of the node send to @name, as that says? */
static void check_rule(const struct rule *r, uint32_t want, const struct nlh_msg *m,
		       const char *name, const char *object)
{
	int back = nlh_enter(&node);
	int fd = sock_new();
	const void *ids;
	size_t len = 0;
	int err;

	nlh_leave(back);
	ids = nlh_attr(m, OCKAM_A_REACH_IDS, &len);
	ok(nlh_attr(m, OCKAM_A_REACH, NULL) && nlh_attr_u32(m, OCKAM_A_REACH) == want,
	   "%s, %s: the mask is %u (%u)", object, r->what, want, nlh_attr_u32(m, OCKAM_A_REACH));
	ok(r->has_id ? ids && len == sizeof(some_id) && !memcmp(ids, some_id, len) : !ids,
	   "%s, %s: so are the ids", object, r->what);
	err = sock_send(fd, NAME(name, "x"), "x", 1);
	ok(err == (want & OCKAM_REACH_LOCAL ? 0 : EACCES), "%s, %s: a socket %s (%s)", object,
	   r->what, want & OCKAM_REACH_LOCAL ? "may send" : "may not send", strerror(err));
	close(fd);
}

/* A channel's encryptor, after its handshake. */
static void check_channel(const struct rule *r, struct ch_channel *c, const char *object)
{
	static struct nlh_msg m;
	const char *name = NULL;
	size_t len;

	if (!ch_get(&node, c->decryptor, &m))
		name = nlh_attr(&m, OCKAM_A_ENCRYPTOR, &len);
	if (!name) {
		ok(false, "%s, %s: there is a channel", object, r->what);
		return;
	}
	snprintf(c->encryptor, sizeof(c->encryptor), "%.*s", (int)len, name);
	check_rule(r, r->want, &m, c->encryptor, object);
}

static void test_initiator(const struct rule *r)
{
	static struct nlh_msg m;
	struct ch_channel c = {};
	uint8_t route[600];
	uint64_t id;

	nlh_begin(&m, OCKAM_CMD_CHANNEL_NEW);
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, link_a.name, "api", NULL));
	nlh_put_u32(&m, OCKAM_A_CONFIRM_MS, 60000);
	put_rule(&m, r);
	ok(!nlh_call(&req, &m, NULL), "initiator, %s", r->what);
	id = ch_initiate_requested(&worker, &link_a, &c);
	/* What the worker says of it does not count: it is the requester's. */
	ok(id && !ch_done(&worker, id, &keys), "initiator, %s: keys", r->what);
	start_peer(&c);
	check_channel(r, &c, "initiator");
	end_channel(&c);
}

static void test_responder(const struct rule *r)
{
	struct ch_done done = keys;
	struct ch_channel c;
	uint64_t id;

	done.reach = r->has_mask ? &r->mask : NULL;
	done.reach_id = r->has_id ? some_id : NULL;
	id = ch_respond(&worker, &link_a, &c);
	ok(id && !ch_done(&worker, id, &done), "responder, %s: keys", r->what);
	start_peer(&c);
	check_channel(r, &c, "responder");
	end_channel(&c);
}

/* Ids alone are refused here: they are replaced together with the mask. */
static void test_change(const struct rule *r)
{
	static struct nlh_msg m;
	struct ch_channel c;
	int err;

	ok(ch_open_responder(&worker, &node, &link_a, &c, key_tx, key_rx), "a channel");
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, c.encryptor, strlen(c.encryptor));
	put_rule(&m, r);
	err = nlh_call(&node, &m, NULL);
	ok(err == (r->has_mask ? 0 : -EINVAL), "CHANNEL_SET, %s: %d", r->what, err);
	if (r->has_mask)
		check_channel(r, &c, "CHANNEL_SET");
	end_channel(&c);
}

static void test_link(const struct rule *r)
{
	static struct nlh_msg m, reply;
	int32_t one;
	int fd[2];

	if (lh_connect(LH_UNIX, fd))
		return;
	one = fd[0];
	nlh_begin(&m, OCKAM_CMD_LINK_NEW);
	nlh_put(&m, OCKAM_A_FD, &one, sizeof(one));
	nlh_put_u8(&m, OCKAM_A_FRAMING, OCKAM_FRAMING_STREAM);
	nlh_put(&m, OCKAM_A_ADDRESS, "reached", 7);
	put_rule(&m, r);
	ok(!nlh_call(&node, &m, NULL), "a link, %s", r->what);
	nlh_begin(&m, OCKAM_CMD_LINK_GET);
	nlh_put(&m, OCKAM_A_ADDRESS, "reached", 7);
	nlh_call(&node, &m, &reply);
	check_rule(r, r->want, &reply, "reached", "link");
	close(fd[0]);
	close(fd[1]);
	nlh_link_wait_gone(&node, "reached", CH_SOON);
}

/* Nobody by default. */
static void test_listener(const struct rule *r)
{
	static struct nlh_msg m, reply;

	nlh_begin(&m, OCKAM_CMD_LISTENER_NEW);
	nlh_put(&m, OCKAM_A_ADDRESS, "reached", 7);
	put_rule(&m, r);
	ok(!nlh_call(&node, &m, NULL), "a listener, %s", r->what);
	nlh_begin(&m, OCKAM_CMD_LISTENER_GET);
	nlh_put(&m, OCKAM_A_ADDRESS, "reached", 7);
	nlh_call(&node, &m, &reply);
	check_rule(r, r->mask, &reply, "reached", "listener");
	nlh_begin(&m, OCKAM_CMD_LISTENER_DEL);
	nlh_put(&m, OCKAM_A_ADDRESS, "reached", 7);
	nlh_call(&node, &m, NULL);
	ch_wait_gone(&node, "reached", CH_SOON);
	drain_worker();
}

static void test_socket(void)
{
	int fd = node_socket("reached");
	int other = node_socket("reacher");
	int mask = 0;

	ok(!sock_send(other, NAME("reached"), "x", 1), "a socket takes from sockets");
	ok(!setsockopt(fd, SOL_OCKAM, OCKAM_REACH, &mask, sizeof(mask)) &&
	   sock_send(other, NAME("reached"), "x", 1) == EACCES, "and with 0 from nobody");
	close(fd);
	close(other);
}

/* ---- changed under way ---- */

static atomic_bool stop;
static struct nlh_link target;
static uint8_t source_id[OCKAM_FLOW_ID_LEN];

/* By the mask, by the id, by the mask: always allowed. */
static void *change(void *arg)
{
	struct nlh *h = arg;
	static struct nlh_msg m;
	bool by_id = false;

	while (!stop) {
		nlh_begin(&m, OCKAM_CMD_LINK_SET);
		nlh_put(&m, OCKAM_A_ADDRESS, target.name, strlen(target.name));
		nlh_put_u32(&m, OCKAM_A_REACH, by_id ? 0 : OCKAM_REACH_LINKS);
		nlh_put(&m, OCKAM_A_REACH_IDS, source_id, by_id ? sizeof(source_id) : 0);
		if (nlh_call(h, &m, NULL))
			return "refused";
		by_id = !by_id;
	}
	return NULL;
}

static void test_under_way(void)
{
	static const struct nlh_link_options from_links = {
		.has_reach = true, .reach = OCKAM_REACH_LINKS,
	};
	struct nlh_link source;
	struct lh_link to;
	struct nlh h;
	struct lh_message f;
	uint8_t frame[1024];
	size_t len;
	long long denied = count("drop_denied");
	pthread_t thread;
	void *result = "";
	int n = 0;

	lh_open(&to, &node, LH_UNIX, &from_links);
	ok(!nlh_link_get(&node, link_a.name, &source) && !nlh_link_get(&node, to.name, &target) &&
	   !nlh_open_in(&h, &node), "two links");
	memcpy(source_id, source.flow_id, sizeof(source_id));
	len = lh_frame(frame, to.name, "far", "x", 1);
	pthread_create(&thread, NULL, change, &h);
	for (long long end = nlh_now() + 2000; nlh_now() < end; n++) {
		if (!lh_write(link_a.raw, frame, len) ||
		    (count("drop_denied") == denied && !lh_read_frame(to.raw, &f)))
			break;
	}
	stop = true;
	pthread_join(thread, &result);
	ok(!result && count("drop_denied") == denied, "none of %d messages was refused", n);
	nlh_close(&h);
	lh_close(&to);
}

int main(void)
{
	open_node();
	worker_again();
	drain_worker();
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		test_initiator(&rules[i]);
		test_responder(&rules[i]);
		test_change(&rules[i]);
		test_link(&rules[i]);
		test_listener(&rules[i]);
	}
	test_socket();
	test_under_way();
	close_node();
	return tap_done();
}
