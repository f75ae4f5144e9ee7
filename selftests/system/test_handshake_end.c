// SPDX-License-Identifier: Apache-2.0
/*
 * Why handshakes end: a counter for every reason, the end of the connection at
 * every step, and what the worker is told of it.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "exchange.h"

#define FAILED "handshakes_failed"

/* ---- counters ---- */

/* What DONE with this errno is counted as. */
static const struct {
	int error;
	const char *counter;
} classes[] = {
	{ EBADMSG, FAILED "_malformed" }, { EINVAL, FAILED "_malformed" },
	{ EKEYREJECTED, FAILED "_identity" }, { EKEYEXPIRED, FAILED "_expired" },
	{ ESTALE, FAILED "_history" }, { EACCES, FAILED "_trust" },
	{ EHOSTUNREACH, FAILED "_route" }, { ENOMEM, FAILED "_resources" },
	{ ECANCELED, FAILED "_cancelled" }, { EIO, FAILED "_other" },
	{ 4095, FAILED "_other" },
};

static void test_classes(void)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		const struct ch_done done = { .error = -classes[i].error, .reason = "no" };
		long long sum = count(FAILED), one = count(classes[i].counter);
		uint64_t id = first_message();

		ok(id && !ch_done(&worker, id, &done) && count(FAILED) == sum + 1 &&
		   count(classes[i].counter) == one + 1, "errno %d is %s", classes[i].error,
		   classes[i].counter);
	}
}

static void test_own_reasons(void)
{
	long long state = count(FAILED "_state"), refused = count(FAILED "_refused");
	long long trust = count(FAILED "_trust");
	struct ch_channel c;
	uint64_t id;

	id = first_message();
	ch_done(&worker, id, &keys);
	check_count(FAILED "_state", state + 1, "keys before the third message");

	id = ch_initiate(&worker, &req, &link_a, &c, 60000);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &keys), "a channel of ours");
	ch_peer_close(&c);
	check_result(c.seq, -EACCES, false, "Close as first packet");
	check_count(FAILED "_refused", refused + 1, "refused by the peer");
	ok(count(FAILED "_trust") == trust, "which is not our own refusal");
}

/* Every failure of this program was counted as one thing. */
static void test_sum(void)
{
	static const char *const all[] = {
		"malformed", "identity", "expired", "history", "trust", "refused", "timeout",
		"route", "worker", "state", "hold", "cancelled", "resources", "other",
	};
	long long sum = 0;
	char name[64];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(name, sizeof(name), FAILED "_%s", all[i]);
		sum += count(name);
	}
	ok(sum == count(FAILED), "the reasons add up: %lld of %lld", sum, count(FAILED));
}

/* ---- the connection ends ---- */

/* READY comes for @id, and there is nothing to fetch. */
static bool told_of_end(uint64_t id)
{
	static struct nlh_msg m;

	return ch_worker_ready(&worker, CH_SOON) == id && ch_fetch(&worker, id, &m) == -ENOENT;
}

static bool told_nothing(void)
{
	return !ch_worker_ready(&worker, 100);
}

/* A responder over @l: 0 first message, 1 fetched, 2 answered, 3 third message fetched. */
static uint64_t respond_to(int step, struct lh_link *l, struct ch_channel *c)
{
	static struct nlh_msg m;
	struct lh_message f;
	uint64_t id;

	memset(c, 0, sizeof(*c));
	c->link = l;
	if (step == 3)
		return ch_respond(&worker, l, c);
	ch_write(l, "api", "msg1", 4);
	id = ch_worker_ready(&worker, CH_SOON);
	if (step > 0)
		ch_fetch(&worker, id, &m);
	if (step > 1) {
		ch_send(&worker, id, "msg2");
		lh_read_frame(l->raw, &f);
	}
	return id;
}

static uint64_t initiate_to(int step, struct lh_link *l, struct ch_channel *c)
{
	static struct nlh_msg m;
	struct lh_message f;
	uint64_t id;

	if (step == 3)
		return ch_initiate(&worker, &req, l, c, 60000);
	memset(c, 0, sizeof(*c));
	ch_request(&req, l->name, "api", 0, 0, &c->seq);
	id = ch_worker_ready(&worker, CH_SOON);
	if (step > 0)
		ch_fetch(&worker, id, &m);
	if (step > 1) {
		ch_send(&worker, id, "msg1");
		lh_read_frame(l->raw, &f);
	}
	return id;
}

static void test_link_ends(void)
{
	long long before = count(FAILED "_route");
	struct ch_channel c;
	struct lh_link l;
	char what[64];
	uint64_t id;

	for (int step = 0; step < 4; step++) {
		snprintf(what, sizeof(what), "link ends, responder at step %d", step);
		lh_open(&l, &node, LH_UNIX, NULL);
		forget_events();
		id = respond_to(step, &l, &c);
		lh_close(&l);
		check_fail(NULL, -ECONNRESET, what);
		ok(step ? told_of_end(id) : told_nothing(), "%s: the worker is told%s", what,
		   step ? "" : " nothing");
	}
	for (int step = 0; step < 4; step++) {
		snprintf(what, sizeof(what), "link ends, initiator at step %d", step);
		lh_open(&l, &node, LH_UNIX, NULL);
		forget_events();
		id = initiate_to(step, &l, &c);
		lh_close(&l);
		check_fail(NULL, -ECONNRESET, what);
		check_result(c.seq, -ECONNRESET, false, what);
		ok(step ? told_of_end(id) : told_nothing(), "%s: the worker is told%s", what,
		   step ? "" : " nothing");
	}
	check_count(FAILED "_route", before + 8, "each");

	lh_open(&l, &node, LH_UNIX, NULL);
	id = ch_initiate(&worker, &req, &l, &c, 60000);
	ok(id && !ch_done(&worker, id, &keys), "a channel that waits to be confirmed");
	lh_close(&l);
	check_result(c.seq, -ECONNRESET, false, "link ends while it waits");
	ok(ch_wait_gone(&node, c.decryptor, CH_SOON), "the channel is gone");
	ok(told_nothing(), "of that the worker has told the kernel");
}

/* ---- other ends that the worker hears of ---- */

static void test_worker_told(void)
{
	static struct nlh_msg m;
	struct ch_channel c;
	uint64_t id;

	ok(!ch_listener(&node, "hasty", 200), "a listener with 200 ms");
	ch_write(&link_a, "hasty", "msg1", 4);
	id = ch_worker_ready(&worker, CH_SOON);
	ok(id && !ch_fetch(&worker, id, &m) && told_of_end(id), "a timeout");
	id = respond_to(2, &link_a, &c);
	ok(id && !ch_listener_set(&node, "api", NULL, true) && told_of_end(id), "other rules");
	id = initiate_to(2, &link_a, &c);
	nlh_close(&req);
	ok(id && told_of_end(id), "the requester has gone");
	nlh_open_in(&req, &node);
	id = respond_to(2, &link_a, &c);
	ch_done(&worker, id, &(struct ch_done){ .error = -EACCES });
	ok(told_nothing(), "not of what it has said itself");
}

/* ---- a flood over links that open and close ---- */

static void test_flood(void)
{
	struct ch_channel slow;
	struct lh_link l;
	unsigned int n = 0;
	uint64_t id;

	ok((id = respond_to(3, &link_a, &slow)), "a handshake before its last step");
	nlh_set_limit(&node, OCKAM_LIMIT_PENDING, 40);
	for (int round = 0; round < 20; round++) {
		static struct nlh_msg m;
		uint64_t other;

		lh_open(&l, &node, LH_UNIX, NULL);
		for (int i = 0; i < 30; i++)
			ch_write(&l, "api", "msg1", 4);
		for (int i = 0; i < 30; i++) {
			other = ch_worker_ready(&worker, CH_SOON);
			if (other && !ch_fetch(&worker, other, &m))
				n++;
		}
		lh_close(&l);
		/* Their places are free before the deadline of any of them. */
		for (int i = 0; i < 30; i++)
			ch_worker_ready(&worker, CH_SOON);
	}
	ok(n == 600, "600 handshakes came with room for 40 (%u)", n);
	ok(!ch_done(&worker, id, &keys), "the slow one succeeds");
	start_peer(&slow);
	end_channel(&slow);
	nlh_set_limit(&node, OCKAM_LIMIT_PENDING, 1024);
}

/* All sockets of the node share one quota. */
static void test_local_flood(void)
{
	long long before = count("drop_handshake_link_limit");
	struct name api = NAME("api");
	uint64_t id;
	int fd[80];

	drain_worker();
	for (int i = 0; i < 80; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user%d", i);
		fd[i] = node_socket(name);
		sendto(fd[i], "msg1", 4, 0, (struct sockaddr *)&api.sa, api.len);
	}
	check_count("drop_handshake_link_limit", before + 16, "80 sockets, one quota");
	ok((id = first_message()), "links have their own");
	for (int i = 0; i < 80; i++)
		close(fd[i]);
	drain_worker();
}

int main(void)
{
	open_node();
	worker_again();
	test_classes();
	test_own_reasons();
	test_link_ends();
	test_worker_told();
	test_flood();
	test_local_flood();
	test_sum();
	close_node();
	return tap_done();
}
