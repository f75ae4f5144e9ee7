// SPDX-License-Identifier: Apache-2.0
/*
 * Connections to node processes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node_new.h"
#include "sweep.h"

/* How much longer than the node the tool waits for an answer. */
#define CTL_SESSION_GRACE_MS	500

int ctl_session_timeout_ms(void)
{
	const char *text = getenv("OCKAM_DEFAULT_TIMEOUT");
	int64_t ms = text ? ctl_duration_ms(text) : -1;

	return ms > 0 && ms <= CTL_DURATION_MAX_MS ? (int)ms : 120 * 1000;
}

int ctl_session_node(struct ctl *ctl, const char *name, struct ockam_node_record *node)
{
	struct ockam_err err;
	int ret;

	name = ctl_strip_node(name);
	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ctl->store && ockam_sweep(&ctl->home, &err) < 0)
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
	if (!ctl->store)
		ret = -ENOENT;
	else
		ret = ockam_store_node_get(ctl->store, name, node, &err);
	if (!ret)
		return CTL_EXIT_OK;
	if (ret != -ENOENT)
		return ctl_output_fail_err(&ctl->out, &err);
	if (!name)
		return ctl_output_fail(&ctl->out, ret, NULL, "make one with: ockam node create",
				       "There is no default node");
	return ctl_output_fail(&ctl->out, ret, NULL, "ockam node list shows the nodes there are",
			       "There is no node with name %s", name);
}

int ctl_session_open_path(struct ctl *ctl, const char *name, const char *path,
			  struct ctl_session *session)
{
	struct ockam_err err;
	int ret;

	memset(session, 0, sizeof(*session));
	snprintf(session->node, sizeof(session->node), "%s", name);
	ret = ockam_control_connect(path, &session->control, &err);
	if (ret == -ENOENT || ret == -ECONNREFUSED)
		return ctl_output_fail(&ctl->out, -ECONNREFUSED, err.text,
				       "start it with: ockam node start",
				       "The node %s is not running", name);
	if (ret < 0)
		return ctl_output_fail(&ctl->out, ret, err.text, NULL, "Cannot talk to the node %s",
				       name);
	return CTL_EXIT_OK;
}

int ctl_session_open(struct ctl *ctl, const char *name, struct ctl_session *session)
{
	struct ockam_node_record node;
	int ret;

	memset(session, 0, sizeof(*session));
	ret = ctl_session_node(ctl, name, &node);
	if (ret)
		return ret;
	if (!ockam_node_runs(&node))
		return name ? ctl_output_fail(&ctl->out, -ECONNREFUSED, NULL,
					      "start it with: ockam node start",
					      "The node %s is not running", node.name)
			    : ctl_output_fail(&ctl->out, -ECONNREFUSED, NULL,
					      "start it with: ockam node start",
					      "Default node exists but is not running");
	return ctl_session_open_path(ctl, node.name, node.control, session);
}

int ctl_session_open_default(struct ctl *ctl, const char *name, struct ctl_session *session)
{
	int ret = name ? CTL_EXIT_OK : ctl_node_new_default(ctl);

	memset(session, 0, sizeof(*session));
	return ret ? ret : ctl_session_open(ctl, name, session);
}

int ctl_session_ask(struct ctl_session *session, const char *op, struct json_object *args,
		    int timeout_ms, struct json_object **answer, struct ockam_err *err)
{
	int ret;

	if (timeout_ms >= 0 && timeout_ms < INT_MAX - CTL_SESSION_GRACE_MS)
		timeout_ms += CTL_SESSION_GRACE_MS;
	ret = ockam_control_call(session->control, op, args, timeout_ms, answer, err);
	json_object_put(args);
	return ret;
}

int ctl_session_call(struct ctl_session *session, const char *op, struct json_object *args,
		     int timeout_ms, struct json_object **result, struct ockam_err *err)
{
	struct json_object *answer;
	int ret;

	ret = ctl_session_ask(session, op, args, timeout_ms, &answer, err);
	if (ret < 0 || !result) {
		json_object_put(answer);
		answer = NULL;
	}
	if (result)
		*result = answer;
	return ret;
}

int ctl_session_do(struct ctl *ctl, struct ctl_session *session, const char *op,
		   struct json_object *args, int timeout_ms, struct json_object **result)
{
	struct ockam_err err;

	if (ctl_session_call(session, op, args, timeout_ms, result, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	return CTL_EXIT_OK;
}

int ctl_session_list(struct ctl *ctl, struct ctl_session *session, const char *op,
		     struct json_object **list)
{
	struct json_object *all = json_object_new_array();
	struct json_object *args, *page = NULL;
	size_t i, n;
	int ret;

	do {
		args = json_object_new_object();
		ockam_value_put_int(args, "skip", (int64_t)json_object_array_length(all));
		ret = ctl_session_do(ctl, session, op, args, ctl_session_timeout_ms(), &page);
		if (ret) {
			json_object_put(all);
			return ret;
		}
		n = json_object_is_type(page, json_type_array) ? json_object_array_length(page) : 0;
		for (i = 0; i < n; i++)
			json_object_array_add(all, json_object_get(json_object_array_get_idx(page,
											     i)));
		json_object_put(page);
	} while (n);
	*list = all;
	return CTL_EXIT_OK;
}

void ctl_session_close(struct ctl_session *session)
{
	ockam_control_close(session->control);
	session->control = NULL;
}
