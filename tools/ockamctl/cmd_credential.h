/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential commands that read a node's store.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_CMD_CREDENTIAL_H
#define OCKAM_CTL_CMD_CREDENTIAL_H

#include "args.h"

extern const struct ctl_command ctl_credential_list_command;
extern const struct ctl_command ctl_credential_show_command;

#endif /* OCKAM_CTL_CMD_CREDENTIAL_H */
