/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secure channels that this node began, and its channel listeners ("gates").
 * The kernel owns both; this room remembers what people want to know.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_CHANNEL_H
#define OCKAMD_CHANNEL_H

#include "link.h"
#include "names.h"
#include "trust.h"

/*
 * Born: when the kernel reports success. Dies: CHANNEL_DEL of the kernel,
 * secure-channel.delete, with a link that was made for it, or with owner or
 * user. Adopted links go with it.
 * owner: it is ephemeral and ends with that client. user: the channel inside
 * of it that it was made for; both end together. At most one of the two is set.
 * own_credential: it presented one that the request gave, not the node's.
 */
struct ockamd_channel {
	LIST_ENTRY(ockamd_channel)	link;
	struct ockam_nl_name		encryptor;
	char				address[OCKAMD_NAME_TEXT];
	char				flow[OCKAMD_FLOW_TEXT];
	char				*route;		/* for people */
	uint8_t				peer[OCKAM_IDENTIFIER_LEN];
	struct ockam_trust		trust;
	bool				own_credential;
	struct ockamd_client		*owner;
	struct ockamd_channel		*user;
};

/* A channel listener. */
struct ockamd_gate {
	LIST_ENTRY(ockamd_gate)		link;
	char				address[OCKAM_ADDR_MAX_LEN + 1];
	char				flow[OCKAMD_FLOW_TEXT];
	char				identity[OCKAM_NAME_SIZE];
	struct ockam_trust		trust;		/* of new channels */
	struct ockam_nl_liveness	liveness;	/* of them too */
};

struct ockamd_channel_making;
LIST_HEAD(ockamd_channels, ockamd_channel);
LIST_HEAD(ockamd_channel_makings, ockamd_channel_making);
LIST_HEAD(ockamd_gates, ockamd_gate);

#define OCKAMD_GATE_API	"api"	/* channels made here may reach the other listeners */

/** ockamd_gate_open_api() - the listener that every node has, with the rule that was set last */
int ockamd_gate_open_api(struct ockamd_node *node, struct ockam_err *err);

/** ockamd_gate_open_kept() - as asked for by @args; as "api" its rule holds after a start, too */
int ockamd_gate_open_kept(struct ockamd_node *node, const char *address,
			  struct json_object *args, struct ockam_err *err);

/**
 * ockamd_gate_open() - make a channel listener
 * @node: the node
 * @address: its name
 * @identity: name of the identity that it proves; NULL: the node's
 * @rule: who may come, as for ockamd_rule_read(), and ockamd_liveness_read();
 *	NULL: everyone
 * @err: the reason
 *
 * Reachable from the node's TCP listeners, from channels made at "api" and
 * from local sockets.
 *
 * Return: 0; -EEXIST; another negative errno.
 */
int ockamd_gate_open(struct ockamd_node *node, const char *address, const char *identity,
		     struct json_object *rule, struct ockam_err *err);

/** ockamd_gate_to_json() - one of them for answers */
struct json_object *ockamd_gate_to_json(const struct ockamd_gate *gate);

/** ockamd_gate_describe() - list for answers, with the rules of each or without */
struct json_object *ockamd_gate_describe(struct ockamd_node *node, bool rules);

/** ockamd_gate_find() - by its address, NULL when there is none */
struct ockamd_gate *ockamd_gate_find(struct ockamd_node *node, const char *address);

/** ockamd_channel_find() - one that this node began, by its address; NULL when there is none */
struct ockamd_channel *ockamd_channel_find(struct ockamd_node *node, const char *address);

/** ockamd_channel_take_path() - "route" and "links" of @request were made for @channel */
void ockamd_channel_take_path(struct ockamd_request *request, struct ockamd_channel *channel);

/** ockamd_channel_is_accepted() - is @address the encryptor of one that another node began */
bool ockamd_channel_is_accepted(struct ockamd_node *node, const char *address);

/** ockamd_channel_unknown() - the answer to a request about a channel that is not there */
void ockamd_channel_unknown(struct ockamd_request *request, const char *address);

/** ockamd_channel_to_json() - one that this node began, for answers */
struct json_object *ockamd_channel_to_json(struct ockamd_node *node,
					   const struct ockamd_channel *channel);

/**
 * ockamd_channel_rule() - the rule that @channel is under; for callbacks of CHANNEL_GET too
 *
 * Return: NULL when it is not known: of a listener that was deleted, or of a
 * channel that the kernel has not reported yet.
 */
const struct ockam_trust *ockamd_channel_rule(struct ockamd_node *node,
					      const struct ockam_nl_channel *channel);

/** ockamd_channel_has_own_credential() - did it present another one than the node's */
bool ockamd_channel_has_own_credential(struct ockamd_node *node,
				       const struct ockam_nl_channel *channel);

/** ockamd_channel_making_names() - does a channel being made need the authority @id */
bool ockamd_channel_making_names(struct ockamd_node *node,
				 const uint8_t id[OCKAM_IDENTIFIER_LEN]);

/* What the kernel reports. */
void ockamd_channel_result(struct ockamd_node *node, const struct ockam_nl_result *result);
void ockamd_channel_gone(struct ockamd_node *node, const struct ockam_nl_name *encryptor,
			 const char *reason);
/** ockamd_channel_path_gone() - fail what is being made over @address */
void ockamd_channel_path_gone(struct ockamd_node *node, const char *address);
/** ockamd_channel_lost() - what @channel needs or was made for has ended: so does it */
void ockamd_channel_lost(struct ockamd_node *node, struct ockamd_channel *channel);
/** ockamd_channel_client_gone() - end ephemeral channels of @client */
void ockamd_channel_client_gone(struct ockamd_node *node, const struct ockamd_client *client);
/** ockamd_channel_resync() - reports were lost: look at the state again */
void ockamd_channel_resync(struct ockamd_node *node);

/* Operations of the control protocol. */
void ockamd_channel_op_create(struct ockamd_request *request);
void ockamd_channel_op_list(struct ockamd_request *request);
void ockamd_channel_op_accepted(struct ockamd_request *request);
void ockamd_channel_op_show(struct ockamd_request *request);
void ockamd_channel_op_delete(struct ockamd_request *request);
void ockamd_gate_op_create(struct ockamd_request *request);
void ockamd_gate_op_update(struct ockamd_request *request);
void ockamd_gate_op_list(struct ockamd_request *request);
void ockamd_gate_op_delete(struct ockamd_request *request);

#endif /* OCKAMD_CHANNEL_H */
