// SPDX-License-Identifier: GPL-2.0
/*
 * net/ockam/: the limits of a namespace's node, the same ones that NODE_SET
 * changes. They return to their defaults when the node ends.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/capability.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "compat.h"
#include "netns.h"
#include "sysctl.h"

struct ockam_sysctl_net {
	struct ctl_table_header *header;
	struct ctl_table *table;
};

static unsigned int ockam_sysctl_id __read_mostly;

/* ->extra1: the node, ->extra2: which limit; both filled in by namespace. */
static int ockam_sysctl_handle(ockam_compat_ctl_table *table, int write,
			       void *buffer, size_t *lenp, loff_t *ppos)
{
	struct ockam_net *on = table->extra1;
	enum ockam_limit_attr which = (unsigned long)table->extra2;
	unsigned long value = ockam_netns_limit(on, which);
	struct ctl_table copy = {
		.procname = table->procname,
		.data = &value,
		.maxlen = sizeof(value),
		.mode = table->mode,
	};
	const char *why;
	int err;

	err = proc_doulongvec_minmax(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	err = ockam_netns_check_limit(which, value, capable(CAP_NET_ADMIN), &why);
	if (err)
		return err == -ERANGE ? -EINVAL : err;
	mutex_lock(&on->config_lock);
	ockam_netns_set_limit(on, which, value);
	mutex_unlock(&on->config_lock);
	return 0;
}

/* One file; the handler's unit is that of the limit. */
#define S(limit, name) {						\
	.procname = name,						\
	.extra2 = (void *)(unsigned long)OCKAM_LIMIT_##limit,		\
	.maxlen = sizeof(unsigned long),				\
	.mode = 0644,							\
	.proc_handler = ockam_sysctl_handle,				\
}

static const struct ctl_table ockam_sysctl_table[] = {
	S(ADDRESSES, "max_addresses"),
	S(LINKS, "max_links"),
	S(CHANNELS, "max_channels"),
	S(LISTENERS, "max_listeners"),
	S(PENDING, "max_pending"),
	S(PENDING_LINK, "max_pending_per_link"),
	S(PENDING_RATE, "max_pending_rate"),
	S(FRAME_BYTES, "max_frame_bytes"),
	S(LINK_QUEUE_BYTES, "link_queue_bytes"),
	S(NODE_QUEUE_BYTES, "node_queue_bytes"),
	S(PARTIAL_BYTES, "partial_bytes"),
	S(CHANNEL_DEPTH, "max_channel_depth"),
	S(STALL_MS, "stall_ms"),
	S(HALF_FRAME_MS, "half_frame_ms"),
	S(INITIATOR_MS, "initiator_ms"),
	S(RESPONDER_MS, "responder_ms"),
	S(USER_ADDRESSES, "max_addresses_per_user"),
};

#undef S

static int __net_init ockam_sysctl_init_net(struct net *net)
{
	struct ockam_sysctl_net *sn = net_generic(net, ockam_sysctl_id);
	size_t i;

	/* One empty entry behind it: what older kernels look for. */
	sn->table = kcalloc(ARRAY_SIZE(ockam_sysctl_table) + 1,
			    sizeof(*sn->table), GFP_KERNEL_ACCOUNT);
	if (!sn->table)
		return -ENOMEM;
	memcpy(sn->table, ockam_sysctl_table, sizeof(ockam_sysctl_table));
	for (i = 0; i < ARRAY_SIZE(ockam_sysctl_table); i++)
		sn->table[i].extra1 = ockam_netns_from(net);
	sn->header = ockam_compat_register_net_sysctl(net, "net/ockam", sn->table,
						      ARRAY_SIZE(ockam_sysctl_table));
	if (sn->header)
		return 0;
	kfree(sn->table);
	return -ENOMEM;
}

static void __net_exit ockam_sysctl_exit_net(struct net *net)
{
	struct ockam_sysctl_net *sn = net_generic(net, ockam_sysctl_id);

	unregister_net_sysctl_table(sn->header);
	kfree(sn->table);
}

static struct pernet_operations ockam_sysctl_ops = {
	.init = ockam_sysctl_init_net,
	.exit = ockam_sysctl_exit_net,
	.id = &ockam_sysctl_id,
	.size = sizeof(struct ockam_sysctl_net),
};

/* A device, as the nodes are: exits run in reverse, so this one before theirs. */
int ockam_sysctl_init(void)
{
	return register_pernet_device(&ockam_sysctl_ops);
}

void ockam_sysctl_exit(void)
{
	unregister_pernet_device(&ockam_sysctl_ops);
}
