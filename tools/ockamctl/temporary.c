// SPDX-License-Identifier: Apache-2.0
/*
 * A node that lives as long as one command.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "temporary.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "hex.h"
#include "node_new.h"
#include "spawn.h"

#define CTL_TEMPORARY_RANDOM	8	/* bytes that tell such nodes apart */

/* An identity that is named must be there; the default one is made. */
static int ctl_temporary_identity(struct ctl *ctl, const char *given, char name[OCKAM_NAME_SIZE])
{
	struct ockam_identity_record record = { };
	struct ockam_err err;
	int ret;

	ret = ctl_store(ctl, true);
	if (ret)
		return ret;
	if (given)
		ret = ockam_store_identity_get(ctl->store, given, &record, &err);
	else
		ret = ockam_store_identity_default(ctl->store, &ctl->remarks, &record, &err);
	if (ret < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	snprintf(name, OCKAM_NAME_SIZE, "%s", record.name);
	ockam_identity_record_free(&record);
	return CTL_EXIT_OK;
}

int ctl_temporary_start(struct ctl *ctl, const struct ctl_args *args, struct ctl_temporary *node)
{
	char name[OCKAM_NAME_SIZE], identity[OCKAM_NAME_SIZE], control[OCKAM_CONTROL_PATH];
	struct ctl_spawn spawn = {
		.name = name, .identity = identity, .in_memory = true, .no_listener = true,
		.exit_on_eof = true, .verbose = ctl_arg_given(args, "verbose"),
	};
	uint8_t random[CTL_TEMPORARY_RANDOM];
	struct ockam_err err;
	int len, ret;

	memset(node, 0, sizeof(*node));
	len = snprintf(name, sizeof(name), "temporary-");
	if (ockam_crypto_random(random, sizeof(random), &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	ockam_hex_encode(random, sizeof(random), name + len);
	if (ockam_home_control_path(&ctl->home, name, control, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	ret = ctl_node_check_possible(ctl);
	if (!ret)
		ret = ctl_temporary_identity(ctl, ctl_arg(args, "identity"), identity);
	if (!ret)
		ret = ctl_spawn_temporary(ctl, &spawn, &node->pid, &node->alive);
	if (ret)
		return ret;
	ret = ctl_session_open_path(ctl, name, control, &node->session);
	if (ret)
		ctl_temporary_stop(node);
	return ret;
}

void ctl_temporary_stop(struct ctl_temporary *node)
{
	ctl_session_close(&node->session);
	close(node->alive);
	waitpid(node->pid, NULL, 0);
}
