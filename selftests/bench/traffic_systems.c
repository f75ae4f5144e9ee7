// SPDX-License-Identifier: Apache-2.0
/*
 * The systems that traffic goes over: how each gets its two connected sockets.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ockam.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traffic.h"

#ifndef TCP_ULP
#define TCP_ULP	31
#endif
#ifndef SOL_TLS
#define SOL_TLS	282
#endif

#define TRAFFIC_PIPE	(1 << 20)	/* of a forwarder */

static int traffic_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		traffic_die("socket: %s", strerror(errno));
	return fd;
}

/* Datagrams that find no room are lost, so there is much. */
static void traffic_make_room(int fd)
{
	int room = TRAFFIC_ROOM;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		traffic_die("SO_RCVBUFFORCE: %s", strerror(errno));
}

/* ---- AF_OCKAM ---- */

static socklen_t traffic_name(struct sockaddr_ockam *sa, const char *hops)
{
	size_t at = offsetof(struct sockaddr_ockam, sockam_route), len;

	memset(sa, 0, sizeof(*sa));
	sa->sockam_family = AF_OCKAM;
	while (*hops) {
		len = strcspn(hops, ",");
		if (!len || len > OCKAM_ADDR_MAX_LEN || at + 2 + len > sizeof(*sa))
			traffic_die("%s: no route", hops);
		((uint8_t *)sa)[at] = OCKAM_ADDR_LOCAL;
		((uint8_t *)sa)[at + 1] = (uint8_t)len;
		memcpy((uint8_t *)sa + at + 2, hops, len);
		at += 2 + len;
		sa->sockam_hops++;
		hops += len + (hops[len] == ',');
	}
	return (socklen_t)at;
}

static void traffic_ockam_bind(struct traffic_flow *f)
{
	struct sockaddr_ockam sa;
	char name[32];
	socklen_t len;

	snprintf(name, sizeof(name), "sink%u", f->number);
	len = traffic_name(&sa, name);
	f->in = traffic_socket(AF_OCKAM, SOCK_DGRAM);
	traffic_make_room(f->in);
	if (bind(f->in, (struct sockaddr *)&sa, len))
		traffic_die("bind %s: %s", name, strerror(errno));
}

static void traffic_ockam_connect(struct traffic_flow *f)
{
	struct sockaddr_ockam sa;
	char hops[256];
	socklen_t len;

	if (!f->route)
		traffic_die("flow %u has no route", f->number);
	snprintf(hops, sizeof(hops), "%s,sink%u", f->route, f->number);
	len = traffic_name(&sa, hops);
	f->out = traffic_socket(AF_OCKAM, SOCK_DGRAM);
	traffic_make_room(f->out);
	if (connect(f->out, (struct sockaddr *)&sa, len))
		traffic_die("connect %s: %s", hops, strerror(errno));
}

void traffic_bind_idle(unsigned int count)
{
	const struct rlimit files = { count + 1024, count + 1024 };
	const struct sockaddr_ockam none = { .sockam_family = AF_OCKAM };
	int fd;

	if (count && setrlimit(RLIMIT_NOFILE, &files))
		traffic_die("RLIMIT_NOFILE: %s", strerror(errno));
	while (count--) {
		fd = traffic_socket(AF_OCKAM, SOCK_DGRAM);
		if (bind(fd, (const struct sockaddr *)&none,
			 offsetof(struct sockaddr_ockam, sockam_route)))
			traffic_die("bind: %s", strerror(errno));
	}
}

static void traffic_nothing(struct traffic_flow *f)
{
	(void)f;
}

/* ---- UDP, TCP ---- */

static void traffic_ip_bind(struct traffic_flow *f, int type)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, f->address, &sa.sin_addr) != 1)
		traffic_die("%s: no address", f->address);
	f->in = traffic_socket(AF_INET, type);
	if (bind(f->in, (struct sockaddr *)&sa, sizeof(sa)))
		traffic_die("bind %s: %s", f->address, strerror(errno));
}

/* To where @fd is bound. */
static int traffic_ip_connect(int fd, int type)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	int out;

	if (getsockname(fd, (struct sockaddr *)&sa, &len))
		traffic_die("getsockname: %s", strerror(errno));
	out = traffic_socket(AF_INET, type);
	if (connect(out, (struct sockaddr *)&sa, sizeof(sa)))
		traffic_die("connect: %s", strerror(errno));
	return out;
}

static void traffic_udp_bind(struct traffic_flow *f)
{
	traffic_ip_bind(f, SOCK_DGRAM);
	traffic_make_room(f->in);
}

static void traffic_udp_connect(struct traffic_flow *f)
{
	f->out = traffic_ip_connect(f->in, SOCK_DGRAM);
	traffic_make_room(f->out);
}

static void traffic_tcp_bind(struct traffic_flow *f)
{
	traffic_ip_bind(f, SOCK_STREAM);
	if (listen(f->in, 1))
		traffic_die("listen: %s", strerror(errno));
}

static void traffic_no_delay(int fd)
{
	int yes = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)))
		traffic_die("TCP_NODELAY: %s", strerror(errno));
}

static int traffic_accept(int fd)
{
	int in = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (in < 0)
		traffic_die("accept: %s", strerror(errno));
	close(fd);
	traffic_no_delay(in);
	return in;
}

/* A process that moves bytes from one socket to another until there are no more. */
static void traffic_splice(int from, int to)
{
	int ends[2];
	ssize_t n;

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pipe2(ends, O_CLOEXEC))
		traffic_die("pipe: %s", strerror(errno));
	fcntl(ends[1], F_SETPIPE_SZ, TRAFFIC_PIPE);
	while ((n = splice(from, NULL, ends[1], NULL, TRAFFIC_PIPE, SPLICE_F_MOVE)) > 0) {
		while (n > 0) {
			ssize_t moved = splice(ends[0], NULL, to, NULL, (size_t)n, SPLICE_F_MOVE);

			if (moved <= 0)
				_exit(0);
			n -= moved;
		}
	}
	_exit(0);
}

/*
 * From the receiver's end: whoever comes next connects to the listening socket,
 * each forwarder listens anew, and the sender comes last.
 */
static void traffic_tcp_connect(struct traffic_flow *f)
{
	struct traffic_flow next = *f;
	int to = -1, before;
	unsigned int i;

	for (i = 0; i <= f->hops; i++) {
		before = to;
		to = traffic_ip_connect(next.in, SOCK_STREAM);
		traffic_no_delay(to);
		next.in = traffic_accept(next.in);
		if (!i) {
			f->in = next.in;
		} else {
			traffic_splice(next.in, before);
			traffic_splice(before, next.in);
			close(next.in);
			close(before);
		}
		if (i < f->hops)
			traffic_tcp_bind(&next);
	}
	f->out = to;
}

/* ---- kTLS ---- */

static void traffic_tls_key(int fd, int direction, uint8_t key)
{
	struct tls12_crypto_info_aes_gcm_256 info = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_256,
	};

	memset(info.key, key, sizeof(info.key));
	if (setsockopt(fd, SOL_TLS, direction, &info, sizeof(info)))
		traffic_die("kTLS keys: %s", strerror(errno));
}

static void traffic_tls(int fd, uint8_t tx, uint8_t rx)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 4))
		traffic_die("kTLS: %s", strerror(errno));
	traffic_tls_key(fd, TLS_TX, tx);
	traffic_tls_key(fd, TLS_RX, rx);
}

static void traffic_tls_finish(struct traffic_flow *f)
{
	traffic_tls(f->out, 1, 2);
	traffic_tls(f->in, 2, 1);
}

const struct traffic_system traffic_systems[] = {
	{ "ockam", false, true, traffic_ockam_bind, traffic_ockam_connect, traffic_nothing },
	{ "udp", false, true, traffic_udp_bind, traffic_udp_connect, traffic_nothing },
	{ "tcp", true, true, traffic_tcp_bind, traffic_tcp_connect, traffic_nothing },
	{ "ktls", true, false, traffic_tcp_bind, traffic_tcp_connect, traffic_tls_finish },
};

const unsigned int traffic_systems_count = sizeof(traffic_systems) / sizeof(traffic_systems[0]);
