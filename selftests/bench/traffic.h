/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages from one process to another over one of several systems, with the
 * same loops for all of them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_BENCH_TRAFFIC_H
#define OCKAM_BENCH_TRAFFIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_FLOWS	64
#define TRAFFIC_PHASES	8
#define TRAFFIC_BATCH	64
#define TRAFFIC_ROOM	(64 << 20)	/* receive buffer of a socket that drops */

/* What a flow's sender and receiver share, and what they found. */
struct traffic_shared {
	_Atomic uint32_t	seen;		/* futex: newest message received, from 1 */
	_Atomic uint32_t	asleep;		/* the sender waits for @seen */
	_Atomic uint64_t	sent;
	_Atomic uint32_t	asked;		/* phases of requests that are over */
	int64_t			begin[TRAFFIC_PHASES];
	int64_t			end[TRAFFIC_PHASES];
	uint64_t		received[TRAFFIC_PHASES];
	int64_t			p50;		/* of the last phase's requests */
	int64_t			p99;
};

struct traffic_system;

/*
 * One sender, one receiver and the connected sockets between them. The sockets
 * are made by the parent; each child uses its own end alone.
 */
struct traffic_flow {
	const struct traffic_system	*system;
	const char			*route;		/* AF_OCKAM: hops up to the last */
	const char			*address;	/* IP: of the receiver */
	unsigned int			number;
	size_t				size;
	unsigned int			batch;
	unsigned int			window;		/* messages on the way at most */
	unsigned int			patience;	/* seconds until a datagram is lost */
	unsigned int			hops;		/* forwarders in between, TCP */
	bool				ask;		/* requests and replies */
	bool				endless;	/* until the others are done */
	int				out;
	int				in;
	struct traffic_shared		*shared;
	uint32_t			base;		/* replies: the last request so far */
	uint8_t				*buffer;	/* @batch messages */
};

struct traffic_system {
	const char	*name;
	bool		stream;
	bool		many;		/* takes sendmmsg(); TLS of 6.1 does not */
	/* In the receiver's network namespace: ->in is bound. */
	void		(*bind)(struct traffic_flow *f);
	/* In the sender's: ->out is connected. */
	void		(*connect)(struct traffic_flow *f);
	/* Whatever is left to do with both. */
	void		(*finish)(struct traffic_flow *f);
};

extern const struct traffic_system traffic_systems[];
extern const unsigned int traffic_systems_count;

__attribute__((format(printf, 1, 2), noreturn))
void traffic_die(const char *fmt, ...);

/* Sockets of AF_OCKAM that have a random name each and do nothing; they stay. */
void traffic_bind_idle(unsigned int count);

/* Monotonic, in nanoseconds. */
int64_t traffic_now(void);

/* One phase of a flow; returns when its messages have been sent, or received. */
void traffic_send(struct traffic_flow *f, unsigned int phase, uint64_t count);
void traffic_receive(struct traffic_flow *f, unsigned int phase, uint64_t count);
/* The same with a reply to each. */
void traffic_request(struct traffic_flow *f, unsigned int phase, uint64_t count);
void traffic_reply(struct traffic_flow *f, unsigned int phase, uint64_t count);

#endif /* OCKAM_BENCH_TRAFFIC_H */
