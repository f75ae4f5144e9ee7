// SPDX-License-Identifier: Apache-2.0
/*
 * where: uml debug
 *
 * Sockets of the family under io_uring, by its system calls alone: sending with
 * and without an address, receiving that waits, waking by poll, requests that
 * are cancelled, and rings and sockets that end with requests under way.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/io_uring.h>

#include "sock.h"

#define ENTRIES	16

/* A ring; the pointers lead into its shared memory. */
struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	void *sq, *cq;
	size_t sq_size, cq_size;
};

static void *ring_map(int fd, size_t size, unsigned long offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		    (off_t)offset);
}

static bool ring_open(struct ring *r)
{
	struct io_uring_params p = { 0 };
	char *sq, *cq;

	r->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (r->fd < 0)
		return false;
	r->sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
	r->cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	sq = ring_map(r->fd, r->sq_size, IORING_OFF_SQ_RING);
	cq = ring_map(r->fd, r->cq_size, IORING_OFF_CQ_RING);
	r->sqes = ring_map(r->fd, ENTRIES * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqes == MAP_FAILED)
		return false;
	r->sq = sq;
	r->cq = cq;
	r->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	r->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	r->sq_array = (unsigned int *)(sq + p.sq_off.array);
	r->cq_head = (unsigned int *)(cq + p.cq_off.head);
	r->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	r->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return true;
}

static void ring_close(struct ring *r)
{
	munmap(r->sqes, ENTRIES * sizeof(struct io_uring_sqe));
	munmap(r->sq, r->sq_size);
	munmap(r->cq, r->cq_size);
	close(r->fd);
}

/* Hand one request over; @data comes back with its result. */
static bool ring_submit(struct ring *r, const struct io_uring_sqe *sqe, __u64 data)
{
	unsigned int tail = *r->sq_tail, i = tail & *r->sq_mask;

	r->sqes[i] = *sqe;
	r->sqes[i].user_data = data;
	r->sq_array[i] = i;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, r->fd, 1, 0, 0, NULL, 0) == 1;
}

/* Is a result there? */
static bool ring_ready(struct ring *r)
{
	return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) != *r->cq_head;
}

/* The next result, waited for; the request's data in *@data. */
static int ring_wait(struct ring *r, __u64 *data)
{
	struct io_uring_cqe *cqe;
	int res;

	while (!ring_ready(r))
		if (syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 &&
		    errno != EINTR)
			return -EIO;
	cqe = &r->cqes[*r->cq_head & *r->cq_mask];
	res = cqe->res;
	if (data)
		*data = cqe->user_data;
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return res;
}

static int ring_do(struct ring *r, const struct io_uring_sqe *sqe)
{
	return ring_submit(r, sqe, 1) ? ring_wait(r, NULL) : -EIO;
}

static struct io_uring_sqe ring_message(int op, int fd, struct msghdr *msg)
{
	return (struct io_uring_sqe){ .opcode = op, .fd = fd, .addr = (unsigned long)msg,
				      .len = 1 };
}

static struct io_uring_sqe ring_buffer(int op, int fd, void *buf, unsigned int len)
{
	return (struct io_uring_sqe){ .opcode = op, .fd = fd, .addr = (unsigned long)buf,
				      .len = len };
}

static void test_messages(struct ring *r)
{
	int a = sock_named("a"), b = sock_named("b");
	struct name to = NAME("b"), from;
	char text[] = "by ring", buf[64] = "";
	struct iovec out = { text, sizeof(text) }, in = { buf, sizeof(buf) };
	struct msghdr send = { .msg_name = &to.sa, .msg_namelen = to.len, .msg_iov = &out,
			       .msg_iovlen = 1 };
	struct msghdr receive = { .msg_name = &from.sa, .msg_namelen = sizeof(from.sa),
				  .msg_iov = &in, .msg_iovlen = 1 };
	struct io_uring_sqe sqe = ring_message(IORING_OP_SENDMSG, a, &send);
	struct name nobody = NAME("nobody"), name_a = NAME("a");

	ok(ring_do(r, &sqe) == (int)sizeof(text), "a message is sent");
	sqe = ring_message(IORING_OP_RECVMSG, b, &receive);
	ok(ring_do(r, &sqe) == (int)sizeof(text) && !strcmp(buf, text), "and received");
	from.len = receive.msg_namelen;
	ok(name_equal(&from, &name_a), "with its sender's address");
	send.msg_name = &nobody.sa;
	send.msg_namelen = nobody.len;
	sqe = ring_message(IORING_OP_SENDMSG, a, &send);
	ok(ring_do(r, &sqe) == -EHOSTUNREACH, "an address that is not there");
	sqe = (struct io_uring_sqe){ .opcode = IORING_OP_CONNECT, .fd = a,
				     .addr = (unsigned long)&to.sa, .off = to.len };
	ok(!ring_do(r, &sqe), "a socket is connected");
	sqe = ring_buffer(IORING_OP_SEND, a, text, 3);
	ok(ring_do(r, &sqe) == 3, "and sends without an address");
	sqe = ring_buffer(IORING_OP_RECV, b, buf, sizeof(buf));
	ok(ring_do(r, &sqe) == 3, "what is received");
	close(a);
	close(b);
}

static void test_waiting(struct ring *r)
{
	int a = sock_named("a"), b = sock_named("b");
	char buf[64], text[] = "late";
	struct io_uring_sqe sqe = ring_buffer(IORING_OP_RECV, b, buf, sizeof(buf));
	__u64 data = 0;

	ring_submit(r, &sqe, 7);
	ok(!ring_ready(r), "receiving waits");
	ok(!sock_send(a, NAME("b"), text, sizeof(text)) && ring_wait(r, &data) == sizeof(text) &&
	   data == 7, "until a message comes");

	sqe = (struct io_uring_sqe){ .opcode = IORING_OP_POLL_ADD, .fd = b,
				     .poll32_events = POLLIN };
	ring_submit(r, &sqe, 8);
	ok(!ring_ready(r), "so does poll");
	ok(!sock_send(a, NAME("b"), text, sizeof(text)) && (ring_wait(r, &data) & POLLIN) &&
	   data == 8, "until there is one");
	ok(recv(b, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(text), "which is there");

	sqe = ring_buffer(IORING_OP_RECV, b, buf, sizeof(buf));
	ring_submit(r, &sqe, 9);
	sqe = (struct io_uring_sqe){ .opcode = IORING_OP_ASYNC_CANCEL, .fd = -1, .addr = 9 };
	ring_submit(r, &sqe, 10);
	for (int i = 0; i < 2; i++) {
		int res = ring_wait(r, &data);

		if (data == 9)
			ok(res == -ECANCELED || res == -EINTR, "a request is cancelled: %d", res);
		else
			ok(!res || res == -EALREADY, "by another one: %d", res);
	}
	ok(!sock_send(a, NAME("b"), text, sizeof(text)) &&
	   recv(b, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(text),
	   "and takes no message with it");
	close(a);
	close(b);
}

/* Requests of sockets and rings that end. Each file is held by its request. */
static void test_ends(struct ring *r)
{
	char buf[64], text[] = "x";
	int a = sock_named("a"), b = sock_named("b");
	struct io_uring_sqe sqe = ring_buffer(IORING_OP_RECV, b, buf, sizeof(buf));
	struct ring other;
	int fd;

	ring_submit(r, &sqe, 1);
	close(b);
	ok(!ring_ready(r) && !sock_send(a, NAME("b"), text, 1) && ring_wait(r, NULL) == 1,
	   "a socket lives as long as the request that waits on it");

	b = sock_named("c");
	sqe = ring_buffer(IORING_OP_RECV, b, buf, sizeof(buf));
	ring_submit(r, &sqe, 1);
	ok(!shutdown(b, SHUT_RD) && ring_wait(r, NULL) == 0, "shutdown ends one that waits");
	close(b);

	ok(ring_open(&other), "another ring");
	b = sock_named("d");
	sqe = ring_buffer(IORING_OP_RECV, b, buf, sizeof(buf));
	ring_submit(&other, &sqe, 1);
	ring_close(&other);
	close(b);
	/* The ring's end is the kernel's own work and comes later. */
	for (int i = 0; i < 1000; i++) {
		fd = sock_new();
		if (!sock_bind(fd, NAME("d")))
			break;
		close(fd);
		fd = -1;
		usleep(10000);
	}
	ok(fd >= 0, "a ring that ends takes its requests with it");
	close(fd);
	close(a);
}

int main(void)
{
	struct ring ring;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (unshare(CLONE_NEWNET)) {
		printf("Bail out! unshare: %s\n", strerror(errno));
		return 1;
	}
	/* The kernels that this is for have it. */
	if (!ring_open(&ring)) {
		printf("Bail out! io_uring_setup: %s\n", strerror(errno));
		return 1;
	}
	test_messages(&ring);
	test_waiting(&ring);
	test_ends(&ring);
	ring_close(&ring);
	return tap_done();
}
