// SPDX-License-Identifier: Apache-2.0
/*
 * What passes between node process and worker: worker data of an exchange with
 * its trust rule, and packets of the pipe.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <sys/socket.h>

#include "fuzz.h"
#include "workerpipe.h"

static void check_same_trust(const struct ockam_trust *a, const struct ockam_trust *b)
{
	fuzz_must(a->kind == b->kind && a->n_ids == b->n_ids);
	for (size_t i = 0; i < a->n_ids; i++)
		fuzz_must(!memcmp(a->ids[i], b->ids[i], OCKAM_IDENTIFIER_LEN));
	fuzz_must(a->has_authority == b->has_authority);
	fuzz_must(!a->has_authority || !memcmp(a->authority, b->authority, OCKAM_IDENTIFIER_LEN));
	fuzz_must(!a->policy == !b->policy);
	if (a->policy)
		fuzz_must(!strcmp(ockam_policy_text(a->policy), ockam_policy_text(b->policy)));
}

/* A copy is the same and says the same of a stranger. */
static void check_copy(const struct ockam_trust *trust, const uint8_t *stranger)
{
	const struct ockam_subject subject = { .identifier = stranger };
	struct ockam_trust copy;

	fuzz_must(!ockam_trust_copy(&copy, trust));
	check_same_trust(trust, &copy);
	fuzz_must(ockam_trust_admits(&copy, &subject, NULL) ==
		  ockam_trust_admits(trust, &subject, NULL));
	fuzz_must(ockam_trust_admits(trust, &subject, NULL) ||
		  ockam_trust_allows(trust, stranger));
	ockam_trust_free(&copy);
}

static void try_trust(const uint8_t *data, size_t size)
{
	static const uint8_t stranger[OCKAM_IDENTIFIER_LEN] = { 0xfe, 0xed };
	struct ockam_trust trust, again;
	struct ockam_buf out = { 0 };
	struct ockam_reader r;
	struct ockam_err err;
	int ret;

	ockam_reader_init(&r, data, size);
	ret = ockam_trust_decode(&r, &trust, &err);
	if (ret) {
		fuzz_must(ret == -EBADMSG || ret == -E2BIG);
		/* What was not understood trusts nobody. */
		fuzz_must(!ockam_trust_allows(&trust, stranger));
		ockam_trust_free(&trust);
		return;
	}
	fuzz_must(r.pos > data && r.pos <= data + size);
	fuzz_must(trust.n_ids <= OCKAM_TRUST_MAX);
	for (size_t i = 0; i < trust.n_ids; i++)
		fuzz_must(ockam_trust_allows(&trust, trust.ids[i]));
	check_copy(&trust, stranger);
	ockam_trust_encode(&trust, &out);
	fuzz_must(!out.failed && (trust.policy || out.len <= size + 1));
	ockam_reader_init(&r, out.data, out.len);
	fuzz_must(!ockam_trust_decode(&r, &again, &err) && r.pos == r.end);
	check_same_trust(&trust, &again);
	ockam_trust_free(&again);
	ockam_trust_free(&trust);
	ockam_buf_free(&out);
}

static void try_opaque(const uint8_t *data, size_t size)
{
	struct ockamd_opaque opaque, again;
	struct ockam_buf out = { 0 };
	struct ockam_err err;
	int ret;

	ret = ockamd_opaque_decode(data, size, &opaque, &err);
	if (ret) {
		fuzz_must(ret == -EBADMSG || ret == -E2BIG);
		fuzz_must(err.code && err.text[0]);
		return;
	}
	fuzz_must(opaque.key < OCKAMD_PIPE_KEYS);
	fuzz_must(opaque.n_credentials <= OCKAMD_PIPE_CREDENTIALS);
	for (size_t i = 0; i < opaque.n_credentials; i++)
		fuzz_must(opaque.credentials[i].data >= data &&
			  opaque.credentials[i].data + opaque.credentials[i].len <= data + size);
	ockamd_opaque_encode(&opaque, &out);
	fuzz_must(!out.failed && (opaque.trust.policy || out.len <= size + 1));
	fuzz_must(!ockamd_opaque_decode(out.data, out.len, &again, &err));
	fuzz_must(again.key == opaque.key && again.n_credentials == opaque.n_credentials);
	check_same_trust(&opaque.trust, &again.trust);
	for (size_t i = 0; i < opaque.n_credentials; i++)
		fuzz_must(fuzz_same(opaque.credentials[i].data, opaque.credentials[i].len,
				    again.credentials[i].data, again.credentials[i].len));
	ockam_trust_free(&again.trust);
	ockam_trust_free(&opaque.trust);
	ockam_buf_free(&out);
}

static void try_pipe(const uint8_t *data, size_t size)
{
	static uint8_t buffer[OCKAMD_PIPE_MAX];
	static int fds[2] = { -1, -1 };
	struct ockam_piece piece;
	struct ockam_reader r;
	uint64_t type;
	int ret;

	if (fds[0] < 0)
		fuzz_must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
	if (!size || size > 4096)
		return;
	fuzz_must(send(fds[0], data, size, MSG_DONTWAIT) == (ssize_t)size);
	ret = ockamd_pipe_receive(fds[1], buffer, &type, &r);
	fuzz_must(!ret || ret == -EBADMSG);
	if (ret)
		return;
	fuzz_must(r.pos > buffer && r.pos <= buffer + size && r.end == buffer + size);
	while (r.pos < r.end && !ockam_reader_item(&r, &piece))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!size)
		return 0;
	copy = fuzz_exact(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		try_opaque(copy, size - 1);
		break;
	case 1:
		try_trust(copy, size - 1);
		break;
	default:
		try_pipe(copy, size - 1);
	}
	free(copy);
	return 0;
}
