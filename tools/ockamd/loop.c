// SPDX-License-Identifier: Apache-2.0
/*
 * Event loop over epoll. Timers are few (requests under way), so they are a
 * plain list.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <time.h>

#include "loop.h"

int64_t ockamd_loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int ockamd_loop_init(struct ockamd_loop *loop)
{
	loop->stop = false;
	LIST_INIT(&loop->timers);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? -errno : 0;
}

int ockamd_loop_add(struct ockamd_loop *loop, struct ockamd_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) ? -errno : 0;
}

void ockamd_loop_change(struct ockamd_loop *loop, struct ockamd_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void ockamd_loop_remove(struct ockamd_loop *loop, struct ockamd_watch *watch)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
}

void ockamd_loop_arm(struct ockamd_loop *loop, struct ockamd_timer *timer, int64_t ms)
{
	ockamd_loop_disarm(timer);
	timer->at = ockamd_loop_now() + ms;
	timer->armed = true;
	LIST_INSERT_HEAD(&loop->timers, timer, link);
}

void ockamd_loop_disarm(struct ockamd_timer *timer)
{
	if (!timer->armed)
		return;
	LIST_REMOVE(timer, link);
	timer->armed = false;
}

static struct ockamd_timer *ockamd_loop_earliest(struct ockamd_loop *loop)
{
	struct ockamd_timer *earliest = NULL;
	struct ockamd_timer *timer;

	LIST_FOREACH(timer, &loop->timers, link) {
		if (!earliest || timer->at < earliest->at)
			earliest = timer;
	}
	return earliest;
}

int ockamd_loop_run(struct ockamd_loop *loop)
{
	struct ockamd_timer *timer;
	struct epoll_event event;
	int64_t wait;
	int n;

	while (!loop->stop) {
		timer = ockamd_loop_earliest(loop);
		wait = -1;
		if (timer) {
			wait = timer->at - ockamd_loop_now();
			if (wait <= 0) {
				ockamd_loop_disarm(timer);
				timer->fn(timer);
				continue;
			}
		}
		/* One at a time: a handler may free what the next event would be about. */
		n = epoll_wait(loop->epoll, &event, 1, wait > INT_MAX ? INT_MAX : (int)wait);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			struct ockamd_watch *watch = event.data.ptr;

			watch->fn(watch, event.events);
		}
	}
	return 0;
}
