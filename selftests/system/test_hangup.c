// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets that are connected through something that ends: a channel, a link,
 * another socket.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "exchange.h"

#define HUNG (POLLERR | POLLIN)

static short ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents & ~POLLOUT;
}

static short wait_ready(int fd, short want)
{
	long long end = nlh_now() + CH_SOON;

	while ((ready(fd) & want) != want && nlh_now() < end)
		usleep(2000);
	return ready(fd);
}

static int socket_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

/* A socket of the node, connected to [@first, "x"]. */
static int connected(const char *name, const char *first)
{
	int fd = node_socket(name);

	if (sock_connect(fd, NAME(first, "x"))) {
		printf("Bail out! no connection\n");
		exit(1);
	}
	return fd;
}

/* A reader that waits. */
struct reader {
	pthread_t thread;
	int fd;
	long result;
};

static void *read_one(void *arg)
{
	struct reader *r = arg;
	char buf[16];
	long n = recv(r->fd, buf, sizeof(buf), 0);

	r->result = n < 0 ? -errno : n;
	return NULL;
}

static void start_reader(struct reader *r, int fd)
{
	r->fd = fd;
	r->result = 1000;
	pthread_create(&r->thread, NULL, read_one, r);
}

/* What ends, and how. */
static void check_hung(int fd, struct reader *readers, const char *what)
{
	char buf[16];
	int last = 0;

	for (int i = 0; i < 3; i++) {
		pthread_join(readers[i].thread, NULL);
		last += readers[i].result == -ECONNRESET;
	}
	ok(last == 3, "%s: who waits for a message is told (%d of 3)", what, last);
	ok(sock_recv(fd, buf, sizeof(buf), 0, NULL) == -ECONNRESET, "%s: so is who asks later",
	   what);
	ok(failed(send(fd, "x", 1, MSG_DONTWAIT)) == EHOSTUNREACH, "%s: nothing can be sent", what);
	ok(!ready(fd), "%s: the error is told once, then poll is quiet", what);
}

static void test_ends(void)
{
	struct reader readers[3];
	struct ch_channel c;
	struct lh_link l;
	int fd, other;

	for (int which = 0; which < 3; which++) {
		static const char *const names[] = { "channel", "link", "socket" };
		const char *first = "other";

		drain_worker();
		other = node_socket("other");
		lh_open(&l, &node, LH_UNIX, NULL);
		ok(ch_open_responder(&worker, &node, &l, &c, key_tx, key_rx), "a channel");
		if (which < 2)
			first = which ? l.name : c.encryptor;
		fd = connected("reader", first);
		for (int i = 0; i < 3; i++)
			start_reader(&readers[i], fd);
		ok(threads_wait_asleep(3) && !ready(fd), "%s: nothing has happened", names[which]);
		if (which == 0)
			ch_del(&node, c.encryptor);
		else if (which == 1)
			lh_close(&l);
		else
			close(other);
		check_hung(fd, readers, names[which]);
		if (which)
			ch_del(&node, c.encryptor);
		if (which != 1)
			lh_close(&l);
		if (which != 2)
			close(other);
		close(fd);
	}
}

/* What came before the end is read all the same. */
static void test_order(void)
{
	struct ch_channel c;
	char buf[16];
	int fd;

	drain_worker();
	ok(ch_open_responder(&worker, &node, &link_a, &c, key_tx, key_rx), "a channel");
	fd = node_socket("reader");
	sock_connect(fd, NAME(c.encryptor, "x"));
	ok(ch_peer_say(&c, "reader", "x", "one", 3) && ch_peer_say(&c, "reader", "x", "two", 3) &&
	   ch_peer_close(&c), "two messages and a Close");
	ok(wait_ready(fd, HUNG) == HUNG, "the channel ends");
	ok(socket_error(fd) == ECONNRESET && !socket_error(fd), "SO_ERROR tells once");
	ok(receive(fd, buf, 16) == 3 && receive(fd, buf, 16) == 3, "both are there");
	ok(sock_recv(fd, buf, sizeof(buf), 0, NULL) == -ECONNRESET, "then the end is read");
	close(fd);
}

/* A name may come back, its owner does not; a socket may be connected anew. */
static void test_again(void)
{
	int first = node_socket("first"), second = node_socket("second");
	int fd = node_socket("reader");
	char buf[16];

	sock_connect(fd, NAME("first"));
	close(first);
	ok(wait_ready(fd, HUNG) == HUNG, "the first one is gone");
	ok(!sock_connect(fd, NAME("second")) && !ready(fd), "connected to another, nothing is wrong");
	ok(!failed(send(fd, "x", 1, 0)) && receive(second, buf, 16) == 1, "and messages go there");
	close(second);
	ok(wait_ready(fd, HUNG) == HUNG, "that goes too");
	second = node_socket("second");
	ok(ready(fd) == HUNG, "its name comes back: that is another one");
	ok(failed(send(fd, "x", 1, 0)) == ECONNRESET &&
	   failed(send(fd, "x", 1, 0)) == EHOSTUNREACH &&
	   sock_recv(second, buf, 16, 0, NULL) == -EAGAIN,
	   "which gets nothing");
	ok(!sock_send(second, NAME("reader"), "x", 1) && (socket_error(fd), true) &&
	   sock_recv(fd, buf, 16, 0, NULL) == -ECONNRESET,
	   "and from which nothing is taken");
	ok(!sock_connect(fd, NAME("second")) && !failed(send(fd, "x", 1, 0)) &&
	   receive(second, buf, 16) == 1,
	   "until it is connected to that one");
	ok(!ready(fd) && sock_recv(fd, buf, 16, 0, NULL) == -EAGAIN, "all is well");
	close(second);
	ok(wait_ready(fd, HUNG) == HUNG, "and it is noticed again");
	sock_connect(fd, NAME("nobody"));
	ok(!ready(fd), "who connects to nobody is told nothing");
	first = node_socket("nobody");
	ok(!failed(send(fd, "x", 1, 0)), "until there is somebody");
	close(first);
	ok(wait_ready(fd, HUNG) == HUNG, "who goes");
	close(fd);
}

/* A link that ends below a channel: the sockets hear that there is no route. */
static void test_stranded(void)
{
	struct ch_channel c;
	struct lh_link l;
	char buf[16];
	int fd;

	drain_worker();
	lh_open(&l, &node, LH_UNIX, NULL);
	ok(ch_open_responder(&worker, &node, &l, &c, key_tx, key_rx), "a channel");
	fd = connected("reader", c.encryptor);
	lh_close(&l);
	ok(wait_ready(fd, HUNG) == HUNG, "its link ends: an error");
	ok(socket_error(fd) == EHOSTUNREACH, "no route");
	ok(sock_recv(fd, buf, 16, 0, NULL) == -EAGAIN && !ready(fd), "it is told once");
	ok(failed(send(fd, "x", 1, 0)) == EHOSTUNREACH, "who sends is told each time");
	ch_del(&node, c.encryptor);
	ok(wait_ready(fd, HUNG) == HUNG && socket_error(fd) == ECONNRESET, "then the channel ends");
	close(fd);
}

/* ---- nobody is told again and again ---- */

static void ask_error(int fd)
{
	ok(socket_error(fd) == ECONNRESET, "SO_ERROR says what");
}

static void ask_receive(int fd)
{
	char buf[16];

	ok(sock_recv(fd, buf, sizeof(buf), 0, NULL) == -ECONNRESET, "recv() says what");
}

static void ask_send(int fd)
{
	ok(failed(send(fd, "x", 1, MSG_DONTWAIT)) == ECONNRESET, "send() says what");
	ok(failed(send(fd, "x", 1, MSG_DONTWAIT)) == EHOSTUNREACH, "and fails again");
}

/* How often epoll has something to say, at most @most times. */
static int turns(int ep, int most)
{
	struct epoll_event ev;
	int n = 0;

	while (n < most && epoll_wait(ep, &ev, 1, 0) == 1)
		n++;
	return n;
}

static void check_epoll(uint32_t mode, void (*ask)(int fd), const char *what)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | mode };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int other, fd;

	other = node_socket("other");
	fd = connected("reader", "other");
	ok(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) && !turns(ep, 1), "%s: nothing happens", what);
	close(other);
	ok(epoll_wait(ep, &ev, 1, CH_SOON) == 1 && ev.events == (EPOLLERR | EPOLLIN),
	   "%s: the end is told (0x%x)", what, ev.events);
	if (ask)
		ask(fd);
	/* As with any socket an error that nobody asks for stays. */
	ok(turns(ep, 10) == (ask || mode & EPOLLET ? 0 : 10), "%s: and not again", what);
	close(ep);
	close(fd);
}

static void test_epoll(void)
{
	static void (*const asks[])(int fd) = { NULL, ask_error, ask_receive, ask_send };
	static const char *const names[] = { "nothing", "SO_ERROR", "recv()", "send()" };
	char what[64];

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(what, sizeof(what), "level, %s", names[i]);
		check_epoll(0, asks[i], what);
		snprintf(what, sizeof(what), "edge, %s", names[i]);
		check_epoll(EPOLLET, asks[i], what);
	}
}

/* ---- everything at once ---- */

static atomic_bool stop;

/* Connects to what comes and goes, sends, reads, closes. */
static void *use_sockets(void *arg)
{
	unsigned int seed = (unsigned long)arg;
	int back = nlh_enter(&node);
	char name[16], other[16], buf[16];
	int fd = -1;

	while (!stop) {
		if (fd < 0)
			fd = sock_new();
		snprintf(name, sizeof(name), "t%d", rand_r(&seed) % 4);
		snprintf(other, sizeof(other), "t%d", rand_r(&seed) % 5);
		switch (rand_r(&seed) % 6) {
		case 0:
			close(fd);
			fd = -1;
			break;
		case 1:
			sock_bind(fd, NAME(name));
			break;
		case 2:
		case 3:
			sock_connect(fd, NAME(other));
			break;
		case 4:
			if (send(fd, "x", 1, MSG_DONTWAIT) < 0)
				ready(fd);
			break;
		default:
			sock_recv(fd, buf, sizeof(buf), 0, NULL);
		}
	}
	if (fd >= 0)
		close(fd);
	nlh_leave(back);
	return NULL;
}

static void test_race(void)
{
	pthread_t threads[6];
	long n = 0;

	stop = false;
	for (long i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, use_sockets, (void *)(i + 1));
	for (long long end = nlh_now() + 3000; nlh_now() < end; n++) {
		struct lh_link l;
		int fd;

		lh_open(&l, &node, LH_UNIX, &(struct nlh_link_options){ .name = "t4" });
		fd = connected("racer", "t4");
		lh_close(&l);
		close(fd);
		nlh_link_wait_gone(&node, "t4", CH_SOON);
	}
	stop = true;
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	ok(n, "%ld links while sockets came and went", n);
	ok(sockets_wait(0), "no socket is left");
}

int main(void)
{
	open_node();
	worker_again();
	test_ends();
	test_order();
	test_again();
	test_stranded();
	test_epoll();
	test_race();
	close_node();
	return tap_done();
}
