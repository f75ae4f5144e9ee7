// SPDX-License-Identifier: Apache-2.0
/*
 * The same with libockam: asks a node for its services, sends a text along a
 * route of any length, prints the reply.
 *
 *	library NODE TEXT ROUTE		library n1 hello "CHANNEL => echo"
 *
 * Runs in the network namespace of the node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <ockam/ockam.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct ockam_err *err)
{
	fprintf(stderr, "%s\n", err->text);
	return 1;
}

static int list_services(const char *node)
{
	struct ockam_control *control;
	struct ockam_err err;
	char *json;
	int ret;

	if (ockam_control_open(NULL, node, &control, &err))
		return fail(&err);
	ret = ockam_control_ask(control, "node.info", NULL, 10000, &json, &err);
	ockam_control_close(control);
	if (ret)
		return fail(&err);
	printf("%s\n", strstr(json, "\"echo\"") ? "has echo" : "has no echo");
	free(json);
	return 0;
}

static int send_text(const char *text, const char *to)
{
	static char route_text[OCKAM_ROUTE_TEXT];
	struct ockam_route route, back;
	struct ockam_err err;
	struct pollfd wait = { .events = POLLIN };
	struct ockam_peer peer;
	char reply[65536];
	ssize_t len;
	int ret;

	if (ockam_route_parse(&route, to, &err))
		return fail(&err);
	wait.fd = ockam_socket_open(NULL, 0, &err);
	if (wait.fd < 0)
		return fail(&err);
	ret = ockam_socket_send(wait.fd, &route, text, strlen(text));
	if (ret) {
		fprintf(stderr, "%s\n", strerror(-ret));
		close(wait.fd);
		return 1;
	}
	poll(&wait, 1, 10000);
	len = ockam_socket_receive(wait.fd, &back, &peer, reply, sizeof(reply));
	close(wait.fd);
	if (len < 0) {
		fprintf(stderr, "no answer: %s\n", strerror((int)-len));
		return 1;
	}
	ockam_route_format(&back, route_text);
	printf("%.*s\nfrom %s%s\n", (int)len, reply, route_text,
	       peer.present ? ", authenticated" : "");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: %s NODE TEXT ROUTE\n", argv[0]);
		return 2;
	}
	return list_services(argv[1]) || send_text(argv[2], argv[3]);
}
