// SPDX-License-Identifier: Apache-2.0
/*
 * Who moves the route of a responder: the newest packet of its peer, by
 * whatever path it comes, and nothing that is not such a packet.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "exchange.h"

static struct lh_link link_b;
static long long updates;

/* One packet of the peer, kept. */
struct packet {
	uint8_t bytes[512];
	size_t len;
};

static struct packet seal(struct ch_channel *c)
{
	struct ockam_route onward = {}, back = {};
	struct ockam_buf plain = {};
	struct ockam_err err;
	struct packet p;

	ockam_route_append_text(&onward, "mover", &err);
	ockam_route_append_text(&back, "peer-enc", &err);
	ockam_plaintext_payload(&onward, &back, "move", 4, &plain);
	p.len = plain.len + OCKAM_PACKET_OVERHEAD;
	if (ockam_packet_seal(&c->seal, plain.data, plain.len, p.bytes, &err))
		p.len = 0;
	ockam_buf_free(&plain);
	return p;
}

static void deliver(struct lh_link *l, const struct ch_channel *c, const struct packet *p)
{
	ch_packet(l, c->decryptor, p->bytes, p->len);
}

/* Where the node's next packet goes. */
static struct lh_link *route_of(struct ch_channel *c)
{
	static struct nlh_msg m;
	const uint8_t *route;
	size_t len;

	if (ch_get(&node, c->encryptor, &m))
		return NULL;
	route = nlh_attr(&m, OCKAM_A_ROUTE, &len);
	if (!route || len < 2 || len < 2u + route[1])
		return NULL;
	if (route[1] == strlen(link_a.name) && !memcmp(route + 2, link_a.name, route[1]))
		return &link_a;
	return route[1] == strlen(link_b.name) && !memcmp(route + 2, link_b.name, route[1]) ?
	       &link_b : NULL;
}

/* @p comes over the other link and is dropped as @counter; nothing moves. */
static void check_refused(struct ch_channel *c, const struct packet *p, const char *counter,
			  const char *what)
{
	long long before = count(counter);

	deliver(&link_b, c, p);
	check_count(counter, before + 1, what);
	ok(route_of(c) == &link_a && count("channel_route_updates") == updates,
	   "%s: nothing has moved", what);
}

static void test_attacks(struct ch_channel *c, int fd)
{
	struct packet p = seal(c), first = p, newest, forged;
	char buf[16];

	deliver(&link_a, c, &p);
	ok(receive(fd, buf, sizeof(buf)) == 4, "packet 0 arrives");
	check_refused(c, &first, "drop_packet_replayed", "packet 0 once more");
	for (int i = 0; i < 3; i++) {
		newest = seal(c);
		deliver(&link_a, c, &newest);
		ok(receive(fd, buf, sizeof(buf)) == 4, "packet %d arrives", i + 1);
	}
	check_refused(c, &newest, "drop_packet_replayed", "the newest once more");
	check_refused(c, &first, "drop_packet_replayed", "packet 0 after it");

	forged = seal(c);
	p = forged;
	forged.bytes[forged.len - 1] ^= 1;
	check_refused(c, &forged, "drop_packet_bad_tag", "a changed tag");
	forged = p;
	forged.bytes[OCKAM_PACKET_OVERHEAD / 2] ^= 0x80;
	check_refused(c, &forged, "drop_packet_bad_tag", "changed text");
	forged = p;
	forged.bytes[7]++;
	check_refused(c, &forged, "drop_packet_bad_tag", "a changed nonce");
	memset(&forged, 0, sizeof(forged));
	forged.len = 64;
	check_refused(c, &forged, "drop_packet_replayed", "nonce 0 and nothing behind it");
	forged.len = OCKAM_PACKET_OVERHEAD - 1;
	check_refused(c, &forged, "drop_packet_short", "half a packet");

	/* The true one still counts, and a late older one moves nothing. */
	newest = seal(c);
	deliver(&link_a, c, &newest);
	ok(receive(fd, buf, sizeof(buf)) == 4, "a newer one arrives");
	deliver(&link_b, c, &p);
	ok(receive(fd, buf, sizeof(buf)) == 4 && route_of(c) == &link_a,
	   "an older one by another path is taken, and moves nothing");
}

/*
 * The outer route is nobody's: who holds back a packet and delivers it by a path
 * of his own, as the newest one, moves the route there until the next comes.
 */
static void test_delayed(struct ch_channel *c, int fd)
{
	struct packet p = seal(c);
	struct ockam_plaintext plain;
	struct lh_message f;
	char buf[16];

	deliver(&link_b, c, &p);
	ok(receive(fd, buf, sizeof(buf)) == 4 && route_of(c) == &link_b,
	   "a delayed packet of the peer moves the route");
	check_count("channel_route_updates", ++updates, "it is counted");
	c->link = &link_b;
	ok(!sock_send(fd, NAME(c->encryptor, "x"), "there", 5) && ch_peer_read(c, &f, &plain),
	   "answers go there");
	p = seal(c);
	deliver(&link_a, c, &p);
	ok(receive(fd, buf, sizeof(buf)) == 4 && route_of(c) == &link_a,
	   "the next one by the right path moves it back");
	check_count("channel_route_updates", ++updates, "which is counted too");
	c->link = &link_a;
}

/* An initiator goes where its owner says, whatever comes by other paths. */
static void test_initiator(int fd)
{
	struct ch_channel c;
	struct packet p;
	char buf[16];

	drain_worker();
	ok(ch_open_initiator(&worker, &node, &req, &link_a, &c, key_tx, key_rx), "as initiator");
	for (int i = 0; i < 3; i++) {
		p = seal(&c);
		deliver(&link_b, &c, &p);
		ok(receive(fd, buf, sizeof(buf)) == 4, "packet %d by another path", i);
	}
	ok(route_of(&c) == &link_a && count("channel_route_updates") == updates,
	   "nothing has moved");
	end_channel(&c);
}

int main(void)
{
	struct ch_channel c;
	int fd;

	open_node();
	worker_again();
	lh_open(&link_b, &node, LH_UNIX, NULL);
	fd = node_socket("mover");
	ok(ch_open_responder(&worker, &node, &link_a, &c, key_tx, key_rx), "as responder");
	test_attacks(&c, fd);
	test_delayed(&c, fd);
	end_channel(&c);
	test_initiator(fd);
	lh_close(&link_b);
	close(fd);
	close_node();
	return tap_done();
}
