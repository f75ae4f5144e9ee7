// SPDX-License-Identifier: Apache-2.0
/*
 * Whose a name is when the one who had it has ended: every kind of address
 * ends while others hold its name, in every order, and is tried to be had by
 * another user; what is sent to it, in every way, reaches nobody else.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include "exchange.h"

enum { OWNER = 1000, THIEF = 1001 };

static struct ch_channel through;	/* lives all the time */

/* ---- sockets of users ---- */

static void become(unsigned int uid)
{
	if (seteuid(uid)) {
		printf("Bail out! cannot be user %u\n", uid);
		exit(1);
	}
}

/* A socket of @uid in the node, bound to @name (NULL: not). *@err as bind(). */
static int user_socket(unsigned int uid, const char *name, int *err)
{
	int back = nlh_enter(&node);
	int fd;

	become(uid);
	fd = sock_new();
	if (name)
		*err = sock_bind(fd, NAME(name));
	become(0);
	nlh_leave(back);
	return fd;
}

/* The same, closed at once. */
static int user_bind(unsigned int uid, const char *name)
{
	int err = 0;

	close(user_socket(uid, name, &err));
	return err;
}

/* ---- what has a name ---- */

enum thing_kind {
	NAMED_SOCKET, SOCKET, NAMED_LINK, LINK, ENCRYPTOR, DECRYPTOR, LISTENER, EXCHANGE, KINDS
};

struct thing {
	enum thing_kind kind;
	char name[256];
	struct ch_channel c;
	struct lh_link l;
	uint64_t exchange;
	int fd;
};

static const struct {
	const char *what;
	bool chosen;		/* the name, by whoever made it */
} kinds[KINDS] = {
	[NAMED_SOCKET] = { "a socket with a name", true },
	[SOCKET] = { "a socket", false },
	[NAMED_LINK] = { "a link with a name", true },
	[LINK] = { "a link", false },
	[ENCRYPTOR] = { "an encryptor", false },
	[DECRYPTOR] = { "a decryptor", false },
	[LISTENER] = { "a listener", true },
	[EXCHANGE] = { "an exchange", false },
};

static void begin(struct thing *t, enum thing_kind kind, int round)
{
	char chosen[32];
	struct sockaddr_ockam sa;
	socklen_t len = sizeof(sa);
	int err = 0;

	memset(t, 0, sizeof(*t));
	t->kind = kind;
	snprintf(chosen, sizeof(chosen), "name-%d-%d", kind, round);
	strcpy(t->name, chosen);
	switch (kind) {
	case NAMED_SOCKET:
	case SOCKET:
		t->fd = user_socket(OWNER, kind == SOCKET ? NULL : chosen, &err);
		if (kind == NAMED_SOCKET)
			break;
		err = sock_bind(t->fd, NO_NAME) || getsockname(t->fd, (void *)&sa, &len);
		snprintf(t->name, sizeof(t->name), "%.*s", sa.sockam_route[1],
			 (char *)sa.sockam_route + 2);
		break;
	case NAMED_LINK:
	case LINK:
		lh_open(&t->l, &node, LH_UNIX,
			&(struct nlh_link_options){ .name = kind == LINK ? NULL : chosen });
		strcpy(t->name, t->l.name);
		break;
	case ENCRYPTOR:
	case DECRYPTOR:
		err = !ch_open_responder(&worker, &node, &link_a, &t->c, key_tx, key_rx);
		strcpy(t->name, kind == ENCRYPTOR ? t->c.encryptor : t->c.decryptor);
		break;
	case LISTENER:
		err = ch_listener(&node, chosen, 0);
		break;
	default:
		t->exchange = ch_respond(&worker, &link_a, &t->c);
		err = !t->exchange;
		strcpy(t->name, t->c.decryptor);
	}
	if (err) {
		printf("Bail out! there is not %s: %d\n", kinds[kind].what, err);
		exit(1);
	}
}

static void end(struct thing *t)
{
	static struct nlh_msg m;

	switch (t->kind) {
	case NAMED_SOCKET:
	case SOCKET:
		close(t->fd);
		break;
	case NAMED_LINK:
	case LINK:
		lh_close(&t->l);
		break;
	case ENCRYPTOR:
	case DECRYPTOR:
		end_channel(&t->c);
		break;
	case LISTENER:
		nlh_begin(&m, OCKAM_CMD_LISTENER_DEL);
		nlh_put(&m, OCKAM_A_ADDRESS, t->name, strlen(t->name));
		nlh_call(&node, &m, NULL);
		break;
	default:
		ch_done(&worker, t->exchange, &(struct ch_done){ .error = -ECANCELED });
	}
	ok(ch_wait_gone(&node, t->name, CH_SOON), "%s ends", kinds[t->kind].what);
}

/* ---- ways to send ---- */

enum way { SENDTO, SENDMMSG, ANCILLARY, LOCAL_WAYS };

/* One message to [@name, "x"]; 0 or errno. */
static int send_by(enum way way, int fd, const char *name)
{
	struct name to = NAME(name, "x");
	uint8_t control[CMSG_SPACE(600)] ALIGNED = {};
	struct iovec iov = { .iov_base = "secret", .iov_len = 6 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	struct cmsghdr *c = (struct cmsghdr *)control;

	switch (way) {
	case SENDTO:
		return sock_send(fd, to, "secret", 6);
	case SENDMMSG:
		m.msg_hdr.msg_name = &to.sa;
		m.msg_hdr.msg_namelen = to.len;
		return failed(sendmmsg(fd, &m, 1, MSG_DONTWAIT));
	default:
		c->cmsg_level = SOL_OCKAM;
		c->cmsg_type = OCKAM_CMSG_ROUTE;
		c->cmsg_len = CMSG_LEN(ch_pack(CMSG_DATA(c), name, "x", NULL));
		m.msg_hdr.msg_control = control;
		m.msg_hdr.msg_controllen = c->cmsg_len;
		return failed(sendmsg(fd, &m.msg_hdr, MSG_DONTWAIT));
	}
}

/* A link and a channel bring one for [@name] each: is it @counter twice more? */
static bool brought(const char *name, const char *counter)
{
	long long before = count(counter);
	uint8_t frame[1024];

	return lh_write(link_a.raw, frame, lh_frame(frame, name, NULL, "secret", 6)) &&
	       ch_peer_say(&through, name, "back", "secret", 6) &&
	       lh_wait_counter(&node, counter, before + 2, CH_SOON) &&
	       count(counter) == before + 2;
}

/* ---- names that the kernel makes ---- */

static int link_named(const char *name)
{
	struct nlh_link_options o = { .name = name };
	int fd[2], err;

	if (lh_connect(LH_UNIX, fd))
		return -EIO;
	err = nlh_link_new(&node, fd[0], &o, NULL);
	close(fd[0]);
	close(fd[1]);
	return err;
}

static void check_untakable(const char *name, const char *what)
{
	ok(user_bind(THIEF, name) == EADDRNOTAVAIL && user_bind(OWNER, name) == EADDRNOTAVAIL &&
	   user_bind(0, name) == EADDRNOTAVAIL, "%s: nobody binds its name", what);
	ok(link_named(name) == -EADDRNOTAVAIL && *node.why &&
	   ch_listener(&node, name, 0) == -EADDRNOTAVAIL && *node.why,
	   "%s: nor is a link or a listener made with it", what);
}

static void test_form(void)
{
	static const struct {
		const char *name;
		int err;
	} forms[] = {
		{ "0123456789abcdef0123456789abcdef", EADDRNOTAVAIL },
		{ "00000000000000000000000000000000", EADDRNOTAVAIL },
		{ "ffffffffffffffffffffffffffffffff", EADDRNOTAVAIL },
		{ "0123456789ABCDEF0123456789ABCDEF", 0 },
		{ "0123456789abcdef0123456789abcdeg", 0 },
		{ "0123456789abcdef0123456789abcde", 0 },
		{ "0123456789abcdef0123456789abcdef0", 0 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		ok(user_bind(OWNER, forms[i].name) == forms[i].err, "%s: %s", forms[i].name,
		   forms[i].err ? "of the kernel's form" : "of another form");
}

/* ---- the table: kinds, orders ---- */

enum order { HELD_BEFORE, HELD_AFTER_END, HELD_LAST, ORDERS };

static const char *const orders[] = {
	"connected before the end", "connected after the end", "connected in the end"
};

/* Nobody has the name any more: nothing reaches anybody. */
static void check_nobody(const struct thing *t, int sender, int held, const char *order)
{
	const char *what = kinds[t->kind].what;
	int err, good = 0;

	for (int way = 0; way < LOCAL_WAYS; way++)
		good += send_by(way, sender, t->name) == EHOSTUNREACH;
	ok(good == LOCAL_WAYS, "%s, %s: no way of sending goes anywhere (%d)", what, order, good);
	err = failed(send(held, "secret", 6, MSG_DONTWAIT));
	/* The end, once, and from then on what it means. */
	if (err == ECONNRESET)
		err = failed(send(held, "secret", 6, MSG_DONTWAIT));
	ok(err == EHOSTUNREACH, "%s, %s: nor does a connection", what, order);
	ok(brought(t->name, "drop_no_address"), "%s, %s: nor what a link or a channel brings", what,
	   order);
}

/* The name is @taker's now, rightly: what is sent to the name by now goes there. */
static void check_taken(const struct thing *t, int sender, int held, int taker, enum order order)
{
	const char *what = kinds[t->kind].what;
	int want = order == HELD_BEFORE ? EHOSTUNREACH : 0;
	int on = OCKAM_REACH_ALL;
	char buf[16];

	setsockopt(taker, SOL_OCKAM, OCKAM_REACH, &on, sizeof(on));
	ok(failed(send(held, "secret", 6, MSG_DONTWAIT)) == want &&
	   sock_recv(taker, buf, sizeof(buf), 0, NULL) == (want ? -EAGAIN : 6),
	   "%s, %s: the connection is %s", what, orders[order],
	   want ? "the old one's" : "the new one's");
	for (int way = 0; way < LOCAL_WAYS; way++)
		ok(!send_by(way, sender, t->name) && receive(taker, buf, sizeof(buf)) == 6,
		   "%s, %s: way %d goes by the name", what, orders[order], way);
	ok(brought(t->name, "messages_delivered"), "%s, %s: and so does what is brought", what,
	   orders[order]);
	/* Whoever was connected takes nothing from it. */
	ok(!want || (!send_by(SENDTO, taker, "holder") && sock_recv(held, buf, 16, 0, NULL) < 0),
	   "%s, %s: nothing is taken from it", what, orders[order]);
}

static void test_kind(enum thing_kind kind, enum order order)
{
	int sender, held, taker, err = 0;
	struct thing t;

	begin(&t, kind, order);
	sender = user_socket(0, NULL, NULL);
	held = user_socket(0, "holder", &err);
	if (order == HELD_BEFORE)
		sock_connect(held, NAME(t.name));
	end(&t);
	if (order == HELD_AFTER_END)
		sock_connect(held, NAME(t.name));
	if (kinds[kind].chosen)
		ok(user_bind(THIEF, t.name) == EADDRINUSE, "%s, %s: another user does not get it",
		   kinds[kind].what, orders[order]);
	else
		check_untakable(t.name, kinds[kind].what);
	if (order == HELD_LAST)
		sock_connect(held, NAME(t.name));
	check_nobody(&t, sender, held, orders[order]);
	if (kinds[kind].chosen) {
		/* Who had it: the user, or the node. */
		taker = user_socket(kind == NAMED_SOCKET ? OWNER : 0, t.name, &err);
		ok(!err, "%s, %s: who had it may have it again", kinds[kind].what, orders[order]);
		check_taken(&t, sender, held, taker, order);
		close(taker);
		ok(user_bind(THIEF, t.name) == EADDRINUSE, "%s, %s: and only he", kinds[kind].what,
		   orders[order]);
	}
	close(sender);
	close(held);
}

/* ---- what goes through something whose name comes back ---- */

/* A channel's path begins with a link, not with its name. */
static void test_path(void)
{
	struct nlh_link_options o = { .name = "uplink" };
	static struct nlh_msg m;
	struct ch_channel c;
	struct lh_link l;
	uint8_t route[600];
	char buf[64];
	int taker, sender, err = 0;

	lh_open(&l, &node, LH_UNIX, &o);
	ok(ch_open_responder(&worker, &node, &l, &c, key_tx, key_rx), "a channel over \"uplink\"");
	sender = user_socket(0, NULL, NULL);
	lh_close(&l);
	ok(sock_send(sender, NAME(c.encryptor, "x"), "secret", 6) == EHOSTUNREACH,
	   "the link has ended");
	taker = user_socket(0, "uplink", &err);
	ok(!err, "its name is a socket's now");
	ok(sock_send(sender, NAME(c.encryptor, "x"), "secret", 6) == EHOSTUNREACH &&
	   sock_recv(taker, buf, sizeof(buf), 0, NULL) == -EAGAIN,
	   "which gets no packet of the channel");
	close(taker);
	ch_wait_gone(&node, "uplink", CH_SOON);
	lh_open(&l, &node, LH_UNIX, &o);
	ok(sock_send(sender, NAME(c.encryptor, "x"), "secret", 6) == EHOSTUNREACH,
	   "another link with that name is another link");
	nlh_begin(&m, OCKAM_CMD_CHANNEL_SET);
	nlh_put(&m, OCKAM_A_ENCRYPTOR, c.encryptor, strlen(c.encryptor));
	nlh_put(&m, OCKAM_A_ROUTE, route, ch_pack(route, "uplink", CH_PEER_DR, NULL));
	ok(!nlh_call(&node, &m, NULL), "the channel is given it as its path");
	c.link = &l;
	ok(!sock_send(sender, NAME(c.encryptor, "x"), "secret", 6), "and goes on");
	end_channel(&c);
	lh_close(&l);
	close(sender);
}

/* So does the route of a handshake. */
static void test_handshake(void)
{
	static struct nlh_msg m;
	uint32_t seq;
	uint64_t id;
	char buf[64];
	int taker, err = 0;

	ok(!ch_request(&req, "nobody", "api", 0, 0, &seq), "a channel by way of nobody");
	id = ch_worker_ready(&worker, CH_SOON);
	taker = user_socket(0, "nobody", &err);
	ok(id && !err && !ch_fetch(&worker, id, &m), "somebody comes");
	ok(ch_send(&worker, id, "msg1") == -EHOSTUNREACH &&
	   sock_recv(taker, buf, sizeof(buf), 0, NULL) == -EAGAIN, "who was not meant");
	ch_done(&worker, id, &(struct ch_done){ .error = -ECANCELED });
	check_result(seq, -ECANCELED, false, "given up");
	close(taker);
}

/* An answer comes when who asked has gone. */
static void test_answer(void)
{
	struct lh_message f;
	uint8_t frame[1024];
	char buf[16];
	int asker, other, err = 0;

	asker = user_socket(OWNER, "svc2", &err);
	ok(!err && !sock_send(asker, NAME(link_a.name, "far"), "ask", 3) &&
	   lh_read_frame(link_a.raw, &f) && f.n_ret == 1 && !strcmp(f.ret[0], "svc2"),
	   "\"svc2\" asks, and closes");
	close(asker);
	other = user_socket(THIEF, "svc2", &err);
	ok(err == EADDRINUSE, "another user does not get its name");
	ok(brought("svc2", "drop_no_address"), "so the answers go nowhere");
	close(other);
	asker = user_socket(OWNER, "svc2", &err);
	sock_set(asker, OCKAM_REACH, OCKAM_REACH_ALL);
	ok(!err && lh_write(link_a.raw, frame, lh_frame(frame, "svc2", NULL, "late", 4)) &&
	   receive(asker, buf, sizeof(buf)) == 4, "or to its own user");
	close(asker);
}

/* CAP_NET_ADMIN may give a name to another user: by having it himself. */
static void test_admin(void)
{
	int fd, other, err = 0;

	ok(!user_bind(OWNER, "moved"), "a user has had a name");
	fd = user_socket(OWNER, "moving", &err);
	other = user_socket(0, "moving", &err);
	ok(err == EADDRINUSE, "an administrator does not get one that somebody has");
	close(other);
	close(fd);
	ch_wait_gone(&node, "moving", CH_SOON);
	ok(!user_bind(OWNER, "moving"), "it stays the user's");
	fd = user_socket(0, "moved", &err);
	ok(!err, "he gets one that somebody has had");
	close(fd);
	ok(user_bind(OWNER, "moved") == EADDRINUSE, "it is his then");
}

/* Too many: the oldest of the same user goes. */
static void test_many(void)
{
	char name[32];
	int bad = 0;

	ok(!user_bind(OWNER, "oldest") && !user_bind(THIEF, "other"), "a name each");
	for (int i = 0; i < 256 && !bad; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		bad = user_bind(OWNER, name);
	}
	ok(!bad, "256 more of the one (%s)", strerror(bad));
	ok(!user_bind(THIEF, "oldest"), "his oldest is free");
	ok(user_bind(THIEF, "many255") == EADDRINUSE && user_bind(OWNER, "other") == EADDRINUSE,
	   "the others are not, nor is another user's");
}

/* However few addresses a node may have, no user keeps all names for himself. */
static void test_full(void)
{
	unsigned int uid;
	char name[32];
	int bad = 0;

	ok(!nlh_set_limit(&node, OCKAM_LIMIT_ADDRESSES, 100), "a node of few addresses");
	ok(!user_bind(2000, "bystander"), "somebody gets a name after who has had many");
	for (uid = 2001; uid <= 2015; uid++) {	/* OWNER has 256 too */
		for (int i = 0; i < 256 && !bad; i++) {
			snprintf(name, sizeof(name), "full%u.%d", uid, i);
			bad = user_bind(uid, name);
		}
	}
	ok(!bad, "many users have had many (%s)", strerror(bad));
	ok(user_bind(uid, "late") == ENOSPC, "one more gets none");
	ok(!user_bind(OWNER, "mine"), "who has some gets one for his oldest");
	ok(user_bind(2001, "bystander") == EADDRINUSE, "and for nobody else's");
	ok(!user_bind(0, "late"), "an administrator gets one");
	nlh_set_limit(&node, OCKAM_LIMIT_ADDRESSES, 262144);
}

int main(void)
{
	open_node();
	worker_again();
	drain_worker();
	ok(ch_open_responder(&worker, &node, &link_a, &through, key_tx, key_rx), "a channel");
	test_form();
	for (int kind = 0; kind < KINDS; kind++) {
		for (int order = 0; order < ORDERS; order++)
			test_kind(kind, order);
	}
	test_path();
	test_handshake();
	test_answer();
	test_admin();
	test_many();
	test_full();
	close_node();
	return tap_done();
}
