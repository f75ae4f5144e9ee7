// SPDX-License-Identifier: Apache-2.0
/*
 * What handshakes cost from end to end: channels that a node makes one after the
 * other, over one connection, as its control socket is asked for them. They stay.
 *
 *   channels KIND NODE HOST:PORT LISTENER COUNT [PREFIX | CREDENTIAL]
 *
 * KIND known: by the node's identity; new: by the identities PREFIX0, PREFIX1 ...,
 * each once; credential: by the node's identity, which presents CREDENTIAL, in
 * hex. Prints a line of JSON: seconds that passed, and that the machine's
 * processors were busy.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "client.h"

#define BENCH_TIMEOUT_MS	120000
#define BENCH_REQUEST		8192

struct bench {
	struct ockam_control	*control;
	const char		*kind;
	const char		*listener;
	const char		*extra;		/* prefix of identities, credential, or NULL */
	char			link[256];
};

/* Seconds that passed, and that processors were not idle. */
struct bench_clocks {
	double	wall;
	double	busy;
};

static void bench_die(const char *what, const char *why)
{
	fprintf(stderr, "channels: %s: %s\n", what, why);
	exit(1);
}

static struct bench_clocks bench_read(void)
{
	struct bench_clocks clocks;
	struct timespec now;
	double up, idle;
	FILE *f;

	f = fopen("/proc/uptime", "r");
	if (!f || fscanf(f, "%lf %lf", &up, &idle) != 2)
		bench_die("/proc/uptime", "cannot be read");
	fclose(f);
	clock_gettime(CLOCK_MONOTONIC, &now);
	clocks.wall = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	clocks.busy = up * (double)sysconf(_SC_NPROCESSORS_ONLN) - idle;
	return clocks;
}

static struct json_object *bench_ask(struct bench *bench, const char *op, const char *args)
{
	struct json_object *result;
	struct ockam_err err;
	char *text = NULL;

	if (ockam_control_ask(bench->control, op, args, BENCH_TIMEOUT_MS, &text, &err))
		bench_die(op, err.text);
	result = json_tokener_parse(text);
	free(text);
	if (!result)
		bench_die(op, "the answer is no JSON");
	return result;
}

static void bench_connect(struct bench *bench, const char *to)
{
	char request[BENCH_REQUEST];
	struct json_object *result, *address;

	snprintf(request, sizeof(request), "{\"to\": \"%s\", \"timeout_ms\": %d}", to,
		 BENCH_TIMEOUT_MS);
	result = bench_ask(bench, "tcp-connection.create", request);
	if (!json_object_object_get_ex(result, "address", &address))
		bench_die("tcp-connection.create", "no address in the answer");
	snprintf(bench->link, sizeof(bench->link), "%s", json_object_get_string(address));
	json_object_put(result);
}

/* Channel number @n. */
static void bench_handshake(struct bench *bench, int n)
{
	char request[BENCH_REQUEST], more[BENCH_REQUEST / 2] = "";
	struct json_object *result, *confirmed;

	if (!strcmp(bench->kind, "new") && n >= 0)
		snprintf(more, sizeof(more), ", \"identity\": \"%s%d\"", bench->extra, n);
	if (!strcmp(bench->kind, "credential"))
		snprintf(more, sizeof(more), ", \"credential\": \"%s\"", bench->extra);
	snprintf(request, sizeof(request),
		 "{\"route\": \"/service/%s/service/%s\", \"timeout_ms\": %d%s}", bench->link,
		 bench->listener, BENCH_TIMEOUT_MS, more);
	result = bench_ask(bench, "secure-channel.create", request);
	if (json_object_object_get_ex(result, "confirmed", &confirmed) &&
	    !json_object_get_boolean(confirmed))
		bench_die("secure-channel.create", "the responder has not finished");
	json_object_put(result);
}

int main(int argc, char **argv)
{
	struct bench bench = { };
	struct bench_clocks from, to;
	struct ockam_err err;
	int count, n;

	if (argc != (argc > 1 && (!strcmp(argv[1], "known") || !strcmp(argv[1], "link")) ? 6 : 7))
		bench_die("usage",
			  "channels KIND NODE HOST:PORT LISTENER COUNT [PREFIX|CREDENTIAL]; KIND: known, new, credential, link");
	bench.kind = argv[1];
	bench.listener = argv[4];
	bench.extra = argv[6];
	count = atoi(argv[5]);
	if (count < 1)
		bench_die("COUNT", "at least 1");
	if (bench.extra && strlen(bench.extra) > BENCH_REQUEST / 2 - 64)
		bench_die(bench.kind, "too long");
	if (ockam_control_open(NULL, argv[2], &bench.control, &err))
		bench_die(argv[2], err.text);
	bench_connect(&bench, argv[3]);
	/* The node's own identity: who is known is known from here on. */
	bench_handshake(&bench, -1);
	from = bench_read();
	for (n = 0; n < count; n++) {
		if (!strcmp(bench.kind, "link"))
			bench_connect(&bench, argv[3]);
		else
			bench_handshake(&bench, n);
	}
	to = bench_read();
	printf("{\"system\": \"kernel\", \"kind\": \"%s\", \"count\": %d, \"seconds\": %.6f, \"busy\": %.2f}\n",
	       bench.kind, count, to.wall - from.wall, to.busy - from.busy);
	ockam_control_close(bench.control);
	return 0;
}
