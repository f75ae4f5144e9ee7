// SPDX-License-Identifier: Apache-2.0
/*
 * How connections come about and end: refusals, deadlines, signals, the backlog,
 * and the end of everything that they need while a call waits.
 *
 * where: uml debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <sched.h>
#include <sys/wait.h>

#include "seqhelp.h"

static struct seq_pair pair;

/* --- calls that wait, in a thread --- */

struct call {
	pthread_t thread;
	enum { CONNECT, ACCEPT, SEND, RECV } what;
	int fd;
	int err;
	struct name to;
	atomic_bool done;
};

static void *run(void *arg)
{
	static uint8_t big[100000];
	struct call *c = arg;
	char byte;

	switch (c->what) {
	case CONNECT:
		c->err = sock_connect(c->fd, c->to);
		break;
	case ACCEPT:
		c->err = failed(accept(c->fd, NULL, NULL));
		break;
	case SEND:
		do
			c->err = seq_send(c->fd, big, sizeof(big), 0);
		while (!c->err);
		break;
	case RECV:
		c->err = failed(recv(c->fd, &byte, 1, 0));
		break;
	}
	c->done = true;
	return NULL;
}

static void call_start(struct call *c)
{
	c->done = false;
	pthread_create(&c->thread, NULL, run, c);
	/* Likely it waits by then; when not the outcome is the same. */
	usleep(50000);
}

static int call_end(struct call *c)
{
	pthread_join(c->thread, NULL);
	return c->err;
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Until the call has been interrupted: the first one may come too early. */
static int call_interrupt(struct call *c)
{
	while (!c->done) {
		pthread_kill(c->thread, SIGUSR1);
		usleep(10000);
	}
	return call_end(c);
}

static void set_timeout(int fd, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* --- connect() --- */

static int authorize(int fd, int who)
{
	uint8_t id[32];

	memset(id, who, sizeof(id));
	return failed(setsockopt(fd, SOL_OCKAM, OCKAM_AUTHORIZED, id, sizeof(id)));
}

static void test_refused(void)
{
	int listener = seq_listener(pair.server, "chat", 8), fd, back, door;

	fd = seq_socket(pair.client, 0);
	ok(sock_connect(fd, NAME("nowhere", "chat")) == EHOSTUNREACH,
	   "a route that begins nowhere is EHOSTUNREACH");
	set_timeout(fd, 100);
	ok(sock_connect(fd, NAME("to-server", "nobody")) == ETIMEDOUT,
	   "nobody there is silence, and ETIMEDOUT after SO_SNDTIMEO");
	set_timeout(fd, 0);
	pair.client->fail = EBADMSG;
	ok(sock_connect(fd, seq_route(&pair, "chat")) == EBADMSG, "the worker's errno is told");
	pair.client->fail = 4000;
	ok(sock_connect(fd, seq_route(&pair, "chat")) == EPROTO, "one that is none is EPROTO");
	pair.client->fail = 0;
	ok(!authorize(fd, 'X') && sock_connect(fd, seq_route(&pair, "chat")) == EACCES,
	   "a peer that is not authorised is EACCES");
	ok(!authorize(fd, 'B') && !sock_connect(fd, seq_route(&pair, "chat")),
	   "the same socket connects to one that is");
	close(fd);

	door = seq_socket(pair.server, 0);
	authorize(door, 'X');
	ok(!sock_bind(door, NAME("door")) && !listen(door, 1), "a listener for somebody else");
	fd = seq_socket(pair.client, 0);
	ok(sock_connect(fd, seq_route(&pair, "door")) == ECONNREFUSED, "refuses: ECONNREFUSED");
	close(fd);
	close(door);
	close(listener);

	back = failed(unshare(CLONE_NEWNET));
	fd = back ? -1 : socket(AF_OCKAM, SOCK_SEQPACKET, 0);
	ok(!back && sock_connect(fd, NAME("a")) == ESRCH, "without a worker connect() is ESRCH");
	close(fd);
}

static void test_rules(void)
{
	struct ockam_socket_rules r;
	int listener, fd;

	listener = seq_listener(pair.server, "chat", 1);
	fd = seq_socket(pair.client, 0);
	setsockopt(fd, SOL_OCKAM, OCKAM_IDENTITY, "alice", 5);
	authorize(fd, 'B');
	ok(!sock_connect(fd, seq_route(&pair, "chat")), "a connection by name");
	pthread_mutex_lock(&pair.client->lock);
	memcpy(&r, pair.client->rules[0], sizeof(r));
	ok(pair.client->rules_len[0] == sizeof(r) + 5 + 32 && r.version == OCKAM_SOCKET_RULES &&
	   r.flags == OCKAM_SOCKET_ADMIN && r.name_len == 5 && r.n_authorized == 1 && !r.uid &&
	   !memcmp(pair.client->rules[0] + sizeof(r), "alice", 5) &&
	   !memcmp(pair.client->rules[0] + sizeof(r) + 5, pair.client->peer, 32),
	   "is what the worker is told");
	pthread_mutex_unlock(&pair.client->lock);
	pthread_mutex_lock(&pair.server->lock);
	memcpy(&r, pair.server->rules[1], sizeof(r));
	ok(pair.server->rules_len[1] == sizeof(r) && !r.name_len && !r.n_authorized,
	   "the other one of a listener without rules");
	pthread_mutex_unlock(&pair.server->lock);
	close(fd);
	close(listener);
}

static void test_signal(void)
{
	int listener = seq_listener(pair.server, "chat", 8);
	struct call c = { .what = CONNECT, .to = seq_route(&pair, "chat") };

	pair.client->mute_first = true;
	c.fd = seq_socket(pair.client, 0);
	call_start(&c);
	ok(call_interrupt(&c) == EINTR, "a signal interrupts connect()");
	fcntl(c.fd, F_SETFL, O_NONBLOCK);
	ok(sock_connect(c.fd, c.to) == EALREADY, "which goes on");
	fcntl(c.fd, F_SETFL, 0);
	call_start(&c);
	pair.client->mute_first = false;
	ok(!call_end(&c), "the next one waits for it");
	ok(sock_connect(c.fd, c.to) == EISCONN, "and that is all");
	c.what = RECV;
	call_start(&c);
	ok(call_interrupt(&c) == EINTR, "a signal interrupts recv()");
	c.what = SEND;
	call_start(&c);
	ok(call_interrupt(&c) == EINTR, "and send()");
	close(c.fd);
	c.fd = listener;
	close(accept(listener, NULL, NULL));
	c.what = ACCEPT;
	call_start(&c);
	ok(call_interrupt(&c) == EINTR, "and accept()");
	close(listener);
}

static void test_nonblock(void)
{
	int listener = seq_listener(pair.server, "chat", 8), fd, end;

	pair.client->mute_first = true;
	ok(seq_begin(&pair, seq_route(&pair, "chat"), &fd) == EINPROGRESS, "it is begun");
	ok(!seq_poll_now(fd) && seq_info(fd).ockami_state == OCKAM_SOCKET_CONNECTING,
	   "and nothing is there");
	pair.client->mute_first = false;
	ok(seq_poll(fd, POLLOUT) == POLLOUT && !seq_error(fd), "until it is connected");
	ok(!sock_connect(fd, seq_route(&pair, "chat")) &&
	   sock_connect(fd, seq_route(&pair, "chat")) == EISCONN, "connect() says so, once");
	end = accept(listener, NULL, NULL);
	ok(end >= 0 && !seq_send(end, "a", 1, 0) && seq_poll(fd, POLLIN) == POLLIN &&
	   seq_expect(fd, "a", 1), "the server may speak first");
	close(end);
	close(fd);
	/* Not before connect() has returned, which would tell it itself. */
	pair.client->mute_first = true;
	seq_begin(&pair, seq_route(&pair, "chat"), &fd);
	pair.client->fail = EBADMSG;
	pair.client->mute_first = false;
	ok(seq_poll(fd, POLLOUT) & POLLERR && seq_error(fd) == EBADMSG,
	   "a failure is an error, which SO_ERROR takes");
	ok(sock_connect(fd, seq_route(&pair, "chat")) == ECONNABORTED,
	   "then connect() knows no reason");
	pair.client->fail = 0;
	ok(sock_connect(fd, seq_route(&pair, "chat")) == EINPROGRESS &&
	   seq_poll(fd, POLLOUT) == POLLOUT,
	   "and the next one begins anew");
	close(fd);
	close(listener);
}

static void test_close_connecting(void)
{
	long long before = nlh_counter(&pair.client->nl, "handshakes_failed_cancelled");
	int listener = seq_listener(pair.server, "chat", 8), fd, i;

	pair.client->mute_first = true;
	seq_begin(&pair, seq_route(&pair, "chat"), &fd);
	close(fd);
	ok(nlh_counter(&pair.client->nl, "handshakes_failed_cancelled") == before + 1,
	   "close() cancels the handshake");
	pair.client->mute_first = false;
	/* Wherever it is at just then. */
	for (i = 0; i < 50; i++) {
		seq_begin(&pair, seq_route(&pair, "chat"), &fd);
		usleep(i * 100);
		close(fd);
		fcntl(listener, F_SETFL, O_NONBLOCK);
		fd = accept(listener, NULL, NULL);
		if (fd >= 0) {
			seq_poll(fd, POLLIN);
			seq_expect_end(fd);
			close(fd);
		}
	}
	ok(true, "at any moment");
	close(listener);
}

/* --- accept() --- */

static void test_backlog(void)
{
	int listener = seq_listener(pair.server, "chat", 2), fd[4], end;
	long long before = nlh_counter(&pair.server->nl, "drop_handshake_backlog");

	fd[0] = seq_socket(pair.client, 0);
	fd[1] = seq_socket(pair.client, 0);
	ok(!sock_connect(fd[0], seq_route(&pair, "chat")) &&
	   !sock_connect(fd[1], seq_route(&pair, "chat")), "two connections wait");
	/* Who connects may hear of it first. */
	for (end = 0; end < 1000 && seq_info(listener).ockami_waiting != 2; end++)
		usleep(5000);
	ok(seq_info(listener).ockami_waiting == 2 && seq_poll_now(listener) == POLLIN,
	   "the listener knows");
	fd[2] = seq_socket(pair.client, 0);
	set_timeout(fd[2], 200);
	ok(sock_connect(fd[2], seq_route(&pair, "chat")) == ETIMEDOUT &&
	   nlh_counter(&pair.server->nl, "drop_handshake_backlog") == before + 1,
	   "for a third one there is no room");
	end = accept(listener, NULL, NULL);
	ok(end >= 0 && !sock_connect(fd[2], seq_route(&pair, "chat")),
	   "there is when one was accepted");
	ok(!seq_send(fd[0], "first", 5, 0) && seq_expect(end, "first", 5), "they come in order");
	close(end);
	close(listener);
	ok(seq_expect_end(fd[1]) && seq_expect_end(fd[2]), "close() ends those that wait");
	close(fd[0]);
	close(fd[1]);
	close(fd[2]);

	pair.server->mute_third = true;
	listener = seq_listener(pair.server, "chat", 1);
	seq_begin(&pair, seq_route(&pair, "chat"), &fd[0]);
	for (end = 0; end < 500 && !seq_info(listener).ockami_pending; end++)
		usleep(10000);
	set_timeout(fd[3] = seq_socket(pair.client, 0), 200);
	ok(seq_info(listener).ockami_pending == 1 &&
	   sock_connect(fd[3], seq_route(&pair, "chat")) == ETIMEDOUT,
	   "handshakes that are not done count too");
	close(listener);
	pair.server->mute_third = false;
	close(fd[0]);
	close(fd[3]);
}

static void test_accept(void)
{
	struct call c = { .what = ACCEPT };
	int fd;

	c.fd = seq_listener(pair.server, "chat", 2);
	call_start(&c);
	fd = seq_socket(pair.client, 0);
	ok(!sock_connect(fd, seq_route(&pair, "chat")) && !call_end(&c),
	   "accept() waits for a connection");
	close(fd);
	close(c.fd);
}

static void test_listener_gone(void)
{
	struct call c = { .what = ACCEPT };
	static struct nlh_msg m;
	int listener;

	listener = seq_listener(pair.server, "chat", 2);
	c.fd = listener;
	call_start(&c);
	nlh_begin(&m, OCKAM_CMD_LISTENER_DEL);
	nlh_put(&m, OCKAM_A_ADDRESS, "chat", 4);
	ok(!nlh_call(&pair.server->nl, &m, NULL) && call_end(&c) == ESHUTDOWN,
	   "an administrator's delete wakes accept()");
	ok(failed(accept(listener, NULL, NULL)) == EINVAL, "then it does not listen any more");
	close(listener);
	listener = seq_listener(pair.server, "chat", 2);
	c.fd = listener;
	call_start(&c);
	ok(!shutdown(listener, SHUT_RD) && call_end(&c) == EINVAL, "so does shutdown()");
	close(listener);
}

/* --- the end of a connection --- */

static void test_peer_end(void)
{
	int listener = seq_listener(pair.server, "chat", 2), fd[2];
	struct call c = { .what = SEND };

	seq_connect(&pair, listener, "chat", fd);
	c.fd = fd[0];
	call_start(&c);
	close(fd[1]);
	ok(call_end(&c) == EPIPE, "the peer's close() ends a send() that waits");
	close(fd[0]);
	seq_connect(&pair, listener, "chat", fd);
	c = (struct call){ .what = RECV, .fd = fd[1] };
	call_start(&c);
	shutdown(fd[1], SHUT_RD);
	ok(!call_end(&c), "shutdown() ends a recv() that waits");
	close(fd[0]);
	close(fd[1]);
	close(listener);
}

static void test_pipe(void)
{
	int listener = seq_listener(pair.server, "chat", 2), fd[2], status;
	pid_t pid;

	seq_connect(&pair, listener, "chat", fd);
	close(fd[1]);
	seq_poll(fd[0], POLLIN);
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		send(fd[0], "x", 1, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "without MSG_NOSIGNAL there is SIGPIPE");
	close(fd[0]);
	close(listener);
}

static void test_link_end(void)
{
	int listener = seq_listener(pair.server, "chat", 2), fd[2];
	struct call c = { .what = RECV };

	seq_connect(&pair, listener, "chat", fd);
	c.fd = fd[0];
	call_start(&c);
	nlh_link_del(&pair.client->nl, "to-server");
	ok(call_end(&c) == ECONNRESET, "the end of the link ends the connection");
	ok(seq_send(fd[0], "x", 1, 0) == EPIPE && seq_expect_end(fd[0]), "which is said once");
	nlh_set_limit(&pair.server->nl, OCKAM_LIMIT_STRANDED_MS, 100);
	c.fd = fd[1];
	call_start(&c);
	close(fd[0]);
	close(listener);
	nlh_end(&pair.server->nl);
	call_end(&c);
	ok(c.err == ESHUTDOWN || c.err == EHOSTUNREACH, "the end of the node, too");
	close(fd[1]);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	setbuf(stdout, NULL);
	alarm(150);
	sigaction(SIGUSR1, &action, NULL);
	seq_open(&pair, LH_UNIX);
	test_refused();
	test_rules();
	test_signal();
	test_nonblock();
	test_close_connecting();
	test_accept();
	test_backlog();
	test_listener_gone();
	test_peer_end();
	test_pipe();
	test_link_end();
	seq_close(&pair);
	return tap_done();
}
