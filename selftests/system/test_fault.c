// SPDX-License-Identifier: Apache-2.0
/*
 * Every entry point with each of its allocations failing in turn: sockets, and
 * all commands of the netlink family. Nothing is left behind, nothing half
 * done, and the kernel does not complain.
 *
 * where: uml
 * long: debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fault.h"

static struct nlh_msg m;
static int fd = -1, other = -1;
static uint8_t bytes[100000];

/* ---- sockets ------------------------------------------------------------------ */

static int outside;

static void enter(void)
{
	outside = nlh_enter(&node);
}

static void fresh(void)
{
	enter();
	fd = sock_new();
	nlh_leave(outside);
}

static void close_both(void)
{
	if (fd >= 0)
		close(fd);
	if (other >= 0)
		close(other);
	fd = -1;
	other = -1;
}

static bool closed(int ret)
{
	close_both();
	return ret <= 0;
}

static bool left(int ret)
{
	nlh_leave(outside);
	return closed(ret);
}

static int run_socket(void)
{
	fd = socket(AF_OCKAM, SOCK_DGRAM, 0);
	return fd < 0 ? -errno : 0;
}

static int run_bind(void)
{
	return -sock_bind(fd, NAME("fault"));
}

static int run_bind_random(void)
{
	return -sock_bind(fd, NO_NAME);
}

static int run_connect(void)
{
	return -sock_connect(fd, NAME("fault", "further", "0123456789abcdef0123456789abcdef"));
}

static void pair(void)
{
	int one = 1;

	fd = node_socket("fault-a");
	other = node_socket("fault-b");
	setsockopt(other, SOL_OCKAM, OCKAM_RECVROUTE, &one, sizeof(one));
	setsockopt(other, SOL_OCKAM, OCKAM_RECVPEER, &one, sizeof(one));
}

/* A message that was sent has arrived, another one has not. */
static bool arrived(int ret)
{
	long got = sock_recv(other, bytes, sizeof(bytes), 0, NULL);

	close_both();
	return ret ? got == -EAGAIN : got >= 0;
}

static int run_send(void)
{
	return -sock_send(fd, NAME("fault-b"), "hello", 5);
}

/* A large message along a route that does not fit an address. */
static int run_send_long(void)
{
	static char control[CMSG_SPACE(2048)] ALIGNED;
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c = (struct cmsghdr *)control;
	uint8_t *route = CMSG_DATA(c);
	size_t len = ch_pack(route, "fault-b", NULL);

	for (int i = 0; i < 20; i++)
		len += ch_pack(route + len, "a hop that is as long as many", NULL);
	c->cmsg_level = SOL_OCKAM;
	c->cmsg_type = OCKAM_CMSG_ROUTE;
	c->cmsg_len = CMSG_LEN(len);
	msg.msg_controllen = CMSG_SPACE(len);
	return sendmsg(fd, &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void pair_and_message(void)
{
	pair();
	run_send_long();
}

static int run_receive(void)
{
	static struct received r;
	long n = sock_recvmsg(other, &r, sizeof(r.control), 0);

	return n < 0 ? n : 0;
}

static int run_setsockopt(void)
{
	return -sock_set(fd, OCKAM_RECVROUTE, 1);
}

static int run_getsockopt(void)
{
	socklen_t len = sizeof(int);
	int v;

	return getsockopt(fd, SOL_OCKAM, OCKAM_REACH, &v, &len) ? -errno : 0;
}

static const struct fault_op sockets[] = {
	{ "socket", enter, run_socket, left },
	{ "bind", fresh, run_bind, closed },
	{ "bind to a random name", fresh, run_bind_random, closed },
	{ "connect", fresh, run_connect, closed },
	{ "sendto", pair, run_send, arrived },
	{ "sendmsg along a long route", pair, run_send_long, arrived },
	{ "recvmsg", pair_and_message, run_receive, closed },
	{ "setsockopt", fresh, run_setsockopt, closed },
	{ "getsockopt", fresh, run_getsockopt, closed },
};

/* ---- through a link and a channel ---------------------------------------------- */

static struct lh_link link_b;
static struct ch_channel channel;
static uint64_t exchange;

static void open_link(void)
{
	lh_open(&link_b, &node, LH_UNIX, NULL);
	fd = node_socket("fault-a");
}

static void close_link(void)
{
	char name[256];

	strcpy(name, link_b.name);
	nlh_link_del(&node, name);
	lh_close(&link_b);
	nlh_link_wait_gone(&node, name, CH_SOON);
	close_both();
}

static int run_send_link(void)
{
	return -sock_send(fd, NAME(link_b.name, "there"), bytes, 3000);
}

/* The link, or the channel, ends at once. */
static bool ends(void)
{
	return !nlh_link_wait_gone(&node, link_b.name, CH_SOON) ||
	       ch_get(&node, channel.encryptor, &m) == -ENOENT;
}

/*
 * What was taken arrives, or the link is gone: a stream has no holes. What was
 * refused does not arrive.
 */
static bool link_sent(int ret)
{
	bool alive = !nlh_link_get(&node, link_b.name, NULL);
	struct lh_message f;
	bool good = true;

	if (alive && !ret)
		good = (lh_read_frame(link_b.raw, &f) && f.len == 3000) || ends();
	else if (alive)
		good = lh_silent(&link_b);
	close_link();
	return good;
}

static void open_channel(void)
{
	open_link();
	if (!ch_open_responder(&worker, &node, &link_b, &channel, key_tx, key_rx)) {
		printf("Bail out! no channel\n");
		exit(1);
	}
}

static int run_send_channel(void)
{
	return -sock_send(fd, NAME(channel.encryptor, "there"), bytes, 3000);
}

/* As with a link; and no number was used for what was not sent. */
static bool channel_sent(int ret)
{
	bool alive = !ch_get(&node, channel.encryptor, &m);
	struct ockam_plaintext p;
	struct lh_message f;
	bool good = true;

	if (alive && !ret)
		good = (ch_peer_read(&channel, &f, &p) && p.body.len == 3000 &&
			!channel.open.highest) || ends();
	else if (alive)
		good = !sock_send(fd, NAME(channel.encryptor, "there"), "next", 4) &&
		       ch_peer_read(&channel, &f, &p) && p.body.len == 4 &&
		       !channel.open.highest;
	ch_del(&node, channel.encryptor);
	close_link();
	return good;
}

static const struct fault_op paths[] = {
	{ "sendto through a link", open_link, run_send_link, link_sent },
	{ "sendto through a channel", open_channel, run_send_channel, channel_sent },
};

/* ---- netlink: nodes, addresses, links, listeners --------------------------------- */

static bool any(int ret)
{
	return ret <= 0;
}

static int run_node_get(void)
{
	nlh_begin(&m, OCKAM_CMD_NODE_GET);
	return fault_request(&node, &m);
}

static int run_node_set(void)
{
	struct nlattr *nest;

	nlh_begin(&m, OCKAM_CMD_NODE_SET);
	nest = (struct nlattr *)(m.bytes + m.len);
	nlh_put(&m, OCKAM_A_LIMITS | NLA_F_NESTED, NULL, 0);
	nlh_put_u64(&m, OCKAM_LIMIT_STALL_MS, 20000);
	nest->nla_len += NLA_HDRLEN + sizeof(uint64_t);
	return fault_request(&node, &m);
}

static int run_dump(uint8_t cmd)
{
	nlh_begin(&m, cmd);
	m.hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return fault_request(&node, &m);
}

static int run_address_dump(void)
{
	return run_dump(OCKAM_CMD_ADDRESS_GET);
}

static int run_link_dump(void)
{
	return run_dump(OCKAM_CMD_LINK_GET);
}

static int run_listener_dump(void)
{
	return run_dump(OCKAM_CMD_LISTENER_GET);
}

static int run_channel_dump(void)
{
	return run_dump(OCKAM_CMD_CHANNEL_GET);
}

static int run_named(uint8_t cmd, const char *name)
{
	nlh_begin(&m, cmd);
	nlh_put(&m, OCKAM_A_ADDRESS, name, strlen(name));
	return fault_request(&node, &m);
}

static int run_address_get(void)
{
	return run_named(OCKAM_CMD_ADDRESS_GET, "api");
}

static int run_link_get(void)
{
	return run_named(OCKAM_CMD_LINK_GET, link_a.name);
}

static int run_listener_get(void)
{
	return run_named(OCKAM_CMD_LISTENER_GET, "api");
}

static int raw[2];

static void connect_raw(void)
{
	if (lh_connect(LH_UNIX, raw)) {
		printf("Bail out! no connection\n");
		exit(1);
	}
}

static int run_link_new(void)
{
	nlh_begin(&m, OCKAM_CMD_LINK_NEW);
	nlh_put(&m, OCKAM_A_FD, &raw[0], sizeof(raw[0]));
	nlh_put_u8(&m, OCKAM_A_FRAMING, OCKAM_FRAMING_STREAM);
	nlh_put(&m, OCKAM_A_ADDRESS, "fault-link", 10);
	nlh_put_text(&m, OCKAM_A_LABEL, "a label");
	nlh_put(&m, OCKAM_A_REACH_IDS, bytes, 3 * OCKAM_FLOW_ID_LEN);
	return fault_request(&node, &m);
}

/* A link that was refused is not there, and its socket is as before. */
static bool link_made(int ret)
{
	bool there = !nlh_link_get(&node, "fault-link", NULL);
	bool good = ret == FAULT_LOST || there == !ret;

	if (there)
		nlh_link_del(&node, "fault-link");
	else
		good = good && send(raw[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
	close(raw[0]);
	close(raw[1]);
	nlh_link_wait_gone(&node, "fault-link", CH_SOON);
	return good;
}

static int run_link_set(void)
{
	nlh_begin(&m, OCKAM_CMD_LINK_SET);
	nlh_put(&m, OCKAM_A_ADDRESS, link_a.name, strlen(link_a.name));
	nlh_put_text(&m, OCKAM_A_LABEL, "another label");
	nlh_put(&m, OCKAM_A_REACH_IDS, bytes, 5 * OCKAM_FLOW_ID_LEN);
	return fault_request(&node, &m);
}

static int run_link_pair(void)
{
	nlh_begin(&m, OCKAM_CMD_LINK_SET);
	nlh_put(&m, OCKAM_A_ADDRESS, link_a.name, strlen(link_a.name));
	nlh_put(&m, OCKAM_A_PAIR, link_b.name, strlen(link_b.name));
	return fault_request(&node, &m);
}

/* Both ends know the pair, or none. */
static bool paired(int ret)
{
	struct nlh_link a, b;
	bool good;

	good = !nlh_link_get(&node, link_a.name, &a) && !nlh_link_get(&node, link_b.name, &b) &&
	       !a.pair[0] == !b.pair[0] && (ret == FAULT_LOST || !a.pair[0] == !!ret);
	nlh_link_unpair(&node, link_a.name, link_b.name);
	close_link();
	return good;
}

static int run_link_del(void)
{
	return run_named(OCKAM_CMD_LINK_DEL, link_b.name);
}

static bool link_closed(int ret)
{
	close_link();
	return ret <= 0;
}

static int run_listener_new(void)
{
	nlh_begin(&m, OCKAM_CMD_LISTENER_NEW);
	nlh_put(&m, OCKAM_A_ADDRESS, "fault", 5);
	nlh_put_u32(&m, OCKAM_A_REACH, OCKAM_REACH_ALL);
	nlh_put(&m, OCKAM_A_REACH_IDS, bytes, 3 * OCKAM_FLOW_ID_LEN);
	nlh_put(&m, OCKAM_A_OPAQUE, bytes, 5000);
	return fault_request(&node, &m);
}

static bool listener_made(int ret)
{
	int err;

	nlh_begin(&m, OCKAM_CMD_LISTENER_DEL);
	nlh_put(&m, OCKAM_A_ADDRESS, "fault", 5);
	err = nlh_call(&node, &m, NULL);
	return ret == FAULT_LOST || !err == !ret;
}

static void make_listener(void)
{
	ch_listener(&node, "fault", 0);
}

static int run_listener_set(void)
{
	nlh_begin(&m, OCKAM_CMD_LISTENER_SET);
	nlh_put(&m, OCKAM_A_ADDRESS, "fault", 5);
	nlh_put(&m, OCKAM_A_OPAQUE, bytes, 7000);
	return fault_request(&node, &m);
}

static bool listener_set(int ret)
{
	(void)ret;
	return listener_made(0);
}

static int run_listener_del(void)
{
	return run_named(OCKAM_CMD_LISTENER_DEL, "fault");
}

static bool listener_gone(int ret)
{
	bool there = listener_made(0);

	return ret == FAULT_LOST || there == !!ret;
}

static struct nlh second;
static struct ch_worker second_worker;

static void new_node(void)
{
	if (nlh_open_new(&second)) {
		printf("Bail out! no namespace\n");
		exit(1);
	}
}

static int run_node_own(void)
{
	nlh_begin(&m, OCKAM_CMD_NODE_OWN);
	return fault_request(&second, &m);
}

static bool node_left(int ret)
{
	nlh_close(&second);
	return ret <= 0;
}

static void own_node(void)
{
	new_node();
	nlh_own(&second);
	ch_listener(&second, "api", 0);
}

static int run_node_del(void)
{
	nlh_begin(&m, OCKAM_CMD_NODE_DEL);
	return fault_request(&second, &m);
}

static void own_node_for_worker(void)
{
	own_node();
	nlh_open_in(&second_worker.h, &second);
}

static int run_worker_bind(void)
{
	nlh_begin(&m, OCKAM_CMD_WORKER_BIND);
	return fault_request(&second_worker.h, &m);
}

static bool worker_left(int ret)
{
	nlh_close(&second_worker.h);
	return node_left(ret);
}

static const struct fault_op objects[] = {
	{ "NODE_GET", NULL, run_node_get, any },
	{ "NODE_SET", NULL, run_node_set, any },
	{ "NODE_OWN", new_node, run_node_own, node_left },
	{ "NODE_DEL", own_node, run_node_del, node_left },
	{ "WORKER_BIND", own_node_for_worker, run_worker_bind, worker_left },
	{ "ADDRESS_GET", NULL, run_address_get, any },
	{ "ADDRESS_GET, all", NULL, run_address_dump, any },
	{ "LINK_NEW", connect_raw, run_link_new, link_made },
	{ "LINK_GET", NULL, run_link_get, any },
	{ "LINK_GET, all", NULL, run_link_dump, any },
	{ "LINK_SET", NULL, run_link_set, any },
	{ "LINK_SET, a pair", open_link, run_link_pair, paired },
	{ "LINK_DEL", open_link, run_link_del, link_closed },
	{ "LISTENER_NEW", NULL, run_listener_new, listener_made },
	{ "LISTENER_GET", NULL, run_listener_get, any },
	{ "LISTENER_GET, all", NULL, run_listener_dump, any },
	{ "LISTENER_SET", make_listener, run_listener_set, listener_set },
	{ "LISTENER_DEL", make_listener, run_listener_del, listener_gone },
};

/* ---- netlink: handshakes and channels --------------------------------------------- */

static int run_channel_new(void)
{
	uint8_t route[600];

	nlh_begin(&m, OCKAM_CMD_CHANNEL_NEW);
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, link_b.name, "api", NULL));
	nlh_put(&m, OCKAM_A_OPAQUE, bytes, 5000);
	nlh_put(&m, OCKAM_A_REACH_IDS, bytes, 2 * OCKAM_FLOW_ID_LEN);
	nlh_put_u32(&m, OCKAM_A_TIMEOUT_MS, 500);
	return fault_request(&req, &m);
}

/* The exchange, if there is one, is given up; or times out. */
static bool exchange_over(int ret)
{
	drain_worker();
	close_link();
	return ret <= 0;
}

static void first_message_here(void)
{
	open_link();
	ch_write(&link_b, "api", "msg1", 4);
	exchange = ch_worker_ready(&worker, CH_SOON);
}

static void first_message_fetched(void)
{
	first_message_here();
	ch_fetch(&worker, exchange, &m);
}

static int run_fetch(void)
{
	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_FETCH);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, exchange);
	return fault_request(&worker.h, &m);
}

static int run_handshake_send(void)
{
	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_SEND);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, exchange);
	nlh_put(&m, OCKAM_A_MESSAGE, bytes, 400);
	return fault_request(&worker.h, &m);
}

static void respond(void)
{
	open_link();
	exchange = ch_respond(&worker, &link_b, &channel);
}

/* A third message that is none, and the right one behind it. */
static void respond_twice(void)
{
	long long before = nlh_counter(&node, "drop_no_address");

	respond();
	ch_write(&link_b, channel.decryptor, "msg3", 4);
	ch_write(&link_b, "nobody", "that was all", 12);
	lh_wait_counter(&node, "drop_no_address", before + 1, CH_SOON);
}

static int run_skip(void)
{
	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_SKIP);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, exchange);
	return fault_request(&worker.h, &m);
}

static bool give_up(int ret)
{
	ch_done(&worker, exchange, &(struct ch_done){ .error = -ECANCELED });
	return exchange_over(ret);
}

static void initiate(void)
{
	open_link();
	exchange = ch_initiate(&worker, &req, &link_b, &channel, 100);
}

static int run_done_with(int32_t error)
{
	static const uint8_t body[] = { 0x82, 0x40, 0x80 };

	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_DONE);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, exchange);
	nlh_put(&m, OCKAM_A_ERRNO, &error, sizeof(error));
	if (error)
		nlh_put_text(&m, OCKAM_A_REASON, "not today");
	nlh_put(&m, OCKAM_A_KEY_TX, key_tx, sizeof(key_tx));
	nlh_put(&m, OCKAM_A_KEY_RX, key_rx, sizeof(key_rx));
	nlh_put(&m, OCKAM_A_PEER, ch_peer, sizeof(ch_peer));
	if (!error) {
		nlh_put(&m, OCKAM_A_CONTROL, body, sizeof(body));
		nlh_put(&m, OCKAM_A_ATTRIBUTES, bytes, 1000);
		nlh_put(&m, OCKAM_A_REACH_IDS, bytes, 2 * OCKAM_FLOW_ID_LEN);
	}
	return fault_request(&worker.h, &m);
}

static int run_done(void)
{
	return run_done_with(0);
}

static int run_done_refused(void)
{
	return run_done_with(-EACCES);
}

/* With keys there is a channel, without there is neither that nor an exchange. */
static bool channel_made(int ret)
{
	bool there = !ch_get(&node, channel.decryptor, &m);
	bool good = ret == FAULT_LOST || there == !ret;

	if (there)
		ch_del(&node, channel.decryptor);
	ch_done(&worker, exchange, &(struct ch_done){ .error = -ECANCELED });
	return exchange_over(ret) && good;
}

static int run_channel_get(void)
{
	nlh_begin(&m, OCKAM_CMD_CHANNEL_GET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, channel.encryptor, strlen(channel.encryptor));
	return fault_request(&node, &m);
}

static void open_initiator(void)
{
	open_link();
	if (!ch_open_initiator(&worker, &node, &req, &link_b, &channel, key_tx, key_rx)) {
		printf("Bail out! no channel\n");
		exit(1);
	}
}

static void begin_channel_set(void)
{
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, channel.encryptor, strlen(channel.encryptor));
}

static int run_set_route(void)
{
	uint8_t route[600];

	begin_channel_set();
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, link_b.name,
						  "a hop that is longer than the one before it",
						  "and another one, so that it needs memory of its own",
						  NULL));
	return fault_request(&node, &m);
}

static int run_set_attributes(void)
{
	begin_channel_set();
	nlh_put(&m, OCKAM_A_ATTRIBUTES, bytes, 1000);
	nlh_put_u64(&m, OCKAM_A_EXPIRY, 1ull << 40);
	return fault_request(&node, &m);
}

static int run_set_reach(void)
{
	begin_channel_set();
	nlh_put_u32(&m, OCKAM_A_REACH, OCKAM_REACH_LOCAL);
	nlh_put(&m, OCKAM_A_REACH_IDS, bytes, 4 * OCKAM_FLOW_ID_LEN);
	return fault_request(&node, &m);
}

static int run_set_liveness(void)
{
	begin_channel_set();
	nlh_put_u32(&m, OCKAM_A_LIVENESS_MS, 60000);
	return fault_request(&node, &m);
}

static int run_channel_del(void)
{
	nlh_begin(&m, OCKAM_CMD_CHANNEL_DEL);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, channel.encryptor, strlen(channel.encryptor));
	return fault_request(&node, &m);
}

static int run_control(void)
{
	static const uint8_t body[] = { 0x82, 0x40, 0x80 };

	nlh_begin(&m, OCKAM_CMD_CHANNEL_CONTROL);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, channel.encryptor, strlen(channel.encryptor));
	nlh_put(&m, OCKAM_A_CONTROL, body, sizeof(body));
	return fault_request(&worker.h, &m);
}

static bool channel_over(int ret)
{
	ch_del(&node, channel.encryptor);
	close_link();
	return ret <= 0;
}

static const struct fault_op channels[] = {
	{ "CHANNEL_NEW", open_link, run_channel_new, exchange_over },
	{ "HANDSHAKE_FETCH", first_message_here, run_fetch, give_up },
	{ "HANDSHAKE_SEND", first_message_fetched, run_handshake_send, give_up },
	{ "HANDSHAKE_SKIP", respond_twice, run_skip, give_up },
	{ "HANDSHAKE_DONE of a responder", respond, run_done, channel_made },
	{ "HANDSHAKE_DONE of an initiator", initiate, run_done, channel_made },
	{ "HANDSHAKE_DONE, a refusal", respond, run_done_refused, exchange_over },
	{ "CHANNEL_GET", open_channel, run_channel_get, channel_over },
	{ "CHANNEL_GET, all", open_channel, run_channel_dump, channel_over },
	{ "CHANNEL_SET, the route", open_initiator, run_set_route, channel_over },
	{ "CHANNEL_SET, attributes", open_channel, run_set_attributes, channel_over },
	{ "CHANNEL_SET, reachability", open_channel, run_set_reach, channel_over },
	{ "CHANNEL_SET, liveness", open_channel, run_set_liveness, channel_over },
	{ "CHANNEL_CONTROL", open_channel, run_control, channel_over },
	{ "CHANNEL_DEL", open_channel, run_channel_del, channel_over },
};

#define TRY_ALL(ops)							\
	do {								\
		for (size_t i = 0; i < sizeof(ops) / sizeof(*(ops)); i++)	\
			fault_try(&(ops)[i]);				\
	} while (0)

int main(void)
{
	open_node();
	worker_again();
	fault_init();
	TRY_ALL(sockets);
	TRY_ALL(paths);
	TRY_ALL(objects);
	TRY_ALL(channels);
	close_node();
	return tap_done();
}
