// SPDX-License-Identifier: Apache-2.0
/*
 * What handshakes cost the worker: both sides in one process, with a kernel and
 * a node process made of a few variables. Noise, signatures and decisions are
 * the worker's own; system calls, sockets and the store are not in it.
 *
 *   handshakes [COUNT]
 *
 * prints, for each kind of peer, the median of three runs of COUNT handshakes:
 * microseconds of CPU of both sides together, and how many a side can do in a
 * second; then the same as JSON.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include "../unit/exchange.h"

#define BENCH_COUNT	300
#define BENCH_RUNS	3

enum bench_kind { BENCH_KNOWN, BENCH_NEW, BENCH_CREDENTIAL, BENCH_KINDS };

static const char *const bench_names[] = { "known", "new", "credential" };

static double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void bench_die(const char *what, const char *why)
{
	fprintf(stderr, "handshakes: %s: %s\n", what, why);
	exit(1);
}

/* Worker data of the responder: credentials of @authority's count, and are needed. */
static void bench_opaque(struct side *r, const struct ockam_identity *authority)
{
	struct ockamd_opaque wants = { .key = 3, .has_authority = true };

	wants.trust.has_authority = true;
	memcpy(wants.trust.authority, authority->identifier, 32);
	memcpy(wants.authority, authority->identifier, 32);
	if (ockam_policy_parse("app=demo", &wants.trust.policy, NULL) ||
	    ockam_identity_decode(authority->history, authority->history_len,
				  &r->worker.authorities[0], NULL))
		bench_die("authority", "out of memory");
	ockam_buf_free(&r->opaque);
	ockamd_opaque_encode(&wants, &r->opaque);
	ockam_trust_free(&wants.trust);
}

/* A credential for @i, by an authority that @r accepts. */
static void bench_credential(struct side *i, struct side *r)
{
	static const struct ockam_attribute app = {
		{ (const uint8_t *)"app", 3 }, { (const uint8_t *)"demo", 4 },
	};
	uint8_t seed[32] = { 77 }, key[32] = { 78 };
	uint64_t now = (uint64_t)time(NULL);
	struct ockamd_opaque presents = { .key = 3, .present = true };
	struct ockam_buf attestation = { 0 };
	struct ockam_public_key public;
	struct ockam_identity *a;

	ockam_crypto_ed25519_public(key, &public);
	ockam_identity_create(ED25519, seed, now - 100, &a, NULL);
	ockam_attestation_create(a, seed, OCKAM_PURPOSE_CREDENTIAL, public.bytes, now - 90,
				 &attestation, NULL);
	ockam_credential_issue(attestation.data, attestation.len, key, side_id(i), NULL, &app, 1,
			       now - 10, 3600, &i->worker.presents[3].credential, NULL);
	i->worker.presents[3].expires_at = now + 3600;
	ockam_buf_free(&i->opaque);
	ockamd_opaque_encode(&presents, &i->opaque);
	bench_opaque(r, a);
	ockam_buf_free(&attestation);
	ockam_identity_free(a);
}

/* One handshake; with @known each side has met the other. */
static void bench_one(struct side *i, struct side *r, bool known)
{
	test_known = NULL;
	i->nl.done = 0;
	r->nl.done = 0;
	side_take(i, 7, OCKAM_ROLE_INITIATOR, 0, NULL, 0);
	side_take(r, 9, OCKAM_ROLE_RESPONDER, 1, i->nl.message, i->nl.message_len);
	test_known = known ? r->worker.keys[3]->identity : NULL;
	side_take(i, 7, OCKAM_ROLE_INITIATOR, 1, r->nl.message, r->nl.message_len);
	test_known = known ? i->worker.keys[3]->identity : NULL;
	side_take(r, 9, OCKAM_ROLE_RESPONDER, 2, i->nl.message, i->nl.message_len);
	if (i->nl.done != 1 || r->nl.done != 1)
		bench_die("a handshake failed", i->nl.done != 1 ? i->nl.reason : r->nl.reason);
}

/* Microseconds of one handshake of that kind. */
static double bench_run(enum bench_kind kind, int count)
{
	double sum = 0, start;
	struct side i, r;
	int n;

	side_init(&r, 5, NULL);
	side_init(&i, 1, NULL);
	if (kind == BENCH_CREDENTIAL)
		bench_credential(&i, &r);
	if (kind != BENCH_NEW)
		bench_one(&i, &r, true);
	for (n = 0; n < count; n++) {
		/* New to each other: neither has seen the other's signatures. */
		if (kind == BENCH_NEW) {
			side_init(&i, 10 + n % 200, NULL);
			side_init(&r, 5, NULL);
		}
		start = bench_now();
		bench_one(&i, &r, kind != BENCH_NEW);
		sum += bench_now() - start;
	}
	/* Memory is not given back: this process ends soon. */
	return sum / count;
}

static int bench_order(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : BENCH_COUNT;
	double runs[BENCH_RUNS], median[BENCH_KINDS];
	int kind, run;

	if (count < 1)
		bench_die("COUNT", "at least 1");
	printf("%-18s %14s %16s   (median of %d runs of %d)\n", "peers", "us, both sides",
	       "a second a side", BENCH_RUNS, count);
	for (kind = 0; kind < BENCH_KINDS; kind++) {
		for (run = 0; run < BENCH_RUNS; run++)
			runs[run] = bench_run((enum bench_kind)kind, count);
		qsort(runs, BENCH_RUNS, sizeof(runs[0]), bench_order);
		median[kind] = runs[BENCH_RUNS / 2];
		printf("%-18s %14.1f %16.0f\n", bench_names[kind], median[kind],
		       2e6 / median[kind]);
	}
	printf("{\"count\": %d", count);
	for (kind = 0; kind < BENCH_KINDS; kind++)
		printf(", \"%s\": %.1f", bench_names[kind], median[kind]);
	printf("}\n");
	return 0;
}
