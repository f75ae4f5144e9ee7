/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets of the vectors.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_PACKETS_H
#define OCKAM_PACKETS_H

struct ockam_packet_case {
	u64 nonce;
	const char *key;
	const char *plaintext;
	const char *packet;	/* nonce, ciphertext, tag */
};

#include "cases_packets.h"

#endif /* OCKAM_PACKETS_H */
