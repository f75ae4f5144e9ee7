// SPDX-License-Identifier: Apache-2.0
/*
 * ockamctl identity peers: what a home remembers of others' identities.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#define _GNU_SOURCE
#include "ctl.h"
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ctl_peers_shares[] = { "stranger", "authorized", "named" };

static const char ctl_peers_question[] =
	"Keys that such peers have given up would be accepted again. Do you want to proceed?";

struct ctl_peers_walk {
	struct json_object	*array;
	char			**items;
	size_t			n;
	size_t			room;
};

static int ctl_peers_visit(void *arg, const uint8_t identifier[OCKAM_IDENTIFIER_LEN],
			   const uint8_t *history, size_t len, enum ockam_peer_share share)
{
	const char *said = ctl_peers_shares[share <= OCKAM_PEER_NAMED ? share : OCKAM_PEER_NAMED];
	struct ctl_peers_walk *walk = arg;
	struct ockam_identity *identity;
	char id[OCKAM_IDENTIFIER_TEXT];
	struct json_object *item;
	size_t changes = 0;
	char **items;

	if (walk->n == walk->room) {
		items = reallocarray(walk->items, 2 * walk->room + 16, sizeof(*items));
		if (!items)
			return -ENOMEM;
		walk->items = items;
		walk->room = 2 * walk->room + 16;
	}
	if (!ockam_identity_load(history, len, &identity, NULL)) {
		changes = identity->n_changes;
		ockam_identity_free(identity);
	}
	ockam_identifier_format(identifier, id);
	item = json_object_new_object();
	ockam_value_put_text(item, "identifier", id);
	ockam_value_put_int(item, "changes", (int64_t)changes);
	ockam_value_put_text(item, "known_as", said);
	json_object_array_add(walk->array, item);
	if (asprintf(&walk->items[walk->n], "%s\n%s, %zu change%s", id, said, changes,
		     changes == 1 ? "" : "s") < 0)
		return -ENOMEM;
	walk->n++;
	return 0;
}

static int ctl_peers_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct ctl_peers_walk walk = { };
	struct ockam_err err;
	int ret;

	(void)args;
	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	walk.array = json_object_new_array();
	ret = ctl->store ? ockam_store_peer_each(ctl->store, ctl_peers_visit, &walk, &err) : 0;
	if (ret == -ENOMEM)
		ockam_err_set(&err, ret, "Out of memory");
	if (ret < 0)
		ret = ctl_output_fail_err(&ctl->out, &err);
	else if (!walk.n)
		ret = ctl_print_empty(ctl, "No peers are known on this system.");
	else
		ret = ctl_print_list(ctl, walk.array, walk.items, walk.n);
	ctl_texts_free(walk.items, walk.n);
	json_object_put(walk.array);
	return ret;
}

static int ctl_peers_purge(struct ctl *ctl, const struct ctl_args *args)
{
	const char *text = ctl_arg_positional(args, 0);
	uint8_t id[OCKAM_IDENTIFIER_LEN];
	enum ockam_peer_share most;
	struct ockam_err err;
	int ret;

	if (text && ockam_identifier_parse(text, id, &err))
		return ctl_output_fail_err(&ctl->out, &err);
	most = text || ctl_arg_switch(args, "all") ? OCKAM_PEER_NAMED : OCKAM_PEER_STRANGER;
	/* What strangers have shown protects nobody who is authorized anywhere. */
	if (most == OCKAM_PEER_NAMED && !ctl_confirm(ctl, args, ctl_peers_question))
		return CTL_EXIT_FAILURE;
	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	ret = ctl->store ? ockam_store_peer_purge(ctl->store, text ? id : NULL, most, &err) : 0;
	if (ret < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (text && !ret)
		return ctl_output_fail(&ctl->out, -ENOENT, NULL, NULL,
				       "Nothing is known of the peer %s", text);
	ctl_output_note(&ctl->out, CTL_MARK_DONE, "Forgot the change histories of %d peer%s", ret,
			ret == 1 ? "" : "s");
	return CTL_EXIT_OK;
}

static const struct ctl_flag ctl_peers_purge_flags[] = {
	{ .name = "all", .help = "Those of authorized and named peers too" },
	CTL_YES_FLAG,
	{ }
};

static const struct ctl_positional ctl_peers_purge_names[] = {
	{ .name = "IDENTIFIER", .excludes = "all", .help = "Only this peer, whoever it is" },
	{ }
};

static const struct ctl_command ctl_peers_list_command = {
	.name = "list", .about = "List peers whose change history is remembered",
	.run = ctl_peers_list,
};

static const struct ctl_command ctl_peers_purge_command = {
	.name = "purge", .about = "Forget change histories of strangers",
	.flags = ctl_peers_purge_flags, .positionals = ctl_peers_purge_names,
	.run = ctl_peers_purge,
};

const struct ctl_command ctl_identity_peers_command = {
	.name = "peers", .about = "What is remembered of the identities of peers",
	.children = (const struct ctl_command *const[]){
		&ctl_peers_list_command, &ctl_peers_purge_command, NULL
	},
};
