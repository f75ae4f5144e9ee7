/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fuzz targets share: how a broken property ends the run, and taking an
 * input apart. A target is one file fuzz_<name>.c with the function
 * LLVMFuzzerTestOneInput(); it lives without state between two inputs, so that
 * one input alone shows what was found.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_FUZZ_H
#define OCKAM_FUZZ_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for every input; libFuzzer keeps the one that broke it. */
#define fuzz_must(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: not true: %s\n",	\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

/* The rest of an input. Running out gives zeroes and sets nothing. */
struct fuzz_in {
	const uint8_t	*pos;
	const uint8_t	*end;
};

__attribute__((unused))
static struct fuzz_in fuzz_begin(const uint8_t *data, size_t size)
{
	return (struct fuzz_in){ data, data + size };
}

__attribute__((unused))
static size_t fuzz_left(const struct fuzz_in *in)
{
	return (size_t)(in->end - in->pos);
}

__attribute__((unused))
static uint8_t fuzz_u8(struct fuzz_in *in)
{
	return in->pos < in->end ? *in->pos++ : 0;
}

__attribute__((unused))
static uint16_t fuzz_u16(struct fuzz_in *in)
{
	uint16_t high = fuzz_u8(in);

	return (uint16_t)(high << 8 | fuzz_u8(in));
}

__attribute__((unused))
static uint64_t fuzz_u64(struct fuzz_in *in)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | fuzz_u8(in);
	return value;
}

/* At most @max bytes of the input, which stay where they are. */
__attribute__((unused))
static const uint8_t *fuzz_bytes(struct fuzz_in *in, size_t max, size_t *len)
{
	const uint8_t *pos = in->pos;

	*len = fuzz_left(in) < max ? fuzz_left(in) : max;
	in->pos += *len;
	return pos;
}

/* A copy without a byte to spare behind it, so that ASan sees one read too many; free(). */
__attribute__((unused))
static void *fuzz_exact(const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	fuzz_must(copy);
	if (len)
		memcpy(copy, data, len);
	/* A block has one byte at least: without it none may be touched. */
	return copy;
}

/* A zero-terminated copy; free(). */
__attribute__((unused))
static char *fuzz_text(const void *data, size_t len)
{
	char *copy = malloc(len + 1);

	fuzz_must(copy);
	if (len)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

__attribute__((unused))
static bool fuzz_same(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

#endif /* OCKAM_FUZZ_H */
