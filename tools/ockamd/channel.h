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
#include "routes.h"
#include "trust.h"

/*
 * Born: when the kernel reports success. Dies: CHANNEL_DEL of the kernel,
 * secure-channel.delete, with its route or with the one that it carries.
 * route: what was made for it, its own, or NULL. carries: the route that it was made
 * for and is a part of, or NULL.
 * keep: it outlives the loss of its route, which is made again until the channel can go
 * along it; again is armed in between, for the next attempt.
 * own_credential: it presented one that the request gave, not the node's.
 */
struct ockamd_channel {
	LIST_ENTRY(ockamd_channel)	link;
	bool				keep;
	struct ockamd_timer		again;
	int				pause_ms;
	struct ockam_nl_name		encryptor;
	char				address[OCKAMD_NAME_TEXT];
	char				flow[OCKAMD_FLOW_TEXT];
	char				*shown;		/* its hops, for people */
	uint8_t				peer[OCKAM_IDENTIFIER_LEN];
	struct ockam_trust		trust;
	bool				own_credential;
	struct ockamd_route		*route;
	struct ockamd_route		*carries;
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

#define OCKAMD_CHANNEL_MS	120000	/* that a handshake may take */

/** ockamd_channel_fn() - @channel, or NULL and the reason; called once, from the loop */
typedef void (*ockamd_channel_fn)(void *arg, struct ockamd_channel *channel, bool confirmed,
				  const struct ockam_err *err);

/**
 * ockamd_channel_make() - make a channel to a listener
 * @args: identity, credential, members of ockamd_rule_read() and of
 *	ockamd_liveness_read(); all may be absent
 * @hops: route to the listener
 * @shown: the same for people
 * @timeout_ms: limit of time, up to OCKAMD_CHANNEL_MS
 * @fn: called when this returns 0
 * @making: receives the attempt, valid until @fn is called or it is cancelled
 * @err: the reason
 *
 * Return: 0; -EBUSY also when the database is locked; another negative errno.
 */
int ockamd_channel_make(struct ockamd_node *node, struct json_object *args,
			const struct ockam_route *hops, const char *shown, int timeout_ms,
			ockamd_channel_fn fn, void *arg, struct ockamd_channel_making **making,
			struct ockam_err *err);

/** ockamd_channel_cancel() - @fn is not called; the channel ends when it comes */
void ockamd_channel_cancel(struct ockamd_channel_making *making);

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
/** ockamd_channel_path_gone() - fail what is being made with @address as its first hop */
void ockamd_channel_path_gone(struct ockamd_node *node, const char *address);
/** ockamd_channel_route_lost() - lost() of a channel's route: it ends too, or makes it again */
void ockamd_channel_route_lost(void *arg);
/** ockamd_channel_return() - make the route of @channel again and move it there */
void ockamd_channel_return(struct ockamd_channel *channel);
/** ockamd_channel_lost() - what @channel needs or was made for has ended: so does it */
void ockamd_channel_lost(struct ockamd_node *node, struct ockamd_channel *channel);
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
