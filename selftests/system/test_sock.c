// SPDX-License-Identifier: Apache-2.0
/*
 * where: uml vm debug
 *
 * The socket interface, alone in a fresh namespace: names, messages, options,
 * waiting, limits, what happens after what.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>

#include "nlhelp.h"
#include "sock.h"

#define FRAME_LIMIT (1 << 20)	/* default of the node */

static struct nlh node;

static void test_create(void)
{
	static const int types[] = {
		SOCK_STREAM, SOCK_RAW, SOCK_RDM, SOCK_PACKET,
	};
	int v, fd, pair[2];
	socklen_t len = sizeof(v);
	bool good = true;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		good &= failed(socket(AF_OCKAM, types[i], 0)) == ESOCKTNOSUPPORT;
	ok(good, "other types of socket: ESOCKTNOSUPPORT");
	ok(failed(socket(AF_OCKAM, SOCK_DGRAM, 1)) == EPROTONOSUPPORT,
	   "a protocol: EPROTONOSUPPORT");
	ok(failed(socketpair(AF_OCKAM, SOCK_DGRAM, 0, pair)) ==
	   EOPNOTSUPP, "socketpair: EOPNOTSUPP");
	fd = sock_new();
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &len);
	ok(v == AF_OCKAM, "SO_DOMAIN");
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len);
	ok(v == SOCK_DGRAM, "SO_TYPE");
	close(fd);
}

/* Address structures that bind() refuses, all the same way. */
static void test_bad_names(void)
{
	struct name n = NAME("bad"), two = NAME("bad", "worse"), tcp = NO_NAME;
	int fd = sock_new();

	for (n.len = 0; n.len < 2; n.len++)
		ok(sock_bind(fd, n) == EINVAL, "bind: length %u", n.len);
	n = NAME("bad");
	n.len = 3;
	ok(sock_bind(fd, n) == EINVAL, "bind: no count of hops");
	for (n.len = NAME_HDR; n.len < NAME_HDR + 5; n.len++) {
		if (sock_bind(fd, n) != EINVAL)
			break;
	}
	ok(n.len == NAME_HDR + 5, "bind: hops behind the end");
	n = NAME("bad");
	n.len = sizeof(n.sa) + 1;
	ok(sock_bind(fd, n) == EINVAL, "bind: longer than the structure");
	n = NAME("bad");
	n.sa.sockam_family = AF_UNIX;
	ok(sock_bind(fd, n) == EAFNOSUPPORT, "bind: family of another");
	n = NAME("bad");
	n.sa.sockam_pad = 1;
	ok(sock_bind(fd, n) == EINVAL, "bind: pad is not zero");
	n = NAME("bad");
	n.sa.sockam_hops = 0;
	ok(sock_bind(fd, n) == EINVAL, "bind: fewer hops than bytes");
	n.sa.sockam_hops = 2;
	ok(sock_bind(fd, n) == EINVAL, "bind: more hops than bytes");
	n = NAME("bad");
	n.len = sizeof(n.sa);
	n.sa.sockam_hops = 255;
	ok(sock_bind(fd, n) == EINVAL, "bind: 255 hops");
	n = NAME("bad");
	n.sa.sockam_route[5] = 'x';
	n.len = sizeof(n.sa);
	ok(sock_bind(fd, n) == EINVAL, "bind: rubbish behind the hops");
	n = NO_NAME;
	name_add(&n, OCKAM_ADDR_LOCAL, "", 0);
	ok(sock_bind(fd, n) == EINVAL, "bind: empty hop");
	ok(sock_bind(fd, two) == EINVAL, "bind: two hops");
	name_add(&tcp, OCKAM_ADDR_TCP, "1.2.3.4:5", 9);
	ok(sock_bind(fd, tcp) == EADDRNOTAVAIL, "bind: not a local hop");
	ok(failed(bind(fd, (void *)8, sizeof(n.sa))) == EFAULT, "bind: EFAULT");
	ok(sock_bind(fd, NAME("good")) == 0, "bind: works after all that");
	close(fd);
}

static void test_names(void)
{
	int a = sock_new(), b = sock_new(), c = sock_new();
	struct name n, got, want;
	char text[122];

	got.len = sizeof(got.sa);
	ok(!getsockname(a, (struct sockaddr *)&got.sa, &got.len) &&
	   got.len == NAME_HDR && !got.sa.sockam_hops &&
	   got.sa.sockam_family == AF_OCKAM, "no name before bind");
	n = NAME("name.a");
	n.len = sizeof(n.sa);
	ok(sock_bind(a, n) == 0, "bind: full structure");
	want = NAME("name.a");
	got.len = sizeof(got.sa);
	getsockname(a, (struct sockaddr *)&got.sa, &got.len);
	ok(name_equal(&got, &want), "getsockname: the used bytes");
	ok(sock_bind(a, NAME("name.b")) == EINVAL, "bind: twice");
	ok(sock_bind(b, NAME("name.a")) == EADDRINUSE, "bind: a name in use");
	ok(sock_bind(b, NO_NAME) == 0, "bind: without a name");
	got.len = sizeof(got.sa);
	getsockname(b, (struct sockaddr *)&got.sa, &got.len);
	ok(got.len == NAME_HDR + 34 && got.sa.sockam_route[1] == 32 &&
	   strspn((char *)got.sa.sockam_route + 2, "0123456789abcdef") == 32,
	   "a random name is 32 hex digits");
	close(a);
	memset(text, 'n', sizeof(text));
	n = NO_NAME;
	name_add(&n, OCKAM_ADDR_LOCAL, text, sizeof(text));
	ok(sock_bind(c, n) == 0, "bind: the longest name");
	got.len = sizeof(got.sa);
	getsockname(c, (struct sockaddr *)&got.sa, &got.len);
	ok(name_equal(&got, &n), "getsockname: the longest name");
	a = sock_new();
	ok(sock_bind(a, NAME("name.a")) == 0, "a closed name is free at once");
	close(a);
	close(b);
	close(c);
}

/* In a child without any privilege: exit status is the number of surprises. */
static int names_as_nobody(void)
{
	static const char * const reserved[] = {
		"api", "echo", "uppercase", "forwarding_service",
		"static_forwarding_service", "_internal.", "_internal.x",
	};
	static const char * const free_names[] = {
		"ap", "apis", "_internal", "my.echo", "Echo",
	};
	size_t i;
	int bad = 0;

	for (i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		bad += sock_bind(sock_new(), NAME(reserved[i])) != EACCES;
	for (i = 0; i < sizeof(free_names) / sizeof(*free_names); i++)
		bad += sock_bind(sock_new(), NAME(free_names[i])) != 0;
	return bad;
}

static void test_reserved(void)
{
	int fd = sock_new();
	int status = -1;
	pid_t pid;

	ok(sock_bind(fd, NAME("echo")) == 0, "root binds a reserved name");
	close(fd);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534))
			_exit(100);
		_exit(names_as_nobody());
	}
	waitpid(pid, &status, 0);
	ok(status == 0, "nobody does not, but any other (status %#x)", status);
}

/* Receive, send back to the same address. */
static void test_round_trip(void)
{
	int server = sock_named("trip.server"), client = sock_new();
	struct name from, self, to = NAME("trip.server", "ignored");
	char buf[64];

	ok(sock_send(client, to, "question", 8) == 0, "sendto binds and sends");
	self.len = sizeof(self.sa);
	getsockname(client, (struct sockaddr *)&self.sa, &self.len);
	ok(sock_recv(server, buf, sizeof(buf), 0, &from) == 8 &&
	   !memcmp(buf, "question", 8), "the message arrives");
	ok(name_equal(&from, &self), "from the sender's name");
	ok(sock_send(server, from, "answer", 6) == 0, "send back");
	ok(sock_recv(client, buf, sizeof(buf), 0, &from) == 6 &&
	   !memcmp(buf, "answer", 6), "the answer arrives");
	to = NAME("trip.server");
	ok(name_equal(&from, &to), "from the server's name");
	ok(sock_recv(client, buf, sizeof(buf), 0, NULL) == -EAGAIN,
	   "and nothing else");
	ok(sock_send(server, to, "self", 4) == 0 &&
	   sock_recv(server, buf, sizeof(buf), 0, NULL) == 4,
	   "a message to oneself");
	close(client);
	close(server);
}

static void test_sizes(void)
{
	static const size_t sizes[] = {
		0, 1, 2, 255, 4095, 4096, 4097, 65535, 65536, 300000,
		FRAME_LIMIT - 1, FRAME_LIMIT,
	};
	int a = sock_named("size.a"), b = sock_named("size.b");
	char *out = malloc(FRAME_LIMIT + 1), *in = malloc(FRAME_LIMIT + 1);
	struct name to = NAME("size.b");
	size_t i, j;

	for (i = 0; i <= FRAME_LIMIT; i++)
		out[i] = i * 31 + (i >> 8);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memset(in, 0xaa, FRAME_LIMIT + 1);
		j = !sock_send(a, to, out, sizes[i]) &&
		    sock_recv(b, in, FRAME_LIMIT + 1, 0, NULL) ==
			(long)sizes[i] &&
		    !memcmp(in, out, sizes[i]) &&
		    (unsigned char)in[sizes[i]] == 0xaa;
		ok(j, "%zu bytes", sizes[i]);
	}
	ok(sock_send(a, to, out, FRAME_LIMIT + 1) == EMSGSIZE,
	   "one byte more than a frame: EMSGSIZE");
	ok(sock_recv(b, in, 1, 0, NULL) == -EAGAIN, "and nothing was sent");
	free(out);
	free(in);
	close(a);
	close(b);
}

static void test_truncation(void)
{
	int a = sock_named("cut.a"), b = sock_named("cut.b");
	struct name to = NAME("cut.b");
	struct received r;
	char buf[8];

	sock_send(a, to, "0123456789", 10);
	sock_send(a, to, "next", 4);
	ok(sock_recv(b, buf, 4, MSG_PEEK, NULL) == 4 && !memcmp(buf, "0123", 4),
	   "MSG_PEEK");
	ok(sock_recv(b, buf, 4, MSG_PEEK | MSG_TRUNC, NULL) == 10,
	   "MSG_PEEK | MSG_TRUNC: the whole length");
	ok(sock_recv(b, NULL, 0, MSG_PEEK | MSG_TRUNC, NULL) == 10,
	   "the same without a buffer");
	ok(sock_recv(b, buf, 4, MSG_TRUNC, NULL) == 10 && !memcmp(buf, "0123", 4),
	   "MSG_TRUNC takes it");
	ok(sock_recvmsg(b, &r, 0, 0) == 4 && !(r.m.msg_flags & MSG_TRUNC),
	   "the rest is gone, the next one is whole");
	sock_send(a, to, "0123456789", 10);
	memset(&r.m, 0, sizeof(r.m));
	r.iov.iov_base = buf;
	r.iov.iov_len = 3;
	r.m.msg_iov = &r.iov;
	r.m.msg_iovlen = 1;
	ok(recvmsg(b, &r.m, 0) == 3 && r.m.msg_flags & MSG_TRUNC,
	   "msg_flags say that it was cut");
	sock_send(a, to, "", 0);
	ok(sock_recv(b, buf, sizeof(buf), MSG_PEEK, NULL) == 0 &&
	   sock_recv(b, buf, sizeof(buf), 0, NULL) == 0 &&
	   sock_recv(b, buf, sizeof(buf), 0, NULL) == -EAGAIN,
	   "an empty message is a message");
	close(a);
	close(b);
}

/* Memory that cannot be read or written loses no message. */
static void test_faults(void)
{
	int a = sock_named("fault.a"), b = sock_named("fault.b");
	struct name to = NAME("fault.b");
	char buf[8192], *page;
	struct iovec iov[2];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page + 4096, 4096, PROT_NONE);
	ok(sock_send(a, to, page + 4090, 10) == EFAULT, "send: EFAULT midway");
	ok(sock_send(a, to, (void *)8, 10) == EFAULT, "send: EFAULT");
	ok(sock_recv(b, buf, 10, 0, NULL) == -EAGAIN, "nothing was sent");
	ok(failed(sendto(a, "x", 1, 0, (void *)8, 10)) == EFAULT,
	   "sendto: EFAULT of the address");
	memset(page, 'x', 4096);
	sock_send(a, to, page, 4096);
	ok(sock_recv(b, page + 4090, 4096, 0, NULL) == -EFAULT,
	   "recv: EFAULT midway");
	iov[0] = (struct iovec){ buf, 100 };
	iov[1] = (struct iovec){ page + 4096, 4096 };
	ok(failed(recvmsg(b, &m, MSG_DONTWAIT)) == EFAULT,
	   "recv: EFAULT in the second piece");
	ok(sock_recv(b, buf, sizeof(buf), 0, NULL) == 4096 && buf[4095] == 'x',
	   "the message is still there");
	sock_send(a, to, "y", 1);
	ok(failed(recvfrom(b, buf, 1, MSG_DONTWAIT, (void *)8,
			   &(socklen_t){ 128 })) == EFAULT,
	   "recvfrom: EFAULT of the address");
	sock_recv(b, buf, 1, 0, NULL);
	munmap(page, 8192);
	close(a);
	close(b);
}

/* Send with ancillary data of @len bytes. 0 or errno. */
static int send_control(int fd, struct name *to, int level, int type,
			const void *data, size_t len)
{
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *c;
	int err;

	if (to) {
		m.msg_name = &to->sa;
		m.msg_namelen = to->len;
	}
	m.msg_control = calloc(1, m.msg_controllen);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	err = failed(sendmsg(fd, &m, MSG_DONTWAIT));
	free(m.msg_control);
	return err;
}

static void test_routes(void)
{
	int a = sock_named("route.a"), b = sock_named("route.b");
	struct name to = NAME("route.b"), tcp = NO_NAME;
	char route[2100], buf[4];
	size_t len;

	ok(failed(send(a, "x", 1, 0)) == EDESTADDRREQ, "no destination");
	ok(sock_send(a, NO_NAME, "x", 1) == EDESTADDRREQ, "an empty route");
	ok(sock_send(a, NAME("nowhere"), "x", 1) == EHOSTUNREACH,
	   "unknown first hop: EHOSTUNREACH");
	name_add(&tcp, OCKAM_ADDR_TCP, "route.b", 7);
	ok(sock_send(a, tcp, "x", 1) == EHOSTUNREACH,
	   "first hop not local: EHOSTUNREACH");
	ok(failed(sendto(a, "x", 1, 0, (struct sockaddr *)&to.sa, 1)) == EINVAL,
	   "half an address: EINVAL");
	to.sa.sockam_family = AF_INET;
	ok(sock_send(a, to, "x", 1) == EAFNOSUPPORT, "another family");
	to = NAME("route.b");
	ok(failed(sendto(a, "x", 1, MSG_OOB, (struct sockaddr *)&to.sa,
			 to.len)) == EOPNOTSUPP, "MSG_OOB: EOPNOTSUPP");
	ok(failed(sendto(a, "x", 1, MSG_MORE, (struct sockaddr *)&to.sa,
			 to.len)) == EOPNOTSUPP, "MSG_MORE: EOPNOTSUPP");
	ok(failed(recv(b, buf, 1, MSG_OOB | MSG_DONTWAIT)) == EOPNOTSUPP,
	   "receive MSG_OOB: EOPNOTSUPP");

	len = to.len - NAME_HDR;
	memcpy(route, to.sa.sockam_route, len);
	ok(!send_control(a, NULL, SOL_OCKAM, OCKAM_CMSG_ROUTE, route, len) &&
	   sock_recv(b, buf, 4, 0, NULL) == 1, "route as ancillary data");
	ok(send_control(a, &to, SOL_OCKAM, OCKAM_CMSG_ROUTE, route, len) ==
	   EINVAL, "two routes: EINVAL");
	ok(send_control(a, NULL, SOL_OCKAM, OCKAM_CMSG_ROUTE, route, len - 1) ==
	   EINVAL, "half a route: EINVAL");
	ok(send_control(a, NULL, SOL_OCKAM, OCKAM_CMSG_ROUTE, route, 0) ==
	   EDESTADDRREQ, "an empty one: EDESTADDRREQ");
	ok(send_control(a, &to, SOL_OCKAM, OCKAM_CMSG_PEER, route, 32) ==
	   EINVAL, "other ancillary data of ours: EINVAL");
	ok(send_control(a, &to, SOL_SOCKET, 77, route, 4) == EINVAL,
	   "unknown data of the socket layer: EINVAL");
	ok(!send_control(a, &to, SOL_SOCKET, SO_MARK, route, 4) &&
	   sock_recv(b, buf, 4, 0, NULL) == 1, "a mark is known");
	ok(send_control(a, &to, SOL_SOCKET, SO_MARK, route, 3) == EINVAL, "and has its size");
	ok(!send_control(a, &to, SOL_OCKAM + 1, 1, route, 4) &&
	   sock_recv(b, buf, 4, 0, NULL) == 1, "that of other protocols is ignored");

	/* route.b and 31 hops of 62 bytes; one byte more; one hop more. */
	memset(route + len, 0, sizeof(route) - len);
	for (size_t i = 0, p = len; i < 31; i++, p += 64) {
		route[p] = 0;
		route[p + 1] = 62;
	}
	ok(!send_control(a, NULL, SOL_OCKAM, OCKAM_CMSG_ROUTE, route,
			 len + 31 * 64) &&
	   sock_recv(b, buf, 4, 0, NULL) == 1, "a route of 32 hops");
	ok(send_control(a, NULL, SOL_OCKAM, OCKAM_CMSG_ROUTE, route, 2049) ==
	   EINVAL, "a route of 2049 bytes: EINVAL");
	for (size_t i = 0; i < 33; i++)
		memcpy(route + 3 * i, "\0\1a", 3);
	ok(send_control(a, NULL, SOL_OCKAM, OCKAM_CMSG_ROUTE, route, 99) ==
	   EINVAL, "a route of 33 hops: EINVAL");
	ok(sock_recv(b, buf, 4, 0, NULL) == -EAGAIN, "no more arrived");
	close(a);
	close(b);
}

static void test_options(void)
{
	static const int flags[] = { OCKAM_RECVROUTE, OCKAM_RECVPEER };
	int fd = sock_new(), v = 1;
	socklen_t len;
	char room[12] = { 7 };
	bool good = true;

	for (size_t i = 0; i < 2; i++) {
		good &= sock_set(fd, flags[i], 1) == 0;
		len = sizeof(v);
		good &= !getsockopt(fd, SOL_OCKAM, flags[i], &v, &len) &&
			v == 1 && len == 4;
		good &= sock_set(fd, flags[i], 2) == EINVAL &&
			sock_set(fd, flags[i], -1) == EINVAL &&
			sock_set(fd, flags[i], 0) == 0;
	}
	ok(good, "flags: 0 and 1, nothing else");
	len = sizeof(v);
	ok(!getsockopt(fd, SOL_OCKAM, OCKAM_REACH, &v, &len) &&
	   v == (OCKAM_REACH_LOCAL | OCKAM_REACH_CHANNELS),
	   "reach: local and channels by default");
	ok(sock_set(fd, OCKAM_REACH, 8) == EINVAL &&
	   sock_set(fd, OCKAM_REACH, -1) == EINVAL, "reach: known bits only");
	v = OCKAM_REACH_LOCAL | OCKAM_REACH_CHANNELS;
	memset(room, 0xaa, sizeof(room));
	memcpy(room, &v, sizeof(v));
	for (len = 0, good = true; len < 12; len++)
		good &= failed(setsockopt(fd, SOL_OCKAM, OCKAM_REACH, room, len)) ==
			(len < 4 ? EINVAL : 0);
	ok(good, "set: not less than four bytes");
	for (v = -1, good = true; v < 4; v++) {
		len = v;
		good &= failed(getsockopt(fd, SOL_OCKAM, OCKAM_REACH, room,
					  &len)) == EINVAL;
	}
	ok(good, "get: not less than four bytes");
	memset(room, 0xaa, sizeof(room));
	len = sizeof(room);
	ok(!getsockopt(fd, SOL_OCKAM, OCKAM_REACH, room, &len) && len == 4 &&
	   !memcmp(room + 4, "\xaa\xaa\xaa\xaa", 4), "get: no more than four");
	ok(sock_set(fd, 0, 1) == ENOPROTOOPT &&
	   sock_set(fd, 4, 1) == ENOPROTOOPT, "set: unknown options");
	len = 4;
	ok(failed(getsockopt(fd, SOL_OCKAM, 4, &v, &len)) == ENOPROTOOPT &&
	   failed(getsockopt(fd, SOL_OCKAM + 1, 1, &v, &len)) == ENOPROTOOPT &&
	   failed(setsockopt(fd, SOL_OCKAM + 1, 1, &v, 4)) == ENOPROTOOPT,
	   "get and set: unknown options and levels");
	ok(failed(setsockopt(fd, SOL_OCKAM, OCKAM_REACH, (void *)8, 4)) ==
	   EFAULT &&
	   failed(getsockopt(fd, SOL_OCKAM, OCKAM_REACH, (void *)8, &len)) ==
	   EFAULT, "EFAULT");
	close(fd);
}

static void test_reach(void)
{
	int a = sock_named("reach.a"), b = sock_new();
	struct name to = NAME("reach.b");
	long long denied = nlh_counter(&node, "drop_denied");
	char buf[4];

	sock_set(b, OCKAM_REACH, OCKAM_REACH_LINKS);
	sock_bind(b, to);
	ok(sock_send(a, to, "x", 1) == EACCES, "reach set before bind: EACCES");
	sock_set(b, OCKAM_REACH, OCKAM_REACH_ALL);
	ok(sock_send(a, to, "x", 1) == 0 && sock_recv(b, buf, 4, 0, NULL) == 1,
	   "opened after bind");
	sock_set(b, OCKAM_REACH, 0);
	ok(sock_send(a, to, "x", 1) == EACCES &&
	   sock_recv(b, buf, 4, 0, NULL) == -EAGAIN, "closed again");
	ok(nlh_counter(&node, "drop_denied") == denied + 2, "each refusal counted");
	close(a);
	close(b);
}

static void test_connect(void)
{
	int a = sock_new(), b = sock_named("con.b"), c = sock_named("con.c");
	struct name n = NAME("con.b"), got, self;
	long long drops = nlh_counter(&node, "drop_socket_peer");
	char buf[8];

	got.len = sizeof(got.sa);
	ok(failed(getpeername(a, (struct sockaddr *)&got.sa, &got.len)) ==
	   ENOTCONN, "getpeername before connect");
	ok(sock_connect(a, NO_NAME) == EDESTADDRREQ, "connect: an empty route");
	ok(sock_connect(a, n) == 0, "connect");
	got.len = sizeof(got.sa);
	getpeername(a, (struct sockaddr *)&got.sa, &got.len);
	ok(name_equal(&got, &n), "getpeername");
	self.len = sizeof(self.sa);
	getsockname(a, (struct sockaddr *)&self.sa, &self.len);
	ok(self.sa.sockam_hops == 1, "connect gives a name");
	ok(send(a, "ping", 4, 0) == 4 && sock_recv(b, buf, 8, 0, &got) == 4 &&
	   name_equal(&got, &self), "send without address");
	sock_send(b, self, "pong", 4);
	sock_send(c, self, "fake", 4);
	ok(recv(a, buf, 8, MSG_DONTWAIT) == 4 && !memcmp(buf, "pong", 4),
	   "its answer arrives");
	ok(recv(a, buf, 8, MSG_DONTWAIT) < 0 && errno == EAGAIN &&
	   nlh_counter(&node, "drop_socket_peer") == drops + 1,
	   "that of another is dropped and counted");
	ok(sock_send(a, NAME("con.c"), "other", 5) == 0 &&
	   sock_recv(c, buf, 8, 0, NULL) == 5, "sendto elsewhere still works");
	ok(sock_connect(a, NAME("con.c")) == 0 && send(a, "x", 1, 0) == 1 &&
	   sock_recv(c, buf, 8, 0, NULL) == 1, "connect again, elsewhere");
	ok(!failed(connect(a, &(struct sockaddr){ AF_UNSPEC }, 2)),
	   "disconnect");
	ok(failed(send(a, "x", 1, 0)) == EDESTADDRREQ, "no destination then");
	ok(!sock_send(b, self, "b", 1) && !sock_send(c, self, "c", 1) &&
	   sock_recv(a, buf, 8, 0, NULL) == 1 &&
	   sock_recv(a, buf, 8, 0, NULL) == 1, "and anybody may send");
	ok(sock_connect(a, NAME("con.none")) == 0 &&
	   failed(send(a, "x", 1, 0)) == EHOSTUNREACH,
	   "connect to nobody; send says so");
	close(a);
	close(b);
	close(c);
}

/* A full queue drops, counts, and says so. */
static void test_overflow(void)
{
	int a = sock_named("full.a"), b = sock_named("full.b"), one = 1, n;
	long long full = nlh_counter(&node, "drop_socket_full");
	struct name to = NAME("full.b");
	unsigned int sent, got, lost = 0;
	static char big[20000];
	struct cmsghdr *c;
	struct received r;

	ok(!ioctl(b, SIOCINQ, &n) && n == 0, "SIOCINQ: nothing there");
	setsockopt(b, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
	setsockopt(b, SOL_SOCKET, SO_RCVBUF, &(int){ 50000 }, sizeof(int));
	for (sent = 0; sent < 40; sent++) {
		if (sock_send(a, to, big, sizeof(big) - sent))
			break;
	}
	ok(sent == 40, "the sender is not told");
	ok(!ioctl(b, SIOCINQ, &n) && n == sizeof(big), "SIOCINQ: the first one");
	ok(!ioctl(a, SIOCOUTQ, &n) && n == 0, "SIOCOUTQ: nothing of it is ours");
	for (got = 0; sock_recvmsg(b, &r, sizeof(r.control), 0) > 0; got++)
		;
	ok(got >= 2 && got < 10, "the buffer holds %u", got);
	ok(nlh_counter(&node, "drop_socket_full") == full + sent - got,
	   "each drop is counted");
	sock_send(a, to, "x", 1);
	ok(sock_recvmsg(b, &r, sizeof(r.control), 0) == 1, "room again");
	c = sock_find_cmsg(&r, SOL_SOCKET, SO_RXQ_OVFL);
	if (c)
		memcpy(&lost, CMSG_DATA(c), sizeof(lost));
	ok(lost == sent - got, "SO_RXQ_OVFL counts them: %u", lost);
	setsockopt(b, SOL_SOCKET, SO_RCVBUF, &(int){ 1 }, sizeof(int));
	ok(!sock_send(a, to, big, sizeof(big)) &&
	   sock_recv(b, big, sizeof(big), 0, NULL) == sizeof(big),
	   "the smallest buffer takes one message of any size");
	close(a);
	close(b);
}

/* What the kernel gives out has no byte too many. */
static void test_leaks(void)
{
	int a = sock_named("leak.a"), b = sock_named("leak.b");
	struct name to = NAME("leak.b"), want = NAME("leak.a");
	unsigned char raw[160];
	struct cmsghdr *c;
	struct received r;
	socklen_t len;
	size_t i;
	bool good = true;

	for (i = 0; i < 3; i++) {
		memset(raw, 0xaa, sizeof(raw));
		len = sizeof(raw);
		if (i == 0)
			getsockname(a, (struct sockaddr *)raw, &len);
		if (i == 1) {
			sock_connect(b, want);
			getpeername(b, (struct sockaddr *)raw, &len);
		}
		if (i == 2) {
			sock_send(a, to, "x", 1);
			recvfrom(b, raw + 150, 1, MSG_DONTWAIT,
				 (struct sockaddr *)raw, &len);
			raw[150] = 0xaa;
		}
		good &= len == want.len && !memcmp(raw, &want.sa, len);
		for (; len < sizeof(raw); len++)
			good &= raw[len] == 0xaa;
		ok(good, "addresses: %s", i == 0 ? "getsockname" :
		   i == 1 ? "getpeername" : "recvfrom");
	}
	/* An address buffer that is too small gets what fits and the length. */
	memset(raw, 0xaa, sizeof(raw));
	len = 6;
	getsockname(a, (struct sockaddr *)raw, &len);
	ok(len == want.len && !memcmp(raw, &want.sa, 6) && raw[6] == 0xaa,
	   "a small buffer");

	sock_set(b, OCKAM_RECVROUTE, 1);
	sock_set(b, OCKAM_RECVPEER, 1);
	sock_send(a, to, "x", 1);
	sock_recvmsg(b, &r, sizeof(r.control), 0);
	c = sock_find_cmsg(&r, SOL_OCKAM, OCKAM_CMSG_ROUTE);
	ok(c && c->cmsg_len == CMSG_LEN(want.len - NAME_HDR) &&
	   !memcmp(CMSG_DATA(c), want.sa.sockam_route, want.len - NAME_HDR),
	   "OCKAM_CMSG_ROUTE");
	ok(!sock_find_cmsg(&r, SOL_OCKAM, OCKAM_CMSG_PEER),
	   "no OCKAM_CMSG_PEER without a channel");
	for (i = r.m.msg_controllen, good = true; i < sizeof(r.control); i++)
		good &= r.control[i] == (char)0xaa;
	ok(good && !(r.m.msg_flags & MSG_CTRUNC), "ancillary data ends there");
	sock_send(a, to, "x", 1);
	ok(sock_recvmsg(b, &r, CMSG_LEN(3), 0) == 1 &&
	   r.m.msg_flags & MSG_CTRUNC && !r.m.msg_controllen,
	   "no room for the route: MSG_CTRUNC and nothing cut");
	sock_send(a, to, "x", 1);
	ok(sock_recvmsg(b, &r, 0, 0) == 1 && r.m.msg_flags & MSG_CTRUNC,
	   "no room at all: the same");
	close(a);
	close(b);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void *later(void *arg)
{
	int *what = arg;

	threads_wait_asleep(1);
	if (what[1] < 0)
		shutdown(what[0], SHUT_RD);
	else
		sock_send(what[1], NAME("wait.b"), "x", 1);
	return NULL;
}

static void test_waiting(void)
{
	int a = sock_named("wait.a"), b = sock_named("wait.b"), ep;
	struct pollfd p = { b, POLLIN | POLLOUT, 0 };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct timeval tv = { 0, 50000 };
	struct sigaction sa = { .sa_handler = on_alarm };
	int what[2] = { b, a };
	pthread_t thread;
	char buf[4];

	ok(poll(&p, 1, 0) == 1 && p.revents == POLLOUT, "poll: writable only");
	sock_send(a, NAME("wait.b"), "x", 1);
	ok(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT),
	   "poll: readable too");
	recv(b, buf, 4, 0);
	p.events = POLLIN;
	pthread_create(&thread, NULL, later, what);
	ok(poll(&p, 1, 5000) == 1 && p.revents == POLLIN, "poll is woken");
	pthread_join(thread, NULL);
	recv(b, buf, 4, 0);
	pthread_create(&thread, NULL, later, what);
	ok(recv(b, buf, 4, 0) == 1, "a waiting reader is woken");
	pthread_join(thread, NULL);
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev);
	pthread_create(&thread, NULL, later, what);
	ok(epoll_wait(ep, &ev, 1, 5000) == 1, "epoll, edge triggered, is woken");
	pthread_join(thread, NULL);
	ok(epoll_wait(ep, &ev, 1, 0) == 0, "once");
	recv(b, buf, 4, 0);

	setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ok(failed(recv(b, buf, 4, 0)) == EAGAIN, "SO_RCVTIMEO");
	setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 0 },
		   sizeof(tv));
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = tv }, NULL);
	ok(failed(recv(b, buf, 4, 0)) == EINTR, "a signal: EINTR");
	what[1] = -1;
	pthread_create(&thread, NULL, later, what);
	ok(recv(b, buf, 4, 0) == 0, "shutdown wakes a reader");
	pthread_join(thread, NULL);
	close(ep);
	close(a);
	close(b);
}

static void test_shutdown(void)
{
	int a = sock_named("shut.a"), b = sock_named("shut.b");
	struct name to = NAME("shut.b");
	struct pollfd p = { b, POLLIN | POLLOUT | POLLRDHUP, 0 };
	char buf[4];

	ok(failed(shutdown(b, 3)) == EINVAL && failed(shutdown(b, -1)) == EINVAL,
	   "shutdown: EINVAL");
	sock_send(a, to, "x", 1);
	ok(!shutdown(b, SHUT_RD) && sock_recv(b, buf, 4, 0, NULL) == 1,
	   "SHUT_RD: what was there stays");
	ok(sock_send(a, to, "x", 1) == 0 && sock_recv(b, buf, 4, 0, NULL) == 0,
	   "but no more comes in");
	ok(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT | POLLRDHUP),
	   "poll: end of the receiving side");
	ok(!shutdown(a, SHUT_WR) && sock_send(a, to, "x", 1) == EPIPE,
	   "SHUT_WR: EPIPE");
	ok(!shutdown(b, SHUT_RDWR) && poll(&p, 1, 0) == 1 &&
	   p.revents & POLLHUP, "SHUT_RDWR: POLLHUP");
	close(a);
	close(b);
}

static void test_close(void)
{
	int a = sock_named("close.a"), b = sock_named("close.b"), i;
	struct name to = NAME("close.b");

	for (i = 0; i < 100; i++)
		sock_send(a, to, "queued", 6);
	close(b);
	ok(sock_send(a, to, "x", 1) == EHOSTUNREACH, "a closed socket is gone");
	for (i = 0; i < 500; i++) {
		b = sock_new();
		if (sock_bind(b, to) || sock_send(a, to, "x", 1))
			break;
		close(b);
	}
	ok(i == 500, "500 times bound, written to, closed unread");
	close(a);
}

/* --- every call in every state --- */

enum state {
	UNBOUND, BOUND, CONNECTED, DISCONNECTED, PEER_CLOSED, PEER_GONE, QUEUED,
	SHUT_R, SHUT_W, SHUT_BOTH, SHUT_CONNECTED, STATES
};

static const char * const state_names[] = {
	"unbound", "bound", "connected", "disconnected", "peer closed",
	"peer closed, and told so",
	"with a message", "shut down for reading", "for writing", "for both",
	"connected and shut down",
};

enum call {
	BIND, CONNECT, UNCONNECT, LISTEN, ACCEPT, SEND, SENDTO, RECV, GETOPT,
	SETOPT, GETNAME, GETPEER, IOCTL, POLL, SHUTDOWN, CALLS
};

static const char * const call_names[] = {
	"bind", "connect", "disconnect", "listen", "accept", "send", "sendto",
	"recv", "getsockopt", "setsockopt", "getsockname", "getpeername",
	"ioctl", "poll", "shutdown",
};

static int matrix_peer = -1;

static int matrix_make(enum state s)
{
	int fd = sock_new(), other, err;
	socklen_t len = sizeof(err);

	if (s != UNBOUND)
		sock_bind(fd, NAME("matrix"));
	switch (s) {
	case CONNECTED:
	case DISCONNECTED:
		sock_connect(fd, NAME("matrix.peer"));
		if (s == DISCONNECTED)
			connect(fd, &(struct sockaddr){ AF_UNSPEC }, 2);
		break;
	case PEER_CLOSED:
	case PEER_GONE:
		other = sock_named("matrix.dead");
		sock_connect(fd, NAME("matrix.dead"));
		close(other);
		if (s == PEER_GONE)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
		break;
	case QUEUED:
		sock_send(matrix_peer, NAME("matrix"), "x", 1);
		break;
	case SHUT_R:
		shutdown(fd, SHUT_RD);
		break;
	case SHUT_W:
		shutdown(fd, SHUT_WR);
		break;
	case SHUT_CONNECTED:
		sock_connect(fd, NAME("matrix.peer"));
		shutdown(fd, SHUT_RDWR);
		break;
	case SHUT_BOTH:
		shutdown(fd, SHUT_RDWR);
		break;
	default:
		break;
	}
	return fd;
}

static int matrix_call(int fd, enum call c)
{
	struct sockaddr_ockam sa;
	struct pollfd p = { fd, POLLIN, 0 };
	socklen_t len = sizeof(sa);
	char buf[4];
	int v = 0;

	switch (c) {
	case BIND:
		return sock_bind(fd, NAME("matrix.new"));
	case CONNECT:
		return sock_connect(fd, NAME("matrix.peer"));
	case UNCONNECT:
		return failed(connect(fd, &(struct sockaddr){ AF_UNSPEC }, 2));
	case LISTEN:
		return failed(listen(fd, 1));
	case ACCEPT:
		return failed(accept(fd, NULL, NULL));
	case SEND:
		return failed(send(fd, "x", 1, MSG_DONTWAIT));
	case SENDTO:
		return sock_send(fd, NAME("matrix.peer"), "x", 1);
	case RECV:
		return failed(recv(fd, buf, 4, MSG_DONTWAIT));
	case GETOPT:
		len = sizeof(v);
		return failed(getsockopt(fd, SOL_OCKAM, OCKAM_REACH, &v, &len));
	case SETOPT:
		return sock_set(fd, OCKAM_REACH, OCKAM_REACH_ALL);
	case GETNAME:
		return failed(getsockname(fd, (struct sockaddr *)&sa, &len));
	case GETPEER:
		return failed(getpeername(fd, (struct sockaddr *)&sa, &len));
	case IOCTL:
		return failed(ioctl(fd, SIOCINQ, &v));
	case POLL:
		return failed(poll(&p, 1, 0));
	default:
		return failed(shutdown(fd, SHUT_RDWR));
	}
}

/* What the manual promises for a call in a state. */
static int matrix_want(enum call c, enum state s)
{
	bool connected = s == CONNECTED || s == PEER_CLOSED || s == PEER_GONE ||
			 s == SHUT_CONNECTED;
	bool shut_w = s == SHUT_W || s == SHUT_BOTH || s == SHUT_CONNECTED;
	bool shut_r = s == SHUT_R || s == SHUT_BOTH || s == SHUT_CONNECTED;

	switch (c) {
	case BIND:
		return s == UNBOUND ? 0 : EINVAL;
	case LISTEN:
	case ACCEPT:
		return EOPNOTSUPP;
	case SEND:
		return !connected ? EDESTADDRREQ :
		       s == PEER_CLOSED ? ECONNRESET :
		       s == PEER_GONE ? EHOSTUNREACH : shut_w ? EPIPE : 0;
	case SENDTO:
		return s == PEER_CLOSED ? ECONNRESET : shut_w ? EPIPE : 0;
	case RECV:
		return s == QUEUED || shut_r ? 0 :
		       s == PEER_CLOSED || s == PEER_GONE ? ECONNRESET : EAGAIN;
	case GETPEER:
		return connected ? 0 : ENOTCONN;
	default:
		return 0;
	}
}

static void matrix_drain(void)
{
	char buf[4];

	while (sock_recv(matrix_peer, buf, 4, 0, NULL) >= 0)
		;
}

static void test_matrix(void)
{
	char surprises[2048];
	int s, c, d, fd, got;
	size_t used;

	matrix_peer = sock_named("matrix.peer");
	for (s = 0; s < STATES; s++) {
		used = 0;
		surprises[0] = 0;
		for (c = 0; c < CALLS; c++) {
			fd = matrix_make(s);
			got = matrix_call(fd, c);
			if (got != matrix_want(c, s) && used < 1900)
				used += sprintf(surprises + used, " %s: %s;",
						call_names[c], strerror(got));
			close(fd);
		}
		matrix_drain();
		ok(!used, "every call on a socket %s", state_names[s]);
		if (used)
			printf("# unexpected:%s\n", surprises);
	}
	/*
	 * And every call after every call, wherever that leads: the result is
	 * one that the call has in some state.
	 */
	used = 0;
	surprises[0] = 0;
	for (s = 0; s < STATES; s++) {
		for (c = 0; c < CALLS * CALLS; c++) {
			fd = matrix_make(s);
			matrix_call(fd, c / CALLS);
			got = matrix_call(fd, c % CALLS);
			for (d = 0; d < STATES && got != matrix_want(c % CALLS, d); d++)
				;
			close(fd);
			if (d == STATES && used < 1900)
				used += sprintf(surprises + used, " %s, %s after %s: %s;",
						state_names[s], call_names[c % CALLS],
						call_names[c / CALLS], strerror(got));
		}
		matrix_drain();
	}
	ok(!used, "every call after every call in every state");
	if (used)
		printf("# unexpected:%s\n", surprises);
	close(matrix_peer);
}

/* --- many at once --- */

#define CROWD 4
#define CROWD_SENDS 500

/* Nobody starts before all threads are there. */
static pthread_barrier_t crowd_start;
static int crowd_fd;
static int crowd_got;
static int crowd_done;

static void *crowd_send(void *arg)
{
	int fd, i;
	long sent = 0;

	(void)arg;
	pthread_barrier_wait(&crowd_start);
	fd = sock_new();
	for (i = 0; i < CROWD_SENDS; i++)
		sent += !sock_send(fd, NAME("crowd"), &i, sizeof(i));
	close(fd);
	return (void *)sent;
}

static void *crowd_receive(void *arg)
{
	int v;

	(void)arg;
	pthread_barrier_wait(&crowd_start);
	while (!__atomic_load_n(&crowd_done, __ATOMIC_ACQUIRE) ||
	       recv(crowd_fd, &v, 4, MSG_DONTWAIT | MSG_PEEK) > 0) {
		if (recv(crowd_fd, &v, sizeof(v), MSG_DONTWAIT) == 4)
			__atomic_add_fetch(&crowd_got, 1, __ATOMIC_RELAXED);
		else
			sched_yield();
	}
	return NULL;
}

static void *crowd_disturb(void *arg)
{
	struct name n = NAME("crowd.churn");
	int i, v;

	(void)arg;
	pthread_barrier_wait(&crowd_start);
	for (i = 0; i < CROWD_SENDS; i++) {
		int fd = sock_new();

		sock_bind(fd, n);
		sock_send(crowd_fd, n, "x", 1);
		sock_set(crowd_fd, OCKAM_REACH, OCKAM_REACH_ALL);
		ioctl(crowd_fd, SIOCINQ, &v);
		close(fd);
	}
	return NULL;
}

static void test_crowd(void)
{
	__u32 info[SK_MEMINFO_VARS] = { 0 };
	socklen_t info_len = sizeof(info);
	pthread_t senders[CROWD], receivers[2], disturbers[2];
	long sent = 0;
	void *ret;
	int i;

	pthread_barrier_init(&crowd_start, NULL, CROWD + 4);
	crowd_fd = sock_named("crowd");
	for (i = 0; i < 2; i++) {
		pthread_create(&receivers[i], NULL, crowd_receive, NULL);
		pthread_create(&disturbers[i], NULL, crowd_disturb, NULL);
	}
	for (i = 0; i < CROWD; i++)
		pthread_create(&senders[i], NULL, crowd_send, NULL);
	for (i = 0; i < CROWD; i++) {
		pthread_join(senders[i], &ret);
		sent += (long)ret;
	}
	for (i = 0; i < 2; i++)
		pthread_join(disturbers[i], NULL);
	__atomic_store_n(&crowd_done, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_join(receivers[i], NULL);
	ok(sent == CROWD * CROWD_SENDS, "%ld messages by %d threads", sent,
	   CROWD);
	/* Its own drops: the node's count has those of the short-lived sockets too. */
	ok(!getsockopt(crowd_fd, SOL_SOCKET, SO_MEMINFO, info, &info_len) &&
	   sent == crowd_got + info[SK_MEMINFO_DROPS], "%d received, %u dropped, none lost",
	   crowd_got, info[SK_MEMINFO_DROPS]);
	close(crowd_fd);
}

/* Two namespaces have nothing in common. */
static void test_namespaces(void)
{
	int a = sock_named("ns.a"), b, c;
	struct name to = NAME("ns.a");
	char buf[4];

	if (!ok(!unshare(CLONE_NEWNET), "another namespace"))
		return;
	b = sock_new();
	ok(sock_send(b, to, "x", 1) == EHOSTUNREACH, "its names are its own");
	ok(sock_bind(b, NAME("ns.a")) == EINVAL, "bound by sending");
	c = sock_named("ns.a");
	ok(!sock_send(b, to, "x", 1) && sock_recv(c, buf, 4, 0, NULL) == 1 &&
	   sock_recv(a, buf, 4, 0, NULL) == -EAGAIN,
	   "the same name twice, each in its namespace");
	/* An old socket stays where it was made. */
	ok(!sock_send(a, to, "x", 1) && sock_recv(a, buf, 4, 0, NULL) == 1 &&
	   sock_recv(c, buf, 4, 0, NULL) == -EAGAIN,
	   "a socket keeps its namespace");
	close(a);
	close(b);
	close(c);
}

static void test_balance(void)
{
	int fd = sock_named("balance");

	ok(sockets_wait(1), "one socket is alive");
	close(fd);
	ok(sockets_wait(0), "none after it was closed");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (unshare(CLONE_NEWNET)) {
		printf("Bail out! unshare: %s\n", strerror(errno));
		return 1;
	}
	if (nlh_open(&node)) {
		printf("Bail out! no netlink family\n");
		return 1;
	}
	test_create();
	test_bad_names();
	test_names();
	test_reserved();
	test_round_trip();
	test_sizes();
	test_truncation();
	test_faults();
	test_routes();
	test_options();
	test_reach();
	test_connect();
	test_overflow();
	test_leaks();
	test_waiting();
	test_shutdown();
	test_close();
	test_matrix();
	test_crowd();
	test_balance();
	test_namespaces();
	nlh_close(&node);
	return tap_done();
}
