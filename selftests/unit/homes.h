/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Homes for tests of the store, below one directory that the test makes with
 * mkdtemp(top) and removes at its end.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#ifndef OCKAM_TEST_HOMES_H
#define OCKAM_TEST_HOMES_H

#include <stdlib.h>

#include "store.h"
#include "tap.h"

static struct ockam_err err;
static struct ockam_home home;	/* the one opened last */
static char top[] = "/tmp/ockam-store-XXXXXX";

/* The store of home @name, made if it is not there. */
static struct ockam_store *opened(const char *name)
{
	struct ockam_store *store = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	if (ockam_home_set(&home, path, &err) ||
	    ockam_store_open(&home, OCKAM_STORE_CREATE, &store, &err)) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return store;
}

#endif /* OCKAM_TEST_HOMES_H */
