// SPDX-License-Identifier: Apache-2.0
/*
 * Every command of the family from several threads at once, while owner and
 * worker of the node come and go. What is checked is that the kernel does not
 * complain and that nothing is left.
 *
 * where: uml debug
 * long: vm
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "nlhelp.h"

#define THREADS	4
#define ROUNDS	60
#define SOON	20000

static struct nlh home;		/* holds the namespace, does nothing in it */
static atomic_bool stop;
static atomic_ulong done, refused;

static void count(int err)
{
	atomic_fetch_add(err ? &refused : &done, 1);
}

static void name_some(char *name, size_t size, unsigned int *seed)
{
	snprintf(name, size, "x%u", rand_r(seed) % 8);
}

static void make_link(struct nlh *h, const char *name)
{
	struct nlh_link_options o = { .name = name };
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return;
	count(nlh_link_new(h, fd[0], &o, NULL));
	close(fd[0]);
	close(fd[1]);
}

/* CHANNEL_NEW through a link or a listener of this node. */
static void make_channel(struct nlh *h, struct nlh_msg *m, const char *name)
{
	uint8_t route[64] = { OCKAM_ADDR_LOCAL, strlen(name) };
	size_t len = 2 + strlen(name);

	memcpy(route + 2, name, strlen(name));
	nlh_begin(m, OCKAM_CMD_CHANNEL_NEW);
	nlh_put(m, OCKAM_A_ROUTE, route, len);
	nlh_put_u32(m, OCKAM_A_TIMEOUT_MS, 50);
	count(nlh_call(h, m, NULL));
}

static void call_name(struct nlh *h, struct nlh_msg *m, uint8_t cmd,
		      const char *name)
{
	nlh_begin(m, cmd);
	nlh_put(m, OCKAM_A_ADDRESS, name, strlen(name));
	count(nlh_call(h, m, NULL));
}

static void *hammer(void *arg)
{
	static const uint8_t dumps[] = {
		OCKAM_CMD_ADDRESS_GET, OCKAM_CMD_LINK_GET,
		OCKAM_CMD_LISTENER_GET, OCKAM_CMD_CHANNEL_GET,
	};
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	struct nlh_msg *m = malloc(sizeof(*m));
	char name[16];
	struct nlh h;

	if (!m || nlh_open_in(&h, &home))
		return (void *)1;
	while (!stop) {
		name_some(name, sizeof(name), &seed);
		switch (rand_r(&seed) % 10) {
		case 0:
		case 1:
			make_link(&h, name);
			break;
		case 2:
			count(nlh_link_del(&h, name));
			break;
		case 3:
			call_name(&h, m, OCKAM_CMD_LISTENER_NEW, name);
			break;
		case 4:
			call_name(&h, m, OCKAM_CMD_LISTENER_DEL, name);
			break;
		case 5:
			make_channel(&h, m, name);
			break;
		case 6:
			call_name(&h, m, OCKAM_CMD_LINK_GET, name);
			break;
		case 7:
			nlh_begin(m, dumps[rand_r(&seed) % 4]);
			count(nlh_dump(&h, m, NULL, NULL) < 0);
			break;
		case 8:
			count(nlh_counter(&h, "links_opened") < 0);
			break;
		case 9:
			/* Results of channels are not read: away with them. */
			nlh_close(&h);
			if (nlh_open_in(&h, &home))
				return (void *)1;
			break;
		}
	}
	nlh_close(&h);
	free(m);
	return NULL;
}

/* Answers every exchange with an errno, as long as it lives. */
static void *work(void *arg)
{
	struct nlh_msg *m = malloc(sizeof(*m)), *in = malloc(sizeof(*in));
	unsigned int seed = 99;
	struct nlh h;
	uint64_t id;
	int i;

	(void)arg;
	while (m && in && !stop) {
		if (nlh_open_in(&h, &home))
			return (void *)1;
		nlh_begin(m, OCKAM_CMD_WORKER_BIND);
		count(nlh_call(&h, m, NULL));
		for (i = 0; i < 20 && !stop; i++) {
			if (nlh_receive(&h, in, 2) ||
			    nlh_cmd(in) != OCKAM_CMD_HANDSHAKE_READY)
				continue;
			id = nlh_attr_u64(in, OCKAM_A_EXCHANGE_ID);
			nlh_begin(m, OCKAM_CMD_HANDSHAKE_FETCH);
			nlh_put_u64(m, OCKAM_A_EXCHANGE_ID, id);
			count(nlh_call(&h, m, in));
			if (rand_r(&seed) % 4 == 0)
				continue;	/* left to its deadline */
			nlh_begin(m, OCKAM_CMD_HANDSHAKE_DONE);
			nlh_put_u64(m, OCKAM_A_EXCHANGE_ID, id);
			nlh_put_u32(m, OCKAM_A_ERRNO, -EACCES);
			count(nlh_call(&h, m, NULL));
		}
		nlh_close(&h);
	}
	free(m);
	free(in);
	return NULL;
}

static int own_again(struct nlh *h)
{
	long long end = nlh_now() + SOON;
	int err;

	if (nlh_open_in(h, &home))
		return -EIO;
	while ((err = nlh_own(h)) == -EBUSY && nlh_now() < end)
		usleep(500);
	return err;
}

static unsigned int count_objects(struct nlh *h)
{
	struct nlh_msg *m = malloc(sizeof(*m));
	int n;

	if (!m)
		return -1;
	nlh_begin(m, OCKAM_CMD_ADDRESS_GET);
	n = nlh_dump(h, m, NULL, NULL);
	free(m);
	return n;
}

int main(void)
{
	pthread_t threads[THREADS + 1];
	struct nlh owner;
	void *failed;
	bool good = true;
	int i, err = 0;

	if (!ok(!nlh_open_new(&home), "a namespace"))
		return 1;
	for (i = 0; i <= THREADS; i++)
		pthread_create(&threads[i], NULL, i ? hammer : work,
			       (void *)(uintptr_t)i);
	for (i = 0; i < ROUNDS && !err; i++) {
		err = own_again(&owner);
		usleep(1000 * (i % 20));
		if (!err && i % 3 == 0)
			nlh_end(&owner);
		nlh_close(&owner);
	}
	ok(!err, "the node was owned and ended %d times", i);
	stop = true;
	for (i = 0; i <= THREADS; i++) {
		pthread_join(threads[i], &failed);
		good &= !failed;
	}
	ok(good && done > ROUNDS, "while %lu commands were done, %lu refused",
	   (unsigned long)done, (unsigned long)refused);
	err = own_again(&owner);
	ok(!err && !count_objects(&owner), "no address is left");
	nlh_close(&owner);
	nlh_close(&home);
	return tap_done();
}
