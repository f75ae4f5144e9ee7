// SPDX-License-Identifier: GPL-2.0
/*
 * What sockets of all types do to send: memory for a message, what it is charged
 * to, and waiting for queues of the node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "af_ockam.h"
#include "af_quota.h"
#include "message.h"
#include "netns.h"
#include "route.h"

struct sk_buff *ockam_af_alloc(struct ockam_sock *os, size_t routes, size_t len,
			       bool noblock, int *err)
{
	struct ockam_net *on = ockam_netns_from(sock_net(&os->sk));
	struct ockam_message_plan plan;
	struct sk_buff *skb;

	ockam_message_plan(&plan, routes, len, false);
	skb = sock_alloc_send_skb(&os->sk, plan.head, noblock, err);
	if (!skb)
		return NULL;
	if (ockam_message_build(skb, on, &plan, os->sk.sk_allocation)) {
		kfree_skb(skb);
		*err = -ENOBUFS;
		return NULL;
	}
	return skb;
}

/* Of a message that is charged to the node, to its sender's share, and to him. */
static void ockam_af_wfree(struct sk_buff *skb)
{
	ockam_message_uncharge(skb);
	ockam_quota_uncharge(ockam_af_sock(skb->sk)->account, skb->truesize);
	/* May let go of the socket, and with it of the namespace. */
	sock_wfree(skb);
}

bool ockam_af_charge(struct ockam_sock *os, struct sk_buff *skb,
		     struct ockam_dispatch *d)
{
	struct ockam_gate *memory = &ockam_cb(skb)->on->memory;
	struct ockam_gate *full;

	full = ockam_gate_full(memory) ? memory :
	       ockam_quota_charge(os->account, skb->truesize);
	if (full) {
		ockam_dispatch_note_gate(d, full);
		return false;
	}
	ockam_message_charge(skb);
	skb->destructor = ockam_af_wfree;
	return true;
}

void ockam_af_wake(struct ockam_gate_waiter *waiter)
{
	struct ockam_sock_waiter *w = container_of(waiter, struct ockam_sock_waiter,
						   gate);
	struct socket_wq *wq;

	/* As sk_write_space(), whatever is in the send buffer. */
	rcu_read_lock();
	wq = rcu_dereference(w->sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
						      EPOLLWRBAND);
	sk_wake_async(w->sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

/* Somebody who does not wait is told by poll() when @gate has room again. */
static int ockam_af_block(struct ockam_sock *os, struct ockam_gate *gate)
{
	struct sock *sk = &os->sk;
	bool waits;

	lock_sock(sk);
	/* What was met last is what poll() is asked for. */
	ockam_gate_cancel(&os->blocked.gate);
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	waits = ockam_gate_wait(gate, &os->blocked.gate);
	release_sock(sk);
	return waits ? -EAGAIN : 0;
}

static bool ockam_af_may_go(const struct sock *sk,
			    const struct ockam_gate_waiter *waiter)
{
	return !READ_ONCE(waiter->gate) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN;
}

int ockam_af_wait(struct ockam_sock *os, struct ockam_gate *gate, long *timeo)
{
	struct ockam_sock_waiter waiter = { .sk = &os->sk };
	struct sock *sk = &os->sk;
	long left;

	if (!*timeo)
		return ockam_af_block(os, gate);
	ockam_gate_waiter_init(&waiter.gate, ockam_af_wake);
	if (!ockam_gate_wait(gate, &waiter.gate))
		return 0;
	left = wait_event_interruptible_timeout(*sk_sleep(sk),
						ockam_af_may_go(sk, &waiter.gate),
						*timeo);
	ockam_gate_cancel(&waiter.gate);
	if (left < 0)
		return sock_intr_errno(*timeo);
	*timeo = left;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	return sock_error(sk);
}
