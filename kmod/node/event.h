/* SPDX-License-Identifier: GPL-2.0 */
/*
 * News from the floors below to the surfaces. Declared here for those who have
 * news, defined by the netlink surface (nl_event.c): nobody includes upwards.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_EVENT_H
#define OCKAM_EVENT_H

#include "limits.h"

struct ockam_net;
struct ockam_endpoint;

/* What a notification says; unused fields are NULL or 0. Borrowed. */
struct ockam_event_info {
	u8 event;			/* enum ockam_event */
	const struct ockam_endpoint *ep;	/* the link, the channel's encryptor, ... */
	const u8 *peer;			/* 32 bytes */
	int error;			/* 0 or a negative errno */
	const char *reason;
	u8 role;			/* enum ockam_role, of handshakes */
	u64 messages;			/* that a link has brought */
};

/*
 * Outcome of a CHANNEL_NEW, unicast to the port that asked. On success @ep is
 * the channel's encryptor (the implementation looks at nothing else of it).
 */
struct ockam_result {
	u32 portid;
	u32 seq;
	int error;
	const char *reason;
	const struct ockam_endpoint *encryptor;
	const u8 *decryptor;		/* name */
	u8 decryptor_len;
	const u8 *flow_id;		/* 16 bytes, or NULL */
	const u8 *peer;			/* 32 bytes, or NULL */
	bool confirmed;
};

/*
 * All are called in process context without locks and may sleep (GFP_KERNEL).
 * Losing a notification or a result for want of memory is counted.
 */
void ockam_event_notify(struct ockam_net *on, const struct ockam_event_info *ev);
/* The worker should fetch exchange @id. -ECONNREFUSED: it is gone. */
int ockam_event_ready(struct ockam_net *on, u32 portid, u64 id);
void ockam_event_result(struct ockam_net *on, const struct ockam_result *res);
/* A RefreshCredentials body arrived on a channel. */
void ockam_event_control(struct ockam_net *on, u32 portid,
			 const struct ockam_endpoint *encryptor, const u8 *peer,
			 const u8 *body, size_t len);

#endif /* OCKAM_EVENT_H */
