/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network namespace of a node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_NETNS_H
#define OCKAMD_NETNS_H

#include "life.h"

/**
 * ockamd_netns_enter_new() - put the calling thread into a new namespace
 * @err: the reason
 *
 * The loopback interface is brought up. Threads that exist already, and the
 * descriptors of all, stay where they are.
 *
 * Return: 0; -EPERM without CAP_SYS_ADMIN; another negative errno.
 */
int ockamd_netns_enter_new(struct ockam_err *err);

/**
 * ockamd_netns_enter() - put the calling thread into an existing namespace
 * @netns: its descriptor
 * @err: the reason
 *
 * Nothing in it is changed, its interfaces neither.
 */
int ockamd_netns_enter(int netns, struct ockam_err *err);

/**
 * ockamd_netns_pin() - give the calling thread's namespace a name
 * @life: lock of the node, which notes the pin
 * @name: file under /run/netns, as of "ip netns"
 * @pin: receives what was made, its name is empty after a failure
 * @err: the reason
 *
 * Return: 0; -EOPNOTSUPP where nobody would see it; -EEXIST when there is
 * something of that name; another negative errno.
 */
int ockamd_netns_pin(int life, const char *name, struct ockam_pin *pin, struct ockam_err *err);

#endif /* OCKAMD_NETNS_H */
