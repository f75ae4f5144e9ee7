// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rules and authorities of the node process.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <string.h>

#include "hex.h"
#include "log.h"
#include "node.h"

#define OCKAMD_RULE_PUSH_MS	5000	/* a worker that starts does not read at once */

/* ---- authorities ------------------------------------------------------------ */

static int ockamd_rule_push_one(const struct ockamd_rules *t, size_t index, int fd,
				int timeout_ms)
{
	struct ockam_buf packet = { 0 };
	int ret;

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_AUTHORITY, 2);
	ockam_buf_put_uint(&packet, index);
	ockam_buf_put_bytes(&packet, t->authorities[index]->history,
			    t->authorities[index]->history_len);
	ret = ockamd_pipe_send(fd, &packet, timeout_ms);
	ockam_buf_free(&packet);
	return ret;
}

int ockamd_rule_push(struct ockamd_node *node, int fd)
{
	struct ockam_buf packet = { 0 };
	size_t i;
	int ret;

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_OPTIONS, 1);
	ockam_buf_put_bool(&packet, node->rules.strict);
	ret = ockamd_pipe_send(fd, &packet, 0);
	ockam_buf_free(&packet);
	for (i = 0; !ret && i < OCKAMD_PIPE_AUTHORITIES; i++)
		if (node->rules.authorities[i])
			ret = ockamd_rule_push_one(&node->rules, i, fd, OCKAMD_RULE_PUSH_MS);
	return ret;
}

/* Put @identity, taken over, where it is or will be known. */
static void ockamd_rule_set(struct ockamd_node *node, size_t index,
			    struct ockam_identity *identity)
{
	struct ockamd_rules *t = &node->rules;

	ockam_identity_free(t->authorities[index]);
	t->authorities[index] = identity;
	/* Without a worker now: the next one is given all of them. */
	if (node->spawn.pipe.fd < 0 ||
	    !ockamd_rule_push_one(t, index, node->spawn.pipe.fd, OCKAMD_RULE_PUSH_MS))
		return;
	ockamd_warn("the handshake worker does not take an authority");
	ockamd_spawn_renew(node);
}

static bool ockamd_rule_names(const struct ockam_trust *trust, const uint8_t *id)
{
	return trust->has_authority && !memcmp(trust->authority, id, OCKAM_IDENTIFIER_LEN);
}

/* Does the node, a listener or a channel need this authority? */
static bool ockamd_rule_needed(struct ockamd_node *node, const uint8_t *id)
{
	struct ockamd_channel *channel;
	struct ockamd_gate *gate;

	if (node->rules.has_authority && !memcmp(node->rules.authority, id, OCKAM_IDENTIFIER_LEN))
		return true;
	LIST_FOREACH(gate, &node->gates, link)
		if (ockamd_rule_names(&gate->trust, id))
			return true;
	LIST_FOREACH(channel, &node->channels, link)
		if (ockamd_rule_names(&channel->trust, id))
			return true;
	return ockamd_channel_making_names(node, id);
}

/* Where it is; else a free place, that of one nobody needs included; -1: none. */
static int ockamd_rule_place(struct ockamd_node *node, const uint8_t *id)
{
	struct ockamd_rules *t = &node->rules;
	int place = -1;
	int i;

	for (i = 0; i < OCKAMD_PIPE_AUTHORITIES; i++) {
		if (t->authorities[i] &&
		    !memcmp(t->authorities[i]->identifier, id, OCKAM_IDENTIFIER_LEN))
			return i;
		if (place < 0 && !t->authorities[i])
			place = i;
	}
	for (i = 0; place < 0 && i < OCKAMD_PIPE_AUTHORITIES; i++)
		if (!ockamd_rule_needed(node, t->authorities[i]->identifier))
			place = i;
	return place;
}

/* Of the histories of one authority the longest counts; *identity may be replaced by it. */
static int ockamd_rule_choose(const struct ockam_identity *known,
			      struct ockam_identity **identity, struct ockam_err *err)
{
	struct ockam_identity *longer;
	char text[OCKAM_IDENTIFIER_TEXT];

	switch (ockam_identity_compare(known, *identity)) {
	case OCKAM_HISTORY_EQUAL:
	case OCKAM_HISTORY_NEWER:
		return 0;
	case OCKAM_HISTORY_OLDER:
		if (ockam_identity_decode(known->history, known->history_len, &longer, err))
			return err->code;
		ockam_identity_free(*identity);
		*identity = longer;
		return 0;
	case OCKAM_HISTORY_CONFLICT:
		break;
	}
	ockam_identifier_format(known->identifier, text);
	return ockam_err_set(err, -ESTALE,
			     "the change history given for the authority %s conflicts with the known one",
			     text);
}

/* Make an authority known to node, home and worker; taken over in every case. */
static int ockamd_rule_add_authority(struct ockamd_node *node, struct ockam_identity *identity,
				     struct ockam_err *err)
{
	struct ockam_identity *known;
	int place, ret = 0;

	place = ockamd_rule_place(node, identity->identifier);
	if (place < 0)
		ret = ockam_err_set(err, -ENOSPC,
				    "The listeners and channels of this node name %d authorities already",
				    OCKAMD_PIPE_AUTHORITIES);
	if (!ret && !ockam_store_peer_get(node->store, identity->identifier, &known, NULL, NULL)) {
		ret = ockamd_rule_choose(known, &identity, err);
		ockam_identity_free(known);
	}
	if (!ret)
		ret = ockam_store_peer_put(node->store, identity, OCKAM_PEER_NAMED, err);
	if (ret)
		ockam_identity_free(identity);
	else
		ockamd_rule_set(node, (size_t)place, identity);
	return ret;
}

static int ockamd_rule_read_authority(struct ockamd_node *node, const char *hex,
				      uint8_t id[OCKAM_IDENTIFIER_LEN], struct ockam_err *err)
{
	struct ockam_identity *identity;
	int ret;

	ret = ockam_identity_parse(hex, &identity, err);
	if (ret) {
		ockam_err_prefix(err, "the authority");
		return ret;
	}
	memcpy(id, identity->identifier, OCKAM_IDENTIFIER_LEN);
	return ockamd_rule_add_authority(node, identity, err);
}

void ockamd_rule_learnt(struct ockamd_node *node, const struct ockam_identity *identity)
{
	struct ockamd_rules *t = &node->rules;
	struct ockam_identity *copy;
	size_t i;

	for (i = 0; i < OCKAMD_PIPE_AUTHORITIES; i++) {
		if (!t->authorities[i] ||
		    ockam_identity_compare(t->authorities[i], identity) != OCKAM_HISTORY_NEWER)
			continue;
		if (!ockam_identity_decode(identity->history, identity->history_len, &copy, NULL))
			ockamd_rule_set(node, i, copy);
	}
}

int ockamd_rule_start(struct ockamd_node *node, struct ockam_err *err)
{
	const struct ockamd_options *o = node->options;
	struct ockamd_rules *t = &node->rules;
	int ret;

	t->strict = o->strict_identities;
	if (o->credential_scope) {
		ret = ockam_scope_check(o->credential_scope, err);
		if (ret)
			return ret;
		strcpy(t->scope, o->credential_scope);
	}
	if (!o->authority)
		return 0;
	ret = ockamd_rule_read_authority(node, o->authority, t->authority, err);
	t->has_authority = !ret;
	return ret;
}

void ockamd_rule_wipe(struct ockamd_node *node)
{
	size_t i;

	for (i = 0; i < OCKAMD_PIPE_AUTHORITIES; i++)
		ockam_identity_free(node->rules.authorities[i]);
	memset(&node->rules, 0, sizeof(node->rules));
}

/* ---- rules -------------------------------------------------------------------- */

static int ockamd_rule_read_ids(struct json_object *ids, struct ockam_trust *trust,
				struct ockam_err *err)
{
	uint8_t id[OCKAM_IDENTIFIER_LEN];
	const char *text;
	size_t i, n;
	int ret = 0;

	if (!ids)
		return 0;
	/* What is not understood must not end as "everyone". */
	if (!json_object_is_type(ids, json_type_array))
		return ockam_err_set(err, -EINVAL, "'authorized' is not a list of identifiers");
	n = json_object_array_length(ids);
	/* An empty list trusts nobody. */
	if (!n)
		trust->kind = OCKAM_TRUST_LIST;
	for (i = 0; i < n && !ret; i++) {
		text = json_object_get_string(json_object_array_get_idx(ids, i));
		ret = ockam_identifier_parse(text ? text : "", id, err);
		if (!ret)
			ret = ockam_trust_add(trust, id, err);
	}
	return ret;
}

/* A member that must be text if it is there. */
static int ockamd_rule_text(struct json_object *args, const char *key, const char **text,
			    struct ockam_err *err)
{
	*text = ockam_value_text(args, key);
	if (!*text && ockam_value_get(args, key))
		return ockam_err_set(err, -EINVAL, "'%s' is not a text", key);
	return 0;
}

int ockamd_rule_read(struct ockamd_node *node, struct json_object *args,
		     struct ockam_trust *trust, struct ockam_err *err)
{
	const char *allow = NULL, *authority = NULL;
	int ret;

	memset(trust, 0, sizeof(*trust));
	ret = ockamd_rule_read_ids(ockam_value_get(args, "authorized"), trust, err);
	if (!ret)
		ret = ockamd_rule_text(args, "allow", &allow, err);
	if (!ret)
		ret = ockamd_rule_text(args, "authority", &authority, err);
	if (!ret && allow)
		ret = ockam_policy_parse(allow, &trust->policy, err);
	if (!ret && authority) {
		ret = ockamd_rule_read_authority(node, authority, trust->authority, err);
		trust->has_authority = !ret;
	}
	if (ret)
		ockam_trust_free(trust);
	return ret;
}

struct json_object *ockamd_rule_ids(const struct ockam_trust *trust)
{
	char text[OCKAM_IDENTIFIER_TEXT];
	struct json_object *ids;
	size_t i;

	if (trust->kind == OCKAM_TRUST_EVERYONE)
		return NULL;
	ids = json_object_new_array();
	for (i = 0; i < trust->n_ids; i++) {
		ockam_identifier_format(trust->ids[i], text);
		json_object_array_add(ids, json_object_new_string(text));
	}
	return ids;
}

void ockamd_rule_describe(const struct ockam_trust *trust, struct json_object *map)
{
	char text[OCKAM_IDENTIFIER_TEXT];

	ockam_value_put(map, "authorized", ockamd_rule_ids(trust));
	if (trust->has_authority) {
		ockam_identifier_format(trust->authority, text);
		ockam_value_put_text(map, "authority", text);
	}
	if (trust->policy)
		ockam_value_put_text(map, "policy", ockam_policy_text(trust->policy));
}

const uint8_t *ockamd_rule_counts(const struct ockamd_node *node,
				  const struct ockam_trust *trust)
{
	if (trust && trust->has_authority)
		return trust->authority;
	return node->rules.has_authority ? node->rules.authority : NULL;
}

int ockamd_rule_opaque(const struct ockamd_node *node, uint32_t key,
		       const struct ockam_trust *trust, const struct ockam_buf *credential,
		       struct ockam_buf *out, struct ockam_err *err)
{
	const uint8_t *counts = ockamd_rule_counts(node, trust);
	struct ockamd_opaque opaque = { .key = key, .trust = *trust };

	if (counts) {
		opaque.has_authority = true;
		memcpy(opaque.authority, counts, sizeof(opaque.authority));
	}
	if (credential && credential->len) {
		opaque.credentials[0].data = credential->data;
		opaque.credentials[0].len = credential->len;
		opaque.n_credentials = 1;
	} else {
		opaque.present = ockamd_present_wanted(node);
	}
	ockamd_opaque_encode(&opaque, out);
	if (out->failed)
		return ockam_err_set(err, -ENOMEM, "Out of memory");
	if (out->len > OCKAM_OPAQUE_MAX)
		return ockam_err_set(err, -E2BIG,
				     "Authorized identifiers, policy and credential are %zu bytes, at most %d are possible",
				     out->len, OCKAM_OPAQUE_MAX);
	return 0;
}

int ockamd_rule_judge(struct ockamd_node *node, const struct ockam_trust *trust,
		      const uint8_t id[OCKAM_IDENTIFIER_LEN], uint64_t *expires_at,
		      struct ockam_err *err)
{
	const struct ockam_attributes_record *record = NULL;
	struct ockam_subject subject = { .identifier = id };
	const uint8_t *counts = ockamd_rule_counts(node, trust);
	int ret;

	if (counts)
		record = ockamd_attributes_get(node, id, counts);
	if (record) {
		subject.has_credential = true;
		subject.issuer = record->issuer;
		subject.attributes.data = record->attributes.data;
		subject.attributes.len = record->attributes.len;
	}
	ret = ockam_trust_admits(trust, &subject, err);
	if (!ret && expires_at)
		*expires_at = record && ockam_trust_needs_credential(trust, id) ?
			record->expires_at : 0;
	return ret;
}
