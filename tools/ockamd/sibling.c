// SPDX-License-Identifier: Apache-2.0
/*
 * Questions to other node processes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper.h"
#include "node.h"
#include "sibling.h"

#define OCKAMD_SIBLING_ANSWER	8192	/* bytes; the operations asked have small ones */
#define OCKAMD_SIBLING_AGAIN_MS	50	/* until a node with too many clients is tried again */
#define OCKAMD_SIBLING_GRACE_MS	250	/* so much later than itself it is given up */

/*
 * One question. Freed right before fn is called, or by ockamd_sibling_cancel(). Until it
 * is connected watch.fd is -1 and the timer tries again; then the timer is the deadline.
 */
struct ockamd_sibling {
	struct ockamd_watch	watch;
	struct ockamd_timer	timer;
	struct ockamd_node	*node;
	char			name[OCKAM_NAME_SIZE];
	struct ockam_buf	request;
	int64_t			deadline;
	ockamd_sibling_fn	fn;
	void			*arg;
};

void ockamd_sibling_cancel(struct ockamd_sibling *sibling)
{
	ockamd_loop_disarm(&sibling->timer);
	if (sibling->watch.fd >= 0) {
		ockamd_loop_remove(&sibling->node->loop, &sibling->watch);
		close(sibling->watch.fd);
	}
	ockam_buf_free(&sibling->request);
	free(sibling);
}

/* @result: taken over; NULL: *err says why. */
static void ockamd_sibling_done(struct ockamd_sibling *sibling, struct json_object *result,
				const struct ockam_err *err)
{
	ockamd_sibling_fn fn = sibling->fn;
	void *arg = sibling->arg;

	ockamd_sibling_cancel(sibling);
	fn(arg, result, err);
	json_object_put(result);
}

static void ockamd_sibling_heard(struct ockamd_watch *watch, uint32_t events)
{
	struct ockamd_sibling *sibling = (struct ockamd_sibling *)watch;
	struct json_object *answer, *result = NULL;
	uint8_t packet[OCKAMD_SIBLING_ANSWER];
	struct ockam_err err;
	ssize_t n;
	int ret;

	(void)events;
	n = recv(watch->fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		ret = ockam_err_set(&err, -ECONNRESET, "The node process of %s went away",
				    sibling->name);
	else if (n > (ssize_t)sizeof(packet))
		ret = ockam_err_set(&err, -EBADMSG, "The node %s sent an answer that is too long",
				    sibling->name);
	else
		ret = ockam_value_decode(packet, (size_t)n, &answer, &err);
	if (!ret)
		ret = ockam_control_result(answer, &result, &err);
	if (ret) {
		json_object_put(result);
		result = NULL;
	}
	ockamd_sibling_done(sibling, result, &err);
}

static void ockamd_sibling_late(struct ockamd_timer *timer)
{
	struct ockamd_sibling *sibling = (struct ockamd_sibling *)
		((char *)timer - offsetof(struct ockamd_sibling, timer));
	struct ockam_err err;

	ockam_err_set(&err, -ETIMEDOUT, "timeout: the node %s did not answer in time",
		      sibling->name);
	ockamd_sibling_done(sibling, NULL, &err);
}

/* The keeper's socket; the question fits its empty buffer. */
static int ockamd_sibling_send(struct ockamd_sibling *sibling, int fd)
{
	int64_t left = sibling->deadline - ockamd_loop_now();
	int ret;

	sibling->watch.fd = fd;
	sibling->watch.fn = ockamd_sibling_heard;
	ret = ockamd_loop_add(&sibling->node->loop, &sibling->watch, EPOLLIN);
	if (ret) {
		close(fd);
		sibling->watch.fd = -1;
		return ret;
	}
	/* Of one that has hung up already the loop tells. */
	send(fd, sibling->request.data, sibling->request.len, MSG_NOSIGNAL);
	sibling->timer.fn = ockamd_sibling_late;
	ockamd_loop_arm(&sibling->node->loop, &sibling->timer, left > 0 ? left : 0);
	return 0;
}

/* Return: 0 when it is asked, or will be; else *err. */
static int ockamd_sibling_connect(struct ockamd_sibling *sibling, struct ockam_err *err)
{
	int ret = ockamd_keeper_sibling(sibling->node->keeper, sibling->name);

	if (ret == -EAGAIN && ockamd_loop_now() < sibling->deadline) {
		ockamd_loop_arm(&sibling->node->loop, &sibling->timer, OCKAMD_SIBLING_AGAIN_MS);
		return 0;
	}
	if (ret >= 0)
		ret = ockamd_sibling_send(sibling, ret);
	if (!ret)
		return 0;
	if (ret == -ENOENT || ret == -ECONNREFUSED)
		return ockam_err_set(err, -ECONNREFUSED, "The node %s is not running",
				     sibling->name);
	return ockam_err_set(err, ret == -EAGAIN ? -EBUSY : ret, "Cannot talk to the node %s: %s",
			     sibling->name, strerror(-ret));
}

static void ockamd_sibling_again(struct ockamd_timer *timer)
{
	struct ockamd_sibling *sibling = (struct ockamd_sibling *)
		((char *)timer - offsetof(struct ockamd_sibling, timer));
	struct ockam_err err;

	if (ockamd_sibling_connect(sibling, &err))
		ockamd_sibling_done(sibling, NULL, &err);
}

int ockamd_sibling_ask(struct ockamd_node *node, const char *name, uid_t user, const char *op,
		       struct json_object *args, int timeout_ms, ockamd_sibling_fn fn, void *arg,
		       struct ockamd_sibling **siblingp, struct ockam_err *err)
{
	struct ockamd_sibling *sibling = calloc(1, sizeof(*sibling));
	int ret;

	if (!sibling) {
		json_object_put(args);
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	}
	sibling->watch.fd = -1;
	sibling->timer.fn = ockamd_sibling_again;
	sibling->node = node;
	sibling->fn = fn;
	sibling->arg = arg;
	sibling->deadline = ockamd_loop_now() + timeout_ms + OCKAMD_SIBLING_GRACE_MS;
	snprintf(sibling->name, sizeof(sibling->name), "%s", name);
	ockam_value_put_int(args, "user", user);
	ockam_value_put_int(args, "timeout_ms", timeout_ms);
	ret = ockam_control_request(1, op, args, &sibling->request, err);
	json_object_put(args);
	if (!ret)
		ret = ockamd_sibling_connect(sibling, err);
	if (ret) {
		ockamd_sibling_cancel(sibling);
		return ret;
	}
	*siblingp = sibling;
	return 0;
}
