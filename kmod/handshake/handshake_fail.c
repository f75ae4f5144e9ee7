// SPDX-License-Identifier: GPL-2.0
/*
 * How a handshake ends, for those who want to know: its owner or the port that
 * asked for it, the counters, who listens to events, and the worker.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "channel.h"
#include "event.h"
#include "handshake.h"
#include "netns.h"
#include "trace.h"

bool ockam_exchange_tell(struct ockam_exchange *ex, int error,
			 const char *reason, struct ockam_channel *ch,
			 bool confirmed)
{
	struct ockam_result res = {
		.portid = ex->portid,
		.seq = ex->seq,
		.error = error,
		.reason = reason,
		.confirmed = confirmed,
	};
	bool told;

	if (ex->role != OCKAM_ROLE_INITIATOR)
		return true;
	mutex_lock(&ex->lock);
	told = ex->told;
	ex->told = true;
	mutex_unlock(&ex->lock);
	/* That was by an owner who has cancelled it just now, or by a port. */
	if (told)
		return !ex->owner;
	if (ex->owner)
		return ex->owner->done(ex->owner_ep, ch, error);
	if (ch) {
		res.encryptor = &ch->enc;
		res.decryptor = ch->dec.name;
		res.decryptor_len = ch->dec.name_len;
		res.flow_id = ch->origin.flow_id;
		res.peer = ch->peer;
	}
	ockam_event_result(ex->on, &res);
	return true;
}

/* What an errno of the worker, or of ours, stands for. */
static enum ockam_mib ockam_exchange_why(int error)
{
	switch (-error) {
	case EBADMSG:
	case EINVAL:
	case EMSGSIZE:
		return OCKAM_MIB_HANDSHAKES_FAILED_MALFORMED;
	case EKEYREJECTED:
		return OCKAM_MIB_HANDSHAKES_FAILED_IDENTITY;
	case EKEYEXPIRED:
		return OCKAM_MIB_HANDSHAKES_FAILED_EXPIRED;
	case ESTALE:
		return OCKAM_MIB_HANDSHAKES_FAILED_HISTORY;
	case EACCES:
		return OCKAM_MIB_HANDSHAKES_FAILED_TRUST;
	case ETIMEDOUT:
		return OCKAM_MIB_HANDSHAKES_FAILED_TIMEOUT;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ECONNRESET:
	case EPIPE:
		return OCKAM_MIB_HANDSHAKES_FAILED_ROUTE;
	case ESRCH:
		return OCKAM_MIB_HANDSHAKES_FAILED_WORKER;
	case EPROTO:
		return OCKAM_MIB_HANDSHAKES_FAILED_STATE;
	case ENOBUFS:
		return OCKAM_MIB_HANDSHAKES_FAILED_HOLD;
	case ECANCELED:
	case ECONNABORTED:
	case ESHUTDOWN:
		return OCKAM_MIB_HANDSHAKES_FAILED_CANCELLED;
	case E2BIG:
	case EAGAIN:
	case EBUSY:
	case ENOMEM:
	case ENOSPC:
		return OCKAM_MIB_HANDSHAKES_FAILED_RESOURCES;
	case EKEYREVOKED:
		return OCKAM_MIB_HANDSHAKES_FAILED_MACHINE;
	default:
		return OCKAM_MIB_HANDSHAKES_FAILED_OTHER;
	}
}

bool ockam_exchange_fail(struct ockam_exchange *ex,
			 enum ockam_exchange_state upto, int error,
			 const char *reason)
{
	return ockam_exchange_fail_as(ex, upto, ockam_exchange_why(error),
				      error, reason);
}

/*
 * It has ended without the worker, which keeps keys for it: when it fetches it
 * sees that there is nothing any more. Lost when its buffer is full; then the
 * worker finds out by its clock.
 */
static void ockam_exchange_forget(struct ockam_exchange *ex)
{
	bool keeps;

	mutex_lock(&ex->lock);
	keeps = ex->begun && !ex->done;
	mutex_unlock(&ex->lock);
	if (keeps && READ_ONCE(ex->on->worker_portid) == ex->worker_portid)
		ockam_event_ready(ex->on, ex->worker_portid, ex->id);
}

bool ockam_exchange_fail_as(struct ockam_exchange *ex,
			    enum ockam_exchange_state upto, enum ockam_mib why,
			    int error, const char *reason)
{
	struct ockam_event_info ev = {
		.event = OCKAM_EVENT_HANDSHAKE_FAIL,
		.ep = &ex->ep,
		.error = error,
		.reason = reason,
		.role = ex->role,
	};

	if (!ockam_exchange_end(ex, upto))
		return false;
	ockam_mib_inc(ex->on, OCKAM_MIB_HANDSHAKES_FAILED);
	ockam_mib_inc(ex->on, why);
	trace_ockam_handshake_end(ex->on, ex->id, ex->role, error, reason);
	ockam_event_notify(ex->on, &ev);
	ockam_exchange_tell(ex, error, reason, NULL, false);
	ockam_exchange_forget(ex);
	return true;
}

bool ockam_exchange_abandon(struct ockam_exchange *ex, int error,
			    const char *reason, const char *channel_reason)
{
	if (!ockam_exchange_fail(ex, OCKAM_EXCHANGE_CONFIRMING, error, reason))
		return false;
	/* Set before it waited to be confirmed, never cleared. */
	if (ex->channel)
		ockam_channel_close(ex->channel, error, channel_reason);
	return true;
}
