// SPDX-License-Identifier: Apache-2.0
/*
 * What the family "ockam" refuses for the state of things: every command, every
 * cause that it can meet, each with its errno and a sentence. What it refuses
 * for the form of a request is in test_netlink.c. And a dump shows of an object
 * what the command for the one shows.
 *
 * where: uml
 * long: vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>

#include "exchange.h"

static struct nlh_msg m, answer;
static uint64_t id;		/* of an exchange */

/* ---- requests, built piece by piece ---- */

static struct nlh_msg *cmd(uint8_t number)
{
	nlh_begin(&m, number);
	return &m;
}

static struct nlh_msg *name(uint16_t attr, const char *text)
{
	nlh_put(&m, attr, text, strlen(text));
	return &m;
}

static struct nlh_msg *of(uint8_t number, uint16_t attr, const char *text)
{
	cmd(number);
	return name(attr, text);
}

static struct nlh_msg *exchange(uint8_t number, uint64_t which)
{
	cmd(number);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, which);
	return &m;
}

static struct nlh_msg *message(uint64_t which)
{
	exchange(OCKAM_CMD_HANDSHAKE_SEND, which);
	return name(OCKAM_A_MESSAGE, "msg");
}

static struct nlh_msg *finish(uint64_t which)
{
	exchange(OCKAM_CMD_HANDSHAKE_DONE, which);
	nlh_put_u32(&m, OCKAM_A_ERRNO, 0);
	nlh_put(&m, OCKAM_A_KEY_TX, key_tx, 32);
	nlh_put(&m, OCKAM_A_KEY_RX, key_rx, 32);
	nlh_put(&m, OCKAM_A_PEER, ch_peer, 32);
	return &m;
}

static struct nlh_msg *new_link(int fd)
{
	cmd(OCKAM_CMD_LINK_NEW);
	nlh_put_u32(&m, OCKAM_A_FD, fd);
	nlh_put_u8(&m, OCKAM_A_FRAMING, OCKAM_FRAMING_STREAM);
	return &m;
}

/* With @hops hops, "nobody" first. */
static struct nlh_msg *route(struct nlh_msg *to, unsigned int hops)
{
	uint8_t packed[600];
	size_t len = ch_pack(packed, "nobody", NULL);

	for (unsigned int i = 1; i < hops; i++)
		len += ch_pack(packed + len, "x", NULL);
	nlh_put(to, OCKAM_A_ROUTE, packed, len);
	return to;
}

static struct nlh_msg *ids(unsigned int n)
{
	static const uint8_t zero[64 * OCKAM_FLOW_ID_LEN];

	nlh_put(&m, OCKAM_A_REACH_IDS, zero, n * OCKAM_FLOW_ID_LEN);
	return &m;
}

/* The request is refused with @error and a sentence, whoever gives it. */
static void refused_by(struct nlh *h, struct nlh_msg *request, int error,
		       const char *what)
{
	int err = nlh_call(h, request, &answer);

	ok(err == error && h->why[0], "%s: %s", what, h->why);
	if (err != error)
		printf("# %d instead of %d\n", err, error);
}

static void refused(struct nlh_msg *request, int error, const char *what)
{
	refused_by(&node, request, error, what);
}

static void refused_worker(struct nlh_msg *request, int error, const char *what)
{
	refused_by(&worker.h, request, error, what);
}

/* The same while a limit of the node is @value. */
static void refused_at(uint16_t limit, uint64_t value, struct nlh_msg *request,
		       int error, const char *what)
{
	struct nlh_msg kept = *request;

	nlh_set_limit(&req, limit, value);
	refused(&kept, error, what);
	nlh_set_limit(&req, limit, 1000);
}

/* ---- the node ---- */

static void test_node(void)
{
	struct nlh empty;

	refused(cmd(OCKAM_CMD_NODE_OWN), -EBUSY, "own an owned node");
	refused_by(&req, cmd(OCKAM_CMD_WORKER_BIND), -EBUSY, "a second worker");
	refused(of(OCKAM_CMD_ADDRESS_GET, OCKAM_A_ADDRESS, "nobody"), -ENOENT,
		"show no address");
	nlh_open_new(&empty);
	refused_by(&empty, cmd(OCKAM_CMD_NODE_DEL), -ESRCH, "end no node");
	refused_by(&empty, cmd(OCKAM_CMD_WORKER_BIND), -ENOTCONN, "a worker of no node");
	refused_by(&empty, new_link(0), -ESRCH, "a link of no node");
	refused_by(&empty, cmd(OCKAM_CMD_LISTENER_NEW), -ESRCH, "a listener of no node");
	refused_by(&empty, route(cmd(OCKAM_CMD_CHANNEL_NEW), 1), -ESRCH, "a channel of no node");
	nlh_close(&empty);
}

/* ---- links ---- */

static void test_new_link(void)
{
	int pair[2], used[2], loose, datagram, file;

	if (!ok(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) &&
		!socketpair(AF_UNIX, SOCK_STREAM, 0, used), "sockets"))
		return;
	loose = socket(AF_UNIX, SOCK_STREAM, 0);
	datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
	file = open("/dev/null", O_RDONLY);

	refused(new_link(1000), -EBADF, "a link of no descriptor");
	refused(new_link(file), -ENOTSOCK, "a link of no socket");
	refused(new_link(node.fd), -EAFNOSUPPORT, "a link of the node's own socket");
	refused(new_link(loose), -ENOTCONN, "a link of a socket that is not connected");
	refused(new_link(datagram), -EPROTOTYPE, "a link of a datagram socket");
	close(file);
	file = socket(AF_NETLINK, SOCK_RAW, 0);
	refused(new_link(file), -EAFNOSUPPORT, "a link of another family");

	ok(!nlh_link_new(&node, used[0], NULL, NULL), "a link");
	refused(new_link(used[0]), -EBUSY, "a second link of its socket");
	new_link(pair[0]);
	refused(name(OCKAM_A_ADDRESS, "api"), -EADDRINUSE, "a link with an address in use");
	new_link(pair[0]);
	refused(name(OCKAM_A_PAIR, "nobody"), -ENOENT, "a link paired with none");
	new_link(pair[0]);
	refused(name(OCKAM_A_PAIR, "api"), -ENOENT, "a link paired with a listener");
	new_link(pair[0]);
	refused(ids(64), -EINVAL, "a link with 64 flow ids");
	refused_at(OCKAM_LIMIT_LINKS, 1, new_link(pair[0]), -ENOSPC, "a link above the limit");
	refused_at(OCKAM_LIMIT_ADDRESSES, 1, new_link(pair[0]), -ENOSPC,
		   "a link above the limit of addresses");
	ok(!nlh_link_new(&node, pair[0], NULL, NULL), "the socket is free after all that");

	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(used[i]);
	}
	close(loose);
	close(datagram);
	close(file);
}

static struct nlh_msg *set_link(const char *link, const char *pair, bool unpair)
{
	of(OCKAM_CMD_LINK_SET, OCKAM_A_ADDRESS, link);
	if (pair)
		name(OCKAM_A_PAIR, pair);
	if (unpair)
		nlh_put_flag(&m, OCKAM_A_UNPAIR);
	return &m;
}

static void test_links(void)
{
	struct lh_link b, c;

	lh_open(&b, &node, LH_UNIX, NULL);
	lh_open(&c, &node, LH_UNIX, NULL);
	refused(of(OCKAM_CMD_LINK_GET, OCKAM_A_ADDRESS, "nobody"), -ENOENT, "show no link");
	refused(of(OCKAM_CMD_LINK_GET, OCKAM_A_ADDRESS, "api"), -ENOENT, "show a listener as a link");
	refused(of(OCKAM_CMD_LINK_DEL, OCKAM_A_ADDRESS, "nobody"), -ENOENT, "end no link");
	refused(set_link("nobody", b.name, false), -ENOENT, "pair no link");
	refused(set_link(b.name, NULL, false), -EINVAL, "change nothing of a link");
	refused(set_link(b.name, NULL, true), -EINVAL, "unpair from nobody");
	refused(set_link(b.name, "nobody", false), -ENOENT, "pair with no link");
	refused(set_link(b.name, b.name, false), -EINVAL, "pair with itself");
	refused(set_link(b.name, c.name, true), -ENOENT, "unpair what is no pair");
	set_link(b.name, c.name, false);
	nlh_put_u32(&m, OCKAM_A_STALL_MS, 1000);
	refused(&m, -EINVAL, "a pair and an option at once");
	set_link(b.name, NULL, false);
	refused(ids(64), -EINVAL, "64 flow ids of a link");
	ok(!nlh_link_pair(&node, b.name, c.name), "a pair");
	refused(set_link(b.name, link_a.name, false), -EBUSY, "pair one of a pair");
	lh_close(&b);
	lh_close(&c);
}

/* ---- listeners ---- */

static void test_listeners(void)
{
	refused(of(OCKAM_CMD_LISTENER_NEW, OCKAM_A_ADDRESS, "api"), -EADDRINUSE,
		"a listener with an address in use");
	refused_at(OCKAM_LIMIT_LISTENERS, 1, cmd(OCKAM_CMD_LISTENER_NEW), -ENOSPC,
		   "a listener above the limit");
	refused_at(OCKAM_LIMIT_ADDRESSES, 1, cmd(OCKAM_CMD_LISTENER_NEW), -ENOSPC,
		   "a listener above the limit of addresses");
	cmd(OCKAM_CMD_LISTENER_NEW);
	nlh_put_flag(&m, OCKAM_A_LIVENESS_STRICT);
	refused(&m, -EINVAL, "strict liveness without a time");
	of(OCKAM_CMD_LISTENER_SET, OCKAM_A_ADDRESS, "nobody");
	refused(name(OCKAM_A_OPAQUE, "x"), -ENOENT, "change no listener");
	refused(of(OCKAM_CMD_LISTENER_SET, OCKAM_A_ADDRESS, "api"), -EINVAL,
		"change nothing of a listener");
	refused(of(OCKAM_CMD_LISTENER_DEL, OCKAM_A_ADDRESS, link_a.name), -ENOENT,
		"end a link as a listener");
	refused(of(OCKAM_CMD_LISTENER_GET, OCKAM_A_ADDRESS, "nobody"), -ENOENT,
		"show no listener");
}

/* ---- handshakes ---- */

static void test_exchanges(void)
{
	struct ch_channel c;
	bool good = true;

	refused_worker(exchange(OCKAM_CMD_HANDSHAKE_FETCH, 12345), -ENOENT, "fetch of no exchange");
	refused_worker(message(12345), -ENOENT, "send for no exchange");
	refused_worker(exchange(OCKAM_CMD_HANDSHAKE_SKIP, 12345), -ENOENT, "skip of no exchange");
	refused_worker(finish(12345), -ENOENT, "keys of no exchange");

	id = first_message();
	ok(id, "an exchange");
	refused_worker(message(id), -EPROTO, "answer what was not fetched");
	refused_worker(exchange(OCKAM_CMD_HANDSHAKE_SKIP, id), -EPROTO, "skip too early");
	exchange(OCKAM_CMD_HANDSHAKE_DONE, id);
	refused_worker(&m, -EINVAL, "a result without errno");
	nlh_put_u32(&m, OCKAM_A_ERRNO, 0);
	refused_worker(&m, -EINVAL, "a success without keys");
	exchange(OCKAM_CMD_HANDSHAKE_DONE, id);
	nlh_put_u32(&m, OCKAM_A_ERRNO, -EACCES);
	nlh_put(&m, OCKAM_A_KEY_TX, key_tx, 32);
	refused_worker(&m, -EINVAL, "a refusal with one key");
	refused_worker(finish(id), -EPROTO, "keys too early");

	id = ch_respond(&worker, &link_a, &c);
	ok(id, "an exchange up to its keys");
	refused_worker(message(id), -EPROTO, "one message too many");
	for (int i = 0; i < 32 && good; i++)
		good = !ch_skip(&worker, id) && ch_write(&link_a, c.decryptor, "x", 1) &&
		       ch_worker_ready(&worker, CH_SOON) == id && !ch_fetch(&worker, id, &answer);
	ok(good, "32 messages that are none of it");
	refused_worker(exchange(OCKAM_CMD_HANDSHAKE_SKIP, id), -ENOBUFS, "one more");
	nlh_set_limit(&req, OCKAM_LIMIT_CHANNELS, 0);
	refused_worker(finish(id), -ENOSPC, "a channel above the limit");
	nlh_set_limit(&req, OCKAM_LIMIT_CHANNELS, 1000);
	drain_worker();
}

/* Exchanges whose requester has no way to go on. */
static void test_requests(void)
{
	uint32_t seq;

	refused(route(cmd(OCKAM_CMD_CHANNEL_NEW), 33), -E2BIG, "a route of 33 hops");
	refused_at(OCKAM_LIMIT_CHANNELS, 0, route(cmd(OCKAM_CMD_CHANNEL_NEW), 1), -ENOSPC,
		   "a request above the limit of channels");
	refused_at(OCKAM_LIMIT_ADDRESSES, 1, route(cmd(OCKAM_CMD_CHANNEL_NEW), 1), -ENOSPC,
		   "a request above the limit of addresses");
	ok(!ch_request(&req, "nobody", "api", 0, 0, &seq), "a request to nowhere");
	id = ch_worker_ready(&worker, CH_SOON);
	ok(id && !ch_fetch(&worker, id, &answer), "is fetched");
	refused_worker(message(id), -EHOSTUNREACH, "send to nowhere");
	drain_worker();
}

/* ---- channels ---- */

static void test_channels(void)
{
	static uint8_t body[30000];
	struct lh_link b;
	struct ch_channel c;

	refused(of(OCKAM_CMD_CHANNEL_GET, OCKAM_A_ENCRYPTOR, "nobody"), -ENOENT, "show no channel");
	refused(of(OCKAM_CMD_CHANNEL_DEL, OCKAM_A_ENCRYPTOR, "api"), -ENOENT, "end a listener as a channel");
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, "nobody");
	refused(route(&m, 1), -ENOENT, "change no channel");
	of(OCKAM_CMD_CHANNEL_CONTROL, OCKAM_A_ENCRYPTOR, "nobody");
	refused_worker(name(OCKAM_A_CONTROL, "x"), -ENOENT, "credentials on no channel");

	lh_open(&b, &node, LH_UNIX, NULL);
	if (!ok(ch_open_responder(&worker, &node, &b, &c, key_tx, key_rx), "a channel"))
		return;
	refused(of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor), -EINVAL,
		"change nothing of a channel");
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor);
	refused(ids(1), -EINVAL, "flow ids without the mask");
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor);
	nlh_put_u64(&m, OCKAM_A_EXPIRY, 0);
	refused(route(&m, 1), -EINVAL, "change two things of a channel");
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor);
	refused(route(&m, 1), -EHOSTUNREACH, "a channel's route to nowhere");
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor);
	refused(route(&m, 33), -E2BIG, "a channel's route of 33 hops");

	nlh_set_limit(&req, OCKAM_LIMIT_FRAME_BYTES, 4096);
	of(OCKAM_CMD_CHANNEL_CONTROL, OCKAM_A_ENCRYPTOR, c.encryptor);
	nlh_put(&m, OCKAM_A_CONTROL, body, sizeof(body));
	refused_worker(&m, -EMSGSIZE, "credentials above the node's frame limit");
	nlh_set_limit(&req, OCKAM_LIMIT_FRAME_BYTES, 1 << 20);
	lh_close(&b);
	ok(nlh_link_wait_gone(&node, b.name, CH_SOON) == 0, "its link ends");
	of(OCKAM_CMD_CHANNEL_CONTROL, OCKAM_A_ENCRYPTOR, c.encryptor);
	refused_worker(name(OCKAM_A_CONTROL, "x"), -EHOSTUNREACH, "credentials with no way to the peer");
	ch_del(&node, c.encryptor);
}

/* ---- a dump shows what the one shows ---- */

static struct nlh_msg listed;
static uint16_t key_attr;
static char wanted[256];

static void keep(const struct nlh_msg *one, UNUSED void *data)
{
	size_t len;
	const char *p = nlh_attr(one, key_attr, &len);

	if (p && len == strlen(wanted) && !memcmp(p, wanted, len))
		listed = *one;
}

static void same(uint8_t number, uint16_t attr, const char *which, const char *what)
{
	const size_t head = NLMSG_HDRLEN + 4;

	key_attr = attr;
	snprintf(wanted, sizeof(wanted), "%s", which);
	listed.len = 0;
	ok(nlh_dump(&node, cmd(number), keep, NULL) > 0 && listed.len > head &&
	   !nlh_call(&node, of(number, attr, which), &answer) &&
	   answer.len == listed.len &&
	   !memcmp(answer.bytes + head, listed.bytes + head, answer.len - head),
	   "%s: alone and in a dump", what);
	if (answer.len != listed.len)
		printf("# %u and %u bytes\n", answer.len, listed.len);
}

/* The largest channel that there is: a reader needs no more than 8192 bytes. */
static void test_same(void)
{
	uint8_t packed[2048], attributes[OCKAM_ATTRIBUTES_MAX] = "";
	char hop[256] = "";
	struct ch_channel c;
	struct lh_link b;
	size_t len;

	same(OCKAM_CMD_LINK_GET, OCKAM_A_ADDRESS, link_a.name, "a link");
	same(OCKAM_CMD_LISTENER_GET, OCKAM_A_ADDRESS, "api", "a listener");
	same(OCKAM_CMD_ADDRESS_GET, OCKAM_A_ADDRESS, "api", "an address");

	lh_open(&b, &node, LH_UNIX, NULL);
	if (!ok(ch_open_responder(&worker, &node, &b, &c, key_tx, key_rx), "a channel"))
		return;
	memset(hop, 'x', 255);
	len = ch_pack(packed, b.name, NULL);
	while (len + 257 <= sizeof(packed))
		len += ch_pack(packed + len, hop, NULL);
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor);
	nlh_put(&m, OCKAM_A_ROUTE, packed, len);
	ok(!nlh_call(&node, &m, &answer), "with a long route: %s", node.why);
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor);
	nlh_put(&m, OCKAM_A_ATTRIBUTES, attributes, sizeof(attributes));
	nlh_put_u64(&m, OCKAM_A_EXPIRY, UINT32_MAX);
	ok(!nlh_call(&node, &m, &answer), "with attributes: %s", node.why);
	of(OCKAM_CMD_CHANNEL_SET, OCKAM_A_ENCRYPTOR, c.encryptor);
	nlh_put_u32(&m, OCKAM_A_REACH, OCKAM_REACH_LOCAL);
	ok(!nlh_call(&node, ids(64), &answer), "with flow ids: %s", node.why);
	same(OCKAM_CMD_CHANNEL_GET, OCKAM_A_ENCRYPTOR, c.encryptor, "the largest channel");
	/* The name of its listener could have 252 bytes more. */
	ok(listed.len > 7000 && listed.len + 252 <= 8192, "it has %u bytes", listed.len);
	ch_del(&node, c.encryptor);
	lh_close(&b);
}

int main(void)
{
	open_node();
	worker_again();
	test_node();
	test_new_link();
	test_links();
	test_listeners();
	test_exchanges();
	test_requests();
	test_channels();
	test_same();
	ch_worker_close(&worker);
	refused(route(cmd(OCKAM_CMD_CHANNEL_NEW), 1), -ESRCH, "a channel without worker");
	refused_by(&req, exchange(OCKAM_CMD_HANDSHAKE_FETCH, 1), -EPERM, "the worker's by another");
	worker_again();
	close_node();
	return tap_done();
}
