// SPDX-License-Identifier: Apache-2.0
/*
 * What a node makes for the routes of requests: it ends with whoever asked and by the
 * deadline, and nobody gets more of another node than he may have himself.
 *
 * where: uml
 * long: vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "node_control.h"

/* "/ip4/127.0.0.1/tcp/<port>" of the node itself. */
static const char *itself(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "/ip4/127.0.0.1/tcp/%s", strrchr(listener, ':') + 1);
	return text;
}

/* The same of a socket that listens. */
static const char *silent(int fd)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	static char text[64];

	getsockname(fd, (struct sockaddr *)&addr, &len);
	snprintf(text, sizeof(text), "/ip4/127.0.0.1/tcp/%u", ntohs(addr.sin_port));
	return text;
}

/* What @op answers to a route that ends with @rest, within @ms. */
static int go(struct ockam_control *control, const char *op, const char *first, const char *rest,
	      int ms, struct ockam_err *err)
{
	struct json_object *args = json_object_new_object();
	char route[256];
	int ret;

	snprintf(route, sizeof(route), "%s%s", first, rest);
	ockam_value_put_text(args, "route", route);
	ockam_value_put_text(args, "payload", "05");
	ockam_value_put_int(args, "timeout_ms", ms);
	ret = ockam_control_call(control, op, args, 60000, NULL, err);
	json_object_put(args);
	return ret;
}

/* What was made for a route ends with whoever asked, wherever the node is in it. */
static void test_routes(void)
{
	static const struct {
		const char	*rest;
		int		made;	/* addresses, but for those that live shorter */
	} half[] = {
		/* links and sockets; a link, its pair and what that reaches; a channel, too */
		{ "/service/nobody", 2 + 2 },
		{ "/node/abuse/service/nobody", 4 + 2 },
		{ "/secure/api/service/nobody", 2 + 4 + 2 },
		{ "/secure/api/secure/api/service/nobody", 2 + 8 + 2 },
	};
	struct ockam_buf request = { 0 };
	struct ockam_control *control;
	struct ockam_err err;
	char text[512];
	int before, client, fd;
	size_t i;

	serves();
	before = addresses();
	for (i = 0; i < sizeof(half) / sizeof(half[0]); i++) {
		snprintf(text, sizeof(text),
			 "{\"v\":1,\"id\":4,\"op\":\"message.send\",\"args\":{\"route\":\"%s%s\",\"payload\":\"05\",\"timeout_ms\":600000}}",
			 itself(), half[i].rest);
		raw_request(text, &request);
		fd = raw_connect();
		send(fd, request.data, request.len, 0);
		ockam_buf_free(&request);
		ok(addresses_become(before + half[i].made), "%s: made for a request",
		   half[i].rest);
		close(fd);
		ok(addresses_become(before), "and gone with its client");
	}
	ockam_control_connect(path, &control, &err);
	for (i = 0; i < sizeof(half) / sizeof(half[0]); i++)
		ok(go(control, "message.send", itself(), half[i].rest, 1500, &err) == -ETIMEDOUT &&
		   addresses_become(before), "and by its deadline: %s", err.text);
	/* Who listens there never answers. */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listen(fd, 8);
	ok(go(control, "secure-channel.create", silent(fd), "/secure/api/secure/api/service/api",
	      700, &err) == -ETIMEDOUT, "a step that does not end has the deadline of all: %s",
	   err.text);
	ok(addresses_become(before), "and leaves nothing");
	/* The connection and the handshake over it are under way. */
	snprintf(text, sizeof(text),
		 "{\"v\":1,\"id\":4,\"op\":\"secure-channel.create\",\"args\":{\"route\":\"%s/secure/api/service/api\",\"timeout_ms\":60000}}",
		 silent(fd));
	raw_request(text, &request);
	client = raw_connect();
	send(client, request.data, request.len, 0);
	ockam_buf_free(&request);
	ok(addresses_become(before + 2), "a route is half made");
	close(client);
	ok(addresses_become(before), "and nothing of it stays when its client goes");
	close(fd);
	ockam_control_close(control);
	ok(serves(), "the node serves others");
}

/* A node that asks for somebody has no more rights here than that one has. */
static void test_behind(void)
{
	struct json_object *args = json_object_new_object();
	struct ockam_control *control;
	struct ockam_err err;
	char from[64];
	int before, fd;

	serves();
	before = addresses();
	fd = dial_listener(from);
	ockam_control_connect(path, &control, &err);
	ockam_value_put_text(args, "to", listener);
	ockam_value_put_text(args, "inbound", from);
	ockam_value_put_text(args, "listener", listener);
	ockam_value_put_int(args, "user", 65534);
	ok_ret(ockam_control_call(control, "tcp-connection.bridge", args, 20000, NULL, &err),
	       -EACCES, err, "for a user who may not use the node it does nothing");
	ockam_value_put_int(args, "user", 1LL << 32);
	ok_ret(ockam_control_call(control, "tcp-connection.bridge", args, 20000, NULL, &err),
	       -EACCES, err, "nor for a number that is no user's");
	ok(addresses_become(before + 1), "nothing was dialled");
	ockam_value_put_int(args, "user", (int)getuid());
	ok_ret(ockam_control_call(control, "tcp-connection.bridge", args, 20000, NULL, &err), 0,
	       err, "for one who may it does");
	close(fd);
	ok(addresses_become(before), "until the connection ends");
	ockam_control_close(control);
	json_object_put(args);
}

int main(void)
{
	int status = -1;

	if (!ok(start_node(), "a node starts"))
		return 1;
	test_routes();
	test_behind();
	kill(node, SIGTERM);
	waitpid(node, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "the node ends as asked");
	return tap_done();
}
