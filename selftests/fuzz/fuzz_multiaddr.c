// SPDX-License-Identifier: Apache-2.0
/*
 * MultiAddr as text and as bytes: what is read is printed and encoded so that
 * it is read again as the same.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "multiaddr.h"

static struct ockam_multiaddr addr, again;
static char text[OCKAM_MULTIADDR_TEXT];

static void check_same(void)
{
	fuzz_must(addr.count == again.count);
	for (size_t i = 0; i < addr.count; i++) {
		const struct ockam_segment *a = &addr.segments[i], *b = &again.segments[i];

		fuzz_must(a->proto == b->proto && a->port == b->port);
		fuzz_must(!memcmp(a->ip, b->ip, sizeof(a->ip)));
		fuzz_must(!strcmp(a->text, b->text));
	}
}

static void check_forms(void)
{
	struct ockam_buf out = { 0 };
	struct ockam_err err;
	int len;

	fuzz_must(addr.count <= OCKAM_MULTIADDR_SEGMENTS);
	for (size_t i = 0; i < addr.count; i++) {
		fuzz_must(ockam_proto_name(addr.segments[i].proto));
		fuzz_must(memchr(addr.segments[i].text, 0, OCKAM_MULTIADDR_VALUE));
		fuzz_must(addr.segments[i].text[0] && !strchr(addr.segments[i].text, '/'));
	}
	len = ockam_multiaddr_format(&addr, text, sizeof(text));
	fuzz_must(len >= 0 && (size_t)len == strlen(text));
	fuzz_must(!len || ockam_multiaddr_format(&addr, text, (size_t)len) == -EMSGSIZE);
	ockam_multiaddr_format(&addr, text, sizeof(text));
	if (addr.count) {
		fuzz_must(!ockam_multiaddr_parse(&again, text, &err));
		check_same();
	}
	ockam_multiaddr_encode(&addr, &out);
	fuzz_must(!out.failed);
	fuzz_must(!ockam_multiaddr_decode(&again, out.data, out.len, &err));
	check_same();
	ockam_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ockam_err err;
	uint8_t *copy;
	char *typed;
	int ret;

	if (!size)
		return 0;
	if (data[0] & 1) {
		copy = fuzz_exact(data + 1, size - 1);
		ret = ockam_multiaddr_decode(&addr, copy, size - 1, &err);
		fuzz_must(!ret || ret == -EBADMSG || ret == -E2BIG);
		free(copy);
	} else {
		typed = fuzz_text(data + 1, size - 1);
		ret = ockam_multiaddr_parse(&addr, typed, &err);
		fuzz_must(!ret || ret == -EINVAL || ret == -E2BIG);
		fuzz_must(ret || addr.count);
		free(typed);
	}
	if (ret)
		fuzz_must(err.text[0]);
	else
		check_forms();
	return 0;
}
