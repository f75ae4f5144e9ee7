// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options at level SOL_OCKAM. All of them are one int.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/uaccess.h>

#include "af_ockam.h"
#include "sockopt.h"

static int ockam_sockopt_set_flag(bool *flag, int v)
{
	if (v != 0 && v != 1)
		return -EINVAL;
	*flag = v;
	return 0;
}

static int ockam_sockopt_set_reach(struct ockam_sock *os, int v)
{
	if (v & ~OCKAM_REACH_ALL)
		return -EINVAL;
	os->reach = v;
	if (os->bound)
		WRITE_ONCE(os->ep.reach, v);
	return 0;
}

int ockam_sockopt_set(struct socket *sock, int level, int name,
		      sockptr_t value, unsigned int len)
{
	struct ockam_sock *os = ockam_af_sock(sock->sk);
	int err;
	int v;

	if (level != SOL_OCKAM)
		return -ENOPROTOOPT;
	if (name < OCKAM_RECVROUTE || name > OCKAM_REACH)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	if (copy_from_sockptr(&v, value, sizeof(v)))
		return -EFAULT;

	lock_sock(sock->sk);
	switch (name) {
	case OCKAM_RECVROUTE:
		err = ockam_sockopt_set_flag(&os->recv_route, v);
		break;
	case OCKAM_RECVPEER:
		err = ockam_sockopt_set_flag(&os->recv_peer, v);
		break;
	default:
		err = ockam_sockopt_set_reach(os, v);
	}
	release_sock(sock->sk);
	return err;
}

int ockam_sockopt_get(struct socket *sock, int level, int name,
		      char __user *value, int __user *len)
{
	struct ockam_sock *os = ockam_af_sock(sock->sk);
	int room;
	int v;

	if (level != SOL_OCKAM)
		return -ENOPROTOOPT;
	switch (name) {
	case OCKAM_RECVROUTE:
		v = READ_ONCE(os->recv_route);
		break;
	case OCKAM_RECVPEER:
		v = READ_ONCE(os->recv_peer);
		break;
	case OCKAM_REACH:
		v = READ_ONCE(os->reach);
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (get_user(room, len))
		return -EFAULT;
	if (room < (int)sizeof(v))
		return -EINVAL;
	if (put_user((int)sizeof(v), len) || copy_to_user(value, &v, sizeof(v)))
		return -EFAULT;
	return 0;
}
