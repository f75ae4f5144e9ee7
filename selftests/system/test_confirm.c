// SPDX-License-Identifier: Apache-2.0
/*
 * The first packet of a channel: how a responder says yes or no, and what an
 * initiator makes of it, or of silence.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "exchange.h"

static void test_confirm(void)
{
	static const uint8_t body[] = { 0x82, 0x40, 0x80 };
	struct ockam_buf plain = {};
	static struct nlh_msg m;
	struct ockam_plaintext p;
	struct ch_channel c;
	struct lh_message f;
	uint64_t id;

	/* The peer speaks first: welcome. */
	id = ch_initiate(&worker, &req, &link_a, &c, 0);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &keys), "initiator: keys");
	ockam_plaintext_refresh(body, sizeof(body), &plain);
	ch_peer_send(&c, &plain);
	check_result(c.seq, 0, true, "a willing peer");
	end_channel(&c);

	/* It said so even before the keys. */
	id = ch_initiate(&worker, &req, &link_a, &c, 0);
	start_peer(&c);
	ch_peer_send(&c, &plain);
	ok(id && !ch_done(&worker, id, &keys), "keys behind the first packet");
	check_result(c.seq, 0, true, "a quick peer");
	end_channel(&c);
	ockam_buf_free(&plain);

	/* No. */
	id = ch_initiate(&worker, &req, &link_a, &c, 0);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &keys), "initiator: keys");
	ch_peer_close(&c);
	check_result(c.seq, -EACCES, false, "a refusing peer");
	ok(ch_wait_gone(&node, c.decryptor, CH_SOON), "no channel is left");

	/* Silence, then an echo. */
	id = ch_initiate(&worker, &req, &link_a, &c, 2000);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &keys), "initiator: keys");
	ok(ch_peer_read(&c, &f, &p) && p.kind == OCKAM_MESSAGE_PAYLOAD &&
	   ch_route_is(&p.onward, "echo") && ch_route_is(&p.back, c.decryptor) &&
	   !f.n_ret, "the silent peer's echo is asked");
	long long delivered = count("messages_delivered");

	ch_peer_say(&c, c.decryptor, NULL, p.body.data, p.body.len);
	check_result(c.seq, 0, true, "an echo");
	ok(count("messages_delivered") == delivered, "which goes nowhere");
	end_channel(&c);

	/* Silence for good. */
	id = ch_initiate(&worker, &req, &link_a, &c, 200);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &keys), "initiator: keys");
	check_result(c.seq, 0, false, "a silent peer");
	ok(!ch_get(&node, c.decryptor, &m) &&
	   !(nlh_attr_u32(&m, OCKAM_A_FLAGS) & OCKAM_FLAG_CONFIRMED),
	   "the channel stays, unconfirmed");
	ch_peer_say(&c, "nobody", NULL, "x", 1);
	for (long long end = nlh_now() + CH_SOON; nlh_now() < end;) {
		if (ch_get(&node, c.decryptor, &m) ||
		    nlh_attr_u32(&m, OCKAM_A_FLAGS) & OCKAM_FLAG_CONFIRMED)
			break;
		usleep(1000);
	}
	ok(nlh_attr_u32(&m, OCKAM_A_FLAGS) & OCKAM_FLAG_CONFIRMED,
	   "a later packet confirms it");
	end_channel(&c);
}

static void test_first_packet(void)
{
	static const uint8_t body[] = { 0x82, 0x40, 0x80 };
	struct ch_done done = keys;
	struct ockam_plaintext p;
	struct ch_channel c;
	struct lh_message f;
	uint64_t id;

	done.control = body;
	done.control_len = sizeof(body);
	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &done) && ch_peer_read(&c, &f, &p) &&
	   p.kind == OCKAM_MESSAGE_REFRESH && p.body.len == sizeof(body) &&
	   !memcmp(p.body.data, body, sizeof(body)) && c.open.seen == 1,
	   "a willing responder sends its control body as packet 0");
	end_channel(&c);

	done = keys;
	done.error = -EKEYREJECTED;
	done.reason = "not on the list";
	forget_events();
	id = ch_respond(&worker, &link_a, &c);
	start_peer(&c);
	ok(id && !ch_done(&worker, id, &done) && ch_peer_read(&c, &f, &p) &&
	   p.kind == OCKAM_MESSAGE_CLOSE, "a refusing one sends Close");
	check_fail(c.decryptor, -EKEYREJECTED, "refusal");
	ok(ch_get(&node, c.decryptor, &(struct nlh_msg){}) == -ENOENT,
	   "and has no channel");
}

int main(void)
{
	open_node();
	worker_again();
	test_first_packet();
	test_confirm();
	ok(!nlh_end(&node), "the node ends");
	close_node();
	return tap_done();
}
