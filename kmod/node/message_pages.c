// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of large payloads, used again and again as drivers do it: a page that only
 * this cache still holds is nobody's. Clearing pages is a fifth of what a message
 * of 48 KB costs on a kernel that clears what it allocates, and every byte of a
 * fragment is written before anybody reads it.
 *
 * What is in the cache is charged to no memory cgroup; it is bounded, and goes when
 * it has not been used for a while. Beyond it pages are allocated and charged.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat_net.h"
#include "message.h"

/* Pages of 16 and 32 KiB; smaller fragments are not worth it. */
#define OCKAM_PAGES_SMALL	2
#define OCKAM_PAGES_LARGE	3
#define OCKAM_PAGES_CLASSES	2
#define OCKAM_PAGES_MAX		64		/* of a class and processor */
#define OCKAM_PAGES_IDLE	(10 * HZ)

/*
 * Pages that have been handed out, the oldest first: each with a reference of the
 * cache's, and as many others as it is used by.
 */
struct ockam_pages {
	spinlock_t lock;	/* all below; a leaf */
	struct page *pages[OCKAM_PAGES_MAX];
	unsigned int next;
	bool used;		/* since the last look */
};

/* Each processor uses its own, as long as it is not moved meanwhile. */
static DEFINE_PER_CPU(struct ockam_pages[OCKAM_PAGES_CLASSES], ockam_pages);

static void ockam_pages_age(struct work_struct *work);
static DECLARE_DELAYED_WORK(ockam_pages_work, ockam_pages_age);

/*
 * A page that is free again, with a reference for the caller; else NULL and @room:
 * whether the cache takes another one.
 */
static struct page *ockam_pages_reuse(unsigned int class, bool *room)
{
	struct ockam_pages *c;
	struct page *page;

	c = raw_cpu_ptr(&ockam_pages[class]);
	spin_lock_bh(&c->lock);
	c->used = true;
	page = c->pages[c->next];
	*room = !page;
	if (page) {
		c->next = (c->next + 1) % OCKAM_PAGES_MAX;
		/* Nobody can get a reference who has none. */
		if (page_ref_count(page) == 1)
			get_page(page);
		else
			page = NULL;
	}
	spin_unlock_bh(&c->lock);
	return page;
}

static void ockam_pages_keep(unsigned int class, struct page *page)
{
	struct ockam_pages *c;

	c = raw_cpu_ptr(&ockam_pages[class]);
	spin_lock_bh(&c->lock);
	if (!c->pages[c->next]) {
		get_page(page);
		c->pages[c->next] = page;
		c->next = (c->next + 1) % OCKAM_PAGES_MAX;
	}
	spin_unlock_bh(&c->lock);
	if (!delayed_work_pending(&ockam_pages_work))
		schedule_delayed_work(&ockam_pages_work, OCKAM_PAGES_IDLE);
}

static struct page *ockam_pages_alloc(unsigned int order, gfp_t gfp)
{
	unsigned int class = order - OCKAM_PAGES_SMALL;
	bool room = false;
	struct page *page;

	if (order < OCKAM_PAGES_SMALL)
		return alloc_pages(gfp | __GFP_COMP, order);
	page = ockam_pages_reuse(class, &room);
	if (page)
		return page;
	/* Not worth any effort: single pages do it too. */
	gfp = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_COMP | __GFP_NOWARN |
	      __GFP_NORETRY;
	if (room)
		gfp &= ~__GFP_ACCOUNT;
	page = alloc_pages(gfp, order);
	if (page && room && !page_is_pfmemalloc(page))
		ockam_pages_keep(class, page);
	return page;
}

int ockam_message_add_pages(struct sk_buff *skb, size_t len, gfp_t gfp)
{
	struct skb_shared_info *si = skb_shinfo(skb);
	unsigned int order;
	struct page *page;
	size_t part;

	/* With single pages, if need be. */
	BUILD_BUG_ON(OCKAM_MESSAGE_PIECE / PAGE_SIZE > MAX_SKB_FRAGS);

	while (len) {
		order = min_t(unsigned int, get_order(len), OCKAM_PAGES_LARGE);
		page = ockam_pages_alloc(order, gfp);
		if (!page && order) {
			order = 0;
			page = alloc_page(gfp);
		}
		if (!page || si->nr_frags == MAX_SKB_FRAGS) {
			if (page)
				put_page(page);
			return -ENOMEM;
		}
		part = min_t(size_t, len, PAGE_SIZE << order);
		skb_fill_page_desc(skb, si->nr_frags, page, 0, part);
		skb->truesize += PAGE_SIZE << order;
		len -= part;
	}
	return 0;
}

static void __ockam_pages_empty(struct ockam_pages *c)
	__must_hold(&c->lock)
{
	unsigned int i;

	for (i = 0; i < OCKAM_PAGES_MAX; i++) {
		if (c->pages[i])
			put_page(c->pages[i]);
		c->pages[i] = NULL;
	}
	c->next = 0;
}

/* Give back what no processor has used since the last time. True: all is. */
static bool ockam_pages_give(bool all)
{
	bool empty = true;
	struct ockam_pages *c;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < OCKAM_PAGES_CLASSES; i++) {
			c = per_cpu_ptr(&ockam_pages[i], cpu);
			spin_lock_bh(&c->lock);
			if (all || !c->used)
				__ockam_pages_empty(c);
			else
				empty = false;
			c->used = false;
			spin_unlock_bh(&c->lock);
		}
	}
	return empty;
}

static void ockam_pages_age(struct work_struct *work)
{
	if (!ockam_pages_give(false))
		schedule_delayed_work(&ockam_pages_work, OCKAM_PAGES_IDLE);
}

void ockam_message_init_module(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		for (i = 0; i < OCKAM_PAGES_CLASSES; i++)
			spin_lock_init(&per_cpu_ptr(&ockam_pages[i], cpu)->lock);
}

void ockam_message_exit_module(void)
{
	cancel_delayed_work_sync(&ockam_pages_work);
	ockam_pages_give(true);
}
