// SPDX-License-Identifier: Apache-2.0
/*
 * ockam reset (cli 2.17).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>

#include "ctl.h"
#include "node_end.h"
#include "sweep.h"

static int ctl_reset(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_result out = { .plain = "Local Ockam configuration deleted" };
	struct ockam_node_record *nodes = NULL;
	struct ockam_err err;
	size_t n = 0, i;

	if (!ctl_confirm(ctl, args, "Are you sure you want to proceed?"))
		return CTL_EXIT_FAILURE;
	/* A damaged database names no nodes; the sweep finds what they left. */
	if (!ockam_store_open(&ctl->home, 0, &ctl->store, &err))
		ockam_store_node_list(ctl->store, &nodes, &n, &err);
	for (i = 0; i < n; i++) {
		if (ctl_node_end(&nodes[i], &err) < 0) {
			free(nodes);
			return ctl_output_fail_err(&ctl->out, &err);
		}
	}
	free(nodes);
	ockam_sweep(&ctl->home, ctl->store, &err);
	ockam_store_close(ctl->store);
	ctl->store = NULL;
	if (ockam_home_reset(&ctl->home, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	return ctl_output_result(&ctl->out, &out);
}

static const struct ctl_flag ctl_reset_flags[] = {
	CTL_YES_FLAG,
	{ .name = "all", .help = "Accepted: there is nothing beyond this machine" },
	{ }
};

const struct ctl_command ctl_cmd_reset = {
	.name = "reset",
	.about = "Stop all nodes and delete nodes, identities, vaults and keys of this home",
	.flags = ctl_reset_flags,
	.run = ctl_reset,
};
