// SPDX-License-Identifier: Apache-2.0
/*
 * Fixed numbers of messages from one process to another, as many pairs of
 * processes as there are flows. Prints a line of JSON: for each phase how long it
 * took, how long processors were busy meanwhile, and what arrived.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

#define TRAFFIC_WINDOW_BYTES	(4 << 20)
#define TRAFFIC_WINDOW_MOST	512

static const char traffic_usage[] =
"traffic SYSTEM OPTIONS\n"
"  SYSTEM    ockam, udp, tcp, ktls\n"
"  -s SIZE   bytes of a message, at least 8 (64)\n"
"  -n N,...  messages of each flow, by phase (1000); the first one warms up\n"
"  -b N      messages of a system call (1), at most 64\n"
"  -q        requests and replies, one at a time\n"
"  -f N      flows (1)\n"
"  -r HOPS   AF_OCKAM: route of the next flow, without the receiver's name; the last\n"
"            one is the others' too\n"
"  -S PATH   network namespace of the senders\n"
"  -R PATH   and of the receivers\n"
"  -a ADDR   IP address of the receivers (127.0.0.1)\n"
"  -h N      TCP, kTLS: processes in between that forward bytes (0)\n"
"  -i N      AF_OCKAM: so many sockets more, with names, where the receivers are (0)\n"
"  -x SIZE   beside them one endless flow one way, of messages of that size, over the\n"
"            route given last\n"
"  -p        a receiver that is woken does not interrupt the sender\n"
"  -t SEC    without a datagram for so long, those that were sent are lost (10)\n"
"  -w N      messages on the way of each flow (what are 4 MB, at most 512, of all of them)\n";

struct traffic {
	struct traffic_flow	flows[TRAFFIC_FLOWS + 1];
	const char		*routes[TRAFFIC_FLOWS + 1];
	unsigned int		routes_count;
	unsigned int		flows_count;
	unsigned int		all_count;	/* with the endless one */
	uint64_t		phases[TRAFFIC_PHASES];
	unsigned int		phases_count;
	size_t			beside;
	bool			piles;
	unsigned int		idle;
	const char		*senders;
	const char		*receivers;
	pid_t			children[2 * (TRAFFIC_FLOWS + 1)];
	unsigned int		children_count;
	struct traffic_common	*common;
};

/* What the children wait for and say. */
struct traffic_common {
	_Atomic uint32_t	go;		/* futex: phases that have begun */
	_Atomic uint32_t	done;		/* futex: children that have ended a phase */
	struct traffic_shared	flows[TRAFFIC_FLOWS + 1];
};

void traffic_die(const char *fmt, ...)
{
	va_list args;

	fputs("traffic: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

int64_t traffic_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Nanoseconds that processors were idle; exact on one, which runs this. */
static int64_t traffic_idle(void)
{
	long long sum = 0, one;
	char line[256];
	FILE *f;

	f = fopen("/proc/timer_list", "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " .idle_sleeptime : %lld", &one) == 1)
			sum += one;
	}
	fclose(f);
	return sum;
}

static void traffic_enter(const char *path)
{
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		traffic_die("%s: %s", path, strerror(errno));
	close(fd);
}

static void traffic_set_patience(int fd, unsigned int seconds)
{
	struct timeval patience = { .tv_sec = seconds };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		traffic_die("SO_RCVTIMEO: %s", strerror(errno));
}

static void traffic_open(struct traffic *t, struct traffic_flow *f)
{
	traffic_enter(t->receivers);
	f->system->bind(f);
	traffic_enter(t->senders);
	f->system->connect(f);
	f->system->finish(f);
	if (f->system->stream)
		return;
	traffic_set_patience(f->in, f->patience);
	traffic_set_patience(f->out, f->patience);
}

/* ---- children ---- */

static void traffic_phase(struct traffic_flow *f, bool sender, unsigned int phase, uint64_t count)
{
	if (!f->ask && sender)
		traffic_send(f, phase, count);
	else if (!f->ask)
		traffic_receive(f, phase, count);
	else if (sender)
		traffic_request(f, phase, count);
	else
		traffic_reply(f, phase, count);
}

static void traffic_child(struct traffic *t, struct traffic_flow *f, bool sender)
{
	struct traffic_common *c = t->common;
	unsigned int phase;

	f->buffer = calloc(f->batch, f->size);
	if (!f->buffer)
		traffic_die("no memory");
	/* Its pages are there before they are counted. */
	memset(f->buffer, 1, f->batch * f->size);
	close(sender ? f->in : f->out);
	for (phase = 0; phase < t->phases_count; phase++) {
		atomic_fetch_add(&c->done, 1);
		syscall(SYS_futex, &c->done, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
		while (atomic_load(&c->go) <= phase)
			syscall(SYS_futex, &c->go, FUTEX_WAIT, phase, NULL, NULL, 0);
		traffic_phase(f, sender, phase, f->endless ? UINT32_MAX / 2 : t->phases[phase]);
	}
	atomic_fetch_add(&c->done, 1);
	syscall(SYS_futex, &c->done, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	/* The socket stays: the other one may not have finished. */
	for (;;)
		pause();
}

static void traffic_fork(struct traffic *t, struct traffic_flow *f, bool sender)
{
	const struct sched_param none = { 0 };
	pid_t pid = fork();

	if (pid < 0)
		traffic_die("fork: %s", strerror(errno));
	if (pid) {
		t->children[t->children_count++] = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Messages pile up in front of a process that preempts nobody. */
	if (t->piles && sched_setscheduler(0, SCHED_BATCH, &none))
		traffic_die("SCHED_BATCH: %s", strerror(errno));
	prctl(PR_SET_NAME, sender ? "bench-send" : "bench-receive");
	traffic_child(t, f, sender);
}

/* ---- parent ---- */

/* Until so many children have reported; one that has failed ends it all. */
static void traffic_wait(struct traffic *t, uint32_t wanted)
{
	struct timespec moment = { .tv_sec = 1 };
	uint32_t done;
	int status;

	while ((done = atomic_load(&t->common->done)) < wanted) {
		syscall(SYS_futex, &t->common->done, FUTEX_WAIT, done, &moment, NULL, 0);
		if (waitpid(-1, &status, WNOHANG) > 0 && status)
			traffic_die("a process of it failed");
	}
}

struct traffic_figure {
	double		seconds;
	double		busy;		/* below 0: unknown */
	uint64_t	received;
	uint64_t	beside;		/* messages of the endless flow */
};

/* All processes are ready; the endless flow goes on with every phase. */
static struct traffic_figure traffic_run_phase(struct traffic *t, unsigned int phase)
{
	const struct traffic_shared *endless = &t->common->flows[t->flows_count];
	struct traffic_figure figure = { 0 };
	uint32_t children = 2 * t->all_count;
	int64_t begin = INT64_MAX, end = 0, idle;
	unsigned int i;

	/* All are asleep before, or what they have to do would count. */
	usleep(2000);
	figure.beside = atomic_load(&endless->sent);
	idle = traffic_idle();
	atomic_fetch_add(&t->common->go, 1);
	syscall(SYS_futex, &t->common->go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	traffic_wait(t, children + (phase + 1) * 2 * t->flows_count);
	idle = idle < 0 ? idle : traffic_idle() - idle;
	figure.beside = atomic_load(&endless->sent) - figure.beside;
	for (i = 0; i < t->flows_count; i++) {
		const struct traffic_shared *s = &t->common->flows[i];

		begin = s->begin[phase] < begin ? s->begin[phase] : begin;
		end = s->end[phase] > end ? s->end[phase] : end;
		figure.received += s->received[phase];
	}
	figure.seconds = (double)(end - begin) / 1e9;
	figure.busy = idle < 0 ? -1 : (double)(end - begin - idle) / 1e9;
	return figure;
}

static void traffic_run(struct traffic *t)
{
	struct traffic_figure figure;
	unsigned int i;

	for (i = 0; i < t->all_count; i++) {
		traffic_fork(t, &t->flows[i], false);
		traffic_fork(t, &t->flows[i], true);
		close(t->flows[i].in);
		close(t->flows[i].out);
	}
	traffic_wait(t, 2 * t->all_count);
	printf("{\"system\": \"%s\", \"size\": %zu, \"batch\": %u, \"flows\": %u, \"hops\": %u, "
	       "\"ask\": %s, \"beside\": %zu, \"window\": %u, \"phases\": [",
	       t->flows[0].system->name, t->flows[0].size, t->flows[0].batch, t->flows_count,
	       t->flows[0].hops, t->flows[0].ask ? "true" : "false", t->beside,
	       t->flows[0].window);
	for (i = 0; i < t->phases_count; i++) {
		figure = traffic_run_phase(t, i);
		printf("%s{\"count\": %llu, \"received\": %llu, \"seconds\": %.9f, \"busy\": %.9f, "
		       "\"beside\": %llu}", i ? ", " : "",
		       (unsigned long long)t->phases[i] * t->flows_count,
		       (unsigned long long)figure.received, figure.seconds, figure.busy,
		       (unsigned long long)figure.beside);
	}
	printf("]");
	if (t->flows[0].ask)
		printf(", \"p50\": %.9f, \"p99\": %.9f", (double)t->common->flows[0].p50 / 1e9,
		       (double)t->common->flows[0].p99 / 1e9);
	printf("}\n");
	fflush(stdout);
	/* Forwarders die with this process. */
	for (i = 0; i < t->children_count; i++) {
		kill(t->children[i], SIGKILL);
		waitpid(t->children[i], NULL, 0);
	}
}

/* ---- command line ---- */

static const struct traffic_system *traffic_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < traffic_systems_count; i++) {
		if (!strcmp(traffic_systems[i].name, name))
			return &traffic_systems[i];
	}
	return NULL;
}

static void traffic_read_phases(struct traffic *t, char *text)
{
	char *word;

	t->phases_count = 0;
	for (word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		if (t->phases_count == TRAFFIC_PHASES)
			traffic_die("too many phases");
		t->phases[t->phases_count] = strtoull(word, NULL, 10);
		if (!t->phases[t->phases_count++])
			traffic_die("a phase of no messages");
	}
}

/* One option of the command line; flow 0 is the others' pattern. False: there is none. */
static bool traffic_option(struct traffic *t, int option)
{
	struct traffic_flow *f = &t->flows[0];

	switch (option) {
	case 's':
		f->size = strtoul(optarg, NULL, 10);
		return true;
	case 'n':
		traffic_read_phases(t, optarg);
		return true;
	case 'b':
		f->batch = (unsigned int)atoi(optarg);
		return true;
	case 'q':
		f->ask = true;
		return true;
	case 'f':
		t->flows_count = (unsigned int)atoi(optarg);
		return true;
	case 'r':
		if (t->routes_count > TRAFFIC_FLOWS)
			traffic_die("too many routes");
		t->routes[t->routes_count++] = optarg;
		return true;
	case 'S':
		t->senders = optarg;
		return true;
	case 'R':
		t->receivers = optarg;
		return true;
	case 'a':
		f->address = optarg;
		return true;
	case 'h':
		f->hops = (unsigned int)atoi(optarg);
		return true;
	case 'x':
		t->beside = strtoul(optarg, NULL, 10);
		return true;
	case 'i':
		t->idle = (unsigned int)atoi(optarg);
		return true;
	case 'p':
		t->piles = true;
		return true;
	case 't':
		f->patience = (unsigned int)atoi(optarg);
		return true;
	case 'w':
		f->window = (unsigned int)atoi(optarg);
		return true;
	}
	return false;
}

static unsigned int traffic_window(const struct traffic *t, size_t size, unsigned int wanted,
				   unsigned int batch)
{
	size_t window = TRAFFIC_WINDOW_BYTES / size;

	if (window > TRAFFIC_WINDOW_MOST)
		window = TRAFFIC_WINDOW_MOST;
	window = wanted ? wanted : window / t->flows_count;
	if (window < 2 * batch)
		window = 2 * batch;
	return (unsigned int)window;
}

static void traffic_prepare(struct traffic *t)
{
	struct traffic_flow *first = &t->flows[0], *f;
	unsigned int i, wanted = first->window;

	t->all_count = t->flows_count + (t->beside > 0);
	traffic_enter(t->receivers);
	traffic_bind_idle(t->idle);
	t->common = mmap(NULL, sizeof(*t->common), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->common == MAP_FAILED)
		traffic_die("no memory");
	for (i = 0; i < t->all_count; i++) {
		f = &t->flows[i];
		*f = *first;
		f->number = i;
		if (i == t->flows_count) {
			f->size = t->beside;
			f->batch = 1;
			f->ask = false;
			f->endless = true;
		}
		f->window = traffic_window(t, f->size, wanted, f->batch);
		f->shared = &t->common->flows[i];
		if (t->routes_count)
			f->route = t->routes[i < t->routes_count ? i : t->routes_count - 1];
		traffic_open(t, f);
	}
}

int main(int argc, char **argv)
{
	static struct traffic t = {
		.flows_count = 1,
		.phases = { 1000 },
		.phases_count = 1,
		.flows[0] = { .size = 64, .batch = 1, .patience = 10, .address = "127.0.0.1" },
	};
	bool good = true;
	int option;

	while (good && (option = getopt(argc, argv, "s:n:b:qf:r:S:R:a:h:i:x:w:pt:")) != -1)
		good = traffic_option(&t, option);
	t.flows[0].system = good && optind == argc - 1 ? traffic_find(argv[optind]) : NULL;
	if (!t.flows[0].system || t.flows[0].size < 8 || !t.flows[0].batch || !t.phases_count ||
	    t.flows[0].batch > TRAFFIC_BATCH || !t.flows_count || t.flows_count > TRAFFIC_FLOWS ||
	    (t.beside && t.beside < 8)) {
		fputs(traffic_usage, stderr);
		return 2;
	}
	traffic_prepare(&t);
	traffic_run(&t);
	return 0;
}
