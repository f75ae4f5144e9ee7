// SPDX-License-Identifier: GPL-2.0
/*
 * A message inside a node: memory and its accounting.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "message.h"
#include "netns.h"

/* Slack that a moved buffer gets, so that the next move is not far behind. */
#define OCKAM_MESSAGE_SLACK	64

static struct kmem_cache *ockam_message_cache;

struct ockam_message *ockam_message_alloc(struct ockam_net *on, size_t headroom,
					  size_t len, size_t tailroom, gfp_t gfp)
{
	struct ockam_message *msg;
	size_t size;

	size = size_add(size_add(headroom, len), tailroom);
	msg = kmem_cache_alloc(ockam_message_cache, gfp);
	if (!msg)
		return NULL;

	/* Routes bring their own inline room, which needs no clearing. */
	INIT_LIST_HEAD(&msg->list);
	msg->on = on;
	msg->from = NULL;
	msg->sk = NULL;
	msg->uncharge = NULL;
	msg->charged = 0;
	msg->to = OCKAM_ENDPOINT_ANY;
	msg->ret_id = OCKAM_ENDPOINT_NONE;
	ockam_route_init(&msg->onward);
	ockam_route_init(&msg->ret);
	msg->routes = 0;
	msg->cookie = 0;
	msg->depth = 0;
	msg->has_peer = false;
	msg->control = false;
	msg->more = false;

	msg->head = kvmalloc(max_t(size_t, size, 1), gfp);
	if (!msg->head) {
		kmem_cache_free(ockam_message_cache, msg);
		return NULL;
	}
	msg->end = msg->head + size;
	msg->data = msg->head + headroom;
	msg->len = len;
	msg->truesize = size + sizeof(*msg);
	msg->in_node = true;
	msg->local = false;
	ockam_gate_charge(&on->memory, msg->truesize);
	return msg;
}

void ockam_message_mark_local(struct ockam_message *msg)
{
	msg->local = true;
	atomic64_add(msg->truesize, &msg->on->local_bytes);
}

void ockam_message_leave_node(struct ockam_message *msg)
{
	if (!msg->in_node)
		return;
	msg->in_node = false;
	/* Wake the links before the room is another sender's. */
	ockam_gate_uncharge(&msg->on->memory, msg->truesize);
	if (msg->local)
		atomic64_sub(msg->truesize, &msg->on->local_bytes);
}

/*
 * The node pays for the difference; a sender's socket keeps the charge it agreed
 * to, or its uncharge would not balance.
 */
static void ockam_message_grow(struct ockam_message *msg, size_t bytes)
{
	if (msg->in_node) {
		if (msg->local)
			atomic64_add(bytes, &msg->on->local_bytes);
		ockam_gate_charge(&msg->on->memory, bytes);
	}
	msg->truesize += bytes;
}

void ockam_message_count_routes(struct ockam_message *msg)
{
	size_t bytes = ockam_route_allocated(&msg->onward) +
		       ockam_route_allocated(&msg->ret);

	if (bytes <= msg->routes)
		return;
	ockam_message_grow(msg, bytes - msg->routes);
	msg->routes = bytes;
}

void ockam_message_free(struct ockam_message *msg)
{
	if (!msg)
		return;
	WARN_ON_ONCE(msg->from);
	ockam_message_leave_node(msg);
	/* May let go of a socket, and with it of the namespace that ->on is in. */
	if (msg->uncharge)
		msg->uncharge(msg);
	ockam_route_reset(&msg->onward);
	ockam_route_reset(&msg->ret);
	kvfree(msg->head);
	kmem_cache_free(ockam_message_cache, msg);
}

int ockam_message_reserve(struct ockam_message *msg, size_t headroom,
			  size_t tailroom)
{
	size_t size, grown;
	u8 *head;

	if (ockam_message_headroom(msg) >= headroom &&
	    ockam_message_tailroom(msg) >= tailroom)
		return 0;

	headroom = max(headroom, ockam_message_headroom(msg)) + OCKAM_MESSAGE_SLACK;
	tailroom = max(tailroom, ockam_message_tailroom(msg)) + OCKAM_MESSAGE_SLACK;
	size = size_add(size_add(headroom, msg->len), tailroom);
	head = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!head)
		return -ENOMEM;

	memcpy(head + headroom, msg->data, msg->len);
	grown = size - (msg->end - msg->head);
	kvfree(msg->head);
	msg->head = head;
	msg->end = head + size;
	msg->data = head + headroom;
	ockam_message_grow(msg, grown);
	return 0;
}

int ockam_message_return_to(struct ockam_message *msg,
			    const struct ockam_endpoint *ep)
{
	struct ockam_hop hop = ockam_endpoint_hop(ep);
	int err = ockam_route_push_front(&msg->ret, &hop);

	if (!err)
		msg->ret_id = READ_ONCE(ep->id);
	return err;
}

void ockam_message_free_list(struct list_head *list)
{
	struct ockam_message *msg, *next;

	list_for_each_entry_safe(msg, next, list, list) {
		list_del_init(&msg->list);
		ockam_message_free(msg);
	}
}

int ockam_message_init_cache(void)
{
	const size_t from = offsetof(struct ockam_message, ret.room);
	const size_t to = offsetofend(struct ockam_message, peer);

	/* Short routes and the peer go to user space from where they are. */
	ockam_message_cache =
		kmem_cache_create_usercopy("ockam_message",
					   sizeof(struct ockam_message), 0,
					   SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT,
					   from, to - from, NULL);
	return ockam_message_cache ? 0 : -ENOMEM;
}

void ockam_message_exit_cache(void)
{
	kmem_cache_destroy(ockam_message_cache);
}
