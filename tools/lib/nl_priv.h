/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the netlink client share: requests, and attributes of
 * answers. Not installed.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_NL_PRIV_H
#define OCKAM_LIB_NL_PRIV_H

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "nl.h"

/*
 * A request being built. Running out of room sets failed; it is reported by
 * ockam_nl_call(), so builders do not check each put.
 */
struct ockam_nl_request {
	struct nl_msg	*msg;
	uint8_t		cmd;
	bool		dump;
	bool		failed;
};

/* @room: bytes of attribute payload beside small change. */
void ockam_nl_request_init(struct ockam_nl *nl, struct ockam_nl_request *req,
			   uint8_t cmd, size_t room);
void ockam_nl_put(struct ockam_nl_request *req, int attr, const void *data,
		  size_t len);
void ockam_nl_put_u8(struct ockam_nl_request *req, int attr, uint8_t value);
void ockam_nl_put_u32(struct ockam_nl_request *req, int attr, uint32_t value);
void ockam_nl_put_u64(struct ockam_nl_request *req, int attr, uint64_t value);
void ockam_nl_put_flag(struct ockam_nl_request *req, int attr);
/* These put nothing when it is not given. */
void ockam_nl_put_text(struct ockam_nl_request *req, int attr, const char *text);
void ockam_nl_put_blob(struct ockam_nl_request *req, int attr,
		       const struct ockam_nl_blob *blob);
void ockam_nl_put_name(struct ockam_nl_request *req, int attr,
		       const struct ockam_nl_name *name);
void ockam_nl_put_liveness(struct ockam_nl_request *req,
			   const struct ockam_nl_liveness *liveness);
void ockam_nl_put_reach(struct ockam_nl_request *req,
			const struct ockam_nl_reach *reach);

/* A message of the family, not an acknowledgement. Negative errno ends a call. */
typedef int (*ockam_nl_reply_fn)(void *arg, struct nlattr **tb,
				 struct ockam_err *err);

/*
 * Send @req and take what answers it, until the acknowledgement. Always wipes
 * and frees the request. @fn NULL: no answer is expected. Returns 0, 1 (an
 * interrupted dump) or a negative errno with a sentence.
 */
int ockam_nl_call(struct ockam_nl *nl, struct ockam_nl_request *req,
		  ockam_nl_reply_fn fn, void *arg, struct ockam_err *err);

/* The same for a request with one name, and for one that asks for all there is. */
int ockam_nl_call_name(struct ockam_nl *nl, uint8_t cmd, int attr, const void *name, size_t len,
		       ockam_nl_reply_fn fn, void *arg, struct ockam_err *err);
int ockam_nl_call_dump(struct ockam_nl *nl, uint8_t cmd, ockam_nl_reply_fn fn, void *arg,
		       struct ockam_err *err);

/* Number that the last call had. */
uint32_t ockam_nl_last_seq(const struct ockam_nl *nl);

/* Attributes of an answer; absent or malformed ones give empty values. */
void ockam_nl_get_name(struct nlattr **tb, int attr, struct ockam_nl_name *name);
void ockam_nl_get_flow(struct nlattr **tb, int attr, struct ockam_nl_flow *flow);
void ockam_nl_get_identifier(struct nlattr **tb, int attr,
			     struct ockam_nl_identifier *id);
void ockam_nl_get_liveness(struct nlattr **tb,
			   struct ockam_nl_liveness *liveness);
struct ockam_nl_blob ockam_nl_get_blob(struct nlattr **tb, int attr);
void ockam_nl_get_text(struct nlattr **tb, int attr, char *text, size_t size);
const char *ockam_nl_get_string(struct nlattr **tb, int attr);
uint8_t ockam_nl_get_u8(struct nlattr **tb, int attr);
uint32_t ockam_nl_get_u32(struct nlattr **tb, int attr);
uint64_t ockam_nl_get_u64(struct nlattr **tb, int attr);

#endif /* OCKAM_LIB_NL_PRIV_H */
