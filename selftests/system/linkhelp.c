// SPDX-License-Identifier: Apache-2.0
/*
 * For tests of links: sockets of every family, and a raw peer.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ockam.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>

#include "linkhelp.h"

#define LH_TIMEOUT_MS 60000

const char *const lh_family_names[LH_FAMILIES] = {
	"UNIX", "TCP over IPv4", "TCP over IPv6", "VSOCK"
};

/* Listen on @sa, connect to it, accept. */
static int lh_connect_to(struct sockaddr *sa, socklen_t len, int fd[2])
{
	int listener = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;
	int err = 0;

	fd[0] = -1;
	fd[1] = -1;
	if (listener < 0)
		return -errno;
	if (bind(listener, sa, len) || listen(listener, 1) ||
	    getsockname(listener, sa, &len)) {
		err = -errno;
		goto out;
	}
	if (sa->sa_family == AF_VSOCK)
		((struct sockaddr_vm *)sa)->svm_cid = VMADDR_CID_LOCAL;
	fd[0] = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd[0] < 0 || connect(fd[0], sa, len)) {
		err = -errno;
		goto out;
	}
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd[1] < 0)
		err = -errno;
	if (sa->sa_family == AF_INET || sa->sa_family == AF_INET6) {
		setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
out:
	if (err && fd[0] >= 0)
		close(fd[0]);
	close(listener);
	return err;
}

int lh_connect(enum lh_family family, int fd[2])
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	struct sockaddr_vm vm = {
		.svm_family = AF_VSOCK,
		.svm_port = VMADDR_PORT_ANY,
		.svm_cid = VMADDR_CID_ANY,
	};

	switch (family) {
	case LH_TCP4:
		return lh_connect_to((struct sockaddr *)&in, sizeof(in), fd);
	case LH_TCP6:
		return lh_connect_to((struct sockaddr *)&in6, sizeof(in6), fd);
	case LH_VSOCK:
		return lh_connect_to((struct sockaddr *)&vm, sizeof(vm), fd);
	default:
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) ?
		       -errno : 0;
	}
}

/* ---- encoding ---- */

static uint8_t *lh_put_head(uint8_t *p, uint8_t major, size_t n)
{
	if (n < 24) {
		*p++ = major << 5 | n;
	} else if (n < 256) {
		*p++ = major << 5 | 24;
		*p++ = n;
	} else if (n < 65536) {
		*p++ = major << 5 | 25;
		*p++ = n >> 8;
		*p++ = n;
	} else {
		*p++ = major << 5 | 26;
		*p++ = n >> 24;
		*p++ = n >> 16;
		*p++ = n >> 8;
		*p++ = n;
	}
	return p;
}

static uint8_t *lh_put_route(uint8_t *p, const char *const *names,
			     unsigned int n)
{
	size_t len;

	p = lh_put_head(p, 4, n);
	for (unsigned int i = 0; i < n; i++) {
		len = strlen(names[i]);
		p = lh_put_head(p, 4, 2);
		*p++ = 0;
		p = lh_put_head(p, 2, len);
		memcpy(p, names[i], len);
		p += len;
	}
	return p;
}

size_t lh_encode(const struct lh_message *m, uint8_t *out)
{
	uint32_t length;
	uint8_t *p = out + 4;

	p = lh_put_head(p, 4, 3);
	p = lh_put_route(p, m->onward, m->n_onward);
	p = lh_put_route(p, m->ret, m->n_ret);
	p = lh_put_head(p, 2, m->len);
	if (m->len)
		memcpy(p, m->payload, m->len);
	p += m->len;
	length = htonl(p - out - 4);
	memcpy(out, &length, 4);
	return p - out;
}

size_t lh_frame(uint8_t *out, const char *first, const char *second,
		const void *payload, size_t len)
{
	struct lh_message m = {
		.ret = { "r" },
		.n_ret = 1,
		.payload = payload,
		.len = len,
	};

	if (first)
		m.onward[m.n_onward++] = first;
	if (second)
		m.onward[m.n_onward++] = second;
	return lh_encode(&m, out);
}

/* ---- bytes ---- */

bool lh_write(int fd, const void *p, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len) {
		n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			if (poll(&pfd, 1, LH_TIMEOUT_MS) <= 0)
				return false;
			continue;
		}
		if (n <= 0)
			return false;
		p = (const uint8_t *)p + n;
		len -= n;
	}
	return true;
}

bool lh_read(int fd, void *p, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while (len) {
		if (poll(&pfd, 1, LH_TIMEOUT_MS) <= 0)
			return false;
		n = recv(fd, p, len, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return false;
		p = (uint8_t *)p + n;
		len -= n;
	}
	return true;
}

bool lh_read_version(int fd)
{
	uint8_t byte = 0;

	return lh_read(fd, &byte, 1) && byte == 1;
}

bool lh_wait_end(int fd, int ms)
{
	static _Thread_local uint8_t buf[1 << 16];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	long long end = nlh_now() + ms;
	ssize_t n;

	while (nlh_now() <= end) {
		if (poll(&pfd, 1, end - nlh_now()) <= 0)
			return false;
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (!n || (n < 0 && errno != EAGAIN))
			return true;
	}
	return false;
}

/* ---- decoding, of what our module writes: canonical, definite ---- */

static bool lh_get_head(const uint8_t **p, const uint8_t *end, uint8_t major,
			size_t *n)
{
	unsigned int bytes;
	uint8_t low;

	if (*p >= end || **p >> 5 != major)
		return false;
	low = *(*p)++ & 31;
	if (low < 24) {
		*n = low;
		return true;
	}
	if (low > 26)
		return false;
	bytes = 1 << (low - 24);
	if ((size_t)(end - *p) < bytes)
		return false;
	for (*n = 0; bytes; bytes--)
		*n = *n << 8 | *(*p)++;
	return true;
}

static bool lh_get_route(const uint8_t **p, const uint8_t *end,
			 const char **names, unsigned int *count,
			 char **room)
{
	size_t n, pair, len;

	if (!lh_get_head(p, end, 4, &n) || n > 32)
		return false;
	*count = n;
	for (unsigned int i = 0; i < n; i++) {
		if (!lh_get_head(p, end, 4, &pair) || pair != 2 ||
		    !lh_get_head(p, end, 0, &pair) || pair != 0 ||
		    !lh_get_head(p, end, 2, &len) || len > 255 ||
		    (size_t)(end - *p) < len)
			return false;
		memcpy(*room, *p, len);
		(*room)[len] = 0;
		names[i] = *room;
		*room += len + 1;
		*p += len;
	}
	return true;
}

bool lh_read_frame(int fd, struct lh_message *m)
{
	static _Thread_local char names[64 * 256];
	static _Thread_local uint8_t *body;
	const uint8_t *p, *end;
	char *room = names;
	uint32_t length;
	size_t n;

	memset(m, 0, sizeof(*m));
	if (!body)
		body = malloc(LH_FRAME_ROOM);
	if (!lh_read(fd, &length, 4))
		return false;
	length = ntohl(length);
	if (length > LH_FRAME_ROOM || !lh_read(fd, body, length))
		return false;
	p = body;
	end = body + length;
	if (!lh_get_head(&p, end, 4, &n) || n != 3 ||
	    !lh_get_route(&p, end, m->onward, &m->n_onward, &room) ||
	    !lh_get_route(&p, end, m->ret, &m->n_ret, &room) ||
	    !lh_get_head(&p, end, 2, &m->len) ||
	    m->len != (size_t)(end - p))
		return false;
	m->payload = p;
	return true;
}

/* ---- links ---- */

void lh_open(struct lh_link *l, struct nlh *node, enum lh_family family,
	     const struct nlh_link_options *o)
{
	struct nlh_link link;
	int fd[2];
	int err;

	err = lh_connect(family, fd);
	if (!err)
		err = nlh_link_new(node, fd[0], o, &link);
	if (err || !lh_write(fd[1], "\1", 1) || !lh_read_version(fd[1])) {
		printf("Bail out! no link over %s: %d %s\n",
		       lh_family_names[family], err, node->why);
		exit(1);
	}
	l->node = node;
	l->fd = fd[0];
	l->raw = fd[1];
	snprintf(l->name, sizeof(l->name), "%s", link.name);
}

void lh_close(struct lh_link *l)
{
	if (l->raw >= 0)
		close(l->raw);
	if (l->fd >= 0)
		close(l->fd);
	nlh_link_wait_gone(l->node, l->name, LH_TIMEOUT_MS);
	l->raw = -1;
	l->fd = -1;
}

bool lh_wait_counter(struct nlh *node, const char *counter, long long value,
		     int ms)
{
	long long end = nlh_now() + ms;

	while (nlh_counter(node, counter) < value) {
		if (nlh_now() > end)
			return false;
		usleep(2000);
	}
	return true;
}

/* The connection below takes no more: what is sent now stays with its sender. */
static bool lh_below_full(const struct lh_link *l)
{
	socklen_t len = sizeof(int);
	int room = 0, used = 0;

	getsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &room, &len);
	return !ioctl(l->fd, SIOCOUTQ, &used) && used >= room;
}

/* The link sends from a work of its own: there is none when nothing has moved for a while. */
int lh_fill(const struct lh_link *l, int fd, const void *piece, size_t len)
{
	long long end = nlh_now() + 20000;
	long long still = nlh_now();
	int n = 0;

	for (;;) {
		if (send(fd, piece, len, MSG_DONTWAIT) == (ssize_t)len) {
			n++;
			still = nlh_now();
			continue;
		}
		if (errno != EAGAIN || n >= 1000 || nlh_now() > end)
			return -1;
		if (!lh_below_full(l))
			still = nlh_now();
		if (nlh_now() - still >= 500)
			return n;
		usleep(1000);
	}
}

bool lh_silent(const struct lh_link *l)
{
	struct sockaddr_ockam to = { .sockam_family = AF_OCKAM };
	__u8 *p = to.sockam_route;
	const char *hops[] = { l->name, "lh-marker" };
	int back = nlh_enter(l->node);
	int fd = socket(AF_OCKAM, SOCK_DGRAM, 0);
	struct lh_message m;
	ssize_t n;

	for (int i = 0; i < 2; i++) {
		*p++ = OCKAM_ADDR_LOCAL;
		*p++ = strlen(hops[i]);
		p = (__u8 *)stpcpy((char *)p, hops[i]);
	}
	to.sockam_hops = 2;
	n = sendto(fd, "!", 1, 0, (struct sockaddr *)&to, p - (__u8 *)&to);
	close(fd);
	nlh_leave(back);
	return n == 1 && lh_read_frame(l->raw, &m) && m.n_onward == 1 &&
	       !strcmp(m.onward[0], hops[1]);
}
