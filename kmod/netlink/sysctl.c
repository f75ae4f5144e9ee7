// SPDX-License-Identifier: GPL-2.0
/*
 * net/ockam/: the limits of a namespace's node, the same ones that NODE_SET
 * changes. They return to their defaults when the node ends.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/capability.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
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

/*
 * ->extra1: the node, ->extra2: which limit; both filled in by namespace. As
 * text: a limit has 64 bits, which an unsigned long does not have everywhere.
 */
static int ockam_sysctl_handle(ockam_compat_ctl_table *table, int write,
			       void *buffer, size_t *lenp, loff_t *ppos)
{
	struct ockam_net *on = table->extra1;
	enum ockam_limit_attr which = (unsigned long)table->extra2;
	char text[24] = "";		/* 20 digits and what is around them */
	struct ctl_table copy = {
		.procname = table->procname,
		.data = text,
		.maxlen = sizeof(text),
		.mode = table->mode,
	};
	u64 value;
	int err;

	if (!write)
		snprintf(text, sizeof(text), "%llu",
			 ockam_netns_limit(on, which));
	err = proc_dostring(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	/* When it is full there may have been more. */
	if (strlen(text) == sizeof(text) - 1 ||
	    kstrtou64(strim(text), 0, &value))
		return -EINVAL;
	err = ockam_netns_check_limit(which, value, capable(CAP_NET_ADMIN), NULL);
	if (err)
		return err == -ERANGE ? -EINVAL : err;
	mutex_lock(&on->config_lock);
	ockam_netns_set_limit(on, which, value);
	mutex_unlock(&on->config_lock);
	return 0;
}

static const struct ctl_table ockam_sysctl_table[] = {
#define L(limit, file, ...) {						\
	.procname = #file,						\
	.extra2 = (void *)(unsigned long)OCKAM_LIMIT_##limit,		\
	.mode = 0644,							\
	.proc_handler = ockam_sysctl_handle,				\
},
#include "limits_table.h"
#undef L
};

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
