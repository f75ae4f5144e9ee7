// SPDX-License-Identifier: Apache-2.0
/*
 * The family "ockam" byte by byte: malformed requests of every command, who may
 * give which, owners and workers that come and go, limits.
 *
 * where: uml vm
 * long: debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "nlhelp.h"

#define SOON 10000
#define DAY_MS 86400000u
#define HUGE_LEN 60000

static struct nlh owner, worker, other;
static struct nlh_msg msg, answer;
static uint8_t filler[HUGE_LEN];

/* ---- what every command takes -------------------------------------------- */

enum rule {
	R_NAME, R_FLOW, R_IDENT, R_KEY, R_MASK, R_IDS, R_ROUTE, R_OPAQUE,
	R_ATTRS, R_BODY, R_MS, R_ID, R_ERRNO, R_FD, R_FRAMING, R_LABEL,
	R_REASON, R_U64, R_FLAG, R_LIMITS, R_LIVE,
};

struct taken {
	uint16_t attr;
	enum rule rule;
	bool needed;
};

#define MAX_TAKEN 13

struct command {
	uint8_t cmd;
	const char *name;
	bool of_worker;
	struct taken taken[MAX_TAKEN];
};

#define A(attr, rule) { OCKAM_A_##attr, R_##rule, false }
#define N(attr, rule) { OCKAM_A_##attr, R_##rule, true }
#define C(name) .cmd = OCKAM_CMD_##name, #name
static const struct command commands[] = {
	{ C(NODE_OWN) },
	{ C(NODE_DEL) },
	{ C(NODE_GET) },
	{ C(NODE_SET), .taken = { N(LIMITS, LIMITS) } },
	{ C(ADDRESS_GET), .taken = { N(ADDRESS, NAME) } },
	{ C(WORKER_BIND) },
	{ C(HANDSHAKE_FETCH), true, { N(EXCHANGE_ID, ID) } },
	{ C(HANDSHAKE_SEND), true, { N(EXCHANGE_ID, ID), N(MESSAGE, BODY) } },
	{ C(HANDSHAKE_SKIP), true, { N(EXCHANGE_ID, ID) } },
	{ C(HANDSHAKE_DONE), true, {
		N(EXCHANGE_ID, ID), N(ERRNO, ERRNO), N(KEY_TX, KEY),
		N(KEY_RX, KEY), N(PEER, IDENT), A(REACH, MASK),
		A(REACH_IDS, IDS), A(REASON, REASON), A(EXPIRY, U64),
		A(ATTRIBUTES, ATTRS), A(CONTROL, BODY), A(LOCAL_ID, IDENT) } },
	{ C(CHANNEL_CONTROL), true, { N(ENCRYPTOR, NAME), N(CONTROL, BODY) } },
	{ C(LINK_NEW), .taken = {
		N(FD, FD), N(FRAMING, FRAMING), A(ADDRESS, NAME),
		A(REACH, MASK), A(REACH_IDS, IDS), A(SPAWNER_ID, FLOW),
		A(ACCEPTED, FLAG), A(PAIR, NAME), A(LABEL, LABEL),
		A(STALL_MS, MS), A(HALF_FRAME_MS, MS) } },
	{ C(LINK_SET), .taken = {
		N(ADDRESS, NAME), N(STALL_MS, MS), A(REACH, MASK),
		A(REACH_IDS, IDS), A(LABEL, LABEL), A(HALF_FRAME_MS, MS) } },
	{ C(LINK_DEL), .taken = { N(ADDRESS, NAME) } },
	{ C(LINK_GET), .taken = { N(ADDRESS, NAME) } },
	{ C(LISTENER_NEW), .taken = {
		A(ADDRESS, NAME), A(REACH, MASK), A(REACH_IDS, IDS),
		A(FLOW_ID, FLOW), A(OPAQUE, OPAQUE), A(TIMEOUT_MS, MS),
		A(LIVENESS_MS, LIVE), A(LIVENESS_STRICT, FLAG) } },
	{ C(LISTENER_SET), .taken = {
		N(ADDRESS, NAME), N(OPAQUE, OPAQUE), A(ABORT, FLAG),
		A(LIVENESS_MS, LIVE), A(LIVENESS_STRICT, FLAG) } },
	{ C(LISTENER_DEL), .taken = { N(ADDRESS, NAME) } },
	{ C(LISTENER_GET), .taken = { N(ADDRESS, NAME) } },
	{ C(CHANNEL_NEW), .taken = {
		N(ROUTE, ROUTE), A(REACH, MASK), A(REACH_IDS, IDS),
		A(OPAQUE, OPAQUE), A(TIMEOUT_MS, MS), A(CONFIRM_MS, MS),
		A(LIVENESS_MS, LIVE), A(LIVENESS_STRICT, FLAG) } },
	{ C(CHANNEL_SET), .taken = {
		N(ENCRYPTOR, NAME), N(EXPIRY, U64), A(ATTRIBUTES, ATTRS) } },
	{ C(CHANNEL_DEL), .taken = { N(ENCRYPTOR, NAME) } },
	{ C(CHANNEL_GET), .taken = { N(ENCRYPTOR, NAME) } },
};
#undef A
#undef N
#undef C

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

#define for_each_taken(t, c) \
	for (t = (c)->taken; t < (c)->taken + MAX_TAKEN && t->attr; t++)

static const struct command *find_command(uint8_t cmd)
{
	const struct command *c = commands;

	while (c->cmd != cmd)
		c++;
	return c;
}

static struct nlh *socket_of(const struct command *c)
{
	return c->of_worker ? &worker : &owner;
}

static void put_good(struct nlh_msg *m, const struct taken *t)
{
	static const uint8_t route[] = { OCKAM_ADDR_LOCAL, 1, 'x' };
	struct {
		struct nlattr hdr;
		uint64_t value;
	} __attribute__((packed)) limit = {
		.hdr = { sizeof(limit), OCKAM_LIMIT_STALL_MS },
		.value = 30000,
	};

	switch (t->rule) {
	case R_NAME:
		nlh_put(m, t->attr, "nobody", 6);
		break;
	case R_FLOW:
		nlh_put(m, t->attr, filler, OCKAM_FLOW_ID_LEN);
		break;
	case R_IDENT:
	case R_KEY:
		nlh_put(m, t->attr, filler, 32);
		break;
	case R_ROUTE:
		nlh_put(m, t->attr, route, sizeof(route));
		break;
	case R_IDS:
	case R_OPAQUE:
	case R_ATTRS:
	case R_BODY:
		nlh_put(m, t->attr, filler, 32);
		break;
	case R_LIVE:
		nlh_put_u32(m, t->attr, 1000);
		break;
	case R_MASK:
	case R_MS:
	case R_ERRNO:
		nlh_put_u32(m, t->attr, t->rule == R_ERRNO ? 0 : 1);
		break;
	case R_FD:
		nlh_put_u32(m, t->attr, 0);
		break;
	case R_ID:
	case R_U64:
		nlh_put_u64(m, t->attr, UINT64_MAX);
		break;
	case R_FRAMING:
		nlh_put_u8(m, t->attr, OCKAM_FRAMING_STREAM);
		break;
	case R_LABEL:
	case R_REASON:
		nlh_put_text(m, t->attr, "text");
		break;
	case R_FLAG:
		nlh_put_flag(m, t->attr);
		break;
	case R_LIMITS:
		nlh_put(m, t->attr | NLA_F_NESTED, &limit, sizeof(limit));
		break;
	}
}

/* What the command needs, but not @but. */
static void begin_without(const struct command *c, uint16_t but)
{
	const struct taken *t;

	nlh_begin(&msg, c->cmd);
	for_each_taken(t, c) {
		if (t->needed && t->attr != but)
			put_good(&msg, t);
	}
}

/* @c with one attribute of these bytes instead of a good one. */
static int call_with(const struct command *c, uint16_t attr, const void *data,
		     size_t len)
{
	begin_without(c, attr);
	nlh_put(&msg, attr, data, len);
	return nlh_call(socket_of(c), &msg, &answer);
}

/* It was refused for its form, with a sentence. */
static bool refused(const struct command *c, int err)
{
	if ((err == -EINVAL || err == -ERANGE) && socket_of(c)->why[0])
		return true;
	printf("# %s: %d '%s'\n", c->name, err, socket_of(c)->why);
	return false;
}

static bool refused_length(const struct command *c, const struct taken *t,
			   size_t len)
{
	if (refused(c, call_with(c, t->attr, filler, len)))
		return true;
	printf("# attribute %u with %zu bytes\n", t->attr, len);
	return false;
}

static bool refused_u32(const struct command *c, const struct taken *t,
			uint32_t value)
{
	if (refused(c, call_with(c, t->attr, &value, sizeof(value))))
		return true;
	printf("# attribute %u with value %u\n", t->attr, value);
	return false;
}

static bool refused_all(const struct command *c, const struct taken *t)
{
	uint64_t zero = 0;
	uint8_t byte = __OCKAM_FRAMING_MAX;
	bool good = refused_length(c, t, HUGE_LEN);

	switch (t->rule) {
	case R_NAME:
		good &= refused_length(c, t, 0) && refused_length(c, t, 256);
		break;
	case R_FLOW:
		good &= refused_length(c, t, 0) && refused_length(c, t, 15) &&
			refused_length(c, t, 17);
		break;
	case R_IDENT:
	case R_KEY:
		good &= refused_length(c, t, 0) && refused_length(c, t, 31) &&
			refused_length(c, t, 33);
		break;
	case R_ROUTE:
		good &= refused_length(c, t, 0) && refused_length(c, t, 2049);
		/* No hop has a length of 0 or ends behind the route. */
		good &= refused(c, call_with(c, t->attr, "\0\0", 2));
		good &= refused(c, call_with(c, t->attr, "\0\5abc", 5));
		good &= refused(c, call_with(c, t->attr, "\0", 1));
		break;
	case R_IDS:
		good &= refused_length(c, t, 1) && refused_length(c, t, 15) &&
			refused_length(c, t, 1040);
		break;
	case R_OPAQUE:
		good &= refused_length(c, t, OCKAM_OPAQUE_MAX + 1);
		break;
	case R_ATTRS:
		good &= refused_length(c, t, OCKAM_ATTRIBUTES_MAX + 1);
		break;
	case R_BODY:
		good &= refused_length(c, t, OCKAM_HANDSHAKE_MAX + 1);
		if (t->needed)
			good &= refused_length(c, t, 0);
		break;
	case R_MASK:
		good &= refused_u32(c, t, OCKAM_REACH_ALL + 1) &&
			refused_length(c, t, 3) && refused_length(c, t, 8);
		break;
	case R_MS:
		good &= refused_u32(c, t, 0) && refused_u32(c, t, DAY_MS + 1) &&
			refused_length(c, t, 3) && refused_length(c, t, 8);
		break;
	case R_LIVE:
		good &= refused_u32(c, t, 1) && refused_u32(c, t, 99) &&
			refused_u32(c, t, DAY_MS + 1) &&
			refused_length(c, t, 3) && refused_length(c, t, 8);
		break;
	case R_ERRNO:
		good &= refused_u32(c, t, 1) && refused_u32(c, t, -4096) &&
			refused_length(c, t, 3) && refused_length(c, t, 8);
		break;
	case R_FD:
		good &= refused_u32(c, t, -1) && refused_length(c, t, 3) &&
			refused_length(c, t, 8);
		break;
	case R_ID:
		good &= refused(c, call_with(c, t->attr, &zero, sizeof(zero)));
		/* fall through */
	case R_U64:
		good &= refused_length(c, t, 4) && refused_length(c, t, 7) &&
			refused_length(c, t, 9);
		break;
	case R_FRAMING:
		good &= refused(c, call_with(c, t->attr, &byte, 1)) &&
			refused_length(c, t, 0) && refused_length(c, t, 2);
		break;
	case R_LABEL:
		good &= refused(c, call_with(c, t->attr, "open", 4)) &&
			refused_length(c, t, 0) && refused_length(c, t, 129);
		break;
	case R_REASON:
		good &= refused(c, call_with(c, t->attr, "open", 4)) &&
			refused_length(c, t, 0) && refused_length(c, t, 257);
		break;
	case R_FLAG:
		good &= refused_length(c, t, 1);
		break;
	case R_LIMITS:
		good &= refused_length(c, t, 3);
		break;
	}
	return good;
}

static bool takes(const struct command *c, uint16_t attr)
{
	const struct taken *t;

	for_each_taken(t, c) {
		if (t->attr == attr)
			return true;
	}
	/* In tables of their own, which exclude other attributes. */
	if (c->cmd == OCKAM_CMD_LINK_SET)
		return attr == OCKAM_A_PAIR || attr == OCKAM_A_UNPAIR;
	if (c->cmd == OCKAM_CMD_CHANNEL_SET)
		return attr == OCKAM_A_ROUTE || attr == OCKAM_A_REACH ||
		       attr == OCKAM_A_REACH_IDS;
	return false;
}

static void test_forms(const struct command *c)
{
	const struct taken *t;
	bool good = true;
	unsigned int attr;

	/* What is missing, what is there twice. */
	for_each_taken(t, c) {
		if (!t->needed)
			continue;
		begin_without(c, t->attr);
		good &= refused(c, nlh_call(socket_of(c), &msg, &answer));
		begin_without(c, 0);
		put_good(&msg, t);
		good &= refused(c, nlh_call(socket_of(c), &msg, &answer));
		good &= !!strstr(socket_of(c)->why, "twice");
	}
	ok(good, "%s: missing and doubled attributes are refused", c->name);

	good = true;
	for_each_taken(t, c)
		good &= refused_all(c, t);
	ok(good, "%s: attributes too short, too long or out of range are refused",
	   c->name);

	good = true;
	for (attr = OCKAM_A_PAD; attr <= OCKAM_A_MAX + 2; attr++) {
		if (!takes(c, attr))
			good &= refused(c, call_with(c, attr, filler, 4));
	}
	good &= refused(c, call_with(c, 0x3fff, filler, 4));
	good &= refused(c, call_with(c, 0, filler, 4));
	ok(good, "%s: attributes of others and unknown ones are refused", c->name);
}

static void test_headers(const struct command *c)
{
	static const uint16_t flags[] = {
		NLM_F_ROOT, NLM_F_MATCH, NLM_F_ATOMIC, NLM_F_CREATE,
		NLM_F_EXCL, NLM_F_MULTI, NLM_F_DUMP_INTR, 0x8000,
	};
	struct genlmsghdr *g = NLMSG_DATA(&msg.hdr);
	bool good = true;
	size_t i;
	int err;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		begin_without(c, 0);
		msg.hdr.nlmsg_flags |= flags[i];
		err = nlh_call(socket_of(c), &msg, &answer);
		if (!refused(c, err)) {
			printf("# flag %#x\n", flags[i]);
			good = false;
		}
	}
	begin_without(c, 0);
	g->reserved = 1;
	good &= refused(c, nlh_call(socket_of(c), &msg, &answer));
	begin_without(c, 0);
	g->version = OCKAM_GENL_VERSION + 1;
	err = nlh_call(socket_of(c), &msg, &answer);
	good &= err == -EPROTONOSUPPORT && socket_of(c)->why[0];
	/* Three bytes behind the last attribute. */
	begin_without(c, 0);
	memset(msg.bytes + msg.len, 1, 3);
	msg.len += 3;
	good &= refused(c, nlh_call(socket_of(c), &msg, &answer));
	/* An attribute that ends behind the message. */
	begin_without(c, 0);
	nlh_put_u32(&msg, OCKAM_A_FD, 0);
	((struct nlattr *)(msg.bytes + msg.len - 8))->nla_len = 100;
	good &= refused(c, nlh_call(socket_of(c), &msg, &answer));
	ok(good, "%s: flags, header and length are checked", c->name);
}

/* ---- who may ------------------------------------------------------------- */

enum who { ROOT, NOBODY, USERNS };

static const char *const who_names[] = { "root", "nobody", "a user namespace" };

struct outcome {
	int err;
	char why[256];
};

static struct outcome *shared;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		printf("# cannot write %s\n", path);
	if (fd >= 0)
		close(fd);
}

/* One request on a fresh socket by @who: in its own namespace for USERNS. */
static struct outcome call_as(enum who who, const struct command *c, bool dump)
{
	struct nlh h;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	shared->err = -ECHILD;	/* unless it gets that far */
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (who == USERNS) {
			if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
				_exit(1);
			write_file("/proc/self/setgroups", "deny");
			write_file("/proc/self/uid_map", "0 0 1");
			write_file("/proc/self/gid_map", "0 0 1");
		} else {
			nlh_enter(&owner);
		}
		if (who == NOBODY && (setgid(65534) || setuid(65534)))
			_exit(1);
		shared->err = nlh_open(&h);
		if (shared->err)
			_exit(1);
		if (dump) {
			nlh_begin(&msg, c->cmd);
			shared->err = nlh_dump(&h, &msg, NULL, NULL);
		} else {
			begin_without(c, 0);
			shared->err = nlh_call(&h, &msg, &answer);
		}
		memcpy(shared->why, h.why, sizeof(h.why));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return *shared;
}

static void test_authority(const struct command *c)
{
	bool open = c->cmd == OCKAM_CMD_NODE_GET;
	bool list = c->cmd == OCKAM_CMD_ADDRESS_GET ||
		    c->cmd == OCKAM_CMD_LINK_GET ||
		    c->cmd == OCKAM_CMD_LISTENER_GET ||
		    c->cmd == OCKAM_CMD_CHANNEL_GET;
	struct outcome o;
	enum who who;

	for (who = NOBODY; who <= USERNS; who++) {
		o = call_as(who, c, false);
		ok(open ? !o.err : o.err == -EPERM && o.why[0],
		   "%s by %s is %s: %s", c->name, who_names[who],
		   open ? "allowed" : "refused", o.why);
		if (!list)
			continue;
		o = call_as(who, c, true);
		ok(o.err == -EPERM && o.why[0], "nor is a dump: %s", o.why);
	}
	if (list) {
		o = call_as(ROOT, c, true);
		ok(o.err >= 0, "root may dump what another owns");
	}
	if (!c->of_worker)
		return;
	o = call_as(ROOT, c, false);
	ok(o.err == -EPERM && o.why[0],
	   "%s by root that is not the worker is refused", c->name);
	begin_without(c, 0);
	ok(nlh_call(&owner, &msg, &answer) == -EPERM && owner.why[0],
	   "%s by the owner is refused", c->name);
}

/* ---- scenarios ----------------------------------------------------------- */

static int bind_worker(struct nlh *h)
{
	nlh_begin(&msg, OCKAM_CMD_WORKER_BIND);
	return nlh_call(h, &msg, &answer);
}

static int wait_own(struct nlh *h)
{
	long long end = nlh_now() + SOON;
	int err;

	do {
		err = nlh_own(h);
		if (err != -EBUSY)
			return err;
		usleep(1000);
	} while (nlh_now() < end);
	return err;
}

static int wait_bind(struct nlh *h)
{
	long long end = nlh_now() + SOON;
	int err;

	do {
		err = bind_worker(h);
		if (err != -EBUSY)
			return err;
		usleep(1000);
	} while (nlh_now() < end);
	return err;
}

static int new_link(struct nlh *h, const char *name)
{
	struct nlh_link_options o = { .name = name };
	int fd[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		return -errno;
	err = nlh_link_new(h, fd[0], &o, NULL);
	close(fd[0]);
	/* The other end stays open: its close would end the link. */
	if (err)
		close(fd[1]);
	return err;
}

static uint32_t node_u32(struct nlh *h, uint16_t attr)
{
	nlh_begin(&msg, OCKAM_CMD_NODE_GET);
	if (nlh_call(h, &msg, &answer))
		return UINT32_MAX;
	return nlh_attr_u32(&answer, attr);
}

static void test_unowned(void)
{
	struct nlh h;

	if (!ok(!nlh_open_new(&h), "a namespace without node"))
		return;
	ok(new_link(&h, "l") == -ESRCH && h.why[0], "no link without owner: %s",
	   h.why);
	ok(bind_worker(&h) == -ENOTCONN && h.why[0],
	   "no worker without owner: %s", h.why);
	begin_without(find_command(OCKAM_CMD_LISTENER_NEW), 0);
	ok(nlh_call(&h, &msg, &answer) == -ESRCH && h.why[0],
	   "no listener without owner: %s", h.why);
	begin_without(find_command(OCKAM_CMD_CHANNEL_NEW), 0);
	ok(nlh_call(&h, &msg, &answer) == -ESRCH && h.why[0],
	   "no channel without owner: %s", h.why);
	ok(nlh_end(&h) == -ESRCH && h.why[0], "no end without owner: %s", h.why);
	ok(node_u32(&h, OCKAM_A_PROTOCOL_VERSION) == 1 &&
	   node_u32(&h, OCKAM_A_OWNER_PORT) == 0, "the version can be asked");
	ok(nlh_link_count(&h) == 0, "and lists are empty");
	nlh_close(&h);
}

static void test_owner(void)
{
	struct nlh first, second, heard;

	if (!ok(!nlh_open_new(&first) && !nlh_open_in(&second, &first) &&
		!nlh_open_in(&heard, &first) && !nlh_listen(&heard) &&
		!nlh_own(&first) && !bind_worker(&second),
		"a node with an owner"))
		return;
	ok(nlh_own(&second) == -EBUSY && second.why[0],
	   "it cannot be owned twice: %s", second.why);
	ok(nlh_own(&first) == -EBUSY, "not even by its owner");
	ok(!new_link(&second, "l") && nlh_link_count(&first) == 1,
	   "with CAP_NET_ADMIN another socket may make a link");
	ok(!nlh_end(&first) && nlh_link_count(&second) == 0 &&
	   nlh_link_get(&second, "l", NULL) == -ENOENT &&
	   node_u32(&second, OCKAM_A_OWNER_PORT) == 0 &&
	   node_u32(&second, OCKAM_A_WORKER_PORT) == 0,
	   "NODE_DEL hides everything at once");
	ok(nlh_end(&first) == -ESRCH && new_link(&first, "l") == -ESRCH &&
	   bind_worker(&first) == -ENOTCONN, "and nothing can be made");
	ok(!nlh_wait_event(&heard, OCKAM_EVENT_LINK_DEL, "l", &answer, SOON) &&
	   !nlh_wait_event(&heard, OCKAM_EVENT_NODE_DEL, NULL, &answer, SOON),
	   "the end is told");
	ok(!nlh_own(&second) && !new_link(&second, "l"),
	   "then another may own it");
	nlh_close(&heard);
	nlh_close(&second);
	ok(!wait_own(&first) && nlh_link_count(&first) == 0,
	   "the end of the owner's socket ends the node");
	ok(!new_link(&first, "l"), "and it lives again");
	nlh_close(&first);
}

/* A socket in the namespace of @in with this port number. */
static int open_port(struct nlh *h, uint32_t port)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_pid = port };
	int one = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return -errno;
	close(h->fd);
	h->fd = fd;
	return 0;
}

static void test_ports(void)
{
	struct nlh node, elsewhere, route;
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	uint32_t port;
	int back, fd;

	if (!ok(!nlh_open_new(&node) && !nlh_own(&node) &&
		!nlh_open_in(&route, &node) && !bind_worker(&route),
		"a node with owner and worker"))
		return;
	port = node_u32(&node, OCKAM_A_WORKER_PORT);
	ok(port, "the worker's port is shown");

	ok(!nlh_open_new(&elsewhere) && !open_port(&elsewhere, port),
	   "a socket with the same port in another namespace");
	begin_without(&commands[6], 0);
	ok(nlh_call(&elsewhere, &msg, &answer) == -EPERM,
	   "is not the worker there");
	nlh_close(&elsewhere);
	ok(node_u32(&node, OCKAM_A_WORKER_PORT) == port,
	   "and its end is not the worker's end");

	/* The same number in another protocol. */
	sa.nl_pid = port;
	back = nlh_enter(&node);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	nlh_leave(back);
	ok(fd >= 0 && !bind(fd, (struct sockaddr *)&sa, sizeof(sa)) && !close(fd) &&
	   node_u32(&node, OCKAM_A_WORKER_PORT) == port,
	   "nor is that of a socket with this port of another protocol");

	ok(bind_worker(&node) == -EBUSY && node.why[0], "one worker at a time: %s",
	   node.why);
	nlh_close(&route);
	ok(!wait_bind(&node), "another one after its end");
	/* The largest number marks an ending node. */
	ok(!nlh_open_new(&elsewhere) && !open_port(&elsewhere, UINT32_MAX) &&
	   nlh_own(&elsewhere) == -EINVAL && elsewhere.why[0],
	   "no owner with the last port number: %s", elsewhere.why);
	nlh_close(&elsewhere);
	nlh_close(&node);
}

/* Without NETLINK_CAP_ACK the kernel sends back what it refused. */
static void test_wiping(void)
{
	const struct command *done = NULL;
	uint8_t mark[32];
	size_t i;

	for (i = 0; i < N_COMMANDS; i++) {
		if (commands[i].cmd == OCKAM_CMD_HANDSHAKE_DONE)
			done = &commands[i];
	}
	memset(mark, 0xa7, sizeof(mark));
	for (i = 0; i < 4; i++) {
		struct nlh *h = i == 3 ? &owner : &worker;

		begin_without(done, i == 1 ? OCKAM_A_PEER : OCKAM_A_KEY_TX);
		/* 0: a good one; 1: not complete; 2: twice; 3: not the worker. */
		nlh_put(&msg, OCKAM_A_KEY_TX, mark, 32);
		if (i == 2)
			nlh_put(&msg, OCKAM_A_KEY_TX, mark, 32);
		nlh_send(h, &msg);
		ok(!nlh_receive(h, &answer, SOON) &&
		   answer.hdr.nlmsg_type == NLMSG_ERROR &&
		   answer.len > 32 * 3 &&
		   !memmem(answer.bytes, answer.len, mark, 16),
		   "a refused HANDSHAKE_DONE comes back without its keys (%zu)", i);
	}
}

static void test_user_namespaces(void)
{
	static const char *param =
		"/sys/module/ockam/parameters/user_namespaces";
	struct outcome o;

	o = call_as(USERNS, &commands[0], false);
	ok(o.err == -EPERM && strstr(o.why, "user_namespaces"),
	   "no node in a user namespace by default: %s", o.why);
	write_file(param, "1");
	o = call_as(USERNS, &commands[0], false);
	ok(!o.err, "but with the parameter");
	o = call_as(NOBODY, &commands[0], false);
	ok(o.err == -EPERM, "not without CAP_NET_ADMIN there");
	write_file(param, "0");
}

static void test_events_group(void)
{
	pid_t pid;
	int status = 1;

	ok(!nlh_listen(&other), "root may hear events");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct nlh h;

		nlh_enter(&owner);
		if (setgid(65534) || setuid(65534) || nlh_open(&h))
			_exit(2);
		_exit(nlh_listen(&h) != -EPERM);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "nobody may not");
}

/* ---- limits -------------------------------------------------------------- */

static uint64_t read_limit(struct nlh *h, uint16_t which)
{
	const struct nlattr *a;
	const uint8_t *p;
	uint64_t value = 0;
	size_t len;

	nlh_begin(&msg, OCKAM_CMD_NODE_GET);
	if (nlh_call(h, &msg, &answer))
		return UINT64_MAX;
	p = nlh_attr(&answer, OCKAM_A_LIMITS, &len);
	while (p && len >= NLA_HDRLEN) {
		a = (const struct nlattr *)p;
		if (a->nla_type == which)
			memcpy(&value, p + NLA_HDRLEN, sizeof(value));
		if ((size_t)NLA_ALIGN(a->nla_len) >= len)
			break;
		len -= NLA_ALIGN(a->nla_len);
		p += NLA_ALIGN(a->nla_len);
	}
	return value;
}

/* Read or (text given) write net/ockam/@name in the namespace of @h. */
static int sysctl(struct nlh *h, const char *name, const char *text, char *out,
		  size_t size)
{
	int back = nlh_enter(h), fd, err = 0;
	char path[128];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/sys/net/ockam/%s", name);
	fd = open(path, text ? O_WRONLY : O_RDONLY);
	if (fd < 0) {
		err = -errno;
	} else if (text) {
		err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	} else {
		n = read(fd, out, size - 1);
		err = n < 0 ? -errno : 0;
		out[n > 0 ? n : 0] = '\0';
		out[strcspn(out, "\n")] = '\0';
	}
	if (fd >= 0)
		close(fd);
	nlh_leave(back);
	return err;
}

static void test_limits(void)
{
	static const struct {
		const char *name;
		uint16_t which;
		uint64_t by_default;
	} limits[] = {
		{ "max_addresses", OCKAM_LIMIT_ADDRESSES, 262144 },
		{ "max_links", OCKAM_LIMIT_LINKS, 16384 },
		{ "max_channels", OCKAM_LIMIT_CHANNELS, 131072 },
		{ "max_listeners", OCKAM_LIMIT_LISTENERS, 1024 },
		{ "max_pending", OCKAM_LIMIT_PENDING, 1024 },
		{ "max_pending_per_link", OCKAM_LIMIT_PENDING_LINK, 64 },
		{ "max_pending_rate", OCKAM_LIMIT_PENDING_RATE, 5000 },
		{ "max_frame_bytes", OCKAM_LIMIT_FRAME_BYTES, 1 << 20 },
		{ "link_queue_bytes", OCKAM_LIMIT_LINK_QUEUE_BYTES, 4 << 20 },
		{ "node_queue_bytes", OCKAM_LIMIT_NODE_QUEUE_BYTES, 256 << 20 },
		{ "partial_bytes", OCKAM_LIMIT_PARTIAL_BYTES, 64 << 20 },
		{ "max_channel_depth", OCKAM_LIMIT_CHANNEL_DEPTH, 8 },
		{ "stall_ms", OCKAM_LIMIT_STALL_MS, 30000 },
		{ "half_frame_ms", OCKAM_LIMIT_HALF_FRAME_MS, 30000 },
		{ "initiator_ms", OCKAM_LIMIT_INITIATOR_MS, 120000 },
		{ "responder_ms", OCKAM_LIMIT_RESPONDER_MS, 30000 },
		{ "max_addresses_per_user", OCKAM_LIMIT_USER_ADDRESSES, 16384 },
		{ "stranded_ms", OCKAM_LIMIT_STRANDED_MS, 30000 },
	};
	static const char * const no_numbers[] = {
		" ", "-1", "5 6", "5x", "1.5", "99999999999999999999999999999999",
		"00000000000000000000007000", "7000                    0",
	};
	struct nlh node;
	bool good = true;
	char text[32];
	size_t i;

	if (!ok(!nlh_open_new(&node) && !nlh_own(&node), "a node"))
		return;
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t v = limits[i].by_default;

		good &= read_limit(&node, limits[i].which) == v;
		good &= !nlh_set_limit(&node, limits[i].which, v - 1) &&
			read_limit(&node, limits[i].which) == v - 1;
		good &= !sysctl(&node, limits[i].name, NULL, text,
				sizeof(text)) &&
			strtoull(text, NULL, 10) == v - 1;
		/* Root of the initial user namespace may. */
		snprintf(text, sizeof(text), "%llu", (unsigned long long)v + 1);
		good &= !sysctl(&node, limits[i].name, text, NULL, 0) &&
			read_limit(&node, limits[i].which) == v + 1;
		good &= nlh_set_limit(&node, limits[i].which, UINT64_MAX) ==
			-ERANGE && node.why[0];
		good &= sysctl(&node, limits[i].name, "18446744073709551615",
			       NULL, 0) == -EINVAL;
		good &= read_limit(&node, limits[i].which) == v + 1;
		if (!good) {
			printf("# limit %s\n", limits[i].name);
			break;
		}
	}
	ok(good, "limits are set by netlink and sysctl, within bounds");
	/* More than an unsigned long has on small machines. */
	ok(!nlh_set_limit(&node, OCKAM_LIMIT_PARTIAL_BYTES, 1ull << 40) &&
	   !sysctl(&node, "partial_bytes", NULL, text, sizeof(text)) &&
	   !strcmp(text, "1099511627776") &&
	   !sysctl(&node, "partial_bytes", "1099511627775\n", NULL, 0) &&
	   read_limit(&node, OCKAM_LIMIT_PARTIAL_BYTES) == (1ull << 40) - 1,
	   "all 64 bits of them");
	for (i = 0; i < sizeof(no_numbers) / sizeof(no_numbers[0]); i++)
		ok(sysctl(&node, "partial_bytes", no_numbers[i], NULL, 0) ==
		   -EINVAL &&
		   read_limit(&node, OCKAM_LIMIT_PARTIAL_BYTES) ==
		   (1ull << 40) - 1, "\"%s\" is no number", no_numbers[i]);
	ok(!nlh_end(&node) && !wait_own(&node) &&
	   read_limit(&node, OCKAM_LIMIT_LINKS) == 16384,
	   "and return to their defaults with the node");

	ok(!nlh_set_limit(&node, OCKAM_LIMIT_LINKS, 2) &&
	   !new_link(&node, "l1") && !new_link(&node, "l2") &&
	   new_link(&node, "l3") == -ENOSPC && node.why[0],
	   "the table of links has a limit: %s", node.why);
	nlh_close(&node);
}

static int in_user_namespace_set(uint64_t value)
{
	struct nlh h;
	pid_t pid;

	shared->err = -ECHILD;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(1);
		write_file("/proc/self/setgroups", "deny");
		write_file("/proc/self/uid_map", "0 0 1");
		shared->err = nlh_open(&h) ?: nlh_own(&h) ?:
			nlh_set_limit(&h, OCKAM_LIMIT_LINKS, value);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return shared->err;
}

static void test_ceilings(void)
{
	static const char *param =
		"/sys/module/ockam/parameters/user_namespaces";

	write_file(param, "1");
	ok(!in_user_namespace_set(100), "a user namespace may lower a limit");
	ok(in_user_namespace_set(20000) == -EPERM, "but not raise its ceiling");
	write_file(param, "0");
}

/* ---- the module ---------------------------------------------------------- */

static int module_refs(void)
{
	char line[512];
	int refs = -1;
	FILE *f = fopen("/proc/modules", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "ockam ", 6))
			sscanf(line, "ockam %*u %d", &refs);
	}
	if (f)
		fclose(f);
	return refs;
}

static bool wait_module_refs(int want)
{
	long long end = nlh_now() + SOON;

	while (module_refs() != want && nlh_now() < end)
		usleep(1000);
	if (module_refs() == want)
		return true;
	printf("# %d references\n", module_refs());
	return false;
}

static void test_module(void)
{
	struct nlh node;

	ok(wait_module_refs(0), "nothing holds the module when all nodes ended");
	ok(!nlh_open_new(&node) && !module_refs(),
	   "a socket of the family alone does not");
	ok(!nlh_own(&node) && module_refs() == 1, "an owner does");
	ok(syscall(SYS_delete_module, "ockam", O_NONBLOCK) == -1 &&
	   (errno == EWOULDBLOCK || errno == EBUSY), "so it cannot be unloaded");
	nlh_close(&node);
	ok(wait_module_refs(0), "until the node has ended");
}

int main(void)
{
	size_t i;

	memset(filler, 0x5c, sizeof(filler));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED ||
	    !ok(!nlh_open_new(&owner) && !nlh_open_in(&worker, &owner) &&
		!nlh_open_in(&other, &owner) && !nlh_own(&owner) &&
		!bind_worker(&worker), "a node with owner and worker"))
		return 1;

	for (i = 0; i < N_COMMANDS; i++) {
		test_forms(&commands[i]);
		test_headers(&commands[i]);
		test_authority(&commands[i]);
	}
	ok(nlh_link_count(&owner) == 0 && !nlh_link_count(&other),
	   "and nothing has been made by all that");
	test_wiping();
	test_events_group();
	test_unowned();
	test_owner();
	test_ports();
	test_user_namespaces();
	test_limits();
	test_ceilings();
	nlh_close(&other);
	nlh_close(&worker);
	nlh_close(&owner);
	test_module();
	return tap_done();
}
