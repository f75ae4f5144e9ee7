// SPDX-License-Identifier: Apache-2.0
/*
 * Which identity a program's socket may use in this node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <sys/stat.h>

#include "log.h"
#include "node.h"
#include "sockrule.h"
#include "workerpipe.h"

/*
 * Everybody in the node may use the node's own identity. Any other one of the home
 * is for those who may configure the node, and for whose home it is.
 */
static int ockamd_sockrule_check(const struct ockamd_node *node,
				 const struct ockamd_socket_who *who, struct ockam_err *err)
{
	struct stat st;

	if (!who->name[0] || who->admin)
		return 0;
	if (!stat(node->home.path, &st) && st.st_uid == who->uid)
		return 0;
	return ockam_err_set(err, -EACCES, "User %u may not use the identity %s", who->uid,
			     who->name);
}

static int ockamd_sockrule_answer(struct ockamd_node *node, const struct ockamd_socket_who *who,
				  struct ockam_buf *opaque, struct ockam_err *err)
{
	const struct ockam_trust everyone = { 0 };
	uint32_t index;
	int ret;

	ret = ockamd_sockrule_check(node, who, err);
	if (!ret)
		ret = ockamd_keyring_use(node, who->name[0] ? who->name : NULL, &index, err);
	if (!ret)
		ret = ockamd_rule_opaque(node, index, &everyone, NULL, opaque, err);
	return ret;
}

void ockamd_sockrule_ask(struct ockamd_node *node, struct ockam_reader *r)
{
	struct ockam_buf opaque = { 0 }, packet = { 0 };
	struct ockamd_socket_who who;
	struct ockam_err err;
	int ret;

	if (ockamd_socket_read_who(r, &who)) {
		ockamd_warn("the handshake worker asked for no identity");
		return;
	}
	ret = ockamd_sockrule_answer(node, &who, &opaque, &err);
	ockamd_pipe_begin(&packet, OCKAMD_PIPE_SOCKET, 5);
	ockamd_socket_put_who(&who, &packet);
	ockam_buf_put_uint(&packet, (uint64_t)-ret);
	if (ret)
		ockam_buf_put_text(&packet, err.text);
	else
		ockam_buf_put_bytes(&packet, opaque.data, opaque.len);
	/* Without room the worker asks again. */
	ockamd_pipe_send(node->spawn.pipe.fd, &packet, 0);
	ockam_buf_free(&packet);
	ockam_buf_free(&opaque);
}
