/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of the node process: descriptors and timers, one thread.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LOOP_H
#define OCKAMD_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>

/*
 * A descriptor that is waited for; embedded in its owner, who closes it after
 * ockamd_loop_remove(). Events are handed out one at a time, so fn may remove
 * and free any watch, its own too.
 */
struct ockamd_watch {
	int	fd;
	void	(*fn)(struct ockamd_watch *watch, uint32_t events);
};

/* A deadline; embedded in its owner. fn is called once for each arming. */
struct ockamd_timer {
	LIST_ENTRY(ockamd_timer)	link;
	int64_t				at;	/* milliseconds, monotonic clock */
	bool				armed;
	void				(*fn)(struct ockamd_timer *timer);
};

struct ockamd_loop {
	int					epoll;
	bool					stop;
	LIST_HEAD(ockamd_timers, ockamd_timer)	timers;
};

/** ockamd_loop_now() - milliseconds of the monotonic clock */
int64_t ockamd_loop_now(void);

/** ockamd_loop_init() - 0 or a negative errno */
int ockamd_loop_init(struct ockamd_loop *loop);

/** ockamd_loop_add() - wait for @events (EPOLLIN, EPOLLOUT); 0 or a negative errno */
int ockamd_loop_add(struct ockamd_loop *loop, struct ockamd_watch *watch, uint32_t events);
void ockamd_loop_change(struct ockamd_loop *loop, struct ockamd_watch *watch, uint32_t events);
void ockamd_loop_remove(struct ockamd_loop *loop, struct ockamd_watch *watch);

/** ockamd_loop_arm() - call the timer in @ms milliseconds; an armed one is moved */
void ockamd_loop_arm(struct ockamd_loop *loop, struct ockamd_timer *timer, int64_t ms);
void ockamd_loop_disarm(struct ockamd_timer *timer);

/** ockamd_loop_run() - until loop->stop is set; 0 or a negative errno */
int ockamd_loop_run(struct ockamd_loop *loop);

#endif /* OCKAMD_LOOP_H */
