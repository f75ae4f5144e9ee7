// SPDX-License-Identifier: Apache-2.0
/*
 * Every call on a connection-oriented socket in every state: one table of errnos.
 *
 * where: uml debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/sockios.h>

#include "seqhelp.h"

static struct seq_pair pair;
static int listener;
static int other;	/* end of the connection, or -1 */

enum state {
	UNBOUND, BOUND, CONNECTING, CONNECTED, LISTENING, PEER_CLOSED,
	SHUT_READ, SHUT_WRITE, FAILED, STATES
};

static const char *const state_names[STATES] = {
	"unbound", "bound", "connecting", "connected", "listening", "closed by the peer",
	"shut down for reading", "shut down for writing", "failed",
};

/* An administrator deletes the channel of @fd: its name is what the peer sends to. */
static void fail_channel(int fd)
{
	struct sockaddr_ockam sa;
	socklen_t len = sizeof(sa);
	char name[256] = "";

	getpeername(other, (struct sockaddr *)&sa, &len);
	memcpy(name, sa.sockam_route + 2, sa.sockam_route[1]);
	ch_del(&pair.client->nl, name);
	seq_poll(fd, POLLIN);
}

static int make(enum state state)
{
	int fd, fds[2];

	other = -1;
	if (state == UNBOUND)
		return seq_socket(pair.client, SOCK_NONBLOCK);
	if (state == BOUND) {
		fd = seq_socket(pair.client, SOCK_NONBLOCK);
		sock_bind(fd, NAME("mine"));
		return fd;
	}
	if (state == LISTENING) {
		fd = seq_listener(pair.client, "mine", 1);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return fd;
	}
	if (state == CONNECTING) {
		pair.client->mute_first = true;
		seq_begin(&pair, NAME("chat"), &fd);
		return fd;
	}
	seq_connect(&pair, listener, "chat", fds);
	fd = fds[0];
	other = fds[1];
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (state == PEER_CLOSED) {
		close(other);
		other = -1;
		seq_poll(fd, POLLIN);
	} else if (state == SHUT_READ || state == SHUT_WRITE) {
		shutdown(fd, state == SHUT_READ ? SHUT_RD : SHUT_WR);
	} else if (state == FAILED) {
		fail_channel(fd);
	}
	return fd;
}

static void unmake(int fd)
{
	close(fd);
	if (other >= 0)
		close(other);
	pair.client->mute_first = false;
}

/* --- calls: 0 or errno --- */

static int call_bind(int fd)
{
	return sock_bind(fd, NAME("name"));
}

static int call_connect(int fd)
{
	/* It is about what is said at once. */
	pair.client->mute_first = true;
	return sock_connect(fd, NAME("chat"));
}

static int call_listen(int fd)
{
	return failed(listen(fd, 1));
}

static int call_accept(int fd)
{
	return failed(accept(fd, NULL, NULL));
}

static int call_send(int fd)
{
	return seq_send(fd, "x", 1, 0);
}

static int call_send_again(int fd)
{
	seq_send(fd, "x", 1, 0);
	return seq_send(fd, "x", 1, 0);
}

static int call_sendto(int fd)
{
	return sock_send(fd, NAME("chat"), "x", 1);
}

static int call_send_oob(int fd)
{
	return seq_send(fd, "x", 1, MSG_OOB);
}

static int call_recv(int fd)
{
	char c;

	return failed(recv(fd, &c, 1, 0));
}

static int call_recv_again(int fd)
{
	call_recv(fd);
	return call_recv(fd);
}

static int call_recv_oob(int fd)
{
	char c;

	return failed(recv(fd, &c, 1, MSG_OOB));
}

static int call_shut_rd(int fd)
{
	return failed(shutdown(fd, SHUT_RD));
}

static int call_shut_wr(int fd)
{
	return failed(shutdown(fd, SHUT_WR));
}

static int call_shut_both(int fd)
{
	return failed(shutdown(fd, SHUT_RDWR));
}

static int call_shut_bad(int fd)
{
	return failed(shutdown(fd, 3));
}

static int call_getsockname(int fd)
{
	struct sockaddr_ockam sa;
	socklen_t len = sizeof(sa);

	return failed(getsockname(fd, (struct sockaddr *)&sa, &len));
}

static int call_getpeername(int fd)
{
	struct sockaddr_ockam sa;
	socklen_t len = sizeof(sa);

	return failed(getpeername(fd, (struct sockaddr *)&sa, &len));
}

static int get_option(int fd, int name)
{
	char buf[512];
	socklen_t len = sizeof(buf);

	return failed(getsockopt(fd, SOL_OCKAM, name, buf, &len));
}

static int call_get_peer(int fd)
{
	return get_option(fd, OCKAM_PEER);
}

static int call_get_attributes(int fd)
{
	return get_option(fd, OCKAM_ATTRIBUTES);
}

static int call_get_info(int fd)
{
	return get_option(fd, OCKAM_INFO);
}

static int call_get_identity(int fd)
{
	return get_option(fd, OCKAM_IDENTITY);
}

static int call_get_authorized(int fd)
{
	return get_option(fd, OCKAM_AUTHORIZED);
}

static int call_get_reach(int fd)
{
	return get_option(fd, OCKAM_REACH);
}

static int call_get_route(int fd)
{
	return get_option(fd, OCKAM_RECVROUTE);
}

static int call_set_identity(int fd)
{
	return failed(setsockopt(fd, SOL_OCKAM, OCKAM_IDENTITY, "me", 2));
}

static int call_set_authorized(int fd)
{
	return failed(setsockopt(fd, SOL_OCKAM, OCKAM_AUTHORIZED, pair.client->peer, 32));
}

static int call_set_reach(int fd)
{
	return sock_set(fd, OCKAM_REACH, OCKAM_REACH_LOCAL);
}

static int call_set_peer(int fd)
{
	return sock_set(fd, OCKAM_PEER, 0);
}

static int call_so_error(int fd)
{
	return seq_error(fd);
}

static int call_siocinq(int fd)
{
	int n = 7, err = failed(ioctl(fd, SIOCINQ, &n));

	return err ? err : n;
}

static int call_poll(int fd)
{
	return seq_poll_now(fd);
}

#define NC ENOTCONN
#define IS EISCONN
#define BAD EINVAL
#define NO EOPNOTSUPP
#define OPT ENOPROTOOPT
#define GONE ECONNABORTED
#define OVER (POLLIN | POLLOUT | POLLHUP | POLLRDHUP)

static const struct {
	const char *name;
	int (*call)(int fd);
	int want[STATES];
} calls[] = {
	/*		unbound	bound	conn.ing conn.ed listen	peer cl. shut r	shut w	failed */
	{ "bind", call_bind,
			{ 0,	BAD,	BAD,	BAD,	BAD,	BAD,	BAD,	BAD,	BAD } },
	{ "connect", call_connect,
			{ EINPROGRESS, EINPROGRESS, EALREADY, IS, IS, IS, IS,	IS,	IS } },
	{ "listen", call_listen,
			{ 0,	0,	BAD,	BAD,	0,	BAD,	BAD,	BAD,	BAD } },
	{ "accept", call_accept,
			{ BAD,	BAD,	BAD,	BAD,	EAGAIN,	BAD,	BAD,	BAD,	BAD } },
	{ "send", call_send,
			{ NC,	NC,	NC,	0,	NC,	EPIPE,	0,	EPIPE,	GONE } },
	{ "send again", call_send_again,
			{ NC,	NC,	NC,	0,	NC,	EPIPE,	0,	EPIPE,	EPIPE } },
	{ "sendto", call_sendto,
			{ NO,	NO,	NO,	IS,	NO,	IS,	IS,	IS,	IS } },
	{ "send, MSG_OOB", call_send_oob,
			{ NO,	NO,	NO,	NO,	NO,	NO,	NO,	NO,	NO } },
	{ "recv", call_recv,
			{ NC,	NC,	NC,	EAGAIN,	NC,	0,	0,	EAGAIN,	GONE } },
	{ "recv again", call_recv_again,
			{ NC,	NC,	NC,	EAGAIN,	NC,	0,	0,	EAGAIN,	0 } },
	{ "recv, MSG_OOB", call_recv_oob,
			{ NO,	NO,	NO,	NO,	NO,	NO,	NO,	NO,	NO } },
	{ "shutdown, SHUT_RD", call_shut_rd,
			{ NC,	NC,	NC,	0,	0,	0,	0,	0,	0 } },
	{ "shutdown, SHUT_WR", call_shut_wr,
			{ NC,	NC,	NC,	0,	0,	0,	0,	0,	0 } },
	{ "shutdown, SHUT_RDWR", call_shut_both,
			{ NC,	NC,	NC,	0,	0,	0,	0,	0,	0 } },
	{ "shutdown, 3", call_shut_bad,
			{ BAD,	BAD,	BAD,	BAD,	BAD,	BAD,	BAD,	BAD,	BAD } },
	{ "getsockname", call_getsockname,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	0 } },
	{ "getpeername", call_getpeername,
			{ NC,	NC,	NC,	0,	NC,	0,	0,	0,	0 } },
	{ "get OCKAM_PEER", call_get_peer,
			{ NC,	NC,	NC,	0,	NC,	0,	0,	0,	0 } },
	{ "get OCKAM_ATTRIBUTES", call_get_attributes,
			{ NC,	NC,	NC,	0,	NC,	0,	0,	0,	0 } },
	{ "get OCKAM_INFO", call_get_info,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	0 } },
	{ "get OCKAM_IDENTITY", call_get_identity,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	0 } },
	{ "get OCKAM_AUTHORIZED", call_get_authorized,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	0 } },
	{ "get OCKAM_REACH", call_get_reach,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	0 } },
	{ "get OCKAM_RECVROUTE", call_get_route,
			{ OPT,	OPT,	OPT,	OPT,	OPT,	OPT,	OPT,	OPT,	OPT } },
	{ "set OCKAM_IDENTITY", call_set_identity,
			{ 0,	0,	IS,	IS,	IS,	IS,	IS,	IS,	IS } },
	{ "set OCKAM_AUTHORIZED", call_set_authorized,
			{ 0,	0,	IS,	IS,	IS,	IS,	IS,	IS,	IS } },
	{ "set OCKAM_REACH", call_set_reach,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	0 } },
	{ "set OCKAM_PEER", call_set_peer,
			{ OPT,	OPT,	OPT,	OPT,	OPT,	OPT,	OPT,	OPT,	OPT } },
	{ "SO_ERROR", call_so_error,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	GONE } },
	{ "SIOCINQ", call_siocinq,
			{ 0,	0,	0,	0,	0,	0,	0,	0,	0 } },
	/* Not an errno, but what is ready. */
	{ "poll", call_poll,
			{ POLLOUT | POLLHUP, POLLOUT | POLLHUP, 0, POLLOUT, 0, OVER,
			  POLLIN | POLLRDHUP | POLLOUT, POLLOUT, OVER | POLLERR } },
};

int main(void)
{
	unsigned int i;
	int state, fd, got;

	setbuf(stdout, NULL);
	alarm(150);
	seq_open(&pair, LH_FAMILIES);
	listener = seq_listener(pair.server, "chat", 8);
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		for (state = 0; state < STATES; state++) {
			fd = make(state);
			got = calls[i].call(fd);
			if (!ok(got == calls[i].want[state], "%s when %s", calls[i].name,
				state_names[state]))
				printf("# %d, not %d\n", got, calls[i].want[state]);
			unmake(fd);
		}
	}
	close(listener);
	seq_close(&pair);
	return tap_done();
}
