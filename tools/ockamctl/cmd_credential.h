/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential commands: flags that several have, and those that read a node's
 * store.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_CTL_CMD_CREDENTIAL_H
#define OCKAM_CTL_CMD_CREDENTIAL_H

#include "ctl.h"

/* A credential, and who must have issued it. */
#define CTL_ISSUER_FLAG \
	{ .name = "issuer", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTIFIER>", \
	  .required = true, .check = ctl_check_identifier, \
	  .help = "Who must have issued it: an identity of this home, or imported into it" }
#define CTL_CREDENTIAL_FLAG \
	{ .name = "credential", .kind = CTL_FLAG_VALUE, .placeholder = "<CREDENTIAL_STRING>", \
	  .excludes = "credential-path", .required = true, .unless = "credential-path", \
	  .help = "The credential in hex" }
#define CTL_CREDENTIAL_PATH_FLAG \
	{ .name = "credential-path", .kind = CTL_FLAG_VALUE, .placeholder = "<CREDENTIAL_FILE>", \
	  .help = "A file with the credential in hex" }

extern const struct ctl_command ctl_credential_list_command;
extern const struct ctl_command ctl_credential_show_command;

#endif /* OCKAM_CTL_CMD_CREDENTIAL_H */
