/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints. None shows a payload or a key byte; names of addresses are
 * shown, since only root may trace.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ockam

#if !defined(OCKAM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define OCKAM_TRACE_H

#include <linux/tracepoint.h>

#include "compat.h"
#include "endpoint.h"
#include "message.h"
#include "mib.h"
#include "netns.h"

/* A message was dropped; the reason is also a counter of the node. */
TRACE_EVENT(ockam_drop,
	TP_PROTO(const struct ockam_net *on, u32 reason,
		 const struct sk_buff *skb),
	TP_ARGS(on, reason, skb),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u32, reason)
		__string(name, ockam_mib_name(reason))
		__field(u64, len)
		__field(u8, onward_hops)
		__field(u8, return_hops)
	),
	TP_fast_assign(
		__entry->netns = on->net->ns.inum;
		__entry->reason = reason;
		ockam_trace_assign_str(name, ockam_mib_name(reason));
		__entry->len = skb ? skb->len : 0;
		__entry->onward_hops = skb ? ockam_cb(skb)->onward_hops : 0;
		__entry->return_hops = skb ? ockam_cb(skb)->ret_hops : 0;
	),
	TP_printk("netns=%u reason=%s len=%llu onward=%u return=%u",
		  __entry->netns, __get_str(name),
		  __entry->len, __entry->onward_hops, __entry->return_hops)
);

/* A message is handed to an endpoint. */
TRACE_EVENT(ockam_deliver,
	TP_PROTO(const struct ockam_endpoint *ep,
		 const struct sk_buff *skb),
	TP_ARGS(ep, skb),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, kind)
		__field(u64, len)
		__field(u8, onward_hops)
		__field(u8, return_hops)
	),
	TP_fast_assign(
		__entry->netns = ep->on->net->ns.inum;
		__entry->kind = ep->ops->kind;
		__entry->len = skb->len;
		__entry->onward_hops = ockam_cb(skb)->onward_hops;
		__entry->return_hops = ockam_cb(skb)->ret_hops;
	),
	TP_printk("netns=%u kind=%s len=%llu onward=%u return=%u",
		  __entry->netns,
		  __print_symbolic(__entry->kind,
				   { OCKAM_KIND_SOCKET, "socket" },
				   { OCKAM_KIND_LINK, "link" },
				   { OCKAM_KIND_ENCRYPTOR, "encryptor" },
				   { OCKAM_KIND_DECRYPTOR, "decryptor" },
				   { OCKAM_KIND_LISTENER, "listener" },
				   { OCKAM_KIND_EXCHANGE, "exchange" },
				   { OCKAM_KIND_RELAY, "relay" }),
		  __entry->len, __entry->onward_hops, __entry->return_hops)
);

/*
 * A handshake has its keys (error 0) or has failed; the reason is static text or
 * the worker's, who puts nothing secret into it.
 */
TRACE_EVENT(ockam_handshake_end,
	TP_PROTO(const struct ockam_net *on, u64 id, u8 role, int error,
		 const char *reason),
	TP_ARGS(on, id, role, error, reason),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u64, id)
		__field(u8, role)
		__field(int, error)
		__string(reason, reason ? reason : "")
	),
	TP_fast_assign(
		__entry->netns = on->net->ns.inum;
		__entry->id = id;
		__entry->role = role;
		__entry->error = error;
		ockam_trace_assign_str(reason, reason ? reason : "");
	),
	TP_printk("netns=%u id=%llu role=%s error=%d reason=%s",
		  __entry->netns, __entry->id,
		  __print_symbolic(__entry->role,
				   { OCKAM_ROLE_INITIATOR, "initiator" },
				   { OCKAM_ROLE_RESPONDER, "responder" }),
		  __entry->error, __get_str(reason))
);

#endif /* OCKAM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
