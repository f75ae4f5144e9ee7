/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a node be made here: is the kernel module there, and may this process use it?
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_FAMILY_H
#define OCKAM_LIB_FAMILY_H

#include "err.h"

/**
 * ockam_family_check() - may this process make and own a node now?
 * @err: the cause and what to do
 *
 * Asking for a socket of the family loads the module. When that does not
 * help, root asks modprobe for the reason, which loads it too unless it
 * must not be.
 *
 * Return: 0; -EPERM without the privileges or when sockets of the family are
 * refused to this process; -ENOPROTOOPT when the module is not loaded; another
 * negative errno.
 */
int ockam_family_check(struct ockam_err *err);

#endif /* OCKAM_LIB_FAMILY_H */
