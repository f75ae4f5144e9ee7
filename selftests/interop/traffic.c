// SPDX-License-Identifier: Apache-2.0
/*
 * Both ends of an exchange of messages over AF_OCKAM sockets, for tests against
 * another implementation: serves an address, sends to another one, or both at
 * once. Payloads are the pattern of ockam-peer's --size, and are verified.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "../system/sock.h"

#define TRAFFIC_SIZE_MAX	(17 << 20)
#define TRAFFIC_BUFFER		(32 << 20)	/* of a socket, so that none drops */

static const char traffic_usage[] =
"traffic [-b NAME] [-t HOP,HOP,...] OPTIONS\n"
"  -b NAME   serve: send every message back the way it came\n"
"  -t ROUTE  send there, and await the same bytes as reply\n"
"  -f ADDR   send to ADDR behind the first hop of the first served message's way back\n"
"  -n COUNT  messages to send (1)\n"
"  -s SIZES  their sizes: a list that is begun anew at its end, or N+ for N, N+1, ... (10)\n"
"  -w COUNT  that many under way at a time (1)\n"
"  -q        do not await replies\n"
"  -m COUNT  serve that many messages (no limit, if there is something to send)\n"
"  -u        what is served may be any bytes\n"
"  -a        take what is served without an answer, print \"got SIZE\" for each\n"
"  -x        find and print the largest size that can be sent, nothing else\n"
"  -T SEC    give up after that time without a message (20)\n"
"Prints \"done sent=N replies=N served=N\"; status 1 with a sentence when it fails.\n";

struct traffic {
	const char *name;
	const char *follow;
	const char *sizes;
	struct name to;
	unsigned long count;
	unsigned long window;
	long serve;		/* -1: no limit */
	bool answer;
	bool await;
	bool verify;
	bool find;
	int idle_ms;

	int server;		/* -1: none */
	int client;
	bool may_send;
	unsigned long sent;
	unsigned long replies;
	unsigned long served;
	uint8_t *buffer;
	uint8_t *pattern;
};

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
{
	va_list args;

	fputs("traffic: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Neither constant nor periodic in a power of two; the same for every size. */
static void traffic_fill(uint8_t *out, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = i % 251 + i / 251;
}

static struct name traffic_route(char *text)
{
	struct name n = NO_NAME;
	char *hop;

	for (hop = strtok(text, ","); hop; hop = strtok(NULL, ",")) {
		if (n.len + 2 + strlen(hop) > sizeof(n.sa))
			die("the route is too long");
		name_add(&n, OCKAM_ADDR_LOCAL, hop, strlen(hop));
	}
	return n;
}

/* Size of message @i, from 0. */
static size_t traffic_size(const struct traffic *t, unsigned long i)
{
	unsigned long n = 1;
	const char *pos;
	char *end;
	size_t size;

	size = strtoul(t->sizes, &end, 10);
	if (*end == '+')
		return size + i;
	for (pos = t->sizes; (pos = strchr(pos, ',')); pos++)
		n++;
	for (i %= n, pos = t->sizes; i; i--)
		pos = strchr(pos, ',') + 1;
	return strtoul(pos, NULL, 10);
}

/* Larger than the system's limit where that may be. */
static int traffic_socket(const char *name)
{
	int room = TRAFFIC_BUFFER;
	int reach = OCKAM_REACH_ALL;
	int fd = sock_new();
	int err;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) ||
	    sock_set(fd, OCKAM_REACH, reach))
		die("socket options: %s", strerror(errno));
	err = sock_bind(fd, name ? NAME(name) : NO_NAME);
	if (err)
		die("bind %s: %s", name ?: "", strerror(err));
	return fd;
}

static void traffic_send(struct traffic *t)
{
	size_t size = traffic_size(t, t->sent);

	if (size > TRAFFIC_SIZE_MAX)
		die("size %zu is too large", size);
	if (sendto(t->client, t->pattern, size, 0, (struct sockaddr *)&t->to.sa, t->to.len) < 0)
		die("message %lu of %zu bytes: %s", t->sent + 1, size, strerror(errno));
	t->sent++;
	if (!t->await)
		t->replies++;
}

static void traffic_verify(const struct traffic *t, const char *what, unsigned long number,
			   long len)
{
	long i;

	if (!memcmp(t->buffer, t->pattern, len))
		return;
	for (i = 0; t->buffer[i] == t->pattern[i]; i++)
		;
	die("%s %lu of %ld bytes differs from byte %ld on", what, number, len, i);
}

static long traffic_take(struct traffic *t, int fd, struct name *from)
{
	long len = sock_recv(fd, t->buffer, TRAFFIC_SIZE_MAX, 0, from);

	if (len < 0 && len != -EAGAIN)
		die("recvfrom: %s", strerror(-len));
	return len;
}

static void traffic_reply(struct traffic *t)
{
	struct name from;
	size_t want;
	long len;

	while ((len = traffic_take(t, t->client, &from)) >= 0) {
		/* Nobody counts on it. */
		if (!t->await)
			continue;
		t->replies++;
		want = traffic_size(t, t->replies - 1);
		if ((size_t)len != want)
			die("reply %lu has %ld bytes instead of %zu", t->replies, len, want);
		traffic_verify(t, "reply", t->replies, len);
	}
}

/* The sender's channel leads to ADDR of the sender's node as well. */
static void traffic_follow(struct traffic *t, const struct name *from)
{
	const __u8 *hop = from->sa.sockam_route;

	if (!t->follow || t->may_send)
		return;
	if (!from->sa.sockam_hops)
		die("a message without a way back");
	t->to = NO_NAME;
	name_add(&t->to, hop[0], hop + 2, hop[1]);
	name_add(&t->to, OCKAM_ADDR_LOCAL, t->follow, strlen(t->follow));
	t->may_send = true;
}

static void traffic_serve(struct traffic *t)
{
	struct name from;
	long len;

	while (t->served != (unsigned long)t->serve &&
	       (len = traffic_take(t, t->server, &from)) >= 0) {
		t->served++;
		if (t->verify)
			traffic_verify(t, "message", t->served, len);
		traffic_follow(t, &from);
		if (!t->answer) {
			printf("got %ld\n", len);
			fflush(stdout);
		} else if (sendto(t->server, t->buffer, len, 0, (struct sockaddr *)&from.sa,
				  from.len) < 0) {
			die("answer %lu: %s", t->served, strerror(errno));
		}
	}
}

static bool traffic_finished(const struct traffic *t)
{
	return t->replies == t->count && (t->serve < 0 || t->served == (unsigned long)t->serve);
}

static void traffic_run(struct traffic *t)
{
	struct pollfd p[2] = {
		{ .fd = t->server, .events = POLLIN },
		{ .fd = t->client, .events = POLLIN },
	};

	while (!traffic_finished(t)) {
		while (t->may_send && t->sent < t->count && t->sent - t->replies < t->window) {
			traffic_send(t);
			traffic_reply(t);
		}
		if (traffic_finished(t))
			break;
		if (!poll(p, 2, t->idle_ms))
			die("nothing came for %d s: sent %lu, replies %lu, served %lu",
			    t->idle_ms / 1000, t->sent, t->replies, t->served);
		if (p[0].revents)
			traffic_serve(t);
		if (p[1].revents)
			traffic_reply(t);
	}
	printf("done sent=%lu replies=%lu served=%lu\n", t->sent, t->await ? t->replies : 0,
	       t->served);
}

/* The first size for which the kernel says EMSGSIZE, less one. */
static void traffic_find_largest(struct traffic *t)
{
	size_t low = 0, high = TRAFFIC_SIZE_MAX, size;

	while (high - low > 1) {
		size = low + (high - low) / 2;
		if (sendto(t->client, t->pattern, size, 0, (struct sockaddr *)&t->to.sa,
			   t->to.len) >= 0)
			low = size;
		else if (errno == EMSGSIZE)
			high = size;
		else
			die("%zu bytes: %s", size, strerror(errno));
	}
	printf("%zu\n", low);
}

/* One option of the command line. False: there is no such one. */
static bool traffic_option(struct traffic *t, int option)
{
	switch (option) {
	case 'b':
		t->name = optarg;
		return true;
	case 't':
		t->to = traffic_route(optarg);
		t->may_send = true;
		return true;
	case 'f':
		t->follow = optarg;
		return true;
	case 'n':
		t->count = strtoul(optarg, NULL, 10);
		return true;
	case 's':
		t->sizes = optarg;
		return true;
	case 'w':
		t->window = strtoul(optarg, NULL, 10);
		return true;
	case 'q':
		t->await = false;
		return true;
	case 'm':
		t->serve = strtol(optarg, NULL, 10);
		return true;
	case 'u':
		t->verify = false;
		return true;
	case 'a':
		t->answer = false;
		return true;
	case 'x':
		t->find = true;
		return true;
	case 'T':
		t->idle_ms = atoi(optarg) * 1000;
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct traffic t = {
		.sizes = "10",
		.window = 1,
		.serve = -1,
		.answer = true,
		.await = true,
		.verify = true,
		.idle_ms = 20000,
		.server = -1,
		.client = -1,
	};
	bool good = true;
	int option;

	while (good && (option = getopt(argc, argv, "b:t:f:n:s:w:qm:uaxT:")) != -1)
		good = traffic_option(&t, option);
	if (!good || optind != argc || (!t.name && !t.may_send) || (t.follow && !t.name)) {
		fputs(traffic_usage, stderr);
		return 2;
	}
	if ((t.may_send || t.follow) && !t.count)
		t.count = 1;
	/* Nothing else would end it. */
	if (!t.count && t.serve < 0)
		t.serve = LONG_MAX;
	t.buffer = malloc(TRAFFIC_SIZE_MAX);
	t.pattern = malloc(TRAFFIC_SIZE_MAX);
	if (!t.buffer || !t.pattern)
		die("no memory");
	traffic_fill(t.pattern, TRAFFIC_SIZE_MAX);
	t.client = traffic_socket(NULL);
	if (t.name) {
		t.server = traffic_socket(t.name);
		printf("ready\n");
		fflush(stdout);
	}
	if (t.find)
		traffic_find_largest(&t);
	else
		traffic_run(&t);
	free(t.buffer);
	free(t.pattern);
	return 0;
}
