/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of objects (cli 1.7).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_LIB_NAMES_H
#define OCKAM_LIB_NAMES_H

#include "err.h"

#define OCKAM_NAME_SIZE	64	/* bytes of any object's name, zero byte included */

/** ockam_name_random() - two English words, "quick-otter"; 0 or -EIO */
int ockam_name_random(char name[OCKAM_NAME_SIZE], struct ockam_err *err);

/** ockam_name_check_node() - letters, digits, '_', '-', 1 to 63 bytes; 0 or -EINVAL */
int ockam_name_check_node(const char *name, struct ockam_err *err);

/**
 * ockam_name_check() - name of an identity or vault
 * @kind: "identity", "vault": for the sentence
 *
 * 1 to 63 bytes, no '/', no control character, not beginning with '.'.
 *
 * Return: 0 or -EINVAL.
 */
int ockam_name_check(const char *kind, const char *name, struct ockam_err *err);

#endif /* OCKAM_LIB_NAMES_H */
