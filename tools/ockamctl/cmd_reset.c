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
	struct ockam_life_name *names;
	struct ockam_err err;
	int n, i, ret = 0;

	if (!ctl_confirm(ctl, args, "Are you sure you want to proceed?"))
		return CTL_EXIT_FAILURE;
	/* By their locks: a damaged database names no nodes. */
	n = ockam_life_names(&ctl->home, &names);
	for (i = 0; i < n && !ret; i++)
		ret = ctl_node_end(&ctl->home, names[i].text, &err);
	free(names);
	if (ret)
		return ctl_output_fail_err(&ctl->out, &err);
	ockam_sweep(&ctl->home, &err);
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
