// SPDX-License-Identifier: Apache-2.0
/*
 * For tests of channels and handshakes: worker and peer.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chanhelp.h"

const uint8_t ch_peer[32] = "identifier-of-the-peer-in-tests";

/* ---- worker ---- */

/* Keys in tests are the same again and again, and with them the nonces. */
static void ch_do_not_watch_nonces(void)
{
	int fd = open("/sys/module/ockam/parameters/nonce_monitor", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		perror("nonce_monitor");
	close(fd);
}

int ch_worker_open(struct ch_worker *w, const struct nlh *node)
{
	struct nlh_msg *m = malloc(sizeof(*m));
	int err;

	ch_do_not_watch_nonces();
	memset(w, 0, sizeof(*w));
	err = nlh_open_in(&w->h, node);
	if (!err) {
		nlh_begin(m, OCKAM_CMD_WORKER_BIND);
		err = nlh_call(&w->h, m, NULL);
	}
	free(m);
	return err;
}

void ch_worker_close(struct ch_worker *w)
{
	nlh_close(&w->h);
}

/* Keep what the kernel says on its own. */
static void ch_worker_take(struct ch_worker *w, const struct nlh_msg *m)
{
	const void *p;
	size_t len;

	switch (nlh_cmd(m)) {
	case OCKAM_CMD_HANDSHAKE_READY:
		if (w->n_ready < CH_QUEUE)
			w->ready[w->n_ready++] = nlh_attr_u64(m, OCKAM_A_EXCHANGE_ID);
		break;
	case OCKAM_CMD_CHANNEL_CONTROL:
		p = nlh_attr(m, OCKAM_A_CONTROL, &len);
		if (p && len <= sizeof(w->control)) {
			memcpy(w->control, p, len);
			w->control_len = len;
		}
		w->n_control++;
		break;
	}
}

int ch_worker_call(struct ch_worker *w, struct nlh_msg *m, struct nlh_msg *reply)
{
	static _Thread_local struct nlh_msg in;
	uint32_t seq;
	int err;

	if (reply)
		reply->len = 0;
	err = nlh_send(&w->h, m);
	seq = w->h.seq;
	while (!err) {
		err = nlh_receive(&w->h, &in, CH_SOON);
		if (err == -ENOBUFS)
			err = 0;
		else if (err)
			break;
		else if (in.hdr.nlmsg_seq != seq)
			ch_worker_take(w, &in);
		else if (in.hdr.nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(&in.hdr))->error;
		else if (reply)
			*reply = in;
	}
	return err;
}

uint64_t ch_worker_ready(struct ch_worker *w, int ms)
{
	static _Thread_local struct nlh_msg in;
	long long end = nlh_now() + ms;
	uint64_t id;

	while (!w->n_ready) {
		if (nlh_now() >= end)
			return 0;
		if (!nlh_receive(&w->h, &in, end - nlh_now()))
			ch_worker_take(w, &in);
	}
	id = w->ready[0];
	w->n_ready--;
	memmove(w->ready, w->ready + 1, w->n_ready * sizeof(w->ready[0]));
	return id;
}

bool ch_worker_control(struct ch_worker *w, unsigned int n, int ms)
{
	static _Thread_local struct nlh_msg in;
	long long end = nlh_now() + ms;

	while (w->n_control < n && nlh_now() < end) {
		if (!nlh_receive(&w->h, &in, end - nlh_now()))
			ch_worker_take(w, &in);
	}
	return w->n_control >= n;
}

int ch_fetch(struct ch_worker *w, uint64_t id, struct nlh_msg *reply)
{
	static _Thread_local struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_FETCH);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, id);
	return ch_worker_call(w, &m, reply);
}

int ch_send(struct ch_worker *w, uint64_t id, const char *text)
{
	static _Thread_local struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_SEND);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, id);
	nlh_put(&m, OCKAM_A_MESSAGE, text, strlen(text));
	return ch_worker_call(w, &m, NULL);
}

int ch_skip(struct ch_worker *w, uint64_t id)
{
	static _Thread_local struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_SKIP);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, id);
	return ch_worker_call(w, &m, NULL);
}

int ch_done(struct ch_worker *w, uint64_t id, const struct ch_done *done)
{
	static _Thread_local struct nlh_msg m;
	size_t key_len = done->key_len ? done->key_len : 32;
	int32_t error = done->error;

	nlh_begin(&m, OCKAM_CMD_HANDSHAKE_DONE);
	nlh_put_u64(&m, OCKAM_A_EXCHANGE_ID, id);
	nlh_put(&m, OCKAM_A_ERRNO, &error, sizeof(error));
	if (done->reason)
		nlh_put_text(&m, OCKAM_A_REASON, done->reason);
	if (done->key_tx)
		nlh_put(&m, OCKAM_A_KEY_TX, done->key_tx, key_len);
	if (done->key_rx)
		nlh_put(&m, OCKAM_A_KEY_RX, done->key_rx, key_len);
	if (done->peer)
		nlh_put(&m, OCKAM_A_PEER, done->peer, 32);
	if (done->expiry)
		nlh_put_u64(&m, OCKAM_A_EXPIRY, done->expiry);
	if (done->control)
		nlh_put(&m, OCKAM_A_CONTROL, done->control, done->control_len);
	if (done->reach)
		nlh_put_u32(&m, OCKAM_A_REACH, *done->reach);
	if (done->reach_id)
		nlh_put(&m, OCKAM_A_REACH_IDS, done->reach_id, OCKAM_FLOW_ID_LEN);
	return ch_worker_call(w, &m, NULL);
}

/* ---- requests ---- */

size_t ch_pack(uint8_t *out, const char *first, ...)
{
	const char *name;
	uint8_t *p = out;
	va_list args;

	va_start(args, first);
	for (name = first; name; name = va_arg(args, const char *)) {
		*p++ = OCKAM_ADDR_LOCAL;
		*p++ = strlen(name);
		memcpy(p, name, strlen(name));
		p += strlen(name);
	}
	va_end(args);
	return p - out;
}

int ch_listener(struct nlh *node, const char *name, uint32_t timeout_ms)
{
	static struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_LISTENER_NEW);
	nlh_put(&m, OCKAM_A_ADDRESS, name, strlen(name));
	nlh_put_u32(&m, OCKAM_A_REACH, OCKAM_REACH_ALL);
	nlh_put(&m, OCKAM_A_OPAQUE, "opaque", 6);
	if (timeout_ms)
		nlh_put_u32(&m, OCKAM_A_TIMEOUT_MS, timeout_ms);
	return nlh_call(node, &m, NULL);
}

int ch_listener_set(struct nlh *node, const char *name, const char *opaque,
		    bool abort)
{
	static struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_LISTENER_SET);
	nlh_put(&m, OCKAM_A_ADDRESS, name, strlen(name));
	if (opaque)
		nlh_put(&m, OCKAM_A_OPAQUE, opaque, strlen(opaque));
	if (abort)
		nlh_put_flag(&m, OCKAM_A_ABORT);
	return nlh_call(node, &m, NULL);
}

int ch_request(struct nlh *h, const char *link, const char *name,
	       uint32_t confirm_ms, uint32_t timeout_ms, uint32_t *seq)
{
	static struct nlh_msg m;
	uint8_t route[600];
	int err;

	nlh_begin(&m, OCKAM_CMD_CHANNEL_NEW);
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, link, name, NULL));
	nlh_put(&m, OCKAM_A_OPAQUE, "wanted", 6);
	if (confirm_ms)
		nlh_put_u32(&m, OCKAM_A_CONFIRM_MS, confirm_ms);
	if (timeout_ms)
		nlh_put_u32(&m, OCKAM_A_TIMEOUT_MS, timeout_ms);
	err = nlh_call(h, &m, NULL);
	*seq = h->seq;
	return err;
}

int ch_result(struct nlh *h, uint32_t seq, struct nlh_msg *m, int ms)
{
	long long end = nlh_now() + ms;

	do {
		if (!nlh_receive(h, m, ms) && m->hdr.nlmsg_seq == seq &&
		    m->hdr.nlmsg_type == h->family &&
		    nlh_cmd(m) == OCKAM_CMD_CHANNEL_NEW)
			return 0;
	} while (nlh_now() < end);
	return -EAGAIN;
}

int32_t ch_errno(const struct nlh_msg *m)
{
	const void *p = nlh_attr(m, OCKAM_A_ERRNO, NULL);
	int32_t value = 1;

	if (p)
		memcpy(&value, p, sizeof(value));
	return value;
}

int ch_get(struct nlh *node, const char *name, struct nlh_msg *reply)
{
	static struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_CHANNEL_GET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, name, strlen(name));
	return nlh_call(node, &m, reply);
}

int ch_del(struct nlh *node, const char *name)
{
	static struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_CHANNEL_DEL);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, name, strlen(name));
	return nlh_call(node, &m, NULL);
}

bool ch_wait_gone(struct nlh *node, const char *name, int ms)
{
	static struct nlh_msg m;
	long long end = nlh_now() + ms;
	int err;

	do {
		nlh_begin(&m, OCKAM_CMD_ADDRESS_GET);
		nlh_put(&m, OCKAM_A_ADDRESS, name, strlen(name));
		err = nlh_call(node, &m, NULL);
		if (err == -ENOENT)
			return true;
		usleep(2000);
	} while (nlh_now() < end);
	return false;
}

/* ---- peer ---- */

static bool ch_frame(struct lh_link *l, const char *to, const char *from,
		     const void *p, size_t len)
{
	struct lh_message f = {
		.onward = { to }, .n_onward = 1,
		.ret = { from }, .n_ret = from ? 1 : 0,
		.payload = p, .len = len,
	};
	uint8_t *frame = malloc(len + 1024);
	bool good = lh_write(l->raw, frame, lh_encode(&f, frame));

	free(frame);
	return good;
}

bool ch_write(struct lh_link *l, const char *to, const void *p, size_t len)
{
	return ch_frame(l, to, CH_PEER_DR, p, len);
}

bool ch_packet(struct lh_link *l, const char *to, const void *p, size_t len)
{
	return ch_frame(l, to, NULL, p, len);
}

/* A frame to the peer's decryptor with this text; its return address to @from. */
static bool ch_expect(struct lh_link *l, const char *to, const char *text,
		      char *from)
{
	struct lh_message f;

	if (!lh_read_frame(l->raw, &f) || f.n_onward != 1 || f.n_ret != 1 ||
	    strcmp(f.onward[0], to) || f.len != strlen(text) ||
	    memcmp(f.payload, text, f.len))
		return false;
	strcpy(from, f.ret[0]);
	return true;
}

uint64_t ch_respond(struct ch_worker *w, struct lh_link *l, struct ch_channel *c)
{
	static struct nlh_msg m;
	uint64_t id;

	memset(c, 0, sizeof(*c));
	c->link = l;
	if (!ch_write(l, "api", "msg1", 4))
		return 0;
	id = ch_worker_ready(w, CH_SOON);
	if (!id || ch_fetch(w, id, &m) || ch_send(w, id, "msg2") ||
	    !ch_expect(l, CH_PEER_DR, "msg2", c->decryptor) ||
	    !ch_write(l, c->decryptor, "msg3", 4) ||
	    ch_worker_ready(w, CH_SOON) != id || ch_fetch(w, id, &m) ||
	    nlh_attr_u32(&m, OCKAM_A_MESSAGE_NUMBER) != 2)
		return 0;
	return id;
}

uint64_t ch_initiate_requested(struct ch_worker *w, struct lh_link *l, struct ch_channel *c)
{
	static struct nlh_msg m;
	uint64_t id;

	c->link = l;
	id = ch_worker_ready(w, CH_SOON);
	if (!id || ch_fetch(w, id, &m) || ch_send(w, id, "msg1") ||
	    !ch_expect(l, "api", "msg1", c->decryptor) ||
	    !ch_write(l, c->decryptor, "msg2", 4) ||
	    ch_worker_ready(w, CH_SOON) != id || ch_fetch(w, id, &m) ||
	    nlh_attr_u32(&m, OCKAM_A_MESSAGE_NUMBER) != 1 ||
	    ch_send(w, id, "msg3") ||
	    !ch_expect(l, CH_PEER_DR, "msg3", c->decryptor))
		return 0;
	return id;
}

uint64_t ch_initiate(struct ch_worker *w, struct nlh *req, struct lh_link *l,
		     struct ch_channel *c, uint32_t confirm_ms)
{
	memset(c, 0, sizeof(*c));
	if (ch_request(req, l->name, "api", confirm_ms, 0, &c->seq))
		return 0;
	return ch_initiate_requested(w, l, c);
}

static bool ch_install(struct ch_worker *w, struct nlh *node, uint64_t id,
		       struct ch_channel *c, const uint8_t *key_tx,
		       const uint8_t *key_rx)
{
	struct ch_done done = { .key_tx = key_tx, .key_rx = key_rx,
				.peer = ch_peer };
	static struct nlh_msg m;
	const char *name;
	size_t len;

	if (!id || ch_done(w, id, &done) || ch_get(node, c->decryptor, &m))
		return false;
	name = nlh_attr(&m, OCKAM_A_ENCRYPTOR, &len);
	if (!name)
		return false;
	snprintf(c->encryptor, sizeof(c->encryptor), "%.*s", (int)len, name);
	ockam_sealer_init(&c->seal, key_rx);
	ockam_opener_init(&c->open, key_tx);
	return true;
}

bool ch_open_responder(struct ch_worker *w, struct nlh *node, struct lh_link *l,
		       struct ch_channel *c, const uint8_t *key_tx,
		       const uint8_t *key_rx)
{
	return ch_install(w, node, ch_respond(w, l, c), c, key_tx, key_rx);
}

bool ch_open_initiator(struct ch_worker *w, struct nlh *node, struct nlh *req,
		       struct lh_link *l, struct ch_channel *c,
		       const uint8_t *key_tx, const uint8_t *key_rx)
{
	return ch_install(w, node, ch_initiate(w, req, l, c, 60000), c, key_tx,
			  key_rx);
}

bool ch_peer_send(struct ch_channel *c, const struct ockam_buf *plain)
{
	uint8_t *packet = malloc(plain->len + OCKAM_PACKET_OVERHEAD);
	struct ockam_err err;
	bool good;

	good = !ockam_packet_seal(&c->seal, plain->data, plain->len, packet, &err) &&
	       ch_packet(c->link, c->decryptor, packet,
			 plain->len + OCKAM_PACKET_OVERHEAD);
	free(packet);
	return good;
}

bool ch_peer_say(struct ch_channel *c, const char *to, const char *back,
		 const void *payload, size_t len)
{
	struct ockam_route onward = {}, ret = {};
	struct ockam_buf plain = {};
	struct ockam_err err;
	bool good;

	ockam_route_append_text(&onward, to, &err);
	if (back)
		ockam_route_append_text(&ret, back, &err);
	ockam_plaintext_payload(&onward, &ret, payload, len, &plain);
	good = ch_peer_send(c, &plain);
	ockam_buf_free(&plain);
	return good;
}

bool ch_peer_close(struct ch_channel *c)
{
	struct ockam_buf plain = {};
	bool good;

	ockam_plaintext_close(&plain);
	good = ch_peer_send(c, &plain);
	ockam_buf_free(&plain);
	return good;
}

bool ch_peer_read(struct ch_channel *c, struct lh_message *frame,
		  struct ockam_plaintext *plain)
{
	static _Thread_local uint8_t *room;
	struct ockam_err err;

	if (!room)
		room = malloc(LH_FRAME_ROOM);
	return lh_read_frame(c->link->raw, frame) &&
	       frame->n_onward == 1 && !strcmp(frame->onward[0], CH_PEER_DR) &&
	       !ockam_packet_open(&c->open, frame->payload, frame->len, room,
				  &err) &&
	       !ockam_plaintext_decode(room, frame->len - OCKAM_PACKET_OVERHEAD,
				       plain, &err);
}

bool ch_route_is(const struct ockam_route *route, const char *name)
{
	struct ockam_hop hop;

	return route->hops == 1 && ockam_route_hop(route, 0, &hop) &&
	       hop.len == strlen(name) && !memcmp(hop.name, name, hop.len);
}
