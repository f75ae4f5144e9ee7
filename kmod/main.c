// SPDX-License-Identifier: GPL-2.0
/*
 * Module init ladder and its mirror.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/module.h>
#include <linux/net.h>

#include "aead.h"
#include "af_ockam.h"
#include "af_quota.h"
#include "channel.h"
#include "handshake.h"
#include "link.h"
#include "machine.h"
#include "message.h"
#include "netlink.h"
#include "netns.h"
#include "sysctl.h"

static int __init ockam_init(void)
{
	int err;

	ockam_message_init_module();
	err = ockam_endpoint_init_module();
	if (err)
		return err;
	err = ockam_aead_init();
	if (err)
		goto err_endpoint;
	err = ockam_link_init();
	if (err)
		goto err_aead;
	err = ockam_channel_init();
	if (err)
		goto err_link;
	err = ockam_handshake_init();
	if (err)
		goto err_channel;
	err = ockam_quota_init();
	if (err)
		goto err_handshake;
	err = ockam_netns_init();
	if (err)
		goto err_quota;
	/* Before the surfaces: no key is there before somebody would end it. */
	err = ockam_machine_init();
	if (err)
		goto err_netns;
	err = ockam_sysctl_init();
	if (err)
		goto err_machine;
	err = ockam_netlink_init();
	if (err)
		goto err_sysctl;
	err = ockam_af_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	ockam_netlink_exit();
err_sysctl:
	ockam_sysctl_exit();
err_machine:
	ockam_machine_exit();
err_netns:
	ockam_netns_exit();
err_quota:
	ockam_quota_exit();
err_handshake:
	ockam_handshake_exit();
err_channel:
	ockam_channel_exit();
err_link:
	ockam_link_exit();
err_aead:
	ockam_aead_exit();
err_endpoint:
	ockam_endpoint_exit_module();
	ockam_message_exit_module();
	return err;
}

static void __exit ockam_exit(void)
{
	ockam_af_exit();
	ockam_netlink_exit();
	ockam_sysctl_exit();
	ockam_machine_exit();
	ockam_netns_exit();
	ockam_quota_exit();
	ockam_handshake_exit();
	ockam_channel_exit();
	ockam_link_exit();
	ockam_aead_exit();
	ockam_endpoint_exit_module();
	ockam_message_exit_module();
}

module_init(ockam_init);
module_exit(ockam_exit);

MODULE_DESCRIPTION("Ockam: end-to-end encrypted, routed message channels");
MODULE_AUTHOR("The Ockam for Linux authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(OCKAM_MODULE_VERSION);
