// SPDX-License-Identifier: Apache-2.0
/*
 * What those are told who asked for channels or listen to events, and in which
 * order, while channels end as soon as they are there.
 *
 * where: uml vm debug
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <pthread.h>
#include <stdatomic.h>

#include "exchange.h"

#define ROUNDS	150

/* ---- somebody deletes a channel that is just being made ---- */

static struct nlh deleter;
static char target[256];
static pthread_mutex_t target_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool stop;

static void aim(const char *name)
{
	pthread_mutex_lock(&target_lock);
	snprintf(target, sizeof(target), "%s", name);
	pthread_mutex_unlock(&target_lock);
}

static void *delete_it(void *arg)
{
	char name[256];

	(void)arg;
	while (!stop) {
		pthread_mutex_lock(&target_lock);
		strcpy(name, target);
		pthread_mutex_unlock(&target_lock);
		if (name[0])
			ch_del(&deleter, name);
		else
			usleep(100);
	}
	return NULL;
}

/* ---- what was told ---- */

struct told {
	char name[256];
	bool del;
};

static struct told told[2 * ROUNDS];
static unsigned int n_told, alone, again;

static struct told *find(const char *name)
{
	for (unsigned int i = 0; i < n_told; i++)
		if (!strcmp(told[i].name, name))
			return &told[i];
	return NULL;
}

static void read_name(const struct nlh_msg *m, uint16_t type, char *name)
{
	const void *p;
	size_t len;

	p = nlh_attr(m, type, &len);
	snprintf(name, 256, "%.*s", p ? (int)len : 0, p ? (const char *)p : "");
}

static void note(const struct nlh_msg *m)
{
	const uint8_t *event = nlh_attr(m, OCKAM_A_EVENT, NULL);
	char name[256];
	struct told *t;

	if (!event || (*event != OCKAM_EVENT_CHANNEL_NEW && *event != OCKAM_EVENT_CHANNEL_DEL))
		return;
	read_name(m, OCKAM_A_ADDRESS, name);
	t = find(name);
	if (*event == OCKAM_EVENT_CHANNEL_NEW) {
		again += !!t;
		if (!t && n_told < 2 * ROUNDS) {
			t = &told[n_told++];
			strcpy(t->name, name);
			t->del = false;
		}
	} else if (!t) {
		alone++;
	} else {
		again += t->del;
		t->del = true;
	}
}

/* Channels whose beginning was told and whose end was not. */
static bool begun(void)
{
	for (unsigned int i = 0; i < n_told; i++)
		if (!told[i].del)
			return true;
	return false;
}

/*
 * All that @h has been sent so far, and what must come: @want results, which are
 * to be there before the end of their channels, and that end.
 */
static unsigned int read_news(struct nlh *h, unsigned int want, unsigned int *late)
{
	long long end = nlh_now() + CH_SOON;
	unsigned int results = 0;
	static struct nlh_msg m;
	char name[256];

	while (!nlh_receive(h, &m, (results < want || begun()) && nlh_now() < end ? CH_SOON : 30)) {
		if (m.hdr.nlmsg_type != h->family)
			continue;
		if (nlh_cmd(&m) == OCKAM_CMD_EVENT)
			note(&m);
		if (nlh_cmd(&m) != OCKAM_CMD_CHANNEL_NEW)
			continue;
		results++;
		read_name(&m, OCKAM_A_ENCRYPTOR, name);
		if (!ch_errno(&m) && find(name) && find(name)->del)
			++*late;
	}
	return results;
}

static void test_order(bool initiator)
{
	unsigned int made = 0, results = 0, late = 0, ended = 0;
	const char *what = initiator ? "initiator" : "responder";
	struct ch_channel c;
	pthread_t thread;
	struct lh_link l;
	struct nlh asker;
	uint64_t id;

	n_told = 0;
	alone = 0;
	again = 0;
	drain_worker();
	nlh_open_in(&asker, &node);
	nlh_open_in(&deleter, &node);
	setsockopt(asker.fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 8 << 20 }, sizeof(int));
	nlh_listen(&asker);
	stop = false;
	aim("");
	pthread_create(&thread, NULL, delete_it, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		lh_open(&l, &node, LH_UNIX, NULL);
		id = initiator ? ch_initiate(&worker, &asker, &l, &c, 0) :
				 ch_respond(&worker, &l, &c);
		start_peer(&c);
		/* The first packet, which confirms the channel, may come at any moment. */
		if (initiator)
			ch_peer_say(&c, "nobody", NULL, "x", 1);
		aim(c.decryptor);
		made += id && !ch_done(&worker, id, &keys);
		ch_wait_gone(&node, c.decryptor, CH_SOON);
		aim("");
		lh_close(&l);
		/* A request, which is next, would lose what has come before it. */
		results += read_news(&asker, initiator, &late);
	}
	stop = true;
	pthread_join(thread, NULL);
	for (unsigned int i = 0; i < n_told; i++)
		ended += told[i].del;
	ok(made && n_told, "%s: %u channels ended as they were made, %u were announced", what, made,
	   n_told);
	ok(!alone, "%s: no end without a beginning before it (%u)", what, alone);
	ok(!again, "%s: nothing is told twice (%u)", what, again);
	ok(ended == n_told, "%s: no beginning without an end (%u of %u)", what, ended, n_told);
	ok(results == (initiator ? ROUNDS : 0), "%s: each request has its result (%u)", what,
	   results);
	ok(!late, "%s: nobody is given a channel after its end (%u)", what, late);
	nlh_close(&asker);
	nlh_close(&deleter);
}

/* ---- those who asked go, one after the other ---- */

#define ASKERS	4
#define EACH	6

static void test_askers(void)
{
	long long cancelled = count("handshakes_failed_cancelled");
	struct nlh askers[ASKERS];
	struct ch_channel c;
	uint64_t id, last = 0;
	struct lh_link l;
	uint32_t seq;
	int err = 0;

	drain_worker();
	lh_open(&l, &node, LH_UNIX, NULL);
	for (int i = 0; i < ASKERS; i++)
		nlh_open_in(&askers[i], &node);
	for (int i = 0; i < ASKERS * EACH; i++)
		err |= ch_request(&askers[i % ASKERS], l.name, "api", 0, 60000, &seq);
	ok(!err, "%d requests, %d of each who asks", ASKERS * EACH, EACH);
	/* The first, one in between and the last of what the second one asked for fail before. */
	for (int i = 0; i < ASKERS * EACH; i++) {
		id = ch_worker_ready(&worker, CH_SOON);
		last = id ? id : last;
		if (i == 1 || i == 9 || i == 21)
			err |= ch_done(&worker, id, &(struct ch_done){ .error = -EIO });
	}
	ok(!err, "some fail before their port goes");
	nlh_close(&askers[1]);
	cancelled += EACH - 3;
	check_count("handshakes_failed_cancelled", cancelled, "a port goes");
	nlh_close(&askers[0]);
	cancelled += EACH;
	check_count("handshakes_failed_cancelled", cancelled, "another one goes");
	ok(!ch_fetch(&worker, last, &(struct nlh_msg){}), "what others asked for goes on");
	nlh_close(&askers[3]);
	cancelled += EACH;
	check_count("handshakes_failed_cancelled", cancelled, "it goes too");
	ok(ch_fetch(&worker, last, &(struct nlh_msg){}) == -ENOENT, "and takes what it asked for along");
	nlh_close(&askers[2]);
	cancelled += EACH;
	check_count("handshakes_failed_cancelled", cancelled, "the last one goes");
	lh_close(&l);
	drain_worker();
	ok(ch_open_initiator(&worker, &node, &req, &link_a, &c, key_tx, key_rx),
	   "a channel can be made as before");
	end_channel(&c);
}

int main(void)
{
	open_node();
	worker_again();
	test_order(false);
	test_order(true);
	test_askers();
	close_node();
	return tap_done();
}
