// SPDX-License-Identifier: Apache-2.0
/*
 * Handshakes of sockets: the kernel says by which identity's name and for which
 * user, the node process says what that means in this node.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/ockam.h>

#include "worker.h"
#include "workerpipe.h"

#define OCKAMD_SOCKET_ANSWERS	64
#define OCKAMD_SOCKET_KEEP_MS	1000	/* an identity may be renewed, a permission go */
#define OCKAMD_SOCKET_ASK_MS	3000	/* then the question is asked again */

/* What the kernel has written, taken apart. */
struct ockamd_socket {
	struct ockamd_socket_who	who;
	const uint8_t			*ids;
	size_t				n_ids;
};

/* An answer, or a question. Replaced by another one of the same place. */
struct ockamd_socket_answer {
	struct ockamd_socket_who	who;
	int64_t				until;	/* 0: there is none */
	bool				asked;	/* and not answered */
	struct ockam_err		err;	/* code 0: */
	uint8_t				*opaque;
	size_t				len;
};

static struct ockamd_socket_answer ockamd_socket_answers[OCKAMD_SOCKET_ANSWERS];

static struct ockamd_socket_answer *ockamd_socket_place(const struct ockamd_socket_who *who)
{
	uint32_t hash = 2166136261u ^ who->uid ^ who->admin;
	const char *p;

	for (p = who->name; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return &ockamd_socket_answers[hash % OCKAMD_SOCKET_ANSWERS];
}

static bool ockamd_socket_same(const struct ockamd_socket_who *a, const struct ockamd_socket_who *b)
{
	return a->uid == b->uid && a->admin == b->admin && !strcmp(a->name, b->name);
}

bool ockamd_socket_is(const uint8_t *bytes, size_t len)
{
	return len && bytes[0] == OCKAM_SOCKET_RULES;
}

static int ockamd_socket_decode(const uint8_t *bytes, size_t len, struct ockamd_socket *s,
				struct ockam_err *err)
{
	struct ockam_socket_rules rules;

	memset(s, 0, sizeof(*s));
	if (len >= sizeof(rules)) {
		memcpy(&rules, bytes, sizeof(rules));
		if (rules.name_len < sizeof(s->who.name) && rules.n_authorized <= OCKAM_TRUST_MAX &&
		    len == sizeof(rules) + rules.name_len +
			   (size_t)rules.n_authorized * OCKAM_IDENTIFIER_LEN) {
			memcpy(s->who.name, bytes + sizeof(rules), rules.name_len);
			s->who.uid = rules.uid;
			s->who.admin = rules.flags & OCKAM_SOCKET_ADMIN;
			s->ids = bytes + sizeof(rules) + rules.name_len;
			s->n_ids = rules.n_authorized;
			return 0;
		}
	}
	return ockam_err_set(err, -EBADMSG, "What the socket asks for does not decode");
}

/* -EAGAIN: the question is on its way. */
static int ockamd_socket_ask(struct ockamd_socket_answer *a, const struct ockamd_socket_who *who,
			     int64_t now, struct ockam_err *err)
{
	struct ockam_buf packet = { 0 };
	int ret;

	ockamd_pipe_begin(&packet, OCKAMD_PIPE_SOCKET_ASK, 3);
	ockamd_socket_put_who(who, &packet);
	ret = ockamd_pipe_send(OCKAMD_WORKER_PIPE, &packet, OCKAMD_SOCKET_ASK_MS);
	ockam_buf_free(&packet);
	if (ret)
		return ockam_err_set(err, ret, "The node process does not say which identity this is");
	free(a->opaque);
	memset(a, 0, sizeof(*a));
	a->who = *who;
	a->asked = true;
	a->until = now + OCKAMD_SOCKET_ASK_MS;
	return -EAGAIN;
}

int ockamd_socket_rules(const uint8_t *bytes, size_t len, struct ockamd_opaque *opaque,
			struct ockam_err *err)
{
	int64_t now = ockamd_worker_now();
	struct ockamd_socket_answer *a;
	struct ockamd_socket s;
	size_t i;
	int ret;

	ret = ockamd_socket_decode(bytes, len, &s, err);
	if (ret)
		return ret;
	a = ockamd_socket_place(&s.who);
	if (a->until <= now || !ockamd_socket_same(&a->who, &s.who))
		return ockamd_socket_ask(a, &s.who, now, err);
	if (a->asked)
		return -EAGAIN;
	if (a->err.code) {
		*err = a->err;
		return err->code;
	}
	ret = ockamd_opaque_decode(a->opaque, a->len, opaque, err);
	for (i = 0; i < s.n_ids && !ret; i++) {
		ret = ockam_trust_add(&opaque->trust, s.ids + i * OCKAM_IDENTIFIER_LEN, err);
		if (ret)
			ockam_trust_free(&opaque->trust);
	}
	return ret;
}

int ockamd_worker_take_socket(struct ockamd_worker *worker, struct ockam_reader *r)
{
	struct ockamd_socket_answer new = { .until = ockamd_worker_now() + OCKAMD_SOCKET_KEEP_MS };
	struct ockamd_socket_answer *a;
	struct ockam_piece piece;
	uint64_t code;

	if (ockamd_socket_read_who(r, &new.who) || ockam_reader_uint(r, 4095, &code))
		return -EBADMSG;
	if (code ? ockam_reader_text(r, &piece) : ockam_reader_bytes(r, &piece))
		return -EBADMSG;
	if (code) {
		ockam_err_set(&new.err, -(int)code, "%.*s",
			      (int)(piece.len > 200 ? 200 : piece.len),
			      (const char *)piece.data);
	} else {
		new.opaque = malloc(piece.len);
		if (!new.opaque)
			ockam_err_set(&new.err, -ENOMEM, "Out of memory");
		else
			memcpy(new.opaque, piece.data, piece.len);
		new.len = piece.len;
	}
	a = ockamd_socket_place(&new.who);
	free(a->opaque);
	*a = new;
	/* Those that wait for it look again. */
	worker->key_came = true;
	return 0;
}
