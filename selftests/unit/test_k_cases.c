// SPDX-License-Identifier: GPL-2.0
/*
 * The case tables in kmod/tests are what gen_cases.py makes of the vectors.
 *
 * Copyright (C) 2026 The Ockam for Linux authors
 */
#include <stdlib.h>

#include "tap.h"

int main(void)
{
	static const char * const names[] = { "frames", "channel", "window" };
	char dir[] = "/tmp/ockam-cases.XXXXXX";
	char command[256];

	if (!mkdtemp(dir)) {
		printf("Bail out! no temporary directory\n");
		return 1;
	}
	snprintf(command, sizeof(command), "../vectors/gen_cases.py %s", dir);
	ok(!system(command), "gen_cases.py runs");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(command, sizeof(command),
			 "cmp ../../kmod/tests/cases_%s.h %s/cases_%s.h",
			 names[i], dir, names[i]);
		ok(!system(command), "cases_%s.h is up to date", names[i]);
	}
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ok(!system(command), "nothing stays behind");
	return tap_done();
}
