/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as it takes to run the receiving side of a stream link
 * in a fuzz target, in one thread, with nothing happening at the same time.
 * The kernel's headers are empty files that scripts/fuzz.mk makes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_FUZZ_KERNEL_SHIM_H
#define OCKAM_FUZZ_KERNEL_SHIM_H

#include <sanitizer/asan_interface.h>
#include <sys/socket.h>

#include "host.h"

#define __rcu
#define __percpu
#define HZ			250
#define SLAB_HWCACHE_ALIGN	0
#define SLAB_ACCOUNT		0
#define RCV_SHUTDOWN		1
#define container_of(p, type, member)	((type *)((char *)(p) - offsetof(type, member)))
#define offsetofend(type, member)	(offsetof(type, member) + sizeof(((type *)0)->member))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max3(a, b, c)		max(max(a, b), c)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define WARN_ON_ONCE(cond)	do { if (cond) abort(); } while (0)
#define smp_mb__after_atomic()	do { } while (0)

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { int refs; } refcount_t;
typedef struct { int locked; } spinlock_t;
typedef struct { unsigned int sequence; } seqcount_spinlock_t;

struct list_head { struct list_head *next, *prev; };
struct kvec { void *iov_base; size_t iov_len; };
struct mutex { int locked; };
struct work_struct { void (*func)(struct work_struct *work); };
struct delayed_work { struct work_struct work; };
struct rcu_head { void *next; };
struct rcu_work { struct work_struct work; };
struct rhash_head { void *next; };
struct rhashtable { void *table; };
struct xarray { void *head; };
struct sock { int sk_err; int sk_shutdown; };
struct socket { struct sock *sk; };
struct kmem_cache { size_t size; void *spare; };
struct mem_cgroup;
struct net;
struct workqueue_struct;

extern unsigned long jiffies;

static inline s64 atomic64_read(const atomic64_t *v) { return v->counter; }
static inline void atomic64_set(atomic64_t *v, s64 n) { v->counter = n; }
static inline void atomic64_add(s64 n, atomic64_t *v) { v->counter += n; }
static inline void atomic64_sub(s64 n, atomic64_t *v) { v->counter -= n; }
static inline void atomic64_inc(atomic64_t *v) { v->counter++; }
static inline void refcount_inc(refcount_t *r) { r->refs++; }
static inline bool refcount_inc_not_zero(refcount_t *r) { return r->refs && ++r->refs; }

static inline void set_bit(int bit, unsigned long *bits) { *bits |= 1ul << bit; }
static inline void clear_bit(int bit, unsigned long *bits) { *bits &= ~(1ul << bit); }
static inline bool test_bit(int bit, const unsigned long *bits) { return *bits >> bit & 1; }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_del_init(struct list_head *list)
{
	list->prev->next = list->next;
	list->next->prev = list->prev;
	INIT_LIST_HEAD(list);
}

#define list_for_each_entry_safe(pos, n, head, member)				\
	for (pos = container_of((head)->next, __typeof__(*pos), member),	\
	     n = container_of(pos->member.next, __typeof__(*pos), member);	\
	     &pos->member != (head);						\
	     pos = n, n = container_of(n->member.next, __typeof__(*n), member))

static inline size_t size_add(size_t a, size_t b)
{
	size_t sum;

	return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline void *kvmalloc(size_t size, gfp_t gfp) { return kmalloc(size, gfp); }
static inline void kvfree(const void *p) { kfree(p); }

static inline struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
						   unsigned int flags, void (*ctor)(void *))
{
	struct kmem_cache *cache = malloc(sizeof(*cache));

	(void)name;
	(void)align;
	(void)flags;
	(void)ctor;
	if (cache) {
		cache->size = size;
		cache->spare = NULL;
	}
	return cache;
}

#define kmem_cache_create_usercopy(name, size, align, flags, from, to, ctor)	\
	((void)(from), (void)(to), kmem_cache_create(name, size, align, flags, ctor))

static inline void kmem_cache_destroy(struct kmem_cache *cache)
{
	free(cache->spare);
	free(cache);
}

/* One is kept: it would cost more than the code under test. Nobody may touch it. */
static inline void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	if (cache->spare) {
		free(p);
		return;
	}
	cache->spare = p;
	__asan_poison_memory_region(p, cache->size);
}

static inline void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *p = cache->spare;

	(void)gfp;
	if (!p)
		return malloc(cache->size);
	__asan_unpoison_memory_region(p, cache->size);
	cache->spare = NULL;
	return p;
}

#define INIT_WORK(work, fn)	((work)->func = (fn))
static inline bool cancel_work_sync(struct work_struct *work) { (void)work; return false; }
static inline struct mem_cgroup *set_active_memcg(struct mem_cgroup *memcg)
{
	(void)memcg;
	return NULL;
}

#endif /* OCKAM_FUZZ_KERNEL_SHIM_H */
