// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_SEQPACKET sockets: options at level SOL_OCKAM.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "af_seq.h"
#include "channel.h"
#include "handshake.h"
#include "netns.h"

/* --- before connect() or listen() --- */

static int ockam_seq_set_identity(struct ockam_seq *seq, sockptr_t value,
				  unsigned int len)
{
	u8 name[OCKAM_IDENTITY_NAME_MAX];

	if (len > sizeof(name))
		return -EINVAL;
	if (copy_from_sockptr(name, value, len))
		return -EFAULT;
	if (memchr(name, 0, len))
		return -EINVAL;
	if (ockam_seq_state(seq) != TCP_CLOSE)
		return -EISCONN;
	memcpy(seq->rules.name, name, len);
	seq->rules.name_len = len;
	return 0;
}

static int ockam_seq_set_authorized(struct ockam_seq *seq, sockptr_t value,
				    unsigned int len)
{
	u8 *ids = NULL;

	if (len % OCKAM_IDENTIFIER_LEN ||
	    len > OCKAM_AUTHORIZED_MAX * OCKAM_IDENTIFIER_LEN)
		return -EINVAL;
	if (ockam_seq_state(seq) != TCP_CLOSE)
		return -EISCONN;
	if (len) {
		ids = kmalloc(len, GFP_KERNEL_ACCOUNT);
		if (!ids)
			return -ENOMEM;
		if (copy_from_sockptr(ids, value, len)) {
			kfree(ids);
			return -EFAULT;
		}
	}
	kfree(seq->rules.authorized);
	seq->rules.authorized = ids;
	seq->rules.n_authorized = len / OCKAM_IDENTIFIER_LEN;
	return 0;
}

static int ockam_seq_set_reach(struct ockam_seq *seq, sockptr_t value,
			       unsigned int len)
{
	u32 mask;
	int v;

	if (len < sizeof(v))
		return -EINVAL;
	if (copy_from_sockptr(&v, value, sizeof(v)))
		return -EFAULT;
	if (v & ~OCKAM_REACH_ALL)
		return -EINVAL;
	seq->os.reach = v;
	mask = v;
	if (seq->listener)
		return ockam_handshake_set_reach(seq->listener, mask);
	return 0;
}

int ockam_seq_setsockopt(struct socket *sock, int level, int name,
			 sockptr_t value, unsigned int len)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	int err;

	if (level != SOL_OCKAM)
		return -ENOPROTOOPT;
	lock_sock(sock->sk);
	switch (name) {
	case OCKAM_REACH:
		err = ockam_seq_set_reach(seq, value, len);
		break;
	case OCKAM_IDENTITY:
		err = ockam_seq_set_identity(seq, value, len);
		break;
	case OCKAM_AUTHORIZED:
		err = ockam_seq_set_authorized(seq, value, len);
		break;
	default:
		err = -ENOPROTOOPT;
	}
	release_sock(sock->sk);
	return err;
}

/* --- reading them --- */

/* @n bytes, or -EINVAL when there is no room for all of them. */
static int ockam_seq_put(char __user *value, int __user *len, const void *data,
			 size_t n)
{
	int room;

	if (get_user(room, len))
		return -EFAULT;
	if (room < 0 || (size_t)room < n)
		return -EINVAL;
	if (put_user((int)n, len) || (n && copy_to_user(value, data, n)))
		return -EFAULT;
	return 0;
}

static u8 ockam_seq_state_number(const struct ockam_seq *seq)
{
	switch (ockam_seq_state(seq)) {
	case TCP_SYN_SENT:
		return OCKAM_SOCKET_CONNECTING;
	case TCP_ESTABLISHED:
		return OCKAM_SOCKET_CONNECTED;
	case TCP_LISTEN:
		return OCKAM_SOCKET_LISTENING;
	case TCP_CLOSE_WAIT:
		return OCKAM_SOCKET_ENDED;
	default:
		return OCKAM_SOCKET_IDLE;
	}
}

static int ockam_seq_fill_channel(struct ockam_channel *ch,
				  struct ockam_info *out)
{
	struct ockam_channel_info info;
	unsigned int i;
	int err;

	BUILD_BUG_ON(OCKAM_CHANNEL_REFUSED != __OCKAM_REFUSED_MAX);

	err = ockam_channel_get_info(ch, &info);
	if (err)
		return err;
	out->ockami_flags =
		(info.flags & OCKAM_FLAG_CONFIRMED ? OCKAM_INFO_CONFIRMED : 0) |
		(info.flags & OCKAM_FLAG_INITIATOR ? OCKAM_INFO_INITIATOR : 0) |
		(info.flags & OCKAM_FLAG_PAUSED ? OCKAM_INFO_PAUSED : 0);
	out->ockami_hops = info.route.hops;
	out->ockami_heard_ms = info.heard_ms;
	out->ockami_rx_packets = info.rx_messages;
	out->ockami_tx_packets = info.tx_messages;
	out->ockami_rx_bytes = info.rx_bytes;
	out->ockami_tx_bytes = info.tx_bytes;
	out->ockami_rekeys = info.rekeys;
	for (i = 0; i < __OCKAM_REFUSED_MAX; i++)
		out->ockami_refused[i] = info.refused[i];
	ockam_channel_reset_info(&info);
	return 0;
}

/* As much as there is room for. */
static int ockam_seq_get_info(struct ockam_seq *seq, char __user *value,
			      int __user *len)
{
	struct ockam_channel *ch = ockam_seq_channel(seq);
	struct ockam_listener_info listener;
	struct ockam_info info = { };
	int room, err;

	if (get_user(room, len))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	info.ockami_state = ockam_seq_state_number(seq);
	if (ch) {
		err = ockam_seq_fill_channel(ch, &info);
		if (err)
			return err;
	}
	if (seq->listener) {
		ockam_handshake_listener_info(seq->listener, &listener);
		info.ockami_pending = listener.pending;
		info.ockami_waiting = READ_ONCE(seq->os.sk.sk_ack_backlog);
	}
	room = min_t(size_t, room, sizeof(info));
	if (put_user(room, len) || copy_to_user(value, &info, room))
		return -EFAULT;
	return 0;
}

static int ockam_seq_get_attributes(struct ockam_channel *ch,
				    char __user *value, int __user *len)
{
	struct ockam_channel_info info;
	int err;

	err = ockam_channel_get_info(ch, &info);
	if (err)
		return err;
	if (info.attributes)
		err = ockam_seq_put(value, len, info.attributes->data,
				    info.attributes->len);
	else
		err = ockam_seq_put(value, len, NULL, 0);
	ockam_channel_reset_info(&info);
	return err;
}

static int ockam_seq_get_of_channel(struct ockam_seq *seq, int name,
				    char __user *value, int __user *len)
{
	struct ockam_channel *ch = ockam_seq_channel(seq);

	if (!ch)
		return -ENOTCONN;
	if (name == OCKAM_ATTRIBUTES)
		return ockam_seq_get_attributes(ch, value, len);
	return ockam_seq_put(value, len, ch->peer, sizeof(ch->peer));
}

int ockam_seq_getsockopt(struct socket *sock, int level, int name,
			 char __user *value, int __user *len)
{
	struct ockam_seq *seq = ockam_seq_sk(sock->sk);
	int err, v;

	if (level != SOL_OCKAM)
		return -ENOPROTOOPT;
	lock_sock(sock->sk);
	switch (name) {
	case OCKAM_REACH:
		v = seq->os.reach;
		err = ockam_seq_put(value, len, &v, sizeof(v));
		break;
	case OCKAM_IDENTITY:
		err = ockam_seq_put(value, len, seq->rules.name,
				    seq->rules.name_len);
		break;
	case OCKAM_AUTHORIZED:
		err = ockam_seq_put(value, len, seq->rules.authorized,
				    seq->rules.n_authorized * OCKAM_IDENTIFIER_LEN);
		break;
	case OCKAM_PEER:
	case OCKAM_ATTRIBUTES:
		err = ockam_seq_get_of_channel(seq, name, value, len);
		break;
	case OCKAM_INFO:
		err = ockam_seq_get_info(seq, value, len);
		break;
	default:
		err = -ENOPROTOOPT;
	}
	release_sock(sock->sk);
	return err;
}
