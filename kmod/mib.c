// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of a node, per processor.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/percpu.h>

#include "mib.h"
#include "netns.h"

static const char * const ockam_mib_names[__OCKAM_MIB_MAX] = {
#define X(sym, name) [OCKAM_MIB_##sym] = name,
	OCKAM_MIB_COUNTS(X)
#undef X
#define X(sym, name) [OCKAM_DROP_##sym] = name,
	OCKAM_MIB_DROPS(X)
#undef X
};

void ockam_mib_add(struct ockam_net *on, enum ockam_mib which, u64 n)
{
	this_cpu_add(on->mib->v[which], n);
}

u64 ockam_mib_read(const struct ockam_net *on, enum ockam_mib which)
{
	u64 sum = 0;
	int cpu;

	/*
	 * On 32-bit machines a reader may see a torn value once in 2^32
	 * events; counters are for people, and the next reading is right.
	 */
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(on->mib, cpu)->v[which]);
	return sum;
}

const char *ockam_mib_name(enum ockam_mib which)
{
	return ockam_mib_names[which];
}
