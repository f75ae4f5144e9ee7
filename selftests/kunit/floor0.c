// SPDX-License-Identifier: GPL-2.0
/*
 * The code under test, compiled into the test module: it exports nothing that
 * could be borrowed from ockam.ko, and must not have to.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <crypto/internal/aead.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "driver.h"

#include "../../kmod/codec/addr.c"
#include "../../kmod/codec/cbor.c"
#include "../../kmod/codec/link_cut.c"
#include "../../kmod/codec/replay.c"
#include "../../kmod/codec/wire.c"

struct test_driver test_driver;
atomic_t test_nonces_repeated;

static DECLARE_WAIT_QUEUE_HEAD(test_driver_wait);

void test_driver_let_go(void)
{
	WRITE_ONCE(test_driver.held, false);
	wake_up_all(&test_driver_wait);
}

struct test_later {
	struct work_struct work;
	struct aead_request *req;
	int (*run)(struct aead_request *req);
	bool backlog;
};

static void test_driver_say(struct aead_request *req, int err)
{
	local_bh_disable();
	aead_request_complete(req, err);
	local_bh_enable();
}

static void test_driver_work(struct work_struct *work)
{
	struct test_later *later = container_of(work, struct test_later, work);
	int err = test_driver.err;

	wait_event(test_driver_wait, !READ_ONCE(test_driver.held));
	if (later->backlog)
		test_driver_say(later->req, -EINPROGRESS);
	if (!err)
		err = later->run(later->req);
	if (err != -EINPROGRESS && err != -EBUSY)
		test_driver_say(later->req, err);
	kfree(later);
}

static int test_driver_run(struct aead_request *req,
			   int (*run)(struct aead_request *req))
{
	bool backlog = test_driver.backlog;
	struct test_later *later;

	if (!test_driver.later)
		return run(req);
	later = kmalloc(sizeof(*later), GFP_ATOMIC);
	if (!later)
		return -ENOMEM;
	later->req = req;
	later->run = run;
	later->backlog = backlog;
	INIT_WORK(&later->work, test_driver_work);
	/* From here on it may be gone. */
	queue_work(system_unbound_wq, &later->work);
	return backlog ? -EBUSY : -EINPROGRESS;
}

static int test_driver_encrypt(struct aead_request *req)
{
	return test_driver_run(req, crypto_aead_encrypt);
}

static int test_driver_decrypt(struct aead_request *req)
{
	return test_driver_run(req, crypto_aead_decrypt);
}

#define crypto_aead_encrypt test_driver_encrypt
#define crypto_aead_decrypt test_driver_decrypt
#define ockam_aead_monitor_report(nonce) atomic_inc(&test_nonces_repeated)

#include "../../kmod/codec/aead.c"
#include "../../kmod/codec/aead_monitor.c"
#include "../../kmod/codec/aead_pool.c"

MODULE_DESCRIPTION("Tests of ockam's codec, routes, window and cipher");
MODULE_LICENSE("GPL");
