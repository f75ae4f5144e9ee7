// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel's socket layer offers to sockets of any family: filters, time
 * stamps, marks, offsets of peeking, pending errors; and who pays for memory.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>

#include "nlhelp.h"
#include "sock.h"

#ifndef SO_RCVMARK
#define SO_RCVMARK	75
#endif

static struct nlh node;

/* Two sockets; the second one is new. */
static int from, to;
static char name_text[16];

static void open_pair(void)
{
	static int n;

	snprintf(name_text, sizeof(name_text), "layer%d", n++);
	from = sock_new();
	to = sock_named(name_text);
}

static void close_pair(void)
{
	close(from);
	close(to);
}

static int say(const void *text, size_t len)
{
	return sock_send(from, NAME(name_text), text, len);
}

static int hear(void *buf, size_t len)
{
	return (int)sock_recv(to, buf, len, 0, NULL);
}

/* ---- filters ---- */

static int attach(int fd, struct sock_filter *code, unsigned short len)
{
	struct sock_fprog prog = { len, code };

	return failed(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
}

#define ATTACH(fd, code) attach(fd, code, sizeof(code) / sizeof(*(code)))

static int detach(int fd)
{
	return failed(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)));
}

static void test_filter(void)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter by_byte[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter three[] = { BPF_STMT(BPF_RET | BPF_K, 3) };
	long long dropped = nlh_counter(&node, "drop_socket_filter");
	char buf[16];

	open_pair();
	ok(!ATTACH(to, nothing) && !say("x", 1) && hear(buf, 16) == -EAGAIN,
	   "a filter that takes nothing");
	ok(nlh_counter(&node, "drop_socket_filter") == dropped + 1, "and that is counted");
	ok(!ATTACH(to, by_byte) && !say("no", 2) && !say("yes", 3) && hear(buf, 16) == 3 &&
	   hear(buf, 16) == -EAGAIN, "a filter sees the payload");
	ok(!say("", 0) && hear(buf, 16) == -EAGAIN, "of which there may be none");
	ok(!ATTACH(to, three) && !say("longer", 6) && hear(buf, 16) == 3 && !memcmp(buf, "lon", 3),
	   "a filter cuts");
	ok(!detach(to) && !say("all", 3) && hear(buf, 16) == 3, "without it all is as before");
	close_pair();
}

/* The routes and the identifier of the peer are before the payload, in one memory. */
static void test_filter_bounds(void)
{
	static const unsigned int bases[] = { SKF_NET_OFF, SKF_LL_OFF };
	char buf[16];

	open_pair();
	for (int i = 0; i < 2; i++) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_B | BPF_ABS, bases[i]),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
			BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
			BPF_STMT(BPF_RET | BPF_K, 0),
		};

		ok(!ATTACH(to, code) && !say("yes", 3) && hear(buf, 16) == 3,
		   "base %d of a filter: the payload", i);
	}
	close_pair();
}

/* In page fragments, and in a list of them. */
static void test_filter_large(void)
{
	static const unsigned int cuts[] = { 1, 2048, 2049, 60000, 300000, 999999 };
	static char out[1 << 20], in[1 << 20];

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = i * 7 + (i >> 12);
	open_pair();
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, cuts[i]) };

		ok(!ATTACH(to, code) && !say(out, sizeof(out)) &&
		   hear(in, sizeof(in)) == (int)cuts[i] && !memcmp(in, out, cuts[i]),
		   "a message is cut to %u bytes", cuts[i]);
	}
	close_pair();
}

static void test_ebpf(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2,
		.insns = (unsigned long)code, .license = (unsigned long)"GPL",
	};
	int prog = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	char buf[4];

	open_pair();
	ok(prog >= 0 && !failed(setsockopt(to, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog))) &&
	   !say("x", 1) && hear(buf, 4) == -EAGAIN, "an eBPF program is a filter");
	close(prog);
	close_pair();
}

/* ---- ancillary data ---- */

static struct cmsghdr *hear_with(struct received *r, int type)
{
	if (sock_recvmsg(to, r, sizeof(r->control), 0) != 1)
		return NULL;
	return sock_find_cmsg(r, SOL_SOCKET, type);
}

static void test_timestamps(void)
{
	static const struct {
		int option;
		int value;
		const char *name;
	} kinds[] = {
		{ SO_TIMESTAMP, 1, "SO_TIMESTAMP" },
		{ SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS" },
		{ SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE,
		  "SO_TIMESTAMPING" },
	};
	struct timespec before, after, sleep = { 0, 20000000 };
	struct received r;
	struct cmsghdr *c;
	time_t stamp[2];
	long long ns;

	for (int i = 0; i < 3; i++) {
		open_pair();
		setsockopt(to, SOL_SOCKET, kinds[i].option, &kinds[i].value, sizeof(int));
		clock_gettime(CLOCK_REALTIME, &before);
		say("x", 1);
		clock_gettime(CLOCK_REALTIME, &after);
		nanosleep(&sleep, NULL);
		c = hear_with(&r, kinds[i].option);
		memset(stamp, 0, sizeof(stamp));
		if (c)
			memcpy(stamp, CMSG_DATA(c), sizeof(stamp));
		ns = stamp[0] * 1000000000LL + stamp[1] * (i ? 1 : 1000);
		/* The coarser one is cut off to its microseconds. */
		ok(ns >= before.tv_sec * 1000000000LL + before.tv_nsec - 1000 &&
		   ns <= after.tv_sec * 1000000000LL + after.tv_nsec,
		   "%s: when it came, not when it was read", kinds[i].name);
		close_pair();
	}
}

static void test_mark(void)
{
	unsigned int mark = 0;
	struct received r;
	struct cmsghdr *c;

	open_pair();
	setsockopt(from, SOL_SOCKET, SO_MARK, &(int){ 7 }, sizeof(int));
	ok(!failed(setsockopt(to, SOL_SOCKET, SO_RCVMARK, &(int){ 1 }, sizeof(int))) &&
	   !say("x", 1), "a socket with a mark sends");
	c = hear_with(&r, SO_MARK);
	if (c)
		memcpy(&mark, CMSG_DATA(c), sizeof(mark));
	ok(mark == 7, "its message has it (%u)", mark);
	close_pair();
}

/* Nobody may take nothing for the credentials of somebody. */
static void test_credentials(void)
{
	struct ucred cred = { 1, 0, 0 };
	struct received r;
	struct cmsghdr *c;
	int err;

	open_pair();
	err = failed(setsockopt(to, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)));
	if (err) {
		ok(err == EOPNOTSUPP, "SO_PASSCRED is refused");
	} else {
		say("x", 1);
		c = hear_with(&r, SCM_CREDENTIALS);
		if (c)
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
		ok(!cred.pid && cred.uid == 65534 && cred.gid == 65534,
		   "SO_PASSCRED: nobody's credentials");
	}
	close_pair();
}

static void test_low_water(void)
{
	int one = 1, many = 100;

	open_pair();
	ok(!failed(setsockopt(to, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one))) &&
	   failed(setsockopt(to, SOL_SOCKET, SO_RCVLOWAT, &many, sizeof(many))) == EOPNOTSUPP,
	   "SO_RCVLOWAT: one message, and no other number");
	close_pair();
}

/* ---- looking at it ---- */

static int peek(void *buf, size_t len, int flags)
{
	return (int)sock_recv(to, buf, len, MSG_PEEK | flags, NULL);
}

static void test_peek_offset(void)
{
	int off = 2;
	socklen_t len = sizeof(off);
	char buf[16];

	open_pair();
	say("abcdef", 6);
	say("ghi", 3);
	ok(peek(buf, 2, 0) == 2 && peek(buf, 2, 0) == 2 && !memcmp(buf, "ab", 2),
	   "peeking again sees the same");
	ok(!failed(setsockopt(to, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off))) &&
	   peek(buf, 2, 0) == 2 && !memcmp(buf, "cd", 2) && peek(buf, 16, 0) == 2 &&
	   !memcmp(buf, "ef", 2), "SO_PEEK_OFF: peeking goes on where it was");
	ok(peek(buf, 16, 0) == 3 && !memcmp(buf, "ghi", 3) && peek(buf, 16, 0) == -EAGAIN,
	   "in the next message too");
	ok(!getsockopt(to, SOL_SOCKET, SO_PEEK_OFF, &off, &len) && off == 9, "nine bytes were seen");
	ok(hear(buf, 4) == 4 && !getsockopt(to, SOL_SOCKET, SO_PEEK_OFF, &off, &len) && off == 3,
	   "what is taken does not count, into a buffer that is too short either");
	ok(hear(buf, 16) == 3 && hear(buf, 16) == -EAGAIN, "and all was there");
	close_pair();
}

/* ---- errors ---- */

/* A socket that is connected to one that has gone, with two messages of it. */
static int hung_up(void)
{
	struct name own;
	int fd = sock_new(), other = sock_named("other");

	sock_connect(fd, NAME("other"));
	own.len = sizeof(own.sa);
	getsockname(fd, (struct sockaddr *)&own.sa, &own.len);
	sock_send(other, own, "one", 3);
	sock_send(other, own, "two", 3);
	close(other);
	return fd;
}

static void test_errors(void)
{
	int fd = hung_up(), sink = sock_named("sink");
	char buf[16];

	ok(sock_recv(fd, buf, 16, 0, NULL) == -ECONNRESET, "a pending error comes first");
	ok(sock_recv(fd, buf, 16, 0, NULL) == 3 && sock_recv(fd, buf, 16, 0, NULL) == 3,
	   "then what had come before");
	ok(sock_recv(fd, buf, 16, 0, NULL) == -ECONNRESET, "then there is nothing more");
	close(fd);
	fd = hung_up();
	ok(sock_send(fd, NAME("sink"), "x", 1) == ECONNRESET &&
	   !sock_send(fd, NAME("sink"), "x", 1),
	   "send() tells it once, wherever it sends to");
	ok(sock_recv(fd, buf, 16, 0, NULL) == 3, "and recv() not again");
	close(fd);
	close(sink);
}

/* As with other datagram sockets connect() does not throw away. */
static void test_before_connect(void)
{
	char buf[16];
	int other;

	open_pair();
	other = sock_named("else");
	ok(!say("before", 6) && !sock_connect(to, NAME("else")) && !say("after", 5),
	   "a message comes, a connection is made, and another one comes");
	ok(hear(buf, 16) == 6 && hear(buf, 16) == -EAGAIN, "what was there before is read");
	close(other);
	close_pair();
}

/* ---- memory ---- */

#define PIECE	33000
#define PIECES	512

static char group[64];

static bool group_write(const char *file, const char *text)
{
	char path[128];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = open(path, O_WRONLY);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return good;
}

static long long group_memory(void)
{
	char path[128];
	long long n = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.current", group);
	file = fopen(path, "r");
	if (file && fscanf(file, "%lld", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	return n;
}

/* A cgroup with accounting of memory, for this process. */
static bool group_enter(void)
{
	mkdir("/tmp/cgroup", 0755);
	snprintf(group, sizeof(group), "/tmp/cgroup");
	if (mount("none", group, "cgroup2", 0, NULL) && errno != EBUSY)
		return false;
	if (!group_write("cgroup.subtree_control", "+memory"))
		return false;
	strcat(group, "/ockam");
	return (!mkdir(group, 0755) || errno == EEXIST) && group_write("cgroup.procs", "0");
}

static void group_leave(void)
{
	char *own = strdup(group);

	*strrchr(group, '/') = 0;
	group_write("cgroup.procs", "0");
	for (int i = 0; i < 500 && rmdir(own); i++)
		usleep(10000);
	umount2(group, MNT_DETACH);
	free(own);
}

static long long receive_charge(int fd)
{
	__u32 info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len))
		return -1;
	return info[SK_MEMINFO_RMEM_ALLOC];
}

/*
 * A kernel thread or a rounded allocation is no way around a limit: the buffer is
 * charged for at least what the memory cgroup pays, and that is all but the pages
 * that the module keeps (3 MB a processor).
 */
static void test_memory(void)
{
	static char piece[PIECE];
	long long before, paid, charged;
	int sent = 0;

	if (!ok(group_enter(), "a cgroup that accounts for memory"))
		return;
	open_pair();
	setsockopt(to, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 1 << 30 }, sizeof(int));
	before = group_memory();
	while (sent < PIECES && !say(piece, PIECE))
		sent++;
	paid = group_memory() - before;
	charged = receive_charge(to);
	ok(sent == PIECES && paid > (long long)PIECES * PIECE * 3 / 4,
	   "the cgroup pays for what waits: %lld of %lld bytes", paid, (long long)sent * PIECE);
	/* The group takes memory in steps, and other small things are in it. */
	ok(charged > paid - (512 << 10), "the buffer is charged with it: %lld", charged);
	close_pair();
	group_leave();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (nlh_open_new(&node) || nlh_own(&node) || nlh_enter(&node) < 0) {
		printf("Bail out! no node\n");
		return 1;
	}
	test_filter();
	test_filter_bounds();
	test_filter_large();
	test_ebpf();
	test_timestamps();
	test_mark();
	test_credentials();
	test_low_water();
	test_peek_offset();
	test_errors();
	test_before_connect();
	test_memory();
	nlh_end(&node);
	nlh_close(&node);
	ok(sockets_wait(0), "no socket is left");
	return tap_done();
}
