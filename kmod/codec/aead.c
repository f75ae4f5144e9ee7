// SPDX-License-Identifier: GPL-2.0
/*
 * AES-256-GCM on messages: keys, and requests to the crypto interface.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <crypto/aes.h>
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "compat.h"
#include "aead_pool.h"

static atomic64_t ockam_aead_last_id = ATOMIC64_INIT(0);

void ockam_aead_key_install(struct ockam_aead_key *key, const u8 *bytes)
{
	key->id = atomic64_inc_return(&ockam_aead_last_id);
	key->hint = NULL;
	memcpy(key->bytes, bytes, sizeof(key->bytes));
}

/*
 * The rekey step encrypts 32 zero bytes with GCM. Its ciphertext is the bare
 * key stream: CTR blocks 2 and 3 of the IV (block 1 masks the tag).
 */
void ockam_aead_key_next(struct ockam_aead_key *next,
			 const struct ockam_aead_key *key)
{
	u8 block[AES_BLOCK_SIZE] = { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
				     0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2 };
	struct ockam_compat_aes_key aes;

	BUILD_BUG_ON(OCKAM_KEY_LEN != 2 * AES_BLOCK_SIZE);
	BUILD_BUG_ON(OCKAM_KEY_LEN != AES_KEYSIZE_256);

	/* Cannot fail: the length is right. */
	ockam_compat_aes_prepare(&aes, key->bytes, sizeof(key->bytes));
	aes_encrypt(&aes, next->bytes, block);
	block[AES_BLOCK_SIZE - 1] = 3;
	aes_encrypt(&aes, next->bytes + AES_BLOCK_SIZE, block);
	memzero_explicit(&aes, sizeof(aes));

	next->id = atomic64_inc_return(&ockam_aead_last_id);
	next->hint = NULL;
}

/* An asynchronous driver has finished, or begins what had to wait. */
void ockam_aead_complete(ockam_compat_crypto_arg *arg, int err)
{
	struct ockam_aead_op *op = ockam_compat_crypto_data(arg);
	ockam_aead_done_fn done = op->done;
	void *data = op->data;

	if (err == -EINPROGRESS)
		return;
	if (!done) {
		op->err = err;
		complete(&op->wait);
		return;
	}
	ockam_aead_release(op);
	done(data, err);
}

unsigned int ockam_aead_count_skb(const struct sk_buff *skb)
{
	unsigned int n = 1 + skb_shinfo(skb)->nr_frags;
	const struct sk_buff *part;

	skb_walk_frags(skb, part)
		n += ockam_aead_count_skb(part);
	return n;
}

/* An entry alone. It has been initialised once, which sg_init_one() did again. */
static void ockam_aead_map_one(struct scatterlist *sg, void *buf,
			       unsigned int len)
{
	sg_set_buf(sg, buf, len);
	sg_mark_end(sg);
}

/*
 * Describe @len bytes at @off of @skb in the entries from *@used on, and count
 * those that it takes.
 */
static int ockam_aead_map_skb(struct ockam_aead_op *op, struct sk_buff *skb,
			      unsigned int off, unsigned int len,
			      unsigned int *used)
{
	struct scatterlist *sg = op->sg + *used;
	int n = 1;

	if (WARN_ON_ONCE(*used >= op->n_sg))
		return -EINVAL;
	if (likely(off + len <= skb_headlen(skb))) {
		ockam_aead_map_one(sg, skb->data + off, len);
	} else {
		sg_init_table(sg, op->n_sg - *used);
		n = skb_to_sgvec(skb, sg, off, len);
		if (WARN_ON_ONCE(n < 0))
			return n;
	}
	*used += n;
	return 0;
}

static void ockam_aead_set_up(struct ockam_aead_op *op, struct scatterlist *dst,
			      size_t len, u64 nonce, u32 flags,
			      ockam_aead_done_fn done, void *data)
{
	memset(op->iv, 0, 4);
	put_unaligned_be64(nonce, op->iv + 4);
	op->done = done;
	op->data = data;
	op->req.base.flags = CRYPTO_TFM_REQ_MAY_BACKLOG | flags;
	aead_request_set_crypt(&op->req, op->sg, dst, len, op->iv);
}

/* Sleeps until an asynchronous driver has finished. */
static int ockam_aead_open_wait(struct ockam_aead_op *op,
				struct scatterlist *dst, size_t len, u64 nonce)
{
	int err;

	ockam_aead_set_up(op, dst, len, nonce, CRYPTO_TFM_REQ_MAY_SLEEP,
			  NULL, NULL);
	err = crypto_aead_decrypt(&op->req);
	if (err != -EINPROGRESS && err != -EBUSY)
		return err;
	wait_for_completion(&op->wait);
	return op->err;
}

int ockam_aead_seal_skb(struct ockam_aead_op *op, struct sk_buff *skb,
			unsigned int off, unsigned int len, u64 nonce,
			ockam_aead_done_fn done, void *data)
{
	unsigned int used = 0;
	int err;

	err = ockam_aead_map_skb(op, skb, off, len + OCKAM_TAG_LEN, &used);
	if (!err) {
		ockam_aead_note_nonce(op->slot, nonce);
		/* Not MAY_SLEEP: whether a lock is held is not to be seen. */
		ockam_aead_set_up(op, op->sg, len, nonce, 0, done, data);
		err = crypto_aead_encrypt(&op->req);
		if (err == -EINPROGRESS || err == -EBUSY)
			return -EINPROGRESS;
	}
	ockam_aead_release(op);
	return err;
}

int ockam_aead_open_skb(struct ockam_aead_op *op, struct sk_buff *src,
			unsigned int off, unsigned int len, struct sk_buff *dst,
			unsigned int dst_off, u64 nonce)
{
	struct scatterlist *to = op->sg;
	unsigned int used = 0;
	int err = -EBADMSG;

	might_sleep();
	if (len < OCKAM_TAG_LEN)
		goto out;
	err = ockam_aead_map_skb(op, src, off, len, &used);
	/* Without a byte of plaintext nothing is written. */
	if (!err && dst != src && len > OCKAM_TAG_LEN) {
		to += used;
		err = ockam_aead_map_skb(op, dst, dst_off, len - OCKAM_TAG_LEN,
					 &used);
	}
	if (!err)
		err = ockam_aead_open_wait(op, to, len, nonce);
out:
	ockam_aead_release(op);
	return err;
}

int ockam_aead_init(void)
{
	struct crypto_aead *tfm;

	/* Say early that a kernel has no AES-GCM; load its driver if need be. */
	tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	crypto_free_aead(tfm);
	return ockam_aead_monitor_init();
}

void ockam_aead_exit(void)
{
	ockam_aead_monitor_exit();
}
