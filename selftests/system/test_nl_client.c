// SPDX-License-Identifier: Apache-2.0
/*
 * The netlink client of libockam against the module: calls, sentences, what
 * the kernel says on its own, and a handshake played with both workers here.
 *
 * where: uml
 * long: vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "nl.h"

#define SOON 10000

/* What the handlers of one handle have seen. */
struct seen {
	unsigned int ready;
	unsigned int controls;
	unsigned int results;
	unsigned int events;
	unsigned int missed;
	uint64_t exchange;
	struct ockam_nl_result result;
	struct ockam_nl_event event;
	char reason[256];
	struct ockam_nl_control control;
	uint8_t body[64];
};

/* A node: a namespace, its owner and its worker. */
struct node {
	int ns;
	struct ockam_nl *owner;
	struct ockam_nl *worker;
	struct seen owner_saw;
	struct seen worker_saw;
	struct ockam_nl_name link;
};

static struct node a, b;
static int home;

static void on_ready(void *arg, uint64_t exchange)
{
	struct seen *s = arg;

	s->ready++;
	s->exchange = exchange;
}

static void on_control(void *arg, const struct ockam_nl_control *c)
{
	struct seen *s = arg;

	s->controls++;
	s->control = *c;
	if (c->body.len <= sizeof(s->body))
		memcpy(s->body, c->body.data, c->body.len);
}

static void on_result(void *arg, const struct ockam_nl_result *r)
{
	struct seen *s = arg;

	s->results++;
	s->result = *r;
	snprintf(s->reason, sizeof(s->reason), "%s", r->reason);
}

static void on_event(void *arg, const struct ockam_nl_event *e)
{
	struct seen *s = arg;

	s->events++;
	s->event = *e;
	snprintf(s->reason, sizeof(s->reason), "%s", e->reason);
}

static void on_missed(void *arg)
{
	struct seen *s = arg;

	s->missed++;
}

static int open_handle(struct ockam_nl **nl, struct seen *seen,
		       struct ockam_err *err)
{
	const struct ockam_nl_handlers handlers = {
		.arg = seen,
		.ready = on_ready,
		.control = on_control,
		.result = on_result,
		.event = on_event,
		.missed = on_missed,
	};

	return ockam_nl_open(nl, &handlers, err);
}

static bool open_node(struct node *n)
{
	struct ockam_err err;
	bool good;

	if (unshare(CLONE_NEWNET))
		return false;
	n->ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	good = ok_ret(open_handle(&n->owner, &n->owner_saw, &err), 0, err,
		      "open the owner's handle");
	good = good && ok_ret(ockam_nl_node_own(n->owner, &err), 0, err, "own");
	good = good && ok_ret(open_handle(&n->worker, &n->worker_saw, &err), 0,
			      err, "open the worker's handle");
	good = good && ok_ret(ockam_nl_worker_bind(n->worker, &err), 0, err,
			      "bind the worker");
	setns(home, CLONE_NEWNET);
	return good;
}

static void close_node(struct node *n)
{
	ockam_nl_close(n->worker);
	ockam_nl_close(n->owner);
	close(n->ns);
}

/* Dispatch @nl until *@count reaches @want. */
static bool wait_count(struct ockam_nl *nl, const unsigned int *count,
		       unsigned int want)
{
	struct pollfd p = { .fd = ockam_nl_fd(nl), .events = POLLIN };
	struct ockam_err err;

	while (*count < want) {
		if (poll(&p, 1, SOON) <= 0)
			return false;
		if (ockam_nl_dispatch(nl, &err) < 0) {
			printf("# dispatch: %s\n", err.text);
			return false;
		}
	}
	return true;
}

static bool readable(struct ockam_nl *nl)
{
	struct pollfd p = { .fd = ockam_nl_fd(nl), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static struct ockam_nl_name name_of(const char *text)
{
	struct ockam_nl_name name = { .len = strlen(text) };

	memcpy(name.bytes, text, name.len);
	return name;
}

static bool same_name(const struct ockam_nl_name *x,
		      const struct ockam_nl_name *y)
{
	return x->len == y->len && !memcmp(x->bytes, y->bytes, x->len);
}

/* ---- node and links ------------------------------------------------------ */

static void test_node(void)
{
	struct ockam_nl_limits limits = { 0 };
	struct ockam_nl_node node;
	struct ockam_err err;
	struct ockam_nl *nl;
	unsigned int i;
	bool found = false;

	ok_ret(ockam_nl_node_get(a.owner, &node, &err), 0, err, "get the node");
	ok(node.protocol_version == 1 && node.module_version[0],
	   "versions: %u, %s", node.protocol_version, node.module_version);
	ok(node.owner_port == ockam_nl_port(a.owner) &&
	   node.worker_port == ockam_nl_port(a.worker), "ports");
	ok(node.limits.set[OCKAM_LIMIT_LINKS] &&
	   node.limits.v[OCKAM_LIMIT_LINKS] == 16384, "limits");
	for (i = 0; i < node.n_counters; i++)
		found |= !strcmp(node.counters[i].name, "links_opened");
	ok(node.n_counters > 50 && found, "%zu counters", node.n_counters);
	ockam_nl_node_free(&node);

	ok(ockam_nl_node_set(a.owner, &limits, &err) == 0, "set no limit");
	limits.set[OCKAM_LIMIT_STALL_MS] = true;
	limits.v[OCKAM_LIMIT_STALL_MS] = 0;
	ok(ockam_nl_node_set(a.owner, &limits, &err) == -ERANGE,
	   "a limit out of range: %s", err.text);
	limits.v[OCKAM_LIMIT_STALL_MS] = 1000;
	ok_ret(ockam_nl_node_set(a.owner, &limits, &err), 0, err, "set a limit");
	limits.v[OCKAM_LIMIT_STALL_MS] = 30000;
	ok_ret(ockam_nl_node_set(a.owner, &limits, &err), 0, err, "and back");

	setns(a.ns, CLONE_NEWNET);
	ok_ret(ockam_nl_open(&nl, NULL, &err), 0, err, "a handle for calls only");
	setns(home, CLONE_NEWNET);
	ok(ockam_nl_node_own(nl, &err) == -EBUSY, "owned: %s", err.text);
	ok(ockam_nl_worker_bind(nl, &err) == -EBUSY, "bound: %s", err.text);
	ok(ockam_nl_fetch(nl, 1, &(struct ockam_nl_fetched){ 0 }, &err) == -EPERM,
	   "not the worker: %s", err.text);
	ockam_nl_close(nl);
}

static int count_link(void *arg, const struct ockam_nl_link *link)
{
	struct ockam_nl_link *out = arg;

	*out = *link;
	return 0;
}

static int leave_early(void *arg, const struct ockam_nl_link *link)
{
	(void)link;
	(*(int *)arg)++;
	return -ECANCELED;
}

static int find_address(void *arg, const struct ockam_nl_address *address)
{
	struct ockam_nl_address *out = arg;

	if (same_name(&address->name, &out->name))
		*out = *address;
	return 0;
}

/* A link over one end of a connection; the other end is *@peer. */
static int make_link(struct node *n, const char *name, int *peer,
		     struct ockam_nl_made *made, struct ockam_err *err)
{
	struct ockam_nl_link_new req = {
		.framing = OCKAM_FRAMING_STREAM,
		.address = name_of(name),
		.label = "a label",
		.accepted = true,
		.stall_ms = 1200,
	};
	int fd[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return -errno;
	req.fd = fd[0];
	ret = ockam_nl_link_new(n->owner, &req, made, err);
	close(fd[0]);
	*peer = fd[1];
	return ret;
}

static void test_links(void)
{
	struct ockam_nl_link_new bad = { .fd = -1 };
	struct ockam_nl_link_set set = { .address = name_of("l1") };
	struct ockam_nl_address address = { .name = name_of("l1") };
	struct ockam_nl_made made;
	struct ockam_nl_link link;
	struct ockam_err err;
	int peer[2], left = 0;
	uint8_t ids[32];

	memset(ids, 7, sizeof(ids));
	ok_ret(ockam_nl_join_events(a.owner, &err), 0, err, "watch events");
	ok_ret(make_link(&a, "l1", &peer[0], &made, &err), 0, err, "a link");
	ok(same_name(&made.address, &set.address) && made.flow.present,
	   "its address and flow id");
	/* The event came during the call. */
	ok(readable(a.owner) && wait_count(a.owner, &a.owner_saw.events, 1) &&
	   a.owner_saw.event.event == OCKAM_EVENT_LINK_NEW &&
	   a.owner_saw.event.kind == OCKAM_KIND_LINK &&
	   same_name(&a.owner_saw.event.address, &set.address), "is announced");
	ok(!readable(a.owner), "then there is nothing more to hand out");

	ok_ret(ockam_nl_link_get(a.owner, "l1", 2, count_link, &link, &err), 0,
	       err, "look at it");
	ok(link.stall_ms == 1200 && !strcmp(link.label, "a label") &&
	   (link.flags & OCKAM_FLAG_ACCEPTED) &&
	   link.reach == OCKAM_REACH_LOCAL && !link.pair.len, "all is there");

	set.reach.set = true;
	set.reach.mask = OCKAM_REACH_ALL;
	set.reach.ids = ids;
	set.reach.n_ids = 2;
	ok_ret(ockam_nl_link_set(a.owner, &set, &err), 0, err, "change it");
	ok_ret(ockam_nl_address_dump(a.owner, find_address, &address, &err), 0,
	       err, "its address in the table");
	ok(address.kind == OCKAM_KIND_LINK && address.flow.present &&
	   address.reach == OCKAM_REACH_ALL && address.reach_ids.len == 32,
	   "is as it was changed");
	ok(ockam_nl_address_get(a.owner, "nobody", 6, find_address, &address,
				&err) == -ENOENT, "another: %s", err.text);

	ok_ret(make_link(&a, "l2", &peer[1], NULL, &err), 0, err,
	       "another link");
	memset(&set.reach, 0, sizeof(set.reach));
	set.pair = name_of("l2");
	ok_ret(ockam_nl_link_set(a.owner, &set, &err), 0, err, "pair them");
	ok(!ockam_nl_link_get(a.owner, "l2", 2, count_link, &link, &err) &&
	   same_name(&link.pair, &set.address), "the pair is shown");
	ok_ret(ockam_nl_link_set(a.owner, &set, &err), 0, err,
	       "again, which changes nothing");
	set.unpair = true;
	ok_ret(ockam_nl_link_set(a.owner, &set, &err), 0, err, "end the pair");
	ok(ockam_nl_link_dump(a.owner, leave_early, &left, &err) == -ECANCELED &&
	   left == 1, "a list that is left early: %s", err.text);
	ok(make_link(&a, "l1", &left, NULL, &err) == -EADDRINUSE,
	   "a name that is taken: %s", err.text);
	close(left);
	ok(ockam_nl_link_new(a.owner, &bad, NULL, &err) < 0,
	   "no descriptor: %s", err.text);

	ok_ret(ockam_nl_link_del(a.owner, "l1", 2, &err), 0, err, "delete it");
	ok(ockam_nl_link_get(a.owner, "l1", 2, count_link, &link, &err) ==
	   -ENOENT, "it is gone: %s", err.text);
	close(peer[0]);
	close(peer[1]);
	/* l1 new, l2 new, both gone */
	ok(wait_count(a.owner, &a.owner_saw.events, 4) &&
	   a.owner_saw.event.event == OCKAM_EVENT_LINK_DEL,
	   "the ends are announced: %d, %s", a.owner_saw.event.error,
	   a.owner_saw.reason);
}

/* ---- listeners and handshakes -------------------------------------------- */

static int keep_listener(void *arg, const struct ockam_nl_listener *listener)
{
	*(struct ockam_nl_listener *)arg = *listener;
	return 0;
}

static void test_listener(void)
{
	struct ockam_nl_listener_new req = {
		.address = name_of("api"),
		.reach = { .set = true, .mask = OCKAM_REACH_LINKS },
		.opaque = { (const uint8_t *)"listener's data", 15 },
		.timeout_ms = 5000,
	};
	struct ockam_nl_listener listener;
	struct ockam_nl_made made;
	struct ockam_err err;

	ok_ret(ockam_nl_listener_new(b.owner, &req, &made, &err), 0, err,
	       "a listener");
	ok(made.flow.present && same_name(&made.address, &req.address),
	   "its name and flow id");
	ok(ockam_nl_listener_new(b.owner, &req, &made, &err) == -EADDRINUSE,
	   "twice: %s", err.text);
	ok_ret(ockam_nl_listener_dump(b.owner, keep_listener, &listener, &err),
	       0, err, "list it");
	ok(same_name(&listener.address, &req.address) &&
	   listener.timeout_ms == 5000 && listener.reach == OCKAM_REACH_LINKS,
	   "all is there");
	ok_ret(ockam_nl_listener_get(b.owner, "api", 3, keep_listener,
				     &listener, &err), 0, err, "look at it");
	ok(ockam_nl_listener_del(b.owner, "nobody", 6, &err) == -ENOENT,
	   "delete another: %s", err.text);
}

/* One connection, a link of it in each node. */
static bool connect_nodes(void)
{
	struct ockam_nl_link_new req = { .framing = OCKAM_FRAMING_STREAM };
	struct ockam_nl_made made;
	struct ockam_err err;
	int fd[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return false;
	req.fd = fd[0];
	ret = ockam_nl_link_new(a.owner, &req, &made, &err);
	a.link = made.address;
	req.fd = fd[1];
	if (!ret)
		ret = ockam_nl_link_new(b.owner, &req, &made, &err);
	b.link = made.address;
	close(fd[0]);
	close(fd[1]);
	return ok_ret(ret, 0, err, "a link between two nodes");
}

static size_t add_hop(uint8_t *route, size_t len, const void *name, size_t n)
{
	route[len] = OCKAM_ADDR_LOCAL;
	route[len + 1] = n;
	memcpy(route + len + 2, name, n);
	return len + 2 + n;
}

/* CHANNEL_NEW on node a, to the listener @name of node b. */
static int begin(const char *name, uint32_t *seq, struct ockam_err *err)
{
	uint8_t route[600];
	size_t len = add_hop(route, 0, a.link.bytes, a.link.len);
	struct ockam_nl_channel_new req = {
		.opaque = { (const uint8_t *)"initiator's data", 16 },
		.confirm_ms = 500,
	};

	req.route.data = route;
	req.route.len = add_hop(route, len, name, strlen(name));
	return ockam_nl_channel_new(a.owner, &req, seq, err);
}

/* The worker of @n fetches what it was told of. */
static bool fetch(struct node *n, unsigned int ready, uint8_t role,
		  uint32_t number, const char *message, const char *opaque)
{
	struct ockam_nl_fetched f;
	struct ockam_err err;
	bool good;

	if (!ok(wait_count(n->worker, &n->worker_saw.ready, ready),
		"the worker is told"))
		return false;
	if (!ok_ret(ockam_nl_fetch(n->worker, n->worker_saw.exchange, &f, &err),
		    0, err, "and fetches"))
		return false;
	good = f.role == role && f.message_number == number &&
	       f.opaque.len == strlen(opaque) &&
	       !memcmp(f.opaque.data, opaque, f.opaque.len) &&
	       (message ? f.message.len == strlen(message) &&
			  !memcmp(f.message.data, message, f.message.len) :
			  !f.message.data);
	ok(good, "message %u of role %u", number, role);
	ockam_nl_fetched_free(&f);
	return good;
}

static bool send_message(struct node *n, const char *text)
{
	struct ockam_err err;

	return ok_ret(ockam_nl_handshake_send(n->worker, n->worker_saw.exchange,
					      text, strlen(text), &err), 0, err,
		      "send %s", text);
}

/* Up to the third message, which the worker of b has then fetched. */
static bool play(unsigned int a_ready, unsigned int b_ready)
{
	return fetch(&a, a_ready + 1, OCKAM_ROLE_INITIATOR, 0, NULL,
		     "initiator's data") && send_message(&a, "m1") &&
	       fetch(&b, b_ready + 1, OCKAM_ROLE_RESPONDER, 1, "m1",
		     "listener's data") && send_message(&b, "m2") &&
	       fetch(&a, a_ready + 2, OCKAM_ROLE_INITIATOR, 1, "m2",
		     "initiator's data") && send_message(&a, "m3") &&
	       fetch(&b, b_ready + 2, OCKAM_ROLE_RESPONDER, 2, "m3",
		     "listener's data");
}

static uint8_t key_1[32], key_2[32], id_a[32], id_b[32];

/* Test kernels watch that no key is used twice. */
static void new_keys(void)
{
	if (getrandom(key_1, sizeof(key_1), 0) < 0 || getrandom(key_2, sizeof(key_2), 0) < 0)
		abort();
}

static int finish(struct node *n, bool initiator, bool control,
		  struct ockam_err *err)
{
	static const uint8_t body[] = { 0x82, 0x80, 0x80 };
	struct ockam_nl_done done = {
		.exchange_id = n->worker_saw.exchange,
		.key_tx = initiator ? key_1 : key_2,
		.key_rx = initiator ? key_2 : key_1,
		.peer = initiator ? id_b : id_a,
		.local_id = initiator ? id_a : id_b,
		.attributes = { (const uint8_t *)"attributes", 10 },
	};

	if (control) {
		done.control.data = body;
		done.control.len = sizeof(body);
	}
	return ockam_nl_done(n->worker, &done, err);
}

static int keep_channel(void *arg, const struct ockam_nl_channel *ch)
{
	*(struct ockam_nl_channel *)arg = *ch;
	return 0;
}

static void test_channel(void)
{
	struct ockam_nl_channel_set set = { .set_expiry = true };
	static const uint8_t body[] = { 0x82, 0x81, 0x01, 0x80 };
	struct ockam_nl_result *r = &a.owner_saw.result;
	struct ockam_nl_channel ch = { 0 };
	struct ockam_err err;
	uint32_t seq;
	int ret;

	ok_ret(begin("api", &seq, &err), 0, err, "begin a handshake");
	if (!play(0, 0))
		return;
	ok(a.owner_saw.results == 0, "no result before the end");
	ok_ret(finish(&b, false, true, &err), 0, err, "the responder is done");
	ok_ret(finish(&a, true, false, &err), 0, err, "the initiator is done");
	/* It is gone already, or only waits for the peer's first packet. */
	ret = finish(&a, true, false, &err);
	ok(ret == -ENOENT || ret == -EPROTO, "not twice: %s", err.text);
	if (!ok(wait_count(a.owner, &a.owner_saw.results, 1) && !r->error &&
		r->seq == seq, "the result: %d, %s", r->error,
		a.owner_saw.reason))
		return;
	ok(r->confirmed && r->peer.present && !memcmp(r->peer.id, id_b, 32) &&
	   r->encryptor.len && r->decryptor.len && r->flow.present,
	   "is a confirmed channel");
	ok(wait_count(a.worker, &a.worker_saw.controls, 1) &&
	   a.worker_saw.control.body.len == 3 &&
	   same_name(&a.worker_saw.control.encryptor, &r->encryptor),
	   "the worker is given the control body of packet 0");

	ok_ret(ockam_nl_channel_get(a.owner, r->encryptor.bytes,
				    r->encryptor.len, keep_channel, &ch, &err),
	       0, err, "look at it");
	ok(ch.role == OCKAM_ROLE_INITIATOR && same_name(&ch.decryptor, &r->decryptor) &&
	   !memcmp(ch.peer.id, id_b, 32) && !memcmp(ch.local.id, id_a, 32) &&
	   (ch.flags & OCKAM_FLAG_INITIATOR) && (ch.flags & OCKAM_FLAG_CONFIRMED) &&
	   ch.rx_messages == 1, "all is there");
	ok_ret(ockam_nl_channel_dump(b.owner, keep_channel, &ch, &err), 0, err,
	       "list the other side");
	ok(ch.role == OCKAM_ROLE_RESPONDER && ch.listener.len == 3 &&
	   ch.tx_messages == 1, "it too");

	ok_ret(ockam_nl_control_send(a.worker, r->encryptor.bytes,
				     r->encryptor.len, body, sizeof(body), &err),
	       0, err, "send a control body");
	ok(wait_count(b.worker, &b.worker_saw.controls, 1) &&
	   b.worker_saw.control.body.len == sizeof(body) &&
	   !memcmp(b.worker_saw.body, body, sizeof(body)), "it arrives");
	ok(ockam_nl_control_send(a.owner, r->encryptor.bytes, r->encryptor.len,
				 body, sizeof(body), &err) == -EPERM,
	   "the owner may not: %s", err.text);

	set.encryptor = r->encryptor;
	set.expiry = 4000000000;
	ok_ret(ockam_nl_channel_set(a.owner, &set, &err), 0, err,
	       "change its expiry");
	ok(!ockam_nl_channel_get(a.owner, r->encryptor.bytes, r->encryptor.len,
				 keep_channel, &ch, &err) &&
	   ch.expiry == 4000000000, "it is changed");
	set.reach.set = true;
	ok(ockam_nl_channel_set(a.owner, &set, &err) == -EINVAL,
	   "two changes at once: %s", err.text);
	ok_ret(ockam_nl_channel_del(a.owner, r->encryptor.bytes,
				    r->encryptor.len, &err), 0, err, "delete it");
	ok(ockam_nl_channel_del(a.owner, r->encryptor.bytes, r->encryptor.len,
				&err) == -ENOENT, "twice: %s", err.text);
}

static void test_failures(void)
{
	unsigned int a_ready = a.worker_saw.ready, b_ready = b.worker_saw.ready;
	unsigned int results = a.owner_saw.results;
	struct ockam_nl_result *r = &a.owner_saw.result;
	struct ockam_nl_fetched f;
	struct ockam_err err;
	uint32_t seq;

	ok_ret(begin("api", &seq, &err), 0, err, "begin another");
	ok(wait_count(a.worker, &a.worker_saw.ready, ++a_ready), "told");
	ok_ret(ockam_nl_done_failed(a.worker, a.worker_saw.exchange, -EACCES,
				    "it is not who it should be", &err), 0, err,
	       "the worker gives up");
	ok(wait_count(a.owner, &a.owner_saw.results, ++results) &&
	   r->seq == seq && r->error == -EACCES &&
	   !strcmp(a.owner_saw.reason, "it is not who it should be"),
	   "the result is its reason");
	ok(ockam_nl_fetch(a.worker, a.worker_saw.exchange, &f, &err) == -ENOENT,
	   "the exchange is gone: %s", err.text);

	ok_ret(begin("api", &seq, &err), 0, err, "one with a confused worker");
	ok(wait_count(a.worker, &a.worker_saw.ready, ++a_ready), "told");
	ok(ockam_nl_done_failed(b.worker, a.worker_saw.exchange, -EIO, "no",
				&err) == -ENOENT,
	   "another node's exchange: %s", err.text);
	ok(ockam_nl_done_failed(a.worker, a.worker_saw.exchange, 0, "yes",
				&err) == -EINVAL, "success without keys: %s",
	   err.text);
	ok_ret(ockam_nl_done_failed(a.worker, a.worker_saw.exchange, -EPROTO,
				    "confused", &err), 0, err,
	       "which did nothing: it gives up");
	ok(wait_count(a.owner, &a.owner_saw.results, ++results) &&
	   r->seq == seq && r->error == -EPROTO, "has failed: %s",
	   a.owner_saw.reason);

	ok_ret(begin("api", &seq, &err), 0, err, "one with a wrong errno");
	ok(wait_count(a.worker, &a.worker_saw.ready, ++a_ready), "told");
	ok(ockam_nl_done_failed(a.worker, a.worker_saw.exchange, 5, "five",
				&err) == -ERANGE, "positive: %s", err.text);
	ok_ret(ockam_nl_done_failed(a.worker, a.worker_saw.exchange, -EPROTO,
				    "confused", &err), 0, err,
	       "nor did that");
	ok(wait_count(a.owner, &a.owner_saw.results, ++results) &&
	   r->seq == seq && r->error == -EPROTO, "has failed: %s",
	   a.owner_saw.reason);

	ok_ret(begin("api", &seq, &err), 0, err, "one that the responder refuses");
	new_keys();
	if (play(a_ready, b_ready)) {
		const struct ockam_nl_done done = {
			.exchange_id = b.worker_saw.exchange,
			.key_tx = key_2,
			.key_rx = key_1,
			.peer = id_a,
		};

		ok_ret(ockam_nl_done_refused(b.worker, &done, -EACCES,
					     "not on the list", &err), 0, err,
		       "refuse it");
		ok_ret(finish(&a, true, false, &err), 0, err,
		       "the initiator installs its keys");
		ok(wait_count(a.owner, &a.owner_saw.results, ++results) &&
		   r->seq == seq && r->error, "and learns of it: %d, %s",
		   r->error, a.owner_saw.reason);
	}

	ok_ret(begin("api", &seq, &err), 0, err, "one that loses its worker");
	ok(wait_count(a.worker, &a.worker_saw.ready, a.worker_saw.ready + 1),
	   "told");
	ockam_nl_close(a.worker);
	a.worker = NULL;
	ok(wait_count(a.owner, &a.owner_saw.results, ++results) &&
	   r->seq == seq && r->error, "it fails: %d, %s", r->error,
	   a.owner_saw.reason);
	ok(begin("api", &seq, &err) == -ESRCH, "no worker: %s", err.text);
}

int main(void)
{
	new_keys();
	memset(id_a, 3, 32);
	memset(id_b, 4, 32);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!open_node(&a) || !open_node(&b))
		return 1;
	test_node();
	test_links();
	test_listener();
	if (connect_nodes()) {
		test_channel();
		test_failures();
	}
	close_node(&a);
	close_node(&b);
	return tap_done();
}
