// SPDX-License-Identifier: Apache-2.0
/*
 * Abuse of a node's control socket: garbage, floods, slow and vanishing
 * clients. After each the node must serve others as if nothing had happened.
 *
 * where: uml
 * long: vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hex.h"
#include "identity.h"
#include "node_control.h"

#define CLIENTS	180	/* more than a node serves at once, fewer than may wait too */
#define MUTATIONS	3000
#define AUTHORITIES	64	/* that the rules of a node may name */
#define LINKS	1100	/* more than one answer holds */

/* Length of the answer within @ms, 0 for a closed connection, -1 for silence. */
static ssize_t raw_answer(int fd, void *buf, size_t size, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return -1;
	n = recv(fd, buf, size, 0);
	return n < 0 ? 0 : n;
}

static void test_garbage(void)
{
	static uint8_t big[OCKAM_CONTROL_MAX + 1];
	struct ockam_buf request = { 0 };
	uint8_t answer[4096];
	int fd;

	fd = raw_connect();
	send(fd, "\xff\xff\xff", 3, 0);
	ok(!raw_answer(fd, answer, sizeof(answer), 10000), "garbage ends the connection");
	close(fd);
	fd = raw_connect();
	send(fd, "", 0, 0);
	ok(!raw_answer(fd, answer, sizeof(answer), 10000), "an empty packet ends it");
	close(fd);
	fd = raw_connect();
	ok(send(fd, big, sizeof(big), 0) == sizeof(big) &&
	   !raw_answer(fd, answer, sizeof(answer), 10000), "a packet above the limit ends it");
	close(fd);

	fd = raw_connect();
	raw_request("{\"v\":9,\"id\":3,\"op\":\"node.info\",\"args\":{}}", &request);
	send(fd, request.data, request.len, 0);
	ok(raw_answer(fd, answer, sizeof(answer), 10000) > 0, "another version gets an answer");
	ockam_buf_free(&request);
	raw_request("{\"v\":1,\"id\":4,\"op\":\"no.such.thing\",\"args\":{}}", &request);
	send(fd, request.data, request.len, 0);
	ok(raw_answer(fd, answer, sizeof(answer), 10000) > 0, "and so does an unknown operation");
	ockam_buf_free(&request);
	close(fd);
	ok(serves(), "the node serves others");
}

/* Every operation with arguments of every wrong type. */
static void test_arguments(void)
{
	static const char * const ops[] = {
		"tcp-connection.create", "tcp-connection.bridge", "tcp-connection.delete",
		"tcp-listener.create", "tcp-listener.delete", "secure-channel.create",
		"secure-channel.delete", "secure-channel-listener.create",
		"secure-channel-listener.delete", "message.send",
	};
	static const char * const args[] = {
		"{}", "{\"to\":7,\"address\":7,\"route\":7,\"payload\":7,\"inbound\":7,\"listener\":7}",
		"{\"to\":\"\",\"address\":\"\",\"route\":[],\"payload\":\"\",\"inbound\":\"\"}",
		"{\"to\":\"x\",\"address\":\"\",\"route\":[null],\"payload\":\"0\"}",
		"{\"to\":\"a:99999\",\"address\":null,\"route\":[\"\"],\"payload\":\"zz\"}",
		"{\"route\":\"/service/echo\",\"payload\":null,\"authorized\":[\"I0\"]}",
		"{\"address\":\"no\",\"authorized\":[7],\"identity\":\"no such one\",\"route\":\"/service/a\"}",
		"{\"address\":\"\",\"payload\":\"00\",\"route\":\"\"}",
		"{\"address\":\"\",\"payload\":\"00\",\"route\":\"/node/nobody/secure/api/tcp/1\"}",
	};
	unsigned int i, j, answered = 0, refused = 0;
	struct ockam_control *control;
	struct json_object *value;
	struct ockam_err err;
	int before = addresses();
	int ret;

	if (ockam_control_connect(path, &control, &err)) {
		ok(false, "connect: %s", err.text);
		return;
	}
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (j = 0; j < sizeof(args) / sizeof(args[0]); j++) {
			value = json_tokener_parse(args[j]);
			ret = ockam_control_call(control, ops[i], value, 20000, NULL, &err);
			answered += ret != -ECONNRESET && ret != -EBADMSG;
			refused += !!ret;
			if (!ret)
				printf("# accepted: %s %s\n", ops[i], args[j]);
			json_object_put(value);
		}
	}
	ok(answered == i * j, "every request gets an answer");
	ok(refused == i * j, "and it is a refusal");
	ockam_control_close(control);
	ok(addresses_become(before), "nothing was made");
}

static void test_mutations(void)
{
	struct ockam_buf request = { 0 };
	uint8_t answer[4096];
	uint8_t *copy;
	int i, fd = -1;

	srand(1);
	raw_request("{\"v\":1,\"id\":4,\"op\":\"message.send\",\"args\":{\"route\":\"/service/nobody/service/x\","
		    "\"payload\":\"00ff\",\"timeout_ms\":1,\"identity\":\"a\"}}", &request);
	copy = malloc(request.len);
	for (i = 0; i < MUTATIONS; i++) {
		if (fd < 0)
			fd = raw_connect();
		memcpy(copy, request.data, request.len);
		copy[(size_t)rand() % request.len] = (uint8_t)rand();
		copy[(size_t)rand() % request.len] ^= (uint8_t)(1 << rand() % 8);
		if (send(fd, copy, request.len, MSG_NOSIGNAL) < 0 ||
		    !raw_answer(fd, answer, sizeof(answer), i % 16 ? 0 : 20)) {
			close(fd);
			fd = -1;
		}
	}
	close(fd);
	free(copy);
	ockam_buf_free(&request);
	ok(serves(), "%d damaged requests do no harm", MUTATIONS);
}

static void test_crowd(void)
{
	struct ockam_buf request = { 0 };
	unsigned int answered = 0;
	uint8_t answer[65536];
	int fds[CLIENTS];
	int i;

	raw_request("{\"v\":1,\"id\":4,\"op\":\"node.info\",\"args\":{}}", &request);
	for (i = 0; i < CLIENTS; i++) {
		fds[i] = raw_connect();
		if (fds[i] >= 0)
			send(fds[i], request.data, request.len, MSG_NOSIGNAL);
	}
	/* Those that wait are served as others leave. */
	for (i = 0; i < CLIENTS; i++) {
		if (fds[i] >= 0 && raw_answer(fds[i], answer, sizeof(answer), 10000) > 0)
			answered++;
		close(fds[i]);
	}
	ok(answered >= 128, "%u of %d clients at once were served", answered, CLIENTS);
	ok(serves(), "and one more afterwards");
	ockam_buf_free(&request);
}

static void test_slow(void)
{
	struct ockam_buf request = { 0 };
	struct pollfd p;
	bool closed = false;
	time_t end;
	int fd;

	raw_request("{\"v\":1,\"id\":4,\"op\":\"node.info\",\"args\":{}}", &request);
	fd = raw_connect();
	end = time(NULL) + 60;
	while (!closed && time(NULL) < end) {
		if (send(fd, request.data, request.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			continue;
		if (errno != EAGAIN) {
			closed = true;
			break;
		}
		p = (struct pollfd){ .fd = fd, .events = POLLOUT };
		poll(&p, 1, 100);
		closed = p.revents & POLLHUP;
	}
	ok(closed, "a client that never reads is closed");
	ok(serves(), "the others are served");
	close(fd);
	ockam_buf_free(&request);
}

/* Clients that leave before their answer take everything of theirs along. */
/* Each has two sockets: for the reply, and to be told when the way ends. */
static void test_vanish(void)
{
	struct ockam_buf request = { 0 };
	int before = addresses();
	bool grew;
	int i, fd;

	raw_request("{\"v\":1,\"id\":4,\"op\":\"message.send\",\"args\":{\"route\":\"/service/uppercase\","
		    "\"payload\":\"05\",\"timeout_ms\":600000}}", &request);
	fd = raw_connect();
	for (i = 0; i < 20; i++)
		send(fd, request.data, request.len, MSG_NOSIGNAL);
	grew = addresses_become(before + 2 * 20);
	close(fd);
	ok(grew && addresses_become(before), "messages that wait for a reply end with their client");
	ockam_buf_free(&request);

	fd = raw_connect();
	for (i = 0; i < 100; i++) {
		raw_request("{\"v\":1,\"id\":4,\"op\":\"message.send\",\"args\":{\"route\":\"/service/uppercase\","
			    "\"payload\":\"05\",\"timeout_ms\":600000}}", &request);
		send(fd, request.data, request.len, MSG_NOSIGNAL);
		ockam_buf_free(&request);
	}
	ok(addresses_become(before + 2 * 64), "one client has at most 64 of them");
	close(fd);
	ok(addresses_become(before), "and none afterwards");
}

static void test_links(void)
{
	struct json_object *args = json_object_new_object();
	struct ockam_control *control;
	struct json_object *list = NULL;
	struct ockam_err err;
	int before;

	serves();
	before = addresses();
	ockam_value_put_text(args, "to", listener);
	ockam_control_connect(path, &control, &err);
	ok_ret(ockam_control_call(control, "tcp-connection.create", args, 10000, NULL, &err), 0,
	       err, "the node connects to itself");
	ockam_control_close(control);
	ok(addresses_become(before + 2), "which makes two links that stay without their client");
	ockam_control_connect(path, &control, &err);
	ockam_control_call(control, "tcp-connection.list", NULL, 10000, &list, &err);
	ok(list && json_object_array_length(list) == 2, "they are listed");
	json_object_object_del(args, "to");
	ockam_value_put_text(args, "address",
			     ockam_value_text(json_object_array_get_idx(list, 0), "address"));
	ok_ret(ockam_control_call(control, "tcp-connection.delete", args, 10000, NULL, &err), 0,
	       err, "one is deleted");
	ok(addresses_become(before), "with its other end");
	json_object_put(list);
	json_object_put(args);
	ockam_control_close(control);
}

static void test_bridge(void)
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
	ok_ret(ockam_control_call(control, "tcp-connection.bridge", args, 20000, NULL, &err),
	       -EINVAL, err, "a bridge needs both ends of the connection it goes on from");
	ockam_value_put_text(args, "listener", "127.0.0.1:1");
	ok_ret(ockam_control_call(control, "tcp-connection.bridge", args, 20000, NULL, &err),
	       -ENOENT, err, "one from the same port to another listener is not taken for it");
	ockam_value_put_text(args, "listener", listener);
	ok_ret(ockam_control_call(control, "tcp-connection.bridge", args, 20000, NULL, &err), 0,
	       err, "the connection itself is");
	ok(addresses_become(before + 3), "it, the way on, and what that reaches");
	close(fd);
	ok(addresses_become(before), "all go with it");
	ockam_control_close(control);
	json_object_put(args);
}

/* The number that a command prints. */
static int printed(const char *command)
{
	char line[512];
	int n = -1;
	FILE *f;

	snprintf(line, sizeof(line), "OCKAM_HOME=%s %s", home_dir, command);
	f = popen(line, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	pclose(f);
	return n;
}

/* Whoever reaches the listener decides how many connections there are to be listed. */
static void test_many_links(void)
{
	struct rlimit files = { LINKS + 64, LINKS + 64 };
	int before, i, fds[LINKS];
	char from[64];

	setrlimit(RLIMIT_NOFILE, &files);
	serves();
	before = addresses();
	for (i = 0; i < LINKS; i++)
		fds[i] = dial_listener(from);
	ok(addresses_become(before + LINKS), "%d connections", LINKS);
	ok(printed("ockamctl node show abuse --jq '.transports | length'") == 1001 &&
	   printed("ockamctl node show abuse --jq .connections_left_out") == LINKS - 1000,
	   "the node shows 1000 and says how many more there are");
	ok(printed("ockamctl node show abuse --jq '.services | length'") == 2,
	   "and everything else");
	ok(printed("ockamctl tcp-connection list --at abuse | grep -c Incoming") == LINKS,
	   "all are listed");
	ok(printed("ockamctl worker list --at abuse | sort -u | wc -l") == LINKS + 4,
	   "among the workers as well");
	ok(!printed("ockamctl tcp-connection list --at abuse | sort | uniq -d | grep -c ."),
	   "each once");
	for (i = 0; i < LINKS; i++)
		close(fds[i]);
	ok(addresses_become(before), "and none is left");
}

/* Make or delete listener number @n, which wants credentials of authority number @n. */
static int listener_op(struct ockam_control *control, const char *op, int n,
		       struct ockam_err *err)
{
	struct json_object *args = json_object_new_object();
	struct ockam_identity *identity = NULL;
	uint8_t seed[32] = { 1, (uint8_t)n };
	char address[16];
	int ret;

	snprintf(address, sizeof(address), "listener%d", n);
	ockam_value_put_text(args, "address", address);
	ockam_identity_create(OCKAM_KEY_ED25519, seed, 1000, &identity, NULL);
	ockam_value_put_hex(args, "authority", identity->history, identity->history_len);
	ret = ockam_control_call(control, op, args, 20000, NULL, err);
	ockam_identity_free(identity);
	json_object_put(args);
	return ret;
}

static void test_authorities(void)
{
	static const char create[] = "secure-channel-listener.create";
	static const char remove[] = "secure-channel-listener.delete";
	struct ockam_control *control;
	struct ockam_err err;
	int i, made = 0;

	if (!ok(!ockam_control_connect(path, &control, &err), "a client"))
		return;
	for (i = 0; i < AUTHORITIES; i++)
		made += !listener_op(control, create, i, &err);
	ok(made == AUTHORITIES, "%d listeners with an authority each", AUTHORITIES);
	ok(listener_op(control, create, AUTHORITIES, &err) && strstr(err.text, "64 authorities"),
	   "one more is refused: %s", err.text);
	ok(!listener_op(control, remove, 7, &err) &&
	   !listener_op(control, create, AUTHORITIES, &err), "it takes the place of another");
	ok(listener_op(control, create, 7, &err), "which is gone");
	for (i = 0; i <= AUTHORITIES; i++)
		if (i != 7)
			made -= !listener_op(control, remove, i, &err);
	ok(!made, "all are deleted");
	ok(serves(), "the node goes on");
	ockam_control_close(control);
}

/* Rules that together are longer than an answer may be. */
static void test_long_lists(void)
{
	enum { LISTENERS = 60, IDENTIFIERS = 256 };
	struct json_object *args, *list;
	struct ockam_control *control;
	char text[2 * 32 + 2];
	struct ockam_err err;
	int i, j, made = 0;

	if (!ok(!ockam_control_connect(path, &control, &err), "a client"))
		return;
	for (i = 0; i < LISTENERS; i++) {
		args = json_object_new_object();
		list = json_object_new_array();
		for (j = 0; j < IDENTIFIERS; j++) {
			snprintf(text, sizeof(text), "I%064x", i * IDENTIFIERS + j + 1);
			json_object_array_add(list, json_object_new_string(text));
		}
		snprintf(text, sizeof(text), "long%d", i);
		ockam_value_put_text(args, "address", text);
		ockam_value_put(args, "authorized", list);
		made += !ockam_control_call(control, "secure-channel-listener.create", args,
					    20000, NULL, &err);
		json_object_put(args);
	}
	ok(made == LISTENERS, "%d listeners that admit %d each", LISTENERS, IDENTIFIERS);
	ok(printed("ockamctl secure-channel-listener list --at abuse --output json |"
		   " grep -c /service/long") ==
	   LISTENERS, "are listed");
	ok(printed("ockamctl node show abuse --jq '.services | length'") == 2,
	   "and the node is shown");
	for (i = 0; i < LISTENERS; i++) {
		args = json_object_new_object();
		snprintf(text, sizeof(text), "long%d", i);
		ockam_value_put_text(args, "address", text);
		made -= !ockam_control_call(control, "secure-channel-listener.delete", args,
					    20000, NULL, &err);
		json_object_put(args);
	}
	ok(!made, "all are deleted");
	ockam_control_close(control);
}

static void test_stranger(void)
{
	int status = -1;
	pid_t child;

	child = fork();
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		_exit(raw_connect() < 0 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "another user does not get in");
}

int main(void)
{
	int status = -1;

	if (!ok(start_node(), "a node starts"))
		return 1;
	ok(serves(), "and serves");
	test_garbage();
	test_arguments();
	test_mutations();
	test_crowd();
	test_slow();
	test_vanish();
	test_links();
	test_bridge();
	test_many_links();
	test_authorities();
	test_long_lists();
	test_stranger();
	kill(node, SIGTERM);
	waitpid(node, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "the node ends as asked");
	ok(access(path, F_OK), "and takes its control socket along");
	return tap_done();
}
