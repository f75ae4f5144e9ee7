// SPDX-License-Identifier: Apache-2.0
/*
 * Commands of the Orchestrator cloud: understood, and refused (cli 2).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "ctl.h"

static int ctl_cloud_refuse(struct ctl *ctl, const struct ctl_args *args)
{
	return ctl_output_fail(&ctl->out, -EACCES,
			       "Commands of the Orchestrator do not work with the kernel's nodes",
			       NULL,
			       "%s: Please enroll using 'ockam enroll' before using this command",
			       ctl_args_command(args)->name);
}

#define CTL_CLOUD_COMMAND(id, word) \
	const struct ctl_command ctl_cmd_##id = { \
		.name = word, .about = "Needs the Orchestrator: not available", \
		.hidden = true, .anything = true, .run = ctl_cloud_refuse, \
	}

CTL_CLOUD_COMMAND(enroll, "enroll");
CTL_CLOUD_COMMAND(space, "space");
CTL_CLOUD_COMMAND(space_admin, "space-admin");
CTL_CLOUD_COMMAND(project_admin, "project-admin");
CTL_CLOUD_COMMAND(subscription, "subscription");
CTL_CLOUD_COMMAND(admin, "admin");
CTL_CLOUD_COMMAND(lease, "lease");
CTL_CLOUD_COMMAND(share, "share");
CTL_CLOUD_COMMAND(sidecar, "sidecar");
CTL_CLOUD_COMMAND(kafka_inlet, "kafka-inlet");
CTL_CLOUD_COMMAND(kafka_outlet, "kafka-outlet");
CTL_CLOUD_COMMAND(influxdb_inlet, "influxdb-inlet");
CTL_CLOUD_COMMAND(influxdb_outlet, "influxdb-outlet");
