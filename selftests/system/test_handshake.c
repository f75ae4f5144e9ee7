// SPDX-License-Identifier: Apache-2.0
/*
 * Handshakes: what a worker may do and when, packets before the keys, quotas
 * and floods, deadlines, deaths of everybody at every step.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "exchange.h"

/* ---- without a worker ---- */

static void test_no_worker(void)
{
	long long before = count("drop_handshake_no_worker");
	uint32_t seq;

	ok(ch_request(&req, link_a.name, "api", 0, 0, &seq) == -ESRCH &&
	   req.why[0], "no worker: a channel fails at once: %s", req.why);
	ch_write(&link_a, "api", "msg1", 4);
	check_count("drop_handshake_no_worker", before + 1, "no worker");
}

/* ---- what the worker is told, and when it may do what ---- */

static void test_responder_states(void)
{
	struct ch_done done = keys;
	static struct nlh_msg m;
	struct ch_worker other;
	struct lh_message f;
	char dr[256];
	const void *p;
	uint64_t id;
	size_t len;
	int err;

	id = first_message();
	ok(id, "a first message makes an exchange");
	ok(ch_send(&worker, id, "msg2") == -EPROTO, "no answer before FETCH");
	ok(!ch_fetch(&worker, id, &m) &&
	   nlh_attr_u32(&m, OCKAM_A_MESSAGE_NUMBER) == 1 &&
	   *(uint8_t *)nlh_attr(&m, OCKAM_A_ROLE, NULL) == OCKAM_ROLE_RESPONDER,
	   "FETCH: responder, first message");
	p = nlh_attr(&m, OCKAM_A_MESSAGE, &len);
	ok(p && len == 4 && !memcmp(p, "msg1", 4), "its bytes");
	p = nlh_attr(&m, OCKAM_A_OPAQUE, &len);
	ok(p && len == 6 && !memcmp(p, "opaque", 6), "the listener's data");
	p = nlh_attr(&m, OCKAM_A_LISTENER, &len);
	ok(p && len == 3 && !memcmp(p, "api", 3), "the listener's name");
	ok(!ch_fetch(&worker, id, &m), "FETCH again is harmless");

	ok(ch_send(&worker, id + (1ULL << 32), "x") == -ENOENT &&
	   ch_fetch(&worker, 12345, &m) == -ENOENT, "unknown exchanges");
	nlh_open_in(&other.h, &node);
	other.n_ready = 0;
	err = ch_fetch(&other, id, &m);
	ok(err == -ENOENT || err == -EPERM, "another port: %d", err);
	err = ch_done(&other, id, &done);
	ok(err == -ENOENT || err == -EPERM, "DONE by another port: %d", err);
	nlh_close(&other.h);

	ok(!ch_send(&worker, id, "msg2") && lh_read_frame(link_a.raw, &f) &&
	   f.len == 4 && !memcmp(f.payload, "msg2", 4) && f.n_ret == 1,
	   "the answer goes out");
	snprintf(dr, sizeof(dr), "%s", f.ret[0]);
	ok(ch_send(&worker, id, "msg2") == -EPROTO, "once");
	forget_events();
	ok(ch_done(&worker, id, &done) == -EPROTO, "no keys before the third message");
	check_fail(dr, -EPROTO, "keys too early");
	ok(ch_fetch(&worker, id, &m) == -ENOENT, "the exchange is gone");
	ok(ch_wait_gone(&node, dr, CH_SOON), "and so is its address");
}

static void test_done(void)
{
	struct ch_done done = keys;
	struct ch_channel c;
	uint64_t id;

	id = ch_respond(&worker, &link_a, &c);
	forget_events();
	done.key_len = 31;
	ok(id && ch_done(&worker, id, &done) < 0, "keys of 31 bytes");
	done = keys;
	done.key_rx = NULL;
	ok(id && ch_done(&worker, id, &done) == -EINVAL, "one key only");
	/* Neither of them did anything. */
	done = (struct ch_done){ .error = -EKEYREJECTED, .reason = "no trust" };
	ok(id && !ch_done(&worker, id, &done), "the worker says no");
	check_fail(c.decryptor, -EKEYREJECTED, "refused");
	ok(ch_done(&worker, id, &done) == -ENOENT, "twice: no such exchange");

	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &keys), "keys");
	ok(ch_done(&worker, id, &keys) == -ENOENT, "keys again: no such exchange");
	end_channel(&c);
}

static void test_initiator_states(void)
{
	static struct nlh_msg m;
	struct lh_message f;
	struct ch_channel c;
	const void *p;
	uint64_t id;
	size_t len;

	memset(&c, 0, sizeof(c));
	c.link = &link_a;
	ok(!ch_request(&req, link_a.name, "api", 0, 0, &c.seq), "a channel is wanted");
	id = ch_worker_ready(&worker, CH_SOON);
	ok(id && !ch_fetch(&worker, id, &m) &&
	   nlh_attr_u32(&m, OCKAM_A_MESSAGE_NUMBER) == 0 &&
	   !nlh_attr(&m, OCKAM_A_MESSAGE, NULL) &&
	   *(uint8_t *)nlh_attr(&m, OCKAM_A_ROLE, NULL) == OCKAM_ROLE_INITIATOR,
	   "FETCH: initiator, no message yet");
	p = nlh_attr(&m, OCKAM_A_OPAQUE, &len);
	ok(p && len == 6 && !memcmp(p, "wanted", 6), "the requester's data");
	ok(!ch_send(&worker, id, "msg1") && lh_read_frame(link_a.raw, &f) &&
	   !strcmp(f.onward[0], "api"), "the first message");
	snprintf(c.decryptor, sizeof(c.decryptor), "%s", f.ret[0]);
	ok(ch_send(&worker, id, "msg3") == -EPROTO, "no third before the second");
	ok(ch_write(&link_a, c.decryptor, "msg2", 4) &&
	   ch_worker_ready(&worker, CH_SOON) == id, "READY for the second");
	ok(ch_send(&worker, id, "msg3") == -EPROTO, "not before FETCH");
	long long before = count("drop_handshake_state");

	ch_write(&link_a, c.decryptor, "msg2", 4);
	check_count("drop_handshake_state", before + 1, "the second message twice");
	ok(!ch_fetch(&worker, id, &m) &&
	   nlh_attr_u32(&m, OCKAM_A_MESSAGE_NUMBER) == 1, "FETCH: the second");
	forget_events();
	ok(ch_done(&worker, id, &keys) == -EPROTO, "no keys before the third is sent");
	check_fail(c.decryptor, -EPROTO, "too early");
	check_result(c.seq, -EPROTO, false, "too early");
}

static void test_sizes(void)
{
	static char big[OCKAM_HANDSHAKE_MAX + 2];
	long long before = count("drop_handshake_too_large");
	static struct nlh_msg m;
	struct lh_message f;
	size_t len;
	uint64_t id;

	memset(big, 'x', sizeof(big) - 1);
	ch_write(&link_a, "api", big, OCKAM_HANDSHAKE_MAX + 1);
	check_count("drop_handshake_too_large", before + 1, "32769 bytes");
	ch_write(&link_a, "api", big, OCKAM_HANDSHAKE_MAX);
	id = ch_worker_ready(&worker, CH_SOON);
	ok(id && !ch_fetch(&worker, id, &m) &&
	   nlh_attr(&m, OCKAM_A_MESSAGE, &len) && len == OCKAM_HANDSHAKE_MAX,
	   "32768 bytes");
	ok(ch_send(&worker, id, big) < 0, "an answer of 32769 bytes");
	big[OCKAM_HANDSHAKE_MAX] = 0;
	ok(!ch_send(&worker, id, big) && lh_read_frame(link_a.raw, &f) &&
	   f.len == OCKAM_HANDSHAKE_MAX, "of 32768 bytes");
	ch_done(&worker, id, &(struct ch_done){ .error = -ECANCELED });
}

/* ---- messages that are none of the handshake ---- */

/* All that was written to link_a before this has been delivered. */
static void link_is_read(void)
{
	long long before = count("drop_no_address");

	ch_write(&link_a, "nobody", "x", 1);
	check_count("drop_no_address", before + 1, "the link is read");
}

/* The exchange says READY, and FETCH gives @want as message @number. */
static bool fetches(uint64_t id, uint32_t number, const char *want)
{
	static struct nlh_msg m;
	const void *p;
	size_t len;

	if (number > 1 && ch_worker_ready(&worker, CH_SOON) != id)
		return false;
	if (ch_fetch(&worker, id, &m) ||
	    nlh_attr_u32(&m, OCKAM_A_MESSAGE_NUMBER) != number)
		return false;
	p = nlh_attr(&m, OCKAM_A_MESSAGE, &len);
	return p && len == strlen(want) && !memcmp(p, want, len);
}

static void test_skip(void)
{
	long long before = count("drop_handshake_stray");
	int fd = node_socket("skip");
	uint32_t got, mark = 77;
	struct ch_channel c;
	struct lh_message f;
	uint64_t id;

	ok(ch_skip(&worker, 12345) == -ENOENT, "an unknown exchange");
	id = first_message();
	ok(ch_skip(&worker, id) == -EPROTO, "nothing was fetched");
	ok(fetches(id, 1, "msg1") && ch_skip(&worker, id) == -EPROTO, "message 1 stays");
	ok(!ch_send(&worker, id, "msg2") && lh_read_frame(link_a.raw, &f) &&
	   ch_skip(&worker, id) == -EPROTO, "also when it was answered");
	memset(&c, 0, sizeof(c));
	c.link = &link_a;
	snprintf(c.decryptor, sizeof(c.decryptor), "%s", f.ret[0]);
	ch_write(&link_a, c.decryptor, "stray", 5);
	link_is_read();
	ok(ch_skip(&worker, id) == -EPROTO, "a third one is fetched before it is skipped");
	ok(fetches(id, 2, "stray") && !ch_skip(&worker, id), "a stray is skipped");
	check_count("drop_handshake_stray", before + 1, "and dropped");
	ok(ch_skip(&worker, id) == -EPROTO, "once");
	ok(fetches(id, 1, "msg1"), "FETCH gives what is there");
	ch_write(&link_a, c.decryptor, "msg3", 4);
	ok(fetches(id, 2, "msg3") && !ch_done(&worker, id, &keys), "the next is the third");
	start_peer(&c);
	ok(ch_peer_say(&c, "skip", NULL, &mark, 4) && receive(fd, &got, 4) == 4 && got == mark,
	   "the channel works");
	end_channel(&c);
	close(fd);

	ok((id = ch_initiate(&worker, &req, &link_a, &c, 0)) && ch_skip(&worker, id) == -EPROTO,
	   "an initiator skips nothing");
	ch_done(&worker, id, &(struct ch_done){ .error = -ECANCELED });
	check_result(c.seq, -ECANCELED, false, "its end");
}

/* What came behind a stray while the worker looked at it. */
static void test_skip_held(void)
{
	static char big[OCKAM_HANDSHAKE_MAX + 1];
	long long before = count("drop_handshake_stray");
	int fd = node_socket("skip");
	uint32_t got, mark = 78;
	struct ch_channel c;
	uint64_t id;

	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	ch_write(&link_a, c.decryptor, big, sizeof(big));
	ch_write(&link_a, c.decryptor, "third", 5);
	ch_peer_say(&c, "skip", NULL, &mark, 4);
	link_is_read();
	ok(id && !ch_skip(&worker, id) && fetches(id, 2, "third"), "the next in line, if it may be one");
	check_count("drop_handshake_stray", before + 2, "the two before it");
	ok(!ch_done(&worker, id, &keys) && receive(fd, &got, 4) == 4 && got == mark,
	   "packets behind it stay held");
	end_channel(&c);

	/* As many as are skipped at most; the hold queue is full, and drained. */
	before = count("drop_handshake_stray");
	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	for (int i = 1; i < 32; i++)
		ch_write(&link_a, c.decryptor, "stray", 5);
	ch_write(&link_a, c.decryptor, "third", 5);
	ch_peer_say(&c, "skip", NULL, &mark, 4);
	bool good = id && !ch_skip(&worker, id);

	for (int i = 1; i < 32; i++)
		good &= fetches(id, 2, "stray") && !ch_skip(&worker, id);
	ok(good && fetches(id, 2, "third"), "32 strays are skipped");
	check_count("drop_handshake_stray", before + 32, "and dropped");
	ok(ch_skip(&worker, id) == -ENOBUFS, "not one more");
	ok(!ch_done(&worker, id, &keys) && receive(fd, &got, 4) == 4 && got == mark,
	   "the right one still makes a channel");
	end_channel(&c);
	close(fd);
}

/* Strays win no time. */
static void test_skip_deadline(void)
{
	long long timeouts = count("handshakes_failed_timeout");
	static struct nlh_msg m;
	struct lh_message f;
	uint64_t id;

	ok(!ch_listener(&node, "brief", 500), "a listener with 500 ms");
	forget_events();
	ch_write(&link_a, "brief", "msg1", 4);
	id = ch_worker_ready(&worker, CH_SOON);
	ok(id && !ch_fetch(&worker, id, &m) && !ch_send(&worker, id, "msg2") &&
	   lh_read_frame(link_a.raw, &f), "an exchange of it");
	while (ch_write(&link_a, f.ret[0], "stray", 5) && ch_worker_ready(&worker, 100) &&
	       !ch_fetch(&worker, id, &m) && !ch_skip(&worker, id))
		usleep(20000);
	check_fail(NULL, -ETIMEDOUT, "strays until the end");
	check_count("handshakes_failed_timeout", timeouts + 1, "by its time");
	drain_worker();
}

/* ---- packets before the keys ---- */

static void test_hold(void)
{
	int fd = node_socket("hold");
	struct ch_channel c;
	uint32_t got, good = 0;
	uint64_t id;

	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	for (uint32_t i = 0; i < 20; i++)
		ch_peer_say(&c, "hold", NULL, &i, sizeof(i));
	ok(id && !ch_done(&worker, id, &keys), "keys after 20 packets");
	for (uint32_t i = 20; i < 40; i++)
		ch_peer_say(&c, "hold", NULL, &i, sizeof(i));
	for (uint32_t i = 0; i < 40; i++)
		good += receive(fd, &got, sizeof(got)) == 4 && got == i;
	ok(good == 40, "all come, in order");
	end_channel(&c);

	/* More than the queue holds: the link waits, nothing is lost. */
	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	for (uint32_t i = 0; i < 100; i++)
		ch_peer_say(&c, "hold", NULL, &i, sizeof(i));
	usleep(100000);
	ok(id && !ch_done(&worker, id, &keys), "keys after 100 packets");
	for (uint32_t i = good = 0; i < 100; i++)
		good += receive(fd, &got, sizeof(got)) == 4 && got == i;
	ok(good == 100, "all come, in order (%u)", good);
	end_channel(&c);

	/* No keys within two seconds. */
	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	forget_events();
	long long start = nlh_now();

	for (uint32_t i = 0; i < 100; i++)
		ch_peer_say(&c, "hold", NULL, &i, sizeof(i));
	check_fail(c.decryptor, -ENOBUFS, "too many packets");
	ok(nlh_now() - start >= 1900 && nlh_now() - start < 4000,
	   "after two seconds (%lld ms)", nlh_now() - start);
	ok(ch_done(&worker, id, &keys) == -ENOENT, "then keys come too late");
	ok((id = first_message()), "the link reads on");
	ch_done(&worker, id, &(struct ch_done){ .error = -ECANCELED });
	close(fd);
}

/* ---- quotas ---- */

static void test_quotas(void)
{
	struct ch_channel c, old;
	struct lh_link link_b;
	long long before;
	uint32_t got, mark = 5;
	int fd = node_socket("quota");
	uint64_t id;

	drain_worker();
	ok(ch_open_responder(&worker, &node, &link_a, &old, key_tx, key_rx),
	   "an established channel");
	id = ch_respond(&worker, &link_a, &c);
	ok(id, "a started exchange");

	nlh_set_limit(&node, OCKAM_LIMIT_PENDING_LINK, 4);
	before = count("drop_handshake_link_limit");
	for (int i = 0; i < 10; i++)
		ch_write(&link_a, "api", "msg1", 4);
	check_count("drop_handshake_link_limit", before + 7, "4 a link");
	lh_open(&link_b, &node, LH_UNIX, NULL);
	before = count("drop_handshake_link_limit");
	nlh_set_limit(&node, OCKAM_LIMIT_PENDING, 6);
	long long node_before = count("drop_handshake_limit");

	for (int i = 0; i < 4; i++)
		ch_write(&link_b, "api", "msg1", 4);
	check_count("drop_handshake_limit", node_before + 2, "6 a node");
	ok(count("drop_handshake_link_limit") == before, "links count for themselves");

	/* While all quotas are used up. */
	ok(ch_peer_say(&old, "quota", NULL, &mark, 4) &&
	   receive(fd, &got, 4) == 4 && got == mark, "the established channel works");
	ok(!ch_done(&worker, id, &keys), "the started exchange is finished");
	start_peer(&c);
	end_channel(&c);
	drain_worker();
	nlh_set_limit(&node, OCKAM_LIMIT_PENDING, 1024);
	nlh_set_limit(&node, OCKAM_LIMIT_PENDING_LINK, 64);
	ok((id = first_message()), "there is room again");
	ch_done(&worker, id, &(struct ch_done){ .error = -ECANCELED });

	nlh_set_limit(&node, OCKAM_LIMIT_PENDING_RATE, 5);
	sleep(1);
	before = count("drop_handshake_rate");
	for (int i = 0; i < 30; i++)
		ch_write(&link_b, "api", "msg1", 4);
	lh_wait_counter(&node, "drop_handshake_rate", before + 20, CH_SOON);
	ok(count("drop_handshake_rate") >= before + 20 &&
	   count("drop_handshake_rate") <= before + 25, "5 a second and link (%lld of 30 refused)",
	   count("drop_handshake_rate") - before);
	nlh_set_limit(&node, OCKAM_LIMIT_PENDING_RATE, 5000);
	drain_worker();
	end_channel(&old);
	lh_close(&link_b);
	close(fd);
}

/* A worker that does not read loses nothing. */
static void test_slow_worker(void)
{
	struct lh_link links[8];
	unsigned int seen = 0;
	int size = 2304;
	uint64_t id;

	setsockopt(worker.h.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (int k = 0; k < 8; k++) {
		lh_open(&links[k], &node, LH_UNIX, NULL);
		for (int i = 0; i < 32; i++)
			ch_write(&links[k], "api", "msg1", 4);
	}
	usleep(200000);
	/* Answers to its commands may find no room either; that is its loss. */
	while (seen < 256 && (id = ch_worker_ready(&worker, CH_SOON))) {
		ch_done(&worker, id, &(struct ch_done){ .error = -ECANCELED });
		seen++;
	}
	ok(seen == 256, "a full buffer of the worker loses no exchange (%u)", seen);
	for (int k = 0; k < 8; k++)
		lh_close(&links[k]);
}

/* ---- time ---- */

static void test_deadlines(void)
{
	long long before = count("handshakes_failed_timeout");
	struct lh_message f;
	uint32_t seq;
	uint64_t id;

	ok(!ch_listener(&node, "hasty", 100), "a listener with 100 ms");
	forget_events();
	ch_write(&link_a, "hasty", "msg1", 4);
	id = ch_worker_ready(&worker, CH_SOON);
	check_fail(NULL, -ETIMEDOUT, "responder");
	ok(id && ch_send(&worker, id, "msg2") == -ENOENT, "its exchange is gone");

	ok(!ch_request(&req, link_a.name, "api", 0, 100, &seq), "a request with 100 ms");
	id = ch_worker_ready(&worker, CH_SOON);
	ok(id && !ch_send(&worker, id, "msg1") && lh_read_frame(link_a.raw, &f),
	   "a first message that nobody answers");
	check_result(seq, -ETIMEDOUT, false, "initiator");
	check_count("handshakes_failed_timeout", before + 2, "both");
}

/* ---- deaths ---- */

/* Bring an exchange to @step of its role. */
static uint64_t respond_to(int step, struct ch_channel *c)
{
	static struct nlh_msg m;
	struct lh_message f;
	uint64_t id = 0;

	memset(c, 0, sizeof(*c));
	c->link = &link_a;
	switch (step) {
	case 0:
		return first_message();
	case 1:
		id = first_message();
		ch_fetch(&worker, id, &m);
		return id;
	case 2:
		id = first_message();
		ch_fetch(&worker, id, &m);
		ch_send(&worker, id, "msg2");
		lh_read_frame(link_a.raw, &f);
		return id;
	default:
		return ch_respond(&worker, &link_a, c);
	}
}

static uint64_t initiate_to(int step, struct ch_channel *c)
{
	static struct nlh_msg m;
	struct lh_message f;
	uint64_t id;

	if (step == 3)
		return ch_initiate(&worker, &req, &link_a, c, 0);
	memset(c, 0, sizeof(*c));
	ch_request(&req, link_a.name, "api", 0, 0, &c->seq);
	id = ch_worker_ready(&worker, CH_SOON);
	if (step > 0)
		ch_fetch(&worker, id, &m);
	if (step > 1) {
		ch_send(&worker, id, "msg1");
		lh_read_frame(link_a.raw, &f);
	}
	return id;
}

static void test_worker_dies(void)
{
	int fd = node_socket("survivor");
	struct ch_channel c, old;
	uint32_t got, mark = 9;
	char what[64];

	drain_worker();
	ok(ch_open_responder(&worker, &node, &link_a, &old, key_tx, key_rx),
	   "a channel that shall survive");
	for (int step = 0; step < 4; step++) {
		snprintf(what, sizeof(what), "worker dies, responder at step %d", step);
		forget_events();
		ok(respond_to(step, &c), "%s: so far", what);
		ch_worker_close(&worker);
		check_fail(NULL, -ESRCH, what);
		worker_again();
	}
	for (int step = 0; step < 4; step++) {
		snprintf(what, sizeof(what), "worker dies, initiator at step %d", step);
		forget_events();
		ok(initiate_to(step, &c), "%s: so far", what);
		ch_worker_close(&worker);
		check_fail(NULL, -ESRCH, what);
		check_result(c.seq, -ESRCH, false, what);
		worker_again();
	}
	ok(ch_peer_say(&old, "survivor", NULL, &mark, 4) &&
	   receive(fd, &got, 4) == 4 && got == mark, "the old channel works");
	end_channel(&old);
	close(fd);
}

static void test_requester_dies(void)
{
	struct ockam_plaintext p;
	struct ch_channel c;
	struct lh_message f;
	char what[64];
	uint64_t id = 0;

	for (int step = 0; step < 5; step++) {
		drain_worker();
		snprintf(what, sizeof(what), "requester dies at step %d", step);
		forget_events();
		id = initiate_to(step < 3 ? step : 3, &c);
		ok(id, "%s: so far", what);
		start_peer(&c);
		if (step == 4)
			ok(!ch_done(&worker, id, &keys), "its channel is up, unconfirmed");
		nlh_close(&req);
		check_fail(NULL, -ECANCELED, what);
		nlh_open_in(&req, &node);
		if (step == 4)
			ok(ch_peer_read(&c, &f, &p) && p.kind == OCKAM_MESSAGE_CLOSE &&
			   ch_wait_gone(&node, c.decryptor, CH_SOON),
			   "the unfinished channel is closed");
	}
}

static int listener_del(const char *name)
{
	static struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_LISTENER_DEL);
	nlh_put(&m, OCKAM_A_ADDRESS, name, strlen(name));
	return nlh_call(&node, &m, NULL);
}

static void test_listener_dies(void)
{
	struct ch_channel c;

	drain_worker();
	forget_events();
	ok(respond_to(3, &c), "an exchange of a listener");
	ok(!listener_del("api"), "the listener is deleted");
	check_fail(c.decryptor, -ECONNABORTED, "listener deleted");
	ok(listener_del("api") == -ENOENT, "it is gone");
	ok(!ch_listener(&node, "api", 0), "and comes again");
	ok(ch_listener(&node, "api", 0) == -EADDRINUSE, "only once");
}

/* The node ends with something pending at every place. */
static void test_node_ends(void)
{
	struct ch_channel c, d, e;
	uint64_t id;

	drain_worker();
	id = ch_initiate(&worker, &req, &link_a, &e, 60000);
	start_peer(&e);
	ok(id && !ch_done(&worker, id, &keys), "an unconfirmed channel");
	ok(respond_to(3, &c) && initiate_to(2, &d), "pending exchanges");
	ok(!nlh_end(&node), "the node ends");
	check_result(d.seq, -ESHUTDOWN, false, "pending request");
}

int main(void)
{
	open_node();
	test_no_worker();
	worker_again();
	test_responder_states();
	test_done();
	test_initiator_states();
	test_sizes();
	test_skip();
	test_skip_held();
	test_skip_deadline();
	test_hold();
	test_quotas();
	test_deadlines();
	test_worker_dies();
	test_requester_dies();
	test_listener_dies();
	test_slow_worker();
	test_node_ends();

	close_node();
	return tap_done();
}
