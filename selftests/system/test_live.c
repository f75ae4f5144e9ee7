// SPDX-License-Identifier: Apache-2.0
/*
 * Channels whose peer is silent, and channels without a way to it.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "exchange.h"

#define PERIOD 150	/* milliseconds of silence that are too many */

/* ---- helpers ---- */

static int set_liveness(const char *channel, uint32_t ms, bool strict)
{
	static struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, channel, strlen(channel));
	nlh_put_u32(&m, OCKAM_A_LIVENESS_MS, ms);
	if (strict)
		nlh_put_flag(&m, OCKAM_A_LIVENESS_STRICT);
	return nlh_call(&node, &m, NULL);
}

static bool liveness_is(const struct nlh_msg *m, uint32_t ms, bool strict)
{
	return nlh_attr(m, OCKAM_A_LIVENESS_MS, NULL) &&
	       nlh_attr_u32(m, OCKAM_A_LIVENESS_MS) == ms &&
	       !!nlh_attr(m, OCKAM_A_LIVENESS_STRICT, NULL) == strict;
}

static int set_route(const char *channel, const char *first, const char *second)
{
	static struct nlh_msg m;
	uint8_t route[600];

	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, channel, strlen(channel));
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, first, second, NULL));
	return nlh_call(&node, &m, NULL);
}

static uint32_t flags(const struct ch_channel *c)
{
	static struct nlh_msg m;

	return ch_get(&node, c->encryptor, &m) ? 0 : nlh_attr_u32(&m, OCKAM_A_FLAGS);
}

static bool wait_flag(const struct ch_channel *c, uint32_t flag, bool set)
{
	long long end = nlh_now() + CH_SOON;

	while (!(flags(c) & flag) == set) {
		if (nlh_now() > end)
			return false;
		usleep(2000);
	}
	return true;
}

static bool open_channel(struct ch_channel *c, struct lh_link *l)
{
	drain_worker();
	return ok(ch_open_responder(&worker, &node, l, c, key_tx, key_rx), "a channel");
}

/* The next packet at the peer asks its echo. */
static bool read_question(struct ch_channel *c)
{
	struct ockam_plaintext p;
	struct lh_message f;

	return ch_peer_read(c, &f, &p) && p.kind == OCKAM_MESSAGE_PAYLOAD &&
	       ch_route_is(&p.onward, "echo") && ch_route_is(&p.back, c->decryptor) &&
	       p.body.len == 1 && !p.body.data[0] && !f.n_ret;
}

static bool answer(struct ch_channel *c)
{
	return ch_peer_say(c, c->decryptor, "peer-enc", "", 1);
}

static bool is_there(const struct ch_channel *c)
{
	static struct nlh_msg m;

	return !ch_get(&node, c->encryptor, &m);
}

/* It has ended since its peer did not answer. */
static void check_silent(struct ch_channel *c, const char *what)
{
	static struct nlh_msg ev;
	struct ockam_plaintext p = {};
	struct lh_message f;
	int err;

	err = nlh_wait_event(&events, OCKAM_EVENT_CHANNEL_DEL, c->encryptor, &ev, CH_SOON);
	ok(!err && ch_errno(&ev) == -ETIMEDOUT, "%s: the channel ends (%d)", what,
	   err ? err : ch_errno(&ev));
	while (ch_peer_read(c, &f, &p) && p.kind != OCKAM_MESSAGE_CLOSE)
		;
	ok(p.kind == OCKAM_MESSAGE_CLOSE, "%s: and the peer is told", what);
}

/* ---- setting and showing ---- */

static void test_options(void)
{
	static struct nlh_msg m, reply;
	struct ch_channel c;

	if (!open_channel(&c, &link_a))
		return;
	ok(!ch_get(&node, c.encryptor, &m) && liveness_is(&m, 0, false), "off by default");
	ok(!set_liveness(c.encryptor, 30000, true) && !ch_get(&node, c.encryptor, &m) &&
	   liveness_is(&m, 30000, true), "strict, 30 s");
	ok(!set_liveness(c.encryptor, 100, false) && !ch_get(&node, c.encryptor, &m) &&
	   liveness_is(&m, 100, false), "the least");
	ok(set_liveness(c.encryptor, 99, false) == -EINVAL && node.why[0], "too little: %s",
	   node.why);
	ok(set_liveness(c.encryptor, 0, true) == -EINVAL && node.why[0],
	   "strict without time: %s", node.why);
	ok(!set_liveness(c.encryptor, 0, false), "off again");
	end_channel(&c);

	nlh_begin(&m, OCKAM_CMD_LISTENER_NEW);
	nlh_put(&m, OCKAM_A_ADDRESS, "careful", 7);
	nlh_put_u32(&m, OCKAM_A_LIVENESS_MS, 5000);
	ok(!nlh_call(&node, &m, NULL), "a listener that is careful");
	nlh_begin(&m, OCKAM_CMD_LISTENER_GET);
	nlh_put(&m, OCKAM_A_ADDRESS, "careful", 7);
	ok(!nlh_call(&node, &m, &reply) && liveness_is(&reply, 5000, false), "it shows that");
	nlh_begin(&m, OCKAM_CMD_LISTENER_SET);
	nlh_put(&m, OCKAM_A_ADDRESS, "api", 3);
	nlh_put_u32(&m, OCKAM_A_LIVENESS_MS, 4000);
	nlh_put_flag(&m, OCKAM_A_LIVENESS_STRICT);
	ok(!nlh_call(&node, &m, NULL), "the other one changes");
	if (!open_channel(&c, &link_a))
		return;
	ok(!ch_get(&node, c.encryptor, &m) && liveness_is(&m, 4000, true),
	   "its next channel is like that");
	end_channel(&c);
	nlh_begin(&m, OCKAM_CMD_LISTENER_SET);
	nlh_put(&m, OCKAM_A_ADDRESS, "api", 3);
	nlh_put_u32(&m, OCKAM_A_LIVENESS_MS, 0);
	ok(!nlh_call(&node, &m, NULL), "and off again");
}

/* ---- silence ---- */

static void test_never_answers(void)
{
	long long before = count("channel_probes");
	struct ch_channel c;

	if (!open_channel(&c, &link_a) || set_liveness(c.encryptor, PERIOD, false))
		return;
	ok(read_question(&c) && read_question(&c) && read_question(&c), "a silent peer is asked");
	usleep(6 * PERIOD * 1000);
	ok(count("channel_probes") == before + 3 && is_there(&c),
	   "one that never answered three times, and the channel stays");
	ok(ch_peer_say(&c, "nobody", "peer-enc", "x", 1) && read_question(&c),
	   "it is asked again after it has said something");
	set_liveness(c.encryptor, 0, false);
	end_channel(&c);
}

static void test_answers(void)
{
	long long silent = count("channels_silent");
	struct ch_channel c;
	bool good = true;

	/* Time enough to answer on a machine that does other things as well. */
	if (!open_channel(&c, &link_a) || set_liveness(c.encryptor, 10 * PERIOD, false))
		return;
	for (int i = 0; i < 4; i++)
		good &= read_question(&c) && answer(&c);
	ok(good && is_there(&c) && count("channels_silent") == silent,
	   "a peer that answers lives on");
	ok(flags(&c) & OCKAM_FLAG_CONFIRMED, "and is confirmed by that");
	forget_events();
	set_liveness(c.encryptor, PERIOD, false);
	check_silent(&c, "then it does not");
	check_count("channels_silent", silent + 1, "silent peer");
	ok(ch_wait_gone(&node, c.decryptor, CH_SOON), "nothing is left");
}

static void test_strict(void)
{
	struct ch_channel c;

	if (!open_channel(&c, &link_a))
		return;
	forget_events();
	ok(!set_liveness(c.encryptor, PERIOD, true), "strict");
	check_silent(&c, "a peer that never answered");
}

/* Whatever opens is life, and what does not is none. */
static void test_signs(void)
{
	long long before = count("channel_probes");
	struct ch_channel c;
	uint8_t junk[64] = { 0 };
	long long end;

	if (!open_channel(&c, &link_a) || set_liveness(c.encryptor, 20 * PERIOD, true))
		return;
	for (end = nlh_now() + 8000; nlh_now() < end;) {
		ch_peer_say(&c, "nobody", "peer-enc", "x", 1);
		usleep(50000);
	}
	ok(count("channel_probes") == before && is_there(&c), "a peer that speaks is not asked");
	forget_events();
	set_liveness(c.encryptor, PERIOD, true);
	while (is_there(&c)) {
		junk[7]++;
		ch_packet(&link_a, c.decryptor, junk, sizeof(junk));
		usleep(20000);
	}
	check_silent(&c, "packets of others");
}

/* What we do not take in is not the peer's fault. */
static void test_back_pressure(void)
{
	struct nlh_link_options o = { .has_reach = true, .reach = OCKAM_REACH_ALL };
	static uint8_t large[60000];
	struct ch_channel c, through, above;
	struct lh_link full;
	long long before;

	/* Of all links; the others are read. */
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 1);
	lh_open(&full, &node, LH_UNIX, &o);
	if (!open_channel(&c, &link_a) || !open_channel(&through, &link_a) ||
	    !open_channel(&above, &link_a))
		return;
	ok(!set_route(through.encryptor, c.encryptor, CH_PEER_DR) &&
	   !set_route(above.encryptor, through.encryptor, CH_PEER_DR), "three in each other");
	for (int i = 0; i < 20 && !(flags(&c) & OCKAM_FLAG_PAUSED); i++) {
		ch_peer_say(&c, full.name, NULL, large, sizeof(large));
		usleep(20000);
	}
	ok(wait_flag(&c, OCKAM_FLAG_PAUSED, true), "a channel that waits for a full queue");
	before = count("channel_probes");
	set_liveness(c.encryptor, PERIOD, true);
	set_liveness(above.encryptor, PERIOD, true);
	usleep(6 * PERIOD * 1000);
	ok(is_there(&c) && is_there(&above) && count("channel_probes") == before,
	   "is not taken for dead, nor is what comes through it at second hand");
	set_liveness(above.encryptor, 0, false);
	lh_close(&full);
	nlh_set_limit(&node, OCKAM_LIMIT_LINK_QUEUE_BYTES, 4 << 20);
	ok(read_question(&c), "afterwards its peer is asked");
	set_liveness(c.encryptor, 0, false);
	ch_del(&node, above.encryptor);
	ch_del(&node, through.encryptor);
	end_channel(&c);
}

/* ---- no way to the peer ---- */

static void test_no_route(void)
{
	long long probes, drops = count("drop_channel_no_route");
	struct ockam_plaintext p;
	struct lh_link first, second;
	struct ch_channel c;
	struct lh_message f;
	int fd = node_socket("sender");

	lh_open(&first, &node, LH_UNIX, NULL);
	lh_open(&second, &node, LH_UNIX, NULL);
	if (!open_channel(&c, &first))
		return;
	ok(!(flags(&c) & OCKAM_FLAG_NO_ROUTE), "there is a route");
	lh_close(&first);
	ok(wait_flag(&c, OCKAM_FLAG_NO_ROUTE, true), "its link ends: the channel says so");
	probes = count("channel_probes");
	set_liveness(c.encryptor, PERIOD, true);
	for (int i = 0; i < 100; i++)
		sock_send(fd, NAME(c.encryptor, "x"), "lost", 4);
	ok(sock_send(fd, NAME(c.encryptor, "x"), "lost", 4) == EHOSTUNREACH,
	   "who sends through it is told");
	check_count("drop_channel_no_route", drops + 101, "each");
	usleep(6 * PERIOD * 1000);
	ok(is_there(&c) && count("channel_probes") == probes, "nobody is asked");
	set_liveness(c.encryptor, 0, false);

	ok(set_route(c.encryptor, "nobody", CH_PEER_DR) == -EHOSTUNREACH && node.why[0],
	   "no route to nowhere: %s", node.why);
	ok(flags(&c) & OCKAM_FLAG_NO_ROUTE, "nothing has changed");
	ok(!set_route(c.encryptor, second.name, CH_PEER_DR), "another route: %s", node.why);
	ok(!(flags(&c) & OCKAM_FLAG_NO_ROUTE), "there is a way again");
	c.link = &second;
	ok(!sock_send(fd, NAME(c.encryptor, "x"), "found", 5) && ch_peer_read(&c, &f, &p) &&
	   p.body.len == 5 && c.open.highest == 0, "the peer opens the next packet, nothing is missing");

	ok(ch_peer_say(&c, "sender", "peer-enc", "y", 1), "the peer answers");
	lh_close(&second);
	ok(wait_flag(&c, OCKAM_FLAG_NO_ROUTE, true), "that link ends too");
	ch_del(&node, c.encryptor);
	ok(ch_wait_gone(&node, c.decryptor, CH_SOON), "the channel can be deleted");
	close(fd);
}

/* A channel through a channel: both lose their way and find it. */
static void test_nested(void)
{
	struct lh_link first, second;
	struct ch_channel outer, inner;
	int fd = node_socket("nested");

	lh_open(&first, &node, LH_UNIX, NULL);
	lh_open(&second, &node, LH_UNIX, NULL);
	if (!open_channel(&outer, &first) || !open_channel(&inner, &second))
		return;
	ok(!set_route(inner.encryptor, outer.encryptor, CH_PEER_DR), "one leads through the other");
	lh_close(&first);
	ok(wait_flag(&outer, OCKAM_FLAG_NO_ROUTE, true) &&
	   wait_flag(&inner, OCKAM_FLAG_NO_ROUTE, true), "both lose their way");
	ok(sock_send(fd, NAME(inner.encryptor, "x"), "x", 1) == EHOSTUNREACH, "a sender is told");
	ok(!set_route(outer.encryptor, second.name, CH_PEER_DR) &&
	   !(flags(&inner) & OCKAM_FLAG_NO_ROUTE), "both have one again");
	ok(!sock_send(fd, NAME(inner.encryptor, "x"), "x", 1), "and take messages");
	ch_del(&node, outer.encryptor);
	ok(wait_flag(&inner, OCKAM_FLAG_NO_ROUTE, true), "the outer one ends");
	ch_del(&node, inner.encryptor);
	ok(ch_wait_gone(&node, inner.decryptor, CH_SOON), "the inner one as well");
	lh_close(&second);
	close(fd);
}

/* A packet of the peer of @c to nobody; @packet has room for 256 bytes. */
static size_t seal_packet(struct ch_channel *c, uint8_t *packet)
{
	struct ockam_route onward = {}, ret = {};
	struct ockam_buf plain = {};
	struct ockam_err err;
	size_t len;

	ockam_route_append_text(&onward, "nobody", &err);
	ockam_plaintext_payload(&onward, &ret, "x", 1, &plain);
	ockam_packet_seal(&c->seal, plain.data, plain.len, packet, &err);
	len = plain.len + OCKAM_PACKET_OVERHEAD;
	ockam_buf_free(&plain);
	return len;
}

static int socket_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static bool wait_error(int fd, int error)
{
	long long end = nlh_now() + CH_SOON;
	int err;

	while (!(err = socket_error(fd)) && nlh_now() < end)
		usleep(2000);
	return err == error;
}

/*
 * Two channels that lead through each other, and nowhere else: their peer can
 * make them. Who watches them is told once that there is no way.
 */
static void test_ring(void)
{
	struct lh_link first, second;
	struct ch_channel a, b;
	uint8_t packet[256];
	long long updates;
	int fd;

	lh_open(&first, &node, LH_UNIX, NULL);
	lh_open(&second, &node, LH_UNIX, NULL);
	if (!open_channel(&a, &first))
		return;
	drain_worker();
	ok(ch_open_initiator(&worker, &node, &req, &second, &b, key_tx, key_rx) &&
	   ch_peer_say(&b, "nobody", NULL, "x", 1) && wait_flag(&b, OCKAM_FLAG_CONFIRMED, true) &&
	   ch_peer_say(&a, "nobody", NULL, "x", 1) && wait_flag(&a, OCKAM_FLAG_CONFIRMED, true),
	   "one to each side");
	ok(!set_route(b.encryptor, a.encryptor, CH_PEER_DR), "one leads through the other");
	fd = node_socket("ring");
	sock_connect(fd, NAME(b.encryptor, "x"));
	lh_close(&first);
	ok(wait_error(fd, EHOSTUNREACH), "both lose their way");
	ok(!set_route(a.encryptor, second.name, CH_PEER_DR), "the other one finds another");
	/* Nobody looked at the first one since. */
	updates = count("channel_route_updates");
	ok(ch_peer_say(&b, a.decryptor, "peer-enc", packet, seal_packet(&a, packet)),
	   "its peer sends through the first one");
	check_count("channel_route_updates", updates + 1, "a ring");
	usleep(200000);
	socket_error(fd);
	usleep(200000);
	ok(!socket_error(fd), "nobody is told without end");
	ok(!set_route(a.encryptor, second.name, CH_PEER_DR) &&
	   !(flags(&a) & OCKAM_FLAG_NO_ROUTE) && !(flags(&b) & OCKAM_FLAG_NO_ROUTE),
	   "out of the ring there is a way");
	ch_del(&node, b.encryptor);
	ch_del(&node, a.encryptor);
	ok(ch_wait_gone(&node, a.decryptor, CH_SOON), "both end");
	lh_close(&second);
	close(fd);
}

/* Who is given no other way ends; who was, in time, does not. */
static void test_orphan(void)
{
	long long ended = count("channels_stranded");
	struct ch_channel moved, left;
	static struct nlh_msg ev;
	struct lh_link a, b;

	drain_worker();
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_STRANDED_MS, 3000), "three seconds without a way");
	lh_open(&a, &node, LH_UNIX, NULL);
	lh_open(&b, &node, LH_UNIX, NULL);
	ok(ch_open_responder(&worker, &node, &a, &moved, key_tx, key_rx), "a channel");
	lh_close(&a);
	ok(wait_flag(&moved, OCKAM_FLAG_NO_ROUTE, true) &&
	   !set_route(moved.encryptor, link_a.name, CH_PEER_DR),
	   "its link ends, and it is moved to another");
	drain_worker();
	ok(ch_open_responder(&worker, &node, &b, &left, key_tx, key_rx), "another channel");
	forget_events();
	lh_close(&b);
	ok(wait_flag(&left, OCKAM_FLAG_NO_ROUTE, true), "its link ends");
	ok(!nlh_wait_event(&events, OCKAM_EVENT_CHANNEL_DEL, left.encryptor, &ev, CH_SOON) &&
	   ch_errno(&ev) == -EHOSTUNREACH && nlh_attr(&ev, OCKAM_A_REASON, NULL),
	   "it ends later, with errno and reason");
	check_count("channels_stranded", ended + 1, "no way");
	ok(!ch_get(&node, moved.encryptor, &ev), "the first one is there, long after its time");
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_STRANDED_MS, 30000), "as before");
	ch_del(&node, moved.encryptor);
}

int main(void)
{
	open_node();
	worker_again();
	test_options();
	test_never_answers();
	test_answers();
	test_strict();
	test_signs();
	test_back_pressure();
	test_no_route();
	test_nested();
	test_ring();
	test_orphan();
	close_node();
	return tap_done();
}
