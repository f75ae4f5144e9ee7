// SPDX-License-Identifier: Apache-2.0
/*
 * ockam message send (cli 2.2).
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "ctl.h"
#include "hex.h"
#include "reader.h"
#include "resolve.h"
#include "retry.h"
#include "stdin_route.h"
#include "temporary.h"

/* The payload, as hex text: a BARE string of the text or of what --hex gave. */
static char *ctl_message_payload(const char *text, bool is_hex)
{
	struct ockam_buf buf = { };
	size_t len = strlen(text);
	struct ockam_err err;
	char *hex = NULL;
	uint8_t *bytes;

	bytes = malloc(len + 1);
	if (!bytes)
		return NULL;
	if (is_hex)
		ockam_hex_decode(text, len, bytes, len, &len, &err);
	else
		memcpy(bytes, text, len);
	ockam_bare_put_data(&buf, bytes, len);
	if (!buf.failed)
		hex = malloc(buf.len * 2 + 1);
	if (hex)
		ockam_hex_encode(buf.data, buf.len, hex);
	ockam_buf_free(&buf);
	free(bytes);
	return hex;
}

/* Print the text of the reply; bytes that are no text as hexadecimal if --hex is given. */
static int ctl_message_print(struct ctl *ctl, struct json_object *result, bool is_hex)
{
	struct ctl_result out = { };
	struct ockam_buf buf = { };
	struct ockam_piece piece;
	struct ockam_err err;
	const uint8_t *p;
	bool is_text;
	char *text;
	int ret;

	if (ockam_value_bytes(result, "reply", &buf, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	p = buf.data;
	/* A reply that is no BARE string is shown whole. */
	if (ockam_bare_get_data(&p, buf.data + buf.len, &piece) < 0 || p != buf.data + buf.len)
		piece = (struct ockam_piece){ buf.data, buf.len };
	is_text = piece.data != buf.data && ockam_bare_is_text(&piece) &&
		  !memchr(piece.data, 0, piece.len);
	text = malloc(piece.len * 2 + 1);
	if (text && is_text) {
		memcpy(text, piece.data, piece.len);
		text[piece.len] = '\0';
	} else if (text) {
		ockam_hex_encode(piece.data, piece.len, text);
	}
	if (!text) {
		ret = ctl_output_fail(&ctl->out, -ENOMEM, NULL, NULL, "Out of memory");
	} else if (!is_text && !is_hex) {
		ret = ctl_output_fail(&ctl->out, -EBADMSG, NULL, "use --hex to see its bytes",
				      "The reply is not a text");
	} else {
		out.plain = text;
		ret = ctl_output_result(&ctl->out, &out);
	}
	free(text);
	ockam_buf_free(&buf);
	return ret;
}

/* Send by the node of @session, wait, print. */
static int ctl_message_through(struct ctl *ctl, const struct ctl_args *args,
			       struct ctl_session *session, const char *to)
{
	int64_t deadline = ctl_arg_deadline(args, "timeout");
	const char *identity = ctl_arg(args, "identity");
	bool is_hex = ctl_arg_switch(args, "hex");
	struct json_object *request, *result;
	struct ockam_err err;
	char *payload;
	int ret;

	payload = ctl_message_payload(ctl_arg_positional(args, 0), is_hex);
	request = json_object_new_object();
	ockam_value_put_text(request, "payload", payload);
	if (identity)
		ockam_value_put_text(request, "identity", identity);
	ret = ctl_resolve_ask(ctl, session, "message.send", request, to, deadline, &result, &err);
	free(payload);
	if (ret == -ETIMEDOUT)
		ret = ctl_output_fail(&ctl->out, ret, NULL,
				      "is there such a service, and may this sender reach it?",
				      "timeout: no reply from %s within %s", to,
				      ctl_arg(args, "timeout"));
	else if (ret < 0)
		ret = ctl_output_fail(&ctl->out, ret, err.text, NULL, "Failed to send the message to %s",
				      to);
	else if (!ret)
		ret = ctl_message_print(ctl, result, is_hex);
	json_object_put(result);
	return ret;
}

static int ctl_message_once(struct ctl *ctl, const struct ctl_args *args, void *arg)
{
	const char *from = ctl_arg(args, "from");
	struct ctl_temporary temporary;
	struct ctl_session session;
	const char *to = arg;
	int ret;

	if (from) {
		ret = ctl_session_open(ctl, from, &session);
		if (!ret) {
			ret = ctl_message_through(ctl, args, &session, to);
			ctl_session_close(&session);
		}
		return ret;
	}
	/* Before anything is started for a node that is not there. */
	ret = ctl_resolve_check(ctl, to, true);
	if (!ret)
		ret = ctl_temporary_start(ctl, args, &temporary);
	if (!ret) {
		ret = ctl_message_through(ctl, args, &temporary.session, to);
		ctl_temporary_stop(&temporary);
	}
	return ret;
}

static bool ctl_message_starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static int ctl_message_send(struct ctl *ctl, const struct ctl_args *args)
{
	struct ockam_err why;
	char *to;
	int ret;

	if (ctl_arg_switch(args, "hex") && ctl_check_hex(ctl_arg_positional(args, 0), &why))
		return ctl_output_fail(&ctl->out, -EINVAL, why.text, NULL,
				       "The message is not hexadecimal");
	/* First of all: a broken pipe must not open connections. */
	ret = ctl_stdin_route(ctl, ctl_arg(args, "to"), &to);
	if (ret)
		return ret;
	/* Before anything is started for an address that leads nowhere. */
	ret = ctl_resolve_check(ctl, to, false);
	if (!ret && !ctl_arg(args, "from") &&
	    (ctl_message_starts_with(to, "/service/") || ctl_message_starts_with(to, "/worker/") ||
	     ctl_message_starts_with(to, "/secure/")))
		ret = ctl_output_fail(&ctl->out, -EINVAL, NULL,
				      "name the node that sends with --from",
				      "Argument '--to' is invalid: %s begins at no node", to);
	else if (!ret)
		ret = ctl_retry(ctl, args, ctl_message_once, to);
	free(to);
	return ret;
}

static const struct ctl_flag ctl_message_send_flags[] = {
	{ .name = "to", .letter = 't', .kind = CTL_FLAG_VALUE, .placeholder = "<ROUTE>",
	  .required = true, .help = "Route to the service that answers" },
	{ .name = "from", .letter = 'f', .kind = CTL_FLAG_VALUE, .placeholder = "<NODE>",
	  .help = "Node that sends; without it a temporary one" },
	{ .name = "hex",
	  .help = "The message is hexadecimal; a reply that is no text is shown so" },
	{ .name = "timeout", .kind = CTL_FLAG_VALUE, .placeholder = "<TIMEOUT>",
	  .fallback = "10s", .check = ctl_check_duration,
	  .help = "How long to wait for the reply" },
	{ .name = "identity", .kind = CTL_FLAG_VALUE, .placeholder = "<IDENTITY_NAME>",
	  .help = "Identity for secure channels on the way" },
	{ .name = "retry-count", .alias = "retry", .kind = CTL_FLAG_VALUE,
	  .placeholder = "<RETRY_COUNT>", .env = "OCKAM_COMMAND_RETRY_COUNT",
	  .check = ctl_retry_check_count,
	  .help = "How often to try again when a node is not reached or does not answer" },
	{ .name = "retry-delay", .kind = CTL_FLAG_VALUE, .placeholder = "<RETRY_DELAY>",
	  .env = "OCKAM_COMMAND_RETRY_DELAY", .check = ctl_check_duration,
	  .help = "Time between two attempts" },
	{ .name = "no-retry", .help = "Do not try again, whatever the variables say" },
	{ }
};

static const struct ctl_positional ctl_message_send_positionals[] = {
	{ .name = "MESSAGE", .required = true, .help = "Text to send" },
	{ }
};

static const struct ctl_command ctl_message_send_command = {
	.name = "send",
	.about = "Send a message and print the reply",
	.details = "A lone dash in the route stands for the first line of standard input, so that\n"
		   "  ockam secure-channel create ... | ockam message send hi --from n1 --to -/service/echo\n"
		   "sends through the channel that was made.",
	.flags = ctl_message_send_flags,
	.positionals = ctl_message_send_positionals,
	.run = ctl_message_send,
};

const struct ctl_command ctl_cmd_message = {
	.name = "message",
	.about = "Send messages to services",
	.children = (const struct ctl_command *const[]){ &ctl_message_send_command, NULL },
};
