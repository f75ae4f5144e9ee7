/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers make a node remember: change histories and attributes. They
 * are written by a thread of their own, many at once, so that the event loop
 * waits for no disk and for no lock that another process of the home has.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LEARN_H
#define OCKAMD_LEARN_H

#include <sys/queue.h>

#include "loop.h"
#include "store_credential.h"

struct ockamd_node;
struct ockamd_learn;

/** ockamd_learn_start() - start the thread; 0 or a negative errno */
int ockamd_learn_start(struct ockamd_node *node, struct ockam_err *err);

/**
 * ockamd_learn_stop() - write what can be written within a moment, end the thread
 *
 * A lock that somebody holds is not waited for.
 */
void ockamd_learn_stop(struct ockamd_node *node);

/**
 * ockamd_learn_peer() - remember a history that is new or longer than the known one
 * @identity: taken over
 *
 * In force at once, in the store soon. Above OCKAMD_LEARN_BYTES that wait those
 * of strangers are dropped.
 */
void ockamd_learn_peer(struct ockamd_node *node, struct ockam_identity *identity,
		       enum ockam_peer_share share);

/** ockamd_learn_attributes() - remember what a peer has proved; @record is copied */
void ockamd_learn_attributes(struct ockamd_node *node,
			     const struct ockam_attributes_record *record);

/**
 * ockamd_learn_known() - as ockam_store_peer_get(), with what is not written yet
 *
 * Never waits. @identity is the caller's to free.
 */
int ockamd_learn_known(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN],
		       struct ockam_identity **identity, enum ockam_peer_share *share,
		       struct ockam_err *err);

/** ockamd_learn_proved() - attributes of @id that are not written yet, borrowed; or NULL */
const struct ockam_attributes_record *
ockamd_learn_proved(struct ockamd_node *node, const uint8_t id[OCKAM_IDENTIFIER_LEN]);

#endif /* OCKAMD_LEARN_H */
