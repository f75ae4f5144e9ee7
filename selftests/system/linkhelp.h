/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of links: connected sockets of every family, and a peer that
 * speaks the stream framing byte by byte.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LINKHELP_H
#define OCKAM_LINKHELP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nlhelp.h"

enum lh_family {
	LH_UNIX,
	LH_TCP4,
	LH_TCP6,
	LH_VSOCK,
	LH_FAMILIES
};

extern const char *const lh_family_names[LH_FAMILIES];

#define LH_FRAME_ROOM	(17u << 20)

/* A message as it is on the wire. Names are text here. */
struct lh_message {
	const char *onward[32];
	unsigned int n_onward;
	const char *ret[32];
	unsigned int n_ret;
	const uint8_t *payload;
	size_t len;
};

/* Two ends of a connection. 0 or a negative errno (-EAFNOSUPPORT: not here). */
int lh_connect(enum lh_family family, int fd[2]);

/* Length and body of @m at @out; returns their bytes. */
size_t lh_encode(const struct lh_message *m, uint8_t *out);
/* A frame to [@first, @second] (NULL: nothing) from ["r"]. */
size_t lh_frame(uint8_t *out, const char *first, const char *second,
		const void *payload, size_t len);

/* Everything, or false; a minute without progress is an end. */
bool lh_write(int fd, const void *p, size_t len);
bool lh_read(int fd, void *p, size_t len);
/* As lh_read() for one byte: is it the version? */
bool lh_read_version(int fd);
/* The end of the stream (or a reset) comes within @ms; data before it is skipped. */
bool lh_wait_end(int fd, int ms);

/*
 * Read one frame and take it apart. The names are valid until the next call
 * by this thread, as is the payload.
 */
bool lh_read_frame(int fd, struct lh_message *m);

/* One link and the raw end of its connection. */
struct lh_link {
	struct nlh *node;
	char name[256];
	int fd;			/* given to the kernel, still open here; or -1 */
	int raw;		/* the peer */
};

/* Connection, link, version bytes both ways. Ends the program when it fails. */
void lh_open(struct lh_link *l, struct nlh *node, enum lh_family family,
	     const struct nlh_link_options *o);
void lh_close(struct lh_link *l);
/*
 * Send pieces of @len bytes with @fd, a socket that is connected over @l, until
 * nobody takes more: not the connection below, the link's queue or the socket.
 * Returns their number, or -1.
 */
int lh_fill(const struct lh_link *l, int fd, const void *piece, size_t len);
/* The stream goes on, and nothing is in it before what is sent now. */
bool lh_silent(const struct lh_link *l);

/* Wait until @counter of the node is at least @value. */
bool lh_wait_counter(struct nlh *node, const char *counter, long long value,
		     int ms);

#endif /* OCKAM_LINKHELP_H */
