// SPDX-License-Identifier: Apache-2.0
/*
 * The loops of senders and receivers, the same for all systems. A sender is ahead
 * of its receiver by a window of messages at most, which it learns from memory
 * that both share: that costs every system the same, next to nothing, and no
 * buffer overflows.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "traffic.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

static void traffic_sleep_on(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

/* ---- one way ---- */

/* Until @more messages fit into the window, half of which is free after a sleep. */
static void traffic_wait_window(struct traffic_flow *f, uint64_t sent, unsigned int more)
{
	struct traffic_shared *s = f->shared;
	uint32_t seen = atomic_load(&s->seen);

	if ((uint32_t)sent + more - seen <= f->window)
		return;
	while ((uint32_t)sent + more - seen > f->window / 2 + more - 1) {
		atomic_store(&s->asleep, 1);
		traffic_sleep_on(&s->seen, seen);
		seen = atomic_load(&s->seen);
	}
	atomic_store(&s->asleep, 0);
}

/* Receiver: message number @newest is here, @sent as far as is known. */
static void traffic_see(struct traffic_flow *f, uint64_t newest)
{
	struct traffic_shared *s = f->shared;

	atomic_store(&s->seen, (uint32_t)newest);
	if (atomic_load(&s->asleep) && atomic_load(&s->sent) - newest <= f->window / 2 &&
	    atomic_exchange(&s->asleep, 0))
		syscall(SYS_futex, &s->seen, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Messages bear their number, from 1, if there is room. */
static void traffic_number(struct traffic_flow *f, unsigned int place, uint64_t number)
{
	memcpy(f->buffer + place * f->size, &number, sizeof(number));
}

static uint64_t traffic_number_of(const struct traffic_flow *f, unsigned int place)
{
	uint64_t number;

	memcpy(&number, f->buffer + place * f->size, sizeof(number));
	return number;
}

static void traffic_vectors(struct traffic_flow *f, struct mmsghdr *m, struct iovec *iov)
{
	unsigned int i;

	memset(m, 0, f->batch * sizeof(*m));
	for (i = 0; i < f->batch; i++) {
		iov[i].iov_base = f->buffer + i * f->size;
		iov[i].iov_len = f->size;
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
}

static int traffic_send_singly(struct traffic_flow *f, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (send(f->out, f->buffer + i * f->size, f->size, 0) < 0)
			return -1;
	}
	return (int)n;
}

void traffic_send(struct traffic_flow *f, unsigned int phase, uint64_t count)
{
	struct traffic_shared *s = f->shared;
	struct mmsghdr m[TRAFFIC_BATCH];
	struct iovec iov[TRAFFIC_BATCH];
	uint64_t sent = atomic_load(&s->sent), last = sent + count;
	unsigned int n, i;
	int done;

	traffic_vectors(f, m, iov);
	s->begin[phase] = traffic_now();
	while (sent != last) {
		n = (unsigned int)MIN(f->batch, last - sent);
		traffic_wait_window(f, sent, n);
		for (i = 0; i < n; i++)
			traffic_number(f, i, sent + i + 1);
		if (f->batch > 1 && f->system->many)
			done = sendmmsg(f->out, m, n, 0);
		else
			done = traffic_send_singly(f, n);
		if (done < 0)
			traffic_die("message %llu of %zu bytes: %s",
				    (unsigned long long)sent + 1, f->size, strerror(errno));
		sent += (unsigned int)done;
		atomic_store(&s->sent, sent);
	}
}

/* Bytes of a stream are messages when they add up. Returns how many there are now. */
static int traffic_take_stream(struct traffic_flow *f, size_t *part)
{
	size_t room = f->batch * f->size;
	ssize_t n;

	n = recv(f->in, f->buffer, f->batch > 1 ? room : f->size, f->batch > 1 ? 0 : MSG_WAITALL);
	if (!n)
		traffic_die("the connection has ended");
	if (n < 0)
		return -1;
	*part += (size_t)n;
	n = (ssize_t)(*part / f->size);
	*part %= f->size;
	return (int)n;
}

static int traffic_take(struct traffic_flow *f, struct mmsghdr *m)
{
	ssize_t n;

	if (f->batch > 1)
		return recvmmsg(f->in, m, f->batch, MSG_WAITFORONE, NULL);
	n = recv(f->in, f->buffer, f->size, 0);
	if (n >= 0 && (size_t)n != f->size)
		traffic_die("a message of %zd bytes", n);
	return n < 0 ? -1 : 1;
}

/*
 * Where messages get lost, the newest one counts for the window; when nothing
 * comes for the time of SO_RCVTIMEO, the rest of the phase is lost.
 */
void traffic_receive(struct traffic_flow *f, unsigned int phase, uint64_t count)
{
	struct traffic_shared *s = f->shared;
	struct mmsghdr m[TRAFFIC_BATCH];
	struct iovec iov[TRAFFIC_BATCH];
	uint64_t newest = atomic_load(&s->seen), last = newest + count, number;
	size_t part = 0;
	int n, i;

	traffic_vectors(f, m, iov);
	while (newest < last) {
		n = f->system->stream ? traffic_take_stream(f, &part) : traffic_take(f, m);
		if (n < 0) {
			if (errno != EAGAIN || f->system->stream)
				traffic_die("receiving: %s", strerror(errno));
			newest = atomic_load(&s->sent);
			s->end[phase] = traffic_now() - f->patience * 1000000000LL;
			traffic_see(f, newest);
			continue;
		}
		s->received[phase] += (unsigned int)n;
		if (f->system->stream) {
			newest += (unsigned int)n;
		} else {
			for (i = 0; i < n; i++) {
				number = traffic_number_of(f, (unsigned int)i);
				newest = number > newest ? number : newest;
			}
		}
		if (newest >= last)
			s->end[phase] = traffic_now();
		traffic_see(f, newest);
	}
}

/* ---- requests and replies ---- */

static ssize_t traffic_get(struct traffic_flow *f, int fd, struct sockaddr_storage *from,
			   socklen_t *len)
{
	ssize_t n;

	n = recvfrom(fd, f->buffer, f->size, f->system->stream ? MSG_WAITALL : 0,
		     (struct sockaddr *)from, len);
	if (n < 0 && errno == EAGAIN && !f->system->stream)
		return 0;
	if (n < 0 || (size_t)n != f->size)
		traffic_die("receiving: %s", n < 0 ? strerror(errno) : "too short");
	return n;
}

static int traffic_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

void traffic_request(struct traffic_flow *f, unsigned int phase, uint64_t count)
{
	struct traffic_shared *s = f->shared;
	uint64_t number = atomic_load(&s->sent), last = number + count, n = 0;
	int64_t *took = calloc(count, sizeof(*took)), start;
	ssize_t got;

	if (!took)
		traffic_die("no memory");
	s->begin[phase] = traffic_now();
	while (number != last) {
		traffic_number(f, 0, ++number);
		start = traffic_now();
		if (send(f->out, f->buffer, f->size, 0) < 0)
			traffic_die("request: %s", strerror(errno));
		/* A late reply, of a request that was given up, is not this one's. */
		do {
			got = traffic_get(f, f->out, NULL, NULL);
		} while (got && traffic_number_of(f, 0) != number);
		if (got)
			took[n++] = traffic_now() - start;
	}
	s->end[phase] = traffic_now();
	s->received[phase] = n;
	atomic_store(&s->sent, number);
	qsort(took, n, sizeof(*took), traffic_order);
	s->p50 = n ? took[n / 2] : 0;
	s->p99 = n ? took[n * 99 / 100] : 0;
	free(took);
	atomic_store(&s->asked, phase + 1);
}

/* Until the one who asks says that it was all. */
void traffic_reply(struct traffic_flow *f, unsigned int phase, uint64_t count)
{
	uint32_t last = (uint32_t)((phase ? f->base : 0) + count);
	struct sockaddr_storage from;
	socklen_t len;

	f->base = last;
	while (atomic_load(&f->shared->seen) != last) {
		len = sizeof(from);
		if (!traffic_get(f, f->in, f->system->stream ? NULL : &from,
				 f->system->stream ? NULL : &len)) {
			if (atomic_load(&f->shared->asked) > phase)
				return;
			continue;
		}
		atomic_store(&f->shared->seen, (uint32_t)traffic_number_of(f, 0));
		if (sendto(f->in, f->buffer, f->size, 0,
			   f->system->stream ? NULL : (struct sockaddr *)&from,
			   f->system->stream ? 0 : len) < 0)
			traffic_die("reply: %s", strerror(errno));
	}
}
