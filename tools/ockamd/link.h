/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links: TCP connections that were handed to the kernel. The kernel owns
 * them; this room remembers what people want to know about them and who must
 * end them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAMD_LINK_H
#define OCKAMD_LINK_H

#include "dial.h"
#include "nl.h"

struct json_object;
struct ockamd_node;
struct ockamd_request;
struct ockamd_route;

#define OCKAMD_NAME_TEXT	(2 * OCKAM_ADDR_MAX_LEN + 1)	/* a name for people */
#define OCKAMD_FLOW_TEXT	(2 * OCKAM_FLOW_ID_LEN + 1)

/*
 * Born: LINK_NEW. Dies: when the kernel says LINK_DEL, or ockamd_link_delete().
 * route: that it was made for; both end together. pair: the other link of a bridge,
 * which ends with this one. At most one of the two is set.
 */
struct ockamd_link {
	LIST_ENTRY(ockamd_link)		link;
	struct ockam_nl_name		name;
	char				address[OCKAMD_NAME_TEXT];
	char				flow[OCKAMD_FLOW_TEXT];
	char				local[OCKAMD_SOCKET_TEXT];
	char				peer[OCKAMD_SOCKET_TEXT];
	bool				accepted;
	struct ockamd_route		*route;
	struct ockamd_link		*pair;
};

LIST_HEAD(ockamd_links, ockamd_link);

/* A bridge that waits for the link it shall be paired with. */
struct ockamd_link_making;
LIST_HEAD(ockamd_link_waits, ockamd_link_making);

/**
 * ockamd_link_add() - hand a connected socket to the kernel
 * @node: the node
 * @fd: the socket; closed in every case
 * @accepted: it came from a TCP listener of the node
 * @pair: the other link of a pair, or NULL
 * @link: receives the link, may be NULL
 * @err: the reason
 *
 * Return: 0 or a negative errno.
 */
int ockamd_link_add(struct ockamd_node *node, int fd, bool accepted,
		    struct ockamd_link *pair, struct ockamd_link **link,
		    struct ockam_err *err);

/** ockamd_link_accepted() - an accepted link has been added: bridges may wait for it */
void ockamd_link_accepted(struct ockamd_node *node, const struct ockamd_link *link);

/** ockamd_link_find() - by worker address or peer "ip:port"; NULL when there is none */
struct ockamd_link *ockamd_link_find(struct ockamd_node *node, const char *text);

/** ockamd_link_delete() - end it, in the kernel too */
void ockamd_link_delete(struct ockamd_node *node, struct ockamd_link *link);

/** ockamd_link_gone() - the kernel has ended the link that @event names */
void ockamd_link_gone(struct ockamd_node *node, const struct ockam_nl_event *event);

/** ockamd_link_resync() - forget links that the kernel does not have any more */
void ockamd_link_resync(struct ockamd_node *node);

/**
 * ockamd_link_describe() - list of connections for answers, or NULL without memory
 * @skip: so many of the oldest are left out
 * @left: receives how many did not fit behind them when @skip is 0; may be NULL
 *
 * Anybody can make connections: more than fit an answer take several.
 */
struct json_object *ockamd_link_describe(struct ockamd_node *node, size_t skip, size_t *left);

/* Texts. */
void ockamd_link_name_text(const struct ockam_nl_name *name, char text[OCKAMD_NAME_TEXT]);
void ockamd_link_flow_text(const struct ockam_nl_flow *flow, char text[OCKAMD_FLOW_TEXT]);

/* Operations of the control protocol. */
void ockamd_link_op_create(struct ockamd_request *request);
void ockamd_link_op_bridge(struct ockamd_request *request);
void ockamd_link_op_list(struct ockamd_request *request);
void ockamd_link_op_delete(struct ockamd_request *request);
void ockamd_link_op_add_consumer(struct ockamd_request *request);

#endif /* OCKAMD_LINK_H */
