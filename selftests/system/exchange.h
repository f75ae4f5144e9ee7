/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of handshakes have in common: a node with the listener "api",
 * one link, and looks at how exchanges end. Include it once in a program.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SYSTEM_EXCHANGE_H
#define OCKAM_SYSTEM_EXCHANGE_H

#include "chanhelp.h"
#include "sock.h"

static struct nlh node, events, req;
static struct ch_worker worker;
static struct lh_link link_a;
static uint8_t key_tx[32], key_rx[32];

UNUSED
static long long count(const char *name)
{
	return nlh_counter(&node, name);
}

UNUSED
static void check_count(const char *counter, long long want, const char *what)
{
	lh_wait_counter(&node, counter, want, CH_SOON);
	ok(count(counter) == want, "%s: %s is %lld (%lld)", what, counter, want,
	   count(counter));
}

UNUSED
static void forget_events(void)
{
	nlh_close(&events);
	if (nlh_open_in(&events, &node) || nlh_listen(&events)) {
		printf("Bail out! no events\n");
		exit(1);
	}
}

/* The exchange with this address fails with @error. */
UNUSED
static void check_fail(const char *address, int error, const char *what)
{
	static struct nlh_msg ev;
	const char *reason;
	int err;

	err = nlh_wait_event(&events, OCKAM_EVENT_HANDSHAKE_FAIL, address, &ev,
			     CH_SOON);
	reason = nlh_attr(&ev, OCKAM_A_REASON, NULL);
	ok(!err && ch_errno(&ev) == error && reason && *reason,
	   "%s: the handshake fails, with errno and reason", what);
	if (err || ch_errno(&ev) != error)
		printf("# wait %d errno %d\n", err, ch_errno(&ev));
	else
		printf("# %s\n", reason);
}

/* The request ends with @error (0: success), confirmed or not. */
UNUSED
static void check_result(uint32_t seq, int error, bool confirmed,
			 const char *what)
{
	static struct nlh_msg m;
	int err;

	err = ch_result(&req, seq, &m, CH_SOON);
	ok(!err && ch_errno(&m) == error &&
	   !!(nlh_attr_u32(&m, OCKAM_A_FLAGS) & OCKAM_FLAG_CONFIRMED) == confirmed &&
	   !!nlh_attr(&m, OCKAM_A_ENCRYPTOR, NULL) == !error &&
	   !!nlh_attr(&m, OCKAM_A_REASON, NULL) == !!error,
	   "%s: the requester gets %d%s", what, error,
	   confirmed ? ", confirmed" : "");
	if (err || ch_errno(&m) != error)
		printf("# wait %d errno %d\n", err, ch_errno(&m));
}

UNUSED
static int node_socket(const char *name)
{
	int back = nlh_enter(&node);
	int fd = sock_named(name);

	nlh_leave(back);
	return fd;
}

UNUSED
static long receive(int fd, void *buf, size_t len)
{
	long long end = nlh_now() + CH_SOON;
	long n;

	do {
		n = sock_recv(fd, buf, len, 0, NULL);
		if (n != -EAGAIN)
			return n;
		usleep(1000);
	} while (nlh_now() < end);
	return -EAGAIN;
}

static const struct ch_done keys = {
	.key_tx = key_tx, .key_rx = key_rx, .peer = ch_peer,
};

UNUSED
static void start_peer(struct ch_channel *c)
{
	ockam_sealer_init(&c->seal, key_rx);
	ockam_opener_init(&c->open, key_tx);
}

/* The channel ends; its Close, and what came before it, is read. */
UNUSED
static void end_channel(struct ch_channel *c)
{
	struct ockam_plaintext p;
	struct lh_message f;

	ch_del(&node, c->decryptor);
	while (ch_peer_read(c, &f, &p) && p.kind != OCKAM_MESSAGE_CLOSE)
		;
	ok(p.kind == OCKAM_MESSAGE_CLOSE, "the channel ends");
}

/* A first message; the exchange that it makes, or 0. */
UNUSED
static uint64_t first_message(void)
{
	ch_write(&link_a, "api", "msg1", 4);
	return ch_worker_ready(&worker, CH_SOON);
}

/* What is pending ends, and what was said about ended ones is read. */
UNUSED
static void drain_worker(void)
{
	uint64_t id;

	while ((id = ch_worker_ready(&worker, 50)))
		ch_done(&worker, id, &(struct ch_done){ .error = -ECANCELED });
}

UNUSED
static void worker_again(void)
{
	int err = -EBUSY;

	for (long long end = nlh_now() + CH_SOON;
	     err == -EBUSY && nlh_now() < end;) {
		err = ch_worker_open(&worker, &node);
		if (err)
			ch_worker_close(&worker);
	}
	ok(!err, "another worker binds");
}

static void open_node(void)
{
	setbuf(stdout, NULL);
	memset(key_tx, 0x11, sizeof(key_tx));
	memset(key_rx, 0x22, sizeof(key_rx));
	if (nlh_open_new(&node) || nlh_own(&node) || nlh_open_in(&events, &node) ||
	    nlh_open_in(&req, &node) || ch_listener(&node, "api", 0)) {
		printf("Bail out! no node: %s\n", node.why);
		exit(1);
	}
	lh_open(&link_a, &node, LH_UNIX, NULL);
}

static void close_node(void)
{
	ch_worker_close(&worker);
	nlh_close(&events);
	nlh_close(&req);
	nlh_close(&node);
	close(link_a.raw);
}

#endif /* OCKAM_SYSTEM_EXCHANGE_H */
