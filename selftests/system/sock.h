/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers of the tests of the socket family. Include it once in a program.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SYSTEM_SOCK_H
#define OCKAM_SYSTEM_SOCK_H

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/ockam.h>

#include "../unit/tap.h"

#define UNUSED __attribute__((unused))
#define ALIGNED __attribute__((aligned(sizeof(long))))	/* for struct cmsghdr */
#define NAME_HDR offsetof(struct sockaddr_ockam, sockam_route)

/* An address structure and how much of it is used. */
struct name {
	struct sockaddr_ockam sa;
	socklen_t len;
};

/* Append a hop. */
static void name_add(struct name *n, int type, const void *text, size_t len)
{
	__u8 *p = (__u8 *)&n->sa + n->len;

	p[0] = type;
	p[1] = len;
	memcpy(p + 2, text, len);
	n->len += 2 + len;
	n->sa.sockam_hops++;
}

/* Local hops from texts, the last one NULL. */
static struct name name_of(const char *first, ...)
{
	struct name n = { .sa.sockam_family = AF_OCKAM, .len = NAME_HDR };
	const char *text;
	va_list args;

	va_start(args, first);
	for (text = first; text; text = va_arg(args, const char *))
		name_add(&n, OCKAM_ADDR_LOCAL, text, strlen(text));
	va_end(args);
	return n;
}

#define NAME(...) name_of(__VA_ARGS__, NULL)
#define NO_NAME name_of(NULL)

UNUSED
static bool name_equal(const struct name *a, const struct name *b)
{
	return a->len == b->len && !memcmp(&a->sa, &b->sa, a->len);
}

/* 0 or errno, so that results compare and print as one number. */
static int failed(long ret)
{
	return ret < 0 ? errno : 0;
}

/* Ends the program: without sockets there is nothing to test. */
static int sock_new(void)
{
	int fd = socket(AF_OCKAM, SOCK_DGRAM, 0);

	if (fd < 0) {
		printf("Bail out! socket(AF_OCKAM): %s\n", strerror(errno));
		exit(1);
	}
	return fd;
}

static int sock_bind(int fd, struct name n)
{
	return failed(bind(fd, (struct sockaddr *)&n.sa, n.len));
}

UNUSED
static int sock_connect(int fd, struct name n)
{
	return failed(connect(fd, (struct sockaddr *)&n.sa, n.len));
}

/* A socket with that name. */
UNUSED
static int sock_named(const char *text)
{
	int fd = sock_new();
	int err = sock_bind(fd, NAME(text));

	if (err) {
		printf("Bail out! bind %s: %s\n", text, strerror(err));
		exit(1);
	}
	return fd;
}

/* 0 or errno; a short count is EIO. Never waits. */
UNUSED
static int sock_send(int fd, struct name to, const void *buf, size_t len)
{
	long n = sendto(fd, buf, len, MSG_DONTWAIT, (struct sockaddr *)&to.sa,
			to.len);

	return n < 0 ? errno : n == (long)len ? 0 : EIO;
}

/* Bytes or -errno. Never waits. */
UNUSED
static long sock_recv(int fd, void *buf, size_t len, int flags,
		      struct name *from)
{
	socklen_t room = sizeof(from->sa);
	long n;

	n = recvfrom(fd, buf, len, flags | MSG_DONTWAIT,
		     from ? (struct sockaddr *)&from->sa : NULL,
		     from ? &room : NULL);
	if (from)
		from->len = room;
	return n < 0 ? -errno : n;
}

/* Receive with ancillary data; the message is kept for looking at it. */
struct received {
	char data[256];
	struct sockaddr_ockam name;
	char control[4096] ALIGNED;
	struct iovec iov;
	struct msghdr m;
};

UNUSED
static long sock_recvmsg(int fd, struct received *r, size_t control, int flags)
{
	long n;

	memset(r, 0xaa, sizeof(*r));
	memset(&r->m, 0, sizeof(r->m));
	r->iov.iov_base = r->data;
	r->iov.iov_len = sizeof(r->data);
	r->m.msg_name = &r->name;
	r->m.msg_namelen = sizeof(r->name);
	r->m.msg_iov = &r->iov;
	r->m.msg_iovlen = 1;
	r->m.msg_control = control ? r->control : NULL;
	r->m.msg_controllen = control;
	n = recvmsg(fd, &r->m, flags | MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

UNUSED
static struct cmsghdr *sock_find_cmsg(struct received *r, int level, int type)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(&r->m); c; c = CMSG_NXTHDR(&r->m, c)) {
		if (c->cmsg_level == level && c->cmsg_type == type)
			return c;
	}
	return NULL;
}

UNUSED
static int sock_set(int fd, int name, int v)
{
	return failed(setsockopt(fd, SOL_OCKAM, name, &v, sizeof(v)));
}

/* Sockets that the kernel still has, of all namespaces, or -1. */
UNUSED
static int sockets_alive(void)
{
	char line[256];
	FILE *file = fopen("/proc/net/protocols", "r");
	int n = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "OCKAM %*d %d", &n) == 1)
			break;
	}
	if (file)
		fclose(file);
	return n;
}

/* How many other threads of this program sleep in the kernel. */
static int threads_asleep(void)
{
	char path[64], line[512], self[16], *state;
	struct dirent *task;
	FILE *file;
	int n = 0;
	DIR *dir;

	dir = opendir("/proc/self/task");
	snprintf(self, sizeof(self), "%d", gettid());
	while (dir && (task = readdir(dir))) {
		if (task->d_name[0] == '.' || !strcmp(task->d_name, self))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat", task->d_name);
		file = fopen(path, "r");
		state = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
		n += state && state[1] && state[2] == 'S';
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* Wait until so many do, at most 5 s. */
UNUSED
static bool threads_wait_asleep(int n)
{
	int i;

	for (i = 0; i < 5000 && threads_asleep() < n; i++)
		usleep(1000);
	return threads_asleep() >= n;
}

/* Wait until no more than @n are left, at most 5 s. */
UNUSED
static bool sockets_wait(int n)
{
	int i;

	for (i = 0; i < 500 && sockets_alive() > n; i++)
		usleep(10000);
	return sockets_alive() == n;
}

#endif /* OCKAM_SYSTEM_SOCK_H */
