// SPDX-License-Identifier: GPL-2.0
/*
 * Keys end with the machine that they were made in.
 *
 * A virtual machine that is copied, or put back to an earlier state, would seal
 * other messages with keys and nonces that were used already, which gives both
 * away. The hypervisor says so by a new VM generation identifier. What was
 * sealed between the copy's first instruction and that notification cannot be
 * taken back.
 *
 * A machine that sleeps leaves its memory to whoever gets hold of it, or writes
 * it to a disk.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/suspend.h>

#include "aead.h"
#include "machine.h"
#include "netns.h"

static void ockam_machine_end_keys(bool copied, const char *why)
{
	struct ockam_net *on;
	struct net *net;

	/* Whatever is on the list stays until it is let go. */
	down_read(&net_rwsem);
	for_each_net(net) {
		on = ockam_netns_from(net);
		ockam_handshake_end_keys(on, why);
		ockam_channel_end_keys(on, copied, why);
	}
	up_read(&net_rwsem);
}

static int ockam_machine_copied(struct notifier_block *nb,
				unsigned long action, void *data)
{
	ockam_machine_end_keys(true,
			       "the virtual machine was copied or restored");
	return NOTIFY_DONE;
}

static int ockam_machine_power(struct notifier_block *nb,
			       unsigned long action, void *data)
{
	/* Where sleeping is what a machine does all the time, keys stay. */
	if (IS_ENABLED(CONFIG_PM_AUTOSLEEP) ||
	    IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP))
		return NOTIFY_DONE;
	switch (action) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		/* Tasks run on for seconds, and would make new ones at once. */
		ockam_netns_set_asleep(true);
		ockam_machine_end_keys(false, "the machine went to sleep");
		ockam_aead_flush();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		ockam_netns_set_asleep(false);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block ockam_machine_copy_notifier = {
	.notifier_call = ockam_machine_copied,
};

static struct notifier_block ockam_machine_power_notifier = {
	.notifier_call = ockam_machine_power,
};

int ockam_machine_init(void)
{
	int err;

	err = register_random_vmfork_notifier(&ockam_machine_copy_notifier);
	if (err)
		return err;
	err = register_pm_notifier(&ockam_machine_power_notifier);
	if (err)
		unregister_random_vmfork_notifier(&ockam_machine_copy_notifier);
	return err;
}

void ockam_machine_exit(void)
{
	unregister_pm_notifier(&ockam_machine_power_notifier);
	unregister_random_vmfork_notifier(&ockam_machine_copy_notifier);
}
