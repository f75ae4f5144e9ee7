/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault injection: an operation is tried with its first allocation failing,
 * then with its second, and so on until it succeeds because it has fewer. Also
 * copies from and to user space fail. After each attempt the node must have
 * what it had before.
 *
 * Include it once in a program, behind exchange.h. It needs a kernel with
 * fail-nth and the files of the fault attributes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_SYSTEM_FAULT_H
#define OCKAM_SYSTEM_FAULT_H

#include <fcntl.h>

#include "exchange.h"

#define FAULT_LIMIT	400	/* allocations of one operation, far more than any has */
#define FAULT_LOST	(-EREMOTEIO)	/* the kernel could not even say how it ended */

struct fault_op {
	const char	*name;
	void		(*before)(void);
	int		(*run)(void);	/* armed: 0, -errno or FAULT_LOST */
	/* Undo whatever has come of it; false when that is not what @ret says. */
	bool		(*after)(int ret);
};

/* What must be the same before and after. */
struct fault_state {
	int		addresses;
	int		links;
	int		channels;
	int		listeners;
	int		sockets;
	long long	pending;	/* handshakes */
};

static int fault_fd = -1;

static void fault_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		printf("Bail out! cannot write %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
}

/* Fail also what may sleep, and say nothing about it. */
static void fault_init(void)
{
	static const char debug[] = "/sys/kernel/debug/";
	static const char *const files[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s%s", debug, files[i][0]);
		fault_write(path, files[i][1]);
	}
	fault_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fault_fd < 0) {
		printf("Bail out! no fail-nth: %s\n", strerror(errno));
		exit(1);
	}
}

static void fault_arm(unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	if (pwrite(fault_fd, text, strlen(text), 0) < 0) {
		printf("Bail out! cannot arm fail-nth: %s\n", strerror(errno));
		exit(1);
	}
}

/* True when something failed since it was armed. */
static bool fault_disarm(void)
{
	char text[16] = "";
	ssize_t len;

	/* To read it copies to user space, which may be the one that fails. */
	len = pread(fault_fd, text, sizeof(text) - 1, 0);
	while (pwrite(fault_fd, "0", 1, 0) < 0)
		;
	return len > 0 && atoi(text) == 0;
}

/* Whose acknowledgement is to be looked for after the attempt. */
static struct nlh *fault_asked;

/* For run(): send, and leave the rest to fault_outcome(). */
static int fault_request(struct nlh *h, struct nlh_msg *m)
{
	int err = nlh_send(h, m);

	fault_asked = err ? NULL : h;
	return err;
}

/* The acknowledgement of the last request of @h; events are dropped. */
static int fault_outcome(struct nlh *h)
{
	static uint8_t buf[NLH_BUF];
	struct nlmsghdr *hdr;
	ssize_t got;

	for (;;) {
		got = recv(h->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS)
			continue;
		if (got < 0)
			return FAULT_LOST;
		for (hdr = (struct nlmsghdr *)buf; NLMSG_OK(hdr, (size_t)got);
		     hdr = NLMSG_NEXT(hdr, got)) {
			if (hdr->nlmsg_seq == h->seq &&
			    (hdr->nlmsg_type == NLMSG_ERROR || hdr->nlmsg_type == NLMSG_DONE))
				return ((struct nlmsgerr *)NLMSG_DATA(hdr))->error;
		}
	}
}

static int fault_count(uint8_t cmd)
{
	static struct nlh_msg m;

	nlh_begin(&m, cmd);
	return nlh_dump(&node, &m, NULL, NULL);
}

static struct fault_state fault_look(void)
{
	return (struct fault_state){
		.addresses = fault_count(OCKAM_CMD_ADDRESS_GET),
		.links = fault_count(OCKAM_CMD_LINK_GET),
		.channels = fault_count(OCKAM_CMD_CHANNEL_GET),
		.listeners = fault_count(OCKAM_CMD_LISTENER_GET),
		.sockets = sockets_alive(),
		.pending = count("handshakes_started") - count("handshakes_done") -
			   count("handshakes_failed"),
	};
}

/* The node becomes as it was, at the latest when what is pending has timed out. */
static bool fault_same(const struct fault_state *want)
{
	long long end = nlh_now() + 2 * CH_SOON;
	struct fault_state now;

	for (;;) {
		now = fault_look();
		if (!memcmp(&now, want, sizeof(now)))
			return true;
		if (nlh_now() > end)
			break;
		usleep(2000);
	}
	printf("# addresses %d, were %d; links %d, %d; channels %d, %d; listeners %d, %d; sockets %d, %d; pending %lld, %lld\n",
	       now.addresses, want->addresses, now.links, want->links, now.channels,
	       want->channels, now.listeners, want->listeners, now.sockets, want->sockets,
	       now.pending, want->pending);
	return false;
}

static void fault_try(const struct fault_op *op)
{
	struct fault_state before = fault_look();
	unsigned int n, wrong = 0, survived = 0;
	bool injected = true;
	int ret = -1;

	for (n = 1; injected && n <= FAULT_LIMIT; n++) {
		if (op->before)
			op->before();
		fault_asked = NULL;
		fault_arm(n);
		ret = op->run();
		injected = fault_disarm();
		if (fault_asked)
			ret = fault_outcome(fault_asked);
		if (injected && !ret)
			survived++;
		if (!op->after(ret)) {
			printf("# %s: failure %u, %d: not what it says\n", op->name, n, ret);
			wrong++;
		}
		if (!fault_same(&before)) {
			printf("# %s: failure %u, %d: something is left\n", op->name, n, ret);
			wrong++;
			before = fault_look();
		}
	}
	if (ret)
		printf("# %s: %d %s\n", op->name, ret, fault_asked ? fault_asked->why : "");
	ok(!injected && !ret, "%s: succeeds when none of %u allocations fails (%u could be done without)",
	   op->name, n - 2, survived);
	ok(!wrong, "%s: a failure leaves everything as it was", op->name);
}

#endif /* OCKAM_SYSTEM_FAULT_H */
