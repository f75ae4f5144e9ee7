// SPDX-License-Identifier: Apache-2.0
/*
 * Making nodes.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "node_new.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family.h"
#include "names.h"
#include "node_object.h"
#include "sweep.h"

int ctl_node_check_possible(struct ctl *ctl)
{
	struct ockam_err err;

	return ockam_family_check(&err) ? ctl_output_fail_err(&ctl->out, &err) : CTL_EXIT_OK;
}

static int ctl_node_check_name(struct ctl *ctl, const char *name)
{
	struct ockam_err err;

	if (!name || !ockam_name_check_node(name, &err))
		return CTL_EXIT_OK;
	return ctl_output_fail(&ctl->out, -EINVAL, err.text, NULL,
			       "Invalid value for NAME_OR_CONFIGURATION: %s", name);
}

/* Given, else that of the stopped default node, else a random one. */
static int ctl_node_pick_name(struct ctl *ctl, struct ctl_node_new *new, const char *given)
{
	struct ockam_node_record node;
	struct ockam_err err;

	if (given) {
		snprintf(new->name, sizeof(new->name), "%s", given);
		return CTL_EXIT_OK;
	}
	if (!ockam_store_node_get(ctl->store, NULL, &node, &err) &&
	    !ockam_node_runs(&node)) {
		snprintf(new->name, sizeof(new->name), "%s", node.name);
		return CTL_EXIT_OK;
	}
	do {
		if (ockam_name_random(new->name, &err) < 0)
			return ctl_output_fail_err(&ctl->out, &err);
	} while (!ockam_store_node_get(ctl->store, new->name, &node, &err));
	return CTL_EXIT_OK;
}

static int ctl_node_check_free(struct ctl *ctl, const struct ctl_node_new *new)
{
	struct ockam_node_record node;
	struct ockam_err err;

	if (new->skip_check || ockam_store_node_get(ctl->store, new->name, &node, &err) ||
	    !ockam_node_runs(&node))
		return CTL_EXIT_OK;
	return ctl_output_fail(&ctl->out, -EEXIST, NULL, NULL, "Node %s is already running",
			       new->name);
}

/*
 * The identity to run with; made when it does not exist. Here and not in the
 * node process, so that the remarks reach the caller's terminal.
 */
static int ctl_node_pick_identity(struct ctl *ctl, struct ctl_node_new *new, const char *given)
{
	struct ockam_identity_record record = { };
	struct ockam_vault_record *vaults = NULL;
	struct ockam_err err;
	size_t n = 0;
	int ret;

	if (!ockam_store_identity_get(ctl->store, given, &record, &err)) {
		snprintf(new->identity, sizeof(new->identity), "%s", record.name);
		ockam_identity_record_free(&record);
		return CTL_EXIT_OK;
	}
	ockam_store_vault_list(ctl->store, &vaults, &n, &err);
	free(vaults);
	if (given)
		ret = ockam_store_identity_create(ctl->store, given, NULL, NULL, OCKAM_KEY_ED25519,
						  &ctl->remarks, &record, &err);
	else
		ret = ockam_store_identity_default(ctl->store, &ctl->remarks, &record, &err);
	if (ret < 0 && ret != -EEXIST)
		return ctl_output_fail_err(&ctl->out, &err);
	/* A name that was misspelt makes one too. */
	if (given && !ret)
		ctl_output_note(&ctl->out, CTL_MARK_WARN,
				"There was no Identity named %s, generated it", given);
	new->made_identity = !ret;
	new->made_vault = !ret && !n;
	snprintf(new->identity, sizeof(new->identity), "%s", record.name);
	ockam_identity_record_free(&record);
	return CTL_EXIT_OK;
}

static int ctl_node_print_created(struct ctl *ctl, const struct ctl_node_new *new)
{
	struct ockam_node_record node = { .in_background = !new->foreground };
	struct ctl_result out = { .machine = new->name };
	struct ockam_err err;
	char *plain = NULL;
	int ret;

	/* A node in memory has no record. */
	if (new->spawn.in_memory)
		snprintf(node.name, sizeof(node.name), "%s", new->name);
	else if (ockam_store_node_get(ctl->store, new->name, &node, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (asprintf(&plain,
		     "Created a new Node named %s\n%s%s%sTo see more details on this Node, run: ockam node show %s",
		     new->name, node.is_default ? "Marked " : "",
		     node.is_default ? new->name : "",
		     node.is_default ? " as your default Node, on this machine\n" : "",
		     new->name) < 0)
		plain = NULL;
	out.plain = plain;
	out.json = ctl->out.json ? ctl_node_object(&node) : NULL;
	ret = ctl_output_result(&ctl->out, &out);
	json_object_put(out.json);
	free(plain);
	return ret;
}

/* The node is up: it takes its place among the others, and is shown. */
static int ctl_node_came_up(struct ctl *ctl, const struct ctl_node_new *new)
{
	struct ockam_err err;
	int ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (!new->spawn.in_memory && ockam_store_node_promote(ctl->store, new->name, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	if (ockam_store_mark_used(&ctl->home, &err) < 0)
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
	/* Scripts that start nodes quietly in the background expect no name. */
	if (!new->print || (ctl->out.quiet && !new->foreground))
		return CTL_EXIT_OK;
	return ctl_node_print_created(ctl, new);
}

/* It is not: what was made for it goes, unless something uses it by now. */
static void ctl_node_take_back(struct ctl *ctl, const struct ctl_node_new *new)
{
	struct ockam_node_record node;
	struct ockam_err err;

	if (ctl_store(ctl, false) || !ctl->store)
		return;
	if (ockam_store_node_get(ctl->store, new->name, &node, &err) == -ENOENT)
		ockam_home_remove_node_dir(&ctl->home, new->name, &err);
	if (!new->made_identity || ockam_store_identity_delete(ctl->store, new->identity, &err) < 0)
		return;
	if (new->made_vault)
		ockam_store_vault_delete(ctl->store, "default", &err);
	ctl_output_note(&ctl->out, CTL_MARK_NONE, "Deleted the new Identity %s again.",
			new->identity);
}

static void ctl_node_done(struct ctl *ctl, void *arg, bool up)
{
	if (up)
		ctl_node_came_up(ctl, arg);
	else
		ctl_node_take_back(ctl, arg);
	ockam_store_close(ctl->store);
	ctl->store = NULL;
}

int ctl_node_new(struct ctl *ctl, struct ctl_node_new *new, const char *name,
		 const char *identity)
{
	struct ockam_err err;
	int ret;

	new->spawn.name = new->name;
	new->spawn.identity = new->identity;
	ret = ctl_node_check_name(ctl, name);
	if (!ret)
		ret = ctl_node_check_possible(ctl);
	if (!ret)
		ret = ctl_store(ctl, true);
	if (ret)
		return ret;
	if (ockam_sweep(&ctl->home, &err) < 0)
		ctl_output_note(&ctl->out, CTL_MARK_WARN, "%s", err.text);
	ret = ctl_node_pick_name(ctl, new, name);
	if (!ret)
		ret = ctl_node_check_free(ctl, new);
	if (!ret)
		ret = ctl_node_pick_identity(ctl, new, identity);
	if (ret)
		return ret;
	if (new->foreground)
		return ctl_spawn_become(ctl, &new->spawn, ctl_node_done, new);
	ret = ctl_spawn(ctl, &new->spawn);
	if (!ret)
		return ctl_node_came_up(ctl, new);
	ctl_node_take_back(ctl, new);
	return ret;
}

int ctl_node_new_default(struct ctl *ctl)
{
	struct ctl_node_new new = { };
	struct ockam_node_record *nodes = NULL;
	struct ockam_err err;
	size_t n = 0;
	int ret;

	ret = ctl_store(ctl, false);
	if (ret)
		return ret;
	if (ctl->store && ockam_store_node_list(ctl->store, &nodes, &n, &err) < 0)
		return ctl_output_fail_err(&ctl->out, &err);
	free(nodes);
	if (n)
		return CTL_EXIT_OK;
	ret = ctl_node_new(ctl, &new, NULL, NULL);
	if (!ret)
		ctl_output_note(&ctl->out, CTL_MARK_DONE,
				"Created a new Node named %s, your default Node", new.name);
	return ret;
}
