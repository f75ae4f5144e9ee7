/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options about silent peers of channels.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_LIVENESS_H
#define OCKAM_CTL_LIVENESS_H

#include <json-c/json.h>

#include "ctl.h"

/* Of channels made from now on. */
#define CTL_LIVENESS_FLAG \
	{ .name = "liveness", .kind = CTL_FLAG_VALUE, .placeholder = "<DURATION>", \
	  .check = ctl_check_liveness, \
	  .help = "Silence before the peer is asked if it is there (0: never, new: 30s)" }
#define CTL_LIVENESS_STRICT_FLAG \
	{ .name = "liveness-strict", \
	  .help = "End the channel also if the peer has never answered such a question" }

/* Check for command tables. */
int ctl_check_liveness(const char *value, struct ockam_err *why);

/** ctl_liveness_given() - is one of the flags on the line */
bool ctl_liveness_given(const struct ctl_args *args);

/** ctl_liveness_put() - the flags as members of a request */
void ctl_liveness_put(const struct ctl_args *args, struct json_object *request);

#endif /* OCKAM_CTL_LIVENESS_H */
