// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's AES-256-GCM costs by itself: messages of one size, sealed and
 * then opened in place, by so many threads at once, each with a key of its own.
 *
 *   echo "SIZE COUNT THREADS" >/sys/module/bench_aead/parameters/run
 *   cat /sys/module/bench_aead/parameters/result
 *
 * The result is two numbers, nanoseconds from the first thread's begin to the
 * last one's end: of sealing COUNT messages by each thread, and of opening them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <crypto/aead.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#define BENCH_AEAD_KEY		32
#define BENCH_AEAD_TAG		16
#define BENCH_AEAD_IV		12
#define BENCH_AEAD_SIZE_MAX	(1U << 20)
#define BENCH_AEAD_COUNT_MAX	(10U << 20)
#define BENCH_AEAD_THREADS_MAX	64U

/* One key, one message. Owned by bench_aead_run(), which frees it. */
struct bench_aead {
	struct crypto_aead	*tfm;
	struct aead_request	*req;
	void			*data;
	unsigned int		size;
	unsigned int		count;
	bool			open;
	int			err;
	struct completion	*begin;
	struct completion	done;
};

/* Of the last run; the lock of the module's parameters guards them. */
static u64 bench_aead_ns[2];

static size_t bench_aead_room(const struct bench_aead *b)
{
	return b->size + BENCH_AEAD_TAG;
}

static void bench_aead_free(struct bench_aead *b)
{
	if (b->data)
		free_pages_exact(b->data, bench_aead_room(b));
	aead_request_free(b->req);
	if (!IS_ERR_OR_NULL(b->tfm))
		crypto_free_aead(b->tfm);
}

static int bench_aead_init(struct bench_aead *b, unsigned int size, unsigned int count)
{
	static const u8 key[BENCH_AEAD_KEY] = { 1 };

	b->size = size;
	b->count = count;
	init_completion(&b->done);
	b->tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(b->tfm))
		return PTR_ERR(b->tfm);
	b->req = aead_request_alloc(b->tfm, GFP_KERNEL);
	b->data = alloc_pages_exact(bench_aead_room(b), GFP_KERNEL | __GFP_ZERO);
	if (!b->req || !b->data)
		return -ENOMEM;
	return crypto_aead_setkey(b->tfm, key, sizeof(key));
}

/* Opening what was sealed last does not need more than one message: the nonce stays. */
static int bench_aead_one(struct bench_aead *b, u8 *iv)
{
	unsigned int len = b->size + (b->open ? BENCH_AEAD_TAG : 0);
	struct scatterlist sg;
	DECLARE_CRYPTO_WAIT(wait);

	sg_init_one(&sg, b->data, bench_aead_room(b));
	aead_request_set_callback(b->req, CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP,
				  crypto_req_done, &wait);
	aead_request_set_crypt(b->req, &sg, &sg, len, iv);
	aead_request_set_ad(b->req, 0);
	return crypto_wait_req(b->open ? crypto_aead_decrypt(b->req) :
			       crypto_aead_encrypt(b->req), &wait);
}

/*
 * A message that was opened is no cipher text any more, and its tag does not fit.
 * That is found out when all the work is done, so it costs the same.
 */
static int bench_aead_loop(struct bench_aead *b)
{
	u8 iv[BENCH_AEAD_IV] = { };
	unsigned int i;
	int err;

	for (i = 0; i < b->count; i++) {
		err = bench_aead_one(b, iv);
		if (err && !(b->open && i && err == -EBADMSG))
			return err;
		cond_resched();
	}
	return 0;
}

static int bench_aead_thread(void *data)
{
	struct bench_aead *b = data;

	wait_for_completion(b->begin);
	b->err = bench_aead_loop(b);
	complete(&b->done);
	return 0;
}

/* One pass of all threads; the caller is the only one if there is to be one. */
static int bench_aead_pass(struct bench_aead *all, unsigned int threads, bool open, u64 *ns)
{
	struct task_struct *task;
	unsigned int i, started;
	struct completion begin;
	int err = 0;
	u64 start;

	init_completion(&begin);
	for (i = 0; i < threads; i++) {
		all[i].open = open;
		all[i].begin = &begin;
		reinit_completion(&all[i].done);
	}
	if (threads == 1) {
		start = ktime_get_ns();
		err = bench_aead_loop(all);
		*ns = ktime_get_ns() - start;
		return err;
	}
	for (started = 0; started < threads && !err; started++) {
		task = kthread_run(bench_aead_thread, &all[started], "bench_aead/%u", started);
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
	}
	start = ktime_get_ns();
	complete_all(&begin);
	for (i = 0; i < started; i++) {
		wait_for_completion(&all[i].done);
		err = err ?: all[i].err;
	}
	*ns = ktime_get_ns() - start;
	return err;
}

static int bench_aead_run(const char *text, const struct kernel_param *kp)
{
	unsigned int size, count, threads, i;
	struct bench_aead *all;
	int err = 0;

	if (sscanf(text, "%u %u %u", &size, &count, &threads) != 3 || !size || !count ||
	    !threads || size > BENCH_AEAD_SIZE_MAX || count > BENCH_AEAD_COUNT_MAX ||
	    threads > BENCH_AEAD_THREADS_MAX)
		return -EINVAL;
	all = kcalloc(threads, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	for (i = 0; i < threads && !err; i++)
		err = bench_aead_init(&all[i], size, count);
	err = err ?: bench_aead_pass(all, threads, false, &bench_aead_ns[0]);
	err = err ?: bench_aead_pass(all, threads, true, &bench_aead_ns[1]);
	for (i = 0; i < threads; i++)
		bench_aead_free(&all[i]);
	kfree(all);
	return err;
}

static int bench_aead_result(char *text, const struct kernel_param *kp)
{
	return sysfs_emit(text, "%llu %llu\n", bench_aead_ns[0], bench_aead_ns[1]);
}

static const struct kernel_param_ops bench_aead_run_ops = { .set = bench_aead_run };
static const struct kernel_param_ops bench_aead_result_ops = { .get = bench_aead_result };

module_param_cb(run, &bench_aead_run_ops, NULL, 0200);
module_param_cb(result, &bench_aead_result_ops, NULL, 0400);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Ockam for Linux authors");
MODULE_DESCRIPTION("What the kernel's AES-256-GCM costs by itself");
