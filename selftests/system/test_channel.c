// SPDX-License-Identifier: Apache-2.0
/*
 * Channels: packets byte for byte in both directions over three rekeys, the
 * window, forged and malformed packets, routes, Close, expiry, limits.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <sys/wait.h>
#include <time.h>

#include "chanhelp.h"
#include "sock.h"
#include "vectors.h"

static struct nlh node, events, req;
static struct ch_worker worker;
static struct lh_link link_a;
static uint8_t first_key[32], other_key[32];

static long long count(const char *name)
{
	return nlh_counter(&node, name);
}

/* A socket of the node. */
static int node_socket(const char *name)
{
	int back = nlh_enter(&node);
	int size = 8 << 20;
	int fd = sock_named(name);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	nlh_leave(back);
	return fd;
}

static long receive(int fd, void *buf, size_t len, struct name *from)
{
	long long end = nlh_now() + CH_SOON;
	long n;

	do {
		n = sock_recv(fd, buf, len, 0, from);
		if (n != -EAGAIN)
			return n;
		usleep(1000);
	} while (nlh_now() < end);
	return -EAGAIN;
}

static void end_channel(struct ch_channel *c)
{
	ch_del(&node, c->encryptor);
	ok(ch_wait_gone(&node, c->encryptor, CH_SOON) &&
	   ch_wait_gone(&node, c->decryptor, CH_SOON),
	   "both addresses are gone");
}

/* Deletes the channel and reads the Close, so that the stream is empty. */
static void end_and_read(struct ch_channel *c)
{
	struct ockam_plaintext plain;
	struct lh_message f;

	end_channel(c);
	ok(ch_peer_read(c, &f, &plain) && plain.kind == OCKAM_MESSAGE_CLOSE,
	   "the peer gets a Close");
}

/* ---- bytes ---- */

static void test_open_vectors(struct json_object *vectors)
{
	struct json_object *packets = vectors_get(vectors, "packets");
	size_t n = json_object_array_length(packets), good = 0;
	long long rekeys = count("channel_rekeys");
	static uint8_t buf[1 << 16];
	struct ch_channel c;
	int fd = node_socket("uppercase");

	ok(ch_open_responder(&worker, &node, &link_a, &c, other_key, first_key),
	   "a channel as responder");
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(packets, i);
		struct ockam_buf packet = vectors_bytes(one, "packet");
		struct ockam_buf text = vectors_bytes(one, "plaintext");
		struct ockam_plaintext plain;
		struct ockam_route from = {}, want = {};
		struct ockam_err err;
		struct name name;
		long got;

		ockam_plaintext_decode(text.data, text.len, &plain, &err);
		ockam_route_append_text(&want, c.encryptor, &err);
		ockam_route_join(&want, &plain.back, &err);
		ch_packet(&link_a, c.decryptor, packet.data, packet.len);
		got = receive(fd, buf, sizeof(buf), &name);
		ockam_route_from_sockaddr(&from, &name.sa, name.len, &err);
		good += got == (long)plain.body.len &&
			!memcmp(buf, plain.body.data, got) &&
			ockam_route_equal(&from, &want);
		ockam_buf_free(&packet);
		ockam_buf_free(&text);
	}
	ok(good == n, "%zu of %zu packets opened, with payload and return route",
	   good, n);
	ok(count("channel_rekeys") - rekeys == 3, "the key changed three times");
	end_and_read(&c);
	close(fd);
}

static void test_seal_vectors(struct json_object *vectors)
{
	struct json_object *packets = vectors_get(vectors, "packets");
	size_t n = json_object_array_length(packets), good = 0;
	struct ch_channel c;

	ok(ch_open_initiator(&worker, &node, &req, &link_a, &c, first_key,
			     other_key), "a channel as initiator");
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(packets, i);
		struct ockam_buf packet = vectors_bytes(one, "packet");
		struct ockam_buf text = vectors_bytes(one, "plaintext");
		struct ockam_plaintext plain;
		struct lh_message f;
		struct ockam_err err;
		struct ockam_hop hop;
		char name[256];
		int fd, sent;

		ockam_plaintext_decode(text.data, text.len, &plain, &err);
		ockam_route_hop(&plain.back, 0, &hop);
		snprintf(name, sizeof(name), "%.*s", hop.len, hop.name);
		fd = node_socket(name);
		sent = sock_send(fd, NAME(c.encryptor, "uppercase"),
				 plain.body.data, plain.body.len);
		good += !sent && lh_read_frame(link_a.raw, &f) &&
			f.n_onward == 1 && !strcmp(f.onward[0], CH_PEER_DR) &&
			!f.n_ret && f.len == packet.len &&
			!memcmp(f.payload, packet.data, f.len);
		close(fd);
		ch_wait_gone(&node, name, CH_SOON);
		ockam_buf_free(&packet);
		ockam_buf_free(&text);
	}
	ok(good == n, "%zu of %zu packets sealed byte for byte, empty return route",
	   good, n);
	ch_del(&node, c.encryptor);
	ch_wait_gone(&node, c.encryptor, CH_SOON);
}

static void test_close_bytes(struct json_object *vectors)
{
	struct ockam_buf want = vectors_bytes(vectors, "close_as_first_packet");
	struct ch_channel c;
	struct lh_message f;

	/* What the initiator case has left, its Close. */
	lh_read_frame(link_a.raw, &f);
	ok(ch_open_responder(&worker, &node, &link_a, &c, first_key, other_key),
	   "a channel to be closed");
	ok(!ch_del(&node, c.encryptor), "CHANNEL_DEL is accepted");
	ok(lh_read_frame(link_a.raw, &f) && f.len == want.len &&
	   !memcmp(f.payload, want.data, want.len) &&
	   f.n_ret == 1 && !strcmp(f.ret[0], c.encryptor),
	   "Close as first packet, with return route [encryptor]");
	ok(ch_del(&node, c.encryptor) == -ENOENT, "a second time: no such channel");
	ok(lh_silent(&link_a), "Close is sent once");
	ockam_buf_free(&want);
}

/* ---- window ---- */

/* Keys of the intervals, derived once. */
static const uint8_t *interval_key(uint64_t interval)
{
	static uint8_t keys[4096][32];
	static uint64_t known;

	if (!known)
		memcpy(keys[known++], first_key, 32);
	while (known <= interval) {
		ockam_packet_next_key(keys[known - 1], keys[known]);
		known++;
	}
	return keys[interval];
}

static bool send_nonce(struct ch_channel *c, const char *to, uint64_t nonce,
		       const void *payload, size_t len, bool tag_ok)
{
	uint8_t packet[1024];
	struct ockam_route onward = {}, back = {};
	struct ockam_buf plain = {};
	struct ockam_sealer s;
	struct ockam_err err;
	bool good;

	/* The sealer would rekey by itself at the start of an interval. */
	memcpy(s.key, interval_key(nonce % 32 || !nonce ? nonce / 32 :
				   nonce / 32 - 1), 32);
	s.nonce = nonce;
	ockam_route_append_text(&onward, to, &err);
	ockam_plaintext_payload(&onward, &back, payload, len, &plain);
	good = !ockam_packet_seal(&s, plain.data, plain.len, packet, &err);
	if (!tag_ok)
		packet[plain.len + OCKAM_PACKET_OVERHEAD - 1] ^= 1;
	good = good && ch_packet(c->link, c->decryptor, packet,
				plain.len + OCKAM_PACKET_OVERHEAD);
	ockam_buf_free(&plain);
	return good;
}

static const char *const refusals[][2] = {
	{ "too old", "drop_packet_too_old" },
	{ "too far ahead", "drop_packet_too_far" },
	{ "replayed", "drop_packet_replayed" },
	{ "bad tag", "drop_packet_bad_tag" },
};

static long long refused_so_far(long long *each)
{
	long long sum = 0;

	for (int i = 0; i < 4; i++) {
		each[i] = count(refusals[i][1]);
		sum += each[i];
	}
	return sum;
}

static void test_window_case(struct json_object *one, int fd)
{
	struct json_object *steps = vectors_get(one, "steps");
	uint32_t n = json_object_array_length(steps), accepted = 0, good = 0;
	long long want[4], before[4], after[4], sum;
	struct ch_channel c;
	uint32_t got;

	if (!ch_open_responder(&worker, &node, &link_a, &c, other_key, first_key)) {
		ok(false, "a channel for the window");
		return;
	}
	sum = refused_so_far(before);
	memcpy(want, before, sizeof(want));
	for (uint32_t i = 0; i < n; i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);
		struct json_object *refused = vectors_get(step, "refused");

		send_nonce(&c, "window",
			   json_object_get_int64(vectors_get(step, "nonce")), &i,
			   sizeof(i),
			   json_object_get_boolean(vectors_get(step, "tag_ok")));
		if (!refused) {
			accepted++;
			sum--;
		}
		for (int k = 0; refused && k < 4; k++)
			want[k] += !strcmp(json_object_get_string(refused),
					   refusals[k][0]);
	}
	/* The accepted ones, in the order in which they were sent. */
	for (uint32_t i = 0; i < n; i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);

		if (!vectors_get(step, "refused"))
			good += receive(fd, &got, sizeof(got), NULL) == 4 &&
				got == i;
	}
	for (long long end = nlh_now() + CH_SOON;
	     refused_so_far(after) < sum + n && nlh_now() < end;)
		usleep(1000);
	ok(good == accepted && !memcmp(want, after, sizeof(want)),
	   "window: %s", json_object_get_string(vectors_get(one, "name")));
	end_and_read(&c);
}

static void test_window(void)
{
	struct json_object *root = vectors_load("window.json");
	struct json_object *cases = vectors_get(root, "cases");
	int fd = node_socket("window");

	for (size_t i = 0; i < json_object_array_length(cases); i++)
		test_window_case(json_object_array_get_idx(cases, i), fd);
	json_object_put(root);
	close(fd);
}

/* ---- bad packets ---- */

static void check_drop(const char *counter, long long before, const char *what)
{
	ok(lh_wait_counter(&node, counter, before + 1, CH_SOON) &&
	   count(counter) == before + 1, "%s: %s", what, counter);
}

static void test_bad_packets(void)
{
	int fd = node_socket("window");
	struct ockam_buf plain = {};
	uint8_t zero[24] = {};
	struct ch_channel c;
	struct lh_message f;
	uint8_t own[512];
	long long before;
	uint32_t got, mark = 77;

	ok(ch_open_responder(&worker, &node, &link_a, &c, other_key, first_key),
	   "a channel for bad packets");
	for (size_t len = 0; len < 24; len += 23) {
		before = count("drop_packet_short");
		ch_packet(&link_a, c.decryptor, zero, len);
		check_drop("drop_packet_short", before, "too short");
	}
	before = count("drop_packet_bad_tag");
	ch_packet(&link_a, c.decryptor, zero, 24);
	check_drop("drop_packet_bad_tag", before, "an empty packet, forged");

	/* Opened, so its nonce is used; then not decoded. */
	ockam_buf_put(&plain, "\xff\xff", 2);
	before = count("drop_packet_malformed");
	ch_peer_send(&c, &plain);
	check_drop("drop_packet_malformed", before, "no message inside");
	ockam_buf_free(&plain);
	before = count("drop_packet_replayed");
	send_nonce(&c, "window", 0, &mark, sizeof(mark), true);
	check_drop("drop_packet_replayed", before, "its nonce again");

	/* Reachability: from a channel, not from a bare link. */
	before = count("drop_denied");
	ch_write(&link_a, c.encryptor, "x", 1);
	check_drop("drop_denied", before, "plain text at the encryptor");
	before = count("drop_denied");
	ch_write(&link_a, "window", "x", 1);
	check_drop("drop_denied", before, "plain text at a socket");
	before = count("drop_denied");
	ch_peer_say(&c, c.encryptor, NULL, "x", 1);
	check_drop("drop_denied", before, "the peer at the encryptor");
	before = count("drop_denied");
	ch_peer_say(&c, link_a.name, NULL, "x", 1);
	check_drop("drop_denied", before, "the peer at a link");
	before = count("drop_no_address");
	ch_peer_say(&c, "nobody", NULL, "x", 1);
	check_drop("drop_no_address", before, "the peer at an unknown address");

	/* Our own packet comes back. */
	ok(!sock_send(fd, NAME(c.encryptor, "there"), "x", 1) &&
	   lh_read_frame(link_a.raw, &f) && f.len < sizeof(own),
	   "a packet of ours");
	memcpy(own, f.payload, f.len);
	before = count("drop_packet_replayed") + count("drop_packet_bad_tag");
	ch_packet(&link_a, c.decryptor, own, f.len);
	for (long long end = nlh_now() + CH_SOON; nlh_now() < end &&
	     count("drop_packet_replayed") + count("drop_packet_bad_tag") == before;)
		usleep(1000);
	ok(count("drop_packet_replayed") + count("drop_packet_bad_tag") == before + 1,
	   "a reflected packet is refused");

	/* And after all that it works. */
	ok(ch_peer_say(&c, "window", NULL, &mark, sizeof(mark)) &&
	   receive(fd, &got, sizeof(got), NULL) == 4 && got == mark,
	   "the channel goes on");
	end_and_read(&c);
	close(fd);
}

/* ---- routes ---- */

static void test_follow(void)
{
	struct nlh_link_options o = {};
	int fd = node_socket("window");
	struct lh_link link_b;
	struct ockam_plaintext p;
	struct ch_channel c;
	struct lh_message f;
	struct name from;
	long long bad, moves = count("channel_route_updates");
	char buf[16];

	lh_open(&link_b, &node, LH_UNIX, &o);
	ok(ch_open_responder(&worker, &node, &link_a, &c, other_key, first_key),
	   "a channel whose peer moves");

	/* Nonce 0 never counts. */
	c.link = &link_b;
	ok(ch_peer_say(&c, "window", "back", "0", 1) &&
	   receive(fd, buf, sizeof(buf), &from) == 1, "packet 0 by another link");
	ok(!sock_send(fd, from, "re", 2), "a reply");
	c.link = &link_a;
	ok(ch_peer_read(&c, &f, &p) && ch_route_is(&p.onward, "back") &&
	   p.body.len == 2, "goes the old way");

	c.link = &link_b;
	ok(ch_peer_say(&c, "window", "back", "1", 1) &&
	   receive(fd, buf, sizeof(buf), &from) == 1, "packet 1 by another link");
	sock_send(fd, from, "re", 2);
	ok(ch_peer_read(&c, &f, &p) && p.body.len == 2, "the reply goes the new way");
	ok(count("channel_route_updates") == moves + 1, "it is counted");

	/* Late packets and forged ones do not move it. */
	c.link = &link_a;
	ok(send_nonce(&c, "window", 3, "3", 1, true) &&
	   receive(fd, buf, sizeof(buf), &from) == 1, "packet 3 by the first link");
	c.link = &link_b;
	ok(send_nonce(&c, "window", 2, "2", 1, true) &&
	   receive(fd, buf, sizeof(buf), &from) == 1, "packet 2 late, by the other");
	bad = count("drop_packet_bad_tag");
	ok(send_nonce(&c, "window", 9, "2", 1, false) &&
	   lh_wait_counter(&node, "drop_packet_bad_tag", bad + 1, CH_SOON),
	   "packet 9 forged, by the other");
	sock_send(fd, NAME(c.encryptor, "back"), "re", 2);
	c.link = &link_a;
	ok(ch_peer_read(&c, &f, &p) && p.body.len == 2, "stays with the newest");
	ok(lh_silent(&link_b), "nothing on the other link");
	end_and_read(&c);
	lh_close(&link_b);
	close(fd);
}

static void test_set(void)
{
	static struct nlh_msg m, ev;
	struct nlh_link_options o = {};
	int fd = node_socket("window");
	struct ockam_plaintext p;
	struct lh_link link_b;
	struct ch_channel c;
	struct lh_message f;
	uint8_t route[600];
	long long before;
	size_t len;

	lh_open(&link_b, &node, LH_UNIX, &o);
	ok(ch_open_initiator(&worker, &node, &req, &link_a, &c, first_key,
			     other_key), "a channel to be changed");
	len = ch_pack(route, link_b.name, CH_PEER_DR, NULL);
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, c.encryptor, strlen(c.encryptor));
	nlh_put(&m, OCKAM_A_ROUTE, route, len);
	ok(!nlh_call(&node, &m, NULL), "another route");
	sock_send(fd, NAME(c.encryptor, "x"), "hi", 2);
	c.link = &link_b;
	ok(ch_peer_read(&c, &f, &p) && p.body.len == 1 && ch_route_is(&p.onward, "echo"),
	   "is used at once, so that the peer follows");
	ok(ch_peer_read(&c, &f, &p) && p.body.len == 2, "and then by others");

	/* Time. */
	nlh_listen(&events);
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, c.encryptor, strlen(c.encryptor));
	nlh_put_u64(&m, OCKAM_A_EXPIRY, time(NULL) + 3600);
	ok(!nlh_call(&node, &m, NULL), "an expiry in the future");
	ok(!sock_send(fd, NAME(c.encryptor, "x"), "hi", 2) &&
	   ch_peer_read(&c, &f, &p), "the channel goes on");
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, c.encryptor, strlen(c.encryptor));
	nlh_put_u64(&m, OCKAM_A_EXPIRY, time(NULL) - 1);
	before = count("channels_closed");
	ok(!nlh_call(&node, &m, NULL), "an expiry in the past");
	ok(!nlh_wait_event(&events, OCKAM_EVENT_CHANNEL_DEL, c.encryptor, &ev,
			   CH_SOON) && ch_errno(&ev) == -EKEYEXPIRED,
	   "ends it, with errno");
	ok(ch_peer_read(&c, &f, &p) && p.kind == OCKAM_MESSAGE_CLOSE &&
	   count("channels_closed") == before + 1, "the peer is told");
	ok(sock_send(fd, NAME(c.encryptor, "x"), "hi", 2) == EHOSTUNREACH,
	   "its address is unknown");
	lh_close(&link_b);
	close(fd);
}

/* ---- control messages ---- */

/*
 * A body of more than 64 KiB: were it put into one attribute, the length of that
 * would wrap, and what follows in the body would be read as attributes.
 */
static void test_control_long(struct ch_channel *c)
{
	static uint8_t body[6 + 70000 + 1] = { 0x82, 0x5a, 0x00, 0x01, 0x11, 0x70 };
	long long before = count("drop_too_large");
	unsigned int controls = worker.n_control;
	struct ockam_buf plain = {};

	body[sizeof(body) - 1] = 0x80;
	ockam_plaintext_refresh(body, sizeof(body), &plain);
	ok(ch_peer_send(c, &plain) &&
	   lh_wait_counter(&node, "drop_too_large", before + 1, CH_SOON) &&
	   !ch_worker_control(&worker, controls + 1, 50),
	   "but not those that no attribute can carry");
	ockam_buf_free(&plain);
}

static void test_control(void)
{
	static const uint8_t body[] = { 0x82, 0x40, 0x80 };
	static struct nlh_msg m, ev;
	struct ockam_buf plain = {};
	struct ockam_plaintext p;
	struct ch_channel c;
	struct lh_message f;

	ok(ch_open_responder(&worker, &node, &link_a, &c, other_key, first_key),
	   "a channel for control messages");
	ockam_plaintext_refresh(body, sizeof(body), &plain);
	ok(ch_peer_send(&c, &plain) &&
	   ch_worker_control(&worker, worker.n_control + 1, CH_SOON) &&
	   worker.control_len == sizeof(body) &&
	   !memcmp(worker.control, body, sizeof(body)),
	   "refreshed credentials reach the worker");
	ockam_buf_free(&plain);
	test_control_long(&c);
	nlh_begin(&m, OCKAM_CMD_CHANNEL_CONTROL);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, c.encryptor, strlen(c.encryptor));
	nlh_put(&m, OCKAM_A_CONTROL, body, sizeof(body));
	ok(!ch_worker_call(&worker, &m, NULL) && ch_peer_read(&c, &f, &p) &&
	   p.kind == OCKAM_MESSAGE_REFRESH && p.body.len == sizeof(body) &&
	   !memcmp(p.body.data, body, sizeof(body)) && f.n_ret == 1 &&
	   !strcmp(f.ret[0], c.encryptor),
	   "and go out, with return route [encryptor]");

	nlh_listen(&events);
	ok(ch_peer_close(&c) &&
	   !nlh_wait_event(&events, OCKAM_EVENT_CHANNEL_DEL, c.encryptor, &ev,
			   CH_SOON), "the peer's Close ends the channel");
	ok(ch_wait_gone(&node, c.decryptor, CH_SOON) && lh_silent(&link_a),
	   "and is not answered");
}

/* ---- limits ---- */

static void test_limits(void)
{
	static uint8_t big[1 << 17];
	int fd = node_socket("window");
	struct ockam_plaintext p;
	struct ch_channel c, inner;
	struct lh_message f;
	size_t low = 60000, high = 66000;
	int size = 1 << 20;
	static struct nlh_msg m;
	uint8_t route[600];
	size_t len;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	ok(ch_open_responder(&worker, &node, &link_a, &c, other_key, first_key),
	   "a channel for limits");
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_FRAME_BYTES, 65536),
	   "frames of at most 64 KiB");
	/* The largest message that is taken makes a frame of exactly that. */
	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (sock_send(fd, NAME(c.encryptor, "x"), big, mid)) {
			high = mid;
		} else {
			low = mid;
			ch_peer_read(&c, &f, &p);
		}
	}
	ok(sock_send(fd, NAME(c.encryptor, "x"), big, high) == EMSGSIZE &&
	   !sock_send(fd, NAME(c.encryptor, "x"), big, low) &&
	   ch_peer_read(&c, &f, &p) && p.body.len == low,
	   "%zu bytes go, %zu do not", low, high);
	/* array(3), [1 hop], [], byte string header of 3 bytes or 5. */
	ok(1 + 1 + 3 + strlen(CH_PEER_DR) + 1 +
	   (f.len > 65535 ? 5 : 3) + f.len == 65536, "the frame is full");
	nlh_set_limit(&node, OCKAM_LIMIT_FRAME_BYTES, 1 << 20);

	/* A channel that leads through itself: depth ends it, with an errno once. */
	nlh_set_limit(&node, OCKAM_LIMIT_CHANNEL_DEPTH, 4);
	ok(ch_open_responder(&worker, &node, &link_a, &inner, first_key, other_key),
	   "a second channel");
	len = ch_pack(route, inner.encryptor, "x", NULL);
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, inner.encryptor, strlen(inner.encryptor));
	nlh_put(&m, OCKAM_A_ROUTE, route, len);
	ok(!nlh_call(&node, &m, NULL), "that leads through itself");
	long long before = count("drop_depth");

	sock_send(fd, NAME(inner.encryptor, "x"), "loop", 4);
	check_drop("drop_depth", before, "a message in circles");
	before = count("drop_depth");
	ch_del(&node, inner.encryptor);
	ok(ch_wait_gone(&node, inner.encryptor, CH_SOON), "it can be deleted");
	nlh_set_limit(&node, OCKAM_LIMIT_CHANNEL_DEPTH, 8);
	ch_del(&node, c.encryptor);
	ok(ch_peer_read(&c, &f, &p) && p.kind == OCKAM_MESSAGE_CLOSE, "Close");
	close(fd);
}

/* ---- many senders ---- */

#define SENDERS 4
#define EACH 200

/* A process of its own. Exits with the number of failed sends. */
static void run_sender(const struct ch_channel *c, uint32_t number)
{
	uint32_t word[2] = { number };
	uint32_t failures = 0;
	char name[32];
	int err, fd;

	snprintf(name, sizeof(name), "sender-%u", number);
	fd = node_socket(name);
	for (word[1] = 0; word[1] < EACH; word[1]++) {
		while ((err = sock_send(fd, NAME(c->encryptor, "x"), word,
					sizeof(word))) == EAGAIN)
			usleep(500);
		failures += err != 0;
	}
	_exit(failures);
}

static void test_senders(void)
{
	uint32_t next[SENDERS] = {};
	struct ockam_plaintext p;
	struct ch_channel c;
	struct lh_message f;
	bool order = true, nonces = true;
	uint32_t failures = 0;
	uint64_t nonce;

	ok(ch_open_responder(&worker, &node, &link_a, &c, other_key, first_key),
	   "a channel for many senders");
	for (uint32_t i = 0; i < SENDERS; i++) {
		if (!fork())
			run_sender(&c, i);
	}
	for (uint64_t i = 0; i < SENDERS * EACH; i++) {
		uint32_t word[2];

		if (!ch_peer_read(&c, &f, &p) || p.body.len != 8) {
			order = false;
			break;
		}
		memcpy(&nonce, f.payload, 8);
		nonces &= __builtin_bswap64(nonce) == i;
		memcpy(word, p.body.data, 8);
		order &= word[0] < SENDERS && next[word[0]]++ == word[1];
	}
	for (uint32_t i = 0; i < SENDERS; i++) {
		int status = -1;

		wait(&status);
		failures += status != 0;
	}
	ok(!failures, "no send failed");
	ok(nonces, "packets leave in the order of nonces");
	ok(order, "each sender's messages keep their order");
	end_and_read(&c);
}

int main(void)
{
	struct json_object *vectors = vectors_load("channel.json");
	struct nlh_link_options o = {};

	setbuf(stdout, NULL);
	vectors_key(vectors, "first_key", first_key);
	memset(other_key, 0x5a, sizeof(other_key));
	if (nlh_open_new(&node) || nlh_own(&node) || nlh_open_in(&events, &node) ||
	    nlh_open_in(&req, &node) || ch_worker_open(&worker, &node) ||
	    ch_listener(&node, "api", 0)) {
		printf("Bail out! no node: %s\n", node.why);
		return 1;
	}
	lh_open(&link_a, &node, LH_UNIX, &o);

	test_open_vectors(vectors);
	test_seal_vectors(vectors);
	test_close_bytes(vectors);
	test_window();
	test_bad_packets();
	test_follow();
	test_set();
	test_control();
	test_limits();
	test_senders();

	json_object_put(vectors);
	lh_close(&link_a);
	ok(!nlh_end(&node), "the node ends");
	ch_worker_close(&worker);
	nlh_close(&events);
	nlh_close(&req);
	nlh_close(&node);
	return tap_done();
}
