// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_SEQPACKET sockets: how a handshake becomes a connection, and how that
 * ends. What handshakes and channels call here takes no lock that a system call
 * sleeps under.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/capability.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "af_quota.h"
#include "af_seq.h"
#include "channel.h"
#include "handshake.h"
#include "message.h"
#include "netns.h"
#include "route.h"

/* errnos of the kernel's own, and nonsense of the worker, are no program's. */
static int ockam_seq_errno(int error)
{
	return error < 0 && error > -512 ? -error : EPROTO;
}

/*
 * Where records go at first: to @last at the other end of @ch. NULL without memory.
 */
static struct ockam_peer *ockam_seq_first_peer(const struct ockam_channel *ch,
					       const struct ockam_hop *last)
{
	const struct ockam_endpoint *enc = ockam_channel_encryptor(ch);
	struct ockam_peer *peer;
	size_t len;
	u8 *p;

	len = 2 * OCKAM_HOP_HDR_LEN + enc->name_len + last->len;
	peer = kzalloc(struct_size(peer, route, len), GFP_KERNEL_ACCOUNT);
	if (!peer)
		return NULL;
	peer->len = len;
	peer->hops = 2;
	p = peer->route;
	*p++ = OCKAM_ADDR_LOCAL;
	*p++ = enc->name_len;
	memcpy(p, enc->name, enc->name_len);
	p += enc->name_len;
	*p++ = last->type;
	*p++ = last->len;
	memcpy(p, last->name, last->len);
	return peer;
}

/*
 * The socket has @ch from now on, and unless a record has told already where to
 * @peer, which is taken over.
 */
static void __ockam_seq_connected(struct ockam_seq *seq, struct ockam_channel *ch,
				  struct ockam_peer *peer)
	__must_hold(&seq->lock)
{
	struct sock *sk = &seq->os.sk;

	ockam_channel_get(ch);
	if (!rcu_access_pointer(seq->os.peer))
		rcu_assign_pointer(seq->os.peer, peer);
	else
		kfree(peer);
	/* Pairs with ockam_seq_channel(). */
	smp_store_release(&seq->ch, ch);
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	/* A handshake before this one may have come as far, and failed then. */
	ockam_seq_drop_strangers(seq);
}

/* ---- connect() ---- */

static bool ockam_seq_done(struct ockam_endpoint *ep, struct ockam_channel *ch,
			   int error)
{
	struct ockam_seq *seq = container_of(ep, struct ockam_seq, sink);
	struct sock *sk = &seq->os.sk;
	struct ockam_peer *peer = NULL;
	struct ockam_hop last;
	bool waited;

	/* ->route stays as it is in TCP_SYN_SENT, and is not empty. */
	if (ch && ockam_route_last(&seq->route, &last)) {
		peer = ockam_seq_first_peer(ch, &last);
		error = peer ? 0 : -ENOMEM;
	}
	/* Its end comes after this, so it holds what was there at its birth. */
	if (peer)
		ockam_endpoint_get(&ch->enc);
	spin_lock_bh(&seq->lock);
	waited = sk->sk_state == TCP_SYN_SENT;
	if (waited && peer) {
		__ockam_seq_connected(seq, ch, peer);
	} else if (waited) {
		WRITE_ONCE(sk->sk_err, ockam_seq_errno(error));
		WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	}
	spin_unlock_bh(&seq->lock);
	if (waited && peer) {
		sk->sk_state_change(sk);
		return true;
	}
	if (waited)
		sk_error_report(sk);
	if (peer)
		ockam_endpoint_put(&ch->enc);
	kfree(peer);
	return false;
}

/* ---- accept() ---- */

static bool ockam_seq_room(struct ockam_endpoint *ep, unsigned int pending)
{
	struct ockam_seq *seq = container_of(ep, struct ockam_seq, sink);
	struct sock *sk = &seq->os.sk;
	bool room;

	spin_lock_bh(&seq->lock);
	room = sk->sk_state == TCP_LISTEN && !(sk->sk_shutdown & RCV_SHUTDOWN) &&
	       pending + sk->sk_ack_backlog < READ_ONCE(sk->sk_max_ack_backlog);
	spin_unlock_bh(&seq->lock);
	return room;
}

/* A connected socket that nobody has yet, or NULL. */
static struct ockam_seq *ockam_seq_make_child(struct ockam_seq *parent,
					      struct ockam_channel *ch)
{
	struct ockam_hop own = ockam_endpoint_hop(&parent->sink);
	struct ockam_peer *peer = NULL;
	struct ockam_seq *child;

	child = ockam_seq_alloc_child(parent);
	if (!child)
		return NULL;
	if (ockam_seq_make_sink(child, own.name, own.len))
		goto err;
	peer = ockam_seq_first_peer(ch, &own);
	if (!peer)
		goto err;
	/* It may have ended by now. */
	if (!ockam_endpoint_tryget(&ch->enc))
		goto err;
	spin_lock_bh(&child->lock);
	__ockam_seq_connected(child, ch, peer);
	spin_unlock_bh(&child->lock);
	return child;

err:
	kfree(peer);
	ockam_seq_discard(child);
	return NULL;
}

static struct ockam_endpoint *ockam_seq_take(struct ockam_endpoint *ep,
					     struct ockam_channel *ch)
{
	struct ockam_seq *seq = container_of(ep, struct ockam_seq, sink);
	struct sock *sk = &seq->os.sk;
	struct ockam_endpoint *sink;
	struct ockam_seq *child;
	bool taken;

	child = ockam_seq_make_child(seq, ch);
	if (!child)
		return NULL;
	sink = ockam_endpoint_get(&child->sink);
	spin_lock_bh(&seq->lock);
	taken = sk->sk_state == TCP_LISTEN && !(sk->sk_shutdown & RCV_SHUTDOWN);
	if (taken) {
		list_add_tail(&child->accept, &seq->accepts);
		sk_acceptq_added(sk);
	}
	spin_unlock_bh(&seq->lock);
	if (taken) {
		sk->sk_data_ready(sk);
		return sink;
	}
	ockam_endpoint_put(sink);
	ockam_seq_discard(child);
	return NULL;
}

static void ockam_seq_gone(struct ockam_endpoint *ep)
{
	struct ockam_seq *seq = container_of(ep, struct ockam_seq, sink);
	struct sock *sk = &seq->os.sk;
	bool listened;

	spin_lock_bh(&seq->lock);
	listened = sk->sk_state == TCP_LISTEN;
	if (listened) {
		WRITE_ONCE(sk->sk_err, ESHUTDOWN);
		WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	}
	spin_unlock_bh(&seq->lock);
	if (listened) {
		sk->sk_state_change(sk);
		sk_error_report(sk);
	}
}

static const struct ockam_handshake_owner ockam_seq_owner = {
	.done = ockam_seq_done,
	.room = ockam_seq_room,
	.accept = ockam_seq_take,
	.gone = ockam_seq_gone,
};

/* ---- both ---- */

/* What the handshake worker is told. kfree() it. NULL without memory. */
static u8 *ockam_seq_make_rules(const struct ockam_seq *seq, size_t *len)
{
	size_t ids = (size_t)seq->rules.n_authorized * OCKAM_IDENTIFIER_LEN;
	const struct sock *sk = &seq->os.sk;
	struct ockam_socket_rules *rules;
	u8 *p;

	BUILD_BUG_ON(sizeof(*rules) + OCKAM_IDENTITY_NAME_MAX +
		     OCKAM_AUTHORIZED_MAX * OCKAM_IDENTIFIER_LEN > OCKAM_OPAQUE_MAX);

	*len = sizeof(*rules) + seq->rules.name_len + ids;
	rules = kzalloc(*len, GFP_KERNEL_ACCOUNT);
	if (!rules)
		return NULL;
	rules->version = OCKAM_SOCKET_RULES;
	if (ockam_af_is_admin(sk))
		rules->flags |= OCKAM_SOCKET_ADMIN;
	rules->name_len = seq->rules.name_len;
	rules->uid = from_kuid_munged(sock_net(sk)->user_ns, seq->uid);
	rules->n_authorized = seq->rules.n_authorized;
	p = (u8 *)(rules + 1);
	memcpy(p, seq->rules.name, seq->rules.name_len);
	if (ids)
		memcpy(p + seq->rules.name_len, seq->rules.authorized, ids);
	return (u8 *)rules;
}

/* A name of its own, and who receives. */
static int ockam_seq_prepare(struct ockam_seq *seq)
{
	int err = 0;

	if (!seq->os.bound)
		err = ockam_af_bind_name(&seq->os, NULL, 0);
	if (!err)
		err = ockam_seq_make_sink(seq, seq->os.ep.name,
					  seq->os.ep.name_len);
	return err;
}

static void ockam_seq_set_state(struct ockam_seq *seq, int state)
{
	spin_lock_bh(&seq->lock);
	WRITE_ONCE(seq->os.sk.sk_state, state);
	spin_unlock_bh(&seq->lock);
}

int ockam_seq_begin(struct ockam_seq *seq)
{
	struct ockam_handshake_params p = {
		.route = &seq->route,
		.owner = &ockam_seq_owner,
		.owner_ep = &seq->sink,
	};
	struct sock *sk = &seq->os.sk;
	struct ockam_peer *old;
	long timeo;
	u8 *rules;
	int err;

	sock_owned_by_me(sk);
	err = ockam_seq_prepare(seq);
	if (err)
		return err;
	rules = ockam_seq_make_rules(seq, &p.opaque_len);
	if (!rules)
		return -ENOMEM;
	p.opaque = rules;
	timeo = sock_sndtimeo(sk, false);
	if (timeo != MAX_SCHEDULE_TIMEOUT)
		p.timeout_ms = clamp_t(u64, jiffies_to_msecs(timeo), 1, INT_MAX);

	WRITE_ONCE(sk->sk_err, 0);
	spin_lock_bh(&seq->lock);
	/* What a handshake before this one has received. */
	old = rcu_replace_pointer(seq->os.peer, NULL,
				  lockdep_is_held(&seq->lock));
	WRITE_ONCE(sk->sk_state, TCP_SYN_SENT);
	spin_unlock_bh(&seq->lock);
	if (old)
		kfree_rcu(old, rcu);
	err = ockam_handshake_start(ockam_netns_from(sock_net(sk)), &p,
				    &seq->exchange, NULL);
	kfree(rules);
	if (err)
		ockam_seq_set_state(seq, TCP_CLOSE);
	return err;
}

int ockam_seq_begin_listen(struct ockam_seq *seq)
{
	struct ockam_listener_params p = {
		.reach = seq->os.reach,
		.owner = &ockam_seq_owner,
		.owner_ep = &seq->sink,
		.replace = &seq->os.ep,
	};
	struct sock *sk = &seq->os.sk;
	u8 *rules;
	int err;

	sock_owned_by_me(sk);
	err = ockam_seq_prepare(seq);
	if (err)
		return err;
	rules = ockam_seq_make_rules(seq, &p.opaque_len);
	if (!rules)
		return -ENOMEM;
	p.opaque = rules;
	p.name = seq->os.ep.name;
	p.name_len = seq->os.ep.name_len;
	WRITE_ONCE(sk->sk_err, 0);
	sk->sk_ack_backlog = 0;
	ockam_seq_set_state(seq, TCP_LISTEN);
	err = ockam_handshake_add_listener(ockam_netns_from(sock_net(sk)), &p,
					   &seq->listener, NULL);
	kfree(rules);
	if (err)
		ockam_seq_set_state(seq, TCP_CLOSE);
	return err;
}

/* ---- the end ---- */

void ockam_seq_ended(struct ockam_endpoint *ep, int error, bool by_peer)
{
	struct ockam_seq *seq = container_of(ep, struct ockam_seq, sink);
	struct sock *sk = &seq->os.sk;
	bool ended, failed = false;

	spin_lock_bh(&seq->lock);
	/* A handshake that fails in this way is told by its own. */
	ended = sk->sk_state == TCP_ESTABLISHED;
	if (ended) {
		failed = !by_peer && !seq->closing;
		/* 0: an administrator has deleted the channel. */
		if (failed)
			WRITE_ONCE(sk->sk_err, error ? ockam_seq_errno(error) :
						       ECONNABORTED);
		WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
		WRITE_ONCE(sk->sk_state, TCP_CLOSE_WAIT);
	}
	spin_unlock_bh(&seq->lock);
	if (ended)
		sk->sk_state_change(sk);
	if (failed)
		sk_error_report(sk);
}

void ockam_seq_end(struct ockam_seq *seq, bool abort)
{
	struct ockam_seq *child, *next;
	struct sock *sk = &seq->os.sk;
	LIST_HEAD(accepts);
	int state;

	spin_lock_bh(&seq->lock);
	state = sk->sk_state;
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	seq->closing = true;
	list_splice_init(&seq->accepts, &accepts);
	spin_unlock_bh(&seq->lock);

	ockam_gate_cancel(&seq->os.blocked.gate);
	if (seq->os.bound)
		ockam_endpoint_remove(&seq->os.ep);
	if (state == TCP_SYN_SENT)
		ockam_handshake_cancel(ockam_netns_from(sock_net(sk)),
				       seq->exchange);
	if (seq->listener)
		ockam_handshake_end_listener(seq->listener);
	seq->listener = NULL;
	list_for_each_entry_safe(child, next, &accepts, accept) {
		list_del_init(&child->accept);
		ockam_seq_discard(child);
	}
	if (!seq->ch)
		return;
	if (abort)
		ockam_channel_close(seq->ch, 0, "aborted by its socket");
	else
		ockam_channel_finish(seq->ch, "closed by its socket");
}

void ockam_seq_discard(struct ockam_seq *seq)
{
	struct sock *sk = &seq->os.sk;

	/* A struct socket's is over by then. */
	ockam_seq_end(seq, false);
	if (seq->ch) {
		ockam_endpoint_put(&seq->ch->enc);
		ockam_channel_put(seq->ch);
	}
	ockam_seq_drop_record(seq);
	skb_queue_purge(&sk->sk_receive_queue);
	if (seq->has_sink) {
		/* Who waits for the reader looks again, and finds it gone. */
		ockam_gate_open(&seq->gate);
		ockam_endpoint_put(&seq->sink);
	}
	if (seq->os.bound)
		ockam_endpoint_put(&seq->os.ep);
	sock_put(sk);
}
