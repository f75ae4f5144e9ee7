// SPDX-License-Identifier: Apache-2.0
/*
 * Hexadecimal text, identifiers, and names as people and other programs give
 * them.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "fuzz.h"
#include "hex.h"
#include "identity.h"
#include "names.h"

static void try_hex(const uint8_t *data, size_t size)
{
	struct ockam_err err;
	uint8_t *bytes;
	size_t len = 0;
	char *text;
	int ret;

	bytes = malloc(size / 2 + 1);
	fuzz_must(bytes);
	ret = ockam_hex_decode((const char *)data, size, bytes, size / 2, &len, &err);
	fuzz_must(!ret || ret == -EINVAL);
	if (!ret) {
		fuzz_must(len == size / 2);
		text = malloc(size + 1);
		fuzz_must(text);
		ockam_hex_encode(bytes, len, text);
		fuzz_must(strlen(text) == size);
		for (size_t i = 0; i < size; i++)
			fuzz_must(text[i] == (data[i] | 0x20) || text[i] == data[i]);
		free(text);
		if (len)
			fuzz_must(ockam_hex_decode((const char *)data, size, bytes, len - 1,
						   &len, &err) == -EMSGSIZE);
	}
	free(bytes);
}

static void try_identifier(const char *text)
{
	uint8_t id[OCKAM_IDENTIFIER_LEN], again[OCKAM_IDENTIFIER_LEN];
	char formatted[OCKAM_IDENTIFIER_TEXT];
	struct ockam_err err;

	memset(id, 0xaa, sizeof(id));
	if (ockam_identifier_parse(text, id, &err)) {
		fuzz_must(err.code == -EINVAL && err.text[0]);
		for (size_t i = 0; i < sizeof(id); i++)
			fuzz_must(id[i] == 0xaa);
		return;
	}
	ockam_identifier_format(id, formatted);
	fuzz_must(strlen(formatted) == OCKAM_IDENTIFIER_TEXT - 1);
	/* It stands in the text, but for case and blanks. */
	fuzz_must(strcasestr(text, formatted));
	fuzz_must(!ockam_identifier_parse(formatted, again, NULL));
	fuzz_must(!memcmp(id, again, sizeof(id)));
}

static void try_names(const char *text)
{
	if (!ockam_name_check_node(text, NULL)) {
		/* It becomes a part of paths and of a namespace's name. */
		fuzz_must(strlen(text) < OCKAM_NAME_SIZE && text[0]);
		fuzz_must(!strpbrk(text, "/. \t\n"));
		fuzz_must(!ockam_name_check("identity", text, NULL));
	}
	if (!ockam_name_check("vault", text, NULL)) {
		fuzz_must(strlen(text) < OCKAM_NAME_SIZE && text[0]);
		fuzz_must(!strchr(text, '/') && text[0] != '.');
		for (const char *p = text; *p; p++)
			fuzz_must((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_exact(data, size);
	char *text = fuzz_text(data, size);

	try_hex(copy, size);
	try_identifier(text);
	try_names(text);
	free(copy);
	free(text);
	return 0;
}
