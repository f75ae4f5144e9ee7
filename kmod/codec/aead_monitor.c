// SPDX-License-Identifier: GPL-2.0
/*
 * Which nonces have been used with which keys: a table that is filled and never
 * emptied, so it is for test kernels (OCKAM_NONCE_MONITOR, scripts/build-module).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "aead_monitor.h"

#ifdef OCKAM_NONCE_MONITOR

#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "limits.h"

#define OCKAM_AEAD_MONITOR_BITS		18	/* 4 MiB, millions of messages */
#define OCKAM_AEAD_MONITOR_SIZE		BIT(OCKAM_AEAD_MONITOR_BITS)
#define OCKAM_AEAD_MONITOR_TRIES	64
#define OCKAM_AEAD_MONITOR_NONCES	32	/* in one entry */

/* The module of the tests plants a repetition, and counts. */
#ifndef ockam_aead_monitor_report
#define ockam_aead_monitor_report(nonce)				\
	WARN_ONCE(1, "ockam: nonce %llu was used again with its key\n", nonce)
#endif

/* A run of nonces under one key. Entries are taken once and for all. */
struct ockam_aead_monitor_entry {
	atomic64_t whose;		/* hash of key and run; 0: free */
	unsigned long used;		/* which of them */
};

static struct ockam_aead_monitor_entry *ockam_aead_monitor_table;
static siphash_key_t ockam_aead_monitor_secret;
static bool ockam_aead_monitor_on = true;

/* Tests that install fixed keys switch it off. Who switches it on begins anew. */
static int ockam_aead_monitor_set(const char *value, const struct kernel_param *kp)
{
	bool was = ockam_aead_monitor_on;
	int err = param_set_bool(value, kp);

	if (!err && !was && ockam_aead_monitor_on && ockam_aead_monitor_table)
		memset(ockam_aead_monitor_table, 0,
		       OCKAM_AEAD_MONITOR_SIZE * sizeof(*ockam_aead_monitor_table));
	return err;
}

static const struct kernel_param_ops ockam_aead_monitor_ops = {
	.set = ockam_aead_monitor_set,
	.get = param_get_bool,
};

module_param_cb(nonce_monitor, &ockam_aead_monitor_ops, &ockam_aead_monitor_on,
		0644);

u64 ockam_aead_monitor_digest(const u8 *key)
{
	return siphash(key, OCKAM_KEY_LEN, &ockam_aead_monitor_secret);
}

static struct ockam_aead_monitor_entry *ockam_aead_monitor_find(u64 hash)
{
	struct ockam_aead_monitor_entry *entry;
	unsigned int i;
	s64 old;

	for (i = 0; i < OCKAM_AEAD_MONITOR_TRIES; i++) {
		entry = &ockam_aead_monitor_table[(hash + i) %
						  OCKAM_AEAD_MONITOR_SIZE];
		old = atomic64_read(&entry->whose);
		if (!old)
			old = atomic64_cmpxchg(&entry->whose, 0, hash);
		if (!old || old == hash)
			return entry;
	}
	return NULL;
}

void ockam_aead_monitor_seal(u64 digest, u64 nonce)
{
	struct ockam_aead_monitor_entry *entry;
	u64 hash;

	if (!READ_ONCE(ockam_aead_monitor_on))
		return;
	hash = siphash_2u64(digest, nonce / OCKAM_AEAD_MONITOR_NONCES,
			    &ockam_aead_monitor_secret);
	entry = ockam_aead_monitor_find(hash ?: 1);
	if (!entry)
		pr_notice_once("ockam: the table of used nonces is full\n");
	else if (test_and_set_bit(nonce % OCKAM_AEAD_MONITOR_NONCES, &entry->used))
		ockam_aead_monitor_report(nonce);
}

int ockam_aead_monitor_init(void)
{
	get_random_bytes(&ockam_aead_monitor_secret,
			 sizeof(ockam_aead_monitor_secret));
	ockam_aead_monitor_table = kvcalloc(OCKAM_AEAD_MONITOR_SIZE,
					    sizeof(*ockam_aead_monitor_table),
					    GFP_KERNEL);
	return ockam_aead_monitor_table ? 0 : -ENOMEM;
}

void ockam_aead_monitor_exit(void)
{
	kvfree(ockam_aead_monitor_table);
	ockam_aead_monitor_table = NULL;
}

#endif /* OCKAM_NONCE_MONITOR */
