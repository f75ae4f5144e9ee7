/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small client of the netlink family "ockam" for tests: no library between
 * the test and the bytes. Not for programs that people use.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_NLHELP_H
#define OCKAM_NLHELP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/netlink.h>
#include <linux/ockam.h>
#include <linux/ockam_netlink.h>

#define NLH_BUF 65536

/* A request that is being built, or a reply that is being looked at. */
struct nlh_msg {
	uint32_t len;
	union {
		struct nlmsghdr hdr;
		uint8_t bytes[NLH_BUF];
	};
};

/* One generic netlink socket in the network namespace of a node. */
struct nlh {
	int fd;
	int ns;			/* descriptor of that namespace */
	uint16_t family;
	uint32_t events;	/* number of the multicast group */
	uint32_t seq;
	char why[256];		/* sentence of the last refusal, "" when none */
};

/* Functions return 0 or a negative errno unless said otherwise. */

/* A socket in the namespace that this thread is in. */
int nlh_open(struct nlh *h);
/* In a fresh network namespace with "lo" up; this thread stays where it is. */
int nlh_open_new(struct nlh *h);
/* In the namespace of @other. */
int nlh_open_in(struct nlh *h, const struct nlh *other);
void nlh_close(struct nlh *h);
/* Bring this thread into the namespace of @h; returns a descriptor to go back. */
int nlh_enter(const struct nlh *h);
void nlh_leave(int back);

/* Build a request: nlh_begin(), nlh_put*(), nlh_call(). */
void nlh_begin(struct nlh_msg *m, uint8_t cmd);
void nlh_put(struct nlh_msg *m, uint16_t type, const void *data, size_t len);
void nlh_put_u8(struct nlh_msg *m, uint16_t type, uint8_t value);
void nlh_put_u32(struct nlh_msg *m, uint16_t type, uint32_t value);
void nlh_put_u64(struct nlh_msg *m, uint16_t type, uint64_t value);
void nlh_put_text(struct nlh_msg *m, uint16_t type, const char *text);
void nlh_put_flag(struct nlh_msg *m, uint16_t type);

/*
 * Send @m, wait for the acknowledgement. @reply (may be NULL) gets the last
 * answer, ->len 0 when there was none. Events that come in between are lost;
 * use another socket for them.
 */
int nlh_call(struct nlh *h, struct nlh_msg *m, struct nlh_msg *reply);
/* The same with NLM_F_DUMP; @each (may be NULL) sees every answer. Returns their number. */
int nlh_dump(struct nlh *h, struct nlh_msg *m,
	     void (*each)(const struct nlh_msg *one, void *data), void *data);
/* Just send; for tests that want to see what comes. */
int nlh_send(struct nlh *h, struct nlh_msg *m);
/* Next message within @ms, or -EAGAIN. */
int nlh_receive(struct nlh *h, struct nlh_msg *m, int ms);

/* Attribute of a received message: its data and length, or NULL. */
const void *nlh_attr(const struct nlh_msg *m, uint16_t type, size_t *len);
uint64_t nlh_attr_u64(const struct nlh_msg *m, uint16_t type);
uint32_t nlh_attr_u32(const struct nlh_msg *m, uint16_t type);
uint8_t nlh_cmd(const struct nlh_msg *m);

/* ---- node ---- */

int nlh_own(struct nlh *h);
int nlh_end(struct nlh *h);
int nlh_set_limit(struct nlh *h, uint16_t which, uint64_t value);
/* A counter of the node, or a negative errno. */
long long nlh_counter(struct nlh *h, const char *name);

/* ---- events ---- */

/* Hear the events of the node on this socket. */
int nlh_listen(struct nlh *h);
/* Wait for event @event of address @name (NULL: any); @m gets it. */
int nlh_wait_event(struct nlh *h, uint8_t event, const char *name,
		   struct nlh_msg *m, int ms);

/* ---- links ---- */

/* What a link is made with. Zero is the default of everything. */
struct nlh_link_options {
	const char *name;	/* NULL: a random one */
	const char *pair;
	const char *label;
	const void *spawner_id;	/* 16 bytes */
	bool accepted;
	bool has_reach;
	uint32_t reach;
	uint32_t stall_ms;
	uint32_t half_frame_ms;
};

struct nlh_link {
	char name[256];
	char pair[256];
	char label[128];
	uint8_t flow_id[16];
	uint32_t flags;
	uint32_t reach;
	uint32_t stall_ms;
	uint32_t half_frame_ms;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint64_t rx_messages;
	uint64_t tx_messages;
	uint64_t queued_bytes;
};

/* @o and @out may be NULL. */
int nlh_link_new(struct nlh *h, int fd, const struct nlh_link_options *o,
		 struct nlh_link *out);
int nlh_link_get(struct nlh *h, const char *name, struct nlh_link *out);
int nlh_link_del(struct nlh *h, const char *name);
int nlh_link_pair(struct nlh *h, const char *name, const char *other);
int nlh_link_unpair(struct nlh *h, const char *name, const char *other);
/* Number of links in a dump, or a negative errno. */
int nlh_link_count(struct nlh *h);
/* Wait until the link is gone. */
int nlh_link_wait_gone(struct nlh *h, const char *name, int ms);

/* Milliseconds of a clock that never goes back. */
long long nlh_now(void);

#endif /* OCKAM_NLHELP_H */
