// SPDX-License-Identifier: Apache-2.0
/*
 * A small client of the netlink family "ockam" for tests.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "nlhelp.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define NLH_TIMEOUT_MS 20000

long long nlh_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* ---- messages ---- */

static void nlh_begin_family(struct nlh_msg *m, uint16_t family, uint8_t cmd,
			     uint8_t version)
{
	struct genlmsghdr *g;

	memset(m->bytes, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	m->hdr.nlmsg_type = family;
	m->hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g = NLMSG_DATA(&m->hdr);
	g->cmd = cmd;
	g->version = version;
	m->len = NLMSG_HDRLEN + GENL_HDRLEN;
}

void nlh_begin(struct nlh_msg *m, uint8_t cmd)
{
	/* The family is filled in when it is sent. */
	nlh_begin_family(m, 0, cmd, OCKAM_GENL_VERSION);
}

void nlh_put(struct nlh_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(m->bytes + m->len);
	size_t full = NLA_ALIGN(NLA_HDRLEN + len);

	if (m->len + full > sizeof(m->bytes))
		abort();
	memset(a, 0, full);
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((uint8_t *)a + NLA_HDRLEN, data, len);
	m->len += full;
}

void nlh_put_u8(struct nlh_msg *m, uint16_t type, uint8_t value)
{
	nlh_put(m, type, &value, sizeof(value));
}

void nlh_put_u32(struct nlh_msg *m, uint16_t type, uint32_t value)
{
	nlh_put(m, type, &value, sizeof(value));
}

void nlh_put_u64(struct nlh_msg *m, uint16_t type, uint64_t value)
{
	nlh_put(m, type, &value, sizeof(value));
}

void nlh_put_text(struct nlh_msg *m, uint16_t type, const char *text)
{
	nlh_put(m, type, text, strlen(text) + 1);
}

void nlh_put_flag(struct nlh_msg *m, uint16_t type)
{
	nlh_put(m, type, NULL, 0);
}

/* First attribute of @type among the @len bytes at @p. */
static const void *nlh_find(const uint8_t *p, size_t len, uint16_t type,
			    size_t *out_len)
{
	const struct nlattr *a;

	while (len >= NLA_HDRLEN) {
		a = (const struct nlattr *)p;
		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			break;
		if ((a->nla_type & NLA_TYPE_MASK) == type) {
			if (out_len)
				*out_len = a->nla_len - NLA_HDRLEN;
			return p + NLA_HDRLEN;
		}
		if ((size_t)NLA_ALIGN(a->nla_len) > len)
			break;
		p += NLA_ALIGN(a->nla_len);
		len -= NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

const void *nlh_attr(const struct nlh_msg *m, uint16_t type, size_t *len)
{
	size_t hdr = NLMSG_HDRLEN + GENL_HDRLEN;

	if (m->len < hdr)
		return NULL;
	return nlh_find(m->bytes + hdr, m->len - hdr, type, len);
}

/* Of exactly this size; else @value stays. */
static void nlh_attr_value(const struct nlh_msg *m, uint16_t type, void *value, size_t size)
{
	const void *p;
	size_t len;

	p = nlh_attr(m, type, &len);
	if (p && len == size)
		memcpy(value, p, size);
}

uint64_t nlh_attr_u64(const struct nlh_msg *m, uint16_t type)
{
	uint64_t value = 0;

	nlh_attr_value(m, type, &value, sizeof(value));
	return value;
}

uint32_t nlh_attr_u32(const struct nlh_msg *m, uint16_t type)
{
	uint32_t value = 0;

	nlh_attr_value(m, type, &value, sizeof(value));
	return value;
}

uint8_t nlh_cmd(const struct nlh_msg *m)
{
	return ((const struct genlmsghdr *)NLMSG_DATA(&m->hdr))->cmd;
}

/* Copy text or a name, always terminated. */
static void nlh_attr_text(const struct nlh_msg *m, uint16_t type, char *out,
			  size_t size)
{
	const void *p;
	size_t len;

	out[0] = 0;
	p = nlh_attr(m, type, &len);
	if (!p)
		return;
	if (len >= size)
		len = size - 1;
	memcpy(out, p, len);
	out[len] = 0;
}

/* ---- talking ---- */

int nlh_send(struct nlh *h, struct nlh_msg *m)
{
	m->hdr.nlmsg_len = m->len;
	m->hdr.nlmsg_seq = ++h->seq;
	if (!m->hdr.nlmsg_type)
		m->hdr.nlmsg_type = h->family;
	return send(h->fd, m->bytes, m->len, 0) < 0 ? -errno : 0;
}

/* One datagram, which may hold several messages. */
static ssize_t nlh_receive_raw(struct nlh *h, uint8_t *buf, size_t size, int ms)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	ssize_t got;

	if (poll(&p, 1, ms) <= 0)
		return -EAGAIN;
	got = recv(h->fd, buf, size, 0);
	return got < 0 ? -errno : got;
}

int nlh_receive(struct nlh *h, struct nlh_msg *m, int ms)
{
	ssize_t got = nlh_receive_raw(h, m->bytes, sizeof(m->bytes), ms);

	if (got < 0)
		return got;
	m->len = m->hdr.nlmsg_len < (size_t)got ? m->hdr.nlmsg_len : (size_t)got;
	return 0;
}

/* The acknowledgement: its errno; the sentence is kept. */
static int nlh_take_ack(struct nlh *h, const struct nlmsghdr *hdr)
{
	const struct nlmsgerr *e = NLMSG_DATA(hdr);
	bool done = hdr->nlmsg_type == NLMSG_DONE;	/* an errno alone */
	size_t off = NLMSG_HDRLEN + (done ? sizeof(e->error) : sizeof(*e));
	const char *text;
	size_t len;

	h->why[0] = 0;
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return e->error;
	if (!done && !(hdr->nlmsg_flags & NLM_F_CAPPED))
		off += e->msg.nlmsg_len - NLMSG_HDRLEN;
	off = NLMSG_ALIGN(off);
	if (off > hdr->nlmsg_len)
		return e->error;
	text = nlh_find((const uint8_t *)hdr + off, hdr->nlmsg_len - off,
			NLMSGERR_ATTR_MSG, &len);
	if (text)
		snprintf(h->why, sizeof(h->why), "%.*s", (int)len, text);
	return e->error;
}

/*
 * Everything until the acknowledgement or the end of the dump. Returns the
 * number of answers, or the errno of the kernel.
 */
static int nlh_collect(struct nlh *h,
		       void (*each)(const struct nlh_msg *one, void *data),
		       void *data)
{
	static _Thread_local uint8_t buf[NLH_BUF];
	static _Thread_local struct nlh_msg one;
	struct nlmsghdr *hdr;
	int n = 0, err;
	ssize_t got;

	for (;;) {
		got = nlh_receive_raw(h, buf, sizeof(buf), NLH_TIMEOUT_MS);
		if (got < 0)
			return got;
		for (hdr = (struct nlmsghdr *)buf; NLMSG_OK(hdr, (size_t)got);
		     hdr = NLMSG_NEXT(hdr, got)) {
			if (hdr->nlmsg_seq != h->seq)
				continue;
			if (hdr->nlmsg_type == NLMSG_ERROR) {
				err = nlh_take_ack(h, hdr);
				return err ? err : n;
			}
			if (hdr->nlmsg_type == NLMSG_DONE) {
				err = nlh_take_ack(h, hdr);
				return err < 0 ? err : n;
			}
			n++;
			if (!each)
				continue;
			memcpy(one.bytes, hdr, hdr->nlmsg_len);
			one.len = hdr->nlmsg_len;
			each(&one, data);
		}
	}
}

static void nlh_keep(const struct nlh_msg *one, void *data)
{
	struct nlh_msg *reply = data;

	memcpy(reply->bytes, one->bytes, one->len);
	reply->len = one->len;
}

int nlh_call(struct nlh *h, struct nlh_msg *m, struct nlh_msg *reply)
{
	int err;

	if (reply)
		reply->len = 0;
	err = nlh_send(h, m);
	if (!err)
		err = nlh_collect(h, reply ? nlh_keep : NULL, reply);
	return err < 0 ? err : 0;
}

int nlh_dump(struct nlh *h, struct nlh_msg *m,
	     void (*each)(const struct nlh_msg *one, void *data), void *data)
{
	int err;

	m->hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	err = nlh_send(h, m);
	return err ? err : nlh_collect(h, each, data);
}

/* ---- sockets and namespaces ---- */

/* The number of the multicast group "events". */
static uint32_t nlh_find_group(const struct nlh_msg *m)
{
	const uint8_t *groups, *name;
	const struct nlattr *a;
	size_t len, name_len;
	uint32_t id = 0;

	groups = nlh_attr(m, CTRL_ATTR_MCAST_GROUPS, &len);
	while (groups && len >= NLA_HDRLEN) {
		const void *found;

		a = (const struct nlattr *)groups;
		name = nlh_find(groups + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
				CTRL_ATTR_MCAST_GRP_NAME, &name_len);
		found = nlh_find(groups + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
				 CTRL_ATTR_MCAST_GRP_ID, NULL);
		if (name && found && !strcmp((const char *)name,
					     OCKAM_GENL_MCGRP_EVENTS))
			memcpy(&id, found, sizeof(id));
		if ((size_t)NLA_ALIGN(a->nla_len) >= len)
			break;
		len -= NLA_ALIGN(a->nla_len);
		groups += NLA_ALIGN(a->nla_len);
	}
	return id;
}

int nlh_open(struct nlh *h)
{
	static _Thread_local struct nlh_msg m, reply;
	const void *id;
	int one = 1;
	int err;

	memset(h, 0, sizeof(*h));
	h->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	h->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (h->fd < 0 || h->ns < 0)
		return -errno;
	setsockopt(h->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	nlh_begin_family(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	nlh_put_text(&m, CTRL_ATTR_FAMILY_NAME, OCKAM_GENL_NAME);
	err = nlh_call(h, &m, &reply);
	if (err)
		return err;
	id = nlh_attr(&reply, CTRL_ATTR_FAMILY_ID, NULL);
	if (!id)
		return -ENOENT;
	memcpy(&h->family, id, sizeof(h->family));
	h->events = nlh_find_group(&reply);
	return 0;
}

static void nlh_bring_up_lo(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
}

int nlh_open_new(struct nlh *h)
{
	int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int err;

	if (back < 0 || unshare(CLONE_NEWNET))
		return -errno;
	nlh_bring_up_lo();
	err = nlh_open(h);
	nlh_leave(back);
	return err;
}

int nlh_enter(const struct nlh *h)
{
	int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (back < 0 || setns(h->ns, CLONE_NEWNET))
		abort();
	return back;
}

void nlh_leave(int back)
{
	if (setns(back, CLONE_NEWNET))
		abort();
	close(back);
}

int nlh_open_in(struct nlh *h, const struct nlh *other)
{
	int back = nlh_enter(other);
	int err = nlh_open(h);

	nlh_leave(back);
	return err;
}

void nlh_close(struct nlh *h)
{
	close(h->fd);
	close(h->ns);
	h->fd = -1;
	h->ns = -1;
}

/* ---- node ---- */

int nlh_own(struct nlh *h)
{
	struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_NODE_OWN);
	return nlh_call(h, &m, NULL);
}

int nlh_end(struct nlh *h)
{
	struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_NODE_DEL);
	return nlh_call(h, &m, NULL);
}

int nlh_set_limit(struct nlh *h, uint16_t which, uint64_t value)
{
	struct nlh_msg m;
	struct nlattr *nest;
	uint32_t start;

	nlh_begin(&m, OCKAM_CMD_NODE_SET);
	start = m.len;
	nlh_put(&m, OCKAM_A_LIMITS | NLA_F_NESTED, NULL, 0);
	nlh_put_u64(&m, which, value);
	nest = (struct nlattr *)(m.bytes + start);
	nest->nla_len = m.len - start;
	return nlh_call(h, &m, NULL);
}

long long nlh_counter(struct nlh *h, const char *name)
{
	struct nlh_msg m, reply;
	const uint8_t *list;
	const struct nlattr *a;
	const char *text;
	const void *value;
	uint64_t number;
	size_t len;
	int err;

	nlh_begin(&m, OCKAM_CMD_NODE_GET);
	err = nlh_call(h, &m, &reply);
	if (err)
		return err;
	list = nlh_attr(&reply, OCKAM_A_COUNTERS, &len);
	while (list && len >= NLA_HDRLEN) {
		a = (const struct nlattr *)list;
		text = nlh_find(list + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
				OCKAM_A_NAME, NULL);
		value = nlh_find(list + NLA_HDRLEN, a->nla_len - NLA_HDRLEN,
				 OCKAM_A_VALUE, NULL);
		if (text && value && !strcmp(text, name)) {
			memcpy(&number, value, sizeof(number));
			return number;
		}
		if ((size_t)NLA_ALIGN(a->nla_len) >= len)
			break;
		len -= NLA_ALIGN(a->nla_len);
		list += NLA_ALIGN(a->nla_len);
	}
	return -ENOENT;
}

/* ---- events ---- */

int nlh_listen(struct nlh *h)
{
	int size = 4 << 20;

	setsockopt(h->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return setsockopt(h->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			  &h->events, sizeof(h->events)) ? -errno : 0;
}

int nlh_wait_event(struct nlh *h, uint8_t event, const char *name,
		   struct nlh_msg *m, int ms)
{
	long long end = nlh_now() + ms;
	const uint8_t *got;
	char text[256];
	int err;

	for (;;) {
		long long left = end - nlh_now();

		err = nlh_receive(h, m, left > 0 ? left : 0);
		if (err)
			return err;
		if (m->hdr.nlmsg_type != h->family ||
		    nlh_cmd(m) != OCKAM_CMD_EVENT)
			continue;
		got = nlh_attr(m, OCKAM_A_EVENT, NULL);
		if (!got || *got != event)
			continue;
		nlh_attr_text(m, OCKAM_A_ADDRESS, text, sizeof(text));
		if (!name || !strcmp(text, name))
			return 0;
	}
}

/* ---- links ---- */

static void nlh_take_link(const struct nlh_msg *m, struct nlh_link *out)
{
	const void *id = nlh_attr(m, OCKAM_A_FLOW_ID, NULL);

	memset(out, 0, sizeof(*out));
	nlh_attr_text(m, OCKAM_A_ADDRESS, out->name, sizeof(out->name));
	nlh_attr_text(m, OCKAM_A_PAIR, out->pair, sizeof(out->pair));
	nlh_attr_text(m, OCKAM_A_LABEL, out->label, sizeof(out->label));
	if (id)
		memcpy(out->flow_id, id, sizeof(out->flow_id));
	out->flags = nlh_attr_u32(m, OCKAM_A_FLAGS);
	out->reach = nlh_attr_u32(m, OCKAM_A_REACH);
	out->stall_ms = nlh_attr_u32(m, OCKAM_A_STALL_MS);
	out->half_frame_ms = nlh_attr_u32(m, OCKAM_A_HALF_FRAME_MS);
	out->rx_bytes = nlh_attr_u64(m, OCKAM_A_RX_BYTES);
	out->tx_bytes = nlh_attr_u64(m, OCKAM_A_TX_BYTES);
	out->rx_messages = nlh_attr_u64(m, OCKAM_A_RX_MESSAGES);
	out->tx_messages = nlh_attr_u64(m, OCKAM_A_TX_MESSAGES);
	out->queued_bytes = nlh_attr_u64(m, OCKAM_A_QUEUED_BYTES);
}

int nlh_link_new(struct nlh *h, int fd, const struct nlh_link_options *o,
		 struct nlh_link *out)
{
	static const struct nlh_link_options none;
	struct nlh_msg m, reply;
	int err;

	if (!o)
		o = &none;
	nlh_begin(&m, OCKAM_CMD_LINK_NEW);
	nlh_put(&m, OCKAM_A_FD, &fd, sizeof(fd));
	nlh_put_u8(&m, OCKAM_A_FRAMING, OCKAM_FRAMING_STREAM);
	if (o->name)
		nlh_put(&m, OCKAM_A_ADDRESS, o->name, strlen(o->name));
	if (o->pair)
		nlh_put(&m, OCKAM_A_PAIR, o->pair, strlen(o->pair));
	if (o->label)
		nlh_put_text(&m, OCKAM_A_LABEL, o->label);
	if (o->spawner_id)
		nlh_put(&m, OCKAM_A_SPAWNER_ID, o->spawner_id, 16);
	if (o->accepted)
		nlh_put_flag(&m, OCKAM_A_ACCEPTED);
	if (o->has_reach)
		nlh_put_u32(&m, OCKAM_A_REACH, o->reach);
	if (o->stall_ms)
		nlh_put_u32(&m, OCKAM_A_STALL_MS, o->stall_ms);
	if (o->half_frame_ms)
		nlh_put_u32(&m, OCKAM_A_HALF_FRAME_MS, o->half_frame_ms);
	err = nlh_call(h, &m, &reply);
	if (!err && out)
		nlh_take_link(&reply, out);
	return err;
}

/* A request with nothing but the address of a link, and of its pair. */
static int nlh_link_call(struct nlh *h, uint8_t cmd, const char *name,
			 const char *pair, bool unpair, struct nlh_msg *reply)
{
	struct nlh_msg m;

	nlh_begin(&m, cmd);
	nlh_put(&m, OCKAM_A_ADDRESS, name, strlen(name));
	if (pair)
		nlh_put(&m, OCKAM_A_PAIR, pair, strlen(pair));
	if (unpair)
		nlh_put_flag(&m, OCKAM_A_UNPAIR);
	return nlh_call(h, &m, reply);
}

int nlh_link_get(struct nlh *h, const char *name, struct nlh_link *out)
{
	struct nlh_msg reply;
	int err;

	err = nlh_link_call(h, OCKAM_CMD_LINK_GET, name, NULL, false, &reply);
	if (!err && out)
		nlh_take_link(&reply, out);
	return err;
}

int nlh_link_del(struct nlh *h, const char *name)
{
	return nlh_link_call(h, OCKAM_CMD_LINK_DEL, name, NULL, false, NULL);
}

int nlh_link_pair(struct nlh *h, const char *name, const char *other)
{
	return nlh_link_call(h, OCKAM_CMD_LINK_SET, name, other, false, NULL);
}

int nlh_link_unpair(struct nlh *h, const char *name, const char *other)
{
	return nlh_link_call(h, OCKAM_CMD_LINK_SET, name, other, true, NULL);
}

int nlh_link_count(struct nlh *h)
{
	struct nlh_msg m;

	nlh_begin(&m, OCKAM_CMD_LINK_GET);
	return nlh_dump(h, &m, NULL, NULL);
}

int nlh_link_wait_gone(struct nlh *h, const char *name, int ms)
{
	long long end = nlh_now() + ms;

	while (nlh_link_get(h, name, NULL) != -ENOENT) {
		if (nlh_now() > end)
			return -ETIMEDOUT;
		usleep(2000);
	}
	return 0;
}
