// SPDX-License-Identifier: Apache-2.0
/*
 * Packets between node process and worker.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "workerpipe.h"

void ockamd_pipe_begin(struct ockam_buf *packet, enum ockamd_pipe_type type,
		       unsigned int n_fields)
{
	ockam_buf_put_array(packet, 1 + (uint64_t)n_fields);
	ockam_buf_put_uint(packet, type);
}

int ockamd_pipe_send(int fd, const struct ockam_buf *packet, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int ret;

	if (packet->failed)
		return -ENOMEM;
	for (;;) {
		if (send(fd, packet->data, packet->len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return errno == ECONNRESET ? -EPIPE : -errno;
		if (!timeout_ms)
			return -EAGAIN;
		ret = poll(&p, 1, timeout_ms);
		if (!ret)
			return -ETIMEDOUT;
		if (ret < 0 && errno != EINTR)
			return -errno;
	}
}

int ockamd_pipe_receive(int fd, uint8_t *buffer, uint64_t *type, struct ockam_reader *r)
{
	struct ockam_reader_list list;
	ssize_t len;

	len = recv(fd, buffer, OCKAMD_PIPE_MAX, MSG_DONTWAIT | MSG_TRUNC);
	if (len < 0)
		return errno == EINTR ? -EAGAIN : errno == ECONNRESET ? -EPIPE : -errno;
	if (!len)
		return -EPIPE;
	if (len > OCKAMD_PIPE_MAX)
		return -EBADMSG;
	ockam_reader_init(r, buffer, (size_t)len);
	if (ockam_reader_array(r, &list) || ockam_reader_more(r, &list) != 1 ||
	    ockam_reader_uint(r, UINT64_MAX, type))
		return -EBADMSG;
	return 0;
}

void ockamd_opaque_encode(const struct ockamd_opaque *opaque, struct ockam_buf *out)
{
	size_t i;

	ockam_buf_put_array(out, 5);
	ockam_buf_put_uint(out, opaque->key);
	ockam_trust_encode(&opaque->trust, out);
	ockam_buf_put_array(out, opaque->n_credentials);
	for (i = 0; i < opaque->n_credentials; i++)
		ockam_buf_put_bytes(out, opaque->credentials[i].data, opaque->credentials[i].len);
	if (opaque->has_authority)
		ockam_buf_put_bytes(out, opaque->authority, sizeof(opaque->authority));
	else
		ockam_buf_put_null(out);
	ockam_buf_put_bool(out, opaque->present);
}

/* Behind the trust rule. */
static int ockamd_opaque_read_rest(struct ockam_reader *r, struct ockam_reader_list *parts,
				   struct ockamd_opaque *opaque)
{
	struct ockam_reader_list list;
	int more;

	if (ockam_reader_more(r, parts) != 1 || ockam_reader_array(r, &list))
		return -EBADMSG;
	while ((more = ockam_reader_more(r, &list)) > 0) {
		if (opaque->n_credentials == OCKAMD_PIPE_CREDENTIALS ||
		    ockam_reader_bytes(r, &opaque->credentials[opaque->n_credentials++]))
			return -EBADMSG;
	}
	if (more < 0 || ockam_reader_more(r, parts) != 1)
		return -EBADMSG;
	opaque->has_authority = !ockam_reader_null(r);
	if (opaque->has_authority &&
	    ockam_reader_fixed(r, opaque->authority, sizeof(opaque->authority)))
		return -EBADMSG;
	return ockam_reader_more(r, parts) != 1 || ockam_reader_bool(r, &opaque->present) ?
		-EBADMSG : 0;
}

int ockamd_opaque_decode(const uint8_t *bytes, size_t len, struct ockamd_opaque *opaque,
			 struct ockam_err *err)
{
	static const char bad[] = "The worker data of the exchange does not decode";
	struct ockam_reader_list parts;
	struct ockam_reader r;
	uint64_t key;
	int ret;

	memset(opaque, 0, sizeof(*opaque));
	ockam_reader_init(&r, bytes, len);
	if (ockam_reader_array(&r, &parts) || ockam_reader_more(&r, &parts) != 1 ||
	    ockam_reader_uint(&r, OCKAMD_PIPE_KEYS - 1, &key) || ockam_reader_more(&r, &parts) != 1)
		return ockam_err_set(err, -EBADMSG, "%s", bad);
	opaque->key = (uint32_t)key;
	ret = ockam_trust_decode(&r, &opaque->trust, err);
	if (ret)
		return ret;
	ret = ockamd_opaque_read_rest(&r, &parts, opaque);
	if (!ret)
		return 0;
	ockam_trust_free(&opaque->trust);
	return ockam_err_set(err, ret, "%s", bad);
}

void ockamd_socket_put_who(const struct ockamd_socket_who *who, struct ockam_buf *packet)
{
	ockam_buf_put_text(packet, who->name);
	ockam_buf_put_uint(packet, who->uid);
	ockam_buf_put_bool(packet, who->admin);
}

int ockamd_socket_read_who(struct ockam_reader *r, struct ockamd_socket_who *who)
{
	struct ockam_piece name;
	uint64_t uid;

	memset(who, 0, sizeof(*who));
	if (ockam_reader_text(r, &name) || name.len >= sizeof(who->name) ||
	    ockam_reader_uint(r, UINT32_MAX, &uid) || ockam_reader_bool(r, &who->admin))
		return -EBADMSG;
	memcpy(who->name, name.data, name.len);
	who->uid = (uint32_t)uid;
	return 0;
}
