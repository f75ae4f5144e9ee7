/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keys end with the machine that they were made in.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_MACHINE_H
#define OCKAM_MACHINE_H

int ockam_machine_init(void);
void ockam_machine_exit(void);

#endif /* OCKAM_MACHINE_H */
